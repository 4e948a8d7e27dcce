"""Shifted linear systems of the order-parameter equations, solved at a cost linear in L.

Summary
    The Jacobian is one small block per mode, scaled by lam_k, plus a coupling through the
    p = K M + K (K + 1)/2 entries of R and Q. The blocks are inverted entry by entry in the
    eigenbasis of D^x (symmetric for equal output weights); the coupling is a p x p system
    (Sherman-Morrison-Woodbury). Its matrix needs one pass over the modes: what D and G do to them
    enters linearly, through K^2 (K + M) + K M (K + M) sums over the modes.

Notation
    As in `numerics.structured_blocks`; packed : (p,) entries r_in, then q_ij with i <= j, of the
    macroscopic overlaps; primes on paper, the eigenbasis of D^x: R' = V^T R, Q' = V^T Q V.

References
    Golub & Van Loan, Matrix Computations, 2.1.4 (Sherman-Morrison-Woodbury).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .structured_blocks import Modes, add, invert, jit, multiply_complex, triangle

__all__ = [
    "Coupling", "Poles", "coefficients_at", "couple", "differentiate", "factor", "rotate_drift",
    "similar", "unpack",
]  # fmt: skip


class Coupling(NamedTuple):
    """The Jacobian at one state, apart from the modes themselves; overwritten in place.

    Attributes
    ----------
    drift, noise : (K, K+M), (K, K)
        D and G at the state, in the eigenbasis.
    values, vectors, transposed : (K,), (K, K), (K, K)
        Eigenvalues of D^x, V and its transpose.
    pull : (K, M)
        V^T D^y.
    raw_drift, raw_noise : (p, K, K+M), (p, K, K)
        Derivatives of D and G in the packed entries, as they are.
    moved_drift, moved_noise : (p, K, K+M), (p, K, K)
        The same in the eigenbasis, times `units`.
    units : (p,)
        Sizes of the packed entries: r and q may be of different orders of magnitude.
    """

    drift: Any
    noise: Any
    values: Any
    vectors: Any
    transposed: Any
    pull: Any
    raw_drift: Any
    raw_noise: Any
    moved_drift: Any
    moved_noise: Any
    units: Any


class Poles(NamedTuple):
    """All shifted systems of a step, factorised: 1 + P poles, real one first.

    Attributes
    ----------
    re, im : (n, 1 + P, (K + K(K+1)/2) B)
        rho and kappa, real and imaginary parts.
    inverses : (1 + P, p, p) complex
        Inverses of the coupling systems, in units of `Coupling.units`.
    first, second, third : (1 + P, K, (K+M) M), (1 + P, K, K, K+M), (1 + P, K, K) complex
        Sums over the modes that the coupling systems are made of.
    taught : (K (K+M), B)
        Scratch: pull r^T and pull t.
    weights : (4, B)
        Scratch.
    """

    re: Any
    im: Any
    inverses: Any
    first: Any
    second: Any
    third: Any
    taught: Any
    weights: Any


@jit
def similar(V: Any, A: Any, out: Any) -> None:
    """Out = V^T A V."""
    K = V.shape[0]
    for i in range(K):
        for j in range(K):
            out[i, j] = 0.0
            for a in range(K):
                for b in range(K):
                    out[i, j] += V[a, i] * A[a, b] * V[b, j]


@jit
def rotate_drift(V: Any, D: Any, out: Any) -> None:
    """[V^T D^x V | V^T D^y]."""
    K = V.shape[0]
    similar(V, D, out)
    for i in range(K):
        for n in range(K, D.shape[1]):
            out[i, n] = 0.0
            for a in range(K):
                out[i, n] += V[a, i] * D[a, n]


@jit
def unpack(modes: Modes, packed: Any, V: Any, C: Any) -> None:
    """C = [[V^T Q V, V^T R], [., T]] from packed entries."""
    K, M = modes.K, modes.M
    Q = np.empty((K, K))
    for i in range(K):
        for j in range(K):
            Q[i, j] = packed[K * M + triangle(K, i, j)]
    similar(V, Q, C)
    for i in range(K):
        for n in range(M):
            C[i, K + n] = 0.0
            for a in range(K):
                C[i, K + n] += V[a, i] * packed[a * M + n]
            C[K + n, i] = C[i, K + n]
    C[K:, K:] = modes.fixed


@jit
def coefficients_at(
    coefficients: Any, modes: Modes, jac: Coupling, packed: Any, drift: Any, noise: Any
) -> None:
    """D and G in the eigenbasis, from packed entries in the eigenbasis."""
    K, M = modes.K, modes.M
    C, D, G = np.empty((K + M, K + M)), np.zeros((K, K + M)), np.zeros((K, K))
    unpack(modes, packed, jac.transposed, C)
    coefficients(K, M, modes.noise, modes.weights, C, D, G)
    rotate_drift(jac.vectors, D, drift)
    similar(jac.vectors, G, noise)


@jit
def entry(K: int, M: int, position: int) -> tuple[int, int]:
    """Indices in C of a packed entry."""
    if position < K * M:
        return position // M, K + position % M
    i, left = 0, position - K * M
    while left >= K - i:
        left -= K - i
        i += 1
    return i, i + left


@jit
def differentiate(coefficients: Any, modes: Modes, C: Any, D: Any, G: Any, jac: Coupling) -> None:
    """Derivatives of D and G in the packed entries at C, by forward differences.

    They steer Newton's iteration only: their error costs iterations, never accuracy. Steps are
    relative to `jac.units`, for overlaps of any size.
    """
    K, M = modes.K, modes.M
    size = jac.units.size
    moved = C.copy()
    above, noise_above = np.zeros((K, K + M)), np.zeros((K, K))
    for a in range(size):
        i, f = entry(K, M, a)
        step = 1e-6 * jac.units[a]
        moved[i, f] += step
        moved[f, i] = moved[i, f]
        coefficients(K, M, modes.noise, modes.weights, moved, above, noise_above)
        jac.raw_drift[a] = (above - D) / step
        jac.raw_noise[a] = (noise_above - G) / step
        moved[i, f] = C[i, f]
        moved[f, i] = C[i, f]


@jit
def couple(modes: Modes, jac: Coupling) -> None:
    """The derivatives in the eigenbasis, times the units: `moved_drift` and `moved_noise`."""
    K, M, V = modes.K, modes.M, jac.vectors
    drift, noise = np.zeros((K, K + M)), np.zeros((K, K))
    for i in range(K):
        for n in range(M):
            drift[:] = 0
            noise[:] = 0
            for a in range(K):
                drift += V[a, i] * jac.raw_drift[a * M + n]
                noise += V[a, i] * jac.raw_noise[a * M + n]
            _put(jac, i * M + n, drift, noise)
        for j in range(i, K):
            drift[:] = 0
            noise[:] = 0
            for a in range(K):
                for b in range(a, K):
                    weight = V[a, i] * V[b, j]
                    if i != j:
                        weight += V[a, j] * V[b, i]
                    drift += weight * jac.raw_drift[K * M + triangle(K, a, b)]
                    noise += weight * jac.raw_noise[K * M + triangle(K, a, b)]
            _put(jac, K * M + triangle(K, i, j), drift, noise)


@jit
def _put(jac: Coupling, position: int, drift: Any, noise: Any) -> None:
    rotate_drift(jac.vectors, jac.units[position] * drift, jac.moved_drift[position])
    similar(jac.vectors, jac.units[position] * noise, jac.moved_noise[position])


@jit
def factor(modes: Modes, jac: Coupling, method: Any, h: float, x: Any, poles: Poles) -> None:
    """Invert blocks and coupling for the poles of a step h; x : (n, p B), in the eigenbasis."""
    count = 1 + method.poles.shape[0]
    poles.first[:] = 0
    poles.second[:] = 0
    poles.third[:] = 0
    for b in range(modes.el.shape[0]):
        _teach(modes, b, jac.pull, x[b], poles.taught)
        for c in range(count):
            re, im = poles.re[b, c], poles.im[b, c]
            if c == 0:
                invert(modes, b, jac.values, method.real / h, 0.0, re, im)
            else:
                at = method.poles[c - 1]
                invert(modes, b, jac.values, at[0] / h, at[1] / h, re, im)
            _sum_first(modes, b, c, x[b], poles)
            _sum_second(modes, b, c, x[b], poles)
    for c in range(count):
        _invert_coupling(modes, jac, c, poles)


@jit
def _teach(modes: Modes, b: int, pull: Any, x: Any, taught: Any) -> None:
    """Rows (j, l): sum_n pull_jn r_ln; rows (j, K + n): sum_m pull_jm t_mn."""
    K, M, B = modes.K, modes.M, modes.el.shape[1]
    taught[:] = 0
    for j in range(K):
        for n in range(M):
            for l in range(K):
                row = (l * M + n) * B
                add(pull[j, n], x[row : row + B], taught[j * (K + M) + l])
            for m in range(M):
                row = modes.teacher[b, m, n * B : (n + 1) * B]
                add(pull[j, m], row, taught[j * (K + M) + K + n])


@jit
def _weigh(re: Any, im: Any, row: Any) -> complex:
    total_re, total_im = 0.0, 0.0
    for k in range(row.size):
        total_re += re[k] * row[k]
        total_im += im[k] * row[k]
    return complex(total_re, total_im)


@jit
def _sum_first(modes: Modes, b: int, c: int, x: Any, poles: Poles) -> None:
    """Sums over modes of wl el rho_i times r_jn and t_mn."""
    K, M, B = modes.K, modes.M, modes.el.shape[1]
    el, wl, re, im = modes.el[b], modes.wl[b], poles.weights[0], poles.weights[1]
    for i in range(K):
        for k in range(B):
            re[k] = wl[k] * el[k] * poles.re[b, c, i * B + k]
            im[k] = wl[k] * el[k] * poles.im[b, c, i * B + k]
        for row in range(K * M):
            poles.first[c, i, row] += _weigh(re, im, x[row * B : (row + 1) * B])
        for m in range(M):
            for n in range(M):
                row = modes.teacher[b, m, n * B : (n + 1) * B]
                poles.first[c, i, (K + m) * M + n] += _weigh(re, im, row)


@jit
def _sum_second(modes: Modes, b: int, c: int, x: Any, poles: Poles) -> None:
    """Sums of wl el kappa_ij times q_lj and r_jn, what reaches q through r included; and of 1."""
    K, M, B = modes.K, modes.M, modes.el.shape[1]
    el, wl = modes.el[b], modes.wl[b]
    # By index: rows that NumPy hands out one by one are not known to be contiguous.
    re, im, through_re, through_im = (
        poles.weights[0], poles.weights[1], poles.weights[2], poles.weights[3],
    )  # fmt: skip
    for i in range(K):
        for j in range(K):
            at = (K + triangle(K, i, j)) * B
            for k in range(B):
                re[k] = wl[k] * el[k] * poles.re[b, c, at + k]
                im[k] = wl[k] * el[k] * poles.im[b, c, at + k]
                through_re[k], through_im[k] = el[k] * re[k], el[k] * im[k]
            rho = slice(i * B, (i + 1) * B)
            multiply_complex(poles.re[b, c, rho], poles.im[b, c, rho], through_re, through_im)
            for f in range(K + M):
                row = (K * M + triangle(K, f, j)) if f < K else j * M + f - K
                poles.second[c, i, j, f] += _weigh(re, im, x[row * B : (row + 1) * B])
                taught = poles.taught[j * (K + M) + f]
                poles.second[c, i, j, f] += _weigh(through_re, through_im, taught)
            for k in range(B):
                poles.third[c, i, j] += complex(re[k], im[k])


@jit
def _invert_coupling(modes: Modes, jac: Coupling, c: int, poles: Poles) -> None:
    """Inverse of 1 - W (pole - J_blocks)^-1 U: U moves the modes, W sums them to overlaps."""
    K, M, size = modes.K, modes.M, jac.units.size
    first, second, third = poles.first[c], poles.second[c], poles.third[c]
    matrix = np.zeros((size, size), np.complex128)
    for a in range(size):
        D, G = jac.moved_drift[a], jac.moved_noise[a]
        for i in range(K):
            for n in range(M):
                for f in range(K + M):
                    matrix[i * M + n, a] -= D[i, f] * first[i, f * M + n]
            for j in range(K):
                row = K * M + triangle(K, i, j)
                for f in range(K + M):
                    matrix[row, a] -= (2.0 if i == j else 1.0) * D[i, f] * second[i, j, f]
                if j >= i:
                    matrix[row, a] -= modes.eta * G[i, j] * third[i, j]
        for row in range(size):
            matrix[row, a] /= jac.units[row]
        matrix[a, a] += 1
    _inverse(matrix, poles.inverses[c])


@jit
def _inverse(matrix: Any, out: Any) -> None:
    """Gauss-Jordan with row pivots; LAPACK's threads cost more than they bring at these sizes."""
    size = matrix.shape[0]
    out[:] = 0
    for a in range(size):
        out[a, a] = 1
    for a in range(size):
        pivot = a
        for row in range(a + 1, size):
            if abs(matrix[row, a]) > abs(matrix[pivot, a]):
                pivot = row
        for k in range(size):
            matrix[a, k], matrix[pivot, k] = matrix[pivot, k], matrix[a, k]
            out[a, k], out[pivot, k] = out[pivot, k], out[a, k]
        scale = 1 / matrix[a, a]
        for k in range(size):
            matrix[a, k] *= scale
            out[a, k] *= scale
        for row in range(size):
            factor = matrix[row, a]
            if row != a and factor != 0:
                for k in range(size):
                    matrix[row, k] -= factor * matrix[a, k]
                    out[row, k] -= factor * out[a, k]
