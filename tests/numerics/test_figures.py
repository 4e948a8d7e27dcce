"""Figures, read back from what was drawn."""

import io

import matplotlib.figure
import numpy as np
import pytest

from numerics import feature_spectra
from numerics.plateau_figures import escape_figure, spectra_figure
from numerics.spectra_figures import spectrum_figure
from numerics.spectral_statistics import (
    count_ratio,
    local_exponents,
    naive_exponent,
    rank_windows,
)
from numerics.trajectory import Trajectory

ALPHA = np.array([0.0, 1, 4, 9])
MEASURE = {"eigenvalues": np.array([1.5, 0.5]), "weights": np.array([0.5, 0.5])}


def trajectory(runs=None, alpha=ALPHA, seed=0):
    """Random overlaps of K = 2, M = 1, L = 2."""
    rng, lead = np.random.default_rng(seed), (() if runs is None else (runs,)) + alpha.shape
    origin = "ode" if runs is None else "simulation"
    return Trajectory(
        alpha=alpha,
        q=rng.uniform(1, 2, (*lead, 2, 2, 2)),
        r=rng.uniform(0, 1, (*lead, 2, 2, 1)),
        t=np.ones((2, 1, 1)),
        generalization_error=rng.uniform(0.1, 1, lead),
        **MEASURE,
        provenance={"origin": origin, "method": "test"},
    )


def rendered(figure):
    """The figure, once it has been drawn: warnings are errors."""
    assert isinstance(figure, matplotlib.figure.Figure)
    figure.savefig(io.BytesIO(), format="pdf")
    return figure


def bars(container):
    """Lower and upper ends of the error bars of a container."""
    _, _, (collection,) = container
    return np.array([segment[:, 1] for segment in collection.get_segments()]).T


def test_theory_is_a_line_and_an_ensemble_has_bars():
    """Oracle: the arrays; bars are the mean -+ two standard errors."""
    path, ensemble = trajectory(), trajectory(5)
    left, right = rendered(path.plot(ensemble)).axes
    np.testing.assert_allclose(left.lines[0].get_ydata(), path.generalization_error[1:])
    (drawn,) = left.containers
    mean, error = ensemble.mean, ensemble.standard_error
    np.testing.assert_allclose(drawn[0].get_ydata(), mean.generalization_error[1:])
    two = 2 * error.generalization_error[1:]
    np.testing.assert_allclose(
        bars(drawn), [mean.generalization_error[1:] - two, mean.generalization_error[1:] + two]
    )
    np.testing.assert_allclose(right.lines[0].get_ydata(), path.Q[1:, 0, 0])
    np.testing.assert_allclose(right.containers[2][0].get_ydata(), mean.R[1:, 0, 0])
    entries = [text.get_text() for text in right.get_legend().get_texts()]
    assert entries == ["$Q_{11}$", "$Q_{12}$", "$R_{11}$"]


def test_a_single_run_is_drawn_without_bars():
    """Oracle: the run itself, and no error-bar artists."""
    run = trajectory(1)
    left, right = rendered(run.plot()).axes
    for axes, values in ((left, run.generalization_error[0, 1:]), (right, run.Q[0, 1:, 0, 0])):
        line, _, ends = axes.containers[0]
        np.testing.assert_allclose(line.get_ydata(), values)
        assert line.get_marker() == "o"
        assert ends == ()


@pytest.mark.parametrize("runs", [None, 1, 5])
def test_what_a_logarithmic_axis_cannot_show_is_left_out(runs):
    """Oracle: alpha = 0 alone gives an empty plot; eps_g = 0 a gap, not a fall."""
    left, _ = rendered(trajectory(runs, alpha=np.array([0.0])).plot()).axes
    assert left.lines[0].get_xydata().size == 0
    path = trajectory(runs)
    zeros = np.zeros_like(path.generalization_error)
    perfect = Trajectory(
        ALPHA, path.q, path.r, path.t, zeros, **MEASURE, provenance=path.provenance
    )
    left, _ = rendered(perfect.plot()).axes
    assert np.all(np.isnan(left.lines[0].get_ydata()))


def test_many_times_are_thinned_to_the_last():
    """Oracle: at most 25 markers, first and last time among them."""
    left, _ = rendered(trajectory(3, alpha=np.arange(200.0)).plot()).axes
    shown = left.containers[0][0].get_xdata()
    assert (len(shown), shown[0], shown[-1]) == (25, 1, 199)


def test_only_trajectories_are_drawn():
    """Oracle: the message a user needs."""
    with pytest.raises(TypeError, match="plot draws trajectories, found 1"):
        trajectory().plot(1)


@pytest.mark.parametrize("runs", [1, 4])
def test_spectra_draws_runs_like_the_learning_curve(runs):
    """Oracle: the artists of `Trajectory.plot`, whose helper it shares."""
    theory, ensemble = trajectory(), trajectory(runs)
    (axes,) = rendered(spectra_figure(["a"], [theory], [ensemble], 0.3)).axes
    reference, _ = ensemble.plot().axes
    (drawn,), (expected,) = axes.containers, reference.containers
    np.testing.assert_array_equal(drawn[0].get_xydata(), expected[0].get_xydata())
    for style in ("marker", "markersize", "color"):
        assert getattr(drawn[0], f"get_{style}")() == getattr(expected[0], f"get_{style}")()
    if runs > 1:
        np.testing.assert_array_equal(bars(drawn), bars(expected))
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), theory.generalization_error[1:])


def test_escape_times_lie_where_they_were_measured():
    """Oracle: the arrays that were given."""
    sizes, few = np.array([1.0, 10, 100]), np.array([1.0, 100])
    (axes,) = rendered(escape_figure(["M"], sizes, [10 / sizes], few, [9 / few])).axes
    curve, points = axes.lines
    np.testing.assert_allclose(curve.get_xydata(), np.transpose([sizes, 10 / sizes]))
    np.testing.assert_allclose(points.get_xydata(), np.transpose([few, 9 / few]))
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_spectra_three_times():
    """Oracle: the statistics that are drawn; no panel of counts where there is no degree."""
    windows = rank_windows(2, 20)
    powers = feature_spectra(2, 2, v=60, d=40, runs=3)
    limit = np.arange(1, 41.0) ** -1.5
    left, middle, right = rendered(spectrum_figure([powers], [limit], [windows])).axes
    drawn = left.containers[0][0]
    means = windows.mean_log(powers.eigenvalues).mean(axis=0)
    np.testing.assert_allclose(drawn.get_ydata(), np.exp(means))
    np.testing.assert_allclose(drawn.get_xdata(), windows.ranks)
    slope = naive_exponent(powers.mean, windows)
    assert f"a = {slope:.2f}" in left.get_legend().get_texts()[0].get_text()
    found = local_exponents(powers.eigenvalues, rank_windows(2, 20, 1.5))
    (errors,) = middle.containers
    np.testing.assert_allclose(errors[0].get_ydata(), found.mean(axis=0))
    two = 2 * found.std(axis=0, ddof=1) / np.sqrt(3)
    low, high = bars(errors)
    np.testing.assert_allclose(high - low, 2 * two)
    X, y = (windows.mean_log(each) for each in count_ratio(limit, 2, 2))
    np.testing.assert_allclose(right.lines[-1].get_xydata(), np.exp(np.column_stack([X, y])))
    relu = feature_spectra(2, "relu", v=60, d=40, runs=1)
    assert len(rendered(spectrum_figure([relu], [None], [windows])).axes) == 2
