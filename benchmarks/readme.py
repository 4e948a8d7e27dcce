"""The short table of README.md, between its markers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .table import Table

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
PAGE = Path(__file__).parents[1] / "README.md"


def write(tables: dict[str, Table], machine: dict[str, str], page: Path = PAGE) -> None:
    """Replace what stands between the markers.

    Raises
    ------
    ValueError
        If the page has no markers.
    """
    text = page.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no {BEGIN} ... {END}: add them where the table is to stand")
    page.write_text(f"{before}{BEGIN}\n{summary(tables, machine)}\n{END}{after}")


def summary(tables: dict[str, Table], machine: dict[str, str]) -> str:
    """A line for every size of the stiff case, and one sentence on the machine."""
    rows = tables["stiff"].record()["rows"]
    sizes = sorted({row["L"] for row in rows})
    methods = list(dict.fromkeys(row["method"] for row in rows))
    found = {(row["L"], row["method"]): row for row in rows}
    body = [(f"{m}", *(_entry(found.get((L, m))) for L in sizes)) for m in methods]
    table = Table("", ("seconds (error)", *(f"L = {L}" for L in sizes)), body)
    where = f"{machine['processor']}, {machine['cores']} cores"
    return f"{tables['stiff'].title} ({where}):\n\n{table.markdown()}"


def _entry(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    seconds = row["seconds"]
    if row["error"] is None:
        return str(seconds)
    return f"{seconds:.2g} ({row['error']:.0e})"
