"""The largest eigenvalues of K^ without the matrix K^: block Krylov with panels made on the way.

Method
    K^ X costs one pass over the panels of K^ (`Features.panels`), of which no more than one exists
    at a time. A pass is dear (d^2 v operations) and the same for one vector as for many, so that
    the fewest passes are wanted: block Lanczos with full reorthogonalisation and a block twice as
    wide as what is asked for, some six passes. A method by single vectors needs hundreds of them,
    and LOBPCG, which forgets all but three blocks, more than this.

Accuracy
    For a Ritz pair (theta, x) with residual r = K^ x - theta x there is an eigenvalue within |r| of
    theta; passes go on until |r| <= `tolerance` theta for all that are asked for. The error itself
    is of order |r|^2: some 1e-8 where the bound is 1e-4.

References
    Musco & Musco, NeurIPS 2015 (block Krylov); Parlett, The Symmetric Eigenvalue Problem, ch. 11.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import qr
from scipy.sparse.linalg import LinearOperator

from .feature_covariance import Features
from .storage import Array

__all__ = ["covariance_operator", "top_eigenvalues"]

EXTRA = 2
"""Columns of a block, in units of the number of eigenvalues."""

PASSES = 12
"""After which the search is given up: each gains a digit for a power-law spectrum."""


def covariance_operator(features: Features) -> LinearOperator:
    """K^ as a SciPy linear operator, (d, d), that holds no more than one panel of it."""
    d = len(features)

    def times(X: Array) -> Array:
        Y = np.zeros((d, X.shape[1]))
        for rows, block in features.panels():
            Y[rows] += block @ X[: rows.stop]
            # what is below the panel's diagonal block stands above the diagonal too
            Y[: rows.start] += block[:, : rows.start].T @ X[rows]
        return Y

    def one(x: Array) -> Array:
        return times(x.reshape(d, 1)).ravel()

    return LinearOperator((d, d), matvec=one, rmatvec=one, matmat=times, dtype=np.float64)


def top_eigenvalues(features: Features, count: int, tolerance: float = 1e-4) -> tuple[Array, Array]:
    """The largest eigenvalues of K^, descending, and bounds on their relative errors, (count,).

    Parameters
    ----------
    features : Features
    count : int
        At most d.
    tolerance : float
        Relative residual that is reached.

    Raises
    ------
    ArithmeticError
        If it is not reached in `PASSES` passes: the spectrum is too flat.
    """
    d = len(features)
    operator, width = covariance_operator(features), min(d, EXTRA * count + 4)
    # The result does not depend on the start, but for the error that is stated.
    start = np.random.default_rng(0).standard_normal((d, width))
    basis = np.linalg.qr(start)[0]
    image = operator @ basis
    for _ in range(PASSES):
        values, errors = _ritz(basis, image, count)
        if np.all(errors <= tolerance) or basis.shape[1] == d:
            return values, errors
        block = _complement(basis, image[:, -width:])
        basis = np.hstack([basis, block])
        image = np.hstack([image, operator @ block])
    raise ArithmeticError(
        f"the {count} largest eigenvalues of K^ are known to {errors.max():.1e} after {PASSES} "
        f"passes, {tolerance:.1e} wanted: their spectrum is too flat; ask for fewer"
    )


def _ritz(basis: Array, image: Array, count: int) -> tuple[Array, Array]:
    """Largest Ritz values, and their residuals relative to them."""
    projected = basis.T @ image
    values, vectors = np.linalg.eigh((projected + projected.T) / 2)
    values, vectors = values[: -count - 1 : -1], vectors[:, : -count - 1 : -1]
    residuals = image @ vectors - (basis @ vectors) * values
    return values, np.linalg.norm(residuals, axis=0) / values


def _complement(basis: Array, block: Array) -> Array:
    """Orthonormal columns that span `block` beyond `basis`, orthogonalised twice."""
    for _ in range(2):
        block = block - basis @ (basis.T @ block)
        block, triangle, _ = qr(block, mode="economic", pivoting=True)
        size = np.abs(np.diag(triangle))
        block = block[:, size > 1e-12 * size[0]]
    return block[:, : len(basis) - basis.shape[1]]
