"""Gaussian averages of the error-function unit: I2, Price's theorem, I3, and I4 by tilting.

Every formula printed is the one that `theory.gaussian` derives and that the integrators run; it is
confronted here with the integral that defines it.
"""

from __future__ import annotations

from typing import Any

import mpmath as mp
import sympy as sp

from theory.derivation import Derivation, Expectation, Numeric, Step, Symbolic, equation
from theory.gaussian import I3, I2_kernel, I4_kernel, price, stein
from theory.notation import apply_definitions, as_definitions

from .witness import gaussian_average

__all__ = ["build"]

a, b, c, d, x, t = sp.symbols("a b c d x t", real=True)
Caa, Cbb, Ccc, Cdd = sp.symbols("C_aa C_bb C_cc C_dd", positive=True)
Cab, Cac, Cad, Cbc, Cbd, Ccd = sp.symbols("C_ab C_ac C_ad C_bc C_bd C_cd", real=True)
Tcc, Tdd, Tcd = sp.symbols("Ctilde_cc Ctilde_dd Ctilde_cd", real=True)
Lambda4, I_4 = sp.Symbol("Lambda_4", positive=True), sp.Symbol("I_4", positive=True)
g, dg, ddg, p = (sp.Function(name) for name in ("g", "g'", "g''", "p"))
S = [sp.Symbol(f"{row}_{n}", real=True) for row in "abcd" for n in (1, 2)]

ERF = sp.erf(x / sp.sqrt(2))
UNIT = {
    ddg: sp.Lambda(x, sp.diff(ERF, x, 2)),
    dg: sp.Lambda(x, sp.diff(ERF, x)),
    g: sp.Lambda(x, ERF),
}
PAIR = {a: (sp.sqrt(Caa), sp.S.Zero), b: (Cab / sp.sqrt(Caa), sp.sqrt(Cbb - Cab**2 / Caa))}
PAIR_POINTS = [
    {Caa: sp.Rational(1, 2), Cbb: sp.Rational(4, 5), Cab: sp.Rational(1, 5)},
    {Caa: sp.Rational(6, 5), Cbb: sp.Rational(1, 3), Cab: sp.Rational(-2, 7)},
    {Caa: sp.Rational(3, 4), Cbb: sp.Rational(5, 4), Cab: sp.Rational(1, 9)},
]


def _density(u: sp.Expr, v: sp.Expr, Cuu: sp.Expr, Cvv: sp.Expr, Cuv: sp.Expr) -> sp.Expr:
    """Density of a centred Gaussian pair (u, v)."""
    det = Cuu * Cvv - Cuv**2
    form = (Cvv * u**2 - 2 * Cuv * u * v + Cuu * v**2) / det
    return sp.exp(-form / 2) / (2 * sp.pi * sp.sqrt(det))


def _average_step(
    text: str,
    body: sp.Expr,
    value: sp.Expr,
    reason: str,
    fields: dict[Any, Any],
    points: list[dict[Any, Any]],
    meaning: dict[Any, Any] | None = None,
    definitions: dict[Any, Any] | None = None,
) -> Step:
    """E[body] = value, the left side being integrated numerically as printed."""
    integrand = apply_definitions(body, as_definitions({**(meaning or {}), **UNIT}))
    check = Numeric(definitions, points, evaluate=gaussian_average(integrand, fields))
    return Step(text, equation(Expectation(body), value), reason, check)


def _weight_steps() -> list[Step]:
    density = {p(a, b): _density(a, b, Caa, Cbb, Cab)}
    return [
        Step(
            "The derivative of the activation is a Gaussian weight.",
            equation(sp.Derivative(ERF, x), sp.diff(ERF, x)),
            "Differentiate the error function.",
            Symbolic(),
        ),
        _average_step(
            "Averages with two derivatives are therefore Gaussian determinants.",
            dg(a) * dg(b),
            price("erf")(Caa, Cbb, Cab),
            r"$\mathbb{E}[g'(a)g'(b)] = \tfrac{2}{\pi}\det(1+C)^{-1/2}$ for the $2\times2$ "
            "covariance $C$ of $(a,b)$.",
            PAIR,
            PAIR_POINTS,
        ),
        Step(
            "The density $p$ of $(a, b)$ obeys a heat equation in the covariance.",
            equation(sp.Derivative(p(a, b), Cab), sp.Derivative(p(a, b), a, b)),
            "Differentiate the Gaussian density. Integrating by parts twice gives Price's theorem, "
            r"$\partial I_2/\partial C_{ab} = \mathbb{E}[g'(a) g'(b)]$, for every activation.",
            Symbolic(density),
        ),
        Step(
            "The same for a variance.",
            equation(2 * sp.Derivative(p(a, b), Caa), sp.Derivative(p(a, b), a, 2)),
            r"Hence $\partial I_2/\partial C_{aa} = \tfrac12\mathbb{E}[g''(a) g(b)]$.",
            Symbolic(density),
        ),
    ]


