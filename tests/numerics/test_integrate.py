"""Integration: exact solutions, two precisions, order of convergence, and what is refused."""

from fractions import Fraction
from importlib import import_module

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp
from systems import linear_overlaps

from numerics import InitialCondition, IntegrationError, Trajectory, initial, integrate, simulate
from numerics.errors import Stopped
from numerics.quadrature import Quadrature
from theory import (
    Discrete,
    Isotropic,
    NoClosedForm,
    PowerLaw,
    TeacherStudent,
    order_parameter_odes,
)

MODULE = import_module("numerics.methods")
POWER_LAW = PowerLaw(1, 4)
X = sp.Symbol("x", real=True)
COMMITTEE = TeacherStudent(2, 2, spectrum=POWER_LAW, eta="1/5", label_noise="1/10")
LINEAR = TeacherStudent(1, 1, activation="linear", spectrum=POWER_LAW, eta="1/10")


def odes(model, **options):
    return order_parameter_odes(model, **options)


def draw(model, sigma_J=0.3):
    return initial(model, sigma_J=sigma_J, N=4096 * 3, seed=1)


def exact_linear(model, start, times, digits=40):
    """(q, r) of the linear student at `times`, object arrays (T, L)."""
    lam, w = model.spectrum.values(digits)
    eta, noise, decay = (
        mp.mpf(e.p) / e.q for e in (model.eta, model.label_noise, model.weight_decay)
    )
    q, r = start.q[:, 0, 0].tolist(), start.r[:, 0, 0].tolist()
    solved = [linear_overlaps(lam, w, q, r, eta, mp.mpf(t), noise, decay, digits) for t in times]
    return tuple(np.array([s[n] for s in solved], dtype=object) for n in (0, 1))


@pytest.mark.parametrize("noise", [{}, {"label_noise": "1/4", "weight_decay": "1/20"}], ids=str)
@pytest.mark.parametrize(("method", "rtol"), [("taylor", 2e-14), ("runge-kutta", 1e-8)])
def test_linear_student_in_double_precision(noise, method, rtol):
    """Oracle: the matrix exponential of the linear case; times off the natural grid."""
    model = LINEAR.replace(**noise)
    start, times = InitialCondition([[[0.3]]] * 4, [[[0.1]]] * 4), [0.7, 3.1, 13.3, 77.7, 300.1]
    found = integrate(odes(model), start, 400, at=times, method=method)
    q, r = exact_linear(model, start, times)
    np.testing.assert_allclose(found.r[:, :, 0, 0], r.astype(float), rtol=rtol, atol=0)
    np.testing.assert_allclose(found.q[:, :, 0, 0], q.astype(float), rtol=rtol, atol=0)


def test_exponential_tail_is_as_accurate_as_the_digits_asked():
    """Oracle: the matrix exponential; eps_g is a small difference at 1e-24."""
    model, start = LINEAR.replace(eta="1/2"), InitialCondition([[[0.5]]] * 4, [[[0.25]]] * 4)
    times = [1, 10, 100, 300]
    found = integrate(odes(model), start, 300, digits=40, at=times)
    q, r = exact_linear(model, start, times, digits=70)
    with mp.workdps(60):
        lam, w = (np.array(part) for part in model.spectrum.values(60))
        error = ((w * lam) * (1 - 2 * r + q)).sum(axis=1) / 2
        assert 0 < error[-1] < 1e-23
        for a, b in zip(found.generalization_error, error, strict=True):
            assert abs(a / b - 1) < mp.mpf(10) ** -30
        assert np.abs(found.q[..., 0, 0] - q).max() < mp.mpf(10) ** -40


