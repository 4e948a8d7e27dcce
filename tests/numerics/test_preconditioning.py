"""Preconditioned SGD integrated in plain variables and simulated as written."""

import numpy as np
import pytest
from scipy.linalg import expm

from numerics import InitialCondition, integrate, simulate
from numerics.initial import initial
from theory import Discrete, PowerLaw, TeacherStudent, order_parameter_odes

SPECTRUM = Discrete([5, 1, "1/3"], [1, 2, 1])
TIMES = [0.5, 3, 12]


def linear_errors(model, e, times):
    """e_k = t_k - 2 r_k + q_k by one matrix exponential of the literal equations, (T, L)."""
    lam, w = (np.array(x, float) for x in (model.spectrum.eigenvalues, model.spectrum.weights))
    eta, theta = float(model.eta), float(model.preconditioner)
    gain = lam**-theta / np.sum(w * lam ** (1 - theta))
    kick = eta**2 * (gain**2 * lam)[:, None] * (w * lam)
    matrix = kick - np.diag(2 * eta * gain * lam)
    return np.array([expm(time * matrix) @ e for time in times])


@pytest.mark.parametrize("theta", ["1/4", "1/2", "3/4", "1"])
@pytest.mark.parametrize(
    "how", [{"method": "taylor"}, {"method": "runge-kutta"}, {"method": "structured"}]
)
def test_linear_student_is_the_closed_solution(theta, how):
    """Oracle: a matrix exponential of J <- J + (eta/sqrt(N)) delta P xi, mode by mode."""
    model = TeacherStudent(1, 1, "linear", SPECTRUM, "1/2", preconditioner=theta)
    start = InitialCondition(q=[[[1]], [[2]], [["1/2"]]], r=[[[0]], [["1/4"]], [["-1/8"]]])
    path = integrate(order_parameter_odes(model), start, TIMES[-1], at=TIMES, **how)
    e = (1 - 2 * start.r + start.q)[:, 0, 0]
    found = (path.t[None] - 2 * path.r + path.q)[..., 0, 0]
    assert found == pytest.approx(linear_errors(model, e, TIMES), rel=1e-7, abs=1e-10)
    assert path.eigenvalues == pytest.approx(np.array(SPECTRUM.eigenvalues, float))


def test_digits():
    """Oracle: the same run with 15 more digits, and double precision."""
    model = TeacherStudent(2, 2, "erf", SPECTRUM, "1/2", preconditioner="1/3")
    start = InitialCondition(
        q=[[["1/4", 0], [0, "1/3"]]], r=[[["1/10", 0], ["1/20", "1/7"]]]
    ).expanded(3)
    ode = order_parameter_odes(model)
    path, sharp = (integrate(ode, start, 5, digits=d, at=[5]) for d in (20, 35))
    assert np.max(np.abs(path.q - sharp.q)) < 1e-19
    assert np.max(np.abs(path.t - 1 * start.t)) < 1e-19
    doubles = integrate(ode, start, 5, at=[5])
    assert doubles.q == pytest.approx(sharp.q.astype(float), abs=1e-9)


def test_reduced_modes():
    """Oracle: all modes."""
    spectrum = PowerLaw(1, 300)
    model = TeacherStudent(2, 2, "erf", spectrum, "1/5", preconditioner="1/3")
    start = initial(model, "1/2", N=3000, seed=0)
    ode, at = order_parameter_odes(model), [1.0, 100.0]
    few, all_modes = (integrate(ode, start, 100, at=at, modes=m) for m in ("reduced", "all"))
    assert few.eigenvalues.size < 100
    assert np.max(np.abs(few.Q - all_modes.Q)) < 1e-7
    assert few.generalization_error == pytest.approx(all_modes.generalization_error, rel=1e-6)


def test_theta_zero_is_what_it_was():
    """Oracle: the model without the parameter."""
    plain = TeacherStudent(2, 2, "erf", SPECTRUM, "1/2")
    assert plain.replace(preconditioner=0) == plain


def test_no_limit_of_infinitely_many_eigenvalues():
    model = TeacherStudent(1, 1, "linear", PowerLaw(1, "oo"), "1/2", preconditioner="1/4")
    with pytest.raises(ValueError, match="needs a finite number of eigenvalues"):
        integrate(order_parameter_odes(model), initial(model, "1/2", N=None), 5)


@pytest.mark.montecarlo
@pytest.mark.parametrize("theta", ["1/2", "1"])
def test_simulation_as_written_agrees(theta):
    """Oracle: SGD with the preconditioned gradient in R^N and the chain; the bias falls as 1/N."""
    model = TeacherStudent(2, 2, "erf", PowerLaw(1, 4), "1/2", preconditioner=theta)
    bias = []
    for N, method in ((32, "direct"), (128, "chain")):
        start = initial(model, "1/2", N=N, seed=1)
        path = integrate(order_parameter_odes(model), start, 10, at=[1, 3, 10])
        runs = simulate(model, start, 10, N, 400, seed=2, method=method, at=[1, 3, 10])
        bias.append(np.sqrt(np.mean((runs.mean.q - path.q) ** 2)))
    z = (runs.mean.q - path.q) / runs.standard_error.q
    assert np.sqrt(np.mean(z**2)) < 2.5
    assert bias[1] < 0.6 * bias[0]
