r"""Kernel ridge regression simulated in the eigenbasis of the kernel: risks with standard errors.

Summary
    Samples are rows of independent standard Gaussian eigenfunctions, the estimate is the exact
    minimiser, and its excess risk is a sum over modes: no test set, no kernel function. This is the
    independent witness of the deterministic equivalents, with which it shares no formula.

Main results
    X_ri = sqrt(lam_i) z_ri, z ~ N(0, 1);  alpha = (X X^T + n lam)^-1 y;
    excess = sum_i (theta_i - sqrt(lam_i) (X^T alpha)_i)^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator, Philox, SeedSequence

from theory.spectral_filters import RIDGE, SpectralFilter

from .initial import whole_number
from .modes import modes, positive_float
from .storage import Array

__all__ = ["RidgeRuns", "simulate_ridge"]


@dataclass(frozen=True, eq=False)
class RidgeRuns:
    """Excess risks of independent training sets.

    Attributes
    ----------
    risks : (runs,)
    """

    risks: Array

    @property
    def mean(self) -> float:
        """Mean excess risk."""
        return float(np.mean(self.risks))

    @property
    def standard_error(self) -> float:
        """Standard error of the mean."""
        return float(np.std(self.risks, ddof=1) / np.sqrt(len(self.risks)))

    def z_score(self, theory: float) -> float:
        """(mean - theory) in standard errors."""
        return (self.mean - theory) / self.standard_error


def simulate_ridge(
    eigenvalues: Any,
    target_squared: Any,
    n: int,
    ridge: Any,
    noise: Any,
    runs: int,
    seed: int,
    width: int | None = None,
    filter: SpectralFilter = RIDGE,
) -> RidgeRuns:
    """Fit `runs` training sets of n samples and measure the excess risk of each.

    Parameters
    ----------
    eigenvalues, target_squared : (P,)
    n : int
    ridge : number >= 0
        lam; for gradient flow 1/time.
    noise : number >= 0
        Variance.
    runs, seed : int
        Run r draws from Philox(SeedSequence(seed, spawn_key=(r,))).
    width : int, optional
        Use m random features F x, F_aj ~ N(0, 1/m), instead of the kernel (ridge only).
    filter : SpectralFilter

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range, or random features meet another filter than ridge.
    """
    spectrum = modes(eigenvalues, target_squared)
    size, count = whole_number(n, "n", 1), whole_number(runs, "runs", 2)
    lam = positive_float(ridge, "ridge", zero=filter == RIDGE)
    deviation = positive_float(noise, "noise", zero=True) ** 0.5
    if width is not None:
        whole_number(width, "width", 1)
        if filter != RIDGE:
            raise ValueError(f"random features are simulated with ridge, found {filter.name}")
    scale, theta = np.sqrt(spectrum.eigenvalues), np.sqrt(spectrum.target)
    risks = np.empty(count)
    for run in range(count):
        random = Generator(Philox(SeedSequence(seed, spawn_key=(run,))))
        z = random.standard_normal((size, len(scale)))
        y = z @ theta + deviation * random.standard_normal(size)
        x = z * scale
        if width is None:
            learned = scale * _fit(x, y, lam, filter)
        else:
            features = random.standard_normal((width, len(scale))) / np.sqrt(width)
            learned = scale * (features.T @ _fit(x @ features.T, y, lam, RIDGE))
        risks[run] = np.sum((theta - learned) ** 2)
    return RidgeRuns(risks)


def _fit(x: Array, y: Array, ridge: float, filter: SpectralFilter) -> Array:
    """Weights w = X^T g(X X^T/n) y/n, in the smaller of both spaces; (n, P), (n,) -> (P,)."""
    size = len(y)
    if filter != RIDGE:
        values, vectors = np.linalg.eigh(x @ x.T / size)
        gain = _gain(np.maximum(values, 0.0), ridge, filter)
        return np.asarray(x.T @ (vectors @ (gain * (vectors.T @ y))) / size)
    if x.shape[1] < size:
        gram = x.T @ x + size * ridge * np.eye(x.shape[1])
        return np.asarray(np.linalg.solve(gram, x.T @ y))
    gram = x @ x.T + size * ridge * np.eye(size)
    return np.asarray(x.T @ np.linalg.solve(gram, y))


def _gain(values: Array, ridge: float, filter: SpectralFilter) -> Array:
    """(1 - r(v/ridge))/v: what a filter makes of an eigenvalue v >= 0 of the covariance."""
    scaled = values / ridge
    if filter.order.is_infinite:
        learned = -np.expm1(-scaled)
    else:
        order = int(filter.order)
        learned = -np.expm1(-order * np.log1p(scaled / order))
    # Its limit at v = 0.
    return np.divide(learned, values, out=np.full_like(values, 1 / ridge), where=values > 0)
