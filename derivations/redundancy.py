"""Redundancy laws: bias, effective dimensions, saturation, the best ridge, and what surrounds it.

The formulas printed are those of `theory.redundancy`, `theory.redundancy_crossover` and
`theory.redundancy_universality`; they are confronted with the sums and integrals they stand for.
"""

from __future__ import annotations

from typing import Any

import mpmath as mp
import sympy as sp

from theory.derivation import Assumed, Derivation, Numeric, Step, Symbolic, equation
from theory.redundancy import KernelRegression, bias_law, effective_dimension_law
from theory.spectral_filters import FLOW, RIDGE, SpectralFilter

from .redundancy_optimum import crossover_steps, gamma_n, neighbour_steps, optimum_steps
from .redundancy_symbols import N1, beta, i, integral, kappa, n, points, q, ridge, s

__all__ = ["build"]

N2, V_q, V_oo, bias, B_log = sp.symbols("N_2 V_q V_oo bias B_log", positive=True)
k = sp.Symbol("k", integer=True, positive=True)
FEW = (sp.S.One, sp.Rational(1, 3), sp.Rational(1, 10))


def _equivalent_steps() -> list[Step]:
    lam = sp.Symbol("lambda_i", positive=True)
    share, dimension = lam / (lam + kappa), sp.Function("N_1")
    few = [e / (e + kappa) for e in FEW]
    return [
        Step(
            r"Fit $n$ samples by minimising $\frac1n |y - f|^2 + \lambda |f|^2$. The random kernel "
            r"matrix acts like its population with a ridge $\kappa$ that contains the effective "
            r"dimension $N_1 = \sum_i \lambda_i/(\lambda_i + \kappa)$:",
            equation(n * kappa, kappa * N1 + n * ridge),
            "The deterministic equivalent, held against simulations in units of their standard "
            r"errors. The excess risk is $(\mathrm{bias} + \sigma^2)\,\partial\kappa/\partial"
            r"\lambda - \sigma^2$ with $\mathrm{bias} = \kappa^2 \sum_i \theta_i^2/(\lambda_i + "
            r"\kappa)^2$.",
            Assumed("CLKZ21, section 3"),
        ),
        Step(
            r"The derivative brings in a second dimension, $N_2 = \sum_i (\lambda_i/(\lambda_i + "
            r"\kappa))^2$; of one mode,",
            equation(kappa * sp.Derivative(share, kappa), share**2 - share),
            "Differentiate.",
            Symbolic(),
        ),
        Step(
            r"so that $\partial\lambda/\partial\kappa$ is",
            equation(sp.Derivative(kappa * (1 - dimension(kappa) / n), kappa), 1 - N2 / n),
            "Differentiate the ridge. Checked for three modes.",
            Symbolic({dimension: sp.Lambda(kappa, sum(few)), N2: sum(f**2 for f in few)}),
        ),
    ]


def _dimension_steps() -> list[Step]:
    first, second = (effective_dimension_law(beta, m) for m in (1, 2))
    left = 1 / (1 + kappa * i**beta)
    written = sp.pi / (beta * sp.sin(sp.pi / beta)) * kappa ** (-1 / beta)
    exact = first.expr.subs(beta, 2) * sp.coth(sp.pi / sp.sqrt(kappa)) - sp.Rational(1, 2)
    return [
        Step(
            r"For $\lambda_i = i^{-\beta}$ and small $\kappa$ sums are integrals,",
            (equation(N1, first.expr), equation(N1, written)),
            r"$\int_0^\infty di/(1 + \kappa i^\beta)$ by Euler; $\Gamma$'s reflection.",
            Numeric({N1: integral(left)}, points()),
        ),
        Step(
            "and",
            (equation(N2, second.expr), equation(N2, (1 - 1 / beta) * written)),
            r"$\int_0^\infty di/(1 + \kappa i^\beta)^2$.",
            Numeric({N2: integral(left**2)}, points()),
        ),
        Step(
            r"The sum lies $-\zeta(0)$ below the integral, up to terms that vanish with $\kappa$; "
            r"for $\beta = 2$ it has a closed form:",
            equation(sp.Sum(1 / (1 + kappa * k**2), (k, 1, sp.oo)), exact),
            "The poles of the cotangent.",
            Numeric(points=[{kappa: sp.Rational(1, m)} for m in (2, 3, 7)]),
        ),
    ]


def _bias_steps() -> list[Step]:
    problem = KernelRegression(beta, s)
    target, x = i ** -(2 * s * beta + 1), i**-beta / kappa
    many = SpectralFilter(q)
    orders = points(q=(2, 3, 5))
    return [
        Step(
            r"With $\theta_i^2 = i^{-2s\beta - 1}$, for $s < 1$, the bias is",
            equation(bias, bias_law(problem).expr),
            r"$\int_0^\infty \theta_i^2 (1 + \lambda_i/\kappa)^{-2} di$.",
            Numeric({bias: integral(target * RIDGE.residual(x) ** 2)}, points()),
        ),
        Step(
            r"A filter of $q$ implicit Euler steps of gradient flow leaves $(1 + \lambda_i/"
            r"(q\kappa))^{-q}$ of a mode; one step is ridge, $q$ steps iterated Tikhonov. Its bias "
            r"is, for $s < q$,",
            equation(bias, bias_law(problem.replace(filter=many)).expr),
            "Euler's integral again.",
            Numeric({bias: integral(target * many.residual(x) ** 2)}, orders),
        ),
        Step(
            r"and for $q \to \infty$, gradient flow for a time $1/\kappa$, at every $s$",
            equation(bias, bias_law(problem.replace(filter=FLOW)).expr),
            r"$\int_0^\infty \theta_i^2 e^{-2\lambda_i/\kappa} di$.",
            Numeric({bias: integral(target * FLOW.residual(x) ** 2)}, points()),
        ),
        *_variance_steps(many, x),
        *_saturation_steps(many),
    ]


