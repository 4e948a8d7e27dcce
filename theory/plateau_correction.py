"""The symmetric plateau at finite eta: what the noise of SGD changes, to first order.

Summary
    Students that have collapsed onto one vector stay alike under noise, which only lengthens the
    vector. The fixed point moves by eta, and with it the damping of specialisation no longer
    vanishes exactly: in structured data the escape rate then feels a third moment of the spectrum.

Main results (erf, K = M, teachers orthonormal; T_n = sum_k w_k lam_k^n)
    With g = G/h, G = <delta_i delta_j> of collapsed students and h = (4M^2 - 1) b', c = 1/sqrt(M):
    Q = Q* (1 + (M+1) eta g), R = R* (1 + (3/4) eta g), eps_g = eps* + eta M G/4, + O(eta^2),
    whatever the spectrum;
    gamma = eta T_2 b' (1 - 3 eta g/(2(2M+1))) + eta^2 (T_3/T_2) G/2 + O(eta^3),
    b' = dD^y_in/dR_in; A - a, zero at eta = 0, is eta G/2 and brings in the third moment.

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
    noise : sympy.Expr
        G at the plateau, every entry.
    Q, R, error : sympy.Expr
        Of eta in the overlaps and in eps_g at the plateau.
    escape_rate : sympy.Expr
        Of eta^2 in gamma.
    """

    model: TeacherStudent
    noise: sp.Expr
    Q: sp.Expr
    R: sp.Expr
    error: sp.Expr
    escape_rate: sp.Expr


def plateau_correction(model: TeacherStudent) -> PlateauCorrection:
    """First order in eta of the plateau and second order of its escape rate.

    Parameters
    ----------
    model : TeacherStudent
        As for `theory.plateau.plateau`; M may be a symbol.

    Raises
    ------
    NotImplementedError, TypeError, ValueError
        As `plateau`.

    Examples
    --------
    At eta = 1/10 the plateau of M = 2 is left 0.3 % faster than its leading order says:

    >>> model = TeacherStudent(K=2, M=2, eta="1/10")
    >>> second = model.eta**2 * plateau_correction(model).escape_rate
    >>> round(float(second / plateau(model).escape_rate), 5)
    0.00328
    """
    plateau(model)  # refuses models without
    noise = _noise(model.scale, model.label_noise)
    per_noise = _response(model.scale)
    found = {name: (noise * expr).subs(UNITS, model.M) for name, expr in per_noise.items()}
    second, third = (model.spectrum.moment(n) for n in (2, 3))
    rate = second * found.pop("feedback") + third / second * found.pop("damping")
    return PlateauCorrection(model, noise.subs(UNITS, model.M), **found, escape_rate=rate)


@lru_cache(maxsize=2)
def _sector(scale: str) -> SymmetricSector:
    model = TeacherStudent(UNITS, UNITS, scale=scale)
    return SymmetricSector(order_parameter_odes(model, gradient_flow=True))


@lru_cache(maxsize=2)
def _response(scale: str) -> dict[str, sp.Expr]:
    """Per eta G: changes of Q, R, eps_g, of b' (feedback) and of A - a (damping)."""
    sector = _sector(scale)
    rows = sector.stationarity()
    jacobian = sp.Matrix(2, 2, lambda i, j: _at_plateau(rows[i].diff((Q, R)[j])))
    shift = jacobian.LUsolve(sp.Matrix([0, -1])).applyfunc(_at_plateau)
    diagonal, off, _ = (entry.subs(P, Q) for entry in sector.drift)
    moved = {
        "error": sector.closed_error.subs(P, Q),
        "feedback": sector.coupling,
        "damping": diagonal - off,
    }

    def change(expr: sp.Expr) -> sp.Expr:
        parts = [_at_plateau(expr.diff(x)) * d for x, d in zip((Q, R), shift, strict=True)]
        return sp.factor(sp.Add(*parts))

    return {"Q": shift[0], "R": shift[1], **{name: change(e) for name, e in moved.items()}}


@lru_cache(maxsize=8)
def _noise(scale: str, label_noise: sp.Expr) -> sp.Expr:
    """G of collapsed students at the plateau."""
    M = UNITS
    own, mixed, teacher, pair = (_average(f) for f in ("xx", "xy", "yy", "yz"))
    squared = M**2 * (own - 2 * mixed) + M * teacher + M * (M - 1) * pair
    weight = sp.S.One if scale == "unit" else 1 / M
    slope = 2 / sp.pi / sp.sqrt(1 + 2 * Q)
    total = weight**2 * squared + weight * label_noise * slope
    tidied = total.replace(sp.asin, lambda argument: sp.asin(_at_plateau(argument)))
    # Linear in the angles; names keep their arguments together.
    names = {angle: sp.Dummy() for angle in sorted(tidied.atoms(sp.asin), key=str)}
    parts = sp.expand(tidied.xreplace(names)).collect(names.values(), evaluate=False)
    angles = {name: angle for angle, name in names.items()}
    return sp.Add(*(angles.get(x, x) * _at_plateau(factor) for x, factor in parts.items()))


def _at_plateau(expr: sp.Expr) -> sp.Expr:
    """`expr` at the plateau, factored; M - 1/2 is positive, so roots of products come apart."""
    point, half = plateau(TeacherStudent(UNITS, UNITS)), sp.Symbol("m", positive=True)
    there = expr.subs({P: point.Q, Q: point.Q, R: point.R}).subs(UNITS, half + sp.S.Half)
    apart = there.replace(
        lambda e: e.is_Pow and not e.exp.is_Integer,
        lambda e: sp.expand_power_base(sp.factor(sp.together(e.base)) ** e.exp),
    )
    return sp.factor(sp.factor(sp.together(apart)).subs(half, UNITS - sp.S.Half))


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
