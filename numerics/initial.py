"""Initial conditions: overlaps drawn exactly at finite N, or given by the user.

Summary
    The order parameters of a random draw are functions of Wishart matrices, so they are drawn
    directly, at a cost that does not depend on N (Bartlett's decomposition).

Notation (normalisation of WR24)
    q_k = J P_k J^T / n_k, r_k = J P_k B^T / n_k, t_k = B P_k B^T / n_k, n_k = w_k N.

References
    [WR24] Worschech & Rosenow, arXiv:2410.09005.
    [Bartlett] M. S. Bartlett, Proc. R. Soc. Edinburgh 53, 260 (1933).
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import sympy as sp

from theory.exact import exact
from theory.models import TeacherStudent

from .arrays import exact_array, to_precision
from .storage import Array, plain_json

__all__ = [
    "InitialCondition",
    "check_model",
    "gram_factor",
    "initial",
    "multiplicities",
    "whole_number",
]

INPUT_ROUNDING = 1e-10
"""Correlation matrices with eigenvalues above -INPUT_ROUNDING count as positive semi-definite."""
COMPACT = 10_000
"""From this many eigenspaces on, `initial` gives overlaps that are equal in all of them once."""
ZERO = 1e-14
"""Eigenvalues of a D x D correlation matrix up to D * ZERO are zero in double precision."""


@dataclass(frozen=True, eq=False)
class InitialCondition:
    """Overlaps per mode at alpha = 0.

    A leading axis of length one means the same in each eigenspace, also of infinitely many.

    Parameters
    ----------
    q : (L, K, K)
        q_k = J P_k J^T / n_k; arrays or nested lists. Floats are the doubles they are; int,
        Fraction, SymPy numbers, mpf and strings such as ``"1/3"`` stay exact for `precise`.
    r : (L, K, M)
        r_k = J P_k B^T / n_k.
    t : (L, M, M), optional
        t_k = B P_k B^T / n_k. Default: the identity in every mode (N -> infinity).
    provenance : dict of plain JSON values, optional
        Where the numbers come from (`initial` writes sigma_J, N and seed).

    Attributes
    ----------
    q, r, t : float64
        The overlaps, or the doubles nearest to them.

    Raises
    ------
    ValueError
        If shapes disagree, an entry is not finite, q or t is not symmetric, or the joint Gram
        matrix [[q_k, r_k], [r_k^T, t_k]] of a mode is not positive semi-definite.
    TypeError
        If an array is not real, or the provenance is not a dict of plain JSON values.

    Examples
    --------
    >>> start = InitialCondition(q=[[["1/3"]]], r=[[[0]]])
    >>> start.q
    array([[[0.33333333]]])
    >>> import mpmath as mp
    >>> mp.nstr(start.precise(20)[0][0, 0, 0], 20)
    '0.33333333333333333333'
    """

    q: Array
    r: Array
    t: Array
    provenance: dict[str, Any] = field(default_factory=dict)
    _exact: tuple[Array | None, ...] = field(init=False, repr=False)

    def __init__(
        self,
        q: Any,
        r: Any,
        t: Any | None = None,
        provenance: dict[str, Any] | None = None,
    ) -> None:
        r_doubles, r_exact = exact_array(r, "InitialCondition: r")
        if r_doubles.ndim != 3 or 0 in r_doubles.shape:
            raise ValueError(
                f"InitialCondition: r must have shape (L, K, M), found {r_doubles.shape}; "
                "one mode needs its leading axis too"
            )
        if t is None:
            L, _, M = r_doubles.shape
            t = np.broadcast_to(np.eye(M), (L, M, M))
        q_doubles, q_exact = exact_array(q, "InitialCondition: q")
        t_doubles, t_exact = exact_array(t, "InitialCondition: t")
        values = {
            "q": q_doubles,
            "r": r_doubles,
            "t": t_doubles,
            "provenance": plain_json({} if provenance is None else provenance, "InitialCondition"),
            "_exact": (q_exact, r_exact, t_exact),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self._check()

    def precise(self, digits: int) -> tuple[Array, Array, Array]:
        """(q, r, t) as object arrays of mpf with `digits` digits, from the exact values."""
        doubles = (self.q, self.r, self.t)
        q, r, t = (
            to_precision(near if numbers is None else numbers, digits)
            for near, numbers in zip(doubles, self._exact, strict=True)
        )
        return q, r, t

    @classmethod
    def unchecked(
        cls, q: Any, r: Any, t: Any, provenance: dict[str, Any], exact: tuple[Any, ...]
    ) -> InitialCondition:
        """From doubles and exact values of `exact_array` that are not examined again.

        Projections of overlaps on fewer modes need belong to no vectors mode by mode.
        """
        start = object.__new__(cls)
        values = {"q": q, "r": r, "t": t, "provenance": provenance, "_exact": exact}
        for name, value in values.items():
            object.__setattr__(start, name, value)
        return start

    def expanded(self, L: int) -> InitialCondition:
        """The same start with one leading entry for each of L eigenspaces.

        Raises
        ------
        ValueError
            If it already has another number of eigenspaces than one or L.
        """
        given = len(self.r)
        if given == L:
            return self
        if given != 1:
            raise ValueError(
                f"the start has overlaps of {given} eigenspaces, the model has L = {L}: give one "
                "for each, or a single one that holds for all"
            )

        def spread(array: Array) -> Array:
            return np.broadcast_to(array, (L, *array.shape[1:]))

        exact = tuple(None if numbers is None else spread(numbers) for numbers in self._exact)
        q, r, t = spread(self.q), spread(self.r), spread(self.t)
        return InitialCondition.unchecked(q, r, t, self.provenance, exact)

    def _check(self) -> None:
        L, K, M = self.r.shape
        for name, shape in {"q": (L, K, K), "t": (L, M, M)}.items():
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"InitialCondition: {name} must have shape {shape} to go with r "
                    f"{self.r.shape}, found {getattr(self, name).shape}"
                )
        for name in ("q", "r", "t"):
            array = getattr(self, name)
            bad = np.argwhere(~np.isfinite(array))
            if len(bad):
                raise ValueError(
                    f"InitialCondition: {name} is not finite in mode {bad[0][0] + 1}: "
                    f"found {array[tuple(bad[0])]}"
                )
        for name in ("q", "t"):
            array = getattr(self, name)
            uneven = np.abs(array - np.swapaxes(array, -1, -2)).max(axis=(-1, -2))
            scale = np.abs(array).max(axis=(-1, -2))
            k = int(np.argmax(uneven - 1e-12 * scale))
            if uneven[k] > 1e-12 * scale[k]:
                raise ValueError(
                    f"InitialCondition: {name} must be symmetric, in mode {k + 1} found "
                    f"{array[k].tolist()}"
                )
        _check_gram(self.gram)

    @property
    def gram(self) -> Array:
        """Joint Gram matrices [[t_k, r_k^T], [r_k, q_k]], teacher first, (L, M+K, M+K) float64."""
        return np.block([[self.t, np.swapaxes(self.r, -1, -2)], [self.r, self.q]])

    def __repr__(self) -> str:
        L, K, M = self.r.shape
        known = "".join(f", {k}={v}" for k, v in self.provenance.items())
        return f"InitialCondition(L={L}, K={K}, M={M}{known})"

    def _repr_html_(self) -> str:
        modes = (f"\n{name}_1 =\n{getattr(self, name)[0]}" for name in ("q", "r", "t"))
        return f"<pre>{escape(repr(self) + ''.join(modes))}</pre>"


def _check_gram(gram: Array) -> None:
    """Raise the errors of `gram_factor`, at a fraction of its cost."""
    diagonal = np.diagonal(gram, axis1=-2, axis2=-1)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    correlation = gram / (scale[:, :, None] * scale[:, None, :])
    try:
        # A Cholesky factor exists where no eigenvalue lies below -INPUT_ROUNDING.
        np.linalg.cholesky(correlation + INPUT_ROUNDING * np.eye(gram.shape[-1]))
    except np.linalg.LinAlgError:
        gram_factor(gram)


def gram_factor(gram: Array) -> Array:
    """F with F F^T = gram, for positive semi-definite Gram matrices of any rank.

    Works on the correlation matrix, so that a small student next to a teacher of order one keeps
    its relative accuracy. Eigenvalues in [-INPUT_ROUNDING, D * ZERO] are zero.

    Parameters
    ----------
    gram : (L, D, D)

    Returns
    -------
    (L, D, D)
        Columns ordered by decreasing eigenvalue: a matrix of rank p has p nonzero columns.

    Raises
    ------
    ValueError
        If a matrix has a negative diagonal entry or a negative eigenvalue; names the mode.
    """
    diagonal = np.diagonal(gram, axis1=-2, axis2=-1)
    if np.any(diagonal < 0):
        k, i = np.argwhere(diagonal < 0)[0]
        raise ValueError(
            f"the overlaps of mode {k + 1} have a negative square norm {diagonal[k, i]}"
        )
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(gram / (scale[:, :, None] * scale[:, None, :]))
    if np.any(values < -INPUT_ROUNDING):
        k = int(np.argmin(values[:, 0]))
        raise ValueError(
            f"the overlaps (q, r, t) of mode {k + 1} belong to no vectors: their correlation "
            f"matrix has the eigenvalue {values[k, 0]:.3g}; check that |r_in|^2 <= q_ii t_nn"
        )
    roots = np.sqrt(np.where(values > ZERO * gram.shape[-1], values, 0.0))
    return (scale[:, :, None] * vectors * roots[:, None, :])[:, :, ::-1]


def whole_number(value: Any, name: str, least: int) -> int:
    """Return `value` as an int.

    Raises
    ------
    TypeError, ValueError
        If it is not a whole number, or is below `least`.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, found {value!r}") from None
    if isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, found {value}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, found {number}")
    return number


