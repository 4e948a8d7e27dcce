"""Learning rates that depend on time: their integral, and the exponents they lead to."""

from itertools import pairwise

import numpy as np
import pytest
import sympy as sp

from theory.schedules import alpha, best_power, decaying, elapsed, excess_exponent


def test_elapsed_time_is_the_integral():
    """Oracle: differentiation."""
    for eta in (decaying(1, 3, "1/2"), decaying(2, 3, 1), sp.exp(-alpha), sp.Rational(1, 3)):
        found = elapsed(eta)
        assert sp.simplify(found.diff(alpha) - eta) == 0
        assert found.subs(alpha, 0) == 0
    with pytest.raises(NotImplementedError, match="no closed form"):
        elapsed(sp.Function("eta")(alpha))


def linear_excess(beta, p, times, L=30000):
    """eps_g of the noise alone, sigma^2 = 1, without its feedback: the sum over modes.

    d e_k/dtau = -2 lam_k e_k + eta lam_k, eta = (1 + alpha)^-p, in units of the largest rate.
    """
    k = np.arange(1.0, L + 1)
    lam = k ** -(1 + beta)
    tau = ((1 + times) ** (1 - p) - 1) / (1 - p)
    e = np.zeros(L)
    found = []
    for before, after in pairwise(tau):
        decay = np.exp(-2 * lam * (after - before))
        eta = (1 + (1 - p) * (before + after) / 2) ** (-p / (1 - p))
        e = decay * e + eta * (1 - decay) / 2
        found.append(np.sum(lam * e) / np.sum(lam) / 2)
    return np.array(found)


@pytest.mark.parametrize("p", [0.2, 0.35])
def test_noise_follows_the_learning_rate(p):
    """Oracle: the modes driven by label noise, integrated with exact exponentials."""
    times = np.concatenate([[0.0], np.geomspace(1e-2, 1e5, 4000)])
    eps = linear_excess(1.0, p, times)
    late = times[1:] > 1e4
    assert eps[late] == pytest.approx((1 + times[1:][late]) ** -p / 4, rel=0.03)


def test_best_power_makes_signal_and_noise_fall_together():
    """Oracle: a search over all powers."""
    for beta in (sp.Rational(1, 2), sp.Integer(1), sp.Integer(2)):
        powers = [sp.Rational(n, 500) for n in range(1, 280)]
        best = max(powers, key=lambda p, beta=beta: -excess_exponent(beta, p))
        assert abs(best - best_power(beta)) <= sp.Rational(1, 500)
        assert excess_exponent(beta, best_power(beta)) == -best_power(beta)


def test_a_schedule_that_falls_too_fast_has_no_such_law():
    with pytest.raises(ValueError, match="the noise of early times outlives eta"):
        excess_exponent(1, "3/5")
