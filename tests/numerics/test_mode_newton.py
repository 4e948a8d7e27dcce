"""The equations by small matrices, their Jacobian, and the Newton corrections of collocation."""

import numpy as np
import pytest

from numerics import initial
from numerics.compile import compile_ode
from numerics.mode_equations import ModeEquations
from numerics.mode_newton import NewtonSolver, linearise
from numerics.radau_precise import collocation
from numerics.targets import FlintTarget, NumbaTarget
from theory import PowerLaw, TeacherStudent, order_parameter_odes

MODEL = TeacherStudent(
    2, 3, spectrum=PowerLaw(1, 5), eta="1/5", label_noise="1/7", weight_decay="1/3"
)
STAGES = 9


def equations(target, model=MODEL, gradient_flow=False):
    """The equations in one kind of number, and overlaps of a start."""
    start = initial(model, 0.5, 1000, 0)
    given = np.block([[start.q, start.r], [np.swapaxes(start.r, 1, 2), start.t]])
    numbers, K = target.array(given), int(model.K)
    compiled = compile_ode(order_parameter_odes(model, gradient_flow).modes(), target, 40)
    return ModeEquations(compiled, numbers[:, K:, K:]), numbers


@pytest.fixture
def states():
    """Equations in double precision and slowly moving states (s, p, L)."""
    system, given = equations(NumbaTarget())
    x = system.rows(given)
    drift = 1 + 0.05 * np.linspace(0, 1, STAGES)[:, None, None]
    return system, x * drift


@pytest.mark.parametrize("gradient_flow", [False, True])
def test_rates_are_those_of_the_compiled_equations(gradient_flow):
    """Oracle: `CompiledODE.rates`, printed from the equations themselves."""
    system, given = equations(NumbaTarget(), gradient_flow=gradient_flow)
    rates = system.rates(np.array([system.rows(given), system.rows(0.9 * given)]))
    for found, c in zip(rates, (given, 0.9 * given), strict=True):
        c[:, 2:, 2:] = given[:, 2:, 2:]
        np.testing.assert_allclose(found, system.rows(system.compiled.rates(c)), atol=1e-15)


def test_rates_in_flint_are_those_in_doubles():
    """Oracle: the same in double precision; and overlaps survive the way there and back."""
    double, given = equations(NumbaTarget())
    target = FlintTarget(40)
    with target.precision():
        system, numbers = equations(target)
        x = system.rows(numbers)
        balls = system.rates(x[None])
        rates = target.precise(balls).astype(float)
        assert np.all(system.overlaps(x, numbers) == numbers)
        assert all(ball.rad() > 0 for ball in balls.flat)
        assert all(ball.rad() == 0 for ball in target.centres(balls).flat)
    np.testing.assert_allclose(rates[0], double.rates(double.rows(given)[None])[0], atol=1e-15)


def test_the_jacobian_is_the_derivative_of_the_rates(states):
    """Oracle: differences of order four of the rates along a random direction."""
    system, x = states
    v = np.random.default_rng(1).normal(size=x.shape)
    h = 1e-3

    def at(step):
        return system.rates(x + step * h * v)

    expected = (8 * (at(1) - at(-1)) - at(2) + at(-2)) / (12 * h)
    found = linearise(system, x).apply(v)
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.max(np.abs(expected)))


def residual(solver, at, change, defect):
    left = np.tensordot(solver.inverse, change, 1) - solver.h * at.apply(change) - defect
    return np.max(np.abs(left)) / np.max(np.abs(defect))


@pytest.mark.parametrize("h", [0.1, 10.0, 1e4])
def test_corrections_solve_the_linearised_equations(states, h):
    """Oracle: the residual, however stiff; exact without refinement if D does not move."""
    system, x = states
    defect = np.random.default_rng(2).normal(size=x.shape)
    inverse = np.linalg.inv(collocation(STAGES, 20).coefficients.astype(float))
    frozen = linearise(system, np.repeat(x[:1], STAGES, axis=0))
    solver = NewtonSolver(frozen, inverse, h)
    assert residual(solver, frozen, solver.precondition(defect), defect) < 1e-11
    moving = linearise(system, x)
    solver = NewtonSolver(moving, inverse, h)
    assert residual(solver, moving, solver.precondition(defect), defect) > 1e-6
    assert residual(solver, moving, solver.solve(moving, defect, 1e-12), defect) < 1e-9


def test_a_solver_made_elsewhere_says_so(states):
    """Oracle: a much weaker drift contracts nothing; numbers that are none end the iteration."""
    system, x = states
    inverse = np.linalg.inv(collocation(STAGES, 20).coefficients.astype(float))
    solver = NewtonSolver(linearise(system, 30 * x), inverse, 1e4)
    assert solver.solve(linearise(system, x), np.ones(x.shape), 1e-10) is None
    solver = NewtonSolver(linearise(system, x), inverse, 1e4)
    assert solver.solve(linearise(system, x), np.full(x.shape, np.nan), 1e-10) is None