def test_output_times_do_not_change_the_solution():
    """Oracle: the same times asked for alone, and among 200 others."""
    times = np.linspace(0.013, 40, 200)
    few = integrate(odes(COMMITTEE), draw(COMMITTEE), 40, at=times[[60, 199]])
    many = integrate(odes(COMMITTEE), draw(COMMITTEE), 40, at=times)
    np.testing.assert_allclose(few.q, many.q[[60, 199]], rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(many.alpha, times)


@pytest.mark.parametrize(
    ("digits", "method"), [(None, "taylor"), (20, "taylor"), (None, "runge-kutta")]
)
def test_output_at_the_start_is_the_start(digits, method):
    """Oracle: the initial condition itself, bit for bit, with every method."""
    start = draw(COMMITTEE)
    for at in ([0.0], [0.0, 1.0]):
        path = integrate(odes(COMMITTEE), start, 1, at=at, digits=digits, method=method)
        assert np.all(path.q[0] == start.q)
        assert np.all(path.r[0] == start.r)
        assert len(path.alpha) == len(at)


def test_methods_of_double_precision_agree():
    """Oracle: Taylor series against Runge-Kutta, eps_g to the rtol asked for."""
    start = draw(COMMITTEE)
    taylor, loops = (
        integrate(odes(COMMITTEE), start, 200, method=method)
        for method in ("taylor", "runge-kutta")
    )
    assert taylor.provenance["method"].startswith("Taylor")
    assert loops.provenance["method"].startswith("Runge-Kutta")
    np.testing.assert_allclose(taylor.generalization_error, loops.generalization_error, rtol=1e-8)


@pytest.mark.parametrize("method", ["taylor", "runge-kutta"])
def test_rtol_is_kept(method):
    """Oracle: 12 digits; eps_g within the rtol asked for."""
    start = draw(COMMITTEE)
    sharp = integrate(odes(COMMITTEE), start, 30, digits=12, at=[10, 20, 30])
    exact = sharp.generalization_error.astype(float)
    for rtol in (1e-4, 1e-6, 1e-9):
        found = integrate(odes(COMMITTEE), start, 30, at=[10, 20, 30], rtol=rtol, method=method)
        np.testing.assert_allclose(found.generalization_error, exact, rtol=rtol)


def test_gradient_flow_knows_eta_as_a_unit_of_time_only():
    """Oracle: eta = 1/10 at alpha = 50 is eta = 1 at alpha = 5."""
    start = draw(COMMITTEE)
    slow = odes(COMMITTEE.replace(eta="1/10"), gradient_flow=True)
    fast = odes(COMMITTEE.replace(eta=1), gradient_flow=True)
    one = integrate(slow, start, 50, at=[20, 50])
    two = integrate(fast, start, 5, at=[2, 5])
    np.testing.assert_allclose(one.q, two.q, rtol=1e-11)
    assert one.provenance["gradient_flow"]


@pytest.mark.parametrize("gradient_flow", [False, True])
def test_quadrature_stands_in_for_closed_averages(monkeypatch, gradient_flow):
    """Oracle: the closed forms of erf, with label noise and weight decay."""
    ode = odes(COMMITTEE.replace(weight_decay="1/20"), gradient_flow=gradient_flow)
    start, times = draw(COMMITTEE), [0.5, 2]
    closed = integrate(ode, start, 2, at=times)

    def refuse(*_):
        raise NoClosedForm("pretended")

    monkeypatch.setattr(MODULE, "average_source", refuse)
    found = integrate(ode, start, 2, at=times, rtol=1e-10)
    assert 0 < found.provenance["quadrature_error"] < 1e-8
    assert "averages: quadrature" in found.provenance["method"]
    np.testing.assert_allclose(found.q, closed.q, rtol=1e-8)
    np.testing.assert_allclose(found.generalization_error, closed.generalization_error, rtol=1e-8)
    with pytest.raises(NoClosedForm, match="pretended"):
        integrate(ode, start, 2, digits=20)


TANH = TeacherStudent(2, 2, sp.tanh(X), eta=1)


@pytest.mark.parametrize("checked", [60, 10**6], ids=["on the way", "at the end"])
def test_the_order_of_quadrature_rises(checked, monkeypatch):
    """Oracle: a run that had the higher order from the start."""
    monkeypatch.setattr("numerics.averaging.CHECKED", checked)
    start = draw(TANH)
    good, exact = integrate(odes(TANH), start, 1, at=[0.5, 1]), Quadrature.error
    initial_q = start.q[0]

    def good_at_the_start(rule, C, noise=True):
        return 0.0 if np.array_equal(C[:2, :2], initial_q) else exact(rule, C, noise)

    monkeypatch.setattr(Quadrature, "error", good_at_the_start)
    found = integrate(odes(TANH), start, 1, at=[0.5, 1])
    assert "order 24" not in found.provenance["method"]
    np.testing.assert_allclose(found.q, good.q, rtol=1e-6)


@pytest.mark.slow
def test_averages_beyond_quadrature_are_refused_or_announced():
    """Oracle: the limits stated: REFUSED, and WANTED in units of rtol."""
    single = TANH.replace(K=1, M=1)
    start = initial(single, sigma_J=0.5, N=1000, seed=0)
    with pytest.raises(
        IntegrationError, match=r"half-width 0\.25 .*tanh\(30\*x\).* relative error of .*e-02"
    ):
        integrate(odes(single.replace(activation=sp.tanh(30 * X))), start, 2)
    steep = single.replace(activation=sp.tanh(10 * X))
    with pytest.warns(UserWarning, match=r"tanh\(10\*x\).* relative error of"):
        integrate(odes(steep), start, 0.1, at=[0.1])


@pytest.mark.parametrize("activation", ["relu", sp.Max(X, X / 10), sp.Abs(X)], ids=str)
def test_kinks_by_gradient_flow(activation):
    """Oracle: the flow of the weights in their plane (Tian 2017), theta the angle to the teacher.

    E[g'(x) zeta xi] = e^2 B + o^2 (2/pi) ((pi/2 - theta) B + sin(theta) J/|J|), |B| = 1, and the
    same with B = J for sigma.
    """
    g = sp.lambdify(X, sp.sympify(activation) if activation != "relu" else sp.Max(X, 0))
    even, odd = (g(1.0) - g(-1.0)) / 2, (g(1.0) + g(-1.0)) / 2

    def flow(_, J):
        length = np.hypot(*J)
        theta = np.arctan2(J[1], J[0])
        kink = (np.pi / 2 - theta) * np.array([1, 0]) + np.sin(theta) * J / length
        return even**2 * np.array([1, 0]) + odd**2 * 2 / np.pi * kink - (even**2 + odd**2) * J

    start = InitialCondition([[[0.25]]], [[[0.1]]])
    model = TeacherStudent(1, 1, activation, eta=1)
    found = integrate(odes(model, gradient_flow=True), start, 5, at=[1, 5])
    solved = solve_ivp(
        flow, (0, 5), [0.1, np.sqrt(0.24)], t_eval=[1, 5], method="DOP853", rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(found.r[:, 0, 0, 0], solved.y[0], rtol=1e-9)
    np.testing.assert_allclose(found.q[:, 0, 0, 0], (solved.y**2).sum(axis=0), rtol=1e-9)
    with pytest.raises(NoClosedForm, match="cusps"):
        integrate(odes(model), start, 1, digits=20)


@pytest.mark.parametrize(("rtol", "rest"), [(1e-8, 1e-14), (1e-4, 1e-9)])
def test_relu_learns_until_students_and_teachers_coincide(rtol, rest):
    """Oracle: eps_g falls to rounding, although steps leave the covariances on the way."""
    model = TeacherStudent(2, 2, "relu", eta=1)
    start = initial(model, sigma_J=0.5, N=1000, seed=0)
    path = integrate(odes(model, gradient_flow=True), start, 300, rtol=rtol)
    assert abs(path.generalization_error[-1]) < rest


@pytest.mark.montecarlo
@pytest.mark.parametrize("activation", ["relu", sp.tanh(X)], ids=str)
def test_averages_by_quadrature_against_simulation(activation):
    """Oracle: 64 runs of SGD at N = 4000, in standard errors; the O(1/N) bias is far below them."""
    model = TeacherStudent(2, 2, activation, eta=1)
    start = initial(model, sigma_J=0.5, N=4000, seed=0)
    times = [0.5, 1, 2, 4]
    path = integrate(odes(model), start, 4, at=times)
    runs = simulate(model, start, 4, N=4000, runs=64, seed=1, at=times)
    for name in ("q", "r", "generalization_error"):
        error = getattr(runs.standard_error, name)
        z = (getattr(runs.mean, name) - getattr(path, name)) / error
        assert np.max(np.abs(z)) < 4.5, name
        assert np.sqrt(np.mean(z**2)) < 1.6, name


def test_a_precise_start_keeps_its_digits():
    """Oracle: mpf overlaps come back with all their digits, the teacher's too."""
    with mp.workdps(40):
        third = mp.mpf(1) / 3
        model = TeacherStudent(1, 1, eta=1)
        start = InitialCondition([[[third]]], [[[third / 2]]], [[[2 * third]]])
        path = integrate(odes(model), start, 1, digits=35, at=[0, 1])
        assert path.q[0, 0, 0, 0] == third
        assert path.t[0, 0, 0] == 2 * third
    assert path.digits == 35
    assert isinstance(path, Trajectory)


@pytest.mark.slow
def test_thirty_digits_are_thirty_digits():
    """Oracle: the same at 40 digits; double precision keeps its rtol against both."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 8), eta="1/10")
    start = initial(model, sigma_J=0.01, N=1024, seed=0)
    times = [1, 30, 300, 1000]
    double, thirty, forty = (
        integrate(odes(model), start, 1000, digits=d, at=times) for d in (None, 30, 40)
    )
    with mp.workdps(60):
        for name in ("generalization_error", "q", "r"):
            a, b = getattr(thirty, name), getattr(forty, name)
            assert np.abs(a / b - 1).max() < mp.mpf(10) ** -30, name
    exact = forty.generalization_error.astype(float)
    np.testing.assert_allclose(double.generalization_error, exact, rtol=1e-8)


@pytest.mark.slow
def test_stiff_spectrum_to_its_slowest_mode():
    """Oracle: Runge-Kutta with other stability; 15 digits on a short horizon."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 64), eta="1/4")
    start, slowest = initial(model, sigma_J=0.5, N=8192, seed=2), 4 / model.spectrum.eigenvalues[-1]
    taylor, loops = (
        integrate(odes(model), start, float(slowest), method=method)
        for method in ("taylor", "runge-kutta")
    )
    sharp = integrate(odes(model), start, 4, digits=15, at=[1, 4])
    short = integrate(odes(model), start, 4, at=[1, 4], method="taylor")
    np.testing.assert_allclose(taylor.generalization_error, loops.generalization_error, rtol=1e-8)
    np.testing.assert_allclose(
        short.generalization_error, sharp.generalization_error.astype(float), rtol=1e-12
    )


@pytest.mark.parametrize("method", ["taylor"])
@pytest.mark.parametrize("activation", ["linear", "He_3"])
def test_divergence_is_reported_and_the_part_before_it_kept(activation, method):
    """Oracle: the linear student is unstable beyond eta = 2; He_3 explodes in finite time."""
    model = TeacherStudent(1, 1, activation=activation, eta=3)
    start = InitialCondition([[[2.0]]], [[[0.5]]])
    with pytest.raises(
        IntegrationError, match=r"stopped at alpha = .* eta is probably above"
    ) as stop:
        integrate(odes(model), start, 1e4, method=method)
    part = stop.value.trajectory
    assert part is not None
    stopped = float(str(stop.value).split("stopped at alpha = ")[1].split()[0])
    assert len(part.alpha) >= 1
    assert part.alpha[-1] <= stopped
    short = integrate(odes(model), start, 1e4, at=part.alpha[:3], method=method)
    np.testing.assert_allclose(part.q[:3], short.q[:3], rtol=1e-9)


def test_a_method_that_does_not_fit_is_refused():
    """Oracle: the table at the top of numerics.methods."""
    start = draw(COMMITTEE)
    with pytest.raises(ValueError, match="method must be one of"):
        integrate(odes(COMMITTEE), start, 1, method="euler")
    with pytest.raises(ValueError, match=r"integrates modes: pass ode\.modes"):
        integrate(odes(COMMITTEE).moments(), start, 1, method="structured")
    with pytest.raises(ValueError, match="is double precision"):
        integrate(odes(COMMITTEE), start, 1, method="runge-kutta", digits=20)
    with pytest.raises(ValueError, match="needs smooth closed averages"):
        integrate(odes(TANH), draw(TANH), 1, method="taylor")


def test_float_parameters_are_announced_in_high_precision():
    """Oracle: 0.1 is not 1/10; the warning names the parameter, the result remembers."""
    model = LINEAR.replace(eta=0.1)
    with pytest.warns(UserWarning, match="eta was given as a float"):
        path = integrate(odes(model), draw(LINEAR), 1, digits=20, at=[1])
    assert path.provenance["floats"] == ["eta is the double it was given as"]
    exact = integrate(odes(LINEAR), draw(LINEAR), 1, digits=20, at=[1])
    with mp.workdps(30):
        change = abs(path.generalization_error[0] / exact.generalization_error[0] - 1)
    assert 1e-19 < change < 1e-16


GOOD = {"ode": odes(COMMITTEE), "start": draw(COMMITTEE), "alpha": 1}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"ode": COMMITTEE}, TypeError, "integrate needs order_parameter_odes"),
        ({"start": None}, TypeError, "start must be an InitialCondition .*found None"),
        ({"start": draw(LINEAR)}, ValueError, r"start has overlaps r of shape \(4, 1, 1\)"),
        ({"alpha": -1}, ValueError, "alpha must be positive"),
        ({"alpha": 0}, ValueError, "alpha must be positive"),
        ({"alpha": float("nan")}, ValueError, "alpha must be finite, found nan"),
        ({"alpha": "soon"}, ValueError, "alpha must be a number .*found 'soon'"),
        ({"alpha": None}, TypeError, "alpha must be a number .*found None"),
        ({"alpha": sp.Symbol("a")}, ValueError, "alpha must be a number, found a"),
        ({"digits": 0}, ValueError, "digits must be an integer from 1 to 1000"),
        ({"digits": 2.5}, ValueError, "digits must be an integer"),
        ({"digits": True}, ValueError, "digits must be an integer"),
        ({"rtol": 0}, ValueError, "rtol must lie between 0 and 1"),
        ({"rtol": float("nan")}, ValueError, "rtol must lie between 0 and 1"),
        ({"rtol": "small"}, ValueError, "rtol must lie between 0 and 1"),
        ({"at": [2.0]}, ValueError, "at goes to 2.0 beyond alpha = 1"),
        ({"at": [0.5, 0.5]}, ValueError, "at must increase"),
        ({"at": [-1.0]}, ValueError, "at must not be negative"),
        ({"at": []}, ValueError, "at must be a list of times"),
        (
            {"ode": odes(COMMITTEE.replace(eta=sp.Symbol("eta")))},
            ValueError,
            r"still contains the symbols \['eta'\]",
        ),
        ({"ode": odes(COMMITTEE.replace(K=sp.Symbol("K")))}, ValueError, r"symbols \['K'\]"),
        (
            {"ode": odes(COMMITTEE.replace(spectrum=PowerLaw(1, sp.Symbol("L"))))},
            ValueError,
            r"symbols \['L'\]",
        ),
    ],
)
def test_bad_argument_is_refused_by_name(change, error, message):
    """Oracle: one message that names the argument, what was found and what to do."""
    with pytest.raises(error, match=message):
        integrate(**{**GOOD, **change})