def _variance_steps(many: SpectralFilter, x: sp.Expr) -> list[Step]:
    law = KernelRegression(beta, s)
    size = kappa ** (-1 / beta)
    return [
        Step(
            r"The variance is $\sigma^2/n$ times",
            equation(V_q, law.replace(filter=many).variance_constant * size),
            r"$\int_0^\infty (1 - (1 + \lambda_i/(q\kappa))^{-q})^2 di$; $N_2$ for $q = 1$.",
            Numeric({V_q: integral((1 - many.residual(x)) ** 2)}, points(q=(2, 3, 5))),
        ),
        Step(
            "and in gradient flow",
            equation(V_oo, law.replace(filter=FLOW).variance_constant * size),
            r"$\int_0^\infty (1 - e^{-\lambda_i/\kappa})^2 di$.",
            Numeric({V_oo: integral((1 - FLOW.residual(x)) ** 2)}, points()),
        ),
    ]


def _saturation_steps(many: SpectralFilter) -> list[Step]:
    border = KernelRegression(beta, q, filter=many)
    tail = sp.Sum(k ** (-1 - 2 * beta * (s - q)), (k, 1, sp.oo))
    return [
        Step(
            r"At $s = q$ the integral diverges at small $i$: the sum has a double pole in its "
            "Mellin transform and the bias a logarithm,",
            equation(B_log, bias_law(border).expr),
            r"The residue at $z = 0$ of $(q\kappa)^{2q - z}\,\Gamma(z)\Gamma(2q - z)\,"
            r"\zeta(1 + \beta z)/\Gamma(2q)$, by the integral around it.",
            Numeric(points=points(q=(1, 2, 3)), evaluate=_residue),
        ),
        Step(
            r"Beyond it the filter saturates: bias is $(q\kappa)^{2q}$ times",
            equation(tail, sp.zeta(1 + 2 * beta * (s - q))),
            r"$\theta_i^2 (q\kappa/\lambda_i)^{2q}$ summed over all $i$: no more of the "
            "smoothness of the target is seen.",
            Numeric(points=points(q=(1, 2, 3), s=(2, 3, 4))),
        ),
    ]


def _residue(point: dict[sp.Basic, Any]) -> mp.mpf:
    """Mean of z f(z) over a circle around 0 inside the next pole, by the trapezoidal rule."""
    order, slope, scale = (mp.mpf(sp.N(point[v], mp.mp.dps)) for v in (q, beta, kappa))
    # In the upper half plane: the lower one is its conjugate. The next pole lies at |z| = 1.
    number, total = 2 * mp.mp.dps, mp.mpf(0)
    for m in range(number):
        z = mp.expjpi(mp.mpf(2 * m + 1) / (2 * number)) / 2
        gammas = mp.gamma(z) * mp.gamma(2 * order - z) / mp.gamma(2 * order)
        power = (order * scale) ** (2 * order - z)
        total += mp.re(z * power * gammas * mp.zeta(1 + slope * z))
    return total / number


def build() -> Derivation:
    """Derivation of the redundancy law (BC25), of its saturation and of its neighbours."""
    return Derivation(
        name="redundancy",
        title="Redundancy laws of kernel regression",
        summary=r"Eigenvalues $i^{-\beta}$ and a target of smoothness $s$ give the learning curve "
        r"$n^{-2s/(2s + 1/\beta)}$ of the best ridge, with its constant. Ridge regression sees no "
        r"more than $s = 1$, with a logarithm there; gradient flow sees every $s$. Little noise, "
        "few features and other bases change the law, each in its own way.",
        steps=(
            *_equivalent_steps(),
            *_dimension_steps(),
            *_bias_steps(),
            *optimum_steps(),
            *crossover_steps(),
            *neighbour_steps(),
        ),
        sources=(
            "BC25",
            "CLKZ21: Cui, Loureiro, Krzakala & Zdeborova, Generalization error rates in kernel "
            "regression, NeurIPS 2021",
            "WR24",
        ),
        notation=(
            (kappa, r"regularisation as the population sees it; $1/\kappa$ is a time in flows"),
            (n, r"number of samples; $\sigma^2$ the variance of their noise"),
            (s, r"smoothness of the target, $\theta_i^2 = i^{-2s\beta - 1}$"),
            (q, r"order of the filter, its qualification"),
            (gamma_n, r"$d\log E/d\log n$"),
        ),
    )
