"""The symmetric plateau at finite eta: what the noise of SGD changes, to first order.

Summary
    Students that have collapsed onto one vector stay alike under noise, which only lengthens the
    vector. The fixed point moves by eta, and with it the damping of specialisation no longer
    vanishes exactly: in structured data the escape rate then feels a third moment of the spectrum.

Main results (erf, K = M, teachers orthonormal; T_n = sum_k w_k lam_k^n)
    Q = Q* + eta Q_1 + O(eta^2), R and eps_g likewise, whatever the spectrum;
    gamma = eta T_2 b' + eta^2 (T_2 b'_1 + (T_3/T_2) a_1) + O(eta^3),
    b' = dD^y_in/dR_in, and a_1 the first-order change of A - a, zero at eta = 0.

Notation
    As in `theory.plateau`. Specialisation: d rho_k/dalpha = eta lam_k ((A - a) rho_k + b' S),
    S = sum_k w_k lam_k rho_k.

References
    [SS95] Saad & Solla (finite eta, isotropic); [WR24] Worschech & Rosenow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from .gaussian import I4_kernel
from .models import TeacherStudent
from .online import order_parameter_odes
from .plateau import UNITS, P, Q, R, SymmetricSector, plateau

__all__ = ["PlateauCorrection", "plateau_correction"]


@dataclass(frozen=True)
class PlateauCorrection:
    """Coefficients of the first power of eta relative to `theory.plateau` (SS95).

    Attributes
    ----------
    model : TeacherStudent
    Q, R, error : sympy.Expr
        Of eta in the overlaps and in eps_g at the plateau.
    escape_rate : sympy.Expr
        Of eta^2 in gamma.
    """

    model: TeacherStudent
    Q: sp.Expr
    R: sp.Expr
    error: sp.Expr
    escape_rate: sp.Expr


def plateau_correction(model: TeacherStudent) -> PlateauCorrection:
    """First order in eta of the plateau and second order of its escape rate.

    Parameters
    ----------
    model : TeacherStudent
        As for `theory.plateau.plateau`, with an integer M.

    Raises
    ------
    NotImplementedError, TypeError, ValueError
        As `plateau`; and if M is a symbol.
    """
    point = plateau(model)
    if not model.M.is_Integer:
        raise NotImplementedError(
            f"plateau_correction: M = {model.M} must be an integer; use model.replace(K=2, M=2)"
        )
    at = {P: point.Q, Q: point.Q, R: point.R, UNITS: model.M}
    sector, noise = _sector(model.scale, model.label_noise)
    rows = sector.stationarity()
    jacobian = sp.Matrix(2, 2, lambda i, j: rows[i].diff((Q, R)[j]).subs(at))
    shift = jacobian.LUsolve(sp.Matrix([0, -noise.subs(at)]))

    def change(expr: sp.Expr) -> sp.Expr:
        return sp.Add(*(expr.diff(x).subs(at) * d for x, d in zip((Q, R), shift, strict=True)))

    diagonal, off, _ = (entry.subs(P, Q) for entry in sector.drift)
    second, third = (model.spectrum.moment(n) for n in (2, 3))
    feedback = second * change(sector.coupling)
    damping = third / second * change(diagonal - off)
    return PlateauCorrection(
        model, shift[0], shift[1], change(sector.closed_error.subs(P, Q)), feedback + damping
    )


@lru_cache(maxsize=8)
def _sector(scale: str, label_noise: sp.Expr) -> tuple[SymmetricSector, sp.Expr]:
    """The symmetric equations, and G of collapsed students as a function of Q and R."""
    model = TeacherStudent(UNITS, UNITS, scale=scale, label_noise=label_noise)
    sector = SymmetricSector(order_parameter_odes(model, gradient_flow=True))
    M = UNITS
    own, mixed, teacher, pair = (_average(f) for f in ("xx", "xy", "yy", "yz"))
    squared = M**2 * (own - 2 * mixed) + M * teacher + M * (M - 1) * pair
    weight = sp.S.One if scale == "unit" else 1 / M
    slope = 2 / sp.pi / sp.sqrt(1 + 2 * Q)
    return sector, weight**2 * squared + weight * label_noise * slope


def _average(pair: str) -> sp.Expr:
    """E[g'(x)^2 g(c) g(d)], x the one field of all students, y and z two teachers."""
    fields = "xx" + pair
    variances = [Q if f == "x" else sp.S.One for f in fields]
    covariances = [
        variances[e] if fields[e] == fields[f] else R if "x" in fields[e] + fields[f] else sp.S.Zero
        for e in range(4)
        for f in range(e + 1, 4)
    ]
    return I4_kernel("erf")(*variances, *covariances)
