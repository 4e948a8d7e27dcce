"""Frozen descriptions of the systems: spectra, activations, student and teacher.

Summary
    A model is data, not equations: every number is exact (SymPy), every object is hashable and
    printable, and everything is validated on construction.

Notation
    lam_k, w_k : distinct eigenvalues of the input covariance Sigma and their weights n_k/N,
        normalised to ``sum_k w_k = 1`` and ``sum_k w_k lam_k = 1`` (``Tr Sigma = N``).
    K, M : number of hidden units of the student and of the teacher.
    g : activation; sigma = c_S sum_i g(x_i) is the student, zeta = c_T sum_n g(y_n) the teacher.
    eta : learning rate of one-pass SGD, J_i <- J_i + (eta/sqrt(N)) delta_i xi.

References
    [WR24] Worschech & Rosenow, arXiv:2410.09005.
    [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995).
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import mpmath as mp
import sympy as sp

__all__ = [
    "Activation",
    "Discrete",
    "Isotropic",
    "PowerLaw",
    "Spectrum",
    "TeacherStudent",
    "exact",
]

X = sp.Symbol("x", real=True)
"""The argument of every activation expression."""


def exact(value: Any, name: str) -> sp.Expr:
    """Return `value` as an exact SymPy expression.

    int, Fraction, SymPy numbers and expressions, strings such as ``"1/10"`` and mpmath numbers keep
    their exact value; a float means the double it is (0.1 becomes 3602879701896397/2**55).

    Parameters
    ----------
    value : int, Fraction, str, float, mpmath.mpf or sympy.Expr
    name : str
        What the number is, for the error message.

    Raises
    ------
    TypeError
        If `value` is not a number or a SymPy expression.
    ValueError
        If it is not finite, not real, or a string that is not a number.
    """
    if isinstance(value, bool):
        raise TypeError(f"{name} must be a number, found {value!r}")
    if isinstance(value, str):
        result = _parse_number(value, name)
    elif isinstance(value, float) or type(value).__name__ in {"float64", "float32"}:
        if not math.isfinite(value):
            raise ValueError(f"{name} must be finite, found {value}")
        result = sp.Rational(Fraction(float(value)))
    elif isinstance(value, mp.mpf):
        if not mp.isfinite(value):
            raise ValueError(f"{name} must be finite, found {value}")
        result = _binary_fraction(value)
    elif isinstance(value, sp.Expr):
        result = value.replace(lambda e: e.is_Float, _float_to_rational)
    elif isinstance(value, Fraction):
        result = sp.Rational(value.numerator, value.denominator)
    elif hasattr(value, "__index__"):
        result = sp.Integer(int(value))
    else:
        raise TypeError(
            f"{name} must be a number (int, Fraction, string, float, mpf) or a SymPy expression, "
            f"found {value!r} of type {type(value).__name__}"
        )
    if result.is_finite is False or result.has(sp.nan):
        raise ValueError(f"{name} must be finite, found {value}")
    if result.is_real is False:
        raise ValueError(f"{name} must be real, found {value}")
    return result


def _parse_number(text: str, name: str) -> sp.Expr:
    try:
        return sp.Rational(Fraction(text.strip()))
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f'{name} must be a number such as "1/10" or "0.1", found {text!r}'
        ) from None


def _binary_fraction(value: mp.mpf) -> sp.Rational:
    sign, mantissa, exponent, _ = value._mpf_
    return sp.Rational((-1) ** sign * int(mantissa)) * sp.Integer(2) ** int(exponent)


def _float_to_rational(value: sp.Float) -> sp.Expr:
    if not value.is_finite:
        return value
    sign, mantissa, exponent, _ = value._mpf_
    return sp.Rational((-1) ** sign * int(mantissa)) * sp.Integer(2) ** int(exponent)


def _is_inexact(value: Any) -> bool:
    if isinstance(value, sp.Basic):
        return value.has(sp.Float)
    return isinstance(value, float) or type(value).__name__ in {"float64", "float32"}


def _positive(value: Any, name: str) -> sp.Expr:
    number = exact(value, name)
    if number.is_positive is False or (number.is_number and not number > 0):
        raise ValueError(f"{name} must be positive, found {value}")
    return number


def _non_negative(value: Any, name: str) -> sp.Expr:
    number = exact(value, name)
    if number.is_negative is True or (number.is_number and not number >= 0):
        raise ValueError(f"{name} must not be negative, found {value}")
    return number


def _count(value: Any, name: str) -> sp.Expr:
    """A positive integer, or a symbol that stands for one."""
    number = exact(value, name)
    if number.is_number and not (number.is_Integer and number > 0):
        raise ValueError(f"{name} must be a positive integer or a symbol, found {value}")
    if number.is_integer is False or number.is_positive is False:
        raise ValueError(f"{name} must stand for a positive integer, found {value}")
    return number


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
        unknown = sorted(str(s) for e in self.shape() for s in e.free_symbols)
        if unknown:
            raise ValueError(
                f"{self} still contains the symbols {sorted(set(unknown))}: give them values first"
            )
        with mp.workdps(digits + 10):
            shape = [mp.mpf(sp.N(e, digits + 10)) for e in self.shape()]
            weights = [
                mp.mpf(w.p) / w.q if w.is_Rational else mp.mpf(sp.N(w, digits + 10))
                for w in self.weights
            ]
            mean = mp.fsum(w * s for w, s in zip(weights, shape, strict=True))
            return [s / mean for s in shape], weights

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    @abstractmethod
    def latex(self) -> str:
        """The spectrum as a LaTeX formula."""


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
        object.__setattr__(self, "beta", _positive(beta, "PowerLaw: beta"))
        object.__setattr__(self, "L", _count(L, "PowerLaw: L"))
        object.__setattr__(self, "inexact", ("beta",) if _is_inexact(beta) else ())

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
    """

    given: tuple[sp.Expr, ...]
    given_weights: tuple[sp.Expr, ...]

    def __init__(self, eigenvalues: Sequence[Any], weights: Sequence[Any] | None = None) -> None:
        eigenvalues = list(eigenvalues)
        if not eigenvalues:
            raise ValueError("Discrete: the list of eigenvalues is empty; give at least one")
        shape = tuple(
            _positive(e, f"Discrete: eigenvalue {k}") for k, e in enumerate(eigenvalues, 1)
        )
        raw = [1] * len(shape) if weights is None else list(weights)
        if len(raw) != len(shape):
            raise ValueError(
                f"Discrete: {len(shape)} eigenvalues but {len(raw)} weights; "
                "give one weight per eigenvalue"
            )
        weight = tuple(_positive(w, f"Discrete: weight {k}") for k, w in enumerate(raw, 1))
        object.__setattr__(self, "given", shape)
        object.__setattr__(self, "given_weights", weight)
        object.__setattr__(self, "L", sp.Integer(len(shape)))
        inexact = any(map(_is_inexact, [*eigenvalues, *raw]))
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
        shown = ", ".join(map(str, self.given[:6])) + (", ..." if len(self.given) > 6 else "")
        return f"Discrete([{shown}], L={self.L})"

    def latex(self) -> str:
        return rf"\lambda \in \{{{', '.join(map(sp.latex, self.eigenvalues[:6]))}\}}"


