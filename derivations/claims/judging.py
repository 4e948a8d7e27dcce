"""Claims judged one after the other, and what ``specscale claims`` does with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ..output import whole_folder
from ..render import Prose, page
from ..stages import Stages
from .claim import Claim, Judgement
from .section import sections
from .table import counts, listing

__all__ = ["judge_claims", "write_claims"]

TITLE = "Published claims, judged"
READING = (
    "Each statement is in our words. Its numbers were computed when this page was made, and the "
    "verdict follows from them: what is claimed exactly must stand in every case; what is claimed "
    "in a limit holds when a case is deep enough in it, and the condition says how deep."
)


def judge_claims(
    claims: Sequence[Claim],
    full: bool,
    progress: Callable[[str, Iterable[Any]], Iterable[Any]],
) -> tuple[Judgement, ...]:
    """Judge every claim; `progress` wraps the loop.

    Raises
    ------
    ClaimError
        If a claim cannot be judged.
    ValueError
        If two claims of a source share a key.
    """
    names = [claim.name for claim in claims]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"claims need different keys, found twice: {', '.join(twice)}")
    judged = []
    for claim in progress("judging claims", claims):
        began = time.perf_counter()
        evidence = claim.judged(full)
        judged.append(Judgement(claim, evidence, time.perf_counter() - began))
    return tuple(judged)


def write_claims(claims: Sequence[Claim], full: bool, out: Path | None) -> str:
    """Judge the claims; write OUT/claims.html if `out` is given; return them as text.

    Raises
    ------
    ClaimError
        If a claim cannot be judged; nothing is then written.
    NotADirectoryError, PermissionError
        If `out` cannot be written; at once.
    """
    if out is None:
        with Stages() as stages:
            return listing(judge_claims(claims, full, stages.over))
    with whole_folder(out) as folder, Stages() as stages:
        judged = judge_claims(claims, full, stages.over)
        parts = [Prose("How to read this", f"{counts(judged)}.\n\n{READING}"), *sections(judged)]
        (folder / "claims.html").write_text(page(TITLE, parts), encoding="utf-8")
    return f"{listing(judged)}\nwritten to {out / 'claims.html'}"
