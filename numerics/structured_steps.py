"""The run of the structured Radau IIA method: step sizes, orders, output.

Summary
    The error of a step is measured in three ways, each relative: every entry of r and of q; the
    macroscopic overlaps, so that modes of large weight stay accurate when only slow modes are
    left; and eps_g, until rounding takes over. Step and order follow from it.

References
    Hairer & Wanner, Solving Ordinary Differential Equations II (1996), IV.8; Hairer & Wanner,
    J. Comput. Appl. Math. 111, 93 (1999) (variable order).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .borrowed import borrowed
from .radau import Radau
from .structured_blocks import (
    Modes,
    add,
    decay,
    drift,
    jit,
    largest,
    mix,
    rotate,
    sums,
    write_overlaps,
)
from .structured_linear import (
    Coupling,
    Poles,
    couple,
    differentiate,
    factor,
    rotate_drift,
    similar,
    unpack,
)
from .structured_newton import ITERATIONS, Work, at_time, estimate, measure, newton, predict

__all__ = ["MOST", "Accuracy", "Output", "run"]

EPS = 2.3e-16

TINY, HUGE = 1e-280, 1e120
"""Sizes of states whose square roots and squares are still numbers."""

SHORTEST = 1e-60
"""Steps below this are given up, or below rounding of the time."""

MOST = 200_000
"""A run of more steps than this is given up: thousands are many."""


class Accuracy(NamedTuple):
    """What a step may cost in accuracy, and the methods it may use.

    Attributes
    ----------
    tolerance : float
    floor : float
        Size below which entries need no relative accuracy: 1, or 0 for deviation variables.
    low, high : int
        Positions of the lowest and the highest order among the methods.
    step : float
        Size of all steps, whatever their error; 0 to choose them.
    """

    tolerance: float
    floor: float
    low: int
    high: int
    step: float


class Output(NamedTuple):
    """Where results go.

    Attributes
    ----------
    times : (T,)
    slots : (T,) integers
        Position in `states` at which the modes of an output time are kept, or -1.
    covariances : (T, K+M, K+M)
    states : (., L, K+M, K+M)
        Overlaps of the modes.
    counters : (4,) integers
        Steps, rejected steps, evaluations of D and G, factorisations.
    steps : (methods,) integers
        Steps per order.
    sizes : (2,)
        Smallest and largest step.
    """

    times: Any
    slots: Any
    covariances: Any
    states: Any
    counters: Any
    steps: Any
    sizes: Any


@jit
def run(
    coefficients: Any, error: Any, modes: Modes, methods: Any, accuracy: Accuracy,
    jac: Coupling, poles: Poles, work: Work, x: Any, out: Output,
) -> tuple[float, int]:  # fmt: skip
    """Fill `out`, leave the last state in x; the time reached and the number of times done."""
    return _run(
        coefficients, error, borrowed(modes), borrowed(methods), accuracy, borrowed(jac),
        borrowed(poles), borrowed(work), borrowed(x), borrowed(out),
    )  # fmt: skip


@jit
def _run(
    coefficients: Any, error: Any, modes: Modes, methods: Any, accuracy: Accuracy,
    jac: Coupling, poles: Poles, work: Work, x: Any, out: Output,
) -> tuple[float, int]:  # fmt: skip
    now, previous, trust, renew = 0.0, 0.0, 1.0, True
    order = used = accuracy.low
    C, D, G = _begin(coefficients, error, modes, accuracy, jac, work, x)
    done = _write(modes, methods[order], jac, work, x, out, 0, 0.0, 0.0)
    h = _first_step(modes, jac, work, accuracy)
    while done < out.times.size:
        left, method = out.times[-1] - now, methods[order]
        h = left if left < 1.001 * h else h
        if renew:
            differentiate(coefficients, modes, C, D, G, jac)
            out.counters[2] += jac.units.size
        predict(modes, method, methods[used], jac, work, h, previous)
        size, iterations, trust = _attempt(
            coefficients, modes, method, accuracy, jac, poles, work, h, trust
        )
        out.counters[2] += iterations * method.nodes.size + 1
        out.counters[3] += 1
        if not size <= 1:
            out.counters[1] += 1
            if np.isfinite(size):
                h *= max(0.2, 0.9 * size ** (-1 / (method.nodes.size + 1)))
            elif renew:
                h *= 0.4
            renew = True
            if h < 1e-14 * now or h < SHORTEST or accuracy.step > 0:
                break
            continue
        done = _write(modes, method, jac, work, x, out, done, now, h)
        _accept(modes, method, jac, work, x)
        now = out.times[-1] if h >= out.times[-1] - now else now + h
        _count(out, order, h)
        previous, used = h, order
        order, growth = _choose(modes, methods, accuracy, jac, work, order, max(size, 1e-12))
        C, D, G = _begin(coefficients, error, modes, accuracy, jac, work, x)
        safety = 0.9 * (2 * ITERATIONS + 1) / (2 * ITERATIONS + iterations)
        h = accuracy.step if accuracy.step > 0 else h * min(8.0, safety * growth)
        renew = trust > 1e-2 or accuracy.step > 0
        if not np.max(work.limits) < HUGE or np.sum(out.counters[:2]) >= MOST:
            break
    return now, done


@jit
def _attempt(
    coefficients: Any, modes: Modes, method: Radau, accuracy: Accuracy, jac: Coupling,
    poles: Poles, work: Work, h: float, trust: float,
) -> tuple[float, int, float]:  # fmt: skip
    """Solve the stage equations of a step h: its error, infinite if they do not converge.

    Also the number of iterations, and how far their contraction is to be trusted next.
    """
    couple(modes, jac)
    factor(modes, jac, method, h, work.state, poles)
    goal = max(50 * EPS / accuracy.tolerance, 1e-2)
    # A contraction is not expected to be as good again.
    trust = max(trust, 1e-4) ** 0.8
    iterations, trust = newton(coefficients, modes, method, jac, poles, work, h, goal, trust)
    size = estimate(modes, method, jac, poles, work, h) if iterations > 0 else np.inf
    if accuracy.step > 0 and np.isfinite(size):
        size = 1.0
    return size, abs(iterations), trust


@jit
def _choose(
    modes: Modes, methods: Any, accuracy: Accuracy, jac: Coupling, work: Work, order: int,
    size: float,
) -> tuple[int, float]:  # fmt: skip
    """The order of least predicted work for its step, and how much longer that step may be.

    Over a step the solution changes by `moved`, and its Taylor terms fall geometrically from
    there to the error `size` of order s + 1; other orders meet the same series earlier or later.
    The work of a step grows like s^(4/3) (measured; iterations are longer, and more of them).
    """
    s = methods[order].nodes.size
    packed = np.zeros_like(work.start)
    for c in range(s):
        packed += methods[order].back[s - 1, c] * work.overlaps[c]
    moved = max(measure(modes, jac, work.limits, 0.0, 0.0, packed), size)
    ratio = (moved / size) ** (1 / (s + 1))
    best, growth, gain = order, size ** (-1 / (s + 1)), 1.1
    for other in range(max(accuracy.low, order - 1), min(accuracy.high, order + 1) + 1):
        stages = methods[other].nodes.size
        longer = ratio * moved ** (-1 / (stages + 1))
        better = longer / size ** (-1 / (s + 1)) * (s / stages) ** (4 / 3)
        if other != order and better > gain:
            best, growth, gain = other, longer, better
    return best, growth


@jit
def _count(out: Output, order: int, h: float) -> None:
    out.counters[0] += 1
    out.steps[order] += 1
    out.sizes[0], out.sizes[1] = min(out.sizes[0], h), max(out.sizes[1], h)


@jit
def _begin(
    coefficients: Any, error: Any, modes: Modes, accuracy: Accuracy, jac: Coupling, work: Work,
    x: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Linearise at x, turn it into the eigenbasis, set the limits of errors; C, D, G at x."""
    K, M = modes.K, modes.M
    C, D, G = np.empty((K + M, K + M)), np.zeros((K, K + M)), np.zeros((K, K))
    work.start[:] = 0
    for b in range(x.shape[0]):
        sums(modes.wl[b], x[b], work.start)
    unpack(modes, work.start, np.eye(K), C)
    coefficients(K, M, modes.noise, modes.weights, C, D, G)
    values, vectors = np.linalg.eigh(np.ascontiguousarray(D[:, :K]))
    jac.values[:] = values
    jac.vectors[:] = vectors
    jac.transposed[:] = vectors.T
    rotate_drift(jac.vectors, D, jac.drift)
    similar(jac.vectors, G, jac.noise)
    jac.pull[:] = jac.drift[:, K:]
    spread = _turn(modes, jac, work, x)
    level = error(K, M, modes.weights, C)
    _set_limits(modes, accuracy, C, D, level, spread, jac, work)
    return C, D, G


