"""The symmetric plateau in closed form; tests/validation/test_escape.py integrates it."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from systems import SaadSolla

from theory import Discrete, PowerLaw, TeacherStudent, order_parameter_odes, plateau

M = sp.Symbol("M", integer=True, positive=True)
ETA = sp.Symbol("eta", positive=True)


def test_symbolic_in_the_number_of_units():
    """Oracle: Q* = 1/(2M-1), R* = 1/sqrt(M(2M-1)), gamma_1(M) of theory, as symbols."""
    beta, L = sp.Symbol("beta", positive=True), sp.Symbol("L", integer=True, positive=True)
    spectrum = PowerLaw(beta, L)
    found = plateau(TeacherStudent(M, M, eta=ETA, spectrum=spectrum))
    assert sp.simplify(found.Q - 1 / (2 * M - 1)) == 0
    assert sp.simplify(found.R - 1 / sp.sqrt(M * (2 * M - 1))) == 0
    gamma = 2 / sp.pi / sp.sqrt(2 * M - 1) / sp.sqrt(2 * M + 1) ** 3
    assert sp.simplify(found.escape_rate / (ETA * spectrum.moment(2) * gamma) - 1) == 0
    assert found.escape_time == 1 / found.escape_rate


def test_unit_scale_is_M_times_faster():
    """Oracle: with c = 1 the gradient is M times that of c = 1/sqrt(M)."""
    sqrt, unit = (plateau(TeacherStudent(M, M, eta=ETA, scale=s)) for s in ("sqrt", "unit"))
    assert sp.simplify(unit.escape_rate / sqrt.escape_rate - M) == 0
    assert sp.simplify(unit.error / sqrt.error - M) == 0
    assert (unit.Q, unit.R) == (sqrt.Q, sqrt.R)


@pytest.mark.parametrize("units", [2, 3, 7])
def test_plateau_is_a_fixed_point_of_the_published_equations(units):
    """Oracle: SS95's <delta field> at the plateau vanishes, eps_g is SS95's (independent code)."""
    found = plateau(TeacherStudent(units, units, scale="unit", eta=1))
    C = np.eye(2 * units)
    C[:units, :units], C[:units, units:] = float(found.Q), float(found.R)
    C[units:, :units] = float(found.R)
    system = SaadSolla(units, 1.0)
    np.testing.assert_allclose(system.pull(C).astype(float), 0, atol=1e-15)
    assert float(system.error(C)) == pytest.approx(float(found.error), rel=1e-14)


@pytest.mark.parametrize("units", [2, 3, 5])
@pytest.mark.parametrize("spectrum", [PowerLaw(1, 4), Discrete([1, 5], weights=[3, 1])], ids=str)
def test_escape_rate_is_the_top_eigenvalue_of_the_jacobian(units, spectrum):
    """Oracle: eigenvalues of the numerical Jacobian of the drift in all modes (SS95 averages)."""
    found = plateau(TeacherStudent(units, units, eta=1, spectrum=spectrum))
    lam, w = (np.array([float(v) for v in part]) for part in spectrum.values())
    rate = _top_rate(units, lam, w, float(found.Q), float(found.R))
    assert rate == pytest.approx(float(found.escape_rate), rel=1e-6)


def _top_rate(units, lam, w, Q, R):
    """Largest real part of the linearised r and q in the sector r_in ~ (i = n or not), eta = 1."""

    def rates(v):
        system, c = SaadSolla(units, 1.0), np.zeros((len(lam), 2 * units, 2 * units))
        eye, ones = np.eye(units), np.ones((units, units))
        for k, (a, b, d, e) in enumerate(v.reshape(-1, 4)):
            c[k, :units, units:] = a * eye + b * (ones - eye)
            c[k, units:, :units] = c[k, :units, units:].T
            c[k, :units, :units] = d * eye + e * (ones - eye)
            c[k, units:, units:] = eye
        D = system.drift(np.einsum("k,kfh->fh", w * lam, c)) / units
        dc = np.einsum("k,if,kfh->kih", lam, D, c)
        dr, dq = dc[:, :, units:], dc[:, :, :units] + np.swapaxes(dc[:, :, :units], 1, 2)
        return np.stack([dr[:, 0, 0], dr[:, 0, 1], dq[:, 0, 0], dq[:, 0, 1]], axis=1).ravel()

    # A hair off Q_ij = Q_ii: collapsed students make C singular, which `drift` divides by.
    point = np.tile([R, R, Q * (1 + 1e-7), Q], len(lam))
    h = 1e-6
    columns = [(rates(point + h * e) - rates(point - h * e)) / (2 * h) for e in np.eye(len(point))]
    return np.linalg.eigvals(np.array(columns).T).real.max()


def test_large_networks_have_the_published_scaling():
    """Oracle: tau_esc -> 2 pi M^2 zeta(1+beta)^2/(eta L zeta(2(1+beta))), WR24's M^2/(eta L)."""
    spectrum, units = PowerLaw(1, 2000), 1000
    found = plateau(TeacherStudent(units, units, eta=1, spectrum=spectrum))
    second = mp.fsum(mp.mpf(k) ** -4 for k in range(1, 2001))
    first = mp.fsum(mp.mpf(k) ** -2 for k in range(1, 2001))
    rate = (
        2000 * second / first**2 * float(plateau(TeacherStudent(units, units, eta=1)).escape_rate)
    )
    law = 2 * mp.pi * units**2 * mp.zeta(2) ** 2 / (2000 * mp.zeta(4))
    assert rate * law == pytest.approx(1, rel=2e-3)
    assert sp.Rational(1, 1999) == found.Q


