"""Spectra of the input covariance: distinct eigenvalues and weights, exact and normalised.

Notation
    lam_k, w_k : distinct eigenvalues of Sigma and their weights n_k/N, normalised to
        ``sum_k w_k = 1`` and ``sum_k w_k lam_k = 1`` (``Tr Sigma = N``).
    H_L(s) = sum_{k<=L} k^-s : generalised harmonic number.
    L = oo : a power law without a last eigenvalue, in units of the first (see `PowerLaw`).

References
    [WR24] Worschech & Rosenow, arXiv:2410.09005; [SS95] Saad & Solla, Phys. Rev. E 52, 4225.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import mpmath as mp
import sympy as sp

from .exact import count, is_inexact, positive, sequence

__all__ = ["Discrete", "Isotropic", "PowerLaw", "Quadrature", "Spectrum", "harmonic_sum"]

SUMMED = 1000
"""Harmonic numbers H_n are written out as exact sums up to this n, as ``Sum`` beyond."""


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

    @property
    def free_symbols(self) -> set[sp.Symbol]:
        """The symbols that still need values."""
        return {x for e in (*self.shape(), *self.weights) for x in e.free_symbols}

    def values(self, digits: int = 16) -> tuple[tuple[mp.mpf, ...], tuple[mp.mpf, ...]]:
        """Eigenvalues and weights as numbers good to `digits` digits.

        Normalised numerically from `shape`, which costs O(L) where evaluating `eigenvalues` would
        cost O(L**2); computed once per spectrum and number of digits.

        Raises
        ------
        ValueError
            If the spectrum still contains symbols, or has infinitely many eigenvalues.
        """
        unknown = sorted(map(str, self.free_symbols))
        if unknown:
            raise ValueError(f"{self} still contains the symbols {unknown}: give them values first")
        return _values(self, digits)

    def _shape_values(self, digits: int) -> list[mp.mpf]:
        """`shape` at the working precision, which holds `digits` digits."""
        return [_number(e, digits) for e in self.shape()]

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    @abstractmethod
    def latex(self) -> str:
        """The spectrum as a LaTeX formula."""


@lru_cache(maxsize=32)
def _values(spectrum: Spectrum, digits: int) -> tuple[tuple[mp.mpf, ...], tuple[mp.mpf, ...]]:
    with mp.workdps(digits + 10):
        shape = spectrum._shape_values(digits + 10)
        known = {w: _number(w, digits + 10) for w in set(spectrum.weights)}
        weights = tuple(known[w] for w in spectrum.weights)
        mean = mp.fsum(w * s for w, s in zip(weights, shape, strict=True))
        return tuple(s / mean for s in shape), weights


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

    As L -> oo, lam_+ diverges and only ratios have a limit: with L = oo eigenvalues are in units of
    lam_+, lam_k = k^-(1+beta), weighted so that w_k lam_k = k^-(1+beta)/zeta(1+beta) (the w_k are
    no fractions: they do not sum to one). Time is the scaled time tau = eta lam_+ alpha,

        dc_k/dtau = (lam_k/lam_+) (D c_k + transpose + eta G),

    and a weight decay is in units of lam_+. Rates per lam_+ alpha, which formulas such as the
    escape rate give with these eigenvalues, are eta times the rates per tau.

    Parameters
    ----------
    beta : exact positive number or symbol
    L : positive integer, symbol, or ``sympy.oo`` (also the string ``"oo"``)

    Raises
    ------
    ValueError
        If beta <= 0 or L is not a positive integer or oo.
    """

    beta: sp.Expr
    L: sp.Expr

    def __init__(self, beta: Any, L: Any) -> None:
        endless = L is sp.oo or (isinstance(L, str) and L.strip() == "oo")
        object.__setattr__(self, "beta", positive(beta, "PowerLaw: beta"))
        object.__setattr__(self, "L", sp.oo if endless else count(L, "PowerLaw: L"))
        object.__setattr__(self, "inexact", ("beta",) if is_inexact(beta) else ())

    def _listed(self) -> range:
        if not self.L.is_Integer:
            why = "infinitely many" if self.L is sp.oo else "a symbolic L, so a symbolic number of"
            raise ValueError(
                f"{self} has {why} eigenvalues: they cannot be listed; "
                "use .moment(order), or give L an integer value"
            )
        return range(1, int(self.L) + 1)

    @property
    def free_symbols(self) -> set[sp.Symbol]:
        return self.beta.free_symbols | self.L.free_symbols

    def shape(self) -> tuple[sp.Expr, ...]:
        return tuple(sp.Integer(k) ** -(1 + self.beta) for k in self._listed())

    def _shape_values(self, digits: int) -> list[mp.mpf]:
        exponent = -_number(1 + self.beta, digits)
        return [mp.mpf(k) ** exponent for k in self._listed()]

    @property
    def largest(self) -> sp.Expr:
        """lam_+ = L / H_L(1 + beta); for L = oo it is the unit, 1."""
        return sp.S.One if self.L is sp.oo else self.L / harmonic_sum(self.L, 1 + self.beta)

    @cached_property
    def _eigenvalues(self) -> tuple[sp.Expr, ...]:
        largest = self.largest
        return tuple(largest * s for s in self.shape())

    @property
    def eigenvalues(self) -> tuple[sp.Expr, ...]:
        return self._eigenvalues

    @property
    def weights(self) -> tuple[sp.Expr, ...]:
        return (1 / self.L,) * len(self._listed())

    def moment(self, order: Any) -> sp.Expr:
        """L^(l-1) H_L(l (1+beta)) / H_L(1+beta)^l.

        For L = oo, in units of lam_+, zeta(l (1+beta)) / zeta(1+beta), infinite for
        l (1+beta) <= 1.
        """
        order = sp.sympify(order)
        power = order * (1 + self.beta)
        if self.L is sp.oo:
            finite = sp.zeta(power) / sp.zeta(1 + self.beta)
            return sp.Piecewise((finite, power > 1), (sp.oo, True))
        return (
            self.L ** (order - 1)
            * harmonic_sum(self.L, power)
            / harmonic_sum(self.L, 1 + self.beta) ** order
        )

    def latex(self) -> str:
        power = rf"k^{{-{sp.latex(1 + self.beta)}}}"
        if self.L is sp.oo:
            return rf"\lambda_k / \lambda_+ = {power},\ L = \infty"
        return rf"\lambda_k \propto {power},\ L = {sp.latex(self.L)}"


