"""The linearisation about the perfect student against the equations that it linearises."""

from functools import cache

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from systems import SaadSolla

from theory import Discrete, NoClosedForm, TeacherStudent, order_parameter_odes
from theory.perfect_student import perfect_student

M = sp.Symbol("M", integer=True, positive=True)


def matrix(u, v, units):
    """The matrix with components (u, v)."""
    return v * np.eye(units) + (u - v) / units * np.ones((units, units))


def covariance(x, units):
    """C = [[Q, R], [R^T, 1]] of the deviations (A_u, A_v, V_u, V_v)."""
    a, v = matrix(*x[:2], units), matrix(*x[2:], units)
    one = np.eye(units)
    return np.block([[one + 2 * a + v, one + a], [one + a, one]])


POINT = (0.03, -0.02, 0.05, 0.04)


@pytest.mark.parametrize("scale", ["sqrt", "unit"])
@pytest.mark.parametrize("units", [2, 3])
def test_error_is_the_published_one(units, scale):
    """Oracle: eps_g of SS95 for c = 1 (independent code) at overlaps alike for all units."""
    point = perfect_student(TeacherStudent(M, M, scale=scale))
    found = point.error.subs(dict(zip(point.deviations, POINT, strict=True))).subs(M, units)
    published = SaadSolla(units, 1.0).error(covariance(POINT, units))
    assert float(found) * (units if scale == "sqrt" else 1) == pytest.approx(
        float(published), rel=1e-12
    )


@pytest.mark.parametrize("activation", ["erf", "He_3", "sin", "exp"])
def test_quadratic_error_is_the_taylor_polynomial(activation):
    """Oracle: the remainder falls as the third power of the deviation, by a factor 8 in halves."""
    point = perfect_student(TeacherStudent(3, 3, activation))
    exact, second = (
        sp.lambdify(point.deviations, e, "mpmath") for e in (point.error, point.quadratic_error)
    )
    with mp.workdps(40):
        remainders = [
            exact(*(x * mp.mpf(2) ** -n for x in POINT))
            - second(*(x * mp.mpf(2) ** -n for x in POINT))
            for n in (15, 16)
        ]
        assert float(remainders[0] / remainders[1]) == pytest.approx(8, rel=1e-3)


def test_rates_are_moments_of_the_slope():
    """Oracle: the Hessian c^2 E[g'_i g'_j], E[g'^2] = 2/(pi sqrt 3), E[g']^2 = 1/pi by hand."""
    first, second = perfect_student(TeacherStudent(M, M)).rates
    same, apart = 2 / sp.pi / sp.sqrt(3), 1 / sp.pi
    assert sp.simplify(first - (same + (M - 1) * apart) / M) == 0
    assert sp.simplify(second - (same - apart) / M) == 0


@pytest.mark.parametrize("units", [1, 2, 3, 4])
def test_kick_is_the_noise_to_first_order(units):
    """Oracle: <delta_i delta_k> of SS95 (independent code) with students V away from teachers."""
    point = perfect_student(TeacherStudent(units, units, scale="unit"))
    kick, step = np.array(point.kick, dtype=float), 1e-7
    n = len(kick)
    for column, V in enumerate(np.eye(2)[:n]):
        C = covariance((0, 0, *(step * V)), units)
        noise = SaadSolla(units, 1.0).shake(C).astype(float) / step
        trace, total = np.trace(noise), noise.sum() / units
        found = [total, (trace - total) / (units - 1)] if n > 1 else [total]
        np.testing.assert_allclose(found, kick[:, column], rtol=1e-5)


def jacobian(rates, point, step=1e-6):
    columns = [
        (rates(point + step * e) - rates(point - step * e)) / (2 * step) for e in np.eye(len(point))
    ]
    return np.array(columns).T


