"""The equations of motion: closure in L moments, and SGD at finite N."""

from __future__ import annotations

import math

import numpy as np

from numerics import InitialCondition, compare, integrate, simulate
from theory import order_parameter_odes

from ..claim import Claim, Evidence, Number
from ..criteria import below
from .common import entry, erf_network

__all__ = ["CLAIMS"]

DIGITS = 20
LOST = 3
"""Digits that the moments may lose against the modes at L up to 4."""
STEADY = 1.5
"""Rms z-score: one if the means agree, and neighbouring times are correlated."""

CLOSURE = (
    r"\sum_{l=0}^{L} c_l R^{(l)} = 0, \quad R^{(l)} = \sum_{k=1}^{L} w_k \lambda_k^l r_k, \quad "
    r"\sum_{l=0}^{L} c_l x^l = \prod_{k=1}^{L} (x - \lambda_k)"
)
MOTION = (
    r"\frac{\mathrm{d} r_k}{\mathrm{d} \alpha} = \eta \lambda_k (D^x r_k + D^y t_k), \quad "
    r"\frac{\mathrm{d} q_k}{\mathrm{d} \alpha} = \eta \lambda_k (D^x q_k + D^y r_k^T + \ldots)"
    r" + \eta^2 \lambda_k G"
)


def _start(modes: int) -> InitialCondition:
    """Each student leans towards its own teacher, by more than SGD scatters."""
    both = np.broadcast_to(np.eye(2) / 16, (modes, 2, 2))
    return InitialCondition(q=both, r=both)


def _closure(formula: str, full: bool) -> Evidence:
    """Modes, which need no closure, against the closed moments, both in high precision."""
    size, end = (4, 100) if full else (2, 10)
    model = erf_network(2, size)
    ode = order_parameter_odes(model)
    forms = ode.modes(), ode.moments()
    modes, moments = (integrate(form, _start(size), end, digits=DIGITS) for form in forms)
    agreed = compare(modes, moments).agreements[0][1]
    digits = min(agreement.digits for agreement in agreed.values())
    verdict, condition = below([(f"L = {size}, in lost digits,", DIGITS - digits)], LOST)
    number = Number(f"digits agreed of {DIGITS}, L = {size}, to α = {end}", digits, 0.1)
    return Evidence(verdict, (number,), condition)


def _sgd(formula: str, full: bool) -> Evidence:
    """Simulations at two sizes, in standard errors of their means."""
    sizes, runs = ([512, 2048] if full else [512]), (32 if full else 16)
    model, end = erf_network(2, 4), 100
    path = integrate(order_parameter_odes(model), _start(4), end)
    expected = math.sqrt((runs - 1) / (runs - 3))
    cases, numbers = [], []
    for size in sizes:
        found = compare(path, simulate(model, _start(4), end, N=size, runs=runs, seed=1))
        for name, score in found.deviations[0][1].items():
            where = f"rms z-score of {name}, N = {size}"
            cases.append((where, score.rms))
            numbers.append(Number(f"{where}, {runs} runs", score.rms, 0.3))
    verdict, condition = below(cases, STEADY * expected)
    return Evidence(verdict, tuple(numbers), condition)


CLAIMS: tuple[Claim, ...] = (
    entry(
        "closed_moments",
        "For L distinct eigenvalues the equations close in L moments of the overlaps.",
        CLOSURE,
        _closure,
    ),
    entry(
        "order_parameters",
        "For N → ∞ the overlaps of one-pass SGD obey ordinary differential equations.",
        MOTION,
        _sgd,
    ),
)
