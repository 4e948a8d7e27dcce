"""Modes, moments and merged modes are the same dynamics."""

import mpmath as mp
import numpy as np
import pytest

from numerics import InitialCondition, initial, integrate
from theory import Discrete, Isotropic, PowerLaw, TeacherStudent, order_parameter_odes


def agree(one, two, rtol):
    """Compare eps_g, q and r of two trajectories in their own precision."""
    with mp.workdps(60):
        for name in ("generalization_error", "q", "r"):
            a, b = getattr(one, name), getattr(two, name)
            assert np.abs(a / b - 1).max() < rtol, name


@pytest.mark.parametrize("beta", ["1", "3/10"])
def test_moments_are_modes_in_double_precision(beta):
    """Oracle: the modes; three eigenvalues cost the moments a digit or two."""
    model = TeacherStudent(2, 3, spectrum=PowerLaw(beta, 3), eta="1/2", label_noise="1/10")
    ode, start = order_parameter_odes(model), initial(model, sigma_J=0.2, N=3000, seed=4)
    modes, moments = (integrate(f, start, 50) for f in (ode.modes(), ode.moments()))
    assert moments.provenance["form"] == "MomentForm"
    agree(moments, modes, 1e-10)


@pytest.mark.slow
def test_eight_moments_are_eight_modes():
    """Oracle: the modes at 20 digits; the moments' 7 lost digits are added, not missed."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 8), eta="1/5")
    ode, start = order_parameter_odes(model), initial(model, sigma_J=0.1, N=1024, seed=0)
    times = [1, 10, 100]
    modes, moments = (
        integrate(f, start, 100, digits=20, at=times) for f in (ode.modes(), ode.moments())
    )
    agree(moments, modes, mp.mpf(10) ** -20)


@pytest.mark.parametrize("gradient_flow", [False, True])
def test_equal_eigenvalues_are_one_mode(gradient_flow):
    """Oracle: the isotropic equations started from the mean overlaps of three equal modes."""
    split = TeacherStudent(2, 2, spectrum=Discrete([1, 1, 1]), eta="1/2", label_noise="1/10")
    merged = split.replace(spectrum=Isotropic())
    start = initial(split, sigma_J=0.4, N=300, seed=5)
    whole = InitialCondition(*(a.mean(axis=0, keepdims=True) for a in (start.q, start.r, start.t)))
    three = integrate(order_parameter_odes(split, gradient_flow), start, 100)
    one = integrate(order_parameter_odes(merged, gradient_flow), whole, 100)
    assert np.abs(start.q[0] - start.q[1]).max() > 0.01
    np.testing.assert_allclose(three.Q, one.Q, rtol=1e-10)
    np.testing.assert_allclose(three.R, one.R, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(three.generalization_error, one.generalization_error, rtol=1e-10)


def test_weights_count_copies_of_a_mode():
    """Oracle: an eigenvalue of weight 2/3 is the same eigenvalue listed twice."""
    twice = TeacherStudent(1, 2, spectrum=Discrete([1, 1, 4]), eta="1/2")
    once = twice.replace(spectrum=Discrete([1, 4], weights=[2, 1]))
    q, r = [[[0.5]]] * 2, [[[0.1, 0.2]], [[0.2, -0.1]]]
    short = integrate(order_parameter_odes(once), InitialCondition(q, r), 50)
    long = integrate(order_parameter_odes(twice), InitialCondition(q[:1] + q, r[:1] + r), 50)
    np.testing.assert_allclose(long.r[:, 1:], short.r, rtol=1e-11)
    np.testing.assert_allclose(long.generalization_error, short.generalization_error, rtol=1e-10)
