"""Adaptive Taylor series method, double or any precision, through heyoka.

Summary
    The right-hand side is traced into a graph of elementary operations and integrated with Taylor
    series of a degree that the tolerance sets; the series of each step is its dense output, so
    values at requested times are as accurate as the steps.

References
    Jorba & Zou, Exp. Math. 14, 99 (2005); Biscani & Izzo, MNRAS 504, 2614 (2021) (heyoka).
"""

from __future__ import annotations

from typing import Any

import heyoka as hy
import mpmath as mp
import numpy as np

from .compile import Form, compile_ode
from .errors import IntegrationError
from .state import State
from .targets import HeyokaTarget

__all__ = ["integrate_taylor"]


def integrate_taylor(
    form: Form, start: Any, times: Any, digits: int | None, tolerance: float
) -> tuple[Any, str]:
    """Overlaps at `times`, shape (T, L, K+M, K+M), and a line on how they were obtained.

    Parameters
    ----------
    form : ModeForm or MomentForm
    start : array (L, K+M, K+M)
        Overlaps at alpha = 0, in the variables of `form`.
    times : array (T,)
    digits : int or None
        Working precision in decimal digits; None for double precision.
    tolerance : float
        Local error of a step relative to the largest order parameter (double precision only; in
        high precision it is the working precision).

    Raises
    ------
    IntegrationError
        If the solution leaves the finite numbers.
    """
    target = HeyokaTarget(digits)
    compiled = compile_ode(form, target, digits or 17)
    state = State(*compiled.sizes)
    variables = [hy.make_vars(name) for name in state.names]
    overlaps = state.unpack(variables, target.array(start))
    right = state.pack(compiled.rates(overlaps))
    initial = [target.constant(v) for v in state.pack(start)]
    kind = {} if target.bits is None else {"fp_type": hy.real, "prec": target.bits}
    if target.bits is None:
        kind["tol"] = tolerance
    stepper = hy.taylor_adaptive(
        list(zip(variables, right, strict=True)), initial, compact_mode=True, **kind
    )
    values, steps = _propagate(stepper, target, times)
    result = np.array([state.unpack(row, np.asarray(start, dtype=object)) for row in values])
    precision = "double precision" if target.bits is None else f"{digits} digits"
    how = f"Taylor series of order {stepper.order} (heyoka), {precision}, {steps} steps"
    return (result.astype(float) if target.bits is None else result), how


def _propagate(stepper: Any, target: HeyokaTarget, times: Any) -> tuple[list[list[Any]], int]:
    """States at `times` as rows of floats or mpf, and the number of steps."""
    grid = [target.constant(float(t)) for t in times]
    before = np.array([list(stepper.state)], dtype=object)
    steps, rows = 0, before
    if len(grid) > 1 or times[0] > 0:
        later = grid if times[0] > 0 else grid[1:]
        outcome, _, _, steps, _, states = stepper.propagate_grid(np.array([stepper.time, *later]))
        if outcome != hy.taylor_outcome.time_limit:
            raise IntegrationError(_stopped(stepper, outcome, times[-1]))
        rows = np.asarray(states, dtype=object)
        rows = rows[1:] if times[0] > 0 else rows
    if target.bits is None:
        return [[float(x) for x in row] for row in rows], steps
    with mp.workprec(target.bits):
        return [[mp.mpf(str(x)) for x in row] for row in rows], steps


def _stopped(stepper: Any, outcome: Any, end: float) -> str:
    sizes = [abs(float(x)) for x in stepper.state]
    grown = f"{max(sizes):.3g}" if np.all(np.isfinite(sizes)) else "beyond the range of numbers"
    return (
        f"the Taylor integration stopped at alpha = {float(stepper.time):.6g} of {end:.6g} "
        f"({str(outcome).split('.')[-1]}): the order parameters have grown to {grown}; eta is "
        "probably above stability, try a smaller one"
    )
