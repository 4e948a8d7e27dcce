"""Spectra in double precision: eigenvalues and weights correctly rounded, for any L, computed once.

Summary
    A power law needs one number beyond the powers themselves, the harmonic number, and that is a
    difference of two zeta functions: no eigenvalue passes through SymPy or mpmath.

Notation
    lam_k, w_k : eigenvalues and weights, sum_k w_k = sum_k w_k lam_k = 1;
    zeta(s, a) = sum_{k>=0} (k + a)^-s : Hurwitz's zeta function.

References
    [WR24] Worschech & Rosenow, arXiv:2410.09005.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from theory.spectra import PowerLaw, Spectrum

from .storage import Array

__all__ = ["eigenvalues_and_weights", "inverse_powers", "power_sum"]

DIGITS = 30


def eigenvalues_and_weights(spectrum: Spectrum) -> tuple[Array, Array]:
    """Return lam and w as float64, read-only, shape (L,), good to a few units in the last place.

    Computed once per spectrum; 10^6 eigenvalues of a power law take a twentieth of a second.

    Raises
    ------
    ValueError
        If the spectrum still contains symbols, or has infinitely many eigenvalues.
    """
    return _doubles(spectrum)


@lru_cache(maxsize=16)
def _doubles(spectrum: Spectrum) -> tuple[Array, Array]:
    if isinstance(spectrum, PowerLaw) and spectrum.beta.is_number and spectrum.L.is_Integer:
        lam, w = _power_law(spectrum.beta, int(spectrum.L))
    else:
        lam, w = (np.array(numbers, dtype=float) for numbers in spectrum.values(DIGITS))
    for array in (lam, w):
        array.flags.writeable = False
    return lam, w


def _power_law(beta: sp.Expr, L: int) -> tuple[Array, Array]:
    largest = float(L / power_sum(1 + beta, 1, L))
    return largest * inverse_powers(np.arange(1, L + 1, dtype=float), 1 + beta), np.full(L, 1 / L)


def inverse_powers(k: Array, exponent: sp.Expr) -> Array:
    """k^-s as float64 for an exact exponent s, which need not be a double."""
    near = float(exponent)
    # k^-(s + d) = k^-s (1 - d log k): at k = 10^6 the rounding d of s alone would cost 1e-15.
    return k**-near * (1 - float(sp.N(exponent - sp.Float(near, DIGITS), DIGITS)) * np.log(k))


def power_sum(exponent: sp.Expr, first: int, last: Any) -> mp.mpf:
    """sum_{k=first}^{last} k^-s, s > 1, to 30 digits; last is an integer or ``sympy.oo``.

    zeta(s, first) - zeta(s, last + 1), with the digits that the difference loses added.
    """
    s = sp.sympify(exponent)
    lost = max(0, math.ceil(-float(sp.log(s - 1, 10))))
    lost += 0 if last is sp.oo else len(str(last))
    with mp.workdps(DIGITS + 10 + lost):
        power = mp.mpf(sp.N(s, mp.mp.dps))
        total = mp.zeta(power, first)
        return +(total if last is sp.oo else total - mp.zeta(power, last + 1))
