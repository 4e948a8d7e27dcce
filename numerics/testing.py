r"""Assertions for test suites: that a law holds, an exponent is right, a simulation agrees.

Summary
    Each raises AssertionError with a table of what was found, and refuses to pass where it could
    not have failed: a law is held to the order of its error and to its value, an exponent in every
    part of its window, an ensemble must be large enough to tell.

Examples
--------
A law, held to the order of the error that it claims, and to a sharper one:

>>> import mpmath as mp
>>> import sympy as sp
>>> from theory.asymptotics import AsymptoticLaw, Regime
>>> n = sp.Symbol("n", positive=True)
>>> stirling = AsymptoticLaw(
...     expr=sp.sqrt(2 * sp.pi * n) * (n / sp.E) ** n,
...     variable=n,
...     regime=Regime(r"$n \gg 1$", (n > 1,)),
...     exponent=None,
...     error=1 / n,
...     quantity=sp.factorial(n),
... )
>>> assert_asymptotic(mp.factorial, stirling, along=[10, 20, 40, 80])
>>> assert_asymptotic(mp.factorial, stirling, along=[10, 20, 40, 80], order=-2)
Traceback (most recent call last):
AssertionError: factorial(n): the remainder falls as (n**(-2))**0.501, not as n**(-2)
               n   exact/law - 1         claimed
            10.0      0.00836536            0.01
            20.0      0.00417501          0.0025
            40.0      0.00208546        0.000625
            80.0       0.0010422      0.00015625

An exponent, and the constant in front if it is known:

>>> x = [2.0**k for k in range(1, 14)]
>>> y = [3 / v + 1 / v**2 for v in x]
>>> assert_exponent(x, y, -1, window=(32, 8192), tolerance=0.02, prefactor=3)

A simulation, against the integrated equations or a closed form (runs enough to notice 10 %):

>>> from numerics import initial, integrate, simulate
>>> from theory import TeacherStudent, order_parameter_odes
>>> model = TeacherStudent(K=1, M=1, activation="linear", eta="1/2")
>>> start = initial(model, sigma_J=1, N=10_000, seed=0)
>>> path = integrate(order_parameter_odes(model), start, alpha=1, at=[0.5, 1])
>>> runs = simulate(model, start, alpha=1, N=10_000, runs=32, seed=1, at=[0.5, 1])
>>> assert_agrees(path, runs, sigmas=4, resolution=0.1)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from theory.asymptotics import AsymptoticLaw
from theory.exact import exact as number
from theory.exact import sequence

from .compare import compare
from .storage import Array
from .trajectory import Trajectory

__all__ = ["assert_agrees", "assert_asymptotic", "assert_exponent"]

PIECES = 3
"""Parts of a window in which the exponent must be right."""


def assert_asymptotic(
    exact: Callable[[mp.mpf], Any],
    law: AsymptoticLaw,
    along: Sequence[Any],
    order: Any = None,
    within: float = 0.02,
    tolerance: float = 0.1,
    digits: int = 30,
    **parameters: Any,
) -> None:
    """Assert that ``exact = law (1 + O(error))`` as the variable goes along the given values.

    The remainder is exact/law - 1. Over the deeper half of the values its logarithm is fitted
    against that of the claimed error: the slope must be 1 - `tolerance` at least, and the last
    remainder at most `within`, so that neither another exponent nor another constant passes.

    Parameters
    ----------
    exact : callable
        mpf -> number, good to `digits` digits.
    law : AsymptoticLaw
    along : sequence of exact numbers
        Three values of the law's variable or more, going deeper into its regime.
    order : number, optional
        Claim that the remainder falls as variable**order, instead of ``law.error``.
    within, tolerance : float
    digits : int
        Precision; a remainder that is zero to all but five of them counts as zero.
    **parameters : exact numbers
        Values of the law's other symbols, by name.

    Raises
    ------
    AssertionError
        If the law does not hold; shows the remainders.
    ValueError
        If there are fewer than three values, one is outside the regime, or the claimed error does
        not fall along them.
    """
    values = [number(v, "along") for v in sequence(along, "along")]
    _check_depth(law, values, parameters)
    with mp.workdps(digits):
        points = [mp.mpf(sp.N(v, digits)) for v in values]
        found = [
            mp.mpf(exact(x)) / law(v, digits, **parameters) - 1
            for x, v in zip(points, values, strict=True)
        ]
        if order is None:
            claim, claimed = law.error, [law.claimed_error(v, digits, **parameters) for v in values]
        else:
            power = number(order, "order")
            claim, claimed = law.variable**power, [x ** mp.mpf(sp.N(power)) for x in points]
        zero = mp.mpf(10) ** (5 - digits)
        problem = _remainder_problem(law, found, claimed, claim, within, tolerance, zero)
    if problem:
        rows = zip(values, found, claimed, strict=True)
        table = _table((str(law.variable), "exact/law - 1", "claimed"), rows)
        raise AssertionError(f"{law.quantity}: {problem}\n{table}")


def _check_depth(law: AsymptoticLaw, values: list[sp.Expr], parameters: dict[str, Any]) -> None:
    if len(values) < 3:
        raise ValueError(f"assert_asymptotic: an order needs three values, found {len(values)}")
    outside = [v for v in values if not law.holds(v, **parameters)]
    if outside:
        raise ValueError(
            f"assert_asymptotic: {law.variable} = {outside[0]} is outside the regime of the law, "
            f"{law.regime.text}"
        )


def _remainder_problem(
    law: AsymptoticLaw,
    found: list[mp.mpf],
    claimed: list[mp.mpf],
    claim: sp.Expr,
    within: float,
    tolerance: float,
    zero: mp.mpf,
) -> str:
    """Why the remainders are not of the claimed order; empty when they are."""
    sizes = [abs(r) for r in found]
    if max(sizes) <= zero:
        return ""
    if law.error == 0 and claim == 0:
        return "the law is said to be exact, but is not"
    if any(b >= a for a, b in pairwise(claimed)):
        raise ValueError(
            f"assert_asymptotic: the claimed error {claim} does not fall along the given values "
            f"({', '.join(mp.nstr(c, 4) for c in claimed)}): go deeper into the regime"
        )
    if sizes[-1] > within:
        return f"the last remainder {mp.nstr(found[-1], 4)} is larger than {within}"
    deep = range(len(found) // 2 if len(found) > 4 else 0, len(found))
    # A remainder below rounding is as good as any order.
    logs = [(mp.log(claimed[n]), mp.log(max(sizes[n], zero))) for n in deep]
    slope = _slope([float(a) for a, _ in logs], [float(b) for _, b in logs])
    if slope < 1 - tolerance:
        return f"the remainder falls as ({claim})**{slope:.3f}, not as {claim}"
    return ""


def _slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Least-squares slope."""
    return float(np.polyfit(np.asarray(x), np.asarray(y), 1)[0])


