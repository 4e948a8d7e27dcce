"""The symmetric plateau in numbers: any K and M, any activation with closed averages.

Summary
    Collapsed students share one vector, which gradient flow moves along the sum of the teachers: a
    minimum of one function of one variable. How fast its units specialise follows from two numbers
    there and a scalar secular equation, for every spectrum.

Main results (eta -> 0, teachers orthonormal; J_i = r sum_n B_n)
    eps_g(r) with Q_ij = M r^2 and R_in = r: the first minimum from r = 0 is the plateau;
    specialisation (rho with vanishing sums over students and over teachers) obeys
        d rho_k/dalpha = eta lam_k (a rho_k + b S),  S = sum_k w_k lam_k rho_k,
        a = D_ii - D_ij,  b = d D^y_in/d R_in,
    and grows at the rate mu with 1 = eta b sum_k w_k lam_k^2/(mu - eta lam_k a).
    For erf and K = M, a = 0 and `theory.plateau` has closed forms.

References
    [SS95] Saad & Solla; [BS95] Biehl & Schwarze; [YO19] Yoshida & Okada.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import sympy as sp

from .gaussian import I2_kernel, NoClosedForm, family, price, stein
from .gaussian.homogeneous import Homogeneous
from .models import TeacherStudent

__all__ = ["SymmetricPoint", "collapsed_expressions", "symmetric_point"]

GUARD_DIGITS = 10
STEPS, FARTHEST = 100, 10
"""The minimum is looked for up to r = FARTHEST, in STEPS steps per unit."""
r = sp.Symbol("r", positive=True)


@dataclass(frozen=True)
class SymmetricPoint:
    """The symmetric plateau and the linear equations of specialisation, in numbers.

    Attributes
    ----------
    model : TeacherStudent
    R : mpf
        Every student-teacher overlap, r.
    error : mpf
        eps_g.
    damping, feedback : mpf
        a and b, without eta.
    escape_rate : mpf
        mu; negative if the plateau is stable.
    """

    model: TeacherStudent
    R: mp.mpf
    error: mp.mpf
    damping: mp.mpf
    feedback: mp.mpf
    escape_rate: mp.mpf

    @property
    def Q(self) -> mp.mpf:
        """Every student-student overlap, M r^2."""
        return int(self.model.M) * self.R**2


def symmetric_point(model: TeacherStudent, digits: int = 15) -> SymmetricPoint:
    """Find the symmetric plateau of `model` and its escape rate, to `digits` digits.

    Parameters
    ----------
    model : TeacherStudent
        K, M >= 2 integers, numbers for eta and the spectrum, no weight decay.
    digits : int

    Raises
    ------
    ValueError
        If K or M is below 2, a parameter is a symbol, or eps_g has no minimum along the sum of the
        teachers that is reached downhill from small students.
    NotImplementedError
        If the weights decay, or (`NoClosedForm`) the averages have no closed form or a cusp.

    Examples
    --------
    Three students of two teachers share a vector less long than two do, and leave it more slowly:

    >>> two, three = (symmetric_point(TeacherStudent(K, 2, eta=1)) for K in (2, 3))
    >>> [round(float(point.Q), 4) for point in (two, three)]
    [0.3333, 0.1272]
    >>> [round(float(point.escape_rate), 4) for point in (two, three)]
    [0.0329, 0.0248]
    """
    _check(model)
    with mp.workdps(digits + GUARD_DIGITS):
        error, a, b = (sp.lambdify(r, e, "mpmath") for e in collapsed_expressions(model))
        place = _first_minimum(model, lambda x: mp.diff(error, x))
        numbers = place, error(place), a(place), b(place)
        return SymmetricPoint(model, *numbers, _escape_rate(model, *numbers[2:], digits))


def _check(model: TeacherStudent) -> None:
    if not model.is_explicit or min(model.K, model.M) < 2:
        raise ValueError(
            f"symmetric_point: K and M must be integers from 2 on, found K = {model.K}, "
            f"M = {model.M}: one unit has nothing to specialise"
        )
    unknown = model.eta.free_symbols | model.spectrum.free_symbols
    if unknown:
        raise ValueError(
            f"symmetric_point needs numbers for {sorted(map(str, unknown))}: use model.replace(...)"
        )
    model.require_plain("symmetric_point")
    if model.weight_decay != 0:
        raise NotImplementedError(
            f"symmetric_point: weight decay keeps modes apart, found {model.weight_decay}; set it "
            "to 0"
        )
    if isinstance(family(model.activation), Homogeneous):
        raise NoClosedForm(
            f"symmetric_point: the averages of {model.activation.name} have cusps where students "
            "coincide"
        )


def collapsed_expressions(model: TeacherStudent) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """eps_g, D_ii - D_ij and dD^y_in/dR_in as functions of r."""
    g, K, M = model.activation, model.K, model.M
    average, slope, curvature = I2_kernel(g), price(g), stein(g)
    Q, squared = M * r**2, model.student_scale**2
    teachers = M * average(1, 1, 1) + M * (M - 1) * average(1, 1, 0)
    error = squared / 2 * (K**2 * average(Q, Q, Q) - 2 * K * M * average(Q, 1, r) + teachers)
    # D_ii - D_ij = -2 c^2 (K dI2(x, x)/dC_aa - M dI2(x, y)/dC_aa): E[g''(x) s (zeta - sigma)]
    damping = -2 * squared * (K * curvature(Q, Q, Q) - M * curvature(Q, 1, r))
    argument = slope.signature
    feedback = squared * slope.expr.diff(argument[2])
    at = dict(zip(argument, (Q, sp.S.One, r), strict=True))
    return error, damping, feedback.subs(at, simultaneous=True)


def _first_minimum(model: TeacherStudent, slope: Callable[[Any], Any]) -> mp.mpf:
    """Where eps_g stops falling, from small r on."""
    places = [mp.mpf(n) / STEPS for n in range(1, FARTHEST * STEPS)]
    slopes = map(slope, places)
    if next(slopes) < 0:
        for before, rising in zip(places, slopes, strict=False):
            if rising >= 0:
                return mp.findroot(slope, (before, before + mp.mpf(1) / STEPS), solver="anderson")
    raise ValueError(
        f"symmetric_point: eps_g of {model} has no minimum that small students reach along the sum "
        f"of the teachers (r below {FARTHEST}): there is no plateau of collapsed students"
    )


def _escape_rate(model: TeacherStudent, a: mp.mpf, b: mp.mpf, digits: int) -> mp.mpf:
    """The largest zero mu of 1 - eta b sum_k w_k lam_k^2/(mu - eta lam_k a)."""
    eta = mp.mpf(sp.N(model.eta, mp.mp.dps))
    lam, w = model.spectrum.values(digits + GUARD_DIGITS)
    residues = [eta * b * x * e**2 for x, e in zip(w, lam, strict=True)]
    poles = [eta * e * a for e in lam]
    total, first = mp.fsum(residues), max(poles)
    others = [pole for pole in poles if pole < first]
    if not others:
        return first + total
    # Interlacing: above the first pole for b > 0, between the first two for b < 0.
    low, high = (first, first + total) if b > 0 else (max(max(others), first + total), first)
    while high - low > 4 * mp.eps * max(abs(low), abs(high)):
        mu = (low + high) / 2
        terms = zip(residues, poles, strict=True)
        above = mp.fsum(c / (mu - pole) for c, pole in terms) < 1
        low, high = (low, mu) if above == (b > 0) else (mu, high)
    return (low + high) / 2
