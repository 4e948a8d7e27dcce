"""The Gaussian averages of the order-parameter equations at one covariance, and who supplies them.

Notation
    s_f = -c for students and +c for teachers, so that zeta - sigma = sum_f s_f g(x_f):

        D_if = c s_f E[g'(x_i) g'(x_f)] + delta_if c E[g''(x_i) (zeta - sigma)]
        G_ij = c^2 E[g'(x_i) g'(x_j) ((zeta - sigma)^2 + label_noise)]
        eps_g = E[(zeta - sigma)^2]/2

References
    [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from theory.activations import Activation

__all__ = [
    "Array",
    "Averages",
    "Averaging",
    "IndefiniteCovariance",
    "PairAverages",
    "PairRule",
    "checked_covariance",
    "given",
]

Array = NDArray[np.float64]

_ASYMMETRY = 1e-12
_INDEFINITE = 1e-9
_DETERMINED = 1e-12
"""A conditional variance below this part of the variance is rounding: the field is determined."""
_ROUNDING = 1e-15
"""Averages that differ by less differ by their rounding."""


class IndefiniteCovariance(ValueError):
    """A field has no positive variance, or correlations have a negative eigenvalue."""


@dataclass(frozen=True)
class Averages:
    """D, G and eps_g at one covariance.

    Attributes
    ----------
    drift : array, shape (K, K + M)
        D_if = E[d delta_i / d field_f].
    noise : array, shape (K, K), or None
        G_ij = E[delta_i delta_j]; None if it was not asked for.
    generalization_error : float
        eps_g, label noise not included.
    """

    drift: Array
    noise: Array | None
    generalization_error: float

    def difference(self, other: Averages) -> float:
        """Largest difference of an entry, in units of the largest entry of all, or rounding."""
        pairs = [
            (self.drift, other.drift),
            (np.asarray(self.generalization_error), np.asarray(other.generalization_error)),
        ]
        if self.noise is not None and other.noise is not None:
            pairs.append((self.noise, other.noise))
        largest = max(float(np.max(np.abs(b))) for _, b in pairs)
        found = max(float(np.max(np.abs(a - b))) for a, b in pairs) / largest
        return max(found, _ROUNDING)


class PairAverages(NamedTuple):
    """Averages over pairs of fields: all that D and eps_g need.

    Attributes
    ----------
    values : array, shape (K + M, K + M)
        E[g(x_f) g(x_h)].
    slopes, curvatures : arrays, shape (K, K + M)
        E[g'(x_i) g'(x_f)] and E[g''(x_i) g(x_f)].
    """

    values: Array
    slopes: Array
    curvatures: Array

    @classmethod
    def zeros(cls, K: int, n: int) -> PairAverages:
        """To be filled, for K students among n fields."""
        return cls(np.zeros((n, n)), np.zeros((K, n)), np.zeros((K, n)))

    def combine(
        self, activation: Activation, c: float, label_noise: float, squares: Array | None
    ) -> Averages:
        """D, G and eps_g (module docstring).

        Parameters
        ----------
        squares : array, shape (K, K), or None
            E[g'(x_i) g'(x_j) (zeta - sigma)^2]/c^2; None if G is not wanted.

        Raises
        ------
        FloatingPointError
            If an average is not finite.
        """
        K, n = self.slopes.shape
        signs = np.where(np.arange(n) < K, -c, c)
        drift = c * self.slopes * signs
        drift[:, :K] += c * np.diag(self.curvatures @ signs)
        G = None
        if squares is not None:
            G = c**2 * (label_noise * self.slopes[:, :K] + c**2 * squares)
        error = float(signs @ self.values @ signs / 2)
        if not np.isfinite(np.sum(drift) + error + (0.0 if G is None else np.sum(G))):
            raise FloatingPointError(
                f"an average of {activation} is not finite at this covariance of the fields: the "
                "activation grows too fast for it"
            )
        return Averages(drift, G, error)


class Averaging(Protocol):
    """A rule for the averages of one activation, with an estimate of its error.

    Attributes
    ----------
    K : int
        Number of students.
    """

    @property
    def K(self) -> int: ...

    def averages(self, C: Any, noise: bool = True) -> Averages:
        """D, G (if `noise`) and eps_g at the covariance C (K + M, K + M), students first."""

    def error(self, C: Any, noise: bool = True) -> float:
        """Estimated error of these averages, in units of the largest."""


@dataclass(frozen=True)
class PairRule(ABC):
    """A quadrature for D and eps_g by pairs of fields, and for G given every pair of students.

    Parameters
    ----------
    activation : Activation
    K : int
        Number of students.
    c : float
        Output weight of student and teacher.
    label_noise : float
        Variance of the teacher's noise; it is not part of eps_g.
    """

    activation: Activation
    K: int
    c: float
    label_noise: float = 0.0

    @property
    def _rounding(self) -> float:
        """Accuracy for `checked_covariance`."""
        return 0.0

    def averages(self, C: Any, noise: bool = True) -> Averages:
        """D, G (if `noise`) and eps_g at the covariance C (K + M, K + M), students first.

        Raises
        ------
        ValueError
            If C is not a covariance or a field has variance zero.
        FloatingPointError
            If an average is not finite.
        """
        C = checked_covariance(C, self.K, self._rounding)
        # what is not finite is refused by `combine`
        with np.errstate(over="ignore", invalid="ignore"):
            pairs = self._pairs(C)
            squares = self._squares(C) if noise else None
            return pairs.combine(self.activation, self.c, self.label_noise, squares)

    @abstractmethod
    def error(self, C: Any, noise: bool = True) -> float:
        """Estimated error of these averages, in units of the largest."""

    @abstractmethod
    def _pairs(self, C: Array) -> PairAverages:
        """E[g g], E[g' g'] and E[g'' g] of all pairs."""

    @abstractmethod
    def _square(self, C: Array, i: int, j: int) -> float:
        """E[g'(x_i) g'(x_j) (sum_f s_f g(x_f))^2] with s = -1, +1."""

    def _squares(self, C: Array) -> Array:
        """The same for all students, shape (K, K)."""
        result = np.empty((self.K, self.K))
        for i in range(self.K):
            for j in range(i + 1):
                result[i, j] = result[j, i] = self._square(C, i, j)
        return result


def checked_covariance(C: Any, K: int, accuracy: float = 0.0) -> Array:
    """C as an array, if it is a covariance of at least K fields of positive variance.

    Positive semi-definiteness is judged by the correlations, whatever the scales: eigenvalues down
    to -1e-9, or minus the `accuracy` of averages, count as zeros that were not computed exactly.

    Raises
    ------
    IndefiniteCovariance, ValueError
    """
    covariance = np.array(C, dtype=float)
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1]:
        raise ValueError(f"C must be a square matrix, found shape {covariance.shape}")
    if not 1 <= K <= len(covariance):
        raise ValueError(f"K must be between 1 and {len(covariance)}, the size of C, found {K}")
    if not np.all(np.isfinite(covariance)):
        raise ValueError(f"C must be finite, found {covariance.tolist()}")
    if np.min(covariance.diagonal()) <= 0:
        raise IndefiniteCovariance(
            f"every field needs a positive variance, found {covariance.diagonal()}"
        )
    sigma = np.sqrt(covariance.diagonal())
    correlations = covariance / np.outer(sigma, sigma)
    if np.max(np.abs(correlations - correlations.T)) > _ASYMMETRY:
        raise ValueError(f"C must be symmetric, found {covariance.tolist()}")
    smallest = np.linalg.eigvalsh(correlations)[0]
    if smallest < -max(_INDEFINITE, accuracy):
        raise IndefiniteCovariance(
            "C must be positive semi-definite, found correlations with the eigenvalue "
            f"{smallest:.3g}"
        )
    return covariance


def given(C: Array, i: int, j: int) -> tuple[Array, Array]:
    """Condition on the fields i and j.

    Returns
    -------
    directions : array, shape (1 or 2, n)
        The conditional means are z @ directions; only one z if i determines j.
    residual : array, shape (n, n)
        The conditional covariance.
    """
    directions, residual = np.empty((0, len(C))), C
    for f in (i, j):
        if residual[f, f] > _DETERMINED * C[f, f]:
            direction = residual[:, f] / math.sqrt(residual[f, f])
            directions = np.vstack([directions, direction])
            residual = residual - np.outer(direction, direction)
    return directions, residual
