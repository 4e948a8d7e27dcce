"""LaTeX of equations: the notation of the field, and lines that fit."""

import pytest
import sympy as sp

from derivations.printing import latex, latex_equation
from theory.derivation import Expectation, equation

x, y, alpha, eta, beta = sp.symbols("x y alpha eta beta")
i, j, k, K, L, M = sp.symbols("i j k K L M")
Q, q_k = sp.IndexedBase("Q"), sp.IndexedBase("q_k")
q, r, f = sp.Function("q"), sp.Function("r"), sp.Function("f")
I2 = sp.Function("I_2")
C_aa, C_ab = sp.symbols("C_aa C_ab")

PRINTED = {
    "indices": (Q[i, j], "Q_{ij}"),
    "numbers": (Q[1, 1] ** 2, "Q_{11}^{2}"),
    "ambiguous": (Q[1, 10], "Q_{1,10}"),
    "composite index": (Q[k + 1, 1], "Q_{1 + k,1}"),
    "Greek index": (Q[alpha, 1], r"Q_{\alpha 1}"),
    "subscripted base": (q_k[i, j], "q_{k,ij}"),
    "matrix entry, counted from one": (sp.MatrixSymbol("A", 2, 2)[0, 1], "A_{12}"),
    "C_aa": (C_aa, "C_{aa}"),
    "lambda_k": (sp.Symbol("lambda_k"), r"\lambda_{k}"),
    "sigma_J": (sp.Symbol("sigma_J"), r"\sigma_{J}"),
    "word": (sp.Symbol("tau_esc"), r"\tau_{\mathrm{esc}}"),
    "eps": (sp.Function("eps_g")(alpha), r"\varepsilon_{g}(\alpha)"),
    "accent": (sp.Symbol("Ctilde_uv"), r"\tilde{C}_{uv}"),
    "star": (sp.Symbol("Q__star"), r"Q^{\ast}"),
    "plus": (sp.Symbol("lam_plus"), r"\lambda_{+}"),
    "I_2": (I2(C_aa, C_ab), "I_{2}(C_{aa},C_{ab})"),
    "total": (sp.Derivative(q(alpha), alpha), r"\frac{\mathrm{d} q}{\mathrm{d} \alpha}"),
    "partial": (sp.Derivative(I2(C_aa, C_ab), C_ab), r"\frac{\partial I_{2}}{\partial C_{ab}}"),
    "second": (
        sp.Derivative(q(alpha), (alpha, 2)),
        r"\frac{\mathrm{d}^{2} q}{\mathrm{d} \alpha^{2}}",
    ),
    "mixed": (
        sp.Derivative(f(x, y), x, y),
        r"\frac{\partial^{2} f}{\partial y \partial x}",
    ),
    "of a sum": (
        sp.Derivative(sp.exp(-x) + 1, x),
        r"\frac{\mathrm{d}}{\mathrm{d} x} \, (1 + e^{- x})",
    ),
    "average": (Expectation(f(x) * x) ** 2, r"\mathbb{E}[x f(x)]^{2}"),
    "sum": (sp.Sum(k**-beta, (k, 1, L)), r"\sum_{k=1}^{L} k^{- \beta}"),
    "sum of products": (sp.Sum(x * Q[k, 1], (k, 1, L)), r"\sum_{k=1}^{L} x Q_{k1}"),
    "order as stored": (sp.Mul(y, x, evaluate=False), "y x"),
    "one sign": (sp.Sum(Q[i, j] + 1, (i, 1, K), (j, 1, K)), r"\sum_{i,j=1}^{K} (1 + Q_{ij})"),
    "two signs": (
        sp.Sum(Q[i, j], (i, 1, L), (j, 1, K)),
        r"\sum_{j=1}^{K} \sum_{i=1}^{L} Q_{ij}",
    ),
    "integral": (sp.Integral(f(x), (x, 0, sp.oo)), r"\int_{0}^{\infty} f(x)\, \mathrm{d}x"),
    "arcsin": (sp.asin(x), r"\arcsin(x)"),
    "erf": (sp.erf(x / sp.sqrt(2)), r"\operatorname{erf}{\left(\frac{x}{\sqrt{2}} \right)}"),
    "function beside its fraction": (
        2 / sp.pi * sp.asin(x),
        r"\frac{2}{\pi} \, \arcsin(x)",
    ),
    "short fraction": (sp.sin(x) / x, r"\frac{\sin(x)}{x}"),
    "root": (sp.sqrt(x * y), r"\sqrt{x y}"),
    "root below": (-sp.sqrt(2) * x / 4, r"- \frac{x}{2 \sqrt{2}}"),
    "power": ((2 * M + 1) ** sp.Rational(3, 2), "(1 + 2 M)^{3/2}"),
    "exponent on one line": (sp.exp(-(x**2) / 2), "e^{- x^{2}/2}"),
    "symbolic exponent": (x ** (beta / (1 + beta)), r"x^{\beta/(1 + \beta)}"),
    "squared exponential": (sp.Pow(sp.exp(x), 2, evaluate=False), r"(e^{x})^{2}"),
    "no leading minus": (2 * M - 1, "2 M - 1"),
    "harmonic": (sp.harmonic(L, 1 + beta) ** 2, r"H_{L}^{2}(1 + \beta)"),
    "product of indexed": (sp.Product(Q[k], (k, 1, 3)), r"\prod_{k=1}^{3} Q_{k}"),
}


