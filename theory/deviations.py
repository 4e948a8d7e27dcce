"""Order-parameter equations near the perfect student, in its deviations from the teacher.

Summary
    Once every student i has found its teacher i (K = M), x_i = y_i + v_i with a small v_i, the
    generalisation error is of second order in v, a difference of averages of order one. Written as
    integrals of derivatives along the way from teacher to student, eps_g and all that drives the
    deviations keep their accuracy relative to themselves, however small they are, and every
    quadrature with positive weights gives eps_g and G as squares: positive.

Main results
    z_f(a) = y_f + a v_f,   Z_fh(a, b) = E[z_f(a) z_h(b)] = T_fh + a A_fh + b A_hf + a b V_fh
    g(x_f) - g(y_f) = int_0^1 da (d/da) g(z_f(a)), hence with d_a = d/da and d_b = d/db

    eps_g = (1/2) sum_{f,h} s_f s_h int int da db d_a d_b I2(z_f(a), z_h(b))
    D_ij  = -s_i s_j dI2/dC_ab(x_i, x_j) - delta_ij W_i
    E_in  = D_in + D_i,K+n = -s_i s_n int da d_a dI2/dC_ab(x_i, z_n(a)) - delta_in W_i
    W_i   = 2 s_i sum_h s_h int da d_a dI2/dC_aa(x_i, z_h(a))
    G_ij  = s_i s_j (sum_{f,h} s_f s_h int int da db d_a d_b I4(x_i, x_j, z_f(a), z_h(b))
                     + label noise dI2/dC_ab(x_i, x_j))

    The overlaps a_k = r_k - t_k and d_k = q_k - r_k - r_k^T + t_k obey the equations of r_k and
    q_k with [D^x | E] in the place of [D^x | D^y].

Notation
    f, h, i, j, n run over the K units; x_f = z_f(1), y_f = z_f(0); s_f = -c for students.
    C = [[V, A], [A^T, T]] is the covariance of the fields (v, y), c_k = [[d_k, a_k], [a_k^T, t_k]]
    are the overlaps of J - B and B in eigenspace k, C = sum_k w_k lam_k c_k.

References
    The equations are those of `theory.online` [SS95, YO19] in other variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import sympy as sp

from .gaussian import I2_kernel, I4_kernel, NoClosedForm, family, price, stein
from .gaussian.homogeneous import Homogeneous
from .models import TeacherStudent
from .symbols import (
    C,
    I2a,
    I2ab,
    I2f,
    I4f,
    Kernel,
    PathDerivative,
    Zf,
    f,
    h,
    i,
    j,
    n,
    s,
    tau_1,
    tau_2,
)

__all__ = ["Deviations"]

Point = tuple[sp.Expr, sp.Expr]
"""A unit and where its field is on the way: 0 at the teacher, 1 at the student."""

Moving = tuple[tuple[int, ...], ...]
"""Arguments of a kernel that change with a; or with a, with b, and with both."""


@dataclass(frozen=True)
class Deviations:
    """Drift, noise and error of a model in its deviations from the perfect student (SS95, YO19).

    Indices run over the K units; ``indexed_*`` is what is printed, `compiled` of it what is
    compiled.

    Attributes
    ----------
    model : TeacherStudent
        With K = M and without weight decay.
    gradient_flow : bool
        Whether the eta^2 term is dropped.

    Raises
    ------
    ValueError
        If K != M or the weights decay: then the perfect student is not a fixed point.
    NoClosedForm
        If the activation has no closed-form averages, or a kink, where they have cusps.
    """

    model: TeacherStudent
    gradient_flow: bool = False

    def __post_init__(self) -> None:
        model = self.model
        if model.K != model.M:
            raise ValueError(
                f"deviations pair every student with one teacher, found K = {model.K} and "
                f"M = {model.M}: use the order parameters themselves"
            )
        model.require_plain("deviations")
        if model.weight_decay != 0:
            raise ValueError(
                f"weight_decay = {model.weight_decay} drives the student away from the teacher, so "
                "that deviations do not become small: use the order parameters themselves"
            )
        if isinstance(family(model.activation), Homogeneous):
            raise NoClosedForm(
                f"the averages of {model.activation.name} have cusps where student and teacher "
                "coincide, and no derivatives there: use the order parameters themselves"
            )

    @cached_property
    def indexed_error(self) -> sp.Expr:
        """eps_g = (1/2) sum_{f,h} s_f s_h int int d_a d_b I2(z_f(a), z_h(b))."""
        average = _between(I2f, (f, tau_1), (h, tau_2))
        return sp.Rational(1, 2) * self._sum(s[f] * s[h] * _along(average, tau_1, tau_2), f, h)

    @cached_property
    def indexed_drift(self) -> sp.Expr:
        """D_ij of two students."""
        at_students = _between(I2ab, (i, sp.S.One), (j, sp.S.One))
        return -s[i] * s[j] * at_students - sp.KroneckerDelta(i, j) * self._curvature

    @cached_property
    def indexed_excess(self) -> sp.Expr:
        """E_in = D_in + D_i,K+n of a student and a teacher."""
        average = _between(I2ab, (i, sp.S.One), (n, tau_1))
        return -s[i] * s[n] * _along(average, tau_1) - sp.KroneckerDelta(i, n) * self._curvature

    @cached_property
    def indexed_noise(self) -> sp.Expr:
        """G_ij; zero under gradient flow, which has no eta^2 term."""
        if self.gradient_flow:
            return sp.S.Zero
        students = (i, sp.S.One), (j, sp.S.One)
        average = _between(I4f, *students, (f, tau_1), (h, tau_2))
        four = self._sum(s[f] * s[h] * _along(average, tau_1, tau_2), f, h)
        return s[i] * s[j] * (four + self.model.label_noise * _between(I2ab, *students))

    @property
    def _curvature(self) -> sp.Expr:
        """W_i = -E[g''(x_i) s_i (zeta - sigma)]."""
        average = _between(I2a, (i, sp.S.One), (h, tau_1))
        return 2 * s[i] * self._sum(s[h] * _along(average, tau_1), h)

    def _sum(self, summand: sp.Expr, *units: sp.Symbol) -> sp.Expr:
        return sp.Sum(summand, *((unit, sp.S.One, self.model.K) for unit in units))

    @cached_property
    def ways(self) -> sp.Lambda:
        """Z_fh(a, b) in terms of C = [[V, A], [A^T, T]]."""
        K, a, b = self.model.K, sp.Dummy("a"), sp.Dummy("b")
        covariance = C[K + f, K + h] + a * C[f, K + h] + b * C[h, K + f] + a * b * C[f, h]
        return sp.Lambda((f, h, a, b), covariance)

    def compiled(self, indexed: sp.Expr) -> sp.Expr:
        """An indexed expression in C alone, every kernel with the derivatives of its arguments.

        Averages are symmetric in the two fields of a double sum, so that it runs over f <= h.
        """
        halved = indexed.replace(lambda e: isinstance(e, sp.Sum), _halved)
        in_covariances = halved.replace(Zf, self.ways)
        return in_covariances.replace(lambda e: isinstance(e, sp.Derivative), _chained)

    @cached_property
    def kernels(self) -> dict[type[Kernel], sp.Lambda]:
        """Closed forms of the kernels in the `compiled` expressions.

        Raises
        ------
        NoClosedForm
            If the activation has none.
        """
        g = self.model.activation
        closed = {I2f: I2_kernel(g), I2ab: price(g), I2a: stein(g)}
        if not self.gradient_flow:
            closed[I4f] = I4_kernel(g)
        found = {I2ab: closed[I2ab]}
        for expr in (self.indexed_error, self.indexed_excess, self.indexed_noise):
            for kernel in self.compiled(expr).atoms(PathDerivative):
                function = type(kernel)
                found[function] = _chain_rule(closed[function.kernel], function.moving)
        return found

    def latex(self) -> str:
        """The equations in index notation as a LaTeX ``aligned`` block."""
        way = Zf(f, h, tau_1, tau_2)
        rows = [(sp.latex(way), self.ways(*way.args))]
        rows += [(r"\varepsilon_g", self.indexed_error), ("D_{ij}", self.indexed_drift)]
        rows.append(("E_{in}", self.indexed_excess))
        if not self.gradient_flow:
            rows.append(("G_{ij}", self.indexed_noise))
        body = " \\\\\n".join(f"{lhs} &= {sp.latex(rhs)}" for lhs, rhs in rows)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def _between(kernel: type[Kernel], *points: Point) -> sp.Expr:
    """A kernel at the fields z_f(a), ..., as a function of their variances and covariances."""
    pairs = [(point, point) for point in points]
    pairs += [(p, q) for number, p in enumerate(points) for q in points[number + 1 :]]
    return kernel(*(Zf(p[0], q[0], p[1], q[1]) for p, q in pairs))


def _along(average: sp.Expr, *positions: sp.Symbol) -> sp.Expr:
    """The integral over the way of the derivative along it."""
    return sp.Integral(sp.Derivative(average, *positions), *((a, 0, 1) for a in positions))


def _halved(total: sp.Sum) -> sp.Expr:
    """sum_{f,h} x_fh as sum_f x_ff + 2 sum_{f<h} x_fh."""
    if len(total.limits) == 1:
        return total
    (a, first, last), (b, *_) = total.limits
    diagonal = sp.Sum(total.function.xreplace({b: a}), (a, first, last))
    return diagonal + 2 * sp.Sum(total.function, (b, a + 1, last), (a, first, last))


def _subsets(positions: Sequence[sp.Symbol]) -> list[tuple[sp.Symbol, ...]]:
    """(a,) or (a,), (b,), (a, b): the derivatives that the chain rule needs."""
    singles = [(a,) for a in positions]
    return singles if len(singles) == 1 else [*singles, tuple(positions)]


def _chained(derivative: sp.Derivative) -> sp.Expr:
    """d/da, or d/da d/db, of a kernel as a kernel of its arguments and their derivatives."""
    kernel, values = derivative.expr.func, derivative.expr.args
    moving, slopes = [], []
    for positions in _subsets(derivative.variables):
        found = {p: x.diff(*positions) for p, x in enumerate(values)}
        moving.append(tuple(p for p, slope in found.items() if slope != 0))
        slopes += [found[p] for p in moving[-1]]
    return _path_derivative(kernel, tuple(moving))(*values, *slopes)


@cache
def _path_derivative(kernel: type[Kernel], moving: Moving) -> type[PathDerivative]:
    """The kernel's derivative whose arguments in the slots `moving` change along the ways."""
    name = "_".join([kernel.__name__, *("".join(map(str, slots)) for slots in moving)])
    ways = r"\partial_{\tau_1}" if len(moving) == 1 else r"\partial_{\tau_1} \partial_{\tau_2}"
    described = {"symbol": f"{ways} {kernel.symbol}", "fields": kernel.fields}
    return type(name, (PathDerivative,), {"kernel": kernel, "moving": moving, **described})


def _chain_rule(kernel: sp.Lambda, moving: Moving) -> sp.Lambda:
    """The closed form of a `PathDerivative`: every argument is displaced, and differentiated."""
    ways = (tau_1,) if len(moving) == 1 else (tau_1, tau_2)
    slopes: list[sp.Symbol] = []
    displaced = {x: x for x in kernel.signature}
    for positions, slots in zip(_subsets(ways), moving, strict=True):
        for slot in slots:
            x = kernel.signature[slot]
            slopes.append(sp.Symbol(f"{x}_{len(slopes)}", real=True))
            displaced[x] += slopes[-1] * sp.Mul(*positions)
    derivative = kernel.expr.xreplace(displaced)
    for position in ways:  # one by one: SymPy factors a derivative in several variables, slowly
        derivative = derivative.diff(position)
    return sp.Lambda((*kernel.signature, *slopes), derivative.subs(dict.fromkeys(ways, 0)))
