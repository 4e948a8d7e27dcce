"""The command line, as a user tries it."""

import os
import subprocess
import sys
import tomllib

import numpy as np
import pytest
from click.testing import CliRunner

from derivations.__main__ import main
from derivations.config import configure, read_toml
from numerics import FeatureSpectra, Trajectory, feature_spectra, initial, integrate
from theory import PowerLaw, TeacherStudent, order_parameter_odes

MODEL = ["--K", "2", "--M", "2", "--eta", "1/10", "--alpha", "1", "--N", "32"]


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def complaint(*arguments):
    """The one line on standard error of a command that must fail."""
    result = invoke(*arguments)
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit), result.exception
    return result.stderr


def test_help_imports_nothing_heavy():
    """Oracle: the modules that Python has loaded after building the command line."""
    code = (
        "import sys, derivations.__main__\n"
        "print([m for m in ('sympy', 'numpy', 'numba', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "command",
    [(), ("report",), ("derive",), ("claims",), ("redundancy",), ("run",), ("spectrum",)],
)
def test_help_shows_examples(command):
    result = invoke(*command, "--help")
    assert result.exit_code == 0
    assert "Examples:\n  specscale " in result.stdout.replace("\n    specscale", "\n  specscale")


BAD = {
    "K": (["--K", "0"], "K must be a positive integer"),
    "eta": (["--eta", "-1"], "eta must be positive"),
    "eta text": (["--eta", "fast"], "eta must be a number"),
    "eta nan": (["--eta", "nan"], "eta must be a number"),
    "alpha": (["--alpha", "-1"], "alpha must be positive"),
    "digits": (["--digits", "0"], "digits must be at least 1"),
    "runs": (["--runs", "1"], "runs must be at least 2"),
    "seed": (["--seed", "-1"], "seed must be at least 0"),
    "activation": (["--activation", "tangent"], "unknown activation 'tangent'"),
    "N": (["--spectrum", "power-law", "--beta", "1", "--L", "5"], "use a multiple of 5"),
    "beta": (["--beta", "1"], "isotropic does not take beta"),
    "L": (["--spectrum", "power-law", "--beta", "1"], "power-law needs L"),
    "spectrum": (["--spectrum", "white"], "unknown spectrum 'white'"),
    "preconditioner": (["--preconditioner", "2"], "preconditioner must lie between 0 and 1"),
    "eigenvalues": (["--spectrum", "discrete", "--eigenvalues", "1,-1"], "eigenvalue 2"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_plain_message(case, tmp_path):
    """Nothing is written, nothing is traced back, the message names the culprit."""
    arguments, message = BAD[case]
    stderr = complaint("run", *MODEL, *arguments, "--out", tmp_path / "out")
    assert message in stderr
    assert stderr.startswith("Error: ")
    assert len(stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no file"),
        ("K = ", "is not valid TOML"),
        ("[model]\nK = 2", "unknown key 'model'"),
        ("etta = 1", "did you mean eta?"),
        ("eta = {a = 1}", "eta must be a value"),
        ("K = 2\nM = 2", "not given: eta, alpha, N; use --eta --alpha --N"),
        ('K = 2\nM = 2\neta = 0.1\nalpha = 1\nN = "32"', "must be a whole number, found '32'"),
    ],
)
def test_bad_files_are_named(text, message, tmp_path):
    path = tmp_path / "model.toml"
    if text is not None:
        path.write_text(text)
    stderr = complaint("run", path, "--out", tmp_path / "out")
    assert message in stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [["report", "--quick"], ["derive", "--all"], ["run", *MODEL]])
def test_unwritable_output_fails_at_once(command, tmp_path):
    """A file stands where the folder should be: refused before anything is computed."""
    (tmp_path / "taken").write_text("mine")
    stderr = complaint(*command, "--out", tmp_path / "taken")
    assert "taken is not a folder" in stderr
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_foreign_package_is_named(tmp_path):
    """Oracle: a file numerics.py in front of the real one."""
    (tmp_path / "numerics.py").write_text("")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    code += "from derivations.__main__ import main; main(['derive', '--all'])"
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert str(tmp_path / "numerics.py") in done.stderr


def test_derive_wants_one_or_all():
    assert "give one NAME" in complaint("derive")
    assert "give one NAME" in complaint("derive", "--all", "order_parameters")
    assert "is not one of" in complaint("derive", "fermat")


def test_decimals_and_fractions_are_exact(tmp_path):
    """Oracle: 0.1 as text is one tenth; as a float it would be the double next to it."""
    path = tmp_path / "model.toml"
    path.write_text('K = 2\nM = 3\neta = 0.1\nbeta = "1/3"\nL = 4\nspectrum = "power-law"\n')
    model = configure({**read_toml(path), "alpha": "1", "N": 64}).model()
    assert model == TeacherStudent(K=2, M=3, eta="1/10", spectrum=PowerLaw("1/3", 4))
    assert model.inexact == ()


