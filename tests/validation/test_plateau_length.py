"""The plateau grows with the logarithm of the initial asymmetry, where there is one."""

import re

import pytest

from numerics.plateau_length import measure_plateau
from theory import Isotropic, PowerLaw, TeacherStudent
from theory.plateau_correction import plateau_correction
from theory.plateau_length import plateau_length

ASYMMETRIES = ["1/1000", "1/10000", "1/100000"]


def model(M, L, beta=1, eta="1/10"):
    return TeacherStudent(M, M, spectrum=PowerLaw(beta, L) if L > 1 else Isotropic(), eta=eta)


@pytest.mark.parametrize("L", [1, 2, 4, 8])
@pytest.mark.parametrize("M", [2, 3, 4])
def test_the_length_grows_by_the_escape_time(M, L):
    """Oracle: tau_esc per factor e of S_0, within 5 % wherever the law says it holds."""
    given = model(M, L)
    found = measure_plateau(given, ASYMMETRIES)
    assert plateau_length(given).law.holds("1/1000")
    assert found.slope == pytest.approx(1, abs=0.05 if (M, L) == (2, 8) else 2e-3)


@pytest.mark.parametrize(
    ("L", "beta", "start", "words"),
    [
        (32, "1/2", "1/100", "eps_g does not pause"),
        # at 1.7 times the plateau's value, while slow modes still rest
        (64, 1, "1/1000", r"eps_g pauses for [0-9.]+ = 2\.732 tau_esc, but not within 10%"),
    ],
)
def test_too_many_modes_leave_no_plateau(L, beta, start, words):
    """Oracle: the regime of the law fails; the result says so."""
    crowded = model(2, L, beta=beta, eta="1/10")
    found = measure_plateau(crowded, [start])
    assert found.lengths == (None,)
    assert re.search(f"no plateau: {words}", str(found))
    assert not plateau_length(crowded).law.holds(start)
    with pytest.raises(ValueError, match="a slope needs two plateaus, found 0"):
        _ = found.slope


@pytest.mark.slow
@pytest.mark.parametrize("M", [2, 3, 4])
def test_the_largest_number_of_modes(M):
    """Oracle: `largest_L` for S_0 = 1/1000 (12.5, 19.2, 25.7), to a factor 3/2 either way."""
    bound = plateau_length(model(M, 2)).largest_L
    number = float(bound.subs(dict.fromkeys(bound.free_symbols, 1e-3)))
    fewer, more = (
        measure_plateau(model(M, round(number * factor)), ["1/1000"]).lengths[0]
        for factor in (2 / 3, 3 / 2)
    )
    assert fewer is not None
    assert more is None


@pytest.mark.parametrize(
    ("K", "M", "activation", "L"),
    [(3, 2, "erf", 4), (4, 2, "erf", 1), (2, 3, "erf", 1), (2, 2, "sin", 4), (3, 2, "sin", 1)],
)
def test_any_number_of_units_and_another_activation(K, M, activation, L):
    """Oracle: the escape rate of `theory.symmetric_point`, found without integration."""
    given = model(M, L).replace(K=K, activation=activation)
    assert measure_plateau(given, ASYMMETRIES).slope == pytest.approx(1, abs=2e-3)


def test_noise_of_sgd_shortens_the_escape_time():
    """Oracle: the escape rate to second order in eta, where it matters: 0.4 % at eta = 1/10."""
    given = model(2, 2)
    found = measure_plateau(given, ASYMMETRIES, gradient_flow=False)
    change = float(given.eta**2 * plateau_correction(given).escape_rate) * found.escape_time
    assert found.slope - 1 == pytest.approx(-change, rel=0.05)


def test_eta_shortens_the_plateau_as_one_over_eta():
    """Oracle: time enters gradient flow as eta alpha only."""
    slow, fast = (measure_plateau(model(2, 2, eta=e), ["1/100"]).lengths[0] for e in ("1/10", 1))
    assert slow == pytest.approx(10 * fast, rel=1e-6)


@pytest.mark.parametrize(
    ("given", "asymmetries", "message"),
    [
        (model(2, 2), [2], "S_0 must be below 1, found 2"),
        (TeacherStudent(2, 2), ["1/10"], "contains symbols"),
    ],
)
def test_bad_starts_are_refused(given, asymmetries, message):
    """Oracle: the documented domain."""
    with pytest.raises(ValueError, match=message):
        measure_plateau(given, asymmetries)


def test_noise_needs_the_closed_form():
    """Oracle: the documented domain; where the plateau moves to is known for erf and K = M."""
    with pytest.raises(NotImplementedError, match="eta -> 0 only: use gradient_flow=True"):
        measure_plateau(model(2, 2).replace(K=3), ["1/10"], gradient_flow=False)
