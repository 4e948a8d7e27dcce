"""The equations of motion: drift, noise and error in symbols, for any K and M."""

import itertools

import numpy as np
import pytest
import sympy as sp
from systems import SaadSolla

from theory import I2, I4, PowerLaw, TeacherStudent, order_parameter_odes
from theory.symbols import I2ab, I4f

SIZES = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2)]


def odes(K, M, **parameters):
    return order_parameter_odes(TeacherStudent(K, M, **parameters))


def typical_covariance(ode, seed=0):
    """Rational numbers for the symbols Q, R, T of a positive definite C."""
    F = int(ode.fields)
    rng = np.random.default_rng(seed)
    root = rng.integers(-3, 4, size=(F, 2 * F))
    C = sp.Matrix((root @ root.T).tolist()) / 20 + sp.eye(F) / 3
    pairs = itertools.combinations_with_replacement(range(F), 2)
    return C, {ode.covariance[a, b]: C[a, b] for a, b in pairs}


def error_by_hand(ode):
    """eps_g of theory as the double sums over students and teachers, in Q, R, T."""
    model, (Q, R, T) = ode.model, (ode.Q, ode.R, ode.T)
    g, c = model.activation, model.student_scale
    students, teachers = range(model.K), range(model.M)
    total = sum(I2(g, Q[i, i], Q[j, j], Q[i, j]) for i in students for j in students)
    total += sum(I2(g, T[n, n], T[m, m], T[n, m]) for n in teachers for m in teachers)
    total -= 2 * sum(I2(g, Q[i, i], T[n, n], R[i, n]) for i in students for n in teachers)
    return c**2 * total / 2


def drift_by_hand(ode):
    """D_if = -(d/dC_if + d/dC_fi) eps_g; the symbol of an off-diagonal entry stands for both."""
    error, K = error_by_hand(ode), int(ode.model.K)
    return sp.Matrix(
        K,
        int(ode.fields),
        lambda i, f: -(1 + (i == f)) * error.diff(ode.covariance[i, f]),
    )


@pytest.mark.parametrize(("K", "M"), SIZES)
@pytest.mark.parametrize("activation", ["erf", "x^2", "sin"])
def test_drift_is_minus_the_gradient_of_the_error(K, M, activation):
    """Oracle: explicit differentiation of the written-out eps_g, 30 digits at rational points."""
    ode = odes(K, M, activation=activation)
    _, point = typical_covariance(ode)
    assert abs((ode.generalization_error - error_by_hand(ode)).xreplace(point).evalf(30)) < 1e-28
    difference = (ode.drift - drift_by_hand(ode)).xreplace(point).evalf(30)
    assert max(abs(entry) for entry in difference) < 1e-28


@pytest.mark.parametrize(("K", "M"), SIZES)
def test_noise_is_symmetric_and_the_unrolled_four_point_sum(K, M):
    """Oracle: sum of s_i s_j s_f s_h I4 over explicit indices, each a 4 x 4 covariance."""
    ode = odes(K, M)
    C, point = typical_covariance(ode)
    c = [-ode.model.student_scale] * K + [ode.model.teacher_scale] * M
    assert ode.noise == ode.noise.T
    for i, j in itertools.combinations_with_replacement(range(K), 2):
        total = 0
        for f, h in itertools.product(range(K + M), repeat=2):
            four = [i, j, f, h]
            total += (c[i] * c[j] * c[f] * c[h] * I4("erf", C.extract(four, four))).evalf(30)
        assert abs(ode.noise[i, j].xreplace(point).evalf(30) - total) < 1e-27


@pytest.mark.parametrize(("K", "M"), [(2, 2), (3, 2)])
def test_drift_and_noise_are_saad_sollas(K, M):
    """Oracle: SS95's I3 and I4 as published; Stein's lemma turns their <delta x> into D."""
    ode = odes(K, M, scale="unit")
    C, point = typical_covariance(ode, seed=3)
    numbers = np.array(C.tolist(), dtype=float)
    system = SaadSolla(K, 1.0)
    drift = np.array(ode.drift.xreplace(point).evalf().tolist(), dtype=float)
    noise = np.array(ode.noise.xreplace(point).evalf().tolist(), dtype=float)
    np.testing.assert_allclose(drift, system.drift(numbers), rtol=1e-11)
    np.testing.assert_allclose(noise, system.shake(numbers).astype(float), rtol=1e-12)
    error = float(ode.generalization_error.xreplace(point))
    assert error == pytest.approx(float(system.error(numbers)), rel=1e-13)


