"""The modes in blocks that fit a processor's cache: storage, and loops over contiguous numbers.

Summary
    Given D and G the modes are linear and independent. B of them are stored together, row after
    row, so that every inner loop runs over contiguous numbers (vector instructions) and all rows
    of a block stay in the cache while a step works on it. The last block is padded with modes of
    eigenvalue and weight zero.

Notation
    state of a block : p = K M + K (K + 1)/2 rows of B numbers in one array (p B,): r_in, then
    q_ij with i <= j; el = eta lam_k, wl = w_k lam_k. In the eigenbasis of D^x (eigenvalues v_i)
    the blocks of the Jacobian are triangular and are inverted entry by entry:
    rho_i = 1/(pole - el v_i), kappa_ij = 1/(pole - el (v_i + v_j)).

References
    [YO19] Yoshida & Okada (the modes are linear given Q and R).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

__all__ = [
    "Modes", "add", "decay", "divide", "divide_complex", "dot", "drift", "invert",
    "jit", "largest",
    "mix", "multiply_complex", "rotate", "sums", "triangle", "write_overlaps",
]  # fmt: skip

# Sums may be reordered, which lets them be vectorised; infinities and NaN keep their meaning.
jit = njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})


class Modes(NamedTuple):
    """What does not move: sizes, eigenvalues, teacher, learning rate; n blocks of B modes.

    Attributes
    ----------
    K, M : int
    weights : (K+M,)
        Signed output weights s.
    noise, eta, decay : float
        Variance of the label noise, learning rate, eta times the weight decay.
    el, wl : (n, B)
        eta lam_k and w_k lam_k; zero where the last block is padded.
    teacher : (n, M, M B)
        t_k, in a block M rows t_mn, n = 1..M, after one another.
    fixed : (M, M)
        T, the macroscopic overlaps of the teacher.
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


@jit
def triangle(K: int, i: int, j: int) -> int:
    """Position of q_ij among the entries on and above the diagonal."""
    low, high = min(i, j), max(i, j)
    return low * K - low * (low - 1) // 2 + high - low


@jit
def add(scale: float, x: Any, out: Any) -> None:
    """Out += scale x."""
    for k in range(out.size):
        out[k] += scale * x[k]


@jit
def add_two(a: float, x: Any, b: float, y: Any, out: Any) -> None:
    """Out += a x + b y."""
    for k in range(out.size):
        out[k] += a * x[k] + b * y[k]


@jit
def begin_two(constant: float, a: float, x: Any, b: float, y: Any, out: Any) -> None:
    """Out = constant + a x + b y."""
    for k in range(out.size):
        out[k] = constant + a * x[k] + b * y[k]


@jit
def _multiply(x: Any, out: Any) -> None:
    for k in range(out.size):
        out[k] *= x[k]


@jit
def dot(x: Any, y: Any) -> float:
    """Sum over k of x_k y_k."""
    total = 0.0
    for k in range(x.size):
        total += x[k] * y[k]
    return total


@jit
def largest(x: Any, peak: int) -> int:
    """The larger of `peak` and the largest |x_k|, as the bits of a double.

    The bits of positive doubles are ordered like the doubles, NaN above infinity: no NaN is lost.
    """
    bits = x.view(np.int64)
    for k in range(bits.size):
        peak = max(peak, bits[k] & 0x7FFFFFFFFFFFFFFF)
    return peak


@jit
def mix(weights: Any, rows: Any, out: Any) -> None:
    """Out = sum over i of weights_i rows_i, an odd number of them.

    Two rows at a time: `out` is read and written half as often.
    """
    for k in range(out.size):
        out[k] = weights[0] * rows[0, k]
    for i in range(1, weights.size, 2):
        add_two(weights[i], rows[i], weights[i + 1], rows[i + 1], out)


@jit
def sums(wl: Any, x: Any, out: Any) -> None:
    """Out_row += sum over k of wl_k x_row,k."""
    B = wl.size
    for row in range(out.size):
        out[row] += dot(wl, x[row * B : (row + 1) * B])


