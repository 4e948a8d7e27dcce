"""The Taylor method: its order, and states it can be restarted from."""

import numpy as np
import pytest

from numerics import initial
from numerics.taylor import TaylorIntegrator
from theory import PowerLaw, TeacherStudent, order_parameter_odes

MODEL = TeacherStudent(2, 2, spectrum=PowerLaw(1, 4), eta="1/5")
FORM = order_parameter_odes(MODEL).modes()


def start():
    given = initial(MODEL, 0.3, 4096, 1)
    return np.block([[given.q, given.r], [np.swapaxes(given.r, 1, 2), given.t]])


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5])
def test_the_error_of_equal_steps_has_the_order_of_the_series(tolerance):
    """Oracle: machine precision; the global error of an order p falls like h^p."""
    end = 4.0
    exact, _ = TaylorIntegrator(FORM, start(), None, 1e-16).solve(start(), np.array([end]))
    rough = TaylorIntegrator(FORM, start(), None, tolerance)
    stepper, sizes, errors = rough._stepper, [], []
    for steps in (20, 24, 28):
        rough.solve(start(), np.array([0.0]))  # back to the start
        for _ in range(steps):
            stepper.step(end / steps)
        assert stepper.time == pytest.approx(end, rel=1e-12)  # no step was shortened
        last = np.array(stepper.state)
        reached = np.array(exact[0])[:, *rough._state.entries].ravel()
        sizes.append(end / steps)
        errors.append(np.max(np.abs(last - reached)))
    order = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert order == pytest.approx(stepper.order, abs=0.2)


def test_it_can_be_restarted_from_any_state():
    """Oracle: one run through; two runs, the second from the middle of the first."""
    method = TaylorIntegrator(FORM, start(), None, 1e-16)
    whole, _ = method.solve(start(), np.array([0.0, 3.0, 10.0]))
    second, _ = method.solve(whole[1], np.array([7.0]))
    np.testing.assert_allclose(second[0], whole[2], rtol=1e-13)
