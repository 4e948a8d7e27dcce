"""``specscale transformers``, its recorded data, and what is judged on them."""

import dataclasses
import sys
from importlib.resources import files

import numpy as np
import pytest
from click.testing import CliRunner

from derivations.__main__ import main
from derivations.claims import Verdict
from derivations.claims.redundancy_transformers import CLAIMS, transformer_claims
from derivations.transformers_data import recorded
from derivations.transformers_page import tables_text
from numerics.empirical_ntk import empirical_ntk
from numerics.transformer_experiment import FULL, Experiment
from numerics.transformer_findings import shortfall
from numerics.transformer_tasks import SequenceTask

DATA = files("derivations") / "data"
CLAIM = {claim.key: claim for claim in CLAIMS}


def invoke(*arguments):
    return CliRunner().invoke(main, ["transformers", *(str(a) for a in arguments)])


def test_recorded_data_give_the_stored_table():
    """Oracle: the table that was stored with them, letter by letter."""
    stored = (DATA / "transformers.txt").read_text(encoding="utf-8")
    assert tables_text(recorded()) == stored


def test_recorded_data_are_of_the_full_experiment():
    """Oracle: `FULL`; small enough for a repository; versions and cost with them."""
    found = recorded()
    assert found.settings == Experiment.load(str(DATA / "transformers.npz")).settings
    assert tuple(found.settings["betas"]) == FULL.betas
    assert tuple(found.settings["examples"]) == FULL.examples
    assert found.settings["encoder"] == dataclasses.asdict(FULL.encoder)
    assert found.settings["adam"] == dataclasses.asdict(FULL.adam)
    assert found.settings["seeds"] == FULL.seeds >= 3
    assert {"versions", "seconds", "machine"} <= set(found.provenance)
    assert len((DATA / "transformers.npz").read_bytes()) < 300_000


@pytest.mark.slow
def test_recorded_run_writes_everything(tmp_path):
    """Oracle: the recorded arrays; the page shows verdicts and provenance."""
    out = tmp_path / "out"
    found = invoke("--recorded", "--out", out)
    assert found.exit_code == 0, found.stderr
    names = {f"transformers.{form}" for form in ("txt", "npz", "html", "pdf", "png")}
    assert {path.name for path in out.iterdir()} == names
    back = Experiment.load(out / "transformers.npz")
    np.testing.assert_array_equal(back.best, recorded().best)
    text = (out / "transformers.html").read_text(encoding="utf-8")
    assert "processor seconds" in text
    assert "Claims of BC25, judged" in text


