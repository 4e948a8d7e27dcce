"""What a step of the exact chain costs: CPU time, so that a busy machine does not matter."""

import time

import numpy as np
import pytest

from numerics.sgd import Rule, compile_activation, step_chain
from theory import Activation

pytestmark = pytest.mark.slow


def cost(L, N, steps):
    """Seconds per step of the chain, K = M = 2, erf, eta = 1, L equal modes; best of seven."""
    g, slope = compile_activation(Activation("erf"))
    rule = Rule(0.0, 2**-0.5, 2**-0.5, 0.0, 2)
    start = np.tile(np.diag([1, 1, 0.5, 0.5]) * L**-0.5, (L, 1, 1))
    root, freedom, rates = np.ones(L), np.full(L, N / L - 4), np.full(steps, 1 / N)
    best = np.inf
    for attempt in range(8):  # the first one may compile
        rng = np.random.Generator(np.random.Philox(attempt))
        vectors = start.copy()
        began = time.thread_time()
        assert step_chain(g, slope, rng, vectors, root, root, freedom, rates, rule) == steps
        best = min(best, time.thread_time() - began) if attempt else best
    return best / steps


def test_two_million_steps_a_second():
    """Oracle: the clock (5 million on a machine that does nothing else)."""
    assert cost(1, 1000, 200_000) < 0.5e-6


def test_a_step_costs_the_same_at_every_size():
    """Oracle: the same chain at N = 1e3 and N = 1e9."""
    assert cost(1, 10**9, 200_000) == pytest.approx(cost(1, 1000, 200_000), rel=0.5)


def test_a_step_costs_in_proportion_to_the_number_of_modes():
    """Oracle: slope 1 of log cost against log L, L = 8 .. 512."""
    sizes = np.array([8, 64, 512])
    costs = [cost(L, 1000 * L, 40_000 // L * 4) for L in sizes]
    assert np.polyfit(np.log(sizes), np.log(costs), 1)[0] == pytest.approx(1, abs=0.2)
