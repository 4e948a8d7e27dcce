"""g(x) = x^m (p + q sign x): ReLU, leaky ReLU, |x|, sign, x|x|, ... (Cho & Saul, NeurIPS 2009).

Method
    g^(m+1) = 2 q m! delta(x), so with rho = C_ab/sqrt(C_aa C_bb) and I2 = (C_aa C_bb)^(m/2) F(rho)
    Price's theorem, applied m + 1 times, is

        F^(m+1)(rho) = (2 q m!)^2 E[delta(a) delta(b)] = (2 q m!)^2/(2 pi sqrt(1 - rho^2)),
        F^(k)(0) = E[g^(k)(z)]^2,   z ~ N(0, 1),   k = 0..m,

    integrated m + 1 times from rho = 0. The four-point average is an orthant-type integral without
    a closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import sympy as sp

from theory.activations import Activation, X

from .family import Family

__all__ = ["Homogeneous"]

_RHO = sp.Dummy("rho", real=True)
_Z = sp.Dummy("z", positive=True)


@dataclass(frozen=True)
class Homogeneous(Family):
    """g(x) = x^degree (even + odd sign x), odd != 0."""

    degree: int
    even: sp.Expr
    odd: sp.Expr

    @classmethod
    @cache
    def recognise(cls, activation: Activation) -> Homogeneous | None:
        right, left = (_monomial(activation.expr.subs(X, side)) for side in (_Z, -_Z))
        if right is None or left is None:
            return None
        degrees = {power for coefficient, power in (right, left) if coefficient != 0}
        if len(degrees) != 1:
            return None
        degree = degrees.pop()
        positive, negative = right[0], (-1) ** degree * left[0]
        if positive == negative:
            return None
        return cls(degree, (positive + negative) / 2, (positive - negative) / 2)

    @cached_property
    def _profiles(self) -> tuple[sp.Expr, ...]:
        """F, F', ..., F^(m+1) as functions of rho."""
        jump = 2 * self.odd * sp.factorial(self.degree)
        profiles = [jump**2 / (2 * sp.pi * sp.sqrt(1 - _RHO**2))]
        for k in range(self.degree, -1, -1):
            start = self.derivative_mean(sp.Integer(k), sp.S.One) ** 2
            profiles.insert(0, start + sp.integrate(profiles[0], (_RHO, 0, _RHO)))
        return tuple(profiles)

    def I2(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
        return _scaled(self._profiles[0], self.degree, Caa, Cbb, Cab)

    def price(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
        return _scaled(self._profiles[1], self.degree - 1, Caa, Cbb, Cab)

    def stein(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
        # dI2/dC_aa at fixed C_bb, C_ab: d rho/dC_aa = -rho/(2 C_aa)
        F, slope = self._profiles[:2]
        return _scaled(self.degree * F - _RHO * slope, self.degree, Caa, Cbb, Cab) / (2 * Caa)

    def I4(self, C: sp.Matrix) -> sp.Expr | None:
        return None

    def derivative_mean(self, n: sp.Expr, variance: sp.Expr) -> sp.Expr:
        m = self.degree
        if n.is_Integer and n <= m:
            r = m - int(n)
            density = sp.exp(-(_Z**2) / 2) / sp.sqrt(2 * sp.pi)
            moment = 2 * sp.integrate(_Z**r * density, (_Z, 0, sp.oo))
            parity = self.odd if r % 2 else self.even
            return parity * sp.ff(m, int(n)) * moment * sp.sqrt(variance) ** r
        # E[delta^(2j)(sqrt(q) z)] = He_2j(0)/(sqrt(2 pi) q^(j + 1/2)), 2j = n - m - 1
        j = (n - m - 1) / sp.Integer(2)
        hermite_at_zero = (-1) ** j * sp.factorial(2 * j) / (2**j * sp.factorial(j))
        jump = 2 * self.odd * sp.factorial(m)
        beyond = jump * hermite_at_zero / sp.sqrt(2 * sp.pi) / sp.sqrt(variance) ** (n - m)
        pieces = [
            (self.derivative_mean(sp.Integer(k), variance), sp.Eq(n, k)) for k in range(m + 1)
        ]
        return sp.Piecewise(*pieces, (0, sp.Eq(sp.Mod(n - m, 2), 0)), (beyond, True))


def _monomial(expr: sp.Expr) -> tuple[sp.Expr, int] | None:
    """(c, m) if expr = c z^m with an integer m >= 0, else None; zero is (0, 0)."""
    coefficient, rest = sp.expand(sp.simplify(expr)).as_independent(_Z, as_Add=False)
    base, power = rest.as_base_exp()
    if rest == 1 or coefficient == 0:
        return coefficient, 0
    if base != _Z or not power.is_Integer or power < 0:
        return None
    return coefficient, int(power)


def _scaled(profile: sp.Expr, degree: int, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
    """(C_aa C_bb)^(degree/2) profile(rho), with sqrt(1 - rho^2) written as a determinant."""
    root, angle = sp.Dummy("root", positive=True), sp.Dummy("angle", real=True)
    scale = sp.Dummy("scale", positive=True)
    terms = profile.subs(sp.asin(_RHO), angle).subs(sp.sqrt(1 - _RHO**2), root)
    terms = sp.expand(scale**degree * terms.xreplace({root: root / scale, _RHO: _RHO / scale}))
    sigma = sp.sqrt(Caa) * sp.sqrt(Cbb)
    return terms.subs(scale, sigma).xreplace(
        {root: sp.sqrt(Caa * Cbb - Cab**2), angle: sp.asin(Cab / sigma), _RHO: Cab}
    )
