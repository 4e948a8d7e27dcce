"""Comparisons of trajectories whose differences are known because they were put there."""

import mpmath as mp
import numpy as np
import pytest

from numerics.compare import compare
from numerics.finite_size import finite_size_trend
from numerics.trajectory import Trajectory

TIMES, EIGENVALUES, WEIGHTS = np.array([0.0, 1, 3, 10]), np.array([1.5, 0.5]), np.array([0.5, 0.5])


def theory(change=0.0, digits=None, alpha=TIMES, K=2):
    """Smooth made-up overlaps; `change` multiplies those at alpha = 3 by 1 + change."""
    shape = (len(alpha), 2, K, 2)
    growth = alpha[:, None, None, None] / (1 + alpha[:, None, None, None])
    given = {
        "q": (0.1 + growth) * np.broadcast_to(np.eye(K), (len(alpha), 2, K, K)),
        "r": growth * np.broadcast_to([1.0, 0.5], shape),
        "t": np.broadcast_to(np.eye(2), (2, 2, 2)),
        "generalization_error": 1 / (1 + alpha),
        "eigenvalues": EIGENVALUES,
        "weights": WEIGHTS,
    }
    if digits is not None:
        given = {n: np.frompyfunc(mp.mpf, 1, 1)(a) for n, a in given.items()}
    with mp.workdps(digits or 15):
        factor = 1 + (change if digits is None else mp.mpf(change)) * (alpha == 3)
        for name in ("q", "r", "generalization_error"):
            tail = given[name].ndim - 1
            given[name] = given[name] * factor.reshape(-1, *[1] * tail)
    note = {} if digits is None else {"digits": digits}
    return Trajectory(alpha, **given, provenance={"origin": "ode", "method": "test", **note})


def ensemble(runs, N=100, bias=0.0, seed=0, shift=0.0):
    """`theory` plus bias/N and noise of variance 1/N, growing from the common start."""
    base, rng = theory(), np.random.default_rng(seed)
    ramp = (TIMES / 10)[:, None, None, None]
    noisy = {}
    for name in ("q", "r"):
        value = getattr(base, name)
        noise = rng.standard_normal((runs, *value.shape)) / np.sqrt(N)
        if name == "q":
            noise = (noise + np.swapaxes(noise, -1, -2)) / 2
        noisy[name] = value + ramp * (noise + bias / N) + shift
    eps = base.generalization_error * (1 + rng.standard_normal((runs, 4)) / 50)
    origin = {"origin": "simulation", "method": "chain", "N": N}
    return Trajectory(
        TIMES, noisy["q"], noisy["r"], base.t, eps, EIGENVALUES, WEIGHTS, provenance=origin
    )


def test_digits_agreed_are_those_put_in():
    """Oracle: -log10 of the relative change made at alpha = 3."""
    ((_, found),) = compare(theory(), theory(1e-6)).agreements
    for name in ("q", "r", "Q", "R", "eps_g"):
        assert found[name].digits == pytest.approx(6, abs=1e-4)
        assert found[name].alpha == 3


def test_high_precision_is_compared_at_full_precision():
    """Oracle: a change in the 25th digit, invisible to doubles."""
    ((_, found),) = compare(theory(0, 40), theory("1e-25", 40)).agreements
    assert all(a.digits == pytest.approx(25, abs=1e-6) for a in found.values())
    ((_, found),) = compare(theory(), theory(0, 40)).agreements
    assert found["q"].digits == pytest.approx(15.95, abs=0.01)


def test_the_most_precise_is_the_reference():
    """Oracle: the rule."""
    found = compare(theory(), theory(0, 40), ensemble(50), theory(0, 30))
    assert found.reference == "ODE, 40 digits"
    assert [label for label, _ in found.agreements] == ["ODE, float64", "ODE, 30 digits"]
    assert [label for label, _ in found.deviations] == ["chain, N = 100, 50 runs"]


def test_unbiased_ensembles_deviate_by_standard_errors():
    """Oracle: rms z = sqrt((n-1)/(n-3)) for Gaussian noise; counts by hand."""
    ((_, found),) = compare(theory(), ensemble(400)).deviations
    for name, count in {"Q": 9, "R": 12, "eps_g": 4}.items():
        assert found[name].count == count
        assert 0.4 < found[name].rms < 1.7
        assert found[name].largest < 4


