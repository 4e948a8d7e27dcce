"""The structured method against SciPy, exact solutions, its own order, and where it must stop."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from numerics import initial
from numerics.compile import compile_ode
from numerics.errors import Stopped
from numerics.structured import solve_structured, structured_system
from numerics.structured_linear import Coupling
from numerics.structured_newton import measure
from numerics.targets import NumbaTarget
from theory import Discrete, PowerLaw, TeacherStudent, order_parameter_odes

pytestmark = pytest.mark.slow  # compiling the loops takes most of a minute, once

MODELS = {
    "erf": TeacherStudent(2, 2, spectrum=PowerLaw(1, 16), eta="1/5"),
    "noise and decay": TeacherStudent(
        2, 3, spectrum=PowerLaw("1/2", 6), eta="1/4", label_noise="1/10", weight_decay="1/50"
    ),
    "more students": TeacherStudent(3, 1, spectrum=Discrete([1, 3], [3, 1]), eta="1/5"),
    "many units": TeacherStudent(4, 4, spectrum=PowerLaw(1, 3), eta="1/5"),
    "sin": TeacherStudent(2, 1, "sin", PowerLaw(2, 12), eta="1/3"),
    "linear": TeacherStudent(1, 1, "linear", PowerLaw(1, 30), eta="1/2"),
    "isotropic": TeacherStudent(2, 2, eta="1/2"),
}


def overlaps(model, sigma=0.3, N=7200):
    start = initial(model, sigma, N, 1)
    return np.block([[start.q, start.r], [np.swapaxes(start.r, 1, 2), start.t]])


def compiled(model, gradient_flow=False, **options):
    form = order_parameter_odes(model, gradient_flow).modes()
    return compile_ode(form, NumbaTarget(), **options)


def near_perfect(K, L, size, seed=0):
    """Overlaps [[d, a], [a^T, t]] of deviations of a given size, per mode."""
    fields = np.random.default_rng(seed).normal(size=(L, 100, 2 * K))
    fields[:, :, :K] *= size
    return np.einsum("knf,knh->kfh", fields, fields) / 100


def errors_of(rhs, path):
    """eps_g at the output times."""
    (K, M, _), s = rhs.sizes, rhs.constants["s"]
    return np.array([rhs.functions["generalization_error"](K, M, s, C) for C in path.covariances])


def by_scipy(rhs, start, times):
    """The same equations by DOP853, at the sharpest tolerance it has."""
    K = rhs.sizes[0]

    def slope(_, y):
        full = start.copy()
        full[:, :K] = y.reshape(start[:, :K].shape)
        full[:, K:, :K] = np.swapaxes(full[:, :K, K:], 1, 2)
        return rhs.rates(full).ravel()

    # One run per output time: between steps as long as stability allows, its polynomial is worse.
    states = [start[:, :K].ravel()]
    for span in pairwise(times):
        found = solve_ivp(slope, span, states[-1], "DOP853", rtol=3e-14, atol=1e-14)
        states.append(found.y[:, -1])
    return np.array(states).reshape(len(times), *start[:, :K].shape)


@pytest.mark.parametrize("gradient_flow", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_agrees_with_an_explicit_method_at_all_times(name, gradient_flow):
    """Oracle: DOP853 on the compiled right-hand side; the tolerance bounds the error."""
    model, times = MODELS[name], np.linspace(0, 20, 41)
    rhs, start = compiled(model, gradient_flow), overlaps(model)
    path = solve_structured(structured_system(rhs, start), times, 1e-9)
    K = int(model.K)
    np.testing.assert_allclose(
        path.values[:, :, :K], by_scipy(rhs, start, times), rtol=0, atol=2e-9
    )
    np.testing.assert_array_equal(path.values, np.swapaxes(path.values, 2, 3))


def test_covariances_are_the_sums_over_the_modes():
    """Oracle: C = sum_k w_k lam_k c_k of the modes that were kept."""
    model = MODELS["noise and decay"]
    rhs, start, times = compiled(model), overlaps(model), np.array([0.0, 0.7, 9.0])
    path = solve_structured(structured_system(rhs, start), times, 1e-8)
    wl = rhs.constants["w"] * rhs.constants["lam"]
    np.testing.assert_allclose(
        path.covariances, np.einsum("k,tkfh->tfh", wl, path.values), rtol=1e-13, atol=1e-15
    )


@pytest.mark.parametrize("orders", [(5,), (9,), (13,), (5, 9, 13)])
def test_the_tolerance_bounds_the_error_and_eps_g(orders):
    """Oracle: tolerance 1e-13; rates of 1 : 4096, to the slowest, at times inside the steps."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 64), eta="1/10")
    rhs = compiled(model)
    system = structured_system(rhs, overlaps(model, 0.1, 6400))
    times = np.geomspace(1e-2, 1e5, 90)
    sharp = solve_structured(system, times, 1e-13, orders=(13,))
    for tolerance in (1e-4, 1e-6, 1e-8):
        path = solve_structured(system, times, tolerance, orders=orders)
        assert np.max(np.abs(path.values - sharp.values)) < 2 * tolerance
        assert np.max(np.abs(errors_of(rhs, path) / errors_of(rhs, sharp) - 1)) < 5 * tolerance


