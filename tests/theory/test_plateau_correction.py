"""The plateau at finite eta against the equations with their noise."""

import numpy as np
import pytest
import sympy as sp
from scipy.optimize import fsolve
from systems import SaadSolla

from theory import Discrete, TeacherStudent, order_parameter_odes, plateau
from theory.plateau_correction import plateau_correction

M = sp.Symbol("M", integer=True, positive=True)


def collapsed(units, Q, R):
    C = np.eye(2 * units)
    C[:units, :units] = Q
    C[:units, units:] = C[units:, :units] = R
    return C


def at_rest(units, eta):
    """Q and R of collapsed students at rest, c = 1 (SS95)."""
    system, start = SaadSolla(units, eta), plateau(TeacherStudent(units, units))

    def rates(v):
        dC = system.rates(collapsed(units, *v)).astype(float)
        return [dC[0, 0], dC[0, units]]

    return fsolve(rates, [float(start.Q), float(start.R)], xtol=1e-13)


@pytest.mark.parametrize("units", [2, 3])
def test_the_fixed_point_moves_by_eta(units):
    """Oracle: the published equations at rest (independent code); the remainder is O(eta^2)."""
    model = TeacherStudent(units, units, scale="unit")
    first, zero = plateau_correction(model), plateau(model)
    apart = []
    for eta in (0.04, 0.02):
        Q, R = at_rest(units, eta)
        error = float(SaadSolla(units, eta).error(collapsed(units, Q, R)))
        found = Q, R, error
        expected = (
            float(base + eta * slope)
            for base, slope in (
                (zero.Q, first.Q),
                (zero.R, first.R),
                (zero.error, first.error),
            )
        )
        apart.append([a - b for a, b in zip(found, expected, strict=True)])
    np.testing.assert_allclose(np.divide(*apart), 4, rtol=0.05)


def test_the_escape_rate_of_structured_data():
    """Oracle: the largest eigenvalue of specialisation in two modes, from the explicit drift."""
    spectrum = Discrete([1, 4])
    model = TeacherStudent(2, 2, spectrum=spectrum)
    first = float(plateau_correction(model).escape_rate)
    lam, w = (np.array(x, dtype=float) for x in spectrum.values())
    ode = order_parameter_odes(TeacherStudent(2, 2))
    names = {ode.T[i, j]: int(i == j) for i in range(2) for j in range(2)}
    drift = sp.lambdify([ode.Q[0, 0], ode.Q[0, 1], ode.Q[1, 1], *ode.R], ode.drift.subs(names))
    apart = []
    for eta in (0.04, 0.02):
        # sqrt scale: half the learning rate of c = 1
        Q, R = at_rest(2, eta / 2)
        step = 1e-5
        D = [
            np.array(drift(Q, Q, Q, R + d, R - d, R - d, R + d), dtype=float)
            for d in (step, -step, 0)
        ]
        feedback = (D[0] - D[1])[0, 2] / (2 * step)
        damping = D[2][0, 0] - D[2][0, 1]
        matrix = eta * (np.diag(lam * damping) + feedback * np.outer(lam, w * lam))
        rate = np.linalg.eigvals(matrix).real.max()
        zero = float(plateau(model.replace(eta=sp.Rational(str(eta)))).escape_rate)
        apart.append((rate - zero) / eta**2 - first)
    assert abs(apart[1]) < 0.02 * abs(first)
    assert apart[0] / apart[1] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("scale", ["sqrt", "unit"])
def test_the_closed_forms_in_M(scale):
    """Oracle: (M+1) g, (3/4) g, M G/4 and -3 g/(2(2M+1)), seen first in numbers, as symbols."""
    eta, T2, T3 = sp.symbols("eta T_2 T_3", positive=True)
    spectrum = Discrete([1, 3])
    model = TeacherStudent(M, M, spectrum=spectrum, eta=eta, scale=scale)
    first, zero = plateau_correction(model), plateau(model)
    T2, T3 = spectrum.moment(2), spectrum.moment(3)
    growth = zero.escape_rate / (eta * T2)
    share = first.noise / ((4 * M**2 - 1) * growth)
    expected = {
        "Q": zero.Q * (M + 1) * share,
        "R": zero.R * sp.Rational(3, 4) * share,
        "error": M * first.noise / 4,
        "escape_rate": -T2 * growth * 3 * share / (2 * (2 * M + 1)) + T3 / T2 * first.noise / 2,
    }
    for name, closed in expected.items():
        for units in (2, 3, 7):
            ratio = (getattr(first, name) / closed).subs(M, units).evalf(30)
            assert abs(ratio - 1) < 1e-25, name


def test_noise_at_the_plateau_is_the_published_average():
    """Oracle: <delta_i delta_j> of SS95 at collapsed students (independent code), c = 1."""
    for units in (2, 3):
        zero = plateau(TeacherStudent(units, units, scale="unit"))
        C = collapsed(units, float(zero.Q), float(zero.R))
        expected = SaadSolla(units, 1.0).shake(C).astype(float)
        found = float(plateau_correction(TeacherStudent(units, units, scale="unit")).noise)
        np.testing.assert_allclose(expected, found, rtol=1e-9)
