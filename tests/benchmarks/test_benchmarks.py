"""The benchmarks run, and their tables say what was measured."""

import json

import numpy as np
import pytest

from benchmarks import chain, precise, readme, scaling, spectra
from benchmarks.__main__ import main
from benchmarks.clock import Budget, OutOfTime
from benchmarks.solvers import SOLVERS
from benchmarks.stiff import stiff_case
from benchmarks.table import Table

TABLE = Table(
    "the case",
    ("L", "method", "seconds", "error"),
    [(64, "ours", 0.0123, 1e-9), (64, "theirs", "> 60", None), (256, "ours", 123.4, 2e-9)],
)


def test_a_table_is_aligned_and_says_nothing_where_there_is_nothing():
    """Oracle: the layout by hand."""
    assert TABLE.text().splitlines() == [
        "the case",
        "",
        "  L  method  seconds  error",
        " 64    ours    0.012  1e-09",
        " 64  theirs     > 60",
        "256    ours      123  2e-09",
    ]
    assert TABLE.markdown().splitlines()[3] == "| 64 | theirs | > 60 |  |"
    assert TABLE.record()["rows"][1] == {
        "L": 64,
        "method": "theirs",
        "seconds": "> 60",
        "error": None,
    }


def test_the_readme_table_stands_between_its_markers(tmp_path):
    """Oracle: the page by hand, written twice; a page without markers is refused."""
    page = tmp_path / "README.md"
    machine = {"processor": "abacus", "cores": "2"}
    page.write_text(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n")
    for _ in range(2):
        readme.write({"stiff": TABLE}, machine, page)
    lines = page.read_text().splitlines()
    assert lines[0] == "before"
    assert lines[-1] == "after"
    assert "the case (abacus, 2 cores):" in lines
    assert "| ours | 0.012 (1e-09) | 1.2e+02 (2e-09) |" in lines
    assert "| theirs | > 60 |  |" in lines
    page.write_text("no markers\n")
    with pytest.raises(ValueError, match="has no <!-- benchmarks -->"):
        readme.write({"stiff": TABLE}, machine, page)


def test_a_run_over_its_budget_is_stopped_and_said_so():
    """Oracle: an endless run; a short one is repeated and keeps its value."""

    def endless():
        while True:
            budget.spend()

    budget = Budget(0.01)
    over = budget.run(endless)
    assert over.value is None
    assert over.shown == "> 0"
    assert Budget(1.0).run(lambda: 7).value == 7
    with pytest.raises(OutOfTime):
        endless()


@pytest.mark.slow
@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_solves_the_same_case(name):
    """Oracle: the sharp solution, four modes."""
    if name.startswith("CVODE"):
        pytest.importorskip("sksundae")
    case = stiff_case(4)
    rates = case.rates(Budget(60.0))
    start = case.state.pack(case.overlaps)
    found = SOLVERS[name](rates, start, case.times, 1e-8, 1e-9)
    assert case.error(found) < 1e-5
    assert case.error(case.flat(case.integrate(method="taylor"))) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize(
    "measure",
    [
        chain.measure,
        precise.measure,
        scaling.measure_modes,
        scaling.measure_units,
        spectra.measure,
        spectra.measure_cost,
    ],
)
def test_quick_subjects_fill_their_tables(measure):
    """Oracle: a row of as many cells as columns, all times positive."""
    table = measure(True)
    for row in table.rows:
        assert len(row) == len(table.columns)
        assert all(np.isfinite(cell) and cell > 0 for cell in row if isinstance(cell, float))


@pytest.mark.slow
def test_the_command_writes_what_it_prints(tmp_path, capsys):
    """Oracle: the numbers of the JSON file in the table printed."""
    file = tmp_path / "found.json"
    main(["--quick", "--only", "sizes", "--json", str(file)])
    found = json.loads(file.read_text())
    printed = capsys.readouterr().out
    assert found["machine"]["processor"] in printed
    for row in found["sizes"]["rows"]:
        assert f"{row['seconds']:.2g}" in printed
