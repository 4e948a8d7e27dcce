"""Radau IIA collocation of any number of stages, to any number of digits.

Summary
    Nodes by Newton's iteration, coefficients in closed form: Radau quadrature is exact to degree
    2s - 2, so the Legendre coefficients of the s cardinal polynomials are its sums.

Notation
    c_1 < ... < c_s = 1 : nodes, zeros of P_s - P_(s-1) in 2c - 1; b : weights of the quadrature;
    A : coefficients, stage increments z = h A f.

References
    Hairer & Wanner, Solving Ordinary Differential Equations II (1996), IV.5; Golub, SIAM Review
    15, 318 (1973) (Radau quadrature); Berrut & Trefethen, SIAM Review 46, 501 (2004)
    (barycentric weights).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath as mp
import numpy as np
from scipy.special import roots_jacobi

__all__ = ["Collocation", "collocation"]


@dataclass(frozen=True, eq=False)
class Collocation:
    """Nodes and coefficients as object arrays of mpf.

    Attributes
    ----------
    nodes : (s,)
    coefficients : (s, s)
        A: integrals from 0 to c_i of the j-th cardinal polynomial.
    barycentric : (s,)
        1 / (c_j prod_(m != j) (c_j - c_m)): weights of the leading coefficient of the polynomial
        of degree s through zero at 0 and given values at the nodes.
    """

    nodes: Any
    coefficients: Any
    barycentric: Any

    def weights(self, at: Any) -> list[Any]:
        """Weights of the values at the nodes in that polynomial at the time `at`, an mpf."""
        below, above = [at], [mp.mpf(1)]
        for c in self.nodes[:-1]:
            below.append(below[-1] * (at - c))
        for c in self.nodes[:0:-1]:
            above.append(above[-1] * (at - c))
        return [v * b * a for v, b, a in zip(self.barycentric, below, above[::-1], strict=True)]


@cache
def collocation(stages: int, digits: int) -> Collocation:
    """The method with `stages` stages, of order 2 stages - 1, to `digits` digits.

    Raises
    ------
    ValueError
        If the number of stages is below two.
    """
    if stages < 2:
        raise ValueError(f"stages must be at least 2, found {stages}")
    with mp.workdps(digits + 10):
        nodes = _nodes(stages)
        legendre = [_legendre(stages, 2 * c - 1) for c in nodes]
        # Quadrature weights on [0, 1]; the factor 2n + 1 normalises P_n.
        weights = [c / (stages * P[stages - 1]) ** 2 for c, P in zip(nodes, legendre, strict=True)]
        integrals = [
            [c] + [(P[n + 1] - P[n - 1]) / 2 for n in range(1, stages)]
            for c, P in zip(nodes, legendre, strict=True)
        ]
        coefficients = [
            [b * mp.fdot(row, P[:stages]) for b, P in zip(weights, legendre, strict=True)]
            for row in integrals
        ]
        barycentric = [
            1 / (c * mp.fprod(c - other for other in nodes if other is not c)) for c in nodes
        ]
        return Collocation(np.array(nodes), np.array(coefficients), np.array(barycentric))


def _legendre(stages: int, x: Any) -> list[Any]:
    """P_0(x) ... P_stages(x)."""
    values = [mp.mpf(1), x]
    for n in range(1, stages):
        values.append(((2 * n + 1) * x * values[n] - n * values[n - 1]) / (n + 1))
    return values


def _nodes(stages: int) -> list[Any]:
    """Zeros of P_s - P_(s-1) on [0, 1], increasing; the last is 1."""
    # They are those of a Jacobi polynomial, and 1; SciPy has them as doubles.
    near = roots_jacobi(stages - 1, 1, 0)[0]
    return [_polished(stages, mp.mpf(float(x))) for x in near] + [mp.mpf(1)]


def _polished(stages: int, x: Any) -> Any:
    """Newton's iteration for P_s - P_(s-1) from a double: the digits double each time."""
    reached = 12
    while reached < 2 * mp.mp.dps:
        P = _legendre(stages, x)
        slopes = [n * (P[n - 1] - x * P[n]) / (1 - x * x) for n in (stages, stages - 1)]
        x -= (P[stages] - P[stages - 1]) / (slopes[0] - slopes[1])
        reached *= 2
    return (1 + x) / 2
