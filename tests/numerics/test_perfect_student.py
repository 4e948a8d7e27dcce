"""eps_g in double precision near the perfect student: relative accuracy down to 1e-25."""

import mpmath as mp
import numpy as np
import pytest
from systems import linear_overlaps

from numerics import ErrorBelow, InitialCondition, initial, integrate
from theory import Discrete, Isotropic, PowerLaw, TeacherStudent, order_parameter_odes

ERF = TeacherStudent(2, 2, spectrum=Isotropic(), eta="1/2")

pytestmark = pytest.mark.slow  # compiling the structured loops takes most of a minute, once


def worst(model, start, times, digits=12):
    """Largest relative error of eps_g against high precision, and the smallest eps_g."""
    ode = order_parameter_odes(model)
    ours = integrate(ode, start, times[-1], at=times).generalization_error
    exact = integrate(ode, start, times[-1], at=times, digits=digits).generalization_error
    with mp.workdps(80):
        return max(abs(float(a / b - 1)) for a, b in zip(ours, exact, strict=True)), exact[-1]


def test_linear_student_to_1e_25():
    """Oracle: the matrix exponential of the linear case, 80 digits; on each spectrum."""
    for spectrum in (Isotropic(), Discrete([1, 2], [2, 1])):
        model = TeacherStudent(1, 1, "linear", spectrum, eta="1/2")
        L = int(spectrum.L)
        start = InitialCondition([[[0.5]]] * L, [[[0.25]]] * L)
        times = np.linspace(1, 55, 10)
        path = integrate(order_parameter_odes(model), start, 60, at=times)
        lam, w = model.spectrum.values(80)
        with mp.workdps(80):
            for time, found in zip(times, path.generalization_error, strict=True):
                q, r = linear_overlaps(
                    lam, w, [0.5] * L, [0.25] * L, mp.mpf(1) / 2, mp.mpf(time), 0, 0, 80
                )
                exact = sum(a * b * (1 - 2 * y + x) for a, b, x, y in zip(lam, w, q, r)) / 2  # noqa: B905
                assert abs(found / exact - 1) < 1e-8
        assert 0 < path.generalization_error[-1] < 1e-13


@pytest.mark.parametrize("K", [2, 4])
def test_erf_committees_to_1e_25(K):
    """Oracle: at least 50 working digits; one accuracy in double precision, asked for: 1e-8."""
    model = ERF.replace(K=K, M=K)
    r = 0.5 * np.eye(K) + 0.1
    start = InitialCondition([r @ r.T + 0.05 * np.eye(K)], [r])
    ode = order_parameter_odes(model)
    path = integrate(ode, start, 20_000, events=[ErrorBelow(1e-25)])
    end = path.events["eps_g below 1e-25"]
    error, smallest = worst(model, start, np.linspace(end / 8, end, 8))
    assert smallest == pytest.approx(1e-25, rel=1e-6)
    assert error < 1e-8


def test_students_may_find_any_teacher():
    """Oracle: the same run with students numbered otherwise."""
    start = initial(ERF, 0.3, 1200, 0)
    swapped = InitialCondition(start.q[:, ::-1, ::-1], start.r[:, ::-1], start.t)
    ode = order_parameter_odes(ERF)
    one, two = (integrate(ode, s, 3000) for s in (start, swapped))
    assert one.generalization_error[-1] < 1e-20
    np.testing.assert_allclose(one.generalization_error, two.generalization_error, rtol=1e-8)
    np.testing.assert_allclose(one.R, two.R[:, ::-1], atol=1e-10)


@pytest.mark.parametrize("at", [[3000.0], [5.0, 2000.0, 3000.0]], ids=["one time", "few times"])
def test_output_times_do_not_matter(at):
    """Oracle: the same run with a hundred output times."""
    start, ode = initial(ERF, 0.3, 1200, 0), order_parameter_odes(ERF)
    few = integrate(ode, start, 3000, at=at)
    many = integrate(ode, start, 3000, at=np.union1d(at, np.geomspace(1, 3000, 100)))
    kept = np.isin(many.alpha, at)
    np.testing.assert_allclose(few.generalization_error, many.generalization_error[kept], rtol=1e-8)


def test_eps_g_is_never_negative():
    """Oracle: it is half the mean of a square; a power law of eigenvalues, to 1e-60."""
    model = ERF.replace(spectrum=PowerLaw(1, 4))
    path = integrate(order_parameter_odes(model), initial(model, 0.1, 1200, 0), 30_000)
    assert np.all(path.generalization_error > 0)
    assert path.generalization_error[-1] < 1e-50


@pytest.mark.parametrize(
    "change", [{"M": 1}, {"label_noise": "1/100"}, {"weight_decay": "1/1000"}], ids=str
)
def test_students_that_cannot_be_perfect_stay_in_ordinary_variables(change):
    """Oracle: which models have deviations that vanish."""
    model = ERF.replace(**change)
    path = integrate(order_parameter_odes(model), initial(model, 0.3, 1200, 0), 300)
    assert "deviations" not in path.provenance["method"]