@pytest.mark.slow
def test_recorded_spectra_are_those_of_the_code():
    """Oracle: the tangent kernel computed now, of the first input and seed."""
    pytest.importorskip("jax", reason="the extra ntk")
    task = SequenceTask(FULL.betas[0], FULL.s, FULL.noise, 0)
    points = task.draw(FULL.encoder, FULL.points, 1)
    kernel = empirical_ntk(FULL.encoder.output, FULL.encoder.weights(0), points.inputs)
    values = np.linalg.eigvalsh(kernel / FULL.points)[::-1]
    np.testing.assert_allclose(
        values[: FULL.points // 2], recorded().eigenvalues[0, 0, 1], rtol=1e-8
    )
    assert np.mean(points.targets**2) == pytest.approx(recorded().noise_free[0, 0], rel=1e-12)


EXPECTED = {
    "tangent_kernel_spectrum": (Verdict.CONDITIONAL, "not at the change to inputs with β = 2.5"),
    "transformers_linearised": (Verdict.CONDITIONAL, "not at inputs with β = 1.5, β and s of the"),
    "transformers_learning_features": (Verdict.CONDITIONAL, "not at inputs with β = 2.5, trained"),
    "trained_kernel_spectrum": (Verdict.HOLDS, ""),
}


@pytest.mark.slow
@pytest.mark.parametrize("key", CLAIM)
def test_verdicts(key):
    """Oracle: the recorded numbers, as the table of README.md tells them."""
    verdict, condition = EXPECTED[key]
    found = CLAIM[key].judged(False)
    assert found.verdict is verdict
    assert condition in found.condition


def scaled(power):
    """The recorded experiment with every learning curve and trained tail to a power."""
    found = recorded()
    eigenvalues = found.eigenvalues.copy()
    eigenvalues[:, :, 2] **= power
    return dataclasses.replace(
        found,
        eigenvalues=eigenvalues,
        actual=found.actual**power,
        best=found.best**power,
        last=found.last**power,
    )


@pytest.mark.slow
@pytest.mark.parametrize("key", [key for key in CLAIM if key != "tangent_kernel_spectrum"])
def test_other_numbers_give_other_verdicts(key):
    """Oracle: with twice the exponents nothing holds."""
    (claim,) = (c for c in transformer_claims(lambda: scaled(2)) if c.key == key)
    assert claim.judged(False).verdict is Verdict.FAILS


@pytest.mark.slow
def test_a_kernel_with_the_exponent_of_its_inputs_holds():
    """Oracle: in the place of the recorded spectra of the tangent kernel the input's own power law,
    bent as a sample of N points is, to first order by 1 - (i/N)(pi/b) cot(pi/b)."""
    found = recorded()
    i = np.arange(1.0, found.eigenvalues.shape[-1] + 1)
    eigenvalues = found.eigenvalues.copy()
    for b, beta in enumerate(found.settings["betas"]):
        share = i / found.settings["points"] * np.pi / beta
        eigenvalues[b, :, 1] = i**-beta * (1 - share / np.tan(np.pi / beta))
    (claim,) = (
        c
        for c in transformer_claims(lambda: dataclasses.replace(found, eigenvalues=eigenvalues))
        if c.key == "tangent_kernel_spectrum"
    )
    assert claim.judged(False).verdict is Verdict.HOLDS


@pytest.mark.slow
def test_law_is_read_at_the_sizes_of_the_experiment():
    """Oracle: the control, whose kernel and target are the law's own: found within two errors of
    the law at these n, and further from its limit."""
    numbers = CLAIM["transformers_linearised"].judged(False).numbers
    controls = [n for n in numbers if n.what.startswith("control")]
    assert len(controls) == len(recorded().settings["betas"])
    for index, control in enumerate(controls):
        beta = recorded().settings["betas"][index]
        limit = 1 / (1 + 1 / beta)
        here = limit + shortfall(recorded(), recorded().settings["subsets"], index)
        assert abs(control.value - here) < abs(control.value - limit)
        assert control.value == pytest.approx(here, abs=2 * control.error + 0.05)


@pytest.mark.slow
def test_quick_case_is_computed(tmp_path):
    """Oracle: other numbers than those recorded, of the quick settings, with two seeds."""
    pytest.importorskip("jax", reason="the extra ntk")
    found = invoke("--quick", "--out", tmp_path / "out")
    assert found.exit_code == 0, found.stderr
    experiment = Experiment.load(tmp_path / "out" / "transformers.npz")
    assert experiment.settings["encoder"]["layers"] == 1
    assert experiment.settings["seeds"] == 2
    assert np.all(experiment.best < experiment.noise_free[..., None])


def test_missing_jax_is_one_plain_message(monkeypatch, tmp_path):
    """Oracle: Python's own refusal of a module that is None; nothing is written."""
    monkeypatch.setitem(sys.modules, "jax", None)
    found = invoke("--quick", "--out", tmp_path / "out")
    assert found.exit_code == 1
    assert 'pip install "specscale[ntk]"' in found.stderr
    assert list(tmp_path.iterdir()) == []


def test_quick_and_recorded_exclude_each_other(tmp_path):
    found = invoke("--quick", "--recorded", "--out", tmp_path / "out")
    assert found.exit_code == 2
    assert "give one of them" in found.stderr
