"""The symmetric plateau of a soft committee machine and how fast it is left.

Summary
    For small eta and K = M the students first collapse onto one vector that serves all teachers
    alike. In the direction that specialises one student to one teacher the damping vanishes
    exactly, so the escape rate is exact for every spectrum.

Main results (erf, teachers orthonormal, eta -> 0)
    Q* = 1/(2M - 1), R* = 1/sqrt(M (2M - 1)), whatever the spectrum;
    gamma = eta T2 gamma_1(M), T2 = sum_k w_k lam_k^2,
    gamma_1(M) = c^2 (2/pi) M (2M - 1)^(-1/2) (2M + 1)^(-3/2);  tau_esc = 1/gamma.

Notation
    Q, P : diagonal and off-diagonal entries of the student overlaps; R : every student-teacher
    overlap; A, a : diagonal and off-diagonal entries of D^x; b : every entry of D^y.

References
    [SS95] Saad & Solla (isotropic plateau), [BS95] Biehl & Schwarze, [WR24] Worschech & Rosenow
    (tau_esc ~ M^2/(eta L)).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import sympy as sp

from .models import Activation, TeacherStudent
from .online import OrderParameterODE, order_parameter_odes
from .symbols import I2f

__all__ = ["Plateau", "SymmetricSector", "plateau"]

Q, P, R = sp.symbols("Q P R", positive=True)
UNITS = sp.Symbol("M", integer=True, positive=True)
"""K = M, positive whatever the assumptions of the user's symbol."""


@dataclass(frozen=True)
class SymmetricSector:
    """The equations restricted to overlaps that treat all units alike, for symbolic K = M.

    eps_g(Q, P, R) is the sum over fields by classes of equal pairs; by the chain rule each entry
    of D is a derivative of it divided by the number of entries in the class.
    """

    ode: OrderParameterODE

    @cached_property
    def error(self) -> sp.Expr:
        """eps_g with Q_ii = Q, Q_ij = P, R_in = R, T the identity, in kernels I2."""
        M = UNITS
        s2 = sp.S.One if self.ode.model.scale == "unit" else 1 / M
        student = M * I2f(Q, Q, Q) + M * (M - 1) * I2f(Q, Q, P)
        teacher = M * I2f(1, 1, 1) + M * (M - 1) * I2f(1, 1, 0)
        return s2 / 2 * (student + teacher - 2 * M**2 * I2f(Q, 1, R))

    @cached_property
    def closed_error(self) -> sp.Expr:
        """eps_g(Q, P, R) in closed form."""
        return sp.expand(self._closed(self.error))

    @cached_property
    def drift(self) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
        """(A, a, b): diagonal and off-diagonal of D^x, and D^y, as functions of Q, P, R."""
        M, e = UNITS, self.error
        # D_if = -(d/dC_if + d/dC_fi) eps_g; M diagonal, M (M-1) off-diagonal, M^2 teacher entries.
        entries = -2 * e.diff(Q) / M, -2 * e.diff(P) / (M * (M - 1)), -e.diff(R) / M**2
        diagonal, off, teacher = (sp.expand(sp.simplify(entry)) for entry in entries)
        return self._closed(diagonal), self._closed(off), self._closed(teacher)

    def _closed(self, expr: sp.Expr) -> sp.Expr:
        for kernel, closed in self.ode.kernels.items():
            expr = expr.replace(kernel, closed)
        return expr

    @cached_property
    def coupling(self) -> sp.Expr:
        """dD^y_in/dR_in: how a student's overlap with a teacher feeds on itself."""
        s2 = sp.S.One if self.ode.model.scale == "unit" else 1 / UNITS
        return s2 * self.ode.kernels[I2f](Q, 1, R).diff(R, 2)

    def stationarity(self) -> tuple[sp.Expr, sp.Expr]:
        """Right-hand sides of dr and dq, per eta lam_k, for collapsed students (P = Q)."""
        M = UNITS
        diagonal, off, teacher = (e.subs(P, Q) for e in self.drift)
        row = diagonal + (M - 1) * off
        return row * R + teacher, 2 * (row * Q + M * teacher * R)


