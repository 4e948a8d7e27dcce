"""What all late-time laws of a power-law spectrum share: exponents, norm and unit of time.

References
    [WR24] Worschech & Rosenow, arXiv:2410.09005.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sympy as sp

from .asymptotics import Harmonic
from .models import TeacherStudent
from .spectra import PowerLaw

__all__ = ["PowerLawScaling", "eps_g", "power_sum"]

eps_g = sp.Symbol("epsilon_g", positive=True)


def power_sum(spectrum: PowerLaw) -> sp.Expr:
    """H_L(1 + beta), or zeta(1 + beta); kept as a function, whose value is cheap at large L."""
    p = 1 + spectrum.beta
    return sp.zeta(p) if spectrum.L is sp.oo else Harmonic(spectrum.L, p)


@dataclass(frozen=True)
class PowerLawScaling:
    """A model with a power-law spectrum, in the quantities of its laws.

    Attributes
    ----------
    model : TeacherStudent
    gradient_flow : bool
        Whether the eta^2 term is dropped.
    """

    instead: ClassVar[str]
    """What to use where there is no law, for the message."""

    model: TeacherStudent
    gradient_flow: bool

    @property
    def spectrum(self) -> PowerLaw:
        """The spectrum, refused if it has no scaling form."""
        if isinstance(self.model.spectrum, PowerLaw):
            return self.model.spectrum
        raise NotImplementedError(
            f"a law needs a spectrum with a scaling form, PowerLaw(beta, L); for "
            f"{self.model.spectrum} use {self.instead}"
        )

    @property
    def beta(self) -> sp.Expr:
        """Exponent of the spectrum, lam_k ~ k^-(1 + beta)."""
        return self.spectrum.beta

    @property
    def L(self) -> sp.Expr:
        """Number of eigenvalues, or oo."""
        return self.spectrum.L

    @property
    def p(self) -> sp.Expr:
        """1 + beta."""
        return 1 + self.beta

    @property
    def s(self) -> sp.Expr:
        """beta/(1 + beta)."""
        return self.beta / self.p

    @property
    def norm(self) -> sp.Expr:
        """Sum over k of k^-(1 + beta)."""
        return power_sum(self.spectrum)

    @property
    def largest(self) -> sp.Expr:
        """lam_+; for L = oo it is the unit of 1/time."""
        return sp.S.One if self.L is sp.oo else self.L / self.norm
