"""Deviations from the perfect student: the printed integrals are the ordinary equations."""

import functools
import itertools

import numpy as np
import pytest
import sympy as sp

from theory import NoClosedForm, TeacherStudent, order_parameter_odes
from theory.deviations import Deviations
from theory.evaluation import written_out
from theory.gaussian import I2_kernel, I4_kernel, price, stein
from theory.symbols import C, I2a, I2ab, I2f, I4f, PathDerivative, Zf, f, h, s, tau_1, tau_2

V, A, T, c, v = sp.symbols("V A T c v", positive=True)
POINTS = [
    {V: sp.Rational(1, 3), A: sp.Rational(-1, 5), T: sp.Rational(7, 6)},
    {V: sp.Rational(2, 7), A: sp.Rational(1, 4), T: sp.Rational(1, 2)},
]


def single(activation, **parameters):
    """K = M = 1, in the symbols V, A, T."""
    model = TeacherStudent(1, 1, activation=activation, label_noise=v, **parameters)
    ode = order_parameter_odes(model)
    entries = {C[1, 1]: V, C[1, 2]: A, C[2, 2]: T, s[1]: -1, s[2]: 1}
    return ode, ode.deviations(), entries


def printed(deviations, expr, entries):
    """An indexed expression at i = j = n = 1 with kernels, Z and sums written out."""
    g = deviations.model.activation
    ones = {x: sp.S.One for x in expr.free_symbols if str(x) in ("i", "j", "n")}
    expr = expr.xreplace(ones)
    expr = expr.replace(
        lambda e: isinstance(e, sp.Sum),
        lambda e: e.function.xreplace({limit[0]: sp.S.One for limit in e.limits}),
    )
    expr = expr.replace(sp.KroneckerDelta, lambda *_: sp.S.One)
    expr = expr.replace(Zf, deviations.ways).xreplace(entries)
    for kernel, closed in ((I2f, I2_kernel), (I2ab, price), (I2a, stein), (I4f, I4_kernel)):
        if expr.has(kernel):
            expr = expr.replace(kernel, closed(g))
    return expr


def integrated(expr, point):
    """Value in doubles, integrals by 30 Gauss nodes a dimension, derivatives by SymPy."""
    nodes, weights = np.polynomial.legendre.leggauss(30)

    def value(integral):
        ways = [limit[0] for limit in integral.limits]
        function = sp.lambdify(ways, integral.function.doit().xreplace(point), "numpy", cse=True)
        grid = np.meshgrid(*[(1 + nodes) / 2] * len(ways))
        weight = functools.reduce(np.multiply.outer, [weights / 2] * len(ways))
        return sp.Float(np.sum(weight * function(*grid)))

    replaced = expr.replace(lambda e: isinstance(e, sp.Integral), value)
    return float(replaced.xreplace(point))


@pytest.mark.parametrize("activation", ["erf", "sin"])
@pytest.mark.parametrize("point", POINTS, ids=["shrunk", "grown"])
def test_printed_integrals_are_the_ordinary_equations(activation, point):
    """Oracle: eps_g, D, E = D^x + D^y and G of theory.online at Q, R, T, in 13 digits."""
    ode, deviations, entries = single(activation)
    there = {
        ode.Q[0, 0]: point[V] + 2 * point[A] + point[T],
        ode.R[0, 0]: point[A] + point[T],
        ode.T[0, 0]: point[T],
        v: sp.Rational(1, 7),
    }
    ordinary = {
        "indexed_error": ode.generalization_error,
        "indexed_drift": ode.drift[0, 0],
        "indexed_excess": ode.drift[0, 0] + ode.drift[0, 1],
        "indexed_noise": ode.noise[0, 0],
    }
    for name, expected in ordinary.items():
        expr = printed(deviations, getattr(deviations, name), entries)
        found = integrated(expr, {**point, v: there[v]})
        assert found == pytest.approx(float(expected.xreplace(there)), rel=1e-13), name


def test_linear_case_by_hand():
    """Oracle: g = x, K = M = 1: eps_g = V/2, D^x = -1, E = 0, G = V + noise."""
    _, deviations, entries = single("linear")
    by_hand = {
        "indexed_error": V / 2,
        "indexed_drift": -1,
        "indexed_excess": 0,
        "indexed_noise": V + v,
    }
    for name, expected in by_hand.items():
        found = printed(deviations, getattr(deviations, name), entries).doit()
        assert sp.expand(found - expected) == 0, name


