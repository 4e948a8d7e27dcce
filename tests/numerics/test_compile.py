"""One text, three kinds of number: the same right-hand side, equal to independent equations."""

import flint
import heyoka as hy
import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from systems import SaadSolla, by_modes

from numerics.compile import average_source, compile_ode, linear_source
from numerics.state import State
from numerics.targets import FlintTarget, HeyokaTarget, NumbaTarget, midpoint
from theory import Discrete, Isotropic, NoClosedForm, PowerLaw, TeacherStudent, order_parameter_odes

SPECTRUM = PowerLaw(1, 3)
MODEL = TeacherStudent(3, 2, spectrum=SPECTRUM, eta="3/10", label_noise="1/5", weight_decay="1/50")


def overlaps(L, K, M, seed=0):
    """Positive definite c_k, (L, K+M, K+M)."""
    fields = np.random.default_rng(seed).normal(size=(L, K + M, 20))
    return np.einsum("kfa,kha->kfh", fields, fields) / 20


def compiled(model=MODEL, target=None, gradient_flow=False, digits=17):
    ode = order_parameter_odes(model, gradient_flow)
    return compile_ode(ode.modes(), target or NumbaTarget(), digits)


def numbers(spectrum):
    return tuple(np.array([float(v) for v in part]) for part in spectrum.values())


def test_right_hand_side_is_that_of_independent_equations():
    """Oracle: SS95 averages in the mode equations of YO19, noise and decay included."""
    c = overlaps(3, 3, 2)
    lam, w = numbers(SPECTRUM)
    expected = by_modes(lam, w, c, 3, 0.3, scale=2**-0.5, label_noise=0.2, weight_decay=0.02)
    np.testing.assert_allclose(compiled().rates(c), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("K", "M"), [(1, 1), (2, 3), (4, 1)])
def test_one_text_serves_every_size(K, M):
    """Oracle: SS95 at other K and M, isotropic, c = 1."""
    c = overlaps(1, K, M, seed=K)
    rhs = compiled(TeacherStudent(K, M, scale="unit", eta="1/3"))
    system = SaadSolla(K, 1 / 3)
    np.testing.assert_allclose(
        rhs.rates(c)[0], system.rates(c[0]).astype(float)[:K], rtol=1e-11, atol=1e-13
    )
    assert rhs.error(c) == pytest.approx(float(system.error(c[0])), rel=1e-12)


@pytest.mark.parametrize("activation", ["erf", "x^2", "sin", "He_3", "exp"])
@pytest.mark.parametrize("gradient_flow", [False, True])
def test_every_target_gives_the_same_right_hand_side(activation, gradient_flow):
    """Oracle: float64, 40-digit balls and traced expressions agree to 1e-13 of the largest."""
    model = TeacherStudent(2, 2, activation=activation, spectrum=SPECTRUM, eta="3/10")
    c = overlaps(3, 2, 2) / 4
    by_numba = compiled(model, gradient_flow=gradient_flow).rates(c)
    by_flint = _by_flint(model, c, gradient_flow)
    by_heyoka = _by_heyoka(model, c, gradient_flow)
    size = np.abs(by_numba).max()
    np.testing.assert_allclose(by_numba, by_flint, rtol=0, atol=1e-13 * size)
    np.testing.assert_allclose(by_heyoka, State(2, 2, 3).pack(by_flint), rtol=0, atol=1e-13 * size)


def _by_flint(model, c, gradient_flow):
    target = FlintTarget(40)
    with target.precision(), mp.workdps(40):
        rates = compiled(model, target, gradient_flow, digits=40).rates(target.array(c))
        return np.vectorize(lambda x: float(midpoint(flint.arb(x))))(rates)


def _by_heyoka(model, c, gradient_flow):
    """Rates of the independent entries, flat."""
    target = HeyokaTarget(None)
    state = State(2, 2, len(c))
    variables = [hy.make_vars(name) for name in state.names]
    rates = compiled(model, target, gradient_flow).rates(state.unpack(variables, target.array(c)))
    function = hy.cfunc(list(state.pack(rates)), variables)
    return function(state.pack(c))


