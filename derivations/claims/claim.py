"""A published statement, and the evidence for or against it that is computed now.

Summary
    A `Claim` names its source, says in our words what it states, prints its formula and knows how
    to judge it. The judge computes numbers and derives the verdict from them by a criterion
    (`criteria`): no verdict is written down, so a wrong formula gets another one.

Main results
    Claim.judged(full) : `Evidence`, or a `ClaimError` that names the claim.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

import sympy as sp

from theory.derivation import SOURCES

from ..printing import latex_equation

__all__ = ["Claim", "ClaimError", "Evidence", "Formula", "Judgement", "Number", "Verdict"]


Formula = str | sp.Eq | sp.Tuple
"""LaTeX, an equation or several."""


class Verdict(StrEnum):
    """What the evidence says of a claim."""

    HOLDS = "holds"
    CONDITIONAL = "holds when"
    FAILS = "fails"


class ClaimError(RuntimeError):
    """A claim could not be judged; the message names it."""


@dataclass(frozen=True)
class Number:
    """One number of the evidence.

    Parameters
    ----------
    what : str
        What it is and where, as plain text.
    value : real number or str
    error : real number or str
        How far the value may be off: rounding, fit or statistics. Zero for what is exact.

    Raises
    ------
    ValueError
        If a number is not finite, the error is negative, or a text is empty.
    """

    what: str
    value: float | str
    error: float | str

    def __post_init__(self) -> None:
        for name in ("value", "error"):
            object.__setattr__(self, name, self._checked(name, getattr(self, name)))
        if not isinstance(self.error, str) and self.error < 0:
            raise ValueError(f"{self.what}: the error must not be negative, found {self.error}")

    def _checked(self, name: str, given: Any) -> float | str:
        if isinstance(given, str):
            if not given or given.strip().lower() in ("nan", "inf", "-inf"):
                raise ValueError(f"{self.what}: the {name} is no number, found {given!r}")
            return given
        value = float(given)
        if not math.isfinite(value):
            raise ValueError(f"{self.what}: the {name} is not finite, found {given}")
        return value

    @property
    def text(self) -> str:
        """The value to the digits that its error leaves, with the error."""
        if isinstance(self.value, str) or isinstance(self.error, str):
            value, error = (_plain(x) for x in (self.value, self.error))
            return value if error == "0" else f"{value} ± {error}"
        if self.error == 0:
            return _plain(self.value)
        return _rounded(self.value, self.error)


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value + 0.0:.6g}"


def _rounded(value: float, error: float) -> str:
    """Value and error to the first digit of the error; at most 15 digits, powers of ten shared."""
    value += 0.0  # no negative zero
    top = max(abs(value), error)
    size = math.floor(math.log10(top))
    places = min(size - math.floor(math.log10(error)), 15)
    if -4 <= size < 6:
        decimals = max(places - size, 0)
        return f"{value:.{decimals}f} ± {error:.1g}"
    scale = 10.0**size
    return f"({value / scale:.{places}f} ± {error / scale:.1g})e{size:+d}"


@dataclass(frozen=True)
class Evidence:
    """What a judge found.

    Parameters
    ----------
    verdict : Verdict
    numbers : tuple of Number
        At least one; the first is the one that short tables show.
    condition : str
        When a conditional claim holds, as measured; for one that fails, what is found instead.

    Raises
    ------
    ValueError
        If there are no numbers, a conditional verdict has no condition, or one that holds has one.
    """

    verdict: Verdict
    numbers: tuple[Number, ...]
    condition: str = ""

    def __post_init__(self) -> None:
        if not self.numbers:
            raise ValueError("evidence needs at least one number")
        if self.verdict is Verdict.CONDITIONAL and not self.condition:
            raise ValueError("a conditional verdict needs its condition, as measured")
        if self.verdict is Verdict.HOLDS and self.condition:
            raise ValueError(
                f"a claim that holds has no condition, found {self.condition!r}: use CONDITIONAL"
            )

    @property
    def text(self) -> str:
        """The verdict with its condition."""
        if self.verdict is Verdict.CONDITIONAL:
            return f"{self.verdict} {self.condition}"
        return f"{self.verdict}: {self.condition}" if self.condition else str(self.verdict)


@dataclass(frozen=True)
class Claim:
    """One published statement.

    Parameters
    ----------
    key : str
        An identifier, unique within the source.
    source : str
        A key of `theory.derivation.SOURCES`.
    statement : str
        In our words, one sentence of plain text.
    formula : str, sympy.Eq or sympy.Tuple of them
        LaTeX, or equations; the judge is to use this very object where it can.
    judge : callable
        ``judge(full) -> Evidence``; ``full`` asks for larger cases than a look takes.

    Raises
    ------
    ValueError
        If the key is no identifier or the source is unknown.
    """

    key: str
    source: str
    statement: str
    formula: Formula
    judge: Callable[[bool], Evidence]

    def __post_init__(self) -> None:
        if not self.key.isidentifier():
            raise ValueError(f"claim {self.key!r}: the key must be an identifier")
        if self.source not in SOURCES:
            raise ValueError(
                f"claim {self.key}: unknown source {self.source!r}; use one of {', '.join(SOURCES)}"
            )

    @classmethod
    def of_formula(
        cls,
        key: str,
        source: str,
        statement: str,
        formula: Formula,
        judge: Callable[[Any, bool], Evidence],
    ) -> Claim:
        """A claim whose judge, ``judge(formula, full)``, is given the formula that is printed."""
        return cls(key, source, statement, formula, partial(judge, formula))

    @property
    def name(self) -> str:
        """Source and key, as messages and tables call the claim."""
        return f"{self.source} {self.key.replace('_', ' ')}"

    @property
    def latex(self) -> str:
        """The formula as LaTeX."""
        if isinstance(self.formula, str):
            return self.formula
        if isinstance(self.formula, sp.Tuple):
            return latex_equation(tuple(self.formula))
        return latex_equation((self.formula,))

    def judged(self, full: bool) -> Evidence:
        """The evidence, computed now.

        Raises
        ------
        ClaimError
            If the judge raises, or returns something else than sound evidence.
        """
        try:
            evidence = self.judge(full)
        except Exception as problem:
            raise ClaimError(
                f"claim {self.name}: it could not be judged: {type(problem).__name__}: {problem}"
            ) from problem
        if not isinstance(evidence, Evidence):
            raise ClaimError(
                f"claim {self.name}: its judge must return Evidence, found {evidence!r}"
            )
        return evidence


@dataclass(frozen=True)
class Judgement:
    """A claim with its evidence, and the seconds that it took."""

    claim: Claim
    evidence: Evidence
    seconds: float