def _table(titles: Sequence[str], rows: Any) -> str:
    lines = ["".join(f"{title:>16}" for title in titles)]
    lines += ["".join(f"{mp.nstr(mp.mpf(sp.N(v)), 6):>16}" for v in row) for row in rows]
    return "\n".join(lines)


def assert_exponent(
    x: Any,
    y: Any,
    exponent: Any,
    window: tuple[float, float],
    tolerance: float = 0.01,
    prefactor: Any = None,
) -> None:
    """Assert that y ~ x**exponent in a window, and y ~ prefactor x**exponent if that is given.

    The window is divided into three parts of equal ratio; a straight line in log y against log x is
    fitted in each, since one line through all of a curved graph proves nothing.

    Parameters
    ----------
    x, y : (T,), positive
    exponent : number
    window : (low, high)
        Range of x.
    tolerance : float
        Relative, of the exponent in each part (absolute if the exponent is 0) and of
        y/(prefactor x**exponent) at each point.
    prefactor : number, optional

    Raises
    ------
    AssertionError
        If it is not so; shows the parts, or the worst point.
    ValueError
        If the data are not positive, differ in length, or a part has fewer than two points.
    """
    log_x, log_y = (_logarithms(v, name) for v, name in ((x, "x"), (y, "y")))
    if len(log_x) != len(log_y):
        raise ValueError(f"assert_exponent: {len(log_x)} values of x but {len(log_y)} of y")
    expected = float(number(exponent, "exponent"))
    edges = np.linspace(math.log(window[0]), math.log(window[1]), PIECES + 1)
    rows, wrong = [], False
    for low, high in pairwise(edges):
        inside = (log_x >= low - 1e-12) & (log_x <= high + 1e-12)
        if np.count_nonzero(inside) < 2:
            raise ValueError(
                f"assert_exponent: fewer than two points with x from {math.exp(low):.4g} to "
                f"{math.exp(high):.4g}: give more points, or another window"
            )
        slope = _slope(log_x[inside], log_y[inside])
        rows.append((math.exp(low), math.exp(high), slope))
        wrong |= not abs(slope - expected) <= tolerance * (abs(expected) or 1)
    if wrong:
        table = _table(("x from", "to", "exponent"), rows)
        raise AssertionError(f"exponent {expected:.6g} +- {100 * tolerance:g} % expected\n{table}")
    if prefactor is not None:
        inside = (log_x >= edges[0]) & (log_x <= edges[-1])
        line = math.log(float(number(prefactor, "prefactor"))) + expected * log_x
        _check_prefactor(log_x[inside], np.exp(log_y - line)[inside], tolerance)


