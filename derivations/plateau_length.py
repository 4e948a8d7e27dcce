"""How long the symmetric plateau lasts: from the asymmetry of the start to the noise of SGD.

The formulas printed are those of `theory.plateau_length` and `theory.plateau_correction`; they are
confronted with the full equations of any M in all modes (`derivations.plateau_numbers`).
"""

from __future__ import annotations

from typing import Any

import mpmath as mp
import sympy as sp

from theory.derivation import Derivation, Numeric, Step, Symbolic, equation
from theory.models import TeacherStudent
from theory.plateau import UNITS, plateau
from theory.plateau_correction import plateau_correction
from theory.plateau_length import S_0, length, relaxation_ratio
from theory.symbols import lam, w

from . import plateau_numbers as numbers
from .linear_student_modes import EIGENVALUES, WEIGHTS

__all__ = ["build"]

M = UNITS
alpha, eta, x, p, N = sp.symbols("alpha eta x p N", positive=True)
gamma, tau, T2, T3 = sp.symbols("gamma tau_esc T_2 T_3", positive=True)
eps_star, Q_star, R_star, sigma, s = sp.symbols("eps_star Q_star R_star sigma_J s", positive=True)
b, h, G, L_max = sp.symbols("b' h G L_max", positive=True)
Q_1, R_1, eps_1, gamma_2, kappa = sp.symbols("Q_1 R_1 eps_1 gamma_2 kappa", real=True)
S, rho, start, lam_k = sp.symbols("S rho_k rho_k^0 lambda_k", real=True)
rate = sp.Derivative(sp.Function("rho_k")(alpha), alpha)
rho_0 = sp.IndexedBase("rho^0", real=True)
k, L = sp.symbols("k L", integer=True, positive=True)

GROWTH = plateau(TeacherStudent(M, M, eta=eta)).escape_rate / eta
"""b', which `derivations.symmetric_plateau` derives."""
STARTS = tuple(sp.Rational(v) for v in ("1/2", "2/3", "-1/7"))


def _sizes(*values: int) -> list[dict[Any, Any]]:
    return [{M: value} for value in values]


def _total(values: Any) -> sp.Expr:
    return sp.Add(*(a * e * v for a, e, v in zip(WEIGHTS, EIGENVALUES, values, strict=True)))


def _growth_steps() -> list[Step]:
    path = rho_0[k] + lam[k] / T2 * (sp.exp(gamma * alpha) - 1) * S_0
    three: dict[Any, Any] = {
        S_0: sp.Sum(w[k] * lam[k] * rho_0[k], (k, 1, L)),
        T2: sp.Sum(w[k] * lam[k] ** 2, (k, 1, L)),
        L: sp.Integer(3),
    }
    return [
        Step(
            r"Let $r_k$ have a part that tells each student its own teacher, $\rho_k$ times "
            r"$(\delta_{in} - 1/M)/\sqrt{M-1}$, whose square sums to one. At the plateau it is not "
            r"damped and grows by what all modes have of it, $S = \sum_l w_l\lambda_l\rho_l$, at "
            r"$b' = \gamma/(\eta T_2)$ per $\eta\lambda_k$:",
            equation(rate, eta * lam_k * GROWTH * S),
            "Checked against the full equations, all overlaps of two modes, by differences.",
            Numeric(points=_split_points(), evaluate=_split_rate),
        ),
        Step(
            "Every mode is driven by the same $S$. What the start holds stays; what is added "
            r"points along $\rho_k \propto \lambda_k$, the direction of the escape.",
            equation(rho, start + lam_k / T2 * (sp.exp(gamma * alpha) - 1) * S_0),
            r"Checked against the exponential of the matrix $\gamma\lambda_k w_l\lambda_l/T_2$ of "
            "three modes.",
            Numeric(points=_path_points(), evaluate=_path),
        ),
        Step(
            "The sum over the modes is a pure exponential from the start on.",
            equation(sp.Sum(w[k] * lam[k] * path, (k, 1, L)), S_0 * sp.exp(gamma * alpha)),
            r"$S_0 = \sum_k w_k\lambda_k\rho^0_k$, $T_2 = \sum_k w_k\lambda_k^2$; for three modes.",
            Symbolic(three),
        ),
    ]


