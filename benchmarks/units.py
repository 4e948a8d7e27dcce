"""Many units: isotropic data, eta = 1, K = 8, M = 4, to alpha = 1000."""

from __future__ import annotations

from functools import partial
from typing import Any

from theory import TeacherStudent

from .case import Case
from .clock import Budget
from .solvers import SOLVERS
from .table import Table

COLUMNS = ("method", "rtol", "seconds", "error")
OURS = {"runge-kutta": (1e-4, 1e-8), "structured": (1e-6, 1e-8)}
THEIRS = {"LSODA": 1e-11, "CVODE, BDF + GMRES": 1e-10, "DOP853": 1e-10}
"""Tolerances at which each reaches an error near 1e-8."""


def measure(quick: bool) -> Table:
    """Ours and theirs at errors near 1e-8."""
    case = Case(TeacherStudent(8, 4, eta=1), "1/10", 1000, 1000.0)
    rows: list[tuple[Any, ...]] = []
    budget = Budget(60.0)
    for method, tolerances in OURS.items():
        for rtol in tolerances[: 1 if quick else 2]:
            case.integrate(rtol=rtol, method=method)
            found = budget.run(partial(case.integrate, rtol=rtol, method=method))
            error: float | None = case.error(case.flat(found.value))
            rows.append((f"specscale, {method}", rtol, found.seconds, error))
    start = case.state.pack(case.overlaps)
    for name, rtol in THEIRS.items():
        rates = case.rates(budget)
        found = budget.run(partial(SOLVERS[name], rates, start, case.times, rtol, rtol))
        error = None if found.value is None else case.error(found.value)
        rows.append((name, rtol, found.shown, error))
    return Table("K = 8, M = 4, isotropic, eta = 1, to alpha = 1000", COLUMNS, rows)
