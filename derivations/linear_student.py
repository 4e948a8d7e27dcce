"""The linear network: Volterra form, secular equation, late times, learned features, compute.

What the functions of `theory.linear`, `theory.linear_laws` and `theory.features` give is what is
printed here; sums over all eigenvalues and stationary states are computed by other means.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import mpmath as mp
import sympy as sp

from theory.derivation import Derivation, Numeric, Step, Symbolic, equation
from theory.features import N_l, compute
from theory.linear import linear_solution
from theory.linear_laws import eps_0
from theory.models import TeacherStudent
from theory.online import OrderParameterODE, order_parameter_odes
from theory.symbols import lam, w

from .linear_student_features import compute_steps, feature_steps
from .linear_student_laws import noise_steps, window_steps
from .linear_student_modes import (
    EIGENVALUES,
    WEIGHTS,
    F_hat,
    K_hat,
    L,
    e0,
    eps,
    eps_inf,
    eta,
    k,
    kappa,
    noise,
    relaxation_matrix,
    stationary,
    three_modes,
)

__all__ = ["build"]

K, M, i, j, n, m = sp.symbols("K M i j n m", integer=True, positive=True)
c, z, mu = sp.symbols("c z mu", positive=True)
eps_hat, eta_c = sp.Symbol(r"\hat{\varepsilon}_{g}"), sp.Symbol("eta_c")
Q, R, T = (sp.IndexedBase(name, real=True) for name in ("Q", "R", "T"))
SIZES = {K: 2, M: 3}


@lru_cache(maxsize=1)
def _network() -> OrderParameterODE:
    """Two students, three teachers, c = 1/sqrt(3)."""
    return order_parameter_odes(
        TeacherStudent(*SIZES.values(), activation="linear", eta=eta, label_noise=noise)
    )


def _sizes(**entries: sp.MatrixBase) -> dict[Any, Any]:
    """Definitions: the sizes and the entries of the named matrices."""
    bases = {"Q": Q, "R": R, "T": T}
    listed = {
        bases[name][a + 1, b + 1]: matrix[a, b]
        for name, matrix in entries.items()
        for a in range(matrix.rows)
        for b in range(matrix.cols)
    }
    return {**SIZES, c: 1 / sp.sqrt(SIZES[M]), **listed}


def _square(q: Any, r: Any, t: Any) -> sp.Expr:
    """The sum of t - 2 r + q over all units."""
    return (
        sp.Sum(t[n, m], (n, 1, M), (m, 1, M))
        - 2 * sp.Sum(r[i, n], (i, 1, K), (n, 1, M))
        + sp.Sum(q[i, j], (i, 1, K), (j, 1, K))
    )


def _reduction_steps() -> list[Step]:
    ode = _network()
    macroscopic = _sizes(Q=ode.Q, R=ode.R, T=ode.T)
    drift_x, drift_y, kick = sp.symbols("D^x D^y G")
    return [
        Step(
            r"With $g(x) = x$ the network is the sum of its units, and $\varepsilon_g$ a quadratic "
            "form of the overlaps.",
            equation(eps, c**2 / 2 * _square(Q, R, T)),
            r"$I_2 = C_{ab}$. Checked for $K = 2$, $M = 3$.",
            Symbolic({**macroscopic, eps: ode.generalization_error}),
        ),
        Step(
            "Every entry of the drift is the same but for its sign, and so is every entry of the "
            "noise: all students move by the same increments.",
            (
                equation(drift_x, -(c**2)),
                equation(drift_y, c**2),
                equation(kick, c**2 * (2 * eps + noise)),
            ),
            r"$\delta_i = c(\zeta - \sigma)$ for every $i$. Checked for $K = 2$, $M = 3$, at the "
            "entries of the first student.",
            Symbolic(
                {
                    drift_x: ode.drift[0, 1],
                    drift_y: ode.drift[0, 4],
                    kick: ode.noise[0, 1],
                    eps: ode.generalization_error,
                    c: 1 / sp.sqrt(SIZES[M]),
                }
            ),
        ),
        _relaxation_step(ode),
    ]


def _relaxation_step(ode: OrderParameterODE) -> Step:
    """de_k/dalpha from D and G of the full equations, with symbols for the overlaps of a mode."""
    students, teachers = SIZES[K], SIZES[M]
    q, r, t = (
        sp.Matrix(
            a, b, lambda row, column, name=name: sp.Symbol(f"{name}_{row}{column}", real=True)
        )
        for name, a, b in (
            ("q", students, students),
            ("r", students, teachers),
            ("t", teachers, teachers),
        )
    )
    of_students, of_teachers = ode.drift[:, :students], ode.drift[:, students:]
    lam_k, e_k, rate = sp.symbols("lambda_k e_k edot_k")
    dr = eta * lam_k * (of_students * r + of_teachers * t)
    half = of_students * q + of_teachers * r.T
    dq = eta * lam_k * (half + half.T) + eta**2 * lam_k * ode.noise
    c2 = sp.Rational(1, teachers)
    return Step(
        r"So only $e_k = c^2 |P_k(\sum_n B_n - \sum_i J_i)|^2/n_k$ is learned, at the effective "
        r"rate $\kappa = \eta K c^2$, $\varepsilon_g = \tfrac12\sum_k w_k\lambda_k e_k$.",
        equation(rate, -2 * kappa * lam_k * e_k + kappa**2 * lam_k * (2 * eps + noise)),
        r"$\dot e_k = c^2 \sum (\dot q_k - 2 \dot r_k)$ with $D$ and $G$ inserted.",
        Symbolic(
            {
                rate: c2 * (sum(dq) - 2 * sum(dr)),
                e_k: c2 * (sum(t) - 2 * sum(r) + sum(q)),
                kappa: eta * students * c2,
                eps: ode.generalization_error,
            }
        ),
    )


def _transform() -> sp.Expr:
    """Laplace transform of eps_g, by solving for the three e_k."""
    first = sp.Matrix([sp.Rational(mode + 2, 3) for mode in range(3)])
    source = first + kappa**2 * noise / z * sp.Matrix(EIGENVALUES)
    solved = (z * sp.eye(3) - relaxation_matrix()).LUsolve(source)
    shares = [a * b / 2 for a, b in zip(WEIGHTS, EIGENVALUES, strict=True)]
    return sum(a * b for a, b in zip(shares, solved, strict=True))


def _volterra_steps() -> list[Step]:
    time = sp.Symbol("t", positive=True)
    kernel = sp.Sum(kappa**2 * w[k] * lam[k] ** 2 / (z + 2 * kappa * lam[k]), (k, 1, L))
    forcing = sp.Sum(w[k] * lam[k] * e0[k] / (z + 2 * kappa * lam[k]), (k, 1, L)) / 2
    memory = kappa**2 * sp.Sum(w[k] * lam[k] ** 2 * sp.exp(-2 * kappa * lam[k] * time), (k, 1, L))
    free = sp.Sum(w[k] * lam[k] * e0[k] * sp.exp(-2 * kappa * lam[k] * time), (k, 1, L)) / 2
    over_time = {
        K_hat: sp.Integral(memory * sp.exp(-z * time), (time, 0, sp.oo)),
        F_hat: sp.Integral(free * sp.exp(-z * time), (time, 0, sp.oo)),
    }
    three = three_modes()
    rates = [{kappa: value, z: 1 + value} for value in (1, sp.Rational(1, 3), sp.Rational(3, 2))]
    noisy = [{**point, noise: sp.Rational(2, 5)} for point in rates]
    return [
        Step(
            r"The error is a forcing plus its own past: $\varepsilon_g(\alpha) = F(\alpha) + "
            r"\int_0^\alpha K(\alpha - t)\,(\varepsilon_g(t) + \sigma^2/2)\,dt$. The Laplace "
            r"transforms of $F(t) = \tfrac12\sum_k w_k\lambda_k e_k(0) e^{-2\kappa\lambda_k t}$ "
            r"and $K(t) = \kappa^2 \sum_k w_k\lambda_k^2 e^{-2\kappa\lambda_k t}$ are",
            (equation(F_hat, forcing), equation(K_hat, kernel)),
            "One integral per eigenspace. Checked for three of them.",
            Numeric({**over_time, **three}, rates),
        ),
        Step(
            "The Laplace transform of the error is therefore",
            equation(eps_hat, (F_hat + K_hat * noise / (2 * z)) / (1 - K_hat)),
            r"Solve for $\hat\varepsilon_g$. Checked against the solution of the linear equations "
            r"for three $e_k$.",
            Numeric({eps_hat: _transform(), F_hat: forcing, K_hat: kernel, **three}, noisy),
        ),
    ]


def _stability_steps() -> list[Step]:
    chi = sp.Symbol("chi")
    secular = sp.Sum(kappa**2 * w[k] * lam[k] ** 2 / (mu + 2 * kappa * lam[k]), (k, 1, L))
    determinant = (mu * sp.eye(3) - relaxation_matrix()).det()
    poles = sp.Mul(*(mu + 2 * kappa * value for value in EIGENVALUES))
    model = TeacherStudent(K, M, "linear", scale="unit")
    critical = linear_solution(model).critical_learning_rate / c**2
    floor = linear_solution(TeacherStudent(1, 1, "linear", eta=kappa, label_noise=noise)).floor
    values = [
        {kappa: v, noise: sp.Rational(1, 5)} for v in (1, sp.Rational(1, 2), sp.Rational(7, 4))
    ]
    return [
        Step(
            r"The rates $\mu$ of relaxation are where the denominator vanishes: the characteristic "
            r"polynomial, divided by $\prod_k(\mu + 2\kappa\lambda_k)$, is",
            equation(chi, 1 - secular),
            "Determinant of a diagonal matrix plus one of rank one. Each gap between the poles "
            r"holds one root, and one lies above $-2\kappa\lambda_L$.",
            Symbolic({chi: determinant / poles, **three_modes()}),
        ),
        Step(
            r"The largest $\mu$ is negative as long as $\hat K(0) < 1$, and this is",
            equation(secular.subs(mu, 0), kappa / 2),
            r"$\sum_k w_k \lambda_k = 1$, whatever the spectrum.",
            Symbolic(three_modes()),
        ),
        Step(
            "so that noise of SGD makes the error diverge from this learning rate on.",
            equation(eta_c, critical),
            r"$\kappa = \eta K c^2 = 2$. Checked against the zero in $\eta$ of the determinant of "
            "the equations for three eigenspaces.",
            Numeric(
                points=[{K: 1, c: 1}, {K: 3, c: sp.Rational(1, 2)}, {K: 2, c: sp.Rational(3, 4)}],
                evaluate=_unstable,
            ),
        ),
        Step(
            "Below it label noise leaves a floor.",
            equation(eps_inf, floor),
            r"$\lim z\hat\varepsilon_g$ for $z \to 0$. Checked against the stationary state of "
            "three eigenspaces.",
            Numeric(
                points=values, evaluate=lambda pt: stationary(pt[kappa], pt[noise], 3, mp.mpf(0))
            ),
        ),
    ]


def _unstable(point: dict[Any, Any]) -> mp.mpf:
    """Zero in eta of det, away from eta = 0: det/kappa^3 is linear in kappa."""
    units = point[K] * point[c] ** 2
    reduced = sp.lambdify(kappa, sp.cancel(relaxation_matrix().det() / kappa**3), "mpmath")
    return mp.findroot(lambda rate: reduced(rate * units), (mp.mpf(1) / 2 / units, 3 / units))


def build() -> Derivation:
    """Derivation of the linear network's exact solution and of its laws (WR24)."""
    return Derivation(
        name="linear_student",
        title="The linear network solved: late times, learned features, compute",
        summary="With linear activation only the difference of the teachers' and the students' "
        "sums of vectors is learned. Its squared projections obey a diagonal-plus-rank-one system, "
        "which is solved for any spectrum and learning rate; for a power law the sums over "
        "eigenvalues become scaling laws with their constants.",
        steps=(
            *_reduction_steps(),
            *_volterra_steps(),
            *_stability_steps(),
            *window_steps(),
            *noise_steps(),
            *feature_steps(),
            *compute_steps(),
        ),
        sources=("WR24",),
        notation=(
            (kappa, r"$\eta K c^2$, the effective learning rate"),
            (eps_0, r"$\varepsilon_g$ at the start"),
            (noise, "variance of the label noise"),
            (N_l, "number of trainable directions"),
            (compute, r"compute, $\alpha N_l$"),
        ),
    )