def test_configuration_survives_its_file(tmp_path):
    """Oracle: writing and reading back."""
    values = {"K": "2", "M": "2", "eta": "1/10", "alpha": "5", "N": 64, "spectrum": "discrete"}
    config = configure({**values, "eigenvalues": ("1", "1/2"), "weights": (1, 3), "digits": 20})
    path = tmp_path / "run.toml"
    path.write_text(config.toml())
    assert configure(read_toml(path)) == config


def test_run_is_the_library(tmp_path):
    """Oracle: the same steps in Python; and the run.toml left behind repeats the run."""
    arguments = ["--K", 1, "--M", 1, "--eta", "1/10", "--alpha", 1, "--N", 32]
    arguments += ["--spectrum", "power-law", "--beta", 1, "--L", 2, "--preconditioner", "1/2"]
    result = invoke("run", *arguments, "--digits", 12, "--runs", 3, "--out", tmp_path / "a")
    assert result.exit_code == 0, result.stderr
    names = {path.name for path in (tmp_path / "a").iterdir()}
    data = {"ode.npz", "ode_12_digits.npz", "simulation.npz"}
    text = {"comparison.txt", "run.toml"}
    assert names == data | text | {"learning_curve.pdf", "learning_curve.png"}
    assert "z, in standard errors" in (tmp_path / "a" / "comparison.txt").read_text()

    model = TeacherStudent(1, 1, "erf", PowerLaw(1, 2), "1/10", preconditioner="1/2")
    start = initial(model, "1/100", 32, seed=0)
    expected = integrate(order_parameter_odes(model), start, 1.0)
    found = Trajectory.load(tmp_path / "a" / "ode.npz")
    np.testing.assert_array_equal(found.q, expected.q)

    again = invoke("run", tmp_path / "a" / "run.toml", "--out", tmp_path / "b", "--seed", 0)
    assert again.exit_code == 0, again.stderr
    for name in data:
        one, two = (Trajectory.load(tmp_path / folder / name) for folder in "ab")
        np.testing.assert_array_equal(one.q, two.q)


def test_options_override_the_file(tmp_path):
    """Oracle: the configuration written beside the results."""
    path = tmp_path / "model.toml"
    path.write_text("K = 1\nM = 1\neta = 0.5\nalpha = 9\nN = 16\nruns = 0\n")
    result = invoke("run", path, "--alpha", "1/2", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    saved = tomllib.loads((tmp_path / "out" / "run.toml").read_text())
    assert (saved["alpha"], saved["eta"], saved["runs"]) == ("1/2", "0.5", 0)
    assert not (tmp_path / "out" / "simulation.npz").exists()


def test_warnings_are_one_line(tmp_path):
    """The direct method is used where the chain does not fit: said, not raised."""
    model = ["--spectrum", "power-law", "--beta", 1, "--L", 4, "--N", 4, "--runs", 2]
    result = invoke("run", *MODEL, *model, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "Warning: simulate: the chain needs" in result.stderr


SPECTRUM = ["--a", "2", "--activation", "2", "--v", "60", "--d", "100", "--runs", "3"]

BAD_SPECTRUM = {
    "a": (["--a", "1"], "a must be a number > 1"),
    "a of lam_j = j^-a": (["--a", "1/2"], "not trace class"),
    "degree": (["--activation", "-1"], "degree p must be a positive integer or a symbol, found -1"),
    "no degree": (["--activation", "1.5"], "a positive integer or a symbol, found 3/2"),
    "memory": (["--d", "1000000"], "needs 8e+03 GB of memory"),
    "top": (["--top", "101"], "top must be at most d = 100, found 101"),
}


@pytest.mark.parametrize("case", BAD_SPECTRUM)
def test_bad_spectra_are_one_plain_message(case, tmp_path):
    """Nothing is written, nothing is traced back, the message names the culprit."""
    arguments, message = BAD_SPECTRUM[case]
    stderr = complaint("spectrum", *SPECTRUM, *arguments, "--out", tmp_path / "out")
    assert message in stderr
    assert len(stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("activation", ["2", "relu"])
def test_spectrum_is_the_library(activation, tmp_path):
    """Oracle: the same call in Python; and the table, read back."""
    arguments = ["--a", "2", "--activation", activation, "--v", 60, "--d", 100, "--runs", 3]
    result = invoke("spectrum", *arguments, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {f"spectrum_{activation}.npz", "spectrum.txt", "spectrum.pdf", "spectrum.png"}
    found = FeatureSpectra.load(tmp_path / "out" / f"spectrum_{activation}.npz")
    given = int(activation) if activation.isdigit() else activation
    expected = feature_spectra(2, given, v=60, d=100, runs=3)
    np.testing.assert_array_equal(found.eigenvalues, expected.eigenvalues)
    text = (tmp_path / "out" / "spectrum.txt").read_text()
    first = next(line.split() for line in text.splitlines() if line.split()[:1] == ["1"])
    geometric = np.exp(np.log(found.eigenvalues[:, 0]).mean())
    assert float(first[1]) == pytest.approx(geometric, rel=1e-4)
    assert ("slope of y_j" in text) == (activation == "2")
