"""Gradient flow under a learning rate that depends on alpha: eta = 1 in the time it amounts to.

Mathematics
    dc/dalpha = eta(alpha) f(c), so c(alpha) = c_1(tau(alpha)) with dc_1/dtau = f(c_1) and
    tau = int_0^alpha eta.

References
    `theory.schedules`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from theory.schedules import alpha

from .compile import Form
from .errors import IntegrationError
from .initial import InitialCondition
from .schedule import compile_schedule
from .storage import Array
from .trajectory import Trajectory

__all__ = ["constant_rate", "elapsed_times", "in_elapsed_time"]

DIGITS = 25


def constant_rate(form: Form) -> Form:
    """The same equations with eta = 1."""
    return type(form)(replace(form.ode, model=form.ode.model.replace(eta=1)))


def elapsed_times(eta: sp.Expr, times: Any) -> Array:
    """Tau at each of the increasing times (T,), by quadrature between them, float64."""
    function = sp.lambdify(alpha, eta, "mpmath")
    found, before = [], mp.mpf(0)
    with mp.workdps(DIGITS):
        total = mp.mpf(0)
        for time in (mp.mpf(float(t)) for t in times):
            total += mp.quad(function, [before, time]) if time > before else 0
            before = time
            found.append(float(total))
    return np.array(found)


def in_elapsed_time(
    form: Form, start: InitialCondition, times: Array, solve: Callable[..., Trajectory]
) -> Trajectory:
    """Integrate gradient flow with eta = 1 to the times tau(alpha).

    Parameters
    ----------
    solve : callable (equations, start, alpha, at=times) -> Trajectory

    Raises
    ------
    ValueError
        If eta is not positive at one of the times.
    IntegrationError
        As `solve`, what was reached at the times asked for.
    """
    eta = form.ode.model.eta
    compile_schedule(eta)(times)
    tau = elapsed_times(eta, times)
    try:
        path = solve(constant_rate(form), start, tau[-1], at=tau)
    except IntegrationError as stop:
        part = stop.trajectory
        reached = None if part is None else _at(part, form, times)
        raise IntegrationError(f"in the time tau = int eta: {stop}", reached) from None
    return _at(path, form, times)


def _at(path: Trajectory, form: Form, times: Array) -> Trajectory:
    """The same states at their times alpha."""
    notes = {"model": str(form.ode.model), "time": "integrated in tau = int eta dalpha"}
    return replace(path, alpha=times[: len(path.alpha)], provenance={**path.provenance, **notes})