@jit
def _turn(modes: Modes, jac: Coupling, work: Work, x: Any) -> Any:
    """State and slope in the eigenbasis, their overlaps and peaks; sums of wl |x| per row."""
    split = modes.K * modes.M * modes.el.shape[1]
    spread = np.zeros_like(work.start)
    work.start[:] = 0
    work.peaks[:] = 0
    for b in range(x.shape[0]):
        state, slope = work.state[b], work.slope[b]
        rotate(modes, jac.vectors, x[b], state, work.half)
        drift(modes, b, jac.drift, jac.noise, state, slope, work.half)
        decay(modes, state, slope)
        sums(modes.wl[b], state, work.start)
        for c, rows in enumerate((state, slope)):
            work.peaks[c, 0] = largest(rows[:split], work.peaks[c, 0])
            work.peaks[c, 1] = largest(rows[split:], work.peaks[c, 1])
        work.point[:] = np.abs(state)
        sums(modes.wl[b], work.point, spread)
    return spread


@jit
def _set_limits(
    modes: Modes, accuracy: Accuracy, C: Any, D: Any, level: float, spread: Any, jac: Coupling,
    work: Work,
) -> None:  # fmt: skip
    """Errors allowed in entries r and q, overlaps R and Q, and eps_g; units of the couplings."""
    K, M, floor, tolerance = modes.K, modes.M, accuracy.floor, accuracy.tolerance
    peaks = work.peaks.view(np.float64)
    own, other = np.max(np.diag(C)[:K]), np.max(np.diag(C)[K:])
    r, q = peaks[0, 0], peaks[0, 1]
    # What is exactly zero is as large as it soon will be; |r_in| <= sqrt(q_ii t_nn).
    q = q if q > 0 else max(peaks[1, 1] * _pause(modes, D), TINY)
    # In ordinary variables a student that does not know the teacher at all may start at zero.
    own = max(own if own > 0 else q, 1e-6 * floor)
    r = r if r > 0 else np.sqrt(q * other)
    if floor > 0:
        r = q = max(floor, r, q)
    R, Q = max(np.max(spread[: K * M]), np.sqrt(own * other)), max(np.max(spread[K * M :]), own)
    rounding = np.sum(np.abs(D) * np.abs(C[:K]))
    error = abs(level) + 1e-13 / tolerance * rounding
    error = error if error > 0 else np.max(np.abs(D)) * Q
    for position, size in enumerate((r, q, R, Q, error)):
        work.limits[position] = tolerance * size
    own = max(own, 1e-3 * floor)
    jac.units[: K * M] = np.sqrt(own)
    jac.units[K * M :] = own


