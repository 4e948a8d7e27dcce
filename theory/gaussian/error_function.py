"""g(x) = A + B erf(kappa x): the derivative is a Gaussian weight (SS95, BS95, YO19).

Method
    g'(x) = (2 B kappa/sqrt(pi)) exp(-kappa^2 x^2), so with s = 2 kappa^2 and S = s C

        E[g'(a) g'(b)] = (2 s B^2/pi) det(1 + S)^(-1/2)                   (Gaussian determinant)
        I2 = A^2 + int_0^{C_ab} E[g'(a) g'(b)] dC_ab                      (Price's theorem)
        I4 = E[g'(a) g'(b)] I2(C~),   C~ = C - C_.,ab (1/s + C_ab,ab)^-1 C_ab,.   (tilting)

    where C~ is the covariance of (c, d) under the measure weighted by g'(a) g'(b).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import sympy as sp

from theory.activations import Activation, X

from .family import Family

__all__ = ["ErrorFunction"]

# Entries of 1 + s C: u = 1 + s C_aa, v = 1 + s C_bb, w = s C_ab.
_U, _V = sp.Dummy("u", positive=True), sp.Dummy("v", positive=True)
_W = sp.Dummy("w", real=True)
_WEIGHTED = sp.Matrix([[_U, _W], [_W, _V]])


@cache
def _derived() -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """int_0^w det^(-1/2) dw, and its derivatives with respect to w and u."""
    t, radius = sp.Dummy("t", real=True), sp.Dummy("r", positive=True)
    # det = r^2 - w^2 with r^2 = u v: the integral in one positive symbol
    primitive = sp.integrate(1 / sp.sqrt(radius**2 - t**2), t)
    integral = primitive.subs(t, _W) - primitive.subs(t, 0)
    integral = integral.subs(radius, sp.sqrt(_U * _V))
    return integral, 1 / sp.sqrt(_WEIGHTED.det()), sp.simplify(integral.diff(_U))


@dataclass(frozen=True)
class ErrorFunction(Family):
    """g(x) = offset + amplitude erf(kappa x), kappa > 0."""

    offset: sp.Expr
    amplitude: sp.Expr
    kappa: sp.Expr

    @classmethod
    def recognise(cls, activation: Activation) -> ErrorFunction | None:
        expr = sp.expand(activation.expr.rewrite(sp.erf))
        functions = [f for f in expr.atoms(sp.erf) if f.has(X)]
        if len(functions) != 1:
            return None
        kappa = functions[0].args[0].diff(X)
        amplitude = expr.coeff(functions[0])
        offset = sp.expand(expr - amplitude * functions[0])
        if offset.has(X) or amplitude.has(X) or functions[0].args[0] != kappa * X:
            return None
        if kappa.is_negative:
            kappa, amplitude = -kappa, -amplitude
        return cls(offset, amplitude, kappa) if kappa.is_positive else None

    @property
    def _s(self) -> sp.Expr:
        return 2 * self.kappa**2

    def _entries(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> dict[sp.Symbol, sp.Expr]:
        s = self._s
        return {_U: 1 + s * Caa, _V: 1 + s * Cbb, _W: s * Cab}

    def I2(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
        integral = _derived()[0].xreplace(self._entries(Caa, Cbb, Cab))
        return self.offset**2 + 2 * self.amplitude**2 / sp.pi * integral

    def price(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
        by_w = _derived()[1].xreplace(self._entries(Caa, Cbb, Cab))
        return 2 * self._s * self.amplitude**2 / sp.pi * by_w

    def stein(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
        by_u = _derived()[2].xreplace(self._entries(Caa, Cbb, Cab))
        return 2 * self._s * self.amplitude**2 / sp.pi * by_u

    def I4(self, C: sp.Matrix) -> sp.Expr:
        pair = C[0, 0], C[1, 1], C[0, 1]
        s, entries = self._s, self._entries(*pair)
        # (1/s + C_ab,ab)^-1 = s (1 + s C_ab,ab)^-1, the inverse as adjugate over determinant
        adjugate = _WEIGHTED.adjugate().xreplace(entries)
        determinant = _WEIGHTED.det().xreplace(entries)

        def tilted(e: int, f: int) -> sp.Expr:
            return C[e, f] - s * (C[:2, e].T * adjugate * C[:2, f])[0] / determinant

        return self.price(*pair) * self.I2(tilted(2, 2), tilted(3, 3), tilted(2, 3))

    def derivative_mean(self, n: sp.Expr, variance: sp.Expr) -> sp.Expr:
        # E[g'(x + m)] = weight exp(-kappa^2 m^2/(1 + s q)): its (n-1)-th Taylor coefficient in m
        width = 1 + self._s * variance
        weight = 2 * self.amplitude * self.kappa / sp.sqrt(sp.pi * width)
        j = (n - 1) / sp.Integer(2)
        odd = weight * sp.factorial(n - 1) / sp.factorial(j) * (-(self.kappa**2) / width) ** j
        return sp.Piecewise((self.offset, sp.Eq(n, 0)), (0, sp.Eq(sp.Mod(n, 2), 0)), (odd, True))
