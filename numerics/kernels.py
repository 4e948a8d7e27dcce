r"""Kernel ridge regression in the deterministic equivalent: risk, best ridge, learning curves.

Summary
    For n samples the random kernel matrix acts like the population's with the ridge lam replaced by
    a larger kappa. Everything is explicit in kappa: one equation gives kappa from the ridge, and
    the ridge from kappa without solving anything, so that the best ridge is a minimum over kappa.
    Random features of width m in place of the kernel cost nothing more; m = oo is the kernel.

Main results (df_k(kappa) = sum_i (lam_i/(lam_i + kappa))^k)
    lam = kappa (1 - df_1/n) (1 - df_1/m);
    excess = (b_2 + c_1 (df_1 - df_2)/(m - df_2) + sigma^2 D)/(1 - D),
    D = df_2/n + (df_1 - df_2)^2/(n (m - df_2)),
    b_2 = sum_i theta_i^2 (kappa/(lam_i + kappa))^2,
    c_1 = sum_i theta_i^2 kappa lam_i/(lam_i + kappa)^2.

References
    [BC25] Bi & Calhoun, arXiv:2509.20721 (m = oo, D = 0 in the denominator); H. Cui et al., NeurIPS
    2021 (m = oo); J. Simon et al., ICLR 2024 (random features).
"""

from __future__ import annotations

import math
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
    "kappa_range",
    "minimum_over_kappa",
    "optimal_risk",
    "ridge_risk",
    "risk_at",
    "solve_kappa",
]

GRID = 241
"""Starting points of the search for the best kappa, even in its logarithm."""
APART = 1e-6
"""Relative distance that the search keeps from an infinite risk."""
BELOW, ABOVE = 1e-14, 1e4
"""Range of the search, in units of the smallest and of the largest eigenvalue."""


@dataclass(frozen=True)
class RidgeRisk:
    """The deterministic equivalent at one ridge.

    Attributes
    ----------
    n, ridge, noise, width : float
        Samples, lam in (1/n) |y - f|^2 + lam |f|^2, variance of the noise, random features (oo for
        the kernel itself).
    kappa, df1, df2 : float
    bias, variance : float
        Their sum is the excess risk.
    """

    n: float
    ridge: float
    noise: float
    width: float
    kappa: float
    df1: float
    df2: float
    bias: float
    variance: float

    @property
    def risk(self) -> float:
        """Excess risk E (f^ - f)^2."""
        return self.bias + self.variance


def ridge_risk(
    eigenvalues: Any, target_squared: Any, n: Any, ridge: Any, noise: Any, width: Any = None
) -> RidgeRisk:
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
    width : positive number, optional
        Of Gaussian random features in place of the kernel.

    Raises
    ------
    ValueError, TypeError
        If the arrays do not fit, a number is out of its range, or the risk is infinite (no ridge,
        and as many modes or features as samples).

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
    features = math.inf if width is None else positive_float(width, "width")
    kappa = solve_kappa(spectrum, size, lam, features)
    return risk_at(spectrum, size, kappa, sigma2, features, lam)


def solve_kappa(spectrum: Modes, n: float, ridge: float, width: float = math.inf) -> float:
    """The kappa at which kappa (1 - df_1/n) (1 - df_1/m) is the ridge.

    Zero if there is no ridge and there are fewer modes than samples and features.

    Raises
    ------
    ValueError
        If there is no ridge, and as many samples as modes or features: the risk is infinite.
    """
    least = min(n, width)
    if ridge == 0 and (n == width or spectrum.number == least):
        raise ValueError(
            f"ridge = 0 with n = {n:g} samples, {spectrum.number:g} positive eigenvalues and "
            f"{width:g} features: two are alike, and the risk is infinite; give a ridge"
        )
    lowest = _kappa_without_ridge(spectrum, least)
    if ridge == 0:
        return lowest

    def missing(log_kappa: float) -> float:
        kappa = math.exp(log_kappa)
        left = float(spectrum.dimension(kappa))
        return (1 - left / n) * (1 - left / width) - ridge / kappa

    # df_1 lies between 0 and trace/kappa.
    low = max(ridge, lowest)
    return _root(missing, low, low + ridge + spectrum.trace * (1 / n + 1 / width))