def isotropic_rates(units, eta):
    """All overlaps of the isotropic equations (SS95), c = 1, as one vector."""
    rows, columns = np.triu_indices(units)
    system = SaadSolla(units, eta)

    def rates(v):
        C = np.eye(2 * units)
        C[:units, units:] = v[: units**2].reshape(units, units)
        C[units:, :units] = C[:units, units:].T
        C[rows, columns] = C[columns, rows] = v[units**2 :]
        dC = system.rates(C).astype(float)
        return np.concatenate([dC[:units, units:].ravel(), dC[rows, columns]])

    start = np.concatenate([np.eye(units).ravel(), np.eye(units)[rows, columns]])
    return rates, start


@pytest.mark.parametrize("units", [1, 2, 3, 4])
def test_critical_learning_rate_is_where_the_jacobian_turns_unstable(units):
    """Oracle: the largest eigenvalue of the full numerical Jacobian of SS95, all overlaps."""
    critical = float(
        perfect_student(TeacherStudent(units, units, scale="unit")).critical_learning_rate
    )
    tops = []
    for eta in (critical * (1 - 1e-4), critical * (1 + 1e-4)):
        rates, start = isotropic_rates(units, eta)
        tops.append(np.linalg.eigvals(jacobian(rates, start)).real.max())
    below, above = tops
    assert below < 0 < above
    crossing = critical * (1 - 1e-4 + 2e-4 * below / (below - above))
    assert crossing == pytest.approx(critical, rel=1e-6)


@pytest.mark.parametrize("units", [1, 2, 3, 4])
def test_noise_floor_is_the_response_of_the_jacobian(units):
    """Oracle: the full Jacobian of SS95 answers the kicks of label noise, to 6 digits."""
    model = TeacherStudent(units, units, scale="unit", label_noise=1)
    eta = float(perfect_student(model).critical_learning_rate) / 2
    rates, start = isotropic_rates(units, eta)
    rows, columns = np.triu_indices(units)
    # <g'_i g'_j> at the perfect student
    slopes = np.where(rows == columns, 2 / np.sqrt(3), 1.0) / np.pi
    kicks = np.concatenate([np.zeros(units**2), eta**2 * slopes])
    moved = np.linalg.solve(jacobian(rates, start), -kicks)

    def error(v):
        C = np.eye(2 * units)
        C[:units, units:] = v[: units**2].reshape(units, units)
        C[units:, :units] = C[:units, units:].T
        C[rows, columns] = C[columns, rows] = v[units**2 :]
        return float(SaadSolla(units, eta).error(C))

    floor = (error(start + 1e-6 * moved) - error(start - 1e-6 * moved)) / 2e-6
    formula = perfect_student(model.replace(eta=sp.Rational(str(eta)))).noise_floor
    assert floor == pytest.approx(float(formula), rel=1e-6)


def test_critical_learning_rate_does_not_depend_on_the_spectrum():
    """Oracle: eigenvalues of the Jacobian of the explicit equations in all modes, L = 3."""
    spectrum = Discrete([1, 4, 20], weights=[5, 3, 1])
    model = TeacherStudent(2, 2, spectrum=spectrum)
    critical = perfect_student(model).critical_learning_rate
    assert critical == perfect_student(TeacherStudent(2, 2)).critical_learning_rate
    tops = [
        np.linalg.eigvals(_all_modes(model, float(critical) * factor)).real.max()
        for factor in (1 - 1e-4, 1 + 1e-4)
    ]
    assert tops[0] < 0 < tops[1]
    assert -tops[0] == pytest.approx(tops[1], rel=1e-2)


@cache
def explicit_averages():
    """D and G at M = 2, from the explicit expressions in Q and R."""
    ode = order_parameter_odes(TeacherStudent(2, 2))
    symbols = [*ode.R, *(ode.Q[i, j] for i in range(2) for j in range(i, 2))]
    teacher = dict(zip(ode.T, sp.eye(2), strict=True))
    return sp.lambdify(symbols, [ode.drift.subs(teacher), ode.noise.subs(teacher)], cse=True)


