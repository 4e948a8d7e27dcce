r"""Learning rates that depend on time: eta a SymPy expression in alpha.

Summary
    ``TeacherStudent(..., eta=eta_0/(1 + alpha/tau)**p)`` with the symbol `alpha` of this module.
    The drift knows eta through the time tau(alpha) = int_0^alpha eta alone: without noise of SGD a
    schedule is a change of time. Noise sees eta itself: it falls with eta, if not faster than the
    slow modes forget it.

Main results (eta ~ alpha^-p, 0 < p < 1; s = beta/(1 + beta); linear student)
    without noise eps_g ~ tau^-s ~ alpha^(-s (1 - p));
    label noise sigma^2 leaves sigma^2 eta(alpha)/4 ~ alpha^-p for p < (1 + s)/(2 + s);
    together the best is p = s/(1 + s) = beta/(1 + 2 beta), with eps_g ~ alpha^-p.

References
    [WR24] Worschech & Rosenow (constant eta).
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from .exact import positive

__all__ = ["alpha", "best_power", "decaying", "elapsed", "excess_exponent"]

alpha = sp.Symbol("alpha", nonnegative=True)
"""Time, in steps over N."""


def decaying(eta: Any, time: Any, power: Any) -> sp.Expr:
    """eta_0 (1 + alpha/tau)^-p.

    Parameters
    ----------
    eta, time, power : positive exact numbers or symbols
        eta_0, tau, p.
    """
    first, scale = positive(eta, "decaying: eta"), positive(time, "decaying: time")
    return first * (1 + alpha / scale) ** -positive(power, "decaying: power")


def elapsed(eta: sp.Expr) -> sp.Expr:
    """The time tau(alpha) = int_0^alpha eta(a) da of the gradient flow, in closed form.

    Raises
    ------
    NotImplementedError
        If SymPy finds none.

    Examples
    --------
    >>> elapsed(decaying(1, 1, 2))
    1 - 1/(alpha + 1)
    """
    moment = sp.Dummy("a", nonnegative=True)
    found = sp.integrate(eta.subs(alpha, moment), (moment, 0, alpha))
    if found.has(sp.Integral):
        raise NotImplementedError(f"elapsed: no closed form is known for the integral of {eta}")
    return found


def excess_exponent(beta: Any, power: Any) -> sp.Expr:
    """Exponent -min(s (1 - p), p) of eps_g of a linear student under label noise, eta ~ alpha^-p.

    Parameters
    ----------
    beta, power : exact numbers
        p below (1 + s)/(2 + s), s = beta/(1 + beta).

    Raises
    ------
    ValueError
        If p is larger: the noise of early times is then not forgotten fast enough.
    """
    exponent, p = positive(beta, "excess_exponent: beta"), positive(power, "excess_exponent: power")
    s = exponent / (1 + exponent)
    if p.is_number and not p < (1 + s) / (2 + s):
        raise ValueError(
            f"excess_exponent: p = {power} is not below (1 + s)/(2 + s) = {(1 + s) / (2 + s)}: "
            "the noise of early times outlives eta; take a smaller p"
        )
    return -sp.Min(s * (1 - p), p)


def best_power(beta: Any) -> sp.Expr:
    """The p = beta/(1 + 2 beta) at which signal and noise fall together: the fastest decay."""
    exponent = positive(beta, "best_power: beta")
    return exponent / (1 + 2 * exponent)
