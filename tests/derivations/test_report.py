"""The main job, on small cases; in full it is run by .ci/run."""

import numpy as np
import pytest
import sympy as sp
from click.testing import CliRunner

from derivations import findings, report, report_page
from derivations.__main__ import main
from derivations.catalogue import NAMES
from derivations.claims import Claim, Evidence, Number, Verdict
from derivations.study import Settings, perform
from numerics import Trajectory
from numerics.what_helps_figures import Panel, PanelCurve
from theory.derivation import Derivation, DerivationError, Step, Symbolic, equation

x = sp.Symbol("x")
CUBE = sp.Derivative(x**3, x)
CLAIM = Claim("cube", "WR24", "The cube is steep.", sp.Eq(x, 1), lambda full: Evidence(*FAILED))
PANEL = Panel("One", (PanelCurve("curve", np.array([1.0, 2.0]), np.array([1.0, 0.5])),))
FAILED = (Verdict.FAILS, (Number("slope", 3, 0),), "not at zero")
SMALL = Settings(
    horizons=((1, 20), (2, 10)),
    end=1500,
    N=512,
    runs=8,
    digits=15,
    units=(2,),
    moments=(2, 5),
)


def sample(name, value):
    step = Step("Differentiate.", equation(CUBE, value), "Power rule.", Symbolic())
    return Derivation(name, "A cube", "Short.", (step,), ("SS95",))


@pytest.fixture(scope="module")
def study():
    return perform(SMALL, lambda stage, items: items)


@pytest.fixture
def short(monkeypatch, study):
    """The report on the small study, with one-step derivations and no TeX.

    Returns the right-hand sides of the derivations, to be changed.
    """
    values = dict.fromkeys(NAMES, 3 * x**2)
    monkeypatch.setattr(report, "load", lambda name: sample(name, values[name]))
    monkeypatch.setattr(report, "perform", lambda settings, progress: study)
    monkeypatch.setattr(report, "CLAIMS", (CLAIM,))
    monkeypatch.setattr(report, "PANELS", (lambda: PANEL,))
    monkeypatch.setattr(report.shutil, "which", lambda _: None)
    monkeypatch.setattr(report_page, "version", lambda _: "0")
    return values


def test_report_writes_one_page_its_documents_and_data(short, tmp_path):
    """Oracle: the files a reader finds, and that the page needs nothing else."""
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["report", "--out", str(out)])
    assert result.exit_code == 0, result.stderr
    assert "checks hold" in result.stdout
    assert "1 claims: 0 hold, 0 hold under a condition, 1 fail" in result.stdout
    documents = {f"{name}.{form}" for name in NAMES for form in ("tex", "html")}
    data = {f"{kind}_L{L}.npz" for kind in report._FILES.values() for L in SMALL.sizes}
    pictures = {"learning_curves.pdf", "escape_times.pdf", "what_helps.pdf"}
    others = {"report.html", "escape_rates.npz"}
    assert {path.name for path in out.iterdir()} == documents | data | pictures | others
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 3
    assert "The cube is steep." in page
    assert 'src="http' not in page
    assert 'href="http' not in page
    assert Trajectory.load(out / "simulation_L2.npz").runs == SMALL.runs


def test_a_false_derivation_stops_everything(short, tmp_path):
    """Oracle: a wrong coefficient in the second derivation."""
    short[NAMES[1]] = 4 * x**2
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["report", "--out", str(out)])
    assert result.exit_code != 0
    assert NAMES[1] in result.stderr
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DerivationError):
        sample("wrong", 4 * x).check()


@pytest.mark.parametrize(
    ("bound", "value", "named"),
    [
        ("RMS_Z", 0.01, "L = 1: simulation against theory"),
        ("DOUBLE_DIGITS", 17, "L = 2: double precision"),
        ("LOST_DIGITS", -1, "L = 2: moment form"),
        ("RATE", 1e-15, "escape rate"),
        ("REST", 0.0, "fixed point"),
    ],
)
def test_every_bound_can_fail(study, monkeypatch, bound, value, named):
    """Oracle: a bound that nothing meets."""
    monkeypatch.setattr(findings, bound, value)
    with pytest.raises(findings.CheckFailed, match=named):
        findings.require(findings.findings((), study))


def test_broken_tex_costs_the_pdf_only(short, monkeypatch, tmp_path):
    """Oracle: a latexmk that does nothing but fail."""
    fake = tmp_path / "latexmk"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(report.shutil, "which", lambda _: str(fake))
    with pytest.warns(UserWarning, match="no PDF, only LaTeX and HTML"):
        report.write_report(tmp_path / "out", SMALL)
    assert (tmp_path / "out" / f"{NAMES[0]}.tex").exists()
    assert not (tmp_path / "out" / f"{NAMES[0]}.pdf").exists()


def test_a_failing_check_is_said_and_nothing_written(short, monkeypatch, tmp_path):
    monkeypatch.setattr(findings, "RMS_Z", 0.01)
    result = CliRunner().invoke(main, ["report", "--out", str(tmp_path / "out")])
    assert result.exit_code != 0
    assert "nothing is written, because these checks fail" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_specialisation_time_is_on_the_trajectory(study):
    """Oracle: R_11 - R_12 on both sides of the time found."""
    curve = study.curves[0]
    S = curve.line.R[:, 0, 0] - curve.line.R[:, 0, 1]
    at = curve.specialised
    assert np.interp(at, curve.line.alpha, S) == pytest.approx(0.5)
    assert np.all(S[curve.line.alpha < at] < 0.5)


def test_a_derivation_is_checked_once(monkeypatch):
    """Oracle: the number of times the step is verified."""
    calls = []
    verify = Step.verify
    monkeypatch.setattr(Step, "verify", lambda step: calls.append(step) or verify(step))
    derivation = sample("cube", 3 * x**2)
    assert derivation.check() is derivation.check()
    assert len(calls) == 1
