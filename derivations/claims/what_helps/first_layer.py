"""Preconditioner, learning-rate schedule and weight decay: exponents, floors and plateaus."""

from __future__ import annotations

from functools import partial

import numpy as np
import sympy as sp

from numerics import InitialCondition, Trajectory, integrate
from numerics.measure import eigenvalues_and_weights
from theory import PowerLaw, TeacherStudent, order_parameter_odes, plateau
from theory.preconditioning import plain_model
from theory.schedules import decaying
from theory.symbols import alpha, k, lam, w
from theory.weight_decay import decay

from ..claim import Claim, Evidence, Number
from ..criteria import always, in_the_limit
from ..worschech_rosenow.common import exponent, local_slopes, on_spectrum, worst

__all__ = ["CLAIMS"]

SLOPE_ERROR = 1e-6
"""Of a local slope: the tolerance of a run over a distance 0.02 in log alpha."""
DIFFERENCE = 1e-4
"""The same for an exponential, whose curvature the distance feels."""
RUN = 1e-7
LIMIT, ROUGH, EXACT = 0.02, 0.05, 1e-3
STEP = 1e-9
"""Asymmetry with which students leave the plateau."""
SETTLED, LASTING = 20, 12
"""Escape times that students rest on it before, and that they are followed."""
UNLEARNED = InitialCondition(q=[[[0]]], r=[[[0]]])

theta, beta, eps, eta, gamma, gamma_1, c, A = sp.symbols(
    "theta beta epsilon_g eta gamma gamma_1 c A", positive=True
)
sigma2, t = sp.symbols("sigma^2 t", positive=True)
M, L = sp.symbols("M L", integer=True, positive=True)
T_2, T_3 = sp.symbols("T_2 T_3", positive=True)

SLOPE = sp.Eq(eps, A * alpha ** (-beta / ((1 + beta) * (1 - theta))), evaluate=False)
WHITE = sp.Eq(eps, A * sp.exp(-2 * eta * alpha), evaluate=False)
ESCAPE = sp.Eq(
    gamma,
    gamma_1
    * sp.Sum(w[k] * lam[k] ** (2 - theta), (k, 1, L))
    / sp.Sum(w[k] * lam[k] ** (1 - theta), (k, 1, L)),
    evaluate=False,
)
NOISE = sp.Eq(eps, sigma2 * eta / 4, evaluate=False)
FLOOR = sp.Eq(eps, A * decay ** (beta / (1 + beta)), evaluate=False)
LOST = sp.Eq(
    (gamma - c) / eta,
    -decay * (1 + T_3 / ((2 * M - 1) * T_2) + 2 * (M - 1) * T_2 / ((2 * M - 1) ** 2 * (2 * M + 1))),
    evaluate=False,
)


def _linear(value: object, size: int, **others: object) -> TeacherStudent:
    return TeacherStudent(1, 1, "linear", PowerLaw(value, size), 1, **others)


def _slope(formula: sp.Eq, full: bool) -> Evidence:
    """Local slopes of linear students in the middle of the window, x = L^(a/2)."""
    sizes = [64, 256, 1024, 4096, *([16384] if full else [])]
    labels, off, numbers = [f"L = {size}" for size in sizes], [], []
    for value, power in ((1, "1/4"), (1, "1/2"), (2, "1/2"), (2, "3/4")):
        claimed = float(exponent(formula, alpha).subs({beta: value, theta: sp.Rational(power)}))
        slopes = [_middle(_linear(value, size, preconditioner=power)) for size in sizes]
        off.append([slope / claimed - 1 for slope in slopes])
        what = f"slope, {labels[-1]}, β = {value}, θ = {power} (formula: {claimed:.4g})"
        numbers.append(Number(what, slopes[-1], SLOPE_ERROR))
    verdict, condition = in_the_limit(worst(labels, off), LIMIT)
    return Evidence(verdict, tuple(numbers), condition)


def _middle(model: TeacherStudent) -> float:
    spectrum = plain_model(model).spectrum
    rates = eigenvalues_and_weights(spectrum)[0]
    time = 1 / (2 * float(np.sqrt(rates[0] * rates[-1])))
    return float(local_slopes(model, UNLEARNED, [time], gradient_flow=True)[0])


