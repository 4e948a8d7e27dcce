"""Spectra in double precision against the same spectra in mpmath, and sums of powers."""

import math
import time

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.measure import eigenvalues_and_weights, power_sum
from theory import Discrete, Isotropic, PowerLaw


@pytest.mark.parametrize("beta", [1, 2, "3/10", 0.7, sp.sqrt(2), "1/1000", "1e-40"])
@pytest.mark.parametrize("L", [1, 2, 3000])
def test_power_law_is_correctly_rounded(beta, L):
    """Oracle: Spectrum.values at 30 digits; two units in the last place."""
    spectrum = PowerLaw(beta, L)
    for found, exact in zip(
        eigenvalues_and_weights(spectrum), map(np.array, spectrum.values(30)), strict=True
    ):
        with mp.workdps(30):
            assert max(abs(found.astype(object) / exact - 1)) < 4.5e-16


@pytest.mark.parametrize("spectrum", [Isotropic(), Discrete([1, "1/3"], [1, 7])], ids=str)
def test_other_spectra_are_the_nearest_doubles(spectrum):
    """Oracle: the exact fractions, rounded once."""
    lam, w = eigenvalues_and_weights(spectrum)
    assert lam.tolist() == [float(x) for x in spectrum.eigenvalues]
    assert w.tolist() == [float(x) for x in spectrum.weights]


def test_a_million_eigenvalues_are_quick_and_normalised():
    """Oracle: sum w lam = 1 by math.fsum; it takes 0.05 s, ten times less than the bound."""
    spectrum = PowerLaw("3/10", 10**6)
    began = time.perf_counter()
    lam, w = eigenvalues_and_weights(spectrum)
    assert time.perf_counter() - began < 0.5
    assert abs(math.fsum(lam * w) - 1) < 1e-15
    assert eigenvalues_and_weights(PowerLaw("3/10", 10**6))[0] is lam
    assert not lam.flags.writeable


def test_spectra_without_numbers_are_refused():
    """Oracle: the message a user needs."""
    with pytest.raises(ValueError, match="infinitely many eigenvalues"):
        eigenvalues_and_weights(PowerLaw(1, sp.oo))
    with pytest.raises(ValueError, match=r"symbols \['b'\]"):
        eigenvalues_and_weights(PowerLaw(sp.Symbol("b", positive=True), 5))


@pytest.mark.parametrize("s", [2, "13/10", "1001/1000", 3 + sp.sqrt(2)])
@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 700), (350, 400), (10**9, 10**9 + 9)])
def test_power_sum_is_its_sum(s, first, last):
    """Oracle: the terms added one by one at 60 digits."""
    with mp.workdps(60):
        exponent = mp.mpf(sp.N(sp.sympify(s), 60))
        direct = mp.fsum(mp.mpf(k) ** -exponent for k in range(first, last + 1))
        assert abs(power_sum(sp.sympify(s), first, last) / direct - 1) < mp.mpf(10) ** -29


def test_power_sum_without_end():
    """Oracle: zeta(2) = pi^2/6, and the first terms taken from it."""
    with mp.workdps(40):
        assert abs(power_sum(sp.S(2), 1, sp.oo) - mp.pi**2 / 6) < mp.mpf(10) ** -29
        rest = mp.pi**2 / 6 - mp.mpf(5) / 4
        assert abs(power_sum(sp.S(2), 3, sp.oo) - rest) < mp.mpf(10) ** -29
