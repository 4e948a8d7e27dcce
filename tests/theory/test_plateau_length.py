"""How long the plateau lasts: formulas; tests/validation/test_plateau_length.py integrates."""

import numpy as np
import pytest
import sympy as sp

from numerics import initial
from theory import Discrete, PowerLaw, TeacherStudent, plateau
from theory.plateau_length import plateau_length, relaxation_ratio

M = sp.Symbol("M", integer=True, positive=True)


def test_the_ratio_of_rates_is_a_whole_number():
    """Oracle: 4 M^2 - 1, seen first in numbers (15, 35, 63, 255 for M = 2, 3, 4, 8)."""
    assert sp.expand(relaxation_ratio(M) - (4 * M**2 - 1)) == 0


@pytest.mark.montecarlo
def test_asymmetry_of_a_random_start():
    """Oracle: 400 starts drawn at N = 500: R centred in rows and columns."""
    model = TeacherStudent(3, 3, spectrum=PowerLaw(1, 5), eta="1/10")
    lam, w = (np.array(x, dtype=float) for x in model.spectrum.values())
    squares = []
    for seed in range(400):
        r = initial(model, sigma_J=0.1, N=500, seed=seed).r
        R = np.einsum("k,kin->in", w * lam, r)
        centred = R - R.mean(0) - R.mean(1)[:, None] + R.mean()
        squares.append((centred**2).sum())
    expected = float(plateau_length(model).asymmetry("1/10", 500)) ** 2
    error = np.std(squares) / 20
    assert abs(np.mean(squares) - expected) < 3.5 * error


def test_the_law_is_the_escape_time_times_the_logarithm():
    """Oracle: by hand; the regime holds where the slowest mode relaxes before the escape."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 4), eta="1/10")
    law = plateau_length(model).law
    time = float(plateau(model).escape_time)
    assert float(law("1/1000")) == pytest.approx(time * np.log(1000), rel=1e-12)
    assert law.holds("1/1000")
    crowded = model.replace(spectrum=PowerLaw(1, 64))
    assert not plateau_length(crowded).law.holds("1/1000")
    assert not plateau_length(model.replace(spectrum=Discrete([1, 200]))).law.holds("1/1000")


def test_one_law_of_all_parameters():
    """Oracle: the law of S_0 at its root mean square, with numbers for M, L, beta and eta."""
    L, beta, eta = sp.Symbol("L", integer=True, positive=True), *sp.symbols("b e", positive=True)
    law = plateau_length(TeacherStudent(M, M, spectrum=PowerLaw(beta, L), eta=eta)).random_start_law
    assert {str(s) for s in law.parameters} == {"L", "M", "b", "e", "sigma_J"}
    numbers = {"L": 4, "M": 3, "b": "1/2", "e": "1/10"}
    known = plateau_length(TeacherStudent(3, 3, spectrum=PowerLaw("1/2", 4), eta="1/10"))
    for sigma, N in (("1/100", 500), ("1/1000", 2000)):
        start = known.asymmetry(sigma, N)
        found = law(N, sigma_J=sigma, **numbers)
        assert float(found) == pytest.approx(float(known.law(start)), rel=1e-12)
        assert law.holds(N, sigma_J=sigma, **numbers)


def test_the_largest_number_of_modes():
    """Oracle: where the condition of the regime turns, up to harmonic numbers against zeta."""
    many = TeacherStudent(4, 4, spectrum=PowerLaw(1, 2), eta=1)
    bound = plateau_length(many).largest_L
    number = float(bound.subs({s: sp.Rational(1, 1000) for s in bound.free_symbols}))
    below, above = (
        plateau_length(many.replace(spectrum=PowerLaw(1, L))).law.holds("1/1000")
        for L in (int(0.9 * number), int(1.1 * number))
    )
    assert below
    assert not above
    with pytest.raises(NotImplementedError, match=r"largest_L is for PowerLaw"):
        _ = plateau_length(TeacherStudent(2, 2)).largest_L
