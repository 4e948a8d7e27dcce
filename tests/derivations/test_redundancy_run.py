"""``specscale redundancy``, as a user tries it."""

import numpy as np
import pytest
from click.testing import CliRunner

from derivations.__main__ import main
from numerics.kernels import optimal_risk
from numerics.storage import read_arrays

KIND = "specscale learning curve 1"


def invoke(*arguments):
    return CliRunner().invoke(main, ["redundancy", *(str(a) for a in arguments)])


def test_theory_writes_table_figure_and_data(tmp_path):
    """Oracle: `optimal_risk` at the ends of the range."""
    out = tmp_path / "out"
    found = invoke("--beta", 2, "--s", "1/2", "--n", "10:1e4", "--runs", 0, "--out", out)
    assert found.exit_code == 0, found.stderr
    names = {f"redundancy.{form}" for form in ("txt", "pdf", "png", "npz")}
    assert {path.name for path in out.iterdir()} == names
    arrays, notes = read_arrays(out / "redundancy.npz", KIND, ("n", "excess"))
    assert arrays["excess"][-1] == pytest.approx(optimal_risk(2, "1/2", 1e4, 1).risk, rel=1e-12)
    assert notes["s"] == "1/2"
    assert "excess ~ n^-0.6667" in found.stdout
    assert "simulated" not in found.stdout


@pytest.mark.montecarlo
def test_theory_simulates(tmp_path):
    """Oracle: one line for each of n = 50, 100."""
    found = invoke("--beta", 2, "--s", 1, "--n", "10:1e2", "--runs", 5, "--out", tmp_path / "o")
    assert found.exit_code == 0, found.stderr
    assert found.stdout.count("simulated on") == 2
    assert "with a logarithm" in found.stdout


def test_other_filters_and_widths_say_what_they_are(tmp_path):
    """Oracle: exponents by hand, 8/9 for flow at s = 2."""
    flow = invoke("--beta", 2, "--s", 2, "--filter", "flow", "--n", "1e4:2e4", "--out", tmp_path)
    assert "gradient flow" in flow.stdout
    assert "n^-0.8889" in flow.stdout
    more = ["--n", "10:20", "--runs", 0, "--out", tmp_path]
    assert "is saturated" in invoke("--beta", 2, "--s", 2, *more).stdout
    assert "ends at about" in invoke("--beta", 2, "--s", "1/4", "--width", 50, *more).stdout


def test_measured_mode(tmp_path):
    """Oracle: the files, and an exponent with its error."""
    random = np.random.default_rng(0)
    i = np.arange(1.0, 201)
    z = random.standard_normal((96, 200))
    np.save(tmp_path / "K.npy", (z * i**-1.5) @ z.T)
    np.save(tmp_path / "y.npy", z @ i**-1.25)
    files = ["--kernel", tmp_path / "K.npy", "--targets", tmp_path / "y.npy"]
    found = invoke(*files, "--runs", 4, "--out", tmp_path / "out")
    assert found.exit_code == 0, found.stderr
    assert "beta: " in found.stdout
    assert " +- " in found.stdout
    arrays, _ = read_arrays(tmp_path / "out" / "redundancy.npz", KIND, ("predicted", "actual"))
    assert len(arrays["predicted"]) == len(arrays["actual"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--beta", "1", "--s", "1"], "beta must be greater than 1, found 1"),
        (["--beta", "2", "--s", "0"], "s must be positive"),
        (["--beta", "2", "--s", "1", "--n", "0:10"], "n must be positive"),
        (["--beta", "2", "--s", "1", "--n", "100"], "n must be a range LOW:HIGH"),
        (["--beta", "2", "--s", "1", "--n", "100:10"], "with LOW < HIGH"),
        (["--beta", "2", "--s", "1", "--filter", "lasso"], "filter must be ridge, flow"),
        (["--beta", "2", "--s", "1", "--width", "-3"], "width must be positive"),
        (["--beta", "2", "--s", "1", "--runs", "1"], "runs must be at least 2"),
        (["--beta", "2", "--s", "1", "--noise", "0"], "has a logarithm"),
        (["--beta", "2"], "give --beta and --s"),
        (["--kernel", "K.npy"], "needs --kernel and --targets"),
        (["--kernel", "none.npy", "--targets", "none.npy"], "there is no file none.npy"),
    ],
)
def test_bad_input_is_one_plain_message(arguments, message, tmp_path):
    found = invoke(*arguments, "--out", tmp_path / "out")
    assert found.exit_code != 0
    assert message in found.stderr
    assert list(tmp_path.iterdir()) == []
