"""What a benchmark hands back, and how it is shown: on a terminal, in Markdown, in JSON."""

from __future__ import annotations

from typing import Any, NamedTuple


class Table(NamedTuple):
    """A measured table.

    Attributes
    ----------
    title : str
        The case, in a line.
    columns : tuple of str
    rows : list of tuples
        Numbers, text, or None where there is nothing to say.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def text(self) -> str:
        """Aligned columns."""
        cells = [self.columns, *([_cell(value) for value in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        ]
        return "\n".join([self.title, "", *lines])

    def markdown(self) -> str:
        """The same for a page."""
        rows = [self.columns, ["---"] * len(self.columns)]
        rows += [[_cell(value) for value in row] for row in self.rows]
        return "\n".join("| " + " | ".join(row) + " |" for row in rows)

    def record(self) -> dict[str, Any]:
        """The same for a machine."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)
