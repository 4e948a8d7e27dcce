"""Numbers stay what the user typed: oracle is the rational number written out by hand."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from theory.exact import count, exact, is_inexact, non_negative, positive, sequence

TENTH_AS_DOUBLE = sp.Rational(3602879701896397, 2**55)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (3, sp.Integer(3)),
        (np.int64(3), sp.Integer(3)),
        (Fraction(1, 10), sp.Rational(1, 10)),
        ("1/10", sp.Rational(1, 10)),
        (" 0.1 ", sp.Rational(1, 10)),
        ("1e-3", sp.Rational(1, 1000)),
        (0.1, TENTH_AS_DOUBLE),
        (np.float64(0.1), TENTH_AS_DOUBLE),
        (np.float32(0.1), sp.Rational(13421773, 2**27)),
        (np.float16(0.1), sp.Rational(819, 2**13)),
        (np.longdouble(0.5) + np.longdouble(2) ** -40, sp.Rational(2**39 + 1, 2**40)),
        (np.array(2.5), sp.Rational(5, 2)),
        (np.array(3), sp.Integer(3)),
        (np.array(Fraction(1, 10), dtype=object), sp.Rational(1, 10)),
        (mp.mpf(0.1), TENTH_AS_DOUBLE),
        (mp.mpf(-6), sp.Integer(-6)),
        (mp.mpf(0), sp.Integer(0)),
        (sp.Float(0.1), TENTH_AS_DOUBLE),
        (sp.Float(0.5) * sp.Symbol("y"), sp.Symbol("y") / 2),
        (sp.sqrt(2), sp.sqrt(2)),
        (sp.Symbol("eta"), sp.Symbol("eta")),
    ],
)
def test_value_is_kept(given, expected):
    """Oracle: the exact rational; a float is the double it is (IEEE 754)."""
    assert exact(given, "number") == expected


def test_high_precision_number_keeps_its_bits():
    """Oracle: 1/3 rounded to 200 bits, as a binary fraction."""
    with mp.workprec(200):
        third = mp.mpf(1) / 3
    found = exact(third, "number")
    assert found.q == 2**201
    assert abs(found - sp.Rational(1, 3)) < sp.Rational(1, 2**200)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (True, TypeError, "eta must be a number, found True"),
        (None, TypeError, "eta must be a number"),
        ([1], TypeError, "of type list"),
        (1j, TypeError, "of type complex"),
        (np.array([1, 2]), TypeError, r"eta must be a number .*found array\(\[1, 2\]\)"),
        (np.array([3]), TypeError, r"found array\(\[3\]\) of type ndarray"),
        (np.array(True), TypeError, "eta must be a number, found True"),
        (np.array(float("nan")), ValueError, "eta must be finite, found nan"),
        (np.longdouble("inf"), ValueError, "eta must be finite, found inf"),
        ("fast", ValueError, "found 'fast'"),
        ("1/0", ValueError, "found '1/0'"),
        (float("nan"), ValueError, "eta must be finite, found nan"),
        (float("inf"), ValueError, "eta must be finite, found inf"),
        (np.float32("nan"), ValueError, "eta must be finite"),
        (mp.mpf("nan"), ValueError, "eta must be finite"),
        (sp.nan, ValueError, "eta must be finite"),
        (sp.oo, ValueError, "eta must be finite"),
        (sp.zoo, ValueError, "eta must be finite"),
        (sp.Float("nan"), ValueError, "eta must be finite"),
        (sp.I, ValueError, "eta must be real"),
        ("nan", ValueError, "eta must be a number"),
    ],
)
def test_bad_number_is_refused_by_name(bad, error, message):
    """Oracle: the message names the parameter and what was found."""
    with pytest.raises(error, match=message):
        exact(bad, "eta")


def test_sign_is_checked_and_symbols_pass():
    """Oracle: the definition of the ranges."""
    assert positive("1/7", "eta") == sp.Rational(1, 7)
    assert positive(sp.Symbol("x"), "eta") == sp.Symbol("x")
    assert non_negative(0, "label_noise") == 0
    for bad in (0, -1, "-1/2", -sp.sqrt(2), sp.Symbol("x", negative=True), 1 - sp.sqrt(2)):
        with pytest.raises(ValueError, match="eta must be positive"):
            positive(bad, "eta")
    for bad in (-1, 1 - sp.sqrt(2), sp.Symbol("x", negative=True)):
        with pytest.raises(ValueError, match="label_noise must not be negative"):
            non_negative(bad, "label_noise")


@pytest.mark.parametrize(
    "bad", [0, -2, "1/2", 2.5, sp.pi, sp.Symbol("x", negative=True), sp.Symbol("x", integer=False)]
)
def test_count_is_a_positive_integer(bad):
    """Oracle: the definition of a count."""
    with pytest.raises(ValueError, match=r"K must .*positive integer"):
        count(bad, "K")


def test_inexact_input_is_recognised():
    """Oracle: floats, and expressions that contain one, are the only inexact input."""
    for value in (
        0.1,
        np.float64(1),
        np.float32(1),
        np.float16(1),
        np.longdouble(1),
        np.array(1.0),
    ):
        assert is_inexact(value)
    for value in (sp.Float(1), sp.Symbol("x") * 0.5):
        assert is_inexact(value)
    for value in (
        1,
        np.int8(1),
        np.array(1),
        "0.1",
        Fraction(1, 10),
        mp.mpf(0.1),
        sp.pi,
        sp.Symbol("x"),
    ):
        assert not is_inexact(value)


def test_a_sequence_has_an_order():
    """Oracle: list() of what has an order; the rest is refused by name."""
    assert sequence(np.arange(3), "weights") == sequence(range(3), "weights") == [0, 1, 2]
    for bad in (3, "12", {1, 2}, {1: 2}, np.array(3)):
        with pytest.raises(TypeError, match=r"weights must be a sequence such as a list, found"):
            sequence(bad, "weights")
