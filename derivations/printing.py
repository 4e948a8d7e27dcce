"""LaTeX for the equations of derivations: stable, in the notation of the field, split to fit.

Summary
    Order parameters print as Q_{ij}, derivatives as dq/d alpha (upright d, round if partial),
    averages as E[...], double sums with one sign; terms keep the order SymPy stores them in, so a
    document does not change from run to run.

Main results
    latex(expr) : one expression.
    latex_equation(equations, width) : equations; long right sides continue on further lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef, _coeff_isneg
from sympy.printing.conventions import requires_partial, split_super_sub
from sympy.printing.latex import LatexPrinter, accepted_latex_functions, translate
from sympy.printing.precedence import PRECEDENCE

__all__ = ["latex", "latex_equation"]

WIDTH = 62
"""Default length of a line, in letters; fits the article and the page."""

_WORDS = {
    "eps": r"\varepsilon",
    "epsilon": r"\varepsilon",
    "lam": r"\lambda",
    "inf": r"\infty",
    "star": r"\ast",
    "plus": "+",
    "minus": "-",
}


def _word(name: str, longest: int) -> str:
    """A name or subscript: Greek and accents as SymPy knows them, long words upright."""
    if name in _WORDS:
        return _WORDS[name]
    translated = str(translate(name))
    if translated == name and name.isalpha() and len(name) > longest:
        return rf"\mathrm{{{name}}}"
    return translated


def _joined(subscripts: Sequence[str]) -> str:
    """Subscripts side by side, with commas where they could be misread: ij, 12, but 1,10."""
    if all(len(s) == 1 for s in subscripts):
        return "".join(subscripts)
    single = all(len(s) == 1 or re.fullmatch(r"\\[A-Za-z]+", s) for s in subscripts)
    return (" " if single else ",").join(subscripts)


class _Printer(LatexPrinter):
    """SymPy's printer with the notation of order parameters."""

    def __init__(self) -> None:
        super().__init__(
            {
                "order": "none",
                "inv_trig_style": "full",
                "diff_operator": "rd",
                "fold_frac_powers": True,
                "mat_delim": "(",
            }
        )

    def _deal_with_super_sub(self, string: str, style: str = "plain") -> str:
        if "{" in string:
            return string
        name, supers, subs = split_super_sub(string)
        return self._scripted(name, supers, [_word(s, 2) for s in subs])

    def _scripted(self, name: str, supers: Sequence[str], subs: Sequence[str]) -> str:
        result = _word(name, 1)
        if supers:
            result += f"^{{{_joined([_word(s, 2) for s in supers])}}}"
        if subs:
            result += f"_{{{_joined(subs)}}}"
        return result

    def _hprint_Function(self, func: str) -> str:
        if func in accepted_latex_functions:
            return rf"\{func}"
        name = self._deal_with_super_sub(func)
        return re.sub(r"^\\mathrm", r"\\operatorname", name)

    def _as_ordered_terms(self, expr: sp.Add, order: str | None = None) -> list[sp.Expr]:
        return _ordered_terms(expr)

    def _print_Indexed(self, expr: sp.Indexed) -> str:
        name, supers, subs = split_super_sub(str(expr.base.label))
        given = [_joined([_word(s, 2) for s in subs])] if subs else []
        indices = _joined([self._print(i) for i in expr.indices])
        return self._scripted(name, supers, [*given, indices])

    def _print_MatrixElement(self, expr: Any) -> str:
        # SymPy counts from zero, mathematics from one.
        indices = _joined([self._print(i + 1) for i in (expr.i, expr.j)])
        matrix = self.parenthesize(expr.parent, PRECEDENCE["Atom"], strict=True)
        return f"{matrix}_{{{indices}}}"

    def _print_AppliedUndef(self, expr: AppliedUndef, exp: str | None = None) -> str:
        if type(expr).__name__ != "Expectation":
            return str(self._print_Function(expr, exp=exp))
        average = rf"\mathbb{{E}}\left[{self._print(expr.args[0])}\right]"
        return average if exp is None else f"{average}^{{{exp}}}"

    def _print_Derivative(self, expr: sp.Derivative) -> str:
        sign = r"\partial" if requires_partial(expr) else r"\mathrm{d}"
        order = sum(n for _, n in expr.variable_count)
        power = f"^{{{self._print(order)}}}" if order != 1 else ""
        below = " ".join(
            f"{sign} {self._print(x)}" + (f"^{{{self._print(n)}}}" if n != 1 else "")
            for x, n in reversed(expr.variable_count)
        )
        name = self._bare_name(expr.expr)
        if name:
            return rf"\frac{{{sign}{power} {name}}}{{{below}}}"
        operand = self.parenthesize(expr.expr, PRECEDENCE["Mul"], strict=True)
        return rf"\frac{{{sign}{power}}}{{{below}}} \, {operand}"

    def _bare_name(self, expr: sp.Expr) -> str:
        """What stands above the fraction bar: dq, not dq(alpha); empty for longer operands."""
        if isinstance(expr, (sp.Symbol, sp.Indexed)):
            return str(self._print(expr))
        plain = isinstance(expr, AppliedUndef) and type(expr).__name__ != "Expectation"
        if plain and all(isinstance(a, (sp.Symbol, sp.Indexed)) for a in expr.args):
            return self._hprint_Function(type(expr).__name__)
        return ""

    def _print_Sum(self, expr: sp.Sum) -> str:
        return self._with_limits(r"\sum", expr)

    def _print_Product(self, expr: sp.Product) -> str:
        return self._with_limits(r"\prod", expr)

    def _with_limits(self, sign: str, expr: Any) -> str:
        """Neighbouring sums over one range share a sign: sum_{i,j=1}^{K}."""
        signs = [
            rf"{sign}_{{{','.join(self._print(i) for i, *_ in group)}={self._print(low)}}}"
            rf"^{{{self._print(high)}}}"
            for (low, high), group in groupby(expr.limits, key=lambda limit: limit[1:])
        ]
        body = self.parenthesize(expr.function, PRECEDENCE["Mul"], strict=True)
        # SymPy lists the innermost sum first.
        return " ".join([*reversed(signs), body])

    def _print_Integral(self, expr: sp.Integral) -> str:
        return str(super()._print_Integral(expr)).replace(r"\int\limits", r"\int")

    def _print_harmonic(self, expr: sp.harmonic, exp: str | None = None) -> str:
        number, *order = (self._print(a) for a in expr.args)
        power = "" if exp is None else f"^{{{exp}}}"
        return f"H_{{{number}}}{power}" + (rf"\left({order[0]}\right)" if order else "")

    def _print_Mul(self, expr: sp.Mul) -> str:
        expr = _roots_below(expr)
        factor, operands = _before_operands(expr)
        if factor is None:
            return str(super()._print_Mul(expr))
        many = len(operands) > 1
        printed = super()._print_Mul(sp.Mul(*operands, evaluate=False)) if many else ""
        printed = printed or self._print(operands[0])
        if abs(sp.fraction(factor)[0]) == 1 and not re.search(_TALL, printed):
            return str(super()._print_Mul(expr))
        return rf"{self._print(factor)} \, {printed}"

    def _print_ExpBase(self, expr: sp.exp, exp: str | None = None) -> str:
        power = f"e^{{{self._slashed(expr.args[0])}}}"
        return power if exp is None else rf"\left({power}\right)^{{{exp}}}"

    def _print_Pow(self, expr: sp.Pow) -> str:
        if expr.exp.is_Rational or sp.fraction(expr.exp)[1] == 1:
            return str(super()._print_Pow(expr))
        base = self.parenthesize(expr.base, PRECEDENCE["Pow"])
        return f"{base}^{{{self._slashed(expr.exp)}}}"

    def _slashed(self, expr: sp.Expr) -> str:
        """An exponent on one line: -x^2/2."""
        numerator, denominator = sp.fraction(expr)
        if denominator == 1:
            return str(self._print(expr))
        above = self.parenthesize(numerator, PRECEDENCE["Mul"], strict=True)
        return f"{above}/{self.parenthesize(denominator, PRECEDENCE['Pow'])}"