def _kappa_without_ridge(spectrum: Modes, size: float) -> float:
    """The kappa at which df_1 = size; zero with no more modes than that."""
    if spectrum.number <= size:
        return 0.0

    def missing(log_kappa: float) -> float:
        return 1 - float(spectrum.dimension(math.exp(log_kappa))) / size

    high = low = spectrum.trace / size
    while missing(math.log(low)) >= 0:
        low /= 4
    return _root(missing, low, high)


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """The exponential of the zero of a function that rises between log(low) and log(high)."""
    ends = math.log(low), math.log(high)
    if rising(ends[0]) >= 0:
        # To rounding; so large a ridge, say, that the data do not count.
        return low
    return math.exp(brentq(rising, *ends, xtol=1e-15, rtol=8.9e-16))


def risk_at(
    spectrum: Modes,
    n: float,
    kappa: float,
    noise: float,
    width: float = math.inf,
    ridge: float | None = None,
) -> RidgeRisk:
    """The deterministic equivalent at kappa, with the ridge that belongs to it unless given."""
    lam = spectrum.eigenvalues
    # Not as differences from one, which lose the many modes with lam << kappa.
    share, left = np.zeros_like(lam), np.ones_like(lam)
    for part, whole in ((lam, share), (kappa, left)):
        np.divide(part, lam + kappa, out=whole, where=lam + kappa > 0)
    df1, df2 = (float(spectrum.counts @ share**m) for m in (1, 2))
    gap, bias = df1 - df2, float(spectrum.target @ left**2)
    if width < math.inf:
        bias += float(spectrum.target @ (left * share)) * gap / (width - df2)
    loss = (df2 + gap**2 / (width - df2)) / n
    return RidgeRisk(
        n=n,
        ridge=kappa * (1 - df1 / n) * (1 - df1 / width) if ridge is None else ridge,
        noise=noise,
        width=width,
        kappa=kappa,
        df1=df1,
        df2=df2,
        bias=bias / (1 - loss),
        variance=noise * loss / (1 - loss),
    )


def best_risk(spectrum: Modes, n: float, noise: float, width: float = math.inf) -> RidgeRisk:
    """The smallest excess risk over all ridges >= 0.

    A grid in log kappa from kappa(ridge = 0) upwards, refined about its smallest value: safe also
    where the risk has several minima.
    """
    lowest, highest = kappa_range(spectrum, min(n, width))
    if n == width:
        # Without a ridge the risk is infinite there.
        lowest *= 1 + APART
    kappa = minimum_over_kappa(
        lambda k: risk_at(spectrum, n, k, noise, width).risk, lowest, highest
    )
    interpolates = kappa == lowest and n != width and spectrum.number > min(n, width)
    return risk_at(spectrum, n, kappa, noise, width, ridge=0.0 if interpolates else None)


def kappa_range(spectrum: Modes, size: float) -> tuple[float, float]:
    """Where the best kappa is looked for: from no ridge (or next to none) to a useless one."""
    lam = spectrum.eigenvalues
    lowest = _kappa_without_ridge(spectrum, size) or BELOW * float(lam[lam > 0].min())
    return lowest, ABOVE * float(lam.max())


def minimum_over_kappa(
    risk: Callable[[float], float], low: float, high: float, points: int = GRID
) -> float:
    """Where `risk` is smallest between two positive bounds, in log kappa."""
    grid = np.linspace(np.log(low), np.log(high), points)
    values = np.array([risk(float(np.exp(x))) for x in grid])
    best = int(np.argmin(values))
    around = grid[max(best - 1, 0)], grid[min(best + 1, points - 1)]
    found = minimize_scalar(
        lambda x: risk(float(np.exp(x))), bounds=around, method="bounded", options={"xatol": 1e-9}
    )
    if found.fun < values[best]:
        return float(np.exp(found.x))
    return low if best == 0 else float(np.exp(grid[best]))


def optimal_risk(beta: Any, s: Any, n: Any, noise: Any, width: Any = None) -> RidgeRisk:
    """The excess risk for lam_i = i^-beta, theta_i^2 = i^-(2 s beta + 1), at the best ridge (BC25).

    Infinitely many modes, any n (1e12 costs no more than 10), and any width of random features.

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
    features = math.inf if width is None else positive_float(width, "width")
    spectrum = power_law_modes(problem, min(size, features))
    return best_risk(spectrum, size, float(problem.noise), features)


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