def _all_modes(model, eta):
    """Jacobian of (r_k, q_k) for all k at the perfect student, from drift and noise of theory."""
    averages = explicit_averages()
    lam, w = (np.array(x, dtype=float) for x in model.spectrum.values())

    def rates(flat):
        x = flat.reshape(len(lam), 7)
        macroscopic = (w * lam) @ x
        D, G = (np.array(part, dtype=float) for part in averages(*macroscopic))
        out = []
        for k, row in enumerate(x):
            r, q = row[:4].reshape(2, 2), row[[4, 5, 5, 6]].reshape(2, 2)
            dr = eta * lam[k] * (D[:, :2] @ r + D[:, 2:])
            half = eta * lam[k] * (D[:, :2] @ q + D[:, 2:] @ r.T)
            dq = half + half.T + eta**2 * lam[k] * G
            out += [*dr.ravel(), dq[0, 0], dq[0, 1], dq[1, 1]]
        return np.array(out)

    return jacobian(rates, np.tile([1, 0, 0, 1, 1, 0, 1.0], len(lam)))


def test_linear_unit_has_the_exact_numbers():
    """Oracle: K = M = 1 linear, eta_c = 2 and floor sigma^2 eta/(2 (2 - eta))."""
    eta, noise = sp.symbols("eta n", positive=True)
    point = perfect_student(TeacherStudent(1, 1, "linear", eta=eta, label_noise=noise))
    assert point.critical_learning_rate == 2
    assert sp.simplify(point.noise_floor - noise * eta / (2 * (2 - eta))) == 0


def test_one_erf_unit_has_the_published_threshold():
    """Oracle: pi sqrt(5/3) = 2 h/E[g'^4] by hand (BS95, isotropic)."""
    found = perfect_student(TeacherStudent(1, 1)).critical_learning_rate
    assert sp.simplify(found - sp.pi * sp.sqrt(sp.Rational(5, 3))) == 0


def test_the_matrices_of_the_linear_equations():
    """Oracle: numerical Jacobian of the explicit equations, one mode against the rest, M = 2."""
    eta = sp.Rational(1, 2)
    spectrum = Discrete([1, 4])
    model = TeacherStudent(2, 2, spectrum=spectrum, eta=eta)
    point = perfect_student(model)
    A, B = (np.array(x, dtype=float) for x in (point.decay, point.feedback))
    lam, w = (np.array(x, dtype=float) for x in model.spectrum.values())
    linear = np.kron(np.diag(lam), A) + np.kron(np.outer(lam, w * lam), B)
    found = np.sort(np.linalg.eigvals(_all_modes(model, 0.5)).real)
    for rate in np.linalg.eigvals(0.5 * linear).real:
        assert np.min(np.abs(found - rate)) < 1e-8


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"K": 2, "M": 3}, ValueError, "found K = 2, M = 3"),
        ({"K": 2, "M": 2, "weight_decay": 1}, ValueError, "weight_decay = 1 drives"),
        ({"K": 2, "M": 2, "activation": "relu"}, NoClosedForm, "averages of relu have cusps"),
    ],
)
def test_models_without_a_linearisation_are_refused(parameters, error, message):
    """Oracle: the documented domain."""
    with pytest.raises(error, match=message):
        perfect_student(TeacherStudent(**parameters))


def test_what_is_not_a_model_is_refused():
    """Oracle: the message names what was found."""
    with pytest.raises(TypeError, match="perfect_student needs a TeacherStudent, found 3"):
        perfect_student(3)


def test_too_fast_or_degenerate_is_refused():
    """Oracle: beyond eta_max there is no stationary point; linear units only count as a sum."""
    with pytest.raises(ValueError, match=r"eta = 5 is not below eta_max = 4\.61366"):
        _ = perfect_student(TeacherStudent(2, 2, eta=5, label_noise=1)).noise_floor
    with pytest.raises(ValueError, match="is not isolated"):
        _ = perfect_student(TeacherStudent(2, 2, "linear")).critical_learning_rate
