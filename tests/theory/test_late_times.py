"""Laws of a specialised student; tests/validation/test_late_times.py integrates them."""

import mpmath as mp
import pytest
import sympy as sp

from theory import Discrete, NoClosedForm, PowerLaw, TeacherStudent
from theory.late_times import smooth_late_time_law
from theory.laws import late_time_law
from theory.perfect_student import perfect_student

BETA = sp.Symbol("beta", positive=True)
ENDLESS = PowerLaw(1, "oo")


def model(units=2, spectrum=ENDLESS, **more):
    return TeacherStudent(units, units, "erf", spectrum, **{"eta": 1, **more})


def test_exponent_of_the_paper():
    """Oracle: WR24's -beta/(1+beta), for symbols M, beta, L, eta."""
    M, L = sp.symbols("M L", integer=True, positive=True)
    law = late_time_law(TeacherStudent(M, M, spectrum=PowerLaw(BETA, L)), gradient_flow=True)
    assert sp.simplify(law.exponent + BETA / (1 + BETA)) == 0
    assert {str(s) for s in law.parameters} == {"M", "L", "beta", "eta", "d_u", "d_v"}


def test_one_linear_unit_has_the_linear_law():
    """Oracle: the independent law of the linear network, K = M = 1, d = 2 epsilon_0."""
    one = TeacherStudent(1, 1, "linear", PowerLaw(1, 64), eta="1/2")
    for regime, time in (("window", 100), ("finite size", 3000), ("end", 10**6)):
        ours = smooth_late_time_law(one, regime, 1, False)(time, d_u=1)
        theirs = late_time_law(one, regime)(time, epsilon_0="1/2")
        assert float(ours) == pytest.approx(float(theirs), rel=1e-12)


@pytest.mark.parametrize("regime", ["finite size", "end"])
def test_finite_size_is_the_sum_over_modes(regime):
    """Oracle: the explicit sum over 3000 modes, within the error that the law states."""
    found = model(2, PowerLaw(1, 3000))
    law = late_time_law(found, regime, gradient_flow=True)
    lam, w = found.spectrum.values()
    point = perfect_student(found)
    slow = 2 * sp.N(point.rates[1]) * lam[-1]
    # y = 0.5, and y = 5 L
    alpha = mp.mpf({"finite size": 1 / 2, "end": 15000}[regime] / slow)
    exact = mp.fsum(
        m * h / 2 * w_k * e * mp.exp(-2 * h * e * alpha)
        for m, h in zip(point.multiplicities, map(sp.N, point.rates), strict=True)
        for e, w_k in zip(lam, w, strict=True)
    )
    starts = {str(s): 1 for s in law.parameters}
    assert float(law(alpha, **starts) / exact - 1) == pytest.approx(0, abs=2e-3)


def test_noise_of_sgd_amplifies_the_prefactor():
    """Oracle: (1 - eta P)^-1 by hand in two components; one for eta -> 0."""
    flow = late_time_law(model(), gradient_flow=True)
    fast = late_time_law(model(eta=2))
    p = sp.Matrix(perfect_student(model()).persistence).evalf()
    parts = [flow(200, d_u=1, d_v=0), flow(200, d_u=0, d_v=1)]
    h, m = [sp.N(x) for x in perfect_student(model()).rates], (1, 1)
    V = (sp.eye(2) - 2 * p).inv() * sp.Matrix([2 * x / y for x, y in zip(parts, h, strict=True)])
    expected = sum(a * b * c for a, b, c in zip(m, h, V, strict=True)) / 2
    assert float(fast(100, d_u=1, d_v=1)) == pytest.approx(float(expected), rel=1e-12)


def test_label_noise_is_subtracted():
    """Oracle: the start minus its stationary value; the quantity says so."""
    law = late_time_law(model(label_noise="1/100"))
    assert str(law.quantity) == "epsilon_g - epsilon_infty"
    rest = perfect_student(model()).amplified((sp.Rational(1, 200),) * 2)
    clean = late_time_law(model())
    shifted = clean(50, d_u=1 - rest[0], d_v=1 - rest[1])
    assert float(law(50, d_u=1, d_v=1)) == pytest.approx(float(shifted), rel=1e-12)


@pytest.mark.parametrize(
    ("change", "arguments", "error", "message"),
    [
        ({"activation": "relu"}, {}, NoClosedForm, "averages of relu have cusps"),
        ({"activation": "linear"}, {}, ValueError, "is not isolated"),
        ({"K": 3}, {}, ValueError, "found K = 3, M = 2"),
        ({"eta": 5}, {}, ValueError, "not below eta_max"),
        ({"spectrum": Discrete([1, 2])}, {}, NotImplementedError, "needs a spectrum with"),
        ({}, {"terms": 2}, ValueError, "a second term is known in the window of gradient flow"),
        ({}, {"regime": "end"}, ValueError, 'with L = oo there is no end regime, only "window"'),
    ],
)
def test_what_has_no_law_is_refused(change, arguments, error, message):
    """Oracle: the documented domain."""
    given = {"regime": "window", "terms": 1, "gradient_flow": False, **arguments}
    with pytest.raises(error, match=message):
        smooth_late_time_law(model().replace(**change), **given)
