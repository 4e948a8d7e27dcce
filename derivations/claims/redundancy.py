"""What Bi & Calhoun state (arXiv:2509.20721) of kernel regression, in the order of their paper.

Infinite spectra at n up to 1e12, so that an exponent that differs from the law does not come from a
truncation. What they state of Transformers is judged in `redundancy_transformers`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from numerics.kernels import best_risk, effective_exponent, optimal_risk
from numerics.modes import power_law_modes
from numerics.universality import mapped_kernel, mixture_modes, ostrowski_ratios
from theory.redundancy import KernelRegression, excess, samples
from theory.redundancy_universality import width_exponent

from .claim import Claim, Evidence, Number
from .criteria import Case, always, in_the_limit, shared, worst
from .formulas import against, exponent

__all__ = ["CLAIMS"]

LIMIT = 0.01
ROUNDING = 1e-9
"""Of a local exponent, from risks good to 12 digits over a factor 4 in n."""

s, beta, ridge, delta, c = sp.symbols("s beta lambda delta c", positive=True)
N, low, high = sp.symbols("N sigma_1^2 sigma_P^2", positive=True)
before, after = sp.symbols("lambda_i lambda_i'", positive=True)

LAW = sp.Eq(excess, c * samples ** (-2 * s / (2 * s + 1 / beta)), evaluate=False)
DIMENSION = sp.Eq(N, c * ridge ** (-1 / beta), evaluate=False)
RIDGE = sp.Eq(ridge, c * samples ** (-1 / (2 * s + 1 / beta)), evaluate=False)
OSTROWSKI = r"\sigma_{\min}^2 \leq \lambda_i(A C A^T)/\lambda_i(C) \leq \sigma_{\max}^2"

BETAS = (sp.Rational(3, 2), sp.Integer(2), sp.Integer(3))
RATE = 1


def _deep(full: bool) -> list[float]:
    return [1e4, 1e6, 1e8, *([1e10, 1e12] if full else [])]


def _labels(sizes: Sequence[float]) -> list[str]:
    return [f"n = {size:g}" for size in sizes]


def _slopes(quantity: Callable[[float], float], sizes: Sequence[float]) -> list[float]:
    """Local exponents about each n, over a factor 4."""
    return [
        float(effective_exponent(ends, [quantity(x) for x in ends])[0])
        for ends in ((size / 2, size * 2) for size in sizes)
    ]


def _claimed(formula: sp.Eq, variable: sp.Symbol, **values: Any) -> float:
    names = {"s": s, "beta": beta}
    point = {names[name]: sp.sympify(value) for name, value in values.items()}
    return float(exponent(formula, variable).subs(point))


def _risk(problem: KernelRegression, n: float) -> float:
    return best_risk(power_law_modes(problem, n), n, RATE).risk


def _exponent(formula: sp.Eq, full: bool) -> Evidence:
    """The exponent at the best ridge, for rough and for smooth targets."""
    sizes, found, numbers = _deep(full), [], []
    for value in ("1/4", "1/2", "3/4", "1", "3/2", "2"):
        off = []
        for slope in BETAS:
            problem = KernelRegression(slope, value)
            slopes = _slopes(partial(_risk, problem), sizes)
            claimed = _claimed(formula, samples, s=problem.s, beta=slope)
            off.append([x / claimed - 1 for x in slopes])
            if slope == 2:
                what = f"exponent at n = {sizes[-1]:g}, s = {value}, β = 2 {against(claimed)}"
                numbers.append(Number(what, slopes[-1], ROUNDING))
        found.append((f"s = {value}", in_the_limit(worst(_labels(sizes), off), LIMIT)))
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _dimension(formula: sp.Eq, full: bool) -> Evidence:
    """The exponent of N_1 = sum_i lam_i/(lam_i + lam)."""
    ridges = [1e-4, 1e-8, 1e-12, *([1e-16] if full else [])]
    off, numbers = [], []
    for slope in BETAS:
        spectrum = power_law_modes(KernelRegression(slope, 1), ridges[-1] ** -float(1 / slope))
        slopes = _slopes(lambda x, on=spectrum: float(on.dimension(x)), ridges)
        claimed = _claimed(formula, ridge, beta=slope)
        off.append([x / claimed - 1 for x in slopes])
        what = f"exponent at λ = {ridges[-1]:g}, β = {slope} {against(claimed)}"
        numbers.append(Number(what, slopes[-1], ROUNDING))
    cases = worst([f"λ = {x:g}" for x in ridges], off)
    verdict, condition = in_the_limit(cases, LIMIT)
    return Evidence(verdict, tuple(numbers), condition)


def _ridge(formula: sp.Eq, full: bool) -> Evidence:
    """The exponent of the best ridge."""
    sizes, found, numbers = _deep(full), [], []
    for value in ("1/4", "1/2", "3/4", "3/2"):
        problem = KernelRegression(2, value)
        slopes = _slopes(lambda n, of=problem: optimal_risk(2, of.s, n, RATE).ridge, sizes)
        claimed = _claimed(formula, samples, s=problem.s, beta=2)
        cases = [(at, x / claimed - 1) for at, x in zip(_labels(sizes), slopes, strict=True)]
        found.append((f"s = {value}", in_the_limit(cases, LIMIT)))
        what = f"exponent of the ridge at n = {sizes[-1]:g}, s = {value} {against(claimed)}"
        # The minimum is flat: its place is good to the root of the rounding of the risk.
        numbers.append(Number(what, slopes[-1], 1e-5))
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _source(formula: sp.Eq, full: bool) -> Evidence:
    """Targets lam^s g with g_i = i^(-1/2-e), square summable for e > 0, at the border for e = 0.

    They have the exponent of s + e/beta: the law bounds their risks from above.
    """
    sizes, found, numbers = _deep(full), [], []
    for e in (sp.Integer(0), sp.Rational(1, 8), sp.Rational(1, 4)):
        problem = KernelRegression(2, sp.Rational(1, 4) + e / 2)
        slopes = _slopes(partial(_risk, problem), sizes)
        claimed = _claimed(formula, samples, s="1/4", beta=2)
        cases = [(at, x / claimed - 1) for at, x in zip(_labels(sizes), slopes, strict=True)]
        found.append((f"g_i = i^-{sp.Rational(1, 2) + e}", in_the_limit(cases, LIMIT)))
        what = f"exponent at n = {sizes[-1]:g}, s = 1/4, β = 2, e = {e} {against(claimed)}"
        numbers.append(Number(what, slopes[-1], ROUNDING))
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _acceleration(formula: sp.Eq, full: bool) -> Evidence:
    """Gain in the exponent from beta = 3/2 to beta = 4, with s or with the target held fixed."""
    sizes, found, numbers = _deep(full)[-1:], [], []
    gain = abs(_claimed(formula, samples, s="1/2", beta=4)) - abs(
        _claimed(formula, samples, s="1/2", beta="3/2")
    )
    fixed = {
        "s = 1/2": lambda slope: KernelRegression(slope, "1/2"),
        "target θ_i² = i^-2": lambda slope: KernelRegression.of_target(slope, 2),
    }
    for where, problem in fixed.items():
        ends = [_slopes(partial(_risk, problem(b)), sizes)[0] for b in ("3/2", 4)]
        won = abs(ends[1]) - abs(ends[0])
        found.append((f"fixed {where}", always([(f"n = {sizes[0]:g}", won / gain - 1)], 0.05)))
        what = f"gain in the exponent, β = 3/2 to 4, fixed {where} {against(gain)}"
        numbers.append(Number(what, won, ROUNDING))
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _map_spectrum(_: str, full: bool) -> Evidence:
    """Ostrowski's bounds, for random matrices and for the rank-one map."""
    size = 400 if full else 150
    lam = np.arange(1.0, size + 1) ** -2
    direction = np.arange(1.0, size + 1) ** -0.75
    random = np.random.default_rng(0).normal(size=(size, size)) / (3 * np.sqrt(size))
    cases: list[Case] = []
    numbers = []
    for name, A in (
        ("1 + x xᵀ, x_i = i^-3/4", np.eye(size) + np.outer(direction, direction)),
        ("1 + a random matrix", np.eye(size) + random),
    ):
        ratios, least, most = ostrowski_ratios(lam, A)
        beyond = max(least / ratios.min() - 1, ratios.max() / most - 1, 0.0)
        cases.append((f"A = {name}", beyond))
        for what, value in (("smallest", ratios.min()), ("largest", ratios.max())):
            bound = least if what == "smallest" else most
            text = f"{what} λ_i'/λ_i, A = {name} (bound: {bound:.4g})"
            numbers.append(Number(text, float(value), 1e-9 * float(value)))
    verdict, condition = always(cases, 1e-9)
    return Evidence(verdict, tuple(numbers), condition)


