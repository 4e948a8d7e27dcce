r"""Kernel ridge regression between no noise and much noise, in one law.

Summary
    For n -> infinity with kappa n^beta fixed the deterministic equivalent has one variable left,
    the share t = N_1(kappa)/n of the samples that the ridge leaves to the fit. Its minimum is the
    noiseless law n^(-2 s beta), the classical law n^(-2s/(2s + 1/beta)), and all between.

Main results (a = 1/beta, c = 1 - a, p = 2 min(s, 1), r = B (C_1/n)^(p beta), C_1 = pi a/sin(pi a))
    excess = (r t^(-p beta) + sigma^2 c t)/(1 - c t), kappa = (C_1/(n t))^beta, 0 < t <= 1;
    t = 1, no ridge: beta r + (beta - 1) sigma^2, the best ridge as long as sigma^2 c <= r (p - c);
    best t otherwise: r (c (1 + p beta) t - p beta) + sigma^2 c t^(p beta + 1) = 0;
    no noise: t = min(1, p beta/(c (1 + p beta))): for p < c a ridge helps although there is no
        noise, since what is not learned acts as noise.

References
    [BC25] Bi & Calhoun, arXiv:2509.20721 (many samples); H. Cui et al., NeurIPS 2021 (crossover).
"""

from __future__ import annotations

import sympy as sp

from .asymptotics import AsymptoticLaw, Regime, Root
from .redundancy import KernelRegression, excess, samples
from .spectral_filters import RIDGE

__all__ = [
    "crossover_risk_law",
    "crossover_samples",
    "interpolating_samples",
    "noiseless_risk_law",
    "ridgeless_risk_law",
    "share",
]

share = sp.Symbol("t", positive=True)
"""N_1(kappa)/n."""


class _Scaling:
    """A problem of ridge regression in the quantities of the crossover."""

    def __init__(self, problem: KernelRegression) -> None:
        if problem.filter != RIDGE:
            raise ValueError(
                f"the crossover is known for ridge regression, found {problem.filter.name}"
            )
        beta = problem.beta
        self.problem, self.p, self.c = problem, problem.bias_exponent, 1 - problem.a
        self.power = self.p * beta
        self.reach = problem.a * sp.pi / sp.sin(sp.pi * problem.a)
        self.bias = problem.bias_constant * (self.reach / samples) ** self.power

    def risk(self, t: sp.Expr) -> sp.Expr:
        """(r t^-p beta + sigma^2 c t)/(1 - c t)."""
        variance = self.problem.noise * self.c * t
        return (self.bias * t**-self.power + variance) / (1 - self.c * t)

    def error(self, t: sp.Expr) -> sp.Expr:
        """The constant of N_1, and what the bias leaves out, at kappa = (C_1/(n t))^beta."""
        scale = (self.reach / (samples * t)) ** self.problem.beta
        return scale**self.problem.a + self.problem.bias_corrections(scale)

    def law(
        self, t: sp.Expr, regime: Regime, exponent: sp.Expr | None, constants: tuple[Root, ...] = ()
    ) -> AsymptoticLaw:
        return AsymptoticLaw(
            self.risk(t), samples, regime, exponent, self.error(t), excess, constants
        )


def crossover_risk_law(problem: KernelRegression) -> AsymptoticLaw:
    """The excess risk at the best ridge, where that is positive, for any strength of noise.

    Raises
    ------
    ValueError
        If the filter is not ridge, there is no noise, or s = 1.

    Examples
    --------
    >>> law = crossover_risk_law(KernelRegression(2, "1/2", noise="1/100"))
    >>> round(float(law.local_exponent(20)), 3), round(float(law.local_exponent(10**9)), 3)
    (-1.105, -0.667)
    """
    scaling, noise = _Scaling(problem), problem.noise
    if noise == 0:
        raise ValueError("crossover_risk_law needs noise > 0; use noiseless_risk_law")
    c, r, power = scaling.c, scaling.bias, scaling.power
    # At the minimum dE/dt = 0, so that t may be held fixed in the local exponent.
    flat = r * (c * (1 + power) * share - power) + noise * c * share ** (power + 1)
    root = Root(share, flat, sp.Rational(1, 10**40), 1 / c)
    regime = problem.regime(r"n \gg 1,\ t < 1", samples > 1, share < 1)
    return scaling.law(share, regime, None, (root,))


def ridgeless_risk_law(problem: KernelRegression) -> AsymptoticLaw:
    """The excess risk without ridge, beta r + (beta - 1) sigma^2: interpolation keeps the noise."""
    scaling = _Scaling(problem)
    exponent = -scaling.power if problem.noise == 0 else None
    return scaling.law(sp.S.One, problem.regime(r"n \gg 1", samples > 1), exponent)


def noiseless_risk_law(problem: KernelRegression) -> AsymptoticLaw:
    """The excess risk without noise at the best ridge, n^(-2 min(s, 1) beta).

    The noise of the problem is set to zero.
    """
    scaling = _Scaling(problem.replace(noise=0))
    best = sp.Min(1, scaling.power / (scaling.c * (1 + scaling.power)))
    return scaling.law(best, problem.regime(r"n \gg 1", samples > 1), -scaling.power)


def crossover_samples(problem: KernelRegression) -> sp.Expr:
    """The n at which r = sigma^2: from n^(-2 s beta) below to n^(-2s/(2s + 1/beta)) above."""
    scaling = _Scaling(problem)
    return scaling.reach * (problem.bias_constant / problem.noise) ** (1 / scaling.power)


def interpolating_samples(problem: KernelRegression) -> sp.Expr:
    """The n up to which no ridge is the best ridge; 0 if p <= 1 - 1/beta."""
    scaling = _Scaling(problem)
    gain = (scaling.p - scaling.c) / scaling.c
    if gain.is_number and gain <= 0:
        return sp.S.Zero
    return crossover_samples(problem) * gain ** (1 / scaling.power)
