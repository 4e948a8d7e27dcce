"""The result type: what it computes, what it refuses, and how it survives a disk."""

import json
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.trajectory import Trajectory, check_times, default_times

ODE = {"origin": "ode", "method": "test"}
SIMULATION = {"origin": "simulation", "method": "chain", "N": 64, "seed": 0}


def fields(runs=None, T=4, L=3, K=2, M=1, seed=0):
    """Random arrays of the right shapes."""
    rng = np.random.default_rng(seed)
    lead = () if runs is None else (runs,)
    return {
        "alpha": np.arange(T) ** 2.0,
        "q": rng.uniform(1, 2, (*lead, T, L, K, K)),
        "r": rng.uniform(0, 1, (*lead, T, L, K, M)),
        "t": rng.uniform(1, 2, (L, M, M)),
        "generalization_error": rng.uniform(0.1, 1, (*lead, T)),
        "eigenvalues": np.array([2.0, 0.75, 0.25])[:L],
        "weights": np.array([0.25, 0.5, 0.25])[:L],
        "provenance": ODE if runs is None else SIMULATION,
    }


def high_precision(digits):
    """A trajectory of mpf that no double can hold."""
    given = fields() | {"provenance": ODE | {"digits": digits}}
    with mp.workdps(digits):
        for name in ("q", "r", "t", "generalization_error", "eigenvalues", "weights"):
            given[name] = np.frompyfunc(lambda x: mp.mpf(x) / 3, 1, 1)(given[name])
    return Trajectory(**given)


@pytest.mark.parametrize("runs", [None, 5])
def test_macroscopic_overlaps(runs):
    """Oracle: Q = sum_k w_k lam_k q_k, as an einsum."""
    given = fields(runs)
    path = Trajectory(**given)
    measure = given["weights"] * given["eigenvalues"]
    np.testing.assert_allclose(path.Q, np.einsum("k,...kij->...ij", measure, given["q"]))
    np.testing.assert_allclose(path.R, np.einsum("k,...kij->...ij", measure, given["r"]))
    np.testing.assert_allclose(path.T, np.einsum("k,kij->ij", measure, given["t"]))
    assert path.runs == runs
    assert (path.K, path.M) == (2, 1)


def test_high_precision_overlaps_keep_their_digits():
    """Oracle: the same sum at twice the digits."""
    path = high_precision(40)
    with mp.workdps(80):
        exact = mp.fsum(
            w * e * q
            for w, e, q in zip(path.weights, path.eigenvalues, path.q[2, :, 0, 1], strict=True)
        )
        assert abs(path.Q[2, 0, 1] / exact - 1) < mp.mpf(10) ** -40
    assert path.digits == 40


def test_ensemble_statistics():
    """Oracle: mean and std(ddof=1)/sqrt(runs) by hand."""
    path = Trajectory(**fields(runs=5))
    eps = path.generalization_error
    np.testing.assert_allclose(path.mean.generalization_error, eps.sum(axis=0) / 5)
    spread = np.sqrt(((eps - eps.mean(axis=0)) ** 2).sum(axis=0) / 4 / 5)
    np.testing.assert_allclose(path.standard_error.generalization_error, spread)
    assert path.mean.Q.shape == (4, 2, 2)
    assert path.standard_error.r.shape == (4, 3, 2, 1)


@pytest.mark.parametrize(("runs", "message"), [(None, "no run axis"), (1, "pass runs=2")])
def test_statistics_need_runs(runs, message):
    """Oracle: the message a user needs."""
    path = Trajectory(**fields(runs))
    with pytest.raises(ValueError, match=message):
        path.mean  # noqa: B018


@pytest.mark.parametrize("runs", [None, 3])
def test_saved_doubles_come_back_bit_by_bit(tmp_path, runs):
    """Oracle: what was saved."""
    path = Trajectory(**fields(runs))
    found = Trajectory.load(path.save(tmp_path / "run.npz"))
    for name in ("alpha", "q", "r", "t", "generalization_error", "eigenvalues", "weights"):
        np.testing.assert_array_equal(getattr(found, name), getattr(path, name))
    assert found.provenance == path.provenance
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


