"""Claims on what helps: right formulas hold, wrong ones do not."""

import pytest
import sympy as sp

from derivations.claims import Verdict
from derivations.claims.what_helps import CLAIMS, first_layer, second_layer
from theory.schedules import alpha
from theory.symbols import k, lam, w
from theory.weight_decay import decay

BY_KEY = {claim.key: claim for claim in CLAIMS}
beta, theta = first_layer.beta, first_layer.theta


def verdict(key, formula=None):
    """Of a claim, judged with another formula if one is given."""
    claim = BY_KEY[key]
    judge = claim.judge if formula is None else lambda full: claim.judge.func(formula, full)
    return judge(False).verdict


@pytest.mark.slow  # compiling the structured loops takes most of a minute, once
def test_white_students_learn_exponentially():
    """Oracle: the rate 2 eta; 5 % off is noticed."""
    assert verdict("whitening") is Verdict.HOLDS
    wrong = sp.Eq(first_layer.eps, sp.exp(-sp.Rational(21, 10) * first_layer.eta * alpha))
    assert verdict("whitening", wrong) is Verdict.FAILS


@pytest.mark.slow  # compiling the structured loops takes most of a minute, once
def test_noise_and_floor():
    """Oracle: the constant 1/4 and the power s; 5 % off is noticed."""
    assert verdict("scheduled_noise") is Verdict.CONDITIONAL
    wrong = sp.Eq(first_layer.eps, first_layer.sigma2 * first_layer.eta * sp.Rational(21, 80))
    assert verdict("scheduled_noise", wrong) is Verdict.FAILS
    assert verdict("decay_floor") is Verdict.CONDITIONAL
    wrong = sp.Eq(first_layer.eps, decay ** (sp.Rational(11, 10) * beta / (1 + beta)))
    assert verdict("decay_floor", wrong) is Verdict.FAILS


@pytest.mark.slow
def test_exponent_of_the_changed_spectrum():
    """Oracle: beta/((1 + beta)(1 - theta)); that of plain SGD, and 5 % more, are noticed."""
    assert verdict("preconditioned_exponent") is Verdict.CONDITIONAL
    powers = beta / (1 + beta), sp.Rational(21, 20) * beta / ((1 + beta) * (1 - theta))
    for power in powers:
        wrong = sp.Eq(first_layer.eps, alpha**-power)
        assert verdict("preconditioned_exponent", wrong) is Verdict.FAILS


@pytest.mark.slow
def test_plateaus():
    """Oracle: measured escapes; the rate with theta in one place only is noticed."""
    assert verdict("preconditioned_plateau") is Verdict.HOLDS
    total = sp.Sum(w[k] * lam[k] ** (2 - theta), (k, 1, first_layer.L))
    wrong = sp.Eq(first_layer.gamma, first_layer.gamma_1 * total)
    assert verdict("preconditioned_plateau", wrong) is Verdict.FAILS
    assert verdict("decayed_plateau") is Verdict.CONDITIONAL
    wrong = sp.Eq(first_layer.LOST.lhs, -decay)
    assert verdict("decayed_plateau", wrong) is Verdict.FAILS


@pytest.mark.slow
@pytest.mark.montecarlo
def test_output_weights(monkeypatch):
    """Oracle: SGD on both layers; final errors, 1/K and not 1/K^2; a bound that nothing meets."""
    assert verdict("second_layer") is Verdict.HOLDS
    assert verdict("larger_students") is Verdict.CONDITIONAL
    assert verdict("both_layers") is Verdict.HOLDS
    wrong = sp.Eq(second_layer.eps, second_layer.A / second_layer.K**2)
    assert verdict("both_layers", wrong) is Verdict.FAILS
    monkeypatch.setattr(second_layer, "STEADY", 0.1)
    assert verdict("second_layer") is Verdict.FAILS


@pytest.mark.parametrize(
    ("late", "expected"),
    [((1, 2, 3), Verdict.HOLDS), ((1, 3, 2), Verdict.CONDITIONAL)],
)
def test_errors_that_grow_or_do_not(late, expected, monkeypatch):
    """Oracle: errors made up for K = 2, 3, 4 at the later time, that grow at the earlier."""
    errors = dict(zip((2, 3, 4), late, strict=True))
    monkeypatch.setattr(second_layer, "final_errors", lambda K, both: (K, errors[K]))
    assert verdict("larger_students") is expected
    monkeypatch.setattr(second_layer, "final_errors", lambda K, both: (-K, -K))
    assert verdict("larger_students") is Verdict.FAILS
