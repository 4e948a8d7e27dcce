"""How to read a spectrum of random features: windows of ranks, local exponents, the logarithm.

Summary
    One straight line through a log-log plot "confirms" almost any law here. Three statistics do
    not: the ratio to the d = infinity spectrum at the same v, in windows of ranks; the exponent
    from one window to the next; and y_j, which is flat without a logarithm and rises with one.

Notation
    lam_1 >= lam_2 >= ... : eigenvalues; windows of ranks [J, ratio J), by default 15 % wide;
    X_j = (p!^2/lam_j)^(1/a) : the product of indices that stands for lam_j; y_j = (j - 1/2)/X_j.

References
    [PXZ26] Paquette, Xiao & Zhu, arXiv:2603.14578.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .storage import Array

__all__ = [
    "Windows",
    "count_ratio",
    "count_slope",
    "local_exponents",
    "naive_exponent",
    "rank_windows",
]

RATIO = 1.15


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of ranks, in a row.

    Attributes
    ----------
    edges : (n + 1,)
        Window k has the ranks edges[k] <= j < edges[k+1], from 1.
    """

    edges: Array

    @property
    def ranks(self) -> Array:
        """Geometric mean rank of each window, (n,)."""
        return np.exp(self.mean_log(np.arange(1.0, self.edges[-1])))

    def mean_log(self, values: Array) -> Array:
        """Mean logarithm of values_j, j = 1, 2, ..., in each window, (..., n).

        Raises
        ------
        ValueError
            If there are too few values, or one is not positive (an eigenvalue below rounding).
        """
        first, last = int(self.edges[0]), int(self.edges[-1])
        if values.shape[-1] < last - 1:
            raise ValueError(
                f"the windows go to rank {last - 1}, found {values.shape[-1]} eigenvalues"
            )
        inside = values[..., first - 1 : last - 1]
        if not np.all(inside > 0):
            j = first + int(np.argmin(np.min(inside, axis=tuple(range(inside.ndim - 1)))))
            raise ValueError(
                f"the eigenvalue of rank {j} is not positive, hence below the rounding error of "
                "the largest one: end the windows before it"
            )
        sums = np.add.reduceat(np.log(inside), self.edges[:-1] - first, axis=-1)
        return np.asarray(sums / np.diff(self.edges))


def rank_windows(first: int, last: int, ratio: float = RATIO) -> Windows:
    """Windows [J, ratio J) from rank `first` to rank `last`, each with one rank at least.

    Raises
    ------
    ValueError
        If not 1 <= first <= last.
    """
    if not 1 <= first <= last:
        raise ValueError(f"windows go from rank 1 or more upwards, found {first} to {last}")
    edges = [first]
    while edges[-1] <= last:
        edges.append(max(edges[-1] + 1, round(edges[-1] * ratio)))
    edges[-1] = last + 1
    return Windows(np.array(edges))


def local_exponents(eigenvalues: Array, windows: Windows) -> Array:
    """-d log lam/d log j from each window to the next, (..., n - 1)."""
    slopes = np.diff(windows.mean_log(eigenvalues)) / np.diff(np.log(windows.ranks))
    return np.asarray(-slopes)


def naive_exponent(eigenvalues: Array, windows: Windows) -> Array:
    """-slope of the straight line that fits log lam against log j best: what misleads, (...)."""
    return -_slope(np.log(windows.ranks), windows.mean_log(eigenvalues))


def count_ratio(eigenvalues: Array, a: Any, p: int) -> tuple[Array, Array]:
    """X_j and y_j = (j - 1/2)/X_j, each of the eigenvalues' shape.

    y_j log-grows like the number of index sets: constant for p = 1, (1/2) log X for p = 2.
    """
    X = (math.factorial(p) ** 2 / eigenvalues) ** (1 / float(a))
    return X, (np.arange(eigenvalues.shape[-1]) + 0.5) / X


def count_slope(eigenvalues: Array, a: Any, p: int, windows: Windows) -> Array:
    """Least-squares slope of y_j against log X_j over the windows, (...)."""
    X, y = count_ratio(eigenvalues, a, p)
    return _slope(windows.mean_log(X), np.exp(windows.mean_log(y)))


def _slope(x: Array, y: Array) -> Array:
    """Least-squares slope along the last axis."""
    x = x - x.mean(axis=-1, keepdims=True)
    return np.asarray(np.sum(x * y, axis=-1) / np.sum(x**2, axis=-1))
