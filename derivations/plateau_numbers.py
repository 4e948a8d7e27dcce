"""The full equations near collapsed students, in numbers at the working precision of mpmath.

What the steps of `derivations.plateau_length` are held against: the compiled equations of any M,
which know nothing of the symmetry that the steps use.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import mpmath as mp
import numpy as np

from numerics.compile import CompiledODE, compile_ode
from numerics.targets import FlintTarget, midpoint
from theory.models import Discrete, Isotropic, Spectrum, TeacherStudent
from theory.online import order_parameter_odes
from theory.plateau import plateau

__all__ = [
    "error",
    "escape_rate_per_eta",
    "feedback",
    "noise",
    "place",
    "relaxation",
    "resting",
    "slope_at_zero",
    "specialising_rate",
]

GUARD_DIGITS = 15


@lru_cache(maxsize=64)
def _compiled(units: int, spectrum: Spectrum, digits: int) -> CompiledODE:
    model = TeacherStudent(units, units, spectrum=spectrum, eta=1)
    target = FlintTarget(digits)
    with target.precision():
        return compile_ode(order_parameter_odes(model).modes(), target, digits)


def _full(units: int, spectrum: Spectrum = Isotropic()) -> CompiledODE:  # noqa: B008
    return _compiled(units, spectrum, mp.mp.dps + GUARD_DIGITS)


def _split(units: int) -> Any:
    """Overlaps that tell each student its own teacher, (M, M): centred, of norm one."""
    root = mp.sqrt(units - 1)
    return [[(int(i == n) - mp.mpf(1) / units) / root for n in range(units)] for i in range(units)]


def place(units: int) -> tuple[mp.mpf, mp.mpf]:
    """Q* and R*."""
    point = plateau(TeacherStudent(units, units))
    return mp.mpf(point.Q.evalf(mp.mp.dps + 5)), mp.mpf(point.R.evalf(mp.mp.dps + 5))


def _overlaps(units: int, Q: Any, R: Any, S: Any) -> Any:
    """[[q, r], [r^T, 1]] with every q_ij = Q and r = R + S times the split, (2M, 2M)."""
    apart = _split(units)
    full = [[mp.mpf(0)] * (2 * units) for _ in range(2 * units)]
    for i in range(units):
        full[units + i][units + i] = mp.mpf(1)
        for j in range(units):
            full[i][j] = Q
            full[i][units + j] = full[units + j][i] = R + S * apart[i][j]
    return full


def _averages(units: int, Q: Any, R: Any, S: Any = 0) -> tuple[Any, Any]:
    """D (M, 2M) and G (M, M) as mpf."""
    equations = _full(units)
    with equations.target.precision():
        covariance = equations.target.array(_overlaps(units, Q, R, S))
        parts = equations.coefficients(covariance)
        return tuple(np.vectorize(midpoint, otypes=[object])(part) for part in parts)


def error(units: int, Q: Any, R: Any, S: Any = 0) -> mp.mpf:
    """eps_g of students alike but for a split S."""
    equations = _full(units)
    with equations.target.precision():
        return midpoint(equations.error(equations.target.array([_overlaps(units, Q, R, S)])))


def feedback(units: int) -> mp.mpf:
    """Minus the second derivative of eps_g along the split, at the plateau."""
    point = place(units)
    return -mp.diff(lambda S: error(units, *point, S), 0, 2)


def specialising_rate(units: int, x: Any, shares: tuple[Any, Any]) -> mp.mpf:
    """Rate of the split of mode 1, per eta, if modes 1 -+ x of weight 1/2 are split by `shares`."""
    digits, spectrum = mp.mp.dps, Discrete([1 - x, 1 + x])
    # The step loses a third of the digits to truncation and a third to rounding.
    with mp.workdps(2 * digits + GUARD_DIGITS):
        step = mp.mpf(10) ** -(2 * digits // 3)
        ahead, behind = (_split_rate(units, spectrum, shares, sign * step) for sign in (1, -1))
        return (ahead - behind) / (2 * step)


def _split_rate(units: int, spectrum: Spectrum, shares: tuple[Any, Any], size: Any) -> mp.mpf:
    equations, point, apart = _full(units, spectrum), place(units), _split(units)
    with equations.target.precision():
        modes = [_overlaps(units, *point, size * share) for share in shares]
        change = equations.rates(equations.target.array(modes))[0, :, units:]
        found = np.vectorize(midpoint, otypes=[object])(change)
    return mp.fsum(found[i, n] * apart[i][n] for i in range(units) for n in range(units))


def relaxation(units: int) -> mp.mpf:
    """Damping of a part common to all students of one mode: minus a row sum of D^x."""
    drift, _ = _averages(units, *place(units))
    return -mp.fsum(drift[0, :units])


def noise(units: int) -> mp.mpf:
    """G at the plateau; every entry is the same."""
    _, entries = _averages(units, *place(units))
    if max(abs(entries.ravel() - entries[0, 0])) > mp.eps:
        raise ArithmeticError(f"collapsed students are not kicked alike: {entries}")
    return entries[0, 0]


def resting(units: int, eta: Any) -> tuple[mp.mpf, mp.mpf]:
    """Q and R at which collapsed students rest at a learning rate eta."""

    def rates(Q: Any, R: Any) -> list[mp.mpf]:
        drift, kick = _averages(units, Q, R)
        row, pull = mp.fsum(drift[0, :units]), drift[0, units]
        return [row * R + pull, 2 * (row * Q + units * pull * R) + eta * kick[0, 0]]

    return tuple(mp.findroot(rates, place(units), tol=mp.eps**1.5))


def escape_rate_per_eta(units: int, x: Any, eta: Any) -> mp.mpf:
    """Root nu of 1 = b sum_k w_k lam_k^2/(nu - lam_k a), eigenvalues 1 - x and 1 + x alike often.

    a = D_ii - D_ij and b, the derivative of D^y along the split, are those at rest.
    """
    Q, R = resting(units, eta)
    drift, _ = _averages(units, Q, R)
    a = drift[0, 0] - drift[0, 1]
    step = mp.mpf(10) ** -(mp.mp.dps // 3)
    ahead, behind = (_averages(units, Q, R, sign * step)[0] for sign in (1, -1))
    apart = _split(units)
    b = (ahead[0, units] - behind[0, units]) / (2 * step * apart[0][0])
    eigenvalues = [1 - mp.mpf(x), 1 + mp.mpf(x)]

    def secular(nu: Any) -> Any:
        return b * mp.fsum(e**2 / (nu - e * a) / 2 for e in eigenvalues) - 1

    second = mp.fsum(e**2 for e in eigenvalues) / 2
    return mp.findroot(secular, b * second, tol=mp.eps)


def slope_at_zero(function: Any) -> mp.mpf:
    """Derivative of function(eta) at eta = 0, by a central difference in many digits."""
    digits = mp.mp.dps
    with mp.workdps(4 * digits):
        # A rate inside `function` is itself a difference, good to two thirds of the digits.
        step = mp.mpf(10) ** -(digits // 2 + 5)
        return (function(step) - function(-step)) / (2 * step)
