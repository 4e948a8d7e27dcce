"""Derivations: steps of text and equation, each with the reason and the check that it holds.

Summary
    A `Step` prints one equation and knows how it is checked (`Symbolic`, `Numeric`, `Assumed`); a
    `Derivation` is a titled sequence of steps with its sources. What is printed is what is checked.

Main results
    Step.verify() : the outcome of one check.
    Derivation.check() : all outcomes, counted by kind; an error that lists every failing step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath as mp
import sympy as sp

from .checks import Assumed, Check, CheckResult, Numeric, Symbolic
from .notation import Expectation

__all__ = [
    "SOURCES",
    "Assumed",
    "CheckResult",
    "Derivation",
    "DerivationError",
    "Expectation",
    "Numeric",
    "Report",
    "Step",
    "Symbolic",
    "equation",
]

SOURCES = {
    "WR24": "Worschech & Rosenow, Analyzing Neural Scaling Laws in Two-Layer Networks with "
    "Power-Law Data Spectra, arXiv:2410.09005 (ICLR 2025)",
    "BC25": "Bi & Calhoun, Scaling Laws are Redundancy Laws, arXiv:2509.20721",
    "PXZ26": "Paquette, Xiao & Zhu, Power-Law Spectrum of the Random Feature Model, "
    "arXiv:2603.14578",
    "SS95": "Saad & Solla, On-line learning in soft committee machines, "
    "Phys. Rev. E 52, 4225 (1995)",
    "BS95": "Biehl & Schwarze, Learning by on-line gradient descent, J. Phys. A 28, 643 (1995)",
    "GA19": "Goldt, Advani, Saxe, Krzakala & Zdeborova, Dynamics of stochastic gradient descent "
    "for two-layer neural networks in the teacher-student setup, arXiv:1906.08632 (NeurIPS 2019)",
    "YO19": "Yoshida & Okada, Data-dependence of plateau phenomenon in learning with "
    "neural network, NeurIPS 2019",
    "here": "Derived in the document what_helps of this toolkit; not found stated elsewhere",
}
"""Citations by key."""

KINDS = ("symbolic", "numeric", "assumed")

# What evaluating an ill-posed equation may raise; that step fails, the others are checked.
_EVALUATION_ERRORS = (
    ArithmeticError,
    ValueError,
    TypeError,
    NameError,
    NotImplementedError,
    mp.mp.NoConvergence,
)


def equation(lhs: Any, rhs: Any) -> sp.Eq:
    """``lhs = rhs`` as it is to be printed, never collapsed to True or False."""
    return sp.Eq(sp.sympify(lhs), sp.sympify(rhs), evaluate=False)


@dataclass(frozen=True)
class Step:
    """One step of a derivation.

    Parameters
    ----------
    text : str
        What is done, in words; inline mathematics between dollar signs.
    equation : sympy.Eq, tuple of sympy.Eq or None
        As printed, of scalars or matrices. None for a statement in words that is assumed.
    reason : str
        Why the step holds.
    check : Symbolic, Numeric or Assumed
        How it is verified.

    Raises
    ------
    TypeError
        If `equation` or `check` is of another type.
    ValueError
        If the step compares a thing with itself, or is assumed yet prints numbers.
    """

    text: str
    equation: sp.Eq | tuple[sp.Eq, ...] | None
    reason: str
    check: Check

    def __post_init__(self) -> None:
        if not isinstance(self.check, Check):
            raise TypeError(
                f"{self._named}: check must be Symbolic, Numeric or Assumed, found {self.check!r}"
            )
        for eq in self.equations:
            if not isinstance(eq, sp.Eq):
                raise TypeError(
                    f"{self._named}: expected an equation, found {eq!r}; build it with "
                    "equation(lhs, rhs), which does not collapse to True or False"
                )
        if not self.equations and not isinstance(self.check, Assumed):
            raise ValueError(f"{self._named}: a step without an equation can only be Assumed")
        problem = self.check.refuse(self.equations)
        if problem:
            raise ValueError(f"{self._named}: {problem}")

    @property
    def _named(self) -> str:
        return f"step {self.text!r}"

    @property
    def equations(self) -> tuple[sp.Eq, ...]:
        """The printed equations, none, one or several."""
        if self.equation is None:
            return ()
        return self.equation if isinstance(self.equation, tuple) else (self.equation,)

    def verify(self) -> CheckResult:
        """Run the check; an equation that cannot be evaluated does not pass."""
        try:
            return self.check.verify(self.equations)
        except _EVALUATION_ERRORS as error:
            detail = f"it could not be evaluated: {type(error).__name__}: {error}"
            return CheckResult(self.check.kind, False, detail)

    def __repr__(self) -> str:
        shown = "; ".join(f"{eq.lhs} = {eq.rhs}" for eq in self.equations)
        return f"Step({self.text!r}: {shown or 'in words'} [{self.check.label}])"

    def _repr_latex_(self) -> str:
        return _aligned(self.equations) if self.equations else self.text


@dataclass(frozen=True)
class Report:
    """Outcome of checking a derivation.

    Attributes
    ----------
    name : str
    results : tuple of CheckResult
        One per step, in order.
    """

    name: str
    results: tuple[CheckResult, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Number of steps by kind of check: symbolic, numeric, assumed."""
        return {kind: sum(r.kind == kind for r in self.results) for kind in KINDS}

    def __str__(self) -> str:
        parts = ", ".join(f"{n} {kind}" for kind, n in self.counts.items())
        return f"{self.name}: {len(self.results)} steps ({parts})"