def test_the_way_leads_from_the_teacher_to_the_student():
    """Oracle: covariances of y and y + v, by bilinearity."""
    K = sp.Integer(2)
    ways = order_parameter_odes(TeacherStudent(K, K)).deviations().ways
    assert ways(f, h, 0, 0) == C[K + f, K + h]
    student = C[f, h] + C[f, K + h] + C[h, K + f] + C[K + f, K + h]
    assert sp.expand(ways(f, h, 1, 1) - student) == 0
    assert sp.expand(ways(f, h, 1, 0) - C[f, K + h] - C[K + f, K + h]) == 0


def test_compiled_kernels_are_the_derivatives():
    """Oracle: SymPy's derivative of the closed form along explicit ways, 25 digits."""
    K = sp.Integer(2)
    deviations = Deviations(TeacherStudent(K, K, activation="sin"), gradient_flow=True)
    pairs = list(itertools.combinations_with_replacement(range(1, 5), 2))
    numbers = {C[a, b]: sp.Rational(5 * (a == b) + 1, 3 + a + 2 * b) for a, b in pairs}
    numbers |= {C[b, a]: numbers[C[a, b]] for a, b in pairs}
    where = {f: 1, h: 2, tau_1: sp.Rational(1, 3), tau_2: sp.Rational(3, 4)}

    def z(a, b, at_a, at_b):
        return deviations.ways(a, b, at_a, at_b).xreplace(numbers)

    closed = I2_kernel("sin")(z(1, 1, tau_1, tau_1), z(2, 2, tau_2, tau_2), z(1, 2, tau_1, tau_2))
    expected = closed.diff(tau_1, tau_2).xreplace(where).evalf(25)
    (kernel,) = {
        e for e in deviations.compiled(deviations.indexed_error).atoms(PathDerivative) if e.has(h)
    }
    found = kernel.subs(where).xreplace(numbers).replace(
        type(kernel), deviations.kernels[type(kernel)]
    )  # fmt: skip
    assert abs(found.evalf(25) - expected) < 1e-24


def test_half_the_pairs_are_all_of_them():
    """Oracle: the full double sum of a symmetric summand, K = 3."""
    model = TeacherStudent(3, 3, activation="linear")
    deviations = Deviations(model)
    full = deviations.indexed_error.replace(Zf, deviations.ways)
    full = full.replace(I2f, lambda *x: x[2]).doit()
    half = deviations.compiled(deviations.indexed_error)
    for kernel, closed in deviations.kernels.items():
        half = half.replace(kernel, closed)
    symmetric = {C[b, a]: C[a, b] for a, b in itertools.combinations(range(1, 7), 2)}
    assert sp.expand((written_out(full) - written_out(half.doit())).xreplace(symmetric)) == 0


def test_gradient_flow_has_no_noise():
    """Oracle: no four-point average is asked for; drift and error are the same."""
    model = TeacherStudent(2, 2)
    full, flow = (order_parameter_odes(model, x).deviations() for x in (False, True))
    assert flow.indexed_noise == 0
    assert (flow.indexed_drift, flow.indexed_error) == (full.indexed_drift, full.indexed_error)
    names = {kernel.__name__[:3] for kernel in flow.kernels}
    assert names == {"I2f", "I2a"}
    assert "G_{ij}" not in flow.latex()


def test_what_is_printed():
    """Oracle: the left sides, the fields on their ways, and the integrals of derivatives."""
    K = sp.Symbol("K", integer=True, positive=True)
    text = order_parameter_odes(TeacherStudent(K, K)).deviations()._repr_latex_()
    for piece in (
        r"Z_{f,h}\left(\tau_{1}, \tau_{2}\right) &=",
        r"\varepsilon_g",
        "D_{ij}",
        "E_{in}",
        r"\frac{\partial^{2}}{\partial \tau_{2}\partial \tau_{1}} "
        r"I_2\left(z_{f}\left(\tau_{1}\right), z_{h}\left(\tau_{2}\right)\right)",
        r"I_4\left(z_{i}\left(1\right), z_{j}\left(1\right), z_{f}",
    ):
        assert piece in text, piece


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"M": 3}, ValueError, "pair every student with one teacher, found K = 2 and M = 3"),
        ({"weight_decay": "1/9"}, ValueError, "weight_decay = 1/9 drives the student away"),
        ({"activation": "relu"}, NoClosedForm, "relu have cusps where student and teacher"),
        ({"activation": sp.tanh(sp.Symbol("x"))}, NoClosedForm, "tanh"),
    ],
)
def test_models_without_a_perfect_student_are_refused(parameters, error, message):
    """Oracle: the message names what stands in the way and what to do."""
    ode = order_parameter_odes(TeacherStudent(**{"K": 2, "M": 2, **parameters}))
    with pytest.raises(error, match=message):
        ode.deviations()
