"""Spectra of the input covariance: distinct eigenvalues and weights, exact and normalised.

Notation
    lam_k, w_k : distinct eigenvalues of Sigma and their weights n_k/N, normalised to
        ``sum_k w_k = 1`` and ``sum_k w_k lam_k = 1`` (``Tr Sigma = N``).
    H_L(s) = sum_{k<=L} k^-s : generalised harmonic number.

References
    [WR24] Worschech & Rosenow, arXiv:2410.09005; [SS95] Saad & Solla, Phys. Rev. E 52, 4225.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath as mp
import sympy as sp

from .exact import count, is_inexact, positive, sequence

__all__ = ["Discrete", "Isotropic", "PowerLaw", "Spectrum"]


class Spectrum(ABC):
    """Distinct eigenvalues of the input covariance and their weights, normalised (WR24).

    ``sum_k w_k = 1`` and ``sum_k w_k lam_k = 1``; all exact.

    Attributes
    ----------
    L : sympy.Expr
        Number of distinct eigenvalues (an integer, or a symbol).
    inexact : tuple of str
        Parameters that were given as floats, hence mean the double they are.
    """

    L: sp.Expr
    inexact: tuple[str, ...] = ()

    @property
    @abstractmethod
    def eigenvalues(self) -> tuple[sp.Expr, ...]:
        """lam_1, ..., lam_L, exact."""

    @property
    @abstractmethod
    def weights(self) -> tuple[sp.Expr, ...]:
        """w_1, ..., w_L, exact, summing to one."""

    @abstractmethod
    def moment(self, order: Any) -> sp.Expr:
        """sum_k w_k lam_k**order, exact."""

    @abstractmethod
    def shape(self) -> tuple[sp.Expr, ...]:
        """Eigenvalues before normalisation (short expressions; only their ratios mean anything)."""

    def values(self, digits: int = 16) -> tuple[list[mp.mpf], list[mp.mpf]]:
        """Eigenvalues and weights as numbers good to `digits` digits.

        Normalised numerically from `shape`, which costs O(L) where evaluating `eigenvalues` would
        cost O(L**2).

        Raises
        ------
        ValueError
            If the spectrum still contains symbols.
        """
        unknown = sorted(str(s) for e in (*self.shape(), *self.weights) for s in e.free_symbols)
        if unknown:
            raise ValueError(
                f"{self} still contains the symbols {sorted(set(unknown))}: give them values first"
            )
        with mp.workdps(digits + 10):
            shape = [_number(e, digits + 10) for e in self.shape()]
            weights = [_number(w, digits + 10) for w in self.weights]
            mean = mp.fsum(w * s for w, s in zip(weights, shape, strict=True))
            return [s / mean for s in shape], weights

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    @abstractmethod
    def latex(self) -> str:
        """The spectrum as a LaTeX formula."""


def _number(expr: sp.Expr, digits: int) -> mp.mpf:
    """An exact constant at the working precision; fractions without SymPy's slower evaluation."""
    return mp.mpf(expr.p) / expr.q if expr.is_Rational else mp.mpf(sp.N(expr, digits))


@dataclass(frozen=True)
class Isotropic(Spectrum):
    """Sigma = identity: one eigenvalue, lam = 1 (SS95)."""

    L = sp.S.One

    @property
    def eigenvalues(self) -> tuple[sp.Expr, ...]:
        return (sp.S.One,)

    @property
    def weights(self) -> tuple[sp.Expr, ...]:
        return (sp.S.One,)

    def moment(self, order: Any) -> sp.Expr:
        return sp.S.One

    def shape(self) -> tuple[sp.Expr, ...]:
        return (sp.S.One,)

    def latex(self) -> str:
        return r"\lambda = 1"


@dataclass(frozen=True)
class PowerLaw(Spectrum):
    """lam_k = lam_+ k^-(1+beta), k = 1..L, w_k = 1/L, lam_+ = L / H_L(1+beta) (WR24).

    Parameters
    ----------
    beta : exact positive number or symbol
    L : positive integer or symbol

    Raises
    ------
    ValueError
        If beta <= 0 or L is not a positive integer.
    """

    beta: sp.Expr
    L: sp.Expr

    def __init__(self, beta: Any, L: Any) -> None:
        object.__setattr__(self, "beta", positive(beta, "PowerLaw: beta"))
        object.__setattr__(self, "L", count(L, "PowerLaw: L"))
        object.__setattr__(self, "inexact", ("beta",) if is_inexact(beta) else ())

    def _listed(self) -> range:
        if not self.L.is_Integer:
            raise ValueError(
                f"{self} has a symbolic L: its eigenvalues cannot be listed; "
                "use .moment(order), or give L an integer value"
            )
        return range(1, int(self.L) + 1)

    def shape(self) -> tuple[sp.Expr, ...]:
        return tuple(sp.Integer(k) ** -(1 + self.beta) for k in self._listed())

    @property
    def largest(self) -> sp.Expr:
        """lam_+ = L / H_L(1 + beta)."""
        return self.L / _harmonic(self.L, 1 + self.beta)

    @cached_property
    def _eigenvalues(self) -> tuple[sp.Expr, ...]:
        largest = self.largest
        return tuple(largest * s for s in self.shape())

    @property
    def eigenvalues(self) -> tuple[sp.Expr, ...]:
        return self._eigenvalues

    @property
    def weights(self) -> tuple[sp.Expr, ...]:
        return tuple(1 / self.L for _ in self._listed())

    def moment(self, order: Any) -> sp.Expr:
        """L^(l-1) H_L(l (1+beta)) / H_L(1+beta)^l."""
        order = sp.sympify(order)
        return (
            self.L ** (order - 1)
            * _harmonic(self.L, order * (1 + self.beta))
            / _harmonic(self.L, 1 + self.beta) ** order
        )

    def latex(self) -> str:
        return rf"\lambda_k \propto k^{{-{sp.latex(1 + self.beta)}}},\ L = {sp.latex(self.L)}"


