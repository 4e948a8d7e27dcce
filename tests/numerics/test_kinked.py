"""Averages of activations with a kink at zero, against ReLU's own rule and adaptive integrals."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import dblquad
from systems import random_covariance

from numerics.kinked import KinkedQuadrature
from numerics.piecewise_linear import PiecewiseLinear
from theory.activations import Activation

x = sp.Symbol("x", real=True)
SCALE = 0.7
ELU = sp.Piecewise((x, x > 0), (sp.exp(x) - 1, True))


def rule(activation, order, K=2):
    return KinkedQuadrature(Activation(activation), K, SCALE, order=order)


@pytest.mark.parametrize("activation", ["relu", sp.Max(x, x / 10), sp.Abs(x)], ids=str)
@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_drift_and_error_of_relu(activation, rank):
    """Oracle: numerics.piecewise_linear, closed forms; fields that coincide or lie in a plane."""
    C = random_covariance(4, rank, seed=3)
    exact = PiecewiseLinear(Activation(activation), 2, SCALE).averages(C, noise=False)
    found = rule(activation, 40).averages(C, noise=False)
    np.testing.assert_allclose(found.drift, exact.drift, rtol=0, atol=1e-8)
    assert found.generalization_error == pytest.approx(exact.generalization_error, abs=1e-8)
    assert found.noise is None


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_the_error_estimate_covers_the_error_of_G(seed):
    """Oracle: numerics.piecewise_linear for ReLU, good to 1e-10."""
    C = random_covariance(3, 3, seed)
    exact = PiecewiseLinear(Activation("relu"), 2, SCALE).averages(C)
    errors = []
    for order in (16, 24, 36):
        errors.append(rule("relu", order).averages(C).difference(exact))
        assert errors[-1] <= 1.5 * rule("relu", order).error(C)
    assert errors[0] > 5 * errors[1] > 25 * errors[2]


def test_elu_in_quadrants():
    """Oracle: adaptive integrals over the quadrants of two fields (scipy), K = M = 1, D, G, eps_g.

    E[g''(x) ...] has no part at zero, where ELU's slope does not jump.
    """
    rho, sigma = 0.6, 1.3
    C = np.array([[sigma**2, rho * sigma], [rho * sigma, 1.0]])
    precision = np.linalg.inv(C)
    norm = 2 * np.pi * np.sqrt(np.linalg.det(C))

    def g(t):
        return t if t > 0 else np.expm1(t)

    def slope(t):
        return 1.0 if t > 0 else np.exp(t)

    def second(t):
        return 0.0 if t > 0 else np.exp(t)

    def average(f):
        def integrand(b, a):
            z = np.array([a, b])
            return f(a, b) * np.exp(-z @ precision @ z / 2) / norm

        halves = [(-9.0, 0.0), (0.0, 9.0)]
        return sum(
            dblquad(integrand, *first, *second, epsabs=1e-9)[0]
            for first in halves
            for second in halves
        )

    found = rule(ELU, 40, K=1).averages(C)
    c2 = SCALE**2
    error = average(lambda a, b: (g(b) - g(a)) ** 2) / 2
    own = average(lambda a, b: second(a) * (g(b) - g(a)) - slope(a) ** 2)
    noise = average(lambda a, b: (slope(a) * (g(b) - g(a))) ** 2)
    assert found.generalization_error == pytest.approx(c2 * error, abs=1e-8)
    assert found.drift[0, 0] == pytest.approx(c2 * own, abs=1e-8)
    assert found.drift[0, 1] == pytest.approx(
        c2 * average(lambda a, b: slope(a) * slope(b)), abs=1e-8
    )
    assert found.noise[0, 0] == pytest.approx(c2**2 * noise, abs=1e-8)


def test_analytic_activations_are_refused():
    """Oracle: the rule of the house on error messages."""
    with pytest.raises(ValueError, match=r"has no kink: use numerics\.quadrature"):
        rule("erf", 24)


def test_overflow_is_refused():
    """Oracle: exp(1000) is no double."""
    g = sp.Piecewise((sp.exp(x), x > 0), (1 + x, True))
    with pytest.raises(FloatingPointError, match="grows too fast"):
        rule(g, 24, K=1).averages(1e4 * np.eye(2))
