"""Numerical values of expressions with integrals, sums, derivatives and limits."""

import re

import mpmath as mp
import pytest
import sympy as sp

from theory.evaluation import numerical, rational_points, variables

x, y = sp.symbols("x y", real=True)
a = sp.Symbol("a", positive=True)
k = sp.Symbol("k", integer=True)
Q = sp.IndexedBase("Q")
LINE = (-sp.oo, sp.oo)
THIRD = sp.Rational(1, 3)

VALUES = {
    "gauss": (sp.Integral(sp.exp(-(x**2) / 2), (x, *LINE)), sp.sqrt(2 * sp.pi)),
    "narrow gauss": (sp.Integral(sp.exp(-100 * x**2), (x, *LINE)), sp.sqrt(sp.pi) / 10),
    "wide gauss": (sp.Integral(sp.exp(-(x**2) / 200), (x, *LINE)), sp.sqrt(200 * sp.pi)),
    "shifted gauss": (sp.Integral(sp.exp(-((x - 9) ** 2)), (x, *LINE)), sp.sqrt(sp.pi)),
    "algebraic decay": (sp.Integral(1 / (1 + x**2), (x, *LINE)), sp.pi),
    "triangle": (sp.Integral(x * y, (x, 0, y), (y, 0, 1)), sp.Rational(1, 8)),
    "product": (sp.Product(k + THIRD, (k, 0, 3)), sp.rf(THIRD, 4)),
    "infinite product": (sp.Product(1 - 1 / k**2, (k, 2, sp.oo)), sp.Rational(1, 2)),
    "substituted": (sp.Subs(sp.Derivative(sp.exp(x * y), x), x, 2).subs(y, 3), 3 * sp.exp(6)),
    "mixed derivative": (
        sp.Subs(sp.Derivative(sp.sin(x * y), x, y), (x, y), (0, 1)),
        sp.S.One,
    ),
    "limit from the left": (sp.Limit(sp.sign(x), x, 0, "-"), -sp.S.One),
    "harmonic": (sp.harmonic(sp.Integer(9), THIRD, evaluate=False), sp.harmonic(9, THIRD)),
    "nested": (
        sp.Sum(sp.Integral(x**k, (x, 0, 1)), (k, 0, 3)),
        sp.Rational(25, 12),
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_are_good_to_forty_digits(name):
    """Oracle: closed forms."""
    expr, expected = VALUES[name]
    with mp.workdps(55):
        value = numerical(expr)({})
        assert abs(value - mp.mpmathify(sp.N(expected, 60))) < mp.mpf(10) ** -40


@pytest.mark.slow
def test_two_dimensional_gaussian_average():
    """Oracle: E[erf(u/sqrt 2) erf(v/sqrt 2)] = (2/pi) asin(rho/2) at unit variances (SS95)."""

    def g(u):
        return sp.erf(u / sp.sqrt(2))

    density = sp.exp(-(x**2 + y**2) / 2) / (2 * sp.pi)
    integrand = g(x) * g(THIRD * x + sp.sqrt(1 - THIRD**2) * y) * density
    with mp.workdps(55):
        value = numerical(sp.Integral(integrand, (x, *LINE), (y, *LINE)))({})
        assert abs(value - 2 / mp.pi * mp.asin(mp.mpf(1) / 6)) < mp.mpf(10) ** -40


ERRORS = {
    "kink": (sp.Integral(sp.exp(-(x**2)) * sp.Abs(x - THIRD), (x, *LINE)), "did not settle"),
    "no decay": (sp.Integral(sp.cos(x), (x, *LINE)), "does not decay"),
    "no bounds": (sp.Integral(x, x), "has no bounds for x"),
    "half an index": (sp.Sum(x, (x, sp.Rational(1, 2), 2)), "runs over integers"),
    "undefined": (sp.Function("f")(x) + 1, "no numerical value for f(x)"),
    "matrix": (sp.MatrixSymbol("A", 2, 2)[0, 0], "no numerical value for A"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_has_no_value_raises(name):
    """Oracle: the specification; no NaN, no guess."""
    expr, message = ERRORS[name]
    with mp.workdps(55), pytest.raises(ValueError, match=re.escape(message)):
        numerical(expr)({x: mp.mpf(1)})


def test_variables_of_indexed_sums():
    """Oracle: sum_{k<=2} k Q_k has the variables Q_1 and Q_2, once written out."""
    total = sp.Sum(k * Q[k], (k, 1, 2))
    assert variables(total.doit()) == [Q[1], Q[2]]
    assert numerical(total)({Q[1]: mp.mpf(5), Q[2]: mp.mpf(7)}) == 19


def test_points_respect_assumptions():
    """Oracle: the assumptions of each symbol, and distinct values."""
    odd = sp.Symbol("odd", odd=True, positive=True)
    negative = sp.Symbol("n", negative=True)
    points = rational_points([a, negative, odd, x], 3)
    assert points == rational_points([a, negative, odd, x], 3)
    for point in points:
        assert point[a] > 0 > point[negative]
        assert point[odd].is_odd
    assert len({p[a] for p in points} | {p[x] for p in points}) == 6
    assert {p[x] > 0 for p in points} == {True, False}
    impossible = sp.Symbol("i", imaginary=True)
    with pytest.raises(ValueError, match="give points for it"):
        rational_points([impossible], 1)
