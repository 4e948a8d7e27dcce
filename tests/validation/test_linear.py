"""The linear network solved in closed form against the integrated order-parameter equations."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics import InitialCondition, integrate, simulate
from numerics.testing import assert_agrees
from theory import (
    Discrete,
    PowerLaw,
    TeacherStudent,
    late_time_law,
    linear_solution,
    order_parameter_odes,
)

TIMES = [0.25, 2, 16]


def random_case(K, M, L, fraction, seed, **others):
    """A random spectrum at a fraction of eta_c, and the overlaps of random vectors, all exact."""
    rng = np.random.default_rng(seed)
    values = [sp.Rational(int(v), 40) for v in rng.integers(1, 400, L)]
    spectrum = Discrete(values, [int(v) for v in rng.integers(1, 9, L)])
    model = TeacherStudent(K, M, "linear", spectrum, eta=1, **others)
    critical = linear_solution(model).critical_learning_rate
    J, B = (rng.integers(-3, 4, (L, n, 8)) / 4 for n in (K, M))
    q, r, t = (np.einsum("kia,kja->kij", a, b) / 8 for a, b in ((J, J), (J, B), (B, B)))
    return model.replace(eta=critical * sp.Rational(fraction)), InitialCondition(q, r, t)


def furthest(found, expected):
    """Largest difference, relative to one or the size of the expected entry."""
    pairs = zip(np.ravel(np.array(found, dtype=object)), np.ravel(expected), strict=True)
    return max(abs(a - b) / (1 + abs(b)) for a, b in pairs)


FAST = [
    pytest.param(1, 1, 3, "19/20", {}, id="L=3"),
    pytest.param(2, 3, 5, "1/2", {"label_noise": "1/10", "weight_decay": "1/7"}, id="K=2, M=3"),
]
SLOW = [
    pytest.param(1, 1, L, at, {"label_noise": noise}, id=f"L={L}, {at}", marks=pytest.mark.slow)
    for L, at, noise in (
        (4, "1/10", 0), (5, "9/10", 0), (6, "19/20", "1/3"), (7, "1/2", 0), (8, "19/20", 0),
        (9, "3/4", "1/3"), (10, "19/20", 0), (11, "1/3", 0), (12, "19/20", "1/3"),
    )
]  # fmt: skip


@pytest.mark.parametrize(("K", "M", "L", "fraction", "others"), FAST + SLOW)
def test_solution_is_the_integrated_path(K, M, L, fraction, others):
    """Oracle: direct integration in 30 digits, random spectra up to 0.95 eta_c."""
    model, start = random_case(K, M, L, fraction, seed=L, **others)
    path = integrate(order_parameter_odes(model), start, TIMES[-1], digits=30, at=TIMES)
    solved = linear_solution(model).start(*start.precise(45), digits=30)
    for n, time in enumerate(TIMES):
        eps = path.generalization_error[n]
        assert abs(solved.generalization_error(time) / eps - 1) < 1e-25
        assert furthest(solved.q(time), path.q[n]) < 1e-25
        assert furthest(solved.r(time), path.r[n]) < 1e-25


def test_diverges_above_the_critical_rate_as_predicted():
    """Oracle: integration at 1.05 eta_c grows at the rate of the largest root mu."""
    model, start = random_case(1, 1, 4, "21/20", seed=5)
    (growth, *_) = linear_solution(model).eigenvalues()
    assert growth > 0
    times = [100 / float(growth), 101 / float(growth)]
    path = integrate(order_parameter_odes(model), start, times[-1], digits=20, at=times)
    first, last = path.generalization_error
    assert abs(mp.log(last / first) - 1) < 1e-12
    assert first > 1e30


@pytest.mark.montecarlo
def test_a_simulation_agrees():
    """Oracle: SGD at N = 20000, K = 2 students of M = 3 teachers with noisy labels."""
    model, start = random_case(2, 3, 4, "1/2", seed=3, label_noise="1/10")
    times = [0.25, 0.5, 1.0]
    N = 1000 * int(sum(model.spectrum.given_weights))
    path = integrate(order_parameter_odes(model), start, 1, at=times)
    runs = simulate(model, start, 1, N=N, runs=48, seed=2, at=times)
    assert_agrees(path, runs, sigmas=5, resolution=0.1)
    solved = linear_solution(model).start(*start.precise(30))
    found = [float(solved.generalization_error(time)) for time in times]
    np.testing.assert_allclose(found, path.generalization_error, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("beta", ["1/4", "1/2", 1, 2])
@pytest.mark.parametrize("flow", [True, False])
def test_late_times_of_4096_eigenvalues(beta, flow):
    """Oracle: the integrated equations at small eta: value within 2 %, local slope within 1 %.

    From x = 30 (300 at beta = 2, where the sum still oscillates) to x = L^(1+beta).
    """
    L, eta, apart = 4096, 1 / 500, 0.02
    model = TeacherStudent(1, 1, "linear", PowerLaw(beta, L), eta="1/500")
    law = late_time_law(model, "finite size", gradient_flow=flow)
    largest = float(model.spectrum.values()[0][0])
    x = np.geomspace(300 if beta == 2 else 30, L ** (1 + float(sp.Rational(beta))), 9)
    times = x / (2 * eta * largest)
    both = np.sort(np.concatenate([times * np.exp(-apart), times * np.exp(apart)]))
    zero = np.zeros((L, 1, 1))
    ode = order_parameter_odes(model, gradient_flow=flow)
    path = integrate(ode, InitialCondition(zero, zero), float(both[-1]), at=both)
    before, after = path.generalization_error[::2], path.generalization_error[1::2]
    for n, time in enumerate(times):
        value, local = law(time, epsilon_0="1/2"), law.local_exponent(time, epsilon_0="1/2")
        assert np.sqrt(before[n] * after[n]) == pytest.approx(float(value), rel=0.02)
        assert np.log(after[n] / before[n]) / (2 * apart) == pytest.approx(float(local), rel=0.01)
