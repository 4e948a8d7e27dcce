"""The population covariance K^ of random features f(W^T x), exact given W.

Mathematics
    x ~ N(0, H), H = diag(lam), W of shape (v, d), features f(W^T x):

        K^ = E_x[f(W^T x) f(W^T x)^T]/d,   K^_ij = E[f(a) f(b)]/d,   (a, b) ~ N(0, (A, C; C, B)),

    with A = G_ii, B = G_jj, C = G_ij of the Gram matrix G = W^T H W. G is made in panels of rows,
    and turned into K^ (`numerics.feature_kernel`) while the panel is in the cache.

References
    [PXZ26] Paquette, Xiao & Zhu, arXiv:2603.14578.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.activations import Activation
from theory.random_features import as_activation

from .arrays import exact_array
from .feature_kernel import PairKernel, pair_kernel
from .memory import require_memory
from .storage import Array

__all__ = ["Features", "feature_covariance", "lower_covariance"]

PANELS, LOWEST, HIGHEST = 8, 64, 512
"""Panels wanted, and the rows of one: few waste the upper triangle, many pack all fields again."""


def feature_covariance(eigenvalues: Any, W: Any, activation: Any) -> Array:
    """K^ = E_x[f(W^T x) f(W^T x)^T]/d for x ~ N(0, diag(eigenvalues)), exact given W (PXZ26).

    Parameters
    ----------
    eigenvalues : (v,), positive
        Of the covariance of x.
    W : (v, d)
    activation : int, str, sympy.Expr or Activation
        f; an integer p means f(y) = y^p.

    Returns
    -------
    (d, d), symmetric
        To rounding where E[f(a) f(b)] has a closed form (`theory.random_feature_covariance`);
        otherwise to 1e-12 of the largest entry.

    Raises
    ------
    ValueError, TypeError
        If shapes do not fit, a number is not finite, an eigenvalue not positive, or the activation
        unknown or one with a kink that has no closed form.
    ArithmeticError
        If the activation's Hermite series needs too many terms (see `numerics.feature_series`), or
        an entry is beyond the range of doubles.
    MemoryError
        If K^ does not fit.

    Examples
    --------
    >>> feature_covariance([1, 0.5], [[1, 0], [2, 2]], 1)
    array([[1.5, 1. ],
           [1. , 1. ]])
    """
    covariance = lower_covariance(Features.build(eigenvalues, W, activation))
    rows = range(0, len(covariance), 256)
    for first in rows:
        last = first + 256
        square = covariance[first:last, first:last]
        square[:] = np.tril(square) + np.tril(square, -1).T
        covariance[first:last, last:] = covariance[last:, first:last].T
    return covariance


@dataclass(frozen=True, eq=False)
class Features:
    """d fields W^T x and the kernel that makes features of them.

    Attributes
    ----------
    fields : (d, v)
        Rows W_i sqrt(H), whose products are the covariances of the fields.
    variances : (d,)
    activation : Activation
    kernel : PairKernel
    """

    fields: Array
    variances: Array
    activation: Activation
    kernel: PairKernel

    @classmethod
    def build(cls, eigenvalues: Any, W: Any, activation: Any) -> Features:
        """Check what the user gave; arguments and errors are those of `feature_covariance`."""
        f = as_activation(activation)
        lam, weights = _doubles(eigenvalues, "eigenvalues"), _doubles(W, "W")
        if lam.ndim != 1 or weights.ndim != 2 or len(weights) != len(lam) or not weights.size:
            raise ValueError(
                f"W must have shape (v, d) for v eigenvalues, found shapes {weights.shape} and "
                f"{lam.shape}"
            )
        if not np.all((lam > 0) & (lam < np.inf)):
            k = int(np.argmin((lam > 0) & (lam < np.inf)))
            raise ValueError(f"eigenvalues must be positive and finite, found {lam[k]} at {k}")
        return cls.of((weights * np.sqrt(lam)[:, None]).T, f)

    @classmethod
    def of(cls, fields: Array, activation: Activation) -> Features:
        """From the rows W_i sqrt(H), shape (d, v)."""
        variances = np.sum(fields * fields, axis=1)
        if not np.all(np.isfinite(variances)):
            i = int(np.argmin(np.isfinite(variances)))
            raise ValueError(f"W must be finite, found column {i} of norm^2 {variances[i]}")
        if not np.all(variances > 0):
            i = int(np.argmin(variances))
            raise ValueError(
                f"column {i} of W is zero: its feature is the constant f(0); leave the column out"
            )
        return cls(fields, variances, activation, pair_kernel(activation, variances))

    def __len__(self) -> int:
        """Number d of features."""
        return len(self.fields)

    def panels(self) -> Iterator[tuple[slice, Array]]:
        """Rows of K^, and these rows up to the diagonal's end, one panel after the other."""
        d = len(self)
        height = min(max(d // PANELS, LOWEST), HIGHEST)
        for first in range(0, d, height):
            rows = slice(first, min(first + height, d))
            yield rows, self.block(rows, slice(0, rows.stop))

    def block(self, rows: slice, columns: slice) -> Array:
        """A block of K^.

        Raises
        ------
        OverflowError
            If an entry is beyond the range of doubles.
        """
        block = self.fields[rows] @ self.fields[columns].T
        same = np.arange(max(rows.start, columns.start), min(rows.stop, columns.stop))
        block[same - rows.start, same - columns.start] = self.variances[same]
        self.kernel.apply(block, rows, columns)
        block /= len(self)
        if not np.isfinite(np.sum(block)):
            raise OverflowError(
                f"the covariance of the features {self.activation} is beyond the range of "
                "doubles: take a lower degree, or smaller weights"
            )
        return block


def lower_covariance(features: Features) -> Array:
    """K^ with its lower triangle only: what is above is not set.

    Raises
    ------
    MemoryError
    """
    d = len(features)
    require_memory(8 * d**2, f"the covariance of d = {d} features", "take fewer features")
    covariance = np.empty((d, d))
    for rows, block in features.panels():
        covariance[rows, : rows.stop] = block
    return covariance


def _doubles(value: Any, name: str) -> Array:
    """A float64 array, of which a large one is not looked at entry by entry."""
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return value
    return exact_array(value, name)[0]
