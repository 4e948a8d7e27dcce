"""Runs on Gauss nodes instead of all eigenvalues, as `integrate` makes them."""

import numpy as np
import pytest
import sympy as sp

from numerics import ErrorBelow, InitialCondition, IntegrationError, initial, integrate
from theory import Activation, PowerLaw, TeacherStudent, order_parameter_odes

MODEL = TeacherStudent(2, 2, spectrum=PowerLaw(1, 200), eta="1/10")
START = InitialCondition([[[0.01, 0], [0, 0.01]]], [[[1e-3, 0], [0, 1e-3]]])
END = 1 / (0.1 * float(MODEL.spectrum.values()[0][-1]))

pytestmark = pytest.mark.slow  # compiling the structured loops takes most of a minute, once


@pytest.mark.parametrize("start", [START, initial(MODEL, 0.1, 4000, 0)], ids=["alike", "random"])
def test_reduced_runs_are_runs_in_all_modes(start):
    """Oracle: all 200 modes, to the slowest one; the time of an event too."""
    event = ErrorBelow(1e-3)
    whole, few = (
        integrate(order_parameter_odes(MODEL), start, END, modes=modes, events=[event])
        for modes in ("all", "reduced")
    )
    assert len(few.eigenvalues) < len(whole.eigenvalues) == 200
    assert str(few.provenance["nodes"]) in few.provenance["method"]
    np.testing.assert_allclose(few.generalization_error, whole.generalization_error, rtol=3e-8)
    np.testing.assert_allclose(few.Q, whole.Q, atol=1e-8)
    np.testing.assert_allclose(few.R, whole.R, atol=1e-8)
    assert few.events[str(event)] == pytest.approx(whole.events[str(event)], rel=1e-7)


def test_infinitely_many_eigenvalues_are_the_limit_of_many():
    """Oracle: L = 10^4 in the scaled time, whose distance to the limit is of order 1/L."""
    endless = MODEL.replace(spectrum=PowerLaw(1, sp.oo))
    limit = integrate(order_parameter_odes(endless), START, 300, at=[3, 30, 300])
    assert limit.provenance["time"] == "eta lam_+ alpha"
    gaps = []
    for L in (1000, 4000):
        model = MODEL.replace(spectrum=PowerLaw(1, L))
        unit = 0.1 * float(model.spectrum.values()[0][0])
        times = np.array([3, 30, 300]) / unit
        path = integrate(order_parameter_odes(model), START, times[-1], at=times, modes="reduced")
        gaps.append(np.max(np.abs(path.generalization_error / limit.generalization_error - 1)))
    assert gaps[0] / gaps[1] == pytest.approx(4, rel=0.1)


def test_a_stop_is_told_in_the_time_of_the_caller():
    """Oracle: the whole run to a time before the stop, in the scaled time."""
    model = MODEL.replace(spectrum=PowerLaw(1, sp.oo), activation=Activation("linear"), eta=30)
    with pytest.raises(IntegrationError, match=r"here alpha = .* eta lam_\+ alpha") as stop:
        integrate(order_parameter_odes(model), START, 1000)
    part = stop.value.trajectory
    assert part is not None
    assert part.provenance["time"] == "eta lam_+ alpha"
    times = part.alpha[1:6]
    early = integrate(order_parameter_odes(model), START, times[-1], at=times)
    np.testing.assert_allclose(
        part.generalization_error[1:6], early.generalization_error, rtol=1e-7
    )


def test_what_cannot_be_reduced_is_refused():
    """Oracle: nodes are doubles, and belong to modes."""
    endless = order_parameter_odes(MODEL.replace(spectrum=PowerLaw(1, sp.oo)))
    with pytest.raises(ValueError, match="in double precision and in modes only"):
        integrate(endless, START, 1, digits=20)
    with pytest.raises(ValueError, match="cannot be listed"):
        integrate(endless, START, 1, modes="all")
    with pytest.raises(ValueError, match="modes must be"):
        integrate(endless, START, 1, modes="few")


def test_an_unconfirmed_reduction_is_not_returned(monkeypatch):
    """Oracle: two sizes of nodes that are both too small differ."""
    monkeypatch.setattr("numerics.reduction._sizes", lambda *_: iter([4, 6]))
    with pytest.raises(IntegrationError, match=r"no reduction of .* is confirmed"):
        integrate(order_parameter_odes(MODEL), START, END, modes="reduced")