def _map_law(formula: sp.Eq, full: bool) -> Evidence:
    """The exponent after the map 1 + x x^T, x_i = i^(-1/2-delta), β = 2."""
    sizes, found, numbers = [1e8, 1e12, 1e16, *([1e20] if full else [])], [], []
    for value, bend in (("1/2", "1"), ("3/4", "3/4"), ("3/4", "1/4"), ("1", "1/4")):
        problem = KernelRegression(2, value)
        mapped = mapped_kernel(problem, bend)
        slopes = _slopes(lambda n, of=mapped: of.risk(n, RATE), sizes)
        claimed = _claimed(formula, samples, s=problem.s, beta=2)
        cases = [(at, x / claimed - 1) for at, x in zip(_labels(sizes), slopes, strict=True)]
        found.append((f"s = {value}, δ = {bend}", in_the_limit(cases, 2 * LIMIT)))
        what = f"exponent at n = {sizes[-1]:g}, s = {value}, δ = {bend} {against(claimed)}"
        numbers.append(Number(what, slopes[-1], ROUNDING))
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _mixture(formula: sp.Eq, full: bool) -> Evidence:
    """Two blocks of equal weight, against the law of the one with the slower spectrum."""
    sizes, found, numbers = _deep(full), [], []
    for pair in (
        (("2", "1/2"), ("4", "1/2")),
        (("2", "1/2"), ("4", "3/4")),
        (("2", "1"), ("4", "1/2")),
    ):
        blocks = [KernelRegression(*block) for block in pair]
        slopes = _slopes(
            lambda n, of=blocks: best_risk(mixture_modes(of, [1, 1], n), n, RATE).risk, sizes
        )
        claimed = _claimed(formula, samples, s=blocks[0].s, beta=blocks[0].beta)
        name = " and ".join(f"(β, s) = ({b}, {v})" for b, v in pair)
        cases = [(at, x / claimed - 1) for at, x in zip(_labels(sizes), slopes, strict=True)]
        found.append((name, in_the_limit(cases, LIMIT)))
        what = f"exponent at n = {sizes[-1]:g}, {name} {against(claimed)}"
        numbers.append(Number(what, slopes[-1], ROUNDING))
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _width(formula: sp.Eq, full: bool) -> Evidence:
    """Random features of a fixed width, and of widths that grow as powers of n; s = 3/4, β = 2."""
    sizes, found, numbers = _deep(full), [], []
    problem = KernelRegression(2, "3/4")
    needed = float(width_exponent(problem))
    claimed = _claimed(formula, samples, s=problem.s, beta=2)
    widths: dict[str, Callable[[float], float]] = {
        "m = 1000": lambda n: 1000.0,
        f"m = n^{needed - 0.1:g}": lambda n: n ** (needed - 0.1),
        f"m = n^{needed + 0.1:g}": lambda n: n ** (needed + 0.1),
    }
    for name, width in widths.items():
        slopes = _slopes(
            lambda n, m=width: best_risk(power_law_modes(problem, n), n, RATE, m(n)).risk, sizes
        )
        cases = [(at, x / claimed - 1) for at, x in zip(_labels(sizes), slopes, strict=True)]
        found.append((name, in_the_limit(cases, 3 * LIMIT)))
        what = f"exponent at n = {sizes[-1]:g}, {name} {against(claimed)}"
        numbers.append(Number(what, slopes[-1], ROUNDING))
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _entry(
    key: str, statement: str, formula: str | sp.Basic, judge: Callable[[Any, bool], Evidence]
) -> Claim:
    """A claim whose judge is given the formula that is printed."""
    return Claim(key, "BC25", statement, formula, partial(judge, formula))


