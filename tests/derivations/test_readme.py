"""README.md: its links, its commands and its script."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from derivations.__main__ import main
from derivations.catalogue import NAMES, load
from derivations.findings import large_size_ratios

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def readme():
    spec = importlib.util.spec_from_file_location("ci_readme", ROOT / ".ci" / "readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_every_code_block_is_tested(readme):
    """Oracle: the fences themselves."""
    assert TEXT.count("```") == 2 * len(readme.blocks())
    assert set(readme.blocks()) == {"report", "test", "script", "output", "commands"}


def test_commands_parse(readme):
    """Oracle: click's own parser, which knows every option (nothing is run)."""
    text = (readme.blocks()["report"] + readme.blocks()["commands"]).replace("\\\n", " ")
    calls = re.findall(r"bin/specscale (.*)", text)
    assert len(calls) == 4
    for call in calls:
        name, *arguments = shlex.split(call)
        command = main.commands[name]
        command.make_context(name, arguments, resilient_parsing=False)
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


def test_changed_words_are_noticed(readme):
    """Oracle: numbers may differ in their digits, words may not."""
    assert readme.shape("rms z 1.50 0.93") == readme.shape("rms z  1.49 0.9")
    assert readme.shape("rms z 1.50") != readme.shape("max z 1.50")
    assert readme.shape("rms z 1.50") != readme.shape("rms z 1.50 2")


@pytest.mark.slow
def test_script_prints_what_is_shown(readme):
    """Oracle: the output in README.md."""
    assert "32 runs" in readme.run_script()


@pytest.mark.slow
def test_claims_are_current():
    """Oracle: the steps of the derivations, and the exact escape times."""
    kinds = [step.check.kind for name in NAMES for step in load(name).steps]
    counts = ", ".join(f"{kinds.count(k)} {k}" for k in ("symbolic", "numeric", "assumed"))
    assert f"{len(kinds)} steps of {len(NAMES)} derivations: {counts}" in TEXT
    rows = large_size_ratios(((2, 8), (4, 32), (64, 2048)))
    assert "; ".join(f"{ratio:.3f} at M = {M}, L = {L}" for M, L, _, ratio in rows) in TEXT