@pytest.mark.parametrize(
    ("order", "ends", "inside"),
    [(5, (96, 192), (96, 192)), (9, (32, 40), (64, 96)), (13, (14, 18), (20, 28))],
)
def test_order_of_convergence(order, ends, inside):
    """Oracle: a sharp run; order 2s - 1 at the ends of steps, s + 1 of the polynomial inside.

    Numbers of steps are where errors are asymptotic and a hundred times above rounding.
    """
    model, end = TeacherStudent(2, 2, spectrum=PowerLaw(1, 2), eta=1), 24.0
    system = structured_system(compiled(model), overlaps(model, 0.8, 200))

    def error(steps, fine):
        times = np.linspace(0, end, steps * fine + 1)
        sharp = solve_structured(system, times, 1e-13, orders=(13,))
        path = solve_structured(system, times, 1e-13, orders=(order,), step=end / steps)
        assert path.steps == steps
        return np.max(np.abs(path.values - sharp.values))

    for steps, fine, nominal in ((ends, 1, order), (inside, 20, (order + 3) / 2)):
        few, many = (error(n, fine) for n in steps)
        assert abs(np.log(few / many) / np.log(steps[1] / steps[0]) - nominal) < 0.2


def test_error_of_eps_g_is_its_first_order_change():
    """Oracle: a difference of eps_g; the other sizes are those of the numbers given."""
    model = MODELS["noise and decay"]
    rhs, start = compiled(model), overlaps(model)
    system, C = structured_system(rhs, start), rhs.fields(start)
    drift, _ = rhs.coefficients(C)
    jac = Coupling(drift, *[np.zeros((1, 1))] * 10)
    R, Q = np.random.default_rng(0).normal(size=(2, 3)), np.array([[0.3, -1.1], [-1.1, 0.7]])
    packed = np.concatenate([R.ravel(), Q[[0, 0, 1], [0, 1, 1]]])
    change = np.block([[Q, R], [R.T, np.zeros((3, 3))]])
    error = [
        rhs.functions["generalization_error"](2, 3, rhs.constants["s"], C + step * change)
        for step in (1e-5, -1e-5)
    ]
    expected = [4.0, 5.0, np.max(np.abs(R)), 1.1, abs(error[0] - error[1]) / 2e-5]
    for position, size in enumerate(expected):
        limits = np.full(5, 1e100)
        limits[position] = 0.5
        found = measure(system.modes, jac, limits, 4.0, 5.0, packed)
        np.testing.assert_allclose(found, 2 * size, rtol=1e-7)


