"""Averages by quadrature against closed forms, tensor grids and higher orders."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from numpy.polynomial.hermite_e import hermegauss

from numerics.quadrature import Quadrature
from theory.activations import Activation
from theory.gaussian import I2_kernel, I4_kernel, price, stein

x = sp.Symbol("x", real=True)
SCALE = 0.7


def random_covariance(fields: int, rank: int, seed: int) -> np.ndarray:
    """Variances one, of the given rank."""
    factor = np.random.default_rng(seed).normal(size=(fields, rank))
    factor /= np.linalg.norm(factor, axis=1)[:, None]
    C = factor @ factor.T
    np.fill_diagonal(C, 1.0)
    return C


def signs(fields: int, K: int) -> np.ndarray:
    return np.where(np.arange(fields) < K, -SCALE, SCALE)


def closed_pairs(activation, C, K):
    """D and eps_g from the closed forms of theory.gaussian."""
    n, s = len(C), signs(len(C), K)
    I2, dIab, dIaa = (
        sp.lambdify(k(activation).variables, k(activation).expr) for k in (I2_kernel, price, stein)
    )

    def at(kernel, a, b):
        # rounding must not carry a correlation beyond one
        return kernel(C[a, a], C[b, b], np.clip(C[a, b], -1, 1))

    drift = np.array([[SCALE * s[f] * at(dIab, i, f) for f in range(n)] for i in range(K)])
    for i in range(K):
        drift[i, i] += SCALE * sum(s[f] * 2 * at(dIaa, i, f) for f in range(n))
    error = sum(s[f] * s[h] * at(I2, f, h) for f in range(n) for h in range(n)) / 2
    return drift, error


def closed_noise(activation, C, K):
    """G from the closed four-point average."""
    n, s = len(C), signs(len(C), K)
    kernel = sp.lambdify(I4_kernel(activation).variables, I4_kernel(activation).expr)

    def I4(*q):
        return kernel(
            *(C[a, a] for a in q), *(C[q[a], q[b]] for a in range(4) for b in range(a + 1, 4))
        )

    pairs = [(f, h) for f in range(n) for h in range(n)]
    return np.array(
        [
            [SCALE**2 * sum(s[f] * s[h] * I4(i, j, f, h) for f, h in pairs) for j in range(K)]
            for i in range(K)
        ]
    )


def rule(activation, **options):
    return Quadrature(Activation(activation), 2, SCALE, **options)


def assert_close(rule, C, drift, noise, error, atol):
    """All averages within `atol`, and within the estimate where that is above rounding."""
    found = rule.averages(C)
    values = (found.drift, found.noise, np.asarray(found.generalization_error))
    expected = (drift, noise, np.asarray(error))
    largest = max(np.max(np.abs(wanted)) for wanted in expected)
    # The estimate is the difference to a higher order, which has an error of its own.
    bound = min(atol, 1.1 * largest * rule.error(C)) + 1e-12 * largest
    for value, wanted in zip(values, expected, strict=True):
        assert np.max(np.abs(value - wanted)) <= bound


@pytest.mark.parametrize("activation", ["erf", "sin", "He_3", "exp", "linear"])
@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5])
def test_smooth_activations_with_closed_forms(activation, rank):
    """Oracle: the closed forms (erf, polynomials, exponentials), K = 2, M = 3, every rank."""
    C = random_covariance(5, rank, seed=rank)
    drift, error = closed_pairs(activation, C, 2)
    noise = closed_noise(activation, C, 2)
    assert_close(rule(activation), C, drift, noise, error, atol=1e-8)


@pytest.mark.parametrize("g", [sp.tanh(x), x * (1 + sp.erf(x / sp.sqrt(2))) / 2], ids=str)
def test_smooth_activations_on_a_tensor_grid(g):
    """Oracle: tensor Gauss-Hermite in three dimensions with g'' itself, no conditioning."""
    C = random_covariance(3, 3, seed=1) / 2
    nodes, weights = hermegauss(80)
    grid = np.array(np.meshgrid(nodes, nodes, nodes)).reshape(3, -1)
    fields = np.linalg.cholesky(C) @ grid
    w = np.prod(np.array(np.meshgrid(weights, weights, weights)).reshape(3, -1), axis=0)
    w /= (2 * np.pi) ** 1.5
    values, slopes, curvatures = (
        sp.lambdify(x, d, ["scipy", "numpy"])(fields) for d in (g, g.diff(x), g.diff(x, 2))
    )
    s = signs(3, 2)
    difference = s @ values
    drift = SCALE * (slopes[:2] * w) @ slopes.T * s
    drift[:, :2] += SCALE * np.diag(curvatures[:2] @ (w * difference))
    noise = SCALE**2 * (slopes[:2] * w * difference**2) @ slopes[:2].T
    assert_close(rule(g), C, drift, noise, w @ difference**2 / 2, atol=1e-8)


@pytest.mark.parametrize("activation", ["relu", sp.Max(x, x / 10), sp.Abs(x)], ids=str)
@pytest.mark.parametrize("rank", [1, 4])
def test_kinks_keep_their_order(activation, rank):
    """Oracle: arc-cosine closed forms of D and eps_g, degenerate rank included."""
    C = random_covariance(4, rank, seed=3)
    drift, error = closed_pairs(activation, C, 2)
    found = rule(activation).averages(C)
    assert np.allclose(found.drift, drift, rtol=0, atol=1e-7)
    assert found.generalization_error == pytest.approx(error, abs=1e-7)


@pytest.mark.parametrize("g", [sp.tanh(x), sp.tanh(2 * x), 1 / (1 + x**2)], ids=str)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_error_estimate_covers_the_error(g, seed):
    """Oracle: the same at three times the order; the estimate covers it, within a factor of ten."""
    C = random_covariance(3, 3, seed)
    estimates = []
    for order in (16, 24, 36):
        sharp = rule(g, order=3 * order).averages(C)
        error = rule(g, order=order).averages(C).difference(sharp)
        estimates.append(rule(g, order=order).error(C))
        assert error <= 1.5 * estimates[-1]
        assert estimates[-1] <= 10 * error
    assert estimates[0] > 2 * estimates[1] > 4 * estimates[2]


def test_a_reach_too_short_is_seen():
    """Oracle: E[g(x)^2] = exp(2 C) for exp at C = 25, whose mass lies beyond ten deviations."""
    C = np.array([[25.0]])
    few = Quadrature(Activation("exp"), 1, 1.0, order=24)
    found = 2 * few.averages(C, noise=False).generalization_error
    assert abs(found / np.exp(50.0) - 1) > 0.01
    assert few.error(C, noise=False) > 0.01


def test_G_is_left_out_unless_asked_for():
    """Oracle: the same D and eps_g, bit for bit."""
    C = random_covariance(3, 3, seed=5)
    full, short = rule("erf").averages(C), rule("erf").averages(C, noise=False)
    assert short.noise is None
    assert np.array_equal(short.drift, full.drift)
    assert short.generalization_error == full.generalization_error


def test_label_noise_adds_to_G_only():
    """Oracle: G gains c^2 label_noise E[g'(x_i) g'(x_j)], by the closed form of Price."""
    C = random_covariance(3, 3, seed=5)
    without = rule("erf").averages(C)
    noisy = rule("erf", label_noise=0.3).averages(C)
    kernel = sp.lambdify(price("erf").variables, price("erf").expr)
    added = [[kernel(C[i, i], C[j, j], C[i, j]) for j in range(2)] for i in range(2)]
    assert np.allclose(noisy.noise - without.noise, SCALE**2 * 0.3 * np.array(added), atol=1e-10)
    assert np.array_equal(noisy.drift, without.drift)
    assert noisy.generalization_error == without.generalization_error


@pytest.mark.parametrize(
    ("activation", "C", "K", "error", "message"),
    [
        ("erf", np.ones((2, 3)), 1, ValueError, "square matrix, found shape"),
        ("erf", np.eye(2), 3, ValueError, "K must be between 1 and 2"),
        ("erf", [[1, 0], [np.nan, 1]], 1, ValueError, "must be finite"),
        ("erf", [[1, 0], [0.5, 1]], 1, ValueError, "symmetric"),
        ("erf", [[1, 2], [2, 1]], 1, ValueError, "with the eigenvalue -1"),
        ("erf", np.diag([1e13, 1]) + 1e7 * np.eye(2)[::-1], 1, ValueError, "eigenvalue -2.16"),
        ("erf", [[0, 0], [0, 1]], 1, ValueError, "positive variance"),
        ("sign", np.eye(2), 1, ValueError, "jumps at zero"),
        (sp.Max(x - 1, 0), np.eye(2), 1, ValueError, "kink elsewhere than at zero"),
        (sp.exp(x**2), 100 * np.eye(2), 1, FloatingPointError, "grows too fast"),
    ],
)
def test_errors_say_what_is_wrong(activation, C, K, error, message):
    """Oracle: the rule of the house on error messages."""
    with pytest.raises(error, match=message):
        Quadrature(Activation(activation), K, SCALE).averages(C)
