"""Linear activation: learned features and the best use of compute, eta -> 0, L = oo."""

from __future__ import annotations

from functools import cache

import mpmath as mp
import numpy as np
import sympy as sp

from theory.features import N_l, compute

from ..claim import Claim, Evidence, Number
from ..criteria import in_the_limit, worst
from .common import BETAS, LIMIT, beta, entry, eps, judge_powers

__all__ = ["CLAIMS"]

constant = sp.Symbol("c", positive=True)
FEATURES = sp.Eq(eps, N_l**-beta / (2 * beta * sp.zeta(1 + beta)), evaluate=False)
POWER = sp.Eq(eps, constant * N_l**-beta, evaluate=False)
BEST = sp.Eq(N_l, constant * compute ** (1 / (2 + beta)), evaluate=False)
BEST_ERROR = sp.Eq(eps, constant * compute ** (-beta / (2 + beta)), evaluate=False)


def _tail(value: sp.Rational, learned: int, modes: int | None = None) -> float:
    """What N_l trained directions leave of eps_g(0) = 1/2: exact sums over k > N_l, L = oo or L."""
    order = 1 + mp.mpf(value.p) / value.q
    beyond = mp.mpf(0) if modes is None else mp.zeta(order, modes + 1)
    return float((mp.zeta(order, learned + 1) - beyond) / (mp.zeta(order) - beyond) / 2)


def _sizes(full: bool) -> list[int]:
    return [10, 100, 1000, *([10_000, 100_000] if full else [])]


def _features(formula: sp.Eq, full: bool) -> Evidence:
    """The constant of the law."""
    sizes = _sizes(full)
    labels, off, numbers = [f"N_l = {size}" for size in sizes], [], []
    for value in BETAS:
        law = [float(formula.rhs.subs({N_l: size, beta: value})) for size in sizes]
        ratios = [_tail(value, size) / claimed for size, claimed in zip(sizes, law, strict=True)]
        off.append([1 / ratio - 1 for ratio in ratios])
        what = f"exact / law at N_l = 100, β = {value}"
        short = _tail(value, 100, 100_000) / law[sizes.index(100)]
        numbers.append(Number(f"{what}, L = ∞", ratios[1], 0))
        numbers.append(Number(f"{what}, L = 100000", short, 0))
    verdict, condition = in_the_limit(worst(labels, off), LIMIT)
    return Evidence(verdict, tuple(numbers), condition)


def _power(formula: sp.Eq, full: bool) -> Evidence:
    """The exponent, between N_l and 2 N_l."""
    sizes = _sizes(full)
    found = []
    for value in BETAS:
        slopes = [float(np.log2(_tail(value, 2 * n) / _tail(value, n))) for n in sizes]
        found.append(("slope", value, slopes, 0.0))
    return judge_powers(formula, N_l, [f"N_l = {size}" for size in sizes], found)


def _optimum(value: sp.Rational, budget: float) -> tuple[int, float]:
    """The best N_l at alpha N_l = C and its error, time in units of 1/(2 eta lam_+)."""
    order = 1 + float(value)

    @cache
    def error(learned: int) -> float:
        modes = np.arange(1, learned + 1) ** -order
        trained = np.sum(modes * np.exp(-budget / learned * modes))
        return float(trained + mp.zeta(order, learned + 1)) / float(mp.zeta(order)) / 2

    # There is one minimum: bracket it, then search by thirds, in whole numbers.
    high = 4
    while error(high) < error(high // 2):
        high *= 2
    low = high // 4
    while high - low > 2:
        third = (high - low) // 3
        left, right = low + third, high - third
        low, high = (low, right) if error(left) < error(right) else (left, high)
    best = min(range(low, high + 1), key=error)
    return best, error(best)


def _best(formula: sp.Eq, full: bool) -> Evidence:
    """The exponent of the best N_l, over a factor 100 in compute."""
    return _optimal(formula, full, 0, "best N_l")


def _best_error(formula: sp.Eq, full: bool) -> Evidence:
    """The exponent of the error that it leaves."""
    return _optimal(formula, full, 1, "smallest error")


def _optimal(formula: sp.Eq, full: bool, which: int, name: str) -> Evidence:
    budgets = [1e2, 1e4, 1e6, 1e8, *([1e10] if full else [])]
    found = []
    for value in BETAS[1:]:
        optima = [_optimum(value, budget) for budget in budgets]
        powers = np.diff(np.log([pair[which] for pair in optima])) / np.log(100)
        rounding = 1 / (optima[-2][0] * np.log(100)) if which == 0 else 0.0
        found.append((f"exponent of the {name}", value, powers, rounding))
    labels = [f"2ηλ₊C = {budget:g}" for budget in budgets[1:]]
    return judge_powers(formula, compute, labels, found)


CLAIMS: tuple[Claim, ...] = (
    entry(
        "feature_exponent",
        "Linear units of which N_l directions are trained end at an error that falls as N_l^-β.",
        POWER,
        _power,
    ),
    entry(
        "feature_constant",
        "Linear units that start at zero, L = ∞: the constant of that law is 1/(2β ζ(1+β)).",
        FEATURES,
        _features,
    ),
    entry(
        "compute_features",
        "Linear units, fixed compute C = α N_l: the best N_l grows as C^(1/(2+β)).",
        BEST,
        _best,
    ),
    entry(
        "compute_error",
        "Linear units: the best error at fixed compute C falls as C^(-β/(2+β)).",
        BEST_ERROR,
        _best_error,
    ),
)