@pytest.mark.parametrize("rtol", [np.float32(2**-20), Fraction(1, 2**20), sp.Rational(1, 2**20)])
def test_rtol_may_be_any_number(rtol):
    """Oracle: the float 2^-20, whatever type it comes in, bit for bit."""
    paths = (integrate(odes(COMMITTEE), draw(COMMITTEE), 1, at=[1], rtol=x) for x in (rtol, 2**-20))
    np.testing.assert_array_equal(*(path.q for path in paths))


def test_a_start_that_makes_no_sense_never_reaches_the_integrator():
    """Oracle: NaN and wrong shapes are refused where they are made."""
    with pytest.raises(ValueError, match="q is not finite in mode 1"):
        InitialCondition([[[np.nan]]], [[[0.0]]])
    with pytest.raises(ValueError, match="q must have shape"):
        InitialCondition([[[1.0]]], [[[0.0]], [[0.0]]])


def test_moments_that_lose_their_digits_are_refused_in_double():
    """Oracle: theory loses 6-7 digits at L = 8, 20 at L = 16 (beta = 1)."""
    model = TeacherStudent(1, 1, spectrum=PowerLaw(1, 12), eta=1)
    with pytest.raises(ValueError, match=r"loses \d+ digits .*integrate in modes, or ask for dig"):
        integrate(odes(model).moments(), draw(model), 1)
    twins = TeacherStudent(1, 1, spectrum=Discrete([1, 1]), eta=1)
    with pytest.raises(ValueError, match="merge equal eigenvalues"):
        integrate(odes(twins).moments(), draw(twins), 1)


