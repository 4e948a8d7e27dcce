r"""Redundancy laws: the learning curve of kernel regression on a power-law spectrum.

Summary
    n noisy samples of a target are fitted with a kernel whose eigenvalues fall as a power. Bias
    grows and variance falls with the regularisation kappa, each as a power; the best compromise is
    the law n^(-2s/(2s + 1/beta)). A filter of order q sees no more of the smoothness of the target
    than s = q, with a logarithm at s = q.

Main results (lam_i = i^-beta, theta_i^2 = i^-(2 s beta + 1), a = 1/beta, p = 2 min(s, q))
    bias_law : B kappa^(2s); at s = q and beyond it kappa^(2q), with log(1/kappa) at s = q;
    effective_dimension_law : N_m = sum_i (lam_i/(lam_i + kappa))^m ~ C_m kappa^-a - 1/2,
        C_m = Gamma(a) Gamma(m - a)/(beta Gamma(m)), C_1 = pi a/sin(pi a), C_2 = (1 - a) C_1;
    optimal_ridge_law, risk_law : kappa = (a V sigma^2/(p B n))^(1/(p + a)), excess
        (1 + p/a) B kappa^p ~ n^(-p/(p + a)).
    Without noise, and in between, see `theory.redundancy_crossover`.

Notation
    f = sum_i theta_i phi_i with phi_i orthonormal under the data; y = f + noise of variance
    sigma^2; (1/n) |y - f|^2 + lam |f|^2, |f| the norm of the kernel. excess = E (f^ - f)^2.
    theta_i = lam_i^s g_i with g_i = i^(-1/2), the border of l^2: for g in l^2 the exponent is an
    upper bound only; g_i = i^(-1/2-e) has s + e/beta in the place of s.

References
    [BC25] Bi & Calhoun, arXiv:2509.20721; A. Caponnetto & E. De Vito, Found. Comput. Math. 7, 331
    (2007); H. Cui et al., NeurIPS 2021 (crossover); P. Flajolet et al., Theor. Comput. Sci. 144, 3
    (1995) (harmonic sums).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from .asymptotics import AsymptoticLaw, Regime
from .exact import exact, is_inexact, non_negative, positive
from .spectral_filters import RIDGE, SpectralFilter

__all__ = [
    "KernelRegression",
    "bias_law",
    "effective_dimension_law",
    "excess",
    "kappa",
    "optimal_ridge_law",
    "risk_law",
    "samples",
]

samples = sp.Symbol("n", positive=True)
"""Number of samples."""
kappa = sp.Symbol("kappa", positive=True)
"""Regularisation as the population sees it: the ridge, or 1/time of gradient flow."""
excess = sp.Symbol("E", positive=True)
"""Excess risk."""


@dataclass(frozen=True)
class KernelRegression:
    """Regression with lam_i = i^-beta, theta_i^2 = i^-(2 s beta + 1) and a spectral filter (BC25).

    Parameters
    ----------
    beta : exact number > 1 or symbol
        Decay of the kernel's eigenvalues; 1/beta measures redundancy.
    s : positive exact number or symbol
        Smoothness of the target (source condition).
    noise : exact number >= 0 or symbol
        Variance of the noise.
    filter : SpectralFilter

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range; beta <= 1 has an infinite trace.
    """

    beta: sp.Expr
    s: sp.Expr
    noise: sp.Expr = sp.S.One
    filter: SpectralFilter = RIDGE
    inexact: tuple[str, ...] = field(init=False, default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        given = {name: getattr(self, name) for name in ("beta", "s", "noise")}
        if not isinstance(self.filter, SpectralFilter):
            raise TypeError(f"filter must be a SpectralFilter, found {self.filter!r}")
        beta = exact(self.beta, "beta")
        if beta.is_number and not beta > 1:
            raise ValueError(
                f"beta must be greater than 1, found {self.beta}: a kernel with eigenvalues "
                "i^-beta has an infinite trace otherwise"
            )
        object.__setattr__(self, "beta", positive(self.beta, "beta"))
        object.__setattr__(self, "s", positive(self.s, "s"))
        object.__setattr__(self, "noise", non_negative(self.noise, "noise"))
        object.__setattr__(self, "inexact", tuple(n for n, v in given.items() if is_inexact(v)))

    @classmethod
    def of_target(cls, beta: Any, decay: Any, noise: Any = 1) -> KernelRegression:
        """With theta_i^2 = i^-decay: s = (decay - 1)/(2 beta), another one for every kernel."""
        beta, decay = exact(beta, "beta"), exact(decay, "decay")
        return cls(beta, (decay - 1) / (2 * beta), noise)

    @property
    def a(self) -> sp.Expr:
        """1/beta."""
        return 1 / self.beta

    @property
    def saturated(self) -> bool:
        """Whether s >= q, the filter cannot use all of the smoothness; a symbol counts as s < q."""
        return bool((self.s >= self.filter.order) == sp.true)

    @property
    def bias_exponent(self) -> sp.Expr:
        """2 min(s, q)."""
        return 2 * (self.filter.order if self.saturated else self.s)

    @property
    def exponent(self) -> sp.Expr:
        """2s/(2s + 1/beta), with min(s, q) in the place of s: excess ~ n^-exponent (BC25)."""
        return self.bias_exponent / (self.bias_exponent + self.a)

    @property
    def variance_constant(self) -> sp.Expr:
        """V in variance ~ sigma^2 V kappa^-a/n."""
        return self.filter.variance_moment(self.a) / self.beta

    def replace(self, **changes: Any) -> KernelRegression:
        """The same problem with some parameters changed."""
        return replace(self, **changes)

    @property
    def bias_constant(self) -> sp.Expr:
        """B in bias ~ B kappa^p.

        Raises
        ------
        ValueError
            If s = q, where a logarithm takes its place.
        """
        q, s, beta = self.filter.order, self.s, self.beta
        if s == q:
            raise ValueError(f"at s = q = {s} the bias has a logarithm; use bias_law")
        if self.saturated:
            return q ** (2 * q) * sp.zeta(1 + 2 * beta * (s - q))
        return self.filter.bias_moment(2 * s) / beta

    def bias_corrections(self, scale: sp.Expr) -> sp.Expr:
        """Order of the relative error of the bias at kappa ~ scale."""
        q, s = self.filter.order, self.s
        if q is sp.oo:
            # Its Mellin transform has one pole only: what is left falls faster than any power.
            return sp.S.Zero
        if s == q:
            return scale
        if self.saturated:
            gap = 2 * (s - q)
            return scale + (scale * sp.log(1 / scale) if gap == 1 else scale**gap)
        return scale ** (2 * (q - s))

    def regime(self, text: str, *conditions: Any) -> Regime:
        """A regime, with s < q added where that is assumed of a symbol."""
        if not self.saturated and (self.s < self.filter.order) != sp.true:
            text += rf",\ {sp.latex(self.s)} < {sp.latex(self.filter.order)}"
            conditions += (self.s < self.filter.order,)
        return Regime(f"${text}$", conditions)


def _logarithm(problem: KernelRegression, scaled: sp.Expr) -> sp.Expr:
    """log(1/u) + beta gamma - H_(2q-1): beta times the bias over u^(2q) at s = q, u = q kappa."""
    q = problem.filter.order
    return sp.log(1 / scaled) + problem.beta * sp.EulerGamma - sp.harmonic(2 * q - 1)


def bias_law(problem: KernelRegression) -> AsymptoticLaw:
    """sum_i theta_i^2 r(lam_i/kappa)^2 as kappa -> 0 (BC25 for s < 1).

    Examples
    --------
    >>> law = bias_law(KernelRegression(beta=2, s="1/2"))
    >>> law.expr
    kappa/2
    >>> bias_law(KernelRegression(beta=2, s=1)).exponent is None
    True
    """
    p = problem.bias_exponent
    if problem.s == problem.filter.order:
        scaled = problem.filter.order * kappa
        expr, exponent = scaled**p * _logarithm(problem, scaled) / problem.beta, None
    else:
        expr, exponent = problem.bias_constant * kappa**p, p
    return AsymptoticLaw(
        expr=expr,
        variable=kappa,
        regime=problem.regime(r"\kappa \ll 1", kappa < 1),
        exponent=exponent,
        error=problem.bias_corrections(kappa),
        quantity=sp.Symbol("bias", positive=True),
    )


def effective_dimension_law(beta: Any, order: int, terms: int = 1) -> AsymptoticLaw:
    """N_m(kappa) = sum_i (lam_i/(lam_i + kappa))^m for kappa -> 0, m = `order`.

    Parameters
    ----------
    beta : exact number > 1 or symbol
    order : positive integer
        1 for the dimension that the ridge leaves, 2 for the one of the variance.
    terms : {1, 2}
        With the constant zeta(0) = -1/2 or without.

    Raises
    ------
    ValueError
        If beta <= 1, or there are no such order or terms.
    """
    if terms not in (1, 2):
        raise ValueError(f"effective_dimension_law: terms must be 1 or 2, found {terms!r}")
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(
            f"effective_dimension_law: order must be a positive integer, found {order!r}"
        )
    beta = KernelRegression(beta, 1).beta
    a = 1 / beta
    constant = sp.gamma(a) * sp.gamma(order - a) / (beta * sp.gamma(order))
    leading = constant * kappa**-a
    return AsymptoticLaw(
        expr=leading - sp.Rational(terms - 1, 2),
        variable=kappa,
        regime=Regime(r"$\kappa \ll 1$", (kappa < 1,)),
        exponent=-a if terms == 1 else None,
        error=kappa**a if terms == 1 else kappa ** (1 + a),
        quantity=sp.Symbol(f"N_{order}", positive=True),
    )


def optimal_ridge_law(problem: KernelRegression) -> AsymptoticLaw:
    """The kappa that minimises bias + variance, as n -> infinity.

    (a V sigma^2/(p B n))^(1/(p + a)), and at s = q the same with a logarithm, by Lambert's W. The
    ridge itself is kappa (1 - N_1/n), smaller by a factor 1 + O(kappa^p).

    Raises
    ------
    ValueError
        If there is no noise, where it is no such compromise (`theory.redundancy_crossover`).
    """
    return _optimum_law(problem, sp.Symbol("kappa_*", positive=True), _best(problem), 1)


def risk_law(problem: KernelRegression) -> AsymptoticLaw:
    """The excess risk at the best regularisation, as n -> infinity (BC25).

    Raises
    ------
    ValueError
        If there is no noise (`theory.redundancy_crossover`).

    Examples
    --------
    >>> beta, s = sp.symbols("beta s", positive=True)
    >>> law = risk_law(KernelRegression(beta, s))
    >>> sp.simplify(law.exponent + 2 * s / (2 * s + 1 / beta))
    0
    >>> risk_law(KernelRegression(2, "3/2")).exponent
    -4/5
    """
    best, p, beta = _best(problem), problem.bias_exponent, problem.beta
    if problem.s == problem.filter.order:
        scaled = problem.filter.order * best
        expr = scaled**p * (_logarithm(problem, scaled) * (p + problem.a) - 1)
    else:
        expr = (1 + p * beta) * problem.bias_constant * best**p
    return _optimum_law(problem, excess, expr, p)


def _optimum_law(
    problem: KernelRegression, quantity: sp.Symbol, expr: sp.Expr, power: sp.Expr
) -> AsymptoticLaw:
    p, a = problem.bias_exponent, problem.a
    scale = samples ** (-1 / (p + a))
    logarithmic = problem.s == problem.filter.order
    return AsymptoticLaw(
        expr=expr,
        variable=samples,
        regime=problem.regime(r"n \gg 1,\ \kappa_* \ll 1", samples > 1, _best(problem) < 1),
        exponent=None if logarithmic else -power / (p + a),
        # Finite n, the constant of the effective dimension, and the bias.
        error=scale**p + scale**a + problem.bias_corrections(scale),
        quantity=quantity,
    )


def _best(problem: KernelRegression) -> sp.Expr:
    """Where the derivative of B kappa^p + sigma^2 V kappa^-a/n vanishes."""
    noise, q, p, a = problem.noise, problem.filter.order, problem.bias_exponent, problem.a
    if noise == 0:
        raise ValueError(
            "the classical optimum needs noise > 0; without noise use "
            "theory.redundancy_crossover.noiseless_risk_law"
        )
    V = problem.variance_constant
    if problem.s != q:
        return (a * V * noise / (p * problem.bias_constant * samples)) ** (1 / (p + a))
    # u^(p+a) (p (log(1/u) + c) - 1) = sigma^2 V q^a/n for u = q kappa, c = beta gamma - H_(2q-1).
    shift = _logarithm(problem, sp.S.One) - 1 / p
    drive = (p + a) * noise * V * q**a / (p * samples) * sp.exp(-(p + a) * shift)
    return sp.exp(sp.LambertW(-drive, -1) / (p + a) + shift) / q
