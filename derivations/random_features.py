"""Random features: from Wick's theorem to the eigenvalue law with its constant.

The formulas printed are those of `theory.random_features`, `theory.chaos_spectrum`,
`theory.product_counts` and `theory.spectral_law`; averages are confronted with moments by
recursion, blocks with dense eigenvalue problems in monomials, residues with contour integrals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mpmath as mp
import sympy as sp

from theory.derivation import Derivation, Expectation, Numeric, Step, Symbolic, equation
from theory.random_features import (
    A,
    B,
    C,
    quadratic_form_moment,
    random_feature_covariance,
    wick_coefficient,
)

from .random_features_counting import a, counting_steps, finite_steps, inverse_steps

__all__ = ["build"]

k, p = sp.symbols("k p", integer=True, positive=True)
mu = sp.Symbol("mu", positive=True)
nu, u, s, tr = sp.symbols("nu u s tau", positive=True)
lam = sp.symbols("lambda_1:4", positive=True)
w, x = sp.symbols("w_1:4", real=True), sp.symbols("u_1:4", real=True)
H = tuple(sp.Symbol(f"h_{n}", positive=True) for n in range(1, 5))
moment = {q: sp.Symbol(f"m_{q}", positive=True) for q in (2, 3, 4)}


def _isserlis(m: int, n: int, A: Any, B: Any, C: Any) -> Any:
    """E[a^m b^n] by Stein's lemma, one factor a after the other."""
    if m == 0:
        return 0 if n % 2 else B ** (n // 2) * sp.factorial2(n - 1)
    total = 0
    if m > 1:
        total += (m - 1) * A * _isserlis(m - 2, n, A, B, C)
    if n > 0:
        total += n * C * _isserlis(m - 1, n - 1, A, B, C)
    return total


def _averaged(expr: sp.Expr, fields: Sequence[sp.Symbol]) -> sp.Expr:
    """E over standard normal fields of a polynomial, E[z^n] = (n - 1)!!."""
    polynomial = sp.Poly(sp.expand(expr), *fields)
    return sp.Add(
        *(
            coefficient * sp.prod([sp.factorial2(n - 1) for n in powers])
            for powers, coefficient in polynomial.terms()
            if not any(n % 2 for n in powers)
        )
    )


def _covariance_steps() -> list[Step]:
    pairs = sp.Sum(
        wick_coefficient(p, k) ** 2 * sp.factorial(p - 2 * k) * C ** (p - 2 * k) * (A * B) ** k,
        (k, 0, sp.floor(p / 2)),
    )
    general = sp.Symbol("m_p", positive=True)
    third = sp.Rational(1, 3)
    points = [{p: n, A: n, B: third, C: sp.Rational(1, n)} for n in (2, 3, 4, 5, 8)]
    return [
        Step(
            r"Features $f(w_i \cdot x)$ of inputs $x \sim N(0, H)$ have the covariance "
            r"$E_x[f(a) f(b)]$ of two Gaussian fields, with $A = w_i H w_i$, $B = w_j H w_j$, "
            r"$C = w_i H w_j$. For $f(y) = y^p$ it is $m_p =$",
            equation(general, pairs),
            r"$2k$ of the fields $a$ are paired among themselves in $p!/(2^k k!\,(p - 2k)!)$ ways, "
            "as many fields $b$, and the others with each other (Wick). Checked by Stein's lemma.",
            Numeric(
                points=points,
                evaluate=lambda at: _isserlis(int(at[p]), int(at[p]), at[A], at[B], at[C]),
            ),
        ),
        *(
            Step(
                {2: "That is", 3: "then", 4: "and"}[q],
                equation(moment[q], random_feature_covariance(q)),
                "Wick; checked by Stein's lemma.",
                Numeric(
                    points=[{A: n, B: third, C: sp.Rational(1, n)} for n in (1, 2, 5)],
                    evaluate=lambda at, q=q: _isserlis(q, q, at[A], at[B], at[C]),
                ),
            )
            for q in (2, 3, 4)
        ),
        *_trace_steps(),
    ]


def _trace_steps() -> list[Step]:
    form = sum(e * z**2 for e, z in zip(lam, w, strict=True))
    trace = {h: sum(e**n for e in lam) for n, h in enumerate(H, 1)}
    return [
        Step(
            rf"With $h_n = \mathrm{{tr}}\,H^n$ the mean trace $\tau$ of $K$ for $p = {q}$ is, for "
            "every number of features,",
            equation(
                tr,
                sp.factorial2(2 * q - 1) * quadratic_form_moment(q, lambda n: H[n - 1]),
            ),
            r"$E\,\mathrm{tr} K = (2p - 1)!!\,E_w[(w H w)^p]$; cumulants of a quadratic form. "
            "Checked for three modes.",
            Symbolic({tr: sp.factorial2(2 * q - 1) * _averaged(form**q, w), **trace}),
        )
        for q in (2, 3)
    ]


def _block_steps() -> list[Step]:
    kernel = sum(sp.sqrt(e) * b * z for e, b, z in zip(lam, w, x, strict=True))
    z = sp.Dummy("z")
    image = 6 * sp.sqrt(lam[0]) * sp.sqrt(lam[1]) * sp.sqrt(lam[2]) * w[0] * w[1] * w[2]
    shares = [n * e / (nu - e) for n, e in zip((3, 1, 1), lam, strict=True)]
    third = sp.Rational(1, 3)
    values = ((1, third, third / 3), (1, third / 2, third / 4), (2, 1, third))
    return [
        Step(
            r"For many features the spectrum is that of the kernel $E_x[(w \cdot x)^p (u \cdot "
            r"x)^p]$ on functions of Gaussian $w$, the square of $T(w, u) = (w H^{1/2} u)^p$. "
            r"Both commute with $w_i \to -w_i$: a block for each set $S$ of indices that occur an "
            r"odd number of times. $T$ maps $u_1 u_2 u_3$ to",
            equation(Expectation(kernel**3 * x[0] * x[1] * x[2]), image),
            r"$p!$ pairings for $p = 3$, so that $|S| = p$ has the eigenvalue $p!^2 \prod_{i \in "
            r"S} \lambda_i$ of $K = T^2$.",
            Symbolic({Expectation: sp.Lambda(z, _Average(z, *x))}),
        ),
        Step(
            r"A block $|S| = p - 2$ is a diagonal matrix plus one of rank one: its eigenvalues are "
            r"$p!^2 \prod_{i \in S} \lambda_i\,\nu^2$, where for $p = 3$, $S = \{1\}$ and three "
            "modes",
            equation(sp.Add(*shares), 2),
            r"$2 = \sum_k \lambda_k s_k/(\nu - \lambda_k)$, $s_k = 3$ for $k \in S$ and $1$ "
            r"otherwise. Checked with the largest eigenvalue of the dense matrix in monomials "
            r"$w_1 w_k^2$.",
            Numeric(
                {nu: _LargestRoot(*lam)},
                [dict(zip(lam, each, strict=True)) for each in values],
            ),
        ),
        Step(
            r"The sum $\tau$ of its three $\nu$ is",
            equation(tr, 5 * lam[0] / 2 + 3 * lam[1] / 2 + 3 * lam[2] / 2),
            r"$\sum_k \nu_k = \sum_k \lambda_k (1 + s_k/2)$; checked with the roots of the "
            "polynomial.",
            Numeric(
                points=[dict(zip(lam, each, strict=True)) for each in values],
                evaluate=lambda at: _sum_of_roots([at[e] for e in lam]),
            ),
        ),
        Step(
            r"For $\lambda_k = k^{-2}$, infinitely many modes, $S = \emptyset$ and $\nu = "
            r"(\pi/u)^2$ the sum is",
            equation(sp.Sum(1 / (nu * k**2 - 1), (k, 1, sp.oo)), (1 - u * sp.cot(u)) / 2),
            r"The poles of the cotangent. It is 2 where $u \cot u = -3$.",
            Numeric({nu: (sp.pi / u) ** 2}, [{u: sp.Rational(n, 3)} for n in (1, 2, 4)]),
        ),
        *_even_steps(),
    ]


def _even_steps() -> list[Step]:
    kernel = sum(sp.sqrt(e) * b * z for e, b, z in zip(lam, w, x, strict=True))
    z = sp.Dummy("z")
    left = w[0] ** 2 - 1
    h_1, h_2 = H[0], H[1]
    trace = {h_1: sum(lam), h_2: sum(e**2 for e in lam)}
    return [
        Step(
            r"For $p = 4$, $S = \emptyset$, the elements of $T$ between $1$ and $w_1^2 - 1$ "
            "are",
            (
                equation(Expectation(kernel**4), 3 * h_1**2 + 6 * h_2),
                equation(Expectation(kernel**4 * left), 12 * h_1 * lam[0] + 24 * lam[0] ** 2),
                equation(
                    Expectation(kernel**4 * left * (x[0] ** 2 - 1)),
                    24 * h_1 * lam[0] + 120 * lam[0] ** 2,
                ),
            ),
            r"Averages of polynomials, done for three modes. Order four is diagonal, $24 \lambda_k "
            r"\lambda_l$, and is eliminated.",
            Symbolic({Expectation: sp.Lambda(z, _Average(z, *w, *x)), **trace}),
        ),
    ]


class _Average(sp.Function):
    """E of a polynomial, the first argument, over standard normal fields, by `doit`."""

    def doit(self, **_: Any) -> sp.Expr:
        expr, *fields = self.args
        return _averaged(expr, fields)


class _LargestRoot(sp.Function):
    """nu of the largest eigenvalue 36 lam_1 nu^2 of the block S = {1}, p = 3, three modes."""

    nargs = 3

    @staticmethod
    def _imp_(*given: Any) -> Any:
        return mp.sqrt(max(_block_spectrum(given)) / (36 * given[0]))


def _block_spectrum(given: Sequence[Any]) -> Any:
    """Dense: E[x^alpha x^beta] times E[w^alpha w^beta] with multinomials, alpha = 1 + 2 e_k."""
    n = len(given)
    powers = [[int(i == 0) + 2 * int(i == j) for i in range(n)] for j in range(n)]
    inputs, weights = mp.matrix(n), mp.matrix(n)
    for i, alpha in enumerate(powers):
        for j, beta in enumerate(powers):
            both = [m + o for m, o in zip(alpha, beta, strict=True)]
            average = mp.fprod(mp.fac2(m - 1) for m in both)
            inputs[i, j] = average * mp.fprod(
                e ** (m // 2) for e, m in zip(given, both, strict=True)
            )
            ways = [mp.fac(3) / mp.fprod(map(mp.fac, each)) for each in (alpha, beta)]
            weights[i, j] = average * ways[0] * ways[1]
    root = mp.cholesky(weights)
    return mp.eigsy(root.T * inputs * root, eigvals_only=True)


def _sum_of_roots(given: Sequence[Any]) -> Any:
    """Sum of sqrt(eigenvalue/(36 lam_1)) over the dense block."""
    return mp.fsum(mp.sqrt(e / (36 * given[0])) for e in _block_spectrum(given))


def build() -> Derivation:
    """Derivation of the spectrum of random features (PXZ26)."""
    return Derivation(
        name="random_features",
        title="The spectrum of random features",
        summary=r"The covariance of features $(w \cdot x)^p$ is a polynomial of a Gram matrix. Its "
        r"spectrum splits into blocks by parity; counting products of indices, a Piltz divisor "
        r"problem, gives the eigenvalue law with its constant, and with the corrections without "
        r"which it is not seen at reachable sizes. $\lambda_j(H) = j^{-a}$.",
        steps=(
            *_covariance_steps(),
            *_block_steps(),
            *counting_steps(),
            *inverse_steps(),
            *finite_steps(),
        ),
        sources=(
            "PXZ26",
            "Landau 1912: E. Landau, Nachr. Ges. Wiss. Göttingen, 687 (1912); see E. C. "
            "Titchmarsh, The Theory of the Riemann Zeta-Function, chapter XII (1986)",
        ),
        notation=(
            (a, r"exponent of the input spectrum, $\lambda_j(H) = j^{-a}$, $a > 1$"),
            (p, "degree of the feature, $f(y) = y^p$"),
            (H[0], r"$\mathrm{tr}\,H$; $h_n = \mathrm{tr}\,H^n$"),
        ),
    )
