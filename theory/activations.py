"""Activation functions g: by name, or any SymPy expression in one symbol.

Notation
    g : activation of a hidden unit; x : its argument; He_n : probabilists' Hermite polynomial.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import sympy as sp

from .exact import exact, is_inexact

__all__ = ["X", "Activation", "hermite_polynomial"]

X = sp.Symbol("x", real=True)
"""The argument of every activation expression."""

# Both signs, zero, and the far tails of a Gaussian field.
_SAMPLES = tuple(sp.Rational(p, 10) for p in (-300, -60, -20, -10, -7, 0, 7, 10, 20, 60, 300))


@dataclass(frozen=True)
class Activation:
    """An activation function g, by name or as a SymPy expression in one symbol.

    Activations are equal if their expressions are, whatever they are called.

    Parameters
    ----------
    g : str, sympy.Expr or Activation
        ``"erf"`` (erf(x/sqrt(2))), ``"linear"``, ``"relu"``, ``"sign"``, ``"sin"``, ``"cos"``,
        ``"exp"``, ``"tanh"``, ``"gelu"``, ``"x^n"``, ``"He_n"`` (probabilists' Hermite polynomial),
        or an expression such as ``x**3 - 3*x`` or ``tanh(2*x)``.

    Attributes
    ----------
    name : str
        The name, or the text of the expression.
    expr : sympy.Expr
        g as an expression in the real symbol ``x``.
    inexact : bool
        Whether a number in it was given as a float, hence means the double it is.

    Raises
    ------
    ValueError
        If the name is unknown, the expression has not exactly one symbol, its derivative is
        unknown to SymPy, or it is singular, complex or without a value somewhere on the real line
        (at the singularities that SymPy finds and at sample points up to 30).

    Examples
    --------
    >>> Activation("He_3").expr
    x**3 - 3*x
    """

    name: str = field(compare=False)
    expr: sp.Expr
    inexact: bool = field(compare=False)

    def __init__(self, g: Any) -> None:
        inexact = g.inexact if isinstance(g, Activation) else is_inexact(g)
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
        object.__setattr__(self, "inexact", inexact)

    def __call__(self, argument: Any) -> sp.Expr:
        """g(argument)."""
        return self.expr.subs(X, sp.sympify(argument))

    @property
    def derivative(self) -> sp.Expr:
        """g'(x)."""
        return self.expr.diff(X)

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
    "tanh": sp.tanh(X),
    "gelu": X * (1 + sp.erf(X / sp.sqrt(2))) / 2,
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
    if in_x.diff(X).has(sp.Derivative, sp.Subs):
        raise ValueError(
            f"activation must have a known derivative, found {expr} with the derivative "
            f"{in_x.diff(X)}; write it with functions that SymPy can differentiate"
        )
    for point in _singularities(in_x):
        raise ValueError(
            f"activation must be finite, found {expr}, which is singular at {point}; write a "
            "removable singularity away, e.g. sinc(x) for sin(x)/x"
        )
    for point in _SAMPLES:
        # chop: a real g may be written with complex exponentials
        value = sp.N(in_x.subs(X, point), chop=True)
        if not (value.is_Number and value.is_finite):
            raise ValueError(
                f"activation must be real and finite, found {expr} = {value} at {point}"
            )
    return in_x


def _singularities(g: sp.Expr) -> list[sp.Expr]:
    """The first singular point of g on the real line, if SymPy can list them."""
    try:
        return list(islice(sp.singularities(g, X, sp.S.Reals), 1))
    except (NotImplementedError, TypeError):  # undecided: the sample points must do
        return []
