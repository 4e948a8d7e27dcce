"""The main job, ``specscale report``: derive, check, compute, compare, and write one page.

Everything is computed and checked first; the files appear together at the end, or not at all.
"""

from __future__ import annotations

import shutil
import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from numerics.storage import write_arrays
from numerics.what_helps_figures import panels_figure
from theory.derivation import Derivation

from .catalogue import NAMES, load
from .claims import CLAIMS, Judgement
from .claims.judging import judge_claims
from .claims.table import counts
from .findings import Finding, findings, require
from .output import whole_folder
from .render import PdfFailed, page, render
from .report_page import escape_picture, sections, spectra_picture
from .stages import Stages
from .study import Settings, Study, perform
from .what_helps_curves import PANELS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_report"]


def write_report(out: Path, settings: Settings) -> str:
    """Do everything and write the report into `out`; return a summary as text.

    Raises
    ------
    CheckFailed, DerivationError, ClaimError
        If something that was checked does not hold, or a published claim cannot be judged (one that
        is judged to fail is a result); nothing is then written.
    NotADirectoryError, PermissionError
        If `out` cannot be written.
    """
    with whole_folder(out) as folder, Stages() as stages:
        derivations = [
            _document(name, folder) for name in stages.over("checking derivations", NAMES)
        ]
        study = perform(settings, stages.over)
        found = findings(tuple(d.check() for d in derivations), study)
        require(found)
        judged = judge_claims(CLAIMS, settings.full_claims, stages.over)
        _save(study, folder)
        panels = [compute() for compute in stages.over("integrating what helps", PANELS)]
        pictures = [spectra_picture(study), escape_picture(study), panels_figure(panels)]
        names = "learning_curves", "escape_times", "what_helps"
        for name, picture in zip(names, pictures, strict=True):
            picture.savefig(folder / f"{name}.pdf")
        images = [_png(picture) for picture in pictures]
        content = sections(derivations, study, found, judged, images, stages.seconds)
        text = page("From data spectra to learning curves", content)
        (folder / "report.html").write_text(text, encoding="utf-8")
    return _summary(out, found, judged, stages.seconds)


def _document(name: str, folder: Path) -> Derivation:
    """Check a derivation and write it in every format that this machine can make."""
    derivation = load(name)
    for form in ("tex", "html"):
        render(derivation, form, folder)
    if shutil.which("latexmk"):
        try:
            render(derivation, "pdf", folder)
        except PdfFailed as problem:
            # An incomplete TeX installation is no fault of the derivation.
            warnings.warn(f"no PDF, only LaTeX and HTML: {problem}", UserWarning, stacklevel=2)
    return derivation


def _save(study: Study, folder: Path) -> None:
    for curve in study.curves:
        for name in ("path", "sharp", "runs"):
            getattr(curve, name).save(folder / f"{_FILES[name]}_L{curve.L}.npz")
    escapes = study.escapes
    table = {
        "M": np.array([int(e.model.M) for e in escapes]),
        "L": np.array([int(e.model.spectrum.L) for e in escapes]),
        "measured": np.array([e.rate for e in escapes]),
        "formula": np.array([e.formula for e in escapes]),
    }
    write_arrays(folder / "escape_rates.npz", "specscale escape rates 1", table, {})


_FILES = {"path": "theory", "sharp": "theory_precise", "runs": "simulation"}


def _png(figure: Figure) -> bytes:
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=160)
    return stream.getvalue()


def _summary(
    out: Path,
    found: tuple[Finding, ...],
    judged: tuple[Judgement, ...],
    seconds: dict[str, float],
) -> str:
    width = max(len(f.what) for f in found)
    lines = [f"  {f.what:<{width}}  {f.found}" for f in found]
    total = sum(seconds.values())
    return "\n".join(
        [
            f"{len(found)} checks hold:",
            *lines,
            counts(judged),
            f"{total:.0f} s; written to {out / 'report.html'}",
        ]
    )
