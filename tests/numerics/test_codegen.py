"""Generated source: indices, sums, powers and functions; what has no translation is named."""

import math

import pytest
import sympy as sp

from numerics.codegen import (
    FUNCTIONS,
    UnsupportedFunction,
    assignment,
    kernel_function,
    reduction,
    triangular,
)
from theory.symbols import C, D, I2a, I2ab, f, h, i, j, pair, s

a, b = sp.symbols("a b", positive=True)
NAMES = {
    "sqrt": math.sqrt,
    "pi": math.pi,
    "zero": 0.0,
    "power": pow,
    "rational": lambda p, q: p / q,
    **{name: getattr(math, name) for name in FUNCTIONS.values()},
}


def run(text, name, **extra):
    names = {**NAMES, **extra}
    exec(text, names)
    return names[name]


@pytest.mark.parametrize(
    "expr",
    [
        1 / (a + b) ** 2 * (a - b),
        a / (b * (a + 1)) / (a / b + 2),
        sp.sqrt(a) * sp.sqrt(b) / (a + b) ** sp.Rational(3, 2),
        (a + b) ** -sp.Rational(5, 2) - a ** (-3),
        -((a - b) ** 3) + sp.Rational(-2, 7) * a - sp.pi**2 / b,
        sp.exp(-(a**2) / 2) + sp.E * sp.exp(1 / b) + sp.exp(a) ** 2,
        sp.asin(a / 7) * sp.acos(b / 7) + sp.atan(-a),
        sp.erf(a / sp.sqrt(2)) + sp.tanh(b) + sp.sinh(a) * sp.cosh(b) + sp.log(a),
        sp.sin(a) ** 2 + sp.cos(b) / sp.sin(a),
        2 ** -sp.Rational(1, 2) * a,
    ],
    ids=str,
)
def test_scalar_source_means_the_expression(expr):
    """Oracle: SymPy's own evaluation, 15 digits (parentheses, signs, roots, constants)."""
    function = run(kernel_function("value", sp.Lambda((a, b), expr)), "value")
    exact = float(expr.subs({a: sp.Rational(13, 10), b: sp.Rational(7, 3)}).evalf(30))
    assert function(1.3, 7 / 3) == pytest.approx(exact, rel=1e-14)


def test_common_subexpressions_are_computed_once():
    """Oracle: one square root in the text of an expression that shows three."""
    root = sp.sqrt(1 + a * b)
    text = kernel_function("value", sp.Lambda((a, b), root + 1 / root + sp.sin(root)))
    assert text.count("sqrt(") == 1


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (sp.gamma(a), r"the function gamma in gamma\(a\) has no translation to numbers"),
        (sp.Abs(a - b), "the function Abs in"),
        (sp.Function("mystery")(a), "the function mystery in"),
        (a**b, r"the power a\*\*b has no translation"),
        (a ** sp.Rational(1, 3), "exponents must be integers or half-integers"),
        (sp.Piecewise((a, a > b), (b, True)), "Piecewise"),
    ],
)
def test_what_has_no_translation_is_refused_by_name(expr, message):
    """Oracle: the message names the function, and says what is known."""
    with pytest.raises(UnsupportedFunction, match=message):
        kernel_function("value", sp.Lambda((a, b), expr))


def test_sums_become_loops():
    """Oracle: the sum over explicit indices, by hand."""
    expr = sp.Sum(s[f] * s[h] * C[f, h], (f, 1, 3), (h, 1, 3)) / 2 + sp.Sum(s[f], (f, 2, 3))
    body = "".join(f"    {line}\n" for line in reduction(expr))
    total = run(f"def total(s, C):\n{body}", "total")
    weights, matrix = [1.0, 2.0, 3.0], {(p, q): 10.0 * p + q for p in range(3) for q in range(3)}
    by_hand = sum(weights[p] * weights[q] * matrix[p, q] for p in range(3) for q in range(3)) / 2
    assert total(weights, matrix) == by_hand + 5.0


WEIGHTS, MATRIX = (
    [1.0, 2.0, 3.0],
    {(p, q): 1.0 + 1 / (1 + p + q) for p in range(3) for q in range(3)},
)


