"""Words with inline mathematics, escaped for LaTeX and for HTML.

Summary
    Texts of a derivation are plain Unicode with LaTeX formulas between dollar signs. Formulas pass
    through to both outputs; everything else is escaped.
"""

from __future__ import annotations

import html
from collections.abc import Iterator

__all__ = ["to_html", "to_latex", "without_formulas"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: rf"\{character}" for character in "{}&#_%"},
}


def _commands(table: str) -> dict[str, str]:
    """Characters and LaTeX commands, in turn."""
    words = table.split()
    return {c: rf"\{name}" for c, name in zip(words[::2], words[1::2], strict=True)}


def _raised(characters: str, meaning: str, sign: str) -> dict[str, str]:
    return {c: f"{sign}{{{m}}}" for c, m in zip(characters, meaning, strict=True)}


_MATH = {
    "−": "-",
    **_commands(
        "α alpha β beta γ gamma δ delta ε varepsilon ζ zeta η eta θ theta ι iota κ kappa λ lambda "
        "μ mu ν nu ξ xi π pi ρ rho σ sigma τ tau υ upsilon φ varphi χ chi ψ psi ω omega "
        "Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma Υ Upsilon Φ Phi Ψ Psi Ω Omega "
        "≤ le ≥ ge ≠ ne ≈ approx ∼ sim ≪ ll ≫ gg ∞ infty × times · cdot ± pm → to ← leftarrow "
        "↦ mapsto ∈ in ∑ sum ∏ prod ∫ int √ surd ∂ partial ∇ nabla ∝ propto ⟨ langle ⟩ rangle"
    ),
    **_raised("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n", "^"),
    **_raised("₀₁₂₃₄₅₆₇₈₉", "0123456789", "_"),
}

_TYPOGRAPHY = "–—‘’“”„…†‡•§°"


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """(is a formula, piece) in turn.

    Raises
    ------
    ValueError
        If the dollar signs do not pair.
    """
    parts = text.split("$")
    if len(parts) % 2 == 0:
        raise ValueError(f"unpaired $ in {text!r}: formulas stand between two dollar signs")
    for n, part in enumerate(parts):
        if part:
            yield n % 2 == 1, part


def to_latex(text: str) -> str:
    """`text` for LaTeX with T1 fonts.

    Raises
    ------
    ValueError
        If a character has no LaTeX form here, or the dollar signs do not pair.
    """
    return "".join(
        f"${''.join(_in_formula(c) for c in part)}$"
        if formula
        else "".join(_in_text(c, text) for c in part)
        for formula, part in _pieces(text)
    )


def _in_formula(character: str) -> str:
    # The braces end a command name: "αx" is \alpha x.
    return f"{{{_MATH[character]}}}" if character in _MATH else character


def _in_text(character: str, text: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character in _MATH:
        return rf"\ensuremath{{{_MATH[character]}}}"
    accented = character.isalpha() and character < "\u0180"
    if character.isascii() or accented or character in _TYPOGRAPHY:
        return character
    raise ValueError(
        f"no LaTeX form for {character!r} (U+{ord(character):04X}) in {text!r}: "
        "write it as a formula between dollar signs"
    )


def to_html(text: str) -> str:
    """`text` for HTML; formulas in ``<span class="math">``, for Temml."""
    return "".join(
        f'<span class="math">{html.escape(part)}</span>' if formula else html.escape(part)
        for formula, part in _pieces(text)
    )


def without_formulas(text: str) -> str:
    """`text` with its formulas as LaTeX source, for places that hold characters only."""
    return "".join(part for _, part in _pieces(text))
