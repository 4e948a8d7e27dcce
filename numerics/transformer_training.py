r"""Training a network on n examples, with its test error on the way.

Summary
    Adam on the mean squared error of minibatches drawn with replacement, at a constant learning
    rate and without weight decay. The only regularisation is when to stop: the state with the
    smallest test error on the way is kept, as the best ridge is chosen for kernel regression, so
    that nothing depends on a rule for stopping.

References
    D. Kingma & J. Ba, ICLR 2015 (Adam).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.random import Generator, Philox, SeedSequence

from .initial import whole_number
from .jax_backend import double_precision, load_jax
from .modes import positive_float
from .storage import Array
from .transformer_tasks import Sample

__all__ = ["Adam", "Training", "train"]

FIRST, SECOND, SMALL = 0.9, 0.999, 1e-8
"""Adam's decay rates of both moments, and what is added to the root."""


@dataclass(frozen=True)
class Adam:
    """How long and how fast to train.

    Parameters
    ----------
    rate : positive number
    batch : int
        Examples of a step, drawn with replacement.
    steps : int
        A multiple of `every`.
    every : int
        Steps between two tests.

    Raises
    ------
    ValueError, TypeError
        If a number is out of its range.
    """

    rate: float = 1e-3
    batch: int = 64
    steps: int = 600
    every: int = 25

    def __post_init__(self) -> None:
        positive_float(self.rate, "rate")
        for name in ("batch", "steps", "every"):
            whole_number(getattr(self, name), name, 1)
        if self.steps % self.every:
            raise ValueError(
                f"steps must be a multiple of every, found {self.steps} and {self.every}"
            )


@dataclass(frozen=True, eq=False)
class Training:
    """What one training found.

    Attributes
    ----------
    steps : (T,)
        0, every, ..., steps.
    errors : (T,)
        Mean of (output - f)^2 over the test inputs, f without noise.
    losses : (T,)
        Mean of (output - y)^2 over the training examples.
    weights : dict
        Those of the smallest test error.
    """

    steps: Array
    errors: Array
    losses: Array
    weights: Any

    @property
    def best(self) -> int:
        """Index of the smallest test error."""
        return int(np.argmin(self.errors))


def train(
    output: Callable[[Any, Any], Any],
    weights: Any,
    examples: Sample,
    test: Sample,
    adam: Adam,
    seed: int,
) -> Training:
    """Train on the labels of `examples`, tested on the targets of `test`.

    Parameters
    ----------
    output : callable
        ``output(weights, x)``, one number, made of JAX functions.
    seed : int
        Of the minibatches.

    Raises
    ------
    ArithmeticError
        If the loss or the test error is not finite: the learning rate is too large.
    ImportError
        If JAX is not installed.
    """
    random = Generator(Philox(SeedSequence(whole_number(seed, "seed", 0))))
    with double_precision() as jax:
        outputs, advance = _compiled(output, float(adam.rate))
        held = jax.tree.map(lambda w: jax.numpy.asarray(w, dtype=float), weights)
        zero = jax.tree.map(jax.numpy.zeros_like, held)
        state, kept, least = (held, zero, zero, 0.0), held, np.inf
        errors, losses = [], []
        for step in range(0, adam.steps + 1, adam.every):
            if step:
                drawn = random.integers(len(examples.labels), size=(adam.every, adam.batch))
                state = advance(state, (examples.inputs[drawn], examples.labels[drawn]))
            errors.append(_mean_square(outputs, state[0], test.inputs, test.targets))
            losses.append(_mean_square(outputs, state[0], examples.inputs, examples.labels))
            if not np.isfinite(errors[-1] + losses[-1]):
                raise ArithmeticError(
                    f"training diverged by step {step} (loss {losses[-1]}, test error "
                    f"{errors[-1]}): give a smaller learning rate than {adam.rate:g}"
                )
            if errors[-1] < least:
                kept, least = state[0], errors[-1]
        best = jax.tree.map(np.asarray, kept)
    steps = np.arange(0, adam.steps + 1, adam.every)
    return Training(steps, np.array(errors), np.array(losses), best)


def _mean_square(outputs: Any, weights: Any, inputs: Array, wanted: Array) -> float:
    return float(np.mean((np.asarray(outputs(weights, inputs)) - wanted) ** 2))


@lru_cache(maxsize=8)
def _compiled(output: Callable[[Any, Any], Any], rate: float) -> tuple[Any, Any]:
    """For many inputs at once the outputs, and the steps of Adam; the same for every n and seed.

    The steps take (weights, both moments, time) and batches, one a step, to the same after them.
    """
    jax = load_jax()
    outputs = jax.vmap(output, in_axes=(None, 0))

    def loss(weights: Any, x: Any, y: Any) -> Any:
        return ((outputs(weights, x) - y) ** 2).mean()

    def step(state: Any, batch: Any) -> tuple[Any, None]:
        weights, mean, square, time = state
        slope = jax.grad(loss)(weights, *batch)
        time = time + 1
        mean = jax.tree.map(lambda m, g: FIRST * m + (1 - FIRST) * g, mean, slope)
        square = jax.tree.map(lambda v, g: SECOND * v + (1 - SECOND) * g**2, square, slope)

        def moved(w: Any, m: Any, v: Any) -> Any:
            root = jax.numpy.sqrt(v / (1 - SECOND**time))
            return w - rate * (m / (1 - FIRST**time)) / (root + SMALL)

        return (jax.tree.map(moved, weights, mean, square), mean, square, time), None

    advance = jax.jit(lambda state, batches: jax.lax.scan(step, state, batches)[0])
    return jax.jit(outputs), advance
