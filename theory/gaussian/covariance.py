"""Covariances: their canonical symbols, and the checks on those that users give."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import sympy as sp

from theory.exact import exact

__all__ = ["PAIR", "QUADRUPLE", "as_covariance", "quadruple_covariance"]

Caa, Cbb, Ccc, Cdd = sp.symbols("Caa Cbb Ccc Cdd", positive=True)
Cab, Cac, Cad, Cbc, Cbd, Ccd = sp.symbols("Cab Cac Cad Cbc Cbd Ccd", real=True)

PAIR: tuple[sp.Symbol, ...] = (Caa, Cbb, Cab)
"""Arguments of the two-point kernels."""

QUADRUPLE: tuple[sp.Symbol, ...] = (Caa, Cbb, Ccc, Cdd, Cab, Cac, Cad, Cbc, Cbd, Ccd)
"""Arguments of the four-point kernel."""

# Covariances given as doubles are semi-definite up to rounding only.
_ROUNDING = mp.mpf(10) ** -12


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
        If the shape is wrong, C is not symmetric, a variance is negative, or C is numeric and has
        an eigenvalue below -1e-12 times its trace.
    """
    rows = C.tolist() if hasattr(C, "tolist") else [list(row) for row in C]
    n = len(fields)
    if len(rows) != n or any(len(row) != n for row in rows):
        raise ValueError(
            f"the covariance of ({', '.join(fields)}) must be {n} x {n}, found "
            f"{len(rows)} rows of lengths {[len(row) for row in rows]}"
        )
    labels = [[f"C_{e}{f}" for f in fields] for e in fields]
    matrix = sp.Matrix(n, n, lambda i, j: exact(rows[i][j], labels[i][j]))
    for i in range(n):
        for j in range(i):
            if matrix[i, j] != matrix[j, i] and sp.simplify(matrix[i, j] - matrix[j, i]) != 0:
                raise ValueError(
                    f"the covariance must be symmetric, found {labels[i][j]} = {matrix[i, j]} "
                    f"but {labels[j][i]} = {matrix[j, i]}"
                )
        if matrix[i, i].is_negative:
            raise ValueError(f"the variance {labels[i][i]} must be >= 0, found {matrix[i, i]}")
    if not matrix.free_symbols:
        _require_semidefinite(matrix, fields)
    return matrix


def _require_semidefinite(matrix: sp.Matrix, fields: str) -> None:
    with mp.workdps(30):
        numbers = mp.matrix(matrix.evalf(30).tolist())
        smallest = min(mp.eigsy(numbers, eigvals_only=True))
        trace = mp.fsum(numbers[i, i] for i in range(numbers.rows))
        if smallest < -_ROUNDING * trace:
            raise ValueError(
                f"the covariance of ({', '.join(fields)}) must be positive semi-definite, found "
                f"the eigenvalue {mp.nstr(smallest, 5)} in {matrix.tolist()}"
            )
