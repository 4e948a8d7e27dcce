"""Hermite coefficients of activations: closed forms in n, truncated series and their exact tails.

Summary
    With He_n the probabilists' Hermite polynomials and z ~ N(0, 1),

        c_n(q) = E[g(sqrt(q) z) He_n(z)]/sqrt(n!) = q^(n/2) E[g^(n)(sqrt(q) z)]/sqrt(n!),

    the second form by n integrations by parts (g^(n) may be a distribution). Then, with
    rho = C_ab/sqrt(C_aa C_bb),

        E[g(a) g(b)] = sum_n c_n(C_aa) c_n(C_bb) rho^n        (Mehler)
        E[g(a)^2]    = sum_n c_n(C_aa)^2                      (Parseval)

References
    [YO19] Yoshida & Okada, NeurIPS 2019; Mehler, J. reine angew. Math. 66, 161 (1866).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy as sp

from theory.activations import Activation, hermite_polynomial
from theory.exact import exact
from theory.gaussian import I2, NoClosedForm, family

__all__ = ["HermiteSeries", "hermite_coefficient", "hermite_series", "parseval"]

_N = sp.Dummy("n", integer=True, nonnegative=True)
_Q = sp.Dummy("q", positive=True)
_Z = sp.Dummy("z", real=True)


def hermite_coefficient(activation: Any, n: Any, variance: Any = 1) -> sp.Expr:
    """c_n(q) = E[g(sqrt(q) z) He_n(z)]/sqrt(n!), z ~ N(0, 1).

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
    n : integer >= 0, or a symbol that stands for one
        With a symbol the closed form in n, which exists for the families of `theory.gaussian`.
    variance : positive number or expression
        q, the variance of the field.

    Raises
    ------
    ValueError
        If n is not an integer >= 0 or the variance is not positive.
    NoClosedForm
        If there is no closed form in n, or SymPy cannot do the integral for this n.

    Notes
    -----
    Outside the families an integer n is a definite integral, which may take SymPy seconds.

    Examples
    --------
    >>> hermite_coefficient("relu", 2)
    1/(2*sqrt(pi))
    >>> hermite_coefficient("exp", sp.Symbol("n"), sp.Symbol("q"))
    q**(n/2)*exp(q/2)/sqrt(factorial(n))
    """
    order, q = exact(n, "n"), exact(variance, "variance")
    if order.is_negative or (order.is_number and not order.is_Integer):
        raise ValueError(f"n must be an integer >= 0 or a symbol, found {n}")
    if q.is_positive is False:
        raise ValueError(f"the variance must be positive, found {variance}")
    if order.is_Integer:
        return _coefficient(Activation(activation), order).xreplace({_Q: q})
    return _coefficient(Activation(activation), _N).xreplace({_N: order, _Q: q})


@cache
def _coefficient(activation: Activation, n: sp.Expr) -> sp.Expr:
    """c_n in the symbols _N and _Q."""
    try:
        mean = family(activation).derivative_mean(n, _Q)
    except NoClosedForm:
        if not n.is_Integer:
            raise NoClosedForm(
                f"the Hermite coefficients of {activation.name} have no closed form in n: "
                "give an integer n"
            ) from None
        value = _expectation(activation(sp.sqrt(_Q) * _Z) * hermite_polynomial(int(n), _Z))
        return value / sp.sqrt(sp.factorial(n))
    value = sp.piecewise_fold(_Q ** (n / 2) * mean / sp.sqrt(sp.factorial(n)))
    return sp.powsimp(value.replace(sp.Piecewise, _at_fixed_n), deep=True)


def _at_fixed_n(*pieces: tuple[sp.Expr, sp.Basic]) -> sp.Expr:
    """The piecewise expression with n replaced by k in the pieces that hold for n = k."""
    return sp.Piecewise(
        *(
            (value.xreplace({_N: condition.rhs}), condition)
            if isinstance(condition, sp.Eq) and condition.lhs == _N
            else (value, condition)
            for value, condition in pieces
        )
    )


def _expectation(integrand: sp.Expr) -> sp.Expr:
    """E over z ~ N(0, 1) as an exact definite integral."""
    density = sp.exp(-(_Z**2) / 2) / sp.sqrt(2 * sp.pi)
    value = sp.integrate(sp.expand(integrand) * density, (_Z, -sp.oo, sp.oo))
    if value.has(sp.Integral, sp.nan, sp.zoo, sp.oo):
        raise NoClosedForm(
            f"SymPy has no closed form of E[{integrand}], z ~ N(0, 1): integrate it numerically, "
            "e.g. with mpmath.quad"
        )
    return sp.simplify(value)


def parseval(activation: Any, variance: Any = 1) -> sp.Eq:
    """sum_{n >= 0} c_n(q)^2 = E[g(sqrt(q) z)^2] as an equation, each side derived on its own.

    Parameters and errors are those of `hermite_coefficient` with a symbolic n.

    Examples
    --------
    >>> identity = parseval("exp")
    >>> identity.lhs.doit() == identity.rhs == sp.exp(2)
    True
    """
    n = sp.Symbol("n", integer=True, nonnegative=True)
    coefficient = hermite_coefficient(activation, n, variance)
    total = I2(activation, variance, variance, variance)
    return sp.Eq(sp.Sum(coefficient**2, (n, 0, sp.oo)), total, evaluate=False)


@dataclass(frozen=True)
class HermiteSeries:
    """c_0, ..., c_order of an activation at one variance, and what they leave out.

    Attributes
    ----------
    coefficients : tuple of sympy.Expr
    total : sympy.Expr
        E[g(sqrt(q) z)^2].
    """

    coefficients: tuple[sp.Expr, ...]
    total: sp.Expr

    @property
    def order(self) -> int:
        """Largest n kept."""
        return len(self.coefficients) - 1

    @property
    def tail(self) -> sp.Expr:
        """sum_{n > order} c_n^2, exact by Parseval."""
        return self.total - sp.Add(*(c**2 for c in self.coefficients))

    def partial_sum(self, rho: Any) -> sp.Expr:
        """sum_{n <= order} c_n^2 rho^n, the series of E[g(a) g(b)] at equal variances."""
        rho = exact(rho, "rho")
        return sp.Add(*(c**2 * rho**n for n, c in enumerate(self.coefficients)))

    def bound(self, rho: Any) -> sp.Expr:
        """|rho|^(order+1) tail >= |E[g(a) g(b)] - partial_sum(rho)|, for |rho| <= 1."""
        return sp.Abs(exact(rho, "rho")) ** (self.order + 1) * self.tail


def hermite_series(activation: Any, order: int, variance: Any = 1) -> HermiteSeries:
    """The Hermite series up to n = order at variance q, with its exact tail.

    Raises
    ------
    ValueError
        If order is not an integer >= 0 or the variance is not positive.
    NoClosedForm
        If E[g^2] has no closed form, hence the tail none.

    Examples
    --------
    >>> hermite_series("He_3", 2).tail
    6
    """
    last = exact(order, "order")
    if not last.is_Integer or last < 0:
        raise ValueError(f"order must be an integer >= 0, found {order}")
    total = I2(activation, variance, variance, variance)
    coefficients = tuple(hermite_coefficient(activation, n, variance) for n in range(int(last) + 1))
    return HermiteSeries(coefficients, total)
