r"""Sums over the branches of a parity block: what multiplies X in the counting law (PXZ26).

Mathematics
    The block |S| = p - 2 of y^p has the eigenvalues p!^2 lam_S nu_k^2. With x_k = nu_k^(-1/a),

        BlockSum(a) = sum_k x_k^-2,   BlockSlope(a) = -2 sum_k x_k^-2 log x_k      (S empty),
        BlockExcess(a) = sum_i (sum_k x_k({i})^-2 - sum_k x_k^-2)/i.

    For a = 2 they are traces: of lam_k + 1/2 lam_k s_k, so 3 zeta(2)/2 and zeta(3). Otherwise the
    first branches are computed and the others follow the secular equation far below its poles,

        sum_k x^a/(k^a - x^a) = -(pi x/a) (cot pi x + cot pi/a) + 1/2 + O(x^-a),

    so x_k = q + c/q + O(q^-2), q = k - 1/a, c = (3 + 4 |S|) a sin(pi/a)^2/(2 pi^2).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath as mp
import sympy as sp

from .exact import exact
from .power_law_secular import DOUBLES, SecularEquation
from .random_features import as_exponent

__all__ = ["BlockExcess", "BlockSlope", "BlockSum"]

BRANCHES = 80
"""Branches that are computed; what their continuation leaves out is below 1e-8."""
SETS = 24
"""Sets {i} that are computed; what the continuation of the sum leaves out is below 1e-3
(6e-4 for a = 6/5, 1e-8 for a = 2)."""


class _BlockNumber(sp.Function):
    """A number that depends on the exponent a, unevaluated."""

    nargs = 1
    letter = ""

    @staticmethod
    def _imp_(a: Any) -> Any:
        raise NotImplementedError

    def _eval_evalf(self, prec: int) -> sp.Expr:
        return sp.Float(self._imp_(self.args[0]), precision=prec)

    def _latex(self, printer: Any, exp: Any = None) -> str:
        name = rf"{self.letter}\left({printer._print(self.args[0])}\right)"
        return name if exp is None else rf"{name}^{{{exp}}}"


class BlockSum(_BlockNumber):
    """sum_k x_k^-2 for S empty, to 1e-8; exact for a = 2."""

    letter = r"\kappa"

    @classmethod
    def eval(cls, a: sp.Expr) -> sp.Expr | None:
        """3 zeta(2)/2 at a = 2."""
        return sp.Rational(3, 2) * sp.zeta(2) if a == 2 else None

    @staticmethod
    def _imp_(a: Any) -> Any:
        return _branch_sums(_rational(a), ())[0]


class BlockSlope(_BlockNumber):
    """-2 sum_k x_k^-2 log x_k for S empty, to 1e-8."""

    letter = r"\kappa'"

    @staticmethod
    def _imp_(a: Any) -> Any:
        return _branch_sums(_rational(a), ())[1]


class BlockExcess(_BlockNumber):
    """sum_i (sum_k x_k({i})^-2 - sum_k x_k^-2)/i, to 1e-3; exact for a = 2."""

    letter = r"\Delta\kappa"

    @classmethod
    def eval(cls, a: sp.Expr) -> sp.Expr | None:
        """zeta(3) at a = 2."""
        return sp.zeta(3) if a == 2 else None

    @staticmethod
    def _imp_(a: Any) -> Any:
        return _excess(_rational(a))


def _rational(a: Any) -> sp.Expr:
    """The exponent as the fraction it was given as: one, whatever the working precision."""
    return as_exponent(a if isinstance(a, sp.Expr) else _fraction(mp.mpf(a)))


@cache
def _fraction(a: mp.mpf) -> sp.Rational:
    return sp.Rational(exact(a, "exponent")).limit_denominator(10**9)


@cache
def _branch_sums(a: sp.Expr, odd: tuple[int, ...]) -> tuple[mp.mpf, mp.mpf]:
    """sum_k x_k^-2 and -2 sum_k x_k^-2 log x_k for the set `odd`."""
    equation = _equation(a)
    with mp.workdps(20):
        power, computed = 1 / equation.exponent, max(BRANCHES, 4 * sum(odd))
        x = [mp.mpf(equation.root(k, odd)) ** power for k in range(1, computed + 1)]
        q = computed + 1 - power
        c = (3 + 4 * len(odd)) * equation.exponent * mp.sin(mp.pi * power) ** 2 / (2 * mp.pi**2)
        total = mp.fsum(e**-2 for e in x) + mp.zeta(2, q) - 2 * c * mp.zeta(4, q)
        slope = -2 * mp.fsum(mp.log(e) / e**2 for e in x) + 2 * mp.zeta(2, q, 1)
        return total, slope - 2 * c * (mp.zeta(4, q) + 2 * mp.zeta(4, q, 1))


@cache
def _equation(a: sp.Expr) -> SecularEquation:
    return SecularEquation(a, None, DOUBLES)


@cache
def _excess(a: sp.Expr) -> mp.mpf:
    """Terms up to `SETS`, continued as the power of i that the last of them follow."""
    with mp.workdps(20):
        alone = _branch_sums(a, ())[0]
        gaps = [_branch_sums(a, (i,))[0] - alone for i in range(1, SETS + 1)]
        power = mp.log(gaps[SETS // 2 - 1] / gaps[-1], 2)
        rest = gaps[-1] * SETS**power * mp.zeta(1 + power, SETS + 1)
        return mp.fsum(gap / i for i, gap in enumerate(gaps, 1)) + rest