def _ordered_terms(expr: sp.Add) -> list[sp.Expr]:
    """Terms as stored, but a negative number last and a term without minus sign first."""
    terms = sorted(expr.args, key=lambda term: bool(term.is_Number and term.is_negative))
    lead = next((n for n, term in enumerate(terms) if not _coeff_isneg(term)), 0)
    return [terms[lead], *terms[:lead], *terms[lead + 1 :]]


_OPERANDS = (sp.Function, sp.Derivative, sp.Limit, sp.Integral, sp.Sum, sp.Product)


def _before_operands(expr: sp.Mul) -> tuple[sp.Expr | None, list[sp.Expr]]:
    """Take functions, sums and the like out of a numerator: (2/pi) arcsin(x), not 2 arcsin(x)/pi.

    Returns None as factor where there is no fraction to take them out of.
    """
    if sp.fraction(expr, exact=True)[1] == 1:
        return None, []
    operands: list[sp.Expr] = []
    rest: list[sp.Expr] = []
    for part in expr.args:
        base = part.base if isinstance(part, sp.Pow) and part.exp.is_Integer else part
        above = base is part or part.exp.is_positive
        operand = above and isinstance(base, _OPERANDS) and not isinstance(base, sp.exp)
        (operands if operand else rest).append(part)
    if not operands or not rest:
        return None, []
    # A sum or integral extends to the end of its term.
    operands.sort(key=lambda part: isinstance(part, _OPERANDS[2:]))
    return rest[0] if len(rest) == 1 else sp.Mul(*rest, evaluate=False), operands