@pytest.mark.parametrize("name", PRINTED)
def test_notation(name):
    """Oracle: the notation of the literature, by eye."""
    expr, expected = PRINTED[name]
    assert latex(expr) == expected


TERMS = [I2(Q[a, a], Q[b, b]) for a in range(1, 5) for b in range(1, 5)]


def test_a_short_equation_stays_on_one_line():
    """Oracle: by eye."""
    assert latex_equation(equation(q(alpha), eta)) == r"q(\alpha) = \eta"


def test_several_equations_are_aligned():
    """Oracle: by eye."""
    both = latex_equation((equation(x, 1), equation(y, 2)))
    assert both == "\\begin{aligned}\nx &= 1 \\\\[4pt]\ny &= 2\n\\end{aligned}"


def test_a_long_sum_is_split_between_terms():
    """Oracle: every term is printed once, and the lines are as wide as asked."""
    text = latex_equation(equation(x, sp.Add(*TERMS)), width=40)
    lines = text.splitlines()[1:-1]
    assert len(lines) > 4
    assert lines[0].startswith("x &= I_{2}")
    assert all(line.startswith(r"&\quad + I_{2}") for line in lines[1:])
    assert all(text.count(latex(term)) == 1 for term in TERMS)
    wider = latex_equation(equation(x, sp.Add(*TERMS)), width=80)
    assert len(wider.splitlines()) < len(text.splitlines())


def test_a_long_left_side_has_its_own_line():
    """Oracle: by eye."""
    left, right = sp.Add(*TERMS[:4]), sp.Add(*TERMS[4:8])
    first, second = latex_equation(equation(left, right)).splitlines()[1:-1]
    assert first == rf"& {latex(left)} \\[4pt]"
    assert second == rf"&\quad = {latex(right)}"


def test_a_long_factor_is_split_inside_brackets():
    """Oracle: as many opening as closing brackets, signs kept."""
    text = latex_equation(equation(x, 1 - eta * sp.Add(*TERMS)))
    assert text.count(r"\biggl[") == text.count(r"\biggr]") == 1
    assert r"- \eta \biggl[" in text
    assert all(text.count(latex(term)) == 1 for term in TERMS)
    opposite = latex_equation(equation(x, sp.Mul(-1, sp.Add(*TERMS), evaluate=False)))
    assert r"x &= - \biggl[" in opposite


def test_printing_is_deterministic():
    """Oracle: the same sum, put together in another order."""
    assert latex(sp.Add(*TERMS)) == latex(sp.Add(*reversed(TERMS)))
