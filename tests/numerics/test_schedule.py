"""Learning rates that depend on alpha, integrated and simulated."""

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

from numerics import ErrorBelow, InitialCondition, initial, integrate, simulate
from numerics.elapsed import elapsed_times
from numerics.schedule import compile_schedule
from theory import Discrete, PowerLaw, TeacherStudent, order_parameter_odes
from theory.schedules import alpha, decaying, elapsed

SPECTRUM = Discrete([5, 1, "1/3"], [1, 2, 1])
ETA = decaying("1/2", 4, "3/4")
TIMES = [0.5, 3, 12]


def test_linear_student_under_a_schedule():
    """Oracle: SciPy's integrator on the equations of e_k, typed in."""
    model = TeacherStudent(1, 1, "linear", SPECTRUM, ETA, label_noise="1/5")
    start = InitialCondition(q=[[["1/2"]]], r=[[[0]]]).expanded(3)
    path = integrate(order_parameter_odes(model), start, TIMES[-1], at=TIMES)
    lam, w = (np.array(x, float) for x in (SPECTRUM.eigenvalues, SPECTRUM.weights))

    def rates(time, e):
        eta = 0.5 * (1 + time / 4) ** -0.75
        return -2 * eta * lam * e + eta**2 * lam * (np.sum(w * lam * e) + 0.2)

    found = solve_ivp(rates, (0, 12), [1.5] * 3, rtol=1e-11, atol=1e-13, t_eval=TIMES)
    assert path.generalization_error == pytest.approx(w * lam @ found.y / 2, rel=1e-8)
    assert "eta depends on alpha" in path.provenance["chosen"]
    assert "1 + alpha/4" in path.provenance["model"].replace("(alpha/4 + 1)", "(1 + alpha/4)")


def test_a_constant_rate_as_a_schedule():
    """Oracle: the same number as a constant."""
    eta = (sp.cos(alpha) ** 2 + sp.sin(alpha) ** 2) / 2
    model = TeacherStudent(2, 2, "erf", SPECTRUM, eta, preconditioner="1/2")
    start = initial(model, "1/2", N=None)
    one, other = (
        integrate(order_parameter_odes(m), start, 12, at=TIMES)
        for m in (model, model.replace(eta="1/2"))
    )
    assert one.q == pytest.approx(other.q, abs=1e-9)


def test_gradient_flow_knows_the_integral_only():
    """Oracle: eta = 1 in the time that SymPy integrates, by another method."""
    model = TeacherStudent(2, 2, "erf", SPECTRUM, ETA)
    start = initial(model, "1/2", N=64, seed=3)
    flow = order_parameter_odes(model, gradient_flow=True)
    path = integrate(flow, start, 12, at=TIMES, method="structured")
    tau = [float(elapsed(ETA).subs(alpha, time)) for time in TIMES]
    assert elapsed_times(ETA, TIMES) == pytest.approx(tau, rel=1e-15)
    constant = order_parameter_odes(model.replace(eta=1), gradient_flow=True)
    other = integrate(constant, start, tau[-1], at=tau, method="runge-kutta")
    assert path.q == pytest.approx(other.q, abs=1e-8)
    assert list(path.alpha) == TIMES


def test_what_takes_a_constant_rate_says_so():
    """Oracle: the messages."""
    model = TeacherStudent(2, 2, "erf", SPECTRUM, ETA)
    ode, start = order_parameter_odes(model), initial(model, "1/2", N=None)
    with pytest.raises(ValueError, match="leave digits and events out"):
        integrate(ode, start, 5, digits=20)
    with pytest.raises(ValueError, match="leave digits and events out"):
        integrate(ode, start, 5, events=[ErrorBelow(0.1)])
    with pytest.raises(ValueError, match="takes a constant learning rate"):
        integrate(ode, start, 5, method="structured")
    tanh = order_parameter_odes(model.replace(activation=sp.tanh(sp.Symbol("x"))))
    with pytest.raises(ValueError, match="smooth closed averages"):
        integrate(tanh, start, 5)
    rate = compile_schedule(1 - alpha)
    with pytest.raises(ValueError, match=r"found -1\.0 at alpha = 2"):
        rate(np.array([0.5, 2.0]))


@pytest.mark.montecarlo
def test_simulation_under_a_schedule():
    """Oracle: SGD with the rate of each step, chain and R^N, at two sizes: bias of order 1/N."""
    model = TeacherStudent(2, 2, "erf", PowerLaw(1, 4), decaying(2, 2, "1/2"), label_noise="1/10")
    bias = []
    for N, method in ((32, "direct"), (128, "chain")):
        start = initial(model, "1/2", N=N, seed=1)
        path = integrate(order_parameter_odes(model), start, 10, at=[1, 3, 10])
        runs = simulate(model, start, 10, N, 400, seed=2, method=method, at=[1, 3, 10])
        bias.append(np.sqrt(np.mean((runs.mean.q - path.q) ** 2)))
    assert bias[1] < 0.6 * bias[0]
