"""Linear activation: the decay with time."""

from __future__ import annotations

import sympy as sp

from numerics import InitialCondition
from theory import PowerLaw, TeacherStudent
from theory.symbols import alpha

from ..claim import Claim, Evidence, Number
from ..criteria import in_the_limit
from .common import beta, entry, eps, exponent, local_slopes

__all__ = ["CLAIMS"]

BETAS = (sp.Rational(1, 4), sp.Rational(1, 2), sp.Integer(1), sp.Integer(2))
SLOPE = 0.01
ROUNDING = 1e-6
"""Of a slope, from the tolerance 1e-8 of a run over a distance 0.02 in log alpha."""

TIME = sp.Eq(eps, sp.Symbol("c") * alpha ** (-beta / (1 + beta)), evaluate=False)


def _time(formula: sp.Eq, full: bool) -> Evidence:
    """Local slopes for L = oo, time in units of 1/(eta lam_+)."""
    times = [5.0, 50.0, 500.0, 5e3, *([5e5, 5e7] if full else [])]
    start = InitialCondition(q=[[[1]]], r=[[[0]]])
    cases, numbers = [(f"2ηλ₊α = {2 * time:g}", 0.0) for time in times], []
    for value in BETAS:
        model = TeacherStudent(1, 1, "linear", PowerLaw(value, "oo"), eta="1/1000")
        slopes = local_slopes(model, start, times, gradient_flow=True)
        claimed = float(exponent(formula, alpha).subs(beta, value))
        off = slopes / claimed - 1
        cases = [
            (where, max(worst, float(d), key=abs))
            for (where, worst), d in zip(cases, off, strict=True)
        ]
        numbers.append(Number(f"slope at {cases[-1][0]}, β = {value}, L = ∞", slopes[-1], ROUNDING))
    verdict, condition = in_the_limit(cases, SLOPE)
    return Evidence(verdict, tuple(numbers), condition)


CLAIMS: tuple[Claim, ...] = (
    entry(
        "linear_time_exponent",
        "Linear units, η → 0, λ_k ∝ k^-(1+β): the error falls with time as α^(-β/(1+β)).",
        TIME,
        _time,
    ),
)
