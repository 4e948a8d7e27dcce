"""Figures: the only place that knows matplotlib.

Summary
    Theory is drawn as lines; an ensemble as the mean over its runs with bars of two standard
    errors. Logarithmic axes leave out alpha = 0 and overlaps that are not positive.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .trajectory import Trajectory

__all__ = ["learning_curve"]

# Okabe-Ito: told apart with any colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
LINES: tuple[Any, ...] = ("-", (0, (4, 2)), (0, (1, 1.5)), (0, (5, 2, 1, 2)))
MARKERS = ("o", "s", "D", "^")
BARS = 25


def learning_curve(*trajectories: Trajectory) -> Figure:
    """eps_g (log-log) and the first overlaps Q_1j, R_1n (against log alpha), side by side.

    Raises
    ------
    TypeError
        If an argument is not a Trajectory.
    """
    for path in trajectories:
        if not isinstance(path, Trajectory):
            raise TypeError(f"plot draws trajectories, found {path!r}")
    figure = Figure(figsize=(9.6, 3.8), layout="constrained")
    errors, overlaps = figure.subplots(1, 2)
    for axes in (errors, overlaps):
        axes.set_xscale("log")
        axes.set_xlabel(r"$\alpha$")
        axes.grid(alpha=0.25, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    errors.set_yscale("log")
    errors.set_ylabel(r"$\epsilon_g$")
    overlaps.set_ylabel("overlaps")
    for index, path in enumerate(trajectories):
        _draw_error(errors, path, index)
        _draw_overlaps(overlaps, path, index)
    errors.legend(frameon=False)
    overlaps.legend(frameon=False)
    return figure


def _draw_error(axes: Axes, path: Trajectory, index: int) -> None:
    shown = path.alpha > 0
    colour = COLOURS[index % len(COLOURS)]
    if path.runs is None:
        eps = path.generalization_error.astype(float)
        axes.plot(
            path.alpha,
            np.where(shown & (eps > 0), eps, np.nan),
            color=colour,
            linestyle=LINES[index % len(LINES)],
            linewidth=1.6,
            label=path.label,
        )
        return
    mean, error = path.mean.generalization_error, path.standard_error.generalization_error
    _bars(axes, path, index, (mean, error), colour=colour, label=path.label)


def _draw_overlaps(axes: Axes, path: Trajectory, index: int) -> None:
    """Colour tells the overlap, line or marker the trajectory (as in the other panel)."""
    colours = iter(COLOURS)
    for name in ("Q", "R"):
        for j in range(min(2, getattr(path, name).shape[-1])):
            colour = next(colours)
            label = rf"${name}_{{1{j + 1}}}$" if index == 0 else None
            if path.runs is None:
                value = getattr(path, name)[:, 0, j].astype(float)
                axes.plot(
                    path.alpha[path.alpha > 0],
                    value[path.alpha > 0],
                    color=colour,
                    linestyle=LINES[index % len(LINES)],
                    linewidth=1.6,
                    label=label,
                )
            else:
                pair = tuple(getattr(o, name)[:, 0, j] for o in (path.mean, path.standard_error))
                _bars(axes, path, index, pair, colour=colour, label=label)


def _bars(
    axes: Axes, path: Trajectory, index: int, pair: tuple[Any, ...], colour: str, label: str | None
) -> None:
    """Mean with bars of two standard errors, at no more than BARS of the times."""
    times = np.flatnonzero(path.alpha > 0)
    times = times[np.unique(np.linspace(0, len(times) - 1, BARS).round().astype(int))]
    mean, error = pair
    axes.errorbar(
        path.alpha[times],
        mean[times],
        yerr=2 * error[times],
        color=colour,
        linestyle="none",
        marker=MARKERS[index % len(MARKERS)],
        markersize=3.5,
        markerfacecolor="white",
        elinewidth=1,
        capsize=1.5,
        label=label,
    )
