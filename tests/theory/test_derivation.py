"""Checks of derivation steps: what passes, what fails, and what is refused."""

import re

import mpmath as mp
import pytest
import sympy as sp
from mutate import mutations

from theory.derivation import (
    Assumed,
    Derivation,
    DerivationError,
    Expectation,
    Numeric,
    Step,
    Symbolic,
    equation,
)
from theory.notation import numbers

x, y, u = sp.symbols("x y u", real=True)
a, b = sp.symbols("a b", positive=True)
n, k, M = sp.symbols("n k M", integer=True, positive=True)
alpha, eta = sp.symbols("alpha eta", positive=True)
Q = sp.IndexedBase("Q", positive=True)
lam, w = sp.IndexedBase("lambda"), sp.IndexedBase("w")
f, q = sp.Function("f"), sp.Function("q")

GAUSS = sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)
AVERAGE = {Expectation: sp.Lambda(u, sp.Integral(u * GAUSS, (x, -sp.oo, sp.oo)))}
RELAXATION = {q: sp.Lambda(alpha, sp.exp(-2 * eta * alpha))}


def step(lhs, rhs, check):
    return Step("A step", equation(lhs, rhs), "because", check)


def derivation(*steps):
    return Derivation("sample", "A sample", "Words.", steps, sources=("SS95",))


SYMBOLIC = {
    "integral": step(Expectation(x**4), 3, Symbolic(AVERAGE)),
    "derivative": step(sp.Derivative(q(alpha), alpha), -2 * eta * q(alpha), Symbolic(RELAXATION)),
    "indexed sum": step(
        sp.Sum(w[n] * lam[n], (n, 1, 2)),
        1,
        Symbolic({w: sp.Lambda(n, sp.Rational(1, 2)), lam: sp.Lambda(n, sp.Rational(2, 3) * n)}),
    ),
    "matrix": step(
        sp.MatrixSymbol("A", 2, 2) ** 2,
        sp.Matrix([[a**2 + 1, 2 * a], [2 * a, a**2 + 1]]),
        Symbolic({sp.MatrixSymbol("A", 2, 2): sp.Matrix([[a, 1], [1, a]])}),
    ),
    "symmetric sum": step(
        sp.Sum(Q[n, k], (n, 1, k), (k, 1, M)) + Q[2, 1],
        Q[1, 1] + 2 * Q[1, 2] + Q[2, 2],
        Symbolic({M: 2, Q[2, 1]: Q[1, 2]}),
    ),
    "trigonometric": step(sp.sin(x) ** 2, 1 - sp.cos(x) ** 2, Symbolic()),
    "rational": step(1 / (a - b) - 1 / (a + b), 2 * b / (a**2 - b**2), Symbolic()),
    "ansatz": step(
        Q[1, 1] * Q[2, 2] - Q[1, 2] ** 2,
        a**2 - b**2,
        Symbolic({Q[1, 1]: a, Q[2, 2]: a, Q[1, 2]: b}),
    ),
    "undefined function": step(
        sp.Derivative(f(x) ** 2, x), 2 * f(x) * sp.Derivative(f(x), x), Symbolic()
    ),
}

