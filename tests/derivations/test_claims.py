"""Published claims: how they are judged, shown and refused."""

import re
from dataclasses import replace
from functools import partial

import pytest
import sympy as sp
from click.testing import CliRunner

from derivations import claims
from derivations.__main__ import main
from derivations.claims import CLAIMS, Claim, ClaimError, Evidence, Number, Verdict
from derivations.claims.criteria import always, below, in_the_limit
from derivations.claims.judging import judge_claims
from derivations.claims.table import listing, markdown
from derivations.claims.worschech_rosenow import equations, plateau_length
from numerics.plateau_length import PlateauLengths

ONE = Evidence(Verdict.HOLDS, (Number("one", 1, 0),))


def plain(stage, items):
    return items


def claim(key="one", judge=lambda full: ONE, source="WR24"):
    return Claim(key, source, "One is one.", sp.Eq(sp.Symbol("x"), 1), judge)


@pytest.fixture(scope="module")
def judged():
    """Three small claims, one of each verdict."""
    some = Evidence(
        Verdict.CONDITIONAL, (Number("ratio | at L = 8", 1.04408, 2e-5),), "L = 9 or beyond"
    )
    none = Evidence(Verdict.FAILS, (Number("count", 3, 0), Number("text", "3.0", "0.1")), "3 found")
    given = [
        claim("holds"),
        claim("sometimes", lambda full: some),
        claim("never", lambda full: none, source="PXZ26"),
    ]
    return judge_claims(given, False, plain)


def test_criteria_decide_by_the_numbers():
    """Oracle: the definition, on the four ways in which deviations can lie."""
    inside, outside = ("here", 0.001), ("there", -0.2)
    assert always([inside, inside], 0.01) == (Verdict.HOLDS, "")
    assert always([inside, outside], 0.01) == (Verdict.FAILS, "20 % off at there")
    assert in_the_limit([inside, inside], 0.01)[0] is Verdict.HOLDS
    assert below([inside, ("z", 1.2)], 1.5) == (Verdict.HOLDS, "")
    assert below([inside, ("z", 1.7)], 1.5) == (Verdict.FAILS, "1.7 at z, 1.5 allowed")
    verdict, condition = in_the_limit([inside, outside, inside], 0.01)
    assert verdict is Verdict.CONDITIONAL
    assert condition == "here or beyond (to 1 %; 20 % off at there)"
    assert in_the_limit([inside, outside], 0.01)[0] is Verdict.FAILS


@pytest.mark.parametrize("criterion", [always, below, in_the_limit])
def test_criteria_refuse_what_is_no_number(criterion):
    with pytest.raises(ValueError, match="not finite at there"):
        criterion([("here", 0.0), ("there", float("nan"))], 1)
    with pytest.raises(ValueError, match="no cases"):
        criterion([], 1)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.044084, 2e-5, "1.04408 ± 2e-05"),
        (-0.5, 0.01, "-0.50 ± 0.01"),
        (123.4, 20, "123 ± 2e+01"),
        (2.5e-7, 1e-9, "(2.50 ± 0.01)e-7"),
        (0.0, 1e-9, "(0 ± 1)e-9"),
        (16, 0, "16"),
        ("29.97", "0.01", "29.97 ± 0.01"),
        ("none", 0, "none"),
    ],
)
def test_numbers_print_what_their_error_leaves(value, error, text):
    """Oracle: rounding by hand."""
    assert Number("x", value, error).text == text


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Number("x", float("nan"), 0), "x: the value is not finite"),
        (lambda: Number("x", 1, float("inf")), "x: the error is not finite"),
        (lambda: Number("x", "nan", 0), "x: the value is no number"),
        (lambda: Number("x", 1, -1), "must not be negative"),
        (lambda: Evidence(Verdict.HOLDS, ()), "at least one number"),
        (lambda: Evidence(Verdict.CONDITIONAL, ONE.numbers), "needs its condition"),
        (lambda: Evidence(Verdict.HOLDS, ONE.numbers, "sometimes"), "has no condition"),
        (lambda: claim("two words"), "must be an identifier"),
        (lambda: claim(source="WR99"), "unknown source 'WR99'"),
    ],
)
def test_unsound_evidence_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("judge", "message"),
    [
        (lambda full: 1 / 0, "ZeroDivisionError"),
        (lambda full: Evidence(Verdict.HOLDS, (Number("x", float("nan"), 0),)), "not finite"),
        (lambda full: None, "must return Evidence, found None"),
    ],
)
def test_a_judge_that_fails_names_its_claim(judge, message, monkeypatch, tmp_path):
    """Nothing is written, the message is one line."""
    bad = claim("the_bad_one", judge)
    with pytest.raises(ClaimError, match=message):
        bad.judged(full=False)
    monkeypatch.setattr(claims, "CLAIMS", (claim(), bad))
    result = CliRunner().invoke(main, ["claims", "--html", "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "claim WR24 the bad one: " in result.stderr
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_keys_differ():
    with pytest.raises(ValueError, match="found twice: WR24 one"):
        judge_claims([claim(), claim()], False, plain)
    assert len({each.name for each in CLAIMS}) == len(CLAIMS)


def test_listing_has_verdict_and_numbers(judged):
    """Oracle: what a reader looks for."""
    text = listing(judged)
    assert "-> holds when L = 9 or beyond" in text
    assert "-> fails: 3 found" in text
    assert "ratio | at L = 8  1.04408 ± 2e-05" in text
    assert "3 claims: 1 hold, 1 hold under a condition, 1 fail" in text
    assert r"ratio \| at L = 8: 1.04408" in markdown(judged)


def test_command_writes_every_claim_on_one_page(monkeypatch, tmp_path, judged):
    """Oracle: the files and links a reader finds; the page needs nothing else."""
    monkeypatch.setattr(claims, "CLAIMS", tuple(each.claim for each in judged))
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["claims", "--html", "--out", str(out)])
    assert result.exit_code == 0, result.stderr
    assert [path.name for path in out.iterdir()] == ["claims.html"]
    page = (out / "claims.html").read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert page.count('<article class="step claim"') == len(judged)
    for each in judged:
        assert f'<span class="mark {each.evidence.verdict.name.lower()}">' in page
        assert all(number.text in page for number in each.evidence.numbers)
    targets = re.findall(r'href="#([\w-]+)"', page)
    assert all(f'id="{target}"' in page for target in targets)


def test_command_takes_full_as_said(monkeypatch):
    """Oracle: what the judge is given."""
    asked = []
    monkeypatch.setattr(claims, "CLAIMS", (claim(judge=lambda full: asked.append(full) or ONE),))
    for options in ([], ["--quick"], ["--full"]):
        assert CliRunner().invoke(main, ["claims", *options]).exit_code == 0
    assert asked == [False, False, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "somewhere"], "give --html too"),
        (["--html", "--out", __file__], "is not a folder"),
        (["--fast"], "No such option"),
    ],
)
def test_bad_input_of_the_command(arguments, message, monkeypatch):
    """Refused before anything is judged."""
    monkeypatch.setattr(claims, "CLAIMS", (claim(judge=lambda full: 1 / 0),))
    result = CliRunner().invoke(main, ["claims", *arguments])
    assert result.exit_code != 0
    assert message in result.stderr
    assert isinstance(result.exception, SystemExit)


