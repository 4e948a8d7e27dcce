"""Random features: covariance for given weights, Wick coefficients, trace."""

import pytest
import sympy as sp

from theory import random_feature_covariance
from theory.random_features import A, B, C, expected_trace, quadratic_form_moment, wick_coefficient

Y = sp.Symbol("y")


def moments(a_power: int, b_power: int) -> sp.Expr:
    """E[a^m b^n] from the generating function exp((A s^2 + 2 C s t + B t^2)/2), term by term."""
    s, t = sp.symbols("s t")
    total = a_power + b_power
    if total % 2:
        return sp.S.Zero
    quadratic = (A * s**2 + 2 * C * s * t + B * t**2) / 2
    term = sp.Poly(sp.expand(quadratic ** (total // 2)), s, t)
    weight = sp.factorial(a_power) * sp.factorial(b_power) / sp.factorial(total // 2)
    return sp.expand(weight * term.coeff_monomial(s**a_power * t**b_power))


@pytest.mark.parametrize("p", range(1, 9))
def test_monomials(p):
    """Oracle: the moment generating function of two Gaussian fields."""
    assert sp.expand(random_feature_covariance(p) - moments(p, p)) == 0


@pytest.mark.parametrize("p", range(1, 9))
def test_wick_coefficients(p):
    """Oracle: the moment generating function, by powers of C."""
    wick = sum(
        wick_coefficient(p, k) ** 2 * sp.factorial(p - 2 * k) * C ** (p - 2 * k) * (A * B) ** k
        for k in range(p // 2 + 1)
    )
    assert sp.expand(wick - moments(p, p)) == 0


def test_polynomial():
    """Oracle: the moment generating function, bilinear in the coefficients."""
    f = 2 - Y + 3 * Y**4
    coefficients = sp.Poly(f, Y).all_coeffs()[::-1]
    expected = sum(
        c * e * moments(m, n)
        for m, c in enumerate(coefficients)
        for n, e in enumerate(coefficients)
    )
    assert sp.expand(random_feature_covariance(f) - expected) == 0


def test_closed_forms():
    """Oracle: the arcsine and arc-cosine kernels (Williams 1998; Cho & Saul 2009)."""
    at = {A: 1, B: 1, C: sp.Rational(1, 2)}
    assert random_feature_covariance("erf").subs(at) == 2 * sp.asin(sp.Rational(1, 4)) / sp.pi
    angle = sp.pi / 3
    cosine = (sp.sin(angle) + (sp.pi - angle) * sp.cos(angle)) / (2 * sp.pi)
    assert sp.simplify(random_feature_covariance("relu").subs(at) - cosine) == 0


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_quadratic_form_moment(n):
    """Oracle: Wick's theorem over the coordinates, E[w_i^(2m)] = (2m - 1)!!."""
    lam = [sp.Rational(1, j) for j in (1, 2, 3)]
    w = sp.symbols("w1:4")
    form = sp.Poly(sum(e * x**2 for e, x in zip(lam, w, strict=True)) ** n, *w)
    expected = sum(
        coefficient * sp.prod([sp.factorial2(m - 1) for m in powers])
        for powers, coefficient in form.terms()
    )
    assert quadratic_form_moment(n, lambda m: sum(e**m for e in lam)) == expected


def test_trace_of_one_feature():
    """Oracle: d = 1, v = 1, where K = A^p (2p - 1)!! and A is chi-squared: E[A^p] = (2p - 1)!!."""
    assert sp.simplify(expected_trace(3, 2, 1).rewrite(sp.Sum).doit() - 15 * 15) == 0


@pytest.mark.parametrize("feature", [0, -1, 1.5, "2.5", sp.Rational(5, 2)])
def test_bad_degree(feature):
    with pytest.raises(ValueError, match=r"degree p must be|unknown activation"):
        random_feature_covariance(feature)


@pytest.mark.parametrize("a", [1, "1/2", 0.99, sp.Symbol("a")])
def test_bad_exponent(a):
    with pytest.raises(ValueError, match=r"must be a number > 1, found"):
        expected_trace(2, a)
