"""Equal steps for Gaussian averages of analytic functions: the trapezoidal rule in one and two z.

Method
    For f analytic up to a distance `a` from the real axis, the sum over z = h n with the weights
    h exp(-z^2/2)/sqrt(2 pi) misses E[f(z)], z ~ N(0, 1), by

        exp(-2 pi a/h + a^2/2)   for a < 2 pi/h,      exp(-2 pi^2/h^2)   for larger a,

    the Fourier transform of f(z) exp(-z^2/2) at 2 pi/h. For a function of sigma z the distance is
    a/sigma: small fields need few nodes. In two variables the nodes beyond a circle are left out.

References
    Trefethen & Weideman, SIAM Rev. 56, 385 (2014).
"""

from __future__ import annotations

import math

import numpy as np

from .averages import Array

__all__ = ["disc", "hermite_weights", "line", "reach", "step"]

_BEYOND = 6.0
"""exp(-6): the density where nodes end, in units of the accuracy wanted."""


def step(sigma: float, width: float, digits: float) -> float:
    """The largest h with an error exp(-digits), for functions of sigma z analytic up to `width`."""
    largest = math.sqrt(2 * digits)
    a = min(width / sigma, largest) if sigma > 0 else largest
    return 2 * math.pi * a / (digits + a**2 / 2)


def reach(digits: float) -> float:
    """The z at which the density has fallen well below exp(-digits)."""
    return math.sqrt(2 * (digits + _BEYOND))


def line(h: float, radius: float) -> tuple[Array, Array]:
    """Nodes h n, |h n| <= radius, and weights, shapes (nodes,)."""
    n = int(radius / h)
    z: Array = h * np.arange(-n, n + 1, dtype=float)
    w: Array = h * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return z, w


def disc(h: float, radius: float, half: bool) -> tuple[Array, Array]:
    """Nodes of the square lattice in a circle, shape (nodes, 2), and weights, shape (nodes,).

    With `half` only one of z and -z, with twice the weight, for integrands that are even.
    """
    z, w = line(h, radius)
    first, second = (axis.ravel() for axis in np.meshgrid(z, z, indexing="ij"))
    weights = np.outer(w, w).ravel()
    kept = first**2 + second**2 <= radius**2
    if half:
        centre = weights.size // 2
        kept[:centre] = False
        weights[centre + 1 :] *= 2
    return np.stack([first[kept], second[kept]], axis=1), weights[kept]


def hermite_weights(z: Array, weights: Array, terms: int) -> Array:
    """w(z) He_k(z)/sqrt(k!), k < terms, shape (terms, nodes): the rule for Hermite coefficients."""
    rows = np.empty((terms, len(z)))
    rows[0] = weights
    if terms > 1:
        rows[1] = z * weights
    for k in range(1, terms - 1):
        rows[k + 1] = (z * rows[k] - math.sqrt(k) * rows[k - 1]) / math.sqrt(k + 1)
    return rows
