"""The learning curve, and how every figure draws lines, runs and axes.

Summary
    Theory is drawn as lines; an ensemble as markers, the mean over its runs with bars of two
    standard errors (a single run without bars). The logarithmic axis leaves out alpha = 0; that of
    eps_g, zeros.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .storage import Array
from .trajectory import Trajectory

__all__ = ["COLOURS", "MARKERS", "draw_runs", "learning_curve", "set_axes"]

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
    set_axes(errors, r"$\alpha$", r"$\epsilon_g$")
    errors.set_yscale("log")
    set_axes(overlaps, r"$\alpha$", "overlaps")
    for index, path in enumerate(trajectories):
        _draw_error(errors, path, index)
        _draw_overlaps(overlaps, path, index)
    errors.legend(frameon=False)
    overlaps.legend(frameon=False)
    return figure


def set_axes(axes: Axes, x: str, y: str) -> None:
    """Logarithmic x axis, labels, a light grid and no box."""
    axes.set_xscale("log")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def draw_runs(
    axes: Axes,
    path: Trajectory,
    estimate: tuple[Array, Array | None],
    index: int,
    colour: str,
    label: str | None,
) -> None:
    """Markers at no more than BARS of the positive times.

    Parameters
    ----------
    estimate : (T,), (T,) or None
        Values, and standard errors drawn twice as long as bars; see `Trajectory.estimate`.
    index : int
        Chooses the marker.
    """
    times = np.flatnonzero(path.alpha > 0)
    times = times[np.linspace(0, len(times) - 1, min(BARS, len(times))).round().astype(int)]
    values, error = estimate
    axes.errorbar(
        path.alpha[times],
        values[times],
        yerr=None if error is None else 2 * error[times],
        color=colour,
        linestyle="none",
        marker=MARKERS[index % len(MARKERS)],
        markersize=3.5,
        markerfacecolor="white",
        elinewidth=1,
        capsize=1.5,
        label=label,
    )


def _draw(
    axes: Axes,
    path: Trajectory,
    estimate: tuple[Array, Array | None],
    index: int,
    colour: str,
    label: str | None,
) -> None:
    """A line for theory, markers for runs; `index` chooses the dashes or the marker."""
    if path.runs is not None:
        draw_runs(axes, path, estimate, index, colour, label)
        return
    shown = path.alpha > 0
    axes.plot(
        path.alpha[shown],
        estimate[0][shown].astype(float),
        color=colour,
        linestyle=LINES[index % len(LINES)],
        linewidth=1.6,
        label=label,
    )


def _draw_error(axes: Axes, path: Trajectory, index: int) -> None:
    values, error = path.estimate("generalization_error")
    visible = np.where(values > 0, values.astype(float), np.nan)
    _draw(axes, path, (visible, error), index, COLOURS[index % len(COLOURS)], path.label)


def _draw_overlaps(axes: Axes, path: Trajectory, index: int) -> None:
    """Colour tells the overlap, line or marker the trajectory (as in the other panel)."""
    colours = iter(COLOURS)
    for name in ("Q", "R"):
        values, error = path.estimate(name)
        for j in range(min(2, values.shape[-1])):
            label = rf"${name}_{{1{j + 1}}}$" if index == 0 else None
            entry = values[:, 0, j], None if error is None else error[:, 0, j]
            _draw(axes, path, entry, index, next(colours), label)
