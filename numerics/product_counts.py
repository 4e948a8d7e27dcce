"""Exact counts of p-tuples of positive integers with product <= X (Piltz's divisor problem).

Summary
    The d = infinity spectrum of random features is a count of index sets by the product of their
    indices: the number of eigenvalues p!^2 prod_{i in S} i^-a above a level is the number of sets
    with a product below another. Here the counts are integers; `theory` has their expansions.

Mathematics
    T_p ordered tuples, D_p sets of p distinct integers, M_p multisets of p integers.

    * T_{k+1}(N) = sum_{m <= N} T_k(floor(N/m)), for all N of the form floor(X/m) at once: they are
      fewer than 2 sqrt(X), so that one T_k costs O(X^(3/4)) with Dirichlet's hyperbola,

          sum_{m n <= N} t(n) = sum_{n <= s} (t(n) floor(N/n) + T(floor(N/n))) - s T(s),

      t(n) = T(n) - T(n - 1), s = floor(sqrt(N)).
    * D_p and M_p are the elementary and the complete symmetric functions of 1^-s, 2^-s, ...; by
      Newton's identities sums over the partitions of p into cycles of lengths l with multiplicities
      c_l, of

          (+-1)^(p - sum_l c_l) / prod_l (l^c_l c_l!) #{n : prod_l prod_{i<=c_l} n_{l,i}^l <= X},

      where the cycles of length one are T_{c_1}(floor(X/the others' product)).

References
    [PXZ26] Paquette, Xiao & Zhu, arXiv:2603.14578; Titchmarsh, The Theory of the Riemann
    Zeta-Function, ch. XII (Piltz's divisor problem).
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp
from numba import njit
from sympy.utilities.iterables import partitions

from theory.exact import exact

from .initial import whole_number
from .storage import Array

__all__ = ["KINDS", "count_products"]

KINDS = ("ordered", "distinct", "multiset")

REMEMBERED = 4
"""Levels X of which the tables are kept."""


def count_products(kind: str, p: int, X: Any) -> int:
    """Number of p-tuples of positive integers with product <= X, exact.

    Parameters
    ----------
    kind : {"ordered", "distinct", "multiset"}
        Ordered tuples (T_p), sets of p distinct integers (D_p), or multisets (M_p).
    p : int >= 1
    X : number >= 0
        Exact, or a float, which means the double it is.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above.
    OverflowError
        If a count might exceed 2^63.

    Notes
    -----
    Takes time O(p X^(3/4)) and memory O(p sqrt(X)): milliseconds at X = 1e9.

    Examples
    --------
    >>> [count_products(kind, 2, 10) for kind in KINDS]
    [27, 12, 15]
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, found {kind!r}")
    p = whole_number(p, "p", 1)
    limit = _level(X)
    if limit == 0:
        return 0
    _require_int64(p, limit)
    if kind == "ordered":
        return int(_tables(p, limit)[p][-1])
    sign = -1 if kind == "distinct" else 1
    total = Fraction(0)
    for cycles in partitions(p):
        weight = math.prod(length**c * math.factorial(c) for length, c in cycles.items())
        parity = sign ** (p - sum(cycles.values()))
        total += Fraction(parity * _count_cycles(cycles, limit), weight)
    return int(total)


def _level(X: Any) -> int:
    """floor(X), for X >= 0."""
    number = exact(X, "X")
    if not number.is_number:
        raise ValueError(f"X must be a number, found {X}: give its symbols values")
    if number < 0:
        raise ValueError(f"X must not be negative, found {X}")
    return int(sp.floor(number))


def _require_int64(p: int, limit: int) -> None:
    # T_p(X) <= X (1 + log X)^(p-1), by induction over T_{p}(X) = sum_m T_{p-1}(X/m).
    digits = math.log(limit) + (p - 1) * math.log1p(math.log(limit))
    if digits > math.log(2.0**63):
        raise OverflowError(
            f"the number of {p}-tuples with product <= {limit} might exceed 2^63: use a smaller X"
        )


def _count_cycles(cycles: dict[int, int], limit: int) -> int:
    """#{n : prod_l prod_{i <= c_l} n_{l,i}^l <= limit} for cycles {l: c_l}."""
    ones = cycles.get(1, 0)
    lengths = [length for length, c in sorted(cycles.items()) for _ in range(c) if length > 1]
    table = _tables(ones, limit)[ones]

    def below(level: int, rest: list[int]) -> int:
        if not rest:
            return int(table[_position(level, limit)])
        *others, longest = rest
        return sum(below(level // n**longest, others) for n in range(1, _root(level, longest) + 1))

    return below(limit, lengths)


def _root(x: int, n: int) -> int:
    """floor(x^(1/n)) of an integer."""
    if n == 2:
        return math.isqrt(x)
    root = round(x ** (1 / n))
    while root**n > x:
        root -= 1
    while (root + 1) ** n <= x:
        root += 1
    return root


def _position(level: int, limit: int) -> int:
    """Where `_levels` holds `level`."""
    root = math.isqrt(limit)
    return level - 1 if level <= root else len(_levels(limit)) - limit // level


@lru_cache(maxsize=REMEMBERED)
def _levels(limit: int) -> Array:
    """All values of floor(limit/m), m >= 1, increasing."""
    root = math.isqrt(limit)
    low = np.arange(1, root + 1, dtype=np.int64)
    high = limit // low[::-1]
    return np.concatenate([low, high[1:] if high[0] == root else high])


@lru_cache(maxsize=2 * REMEMBERED)
def _tables(p: int, limit: int) -> tuple[Array, ...]:
    """T_0, ..., T_p at all of `_levels`."""
    if p == 0:
        return (np.ones(len(_levels(limit)), dtype=np.int64),)
    before = _tables(p - 1, limit)
    if p == 1:
        return (*before, _levels(limit))
    return (*before, _convolved(before[-1], _levels(limit), math.isqrt(limit)))


@njit(cache=True)
def _convolved(table: Array, levels: Array, root: int) -> Array:
    """sum_{m <= N} table(floor(N/m)) at all levels N, by the hyperbola m n <= N."""
    size = len(levels)
    result = np.empty_like(table)
    for position in range(size):
        N, m = levels[position], size - position  # N = floor(X/m), hence N//n = floor(X/(m n))
        split = int(math.sqrt(N))
        split += (split + 1) ** 2 <= N
        split -= split**2 > N
        total, before = -split * table[split - 1], 0
        for n in range(1, split + 1):
            quotient = N // n
            where = size - m * n if m * n <= root else quotient - 1
            total += (table[n - 1] - before) * quotient + table[where]
            before = table[n - 1]
        result[position] = total
    return result
