"""A figure of learning curves side by side: one remedy a panel, the untreated run in grey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from .figures import COLOURS, set_axes
from .storage import Array

__all__ = ["Panel", "PanelCurve", "panels_figure"]

COLUMNS, PANEL = 2, (4.9, 3.5)


@dataclass(frozen=True, eq=False)
class PanelCurve:
    """One learning curve.

    Attributes
    ----------
    label : str
    alpha, error : (T,)
        Positive times, and eps_g.
    plain : bool
        Whether this is the untreated run, drawn grey.
    """

    label: str
    alpha: Array
    error: Array
    plain: bool = False


@dataclass(frozen=True, eq=False)
class Panel:
    """Curves under one title."""

    title: str
    curves: tuple[PanelCurve, ...]


def panels_figure(panels: Sequence[Panel]) -> Figure:
    """eps_g against alpha (log-log), a panel each."""
    rows = -(-len(panels) // COLUMNS)
    figure = Figure(figsize=(COLUMNS * PANEL[0], rows * PANEL[1]), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    for axes, panel in zip(grid.flat, panels, strict=False):
        set_axes(axes, r"$\alpha$", r"$\epsilon_g$")
        axes.set_yscale("log")
        axes.set_title(panel.title, loc="left", fontsize=10)
        colours = iter(COLOURS)
        for curve in panel.curves:
            colour = "0.45" if curve.plain else next(colours)
            style = (0, (4, 2)) if curve.plain else "-"
            axes.plot(
                curve.alpha, curve.error, color=colour, linestyle=style, linewidth=1.6,
                label=curve.label,
            )  # fmt: skip
        axes.legend(frameon=False, fontsize=8)
    return figure
