"""The explicit method: its order, its tolerance, its interpolation, where it stops, its speed."""

import time

import numpy as np
import pytest

from numerics import initial, integrate
from numerics.errors import Stopped
from numerics.explicit import integrate_explicit, runge_kutta_step
from theory import TeacherStudent, order_parameter_odes


def oscillator(_, y):
    return np.array([y[1], -y[0]])


def exact(times):
    return np.transpose([np.cos(times), -np.sin(times)])


def count(how, what):
    return int(how.split(f" {what}")[0].split()[-1])


def slope(x, y):
    return np.polyfit(np.log(x), np.log(y), 1)[0]


def test_the_step_has_order_eight():
    """Oracle: the harmonic oscillator in N equal steps, error ~ N^-8."""

    def error(steps):
        y, slopes, h = np.array([1.0, 0.0]), np.empty((13, 2)), 10 / steps
        for n in range(steps):
            slopes[0] = oscillator(n * h, y)
            y = runge_kutta_step(oscillator, n * h, y, h, slopes)
        return np.linalg.norm(y - exact(10.0))

    steps = np.array([12, 16, 24, 32])
    assert slope(steps, [error(n) for n in steps]) == pytest.approx(-8, abs=0.2)


def test_the_error_follows_the_tolerance():
    """Oracle: the harmonic oscillator at the end and in between; over six decades."""
    tolerances = 10.0 ** np.arange(-11, -4)
    for times in ([20.0], np.linspace(0, 20, 301)):
        errors = [
            np.abs(integrate_explicit(oscillator, [1.0, 0.0], times, t, t)[0] - exact(times)).max()
            for t in tolerances
        ]
        assert 0.8 < slope(tolerances, errors) < 1.2


def test_output_times_cost_nothing_and_are_as_accurate_as_the_steps():
    """Oracle: the harmonic oscillator; as many evaluations for 500 output times as for one."""
    times = np.linspace(0, 20, 500)
    rows, how = integrate_explicit(oscillator, [1.0, 0.0], times, 1e-12, 1e-12)
    np.testing.assert_allclose(rows, exact(times), rtol=0, atol=1e-11)
    (last,), alone = integrate_explicit(oscillator, [1.0, 0.0], times[-1:], 1e-12, 1e-12)
    assert how == alone
    np.testing.assert_array_equal(rows[-1], last)


def test_fast_modes_that_have_relaxed_leave_the_output_accurate():
    """Oracle: exponentials; rates 1 and 1000, steps at the edge of stability, times between."""
    rates, times = np.array([1.0, 1000.0]), np.geomspace(1e-5, 3, 60)
    rows, _ = integrate_explicit(lambda _, y: -rates * y, [1.0, 1.0], times, 1e-9, 1e-9)
    np.testing.assert_allclose(rows, np.exp(-np.outer(times, rates)), rtol=0, atol=1e-8)


def test_one_fast_entry_among_many_is_not_averaged_away():
    """Oracle: an exponential among a thousand constants, to the tolerance of a single entry."""
    rates = np.zeros(1000)
    rates[500] = 1.0
    rows, _ = integrate_explicit(lambda _, y: -rates * y, np.ones(1000), [5.0], 1e-8, 1e-8)
    assert abs(rows[0, 500] - np.exp(-5)) < 1e-8


def test_where_the_solution_ends_the_states_reached_are_kept():
    """Oracle: y' = y^2 from 1 is 1/(1 - alpha), which ends at 1."""
    times = [0.0, 0.5, 0.9, 2.0, 3.0]
    with pytest.raises(
        Stopped, match=r"stopped at alpha = (1|0\.99999).* before 3: no step"
    ) as stop:
        integrate_explicit(lambda _, y: y**2, [1.0], times, 1e-10, 1e-10)
    np.testing.assert_allclose(stop.value.values, [[1], [2], [10]], rtol=1e-8)


def test_rates_that_are_no_numbers_stop_at_once():
    """Oracle: nothing but the start is reached."""
    with pytest.raises(Stopped, match="stopped at alpha = 0 before 1") as stop:
        integrate_explicit(lambda _, y: y * np.nan, [1.0], [0.0, 1.0], 1e-8, 1e-8)
    np.testing.assert_array_equal(stop.value.values, [[1.0]])


def test_a_constant_solution_takes_few_steps():
    """Oracle: the start; the first step cannot be guessed from a slope of zero."""
    rows, how = integrate_explicit(lambda _, y: 0 * y, [2.0], [0.0, 7.0], 1e-8, 1e-8)
    np.testing.assert_array_equal(rows, [[2.0], [2.0]])
    assert count(how, "steps") <= 12


@pytest.mark.slow
def test_many_units_in_a_tenth_of_a_second():
    """Oracle: a run ten thousand times sharper; K = 8, M = 4, isotropic, eta = 1, best of ten.

    0.1 s on a machine that does nothing else; a busy one must not fail here.
    """
    model = TeacherStudent(8, 4, eta=1)
    ode, start = order_parameter_odes(model), initial(model, sigma_J=0.1, N=1000, seed=0)
    sharp = integrate(ode, start, 1000, method="runge-kutta", rtol=1e-8)
    best = np.inf
    for _ in range(10):
        began = time.thread_time()
        path = integrate(ode, start, 1000, method="runge-kutta", rtol=1e-4)
        best = min(best, time.thread_time() - began)
    assert np.abs(path.q - sharp.q).max() < 1e-8
    assert np.abs(path.r - sharp.r).max() < 1e-8
    np.testing.assert_allclose(path.generalization_error, sharp.generalization_error, rtol=3e-8)
    assert best < 0.2
