"""Steps on weight decay: the floor that it leaves, and the plateau that it lengthens."""

from __future__ import annotations

from functools import lru_cache

import mpmath as mp
import sympy as sp

from theory.derivation import Numeric, Step, Symbolic, equation
from theory.models import TeacherStudent
from theory.plateau import plateau
from theory.symbols import lam, w
from theory.symmetric_point import collapsed_expressions

__all__ = ["NOTATION", "decay_steps"]

M = sp.Symbol("M", integer=True, positive=True)
L = sp.Symbol("L", integer=True, positive=True)
index = sp.Symbol("k", integer=True, positive=True)
d, g, k, p, kappa_1, T_2, T_3 = sp.symbols("d g k p gamma_1 T_2 T_3", positive=True)
gamma, eta, x, y, e, q, r = sp.symbols("gamma eta x y e q r", real=True)
growth, damping = sp.symbols("gamma_d D_s", real=True)
b = sp.Symbol("b", positive=True)

NOTATION = (
    (d, "weight decay"),
    (x, r"change, per $d$, of the damping $D_{ii} - D_{ij}$ of what specialises"),
    (y, r"change, per $d$, of $\gamma_1$"),
    (T_2, r"$\sum_k w_k\lambda_k^2$, and $T_3 = \sum_k w_k\lambda_k^3$"),
)


def decay_steps() -> list[Step]:
    """All steps on weight decay."""
    return [*_floor_steps(), *_plateau_steps()]


def _floor_steps() -> list[Step]:
    learned = lam[index] / (lam[index] + d)
    summand = k**-p / (1 + k**-p / g) ** 2
    value = g ** (1 - 1 / p) * sp.pi / (p**2 * sp.sin(sp.pi / p))
    points = [{p: 2, g: 1}, {p: 3, g: sp.Rational(1, 2)}, {p: 4, g: 2}]
    return [
        Step(
            r"With weight decay $d$ an eigenspace of a linear student, $\eta \to 0$, comes to rest "
            r"at $r_k = \lambda_k/(\lambda_k + d)$, which leaves the error",
            equation(e, (d / (lam[index] + d)) ** 2),
            r"$0 = \lambda_k(1 - r_k) - d\,r_k$, $q_k = r_k^2$ and $e_k = 1 - 2r_k + q_k$.",
            Symbolic({e: 1 - 2 * r + q, q: r**2, r: learned}),
        ),
        Step(
            r"For $\lambda_k = \lambda_+k^{-p}$, $g = d/\lambda_+$, the sum over modes becomes",
            equation(sp.Integral(summand, (k, 0, sp.oo)), value),
            r"Substitute $u = k^p$: a beta function. So $\varepsilon_\infty \sim d^{1-1/p}$, and "
            r"the power law $\alpha^{-\beta/(1+\beta)}$ ends at $\alpha \sim 1/(\eta d)$.",
            Numeric(points=points),
        ),
    ]


def _plateau_steps() -> list[Step]:
    shifted = -b / damping * (1 + d / (lam[index] * damping))
    three = {
        L: sp.Integer(3),
        w[3]: 1 - w[1] - w[2],
        w[2]: (1 - lam[3] - w[1] * (lam[1] - lam[3])) / (lam[2] - lam[3]),
    }
    secular = sp.Sum(
        kappa_1 * w[index] * lam[index] ** 2 / (gamma + d - lam[index] * damping), (index, 1, L)
    )
    small = sp.Symbol("s", positive=True)
    first = _derivative_at_zero(secular, small)
    moments = {
        T_2: sp.Sum(w[index] * lam[index] ** 2, (index, 1, L)),
        T_3: sp.Sum(w[index] * lam[index] ** 3, (index, 1, L)),
    }
    sizes = [{M: n} for n in (2, 3, 5)]
    return [
        Step(
            r"On the symmetric plateau $\lambda_k(D r_k + b) = d\,r_k$, $D$ a row sum of $D^x$ and "
            r"$b$ an entry of $D^y$. To first order in $d$ the spectrum drops out of $R$:",
            equation(
                sp.Sum(w[index] * lam[index] * shifted, (index, 1, L)),
                -b / damping * (1 + d / damping),
            ),
            r"$\sum_k w_k = \sum_k w_k\lambda_k = 1$. So $Q = MR^2$ and $R$ shift as on isotropic "
            "data. Checked for three modes.",
            Symbolic(three),
        ),
        Step(
            "In the direction that specialises the damping then no longer vanishes: per $d$ it is",
            equation(x, -1 / (2 * M - 1)),
            r"$x = R\,\partial_R(D_{ii} - D_{ij})/\partial_R(DR + b)$ at $Q = MR^2$; checked by "
            "differences of the closed averages.",
            Numeric(points=sizes, evaluate=lambda point: _shift(int(point[M]), 1)),
        ),
        Step(
            "and the feedback of $R$ on itself changes, in units of $d$, by",
            equation(y, -2 * (M - 1) / ((2 * M - 1) ** 2 * (2 * M + 1))),
            r"The same with $\partial D^y_{in}/\partial R_{in}$, which is $\gamma_1$ at $d = 0$.",
            Numeric(points=sizes, evaluate=lambda point: _shift(int(point[M]), 2)),
        ),
        Step(
            r"A deviation that specialises grows at $\eta\gamma$ with "
            r"$1 = \gamma_1\sum_k w_k\lambda_k^2/(\gamma + d - \lambda_k D_s)$, $D_s = xd$, "
            r"$\gamma_1 \to \gamma_1 + yd$. To first order",
            equation(
                growth,
                eta * (kappa_1 * T_2 - d * (1 - x * T_3 / T_2 - y * T_2)),
            ),
            r"Differentiate in $d$ at $d = 0$, where $\gamma = \gamma_1T_2$. Both $x$ and $y$ are "
            "negative: all three effects keep students on the plateau. Checked for three modes.",
            Symbolic({growth: eta * first, **moments, L: sp.Integer(3)}),
        ),
    ]


def _derivative_at_zero(secular: sp.Expr, small: sp.Symbol) -> sp.Expr:
    """Gamma to first order in d, by implicit differentiation of the secular equation."""
    along = {damping: x * small, kappa_1: kappa_1 + y * small, d: small}
    F = secular.xreplace(along).subs(L, 3).doit()
    at_rest = sp.Add(*(kappa_1 * w[n] * lam[n] ** 2 for n in (1, 2, 3)))
    at = {small: sp.S.Zero, gamma: at_rest}
    slope = -(F.diff(small) / F.diff(gamma)).subs(at)
    return at_rest + d * slope


@lru_cache(maxsize=8)
def _shift(units: int, which: int) -> mp.mpf:
    """Change of D_ii - D_ij (1) or of dD^y_in/dR_in (2) per d, by differences in R."""
    model = TeacherStudent(units, units)
    error, *others = collapsed_expressions(model)
    point, variable = plateau(model).R, next(iter(error.free_symbols))
    with mp.workdps(2 * mp.mp.dps):
        at = mp.mpf(sp.N(point, mp.mp.dps))
        functions = [sp.lambdify(variable, expr, "mpmath") for expr in (error, *others)]
        # d eps_g/dr = -M^2 (D r + b): M students, M teachers each.
        curvature = mp.diff(functions[0], at, 2) / units**2
        return mp.diff(functions[which], at) * at / -curvature