@jit
def _pause(modes: Modes, D: Any) -> float:
    """A time in which little happens to any mode."""
    return 1e-2 / max(np.max(modes.el) * np.max(np.abs(D)), 1e-12)


@jit
def _first_step(modes: Modes, jac: Coupling, work: Work, accuracy: Accuracy) -> float:
    """A time in which little happens to the state."""
    if accuracy.step > 0:
        return accuracy.step
    peaks, h = work.peaks.view(np.float64), _pause(modes, jac.drift)
    for block in range(2):
        change = peaks[1, block] * accuracy.tolerance
        if work.limits[block] < change * h * 100:
            h = 1e-2 * work.limits[block] / change
    return h


@jit
def _write(
    modes: Modes, method: Radau, jac: Coupling, work: Work, x: Any, out: Output, done: int,
    now: float, h: float,
) -> int:  # fmt: skip
    """Values at the times inside the step by the collocation polynomial; how many are done."""
    end = out.times[-1] if h >= out.times[-1] - now else now + h
    change = np.empty_like(work.point)
    while done < out.times.size and out.times[done] <= end:
        weights = at_time(method, (out.times[done] - now) / h if h > 0 else 0.0)
        packed = work.start.copy()
        for c in range(weights.size):
            packed += weights[c] * work.overlaps[c]
        unpack(modes, packed, jac.transposed, out.covariances[done])
        if out.slots[done] >= 0:
            for b in range(x.shape[0]):
                mix(weights, work.stages[b], work.point)
                rotate(modes, jac.transposed, work.point, change, work.half)
                add(1.0, x[b], change)
                write_overlaps(modes, b, change, out.states[out.slots[done]])
        done += 1
    return done


@jit
def _accept(modes: Modes, method: Radau, jac: Coupling, work: Work, x: Any) -> None:
    """Make the step; remember its polynomial and its eigenbasis."""
    change, weights = np.empty_like(work.point), method.back[method.nodes.size - 1]
    work.basis[:] = jac.vectors
    for b in range(x.shape[0]):
        mix(weights, work.stages[b], work.point)
        rotate(modes, jac.transposed, work.point, change, work.half)
        add(1.0, change, x[b])
        work.last[b] = work.stages[b]
