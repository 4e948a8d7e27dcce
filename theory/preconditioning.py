r"""Preconditioned SGD, P = Sigma^-theta/m: plain SGD on data with another spectrum.

Summary
    With J' = sqrt(m) Sigma^(theta/2) J and xi' = Sigma^(-theta/2) xi/sqrt(m) the fields J.xi do not
    change and a step with the preconditioned gradient is a plain step, at the same eta. So whatever
    is known of plain SGD holds, for inputs of covariance Sigma^(1-theta)/m and a teacher whose
    overlaps are m lam_k^theta t_k. Nothing else is integrated.

Main results
    lam'_k = lam_k^(1-theta)/m,  c'_k = m lam_k^theta c_k,  m = sum_k w_k lam_k^(1-theta).
    What this does to exponents and plateaus: `theory.preconditioned_laws`.

Notation
    theta : preconditioner, from 0 (SGD) to 1 (whitening); c_k : overlaps in eigenspace k.
    The normalisation keeps Tr P Sigma = N: eta_c, eta_max and noise floors do not depend on theta.
    For J <- J - (eta/sqrt(N)) Sigma^-theta grad without it, take eta m for eta.

References
    [WR24] Worschech & Rosenow (theta = 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mpmath as mp
import sympy as sp

from .models import TeacherStudent
from .spectra import Discrete, PowerLaw, Spectrum, harmonic_sum

__all__ = ["FlatPowerLaw", "plain_model", "plain_spectrum", "scale"]


@dataclass(frozen=True)
class FlatPowerLaw(Spectrum):
    """lam_k = L k^-a/H_L(a), w_k = 1/L, for an exponent a <= 1 that leaves no limit L -> oo.

    What a preconditioner can make of a `PowerLaw`; from a > 1 on that is one itself.

    Attributes
    ----------
    exponent : sympy.Expr
        a, a number from 0 (equal eigenvalues) to 1.
    L : sympy.Integer
    """

    exponent: sp.Expr
    L: sp.Expr

    def shape(self) -> tuple[sp.Expr, ...]:
        return tuple(sp.Integer(k) ** -self.exponent for k in range(1, int(self.L) + 1))

    def _shape_values(self, digits: int) -> list[mp.mpf]:
        power = mp.mpf(sp.N(-self.exponent, digits))
        return [mp.mpf(k) ** power for k in range(1, int(self.L) + 1)]

    @property
    def free_symbols(self) -> set[sp.Symbol]:
        return set()

    @property
    def eigenvalues(self) -> tuple[sp.Expr, ...]:
        largest = self.L / harmonic_sum(self.L, self.exponent)
        return tuple(largest * e for e in self.shape())

    @property
    def weights(self) -> tuple[sp.Expr, ...]:
        return (1 / self.L,) * int(self.L)

    def moment(self, order: Any) -> sp.Expr:
        """L^(l-1) H_L(l a)/H_L(a)^l."""
        order, a = sp.sympify(order), self.exponent
        share = harmonic_sum(self.L, order * a) / harmonic_sum(self.L, a) ** order
        return self.L ** (order - 1) * share

    def latex(self) -> str:
        return rf"\lambda_k \propto k^{{-{sp.latex(self.exponent)}}},\ L = {sp.latex(self.L)}"


def scale(model: TeacherStudent) -> sp.Expr:
    """The normalisation m = sum_k w_k lam_k^(1-theta), exact; at most 1."""
    theta = model.preconditioner
    return sp.S.One if theta in (0, 1) else model.spectrum.moment(1 - theta)


def plain_spectrum(spectrum: Spectrum, theta: sp.Expr) -> Spectrum:
    """The spectrum lam_k^(1-theta)/m; a power law stays one as long as its exponent exceeds 1.

    Raises
    ------
    ValueError
        If there are infinitely many eigenvalues, and the new ones have no finite sum.
    """
    if theta == 0 or spectrum.L == 1:
        return spectrum
    if isinstance(spectrum, PowerLaw):
        beta = (1 + spectrum.beta) * (1 - theta) - 1
        if beta.is_positive or (beta.is_number and beta > 0):
            return PowerLaw(sp.expand(beta), spectrum.L)
    if not spectrum.L.is_Integer:
        raise ValueError(
            f"plain_spectrum: {spectrum} to the power 1 - theta, theta = {theta}, cannot be "
            "listed: give L and beta values"
        )
    if isinstance(spectrum, PowerLaw):
        return FlatPowerLaw(sp.expand((1 + spectrum.beta) * (1 - theta)), spectrum.L)
    return Discrete([e ** (1 - theta) for e in spectrum.shape()], spectrum.weights)


def plain_model(model: TeacherStudent) -> TeacherStudent:
    """Plain SGD that moves Q and R like `model`, from overlaps c'_k = m lam_k^theta c_k.

    Examples
    --------
    >>> fast = TeacherStudent(2, 2, spectrum=PowerLaw(beta=1, L=8), preconditioner="1/4")
    >>> plain_model(fast).spectrum
    PowerLaw(beta=1/2, L=8)
    """
    theta = model.preconditioner
    return model.replace(spectrum=plain_spectrum(model.spectrum, theta), preconditioner=0)
