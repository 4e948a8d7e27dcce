"""Assertions for users: a right law passes, one that is 5 % off fails, in every one of them."""

from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics import InitialCondition, integrate, simulate
from numerics.testing import assert_agrees, assert_asymptotic, assert_exponent
from theory import PowerLaw, TeacherStudent, late_time_law, order_parameter_odes
from theory.asymptotics import AsymptoticLaw, Regime

x = sp.Symbol("x", positive=True)
LAW = AsymptoticLaw(3 / sp.sqrt(x), x, Regime("$x > 1$", (x > 1,)), -sp.S.Half, 1 / x)
ALONG = [10, 100, 1000, 10000]


def exact(v):
    """Three over the root of v, and a correction of relative order 1/v."""
    return 3 / mp.sqrt(v) * (1 + 2 / v)


def test_a_law_with_its_order_passes():
    """Oracle: the correction as constructed."""
    assert_asymptotic(exact, LAW, along=ALONG)
    assert_asymptotic(exact, LAW, along=ALONG, order=-1)
    assert_asymptotic(exact, LAW, along=ALONG, order="-1/2")


@pytest.mark.parametrize("factor", [sp.Rational(105, 100), sp.Rational(95, 100)])
def test_a_constant_five_per_cent_off_fails(factor):
    with pytest.raises(AssertionError, match="last remainder"):
        assert_asymptotic(exact, replace(LAW, expr=factor * LAW.expr), along=ALONG)


@pytest.mark.parametrize("factor", [sp.Rational(105, 100), sp.Rational(95, 100)])
def test_an_exponent_five_per_cent_off_fails(factor):
    with pytest.raises(AssertionError, match="last remainder"):
        assert_asymptotic(exact, replace(LAW, expr=3 * x ** (-factor / 2)), along=ALONG)


def test_too_sharp_an_order_fails_with_a_table():
    """Oracle: the remainders 2/x as constructed."""
    with pytest.raises(AssertionError) as caught:
        assert_asymptotic(exact, LAW, along=ALONG, order=-2)
    assert "falls as (x**(-2))**0.500, not as x**(-2)" in str(caught.value)
    assert "0.0002" in str(caught.value)


def test_a_small_wrong_constant_fails_by_its_order():
    """Oracle: 0.1 % is within 2 %, but does not fall."""
    wrong = replace(LAW, expr=sp.Rational(1001, 1000) * LAW.expr)
    with pytest.raises(AssertionError, match="the remainder falls as"):
        assert_asymptotic(exact, wrong, along=[10, 100, 1000, 10**4, 10**5])


def test_the_order_is_that_of_the_deep_end():
    """Oracle: 0.01 % off; over all values the remainder falls as x**-0.83, at last less."""
    wrong = replace(LAW, expr=sp.Rational(9999, 10000) * LAW.expr)
    with pytest.raises(AssertionError, match="the remainder falls as"):
        assert_asymptotic(exact, wrong, along=[10, 100, 1000, 10**4, 10**5], tolerance=0.2)


def test_an_exact_law_must_be_exact():
    law = replace(LAW, error=sp.S.Zero)
    assert_asymptotic(lambda v: 3 / mp.sqrt(v), law, along=ALONG)
    with pytest.raises(AssertionError, match="said to be exact, but is not"):
        assert_asymptotic(exact, law, along=ALONG)


def test_an_assertion_that_could_not_fail_is_refused():
    with pytest.raises(ValueError, match="needs three values"):
        assert_asymptotic(exact, LAW, along=[10, 100])
    with pytest.raises(ValueError, match="outside the regime"):
        assert_asymptotic(exact, LAW, along=["1/2", 10, 100])
    with pytest.raises(ValueError, match="does not fall along"):
        assert_asymptotic(exact, LAW, along=[1000, 100, 10])


POINTS = np.geomspace(1, 1e4, 60)


def test_an_exponent_in_its_window():
    """Oracle: a power with a correction that is small in the window."""
    y = [float(exact(v)) for v in POINTS]
    assert_exponent(POINTS, y, "-1/2", window=(300, 1e4), prefactor=3)
    with pytest.raises(AssertionError, match=r"exponent -0.5 \+- 1 % expected"):
        assert_exponent(POINTS, y, -0.5, window=(1, 1e4))


