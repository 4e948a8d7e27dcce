"""Gradient flow and random features of finite width, against simulations and limits."""

from itertools import pairwise

import numpy as np
import pytest

from numerics.flow_risk import best_filter_risk, filter_risk, flow_risk
from numerics.kernels import best_risk, effective_exponent, optimal_risk, ridge_risk
from numerics.modes import modes
from numerics.ridge_runs import simulate_ridge
from theory.redundancy import KernelRegression, risk_law
from theory.redundancy_universality import floor_law
from theory.spectral_filters import FLOW, SpectralFilter

I = np.arange(1.0, 301)
LAM, THETA = I**-1.5, I**-2.0


def test_flow_with_many_samples_acts_on_the_population():
    """Oracle: the sums with exp(-lam t)."""
    found = flow_risk(LAM, THETA, 1e10, 30, 0.3)
    limit = filter_risk(modes(LAM, THETA), FLOW, 1e10, 1 / 30, 0.3)
    assert found.bias == pytest.approx(limit.bias, rel=1e-8)
    assert found.variance == pytest.approx(limit.variance, rel=1e-8)


def test_flow_ends_at_interpolation():
    """Oracle: ridge -> 0 at the same n, which flow approaches from zero initial weights."""
    isotropic = np.ones(80), np.full(80, 1 / 80)
    for n in (40, 160):
        flow = flow_risk(*isotropic, n, 1e4, 0.5)
        assert flow.risk == pytest.approx(ridge_risk(*isotropic, n, 0, 0.5).risk, rel=1e-8)


def test_flow_starts_at_zero():
    """Oracle: nothing is learned, and the slope is -2 sum theta^2 lam."""
    early = flow_risk(LAM, THETA, 20, 1e-6, 1)
    assert early.bias == pytest.approx(np.sum(THETA) - 2e-6 * np.sum(THETA * LAM), rel=1e-10)


@pytest.mark.montecarlo
@pytest.mark.parametrize(("n", "time", "noise"), [(60, 30, 0.3), (60, 1000, 0.3), (100, 1e4, 0)])
def test_flow_is_simulated(n, time, noise):
    """Oracle: 300 exact flows in the eigenbasis of each kernel matrix, within 4 standard errors."""
    runs = simulate_ridge(LAM, THETA, n, 1 / time, noise, runs=300, seed=3, filter=FLOW)
    assert abs(runs.z_score(flow_risk(LAM, THETA, n, time, noise).risk)) < 4
    assert runs.standard_error < 0.03 * runs.mean


@pytest.mark.parametrize("s", ["1/2", 1, 2])
def test_flow_is_not_saturated(s):
    """Oracle: 2s/(2s + 1/beta) for every s; ridge regression stays at s = 1."""
    n = [1e7, 1e8]
    flow = KernelRegression(2, s, filter=FLOW)
    found = effective_exponent(n, [best_filter_risk(flow, x).risk for x in n])[0]
    assert found == pytest.approx(-float(flow.exponent), abs=8e-3)
    many = best_filter_risk(flow, 1e15).risk
    assert many == pytest.approx(float(risk_law(flow)(10**15)), rel=5e-3)


def test_two_steps_are_saturated_at_two():
    """Oracle: the law of the filter of order 2 at s = 3/2 and s = 3."""
    for s in ("3/2", 3):
        problem = KernelRegression(2, s, filter=SpectralFilter(2))
        n = [1e9, 1e10]
        found = effective_exponent(n, [best_filter_risk(problem, x).risk for x in n])[0]
        assert found == pytest.approx(-float(problem.exponent), abs=5e-3)


@pytest.mark.montecarlo
@pytest.mark.parametrize(("n", "width"), [(60, 40), (40, 100), (30, 200)])
def test_random_features_are_simulated(n, width):
    """Oracle: 300 fits with Gaussian features, within 4 standard errors."""
    theory = ridge_risk(LAM, THETA, n, 1e-2, 0.3, width)
    runs = simulate_ridge(LAM, THETA, n, 1e-2, 0.3, runs=300, seed=4, width=width)
    assert abs(runs.z_score(theory.risk)) < 4
    assert runs.standard_error < 0.03 * runs.mean


@pytest.mark.montecarlo
def test_features_approach_their_equivalent():
    """Oracle: n = m/2 without noise at two sizes, a constant ridge df_1/n: the difference falls."""
    off = []
    for n, runs in ((8, 4000), (32, 1000)):
        theory = ridge_risk(LAM, THETA, n, 0.1 / n, 0, 2 * n)
        found = simulate_ridge(LAM, THETA, n, 0.1 / n, 0, runs=runs, seed=5, width=2 * n)
        off.append((found.mean / theory.risk - 1, found.standard_error / theory.risk))
    assert all(error < 0.02 for _, error in off)
    assert abs(off[1][0]) < abs(off[0][0]) / 2 + 2 * off[1][1]


def test_wide_features_are_the_kernel():
    """Oracle: ridge_risk without a width; the difference falls as 1/m."""
    kernel = ridge_risk(LAM, THETA, 50, 1e-3, 0.3).risk
    gaps = [ridge_risk(LAM, THETA, 50, 1e-3, 0.3, m).risk - kernel for m in (1e6, 1e7)]
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=1e-3)


def test_width_and_samples_change_places_without_ridge():
    """Oracle: kappa depends on min(n, m) only, and the risk is finite on both sides of n = m."""
    spectrum = modes(LAM, THETA)
    few, many = (best_risk(spectrum, n, 0.1, 50) for n in (40, 400))
    assert few.df1 < 40
    assert many.df1 < 50
    assert many.risk < few.risk
    between = [best_risk(spectrum, 50, noise, 50) for noise in (0.1, 0)]
    assert many.risk < between[0].risk < few.risk
    assert all(found.ridge > 0 for found in between)
    assert ridge_risk(LAM, THETA, 30, 0, 0, 60).kappa == pytest.approx(
        ridge_risk(LAM, THETA, 60, 0, 0, 30).kappa, rel=1e-12
    )


@pytest.mark.parametrize("s", ["1/4", "1/3", "3/4", 1])
def test_floor_of_finite_width(s):
    """Oracle: m^(-beta min(2s, 1)) and its constant, n = 1e14 and no noise."""
    m = [1e4, 1e5]
    found = [optimal_risk(2, s, 1e14, 0, width).risk for width in m]
    law = floor_law(KernelRegression(2, s))
    assert effective_exponent(m, found)[0] == pytest.approx(float(law.exponent), abs=1e-2)
    assert found[1] == pytest.approx(float(law(10**5)), rel=2e-3)


def test_the_floor_is_reached_from_above():
    """Oracle: more samples never hurt at the best ridge."""
    risks = [optimal_risk(2, "1/2", n, 1, 100).risk for n in (1e2, 1e3, 1e4, 1e6, 1e8)]
    assert all(a > b for a, b in pairwise(risks))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="time must be positive"):
        flow_risk(LAM, THETA, 10, 0, 1)
    with pytest.raises(ValueError, match="width must be positive"):
        ridge_risk(LAM, THETA, 10, 1, 1, 0)
    with pytest.raises(ValueError, match="the risk is infinite; give a ridge"):
        ridge_risk(LAM, THETA, 10, 0, 1, 10)
    with pytest.raises(ValueError, match="random features are simulated with ridge"):
        simulate_ridge(LAM, THETA, 10, 1, 1, 2, 0, width=5, filter=FLOW)
    with pytest.raises(ValueError, match="runs must be at least 2"):
        simulate_ridge(LAM, THETA, 10, 1, 1, 1, 0)
