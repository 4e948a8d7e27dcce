r"""Gradient flow on n samples in the deterministic equivalent, and filters of the population.

Summary
    exp(-t C^) of the empirical covariance is a contour integral of its resolvent, and resolvents,
    also products of two, have deterministic equivalents. The excess risk after time t is so a sum
    over pairs of points on a Talbot contour, exponentially accurate in their number. For n much
    larger than the effective dimension any filter acts on the population itself.

Main results (kappa_j = kappa(z_j/t), df_jk = sum_i lam_i^2/((lam_i + kappa_j)(lam_i + kappa_k)))
    bias = oint oint e^(z_1 + z_2) kappa_1 kappa_2/(s_1 s_2) sum_i theta_i^2/((lam_i + kappa_1)
        (lam_i + kappa_2))/(1 - df_12/n), s = z/t;
    variance = (sigma^2/n) (2 F(t) - F(2t)), F(t) = oint e^(st) (kappa/s^2) df_1(kappa).

References
    L. N. Trefethen, J. A. C. Weideman & T. Schmelzer, BIT 46, 653 (2006) (contour); F. Bach, SIAM
    J. Math. Data Sci. 6, 26 (2024) (products of resolvents).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.redundancy import KernelRegression
from theory.spectral_filters import FLOW, SpectralFilter

from .kernels import kappa_range, minimum_over_kappa, solve_kappa
from .modes import Modes, modes, positive_float, power_law_modes
from .storage import Array

__all__ = ["FilterRisk", "best_filter_risk", "best_flow_risk", "filter_risk", "flow_risk"]

POINTS = 28
"""On the contour: an error of 3.89^-POINTS, and rounding times exp(0.17 POINTS)."""
NEWTON = 60
SPAN, TRIALS = 30.0, 25
"""The best time is looked for within this factor of the population's, at so many times first."""


@dataclass(frozen=True)
class FilterRisk:
    """Excess risk of a filter.

    Attributes
    ----------
    n, kappa, noise : float
        kappa is 1/time for gradient flow.
    bias, variance : float
    """

    n: float
    kappa: float
    noise: float
    bias: float
    variance: float

    @property
    def risk(self) -> float:
        """Excess risk E (f^ - f)^2."""
        return self.bias + self.variance


def flow_risk(eigenvalues: Any, target_squared: Any, n: Any, time: Any, noise: Any) -> FilterRisk:
    """Excess risk after gradient flow from zero for a time t on (1/2n) |y - f|^2.

    Parameters
    ----------
    eigenvalues, target_squared : (P,)
    n, time : positive numbers
    noise : number >= 0
        Variance.

    Raises
    ------
    ValueError, TypeError
        If the arrays do not fit or a number is out of its range.
    ArithmeticError
        If the equation for kappa does not converge on the contour.
    """
    spectrum = modes(eigenvalues, target_squared)
    size, t = positive_float(n, "n"), positive_float(time, "time")
    return _flow_risk_at(spectrum, size, t, positive_float(noise, "noise", zero=True))


def _flow_risk_at(spectrum: Modes, n: float, t: float, noise: float) -> FilterRisk:
    weight, kappa, s = _contour(spectrum, n, t)
    left = 1 / (spectrum.eigenvalues + kappa[:, None])
    share = spectrum.eigenvalues * left
    pairs = ((left * spectrum.target) @ left.T) / (1 - (share * spectrum.counts) @ share.T / n)
    factor = weight * kappa / s
    once, twice = _noise(weight, kappa, s, share @ spectrum.counts), _late_noise(spectrum, n, t)
    return FilterRisk(
        n=n,
        kappa=1 / t,
        noise=noise,
        bias=float(np.real(factor @ pairs @ factor)),
        variance=noise / n * (2 * once - twice),
    )


def _noise(weight: Array, kappa: Array, s: Array, dimension: Array) -> float:
    """F(t) = tr C (1 - exp(-t C^))/C^."""
    return float(np.real(np.sum(weight * kappa / s**2 * dimension)))


def _late_noise(spectrum: Modes, n: float, t: float) -> float:
    """F(2t)."""
    weight, kappa, s = _contour(spectrum, n, 2 * t)
    return _noise(weight, kappa, s, spectrum.dimension(kappa))


