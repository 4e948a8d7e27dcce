"""Radau IIA collocation in any precision: stiff, many modes, a cost per step linear in L.

Summary
    Steps are as long as the solution is smooth, whatever the stiffness: collocation of some tens of
    stages, its error read from the decay of the polynomial. Only residuals are computed in high
    precision. Corrections are solved in double precision with the Jacobians of all stages
    (`numerics.mode_newton`), in units of the correction before, and add about 13 digits each.

Method
    Stage increments z = h A f(x + z), first in double precision, then sharpened to the working
    digits. The step follows from |z_s|, the Legendre coefficient of highest degree, which bounds
    the error of the polynomial at every time inside the step, where outputs are taken.

References
    Hairer & Wanner, Solving Ordinary Differential Equations II (1996), IV.5, IV.8; Wilkinson,
    Rounding Errors in Algebraic Processes (1963) (iterative refinement); Gustafsson, ACM TOMS 20,
    496 (1994) (step size).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import mpmath as mp
import numpy as np

from theory.forms import ModeForm

from .compile import compile_ode
from .errors import Stopped
from .mode_equations import ModeEquations
from .mode_newton import NewtonSolver, linearise
from .radau_precise import Collocation, collocation
from .targets import FlintTarget, NumbaTarget, PreciseTarget

__all__ = ["integrate_structured_precise"]

GUARD_DIGITS = 5
"""Rounding errors stay this far below the last working digit."""

TOLERANCE_DIGITS = 3
"""The error of a step is this far above the last working digit."""

NEAR = 1e-7
"""Relative accuracy of the stages in double precision: their Jacobians are then known as well."""

SMALLEST = 1e-13
"""Steps below this, relative to the time reached, end a run."""

ITERATIONS = 12
DEGREE = 12
"""Degree up to which the last polynomial is extrapolated: beyond, doubles only add rounding."""


@dataclass(frozen=True, eq=False)
class _Method:
    """The collocation method on one system, in both kinds of number.

    Attributes
    ----------
    tableau : Collocation
    target : PreciseTarget
    precise, double : ModeEquations
    digits : int
        Working digits.
    """

    tableau: Collocation
    target: PreciseTarget
    precise: ModeEquations
    double: ModeEquations
    digits: int

    @property
    def stages(self) -> int:
        return len(self.tableau.nodes)

    @cached_property
    def nodes(self) -> Any:
        return self.tableau.nodes.astype(float)

    @cached_property
    def A(self) -> Any:
        return self.target.array(self.tableau.coefficients)

    @cached_property
    def A_double(self) -> Any:
        return self.tableau.coefficients.astype(float)

    @cached_property
    def inverse(self) -> Any:
        return np.linalg.inv(self.A_double)

    @cached_property
    def leading(self) -> Any:
        """Weights (1, s) of z_s, the Legendre coefficient of highest degree."""
        weights = self.tableau.barycentric / mp.binomial(2 * self.stages, self.stages)
        return self.target.array(weights[None])

    def combine(self, weights: Any, z: Any) -> Any:
        """Sums over the stages of z (s, p, L) with weights (n, s)."""
        return self.target.product(weights, z.reshape(len(z), -1)).reshape(-1, *z.shape[1:])


@dataclass(frozen=True, eq=False)
class _Point:
    """Where a run is: time, state, next step; the last step (0 for none), its stages and error."""

    now: Any
    x: Any
    h: float
    last: float
    z: Any
    error: float


def _stages(digits: int) -> int:
    """Stages of least total cost, as measured at 45 and 65 digits, within 5 % from 0.9 to 1.1."""
    return max(7, digits)


def integrate_structured_precise(
    form: ModeForm,
    start: Any,
    times: Any,
    digits: int,
    numbers: Callable[[int], PreciseTarget] = FlintTarget,
) -> tuple[Any, str]:
    """Overlaps at `times`, mpf (T, L, K+M, K+M), and a line on how they were obtained.

    Parameters
    ----------
    form : ModeForm
        Of an activation with closed-form averages.
    start : array of mpf (L, K+M, K+M)
        Overlaps at alpha = 0.
    times : array (T,)
        Increasing, from 0 on.
    digits : int
        Working digits: the error of a step is 10^(3 - digits), relative to the largest overlap
        once that exceeds one.
    numbers : callable
        Kind of number, given its digits.

    Raises
    ------
    Stopped
        If the solution outgrows the working digits or the step size underflows.
    """
    working = digits + GUARD_DIGITS
    target = numbers(working)
    with target.precision(), mp.workdps(working):
        given = target.array(start)
        K = int(form.ode.model.K)
        method = _Method(
            collocation(_stages(digits), working),
            target,
            ModeEquations(compile_ode(form, target, working), given[:, K:, K:]),
            ModeEquations(compile_ode(form, NumbaTarget()), _doubles(given[:, K:, K:])),
            digits,
        )
        return _march(method, given, [mp.mpf(t) for t in times])


def _doubles(values: Any) -> Any:
    return np.vectorize(float, otypes=[float])(values)


def _march(method: _Method, given: Any, times: list[Any]) -> tuple[Any, str]:
    """Step from 0 to the last of `times`."""
    x = method.precise.rows(given)
    values = [x for t in times if t == 0]
    first = _first_step(method, x, times[-1])
    point = _Point(mp.mpf(0), x, first, 0.0, None, 0.0)
    steps = rejected = evaluations = 0
    while len(values) < len(times):
        if _hopeless(method, point, first, times[-1]):
            raise Stopped(_stopped(point, times[-1]), _overlaps(method, values, given))
        z, used = _solve_stages(method, point)
        evaluations += used * method.stages
        error = np.inf if z is None else _error(method, point.x, z)
        if not error <= 1:
            rejected += 1
            factor = 0.5 if z is None else max(0.1, 0.9 * error ** (-1 / method.stages))
            point = replace(point, h=point.h * factor)
            continue
        steps += 1
        values += _inside(method, point, z, times[len(values) :])
        point = _next(method, point, z, error, times[-1])
    how = (
        f"Radau IIA of order {2 * method.stages - 1}, structured, {method.digits} digits, {steps} "
        f"steps ({rejected} rejected), {evaluations} evaluations"
    )
    return _overlaps(method, values, given), how


def _first_step(method: _Method, x: Any, end: Any) -> float:
    """Step in which a singularity at one relaxation time is that many digits away."""
    at = linearise(method.double, _doubles(x)[None])
    rate = np.max(np.abs(at.generators)) * np.max(method.double.el)
    digits = method.digits - TOLERANCE_DIGITS
    return float(min(2 / max(rate, 1e-12) * 10 ** (-digits / method.stages), end))


def _hopeless(method: _Method, point: _Point, first: float, end: Any) -> bool:
    """Whether the state has outgrown the working digits, or the step has shrunk to nothing."""
    vanishing = point.h < SMALLEST * max(float(point.now), first)
    # What is left before the end may be short without meaning anything.
    vanishing = vanishing and point.now + mp.mpf(point.h) < end
    # Beyond, an error relative to the largest overlap leaves no digit of one of order one.
    largest = 10.0 ** min(method.digits, 300)
    return bool(vanishing or not np.max(np.abs(_doubles(point.x))) < largest)


def _solve_stages(method: _Method, point: _Point) -> tuple[Any, int]:
    """Stage increments z (s, p, L), None without convergence, and the precise evaluations."""
    with np.errstate(over="ignore", invalid="ignore"):
        near, solver = _near(method, point)
        if near is None:
            return None, 0
        return _sharpened(method, point, near, solver)


def _near(method: _Method, point: _Point) -> tuple[Any, Any]:
    """Stage increments in double precision and the solver that found them; None for both."""
    x, h, z = _doubles(point.x), point.h, _predicted(method, point)
    solver: Any = None
    for iteration in range(ITERATIONS):
        slopes = method.double.rates(x + z)
        if not np.all(np.isfinite(slopes)):
            break
        at = linearise(method.double, x + z)
        if iteration % 3 == 0:
            solver = NewtonSolver(at, method.inverse, h)
        defect = h * slopes - np.tensordot(method.inverse, z, 1)
        change = solver.solve(at, defect, 1e-3)
        if change is None:
            break
        z = z + change
        if np.max(np.abs(change)) < NEAR * max(1.0, np.max(np.abs(x))):
            return z, solver
    return None, None


def _predicted(method: _Method, point: _Point) -> Any:
    """Stage increments from the last polynomial, extrapolated in its low degrees."""
    if point.z is None:
        return np.zeros((method.stages, *point.x.shape))
    legendre = np.polynomial.legendre.legvander
    degree, nodes = min(DEGREE, method.stages), np.concatenate([[0], method.nodes])
    later = 1 + nodes * point.h / point.last
    known = np.concatenate([np.zeros((1, *point.x.shape)), _doubles(point.z)])
    weights = legendre(2 * later - 1, degree) @ np.linalg.pinv(legendre(2 * nodes - 1, degree))
    values = np.tensordot(weights, known, 1)
    return values[1:] - values[0]


def _sharpened(method: _Method, point: _Point, near: Any, solver: Any) -> tuple[Any, int]:
    """Stage increments to the working digits: residuals in them, corrections in doubles."""
    target, h = method.target, point.h
    goal = mp.mpf(10) ** -method.digits * max(1.0, float(np.max(np.abs(_doubles(point.x)))))
    at = linearise(method.double, _doubles(point.x) + near)
    z, unit, before = near.astype(object) * target.number(1), mp.mpf(1), None
    hA = method.A * target.number(h)
    for iteration in range(1, ITERATIONS + 1):
        residual = method.combine(hA, method.precise.rates(point.x + z)) - z
        scaled = _doubles(residual * target.number(1 / unit))
        change = solver.solve(at, np.tensordot(method.inverse, scaled, 1), 1e-11)
        if change is None:
            break
        z = target.centres(z + change.astype(object) * target.number(unit))
        size = unit * float(np.max(np.abs(change)))
        gain = mp.mpf(1) if before is None else size / before
        if size * min(gain, 1) <= goal:
            return z, iteration
        if before is not None and gain > 1e-2:
            break
        # Doubles hold the next correction at any precision: in units of this one.
        before, unit = size, mp.ldexp(1, int(mp.floor(mp.log(size, 2))))
    return None, iteration


def _error(method: _Method, x: Any, z: Any) -> float:
    """|z_s|, largest entry, in units of the tolerance."""
    largest = max(abs(v) for v in method.target.precise(method.combine(method.leading, z)).flat)
    scale = max(1.0, np.max(np.abs(_doubles(x))))
    return float(largest / scale * mp.mpf(10) ** (method.digits - TOLERANCE_DIGITS))


def _next(method: _Method, point: _Point, z: Any, error: float, end: Any) -> _Point:
    """The end of an accepted step, and the step that the trend of the errors allows."""
    power, error = 1 / method.stages, max(error, 1e-12)
    growth = 0.9 * error**-power
    if point.last:
        growth *= point.h / point.last * (point.error / error) ** power
    now = point.now + mp.mpf(point.h)
    # Rounded up, so that the last step reaches the end.
    rest = float(max(end - now, 0)) * (1 + 1e-15)
    h = min(point.h * min(max(growth, 0.2), 4.0), rest)
    x = method.target.centres(point.x + z[-1])
    return _Point(now, x, h, point.h, z, error)


def _inside(method: _Method, point: _Point, z: Any, times: list[Any]) -> list[Any]:
    """States at the times inside the step, by the collocation polynomial."""
    at = [(t - point.now) / mp.mpf(point.h) for t in times if t <= point.now + mp.mpf(point.h)]
    if not at:
        return []
    weights = method.target.array([method.tableau.weights(t) for t in at])
    return list(method.target.centres(point.x + method.combine(weights, z)))


def _overlaps(method: _Method, values: list[Any], given: Any) -> Any:
    states = [method.target.precise(method.precise.overlaps(x, given)) for x in values]
    return np.array(states, dtype=object).reshape(len(values), *given.shape)


def _stopped(point: _Point, end: Any) -> str:
    grown = np.max(np.abs(_doubles(point.x)))
    size = f"{grown:.3g}" if np.isfinite(grown) else "beyond the range of numbers"
    return (
        f"the integration stopped at alpha = {float(point.now):.6g} of {float(end):.6g}: no step "
        f"however small converges; the order parameters have grown to {size}, eta is probably "
        "above stability, try a smaller one"
    )
