"""Stiff systems in high precision: exact solutions, Taylor series, mpmath, more digits."""

import re

import mpmath as mp
import numpy as np
import pytest
from systems import linear_overlaps

from numerics import initial
from numerics.compile import compile_ode
from numerics.errors import Stopped
from numerics.structured_precise import integrate_structured_precise
from numerics.targets import NAMES, FlintTarget, PreciseTarget
from numerics.taylor import TaylorIntegrator
from theory import Discrete, PowerLaw, TeacherStudent, order_parameter_odes


class MpmathTarget(PreciseTarget):
    """mpmath's mpf: the same method on another kind of number."""

    name = "mpmath"

    def __init__(self, digits):
        self.digits = digits

    def precision(self):
        return mp.workdps(self.digits)

    def number(self, value):
        return mp.mpf(value) if isinstance(value, (int, float, mp.mpf)) else self._exact(value)

    def _exact(self, value):
        with mp.workdps(self.digits + 10):
            return mp.mpf(value.evalf(self.digits + 10))

    def product(self, a, b):
        columns = b.T.tolist()
        return np.array([[mp.fdot(row, column) for column in columns] for row in a.tolist()])

    def namespace(self):
        return {
            **{name: getattr(mp, name) for name in NAMES},
            "pi": +mp.pi,
            "zero": mp.mpf(0),
            "rational": lambda p, q: mp.mpf(p) / q,
            "power": lambda x, n: x**n,
            "scratch": lambda shape: np.empty(shape, dtype=object),
        }

    def centres(self, values):
        return np.asarray(values)

    def precise(self, values):
        return np.asarray(values)


def overlaps(model, digits, sigma=0.3):
    """A start as mpf (L, K+M, K+M)."""
    size = int(model.spectrum.L)
    q, r, t = initial(model, sigma, 1200 * size, 1).precise(digits)
    return np.block([[q, r], [np.swapaxes(r, 1, 2), t]])


def largest(values):
    return float(max(abs(v) for v in np.asarray(values).flat))


MODELS = {
    "erf": TeacherStudent(2, 2, spectrum=PowerLaw(1, 4), eta="1/5"),
    "noise and decay": TeacherStudent(
        2, 3, spectrum=PowerLaw("1/2", 3), eta="1/4", label_noise="1/10", weight_decay="1/50"
    ),
    "more students": TeacherStudent(3, 1, spectrum=Discrete([1, 3], [3, 1]), eta="1/5"),
    "sin": TeacherStudent(2, 1, "sin", PowerLaw(2, 4), eta="1/3"),
}


@pytest.mark.parametrize(
    ("name", "gradient_flow"),
    [
        pytest.param(name, flow, marks=[] if name == "erf" else pytest.mark.slow)
        for name, flow in [*((name, False) for name in MODELS), ("noise and decay", True)]
    ],
)
def test_agrees_with_taylor_series(name, gradient_flow):
    """Oracle: heyoka's Taylor series at 40 digits; output times at, inside and between steps."""
    form = order_parameter_odes(MODELS[name], gradient_flow).modes()
    start, times = overlaps(MODELS[name], 50), np.array([0.0, 0.3, 3.0, 4.0])
    ours, how = integrate_structured_precise(form, start, times, 30)
    exact, _ = TaylorIntegrator(form, start, 40, 0.0).solve(start, times)
    with mp.workdps(40):
        assert largest(ours - exact) < 1e-27
        assert largest(ours[0] - start) < 1e-34
    assert re.fullmatch(
        r"Radau IIA of order 59, structured, 30 digits, \d+ steps \(\d rejected\), \d+ evaluations",
        how,
    )


def linear(L, eta):
    """The linear student from q = 1/4, r = 1/8 in all modes: its form and start."""
    model = TeacherStudent(1, 1, "linear", PowerLaw(1, L), eta=eta)
    mode = [[mp.mpf(1) / 4, mp.mpf(1) / 8], [mp.mpf(1) / 8, mp.mpf(1)]]
    return order_parameter_odes(model).modes(), np.array([mode] * L)


def linear_errors(form, start, times, values):
    """Largest relative deviation from the exact solution at each time, q and r."""
    model = form.ode.model
    lam, w = model.spectrum.values(50)
    errors = []
    with mp.workdps(50):
        eta = mp.mpf(int(model.eta.p)) / int(model.eta.q)
        for t, found in zip(times, values, strict=True):
            q, r = linear_overlaps(lam, w, start[:, 0, 0], start[:, 0, 1], eta, t, digits=50)
            size = float(max(1, *(abs(v) for v in q)))
            errors.append(largest([*(found[:, 0, 0] - q), *(found[:, 0, 1] - r)]) / size)
    return errors


