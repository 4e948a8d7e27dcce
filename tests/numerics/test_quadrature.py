"""Averages of analytic activations against closed forms, tensor grids and sharper rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from numpy.polynomial.hermite_e import hermegauss
from systems import random_covariance

from numerics.pointwise import pointwise
from numerics.quadrature import Quadrature
from theory.activations import Activation
from theory.gaussian import I2_kernel, I4_kernel, price, stein

x = sp.Symbol("x", real=True)
SCALE = 0.7


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
    return Quadrature(Activation(activation), 2, SCALE, **{"accuracy": 1e-9} | options)


def assert_close(rule, C, drift, noise, error, atol):
    """All averages within `atol` of the largest, and within the estimate of the error."""
    found = rule.averages(C)
    values = (found.drift, found.noise, np.asarray(found.generalization_error))
    expected = (drift, noise, np.asarray(error))
    largest = max(np.max(np.abs(wanted)) for wanted in expected)
    bound = largest * (min(atol, rule.error(C)) + 2e-11)
    for value, wanted in zip(values, expected, strict=True):
        assert np.max(np.abs(value - wanted)) <= bound


@pytest.mark.parametrize("activation", ["erf", "sin", "He_3", "linear"])
@pytest.mark.parametrize("rank", [1, 2, 4])
def test_smooth_activations_with_closed_forms(activation, rank):
    """Oracle: the closed forms (erf, polynomials, sine), K = M = 2; ranks one, two and full."""
    C = random_covariance(4, rank, seed=rank)
    drift, error = closed_pairs(activation, C, 2)
    noise = closed_noise(activation, C, 2)
    assert_close(rule(activation, accuracy=1e-12), C, drift, noise, error, atol=1e-8)


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


@pytest.mark.parametrize("accuracy", [1e-5, 1e-8])
@pytest.mark.parametrize(
    ("g", "width"), [(sp.tanh(x), 1.4), (sp.tanh(2 * x), 0.7), (1 / (1 + x**2), 0.8)], ids=str
)
def test_the_accuracy_asked_for_is_reached_and_the_estimate_honest(g, width, accuracy):
    """Oracle: the same at 1e-12 in a narrower strip."""
    C = random_covariance(3, 3, seed=1)
    sharp = rule(g, accuracy=1e-12, width=width / 1.2).averages(C)
    tested = rule(g, accuracy=accuracy, width=width)
    error = tested.averages(C).difference(sharp)
    assert error <= accuracy
    assert error <= tested.error(C) <= 10 * error


def stage(name):
    """Covariance of two students and two teachers at three stages of learning."""
    rng = np.random.default_rng(0)
    teachers = np.eye(2, 40)
    if name == "start":
        students = 0.5 * rng.normal(size=(2, 40)) / np.sqrt(40)
    elif name == "plateau":
        students = np.tile(0.8 * teachers.mean(axis=0), (2, 1)) + rng.normal(size=(2, 40)) / 60
    else:
        teachers = teachers + 0.05 * rng.normal(size=(2, 40))
        students = teachers + 0.03 * rng.normal(size=(2, 40))
    fields = np.concatenate([students, teachers])
    return fields @ fields.T


@pytest.mark.parametrize("name", ["start", "plateau", "late"])
@pytest.mark.parametrize(
    ("g", "width"),
    [(sp.tanh(x), 1.55), (x * (1 + sp.erf(x / sp.sqrt(2))) / 2, 2.0), (x / (1 + sp.exp(-x)), 3.1)],
    ids=["tanh", "GELU", "SiLU"],
)
def test_the_accuracy_is_reached_at_all_stages_of_learning(g, width, name):
    """Oracle: the same at 1e-12 in a narrower strip, with more nodes and terms."""
    C = stage(name)
    sharp = rule(g, accuracy=1e-12, width=width / 1.2).averages(C)
    assert rule(g, accuracy=1e-8, width=width).averages(C).difference(sharp) <= 1e-8


@pytest.mark.parametrize("width", [3.0, 6.0])
def test_too_wide_a_strip_is_seen(width):
    """Oracle: the same in a narrow strip; the poles of tanh(x) are at pi/2 only."""
    C = random_covariance(4, 4, seed=3)
    sharp = rule(sp.tanh(x), accuracy=1e-12).averages(C)
    tested = rule(sp.tanh(x), width=width)
    error = tested.averages(C).difference(sharp)
    assert error > 1e-6
    assert error <= tested.error(C)


@pytest.mark.parametrize("g", [sp.tanh(x), x / (1 + sp.exp(-x))], ids=str)
def test_a_perfect_student_has_neither_error_nor_noise(g):
    """Oracle: zeta = sigma, so that eps_g, G and the gradient vanish, far below the accuracy."""
    vectors = np.random.default_rng(7).normal(size=(3, 5)) / 2
    fields = np.array([*vectors, *vectors])
    found = Quadrature(Activation(g), 3, SCALE, accuracy=1e-6).averages(fields @ fields.T)
    assert abs(found.generalization_error) < 1e-12
    assert np.max(np.abs(found.noise)) < 1e-9
    assert np.max(np.abs(found.drift[:, :3] + found.drift[:, 3:])) < 1e-9


def test_noise_is_positive_although_approximate():
    """Oracle: G_ii = E[delta_i^2] >= 0, down to students that hardly differ from the teachers."""
    rng = np.random.default_rng(5)
    for gap in 10.0 ** -np.arange(1, 8):
        teachers = rng.normal(size=(3, 6)) / 2
        fields = np.array([*(teachers + gap * rng.normal(size=(3, 6))), *teachers])
        tested = Quadrature(Activation(sp.tanh(x)), 3, SCALE, accuracy=1e-5)
        G = tested.averages(fields @ fields.T).noise
        # E[delta^2] = O(gap^2)
        assert np.all(np.diag(G) >= 0)
        assert np.all(np.diag(G) < 30 * gap**2 + 1e-12)


def test_small_fields_need_few_nodes():
    """Oracle: the values of g, counted; a hundredth of the size still to the accuracy asked for."""
    counts = []
    for size in (1.0, 0.1, 0.01):
        C = size**2 * random_covariance(4, 4, seed=3)
        tested = rule(sp.tanh(x), accuracy=1e-8)
        compiled = pointwise(tested.activation)
        values = []
        counted = replace(compiled, g=lambda y, n=values, g=compiled.g: n.append(y.size) or g(y))
        tested.__dict__["_functions"] = counted
        sharp = rule(sp.tanh(x), accuracy=1e-13).averages(C)
        assert tested.averages(C).difference(sharp) < 1e-8
        counts.append(sum(values))
    assert counts[0] > 3 * counts[1] >= 3 * counts[2]


def test_a_reach_too_short_is_seen():
    """Oracle: E[g(x)^2] = exp(2 C) for exp at C = 25, whose mass lies beyond ten deviations."""
    C = np.array([[25.0]])
    tested = Quadrature(Activation("exp"), 1, 1.0)
    found = 2 * tested.averages(C, noise=False).generalization_error
    assert abs(found / np.exp(50.0) - 1) > 0.01
    assert tested.error(C, noise=False) > 0.01


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
        ("relu", np.eye(2), 1, ValueError, "has a kink: use numerics.kinked"),
        (sp.exp(x**2), 100 * np.eye(2), 1, FloatingPointError, "grows too fast"),
    ],
)
def test_errors_say_what_is_wrong(activation, C, K, error, message):
    """Oracle: the rule of the house on error messages."""
    with pytest.raises(error, match=message):
        Quadrature(Activation(activation), K, SCALE).averages(C)
