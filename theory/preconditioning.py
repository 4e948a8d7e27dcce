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

import sympy as sp

from .models import TeacherStudent
from .spectra import Discrete, PowerLaw, Spectrum

__all__ = ["plain_model", "plain_spectrum", "scale"]


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
