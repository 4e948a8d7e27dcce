"""A small encoder, its tasks and its training."""

import numpy as np
import pytest

from numerics.transformer_tasks import Sample, SequenceTask
from numerics.transformer_training import Adam, train
from numerics.transformers import Encoder

SMALL = Encoder(tokens=3, features=4, width=8, layers=2, heads=2, hidden=6)
TASK = SequenceTask(beta=1.5, s=0.5, noise=0.1, seed=0)


def jax_or_skip():
    return pytest.importorskip("jax", reason="the extra ntk")


def by_hand(encoder, weights, x):
    """The encoder in plain loops over heads and tokens."""

    def normalised(h):
        return (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-6)

    h = x @ weights["embed"] + weights["position"]
    size = encoder.width // encoder.heads
    for n in range(encoder.layers):
        q, k, v = (normalised(h) @ weights[name][n] for name in ("query", "key", "value"))
        mixed = np.zeros_like(h)
        for head in range(encoder.heads):
            part = slice(head * size, (head + 1) * size)
            for t in range(encoder.tokens):
                share = np.exp(k[:, part] @ q[t, part] / np.sqrt(size))
                mixed[t, part] = share @ v[:, part] / share.sum()
        h = h + mixed @ weights["out"][n]
        u = normalised(h) @ weights["up"][n]
        gelu = u / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (u + 0.044715 * u**3)))
        h = h + gelu @ weights["down"][n]
    return normalised(h).mean(0) @ weights["readout"]


def test_output_is_that_of_plain_loops():
    """Oracle: attention head by head and token by token, in NumPy."""
    jax = jax_or_skip()
    x = np.random.default_rng(0).standard_normal((SMALL.tokens, SMALL.features))
    weights = SMALL.weights(0)
    with jax.enable_x64(True):
        found = float(jax.jit(SMALL.output)(weights, x))
    assert found == pytest.approx(by_hand(SMALL, weights, x), rel=1e-12)


def test_weights_have_the_variance_of_their_inputs():
    """Oracle: 1/fan-in, positions 1; a seed repeats, another differs."""
    drawn, again, other = (Encoder(width=64).weights(seed) for seed in (1, 1, 2))
    assert drawn["query"].var() * 64 == pytest.approx(1, rel=0.1)
    assert drawn["down"].var() * 64 == pytest.approx(1, rel=0.1)
    assert drawn["position"].var() == pytest.approx(1, rel=0.2)
    np.testing.assert_array_equal(drawn["up"], again["up"])
    assert not np.array_equal(drawn["up"], other["up"])


@pytest.mark.montecarlo
def test_task_has_its_covariance_target_and_noise():
    """Oracle: the power laws, from 20000 samples in standard errors."""
    encoder, n = Encoder(tokens=2, features=4), 20_000
    sample = TASK.draw(encoder, n, 1)
    x = sample.inputs.reshape(n, -1)
    values = np.linalg.eigvalsh(x.T @ x / n)[::-1]
    law = TASK.eigenvalues(8)
    assert law.sum() == pytest.approx(8)
    assert np.all(np.abs(values / law - 1) < 4 * np.sqrt(2 / n) + 0.01)
    # f = sum theta_j z_j: the share of mode j is theta_j^2 ~ j^-(2 s beta + 1).
    vectors = np.linalg.eigh(x.T @ x / n)[1][:, ::-1]
    theta = (sample.targets @ (x @ vectors / np.sqrt(values)) / n) ** 2
    assert theta[0] / theta[1] == pytest.approx(2**2.5, rel=0.15)
    assert np.var(sample.labels - sample.targets) == pytest.approx(0.1, rel=0.05)


