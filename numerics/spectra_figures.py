"""Figures of random-feature spectra, and of why a straight line through them misleads.

Summary
    `spectrum_figure` shows the same eigenvalues three times: log-log, where everything is a
    straight line to the eye; the local exponent, which is not constant; and y_j = (j - 1/2)/X_j,
    which tells a logarithm (rising) from none (flat). Ensembles are markers with bars of two
    standard errors, the limit d = infinity is a line.

References
    [PXZ26] Paquette, Xiao & Zhu, arXiv:2603.14578.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figures import COLOURS, MARKERS, set_axes
from .spectra import FeatureSpectra
from .spectral_statistics import (
    Windows,
    count_ratio,
    local_exponents,
    naive_exponent,
    rank_windows,
)
from .storage import Array

__all__ = ["spectrum_figure"]

SIZE = (12.6, 4.0)

WIDE = 1.5
"""Ratio of the windows between which exponents are taken: narrow ones show single eigenvalues."""


def spectrum_figure(
    spectra: Sequence[FeatureSpectra], limits: Sequence[Array | None], windows: Sequence[Windows]
) -> Figure:
    """Eigenvalues, local exponents and y_j of one or several ensembles, side by side.

    Parameters
    ----------
    spectra : sequence of FeatureSpectra
    limits : sequence of (n,) arrays or None
        Eigenvalues at d = infinity and the same v, where they are known.
    windows : sequence of Windows
        Where each ensemble is shown; exponents between wider ones.
    """
    figure = Figure(figsize=SIZE, layout="constrained")
    eigenvalues, exponents, counts = figure.subplots(1, 3)
    set_axes(eigenvalues, "rank $j$", r"eigenvalue $\lambda_j$")
    eigenvalues.set_yscale("log")
    eigenvalues.set_title("to the eye, straight lines", fontsize=10)
    set_axes(exponents, "rank $j$", r"local exponent $-d\log\lambda_j/d\log j$")
    exponents.set_title("but their slope is not the exponent", fontsize=10)
    set_axes(counts, "$X_j = (p!^2/\\lambda_j)^{1/a}$", "$y_j = (j - 1/2)/X_j$")
    counts.set_title("a logarithm rises, none is flat", fontsize=10)
    for index, found in enumerate(zip(spectra, limits, windows, strict=True)):
        _draw_eigenvalues(eigenvalues, *found, index)
        _draw_exponents(exponents, *found, index)
        _draw_counts(counts, *found, index)
    for a in sorted({float(each.a) for each in spectra}):
        exponents.axhline(a, color="0.35", linestyle=(0, (1, 2)), linewidth=1.2)
        exponents.annotate(
            f"$a = {a:g}$",
            (1.01, a),
            xycoords=("axes fraction", "data"),
            va="center",
            color="0.35",
        )
    exponents.set_xlim(eigenvalues.get_xlim())
    # Room below the curves, a decade for every second line of the legend.
    low = eigenvalues.get_ylim()[0]
    eigenvalues.set_ylim(bottom=low * 10 ** (-(len(spectra) + 1) / 2))
    eigenvalues.legend(frameon=False, loc="lower left")
    sizes = ", ".join(map(str, sorted({each.d for each in spectra})))
    figure.suptitle(f"points: $d = {sizes}$ random features; lines: $d = \\infty$", fontsize=10)
    if not counts.has_data():
        figure.delaxes(counts)
    return figure


def _draw_eigenvalues(
    axes: Axes, spectra: FeatureSpectra, limit: Array | None, windows: Windows, index: int
) -> None:
    """Window means, the limit, and the straight line that fits best."""
    colour, ranks = COLOURS[index % len(COLOURS)], windows.ranks
    means = windows.mean_log(spectra.eigenvalues)
    slope = naive_exponent(spectra.mean, windows)
    middle = means.mean(axis=0)
    line = middle.mean() - slope * (np.log(ranks) - np.log(ranks).mean())
    axes.plot(ranks, np.exp(line), color=colour, linewidth=0.8, linestyle=(0, (4, 2)))
    if limit is not None:
        axes.plot(ranks, np.exp(windows.mean_log(limit)), color=colour, linewidth=1.6)
    name = spectra.activation if spectra.degree is None else f"$y^{{{spectra.degree}}}$"
    label = f"{name}: the fit says $a = {slope:.2f}$"
    _draw(axes, ranks, np.exp(middle), None, index, label)


def _draw_exponents(
    axes: Axes, spectra: FeatureSpectra, limit: Array | None, windows: Windows, index: int
) -> None:
    windows = rank_windows(int(windows.edges[0]), int(windows.edges[-1]) - 1, WIDE)
    between = np.sqrt(windows.ranks[1:] * windows.ranks[:-1])
    found = local_exponents(spectra.eigenvalues, windows)
    _draw(axes, between, found.mean(axis=0), _error(found), index, None)
    if limit is not None:
        values = local_exponents(limit, windows)
        axes.plot(between, values, color=COLOURS[index % len(COLOURS)], linewidth=1.6)


def _draw_counts(
    axes: Axes, spectra: FeatureSpectra, limit: Array | None, windows: Windows, index: int
) -> None:
    if spectra.degree is None:
        return

    def averaged(values: Array) -> tuple[Array, Array]:
        X, y = count_ratio(values, spectra.a, spectra.degree or 1)
        return np.exp(windows.mean_log(X)), np.exp(windows.mean_log(y))

    X, y = averaged(spectra.eigenvalues)
    _draw(axes, X.mean(axis=0), y.mean(axis=0), _error(y), index, None)
    if limit is not None:
        axes.plot(*averaged(limit), color=COLOURS[index % len(COLOURS)], linewidth=1.6)


def _error(values: Array) -> Array | None:
    """Two standard errors over the runs; a single run has no bars."""
    runs = len(values)
    return None if runs < 2 else np.asarray(2 * values.std(axis=0, ddof=1) / np.sqrt(runs))


def _draw(
    axes: Axes, x: Array, y: Array, error: Array | None, index: int, label: str | None
) -> None:
    axes.errorbar(
        x,
        y,
        yerr=error,
        color=COLOURS[index % len(COLOURS)],
        linestyle="none",
        marker=MARKERS[index % len(MARKERS)],
        markersize=3.5,
        markerfacecolor="white",
        elinewidth=1,
        capsize=1.5,
        label=label,
    )
