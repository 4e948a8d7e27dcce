"""What the claims of this paper share: models, symbols, and exponents of formulas and of runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy as sp

from numerics import InitialCondition, integrate
from numerics.storage import Array
from theory import Isotropic, PowerLaw, Spectrum, TeacherStudent, order_parameter_odes
from theory.symbols import lam, w

from ..claim import Claim, Evidence, Formula, Number
from ..criteria import in_the_limit, worst
from ..formulas import against, exponent

__all__ = [
    "BETAS",
    "LIMIT",
    "L",
    "M",
    "beta",
    "entry",
    "eps",
    "erf_network",
    "eta",
    "judge_powers",
    "local_slopes",
    "on_spectrum",
    "rate",
]

M, L = sp.symbols("M L", integer=True, positive=True)
beta, eta, eps, rate = sp.symbols("beta eta epsilon_g gamma", positive=True)

BETAS = (sp.Rational(1, 4), sp.Rational(1, 2), sp.Integer(1), sp.Integer(2))

Powers = tuple[str, sp.Rational, Sequence[float], float]
"""(what is found, beta, powers found along the labels, error of the last)."""

LIMIT = 0.01
"""Relative distance from a claimed limit at which it counts as reached."""
STEP = 0.01
"""Half the distance, in log alpha, of the two errors that a local slope is taken from."""


def entry(
    key: str, statement: str, formula: Formula, judge: Callable[[Any, bool], Evidence]
) -> Claim:
    """A claim of this paper."""
    return Claim.of_formula(key, "WR24", statement, formula, judge)


def erf_network(
    units: int, modes: Any, slope: Any = 1, learning_rate: Any = "1/10"
) -> TeacherStudent:
    """K = M erf units on a power law of `modes` eigenvalues; isotropic for one."""
    spectrum = Isotropic() if modes == 1 else PowerLaw(beta=slope, L=modes)
    return TeacherStudent(K=units, M=units, spectrum=spectrum, eta=learning_rate)


def on_spectrum(expr: sp.Expr, spectrum: Spectrum) -> sp.Expr:
    """`expr` with its sums over lam_k and w_k carried out for `spectrum`."""
    modes = zip(spectrum.eigenvalues, spectrum.weights, strict=True)
    values = {}
    for index, (value, weight) in enumerate(modes, 1):
        values |= {lam[index]: value, w[index]: weight}
    return expr.subs(L, len(values) // 2).doit().subs(values)


def local_slopes(
    model: TeacherStudent, start: InitialCondition, times: Sequence[float], gradient_flow: bool
) -> Array:
    """Slopes d log eps_g/d log alpha of the integrated equations at the given times, (T,)."""
    centres = np.asarray(times, dtype=float)
    at = np.sort(np.concatenate([centres * np.exp(sign * STEP) for sign in (-1, 1)]))
    ode = order_parameter_odes(model, gradient_flow=gradient_flow)
    logs = np.log(integrate(ode, start, at[-1], at=at).generalization_error)
    return (logs[1::2] - logs[::2]) / (2 * STEP)


def judge_powers(
    formula: sp.Eq,
    variable: sp.Symbol,
    labels: Sequence[str],
    found: Sequence[Powers],
    more: Sequence[Number] = (),
) -> Evidence:
    """Evidence on the power of `variable` in a formula; `labels` go deeper into its limit."""
    power, off, numbers = exponent(formula, variable), [], []
    for what, value, powers, error in found:
        claimed = float(power.subs(beta, value))
        off.append([each / claimed - 1 for each in powers])
        where = f"{what} at {labels[-1]}, β = {value} {against(claimed)}"
        numbers.append(Number(where, powers[-1], error))
    verdict, condition = in_the_limit(worst(labels, off), LIMIT)
    return Evidence(verdict, (*numbers, *more), condition)
