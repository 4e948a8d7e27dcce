"""Mutations: copies of a step in which one printed number is wrong.

A derivation whose checks mean something fails for every one of them. Use::

    for wrong in mutations(step):
        assert not wrong.verify().passed, wrong
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from theory.derivation import Assumed, Step
from theory.notation import numbers


def mutations(step: Step) -> Iterator[Step]:
    """Copies of `step` with exactly one coefficient changed.

    Every printed number moves by one away from zero, n -> n + 1 (n >= 0), n -> n - 1 (n < 0),
    p/q -> (p + q)/q, at every position on both sides, subscripts and matrix shapes excepted; and
    every top-level term of a right side, whose coefficient 1 is not printed, is doubled. An assumed
    step prints no numbers and has no mutations.
    """
    if isinstance(step.check, Assumed):
        return
    for n, eq in enumerate(step.equations):
        for changed in _changed(eq):
            equations = (*step.equations[:n], changed, *step.equations[n + 1 :])
            single = isinstance(step.equation, sp.Eq)
            yield replace(step, equation=changed if single else equations)


def _changed(eq: sp.Eq) -> Iterator[sp.Eq]:
    for path, number in numbers(eq):
        yield _with(eq, path, number - 1 if number < 0 else number + 1)
    if eq.rhs != 0 and isinstance(eq.rhs, sp.Expr) and not eq.rhs.is_Matrix:
        terms = sp.Add.make_args(eq.rhs)
        for n, term in enumerate(terms):
            yield sp.Eq(eq.lhs, sp.Add(*terms[:n], 2 * term, *terms[n + 1 :]), evaluate=False)


def _with(expr: sp.Basic, path: tuple[int, ...], number: sp.Number) -> sp.Basic:
    if not path:
        return number
    position, *rest = path
    arguments = list(expr.args)
    arguments[position] = _with(arguments[position], tuple(rest), number)
    if isinstance(expr, sp.Eq):
        return sp.Eq(*arguments, evaluate=False)
    return expr.func(*arguments)
