"""Judged claims as sections of a page, one for each source."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from theory.derivation import SOURCES

from ..render import Section
from ..render.text import to_html
from .claim import Judgement

__all__ = ["ClaimsSection", "sections"]


@dataclass(frozen=True)
class ClaimsSection:
    """The claims of one source: a table of verdicts, then each with formula and numbers."""

    source: str
    judged: tuple[Judgement, ...]

    @property
    def title(self) -> str:
        """What the source claims."""
        return f"Claims of {self.source}, judged"

    def html(self, anchor: str) -> str:
        return "\n".join(
            [
                f"<p>{to_html(SOURCES[self.source])}.</p>",
                self._verdicts(anchor),
                *(_claim(f"{anchor}-{n}", n, each) for n, each in enumerate(self.judged, 1)),
            ]
        )

    def entries(self, anchor: str) -> str:
        items = [
            f'<li><a href="#{anchor}-{n}">{n}. {to_html(each.claim.statement)}</a></li>'
            for n, each in enumerate(self.judged, 1)
        ]
        return "\n<ol>\n" + "\n".join(items) + "\n</ol>"

    def _verdicts(self, anchor: str) -> str:
        rows = "\n".join(
            f'<tr><td><a href="#{anchor}-{n}">{to_html(each.claim.statement)}</a></td>'
            f"<td>{_mark(each)}</td></tr>"
            for n, each in enumerate(self.judged, 1)
        )
        return (
            "<table>\n<thead><tr><th>claim</th><th>verdict</th></tr></thead>\n"
            f"<tbody>{rows}</tbody>\n</table>"
        )


def _claim(identity: str, number: int, each: Judgement) -> str:
    formula = html.escape(each.claim.latex)
    rows = "\n".join(
        f'<tr><td>{to_html(n.what)}</td><td class="amount">{to_html(n.text)}</td></tr>'
        for n in each.evidence.numbers
    )
    return "\n".join(
        [
            f'<article class="step claim" id="{identity}">',
            f"<p><b>{number}.</b><span>{to_html(each.claim.statement)}</span></p>",
            f'<div class="equation"><div class="math display">{formula}</div></div>',
            f'<p class="reason"><span>{to_html(each.evidence.condition)}</span>{_mark(each)}</p>',
            f"<table>\n<tbody>{rows}</tbody>\n</table>",
            "</article>",
        ]
    )


def _mark(each: Judgement) -> str:
    verdict = each.evidence.verdict
    return f'<span class="mark {verdict.name.lower()}">{verdict}</span>'


def sections(judged: Sequence[Judgement]) -> list[Section]:
    """One section for each source, in the order of the claims."""
    groups = groupby(judged, key=lambda each: each.claim.source)
    return [ClaimsSection(source, tuple(group)) for source, group in groups]