@dataclass(frozen=True)
class Activation:
    """An activation function g, by name or as a SymPy expression in one symbol.

    Parameters
    ----------
    g : str, sympy.Expr or Activation
        ``"erf"`` (erf(x/sqrt(2))), ``"linear"``, ``"relu"``, ``"sign"``, ``"sin"``, ``"cos"``,
        ``"exp"``, ``"x^n"``, ``"He_n"`` (probabilists' Hermite polynomial), or an expression such
        as ``x**3 - 3*x`` or ``tanh(x)``.

    Attributes
    ----------
    name : str
        The name, or the text of the expression.
    expr : sympy.Expr
        g as an expression in the real symbol ``x``.

    Raises
    ------
    ValueError
        If the name is unknown or the expression has not exactly one symbol.

    Examples
    --------
    >>> Activation("He_3").expr
    x**3 - 3*x
    """

    name: str
    expr: sp.Expr

    def __init__(self, g: Any) -> None:
        if isinstance(g, Activation):
            name, expr = g.name, g.expr
        elif isinstance(g, str):
            name, expr = _named_activation(g)
        elif isinstance(g, sp.Expr):
            expr = _activation_in_x(g)
            name = next((n for n, e in _NAMED.items() if e == expr), str(expr))
        else:
            raise TypeError(
                f"activation must be a name or a SymPy expression, found {g!r} of "
                f"type {type(g).__name__}"
            )
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "expr", expr)

    def __call__(self, argument: Any) -> sp.Expr:
        """g(argument)."""
        return self.expr.subs(X, sp.sympify(argument))

    @property
    def derivative(self) -> sp.Expr:
        """g'(x)."""
        return self.expr.diff(X)

    @property
    def is_polynomial(self) -> bool:
        """Whether g is a polynomial in x."""
        return bool(self.expr.is_polynomial(X))

    def __repr__(self) -> str:
        return f"Activation({self.name})"

    def latex(self) -> str:
        """g(x) = ... as LaTeX."""
        return "g(x) = " + str(sp.latex(self.expr))

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


_NAMED: dict[str, sp.Expr] = {
    "erf": sp.erf(X / sp.sqrt(2)),
    "linear": X,
    "relu": X * sp.Heaviside(X, sp.Rational(1, 2)),
    "sign": sp.sign(X),
    "sin": sp.sin(X),
    "cos": sp.cos(X),
    "exp": sp.exp(X),
}


