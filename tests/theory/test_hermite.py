"""Hermite coefficients against quadrature, and their series against the closed averages."""

from __future__ import annotations

import mpmath as mp
import pytest
import sympy as sp

from theory.gaussian import I2, NoClosedForm
from theory.hermite import hermite_coefficient, hermite_series, parseval

DIGITS = 20
x = sp.Symbol("x", real=True)
n = sp.Symbol("n")
gelu = x * (1 + sp.erf(x / sp.sqrt(2))) / 2

FUNCTIONS = {
    "erf": lambda t: mp.erf(t / mp.sqrt(2)),
    "relu": lambda t: max(t, 0),
    "sign": mp.sign,
    "sin": mp.sin,
    "cos": mp.cos,
    "exp": mp.exp,
    "linear": lambda t: t,
    "x^4": lambda t: t**4,
    "He_3": lambda t: t**3 - 3 * t,
    2 - sp.erf(2 * x): lambda t: 2 - mp.erf(2 * t),
    sp.Abs(x): abs,
    x * sp.Abs(x): lambda t: t * abs(t),
    x**2 * sp.exp(-x): lambda t: t**2 * mp.exp(-t),
    sp.exp(x) * sp.cos(2 * x): lambda t: mp.exp(t) * mp.cos(2 * t),
}


def by_quadrature(g, degree, variance):
    """c_n by Gauss-Legendre pieces split at zero; He_n by mpmath."""
    sigma = mp.sqrt(variance)

    def integrand(z):
        hermite = mp.hermite(degree, z / mp.sqrt(2)) / mp.sqrt(2) ** degree
        return g(sigma * z) * hermite * mp.npdf(z)

    return mp.quad(integrand, [-18, -6, 0, 6, 18], method="gauss-legendre") / mp.sqrt(
        mp.factorial(degree)
    )


@pytest.mark.parametrize("activation", FUNCTIONS, ids=str)
def test_coefficients_by_quadrature(activation):
    """Oracle: quadrature, 20 digits, n = 0..4; the form in n and that at each integer."""
    variance = sp.Rational(7, 5)
    general = hermite_coefficient(activation, n, variance)
    for degree in range(5):
        with mp.workdps(DIGITS + 10):
            expected = by_quadrature(FUNCTIONS[activation], degree, mp.mpf(7) / 5)
            for found in (
                general.subs(n, degree),
                hermite_coefficient(activation, degree, variance),
            ):
                value = mp.mpf(sp.N(found, DIGITS + 10))
                assert abs(value - expected) < mp.mpf(10) ** -DIGITS * max(1, abs(expected))


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_coefficients_by_exact_integral(degree):
    """Oracle: quadrature, 20 digits, for an activation outside the families (GELU)."""
    found = hermite_coefficient(gelu, degree, sp.Symbol("q")).subs("q", 2)
    with mp.workdps(DIGITS + 10):
        expected = by_quadrature(lambda t: t * mp.ncdf(t), degree, mp.mpf(2))
        assert abs(mp.mpf(sp.N(found, DIGITS + 10)) - expected) < mp.mpf(10) ** -DIGITS


@pytest.mark.parametrize("activation", ["erf", "sin", "exp", "He_3", "x^4"])
def test_mehler_series_is_I2(activation):
    """Oracle: I2 in closed form, derived by another way; sum_n c_n c_n rho^n to 20 digits."""
    Caa, Cbb, Cab = sp.Rational(1, 2), sp.Rational(4, 5), sp.Rational(-2, 5)
    rho = sp.N(Cab / sp.sqrt(Caa * Cbb), DIGITS + 10)
    terms = (
        hermite_coefficient(activation, k, Caa) * hermite_coefficient(activation, k, Cbb) * rho**k
        for k in range(61)
    )
    total = sum(sp.N(term, DIGITS + 10) for term in terms)
    expected = sp.N(I2(activation, Caa, Cbb, Cab), DIGITS + 10)
    assert abs(total - expected) < sp.Float(10) ** -DIGITS


@pytest.mark.parametrize("activation", ["exp", "x^3", "He_3", "linear"])
def test_parseval_sums_exactly(activation):
    """Oracle: SymPy's sum of c_n^2 against E[g^2]."""
    identity = parseval(activation, sp.Symbol("q", positive=True))
    left = identity.lhs
    if activation == "exp":
        total = left.doit()
    else:
        index = left.variables[0]
        total = sp.Add(*(left.function.subs(index, k) for k in range(6)))
    assert sp.simplify(total - identity.rhs) == 0


def test_parseval_of_erf():
    """Oracle: the numeric sum of 200 terms, geometric with ratio (q/(1+q))^2 = 1/9 a step."""
    identity = parseval("erf", sp.Rational(1, 2))
    term = identity.lhs.function
    index = identity.lhs.variables[0]
    total = sum(sp.N(term.subs(index, k), 40) for k in range(1, 81, 2))
    assert abs(total - sp.N(identity.rhs, 40)) < sp.Float("1e-35")


@pytest.mark.parametrize("activation", ["erf", "relu", "exp"])
def test_series_bound_holds(activation):
    """Oracle: I2 in closed form; the bound holds and shrinks with the order."""
    rho = sp.Rational(-9, 10)
    exact = I2(activation, 1, 1, rho)
    previous = sp.oo
    for order in (1, 3, 7):
        series = hermite_series(activation, order)
        bound = sp.N(series.bound(rho), 20)
        assert series.order == order
        assert abs(sp.N(exact - series.partial_sum(rho), 20)) <= bound < previous
        assert sp.N(series.tail, 20) > 0
        previous = bound


def test_known_values():
    """Oracle: relu and erf by hand; a normalised He_n has one coefficient, sqrt(n!)."""
    assert hermite_coefficient("relu", 0) == 1 / sp.sqrt(2 * sp.pi)
    assert hermite_coefficient("relu", 3) == 0
    assert hermite_coefficient("erf", 1) == 1 / sp.sqrt(sp.pi)
    assert [hermite_coefficient("He_3", k) for k in range(5)] == [0, 0, 0, sp.sqrt(6), 0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: hermite_coefficient("erf", -1), ValueError, "integer >= 0 or a symbol, found -1"),
        (lambda: hermite_coefficient("erf", "1/2"), ValueError, "found 1/2"),
        (lambda: hermite_coefficient("erf", 1, 0), ValueError, "variance must be positive"),
        (lambda: hermite_series("erf", -1), ValueError, "order must be"),
        (lambda: hermite_series("erf", 2.5), ValueError, "order must be .* >= 0, found 2.5"),
        (lambda: hermite_series("erf", n), ValueError, "order must be an integer >= 0, found n"),
        (lambda: hermite_coefficient(gelu, n), NoClosedForm, "give an integer n"),
        (lambda: parseval(gelu), NoClosedForm, "no closed form in n"),
        (lambda: hermite_series(gelu, 1), NoClosedForm, "averages of g"),
        pytest.param(
            lambda: hermite_coefficient(sp.tanh(x), 1),
            NoClosedForm,
            "integrate it numerically",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_errors_say_what_is_wrong(call, error, message):
    """Oracle: the rule of the house on error messages."""
    with pytest.raises(error, match=message):
        call()