def test_variable_order_is_near_the_best_fixed_one():
    """Oracle: the orders one by one; work counted in evaluations of D and G."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 256), eta="1/10")
    system, end = structured_system(compiled(model), overlaps(model, 0.1, 25600)), [1e6]
    for tolerance in (1e-3, 1e-5, 1e-8):
        work = [solve_structured(system, end, tolerance, orders=(o,)).evaluations
                for o in (5, 9, 13)]  # fmt: skip
        path = solve_structured(system, end, tolerance)
        assert path.evaluations < 1.3 * min(work)
    assert max(path.steps_per_order, key=path.steps_per_order.get) == 13


def test_newton_converges_as_with_the_exact_jacobian():
    """Oracle: few iterations. An error in any part of the linear algebra makes them many more."""
    model = TeacherStudent(3, 2, spectrum=PowerLaw(1, 40), eta="1/3", weight_decay="1/100")
    path = solve_structured(structured_system(compiled(model), overlaps(model)), [1e4], 1e-8)
    assert path.evaluations < 36 * path.steps
    assert path.rejected < 0.1 * path.steps


def test_output_times_do_not_change_the_steps():
    """Oracle: the same run with other output times, and with fewer modes kept."""
    system = structured_system(compiled(MODELS["erf"]), overlaps(MODELS["erf"]))
    few = solve_structured(system, [0.0, 3.3, 30.0], 1e-8)
    many = solve_structured(system, [0.0, 1.0, 2.0, 3.3, 17.0, 30.0], 1e-8)
    last = solve_structured(system, [0.0, 3.3, 30.0], 1e-8, keep=[-1])
    np.testing.assert_array_equal(few.values, many.values[[0, 3, 5]])
    np.testing.assert_array_equal(last.values, few.values[-1:])
    np.testing.assert_array_equal(last.covariances, few.covariances)


def test_deviations_decay_relative_to_themselves():
    """Oracle: the linear network under gradient flow, e^(-eta lam_k alpha) a_k, squared for d_k."""
    model = TeacherStudent(1, 1, "linear", PowerLaw(1, 30), eta="1/2")
    rhs, start = compiled(model, True, deviations=True), near_perfect(1, 30, 1e-3)
    lam = rhs.constants["lam"]
    times = np.linspace(0, 60 / lam[-1], 30)
    path = solve_structured(structured_system(rhs, start), times, 1e-9, relative=True)
    fall = np.exp(-0.5 * lam * times[:, None])
    for f, exact in ((0, start[:, 0, 0] * fall**2), (1, start[:, 0, 1] * fall)):
        largest = np.max(np.abs(exact), axis=1, keepdims=True)
        assert np.max(np.abs(path.values[:, :, 0, f] - exact) / largest) < 1e-7
        assert largest[-1, 0] < 1e-12 * largest[0, 0]
    error = np.sum(rhs.constants["w"] * lam * start[:, 0, 0] * fall**2, axis=1) / 2
    np.testing.assert_allclose(errors_of(rhs, path), error, rtol=1e-7)


@pytest.mark.parametrize("K", [2, 4])
def test_tiny_errors_follow_the_tolerance(K):
    """Oracle: tolerance 1e-12. eps_g falls below 1e-25 and keeps its relative accuracy."""
    model = TeacherStudent(K, K, spectrum=PowerLaw(1, 6), eta="1/10")
    rhs = compiled(model, deviations=True)
    system, times = structured_system(rhs, near_perfect(K, 6, 1e-2)), np.geomspace(1, 4e5, 30)
    found = [
        errors_of(rhs, solve_structured(system, times, tolerance, relative=True))
        for tolerance in (1e-12, 1e-6)
    ]
    assert found[0][-1] < 1e-25
    assert np.all(found[1] > 0)
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)


def test_small_errors_are_relative_in_ordinary_variables_too():
    """Oracle: tolerance 1e-13. eps_g falls to 1e-9 at tolerances far above it."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 6), eta="1/10")
    c = near_perfect(2, 6, 1e-3)
    d, a, t = c[:, :2, :2], c[:, :2, 2:], c[:, 2:, 2:]
    r = a + t
    q = d + r + np.swapaxes(r, 1, 2) - t
    rhs, times = compiled(model), np.geomspace(1, 1e3, 20)
    system = structured_system(rhs, np.block([[q, r], [np.swapaxes(r, 1, 2), t]]))
    sharp = errors_of(rhs, solve_structured(system, times, 1e-13))
    assert sharp[-1] < 1e-9
    for tolerance in (1e-3, 1e-5):
        found = errors_of(rhs, solve_structured(system, times, tolerance))
        np.testing.assert_allclose(found, sharp, rtol=10 * tolerance)


