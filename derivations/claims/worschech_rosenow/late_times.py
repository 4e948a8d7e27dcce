"""erf units, K = M: the end of learning, eta -> 0."""

from __future__ import annotations

from itertools import product

import numpy as np
import sympy as sp
from scipy.optimize import brentq

from numerics import InitialCondition, integrate
from numerics.linearised import linearise
from numerics.storage import Array
from theory import order_parameter_odes
from theory.symbols import alpha

from ..claim import Claim, Evidence, Number
from ..criteria import always, in_the_limit
from ..formulas import against
from .common import (
    BETAS,
    LIMIT,
    L,
    M,
    beta,
    entry,
    eps,
    erf_network,
    eta,
    judge_powers,
    local_slopes,
)

__all__ = ["CLAIMS"]

SLOPE_ERROR = 1e-6
RATE = 1e-5
"""Relative, of a rate of eps_g between two times, from a start of 1e-3."""
FOLDS = 60.0
"""e-folds of eps_g after which the slowest mode of few is alone."""

constant, h_u, h_v, lam_L, decay, crossover = sp.symbols(
    "c h_u h_v lambda_L r alpha_c", positive=True
)
SLOWER = (2 * sp.sqrt(3) - 3) / (3 * sp.pi * M)
RATES = sp.Tuple(
    sp.Eq(h_u, (3 * M - 3 + 2 * sp.sqrt(3)) / (3 * sp.pi * M), evaluate=False),
    sp.Eq(h_v, SLOWER, evaluate=False),
)
TIME = sp.Eq(eps, constant * alpha ** (-beta / (1 + beta)), evaluate=False)
END = sp.Eq(decay, 2 * eta * SLOWER * lam_L, evaluate=False)
CROSSOVER = sp.Eq(crossover, constant * L**beta / eta, evaluate=False)


def _apart(matrix: Array) -> InitialCondition:
    """Students whose J - B has the overlaps `matrix` with itself and none with a teacher."""
    one = np.eye(len(matrix))
    return InitialCondition((one + matrix)[None], one[None])


def _decay(model: object, begin: InitialCondition, first: float, last: float) -> float:
    """Rate of eps_g between two times, eta^2 terms dropped."""
    ode = order_parameter_odes(model, gradient_flow=True)
    errors = integrate(ode, begin, last, at=[first, last]).generalization_error
    return float(np.log(errors[0] / errors[1]) / (last - first))


def _rates(formula: sp.Tuple, full: bool) -> Evidence:
    """Decay of eps_g = h d/2 from deviations common to all units, and from those that are not."""
    cases, numbers = [], []
    for units in (2, 3, *((5,) if full else ())):
        model = erf_network(units, 1)
        common = np.ones((units, units)) / units
        for equation, share in zip(formula, (common, np.eye(units) - common), strict=True):
            claimed = float(equation.rhs.subs(M, units))
            unit = 1 / (2 * float(model.eta) * claimed)
            found = _decay(model, _apart(1e-6 * share), unit, 3 * unit) * unit * claimed
            where = f"{equation.lhs}, M = {units}"
            cases.append((where, claimed / found - 1))
            numbers.append(Number(f"{where} {against(claimed)}", found, RATE * found))
    verdict, condition = always(cases, RATE)
    return Evidence(verdict, tuple(numbers), condition)


def _time(formula: sp.Eq, full: bool) -> Evidence:
    """Local slopes of the integrated equations for L = oo, time in units of 1/(eta lam_+)."""
    times = [1e2, 1e4, 1e6, 1e8, *([1e10] if full else [])]
    found = []
    for units, value in product((2, 3) if full else (2,), BETAS):
        one = np.eye(units)[None]
        start = InitialCondition(1.2 * one, 0.1 * one)
        slopes = local_slopes(erf_network(units, "oo", value), start, times, gradient_flow=True)
        found.append((f"slope, M = {units}, L = ∞,", value, slopes, SLOPE_ERROR))
    return judge_powers(formula, alpha, [f"ηλ₊α = {time:g}" for time in times], found)


def _end(formula: sp.Eq, full: bool) -> Evidence:
    """The last rate for few eigenvalues, from students that lean towards their teachers."""
    cases, numbers = [], []
    for modes in (1, 2, 4, 8, *((16,) if full else ())):
        model = erf_network(2, modes)
        slowest = min(model.spectrum.eigenvalues)
        claimed = float(formula.rhs.subs({M: 2, eta: model.eta, lam_L: slowest}))
        one = np.eye(2)[None]
        begin = InitialCondition(1.2 * one, 0.1 * one)
        found = _decay(model, begin, FOLDS / claimed, 1.1 * FOLDS / claimed)
        where = f"L = {modes}"
        cases.append((where, claimed / found - 1))
        numbers.append(Number(f"rate / formula, M = 2, {where}", found / claimed, RATE))
    verdict, condition = in_the_limit(cases, LIMIT)
    return Evidence(verdict, tuple(numbers), condition)


def _crossover(formula: sp.Eq, full: bool) -> Evidence:
    """The time at which the local slope is twice that of the power law, against L."""
    sizes = [16, 64, 256, 1024, *([4096, 16384] if full else [])]
    found, decades = [], []
    for value in BETAS[2:]:
        times = [_bend(size, value) for size in sizes]
        powers = np.diff(np.log(times)) / np.log(4)
        found.append(("power of L in α_c", value, powers, SLOPE_ERROR))
        won = np.log10(times[-1] / times[0])
        what = f"decades of time won from L = 16 to {sizes[-1]}, β = {value}"
        decades.append(Number(what, won, SLOPE_ERROR))
    return judge_powers(formula, L, [f"L = {size}" for size in sizes[1:]], found, decades)


def _bend(size: int, value: sp.Rational) -> float:
    model = erf_network(2, size, value)
    power = float(value / (1 + value))
    slowest = float(model.spectrum.largest * size ** -(1 + value))
    relaxed = 1 / float(2 * model.eta * SLOWER.subs(M, 2) * slowest)
    linear = linearise(model, 10 * relaxed, gradient_flow=True)

    def beyond(log_time: float) -> float:
        return float(linear.slope([np.exp(log_time)])[0]) + 2 * power

    begin, end = np.log(relaxed) + np.array([-7, 2])
    return float(np.exp(brentq(beyond, begin, end, xtol=1e-10)))


CLAIMS: tuple[Claim, ...] = (
    entry(
        "two_rates",
        "erf, K = M: near the teacher, mode k relaxes at two rates, ηλ_k h_u and ηλ_k h_v.",
        RATES,
        _rates,
    ),
    entry(
        "erf_time_exponent",
        "erf, K = M, specialised: the error falls as α^(-β/(1+β)), as for linear units.",
        TIME,
        _time,
    ),
    entry(
        "exponential_end",
        "erf, K = M: few eigenvalues let learning end exponentially, at the rate of the smallest.",
        END,
        _end,
    ),
    entry(
        "crossover",
        "erf, K = M: many let a power law come before, which lasts to α_c ∝ L^β/η.",
        CROSSOVER,
        _crossover,
    ),
)
