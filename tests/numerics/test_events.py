"""Events: exact solutions, two methods, two grids, and no plateau where there is none."""

import mpmath as mp
import numpy as np
import pytest
from systems import linear_overlaps

from numerics import (
    ErrorBelow,
    InitialCondition,
    PlateauEntered,
    PlateauLeft,
    initial,
    integrate,
)
from theory import Isotropic, PowerLaw, TeacherStudent, order_parameter_odes, plateau

LINEAR = TeacherStudent(1, 1, activation="linear", spectrum=PowerLaw(1, 4), eta="1/10")
COMMITTEE = TeacherStudent(2, 2, spectrum=PowerLaw(1, 4), eta="1/10")
PLATEAU = (PlateauEntered(), PlateauLeft())


def linear_error(model, start, time):
    """eps_g of the linear student from the matrix exponential, 30 digits."""
    lam, w = model.spectrum.values(30)
    q, r = start.q[:, 0, 0].tolist(), start.r[:, 0, 0].tolist()
    q, r = linear_overlaps(lam, w, q, r, mp.mpf(1) / 10, mp.mpf(time), mp.mpf(0), mp.mpf(0), 30)
    return sum(a * b * (1 - 2 * y + x) for a, b, x, y in zip(lam, w, q, r, strict=True)) / 2


@pytest.mark.parametrize("method", ["taylor", "runge-kutta"])
@pytest.mark.parametrize("value", [0.2, 1e-3])
@pytest.mark.parametrize("at", [None, [700.0]], ids=["default times", "one time"])
def test_the_time_of_an_error_is_exact(value, at, method):
    """Oracle: eps_g by the matrix exponential at the time found, and the slope there."""
    start = InitialCondition([[[0.3]]] * 4, [[[0.1]]] * 4)
    event = ErrorBelow(value)
    path = integrate(order_parameter_odes(LINEAR), start, 700, at=at, method=method, events=[event])
    time = path.events[str(event)]
    with mp.workdps(30):
        found = linear_error(LINEAR, start, time)
        slope = (linear_error(LINEAR, start, time * (1 + 1e-6)) - found) / (time * 1e-6)
        assert abs((found - value) / slope) < 1e-8 * time
    assert len(path.alpha) == (101 if at is None else 1)


def test_an_event_that_does_not_happen_has_no_time():
    """Oracle: eps_g stays above 1e-30 in a short run; the linear student has no plateau."""
    start = InitialCondition([[[0.3]]] * 4, [[[0.1]]] * 4)
    path = integrate(order_parameter_odes(LINEAR), start, 50, events=[ErrorBelow(1e-30), *PLATEAU])
    assert path.events == {"eps_g below 1e-30": None, "plateau entered": None, "plateau left": None}


def test_plateau_times_do_not_depend_on_the_method():
    """Oracle: Taylor series against Runge-Kutta."""
    start = initial(COMMITTEE, 0.01, 4096, 1)
    ode = order_parameter_odes(COMMITTEE)
    times = [
        integrate(ode, start, 5000, method=m, events=PLATEAU).events
        for m in ("taylor", "runge-kutta")
    ]
    for event in map(str, PLATEAU):
        assert times[0][event] == pytest.approx(times[1][event], rel=1e-8)


def test_the_plateau_lasts_longer_by_the_escape_time_for_each_factor_e():
    """Oracle: theory's escape time, to first order in eta: asymmetry 1/e leaves tau_esc later."""
    model = TeacherStudent(2, 2, spectrum=Isotropic(), eta="1/100")
    tau, left = float(plateau(model).escape_time), []
    for asymmetry in (1e-3, 1e-3 / np.e):
        r = [[[asymmetry, 0], [0, asymmetry]]]
        start = InitialCondition([[[0.01, 0], [0, 0.01]]], r)
        path = integrate(order_parameter_odes(model), start, 60 * tau, events=PLATEAU)
        left.append(path.events["plateau left"])
        assert 0 < path.events["plateau entered"] < left[-1]
    assert left[1] - left[0] == pytest.approx(tau, rel=0.02)


def test_events_are_kept_when_a_trajectory_is_saved(tmp_path):
    """Oracle: the trajectory before saving."""
    start = InitialCondition([[[0.3]]] * 4, [[[0.1]]] * 4)
    path = integrate(order_parameter_odes(LINEAR), start, 700, events=[ErrorBelow(0.1)])
    assert type(path).load(path.save(tmp_path / "run.npz")).events == path.events


def test_bad_events_are_refused():
    """Oracle: what events may be."""
    start = InitialCondition([[[0.3]]] * 4, [[[0.1]]] * 4)
    with pytest.raises(TypeError, match="events must be"):
        integrate(order_parameter_odes(LINEAR), start, 1, events=["plateau"])
    with pytest.raises(ValueError, match="positive value of eps_g, found -1"):
        ErrorBelow(-1)
    with pytest.raises(ValueError, match="width of a plateau must be positive"):
        PlateauLeft(width=0)
