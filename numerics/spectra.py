"""Spectra of random features: for given weights, or an ensemble of random ones.

Summary
    The eigenvalues of K^ = E_x[f(W^T x) f(W^T x)^T]/d, all of them from the dense matrix up to d =
    `DENSE`, or the largest ones without it. An ensemble draws W several times for the power law
    lam_j(H) = j^-a; how to read it is in `numerics.spectral_statistics`.

Accuracy
    Dense eigenvalues have errors of some 1e-15 of the largest one; the largest ones without the
    matrix relative errors below 1e-4, and of some 1e-8 (`numerics.top_eigenvalues`).

References
    [PXZ26] Paquette, Xiao & Zhu, arXiv:2603.14578.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import sympy as sp
from scipy.linalg import eigh

from theory.activations import Activation, X
from theory.chaos_spectrum import LARGEST_DEGREE, chaos_eigenvalues
from theory.exact import exact
from theory.random_features import as_activation, as_exponent

from .feature_covariance import Features, lower_covariance
from .initial import whole_number
from .measure import inverse_powers
from .memory import require_memory
from .spectral_statistics import Windows
from .storage import Array, read_arrays, write_arrays
from .top_eigenvalues import top_eigenvalues

__all__ = ["FeatureSpectra", "feature_eigenvalues", "feature_spectra"]

KIND = "specscale feature spectra 1"

DENSE = 8000
"""Number of features up to which the dense matrix is used, whatever is asked for."""

ROUNDING = 1e-14
"""Error of an eigenvalue of the dense matrix, in units of the largest one."""


def feature_eigenvalues(eigenvalues: Any, W: Any, activation: Any, top: int | None = None) -> Array:
    """Eigenvalues of K^ for given weights, descending.

    Parameters
    ----------
    eigenvalues, W, activation
        As in `feature_covariance`.
    top : int, optional
        Only so many of the largest; necessary beyond d of some ten thousand.

    Returns
    -------
    (d,) or (top,)

    Raises
    ------
    ValueError, TypeError, ArithmeticError, MemoryError
        As `feature_covariance`, or if `top` is not from 1 to d.

    Examples
    --------
    >>> feature_eigenvalues([1, 0.5], [[1, 0], [2, 2]], "linear")
    array([2.28077641, 0.21922359])
    """
    return _solve(Features.build(eigenvalues, W, activation), top)


def _solve(features: Features, top: int | None) -> Array:
    d = len(features)
    if top is not None and whole_number(top, "top", 1) > d:
        raise ValueError(f"top must be at most d = {d}, found {top}")
    if top is not None and d > DENSE:
        return top_eigenvalues(features, top)[0]
    covariance = lower_covariance(features)
    # The transpose is in Fortran's order: LAPACK overwrites it where it stands.
    options = {"lower": False, "overwrite_a": True, "check_finite": False, "driver": "evd"}
    values = eigh(covariance.T, eigvals_only=True, **options)
    return np.asarray(values[::-1][:top])


@dataclass(frozen=True, eq=False)
class FeatureSpectra:
    """Spectra of K^ for several draws of W.

    Attributes
    ----------
    eigenvalues : (runs, n)
        Descending.
    a : sympy.Expr
        lam_j(H) = j^-a, j = 1..v.
    activation : str
        Name or text of f.
    degree : int or None
        The p of f(y) = y^p.
    v, d, seed : int
    """

    eigenvalues: Array
    a: sp.Expr
    activation: str
    degree: int | None
    v: int
    d: int
    seed: int

    def __repr__(self) -> str:
        runs, n = self.eigenvalues.shape
        return (
            f"FeatureSpectra({n} eigenvalues of {runs} runs: f = {self.activation}, "
            f"lam_j = j^-{self.a}, v = {self.v}, d = {self.d}, seed = {self.seed})"
        )

    @property
    def mean(self) -> Array:
        """Mean over the runs, (n,)."""
        return np.asarray(self.eigenvalues.mean(axis=0))

    @property
    def standard_error(self) -> Array:
        """Standard error of the mean, (n,).

        Raises
        ------
        ValueError
            If there is one run only.
        """
        runs = len(self.eigenvalues)
        if runs < 2:
            raise ValueError("a standard error needs two runs or more, found 1: raise runs")
        return np.asarray(self.eigenvalues.std(axis=0, ddof=1) / np.sqrt(runs))

    @property
    def resolved(self) -> int:
        """Number of leading eigenvalues that are known to a hundredth, rounding considered."""
        smallest = self.eigenvalues.min(axis=0)
        above = smallest > 100 * ROUNDING * self.eigenvalues[:, 0].max()
        return len(above) if above.all() else int(np.argmin(above))

    def limit(self, count: int) -> Array | None:
        """The largest eigenvalues at d = infinity and the same v, (count,); None if unknown."""
        if self.degree is None or self.degree > LARGEST_DEGREE:
            return None
        found = chaos_eigenvalues(self.a, self.degree, count, self.v)
        return np.array([float(each.value) for each in found])

    def log_ratios(self, windows: Windows) -> Array:
        """Mean log(lam_j/limit_j) in each window, (runs, n).

        Raises
        ------
        ValueError
            If the limit is not known, or the windows go beyond the eigenvalues.
        """
        known = self.limit(int(windows.edges[-1]) - 1)
        if known is None:
            raise ValueError(
                f"the limit d = infinity is known for y^p with p up to {LARGEST_DEGREE}, not for "
                f"{self.activation}"
            )
        return np.asarray(windows.mean_log(self.eigenvalues) - windows.mean_log(known))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to an .npz file; an irrational `a` to 30 digits.

        Raises
        ------
        FileNotFoundError
            If the folder does not exist.
        """
        header = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "eigenvalues"}
        header["a"] = str(self.a if self.a.is_Rational else sp.N(self.a, 30))
        write_arrays(path, KIND, {"eigenvalues": self.eigenvalues}, header)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FeatureSpectra:
        """Read what `save` wrote.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such file, or it holds something else.
        """
        arrays, header = read_arrays(path, KIND, ("eigenvalues",))
        return cls(arrays["eigenvalues"], exact(header.pop("a"), "a"), **header)


