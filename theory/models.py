"""Student and teacher: a frozen, exact description of the learning problem; no equations.

Notation
    K, M : number of hidden units of the student and of the teacher.
    g : activation; sigma = c_S sum_i g(x_i) is the student, zeta = c_T sum_n g(y_n) the teacher.
    eta : learning rate of one-pass SGD, J_i <- J_i + (eta/sqrt(N)) delta_i xi.

References
    [WR24] Worschech & Rosenow, arXiv:2410.09005.
    [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995); [BS95] Biehl & Schwarze, J. Phys. A 28, 643.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import sympy as sp

from .activations import Activation
from .exact import count, fraction, is_inexact, non_negative, positive
from .spectra import Discrete, Isotropic, PowerLaw, Spectrum

__all__ = ["Activation", "Discrete", "Isotropic", "PowerLaw", "Spectrum", "TeacherStudent"]


@dataclass(frozen=True)
class TeacherStudent:
    """One-pass SGD of a two-layer student on a two-layer teacher (SS95, BS95, WR24).

    sigma = c_S sum_{i<=K} g(J_i.xi/sqrt(N)), zeta = c_T sum_{n<=M} g(B_n.xi/sqrt(N)) + noise,
    loss (sigma - zeta)^2/2 + (weight_decay/(2N)) sum_i |J_i|^2, xi ~ N(0, Sigma).

    Parameters
    ----------
    K, M : positive integers or symbols
        Hidden units of student and teacher.
    activation : str, sympy.Expr or Activation
    spectrum : Spectrum
    eta : positive exact number or symbol
        Learning rate: J_i <- J_i - (eta/sqrt(N)) d(loss)/dx_i xi.
    scale : {"sqrt", "unit"}
        c_S = c_T = 1/sqrt(M) (WR24) or 1 (SS95).
    label_noise : exact number >= 0
        Variance of the Gaussian noise added to the teacher's output.
    weight_decay : exact number >= 0
        Decoupled: it shrinks the weights themselves, whatever the preconditioner.
    preconditioner : exact number from 0 to 1
        theta: the gradient is multiplied by P = Sigma^-theta/m, m = Tr Sigma^(1-theta)/N, so that
        Tr P Sigma = N as for SGD (theta = 0); theta = 1 whitens (`theory.preconditioning`).

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range; the message names it.
    """

    K: sp.Expr
    M: sp.Expr
    activation: Activation = Activation("erf")
    spectrum: Spectrum = Isotropic()
    eta: sp.Expr = sp.Symbol("eta")
    scale: str = "sqrt"
    label_noise: sp.Expr = sp.S.Zero
    weight_decay: sp.Expr = sp.S.Zero
    preconditioner: sp.Expr = sp.S.Zero
    inexact: tuple[str, ...] = field(init=False, default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.spectrum, Spectrum):
            raise TypeError(
                f"spectrum must be PowerLaw, Isotropic or Discrete, found {self.spectrum!r}"
            )
        if self.scale not in ("sqrt", "unit"):
            raise ValueError(
                f'scale must be "sqrt" (c = 1/sqrt(M)) or "unit" (c = 1), found {self.scale!r}'
            )
        named = ("eta", "label_noise", "weight_decay", "preconditioner")
        given = {name: getattr(self, name) for name in named}
        inexact = tuple(n for n, value in given.items() if is_inexact(value))
        activation = Activation(self.activation)
        inexact += ("activation",) if activation.inexact else ()
        inexact += tuple(f"spectrum.{n}" for n in self.spectrum.inexact)
        values: dict[str, Any] = {
            "K": count(self.K, "K"),
            "M": count(self.M, "M"),
            "activation": activation,
            "eta": positive(self.eta, "eta"),
            "label_noise": non_negative(self.label_noise, "label_noise"),
            "weight_decay": non_negative(self.weight_decay, "weight_decay"),
            "preconditioner": fraction(self.preconditioner, "preconditioner"),
            "inexact": inexact,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def student_scale(self) -> sp.Expr:
        """c_S."""
        return sp.S.One if self.scale == "unit" else 1 / sp.sqrt(self.M)

    @property
    def teacher_scale(self) -> sp.Expr:
        """c_T."""
        return self.student_scale

    @property
    def is_explicit(self) -> bool:
        """Whether K and M are integers (not symbols)."""
        return bool(self.K.is_Integer and self.M.is_Integer)

    def require_plain(self, name: str) -> None:
        """Refuse a preconditioner on behalf of `name`, which knows plain SGD only.

        Raises
        ------
        NotImplementedError
        """
        if self.preconditioner != 0:
            raise NotImplementedError(
                f"{name} is for plain SGD, found preconditioner = {self.preconditioner}: set it to "
                "0, or take plain_model(model) of theory.preconditioning, plain SGD on another "
                "spectrum"
            )

    def replace(self, **changes: Any) -> TeacherStudent:
        """The same model with some parameters changed."""
        known = {f.name for f in fields(self) if f.init}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise TypeError(f"TeacherStudent has no parameter {unknown}; it has {sorted(known)}")
        changed = replace(self, **changes)
        # The kept values are exact by now: that they came from floats must be handed on.
        kept = tuple(n for n in self.inexact if n not in changes and n not in changed.inexact)
        if "spectrum" in changes:
            kept = tuple(n for n in kept if not n.startswith("spectrum."))
        object.__setattr__(changed, "inexact", kept + changed.inexact)
        return changed

    def latex(self) -> str:
        """The model in one line of LaTeX."""
        parts = [
            f"K = {sp.latex(self.K)}",
            f"M = {sp.latex(self.M)}",
            self.activation.latex(),
            self.spectrum.latex(),
            rf"\eta = {sp.latex(self.eta)}",
            rf"c = {sp.latex(self.student_scale)}",
        ]
        for name in ("label_noise", "weight_decay", "preconditioner"):
            value = getattr(self, name)
            if value != 0:
                parts.append(rf"\text{{{name.replace('_', ' ')}}} = {sp.latex(value)}")
        return r",\quad ".join(parts)

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"