def _white(formula: sp.Eq, full: bool) -> Evidence:
    """Slopes of log eps_g of whitened linear students, at times a factor 100 apart."""
    claimed = float((formula.rhs.diff(alpha) / formula.rhs).subs(eta, 1))
    cases, numbers = [], []
    for size in (16, 256, *([4096] if full else [])):
        model = _linear(1, size, preconditioner=1)
        times = [0.05, 0.5, 5.0]
        rates = local_slopes(model, UNLEARNED, times, gradient_flow=True) / times
        cases += [
            (f"L = {size}, α = {at}", claimed / rate - 1)
            for at, rate in zip(times, rates, strict=True)
        ]
        numbers.append(Number(f"d log ε_g/dα at α = 5, L = {size}, η = 1", rates[-1], DIFFERENCE))
    verdict, condition = always(cases, EXACT)
    return Evidence(verdict, tuple(numbers), condition)


def _network(units: int, modes: int, **others: object) -> TeacherStudent:
    return TeacherStudent(units, units, "erf", PowerLaw(1, modes), "1/10", **others)


def _left(model: TeacherStudent, rate: float) -> Trajectory:
    """Gradient flow from the plateau, where students alike have come to rest before."""
    units, modes = int(model.M), int(model.spectrum.L)
    flow = order_parameter_odes(model, gradient_flow=True)
    rest = float(plateau(model.replace(preconditioner=0, weight_decay=0)).R)
    alike = np.full((modes, units, units), rest)
    start = InitialCondition(np.einsum("kin,kjn->kij", alike, alike), alike)
    # What rounding makes of them in this time is averaged away.
    end = SETTLED / rate
    settled = integrate(flow, start, end, at=[end]).r[0].mean(axis=(1, 2))
    r = settled[:, None, None] + STEP * (np.eye(units) - 1 / units)
    start = InitialCondition(np.einsum("kin,kjn->kij", r, r), r)
    times = np.linspace(0, LASTING / rate, 121)
    return integrate(flow, start, times[-1], at=times, rtol=1e-9)


def _growth(path: Trajectory) -> float:
    """Slope of log(R_11 - R_12) in the last third, when slow modes have come to rest."""
    split = np.log(path.R[:, 0, 0] - path.R[:, 0, 1])
    late = -len(split) // 3
    return float(np.polyfit(path.alpha[late:], split[late:], 1)[0])


def _escape(formula: sp.Eq, full: bool) -> Evidence:
    """Escape rates measured on trajectories of preconditioned students."""
    cases, numbers = [], []
    for units, modes in ((2, 8), *(((3, 4), (2, 32)) if full else ())):
        plain = _network(units, modes)
        unit = float(plateau(plain).escape_rate / plain.spectrum.moment(2))
        for power in ("1/4", "1/2", "1"):
            right = on_spectrum(formula.rhs.subs(theta, sp.Rational(power)), plain.spectrum)
            claimed = float(right.subs(gamma_1, unit))
            path = _left(plain.replace(preconditioner=power), claimed)
            rate = _growth(path)
            where = f"M = {units}, L = {modes}, θ = {power}"
            cases.append((where, claimed / rate - 1))
            share = rate / float(plateau(plain).escape_rate)
            numbers.append(Number(f"γ / γ of plain SGD, {where}", share, EXACT * share))
    verdict, condition = always(cases, EXACT)
    return Evidence(verdict, tuple(numbers), condition)


def _noise(formula: sp.Eq, full: bool) -> Evidence:
    """eps_g of linear students long after the signal is gone, eta falling as alpha^(-1/4)."""
    at = [100.0, 300.0, 1000.0, 3000.0, *([10_000.0] if full else [])]
    eta_of = decaying("1/10", 1, "1/4")
    model = _linear(1, 4).replace(eta=eta_of, label_noise="1/10")
    path = integrate(order_parameter_odes(model), UNLEARNED, at[-1], at=at)
    cases, numbers = [], []
    for time, found in zip(at, path.generalization_error, strict=True):
        now = float(eta_of.subs(alpha, time))
        claimed = float(formula.rhs.subs({sigma2: model.label_noise, eta: now}))
        cases.append((f"α = {time:g}", claimed / found - 1))
        numbers.append(Number(f"4 ε_g / (η σ²) at α = {time:g}", found / claimed, RUN))
    verdict, condition = in_the_limit(cases, LIMIT)
    return Evidence(verdict, tuple(numbers[::-1]), condition)


