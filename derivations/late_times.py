"""Late times of a specialised student: two rates, the power law with its prefactor, noise of SGD.

The formulas printed are those of `theory.perfect_student` and `theory.late_times`; thresholds and
noise are confronted with eigenvalues and averages that are computed from the activation alone.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any

import mpmath as mp
import sympy as sp

from theory.derivation import Derivation, Expectation, Numeric, Step, Symbolic, equation
from theory.models import TeacherStudent
from theory.online import order_parameter_odes
from theory.perfect_student import DEVIATIONS, PerfectStudent, perfect_student
from theory.symbols import alpha, lam, w

__all__ = ["build"]

M = sp.Symbol("M", integer=True, positive=True)
A_u, A_v, V_u, V_v = DEVIATIONS
eps, eta, noise = sp.symbols("epsilon_g eta sigma^2", positive=True)
h, h_u, h_v, d_u, d_v, x, z = sp.symbols("h h_u h_v d_u d_v x z", positive=True)
beta, p, s, L, t, V = sp.symbols("beta p s L t V", positive=True)
g_uu, g_uv, g_vv, eta_1, eta_2 = sp.symbols("g_uu g_uv g_vv eta_1 eta_2", positive=True)
k = sp.Symbol("k", positive=True)
y = sp.Symbol("y", real=True)
SLOPE = sp.sqrt(2 / sp.pi) * sp.exp(-(y**2) / 2)


@lru_cache(maxsize=1)
def _point() -> PerfectStudent:
    return perfect_student(TeacherStudent(M, M, eta=eta, label_noise=noise))


def _average() -> sp.Lambda:
    u = sp.Dummy("u")
    density = sp.exp(-(y**2) / 2) / sp.sqrt(2 * sp.pi)
    return sp.Lambda(u, sp.Integral(u * density, (y, -sp.oo, sp.oo)))


def _sizes(*values: int) -> list[dict[Any, Any]]:
    return [{M: value} for value in values]


def _error_steps() -> list[Step]:
    point = _point()
    slopes = [sp.Derivative(point.error, V) for V in (V_u, V_v)]
    at_rest = [{**size, **dict.fromkeys(DEVIATIONS, 0)} for size in _sizes(2, 3, 7)]
    h_common, h_apart = point.rates
    return [
        Step(
            r"Let every student be near its teacher. Overlaps $A$ of $J - B$ with $B$ and $V$ of "
            r"$J - B$ with itself have two components: $u$, common to all units, and $v$, which "
            "tells them apart. The generalisation error is then",
            equation(eps, point.error),
            r"Insert $Q = 1 + A + A^T + V$, $R = 1 + A$ into $\varepsilon_g(Q, R)$ and count equal "
            "pairs. Checked against the full expression for $M = 3$.",
            Numeric({eps: _full_error(), M: sp.Integer(3)}, _deviations()),
        ),
        Step(
            "It is stationary in $A$; in $V$ its slopes are half the rates at which deviations "
            "relax, once for $u$ and $M - 1$ times for $v$.",
            (equation(h_u, h_common), equation(h_v, h_apart)),
            r"$h_u = 2\,\partial\varepsilon_g/\partial V_u$, "
            r"$h_v = \tfrac{2}{M-1}\,\partial\varepsilon_g/\partial V_v$ at $A = V = 0$.",
            Numeric({h_u: 2 * slopes[0], h_v: 2 * slopes[1] / (M - 1)}, at_rest),
        ),
        Step(
            "These are the eigenvalues of the Hessian $h_{ij} = E[g'(y_i)\\,g'(y_j)]/M$:",
            (
                equation(h_u, (Expectation(SLOPE**2) + (M - 1) * Expectation(SLOPE) ** 2) / M),
                equation(h_v, (Expectation(SLOPE**2) - Expectation(SLOPE) ** 2) / M),
            ),
            r"$g'(y) = \sqrt{2/\pi}\,e^{-y^2/2}$; teachers are independent.",
            Numeric({h_u: h_common, h_v: h_apart, Expectation: _average()}, _sizes(2, 3, 7)),
        ),
    ]


def _full_error() -> sp.Expr:
    """eps_g of the explicit equations at M = 3 in the components."""
    ode = order_parameter_odes(TeacherStudent(3, 3), gradient_flow=True)
    values = {}
    for i, j in product(range(3), repeat=2):
        one = sp.Integer(i == j)
        a, v = ((c * one + (b - c) / 3) for b, c in ((A_u, A_v), (V_u, V_v)))
        values |= {ode.Q[i, j]: one + 2 * a + v, ode.R[i, j]: one + a, ode.T[i, j]: one}
    return ode.generalization_error.xreplace(values)


def _deviations() -> list[dict[Any, Any]]:
    rows = ((1, -2, 3, 2), (-3, 1, 2, 5), (2, 2, 4, 1))
    return [{c: sp.Rational(n, 50) for c, n in zip(DEVIATIONS, row, strict=True)} for row in rows]


def _window_steps() -> list[Step]:
    d = sp.Function("d")
    summand = k**-p * sp.exp(-x * k**-p)
    powers = {s: (p - 1) / p}
    points = [{p: a, x: b} for a, b in ((2, 1), (3, sp.Rational(1, 2)), (4, 2))]
    relaxed = [sp.gamma(s) / (p * sp.zeta(p)) * (2 * rate * z) ** -s for rate in (h_u, h_v)]
    law = h_u * d_u * relaxed[0] / 2 + (M - 1) * h_v * d_v * relaxed[1] / 2
    direct = [
        sp.Integral(summand.xreplace({x: 2 * rate * z}), (k, 0, sp.oo)) for rate in (h_u, h_v)
    ]
    return [
        Step(
            r"For $\eta \to 0$ the components of $d_k$ relax by themselves: what they feel of the "
            r"other modes is of second order, since $A$ and $V$ are small. With "
            r"$\lambda = \lambda_k$ and $h = h_u$ or $h_v$",
            equation(sp.Derivative(d(alpha), alpha), -2 * eta * lam[k] * h * d(alpha)),
            r"Solved by $d(0)\,e^{-2\eta\lambda_k h\alpha}$.",
            Symbolic({d(alpha): d(0) * sp.exp(-2 * eta * lam[k] * h * alpha)}),
        ),
        Step(
            r"For $\lambda_k = \lambda_+ k^{-p}$, $p = 1 + \beta$, and many modes the sum over $k$ "
            r"is an integral, with $s = \beta/(1 + \beta)$:",
            equation(sp.Integral(summand, (k, 0, sp.oo)), sp.gamma(s) * x**-s / p),
            r"Substitute $k = (x/u)^{1/p}$.",
            Numeric(powers, points),
        ),
        Step(
            "A last eigenvalue ends it:",
            equation(
                sp.Integral(summand, (k, 1, L)),
                x**-s / p * (sp.uppergamma(s, x * L**-p) - sp.uppergamma(s, x)),
            ),
            "The same substitution.",
            Numeric(powers, [{**point, L: n} for n, point in enumerate(points, 3)]),
        ),
        Step(
            r"The generalisation error therefore decays, with $z = \eta\lambda_+\alpha$, as",
            equation(eps, law),
            r"$\varepsilon_g = \tfrac12 \sum_k w_k\lambda_k\,(h_u d_{u,k} + (M-1) h_v d_{v,k})$, "
            r"$w_k\lambda_k = k^{-p}/\zeta(p)$; the exponent is WR24's.",
            Numeric(
                {
                    eps: (h_u * d_u * direct[0] + (M - 1) * h_v * d_v * direct[1])
                    / (2 * sp.zeta(p)),
                    **powers,
                },
                [
                    {p: n, M: n, h_u: n, h_v: sp.Rational(1, n), d_u: 2, d_v: 3, z: 1}
                    for n in (2, 3, 4)
                ],
            ),
        ),
        Step(
            r"The next term, $\propto z^{-2s}$, contains what the pull $E \propto \alpha^{-s}$ of "
            "the fast modes has done to the slow ones since the start:",
            equation(
                sp.Integral(t**-s * (2 - t) ** (-s - 1), (t, 0, 1)),
                2 ** (-2 * s) * sp.hyper([1 - 2 * s, 1 - s], [2 - s], -1) / (1 - s),
            ),
            r"Substitute $t = 2u/(1 + u)$; Euler's integral.",
            Numeric(points=[{s: sp.Rational(1, n)} for n in (4, 5, 6)]),
        ),
    ]


def _noise_steps() -> list[Step]:
    kick = _point().kick
    directions = (sp.Integer(1), sp.Integer(0)), (sp.Integer(0), sp.Integer(1))
    entries = ((g_uu, 0, 0), (g_uv, 0, 1), (g_vv, 1, 1))
    text = (
        r"At finite $\eta$ noise of SGD feeds on $V$: $\eta^2\lambda_k\,gV$, "
        r"$(gV)_{ij} = M^{-2}\sum_{mn} E[g'_i g'_j g'_m g'_n]V_{mn}$. Its component $u$ for a "
        "common $V$ is",
        "for a $V$ that tells units apart,",
        "and the component $v$ for such a $V$ is",
    )
    return [
        Step(
            words,
            equation(name, kick[row, column]),
            r"$E[g'^n] = (2/\pi)^{n/2}(1+n)^{-1/2}$ and independent teachers; checked by the sum "
            "over all units with averages by quadrature.",
            Numeric(
                points=_sizes(2, 3, 4),
                evaluate=lambda pt, row=row, V=directions[column]: _kicked(int(pt[M]), V)[row],
            ),
        )
        for words, (name, row, column) in zip(text, entries, strict=True)
    ]


def _moments() -> list[mp.mpf]:
    """E[g'^n], n = 0..4, by quadrature."""

    def moment(n: int) -> mp.mpf:
        width = mp.mpf(n + 1)
        weight = (2 / mp.pi) ** (mp.mpf(n) / 2) / mp.sqrt(2 * mp.pi)
        return weight * mp.quad(lambda u: mp.exp(-width * u**2 / 2), [-mp.inf, 0, mp.inf])

    return [moment(n) for n in range(5)]


def _kicked(units: int, V: tuple[sp.Expr, sp.Expr]) -> tuple[mp.mpf, mp.mpf]:
    """Components of g V by the sum over all units."""
    matrix = _kick_matrix(units, _moments())
    diagonal, off = (V[0] + (units - 1) * V[1]) / mp.mpf(units), (V[0] - V[1]) / mp.mpf(units)
    flat = mp.matrix([diagonal if i == j else off for i, j in product(range(units), repeat=2)])
    image = matrix * flat
    total = mp.fsum(image) / units
    trace = mp.fsum(image[i * (units + 1)] for i in range(units))
    return total, (trace - total) / (units - 1)


def _kick_matrix(units: int, moments: list[mp.mpf]) -> mp.matrix:
    """M^-2 E[g'_i g'_j g'_m g'_n] as a matrix from (m, n) to (i, j)."""
    pairs = list(product(range(units), repeat=2))
    matrix = mp.matrix(units**2)
    for (row, (i, j)), (column, (m, n)) in product(enumerate(pairs), repeat=2):
        counts = [(i, j, m, n).count(unit) for unit in range(units)]
        matrix[row, column] = mp.fprod(moments[c] for c in counts) / mp.mpf(units) ** 2
    return matrix


def _threshold(units: int) -> mp.mpf:
    """1/rho of g divided by h x + x h, over all matrices x."""
    moments = _moments()
    kick = _kick_matrix(units, moments)
    hessian = [
        [(moments[2] if i == j else moments[1] ** 2) / units for j in range(units)]
        for i in range(units)
    ]
    damping = mp.matrix(units**2)
    pairs = list(product(range(units), repeat=2))
    for (row, (i, j)), (column, (m, n)) in product(enumerate(pairs), repeat=2):
        damping[row, column] = hessian[i][m] * (j == n) + hessian[j][n] * (i == m)
    if units == 1:
        return damping[0, 0] / kick[0, 0]
    values = mp.eig(damping**-1 * kick, right=False)
    return 1 / max(mp.re(value) for value in values)


def _threshold_steps() -> list[Step]:
    three = {L: sp.Integer(3), w[3]: (1 - w[1] * lam[1] - w[2] * lam[2]) / lam[3]}
    index = sp.Symbol("k", integer=True, positive=True)
    share = w[index] * lam[index] * (eta**2 * lam[index]) / (2 * eta * lam[index] * h)
    one, two = (perfect_student(TeacherStudent(n, n, eta=eta, label_noise=noise)) for n in (1, 2))
    (rate,), kick = one.rates, one.kick[0, 0]
    return [
        Step(
            r"Where a deviation neither grows nor decays, every mode returns to $V$ what it takes, "
            r"and the spectrum drops out since $\sum_k w_k\lambda_k = 1$:",
            equation(sp.Sum(share, (index, 1, L)), eta / (2 * h)),
            r"$0 = -2\eta\lambda_k h d_k + \eta^2\lambda_k\,gV$, $V = \sum_k w_k\lambda_k d_k$. "
            "Checked for three modes.",
            Symbolic(three),
        ),
        Step(
            r"So $\eta_{max}$ is $1/\rho(P)$, $P_{ce} = g_{ce}/(2h_c)$, for every spectrum. For "
            "$M = 1$",
            equation(eta_1, one.critical_learning_rate),
            r"$2h/g$; checked with averages by quadrature. BS95 found it for isotropic data.",
            Numeric(points=[{}], evaluate=lambda _: _threshold(1)),
        ),
        Step(
            "and for $M = 2$",
            equation(eta_2, two.critical_learning_rate),
            "The larger eigenvalue of $P$; checked against all matrices, not only those alike in "
            "all units.",
            Numeric(points=[{}], evaluate=lambda _: _threshold(2)),
        ),
        Step(
            r"Label noise of variance $\sigma^2$ adds $\eta^2\lambda_k\sigma^2 h$ and leaves, for "
            "$M = 1$ and to first order in it,",
            equation(eps, one.noise_floor),
            r"$\varepsilon_g = hV/2$ with $0 = -2hV + \eta(gV + \sigma^2 h)$.",
            Symbolic({eps: rate * V / 2, V: eta * noise * rate / (2 * rate - eta * kick)}),
        ),
    ]


def build() -> Derivation:
    """Derivation of the late-time law, eta_max and the noise floor (WR24, SS95, BS95)."""
    return Derivation(
        name="late_times",
        title="Late times of a student that has specialised",
        summary=r"Near the perfect student a deviation has two rates. Modes that have not moved "
        r"are few in $Q$ and $R$, so that they relax by themselves and $\varepsilon_g$ follows "
        r"$\alpha^{-\beta/(1+\beta)}$ with a prefactor in closed form. Neither the critical "
        "learning rate nor the noise floor depends on the spectrum.",
        steps=(*_error_steps(), *_window_steps(), *_noise_steps(), *_threshold_steps()),
        sources=("WR24", "SS95", "BS95"),
        notation=(
            (h_u, "rate of a deviation common to all units; $h_v$ of one that tells them apart"),
            (d_u, "components of the overlaps of $J - B$ with itself at $\\alpha = 0$, also $d_v$"),
            (g_uu, "noise of SGD on $V$, also $g_{uv}$ and $g_{vv}$"),
            (eta_1, r"$\eta_{max}$ for $M = 1$; $\eta_2$ for $M = 2$"),
        ),
    )