def harmonic_sum(n: sp.Expr, order: sp.Expr) -> sp.Expr:
    """H_n(s) = sum_{k<=n} k^-s, written out where n is a small integer."""
    if n.is_Integer and n > SUMMED:
        k = sp.Dummy("k", integer=True, positive=True)
        return sp.Sum(k**-order, (k, 1, n))
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


@dataclass(frozen=True)
class Quadrature(Spectrum):
    """What the equations of motion see of a spectrum: sum_k v_k delta(lam - lam_k), sum v = 1.

    v_k = w_k lam_k is the share of mode k in Q = sum_k v_k q_k. Such a measure stands for a
    spectrum with many more eigenvalues (the nodes and weights of a quadrature rule, say): w_k =
    v_k/lam_k are then no fractions of eigenvalues and need not sum to one.

    Parameters
    ----------
    nodes : sequence of positive numbers
        lam_k, kept as they are.
    masses : sequence of positive numbers
        v_k, rescaled to sum to one.

    Raises
    ------
    ValueError, TypeError
        If a list is empty or none, a number is not positive, or the lengths differ.
    """

    nodes: tuple[sp.Expr, ...]
    masses: tuple[sp.Expr, ...]

    def __init__(self, nodes: Sequence[Any], masses: Sequence[Any]) -> None:
        given = sequence(nodes, "Quadrature: nodes"), sequence(masses, "Quadrature: masses")
        if not given[0] or len(given[0]) != len(given[1]):
            raise ValueError(
                f"Quadrature: found {len(given[0])} nodes and {len(given[1])} masses; "
                "give at least one node, and one mass per node"
            )
        for name, numbers in zip(("node", "mass"), given, strict=True):
            values = (positive(x, f"Quadrature: {name} {k}") for k, x in enumerate(numbers, 1))
            object.__setattr__(self, "nodes" if name == "node" else "masses", tuple(values))
        object.__setattr__(self, "L", sp.Integer(len(self.nodes)))
        inexact = any(map(is_inexact, [*given[0], *given[1]]))
        object.__setattr__(self, "inexact", ("nodes",) if inexact else ())

    def shape(self) -> tuple[sp.Expr, ...]:
        return self.nodes

    @property
    def eigenvalues(self) -> tuple[sp.Expr, ...]:
        return self.nodes

    @cached_property
    def _weights(self) -> tuple[sp.Expr, ...]:
        total = sp.Add(*self.masses)
        return tuple(v / (total * e) for v, e in zip(self.masses, self.nodes, strict=True))

    @property
    def weights(self) -> tuple[sp.Expr, ...]:
        return self._weights

    def moment(self, order: Any) -> sp.Expr:
        order = sp.sympify(order)
        return sp.Add(*(w * e**order for w, e in zip(self.weights, self.nodes, strict=True)))

    def latex(self) -> str:
        return rf"\lambda = {_first(self.nodes)},\ w\lambda = {_first(self.masses)}"


def _first(numbers: tuple[sp.Expr, ...]) -> str:
    """(a, b, ...) in LaTeX, no more than six."""
    shown = [sp.latex(number) for number in numbers[:6]]
    more = [r"\ldots"] if len(numbers) > 6 else []
    return f"({', '.join(shown + more)})"
