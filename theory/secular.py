"""Eigenvalues of a diagonal matrix plus a matrix of rank one, to any number of digits.

Mathematics
    diag(p) + a b^T has the eigenvalues mu of 1 = sum_k c_k/(mu - p_k), c_k = a_k b_k. For c_k > 0
    the right side falls from +oo to -oo between neighbouring poles, so that each gap holds one
    root, and one lies above the largest pole, at most sum_k c_k from it.

References
    G. H. Golub & C. F. Van Loan, Matrix Computations (1996), section 8.5.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import mpmath as mp

__all__ = ["secular_roots"]


def secular_roots(poles: Sequence[mp.mpf], strengths: Sequence[mp.mpf]) -> tuple[mp.mpf, ...]:
    """Solve 1 = sum_k c_k/(mu - p_k) at the working precision of mpmath.

    Parameters
    ----------
    poles : p_k, in any order; equal ones count as one, with the sum of their strengths.
    strengths : c_k > 0

    Returns
    -------
    tuple of mpf
        One root per distinct pole, the largest first, each above its pole.
    """
    joined: dict[mp.mpf, mp.mpf] = {}
    for pole, strength in zip(poles, strengths, strict=True):
        joined[pole] = joined.get(pole, mp.mpf(0)) + strength
    ordered = sorted(joined, reverse=True)
    weights = [joined[pole] for pole in ordered]
    return tuple(
        ordered[j] + _offset([ordered[j] - pole for pole in ordered], weights, j)
        for j in range(len(ordered))
    )


def _offset(distances: list[mp.mpf], strengths: list[mp.mpf], j: int) -> mp.mpf:
    """Distance of the root above pole j from that pole; `distances` of all poles below pole j.

    Newton's method, kept within its bracket by bisection.
    """
    gap = None if j == 0 else -distances[j - 1]
    low, high = mp.mpf(0), 2 * mp.fsum(strengths) if gap is None else gap
    x = high / 2
    for _ in range(4 * mp.mp.prec):
        value, slope = _cleared(x, gap, distances, strengths)
        if value == 0:
            return x
        low, high = (x, high) if value < 0 else (low, x)
        new = x - value / slope if slope > 0 else low
        if not low < new < high:
            new = (low + high) / 2
        # A thousand roundings: the sum cancels where strong poles are close on both sides.
        if abs(new - x) <= 1000 * mp.eps * x:
            return new
        x = new
    raise ArithmeticError(f"secular equation: no convergence at the root above pole {j + 1}")


def _cleared(
    x: mp.mpf, gap: mp.mpf | None, distances: list[mp.mpf], strengths: list[mp.mpf]
) -> tuple[mp.mpf, mp.mpf]:
    """1 - sum_k c_k/(x + d_k), times the distances to the poles at both ends, and its slope.

    The factors leave a smooth function with a simple zero.
    """
    terms = [c / (x + d) for c, d in zip(strengths, distances, strict=True)]
    g = 1 - mp.fsum(terms)
    slope = mp.fsum(t / (x + d) for t, d in zip(terms, distances, strict=True))
    factor, change = (x, mp.mpf(1)) if gap is None else (x * (gap - x), gap - 2 * x)
    return factor * g, change * g + factor * slope
