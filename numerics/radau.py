"""Radau IIA collocation methods with any odd number of stages, orders 2s - 1.

Summary
    Nodes, coefficients, the eigen-decomposition of the inverse coefficient matrix that splits the
    stage equations into one real and (s - 1)/2 complex shifted systems, and the weights of the
    embedded error estimate; computed in 60 digits, kept as doubles.

Notation
    c : nodes; A : coefficients, stage increments z = h A f; z = T w, where the first entry of w
    belongs to the real eigenvalue of A^-1 and each following pair to the real and the imaginary
    part of a complex one; e : error estimate sum_i e_i z_i + gamma_0 h f(y), gamma_0 = 1/real.

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
    poles : (p, 2)
        Real and imaginary parts of its eigenvalues in the upper half plane, p = (s - 1)/2.
    into : (s, s)
        T^-1 in real form: w from the stage increments z.
    back : (s, s)
        T in real form: z from w.
    error : (s,)
        Weights e of the stage increments in the error estimate, applied to w.
    bound : (s,)
        Largest entry of each column of T: what an entry of w contributes to a stage at most.
    """

    nodes: Any
    real: float
    poles: Any
    into: Any
    back: Any
    error: Any
    bound: Any


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
        T = _transformation(vectors, real, upper)
        gamma_0 = 1 / mp.re(values[real])
        # An embedded formula of order s with one more node, 0, of weight gamma_0.
        moments = [mp.mpf(1) / (k + 1) - (gamma_0 if k == 0 else 0) for k in range(stages)]
        embedded = mp.lu_solve(powers.T, mp.matrix(moments))
        error = (embedded.T - A[stages - 1, :]) * inverse * T
        into = T**-1
    back = _doubles(T)
    return Radau(
        nodes=np.array([float(x) for x in nodes]),
        real=float(mp.re(values[real])),
        poles=np.array([[float(mp.re(values[k])), float(mp.im(values[k]))] for k in upper]).reshape(
            -1, 2
        ),
        into=_doubles(into),
        back=back,
        error=_doubles(error)[0],
        bound=np.max(np.abs(back), axis=0),
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


def _transformation(vectors: Any, real: int, upper: list[int]) -> Any:
    """T in real form: z = v_0 w_0 + sum_k Re(v_k (w_2k-1 + i w_2k)), v_k eigenvectors of A^-1."""
    stages = vectors.rows
    T = mp.matrix(stages, stages)
    # An eigenvector has an arbitrary factor: the last entry, the end of the step, is made 1.
    T[:, 0] = (vectors[:, real] / vectors[stages - 1, real]).apply(mp.re)
    for position, k in enumerate(upper):
        column = vectors[:, k] / vectors[stages - 1, k]
        T[:, 1 + 2 * position] = column.apply(mp.re)
        T[:, 2 + 2 * position] = -column.apply(mp.im)
    return T


def _doubles(matrix: Any) -> Any:
    return np.array([[float(x) for x in row] for row in matrix.tolist()])