def test_error_follows_the_digits():
    """Oracle: matrix exponential at 50 digits, rates of 1 : 36 to the slowest mode."""
    times = [0.1, 3.0, 20.0]
    form, start = linear(6, "1/2")
    for digits in (20, 30, 40):
        values, _ = integrate_structured_precise(form, start, times, digits)
        assert max(linear_errors(form, start, times, values)) < 10.0 ** (3 - digits)


def test_steps_do_not_follow_the_stiffness():
    """Oracle: matrix exponential; the fastest mode relaxes 20 000 times."""
    form, start = linear(8, "1/2")
    values, how = integrate_structured_precise(form, start, [1e4], 25)
    assert max(linear_errors(form, start, [1e4], values)) < 1e-22
    assert int(re.search(r"(\d+) steps", how)[1]) < 60


def test_output_times_do_not_change_the_steps():
    """Oracle: the same run with other output times; the values are of one polynomial."""
    form, start = order_parameter_odes(MODELS["sin"]).modes(), overlaps(MODELS["sin"], 30)
    few, how = integrate_structured_precise(form, start, [2.0, 4.0], 20)
    many, again = integrate_structured_precise(form, start, [0.0, 0.1, 2.0, 3.9, 4.0], 20)
    assert how == again
    assert largest(few - many[[2, 4]]) == 0


def test_mpmath_gives_the_same_numbers():
    """Oracle: the same method in mpmath's arithmetic."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 2), eta="1/10")
    form, start = order_parameter_odes(model).modes(), overlaps(model, 40)
    ours, how = integrate_structured_precise(form, start, [0.5, 2.0], 20)
    theirs, again = integrate_structured_precise(form, start, [0.5, 2.0], 20, MpmathTarget)
    with mp.workdps(40):
        assert largest(ours - theirs) < 1e-20
    assert how == again


def test_divergence_keeps_what_was_reached():
    """Oracle: eta_c = 2 for the linear student; matrix exponential for the part reached."""
    form, start = linear(2, 40)
    times = [0.0, 0.01, 500.0]
    with pytest.raises(Stopped, match=r"stopped at alpha = .* smaller one") as stopped:
        integrate_structured_precise(form, start, times, 15)
    values = stopped.value.values
    assert values.shape == (2, 2, 2, 2)
    assert largest(values) > 1e6
    assert max(linear_errors(form, start, times[:2], values)) < 1e-11


def test_blow_up_in_finite_time_is_noticed():
    """Oracle: g = x^2, large q: dq/dalpha = 60 eta^2 q^3 (1 + O(1/q)) ends at 1/(120 eta^2 q^2)."""
    model = TeacherStudent(1, 1, "x**2", Discrete([1]), eta=10)
    start = np.array([[[mp.mpf(10**6), mp.mpf(0)], [mp.mpf(0), mp.mpf(1)]]])
    with pytest.raises(Stopped) as stopped:
        integrate_structured_precise(order_parameter_odes(model).modes(), start, [1.0], 12)
    assert stopped.value.values.shape == (0, 1, 2, 2)
    alpha = float(re.search(r"alpha = (\S+) of", str(stopped.value))[1])
    assert alpha == pytest.approx(1 / (120 * 10**2 * 10**12), rel=1e-5, abs=0)


@pytest.mark.slow
@pytest.mark.parametrize(("digits", "L"), [(30, 64), (50, 16)])
def test_all_digits_agree_with_a_sharper_run(digits, L):
    """Oracle: ten more digits; all modes, over rates of 1 : L^2, to the slowest one."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, L), eta="1/10")
    form = order_parameter_odes(model).modes()
    start, end = overlaps(model, 80, 0.01), 10 / float(model.spectrum.values()[0][-1])
    runs = [
        integrate_structured_precise(form, start, [end / 50, end / 7, end], working)[0]
        for working in (digits + 15, digits + 25)
    ]
    target = FlintTarget(digits + 30)
    with target.precision(), mp.workdps(digits + 30):
        compiled = compile_ode(form, target, digits + 30)
        errors = [target.precise([compiled.error(target.array(c)) for c in run]) for run in runs]
        assert largest(runs[0] - runs[1]) < 10.0**-digits
        assert largest(errors[0] / errors[1] - 1) < 10.0**-digits