def total(expr, *kernels):
    """The text of a reduction with its kernels, and its value for WEIGHTS and MATRIX."""
    body = "".join(f"    {line}\n" for line in reduction(expr))
    text = "\n".join([*kernels, f"def total(s, C):\n{body}"])
    return text, run(text, "total")(WEIGHTS, MATRIX)


def test_bounds_that_depend_on_an_outer_index_count_from_one_on_paper():
    """Oracle: sum_{f<h} C_fh over three fields, by hand."""
    upper = sp.Sum(C[f, h], (h, f + 1, 3), (f, 1, 3))
    assert total(upper)[1] == MATRIX[0, 1] + MATRIX[0, 2] + MATRIX[1, 2]


@pytest.mark.parametrize(
    ("form", "halved"),
    [(sp.sqrt(1 + a) * sp.sqrt(1 + b) - (a - b) ** 2, True), (sp.sqrt(1 + a) * b, False)],
)
def test_double_sums_are_halved_where_the_closed_form_is_symmetric(form, halved):
    """Oracle: the full sum; a kernel that is not symmetric keeps it."""
    kernel = sp.Lambda((a, b, sp.Symbol("ab")), form * sp.Symbol("ab"))
    both = (f, 1, 3), (h, 1, 3)
    full = sp.Sum(s[f] * s[h] * pair(I2a, f, h), *both)
    found = triangular(full / 2 + s[1], {I2a: kernel}, C)
    source = kernel_function("I2a", kernel)
    (text, value), (_, expected) = total(found, source), total(full / 2 + s[1], source)
    assert ("range(f + 1, 3)" in text) == halved
    assert value == pytest.approx(expected, rel=1e-14)


def test_sums_over_different_ranges_are_not_halved():
    """Oracle: three by two terms have no triangle."""
    wide = sp.Sum(C[f, h], (f, 1, 3), (h, 1, 2))
    assert triangular(wide, {}, C) == wide


def test_delta_becomes_a_condition_and_indices_count_from_zero():
    """Oracle: D_if = C_if + delta_if sum_h C_ih + C_11, by hand."""
    expr = C[i, f] + sp.KroneckerDelta(i, f) * sp.Sum(C[i, h], (h, 1, 2)) + C[1, 1]
    lines = assignment(D[i, f], expr, [("i", "2"), ("f", "2")])
    body = "".join(f"    {line}\n" for line in lines)
    fill = run(f"def fill(C, D):\n{body}", "fill")
    matrix, found = {(0, 0): 1.0, (0, 1): 2.0, (1, 0): 3.0, (1, 1): 4.0}, {}
    fill(matrix, found)
    assert found == {(0, 0): 5.0, (0, 1): 3.0, (1, 0): 4.0, (1, 1): 12.0}


def test_delta_inside_a_function_is_refused():
    """Oracle: it has no meaning as a condition there."""
    with pytest.raises(UnsupportedFunction, match="KroneckerDelta"):
        assignment(D[i, f], sp.sin(C[i, sp.KroneckerDelta(i, f)]), [("i", "2"), ("f", "2")])


def test_symmetric_assignment_fills_both_triangles():
    """Oracle: G_ji = G_ij."""
    lines = assignment(D[i, j], C[i, j], [("i", "2"), ("j", "i, 2")], symmetric=True)
    fill = run("def fill(C, D):\n" + "".join(f"    {line}\n" for line in lines), "fill")
    found = {}
    fill({(0, 0): 1.0, (0, 1): 2.0, (1, 1): 3.0}, found)
    assert found == {(0, 0): 1.0, (0, 1): 2.0, (1, 0): 2.0, (1, 1): 3.0}


def test_kernels_are_called_by_name():
    """Oracle: the kernels of theory.symbols are functions of the generated module."""
    lines = assignment(D[i, f], I2ab(C[i, i], C[f, f], C[i, f]), [("i", "1"), ("f", "1")])
    assert lines[-1].strip() == "D[i, f] = I2ab(C[f, f], C[i, i], C[i, f])"
