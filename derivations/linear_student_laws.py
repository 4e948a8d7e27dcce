"""The linear network with a power-law spectrum: the power law and what noise of SGD adds to it.

Later steps of `derivations.linear_student`. Sums over all eigenvalues are computed independently of
the Mellin transform, inverse Laplace transforms by Talbot's contour.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import mpmath as mp
import sympy as sp

from theory.derivation import Numeric, Step, Symbolic, equation
from theory.laws import late_time_law
from theory.linear_laws import eps_0
from theory.models import PowerLaw, TeacherStudent
from theory.symbols import alpha, lam, w

from .linear_student_modes import F_hat, K_hat, L, e0, eps, eta, k, kappa, noise, three_modes

__all__ = ["noise_steps", "window_steps"]

beta, x, z, kk, u, rho, p_ = sp.symbols("beta x z k u rho p", positive=True)
f = sp.Symbol("f")
p, s = 1 + beta, beta / (1 + beta)
BETAS = (sp.Rational(1, 4), sp.Rational(1, 2), sp.Integer(1))


def window_steps() -> list[Step]:
    """Small learning rates: sum, incomplete gamma functions, the pole that is the power law."""
    law = PowerLaw(beta, L)
    endless = TeacherStudent(1, 1, "linear", PowerLaw(beta, "oo"), eta)
    four = {
        L: 4,
        **dict(zip((lam[a] for a in range(1, 5)), PowerLaw(beta, 4).eigenvalues, strict=True)),
    }
    mode = kk**-p * sp.exp(-x * kk**-p)
    power = late_time_law(endless, gradient_flow=True).expr
    residue = sp.Symbol("r")
    free = sp.Sum(lam[k] / L * sp.exp(-2 * eta * lam[k] * alpha), (k, 1, L))
    scaled = sp.Sum(k**-p * sp.exp(-x * k**-p), (k, 1, L)) / sp.harmonic(L, p)
    return [
        Step(
            r"For $\eta \to 0$, $K = M = 1$ and equal $e_k(0) = 2\varepsilon_0$ every eigenspace "
            r"relaxes by itself. For a power law, in the time $x = 2\eta\lambda_+\alpha$, "
            r"$\varepsilon_g/\varepsilon_0$ is",
            equation(free, scaled),
            r"$\lambda_k = \lambda_+ k^{-(1+\beta)}$, $w_k = 1/L$, $\lambda_+ = L/H_L(1+\beta)$. "
            "Checked for $L = 4$.",
            Numeric(
                {x: 2 * eta * law.largest * alpha, **four},
                [{beta: b, alpha: 2 + b, eta: sp.Rational(1, 3)} for b in BETAS],
            ),
        ),
        Step(
            "If the sum is replaced by an integral, it is a difference of incomplete gamma "
            r"functions, with $s = \beta/(1+\beta)$.",
            equation(
                sp.Integral(mode, (kk, 1, L)),
                x**-s / p * (sp.uppergamma(s, x * L**-p) - sp.uppergamma(s, x)),
            ),
            r"Substitute $v = x k^{-(1+\beta)}$.",
            Numeric(points=[{beta: b, L: 5 + b.p, x: 2 + b} for b in BETAS]),
        ),
        Step(
            r"For $L = \infty$ the sum itself is known by its Mellin transform. That of a term is",
            equation(
                sp.Integral(x ** (z - 1) * mode, (x, 0, sp.oo)), sp.gamma(z) * kk ** (-p * (1 - z))
            ),
            "Definition of the gamma function.",
            Numeric(points=[{beta: b, z: sp.Rational(3, 2) + b, kk: 2} for b in BETAS]),
        ),
        Step(
            r"so that the sum has the transform $\Gamma(z)\,\zeta((1+\beta)(1-z))$, $0 < z < s$. "
            "To the right of this strip it has one pole, where the zeta function has one, $z = s$, "
            "with the residue",
            equation(residue, -1 / p),
            r"$\zeta(1 + \epsilon) = 1/\epsilon + O(1)$. Checked by a contour integral.",
            Numeric(points=[{beta: b} for b in BETAS], evaluate=_residue),
        ),
        Step(
            r"One pole is one power: the law has no algebraic corrections. Here $\alpha$ is in "
            r"units of $1/\lambda_+$.",
            equation(eps, power),
            r"Minus the residue times $\Gamma(s) x^{-s}$. Checked against the sum over all $k$ at "
            r"$x \ge 10^4$, where they differ by less than $10^{-40}$.",
            Numeric(
                points=[
                    {beta: b, alpha: 10**power, eta: sp.S.Half, eps_0: sp.Rational(3, 2)}
                    for b, power in zip(BETAS, (4, 4, 5), strict=True)
                ],
                evaluate=lambda pt: (
                    pt[eps_0] * _endless_sum(pt[beta], 2 * pt[eta] * pt[alpha], mp.mp.dps)
                ),
            ),
        ),
    ]


def _residue(point: dict[Any, Any]) -> mp.mpf:
    """Contour integral of zeta(p (1 - z))/(2 pi i) around s, by the trapezoidal rule."""
    order = 1 + point[beta]
    pole, radius, count = 1 - 1 / order, mp.mpf(1) / 4, mp.mp.dps
    total = mp.mpf(0)
    for step in range(count):
        offset = radius * mp.expjpi(mp.mpf(2 * step) / count)
        total += offset * mp.zeta(order * (1 - pole - offset))
    return mp.re(total) / count


@lru_cache(maxsize=8)
def _endless_sum(b: mp.mpf, time: mp.mpf, digits: int) -> mp.mpf:
    """sum_k k^-p exp(-x k^-p)/zeta(p): some terms, then the exponential series by Hurwitz zeta."""
    order = 1 + b
    last = int(mp.ceil((2 * time) ** (1 / order)))
    # mpmath's Hurwitz zeta has absolute accuracy, and high powers of the time multiply it.
    with mp.workdps(3 * digits):
        first = (mp.mpf(a) ** -order for a in range(1, last + 1))
        total = mp.fsum(q * mp.exp(-time * q) for q in first)
        for power in range(digits):
            weight = (-time) ** power / mp.factorial(power)
            total += weight * mp.zeta(order * (1 + power), last + 1)
        return total / mp.zeta(order)


def noise_steps() -> list[Step]:
    """Any learning rate below the critical one: a factor, and further powers."""
    v = sp.Symbol("v", positive=True)
    points = [{p_: v, z: sp.Rational(1, 3)} for v in (3, 4, 5)]
    uniform = {**three_modes(), **{e0[a]: 2 * eps_0 for a in (1, 2, 3)}, noise: 0}
    shape = sp.Sum(w[k] * lam[k] / (z + 2 * kappa * lam[k]), (k, 1, L))
    kernel = sp.Sum(kappa**2 * w[k] * lam[k] ** 2 / (z + 2 * kappa * lam[k]), (k, 1, L))
    forcing = sp.Sum(w[k] * lam[k] * e0[k] / (z + 2 * kappa * lam[k]), (k, 1, L)) / 2
    model = TeacherStudent(1, 1, "linear", PowerLaw(beta, "oo"), kappa)
    return [
        Step(
            r"At any learning rate equal $e_k(0)$ leave one function, $f(z) = \sum_k "
            r"w_k\lambda_k/(z + 2\kappa\lambda_k)$:",
            equation(F_hat / (1 - K_hat), eps_0 * f / (1 - kappa / 2 + kappa / 2 * z * f)),
            r"$\hat F = \varepsilon_0 f$ and $\hat K = \tfrac{\kappa}{2}(1 - z f)$, since "
            r"$\sum_k w_k\lambda_k = 1$.",
            Symbolic({F_hat: forcing, K_hat: kernel, f: shape, **uniform}),
        ),
        Step(
            r"At late times $z f(z)$ is small, and noise of SGD repeats it, with $\rho = "
            r"\tfrac{\kappa}{2}/(1 - \tfrac{\kappa}{2})$, $u = z f$:",
            equation(
                1 / (1 - kappa / 2 + kappa / 2 * u),
                (1 - rho * u + rho**2 * u**2 / (1 + rho * u)) / (1 - kappa / 2),
            ),
            "Geometric series with its remainder.",
            Symbolic({rho: kappa / 2 / (1 - kappa / 2)}),
        ),
        Step(
            r"For a power law, in the time $x$, $f$ is $\sum_k 1/(1 + z k^p)$ over $\zeta(p)$, "
            r"$p = 1 + \beta$, and for small $z$",
            equation(
                sp.Integral(1 / (1 + z * kk**p_), (kk, 0, sp.oo)),
                z ** (-1 / p_) * sp.pi / (p_ * sp.sin(sp.pi / p_)),
            ),
            r"A beta integral, and the only pole of the Mellin transform that is no whole power of "
            "$z$.",
            Numeric(points=points),
        ),
        Step(
            "Powers of $z$ become powers of time by",
            equation(
                sp.Integral(x ** (v - 1) * sp.exp(-z * x), (x, 0, sp.oo)), sp.gamma(v) * z**-v
            ),
            "Definition of the gamma function, continued in $v$.",
            Symbolic(),
        ),
        Step(
            r"The first two terms of the law at any $\kappa < 2$ are",
            equation(eps, late_time_law(model, terms=2).expr),
            r"Checked against the product of the two amplitudes: $f = a z^{s-1}$ gives "
            r"$a x^{-s}/\Gamma(1-s)$ and $-\rho a^2 x^{-2s}/\Gamma(1-2s)$.",
            Numeric(
                points=[
                    {beta: b, kappa: sp.Rational(4, 3), alpha: 7, eps_0: 2}
                    for b in (sp.Rational(1, 3), sp.Rational(2, 3), sp.Integer(2))
                ],
                evaluate=_two_terms,
            ),
        ),
    ]


def _two_terms(point: dict[Any, Any]) -> mp.mpf:
    """Inverse Laplace transform of a z^(s-1) - rho a^2 z^(2s-1) (Talbot's contour)."""
    order = 1 + point[beta]
    exponent, half = 1 - 1 / order, point[kappa] / 2
    feedback = half / (1 - half)
    a = mp.pi / order / mp.sin(mp.pi / order) / mp.zeta(order)
    time = 2 * point[kappa] * point[alpha]

    def transform(v: Any) -> Any:
        return a * v ** (exponent - 1) - feedback * a**2 * v ** (2 * exponent - 1)

    digits = mp.mp.dps
    with mp.workdps(2 * digits):
        found = mp.invertlaplace(transform, time, method="talbot", degree=2 * digits)
        return point[eps_0] / (1 - half) * found
