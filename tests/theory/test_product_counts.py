"""Counts of products: expansions from the poles of zeta functions."""

from math import prod

import mpmath as mp
import pytest
import sympy as sp

from theory.product_counts import KINDS, X, counting_law, dirichlet_series, residue

LIMIT = 3000


def tables(p: int) -> dict[str, list[int]]:
    """Number of tuples with product n <= LIMIT, by kind, by adding one index after the other."""
    found = {}
    for kind in KINDS:
        # ways[m][n]: m indices with product n
        ways = [[0] * (LIMIT + 1) for _ in range(p + 1)]
        ways[0][1] = 1
        if kind == "ordered":
            for m in range(p):
                for n in range(1, LIMIT + 1):
                    for i in range(1, LIMIT // n + 1):
                        ways[m + 1][n * i] += ways[m][n]
        else:
            for i in range(1, LIMIT + 1):
                # Distinct: i at most once, so take it from larger m first; else again and again.
                orders = range(p - 1, -1, -1) if kind == "distinct" else range(p)
                for m in orders:
                    for n in range(1, LIMIT // i + 1):
                        ways[m + 1][n * i] += ways[m][n]
        found[kind] = ways[p]
    return found


def test_tables_are_right():
    """Oracle: direct enumeration of triples with product up to 60."""
    triples = [(i, j, k) for i in range(1, 61) for j in range(1, 61) for k in range(1, 61)]
    small = [t for t in triples if prod(t) <= 60]
    counted = tables(3)
    assert sum(counted["ordered"][:61]) == len(small)
    assert sum(counted["distinct"][:61]) == len([t for t in small if t[0] < t[1] < t[2]])
    assert sum(counted["multiset"][:61]) == len([t for t in small if t[0] <= t[1] <= t[2]])


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_dirichlet_series(p):
    """Oracle: the sum of n^-s over enumerated products, s = 12, where 3000 terms are plenty."""
    for kind, ways in tables(p).items():
        direct = mp.fsum(c * mp.mpf(n) ** -12 for n, c in enumerate(ways) if n)
        closed = mp.mpf(sp.N(dirichlet_series(kind, p).subs("s", 12), 20))
        assert abs(direct / closed - 1) < 1e-12 if closed > 1e-3 else abs(direct - closed) < 1e-15


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_residues(kind, p):
    """Oracle: the contour integral of F(s) X^s/s around the pole, to 1e-12."""
    series = sp.lambdify("s", dirichlet_series(kind, p), "mpmath")
    for pole in [*range(1, p + 1), sp.oo]:
        center = mp.mpf(0) if pole is sp.oo else mp.mpf(1) / pole

        def term(angle, center=center):
            step = mp.expjpi(angle) / 40
            at = center + step
            return series(at) * mp.mpf(50) ** at / at * step

        # Trapezoidal rule: the integrand is analytic and periodic.
        with mp.workdps(30):
            contour = mp.fsum(term(mp.mpf(n) / 16) for n in range(32)) / 32
        value = mp.mpf(sp.N(residue(kind, p, pole).subs(X, 50), 20))
        assert abs(contour - value) < 1e-12 * max(1, abs(value))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_remainder(kind, p):
    """Oracle: enumeration; the remainder is at most the claimed error, between jumps on average."""
    law, ways = counting_law(kind, p), tables(p)[kind]
    total = 0
    for n in range(1, LIMIT + 1):
        total += ways[n]
        if n % 250 == 0:
            middle = total - sp.Rational(ways[n], 2)
            relative = law(n) / mp.mpf(sp.N(middle)) - 1
            assert abs(relative) < 2 * law.claimed_error(n), (n, relative)


def test_known_count():
    """Oracle: T_2(10^6) = 13 970 034, the summatory divisor function (OEIS A057494)."""
    assert abs(counting_law("ordered", 2)(10**6) / 13970034 - 1) < 1e-5


def test_bad_input():
    with pytest.raises(ValueError, match=r"kind must be one of .*, found 'all'"):
        counting_law("all", 2)
    with pytest.raises(ValueError, match=r"poles at 1/k, k = 1..2, found 3"):
        residue("ordered", 2, 3)
    with pytest.raises(ValueError, match="degree p must be a positive integer"):
        dirichlet_series("distinct", 0)
