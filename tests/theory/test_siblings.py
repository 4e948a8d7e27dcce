"""A foreign theory.py, numerics.py or derivations.py on the path is named, not imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import theory

HOME = Path(theory.__file__).resolve().parent.parent


def run_beside(folder, code):
    """The stderr of `code` with `folder` ahead of specscale on the path."""
    path = os.pathsep.join([str(folder), str(HOME)])
    environment = {**os.environ, "PYTHONPATH": path, "SPECSCALE_CACHE": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, text=True
    )


@pytest.mark.parametrize("name", ["theory", "numerics", "derivations"])
@pytest.mark.parametrize("package", [False, True], ids=["file", "package"])
def test_foreign_sibling_is_named(tmp_path, name, package):
    """Oracle: ImportError with the path of the intruder and the way out."""
    foreign = tmp_path / name / "__init__.py" if package else tmp_path / f"{name}.py"
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("answer = 42\n")
    importer = "numerics" if name == "theory" else "theory"
    result = run_beside(tmp_path, f"import {importer}")
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError")
    assert str(foreign) in last
    assert "Rename that file" in last


def test_alone_all_is_well(tmp_path):
    """Oracle: the same command without an intruder succeeds, and imports from `HOME`."""
    result = run_beside(tmp_path, "import theory; print(theory.__file__)")
    assert result.returncode == 0, result.stderr
    assert Path(result.stdout.strip()) == Path(theory.__file__).resolve()
