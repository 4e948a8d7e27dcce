r"""What weight decay costs: a floor that is a power of it, and a plateau that lengthens.

Summary
    Every mode stops at lam_k (field) = d (its overlap): slow modes lam_k < d are not learned, so
    that the power law of a linear student ends at 1/(eta d) on a floor. On the symmetric plateau of
    erf networks the decay acts against specialisation, in three ways of the same order: directly,
    by damping the direction that specialises, and by weakening its feedback.

Main results (p = 1 + beta, s = beta/p; eta -> 0)
    eps_inf/eps_0 = (d/lam_+)^s (pi/p^2)/(H_L(p) sin(pi/p)), L^-p << d/lam_+ << 1 (linear, K = 1);
    gamma(d) = gamma - eta d (1 - x T3/T2 - y T2) + O(d^2), T_n = sum_k w_k lam_k^n, with x and y
    numbers that depend on M alone (erf, K = M).

Notation
    d : weight decay; eps_0 : error of a student that has learned nothing; gamma : escape rate.
    sum_k w_k lam_k (1/lam_k) = 1 makes the shift of Q and R independent of the spectrum.

References
    [WR24] Worschech & Rosenow (d = 0); [SS95] Saad & Solla (the plateau).
"""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from .asymptotics import AsymptoticLaw, Regime
from .linear_laws import PowerLawScales, eps_0
from .models import TeacherStudent
from .online import order_parameter_odes
from .plateau import UNITS, P, Q, R, SymmetricSector, plateau

__all__ = ["decay", "decay_floor", "decayed_escape_rate"]

decay = sp.Symbol("d", positive=True)
"""Weight decay, the variable of the laws."""
eps_infty = sp.Symbol("epsilon_infty", positive=True)


def decay_floor(model: TeacherStudent) -> AsymptoticLaw:
    """eps_g of a linear student at late times as a function of the weight decay, eta -> 0.

    Parameters
    ----------
    model : TeacherStudent
        Linear, with a PowerLaw spectrum of finite L and weight_decay = 0; the law is in `decay` and
        in ``epsilon_0``, the error of a student without weights (t_k alike in all eigenspaces).

    Raises
    ------
    ValueError, NotImplementedError
        If the activation is another, the spectrum has no scaling form, or L = oo.
    """
    parts = PowerLawScales(model, True)
    if parts.L is sp.oo:
        raise NotImplementedError("decay_floor: give L a finite value")
    p, s = parts.p, parts.s
    g = decay / (model.K * model.student_scale**2 * parts.largest)
    amplitude = sp.pi / p**2 / (sp.sin(sp.pi / p) * parts.norm)
    return AsymptoticLaw(
        expr=eps_0 * amplitude * g**s,
        variable=decay,
        regime=Regime(r"$L^{-(1+\beta)} \ll d/(K c^2 \lambda_+) \ll 1$", (g < 1, g > parts.L**-p)),
        exponent=s,
        error=g ** (2 - s) + parts.L**-parts.beta * g**-s,
        quantity=eps_infty,
    )


def decayed_escape_rate(model: TeacherStudent) -> sp.Expr:
    """Escape rate of the symmetric plateau to first order in the weight decay `decay` (erf, K = M).

    Parameters
    ----------
    model : TeacherStudent
        As for `theory.plateau.plateau`: with weight_decay = 0.

    Returns
    -------
    sympy.Expr
        Linear in `decay`; where it vanishes is a first estimate of the decay that keeps students
        on the plateau for ever.

    Raises
    ------
    NotImplementedError, TypeError, ValueError
        As `plateau`.
    """
    rate = plateau(model).escape_rate
    damping, feedback = (x.subs(UNITS, model.M) for x in _shifts(model.scale))
    second, third = (model.spectrum.moment(n) for n in (2, 3))
    return rate - model.eta * decay * (1 - damping * third / second - feedback * second)


@lru_cache(maxsize=2)
def _shifts(scale: str) -> tuple[sp.Expr, sp.Expr]:
    """Change of D_ii - D_ij and of dD^y_in/dR_in per weight decay, as functions of M.

    Students stay collapsed and in the span of the teachers, Q = M R^2 to first order, so that
    (row sum of D^x) R + D^y = d R, averaged over modes, decides the shift of R.
    """
    model = TeacherStudent(K=UNITS, M=UNITS, scale=scale)
    sector = SymmetricSector(order_parameter_odes(model, gradient_flow=True))
    collapsed = {P: UNITS * R**2, Q: UNITS * R**2}
    diagonal, off, _ = (entry.subs(collapsed) for entry in sector.drift)
    point = {R: plateau(model).R}
    pull = sector.stationarity()[0].subs(collapsed)
    shift = point[R] / sp.simplify(pull.diff(R).subs(point))
    changes = ((diagonal - off).diff(R), sector.coupling.subs(collapsed).diff(R))
    damping, feedback = (_rational(sp.simplify(x.subs(point) * shift)) for x in changes)
    return damping, feedback


def _rational(expr: sp.Expr) -> sp.Expr:
    """The same with roots of squares drawn, which needs M >= 1 to be said: M = 1 + more."""
    more = sp.Dummy("more", nonnegative=True)
    shifted = expr.subs(UNITS, 1 + more)
    drawn = shifted.replace(
        lambda e: e.is_Pow and e.exp == sp.S.Half, lambda e: sp.sqrt(sp.factor(e.base))
    )
    return sp.factor(sp.simplify(drawn).subs(more, UNITS - 1))
