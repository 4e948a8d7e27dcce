"""Whether two expressions agree: by symbols, and in numbers.

Summary
    Both functions return what differs, in words, and an empty string when the sides agree.

Main results
    difference : simplification of left - right, refuted early by its value at rational points.
    disagreement : relative difference of two numerical functions at a point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath as mp
import sympy as sp

from .evaluation import numerical, rational_points, unevaluated, variables

__all__ = ["difference", "disagreement", "entrywise"]

GUARD_DIGITS = 15
SCREEN_DIGITS = 20

Values = Callable[[dict[sp.Basic, Any]], list[Any]]


def difference(left: sp.Basic, right: sp.Basic) -> str:
    """What remains of left - right after simplification, entry by entry for matrices.

    A wrong equation is refuted by its value at a rational point before anything slow is tried.
    """
    if _shape(left) != _shape(right):
        return _shapes_differ(_shape(left), _shape(right))
    for a, b in zip(_entries(left), _entries(right), strict=True):
        problem = _entry_difference(a, b)
        if problem:
            return problem
    return ""


def _shapes_differ(ours: Any, theirs: Any) -> str:
    return f"the sides have different shapes: left {ours}, right {theirs}"


def _shape(side: sp.Basic) -> tuple[Any, ...]:
    """(rows, columns); (1, 1) for a scalar."""
    return tuple(getattr(side, "shape", None) or (1, 1))


def _entries(side: sp.Basic) -> list[sp.Expr]:
    """The entries of a matrix of known shape, row by row; otherwise the expression itself."""
    if hasattr(side, "as_explicit") and all(sp.sympify(n).is_Integer for n in _shape(side)):
        return list(side.as_explicit())
    return [side]


def _is_zero(expr: sp.Basic) -> bool:
    return bool(expr == 0 or getattr(expr, "is_ZeroMatrix", False))


def _entry_difference(left: sp.Expr, right: sp.Expr) -> str:
    remainder = left - right
    if _is_zero(remainder) or _is_zero(sp.expand(remainder)):
        return ""
    refuted = _screen(left, right)
    if refuted:
        return refuted
    if isinstance(remainder, sp.MatrixExpr):
        return f"the difference {sp.expand(remainder)} is not the zero matrix"
    ladder: tuple[Callable[[Any], Any], ...] = (
        lambda e: sp.cancel(sp.together(e)),
        sp.trigsimp,
        lambda e: sp.powdenest(sp.powsimp(e)),
        sp.radsimp,
        sp.simplify,
    )
    simplest = remainder
    for simplify in ladder:
        simplest = simplify(remainder)
        if _is_zero(simplest) or _is_zero(sp.expand(simplest)):
            return ""
    return (
        f"the difference does not simplify to zero, what remains is {simplest}; if the sides agree "
        "in numbers, use Numeric"
    )


def _screen(left: sp.Expr, right: sp.Expr) -> str:
    """Refute an identity by its values at two rational points; empty when nothing is refuted.

    Only expressions without integrals, sums and limits are evaluated.
    """
    if unevaluated(left) or unevaluated(right):
        return ""
    try:
        sides = entrywise(left), entrywise(right)
        for point in rational_points(variables(left, right), 2):
            problem = disagreement(*sides, point, SCREEN_DIGITS)
            if problem:
                return problem
    except (ValueError, TypeError, ArithmeticError, NameError, NotImplementedError):
        # Undefined functions and poles have no value, hence no verdict: simplification decides.
        return ""
    return ""


def entrywise(side: sp.Basic) -> Values:
    """The numerical values of the entries of `side`, row by row, as a function of the point."""
    evaluators = [numerical(entry) for entry in _entries(side)]
    return lambda point: [evaluator(point) for evaluator in evaluators]


def disagreement(
    left: Values,
    right: Values,
    point: Mapping[sp.Basic, sp.Expr],
    digits: int,
) -> str:
    """What differs at `point`; empty when all entries agree to `digits` relative digits.

    Where one value is exactly 0 the agreement is absolute. NaN and infinity agree with nothing.
    """
    with mp.workdps(digits + GUARD_DIGITS):
        at = {s: mp.mpmathify(sp.N(v, digits + GUARD_DIGITS)) for s, v in point.items()}
        ours = [mp.mpmathify(v) for v in left(at)]
        theirs = [mp.mpmathify(v) for v in right(at)]
        if len(ours) != len(theirs):
            return _shapes_differ(f"{len(ours)} entries", f"{len(theirs)} entries")
        for a, b in zip(ours, theirs, strict=True):
            if not _agree(a, b, digits):
                shown = ", ".join(f"{s} = {v}" for s, v in point.items())
                return (
                    f"left = {mp.nstr(a, 20)}, right = {mp.nstr(b, 20)}, difference "
                    f"{mp.nstr(a - b, 5)}" + (f" at {shown}" if shown else "")
                )
    return ""


def _agree(a: Any, b: Any, digits: int) -> bool:
    if not (mp.isfinite(a) and mp.isfinite(b)):
        return False
    scale = 1 if a == 0 or b == 0 else max(abs(a), abs(b))
    return bool(abs(a - b) <= scale * mp.mpf(10) ** -digits)
