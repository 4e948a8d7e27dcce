"""What a double sum needs only once: parts of its summand that depend on one index, or on none.

Summary
    The noise G_ij is a sum over pairs (f, h) of fields for every pair (i, j) of students. Most of
    its closed form belongs to i and j alone (the tilt), or to them and one field (its tilted
    overlaps and norm): computed beforehand, a pair of fields is left with one arcsine and no root.
    The expression is the same; only the order in which it is evaluated changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import sympy as sp

__all__ = ["Hoisted", "hoist"]


@dataclass
class Hoisted:
    """A summand in terms of values that are computed before its loops.

    Attributes
    ----------
    summand : sympy.Expr
        With `constants` and ``table[n, index]`` put in.
    constants : dict of Symbol to expression
        What depends on no index of the sum, in the order to be computed.
    rows : list of expressions
        ``table[n, first]`` is the n-th of them, counted from 1, in the first index of the sum.
    """

    summand: sp.Expr = sp.S.Zero
    constants: dict[sp.Symbol, sp.Expr] = field(default_factory=dict)
    rows: list[sp.Expr] = field(default_factory=list)


def hoist(
    summand: sp.Expr,
    indices: tuple[sp.Symbol, ...],
    table: sp.IndexedBase,
    names: Iterator[sp.Symbol],
) -> Hoisted:
    """Separate what depends on one of the `indices` of a sum, or on none, from the rest.

    Parameters
    ----------
    summand : sympy.Expr
        In closed form.
    indices : one or two symbols
        Of the sum; with two, both run over the same range and share one table. With one, only
        what does not depend on it is separated.
    table : sympy.IndexedBase
        Stands for what depends on one of two indices.
    names : iterator of symbols
        For the constants.
    """
    found = Hoisted()

    def depends(e: sp.Expr) -> frozenset[sp.Symbol]:
        return frozenset(e.free_symbols.intersection(indices))

    def constant(e: sp.Expr) -> sp.Expr:
        known = {value: name for name, value in found.constants.items()}
        if e not in known:
            known[e] = next(names)
            found.constants[known[e]] = e
        return known[e]

    def entry(e: sp.Expr, index: sp.Symbol) -> sp.Expr:
        row = apart(e.xreplace({index: indices[0]}), rows=False)
        if row not in found.rows:
            found.rows.append(row)
        return table[found.rows.index(row) + 1, index]

    def apart(e: sp.Expr, rows: bool) -> sp.Expr:
        on = depends(e)
        if e.is_Atom or isinstance(e, sp.Indexed):
            return e
        if not on:
            return constant(e)
        if rows and len(on) == 1:
            return entry(e, *on)
        if isinstance(e, (sp.Add, sp.Mul)):
            groups: dict[frozenset[sp.Symbol], list[sp.Expr]] = {}
            for part in e.args:
                groups.setdefault(depends(part), []).append(part)
            together = {g for g in groups if len(g) < (len(indices) if rows else 1)}
            parts = [apart(e.func(*groups[g]), rows) for g in together]
            parts += [apart(x, rows) for g in groups if g not in together for x in groups[g]]
            return e.func(*parts)
        return e.func(*(apart(x, rows) for x in e.args))

    found.summand = apart(summand, rows=len(indices) == 2)
    return found
