"""What helps against power laws and plateaus: preconditioner, schedule, weight decay, both layers.

The formulas are those of `theory.preconditioning`, `theory.preconditioned_laws`,
`theory.schedules`, `theory.weight_decay` and `theory.second_layer`.
"""

from __future__ import annotations

import sympy as sp

from theory.derivation import Derivation, Numeric, Step, Symbolic, equation
from theory.models import TeacherStudent
from theory.second_layer import second_layer
from theory.symbols import alpha, lam, w

from .what_helps_decay import NOTATION, decay_steps

__all__ = ["build"]

L = sp.Symbol("L", integer=True, positive=True)
index = sp.Symbol("k", integer=True, positive=True)
theta, m, eta, eps, noise, T = sp.symbols("theta m eta epsilon_g sigma^2 T", positive=True)
k, x, y, s, a, p, q, beta = sp.symbols("k x y s a p q beta", positive=True)
tau, eta_0, eta_v, e = sp.symbols("tau eta_0 eta_v e_k", positive=True)
old, new, T_theta = sp.symbols("c_k c'_k T_theta", positive=True)
rate, rest = sp.symbols("lambda_k lambda'_k", positive=True)
v_1 = sp.Symbol("v_1", real=True)


def _preconditioner_steps() -> list[Step]:
    gain = rate**-theta / m
    primed = {new: m * rate**theta * old, rest: rate ** (1 - theta) / m}
    weights = lam[index] ** (1 - theta) / m, m * lam[index] ** theta
    three = {
        L: sp.Integer(3),
        m: sp.Sum(w[index] * lam[index] ** (1 - theta), (index, 1, 3)),
    }
    return [
        Step(
            r"A step multiplied by $P = \Sigma^{-\theta}/m$, $m = \sum_k w_k\lambda_k^{1-\theta}$, "
            r"moves the overlaps $c_k$ by $p_k\lambda_k D c_k$, $p_k = \lambda_k^{-\theta}/m$. For "
            r"$c'_k = m\lambda_k^\theta c_k$ and $\lambda'_k = \lambda_k^{1-\theta}/m$ this is",
            equation(m * rate**theta * (gain * rate * old), rest * new),
            "Insert both definitions: the drift of plain SGD.",
            Symbolic(primed),
        ),
        Step(
            r"Noise of SGD kicks $q_k$ by $\eta^2|P_kP\xi|^2/n_k \to \eta^2p_k^2\lambda_k$, and "
            r"thus $q'_k$ by",
            equation(m * rate**theta * (eta**2 * gain**2 * rate), eta**2 * rest),
            "The same: the noise of plain SGD, at the same learning rate.",
            Symbolic(primed),
        ),
        Step(
            r"$Q$ and $R$ do not change, so that $D$, $G$ and $\varepsilon_g$ do not either:",
            equation(rest * new, rate * old),
            r"$Q = \sum_k w_k\lambda_k q_k = \sum_k w_k\lambda'_k q'_k$. Preconditioned SGD "
            r"\emph{is} plain SGD on data of covariance $\Sigma^{1-\theta}/m$.",
            Symbolic(primed),
        ),
        Step(
            r"Modes weighted by $k^{-p}$, $p = 1 + \beta$, now relax at rates "
            r"$\propto k^{-a}$, $a = p(1 - \theta)$:",
            equation(
                sp.Integral(k**-p * sp.exp(-x * k**-a), (k, 0, sp.oo)),
                sp.gamma((p - 1) / a) * x ** -((p - 1) / a) / a,
            ),
            r"Substitute $u = xk^{-a}$. So "
            r"$\varepsilon_g \sim \alpha^{-\beta/((1+\beta)(1-\theta))}$; for $\theta = 1$ all "
            "modes relax alike, exponentially.",
            Numeric(points=[{p: 2, a: 1, x: 1}, {p: 3, a: 2, x: 2}, {p: 2, a: 2, x: 3}]),
        ),
        Step(
            r"For $a < 1$, that is $\theta > \beta/(1+\beta)$, the slowest rate stays finite as "
            r"$L \to \infty$, $\lambda'_L = L^{1-a}/\sum_k k^{-a} \to 1 - a$, since",
            equation(sp.Integral(y**-a, (y, 0, 1)), 1 / (1 - a)),
            r"$L^{-1}\sum_k (k/L)^{-a}$ is its Riemann sum: the power law ends at "
            r"$\eta\alpha \sim 1$, whatever $L$ is.",
            Symbolic({a: 1 - q}),
        ),
        Step(
            r"Students that have all collapsed leave the plateau at a rate $\propto \sum_k "
            r"w_k\lambda'^2_kt'_k$, $t'_k$ the teacher's overlaps. With $T_\theta$ for it",
            equation(T_theta, sp.Sum(w[index] * lam[index] ** (2 - theta), (index, 1, L)) / m),
            r"Instead of $\sum_k w_k\lambda_k^2$, which is larger: $T_\theta$ is the mean of "
            r"$\lambda$ with weights $w_k\lambda_k^{1-\theta}$ and falls with $\theta$, to $1$. "
            "Preconditioning lengthens the plateau. Checked for three modes.",
            Symbolic(
                {T_theta: sp.Sum(w[index] * weights[0] ** 2 * weights[1], (index, 1, L)), **three}
            ),
        ),
    ]


