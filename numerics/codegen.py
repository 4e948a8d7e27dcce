"""Index-notation SymPy expressions to Python source: sums become loops, kernels become functions.

Summary
    The text is the same for every kind of number; the names it uses (``sqrt``, ``asin``,
    ``rational``, ``pi``, ...) are supplied by the target: float64, arbitrary precision or a
    symbolic tracer. Indices count from 1 on paper and from 0 in the code. Integrals from 0 to 1
    become loops over the nodes of `numerics.gauss`. What a sum over kernels needs only once is
    computed before it (`numerics.hoisting`).

Main entry
    `kernel_function` prints a SymPy Lambda with common subexpressions shared;
    `assignment` prints loops that fill an array from an indexed expression;
    `triangular` halves double sums whose summand is found to be symmetric.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sympy as sp
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from theory.symbols import Kernel

from .hoisting import hoist

__all__ = [
    "FUNCTIONS",
    "UnsupportedFunction",
    "assignment",
    "kernel_function",
    "reduction",
    "triangular",
]

FUNCTIONS: dict[type[sp.Function], str] = {
    sp.sin: "sin",
    sp.cos: "cos",
    sp.exp: "exp",
    sp.log: "log",
    sp.sinh: "sinh",
    sp.cosh: "cosh",
    sp.tanh: "tanh",
    sp.asin: "asin",
    sp.acos: "acos",
    sp.atan: "atan",
    sp.erf: "erf",
}
"""The one list of functions every target knows; everything else is refused by name."""


class UnsupportedFunction(NotImplementedError):
    """An expression contains a function that is not in `FUNCTIONS`."""


class _NumberPrinter(StrPrinter):
    """Scalar expressions; division and roots are written out, constants are exact.

    Unlike SymPy's own code printers, a half-integer power is a root of a parenthesised argument
    and a Rational stays a pair of integers until the target makes it a number.
    """

    printmethod = "_specscale_code"  # not _sympystr, by which objects print themselves for reading

    def _print_Rational(self, expr: sp.Rational) -> str:
        return f"rational({expr.p}, {expr.q})"

    def _print_Integer(self, expr: sp.Integer) -> str:
        # Beyond 2^53 a literal would not fit a machine integer, nor a double exactly.
        return str(expr.p) if abs(expr.p) < 2**53 else self._print_Rational(expr)

    def _print_Pi(self, expr: sp.Expr) -> str:
        return "pi"

    def _print_Pow(self, expr: sp.Pow, rational: bool = False) -> str:
        base, exponent = expr.args
        text = self.parenthesize(base, PRECEDENCE["Pow"] + 1)
        if exponent.is_Integer:
            power = text if abs(exponent) == 1 else f"power({self._print(base)}, {abs(exponent)})"
            return power if exponent > 0 else f"(1 / {power})"
        if exponent.is_Rational and exponent.q == 2:
            root = f"sqrt({self._print(base)})"
            power = root if abs(exponent.p) == 1 else f"power({root}, {abs(exponent.p)})"
            return power if exponent.p > 0 else f"(1 / {power})"
        if base == sp.E:
            return f"exp({self._print(exponent)})"
        raise UnsupportedFunction(
            f"the power {expr} has no translation: exponents must be integers or half-integers"
        )

    def _print_Exp1(self, expr: sp.Expr) -> str:
        return "exp(rational(1, 1))"

    def _print_exp(self, expr: sp.exp) -> str:
        return f"exp({self._print(expr.args[0])})"

    def _print_Indexed(self, expr: sp.Indexed) -> str:
        name = str(expr.base)
        name = "lam" if name == "lambda" else name  # a Python keyword
        return f"{name}[{', '.join(_position(a) for a in expr.indices)}]"

    def _print_Function(self, expr: sp.Function) -> str:
        arguments = ", ".join(self._print(a) for a in expr.args)
        name = FUNCTIONS.get(type(expr))
        if isinstance(expr, Kernel):
            name = type(expr).__name__
        if name is None:
            known = ", ".join(sorted(FUNCTIONS.values()))
            raise UnsupportedFunction(
                f"the function {type(expr).__name__} in {expr} has no translation to numbers; "
                f"known are sqrt, {known}"
            )
        return f"{name}({arguments})"

    def _print_KroneckerDelta(self, expr: sp.KroneckerDelta) -> str:
        raise UnsupportedFunction(f"{expr} is only understood as a factor of a top-level term")


def _position(index: sp.Expr) -> str:
    """Text of an index that counts from 1 on paper: loop variables already count from 0."""
    return str(index - 1) if index.is_Integer else str(index)


_print = _NumberPrinter().doprint


def kernel_function(name: str, kernel: sp.Lambda) -> str:
    """``def name(...)`` evaluating `kernel`, common subexpressions computed once."""
    symbols = [str(v) for v in kernel.signature]
    shared, (value,) = sp.cse([kernel.expr], symbols=sp.numbered_symbols("x_"), order="canonical")
    lines = [f"def {name}({', '.join(symbols)}):"]
    lines += [f"    {symbol} = {_print(expr)}" for symbol, expr in shared]
    return "\n".join([*lines, f"    return {_print(value)}"]) + "\n"


@dataclass
class _Block:
    """Statements under construction: sums become accumulators and loops.

    Sums over `kernels` are written out in their closed forms.
    """

    kernels: Mapping[type[sp.Function], sp.Lambda] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    indices: set[str] = field(default_factory=set)
    tables: list[str] = field(default_factory=list)
    names: Iterator[sp.Symbol] = field(default_factory=lambda: sp.numbered_symbols("part_"))
    count: int = 0

    def write(self, text: str, depth: int) -> None:
        self.lines.append("    " * depth + text)

    def loop(self, index: str, bounds: str, depth: int) -> None:
        self.write(f"for {index} in range({bounds}):", depth)
        self.indices.add(index)

    def value(self, expr: sp.Expr, depth: int) -> str:
        """Text of `expr` after writing the loops its sums need."""
        plain: list[sp.Expr] = []
        conditional: list[sp.Expr] = []
        for term in sp.Add.make_args(expr):
            (conditional if term.has(sp.KroneckerDelta) else plain).append(term)
        text = self._without_sums(sp.Add(*plain), depth)
        if not conditional:
            return text
        name = self._accumulator(text, depth)
        for term in conditional:
            (delta,) = term.atoms(sp.KroneckerDelta)
            self.write(f"if {' == '.join(map(str, delta.args))}:", depth)
            self.write(f"{name} += {self._without_sums(term / delta, depth + 1)}", depth + 1)
        return name

    def _accumulator(self, start: str, depth: int) -> str:
        self.count += 1
        name = f"sum_{self.count}"
        self.write(f"{name} = {start}", depth)
        return name

    def _without_sums(self, expr: sp.Expr, depth: int) -> str:
        sums = sorted(
            (
                e
                for e in expr.atoms(sp.Sum, sp.Integral)
                if not any(e in x.function.atoms(type(e)) for x in expr.atoms(sp.Sum, sp.Integral))
            ),
            key=str,
        )
        loops = {sp.Sum: self._sum, sp.Integral: self._integral}
        placeholders = {e: sp.Symbol(loops[type(e)](e, depth)) for e in sums}
        return _print(expr.xreplace(placeholders))

    def _sum(self, expr: sp.Sum, depth: int) -> str:
        name, summand = self._accumulator("zero", depth), self._prepared(expr, depth)
        for index, lower, upper in reversed(expr.limits):  # SymPy writes the innermost first
            first = "" if lower == 1 else f"{self._from_zero(lower)}, "
            self.loop(str(index), f"{first}{_print(upper)}", depth)
            depth += 1
        self.write(f"{name} += {self.value(summand, depth)}", depth)
        return name

    def _prepared(self, expr: sp.Sum, depth: int) -> sp.Expr:
        """The summand, after writing what of it is computed before the loops."""
        summand = expr.function
        for kernel, form in self.kernels.items():
            summand = summand.replace(kernel, form)
        if summand == expr.function:
            return summand
        index, _, upper = expr.limits[-1]
        table = sp.IndexedBase(f"table_{len(self.tables) + 1}")
        found = hoist(summand, tuple(x for x, *_ in reversed(expr.limits)), table, self.names)
        for symbol, value in found.constants.items():
            self.write(f"{symbol} = {_print(value)}", depth)
        if found.rows:
            self.tables.append(f"{table} = scratch(({len(found.rows)}, {_print(upper)}))")
            self.loop(str(index), _print(upper), depth)
            for n, row in enumerate(found.rows, 1):
                self.write(f"{_print(table[n, index])} = {_print(row)}", depth + 1)
        return found.summand

    def _integral(self, expr: sp.Integral, depth: int) -> str:
        """The nodes `first` to `last` of `numerics.gauss`, which the function has chosen."""
        name, weights = self._accumulator("zero", depth), []
        for x, *bounds in expr.limits:
            if bounds != [0, 1]:
                raise UnsupportedFunction(f"{expr} is no integral from 0 to 1")
            node = f"{x}_node"
            self.loop(node, "first, last", depth)
            depth += 1
            self.write(f"{x} = gauss_node[{node}]", depth)
            weights.append(f"gauss_weight[{node}]")
        value = self.value(expr.function, depth)
        self.write(f"{name} += {' * '.join(weights)} * ({value})", depth)
        return name

    def _from_zero(self, lower: sp.Expr) -> str:
        """Text of a lower bound that counts from 1 on paper; indices in it count from 0 already."""
        counted = {x: x + 1 for x in lower.free_symbols if str(x) in self.indices}
        return _print(lower.xreplace(counted) - 1)


def assignment(
    target: sp.Indexed,
    expr: sp.Expr,
    ranges: Sequence[tuple[str, str]],
    symmetric: bool = False,
    kernels: Mapping[type[sp.Function], sp.Lambda] | None = None,
) -> list[str]:
    """Loops that fill an array: ``for index in range(size): target = expr``.

    Parameters
    ----------
    target : sympy.Indexed
        The entry, with its loop indices.
    expr : sympy.Expr
        Its value in index notation.
    ranges : sequence of (index, range arguments)
    symmetric : bool
        Also fill the entry with its last two indices swapped.
    kernels : mapping, optional
        Closed forms of kernels that are to be written out under sums, so that what does not change
        is computed before them (`numerics.hoisting`); all others are called.
    """
    block = _Block(kernels or {})
    for depth, (index, size) in enumerate(ranges):
        block.loop(index, size, depth)
    depth = len(ranges)
    block.write(f"{_print(target)} = {block.value(expr, depth)}", depth)
    if symmetric:
        *front, a, b = target.indices
        block.write(f"{_print(target.base[(*front, b, a)])} = {_print(target)}", depth)
    return [*block.tables, *block.lines]


def reduction(expr: sp.Expr) -> list[str]:
    """Statements that compute a scalar and return it."""
    block = _Block()
    value = block.value(expr, 0)
    return [*block.lines, f"return {value}"]


def triangular(
    expr: sp.Expr, kernels: Mapping[type[sp.Function], sp.Lambda], symmetric: sp.IndexedBase
) -> sp.Expr:
    """Write sum_{f,h} x_fh as sum_f x_ff + 2 sum_{f<h} x_fh wherever x_hf = x_fh.

    Whether it is, is decided by the closed forms of the kernels, multiplied out; a summand for
    which that does not show it keeps its full sum.

    Parameters
    ----------
    expr : sympy.Expr
        In index notation.
    kernels : mapping
        Closed form of every kernel in `expr`.
    symmetric : sympy.IndexedBase
        The one symmetric matrix that the summands contain.
    """

    def closed(summand: sp.Expr) -> sp.Expr:
        for kernel, form in kernels.items():
            summand = summand.replace(kernel, form)
        upper = {
            e: symmetric[tuple(sorted(e.indices, key=str))]
            for e in summand.atoms(sp.Indexed)
            if e.base == symmetric
        }
        return sp.expand(summand.xreplace(upper))

    def halved(total: sp.Sum) -> sp.Sum:
        if len(total.limits) != 2 or total.limits[0][1:] != total.limits[1][1:]:
            return total
        (a, first, last), (b, *_) = total.limits
        x = total.function
        if closed(x) != closed(x.xreplace({a: b, b: a})):
            return total
        return sp.Sum(x.xreplace({b: a}), (a, first, last)) + 2 * sp.Sum(
            x, (b, a + 1, last), (a, first, last)
        )

    return expr.replace(lambda e: isinstance(e, sp.Sum), halved)
