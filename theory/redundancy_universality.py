r"""How universal the redundancy law is: other bases, mixtures of data, finite width.

Summary
    A bounded invertible change of features keeps the decay of the spectrum (Ostrowski) but the
    smoothness of the target only up to s = 1/2 (Heinz). A mixture of blocks follows its worst
    block. Random features of width m leave a floor, and need a width that grows with n.

Main results (a = 1/beta)
    mapped_smoothness : A = 1 + x x^T, x_i = i^(-1/2-delta), has min(s, 1/2 + delta/beta);
    mixture_exponent : 2s/(2s + 1/beta) with the smallest s and the smallest beta of all blocks;
    floor_law : m features, n = infinity: kappa = (C_1/m)^beta and sum_i theta_i^2 kappa/(lam_i +
        kappa) ~ Gamma(2s) Gamma(1 - 2s) kappa^(2s)/beta; ~ kappa for s > 1/2: the floor falls as
        m^(-beta min(2s, 1));
    width_exponent : m ~ n^((max(2s, 1) - 1 + a)/(2s + a)) keeps the law, s <= 1.

References
    [BC25] Bi & Calhoun, arXiv:2509.20721 (the claims); A. Rudi & L. Rosasco, NeurIPS 2017 (width);
    R. A. Horn & C. R. Johnson, Matrix Analysis, theorem 4.5.9 (Ostrowski); E. Heinz, Math. Ann.
    123, 415 (1951).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from .asymptotics import AsymptoticLaw, Regime
from .exact import positive, sequence
from .redundancy import KernelRegression
from .spectral_filters import RIDGE

__all__ = ["floor_law", "mapped_smoothness", "mixture_exponent", "width", "width_exponent"]

width = sp.Symbol("m", positive=True)
"""Number of random features."""


def mapped_smoothness(problem: KernelRegression, delta: Any) -> sp.Expr:
    """The s of the target after the features are mapped by 1 + x x^T, x_i = i^(-1/2-delta).

    Along x the target gets coefficients like those of x: s = 1/2 + delta/beta at most.
    """
    return sp.Min(problem.s, sp.Rational(1, 2) + positive(delta, "delta") / problem.beta)


def mixture_exponent(problems: Sequence[KernelRegression]) -> sp.Expr:
    """The exponent of a mixture of orthogonal blocks, whatever their (positive) weights.

    Bias is the largest of the blocks' biases (smallest s), variance that of the slowest spectrum
    (smallest beta); the two may be different blocks.

    Raises
    ------
    ValueError
        If there is no block, or their filters differ.
    """
    blocks = sequence(problems, "problems")
    if not blocks or len({block.filter for block in blocks}) > 1:
        raise ValueError(
            f"a mixture needs one block or more with the same filter, found {len(blocks)} blocks"
        )
    slowest = sp.Min(*(block.beta for block in blocks))
    roughest = sp.Min(*(block.s for block in blocks))
    return blocks[0].replace(beta=slowest, s=roughest).exponent


def floor_law(problem: KernelRegression) -> AsymptoticLaw:
    """The excess risk of m random features with as many samples as one wants, no ridge.

    Raises
    ------
    ValueError
        If s is a symbol: the law is another one below, at and above s = 1/2.
    """
    beta, s, a = problem.beta, problem.s, problem.a
    if not s.is_number:
        raise ValueError(f"floor_law needs a number s, found {s}: the law changes at s = 1/2")
    scale = (a * sp.pi / sp.sin(sp.pi * a) / width) ** beta
    half = sp.Rational(1, 2)
    if s == half:
        expr, error = scale * (sp.log(1 / scale) / beta + sp.EulerGamma), scale + 1 / width
    elif s < half:
        expr = sp.gamma(2 * s) * sp.gamma(1 - 2 * s) / beta * scale ** (2 * s)
        error = scale ** (1 - 2 * s) + 1 / width
    else:
        expr = sp.zeta(1 + beta * (2 * s - 1)) * scale
        error = scale ** sp.Min(1, 2 * s - 1) + 1 / width
    return AsymptoticLaw(
        expr=expr,
        variable=width,
        regime=Regime(r"$m \gg 1,\ n = \infty$", (width > 1, scale < 1)),
        exponent=None if s == half else -beta * sp.Min(2 * s, 1),
        error=error,
        quantity=sp.Symbol("E_infty", positive=True),
    )


def width_exponent(problem: KernelRegression) -> sp.Expr:
    """The x in m ~ n^x, the width that keeps the law of ridge regression at its best ridge.

    At kappa ~ n^(-1/(2s + a)) random features add kappa N_1 sum_i theta_i^2 lam_i/(lam_i + kappa)^2
    /m to the bias, of order kappa^(min(2s, 1) - a)/m.

    Raises
    ------
    ValueError
        If the filter is not ridge.
    """
    if problem.filter != RIDGE:
        raise ValueError(
            f"width_exponent is known for ridge regression, found {problem.filter.name}"
        )
    p, a = problem.bias_exponent, problem.a
    return (sp.Max(p, 1) - 1 + a) / (p + a)