def test_linear_case_by_hand():
    """Oracle: K = M = 1, g = x: D = (-1, 1), G = 2 eps_g + noise, eps_g = (T - 2R + Q)/2."""
    noise = sp.Symbol("v", positive=True)
    ode = odes(1, 1, activation="linear", label_noise=noise)
    (Q,), (R,), (T,) = ode.Q, ode.R, ode.T
    assert sp.expand(ode.generalization_error - (T - 2 * R + Q) / 2) == 0
    assert ode.drift == sp.Matrix([[-1, 1]])
    assert sp.expand(ode.noise[0, 0] - (T - 2 * R + Q + noise)) == 0


def test_error_vanishes_for_the_perfect_student_and_noise_with_it():
    """Oracle: sigma = zeta when Q = R = T."""
    ode = odes(2, 2)
    T = sp.Matrix([[1, sp.Rational(1, 5)], [sp.Rational(1, 5), 2]])
    perfect = {ode.covariance[a, b]: T[a % 2, b % 2] for a in range(4) for b in range(4)}
    assert sp.simplify(ode.generalization_error.xreplace(perfect)) == 0
    assert sp.simplify(ode.noise.xreplace(perfect)) == sp.zeros(2, 2)
    assert sp.simplify((ode.drift[:, :2] + ode.drift[:, 2:]).xreplace(perfect)) == sp.zeros(2, 2)


def test_gradient_flow_drops_the_noise_only():
    """Oracle: the same drift; no four-point average is asked for."""
    model = TeacherStudent(2, 2)
    full, flow = order_parameter_odes(model), order_parameter_odes(model, gradient_flow=True)
    assert flow.drift == full.drift
    assert I4f in full.kernels
    assert I4f not in flow.kernels
    assert not flow.modes().student_student.has(model.eta**2)
    assert flow.noise == sp.zeros(2, 2)
    K, M = sp.symbols("K M", integer=True, positive=True)
    assert order_parameter_odes(model.replace(K=K, M=M), gradient_flow=True).noise == 0


def test_symbolic_sizes_stay_in_index_notation():
    """Oracle: the index notation at K = M = 2 is the explicit result."""
    K, M = sp.symbols("K M", integer=True, positive=True)
    ode = odes(K, M)
    assert ode.drift == ode.indexed_drift
    assert ode.noise == ode.indexed_noise
    with pytest.raises(ValueError, match=r"K = K, M = M are not both integers.*replace"):
        _ = ode.Q
    two = odes(2, 2)
    entry = two.explicit(ode.indexed_drift.subs({K: 2, M: 2}), i=1, f=3)
    assert sp.simplify(entry - two.drift[0, 2]) == 0


def test_explicit_can_keep_the_kernels():
    """Oracle: D_13 = c_S c_T E[g'(x_1) g'(y_1)], which is one kernel."""
    ode = odes(2, 2)
    kept = ode.explicit(ode.indexed_drift, evaluate=False, i=1, f=3)
    a, b, ab = (ode.covariance[p] for p in ((0, 0), (2, 2), (0, 2)))
    assert kept == I2ab(a, b, ab) / 2


def test_names_of_the_symbols_do_not_collide():
    """Oracle: with 11 units, Q_1,11 and Q_11,1 are one entry, Q_11,11 and Q_1,1 others."""
    Q = odes(11, 1).Q
    assert Q[0, 10] == Q[10, 0]
    assert len(set(Q)) == 11 * 12 // 2


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: order_parameter_odes("erf"), TypeError, "needs a TeacherStudent, found 'erf'"),
        (lambda: odes(1, 1, activation="sign"), ValueError, "activation sign: g' vanishes"),
        (
            lambda: odes(1, 1, activation=2 * sp.sign(sp.Symbol("x"))),
            ValueError,
            "g' vanishes almost everywhere",
        ),
    ],
)
def test_bad_input_is_refused(call, error, message):
    """Oracle: the message names the object and what was found."""
    with pytest.raises(error, match=message):
        call()


def test_what_is_printed():
    """Oracle: the four equations appear with their left-hand sides; gradient flow has no G."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 3))
    text = order_parameter_odes(model).latex()
    for piece in (
        r"\varepsilon_g",
        "D_{if}",
        "G_{ij}",
        "I_4",
        r"\partial \alpha} {c}_{k,i,h}",
        r"\eta^{2}",
    ):
        assert piece in text
    flow = order_parameter_odes(model, gradient_flow=True).latex()
    assert "G_{ij}" not in flow
    assert "gradient_flow=True" in repr(order_parameter_odes(model, gradient_flow=True))
