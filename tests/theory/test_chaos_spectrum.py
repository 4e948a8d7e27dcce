"""The spectrum as d -> oo: blocks by parity sets, for finite and infinite v."""

from itertools import combinations_with_replacement, pairwise
from math import comb

import mpmath as mp
import pytest
import sympy as sp

from theory import chaos_eigenvalues
from theory.chaos_spectrum import odd_sets
from theory.random_features import expected_trace


def moment(powers) -> mp.mpf:
    """E[prod_i z_i^powers_i] of standard normal z."""
    if any(n % 2 for n in powers):
        return mp.mpf(0)
    return mp.fprod(mp.fac2(n - 1) for n in powers)


def dense_spectrum(a, p: int, v: int) -> list[mp.mpf]:
    """The kernel E_x[(w.x)^p (u.x)^p] in all monomials of w: no parity, no square root.

    Eigenvalues of E[x^alpha x^beta] times E[w^alpha w^beta] with both multinomials.
    """
    lam = [mp.mpf(j) ** -mp.mpf(a) for j in range(1, v + 1)]
    choices = combinations_with_replacement(range(v), p)
    indices = [tuple(c.count(i) for i in range(v)) for c in choices]
    n = len(indices)
    inputs, weights = mp.matrix(n), mp.matrix(n)
    for i, alpha in enumerate(indices):
        for j, beta in enumerate(indices):
            both = [r + s for r, s in zip(alpha, beta, strict=True)]
            inputs[i, j] = moment(both) * mp.fprod(
                e ** (mp.mpf(m) / 2) for e, m in zip(lam, both, strict=True)
            )
            multinomials = mp.fprod(mp.fac(p) / mp.fprod(map(mp.fac, x)) for x in (alpha, beta))
            weights[i, j] = moment(both) * multinomials
    root = mp.cholesky(weights)
    return sorted(mp.eigsy(root.T * inputs * root, eigvals_only=True), reverse=True)


@pytest.mark.parametrize(("p", "v"), [(1, 5), (2, 2), (2, 5), (3, 2), (3, 4), (4, 2), (4, 4)])
def test_blocks_are_the_dense_spectrum(p, v):
    """Oracle: a dense eigenvalue problem over all monomials, to 1e-12."""
    with mp.workdps(30):
        expected = dense_spectrum("1.5", p, v)
    found = chaos_eigenvalues("3/2", p, comb(v + p - 1, p), v)
    worst = max(abs(f.value / e - 1) for f, e in zip(found, expected, strict=True))
    assert worst < 1e-12


def test_more_digits():
    """Oracle: the dense eigenvalue problem, to 1e-25."""
    with mp.workdps(40):
        expected = dense_spectrum("1.5", 3, 3)
        found = chaos_eigenvalues("3/2", 3, 10, 3, digits=25)
        assert max(abs(f.value / e - 1) for f, e in zip(found, expected, strict=True)) < 1e-25


def test_closed_form():
    """Oracle: a = 2, p = 2, S empty: u cot u = -3, nu = (pi/u)^2."""
    with mp.workdps(25):
        squares = [e for e in chaos_eigenvalues(2, 2, 40, digits=20) if not e.odd]
        assert len(squares) == 5
        for e in squares:
            u = mp.findroot(lambda u: u * mp.cos(u) + 3 * mp.sin(u), mp.pi * (e.branch - 0.4))
            assert abs(e.value / (4 * (mp.pi / u) ** 4) - 1) < 1e-20


@pytest.mark.parametrize("p", [2, 3])
def test_infinite_inputs_are_the_limit(p):
    """Oracle: finite v, whose distance from v = oo must fall like the tail of tr H, v^(1-a)."""
    limit = chaos_eigenvalues(2, p, 1)[0].value
    gaps = [limit - chaos_eigenvalues(2, p, 1, v)[0].value for v in (500, 1000, 2000)]
    assert all(1.98 < first / second < 2.02 for first, second in pairwise(gaps))


@pytest.mark.parametrize(("a", "p"), [("6/5", 2), (3, 2), (3, 3)])
def test_trace(a, p):
    """Oracle: the exact trace at v = 15, from moments of a quadratic form."""
    v = 15
    found = chaos_eigenvalues(a, p, comb(v + p - 1, p), v)
    total = mp.fsum(e.value for e in found)
    assert abs(total / mp.mpf(sp.N(expected_trace(p, a, v), 20)) - 1) < 1e-12


def test_odd_sets():
    """Oracle: enumeration of all triples."""
    expected = [
        (i, j, k)
        for i in range(1, 41)
        for j in range(i + 1, 41)
        for k in range(j + 1, 41)
        if i * j * k <= 80
    ]
    assert list(odd_sets(3, 80, None)) == expected
    assert list(odd_sets(3, 80, 10)) == [s for s in expected if s[2] <= 10]
    assert list(odd_sets(0, 1, None)) == [()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 2, 5), r"must be a number > 1, found 1"),
        ((2, -1, 5), r"degree p must be a positive integer"),
        ((2, 2.5, 5), r"degree p must be a positive integer"),
        ((2, 5, 5), r"degree p must be at most"),
        ((2, 2, 0), r"count must be a positive integer or a symbol, found 0"),
        ((2, 2, 2.5), r"count must be a positive integer or a symbol, found 2.5"),
        ((2, 2, 11, 4), r"count must be at most 10, all there are, found 11"),
        ((2, 2, 5, -3), r"input dimension v must be a positive integer"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        chaos_eigenvalues(*arguments)