def _split_points() -> list[dict[Any, Any]]:
    rows = ((2, "1/2", 1), (3, "3/4", 2), (5, "1/4", 3))
    return [{M: m, eta: sp.Rational(1, m), lam_k: sp.Rational(e), S: v} for m, e, v in rows]


def _split_rate(point: dict[Any, Any]) -> mp.mpf:
    """The first of two modes, lambda_k and 2 - lambda_k; all of S is in the second."""
    second = 2 - point[lam_k]
    shares = mp.mpf(0), 2 * point[S] / second
    return point[eta] * numbers.specialising_rate(int(point[M]), second - 1, shares)


def _path_points() -> list[dict[Any, Any]]:
    known = {T2: _total(EIGENVALUES), S_0: _total(STARTS)}
    modes = zip(EIGENVALUES, STARTS, strict=True)
    return [
        {**known, gamma: sp.Rational(1, n), alpha: n + 1, lam_k: e, start: r}
        for n, (e, r) in enumerate(modes, 1)
    ]


def _path(point: dict[Any, Any]) -> mp.mpf:
    size = range(3)
    matrix = mp.matrix(3)
    for a in size:
        for c in size:
            entry = EIGENVALUES[a] * WEIGHTS[c] * EIGENVALUES[c] / _total(EIGENVALUES)
            matrix[a, c] = point[gamma] * point[alpha] * mp.mpf(entry.p) / entry.q
    found = mp.expm(matrix) * mp.matrix([mp.mpf(r.p) / r.q for r in STARTS])
    (mode,) = (
        a for a in size if abs(point[lam_k] - mp.mpf(EIGENVALUES[a].p) / EIGENVALUES[a].q) < 1e-9
    )
    return found[mode]


def _length_steps() -> list[Step]:
    leaving = tau * sp.log(sp.sqrt(2 * x * eps_star / b) / S_0)
    rms = (M - 1) * sigma * sp.sqrt(T2 / N)
    return [
        Step(
            r"$\varepsilon_g$ does not feel the split to first order, and to second order only "
            r"through $R$; its second derivative along $S$ is",
            equation(kappa, -GROWTH),
            r"$D^y = -\partial_R\,\varepsilon_g$, so that $\kappa = -b'$; checked by second "
            r"differences of the full $\varepsilon_g$.",
            Numeric(
                points=_sizes(2, 3, 7),
                evaluate=lambda pt: -numbers.feedback(int(pt[M])),
            ),
        ),
        Step(
            r"The plateau is left when $\varepsilon_g$ has fallen by a share $x$ of its value: "
            r"after $\tau_{esc}$ times a logarithm of the start.",
            equation(length, leaving),
            r"$x\,\varepsilon^* = \tfrac12 b' S_0^2\,e^{2\,\mathrm{length}/\tau_{esc}}$; checked "
            "by root finding.",
            Numeric(
                points=[
                    {
                        tau: n,
                        x: sp.Rational(1, 10),
                        eps_star: sp.Rational(1, n + 1),
                        b: n,
                        S_0: sp.Rational(1, 50 * n),
                    }
                    for n in (2, 3, 5)
                ],
                evaluate=_leaving,
            ),
        ),
        Step(
            r"Students drawn from $N(0, \sigma_J^2)$ in $N$ dimensions start with entries of "
            r"$r_k$ of variance $\sigma_J^2/n_k$. The root mean square of $S_0$ is then",
            equation(s, rms),
            r"$(M-1)^2$ entries remain of $R$ centred in rows and columns; checked by sums over "
            "two eigenvalues and all entries.",
            Numeric(points=_start_points(), evaluate=_root_mean_square),
        ),
        Step(
            "so that the length grows with the logarithms of $1/\\sigma_J$ and of $\\sqrt N$:",
            equation(
                tau * sp.log(1 / s), tau * sp.log(sp.sqrt(N) / ((M - 1) * sigma * sp.sqrt(T2)))
            ),
            "Insert. Draws differ by a time of order $\\tau_{esc}$.",
            Numeric({s: rms}, [{**point, tau: n} for n, point in enumerate(_start_points(), 1)]),
        ),
    ]