@pytest.mark.parametrize("digits", [20, 50])
def test_saved_mpf_come_back_bit_by_bit(tmp_path, digits):
    """Oracle: the binary numbers that were saved, whatever mpmath's precision is now."""
    path = high_precision(digits)
    path.save(tmp_path / "run.npz")
    found = Trajectory.load(tmp_path / "run.npz")
    for name in ("q", "r", "t", "generalization_error", "eigenvalues", "weights"):
        pairs = zip(getattr(found, name).flat, getattr(path, name).flat, strict=True)
        assert all(a._mpf_ == b._mpf_ for a, b in pairs)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    """Oracle: the file of before, and nothing else; a good one is a new file, renamed."""
    target = Trajectory(**fields()).save(tmp_path / "run.npz")
    first = target.stat().st_ino
    assert Trajectory(**fields()).save(target).stat().st_ino != first
    before = target.read_bytes()

    def full_disk(stream, **arrays):
        stream.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(OSError, match="no space"):
        Trajectory(**fields(seed=1)).save(target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_files_that_are_no_trajectories(tmp_path):
    """Oracle: the message a user needs."""
    with pytest.raises(FileNotFoundError, match="there is no file"):
        Trajectory.load(tmp_path / "gone.npz")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        Trajectory(**fields()).save(tmp_path / "gone" / "run.npz")
    (tmp_path / "text.npz").write_text("alpha, eps_g")
    np.savez(tmp_path / "other.npz", header=np.array(json.dumps({"a": 1})))
    np.savez(tmp_path / "list.npz", header=np.array("[1]"))
    np.savez(tmp_path / "pickle.npz", header=np.array([None]))
    (tmp_path / "half.npz").write_bytes(
        Trajectory(**fields()).save(tmp_path / "run.npz").read_bytes()[:400]
    )
    np.save(tmp_path / "array.npz.npy", np.zeros(3))
    names = ["text.npz", "other.npz", "list.npz", "pickle.npz", "half.npz", "array.npz.npy"]
    for name in names:
        with pytest.raises(ValueError, match=rf"{name} is not a saved specscale trajectory"):
            Trajectory.load(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "index", "where"),
    [
        ("q", (3, 1, 2, 0, 1), r"q is not finite: found nan, run 3, alpha = 1, mode 3, entry"),
        ("r", (0, 2, 0, 1, 0), r"run 0, alpha = 4, mode 1, entry \(2, 1\)"),
        ("generalization_error", (4, 3), "run 4, alpha = 9"),
        ("t", (1, 0, 0), r"t is not finite: found nan, mode 2, entry \(1, 1\)"),
        ("weights", (1,), "weights is not finite: found nan, mode 2"),
    ],
)
def test_nan_is_named_not_carried(name, index, where):
    """Oracle: the place where it was put."""
    given = fields(runs=5)
    given[name][index] = np.nan
    with pytest.raises(ValueError, match=where):
        Trajectory(**given)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"q": np.ones((4, 3, 2, 1))}, ValueError, r"q must have shape \(4, 3, 2, 2\)"),
        ({"r": np.ones((3, 2, 1))}, ValueError, r"r shape \(T, L, K, M\)"),
        ({"t": np.ones((3, 2, 2))}, ValueError, r"t must have shape \(3, 1, 1\)"),
        ({"weights": np.ones(2)}, ValueError, "weights must have shape"),
        ({"alpha": np.array([0, 1, 1, 2])}, ValueError, "alpha must increase"),
        ({"alpha": np.array([-1, 1, 2, 3])}, ValueError, "alpha must not be negative"),
        ({"q": [[[1.0]], [[1.0], [2.0]]]}, ValueError, "q must be a rectangular array"),
        ({"provenance": "ode"}, TypeError, "the provenance must be a dict, found 'ode'"),
        ({"provenance": {"origin": "ode"}}, ValueError, "say its 'method'"),
        ({"provenance": ODE | {"x": np.ones(1)}}, TypeError, "plain JSON"),
        ({"provenance": ODE | {"x": float("nan")}}, TypeError, "plain JSON"),
        ({"weights": np.full(3, mp.mpf(1))}, TypeError, r"\['weights'\] are mpf but"),
        ({"q": np.full((4, 3, 2, 2), "a")}, TypeError, "q must be an array of real numbers"),
    ],
)
def test_inconsistent_trajectories_are_refused(changes, error, message):
    """Oracle: the message a user needs."""
    with pytest.raises(error, match=message):
        Trajectory(**(fields() | changes))


