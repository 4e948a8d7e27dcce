r"""The spectrum of random features y^p as their number d -> oo, by parity sets (PXZ26).

Mathematics
    As d -> oo the eigenvalues of K become those of the kernel E_x[(w.x)^p (u.x)^p] in L2 of
    w ~ N(0, 1). With x = H^(1/2) z it is a square: K = T^2, T(w, u) = (w.H^(1/2) u)^p. Both
    commute with w_i -> -w_i, so they fall into blocks, one for each set S of indices that occur an
    odd number of times, |S| = p - 2m. Up to a similarity the block of T is, on the multisets gamma
    of m indices, with lam_S = prod_{i in S} lam_i,

        sqrt(lam_S) Lam^gamma (p!/(S + 2 gamma)!) prod_i (alpha_i + beta_i - 1)!!,

    alpha = S + 2 gamma, beta = S + 2 gamma'. So, with lam_i = i^-a,

        m = 0 : one eigenvalue of K, p!^2 lam_S;
        m = 1 : p!^2 lam_S nu^2,  2 = sum_k lam_k (1 + 2 [k in S])/(nu - lam_k);

    For S empty and a = 2 the sum is closed: u cot u = -3, nu = (pi/u)^2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import comb, factorial, prod
from typing import Any

import mpmath as mp
import sympy as sp

from .random_features import as_degree, as_exponent, as_inputs

__all__ = ["ChaosEigenvalue", "SecularEquation", "chaos_eigenvalues", "odd_sets"]

DOUBLES = 13
"""Up to so many digits the secular equations are solved in doubles."""
GUARD_DIGITS = 10
LARGEST_DEGREE = 3


@dataclass(frozen=True)
class ChaosEigenvalue:
    """An eigenvalue of the limit d -> oo and the block it comes from.

    Attributes
    ----------
    value : mpf
    odd : tuple of int
        The parity set S, increasing.
    branch : int
        Which eigenvalue of the block, from 1, the largest.
    """

    value: mp.mpf
    odd: tuple[int, ...]
    branch: int


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
    def _exponent(self) -> mp.mpf:
        return mp.mpf(sp.N(self.a, self.precision))

    def pole(self, k: int) -> Any:
        """k^a."""
        while len(self._poles) <= k:
            self._poles.append(self._number(mp.mpf(len(self._poles)) ** self._exponent))
        return self._poles[k]

    def _tail(self, last: int) -> list[Any]:
        """Coefficients of y^n, ..., y, 1 in sum_{last<k<=v} y/(k^a - y), as `mp.polyval` has it."""
        if last not in self._tails:
            a, coefficients = self._exponent, [mp.mpf(0)]
            terms = int(self.precision * mp.log(10, 2) / a) + 3
            for m in range(1, terms + 1):
                end = 0 if self.v is None else mp.zeta(a * m, self.v + 1)
                coefficients.append(mp.zeta(a * m, last + 1) - end)
            self._tails[last] = [self._number(c) for c in reversed(coefficients)]
        return self._tails[last]

    def _sums(self, y: Any, near: int, odd: tuple[int, ...]) -> tuple[Any, Any]:
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
        for _ in range(400):
            value, slope = self._sums(y, k, odd)
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


def odd_sets(size: int, bound: Any, v: int | None) -> Iterator[tuple[int, ...]]:
    """The sets of `size` distinct indices up to v with product <= bound, each increasing."""

    def extend(chosen: tuple[int, ...], product: int) -> Iterator[tuple[int, ...]]:
        left = size - len(chosen)
        if left == 0:
            yield chosen
            return
        i = chosen[-1] + 1 if chosen else 1
        # The smallest product of what is still to be chosen.
        while product * prod(range(i, i + left)) <= bound and (v is None or i <= v):
            yield from extend((*chosen, i), product * i)
            i += 1

    yield from extend((), 1)


def _up_to(
    bound: mp.mpf, p: int, equation: SecularEquation
) -> Iterator[tuple[mp.mpf, tuple[int, ...], int]]:
    """(X, S, branch) of all eigenvalues p!^2 X^-a with X <= bound."""
    for odd in odd_sets(p, bound, equation.v):
        yield mp.mpf(prod(odd)), odd, 1
    if p < 2:
        return
    power = 2 / equation._exponent
    # The largest root of all: weights of three where the eigenvalues are largest.
    lowest = mp.mpf(equation.root(1, tuple(range(1, p - 1)))) ** power
    for odd in odd_sets(p - 2, bound / lowest, equation.v):
        branch = 1
        while equation.v is None or branch <= equation.v:
            x = prod(odd) * mp.mpf(equation.root(branch, odd)) ** power
            if x > bound:
                break
            yield x, odd, branch
            branch += 1


def chaos_eigenvalues(
    a: Any, p: Any, count: int, v: Any = sp.oo, digits: int = DOUBLES
) -> tuple[ChaosEigenvalue, ...]:
    """The largest eigenvalues of K for f(y) = y^p, lam_j(H) = j^-a and d -> oo (PXZ26).

    Parameters
    ----------
    a : exact number > 1
    p : int from 1 to 3
    count : int
        How many, with multiplicity.
    v : positive integer or oo
        Input dimension.
    digits : int
        Relative accuracy 10^-digits of the values (mpf); up to 13 it costs doubles only.

    Returns
    -------
    tuple of ChaosEigenvalue
        Falling; equal ones in the order of their sets.

    Raises
    ------
    ValueError, TypeError
        If a <= 1, p is not 1, 2 or 3, v is neither a positive integer nor oo, or there are fewer
        than `count` eigenvalues, binomial(v + p - 1, p).

    Examples
    --------
    >>> [(e.odd, mp.nstr(e.value, 6)) for e in chaos_eigenvalues(2, 2, 3)]
    [((), '10.7151'), ((1, 2), '1.0'), ((), '0.519609')]
    """
    exponent, degree, inputs = as_exponent(a), as_degree(p), as_inputs(v)
    if degree > LARGEST_DEGREE:
        raise ValueError(
            f"chaos_eigenvalues: the degree p must be at most {LARGEST_DEGREE}, found {p}"
        )
    last = None if inputs is sp.oo else int(inputs)
    if count < 1 or (last is not None and count > comb(last + degree - 1, degree)):
        most = "" if last is None else f" to {comb(last + degree - 1, degree)}, all there are"
        raise ValueError(f"chaos_eigenvalues: count must be from 1{most}, found {count}")
    equation = SecularEquation(exponent, last, digits)
    with mp.workdps(equation.precision):
        bound = mp.mpf(2)
        found = list(_up_to(bound, degree, equation))
        while len(found) < count:
            bound *= min(4, max(mp.mpf("1.2"), mp.mpf(count) / max(len(found), 1)))
            found = list(_up_to(bound, degree, equation))
        found.sort(key=lambda entry: (entry[0], entry[1]))
        scale, power = factorial(degree) ** 2, -equation._exponent
        return tuple(
            ChaosEigenvalue(scale * mp.mpf(x) ** power, odd, branch)
            for x, odd, branch in found[:count]
        )
