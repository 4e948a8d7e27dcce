"""Two closed linear forms of the order-parameter equations: eigenspaces and moments.

Summary
    Given D and G, both forms are the same linear equation with another matrix in the place of
    "multiply by lam":

        d c_a / dalpha = eta (D u_a) + transposed + eta^2 nu_a G,   u_a = sum_b S_ab c_b,
        C = sum_b S_0b c_b  (moments)   or   C = sum_k w_k lam_k c_k  (modes)

    modes:    c_k are the overlaps in eigenspace k, S = diag(lam_k), nu_k = lam_k;
    moments:  c_l = sum_k w_k lam_k^l (overlaps of k), l = 0..L-1, S = companion matrix of
              prod_k (x - lam_k) (Cayley-Hamilton), nu_l = sum_k w_k lam_k^(l+1).

    The change of variables between them is the weighted Vandermonde matrix V_lk = w_k lam_k^l.

References
    [WR24] Worschech & Rosenow (moments), [YO19] Yoshida & Okada (both).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import mpmath as mp
import sympy as sp

from .symbols import C, D, G, S, alpha, c, f, h, i, j, k, l, lam, m, nu, u, w

if TYPE_CHECKING:
    from .online import OrderParameterODE

__all__ = ["ModeForm", "MomentForm", "MomentNumbers"]


@dataclass(frozen=True)
class _LinearForm:
    """What both forms share: how c moves, given u = "lam c" and the coefficients D, G."""

    ode: OrderParameterODE

    @property
    def index(self) -> sp.Symbol:
        """The index that counts eigenspaces or moments."""
        raise NotImplementedError

    def _over_fields(self) -> tuple[sp.Symbol, sp.Expr, sp.Expr]:
        return (f, sp.S.One, self.ode.fields)

    @cached_property
    def student_teacher(self) -> sp.Expr:
        """dc_k[i, h]/dalpha for a teacher field h: the equation of r."""
        a, model = self.index, self.ode.model
        drive = sp.Sum(D[i, f] * u[a, f, h], self._over_fields())
        return model.eta * (drive - model.weight_decay * c[a, i, h])

    @cached_property
    def student_student(self) -> sp.Expr:
        """dc_k[i, j]/dalpha for two students: the equation of q."""
        a, model = self.index, self.ode.model
        drive = sp.Sum(D[i, f] * u[a, f, j] + D[j, f] * u[a, f, i], self._over_fields())
        drift = model.eta * (drive - 2 * model.weight_decay * c[a, i, j])
        kick = model.eta**2 * self.noise_weight * G[i, j]
        return drift if self.ode.gradient_flow else drift + kick

    @property
    def noise_weight(self) -> sp.Expr:
        """How strongly noise of SGD kicks c: nu."""
        return nu[self.index]

    @property
    def shift(self) -> sp.Expr:
        """u[k, f, h], "lam times c", in terms of c."""
        raise NotImplementedError

    @property
    def closure(self) -> sp.Expr:
        """C[f, h] in terms of c (or of u)."""
        raise NotImplementedError

    @property
    def equations(self) -> tuple[sp.Eq, ...]:
        """The closed system in index notation, D and G functions of C."""
        a = self.index
        return (
            sp.Eq(sp.Derivative(c[a, i, h], alpha), self.student_teacher, evaluate=False),
            sp.Eq(sp.Derivative(c[a, i, j], alpha), self.student_student, evaluate=False),
            sp.Eq(u[a, f, h], self.shift, evaluate=False),
            sp.Eq(C[f, h], self.closure, evaluate=False),
        )

    def latex(self) -> str:
        """The closed system as a LaTeX ``aligned`` block."""
        rows = (f"{sp.latex(eq.lhs)} &= {sp.latex(eq.rhs)}" for eq in self.equations)
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


@dataclass(frozen=True)
class ModeForm(_LinearForm):
    """The equations per eigenspace: u_k = lam_k c_k, C = sum_k w_k lam_k c_k (YO19).

    With a preconditioner p_k = lam_k^-theta/m: u_k = p_k lam_k c_k, nu_k = p_k^2 lam_k. Integrated
    are then the same equations in variables in which p_k = 1 (`theory.preconditioning`).
    """

    @property
    def index(self) -> sp.Symbol:
        return k

    @cached_property
    def gain(self) -> sp.Expr:
        """p_k, by which the preconditioner multiplies the gradient: 1 for plain SGD."""
        theta = self.ode.model.preconditioner
        if theta == 0:
            return sp.S.One
        share = w[l] * lam[l] ** (1 - theta)
        return lam[k] ** -theta / sp.Sum(share, (l, 1, self.ode.model.spectrum.L))

    @property
    def noise_weight(self) -> sp.Expr:
        return super().noise_weight if self.gain == 1 else self.gain**2 * lam[k]

    @property
    def shift(self) -> sp.Expr:
        return self.gain * lam[k] * c[k, f, h]

    @property
    def closure(self) -> sp.Expr:
        field = u[k, f, h] if self.gain == 1 else lam[k] * c[k, f, h]
        return sp.Sum(w[k] * field, (k, 1, self.ode.model.spectrum.L))


@dataclass(frozen=True)
class MomentForm(_LinearForm):
    """The equations for the moments l = 0..L-1, closed by Cayley-Hamilton (WR24).

    c_l = sum_k w_k lam_k^l c_k, so that C = c_1 = u_0 and u_l = c_(l+1); the last,
    u_(L-1) = -sum_l a_l c_l with prod_k (x - lam_k) = sum_l a_l x^l.
    """

    @property
    def index(self) -> sp.Symbol:
        return l

    @property
    def shift(self) -> sp.Expr:
        L = self.ode.model.spectrum.L
        return sp.Sum(S[l, m] * c[m, f, h], (m, 1, L))

    @property
    def closure(self) -> sp.Expr:
        return u[sp.S.One, f, h]

    @cached_property
    def coefficients(self) -> tuple[sp.Expr, ...]:
        """a_0, ..., a_L with prod_k (x - lam_k) = sum_l a_l x^l, exact."""
        return tuple(map(sp.expand, _characteristic(self.ode.model.spectrum.eigenvalues)))

    @cached_property
    def companion(self) -> sp.ImmutableMatrix:
        """S: ones above the diagonal, last row -a_0, ..., -a_(L-1)."""
        return sp.ImmutableMatrix(_companion(self.coefficients))

    @cached_property
    def vandermonde(self) -> sp.ImmutableMatrix:
        """V_lk = w_k lam_k^l: moments = V modes."""
        spectrum = self.ode.model.spectrum
        return sp.ImmutableMatrix(_vandermonde(spectrum.eigenvalues, spectrum.weights))

    @cached_property
    def inverse_vandermonde(self) -> sp.ImmutableMatrix:
        """V^-1: modes = V^-1 moments; row k holds the Lagrange polynomial of lam_k over w_k.

        Raises
        ------
        ValueError
            If two eigenvalues coincide (then the moments do not determine the modes).
        """
        spectrum = self.ode.model.spectrum
        self._require_distinct(spectrum.eigenvalues)
        return sp.ImmutableMatrix(_inverse_vandermonde(spectrum.eigenvalues, spectrum.weights))

    @cached_property
    def noise_weights(self) -> tuple[sp.Expr, ...]:
        """nu_l = sum_k w_k lam_k^(l+1)."""
        spectrum = self.ode.model.spectrum
        return tuple(spectrum.moment(order + 1) for order in range(len(spectrum.eigenvalues)))

    def numbers(self, digits: int) -> MomentNumbers:
        """The matrices of this form as mpmath numbers, good to about `digits` digits.

        The same formulas as the exact ones, whose entries grow like 2^L for irrational eigenvalues.

        Raises
        ------
        ValueError
            If two eigenvalues coincide.
        """
        values, weights = self.ode.model.spectrum.values(digits)
        self._require_distinct(values)
        with mp.workdps(digits + 10):
            rows = _vandermonde(values, weights)
            return MomentNumbers(
                vandermonde=rows,
                inverse_vandermonde=_inverse_vandermonde(values, weights),
                companion=_companion(_characteristic(values)),
                noise_weights=[
                    mp.fsum(x * value for x, value in zip(row, values, strict=True)) for row in rows
                ],
            )

    def _require_distinct(self, values: Sequence[Any]) -> None:
        if len(set(values)) < len(values):
            raise ValueError(
                f"{self.ode.model.spectrum} has equal eigenvalues: the moments do not determine "
                "the modes; merge equal eigenvalues into one, adding their weights"
            )


class MomentNumbers(NamedTuple):
    """The matrices of a `MomentForm` as nested lists of mpmath numbers."""

    vandermonde: list[list[Any]]
    inverse_vandermonde: list[list[Any]]
    companion: list[list[Any]]
    noise_weights: list[Any]


def _times_root(polynomial: Sequence[Any], root: Any) -> list[Any]:
    """Coefficients of (x - root) times a polynomial, lowest power first."""
    shifted, same = [0, *polynomial], [*polynomial, 0]
    return [up - root * keep for up, keep in zip(shifted, same, strict=True)]


def _characteristic(values: Sequence[Any]) -> list[Any]:
    """Coefficients of prod_k (x - lam_k), lowest power first."""
    polynomial: list[Any] = [1]
    for value in values:
        polynomial = _times_root(polynomial, value)
    return polynomial


def _companion(coefficients: Sequence[Any]) -> list[list[Any]]:
    L = len(coefficients) - 1
    rows: list[list[Any]] = [[int(a + 1 == b) for b in range(L)] for a in range(L - 1)]
    return [*rows, [-a for a in coefficients[:L]]]


def _vandermonde(values: Sequence[Any], weights: Sequence[Any]) -> list[list[Any]]:
    powers = range(len(values))
    return [[x * value**a for x, value in zip(weights, values, strict=True)] for a in powers]


def _inverse_vandermonde(values: Sequence[Any], weights: Sequence[Any]) -> list[list[Any]]:
    """Row k: coefficients of prod_{v != lam_k} (x - v)/(lam_k - v), over w_k."""
    rows = []
    for value, weight in zip(values, weights, strict=True):
        others = [v for v in values if v != value]
        scale = weight
        for v in others:
            scale = scale * (value - v)
        rows.append([a / scale for a in _characteristic(others)])
    return rows
