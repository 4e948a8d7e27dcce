"""Radau IIA methods: their published coefficients, their order, and the split of A^-1."""

import mpmath as mp
import numpy as np
import pytest

from numerics.radau import radau


def test_three_stages_are_radau5():
    """Oracle: Hairer & Wanner, IV.5, table 5.6 and (8.20): nodes and error weights."""
    method = radau(3)
    root = np.sqrt(6)
    np.testing.assert_allclose(method.nodes, [(4 - root) / 10, (4 + root) / 10, 1], rtol=1e-15)
    weights = np.array([-13 - 7 * root, -13 + 7 * root, -1]) / 3
    np.testing.assert_allclose(method.error @ method.into * method.real, weights, rtol=1e-13)


@pytest.mark.parametrize("stages", [1, 3, 5, 7])
def test_split_inverts_the_collocation_integrals(stages):
    """Oracle: A integrates polynomials of degree below s exactly, so A^-1 differentiates them."""
    method = radau(stages)
    columns = np.arange(1, stages + 1)
    integrals = method.nodes[:, None] ** columns / columns
    blocks = np.zeros((stages, stages))
    blocks[0, 0] = method.real
    for k, (re, im) in enumerate(method.poles):
        pair = slice(1 + 2 * k, 3 + 2 * k)
        blocks[pair, pair] = [[re, -im], [im, re]]
    derivative = method.back @ blocks @ method.into @ integrals
    np.testing.assert_allclose(derivative, method.nodes[:, None] ** (columns - 1), atol=1e-11)


@pytest.mark.parametrize("stages", [3, 5, 7])
def test_transformation_is_inverted_and_bounded(stages):
    """Oracle: T^-1 T = 1, and no entry of w moves a stage by more than `bound`."""
    method = radau(stages)
    np.testing.assert_allclose(method.into @ method.back, np.eye(stages), atol=1e-12)
    assert np.all(np.abs(method.back) <= method.bound)
    np.testing.assert_allclose(method.back[-1], [1, *[1, 0] * (stages // 2)], atol=1e-15)


@pytest.mark.parametrize("stages", [3, 5, 7])
def test_order_is_2s_minus_1(stages):
    """Oracle: exp(z); the error of one step of y' = y falls as z^(2s)."""
    with mp.workdps(50):
        errors = [abs(_step(stages, z) - mp.exp(z)) for z in (mp.mpf(1) / 32, mp.mpf(1) / 64)]
        order = mp.log(errors[0] / errors[1], 2) - 1
    assert abs(order - (2 * stages - 1)) < 0.2


def _step(stages, z):
    """The stability function in high precision, from the nodes: P(z)/Q(z) by collocation."""
    nodes = [mp.mpf(x) for x in radau(stages).nodes]
    nodes = [mp.findroot(lambda x: mp.legendre(stages, 2 * x - 1)
                         - mp.legendre(stages - 1, 2 * x - 1), x) for x in nodes]  # fmt: skip
    powers = mp.matrix([[x**k for k in range(stages)] for x in nodes])
    integrals = mp.matrix([[x ** (k + 1) / (k + 1) for k in range(stages)] for x in nodes])
    A = integrals * powers**-1
    ones = mp.matrix([1] * stages)
    return mp.lu_solve(mp.eye(stages) - z * A, ones)[stages - 1]


def test_method_is_stiffly_accurate_and_damps():
    """Oracle: L-stability; the poles are in the right half plane and 1 is a node."""
    method = radau(7)
    assert method.nodes[-1] == 1
    assert method.real > 0
    assert np.all(method.poles[:, 0] > 0)


@pytest.mark.parametrize("stages", [0, 2, -3])
def test_even_numbers_of_stages_are_refused(stages):
    with pytest.raises(ValueError, match="odd positive number"):
        radau(stages)