def test_mpf_need_their_digits_on_record():
    """Oracle: the message a user needs."""
    path = high_precision(30)
    given = {name: getattr(path, name) for name in fields()} | {"provenance": ODE}
    with pytest.raises(ValueError, match="digits"):
        Trajectory(**given)


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e6])
def test_default_times(alpha):
    """Oracle: 0, then 100 points of constant ratio, up to alpha exactly, passing the check."""
    times = check_times(None, alpha)
    np.testing.assert_array_equal(times, default_times(alpha))
    assert (len(times), times[0], times[-1]) == (101, 0.0, alpha)
    assert times[1] == pytest.approx(min(alpha / 1000, 0.01))
    ratios = times[2:] / times[1:-1]
    np.testing.assert_allclose(ratios, ratios[0])


@pytest.mark.parametrize(
    ("at", "alpha", "message"),
    [
        (None, 0, "alpha must be positive"),
        (None, float("inf"), "alpha must be finite, found inf"),
        (None, 10**400, "alpha must be within the range of doubles"),
        (None, "soon", "alpha must be a number .*found 'soon'"),
        (None, sp.Symbol("a"), "alpha must be a number, found a: give its symbols values"),
        ("abc", 1, "at must be an array of real numbers: the value .*found 'abc'"),
        ([0, sp.Symbol("a")], 1, r"at must .* the entry \[1\] is a, give its symbols values"),
        ([0, [1]], 1, "at must be a rectangular array"),
        (0.5, 1, r"at must be a list of times, found an array of shape \(\)"),
        ([], 1, "at must be a list of times"),
        ([[0, 1]], 1, "at must be a list of times"),
        ([0, 2], 1, "at goes to 2.0 beyond alpha"),
        ([0, 1, 1], 1, "at must increase, found 1.0 followed by 1.0"),
        ([-1, 1], 1, "at must not be negative"),
        ([0, float("nan")], 1, "at must be finite, found nan at position 1"),
    ],
)
def test_bad_times_are_refused(at, alpha, message):
    """Oracle: the message a user needs."""
    with pytest.raises(ValueError, match=message):
        check_times(at, alpha)


@pytest.mark.parametrize("half", [0.5, "1/2", Fraction(1, 2), sp.Rational(1, 2), mp.mpf("0.5")])
def test_times_may_be_exact(half):
    """Oracle: one half, however it is written."""
    np.testing.assert_array_equal(check_times([0, half], half), [0, 0.5])
    np.testing.assert_array_equal(check_times(None, half), default_times(0.5))
    with pytest.raises(TypeError, match="alpha must be a number, found True"):
        check_times(None, True)


def test_text_of_a_single_run():
    """Oracle: the run itself; one run has no standard error to show."""
    path = Trajectory(**fields(runs=1))
    lines = path.table(rows=2).splitlines()
    assert lines[0].split() == ["alpha", "eps_g", "Q11", "Q12", "R11"]
    assert float(lines[-1].split()[1]) == pytest.approx(path.generalization_error[0, -1], rel=1e-5)
    assert repr(path).startswith("Trajectory(chain, N = 64, 1 run; K=2")


def test_notebooks_show_the_table():
    """Oracle: the text, escaped for HTML."""
    path = Trajectory(**fields(runs=5))
    shown = path._repr_html_()
    assert shown.startswith("<pre>Trajectory(chain, N = 64, 5 runs")
    assert "-&gt;" in shown
    assert path.table() in shown


def test_text_shows_the_numbers():
    """Oracle: the arrays, read back from the text."""
    path, ensemble = Trajectory(**fields()), Trajectory(**fields(runs=5))
    lines = path.table(rows=2).splitlines()
    assert lines[0].split() == ["alpha", "eps_g", "Q11", "Q12", "R11"]
    numbers = [float(x) for x in lines[-1].split()]
    exact = [9, path.generalization_error[-1], *path.Q[-1, 0], path.R[-1, 0, 0]]
    np.testing.assert_allclose(numbers, exact, rtol=1e-5)
    assert ensemble.table().splitlines()[0].split()[:3] == ["alpha", "eps_g", "+-"]
    assert repr(ensemble).startswith("Trajectory(chain, N = 64, 5 runs; K=2, M=1, L=3; 4 times")
    assert "ODE, 30 digits" in str(high_precision(30))


def test_label_says_when_averages_were_approximate():
    """Oracle: the provenance; a comparison must not pass quadrature off as plain float64."""
    plain = Trajectory(**fields())
    rough = Trajectory(**fields() | {"provenance": ODE | {"quadrature_error": 2.5e-7}})
    assert (plain.label, rough.label) == ("ODE, float64", "ODE, float64, quadrature to 2e-07")
