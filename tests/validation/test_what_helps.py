"""What a preconditioner does to exponents and plateaus, measured on trajectories."""

import numpy as np
import pytest

from numerics import (
    InitialCondition,
    PlateauEntered,
    PlateauLeft,
    integrate,
    integrate_second_layer,
)
from numerics.measure import eigenvalues_and_weights
from numerics.testing import assert_exponent
from theory import (
    Isotropic,
    PowerLaw,
    TeacherStudent,
    order_parameter_odes,
    perfect_student,
    preconditioned_law,
    second_layer,
)
from theory.preconditioning import plain_model

NEAR = InitialCondition(q=[[["91/100"]]], r=[[["9/10"]]])
"""d = t - 2 r + q = 11/100: V is small from the start."""


def relaxing(theta, L=4096, slope=1):
    """eps_g of a nearly specialised erf unit in gradient flow through its window, and x."""
    model = TeacherStudent(1, 1, "erf", PowerLaw(slope, L), 1, preconditioner=theta)
    rates = eigenvalues_and_weights(plain_model(model).spectrum)[0]
    unit = 2 * float(perfect_student(model.replace(preconditioner=0)).rates[0]) * rates[0]
    x = np.geomspace(8, rates[0] / rates[-1], 41)
    flow = order_parameter_odes(model, gradient_flow=True)
    path = integrate(flow, NEAR, x[-1] / unit, at=x / unit)
    return model, x, path


@pytest.mark.parametrize("theta", ["1/4", "1/2", "3/4"])
def test_specialised_unit_follows_the_finite_size_law(theta):
    """Oracle: the law of theory.preconditioned_laws along the window, to the order of its error."""
    model, x, path = relaxing(theta)
    law = preconditioned_law(model, "finite size")
    exact = [float(law(time, d_u="11/100")) for time in path.alpha]
    ratio = path.generalization_error / np.array(exact) - 1
    power = max(float(preconditioned_law(model).exponent), -1.0)
    assert np.all(np.abs(ratio) < 1.5 * x**power)


def test_exponents_are_those_of_the_changed_spectrum():
    """Oracle: beta/((1 + beta)(1 - theta)), beta = 2: 2/3, 8/9, 4/3, each held to 2 %."""
    for theta, exponent in (("0", -2 / 3), ("1/4", -8 / 9), ("1/2", -4 / 3)):
        _, x, path = relaxing(theta, slope=2)
        late = x < x[-1] / 100
        assert_exponent(
            x[late], path.generalization_error[late], exponent, (100, x[-1] / 100), tolerance=0.02
        )
        with pytest.raises(AssertionError):
            assert_exponent(
                x[late], path.generalization_error[late], 1.05 * exponent, (100, x[-1] / 100), 0.02
            )


def test_whitened_students_are_isotropic_ones():
    """Oracle: the isotropic trajectory from the same Q and R, at finite eta."""
    r = np.array([[0.2, 0.05], [0.0, 0.15]])
    start = InitialCondition((0.3 * np.eye(2) + r @ r.T)[None], r[None])
    model = TeacherStudent(2, 2, "erf", PowerLaw(1, 16), "1/2", preconditioner=1)
    times = [1.0, 30.0, 300.0, 600.0, 630.0]
    white, plain = (
        integrate(order_parameter_odes(m), start, times[-1], at=times)
        for m in (model, model.replace(spectrum=Isotropic(), preconditioner=0))
    )
    assert np.max(np.abs(white.Q - plain.Q)) < 1e-8
    assert white.generalization_error == pytest.approx(plain.generalization_error, rel=1e-5)


def test_plateau_lengthens_with_theta():
    """Oracle: lengths located on trajectories; that of theta = 1 is that of isotropic data."""
    split = 1e-3 * (np.eye(2) - 1 / 2) + 0.05
    start = InitialCondition((1e-4 * np.eye(2) + split @ split.T)[None], split[None])
    lengths = []
    for theta in ("0", "1/2", "1"):
        model = TeacherStudent(2, 2, "erf", PowerLaw(1, 4), "1/2", preconditioner=theta)
        lengths.append(plateau_length(model, start))
    isotropic = plateau_length(TeacherStudent(2, 2, "erf", Isotropic(), "1/2"), start)
    assert lengths[0] < lengths[1] < lengths[2]
    assert lengths[2] == pytest.approx(isotropic, rel=1e-4)
    assert lengths[2] > 1.5 * lengths[0]


@pytest.mark.slow
def test_output_weights_that_learn_leave_the_power_law():
    """Oracle: the same students with fixed output weights: eps_g differs by a factor near one."""
    model = TeacherStudent(2, 2, "erf", PowerLaw(1, 64), "1/10")
    both = np.broadcast_to(np.eye(2) / 16, (64, 2, 2))
    start, at = InitialCondition(q=both, r=both), np.geomspace(10, 2000, 12)
    fixed = integrate(order_parameter_odes(model), start, at[-1], at=at)
    learnt = integrate_second_layer(second_layer(model, 1), start, at[-1], at=at, rtol=1e-6)
    ratio = learnt.generalization_error / fixed.generalization_error
    assert fixed.generalization_error[0] / fixed.generalization_error[-1] > 30
    assert np.all((ratio > 0.7) & (ratio < 1.1))


def plateau_length(model, start):
    events = PlateauEntered(), PlateauLeft()
    flow = order_parameter_odes(model, gradient_flow=True)
    path = integrate(flow, start, 2000, at=[2000], events=events)
    entered, left = (path.events[str(event)] for event in events)
    return left - entered
