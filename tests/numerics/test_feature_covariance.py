"""The covariance of random features against quadrature that shares nothing with it."""

import itertools
import math

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from scipy.integrate import quad
from scipy.special import erf

from numerics import feature_covariance
from numerics.feature_covariance import Features
from numerics.feature_series import ACCURACY, FeatureSeries

x = sp.Symbol("x", real=True)

ACTIVATIONS = {
    1: lambda y: y,
    2: lambda y: y**2,
    3: lambda y: y**3,
    4: lambda y: y**4,
    8: lambda y: y**8,
    "He_3": lambda y: y**3 - 3 * y,
    "erf": lambda y: erf(y / math.sqrt(2)),
    "exp": np.exp,
    "sin": np.sin,
    "relu": lambda y: np.maximum(y, 0),
    "sign": np.sign,
    "tanh": np.tanh,
    "gelu": lambda y: y * (1 + erf(y / math.sqrt(2))) / 2,
    sp.tanh(x) + x**2: lambda y: np.tanh(y) + y**2,
}


def by_angle(f, A, B, C):
    """E[f(a) f(b)] in polar coordinates, split at the four angles where a or b changes sign.

    Gauss-Legendre in angle and radius: exact but for rounding on each smooth piece.
    """
    other = math.acos(C / math.sqrt(A * B))  # b = sqrt(B) r cos(t - other)
    cuts = sorted({(c + s * math.pi / 2) % math.tau for c in (0, other) for s in (-1, 1)})
    t, w = np.polynomial.legendre.leggauss(40)
    r, u = np.polynomial.legendre.leggauss(120)
    r, u = 7 * (r + 1), 7 * u
    total = 0.0
    for low, high in zip(cuts, [*cuts[1:], cuts[0] + math.tau], strict=True):
        angle = low + (high - low) * (t + 1) / 2
        a = math.sqrt(A) * np.outer(np.cos(angle), r)
        b = math.sqrt(B) * np.outer(np.cos(angle - other), r)
        inner = (f(a) * f(b)) @ (u * r * np.exp(-(r**2) / 2))
        total += (high - low) / 2 * float(w @ inner)
    return total / math.tau


def small_system(seed=0, v=5, d=5):
    rng = np.random.default_rng(seed)
    return 1 / np.arange(1, v + 1) ** 2.0, rng.standard_normal((v, d))


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_eigenvalues_equal_quadrature(activation):
    """Oracle: quadrature in polar coordinates entry by entry, to 1e-10 of the largest."""
    lam, W = small_system()
    gram = W.T @ np.diag(lam) @ W
    f, d = ACTIVATIONS[activation], W.shape[1]
    expected = np.empty((d, d))
    for i, j in itertools.combinations_with_replacement(range(d), 2):
        expected[i, j] = expected[j, i] = by_angle(f, gram[i, i], gram[j, j], gram[i, j])
    found = feature_covariance(lam, W, activation)
    np.testing.assert_array_equal(found, found.T)
    values, exact = np.linalg.eigvalsh(found), np.linalg.eigvalsh(expected / d)
    np.testing.assert_allclose(values, exact, rtol=0, atol=1e-10 * exact[-1])


def test_the_oracle_itself():
    """Oracle: the oracle against 20 digits of mpmath, E[relu relu] and E[tanh tanh]."""
    A, B, C = 2.0, 0.5, 0.7
    relu = ACTIVATIONS["relu"]
    with mp.workdps(20):
        angle = mp.acos(C / mp.sqrt(A * B))
        exact = mp.sqrt(A * B) * (mp.sin(angle) + (mp.pi - angle) * mp.cos(angle)) / (2 * mp.pi)
    assert by_angle(relu, A, B, C) == pytest.approx(float(exact), rel=1e-13)
    variance, slope = B - C**2 / A, C / A

    def outer(a):
        density = math.exp(-(a**2) / (2 * A)) / math.sqrt(math.tau * A)
        inner, _ = quad(
            lambda b: math.tanh(b) * math.exp(-((b - slope * a) ** 2) / (2 * variance)),
            slope * a - 9 * math.sqrt(variance),
            slope * a + 9 * math.sqrt(variance),
        )
        return density * math.tanh(a) * inner / math.sqrt(math.tau * variance)

    assert by_angle(np.tanh, A, B, C) == pytest.approx(quad(outer, -12, 12)[0], abs=1e-8)


def test_many_features_in_panels():
    """Oracle: the small covariance of a few columns taken out, whatever panel they fall into."""
    lam, W = small_system(1, 7, 1100)
    for activation in (3, "relu", "tanh"):
        whole = 1100 * feature_covariance(lam, W, activation)
        chosen = [0, 3, 136, 137, 138, 1000, 1099]
        part = 7 * feature_covariance(lam, W[:, chosen], activation)
        size = np.abs(np.diag(whole)).max()
        np.testing.assert_allclose(whole[np.ix_(chosen, chosen)], part, rtol=0, atol=1e-12 * size)


@pytest.mark.parametrize("activation", [3, "relu", "sign", "erf", "tanh"])
def test_columns_that_coincide(activation):
    """Oracle: equal columns have equal rows, and opposite ones the value at -1 times the column."""
    lam, W = small_system()
    doubled = np.column_stack([W, W[:, 2], 3 * W[:, 2], -W[:, 2]])
    found = feature_covariance(lam, doubled, activation)
    scale = np.abs(found).max()
    np.testing.assert_allclose(found[5], found[2], rtol=0, atol=1e-13 * scale)
    if activation == "sign":
        assert found[6, 2] == pytest.approx(1 / 8, rel=1e-14)
    if activation != "relu":  # odd
        np.testing.assert_allclose(found[7], -found[2], rtol=0, atol=1e-13 * scale)
    assert np.linalg.eigvalsh(found)[0] > -1e-13 * scale


def test_series_states_its_error():
    """Oracle: Parseval; E[tanh^2] of every field by quadrature."""
    lam, W = small_system(2, 40, 30)
    features = Features.build(lam, 3 * W, "tanh")
    series = features.kernel
    assert isinstance(series, FeatureSeries)
    assert series.error <= ACCURACY
    for total, variance in zip(series.totals, features.variances, strict=True):
        assert total == pytest.approx(by_angle(np.tanh, *[variance] * 3), rel=1e-8)


LAM, W3 = [1, 0.5], [[1, 0, 1], [2, 2, 0]]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((LAM, W3, -1), ValueError, "the degree p must be a positive integer"),
        ((LAM, W3, 0), ValueError, "the degree p must be a positive integer"),
        ((LAM, W3, 1.5), ValueError, "the degree p must be a positive integer"),
        ((LAM, W3, "tangent"), ValueError, "unknown activation 'tangent'"),
        (([1, -0.5], W3, 2), ValueError, "eigenvalues must be positive and finite, found -0.5"),
        (([1], W3, 2), ValueError, r"found shapes \(2, 3\) and \(1,\)"),
        ((LAM, [1, 2], 2), ValueError, r"found shapes \(2,\) and \(2,\)"),
        ((LAM, [[1, math.nan], [0, 1]], 2), ValueError, "W must be finite, found column 1 of norm"),
        ((LAM, [[0, 1], [0, 1]], 2), ValueError, "column 0 of W is zero"),
        ((LAM, W3, sp.Abs(x) + sp.tanh(x)), ValueError, "because of the kink"),
        ((LAM, W3, sp.tanh(1000 * x)), ArithmeticError, "too steep"),
        ((LAM, [[1e90, 1], [1, 1]], 2), OverflowError, "beyond the range of doubles"),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        feature_covariance(*arguments)
