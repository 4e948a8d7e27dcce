"""The choice of a rule for the averages: the first that is good, then sharper ones."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from numerics.averaging import ORDERS, REFUSED, WANTED, WIDTHS, rules
from numerics.kinked import KinkedQuadrature
from numerics.piecewise_linear import PiecewiseLinear
from numerics.quadrature import Quadrature
from theory import TeacherStudent

x = sp.Symbol("x", real=True)
ELU = sp.Piecewise((x, x > 0), (sp.exp(x) - 1, True))


def covariance(size):
    """Of two students of this size, and two teachers of size one."""
    vectors = np.random.default_rng(3).normal(size=(4, 9))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    vectors[:2] *= size
    return vectors @ vectors.T


@pytest.mark.parametrize("factor", [sp.Rational(1, 2), 1, 2, 4])
def test_the_widest_strip_that_is_good_comes_first(factor):
    """Oracle: the poles of tanh(k x) at pi/(2 k); the estimates of all the rules."""
    C, rtol = covariance(0.5), 1e-6
    chosen = list(rules(TeacherStudent(2, 2, sp.tanh(factor * x)), C, True, rtol))
    widths = [rule.width for rule, _ in chosen]
    assert widths == list(WIDTHS[-len(widths) :])
    assert 0.5 < widths[0] / (np.pi / 2 / float(factor)) < 1.2
    assert chosen[0][0].error(C) <= WANTED * rtol
    assert [limit for _, limit in chosen] == [WANTED * rtol] * (len(chosen) - 1) + [REFUSED]


def test_students_may_grow_to_the_size_of_the_teachers():
    """Oracle: the estimate at grown students; at the start alone, wider strips would pass."""
    small, grown, rtol = covariance(0.01), covariance(1.0), 1e-7
    gelu = x * (1 + sp.erf(x / sp.sqrt(2))) / 2
    rule, _ = next(rules(TeacherStudent(2, 2, gelu), small, True, rtol))
    assert rule.error(grown) <= WANTED * rtol
    wider = WIDTHS[WIDTHS.index(rule.width) - 1]
    assert Quadrature(rule.activation, 2, rule.c, 0.0, rule.accuracy, wider).error(small) <= rtol


@pytest.mark.parametrize(
    ("activation", "kind", "count"),
    [("relu", PiecewiseLinear, 1), (ELU, KinkedQuadrature, len(ORDERS)), ("erf", Quadrature, 1)],
)
def test_every_activation_has_its_family(activation, kind, count):
    """Oracle: the module's summary; with an unreachable tolerance only the last rule is left."""
    rtol = 1e-20 if activation == "erf" else 0.1
    found = list(rules(TeacherStudent(1, 1, activation), np.eye(2), False, rtol))
    assert [type(rule).__name__ for rule, _ in found] == [kind.__name__] * count


def test_rules_carry_the_model():
    """Oracle: the model's weight, label noise and K."""
    model = TeacherStudent(2, 3, sp.tanh(x), scale="unit", label_noise="1/4")
    rule, _ = next(rules(model, np.eye(5), True, 1e-4))
    assert (rule.K, rule.c, rule.label_noise, rule.accuracy) == (2, 1.0, 0.25, WANTED * 1e-4 / 3)
