"""p = 4, every index an even number of times: elimination against the dense block."""

from itertools import combinations_with_replacement
from math import prod

import numpy as np
import pytest
import sympy as sp

from theory.even_block import EvenBlock
from theory.power_law_secular import DOUBLES, SecularEquation


def dense_block(a: float, v: int) -> np.ndarray:
    """Eigenvalues of sqrt(D) M sqrt(D) in the monomials w_k^2 w_l^2, falling.

    D = lam_k lam_l 4!/(2 gamma)!, M = E[w^(2 gamma + 2 gamma')].
    """
    moments = (1, 1, 3, 15, 105)
    pairs = list(combinations_with_replacement(range(1, v + 1), 2))
    matrix = np.array(
        [[prod(moments[(g + h).count(k)] for k in set(g + h)) for h in pairs] for g in pairs],
        dtype=float,
    )
    root = np.sqrt([(k * l) ** -a * (1 if k == l else 6) for k, l in pairs])
    return np.linalg.eigvalsh(root[:, None] * matrix * root)[::-1]


@pytest.mark.parametrize(
    ("a", "v", "bound", "accuracy"),
    [("2", 8, 1e3, 1e-12), ("6/5", 8, 1e3, 1e-12), ("2", 18, 300.0, 1e-4), ("6/5", 14, 50.0, 1e-4)],
)
def test_dense_block(a, v, bound, accuracy):
    """Oracle: a dense eigenvalue problem in monomials; v > 8 takes the approximations."""
    exponent = sp.Rational(a)
    lowest = 24 * bound ** (-float(exponent) / 2)
    found = EvenBlock(SecularEquation(exponent, v, DOUBLES)).eigenvalues(lowest)
    expected = dense_block(float(exponent), v)
    assert len(found) == np.count_nonzero(expected > lowest)
    assert np.max(np.abs(found / expected[: len(found)] - 1)) < accuracy