def _roots_below(expr: sp.Mul) -> sp.Mul:
    """Write sqrt(2)/2 as 1/sqrt(2), and likewise for other integers, without evaluation."""
    coefficient, factors = expr.args[0], list(expr.args[1:])
    if not isinstance(coefficient, sp.Rational):
        return expr
    for n, factor in enumerate(factors):
        root = factor.base if isinstance(factor, sp.Pow) and factor.exp == sp.S.Half else None
        if isinstance(root, sp.Integer) and coefficient.q % int(root) == 0:
            factors[n] = sp.Pow(root, -sp.S.Half, evaluate=False)
            coefficient *= root
    head = [] if coefficient == 1 else [coefficient]
    return sp.Mul(*head, *factors, evaluate=False)


_PRINTER = _Printer()


def latex(expr: Any) -> str:
    """`expr` in the notation of the project."""
    return _plain_brackets(str(_PRINTER.doprint(expr)))


_TALL = r"\\(?:frac|sum|prod|int|lim|begin|sqrt)"
_LOW = rf"((?:(?!\\left|\\right|{_TALL}).)*?) ?"
_BRACKETS = [
    (re.compile(rf"\{{\\left\({_LOW}\\right\)\}}"), r"(\1)"),
    (re.compile(rf"\\left\({_LOW}\\right\)"), r"(\1)"),
    (re.compile(rf"\\left\[{_LOW}\\right\]"), r"[\1]"),
]


def _plain_brackets(text: str) -> str:
    r"""Replace ``\left(...\right)`` by plain brackets around what is not tall, innermost first."""
    while True:
        before = text
        for pattern, plain in _BRACKETS:
            text = pattern.sub(plain, text)
        if text == before:
            return text


def latex_equation(equations: sp.Eq | Sequence[sp.Eq], width: int = WIDTH) -> str:
    """One or several equations as the inside of a display.

    Parameters
    ----------
    equations : sympy.Eq or sequence of sympy.Eq
        Several are aligned at their equality signs.
    width : int
        Length of a line in letters. Longer right sides are split at their top-level terms, or at
        the terms of the one sum they contain as a factor; nothing is split inside a fraction.

    Returns
    -------
    str
        LaTeX without a surrounding environment if everything fits on one line, otherwise one
        ``aligned`` environment.
    """
    listed = [equations] if isinstance(equations, sp.Eq) else list(equations)
    rows = [row for eq in listed for row in _rows(eq, width)]
    if len(rows) == 1:
        return rows[0].replace(" &= ", " = ", 1)
    inside = " \\\\[4pt]\n".join(rows)
    return f"\\begin{{aligned}}\n{inside}\n\\end{{aligned}}"