def test_loops_are_the_explicit_formulas():
    """Oracle: D, G and eps_g in explicit symbols, evaluated by SymPy at K = 3, M = 2."""
    ode = order_parameter_odes(MODEL)
    rhs = compiled()
    C = rhs.fields(overlaps(3, 3, 2))
    point = {ode.covariance[a, b]: sp.Float(C[a, b], 17) for a in range(5) for b in range(5)}
    drift, noise = rhs.coefficients(C)
    for found, exact in ((drift, ode.drift), (noise, ode.noise)):
        expected = np.array(exact.xreplace(point).evalf().tolist(), dtype=float)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-14)
    error = float(ode.generalization_error.xreplace(point))
    assert rhs.error(overlaps(3, 3, 2)) == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize("spectrum", [Isotropic(), Discrete([1, 3, 2], weights=[1, 1, 2])], ids=str)
def test_moments_move_as_the_modes_say(spectrum):
    """Oracle: moments are V times modes, hence so are their rates."""
    ode = order_parameter_odes(MODEL.replace(spectrum=spectrum))
    c = overlaps(len(spectrum.weights), 3, 2)
    V = np.array(ode.moments().vandermonde.tolist(), dtype=float)
    there = np.einsum("lk,kfh->lfh", V, c)
    modes, moments = (compile_ode(f, NumbaTarget()) for f in (ode.modes(), ode.moments()))
    np.testing.assert_allclose(
        moments.rates(there), np.einsum("lk,kih->lih", V, modes.rates(c)), rtol=1e-10, atol=1e-13
    )
    np.testing.assert_allclose(moments.fields(there), modes.fields(c), rtol=1e-13)
    assert moments.error(there) == pytest.approx(modes.error(c), rel=1e-13)


def test_texts_are_shared_between_models():
    """Oracle: one text per activation and form, whatever K, M, L and the numbers are."""
    activation = MODEL.activation
    assert average_source(activation, True) != average_source(activation, False)
    assert "I4f" not in average_source(activation, True)
    assert "eta" not in average_source(activation, False)
    assert linear_source(False, False) != linear_source(True, False)


@pytest.mark.parametrize("activation", ["erf", "He_3", "sin", "exp"])
def test_symmetric_pairs_of_fields_are_computed_once(activation):
    """Oracle: the double sums of eps_g and of G both run over f < h, and once over f = h."""
    text = average_source(MODEL.replace(activation=activation).activation, False)
    assert text.count("for h in range(f + 1, K + M)") == 2


@pytest.mark.parametrize(
    ("parameters", "symbols"),
    [
        ({"eta": sp.Symbol("eta")}, "eta"),
        ({"K": sp.Symbol("K")}, "K"),
        ({"label_noise": sp.Symbol("v", positive=True)}, "v"),
        ({"spectrum": PowerLaw(sp.Symbol("b"), 3)}, "b"),
        ({"spectrum": PowerLaw(1, sp.Symbol("L"))}, "L"),
        ({"spectrum": Discrete([1, 2], weights=[1, sp.Symbol("p")])}, "p"),
    ],
)
def test_symbols_are_refused_by_name(parameters, symbols):
    """Oracle: the message lists the symbols and says what to do."""
    with pytest.raises(ValueError, match=rf"still contains the symbols \['{symbols}'\]: give"):
        compiled(MODEL.replace(**parameters))


def test_activations_without_translation_are_named():
    """Oracle: tanh has no closed averages."""
    with pytest.raises(NoClosedForm, match="tanh"):
        compiled(TeacherStudent(1, 1, activation=sp.tanh(sp.Symbol("x")), eta=1))


@pytest.mark.slow
def test_large_networks_compile_in_seconds():
    """Oracle: SS95 at K = M = 8; unrolled, these equations would take minutes to build."""
    c = overlaps(1, 8, 8)
    rhs = compiled(TeacherStudent(8, 8, scale="unit", eta=1))
    expected = SaadSolla(8, 1.0).rates(c[0]).astype(float)[:8]
    np.testing.assert_allclose(rhs.rates(c)[0], expected, rtol=1e-10, atol=1e-12)
