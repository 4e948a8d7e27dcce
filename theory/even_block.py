r"""The block of y^4 in which every index occurs an even number of times, as d -> oo (PXZ26).

Mathematics
    T(w, u) = (w.H^(1/2) u)^4 on even functions of each w_k, in the orthonormal Hermite products
    e_kl of order four, e_k of order two, and 1, has the elements (t = tr H)

        <e_kl, T e_kl> = 24 lam_k lam_l,   and no others of order four;
        <e_kl, T e_k> = 12 sqrt(2) lam_k lam_l (k != l),   <e_kk, T e_k> = 24 sqrt(3) lam_k^2;
        <e_kl, T 1>   = 12 lam_k lam_l (k < l),            <e_kk, T 1> = 6 sqrt(6) lam_k^2;
        <e_k, T e_l>  = 12 lam_k lam_l + [k = l] (12 t lam_k + 48 lam_k^2);
        <e_k, T 1>    = 6 sqrt(2) (t lam_k + 2 lam_k^2),   <1, T 1> = 3 (t^2 + 2 tr H^2).

    With mu = 24/y, phi_kl = y/((k l)^a - y) and F_k = sum_l phi_kl, eliminating order four from
    T - mu and dividing by mu leaves over 1 and e_k

        R_kl = phi_kl/2,                           R_kk = F_k/2 + 5 phi_kk/2 - 1,
        R_0k = sqrt(2) (F_k/4 + phi_kk/2),         R_00 = sum_k (F_k/8 + phi_kk/4) - 1,

    and the number of eigenvalues above mu is that of 24 lam_k lam_l plus that of the positive
    eigenvalues of R (Haynsworth). F_k is the sum of `theory.power_law_secular` at y k^-a.

    For infinitely many k: beyond some k the e_k do not feel one another, so that each adds one
    pivot; beyond a further k they are summed as power series in lam_k.

References
    [PXZ26] Paquette, Xiao & Zhu, arXiv:2603.14578.
    Haynsworth, Linear Algebra Appl. 1, 73 (1968).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt

from .power_law_secular import SecularEquation

__all__ = ["EvenBlock"]

RESOLUTION = 1e-14
ROOT = sqrt(2)
ACCURACY = 1e-6
"""Of the eigenvalues, where v is larger than LEAST: how far the couplings are followed."""
LEAST = 8
MARGIN = 1e-6


@dataclass(frozen=True)
class EvenBlock:
    """The eigenvalues mu = 24/y of T on the block S empty, p = 4, in doubles.

    They are good to rounding for v <= LEAST, to a few hundred times ACCURACY
    at worst beyond (where poles crowd; the largest ones to a hundredth of it).

    Attributes
    ----------
    equation : SecularEquation
        Exponent and number of inputs; its arithmetic is in doubles.
    """

    equation: SecularEquation

    @cached_property
    def _a(self) -> float:
        return float(self.equation.exponent)

    @cached_property
    def _trace(self) -> tuple[float, float]:
        """Tr H and tr H^2."""
        return self.equation.tail_sum(1, 0), self.equation.tail_sum(2, 0)

    def count(self, y: float) -> tuple[int, float]:
        """Number of eigenvalues above 24/y, and a function that changes sign at each of them.

        The function is det(-R); it has poles where 24/y = 24 lam_k lam_l.
        """
        rows, pivots = self._matrix(y)
        while rows:
            (pivot, *tail), *rows = rows
            pivots.append(pivot)
            for row in rows:
                factor = row[0] / pivot
                row[:] = [x - factor * f for x, f in zip(row[1:], tail, strict=True)]
        determinant, positive = 1.0, 0
        for pivot in pivots:
            determinant *= -pivot
            positive += pivot > 0
        return self._poles_below(y) + positive, determinant

    def _poles_below(self, y: float) -> int:
        """How many (k l)^a, k <= l, are below y."""
        k = total = 0
        while True:
            k += 1
            l = k
            while (self.equation.v is None or l <= self.equation.v) and self._pole(k, l) < y:
                l += 1
            if l == k:
                return total
            total += l - k

    def _pole(self, k: int, l: int) -> float:
        return float(self.equation.pole(k) * self.equation.pole(l))

    def _ends(self, y: float) -> tuple[int, int]:
        """The last k that is coupled to all others, and the last that has a pivot.

        Left out are phi_kl^2 beyond the first, and terms in lam_k^4 beyond the second.
        """
        a = self._a
        coupled = max(LEAST, ceil((y / sqrt(ACCURACY)) ** (1 / (2 * a))))
        reach = ACCURACY ** (-1 / (4 * a))
        single = max(coupled, ceil(reach * (self._trace[0] * y) ** (1 / a)))
        v = self.equation.v
        return (coupled, single) if v is None else (min(coupled, v), min(single, v))

    def _matrix(self, y: float) -> tuple[list[list[float]], list[float]]:
        """R over 1, e_1, ..., e_coupled without what follows, and the pivots of that."""
        coupled, single = self._ends(y)
        sums = [self._sum(y, k) for k in range(1, single + 1)]
        doubled = [y / (self._pole(k, k) - y) for k in range(1, single + 1)]
        first = [ROOT * (s / 4 + d / 2) for s, d in zip(sums, doubled, strict=True)]
        rows = [[sum(sums) / 8 + sum(doubled) / 4 - 1, *first[:coupled]]]
        for k in range(1, coupled + 1):
            row = [y / (self._pole(k, l) - y) / 2 for l in range(1, coupled + 1)]
            row[k - 1] = sums[k - 1] / 2 + 5 * doubled[k - 1] / 2 - 1
            rows.append([first[k - 1], *row])
        pivots = []
        for k in range(coupled + 1, single + 1):
            pivot = sums[k - 1] / 2 + 5 * doubled[k - 1] / 2 - 1
            pair = [y / (self._pole(k, l) - y) / 2 for l in range(1, coupled + 1)]
            _subtract(rows, [first[k - 1], *pair], pivot)
            pivots.append(pivot)
        if self.equation.v is None or single < self.equation.v:
            self._add_rest(rows, y, coupled, single)
        return rows, pivots

    def _sum(self, y: float, k: int) -> float:
        """F_k."""
        argument = y / self.equation.pole(k)
        return float(self.equation.sums(argument, ceil(argument ** (1 / self._a)) + 1, ())[0])

    def _add_rest(self, rows: list[list[float]], y: float, coupled: int, single: int) -> None:
        """What e_k beyond `single` add to R: to third order in lam_k, all but R_00 exact to it.

        R_0k = p_0 lam_k + q_0 lam_k^2, R_mk = p_m lam_k + q_m lam_k^2, R_kk = t y lam_k/2 - 1.
        """
        t, t2 = self._trace
        one, two, three = (self.equation.tail_sum(n, single) for n in (1, 2, 3))
        lam = [1 / self.equation.pole(m) for m in range(1, coupled + 1)]
        p = [ROOT * t * y / 4, *(e * y / 2 for e in lam)]
        q = [ROOT * (t2 * y * y / 4 + y / 2), *(e * e * y * y / 2 for e in lam)]
        rows[0][0] += t * y * one / 8 + (t2 * y * y / 8 + y / 4) * two
        for row, p_i, q_i in zip(rows, p, q, strict=True):
            row[:] = [
                x + p_i * p_j * two + (p_i * q_j + q_i * p_j + p_i * p_j * t * y / 2) * three
                for x, p_j, q_j in zip(row, p, q, strict=True)
            ]

    def eigenvalues(self, lowest: float) -> list[float]:
        """All eigenvalues above `lowest`, falling."""
        # From the trace of T to what is wanted; the margin keeps the end off the poles.
        t, t2 = self._trace
        low, high = 24 / (27 * t**2 + 78 * t2), 24 / lowest * (1 + MARGIN)
        found = self._between(low, high, self.count(low), self.count(high))
        return [24 / y for y in found if 24 / y > lowest]

    def _between(
        self, low: float, high: float, at_low: tuple[int, float], at_high: tuple[int, float]
    ) -> list[float]:
        """Roots y by bisection, until one of them and no pole is left between the ends."""
        number = at_high[0] - at_low[0]
        if number == 0:
            return []
        if high - low <= RESOLUTION * high:
            return [(low + high) / 2] * number
        if number == 1 and self._poles_below(low) == self._poles_below(high):
            return [self._zero(low, high, at_low[1], at_high[1])]
        middle = sqrt(low * high)
        counted = self.count(middle)
        lower = self._between(low, middle, at_low, counted)
        return [*lower, *self._between(middle, high, counted, at_high)]

    def _zero(self, low: float, high: float, f_low: float, f_high: float) -> float:
        """Zero of the determinant by the Illinois variant of regula falsi."""
        while high - low > RESOLUTION * high:
            x = (low * f_high - high * f_low) / (f_high - f_low)
            if not low < x < high:
                break
            f = self.count(x)[1]
            if f * f_high > 0:
                high, f_high, f_low = x, f, f_low / 2
            else:
                low, f_low, f_high = x, f, f_high / 2
        return (low + high) / 2


def _subtract(rows: list[list[float]], column: list[float], pivot: float) -> None:
    """Rows minus column column^T/pivot."""
    for row, c in zip(rows, column, strict=True):
        factor = c / pivot
        row[:] = [x - factor * f for x, f in zip(row, column, strict=True)]