NUMERIC = {
    "line": step(Expectation(sp.cos(a * x)), sp.exp(-(a**2) / 2), Numeric(AVERAGE)),
    "interval": step(sp.Integral(x**a, (x, 0, 1)), 1 / (a + 1), Numeric()),
    "half line": step(sp.Integral(x**a * sp.exp(-x), (x, 0, sp.oo)), sp.gamma(a + 1), Numeric()),
    "series": step(sp.Sum(1 / n**2, (n, 1, sp.oo)), sp.pi**2 / 6, Numeric()),
    "derivative": step(sp.Derivative(sp.asin(a / 2), a), 1 / sp.sqrt(4 - a**2), Numeric()),
    "second derivative": step(sp.Derivative(sp.sin(x), (x, 2)), -sp.sin(x), Numeric()),
    "limit": step(sp.Limit((sp.exp(a * x) - 1) / x, x, 0), a, Numeric()),
    "indexed": step(
        sp.Integral(sp.exp(-Q[1, 1] * x), (x, 0, sp.oo)),
        1 / Q[1, 1],
        Numeric(points=({Q[1, 1]: 1}, {Q[1, 1]: 2}, {Q[1, 1]: sp.Rational(1, 3)})),
    ),
    "indexed sum": step(
        sp.Sum(Q[n, 1] ** 2, (n, 1, M)),
        Q[1, 1] ** 2 + Q[2, 1] ** 2,
        Numeric({M: 2}, points=[{Q[1, 1]: v, Q[2, 1]: v + 1} for v in (2, 3, 4)]),
    ),
    "notation with an argument": step(
        q(alpha),
        sp.log(2) / a,
        Numeric(
            points=({a: 1}, {a: 2}, {a: 3}),
            evaluate=lambda p: mp.findroot(lambda t: mp.exp(-p[a] * t) - mp.mpf(1) / 2, 0.3),
        ),
    ),
    "fewer digits": step(sp.Sum(1 / n**4, (n, 1, sp.oo)), sp.pi**4 / 90, Numeric(digits=20)),
    "matrix": step(
        sp.MatrixSymbol("A", 1, 2),
        sp.Matrix([[a**2, sp.log(2)]]),
        Numeric({sp.MatrixSymbol("A", 1, 2): sp.Matrix([[a * a, sp.Integral(1 / x, (x, 1, 2))]])}),
    ),
    "eigenvalue": step(
        sp.Symbol("gamma"),
        a + sp.sqrt(1 + a**2),
        Numeric(
            evaluate=lambda p: max(mp.eigsy(mp.matrix([[p[a] + 1, p[a]], [p[a], p[a] - 1]]))[0])
        ),
    ),
}
TRUE = {**{f"symbolic {k}": s for k, s in SYMBOLIC.items()}}
TRUE |= {f"numeric {k}": s for k, s in NUMERIC.items()}


MATRICES = [sp.MatrixSymbol(name, n, n) for name in "ABC"]
FALSE = {
    "symbolic value": (step(Expectation(x**2), 2, Symbolic(AVERAGE)), "difference -1.0"),
    "symbolic remainder": (
        step(sp.Derivative(f(x), x), f(x), Symbolic()),
        "what remains is -f(x) + Derivative(f(x), x)",
    ),
    "symbolic shape": (
        step(sp.MatrixSymbol("A", 1, 2), sp.Matrix([a, b]), Symbolic({a: b, b: a, x: y})),
        "different shapes: left (1, 2), right (2, 1)",
    ),
    "symbolic matrices": (
        step(MATRICES[0] * (MATRICES[1] + MATRICES[2]), MATRICES[0] * MATRICES[1], Symbolic()),
        "A*C is not the zero matrix",
    ),
    "numeric small difference": (
        step(
            sp.Integral(sp.exp(-x), (x, 0, sp.oo)),
            1 + sp.Rational(1, 10**39),
            Numeric(),
        ),
        "difference -1.0e-39",
    ),
    "numeric undefined": (
        step(f(a), a + 1, Numeric()),
        "no numerical value for f(a): add what it means to the definitions",
    ),
    "numeric infinite": (step(sp.Sum(1 / n, (n, 1, sp.oo)), sp.oo, Numeric()), "right = +inf"),
    "numeric no decay": (
        step(sp.Integral(sp.exp(sp.sin(x)), (x, -sp.oo, sp.oo)), 1, Numeric()),
        "does not decay",
    ),
}


@pytest.mark.parametrize("name", TRUE)
def test_true_steps_pass(name):
    """Oracle: textbook identities."""
    result = TRUE[name].verify()
    assert result.passed, result.detail


