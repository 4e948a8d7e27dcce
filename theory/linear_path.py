"""The linear network along alpha: exponentials from residues, then every overlap.

Mathematics
    The Laplace transform of eps_g is (F^(s) + K^(s) sigma^2/(2 s))/(1 - K^(s)): its poles are the
    roots mu of the secular equation 1 = K^(mu) and, with weight decay, 0 and -a_k; the poles -2 a_k
    of F^ and K^ cancel. All students share the increments of S = sum_i J_i, so that
    J_i = S/K + (J_i(0) - S(0)/K) exp(-eta d alpha).

Notation
    As in `theory.linear`: e_k = c^2 |P_k (V - S)|^2/n_k, a_k = kappa lam_k + eta d.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import mpmath as mp
import sympy as sp

from .exact import exact, sequence
from .models import TeacherStudent
from .secular import secular_roots

__all__ = ["GUARD_DIGITS", "LinearNumbers", "LinearPath", "read_overlaps"]

GUARD_DIGITS = 30
"""Lost by differences of close rates, and close to eta_c, where the response diverges."""
LARGEST_RESPONSE = 20
"""Decades of response that `GUARD_DIGITS` can hold."""

Matrix = list[list[mp.mpf]]


@dataclass(frozen=True)
class LinearNumbers:
    """The model as mpf at the precision in which it was made.

    Attributes
    ----------
    lam, w : tuple of mpf
    eta, c2, kappa, noise, decay : mpf
        eta, c^2, kappa, sigma^2, eta d.
    """

    lam: tuple[mp.mpf, ...]
    w: tuple[mp.mpf, ...]
    eta: mp.mpf
    c2: mp.mpf
    kappa: mp.mpf
    noise: mp.mpf
    decay: mp.mpf

    @classmethod
    def of(cls, model: TeacherStudent, kappa: sp.Expr) -> LinearNumbers:
        """At the working precision.

        Raises
        ------
        ValueError
            If a symbol is left, or the eigenvalues cannot be listed.
        """
        digits = mp.mp.dps
        lam, w = model.spectrum.values(digits)
        values = {
            "eta": model.eta,
            "c2": model.student_scale**2,
            "kappa": kappa,
            "noise": model.label_noise,
            "decay": model.eta * model.weight_decay,
        }
        unknown = sorted({str(s) for e in values.values() for s in e.free_symbols})
        if unknown:
            raise ValueError(
                f"linear_solution: {', '.join(unknown)} must be numbers here; give values, e.g. "
                f"model.replace({unknown[0]}=...)"
            )
        return cls(lam, w, **{name: mp.mpf(sp.N(e, digits)) for name, e in values.items()})

    @cached_property
    def damping(self) -> list[mp.mpf]:
        """a_k."""
        return [self.kappa * e + self.decay for e in self.lam]

    @cached_property
    def strengths(self) -> list[mp.mpf]:
        """kappa^2 w_k lam_k^2."""
        return [self.kappa**2 * w * e**2 for w, e in zip(self.w, self.lam, strict=True)]

    @cached_property
    def eigenvalues(self) -> tuple[mp.mpf, ...]:
        """Roots mu of the secular equation, the largest first."""
        return secular_roots([-2 * a for a in self.damping], self.strengths)

    def response(self, rate: mp.mpf) -> mp.mpf:
        """1/(1 - K^(rate)): how much noise of SGD amplifies a forcing exp(rate alpha).

        Raises
        ------
        ValueError
            If it exceeds 1e20, as at eta_c.
        """
        gaps = [rate + 2 * a for a in self.damping]
        if 0 in gaps:
            return mp.mpf(0)
        rest = 1 - mp.fsum(c / g for c, g in zip(self.strengths, gaps, strict=True))
        if abs(rest) < mp.mpf(10) ** -LARGEST_RESPONSE:
            raise ValueError(
                "linear_solution: at this learning rate a constant or decaying forcing (label "
                "noise, weight decay) is in resonance with a rate of relaxation, as it is at "
                "eta_c; change eta slightly"
            )
        return 1 / rest


@dataclass(frozen=True, eq=False)
class LinearPath:
    """eps_g and the overlaps of a linear network along alpha, to `digits` digits.

    eps_g(alpha) = limit + sum_j amplitudes_j exp(rates_j alpha).

    Attributes
    ----------
    digits : int
    """

    digits: int
    _numbers: LinearNumbers = field(repr=False)
    _q: tuple[Matrix, ...] = field(repr=False)
    _r: tuple[Matrix, ...] = field(repr=False)
    _t: tuple[Matrix, ...] = field(repr=False)

    @property
    def limit(self) -> mp.mpf:
        """The constant term of eps_g: its floor, if the learning rate is below eta_c."""
        return self._rounded(lambda: self._constant)

    @property
    def rates(self) -> tuple[mp.mpf, ...]:
        """The exponents, slowest first: eigenvalues mu and, with weight decay, -a_k."""
        return tuple(self._rounded(lambda: [rate for rate, _ in self._terms]))

    @property
    def amplitudes(self) -> tuple[mp.mpf, ...]:
        """Weights of the exponentials in eps_g, in the order of `rates`."""
        return tuple(self._rounded(lambda: [weight for _, weight in self._terms]))

    def generalization_error(self, alpha: Any) -> mp.mpf:
        """eps_g at time alpha."""
        return self._rounded(lambda: self._error(_time(alpha)))

    def r(self, alpha: Any) -> list[Matrix]:
        """r_k at time alpha, (L, K, M)."""
        return self._rounded(lambda: self._teacher_overlaps(_time(alpha)))

    def q(self, alpha: Any) -> list[Matrix]:
        """q_k at time alpha, (L, K, K)."""
        return self._rounded(lambda: self._student_overlaps(_time(alpha)))

    def _rounded(self, compute: Callable[[], Any]) -> Any:
        with mp.workdps(self.digits + GUARD_DIGITS):
            value = compute()
        with mp.workdps(self.digits):
            return _each(value)

    @cached_property
    def _forcing(self) -> list[tuple[mp.mpf, mp.mpf, mp.mpf]]:
        """(A, B, C) per mode: c^2 |P_k (V - mean S)|^2/n_k = A + B exp(-a t) + C exp(-2 a t)."""
        n, found = self._numbers, []
        for e, a, q, r, t in zip(n.lam, n.damping, self._q, self._r, self._t, strict=True):
            reached = n.kappa * e / a
            student, mixed, teacher = (n.c2 * _total(m) for m in (q, r, t))
            found.append(
                (
                    (1 - reached) ** 2 * teacher,
                    -2 * (1 - reached) * (mixed - reached * teacher),
                    student - 2 * reached * mixed + reached**2 * teacher,
                )
            )
        return found

    @cached_property
    def _constant(self) -> mp.mpf:
        n = self._numbers
        kicks = mp.fsum(c / (2 * a) for c, a in zip(n.strengths, n.damping, strict=True))
        source = self._weighted(A for A, _, _ in self._forcing) / 2 + kicks * n.noise / 2
        return source * n.response(mp.mpf(0)) if source != 0 else mp.mpf(0)

    @cached_property
    def _terms(self) -> list[tuple[mp.mpf, mp.mpf]]:
        """(rate, amplitude) of every exponential in eps_g: residues of its Laplace transform."""
        n, found = self._numbers, []
        for mu in n.eigenvalues:
            gaps = [mu + 2 * a for a in n.damping]
            residue = 1 / mp.fsum(c / g**2 for c, g in zip(n.strengths, gaps, strict=True))
            parts = [C / g for (_, _, C), g in zip(self._forcing, gaps, strict=True)]
            transform = self._weighted(parts) / 2
            if self._constant != 0:
                transform += (
                    n.noise / (2 * mu)
                    + self._weighted(
                        A / mu + (B / (mu + a) if B != 0 else 0)
                        for (A, B, _), a in zip(self._forcing, n.damping, strict=True)
                    )
                    / 2
                )
            found.append((mu, residue * transform))
        for w, e, a, (_, B, _) in zip(n.w, n.lam, n.damping, self._forcing, strict=True):
            if B != 0:
                found.append((-a, w * e * B / 2 * n.response(-a)))
        return sorted(found, reverse=True)

    def _weighted(self, values: Iterable[mp.mpf]) -> mp.mpf:
        n = self._numbers
        return mp.fsum(w * e * v for w, e, v in zip(n.w, n.lam, values, strict=True))

    def _error(self, alpha: mp.mpf) -> mp.mpf:
        return self._constant + mp.fsum(x * mp.exp(rate * alpha) for rate, x in self._terms)

    def _teacher_overlaps(self, alpha: mp.mpf) -> list[Matrix]:
        """r_in = S.B_n/K + (r_in(0) - S(0).B_n/K) exp(-eta d alpha)."""
        n, found = self._numbers, []
        rest = mp.exp(-n.decay * alpha)
        for e, a, r, t in zip(n.lam, n.damping, self._r, self._t, strict=True):
            goal, first = _columns(t), _columns(r)
            now = [
                _relax(x, n.kappa * e / a * y, a, alpha) for x, y in zip(first, goal, strict=True)
            ]
            found.append(
                [
                    [
                        s / len(r) + rest * (x - s0 / len(r))
                        for x, s, s0 in zip(row, now, first, strict=True)
                    ]
                    for row in r
                ]
            )
        return found

    def _student_overlaps(self, alpha: mp.mpf) -> list[Matrix]:
        """q_ij of J_i = S/K + D_i exp(-eta d alpha), D_i = J_i(0) - S(0)/K."""
        n, K = self._numbers, len(self._q[0])
        rest, found = mp.exp(-n.decay * alpha), []
        modes = zip(n.lam, n.damping, self._q, self._r, self._t, self._errors(alpha), strict=True)
        for e, a, q, r, t, error in modes:
            reached, total, mixed = n.kappa * e / a, _total(q), _total(r)
            rows = [mp.fsum(row) for row in q]
            # S.D_i relaxes from S(0).D_i to the part of V.D_i that the mean of S reaches.
            across = [
                _relax(x - total / K, reached * (mp.fsum(y) - mixed / K), a, alpha)
                for x, y in zip(rows, r, strict=True)
            ]
            joint = _relax(mixed, reached * _total(t), a, alpha)
            square = error / n.c2 - _total(t) + 2 * joint
            apart = [
                [q[i][j] - (rows[i] + rows[j]) / K + total / K**2 for j in range(K)]
                for i in range(K)
            ]
            found.append(
                [
                    [
                        square / K**2 + rest * (across[i] + across[j]) / K + rest**2 * apart[i][j]
                        for j in range(K)
                    ]
                    for i in range(K)
                ]
            )
        return found

    def _errors(self, alpha: mp.mpf) -> list[mp.mpf]:
        """e_k: the squared mean of V - S, and what noise of SGD adds up to."""
        n = self._numbers
        source = [(mp.mpf(0), 2 * self._constant + n.noise)]
        source += [(rate, 2 * weight) for rate, weight in self._terms]
        found = []
        for e, a, (A, B, C) in zip(n.lam, n.damping, self._forcing, strict=True):
            fast = mp.exp(-2 * a * alpha)
            noise = mp.fsum(
                x * (mp.exp(rate * alpha) - fast) / (rate + 2 * a) for rate, x in source if x != 0
            )
            found.append(A + B * mp.exp(-a * alpha) + C * fast + n.kappa**2 * e * noise)
        return found


def read_overlaps(given: Any, name: str, shape: tuple[int, int, int]) -> tuple[Matrix, ...]:
    """Nested sequences of exact numbers as mpf at the working precision, (L, rows, columns).

    Raises
    ------
    ValueError, TypeError
        If the shape is another, or an entry is no number.
    """
    modes = [
        [sequence(row, name) for row in sequence(mode, name)] for mode in sequence(given, name)
    ]
    sizes = {(len(mode), len(row)) for mode in modes for row in mode}
    if len(modes) != shape[0] or sizes != {shape[1:]}:
        raise ValueError(
            f"linear_solution: {name} must have shape {shape}, found {len(modes)} modes with "
            f"(rows, columns) in {sorted(sizes)}"
        )
    return tuple([[_mpf(x, name) for x in row] for row in mode] for mode in modes)


def _mpf(value: Any, name: str) -> mp.mpf:
    return +value if isinstance(value, mp.mpf) else mp.mpf(sp.N(exact(value, name), mp.mp.dps))


def _time(alpha: Any) -> mp.mpf:
    return _mpf(alpha, "alpha")


def _total(matrix: Matrix) -> mp.mpf:
    return mp.fsum(x for row in matrix for x in row)


def _columns(matrix: Matrix) -> list[mp.mpf]:
    """Sums over the rows, one per column."""
    return [mp.fsum(column) for column in zip(*matrix, strict=True)]


def _relax(first: mp.mpf, goal: mp.mpf, rate: mp.mpf, time: mp.mpf) -> mp.mpf:
    return goal + (first - goal) * mp.exp(-rate * time)


def _each(value: Any) -> Any:
    """Every number in nested lists rounded to the working precision."""
    return [_each(v) for v in value] if isinstance(value, Sequence) else +value