@pytest.mark.parametrize("factor", [1.05, 0.95])
def test_exponents_and_prefactors_five_per_cent_off_fail(factor):
    y = [float(exact(v)) for v in POINTS]
    with pytest.raises(AssertionError, match=r"% expected"):
        assert_exponent(POINTS, y, -0.5 * factor, window=(300, 1e4))
    with pytest.raises(AssertionError, match=r"1 \+- 0\.01 expected"):
        assert_exponent(POINTS, y, -0.5, window=(300, 1e4), prefactor=3 * factor)


def test_a_curve_with_the_right_mean_slope_fails():
    """Oracle: a parabola in log-log, whose fitted slope is the exponent."""
    y = np.exp(-0.5 * np.log(POINTS) + 0.02 * (np.log(POINTS) - np.log(100)) ** 2)
    assert np.polyfit(np.log(POINTS), np.log(y), 1)[0] == pytest.approx(-0.5)
    with pytest.raises(AssertionError):
        assert_exponent(POINTS, y, -0.5, window=(1, 1e4))


def test_numbers_beyond_doubles():
    """Oracle: exp(-1000 k) as mpf."""
    t = [mp.mpf(10) ** (400 * k) for k in range(1, 10)]
    with pytest.raises(ValueError, match="fewer than two points"):
        assert_exponent(t, [v**2 for v in t], 2, window=(1, 10))
    assert_exponent(POINTS, [mp.mpf(v) ** -300 for v in POINTS], -300, window=(1, 1e4))
    with pytest.raises(
        ValueError, match=r"y must be positive and finite, found -1\.0 at position 1"
    ):
        assert_exponent([1, 2], [1.0, -1.0], 1, window=(1, 2))
    with pytest.raises(ValueError, match="2 values of x but 1 of y"):
        assert_exponent([1, 2], [1.0], 1, window=(1, 2))


@pytest.fixture(scope="module")
def learning():
    """A linear network integrated and simulated, eps_g known to about 1 %."""
    model = TeacherStudent(1, 1, "linear", PowerLaw(1, 2), eta="1/2")
    start = InitialCondition([[[0]]] * 2, [[[0]]] * 2)
    at = [0.25, 0.5, 1.0]
    path = integrate(order_parameter_odes(model), start, 1, at=at)
    return model, path, simulate(model, start, 1, N=20_000, runs=24, seed=1, at=at)


def test_a_simulation_agrees_with_its_theory(learning):
    """Oracle: the equations of motion, N = 20000."""
    _, path, runs = learning
    assert_agrees(path, runs, sigmas=5, resolution=0.05)


@pytest.mark.parametrize("factor", [1.05, 0.95])
def test_a_theory_five_per_cent_off_fails(learning, factor):
    """Constant off by 5 %; and a learning rate off by 5 %, which is an exponent."""
    model, path, runs = learning
    wrong = replace(path, generalization_error=factor * path.generalization_error)
    with pytest.raises(AssertionError, match="more than 5 standard errors apart: eps_g by"):
        assert_agrees(wrong, runs)
    faster = order_parameter_odes(model.replace(eta=sp.Rational(factor) / 2))
    start = InitialCondition([[[0]]] * 2, [[[0]]] * 2)
    with pytest.raises(AssertionError, match="standard errors apart"):
        assert_agrees(integrate(faster, start, 1, at=path.alpha), runs)


def test_an_ensemble_too_small_to_tell_is_refused(learning):
    _, path, runs = learning
    with pytest.raises(ValueError, match=r"smallest that is noticed, 0\.1 % wanted"):
        assert_agrees(path, runs, resolution=0.001)
    with pytest.raises(ValueError, match="the first argument is a theory"):
        assert_agrees(runs, runs)


def test_a_law_of_this_package():
    """Oracle: the sum over 400 eigenvalues; a constant 5 % off fails."""
    model = TeacherStudent(1, 1, "linear", PowerLaw(2, 400), eta="1/100")
    law = late_time_law(model, "finite size", 2, gradient_flow=True)
    rates = np.arange(1, 401.0) ** -3.0
    lam = float(model.spectrum.values()[0][0])

    def total(alpha):
        decays = rates * np.exp(-0.02 * lam * float(alpha) * rates)
        return decays.sum() / rates.sum()

    along = [v / (0.02 * lam) for v in (100, 300, 1000)]
    assert_asymptotic(total, law, along=along, tolerance=0.3, digits=15, epsilon_0=1)
    with pytest.raises(AssertionError):
        assert_asymptotic(total, law, along=along, digits=15, epsilon_0="21/20")
