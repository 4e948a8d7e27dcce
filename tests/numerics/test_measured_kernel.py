"""Measured kernels: exponents, prediction and reality."""

import math

import numpy as np
import pytest

from numerics.kernels import ridge_risk
from numerics.measured_kernel import actual_curve, measure_kernel
from numerics.redundancy_figures import measured_figure


def synthetic(points=500, beta=2.0, s=0.5, noise=0.0, seed=0):
    """Gaussian eigenfunctions of a power-law kernel at random points."""
    random = np.random.default_rng(seed)
    i = np.arange(1.0, 3 * points + 1)
    z = random.standard_normal((points, len(i)))
    y = z @ i ** -(s * beta + 0.5) + math.sqrt(noise) * random.standard_normal(points)
    return (z * i**-beta) @ z.T, y


def test_exponents_of_a_known_kernel():
    """Oracle: the beta and s that the kernel was made with, within twice the stated error."""
    for beta, s in ((2.0, 0.5), (1.5, 0.75)):
        found = measure_kernel(*synthetic(beta=beta, s=s), window=(5, 60))
        assert abs(found.beta.value - beta) < 2 * found.beta.error + 0.1
        assert abs(found.s.value - s) < 2 * found.s.error + 0.05
        law = 2 * s / (2 * s + 1 / beta)
        assert abs(found.exponent.value - law) < 2 * found.exponent.error + 0.05
        assert found.beta.error < 0.3
        assert found.s.error < 0.3


def test_noise_is_told_from_the_target():
    """Oracle: the variance that was added, a hundredth of the signal."""
    found = measure_kernel(*synthetic(points=600, noise=0.02), window=(5, 60))
    assert found.noise == pytest.approx(0.02, rel=0.25)
    assert measure_kernel(*synthetic(points=600), window=(5, 60)).noise < 2e-3


def test_prediction_is_the_equivalent_for_few_of_many():
    """Oracle: `ridge_risk` at the ridge that the prediction chose; n/N -> 0."""
    measured = measure_kernel(*synthetic())
    error, ridge = measured.predicted(20)
    spectrum = measured.spectrum
    whole = ridge_risk(spectrum.eigenvalues, spectrum.target, 20, ridge, 0)
    assert error == pytest.approx(whole.risk, rel=0.05)
    assert error > whole.risk


def test_added_noise_is_that_of_the_equivalent():
    """Oracle: `ridge_risk` with the noise, for few points of many."""
    measured = measure_kernel(*synthetic())
    error, ridge = measured.predicted(20, noise=0.3)
    spectrum = measured.spectrum
    whole = ridge_risk(spectrum.eigenvalues, spectrum.target, 20, ridge, 0.3)
    assert error == pytest.approx(whole.risk, rel=0.05)
    with pytest.raises(ValueError, match="noise must not be negative"):
        measured.predicted(20, noise=-1)


@pytest.mark.slow
def test_added_noise_is_predicted():
    """Oracle: actual regression with noise in what is trained on, 100 subsets, a quarter of all."""
    measured = measure_kernel(*synthetic(points=400))
    (point,) = actual_curve(measured, [100], runs=100, seed=2, noise=0.3)
    assert abs(point.difference) < 0.05 + 3 * point.standard_error / point.actual
    (none,) = actual_curve(measured, [100], runs=4, seed=2)
    assert point.actual > 5 * none.actual


def test_identity_kernel_learns_nothing():
    """Oracle: independent points: the error left out is that of predicting zero."""
    y = np.where(np.arange(100) % 2, 1.0, -1.0)
    random = np.random.default_rng(0)
    K = np.eye(100) + 1e-3 * np.diag(random.random(100))
    measured = measure_kernel(K, y + random.normal(size=100), window=(5, 40))
    error, _ = measured.predicted(50)
    assert error == pytest.approx(np.mean(measured.targets**2), rel=0.05)


def test_targets_without_a_power_law_are_refused():
    """Oracle: theta_i^2 that grows with i, in the basis of a diagonal kernel."""
    i = np.arange(1.0, 101)
    with pytest.raises(ValueError, match="no power law in the modes 10 to 40"):
        measure_kernel(np.diag(i**-2), i, window=(10, 40))


@pytest.mark.slow
def test_prediction_holds_on_random_subsets():
    """Oracle: actual regression, 60 subsets for each n."""
    measured = measure_kernel(*synthetic(points=800, noise=0.05))
    for point in actual_curve(measured, [20, 40, 80], runs=60, seed=1):
        assert abs(point.difference) < 0.05 + 3 * point.standard_error / point.actual


@pytest.mark.slow
def test_digits_are_predicted():
    """Oracle: subsampled regression on scikit-learn's digits (parity), within 8 %; an exponential
    kernel in the distance."""
    datasets = pytest.importorskip("sklearn.datasets")
    pixels, digits = datasets.load_digits(return_X_y=True)
    x, y = pixels[:1200] / 16, np.where(digits[:1200] % 2, -1.0, 1.0)
    squares = np.sum(x**2, axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0))
    measured = measure_kernel(np.exp(-distance / np.median(distance)), y)
    points = actual_curve(measured, [16, 64, 256], runs=40, seed=0)
    assert all(abs(p.difference) < 0.08 for p in points)
    assert all(p.standard_error < 0.03 * p.actual for p in points)
    slope = -np.polyfit(np.log([p.n for p in points]), np.log([p.actual for p in points]), 1)[0]
    # Between the laws with and without noise, which its exponents give.
    assert measured.exponent.value - 0.1 < slope < measured.noiseless_exponent.value + 0.1


def test_figure_shows_both_curves():
    """Oracle: the drawn data."""
    measured = measure_kernel(*synthetic(points=120))
    points = actual_curve(measured, [16, 32], runs=3, seed=0)
    spectrum, curve = measured_figure(measured, points).axes
    np.testing.assert_allclose(curve.lines[0].get_ydata(), [p.predicted for p in points])
    assert spectrum.get_xlabel() == "mode $i$"


GOOD = synthetic(points=100)


@pytest.mark.parametrize(
    ("kernel", "targets", "message"),
    [
        (np.ones((3, 4)), np.ones(3), "must be a square matrix, found the shape \\(3, 4\\)"),
        (GOOD[0], GOOD[1][:-1], "one number for each of the 100 points"),
        (GOOD[0] + np.triu(GOOD[0], 1), GOOD[1], "kernel must be symmetric"),
        (GOOD[0] - 2 * np.eye(100), GOOD[1], "kernel must be positive semi-definite"),
        (GOOD[0] * np.nan, GOOD[1], "kernel must be finite"),
        (GOOD[0], GOOD[1] * np.inf, "targets must be finite"),
        (GOOD[0], 0 * GOOD[1], "targets must not all be zero"),
        (GOOD[0][:9, :9], GOOD[1][:9], "needs 80 points or more, found 9"),
    ],
)
def test_bad_kernels_are_named(kernel, targets, message):
    with pytest.raises(ValueError, match=message), np.errstate(invalid="ignore"):
        measure_kernel(kernel, targets)


def test_bad_windows_and_sizes_are_named():
    with pytest.raises(ValueError, match="window must hold more than 9"):
        measure_kernel(*GOOD, window=(10, 15))
    with pytest.raises(ValueError, match="n must leave points to test on"):
        measure_kernel(*GOOD).predicted(100)
    with pytest.raises(ValueError, match="n must be at least 2"):
        measure_kernel(*GOOD).predicted(1)