def _two_point_steps() -> list[Step]:
    weight = price("erf")(Caa, Cbb, t)
    return [
        Step(
            "Price's theorem is integrated from independent fields, where $I_2 = 0$ because $g$ "
            "is odd.",
            equation(sp.Integral(weight, (t, 0, Cab)), I2_kernel("erf")(Caa, Cbb, Cab)),
            "An elementary integral, the arcsine.",
            Numeric(points=PAIR_POINTS),
        ),
        _average_step(
            "This is the two-point average.",
            g(a) * g(b),
            I2_kernel("erf")(Caa, Cbb, Cab),
            "The previous step, confronted with the two-dimensional integral itself.",
            PAIR,
            PAIR_POINTS,
        ),
        _average_step(
            "Its derivative in a variance gives the average with a second derivative.",
            ddg(a) * g(b),
            2 * stein("erf")(Caa, Cbb, Cab),
            r"$2\,\partial I_2/\partial C_{aa}$, by the heat equation for the variance.",
            PAIR,
            PAIR_POINTS,
        ),
    ]


def _three_point_steps() -> list[Step]:
    density = {p(a, c): _density(a, c, Caa, Ccc, Cac)}
    stein_lemma = equation(
        a * p(a, c), -Caa * sp.Derivative(p(a, c), a) - Cac * sp.Derivative(p(a, c), c)
    )
    three = I3("erf", [[Caa, Cab, Cac], [Cab, Cbb, Cbc], [Cac, Cbc, Ccc]])
    # Given (a, c) the field b is Gaussian with the regression on them as its mean.
    det = Caa * Ccc - Cac**2
    mean = ((Cab * Ccc - Cbc * Cac) * a + (Cbc * Caa - Cab * Cac) * c) / det
    points = [
        {Caa: sp.Rational(1, 2), Ccc: sp.Rational(3, 5), Cac: sp.Rational(1, 5),
         Cab: sp.Rational(1, 4), Cbc: sp.Rational(-1, 3)},
        {Caa: sp.Rational(6, 5), Ccc: sp.Rational(1, 3), Cac: sp.Rational(-1, 6),
         Cab: sp.Rational(1, 7), Cbc: sp.Rational(1, 5)},
        {Caa: sp.Rational(2, 3), Ccc: sp.Rational(5, 4), Cac: sp.Rational(1, 3),
         Cab: sp.Rational(-3, 8), Cbc: sp.Rational(1, 6)},
    ]  # fmt: skip
    return [
        Step(
            "Multiplication by a field is differentiation (Stein's lemma).",
            stein_lemma,
            "The gradient of the Gaussian density. Integrating by parts, "
            r"$\mathbb{E}[b F(a,c)] = C_{ab}\mathbb{E}[\partial_a F] + C_{bc}"
            r"\mathbb{E}[\partial_c F]$.",
            Symbolic(density),
        ),
        _average_step(
            r"The three-point average $I_3 = \mathbb{E}[g'(a)\,b\,g(c)]$.",
            dg(a) * b * g(c),
            three,
            r"Stein's lemma with $F = g'(a) g(c)$: $C_{ab}\mathbb{E}[g''(a)g(c)] + "
            r"C_{bc}\mathbb{E}[g'(a)g'(c)]$.",
            {a: (sp.sqrt(Caa), sp.S.Zero), c: (Cac / sp.sqrt(Caa), sp.sqrt(det / Caa))},
            points,
            meaning={b: mean},
        ),
    ]


def _tilted(uv: sp.Expr, au: sp.Expr, av: sp.Expr, bu: sp.Expr, bv: sp.Expr) -> sp.Expr:
    """Entry of the tilted covariance, as it appears inside the kernel of `theory.gaussian`."""
    return uv - (au * av * (1 + Cbb) + bu * bv * (1 + Caa) - Cab * (au * bv + bu * av)) / Lambda4


def _tilted_block(point: dict[Any, Any]) -> mp.matrix:
    """(C^-1 + diag(1, 1, 0, 0))^-1: the covariance under the weight exp(-(a^2 + b^2)/2)."""
    order = (Caa, Cab, Cac, Cad), (Cab, Cbb, Cbc, Cbd), (Cac, Cbc, Ccc, Ccd), (Cad, Cbd, Ccd, Cdd)
    C = mp.matrix([[point[entry] for entry in row] for row in order])
    return (C**-1 + mp.diag([1, 1, 0, 0])) ** -1


def _rank_two() -> dict[Any, Any]:
    """Covariances of four fields that are linear in two standard Gaussians z_1, z_2."""
    rows = dict(zip("abcd", zip(S[::2], S[1::2], strict=True), strict=True))
    entries = {"aa": Caa, "bb": Cbb, "cc": Ccc, "dd": Cdd, "ab": Cab, "ac": Cac, "ad": Cad,
               "bc": Cbc, "bd": Cbd, "cd": Ccd}  # fmt: skip
    return {
        symbol: rows[u][0] * rows[v][0] + rows[u][1] * rows[v][1]
        for (u, v), symbol in entries.items()
    }


