"""The equations of motion linearised about the perfect student, and what a finite eta does there.

Summary
    Near J = B all units are alike, so that overlaps a_k of J - B with B and d_k of J - B with
    itself have two components each: u, common to all units (once), and v, which tells them apart
    (M - 1 times). A mode relaxes at the rates of the Hessian and feels the others through the
    macroscopic A and V only; the noise of SGD multiplies V. Neither the critical learning rate nor
    the stationary point under label noise depends on the spectrum.

Main results (K = M, teachers orthonormal; c and e are components, m_u = 1, m_v = M - 1)
    eps_g(A, V) = (1/2) sum_c m_c h_c V_c + O(A^2, A V, V^2)
    da_kc/dalpha = -eta lam_k (h_c a_kc - E_c),  E_c = -(1/m_c) d eps_g/dA_c
    dd_kc/dalpha = -2 eta lam_k h_c d_kc + eta^2 lam_k (g V + sigma^2 h)_c
    eta_max = 1/rho(p),  p_ce = g_ce/(2 h_c)
    stationary: d_k = V = (eta sigma^2/2) (1 - eta p)^-1 (1, 1) + O(sigma^4) in every mode

Notation
    x = x_v 1 + ((x_u - x_v)/M) ones for a symmetric M x M matrix x; A = sum_k w_k lam_k a_k and
    V = sum_k w_k lam_k d_k, so that Q = 1 + A + A^T + V and R = 1 + A; sigma^2 : label noise.
    h_ij = c^2 E[g'(y_i) g'(y_j)];  (g V)_ij = c^4 sum_mn E[g'(y_i) g'(y_j) g'(y_m) g'(y_n)] V_mn.

References
    [SS95] Saad & Solla, [BS95] Biehl & Schwarze (isotropic inputs); [WR24] Worschech & Rosenow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import sympy as sp

from .gaussian import I2_kernel, I4_kernel, NoClosedForm, family
from .gaussian.covariance import QUADRUPLE
from .gaussian.homogeneous import Homogeneous
from .models import Activation, TeacherStudent
from .symbols import I2f

__all__ = ["DEVIATIONS", "PerfectStudent", "perfect_student"]

UNITS = sp.Symbol("M", integer=True, positive=True)
DEVIATIONS = A_u, A_v, V_u, V_v = sp.symbols("A_u A_v V_u V_v", real=True)
"""Components of A and V, all zero for the perfect student."""


@dataclass(frozen=True)
class PerfectStudent:
    """The perfect student of a model and the equations linearised about it (SS95, BS95, WR24).

    Vectors and matrices are in the components (u, v); for M = 1 there is u only.

    Attributes
    ----------
    model : TeacherStudent
        K = M, an integer or a symbol, and a smooth activation with closed-form averages.
    """

    model: TeacherStudent

    @property
    def multiplicities(self) -> tuple[sp.Expr, ...]:
        """(m_u, m_v) = (1, M - 1): how many directions share a component."""
        M = self.model.M
        return (sp.S.One,) if M == 1 else (sp.S.One, M - 1)

    @property
    def deviations(self) -> tuple[sp.Symbol, ...]:
        """The symbols (A_u, A_v, V_u, V_v); (A_u, V_u) for M = 1."""
        return (A_u, V_u) if self.model.M == 1 else DEVIATIONS

    @cached_property
    def error(self) -> sp.Expr:
        """eps_g(A_u, A_v, V_u, V_v), exact."""
        return self._at_units(_pair_sum(self.model.scale)).replace(
            I2f, I2_kernel(self.model.activation)
        )

    @cached_property
    def quadratic_error(self) -> sp.Expr:
        """eps_g to second order in A and V (V itself is of second order in J - B)."""
        return self._at_units(_quadratic(self.model.activation, self.model.scale))

    def _at_units(self, expr: sp.Expr) -> sp.Expr:
        at = {UNITS: self.model.M}
        return expr.subs(at if self.model.M != 1 else {**at, A_v: 0, V_v: 0})

    def _coefficient(self, *deviations: sp.Symbol) -> sp.Expr:
        slope = self.quadratic_error.diff(*deviations)
        return sp.factor(slope.subs(dict.fromkeys(self.deviations, 0)))

    @cached_property
    def rates(self) -> tuple[sp.Expr, ...]:
        """(h_u, h_v): in mode k a deviation J - B decays at the rate eta lam_k h."""
        m = self.multiplicities
        return tuple(
            2 * self._coefficient(V) / m for V, m in zip(self.deviations[len(m) :], m, strict=True)
        )

    @cached_property
    def hessian(self) -> sp.ImmutableMatrix:
        """Second derivatives of eps_g in the `deviations`."""
        x = self.deviations
        return sp.ImmutableMatrix(len(x), len(x), lambda i, j: self._coefficient(x[i], x[j]))

    @cached_property
    def kick(self) -> sp.ImmutableMatrix:
        """The matrix g: SGD adds eta^2 lam_k g V to the rate of d_k.

        Raises
        ------
        NoClosedForm
            If the activation has no closed four-point average.
        """
        n = len(self.multiplicities)
        full = _kick(self.model.activation, self.model.scale)
        return sp.ImmutableMatrix(full[:n, :n].subs(UNITS, self.model.M).applyfunc(sp.factor))

    @cached_property
    def decay(self) -> sp.ImmutableMatrix:
        """The matrix A of dx_k/dalpha = eta lam_k (A x_k + B X), x_k = (a_u, a_v, d_u, d_v)_k."""
        return sp.ImmutableMatrix(sp.diag(*(-n * h for n in (1, 2) for h in self.rates)))

    @cached_property
    def feedback(self) -> sp.ImmutableMatrix:
        """The matrix B of dx_k/dalpha = eta lam_k (A x_k + B X), X = sum_k w_k lam_k x_k."""
        m = self.multiplicities
        n = len(m)
        error = sp.Matrix(n, 2 * n, lambda c, j: -self.hessian[c, j] / m[c])
        noise = sp.Matrix.hstack(sp.zeros(n, n), self.model.eta * self.kick)
        return sp.ImmutableMatrix(sp.Matrix.vstack(error, noise))

    @cached_property
    def persistence(self) -> sp.ImmutableMatrix:
        """The matrix p_ce = g_ce/(2 h_c): what noise puts back of a deviation, per eta."""
        halved = sp.diag(*(1 / (2 * h) for h in self._positive_rates()))
        return sp.ImmutableMatrix((halved * self.kick).applyfunc(sp.factor))

    def _positive_rates(self) -> tuple[sp.Expr, ...]:
        if any(h == 0 for h in self.rates):
            raise ValueError(
                f"the perfect student of {self.model} is not isolated: in some directions the "
                f"error stays zero (rates {self.rates}), e.g. linear units that only their sum "
                "counts; take fewer units or another activation"
            )
        return self.rates

    @cached_property
    def critical_learning_rate(self) -> sp.Expr:
        """eta_max: the perfect student is stable for eta < eta_max, whatever the spectrum.

        Noise maps positive matrices to positive ones, so the first eigenvalue to reach zero is
        real and belongs to a symmetric V; d_k does not depend on k there.
        """
        p = self.persistence
        if p.shape == (1, 1):
            return 1 / p[0, 0]
        # the larger eigenvalue of a 2 x 2 matrix with positive entries
        half_trace = (p[0, 0] + p[1, 1]) / 2
        half_gap = (p[0, 0] - p[1, 1]) / 2
        return 1 / (half_trace + sp.sqrt(half_gap**2 + p[0, 1] * p[1, 0]))

    def amplified(self, V: tuple[sp.Expr, ...]) -> tuple[sp.Expr, ...]:
        """(1 - eta p)^-1 V, components (V_u, V_v): what a slowly fed V grows to under SGD's noise.

        V itself for eta -> 0.

        Raises
        ------
        ValueError
            If eta is not below eta_max.
        """
        eta, p = self.model.eta, self.persistence
        if (eta >= self.critical_learning_rate) == True:  # noqa: E712 (symbols stay undecided)
            raise ValueError(
                f"eta = {eta} is not below eta_max = {sp.N(self.critical_learning_rate, 6)}, "
                "beyond which the perfect student is unstable: take a smaller learning rate"
            )
        matrix = sp.eye(len(V)) - eta * p
        return tuple(matrix.adjugate() * sp.Matrix(V) / matrix.det())

    @cached_property
    def noise_floor(self) -> sp.Expr:
        """eps_g of the stationary point to first order in the label noise, whatever the spectrum.

        (eta sigma^2/4) sum_c m_c h_c ((1 - eta p)^-1 (1, 1))_c, for eta < eta_max.
        """
        V = self.amplified((sp.S.One,) * len(self.multiplicities))
        weighted = zip(self.multiplicities, self.rates, V, strict=True)
        fluctuation = sp.Add(*(m * h * x for m, h, x in weighted))
        return self.model.eta * self.model.label_noise * fluctuation / 4


def perfect_student(model: TeacherStudent) -> PerfectStudent:
    """The perfect student of `model` and the equations linearised about it.

    Parameters
    ----------
    model : TeacherStudent
        K = M (an integer or a symbol), no weight decay, orthonormal teachers.

    Raises
    ------
    TypeError
        If `model` is not a TeacherStudent.
    ValueError
        If K != M or the weights decay: the perfect student is not a fixed point.
    NoClosedForm
        If the activation has no closed-form averages, or a kink.
    """
    if not isinstance(model, TeacherStudent):
        raise TypeError(f"perfect_student needs a TeacherStudent, found {model!r}")
    if model.K != model.M:
        raise ValueError(
            f"perfect_student: found K = {model.K}, M = {model.M}; only as many students as "
            "teachers can be linearised about one of each"
        )
    model.require_plain("perfect_student")
    if model.weight_decay != 0:
        raise ValueError(
            f"perfect_student: weight_decay = {model.weight_decay} drives the student away from "
            "the teacher; set it to 0"
        )
    if isinstance(family(model.activation), Homogeneous):
        raise NoClosedForm(
            f"perfect_student: the averages of {model.activation.name} have cusps where student "
            "and teacher coincide, and no derivatives there"
        )
    return PerfectStudent(model)


def _pair_sum(scale: str) -> sp.Expr:
    """eps_g in kernels I2, summed over classes of equal pairs of fields."""
    a, o = _diagonal_and_off(A_u, A_v)
    v, w = _diagonal_and_off(V_u, V_v)
    q, p = 1 + 2 * a + v, 2 * o + w
    own = I2f(q, q, q) + I2f(1, 1, 1) - 2 * I2f(q, 1, 1 + a)
    other = I2f(q, q, p) + I2f(1, 1, 0) - 2 * I2f(q, 1, o)
    weight = UNITS if scale == "unit" else sp.S.One
    return weight / 2 * (own + (UNITS - 1) * other)


def _diagonal_and_off(u: sp.Expr, v: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Entries of the matrix with components (u, v)."""
    return (u + (UNITS - 1) * v) / UNITS, (u - v) / UNITS


