r"""Spectral filters: what is left of a mode, from ridge regression to gradient flow.

Summary
    A filter of order q is q implicit Euler steps of gradient flow of total time 1/kappa: what it
    leaves of a mode with eigenvalue lam is r(lam/kappa), r(x) = (1 + x/q)^-q. One step is ridge
    regression with ridge kappa, q steps are iterated Tikhonov regularisation, q = oo is gradient
    flow, r(x) = exp(-x). The order is the qualification: bias falls no faster than kappa^(2q).

Main results (a = 1/beta, lam_i = i^-beta, theta_i^2 = i^-(2 s beta + 1), kappa -> 0)
    bias     sum_i theta_i^2 r(lam_i/kappa)^2 ~ B kappa^(2s),
             B = q^(2s) Gamma(2s) Gamma(2q - 2s)/(beta Gamma(2q)), and 2^(-2s) Gamma(2s)/beta at oo;
    variance sum_i (1 - r(lam_i/kappa))^2 ~ V kappa^-a,
             V = q^-a Gamma(-a) (Gamma(2q + a)/Gamma(2q) - 2 Gamma(q + a)/Gamma(q))/beta.

References
    [BC25] Bi & Calhoun, arXiv:2509.20721 (ridge); L. Lo Gerfo et al., Neural Computation 20, 1873
    (2008) (filters and their qualification).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from .exact import count

__all__ = ["FLOW", "RIDGE", "SpectralFilter", "spectral_filter"]


@dataclass(frozen=True)
class SpectralFilter:
    """q implicit Euler steps of gradient flow; r(x) = (1 + x/q)^-q, exp(-x) for q = oo.

    Parameters
    ----------
    order : positive integer, symbol for one, or ``sympy.oo``

    Raises
    ------
    ValueError, TypeError
        If the order is none of these.
    """

    order: sp.Expr

    def __init__(self, order: Any) -> None:
        endless = order is sp.oo
        object.__setattr__(self, "order", sp.oo if endless else count(order, "filter order"))

    @property
    def name(self) -> str:
        """ridge, gradient flow or iterated Tikhonov."""
        known = {sp.S.One: "ridge", sp.oo: "gradient flow"}
        return known.get(self.order, f"iterated Tikhonov, order {self.order}")

    def residual(self, x: sp.Expr) -> sp.Expr:
        """r(x), what is left of a mode with lam = x kappa."""
        if self.order is sp.oo:
            return sp.exp(-x)
        return (1 + x / self.order) ** -self.order

    def bias_moment(self, power: sp.Expr) -> sp.Expr:
        """Integral of x^(power - 1) r(x)^2 over x > 0, for 0 < power < 2q."""
        q = self.order
        if q is sp.oo:
            return sp.gamma(power) / 2**power
        return q**power * sp.gamma(power) * sp.gamma(2 * q - power) / sp.gamma(2 * q)

    def variance_moment(self, a: sp.Expr) -> sp.Expr:
        """Integral of x^(-a - 1) (1 - r(x))^2 over x > 0, for 0 < a < 1."""
        q = self.order
        if q is sp.oo:
            return sp.gamma(-a) * (2**a - 2)
        once, twice = (sp.gamma(k * q + a) / sp.gamma(k * q) for k in (1, 2))
        return q**-a * sp.gamma(-a) * (twice - 2 * once)


RIDGE = SpectralFilter(1)
FLOW = SpectralFilter(sp.oo)


def spectral_filter(name: str) -> SpectralFilter:
    """The filter called ``ridge``, ``flow`` or ``iterated:q``.

    Raises
    ------
    ValueError
        If there is no such filter.
    """
    kind, colon, order = name.partition(":")
    if kind == "iterated" and colon and order.strip().isdigit() and int(order) > 0:
        return SpectralFilter(int(order))
    if name in ("ridge", "flow"):
        return RIDGE if name == "ridge" else FLOW
    raise ValueError(f"filter must be ridge, flow or iterated:q with q = 1, 2, ..., found {name!r}")
