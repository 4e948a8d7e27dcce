"""Gaussian averages by quadrature, for analytic activations without closed forms (tanh, GELU).

Method
    Fields are built from independent normal variables z, with which they are linear.

    * two points: (x_a/sigma_a, x_b/sigma_b) = sqrt((1 + rho)/2) z_1 +- sqrt((1 - rho)/2) z_2, on
      the lattice of `numerics.lattice`: a function of the covariance that is symmetric in a and b,
      so that D and eps_g of a perfect student vanish;
    * four points: given (x_i, x_j) on such a lattice, all other pairs (f, h) at once by Mehler's
      formula

          E[g(x_f) g(x_h) | x_i, x_j] = sum_k c_k(f) c_k(h) rho_fh^k,

      c_k(f) = E[g(m_f + s_f z) He_k(z)]/sqrt(k!) the Hermite coefficients at the conditional mean
      and spread, rho_fh the conditional correlation. What the terms k < p leave out of E[g(x_f)^2]
      is taken as the square of one last coefficient: then E[(zeta - sigma)^2 | x_i, x_j] is a
      square, which vanishes for a perfect student, and for f != h the error is below |rho|^p.

Accuracy
    All steps follow from two numbers: the accuracy wanted, and a width, up to which g counts as
    analytic around the real axis. As the fields and their correlations change, so does the number
    of nodes and of terms: few for small fields. Coefficients fall like exp(-(width/s) sqrt(k)),
    which ends the series where rho does not.

Cost
    At accuracy 1e-8 some 500 nodes (x_i, x_j) and 25 nodes z for each of the other fields:
    K (K + 1)/2 (K + M) 10^4 values of g, times 10 terms.

References
    [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995), for the averages;
    Mehler, J. reine angew. Math. 66, 161 (1866); Trefethen & Weideman, SIAM Rev. 56, 385 (2014).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .averages import Array, PairAverages, PairRule, given
from .lattice import disc, hermite_weights, line, reach, step
from .pointwise import Pointwise, pointwise

__all__ = ["Quadrature"]

_FACTORS = math.log(1e4)
"""Poles of a product of several factors have a higher order: what this adds to the digits."""
_SINGLE = math.log(1e2)
"""The same for a single factor."""
_COINCIDENT = 1.5
"""Steps are smaller by this where the poles of all factors may coincide, on lines and in pairs."""
_BLOCK = 2**17
"""Values of g that are held at once."""


@dataclass(frozen=True)
class Quadrature(PairRule):
    """The averages of one analytic activation.

    Parameters
    ----------
    activation, K, c, label_noise
        As in `PairRule`; the activation analytic.
    accuracy : float
        Wanted, in units of the largest average; reached if `width` is small enough.
    width : float
        Half-width of the strip around the real axis in which g counts as analytic and moderate;
        pi/2 for tanh.

    Raises
    ------
    ValueError
        If the activation has a kink.
    """

    accuracy: float = 1e-8
    width: float = 1.0

    def __post_init__(self) -> None:
        if pointwise(self.activation).kink:
            raise ValueError(
                f"{self.activation} has a kink: use numerics.kinked, or numerics.piecewise_linear"
            )

    def __str__(self) -> str:
        return f"quadrature to {self.accuracy:.0e} in a strip of half-width {self.width:.2g}"

    @property
    def _rounding(self) -> float:
        return self.accuracy

    def error(self, C: Any, noise: bool = True) -> float:
        """Twice the difference to the same with a finer rule, in units of the largest average."""
        sharper = replace(self, accuracy=self.accuracy / 30, width=self.width / 1.25)
        return 2 * self.averages(C, noise).difference(sharper.averages(C, noise))

    @cached_property
    def _functions(self) -> Pointwise:
        return pointwise(self.activation)

    @cached_property
    def _digits(self) -> float:
        """Natural logarithm of 1/accuracy."""
        return -math.log(self.accuracy)

    @cached_property
    def _reach(self) -> float:
        return reach(self._digits)

    def _step(self, sigma: float) -> float:
        return step(sigma, self.width, self._digits + _FACTORS)

    def _pairs(self, C: Array) -> PairAverages:
        """E[g g], E[g' g'] and E[g'' g] of all pairs on one lattice."""
        n, sigma = len(C), np.sqrt(C.diagonal())
        pairs = PairAverages.zeros(self.K, n)
        step = self._step(_COINCIDENT * float(sigma.max()))
        z, w = disc(step, self._reach, self._functions.symmetric)
        for a in range(n):
            rho = C[a, a:] / (sigma[a] * sigma[a:])
            rho = np.clip(rho, -1.0, 1.0)  # beyond by rounding
            along = np.outer(np.sqrt((1 + rho) / 2), z[:, 0])
            across = np.outer(np.sqrt((1 - rho) / 2), z[:, 1])
            x, y = sigma[a] * (along + across), sigma[a:, None] * (along - across)
            self._fill(pairs, a, x, y, w)
        return pairs

    def _fill(self, pairs: PairAverages, a: int, x: Array, y: Array, w: Array) -> None:
        """The pairs (a, b), b >= a, from values x of a and y of b, shapes (b, nodes)."""
        values, slopes, curvatures = pairs
        functions, K = self._functions, self.K
        ga, gb = functions.g(x), functions.g(y)
        values[a, a:] = values[a:, a] = (ga * gb) @ w
        if a >= K:
            return
        slopes[a, a:] = (functions.slope(x) * functions.slope(y)) @ w
        slopes[a:, a] = slopes[a, a:K]
        curvatures[a, a:] = (functions.second(x) * gb) @ w
        curvatures[a:, a] = (functions.second(y[: K - a]) * ga[: K - a]) @ w

    def _square(self, C: Array, i: int, j: int) -> float:
        """E[g'(x_i) g'(x_j) (sum_f s_f g(x_f))^2]."""
        directions, residual = given(C, i, j)
        largest = math.sqrt(np.max(np.sum(directions**2, axis=0)))
        if len(directions) == 1:
            z, w = line(self._step(_COINCIDENT * largest), self._reach)
            z = z[:, None]
        else:
            z, w = disc(self._step(largest), self._reach, self._functions.symmetric)
        rest = np.array([f for f in range(len(C)) if f not in (i, j)], dtype=int)
        signs = np.where(np.arange(len(C)) < self.K, -1.0, 1.0)
        others = _Others(self, residual[np.ix_(rest, rest)], signs[rest])
        g, slope = self._functions.g, self._functions.slope
        blocks = []
        for block in range(0, len(w), others.block):
            means = (z[block : block + others.block] @ directions).T
            own = sum(signs[f] * g(means[f]) for f in {i, j})
            weights = w[block : block + others.block] * slope(means[i]) * slope(means[j])
            blocks.append(weights @ others.square(means[rest], own))
        return math.fsum(blocks)


class _Others:
    """The fields other than (x_i, x_j), given these two.

    Parameters
    ----------
    rule : Quadrature
    residual : array, shape (F, F)
        Their conditional covariance.
    signs : array, shape (F,)

    Attributes
    ----------
    block : int
        Number of nodes (x_i, x_j) to take at once.
    """

    def __init__(self, rule: Quadrature, residual: Array, signs: Array) -> None:
        self._g = rule._functions.g
        self._signs = signs
        # a negative variance is zero but for rounding
        self._spreads = np.sqrt(np.maximum(residual.diagonal(), 0.0))
        scales = np.outer(self._spreads, self._spreads)
        rho = np.divide(residual, scales, out=np.zeros_like(residual), where=scales > 0)
        rho = np.clip(rho, -1.0, 1.0)
        np.fill_diagonal(rho, 0.0)
        largest, strongest = (float(np.max(a, initial=0.0)) for a in (self._spreads, np.abs(rho)))
        np.fill_diagonal(rho, 1.0)
        digits = rule._digits + _SINGLE
        terms = _terms(largest, strongest, rule.width, digits)
        # the second bound is for the polynomials, which oscillate like cos(sqrt(k) z)
        polynomial = 2 * math.pi / (math.sqrt(terms) + math.sqrt(2 * digits))
        self._z, w = line(min(step(largest, rule.width, digits), polynomial), rule._reach)
        self._weights = hermite_weights(self._z, w, terms)
        powers = np.arange(1, terms + 1)[:, None, None]
        self._couplings = np.outer(signs, signs) * rho**powers
        self.block = max(1, _BLOCK // max(1, len(signs) * len(self._z)))

    def square(self, means: Array, own: Array) -> Array:
        """E[(own + sum_f s_f g(x_f))^2] at the conditional means (F, nodes), shape (nodes,)."""
        x = means[:, :, None] + self._spreads[:, None, None] * self._z
        centre = self._g(means)
        # differences to the centre: a determined field has none, whatever the nodes
        g = (self._g(x) - centre[:, :, None]).reshape(-1, len(self._z))
        c = np.empty((len(self._weights) + 1, *means.shape))
        np.matmul(self._weights, g.T, out=c[:-1].reshape(len(self._weights), -1))
        rest = ((g * g) @ self._weights[0]).reshape(means.shape) - np.sum(c[:-1] ** 2, axis=0)
        c[-1] = np.sqrt(np.maximum(rest, 0.0))  # below zero by rounding
        coupled = np.sum((self._couplings @ c[1:]) * c[1:], axis=(0, 1))
        return np.asarray((own + self._signs @ (centre + c[0])) ** 2 + coupled)


def _terms(spread: float, rho: float, width: float, digits: float) -> int:
    """The number of terms c_k(f) c_k(h) rho^k above exp(-digits).

    With A = width/spread they are below k! A^(-2k) for k < A^2 (Cauchy's estimate of g^(k)), then
    they fall like exp(-2 A sqrt(k)), and at all k like rho^k.
    """
    if spread == 0 or rho == 0:
        return 1
    decay, fall = width / spread, -math.log(rho)
    last = math.ceil((digits / (decay + math.sqrt(decay**2 + fall * digits))) ** 2)
    k = 1
    while k < decay**2 and k * (fall + 2 * math.log(decay)) - math.lgamma(k + 1) < digits:
        k += 1
    return max(k, 1 + last)