def _floor(formula: sp.Eq, full: bool) -> Evidence:
    """Slopes of eps_g at late times against the weight decay, d = lam_+ L^(-p/2)."""
    sizes = [64, 256, 1024, *([4096] if full else [])]
    labels, off, numbers = [f"L = {size}" for size in sizes], [], []
    for value in (1, 2):
        claimed = float(exponent(formula, decay).subs(beta, value))
        slopes = [_floor_slope(_linear(value, size)) for size in sizes]
        off.append([slope / claimed - 1 for slope in slopes])
        what = f"slope, {labels[-1]}, β = {value} (formula: {claimed:.4g})"
        numbers.append(Number(what, slopes[-1], SLOPE_ERROR))
    verdict, condition = in_the_limit(worst(labels, off), ROUGH)
    return Evidence(verdict, tuple(numbers), condition)


def _floor_slope(model: TeacherStudent) -> float:
    rates = eigenvalues_and_weights(model.spectrum)[0]
    middle, errors = float(np.sqrt(rates[0] * rates[-1])), []
    for factor in (0.99, 1.01):
        shrunk = model.replace(weight_decay=middle * factor)
        ode, end = order_parameter_odes(shrunk, gradient_flow=True), 20 / middle
        errors.append(integrate(ode, UNLEARNED, end, at=[end]).generalization_error[0])
    return float(np.diff(np.log(errors))[0] / np.log(1.01 / 0.99))


def _lost(formula: sp.Eq, full: bool) -> Evidence:
    """What the escape rate loses to smaller and smaller weight decays, per eta d."""
    shares = ["1/5", "1/20", "1/100"]
    labels, off, numbers = [f"d = {share} γ/η" for share in shares], [], []
    for units, modes in ((2, 8), *(((3, 4), (2, 4)) if full else ())):
        plain = _network(units, modes)
        rate = float(plateau(plain).escape_rate)
        moments = {T_2: plain.spectrum.moment(2), T_3: plain.spectrum.moment(3)}
        claimed = float((-formula.rhs / decay).subs({**moments, M: units}))
        found = []
        for share in shares:
            d = sp.Rational(share) * sp.Rational(rate) / plain.eta
            path = _left(plain.replace(weight_decay=d), rate)
            found.append((rate - _growth(path)) / float(plain.eta * d))
        off.append([claimed / value - 1 for value in found])
        where = f"M = {units}, L = {modes}, {labels[-1]} (formula: {claimed:.4g})"
        numbers.append(Number(f"loss of γ per ηd, {where}", found[-1], 1e-3))
    verdict, condition = in_the_limit(worst(labels, off), LIMIT)
    return Evidence(verdict, tuple(numbers), condition)


def _found(key: str, statement: str, formula: sp.Eq, judge: object) -> Claim:
    return Claim(key, "here", statement, formula, partial(judge, formula))


CLAIMS: tuple[Claim, ...] = (
    _found(
        "preconditioned_exponent",
        "Preconditioning with Σ^-θ raises the exponent of the decay, η → 0.",
        SLOPE,
        _slope,
    ),
    _found(
        "whitening",
        "Whitening (θ = 1) removes the power law: linear students learn exponentially.",
        WHITE,
        _white,
    ),
    _found(
        "preconditioned_plateau",
        "But it lengthens the plateau: the escape rate falls with θ to that of isotropic data.",
        ESCAPE,
        _escape,
    ),
    _found(
        "scheduled_noise",
        "Under a learning rate that falls slowly, label noise leaves an error that falls with it.",
        NOISE,
        _noise,
    ),
    _found(
        "decay_floor",
        "Weight decay d leaves linear students at a floor that is a power of d, η → 0.",
        FLOOR,
        _floor,
    ),
    _found(
        "decayed_plateau",
        "Weight decay slows the escape from the plateau, to first order by this (erf, K = M).",
        LOST,
        _lost,
    ),
)