CLAIMS: tuple[Claim, ...] = (
    _entry(
        "redundancy_law",
        "Kernel ridge regression, λ_i = i^-β, noisy data: the excess risk falls as "
        "n^(-2s/(2s + 1/β)).",
        LAW,
        _exponent,
    ),
    _entry(
        "effective_dimension",
        "The effective dimension grows as λ^(-1/β): 1/β measures redundancy.",
        DIMENSION,
        _dimension,
    ),
    _entry("optimal_ridge", "The best ridge falls as n^(-1/(2s + 1/β)).", RIDGE, _ridge),
    _entry(
        "source_condition",
        "This is the exponent of every target λ^s g with g square summable.",
        LAW,
        _source,
    ),
    _entry(
        "steeper_is_faster",
        "Steeper spectra accelerate learning: the exponent grows with β.",
        LAW,
        _acceleration,
    ),
    _entry(
        "maps_keep_spectrum",
        "A bounded invertible map of the features keeps the decay of the spectrum.",
        OSTROWSKI,
        _map_spectrum,
    ),
    _entry(
        "maps_keep_law",
        "A bounded invertible map of the features keeps the exponent of the law.",
        LAW,
        _map_law,
    ),
    _entry(
        "mixtures",
        "A mixture of blocks of data has the law of its heaviest tail, the smallest β.",
        LAW,
        _mixture,
    ),
    _entry("finite_width", "At a finite width m the law is kept.", LAW, _width),
)
