"""Gauss-Legendre rules on [0, 1] of an order chosen by what is integrated, as source text.

Summary
    The averages of `theory.deviations` hardly change along the way from teacher to student, so that
    few nodes are enough, the fewer the closer the student. eps_g itself, the cheapest of them, is
    computed by one rule after the other until it settles; the rule that then serves eps_g also
    serves the drift and the noise.

Method
    With e(n) the error of n nodes, e(2n) ~ e(n)^2 for an analytic integrand. A rule is taken when
    it agrees with the next one, or when the last two changes predict that the next one would.

References
    Trefethen, SIAM Review 50, 67 (2008) (geometric convergence of Gauss quadrature).
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


def gauss_nodes(K, s, C):
    tolerance = rational(1, {inverse})
    value = error_between(K, s, C, gauss_start[0], gauss_start[1])
    before = value
    for step in range(1, {steps}):
        refined = error_between(K, s, C, gauss_start[step], gauss_start[step + 1])
        change = abs(refined - value)
        if change <= tolerance * refined:
            return gauss_start[step - 1], gauss_start[step]
        if change * change <= tolerance * refined * before:
            return gauss_start[step], gauss_start[step + 1]
        value, before = refined, change
    return gauss_start[{steps} - 1], gauss_start[{steps}]
"""


@functools.cache
def gauss_source(digits: int) -> str:
    """Text of the tables and of ``gauss_nodes(K, s, C)``.

    It returns the first node of a rule and the first of the next one. The module must define
    ``error_between(K, s, C, first, last)``, eps_g by the nodes of a rule, which is to be good to
    `digits` - 2 digits. Where the last rule does not get there, far from the teacher, it serves as
    it is.
    """
    nodes: list[str] = []
    weights: list[str] = []
    starts = [0]
    for step in range(1, STEPS + 1):
        for node, weight in _rule(math.ceil(step * digits / 17), digits):
            nodes.append(f"rational({node.numerator}, {node.denominator})")
            weights.append(f"rational({weight.numerator}, {weight.denominator})")
        starts.append(len(nodes))
    return _TEXT.format(
        nodes=", ".join(nodes), weights=", ".join(weights), starts=starts, steps=STEPS,
        inverse=10 ** (digits - 2),
    )  # fmt: skip


def _rule(number: int, digits: int) -> list[tuple[Fraction, Fraction]]:
    """Nodes and weights on [0, 1] as fractions, a few digits beyond `digits`."""
    with flint.ctx.workprec(int(digits * math.log2(10)) + 20):
        roots = [flint.arb.legendre_p_root(number, k, weight=True) for k in range(number)]
        return [(_fraction((1 + x) / 2), _fraction(weight / 2)) for x, weight in roots]


def _fraction(ball: flint.arb) -> Fraction:
    mantissa, exponent = ball.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