@dataclass(frozen=True)
class Plateau:
    """The symmetric plateau of a model, exact in M, eta and the spectrum (SS95, WR24).

    Attributes
    ----------
    model : TeacherStudent
    Q, R : sympy.Expr
        Every student-student and student-teacher overlap at the plateau.
    error : sympy.Expr
        eps_g there.
    escape_rate : sympy.Expr
        gamma: deviations that specialise grow as exp(gamma alpha).
    """

    model: TeacherStudent
    Q: sp.Expr
    R: sp.Expr
    error: sp.Expr
    escape_rate: sp.Expr

    @property
    def escape_time(self) -> sp.Expr:
        """tau_esc = 1/gamma."""
        return 1 / self.escape_rate

    def latex(self) -> str:
        """The fixed point and how fast it is left, as a LaTeX ``aligned`` block."""
        rows = {
            "Q^*": self.Q,
            "R^*": self.R,
            r"\varepsilon_g^*": self.error,
            r"\gamma": self.escape_rate,
            r"\tau_{\mathrm{esc}}": self.escape_time,
        }
        body = " \\\\\n".join(f"{name} &= {sp.latex(value)}" for name, value in rows.items())
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def plateau(model: TeacherStudent) -> Plateau:
    """Symmetric fixed point, its error and escape rate, derived from the order-parameter ODEs.

    Valid for eta -> 0 (the eta^2 term is dropped) and orthonormal teachers.

    Parameters
    ----------
    model : TeacherStudent
        With K = M (integers >= 2, or the same symbol) and erf activation.

    Raises
    ------
    NotImplementedError
        For another activation, K != M or weight decay: no closed form is known.
    TypeError
        If `model` is not a TeacherStudent.
    ValueError
        For M = 1, where nothing is there to be symmetric.
    """
    _check(model)
    units = model.M
    at_units = {name: expr.subs(UNITS, units) for name, expr in _fixed_point(model.scale).items()}
    rate = model.eta * model.spectrum.moment(2) * at_units.pop("growth")
    return Plateau(model, escape_rate=rate, **at_units)


def _check(model: TeacherStudent) -> None:
    if not isinstance(model, TeacherStudent):
        raise TypeError(f"plateau needs a TeacherStudent, found {model!r}")
    if model.activation != Activation("erf"):
        raise NotImplementedError(
            f"plateau: no closed form for activation {model.activation.name}; it is known for erf"
        )
    if model.K != model.M:
        raise NotImplementedError(
            f"plateau: the closed form needs K = M, found K = {model.K}, M = {model.M}"
        )
    model.require_plain("plateau")
    if model.weight_decay != 0:
        raise NotImplementedError(
            f"plateau: the closed form needs weight_decay = 0, found {model.weight_decay}"
        )
    if model.M == 1:
        raise ValueError("plateau: M = 1 has no symmetry to break; give M >= 2")


@lru_cache(maxsize=2)
def _fixed_point(scale: str) -> dict[str, sp.Expr]:
    """Q, R, error and the growth rate per eta T2, in terms of `UNITS`."""
    model = TeacherStudent(K=UNITS, M=UNITS, scale=scale)
    sector = SymmetricSector(order_parameter_odes(model, gradient_flow=True))
    dr, dq = sector.stationarity()
    # dr = 0 and dq = 0 are one equation twice if Q = M R^2 (the rows of D then are parallel).
    collapsed = {R: sp.sqrt(Q / UNITS)}
    (root,) = sp.solve(dr.subs(collapsed), Q)
    point = {Q: root, R: sp.simplify(collapsed[R].subs(Q, root))}
    if sp.factor(sp.simplify(sp.together(dq.subs(point)))) != 0:
        raise ArithmeticError(f"plateau: {point} is not stationary in the student overlaps")
    return {
        "Q": root,
        "R": point[R],
        "error": sp.expand(sp.simplify(sector.closed_error.subs(P, Q).subs(point))),
        "growth": sp.factor(sp.simplify(sector.coupling.subs(point))),
    }
