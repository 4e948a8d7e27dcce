"""What is judged of Paquette, Xiao & Zhu: verdicts follow the numbers."""

import pytest
import sympy as sp

from derivations.claims import Verdict
from derivations.claims.random_features import CLAIMS, X, d
from theory.spectral_law import j

CLAIM = {claim.key: claim for claim in CLAIMS}

EXPECTED = {
    "exponent_inherited": (Verdict.CONDITIONAL, "p = 1; p = 2: j = 1e64 or beyond"),
    "head": (Verdict.CONDITIONAL, "p = 1; p = 2: j = 1e2 or beyond"),
    "logarithms": (Verdict.CONDITIONAL, "p = 1; p = 2; p = 3: X = 1e16 or beyond"),
    "window": (Verdict.HOLDS, ""),
    "tail": (Verdict.HOLDS, ""),
    "other_activations": (Verdict.CONDITIONAL, "erf: slowly"),
}


@pytest.mark.slow
@pytest.mark.parametrize("key", CLAIM)
def test_verdicts(key):
    """Oracle: the limit law, whose logarithms die out slowly; kinks of ReLU and sign."""
    verdict, condition = EXPECTED[key]
    found = CLAIM[key].judged(False)
    assert found.verdict is verdict
    assert found.condition.startswith(condition)
    if key == "other_activations":
        assert "not at ReLU" in found.condition
        assert "not at sign" in found.condition


@pytest.mark.slow
@pytest.mark.parametrize("key", sorted(set(CLAIM) - {"other_activations"}))
def test_a_wrong_power_is_noticed(key):
    """Oracle: with the wrong power of its variable nothing holds of the formula."""
    formula = CLAIM[key].formula
    variable = next(v for v in (X, j, d) if formula.rhs.has(v))
    wrong = sp.Eq(formula.lhs, formula.rhs * variable ** sp.Rational(-3, 4), evaluate=False)
    if key == "window":
        wrong = sp.Eq(formula.lhs, formula.rhs * d**2, evaluate=False)
    found = CLAIM[key].judge.func(wrong, False)
    assert found.verdict is Verdict.FAILS


def test_logarithms_of_the_degree():
    """Oracle: one power of the logarithm more than there is, which the first degree refutes."""
    claim = CLAIM["logarithms"]
    wrong = sp.Eq(claim.formula.lhs, claim.formula.rhs * sp.log(X), evaluate=False)
    found = claim.judge.func(wrong, False)
    assert found.verdict is Verdict.FAILS
    assert "not at p = 1" in found.condition