@pytest.mark.parametrize("spectrum", [Isotropic(), PowerLaw(beta=1, L=3)], ids=str)
def test_irrational_output_weights_keep_their_digits(spectrum):
    """Oracle: an exact symmetry. c = 1/sqrt(2) at eta is c = 1 at eta/2, eps_g halved."""
    scaled = TeacherStudent(2, 2, "erf", spectrum, "1/10")
    start = initial(scaled, 0.3, 996, 0)
    at = {"alpha": 5, "digits": 30, "at": [1, 5]}
    one = integrate(order_parameter_odes(scaled), start, **at)
    two = integrate(order_parameter_odes(scaled.replace(eta="1/20", scale="unit")), start, **at)
    with mp.workdps(45):
        assert np.max(np.abs(one.q - two.q)) < mp.mpf(10) ** -40
        halved = two.generalization_error / 2
        assert np.max(np.abs(one.generalization_error / halved - 1)) < mp.mpf(10) ** -30


def test_digits_are_those_of_a_tiny_error_too():
    """Oracle: the same run with 45 digits; eps_g is 1e-17 of its start at the end."""
    model = TeacherStudent(1, 1, "linear", eta=1)
    start = InitialCondition([[[0.25]]], [[[0.1]]])
    runs = [integrate(order_parameter_odes(model), start, 40, digits=n, at=[40]) for n in (30, 45)]
    with mp.workdps(60):
        small, sharp = (run.generalization_error[0] for run in runs)
        assert 0 < sharp < mp.mpf(10) ** -16
        assert abs(small / sharp - 1) < mp.mpf(10) ** -30


