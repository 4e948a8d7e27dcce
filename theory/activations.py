"""Activation functions g: by name, or any SymPy expression in one symbol.

Notation
    g : activation of a hidden unit; x : its argument; He_n : probabilists' Hermite polynomial.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sympy as sp

from .exact import exact

__all__ = ["X", "Activation", "hermite_polynomial"]

X = sp.Symbol("x", real=True)
"""The argument of every activation expression."""


@dataclass(frozen=True)
class Activation:
    """An activation function g, by name or as a SymPy expression in one symbol.

    Parameters
    ----------
    g : str, sympy.Expr or Activation
        ``"erf"`` (erf(x/sqrt(2))), ``"linear"``, ``"relu"``, ``"sign"``, ``"sin"``, ``"cos"``,
        ``"exp"``, ``"x^n"``, ``"He_n"`` (probabilists' Hermite polynomial), or an expression such
        as ``x**3 - 3*x`` or ``tanh(x)``.

    Attributes
    ----------
    name : str
        The name, or the text of the expression.
    expr : sympy.Expr
        g as an expression in the real symbol ``x``.

    Raises
    ------
    ValueError
        If the name is unknown or the expression has not exactly one symbol.

    Examples
    --------
    >>> Activation("He_3").expr
    x**3 - 3*x
    """

    name: str
    expr: sp.Expr

    def __init__(self, g: Any) -> None:
        if isinstance(g, Activation):
            name, expr = g.name, g.expr
        elif isinstance(g, str):
            name, expr = _named_activation(g)
        elif isinstance(g, sp.Expr):
            expr = _activation_in_x(g)
            name = next((n for n, e in _NAMED.items() if e == expr), str(expr))
        else:
            raise TypeError(
                f"activation must be a name or a SymPy expression, found {g!r} of "
                f"type {type(g).__name__}"
            )
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "expr", expr)

    def __call__(self, argument: Any) -> sp.Expr:
        """g(argument)."""
        return self.expr.subs(X, sp.sympify(argument))

    @property
    def derivative(self) -> sp.Expr:
        """g'(x)."""
        return self.expr.diff(X)

    @property
    def is_polynomial(self) -> bool:
        """Whether g is a polynomial in x."""
        return bool(self.expr.is_polynomial(X))

    def __repr__(self) -> str:
        return f"Activation({self.name})"

    def latex(self) -> str:
        """g(x) = ... as LaTeX."""
        return "g(x) = " + str(sp.latex(self.expr))

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


_NAMED: dict[str, sp.Expr] = {
    "erf": sp.erf(X / sp.sqrt(2)),
    "linear": X,
    "relu": X * sp.Heaviside(X, sp.Rational(1, 2)),
    "sign": sp.sign(X),
    "sin": sp.sin(X),
    "cos": sp.cos(X),
    "exp": sp.exp(X),
}


def _named_activation(text: str) -> tuple[str, sp.Expr]:
    key = text.strip()
    if key.lower() in _NAMED:
        return key.lower(), _NAMED[key.lower()]
    power = re.fullmatch(r"x(?:\^|\*\*)(\d{1,3})", key)
    if power and int(power[1]) > 0:
        return f"x^{int(power[1])}", X ** int(power[1])
    hermite = re.fullmatch(r"[Hh]e_?\{?(\d{1,3})\}?", key)
    if hermite and int(hermite[1]) > 0:
        return f"He_{int(hermite[1])}", hermite_polynomial(int(hermite[1]), X)
    raise ValueError(
        f"unknown activation {text!r}: use one of {', '.join(_NAMED)}, x^n, He_n "
        "(n = 1, 2, ...), or Activation(expr) with a SymPy expression in one symbol"
    )


def hermite_polynomial(n: int, x: sp.Expr) -> sp.Expr:
    """Probabilists' Hermite polynomial, He_{n+1} = x He_n - n He_{n-1}."""
    previous, current = sp.S.Zero, sp.S.One
    for m in range(n):
        previous, current = current, sp.expand(x * current - m * previous)
    return current


def _activation_in_x(expr: sp.Expr) -> sp.Expr:
    symbols = sorted(expr.free_symbols, key=str)
    if len(symbols) != 1:
        raise ValueError(
            f"an activation is an expression in exactly one symbol, found "
            f"{[str(s) for s in symbols]} in {expr}"
        )
    in_x = exact(expr, "activation").subs(symbols[0], X)
    for point in (sp.Rational(-7, 10), sp.Rational(7, 10)):
        value = sp.N(in_x.subs(X, point))
        if value.is_real is False:
            raise ValueError(f"activation must be real, found {expr} = {value} at {point}")
    return in_x
