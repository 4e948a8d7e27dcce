"""The inner loops of the simulation, compiled: SGD steps and the test error.

Summary
    Both methods carry the vectors ``[B_1 .. B_M, J_1 .. J_K]/sqrt(N)`` as rows, in coordinates in
    which Sigma is diagonal; their Gram matrices are g_k = w_k [[t_k, r_k^T], [r_k, q_k]].
    ``step_direct`` keeps all N coordinates, ``step_chain`` only K + M in each eigenspace: the span
    of the vectors, turned back after each step, which leaves every Gram matrix as it is.

Mathematics
    x_i = J_i.xi/sqrt(N), y_n = B_n.xi/sqrt(N), xi ~ N(0, Sigma),
    delta_i = c_S g'(x_i) (c_T sum_n g(y_n) + noise - c_S sum_j g(x_j)),
    J_i <- (1 - eta gamma/N) J_i + (eta/sqrt(N)) delta_i P xi                          [SS95, BS95]
    with a preconditioner P that multiplies eigenspace k by a number (1 for plain SGD).
    In eigenspace k, xi has coordinates sqrt(lam_k) u in the span, u ~ N(0, I_{K+M}), and a part of
    norm sqrt(lam_k chi^2_{n_k-K-M}) across it: the chain is exact in law at every N.

References
    [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995).
    [BS95] Biehl & Schwarze, J. Phys. A 28, 643 (1995).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from numba import cfunc, njit
from numba.core.errors import NumbaError

from theory.activations import Activation, X

from .storage import Array

__all__ = ["Rule", "compile_activation", "step_chain", "step_direct", "sampled_error"]


class Rule(NamedTuple):
    """The numbers of the update rule, as the compiled loops take them.

    Attributes
    ----------
    decay : float
        gamma, the weight decay.
    student_scale, teacher_scale : float
        c_S and c_T.
    noise : float
        Standard deviation of the label noise.
    teachers : int
        M.
    """

    decay: float
    student_scale: float
    teacher_scale: float
    noise: float
    teachers: int


@lru_cache(maxsize=16)
def compile_activation(activation: Activation) -> tuple[Any, Any]:
    """Compile g and its derivative almost everywhere, float64 -> float64; once per activation.

    g' is the symbolic derivative without its delta functions: SGD never sees a point. At a kink it
    is the mean of both sides where SymPy says so (relu: g'(0) = 1/2, sign(0) = 0).

    Raises
    ------
    ValueError
        If g' vanishes almost everywhere (sign: SGD would not move), or g has no compiled form.
    """
    slope = activation.derivative.replace(sp.DiracDelta, lambda *_: sp.S.Zero)
    if slope == 0:
        raise ValueError(
            f"{activation} has derivative zero almost everywhere: SGD does not move such a "
            "student; simulate a smooth activation"
        )
    return _compile(activation.expr, activation), _compile(slope, activation)


def _compile(expr: sp.Expr, activation: Activation) -> Any:
    plain = expr.replace(sp.Heaviside, _heaviside).replace(sp.sign, _sign)
    try:
        # A C function, not a jitted one: the loops then have one signature for all activations and
        # are compiled once, then read from numba's cache.
        return cfunc("float64(float64)", error_model="numpy")(sp.lambdify(X, plain, "math"))
    except (NumbaError, SyntaxError, NameError) as problem:
        raise ValueError(
            f"{activation} cannot be compiled for simulation ({type(problem).__name__} in {plain}):"
            " write it with functions of Python's math module"
        ) from None


def _heaviside(x: sp.Expr, at_zero: sp.Expr) -> sp.Expr:
    return sp.Piecewise((0, x < 0), (at_zero, sp.Eq(x, 0)), (1, True))


def _sign(x: sp.Expr) -> sp.Expr:
    return sp.Piecewise((-1, x < 0), (0, sp.Eq(x, 0)), (1, True))


@njit(nogil=True, cache=True)
def _deltas(g: Any, slope: Any, fields: Array, delta: Array, noise: float, rule: Rule) -> bool:
    """Write delta_i for the fields (y, x); return whether everything is finite."""
    K = len(delta)
    M = len(fields) - K
    error = noise
    for n in range(M):
        error += rule.teacher_scale * g(fields[n])
    for i in range(K):
        error -= rule.student_scale * g(fields[M + i])
    size = 0.0
    for i in range(K):
        delta[i] = rule.student_scale * slope(fields[M + i]) * error
        size += abs(delta[i]) + abs(fields[M + i])
    return math.isfinite(size)


@njit(nogil=True, cache=True)
def lower_triangle(rows: Array) -> None:
    """Reflect the columns of `rows` (D, P), P >= D, in place until it is lower triangular.

    Householder reflections from the right: the Gram matrix stays what it is, without the loss of
    half the digits that a Cholesky factorisation of nearly parallel vectors would bring.
    """
    D, P = rows.shape
    for i in range(D):
        tail = 0.0
        for j in range(i + 1, P):
            tail += rows[i, j] * rows[i, j]
        if tail == 0.0:
            continue
        head = rows[i, i]
        norm = math.sqrt(head * head + tail)
        if head > 0.0:
            norm = -norm
        head -= norm
        factor = 2.0 / (head * head + tail)
        for m in range(i + 1, D):
            product = rows[m, i] * head
            for j in range(i + 1, P):
                product += rows[m, j] * rows[i, j]
            product *= factor
            rows[m, i] -= product * head
            for j in range(i + 1, P):
                rows[m, j] -= product * rows[i, j]
        rows[i, i] = norm
        for j in range(i + 1, P):
            rows[i, j] = 0.0


@njit(nogil=True, cache=True)
def step_chain(
    g: Any,
    slope: Any,
    rng: Any,
    vectors: Array,
    root: Array,
    gain: Array,
    freedom: Array,
    rates: Array,
    rule: Rule,
) -> int:
    """Advance the exact macroscopic chain in place; return the number of steps done.

    Fewer than there are rates means that the next one diverges. Cost O(L (K+M)^2 + L K^3) a step,
    whatever N is.

    Parameters
    ----------
    vectors : (L, M+K, M+K)
        Lower triangular per mode, teacher first: the teacher's rows never change.
    root : (L,)
        sqrt(lam_k).
    gain : (L,)
        Of the preconditioner in each eigenspace.
    freedom : (L,)
        n_k - K - M >= 0, the degrees of freedom of xi across the span.
    rates : (steps,)
        eta/N of each step.
    """
    L, D, _ = vectors.shape
    M = rule.teachers
    K = D - M
    xi, fields, delta, rows = np.empty((L, D)), np.empty(D), np.empty(K), np.empty((K, K + 1))
    for step, rate in enumerate(rates):
        keep = 1.0 - rate * rule.decay
        fields[:] = 0.0
        for k in range(L):
            for a in range(D):
                xi[k, a] = root[k] * rng.standard_normal()
            for f in range(D):
                for a in range(f + 1):
                    fields[f] += vectors[k, f, a] * xi[k, a]
        noise = rule.noise * rng.standard_normal() if rule.noise > 0.0 else 0.0
        if not _deltas(g, slope, fields, delta, noise, rule):
            return step
        for k in range(L):
            # With n_k = K + M there is nothing across the span (and no chi^2 without freedom).
            across = root[k] * math.sqrt(rng.chisquare(freedom[k])) if freedom[k] > 0.0 else 0.0
            for i in range(K):
                push = rate * delta[i] * gain[k]
                for a in range(M):
                    vectors[k, M + i, a] = keep * vectors[k, M + i, a] + push * xi[k, a]
                for a in range(K):
                    rows[i, a] = keep * vectors[k, M + i, M + a] + push * xi[k, M + a]
                rows[i, K] = push * across
            lower_triangle(rows)
            vectors[k, M:, M:] = rows[:, :K]
    return len(rates)


@njit(nogil=True, cache=True)
def step_direct(
    g: Any,
    slope: Any,
    rng: Any,
    vectors: Array,
    root: Array,
    gain: Array,
    rates: Array,
    rule: Rule,
) -> int:
    """Advance SGD in R^N in place; return the number of steps done.

    Fewer than there are rates means that the next one diverges. Cost O(N (K+M)) a step.

    Parameters
    ----------
    vectors : (M+K, N)
    root, gain : (N,)
        Square root of the eigenvalue of Sigma, and that of the preconditioner, in each coordinate.
    rates : (steps,)
        eta/N of each step.
    """
    D, N = vectors.shape
    M = rule.teachers
    K = D - M
    xi, fields, delta = np.empty(N), np.empty(D), np.empty(K)
    for step, rate in enumerate(rates):
        keep = 1.0 - rate * rule.decay
        fields[:] = 0.0
        for a in range(N):
            xi[a] = root[a] * rng.standard_normal()
            # Not np.dot: the order of a threaded BLAS sum would change the last bits.
            for f in range(D):
                fields[f] += vectors[f, a] * xi[a]
        noise = rule.noise * rng.standard_normal() if rule.noise > 0.0 else 0.0
        if not _deltas(g, slope, fields, delta, noise, rule):
            return step
        for i in range(K):
            push = rate * delta[i]
            for a in range(N):
                vectors[M + i, a] = keep * vectors[M + i, a] + push * gain[a] * xi[a]
    return len(rates)


@njit(nogil=True, cache=True)
def sampled_error(g: Any, rng: Any, rows: Array, weights: Array, samples: int) -> float:
    """Mean of (zeta - sigma)^2/2 over fresh Gaussian fields (y, x) of covariance rows rows^T.

    Parameters
    ----------
    rows : (M+K, P)
        Overwritten (brought to triangular form).
    weights : (M+K,)
        Of the outputs; those of the student with a minus sign.
    """
    D = len(rows)
    lower_triangle(rows)
    u, total = np.empty(D), 0.0
    for _ in range(samples):
        error = 0.0
        for f in range(D):
            u[f] = rng.standard_normal()
            value = 0.0
            for a in range(f + 1):
                value += rows[f, a] * u[a]
            error += weights[f] * g(value)
        total += error * error / 2
    return total / samples
