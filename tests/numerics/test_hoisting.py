"""What is computed before a sum: put back, it is the same expression."""

import itertools

import pytest
import sympy as sp

from numerics.hoisting import Hoisted, hoist
from theory import TeacherStudent
from theory.online import OrderParameterODE
from theory.symbols import C, f, h, i, j, s

TABLE = sp.IndexedBase("table")


def summand(activation: str) -> sp.Expr:
    """s_f s_h E[g'_i g'_j g_f g_h] in closed form, in index notation."""
    kernels = OrderParameterODE(TeacherStudent(2, 2, activation)).kernels
    (kernel,) = [form for kernel, form in kernels.items() if len(form.signature) == 10]
    fields = [C[a, a] for a in (i, j, f, h)]
    pairs = itertools.combinations((i, j, f, h), 2)
    return kernel(*fields, *(C[a, b] for a, b in pairs)) * s[f] * s[h]


def put_back(found: Hoisted) -> sp.Expr:
    """The summand with everything that was computed before it."""
    expr = found.summand
    for entry in expr.atoms(sp.Indexed):
        if entry.base == TABLE:
            row, index = entry.indices
            expr = expr.xreplace({entry: found.rows[row - 1].xreplace({f: index})})
    return expr.xreplace(found.constants)


@pytest.mark.parametrize("activation", ["erf", "sin", "x^3", "linear"])
@pytest.mark.parametrize("indices", [(f, h), (f,)])
def test_what_is_put_back_is_the_summand(activation: str, indices: tuple[sp.Symbol, ...]) -> None:
    """Oracle: substitution, at rational overlaps to 30 digits."""
    expr = summand(activation)
    found = hoist(expr, indices, TABLE, sp.numbered_symbols("part_"))
    values = {}
    for n, (a, b) in enumerate(itertools.product((i, j, f, h), repeat=2)):
        values[C[a, b]] = sp.Rational(1 + (a == b) * 12 + n % 5, 17)
    values |= {s[f]: sp.Rational(1, 3), s[h]: sp.Rational(-2, 5)}
    difference = (put_back(found) - expr).xreplace(values)
    assert abs(sp.N(difference, 30)) < 1e-28 * abs(sp.N(expr.xreplace(values), 30))


def test_a_pair_of_fields_is_left_without_roots() -> None:
    """Everything in the summand of erf but one arcsine belongs to one field, or to none."""
    found = hoist(summand("erf"), (f, h), TABLE, sp.numbered_symbols("part_"))
    assert not found.summand.atoms(sp.Pow)
    assert len(found.summand.atoms(sp.asin)) == 1
    assert all(h not in row.free_symbols for row in found.rows)
    assert all(not {f, h} & value.free_symbols for value in found.constants.values())
