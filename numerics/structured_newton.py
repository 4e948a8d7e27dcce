"""One step of the structured Radau IIA method: its stage equations, solved, and its error.

Summary
    Simplified Newton iteration on the stage increments in the form w = T^-1 z, in which it splits
    into one real and (s - 1)/2 complex shifted systems. A step works in the eigenbasis of D^x at
    its start. Every iteration passes twice over the blocks of modes: residuals and their sums;
    then, when the response of R and Q is known, the corrections.

References
    Hairer & Wanner, Solving Ordinary Differential Equations II (1996), IV.8.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .radau import Radau
from .structured_blocks import (
    Modes,
    add,
    decay,
    divide,
    divide_complex,
    drift,
    jit,
    largest,
    mix,
    rotate,
    sums,
)
from .structured_linear import Coupling, Poles, coefficients_at

__all__ = ["ITERATIONS", "Work", "estimate", "measure", "newton", "predict"]

ITERATIONS = 12


class Work(NamedTuple):
    """Arrays that every step overwrites; S is the largest number of stages.

    Attributes
    ----------
    state, slope : (n, p B)
        x and dx/dalpha at the start of the step, in the eigenbasis.
    stages, residuals, last : (n, S, p B)
        w; the corrections under way; w of the last step, in its own eigenbasis.
    start, overlaps, response : (p,), (S, p), (S, p)
        Packed macroscopic overlaps: of the state, of w, of a correction.
    drifts, noises : (S, K, K+M), (S, K, K)
        D and G at the stages; later those that belong to a response.
    limits : (5,)
        What an error may be: entries r and q, overlaps R and Q, eps_g.
    peaks : (S, 2) integers
        Largest entries r and q as bits, see `largest`.
    basis : (K, K)
        Eigenvectors of the last step.
    point, slopes, half : (p B,), (S, p B), (K K B,)
        Scratch of one block.
    """

    state: Any
    slope: Any
    stages: Any
    residuals: Any
    last: Any
    start: Any
    overlaps: Any
    response: Any
    drifts: Any
    noises: Any
    limits: Any
    peaks: Any
    basis: Any
    point: Any
    slopes: Any
    half: Any


@jit
def lagrange(nodes: Any, n: int, at: float) -> float:
    """Weight at `at` of the value at nodes[n], for interpolation through 0 and the nodes."""
    weight = at / nodes[n]
    for m in range(nodes.size):
        if m != n:
            weight *= (at - nodes[m]) / (nodes[n] - nodes[m])
    return weight


@jit
def at_time(method: Radau, at: float) -> Any:
    """Weights of w in the increment at the fraction `at` of the step."""
    weights = np.zeros(method.nodes.size)
    for n in range(weights.size):
        weights += lagrange(method.nodes, n, at) * method.back[n]
    return weights


@jit
def predict(
    modes: Modes, method: Radau, old: Radau, jac: Coupling, work: Work, h: float, previous: float
) -> None:
    """Set w from the collocation polynomial of the last step, extrapolated."""
    s = method.nodes.size
    work.overlaps[:] = 0
    if previous == 0:
        work.stages[:] = 0
        return
    weights = np.zeros((s, old.nodes.size))
    end = at_time(old, 1.0)
    for i in range(s):
        increment = at_time(old, 1 + method.nodes[i] * h / previous) - end
        for c in range(s):
            weights[c] += method.into[c, i] * increment
    turn = np.zeros_like(work.basis)
    for i in range(modes.K):
        for j in range(modes.K):
            for a in range(modes.K):
                turn[i, j] += work.basis[a, i] * jac.vectors[a, j]
    for b in range(modes.el.shape[0]):
        for c in range(s):
            mix(weights[c], work.last[b], work.point)
            rotate(modes, turn, work.point, work.stages[b, c], work.half)
            sums(modes.wl[b], work.stages[b, c], work.overlaps[c])


@jit
def measure(modes: Modes, jac: Coupling, limits: Any, r: float, q: float, packed: Any) -> float:
    """Size of a change of the state in units of what is allowed: entries, overlaps, eps_g.

    r and q are its largest entries, `packed` its overlaps; d eps_g = -sum D_if dC_if.
    """
    K, M = modes.K, modes.M
    change, R, Q, position = 0.0, 0.0, 0.0, K * M
    for i in range(K):
        for n in range(M):
            change += jac.drift[i, K + n] * packed[i * M + n]
            R = max(R, abs(packed[i * M + n]))
        for j in range(i, K):
            change += (0.5 if i == j else 1.0) * jac.drift[i, j] * packed[position]
            Q = max(Q, abs(packed[position]))
            position += 1
    size = 0.0
    found = (r, q, R, Q, abs(change))
    for position in range(limits.size):
        # Not max(): a value that is not a number must not be lost.
        if not found[position] <= size * limits[position]:
            size = found[position] / limits[position]
    return size


@jit
def newton(
    coefficients: Any, modes: Modes, method: Radau, jac: Coupling, poles: Poles, work: Work,
    h: float, goal: float, trust: float,
) -> tuple[int, float]:  # fmt: skip
    """Solve the stage equations to `goal`, in units of the allowed error.

    `trust` is theta/(1 - theta) as the last step leads to expect it, theta the contraction.
    Returns the number of iterations, negative if they do not converge, and the trust found.
    """
    s, blocks, before = method.nodes.size, modes.el.shape[0], 0.0
    peaks = work.peaks.view(np.float64)
    for iteration in range(1, ITERATIONS + 1):
        for i in range(s):
            packed = work.start.copy()
            for c in range(s):
                packed += method.back[i, c] * work.overlaps[c]
            coefficients_at(coefficients, modes, jac, packed, work.drifts[i], work.noises[i])
        work.response[:] = 0
        for b in range(blocks):
            _residuals(modes, method, jac, poles, work, b, h)
        _respond(jac, poles, work, s)
        work.peaks[:] = 0
        work.overlaps[:] = 0
        for b in range(blocks):
            _correct(modes, jac, poles, work, b, s)
        size = _change(modes, method, jac, work, peaks)
        if not np.isfinite(size):
            return -iteration, 1.0
        if iteration > 1:
            contraction = size / before if before > 0 else 0.0
            if contraction >= 0.99:
                return -iteration, 1.0
            trust = contraction / (1 - contraction)
        if trust * size <= goal:
            return iteration, trust
        before = size
    return -ITERATIONS, 1.0


@jit
def _change(modes: Modes, method: Radau, jac: Coupling, work: Work, peaks: Any) -> float:
    """Size of a Newton correction of all stages: entries in the mean, overlaps at each stage."""
    r, q, size = 0.0, 0.0, 0.0
    for c in range(method.nodes.size):
        r += (method.bound[c] * peaks[c, 0]) ** 2
        q += (method.bound[c] * peaks[c, 1]) ** 2
    r, q = np.sqrt(r), np.sqrt(q)
    for i in range(method.nodes.size):
        packed = np.zeros_like(work.start)
        for c in range(method.nodes.size):
            packed += method.back[i, c] * work.response[c]
        here = measure(modes, jac, work.limits, r, q, packed)
        size = here if not here <= size else size
    return size


@jit
def _residuals(
    modes: Modes, method: Radau, jac: Coupling, poles: Poles, work: Work, b: int, h: float
) -> None:
    """Right-hand sides of the shifted systems, blocks divided, and their overlaps."""
    s, w, out = method.nodes.size, work.stages[b], work.residuals[b]
    for i in range(s):
        mix(method.back[i], w, work.point)
        add(1.0, work.state[b], work.point)
        drift(modes, b, work.drifts[i], work.noises[i], work.point, work.slopes[i], work.half)
        decay(modes, work.point, work.slopes[i])
    for c in range(s):
        mix(method.into[c], work.slopes, out[c])
    add(-method.real / h, w[0], out[0])
    for p in range(method.poles.shape[0]):
        c, re, im = 1 + 2 * p, method.poles[p, 0] / h, method.poles[p, 1] / h
        add(-re, w[c], out[c])
        add(im, w[c + 1], out[c])
        add(-re, w[c + 1], out[c + 1])
        add(-im, w[c], out[c + 1])
    _divide(modes, jac, poles, b, out, s)
    for c in range(s):
        sums(modes.wl[b], out[c], work.response[c])


@jit
def _divide(modes: Modes, jac: Coupling, poles: Poles, b: int, rows: Any, s: int) -> None:
    divide(modes, b, jac.pull, poles.re[b, 0], rows[0])
    for c in range(1, s, 2):
        p = (c + 1) // 2
        divide_complex(modes, b, jac.pull, poles.re[b, p], poles.im[b, p], rows[c], rows[c + 1])


@jit
def _respond(jac: Coupling, poles: Poles, work: Work, s: int) -> None:
    """Overlaps of the solutions from those of the blocks, and the D and G that they cause."""
    work.drifts[:] = 0
    work.noises[:] = 0
    size = jac.units.size
    found = np.zeros(size, np.complex128)
    # A system is one real row, or a pair: real and imaginary part.
    for p in range((s + 1) // 2):
        re, im = max(0, 2 * p - 1), 2 * p
        found[:] = 0
        for b in range(size):
            given = complex(
                work.response[re, b] / jac.units[b],
                work.response[im, b] / jac.units[b] if p > 0 else 0.0,
            )
            for a in range(size):
                found[a] += poles.inverses[p, a, b] * given
        for a in range(size):
            for c in range(re, im + 1):
                part = found[a].imag if c > re else found[a].real
                work.response[c, a] = part * jac.units[a]
                _add_matrix(part, jac.moved_drift[a], work.drifts[c])
                _add_matrix(part, jac.moved_noise[a], work.noises[c])


@jit
def _add_matrix(scale: float, x: Any, out: Any) -> None:
    """Out += scale x, without the array that NumPy's notation would make for so few numbers."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] += scale * x[i, j]


