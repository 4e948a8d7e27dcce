"""The stationary point under label noise against the equations, for any spectrum."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from systems import by_modes

from theory import TeacherStudent
from theory.noise_floor import noise_floor
from theory.perfect_student import perfect_student


def overlaps(floor, modes):
    """c_k of the stationary point, (L, 2M, 2M)."""
    Q, R = (np.array(x.tolist(), dtype=float) for x in (floor.Q, floor.R))
    return np.tile(np.block([[Q, R], [R.T, np.eye(len(Q))]]), (modes, 1, 1))


@pytest.mark.parametrize(
    "units", [1, 2, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 4))]
)
def test_every_mode_rests(units):
    """Oracle: the published averages, in structured data: nothing moves in any of 3 modes."""
    lam, w = np.array([0.25, 1.0, 2.5]), np.array([0.5, 0.25, 0.25])
    lam = lam / (w @ lam)
    floor = noise_floor(TeacherStudent(units, units, eta=2, label_noise="1/20"))
    moved = by_modes(lam, w, overlaps(floor, 3), units, 2.0, units**-0.5, 0.05)
    np.testing.assert_allclose(moved, 0, atol=1e-12)


@pytest.mark.parametrize("units", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_first_order_is_the_closed_form(units):
    """Oracle: the relative difference from the formula halves with the noise."""
    apart = []
    for noise in (sp.Rational(1, 10**6), sp.Rational(1, 2 * 10**6)):
        model = TeacherStudent(units, units, eta=3, label_noise=noise)
        exact, formula = noise_floor(model, 30).error, perfect_student(model).noise_floor
        apart.append(float(exact / mp.mpf(sp.N(formula, 30)) - 1))
    assert abs(apart[0]) < 1e-4
    assert apart[0] / apart[1] == pytest.approx(2, rel=1e-3)


def test_digits_are_digits():
    """Oracle: the same in 20 and in 40 digits."""
    model = TeacherStudent(1, 1, eta=1, label_noise="1/100")
    short, long = (noise_floor(model, digits).error for digits in (20, 40))
    with mp.workdps(30):
        assert abs(short / long - 1) < 1e-20


def test_without_noise_the_floor_is_zero():
    """Oracle: the perfect student rests."""
    assert noise_floor(TeacherStudent(2, 2, eta=1)).error == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"label_noise": 1}, r"needs numbers for \['eta'\]"),
        ({"eta": 5, "label_noise": 1}, "not below eta_max"),
        ({"eta": 4, "label_noise": 100}, "no stationary point near the perfect student"),
    ],
)
def test_what_has_no_floor_is_refused(parameters, message):
    """Oracle: the documented domain."""
    with pytest.raises(ValueError, match=message):
        noise_floor(TeacherStudent(1, 1, **parameters))
