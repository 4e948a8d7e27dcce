"""erf units: the symmetric plateau, the escape from it and its length."""

from __future__ import annotations

import sympy as sp

from numerics.escape import measure_escape
from theory import plateau
from theory.symbols import k, lam, w

from ..claim import Claim, Evidence, Number
from ..criteria import always, in_the_limit
from .common import L, M, beta, entry, erf_network, eta, rate

__all__ = ["CLAIMS"]

MEASURED = 1e-4
"""Relative, of a rate measured over three e-folds from a step of 1e-6."""
LIMIT = 0.01

T_2 = sp.Sum(w[k] * lam[k] ** 2, (k, 1, L))
RATE = sp.Eq(
    rate,
    eta * T_2 * 2 / sp.pi * (2 * M - 1) ** -sp.S.Half * (2 * M + 1) ** -sp.Rational(3, 2),
    evaluate=False,
)
TIME = sp.Eq(
    sp.Symbol("tau_esc"),
    2 * sp.pi * M**2 * sp.zeta(1 + beta) ** 2 / (eta * L * sp.zeta(2 * (1 + beta))),
    evaluate=False,
)


def _rate(formula: sp.Eq, full: bool) -> Evidence:
    """Rates on integrated trajectories that leave the fixed point, eta^2 terms dropped."""
    sizes = [(2, 1), (2, 4), (3, 4), *([(2, 16), (3, 16), (5, 4), (5, 16)] if full else [])]
    cases, numbers = [], []
    for units, modes in sizes:
        model = erf_network(units, modes)
        at = {T_2: model.spectrum.moment(2), M: units, eta: model.eta}
        claimed, found = float(formula.rhs.subs(at)), measure_escape(model).rate
        where = f"M = {units}, L = {modes}"
        cases.append((where, found / claimed - 1))
        numbers.append(Number(f"γ measured / formula, {where}", found / claimed, MEASURED))
    verdict, condition = always(cases, MEASURED)
    return Evidence(verdict, tuple(numbers), condition)


def _time(formula: sp.Eq, full: bool) -> Evidence:
    """The exact escape time against its limit, from small sizes to large ones."""
    sizes = [(2, 8), (4, 32), (16, 256), (64, 2048), *([(256, 8192)] if full else [])]
    cases, numbers = [], []
    for units, modes in sizes:
        model = erf_network(units, modes)
        law = formula.rhs.subs({M: units, L: modes, beta: 1, eta: model.eta})
        ratio = float(plateau(model).escape_time / law)
        where = f"M = {units}, L = {modes}"
        cases.append((where, 1 / ratio - 1))
        numbers.append(Number(f"τ_esc exact / law, {where}", ratio, 0))
    verdict, condition = in_the_limit(cases, LIMIT)
    return Evidence(verdict, tuple(numbers), condition)


CLAIMS: tuple[Claim, ...] = (
    entry(
        "escape_rate",
        "erf, K = M, η → 0: the plateau is left at the rate γ, exact for every spectrum.",
        RATE,
        _rate,
    ),
    entry(
        "escape_time",
        "The escape time grows as M²/(ηL); our constant is for β = 1.",
        TIME,
        _time,
    ),
)
