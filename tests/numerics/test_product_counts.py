"""Exact counts of products against enumeration, sieves and published values."""

import itertools
import math
import time

import numpy as np
import pytest
import sympy as sp

from numerics import count_products

COMBINATIONS = {
    "distinct": itertools.combinations,
    "multiset": itertools.combinations_with_replacement,
}


def enumerated(kind, p, X):
    """Every tuple of integers up to X, multiplied out."""
    numbers = range(1, X + 1)
    if kind == "ordered":
        return sum(math.prod(t) <= X for t in itertools.product(numbers, repeat=p))
    return sum(math.prod(t) <= X for t in COMBINATIONS[kind](numbers, p))


@pytest.mark.parametrize("kind", ["ordered", "distinct", "multiset"])
@pytest.mark.parametrize(("p", "largest"), [(1, 20), (2, 40), (3, 26), (4, 24), (5, 13)])
def test_small_counts(kind, p, largest):
    """Oracle: enumeration of all tuples, up to where the first p distinct ones appear."""
    for X in (1, 2, 3, 6, 9, largest - 1, largest):
        assert count_products(kind, p, X) == enumerated(kind, p, X), X


def sieved(p, X):
    """Divisor functions d_1, ..., d_p summed up to X."""
    d = np.ones(X + 1, dtype=np.int64)
    d[0] = 0
    sums = [int(d.sum())]
    for _ in range(p - 1):
        more = np.zeros_like(d)
        for m in range(1, X + 1):
            more[m::m] += d[1 : X // m + 1]
        d = more
        sums.append(int(d.sum()))
    return sums


def test_ordered_counts_are_sums_of_divisor_functions():
    """Oracle: a sieve for d_p(n), n <= X; levels beside a square on both sides."""
    for X in (99, 100, 101, 2499, 2500, 20_000):
        assert [count_products("ordered", p, X) for p in range(1, 6)] == sieved(5, X)


@pytest.mark.parametrize("kind", ["distinct", "multiset"])
def test_unordered_counts_by_their_recursion(kind):
    """Oracle: sets with largest member m, counted one by one (p = 3, 4 at X = 3000)."""
    step = 1 if kind == "distinct" else 0

    def count(p, X, least):
        if p == 1:
            return max(0, X - least + 1)
        return sum(count(p - 1, X // m, m + step) for m in range(least, X + 1) if m**p <= X)

    for p in (2, 3, 4):
        assert count_products(kind, p, 3000) == count(p, 3000, 1)


def test_known_values():
    """Oracle: sum_{n <= 10^k} d(n), OEIS A057494."""
    assert count_products("ordered", 2, 10**6) == 13970034
    assert count_products("ordered", 2, 10**9) == 20877697634


def test_a_billion_takes_no_minute():
    """Oracle: the clock; p <= 3 of every kind at X = 1e9 (a second; 60 are allowed)."""
    began = time.perf_counter()
    found = {kind: count_products(kind, 3, 10**9) for kind in ("ordered", *COMBINATIONS)}
    assert time.perf_counter() - began < 60
    # multisets with a repeated member are m, m, n; 1000 of them have m = n, one tuple each
    repeated = sum(10**9 // m**2 for m in range(1, math.isqrt(10**9) + 1))
    assert found["multiset"] - found["distinct"] == repeated
    assert found["ordered"] == 3 * found["distinct"] + 3 * found["multiset"] - 2 * 1000


def test_level_may_be_any_number():
    """Oracle: the count steps at integers only."""
    steps = [count_products("ordered", 2, X) for X in (5.99, "6", sp.sqrt(37), sp.Rational(20, 3))]
    assert steps == [10, 14, 14, 14]
    assert count_products("multiset", 3, "1/2") == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("sorted", 2, 10), ValueError, "kind must be one of ordered, distinct, multiset"),
        (("ordered", 0, 10), ValueError, "p must be at least 1, found 0"),
        (("ordered", 1.5, 10), TypeError, "p must be a whole number, found 1.5"),
        (("ordered", 2, -1), ValueError, "X must not be negative, found -1"),
        (("ordered", 2, math.nan), ValueError, "X must be finite"),
        (("ordered", 2, sp.Symbol("x")), ValueError, "X must be a number"),
        (("ordered", 30, 10**12), OverflowError, "might exceed 2"),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        count_products(*arguments)
