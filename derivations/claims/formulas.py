"""What a printed formula says: its exponents, and its values beside those that are found."""

from __future__ import annotations

import sympy as sp

__all__ = ["against", "exponent"]


def exponent(formula: sp.Eq, variable: sp.Symbol) -> sp.Expr:
    """The power of `variable` on the right side of a formula."""
    return sp.simplify(variable * formula.rhs.diff(variable) / formula.rhs)


def against(value: float) -> str:
    """What the formula says, beside a number that is found."""
    return f"(formula: {value:.4g})"
