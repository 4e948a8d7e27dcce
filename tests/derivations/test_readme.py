"""README.md: its links, its commands and its script."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from derivations.__main__ import main
from derivations.catalogue import NAMES, load
from derivations.claims import CLAIMS

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
    assert len(calls) == 8
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
def test_steps_are_counted():
    """Oracle: the steps of the derivations."""
    kinds = [step.check.kind for name in NAMES for step in load(name).steps]
    counts = ", ".join(f"{kinds.count(k)} {k}" for k in ("symbolic", "numeric", "assumed"))
    assert f"{len(kinds)} steps of {len(NAMES)} derivations: {counts}" in TEXT


def statements(table: str) -> list[str]:
    """The first column of a table of claims."""
    return [row.removeprefix("| ").split(" | ")[0] for row in table.splitlines()[2:]]


def test_every_claim_has_its_row(readme):
    """Oracle: the registry; `python .ci/readme.py claims` writes the tables."""
    rows = {claim.name: f"{claim.statement} [{claim.source}]" for claim in CLAIMS}
    assert statements(readme.claims_shown()) == list(rows.values())
    headlines = [rows[name] for name in readme.HEADLINES]
    assert statements(readme.claims_shown(readme.README)) == headlines


@pytest.mark.slow
def test_verdicts_are_current(readme):
    """Oracle: the claims judged now; numbers may differ in their digits."""
    for page, table in readme.claims_now().items():
        assert readme.shape(table) == readme.shape(readme.claims_shown(page))