@jit
def _known_row(modes: Modes, b: int, x: Any, f: int) -> Any:
    """Rows r_fn, n = 1..M, of a block; those of the teacher from f = K on."""
    K, length = modes.K, modes.M * modes.el.shape[1]
    return x[f * length : (f + 1) * length] if f < K else modes.teacher[b, f - K]


@jit
def _own_row(modes: Modes, x: Any, j: int, f: int) -> Any:
    """The row q_fj of a block; r_jn for f = K + n."""
    K, M, B = modes.K, modes.M, modes.el.shape[1]
    at = (K * M + triangle(K, f, j)) * B if f < K else (j * M + f - K) * B
    return x[at : at + B]


@jit
def write_overlaps(modes: Modes, b: int, x: Any, out: Any) -> None:
    """Overlaps [[q, r], [r^T, t]] of the modes of block b into their rows of out (L, K+M, K+M)."""
    K, M, B = modes.K, modes.M, modes.el.shape[1]
    for k in range(min(B, out.shape[0] - b * B)):
        here = out[b * B + k]
        for i in range(K):
            for j in range(K):
                here[i, j] = x[(K * M + triangle(K, i, j)) * B + k]
            for n in range(M):
                here[i, K + n] = here[K + n, i] = x[(i * M + n) * B + k]
        for m in range(M):
            for n in range(M):
                here[K + m, K + n] = modes.teacher[b, m, n * B + k]


@jit
def drift(modes: Modes, b: int, D: Any, G: Any, x: Any, out: Any, half: Any) -> None:
    """Out = el (D c_k, transposed for q, and eta G) in block b; half is scratch (K K B,).

    Two terms at a time, like `mix`.
    """
    K, M, F, el = modes.K, modes.M, modes.K + modes.M, modes.el[b]
    B = el.size
    for i in range(K):
        row = out[i * M * B : (i + 1) * M * B]
        one, two = _known_row(modes, b, x, 0), _known_row(modes, b, x, 1)
        begin_two(0.0, D[i, 0], one, D[i, 1], two, row)
        for f in range(2, F - 1, 2):
            one, two = _known_row(modes, b, x, f), _known_row(modes, b, x, f + 1)
            add_two(D[i, f], one, D[i, f + 1], two, row)
        if F % 2:
            add(D[i, F - 1], _known_row(modes, b, x, F - 1), row)
        for n in range(M):
            _multiply(el, row[n * B : (n + 1) * B])
    for i in range(K):
        for j in range(K):
            row = half[(i * K + j) * B : (i * K + j + 1) * B]
            one, two = _own_row(modes, x, j, 0), _own_row(modes, x, j, 1)
            begin_two(0.5 * modes.eta * G[i, j], D[i, 0], one, D[i, 1], two, row)
            for f in range(2, F - 1, 2):
                one, two = _own_row(modes, x, j, f), _own_row(modes, x, j, f + 1)
                add_two(D[i, f], one, D[i, f + 1], two, row)
            if F % 2:
                add(D[i, F - 1], _own_row(modes, x, j, F - 1), row)
    _symmetric(modes, b, half, out[K * M * B :])


@jit
def _symmetric(modes: Modes, b: int, half: Any, q: Any) -> None:
    """Rows q_ij = el (half_ij + half_ji)."""
    K, el, at = modes.K, modes.el[b], 0
    B = el.size
    for i in range(K):
        for j in range(i, K):
            row, one, two = q[at : at + B], half[(i * K + j) * B :], half[(j * K + i) * B :]
            for k in range(B):
                row[k] = el[k] * (one[k] + two[k])
            at += B


@jit
def decay(modes: Modes, x: Any, out: Any) -> None:
    """Out -= the weight decay's pull on x."""
    if modes.decay != 0:
        teachers = modes.K * modes.M * modes.el.shape[1]
        add(-modes.decay, x[:teachers], out[:teachers])
        add(-2 * modes.decay, x[teachers:], out[teachers:])