def _four_point_steps() -> list[Step]:
    four = {Caa: 2, Cbb: 3, Ccc: 2, Cdd: 4, Cab: 1, Cac: -1, Cad: sp.Rational(1, 2),
            Cbc: sp.Rational(1, 3), Cbd: -1, Ccd: sp.Rational(2, 3)}  # fmt: skip
    points = [four, {**four, Cab: -1, Ccc: 3, Cbd: sp.Rational(1, 5)},
              {**four, Caa: sp.Rational(5, 2), Cac: sp.Rational(1, 7), Cdd: 5}]  # fmt: skip
    lambda4 = (1 + Caa) * (1 + Cbb) - Cab**2
    entries = {
        Tcd: ((2, 3), _tilted(Ccd, Cac, Cad, Cbc, Cbd)),
        Tcc: ((2, 2), _tilted(Ccc, Cac, Cac, Cbc, Cbc)),
        Tdd: ((3, 3), _tilted(Cdd, Cad, Cad, Cbd, Cbd)),
    }
    steps = [
        Step(
            r"The weight $g'(a)g'(b) \propto e^{-(a^2+b^2)/2}$ keeps the fields Gaussian, with "
            rf"another covariance $\tilde C = (C^{{-1}} + \mathrm{{diag}}(1,1,0,0))^{{-1}}$; "
            f"its entry for ${name}$.",
            equation(symbol, formula),
            "Woodbury's identity for the inverse, "
            r"with $\Lambda_4 = (1+C_{aa})(1+C_{bb})-C_{ab}^2$.",
            Numeric({Lambda4: lambda4}, points, evaluate=lambda pt, at=at: _tilted_block(pt)[at]),
        )
        for (symbol, (at, formula)), name in zip(
            entries.items(), ("(c,d)", "(c,c)", "(d,d)"), strict=True
        )
    ]
    fields = {u: (S[2 * n], S[2 * n + 1]) for n, u in enumerate((a, b, c, d))}
    tilted = {symbol: formula for symbol, (_, formula) in entries.items()}
    closed = price("erf")(Caa, Cbb, Cab) * I2_kernel("erf")(Tcc, Tdd, Tcd)
    kernel = I4_kernel("erf")(Caa, Cbb, Ccc, Cdd, Cab, Cac, Cad, Cbc, Cbd, Ccd)
    values = [
        [1, 0, sp.Rational(1, 2), sp.Rational(1, 3), sp.Rational(2, 3), -1, sp.Rational(1, 4), 1],
        [sp.Rational(2, 3), sp.Rational(1, 5), sp.Rational(2, 3), sp.Rational(1, 5), 1, 0,
         sp.Rational(1, 3), sp.Rational(-1, 2)],
        [sp.Rational(1, 2), -1, 0, sp.Rational(3, 4), sp.Rational(1, 3), sp.Rational(1, 3),
         sp.Rational(1, 3), sp.Rational(1, 3)],
    ]  # fmt: skip
    degenerate = [dict(zip(S, row, strict=True)) for row in values]
    return [
        *steps,
        _average_step(
            r"The four-point average $I_4 = \mathbb{E}[g'(a)g'(b)g(c)g(d)]$ is the weight times "
            r"$I_2$ at the tilted covariance.",
            dg(a) * dg(b) * g(c) * g(d),
            closed,
            "Confronted with the integral itself for four fields that depend on two independent "
            "Gaussians; the second point has $a = b$, the third $c = d$.",
            fields,
            degenerate,
            definitions={**tilted, Lambda4: lambda4, **_rank_two()},
        ),
        Step(
            "The kernel that the integrators run is the same expression, with the tilted entries "
            "inserted.",
            equation(I_4, closed),
            "Substitution; the left side is the compiled kernel.",
            Numeric({I_4: kernel, **tilted, Lambda4: lambda4}, points),
        ),
    ]


def build() -> Derivation:
    """Derivation of the Gaussian averages for g(x) = erf(x/sqrt(2)) (SS95, BS95)."""
    return Derivation(
        name="gaussian_averages",
        title="Gaussian averages of the error-function unit",
        summary=r"For $g(x) = \mathrm{erf}(x/\sqrt2)$ and jointly Gaussian fields $a, b, c, d$ "
        r"with covariance $C$, every average that the dynamics of learning needs is a closed "
        r"form. They follow from one function, $I_2 = \mathbb{E}[g(a)g(b)]$, and from the fact "
        "that $g'$ is a Gaussian weight.",
        steps=(
            *_weight_steps(),
            *_two_point_steps(),
            *_three_point_steps(),
            *_four_point_steps(),
        ),
        sources=(
            "SS95",
            "BS95",
            "Price58: R. Price, IRE Trans. Inf. Theory 4, 69 (1958)",
            "Stein81: C. Stein, Ann. Statist. 9, 1135 (1981)",
        ),
        notation=(
            (Caa, "variance of the field $a$, and so on"),
            (Cab, "covariance of the fields $a$ and $b$, and so on"),
            (Tcd, r"covariance under the weight $g'(a)g'(b)$"),
        ),
    )
