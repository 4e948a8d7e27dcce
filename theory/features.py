r"""Learned features: only the first N_l directions of a linear network are trainable.

Summary
    The error in the other directions stays and acts on the trainable ones like label noise, so that
    eps_g ends at a floor that falls as a power of N_l. Training longer and training more directions
    compete for the compute C = alpha N_l.

Main results (p = 1 + beta, V = sum_{k<=N_l} w_k lam_k, rho = (kappa/2)/(1 - kappa/2))
    eps_inf = (eps_0 (1 - V) + (kappa/4) V sigma^2)/(1 - kappa V/2) at any eta, for any spectrum;
    eps_inf ~ eps_0 N_l^-beta/((1 - kappa/2) beta zeta(p)), eps_0 = 1/2 for a student at zero;
    joint law: eps_g ~ A N_l^-beta g(y), y = 2 kappa lam_+ alpha N_l^-p,
        A = eps_0/((1 - kappa/2) zeta(p)), g(y) = y^-s Gamma(s, y)/p + 1/beta;
    at fixed C: N_l = (X/y*)^(1/(2+beta)), X = 2 kappa lam_+ C, and
        eps_g = A g(y*) (X/y*)^(-beta/(2+beta)), where p - s y^-s Gamma(s, y) = (2 + beta) exp(-y).

Notation
    kappa = eta K c^2, s = beta/(1 + beta); eps_0 = eps_g(0) with equal e_k in every eigenspace.

References
    [WR24] Worschech & Rosenow, sections on learned features and on compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from .asymptotics import AsymptoticLaw, Harmonic, Regime, Root
from .exact import count, exact, sequence
from .linear import linear_solution
from .linear_laws import PowerLawScales, eps_0
from .models import TeacherStudent
from .power_law import power_sum
from .spectra import PowerLaw
from .symbols import alpha

__all__ = [
    "ComputeOptimum",
    "N_l",
    "compute",
    "compute_optimum",
    "feature_law",
    "joint_law",
    "stationary_error",
]

N_l = sp.Symbol("N_l", positive=True)
"""Number of trainable directions."""

compute = sp.Symbol("C", positive=True)
"""alpha N_l."""

_FLAT = sp.Symbol("y_*", positive=True)


def stationary_error(model: TeacherStudent, learned: Any, start: Any = None) -> sp.Expr:
    """eps_g at late times if only the first `learned` eigenspaces are trained, exact.

    (1/2) (sum_{k>N_l} w_k lam_k e_k(0) + (kappa/2) V sigma^2)/(1 - kappa V/2), for any spectrum (in
    the order of its eigenvalues) and any eta below 2/(K c^2 V).

    Parameters
    ----------
    model : TeacherStudent
        With linear activation, without weight decay.
    learned : positive integer, or a symbol if the spectrum is a PowerLaw
        N_l, at most L.
    start : sequence of exact numbers, optional
        e_k(0) = c^2 |P_k (V - S)|^2/n_k, one for each eigenspace. Default: 2 epsilon_0 in each.

    Raises
    ------
    ValueError
        If N_l > L, the number of e_k is not L, or eta is too large for a stationary error.
    NotImplementedError
        With weight decay.
    """
    solution, learned = linear_solution(model), count(learned, "learned")
    if model.weight_decay != 0:
        raise NotImplementedError("stationary_error: no formula with weight decay; set it to 0")
    if learned.is_number and (learned > model.spectrum.L) == sp.true:
        raise ValueError(f"stationary_error: learned = {learned} exceeds L = {model.spectrum.L}")
    kappa, share = solution.effective_rate, _share(model, learned)
    rest = 2 * eps_0 * (1 - share) if start is None else _frozen(model, learned, start)
    gap = 1 - kappa * share / 2
    if gap.is_number and gap <= 0:
        raise ValueError(
            f"stationary_error: at eta = {model.eta} training {learned} eigenspaces diverges; give "
            f"eta below {sp.N(model.eta / (1 - gap), 6)}"
        )
    return (rest + kappa / 2 * share * model.label_noise) / (2 * gap)


def _share(model: TeacherStudent, learned: sp.Expr) -> sp.Expr:
    """V = sum_{k<=N_l} w_k lam_k."""
    spectrum = model.spectrum
    if isinstance(spectrum, PowerLaw):
        return Harmonic(learned, 1 + spectrum.beta) / power_sum(spectrum)
    modes = list(zip(spectrum.weights, spectrum.eigenvalues, strict=True))
    if not learned.is_Integer:
        raise ValueError(f"learned must be a whole number for {spectrum}, found {learned}")
    return sp.Add(*(w * e for w, e in modes[: int(learned)]))


def _frozen(model: TeacherStudent, learned: sp.Expr, start: Sequence[Any]) -> sp.Expr:
    """sum_{k>N_l} w_k lam_k e_k(0)."""
    spectrum = model.spectrum
    errors = [exact(e, f"start: entry {k}") for k, e in enumerate(sequence(start, "start"), 1)]
    modes = list(zip(spectrum.weights, spectrum.eigenvalues, strict=True))
    if len(errors) != len(modes) or not learned.is_Integer:
        raise ValueError(
            f"start needs one e_k for each of the {len(modes)} eigenspaces and a whole number of "
            f"learned ones, found {len(errors)} and {learned}"
        )
    frozen = list(zip(modes, errors, strict=True))[int(learned) :]
    return sp.Add(*(w * e * error for (w, e), error in frozen))


def feature_law(model: TeacherStudent) -> AsymptoticLaw:
    """eps_g at late times against the number of trainable directions N_l (WR24).

    Parameters
    ----------
    model : TeacherStudent
        With linear activation and a PowerLaw spectrum; eta, beta and L may be symbols.

    Returns
    -------
    AsymptoticLaw
        eps_0 N_l^-beta/((1 - kappa/2) beta H_L(1+beta)) plus, with label noise, its floor, which is
        subtracted in ``quantity``; ``epsilon_0`` is a parameter (1/2 for a student at zero).

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        If the model is no such model, has weight decay, or eta is not below eta_c.

    Examples
    --------
    >>> model = TeacherStudent(1, 1, "linear", PowerLaw(beta=1, L="oo"), eta="1/1000000")
    >>> law = feature_law(model)
    >>> law.exponent
    -1
    >>> round(float(law(100, epsilon_0="1/2")) * 100 * 2 * float(sp.zeta(2)), 5)
    1.0
    """
    scales = PowerLawScales(model, gradient_flow=False)
    beta = scales.beta
    # Below the floor nothing is gained: eps_inf - floor = (eps_0 - floor)(1 - V)/(1 - kappa V/2).
    expr = scales.start * N_l**-beta / (beta * scales.norm)
    error, text, conditions = 1 / N_l + scales.feedback * N_l**-beta, r"1 \ll N_l", [N_l > 1]
    if scales.L is not sp.oo:
        error += (N_l / scales.L) ** beta
        text += r" \ll L"
        conditions.append(N_l < scales.L)
    return AsymptoticLaw(
        expr, N_l, Regime(f"${text}$", tuple(conditions)), -beta, error, scales.excess
    )


def joint_law(model: TeacherStudent) -> AsymptoticLaw:
    """eps_g after training N_l directions for a time alpha, as a law in N_l (WR24).

    Interpolates between the late times of `late_time_law` (y << 1) and `feature_law` (y >> 1), y =
    2 kappa lam_+ alpha N_l^-(1+beta); ``alpha`` and ``epsilon_0`` are parameters. Arguments and
    errors as for `feature_law`.
    """
    scales = PowerLawScales(model, gradient_flow=False)
    beta, x = scales.beta, scales.x(alpha)
    y = x * N_l**-scales.p
    error = 1 / N_l + scales.feedback * (N_l**-beta * sp.log(N_l) + x**-scales.s)
    text, conditions = r"1 \ll N_l,\ 1 \ll 2\kappa\lambda_+\alpha", [N_l > 1, x > 1]
    if scales.L is not sp.oo:
        error += (N_l / scales.L) ** beta
        text += r",\ N_l \ll L"
        conditions.append(N_l < scales.L)
    return AsymptoticLaw(
        expr=scales.start / scales.norm * N_l**-beta * _shape(scales, y),
        variable=N_l,
        regime=Regime(f"${text}$", tuple(conditions)),
        exponent=None,
        error=error,
        quantity=scales.excess,
    )


def _shape(scales: PowerLawScales, y: sp.Expr) -> sp.Expr:
    """g(y) = y^-s Gamma(s, y)/p + 1/beta: what is left to learn, and what is not learned."""
    return y**-scales.s * sp.uppergamma(scales.s, y) / scales.p + 1 / scales.beta


@dataclass(frozen=True)
class ComputeOptimum:
    """The best split of C = alpha N_l between time and trainable directions.

    Attributes
    ----------
    features : AsymptoticLaw
        N_l ~ C^(1/(2+beta)).
    error : AsymptoticLaw
        eps_g (minus its floor) ~ C^(-beta/(2+beta)).
    """

    features: AsymptoticLaw
    error: AsymptoticLaw


def compute_optimum(model: TeacherStudent) -> ComputeOptimum:
    """N_l and eps_g that are best at fixed compute C = alpha N_l, with their constants (WR24).

    y* solves d/dy [y^(beta/(2+beta)) g(y)] = 0. Arguments and errors as for `feature_law`.
    """
    scales = PowerLawScales(model, gradient_flow=False)
    beta, s, p = scales.beta, scales.s, scales.p
    condition = p - s * _FLAT**-s * sp.uppergamma(s, _FLAT) - (2 + beta) * sp.exp(-_FLAT)
    flat = Root(_FLAT, condition, sp.Rational(1, 10**6), sp.Integer(100))
    features = (scales.x(compute) / _FLAT) ** (1 / (2 + beta))
    smallness = 1 / features + scales.feedback * features**-beta * sp.log(features)
    text, conditions = r"1 \ll N_l", [features > 1]
    if scales.L is not sp.oo:
        smallness += (features / scales.L) ** beta
        text += r" \ll L"
        conditions.append(features < scales.L)
    regime = Regime(f"${text}$", tuple(conditions))
    error = scales.start / scales.norm * features**-beta * _shape(scales, _FLAT)
    return ComputeOptimum(
        AsymptoticLaw(features, compute, regime, 1 / (2 + beta), smallness, N_l, (flat,)),
        AsymptoticLaw(
            error, compute, regime, -beta / (2 + beta), smallness, scales.excess, (flat,)
        ),
    )
