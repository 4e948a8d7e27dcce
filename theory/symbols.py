"""Symbols of the order-parameter equations: indices, arrays and Gaussian kernels, defined once.

Notation
    i, j : students; n, m : teachers; f, h : any of the K + M fields, students first; k, l : modes.
    s_f : signed output weight, -c_S for students and +c_T for teachers.
    C_fh : covariance of the fields; c_k[f,h] : overlaps in eigenspace k, u_k = lam_k c_k.
    I2, dI2/dC_ab, dI2/dC_aa, I4 : the Gaussian averages of the activation, unevaluated.
    Z_fh(tau_1, tau_2) : covariance of the fields of two units on their way from teacher to student.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import sympy as sp

from .schedules import alpha as alpha

i, j, n, m, f, h, k, l = sp.symbols("i j n m f h k l", integer=True, positive=True)
tau_1, tau_2 = sp.symbols("tau_1 tau_2", real=True)
s, C, D, G = (sp.IndexedBase(name, real=True) for name in ("s", "C", "D", "G"))
lam, w, c, u, nu, S = (
    sp.IndexedBase(name, real=True) for name in ("lambda", "w", "c", "u", "nu", "S")
)


class Zf(sp.Function):
    """Z_fh(a, b) = E[z_f(a) z_h(b)], z_f(a) = y_f + a (x_f - y_f), unevaluated, of (f, h, a, b)."""

    def _latex(self, printer: Any, exp: Any = None) -> str:
        f, h, a, b = (printer._print(x) for x in self.args)
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"Z_{{{f},{h}}}{power}\left({a}, {b}\right)"


class Kernel(sp.Function):
    """A Gaussian average of the activation, unevaluated, of the covariances of its fields."""

    symbol: ClassVar[str]
    fields: ClassVar[int] = 2

    def _latex(self, printer: Any, exp: Any = None) -> str:
        inner = ", ".join(self._arguments(printer))
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"{self.symbol}\left({inner}\right){power}"

    def _arguments(self, printer: Any) -> list[str]:
        """The fields on their ways, z_f(a), where the variances show them, else all arguments."""
        ways = [x for x in self.args[: self.fields] if isinstance(x, Zf)]
        if len(ways) < self.fields:
            return [printer._print(x) for x in self.args]
        places = ([printer._print(x) for x in (way.args[0], way.args[2])] for way in ways)
        return [rf"z_{{{unit}}}\left({at}\right)" for unit, at in places]


class I2f(Kernel):
    """I2 = E[g(a) g(b)] as an unevaluated kernel of (C_aa, C_bb, C_ab)."""

    symbol = "I_2"

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Derivative in one covariance, as another kernel (the summand is symmetric)."""
        a, b, ab = self.args
        return {1: I2a(a, b, ab), 2: I2a(b, a, ab), 3: I2ab(a, b, ab)}[argindex]


class I2ab(Kernel):
    """dI2/dC_ab = E[g'(a) g'(b)] (Price), as an unevaluated kernel of (C_aa, C_bb, C_ab)."""

    symbol = r"\partial_{ab} I_2"

    @classmethod
    def eval(cls, a: sp.Expr, b: sp.Expr, ab: sp.Expr) -> sp.Expr | None:
        """Symmetric in the two fields: order them, so that equal kernels look equal."""
        return cls(b, a, ab) if b.sort_key() < a.sort_key() else None


class I2a(Kernel):
    """dI2/dC_aa = E[g''(a) g(b)]/2, as an unevaluated kernel of (C_aa, C_bb, C_ab)."""

    symbol = r"\partial_{aa} I_2"


class I4f(Kernel):
    """E[g'(a) g'(b) g(c) g(d)] as an unevaluated kernel of the ten covariances.

    Arguments: C_aa, C_bb, C_cc, C_dd, C_ab, C_ac, C_ad, C_bc, C_bd, C_cd.
    """

    symbol = "I_4"
    fields = 4

    def _arguments(self, printer: Any) -> list[str]:
        """The indices of the fields, where the variances show them."""
        indices = [a.indices[0] for a in self.args[:4] if isinstance(a, sp.Indexed)]
        return [printer._print(x) for x in indices] if indices else super()._arguments(printer)


class PathDerivative(Kernel):
    """Derivative of a kernel along the ways of its fields, unevaluated.

    Arguments: those of the kernel, then their derivatives that do not vanish, in a, in b, and in
    both. Subclasses say of which kernel, and which arguments those are (`theory.deviations`).
    """

    kernel: ClassVar[type[Kernel]]
    moving: ClassVar[tuple[tuple[int, ...], ...]]


def pair(kernel: Callable[..., sp.Expr], a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """A two-point kernel at the fields a, b."""
    return kernel(C[a, a], C[b, b], C[a, b])


def quadruple(a: sp.Expr, b: sp.Expr, c: sp.Expr, d: sp.Expr) -> sp.Expr:
    """The four-point kernel at the fields a, b, c, d."""
    return I4f(
        C[a, a], C[b, b], C[c, c], C[d, d], C[a, b], C[a, c], C[a, d], C[b, c], C[b, d], C[c, d]
    )
