r"""How many products of p integers are at most X: expansions from the poles of zeta functions.

Mathematics
    The tuples (i_1, ..., i_p) of positive integers with i_1 ... i_p <= X, ordered (T_p), distinct
    and unordered (D_p) or unordered with repetition (M_p), have the Dirichlet series

        T_p: zeta(s)^p,    D_p: e_p(1, 2^-s, 3^-s, ...),    M_p: h_p(1, 2^-s, ...),

    elementary and complete symmetric functions, hence polynomials in zeta(s), zeta(2s), ...,
    zeta(p s): the coefficient of prod_k zeta(k s)^(m_k) is +-1/prod_k (k^(m_k) m_k!). By Perron's
    formula the counts are the residues of F(s) X^s/s at s = 1, 1/2, ..., 1/p and 0, each derived
    from zeta(s) = 1/(s - 1) + sum_n gamma_n (1 - s)^n/n!, and a remainder. For T_p the remainder is
    O(X^((p-1)/(p+1)) log^(p-1) X); that of D_p and M_p has the same order. What poles to the left
    of that add is the mean of a remainder that oscillates.

References
    Landau, Nachr. Ges. Wiss. Goettingen, 687 (1912); Titchmarsh, The Theory of the Riemann
    Zeta-Function (1986), chapter XII; [PXZ26] Paquette, Xiao & Zhu, arXiv:2603.14578.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath as mp
import sympy as sp
from sympy.utilities.iterables import partitions

from .asymptotics import AsymptoticLaw, Regime
from .random_features import as_degree

__all__ = [
    "KINDS",
    "ZetaDerivative",
    "as_kind",
    "count_exponent",
    "counting_law",
    "dirichlet_series",
    "residue",
    "X",
]

KINDS = ("ordered", "distinct", "multiset")
SYMBOLS = {"ordered": "T", "distinct": "D", "multiset": "M"}

X = sp.Symbol("X", positive=True)
s = sp.Symbol("s")
_SHIFT = sp.Dummy("epsilon")


class ZetaDerivative(sp.Function):
    """zeta^(n)(s) of (n, s), a number that stays unevaluated."""

    nargs = 2

    @staticmethod
    def _imp_(order: Any, at: Any) -> Any:
        return mp.zeta(at, 1, int(order))

    def _eval_evalf(self, prec: int) -> sp.Expr:
        order, at = self.args
        with mp.workprec(prec + 10):
            return sp.Float(self._imp_(order, mp.mpf(at._eval_evalf(prec))), precision=prec)

    def _latex(self, printer: Any, exp: Any = None) -> str:
        order, at = self.args
        mark = "'" * int(order) if order <= 3 else rf"^{{({order})}}"
        value = rf"\zeta{mark}\left({printer._print(at)}\right)"
        return value if exp is None else rf"\left({value}\right)^{{{exp}}}"


def as_kind(kind: str) -> str:
    """One of `KINDS`.

    Raises
    ------
    ValueError
        If it is none.
    """
    if kind not in KINDS:
        raise ValueError(f"counts of products: kind must be one of {KINDS}, found {kind!r}")
    return kind


@cache
def _terms(kind: str, p: int) -> tuple[tuple[sp.Expr, tuple[int, ...]], ...]:
    """(coefficient, (k, ...)): F(s) is the sum of coefficient times prod_k zeta(k s)."""
    if kind == "ordered":
        return ((sp.S.One, (1,) * p),)
    found = []
    for partition in partitions(p):
        parts = tuple(k for k, m in sorted(partition.items()) for _ in range(m))
        size = sp.prod([k**m * sp.factorial(m) for k, m in partition.items()])
        sign = (-1) ** (p - len(parts)) if kind == "distinct" else 1
        found.append((sign / size, parts))
    return tuple(sorted(found, key=lambda term: term[1]))


def dirichlet_series(kind: str, p: Any) -> sp.Expr:
    """F(s), the sum of n^-s over all products n, as a polynomial in zeta(k s) (PXZ26).

    Raises
    ------
    ValueError, TypeError
        If the kind is unknown or p is no positive integer.

    Examples
    --------
    >>> dirichlet_series("distinct", 2)
    zeta(s)**2/2 - zeta(2*s)/2
    """
    terms = _terms(as_kind(kind), as_degree(p))
    return sp.Add(*(c * sp.Mul(*(sp.zeta(k * s) for k in parts)) for c, parts in terms))


def residue(kind: str, p: Any, pole: Any) -> sp.Expr:
    """Residue of F(s) X^s/s at s = 1/pole, or at s = 0 for pole = oo, exact in log X.

    Raises
    ------
    ValueError, TypeError
        If the kind is unknown, p is no positive integer or there is no such pole.

    Examples
    --------
    >>> residue("ordered", 2, 1)
    X*(log(X) - 1 + 2*EulerGamma)
    """
    degree = as_degree(p)
    terms = _terms(as_kind(kind), degree)
    if pole is sp.oo:
        return sp.Add(*(c * sp.Mul(*(sp.zeta(0) for _ in parts)) for c, parts in terms))
    k = as_degree(pole)
    if k > degree:
        raise ValueError(f"residue: F(s) has poles at 1/k, k = 1..{degree}, found {pole}")
    total = sp.Add(*(c * _residue(parts, k) for c, parts in terms))
    return X ** sp.Rational(1, k) * sp.collect(sp.expand(total), sp.log(X))


def _residue(parts: tuple[int, ...], k: int) -> sp.Expr:
    """Residue of prod zeta(part s) X^(s - 1/k)/s at s = 1/k."""
    order = parts.count(k)
    if order == 0:
        return sp.S.Zero
    # epsilon^order times the product is regular; its coefficient of epsilon^(order - 1) is wanted.
    factors = [_laurent(part, k, order) for part in parts]
    factors.append([sp.log(X) ** n / sp.factorial(n) for n in range(order)])
    factors.append([k * (-k) ** sp.Integer(n) for n in range(order)])
    series = [sp.S.One] + [sp.S.Zero] * (order - 1)
    for factor in factors:
        series = [sp.Add(*(series[i] * factor[n - i] for i in range(n + 1))) for n in range(order)]
    return series[-1]


def _laurent(part: int, k: int, terms: int) -> list[sp.Expr]:
    """Coefficients of zeta(part (1/k + epsilon)), times epsilon where it has its pole."""
    if part != k:
        at = sp.Rational(part, k)
        values = [sp.zeta(at), *(ZetaDerivative(n, at) for n in range(1, terms))]
        return [v * sp.Integer(part) ** n / sp.factorial(n) for n, v in enumerate(values)]
    regular = [
        (-1) ** n * sp.stieltjes(n) * sp.Integer(part) ** n / sp.factorial(n)
        for n in range(terms - 1)
    ]
    return [sp.Rational(1, part), *regular]


def count_exponent(p: int) -> sp.Rational:
    """(p - 1)/(p + 1): the remainder is O(X^this log^(p-1) X) (Landau 1912)."""
    return sp.Rational(p - 1, p + 1)


@cache
def counting_law(kind: str, p: Any) -> AsymptoticLaw:
    """The count of products up to X as the sum of all residues (PXZ26).

    Parameters
    ----------
    kind : {"ordered", "distinct", "multiset"}
    p : positive integer

    Raises
    ------
    ValueError, TypeError
        If the kind is unknown or p is no positive integer.

    Examples
    --------
    >>> law = counting_law("ordered", 2)
    >>> mp.nstr(law(10**6), 8)  # of 13970034 pairs
    '13969942.0'
    """
    degree = as_degree(p)
    poles = [*range(1, degree + 1), sp.oo]
    expr = sp.Add(*(residue(kind, degree, pole) for pole in poles))
    return AsymptoticLaw(
        expr=expr,
        variable=X,
        regime=Regime(r"$X \gg 1$", (X > 1,)),
        exponent=sp.S.One if degree == 1 else None,
        error=X ** (count_exponent(degree) - 1),
        quantity=sp.Function(f"{SYMBOLS[as_kind(kind)]}_{degree}")(X),
    )
