"""Initial overlaps: laws of the Wishart distribution, exact numbers, and bad input."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.initial import InitialCondition, _bartlett, gram_factor, initial, multiplicities
from numerics.integrate import integrate
from theory.models import Discrete, Isotropic, PowerLaw, TeacherStudent
from theory.online import order_parameter_odes

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
    np.testing.assert_array_equal(mean.q, np.broadcast_to(0.01 * np.eye(2), (8, 2, 2)))


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
        ((0.1, np.array(64.5), 0), TypeError, "N must be a whole number"),
        ((0.1, True, 0), TypeError, "N must be a whole number"),
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
        ([[["a"]]], [[[0.0]]], None, ValueError, r"real numbers: the entry \[0, 0, 0\].* 'a'"),
        ([[[1j]]], [[[0.0]]], None, TypeError, "q must be an array of real numbers: .*1j"),
        ([[[True]]], [[[0.0]]], None, TypeError, "real numbers: .*found True"),
        ([[[mp.nan]]], [[[0]]], None, ValueError, "must be finite, found nan"),
        ([[[10**400]]], [[[0]]], None, ValueError, "q is not finite in mode 1"),
        ([[[1]]], [[[sp.Symbol("s")]]], None, ValueError, "r must .* is s, give its symbols"),
        ([[[1]]], [[[0], [0, 0]]], None, ValueError, "r must be a rectangular array"),
        ([np.eye(2), np.eye(3)], [[[0]]], None, ValueError, "q must be a rectangular array"),
    ],
)
def test_bad_overlaps_say_what_is_wrong(q, r, t, error, message):
    """Oracle: the message a user needs."""
    with pytest.raises(error, match=message):
        InitialCondition(q, r, t)


@pytest.mark.parametrize(
    ("third", "seventh"),
    [
        (Fraction(1, 3), Fraction(1, 7)),
        (sp.Rational(1, 3), sp.Rational(1, 7)),
        ("1/3", "1/7"),
        (mp.mpf(1) / 3, mp.mpf(1) / 7),
        (1 / sp.sqrt(9), sp.sqrt(2) / 7),
    ],
)
def test_exact_overlaps_start_a_precise_run(third, seventh):
    """Oracle: the number itself to 30 digits; in double precision the double nearest to it."""
    start = InitialCondition([[[third]]], [[[seventh]]])
    np.testing.assert_array_equal(start.q, [[[1 / 3]]])
    ode = order_parameter_odes(TeacherStudent(1, 1, eta=1))
    path = integrate(ode, start, 1, digits=30, at=[0, 1])
    with mp.workdps(40):
        for found, given in ((path.q, third), (path.r, seventh)):
            exact = mp.mpf(sp.N(given if isinstance(given, mp.mpf) else sp.sympify(given), 40))
            assert abs(found[0, 0, 0, 0] / exact - 1) < mp.mpf(10) ** -30
    assert path.q[0, 0, 0, 0] != 1 / 3 or isinstance(third, mp.mpf)


def test_kinds_of_numbers_mix():
    """Oracle: mpf of 40 digits, int, Fraction and float in one array, each with its own value."""
    with mp.workdps(40):
        third = mp.mpf(1) / 3
    start = InitialCondition([[[third, 0], [0, 0.1]]], [[[0], [Fraction(1, 7)]]])
    q, r, t = start.precise(40)
    with mp.workdps(40):
        assert q[0].tolist() == [[third, 0], [0, mp.mpf(0.1)]]
        assert r[0, 1, 0] == mp.mpf(1) / 7
    assert t[0, 0, 0] == 1
    assert start.r.dtype == float


def test_doubles_and_big_integers():
    """Oracle: 2^53 + 1 is no double; the floats given are their own exact values."""
    start = InitialCondition([[[2**53 + 1]]], [[[0.1]]])
    assert start.precise(20)[0][0, 0, 0] == 2**53 + 1
    assert start.precise(30)[1][0, 0, 0] == mp.mpf(0.1)


def test_the_mean_start_is_exact():
    """Oracle: q = sigma_J^2 = 1/100 to 40 digits; of a float, the square of its exact value."""
    mean = initial(ERF22, "1/10", None)
    with mp.workdps(40):
        assert mean.precise(40)[0][7, 1, 1] == mp.mpf(1) / 100
        square = mp.mpf(0.1) ** 2
        assert initial(ERF22, 0.1, None).precise(40)[0][0, 0, 0] == square
    assert mean.provenance == {"sigma_J": "1/10", "N": None}


@pytest.mark.parametrize(
    ("provenance", "message"),
    [
        ("x", "provenance must be a dict, found 'x'"),
        ({"n": np.int64(3)}, "provenance must hold plain JSON values: .*int64"),
        ({"x": float("nan")}, "provenance must hold plain JSON values"),
    ],
)
def test_provenance_is_checked_where_it_is_given(provenance, message):
    """Oracle: the message a user needs, at construction."""
    with pytest.raises(TypeError, match="InitialCondition: the " + message):
        InitialCondition([[[1]]], [[[0]]], provenance=provenance)


@pytest.mark.parametrize("L", [10_000, 10**12, sp.oo])
def test_the_mean_start_of_a_long_spectrum_is_given_once(L):
    """Oracle: sigma_J^2 by hand; below L = 10^4 there is an entry for each eigenspace."""
    start = initial(ERF22.replace(spectrum=PowerLaw(1, L)), "1/10", None)
    assert start.r.shape == (1, 2, 2)
    np.testing.assert_array_equal(start.q, [0.01 * np.eye(2)])
    assert len(initial(ERF22.replace(spectrum=PowerLaw(1, 9_999)), "1/10", None).q) == 9_999


def test_one_entry_expands_to_all_eigenspaces():
    """Oracle: the array repeated; exact numbers stay exact; what fits already stays as it is."""
    one = InitialCondition([[["1/3"]]], [[[0.25]]], [[[1]]], provenance={"note": "x"})
    start = one.expanded(3)
    np.testing.assert_array_equal(start.q, np.full((3, 1, 1), 1 / 3))
    np.testing.assert_array_equal(start.r, np.full((3, 1, 1), 0.25))
    with mp.workdps(40):
        assert start.precise(40)[0][2, 0, 0] == mp.mpf(1) / 3
    assert start.provenance == {"note": "x"}
    assert start.expanded(3) is start
    assert one.expanded(1) is one
    with pytest.raises(ValueError, match="overlaps of 3 eigenspaces, the model has L = 4"):
        start.expanded(4)


def test_endless_spectra_have_no_multiplicities():
    """Oracle: the message a user needs."""
    endless = ERF22.replace(spectrum=PowerLaw(1, sp.oo))
    with pytest.raises(ValueError, match="infinitely many eigenvalues: no finite N"):
        multiplicities(endless, 64)
    with pytest.raises(ValueError, match="or N = None"):
        initial(endless, 0.1, 64, 0)


def test_the_equations_are_not_the_model():
    """Oracle: the message a user needs."""
    with pytest.raises(TypeError, match=r"takes the model itself.*found OrderParameterODE"):
        initial(order_parameter_odes(TeacherStudent(1, 1, eta=1)), 0.1, 64, 0)


def test_notebooks_show_the_first_mode():
    """Oracle: the numbers given, in escaped HTML."""
    shown = InitialCondition([[[0.25]]], [[[0.125]]], provenance={"by": "<me>"})._repr_html_()
    assert shown.startswith("<pre>InitialCondition(L=1, K=1, M=1, by=&lt;me&gt;)")
    assert "q_1 =\n[[0.25]]" in shown
    assert "r_1 =\n[[0.125]]" in shown


def test_gram_factor_of_every_rank():
    """Oracle: F F^T = gram, entrywise relative, for small students and deficient ranks."""
    small = np.array([[1.0, 1e-9], [1e-9, 4e-18]])
    same = np.array([[1.0, 1.0], [1.0, 1.0]])
    gone = np.array([[1.0, 0.0], [0.0, 0.0]])
    gram = np.stack([small, same, gone])
    factor = gram_factor(gram)
    np.testing.assert_allclose(factor @ factor.transpose(0, 2, 1), gram, rtol=1e-14)
    assert np.count_nonzero(np.any(factor != 0, axis=1), axis=1).tolist() == [2, 1, 1]