@jit
def _correct(modes: Modes, jac: Coupling, poles: Poles, work: Work, b: int, s: int) -> None:
    """Add the response of the modes to the divided residuals, and both to w."""
    split = modes.K * modes.M * modes.el.shape[1]
    for c in range(s):
        x, out = work.state[b], work.slopes[c]
        drift(modes, b, work.drifts[c], work.noises[c], x, out, work.half)
    _divide(modes, jac, poles, b, work.slopes, s)
    for c in range(s):
        change, w = work.residuals[b, c], work.stages[b, c]
        add(1.0, work.slopes[c], change)
        add(1.0, change, w)
        work.peaks[c, 0] = largest(change[:split], work.peaks[c, 0])
        work.peaks[c, 1] = largest(change[split:], work.peaks[c, 1])
        sums(modes.wl[b], w, work.overlaps[c])


@jit
def estimate(
    modes: Modes, method: Radau, jac: Coupling, poles: Poles, work: Work, h: float
) -> float:
    """Embedded error of order s, filtered by the real shifted system, in units of the allowed."""
    split, pole = modes.K * modes.M * modes.el.shape[1], method.real / h
    work.response[0] = 0
    for b in range(modes.el.shape[0]):
        out = work.residuals[b, 0]
        mix(pole * method.error, work.stages[b], out)
        add(1.0, work.slope[b], out)
        divide(modes, b, jac.pull, poles.re[b, 0], out)
        sums(modes.wl[b], out, work.response[0])
    _respond(jac, poles, work, 1)
    work.peaks[:] = 0
    for b in range(modes.el.shape[0]):
        x, out = work.state[b], work.slopes[0]
        drift(modes, b, work.drifts[0], work.noises[0], x, out, work.half)
        divide(modes, b, jac.pull, poles.re[b, 0], out)
        add(1.0, work.residuals[b, 0], out)
        work.peaks[0, 0] = largest(out[:split], work.peaks[0, 0])
        work.peaks[0, 1] = largest(out[split:], work.peaks[0, 1])
    peaks = work.peaks.view(np.float64)
    return measure(modes, jac, work.limits, peaks[0, 0], peaks[0, 1], work.response[0])