def _check_prefactor(log_x: Array, ratio: Array, tolerance: float) -> None:
    worst = int(np.argmax(abs(ratio - 1)))
    if not abs(ratio[worst] - 1) <= tolerance:
        raise AssertionError(
            f"y/(prefactor x**exponent) = {ratio[worst]:.6g} at x = {math.exp(log_x[worst]):.6g}; "
            f"1 +- {tolerance:g} expected"
        )


def _logarithms(values: Any, name: str) -> Array:
    """Of doubles or mpf, which may be beyond the range of doubles."""
    numbers = sequence(values, name)
    bad = [n for n, v in enumerate(numbers) if not (v > 0 and mp.isfinite(v))]
    if bad:
        raise ValueError(
            f"assert_exponent: {name} must be positive and finite, found {numbers[bad[0]]} at "
            f"position {bad[0]}"
        )
    return np.array([float(mp.log(v)) for v in numbers])


def assert_agrees(
    trajectory: Trajectory, ensemble: Trajectory, sigmas: float = 5, resolution: float = 0.05
) -> None:
    """Assert that an ensemble agrees with a deterministic trajectory within standard errors.

    Every entry of Q, R and eps_g at every time must be within `sigmas` standard errors (those of
    eps_g small enough to notice a difference of `resolution` somewhere). The theory is the limit N
    -> infinity: enough runs resolve its distance O(1/N), see `numerics.finite_size_trend`.

    Parameters
    ----------
    trajectory, ensemble : Trajectory
        From `integrate` and `simulate`, with the same times.
    sigmas : float
        Between hundreds of z-scores the largest is about 3.5 by chance.
    resolution : float
        Relative difference of eps_g that must be noticeable, two standard errors beyond `sigmas`.

    Raises
    ------
    AssertionError
        If they do not agree; shows the comparison.
    ValueError
        If the two do not compare, or the ensemble is too small to tell.
    """
    if trajectory.runs is not None:
        raise ValueError(f"assert_agrees: the first argument is a theory, found {trajectory!r}")
    comparison = compare(trajectory, ensemble)
    relative = ensemble.standard_error.generalization_error / np.asarray(
        trajectory.generalization_error, dtype=float
    )
    noticed = (sigmas + 2) * float(np.min(relative[relative > 0]))
    if noticed > resolution:
        raise ValueError(
            f"assert_agrees: with these runs a difference of {100 * noticed:.2g} % in eps_g is the "
            f"smallest that is noticed, {100 * resolution:g} % wanted: use more runs or a larger "
            "N, or another resolution"
        )
    scores = {n: d for _, found in comparison.deviations for n, d in found.items()}
    apart = [f"{n} by {d.largest:.2f}" for n, d in scores.items() if not d.largest <= sigmas]
    if apart:
        raise AssertionError(
            f"more than {sigmas:g} standard errors apart: {', '.join(apart)}\n{comparison}"
        )
