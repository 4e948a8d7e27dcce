"""The order-parameter equations as moments, and written out for K = M = 2.

The later steps of `derivations.order_parameters`, and the models on which its general steps are
checked.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory.derivation import Numeric, Step, Symbolic, equation
from theory.forms import ModeForm, MomentForm
from theory.models import PowerLaw, TeacherStudent
from theory.notation import apply_definitions
from theory.online import OrderParameterODE, order_parameter_odes
from theory.symbols import C, D, G, I2ab, I2f, I4f, alpha, c, h, i, j, k, l, lam, nu, s, u, w

__all__ = ["entries", "explicit_model", "explicit_steps", "integrands", "moment_steps"]

K, M, L = sp.symbols("K M L", integer=True, positive=True)
eta, sigma2 = sp.symbols("eta sigma_noise^2", positive=True)
e = sp.IndexedBase("e", real=True)
mu = sp.IndexedBase("mu", real=True)
eps = sp.Symbol("eps_g", positive=True)
EXAMPLE = PowerLaw(beta=1, L=3)


def integrands() -> dict[Any, Any]:
    """Averages replaced by their integrands: C_fh -> e_f e_h, I2 -> e_f e_h, I4 -> e_i e_j e_f e_h.

    What remains is the algebra of the sums, signs and coefficients.
    """
    x, y = sp.symbols("x y", integer=True)
    pair = sp.symbols("p1:4")
    four = sp.symbols("p1:11")
    return {
        K: 2,
        M: 2,
        I4f: sp.Lambda(four, four[4] * four[9]),
        I2f: sp.Lambda(pair, pair[2]),
        I2ab: sp.Lambda(pair, pair[2]),
        C: sp.Lambda((x, y), e[x] * e[y]),
    }


def explicit_model() -> OrderParameterODE:
    """K = M = 2, c = 1/sqrt(2), erf: the equations with all sums carried out."""
    return order_parameter_odes(TeacherStudent(2, 2, "erf", EXAMPLE, eta, label_noise=sigma2))


def entries(ode: OrderParameterODE) -> dict[Any, Any]:
    """Index notation to the symbols Q, R, T of an explicit model."""
    covariance = ode.covariance
    fields = range(1, covariance.rows + 1)
    weights = {s[x]: value for x, value in zip(fields, ode.signed_weights(), strict=True)}
    return {
        K: ode.model.K,
        M: ode.model.M,
        **{C[x, y]: covariance[x - 1, y - 1] for x in fields for y in fields},
        **weights,
    }


def moment_steps() -> list[Step]:
    """The same equations for the moments, closed by Cayley-Hamilton (WR24)."""
    form = MomentForm(order_parameter_odes(TeacherStudent(2, 2, "erf", EXAMPLE)))
    size = int(EXAMPLE.L)
    x = sp.Symbol("x", integer=True)
    cc = sp.IndexedBase("c", real=True)
    any_spectrum = {mu: sp.Lambda(x, sp.Sum(w[k] * lam[k] ** x * cc[k], (k, 1, size))), L: size}
    this_spectrum = {
        **any_spectrum,
        **{lam[b + 1]: value for b, value in enumerate(EXAMPLE.eigenvalues)},
        **{w[b + 1]: value for b, value in enumerate(EXAMPLE.weights)},
    }
    closed = sp.Add(*(-form.coefficients[n] * mu[n] for n in range(size)))
    eigen = sp.diag(*EXAMPLE.eigenvalues)
    return [
        Step(
            r"The moments $\mu_l = \sum_k w_k \lambda_k^l c_k$ obey the same equations: "
            r"multiplying by $\lambda_k$ raises the order by one, and $C = \mu_1$.",
            equation(sp.Sum(w[k] * lam[k] ** l * (lam[k] * cc[k]), (k, 1, L)), mu[l + 1]),
            r"Multiply the mode equations by $w_k\lambda_k^l$ and sum over $k$.",
            Symbolic(any_spectrum),
        ),
        Step(
            r"The moment of order $L$ is a combination of the lower ones, so $\mu_0, \dots, "
            rf"\mu_{{L-1}}$ are closed; here for $\beta = 1$, $L = {size}$.",
            equation(mu[size], closed),
            r"Cayley-Hamilton: every $\lambda_k$ is a root of $\prod_k (x-\lambda_k) = "
            r"\sum_l a_l x^l$.",
            Symbolic(this_spectrum),
        ),
        Step(
            r"In matrices: the weighted Vandermonde matrix $V_{lk} = w_k\lambda_k^l$ turns "
            "multiplication by the eigenvalues into the companion matrix.",
            equation(
                sp.MatMul(form.vandermonde, eigen, evaluate=False),
                sp.MatMul(form.companion, form.vandermonde, evaluate=False),
            ),
            "The change of variables between the two forms is exact.",
            Symbolic(),
        ),
        Step(
            "It is invertible when the eigenvalues are distinct.",
            equation(
                sp.MatMul(form.inverse_vandermonde, form.vandermonde, evaluate=False),
                sp.eye(size),
            ),
            "The rows of the inverse hold the Lagrange polynomials of the eigenvalues.",
            Symbolic(),
        ),
    ]


def explicit_steps() -> list[Step]:
    """Error, drift, noise and the equations of all overlaps for K = M = 2."""
    ode = explicit_model()
    return [
        Step(
            r"For $K = M = 2$ and $c = 1/\sqrt2$ the generalisation error reads",
            equation(eps, ode.generalization_error),
            "All sums carried out.",
            Numeric({eps: ode.indexed_error.xreplace({K + M: 4}), **entries(ode), **ode.kernels}),
        ),
        *_drift_steps(ode),
        _noise_step(ode),
        *_mode_steps(ode),
    ]


def _drift_steps(ode: OrderParameterODE) -> list[Step]:
    error, covariance = ode.generalization_error, ode.covariance
    steps = []
    for row in (1, 2):
        gradient = {
            D[row, column]: -(2 if row == column else 1)
            * sp.Derivative(error, covariance[row - 1, column - 1])
            for column in range(1, 5)
        }
        steps.append(
            Step(
                f"The drift of student {row} is",
                tuple(
                    equation(name, ode.drift[row - 1, column])
                    for column, name in enumerate(gradient)
                ),
                "Minus the gradient of the generalisation error; an entry of $Q$ off the diagonal "
                "stands for two.",
                Symbolic(gradient),
            )
        )
    return steps


def _noise_step(ode: OrderParameterODE) -> Step:
    I_4 = sp.Function("I_4")
    short = ode.indexed_noise.replace(I4f, lambda *p: I_4(*(x.indices[0] for x in p[:4])))
    four = sp.symbols("x y z t", integer=True)
    weights = {s[b]: value for b, value in enumerate(ode.signed_weights(), 1)}
    total = sp.Add(*(weights[s[b]] * e[b] for b in range(1, 5)))
    meaning = {G[a, b]: e[a] * e[b] * (total**2 + sigma2) / 2 for a, b in ((1, 1), (1, 2), (2, 2))}

    def written_out(a: int, b: int) -> sp.Expr:
        noise = short.subs({i: a, j: b}).doit().xreplace(weights)
        return sp.expand(noise.replace(I_4, lambda *p: I_4(*p[:2], *sorted(p[2:], key=int))))

    return Step(
        r"The noise is, with $I_4(i,j,f,h) = \mathbb{E}[g'(x_i)g'(x_j)g(\phi_f)g(\phi_h)]$,",
        tuple(equation(name, written_out(*map(int, name.indices))) for name in meaning),
        "All sums carried out; checked on the integrands.",
        Symbolic({**meaning, **integrands(), I_4: sp.Lambda(four, sp.Mul(*(e[x] for x in four)))}),
    )


def _mode_steps(ode: OrderParameterODE) -> list[Step]:
    form = ModeForm(ode)
    x, y, z = sp.symbols("x y z", integer=True)
    in_overlaps = (
        (u, sp.Lambda((x, y, z), lam[x] * c[x, y, z])),
        (c, sp.Lambda((x, y, z), c[x, sp.Min(y, z), sp.Max(y, z)])),
        (nu[k], lam[k]),
    )
    groups = (
        (
            "with the teachers (fields 3 and 4)",
            ((1, 3), (1, 4), (2, 3), (2, 4)),
            form.student_teacher,
        ),
        ("among the students", ((1, 1), (1, 2), (2, 2)), form.student_student),
    )
    steps = []
    for title, pairs, rates in groups:
        general = {
            sp.Derivative(c[k, a, b], alpha): rates.subs({i: a, j: b, h: b}) for a, b in pairs
        }
        steps.append(
            Step(
                f"The overlaps {title} obey",
                tuple(
                    equation(left, sp.expand(apply_definitions(right.doit(), in_overlaps)))
                    for left, right in general.items()
                ),
                "The general equation with its sums carried out.",
                Symbolic({**general, **dict(in_overlaps)}),
            )
        )
    return steps
