"""What printed notation means, and which numbers a printed equation shows.

Summary
    A derivation prints names (Q_ij, I_2(...), E[...]); definitions give them their meaning for the
    check. The functions here substitute definitions, recognise an equation that compares a thing
    with itself, and list the numbers a reader of the equation sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixElement

from .evaluation import unevaluated, written_out

__all__ = [
    "Definitions",
    "Expectation",
    "apply_definitions",
    "as_definitions",
    "is_self_comparison",
    "numbers",
]

Definitions = tuple[tuple[Any, sp.Basic], ...]

Expectation = sp.Function("Expectation")
"""The average E[...]; a definition (a Lambda) says over what."""


def as_definitions(definitions: Mapping[Any, Any] | None) -> Definitions:
    """Freeze a mapping from notation to meaning, keeping its order.

    Raises
    ------
    ValueError
        If a whole function or IndexedBase is not given a Lambda.
    """
    frozen = []
    for key, value in (definitions or {}).items():
        meaning = sp.sympify(value)
        if isinstance(meaning, sp.MatrixBase):
            meaning = sp.ImmutableDenseMatrix(meaning)
        whole = isinstance(key, (type, sp.IndexedBase))
        if whole and not isinstance(meaning, sp.Lambda):
            raise ValueError(
                f"the definition of {key} must be a Lambda of its arguments, found {value!r}"
            )
        frozen.append((key if whole else sp.sympify(key), meaning))
    return tuple(frozen)


def apply_definitions(expr: sp.Basic, definitions: Definitions) -> sp.Basic:
    """Replace notation by its meaning, in the order of the definitions.

    Sums over indexed symbols are written out as soon as their bounds are integers, so that a
    definition of Q[2, 1] reaches the terms of a sum over Q[i, j].

    A Lambda is applied without renaming: ``E -> Lambda(u, Integral(u*density(x), (x, -oo, oo)))``
    captures the x of ``E[g(x)]``, as an average must.
    """
    for key, meaning in definitions:
        expr = written_out(expr)
        if isinstance(key, (type, sp.IndexedBase)):
            expr = _apply_lambda(expr, key, meaning)
        else:
            expr = expr.xreplace({key: meaning})
    return written_out(expr)


def _apply_lambda(expr: sp.Basic, key: Any, meaning: sp.Lambda) -> sp.Basic:
    if not expr.args:
        return expr
    arguments = [_apply_lambda(a, key, meaning) for a in expr.args]
    if _applies(key, expr):
        return meaning(*(arguments[1:] if isinstance(expr, sp.Indexed) else arguments))
    # Rebuilding only what changed keeps unevaluated products as they were written.
    return expr if tuple(arguments) == expr.args else expr.func(*arguments)


def _applies(key: Any, expr: sp.Basic) -> bool:
    """Whether `expr` is an application of the function, or an entry of the IndexedBase, `key`."""
    if isinstance(expr, sp.Indexed):
        return bool(expr.base == key)
    return isinstance(key, type) and expr.func == key


def is_self_comparison(lhs: sp.Basic, rhs: sp.Basic, definitions: Definitions) -> bool:
    """Whether an equation says nothing: both sides are one expression, perhaps written twice.

    True when the sides are equal as they stand, or once definitions are inserted without evaluating
    anything, or (with nothing defined and nothing to evaluate) once products are expanded.
    """
    if lhs == rhs or _tree(lhs, definitions, {}) == _tree(rhs, definitions, {}):
        return True
    for side in (lhs, rhs):
        if unevaluated(side) or apply_definitions(side, definitions) != side:
            return False
        if isinstance(side, (sp.MatrixBase, sp.MatrixExpr)):
            return False
    return bool(sp.expand(lhs) == sp.expand(rhs))


def _tree(expr: sp.Basic, definitions: Definitions, bound: Mapping[sp.Basic, Any]) -> Any:
    """`expr` with definitions inserted, as nested tuples: SymPy would evaluate on rebuilding."""
    if expr in bound:
        return bound[expr]
    for n, (key, meaning) in enumerate(definitions):
        later = definitions[n + 1 :]
        if _applies(key, expr):
            given = expr.indices if isinstance(expr, sp.Indexed) else expr.args
            values = [_tree(a, definitions, bound) for a in given]
            return _tree(meaning.expr, later, dict(zip(meaning.variables, values, strict=True)))
        if expr == key:
            return _tree(meaning, later, {})
    if not expr.args:
        return expr
    parts = [_tree(a, definitions, bound) for a in expr.args]
    name = expr.func.__name__
    if name in {"Add", "Mul"}:
        nested = [p[1:] if isinstance(p, tuple) and p[0] == name else (p,) for p in parts]
        parts = sorted((p for group in nested for p in group), key=repr)
    return (name, *parts)


def numbers(expr: sp.Basic) -> Iterator[tuple[tuple[int, ...], sp.Number]]:
    """Every finite number that the printed `expr` shows, with its path through ``.args``.

    Subscripts, matrix shapes, the order of a first derivative and infinity are not numbers in this
    sense.
    """
    if isinstance(expr, sp.Number):
        if expr.is_finite:
            yield (), expr
        return
    for n in _printed_arguments(expr):
        for path, number in numbers(expr.args[n]):
            yield (n, *path), number


def _printed_arguments(expr: sp.Basic) -> range | tuple[int, ...]:
    """Positions of the arguments that are formulas, not shapes, subscripts or bound symbols."""
    if isinstance(expr, (sp.Indexed, MatrixElement, sp.Heaviside)):
        return (0,)
    if isinstance(expr, (sp.MatrixSymbol, sp.Identity, sp.ZeroMatrix, sp.OneMatrix)):
        return ()
    if isinstance(expr, sp.MatrixBase):
        return (2,)
    if isinstance(expr, sp.Tuple) and len(expr) == 2 and expr[1] == 1:
        # (x, 1) in a first derivative.
        return ()
    return range(len(expr.args))
