"""The document on Transformers: what was done, what was found, and how it was computed."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence

from numerics.measured_kernel import PowerFit, noisy_exponent
from numerics.transformer_experiment import Experiment
from numerics.transformer_findings import analyse, law_exponent, over_seeds, shortfall

from .claims import Judgement, Number
from .claims.section import sections as claim_sections
from .claims.table import counts
from .render import Figure, Preformatted, Prose, Section, Table

__all__ = ["TITLE", "sections", "tables", "tables_text"]

TITLE = "Redundancy laws and small Transformers"
NAMES = {
    "linear": "linear, x·x'",
    "initial": "tangent, at the start",
    "trained": "tangent, after training",
}
_FIGURE = (
    "Means over seeds, bars of two standard errors. Top: eigenvalues of the kernel matrices; "
    "dotted, the input's own decay. Middle: their local exponents. Bottom: excess risk; lines are "
    "predicted from the measured kernel without a fit, markers are ridge regression on random "
    "subsets, and the trained network at its smallest test error."
)


def tables(experiment: Experiment) -> tuple[Table, ...]:
    """Spectra, kernel regression and training as tables."""
    return _spectra(experiment), _regressions(experiment), _trainings(experiment)


def tables_text(experiment: Experiment) -> str:
    """The same tables as plain text, with their captions."""
    return "\n".join(_plain(table) for table in tables(experiment))


def sections(experiment: Experiment, judged: Sequence[Judgement], picture: bytes) -> list[Section]:
    """The sections in the order of reading."""
    return [
        _summary(experiment, judged),
        Figure("Spectra, exponents and learning curves", picture, _FIGURE),
        *tables(experiment),
        *claim_sections(judged),
        _how(experiment),
    ]


def _summary(experiment: Experiment, judged: Sequence[Judgement]) -> Prose:
    s = experiment.settings
    net, adam = s["encoder"], s["adam"]
    verdicts = "\n\n".join(
        f"{each.claim.statement} Found: {each.evidence.text}." for each in judged
    )
    return Prose(
        "What was done and what was found",
        f"Encoders of {net['layers']} layers, width {net['width']}, {net['heads']} heads and "
        f"{net['tokens']} tokens learn a linear target of Gaussian inputs "
        f"($\\lambda_j \\propto j^{{-\\beta}}$ in {net['tokens'] * net['features']} dimensions, "
        f"$\\theta_j^2 \\propto j^{{-(2 s \\beta + 1)}}$ with s = {s['s']:g}, noise of variance "
        f"{s['noise']:g} in the labels, none in the tests) from up to {s['examples'][-1]} "
        f"examples: Adam, rate {adam['rate']:g}, {adam['steps']} steps of {adam['batch']} "
        "examples, stopped where the test error is smallest. Tangent kernels are exact, on "
        f"{s['points']} points, at the start and after training on the most examples; the linear "
        "kernel of the inputs is the "
        f"control. All of it for {s['seeds']} seeds of task and network.\n\n"
        f"Of what is claimed of such networks, {counts(judged)}.\n\n{verdicts}",
    )


def _spectra(experiment: Experiment) -> Table:
    found = analyse(experiment)
    windows = found[0].windows
    rows = []
    for each in found:
        for kernel in each.kernels:
            local = [_text(fit) for fit in kernel.local]
            local += ["–"] * (len(windows) - len(local))
            rows.append((f"{each.beta:g}", NAMES[kernel.name], *local))
    header = ("input β", "kernel", *(f"modes {low} to {high}" for low, high in windows))
    return Table(
        "Local exponents of the spectra",
        header,
        tuple(rows),
        "Mean over seeds ± standard error. Beyond the dimension of the inputs the linear kernel "
        "has no modes. The spectrum of a sample bends towards its end: below, tails are compared "
        "with power laws sampled on as many points.",
    )


def _regressions(experiment: Experiment) -> Table:
    rows, sizes = [], experiment.settings["subsets"]
    for index, each in enumerate(analyse(experiment)):
        for kernel in each.kernels:
            law = law_exponent(experiment, index, kernel.name, noisy_exponent)
            short = shortfall(experiment, sizes, index, kernel.name)
            here = PowerFit(law.value + short, law.error)
            fits = kernel.beta, kernel.s, law, here, kernel.exponent, kernel.mismatch
            rows.append((f"{each.beta:g}", NAMES[kernel.name], *map(_text, fits)))
    return Table(
        f"Ridge regression with these kernels, n = {sizes[0]} to {sizes[-1]}",
        (
            "input β",
            "kernel",
            "β",
            "s",
            "2s/(2s + 1/β)",
            "the same at these n",
            "exponent found",
            "predicted/actual − 1",
        ),
        tuple(rows),
        "β and s fitted to the kernel and its target. At these n: the exponent of the law's own "
        "learning curve, which is steeper than its limit because the noise is small. Last column: "
        "the largest difference of the deterministic equivalent, which uses no exponent, from "
        "regression.",
    )


def _trainings(experiment: Experiment) -> Table:
    rows = []
    for b, each in enumerate(analyse(experiment)):
        for t, n in enumerate(experiment.settings["examples"]):
            best, last = (over_seeds(e[b, :, t]) for e in (experiment.best, experiment.last))
            steps = f"{experiment.best_steps[b, :, t].mean():.0f}"
            rows.append((f"{each.beta:g}", str(n), _text(best), steps, _text(last)))
        rows.append((f"{each.beta:g}", "exponent", _text(each.trained), "", _text(each.final)))
    return Table(
        "The trained network",
        ("input β", "n", "smallest test error", "at step", "test error at the end"),
        tuple(rows),
        "Excess: tested on targets without noise. Mean over seeds ± standard error; the exponents "
        "are of all n together.",
    )


def _how(experiment: Experiment) -> Preformatted:
    text = json.dumps(
        {"provenance": experiment.provenance, "settings": experiment.settings}, indent=1
    )
    return Preformatted("How it was computed", text)


def _text(fit: PowerFit) -> str:
    return Number("a fit", fit.value, fit.error).text


def _plain(table: Table) -> str:
    """Title, columns and caption for a terminal."""
    rows = [table.header, *table.rows]
    widths = [max(len(row[k]) for row in rows) for k in range(len(table.header))]
    lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)) for row in rows]
    caption = textwrap.fill(table.caption, 100)
    return "\n".join([table.title, *(line.rstrip() for line in lines), caption, ""])