def test_coefficients_beyond_machine_integers():
    """Oracle: 30 digits. Floats become fractions with large numerators."""
    x = sp.Symbol("x")
    model = TeacherStudent(2, 2, 0.3 * sp.sin(0.7 * x), eta=1)
    start = initial(model, 0.5, 1000, 0)
    double = integrate(order_parameter_odes(model), start, 1, at=[1])
    with pytest.warns(UserWarning, match="float"):
        sharp = integrate(order_parameter_odes(model.replace(eta=1.0)), start, 1, digits=30, at=[1])
    assert double.generalization_error[0] == pytest.approx(
        float(sharp.generalization_error[0]), rel=1e-12
    )


def test_moments_of_irrational_eigenvalues():
    """Oracle: modes. beta = 1/2 at L = 8, whose exact matrices would have 2^8 terms an entry."""
    model = TeacherStudent(1, 1, eta="1/10", spectrum=PowerLaw("1/2", 8))
    start, ode = initial(model, 0.5, 1000, 0), order_parameter_odes(model)
    modes, moments = (integrate(o, start, 5, digits=20, at=[5]) for o in (ode, ode.moments()))
    with mp.workdps(40):
        assert np.max(np.abs(modes.q - moments.q)) < mp.mpf(10) ** -20


@pytest.mark.parametrize("digits", [None, 20])
def test_a_run_is_checked_by_a_sharper_one(digits, monkeypatch):
    """Oracle: the sharper run; an eps_g that is off by 1e-6 is found out."""
    start = draw(COMMITTEE)
    path = integrate(odes(COMMITTEE), start, 5, at=[1, 5], digits=digits, check=True)
    assert 0 <= path.provenance["checked_error"] <= (1e-8 if digits is None else 1e-20)
    calls, errors = [], MODULE._errors

    def first_is_off(problem):
        calls.append(problem)
        factor = 1 + 1e-6 if len(calls) == 1 else 1
        return lambda values: errors(problem)(values) * factor

    monkeypatch.setattr(MODULE, "_errors", first_is_off)
    with pytest.raises(IntegrationError, match=r"differs by 1\.0e-6 in eps_g"):
        integrate(odes(COMMITTEE), start, 5, at=[1, 5], digits=digits, check=True)