def rejudged(each, formula):
    """The verdict by the same criterion on another formula."""
    other = replace(each, formula=formula, judge=partial(each.judge.func, formula))
    return other.judged(full=False).verdict


def off_by_five_per_cent(formula):
    """Copies of an equation, or of several, with one exponent or constant off by 5 %."""
    equations = formula if isinstance(formula, sp.Tuple) else (formula,)
    for n, eq in enumerate(equations):
        changed = sp.Eq(eq.lhs, _wrong(eq.rhs), evaluate=False)
        several = sp.Tuple(*equations[:n], changed, *equations[n + 1 :])
        yield several if isinstance(formula, sp.Tuple) else changed


def _wrong(right):
    more = sp.Rational(21, 20)
    if sp.Symbol("c", positive=True) not in right.free_symbols:
        return more * right
    # A free constant: the claim is the power, whose exponent holds beta.
    powers = [p for p in right.atoms(sp.Pow) if p.base.is_Symbol and p.exp.has(BETA)]
    assert len(powers) == 1
    return right.subs(powers[0], powers[0].base ** (more * powers[0].exp))


BETA = sp.Symbol("beta", positive=True)
FORMULAS = [each for each in CLAIMS if not isinstance(each.formula, str)]
QUICK = ("escape_time", "feature_constant", "compute_error")


@pytest.mark.parametrize(
    "each",
    [
        pytest.param(each, id=each.key, marks=[] if each.key in QUICK else pytest.mark.slow)
        for each in FORMULAS
        if each.source == "WR24"
    ],
)
def test_five_per_cent_off_fails(each):
    """Oracle: a constant or an exponent that is known to be wrong; the right one does not fail."""
    assert each.judged(full=False).verdict is not Verdict.FAILS
    for formula in off_by_five_per_cent(each.formula):
        assert rejudged(each, formula) is Verdict.FAILS, formula


@pytest.mark.parametrize("each", CLAIMS, ids=lambda each: each.name)
def test_every_formula_is_printed(each):
    """Oracle: braces that pair."""
    assert each.latex.count("{") == each.latex.count("}") > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "bound", "value", "key"),
    [
        (equations, "LOST", -1, "closed_moments"),
        (equations, "STEADY", 0.1, "order_parameters"),
    ],
)
def test_claims_without_a_formula_can_fail(module, bound, value, key, monkeypatch):
    """Oracle: a bound that nothing meets."""
    (each,) = (c for c in CLAIMS if c.key == key)
    monkeypatch.setattr(module, bound, value)
    assert each.judged(full=False).verdict is Verdict.FAILS


@pytest.mark.parametrize(
    ("pauses", "settled", "verdict"),
    [
        ((9.0, 3.0, 1.0, None), (True, True, True, False), Verdict.HOLDS),
        ((9.0, 3.0, 1.0, 2.0), (True, True, True, False), Verdict.CONDITIONAL),
        ((9.0, 3.0, 2.0, 1.0), (True, True, True, True), Verdict.FAILS),
        ((9.0, 10.0, 1.0, None), (True, True, True, False), Verdict.FAILS),
        ((9.0, 3.0, 1.0, None), (True, False, True, False), Verdict.FAILS),
    ],
)
def test_a_plateau_that_stays_does_not_disappear(pauses, settled, verdict, monkeypatch):
    """Oracle: pauses made up for four numbers of eigenvalues."""
    sizes = {4: 0, 16: 1, 64: 2, 256: 3}

    def measured(model, asymmetries):
        n = sizes[int(model.spectrum.L)]
        return PlateauLengths(model, (0.1,), (pauses[n],), (settled[n],), 1.0)

    monkeypatch.setattr(plateau_length, "measure_plateau", measured)
    (each,) = (c for c in CLAIMS if c.key == "plateau_disappears")
    assert each.judged(full=False).verdict is verdict
