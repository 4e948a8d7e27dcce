"""Many digits: ours against mpmath's Taylor series, K = M = 2, L = 2, to alpha = 1."""

from __future__ import annotations

from functools import partial
from typing import Any

import flint
import mpmath as mp
import numpy as np
from sympy import Rational

from numerics import initial, integrate
from numerics.compile import compile_ode
from numerics.state import State, joint
from numerics.targets import FlintTarget, midpoint
from theory import PowerLaw, TeacherStudent, order_parameter_odes

from .clock import Budget
from .table import Table

COLUMNS = ("digits", "method", "seconds", "digits agreed")
ALPHA = 1


def measure(quick: bool) -> Table:
    """Both against ours with ten digits more."""
    rows: list[tuple[Any, ...]] = []
    model = TeacherStudent(2, 2, spectrum=PowerLaw(beta=1, L=2), eta=Rational(1, 10))
    ode, start = order_parameter_odes(model), initial(model, sigma_J="1/2", N=64, seed=0)
    budget = Budget(20.0 if quick else 60.0)
    for digits in (20,) if quick else (20, 30, 50):
        sharp = integrate(ode, start, ALPHA, digits=digits + 10, at=[ALPHA])
        with mp.workdps(digits + 10):
            ours = budget.run(partial(_ours, ode, start, digits))
            rows.append((digits, "specscale", ours.seconds, _agreed(ours.value, sharp)))
        with mp.workdps(digits):
            theirs = budget.run(partial(_odefun, ode, start, digits, budget))
        shown = None if theirs.value is None else _agreed(theirs.value, sharp)
        rows.append((digits, "mpmath.odefun", theirs.shown, shown))
    return Table("Many digits: K = M = 2, L = 2, beta = 1, to alpha = 1", COLUMNS, rows)


def _ours(ode: Any, start: Any, digits: int) -> Any:
    return integrate(ode, start, ALPHA, digits=digits, at=[ALPHA]).q[-1]


def _odefun(ode: Any, start: Any, digits: int, budget: Budget) -> Any:
    """q at the end by mpmath.odefun, given our right-hand side in python-flint."""
    target, state = FlintTarget(digits + 5), State(2, 2, len(start.q))
    like = joint(*start.precise(digits + 5))
    with target.precision():
        compiled = compile_ode(ode.modes(), target, digits + 5)

        def rates(_: Any, y: list[Any]) -> list[Any]:
            budget.spend()
            overlaps = target.array(state.unpack(np.array(y, dtype=object), like))
            return [midpoint(flint.arb(x)) for x in state.pack(compiled.rates(overlaps))]

        values = mp.odefun(rates, 0, list(state.pack(like)))(ALPHA)
    return state.unpack(np.array(values, dtype=object), like)[:, :2, :2]


def _agreed(q: Any, sharp: Any) -> float:
    with mp.workdps(100):
        worst = max(abs(a / b - 1) for a, b in zip(q.ravel(), sharp.q[-1].ravel(), strict=True))
        return float(-mp.log10(worst))
