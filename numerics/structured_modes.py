"""Linear algebra of the order-parameter equations, mode by mode, at a cost linear in L.

Summary
    Given D and G the modes are linear, so the Jacobian is one small block per mode, scaled by
    lam_k, plus a coupling through the p = K M + K (K + 1)/2 entries of Q and R. In the eigenbasis
    of D^x (symmetric for equal output weights) the shifted blocks are triangular and are inverted
    entry by entry; the coupling is a p x p system (Sherman-Morrison-Woodbury).

Notation
    x : state, K M rows r_in then K^2 rows q_ij (both triangles), L columns; el = eta lam_k,
    wl = w_k lam_k; V : orthogonal, columns are the eigenvectors of D^x.

References
    [YO19] Yoshida & Okada (the modes are linear given Q and R); Golub & Van Loan, Matrix
    Computations, 2.1.4 (Sherman-Morrison-Woodbury).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

__all__ = ["Coupling", "Modes", "covariance", "factor", "linearise", "rates", "rotate", "solve"]

jit = njit(cache=True, error_model="numpy")


class Modes(NamedTuple):
    """What does not move: sizes, eigenvalues, teacher, learning rate.

    Attributes
    ----------
    K, M : int
    weights : (K+M,)
        Signed output weights s.
    noise, eta, decay : float
        Variance of the label noise, learning rate, eta times the weight decay.
    el, wl : (L,)
        eta lam_k and w_k lam_k.
    teacher : (M, M, L)
        t_k.
    fixed : (K+M, K+M)
        Covariance of the fields with its teacher block filled in.
    """

    K: int
    M: int
    weights: Any
    noise: float
    eta: float
    decay: float
    el: Any
    wl: Any
    teacher: Any
    fixed: Any


class Coupling(NamedTuple):
    """The Jacobian at one state, in the eigenbasis of D^x; arrays are overwritten in place.

    Attributes
    ----------
    values, vectors, transposed : (K,), (K, K), (K, K)
        Eigenvalues of D^x, V and its transpose.
    teacher : (K, M)
        V^T D^y.
    drift, noise : (p, K, K+M), (p, K, K)
        Derivatives of D and G in the p entries of R and Q, rotated.
    state : (K M + K^2, L)
        The state, rotated.
    """

    values: Any
    vectors: Any
    transposed: Any
    teacher: Any
    drift: Any
    noise: Any
    state: Any


@jit
def covariance(modes: Modes, x: Any, C: Any) -> None:
    """C = [[Q, R], [R^T, T]] of a state."""
    K, M = modes.K, modes.M
    C[:] = modes.fixed
    for i in range(K):
        for n in range(M):
            C[i, K + n] = _sum_product(modes.wl, x[i * M + n])
            C[K + n, i] = C[i, K + n]
        for j in range(i, K):
            C[i, j] = _sum_product(modes.wl, x[K * M + i * K + j])
            C[j, i] = C[i, j]


@jit
def _add(scale: Any, row: Any, total: Any) -> None:
    # A loop over contiguous rows: numba turns it into vector instructions.
    for k in range(row.size):
        total[k] += scale * row[k]


@jit
def _add_product(factor: Any, row: Any, total: Any) -> None:
    for k in range(row.size):
        total[k] += factor[k] * row[k]


@jit
def _sum_product(factor: Any, row: Any) -> Any:
    total = row[0] * 0
    for k in range(row.size):
        total += factor[k] * row[k]
    return total


@jit
def _divide(row: Any, pole: Any, rate: float, el: Any) -> None:
    """Row := row / (pole - el rate)."""
    for k in range(row.size):
        row[k] /= pole - el[k] * rate


@jit
def _add_drift(modes: Modes, D: Any, G: Any, x: Any, out: Any) -> None:
    """Out += eta lam_k (D c_k, transposed for q, and eta G)."""
    K, M = modes.K, modes.M
    total = np.empty(modes.el.size, out.dtype)
    for i in range(K):
        for n in range(M):
            total[:] = 0
            for j in range(K):
                _add(D[i, j], x[j * M + n], total)
            for m in range(M):
                _add(D[i, K + m], modes.teacher[m, n], total)
            _add_product(modes.el, total, out[i * M + n])
        for j in range(i, K):
            total[:] = modes.eta * G[i, j]
            for l in range(K):
                _add(D[i, l], x[K * M + l * K + j], total)
                _add(D[j, l], x[K * M + l * K + i], total)
            for n in range(M):
                _add(D[i, K + n], x[j * M + n], total)
                _add(D[j, K + n], x[i * M + n], total)
            _add_product(modes.el, total, out[K * M + i * K + j])
            if j > i:
                out[K * M + j * K + i] = out[K * M + i * K + j]


@jit
def rates(coefficients: Any, modes: Modes, x: Any, C: Any, D: Any, G: Any, out: Any) -> None:
    """dx/dalpha."""
    covariance(modes, x, C)
    coefficients(modes.K, modes.M, modes.noise, modes.weights, C, D, G)
    teachers = modes.K * modes.M
    out[:teachers] = -modes.decay * x[:teachers]
    out[teachers:] = -2 * modes.decay * x[teachers:]
    _add_drift(modes, D, G, x, out)


@jit
def rotate(V: Any, modes: Modes, x: Any, out: Any) -> None:
    """R -> V^T r, q -> V^T q V in every mode."""
    K, M = modes.K, modes.M
    out[:] = 0
    for i in range(K):
        for j in range(K):
            for n in range(M):
                _add(V[j, i], x[j * M + n], out[i * M + n])
    for i in range(K):
        for j in range(i, K):
            row = out[K * M + i * K + j]
            for a in range(K):
                for b in range(K):
                    _add(V[a, i] * V[b, j], x[K * M + a * K + b], row)
            if j > i:
                out[K * M + j * K + i] = row


@jit
def _solve_blocks(pole: Any, modes: Modes, jac: Coupling, x: Any) -> None:
    """X := (pole - J_k)^-1 x in every mode, J_k without the coupling of the modes."""
    K, M, el = modes.K, modes.M, modes.el
    for i in range(K):
        for n in range(M):
            _divide(x[i * M + n], pole + modes.decay, jac.values[i], el)
    pull = np.empty(el.size, x.dtype)
    for i in range(K):
        for j in range(i, K):
            row = x[K * M + i * K + j]
            pull[:] = 0
            for n in range(M):
                _add(jac.teacher[i, n], x[j * M + n], pull)
                _add(jac.teacher[j, n], x[i * M + n], pull)
            _add_product(el, pull, row)
            _divide(row, pole + 2 * modes.decay, jac.values[i] + jac.values[j], el)
            if j > i:
                x[K * M + j * K + i] = row


@jit
def _overlaps(modes: Modes, V: Any, x: Any) -> Any:
    """R and the upper triangle of Q of a rotated x, rotated back, as one vector (p,)."""
    K, M = modes.K, modes.M
    R, Q = np.zeros((K, M), x.dtype), np.zeros((K, K), x.dtype)
    for i in range(K):
        for n in range(M):
            R[i, n] = _sum_product(modes.wl, x[i * M + n])
        for j in range(K):
            Q[i, j] = _sum_product(modes.wl, x[K * M + i * K + j])
    packed = np.zeros(K * M + K * (K + 1) // 2, x.dtype)
    position = 0
    for i in range(K):
        for n in range(M):
            for a in range(K):
                packed[position] += V[i, a] * R[a, n]
            position += 1
    for i in range(K):
        for j in range(i, K):
            for a in range(K):
                for b in range(K):
                    packed[position] += V[i, a] * V[j, b] * Q[a, b]
            position += 1
    return packed


@jit
def linearise(coefficients: Any, modes: Modes, x: Any, jac: Coupling) -> None:
    """Set `jac` to the Jacobian at x; D and G are differentiated by central differences.

    The Jacobian steers Newton's iteration only: its error costs iterations, never accuracy.
    """
    K, M = modes.K, modes.M
    C = np.empty_like(modes.fixed)
    D, G = np.zeros((K, K + M)), np.zeros((K, K))
    covariance(modes, x, C)
    coefficients(K, M, modes.noise, modes.weights, C, D, G)
    values, vectors = np.linalg.eigh(np.ascontiguousarray(D[:, :K]))
    jac.values[:] = values
    jac.vectors[:] = vectors
    jac.transposed[:] = vectors.T
    jac.teacher[:] = np.dot(jac.transposed, np.ascontiguousarray(D[:, K:]))
    position = 0
    for i in range(K):
        for n in range(M):
            _differentiate(coefficients, modes, C, i, K + n, position, jac)
            position += 1
    for i in range(K):
        for j in range(i, K):
            _differentiate(coefficients, modes, C, i, j, position, jac)
            position += 1
    rotate(jac.vectors, modes, x, jac.state)


@jit
def _differentiate(
    coefficients: Any, modes: Modes, C: Any, i: int, f: int, position: int, jac: Coupling
) -> None:
    """Derivatives of D and G in C_if, rotated."""
    K, M = modes.K, modes.M
    above, below = np.zeros((K, K + M)), np.zeros((K, K + M))
    noise_above, noise_below = np.zeros((K, K)), np.zeros((K, K))
    step = 1e-6 * max(C[i, i], 1e-3)
    moved = C.copy()
    moved[i, f] += step
    moved[f, i] = moved[i, f]
    coefficients(K, M, modes.noise, modes.weights, moved, above, noise_above)
    moved[i, f] -= 2 * step
    moved[f, i] = moved[i, f]
    coefficients(K, M, modes.noise, modes.weights, moved, below, noise_below)
    drift = (above - below) / (2 * step)
    V, VT = jac.vectors, jac.transposed
    jac.drift[position, :, :K] = np.dot(np.dot(VT, np.ascontiguousarray(drift[:, :K])), V)
    jac.drift[position, :, K:] = np.dot(VT, np.ascontiguousarray(drift[:, K:]))
    jac.noise[position] = np.dot(np.dot(VT, (noise_above - noise_below) / (2 * step)), V)


@jit
def factor(pole: Any, modes: Modes, jac: Coupling, work: Any, inverse: Any) -> None:
    """Inverse := (1 - W (pole - J_blocks)^-1 U)^-1, the p x p system of the coupling U W."""
    size = jac.drift.shape[0]
    for a in range(size):
        work[:] = 0
        _add_drift(modes, jac.drift[a], jac.noise[a], jac.state, work)
        _solve_blocks(pole, modes, jac, work)
        inverse[:, a] = -_overlaps(modes, jac.vectors, work)
        inverse[a, a] += 1
    inverse[:] = np.linalg.inv(inverse)


@jit
def solve(pole: Any, modes: Modes, jac: Coupling, inverse: Any, x: Any, work: Any) -> None:
    """X := (pole - J)^-1 x, x in the eigenbasis of D^x."""
    work[:] = x
    _solve_blocks(pole, modes, jac, work)
    response = np.dot(inverse, _overlaps(modes, jac.vectors, work))
    drift = np.zeros(jac.drift.shape[1:], x.dtype)
    noise = np.zeros(jac.noise.shape[1:], x.dtype)
    for a in range(response.size):
        drift += response[a] * jac.drift[a]
        noise += response[a] * jac.noise[a]
    _add_drift(modes, drift, noise, jac.state, x)
    _solve_blocks(pole, modes, jac, x)
