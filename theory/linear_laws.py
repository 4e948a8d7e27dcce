r"""Late times of the linear network with a power-law spectrum.

Summary
    Every eigenspace relaxes by itself for eta -> 0, and eps_g is a sum over k whose Mellin
    transform has one pole to the right: a power law without algebraic corrections. Noise of SGD
    multiplies it and adds powers of its own; a finite L ends it.

Main results (x = 2 kappa lam_+ alpha, p = 1 + beta, s = beta/p, y = x L^-p, equal e_k at the start)
    window, 1 << x << L^p:
        eps_g = eps_0 Gamma(s) x^-s/((1 - kappa/2) p H_L(p)) (1 + O(kappa x^-s)),
        and the further terms are powers x^-2s, x^-3s, ...;
    finite size, 1 << x << L^(p+1): Gamma(s) becomes Gamma(s, y) - Gamma(s, x), plus the boundary
        terms of Euler and Maclaurin;
    end, x >> L^(p+1): eps_0 L^-p exp(-y)/((1 - kappa/2) H_L(p)).
    With label noise the same holds for eps_g minus its floor, with eps_0 minus the floor.

Notation
    kappa = eta K c^2 (`theory.linear`); eps_0 = eps_g(0), e_k(0) = 2 eps_0 in every eigenspace.

References
    [WR24] Worschech & Rosenow (exponent); P. Flajolet, X. Gourdon & P. Dumas, Theor. Comput. Sci.
    144, 3 (1995) (harmonic sums by Mellin transforms).
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from .asymptotics import AsymptoticLaw, Regime
from .linear import linear_solution
from .models import TeacherStudent
from .power_law import PowerLawScaling, eps_g
from .symbols import alpha

__all__ = ["PowerLawScales", "eps_0", "linear_late_time_law"]

eps_0 = sp.Symbol("epsilon_0", positive=True)
_MODE = sp.Symbol("k", positive=True)


@dataclass(frozen=True)
class PowerLawScales(PowerLawScaling):
    """What the laws of a linear network with a power-law spectrum are made of."""

    instead = "linear_solution(model), which is exact"

    def __post_init__(self) -> None:
        solution, _ = linear_solution(self.model), self.spectrum
        if self.model.weight_decay != 0:
            raise NotImplementedError(
                "no law is known with weight decay, which leaves every eigenspace at another "
                "error; use linear_solution(model), which is exact"
            )
        if self.kappa.is_number and self.kappa >= 2:
            raise ValueError(
                f"eta = {self.model.eta} is not below eta_c = {solution.critical_learning_rate}: "
                "eps_g diverges, there is no late-time law"
            )

    @property
    def kappa(self) -> sp.Expr:
        """What noise of SGD feels of the rate eta K c^2: 0 in gradient flow."""
        return sp.S.Zero if self.gradient_flow else self._rate

    @property
    def _rate(self) -> sp.Expr:
        return linear_solution(self.model).effective_rate

    @property
    def response(self) -> sp.Expr:
        """1/(1 - kappa/2): how much noise of SGD amplifies a slow error."""
        return 1 / (1 - self.kappa / 2)

    @property
    def feedback(self) -> sp.Expr:
        """Feedback rho = (kappa/2)/(1 - kappa/2)."""
        return self.kappa / 2 * self.response

    @property
    def floor(self) -> sp.Expr:
        """eps_g at late times."""
        return self.feedback * self.model.label_noise / 2

    def x(self, time: sp.Expr) -> sp.Expr:
        """2 kappa lam_+ time; for L = oo the time is in units of 1/lam_+."""
        return 2 * self._rate * self.largest * time

    @property
    def amplitude(self) -> sp.Expr:
        """Gamma(s)/(p H): eps_g/eps_0 = amplitude x^-s for L = oo and eta -> 0."""
        return sp.gamma(self.s) / (self.p * self.norm)

    @property
    def excess(self) -> sp.Expr:
        """eps_g minus its floor."""
        return eps_g - self.floor

    @property
    def start(self) -> sp.Expr:
        """What the excess is multiplied with: its initial value times the response."""
        return (eps_0 - self.floor) * self.response

    def beyond_all_orders(self, x: sp.Expr) -> sp.Expr:
        """Relative difference of the sum over all k >= 1 and its integral: a saddle point.

        x^((p-2)/(2p(p+1))) exp(-b x^(1/(p+1))).
        """
        p = self.p
        b = 2 * sp.pi * (1 + 1 / p) * sp.sin(sp.pi / (2 * (p + 1)))
        b *= (p / (2 * sp.pi)) ** (1 / (p + 1))
        return x ** ((p - 2) / (2 * p * (p + 1))) * sp.exp(-b * x ** (1 / (p + 1)))


def linear_late_time_law(
    model: TeacherStudent, regime: str, terms: int, gradient_flow: bool
) -> AsymptoticLaw:
    """`late_time_law` for linear activation; the arguments are described there."""
    scales = PowerLawScales(model, gradient_flow)
    if regime == "window":
        return _window(scales, terms)
    if scales.L is sp.oo:
        raise ValueError(f'late_time_law: with L = oo there is no {regime} regime, only "window"')
    if regime == "finite size":
        return _finite_size(scales, terms)
    if terms != 1:
        raise ValueError(f"late_time_law: the end is one exponential, terms = 1, found {terms}")
    return _end(scales)


def _window(scales: PowerLawScales, terms: int) -> AsymptoticLaw:
    """Powers x^-s, x^-2s, ...: eps^ = eps_0 f/(1 - kappa/2 + kappa z f/2), z f(z) ~ z^s."""
    s, x, rho = scales.s, scales.x(alpha), scales.feedback
    if scales.gradient_flow and terms > 1:
        raise ValueError(
            "late_time_law: in gradient flow the power law has no further terms, only a correction "
            f"smaller than every power; give terms = 1, found {terms}"
        )
    pole = scales.amplitude * sp.gamma(1 - s)
    series = scales.amplitude * x**-s
    for n in range(2, terms + 1):
        # 1/Gamma vanishes where n s is a whole number: that power is absent.
        series += (-rho) ** (n - 1) * pole**n / sp.gamma(1 - n * s) * x ** (-n * s)
    error = scales.beyond_all_orders(x)
    if not scales.gradient_flow:
        error = (rho * x**-s) ** terms + rho / x
    text, conditions = r"1 \ll x = 2\kappa\lambda_+\alpha", [x > 1]
    if scales.L is not sp.oo:
        error += x**s * scales.L**-scales.beta
        text += r" \ll L^{1+\beta}"
        conditions.append(x < scales.L**scales.p)
    return AsymptoticLaw(
        expr=scales.start * series,
        variable=alpha,
        regime=Regime(f"${text}$", tuple(conditions)),
        exponent=-s if terms == 1 else None,
        error=error,
        quantity=scales.excess,
    )


def _finite_size(scales: PowerLawScales, terms: int) -> AsymptoticLaw:
    """The integral over 1 <= k <= L, and ``terms - 1`` boundary terms of Euler and Maclaurin."""
    s, p, L = scales.s, scales.p, scales.L
    x = scales.x(alpha)
    y = x * L**-p
    total = x**-s / p * (sp.uppergamma(s, y) - sp.uppergamma(s, x))
    summand = _MODE**-p * sp.exp(-x * _MODE**-p)
    if terms > 1:
        total += (summand.subs(_MODE, L) + summand.subs(_MODE, 1)) / 2
    for n in range(1, terms - 1):
        slope = summand.diff(_MODE, 2 * n - 1)
        weight = sp.bernoulli(2 * n) / sp.factorial(2 * n)
        total += weight * (slope.subs(_MODE, L) - slope.subs(_MODE, 1))
    error = ((1 + y) / L) ** max(1, 2 * (terms - 1)) + scales.beyond_all_orders(x)
    error += scales.feedback * (x**-s + L**-scales.beta * sp.log(L))
    return AsymptoticLaw(
        expr=scales.start * total / scales.norm,
        variable=alpha,
        regime=Regime(
            r"$1 \ll x = 2\kappa\lambda_+\alpha \ll L^{2+\beta}$", (x > 1, x < L ** (p + 1))
        ),
        exponent=None,
        error=error,
        quantity=scales.excess,
    )


def _end(scales: PowerLawScales) -> AsymptoticLaw:
    """The last eigenspace alone."""
    p, L = scales.p, scales.L
    y = scales.x(alpha) * L**-p
    shift = scales.feedback * (L**-scales.beta * sp.log(L) + y * L**-p)
    text, conditions = r"L^{2+\beta} \ll x = 2\kappa\lambda_+\alpha", [y > L]
    if not scales.gradient_flow:
        text += r" \ll L^{2(1+\beta)}/\kappa"
        conditions.append(scales.feedback * y < L**p)
    return AsymptoticLaw(
        expr=scales.start * L**-p * sp.exp(-y) / scales.norm,
        variable=alpha,
        regime=Regime(f"${text}$", tuple(conditions)),
        exponent=None,
        error=sp.exp(-p * y / L) + shift,
        quantity=scales.excess,
    )