def test_a_bias_shows_in_standard_errors():
    """Oracle: bias/(standard error), 3/100 over sqrt((w lam)^2 summed/(100 runs))."""
    runs = 1000
    ((_, found),) = compare(theory(), ensemble(runs, bias=3)).deviations
    expected = 0.03 / np.sqrt(np.sum((WEIGHTS * EIGENVALUES) ** 2) / (100 * runs))
    assert found["R"].rms == pytest.approx(expected, rel=0.1)


def test_two_ensembles_combine_their_errors():
    """Oracle: z = (mean - mean')/sqrt(error^2 + error'^2), by hand."""
    first, second = ensemble(30), ensemble(60, seed=1)
    ((label, found),) = compare(first, second).deviations
    assert label == "chain, N = 100, 60 runs"
    difference = (second.mean.R - first.mean.R)[1:]
    z = difference / np.sqrt(first.standard_error.R**2 + second.standard_error.R**2)[1:]
    assert found["R"].rms == pytest.approx(np.sqrt(np.mean(z**2)))
    assert found["R"].largest == pytest.approx(np.max(np.abs(z)))


def test_the_text_is_a_table():
    """Oracle: the numbers of the object."""
    found = compare(theory(1e-6), theory(0, 30), ensemble(50))
    lines = str(found).splitlines()
    assert lines[0] == "compared with ODE, 30 digits at 4 times, alpha 0 .. 10"
    assert lines[2].split()[-5:] == ["q", "r", "Q", "R", "eps_g"]
    assert lines[3].split()[-5:] == ["6.0"] * 5
    rms = [f"{d.rms:.2f}" for d in found.deviations[0][1].values()]
    assert next(line for line in lines if "rms z" in line).split()[-3:] == rms
    assert max(map(len, lines)) <= 100


def test_what_does_not_compare_is_refused():
    """Oracle: the message a user needs."""
    with pytest.raises(ValueError, match="two trajectories or more, found 1"):
        compare(theory())
    with pytest.raises(TypeError, match="takes trajectories"):
        compare(theory(), 1)
    with pytest.raises(ValueError, match="pass the same at="):
        compare(theory(), theory(alpha=np.array([0.0, 1, 3, 11])))
    with pytest.raises(ValueError, match="differ in K, M"):
        compare(theory(), theory(K=1))
    with pytest.raises(ValueError, match="same InitialCondition"):
        compare(theory(), ensemble(50, shift=0.01))
    with pytest.raises(ValueError, match="has one run"):
        compare(theory(), ensemble(1))


@pytest.mark.parametrize("seed", range(4))
def test_a_bias_of_order_one_over_N_is_recognised(seed):
    """Oracle: the bias 3/N that was put in."""
    small, large = ensemble(2000, 50, 3, seed), ensemble(2000, 200, 3, seed + 100)
    trend = finite_size_trend(theory(), small, large)
    assert trend.expected == 4
    assert abs(trend.ratio - 4) < 3 * trend.ratio_error
    assert trend.ratio_error < 0.5
    assert abs(trend.exponent - 1) < 3 * trend.exponent_error
    assert trend.chi2_per_entry < 2
    assert trend.significance > 3
    assert "O(1/N): 4" in str(trend)


@pytest.mark.parametrize("bias", [3, 12])
def test_a_bias_that_does_not_fall_is_not_taken_for_one_that_does(bias):
    """Oracle: a bias independent of N (ratio 1), and one that falls as 1/N^2 (ratio 16)."""
    small = ensemble(2000, 50, 3, 1)
    large = ensemble(2000, 200, 12 if bias == 12 else 0.75, 2)
    trend = finite_size_trend(theory(), small, large)
    assert trend.chi2_per_entry > 2
    assert abs(trend.exponent - 1) > 3 * trend.exponent_error
    assert abs(trend.ratio - (1 if bias == 12 else 16)) < 4 * trend.ratio_error


def test_trends_need_a_resolved_bias_and_two_sizes():
    """Oracle: the message a user needs."""
    with pytest.raises(ValueError, match="ensembles of increasing N"):
        finite_size_trend(theory(), ensemble(50, 100), ensemble(50, 50))
    with pytest.raises(ValueError, match="does not say its N"):
        finite_size_trend(theory(), theory(), ensemble(50, 50))
    with pytest.raises(ValueError, match="not resolved"):
        finite_size_trend(theory(), ensemble(100, 50, 0, 3), ensemble(100, 200, 0, 5))
