"""The symmetric plateau in numbers; tests/validation/test_symmetric_point.py integrates it."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from theory import Discrete, NoClosedForm, PowerLaw, TeacherStudent, plateau
from theory.symmetric_point import symmetric_point

SPECTRUM = Discrete([1, 4, 9], weights=[3, 2, 1])


@pytest.mark.parametrize("units", [2, 5])
@pytest.mark.parametrize("scale", ["sqrt", "unit"])
def test_erf_with_as_many_students_as_teachers(units, scale):
    """Oracle: the closed forms, to 30 digits."""
    model = TeacherStudent(units, units, spectrum=SPECTRUM, eta="1/10", scale=scale)
    found, known = symmetric_point(model, 30), plateau(model)
    with mp.workdps(40):
        for name in ("Q", "R", "error", "escape_rate"):
            exact = mp.mpf(sp.N(getattr(known, name), 40))
            assert abs(getattr(found, name) / exact - 1) < mp.mpf(10) ** -30


@pytest.mark.parametrize("activation", ["sin", "exp"])
@pytest.mark.parametrize("sizes", [(2, 2), (2, 3), (4, 2)])
def test_escape_rate_is_the_top_of_the_matrix(activation, sizes):
    """Oracle: eigenvalues of diag(lam a) + b lam_k w_l lam_l, NumPy."""
    found = symmetric_point(TeacherStudent(*sizes, activation, spectrum=SPECTRUM, eta=2))
    lam, w = (np.array(x, dtype=float) for x in SPECTRUM.values())
    matrix = np.diag(lam * float(found.damping))
    matrix += float(found.feedback) * np.outer(lam, w * lam)
    top = np.linalg.eigvals(2 * matrix).real.max()
    assert float(found.escape_rate) == pytest.approx(top, rel=1e-12)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"K": 1, "M": 2}, ValueError, "integers from 2 on, found K = 1, M = 2"),
        ({"K": 2, "M": 2, "eta": sp.Symbol("eta")}, ValueError, r"needs numbers for \['eta'\]"),
        ({"K": 2, "M": 2, "weight_decay": 1}, NotImplementedError, "weight decay"),
        ({"K": 2, "M": 2, "activation": "relu"}, NoClosedForm, "cusps"),
        ({"K": 2, "M": 2, "activation": "He_3"}, ValueError, "no plateau of collapsed students"),
    ],
)
def test_models_without_a_plateau_are_refused(parameters, error, message):
    """Oracle: the documented domain; He_3 has no slope to follow from small students."""
    with pytest.raises(error, match=message):
        symmetric_point(TeacherStudent(**{"eta": 1, "spectrum": PowerLaw(1, 2), **parameters}))
