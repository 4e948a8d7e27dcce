r"""A measured kernel and its targets: exponents, the predicted learning curve, and the actual one.

Summary
    The points at hand are taken as the whole population. Eigenvalues of K/N and projections of the
    targets on its eigenvectors give the deterministic equivalent of training on n of them without
    any fit; power laws fitted to both give beta, s and the law's exponent with uncertainties. The
    actual curve is regression on random subsets, tested on the points left out.

Main results (K/N = sum_i lam_i u_i u_i^T, theta_i^2 = <u_i, y>^2/N)
    sum_{j>i} theta_j^2 ~ A i^(-2 s beta) + sigma^2 (1 - i/N)   gives s and the noise;
    held out = (E - (n/N) E_t)/(1 - n/N), E the equivalent over all N points, of which those trained
        on have the error E_t = r^2 (E + v) - 2 r v + v, r = lam/kappa, v the variance of noise that
        is added to their targets (none if not asked for).

References
    [BC25] Bi & Calhoun, arXiv:2509.20721; A. Canatar, B. Bordelon & C. Pehlevan, Nature
    Communications 12, 2914 (2021) (measured spectra).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import Generator, Philox, SeedSequence
from scipy.optimize import least_squares

from .arrays import real_array
from .initial import whole_number
from .kernels import kappa_range, minimum_over_kappa, risk_at
from .modes import Modes, modes, positive_float
from .storage import Array

__all__ = [
    "CurvePoint",
    "MeasuredKernel",
    "PowerFit",
    "actual_curve",
    "measure_kernel",
    "noisy_exponent",
    "propagated",
]

ROUNDING = 1e-10
"""Relative size of asymmetry and of negative eigenvalues that is rounding."""
PIECES = 3
"""Parts of the window whose fits give the uncertainty of an exponent."""
LEAST = 80
"""Points below which no exponent is fitted."""


@dataclass(frozen=True)
class PowerFit:
    """An exponent and how far it may be off: half the spread over parts of its window."""

    value: float
    error: float


@dataclass(frozen=True, eq=False)
class MeasuredKernel:
    """A kernel matrix and targets as a population of N points.

    Attributes
    ----------
    kernel : (N, N)
    targets : (N,)
    spectrum : Modes
        lam_i, descending, and theta_i^2.
    beta, s : PowerFit
    noise : float
        sigma^2 of the fit: the part of the targets that is spread evenly over the modes.
    window : tuple of int
        The modes that were fitted.
    """

    kernel: Array
    targets: Array
    spectrum: Modes
    beta: PowerFit
    s: PowerFit
    noise: float
    window: tuple[int, int]

    @property
    def exponent(self) -> PowerFit:
        """2s/(2s + 1/beta) with s <= 1, the law with noise; its error from those of beta and s."""
        return propagated(noisy_exponent, self.beta, self.s)

    @property
    def noiseless_exponent(self) -> PowerFit:
        """2 s beta with s <= 1, the law without noise."""
        return propagated(lambda beta, s: 2 * min(s, 1.0) * beta, self.beta, self.s)

    def predicted(self, n: int, noise: Any = 0) -> tuple[float, float]:
        """Held-out error of n training points at the best ridge, and that ridge (no fit).

        Parameters
        ----------
        n : int
        noise : number >= 0
            Variance of noise added to the targets trained on; those left out stay as they are.

        Raises
        ------
        ValueError
            If no point is left out, or the variance is negative.
        """
        share = _share(n, len(self.targets))
        added = positive_float(noise, "noise", zero=True)

        def held_out(kappa: float) -> float:
            found = risk_at(self.spectrum, n, kappa, added)
            left = 1 - found.df1 / n
            trained = left**2 * (found.risk + added) - 2 * left * added + added
            return (found.risk - share * trained) / (1 - share)

        kappa = minimum_over_kappa(held_out, *kappa_range(self.spectrum, n))
        return held_out(kappa), risk_at(self.spectrum, n, kappa, added).ridge


def _share(n: int, points: int) -> float:
    if whole_number(n, "n", 2) >= points:
        raise ValueError(f"n must leave points to test on: found n = {n} of {points} points")
    return n / points


@dataclass(frozen=True)
class CurvePoint:
    """Training on n points, as predicted and as it is.

    Attributes
    ----------
    n : int
    ridge, predicted : float
    actual, standard_error : float
        Mean squared error on the points left out, over random subsets.
    """

    n: int
    ridge: float
    predicted: float
    actual: float
    standard_error: float

    @property
    def difference(self) -> float:
        """predicted/actual - 1."""
        return self.predicted / self.actual - 1


def noisy_exponent(beta: float, s: float) -> float:
    """2s/(2s + 1/beta) with s <= 1: the law of ridge regression with noise."""
    return 2 * min(s, 1.0) / (2 * min(s, 1.0) + 1 / beta)


def propagated(law: Callable[[float, float], float], beta: PowerFit, s: PowerFit) -> PowerFit:
    """law(beta, s), with the errors of both as half the changes that they make, in squares."""
    changes = [
        (law(beta.value + beta.error, s.value) - law(beta.value - beta.error, s.value)) / 2,
        (law(beta.value, s.value + s.error) - law(beta.value, s.value - s.error)) / 2,
    ]
    return PowerFit(law(beta.value, s.value), math.hypot(*changes))


def measure_kernel(
    kernel: Any, targets: Any, window: tuple[int, int] | None = None
) -> MeasuredKernel:
    """Spectrum, target and their exponents.

    Parameters
    ----------
    kernel : (N, N)
        Symmetric, positive semi-definite.
    targets : (N,)
    window : (first, last), optional
        Modes whose power laws are fitted; from 10 to N/4 if not given.

    Raises
    ------
    ValueError, TypeError
        If the kernel is not such a matrix, the targets do not match it or vanish, there are fewer
        than 80 points, or the window is not inside.
    """
    K, y = _checked(kernel, targets)
    size = len(y)
    values, vectors = np.linalg.eigh(K / size)
    values, vectors = values[::-1], vectors[:, ::-1]
    if values[-1] < -ROUNDING * size * values[0]:
        raise ValueError(
            f"kernel must be positive semi-definite, found the eigenvalue {size * values[-1]:.3g}"
        )
    lam, theta = np.maximum(values, 0.0), (vectors.T @ y) ** 2 / size
    low, high = window or (10, size // 4)
    if not 1 <= low < high - 3 * PIECES or high > size or lam[high - 1] <= 0:
        raise ValueError(
            f"window must hold more than {3 * PIECES} of the {np.count_nonzero(lam > 0)} modes "
            f"with a positive eigenvalue, found {low} to {high}"
        )
    beta = _fitted_decay(lam, low, high)
    decay, noise = _fitted_tail(theta, low, high)
    relative = math.hypot(decay.error / decay.value, beta.error / beta.value)
    s = decay.value / (2 * beta.value)
    return MeasuredKernel(
        K, y, modes(lam, theta), beta, PowerFit(s, s * relative), noise, (low, high)
    )


def _checked(kernel: Any, targets: Any) -> tuple[Array, Array]:
    K = real_array(kernel, "kernel").astype(float)
    y = real_array(targets, "targets").astype(float)
    if K.ndim != 2 or K.shape[0] != K.shape[1]:
        raise ValueError(f"kernel must be a square matrix, found the shape {K.shape}")
    if y.shape != (len(K),):
        raise ValueError(
            f"targets must be one number for each of the {len(K)} points of the kernel, found the "
            f"shape {y.shape}"
        )
    for name, array in (("kernel", K), ("targets", y)):
        if not np.all(np.isfinite(array)):
            raise ValueError(f"{name} must be finite, found {array[~np.isfinite(array)][0]}")
    if len(y) < LEAST:
        raise ValueError(f"a measured kernel needs {LEAST} points or more, found {len(y)}")
    asymmetry = float(np.max(np.abs(K - K.T)))
    if asymmetry > ROUNDING * float(np.max(np.abs(K))):
        raise ValueError(f"kernel must be symmetric, found entries that differ by {asymmetry:.3g}")
    if not np.any(y != 0):
        raise ValueError("targets must not all be zero")
    return (K + K.T) / 2, y


def _pieces(low: int, high: int) -> list[tuple[int, int]]:
    """Parts of the window of equal ratio."""
    edges = np.geomspace(low, high, PIECES + 1).round().astype(int)
    return [(int(a), int(b)) for a, b in pairwise(edges)]


def _fitted_decay(lam: Array, low: int, high: int) -> PowerFit:
    """Beta of lam_i ~ i^-beta: a line through logarithms, and its spread over the parts."""
    i = np.arange(1.0, len(lam) + 1)

    def slope(first: int, last: int) -> float:
        inside = slice(first - 1, last)
        return -float(np.polyfit(np.log(i[inside]), np.log(lam[inside]), 1)[0])

    parts = [slope(*part) for part in _pieces(low, high)]
    return PowerFit(slope(low, high), (max(parts) - min(parts)) / 2)


def _fitted_tail(theta: Array, low: int, high: int) -> tuple[PowerFit, float]:
    """2 s beta and sigma^2 of sum_{j>i} theta_j^2 = A i^(-2 s beta) + sigma^2 (1 - i/N)."""
    size = len(theta)
    # The tail after i modes, i = 1..N; evenly in log i, so that no decade weighs more.
    tail = np.cumsum(theta[::-1])[::-1] - theta
    i = np.arange(1.0, size + 1)

    def fit(first: int, last: int, noise: float | None) -> tuple[float, float]:
        at = np.unique(np.geomspace(first, last, 60).round().astype(int)) - 1
        at = at[tail[at] > 0]

        def residual(p: Array) -> Array:
            flat = math.exp(p[2]) if noise is None else noise
            model = np.exp(p[0]) * i[at] ** -p[1] + flat * (1 - i[at] / size)
            return np.asarray(np.log(model / tail[at]))

        begin = [math.log(tail[at[0]]), 0.5, math.log(tail[at[-1]] / 2)]
        found = least_squares(residual, begin[: 3 if noise is None else 2]).x
        return float(found[1]), math.exp(found[2]) if noise is None else float(noise)

    decay, noise = fit(low, min(2 * high, size - 1), None)
    parts = [fit(*part, noise)[0] for part in _pieces(low, high)]
    if decay <= 0:
        raise ValueError(
            f"the targets have no power law in the modes {low} to {high}: the fitted exponent of "
            f"their tail is {decay:.3g}; give another window, or a kernel that suits them"
        )
    return PowerFit(decay, (max(parts) - min(parts)) / 2), noise


def actual_curve(
    measured: MeasuredKernel, sizes: Any, runs: int, seed: int, noise: Any = 0
) -> tuple[CurvePoint, ...]:
    """Ridge regression on random subsets at the predicted ridge, tested on the other points.

    Parameters
    ----------
    sizes : sequence of int
        n, at least 2 and fewer than N.
    runs, seed : int
        Subsets for each n; run r of size n draws from SeedSequence(seed, spawn_key=(n, r)).
    noise : number >= 0
        Variance of Gaussian noise added to the targets of every subset, not to those left out.
    """
    count, added = whole_number(runs, "runs", 2), positive_float(noise, "noise", zero=True)
    points = []
    for n in sizes:
        predicted, ridge = measured.predicted(n, noise)
        errors = [_held_out(measured, n, ridge, (seed, run), added) for run in range(count)]
        error = float(np.std(errors, ddof=1) / math.sqrt(count))
        points.append(CurvePoint(n, ridge, predicted, float(np.mean(errors)), error))
    return tuple(points)


def _held_out(
    measured: MeasuredKernel, n: int, ridge: float, draw: tuple[int, int], noise: float
) -> float:
    """Mean squared error of one subset, drawn from (seed, run), on the points left out."""
    K, y = measured.kernel, measured.targets
    random = Generator(Philox(SeedSequence(draw[0], spawn_key=(n, draw[1]))))
    order = random.permutation(len(y))
    train, test = order[:n], order[n:]
    labels = y[train] + math.sqrt(noise) * random.standard_normal(n)
    weights = np.linalg.solve(K[np.ix_(train, train)] + n * ridge * np.eye(n), labels)
    return float(np.mean((y[test] - K[np.ix_(test, train)] @ weights) ** 2))
