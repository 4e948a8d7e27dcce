"""Near the perfect student: the equations in deviations, without differences of large numbers.

The equations printed are those of `theory.deviations`, from which the integrator's right-hand side
is compiled; what is compiled is confronted with the closed forms of the ordinary equations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flint
import mpmath as mp
import sympy as sp

from numerics.compile import compile_ode
from numerics.targets import FlintTarget, midpoint
from theory.derivation import Derivation, Numeric, Step, Symbolic, equation
from theory.deviations import Deviations
from theory.forms import ModeForm
from theory.models import TeacherStudent
from theory.online import OrderParameterODE, order_parameter_odes
from theory.symbols import (
    C,
    D,
    G,
    I2a,
    I2ab,
    I2f,
    I4f,
    Zf,
    alpha,
    c,
    f,
    h,
    i,
    j,
    k,
    lam,
    n,
    nu,
    s,
    tau_1,
    tau_2,
    u,
)  # fmt: skip

__all__ = ["build"]

K = sp.Symbol("K", integer=True, positive=True)
eta, sigma2 = sp.symbols("eta sigma_noise^2", positive=True)
eps, n_k = sp.symbols("eps_g n_k", positive=True)
a, d, E, e = (sp.IndexedBase(name, real=True) for name in ("a", "d", "E", "e"))
Q, R, V, A, T = sp.symbols("Q R V A T", real=True)
size = sp.Symbol("epsilon", real=True)
IN_DEVIATIONS = {Q: V + 2 * A + T, R: A + T}
POINTS = [
    {V: sp.Rational(p, 60), A: sp.Rational(q, 50), T: sp.Rational(r, 7)}
    for p, q, r in ((3, -4, 8), (7, 5, 3), (2, 1, 12))
]


def _model(units: Any) -> TeacherStudent:
    return TeacherStudent(units, units, "erf", eta=eta, scale="unit", label_noise=sigma2)


def _components(name: str) -> list[sp.Symbol]:
    """Three components of a vector in an eigenspace: enough for identities of scalar products."""
    return [sp.Symbol(f"{name}_{number}", real=True) for number in range(3)]


def _dot(left: list[Any], right: list[Any]) -> sp.Expr:
    return sp.Add(*(x * y for x, y in zip(left, right, strict=True)))


def _minus(left: list[Any], right: list[Any]) -> list[sp.Expr]:
    return [x - y for x, y in zip(left, right, strict=True)]


def _definition_step() -> Step:
    J_i, J_j, B_i, B_j, B_n = (_components(name) for name in ("Ji", "Jj", "Bi", "Bj", "Bn"))
    products = {
        a[k, i, n]: (_minus(J_i, B_i), B_n),
        d[k, i, j]: (_minus(J_i, B_i), _minus(J_j, B_j)),
        c[k, i, K + n]: (J_i, B_n),
        c[k, K + i, K + n]: (B_i, B_n),
        c[k, i, j]: (J_i, J_j),
        c[k, i, K + j]: (J_i, B_j),
        c[k, j, K + i]: (J_j, B_i),
        c[k, K + i, K + j]: (B_i, B_j),
    }
    return Step(
        r"Every student has found its teacher, $J_i \approx B_i$, $K = M$. The overlaps of the "
        r"deviations $J - B$ with the teachers and among themselves, in eigenspace $k$, are",
        (
            equation(a[k, i, n], c[k, i, K + n] - c[k, K + i, K + n]),
            equation(
                d[k, i, j],
                c[k, i, j] - c[k, i, K + j] - c[k, j, K + i] + c[k, K + i, K + j],
            ),
        ),
        r"$a_{kin} = (J_i - B_i) P_k B_n/n_k$ and $d_{kij} = (J_i - B_i) P_k (J_j - B_j)/n_k$; "
        "field $K + n$ is teacher $n$.",
        Symbolic({overlap: _dot(*pair) / n_k for overlap, pair in products.items()}),
    )


def _mode_steps() -> list[Step]:
    """The linear form of the equations, for K = M = 2."""
    form = ModeForm(order_parameter_odes(_model(K)))
    r_in, q_ij = form.student_teacher, form.student_student
    x, y, z = sp.symbols("x y z", integer=True)
    meaning = {
        u: sp.Lambda((x, y, z), lam[x] * c[x, y, z]),
        nu[k]: lam[k],
        d: sp.Lambda((x, y, z), c[x, y, z] - c[x, y, K + z] - c[x, z, K + y] + c[x, K + y, K + z]),
        a: sp.Lambda((x, y, z), c[x, y, K + z] - c[x, K + y, K + z]),
        E: sp.Lambda((x, y), D[x, y] + D[x, K + y]),
        K: 2,
        i: 1,
        j: 2,
        n: 2,
        c: sp.Lambda((x, y, z), c[x, sp.Min(y, z), sp.Max(y, z)]),
    }
    units = (f, 1, K)
    a_rate, d_rate = (sp.Derivative(x, alpha) for x in (a[k, i, n], d[k, i, j]))
    to_teachers = sp.Sum(D[i, f] * a[k, f, n] + E[i, f] * c[k, K + f, K + n], units)
    among = sp.Sum(
        D[i, f] * d[k, f, j] + E[i, f] * a[k, j, f] + D[j, f] * d[k, f, i] + E[j, f] * a[k, i, f],
        units,
    )
    at_teacher = q_ij - r_in.subs(h, K + j) - r_in.subs({i: j, h: K + i}, simultaneous=True)
    return [
        Step(
            r"They obey the equations of $r_k$ and $q_k$, with $E_{in} = D_{in} + D_{i,K+n}$ in "
            "the place of the drift towards the teachers.",
            equation(a_rate, eta * lam[k] * to_teachers),
            "The teachers do not move; collect what multiplies $t_k$. Checked for $K = 2$.",
            Symbolic({a_rate: r_in.subs(h, K + n), **meaning}),
        ),
        Step(
            "Among themselves:",
            equation(d_rate, eta * lam[k] * among + eta**2 * lam[k] * G[i, j]),
            r"$\dot q_{kij} - \dot r_{kij} - \dot r_{kji}$.",
            Symbolic({d_rate: at_teacher, **meaning}),
        ),
    ]


def _way_steps(deviations: Deviations) -> list[Step]:
    B_f, B_h, W_f, W_h = (_components(name) for name in ("Bf", "Bh", "Wf", "Wh"))
    at_f = [x + tau_1 * y for x, y in zip(B_f, W_f, strict=True)]
    at_h = [x + tau_2 * y for x, y in zip(B_h, W_h, strict=True)]
    way = Zf(f, h, tau_1, tau_2)
    g = sp.Function("g")
    x_f, y_f, x = sp.symbols("x_f y_f x", real=True)
    along = sp.Derivative(g(y_f + tau_1 * (x_f - y_f)), tau_1)
    return [
        Step(
            r"On its way from the teacher to the student a field is $z_f(\tau) = y_f + "
            r"\tau\,(x_f - y_f)$. Two of them have the covariance",
            equation(way, deviations.ways(*way.args)),
            r"$C$ is from now on the covariance of the fields $(x_1 - y_1, \dots, x_K - y_K, "
            r"y_1, \dots, y_K)$.",
            Symbolic(
                {
                    way: _dot(at_f, at_h),
                    C[f, h]: _dot(W_f, W_h),
                    C[f, K + h]: _dot(W_f, B_h),
                    C[h, K + f]: _dot(W_h, B_f),
                    C[K + f, K + h]: _dot(B_f, B_h),
                }
            ),
        ),
        Step(
            "What the student gets wrong is an integral along the way, with no difference left.",
            equation(g(x_f) - g(y_f), sp.Integral(along, (tau_1, 0, 1))),
            "The fundamental theorem of calculus; checked for the error function.",
            Numeric({g: sp.Lambda(x, sp.erf(x / sp.sqrt(2)))}),
        ),
    ]


def _squares() -> dict[Any, Any]:
    """Averages replaced by their integrands for g(x) = x^2, fields by numbers e_f; K = 2.

    What remains is an identity of polynomials, for every value of the fields.
    """
    aa, bb, ab = pair = sp.symbols("aa bb ab")
    cc, dd, ac, ad, bc, bd, cd = sp.symbols("cc dd ac ad bc bd cd")
    four = (aa, bb, cc, dd, ab, ac, ad, bc, bd, cd)
    # Minors of a matrix of products vanish; with them, no argument of a kernel may be wrong.
    minor = aa * bb - ab**2
    others = minor * cd + ac * bd - ad * bc + cc * dd - cd**2
    x, y, at_x, at_y = sp.symbols("x y at_x at_y")

    def field(unit: sp.Expr, at: sp.Expr) -> sp.Expr:
        return e[K + unit] + at * (e[unit] - e[K + unit])

    return {
        I4f: sp.Lambda(four, 4 * ab * cd**2 + others),
        I2f: sp.Lambda(pair, ab**2 + minor),
        I2ab: sp.Lambda(pair, 4 * ab + minor),
        I2a: sp.Lambda(pair, bb + minor),
        Zf: sp.Lambda((x, y, at_x, at_y), field(x, at_x) * field(y, at_y)),
        K: 2,
        s[3]: -s[1],
        s[4]: -s[2],
    }


def _average_steps(deviations: Deviations) -> list[Step]:
    total = sp.Add(*(s[unit] * (e[unit] ** 2 - e[unit + 2] ** 2) for unit in (1, 2)))
    delta = -2 * s[1] * e[1] * total
    noise = 4 * s[1] * s[2] * e[1] * e[2] * (total**2 + sigma2)
    cases = (
        (
            r"With $\zeta - \sigma = \sum_f s_f\,(g(x_f) - g(y_f))$, $s_f = -c$, the "
            "generalisation error becomes",
            equation(eps, deviations.indexed_error),
            "Expand the square. Checked on the integrands of $g(x) = x^2$ for $K = 2$, for every "
            "value of the fields.",
            {eps: total**2 / 2},
        ),
        (
            "The drift among the students keeps its form, but for the error in it:",
            equation(D[i, j], deviations.indexed_drift),
            r"$D_{ij} = \mathbb{E}[\partial\delta_i/\partial x_j]$. Checked in the same way at "
            "$i = j = 1$, where both terms contribute.",
            {D[i, j]: sp.Derivative(delta, e[1]), i: 1, j: 1},
        ),
        (
            "What pulls the deviations is of their first order.",
            equation(E[i, n], deviations.indexed_excess),
            r"$E_{in} = \mathbb{E}[\partial\delta_i/\partial x_n + "
            r"\partial\delta_i/\partial y_n]$. Checked in the same way at $i = n = 1$.",
            {E[i, n]: sp.Derivative(delta, e[1]) + sp.Derivative(delta, e[3]), i: 1, n: 1},
        ),
        (
            "The noise of the inputs is of their second order; label noise stays.",
            equation(G[i, j], deviations.indexed_noise),
            r"$G_{ij} = \mathbb{E}[\delta_i\delta_j]$. Checked in the same way at $i = 1$, "
            "$j = 2$.",
            {G[i, j]: noise, i: 1, j: 2},
        ),
    )
    return [
        Step(text, eq, reason, Symbolic({**meaning, **_squares()}))
        for text, eq, reason, meaning in cases
    ]


def _positive_step() -> Step:
    w, p = sp.IndexedBase("w", real=True), sp.Symbol("p", integer=True)
    q = sp.Symbol("q", integer=True)
    v = sp.IndexedBase("v", real=True)
    full = sp.Sum(
        s[f] * s[h] * w[p] * w[q] * v[f, p] * v[h, q], (f, 1, K), (h, 1, K), (p, 1, 2), (q, 1, 2)
    )
    return Step(
        r"A rule with positive weights $w_p$ for the integrals makes $\varepsilon_g$ the average "
        r"of a square, here with two nodes, $v_{fp} = (x_f - y_f)\,g'(z_f(\tau_p))$: however "
        "small, it is not negative.",
        equation(full / 2, sp.Sum(s[f] * w[p] * v[f, p], (f, 1, K), (p, 1, 2)) ** 2 / 2),
        r"$\partial_{\tau_1}\partial_{\tau_2}\,\mathbb{E}[g(z_f(\tau_1))\,g(z_h(\tau_2))]$ is the "
        "average of the product of both derivatives. Checked for $K = 2$.",
        Symbolic({K: 2}),
    )


def _single() -> OrderParameterODE:
    return order_parameter_odes(TeacherStudent(1, 1, "erf", eta=1, scale="unit"))


def _compiled(value: Callable[..., Any]) -> Callable[[dict[sp.Basic, Any]], Any]:
    """A value of what `numerics.compile` makes of the printed equations, at K = 1."""

    def evaluate(point: dict[sp.Basic, Any]) -> Any:
        target = FlintTarget(mp.mp.dps + 10)
        with target.precision():
            rhs = compile_ode(_single().modes(), target, digits=mp.mp.dps, deviations=True)
            there = target.array([[point[V], point[A]], [point[A], point[T]]])
            drift, noise = rhs.coefficients(there)
            error = rhs.functions["generalization_error"](1, 1, rhs.constants["s"], there)
            return midpoint(flint.arb(value(error, drift, noise)))

    return evaluate


def _closed() -> list[sp.Expr]:
    """eps_g, E_11 and G_11 of theory.online for K = M = 1, c = 1, in Q, R, T."""
    ode = _single()
    named = {ode.Q[0, 0]: Q, ode.R[0, 0]: R, ode.T[0, 0]: T}
    drift = ode.drift[0, 0] + ode.drift[0, 1]
    return [x.xreplace(named) for x in (ode.generalization_error, drift, ode.noise[0, 0])]


def _compiled_steps() -> list[Step]:
    error, excess, noise = _closed()
    cases = (
        ("The ordinary error is the same number", eps, error, lambda x, D, G: x),
        ("So is the sum of the drifts", E[1, 1], excess, lambda x, D, G: D[0, 1]),
        ("And the noise", G[1, 1], noise, lambda x, D, G: G[0, 0]),
    )
    return [
        Step(
            rf"{text}, here for $K = 1$, $c = 1$, $Q = V + 2A + T$, $R = A + T$.",
            equation(name, closed),
            "The left side is what the integrator computes of the integrals above, at generic "
            "points far from the perfect student.",
            Numeric(IN_DEVIATIONS, POINTS, evaluate=_compiled(value)),
        )
        for text, name, closed, value in cases
    ]


def _order_steps() -> list[Step]:
    """The leading orders in the size of the deviation, A -> epsilon A, V -> epsilon^2 V."""
    error, excess, noise = (
        x.xreplace(IN_DEVIATIONS).xreplace({A: size * A, V: size**2 * V}) for x in _closed()
    )
    of_error, of_excess, of_noise = (sp.Function(x) for x in ("epsilon_g", "E_11", "G_11"))
    wide, wider = 1 + 2 * T, 1 + 4 * T
    cases = (
        (of_error, 2, error, (V - 2 * A**2 / wide) / (sp.pi * sp.sqrt(wide))),
        (of_excess, 1, excess, 4 * A / (sp.pi * sp.sqrt(wide) ** 3)),
        (of_noise, 2, noise, 4 * (V - 4 * A**2 / wider) / (sp.pi**2 * sp.sqrt(wider))),
    )
    return [
        Step(
            rf"The deviation of size $\varepsilon$ gives {what}",
            equation(
                sp.Subs(sp.Derivative(function(size), (size, order)), size, 0),
                sp.factorial(order) * leading,
            ),
            reason,
            Numeric({function: sp.Lambda(size, closed)}, POINTS),
        )
        for (function, order, closed, leading), what, reason in zip(
            cases,
            (
                "an error of second order:",
                "a pull of first order:",
                "a noise of second order:",
            ),
            (
                r"$\tfrac12\mathbb{E}[v^2 g'(y)^2]$, $v = x - y$, against the closed form with "
                r"$A \to \varepsilon A$, $V \to \varepsilon^2 V$.",
                r"$-2\,\mathbb{E}[v\,g'(y)\,g''(y)]$.",
                r"$\mathbb{E}[v^2 g'(y)^4]$.",
            ),
            strict=True,
        )
    ]


def build() -> Derivation:
    """Derivation of the equations in deviations from the perfect student (SS95, YO19)."""
    deviations = order_parameter_odes(_model(K)).deviations()
    return Derivation(
        name="deviations",
        title="Near the perfect student: small numbers without differences",
        summary=r"Late in training $\varepsilon_g$ is a difference of averages of order one and "
        "loses its digits. Written in the deviations of the students from their teachers, and as "
        "integrals along the way between them, it keeps its accuracy relative to itself, and so "
        "does all that moves the deviations.",
        steps=(
            _definition_step(),
            *_mode_steps(),
            *_way_steps(deviations),
            *_average_steps(deviations),
            _positive_step(),
            *_compiled_steps(),
            *_order_steps(),
        ),
        sources=("SS95", "YO19"),
        notation=(
            (s[f], "output weight of student $f$ with its sign, $-c$"),
            (a[k, i, n], r"overlap of $J_i - B_i$ with $B_n$; $d_k$ that of two deviations"),
            (E[i, n], "sum $D_{in} + D_{i,K+n}$ of the drifts"),
            (C[f, h], "covariance of the fields of the deviations, then of the teachers"),
            (Zf(f, h, tau_1, tau_2), r"covariance of $z_f(\tau_1)$ and $z_h(\tau_2)$"),
        ),
    )
