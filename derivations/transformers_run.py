"""``specscale transformers``: the experiment, or what was recorded of it, as files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from numerics.transformer_experiment import Experiment, Settings, run_experiment
from numerics.transformers_figures import transformer_figure

from .claims.judging import judge_claims
from .claims.redundancy_transformers import transformer_claims
from .claims.table import listing
from .output import whole_folder
from .render import page
from .stages import Stages
from .transformers_data import recorded
from .transformers_page import TITLE, sections, tables_text

__all__ = ["run_transformers"]


def run_transformers(settings: Settings | None, out: Path) -> str:
    """Carry out the experiment, or take the recorded one if there are no settings; write it all.

    Raises
    ------
    ImportError
        If something is to be computed and JAX is not installed.
    ArithmeticError, ClaimError, OSError
        If a training diverges, a claim cannot be judged or `out` cannot be written; nothing is
        then written.
    """
    with whole_folder(out) as folder, Stages() as stages:
        experiment = recorded() if settings is None else run_experiment(settings, stages.over)
        judged = judge_claims(transformer_claims(lambda: experiment), False, stages.over)
        text = tables_text(experiment)
        picture = _save(experiment, text, folder)
        document = page(TITLE, sections(experiment, judged, picture))
        (folder / "transformers.html").write_text(document, encoding="utf-8")
    return f"{text}\n{listing(judged)}\nwritten to {out}"


def _save(experiment: Experiment, text: str, folder: Path) -> bytes:
    """Data, table and figure; returns the figure as PNG."""
    experiment.save(folder / "transformers.npz")
    (folder / "transformers.txt").write_text(text, encoding="utf-8")
    figure, stream = transformer_figure(experiment), BytesIO()
    figure.savefig(folder / "transformers.pdf")
    figure.savefig(stream, format="png", dpi=130)
    (folder / "transformers.png").write_bytes(stream.getvalue())
    return stream.getvalue()
