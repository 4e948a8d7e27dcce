"""Near the perfect student: accurate relative to itself, positive, and the same equations."""

import flint
import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from numba import cfunc, njit

from numerics.codegen import UnsupportedFunction, reduction
from numerics.compile import compile_ode, deviation_source
from numerics.gauss import gauss_source
from numerics.targets import FlintTarget, HeyokaTarget, NumbaTarget, midpoint
from theory import Activation, NoClosedForm, PowerLaw, TeacherStudent, order_parameter_odes

X = sp.Symbol("x")
CUBIC = X**3 - 3 * X / 2
SIZES = 10.0 ** -np.arange(1, 14)
DIGITS = 80

exact = np.vectorize(mp.mpf, otypes=[object])
centre = np.vectorize(lambda ball: midpoint(flint.arb(ball)), otypes=[object])


def odes(K=2, activation="erf", gradient_flow=False, **parameters):
    model = TeacherStudent(K, K, activation=activation, eta="3/10", **parameters)
    return order_parameter_odes(model, gradient_flow)


def compiled(ode, **options):
    return compile_ode(ode.modes(), NumbaTarget(), deviations=True, **options)


def covariance(K, size, seed=0, rank=None):
    """C = [[V, A], [A^T, T]] of deviations of a given size."""
    fields = np.random.default_rng(seed).normal(size=(2 * K, rank or 5 * K))
    fields[:K] *= size
    return fields @ fields.T / fields.shape[1]


def order_parameters(c, K):
    """[[q, r], [r^T, t]] from [[d, a], [a^T, t]], on the last two axes."""
    d, a, t = c[..., :K, :K], c[..., :K, K:], c[..., K:, K:]
    r = a + t
    q = d + a + np.swapaxes(a, -1, -2) + t
    return np.block([[q, r], [np.swapaxes(r, -1, -2), t]])


def by_ordinary_equations(ode, C):
    """eps_g, D^x, E = D^x + D^y and G of theory.online in 80-digit arithmetic."""
    K, target = int(ode.model.K), FlintTarget(DIGITS)
    with target.precision(), mp.workdps(DIGITS):
        ordinary = compile_ode(ode.modes(), target, digits=DIGITS)
        there = target.array(order_parameters(exact(C), K))
        drift, noise = map(centre, ordinary.coefficients(there))
        error = ordinary.functions["generalization_error"](K, K, ordinary.constants["s"], there)
        return midpoint(error), drift[:, :K], drift[:, :K] + drift[:, K:], noise


def found(rhs, C):
    """The same four by the deviations."""
    K, s = rhs.sizes[0], rhs.constants["s"]
    drift, noise = rhs.coefficients(C)
    return rhs.functions["generalization_error"](K, K, s, C), drift[:, :K], drift[:, K:], noise


def relative(approximate, reference):
    """Largest difference over the largest entry."""
    with mp.workdps(DIGITS):
        difference = np.abs(exact(approximate) - exact(reference))
        return float(np.max(difference) / (np.max(np.abs(exact(reference))) or 1))


@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("activation", ["erf", "sin", CUBIC, "linear"], ids=str)
def test_every_quantity_is_accurate_relative_to_itself(activation, K):
    """Oracle: the ordinary formulas in 80 digits, down to eps_g = 1e-27."""
    ode = odes(K, activation)
    rhs = compiled(ode)
    for size in SIZES:
        C = covariance(K, size)
        reference = by_ordinary_equations(ode, C)
        # a linear student has E = 0
        for name, x, y in zip(("eps_g", "D", "E", "G"), found(rhs, C), reference, strict=True):
            assert relative(x, y) < 1e-14, (name, size)


@pytest.mark.parametrize("teacher", [0.01, 1.0, 10.0])
def test_accuracy_holds_until_the_student_is_far(teacher):
    """Oracle: the ordinary formulas in 80 digits, at the largest V_ff = T_ff/10 and T/100."""
    ode = odes(activation="erf")
    rhs = compiled(ode)
    for size in (0.1, 0.3):
        for seed in range(3):
            C = teacher * covariance(2, size, seed)
            for x, y in zip(found(rhs, C), by_ordinary_equations(ode, C), strict=True):
                assert relative(x, y) < 1e-12


def test_label_noise_enters_the_noise_only():
    """Oracle: the ordinary formulas in 80 digits; G is then of order one."""
    ode = odes(label_noise="1/5")
    C = covariance(2, 1e-5)
    by_deviations, reference = found(compiled(ode), C), by_ordinary_equations(ode, C)
    for x, y, silent in zip(by_deviations, reference, found(compiled(odes()), C), strict=True):
        assert relative(x, y) < 1e-14
        assert np.all(x == silent) == (x is not by_deviations[-1])


@pytest.mark.parametrize("rank", [1, 2, 12])
@pytest.mark.parametrize("K", [2, 4])
def test_error_and_noise_are_positive(K, rank):
    """Oracle: both are averages of squares; also where fields coincide (low rank)."""
    rhs = compiled(odes(K))
    for seed in range(60):
        C = covariance(K, 10.0 ** -(seed % 14), seed, rank)
        error, _, _, noise = found(rhs, C)
        assert error > 0
        assert np.linalg.eigvalsh(noise)[0] > -1e-13 * np.linalg.eigvalsh(noise)[-1]


def test_the_perfect_student_stays():
    """Oracle: V = A = 0: no error, no drift of the deviations, no noise."""
    error, _, excess, noise = found(compiled(odes()), covariance(2, 0.0))
    assert error == 0
    assert np.all(excess == 0)
    assert np.all(noise == 0)


