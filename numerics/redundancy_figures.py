"""Figures of the redundancy laws: learning curves, and measured kernels.

Summary
    Theory is drawn as lines, the law dashed where it holds, simulation and measurement as markers
    with bars of two standard errors (as in `numerics.figures`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figures import COLOURS, LINES, MARKERS, set_axes
from .learning_curves import LearningCurve, SimulatedRisk
from .measured_kernel import CurvePoint, MeasuredKernel
from .storage import Array

__all__ = ["curve_figure", "measured_figure"]


def curve_figure(curve: LearningCurve, simulated: Sequence[SimulatedRisk]) -> Figure:
    """Excess risk against n (log-log) with the law, and the local exponent below it."""
    figure = Figure(figsize=(7.2, 6.2), layout="constrained")
    risks, slopes = figure.subplots(2, 1, height_ratios=(2, 1), sharex=True)
    set_axes(risks, "", "excess risk")
    risks.set_yscale("log")
    risks.plot(curve.n, curve.risk, color=COLOURS[0], linewidth=1.7, label=curve.label)
    lawful = [(n, value) for n in curve.n if (value := curve.law_at(float(n))) is not None]
    if lawful:
        x, y = np.array(lawful).T
        risks.plot(x, y, color=COLOURS[1], linestyle=LINES[1], linewidth=1.5, label="law")
    if simulated:
        risks.errorbar(
            [p.n for p in simulated],
            [p.mean for p in simulated],
            yerr=[2 * p.standard_error for p in simulated],
            label=f"simulation, {simulated[0].runs} runs",
            **_markers(2),
        )
    risks.legend(frameon=False)
    set_axes(slopes, "number of samples $n$", "local exponent")
    middle = np.sqrt(curve.n[1:] * curve.n[:-1])
    slopes.plot(middle, curve.exponents, color=COLOURS[0], linewidth=1.7)
    slopes.axhline(-curve.claimed_exponent, color=COLOURS[1], linestyle=LINES[1], linewidth=1.5)
    return figure


def measured_figure(measured: MeasuredKernel, points: Sequence[CurvePoint]) -> Figure:
    """Eigenvalues and target of a measured kernel with their fits; its learning curve."""
    figure = Figure(figsize=(9.6, 3.9), layout="constrained")
    spectrum, curve = figure.subplots(1, 2)
    _draw_spectrum(spectrum, measured)
    set_axes(curve, "training points $n$", "error on the points left out")
    curve.set_yscale("log")
    n = np.array([p.n for p in points], dtype=float)
    curve.plot(n, [p.predicted for p in points], color=COLOURS[0], linewidth=1.7, label="predicted")
    curve.errorbar(
        n,
        [p.actual for p in points],
        yerr=[2 * p.standard_error for p in points],
        label="actual",
        **_markers(1),
    )
    exponent = measured.exponent.value
    guide = points[0].predicted * (n / n[0]) ** -exponent
    curve.plot(
        n,
        guide,
        color="0.45",
        linestyle=LINES[2],
        label=rf"$n^{{-{exponent:.2f}}}$, from $\beta$ and $s$",
    )
    curve.set_xticks(n, [f"{x:g}" for x in n])
    curve.xaxis.minorticks_off()
    curve.legend(frameon=False)
    return figure


def _draw_spectrum(axes: Axes, measured: MeasuredKernel) -> None:
    set_axes(axes, "mode $i$", "")
    axes.set_yscale("log")
    low, high = measured.window
    theta = measured.spectrum.target
    tail = np.cumsum(theta[::-1])[::-1]
    shown = (
        (measured.spectrum.eigenvalues, measured.beta.value, r"$\lambda_i$", r"\beta"),
        (
            tail,
            2 * measured.s.value * measured.beta.value,
            r"$\sum_{j\geq i}\theta_j^2$",
            r"2s\beta",
        ),
    )
    for n, (values, decay, label, name) in enumerate(shown):
        i = np.arange(1.0, len(values) + 1)
        positive = values > 0
        text = rf"{label}, ${name} = {decay:.2f}$"
        axes.plot(i[positive], values[positive], color=COLOURS[n], linewidth=1.4, label=text)
        _draw_fit(axes, i[low - 1 : high], values[low - 1 : high], decay)
    axes.legend(frameon=False, loc="lower left")


def _draw_fit(axes: Axes, i: Array, values: Array, decay: float) -> None:
    """A power law through the middle of the window, a little above."""
    shift = np.exp(np.mean(np.log(values) + decay * np.log(i)))
    axes.plot(i, 1.6 * shift * i**-decay, color="0.35", linestyle=LINES[1], linewidth=1.1)


def _markers(index: int) -> dict[str, object]:
    return {
        "color": COLOURS[index],
        "linestyle": "none",
        "marker": MARKERS[index % len(MARKERS)],
        "markersize": 5,
        "markerfacecolor": "white",
        "elinewidth": 1,
        "capsize": 1.5,
    }
