"""Laws as objects: numbers, slopes, regimes, constants known by an equation."""

import mpmath as mp
import pytest
import sympy as sp

from theory.asymptotics import AsymptoticLaw, Harmonic, Regime, Root

x, a = sp.symbols("x a", positive=True)
LAW = AsymptoticLaw(a * x**-2, x, Regime("$x > a$", (x > a,)), sp.Integer(-2), a / x)


def test_value_slope_and_error_to_any_digits():
    """Oracle: the expression, by hand."""
    with mp.workdps(50):
        assert LAW("1/3", digits=50, a="1/7") == mp.mpf(9) / 7
        assert LAW.claimed_error("1/3", digits=50, a="1/7") == mp.mpf(3) / 7
    assert LAW.local_exponent(3, a=2) == -2
    assert LAW.holds(3, a=2)
    assert not LAW.holds(2, a=2)
    assert LAW.parameters == (a,)


def test_parameters_must_be_complete_and_known():
    """Oracle: the names that the message gives."""
    with pytest.raises(TypeError, match=r"\['a'\] by name, found \[\]"):
        LAW(1)
    with pytest.raises(TypeError, match=r"found \['a', 'b'\]"):
        LAW(1, a=1, b=2)


def test_no_value_is_no_number():
    """Oracle: a pole."""
    law = AsymptoticLaw(1 / (x - 1), x, Regime("$x > 1$"), None, 1 / x)
    with pytest.raises((ValueError, ZeroDivisionError)):
        law(1)
    complex_law = AsymptoticLaw(sp.sqrt(1 - x), x, Regime("$x < 1$"), None, x)
    with pytest.raises(ValueError, match="no finite value at x = 2"):
        complex_law(2)


def test_a_law_depends_on_its_variable():
    with pytest.raises(ValueError, match="does not depend on its variable"):
        AsymptoticLaw(a, x, Regime("always"), None, sp.S.Zero)
    with pytest.raises(ValueError, match="must not depend on the variable"):
        AsymptoticLaw(x**x, x, Regime("always"), x, sp.S.Zero)
    with pytest.raises(TypeError, match="a condition is an inequality"):
        Regime("always", (sp.true,))


@pytest.mark.parametrize("digits", [15, 60])
def test_constants_are_roots_to_all_digits(digits):
    """Oracle: Lambert's function, y exp(y) = a."""
    y = sp.Symbol("y", positive=True)
    root = Root(y, y * sp.exp(y) - a, sp.Integer(0), sp.Integer(100))
    law = AsymptoticLaw(y * x, x, Regime("always"), sp.S.One, sp.S.Zero, constants=(root,))
    assert law.parameters == (a,)
    with mp.workdps(digits):
        assert abs(law(2, digits, a=3) / (2 * mp.lambertw(3).real) - 1) < mp.mpf(10) ** (1 - digits)
    with pytest.raises(ValueError, match="does not change sign"):
        law(2, a=-1)


@pytest.mark.parametrize("order", ["5/4", 2, 3])
@pytest.mark.parametrize("number", [1, 7, 4096])
def test_harmonic_numbers_stay_functions(number, order):
    """Oracle: the sum; 4096 terms would be 4096 summands of an expression."""
    order = sp.Rational(order)
    found = Harmonic(number, order)
    assert isinstance(found, Harmonic)
    with mp.workdps(40):
        total = mp.fsum(mp.mpf(k) ** -mp.mpf(sp.N(order, 45)) for k in range(1, number + 1))
        assert abs(mp.mpf(sp.N(found, 40)) - total) < mp.mpf(10) ** -38
        law = AsymptoticLaw(found * x, x, Regime("always"), sp.S.One, sp.S.Zero)
        assert abs(law(1, 40) - total) < mp.mpf(10) ** -38
    assert sp.latex(found) == rf"H_{{{number}}}\left({sp.latex(order)}\right)"


def test_latex_says_the_error_and_the_regime():
    assert LAW.latex() == (
        r"\epsilon_{g} = \frac{a}{x^{2}} \left[1 + O\left(\frac{a}{x}\right)\right],"
        r" \quad \text{$x > a$}"
    )
