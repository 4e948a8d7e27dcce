"""Kinds of number: exact numbers become them without loss, functions mean the same on all."""

import subprocess
import sys

import flint
import heyoka as hy
import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.codegen import FUNCTIONS, kernel_function
from numerics.targets import FlintTarget, HeyokaTarget, NumbaTarget, midpoint

X = sp.Symbol("x", positive=True)
EXACT = [sp.Rational(1, 3), sp.sqrt(2), sp.Integer(-7), sp.Rational(1, 10), sp.pi / 4]


def with_decimal(value, bits):
    """Value of a heyoka constant, as mpf."""
    with mp.workprec(bits):
        return mp.mpf(str(value))


@pytest.mark.parametrize("value", EXACT, ids=str)
def test_exact_numbers_arrive_in_full(value):
    """Oracle: SymPy's value at 60 digits; a conversion through a double would show at 1e-17."""
    flint_target, heyoka_target = FlintTarget(45), HeyokaTarget(45)
    exact = sp.N(value, 60)
    with flint_target.precision(), mp.workdps(60):
        assert abs(midpoint(flint_target.number(value)) - mp.mpf(exact)) < mp.mpf(10) ** -44
    with mp.workdps(60):
        found = with_decimal(heyoka_target.constant(value), heyoka_target.bits)
        assert abs(found - mp.mpf(exact)) < mp.mpf(10) ** -44
    assert NumbaTarget().number(value) == float(exact)


def test_floats_and_mpf_arrive_as_they_are():
    """Oracle: a binary number is exact in any higher precision."""
    with mp.workdps(40):
        third = mp.mpf(1) / 3
    target = FlintTarget(60)
    with target.precision():
        assert target.number(0.1) == flint.arb(0.1)
        assert target.number(third) * 3 != 1
        assert abs(target.number(third) * 3 - 1) < flint.arb("1e-39")
        assert target.number(mp.mpf(0)) == 0
    with mp.workprec(200):
        assert with_decimal(HeyokaTarget(60).constant(0.1), 200) == mp.mpf(0.1)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS.values())))
def test_functions_mean_the_same_on_every_target(name):
    """Oracle: mpmath at 40 digits."""
    (function,) = (f for f, n in FUNCTIONS.items() if n == name)
    text = kernel_function("value", sp.Lambda((X,), function(X / 3) + X**5 + sp.Rational(1, 7)))
    point = sp.Rational(2, 7)
    with mp.workdps(50):
        exact = mp.mpf(sp.N(function(point / 3) + point**5 + sp.Rational(1, 7), 50))
    target = FlintTarget(40)
    with target.precision(), mp.workdps(40):
        assert abs(midpoint(target.load(text)["value"](target.number(point))) - exact) < 1e-38
    assert NumbaTarget().load(text)["value"](2 / 7) == pytest.approx(float(exact), rel=1e-14)
    x = hy.make_vars("x")
    expression = HeyokaTarget(None).load(text)["value"](x)
    compiled = hy.cfunc([expression], [x])
    assert compiled([2 / 7])[0] == pytest.approx(float(exact), rel=1e-14)


@pytest.mark.parametrize("power", [1, 2, 3, 7, 12])
def test_integer_powers_of_a_ball_around_zero(power):
    """Oracle: |x| < r gives |x^n| < r^n; flint's own power of such a ball is nan."""
    target = FlintTarget(20)
    with target.precision():
        value = target.load(kernel_function("value", sp.Lambda((X,), X**power)))["value"]
        ball = flint.arb(0, "0.001")
        assert value(ball).contains(0)
        assert value(ball).rad() < flint.arb("0.0011") ** power * 2**power


def test_precision_is_restored():
    """Oracle: flint's global precision before and after."""
    before = flint.ctx.prec
    with FlintTarget(100).precision():
        assert flint.ctx.prec >= 332
    assert flint.ctx.prec == before


def test_arrays_keep_their_shape():
    """Oracle: entry by entry."""
    given = [[sp.Rational(1, 2), 1], [2, mp.mpf(3)]]
    assert NumbaTarget().array(given).tolist() == [[0.5, 1.0], [2.0, 3.0]]
    assert NumbaTarget().zeros(2, 3).shape == (2, 3)
    array = FlintTarget(20).array(given)
    assert array.shape == (2, 2)
    assert array[0, 0] == flint.arb("0.5")


@pytest.mark.parametrize("writable", [True, False], ids=["folder", "blocked"])
def test_generated_code_is_cached_where_the_user_says(tmp_path, writable):
    """Oracle: the module file in $SPECSCALE_CACHE; without a usable folder it still computes."""
    cache = tmp_path / "cache"
    if not writable:
        cache.write_text("not a folder")
    code = (
        f"import os, tempfile; os.environ['SPECSCALE_CACHE'] = {str(cache)!r}\n"
        f"tempfile.tempdir = {str(tmp_path)!r}\n"
        "from numerics.targets import NumbaTarget\n"
        "print(NumbaTarget().load('def f(x):\\n    return 2 * x\\n')['f'](21))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "42", result.stderr
    folder = cache if writable else next(tmp_path.glob("specscale-*"))
    assert [p.name for p in folder.glob("specscale_*.py")]


def test_float64_divides_like_numpy():
    """Oracle: IEEE 754; a division by zero is not an exception in the middle of a step."""
    text = kernel_function("value", sp.Lambda((X,), 1 / X))
    assert np.isinf(NumbaTarget().load(text)["value"](0.0))
