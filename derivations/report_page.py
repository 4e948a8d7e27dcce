"""The page that ``specscale report`` writes: sections, tables and figures of a study."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from numerics.plateau_figures import escape_figure, spectra_figure
from theory import Derivation, plateau

from .claims import Judgement
from .claims.section import sections as claim_sections
from .findings import Finding
from .render import DerivationSection, Figure, Preformatted, Prose, Section, Table
from .study import Study, network

if TYPE_CHECKING:
    from matplotlib import figure

__all__ = ["escape_picture", "sections", "spectra_picture"]

LIBRARIES = ("specscale", "sympy", "mpmath", "numpy", "scipy", "numba", "heyoka", "python-flint")


def spectra_picture(study: Study) -> figure.Figure:
    """eps_g for each spectrum."""
    curves = study.curves
    level = float(curves[0].plateau.error)
    labels = [f"$L = {c.L}$" for c in curves]
    return spectra_figure(labels, [c.line for c in curves], [c.runs for c in curves], level)


def escape_picture(study: Study) -> figure.Figure:
    """Escape times against L for each M."""
    units, measured_at = study.settings.units, np.array(study.settings.sizes)
    sizes = np.arange(measured_at.min(), measured_at.max() + 1)
    formula = [
        np.array([float(plateau(network(M, int(L))).escape_time) for L in sizes]) for M in units
    ]
    measured = [np.array([1 / e.rate for e in study.escapes if e.model.M == M]) for M in units]
    return escape_figure([f"$M = {M}$" for M in units], sizes, formula, measured_at, measured)


def sections(
    derivations: Sequence[Derivation],
    study: Study,
    found: Sequence[Finding],
    judged: Sequence[Judgement],
    pictures: Sequence[bytes],
    seconds: dict[str, float],
) -> list[Section]:
    """The sections in the order of reading."""
    return [
        _summary(study, found),
        Figure("The plateau shortens with the number of eigenvalues", pictures[0], _CURVES),
        _times(study),
        Figure("The escape time is its formula, for every spectrum", pictures[1], _ESCAPES),
        _escapes(study),
        Figure("What helps, and what does not", pictures[2], _HELPS),
        _checks(found),
        *claim_sections(judged),
        _steps(derivations),
        *_comparisons(study),
        _how(study, seconds),
        *(DerivationSection(derivation) for derivation in derivations),
    ]


_CURVES = (
    "Generalisation error of K = M = 2 erf units on data with $\\lambda_k \\propto k^{-2}$, "
    "k = 1..L, learning rate $\\eta = 1/10$. Lines: order-parameter equations (double precision). "
    "Markers: simulated SGD, mean over the runs with bars of two standard errors. Dotted: "
    "$\\epsilon_g^*$ of the symmetric plateau as $\\eta \\to 0$, the same for every spectrum."
)
_ESCAPES = (
    "Lines: $\\tau_{\\mathrm{esc}} = 1/\\gamma$ from the formula. Markers: $1/\\gamma$ measured on "
    "integrated trajectories that leave the symmetric fixed point ($\\eta^2$ terms dropped)."
)
_HELPS = (
    "Above: K = M = 2 erf units, L = 32, $\\eta = 1/10$, from the start of the first figure; the "
    "gradient is multiplied by $\\Sigma^{-\\theta}/m$, $m = \\sum_k w_k\\lambda_k^{1-\\theta}$, "
    "or weights decay at the rate d. Below, left: one linear unit, L = 128, label noise of "
    "variance 1/10; right: erf units, output weights one or trained at $\\eta_v = \\eta = 1/5$, "
    "label noise of variance 1/100. Everything is integrated."
)


def _summary(study: Study, found: Sequence[Finding]) -> Prose:
    s = study.settings
    return Prose(
        "What this is",
        "Two-layer networks learn by one-pass SGD from a teacher of the same shape, on Gaussian "
        "data whose covariance has L distinct eigenvalues $\\lambda_k \\propto k^{-2}$. The "
        "order-parameter equations were derived symbolically; every printed step was checked, or "
        "is marked as cited; "
        f"the same expressions were integrated in double precision and in {s.digits} digits, and "
        f"held against {s.runs} simulated runs of SGD at N = {s.N} (the exact Markov chain of the "
        "overlaps, which uses none of the equations).\n\n"
        f"All {len(found)} checks below hold. Theory means N → ∞; the simulation is at "
        "finite N and differs from it by O(1/N): the z-scores say how far that stands out of the "
        "scatter between runs.",
    )


def _times(study: Study) -> Table:
    rows = tuple(
        (
            str(c.L),
            f"{float(c.model.spectrum.moment(2)):.3f}",
            f"{float(c.plateau.escape_time):.1f}",
            f"{c.specialised:.0f}",
        )
        for c in study.curves
    )
    return Table(
        "How long the plateau lasts",
        ("L", "$\\sum_k w_k \\lambda_k^2$", "$\\tau_{\\mathrm{esc}}$, formula", "specialised at α"),
        rows,
        "Specialised: the first time at which $R_{11} - R_{12} = 1/2$ on the theory's trajectory. "
        "All start from $q_k = r_k = 1/16$ times the identity.",
    )


def _escapes(study: Study) -> Table:
    rows = tuple(
        (
            str(e.model.M),
            str(e.model.spectrum.L),
            f"{e.rate:.8f}",
            f"{e.formula:.8f}",
            f"{e.difference:+.1e}",
        )
        for e in study.escapes
    )
    return Table(
        "Escape rates",
        ("M", "L", "γ measured", "γ formula", "relative difference"),
        rows,
        "Measured: slope of $\\log(R_{11} - R_{12})$ over three e-folds. Formula: "
        "$\\gamma = \\eta \\sum_k w_k \\lambda_k^2 \\cdot \\frac{2}{\\pi} (2M-1)^{-1/2} "
        "(2M+1)^{-3/2}$.",
    )


def _checks(found: Sequence[Finding]) -> Table:
    rows = tuple((f.what, f.found, f.required, "holds" if f.passed else "fails") for f in found)
    return Table("Everything that was checked", ("check", "found", "required", "verdict"), rows)


def _steps(derivations: Sequence[Derivation]) -> Table:
    rows = tuple(
        (d.title, *map(str, d.check().counts.values()), f"{d.name}.html, {d.name}.tex")
        for d in derivations
    )
    return Table(
        "The derivations",
        ("title", "symbolic", "numeric", "assumed", "files beside this page"),
        rows,
        "Symbolic: the difference of both sides simplifies to zero. Numeric: both sides agree to "
        "the stated digits. Assumed: cited, not checked here.",
    )


def _comparisons(study: Study) -> list[Section]:
    return [
        *(Preformatted(f"Comparison in full, L = {c.L}", str(c.comparison)) for c in study.curves),
        Preformatted(
            f"Moments against modes in full, L = {study.settings.moments[0]}", str(study.forms)
        ),
    ]


def _how(study: Study, seconds: dict[str, float]) -> Preformatted:
    s = study.settings
    lines = [f"{stage:<40}{time:8.1f} s" for stage, time in seconds.items()]
    lines += ["", *(f"{name:<40}{version(name):>10}" for name in LIBRARIES)]
    lines += [
        "",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} processors",
        f"simulation: N = {s.N}, {s.runs} runs, seed {s.seed} (Philox, one stream a run)",
        "",
    ]
    for c in study.curves:
        lines += [f"L = {c.L}"]
        lines += [
            f"  {path.label}: {path.provenance['method']}" for path in (c.path, c.sharp, c.runs)
        ]
    return Preformatted("How it was computed", "\n".join(lines))
