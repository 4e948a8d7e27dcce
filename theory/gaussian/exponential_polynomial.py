"""g(x) = sum_s P_s(x) exp(s x), s complex: powers, He_n, sin, cos, exp, sinh, x sin(x), ...

Method
    exp(s.x) is a shift of the mean (tilting), so for polynomials P_f

        E[prod_f P_f(x_f) exp(s_f x_f)] = exp(s^T C s/2) E[prod_f P_f(x_f + (C s)_f)],

    and what remains is Wick's theorem (`wick`). g is real, so exponents come in conjugate
    pairs: the sum is real, and is written with real exponentials, cosh, sinh, cos and sin only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import sympy as sp

from theory.activations import Activation, X

from .family import Family
from .wick import Pair, one_field_averages, product_average

__all__ = ["ExponentialPolynomial"]

Terms = Mapping[sp.Expr, tuple[sp.Expr, ...]]
"""Exponent s -> coefficients of P_s, lowest power first."""


@dataclass(frozen=True)
class ExponentialPolynomial(Family):
    """g(x) = sum of P_s(x) exp(s x); `terms` lists (s, coefficients of P_s)."""

    terms: tuple[tuple[sp.Expr, tuple[sp.Expr, ...]], ...]

    @classmethod
    def recognise(cls, activation: Activation) -> ExponentialPolynomial | None:
        found: dict[sp.Expr, dict[int, sp.Expr]] = {}
        for term in sp.Add.make_args(sp.expand(activation.expr.rewrite(sp.exp))):
            parsed = _parse(term)
            if parsed is None:
                return None
            s, power, coefficient = parsed
            powers = found.setdefault(s, {})
            powers[power] = powers.get(power, sp.S.Zero) + coefficient
        terms = {
            s: tuple(powers.get(i, sp.S.Zero) for i in range(max(powers) + 1))
            for s, powers in sorted(found.items(), key=lambda item: sp.default_sort_key(item[0]))
        }
        return cls(tuple(terms.items()))

    def _terms(self, order: int) -> Terms:
        """The terms of the derivative g^(order): (P exp(s x))' = (P' + s P) exp(s x)."""
        terms: Terms = dict(self.terms)
        for _ in range(order):
            terms = {s: _differentiated(s, coefficients) for s, coefficients in terms.items()}
        return {s: c for s, c in terms.items() if any(c)}

    def I2(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
        return _average([self._terms(0)] * 2, sp.Matrix([[Caa, Cab], [Cab, Cbb]]))

    def price(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
        return _average([self._terms(1)] * 2, sp.Matrix([[Caa, Cab], [Cab, Cbb]]))

    def stein(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
        C = sp.Matrix([[Caa, Cab], [Cab, Cbb]])
        return _average([self._terms(2), self._terms(0)], C) / 2

    def I4(self, C: sp.Matrix) -> sp.Expr:
        return _average([self._terms(1)] * 2 + [self._terms(0)] * 2, C)

    def derivative_mean(self, n: sp.Expr, variance: sp.Expr) -> sp.Expr:
        # g^(n) = sum_s sum_k binomial(n, k) s^(n-k) P_s^(k) exp(s x), averaged by the shift s q
        total = sp.S.Zero
        for s, coefficients in self.terms:
            numbers = [Pair.of(c) for c in coefficients]
            mean = Pair.of(s).scaled(variance)
            averages = one_field_averages(numbers, mean, variance)
            if s == 0:
                pieces = [(a.re, sp.Eq(n, k)) for k, a in enumerate(averages)]
                total += sp.Piecewise(*pieces, (0, True))
                continue
            inner = Pair(sp.S.Zero)
            for k, average in enumerate(averages):
                if not (n.is_Integer and n < k):
                    weight = sp.ff(n, k) / sp.factorial(k)
                    inner = inner + (_power(s, n - k) * average).scaled(weight)
            square = Pair.of(sp.expand(s**2)).scaled(variance / 2)
            total += sp.exp(square.re) * (inner * _phase(square.im)).re
        return total


def _parse(term: sp.Expr) -> tuple[sp.Expr, int, sp.Expr] | None:
    """(s, power, coefficient) of a term coefficient x^power exp(s x), else None."""
    coefficient, rest = term.as_independent(X, as_Add=False)
    exponent, power = sp.S.Zero, 0
    for factor in sp.Mul.make_args(rest):
        if isinstance(factor, sp.exp):
            exponent += factor.args[0]
            continue
        base, index = factor.as_base_exp()
        if factor != 1 and (base != X or not index.is_Integer or index < 0):
            return None
        power += int(index) if factor != 1 else 0
    s = sp.expand(exponent).coeff(X, 1)
    shift = sp.expand(exponent - s * X)
    return None if shift.has(X) else (s, power, coefficient * sp.exp(shift))


def _conjugate(number: sp.Expr) -> sp.Expr:
    return sp.expand(sp.conjugate(number))


def _differentiated(s: sp.Expr, c: Sequence[sp.Expr]) -> tuple[sp.Expr, ...]:
    """Coefficients of P' + s P."""
    result = [sp.expand(s * a) for a in c]
    for i in range(1, len(c)):
        result[i - 1] += i * c[i]
    while result and result[-1] == 0:
        result.pop()
    return tuple(result)


