"""The symmetric plateau: fixed point, linearisation, escape rate for every spectrum, tau_esc.

The formulas printed are those of `theory.plateau`; the escape rate is confronted with the largest
eigenvalue of the Jacobian of the full equations, in all modes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import flint
import mpmath as mp
import numpy as np
import sympy as sp

from numerics.compile import CompiledODE, compile_ode
from numerics.state import State
from numerics.targets import FlintTarget, midpoint
from theory.derivation import Derivation, Numeric, Step, Symbolic, equation
from theory.models import Discrete, PowerLaw, TeacherStudent
from theory.online import order_parameter_odes
from theory.plateau import UNITS, P, Q, R, SymmetricSector, plateau

__all__ = ["build"]

M = UNITS
A, a, b = sp.symbols("A a b", real=True)
eta, beta, T2 = sp.symbols("eta beta T_2", positive=True)
L = sp.Symbol("L", integer=True, positive=True)
eps, eps_star, Q_star, R_star = sp.symbols("eps_g eps_star Q_star R_star", positive=True)
gamma, gamma_1, tau = sp.symbols("gamma gamma_1 tau_esc", positive=True)


@lru_cache(maxsize=1)
def _sector() -> SymmetricSector:
    return SymmetricSector(order_parameter_odes(TeacherStudent(M, M), gradient_flow=True))


def _sector_steps() -> list[Step]:
    """The reduction to three overlaps, checked against the full equations at M = 3."""
    sector = _sector()
    ode = order_parameter_odes(TeacherStudent(3, 3), gradient_flow=True)
    symmetric = {
        entry: value
        for block, diagonal, off in ((ode.Q, Q, P), (ode.R, R, R), (ode.T, 1, 0))
        for n, entry in enumerate(block)
        for value in [diagonal if n % 4 == 0 else off]
    }
    full = ode.generalization_error.xreplace({k: sp.sympify(v) for k, v in symmetric.items()})
    error = sector.closed_error
    drift = {
        A: -2 * sp.Derivative(error, Q) / M,
        a: -2 * sp.Derivative(error, P) / (M * (M - 1)),
        b: -sp.Derivative(error, R) / M**2,
    }
    return [
        Step(
            r"For small $\eta$ the students first become alike: $Q_{ii} = Q$, $Q_{ij} = P$, "
            r"$R_{in} = R$, with orthonormal teachers. The generalisation error is then",
            equation(eps, error),
            "Count the pairs of equal overlaps in the double sum. Checked against the full "
            "expression for $M = 3$.",
            Numeric({eps: full, M: sp.Integer(3)}, _points()),
        ),
        Step(
            "Every entry of the drift is a derivative of it: $A$ on the diagonal of $D^x$, $a$ off "
            "the diagonal, $b$ everywhere in $D^y$.",
            tuple(equation(name, value) for name, value in zip(drift, sector.drift, strict=True)),
            r"Chain rule: $M$ diagonal, $M(M-1)$ off-diagonal and $M^2$ teacher entries are equal, "
            r"so $A = -\tfrac{2}{M}\partial_Q\varepsilon_g$, "
            r"$a = -\tfrac{2}{M(M-1)}\partial_P\varepsilon_g$, "
            r"$b = -\tfrac{1}{M^2}\partial_R\varepsilon_g$.",
            Numeric(drift, [{**point, M: n} for n, point in enumerate(_points(), 2)]),
        ),
    ]


def _points() -> list[dict[Any, Any]]:
    rows = ((3, 1, 2), (5, 2, 1), (2, 1, 1))
    return [{Q: sp.Rational(x, 7), P: sp.Rational(y, 9), R: sp.Rational(z, 8)} for x, y, z in rows]


def _fixed_point_steps() -> list[Step]:
    sector = _sector()
    row = (A + (M - 1) * a) * R + b
    dr, _ = sector.stationarity()
    entries = dict(zip((A, a, b), (e.subs(P, Q) for e in sector.drift), strict=True))
    S, W = sp.sqrt(2 * (1 + Q) - R**2), sp.sqrt(1 + 2 * Q)
    positive = 2 / (sp.pi * M * (1 + Q) * S * W)
    point = plateau(TeacherStudent(M, M))
    at_point = {Q: point.Q, R: point.R}
    return [
        Step(
            "The students collapse onto one vector ($P = Q$). Their overlap with the teachers is "
            "stationary when this vanishes:",
            equation(row, positive * ((1 + Q - M * R**2) * W - M * R * S)),
            r"The right-hand side of $\dot r$ divided by $\eta\lambda_k$.",
            Numeric(entries),
        ),
        Step(
            r"With it the right-hand side of $\dot q$ is proportional to $Q - M R^2$, so that "
            r"$Q = M R^2$; one equation for $Q$ is left, and it factors.",
            equation(
                M**2 * R**2 * (2 * (1 + Q) - R**2) - (1 + 2 * Q),
                ((2 * M - 1) * Q - 1) * (1 + Q),
            ),
            r"$M R\sqrt{2(1+Q)-R^2} = \sqrt{1+2Q}$, squared, with $M R^2 = Q$.",
            Symbolic({R: sp.sqrt(Q / M)}),
        ),
        Step(
            "Hence the overlap of the students at the plateau, whatever the spectrum.",
            equation(Q_star, point.Q),
            "The positive root; checked against a numerical zero of the drift.",
            Numeric(points=_sizes(2, 3, 7), evaluate=lambda pt: _numerical_root(dr, pt[M])),
        ),
        Step(
            "Their overlap with every teacher is",
            equation(R_star, point.R),
            r"$M R^2 = Q$; checked against the same zero.",
            Numeric(
                points=_sizes(2, 3, 7),
                evaluate=lambda pt: mp.sqrt(_numerical_root(dr, pt[M]) / pt[M]),
            ),
        ),
        Step(
            "The generalisation error of the plateau is",
            equation(eps_star, point.error),
            "Insert.",
            Numeric({eps_star: sector.closed_error.subs(P, Q), **at_point}, points=_sizes(2, 3, 7)),
        ),
    ]


def _sizes(*values: int) -> list[dict[Any, Any]]:
    return [{M: value} for value in values]


def _numerical_root(rate: sp.Expr, units: Any) -> mp.mpf:
    """Zero in Q of the stationarity condition along Q = M R^2."""
    along = sp.lambdify((Q, M), rate.subs(R, sp.sqrt(Q / M)), "mpmath")
    return mp.findroot(
        lambda q: along(q, units), (mp.mpf("0.05"), mp.mpf("0.9")), solver="anderson"
    )


def _linear_steps() -> list[Step]:
    sector, point = _sector(), plateau(TeacherStudent(M, M))
    at_point = {P: point.Q, Q: point.Q, R: point.R}
    growth = point.escape_rate / (point.model.eta)
    coupling = sp.Symbol("b'", real=True)
    return [
        Step(
            r"Specialisation, $\delta r_{in} \propto \delta_{in} - 1/M$, leaves every $Q_{ij}$ "
            "unchanged to first order. It is damped by $A - a$, and at the plateau this vanishes:",
            equation(A - a, 0),
            r"It is proportional to the stationarity condition $M R\sqrt{2(1+Q)-R^2} = "
            r"\sqrt{1+2Q}$.",
            Symbolic({A: sector.drift[0], a: sector.drift[1], **at_point}),
        ),
        Step(
            r"What is left is the feedback of $R_{in}$ on its own drift, "
            r"$b' = \partial D^y_{in}/\partial R_{in}$:",
            equation(coupling, growth),
            r"One derivative of $D^y_{in} = \tfrac1M\,\partial_{ab}I_2(Q_{ii}, T_{nn}, R_{in})$.",
            Numeric({coupling: sector.coupling, **at_point}, points=_sizes(2, 3, 7)),
        ),
        Step(
            r"The perturbation obeys $\dot\rho_k = \eta\lambda_k b' \sum_l w_l\lambda_l\rho_l$: "
            r"rank one, with $\rho_k \propto \lambda_k$, so the escape rate is exact for every "
            r"spectrum, $T_2 = \sum_k w_k\lambda_k^2$.",
            equation(gamma, eta * T2 * growth),
            "Checked against the largest eigenvalue of the Jacobian of the full equations in all "
            "modes, for two eigenvalues and $M = 2, 3$.",
            Numeric(points=_jacobian_points(), evaluate=_largest_eigenvalue),
        ),
    ]


def _jacobian_points() -> list[dict[Any, Any]]:
    rows = ((2, sp.Rational(5, 4)), (2, sp.Rational(10, 9)), (3, sp.Rational(5, 4)))
    return [{M: units, T2: t2, eta: sp.Rational(1, 10)} for units, t2 in rows]


def _largest_eigenvalue(point: dict[Any, Any]) -> mp.mpf:
    """Largest eigenvalue of the Jacobian at the plateau, by central differences in all modes."""
    units, spread = int(point[M]), mp.sqrt(point[T2] - 1)
    spectrum = Discrete([1 - spread, 1 + spread])
    model = TeacherStudent(units, units, "erf", spectrum, point[eta])
    ode = order_parameter_odes(model, gradient_flow=True)
    # The step loses a third of the digits to truncation and a third to rounding.
    digits = 2 * mp.mp.dps + 10
    target = FlintTarget(digits)
    with target.precision(), mp.workdps(digits):
        compiled = compile_ode(ode.modes(), target, digits)
        jacobian = _jacobian(compiled, flint.arb(10) ** -(digits // 3 + 3))
    return _refined_largest(jacobian)


def _refined_largest(matrix: mp.matrix) -> mp.mpf:
    """Largest real part of an eigenvalue: found in double precision, then inverse iteration."""
    rough = np.linalg.eigvals(np.array(matrix.tolist(), dtype=float))
    shift = mp.mpf(max(rough.real))
    shifted = matrix - shift * mp.eye(matrix.rows)
    vector = mp.matrix([mp.cos(n + 1) for n in range(matrix.rows)])
    value = shift
    for _ in range(mp.mp.dps // 10 + 2):
        vector = vector / mp.norm(vector)
        solved = mp.lu_solve(shifted, vector)
        value = shift + 1 / mp.fdot(vector, solved)
        vector = solved
    return value


def _jacobian(compiled: CompiledODE, step: flint.arb) -> mp.matrix:
    state, target = State(*compiled.sizes), compiled.target
    units, _, modes = compiled.sizes
    point = plateau(compiled.form.ode.model)
    overlaps = target.zeros(modes, 2 * units, 2 * units)
    for row in range(2 * units):
        for column in range(2 * units):
            both = (row >= units) + (column >= units)
            value = (point.Q, point.R, sp.Integer(row == column))[both]
            overlaps[:, row, column] = target.number(value)
    base = state.pack(overlaps)
    columns = []
    for n in range(base.size):
        moved = []
        for sign in (1, -1):
            shifted = base.copy()
            shifted[n] = shifted[n] + sign * step
            moved.append(state.pack(compiled.rates(state.unpack(shifted, overlaps))))
        columns.append([midpoint(x) for x in (moved[0] - moved[1]) / (2 * step)])
    return mp.matrix(columns).T


def _time_steps() -> list[Step]:
    k = sp.Symbol("k", integer=True, positive=True)
    s = sp.Symbol("s", positive=True)
    law = PowerLaw(beta=beta, L=L)
    four = PowerLaw(beta=beta, L=4)
    growth = plateau(TeacherStudent(M, M)).escape_rate
    growth = growth / TeacherStudent(M, M).eta
    t2_many = L * sp.zeta(2 * (1 + beta)) / sp.zeta(1 + beta) ** 2
    betas = [{beta: value} for value in (sp.Rational(3, 10), 1, 2)]
    return [
        Step(
            "For a power law the spectrum enters by harmonic numbers "
            r"$H_L(s) = \sum_{k\le L} k^{-s}$.",
            equation(T2, law.moment(2)),
            r"$\lambda_k = \lambda_+ k^{-(1+\beta)}$, $w_k = 1/L$. Checked for $L = 4$.",
            Numeric(
                {
                    T2: sp.Add(
                        *(x * y**2 for x, y in zip(four.weights, four.eigenvalues, strict=True))
                    ),
                    L: sp.Integer(4),
                },
                betas,
            ),
        ),
        Step(
            r"For many modes the harmonic numbers become zeta functions.",
            equation(sp.Sum(k**-s, (k, 1, sp.oo)), sp.zeta(s)),
            "Definition; both sums converge since their exponents exceed one.",
            Numeric(points=[{s: 2}, {s: 3}, {s: 4}]),
        ),
        Step(
            "For many units the rate falls as the square of their number.",
            equation(sp.Limit(M**2 * gamma_1, M, sp.oo), 1 / (2 * sp.pi)),
            r"$\gamma_1 = \gamma/(\eta T_2)$.",
            Symbolic({gamma_1: growth}),
        ),
        Step(
            r"The escape time $\tau_{esc} = 1/\gamma$ therefore grows, for large $M$ and $L$, as "
            r"$M^2/(\eta L)$, with this constant.",
            equation(
                tau,
                2 * sp.pi * M**2 * sp.zeta(1 + beta) ** 2 / (eta * L * sp.zeta(2 * (1 + beta))),
            ),
            r"Insert $\gamma_1 \to 1/(2\pi M^2)$ and $T_2 \to L\,\zeta(2(1+\beta))/"
            r"\zeta(1+\beta)^2$; the scaling is WR24's.",
            Symbolic({tau: M**2 / (eta * t2_many * sp.Limit(M**2 * growth, M, sp.oo))}),
        ),
    ]


def build() -> Derivation:
    """Derivation of the plateau, its escape rate and escape time (SS95, BS95, WR24)."""
    return Derivation(
        name="symmetric_plateau",
        title="The symmetric plateau and the time to leave it",
        summary=r"For $K = M$, orthonormal teachers and $\eta \to 0$ the students first collapse "
        "onto one vector. The direction in which they specialise is not damped there at all, so "
        "the escape rate is exact for every spectrum of the data.",
        steps=(*_sector_steps(), *_fixed_point_steps(), *_linear_steps(), *_time_steps()),
        sources=("SS95", "BS95", "WR24"),
        notation=(
            (Q, "diagonal entries of the student overlaps; $P$ the others"),
            (R, "every overlap of a student with a teacher"),
            (T2, r"second moment of the spectrum, $\sum_k w_k \lambda_k^2$"),
            (gamma, "rate at which a specialised perturbation grows"),
        ),
    )
