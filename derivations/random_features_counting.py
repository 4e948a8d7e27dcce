"""The second half of the derivation for random features: counting, inversion, finite d."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath as mp
import sympy as sp

from theory.derivation import Assumed, Numeric, Step, Symbolic, equation
from theory.product_counts import X, dirichlet_series, residue
from theory.product_counts import s as _s
from theory.spectral_law import spectral_count_law

__all__ = ["a", "counting_steps", "finite_steps", "inverse_steps"]

a = sp.Symbol("a", positive=True)
J, j, y = sp.symbols("J j y", positive=True)
t = sp.Symbol("t", positive=True)
p, i, n = sp.symbols("p i n", integer=True, positive=True)
N_2, kappa, C_p, lam_j, ell = sp.symbols("N_2 kappa C_p lambda_j l", positive=True)
zeta = sp.Function("zeta")
D_2, D_3 = sp.Function("D_2"), sp.Function("D_3")
FEW = (1, 2, 3, 4)
SIZES = [{X: m} for m in (20, 300, 5000)]


@cache
def _nodes(series: Callable[[Any], Any], pole: sp.Rational, digits: int) -> list[tuple[Any, Any]]:
    """(s, series(s) ds/(2 pi i s)) on the upper half of a circle around the pole.

    No other pole is nearer than five radii: 80 points of the whole circle are good to 55 digits.
    """
    count, radius = 80, mp.mpf(1) / 32
    steps = [radius * mp.expjpi((2 * mp.mpf(m) + 1) / count) for m in range(count // 2)]
    at = [mp.mpf(pole.p) / pole.q + step for step in steps]
    return [(z, series(z) * step / (z * count)) for z, step in zip(at, steps, strict=True)]


def _contour(series: Callable[[Any], Any], pole: sp.Rational, size: Any) -> Any:
    """Residue of series(s) size^s/s by the trapezoidal rule; `series` is real on the real axis."""
    nodes = _nodes(series, pole, mp.mp.dps)
    return 2 * mp.fsum(mp.re(weight * size**at) for at, weight in nodes)


@cache
def _series(degree: int) -> Callable[[Any], Any]:
    """The Dirichlet series of D_p as a function."""
    function: Callable[[Any], Any] = sp.lambdify(_s, dirichlet_series("distinct", degree), "mpmath")
    return function


@cache
def _shifted(exponent: int) -> Callable[[Any], Any]:
    """zeta(2s, 1 - 1/a)."""
    return lambda z: mp.zeta(2 * z, 1 - 1 / mp.mpf(exponent))


def counting_steps() -> list[Step]:
    """The series of D_2 and D_3, their residues, and the remainder."""
    few = sp.Lambda(n, sp.Add(*(sp.Integer(m) ** -n for m in FEW)))
    x = sp.Symbol("s", positive=True)
    pairs = [m * o for m in FEW for o in FEW if m < o]
    triples = [m * o * q for m in FEW for o in FEW for q in FEW if m < o < q]
    meaning = {
        D_2: sp.Lambda(n, sp.Add(*(sp.Integer(m) ** -n for m in pairs))),
        D_3: sp.Lambda(n, sp.Add(*(sp.Integer(m) ** -n for m in triples))),
        zeta: few,
    }
    return [
        Step(
            r"The eigenvalues $p!^2 \prod_{i \in S} \lambda_i \geq p!^2 X^{-a}$ are the sets of "
            r"$p$ distinct indices with product up to $X$. Their Dirichlet series are elementary "
            "symmetric functions of $i^{-s}$,",
            (
                equation(D_2(x), (zeta(x) ** 2 - zeta(2 * x)) / 2),
                equation(D_3(x), (zeta(x) ** 3 - 3 * zeta(x) * zeta(2 * x) + 2 * zeta(3 * x)) / 6),
            ),
            "Newton's identities; checked for four indices.",
            Symbolic(meaning),
        ),
        Step(
            r"By Perron's formula the count is the sum of the residues of $D_p(s) X^s/s$ and a "
            r"remainder of order $X^{(p-1)/(p+1)} \log^{p-1} X$.",
            None,
            "The divisor problem of Piltz.",
            Assumed("Landau 1912"),
        ),
        *_residue_steps(),
        *_lower_steps(),
    ]


def _residue_steps() -> list[Step]:
    cases = (
        (
            2,
            1,
            r"From $\zeta(s) = 1/(s - 1) + \gamma - \gamma_1 (s - 1) + \dots$ they are, for $p = "
            r"2$ at $s = 1$,",
        ),
        (2, 2, r"at $s = 1/2$,"),
        (3, 1, r"for $p = 3$ at $s = 1$,"),
        (3, 2, r"and at $s = 1/2$,"),
    )
    return [
        Step(
            text,
            equation(
                sp.Symbol(f"R_{degree}^({pole})", real=True), residue("distinct", degree, pole)
            ),
            "Multiply the expansions; checked by the integral around the pole.",
            Numeric(
                points=SIZES,
                evaluate=lambda at, degree=degree, pole=pole: _contour(
                    _series(degree), sp.Rational(1, pole), at[X]
                ),
            ),
        )
        for degree, pole, text in cases
    ]


def _lower_steps() -> list[Step]:
    branches = sp.sqrt(X) + 1 / a - sp.Rational(1, 2)

    def shifted(at: Any) -> Any:
        poles = (sp.Rational(1, 2), sp.Integer(0))
        return sum(_contour(_shifted(int(at[a])), pole, at[X]) for pole in poles)

    N, sides = sp.Symbol("N_x", positive=True), sp.Symbol("kappa", positive=True)
    return [
        Step(
            r"The blocks $|S| = p - 2$ add products of $p - 2$ indices and a factor $x_k^2$, $x_k "
            r"= \nu_k^{-1/a}$. For $p = 2$, $x_k \to k - 1/a$, they add",
            equation(N, branches),
            r"$\sum_k y/(k^a - y) = -(\pi x/a)(\cot \pi x + \cot \pi/a) + \dots$, $y = x^a$, is "
            r"$2$ there. Residues of $\zeta(2s, 1 - 1/a) X^s/s$ at $1/2$ and $0$, checked by "
            "integrals around them.",
            Numeric(
                points=[{a: m, X: size} for m, size in ((2, 30), (3, 7), (5, 400))],
                evaluate=shifted,
            ),
        ),
        Step(
            r"For $p = 3$ they add $\kappa X$ in the leading order, $\kappa = \sum_k x_k^{-2}$. At "
            r"$a = 2$ it is a trace,",
            equation(sides, sp.Rational(3, 2) * sp.Sum(i**-2, (i, 1, sp.oo))),
            r"$\sum_k \nu_k = \tfrac32 \sum_k \lambda_k$: not small beside $\tfrac1{12}\log^2 X$ "
            r"at any size that can be reached. Checked with the product over the roots of $u \cot "
            r"u = -3$.",
            Numeric(points=[{}], evaluate=lambda _: _inverse_squares()),
        ),
    ]


def _inverse_squares() -> Any:
    """pi^2 sum_k u_k^-2 from the Taylor series of u cos u + 3 sin u = 4 u prod (1 - u^2/u_k^2)."""
    series = mp.taylor(lambda u: u * mp.cos(u) + 3 * mp.sin(u), 0, 3)
    return -(mp.pi**2) * series[3] / series[1]


def inverse_steps() -> list[Step]:
    """From the count to the eigenvalues."""
    lead = sp.factorial(p) * sp.factorial(p - 1)
    w = sp.LambertW(2 * J * sp.exp(2 * sp.EulerGamma - 1))
    count = spectral_count_law(2, 2).expr
    head = sp.exp(-ell)
    return [
        Step(
            r"In all, $N \sim X \log^{p-1} X/(p!\,(p-1)!)$ eigenvalues are at least $p!^2 X^{-a}$, "
            r"so that $\lambda_j \sim C_p\,(\log^{p-1} j/j)^a$ with",
            equation(C_p, sp.factorial(p) ** 2 / lead**a),
            r"The coefficient of $\log^{p-1} X$, by finite differences of the integral around "
            "$s = 1$.",
            Numeric(
                points=[{p: m, a: e} for m, e in ((2, 2), (3, 3), (4, 2))],
                evaluate=lambda at: mp.fac(at[p]) ** 2 * _leading(int(at[p])) ** at[a],
            ),
        ),
        Step(
            r"This is the law of PXZ26 with its constant. Its relative error falls like $\log \log "
            r"j/\log j$ only. For $p = 2$, without the terms of order $\sqrt{X}$, the count is "
            "inverted by",
            equation(X, 2 * J / w),
            r"$X (\log X - 1 + 2\gamma)/2 = J$, solved by Lambert's function; checked by "
            r"bisection.",
            Numeric(points=[{J: m} for m in (10, 1000, 30000)], evaluate=_inverted),
        ),
        Step(
            r"and otherwise by bisection. What is seen of the logarithm at reachable sizes: with "
            r"$y = N/X$ and $X = e^l$, at $a = p = 2$,",
            equation(sp.Derivative(y, ell), sp.Rational(1, 2) - sp.sqrt(head) / 4 - 3 * head / 8),
            r"$y$ is flat without a logarithm and rises with slope $\tfrac12$ with one.",
            Symbolic({y: (count / X).subs(X, sp.exp(ell))}),
        ),
    ]


def _leading(degree: int) -> Any:
    """Coefficient of X log^(p-1) X in the count of sets, from residues at p values of log X."""
    sizes = [mp.exp(m) for m in range(1, degree + 1)]
    values = [_contour(_series(degree), sp.Integer(1), size) / size for size in sizes]
    difference = mp.fsum(
        (-1) ** (degree - 1 - m) * mp.binomial(degree - 1, m) * v for m, v in enumerate(values)
    )
    return difference / mp.fac(degree - 1)


def _inverted(at: Any) -> Any:
    goal = at[J]
    return mp.findroot(
        lambda x: x * (mp.log(x) - 1 + 2 * mp.euler) / 2 - goal,
        (mp.mpf(3), 4 * goal),
        solver="anderson",
        tol=mp.eps**2 * goal**2,
    )


def finite_steps() -> list[Step]:
    """Finitely many features, p = 1, to first order."""
    ratio = (i / n) ** 2
    return [
        Step(
            r"With $d$ features and $p = 1$, second order perturbation of $H^{1/2} W W^T "
            r"H^{1/2}/d$ gives $E\,\lambda_j(K)/\lambda_j = 1 + \frac1d \sum_{i \neq j} "
            r"\lambda_i/(\lambda_j - \lambda_i)$. For large $j$ the sum is $j$ times a principal "
            r"value,",
            equation(
                sp.Integral((t ** (a - 2) - 1) / (1 - t**a), (t, 0, 1)),
                -sp.pi / a * sp.cot(sp.pi / a),
            ),
            r"of $1/(t^a - 1)$ over $t = i/j > 0$, with $t \to 1/t$ beyond 1.",
            Numeric(points=[{a: m} for m in (3, 4, 5)]),
        ),
        Step(
            r"and for $a = 2$ it is, at $j = n$,",
            equation(
                sp.Sum(1 / (ratio - 1), (i, 1, n - 1)) + sp.Sum(1 / (ratio - 1), (i, n + 1, sp.oo)),
                sp.Rational(3, 4),
            ),
            r"$1 - 1/(2a)$ is the next term; for $a = 2$ there are no others. The correction is of "
            r"order $j/d$, so that the law holds for $j$ up to a fraction of $d$.",
            Numeric(points=[{n: m} for m in (2, 3, 5)]),
        ),
    ]
