"""Documents from derivations: LaTeX, HTML and PDF.

Main results
    render(derivation, format, out_dir) : one derivation as a file.
    page(title, sections) : several derivations, figures, tables and text as one HTML page.
"""

from .build import PdfFailed, PdfUnavailable, render
from .webpage import DerivationSection, Figure, Preformatted, Prose, Section, Table, page

__all__ = [
    "DerivationSection",
    "Figure",
    "PdfFailed",
    "PdfUnavailable",
    "Preformatted",
    "Prose",
    "Section",
    "Table",
    "page",
    "render",
]
