"""Redundancy laws, against the sums they are laws of; tests/numerics/test_kernels.py goes on."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.modes import power_law_modes
from numerics.testing import assert_asymptotic
from theory.redundancy import (
    KernelRegression,
    bias_law,
    effective_dimension_law,
    optimal_ridge_law,
    risk_law,
)
from theory.redundancy_crossover import (
    crossover_risk_law,
    crossover_samples,
    interpolating_samples,
    noiseless_risk_law,
    ridgeless_risk_law,
)
from theory.redundancy_universality import (
    floor_law,
    mapped_smoothness,
    mixture_exponent,
    width_exponent,
)
from theory.spectral_filters import FLOW, RIDGE, SpectralFilter, spectral_filter

BETA, S = sp.symbols("beta s", positive=True)
DEEP = ["1/100", "1/1000", "1/10000", "1/100000"]


def modes(problem, kappa):
    """All modes, good at this kappa: `tests/numerics/test_kernels.py` holds them against zeta."""
    return power_law_modes(problem, float(kappa) ** -float(problem.a))


def bias(problem):
    """The sum over all modes, in doubles."""
    order = problem.filter.order

    def at(kappa):
        found = modes(problem, kappa)
        x = found.eigenvalues / float(kappa)
        left = np.exp(-x) if order is sp.oo else (1 + x / float(order)) ** -float(order)
        return mp.mpf(found.target @ left**2)

    return at


@pytest.mark.parametrize(
    ("s", "order"),
    [("1/4", 1), ("1/2", 1), ("3/4", 1), (1, 1), ("7/4", 1), ("3/2", 2), (2, 2), ("5/2", 2)],
)
def test_bias_is_the_sum(s, order):
    """Oracle: the sum over all modes, to the order of the error that the law claims."""
    problem = KernelRegression(2, s, filter=SpectralFilter(order))
    assert_asymptotic(bias(problem), bias_law(problem), DEEP, digits=17)


@pytest.mark.parametrize("s", ["1/2", 3])
def test_flow_has_no_saturation(s):
    """Oracle: the sum; the remainder falls faster than any power."""
    problem = KernelRegression(2, s, filter=FLOW)
    law = bias_law(problem)
    value = float(bias(problem)(1e-4))
    assert value == pytest.approx(float(law("1/10000")), rel=1e-11)
    assert law.exponent == 2 * problem.s


def test_flow_is_the_limit_of_many_steps():
    """Oracle: q = 4000 implicit Euler steps differ from the exponential by O(1/q)."""
    many, flow = (KernelRegression(2, "3/4", filter=f) for f in (SpectralFilter(4000), FLOW))
    for constant in ("bias_constant", "variance_constant"):
        pair = [sp.N(getattr(p, constant)) for p in (many, flow)]
        assert float(pair[0] / pair[1]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_effective_dimension_is_the_sum(order):
    """Oracle: the sum at beta = 3/2, with and without its constant -1/2."""

    def exact(kappa):
        return mp.mpf(modes(KernelRegression("3/2", 1), kappa).dimension(float(kappa), order))

    for terms in (1, 2):
        law = effective_dimension_law("3/2", order, terms)
        assert_asymptotic(exact, law, DEEP, digits=17)


@pytest.mark.parametrize(("s", "order"), [("1/2", 1), (1, 1), (3, 1), (1, 2), (2, 2), (3, sp.oo)])
def test_the_optimum_is_one(s, order):
    """Oracle: the sum of the law of the bias and of the variance, about the claimed minimum."""
    problem = KernelRegression(2, s, "1/3", SpectralFilter(order))
    n = 10**7
    kappa, smallest = optimal_ridge_law(problem)(n, 30), risk_law(problem)(n, 30)
    amplitude = mp.mpf(sp.N(problem.variance_constant / 3, 30))

    def risk(k):
        return bias_law(problem)(k, 30) + amplitude * k ** mp.mpf("-0.5") / n

    assert float(risk(kappa) / smallest - 1) == pytest.approx(0, abs=1e-14)
    for factor in ("0.99", "1.01"):
        assert risk(kappa * mp.mpf(factor)) > smallest * (1 + mp.mpf("1e-6"))


def test_exponents_of_the_paper():
    """Oracle: BC25's 2s/(2s + 1/beta), for symbols; with the order in the place of s beyond it."""
    problem = KernelRegression(BETA, S)
    assert sp.simplify(risk_law(problem).exponent + 2 * S / (2 * S + 1 / BETA)) == 0
    assert KernelRegression(2, 5).exponent == sp.Rational(4, 5)
    assert KernelRegression(2, 5, filter=SpectralFilter(3)).exponent == sp.Rational(12, 13)
    assert KernelRegression(2, 5, filter=FLOW).exponent == sp.Rational(20, 21)
    assert KernelRegression.of_target(BETA, 2).exponent == sp.Rational(1, 2)


