"""What is installed: packages, templates, the command."""

import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ("transformers.npz", "transformers.txt")
TEMPLATES = ("article.tex", "page.html", "page.css", "temml.css", "temml.min.js", "temml.LICENSE")


def test_templates_are_resources():
    """Oracle: the names that `derivations.render` reads, from wherever the package is installed."""
    for name in TEMPLATES:
        assert (files("derivations") / "templates" / name).read_bytes(), name


def test_command_is_installed():
    (command,) = entry_points(group="console_scripts", name="specscale")
    assert command.load().name == "main"


@pytest.mark.slow
def test_wheel_holds_everything(tmp_path):
    """Oracle: the files of the source tree."""
    skip = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "report")
    shutil.copytree(ROOT, tmp_path / "source", ignore=skip)
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), "source"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("specscale-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {
        str(path.relative_to(ROOT))
        for package in ("theory", "numerics", "derivations")
        for path in (ROOT / package).rglob("*.py")
    }
    assert modules <= names
    assert {f"derivations/templates/{name}" for name in TEMPLATES} <= names
    assert {f"derivations/data/{name}" for name in DATA} <= names
    assert {f"{package}/py.typed" for package in ("theory", "numerics", "derivations")} <= names
    assert not [name for name in names if name.startswith("tests/")]
