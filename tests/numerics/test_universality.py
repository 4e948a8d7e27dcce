"""What changes the redundancy law: maps of the features, mixtures, few features."""

import numpy as np
import pytest

from numerics.kernels import best_risk, effective_exponent, optimal_risk
from numerics.modes import Modes
from numerics.universality import (
    MappedKernel,
    mapped_kernel,
    mixture_modes,
    ostrowski_ratios,
    width_needed,
)
from theory.redundancy import KernelRegression
from theory.redundancy_universality import mapped_smoothness, mixture_exponent, width_exponent


def test_mapped_kernel_is_dense_algebra():
    """Oracle: matrices of 200 modes, inverted."""
    i = np.arange(1.0, 201)
    lam, theta, x, kappa = i**-2, i**-1.25, i**-0.75, 1e-3
    square = x @ x
    found = MappedKernel(Modes(lam, np.ones(200), theta**2), x, (2 + square) / (1 + square) ** 2)
    A = np.eye(200) + np.outer(x, x)
    C = A @ np.diag(lam) @ A
    resolvent = np.linalg.inv(C + kappa * np.eye(200))
    rest = kappa * resolvent @ np.linalg.solve(A, theta / np.sqrt(lam))
    assert found.bias(kappa) == pytest.approx(rest @ C @ rest, rel=1e-9)
    share = C @ resolvent
    assert found.dimension(kappa, 1) == pytest.approx(np.trace(share), rel=1e-9)
    assert found.dimension(kappa, 2) == pytest.approx(np.trace(share @ share), rel=1e-9)


@pytest.mark.parametrize(
    ("beta", "s", "delta"), [(2, 1, "1/4"), (2, "3/4", "1/4"), (3, 1, "1/2"), (2, "3/4", "3/4")]
)
def test_a_bounded_map_takes_smoothness(beta, s, delta):
    """Oracle: min(s, 1/2 + delta/beta), BC25's counterexample where it is below s."""
    problem = KernelRegression(beta, s)
    found = mapped_kernel(problem, delta).smoothness(1e-12)
    assert found == pytest.approx(float(mapped_smoothness(problem, delta)), abs=0.02)


def test_the_learning_curve_follows_the_lost_smoothness():
    """Oracle: the law with s = 1/2 + delta/beta, far from the law of the target before the map."""
    problem = KernelRegression(2, 1)
    mapped = mapped_kernel(problem, "1/4")
    n = [1e11, 1e12]
    found = effective_exponent(n, [mapped.risk(x, 1.0) for x in n])[0]
    lost = problem.replace(s=mapped_smoothness(problem, "1/4"))
    assert found == pytest.approx(-float(lost.exponent), abs=0.005)
    assert found > -float(problem.exponent) + 0.05


def test_a_bounded_map_keeps_the_spectrum():
    """Oracle: Ostrowski's bounds, for a random invertible matrix and the rank-one map."""
    lam = np.arange(1.0, 151) ** -2
    random = np.random.default_rng(1)
    x = np.arange(1.0, 151) ** -0.75
    for matrix in (np.eye(150) + random.normal(size=(150, 150)) / 30, np.eye(150) + np.outer(x, x)):
        ratios, low, high = ostrowski_ratios(lam, matrix)
        assert ratios.min() >= low * (1 - 1e-10)
        assert ratios.max() <= high * (1 + 1e-10)
        assert high / low < 100


def test_a_mixture_follows_its_worst_blocks():
    """Oracle: smallest beta and smallest s, from different blocks; a block alone is the kernel."""
    blocks = [KernelRegression(2, 1), KernelRegression(4, "1/2")]
    n = [1e11, 1e12]
    for weights in ([1, 1], [999, 1]):
        risks = [best_risk(mixture_modes(blocks, weights, x), x, 1.0).risk for x in n]
        found = effective_exponent(n, risks)[0]
        assert found == pytest.approx(-float(mixture_exponent(blocks)), abs=2e-3)
    alone = best_risk(mixture_modes(blocks[:1], [7], 1e5), 1e5, 1.0).risk
    assert alone == pytest.approx(optimal_risk(2, 1, 1e5, 1).risk, rel=1e-9)


def test_a_light_block_is_felt_late():
    """Oracle: weight 1/1000 of the rougher block; n = 1e4 is far from the limit."""
    blocks = [KernelRegression(2, 1), KernelRegression(4, "1/2")]
    n = [1e4, 1e5]
    risks = [best_risk(mixture_modes(blocks, [999, 1], x), x, 1.0).risk for x in n]
    found = effective_exponent(n, risks)[0]
    assert abs(found + float(mixture_exponent(blocks))) > 0.05


@pytest.mark.parametrize(("s", "tolerance"), [("1/4", 2e-3), ("3/4", 1e-2), (1, 2e-2), (2, 5e-3)])
def test_width_that_keeps_the_law(s, tolerance):
    """Oracle: n^((max(2s, 1) - 1 + 1/beta)/(2s + 1/beta)), s <= 1."""
    problem, n = KernelRegression(2, s), [1e9, 1e10]
    found = effective_exponent(n, [width_needed(problem, x) for x in n])[0]
    assert found == pytest.approx(float(width_exponent(problem)), abs=tolerance)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mapped_kernel(KernelRegression(2, "1/4"), "1/4"), "overlap of the target"),
        (lambda: mapped_kernel(KernelRegression(2, 1), 0), "delta must be positive"),
        (lambda: ostrowski_ratios([1, 2], np.eye(2)), "positive and descending"),
        (lambda: ostrowski_ratios([2, 1], np.eye(3)), "matrix must be 2 x 2"),
        (lambda: ostrowski_ratios([2, 1], np.ones((2, 2))), "must be invertible"),
        (lambda: mixture_modes([KernelRegression(2, 1)], [1, 2], 10), "give one each"),
        (lambda: mixture_modes([KernelRegression(2, 1)], [0], 10), "weight 1 must be positive"),
        (lambda: width_needed(KernelRegression(2, 1), 100, 1), "factor must be above 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
