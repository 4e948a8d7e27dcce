"""The laws of a specialised student against the integrated, nonlinear equations."""

import numpy as np
import pytest

from numerics import InitialCondition, integrate
from theory import PowerLaw, TeacherStudent, order_parameter_odes
from theory.laws import late_time_law
from theory.noise_floor import noise_floor

TIMES = np.array([1e3, 1e4, 1e5])


def specialised(units, a, d):
    """Every J - B with the overlaps a with its own teacher, d with itself; no others."""
    one = np.eye(units)[None]
    return InitialCondition((1 + 2 * a + d) * one, (1 + a) * one)


@pytest.mark.parametrize("beta", ["1/2", 1])
@pytest.mark.parametrize("units", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_gradient_flow_follows_two_terms(units, beta):
    """Oracle: the equations for L = oo; the remainder is of the order stated for it."""
    model = TeacherStudent(units, units, spectrum=PowerLaw(beta, "oo"), eta=1)
    ode = order_parameter_odes(model, gradient_flow=True)
    path = integrate(ode, specialised(units, -0.5, 1.0), TIMES[-1], at=TIMES)
    first, second = (late_time_law(model, terms=n, gradient_flow=True) for n in (1, 2))
    starts = {"d_u": 1, "d_v": 1}
    overlaps = {"a_u": "-1/2", "a_v": "-1/2"}
    leading = np.array([float(first(t, **starts)) for t in TIMES])
    both = np.array([float(second(t, **starts, **overlaps)) for t in TIMES])
    error = path.generalization_error
    assert abs(error[-1] / both[-1] - 1) < abs(error[-1] / leading[-1] - 1) / 3
    remainder = np.abs(error / both - 1)
    claimed = -min(2 * float(-first.exponent), 1)
    assert remainder[-1] < 2 * remainder[0] * (TIMES[-1] / TIMES[0]) ** claimed


def test_noise_of_sgd_amplifies():
    """Oracle: the equations at eta = 2, L = oo, where the prefactor is three times that of flow."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, "oo"), eta=2)
    path = integrate(order_parameter_odes(model), specialised(2, -0.1, 0.1), 1e5, at=TIMES)
    fast, flow = late_time_law(model), late_time_law(model, gradient_flow=True)
    starts = {"d_u": "1/10", "d_v": "1/10"}
    # alpha lam_+ is the time of the law, eta alpha lam_+ that of the equations
    expected = np.array([float(fast(t / 2, **starts)) for t in TIMES])
    remainder = path.generalization_error / expected - 1
    assert abs(remainder[-1]) < 0.01
    assert abs(remainder[-1] / remainder[0]) < 0.15
    assert float(flow(1, **starts)) < 0.8 * float(fast(1, **starts))


@pytest.mark.parametrize("units", [1, 2])
def test_label_noise_leaves_the_stationary_error(units):
    """Oracle: integration to rest in two eigenspaces; 6 digits."""
    spectrum = PowerLaw(1, 2)
    model = TeacherStudent(units, units, spectrum=spectrum, eta=1, label_noise="1/50")
    floor = noise_floor(model)
    path = integrate(order_parameter_odes(model), specialised(units, 0, 0.01), 3e3)
    assert path.generalization_error[-1] == pytest.approx(float(floor.error), rel=1e-7)


def test_local_slopes_of_the_equations():
    """Oracle: slopes of the integrated equations at L = 4096 against the finite-L law, within 1 %.

    From a start that is nine tenths unlearned, once the slow component has moved.
    """
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 4096), eta="1/1000")
    law = late_time_law(model, "finite size", gradient_flow=True)
    scale = 1e3 * np.pi**2 / 6 / 4096
    centres = np.geomspace(1e3, 1e8, 6) * scale
    step = 0.01
    at = np.sort(np.concatenate([centres * np.exp(-step), centres * np.exp(step)]))
    path = integrate(order_parameter_odes(model), specialised(2, -0.9, 1.0), at[-1], at=at)
    logs = np.log(path.generalization_error)
    slopes = (logs[1::2] - logs[::2]) / (2 * step)
    expected = [float(law.local_exponent(a, d_u=1, d_v=1)) for a in centres]
    np.testing.assert_allclose(slopes, expected, rtol=1e-2)