def _named_activation(text: str) -> tuple[str, sp.Expr]:
    key = text.strip()
    if key.lower() in _NAMED:
        return key.lower(), _NAMED[key.lower()]
    power = re.fullmatch(r"x(?:\^|\*\*)(\d{1,3})", key)
    if power and int(power[1]) > 0:
        return f"x^{int(power[1])}", X ** int(power[1])
    hermite = re.fullmatch(r"[Hh]e_?\{?(\d{1,3})\}?", key)
    if hermite and int(hermite[1]) > 0:
        return f"He_{int(hermite[1])}", hermite_polynomial(int(hermite[1]), X)
    raise ValueError(
        f"unknown activation {text!r}: use one of {', '.join(_NAMED)}, x^n, He_n "
        "(n = 1, 2, ...), or Activation(expr) with a SymPy expression in one symbol"
    )


def hermite_polynomial(n: int, x: sp.Expr) -> sp.Expr:
    """Probabilists' Hermite polynomial, He_{n+1} = x He_n - n He_{n-1}."""
    previous, current = sp.S.Zero, sp.S.One
    for m in range(n):
        previous, current = current, sp.expand(x * current - m * previous)
    return current


def _activation_in_x(expr: sp.Expr) -> sp.Expr:
    symbols = sorted(expr.free_symbols, key=str)
    if len(symbols) != 1:
        raise ValueError(
            f"an activation is an expression in exactly one symbol, found "
            f"{[str(s) for s in symbols]} in {expr}"
        )
    return exact(expr, "activation").subs(symbols[0], X)


@dataclass(frozen=True)
class TeacherStudent:
    """One-pass SGD of a two-layer student on a two-layer teacher (SS95, BS95, WR24).

    sigma = c_S sum_{i<=K} g(J_i.xi/sqrt(N)), zeta = c_T sum_{n<=M} g(B_n.xi/sqrt(N)) + noise,
    loss (sigma - zeta)^2/2 + (weight_decay/(2N)) sum_i |J_i|^2, xi ~ N(0, Sigma).

    Parameters
    ----------
    K, M : positive integers or symbols
        Hidden units of student and teacher.
    activation : str, sympy.Expr or Activation
    spectrum : Spectrum
    eta : positive exact number or symbol
        Learning rate: J_i <- J_i - (eta/sqrt(N)) d(loss)/dx_i xi.
    scale : {"sqrt", "unit"}
        c_S = c_T = 1/sqrt(M) (WR24) or 1 (SS95).
    label_noise : exact number >= 0
        Variance of the Gaussian noise added to the teacher's output.
    weight_decay : exact number >= 0

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range; the message names it.
    """

    K: sp.Expr
    M: sp.Expr
    activation: Activation = Activation("erf")
    spectrum: Spectrum = Isotropic()
    eta: sp.Expr = sp.Symbol("eta")
    scale: str = "sqrt"
    label_noise: sp.Expr = sp.S.Zero
    weight_decay: sp.Expr = sp.S.Zero
    inexact: tuple[str, ...] = field(init=False, default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.spectrum, Spectrum):
            raise TypeError(
                f"spectrum must be PowerLaw, Isotropic or Discrete, found {self.spectrum!r}"
            )
        if self.scale not in ("sqrt", "unit"):
            raise ValueError(
                f'scale must be "sqrt" (c = 1/sqrt(M)) or "unit" (c = 1), found {self.scale!r}'
            )
        given = {name: getattr(self, name) for name in ("eta", "label_noise", "weight_decay")}
        inexact = tuple(n for n, value in given.items() if _is_inexact(value))
        inexact += tuple(f"spectrum.{n}" for n in self.spectrum.inexact)
        values: dict[str, Any] = {
            "K": _count(self.K, "K"),
            "M": _count(self.M, "M"),
            "activation": Activation(self.activation),
            "eta": _positive(self.eta, "eta"),
            "label_noise": _non_negative(self.label_noise, "label_noise"),
            "weight_decay": _non_negative(self.weight_decay, "weight_decay"),
            "inexact": inexact,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def student_scale(self) -> sp.Expr:
        """c_S."""
        return sp.S.One if self.scale == "unit" else 1 / sp.sqrt(self.M)

    @property
    def teacher_scale(self) -> sp.Expr:
        """c_T."""
        return self.student_scale

    @property
    def is_explicit(self) -> bool:
        """Whether K and M are integers (not symbols)."""
        return bool(self.K.is_Integer and self.M.is_Integer)

    def replace(self, **changes: Any) -> TeacherStudent:
        """The same model with some parameters changed."""
        known = {f.name for f in fields(self) if f.init}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise TypeError(f"TeacherStudent has no parameter {unknown}; it has {sorted(known)}")
        return replace(self, **changes)

    def latex(self) -> str:
        """The model in one line of LaTeX."""
        parts = [
            f"K = {sp.latex(self.K)}",
            f"M = {sp.latex(self.M)}",
            self.activation.latex(),
            self.spectrum.latex(),
            rf"\eta = {sp.latex(self.eta)}",
        ]
        return r",\quad ".join(parts)

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"
