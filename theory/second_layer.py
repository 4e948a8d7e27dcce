r"""Students that train their output weights too: the equations of motion for any K, M and spectrum.

Summary
    sigma = sum_i v_i g(x_i), and every step moves v by -(eta_v/N) d(loss)/dv. The equations of the
    overlaps are those of `theory.online` with s_i = -v_i in the place of -c_S: they hold D, G and
    eps_g in index notation in s already. The v_i obey one more equation, gradient flow in eps_g.

Main results
    dv_i/dalpha = eta_v sum_f s_f I2(i, f) = -eta_v d eps_g/dv_i
                = eta_v [c_T sum_n I2(x_i, y_n) - sum_j v_j I2(x_i, x_j)],
    without a term of order eta_v^2 as N -> infinity: one step moves v_i by O(1/N).

Notation
    s_f : -v_i for students, +c_T for teachers; weight decay and noise of SGD act on J as before.

References
    [GA19] Goldt, Advani, Saxe, Krzakala & Zdeborova, arXiv:1906.08632 (NeurIPS 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp

from .exact import positive
from .models import TeacherStudent
from .online import OrderParameterODE, order_parameter_odes
from .symbols import I2f, alpha, f, i, pair, s

__all__ = ["SecondLayer", "second_layer", "v"]

v = sp.IndexedBase("v", real=True)
"""Output weights of the student."""


@dataclass(frozen=True, repr=False)
class _Weighted(OrderParameterODE):
    """The equations of the overlaps with output weights v_1, v_2, ... of the student."""

    def signed_weights(self) -> tuple[sp.Expr, ...]:
        K, M = self._sizes()
        own = (-sp.Symbol(f"v_{a + 1}", real=True) for a in range(K))
        return (*own, *((self.model.teacher_scale,) * M))


@dataclass(frozen=True)
class SecondLayer:
    """Equations of both layers (GA19).

    Attributes
    ----------
    model : TeacherStudent
        Its c_S is the initial v_i unless another is given.
    eta_v : sympy.Expr
        Learning rate of the output weights.
    gradient_flow : bool
        Whether the eta^2 term of the overlaps is dropped.
    """

    model: TeacherStudent
    eta_v: sp.Expr
    gradient_flow: bool = False

    @cached_property
    def overlaps(self) -> OrderParameterODE:
        """Equations of the overlaps given v; explicit expressions contain v_1, v_2, ..."""
        return _Weighted(self.model, self.gradient_flow)

    @cached_property
    def indexed_rate(self) -> sp.Expr:
        """dv_i/dalpha = eta_v sum_f s_f I2(i, f)."""
        return self.eta_v * sp.Sum(s[f] * pair(I2f, i, f), (f, sp.S.One, self.overlaps.fields))

    @cached_property
    def weights(self) -> tuple[sp.Symbol, ...]:
        """v_1, ..., v_K as symbols."""
        K = int(self.model.K)
        return tuple(-x for x in self.overlaps.signed_weights()[:K])

    @cached_property
    def rates(self) -> sp.ImmutableMatrix:
        """dv/dalpha, K x 1, in v, Q, R and T; K and M integers."""
        K = len(self.weights)
        return sp.ImmutableMatrix(
            K, 1, lambda a, _: self.overlaps.explicit(self.indexed_rate, i=a + 1)
        )

    def latex(self) -> str:
        """The equation of v, in index notation, above those of the overlaps."""
        row = (
            rf"\frac{{d}}{{d {sp.latex(alpha)}}} {sp.latex(v[i])} &= {sp.latex(self.indexed_rate)}"
        )
        rest = self.overlaps.latex().removeprefix("\\begin{aligned}\n")
        return f"\\begin{{aligned}}\n{row}, \\quad s_i = -v_i \\\\\n{rest}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def second_layer(model: TeacherStudent, eta_v: Any, gradient_flow: bool = False) -> SecondLayer:
    """The equations of `model` with output weights that learn at the rate eta_v (GA19).

    Parameters
    ----------
    model : TeacherStudent
    eta_v : positive exact number or symbol
        v_i <- v_i - (eta_v/N) d(loss)/dv_i.
    gradient_flow : bool
        Drop the eta^2 term of the overlaps.

    Raises
    ------
    TypeError, ValueError
        As `theory.order_parameter_odes`; if eta_v is not positive.
    NotImplementedError
        With a preconditioner.
    """
    order_parameter_odes(model, gradient_flow)
    model.require_plain("second_layer")
    return SecondLayer(model, positive(eta_v, "second_layer: eta_v"), gradient_flow)