@cache
def _quadratic(activation: Activation, scale: str) -> sp.Expr:
    """`_pair_sum` with every kernel replaced by its Taylor polynomial about the perfect student."""
    at_rest = dict.fromkeys(DEVIATIONS, 0)

    def expanded(*arguments: sp.Expr) -> sp.Expr:
        base = tuple(x.subs(at_rest) for x in arguments)
        return _taylor(activation, base).xreplace(
            {s: x - b for s, x, b in zip(_STEPS, arguments, base, strict=True)}
        )

    return _pair_sum(scale).replace(I2f, expanded)


_STEPS = sp.symbols("step_1:4", real=True)


@cache
def _taylor(activation: Activation, base: tuple[sp.Expr, ...]) -> sp.Expr:
    """I2 to second order in `_STEPS` away from the covariances `base`."""
    kernel = I2_kernel(activation)
    x = kernel.signature
    at = dict(zip(x, base, strict=True))
    value = kernel(*base)
    for i, first in enumerate(_STEPS):
        slope = kernel.expr.diff(x[i])
        value += sp.simplify(slope.subs(at)) * first
        for j, second in enumerate(_STEPS):
            value += sp.simplify(slope.diff(x[j]).subs(at)) * first * second / 2
    return value


@cache
def _kick(activation: Activation, scale: str) -> sp.ImmutableMatrix:
    """The matrix g in the components (u, v), for M units."""
    M = UNITS
    four, three, pairs, pair, apart = (
        _quartic(activation, units) for units in ("aaaa", "aaab", "aabb", "aabc", "abcd")
    )
    v, w = _diagonal_and_off(V_u, V_v)
    on_diagonal = (four + (M - 1) * pairs) * v + (M - 1) * (2 * three + (M - 2) * pair) * w
    both = 2 * pairs + 4 * (M - 2) * pair + (M - 2) * (M - 3) * apart
    off_diagonal = (2 * three + (M - 2) * pair) * v + both * w
    rows = on_diagonal + (M - 1) * off_diagonal, on_diagonal - off_diagonal
    weight = sp.S.One if scale == "unit" else M**-2
    return sp.ImmutableMatrix(2, 2, lambda i, j: weight * rows[i].diff((V_u, V_v)[j]))


def _quartic(activation: Activation, units: str) -> sp.Expr:
    """E[g'(y_a) g'(y_b) g'(y_c) g'(y_d)] of independent teachers, some of them the same.

    By Price's theorem this is d I4/d C_cd.
    """
    pairs = [(e, f) for e in range(4) for f in range(e + 1, 4)]
    same = [sp.S.One] * 4 + [sp.Integer(units[e] == units[f]) for e, f in pairs]
    average = I4_kernel(activation).expr.diff(QUADRUPLE[-1])
    return sp.simplify(average.subs(dict(zip(QUADRUPLE, same, strict=True))))
