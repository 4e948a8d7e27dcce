"""Figure of the experiment on Transformers: spectra, local exponents and learning curves.

Summary
    A column for each input exponent. Means over seeds with bars of two standard errors; lines are
    theory, markers are measured (as in `numerics.figures`).
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figures import COLOURS, LINES, MARKERS, set_axes
from .storage import Array
from .transformer_experiment import KERNELS, Experiment
from .transformer_findings import InputFindings, analyse

__all__ = ["transformer_figure"]

NAMES = ("linear kernel (control)", "tangent kernel, start", "tangent kernel, trained")


def transformer_figure(experiment: Experiment) -> Figure:
    """Eigenvalues, their local exponents and the learning curves of one experiment."""
    found = analyse(experiment)
    figure = Figure(figsize=(4.9 * len(found), 9.6), layout="constrained")
    axes = figure.subplots(3, len(found), squeeze=False, height_ratios=(1.15, 0.75, 1.35))
    for column, each in enumerate(found):
        _draw_spectra(axes[0, column], experiment.eigenvalues[column], each)
        _draw_exponents(axes[1, column], each)
        _draw_curves(axes[2, column], experiment, column)
    return figure


def _draw_spectra(axes: Axes, spectra: Array, found: InputFindings) -> None:
    set_axes(axes, "mode $i$", r"$\lambda_i/\lambda_1$")
    axes.set_yscale("log")
    axes.set_title(rf"inputs with $\lambda_j \propto j^{{-{found.beta:g}}}$", fontsize=10)
    i = np.arange(1.0, spectra.shape[-1] + 1)
    for k, name in enumerate(NAMES):
        mean = np.mean(spectra[:, k] / spectra[:, k, :1], axis=0)
        shown = mean > 1e-12
        axes.plot(i[shown], mean[shown], color=COLOURS[k], linewidth=1.6, label=name)
    axes.plot(
        i, i**-found.beta, color="0.45", linestyle=LINES[2], label=rf"$i^{{-{found.beta:g}}}$"
    )
    axes.set_ylim(bottom=float(np.mean(spectra[:, 1, -1] / spectra[:, 1, 0])) / 10)
    axes.legend(frameon=False, fontsize=8)


def _draw_exponents(axes: Axes, found: InputFindings) -> None:
    set_axes(axes, "mode $i$", r"local exponent of $\lambda_i$")
    for k, kernel in enumerate(found.kernels):
        _bars(
            axes,
            k,
            np.array([np.sqrt(a * b) for a, b in found.windows[: len(kernel.local)]]),
            np.array([fit.value for fit in kernel.local]),
            np.array([fit.error for fit in kernel.local]),
        )
    axes.axhline(found.beta, color="0.45", linestyle=LINES[2])
    axes.set_ylim(bottom=0)
    edges = [found.windows[0][0], *(high for _, high in found.windows)]
    axes.set_xticks(edges, [str(edge) for edge in edges])
    axes.xaxis.minorticks_off()


def _draw_curves(axes: Axes, experiment: Experiment, b: int) -> None:
    set_axes(axes, "training examples $n$", "excess risk")
    axes.set_yscale("log")
    subsets = np.array(experiment.settings["subsets"], dtype=float)
    for k in range(len(KERNELS)):
        predicted, actual = experiment.predicted[b, :, k], experiment.actual[b, :, k, :, 0]
        axes.plot(subsets, predicted.mean(axis=0), color=COLOURS[k], linewidth=1.5)
        label = f"ridge, {NAMES[k]}"
        _bars(axes, k, subsets, actual.mean(axis=0), _standard_error(actual), label)
    examples = np.array(experiment.settings["examples"], dtype=float)
    best = experiment.best[b]
    _bars(axes, 3, examples, best.mean(axis=0), _standard_error(best), "network, trained", "--")
    every = np.union1d(subsets, examples)
    axes.set_xticks(every, [f"{x:g}" for x in every])
    axes.xaxis.minorticks_off()
    axes.legend(frameon=False, fontsize=8)


def _standard_error(values: Array) -> Array:
    return np.asarray(np.std(values, axis=0, ddof=1) / np.sqrt(len(values)))


def _bars(
    axes: Axes, index: int, x: Array, y: Array, error: Array, label: str = "", line: str = "none"
) -> None:
    """Markers with bars of two standard errors."""
    axes.errorbar(
        x,
        y,
        yerr=2 * error,
        color=COLOURS[index],
        linestyle=line,
        linewidth=0.8,
        marker=MARKERS[index],
        markersize=4.5,
        markerfacecolor="white",
        elinewidth=1,
        capsize=1.5,
        label=label or None,
    )
