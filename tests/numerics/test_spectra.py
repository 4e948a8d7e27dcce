"""Spectra of random features: ensembles, the largest eigenvalues alone, files, statistics."""

import numpy as np
import pytest
import sympy as sp

from numerics import FeatureSpectra, feature_covariance, feature_eigenvalues, feature_spectra
from numerics.feature_covariance import Features
from numerics.spectral_statistics import (
    count_slope,
    local_exponents,
    naive_exponent,
    rank_windows,
)
from numerics.top_eigenvalues import covariance_operator, top_eigenvalues
from theory import chaos_eigenvalues

J = np.arange(1, 4001.0)


def draw(v, d, a=2.0, seed=0):
    return np.arange(1, v + 1) ** -a, np.random.default_rng(seed).standard_normal((v, d))


@pytest.mark.parametrize("activation", [3, "tanh"])
def test_eigenvalues_of_given_weights(activation):
    """Oracle: NumPy on the covariance."""
    lam, W = draw(40, 60)
    expected = np.linalg.eigvalsh(feature_covariance(lam, W, activation))[::-1]
    found = feature_eigenvalues(lam, W, activation)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * expected[0])
    np.testing.assert_array_equal(feature_eigenvalues(lam, W, activation, top=7), found[:7])


def test_trace_and_rank():
    """Oracle: tr K^ = 3 E[(w.Hw)^2] at W given; y^2 of v inputs has rank v (v + 1)/2."""
    lam, W = draw(4, 30)
    found = feature_eigenvalues(lam, W, 2)
    variances = np.sum(lam[:, None] * W**2, axis=0)
    assert found.sum() == pytest.approx(3 * np.mean(variances**2), rel=1e-13)
    assert found[9] > 1e-6
    np.testing.assert_allclose(found[10:], 0, atol=1e-13 * found[0])


def test_ensemble_is_its_seeds():
    """Oracle: the documented stream of each run; more runs do not change the first."""
    few, more = (feature_spectra("3/2", 2, v=30, d=20, runs=n, seed=5) for n in (1, 3))
    np.testing.assert_array_equal(few.eigenvalues[0], more.eigenvalues[0])
    sequence = np.random.SeedSequence(5, spawn_key=(2,))
    W = np.random.Generator(np.random.Philox(sequence)).standard_normal((20, 30)).T
    lam = np.arange(1, 31) ** -1.5
    expected = feature_eigenvalues(lam, W, 2)
    np.testing.assert_allclose(more.eigenvalues[2], expected, rtol=0, atol=1e-13 * expected[0])
    spread = more.eigenvalues.std(axis=0, ddof=1)
    np.testing.assert_allclose(more.standard_error, spread / np.sqrt(3))
    with pytest.raises(ValueError, match="needs two runs"):
        _ = few.standard_error


def test_saved_and_loaded(tmp_path):
    """Oracle: what was saved."""
    spectra = feature_spectra("3/2", "gelu", v=8, d=6, runs=2, seed=1)
    spectra.save(tmp_path / "s.npz")
    again = FeatureSpectra.load(tmp_path / "s.npz")
    np.testing.assert_array_equal(again.eigenvalues, spectra.eigenvalues)
    assert (again.a, again.activation, again.degree) == (sp.Rational(3, 2), "gelu", None)
    assert (again.v, again.d, again.seed) == (8, 6, 1)
    assert again.eigenvalues.dtype == np.float64
    feature_spectra(sp.sqrt(2), sp.Symbol("t") ** 3, v=3, d=2, runs=1).save(tmp_path / "s.npz")
    again = FeatureSpectra.load(tmp_path / "s.npz")
    assert abs(again.a - sp.sqrt(2)).evalf() < 1e-29
    assert (again.activation, again.degree) == ("y^3", 3)
    (tmp_path / "other.npz").write_text("no")
    with pytest.raises(ValueError, match="is not a saved"):
        FeatureSpectra.load(tmp_path / "other.npz")


def test_the_limit_is_that_of_the_same_inputs():
    """Oracle: a closed form for y, j^-a up to v, and the exact eigenvalues of `theory` for y^2."""
    linear = feature_spectra(2, 1, v=9, d=12, runs=2)
    np.testing.assert_allclose(linear.limit(9), J[:9] ** -2.0)
    windows = rank_windows(2, 5)
    expected = np.log(linear.eigenvalues[:, 1:3] / J[1:3] ** -2.0).mean(axis=1)
    np.testing.assert_allclose(linear.log_ratios(rank_windows(2, 3, 2))[:, 0], expected)
    square = feature_spectra("3/2", 2, v=9, d=12, runs=1)
    exact = [float(each.value) for each in chaos_eigenvalues("3/2", 2, 5, 9)]
    np.testing.assert_allclose(square.limit(5), exact)
    relu = feature_spectra(2, "relu", v=9, d=12, runs=1)
    assert relu.limit(5) is None
    with pytest.raises(ValueError, match=r"known for y\^p with p up to 4, not for .*relu"):
        relu.log_ratios(windows)