def test_error_at_the_plateau_is_the_published_number():
    """Oracle: eps* = (M/pi) [pi/6 - M asin(1/(2M))] for c = 1 (SS95), at M = 2, 3, 10."""
    for units in (2, 3, 10):
        found = plateau(TeacherStudent(units, units, scale="unit"))
        with mp.workdps(30):
            law = units / mp.pi * (mp.pi / 6 - units * mp.asin(mp.mpf(1) / (2 * units)))
        assert float(found.error) == pytest.approx(float(law), rel=1e-13)


def test_only_a_model_has_a_plateau():
    """Oracle: the message names what was found; an ODE is the likely mistake."""
    with pytest.raises(TypeError, match=r"plateau needs a TeacherStudent, found OrderParameterODE"):
        plateau(order_parameter_odes(TeacherStudent(2, 2)))


def test_display_shows_every_result():
    """Oracle: the closed forms at M = 2, as LaTeX."""
    found = plateau(TeacherStudent(2, 2, eta="1/10"))
    text = found._repr_latex_()
    assert text.startswith("$$\n\\begin{aligned}\nQ^* &= \\frac{1}{3} \\\\\n")
    for value in (found.R, found.error, found.escape_rate, found.escape_time):
        assert f"&= {sp.latex(value)}" in text


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"K": 2, "M": 3}, NotImplementedError, "needs K = M, found K = 2, M = 3"),
        ({"K": 2, "M": 2, "activation": "relu"}, NotImplementedError, "for activation relu"),
        ({"K": 2, "M": 2, "weight_decay": 1}, NotImplementedError, "needs weight_decay = 0"),
        ({"K": 1, "M": 1}, ValueError, "M = 1 has no symmetry to break"),
    ],
)
def test_models_without_a_closed_form_are_refused(parameters, error, message):
    """Oracle: the documented domain."""
    with pytest.raises(error, match=message):
        plateau(TeacherStudent(**parameters))


def test_the_drift_at_the_plateau_vanishes_in_symbols():
    """Oracle: D C = 0 exactly, from the explicit equations at M = 2."""
    ode, found = order_parameter_odes(TeacherStudent(2, 2)), plateau(TeacherStudent(2, 2))
    C = sp.Matrix(4, 4, lambda a, b: found.Q if max(a, b) < 2 else int(a == b))
    C[:2, 2:], C[2:, :2] = sp.ones(2, 2) * found.R, sp.ones(2, 2) * found.R
    point = {ode.covariance[a, b]: C[a, b] for a in range(4) for b in range(4)}
    assert sp.simplify(ode.drift.subs(point) * C) == sp.zeros(2, 4)
