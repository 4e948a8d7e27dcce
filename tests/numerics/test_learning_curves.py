"""Learning curves as the command draws them."""

import math

import numpy as np
import pytest

from numerics.flow_risk import best_filter_risk
from numerics.kernels import optimal_risk
from numerics.learning_curves import curve_law, learning_curve, simulate_risk
from numerics.redundancy_figures import curve_figure
from theory.redundancy import KernelRegression, risk_law
from theory.spectral_filters import FLOW, SpectralFilter

PROBLEM = KernelRegression(2, "1/2", "1/10")
FLOWING = PROBLEM.replace(filter=FLOW)


def test_curve_is_the_best_risk():
    """Oracle: `optimal_risk` and the law."""
    curve = learning_curve(PROBLEM, [10, 100, 1000])
    assert curve.risk[1] == optimal_risk(2, "1/2", 100, "1/10").risk
    assert curve.law_at(1000) == float(risk_law(PROBLEM)(1000))
    assert len(curve.exponents) == 2
    assert curve.claimed_exponent == pytest.approx(2 / 3)


def test_law_is_silent_outside_its_regime():
    """Oracle: at n = 1 with so much noise the best kappa would exceed the largest eigenvalue."""
    assert learning_curve(PROBLEM.replace(noise=100), [1, 10]).law_at(1) is None


def test_noise_and_filter_choose_the_law():
    """Oracle: the exponents 2 s beta, 2s/(2s + 1/beta), and none."""
    assert learning_curve(PROBLEM.replace(noise=0), [10, 20]).claimed_exponent == 2
    flow = KernelRegression(2, 2, filter=FLOW)
    assert learning_curve(flow, [1e4, 1e5]).claimed_exponent == pytest.approx(8 / 9)
    with pytest.raises(ValueError, match="known for ridge regression"):
        curve_law(flow.replace(noise=0))


@pytest.mark.montecarlo
@pytest.mark.parametrize(("problem", "width"), [(PROBLEM, None), (PROBLEM, 60), (FLOWING, None)])
def test_simulation_agrees(problem, width):
    """Oracle: the theory of the same modes, within 4 standard errors; 200 runs."""
    found = simulate_risk(problem, 50, 200, 0, width)
    assert abs(found.z_score) < 4
    assert found.standard_error < 0.08 * found.mean


def test_figure_shows_the_curve_and_its_law():
    """Oracle: the drawn data."""
    curve = learning_curve(PROBLEM, [100, 1000, 10000])
    risks, slopes = curve_figure(curve, []).axes
    np.testing.assert_array_equal(risks.lines[0].get_ydata(), curve.risk)
    np.testing.assert_allclose(risks.lines[1].get_ydata(), [curve.law_at(n) for n in curve.n])
    np.testing.assert_array_equal(slopes.lines[0].get_ydata(), curve.exponents)
    assert math.isinf(curve.width)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="n must be positive"):
        learning_curve(PROBLEM, [0])
    with pytest.raises(ValueError, match="random features are known with ridge"):
        learning_curve(KernelRegression(2, 1, filter=FLOW), [10], 5)
    with pytest.raises(ValueError, match="simulate_risk is for ridge"):
        simulate_risk(KernelRegression(2, 1, filter=SpectralFilter(2)), 10, 5, 0)


def test_flow_on_many_samples_acts_on_the_population():
    """Oracle: `best_filter_risk`; the difference falls as the excess risk itself."""
    off = []
    for n in (1e4, 1e7):
        found = learning_curve(FLOWING, [n]).risk[0]
        off.append(found / best_filter_risk(FLOWING, n).risk - 1)
    assert 0 < off[1] < off[0] / 10 < 0.01