@pytest.mark.parametrize("name", TRUE)
def test_every_mutation_fails(name):
    """Oracle: moving one number of a true identity by one makes it false."""
    wrong = list(mutations(TRUE[name]))
    assert wrong
    passing = [m for m in wrong if m.verify().passed]
    assert not passing


@pytest.mark.parametrize("name", FALSE)
def test_false_steps_fail_and_say_why(name):
    """Oracle: equations that do not hold, or cannot be evaluated."""
    wrong, why = FALSE[name]
    result = wrong.verify()
    assert not result.passed
    assert why in result.detail


def test_assumed_steps_pass_and_cite():
    """Oracle: the specification; an assumed step computes nothing."""
    result = step(Q[1, 1], sp.Limit(q(alpha), alpha, sp.oo), Assumed("SS95, eq. (5)")).verify()
    assert (result.kind, result.passed) == ("assumed", True)
    assert Step("In words.", None, "known", Assumed("SS95")).verify().passed


def test_assumptions_decide_a_symbolic_step():
    """Oracle: sqrt(z^2) = z holds for positive z only."""
    z = sp.Symbol("z")
    sides = sp.sqrt(z**2), z
    assert step(*sides, Symbolic(assuming=sp.Q.positive(z))).verify().passed
    assert not step(*sides, Symbolic()).verify().passed


@pytest.mark.parametrize(
    ("lhs", "rhs", "check"),
    [
        (a + b, b + a, Symbolic()),
        ((a + b) ** 2, a**2 + 2 * a * b + b**2, Symbolic()),
        (f(x), f(x), Numeric()),
        (f(x), x**2 + 1, Symbolic({f: sp.Lambda(u, u**2 + 1)})),
        (Q[1, 1] + b, a + b, Symbolic({Q[1, 1]: a})),
        (Q[1, 2], a + 1, Numeric({Q: sp.Lambda((x, y), a + x)})),
        (q(alpha), sp.exp(-eta), Symbolic({q(alpha): f(alpha), f: sp.Lambda(x, sp.exp(-eta))})),
        (Expectation(x), sp.Integral(x * GAUSS, (x, -sp.oo, sp.oo)), Numeric(AVERAGE)),
    ],
)
def test_comparing_a_thing_with_itself_is_refused(lhs, rhs, check):
    """Oracle: the rule of the house; both sides are one expression after naming."""
    with pytest.raises(ValueError, match="step 'A step': it compares a thing with itself"):
        step(lhs, rhs, check)


def test_substituting_an_ansatz_is_not_a_self_comparison():
    """Oracle: f(2) = 4 for f(u) = u^2 says more than its definition."""
    assert step(f(2), 4, Symbolic({f: sp.Lambda(u, u**2)})).verify().passed


