"""What the claims of this paper share: its models, its symbols, and exponents of its formulas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from numerics import InitialCondition, integrate
from numerics.storage import Array
from theory import Isotropic, PowerLaw, TeacherStudent, order_parameter_odes

from ..claim import Claim, Evidence

__all__ = [
    "L",
    "M",
    "beta",
    "entry",
    "eps",
    "erf_network",
    "eta",
    "exponent",
    "local_slopes",
    "rate",
]

M, L = sp.symbols("M L", integer=True, positive=True)
beta, eta, eps, rate = sp.symbols("beta eta epsilon_g gamma", positive=True)

STEP = 0.01
"""Half the distance, in log alpha, of the two errors that a local slope is taken from."""


def entry(
    key: str, statement: str, formula: sp.Eq, judge: Callable[[sp.Eq, bool], Evidence]
) -> Claim:
    """A claim whose judge is given the formula that is printed."""
    return Claim(key, "WR24", statement, formula, partial(judge, formula))


def exponent(formula: sp.Eq, variable: sp.Symbol) -> sp.Expr:
    """The power of `variable` on the right side of a formula."""
    return sp.simplify(variable * formula.rhs.diff(variable) / formula.rhs)


def erf_network(units: int, modes: Any, slope: Any = 1, learning_rate: Any = "1/10") -> Any:
    """K = M erf units on a power law of `modes` eigenvalues; isotropic for one."""
    spectrum = Isotropic() if modes == 1 else PowerLaw(beta=slope, L=modes)
    return TeacherStudent(K=units, M=units, spectrum=spectrum, eta=learning_rate)


def local_slopes(
    model: TeacherStudent, start: InitialCondition, times: Sequence[float], gradient_flow: bool
) -> Array:
    """Slopes d log eps_g/d log alpha of the integrated equations at the given times, (T,)."""
    centres = np.asarray(times, dtype=float)
    at = np.sort(np.concatenate([centres * np.exp(sign * STEP) for sign in (-1, 1)]))
    ode = order_parameter_odes(model, gradient_flow=gradient_flow)
    logs = np.log(integrate(ode, start, at[-1], at=at).generalization_error)
    return (logs[1::2] - logs[::2]) / (2 * STEP)
