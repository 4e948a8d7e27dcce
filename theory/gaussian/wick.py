"""Averages of products of polynomials of Gaussian fields, by Wick's theorem in its diagram form.

Method
    For x ~ N(m, C) and polynomials P_f,

        E[prod_f P_f(x_f)] = sum_n prod_{e<f} C_ef^{n_ef}/n_ef! prod_f E[P_f^(d_f)(x_f)],

    where n runs over the multigraphs on the fields, without loops, and d_f = sum_e n_ef: Price's
    theorem as a Taylor series in the off-diagonal covariances, which ends for polynomials. The
    one-field averages are the heat semigroup at the mean,

        E[P(x)] = sum_j (C_ff/2)^j/j! P^(2j)(m).

    Means may be complex (they are shifts by imaginary exponents), hence `Pair`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import sympy as sp

__all__ = ["Pair", "one_field_averages", "product_average"]


@dataclass(frozen=True)
class Pair:
    """A complex expression as its real and imaginary part, both kept unexpanded."""

    re: sp.Expr
    im: sp.Expr = sp.S.Zero

    @classmethod
    def of(cls, number: sp.Expr) -> Pair:
        """Of a number without symbols."""
        return cls(*sp.expand(number).as_real_imag())

    def __add__(self, other: Pair) -> Pair:
        return Pair(self.re + other.re, self.im + other.im)

    def __mul__(self, other: Pair) -> Pair:
        return Pair(
            self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re
        )

    def scaled(self, factor: sp.Expr) -> Pair:
        """Times a real factor."""
        return Pair(factor * self.re, factor * self.im)

    @property
    def is_zero(self) -> bool:
        """Whether both parts are the number zero."""
        return self.re == 0 and self.im == 0


ZERO, ONE = Pair(sp.S.Zero), Pair(sp.S.One)


def one_field_averages(coefficients: Sequence[Pair], mean: Pair, variance: sp.Expr) -> list[Pair]:
    """E[P^(k)(x)] for k = 0..deg P, P(x) = sum_i coefficients[i] x^i, x ~ N(mean, variance)."""
    degree = len(coefficients) - 1
    powers = [ONE]
    for _ in range(degree):
        powers.append(powers[-1] * mean)
    averages = []
    for k in range(degree + 1):
        total = ZERO
        for i in range(k, degree + 1):
            for j in range((i - k) // 2 + 1):
                order = k + 2 * j
                weight = sp.ff(i, order) * (variance / 2) ** j / sp.factorial(j)
                total = total + (coefficients[i] * powers[i - order]).scaled(weight)
        averages.append(Pair(sp.factor_terms(total.re), sp.factor_terms(total.im)))
    return averages


def product_average(
    polynomials: Sequence[Sequence[Pair]], means: Sequence[Pair], C: sp.Matrix
) -> Pair:
    """E[prod_f P_f(x_f)] for x ~ N(means, C).

    Parameters
    ----------
    polynomials : sequence of coefficient sequences
        One polynomial per field, lowest power first.
    means : sequence of Pair
    C : matrix, shape (r, r)
    """
    fields = range(len(polynomials))
    edges = list(combinations(fields, 2))
    averages = [one_field_averages(polynomials[f], means[f], C[f, f]) for f in fields]
    real, imaginary = [], []
    for degrees, lines in _multigraphs(edges, [len(p) - 1 for p in polynomials]):
        factor = ONE
        for f in fields:
            factor = factor * averages[f][degrees[f]]
            if factor.is_zero:
                break
        else:
            weight = sp.Mul(
                *(C[edge] ** n / sp.factorial(n) for edge, n in zip(edges, lines, strict=True))
            )
            real.append(weight * factor.re)
            imaginary.append(weight * factor.im)
    return Pair(sp.Add(*real), sp.Add(*imaginary))


def _multigraphs(
    edges: Sequence[tuple[int, int]], budget: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Degrees and edge multiplicities of all multigraphs with degrees <= budget."""
    if not edges:
        yield (0,) * len(budget), ()
        return
    (e, f), rest = edges[0], edges[1:]
    for n in range(min(budget[e], budget[f]) + 1):
        left = [b - n * (i in (e, f)) for i, b in enumerate(budget)]
        for degrees, lines in _multigraphs(rest, left):
            yield tuple(d + n * (i in (e, f)) for i, d in enumerate(degrees)), (n, *lines)
