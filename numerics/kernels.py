r"""Kernel ridge regression in the deterministic equivalent: risk, best ridge, learning curves.

Summary
    For n samples the random kernel matrix acts like the population's with the ridge lam replaced by
    a larger kappa. Everything is explicit in kappa: one equation gives kappa from the ridge, and
    the ridge from kappa without solving anything, so that the best ridge is a minimum over kappa.

Main results (df_m(kappa) = sum_i (lam_i/(lam_i + kappa))^m)
    n = df_1(kappa) + n lam/kappa;
    excess = (kappa^2 sum_i theta_i^2/(lam_i + kappa)^2 + sigma^2 df_2/n)/(1 - df_2/n).

References
    [BC25] Bi & Calhoun, arXiv:2509.20721 (without the denominator); H. Cui et al., NeurIPS 2021.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from theory.redundancy import KernelRegression

from .modes import Modes, modes, positive_float, power_law_modes
from .storage import Array

__all__ = [
    "RidgeRisk",
    "best_risk",
    "effective_exponent",
    "optimal_risk",
    "ridge_risk",
    "risk_at",
    "solve_kappa",
]

GRID = 241
"""Starting points of the search for the best kappa, even in its logarithm."""
BELOW, ABOVE = 1e-14, 1e4
"""Range of the search, in units of the smallest and of the largest eigenvalue."""


@dataclass(frozen=True)
class RidgeRisk:
    """The deterministic equivalent at one ridge.

    Attributes
    ----------
    n, ridge, noise : float
        Samples, lam in (1/n) |y - f|^2 + lam |f|^2, variance of the noise.
    kappa, df1, df2 : float
    bias, variance : float
        Their sum is the excess risk.
    """

    n: float
    ridge: float
    noise: float
    kappa: float
    df1: float
    df2: float
    bias: float
    variance: float

    @property
    def risk(self) -> float:
        """Excess risk E (f^ - f)^2."""
        return self.bias + self.variance


def ridge_risk(eigenvalues: Any, target_squared: Any, n: Any, ridge: Any, noise: Any) -> RidgeRisk:
    """Excess risk of kernel ridge regression on n samples.

    Parameters
    ----------
    eigenvalues, target_squared : (P,)
        lam_i and theta_i^2 in the orthonormal eigenfunctions of the kernel.
    n : positive number
    ridge : number >= 0
        lam in (1/n) |y - f|^2 + lam |f|^2.
    noise : number >= 0
        Variance of the noise.

    Raises
    ------
    ValueError, TypeError
        If the arrays do not fit, a number is out of its range, or n modes are interpolated by n
        samples (an infinite risk).

    Examples
    --------
    >>> lam = [1 / k**2 for k in range(1, 101)]
    >>> found = ridge_risk(lam, lam, n=50, ridge=0.01, noise=0.1)
    >>> round(found.kappa, 6), round(found.risk, 6)
    (0.01329, 0.106736)
    """
    spectrum = modes(eigenvalues, target_squared)
    size, lam = positive_float(n, "n"), positive_float(ridge, "ridge", zero=True)
    sigma2 = positive_float(noise, "noise", zero=True)
    return risk_at(spectrum, size, solve_kappa(spectrum, size, lam), sigma2, lam)


def solve_kappa(spectrum: Modes, n: float, ridge: float) -> float:
    """The kappa >= ridge at which df_1(kappa) + n ridge/kappa = n.

    Zero if there is no ridge and there are fewer modes than samples.

    Raises
    ------
    ValueError
        If there are exactly as many modes as samples and no ridge.
    """
    positive = np.count_nonzero(spectrum.eigenvalues > 0) if spectrum.finite else np.inf
    if ridge == 0 and positive <= n:
        if positive == n:
            raise ValueError(
                f"ridge = 0 with as many positive eigenvalues as samples, {n:g}: the risk is "
                "infinite; give a ridge"
            )
        return 0.0

    def excess(log_kappa: float) -> float:
        kappa = float(np.exp(log_kappa))
        return float(spectrum.dimension(kappa)) / n + ridge / kappa - 1

    # df_1 lies between 0 and trace/kappa.
    high = ridge + spectrum.trace / n
    low = ridge
    if ridge == 0:
        low = high
        while spectrum.dimension(low) <= n:
            low /= 4
    if low >= high:
        return high
    ends = float(np.log(low)), float(np.log(high))
    if excess(ends[0]) <= 0 or excess(ends[1]) >= 0:
        # A ridge so large that the data do not count, to rounding.
        return ridge if excess(ends[0]) <= 0 else high
    return float(np.exp(brentq(excess, *ends, xtol=1e-15, rtol=8.9e-16)))


def risk_at(
    spectrum: Modes, n: float, kappa: float, noise: float, ridge: float | None = None
) -> RidgeRisk:
    """The deterministic equivalent at kappa; its ridge is kappa (1 - df_1/n) unless given."""
    positive = spectrum.eigenvalues > 0
    left = np.ones_like(spectrum.eigenvalues)
    np.divide(kappa, spectrum.eigenvalues + kappa, out=left, where=positive)
    df1, df2 = (float(spectrum.counts @ (1 - left) ** m) for m in (1, 2))
    gap = 1 - df2 / n
    return RidgeRisk(
        n=n,
        ridge=kappa * (1 - df1 / n) if ridge is None else ridge,
        noise=noise,
        kappa=kappa,
        df1=df1,
        df2=df2,
        bias=float(spectrum.target @ left**2) / gap,
        variance=noise * df2 / n / gap,
    )


def best_risk(spectrum: Modes, n: float, noise: float) -> RidgeRisk:
    """The smallest excess risk over all ridges >= 0.

    A grid in log kappa from kappa(ridge = 0) upwards, refined about its smallest value: safe also
    where the risk has several minima.
    """
    enough = not spectrum.finite or np.count_nonzero(spectrum.eigenvalues > 0) > n
    top = float(spectrum.eigenvalues.max())
    if enough:
        lowest = solve_kappa(spectrum, n, 0.0)
    else:
        lowest = BELOW * float(spectrum.eigenvalues[spectrum.eigenvalues > 0].min())
    kappa = minimum_over_kappa(lambda k: risk_at(spectrum, n, k, noise).risk, lowest, top * ABOVE)
    return risk_at(spectrum, n, kappa, noise, ridge=0.0 if enough and kappa == lowest else None)


def minimum_over_kappa(risk: Callable[[float], float], low: float, high: float) -> float:
    """Where `risk` is smallest between two positive bounds, in log kappa."""
    grid = np.linspace(np.log(low), np.log(high), GRID)
    values = np.array([risk(float(np.exp(x))) for x in grid])
    best = int(np.argmin(values))
    around = grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)]
    found = minimize_scalar(
        lambda x: risk(float(np.exp(x))), bounds=around, method="bounded", options={"xatol": 1e-9}
    )
    if found.fun < values[best]:
        return float(np.exp(found.x))
    return low if best == 0 else float(np.exp(grid[best]))


def optimal_risk(beta: Any, s: Any, n: Any, noise: Any) -> RidgeRisk:
    """The excess risk for lam_i = i^-beta, theta_i^2 = i^-(2 s beta + 1), at the best ridge (BC25).

    Infinitely many modes, any n (1e12 costs no more than 10).

    Raises
    ------
    ValueError, TypeError
        If beta <= 1, or another number is out of its range.

    Examples
    --------
    >>> few, many = (optimal_risk(2, "1/2", n, noise=1).risk for n in (1e7, 1e8))
    >>> bool(abs(effective_exponent([1e7, 1e8], [few, many])[0] + 2 / 3) < 1e-3)
    True
    """
    problem = KernelRegression(beta, s, noise)
    size = positive_float(n, "n")
    return best_risk(power_law_modes(problem, size), size, float(problem.noise))


def effective_exponent(n: Any, risk: Any) -> Array:
    """Local exponents d log(risk)/d log(n) between neighbouring n: one number less than n.

    Raises
    ------
    ValueError
        If the lists differ in length, are shorter than two, or hold what is not positive.
    """
    x, y = (np.asarray(v, dtype=float) for v in (n, risk))
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise ValueError(
            f"effective_exponent needs as many risks as n, two or more; found {x.shape}, {y.shape}"
        )
    if not (np.all(x > 0) and np.all(y > 0) and np.all(np.isfinite(x)) and np.all(np.isfinite(y))):
        raise ValueError("effective_exponent: n and risk must be positive and finite")
    if np.any(np.diff(x) == 0):
        raise ValueError("effective_exponent: two neighbouring n are the same")
    return np.asarray(np.diff(np.log(y)) / np.diff(np.log(x)))
