"""Redundancy laws, second part: the best ridge, little noise, and what is near the law."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import sympy as sp

from theory.derivation import Numeric, Step, Symbolic, equation
from theory.features import N_l, feature_law
from theory.laws import late_time_law
from theory.models import TeacherStudent
from theory.redundancy import KernelRegression, excess, risk_law
from theory.redundancy_crossover import noiseless_risk_law
from theory.spectra import PowerLaw
from theory.spectral_filters import FLOW
from theory.symbols import alpha

from .redundancy_symbols import B, V, beta, i, integral, kappa, n, noise, points, s, t

__all__ = ["crossover_steps", "gamma_n", "neighbour_steps", "optimum_steps"]

p, a, c, r, w, C_1, y, eta = sp.symbols("p a c r w C_1 y eta", positive=True)
best, t_best, b, E_m = sp.symbols("kappa_* t_* b E_m", positive=True)
eps, eps_0 = sp.symbols("epsilon_g epsilon_0", positive=True)
gamma_n = sp.Symbol("gamma_n", real=True)


def optimum_steps() -> list[Step]:
    """Bias against variance."""
    risk = B * kappa**p + noise * V * kappa**-a / n
    settled = {n: a * V * noise / (p * B * kappa ** (p + a))}
    problem = KernelRegression(beta, s)
    law = risk_law(problem).expr
    rate = sp.Derivative(sp.log(law), n) * n
    border = KernelRegression(beta, 1)
    shift = beta * sp.EulerGamma - sp.Rational(3, 2)
    return [
        Step(
            r"Bias $B\kappa^p$, $p = 2\min(s, q)$, rises and variance $\sigma^2 V\kappa^{-a}/n$, "
            r"$a = 1/\beta$, falls. Their sum is stationary where",
            equation(kappa ** (p + a), a * V * noise / (p * B * n)),
            "Its derivative vanishes.",
            Symbolic({n: sp.solve(risk.diff(kappa), n)[0]}),
        ),
        Step(
            "and there it is",
            equation(excess, (1 + p / a) * B * kappa**p),
            r"Insert $n$: the variance is $p/a$ times the bias.",
            Symbolic({excess: risk, **settled}),
        ),
        Step(
            r"So the excess risk is, for $s < 1$ and ridge regression, a power of $n$:",
            equation(gamma_n, -2 * s / (2 * s + 1 / beta)),
            "The logarithmic derivative of the law with its constants; this is the redundancy "
            "law of BC25.",
            Numeric({gamma_n: rate}, points(n=(100, 200, 300))),
        ),
        Step(
            r"At $s = 1$ the logarithm is kept by Lambert's function: with $a = 1/\beta$, "
            r"$\sigma^2 = 1$ and $w = \frac{2 + a}{2n}\,V e^{-(2 + a)(\beta\gamma - 3/2)}$",
            equation(best, sp.exp(sp.LambertW(-w, -1) / (2 + a) + shift)),
            "The minimum of bias and variance, found numerically.",
            Numeric(
                {
                    w: (2 + a) * V / (2 * n) * sp.exp(-(2 + a) * shift),
                    V: border.variance_constant,
                    a: 1 / beta,
                },
                points(n=(10**6, 10**7, 10**8)),
                evaluate=_best_with_logarithm,
            ),
        ),
    ]


def _best_with_logarithm(point: dict[sp.Basic, Any]) -> mp.mpf:
    """The zero of d/dkappa of kappa^2 ((log(1/kappa) - 1)/beta + gamma) + V kappa^(-1/beta)/n."""
    slope, size = (mp.mpf(sp.N(point[v], mp.mp.dps)) for v in (beta, n))
    constant = (1 - 1 / slope) * mp.pi / slope / mp.sin(mp.pi / slope)

    def derivative(log_kappa: mp.mpf) -> mp.mpf:
        kappa = mp.exp(log_kappa)
        bias = kappa**2 * ((-2 * log_kappa - 3) / slope + 2 * mp.euler)
        return bias - constant * kappa ** (-1 / slope) / (slope * size)

    return mp.exp(mp.findroot(derivative, (-mp.log(size), mp.mpf(-2)), solver="anderson"))


def _best_without_noise(point: dict[sp.Basic, Any]) -> mp.mpf:
    """The minimum of t^(-p beta)/(1 - c t): the zero of the derivative of its logarithm."""
    power, slope, loss = (mp.mpf(sp.N(point[v], mp.mp.dps)) for v in (p, beta, c))
    return mp.findroot(
        lambda share: loss / (1 - loss * share) - power * slope / share,
        (mp.mpf(1) / 100, (1 - mp.mpf(1) / 100) / loss),
        solver="anderson",
    )


def crossover_steps() -> list[Step]:
    """From no noise to much noise."""
    power = p * beta
    risk = (r * t**-power + noise * c * t) / (1 - c * t)
    N2 = sp.Symbol("N_2", positive=True)
    scaling = {
        r: B * (C_1 / n) ** power,
        kappa: (C_1 / (n * t)) ** beta,
        N2: c * C_1 * kappa ** (-1 / beta),
    }
    return [
        Step(
            r"For any noise, keep the denominator: with $t = N_1/n$, $c = 1 - 1/\beta$, "
            r"$r = B (C_1/n)^{p\beta}$ and $C_1 = \pi a/\sin(\pi a)$",
            equation((B * kappa**p + noise * N2 / n) / (1 - N2 / n), risk),
            r"Insert $\kappa = (C_1/(nt))^\beta$ and $N_2 = cN_1$.",
            Numeric(
                {N2: c * C_1 * kappa ** (-1 / beta), r: scaling[r], kappa: scaling[kappa]},
                [
                    {
                        beta: 2 + k,
                        p: k,
                        B: k + 1,
                        C_1: 2,
                        n: 5 + k,
                        t: sp.Rational(1, k + 2),
                        c: sp.Rational(1, 3),
                        noise: k,
                    }
                    for k in (1, 2, 3)
                ],
            ),
        ),
        *_stationary_steps(risk),
    ]


def _stationary_steps(risk: sp.Expr) -> list[Step]:
    """The best share of samples, with noise and without."""
    power = p * beta
    flat = r * (c * (1 + power) * t - power) + noise * c * t ** (power + 1)
    problem = KernelRegression(beta, s, noise=0)
    return [
        Step(
            r"The best $t$ in $(0, 1)$ makes this stationary:",
            equation(sp.Derivative(risk, t), flat / (t ** (power + 1) * (1 - c * t) ** 2)),
            "Differentiate; the numerator rises with $t$, so that it has one zero at most, and "
            r"without one $t = 1$, no ridge, is best.",
            Symbolic(),
        ),
        Step(
            r"Without noise it is, for $p\beta < c(1 + p\beta)$,",
            equation(t_best, power / (c * (1 + power))),
            r"The zero of the numerator at $\sigma^2 = 0$, checked by the minimum of the risk. A "
            "ridge then helps although there is no noise: what is not learned acts as noise.",
            Numeric(
                points=[
                    {p: sp.Rational(1, k), beta: k, c: 1 - sp.Rational(1, 2 * k)} for k in (2, 3, 4)
                ],
                evaluate=_best_without_noise,
            ),
        ),
        Step(
            "and without noise the law is steeper:",
            equation(gamma_n, -2 * s * beta),
            "The logarithmic derivative of the law at the best ridge.",
            Numeric(
                {gamma_n: sp.Derivative(sp.log(noiseless_risk_law(problem).expr), n) * n},
                points(n=(100, 200, 300)),
            ),
        ),
    ]


def neighbour_steps() -> list[Step]:
    """Online SGD, finite width, other bases."""
    return [*_online_steps(), *_width_steps(), *_map_steps()]


def _online_steps() -> list[Step]:
    model = TeacherStudent(1, 1, "linear", PowerLaw(beta - 1, sp.oo), eta=eta)
    online = late_time_law(model, gradient_flow=True)
    smoothness = (1 - 1 / beta) / 2
    flow = KernelRegression(beta, smoothness, filter=FLOW)
    learned = feature_law(model.replace(eta=sp.Rational(1, 10**6)))
    return [
        Step(
            r"One-pass SGD of a linear student ($\eta \to 0$, equal weights, $\lambda_k \propto "
            r"k^{-\beta}$) is gradient flow on a target with $\theta_k^2 = \lambda_k$, that is "
            r"$s = (1 - 1/\beta)/2$ and $1/\kappa = \eta\lambda_+\alpha$: its late times are",
            equation(
                eps,
                eps_0 / sp.zeta(beta) * flow.bias_constant * (eta * alpha) ** (-2 * smoothness),
            ),
            r"The late-time law of WR24, derived from its equations of motion ($\lambda_+$ is the "
            "unit).",
            Numeric(
                {eps: online.expr},
                [{beta: k + 1, eps_0: k, eta: sp.Rational(1, k), alpha: 10 * k} for k in (1, 2, 3)],
            ),
        ),
        Step(
            r"and noiseless regression on $n$ samples has the exponent of $n$ trainable "
            "directions,",
            equation(gamma_n, -2 * smoothness * beta),
            "The logarithmic derivative of the law of learned features (WR24).",
            Numeric(
                {gamma_n: sp.Derivative(sp.log(learned.expr), N_l) * N_l},
                [
                    {beta: k + 1, N_l: 10 * k, sp.Symbol("epsilon_0", positive=True): 1}
                    for k in (1, 2, 3)
                ],
            ),
        ),
    ]


def _width_steps() -> list[Step]:
    target = i ** -(2 * s * beta + 1)
    return [
        Step(
            r"With $m$ random features and $n = \infty$, $N_1(\kappa) = m$, and what the features "
            r"do not reach remains: for $s < \frac12$",
            equation(E_m, sp.pi / (beta * sp.sin(2 * sp.pi * s)) * kappa ** (2 * s)),
            r"$\int_0^\infty \theta_i^2\,\kappa/(\lambda_i + \kappa)\,di$. For $s > \frac12$ the "
            r"sum is $\propto \kappa$: the floor falls as $m^{-\beta\min(2s, 1)}$.",
            Numeric({E_m: integral(target * kappa / (i**-beta + kappa))}, points()),
        ),
        Step(
            r"At finite $n$ the bias grows by $(N_1 - N_2)/(m - N_2)$ times",
            equation(E_m, 2 * sp.pi * s / (beta * sp.sin(2 * sp.pi * s)) * kappa ** (2 * s)),
            r"$\int_0^\infty \theta_i^2\,\kappa\lambda_i/(\lambda_i + \kappa)^2\,di$; for $s > "
            r"\frac12$ it is $\propto \kappa$. To keep the law, $m \sim n^{(\max(2s, 1) - 1 + "
            r"1/\beta)/(2s + 1/\beta)}$ features are needed.",
            Numeric({E_m: integral(target * kappa * i**-beta / (i**-beta + kappa) ** 2)}, points()),
        ),
    ]


def _map_steps() -> list[Step]:
    x_1, x_2, delta = sp.symbols("x_1 x_2 delta", positive=True)
    vector = sp.Matrix([x_1, x_2])
    square = vector.dot(vector)
    matrix = sp.eye(2) + vector * vector.T
    return [
        Step(
            r"A map $A = 1 + xx^T$ of the features is bounded and has a bounded inverse. In the "
            r"new features the target is $A^{-2}$ of the old; $A^{-2} = 1 - b\,xx^T$ with",
            equation(b, (2 + y) / (1 + y) ** 2),
            r"Sherman and Morrison, $y = |x|^2$. Checked in two dimensions.",
            Symbolic({b: ((sp.eye(2) - matrix**-2)[0, 1] / (x_1 * x_2)), y: square}),
        ),
        Step(
            r"It contains $x$. For $x_i = i^{-1/2-\delta}$ and $\theta_i \propto \lambda_i^{1/2} "
            r"x_i = \lambda_i^{s'} i^{-1/2}$ the target is no smoother than",
            equation(sp.Symbol("s'"), sp.Rational(1, 2) + delta / beta),
            r"Compare the powers of $i$: $\frac{\beta}{2} + \frac12 + \delta = s'\beta + \frac12$. "
            "The exponent of the law is kept for $s < s'$ only.",
            Symbolic({sp.Symbol("s'"): (beta / 2 + delta) / beta}),
        ),
    ]
