"""The linear network of which only some directions are trained, and the best use of compute.

Last steps of `derivations.linear_student`; integrals and minima are computed by quadrature.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import mpmath as mp
import sympy as sp

from theory.derivation import Numeric, Step, Symbolic, equation
from theory.features import ComputeOptimum, compute, compute_optimum, joint_law
from theory.features import N_l as N
from theory.linear_laws import eps_0
from theory.models import PowerLaw, TeacherStudent
from theory.symbols import alpha

from .linear_student_modes import EIGENVALUES, WEIGHTS, eps, eps_inf, eta, kappa, noise, stationary

__all__ = ["compute_steps", "feature_steps"]

beta, x, y, kk, X = sp.symbols("beta x y k X", positive=True)
p, s = 1 + beta, beta / (1 + beta)


def feature_steps() -> list[Step]:
    """Where the error ends if some directions stay untrained, and how it gets there."""
    endless = TeacherStudent(1, 1, "linear", PowerLaw(beta, "oo"), eta)
    share = sp.Symbol("V", positive=True)
    shape = y**-s * sp.uppergamma(s, y) / p + 1 / beta
    rest = (eps_0 * (1 - share) + kappa / 4 * share * noise) / (1 - kappa * share / 2)
    small = [{beta: b, N: 3 + b.p, x: 2 + b} for b in map(sp.Integer, (1, 2, 3))]
    return [
        Step(
            r"Only the first $N_l$ eigenspaces are trained; the error in the others stays and acts "
            r"like label noise. With $V = \sum_{k\le N_l} w_k\lambda_k$ the error ends at",
            equation(eps_inf, rest),
            r"Stationary $e_k = \tfrac{\kappa}{2}(2\varepsilon_\infty + \sigma^2)$ for the first, "
            r"$2\varepsilon_0$ for the others. Checked against the stationary state of three "
            "eigenspaces, two of them trained.",
            Numeric(
                {share: WEIGHTS[0] * EIGENVALUES[0] + WEIGHTS[1] * EIGENVALUES[1]},
                [
                    {kappa: v, noise: sp.Rational(1, 5), eps_0: sp.Rational(1, 3)}
                    for v in (1, sp.Rational(1, 2), sp.Rational(7, 4))
                ],
                evaluate=lambda pt: stationary(pt[kappa], pt[noise], 2, 2 * pt[eps_0]),
            ),
        ),
        Step(
            r"For $\eta \to 0$ and a power law this is $\varepsilon_0 \sum_{k > N_l} "
            r"k^{-p}/\zeta(p)$, and the sum becomes, up to a relative $O(1/N_l)$,",
            equation(sp.Integral(kk**-p, (kk, N, sp.oo)), N**-beta / beta),
            r"So $\varepsilon_\infty \simeq N_l^{-\beta}/(2\beta\zeta(1+\beta))$ for "
            r"$\varepsilon_0 = \tfrac12$ (WR24's exponent, with its constant).",
            Symbolic(),
        ),
        Step(
            r"During training there are two parts: what the trained directions have not learned "
            r"yet, and what the others never will. In $y = x N_l^{-p}$",
            equation(
                sp.Integral(kk**-p * sp.exp(-x * kk**-p), (kk, 0, N))
                + sp.Integral(kk**-p, (kk, N, sp.oo)),
                N**-beta * shape.subs(y, x * N**-p),
            ),
            "The integral above, from zero, where its integrand vanishes faster than any power.",
            Numeric(points=small),
        ),
        Step(
            r"so that the joint law is, with $\alpha$ in units of $1/\lambda_+$,",
            equation(eps, joint_law(endless).expr),
            r"Multiply by $\varepsilon_0/\zeta(p)$ and, for noise of SGD, by $1/(1 - \eta/2)$. "
            "Checked against the two integrals.",
            Numeric(
                {
                    eps: eps_0
                    / (1 - eta / 2)
                    / sp.zeta(p)
                    * (
                        sp.Integral(kk**-p * sp.exp(-2 * eta * alpha * kk**-p), (kk, 0, N))
                        + sp.Integral(kk**-p, (kk, N, sp.oo))
                    )
                },
                [{**point, eta: sp.Rational(1, 5), alpha: 9, eps_0: 2} for point in small],
            ),
        ),
    ]


def compute_steps() -> list[Step]:
    """The best split of time times directions."""
    g = y**-s * sp.uppergamma(s, y) / p + 1 / beta
    weight = beta / (2 + beta)
    optimum = compute_optimum(TeacherStudent(1, 1, "linear", PowerLaw(beta, "oo"), eta))
    (root,) = optimum.features.constants
    condition = root.equation.subs(root.symbol, y)
    return [
        Step(
            r"At fixed compute $C = \alpha N_l$, $X = 2\kappa\lambda_+ C$, the number of "
            r"directions is $N_l = (X/y)^{1/(2+\beta)}$, and the error is proportional to",
            equation(N**-beta, X**-weight * y**weight),
            r"times $g(y)$: $y = x N_l^{-p} = X N_l^{-(2+\beta)}$.",
            Symbolic({N: (X / y) ** (1 / (2 + beta))}),
        ),
        Step(
            r"The best $y$ makes $y^{\beta/(2+\beta)} g(y)$ smallest. It does not depend on $C$.",
            equation(
                sp.Derivative(y**weight * g, y),
                condition * y ** (weight - 1) / ((1 + beta) * (2 + beta)),
            ),
            r"$y\,\partial_y \Gamma(s, y) = -y^s e^{-y}$. The bracket changes sign at $y_*$.",
            Numeric(
                points=[{beta: b, y: sp.Rational(b.p + 1, 3)} for b in map(sp.Rational, (1, 2, 3))]
            ),
        ),
        Step(
            r"Hence $N_l \sim C^{1/(2+\beta)}$ with this constant,",
            equation(N, optimum.features.expr),
            r"$N_l = (X/y_*)^{1/(2+\beta)}$; checked against the zero in $N_l$ of the derivative "
            "of the joint law at fixed $C$.",
            Numeric(points=_compute_points(optimum), evaluate=lambda pt: _best(pt)[0]),
        ),
        Step(
            r"and $\varepsilon_g \sim C^{-\beta/(2+\beta)}$ with this one.",
            equation(eps, optimum.error.expr),
            "The joint law there.",
            Numeric(points=_compute_points(optimum), evaluate=lambda pt: _best(pt)[1]),
        ),
    ]


def _compute_points(optimum: ComputeOptimum) -> list[dict[Any, Any]]:
    """y_* is a number to 80 digits, since no exact one is known."""
    (root,) = optimum.features.constants
    points = []
    for b in (sp.Rational(1, 2), sp.Integer(1), sp.Integer(2)):
        with mp.workdps(80):
            flat = sp.Rational(mp.nstr(root.value({beta: mp.mpf(b.p) / b.q}), 80))
        points.append({beta: b, eta: sp.Rational(1, 5), compute: 700, eps_0: 2, root.symbol: flat})
    return points


def _best(point: dict[Any, Any]) -> tuple[mp.mpf, mp.mpf]:
    """(N_l, eps_g) where the joint law at fixed C is smallest."""
    b, rate = point[beta], point[eta]
    number, rest = _smallest(b, 2 * rate * point[compute], mp.mp.dps)
    return number, point[eps_0] / (1 - rate / 2) / mp.zeta(1 + b) * rest


@lru_cache(maxsize=8)
def _smallest(b: mp.mpf, ahead: mp.mpf, digits: int) -> tuple[mp.mpf, mp.mpf]:
    """(N, sum of the two parts) at the zero of its derivative in N; x = ahead/N, by quadrature."""
    order = 1 + b

    def unlearned(number: mp.mpf, power: int) -> mp.mpf:
        # v = N exp(-h): smooth, and zero to all digits beyond the end.
        y_now, rest = ahead / number ** (1 + order), power * order - 1
        end = mp.log(3 * mp.mp.dps / y_now + 3) / order
        shape = mp.quad(lambda h: mp.exp(rest * h - y_now * mp.exp(order * h)), [0, end])
        return number**-rest * shape

    def slope(number: mp.mpf) -> mp.mpf:
        time, last = ahead / number, number**-order
        return last * mp.expm1(-time * last) + time / number * unlearned(number, 2)

    guess = ahead ** (1 / (1 + order))
    with mp.workdps(15):
        rough = mp.findroot(slope, (guess, 1.2 * guess))
    number = mp.findroot(slope, (rough, rough * (1 + mp.mpf(10) ** -12)), tol=mp.eps)
    return number, unlearned(number, 1) + number**-b / b
