"""Gaussian averages by quadrature, for activations with a kink at zero that are not straight (ELU).

Method
    As in `numerics.quadrature`: two fields at once, and the others given these two by Mehler's
    formula. The nodes differ, so that no kink lies inside an interval:

    * (x_a, x_b) in polar coordinates, where a field vanishes along a ray: Gauss-Legendre in the
      sectors between these rays, and along each;
    * E[g''(a) g(b)] = (E[a g'(a) g(b)] - C_ab E[g'(a) g'(b)])/C_aa (Stein), as g'' is no function;
    * the Hermite coefficients of x_f = m_f + s_f z by Gauss-Legendre on both sides of
      z = -m_f/s_f. They fall like a power of k, so that the series converges like |rho|^order.

Cost
    At order p: some (K + M) p^2/3 nodes (x_i, x_j) with p^2 operations for each of the other
    fields, K (K + 1)/2 times.

References
    [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995), for the averages;
    Golub & Welsch, Math. Comp. 23, 221 (1969); Mehler, J. reine angew. Math. 66, 161 (1866).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .averages import Array, PairAverages, PairRule, given
from .pointwise import Pointwise, pointwise

__all__ = ["KinkedQuadrature"]

_REACH = 9.0
"""The normal density is left out beyond 9 standard deviations (its mass there is 2e-19)."""


@dataclass(frozen=True)
class KinkedQuadrature(PairRule):
    """The averages of one activation with a kink at zero.

    Parameters
    ----------
    activation, K, c, label_noise
        As in `PairRule`; the activation continuous, analytic on both sides of zero.
    order : int
        Nodes z of a conditional average, and terms of its series.

    Raises
    ------
    ValueError
        If the activation has no kink at zero, or another one.
    """

    order: int = 24

    def __post_init__(self) -> None:
        if not pointwise(self.activation).kink:
            raise ValueError(f"{self.activation} has no kink: use numerics.quadrature")

    def __str__(self) -> str:
        return f"quadrature of order {self.order} on both sides of the kink"

    def error(self, C: Any, noise: bool = True) -> float:
        """Difference to the same at 3/2 of the order, in units of the largest average."""
        sharper = replace(self, order=3 * self.order // 2)
        return self.averages(C, noise).difference(sharper.averages(C, noise))

    @cached_property
    def _functions(self) -> Pointwise:
        return pointwise(self.activation)

    @cached_property
    def _legendre(self) -> tuple[Array, Array]:
        return np.polynomial.legendre.leggauss(self.order // 2)

    @cached_property
    def _ray(self) -> tuple[Array, Array]:
        """Nodes r on [0, reach] and weights that include the density exp(-r^2/2)/(2 pi)."""
        nodes, weights = self._legendre
        r = _REACH / 2 * (nodes + 1)
        return r, _REACH / 2 * weights * np.exp(-(r**2) / 2) / (2 * np.pi)

    def _fields(self, directions: Array) -> tuple[Array, Array]:
        """Values (n, nodes) of the fields z @ directions, (1 or 2, n), and weights (nodes,)."""
        r, w = self._ray
        if len(directions) == 1:
            values = directions.T * np.concatenate([-r, r])
            return values, np.sqrt(2 * np.pi) * np.concatenate([w, w])
        first, second = directions
        # a field vanishes across its direction, at this angle and opposite
        rays = np.sort(np.mod(np.arctan2(second, first) + np.pi / 2, np.pi))
        rays = np.concatenate([rays, rays + np.pi, rays[:1] + 2 * np.pi])
        nodes, weights = np.polynomial.legendre.leggauss(max(4, self.order // 3))
        half = np.diff(rays)[:, None] / 2
        angles = (rays[:-1, None] + half * (nodes + 1)).ravel()
        circle = np.outer(first, np.cos(angles)) + np.outer(second, np.sin(angles))
        values = (circle[:, :, None] * r).reshape(len(first), -1)
        return values, np.outer(half * weights, w * r).ravel()

    def _pairs(self, C: Array) -> PairAverages:
        """E[g g], E[g' g'] and E[g'' g] of all pairs, each in its own sectors."""
        pairs = PairAverages.zeros(self.K, len(C))
        for a in range(len(C)):
            for b in range(a, len(C)):
                self._fill(pairs, C, a, b)
        return pairs

    def _fill(self, pairs: PairAverages, C: Array, a: int, b: int) -> None:
        values, slopes, curvatures = pairs
        both = [a, b]
        x, w = self._fields(given(C[np.ix_(both, both)], 0, 1)[0])
        g = self._functions.g(x)
        values[a, b] = values[b, a] = w @ (g[0] * g[1])
        if a >= self.K:
            return
        slope = self._functions.slope(x)
        product = w @ (slope[0] * slope[1])
        for f, h, own in ((a, b, 0), (b, a, 1)):
            if f < self.K:
                slopes[f, h] = product
                moment = w @ (x[own] * slope[own] * g[1 - own])
                curvatures[f, h] = (moment - C[a, b] * product) / C[f, f]

    def _square(self, C: Array, i: int, j: int) -> float:
        """E[g'(x_i) g'(x_j) (sum_f s_f g(x_f))^2]."""
        directions, residual = given(C, i, j)
        means, weights = self._fields(directions)
        # what is left of a variance by rounding is none
        spread = np.sqrt(np.maximum(residual.diagonal(), 0.0))
        square = np.zeros(len(weights))
        series: list[Array] = []
        for f in range(len(C)):
            coefficients, second_moment = self._series(means[f], spread[f])
            square += second_moment
            for h, others in enumerate(series):
                terms = min(coefficients.shape[1], others.shape[1])
                rho = residual[f, h] / (spread[f] * spread[h]) if terms > 1 else 0.0
                sign = 1 if (f < self.K) == (h < self.K) else -1
                powers = 2 * sign * np.clip(rho, -1.0, 1.0) ** np.arange(terms)
                square += (coefficients[:, :terms] * others[:, :terms]) @ powers
            series.append(coefficients)
        slopes = self._functions.slope(means[[i, j]])
        return float(weights @ (slopes[0] * slopes[1] * square))

    def _series(self, mean: Array, spread: float) -> tuple[Array, Array]:
        """Hermite coefficients c_k of g at (mean, spread), shape (n, terms), and E[g^2], (n,)."""
        if spread == 0:
            value = self._functions.g(mean)
            return value[:, None], value**2
        z, weights = self._two_sided(mean, spread)
        value = self._functions.g(mean[:, None] + spread * z)
        coefficients = np.empty((len(mean), self.order))
        previous, current = np.zeros_like(z), weights * value
        for k in range(self.order):
            coefficients[:, k] = np.sum(current, axis=1)
            following = (z * current - np.sqrt(k) * previous) / np.sqrt(k + 1)
            previous, current = current, following
        return coefficients, np.sum(weights * value**2, axis=1)

    def _two_sided(self, mean: Array, spread: float) -> tuple[Array, Array]:
        """Nodes z and weights for z ~ N(0, 1) on both sides of the kink of mean + spread z = 0.

        Shapes: `mean` (n,), the results (n, order).
        """
        # a kink beyond the reach leaves one side empty
        kink = np.clip(-mean / spread, -_REACH, _REACH)[:, None]
        nodes, weights = self._legendre
        below, above = (kink + _REACH) / 2, (_REACH - kink) / 2
        z = np.hstack([kink + below * (nodes - 1), kink + above * (nodes + 1)])
        w = np.hstack([below * weights, above * weights])
        return z, w * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