def _average(functions: Sequence[Terms], C: sp.Matrix) -> sp.Expr:
    """E[prod_f g_f(x_f)], x ~ N(0, C), real."""
    # exponent of the variances -> exponent of the covariances -> factor
    groups: dict[sp.Expr, dict[sp.Expr, sp.Expr]] = {}
    done: set[tuple[sp.Expr, ...]] = set()
    for choice in product(*functions):
        mirror = tuple(_conjugate(s) for s in choice)
        if mirror in done:
            continue
        done.add(choice)
        diagonal, off, factor = _tilted_average(choice, functions, C)
        factor *= 1 if mirror == choice else 2
        group = groups.setdefault(diagonal, {})
        group[off] = group.get(off, sp.S.Zero) + factor
    return sp.Add(*(_combined(diagonal, group) for diagonal, group in groups.items()))


def _tilted_average(
    s: Sequence[sp.Expr], functions: Sequence[Terms], C: sp.Matrix
) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """Re E[prod_f P_f(x_f) exp(s_f x_f)] as exp(first + second) times third.

    `first` holds the variances, `second` the covariances.
    """
    fields = range(len(s))
    numbers = [Pair.of(number) for number in s]
    polynomials = [[Pair.of(c) for c in functions[f][s[f]]] for f in fields]
    diagonal = off = Pair(sp.S.Zero)
    means = [Pair(sp.S.Zero)] * len(s)
    for e in fields:
        diagonal = diagonal + (numbers[e] * numbers[e]).scaled(C[e, e] / 2)
        for f in fields:
            means[f] = means[f] + numbers[e].scaled(C[f, e])
            if e < f:
                off = off + (numbers[e] * numbers[f]).scaled(C[e, f])
    average = product_average(polynomials, means, C) * _phase(diagonal.im + off.im)
    return diagonal.re, off.re, average.re


def _combined(diagonal: sp.Expr, group: dict[sp.Expr, sp.Expr]) -> sp.Expr:
    """exp(diagonal) sum of factor exp(off); exp(E) and exp(-E) as cosh or sinh if they match."""
    if len(group) == 1:
        ((off, factor),) = group.items()
        return factor * sp.exp(diagonal + off)
    parts = []
    rest = dict(group)
    while rest:
        off, factor = rest.popitem()
        opposite = rest.get(-off)
        if opposite is not None and opposite in (factor, -factor):
            del rest[-off]
            parts.append(2 * factor * (sp.cosh if opposite == factor else sp.sinh)(off))
        else:
            parts.append(factor * sp.exp(off))
    return sp.exp(diagonal) * sp.Add(*parts)


def _phase(angle: sp.Expr) -> Pair:
    """exp(i angle)."""
    return Pair(sp.cos(angle), sp.sin(angle))


def _power(s: sp.Expr, k: sp.Expr) -> Pair:
    """s^k for an integer k, or a symbol that stands for one."""
    if k.is_Integer:
        return Pair.of(s**k)
    return _phase(k * sp.arg(s)).scaled(sp.Abs(s) ** k)