def _schedule_steps() -> list[Step]:
    eta_of = eta_0 * (1 + y / T) ** -p
    powers = [{p: sp.Rational(1, n), eta_0: n, T: 2, alpha: n + 1} for n in (2, 3, 4)]
    still = {e: eta * noise / 2}
    return [
        Step(
            r"Under $\eta(\alpha) = \eta_0(1 + \alpha/T)^{-p}$ the drift knows the time",
            equation(
                sp.Integral(eta_of, (y, 0, alpha)),
                eta_0 * T / (1 - p) * ((1 + alpha / T) ** (1 - p) - 1),
            ),
            r"alone, $dc/d\tau = F(c)$: without noise the exponent $s$ becomes $s(1-p)$.",
            Numeric(points=powers),
        ),
        Step(
            r"Label noise $\sigma^2$ feeds a linear student's modes, "
            r"$0 = -2\eta\lambda_ke_k + \eta^2\lambda_k\sigma^2$, where $\eta$ changes slowly. "
            "What it leaves of the error is",
            equation(eps, eta * noise / 4),
            r"$\varepsilon_g = \tfrac12\sum_k w_k\lambda_k e_k$ and $\sum_k w_k\lambda_k = 1$: it "
            r"follows $\eta(\alpha)$ for $p < (1+s)/(2+s)$.",
            Symbolic({eps: e / 2, **still}),
        ),
        Step(
            r"Signal $\alpha^{-s(1-p)}$ and noise $\alpha^{-p}$ fall together, and fastest, for",
            equation(s / (1 + s), beta / (1 + 2 * beta)),
            r"$s(1-p) = p$, with $s = \beta/(1+\beta)$.",
            Symbolic({s: beta / (1 + beta)}),
        ),
        Step(
            "and no earlier noise outlives it there, since",
            equation((1 + s) / (2 + s) - s / (1 + s), 1 / ((1 + s) * (2 + s))),
            "is positive.",
            Symbolic(),
        ),
    ]


def _second_layer_steps() -> list[Step]:
    equations = second_layer(TeacherStudent(2, 2), eta_v, gradient_flow=True)
    overlaps, (first, _) = equations.overlaps, equations.rates
    drift_12 = overlaps.drift[0, 3]
    R_12 = overlaps.R[0, 1]
    return [
        Step(
            r"If the output weights learn too, $v_i \leftarrow v_i + (\eta_v/N)g(x_i)(\zeta - "
            r"\sigma)$, they follow the gradient of $\varepsilon_g$ and, since a step is $O(1/N)$, "
            r"without noise. For $K = M = 2$ and erf",
            equation(-eta_v * sp.Derivative(eps, v_1), first),
            r"$E[g(x_i)(\zeta - \sigma)] = c\sum_n I_2(x_i, y_n) - \sum_j v_jI_2(x_i, x_j)$.",
            Symbolic({eps: overlaps.generalization_error}),
        ),
        Step(
            r"The equations of the overlaps stay as they are, with $v_i$ in the place of $c$, such "
            "as",
            equation(-sp.Derivative(eps, R_12), drift_12),
            r"$D_{in} = E[\partial\delta_i/\partial y_n]$ with "
            r"$\delta_i = v_ig'(x_i)(\zeta - \sigma)$.",
            Symbolic({eps: overlaps.generalization_error}),
        ),
    ]


def build() -> Derivation:
    """Derivation of what changes exponents and plateaus, and what does not (WR24, GA19)."""
    return Derivation(
        name="what_helps",
        title="What helps against power laws and plateaus",
        summary="A preconditioner changes the exponent, since it is a change of the spectrum, but "
        "lengthens the plateau. A learning rate that falls trades the exponent for a noise that "
        "vanishes. Weight decay leaves a floor and keeps students on the plateau. Output weights "
        "that learn obey one more equation.",
        steps=(
            *_preconditioner_steps(),
            *_schedule_steps(),
            *decay_steps(),
            *_second_layer_steps(),
        ),
        sources=("WR24", "GA19", "SS95"),
        notation=(
            (theta, "preconditioner: 0 is SGD, 1 whitening"),
            (m, r"$\sum_k w_k\lambda_k^{1-\theta}$, so that $\mathrm{Tr}\,P\Sigma = N$"),
            (s, r"$\beta/(1+\beta)$, the exponent without noise"),
            *NOTATION,
        ),
    )
