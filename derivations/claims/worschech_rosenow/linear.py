"""Linear activation, K = M = 1: the exact solution and the decay with time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp
from scipy.optimize import brentq

from numerics import InitialCondition, integrate
from numerics.measure import eigenvalues_and_weights
from numerics.storage import Array
from theory import (
    Discrete,
    PowerLaw,
    Spectrum,
    TeacherStudent,
    linear_solution,
    order_parameter_odes,
)
from theory.asymptotics import Harmonic
from theory.evaluation import numerical
from theory.symbols import alpha, k, lam, w

from ..claim import Claim, Evidence, Number
from ..criteria import always, in_the_limit, shared, worst
from ..formulas import against, exponent
from .common import BETAS, LIMIT, L, beta, entry, eps, eta, judge_powers, local_slopes, on_spectrum

__all__ = ["CLAIMS"]

ALGEBRA = 1e-9
"""Relative, of what follows from eigenvalues of small matrices in double precision."""
RUN = 1e-7
"""Relative, of eps_g in double precision: ten times the tolerance of a run."""
SLOPE_ERROR = 1e-6
"""Of a local slope: the tolerance of a run over a distance 0.02 in log alpha."""
LATE = 1e-3
"""Relative, of what still falls as x^-s at x = 1e8."""

SMALL = "1/1000"
UNLEARNED = InitialCondition(q=[[[0]]], r=[[[0]]])
"""A student at zero, eps_g(0) = 1/2, in every eigenspace."""

SPECTRA: tuple[tuple[str, Spectrum], ...] = (
    ("β = 1, L = 4", PowerLaw(1, 4)),
    ("β = 1/4, L = 8", PowerLaw("1/4", 8)),
    ("λ ∝ 1, 3, 50", Discrete([1, 3, 50], weights=[3, 2, 1])),
)

Evaluator = Callable[[dict[Any, Any]], Any]

mu, x, eta_c, slow, constant = sp.symbols("mu x eta_c epsilon_flow c", positive=True)
p, s = 1 + beta, beta / (1 + beta)

SECULAR = sp.Eq(
    1,
    eta**2 * sp.Sum(w[k] * lam[k] ** 2 / (mu + 2 * eta * lam[k]), (k, 1, L)),
    evaluate=False,
)
CRITICAL = sp.Eq(eta_c, 2 / sp.Sum(w[k] * lam[k], (k, 1, L)), evaluate=False)
TIME = sp.Eq(eps, constant * alpha**-s, evaluate=False)
FINITE = sp.Eq(
    eps,
    x**-s * (sp.uppergamma(s, x * L**-p) - sp.uppergamma(s, x)) / (2 * p * Harmonic(L, p)),
    evaluate=False,
)
NOISE = sp.Eq(eps, slow / (1 - eta / 2), evaluate=False)


def _linear(spectrum: Spectrum, learning_rate: object = SMALL) -> TeacherStudent:
    return TeacherStudent(1, 1, "linear", spectrum, eta=learning_rate)


def _rates(spectrum: Spectrum, learning_rate: float) -> Array:
    """Eigenvalues of the equations de_k = -2 eta lam_k e_k + eta^2 lam_k sum_l w_l lam_l e_l."""
    values, weights = eigenvalues_and_weights(spectrum)
    matrix = learning_rate**2 * np.outer(values, weights * values)
    return np.sort(np.linalg.eigvals(matrix - 2 * learning_rate * np.diag(values)).real)


def _secular(formula: sp.Eq, full: bool) -> Evidence:
    """The right side at the eigenvalues of the matrix of the equations."""
    cases = []
    for name, spectrum in SPECTRA:
        right = on_spectrum(formula.rhs, spectrum)
        for step in ("1/10", "1", "19/10"):
            given = float(sp.Rational(step))
            found = [right.subs({mu: r, eta: given}) - 1 for r in _rates(spectrum, given)]
            cases.append((f"{name}, η = {step}", max(map(float, found), key=abs)))
    digits = _digits_agreed(SPECTRA[0][1])
    cases.append(("the integrated equations", 10.0**-digits))
    verdict, condition = always(cases, ALGEBRA)
    largest = max(abs(off) for _, off in cases)
    numbers = (
        Number("digits shared by the solution and the integrated equations, L = 4", digits, 0.1),
        Number(f"right side − 1 at eigenvalues, largest of {len(cases) - 1}", largest, ALGEBRA),
    )
    return Evidence(verdict, numbers, condition)


def _digits_agreed(spectrum: Spectrum) -> float:
    """Of eps_g at three times, 20 digits asked for."""
    model, modes, digits, at = _linear(spectrum, "1"), int(spectrum.L), 20, [1, 5]
    exact = linear_solution(model).start([[[0]]] * modes, [[[0]]] * modes, digits=digits)
    start = UNLEARNED.expanded(modes)
    path = integrate(order_parameter_odes(model), start, at[-1], digits=digits, at=at)
    with mp.workdps(digits):
        values = zip(at, path.generalization_error, strict=True)
        off = max(abs(found / exact.generalization_error(time) - 1) for time, found in values)
        return float(-mp.log10(max(off, mp.mpf(10) ** -digits)))


def _critical(formula: sp.Eq, full: bool) -> Evidence:
    """Where the largest eigenvalue of the equations changes sign."""
    cases, numbers = [], []
    for name, spectrum in SPECTRA:
        claimed = float(on_spectrum(formula.rhs, spectrum))
        found = brentq(lambda step, of=spectrum: _rates(of, step)[-1], 0.5, 8, xtol=1e-13)
        cases.append((name, claimed / found - 1))
        numbers.append(Number(f"η_c, {name}", found, 2 * ALGEBRA))
    verdict, condition = always(cases, ALGEBRA)
    return Evidence(verdict, tuple(numbers), condition)


def _time(formula: sp.Eq, full: bool) -> Evidence:
    """Local slopes of the integrated equations for L = oo, time in units of 1/(eta lam_+)."""
    times = [5.0, 50.0, 500.0, 5e3, *([5e5, 5e7] if full else [])]
    labels = [f"2ηλ₊α = {2 * time:g}" for time in times]
    found = []
    for value in BETAS:
        slopes = local_slopes(_linear(PowerLaw(value, "oo")), UNLEARNED, times, True)
        found.append(("slope, L = ∞,", value, slopes, SLOPE_ERROR))
    return judge_powers(formula, alpha, labels, found)


def _window(formula: sp.Eq, full: bool) -> Evidence:
    """Slopes in the middle of the window, x = L^(p/2), of the form that `_finite_size` judges."""
    slope = numerical(x * FINITE.rhs.diff(x) / FINITE.rhs)
    sizes = [6, 12, 18, 24, 30, 40, 60, *([100] if full else [])]
    found, numbers = [], []
    for value in BETAS:
        claimed = float(exponent(formula, alpha).subs(beta, value))
        slopes = [_middle(slope, value, 2**size) for size in sizes]
        cases = [(f"L = 2^{n}", float(v) / claimed - 1) for n, v in zip(sizes, slopes, strict=True)]
        found.append((f"β = {value}", in_the_limit(cases, LIMIT)))
        what = f"slope in the middle of the window, L = 4096, β = {value} {against(claimed)}"
        numbers.append(Number(what, slopes[sizes.index(12)], SLOPE_ERROR))
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _middle(slope: Evaluator, value: sp.Rational, size: int) -> float:
    with mp.workdps(40):
        power = mp.mpf(value.p) / value.q
        number = mp.mpf(size)
        return float(slope({L: number, beta: power, x: number ** ((1 + power) / 2)}))


def _finite_size(formula: sp.Eq, full: bool) -> Evidence:
    """The integrated equations from the first tenth of the window to its end."""
    sizes = [16, 64, 256, 1024, *([4096] if full else [])]
    labels, off, numbers = [f"L = {size}" for size in sizes], [], []
    for value in BETAS:
        found = [_from_formula(formula, value, size) for size in sizes]
        off.append(found)
        what = f"largest error of the formula, {labels[-1]}, β = {value}"
        numbers.append(Number(what, found[-1], RUN))
    verdict, condition = in_the_limit(worst(labels, off), LIMIT)
    return Evidence(verdict, tuple(numbers), condition)


def _from_formula(formula: sp.Eq, value: sp.Rational, size: int) -> float:
    """Largest relative difference for x from L^(p/3) to L^p."""
    model = _linear(PowerLaw(value, size))
    points = np.geomspace(size ** (float(1 + value) / 3), size ** float(1 + value), 7)
    times = points / (2e-3 * float(eigenvalues_and_weights(model.spectrum)[0][0]))
    ode = order_parameter_odes(model, gradient_flow=True)
    path = integrate(ode, UNLEARNED, times[-1], at=times)
    law = numerical(formula.rhs)
    given = {L: mp.mpf(size), beta: mp.mpf(value.p) / value.q}
    claimed = np.array([float(law({**given, x: mp.mpf(float(point))})) for point in points])
    return float(max(claimed / path.generalization_error - 1, key=abs))


def _noise(formula: sp.Eq, full: bool) -> Evidence:
    """Late errors and slopes at finite eta for L = oo, beta = 1."""
    model, at = _linear(PowerLaw(1, "oo")), [1e8]
    reference = _late_error(model, at, gradient_flow=True)
    power = float(exponent(TIME, alpha).subs(beta, 1))
    cases, numbers = [], []
    for step in ("1/10", "1/2", "1", *(("3/2",) if full else ())):
        noisy = model.replace(eta=step)
        found = _late_error(noisy, at, gradient_flow=False) / reference
        slope = local_slopes(noisy, UNLEARNED, at, gradient_flow=False)[0]
        claimed = float(formula.rhs.subs({slow: 1, eta: noisy.eta}))
        cases += [(f"η = {step}", claimed / found - 1), (f"η = {step}", slope / power - 1)]
        what = f"ε_g(η) / ε_g(η → 0) at η = {step} {against(claimed)}"
        numbers.append(Number(what, found, LATE * found))
        numbers.append(Number(f"slope at η = {step} {against(power)}", slope, LATE))
    verdict, condition = always(cases, LATE)
    return Evidence(verdict, tuple(numbers), condition)


def _late_error(model: TeacherStudent, at: Sequence[float], gradient_flow: bool) -> float:
    ode = order_parameter_odes(model, gradient_flow)
    return float(integrate(ode, UNLEARNED, at[-1], at=at).generalization_error[0])


CLAIMS: tuple[Claim, ...] = (
    entry(
        "linear_solution",
        "Linear units: the error is a sum of exponentials, its rates −μ solve a secular equation.",
        SECULAR,
        _secular,
    ),
    entry(
        "critical_learning_rate",
        "Linear units: SGD diverges above a critical learning rate η_c.",
        CRITICAL,
        _critical,
    ),
    entry(
        "linear_time_exponent",
        "Linear units, η → 0, λ_k ∝ k^-(1+β): the error falls with time as α^(-β/(1+β)).",
        TIME,
        _time,
    ),
    entry(
        "linear_window",
        "Linear units, L eigenvalues: that power law fills the window 1 ≪ x = 2ηλ₊α ≪ L^(1+β).",
        TIME,
        _window,
    ),
    entry(
        "linear_finite_size",
        "Linear units, L eigenvalues: the error is a difference of incomplete gamma functions.",
        FINITE,
        _finite_size,
    ),
    entry(
        "linear_finite_rate",
        "Linear units at any η < η_c: noise of SGD multiplies the error and leaves the exponent.",
        NOISE,
        _noise,
    ),
)
