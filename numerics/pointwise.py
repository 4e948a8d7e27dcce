"""An activation and its derivatives on arrays, with what quadrature must know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import sympy as sp

from theory.activations import Activation, X

from .averages import Array

__all__ = ["Pointwise", "pointwise"]

_PIECEWISE = (sp.Heaviside, sp.sign, sp.Abs, sp.Max, sp.Min, sp.Piecewise)

Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Pointwise:
    """g and its derivatives on arrays of any shape.

    Attributes
    ----------
    g, slope : callable
        g and g'; at a kink g' is the mean of both sides.
    second : callable
        g'', without what a kink adds at zero.
    kink : bool
        Whether g has a kink at zero.
    symmetric : bool
        Whether g is even or odd, so that all averages of D and G are even in the fields.
    """

    g: Function
    slope: Function
    second: Function
    kink: bool
    symmetric: bool


@cache
def pointwise(activation: Activation) -> Pointwise:
    """Compile the activation.

    Raises
    ------
    ValueError
        If it jumps or has a kink elsewhere than at zero.
    """
    expr = activation.expr
    mirrored = expr.subs(X, -X)
    symmetric = any(sp.expand(mirrored + sign * expr) == 0 for sign in (1, -1))
    if not expr.has(*_PIECEWISE):
        g, slope, second = (_function(expr.diff(X, n), X) for n in range(3))
        return Pointwise(g, slope, second, False, symmetric)
    p = sp.Dummy("p", positive=True)
    right, left = (sp.simplify(expr.subs(X, side)) for side in (p, -p))
    if right.has(*_PIECEWISE) or left.has(*_PIECEWISE):
        raise ValueError(
            f"{activation} has a kink elsewhere than at zero: its averages are not implemented; "
            "use a smooth activation, or one with its kink at zero"
        )
    if sp.limit(right, p, 0) != sp.limit(left, p, 0):
        raise ValueError(
            f"{activation} jumps at zero: SGD sees no gradient there; use a continuous activation"
        )
    g, slope, second = (
        _two_sided(_function(right.diff(p, n), p), _function((-1) ** n * left.diff(p, n), p))
        for n in range(3)
    )
    return Pointwise(g, slope, second, True, symmetric)


def _function(expr: sp.Expr, argument: sp.Symbol) -> Function:
    compiled = sp.lambdify(argument, expr, modules=["scipy", "numpy"], cse=True)
    return lambda x: np.broadcast_to(compiled(x), x.shape)  # constants come out as numbers


def _two_sided(right: Function, left: Function) -> Function:
    def function(x: Array) -> Array:
        size = np.abs(x)
        return np.where(
            x > 0, right(size), np.where(x < 0, left(size), (right(size) + left(size)) / 2)
        )

    return function
