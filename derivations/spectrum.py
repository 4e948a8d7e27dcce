"""``specscale spectrum``: spectra of random features, against the limit d = infinity.

Summary
    An ensemble over the weights W, in windows of ranks: eigenvalues with their errors, the local
    exponent, the limit at the same v and the ratio to it; then what a straight line would say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numerics.spectra import FeatureSpectra, feature_spectra
from numerics.spectra_figures import spectrum_figure
from numerics.spectral_statistics import (
    Windows,
    count_slope,
    local_exponents,
    naive_exponent,
    rank_windows,
)
from theory.exact import exact

from .output import whole_folder

__all__ = ["spectrum"]

FIRST, SHARE = 10, 4
"""Slopes are taken from this rank on, up to d over that, where the limit d = infinity is near."""

ROWS = 1.5
"""Ratio of the windows of the table; those of the figure and of slopes are 15 % wide."""


def spectrum(
    names: Sequence[str], options: dict[str, Any], out: Path, say: Callable[[str], None]
) -> None:
    """Draw an ensemble per activation, print tables, and write tables, figure and data into `out`.

    Parameters
    ----------
    names : sequence of str
        Activations, or degrees p of y^p.
    options : dict
        The other arguments of `numerics.spectra.feature_spectra`.
    say : callable
        Takes the lines that tell what is going on.

    Raises
    ------
    ValueError, TypeError, ArithmeticError, MemoryError, OSError
        If something is out of its range; nothing is then written.
    """
    with whole_folder(out) as folder:
        texts, drawn = [], []
        for name in names:
            spectra = feature_spectra(activation=_degree_or_name(name), **options)
            last = min(spectra.resolved, max(spectra.d // SHARE, 1))
            limit = spectra.limit(last)
            text = f"{spectra!r}\n\n{_table(spectra, limit, rank_windows(1, last, ROWS))}"
            if last > 2 * FIRST:
                windows = rank_windows(FIRST, last)
                text += f"\n\n{_slopes(spectra, limit, windows)}"
                drawn.append((spectra, limit, windows))
            spectra.save(folder / f"spectrum_{name}.npz")
            say(text + "\n")
            texts.append(text)
        if drawn:
            figure = spectrum_figure(*zip(*drawn, strict=True))
            figure.savefig(folder / "spectrum.pdf")
            figure.savefig(folder / "spectrum.png", dpi=160)
        (folder / "spectrum.txt").write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    say(f"written to {out}")


def _degree_or_name(text: str) -> Any:
    """A number, which must be a degree, or the name of an activation."""
    try:
        return exact(text, "the degree p")
    except ValueError:
        return text


def _table(spectra: FeatureSpectra, limit: Any, windows: Windows) -> str:
    """One line a window: ranks, eigenvalue, its error in %, local exponent, limit, ratio."""
    logs = windows.mean_log(spectra.eigenvalues)
    mean, error = logs.mean(axis=0), _error(logs)
    exponents = local_exponents(spectra.eigenvalues, windows).mean(axis=0)
    titles = ["ranks", "eigenvalue", "+- %", "exponent"]
    titles += [] if limit is None else ["d = oo", "ratio"]
    known = None if limit is None else windows.mean_log(limit)
    rows = []
    for k, value in enumerate(mean):
        first, last = windows.edges[k], windows.edges[k + 1] - 1
        row = [f"{first}" if first == last else f"{first}-{last}", f"{np.exp(value):.5g}"]
        row += ["" if error is None else f"{100 * error[k]:.2g}"]
        row += [f"{exponents[k - 1]:.3f}" if k else ""]
        if known is not None:
            row += [f"{np.exp(known[k]):.5g}", f"{np.exp(value - known[k]):.4f}"]
        rows.append(row)
    return "\n".join("".join(f"{cell:>12}" for cell in row) for row in [titles, *rows])


def _slopes(spectra: FeatureSpectra, limit: Any, windows: Windows) -> str:
    """What a straight line says, and what y_j says."""
    last = windows.edges[-1] - 1
    lines = [
        f"ranks {windows.edges[0]} to {last}, mean over the runs:",
        f"  a straight line through log lambda against log j: exponent "
        f"{_shown(naive_exponent(spectra.eigenvalues, windows))} (a = {spectra.a})",
    ]
    if spectra.degree is not None:
        found = count_slope(spectra.eigenvalues, spectra.a, spectra.degree, windows)
        lines.append(f"  slope of y_j = (j - 1/2)/X_j against log X_j: {_shown(found)}")
    if spectra.degree is not None and limit is not None:
        predicted = count_slope(limit, spectra.a, spectra.degree, windows)
        lines[-1] += f" ({predicted:.3f} at d = infinity)"
    return "\n".join(lines)


def _shown(values: Any) -> str:
    error = _error(values)
    return f"{values.mean():.3f}" + ("" if error is None else f" +- {error:.3f}")


def _error(values: Any) -> Any:
    """Standard error over the runs, the first axis."""
    runs = len(values)
    return None if runs < 2 else values.std(axis=0, ddof=1) / np.sqrt(runs)
