"""Gauss-Legendre rules on [0, 1] for integrands that hardly change, as source text.

Summary
    Along the way z_f = y_f + tau v_f the averages of `theory.deviations` change little. With
    x^2 = V_ff/T_ff, n nodes leave an error of about (x/4)^(2n) relative to the integral, so the
    number of nodes follows from the largest x: few of them while the student is close.

Main results
    gauss_source : tables of nodes and weights, and the choice among the rules, for generated code.

References
    Trefethen, SIAM Review 50, 67 (2008) (error of Gauss quadrature for analytic integrands).
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction

import flint

__all__ = ["gauss_source"]

STEPS = 16
"""Number of rules; at 17 digits they have 1, 2, ..., 16 nodes."""

_TEXT = """from numpy import array

gauss_node = array([{nodes}])
gauss_weight = array([{weights}])
gauss_start = array({starts})
gauss_limit = array({limits})


def gauss_nodes(K, C):
    step = 0
    for f in range(K):
        while step < {last} and C[f, f] > gauss_limit[step] * C[K + f, K + f]:
            step += 1
    return gauss_start[step], gauss_start[step + 1]
"""


@functools.cache
def gauss_source(digits: int) -> str:
    """Text of the tables and of ``gauss_nodes(K, C)``, the first node of a rule and the next one's.

    C = [[V, A], [A^T, T]]. Rule k = 1..16 has k digits/17 nodes, and serves where
    V_ff/T_ff <= 16 10^(-15/k); the last one serves beyond, with the error (x/4)^(2n) it then has.
    """
    nodes: list[str] = []
    weights: list[str] = []
    starts = [0]
    for step in range(1, STEPS + 1):
        for node, weight in _rule(math.ceil(step * digits / 17), digits):
            nodes.append(f"rational({node.numerator}, {node.denominator})")
            weights.append(f"rational({weight.numerator}, {weight.denominator})")
        starts.append(len(nodes))
    limits = [16 * 10 ** (-15 / step) for step in range(1, STEPS)]
    return _TEXT.format(
        nodes=", ".join(nodes), weights=", ".join(weights), starts=starts, limits=limits,
        last=STEPS - 1,
    )  # fmt: skip


def _rule(number: int, digits: int) -> list[tuple[Fraction, Fraction]]:
    """Nodes and weights on [0, 1] as fractions, a few digits beyond `digits`."""
    with flint.ctx.workprec(int(digits * math.log2(10)) + 20):
        roots = [flint.arb.legendre_p_root(number, k, weight=True) for k in range(number)]
        return [(_fraction((1 + x) / 2), _fraction(weight / 2)) for x, weight in roots]


def _fraction(ball: flint.arb) -> Fraction:
    mantissa, exponent = ball.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