def test_streams_share_the_target_only():
    """Oracle: the linear map from inputs to targets, exact on one stream, holds for another."""
    encoder = Encoder(tokens=2, features=4)
    one, two = (TASK.draw(encoder, 50, stream) for stream in (1, 2))
    flat = one.inputs.reshape(50, -1), two.inputs.reshape(50, -1)
    map_ = np.linalg.lstsq(flat[0], one.targets)[0]
    np.testing.assert_allclose(flat[1] @ map_, two.targets, atol=1e-10)
    assert not np.allclose(flat[0], flat[1])


def linear_sample(n, seed):
    x = np.random.default_rng(seed).standard_normal((n, 3))
    f = x @ np.array([1.0, -0.5, 0.25])
    return Sample(x, f, f)


def test_training_solves_least_squares():
    """Oracle: the weights that made the labels, w = (1, -1/2, 1/4)."""
    jax_or_skip()
    adam = Adam(rate=0.01, batch=16, steps=1500, every=100)
    some, test = linear_sample(40, 0), linear_sample(20, 1)
    found = train(lambda w, x: x @ w, np.zeros(3), some, test, adam, 0)
    np.testing.assert_allclose(found.weights, [1, -0.5, 0.25], atol=1e-4)
    assert found.errors[0] > 0.5
    assert found.errors[found.best] < 1e-7
    np.testing.assert_array_equal(found.steps, np.arange(0, 1501, 100))


def test_first_step_of_adam():
    """Oracle: by hand, a step of Adam has the length of the rate, against the gradient's sign."""
    jax_or_skip()
    adam = Adam(rate=0.125, batch=4, steps=1, every=1)
    sample = Sample(np.ones(5), np.ones(5), np.ones(5))
    found = train(lambda w, x: w * x, 0.5, sample, sample, adam, 0)
    assert float(found.weights) == pytest.approx(0.625, rel=1e-6)
    assert found.errors == pytest.approx([0.25, 0.375**2], rel=1e-6)


def test_state_of_the_smallest_test_error_is_kept():
    """Oracle: labels that pull away from the targets: the start is best."""
    jax_or_skip()
    sample = linear_sample(20, 0)
    wrong = Sample(sample.inputs, sample.targets, -sample.labels)
    start = np.array([1.0, -0.5, 0.25])
    found = train(lambda w, x: x @ w, start, wrong, sample, Adam(steps=50), 0)
    assert found.best == 0
    np.testing.assert_array_equal(found.weights, start)


@pytest.mark.slow
def test_the_encoder_learns_its_task():
    """Oracle: less error than the answer zero; fewer with more examples."""
    jax_or_skip()
    test, pool = TASK.draw(SMALL, 200, 1), TASK.draw(SMALL, 400, 2)
    adam = Adam(rate=3e-3, steps=300)
    errors = []
    for n in (20, 400):
        some = Sample(pool.inputs[:n], pool.targets[:n], pool.labels[:n])
        errors.append(train(SMALL.output, SMALL.weights(0), some, test, adam, 0).errors.min())
    assert errors[1] < errors[0] / 2 < np.mean(test.targets**2) / 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Encoder(width=30), "heads must divide the width, found 4 and 30"),
        (lambda: Encoder(layers=0), "layers must be at least 1"),
        (lambda: SequenceTask(0, 0.5, 0, 0), "beta must be positive"),
        (lambda: SequenceTask(2, 0.5, -1, 0), "noise must not be negative"),
        (lambda: Adam(steps=30), "steps must be a multiple of every, found 30 and 25"),
        (lambda: Adam(rate=0), "rate must be positive"),
        (lambda: TASK.draw(SMALL, 0, 1), "n must be at least 1"),
        (lambda: TASK.draw(SMALL, 5, 0), "stream must be at least 1"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_divergence_is_named():
    """Oracle: outputs that overflow after one step of a huge rate."""
    jax_or_skip()
    sample = linear_sample(20, 0)
    adam = Adam(rate=1e200, steps=25)
    with pytest.raises(ArithmeticError, match=r"training diverged by step 25 .* smaller"):
        train(lambda w, x: x @ w, np.zeros(3), sample, sample, adam, 0)
