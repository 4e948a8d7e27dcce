r"""Experiments on how universal the redundancy law is: maps of the features, mixtures, widths.

Summary
    Infinite spectra throughout, so that no truncation fakes an exponent. The map 1 + x x^T changes
    resolvents by a matrix of rank one, and all that is needed are weighted sums over modes.

Main results (G = (C + kappa)^-1, b from A^-2 = 1 - b x x^T, c = kappa b/(1 - kappa b <x, G x>))
    residual of the target: kappa C^(1/2) (G + c G x x^T G) (w - b x <x, w>), theta = C^(1/2) w;
    N_1 and N_2 of A C A: traces of C (G + c G x x^T G) and of its square.

References
    [BC25] Bi & Calhoun, arXiv:2509.20721 (the claims); R. A. Horn & C. R. Johnson, Matrix Analysis,
    theorem 4.5.9 (Ostrowski).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

from theory.redundancy import KernelRegression

from .arrays import real_array
from .kernels import best_risk, effective_exponent, minimum_over_kappa
from .modes import Modes, joined, positive_float, power_law_modes
from .storage import Array

__all__ = [
    "MappedKernel",
    "mapped_kernel",
    "mixture_modes",
    "ostrowski_ratios",
    "width_needed",
]

FAR = 1e60
"""Place up to which the sums over x_i^2 = i^(-1-2 delta) are followed."""


@dataclass(frozen=True, eq=False)
class MappedKernel:
    """Features mapped by A = 1 + x x^T, x_i = i^(-1/2-delta); lam_i = i^-beta, theta as before.

    Attributes
    ----------
    spectrum : Modes
        Before the map.
    direction : (P,)
        x at the nodes.
    shrink : float
        b in A^-2 = 1 - b x x^T, (2 + |x|^2)/(1 + |x|^2)^2.
    """

    spectrum: Modes
    direction: Array
    shrink: float

    def _resolvent(self, kappa: float) -> tuple[Array, float]:
        """The diagonal of G, and c."""
        left = 1 / (self.spectrum.eigenvalues + kappa)
        overlap = self.spectrum.counts @ (self.direction**2 * left)
        return left, kappa * self.shrink / (1 - kappa * self.shrink * float(overlap))

    def bias(self, kappa: float) -> float:
        """What ridge regression with kappa leaves of the target."""
        lam, counts = self.spectrum.eigenvalues, self.spectrum.counts
        left, strength = self._resolvent(kappa)
        w = np.sqrt(self.spectrum.target / counts / lam)
        moved = w - self.shrink * self.direction * float(counts @ (self.direction * w))
        along = float(counts @ (self.direction * left * moved))
        rest = kappa * left * (moved + strength * self.direction * along)
        return float(counts @ (lam * rest**2))

    def dimension(self, kappa: float, order: int) -> float:
        """N_1 or N_2 of the mapped spectrum."""
        lam, counts = self.spectrum.eigenvalues, self.spectrum.counts
        left, strength = self._resolvent(kappa)
        share = lam * left
        first, second = (
            float(counts @ (self.direction**2 * left * share**m)) * strength for m in (1, 2)
        )
        before = float(self.spectrum.dimension(kappa, order))
        return before + (first if order == 1 else 2 * second + first**2)

    def smoothness(self, kappa: float) -> float:
        """Effective s: half the local exponent of the bias in kappa."""
        ends = np.array([kappa / 2, kappa * 2])
        return float(effective_exponent(ends, [self.bias(float(k)) for k in ends])[0]) / 2

    def risk(self, n: float, noise: float) -> float:
        """The smallest (bias + sigma^2 N_2/n)/(1 - N_2/n) over kappa with N_1 <= n/2."""

        def at(kappa: float) -> float:
            loss = self.dimension(kappa, 2) / n
            return (self.bias(kappa) + noise * loss) / (1 - loss)

        low = brentq(lambda k: math.log(self.dimension(math.exp(k), 1) * 2 / n), -150, 0)
        return at(minimum_over_kappa(at, math.exp(low), 1e2))


def mapped_kernel(problem: KernelRegression, delta: Any) -> MappedKernel:
    """The kernel and target of `problem` after the map A = 1 + x x^T, x_i = i^(-1/2-delta).

    Raises
    ------
    ValueError
        If delta is not positive, or the target has no overlap with x (s <= 1/2 - delta/beta).
    """
    size = positive_float(delta, "delta")
    beta, s = float(problem.beta), float(problem.s)
    if s * beta + size <= beta / 2:
        raise ValueError(
            f"mapped_kernel: the overlap of the target with x diverges at s = {problem.s}, "
            f"delta = {delta}: give s > 1/2 - delta/beta"
        )
    spectrum = power_law_modes(problem, FAR)
    direction = spectrum.eigenvalues ** ((0.5 + size) / beta)
    square = float(spectrum.counts @ direction**2)
    return MappedKernel(spectrum, direction, (2 + square) / (1 + square) ** 2)


def ostrowski_ratios(eigenvalues: Any, matrix: Any) -> tuple[Array, float, float]:
    """Eigenvalues of A C A^T over those of C in their order, and Ostrowski's bounds on them.

    Parameters
    ----------
    eigenvalues : (P,), positive, descending
    matrix : (P, P)
        A, invertible.

    Returns
    -------
    ratios : (P,)
    low, high : float
        Squares of the extreme singular values of A.

    Raises
    ------
    ValueError
        If the shapes do not fit, the eigenvalues are not positive and descending, or A is singular.
    """
    lam = real_array(eigenvalues, "eigenvalues").astype(float)
    A = real_array(matrix, "matrix").astype(float)
    if lam.ndim != 1 or A.shape != (len(lam), len(lam)):
        raise ValueError(f"matrix must be {len(lam)} x {len(lam)}, found {A.shape}")
    if not (np.all(lam > 0) and np.all(np.diff(lam) <= 0)):
        raise ValueError("eigenvalues must be positive and descending")
    singular = np.linalg.svd(A, compute_uv=False)
    if singular[-1] <= 1e-14 * singular[0]:
        raise ValueError("matrix must be invertible; its smallest singular value is zero")
    # As squares of singular values, so that small eigenvalues keep their digits.
    mapped = np.linalg.svd(A * np.sqrt(lam), compute_uv=False) ** 2
    return mapped / lam, float(singular[-1]) ** 2, float(singular[0]) ** 2


def mixture_modes(problems: Sequence[KernelRegression], weights: Any, n: Any) -> Modes:
    """Orthogonal blocks of data, block j with probability w_j: lam = w_j i^-beta_j, theta^2 too.

    Raises
    ------
    ValueError
        If there is not one positive weight for each block.
    """
    shares = [positive_float(w, f"weight {j}") for j, w in enumerate(weights, 1)]
    if len(shares) != len(problems) or not shares:
        raise ValueError(f"found {len(problems)} blocks and {len(shares)} weights; give one each")
    size = positive_float(n, "n")
    parts = []
    for problem, share in zip(problems, shares, strict=True):
        found = power_law_modes(problem, size, share / sum(shares))
        target = found.target * share / sum(shares)
        parts.append(Modes(found.eigenvalues, found.counts, target, finite=False))
    return joined(parts)


def width_needed(problem: KernelRegression, n: Any, factor: Any = 2) -> float:
    """The width at which random features have `factor` times the kernel's risk, both at their best.

    Raises
    ------
    ValueError
        If the factor is not above one.
    """
    size, allowed = positive_float(n, "n"), positive_float(factor, "factor")
    if allowed <= 1:
        raise ValueError(f"factor must be above 1, found {factor}")
    spectrum, noise = power_law_modes(problem, size), float(problem.noise)
    goal = allowed * best_risk(spectrum, size, noise).risk

    def excess(log_width: float) -> float:
        return math.log(best_risk(spectrum, size, noise, math.exp(log_width)).risk / goal)

    return math.exp(brentq(excess, 0.0, math.log(size), xtol=1e-6))
