"""Few modes for many: against all modes at all times; too few nodes are noticed."""

from itertools import pairwise

import numpy as np
import pytest
import sympy as sp

from numerics import InitialCondition, IntegrationError, Trajectory, initial, integrate
from numerics.measure import eigenvalues_and_weights
from numerics.reduction import difference, reduce_modes, refine
from theory import Discrete, PowerLaw, TeacherStudent, order_parameter_odes

MODEL = TeacherStudent(2, 2, spectrum=PowerLaw(1, 400), eta="1/10")
ALIKE = InitialCondition([[[0.2, 0], [0, 0.1]]], [[[0.1, 0.01], [0, 0.1]]])


def solution(model, start, alpha, rtol=1e-10, scale=1.0) -> Trajectory:
    """Integrate over nine decades of time up to `alpha`, in units of the reduced model."""
    times = np.concatenate([[0], np.geomspace(1e-9, 1, 28)]) * alpha * scale
    return integrate(order_parameter_odes(model), start, times[-1], rtol=rtol, at=times)


def slowest(model) -> float:
    """The relaxation time 1/(eta lam_L)."""
    return 1 / (float(model.eta) * eigenvalues_and_weights(model.spectrum)[0][-1])


def refined(model, start, alpha, tolerance=1e-8):
    return refine(
        model,
        start,
        alpha,
        lambda few: solution(few.model, few.start, alpha, scale=few.time_scale),
        tolerance,
    )


def test_reduction_keeps_what_the_equations_see():
    """Oracle: sum_k v_k c_k, and sum v = 1, over all modes."""
    start = initial(MODEL, 0.5, 1600, 0)
    few = reduce_modes(MODEL, start, 12, 1e3)
    assert few.nodes == 12
    assert few.time_scale == 1
    lam, w = eigenvalues_and_weights(MODEL.spectrum)
    node, weight = eigenvalues_and_weights(few.model.spectrum)
    assert np.all(np.diff(node) < 0)
    assert abs(np.sum(node * weight) - 1) < 1e-14
    assert lam[-1] <= node[-1] < node[0] <= lam[0]
    for name in ("q", "r", "t"):
        all_modes, ours = getattr(start, name), getattr(few.start, name)
        exact = np.einsum("k,kab->ab", w * lam, all_modes)
        np.testing.assert_allclose(np.einsum("k,kab->ab", weight * node, ours), exact, atol=1e-13)
    assert few.start.provenance == start.provenance


def test_a_short_spectrum_is_itself():
    """Oracle: the eigenvalues; more nodes than eigenvalues change nothing."""
    model = MODEL.replace(spectrum=Discrete([3, 2, 1]))
    few = reduce_modes(model, ALIKE, 9, 10)
    lam, w = eigenvalues_and_weights(model.spectrum)
    node, weight = eigenvalues_and_weights(few.model.spectrum)
    np.testing.assert_allclose(node, lam, rtol=1e-15)
    np.testing.assert_allclose(weight, w, rtol=1e-15)
    np.testing.assert_array_equal(few.start.r, ALIKE.expanded(3).r)


def test_nodes_are_placed_for_the_times_asked_for():
    """Oracle: sum_k v_k exp(-s lam_k) over all modes, s up to the end of a short and a long run."""
    model = MODEL.replace(spectrum=PowerLaw(1, 10**5))
    lam, w = eigenvalues_and_weights(model.spectrum)

    def worst(planned, end):
        few = reduce_modes(model, ALIKE, 24, planned)
        node, weight = eigenvalues_and_weights(few.model.spectrum)
        sums = [
            [np.sum(v * x * np.exp(-s * x)) for x, v in ((lam, w), (node, weight))]
            for s in np.geomspace(0.01, 1, 9) * 0.1 * end
        ]
        return max(abs(ours / exact - 1) for exact, ours in sums)

    assert worst(1, 1) < 1e-10
    assert worst(1e5, 1) > 1e-7
    assert worst(1, 1e4) > 1e-2


class Fixed:
    """A result whose eps_g and R are given."""

    def __init__(self, error, overlap=0.0):
        self.Q, self.R = np.zeros((1, 1, 1)), np.full((1, 1, 1), overlap)
        self.generalization_error = np.array([error])