def _contour(spectrum: Modes, n: float, t: float) -> tuple[Array, Array, Array]:
    """Weights, kappa and s at the points of the contour: f(t) = sum_j weight_j F(s_j)."""
    theta = np.pi * (np.arange(1, POINTS, 2)) / POINTS
    a, b, c, d = 0.5017, 0.6407, 0.6122, 0.2645
    cot = 1 / np.tan(b * theta)
    z = POINTS * (a * theta * cot - c + 1j * d * theta)
    slope = POINTS * (a * cot - a * b * theta / np.sin(b * theta) ** 2 + 1j * d)
    weight = np.exp(z) * slope / (1j * POINTS * t)
    s = z / t
    kappa = np.empty_like(s)
    # From the positive axis, where kappa is real, point by point to the left.
    guess = complex(solve_kappa(spectrum, n, float(s[0].real)))
    for j, value in enumerate(s):
        guess = kappa[j] = _complex_kappa(spectrum, n, complex(value), guess)
    both = (np.concatenate([x, x.conj()]) for x in (weight, kappa, s))
    return tuple(both)  # type: ignore[return-value]


def _complex_kappa(spectrum: Modes, n: float, ridge: complex, guess: complex) -> complex:
    """The solution of kappa (1 - df_1/n) = ridge, by Newton's method."""
    kappa = guess
    for _ in range(NEWTON):
        share = spectrum.eigenvalues / (spectrum.eigenvalues + kappa)
        df1, df2 = (complex(spectrum.counts @ share**m) for m in (1, 2))
        step = (kappa * (1 - df1 / n) - ridge) / (1 - df2 / n)
        kappa -= step
        if abs(step) <= 1e-14 * abs(kappa):
            return kappa
    raise ArithmeticError(
        f"flow_risk: kappa did not converge at the complex ridge {ridge:.3g} for n = {n:g}"
    )


def filter_risk(
    spectrum: Modes, filter: SpectralFilter, n: float, kappa: float, noise: float
) -> FilterRisk:
    """The risk of a filter that acts on the population: right for df_1(kappa) << n.

    bias = sum_i theta_i^2 r_i^2, variance = (sigma^2/n) sum_i (1 - r_i)^2, r_i = r(lam_i/kappa).
    """
    x = spectrum.eigenvalues / kappa
    if filter.order.is_infinite:
        log_left = -x
    else:
        log_left = -int(filter.order) * np.log1p(x / int(filter.order))
    return FilterRisk(
        n=n,
        kappa=kappa,
        noise=noise,
        bias=float(spectrum.target @ np.exp(2 * log_left)),
        variance=noise / n * float(spectrum.counts @ np.expm1(log_left) ** 2),
    )


def best_flow_risk(spectrum: Modes, n: float, noise: float) -> FilterRisk:
    """The smallest excess risk of gradient flow on n samples over all times.

    Searched within a factor 30 of the best time of the population.
    """
    about = _best_time_of_population(spectrum, n, noise)
    kappa = minimum_over_kappa(
        lambda k: _flow_risk_at(spectrum, n, 1 / k, noise).risk, about / SPAN, about * SPAN, TRIALS
    )
    return _flow_risk_at(spectrum, n, 1 / kappa, noise)


def _best_time_of_population(spectrum: Modes, n: float, noise: float) -> float:
    """Its inverse."""
    return minimum_over_kappa(
        lambda k: filter_risk(spectrum, FLOW, n, k, noise).risk, *kappa_range(spectrum, n)
    )


def best_filter_risk(problem: KernelRegression, n: Any) -> FilterRisk:
    """The smallest risk of the problem's filter on the population, infinite power-law spectrum.

    Raises
    ------
    ValueError, TypeError
        If n is not positive or the problem has symbols.
    """
    size = positive_float(n, "n")
    spectrum, noise = power_law_modes(problem, size), float(problem.noise)
    kappa = minimum_over_kappa(
        lambda k: filter_risk(spectrum, problem.filter, size, k, noise).risk,
        *kappa_range(spectrum, size),
    )
    return filter_risk(spectrum, problem.filter, size, kappa, noise)
