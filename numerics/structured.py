"""Radau IIA of order 13 for many modes: stiff, adaptive, at a cost per step linear in L.

Summary
    The rates of the modes spread over lam_1/lam_L = L^(1+beta), so explicit steps are limited by
    the fastest mode long after it has relaxed. A high-order implicit method is not, and its stage
    equations are solved at the price of a few right-hand sides (`numerics.structured_modes`). The
    collocation polynomial gives values at any time, as accurate as the steps.

Method
    Radau IIA with 7 stages; simplified Newton iteration started from the last step's polynomial;
    embedded error estimate of order 7, largest entry of the state, filtered through the Newton
    matrix; the step follows from it.

References
    Hairer & Wanner, Solving Ordinary Differential Equations II (1996), IV.8 (RADAU5 and its
    variable-order successors).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import cfunc, njit

from theory.forms import ModeForm

from .compile import CompiledODE, compile_ode
from .errors import IntegrationError
from .radau import Radau, radau
from .structured_modes import Coupling, Modes, factor, linearise, rates, rotate, solve
from .targets import NumbaTarget

__all__ = ["integrate_structured"]

STAGES = 7
NEWTON_STEPS = 12

jit = njit(cache=True, error_model="numpy")


def integrate_structured(
    form: ModeForm, start: Any, times: Any, tolerance: float
) -> tuple[Any, str]:
    """Overlaps at `times`, shape (T, L, K+M, K+M), and a line on how they were obtained.

    Parameters
    ----------
    form : ModeForm
        Of an activation with closed-form averages.
    start : array (L, K+M, K+M)
        Overlaps at alpha = 0.
    times : array (T,)
        Increasing, from 0 on.
    tolerance : float
        Local error of a step for every entry of q and r, relative to the largest once that
        exceeds one.

    Raises
    ------
    IntegrationError
        If the solution leaves the finite numbers or the step size underflows.
    """
    compiled = compile_ode(form, NumbaTarget())
    modes = _modes(compiled, np.asarray(start, dtype=float))
    state = _rows(modes, np.asarray(start, dtype=float))
    values = np.empty((len(times), *state.shape))
    statistics = np.zeros(3, dtype=np.int64)
    method = radau(STAGES)
    reached = _integrate(
        _pointer(compiled.functions["coefficients"]), modes, method, _workspace(modes, method),
        state, np.asarray(times, dtype=float), tolerance, values, statistics,
    )  # fmt: skip
    if reached < times[-1]:
        raise IntegrationError(
            f"the integration stopped at alpha = {reached:.6g} of {times[-1]:.6g}: no step however "
            f"small converges; the order parameters have grown to {np.max(np.abs(state)):.3g}, eta "
            "is probably above stability, try a smaller one"
        )
    steps, rejected, evaluations = statistics
    how = (
        f"Radau IIA of order {2 * STAGES - 1}, structured, tolerance {tolerance:.1e}, {steps} "
        f"steps ({rejected} rejected), {evaluations} evaluations"
    )
    return np.array([_overlaps(modes, rows, start) for rows in values]), how


def _pointer(coefficients: Any) -> Any:
    """The compiled coefficients as a C function: one type for all activations.

    The loops of this file then have one signature, are compiled once, and are read from numba's
    cache in later runs.
    """
    signature = f"void(int64, int64, float64, float64[::1], {', '.join(['float64[:, ::1]'] * 3)})"
    return cfunc(signature, error_model="numpy", cache=True)(coefficients.py_func)


def _modes(compiled: CompiledODE, start: Any) -> Modes:
    (K, M, _), numbers = compiled.sizes, compiled.constants
    wl = numbers["w"] * numbers["lam"]
    fixed = np.zeros((K + M, K + M))
    fixed[K:, K:] = np.einsum("k,kmn->mn", wl, start[:, K:, K:])
    return Modes(
        K, M, numbers["s"], numbers["label_noise"], numbers["eta"],
        numbers["eta"] * numbers["weight_decay"], numbers["eta"] * numbers["lam"], wl,
        np.ascontiguousarray(np.moveaxis(start[:, K:, K:], 0, -1)), fixed,
    )  # fmt: skip


def _rows(modes: Modes, overlaps: Any) -> Any:
    """State of contiguous rows over the modes: r_in, then all q_ij."""
    K, M = modes.K, modes.M
    blocks = overlaps[:, :K, K:].reshape(-1, K * M), overlaps[:, :K, :K].reshape(-1, K * K)
    return np.ascontiguousarray(np.concatenate(blocks, axis=1).T)


def _overlaps(modes: Modes, rows: Any, like: Any) -> Any:
    K, M = modes.K, modes.M
    overlaps = np.array(like, dtype=float)
    r = rows[: K * M].T.reshape(-1, K, M)
    overlaps[:, :K, K:], overlaps[:, K:, :K] = r, np.swapaxes(r, 1, 2)
    overlaps[:, :K, :K] = rows[K * M :].T.reshape(-1, K, K)
    return overlaps


class Workspace(NamedTuple):
    """Arrays that every step overwrites: R rows, L modes, s stages, p couplings.

    Attributes
    ----------
    C, D, G : covariance, drift and noise
    jac : Coupling
    real_inverse, complex_inverses : (p, p), ((s-1)/2, p, p) complex
    stages, slopes, changes, last : (s, R, L)
        Stage increments, right-hand sides, Newton corrections, increments of the last step.
    slope, point, row, spare : (R, L)
    complex_row, complex_spare : (R, L) complex
    """

    C: Any
    D: Any
    G: Any
    jac: Coupling
    real_inverse: Any
    complex_inverses: Any
    stages: Any
    slopes: Any
    changes: Any
    last: Any
    slope: Any
    point: Any
    row: Any
    spare: Any
    complex_row: Any
    complex_spare: Any


def _workspace(modes: Modes, method: Radau) -> Workspace:
    K, M, L, s = modes.K, modes.M, modes.el.size, method.nodes.size
    rows, size = K * M + K * K, K * M + K * (K + 1) // 2
    jac = Coupling(
        np.zeros(K), np.zeros((K, K)), np.zeros((K, K)), np.zeros((K, M)),
        np.zeros((size, K, K + M)), np.zeros((size, K, K)), np.zeros((rows, L)),
    )  # fmt: skip
    return Workspace(
        np.zeros((K + M, K + M)), np.zeros((K, K + M)), np.zeros((K, K)), jac,
        np.zeros((size, size)), np.zeros((method.poles.size, size, size), dtype=complex),
        *(np.zeros((s, rows, L)) for _ in range(4)),
        *(np.zeros((rows, L)) for _ in range(4)),
        *(np.zeros((rows, L), dtype=complex) for _ in range(2)),
    )  # fmt: skip


@jit
def _integrate(
    coefficients: Any, modes: Modes, method: Radau, work: Workspace, x: Any, times: Any,
    tolerance: float, values: Any, statistics: Any,
) -> float:  # fmt: skip
    """Fill `values` at `times`, leave the last state in x, return the time reached."""
    now, done = 0.0, 0
    while done < times.size and times[done] <= 0:
        values[done] = x
        done += 1
    rates(coefficients, modes, x, work.C, work.D, work.G, work.slope)
    h = 1e-2 / max(_largest(work.slope), 1e-12)
    known, factored, previous = False, 0.0, 0.0
    while done < times.size:
        h = min(h, times[-1] - now)
        if not known:
            linearise(coefficients, modes, x, work.jac)
            known, factored = True, 0.0
        if factored != h:
            _factor(modes, method, work, h)
            factored = h
        _predict(method.nodes, work, h, previous)
        # Relative once the overlaps exceed one: a diverging solution then overflows, and stops.
        allowed = tolerance * max(1.0, _largest(x))
        iterations = _newton(coefficients, modes, method, work, x, h, allowed)
        statistics[2] += (abs(iterations) + 1) * method.nodes.size
        error = _error(modes, method, work, h) / allowed if iterations > 0 else np.inf
        if not error <= 1:
            statistics[1] += 1
            h *= max(0.2, 0.9 * error ** (-1 / (method.nodes.size + 1))) if iterations > 0 else 0.4
            if h < 1e-13 * max(now, 1e-3):
                return now
            continue
        now, done = _accept(method.nodes, work, x, now, h, times, done, values)
        statistics[0] += 1
        rates(coefficients, modes, x, work.C, work.D, work.G, work.slope)
        safety = 0.9 * 2 * NEWTON_STEPS / (2 * NEWTON_STEPS + iterations - 1)
        growth = min(8.0, safety * max(error, 1e-12) ** (-1 / (method.nodes.size + 1)))
        previous, known = h, False
        h *= growth
    return now


@jit
def _factor(modes: Modes, method: Radau, work: Workspace, h: float) -> None:
    factor(method.real / h, modes, work.jac, work.spare, work.real_inverse)
    for p in range(method.poles.size):
        factor(method.poles[p] / h, modes, work.jac, work.complex_spare, work.complex_inverses[p])


@jit
def _lagrange(nodes: Any, n: int, at: float) -> float:
    """Weight at `at` of the value at nodes[n], for interpolation through 0 and the nodes."""
    weight = at / nodes[n]
    for m in range(nodes.size):
        if m != n:
            weight *= (at - nodes[m]) / (nodes[n] - nodes[m])
    return weight


@jit
def _combine(scale: float, source: Any, total: Any) -> None:
    for row in range(source.shape[0]):
        given, out = source[row], total[row]
        for k in range(given.size):
            out[k] += scale * given[k]


@jit
def _combine_real(scale: complex, source: Any, total: Any) -> None:
    for row in range(source.shape[0]):
        given, out = source[row], total[row]
        for k in range(given.size):
            out[k] += scale.real * given[k].real - scale.imag * given[k].imag


@jit
def _largest(x: Any) -> float:
    largest = 0.0
    for row in range(x.shape[0]):
        given = x[row]
        for k in range(given.size):
            # Not max(): a value that is not a number must not be lost.
            if not abs(given[k]) <= largest:
                largest = abs(given[k])
    return largest


@jit
def _predict(nodes: Any, work: Workspace, h: float, previous: float) -> None:
    """Stage increments from the collocation polynomial of the last step, extrapolated."""
    work.stages[:] = 0
    if previous == 0:
        return
    for i in range(nodes.size):
        at = 1 + nodes[i] * h / previous
        for j in range(nodes.size):
            _combine(_lagrange(nodes, j, at), work.last[j], work.stages[i])
        _combine(-1.0, work.last[nodes.size - 1], work.stages[i])


@jit
def _newton(
    coefficients: Any, modes: Modes, method: Radau, work: Workspace, x: Any, h: float,
    tolerance: float,
) -> int:  # fmt: skip
    """Solve the stage equations; the number of iterations, negative if they do not converge."""
    goal = max(50 * 2.3e-16 * max(1.0, _largest(x)) / tolerance, 1e-2)
    before = -1.0
    for iteration in range(1, NEWTON_STEPS + 1):
        for i in range(method.nodes.size):
            work.point[:] = x
            _combine(1.0, work.stages[i], work.point)
            rates(coefficients, modes, work.point, work.C, work.D, work.G, work.slopes[i])
        _correct(modes, method, work, h)
        size = 0.0
        for i in range(method.nodes.size):
            _combine(1.0, work.changes[i], work.stages[i])
            largest = _largest(work.changes[i])
            size = largest if not largest <= size else size
        size /= tolerance
        if not np.isfinite(size):
            return -iteration
        if before < 0:
            if size < 1e-3 * goal:
                return iteration
        else:
            contraction = size / before if before > 0 else 0.0
            if contraction >= 0.99:
                return -iteration
            if contraction / (1 - contraction) * size < goal:
                return iteration
        before = size
    return -NEWTON_STEPS


@jit
def _correct(modes: Modes, method: Radau, work: Workspace, h: float) -> None:
    """Newton correction of all stages: one real and (s - 1)/2 complex shifted systems."""
    jac, stages = work.jac, method.nodes.size
    pole = method.real / h
    work.row[:] = 0
    for i in range(stages):
        weight = method.into[0, i].real
        _combine(weight, work.slopes[i], work.row)
        _combine(-pole * weight, work.stages[i], work.row)
    rotate(jac.vectors, modes, work.row, work.spare)
    solve(pole, modes, jac, work.real_inverse, work.spare, work.point)
    rotate(jac.transposed, modes, work.spare, work.row)
    for i in range(stages):
        work.changes[i] = method.back[i, 0].real * work.row
    for p in range(method.poles.size):
        shift = method.poles[p] / h
        work.complex_row[:] = 0
        for i in range(stages):
            weight_c = method.into[1 + p, i]
            _combine(weight_c, work.slopes[i], work.complex_row)
            _combine(-shift * weight_c, work.stages[i], work.complex_row)
        rotate(jac.vectors, modes, work.complex_row, work.complex_spare)
        # The row is free again: it is the scratch space of the solution.
        solve(shift, modes, jac, work.complex_inverses[p], work.complex_spare, work.complex_row)
        rotate(jac.transposed, modes, work.complex_spare, work.complex_row)
        for i in range(stages):
            _combine_real(2 * method.back[i, 1 + p], work.complex_row, work.changes[i])


@jit
def _error(modes: Modes, method: Radau, work: Workspace, h: float) -> float:
    """Largest entry of the embedded error estimate, filtered by the Newton matrix."""
    pole = method.real / h
    work.row[:] = work.slope
    for i in range(method.nodes.size):
        _combine(method.error[i] * pole, work.stages[i], work.row)
    rotate(work.jac.vectors, modes, work.row, work.spare)
    solve(pole, modes, work.jac, work.real_inverse, work.spare, work.point)
    return _largest(work.spare)


@jit
def _accept(
    nodes: Any, work: Workspace, x: Any, now: float, h: float, times: Any, done: int, values: Any
) -> tuple[float, int]:
    """Values at the times inside the step by the collocation polynomial; then make the step."""
    end = times[-1] if now + h >= times[-1] * (1 - 1e-15) else now + h
    while done < times.size and times[done] <= end:
        at = (times[done] - now) / h
        values[done] = x
        for j in range(nodes.size):
            _combine(_lagrange(nodes, j, at), work.stages[j], values[done])
        done += 1
    _combine(1.0, work.stages[nodes.size - 1], x)
    work.last[:] = work.stages
    return end, done