def test_difference_is_relative_to_eps_g():
    """Oracle: by hand: 1/4 of 4e-4; below 1e-6 relative to that; Q and R absolutely."""
    assert difference(Fixed(3e-4), Fixed(4e-4)) == pytest.approx(0.25)
    assert difference(Fixed(3e-9), Fixed(4e-9)) == pytest.approx(1e-3)
    assert difference(Fixed(3e-9), Fixed(4e-9), smallest=0.0) == pytest.approx(0.25)
    assert difference(Fixed(1.0, 0.5), Fixed(1.0, 0.25)) == 0.25


@pytest.mark.parametrize("start", [ALIKE, initial(MODEL, 0.5, 1600, 0)], ids=["alike", "drawn"])
def test_sizes_grow_until_two_agree(start):
    """Oracle: errors halved by so many nodes; the size after the first good one is returned."""
    sizes = []

    def solve(few):
        sizes.append(few.nodes)
        return Fixed(1 + 2.0 ** -(few.nodes - 20))

    _, few, apart = refine(MODEL, start, 1e3, solve, 1e-4)
    ratios = np.array(sizes[1:]) / sizes[:-1]
    assert np.all((ratios >= 1.5) & (ratios < 1.6))
    assert few.nodes == sizes[-1]
    assert apart == pytest.approx(2.0 ** -(sizes[-2] - 20), rel=0.1)
    assert apart <= 1e-4


def test_too_few_nodes_are_never_returned():
    """Oracle: a result that changes with every size is refused, with what was found."""
    noise = iter(np.random.default_rng(0).uniform(1, 2, 100))
    with pytest.raises(IntegrationError, match=r"is confirmed to 1.0e-08: .* nodes; integrate in"):
        refine(MODEL, ALIKE, 1e3, lambda few: Fixed(next(noise)), 1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("drawn", [False, True], ids=["alike", "drawn"])
@pytest.mark.parametrize("beta", ["3/10", 1, 2])
def test_reduced_runs_are_those_of_all_modes(beta, drawn):
    """Oracle: all 400 modes at all times to the slowest; what was promised holds tenfold."""
    model = MODEL.replace(spectrum=PowerLaw(beta, 400))
    start = initial(model, 0.5, 1600, 0) if drawn else ALIKE
    alpha = slowest(model)
    full = solution(model, start.expanded(400), alpha)
    path, few, promised = refined(model, start, alpha, 1e-7)
    assert promised <= 1e-7
    assert few.nodes < 120
    assert difference(path, full) < 1e-8


@pytest.mark.slow
def test_the_difference_of_two_sizes_is_the_error_of_the_smaller():
    """Oracle: all modes; sizes from much too few to enough."""
    start, alpha = initial(MODEL, 0.5, 1600, 0), slowest(MODEL)
    full = solution(MODEL, start, alpha)
    sizes = (12, 18, 27, 41)
    few = [reduce_modes(MODEL, start, n, alpha) for n in sizes]
    paths = [solution(f.model, f.start, alpha) for f in few]
    errors = [difference(path, full) for path in paths]
    apart = [difference(a, b) for a, b in pairwise(paths)]
    assert np.all(np.diff(np.log10(errors)) < -0.5)
    np.testing.assert_allclose(apart, errors[:-1], rtol=0.35)


@pytest.mark.slow
def test_endless_spectrum_is_the_limit_of_long_ones():
    """Oracle: L = 10^12 in the scaled time eta lam_+ alpha; differences of order L^-beta."""
    endless = MODEL.replace(spectrum=PowerLaw(1, sp.oo))
    long = MODEL.replace(spectrum=PowerLaw(1, 10**12))
    largest = 10**12 / (np.pi**2 / 6)
    path, _, _ = refined(endless, ALIKE, 1e5)
    same, _, _ = refined(long, ALIKE, 1e5 / (0.1 * largest))
    assert path.generalization_error[-1] < 0.01 * path.generalization_error[0]
    assert difference(path, same) < 1e-8
