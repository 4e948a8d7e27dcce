r"""The eigenvalue law of random features y^p: counts of the spectrum as d -> oo, inverted (PXZ26).

Mathematics
    Let N(X) be the number of eigenvalues of the limit d -> oo (`theory.chaos_spectrum`, v = oo)
    that are at least p!^2 X^-a. Its blocks |S| = p count the sets of p distinct indices with
    product <= X, the blocks |S| = p - 2 those with products of p - 2 indices and x_k^2:

        p = 1:  N = X - 1/2
        p = 2:  N = D_2(X) + sqrt(X) + 1/a - 1/2
        p = 3:  N = D_3(X) + kappa X + zeta(1/2) sqrt(X)
        p = 4:  N = D_4(X) + X [kappa (log X - 1 + 2 gamma)/2 + kappa'/2 + Delta kappa]

    with D_p in `theory.product_counts` and the constants in `theory.block_sums`; p = 4 leaves out
    O(sqrt(X) log X). lam_j = p!^2 X^-a where N(X) = j - 1/2. To leading order

        lam_j ~ C (log^(p-1) j/j)^a,   C = p!^2/(p! (p - 1)!)^a.

    For finitely many features and p = 1, first order perturbation of H^(1/2) W W^T H^(1/2)/d gives
    E lam_j(K)/lam_j = 1 + (1/d) sum_{i != j} lam_i/(lam_j - lam_i), a sum that Euler and Maclaurin
    do in closed form.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy as sp

from .asymptotics import AsymptoticLaw, Regime, Root
from .block_sums import BlockExcess, BlockSlope, BlockSum
from .product_counts import X, count_exponent, counting_law
from .random_features import as_degree, as_exponent

__all__ = [
    "FORMS",
    "eigenvalue_law",
    "finite_features_law",
    "leading_constant",
    "spectral_count_law",
]

FORMS = ("leading", "lambert", "inversion")
LARGEST_DEGREE = 4

j, d = sp.symbols("j d", positive=True)
log_X = sp.Symbol("log_X", positive=True)
K_j, lam_j = sp.Symbol("lambda_j(K)", positive=True), sp.Symbol("lambda_j", positive=True)


@cache
def spectral_count_law(a: Any, p: Any) -> AsymptoticLaw:
    """N(X), the number of eigenvalues p!^2 X^-a and larger as d, v -> oo (PXZ26).

    Parameters
    ----------
    a : exact number > 1
    p : int from 1 to 4

    Raises
    ------
    ValueError, TypeError
        If a <= 1, or p is not 1, 2, 3 or 4.

    Examples
    --------
    >>> spectral_count_law(2, 2).expr
    sqrt(X)/2 + X*(log(X)/2 - 1/2 + EulerGamma) + 3/8
    """
    exponent, degree = as_exponent(a), _low_degree(p)
    lower = {
        1: sp.S.Zero,
        2: sp.sqrt(X) + 1 / exponent - sp.S.Half,
        3: BlockSum(exponent) * X + sp.zeta(sp.S.Half) * sp.sqrt(X),
        4: X
        * (
            BlockSum(exponent) * (sp.log(X) - 1 + 2 * sp.EulerGamma) / 2
            + BlockSlope(exponent) / 2
            + BlockExcess(exponent)
        ),
    }
    return AsymptoticLaw(
        expr=counting_law("distinct", degree).expr + lower[degree],
        variable=X,
        regime=Regime(r"$d = v = \infty,\ X \gg 1$", (X > 1,)),
        exponent=sp.S.One if degree == 1 else None,
        error=X ** (count_exponent(degree) - 1),
        quantity=sp.Function(f"N_{degree}")(X),
    )


def eigenvalue_law(a: Any, p: Any, form: str = "inversion") -> AsymptoticLaw:
    """lam_j of random features y^p as d, v -> oo (PXZ26).

    Parameters
    ----------
    a : exact number > 1
    p : int from 1 to 4
    form : {"leading", "lambert", "inversion"}
        C (log^(p-1) j/j)^a; for p = 2 the inverse of X (log X - 1 + 2 gamma)/2; the inverse of all
        residues at j - 1/2.

    Returns
    -------
    AsymptoticLaw
        In j. Its error is a bound from j = 1000 on, as far as has been measured (j = 100 000).

    Raises
    ------
    ValueError, TypeError
        If a <= 1, p is not 1, 2, 3 or 4, or there is no such form.

    Examples
    --------
    >>> [float(f'{float(eigenvalue_law(2, 2, form)(10**4)):.4g}') for form in FORMS]
    [8.483e-07, 6.37e-07, 6.399e-07]
    """
    exponent, degree = as_exponent(a), _low_degree(p)
    if form not in FORMS:
        raise ValueError(f"eigenvalue_law: form must be one of {FORMS}, found {form!r}")
    if form == "lambert" and degree != 2:
        raise ValueError(f"eigenvalue_law: the form 'lambert' is for p = 2, found p = {degree}")
    return {"leading": _leading, "lambert": _lambert, "inversion": _inversion}[form](
        exponent, degree
    )


def _low_degree(p: Any) -> int:
    degree = as_degree(p)
    if degree > LARGEST_DEGREE:
        raise ValueError(f"the spectral law is for p up to {LARGEST_DEGREE}, found p = {p}")
    return degree


def _law(p: int, expr: sp.Expr, error: sp.Expr, exponent: sp.Expr | None, *roots: Root) -> Any:
    return AsymptoticLaw(
        expr=sp.factorial(p) ** 2 * expr,
        variable=j,
        regime=Regime(r"$d = v = \infty,\ j \gg 1$", (j > 10,)),
        exponent=exponent,
        error=error,
        quantity=lam_j,
        constants=roots,
    )


def leading_constant(a: Any, p: Any) -> sp.Expr:
    """C = p!^2/(p! (p - 1)!)^a, the limit of lam_j (j/log^(p-1) j)^a (PXZ26).

    Raises
    ------
    ValueError, TypeError
        If a <= 1, or p is no positive integer.
    """
    exponent, degree = as_exponent(a), as_degree(p)
    size = sp.factorial(degree) * sp.factorial(degree - 1)
    return sp.factorial(degree) ** 2 / size**exponent


def _leading(a: sp.Expr, p: int) -> Any:
    # log X = log j - (p - 1) log log j + ..., to the power p - 1.
    error = a * (p - 1) ** 2 * sp.log(sp.log(j)) / sp.log(j)
    shape = (sp.log(j) ** (p - 1) / j) ** a
    constant = leading_constant(a, p) / sp.factorial(p) ** 2
    return _law(p, constant * shape, error, -a if p == 1 else None)


def _lambert(a: sp.Expr, p: int) -> Any:
    doubled = 2 * j - 1
    w = sp.LambertW(doubled * sp.exp(2 * sp.EulerGamma - 1))
    inverse = w / doubled  # 1/X
    # Left out are sqrt(X)/2, of X (w + 1)/2 for a change of log X, and what oscillates.
    error = a * (sp.sqrt(inverse) / w + inverse ** (1 - count_exponent(p)))
    return _law(p, inverse**a, error, None)


def _inversion(a: sp.Expr, p: int) -> Any:
    counted = spectral_count_law(a, p).expr.subs(X, sp.exp(log_X))
    root = Root(log_X, counted - j + sp.S.Half, sp.S.Zero, sp.Integer(10**4))
    error = 0 if p == 1 else a * sp.exp((count_exponent(p) - 1) * log_X)
    return _law(p, sp.exp(-a * log_X), sp.sympify(error), -a if p == 1 else None, root)


def finite_features_law(a: Any) -> AsymptoticLaw:
    r"""E lam_j(K)/lam_j for p = 1 and d features: 1 + (1 - 1/(2a) - j (pi/a) cot(pi/a))/d.

    First order in 1/d, with sum_{i != j} 1/((i/j)^a - 1) by Euler and Maclaurin, which leaves out
    zeta(-a) j^-a/d. A law in d, with the rank j as a parameter.

    Parameters
    ----------
    a : exact number > 1

    Raises
    ------
    ValueError, TypeError
        If a <= 1.

    Examples
    --------
    >>> finite_features_law(2).expr
    1 + 3/(4*d)
    """
    exponent = as_exponent(a)
    inner = 1 - 1 / (2 * exponent) - j * sp.pi / exponent * sp.cot(sp.pi / exponent)
    return AsymptoticLaw(
        expr=1 + inner / d,
        variable=d,
        regime=Regime(r"$1 \ll j \ll d$", (j > 1, j < d)),
        exponent=sp.S.Zero,
        error=(j / d) ** 2 + j**-exponent / d,
        quantity=K_j / lam_j,
    )
