"""Tangent kernels: known ones, finite differences, and JAX that is not there."""

import sys

import numpy as np
import pytest

from numerics.empirical_ntk import empirical_ntk, weight_jacobian
from numerics.transformers import Encoder

SMALL = Encoder(tokens=3, features=4, width=8, layers=2, heads=2, hidden=6)


def jax_or_skip():
    return pytest.importorskip("jax", reason="the extra ntk")


def test_linear_model_has_the_linear_kernel():
    """Oracle: by hand, f = w.x + b: K = X X^T + 1, in float64; blocks do not divide N."""
    jax_or_skip()
    x = np.random.default_rng(0).standard_normal((11, 5))
    weights = {"w": np.ones(5), "b": 0.5}
    kernel = empirical_ntk(lambda w, x: x @ w["w"] + w["b"], weights, x, block=4)
    np.testing.assert_allclose(kernel, x @ x.T + 1, rtol=1e-14)
    assert kernel.dtype == float


def test_product_of_two_layers():
    """Oracle: by hand, f = a b x with numbers a, b: K = (a^2 + b^2) x x'."""
    jax_or_skip()
    x = np.array([1.0, -2.0, 0.5])
    kernel = empirical_ntk(lambda w, x: w[0] * w[1] * x, [3.0, 0.25], x)
    np.testing.assert_allclose(kernel, (9 + 1 / 16) * np.outer(x, x), rtol=1e-14)


def test_jacobian_of_the_encoder_is_its_difference_quotient():
    """Oracle: central differences of the output along random directions, order h^2."""
    jax = jax_or_skip()
    weights = SMALL.weights(0)
    random = np.random.default_rng(1)
    x = random.standard_normal((3, SMALL.tokens, SMALL.features))
    step = {name: random.standard_normal(w.shape) for name, w in weights.items()}
    jacobian = weight_jacobian(SMALL.output, weights, x, block=3)
    direction = np.concatenate([leaf.ravel() for leaf in jax.tree.leaves(step)])
    assert jacobian.shape == (3, direction.size)
    found = jacobian @ direction

    outputs = jax.jit(jax.vmap(SMALL.output, in_axes=(None, 0)))

    def quotient(h):
        with jax.enable_x64(True):
            ends = [{n: w + sign * h * step[n] for n, w in weights.items()} for sign in (1, -1)]
            up, down = (np.asarray(outputs(w, x)) for w in ends)
        return (up - down) / (2 * h)

    errors = [np.max(np.abs(quotient(h) - found)) for h in (1e-3, 1e-4)]
    assert errors[1] < 1e-6 * np.max(np.abs(found))
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.1)


def test_kernel_is_symmetric_and_does_not_depend_on_blocks():
    """Oracle: the same in other blocks; eigenvalues that are not negative beyond rounding."""
    jax_or_skip()
    x = np.random.default_rng(2).standard_normal((7, SMALL.tokens, SMALL.features))
    kernel = empirical_ntk(SMALL.output, SMALL.weights(3), x, block=3)
    other = empirical_ntk(SMALL.output, SMALL.weights(3), x[:3], block=3)
    np.testing.assert_array_equal(kernel, kernel.T)
    np.testing.assert_allclose(kernel[:3, :3], other, rtol=1e-12)
    values = np.linalg.eigvalsh(kernel)
    assert values[0] > -1e-13 * values[-1]


def test_precision_of_other_jax_is_left_alone():
    """Oracle: JAX's own default, single precision."""
    jax = jax_or_skip()
    empirical_ntk(lambda w, x: w * x, 1.0, np.ones(2))
    assert jax.numpy.ones(1).dtype == np.float32


def test_missing_jax_says_how_to_install_it(monkeypatch):
    """Oracle: Python's own refusal of a module that is None."""
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ImportError, match=r'pip install "specscale\[ntk\]"'):
        empirical_ntk(lambda w, x: w * x, 1.0, np.ones(2))


@pytest.mark.parametrize(
    ("output", "inputs", "message"),
    [
        (
            lambda w, x: w * x,
            np.ones((2, 3)),
            "one number for each .* shape \\(3,\\)",
        ),
        (lambda w, x: w * x, np.array([1.0, np.nan]), "inputs must be finite"),
        (lambda w, x: w * x, np.empty(0), "inputs must be finite numbers, one or more"),
        (lambda w, x: (w - 1) ** 0.5 * x, np.ones(2), "derivatives .* not finite at input 0"),
    ],
)
def test_bad_input_is_named(output, inputs, message):
    jax_or_skip()
    with pytest.raises(ValueError, match=message):
        empirical_ntk(output, 1.0, inputs)
