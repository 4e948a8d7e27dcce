"""The simulation against exact finite-N dynamics, against itself, and against bad input."""

import ast
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

import numerics
from numerics.initial import InitialCondition, initial
from numerics.sgd import compile_activation
from numerics.simulate import simulate
from theory.models import Activation, Discrete, Isotropic, PowerLaw, TeacherStudent
from theory.online import order_parameter_odes

LINEAR = TeacherStudent(
    K=1,
    M=1,
    activation="linear",
    spectrum=Discrete([4, 1, "1/2"], [1, 1, 2]),
    eta="1/2",
    scale="unit",
    label_noise="1/4",
    weight_decay="1/5",
)
ERF22 = TeacherStudent(K=2, M=2, spectrum=PowerLaw(beta=1, L=4), eta=1)
TIMES = [0.0, 0.5, 1.3, 3.0]
ROOT = Path(__file__).parents[2]
PACKAGES = Path(numerics.__file__).parent.parent  # in site-packages when a wheel is tested


def exact_linear_mean(model, start, N, steps):
    """Exact E[q_k], E[r_k] after each step, for linear K = M = 1, c = 1 at finite N.

    In units g_k = w_k times the overlaps, with e = q - 2r + t and gamma the weight decay: one step
    averages E[delta z_k] = lam_k (r - q)_k (towards J) or lam_k (t - r)_k (towards B), and
    E[delta^2 |P_k xi|^2]/N = (lam_k n_k (sum_l lam_l e_l + noise) + 2 lam_k^2 e_k)/N.
    """
    lam = np.array([float(x) for x in model.spectrum.eigenvalues])
    w = np.array([float(x) for x in model.spectrum.weights])
    q, r, t = (w * a[:, 0, 0] for a in (start.q, start.r, start.t))
    rate, noise = float(model.eta) / N, float(model.label_noise)
    keep = 1 - rate * float(model.weight_decay)
    history = [(q / w, r / w)]
    for _ in range(steps):
        e = q - 2 * r + t
        kick = rate**2 * (lam * w * N * (np.sum(lam * e) + noise) + 2 * lam**2 * e)
        q, r = keep**2 * q + 2 * keep * rate * lam * (r - q) + kick, keep * r + rate * lam * (t - r)
        history.append((q / w, r / w))
    return np.array(history)


@pytest.mark.montecarlo
@pytest.mark.parametrize("method", ["chain", "direct"])
@pytest.mark.parametrize("N", [8, 40])
def test_linear_means_are_the_exact_finite_N_ones(method, N):
    """Oracle: the closed mean dynamics at finite N, weight decay, label noise, three modes.

    N = 8 has n_k = K + M = 2 in two modes: nothing across the span there.
    """
    start = InitialCondition(q=[[[0.5]], [[1]], [[2]]], r=[[[0.3]], [[0]], [[-0.5]]])
    runs = simulate(LINEAR, start, 3, N, 1200, seed=11, method=method, at=TIMES, test_fields=64)
    exact = exact_linear_mean(LINEAR, start, N, math.ceil(3 * N))
    place = np.array(TIMES) * N
    low = np.minimum(place.astype(int), len(exact) - 2)
    part = (place - low)[:, None, None]
    q, r = np.moveaxis((1 - part) * exact[low] + part * exact[low + 1], 1, 0)
    np.testing.assert_allclose(runs.mean.q[0, :, 0, 0], q[0], rtol=1e-13)
    error = runs.standard_error
    z = [(runs.mean.q[1:, :, 0, 0] - q[1:]) / error.q[1:, :, 0, 0]]
    z += [(runs.mean.r[1:, :, 0, 0] - r[1:]) / error.r[1:, :, 0, 0]]
    weighted = runs.weights * runs.eigenvalues
    eps = (q - 2 * r + 1) @ weighted / 2
    z += [(runs.mean.generalization_error - eps) / error.generalization_error]
    z = np.concatenate([part.ravel() for part in z])
    assert np.max(np.abs(z)) < 4
    assert np.sqrt(np.mean(z**2)) < 1.5


@pytest.mark.montecarlo
def test_chain_and_direct_agree_in_means_and_variances():
    """Oracle: the other method, 2000 runs each, erf K = M = 2, four modes of n_k = 12."""
    start = initial(ERF22, "1/2", N=48, seed=0)
    both = [
        simulate(ERF22, start, 3, 48, 2000, seed, method=m, at=[1, 3], test_fields=16)
        for seed, m in ((1, "chain"), (2, "direct"))
    ]
    z_mean, z_variance = [], []
    for name in ("q", "r", "generalization_error"):
        a, b = (getattr(x, name).reshape(2000, -1) for x in both)
        z_mean.append((a.mean(0) - b.mean(0)) / np.sqrt((a.var(0) + b.var(0)) / 2000))
        squares = [(x - x.mean(0)) ** 2 for x in (a, b)]
        spread = np.sqrt(sum(s.var(0) for s in squares) / 2000)
        z_variance.append((squares[0].mean(0) - squares[1].mean(0)) / spread)
    for z in map(np.concatenate, (z_mean, z_variance)):
        assert np.max(np.abs(z)) < 4
        assert np.sqrt(np.mean(z**2)) < 1.5


