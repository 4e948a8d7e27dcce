"""Figures of the plateau and of the escape from it, against the spectrum of the data.

Summary
    One message a figure: the plateau shortens as the spectrum broadens; the escape rate measured
    on trajectories lies on its formula. Theory is drawn as lines, simulation and measurement as
    markers, ensembles with bars of two standard errors (as in `numerics.figures`).
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figures import COLOURS, MARKERS, draw_runs, set_axes
from .storage import Array
from .trajectory import Trajectory

__all__ = ["escape_figure", "spectra_figure"]

SIZE = (7.2, 4.6)
BEFORE, BELOW = 0.3, 40
"""The window around the plateau: from this alpha, down to the plateau value over this."""


def spectra_figure(
    labels: Sequence[str],
    theory: Sequence[Trajectory],
    ensembles: Sequence[Trajectory],
    level: float,
) -> Figure:
    """eps_g against alpha (log-log) for several spectra, the plateau value as a dotted line.

    Parameters
    ----------
    labels : sequence of str
        One per spectrum, as `theory` and `ensembles`.
    level : float
        eps_g on the plateau.
    """
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = _axes(
        figure, r"training time $\alpha$ = steps / $N$", r"generalisation error $\epsilon_g$"
    )
    axes.axhline(level, color="0.35", linestyle=(0, (1, 2)), linewidth=1.2)
    axes.annotate(
        r"plateau $\epsilon_g^*$",
        (0.02, level),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        color="0.35",
    )
    for n, (label, line, runs) in enumerate(zip(labels, theory, ensembles, strict=True)):
        colour, shown = COLOURS[n % len(COLOURS)], line.alpha > 0
        axes.plot(line.alpha[shown], line.generalization_error[shown], color=colour, linewidth=1.7)
        draw_runs(axes, runs, runs.estimate("generalization_error"), n, colour, label)
    axes.set_xlim(left=BEFORE)
    axes.set_ylim(bottom=level / BELOW)
    _legend(axes, "theory (lines), simulation (markers)")
    return figure


def escape_figure(
    labels: Sequence[str],
    sizes: Array,
    formula: Sequence[Array],
    measured_sizes: Array,
    measured: Sequence[Array],
) -> Figure:
    """Escape times against the number L of eigenvalues (log-log): formula and measurement.

    Parameters
    ----------
    labels : sequence of str
        One per number of units, as `formula` and `measured`.
    sizes : (n,)
        L of the formula's curves; `measured_sizes` those of the measurements.
    formula, measured : sequences of (n,) and (m,) arrays
        tau_esc.
    """
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = _axes(figure, r"number of eigenvalues $L$", r"escape time $\tau_{\mathrm{esc}}$")
    for n, (label, curve, points) in enumerate(zip(labels, formula, measured, strict=True)):
        colour = COLOURS[n % len(COLOURS)]
        axes.plot(sizes, curve, color=colour, linewidth=1.7)
        axes.plot(
            measured_sizes,
            points,
            color=colour,
            linestyle="none",
            marker=MARKERS[n % len(MARKERS)],
            markersize=6,
            markerfacecolor="white",
            label=label,
        )
    axes.set_xticks(measured_sizes, [f"{L:g}" for L in measured_sizes])
    axes.minorticks_off()
    _legend(axes, "formula (lines), measured (markers)")
    return figure


def _legend(axes: Axes, title: str) -> None:
    axes.legend(title=title, frameon=False, loc="lower left", alignment="left")


def _axes(figure: Figure, x: str, y: str) -> Axes:
    axes = figure.subplots()
    set_axes(axes, x, y)
    axes.set_yscale("log")
    return axes