@pytest.mark.parametrize("gradient_flow", [False, True])
def test_a_student_may_start_at_zero(gradient_flow):
    """Oracle: r_k = 1 - exp(-eta lam_k alpha), whatever the noise; q_k = r_k^2 in gradient flow."""
    model = TeacherStudent(1, 1, "linear", PowerLaw(1, 64), eta="1/1000")
    form = order_parameter_odes(model, gradient_flow).modes()
    rhs = compile_ode(form, NumbaTarget())
    start = np.zeros((64, 2, 2))
    start[:, 1, 1] = 1
    path = solve_structured(structured_system(rhs, start), [10.0, 8000.0], 1e-9)
    for time, c in zip(path.times, path.values, strict=True):
        r = -np.expm1(-1e-3 * rhs.constants["lam"] * time)
        np.testing.assert_allclose(c[:, 0, 1], r, atol=1e-8)
        if gradient_flow:
            np.testing.assert_allclose(c[:, 0, 0], r**2, atol=1e-8)


def test_perfect_student_is_moved_by_label_noise():
    """Oracle: DOP853. Deviations that are exactly zero get a size from their slope."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 3), eta="1/5", label_noise="1/10")
    rhs, start = compiled(model, deviations=True), np.zeros((3, 4, 4))
    start[:, 2:, 2:] = np.eye(2)
    times = np.linspace(0, 5, 6)
    path = solve_structured(structured_system(rhs, start), times, 1e-9, relative=True)
    np.testing.assert_allclose(
        path.values[:, :, :2], by_scipy(rhs, start, times), rtol=1e-8, atol=1e-12
    )


def test_divergence_stops_with_what_was_reached():
    """Oracle: eta_c = 2 for the linear student; DOP853 up to the last time reached."""
    model = TeacherStudent(1, 1, "linear", PowerLaw(1, 4), eta=6)
    rhs, start = compiled(model), overlaps(model)
    times = np.array([0.0, 0.1, 0.2, 500.0])
    with pytest.raises(Stopped, match=r"alpha = 6\..* of 500: .*Q_1,1, .*above stability") as stop:
        solve_structured(structured_system(rhs, start), times, 1e-9)
    assert stop.value.values.shape == (3, 4, 2, 2)
    expected = by_scipy(rhs, start, times[:3])
    np.testing.assert_allclose(stop.value.values[:, :, :1], expected, rtol=1e-7)


def test_a_step_that_cannot_be_made_stops_with_its_reason():
    """Oracle: a fixed step so long that Newton's iteration does not converge; too many steps."""
    system = structured_system(compiled(MODELS["erf"]), overlaps(MODELS["erf"]))
    with pytest.raises(Stopped, match=r"alpha = 0 of 1e\+06: no step .* ask for a larger one"):
        solve_structured(system, [0.0, 1e6], 1e-8, step=1e6)
    with pytest.raises(
        Stopped, match=r"alpha = 2 of 10: 200000 steps do not reach the end"
    ) as stop:
        solve_structured(system, [1.0, 3.0, 10.0], 1e-3, orders=(5,), step=1e-5)
    assert len(stop.value.values) == 1


def test_orders_must_be_known_neighbours():
    """Oracle: the message, which names them."""
    system = structured_system(compiled(MODELS["linear"]), overlaps(MODELS["linear"]))
    for orders in ((7,), (5, 13), ()):
        with pytest.raises(ValueError, match=r"\(5, 9, 13\), next to each other"):
            solve_structured(system, [1.0], 1e-8, orders=orders)


def test_result_says_how_it_was_obtained():
    """Oracle: its own statistics."""
    model = MODELS["erf"]
    path = solve_structured(structured_system(compiled(model), overlaps(model)), [0, 5.0], 1e-8)
    assert sum(path.steps_per_order.values()) == path.steps
    assert 0 < path.step_sizes[0] <= path.step_sizes[1] <= 5
    assert f"{path.steps} steps" in str(path)
    with pytest.raises(dataclasses.FrozenInstanceError):
        path.steps = 0