def _harmonic(n: sp.Expr, order: sp.Expr) -> sp.Expr:
    """H_n(s) = sum_{k<=n} k^-s, summed where n is an integer."""
    if n.is_Integer:
        return sp.Add(*(sp.Integer(k) ** -order for k in range(1, int(n) + 1)))
    return sp.harmonic(n, order)


@dataclass(frozen=True)
class Discrete(Spectrum):
    """Any finite spectrum, e.g. a measured one.

    Parameters
    ----------
    eigenvalues : sequence of positive numbers
        Rescaled so that ``sum_k w_k lam_k = 1``.
    weights : sequence of positive numbers, optional
        Multiplicities or fractions; rescaled to sum to one. Default: equal weights.

    Raises
    ------
    ValueError
        If a list is empty, a number is not positive, or the lengths differ.
    TypeError
        If a list is not one (a number, a string, an unordered set).
    """

    given: tuple[sp.Expr, ...]
    given_weights: tuple[sp.Expr, ...]

    def __init__(self, eigenvalues: Sequence[Any], weights: Sequence[Any] | None = None) -> None:
        eigenvalues = sequence(eigenvalues, "Discrete: eigenvalues")
        if not eigenvalues:
            raise ValueError("Discrete: the list of eigenvalues is empty; give at least one")
        shape = tuple(
            positive(e, f"Discrete: eigenvalue {k}") for k, e in enumerate(eigenvalues, 1)
        )
        raw = [1] * len(shape) if weights is None else sequence(weights, "Discrete: weights")
        if len(raw) != len(shape):
            raise ValueError(
                f"Discrete: {len(shape)} eigenvalues but {len(raw)} weights; "
                "give one weight per eigenvalue"
            )
        weight = tuple(positive(w, f"Discrete: weight {k}") for k, w in enumerate(raw, 1))
        object.__setattr__(self, "given", shape)
        object.__setattr__(self, "given_weights", weight)
        object.__setattr__(self, "L", sp.Integer(len(shape)))
        inexact = any(map(is_inexact, [*eigenvalues, *raw]))
        object.__setattr__(self, "inexact", ("eigenvalues",) if inexact else ())

    def shape(self) -> tuple[sp.Expr, ...]:
        return self.given

    @cached_property
    def _weights(self) -> tuple[sp.Expr, ...]:
        total = sp.Add(*self.given_weights)
        return tuple(w / total for w in self.given_weights)

    @property
    def weights(self) -> tuple[sp.Expr, ...]:
        return self._weights

    @cached_property
    def _eigenvalues(self) -> tuple[sp.Expr, ...]:
        mean = sp.Add(*(w * e for w, e in zip(self.weights, self.given, strict=True)))
        return tuple(e / mean for e in self.given)

    @property
    def eigenvalues(self) -> tuple[sp.Expr, ...]:
        return self._eigenvalues

    def moment(self, order: Any) -> sp.Expr:
        return sp.Add(
            *(
                w * e ** sp.sympify(order)
                for w, e in zip(self.weights, self.eigenvalues, strict=True)
            )
        )

    def __repr__(self) -> str:
        # In full: this text is what a saved result says about its spectrum.
        shown = ", ".join(map(str, self.given))
        if set(self.given_weights) == {sp.S.One}:
            return f"Discrete([{shown}])"
        return f"Discrete([{shown}], weights=[{', '.join(map(str, self.given_weights))}])"

    def latex(self) -> str:
        """The eigenvalues and, if they differ, the weights; no more than six of each."""
        text = rf"\lambda = {_first(self.eigenvalues)}"
        if len(set(self.weights)) > 1:
            text += rf",\ w = {_first(self.weights)}"
        return text


def _first(numbers: tuple[sp.Expr, ...]) -> str:
    """(a, b, ...) in LaTeX, no more than six."""
    shown = [sp.latex(number) for number in numbers[:6]]
    more = [r"\ldots"] if len(numbers) > 6 else []
    return f"({', '.join(shown + more)})"
