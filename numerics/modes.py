r"""Eigenvalues and target of a kernel, as weighted nodes: finite spectra and infinite power laws.

Summary
    Deterministic equivalents are sums over modes of smooth functions of the mode. A finite spectrum
    is its own list of nodes. For lam_i = i^-beta the sum over i > P becomes an integral over log i
    (Gauss-Legendre on panels) with Euler and Maclaurin's first correction as a difference at P, and
    beyond the reach, where every function is linear in lam, a single node: n = 1e12 costs what
    n = 10 costs, and nothing is truncated.

Main results
    sum_{i>P} f(i) = int_{P+1/2}^oo f + f'(P + 1/2)/24 + O(P^-3 f)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.exact import exact
from theory.redundancy import KernelRegression

from .arrays import real_array
from .storage import Array

__all__ = ["Modes", "joined", "modes", "positive_float", "power_law_modes"]

SINGLE = 512
"""Modes that are counted one by one; the correction that is left out is of order SINGLE^-4."""
PANEL, NODES = 2.0, 20
"""Length of a panel in beta log i, and its number of nodes: poles lie at distance pi, or pi minus
the phase of kappa."""
LINEAR = 1e-18
"""Where lam/kappa is as small as this, every function is linear in lam."""


def positive_float(value: Any, name: str, zero: bool = False) -> float:
    """A finite positive number as a float; zero on request.

    Raises
    ------
    ValueError, TypeError
        If it is none.
    """
    number = float(exact(value, name))
    if number < 0 or (number == 0 and not zero):
        raise ValueError(
            f"{name} must {'not be negative' if zero else 'be positive'}, found {value}"
        )
    return number


@dataclass(frozen=True, eq=False)
class Modes:
    """Weighted modes: sum_i f(lam_i) is ``counts @ f``, sum_i theta_i^2 f(lam_i) ``target @ f``.

    Attributes
    ----------
    eigenvalues : (P,)
        lam > 0 at the nodes.
    counts : (P,)
        How many modes a node stands for; corrections at single nodes may be negative.
    target : (P,)
        theta^2 of all these modes together.
    finite : bool
        Whether it is a list of modes, so that a sum over all of them means something.
    """

    eigenvalues: Array
    counts: Array
    target: Array
    finite: bool = True

    @property
    def trace(self) -> float:
        """sum_i lam_i."""
        return float(self.counts @ self.eigenvalues)

    @property
    def number(self) -> float:
        """Number of modes with a positive eigenvalue."""
        return float(np.count_nonzero(self.eigenvalues > 0)) if self.finite else math.inf

    def dimension(self, kappa: Any, order: int = 1) -> Any:
        """sum_i (lam_i/(lam_i + kappa))^order, kappa a number or an array of any shape."""
        share = self.eigenvalues / (self.eigenvalues + np.asarray(kappa)[..., None])
        return share**order @ self.counts


def modes(eigenvalues: Any, target_squared: Any) -> Modes:
    """A finite spectrum and target.

    Parameters
    ----------
    eigenvalues : (P,)
        lam_i >= 0; modes with lam_i = 0 cannot be learned.
    target_squared : (P,)
        theta_i^2 >= 0.

    Raises
    ------
    ValueError, TypeError
        If they are no such arrays, differ in shape, or no eigenvalue is positive.
    """
    lam, theta = (
        real_array(v, name).astype(float)
        for v, name in ((eigenvalues, "eigenvalues"), (target_squared, "target_squared"))
    )
    if lam.ndim != 1 or lam.shape != theta.shape:
        raise ValueError(
            "eigenvalues and target_squared must be two lists of the same length, found shapes "
            f"{lam.shape} and {theta.shape}"
        )
    for array, name in ((lam, "eigenvalues"), (theta, "target_squared")):
        bad = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
        if bad.size:
            raise ValueError(
                f"{name} must be finite and not negative, found {array[bad[0]]} at {bad[0]}"
            )
    if not np.any(lam > 0):
        raise ValueError("eigenvalues must not all be zero")
    return Modes(lam, np.ones_like(lam), theta)


def power_law_modes(problem: KernelRegression, reach: Any, scale: Any = 1) -> Modes:
    """All modes of lam_i = scale i^-beta, theta_i^2 = i^-(2 s beta + 1).

    Parameters
    ----------
    problem : KernelRegression
        With numbers for beta and s.
    reach : number
        Sums at |kappa| >= scale reach^-beta (C_1(beta) n is enough for n samples) are good to 12
        digits.
    scale : positive number

    Raises
    ------
    ValueError
        If beta or s are symbols, or a number is not positive.
    """
    if not (problem.beta.is_number and problem.s.is_number):
        raise ValueError(f"power_law_modes needs numbers beta and s, found {problem}")
    beta, s = float(problem.beta), float(problem.s)
    scale, reach = positive_float(scale, "scale"), positive_float(reach, "reach")
    places, counts, last = _nodes(beta, max(reach, 1.0))
    target = counts * places ** -(2 * s * beta + 1)
    # Beyond the last place lam is counted by its sum, and theta^2 by its own.
    tail_count, tail_target = last / (beta - 1), last ** (-2 * s * beta) / (2 * s * beta)
    return Modes(
        scale * np.append(places, last) ** -beta,
        np.append(counts, tail_count),
        np.append(target, tail_target),
        finite=False,
    )


def _nodes(beta: float, reach: float) -> tuple[Array, Array, float]:
    """Places i, how many modes each stands for, and the place from where on all is linear."""
    single = np.arange(1.0, SINGLE + 1)
    first = SINGLE + 0.5
    length = beta * math.log(max(reach, first) / first) - math.log(LINEAR)
    panels = max(1, math.ceil(length / PANEL))
    x, weight = np.polynomial.legendre.leggauss(NODES)
    centres = PANEL * (np.arange(panels) + 0.5)
    logs = ((centres[:, None] + PANEL / 2 * x) / beta).ravel()
    smooth = first * np.exp(logs)
    dense = smooth * np.tile(PANEL / (2 * beta) * weight, panels)
    last = first * math.exp(PANEL * panels / beta)
    # f'(P + 1/2)/24 as a difference.
    places, differences = SINGLE + np.arange(2.0), np.array([-1, 1]) / 24
    return (
        np.concatenate([single, smooth, places]),
        np.concatenate([np.ones(SINGLE), dense, differences]),
        last,
    )


def joined(parts: list[Modes]) -> Modes:
    """The modes of several orthogonal blocks together."""
    lam, counts, target = (
        np.concatenate(columns)
        for columns in zip(*((p.eigenvalues, p.counts, p.target) for p in parts), strict=True)
    )
    return Modes(lam, counts, target, finite=all(p.finite for p in parts))