@pytest.mark.parametrize("method", ["chain", "direct"])
def test_numbers_do_not_depend_on_threads_runs_or_output_times(method):
    """Oracle: bit-identical arrays."""
    start = initial(ERF22, "1/2", N=48, seed=0)

    def overlaps(runs, threads, at):
        path = simulate(ERF22, start, 2, 48, runs, 7, method, at, threads, test_fields=64)
        return path.q, path.generalization_error

    one, two = (overlaps(4, threads, [0.3, 2]) for threads in (1, 2))
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])
    more = overlaps(5, 2, [0.1, 0.2, 0.3, 1.7, 2])
    np.testing.assert_array_equal(one[0][:, [0, 1]], more[0][:4, [2, 4]])
    assert not np.any(one[0][0] == one[0][1])


def test_test_fields_are_independent_of_the_steps():
    """Oracle: zero correlation; one shared stream would make y^2 of both the same number."""
    model = TeacherStudent(K=1, M=1, activation="linear", eta=1)
    start = InitialCondition(q=[[[0]]], r=[[[0]]])
    runs = simulate(model, start, 1, 8, 300, 2, at=[0, 1 / 8], test_fields=1)
    pair = runs.generalization_error[:, 0], runs.r[:, 1, 0, 0, 0]
    assert abs(np.corrcoef(*pair)[0, 1]) < 4 / math.sqrt(300)


def test_between_steps_the_overlaps_are_linear_in_alpha():
    """Oracle: the steps at both ends."""
    start = initial(ERF22, "1/2", N=16, seed=0)
    at = [0, 0.25 / 16, 1 / 16, 1.5 / 16, 2 / 16]
    r = simulate(ERF22, start, 1, 16, 2, 3, at=at).r
    np.testing.assert_allclose(r[:, 1], 0.75 * r[:, 0] + 0.25 * r[:, 2], rtol=1e-12)
    np.testing.assert_allclose(r[:, 3], (r[:, 2] + r[:, 4]) / 2, rtol=1e-12)


@pytest.mark.parametrize("method", ["chain", "direct"])
def test_the_perfect_student_stays(method):
    """Oracle: J = B is a fixed point; its Gram matrix has half rank, and eps_g no cancellation."""
    eye = np.broadcast_to(np.eye(2), (4, 2, 2))
    start = InitialCondition(q=eye, r=eye)
    runs = simulate(ERF22, start, 5, 32, 2, 0, method)
    np.testing.assert_allclose(runs.q, np.broadcast_to(eye, runs.q.shape), atol=1e-13)
    assert np.all(runs.generalization_error < 1e-28)


def test_auto_goes_direct_when_eigenspaces_are_small():
    """Oracle: the start itself, which a rank-deficient embedding must reproduce."""
    start = initial(ERF22, "1/2", N=8, seed=0)
    with pytest.warns(UserWarning, match=r"needs n_k >= K \+ M = 4, found n_1 = 2"):
        runs = simulate(ERF22, start, 1, 8, 2, 0, at=[0, 1])
    assert runs.provenance["method"] == "direct"
    assert "direct method was used" in runs.provenance["note"]
    for name in ("q", "r"):
        np.testing.assert_allclose(
            getattr(runs, name)[:, 0], [getattr(start, name)] * 2, atol=1e-14
        )


def test_the_error_on_test_fields_is_unbiased():
    """Oracle: E[relu(a) relu(b)] = sqrt(QT)/(2 pi) at zero correlation, E[relu(a)^2] = Q/2."""
    model = TeacherStudent(K=1, M=1, activation="relu", eta="1/10")
    start = InitialCondition(q=[[[0.25]]], r=[[[0]]])
    runs = simulate(model, start, 1, 20, 100, 0, at=[0], test_fields=4000)
    exact = (0.25 / 2 + 1 / 2 - 2 * 0.5 / (2 * math.pi)) / 2
    error = runs.standard_error.generalization_error[0]
    assert abs(runs.mean.generalization_error[0] - exact) < 4 * error
    assert error < 0.01 * exact


