"""Both layers, integrated and simulated."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from numerics import InitialCondition, initial, integrate
from numerics.second_layer import integrate_second_layer
from numerics.second_layer_sgd import simulate_second_layer
from theory import Discrete, PowerLaw, TeacherStudent, order_parameter_odes
from theory.schedules import decaying
from theory.second_layer import second_layer

TIMES = [0.5, 2, 10]


def test_linear_student_by_hand():
    """Oracle: SciPy on the equations of v, q_k, r_k for g(x) = x, K = M = 1, written out."""
    spectrum = Discrete([3, 1], [1, 2])
    model = TeacherStudent(1, 1, "linear", spectrum, "1/4", label_noise="1/3", weight_decay="1/20")
    start = InitialCondition(q=[[["1/2"]]], r=[[["1/5"]]]).expanded(2)
    path = integrate_second_layer(second_layer(model, "1/2"), start, 10, [0.7], at=TIMES)
    lam, w = (np.array(x, float) for x in (spectrum.eigenvalues, spectrum.weights))

    def rates(_, y):
        v, q, r = y[0], y[1:3], y[3:]
        Q, R = np.sum(w * lam * q), np.sum(w * lam * r)
        error = 1 - 2 * v * R + v**2 * Q + 1 / 3
        dr = 0.25 * (lam * v * (1 - v * r) - r / 20)
        dq = 0.5 * (lam * v * (r - v * q) - q / 20) + 0.0625 * lam * v**2 * error
        return np.concatenate([[0.5 * (R - v * Q)], dq, dr])

    first = [0.7, 0.5, 0.5, 0.2, 0.2]
    found = solve_ivp(rates, (0, 10), first, rtol=1e-12, atol=1e-13, t_eval=TIMES).y
    assert path.weights[:, 0] == pytest.approx(found[0], rel=1e-8)
    assert pytest.approx(found[1:3], rel=1e-8) == path.overlaps.q[:, :, 0, 0].T
    assert pytest.approx(found[3:], rel=1e-8) == path.overlaps.r[:, :, 0, 0].T
    Q, R = w * lam @ found[1:3], w * lam @ found[3:]
    expected = (1 - 2 * found[0] * R + found[0] ** 2 * Q) / 2
    assert path.generalization_error == pytest.approx(expected, rel=1e-8)


def test_slow_output_weights_are_fixed():
    """Oracle: `integrate` with v_i = c_S; the difference falls in proportion to eta_v."""
    model = TeacherStudent(2, 2, "erf", PowerLaw(1, 3), "1/2")
    start = initial(model, "1/2", N=300, seed=0)
    fixed = integrate(order_parameter_odes(model), start, 10, at=TIMES)
    apart = []
    for eta_v in ("1/1000", "1/10000"):
        path = integrate_second_layer(second_layer(model, eta_v), start, 10, at=TIMES)
        apart.append(np.max(np.abs(path.overlaps.q - fixed.q)))
    assert apart[0] < 0.01
    assert apart[0] / apart[1] == pytest.approx(10, rel=0.05)


def test_what_does_not_fit_is_refused():
    """Oracle: the messages."""
    model = TeacherStudent(2, 2, "erf", PowerLaw(1, 3), "1/2")
    start = initial(model, "1/2", N=None)
    with pytest.raises(ValueError, match="weights must be K = 2 finite numbers"):
        integrate_second_layer(second_layer(model, 1), start, 1, weights=[1])
    with pytest.raises(TypeError, match="needs second_layer"):
        integrate_second_layer(order_parameter_odes(model), start, 1)
    with pytest.raises(ValueError, match="no number for eta = "):
        simulate_second_layer(model.replace(eta=decaying(1, 1, 1)), 1, start, 1, 30, 1, 0)


@pytest.mark.montecarlo
def test_simulation_of_both_layers():
    """Oracle: SGD on both layers in R^N at two sizes, in standard errors; bias of order 1/N."""
    model = TeacherStudent(3, 2, "erf", PowerLaw(1, 4), 1, label_noise="1/10")
    bias = []
    for N in (32, 128):
        start = initial(model, "1/2", N=N, seed=1)
        equations, v = second_layer(model, "1/2"), [0.3, 0.9, 0.5]
        path = integrate_second_layer(equations, start, 10, v, at=TIMES)
        found = simulate_second_layer(model, "1/2", start, 10, N, 400, 2, v, at=TIMES)
        runs, weights = found.overlaps, found.weights
        error = np.std(weights, axis=0, ddof=1) / 20
        z = np.concatenate(
            [
                ((weights.mean(axis=0) - path.weights) / error).ravel(),
                ((runs.mean.q - path.overlaps.q) / runs.standard_error.q).ravel(),
            ]
        )
        bias.append(np.sqrt(np.mean((runs.mean.q - path.overlaps.q) ** 2)))
    assert np.sqrt(np.mean(z**2)) < 1.8
    assert bias[1] < bias[0]
    eps, error = runs.mean.generalization_error, runs.standard_error.generalization_error
    assert np.all(np.abs(eps - path.generalization_error) < 5 * error)
