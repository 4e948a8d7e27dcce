"""One HTML file that needs nothing else: formulas become MathML in the reader's browser.

Summary
    ``page(title, sections)`` composes a page of derivations, words, tables, figures and text as it
    is; style, Temml and images are inside the file.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import sympy as sp

from theory.derivation import Derivation, Report, Step

from ..printing import latex, latex_equation
from .templates import CHECKED_BY, fill, read
from .text import to_html, without_formulas

__all__ = ["DerivationSection", "Figure", "Preformatted", "Prose", "Section", "Table", "page"]

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Prose:
    """Paragraphs, separated by empty lines; formulas between dollar signs."""

    title: str
    text: str

    def html(self, anchor: str) -> str:
        return _paragraphs(self.text)

    def entries(self, anchor: str) -> str:
        return ""


@dataclass(frozen=True)
class Preformatted:
    """Text as it is, in a monospaced face."""

    title: str
    text: str

    def html(self, anchor: str) -> str:
        return f"<pre>{html.escape(self.text)}</pre>"

    def entries(self, anchor: str) -> str:
        return ""


@dataclass(frozen=True)
class Table:
    """A table of short texts.

    Raises
    ------
    ValueError
        If a row has not as many cells as the header.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.header):
                raise ValueError(
                    f"table {self.title!r}: row {number} has {len(row)} cells, "
                    f"the header {len(self.header)}"
                )

    def html(self, anchor: str) -> str:
        head = "".join(f"<th>{to_html(cell)}</th>" for cell in self.header)
        rows = ["".join(f"<td>{to_html(cell)}</td>" for cell in row) for row in self.rows]
        body = "\n".join(f"<tr>{row}</tr>" for row in rows)
        caption = f"<caption>{to_html(self.caption)}</caption>" if self.caption else ""
        return f"<table>{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>\n</table>"

    def entries(self, anchor: str) -> str:
        return ""


@dataclass(frozen=True)
class Figure:
    """A picture, embedded.

    Parameters
    ----------
    title : str
    image : bytes
        A PNG or SVG file.
    caption : str

    Raises
    ------
    ValueError
        If `image` is neither.
    """

    title: str
    image: bytes
    caption: str

    @property
    def media_type(self) -> str:
        """image/png or image/svg+xml."""
        if self.image.startswith(_PNG):
            return "image/png"
        if b"<svg" in self.image[:2000]:
            return "image/svg+xml"
        raise ValueError(f"figure {self.title!r}: the image is neither a PNG nor an SVG file")

    def __post_init__(self) -> None:
        _ = self.media_type

    def html(self, anchor: str) -> str:
        data = base64.b64encode(self.image).decode("ascii")
        described = html.escape(without_formulas(self.caption))
        return (
            f'<figure><img src="data:{self.media_type};base64,{data}" alt="{described}">\n'
            f"<figcaption>{to_html(self.caption)}</figcaption></figure>"
        )

    def entries(self, anchor: str) -> str:
        return ""


@dataclass(frozen=True)
class DerivationSection:
    """A derivation; checked when the page is made."""

    derivation: Derivation

    @property
    def title(self) -> str:
        """The title of the derivation."""
        return self.derivation.title

    def html(self, anchor: str) -> str:
        report = self.derivation.check()
        steps = [_step(anchor, n, step) for n, step in enumerate(self.derivation.steps, 1)]
        return "\n".join(
            [
                _paragraphs(self.derivation.summary),
                _notation(self.derivation),
                *steps,
                _counts(report),
                _references(self.derivation),
            ]
        )

    def entries(self, anchor: str) -> str:
        items = [
            f'<li><a href="#{anchor}-{n}">{n}. {to_html(step.text)}</a></li>'
            for n, step in enumerate(self.derivation.steps, 1)
        ]
        return "\n<ol>\n" + "\n".join(items) + "\n</ol>"


class Section(Protocol):
    """A part of a page under a heading: the classes above, and others of this shape."""

    @property
    def title(self) -> str:
        """The heading; formulas between dollar signs."""

    def html(self, anchor: str) -> str:
        """What stands below the heading; `anchor` is the section's own."""

    def entries(self, anchor: str) -> str:
        """The entries below the title in the table of contents; may be empty."""


def page(title: str, sections: Sequence[Section]) -> str:
    """A complete HTML page.

    Parameters
    ----------
    title : str
        Formulas between dollar signs, here as in all texts.
    sections : sequence of Section

    Raises
    ------
    DerivationError
        If a step of a derivation does not hold.
    """
    anchored = [(f"section-{n}", section) for n, section in enumerate(sections, 1)]
    contents = [
        f'<li><a href="#{anchor}">{to_html(section.title)}</a>{section.entries(anchor)}</li>'
        for anchor, section in anchored
    ]
    body = [
        f'<section id="{anchor}">\n{_heading(section.title, title)}'
        f"{section.html(anchor)}\n</section>"
        for anchor, section in anchored
    ]
    return fill(
        "page.html",
        plain_title=html.escape(without_formulas(title)),
        title=to_html(title),
        style=read("page.css") + read("temml.css"),
        contents="\n".join(contents),
        sections="\n".join(body),
        temml=read("temml.min.js"),
    )


def _heading(title: str, page_title: str) -> str:
    """The heading of a section; none where the page itself is called so."""
    return "" if title == page_title else f"<h2>{to_html(title)}</h2>\n"


def _paragraphs(text: str) -> str:
    return "\n".join(f"<p>{to_html(part.strip())}</p>" for part in text.split("\n\n"))


def _notation(derivation: Derivation) -> str:
    if not derivation.notation:
        return ""
    rows = "\n".join(
        f"<tr><td>{_name(name)}</td><td>{to_html(meaning)}</td></tr>"
        for name, meaning in derivation.notation
    )
    return f"<h3>Notation</h3>\n<table>\n{rows}\n</table>"


def _name(name: sp.Basic | str) -> str:
    return to_html(name if isinstance(name, str) else f"${latex(name)}$")


def _step(anchor: str, number: int, step: Step) -> str:
    identity = f"{anchor}-{number}"
    parts = [
        f'<article class="step" id="{identity}">',
        f"<p><b>{number}.</b><span>{to_html(step.text)}</span></p>",
    ]
    if step.equations:
        formula = html.escape(latex_equation(step.equations))
        parts.append(
            f'<div class="equation"><div class="math display">{formula}</div>'
            f'<a class="number" href="#{identity}">({number})</a></div>'
        )
    parts += [
        f'<p class="reason"><span>{to_html(step.reason)}</span>'
        f'<span class="mark {step.check.kind}">{to_html(step.check.label)}</span></p>',
        "</article>",
    ]
    return "\n".join(parts)


def _counts(report: Report) -> str:
    rows = "\n".join(
        f'<tr><td class="{kind}">{kind}</td><td class="amount">{count}</td>'
        f"<td>{CHECKED_BY[kind]}</td></tr>"
        for kind, count in report.counts.items()
    )
    return f"<h3>How the steps are checked</h3>\n<table>\n{rows}\n</table>"


def _references(derivation: Derivation) -> str:
    if not derivation.references:
        return ""
    items = "\n".join(
        f"<dt>[{to_html(key)}]</dt><dd>{to_html(citation)}.</dd>"
        for key, citation in derivation.references
    )
    return f'<h3>References</h3>\n<dl class="references">\n{items}\n</dl>'