@pytest.mark.parametrize("gradient_flow", [False, True])
@pytest.mark.parametrize("form", ["modes", "moments"])
def test_overlaps_move_as_in_the_ordinary_equations(form, gradient_flow):
    """Oracle: da = dr, dd = dq - dr - dr^T of the ordinary equations in doubles, eps_g the same."""
    ode = odes(spectrum=PowerLaw(1, 3), label_noise="1/5", gradient_flow=gradient_flow)
    equations = getattr(ode, form)()
    c = np.array([covariance(2, 0.5, seed) for seed in range(3)])
    if form == "moments":
        c = np.einsum("lk,kfh->lfh", np.array(equations.vandermonde.tolist(), dtype=float), c)
    deviations = compile_ode(equations, NumbaTarget(), deviations=True)
    ordinary = compile_ode(equations, NumbaTarget())
    ways = ordinary.rates(order_parameters(c, 2))
    dq, dr = ways[..., :2], ways[..., 2:]
    dd = dq - dr - np.swapaxes(dr, 1, 2)
    expected = np.concatenate([dd, dr], axis=2)
    np.testing.assert_allclose(deviations.rates(c), expected, rtol=0, atol=1e-14)
    error = ordinary.error(order_parameters(c, 2))
    assert deviations.error(c) == pytest.approx(error, rel=1e-12)


def test_any_precision():
    """Oracle: 80 digits by the ordinary formulas, with 50 of them kept at eps_g = 1e-14."""
    ode, target, C = odes(), FlintTarget(65), covariance(2, 1e-6)
    with target.precision(), mp.workdps(65):
        rhs = compile_ode(ode.modes(), target, digits=52, deviations=True)
        error, *matrices = found(rhs, target.array(C))
        values = [midpoint(error), *map(centre, matrices)]
    for x, y in zip(values, by_ordinary_equations(ode, C), strict=True):
        assert relative(x, y) < 1e-50


def test_coefficients_are_a_c_function_too():
    """Oracle: the same call through numba's dispatcher."""
    C, rhs = covariance(2, 1e-3), compiled(odes())
    signature = f"void(int64, int64, float64, float64[::1], {', '.join(['float64[:, ::1]'] * 3)})"
    function = cfunc(signature, error_model="numpy")(rhs.functions["coefficients"].py_func)
    drift, noise = np.zeros((2, 4)), np.zeros((2, 2))

    # numba has no call from Python for pointers to arrays: run what was compiled inside a loop
    @njit
    def call(f, K, s, C, D, G):
        f(K, K, 0.0, s, C, D, G)

    call(function, 2, rhs.constants["s"], C, drift, noise)
    by_call = rhs.coefficients(C)
    np.testing.assert_array_equal(drift, by_call[0])
    np.testing.assert_array_equal(noise, by_call[1])


def test_nodes_follow_from_the_distance():
    """Oracle: the error (x/4)^(2n) of n nodes: one where x^2 < 1e-15, then more and more."""
    choose = compiled(odes()).functions["gauss_nodes"]
    s = np.array([-1.0, -1.0, 1.0, 1.0])
    counts = [np.subtract(*choose(2, s, covariance(2, x))[::-1]) for x in (0.3, 1e-2, 1e-4, 1e-9)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-2:] == [2, 1]
    assert counts[0] < 9


@pytest.mark.parametrize("digits", [17, 50])
def test_rules_integrate_polynomials_exactly(digits):
    """Oracle: int_0^1 x^(2n-1) dx = 1/(2n), which n nodes give exactly, and x^(2n), which not."""
    target = FlintTarget(digits + 5)
    with target.precision():
        rules = target.load(gauss_source(digits))
        for first, last in zip(rules["gauss_start"], rules["gauss_start"][1:], strict=False):
            x, w = (rules[f"gauss_{part}"][first:last] for part in ("node", "weight"))
            n = len(x)
            assert float(abs(np.sum(w * x ** (2 * n - 1)) - flint.arb(1) / (2 * n))) < 10**-digits
            if n < 10:
                assert float(abs(np.sum(w * x ** (2 * n)) - flint.arb(1) / (2 * n + 1))) > 1e-14


def test_other_integrals_have_no_translation():
    """Oracle: the rules are those of [0, 1]."""
    with pytest.raises(UnsupportedFunction, match="is no integral from 0 to 1"):
        reduction(sp.Integral(X, (X, 0, 2)))


def test_gradient_flow_asks_for_no_four_point_average():
    """Oracle: G is left as it was; the text has no I4."""
    assert "I4f" not in deviation_source(Activation("erf"), True, 17)
    rhs = compiled(odes(gradient_flow=True))
    assert np.all(found(rhs, covariance(2, 0.1))[3] == 0)


@pytest.mark.parametrize(
    ("ode", "target", "error", "message"),
    [
        (odes(), HeyokaTarget(None), TypeError, "use NumbaTarget or FlintTarget"),
        (odes(weight_decay="1/9"), NumbaTarget(), ValueError, "weight_decay = 1/9"),
        (odes(activation="relu"), NumbaTarget(), NoClosedForm, "relu have cusps"),
    ],
)
def test_what_has_no_deviations_is_refused(ode, target, error, message):
    """Oracle: the message names what stands in the way."""
    with pytest.raises(error, match=message):
        compile_ode(ode.modes(), target, deviations=True)
