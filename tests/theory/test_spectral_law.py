"""The eigenvalue law: counts of the limiting spectrum, their inverse, and its errors."""

import mpmath as mp
import pytest
import sympy as sp

from theory import chaos_eigenvalues
from theory.block_sums import BlockExcess, BlockSlope, BlockSum
from theory.power_law_secular import DOUBLES, SecularEquation
from theory.spectral_law import FORMS, eigenvalue_law, finite_features_law, spectral_count_law


def relative(law, spectrum, j: int) -> float:
    return float(law(j) / spectrum[j - 1].value - 1)


def forms(p: int) -> tuple[str, ...]:
    return FORMS if p == 2 else ("leading", "inversion")


def test_block_sums_at_two():
    """Oracle: traces of lam_k + lam_k s_k/2, 3 zeta(2)/2 and zeta(3), at an exponent beside 2."""
    beside = 2 + sp.Rational(1, 10**9)
    for number in (BlockSum, BlockExcess):
        assert abs(sp.N(number(beside)) / sp.N(number(sp.Integer(2))) - 1) < 2e-8


@pytest.mark.parametrize("a", ["6/5", "3"])
def test_block_sums(a):
    """Oracle: three times as many branches, continued to leading order only."""
    exponent = sp.Rational(a)
    equation = SecularEquation(exponent, None, DOUBLES)
    power = 1 / mp.mpf(sp.N(exponent))
    x = [mp.mpf(equation.root(k)) ** power for k in range(1, 241)]
    total = mp.fsum(e**-2 for e in x) + mp.zeta(2, 241 - power)
    slope = -2 * mp.fsum(mp.log(e) / e**2 for e in x) + 2 * mp.zeta(2, 241 - power, 1)
    assert abs(sp.N(BlockSum(exponent)) - total) < 1e-7
    assert abs(sp.N(BlockSlope(exponent)) - slope) < 1e-6


@pytest.mark.parametrize(("p", "least"), [(1, 100), (2, 1500), (3, 1000)])
def test_counts(p, least):
    """Oracle: the spectrum itself, ranked; a count must be right to its error."""
    spectrum = chaos_eigenvalues("3/2", p, 3000)
    law = spectral_count_law("3/2", p)
    for j in range(least, 3000, 500):
        size = (mp.factorial(p) ** 2 / spectrum[j - 1].value) ** (mp.mpf(2) / 3)
        assert abs(law(size) / (j - 0.5) - 1) < law.claimed_error(size)


@pytest.mark.parametrize(("a", "p", "last"), [(2, 1, 9000), ("3/2", 2, 9000), (3, 3, 3000)])
def test_errors_are_bounds(a, p, last):
    """Oracle: the spectrum itself, for every form of the law."""
    spectrum = chaos_eigenvalues(a, p, last)
    for form in forms(p):
        law = eigenvalue_law(a, p, form)
        for j in range(1000, last + 1, 1000):
            found = abs(relative(law, spectrum, j))
            assert found <= law.claimed_error(j) + 1e-12, (form, j)


@pytest.mark.slow
@pytest.mark.parametrize(("p", "accuracy"), [(2, 5e-4), (3, 3e-3)])
def test_inversion_far_out(p, accuracy):
    """Oracle: the spectrum itself at 10 000 <= j <= 100 000."""
    spectrum = chaos_eigenvalues(2, p, 100_000)
    for form in forms(p):
        law = eigenvalue_law(2, p, form)
        for j in range(10_000, 100_001, 5_000):
            found = abs(relative(law, spectrum, j))
            assert found <= law.claimed_error(j)
            assert form != "inversion" or found < accuracy


@pytest.mark.slow
def test_fourth_power():
    """Oracle: the spectrum itself; what the law leaves out is O(X^-1/2)."""
    spectrum = chaos_eigenvalues("3/2", 4, 1000)
    law = eigenvalue_law("3/2", 4)
    assert abs(relative(law, spectrum, 1000)) < 0.03
    assert abs(relative(law, spectrum, 500)) < law.claimed_error(500)


def test_local_exponent_of_the_inverse():
    """Oracle: a finite difference of the law, whose root moves with j."""
    law = eigenvalue_law(2, 2)
    at = sp.Integer(5000)
    step = sp.Rational(1, 10**6)
    difference = mp.log(law(at * (1 + step), 25) / law(at * (1 - step), 25)) / (2 * mp.mpf("1e-6"))
    assert abs(law.local_exponent(at) - difference) < 1e-9


def test_finite_features():
    """Oracle: the sum over i != j, term by term, its end by zeta functions; a = 2 is 3/4."""
    for a in ("3/2", "5/2"):
        law, power = finite_features_law(a), mp.mpf(sp.N(sp.Rational(a)))
        near = [i for i in range(1, 201) if i != 20]
        direct = mp.fsum(1 / ((mp.mpf(i) / 20) ** power - 1) for i in near)
        direct += mp.fsum(20 ** (m * power) * mp.zeta(m * power, 201) for m in range(1, 16))
        assert abs((law(1000, j=20) - 1) * 1000 - direct) < 2e-3
    assert finite_features_law(2)(100, j=7) == mp.mpf("1.0075")


def test_bad_input():
    with pytest.raises(ValueError, match=r"up to 4, found p = 5"):
        eigenvalue_law(2, 5)
    with pytest.raises(ValueError, match=r"form must be one of .*, found 'naive'"):
        eigenvalue_law(2, 2, "naive")
    with pytest.raises(ValueError, match=r"'lambert' is for p = 2, found p = 3"):
        eigenvalue_law(2, 3, "lambert")
    with pytest.raises(ValueError, match=r"must be a number > 1, found 1"):
        spectral_count_law(1, 2)