@pytest.mark.parametrize(
    ("activation", "points"),
    [
        ("erf", {0.7: (math.erf(0.7 / math.sqrt(2)), math.sqrt(2 / math.pi) * math.exp(-0.245))}),
        ("relu", {-1.0: (0, 0), 0.0: (0, 0.5), 2.0: (2, 1)}),
        ("He_3", {2.0: (2, 9)}),
        (abs(sp.Symbol("u", real=True)), {-3.0: (3, -1), 0.0: (0, 0)}),
        (sp.Max(sp.Symbol("u", real=True), 0), {-3.0: (0, 0), 2.0: (2, 1)}),
        (sp.tanh(sp.Symbol("u")), {0.5: (math.tanh(0.5), 1 - math.tanh(0.5) ** 2)}),
        (sp.sign(sp.Symbol("u", real=True)) + sp.Symbol("u", real=True), {-1.0: (-2, 1)}),
    ],
)
def test_compiled_activations(activation, points):
    """Oracle: g and g' by hand, kinks included."""
    g, slope = compile_activation(Activation(activation))
    for x, (value, derivative) in points.items():
        assert g.ctypes(x) == pytest.approx(value, abs=1e-15)
        assert slope.ctypes(x) == pytest.approx(derivative, abs=1e-15)


@pytest.mark.parametrize(
    ("activation", "message"),
    [("sign", "derivative zero almost everywhere"), (sp.airyai(sp.Symbol("u")), "math module")],
)
def test_activations_that_sgd_cannot_use_are_refused(activation, message):
    """Oracle: the message a user needs."""
    with pytest.raises(ValueError, match=message):
        compile_activation(Activation(activation))


def test_a_diverging_run_is_an_error():
    """Oracle: linear SGD beyond eta_c = 2 grows without bound."""
    model = TeacherStudent(K=1, M=1, activation="linear", eta=50)
    start = InitialCondition(q=[[[1]]], r=[[[0]]])
    with pytest.raises(FloatingPointError, match=r"run 0 diverges at alpha = .* with eta = 50"):
        simulate(model, start, 1000, 16, 1, 0)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"alpha": 0}, ValueError, "alpha must be positive"),
        ({"alpha": True}, TypeError, "alpha must be a number, found True"),
        ({"alpha": "soon"}, ValueError, "alpha must be a number .*found 'soon'"),
        ({"alpha": sp.Symbol("a")}, ValueError, "alpha must be a number, found a"),
        ({"at": "abc"}, ValueError, "at must be an array of real numbers: .*found 'abc'"),
        ({"model": order_parameter_odes(ERF22)}, TypeError, "found OrderParameterODE"),
        ({"start": {"q": 1}}, TypeError, "start must be an InitialCondition"),
        ({"at": [0, 2]}, ValueError, "beyond alpha"),
        ({"N": 50}, ValueError, "such as N = 48 or 52"),
        ({"runs": 0}, ValueError, "runs must be at least 1"),
        ({"runs": 2.0}, TypeError, "runs must be a whole number"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"threads": -1}, ValueError, "threads must be at least 1"),
        ({"threads": 0}, ValueError, "threads must be at least 1"),
        ({"test_fields": 0}, ValueError, "test_fields must be at least 1"),
        ({"method": "exact"}, ValueError, "method must be one of"),
        ({"model": ERF22.replace(eta=sp.Symbol("eta"))}, ValueError, "no number for eta = eta"),
        ({"model": ERF22.replace(spectrum=Isotropic())}, ValueError, r"the model \(1, 2, 2\)"),
        ({"N": 8, "method": "chain"}, ValueError, 'use method="direct"'),
        ({"N": 8, "method": "direct"}, ValueError, "rank 4 but only n_1 = 2"),
    ],
)
def test_bad_requests_say_what_to_do(changes, error, message):
    """Oracle: the message a user needs."""
    request = {"model": ERF22, "alpha": 1, "N": 48, "runs": 1, "seed": 0}
    request["start"] = initial(ERF22, "1/2", N=48, seed=0)
    with pytest.raises(error, match=message):
        simulate(**(request | changes))


def imports(module):
    """All modules of theory and numerics that `module` reaches through import statements."""
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        path = PACKAGES.joinpath(*name.split("."))
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        ours = name.partition(".")[0] in ("theory", "numerics")
        if not ours or name in found or not source.is_file():
            continue
        found.add(name)
        package = name if path.is_dir() else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                home = ".".join(package.split(".")[: len(package.split(".")) + 1 - node.level])
                base = ".".join(filter(None, [home if node.level else "", node.module]))
                waiting += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return found


def test_all_that_only_the_theory_uses_is_forbidden_to_the_witness():
    """Oracle: the import statements; whatever `integrate` alone reaches is in the contract."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    (witness,) = (c for c in contracts if "numerics.simulate" in c.get("source_modules", ()))
    forbidden = witness["forbidden_modules"]
    ours, theirs = imports("numerics.simulate"), imports("numerics.integrate")
    # An exception class says nothing about the equations.
    alone = theirs - ours - {"theory", "numerics", "numerics.errors"}
    assert {"numerics.taylor", "theory.gaussian.wick", "theory.forms"} <= alone
    missing = [m for m in sorted(alone) if not any(f"{m}.".startswith(f"{f}.") for f in forbidden)]
    assert missing == [], "add them to the contract in pyproject.toml"
    assert not any(f"{m}.".startswith(f"{f}.") for m in ours for f in forbidden)
