r"""Learning curves of kernel regression: theory, the law, and simulations where they are possible.

Summary
    The excess risk at the best regularisation for many n, beside the law of the problem where it
    holds. Up to a few hundred samples it is simulated too, on the first modes, and held against the
    theory of the same modes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.asymptotics import AsymptoticLaw
from theory.redundancy import KernelRegression, risk_law
from theory.redundancy_crossover import noiseless_risk_law
from theory.spectral_filters import FLOW, RIDGE

from .flow_risk import best_filter_risk, best_flow_risk
from .initial import whole_number
from .kernels import best_risk, effective_exponent, optimal_risk
from .modes import modes, positive_float, power_law_modes
from .ridge_runs import simulate_ridge
from .storage import Array

__all__ = ["LearningCurve", "SimulatedRisk", "curve_law", "learning_curve", "simulate_risk"]

DRAWN = 2000
"""Modes of a simulation."""


@dataclass(frozen=True)
class SimulatedRisk:
    """Mean excess risk of independent training sets.

    Attributes
    ----------
    n, runs : int
    mean, standard_error : float
    theory : float
        The deterministic equivalent of the modes that are simulated.
    """

    n: int
    runs: int
    mean: float
    standard_error: float
    theory: float

    @property
    def z_score(self) -> float:
        """(mean - theory) in standard errors."""
        return (self.mean - self.theory) / self.standard_error


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Excess risk against the number of samples, each at its best regularisation.

    Attributes
    ----------
    problem : KernelRegression
    width : float
        Of random features, oo for the kernel.
    n, risk, kappa : (T,)
    law : AsymptoticLaw
    """

    problem: KernelRegression
    width: float
    n: Array
    risk: Array
    kappa: Array
    law: AsymptoticLaw

    @property
    def exponents(self) -> Array:
        """Local exponents between neighbouring n, (T - 1,)."""
        return effective_exponent(self.n, self.risk)

    @property
    def claimed_exponent(self) -> float:
        """Of the law for n -> infinity; at s = q the power in front of the logarithm."""
        if self.problem.noise == 0:
            return float(self.problem.bias_exponent * self.problem.beta)
        return float(self.problem.exponent)

    @property
    def label(self) -> str:
        """The problem in a line."""
        beta, s, noise = self.problem.beta, self.problem.s, self.problem.noise
        width = "" if math.isinf(self.width) else f", m = {self.width:g}"
        name = self.problem.filter.name
        return rf"{name}{width}, $\beta = {beta}$, $s = {s}$, $\sigma^2 = {noise}$"

    def law_at(self, n: float) -> float | None:
        """The law where it holds, None elsewhere."""
        return float(self.law(n)) if self.law.holds(n) else None


def curve_law(problem: KernelRegression) -> AsymptoticLaw:
    """The law for n -> infinity: with noise, or without.

    Raises
    ------
    ValueError
        If no law is known: no noise and another filter than ridge, or s = 1.
    """
    return noiseless_risk_law(problem) if problem.noise == 0 else risk_law(problem)


def learning_curve(problem: KernelRegression, n: Any, width: Any = None) -> LearningCurve:
    """The excess risk at the best regularisation for each of the given n.

    Ridge regression and gradient flow by their deterministic equivalents, at any n; iterated
    Tikhonov regularisation acts on the population, n much larger than the effective dimension.

    Raises
    ------
    ValueError, TypeError
        If a number is out of its range, or random features meet another filter than ridge.
    """
    sizes = [positive_float(x, "n") for x in n]
    features = math.inf if width is None else positive_float(width, "width")
    if width is not None and problem.filter != RIDGE:
        raise ValueError(f"random features are known with ridge, found {problem.filter.name}")
    law = curve_law(problem)
    found = [_point(problem, size, width) for size in sizes]
    risk, kappa = (np.array(column) for column in zip(*found, strict=True))
    return LearningCurve(problem, features, np.array(sizes), risk, kappa, law)


def _point(problem: KernelRegression, n: float, width: Any) -> tuple[float, float]:
    if problem.filter == RIDGE:
        ridge = optimal_risk(problem.beta, problem.s, n, problem.noise, width)
        return ridge.risk, ridge.kappa
    if problem.filter == FLOW:
        flow = best_flow_risk(power_law_modes(problem, n), n, float(problem.noise))
        return flow.risk, flow.kappa
    other = best_filter_risk(problem, n)
    return other.risk, other.kappa


def simulate_risk(
    problem: KernelRegression, n: int, runs: int, seed: int, width: int | None = None
) -> SimulatedRisk:
    """Fits of `runs` training sets, the first modes, at the best ridge or time of the theory.

    Raises
    ------
    ValueError, TypeError
        If the filter is neither ridge nor gradient flow, or a number is out of its range.
    """
    if problem.filter not in (RIDGE, FLOW):
        raise ValueError(
            f"simulate_risk is for ridge regression and gradient flow, found {problem.filter.name}"
        )
    size = whole_number(n, "n", 1)
    beta, s, noise = (float(v) for v in (problem.beta, problem.s, problem.noise))
    i = np.arange(1.0, DRAWN + 1)
    lam, theta = i**-beta, i ** -(2 * s * beta + 1)
    features = math.inf if width is None else float(whole_number(width, "width", 1))
    if problem.filter == RIDGE:
        best = best_risk(modes(lam, theta), size, noise, features)
        theory, ridge = best.risk, best.ridge
    else:
        flow = best_flow_risk(modes(lam, theta), size, noise)
        theory, ridge = flow.risk, flow.kappa
    found = simulate_ridge(lam, theta, size, ridge, noise, runs, seed, width, problem.filter)
    return SimulatedRisk(size, runs, found.mean, found.standard_error, theory)
