"""Explicit Runge-Kutta of order 8 in float64, for systems too large to trace as a graph.

Summary
    Natural steps of Dormand and Prince's pair 8(5, 3); output times are read off the polynomial of
    degree 9 through the values and slopes of the five nearest steps, which costs no evaluation and
    is as accurate as the steps (isotropic K = 8, M = 4: 4e-9 where the steps have 3e-9, the pair's
    own dense output 1e-7, with three more evaluations a step). The error of every single entry is
    bounded: behind a norm one fast mode among many slow ones would hide.

References
    Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I (1993), II.4-II.6, II.10.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from scipy.integrate import DOP853

from .errors import Stopped

__all__ = ["integrate_explicit", "runge_kutta_step"]

ORDER = 8
NODES = 5
"""Steps whose values and slopes determine the interpolating polynomial."""

GROWTH, SHRINK, SAFETY = 2.5, 0.2, 0.95
"""Bounds of the change of a step (nodes that cluster interpolate badly), and its reserve."""

PROPORTIONAL, INTEGRAL = 0.04, 1 / ORDER - 0.03
"""Exponents of the control by two errors: steps at the edge of stability do not oscillate."""

LEAST_RTOL, LEAST_ATOL = 3e-14, 1e-16
"""Sharper tolerances would resolve rounding."""

_STAGES = DOP853.n_stages
_A, _B, _C = (np.ascontiguousarray(x) for x in (DOP853.A, DOP853.B, DOP853.C))
_E3, _E5 = (np.ascontiguousarray(x) for x in (DOP853.E3, DOP853.E5))

Array = np.ndarray[Any, Any]
Rates = Callable[[float, Any], Any]


class _Node(NamedTuple):
    """The end of a step: time, state and slope."""

    time: float
    state: Array
    slope: Array


def integrate_explicit(
    rates: Rates, start: Any, times: Any, rtol: float, atol: float
) -> tuple[Any, str]:
    """States at `times`, shape (T, n), of dy/dalpha = rates(alpha, y); and how they were found.

    Parameters
    ----------
    rates : callable (alpha, y) -> dy/dalpha
    start : array (n,)
        y at alpha = 0.
    times : array (T,)
        Increasing, from 0 on.
    rtol, atol : float
        Tolerances of the local error of every single entry.

    Raises
    ------
    Stopped
        If the step size underflows, as it does where the solution ends; with the states reached.
    """
    times = np.asarray(times, dtype=float)
    steps = _Steps(rates, max(rtol, LEAST_RTOL), max(atol, LEAST_ATOL))
    rows: list[Array] = []
    window: deque[_Node] = deque(maxlen=NODES)
    try:
        for node in steps.until(float(times[-1]), np.array(start, dtype=float)):
            window.append(node)
            if len(window) == NODES:
                _read(window, times, rows, window[NODES // 2].time)
    except Stopped as stop:
        _read(window, times, rows, window[-1].time)
        raise Stopped(str(stop), np.array(rows)) from None
    _read(window, times, rows, window[-1].time)
    return np.array(rows), (
        f"Runge-Kutta of order {ORDER} (DOP853), rtol {steps.rtol:.1e}, {steps.accepted} steps "
        f"({steps.rejected} rejected), {steps.evaluations} evaluations"
    )


@dataclass
class _Steps:
    """Steps as long as the tolerances allow, counted."""

    rates: Rates
    rtol: float
    atol: float
    accepted: int = 0
    rejected: int = 0

    @property
    def evaluations(self) -> int:
        return 1 + _STAGES * (self.accepted + self.rejected)

    def until(self, end: float, y: Array) -> Iterator[_Node]:
        """The start and the ends of the steps from 0 to `end`.

        Raises
        ------
        Stopped
            If no step however small is accurate enough.
        """
        time, before, slopes = 0.0, 1.0, np.empty((_STAGES + 1, y.size))
        # Overflow on the way to divergence is reported below, with the time it happened.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            slopes[0] = self.rates(time, y)
            longest = end / (2 * NODES)
            h = min(longest, _first_step(y, slopes[0], self.rtol, self.atol))
            yield _Node(time, y, slopes[0].copy())
            while time < end:
                # Two halves rather than a whole and a crumb: nodes that cluster interpolate badly.
                left = end - time
                h = left if left <= h else left / 2 if left < 2 * h else h
                if not h > max(8 * math.ulp(time), 1e-20 * end):
                    raise Stopped(_why(time, end, y), ())
                new = runge_kutta_step(self.rates, time, y, h, slopes)
                size = _error(y, new, h, slopes, self.rtol, self.atol)
                if size <= 1:
                    self.accepted += 1
                    slopes[0] = slopes[_STAGES]
                    time, y = (end if h == left else time + h), new
                    yield _Node(time, y, slopes[0].copy())
                    h *= _factor(size, before, GROWTH)
                    before = size
                else:
                    self.rejected += 1
                    h *= _factor(size, before, 1.0)
                h = min(h, longest)


def _factor(size: float, before: float, most: float) -> float:
    """Change of the step length after an error of this size, the last accepted one `before`."""
    if not size < math.inf:  # an error that is no number is no guide
        return SHRINK
    reserve = SAFETY * max(before, 1e-4) ** PROPORTIONAL
    return min(most, max(SHRINK, reserve / max(size, 1e-30) ** INTEGRAL))


def _why(time: float, end: float, y: Array) -> str:
    return (
        f"the integration stopped at alpha = {time:.6g} before {end:.6g}: no step however small is "
        f"accurate enough; the order parameters have grown to {np.max(np.abs(y)):.3g}, eta is "
        "probably above stability, try a smaller one"
    )


def runge_kutta_step(rates: Rates, time: float, y: Array, h: float, slopes: Array) -> Array:
    """The state after one step of length `h`, of order 8.

    Parameters
    ----------
    slopes : (13, n)
        Row 0 holds rates(time, y); the others are overwritten, the last by the new slope.
    """
    for stage in range(1, _STAGES):
        slopes[stage] = rates(time + _C[stage] * h, _combined(y, h, _A[stage, :stage], slopes))
    new = _combined(y, h, _B, slopes)
    slopes[_STAGES] = rates(time + h, new)
    return new


def _first_step(y: Array, slope: Array, rtol: float, atol: float) -> float:
    """A hundredth of the time in which y changes by itself, in units of the tolerances."""
    scale = atol + rtol * np.abs(y)
    change = float(np.max(np.abs(slope) / scale))
    return 0.01 * max(1.0, float(np.max(np.abs(y) / scale))) / change if change > 0 else math.inf


@njit(cache=True, error_model="numpy")
def _combined(y: Array, h: float, weights: Array, slopes: Array) -> Array:
    """Return y + h sum_s weights_s slopes_s."""
    out = np.zeros_like(y)
    for stage in range(len(weights)):
        weight = weights[stage]
        if weight != 0.0:
            row = slopes[stage]
            for n in range(len(y)):
                out[n] += weight * row[n]
    for n in range(len(y)):
        out[n] = y[n] + h * out[n]
    return out


@njit(cache=True, error_model="numpy")
def _error(y: Array, new: Array, h: float, slopes: Array, rtol: float, atol: float) -> float:
    """Largest error of an entry in units of its tolerance, by orders 5 and 3 together.

    Infinite where it is no number.
    """
    fifth, third = 0.0, 0.0
    for n in range(len(y)):
        five, three = 0.0, 0.0
        for stage in range(len(slopes)):
            five += _E5[stage] * slopes[stage, n]
            three += _E3[stage] * slopes[stage, n]
        if not math.isfinite(five + three + new[n]):
            return math.inf
        scale = atol + rtol * max(abs(y[n]), abs(new[n]))
        fifth, third = max(fifth, abs(five) / scale), max(third, abs(three) / scale)
    return h * fifth * fifth / math.hypot(fifth, 0.1 * third) if fifth > 0.0 else 0.0


def _read(window: deque[_Node], times: Array, rows: list[Array], until: float) -> None:
    """Append the states at the output times up to `until` to `rows`."""
    nodes, states, slopes = np.array([n.time for n in window]), None, None
    while len(rows) < len(times) and times[len(rows)] <= until:
        time = float(times[len(rows)])
        hits = [n.state for n in window if n.time == time]
        if hits:
            rows.append(hits[0].copy())
            continue
        if states is None:
            states = np.array([n.state for n in window])
            slopes = np.array([n.slope for n in window])
        rows.append(_hermite(nodes, states, slopes, time))


@njit(cache=True)
def _hermite(nodes: Array, states: Array, slopes: Array, time: float) -> Array:
    """Value at `time` of the polynomial with these states and slopes (P, n) at the nodes (P,).

    Newton's divided differences with every node twice.
    """
    points = len(nodes)
    table = np.empty((2 * points, states.shape[1]))
    table[::2], table[1::2] = states, states
    for order in range(1, 2 * points):
        for p in range(2 * points - 1, order - 1, -1):
            gap = nodes[p // 2] - nodes[(p - order) // 2]
            if gap == 0.0:
                table[p] = slopes[p // 2]
            else:
                table[p] = (table[p] - table[p - 1]) / gap
    value = table[2 * points - 1].copy()
    for p in range(2 * points - 2, -1, -1):
        value = value * (time - nodes[p // 2]) + table[p]
    return value
