"""The plateau of simulated SGD lasts as its formula and the integrated equations say."""

import numpy as np
import pytest

from numerics import InitialCondition, plateau_growth, simulate, simulate_plateau
from theory import Isotropic, PowerLaw, TeacherStudent, plateau
from theory.plateau_correction import plateau_correction
from theory.plateau_length import plateau_length


def model(M, L, eta="1/2", beta=1):
    return TeacherStudent(M, M, spectrum=PowerLaw(beta, L) if L > 1 else Isotropic(), eta=eta)


def noisy_escape(given):
    """tau_esc to second order in eta over that for eta -> 0: 0.96 to 0.98 here."""
    second = given.eta**2 * plateau_correction(given).escape_rate
    return 1 / (1 + float(second / plateau(given).escape_rate))


@pytest.mark.montecarlo
@pytest.mark.parametrize("L", [1, 2, 4, 8])
@pytest.mark.parametrize("M", [2, 3, 4])
def test_small_students_stay_longer(M, L):
    """Oracle: tau_esc per factor e of 1/sigma_J, within 5 %; and integration from the same starts.

    N = 128: the noise of SGD is the same for both sigma_J, but for its scale, and the slopes of
    draws scatter by 3 % only.
    """
    given = model(M, L)
    assert plateau_length(given).random_start_law.holds(128, sigma_J="1/1000")
    draws = 5 if M == 2 else 2
    large, small = (
        simulate_plateau(given, sigma, 128, draws, seed=0) for sigma in ("1/1000", "1/1000000")
    )
    slope, _ = plateau_growth(large, small)
    assert slope == pytest.approx(noisy_escape(given), rel=0.05)
    apart = np.subtract(small.simulated, small.integrated)
    assert np.median(np.abs(apart)) < small.escape_time


@pytest.mark.montecarlo
def test_large_inputs_stay_longer():
    """Oracle: integration from the same 8 starts, in standard errors (below 3 % of the length).

    Integrated lengths grow by tau_esc per factor e of sqrt(N) within 5 %.
    """
    given = model(3, 4)
    few, many = (simulate_plateau(given, "1/100", N, runs=8, seed=0) for N in (256, 1024))
    for found in (few, many):
        apart = np.subtract(found.simulated, found.integrated)
        error = apart.std(ddof=1) / np.sqrt(len(apart))
        assert error < 0.03 * np.mean(found.integrated)
        assert abs(apart.mean()) < 3.5 * error
    change = np.mean(np.subtract(many.integrated, few.integrated))
    per_factor = change / (many.logarithm - few.logarithm)
    assert per_factor / many.escape_time == pytest.approx(noisy_escape(given), rel=0.05)
    slope, error = plateau_growth(few, many)
    assert abs(slope - noisy_escape(given)) < 3.5 * error


@pytest.mark.montecarlo
def test_noise_of_sgd_alone_splits_students():
    """Oracle: the law again, for students that start alike in every overlap: kicks ~ sigma_J.

    The equations never leave the plateau from there.
    """
    given, N = model(2, 1), 128
    time, left = float(plateau(given).escape_time), []
    for sigma in (1e-3, 1e-5):
        start = InitialCondition(sigma**2 * np.eye(2)[None], np.zeros((1, 2, 2)))
        end = 20 * time
        runs = simulate(given, start, end, N, runs=8, seed=0, at=np.linspace(0, end, 401))
        split = np.abs(runs.R[:, :, 0, 0] - runs.R[:, :, 1, 0])
        assert np.all(split[:, -1] > 0.3)
        left.append(runs.alpha[np.argmax(split > 0.3, axis=1)])
    slopes = np.subtract(left[1], left[0]) / (time * np.log(100))
    assert slopes.mean() == pytest.approx(noisy_escape(given), rel=0.05)


def test_too_many_modes_leave_no_length():
    """Oracle: the regime of the law; the result says so and gives no slope."""
    crowded = model(2, 64)
    found = simulate_plateau(crowded, "1/100", 256, runs=2, seed=0)
    assert found.simulated == found.integrated == (None, None)
    assert str(found).count("no plateau: eps_g does not pause within 10%") == 2
    assert not plateau_length(crowded).random_start_law.holds(256, sigma_J="1/100")
    with pytest.raises(ValueError, match="all with a plateau, found 0 of 2"):
        plateau_growth(found, found)


def test_only_the_same_draws_compare():
    """Oracle: the documented domain."""
    one, other = (simulate_plateau(model(2, 8), "1/10", 64, 1, seed) for seed in (0, 1))
    with pytest.raises(ValueError, match="same model from the same draws"):
        plateau_growth(one, other)
