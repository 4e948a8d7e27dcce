"""From one SGD step to the order-parameter equations: modes, moments, and K = M = 2 in full.

The equations printed are those of `theory.online` and `theory.forms`, from which the integrators
are compiled.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory.derivation import Assumed, Derivation, Expectation, Numeric, Step, Symbolic, equation
from theory.forms import ModeForm
from theory.models import PowerLaw, TeacherStudent
from theory.online import OrderParameterODE, order_parameter_odes
from theory.symbols import C, D, G, alpha, c, f, h, i, j, k, lam, nu, s, u, w

from .order_parameters_explicit import (
    entries,
    explicit_model,
    explicit_steps,
    integrands,
    moment_steps,
)
from .witness import gaussian_average

__all__ = ["build"]

K, M, L, N = sp.symbols("K M L N", integer=True, positive=True)
eta, gamma, sigma2 = sp.symbols("eta gamma sigma_noise^2", positive=True)
n_k = sp.Symbol("n_k", positive=True)
e = sp.IndexedBase("e", real=True)
mu, a = sp.IndexedBase("mu", real=True), sp.IndexedBase("a", real=True)
eps = sp.Symbol("eps_g", positive=True)
EXAMPLE = PowerLaw(beta=1, L=3)


def _general() -> OrderParameterODE:
    """Any K, M, L, with label noise and weight decay."""
    spectrum = PowerLaw(beta=sp.Symbol("beta", positive=True), L=L)
    return order_parameter_odes(
        TeacherStudent(K, M, "erf", spectrum, eta, label_noise=sigma2, weight_decay=gamma)
    )


def _gradient_step() -> Step:
    x1, x2, y1, y2, x, scale = sp.symbols("x_1 x_2 y_1 y_2 x c", real=True)
    g, dg, student, teacher = (sp.Function(name) for name in ("g", "g'", "sigma", "zeta"))
    loss = (student(x1, x2) - teacher(y1, y2)) ** 2 / 2
    delta = scale * dg(x1) * (teacher(y1, y2) - student(x1, x2))
    return Step(
        r"SGD moves a student vector along $\delta_i \xi$, where $\delta_i$ is minus the "
        "derivative of the loss of one example in the field $x_i$; here for $K = M = 2$.",
        equation(-sp.Derivative(loss, x1), delta),
        r"Chain rule, with $\sigma = c\,(g(x_1)+g(x_2))$ and $\zeta = c\,(g(y_1)+g(y_2))$.",
        Symbolic(
            {
                student: sp.Lambda((x, alpha), scale * (g(x) + g(alpha))),
                teacher: sp.Lambda((x, alpha), scale * (g(x) + g(alpha))),
                dg: sp.Lambda(x, sp.Derivative(g(x), x)),
            }
        ),
    )


def _vectors(name: str) -> list[sp.Symbol]:
    """Three components of a vector in an eigenspace: enough for identities of scalar products."""
    return [sp.Symbol(f"{name}_{n}", real=True) for n in range(3)]


def _dot(left: list[Any], right: list[Any]) -> sp.Expr:
    return sp.Add(*(x * y for x, y in zip(left, right, strict=True)))


def _one_step_steps() -> list[Step]:
    delta, z, new = (sp.IndexedBase(name, real=True) for name in ("delta", "z", "c'"))
    delta_i, delta_j, norm = delta[i], delta[j], sp.IndexedBase("Xi", real=True)[k]
    z_i, z_j, z_h = z[k, i], z[k, j], z[k, h]
    q, r, new_q, new_r = c[k, i, j], c[k, i, h], new[k, i, j], new[k, i, h]
    keep = 1 - eta * gamma / N
    xi, J_i, J_j, B_h = (_vectors(name) for name in ("xi", "Ji", "Jj", "Bh"))
    moved = [
        [keep * x + eta / sp.sqrt(N) * kick * v for x, v in zip(J, xi, strict=True)]
        for J, kick in ((J_i, delta_i), (J_j, delta_j))
    ]
    meaning = {
        new_q: _dot(*moved) / n_k,
        new_r: _dot(moved[0], B_h) / n_k,
        q: _dot(J_i, J_j) / n_k,
        r: _dot(J_i, B_h) / n_k,
        z_i: _dot(xi, J_i) / sp.sqrt(N),
        z_j: _dot(xi, J_j) / sp.sqrt(N),
        z_h: _dot(xi, B_h) / sp.sqrt(N),
        norm: _dot(xi, xi),
    }
    square = eta**2 / N * delta_i * delta_j * norm
    return [
        Step(
            r"One step $J_i \to (1-\eta\gamma/N) J_i + (\eta/\sqrt N)\,\delta_i\,\xi$ changes the "
            r"overlap $c_{kih} = J_i P_k B_h/n_k$ with a teacher $h$ in eigenspace $k$ to",
            equation(n_k * new_r, keep * n_k * r + eta * delta_i * z_h),
            r"Project on eigenspace $k$; $z_{kf} = \xi P_k F_f/\sqrt N$ is its share in the field "
            "of the vector $F_f$.",
            Symbolic(meaning),
        ),
        Step(
            "The overlap of two students changes to",
            equation(
                n_k * new_q,
                keep**2 * n_k * q + keep * eta * (delta_i * z_j + delta_j * z_i) + square,
            ),
            r"The same, with $\Xi_k = |P_k\xi|^2$.",
            Symbolic(meaning),
        ),
        _covariance_step(),
    ]


def _covariance_step() -> Step:
    z = sp.IndexedBase("z", real=True)[k, h]
    field = sp.IndexedBase("phi", real=True)[f]
    F_f, F_h = _vectors("Ff"), _vectors("Fh")
    shared = _dot(F_f, F_h)
    meaning = {
        # E[xi_a xi_b] = lam_k delta_ab in eigenspace k; other eigenspaces are independent of z_kh.
        Expectation(z * field): lam[k] * shared / N,
        w[k]: n_k / N,
        c[k, f, h]: shared / n_k,
    }
    return Step(
        r"The field $\phi_f$ of a vector and the share $z_{kh}$ are Gaussian with covariance",
        equation(Expectation(z * field), w[k] * lam[k] * c[k, f, h]),
        r"$\xi$ has covariance $\Sigma$; $c_k$ collects $q_k$, $r_k$, $t_k$, and $n_k = w_k N$.",
        Symbolic(meaning),
    )


def _average_steps(ode: OrderParameterODE) -> list[Step]:
    total = sp.Sum(s[f] * e[f], (f, 1, 4))
    return [
        Step(
            r"With $\zeta - \sigma = \sum_f s_f\, g(\phi_f)$ the generalisation error is a double "
            "sum of two-point averages.",
            equation(eps, ode.indexed_error),
            r"Expand the square in $\varepsilon_g = \tfrac12\mathbb{E}[(\zeta-\sigma)^2]$. Checked "
            "on the integrands for $K = M = 2$.",
            Symbolic({eps: total**2 / 2, **integrands()}),
        ),
        _drift_step(ode),
        _stein_step(),
        Step(
            r"The noise $G_{ij} = \mathbb{E}[\delta_i\delta_j]$ is a double sum of four-point "
            "averages; label noise adds its variance.",
            equation(G[i, j], ode.indexed_noise),
            r"Expand the square in $\delta_i\delta_j = s_i s_j\, g'(x_i) g'(x_j) "
            r"(\zeta-\sigma)^2$. Checked on the integrands for $K = M = 2$.",
            Symbolic(
                {
                    G[i, j]: s[i] * s[j] * e[i] * e[j] * (total**2 + sigma2),
                    **integrands(),
                }
            ),
        ),
    ]


def _drift_step(ode: OrderParameterODE) -> Step:
    explicit = explicit_model()
    first = explicit.covariance[0, 0]
    minus_gradient = -2 * sp.Derivative(explicit.generalization_error, first)
    return Step(
        r"The drift $D_{if} = \mathbb{E}[\partial\delta_i/\partial\phi_f]$ is minus the gradient "
        r"of $\varepsilon_g$, $-(\partial/\partial C_{if} + \partial/\partial C_{fi})"
        r"\varepsilon_g$.",
        equation(D[i, f], ode.indexed_drift),
        "Differentiate the double sum. Checked for $K = M = 2$ at $i = f = 1$, where both terms "
        "contribute, against the derivative of the closed form.",
        Symbolic(
            {
                D[i, f]: minus_gradient,
                f: sp.Integer(1),
                i: sp.Integer(1),
                **entries(explicit),
                **explicit.kernels,
            }
        ),
    )


def _stein_step() -> Step:
    """E[delta z] for K = M = 1, by quadrature, against the drift in closed form."""
    x, y = sp.symbols("x y", real=True)
    z, delta = (sp.IndexedBase(name, real=True) for name in ("z", "delta"))
    ode = order_parameter_odes(TeacherStudent(1, 1, "erf", scale="unit"))
    Q, R, T = ode.Q[0, 0], ode.R[0, 0], ode.T[0, 0]
    r_k, t_k, lam_k, w_k = sp.symbols("r_k t_k lambda_k w_k", positive=True)
    with_x, with_y = w_k * lam_k * r_k, w_k * lam_k * t_k
    det = Q * T - R**2
    mean = ((with_x * T - with_y * R) * x + (with_y * Q - with_x * R) * y) / det
    g = ode.model.activation
    body = g.derivative.subs(g.expr.free_symbols.pop(), x) * (g(y) - g(x)) * mean
    fields = {x: (sp.sqrt(Q), sp.S.Zero), y: (R / sp.sqrt(Q), sp.sqrt(T - R**2 / Q))}
    values = [(2, 1, 1, 2, 3), (3, -2, 2, 1, 5), (4, 1, 3, 5, 2)]
    points = [
        {Q: sp.Rational(p1, 5), R: sp.Rational(p2, 7), T: sp.Rational(p3, 3),
         r_k: sp.Rational(p4, 9), t_k: sp.Rational(p5, 4), lam_k: sp.Rational(3, 2),
         w_k: sp.Rational(1, 3)}
        for p1, p2, p3, p4, p5 in values
    ]  # fmt: skip
    sum_over_fields = sp.Sum(D[i, f] * c[k, f, h], (f, 1, K + M))
    meaning = {
        i: sp.Integer(1),
        h: sp.Integer(2),
        K: sp.Integer(1),
        M: sp.Integer(1),
        D[1, 1]: ode.drift[0, 0],
        D[1, 2]: ode.drift[0, 1],
        c[k, 1, 2]: r_k,
        c[k, 2, 2]: t_k,
        lam[k]: lam_k,
        w[k]: w_k,
    }
    return Step(
        r"A share of a field times $\delta_i$ averages to a linear combination of overlaps.",
        equation(Expectation(z[k, h] * delta[i]), w[k] * lam[k] * sum_over_fields),
        r"Stein's lemma and the covariance of $z_{kh}$ with the fields. Checked for $K = M = 1$: "
        "the left side by quadrature, the right side with the closed form of $D$.",
        Numeric(meaning, points, evaluate=gaussian_average(body, fields)),
    )


def _limit_steps(ode: OrderParameterODE) -> list[Step]:
    form = ModeForm(ode)
    keep = 1 - eta * gamma / N

    def drive(x: Any, y: Any) -> sp.Expr:
        """E[delta_x z_ky], by the step on Stein's lemma."""
        return w[k] * lam[k] * sp.Sum(D[x, f] * c[k, f, y], (f, 1, K + M))

    r_change = (keep - 1) * c[k, i, h] + eta / n_k * drive(i, h)
    q_change = (
        (keep**2 - 1) * c[k, i, j]
        + keep * eta / n_k * (drive(i, j) + drive(j, i))
        + eta**2 / N * lam[k] * G[i, j]
    )
    x, y, z = sp.symbols("x y z", integer=True)
    equations = form.equations
    shared = {
        n_k: w[k] * N,
        nu[k]: lam[k],
        u: sp.Lambda((x, y, z), lam[x] * c[x, y, z]),
        K: sp.Integer(1),
        M: sp.Integer(1),
    }
    return [
        Step(
            r"As $N \to \infty$ at fixed $\alpha = $ steps$/N$ the overlaps and $|P_k\xi|^2/n_k "
            r"\to \lambda_k$ concentrate on their means, so that differences become derivatives.",
            None,
            "Self-averaging of the order parameters.",
            Assumed("SS95; proved by Goldt19 for this class of models"),
        ),
        Step(
            "The student-teacher overlaps of an eigenspace obey a linear equation, given $D$; "
            r"$h$ is a teacher, and $u_k = \lambda_k c_k$.",
            equations[0],
            "$N$ times the mean change of one step, $N \\to \\infty$.",
            Symbolic({equations[0].lhs: sp.Limit(N * r_change, N, sp.oo), **shared}),
        ),
        Step(
            "The student-student overlaps also feel the noise.",
            equations[1],
            r"The same; $\nu_k = \lambda_k$ is the limit of $|P_k\xi|^2/n_k$.",
            Symbolic({equations[1].lhs: sp.Limit(N * q_change, N, sp.oo), **shared}),
        ),
        _closure_step(form),
    ]


