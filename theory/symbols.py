"""Symbols of the order-parameter equations: indices, arrays and Gaussian kernels, defined once.

Notation
    i, j : students; n, m : teachers; f, h : any of the K + M fields, students first; k, l : modes.
    s_f : signed output weight, -c_S for students and +c_T for teachers.
    C_fh : covariance of the fields; c_k[f,h] : overlaps in eigenspace k, u_k = lam_k c_k.
    I2, dI2/dC_ab, dI2/dC_aa, I4 : the Gaussian averages of the activation, unevaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

alpha = sp.Symbol("alpha", nonnegative=True)
i, j, n, m, f, h, k, l = sp.symbols("i j n m f h k l", integer=True, positive=True)
s, C, D, G = (sp.IndexedBase(name, real=True) for name in ("s", "C", "D", "G"))
lam, w, c, u, nu, S = (
    sp.IndexedBase(name, real=True) for name in ("lambda", "w", "c", "u", "nu", "S")
)


class I2f(sp.Function):
    """I2 = E[g(a) g(b)] as an unevaluated kernel of (C_aa, C_bb, C_ab)."""

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Derivative in one covariance, as another kernel (the summand is symmetric)."""
        a, b, ab = self.args
        return {1: I2a(a, b, ab), 2: I2a(b, a, ab), 3: I2ab(a, b, ab)}[argindex]

    def _latex(self, printer: Any, exp: Any = None) -> str:
        return _kernel_latex("I_2", self, printer, exp)


class I2ab(sp.Function):
    """dI2/dC_ab = E[g'(a) g'(b)] (Price), as an unevaluated kernel of (C_aa, C_bb, C_ab)."""

    @classmethod
    def eval(cls, a: sp.Expr, b: sp.Expr, ab: sp.Expr) -> sp.Expr | None:
        """Symmetric in the two fields: order them, so that equal kernels look equal."""
        return cls(b, a, ab) if b.sort_key() < a.sort_key() else None

    def _latex(self, printer: Any, exp: Any = None) -> str:
        return _kernel_latex(r"\partial_{ab} I_2", self, printer, exp)


class I2a(sp.Function):
    """dI2/dC_aa = E[g''(a) g(b)]/2, as an unevaluated kernel of (C_aa, C_bb, C_ab)."""

    def _latex(self, printer: Any, exp: Any = None) -> str:
        return _kernel_latex(r"\partial_{aa} I_2", self, printer, exp)


class I4f(sp.Function):
    """E[g'(a) g'(b) g(c) g(d)] as an unevaluated kernel of the ten covariances.

    Arguments: C_aa, C_bb, C_cc, C_dd, C_ab, C_ac, C_ad, C_bc, C_bd, C_cd.
    """

    def _latex(self, printer: Any, exp: Any = None) -> str:
        indices = [a.indices[0] for a in self.args[:4] if isinstance(a, sp.Indexed)]
        arguments = indices if len(indices) == 4 else self.args
        inner = ", ".join(printer._print(a) for a in arguments)
        return rf"I_4\left({inner}\right)"


def _kernel_latex(name: str, kernel: sp.Function, printer: Any, exp: Any) -> str:
    inner = ", ".join(printer._print(a) for a in kernel.args)
    power = "" if exp is None else f"^{{{exp}}}"
    return rf"{name}\left({inner}\right){power}"


def pair(kernel: Callable[..., sp.Expr], a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """A two-point kernel at the fields a, b."""
    return kernel(C[a, a], C[b, b], C[a, b])


def quadruple(a: sp.Expr, b: sp.Expr, c: sp.Expr, d: sp.Expr) -> sp.Expr:
    """The four-point kernel at the fields a, b, c, d."""
    return I4f(
        C[a, a], C[b, b], C[c, c], C[d, d], C[a, b], C[a, c], C[a, d], C[b, c], C[b, d], C[c, d]
    )