@jit
def rotate(modes: Modes, V: Any, x: Any, out: Any, half: Any) -> None:
    """R -> V^T r, q -> V^T q V in a block; V may be any orthogonal matrix."""
    K, M, B = modes.K, modes.M, modes.el.shape[1]
    for i in range(K):
        row = out[i * M * B : (i + 1) * M * B]
        row[:] = 0
        for j in range(K):
            add(V[j, i], x[j * M * B : (j + 1) * M * B], row)
    q, at = x[K * M * B :], K * M * B
    for i in range(K):
        for b in range(K):
            row = half[(i * K + b) * B : (i * K + b + 1) * B]
            row[:] = 0
            for a in range(K):
                position = triangle(K, a, b) * B
                add(V[a, i], q[position : position + B], row)
    for i in range(K):
        for j in range(i, K):
            row = out[at : at + B]
            row[:] = 0
            for b in range(K):
                add(V[b, j], half[(i * K + b) * B : (i * K + b + 1) * B], row)
            at += B


@jit
def _rates(modes: Modes, values: Any, entry: int) -> tuple[float, float]:
    """Eigenvalue and decay of rho_i (entry < K), or of kappa_ij (entries K, K + 1, ...)."""
    K = modes.K
    if entry < K:
        return values[entry], modes.decay
    position = K
    for i in range(K):
        for j in range(i, K):
            if position == entry:
                return values[i] + values[j], 2 * modes.decay
            position += 1
    return 0.0, 0.0


@jit
def invert(
    modes: Modes, b: int, values: Any, re: float, im: float, out_re: Any, out_im: Any
) -> None:
    """Rho and kappa of the pole re + i im: K + K(K+1)/2 rows, real and imaginary parts."""
    el, B = modes.el[b], modes.el.shape[1]
    for entry in range(out_re.size // B):
        rate, lost = _rates(modes, values, entry)
        row_re, row_im = out_re[entry * B :], out_im[entry * B :]
        for k in range(B):
            distance = re + lost - el[k] * rate
            size = 1 / (distance * distance + im * im)
            row_re[k] = distance * size
            row_im[k] = -im * size


@jit
def _pull(modes: Modes, b: int, pull: Any, x: Any) -> None:
    """Rows q_ij += el (pull r^T + transposed)_ij, pull = V^T D^y."""
    K, M, el = modes.K, modes.M, modes.el[b]
    B = el.size
    at = K * M * B
    for i in range(K):
        for j in range(i, K):
            row = x[at : at + B]
            for n in range(M):
                one, two = x[(j * M + n) * B :], x[(i * M + n) * B :]
                left, right = pull[i, n], pull[j, n]
                for k in range(B):
                    row[k] += el[k] * (left * one[k] + right * two[k])
            at += B


@jit
def divide(modes: Modes, b: int, pull: Any, inverse: Any, x: Any) -> None:
    """X := (pole - J_k)^-1 x without the coupling of the modes, pull = V^T D^y."""
    K, M, B = modes.K, modes.M, modes.el.shape[1]
    for i in range(K):
        for n in range(M):
            at = (i * M + n) * B
            _multiply(inverse[i * B : (i + 1) * B], x[at : at + B])
    _pull(modes, b, pull, x)
    _multiply(inverse[K * B :], x[K * M * B :])


@jit
def divide_complex(
    modes: Modes, b: int, pull: Any, inverse_re: Any, inverse_im: Any, re: Any, im: Any
) -> None:
    """The same for a complex pole, real and imaginary parts apart."""
    K, M, B = modes.K, modes.M, modes.el.shape[1]
    for i in range(K):
        here = slice(i * B, (i + 1) * B)
        for n in range(M):
            row = slice((i * M + n) * B, (i * M + n + 1) * B)
            multiply_complex(inverse_re[here], inverse_im[here], re[row], im[row])
    _pull(modes, b, pull, re)
    _pull(modes, b, pull, im)
    multiply_complex(inverse_re[K * B :], inverse_im[K * B :], re[K * M * B :], im[K * M * B :])


@jit
def multiply_complex(x_re: Any, x_im: Any, re: Any, im: Any) -> None:
    """Multiply re + i im by x_re + i x_im, entry by entry."""
    for k in range(re.size):
        real = re[k] * x_re[k] - im[k] * x_im[k]
        im[k] = re[k] * x_im[k] + im[k] * x_re[k]
        re[k] = real
