"""I2, I3, I4 and their kernels for any activation: the family is found, derived once and cached."""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy as sp

from theory.activations import Activation

from .covariance import PAIR, QUADRUPLE, as_covariance, quadruple_covariance
from .error_function import ErrorFunction
from .exponential_polynomial import ExponentialPolynomial
from .family import Family, NoClosedForm
from .homogeneous import Homogeneous

__all__ = ["I2", "I3", "I4", "I2_kernel", "I4_kernel", "family", "price", "stein"]

_FAMILIES: tuple[type[Family], ...] = (ExponentialPolynomial, ErrorFunction, Homogeneous)


def I2(activation: Any, Caa: Any, Cbb: Any, Cab: Any) -> sp.Expr:
    """E[g(a) g(b)] for centred Gaussian (a, b) (SS95, WR24).

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
    Caa, Cbb, Cab : numbers or SymPy expressions
        Variances and covariance.

    Raises
    ------
    ValueError
        If the covariance is not one (see `I3`).
    NoClosedForm
        If the activation belongs to no family with closed forms.

    Examples
    --------
    >>> I2("erf", 1, 1, sp.Rational(1, 2))
    2*asin(1/4)/pi
    >>> I2("He_3", 1, 1, sp.Symbol("rho"))
    6*rho**3
    """
    C = as_covariance([[Caa, Cab], [Cab, Cbb]], "ab")
    if C.is_diagonal() and 0 in C.diagonal():
        # A field of variance zero is the number zero, where the formula may be 0/0.
        return _mean(Activation(activation), C[0, 0]) * _mean(Activation(activation), C[1, 1])
    return _finite(I2_kernel(activation)(C[0, 0], C[1, 1], C[0, 1]), "E[g(a) g(b)]", activation)


def I3(activation: Any, C: Any) -> sp.Expr:
    """E[g'(a) b g(c)] by Stein's lemma, C_ab E[g''(a) g(c)] + C_bc E[g'(a) g'(c)] (SS95).

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
    C : matrix or nested sequence, shape (3, 3)
        Covariance of (a, b, c), numbers or symbols.

    Raises
    ------
    ValueError
        If C has the wrong shape, is not symmetric, is numeric and not positive semi-definite, or
        the average diverges at C.
    NoClosedForm
        If the activation belongs to no family with closed forms.

    Examples
    --------
    >>> I3("linear", [[1, 0, 0], [0, 1, sp.Rational(1, 3)], [0, sp.Rational(1, 3), 1]])
    1/3
    """
    C = as_covariance(C, "abc")
    pair = C[0, 0], C[2, 2], C[0, 2]
    # A vanishing covariance takes its term away, whatever the derivative is.
    through_a = 2 * C[0, 1] * stein(activation)(*pair) if C[0, 1] != 0 else sp.S.Zero
    through_c = C[1, 2] * price(activation)(*pair) if C[1, 2] != 0 else sp.S.Zero
    return _finite(through_a + through_c, "E[g'(a) b g(c)]", activation)


def I4(activation: Any, C: Any) -> sp.Expr:
    """E[g'(a) g'(b) g(c) g(d)] (SS95, YO19).

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
    C : matrix or nested sequence, shape (4, 4)
        Covariance of (a, b, c, d), numbers or symbols; degenerate cases (a = b, c = d) included.

    Raises
    ------
    ValueError
        If C has the wrong shape, is not symmetric, or is numeric and not positive semi-definite.
    NoClosedForm
        If the activation has no closed four-point average.

    Examples
    --------
    >>> I4("erf", sp.eye(4) + sp.ones(4))
    sqrt(2)*asin(1/5)/pi**2
    """
    C = as_covariance(C, "abcd")
    arguments = [C[i, i] for i in range(4)] + [C[i, j] for i in range(4) for j in range(i + 1, 4)]
    return _finite(I4_kernel(activation)(*arguments), "E[g'(a) g'(b) g(c) g(d)]", activation)


def I2_kernel(activation: Any) -> sp.Lambda:
    """(C_aa, C_bb, C_ab) -> E[g(a) g(b)] as a SymPy Lambda."""
    return _pair_kernels(Activation(activation))[0]


def price(activation: Any) -> sp.Lambda:
    """(C_aa, C_bb, C_ab) -> E[g'(a) g'(b)] = dI2/dC_ab as a SymPy Lambda (Price's theorem)."""
    return _pair_kernels(Activation(activation))[1]


def stein(activation: Any) -> sp.Lambda:
    """(C_aa, C_bb, C_ab) -> E[g''(a) g(b)]/2 = dI2/dC_aa as a SymPy Lambda."""
    return _pair_kernels(Activation(activation))[2]


def I4_kernel(activation: Any) -> sp.Lambda:
    """(C_aa, C_bb, C_cc, C_dd, C_ab, C_ac, C_ad, C_bc, C_bd, C_cd) -> E[g'(a) g'(b) g(c) g(d)].

    Raises
    ------
    NoClosedForm
        If the activation has no closed four-point average.
    """
    return _quadruple_kernel(Activation(activation))


@cache
def family(activation: Activation) -> Family:
    """The family of activations with closed forms that `activation` belongs to.

    Raises
    ------
    NoClosedForm
        If there is none.
    """
    for kind in _FAMILIES:
        member = kind.recognise(activation)
        if member is not None:
            return member
    raise NoClosedForm(
        f"the Gaussian averages of g(x) = {activation.expr} have no closed form here (it is none "
        "of A + B erf(k x), polynomials times exp(s x), x^m (p + q sign x)): compute them with "
        "numerics.quadrature"
    )


@cache
def _pair_kernels(activation: Activation) -> tuple[sp.Lambda, sp.Lambda, sp.Lambda]:
    member = family(activation)
    return (
        sp.Lambda(PAIR, member.I2(*PAIR)),
        sp.Lambda(PAIR, member.price(*PAIR)),
        sp.Lambda(PAIR, member.stein(*PAIR)),
    )


@cache
def _quadruple_kernel(activation: Activation) -> sp.Lambda:
    average = family(activation).I4(quadruple_covariance())
    if average is None:
        raise NoClosedForm(
            f"E[g'(a) g'(b) g(c) g(d)] of {activation.name} has no closed form: compute it with "
            "numerics.quadrature"
        )
    return sp.Lambda(QUADRUPLE, average)


def _mean(activation: Activation, variance: sp.Expr) -> sp.Expr:
    """E[g(a)], Var a = variance >= 0."""
    if variance == 0:
        return activation(0)
    return family(activation).derivative_mean(sp.S.Zero, variance)


def _finite(value: sp.Expr, average: str, activation: Any) -> sp.Expr:
    """Refuse what a singular point of the formula made of it."""
    if value.has(sp.nan, sp.zoo, sp.oo, -sp.oo) or value.is_real is False:
        raise ValueError(
            f"{average} of {Activation(activation)} is not finite at this covariance: a field has "
            "variance zero, or two fields coincide where the average diverges; change C"
        )
    return value