def _rows(eq: sp.Eq, width: float) -> list[str]:
    """The rows of one equation; a left side that leaves no room has the first to itself."""
    left = latex(eq.lhs)
    if _width(left) > width / 2 and _width(left) + _width(latex(eq.rhs)) > width:
        first, *more = _lines(eq.rhs, width - 4)
        rows = [f"& {left}", rf"&\quad = {first}"]
    else:
        first, *more = _lines(eq.rhs, width - _width(left) - 2)
        rows = [f"{left} &= {first}"]
    return [*rows, *(rf"&\quad {line}" for line in more)]


def _lines(expr: sp.Basic, width: float) -> list[str]:
    """LaTeX of `expr` in pieces of at most `width` letters where it can be split."""
    whole = latex(expr)
    if _width(whole) <= width:
        return [whole]
    if isinstance(expr, sp.Add):
        return _packed(list(_signed_terms(expr, width)), width)
    if isinstance(expr, sp.Mul):
        sums = [factor for factor in expr.args if isinstance(factor, sp.Add)]
        if len(sums) == 1:
            return _bracketed(expr / sums[0], _lines(sums[0], width - 8))
    return [whole]


def _signed_terms(expr: sp.Add, width: float) -> Iterator[list[str]]:
    """Each term as its lines, the first with its sign."""
    for n, term in enumerate(_ordered_terms(expr)):
        negative = _coeff_isneg(term)
        first, *more = _lines(-term if negative else term, width - 4)
        sign = "- " if negative else "+ " if n else ""
        yield [sign + first, *(rf"\quad {line}" for line in more)]


def _packed(terms: list[list[str]], width: float) -> list[str]:
    """Fill lines with terms; a term of several lines starts a line of its own."""
    lines: list[str] = []
    for first, *more in terms:
        fits = lines and not more and _width(lines[-1]) + _width(first) <= width
        if fits:
            lines[-1] += f" {first}"
        else:
            lines += [first, *more]
    return lines


def _bracketed(factor: sp.Expr, lines: list[str]) -> list[str]:
    """Lines of ``factor * [sum]``."""
    before = {1: "", -1: "- "}.get(factor, f"{latex(factor)} ")
    first, *more = lines
    opened = [rf"{before}\biggl[ {first}", *(rf"\quad {line}" for line in more)]
    opened[-1] += r" \biggr]"
    return opened


_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\S")
_NO_WIDTH = {r"\left", r"\right", r"\biggl", r"\biggr", r"\mathrm", r"\mathbb", r"\operatorname"}
_NARROW = {r"\,": 0.3, r"\;": 0.5, r"\quad": 2.0, "(": 0.7, ")": 0.7, ",": 0.8}
_WIDE = {"+": 2.2, "-": 2.2, "=": 2.2, r"\sum": 2.5, r"\prod": 2.5, r"\int": 1.5}
_NAMED = re.compile(r"\\(arcsin|arccos|arctan|sin|cos|tan|log|exp|sinh|cosh|tanh|lim|min|max)$")


def _width(text: str) -> float:
    """Rough printed width of LaTeX, in letters."""
    tokens = _TOKEN.findall(text)[::-1]
    total = 0.0
    while tokens:
        total += _atom_width(tokens)
    return total


def _atom_width(tokens: list[str]) -> float:
    """Width of the next atom or group; consumes it from the end of `tokens`."""
    if not tokens:
        return 0.0
    token = tokens.pop()
    if token == "{":
        total = 0.0
        while tokens and tokens[-1] != "}":
            total += _atom_width(tokens)
        if tokens:
            tokens.pop()
        return total
    if token in (r"\frac", r"\tfrac"):
        return max(_atom_width(tokens), _atom_width(tokens)) + 0.4
    if token in "^_":
        return 0.7 * _atom_width(tokens)
    if token == r"\sqrt":
        return 0.9 + _atom_width(tokens)
    if token in (r"\begin", r"\end"):
        _atom_width(tokens)
        return 0.0
    if token in _NO_WIDTH:
        return 0.0
    if _NAMED.match(token):
        return 0.85 * (len(token) - 1)
    return _NARROW.get(token) or _WIDE.get(token) or 1.0
