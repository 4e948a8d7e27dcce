"""Initial overlaps: laws of the Wishart distribution, and bad input."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.initial import InitialCondition, _bartlett, gram_factor, initial, multiplicities
from theory.models import Discrete, Isotropic, PowerLaw, TeacherStudent

ERF22 = TeacherStudent(K=2, M=2, spectrum=PowerLaw(beta=1, L=8), eta=1)


@pytest.mark.parametrize("n", [1, 2, 4, 7])
def test_bartlett_has_the_moments_of_a_wishart_matrix(n):
    """Oracle: E W = n I, Var W_ii = 2n, Var W_ij = n, E det(2 x 2 minor) = n (n - 1), rank n."""
    draws, size = 20_000, 4
    factor = _bartlett(np.full(draws, n), size, np.random.default_rng(3))
    W = factor @ factor.transpose(0, 2, 1)
    mean_error = np.sqrt(n * (1 + np.eye(size)) / draws)
    assert np.all(np.abs(W.mean(axis=0) - n * np.eye(size)) < 4 * mean_error)
    np.testing.assert_allclose(W.var(axis=0), n * (1 + np.eye(size)), rtol=0.25)
    for i in range(size - 1):
        minor = np.linalg.det(W[:, i : i + 2, i : i + 2])
        error = minor.std() / np.sqrt(draws)
        assert abs(minor.mean() - n * (n - 1)) <= 4 * error + 1e-12
    rank = np.linalg.matrix_rank(W[:50], tol=1e-9)
    assert np.all(rank == min(n, size))


def test_draws_are_those_of_raw_vectors():
    """Oracle: mean and variance of q, r, t from drawing the N-dimensional vectors themselves."""
    model, N, sigma = ERF22.replace(spectrum=Discrete([1, 2], [1, 3])), 12, 0.5
    grams = np.array([initial(model, sigma, N, seed).gram for seed in range(1500)])
    rng, raw = np.random.default_rng(5), []
    for _ in range(1500):
        vectors = rng.standard_normal((4, N)) * np.array([1, 1, sigma, sigma])[:, None]
        parts = vectors[:, :3], vectors[:, 3:]
        raw.append([v @ v.T / v.shape[1] for v in parts])
    raw = np.array(raw)
    difference = grams.mean(axis=0) - raw.mean(axis=0)
    error = np.sqrt((grams.var(axis=0) + raw.var(axis=0)) / 1500)
    assert np.max(np.abs(difference / error)) < 4
    np.testing.assert_allclose(grams.var(axis=0), raw.var(axis=0), rtol=0.3)


def test_the_draw_approaches_its_mean_at_huge_N():
    """Oracle: the law of large numbers; also, N = 10^13 costs nothing."""
    drawn = initial(ERF22, "1/10", 8 * 10**12, seed=1)
    mean = initial(ERF22, "1/10", None)
    np.testing.assert_allclose(drawn.gram, mean.gram, atol=1e-5)
    np.testing.assert_array_equal(mean.q, np.broadcast_to(0.1**2 * np.eye(2), (8, 2, 2)))


def test_a_draw_is_a_function_of_its_seed():
    """Oracle: the same seed twice, another seed once."""
    first, again, other = (initial(ERF22, 0.1, 64, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.gram, again.gram)
    assert not np.any(first.q == other.q)
    assert first.provenance == {"sigma_J": 0.1, "N": 64, "seed": 1}


def test_multiplicities():
    """Oracle: n_k = N w_k by hand."""
    model = ERF22.replace(spectrum=Discrete([1, 2], [1, 3]))
    np.testing.assert_array_equal(multiplicities(model, 12), [3, 9])
    assert multiplicities(ERF22.replace(spectrum=Isotropic()), 5) == [5]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0.1, 1001, 0), ValueError, "N = 1000 or 1008"),
        ((0.1, 3, 0), ValueError, "such as N = 8"),
        ((0.1, 0, 0), ValueError, "N must be at least 1"),
        ((0.1, 64.0, 0), TypeError, "N must be a whole number"),
        ((0.1, 64, None), ValueError, "pass seed="),
        ((0.1, 64, -1), ValueError, "seed must be at least 0"),
        ((-0.1, 64, 0), ValueError, "sigma_J must not be negative"),
        ((float("nan"), 64, 0), ValueError, "sigma_J must be finite"),
        ((sp.Symbol("s"), 64, 0), ValueError, "sigma_J must be a number"),
    ],
)
def test_bad_draws_say_what_to_do(arguments, error, message):
    """Oracle: the message a user needs."""
    with pytest.raises(error, match=message):
        initial(ERF22, *arguments)


def test_symbolic_and_irrational_models_are_refused():
    """Oracle: the message a user needs."""
    with pytest.raises(ValueError, match=r"use model\.replace"):
        initial(TeacherStudent(K=sp.Symbol("K", integer=True, positive=True), M=2), 0.1, 64, 0)
    irrational = ERF22.replace(spectrum=Discrete([1, 2], [1, sp.sqrt(2)]))
    with pytest.raises(ValueError, match="rational spectrum weights"):
        initial(irrational, 0.1, 64, 0)


@pytest.mark.parametrize(
    ("q", "r", "t", "error", "message"),
    [
        ([[[1.0]]], [[0.0]], None, ValueError, r"r must have shape \(L, K, M\)"),
        ([[[1.0]]], [[[0.0], [0.0]]], None, ValueError, r"q must have shape \(1, 2, 2\)"),
        ([[[1.0]]], [[[0.0]]], [[1.0]], ValueError, r"t must have shape \(1, 1, 1\)"),
        ([[[np.nan]]], [[[0.0]]], None, ValueError, "q is not finite in mode 1"),
        ([[[1.0, 0.5], [0.4, 1.0]]], [[[0.0]] * 2], None, ValueError, "q must be symmetric"),
        ([[[1.0]], [[0.2]]], [[[0.0]], [[0.5]]], None, ValueError, "mode 2 belong to no vectors"),
        ([[[-1.0]]], [[[0.0]]], None, ValueError, "negative square norm"),
        ([[["a"]]], [[[0.0]]], None, TypeError, "array of real numbers"),
        ([[[1j]]], [[[0.0]]], None, TypeError, "array of real numbers"),
    ],
)
def test_bad_overlaps_say_what_is_wrong(q, r, t, error, message):
    """Oracle: the message a user needs."""
    with pytest.raises(error, match=message):
        InitialCondition(q, r, t)


def test_mpf_overlaps_are_kept():
    """Oracle: the number itself, beyond double precision."""
    with mp.workdps(40):
        third = mp.mpf(1) / 3
    start = InitialCondition([[[third]]], [[[mp.mpf(0)]]])
    assert start.q[0, 0, 0] == third
    assert isinstance(start.t[0, 0, 0], mp.mpf)
    with pytest.raises(TypeError, match="mixes mpmath numbers"):
        InitialCondition([[[third]]], [[[0.0, mp.mpf(0)]]])


def test_gram_factor_of_every_rank():
    """Oracle: F F^T = gram, entrywise relative, for small students and deficient ranks."""
    small = np.array([[1.0, 1e-9], [1e-9, 4e-18]])
    same = np.array([[1.0, 1.0], [1.0, 1.0]])
    gone = np.array([[1.0, 0.0], [0.0, 0.0]])
    gram = np.stack([small, same, gone])
    factor = gram_factor(gram)
    np.testing.assert_allclose(factor @ factor.transpose(0, 2, 1), gram, rtol=1e-14)
    assert np.count_nonzero(np.any(factor != 0, axis=1), axis=1).tolist() == [2, 1, 1]
