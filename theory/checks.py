"""How a printed equation is checked: by symbols, by numbers, or not at all but cited.

Summary
    A check gives every piece of notation of a printed equation its meaning and decides whether both
    sides agree. It is frozen data; the equation is passed in, as printed.

Main results
    Symbolic : the difference of both sides simplifies to zero.
    Numeric : both sides agree to 40 digits at fixed rational points.
    Assumed : nothing is computed; the source is cited and printed.

References
    The rule that a document says how each step was checked is this project's; see `Derivation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import mpmath as mp
import sympy as sp
from sympy.assumptions.assume import AppliedPredicate
from sympy.logic.boolalg import Boolean

from .agreement import difference, disagreement, entrywise
from .evaluation import rational_points, variables
from .notation import Definitions, apply_definitions, as_definitions, is_self_comparison, numbers

__all__ = ["Assumed", "Check", "CheckResult", "Numeric", "Symbolic"]

LEAST_POINTS = 3
SCREEN_DIGITS = 10


@dataclass(frozen=True)
class CheckResult:
    """What a check found.

    Attributes
    ----------
    kind : str
        "symbolic", "numeric" or "assumed".
    passed : bool
    detail : str
        How the sides agree, or by how much they do not.
    """

    kind: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Symbolic:
    """The difference of both sides simplifies to zero.

    Parameters
    ----------
    definitions : mapping, optional
        What the printed notation means, applied in the order given, so that a definition may use
        notation defined after it. Keys: symbols, indexed symbols, matrix symbols, applications such
        as ``q(alpha)``; or, with a Lambda as value, undefined functions and IndexedBase.
    assuming : sympy.Boolean, optional
        Conjunction of predicates of single symbols, such as ``Q.positive(x) & Q.integer(n)``.

    Raises
    ------
    ValueError
        If a definition or an assumption has another form.
    """

    definitions: Definitions
    assuming: Boolean
    kind: ClassVar[str] = "symbolic"

    def __init__(
        self, definitions: Mapping[Any, Any] | None = None, assuming: Boolean = sp.true
    ) -> None:
        object.__setattr__(self, "definitions", as_definitions(definitions))
        object.__setattr__(self, "assuming", assuming)
        _assumed_symbols(assuming)

    @property
    def label(self) -> str:
        """The mark printed beside the equation."""
        return "symbolic"

    def refuse(self, equations: Sequence[sp.Eq]) -> str:
        """Why `equations` cannot be checked in this way; empty when they can."""
        return _compares_itself(equations, self.definitions)

    def verify(self, equations: Sequence[sp.Eq]) -> CheckResult:
        """Substitute, evaluate, simplify the difference (entrywise for matrices)."""
        rename = _assumed_symbols(self.assuming)
        for lhs, rhs in _pairs(equations, self.definitions):
            sides = [side.xreplace(rename).doit() for side in (lhs, rhs)]
            problem = difference(*sides)
            if problem:
                return CheckResult(self.kind, False, problem)
        return CheckResult(self.kind, True, "the difference simplifies to zero")


@dataclass(frozen=True)
class Numeric:
    """Both sides agree to `digits` digits at fixed rational points, evaluated by mpmath.

    Parameters
    ----------
    definitions : mapping, optional
        As for `Symbolic`; nothing is evaluated symbolically.
    points : sequence of mapping, optional
        Exact values of the free symbols; at least three points, unless there are no free symbols.
        Default: deterministic rationals, in (0, 1) where the assumptions of the symbol allow it.
    digits : int
        Relative agreement; absolute where one side is printed as 0.
    evaluate : callable, optional
        ``point -> mpf or matrix``: an independent value of the left side (a quadrature, an
        eigenvalue). The printed left side must then contain no numbers, since nobody checks them.

    Raises
    ------
    ValueError
        If a point is not exact or `digits` is not positive.
    """

    definitions: Definitions
    points: tuple[tuple[tuple[sp.Basic, sp.Expr], ...], ...] | None
    digits: int
    evaluate: Callable[[dict[sp.Basic, Any]], Any] | None
    kind: ClassVar[str] = "numeric"

    def __init__(
        self,
        definitions: Mapping[Any, Any] | None = None,
        points: Sequence[Mapping[Any, Any]] | None = None,
        digits: int = 40,
        evaluate: Callable[[dict[sp.Basic, Any]], Any] | None = None,
    ) -> None:
        if digits < 1:
            raise ValueError(f"Numeric: digits must be positive, found {digits}")
        object.__setattr__(self, "definitions", as_definitions(definitions))
        frozen = None if points is None else tuple(_exact_point(p) for p in points)
        object.__setattr__(self, "points", frozen)
        object.__setattr__(self, "digits", digits)
        object.__setattr__(self, "evaluate", evaluate)

    @property
    def label(self) -> str:
        """The mark printed beside the equation."""
        return f"numeric, {self.digits} digits"

    def refuse(self, equations: Sequence[sp.Eq]) -> str:
        """Why `equations` cannot be checked in this way; empty when they can."""
        if self.evaluate is not None:
            if len(equations) > 1:
                return "evaluate gives one left side, but there are several equations: split them"
            loose = [str(n) for eq in equations for _, n in numbers(eq.lhs)]
            if loose:
                return (
                    f"its left side contains the numbers {', '.join(loose)}, but is evaluated "
                    "independently of how it is printed: move them to the right side"
                )
        problem = _compares_itself(equations, self.definitions)
        return problem or self._bad_points(self._free(equations))

    def _free(self, equations: Sequence[sp.Eq]) -> list[sp.Basic]:
        sides = [side for pair in _pairs(equations, self.definitions) for side in pair]
        if self.evaluate is not None:
            sides = sides[1::2]
        return variables(*sides)

    def _bad_points(self, free: list[sp.Basic]) -> str:
        if self.points is None:
            return ""
        if len(self.points) < (LEAST_POINTS if free else 1):
            return f"it is checked at {len(self.points)} points; give at least {LEAST_POINTS}"
        for point in self.points:
            missing = [str(s) for s in free if s not in dict(point)]
            if missing:
                return f"the point {dict(point)} has no value for {', '.join(missing)}"
        return ""

    def _given(self, equations: Sequence[sp.Eq]) -> list[dict[sp.Basic, sp.Expr]]:
        if self.points is not None:
            return [dict(point) for point in self.points]
        free = self._free(equations)
        return rational_points(free, LEAST_POINTS if free else 1)

    def verify(self, equations: Sequence[sp.Eq]) -> CheckResult:
        """Evaluate both sides, first at one point in low precision: a wrong step fails there."""
        evaluators = [self._evaluators(*pair) for pair in _pairs(equations, self.definitions)]
        points = self._given(equations)
        screen = min(self.digits, SCREEN_DIGITS)
        for digits, tested in ((screen, points[:1]), (self.digits, points)):
            for point in tested:
                for left, right in evaluators:
                    problem = disagreement(left, right, point, digits)
                    if problem:
                        return CheckResult(self.kind, False, problem)
        plural = "point" if len(points) == 1 else "points"
        return CheckResult(
            self.kind, True, f"agrees to {self.digits} digits at {len(points)} {plural}"
        )

    def _evaluators(self, lhs: sp.Basic, rhs: sp.Basic) -> tuple[Any, Any]:
        right = entrywise(rhs)
        return (entrywise(lhs) if self.evaluate is None else _listed(self.evaluate)), right


@dataclass(frozen=True)
class Assumed:
    """Nothing is computed: the statement is cited and printed as assumed.

    The equation may contain no numbers but 0 and infinity: a coefficient that nobody checks is not
    printed.

    Parameters
    ----------
    source : str
        Where the statement is proved, e.g. "SS95, eq. (5)".

    Raises
    ------
    ValueError
        If `source` is empty.
    """

    source: str
    kind: ClassVar[str] = "assumed"

    def __post_init__(self) -> None:
        if not self.source.strip():
            raise ValueError("Assumed: the source is empty; cite where the statement is proved")

    @property
    def label(self) -> str:
        """The mark printed beside the equation."""
        return f"assumed: {self.source}"

    def refuse(self, equations: Sequence[sp.Eq]) -> str:
        """Why `equations` cannot be assumed; empty when they can."""
        loose = [str(n) for eq in equations for _, n in numbers(eq) if n != 0]
        if loose:
            return (
                f"it is assumed, yet contains the numbers {', '.join(loose)} that nobody checks: "
                "name them by symbols, or check the step"
            )
        return ""

    def verify(self, equations: Sequence[sp.Eq]) -> CheckResult:
        """Nothing to verify."""
        return CheckResult(self.kind, True, f"cited from {self.source}")


Check = Symbolic | Numeric | Assumed


def _compares_itself(equations: Sequence[sp.Eq], definitions: Definitions) -> str:
    if any(is_self_comparison(eq.lhs, eq.rhs, definitions) for eq in equations):
        return "it compares a thing with itself: both sides are the same expression"
    return ""


def _pairs(
    equations: Sequence[sp.Eq], definitions: Definitions
) -> Iterator[tuple[sp.Basic, sp.Basic]]:
    for eq in equations:
        yield apply_definitions(eq.lhs, definitions), apply_definitions(eq.rhs, definitions)


def _assumed_symbols(assuming: Boolean) -> dict[sp.Symbol, sp.Dummy]:
    """Each symbol under a predicate, and a dummy of its name that carries the assumption."""
    facts: dict[sp.Symbol, dict[str, bool]] = {}
    for predicate in sp.And.make_args(assuming):
        if predicate == sp.true:
            continue
        simple = isinstance(predicate, AppliedPredicate) and len(predicate.arguments) == 1
        if not simple or not isinstance(predicate.arguments[0], sp.Symbol):
            raise ValueError(
                f"Symbolic: assuming must join predicates of one symbol such as Q.positive(x), "
                f"found {predicate}"
            )
        symbol = predicate.arguments[0]
        known = facts.setdefault(symbol, dict(symbol._assumptions_orig))
        known[str(predicate.function.name)] = True
    return {symbol: sp.Dummy(symbol.name, **known) for symbol, known in facts.items()}


def _exact_point(point: Mapping[Any, Any]) -> tuple[tuple[sp.Basic, sp.Expr], ...]:
    result = []
    for symbol, value in point.items():
        number = sp.sympify(value)
        if not number.is_number or number.has(sp.Float):
            raise ValueError(
                f"Numeric: the value of {symbol} must be an exact number, found {value!r}"
            )
        result.append((sp.sympify(symbol), number))
    return tuple(result)


def _listed(evaluate: Callable[[Any], Any]) -> Callable[[dict[sp.Basic, Any]], list[Any]]:
    def values(point: dict[sp.Basic, Any]) -> list[Any]:
        value = evaluate(point)
        return list(value) if isinstance(value, (mp.matrix, list, tuple)) else [value]

    return values
