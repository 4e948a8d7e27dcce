"""erf units, K = M: how long the plateau lasts, and when there is none."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import sympy as sp

from numerics import initial, plateau_growth, simulate_plateau
from numerics.measure import eigenvalues_and_weights
from numerics.plateau_length import measure_plateau
from theory import TeacherStudent
from theory.symbols import k, lam, w

from ..claim import Claim, Evidence, Number, Verdict
from ..criteria import always, in_the_limit, worst
from .common import LIMIT, L, M, entry, erf_network, on_spectrum

__all__ = ["CLAIMS"]

GROWTH = 1e-4
"""Of a difference of lengths over a decade of S_0, in units of tau_esc."""
TIME = 1e-6
"""Relative, of a length."""
SAMPLED = 0.03
"""Relative, of means over random starts and runs: four standard errors or more."""
SIGMA = "1/100"

tau, length, start, sigma, N = sp.symbols("tau_esc l S_0 sigma_J N", positive=True)

LENGTH = sp.Eq(length, tau * sp.log(1 / start), evaluate=False)
SIMULATED = sp.Eq(length, tau * sp.log(sp.sqrt(N) / sigma), evaluate=False)
RANDOM = sp.Eq(
    sp.Symbol(r"\mathbb{E}[S_0^2]"),
    (M - 1) ** 2 * sigma**2 / N * sp.Sum(w[k] * lam[k] ** 2, (k, 1, L)),
    evaluate=False,
)
DISAPPEARING = r"l(4L) < l(L), \quad l(L) = 0 \ \text{for large}\ L"


def _per_factor_e(formula: sp.Eq) -> float:
    """Growth of the length, in units of tau_esc, when S_0 falls by a factor e."""
    return float(-start * (formula.rhs / tau).diff(start))


def _length(formula: sp.Eq, full: bool) -> Evidence:
    """Growth of measured lengths over decades of S_0, eta -> 0."""
    claimed = _per_factor_e(formula)
    sizes = [(2, 2), (2, 8), *([(3, 1), (3, 8), (4, 4)] if full else [])]
    decades = [2, 4, 6]
    labels = [f"S_0 = 1e-{decade}" for decade in decades]
    off, numbers = [], []
    for units, modes in sizes:
        model = erf_network(units, modes)
        pairs = ([f"1/{10**decade}", f"1/{10 ** (decade + 1)}"] for decade in decades)
        slopes = [measure_plateau(model, pair).slope for pair in pairs]
        off.append([claimed / slope - 1 for slope in slopes])
        what = f"growth per factor e / τ_esc, M = {units}, L = {modes}"
        found = zip(labels, slopes, strict=True)
        numbers += [Number(f"{what}, {label}", slope, GROWTH) for label, slope in found]
    verdict, condition = in_the_limit(worst(labels, off), LIMIT)
    return Evidence(verdict, tuple(numbers), condition)


def _finite_rate(formula: sp.Eq, full: bool) -> Evidence:
    """The same at finite learning rates, noise of SGD included, M = L = 2."""
    claimed = _per_factor_e(formula)
    cases, numbers = [], []
    for step in ("1", "1/10", *(("1/100",) if full else ())):
        model = erf_network(2, 2, learning_rate=step)
        slope = measure_plateau(model, ["1/1000", "1/10000"], gradient_flow=False).slope
        cases.append((f"η = {step}", claimed / slope - 1))
        numbers.append(Number(f"growth per factor e / τ_esc, η = {step}", slope, GROWTH))
    verdict, condition = in_the_limit(cases, LIMIT)
    return Evidence(verdict, tuple(numbers), condition)


def _random(formula: sp.Eq, full: bool) -> Evidence:
    """Mean of S_0^2 over random starts."""
    units, draws = 8, (4_000 if full else 1_000)
    cases, numbers = [], []
    for modes in (1, 4):
        model, size = erf_network(units, modes), 4096
        right = on_spectrum(formula.rhs, model.spectrum)
        claimed = float(right.subs({M: units, sigma: sp.Rational(SIGMA), N: size}))
        found = np.array([_asymmetry(model, size, seed) for seed in range(draws)]) / claimed
        error = float(found.std() / math.sqrt(draws))
        where = f"M = {units}, L = {modes}, N = {size}"
        cases.append((where, float(found.mean()) - 1))
        numbers.append(Number(f"mean of S_0² / formula, {where}", found.mean(), error))
    verdict, condition = always(cases, SAMPLED)
    return Evidence(verdict, tuple(numbers), condition)


def _asymmetry(model: TeacherStudent, size: int, seed: int) -> float:
    """S_0^2 of one draw."""
    values, weights = eigenvalues_and_weights(model.spectrum)
    R = np.einsum("k,kin->in", weights * values, initial(model, SIGMA, size, seed).r)
    centred = R - R.mean(axis=0) - R.mean(axis=1, keepdims=True) + R.mean()
    return float(np.sum(centred**2))


def _simulated(formula: sp.Eq, full: bool) -> Evidence:
    """Growth of simulated lengths per factor e of 1/sigma_J, the same draws for both sigma_J."""
    claimed = float(-sigma * (formula.rhs / tau).diff(sigma))
    sizes, draws = ((1, 2, 4), 6) if full else ((2,), 4)
    cases, numbers = [], []
    for modes in sizes:
        model = erf_network(2, modes, learning_rate="1/5")
        large, small = (
            simulate_plateau(model, width, 128, draws, seed=0) for width in ("1/1000", "1/1000000")
        )
        slope, error = plateau_growth(large, small)
        where = f"M = 2, L = {modes}, η = 1/5, N = 128, {draws} draws"
        cases.append((where, claimed / slope - 1))
        numbers.append(Number(f"growth per factor e / τ_esc, {where}", slope, error))
    verdict, condition = always(cases, SAMPLED)
    return Evidence(verdict, tuple(numbers), condition)


def _disappearing(formula: str, full: bool) -> Evidence:
    """Lengths for more and more eigenvalues, K = M = 2, and what pauses are left at last."""
    starts = [("1/2", 2), (1, 3), (1, 6), *([("1/4", 6), (2, 2)] if full else [])]
    sizes = [4, 16, 64, 256, *([1024] if full else [])]
    ordered, pauses, numbers = True, [], []
    for slope, decades in starts:
        models = [erf_network(2, size, slope) for size in sizes]
        found = [measure_plateau(model, [f"1/{10**decades}"]) for model in models]
        lengths = [each.lengths[0] or 0.0 for each in found]
        ordered &= _vanishing(lengths)
        where = f"β = {slope}, S_0 = 1e-{decades}"
        for size, time in zip(sizes, lengths, strict=True):
            what = f"length of the plateau, {where}, L = {size}"
            numbers.append(Number(what, time or "none", TIME * time))
        pause = (found[-1].pauses[0] or 0.0) / found[-1].escape_time
        numbers.append(Number(f"pause / τ_esc, {where}, L = {sizes[-1]}", pause, TIME * pause))
        if pause:
            pauses.append(f"{pause:.2g} τ_esc at {where}")
    if not ordered:
        return Evidence(Verdict.FAILS, tuple(numbers), f"not by L = {sizes[-1]}, or not steadily")
    if not pauses:
        return Evidence(Verdict.HOLDS, tuple(numbers))
    left = f"at L = {sizes[-1]} the error still pauses above it, for {', '.join(pauses)}"
    return Evidence(
        Verdict.CONDITIONAL, tuple(numbers), f"the plateau is that of the symmetric point; {left}"
    )


def _vanishing(lengths: list[float]) -> bool:
    """Whether each is shorter than the one before, or both are zero, and the last is zero."""
    shorter = all(b < a or a == b == 0 for a, b in pairwise(lengths))
    return shorter and lengths[-1] == 0


CLAIMS: tuple[Claim, ...] = (
    entry(
        "plateau_length",
        "The plateau lasts τ_esc longer for every factor e by which students start more alike.",
        LENGTH,
        _length,
    ),
    entry(
        "plateau_length_finite_rate",
        "The plateau's length found for η → 0 is that of small learning rates.",
        LENGTH,
        _finite_rate,
    ),
    entry(
        "random_start",
        "Students drawn from N(0, σ_J²) start alike up to σ_J/√N: the plateau grows with log N.",
        RANDOM,
        _random,
    ),
    entry(
        "plateau_in_simulation",
        "In simulated SGD too the plateau lasts τ_esc longer for every factor e in 1/σ_J.",
        SIMULATED,
        _simulated,
    ),
    entry(
        "plateau_disappears",
        "With more distinct eigenvalues the plateau shortens until it disappears.",
        DISAPPEARING,
        _disappearing,
    ),
)