class DerivationError(Exception):
    """Steps of a derivation whose check fails; lists them all.

    Attributes
    ----------
    failures : tuple of (int, Step, CheckResult)
        The step numbers count from 1, as printed.
    """

    def __init__(self, name: str, failures: tuple[tuple[int, Step, CheckResult], ...]) -> None:
        self.failures = failures
        listed = [
            f"  step {number}: {step.text}\n    {step!r}\n    {result.kind}: {result.detail}"
            for number, step, result in failures
        ]
        plural = "step does" if len(failures) == 1 else "steps do"
        super().__init__(f"{name}: {len(failures)} {plural} not hold\n" + "\n".join(listed))


@dataclass(frozen=True)
class Derivation:
    """A titled sequence of checked steps.

    Parameters
    ----------
    name : str
        An identifier; documents are called ``<name>.tex`` and so on.
    title, summary : str
        Inline mathematics between dollar signs.
    steps : tuple of Step
    sources : tuple of str
        Keys of `SOURCES`, or "key: full citation".
    notation : tuple of (symbol or str, str), optional
        Symbols and their meaning, in the order of reading.

    Raises
    ------
    ValueError
        If the name is not an identifier, there are no steps, a source is unknown, or a step is
        assumed from a source that is not listed.
    """

    name: str
    title: str
    summary: str
    steps: tuple[Step, ...]
    sources: tuple[str, ...]
    notation: tuple[tuple[sp.Basic | str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(
                f"derivation {self.name!r}: the name becomes a file name, use letters, digits and _"
            )
        object.__setattr__(self, "steps", tuple(self.steps))
        object.__setattr__(self, "sources", tuple(self.sources))
        object.__setattr__(self, "notation", tuple(self.notation))
        if not self.steps:
            raise ValueError(f"derivation {self.name}: there are no steps; give at least one")
        keys = [key for key, _ in self.references]
        for number, step in enumerate(self.steps, 1):
            if isinstance(step.check, Assumed) and not any(k in step.check.source for k in keys):
                raise ValueError(
                    f"derivation {self.name}, step {number}: assumed from {step.check.source!r}, "
                    f"which is not among its sources {keys}: list it"
                )

    @property
    def references(self) -> tuple[tuple[str, str], ...]:
        """(key, citation) of every source."""
        return tuple(self._citation(source) for source in self.sources)

    def _citation(self, source: str) -> tuple[str, str]:
        key, colon, citation = source.partition(": ")
        if colon:
            return key, citation
        if key not in SOURCES:
            raise ValueError(
                f"derivation {self.name}: unknown source {source!r}; use one of "
                f'{", ".join(SOURCES)}, or "key: full citation"'
            )
        return key, SOURCES[key]

    def check(self) -> Report:
        """Verify every step, once: a derivation is frozen, and so is the outcome.

        Raises
        ------
        DerivationError
            If some step does not hold; lists every such step with its discrepancy.
        """
        return self._report

    @cached_property
    def _report(self) -> Report:
        results = tuple(step.verify() for step in self.steps)
        failures = tuple(
            (number, step, result)
            for number, (step, result) in enumerate(zip(self.steps, results, strict=True), 1)
            if not result.passed
        )
        if failures:
            raise DerivationError(self.name, failures)
        return Report(self.name, results)

    def __repr__(self) -> str:
        lines = [f"  {n}. {step!r}" for n, step in enumerate(self.steps, 1)]
        return f"Derivation {self.name}: {self.title}\n" + "\n".join(lines)

    def _repr_latex_(self) -> str:
        return _aligned(tuple(eq for step in self.steps for eq in step.equations))


def _aligned(equations: tuple[sp.Eq, ...]) -> str:
    rows = r" \\ ".join(f"{sp.latex(eq.lhs)} &= {sp.latex(eq.rhs)}" for eq in equations)
    return rf"$\displaystyle \begin{{aligned}} {rows} \end{{aligned}}$"
