"""E[f(a) f(b)] of many Gaussian fields by Mehler's series, for activations without closed forms.

Mathematics
    With the Hermite coefficients c_n(q) = E[f(sqrt(q) z) He_n(z)]/sqrt(n!), z ~ N(0, 1),

        E[f(a) f(b)] = sum_n c_n(C_aa) c_n(C_bb) rho^n,    rho = C_ab/sqrt(C_aa C_bb),

    and what n >= N leave out is at most sqrt(t_N(C_aa) t_N(C_bb)), t_N(q) = E[f(sqrt(q) z)^2] -
    sum_{n<N} c_n(q)^2 (Parseval, Cauchy-Schwarz), whatever rho is. Each field a has its own N, the
    smallest for which that is `ACCURACY` of the largest E[f^2] with the worst of all b:
    coefficients fall like exp(-width sqrt(2 n/q)), width the distance of the nearest singularity of
    f from the real axis (pi/2 for tanh), and most fields are smaller than the largest.

    Coefficients are trapezoidal sums (`numerics.lattice`); twice the step must give the same.

References
    Mehler, J. reine angew. Math. 66, 161 (1866); Trefethen & Weideman, SIAM Rev. 56, 385 (2014).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from theory.activations import Activation

from .lattice import hermite_weights, line
from .pointwise import pointwise
from .storage import Array

__all__ = ["ACCURACY", "FeatureSeries", "feature_series"]

ACCURACY = 1e-12
"""Largest error of an entry, in units of the largest E[f^2]."""

SIZES = (64, 128, 256, 512, 1024, 2048, 4096)
"""Numbers of terms that are tried; a series that needs more is refused."""

HALVINGS = 6
"""Of the step of the quadrature, before it is given up."""

TYPICAL, FIELDS = 16, 2048
"""Fields by which the rule is chosen, from the smallest to the largest, and taken at once by it."""

COLUMNS = 64
"""Columns that the loops take at once: their coefficients stay in the cache."""


@dataclass(frozen=True, eq=False)
class FeatureSeries:
    """Coefficients of d fields.

    Attributes
    ----------
    deviations : (d,)
        sqrt(C_aa).
    coefficients : (N, d)
        c_n(C_aa).
    totals : (d,)
        E[f(a)^2].
    terms : (d,)
        Number of terms for each field a with any other.
    """

    deviations: Array
    coefficients: Array
    totals: Array
    terms: Array

    @property
    def error(self) -> float:
        """Bound on what all the terms leave out of an entry, in units of the largest E[f^2]."""
        missed = self.totals - np.sum(self.coefficients**2, axis=0)
        return float(missed.max() / self.totals.max())

    def apply(self, block: Array, rows: slice, columns: slice) -> None:
        """Replace C_ab by E[f(a) f(b)], a in `rows`, b in `columns`."""
        block /= self.deviations[rows, None]
        block /= self.deviations[columns]
        left = np.ascontiguousarray(self.coefficients[:, rows])
        right = np.ascontiguousarray(self.coefficients[:, columns])
        _sum(block, left, right, self.terms[rows])


def feature_series(activation: Activation, variances: Array) -> FeatureSeries:
    """The series of fields with these variances, shape (d,), to `ACCURACY`.

    Raises
    ------
    ValueError
        If the activation jumps or has a kink (and no closed form): its series does not converge
        fast enough to be one.
    ArithmeticError
        If the series needs too many terms: f is too steep for fields of this size.
    """
    if pointwise(activation).kink:
        raise ValueError(
            f"the covariance of {activation} has no closed form here, and its Hermite series "
            "converges too slowly because of the kink: use x^m (p + q sign x), or a smooth function"
        )
    deviations = np.sqrt(variances)
    typical = np.quantile(deviations, np.linspace(0, 1, TYPICAL))
    for terms in SIZES:
        z, w = _nodes(activation, typical, terms)
        kept = _needed(*_coefficients(activation, typical, z, hermite_weights(z, w, terms)))
        if kept < terms:
            break
    weights = hermite_weights(z, w, kept)
    parts = np.array_split(deviations, math.ceil(len(deviations) / FIELDS))
    found = [_coefficients(activation, part, z, weights) for part in parts]
    series = FeatureSeries(
        deviations,
        np.concatenate([coefficients for coefficients, _ in found], axis=1),
        np.concatenate([totals for _, totals in found]),
        _lengths(found),
    )
    if series.error > ACCURACY:
        raise ArithmeticError(
            f"the Hermite series of {activation} misses {series.error:.1e} of E[f^2] after {kept} "
            f"terms at variances up to {float(variances.max()):.3g}: use a smoother activation, "
            "or smaller weights"
        )
    return series


def _nodes(activation: Activation, deviations: Array, terms: int) -> tuple[Array, Array]:
    """Nodes and weights that give c_n, n < `terms`, of all these fields to rounding.

    Raises
    ------
    ArithmeticError
        If the trapezoidal rule does not settle, or f is too large.
    """
    # He_n exp(-z^2/4)/sqrt(n!) oscillates with frequencies up to sqrt(n)
    digits = -math.log(np.finfo(float).eps)
    step = 2 * math.pi / (math.sqrt(terms) + 2 * math.sqrt(2 * digits))
    for _ in range(HALVINGS):
        (z, w), (y, v) = (line(h, math.sqrt(4 * digits)) for h in (step, 2 * step))
        sharp, total = _coefficients(activation, deviations, z, hermite_weights(z, w, terms))
        rough, _ = _coefficients(activation, deviations, y, hermite_weights(y, v, terms))
        if not np.all(np.isfinite(total)):
            break
        if abs(sharp - rough).max() <= ACCURACY / 10 * math.sqrt(total.max()):
            return z, w
        step /= 2
    raise ArithmeticError(
        f"the Hermite coefficients of {activation} do not settle at the variance "
        f"{float(deviations.max()) ** 2:.3g}: it is too steep or too large; use a smoother "
        "activation, or smaller weights"
    )


def _coefficients(
    activation: Activation, deviations: Array, z: Array, weights: Array
) -> tuple[Array, Array]:
    """c_n, shape (N, d), and E[f^2], shape (d,), by the rule `weights`, shape (N, nodes)."""
    values = pointwise(activation).g(np.outer(z, deviations))
    return weights @ values, weights[0] @ values**2


def _needed(coefficients: Array, totals: Array) -> int:
    """The number of terms after which a tenth of `ACCURACY` is left of E[f^2], if so many do."""
    enough = _tails(coefficients, totals)[1:].max(axis=1) <= ACCURACY / 10 * totals.max()
    return int(np.argmax(enough)) + 1 if enough.any() else len(coefficients)


def _lengths(found: list[tuple[Array, Array]]) -> Array:
    """The smallest N of each field with sqrt(t_N t_N') <= `ACCURACY` for the worst other field."""
    tails = [_tails(*each) for each in found]
    worst = np.max([tail.max(axis=1) for tail in tails], axis=0)
    square = (ACCURACY * max(totals.max() for _, totals in found)) ** 2
    lengths = [np.sum(tail * worst[:, None] > square, axis=0) for tail in tails]
    return np.minimum(np.concatenate(lengths), len(worst) - 1)


def _tails(coefficients: Array, totals: Array) -> Array:
    """t_0, ..., t_N, shape (N + 1, d), below zero by rounding set to zero."""
    kept = np.vstack([np.zeros_like(totals), np.cumsum(coefficients**2, axis=0)])
    return np.maximum(totals - kept, 0.0)


@njit(cache=True)
def _sum(block: Array, left: Array, right: Array, terms: Array) -> None:
    """Replace rho by sum_n left_n right_n rho^n, even and odd n by Horner's rule in rho^2 each."""
    rows, columns = block.shape
    for start in range(0, columns, COLUMNS):
        stop = min(start + COLUMNS, columns)
        for i in range(rows):
            rho = block[i, start:stop]
            square = rho * rho
            sums = np.zeros((2, stop - start))
            for n in range(terms[i] - 1, -1, -1):
                total, factor = sums[n % 2], left[n, i]
                for j in range(stop - start):
                    total[j] = total[j] * square[j] + factor * right[n, start + j]
            for j in range(stop - start):
                block[i, start + j] = sums[0, j] + rho[j] * sums[1, j]