def _leaving(point: dict[Any, Any]) -> mp.mpf:
    def above(time: Any) -> Any:
        split = point[S_0] * mp.exp(time / point[tau])
        return point[b] * split**2 / 2 - point[x] * point[eps_star]

    return mp.findroot(above, (mp.mpf(0), 40 * point[tau]), solver="anderson", maxsteps=1000)


def _start_points() -> list[dict[Any, Any]]:
    rows = ((2, "5/4", 100), (3, "10/9", 64), (5, "17/16", 36))
    return [{M: m, T2: sp.Rational(t), N: n, sigma: sp.Rational(1, m)} for m, t, n in rows]


def _root_mean_square(point: dict[Any, Any]) -> mp.mpf:
    units, spread = int(point[M]), mp.sqrt(point[T2] - 1)
    half = mp.mpf(1) / 2
    variance = mp.fsum(
        (half * e) ** 2 * point[sigma] ** 2 / (half * point[N]) for e in (1 - spread, 1 + spread)
    )
    centring = mp.eye(units) - mp.ones(units) / units
    return mp.sqrt(variance) * mp.mnorm(centring, "f") ** 2


def _room_steps() -> list[Step]:
    bound = (relaxation_ratio(M) * sp.log(1 / S_0) * sp.zeta(p) / sp.zeta(2 * p)) ** (1 / p)
    return [
        Step(
            r"Meanwhile what is common to all students of a mode relaxes at the rate "
            r"$\eta\lambda_k h$, and $h$ is a whole number of times $b'$:",
            equation(h, relaxation_ratio(M) * b),
            r"$h$ is minus a row sum of $D^x$; checked with the full equations.",
            Numeric(
                {b: GROWTH}, _sizes(2, 3, 7), evaluate=lambda pt: numbers.relaxation(int(pt[M]))
            ),
        ),
        Step(
            r"The plateau is flat only if the slowest mode relaxes before the escape, "
            r"$\lambda_L h \log(1/S_0) > T_2 b'$. For $\lambda_k = \lambda_+ k^{-p}$ and many "
            "modes their number is then below",
            equation(L_max, bound),
            r"$\lambda_L = L^{1-p}/\zeta(p)$, $T_2 = L\,\zeta(2p)/\zeta(p)^2$; checked by "
            "root finding.",
            Numeric(
                points=[{M: m, p: m, S_0: sp.Rational(1, 10**m)} for m in (2, 3, 4)],
                evaluate=_largest_number,
            ),
        ),
    ]


def _largest_number(point: dict[Any, Any]) -> mp.mpf:
    power, units = point[p], int(point[M])
    norm, square = mp.zeta(power), mp.zeta(2 * power)
    ratio = numbers.relaxation(units) / numbers.feedback(units)

    def spare(log_modes: Any) -> Any:
        modes = mp.exp(log_modes)
        slowest, second = modes ** (1 - power) / norm, modes * square / norm**2
        return mp.log(ratio * mp.log(1 / point[S_0]) * slowest / second)

    return mp.exp(mp.findroot(spare, (mp.mpf(0), mp.mpf(10)), solver="anderson"))