def _closure_step(form: ModeForm) -> Step:
    """The covariance of two fields, for two eigenspaces of three dimensions each."""
    vectors = [(_vectors(f"F{b}"), _vectors(f"H{b}")) for b in (1, 2)]
    covariance = sp.Add(*(lam[b] * _dot(*pair) / N for b, pair in enumerate(vectors, 1)))
    x, y, z = sp.symbols("x y z", integer=True)
    meaning = {
        C[f, h]: covariance,
        u: sp.Lambda((x, y, z), lam[x] * c[x, y, z]),
        L: sp.Integer(2),
        **{c[b, f, h]: _dot(*pair) / n_k for b, pair in enumerate(vectors, 1)},
        **{w[b]: n_k / N for b in (1, 2)},
    }
    return Step(
        "The covariance of the fields, on which $D$ and $G$ depend, closes the system.",
        form.equations[3],
        r"$C_{fh} = F_f \Sigma F_h/N$, eigenspace by eigenspace. Checked for two eigenspaces.",
        Symbolic(meaning),
    )


def build() -> Derivation:
    """Derivation of the order-parameter equations (SS95, YO19, WR24)."""
    ode = _general()
    return Derivation(
        name="order_parameters",
        title="From one step of SGD to the order-parameter equations",
        summary=r"A student $\sigma = c\sum_i g(x_i)$ learns a teacher $\zeta = c\sum_n g(y_n)$ "
        r"from Gaussian inputs with covariance $\Sigma$. The overlaps in the eigenspaces of "
        r"$\Sigma$ obey closed ordinary differential equations, linear given a few macroscopic "
        "coefficients; their moments obey the same equations, closed by Cayley-Hamilton.",
        steps=(
            _gradient_step(),
            *_one_step_steps(),
            *_average_steps(ode),
            *_limit_steps(ode),
            *moment_steps(),
            *explicit_steps(),
        ),
        sources=(
            "SS95",
            "YO19",
            "WR24",
            "Goldt19: Goldt, Advani, Saxe, Krzakala & Zdeborova, NeurIPS 2019, arXiv:1906.08632",
        ),
        notation=(
            (s[f], "output weight with its sign: $-c$ for students, $+c$ for teachers"),
            (c[k, f, h], "overlap of the vectors $f$ and $h$ in eigenspace $k$, over $n_k$"),
            (C[f, h], "covariance of the fields $f$ and $h$; students first, then teachers"),
            (lam[k], r"eigenvalue of $\Sigma$; $w_k$ its weight $n_k/N$"),
        ),
    )
