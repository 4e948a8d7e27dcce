"""Stiff spectra to their slowest mode: K = M = 2, beta = 1, eta = 1/10, alpha = 1/(eta lam_L)."""

from __future__ import annotations

from functools import partial
from typing import Any

from sympy import Rational

from numerics.taylor import TaylorIntegrator
from theory import PowerLaw, TeacherStudent

from .case import Case
from .clock import Budget
from .solvers import SOLVERS
from .table import Table

COLUMNS = ("L", "method", "rtol", "seconds", "times ours", "error")
ETA = Rational(1, 10)

SIZES = {True: (64,), False: (64, 256, 1024)}
BUDGETS = {True: 5.0, False: 60.0}
OURS, THEIRS = {64: 1e-4, 256: 1e-4, 1024: 1e-5}, 1e-8
"""Tolerances at which errors are below about 1e-6: ours bounds eps_g too, by sharper steps."""

OURS_SHARP, THEIRS_SHARP = 1e-6, 1e-11
"""The same for about 1e-8, for the fastest competitor."""

TRACED = 64
"""Up to so many modes a Taylor graph compiles in reasonable time."""


def stiff_case(L: int) -> Case:
    """The case at L modes."""
    spectrum = PowerLaw(beta=1, L=L)
    model = TeacherStudent(K=2, M=2, spectrum=spectrum, eta=ETA)
    return Case(model, Rational(1, 10), 16 * L, float(1 / (ETA * spectrum.eigenvalues[-1])))


def measure(quick: bool) -> Table:
    """Ours and theirs, with the time each took and the error it reached."""
    rows: list[tuple[Any, ...]] = []
    for L in SIZES[quick]:
        rows += _rows(stiff_case(L), L, Budget(BUDGETS[quick]))
    title = (
        "K = M = 2, erf, beta = 1, eta = 1/10, to alpha = 1/(eta lam_L), all modes; error: largest "
        "of any q_k, r_k at 101 times"
    )
    return Table(title, COLUMNS, rows)


def _rows(case: Case, L: int, budget: Budget) -> list[tuple[Any, ...]]:
    rtol = OURS[L]
    case.integrate(rtol=rtol)  # compiled before anything is timed
    ours = budget.run(lambda: case.integrate(rtol=rtol, method="structured"))
    error: float | None = case.error(case.flat(ours.value))
    rows: list[tuple[Any, ...]] = [(L, "specscale", rtol, ours.seconds, 1.0, error)]
    if L <= TRACED:
        rows.append(_taylor(case, L, ours.seconds))
    start = case.state.pack(case.overlaps)
    for name, solve in SOLVERS.items():
        rates = case.rates(budget)
        found = budget.run(partial(solve, rates, start, case.times, THEIRS, THEIRS * 0.1))
        ratio = found.seconds / ours.seconds
        over = found.value is None
        shown = f"> {ratio:.0f}" if over else ratio
        error = None if over else case.error(found.value)
        rows.append((L, name, THEIRS, found.shown, shown, error))
    return rows + _sharp_rows(case, L, budget)


def _sharp_rows(case: Case, L: int, budget: Budget) -> list[tuple[Any, ...]]:
    """Ours and CVODE with a thousandth of the errors."""
    name = "CVODE, BDF + GMRES"
    ours = budget.run(lambda: case.integrate(rtol=OURS_SHARP, method="structured"))
    start, rates = case.state.pack(case.overlaps), case.rates(budget)
    limits = THEIRS_SHARP, THEIRS_SHARP * 0.1
    found = budget.run(partial(SOLVERS[name], rates, start, case.times, *limits))
    over, ratio = found.value is None, found.seconds / ours.seconds
    ours_error = case.error(case.flat(ours.value))
    return [
        (L, "specscale, sharp", OURS_SHARP, ours.seconds, 1.0, ours_error),
        (
            L,
            f"{name}, sharp",
            THEIRS_SHARP,
            found.shown,
            f"> {ratio:.0f}" if over else ratio,
            None if over else case.error(found.value),
        ),
    ]


def _taylor(case: Case, L: int, ours: float) -> tuple[Any, ...]:
    """heyoka, its graph compiled before; it has no callback to stop it."""
    stepper = TaylorIntegrator(case.ode.modes(), case.overlaps, None, THEIRS)
    found = Budget(float("inf")).run(lambda: stepper.solve(case.overlaps, case.times))
    states = [case.state.pack(values) for values in found.value[0]]
    ratio = found.seconds / ours
    return L, "heyoka, Taylor", THEIRS, found.seconds, ratio, case.error(states)
