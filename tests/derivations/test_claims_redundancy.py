"""What is judged of Bi & Calhoun: verdicts follow the numbers."""

import pytest
import sympy as sp

from derivations.claims import Verdict, redundancy
from derivations.claims.redundancy import CLAIMS, ridge
from numerics.universality import ostrowski_ratios
from theory.redundancy import samples

CLAIM = {claim.key: claim for claim in CLAIMS}
FORMULAS = [claim.key for claim in CLAIMS if isinstance(claim.formula, sp.Eq)]

EXPECTED = {
    "redundancy_law": (Verdict.CONDITIONAL, "s = 3/4: n = 1e+06 or beyond", "not at s = 3/2"),
    "effective_dimension": (Verdict.CONDITIONAL, "λ = 1e-08 or beyond", ""),
    "optimal_ridge": (Verdict.CONDITIONAL, "s = 1/2;", "not at s = 3/2"),
    "source_condition": (Verdict.CONDITIONAL, "g_i = i^-1/2;", "not at g_i = i^-3/4"),
    "steeper_is_faster": (Verdict.CONDITIONAL, "fixed s = 1/2;", "not at fixed target"),
    "maps_keep_spectrum": (Verdict.HOLDS, "", ""),
    "maps_keep_law": (Verdict.CONDITIONAL, "s = 1/2, δ = 1;", "not at s = 1, δ = 1/4"),
    "mixtures": (Verdict.CONDITIONAL, "(4, 3/4): n = 1e+08", "not at (β, s) = (2, 1)"),
    "finite_width": (Verdict.CONDITIONAL, "m = n^0.6", "not at m = 1000"),
}


@pytest.mark.slow
@pytest.mark.parametrize("key", CLAIM)
def test_verdicts(key):
    """Oracle: where theory says that the statement holds: s < 1, the border of l^2, fixed s, maps
    that keep the smoothness, mixtures whose heaviest tail is the roughest, widths that grow."""
    verdict, holds, fails = EXPECTED[key]
    found = CLAIM[key].judged(False)
    assert found.verdict is verdict
    assert holds in found.condition
    assert fails in found.condition


@pytest.mark.slow
@pytest.mark.parametrize("key", FORMULAS)
def test_a_wrong_exponent_is_noticed(key):
    """Oracle: with twice the printed exponent nothing holds."""
    formula = CLAIM[key].formula
    (variable,) = formula.rhs.free_symbols & {samples, ridge}
    wrong = sp.Eq(formula.lhs, formula.rhs.subs(variable, variable**2), evaluate=False)
    found = CLAIM[key].judge.func(wrong, False)
    assert found.verdict is Verdict.FAILS


@pytest.mark.slow
def test_the_bounds_of_ostrowski_are_tested(monkeypatch):
    """Oracle: bounds that are the singular values instead of their squares."""

    def roots(eigenvalues, matrix):
        ratios, low, high = ostrowski_ratios(eigenvalues, matrix)
        return ratios, low**0.5, high**0.5

    monkeypatch.setattr(redundancy, "ostrowski_ratios", roots)
    assert CLAIM["maps_keep_spectrum"].judged(False).verdict is Verdict.FAILS
