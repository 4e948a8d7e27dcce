"""What Paquette, Xiao & Zhu state (arXiv:2603.14578) of the spectrum of random features y^p.

Infinitely many features and inputs by the exact spectrum and the law that inverts its count, up to
ranks that no computer reaches; finitely many by ensembles against that spectrum at the same v.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from numerics.spectra import FeatureSpectra, feature_spectra
from numerics.spectral_statistics import RATIO, naive_exponent, rank_windows
from numerics.storage import Array
from theory import chaos_eigenvalues
from theory.activations import X as argument
from theory.product_counts import X
from theory.spectral_law import eigenvalue_law, j, lam_j, leading_constant, spectral_count_law

from .claim import Claim, Evidence, Number, Verdict
from .criteria import always, in_the_limit, percent, shared, worst
from .formulas import against, exponent

__all__ = ["CLAIMS"]

a, c, d, m, p = sp.symbols("a c d m p", positive=True)
y, last = sp.symbols("y j_max", positive=True)

EXPONENT = sp.Eq(lam_j, c * j**-a, evaluate=False)
HEAD = sp.Eq(lam_j, c * (sp.log(j + 1) ** (p - 1) / j) ** a, evaluate=False)
COUNT = sp.Eq(y, c * sp.log(X) ** (p - 1), evaluate=False)
WINDOW = sp.Eq(last, c * d / sp.log(d) ** (p + 1), evaluate=False)
TAIL = sp.Eq(lam_j, c * sp.log(d) ** m * j**-a, evaluate=False)

LIMIT = 0.01
ORDER = 0.25
"""What "of order" is taken to mean, where one constant is to serve."""
AGREES = 0.2
"""Finite d against d = oo, in windows of ranks: some standard errors of the smallest ensembles."""
STEADY = 0.1
SHOWN = 1e-4
"""Error stated of ratios that are good to more digits than are of interest."""
RUNS, FIRST, INPUTS = 4, 10, 200
DEPTHS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Powers of ten of the ranks, or of X, at which laws are followed."""
ACTIVATIONS: dict[str, Any] = {
    "erf": "erf",
    "tanh": sp.tanh(argument),
    "GELU": argument * (1 + sp.erf(argument / sp.sqrt(2))) / 2,
    "ReLU": "relu",
    "sign": "sign",
}


def _depths(full: bool) -> tuple[int, ...]:
    return DEPTHS if full else DEPTHS[:-2:2]


def _reach(degree: int, full: bool) -> int:
    """Rank up to which the exact spectrum is computed in a moment."""
    if degree == 4:
        return 1000 if full else 100
    return 10_000 if full else 2000


@cache
def _limit(degree: int, number: int, v: Any = sp.oo) -> Array:
    """The largest eigenvalues for d = oo, a = 2."""
    return np.array([float(e.value) for e in chaos_eigenvalues(2, degree, number, v)])


@cache
def _ensemble(degree: int, features: int) -> FeatureSpectra:
    """Finite d with twice as many inputs, a = 2."""
    return feature_spectra(2, degree, 2 * features, features, runs=RUNS, seed=degree)


