"""The plateau grows with the logarithm of the initial asymmetry, where there is one."""

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


def test_too_many_modes_leave_no_plateau():
    """Oracle: the regime of the law fails, and the trajectory has no minimum of its rate."""
    crowded = model(2, 32, beta="1/2")
    found = measure_plateau(crowded, ["1/100"])
    assert found.lengths == (None,)
    assert not plateau_length(crowded).law.holds("1/100")
    with pytest.raises(ValueError, match="a slope needs two plateaus, found 0"):
        _ = found.slope


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
    ("change", "asymmetries", "message"),
    [({}, [2], "S_0 must be below 1, found 2"), ({"eta": "eta"}, ["1/10"], "contains symbols")],
)
def test_bad_starts_are_refused(change, asymmetries, message):
    """Oracle: the documented domain."""
    given = TeacherStudent(2, 2) if change else model(2, 2)
    with pytest.raises(ValueError, match=message):
        measure_plateau(given, asymmetries)
