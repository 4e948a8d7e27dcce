r"""The spectrum of random features y^p as their number d -> oo, by parity sets (PXZ26).

Mathematics
    As d -> oo the eigenvalues of K become those of the kernel E_x[(w.x)^p (u.x)^p] in L2 of
    w ~ N(0, 1). With x = H^(1/2) z it is a square: K = T^2, T(w, u) = (w.H^(1/2) u)^p. Both
    commute with w_i -> -w_i, so they fall into blocks, one for each set S of indices that occur an
    odd number of times, |S| = p - 2m. Up to a similarity the block of T is, on the multisets gamma
    of m indices, with lam_S = prod_{i in S} lam_i,

        sqrt(lam_S) Lam^gamma (p!/(S + 2 gamma)!) prod_i (alpha_i + beta_i - 1)!!,

    alpha = S + 2 gamma, beta = S + 2 gamma'. So, with lam_i = i^-a,

        m = 0 : one eigenvalue of K, p!^2 lam_S;
        m = 1 : p!^2 lam_S nu^2,  2 = sum_k lam_k (1 + 2 [k in S])/(nu - lam_k);
        m = 2 : for p = 4, S empty, see `theory.even_block`.

    For S empty and a = 2 the sum is closed: u cot u = -3, nu = (pi/u)^2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb, factorial, prod
from typing import Any

import mpmath as mp
import sympy as sp

from .even_block import EvenBlock
from .exact import count as whole
from .power_law_secular import DOUBLES, SecularEquation
from .random_features import as_degree, as_exponent, as_inputs

__all__ = ["ChaosEigenvalue", "chaos_eigenvalues", "odd_sets"]

LARGEST_DEGREE = 4


@dataclass(frozen=True)
class ChaosEigenvalue:
    """An eigenvalue of the limit d -> oo and the block it comes from.

    Attributes
    ----------
    value : mpf
    odd : tuple of int
        The parity set S, increasing.
    branch : int
        Which eigenvalue of the block, from 1, the largest.
    """

    value: mp.mpf
    odd: tuple[int, ...]
    branch: int


def odd_sets(size: int, bound: Any, v: int | None) -> Iterator[tuple[int, ...]]:
    """The sets of `size` distinct indices up to v with product <= bound, each increasing."""

    def extend(chosen: tuple[int, ...], product: int) -> Iterator[tuple[int, ...]]:
        left = size - len(chosen)
        if left == 0:
            yield chosen
            return
        i = chosen[-1] + 1 if chosen else 1
        # The smallest product of what is still to be chosen.
        while product * prod(range(i, i + left)) <= bound and (v is None or i <= v):
            yield from extend((*chosen, i), product * i)
            i += 1

    yield from extend((), 1)


def _odd_up_to(
    bound: mp.mpf, p: int, equation: SecularEquation
) -> Iterator[tuple[mp.mpf, tuple[int, ...], int]]:
    """(X, S, branch) of the eigenvalues p!^2 X^-a with X <= bound and |S| = p or p - 2."""
    for odd in odd_sets(p, bound, equation.v):
        yield mp.mpf(prod(odd)), odd, 1
    if p < 2:
        return
    power = 2 / equation.exponent
    # The largest root of all: weights of three where the eigenvalues are largest.
    lowest = mp.mpf(equation.root(1, tuple(range(1, p - 1)))) ** power
    for odd in odd_sets(p - 2, bound / lowest, equation.v):
        branch = 1
        while equation.v is None or branch <= equation.v:
            x = prod(odd) * mp.mpf(equation.root(branch, odd)) ** power
            if x > bound:
                break
            yield x, odd, branch
            branch += 1


def _even_up_to(
    bound: mp.mpf, equation: SecularEquation
) -> Iterator[tuple[mp.mpf, tuple[int, ...], int]]:
    """The same for p = 4 and S empty, where the eigenvalue is mu^2."""
    lowest = float(24 * bound ** (-equation.exponent / 2))
    doubles = SecularEquation(equation.a, equation.v, DOUBLES)
    values = EvenBlock(doubles).eigenvalues(lowest)
    for branch, mu in enumerate(values, 1):
        yield (24 / mp.mpf(mu)) ** (2 / equation.exponent), (), branch


def chaos_eigenvalues(
    a: Any, p: Any, count: int, v: Any = sp.oo, digits: int = DOUBLES
) -> tuple[ChaosEigenvalue, ...]:
    """The largest eigenvalues of K for f(y) = y^p, lam_j(H) = j^-a and d -> oo (PXZ26).

    Parameters
    ----------
    a : exact number > 1
    p : int from 1 to 4
    count : int
        How many, with multiplicity.
    v : positive integer or oo
        Input dimension.
    digits : int
        Relative accuracy 10^-digits of the values (mpf); up to 13 it costs doubles only.
        Except for p = 4, S empty and v > 8, where they are good to 1e-8 for the first and to
        5e-4 at worst (`theory.even_block`).

    Returns
    -------
    tuple of ChaosEigenvalue
        Falling; equal ones in the order of their sets.

    Raises
    ------
    ValueError, TypeError
        If a <= 1, p is not 1, 2, 3 or 4, v is neither a positive integer nor oo, or there are fewer
        than `count` eigenvalues, binomial(v + p - 1, p), or one of the others is no positive
        integer.

    Examples
    --------
    >>> [(e.odd, mp.nstr(e.value, 6)) for e in chaos_eigenvalues(2, 2, 3)]
    [((), '10.7151'), ((1, 2), '1.0'), ((), '0.519609')]
    """
    exponent, degree, inputs = as_exponent(a), as_degree(p), as_inputs(v)
    if degree > LARGEST_DEGREE:
        raise ValueError(
            f"chaos_eigenvalues: the degree p must be at most {LARGEST_DEGREE}, found {p}"
        )
    last = None if inputs is sp.oo else int(inputs)
    most = None if last is None else comb(last + degree - 1, degree)
    wanted = int(whole(count, "chaos_eigenvalues: count"))
    if most is not None and wanted > most:
        raise ValueError(
            f"chaos_eigenvalues: count must be at most {most}, all there are, found {count}"
        )
    equation = SecularEquation(exponent, last, int(whole(digits, "chaos_eigenvalues: digits")))
    with mp.workdps(equation.precision):
        bound = mp.mpf(2)
        found = list(_odd_up_to(bound, degree, equation))
        while len(found) < wanted and (last is None or bound < last**degree):
            bound *= min(4, max(mp.mpf("1.2"), mp.mpf(wanted) / max(len(found), 1)))
            found = list(_odd_up_to(bound, degree, equation))
        if degree == LARGEST_DEGREE:
            found += _even_up_to(bound, equation)
        found.sort(key=lambda entry: (entry[0], entry[1]))
        scale, power = factorial(degree) ** 2, -equation.exponent
        return tuple(
            ChaosEigenvalue(scale * mp.mpf(x) ** power, odd, branch)
            for x, odd, branch in found[:wanted]
        )