def feature_spectra(
    a: Any,
    activation: Any,
    v: int,
    d: int,
    runs: int = 8,
    seed: int = 0,
    top: int | None = None,
) -> FeatureSpectra:
    """Spectra of K^ for lam_j(H) = j^-a and W of independent N(0, 1) entries, shape (v, d) (PXZ26).

    Run i draws W from Philox(SeedSequence(seed, spawn_key=(i,))), whatever the number of threads.

    Parameters
    ----------
    a : exact number > 1
    activation : int, str, sympy.Expr or Activation
        f; an integer p means f(y) = y^p.
    v, d : int
        Dimension of x, number of features.
    runs, seed : int
    top : int, optional
        Only so many of the largest eigenvalues.

    Raises
    ------
    ValueError, TypeError
        If a <= 1 (H would not be trace class as v -> oo), or a number is out of its range.
    MemoryError
        If K^ (or, with `top`, W) does not fit; says how much is needed.
    ArithmeticError
        As `feature_covariance`.
    """
    exponent, f = as_exponent(a), as_activation(activation)
    v, d = whole_number(v, "v", 1), whole_number(d, "d", 1)
    runs, seed = whole_number(runs, "runs", 1), whole_number(seed, "seed", 0)
    if top is not None and whole_number(top, "top", 1) > d:
        raise ValueError(f"top must be at most d = {d}, found {top}")
    _require_memory(v, d, top)
    roots = np.sqrt(inverse_powers(np.arange(1, v + 1, dtype=float), exponent))
    spectra = [_solve(Features.of(_fields(roots, d, seed, run), f), top) for run in range(runs)]
    degree = _degree(f)
    name = f.name if degree is None else f"y^{degree}"
    return FeatureSpectra(np.stack(spectra), exponent, name, degree, v, d, seed)


def _degree(f: Activation) -> int | None:
    """The p of f(y) = y^p, else None."""
    power = sp.degree(f.expr, X) if f.expr.is_polynomial(X) else 0
    return int(power) if f.expr == X**power else None


def _fields(roots: Array, d: int, seed: int, run: int) -> Array:
    """Rows W_i sqrt(H) of one draw, shape (d, v)."""
    sequence = np.random.SeedSequence(seed, spawn_key=(run,))
    W: Array = np.random.Generator(np.random.Philox(sequence)).standard_normal((d, len(roots)))
    W *= roots
    return W


def _require_memory(v: int, d: int, top: int | None) -> None:
    """Refuse sizes that cannot be, before W is drawn."""
    dense = top is None or d <= DENSE
    what = f"W for d = {d} features of v = {v} inputs"
    remedy = "take fewer features or inputs"
    if dense:
        what = f"the covariance of d = {d} features, with {what},"
        remedy = "take fewer features, or only the largest eigenvalues (top)"
    require_memory(8 * d * (v + (d if dense else 0)), what, remedy)
