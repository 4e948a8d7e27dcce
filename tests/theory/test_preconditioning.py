"""Preconditioned SGD: the equivalent plain model, and the laws of decay and escape."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics import InitialCondition, integrate
from numerics.testing import assert_asymptotic
from theory import Discrete, Isotropic, PowerLaw, TeacherStudent, order_parameter_odes, plateau
from theory.preconditioned_laws import preconditioned_escape_rate, preconditioned_law
from theory.preconditioning import plain_model, plain_spectrum, scale

HALF = sp.Rational(1, 2)


def linear(theta, beta=1, L=4000):
    return TeacherStudent(1, 1, "linear", PowerLaw(beta, L), 1, preconditioner=theta)


def test_a_power_law_stays_one_while_its_sum_converges():
    """Oracle: eigenvalues to the power 1 - theta, normalised by hand."""
    assert plain_spectrum(PowerLaw(1, 6), sp.Rational(1, 4)) == PowerLaw(HALF, 6)
    assert plain_spectrum(Isotropic(), HALF) == Isotropic()
    for spectrum in (PowerLaw(1, 6), Discrete([3, 1, 2], [1, 2, 1])):
        for theta in (HALF, sp.Rational(3, 4), sp.Integer(1)):
            powers = [e ** (1 - theta) for e in spectrum.eigenvalues]
            mean = sum(w * e for w, e in zip(spectrum.weights, powers, strict=True))
            found = plain_spectrum(spectrum, theta).eigenvalues
            expected = [e / mean for e in powers]
            assert np.allclose(np.array(found, float), np.array(expected, float), rtol=1e-14)
            model = TeacherStudent(2, 2, spectrum=spectrum, preconditioner=theta)
            assert float(scale(model)) == pytest.approx(float(mean), rel=1e-14)


def test_plain_model_keeps_everything_else():
    """Oracle: the model itself."""
    model = TeacherStudent(3, 2, "linear", PowerLaw(1, 5), "1/3", "unit", "1/7", "1/9", "1/4")
    assert plain_model(model).replace(spectrum=model.spectrum, preconditioner="1/4") == model


@pytest.mark.parametrize("theta", ["0", "1/4", "1/2", "3/4"])
def test_linear_law_is_the_sum_over_modes(theta):
    """Oracle: (1/H) sum_k k^-2 exp(-x k^-a), a = 2 (1 - theta), summed."""
    model, L = linear(theta), 4000
    a = 2 * (1 - model.preconditioner)
    norm = mp.fsum(mp.mpf(k) ** -2 for k in range(1, L + 1))
    power = [mp.mpf(k) ** -mp.mpf(sp.N(a, 40)) for k in range(1, L + 1)]
    largest = L / mp.fsum(power)

    def exact(time):
        modes = (p * mp.exp(-2 * largest * time * q) for p, q in zip(squares, power, strict=True))
        return mp.fsum(modes) / norm

    squares = [mp.mpf(k) ** -2 for k in range(1, L + 1)]
    times = [sp.Rational(int(x)) / sp.Rational(float(largest)) for x in (2, 4, 8, 12)]
    assert_asymptotic(exact, preconditioned_law(model, "finite size"), times, epsilon_0=1)
    window = preconditioned_law(model)
    for time in times[:2]:
        remainder = exact(mp.mpf(sp.N(time, 30))) / window(time, epsilon_0=1) - 1
        assert abs(remainder) < 2 * window.claimed_error(time, epsilon_0=1)


def test_exponent_grows_with_theta():
    """Oracle: beta/((1 + beta)(1 - theta)), typed in."""
    for theta, exponent in (("0", -HALF), ("1/2", -1), ("3/4", -2)):
        assert preconditioned_law(linear(theta)).exponent == exponent


def test_whitening_is_exponential_at_all_times():
    """Oracle: isotropic gradient flow, exp(-2 eta alpha)."""
    law = preconditioned_law(linear("1"))
    assert law.exponent is None
    assert law.error == 0
    assert float(law(3, epsilon_0="1/2")) == pytest.approx(np.exp(-6) / 2, rel=1e-14)


def measured_escape(model):
    """Slope of log(R_11 - R_12) near the fixed point."""
    point, M, L = plateau(model.replace(preconditioner=0)), int(model.M), int(model.spectrum.L)
    r = float(point.R) + 1e-6 * (np.eye(M) - 1 / M)
    start = InitialCondition(np.broadcast_to(r @ r.T, (L, M, M)), np.broadcast_to(r, (L, M, M)))
    end = 3 / float(preconditioned_escape_rate(model))
    times = np.linspace(0, end, 21)
    path = integrate(order_parameter_odes(model, gradient_flow=True), start, end, at=times)
    return np.polyfit(times, np.log(path.R[:, 0, 0] - path.R[:, 0, 1]), 1)[0]


@pytest.mark.parametrize(("theta", "M"), [("1/2", 2), ("1", 3)])
def test_escape_rate_is_exact_for_any_spectrum(theta, M):
    """Oracle: integration from the fixed point with a step of 1e-6 towards specialisation."""
    model = TeacherStudent(M, M, "erf", PowerLaw(1, 5), "1/10", preconditioner=theta)
    rate = float(preconditioned_escape_rate(model))
    assert measured_escape(model) == pytest.approx(rate, rel=3e-5)


def test_preconditioning_lengthens_the_plateau():
    """Oracle: the escape rates of theta = 0 and of isotropic data."""
    model = TeacherStudent(2, 2, "erf", PowerLaw(1, 16), "1/10")
    thetas = ("0", "1/4", "1/2", "3/4", "1")
    rates = [float(preconditioned_escape_rate(model.replace(preconditioner=t))) for t in thetas]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(float(plateau(model).escape_rate))
    isotropic = plateau(model.replace(spectrum=Isotropic())).escape_rate
    assert rates[-1] == pytest.approx(float(isotropic))


def test_what_knows_plain_sgd_only_refuses_a_preconditioner():
    """Oracle: the message, which names the parameter and the way out."""
    model = TeacherStudent(2, 2, "erf", PowerLaw(1, 4), "1/10", preconditioner="1/2")
    for refused in (plateau, lambda m: order_parameter_odes(m).moments()):
        with pytest.raises(NotImplementedError, match=r"plain SGD, found preconditioner = 1/2"):
            refused(model)
    with pytest.raises(ValueError, match="preconditioner must lie between 0 and 1, found 3/2"):
        model.replace(preconditioner="3/2")
    with pytest.raises(NotImplementedError, match="give L a finite value"):
        preconditioned_law(linear("1/4", L="oo"))
