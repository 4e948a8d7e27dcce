r"""Random features: the exact covariance for given weights, its chaos orders and its trace.

Summary
    Inputs x ~ N(0, H), features f(w_1.x), ..., f(w_d.x) with weights w_i in R^v. The population
    covariance of the features,

        K_ij = E_x[f(w_i.x) f(w_j.x)]/d,

    is a function of the Gram matrix alone: with A = w_i.H w_i, B = w_j.H w_j, C = w_i.H w_j it is
    the Gaussian average E[f(a) f(b)] of two fields with these covariances.

Main results
    random_feature_covariance(f) : E[f(a) f(b)] in the symbols A, B, C.
    wick_coefficient(p, k) : c_k, in E[a^p b^p] = sum_k c_k^2 q! C^q (A B)^k, q = p - 2k.
    expected_trace(p, a, v) : E_W tr K, for every d.

References
    [PXZ26] Paquette, Xiao & Zhu, arXiv:2603.14578.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from .activations import Activation, X
from .asymptotics import Harmonic
from .exact import count, exact
from .gaussian import I2

__all__ = [
    "A",
    "B",
    "C",
    "as_activation",
    "as_degree",
    "as_exponent",
    "as_inputs",
    "expected_trace",
    "power_sum",
    "quadratic_form_moment",
    "random_feature_covariance",
    "wick_coefficient",
]

A, B = sp.symbols("A B", positive=True)
C = sp.Symbol("C", real=True)


def as_degree(p: Any) -> int:
    """The degree of a monomial feature y^p, a positive integer.

    Raises
    ------
    ValueError, TypeError
        If it is none.
    """
    degree = count(p, "random features: the degree p")
    if not degree.is_Integer:
        raise ValueError(f"random features: the degree p must be an integer, found {p}")
    return int(degree)


def as_exponent(a: Any) -> sp.Expr:
    """The exponent of lam_j(H) = j^-a, exact and larger than one.

    Raises
    ------
    ValueError, TypeError
        If a <= 1, where tr H grows without bound, or it is no number.
    """
    exponent = exact(a, "random features: the exponent a")
    if not exponent.is_number or not exponent > 1:
        raise ValueError(
            f"random features: the exponent a of lam_j = j^-a must be a number > 1, found {a}: for "
            "a <= 1 the trace of H diverges with v (H is not trace class) and there is no limit"
        )
    return exponent


def as_inputs(v: Any) -> sp.Expr:
    """The input dimension v, a positive integer or oo (also the string "oo")."""
    if v is sp.oo or (isinstance(v, str) and v.strip() == "oo"):
        return sp.oo
    number = count(v, "random features: the input dimension v")
    if not number.is_Integer:
        raise ValueError(f"random features: v must be an integer or oo, found {v}")
    return number


def as_activation(feature: Any) -> Activation:
    """The feature map f: an integer p stands for y^p, anything else is an activation.

    Raises
    ------
    ValueError, TypeError
        If it is neither.
    """
    if isinstance(feature, Activation | str) or (
        isinstance(feature, sp.Expr) and not feature.is_number
    ):
        return Activation(feature)
    return Activation(X ** as_degree(feature))


def random_feature_covariance(feature: Any) -> sp.Expr:
    """E[f(a) f(b)] for Var a = A, Var b = B, Cov(a, b) = C, exact (PXZ26).

    d K_ij is its value at the entries (i, i), (j, j), (i, j) of W^T H W.

    Parameters
    ----------
    feature : int, str, sympy.Expr or Activation
        A degree p, for f(y) = y^p, or an activation.

    Raises
    ------
    ValueError, TypeError
        If `feature` is neither.
    NoClosedForm
        If the activation has no closed form (tanh, GELU): integrate it numerically.

    Examples
    --------
    >>> random_feature_covariance(3)
    9*A*B*C + 6*C**3
    >>> random_feature_covariance("erf")
    2*asin(C/(sqrt(A + 1)*sqrt(B + 1)))/pi
    """
    activation = as_activation(feature)
    average = I2(activation, A, B, C)
    return sp.expand(average) if activation.expr.is_polynomial(X) else average


def wick_coefficient(p: Any, k: Any) -> sp.Expr:
    """c_k = p!/(2^k k! (p - 2k)!): the ways to pair 2k of p fields among themselves.

    y^p = sum_k c_k Var(y)^k :y^(p-2k):, and chaos orders are orthogonal, hence
    E[a^p b^p] = sum_k c_k^2 q! C^q (A B)^k with q = p - 2k (PXZ26).
    """
    return sp.factorial(p) / (2**k * sp.factorial(k) * sp.factorial(p - 2 * k))


def power_sum(a: sp.Expr, v: sp.Expr, n: Any = 1) -> sp.Expr:
    """Tr H^n = sum_{j<=v} j^(-a n)."""
    return sp.zeta(a * n) if v is sp.oo else Harmonic(v, a * n)


def quadratic_form_moment(n: int, trace: Callable[[int], sp.Expr]) -> sp.Expr:
    """E[(w.H w)^n], w ~ N(0, 1), from trace(m) = tr H^m.

    The cumulants are 2^(m-1) (m-1)! tr H^m.
    """
    moments = [sp.S.One]
    for order in range(1, n + 1):
        moments.append(
            sp.Add(
                *(
                    sp.binomial(order - 1, m - 1)
                    * 2 ** (m - 1)
                    * sp.factorial(m - 1)
                    * trace(m)
                    * moments[order - m]
                    for m in range(1, order + 1)
                )
            )
        )
    return sp.expand(moments[n])


def expected_trace(p: Any, a: Any, v: Any = sp.oo) -> sp.Expr:
    """E_W tr K = (2p - 1)!! E[(w.H w)^p] for f(y) = y^p, lam_j(H) = j^-a, any d (PXZ26).

    Raises
    ------
    ValueError, TypeError
        If p is no positive integer, a <= 1, or v neither a positive integer nor oo.

    Examples
    --------
    >>> expected_trace(2, 2)
    3*pi**4/20
    """
    degree, exponent, inputs = as_degree(p), as_exponent(a), as_inputs(v)
    moment = quadratic_form_moment(degree, lambda n: power_sum(exponent, inputs, n))
    return sp.factorial2(2 * degree - 1) * moment
