"""Covariances: their canonical symbols, and the checks on those that users give."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import sympy as sp

from theory.exact import exact, is_inexact, sequence

__all__ = ["PAIR", "QUADRUPLE", "as_covariance", "quadruple_covariance"]

Caa, Cbb, Ccc, Cdd = sp.symbols("Caa Cbb Ccc Cdd", positive=True)
Cab, Cac, Cad, Cbc, Cbd, Ccd = sp.symbols("Cab Cac Cad Cbc Cbd Ccd", real=True)

PAIR: tuple[sp.Symbol, ...] = (Caa, Cbb, Cab)
"""Arguments of the two-point kernels."""

QUADRUPLE: tuple[sp.Symbol, ...] = (Caa, Cbb, Ccc, Cdd, Cab, Cac, Cad, Cbc, Cbd, Ccd)
"""Arguments of the four-point kernel."""

# Lowest eigenvalue that a correlation matrix may have through rounding: of the numbers given as
# floats, or of the evaluation of irrational ones to `_DIGITS`; rational numbers are not rounded.
_FLOATS, _IRRATIONAL, _DIGITS = -sp.Rational(1, 10**12), -sp.Rational(1, 10**30), 40


def quadruple_covariance() -> sp.Matrix:
    """The 4 x 4 covariance of (a, b, c, d) in the symbols `QUADRUPLE`."""
    return sp.Matrix(
        [
            [Caa, Cab, Cac, Cad],
            [Cab, Cbb, Cbc, Cbd],
            [Cac, Cbc, Ccc, Ccd],
            [Cad, Cbd, Ccd, Cdd],
        ]
    )


def as_covariance(C: Any, fields: str) -> sp.Matrix:
    """Return `C` as a matrix of exact expressions, checked to be a covariance.

    Parameters
    ----------
    C : matrix or nested sequence, shape (n, n)
        Numbers or symbols; n is the number of fields.
    fields : str
        One letter per field, e.g. ``"abc"``.

    Raises
    ------
    ValueError
        If the shape is wrong, C is not symmetric, a variance is negative, or C is numeric and not
        positive semi-definite (up to 1e-12 in its correlations, if it was given as floats).
    TypeError
        If `C` is neither a matrix nor a sequence of sequences.
    """
    n, name = len(fields), f"the covariance of ({', '.join(fields)})"
    rows = sequence(C.tolist() if hasattr(C, "tolist") else C, name)
    rows = [sequence(row, f"{name}: row {i}") for i, row in enumerate(rows, 1)]
    if len(rows) != n or any(len(row) != n for row in rows):
        raise ValueError(
            f"{name} must be {n} x {n}, found {len(rows)} rows "
            f"of lengths {[len(row) for row in rows]}"
        )
    matrix = sp.Matrix(n, n, lambda i, j: exact(rows[i][j], f"C_{fields[i]}{fields[j]}"))
    _require_symmetric(matrix, fields)
    if not matrix.free_symbols:
        rounded = any(is_inexact(x) or isinstance(x, mp.mpf) for row in rows for x in row)
        rational = all(entry.is_Rational for entry in matrix)
        lowest = _FLOATS if rounded else sp.S.Zero if rational else _IRRATIONAL
        _require_semidefinite(matrix, fields, lowest)
    return matrix


def _require_symmetric(matrix: sp.Matrix, fields: str) -> None:
    """Symmetric, and no variance known to be negative."""
    for i, e in enumerate(fields):
        for j, f in enumerate(fields[:i]):
            if matrix[i, j] != matrix[j, i] and sp.simplify(matrix[i, j] - matrix[j, i]) != 0:
                raise ValueError(
                    f"the covariance must be symmetric, found C_{e}{f} = {matrix[i, j]} "
                    f"but C_{f}{e} = {matrix[j, i]}"
                )
        if matrix[i, i].is_negative:
            raise ValueError(f"the variance C_{e}{e} must be >= 0, found {matrix[i, i]}")


def _rational(number: sp.Expr) -> sp.Expr:
    return number if number.is_Rational else exact(sp.N(number, _DIGITS), "covariance")


def _require_semidefinite(matrix: sp.Matrix, fields: str, lowest: sp.Rational) -> None:
    """Conditional variances by exact elimination, of the matrix whose correlations gain -lowest.

    A variance given the fields before must be positive, or zero together with its covariances.
    """
    n = len(fields)
    rest = matrix.applyfunc(_rational).tolist()
    for a in range(n):
        rest[a][a] *= 1 - lowest
    for a in range(n):
        variance, covariances = rest[a][a], rest[a][a + 1 :]
        if variance < 0 or (variance == 0 and any(covariances)):
            given = f" given {', '.join(fields[:a])}" if a else ""
            beside = "" if variance else f" beside the covariances {covariances}"
            raise ValueError(
                f"the covariance of ({', '.join(fields)}) must be positive semi-definite, found "
                f"{matrix.tolist()}: the variance of {fields[a]}{given} is "
                f"{sp.N(variance, 5)}{beside}"
            )
        for i in range(a + 1, n if variance else 0):
            ratio = rest[i][a] / variance
            rest[i] = [x - ratio * y for x, y in zip(rest[i], rest[a], strict=True)]
