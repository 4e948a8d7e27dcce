"""Radau IIA collocation methods with any odd number of stages, orders 2s - 1.

Summary
    Nodes, coefficients, the eigen-decomposition of the inverse coefficient matrix that splits the
    stage equations into one real and (s - 1)/2 complex shifted systems, and the weights of the
    embedded error estimate; computed in 60 digits, kept as doubles.

Notation
    c : nodes; A : coefficients, stage increments z = h A f; A^-1 = T diag(real, poles, conj) T^-1;
    e : error estimate sum_i e_i z_i + gamma_0 h f(y), gamma_0 = 1/real.

References
    Hairer & Wanner, Solving Ordinary Differential Equations II (1996), IV.5 and IV.8.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

__all__ = ["Radau", "radau"]

_DIGITS = 60


class Radau(NamedTuple):
    """A Radau IIA method, arrays as numba wants them.

    Attributes
    ----------
    nodes : (s,)
    real : float
        The real eigenvalue of A^-1.
    poles : (p,) complex
        Its eigenvalues in the upper half plane, p = (s - 1)/2.
    into : (1 + p, s) complex
        Rows of T^-1: stages to the real and the complex systems.
    back : (s, 1 + p) complex
        Columns of T: back to the stages (twice the real part for the complex ones).
    error : (s,)
        Weights e of the stage increments in the error estimate.
    """

    nodes: Any
    real: float
    poles: Any
    into: Any
    back: Any
    error: Any


@cache
def radau(stages: int) -> Radau:
    """The method with `stages` stages (odd), of order 2 stages - 1.

    Raises
    ------
    ValueError
        If the number of stages is not odd and positive.
    """
    if stages < 1 or stages % 2 == 0:
        raise ValueError(f"stages must be an odd positive number, found {stages}")
    with mp.workdps(_DIGITS):
        nodes = _nodes(stages)
        powers = mp.matrix([[x**k for k in range(stages)] for x in nodes])
        integrals = mp.matrix([[x ** (k + 1) / (k + 1) for k in range(stages)] for x in nodes])
        A = integrals * powers**-1
        inverse = A**-1
        values, vectors = mp.eig(inverse)
        real = min(range(stages), key=lambda k: abs(mp.im(values[k])))
        upper = [k for k in range(stages) if mp.im(values[k]) > mp.mpf(10) ** -20]
        into, back = _transformation(vectors, values, real, upper)
        gamma_0 = 1 / mp.re(values[real])
        # An embedded formula of order s with one more node, 0, of weight gamma_0.
        moments = [mp.mpf(1) / (k + 1) - (gamma_0 if k == 0 else 0) for k in range(stages)]
        embedded = mp.lu_solve(powers.T, mp.matrix(moments))
        error = (embedded.T - A[stages - 1, :]) * inverse
    return Radau(
        nodes=np.array([float(x) for x in nodes]),
        real=float(mp.re(values[real])),
        poles=np.array([complex(values[k]) for k in upper], dtype=complex),
        into=into,
        back=back,
        error=np.array([float(x) for x in error]),
    )


def _nodes(stages: int) -> list[Any]:
    """Zeros of P_s - P_(s-1) on [0, 1], increasing; the last is 1."""

    def radau_polynomial(x: Any) -> Any:
        return mp.legendre(stages, 2 * x - 1) - mp.legendre(stages - 1, 2 * x - 1)

    grid = [mp.mpf(k) / (40 * stages) for k in range(40 * stages)]
    brackets = [
        (low, high)
        for low, high in pairwise(grid)
        if radau_polynomial(low) * radau_polynomial(high) < 0
    ]
    inside = [mp.findroot(radau_polynomial, pair, solver="anderson") for pair in brackets]
    return [*inside, mp.mpf(1)]


def _transformation(vectors: Any, values: Any, real: int, upper: list[int]) -> tuple[Any, Any]:
    """Rows of T^-1 and columns of T for the real eigenvalue and those in the upper half plane."""
    stages = vectors.rows
    # The real eigenvector comes with an arbitrary phase: the last entry makes it real.
    columns = [vectors[:, real] / vectors[stages - 1, real]]
    columns += [vectors[:, k] for k in upper]
    full = [*columns, *(column.apply(mp.conj) for column in columns[1:])]
    T = mp.matrix(stages, stages)
    for k, column in enumerate(full):
        T[:, k] = column
    inverse, kept = T**-1, range(len(columns))
    into = np.array([[complex(inverse[k, i]) for i in range(stages)] for k in kept])
    back = np.array([[complex(T[i, k]) for k in kept] for i in range(stages)])
    return into, back