@pytest.mark.parametrize("activation", [2, "relu"])
def test_largest_eigenvalues_without_the_matrix(activation):
    """Oracle: the dense matrix; the bounds hold, and are far above the errors."""
    features = Features.build(*draw(100, 700), activation)
    dense = np.linalg.eigvalsh(feature_covariance(*draw(100, 700), activation))[::-1]
    found, bounds = top_eigenvalues(features, 20, tolerance=1e-6)
    assert bounds.max() <= 1e-6
    np.testing.assert_array_less(abs(found / dense[:20] - 1), bounds + 1e-13)
    X = np.random.default_rng(1).standard_normal((700, 3))
    expected = feature_covariance(*draw(100, 700), activation) @ X
    np.testing.assert_allclose(covariance_operator(features) @ X, expected, atol=1e-12 * dense[0])


def test_flat_spectra_are_given_up():
    """Oracle: equal eigenvalues of H, of which none stands out."""
    W = np.random.default_rng(0).standard_normal((800, 600))
    with pytest.raises(ArithmeticError, match="too flat; ask for fewer"):
        top_eigenvalues(Features.build(np.ones(800), W, 1), 2, tolerance=1e-13)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"a": 1}, ValueError, "must be a number > 1, found 1"),
        ({"a": "1/2"}, ValueError, "not trace class"),
        ({"activation": -1}, ValueError, "the degree p must be a positive integer"),
        ({"activation": 1.5}, ValueError, "the degree p must be a positive integer"),
        ({"d": 0}, ValueError, "d must be at least 1"),
        ({"v": 2.5}, TypeError, "v must be a whole number"),
        ({"runs": 0}, ValueError, "runs must be at least 1"),
        ({"top": 6}, ValueError, "top must be at most d = 5, found 6"),
        ({"d": 10**7}, MemoryError, r"d = 10000000 features.* needs 8e\+05 GB of memory"),
        ({"d": 10**12, "top": 9}, MemoryError, r"needs 3.2e\+04 GB .*: take fewer features"),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    given = {"a": 2, "activation": 2, "v": 4, "d": 5, "runs": 2, **arguments}
    with pytest.raises(error, match=message):
        feature_spectra(**given)


def test_windows():
    """Oracle: the edges by hand, and a power law, of which every statistic is known."""
    windows = rank_windows(10, 20)
    assert windows.edges.tolist() == [10, 12, 14, 16, 18, 21]
    assert windows.ranks[0] == pytest.approx(np.sqrt(110))
    wide = rank_windows(5, 1000)
    np.testing.assert_allclose(local_exponents(J**-1.7, wide), 1.7)
    assert naive_exponent(J**-1.7, wide) == pytest.approx(1.7)
    assert count_slope(J**-2.0, 2, 1, rank_windows(200, 2000)) == pytest.approx(0, abs=2e-3)
    # y = log(X)/2: what pairs of indices give, but for a constant
    X = np.exp(np.linspace(3, 12, 3000))
    j = 0.5 + X * np.log(X) / 2
    lam = 4 * np.interp(J, j, X) ** -2.0
    assert count_slope(lam, 2, 2, rank_windows(100, 2000)) == pytest.approx(0.5, abs=2e-3)


def test_statistics_refuse_what_they_cannot_read():
    """Oracle: the messages."""
    with pytest.raises(ValueError, match="go to rank 20, found 15 eigenvalues"):
        rank_windows(10, 20).mean_log(J[:15])
    with pytest.raises(ValueError, match="rank 13 is not positive"):
        rank_windows(10, 20).mean_log(np.where(J[:30] == 13, -1e-18, 1 / J[:30]))
    with pytest.raises(ValueError, match="found 0 to 3"):
        rank_windows(0, 3)


@pytest.mark.montecarlo
@pytest.mark.parametrize(("p", "last", "within"), [(1, 250, 0.05), (2, 250, 0.06), (3, 76, 0.06)])
def test_ensemble_against_infinitely_many_features(p, last, within):
    """Oracle: the exact spectrum of d = infinity at the same v; a = 2, d = 1000."""
    windows = rank_windows(10, last)
    spectra = feature_spectra(2, p, v=2000, d=1000, runs=12, seed=3)
    known, difference = spectra.limit(last), spectra.log_ratios(windows)
    error = difference.std(axis=0, ddof=1) / np.sqrt(len(difference))
    assert np.all(abs(np.expm1(difference.mean(axis=0))) < within + 2 * error)
    slope = count_slope(spectra.eigenvalues, 2, p, windows).mean()
    if p < 3:
        assert slope == pytest.approx(count_slope(known, 2, p, windows), abs=0.06)
    if p == 1:
        assert slope == pytest.approx(0, abs=0.05)
