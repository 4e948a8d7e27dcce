"""erf units, K = M: the symmetric plateau and the escape from it."""

from __future__ import annotations

import math

import numpy as np
import sympy as sp

from numerics import InitialCondition, integrate
from numerics.escape import measure_escape
from numerics.trajectory import Trajectory
from theory import TeacherStudent, order_parameter_odes, plateau
from theory.symbols import k, lam, w

from ..claim import Claim, Evidence, Number
from ..criteria import always, in_the_limit
from ..formulas import against
from .common import LIMIT, L, M, beta, entry, erf_network, eta, on_spectrum, rate

__all__ = ["CLAIMS"]

MEASURED = 1e-4
"""Relative, of a rate measured over three e-folds from a step of 1e-6."""
RUN = 1e-6
"""Relative, of overlaps at rest."""
RELAXATIONS = 25
"""Times of relaxation of the slowest mode after which overlaps rest to 1e-8."""

Q, R, height, tau = sp.symbols("Q^* R^* epsilon^* tau_esc", positive=True)

T_2 = sp.Sum(w[k] * lam[k] ** 2, (k, 1, L))
GROWTH = 2 / sp.pi * (2 * M - 1) ** -sp.S.Half * (2 * M + 1) ** -sp.Rational(3, 2)
POINT = sp.Tuple(
    sp.Eq(Q, 1 / (2 * M - 1), evaluate=False),
    sp.Eq(R, 1 / sp.sqrt(M * (2 * M - 1)), evaluate=False),
)
HEIGHT = sp.Eq(height, sp.Rational(1, 6) - M / sp.pi * sp.asin(1 / (2 * M)), evaluate=False)
RATE = sp.Eq(rate, eta * T_2 * GROWTH, evaluate=False)
TIME = sp.Eq(
    tau,
    2 * sp.pi * M**2 * sp.zeta(1 + beta) ** 2 / (eta * L * sp.zeta(2 * (1 + beta))),
    evaluate=False,
)


def _at_rest(model: TeacherStudent, gradient_flow: bool) -> Trajectory:
    """Students that start alike, where each mode has relaxed and none has specialised."""
    units = int(model.M)
    r = np.full((1, units, units), 1e-2)
    alike = InitialCondition(1e-3 + r @ r.transpose(0, 2, 1), r)
    slowest = float(model.eta * min(model.spectrum.eigenvalues) * GROWTH.subs(M, units))
    end = RELAXATIONS / (slowest * (4 * units**2 - 1))
    return integrate(order_parameter_odes(model, gradient_flow), alike, end, at=[end])


def _sizes(full: bool) -> list[tuple[int, int]]:
    return [(2, 1), (2, 4), (3, 2), *([(3, 4), (5, 1), (5, 4)] if full else [])]


def _point(formula: sp.Tuple, full: bool) -> Evidence:
    """Overlaps to which symmetric students relax, eta^2 terms dropped."""
    claimed = [equation.rhs for equation in formula]
    cases, numbers = [], []
    for units, modes in _sizes(full):
        path = _at_rest(erf_network(units, modes), gradient_flow=True)
        found = path.Q[-1, 0, 1], path.R[-1, 0, 1]
        for name, value, expr in zip(("Q", "R"), found, claimed, strict=True):
            where = f"{name}, M = {units}, L = {modes}"
            rest = float(expr.subs(M, units))
            cases.append((where, rest / value - 1))
            numbers.append(Number(f"{where} {against(rest)}", value, RUN * value))
    verdict, condition = always(cases, RUN)
    return Evidence(verdict, tuple(numbers), condition)


def _height(formula: sp.Eq, full: bool) -> Evidence:
    """The error there, for several spectra; at a finite learning rate it is another one."""
    cases, numbers = [], []
    for units, modes in _sizes(full):
        found = _at_rest(erf_network(units, modes), True).generalization_error[-1]
        where = f"M = {units}, L = {modes}"
        claimed = float(formula.rhs.subs(M, units))
        cases.append((where, claimed / found - 1))
        what = f"height, {where}, η → 0 {against(claimed)}"
        numbers.append(Number(what, found, RUN * found))
    for modes in (1, 4):
        noisy = erf_network(2, modes, learning_rate=1)
        found = _at_rest(noisy, gradient_flow=False).generalization_error[-1]
        numbers.append(Number(f"height, M = 2, L = {modes}, η = 1", found, RUN * found))
    verdict, condition = always(cases, RUN)
    return Evidence(verdict, tuple(numbers), condition)


def _rate(formula: sp.Eq, full: bool) -> Evidence:
    """Rates on integrated trajectories that leave the fixed point, eta^2 terms dropped."""
    sizes = [(2, 1), (2, 4), (3, 4), *([(2, 16), (3, 16), (5, 4), (5, 16)] if full else [])]
    cases, numbers = [], []
    for units, modes in sizes:
        model = erf_network(units, modes)
        right = on_spectrum(formula.rhs, model.spectrum).subs({M: units, eta: model.eta})
        claimed, found = float(right), measure_escape(model).rate
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
        numbers.append(Number(f"τ_esc exact / law, {where}, β = 1", ratio, 0))
    verdict, condition = in_the_limit(cases, LIMIT)
    return Evidence(verdict, (*numbers, *_powers()), condition)


def _powers() -> tuple[Number, Number]:
    """How the exact time at M = 2, L = 8 grows with either, as powers."""
    small, wide, long = (
        float(plateau(erf_network(*size)).escape_time) for size in ((2, 8), (4, 8), (2, 16))
    )
    return (
        Number("power of M between 2 and 4, L = 8", math.log2(wide / small), 0),
        Number("power of L between 8 and 16, M = 2", math.log2(long / small), 0),
    )


CLAIMS: tuple[Claim, ...] = (
    entry(
        "plateau_overlaps",
        "erf, K = M, η → 0: students that start alike rest at Q* and R*, whatever the spectrum.",
        POINT,
        _point,
    ),
    entry(
        "plateau_height",
        "erf, K = M: the height of the plateau does not depend on the spectrum.",
        HEIGHT,
        _height,
    ),
    entry(
        "escape_rate",
        "erf, K = M, η → 0: the plateau is left at a rate γ that is exact for every spectrum.",
        RATE,
        _rate,
    ),
    entry(
        "escape_time",
        "The escape time τ_esc = 1/γ from the plateau grows as M²/(ηL).",
        TIME,
        _time,
    ),
)
