"""Order-parameter equations of one-pass SGD for a two-layer student and teacher.

Summary
    From the generalisation error alone: the drift D is minus its gradient with respect to the
    overlaps, the noise G is a four-point Gaussian average, and every eigenspace of the data
    covariance then moves linearly, given D and G.

Main results
    eps_g = (1/2) sum_{f,h} s_f s_h I2(C_ff, C_hh, C_fh)
    D_if  = -(d/dC_if + d/dC_fi) eps_g = E[d delta_i / d field_f]
    G_ij  = s_i s_j sum_{f,h} s_f s_h I4(i, j, f, h) + label noise = E[delta_i delta_j]
    dr_k/dalpha = eta lam_k (D c_k)_r
    dq_k/dalpha = eta lam_k (D c_k + transpose)_q + eta^2 lam_k G

Notation
    f, h run over all K + M fields, students first; C = [[Q, R], [R^T, T]] is their covariance;
    s_f = -c_S for students and +c_T for teachers, so that zeta - sigma = sum_f s_f g(field_f);
    c_k = [[q_k, r_k], [r_k^T, t_k]] are the overlaps in eigenspace k, C = sum_k w_k lam_k c_k.

References
    [SS95] Saad & Solla (isotropic inputs); [YO19] Yoshida & Okada, [WR24] Worschech & Rosenow
    (structured inputs, moments closed by Cayley-Hamilton).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from .deviations import Deviations
from .forms import ModeForm, MomentForm
from .gaussian import I2_kernel, I4_kernel, price, stein
from .models import TeacherStudent
from .symbols import C, I2a, I2ab, I2f, I4f, f, h, i, j, pair, quadruple, s

__all__ = ["OrderParameterODE", "order_parameter_odes"]


@dataclass(frozen=True)
class OrderParameterODE:
    """Order-parameter equations of a model, for any K, M, L (SS95, YO19, WR24).

    ``drift``, ``noise`` and ``generalization_error`` are explicit in the symbols of the matrices
    ``Q``, ``R``, ``T`` when K and M are integers, and in index notation otherwise. The index
    notation (``indexed_*``) is what is printed and what is compiled.

    Attributes
    ----------
    model : TeacherStudent
    gradient_flow : bool
        Whether the eta^2 term is dropped (the small learning rate limit).
    """

    model: TeacherStudent
    gradient_flow: bool = False

    @property
    def fields(self) -> sp.Expr:
        """K + M, the number of fields."""
        return self.model.K + self.model.M

    def _over(self, index: sp.Symbol) -> tuple[sp.Symbol, sp.Expr, sp.Expr]:
        return (index, sp.S.One, self.fields)

    @cached_property
    def kernels(self) -> dict[type[sp.Function], sp.Lambda]:
        """Closed forms of the kernels I2, dI2/dC_ab, dI2/dC_aa and I4 of this activation.

        Raises
        ------
        NoClosedForm
            If the activation has none; integrate then falls back to quadrature.
        """
        g = self.model.activation
        found = {I2f: I2_kernel(g), I2ab: price(g), I2a: stein(g)}
        return found if self.gradient_flow else {**found, I4f: I4_kernel(g)}

    @cached_property
    def indexed_error(self) -> sp.Expr:
        """eps_g = (1/2) sum_{f,h} s_f s_h I2(C_ff, C_hh, C_fh)."""
        summand = s[f] * s[h] * pair(I2f, f, h)
        return sp.Rational(1, 2) * sp.Sum(summand, self._over(f), self._over(h))

    @cached_property
    def indexed_drift(self) -> sp.Expr:
        """D_if, i a student and f any field: -(d/dC_if + d/dC_fi) eps_g, entries independent."""
        # The summand is symmetric in its two fields, so both derivatives are the same.
        return sp.expand(-2 * _gradient(self.indexed_error, i, f))

    @cached_property
    def indexed_noise(self) -> sp.Expr:
        """G_ij = s_i s_j (sum_{f,h} s_f s_h I4(i, j, f, h) + label noise E[g'g']).

        Zero under gradient flow, which has no eta^2 term.
        """
        if self.gradient_flow:
            return sp.S.Zero
        four = sp.Sum(s[f] * s[h] * quadruple(i, j, f, h), self._over(f), self._over(h))
        return s[i] * s[j] * (four + self.model.label_noise * pair(I2ab, i, j))

    @cached_property
    def covariance(self) -> sp.ImmutableMatrix:
        """C = [[Q, R], [R^T, T]] as symbols Q_11, R_12, ... (K and M integers only)."""
        K, M = self._sizes()

        def entry(a: int, b: int) -> sp.Symbol:
            a, b = min(a, b), max(a, b)
            name, row, column = (
                ("Q", a, b) if b < K else ("R", a, b - K) if a < K else ("T", a - K, b - K)
            )
            separator = "" if max(K, M) < 10 else ","
            assumption = {"positive": True} if a == b else {"real": True}
            return sp.Symbol(f"{name}_{row + 1}{separator}{column + 1}", **assumption)

        return sp.ImmutableMatrix(K + M, K + M, entry)

    def _sizes(self) -> tuple[int, int]:
        if not self.model.is_explicit:
            raise ValueError(
                f"K = {self.model.K}, M = {self.model.M} are not both integers: the "
                "matrices Q, R, T exist in index notation only; use indexed_drift, "
                "indexed_noise, or give values: model.replace(K=2, M=2)"
            )
        return int(self.model.K), int(self.model.M)

    @property
    def Q(self) -> sp.ImmutableMatrix:
        """Student-student overlaps, K x K symbols."""
        K, _ = self._sizes()
        return self.covariance[:K, :K]

    @property
    def R(self) -> sp.ImmutableMatrix:
        """Student-teacher overlaps, K x M symbols."""
        K, _ = self._sizes()
        return self.covariance[:K, K:]

    @property
    def T(self) -> sp.ImmutableMatrix:
        """Teacher-teacher overlaps, M x M symbols."""
        K, _ = self._sizes()
        return self.covariance[K:, K:]

    def signed_weights(self) -> tuple[sp.Expr, ...]:
        """s_f = -c_S for students, +c_T for teachers."""
        K, M = self._sizes()
        return (-self.model.student_scale,) * K + (self.model.teacher_scale,) * M

    def explicit(self, indexed: sp.Expr, evaluate: bool = True, **indices: int) -> sp.Expr:
        """An index-notation expression with sums carried out and C_fh replaced by Q, R, T.

        Parameters
        ----------
        indexed : sympy.Expr
            Such as ``indexed_drift``.
        evaluate : bool
            Whether the kernels are replaced by their closed forms too.
        **indices : int
            Values of the free indices, counted from 1, e.g. ``i=1, f=2``.
        """
        weights, covariance = self.signed_weights(), self.covariance
        expr = indexed.subs(
            {
                sp.Symbol(name, integer=True, positive=True): sp.Integer(value)
                for name, value in indices.items()
            }
        ).doit()
        entries = {
            e: covariance[int(e.indices[0]) - 1, int(e.indices[1]) - 1]
            if e.base == C
            else weights[int(e.indices[0]) - 1]
            for e in expr.atoms(sp.Indexed)
        }
        expr = expr.xreplace(entries)
        if evaluate:
            for kernel, closed in self.kernels.items():
                expr = expr.replace(kernel, closed)
        return _distributed(expr)

    @cached_property
    def generalization_error(self) -> sp.Expr:
        """eps_g(Q, R, T), noise of the labels not included."""
        if not self.model.is_explicit:
            return self.indexed_error
        return self.explicit(self.indexed_error)

    @cached_property
    def drift(self) -> sp.Expr:
        """D = [D^x | D^y], K x (K+M), D_if = E[d delta_i/d field_f]; indexed if K, M symbolic."""
        if not self.model.is_explicit:
            return self.indexed_drift
        K, M = self._sizes()
        return sp.ImmutableMatrix(
            K, K + M, lambda a, b: self.explicit(self.indexed_drift, i=a + 1, f=b + 1)
        )

    @cached_property
    def noise(self) -> sp.Expr:
        """G, K x K, G_ij = E[delta_i delta_j] (zero in gradient flow); indexed if K, M symbolic."""
        if not self.model.is_explicit:
            return self.indexed_noise
        K, _ = self._sizes()
        upper = {
            (a, b): self.explicit(self.indexed_noise, i=a + 1, j=b + 1)
            for a in range(K)
            for b in range(a, K)
        }
        return sp.ImmutableMatrix(K, K, lambda a, b: upper[min(a, b), max(a, b)])

    def modes(self) -> ModeForm:
        """The equations per eigenspace of the covariance (YO19)."""
        return ModeForm(self)

    def moments(self) -> MomentForm:
        """The equations for the moments R^(l), Q^(l), closed by Cayley-Hamilton (WR24).

        Raises
        ------
        NotImplementedError
            With a preconditioner, which multiplies by another power of lam than C contains.
        """
        self.model.require_plain("the moment form")
        return MomentForm(self)

    def deviations(self) -> Deviations:
        """The same near the perfect student, accurate relative to its distance from the teacher.

        Raises
        ------
        ValueError, NoClosedForm
            If the model has no perfect student that is a fixed point, or an activation with a kink.
        """
        return Deviations(self.model, self.gradient_flow)

    def latex(self) -> str:
        """The equations in index notation as a LaTeX ``aligned`` block."""
        rows = [(r"\varepsilon_g", self.indexed_error), ("D_{if}", self.indexed_drift)]
        if not self.gradient_flow:
            rows.append(("G_{ij}", self.indexed_noise))
        rows += [(sp.latex(eq.lhs), eq.rhs) for eq in self.modes().equations]
        body = " \\\\\n".join(f"{lhs} &= {sp.latex(rhs)}" for lhs, rhs in rows)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def __repr__(self) -> str:
        flow = ", gradient_flow=True" if self.gradient_flow else ""
        return f"OrderParameterODE({self.model}{flow})"


def order_parameter_odes(model: TeacherStudent, gradient_flow: bool = False) -> OrderParameterODE:
    """The order-parameter equations of `model` (SS95 for isotropic inputs; YO19, WR24).

    Parameters
    ----------
    model : TeacherStudent
    gradient_flow : bool
        Drop the eta^2 term.

    Raises
    ------
    TypeError
        If `model` is not a TeacherStudent.
    ValueError
        If g' vanishes almost everywhere (sign), so that SGD does not move.
    """
    if not isinstance(model, TeacherStudent):
        raise TypeError(f"order_parameter_odes needs a TeacherStudent, found {model!r}")
    slope = model.activation.derivative.replace(sp.DiracDelta, lambda *_: sp.S.Zero)
    if sp.simplify(slope) == 0:
        raise ValueError(
            f"activation {model.activation.name}: g' vanishes almost everywhere, so SGD does not "
            "move the student; use erf, which tends to sign for large weights"
        )
    return OrderParameterODE(model, gradient_flow)


def _gradient(pair_sum: sp.Expr, a: sp.Symbol, b: sp.Symbol) -> sp.Expr:
    """Derivative of (number) sum_{f,h} phi(C_ff, C_hh, C_fh) with respect to the entry C_ab.

    delta_ab sum_h [phi_1(a, h) + phi_2(h, a)] + phi_3(a, b), phi_n the derivative in slot n.
    """
    number, total = pair_sum.as_independent(sp.Sum)
    slots = sp.symbols("phi1:4")
    at = dict(zip((C[f, f], C[h, h], C[f, h]), slots, strict=True))
    back = dict(zip(slots, at, strict=True))
    first, second, third = (total.function.xreplace(at).diff(x).xreplace(back) for x in slots)
    along_h = first.xreplace({f: a}) + second.subs({f: h, h: a}, simultaneous=True)
    diagonal = sp.Sum(_symmetric(along_h), (h, *total.limits[0][1:]))
    return number * (sp.KroneckerDelta(a, b) * diagonal + _symmetric(third.xreplace({f: a, h: b})))


def _distributed(expr: sp.Expr) -> sp.Expr:
    """Products multiplied out at the top level only: arguments and denominators stay as derived."""
    if isinstance(expr, sp.Add):
        return sp.Add(*map(_distributed, expr.args))
    sums = [factor for factor in expr.args if isinstance(factor, sp.Add)]
    if not isinstance(expr, sp.Mul) or not sums:
        return expr
    rest = expr / sums[0]
    return sp.Add(*(_distributed(rest * term) for term in sums[0].args))


def _symmetric(expr: sp.Expr) -> sp.Expr:
    """Use C_ba = C_ab to write the student's index first."""
    order = (i, j, f, h)
    return expr.xreplace(
        {
            e: C[tuple(sorted(e.indices, key=order.index))]
            for e in expr.atoms(sp.Indexed)
            if e.base == C
        }
    )
