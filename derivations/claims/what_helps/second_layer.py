"""Output weights that learn (Goldt et al. 2019): their equation, and students too large."""

from __future__ import annotations

import math
from functools import lru_cache, partial

import numpy as np
import sympy as sp

from numerics import initial, integrate
from numerics.second_layer import integrate_second_layer
from numerics.second_layer_sgd import simulate_second_layer
from theory import Isotropic, TeacherStudent, order_parameter_odes
from theory.second_layer import second_layer

from ..claim import Claim, Evidence, Number
from ..criteria import always

__all__ = ["CLAIMS"]

UNITS = 2
"""M of the teacher."""
LATE = 1e5
"""alpha from which eps_g is called final."""
RUN = 1e-6
"""Relative, of eps_g at the tolerance used."""
RUNS = 64
STEADY = 1.7
"""rms of a z-score, in units of what is expected, that still says nothing."""
SHARE = 0.1

K, A, eps = sp.symbols("K A epsilon_g", positive=True)
EQUATION = (
    r"\frac{dv_i}{d\alpha} = \eta_v\Big[c\sum_n I_2(x_i, y_n) - \sum_j v_j I_2(x_i, x_j)\Big]"
)
SMALLER = sp.Eq(eps, A / K, evaluate=False)
LARGER = r"\varepsilon_g(K) > \varepsilon_g(M) \text{ at } \alpha \to \infty, \text{ where } K > M"


def _equation(formula: str, full: bool) -> Evidence:
    """V and Q of simulations in standard errors of their means."""
    model = TeacherStudent(3, UNITS, label_noise="1/10", eta=1)
    v, at, size = [0.3, 0.9, 0.5], [0.5, 2, 10], 512 if full else 128
    start = initial(model, "1/2", N=size, seed=1)
    path = integrate_second_layer(second_layer(model, "1/2"), start, at[-1], v, at=at)
    found = simulate_second_layer(model, "1/2", start, at[-1], size, RUNS, seed=2, weights=v, at=at)
    runs, weights = found.overlaps, found.weights
    error = np.std(weights, axis=0, ddof=1) / math.sqrt(RUNS)
    scores = {
        "v": (weights.mean(axis=0) - path.weights) / error,
        "q": (runs.mean.q - path.overlaps.q) / runs.standard_error.q,
    }
    rms = {name: float(np.sqrt(np.mean(z**2))) for name, z in scores.items()}
    cases = [(f"{name}, N = {size}", score) for name, score in rms.items()]
    verdict, condition = always(cases, STEADY * math.sqrt((RUNS - 1) / (RUNS - 3)))
    numbers = (Number(f"rms z-score of {where}, {RUNS} runs", score, 0.3) for where, score in cases)
    return Evidence(verdict, tuple(numbers), condition)


@lru_cache(maxsize=16)
def _final(units: int, both: bool) -> float:
    """eps_g at the end, erf, c = 1, sigma^2 = 1/100, isotropic inputs."""
    model = TeacherStudent(units, UNITS, "erf", Isotropic(), "1/5", "unit", label_noise="1/100")
    start, at = initial(model, "1/2", N=1000, seed=3), [LATE]
    if both:
        path = integrate_second_layer(second_layer(model, "1/5"), start, LATE, at=at, rtol=RUN)
        return float(path.generalization_error[0])
    ode = order_parameter_odes(model)
    single = integrate(ode, start, LATE, at=at, rtol=RUN, method="runge-kutta")
    return float(single.generalization_error[0])


def _sizes(full: bool) -> list[int]:
    return [UNITS, 3, 4, *([5] if full else [])]


def _smaller(formula: sp.Eq, full: bool) -> Evidence:
    """Final errors with both layers trained, against the printed power of K."""
    first, cases, numbers = _final(UNITS, True), [], []
    for units in _sizes(full):
        found = _final(units, True)
        ratio = formula.rhs.subs(K, units) / formula.rhs.subs(K, UNITS)
        claimed = first * float(ratio)
        cases.append((f"K = {units}, α = {LATE:g}", claimed / found - 1))
        what = f"final ε_g, both layers, K = {units}, M = {UNITS}"
        numbers.append(Number(what, found, RUN * found))
    verdict, condition = always(cases, SHARE)
    return Evidence(verdict, tuple(numbers[::-1]), condition)


def _larger(formula: str, full: bool) -> Evidence:
    """Final errors with the first layer trained alone, against that of K = M."""
    first, cases, numbers = _final(UNITS, False), [], []
    for units in _sizes(full)[1:]:
        ratio = _final(units, False) / first
        cases.append((f"K = {units}", max(0.0, 1 - ratio)))
        what = f"final ε_g, first layer alone, K = {units} / K = {UNITS}"
        numbers.append(Number(what, ratio, RUN * ratio))
    verdict, condition = always(cases, 0.0)
    return Evidence(verdict, tuple(numbers), condition)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "second_layer",
        "GA19",
        "For N → ∞ output weights that learn obey one more differential equation, without noise.",
        EQUATION,
        partial(_equation, EQUATION),
    ),
    Claim(
        "larger_students",
        "GA19",
        "Training the first layer alone on noisy labels, students with K > M end with more error.",
        LARGER,
        partial(_larger, LARGER),
    ),
    Claim(
        "both_layers",
        "GA19",
        "Training both layers of erf networks instead, the final error falls with K, as 1/K.",
        SMALLER,
        partial(_smaller, SMALLER),
    ),
)
