"""A derivation as a LaTeX article that compiles with Debian's basic TeX packages."""

from __future__ import annotations

import sympy as sp

from theory.derivation import Derivation, Report, Step

from ..printing import latex, latex_equation
from .templates import CHECKED_BY, fill
from .text import to_latex

__all__ = ["article"]


def article(derivation: Derivation, report: Report) -> str:
    """The complete LaTeX source of a checked derivation.

    Parameters
    ----------
    derivation : Derivation
    report : Report
        What ``derivation.check()`` returned.
    """
    return fill(
        "article.tex",
        title=to_latex(derivation.title),
        summary=to_latex(derivation.summary),
        notation=_notation(derivation),
        steps="\n".join(_step(n, step) for n, step in enumerate(derivation.steps, 1)),
        counts=_counts(report),
        references=_references(derivation),
    )


def _notation(derivation: Derivation) -> str:
    if not derivation.notation:
        return ""
    rows = [rf"{_name(name)} & {to_latex(meaning)} \\" for name, meaning in derivation.notation]
    table = "\n".join([r"\begin{tabular}{@{}lp{0.75\textwidth}@{}}", *rows, r"\end{tabular}"])
    return f"\\section*{{Notation}}\n{table}\n"


def _name(name: sp.Basic | str) -> str:
    return to_latex(name) if isinstance(name, str) else f"${latex(name)}$"


def _step(number: int, step: Step) -> str:
    parts = [rf"\step{{{number}}}{{{to_latex(step.text)}}}"]
    if step.equations:
        shown = latex_equation(step.equations)
        display = f"\\fitted{{{shown}}}\n\\tag{{{number}}}"
        parts.append(f"\\begin{{equation}}\n{display}\n\\end{{equation}}")
    else:
        parts.append(r"\par\nopagebreak")
    reason, label = to_latex(step.reason), to_latex(step.check.label)
    parts.append(rf"\reason{{{reason}}}{{{step.check.kind}}}{{{label}}}")
    return "\n".join(parts) + "\n"


def _counts(report: Report) -> str:
    return "\n".join(
        rf"\textcolor{{{kind}}}{{\textsf{{{kind}}}}} & {count} & {CHECKED_BY[kind]} \\"
        for kind, count in report.counts.items()
    )


def _references(derivation: Derivation) -> str:
    if not derivation.references:
        return ""
    items = [rf"\bibitem[{to_latex(k)}]{{{k}}} {to_latex(c)}." for k, c in derivation.references]
    return "\n".join([r"\begin{thebibliography}{WR24}", *items, r"\end{thebibliography}"])
