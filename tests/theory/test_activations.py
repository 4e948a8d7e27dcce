"""Activations: by name or as an expression; oracles are textbook definitions."""

import mpmath as mp
import pytest
import sympy as sp

from theory import Activation
from theory.activations import X, hermite_polynomial

Y = sp.Symbol("y")


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("erf", lambda x: mp.erf(x / mp.sqrt(2))),
        ("linear", lambda x: x),
        ("relu", lambda x: max(x, 0)),
        ("sign", mp.sign),
        ("sin", mp.sin),
        ("cos", mp.cos),
        ("exp", mp.exp),
        ("x^3", lambda x: x**3),
        ("x**2", lambda x: x**2),
        ("He_3", lambda x: x**3 - 3 * x),
        ("He_{4}", lambda x: x**4 - 6 * x**2 + 3),
        ("ReLU", lambda x: max(x, 0)),
    ],
)
def test_name_means_its_function(name, function):
    """Oracle: mpmath's functions at points of both signs."""
    g = Activation(name)
    for point in (sp.Rational(-13, 10), sp.Rational(2, 7)):
        value = mp.mpf(g(point).evalf(20))
        assert abs(value - function(mp.mpf(point.p) / point.q)) < 1e-14


@pytest.mark.parametrize("n", range(1, 9))
def test_hermite_polynomials(n):
    """Oracle: SymPy's physicists' polynomials, He_n(x) = 2^(-n/2) H_n(x/sqrt 2)."""
    physicists = 2 ** -sp.Rational(n, 2) * sp.hermite(n, X / sp.sqrt(2))
    assert sp.expand(hermite_polynomial(n, X) - physicists) == 0


def test_an_expression_and_its_name_are_the_same_activation():
    """Oracle: equality and hash, on which caches rely."""
    assert Activation(sp.erf(Y / sp.sqrt(2))) == Activation("erf")
    assert hash(Activation(sp.sin(Y))) == hash(Activation("sin"))
    assert Activation(Activation("erf")) == Activation("erf")
    assert Activation(Y**3 - 3 * Y) == Activation("He_3")
    assert hash(Activation(Y**2)) == hash(Activation("x^2"))
    assert Activation("x^2") != Activation("x^3")
    assert Activation(sp.tanh(Y)).name == "tanh"
    assert Activation(sp.atan(Y)).name == "atan(x)"


def test_floats_in_an_expression_become_the_doubles_they_are():
    """Oracle: 0.5 is exactly 1/2."""
    double = Activation(sp.tanh(0.5 * Y))
    assert double.expr == sp.tanh(X / 2)
    assert double == Activation(sp.tanh(Y / 2))
    assert (double.inexact, Activation(double).inexact) == (True, True)
    assert not Activation(sp.tanh(Y / 2)).inexact


def test_derivative():
    """Oracle: d/dx erf(x/sqrt 2) = sqrt(2/pi) exp(-x^2/2)."""
    gauss = sp.sqrt(2 / sp.pi) * sp.exp(-(X**2) / 2)
    assert sp.simplify(Activation("erf").derivative - gauss) == 0


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ("swish", ValueError, "unknown activation 'swish': use one of erf"),
        ("x^0", ValueError, "unknown activation"),
        ("He_0", ValueError, "unknown activation"),
        (Y * sp.Symbol("z"), ValueError, r"exactly one symbol, found \['y', 'z'\]"),
        (sp.Integer(1), ValueError, r"exactly one symbol, found \[\]"),
        (sp.I * Y, ValueError, "activation must be real"),
        (sp.nan * Y, ValueError, "activation"),
        (sp.asin(Y), ValueError, r"activation must be real and finite, found asin\(y\) = .*I at"),
        (sp.sqrt(Y), ValueError, "activation must be real and finite"),
        (sp.gamma(Y), ValueError, r"real and finite, found gamma\(y\) = zoo"),
        (1 / Y, ValueError, r"activation must be finite, found 1/y, which is singular at 0"),
        (1 / (3 * Y - 1), ValueError, "singular at 1/3"),
        (sp.tan(Y), ValueError, "singular at pi/2"),
        (sp.sin(Y) / Y, ValueError, "write a removable singularity away"),
        (sp.Function("f")(Y), ValueError, r"known derivative, found f\(y\)"),
        (sp.floor(Y) + Y, ValueError, "activation must have a known derivative"),
        (mp.tanh, TypeError, "activation must be a name or a SymPy expression"),
        (None, TypeError, "activation must be a name or a SymPy expression"),
    ],
)
def test_bad_activation_is_refused(bad, error, message):
    """Oracle: the message names the activation and what was found."""
    with pytest.raises(error, match=message):
        Activation(bad)


@pytest.mark.parametrize(
    "expr",
    [
        sp.Abs(Y),
        sp.Max(0, Y),
        sp.Piecewise((Y, Y > 0), (sp.exp(Y) - 1, True)),
        sp.log(1 + sp.exp(Y)),
        Y * sp.tanh(sp.log(1 + sp.exp(Y))),
        Y / (1 + sp.exp(-Y)),
        Y / (1 + sp.Abs(Y)),
        sp.sinc(Y),
        1 / (Y**2 + sp.sin(Y) + 2),
        (sp.exp(sp.I * Y) + sp.exp(-sp.I * Y)) / 2,
    ],
    ids=str,
)
def test_activations_in_use_are_accepted(expr):
    """Oracle: the value at 1/3, evaluated directly; SymPy cannot solve for the poles of each."""
    third = sp.Rational(1, 3)
    assert abs(sp.N(Activation(expr)(third) - expr.subs(Y, third))) < 1e-14