REFUSED = {
    "assumed numbers": (lambda: step(f(a), 2 * a, Assumed("SS95")), "contains the numbers 2"),
    "assumed without source": (lambda: Assumed(" "), "source is empty"),
    "words unchecked": (lambda: Step("x", None, "", Symbolic()), "can only be Assumed"),
    "too few points": (
        lambda: step(sp.sin(a), f(a), Numeric({f: sp.Lambda(x, x)}, points=({a: 1},))),
        "checked at 1 points; give at least 3",
    ),
    "point without value": (
        lambda: step(sp.sin(a), b, Numeric(points=({a: 1}, {a: 2}, {a: 3}))),
        "has no value for b",
    ),
    "inexact point": (lambda: Numeric(points=({a: 0.1},)), "must be an exact number"),
    "no digits": (lambda: Numeric(digits=0), "digits must be positive"),
    "unchecked left side": (
        lambda: step(3 * a, b, Numeric(evaluate=lambda p: p[b])),
        "left side contains the numbers 3",
    ),
    "one value, two equations": (
        lambda: Step("x", (equation(a, b), equation(b, x)), "", Numeric(evaluate=lambda p: p[b])),
        "several equations",
    ),
    "function without Lambda": (lambda: Symbolic({f: x}), "must be a Lambda"),
    "assumption on a formula": (
        lambda: Symbolic(assuming=sp.Q.positive(x * y)),
        "predicates of one symbol",
    ),
    "name": (
        lambda: Derivation("a b", "", "", (SYMBOLIC["integral"],), ()),
        "becomes a file name",
    ),
    "no steps": (lambda: derivation(), "there are no steps"),
    "unknown source": (
        lambda: Derivation("d", "", "", (SYMBOLIC["integral"],), ("XX99",)),
        "unknown source 'XX99'; use one of WR24",
    ),
    "unlisted source": (
        lambda: derivation(Step("In words.", None, "", Assumed("WR24, eq. (1)"))),
        "step 1: assumed from 'WR24, eq. (1)', which is not among its sources",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_by_name(name):
    """Oracle: the specification; each message names the object and the remedy."""
    build, message = REFUSED[name]
    with pytest.raises(ValueError, match=re.escape(message)):
        build()


def test_collapsed_equations_and_unknown_checks_are_refused():
    """Oracle: sympy.Eq(a, a) is True, not an equation."""
    with pytest.raises(TypeError, match="does not collapse"):
        Step("x", sp.Eq(a, a), "", Symbolic())
    with pytest.raises(TypeError, match="must be Symbolic, Numeric or Assumed"):
        Step("x", equation(a, b), "", "symbolic")


def test_check_counts_the_kinds():
    """Oracle: one step of each kind, two numeric."""
    report = derivation(
        SYMBOLIC["integral"],
        NUMERIC["interval"],
        NUMERIC["series"],
        Step("In words.", None, "known", Assumed("SS95")),
    ).check()
    assert report.counts == {"symbolic": 1, "numeric": 2, "assumed": 1}
    assert str(report) == "sample: 4 steps (1 symbolic, 2 numeric, 1 assumed)"


def test_check_lists_every_failing_step():
    """Oracle: steps 2 and 3 are false; both are named with equation and discrepancy."""
    wrong = [FALSE["symbolic value"][0], FALSE["numeric undefined"][0]]
    with pytest.raises(DerivationError) as error:
        derivation(SYMBOLIC["integral"], *wrong).check()
    assert [number for number, _, _ in error.value.failures] == [2, 3]
    for part in ("step 2: A step", "Expectation(x**2) = 2", "difference -1.0", "step 3", "f(a)"):
        assert part in str(error.value)


def test_representations():
    """Oracle: the printed form, one line a step."""
    sample = derivation(SYMBOLIC["integral"])
    assert repr(sample) == (
        "Derivation sample: A sample\n  1. Step('A step': Expectation(x**4) = 3 [symbolic])"
    )
    assert r"{\left(x^{4} \right)} &= 3" in sample._repr_latex_()
    assert sample.steps[0]._repr_latex_().startswith("$")
    assert sample.references[0][1].startswith("Saad & Solla")


def test_steps_are_frozen_and_hashable():
    """Oracle: equal data, equal hash."""
    check = [Symbolic({a: b, x: y}, sp.Q.positive(x)) for _ in range(2)]
    assert len({step(a, b + 1, c) for c in check}) == 1
    with pytest.raises(AttributeError):
        step(a, b + 1, check[0]).text = "other"


def test_numbers_are_those_the_reader_sees():
    """Oracle: by eye; subscripts, shapes, first derivatives and infinity do not count."""
    shown = sp.Derivative(Q[1, 2] * 3, x) + sp.Integral(x**4, (x, 5, sp.oo)) * sp.Rational(6, 7)
    assert sorted(n for _, n in numbers(shown)) == [sp.Rational(6, 7), 3, 4, 5]
    matrix = sp.MatrixSymbol("A", 2, 2)
    assert [n for _, n in numbers(matrix[0, 1] + matrix[1, 1])] == []
    assert [n for _, n in numbers(sp.ImmutableDenseMatrix([[8, x], [9, y]]))] == [8, 9]
    assert [n for _, n in numbers(sp.Derivative(f(x), (x, 2)))] == [2]