def test_ends_of_the_crossover():
    """Oracle: the classical law at n -> oo, and the law without ridge where that becomes best."""
    problem = KernelRegression(2, "1/2", "1/10000")
    law = crossover_risk_law(problem)
    assert_asymptotic(
        lambda n: law(n, 30), risk_law(problem), [10**k for k in (9, 11, 13, 15)], order="-1/3"
    )
    border = interpolating_samples(problem)
    above = sp.N(border * (1 + sp.Rational(1, 10**9)), 30)
    assert float(law(above) / ridgeless_risk_law(problem)(above)) == pytest.approx(1, abs=1e-12)
    assert not law.holds(border * sp.Rational(99, 100))
    assert border < crossover_samples(problem) * 2


def test_no_ridge_is_best_without_noise_for_smooth_targets_only():
    """Oracle: the derivative of the risk at t = 1 by hand: p > 1 - 1/beta."""
    assert interpolating_samples(KernelRegression(3, "1/3")) == 0
    assert interpolating_samples(KernelRegression(3, "2/5")) > 0
    best = noiseless_risk_law(KernelRegression(3, "1/4"))
    none = ridgeless_risk_law(KernelRegression(3, "1/4", 0))
    assert best(10**6) < none(10**6)
    assert (
        noiseless_risk_law(KernelRegression(3, "2/5")).expr
        == ridgeless_risk_law(KernelRegression(3, "2/5", 0)).expr
    )


@pytest.mark.parametrize("s", ["1/4", "1/2", "3/4"])
def test_floor_is_the_sum(s):
    """Oracle: kappa from N_1(kappa) = m, and the sum at that kappa."""
    problem = KernelRegression(2, s)

    def exact(m):
        # beta = 2: N_1 = (x coth x - 1)/2 with x = pi/sqrt(kappa).
        x = mp.findroot(lambda x: (x / mp.tanh(x) - 1) / 2 - m, 2 * m)
        kappa = float((mp.pi / x) ** 2)
        found = modes(problem, kappa)
        return mp.mpf(found.target @ (kappa / (found.eigenvalues + kappa)))

    assert_asymptotic(exact, floor_law(problem), [20, 40, 80, 160], within=0.1)


def test_neighbours_of_the_law():
    """Oracle: the formulas by hand."""
    assert mapped_smoothness(KernelRegression(2, 1), "1/4") == sp.Rational(5, 8)
    assert mapped_smoothness(KernelRegression(2, "1/2"), "1/4") == sp.Rational(1, 2)
    blocks = [KernelRegression(2, 1), KernelRegression(4, "1/2")]
    assert mixture_exponent(blocks) == sp.Rational(2, 3)
    assert width_exponent(KernelRegression(2, "1/2")) == sp.Rational(1, 3)
    assert width_exponent(KernelRegression(2, 3)) == sp.Rational(3, 5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: KernelRegression(1, 1), ValueError, "beta must be greater than 1, found 1"),
        (lambda: KernelRegression(2, 0), ValueError, "s must be positive"),
        (lambda: KernelRegression(2, 1, -1), ValueError, "noise must not be negative"),
        (lambda: KernelRegression(2, 1, 1, "ridge"), TypeError, "must be a SpectralFilter"),
        (lambda: risk_law(KernelRegression(2, 1, 0)), ValueError, "needs noise > 0"),
        (lambda: KernelRegression(2, 1).bias_constant, ValueError, "has a logarithm"),
        (lambda: effective_dimension_law(2, 0), ValueError, "order must be a positive integer"),
        (lambda: effective_dimension_law(2, 1, 3), ValueError, "terms must be 1 or 2"),
        (lambda: crossover_risk_law(KernelRegression(2, "1/2", 0)), ValueError, "needs noise > 0"),
        (
            lambda: noiseless_risk_law(KernelRegression(2, "1/2", filter=FLOW)),
            ValueError,
            "known for ridge regression, found gradient flow",
        ),
        (lambda: floor_law(KernelRegression(2, S)), ValueError, "needs a number s"),
        (lambda: width_exponent(KernelRegression(2, 1, filter=FLOW)), ValueError, "ridge"),
        (lambda: mixture_exponent([]), ValueError, "one block or more"),
        (lambda: spectral_filter("lasso"), ValueError, "must be ridge, flow or iterated:q"),
        (lambda: SpectralFilter(0), ValueError, "filter order must be a positive integer"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_filters_by_name():
    """Oracle: their orders."""
    assert spectral_filter("ridge") == RIDGE
    assert spectral_filter("flow").order is sp.oo
    assert spectral_filter("iterated:3") == SpectralFilter(3)
    assert SpectralFilter(3).name == "iterated Tikhonov, order 3"
