"""Judged claims as text for a terminal, and as the table of README.md."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

from .claim import Judgement, Verdict

__all__ = ["counts", "listing", "markdown"]

WIDTH = 100


def counts(judged: Sequence[Judgement]) -> str:
    """How many claims have which verdict."""
    found = Counter(each.evidence.verdict for each in judged)
    names = {
        Verdict.HOLDS: "hold",
        Verdict.CONDITIONAL: "hold under a condition",
        Verdict.FAILS: "fail",
    }
    return f"{len(judged)} claims: " + ", ".join(f"{found[v]} {name}" for v, name in names.items())


def listing(judged: Sequence[Judgement]) -> str:
    """Every claim with its verdict and all of its numbers."""
    return "\n".join([*map(_entry, judged), counts(judged)])


def _entry(each: Judgement) -> str:
    claim, evidence = each.claim, each.evidence
    what = max(len(number.what) for number in evidence.numbers)
    lines = [
        f"{claim.name}  ({each.seconds:.1f} s)",
        *_wrapped(claim.statement),
        *_wrapped(f"-> {evidence.text}"),
        *(f"      {number.what:<{what}}  {number.text}" for number in evidence.numbers),
    ]
    return "\n".join(lines) + "\n"


def _wrapped(text: str) -> list[str]:
    indent = "   "
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "   ")


def markdown(judged: Sequence[Judgement]) -> str:
    """One row a claim, with its first number."""
    rows = ["| claim | verdict | evidence |", "|---|---|---|"]
    for each in judged:
        first = each.evidence.numbers[0]
        cells = (
            f"{each.claim.statement} [{each.claim.source}]",
            each.evidence.text,
            f"{first.what}: {first.text}",
        )
        rows.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(rows)
