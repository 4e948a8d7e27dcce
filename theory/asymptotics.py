"""Asymptotic laws: an expression, where it holds, and the order of what it leaves out.

Summary
    A claim without its regime and the order of its error is not a law. `AsymptoticLaw` keeps the
    three together, prints them and computes them to any number of digits.

Main results
    law(value, digits, **parameters) : the expression as a number.
    law.local_exponent(value, ...) : d log(law)/d log(variable), where it is no pure power.
    law.holds(value, ...) : whether the inequalities of the regime are satisfied.

Notation
    quantity = expr (1 + O(error)) as the variable goes to zero or infinity within the regime.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath as mp
import sympy as sp
from sympy.core.relational import Relational

from .evaluation import numerical
from .exact import exact

__all__ = ["AsymptoticLaw", "Harmonic", "Regime", "Root"]

GUARD_DIGITS = 10

Point = dict[sp.Basic, Any]


class Harmonic(sp.Function):
    """H_L(s) = sum_{k<=L} k^-s as a function that stays one, whatever L is.

    ``sympy.harmonic`` writes the sum out for every whole number L; here the value costs the same
    for L = 1e6 as for L = 2: zeta(s) - zeta(s, L + 1), or H_L itself at the pole s = 1.
    """

    nargs = 2

    @staticmethod
    def _imp_(number: Any, order: Any) -> Any:
        if order == 1:
            return mp.harmonic(number)
        return mp.zeta(order) - mp.zeta(order, number + 1)

    def _eval_evalf(self, prec: int) -> sp.Expr:
        number, order = (a._eval_evalf(prec) for a in self.args)
        with mp.workprec(prec + 10):
            return sp.Float(self._imp_(mp.mpf(number), mp.mpf(order)), precision=prec)

    def _eval_rewrite_as_Sum(self, number: sp.Expr, order: sp.Expr, **_: Any) -> sp.Expr:
        k = sp.Dummy("k", integer=True, positive=True)
        return sp.Sum(k**-order, (k, 1, number))

    def _latex(self, printer: Any, exp: Any = None) -> str:
        number, order = (printer._print(a) for a in self.args)
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"H_{{{number}}}{power}\left({order}\right)"


@dataclass(frozen=True)
class Regime:
    """Where a law holds.

    Parameters
    ----------
    text : str
        In words; inline mathematics between dollar signs.
    conditions : tuple of sympy inequalities
        The same with "much smaller" read as "smaller", in the symbols of the law. Outside of them
        the law fails; deep inside it is good to its error.
    """

    text: str
    conditions: tuple[Relational, ...] = ()

    def __post_init__(self) -> None:
        for condition in self.conditions:
            if not isinstance(condition, Relational):
                raise TypeError(
                    f"Regime: a condition is an inequality with a symbol in it, found {condition!r}"
                )


@dataclass(frozen=True)
class Root:
    """A number without a closed form: the zero of an equation between two bounds.

    The equation may contain the variable and the parameters of the law.

    Parameters
    ----------
    symbol : sympy.Symbol
    equation : sympy.Expr
        Vanishes at the number, and changes sign there.
    low, high : exact numbers
        The bracket.
    """

    symbol: sp.Symbol
    equation: sp.Expr
    low: sp.Expr
    high: sp.Expr

    @cached_property
    def _residual(self) -> Callable[[Point], Any]:
        return numerical(self.equation)

    def value(self, point: Point) -> mp.mpf:
        """The constant at the working precision, other symbols as in `point`.

        Raises
        ------
        ValueError
            If the equation does not change sign between the bounds.
        """
        low, high = (mp.mpf(sp.N(end, mp.mp.dps)) for end in (self.low, self.high))

        def residual(x: Any) -> Any:
            return self._residual({**point, self.symbol: x})

        below = mp.sign(residual(low))
        if below * residual(high) >= 0:
            raise ValueError(
                f"{self.symbol}: {self.equation} does not change sign between {self.low} and "
                f"{self.high}, so it has no root there to be found"
            )
        # Bisection: as many steps as bits, whatever the equation looks like at its bounds.
        while high - low > 4 * mp.eps * max(abs(low), abs(high)):
            middle = (low + high) / 2
            low, high = (middle, high) if residual(middle) * below > 0 else (low, middle)
        return (low + high) / 2


@dataclass(frozen=True)
class AsymptoticLaw:
    r"""quantity = expr (1 + O(error)) in a regime.

    Parameters
    ----------
    expr : sympy.Expr
        The law; other symbols in it are parameters.
    variable : sympy.Symbol
        What goes to zero or infinity.
    regime : Regime
    exponent : sympy.Expr or None
        Of the variable, where the law is a power of it throughout the regime; None where it is not.
    error : sympy.Expr
        Order of the relative error, without its constant; 0 for an exact statement.
    quantity : sympy.Expr
        What the law is about.
    constants : tuple of Root, optional
        Numbers in `expr` that are known by an equation, of which none contains another of them.

    Raises
    ------
    ValueError
        If the law does not depend on its variable, or the exponent depends on it.

    Examples
    --------
    >>> x = sp.Symbol("x", positive=True)
    >>> law = AsymptoticLaw(sp.sqrt(sp.pi * x), x, Regime(r"$x \gg 1$", (x > 1,)), sp.S.Half, 1/x)
    >>> mp.nstr(law(100, digits=20), 20)
    '17.724538509055160273'
    >>> law.holds("1/2")
    False
    """

    expr: sp.Expr
    variable: sp.Symbol
    regime: Regime
    exponent: sp.Expr | None
    error: sp.Expr
    quantity: sp.Expr = sp.Symbol("epsilon_g")
    constants: tuple[Root, ...] = ()

    def __post_init__(self) -> None:
        parts = [self.expr, *(root.equation for root in self.constants)]
        if not any(self.variable in part.free_symbols for part in parts):
            raise ValueError(
                f"AsymptoticLaw: {self.expr} does not depend on its variable {self.variable}"
            )
        if self.exponent is not None and self.exponent.has(self.variable):
            raise ValueError(
                f"AsymptoticLaw: the exponent must not depend on the variable {self.variable}, "
                f"found {self.exponent}; give None for a law that is no power"
            )

    @property
    def parameters(self) -> tuple[sp.Symbol, ...]:
        """Symbols that need a value besides the variable, sorted by name."""
        parts = [self.expr, self.error, *self.regime.conditions]
        parts += [root.equation for root in self.constants]
        given = {self.variable, *(root.symbol for root in self.constants)}
        return tuple(sorted({s for e in parts for s in e.free_symbols} - given, key=str))

    def __call__(self, value: Any, digits: int = 15, **parameters: Any) -> mp.mpf:
        """The law at ``variable = value``.

        Parameters
        ----------
        value : exact number
        digits : int
        **parameters : exact numbers
            A value for each of `parameters`, by name.

        Raises
        ------
        TypeError
            If a parameter is missing or unknown.
        ValueError
            If the law has no finite value there.
        """
        return self._number(self._value, value, digits, parameters)

    def local_exponent(self, value: Any, digits: int = 15, **parameters: Any) -> mp.mpf:
        """Slope d log(law)/d log(variable), with the arguments of calling the law."""
        return self._number(self._slope, value, digits, parameters)

    def claimed_error(self, value: Any, digits: int = 15, **parameters: Any) -> mp.mpf:
        """The order of the relative error as a number, with the arguments of calling the law."""
        return self._number(self._error, value, digits, parameters)

    def holds(self, value: Any, **parameters: Any) -> bool:
        """Whether every inequality of the regime is satisfied; arguments as for calling the law."""
        with mp.workdps(15 + GUARD_DIGITS):
            point = self._point(value, parameters)
            sides = [[side(point) for side in pair] for pair in self._conditions]
        rules = [type(condition) for condition in self.regime.conditions]
        pairs = zip(rules, sides, strict=True)
        return all(bool(rule(sp.Float(a), sp.Float(b))) for rule, (a, b) in pairs)

    @cached_property
    def _value(self) -> Callable[[Point], Any]:
        return numerical(self.expr)

    @cached_property
    def _slope(self) -> Callable[[Point], Any]:
        slope = self.expr.diff(self.variable)
        for root in self.constants:  # equation(root(variable), variable) = 0
            moved = root.equation.diff(self.variable) / root.equation.diff(root.symbol)
            slope -= self.expr.diff(root.symbol) * moved
        return numerical(self.variable * slope / self.expr)

    @cached_property
    def _error(self) -> Callable[[Point], Any]:
        return numerical(self.error)

    @cached_property
    def _conditions(self) -> list[tuple[Callable[[Point], Any], ...]]:
        return [(numerical(c.lhs), numerical(c.rhs)) for c in self.regime.conditions]

    def _number(
        self, function: Callable[[Point], Any], value: Any, digits: int, parameters: dict[str, Any]
    ) -> mp.mpf:
        with mp.workdps(digits + GUARD_DIGITS):
            result = function(self._point(value, parameters))
        if not (isinstance(result, mp.mpf) and mp.isfinite(result)):
            raise ValueError(
                f"the law for {self.quantity} has no finite value at {self.variable} = {value}: "
                f"found {result}; it holds for {self.regime.text}"
            )
        with mp.workdps(digits):
            return +result

    def _point(self, value: Any, parameters: dict[str, Any]) -> Point:
        names = {str(symbol): symbol for symbol in self.parameters}
        if set(parameters) != set(names):
            raise TypeError(
                f"the law for {self.quantity} takes the parameters {sorted(names)} by name, found "
                f"{sorted(parameters)}"
            )
        given = {self.variable: value, **{names[n]: v for n, v in parameters.items()}}
        point: Point = {
            symbol: mp.mpf(sp.N(exact(number, str(symbol)), mp.mp.dps))
            for symbol, number in given.items()
        }
        for root in self.constants:
            point[root.symbol] = root.value(point)
        return point

    def latex(self) -> str:
        """The law with its error and regime as LaTeX."""
        show = sp.latex
        error = "" if self.error == 0 else rf" \left[1 + O\left({show(self.error)}\right)\right]"
        lines = [
            rf"{show(self.quantity)} = {show(self.expr)}{error}, \quad \text{{{self.regime.text}}}"
        ]
        lines += [f"{show(root.equation)} = 0" for root in self.constants]
        return r" \\ ".join(lines)

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"
