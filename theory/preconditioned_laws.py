r"""What a preconditioner does to scaling laws and plateaus, in closed form.

Summary
    The modes relax at rates lam_k^(1-theta)/m while eps_g weights them by lam_k: the exponent of
    the decay grows with theta, and from theta = beta/(1 + beta) on the slowest rate stays finite
    for any number of modes. The plateau lengthens: its escape rate falls to that of isotropic data.

Main results (p = 1 + beta, a = p (1 - theta))
    eps_g ~ x^(-beta/a), x = 2 rate lam'_1 alpha, for 1 << x << L^a; for a < 1 the last rate,
    lam'_L -> 1 - a, stays finite as L -> oo: the power law ends at eta alpha of order one, and at
    theta = 1 nothing is left of it;
    escape from the plateau: gamma = eta gamma_1(M) sum_k w_k lam_k^(2-theta)/m.

Notation
    theta, m, lam' : as in `theory.preconditioning`.

References
    [WR24] Worschech & Rosenow (theta = 0).
"""

from __future__ import annotations

import sympy as sp

from .asymptotics import AsymptoticLaw, Harmonic, Regime
from .late_times import Relaxation
from .linear_laws import PowerLawScales, eps_0
from .models import Activation, TeacherStudent
from .plateau import plateau
from .power_law import eps_g
from .preconditioning import scale
from .symbols import alpha

__all__ = ["preconditioned_escape_rate", "preconditioned_law"]


def preconditioned_escape_rate(model: TeacherStudent) -> sp.Expr:
    """gamma(theta) of the symmetric plateau, exact in eta -> 0 for every spectrum (erf, K = M).

    eta gamma_1(M) sum_k w_k lam_k^(2-theta)/sum_k w_k lam_k^(1-theta): students and teachers of
    the plateau are proportional in all eigenspaces, so that only sum_k w_k lam'_k^2 t'_k matters.

    Raises
    ------
    NotImplementedError, ValueError
        As `theory.plateau.plateau`.
    """
    point = plateau(model.replace(preconditioner=0))
    spectrum, theta = model.spectrum, model.preconditioner
    moments = spectrum.moment(2 - theta) / spectrum.moment(2)
    return point.escape_rate * moments / scale(model)


def preconditioned_law(model: TeacherStudent, regime: str = "window") -> AsymptoticLaw:
    """How eps_g decays at late times with a preconditioner, eta -> 0, power-law spectrum.

    Parameters
    ----------
    model : TeacherStudent
        With a PowerLaw spectrum of finite L; linear activation, or a smooth one and K = M.
    regime : {"window", "finite size"}
        The power law alpha^(-beta/a), or the form that includes its end; for theta = 1 both are the
        exponential (linear activation).

    Returns
    -------
    AsymptoticLaw
        In alpha, for students that start with the same overlaps in every eigenspace; parameters as
        in `theory.laws.late_time_law`.

    Raises
    ------
    ValueError
        If the regime is unknown or theta is a symbol.
    NotImplementedError
        If there is no law for the activation or the spectrum, or for L = oo.
    """
    if regime not in ("window", "finite size"):
        raise ValueError(
            f'preconditioned_law: regime must be "window" or "finite size", found {regime!r}'
        )
    theta = model.preconditioner
    if not theta.is_number:
        raise ValueError(f"preconditioned_law: give theta a value, found {theta}")
    unconditioned = model.replace(preconditioner=0)
    linear = model.activation == Activation("linear")
    parts = (PowerLawScales if linear else Relaxation)(unconditioned, True)
    if parts.L is sp.oo:
        raise NotImplementedError(
            "preconditioned_law: P = Sigma^-theta/m has no limit L -> oo; give L a finite value"
        )
    a, L = parts.p * (1 - theta), parts.L
    largest = L / Harmonic(L, a)
    if isinstance(parts, PowerLawScales):
        rates = (parts._rate,)
    else:
        rates = tuple(model.eta * h for h in parts.point.rates)
    x = tuple(2 * rate * largest * alpha for rate in rates)
    if theta == 1:
        return _exponential(parts, x[0])
    s = parts.beta / a
    mellin = tuple(sp.gamma(s) for _ in x)
    if regime == "finite size":
        mellin = tuple(sp.uppergamma(s, v * L**-a) - sp.uppergamma(s, v) for v in x)
    relaxed = tuple(v**-s * g / (a * parts.norm) for v, g in zip(x, mellin, strict=True))
    return _law(parts, relaxed, x, a, regime)


def _law(
    parts: PowerLawScales | Relaxation,
    relaxed: tuple[sp.Expr, ...],
    x: tuple[sp.Expr, ...],
    a: sp.Expr,
    regime: str,
) -> AsymptoticLaw:
    """The sum over modes that relax by themselves, with what it leaves out."""
    s, L, window = parts.beta / a, parts.L, regime == "window"
    first, last = x[0], x[-1]
    error = first**s * L ** -(parts.beta if window else parts.p) + sp.exp(-(last ** (1 / (1 + a))))
    if isinstance(parts, PowerLawScales):
        expr = eps_0 * relaxed[0]
    else:
        expr = parts.error(relaxed)
        # What the other modes do to V, of second order; what came before shifts the origin of time.
        error += last**-s + 1 / last
    text = (
        rf"1 \ll x \ll L^{{{sp.latex(a)}}}" if window else rf"1 \ll x \ll L^{{{sp.latex(a + 1)}}}"
    )
    return AsymptoticLaw(
        expr=expr,
        variable=alpha,
        regime=Regime(
            rf"${text}$, x = 2 rate $\lambda'_1\alpha$",
            (last > 1, first < (L**a if window else L ** (a + 1))),
        ),
        exponent=-s if window else None,
        error=error,
        quantity=eps_g,
    )


def _exponential(parts: PowerLawScales | Relaxation, x: sp.Expr) -> AsymptoticLaw:
    """Whitened and linear: every eigenspace relaxes alike, exactly."""
    if not isinstance(parts, PowerLawScales):
        raise NotImplementedError(
            "preconditioned_law: whitened students of a smooth activation relax like on isotropic "
            "data, exponentially and with no law of powers; use numerics.linearised"
        )
    return AsymptoticLaw(
        expr=eps_0 * sp.exp(-2 * parts._rate * alpha),
        variable=alpha,
        regime=Regime("at all times"),
        exponent=None,
        error=sp.S.Zero,
        quantity=eps_g,
    )