def test_printing_a_run_says_which_method_and_why():
    """Oracle: the provenance; one more eigenvalue than `STIFF_SIZE` allows changes the choice."""
    small, large = (
        TeacherStudent(1, 1, activation="linear", spectrum=PowerLaw(1, L), eta="1/10")
        for L in (4, MODULE.STIFF_SIZE)
    )
    texts = []
    for model in (small, large):
        problem = MODULE.Problem(odes(model).modes(), 1.0, 1e-8)
        texts.append(MODULE._automatic(problem, problem.closed))
    assert [name for name, _ in texts] == ["taylor", "structured"]
    path = integrate(odes(small), draw(small), 1, at=[1])
    assert str(path).splitlines()[1].startswith("by Taylor series of order")
    assert str(path).endswith(f"chosen: {texts[0][1]}")


def test_a_stop_under_quadrature_keeps_the_part_before_it(monkeypatch):
    """Oracle: the states that the explicit method hands over, here the start."""

    def stops(rates, y, times, rtol, atol):
        raise Stopped("pretended", np.array([y]))

    monkeypatch.setattr(MODULE, "integrate_explicit", stops)
    start = draw(TANH)
    with pytest.raises(IntegrationError, match="pretended") as stop:
        integrate(odes(TANH), start, 1, at=[0, 1])
    part = stop.value.trajectory
    assert list(part.alpha) == [0.0]
    np.testing.assert_array_equal(part.q[0], start.q)
    assert part.generalization_error[0] > 0