def _exponent(formula: sp.Eq, full: bool) -> Evidence:
    """Local exponents of the law that inverts the count, from ranks in reach to ranks that are not.

    The error is that of the law's exponent against the exact spectrum, over the last decade.
    """
    depths, found, numbers = _depths(full), [], []
    for degree in (1, 2, 3, 4):
        off = []
        for value in (sp.Integer(2), *((sp.Rational(3, 2), sp.Integer(3)) if full else ())):
            law = eigenvalue_law(value, degree)
            claimed = float(exponent(formula, j).subs(a, value))
            slopes = [float(law.local_exponent(sp.Integer(10) ** n)) for n in depths]
            off.append([slope / claimed - 1 for slope in slopes])
            if value == 2 and degree > 1:
                what = f"exponent at j = 10000, p = {degree}, a = 2 {against(claimed)}"
                numbers.append(Number(what, slopes[0], _slope_error(degree, full)))
        cases = worst([f"j = 1e{n}" for n in depths], off)
        found.append((f"p = {degree}", in_the_limit(cases, LIMIT)))
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _slope_error(degree: int, full: bool) -> float:
    """How far the law's exponent is from that of the exact spectrum, a = 2."""
    deepest = _reach(degree, full)
    exact, law = _limit(degree, deepest), eigenvalue_law(2, degree)
    off = [float(law(rank)) / exact[rank - 1] for rank in (deepest // 10, deepest)]
    return abs(float(np.log(off[1] / off[0]))) / float(np.log(10))


def _head(formula: sp.Eq, full: bool) -> Evidence:
    """lam_j over the formula with the constant that the theory gives it: one for all j."""
    depths, found, numbers = (1, 2, 3, *_depths(full)), [], []
    for degree in (1, 2, 3, 4):
        fixed = {a: 2, p: degree, c: leading_constant(2, degree)}
        claimed = sp.lambdify(j, formula.rhs.subs(fixed), "mpmath")
        law, exact = eigenvalue_law(2, degree), _limit(degree, _reach(degree, full))
        ratios = []
        for n in depths:
            rank = sp.Integer(10) ** n
            value = exact[int(rank) - 1] if rank <= len(exact) else law(rank)
            ratios.append(value / claimed(mp.mpf(10) ** n))
        cases = [(f"j = 1e{n}", float(r) - 1) for n, r in zip(depths, ratios, strict=True)]
        found.append((f"p = {degree}", in_the_limit(cases, ORDER)))
        shown = ((3, ratios[2]), (depths[-1], ratios[-1])) if degree > 1 else ()
        for n, ratio in shown:
            what = f"λ_j / formula at j = 1e{n}, p = {degree}, a = 2"
            # At p = 4, j = 1000 the law has taken the place of the spectrum.
            error = 0.05 * float(ratio) if (degree, n) == (4, 3) else SHOWN
            numbers.append(Number(what, float(ratio), error))
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _logarithms(formula: sp.Eq, full: bool) -> Evidence:
    """The power of log X in y = N/X, from the law; and what fits of the exact spectrum say."""
    depths, found, numbers = _depths(full), [], []
    for degree in (1, 2, 3, 4):
        law = spectral_count_law(2, degree)
        claimed = float(sp.limit(sp.log(X) * _log_slope(formula.rhs.subs(p, degree)), X, sp.oo))
        sizes = [sp.Integer(10) ** n for n in depths]
        powers = [float((law.local_exponent(X_) - 1) * sp.log(X_)) for X_ in sizes]
        cases = [
            (f"X = 1e{n}", power - claimed if claimed == 0 else power / claimed - 1)
            for n, power in zip(depths, powers, strict=True)
        ]
        found.append((f"p = {degree}", in_the_limit(cases, STEADY)))
        if degree > 1:
            what = f"power of log X at X = 10000, p = {degree} {against(claimed)}"
            numbers.append(Number(what, powers[0], float(law.claimed_error(10**4))))
            numbers.append(_joint_fit(degree, full))
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _log_slope(expr: sp.Expr) -> sp.Expr:
    """The local exponent of an expression in X."""
    return sp.simplify(X * expr.diff(X) / expr)


def _joint_fit(degree: int, full: bool) -> Number:
    """The exponent that a fit of log lam = const - a log j + q log log j finds for a = 2."""
    exact = _limit(degree, _reach(degree, full))
    ranks = np.arange(FIRST, len(exact) + 1)
    columns = np.stack([np.ones(len(ranks)), -np.log(ranks), np.log(np.log(ranks))], axis=1)
    # Every decade counts alike.
    weights = 1 / np.sqrt(ranks)
    fitted, *_ = np.linalg.lstsq(columns * weights[:, None], weights * np.log(exact[FIRST - 1 :]))
    what = (
        f"exponent that a joint fit with the power of log j gives, j ≤ {len(exact)}, p = {degree}"
    )
    return Number(f"{what} {against(2)}", float(fitted[1]), 0)


def _sizes(full: bool) -> tuple[int, ...]:
    return (100, 200, 400, *((1000,) if full else ()))


def _degrees(full: bool) -> tuple[int, ...]:
    return (1, 2, 3, 4) if full else (1, 2, 3)


def _last_rank(degree: int, features: int, runs: Any = slice(None)) -> float:
    """Rank up to which all windows agree with d = oo at the same v."""
    windows = rank_windows(FIRST, features)
    found = windows.mean_log(_ensemble(degree, features).eigenvalues[runs]).mean(axis=0)
    off = np.abs(np.expm1(found - windows.mean_log(_limit(degree, features, 2 * features))))
    outside = np.flatnonzero(off > AGREES)
    return float(windows.edges[outside[0]] if len(outside) else features)


def _rank_error(degree: int, features: int) -> float:
    """Of the logarithm of that rank: the jackknife's, half a window at least."""
    ends = [_last_rank(degree, features, np.arange(RUNS) != run) for run in range(RUNS)]
    return max(float(np.std(np.log(ends)) * np.sqrt(RUNS - 1)), np.log(RATIO) / 2)


def _window(formula: sp.Eq, full: bool) -> Evidence:
    """The window may not shrink against the formula, whose constant is fixed at the smallest d."""
    sizes, cases, numbers = _sizes(full), [], []
    for degree in _degrees(full):
        ends = [_last_rank(degree, features) for features in sizes]
        claimed = [float(formula.rhs.subs({d: n, p: degree, c: 1})) for n in sizes]
        for features, end, bound in zip(sizes, ends, claimed, strict=True):
            shrunk = min(0.0, end / ends[0] / (bound / claimed[0]) - 1)
            cases.append((f"p = {degree}, d = {features}", shrunk))
        growth = np.log(ends[-1] / ends[0]) / np.log(sizes[-1] / sizes[0])
        formal = np.log(claimed[-1] / claimed[0]) / np.log(sizes[-1] / sizes[0])
        spread = [_rank_error(degree, features) for features in (sizes[0], sizes[-1])]
        error = np.hypot(*spread) / np.log(sizes[-1] / sizes[0])
        what = f"power of d by which the window grows, p = {degree} {against(formal)}"
        numbers.append(Number(what, float(growth), float(error)))
        share = ends[-1] / sizes[-1]
        what = f"its last rank / d, p = {degree}, d = {sizes[-1]}"
        numbers.append(Number(what, share, share * spread[-1]))
    verdict, condition = always(cases, STEADY)
    return Evidence(verdict, tuple(numbers), condition)


def _tail(formula: sp.Eq, full: bool) -> Evidence:
    """Powers of d in the extremes of lam_j/j^-a beyond the window, less those of log^m d.

    m = a (p - 1) + 1: one power of the logarithm more than the head has.
    """
    sizes, cases, numbers = _sizes(full), [], []
    power = float(exponent(formula, j).subs(a, 2))
    middle = np.log(sizes[0] * sizes[-1]) / 2
    for degree in _degrees(full):
        extremes = np.array([_extremes(degree, n, power) for n in (sizes[0], sizes[-1])])
        slopes = np.diff(extremes, axis=0)[0] / np.log(sizes[-1] / sizes[0])
        allowed = (2 * (degree - 1) + 1) / middle
        for name, slope in zip(("smallest", "largest"), slopes, strict=True):
            cases.append((f"p = {degree}, the {name}", max(0.0, abs(slope) - allowed)))
            what = f"power of d in the {name} λ_j j^a beyond the window, p = {degree}, a = 2"
            what += f" (log^{2 * degree - 1} d: {allowed:.2f})"
            numbers.append(Number(what, float(slope), STEADY))
    verdict, condition = always(cases, STEADY)
    return Evidence(verdict, tuple(numbers), condition)


def _extremes(degree: int, features: int, power: float) -> tuple[float, float]:
    """Logarithms of the smallest and the largest lam_j/j^power beyond the window."""
    runs, first = _ensemble(degree, features).eigenvalues, int(_last_rank(degree, features))
    scaled = np.log(runs.mean(axis=0)) - power * np.log(np.arange(1, features + 1))
    return float(scaled[first - 1 :].min()), float(scaled[first - 1 :].max())


def _activations(formula: sp.Eq, full: bool) -> Evidence:
    """Local exponents at a = 4 at low and at higher ranks, nearer to a or farther from it."""
    features, found, numbers = (1000 if full else 400), [], []
    claimed = -float(exponent(formula, j).subs(a, 4))
    near, far = rank_windows(8, 24), rank_windows(features // 16, features // 8)
    for name, activation in ACTIVATIONS.items():
        runs = feature_spectra(4, activation, INPUTS, features, RUNS, seed=1).eigenvalues
        slopes = [naive_exponent(runs, windows) for windows in (near, far)]
        means = [float(slope.mean()) for slope in slopes]
        errors = [float(slope.std(ddof=1)) / np.sqrt(RUNS) for slope in slopes]
        off = [mean / claimed - 1 for mean in means]
        found.append((name, _approaching(off, 3 * np.hypot(*errors) / claimed)))
        what = f"exponent at {far.edges[0]} ≤ j < {far.edges[-1]}, {name}, a = 4 {against(claimed)}"
        numbers.append(Number(what, means[1], errors[1]))
        numbers.append(Number(f"the same at 8 ≤ j < 25, {name}", means[0], errors[0]))
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _approaching(off: Sequence[float], noise: float) -> tuple[Verdict, str]:
    """HOLDS if near the claim at last, FAILS if farther from it than before, else CONDITIONAL."""
    low, high = (abs(deviation) for deviation in off)
    text = f"{percent(low)} off at low ranks, {percent(high)} at higher ones"
    if high <= STEADY:
        return Verdict.HOLDS, ""
    if high > low + noise:
        return Verdict.FAILS, text
    return Verdict.CONDITIONAL, f"{'slowly' if high < low - noise else 'undecided'}, {text}"


def _entry(
    key: str,
    statement: str,
    formula: str | sp.Basic,
    judge: Callable[[Any, bool], Evidence],
) -> Claim:
    return Claim(key, "PXZ26", statement, formula, partial(judge, formula))


CLAIMS: tuple[Claim, ...] = (
    _entry(
        "exponent_inherited",
        "Features (w·x)^p of data with λ_j = j^-a inherit the exponent a, up to logarithms.",
        EXPONENT,
        _exponent,
    ),
    _entry(
        "head",
        "The first eigenvalues of features (w·x)^p are of order (log^(p-1)(j+1)/j)^a.",
        HEAD,
        _head,
    ),
    _entry(
        "logarithms",
        "The degree shows in the head as p - 1 powers of a logarithm.",
        COUNT,
        _logarithms,
    ),
    _entry(
        "window",
        "With d features that head reaches to j of order d/log^(p+1) d, at least.",
        WINDOW,
        _window,
    ),
    _entry(
        "tail",
        "Beyond it, to j = d, the eigenvalues are of order j^-a up to powers of log d.",
        TAIL,
        _tail,
    ),
    _entry(
        "other_activations",
        "Read beyond monomials: erf, tanh, GELU, ReLU and sign inherit the exponent a, too.",
        EXPONENT,
        _activations,
    ),
)
