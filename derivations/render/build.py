"""Write a derivation to a file: checked first, and whole or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from theory.derivation import Derivation

from .article import article
from .webpage import DerivationSection, page

__all__ = ["PdfFailed", "PdfUnavailable", "render"]


class PdfUnavailable(RuntimeError):
    """There is no latexmk to make a PDF with."""


class PdfFailed(RuntimeError):
    """LaTeX stopped; the message shows what its log says."""


def render(derivation: Derivation, format: str, out_dir: str | os.PathLike[str]) -> Path:
    """Check every step, then write ``<name>.<format>`` into `out_dir`.

    Parameters
    ----------
    derivation : Derivation
    format : {"tex", "html", "pdf"}
        "pdf" needs latexmk; the others need nothing.
    out_dir : path
        Made if missing. An existing file is replaced when the new one is complete.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    ValueError
        If the format is unknown.
    DerivationError
        If a step does not hold; nothing is written.
    PdfUnavailable, PdfFailed
        If latexmk is missing or fails; nothing is written.
    """
    if format not in _WRITERS:
        raise ValueError(f"unknown format {format!r}: use one of {', '.join(_WRITERS)}")
    content = _WRITERS[format](derivation)
    return _write_whole(Path(out_dir) / f"{derivation.name}.{format}", content)


def _tex(derivation: Derivation) -> bytes:
    return article(derivation, derivation.check()).encode("utf-8")


def _html(derivation: Derivation) -> bytes:
    return page(derivation.title, [DerivationSection(derivation)]).encode("utf-8")


def _pdf(derivation: Derivation) -> bytes:
    latexmk = shutil.which("latexmk")
    if latexmk is None:
        raise PdfUnavailable(
            "latexmk was not found, so no PDF can be made: install it with the packages "
            "texlive-latex-base, texlive-latex-recommended, texlive-fonts-recommended, lmodern and "
            'latexmk, or use the formats "tex" and "html", which need no TeX'
        )
    source = _tex(derivation)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{derivation.name}.tex"
        path.write_bytes(source)
        command = [latexmk, "-pdf", "-interaction=nonstopmode", "-halt-on-error", path.name]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
        result = path.with_suffix(".pdf")
        if done.returncode or not result.exists():
            raise PdfFailed(_failure(derivation.name, path.with_suffix(".log"), done))
        return result.read_bytes()


def _failure(name: str, log: Path, done: subprocess.CompletedProcess[str]) -> str:
    """The errors in the log with three lines after each; without a log, what latexmk said last."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    errors = [n for n, line in enumerate(lines) if line.startswith("!")]
    shown = [line for n in errors for line in lines[n : n + 4]]
    if not shown:
        shown = (done.stdout + done.stderr).splitlines()[-10:]
    return f"{name}: latexmk failed (exit code {done.returncode})\n" + "\n".join(shown)


_WRITERS: dict[str, Callable[[Derivation], bytes]] = {"tex": _tex, "html": _html, "pdf": _pdf}


def _write_whole(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path