def check_model(model: Any, name: str) -> None:
    """Refuse with a TypeError what is not a TeacherStudent (the equations of one, say)."""
    if not isinstance(model, TeacherStudent):
        raise TypeError(
            f"{name} takes the model itself, a TeacherStudent, found {type(model).__name__}"
        )


def multiplicities(model: TeacherStudent, N: Any) -> Array:
    """Return the multiplicities n_k = N w_k of the eigenvalues, whole numbers, (L,).

    Raises
    ------
    ValueError
        If some n_k is not whole; names N, w_k and the nearest N that work.
    """
    N = whole_number(N, "N", 1)
    spectrum = model.spectrum
    if spectrum.L is sp.oo:
        raise ValueError(
            f"{spectrum} has infinitely many eigenvalues: no finite N has a multiplicity for each; "
            "give L an integer value, or N = None"
        )
    weights = spectrum.weights
    # Equal weights are one object many times: each is multiplied once.
    distinct = {id(w): w for w in weights}
    irrational = [w for w in distinct.values() if not w.is_Rational]
    if irrational:
        raise ValueError(
            f"no finite N has the weight w_k = {irrational[0]}: give rational spectrum weights"
        )
    counts = {key: N * w for key, w in distinct.items()}
    if not all(n.is_Integer for n in counts.values()):
        k, w = next((k, w) for k, w in enumerate(weights, 1) if not counts[id(w)].is_Integer)
        step = math.lcm(*(int(w.q) for w in distinct.values()))
        near = [m for m in (N // step * step, (N // step + 1) * step) if m > 0]
        raise ValueError(
            f"N = {N} gives n_{k} = N w_{k} = {N * w} with w_{k} = {w}: "
            f"use a multiple of {step}, such as N = {' or '.join(map(str, near))}"
        )
    whole = {key: int(n) for key, n in counts.items()}
    return np.array([whole[id(w)] for w in weights], dtype=np.int64)


def initial(
    model: TeacherStudent, sigma_J: Any, N: int | None, seed: int | None = None
) -> InitialCondition:
    """Overlaps of one random draw: teacher entries N(0, 1), student entries N(0, sigma_J^2).

    n_k [[t_k, r_k^T], [r_k, q_k]] is a Wishart matrix with n_k degrees of freedom. Bartlett: it is
    A A^T with A lower triangular, A_ii^2 ~ chi^2_{n_k - i} and A_ij ~ N(0, 1) below, i = 0, 1, ...
    For n_k < K + M the same holds with A cut after n_k columns. Exact in law; the cost does not
    depend on N.

    Parameters
    ----------
    model : TeacherStudent
    sigma_J : number >= 0
    N : int or None
        Input dimension. None: the mean of N -> infinity, q = sigma_J^2 I, r = 0, t = I, the same in
        each eigenspace; given once, with a leading axis of length one, from L = 10^4 on.
    seed : int, optional
        Required with a finite N; the mean (N=None) is not random and needs none.

    Raises
    ------
    ValueError
        If a number is out of range, n_k = N w_k is not whole, or the seed is missing.
    TypeError
        If `model` is not a TeacherStudent, or an argument is not a number.
    """
    check_model(model, "initial")
    number = exact(sigma_J, "initial: sigma_J")
    if not number.is_number:
        raise ValueError(f"initial: sigma_J must be a number, found {sigma_J}")
    if number < 0:
        raise ValueError(f"initial: sigma_J must not be negative, found {sigma_J}")
    size = model.spectrum.L
    if not model.is_explicit or not size.is_number:
        raise ValueError(
            f"initial: K = {model.K}, M = {model.M}, L = {size} must be numbers: "
            "use model.replace(...)"
        )
    K, M = int(model.K), int(model.M)
    width = float(number)
    record = width if exact(width, "sigma_J") == number else str(number)
    if N is None:
        L = 1 if size >= COMPACT else int(size)
        q = np.broadcast_to(np.array(sp.eye(K) * number**2), (L, K, K))
        return InitialCondition(q, np.zeros((L, K, M)), provenance={"sigma_J": record, "N": None})
    if seed is None:
        raise ValueError(f"initial: a draw at N = {N} is random: pass seed=")
    seed = whole_number(seed, "initial: seed", 0)
    counts = multiplicities(model, N)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    scale = np.repeat([1.0, width], [M, K])
    factor = scale[:, None] * _bartlett(counts, M + K, rng)
    gram = factor @ np.swapaxes(factor, -1, -2) / counts[:, None, None]
    # Symmetric to the last bit, whatever the matrix product did.
    gram = (gram + np.swapaxes(gram, -1, -2)) / 2
    return InitialCondition(
        gram[:, M:, M:],
        gram[:, M:, :M],
        gram[:, :M, :M],
        provenance={"sigma_J": record, "N": int(N), "seed": seed},
    )


def _bartlett(counts: Array, size: int, rng: np.random.Generator) -> Array:
    """Lower-triangular A with A A^T ~ Wishart(counts_k, identity), (L, size, size)."""
    freedom = counts[:, None] - np.arange(size)
    normal = np.tril(rng.standard_normal((len(counts), size, size)), -1)
    # Columns beyond n_k do not exist: n_k vectors span at most n_k directions.
    exists = freedom > 0
    diagonal = np.sqrt(rng.chisquare(np.where(exists, freedom, 1)))
    factor = normal + diagonal[:, :, None] * np.eye(size)
    return factor * exists[:, None, :]
