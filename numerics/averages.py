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

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Averages", "Averaging", "IndefiniteCovariance", "checked_covariance"]

Array = NDArray[np.float64]

_ASYMMETRY = 1e-12
_INDEFINITE = 1e-9
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


class Averaging(Protocol):
    """A rule for the averages of one activation, with an estimate of its error.

    Attributes
    ----------
    costly : bool
        Whether one evaluation takes many times longer than the rest of a step.
    """

    costly: ClassVar[bool]

    def averages(self, C: Any, noise: bool = True) -> Averages:
        """D, G (if `noise`) and eps_g at the covariance C (K + M, K + M), students first."""

    def error(self, C: Any, noise: bool = True) -> float:
        """Estimated error of these averages, in units of the largest."""


def checked_covariance(C: Any, K: int) -> Array:
    """C as an array, if it is a covariance of at least K fields of positive variance.

    Positive semi-definiteness is judged by the correlations, whatever the scales: eigenvalues down
    to -1e-9 count as zeros that were not computed exactly.

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
    if smallest < -_INDEFINITE:
        raise IndefiniteCovariance(
            "C must be positive semi-definite, found correlations with the eigenvalue "
            f"{smallest:.3g}"
        )
    return covariance
