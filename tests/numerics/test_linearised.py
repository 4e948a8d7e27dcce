"""The linearised equations, decomposed: `numerics.linearised`."""

import numpy as np
import pytest
import sympy as sp
from scipy.linalg import expm

from numerics.linearised import growth_rate, linearise
from numerics.measure import eigenvalues_and_weights
from theory import Discrete, PowerLaw, TeacherStudent
from theory.late_times import smooth_late_time_law
from theory.noise_floor import noise_floor
from theory.perfect_student import perfect_student


@pytest.mark.parametrize("units", [1, 2, 3])
def test_error_is_the_matrix_exponential(units):
    """Oracle: exp of the matrix of dx_k = eta lam_k (A x_k + B X), all components, SciPy."""
    model = TeacherStudent(units, units, spectrum=Discrete([1, 4, 9], weights=[3, 2, 1]), eta=2)
    point = perfect_student(model)
    A, B = (np.array(part.evalf(), dtype=float) for part in (point.decay, point.feedback))
    lam, w = eigenvalues_and_weights(model.spectrum)
    matrix = 2 * (np.kron(np.diag(lam), A) + np.kron(np.outer(lam, w * lam), B))
    n = len(point.rates)
    x = expm(3 * matrix) @ np.tile([*[-0.3] * n, *[0.2] * n], 3)
    V = (w * lam) @ x.reshape(3, 2 * n)[:, n:]
    weight = [float(m * h) for m, h in zip(point.multiplicities, point.rates, strict=True)]
    assert linearise(model, 3).error([3], 0.2)[0] == pytest.approx(weight @ V / 2, rel=1e-12)


def test_slope_is_the_derivative_of_the_error():
    """Oracle: central differences."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 6), eta=1, label_noise="1/100")
    found = linearise(model, 100)
    step = 1e-5
    ahead, behind = found.error([30 * np.exp(step), 30 * np.exp(-step)])
    assert found.slope([30])[0] == pytest.approx(np.log(ahead / behind) / (2 * step), rel=1e-8)


def test_atoms_stand_for_the_spectrum():
    """Oracle: gradient flow as an explicit sum over 2000 eigenvalues, where atoms are used."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw("1/2", 2000), eta="1/10")
    lam, w = eigenvalues_and_weights(model.spectrum)
    alpha = np.geomspace(1, 1e6, 7)
    point = perfect_student(model)
    direct = sum(
        float(m * h) / 2 * np.exp(-0.2 * float(h) * np.outer(alpha, lam)) @ (w * lam)
        for m, h in zip(point.multiplicities, point.rates, strict=True)
    )
    found = linearise(model, alpha[-1], gradient_flow=True)
    assert len(found.lam) < 1000
    np.testing.assert_allclose(found.error(alpha), direct, rtol=1e-9)


@pytest.mark.parametrize("units", [1, 2, 4])
def test_growth_rate_is_the_largest_eigenvalue(units):
    """Oracle: the decomposition, below and above eta_max."""
    for eta in (3, 6):
        model = TeacherStudent(units, units, spectrum=PowerLaw(1, 40), eta=eta)
        assert growth_rate(model) == pytest.approx(linearise(model, 1).eigenvalues[-1], rel=1e-9)


@pytest.mark.parametrize("units", [1, 2, 3, 4])
@pytest.mark.parametrize("spectrum", [PowerLaw(1, 4096), Discrete([1, 50])], ids=str)
def test_growth_turns_positive_at_the_critical_learning_rate(units, spectrum):
    """Oracle: the closed form of eta_max, which no spectrum enters; to 6 digits."""
    model = TeacherStudent(units, units, spectrum=spectrum)
    critical = perfect_student(model).critical_learning_rate.evalf(30)
    below, above = (
        growth_rate(model.replace(eta=sp.Rational(str(critical * factor))))
        for factor in (1 - sp.Float("5e-7", 30), 1 + sp.Float("5e-7", 30))
    )
    assert below < 0 < above


def test_label_noise_leaves_the_floor():
    """Oracle: the closed form at late times; and the exact stationary point to first order."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 5), eta=2, label_noise="1/100000")
    late = linearise(model, 1e6).error([1e6])[0]
    assert late == pytest.approx(float(perfect_student(model).noise_floor), rel=1e-12)
    assert late == pytest.approx(float(noise_floor(model).error), rel=1e-4)


@pytest.mark.slow
def test_endless_spectrum_has_its_own_time():
    """Oracle: lam_+ alpha of a long one; what lies beyond its last eigenvalue has not moved."""
    times = np.array([10.0, 100.0])
    endless = TeacherStudent(2, 2, spectrum=PowerLaw(2, "oo"), eta=1)
    long = endless.replace(spectrum=PowerLaw(2, 3000))
    scale = float(long.spectrum.moment(1) / eigenvalues_and_weights(long.spectrum)[0][0])
    found = linearise(long, times[-1] * scale).error(times * scale)
    np.testing.assert_allclose(linearise(endless, times[-1]).error(times), found, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("beta", ["1/4", "1/2", 1, 2])
def test_local_slope_is_that_of_the_law(beta):
    """Oracle: the incomplete-gamma law at L = 4096, within 1 % over the window, eta = 1/1000."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(beta, 4096), eta="1/1000")
    law = smooth_late_time_law(model, "finite size", 1, True)
    slow = float(
        perfect_student(model).rates[-1] / 500 * eigenvalues_and_weights(model.spectrum)[0][0]
    )
    window = np.geomspace(50, 4096.0 ** (1 + float(sp.Rational(beta))), 6) / slow
    slopes = linearise(model, window[-1]).slope(window)
    expected = [float(law.local_exponent(a, d_u=1, d_v=1)) for a in window]
    np.testing.assert_allclose(slopes, expected, rtol=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("beta", ["1/4", "1/2", 1, 2])
def test_endless_slope_is_the_exponent(beta):
    """Oracle: -beta/(1 + beta) within 1 %, where no last eigenvalue ends the window."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(beta, "oo"), eta="1/1000")
    law = smooth_late_time_law(model, "window", 1, True)
    times = np.array([1e4, 1e5])
    found = linearise(model, times[-1])
    np.testing.assert_allclose(found.slope(times), float(law.exponent), rtol=1e-2)
    expected = [float(law(t / 1e-3, d_u=1, d_v=1)) for t in times]
    np.testing.assert_allclose(found.error(times), expected, rtol=2e-2)


def test_symbols_are_refused():
    """Oracle: the message names them."""
    for function in (growth_rate, lambda model: linearise(model, 1)):
        with pytest.raises(ValueError, match=r"still contains the symbols \['eta'\]"):
            function(TeacherStudent(2, 2))
