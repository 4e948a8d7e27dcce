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
from .errors import Stopped
from .state import State
from .targets import HeyokaTarget

__all__ = ["TaylorIntegrator"]


class TaylorIntegrator:
    """The Taylor method for one system: traced and compiled once, then used from any state.

    Parameters
    ----------
    form : ModeForm or MomentForm
    like : array (L, K+M, K+M)
        Overlaps, in the variables of `form`, whose teacher block is that of every start.
    digits : int or None
        Working precision in decimal digits; None for double precision.
    tolerance : float
        Local error of a step relative to the largest order parameter (double precision only; in
        high precision it is the working precision).
    """

    def __init__(self, form: Form, like: Any, digits: int | None, tolerance: float) -> None:
        self._digits = digits
        self._target = HeyokaTarget(digits)
        compiled = compile_ode(form, self._target, digits or 17)
        self._state = State(*compiled.sizes)
        variables = [hy.make_vars(name) for name in self._state.names]
        overlaps = self._state.unpack(variables, self._target.array(like))
        right = self._state.pack(compiled.rates(overlaps))
        kind = {"fp_type": hy.real, "prec": self._target.bits} if digits else {"tol": tolerance}
        self._stepper = hy.taylor_adaptive(
            list(zip(variables, right, strict=True)), self._numbers(like), compact_mode=True, **kind
        )

    def solve(self, start: Any, times: Any) -> tuple[Any, str]:
        """Overlaps at `times`, shape (T, L, K+M, K+M), and a line on how they were obtained.

        Parameters
        ----------
        start : array (L, K+M, K+M)
            Overlaps at alpha = 0, in the variables of the form.
        times : array (T,)

        Raises
        ------
        Stopped
            If the solution leaves the finite numbers.
        """
        rows, steps, stopped = self._propagate(self._numbers(start), times)
        like = np.asarray(start, dtype=object)
        values = np.array([self._state.unpack(row, like) for row in rows]).reshape(-1, *like.shape)
        values = values if self._digits else values.astype(float)
        if stopped:
            raise Stopped(stopped, values)
        precision = f"{self._digits} digits" if self._digits else "double precision"
        return values, (
            f"Taylor series of order {self._stepper.order} (heyoka), {precision}, {steps} steps"
        )

    def _numbers(self, overlaps: Any) -> list[Any]:
        return [self._target.constant(v) for v in self._state.pack(overlaps)]

    def _propagate(self, state: list[Any], times: Any) -> tuple[list[Any], int, str]:
        """States at `times`, the number of steps, and why they end early ("" if they do not)."""
        stepper, grid = self._stepper, [self._target.constant(float(t)) for t in times]
        stepper.time = self._target.constant(0.0)
        stepper.state[:] = state
        at_start = [state] if times[0] == 0 else []
        later = grid[len(at_start) :]
        steps, rows, stopped = 0, np.empty((0, len(state)), dtype=object), ""
        if later:
            # heyoka's grid starts at the current time.
            outcome, _, _, steps, _, states = stepper.propagate_grid(
                np.array([stepper.time, *later])
            )
            rows = np.asarray(states, dtype=object)[1:]
            if outcome != hy.taylor_outcome.time_limit:
                stopped = _stopped(stepper, outcome, times[-1])
                rows = np.array([row for row in rows if np.all(np.isfinite(row.astype(float)))])
        return [self._plain(row) for row in [*at_start, *rows]], steps, stopped

    def _plain(self, row: Any) -> list[Any]:
        """The numbers of a state as floats, or as mpf."""
        if self._digits is None:
            return [float(x) for x in row]
        with mp.workprec(self._target.bits):
            return [mp.mpf(str(x)) for x in row]


def _stopped(stepper: Any, outcome: Any, end: float) -> str:
    sizes = [abs(float(x)) for x in stepper.state]
    grown = f"{max(sizes):.3g}" if np.all(np.isfinite(sizes)) else "beyond the range of numbers"
    return (
        f"the Taylor integration stopped at alpha = {float(stepper.time):.6g} of {end:.6g} "
        f"({str(outcome).split('.')[-1]}): the order parameters have grown to {grown}; eta is "
        "probably above stability, try a smaller one"
    )