def _noise_steps() -> list[Step]:
    found = plateau_correction(TeacherStudent(M, M, eta=eta))
    symbols = {G: found.noise, h: relaxation_ratio(M) * GROWTH}
    point = plateau(TeacherStudent(M, M))
    moved = {Q_star: point.Q, R_star: point.R}
    shown = ((Q_1, (M + 1) * Q_star * G / h), (R_1, 3 * R_star * G / (4 * h)))
    texts = (
        r"Gradient flow brings the overlaps back at the rate $h$; noise pushes $Q$ away. To first "
        r"order in $\eta$ the plateau is at $Q^* + \eta Q_1$, whatever the spectrum,",
        r"and at $R^* + \eta R_1$:",
    )
    shifts = [
        Step(
            text,
            equation(name, formula),
            "Checked against the full equations at rest, by differences in $\\eta$.",
            Numeric(
                {**symbols, **moved},
                _sizes(2, 3, 4),
                evaluate=lambda pt, n=n: numbers.slope_at_zero(
                    lambda e: numbers.resting(int(pt[M]), e)[n]
                ),
            ),
        )
        for n, (text, (name, formula)) in enumerate(zip(texts, shown, strict=True))
    ]
    damping = -3 * T2 * b * G / (2 * (2 * M + 1) * h) + T3 * G / (2 * T2)
    return [
        Step(
            r"At finite $\eta$, students that have collapsed onto one vector are kicked alike: "
            r"$G_{ij} = G$ for all $i, j$. Noise splits them only in proportion to their "
            "distance, and does not limit the logarithm.",
            equation(G, found.noise),
            r"$G = E[\delta_i\delta_j]$ at the plateau; checked against every entry of the full "
            "equations.",
            Numeric(points=_sizes(2, 3, 7), evaluate=lambda pt: numbers.noise(int(pt[M]))),
        ),
        *shifts,
        Step(
            r"The generalisation error of the plateau rises by $\eta\varepsilon_1$.",
            equation(eps_1, M * G / 4),
            "Insert; checked with the full $\\varepsilon_g$ of the overlaps at rest.",
            Numeric(
                symbols,
                _sizes(2, 3, 4),
                evaluate=lambda pt: numbers.slope_at_zero(
                    lambda e: numbers.error(int(pt[M]), *numbers.resting(int(pt[M]), e))
                ),
            ),
        ),
        Step(
            r"The damping of the split no longer vanishes, $A - a = \eta G/2$, so that "
            r"structured data feel a third moment: $\gamma = \eta T_2 b' + \eta^2\gamma_2$ with",
            equation(gamma_2, damping),
            r"$1 = \eta b'\sum_k w_k\lambda_k^2/(\gamma - \eta\lambda_k(A - a))$, expanded; "
            "checked by differences of its root.",
            Numeric({**symbols, b: GROWTH}, _spectra(), evaluate=_second_order),
        ),
    ]


def _spectra() -> list[dict[Any, Any]]:
    """Eigenvalues 1 - d and 1 + d alike often: T_2 = 1 + d^2, T_3 = 1 + 3 d^2."""
    rows = ((2, "1/2"), (3, "1/3"), (4, "3/4"))
    squares = [(units, sp.Rational(d) ** 2) for units, d in rows]
    return [{M: units, T2: 1 + d, T3: 1 + 3 * d} for units, d in squares]


def _second_order(point: dict[Any, Any]) -> mp.mpf:
    distance = mp.sqrt(point[T2] - 1)
    return numbers.slope_at_zero(lambda e: numbers.escape_rate_per_eta(int(point[M]), distance, e))


def build() -> Derivation:
    """Derivation of the plateau's length and of its first correction in eta (SS95, BS95, WR24)."""
    return Derivation(
        name="plateau_length",
        title="How long the symmetric plateau lasts",
        summary=r"Students leave the plateau along one direction, in which what distinguished "
        r"them at the start grows exponentially: the length is $\tau_{esc}$ times a logarithm of "
        "the start. Slow modes that have not relaxed by then leave no plateau. Noise of SGD moves "
        r"the plateau, and its rate feels a third moment of the spectrum.",
        steps=(*_growth_steps(), *_length_steps(), *_room_steps(), *_noise_steps()),
        sources=("SS95", "BS95", "WR24"),
        notation=(
            (S, r"the split $\sum_k w_k\lambda_k\rho_k$; $S_0$ at $\alpha = 0$"),
            (T2, r"second moment of the spectrum, $\sum_k w_k\lambda_k^2$; $T_3$ the third"),
            (b, r"$\gamma/(\eta T_2)$, the feedback of $R_{in}$ on its own drift"),
            (h, r"rate, per $\eta\lambda_k$, at which collapsed students relax"),
            (eps_star, r"generalisation error of the plateau; $Q^*$, $R^*$ its overlaps"),
            (G, "noise of SGD on collapsed students"),
        ),
    )
