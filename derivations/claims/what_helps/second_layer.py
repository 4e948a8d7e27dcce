"""Output weights that learn (Goldt et al. 2019): their equation, and students too large."""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import Any

import numpy as np
import sympy as sp

from numerics import initial, integrate
from numerics.second_layer import integrate_second_layer
from numerics.second_layer_sgd import simulate_second_layer
from theory import Isotropic, TeacherStudent, order_parameter_odes
from theory.second_layer import second_layer

from ..claim import Claim, Evidence, Number, Verdict
from ..criteria import always

__all__ = ["CLAIMS"]

UNITS = 2
"""M of the teacher."""
TIMES = (3e3, 1e5)
"""alpha at which eps_g is called final: when students have specialised, and much later."""
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
LARGER = r"\varepsilon_g(K + 1) > \varepsilon_g(K) \text{ at } \alpha \to \infty,\ K \geq M"


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
def final_errors(units: int, both: bool) -> tuple[float, ...]:
    """eps_g at TIMES, erf, c = 1, sigma^2 = 1/100, isotropic inputs."""
    model = TeacherStudent(units, UNITS, "erf", Isotropic(), "1/5", "unit", label_noise="1/100")
    start, at, end = initial(model, "1/2", N=1000, seed=3), list(TIMES), TIMES[-1]
    if both:
        equations = second_layer(model, "1/5")
        path: Any = integrate_second_layer(equations, start, end, at=at, rtol=RUN)
    else:
        ode = order_parameter_odes(model)
        path = integrate(ode, start, end, at=at, rtol=RUN, method="runge-kutta")
    return tuple(map(float, path.generalization_error))


def _sizes(full: bool) -> list[int]:
    return [UNITS, 3, 4, *([5] if full else [])]


def _smaller(formula: sp.Eq, full: bool) -> Evidence:
    """Final errors with both layers trained, against the printed power of K."""
    cases, numbers = [], []
    for units in _sizes(full):
        found = final_errors(units, True)[-1]
        ratio = formula.rhs.subs(K, units) / formula.rhs.subs(K, UNITS)
        claimed = final_errors(UNITS, True)[-1] * float(ratio)
        cases.append((f"K = {units}, α = {TIMES[-1]:g}", claimed / found - 1))
        what = f"ε_g at α = {TIMES[-1]:g}, both layers, K = {units}, M = {UNITS}"
        numbers.append(Number(what, found, RUN * found))
    verdict, condition = always(cases, SHARE)
    return Evidence(verdict, tuple(numbers[::-1]), condition)


def _larger(formula: str, full: bool) -> Evidence:
    """Whether errors with the first layer trained alone grow from K to K + 1, at each time."""
    grows, falls, numbers = [], [], []
    for n, time in enumerate(TIMES):
        errors = {units: final_errors(units, False)[n] for units in _sizes(full)}
        fallen = [u for u in list(errors)[1:] if errors[u] <= errors[u - 1]]
        (falls if fallen else grows).append(f"α = {time:g}")
        for units in list(errors)[1:]:
            ratio = errors[units] / errors[units - 1]
            what = f"ε_g, first layer alone, K = {units} / K = {units - 1}, α = {time:g}"
            numbers.append(Number(what, ratio, RUN * ratio))
    if not falls:
        return Evidence(Verdict.HOLDS, tuple(numbers))
    condition = f"not at {', '.join(falls)}"
    if not grows:
        return Evidence(Verdict.FAILS, tuple(numbers), condition)
    return Evidence(Verdict.CONDITIONAL, tuple(numbers), f"{', '.join(grows)}, {condition}")


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
        "Training the first layer alone on noisy labels, the final error grows with the units K.",
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
