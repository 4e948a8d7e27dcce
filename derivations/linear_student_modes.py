"""Three eigenspaces on which the general steps of the linear network are checked; its symbols."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import sympy as sp

from theory.symbols import lam, w

__all__ = [
    "EIGENVALUES",
    "WEIGHTS",
    "F_hat",
    "K_hat",
    "L",
    "e0",
    "eps",
    "eps_inf",
    "eta",
    "k",
    "kappa",
    "noise",
    "relaxation_matrix",
    "stationary",
    "three_modes",
]

eta, kappa, noise = sp.symbols("eta kappa sigma^2", positive=True)
L, k = sp.symbols("L k", integer=True, positive=True)
eps, K_hat, F_hat = sp.symbols("epsilon_g Khat Fhat")
eps_inf = sp.Symbol(r"\varepsilon_{\infty}")
e0 = sp.IndexedBase("e^0", real=True)

EIGENVALUES = tuple(sp.Rational(v) for v in ("9/4", "3/4", "1/3"))
WEIGHTS = tuple(sp.Rational(v) for v in ("2/7", "2/7", "3/7"))
"""sum_k w_k lam_k = 1."""


def three_modes() -> dict[Any, Any]:
    """Definitions: the eigenvalues, weights and initial errors e_k(0)."""
    numbers: dict[Any, Any] = {L: 3}
    for mode in range(3):
        numbers[lam[mode + 1]] = EIGENVALUES[mode]
        numbers[w[mode + 1]] = WEIGHTS[mode]
        numbers[e0[mode + 1]] = sp.Rational(mode + 2, 3)
    return numbers


def relaxation_matrix() -> sp.Matrix:
    """d/dalpha of (e_1, ..., e_L): diagonal plus rank one."""
    rates, kicks = EIGENVALUES, [a * b for a, b in zip(WEIGHTS, EIGENVALUES, strict=True)]
    return sp.Matrix(
        3,
        3,
        lambda a, b: (-2 * kappa * rates[a] if a == b else 0) + kappa**2 * rates[a] * kicks[b],
    )


def stationary(rate: mp.mpf, variance: mp.mpf, learned: int, frozen: mp.mpf) -> mp.mpf:
    """eps_g at rest, the first `learned` of three eigenspaces trained, e_k = `frozen` beyond."""
    lams, shares = (
        [mp.mpf(v.p) / v.q for v in values]
        for values in (EIGENVALUES, [a * b for a, b in zip(WEIGHTS, EIGENVALUES, strict=True)])
    )
    matrix, source = mp.zeros(3), mp.zeros(3, 1)
    for a in range(3):
        if a >= learned:
            matrix[a, a], source[a] = 1, frozen
            continue
        matrix[a, a] += 2 * rate * lams[a]
        source[a] = rate**2 * lams[a] * variance
        for b in range(3):
            matrix[a, b] -= rate**2 * lams[a] * shares[b]
    return mp.fdot(shares, mp.lu_solve(matrix, source)) / 2
