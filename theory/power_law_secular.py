"""The secular equation whose poles are those of a power law, with infinitely many of them.

Mathematics
    diag(lam) + (1/2) lam s^T, lam_k = k^-a, has the eigenvalues nu = 1/y with
    2 = sum_k s_k y/(k^a - y). `theory.secular` solves such equations for given poles; here they
    may be infinitely many, and the sum is shared by all s that differ in a few k.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath as mp
import sympy as sp

__all__ = ["DOUBLES", "SecularEquation"]

DOUBLES = 13
"""Up to so many digits equations are solved in doubles."""
GUARD_DIGITS = 10
NEWTON_STEPS = 400


@dataclass(frozen=True)
class SecularEquation:
    """2 = sum_{k<=v} s_k y/(k^a - y), y = 1/nu, s_k = 1 or, for k in S, 3.

    The right side rises from -oo to oo between neighbouring k^a (from 0 below the first), so that
    root number k lies between (k - 1)^a and k^a. Terms beyond a multiple of y^(1/a) are summed as
    a power series in y, whose coefficients are Hurwitz zeta functions.

    Attributes
    ----------
    a : exponent
    v : int or None
        None for infinitely many inputs.
    digits : int
        Up to `DOUBLES`, roots are doubles with about that many digits; beyond, mpf.
    """

    a: sp.Expr
    v: int | None
    digits: int

    @property
    def precision(self) -> int:
        """Digits of the arithmetic."""
        return max(self.digits, 15) + GUARD_DIGITS

    @property
    def _number(self) -> Any:
        return float if self.digits <= DOUBLES else mp.mpf

    @cached_property
    def _poles(self) -> list[Any]:
        return [self._number(0)]

    @cached_property
    def _tails(self) -> dict[int, list[Any]]:
        return {}

    @cached_property
    def _roots(self) -> dict[int, Any]:
        return {}

    @cached_property
    def exponent(self) -> mp.mpf:
        """The value of a."""
        return mp.mpf(sp.N(self.a, self.precision))

    def pole(self, k: int) -> Any:
        """k^a."""
        while len(self._poles) <= k:
            self._poles.append(self._number(mp.mpf(len(self._poles)) ** self.exponent))
        return self._poles[k]

    def tail_sum(self, n: int, last: int) -> Any:
        """Sum of k^(-a n) over last < k <= v."""
        end = 0 if self.v is None else mp.zeta(self.exponent * n, self.v + 1)
        return self._number(mp.zeta(self.exponent * n, last + 1) - end)

    def _tail(self, last: int) -> list[Any]:
        """Coefficients of y^n, ..., y, 1 in sum_{last<k<=v} y/(k^a - y), as `mp.polyval` has it."""
        if last not in self._tails:
            terms = int(self.precision * mp.log(10, 2) / self.exponent) + 3
            sums = [self.tail_sum(m, last) for m in range(terms, 0, -1)]
            self._tails[last] = [*sums, self._number(0)]
        return self._tails[last]

    def sums(self, y: Any, near: int, odd: tuple[int, ...]) -> tuple[Any, Any]:
        """The right side and y times its slope; `near` is an index with y <= near^a."""
        last = 8
        while last < 2 * near:
            last *= 2
        value = slope = self._number(0)
        if self.v is not None and self.v <= last:
            last = self.v
        else:
            for c in self._tail(last):  # Horner, for the value and y times the slope
                slope = slope * y + value * y
                value = value * y + c
        self.pole(max(last, *odd, 0))
        indices = [*self._poles[1 : last + 1], *(self._poles[i] for i in odd for _ in (1, 2))]
        for pole in indices:
            term = y / (pole - y)
            value += term
            slope += term * (1 + term)
        return value, slope

    def root(self, k: int, odd: tuple[int, ...] = ()) -> Any:
        """Root number k >= 1 for the set `odd`: Newton's method, kept in its gap by bisection."""
        low, high = self.pole(k - 1), self.pole(k)
        if odd and k not in self._roots:
            self._roots[k] = self.root(k)
        y = self._roots.get(k, (low + high) / 2)
        accuracy = self._number(mp.mpf(10) ** -(14 if self._number is float else self.digits + 5))
        for _ in range(NEWTON_STEPS):
            value, slope = self.sums(y, k, odd)
            residual = value - 2
            low, high = (y, high) if residual < 0 else (low, y)
            new = self._newton(y, residual, slope / y, self.pole(k - 1), self.pole(k))
            if not low < new < high:
                new = (low + high) / 2
            if abs(new - y) <= accuracy * y:
                return new
            y = new
        raise ArithmeticError(f"secular equation: no convergence at root {k} of the set {odd}")

    @staticmethod
    def _newton(y: Any, residual: Any, slope: Any, left: Any, right: Any) -> Any:
        """A Newton step for the residual times the distances to both poles, which is smooth."""
        factor, change = (y - left) * (right - y), left + right - 2 * y
        if left == 0:  # no pole at zero
            factor, change = right - y, -1
        cleared = change * residual + factor * slope
        return y - factor * residual / cleared if cleared > 0 else left
