"""The experiment on Transformers: its numbers, and what is concluded from them."""

import dataclasses

import numpy as np
import pytest

from numerics.kernels import optimal_risk
from numerics.measured_kernel import PowerFit
from numerics.transformer_experiment import (
    KERNELS,
    Experiment,
    Settings,
    run_experiment,
)
from numerics.transformer_findings import (
    analyse,
    law_exponent,
    network_over_ridge,
    sampled_tail,
    shortfall,
    tail_exponents,
)
from numerics.transformer_training import Adam
from numerics.transformers import Encoder
from numerics.transformers_figures import transformer_figure

TINY = Settings(
    betas=(1.5,),
    seeds=2,
    points=128,
    subsets=(8, 16),
    runs=3,
    examples=(8, 16),
    encoder=Encoder(features=8, width=8, layers=1, heads=2, hidden=8),
    adam=Adam(steps=25, batch=8),
)


def synthetic(power=1.5, curve=0.6, seeds=3):
    """Exact power laws in place of everything measured, with a scale of its own for each seed."""
    i, n = np.arange(1.0, 65), np.array([16.0, 32, 64])
    scale = np.arange(1.0, seeds + 1)[:, None]
    spectra = np.repeat((scale * i**-power)[None, :, None], 3, axis=2)
    actual = np.repeat((scale * n**-curve)[None, :, None], 3, axis=2)
    fits = np.broadcast_to(np.array([power, 0.01]), (1, seeds, 3, 2))
    return Experiment(
        settings={
            "betas": [power], "s": 0.5, "noise": 0.05, "seeds": seeds, "points": 128,
            "subsets": [16, 32, 64], "examples": [16, 32, 64],
        },
        provenance={},
        noise_free=np.ones((1, seeds)),
        eigenvalues=spectra,
        beta=fits,
        s=np.broadcast_to(np.array([0.5, 0.01]), (1, seeds, 3, 2)),
        predicted=1.25 * actual,
        actual=np.stack([actual, actual / 10], axis=-1),
        best=2 * (scale * n**-curve)[None],
        last=3 * (scale * n ** (-curve / 2))[None],
        losses=np.ones((1, seeds, 3)),
        best_steps=np.full((1, seeds, 3), 25),
    )  # fmt: skip


def test_exponents_of_exact_power_laws():
    """Oracle: by hand; scales of the seeds do not matter, so there is no scatter."""
    (found,) = analyse(synthetic())
    kernel = found.kernel("initial")
    assert kernel.name == "initial"
    assert found.windows == ((4, 8), (8, 16), (16, 32))
    for fit, value in (
        *((local, 1.5) for local in kernel.local),
        (kernel.exponent, 0.6),
        (kernel.mismatch, 0.25),
        (found.trained, 0.6),
        (found.final, 0.3),
    ):
        assert fit.value == pytest.approx(value, rel=1e-10)
        assert fit.error < 1e-10
    # The error of a fit is not reduced by seeds.
    assert kernel.beta == PowerFit(1.5, pytest.approx(0.01))
    np.testing.assert_allclose(tail_exponents(synthetic(), 0, "trained"), 1.5, rtol=1e-10)


def test_law_takes_the_exponents_of_a_kernel():
    """Oracle: beta s with both errors, by hand."""
    found = law_exponent(synthetic(), 0, "trained", lambda beta, s: beta * s)
    assert found.value == pytest.approx(0.75)
    assert found.error == pytest.approx(0.01 * np.hypot(1.5, 0.5), rel=1e-6)


def test_shortfall_vanishes_with_n_and_grows_with_less_noise():
    """Oracle: `optimal_risk` over a factor two, and the limit of large n."""
    experiment = synthetic()
    risks = [optimal_risk(1.5, "1/2", n, 0.05 * 1.341487257250917).risk for n in (16, 32)]
    slope = -np.log(risks[1] / risks[0]) / np.log(2)
    found = shortfall(experiment, [16, 32], 0)
    assert found == pytest.approx(slope - 0.6, rel=1e-9)
    assert shortfall(experiment, [16, 32], 0, "initial") == pytest.approx(found, rel=1e-9)
    assert abs(shortfall(experiment, [10**8, 10**9], 0)) < 1e-3
    assert found > shortfall(experiment, [32, 64], 0) > 0.02


def test_tail_of_a_sampled_power_law():
    """Oracle: the first order in i/N, eigenvalue i is larger by 1 - (i/N)(pi/b) cot(pi/b)."""
    experiment = dataclasses.replace(
        synthetic(), settings={**synthetic().settings, "points": 256, "seeds": 2}
    )
    found = sampled_tail(experiment, 2.0)
    assert found.value == pytest.approx(2.0, abs=0.08)  # cot(pi/2) = 0
    i = np.arange(8.0, 65)
    bent = np.log(1 - i / 256 * (np.pi / 1.5) / np.tan(np.pi / 1.5))
    expected = 1.5 - np.polyfit(np.log(i), bent, 1)[0]
    assert sampled_tail(experiment, 1.5).value == pytest.approx(expected, abs=0.06)


def test_network_over_ridge():
    """Oracle: twice the error at every n."""
    n, ratio = network_over_ridge(synthetic(), 0)
    assert n == 64
    assert ratio.value == pytest.approx(2)


def test_figure_draws_what_was_found():
    """Oracle: the drawn data."""
    experiment = synthetic()
    spectra, exponents, curves = transformer_figure(experiment).axes
    assert len(spectra.lines) == len(KERNELS) + 1
    np.testing.assert_allclose(
        curves.containers[0].lines[0].get_ydata(), experiment.actual[0, :, 0, :, 0].mean(axis=0)
    )
    np.testing.assert_allclose(exponents.containers[2].lines[0].get_ydata(), 1.5)


def test_what_is_saved_is_read_back(tmp_path):
    """Oracle: the arrays that were saved."""
    experiment = synthetic()
    back = Experiment.load(experiment.save(tmp_path / "saved.npz"))
    np.testing.assert_array_equal(back.actual, experiment.actual)
    assert back.settings == experiment.settings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": 1}, "seeds must be at least 2, found 1"),
        ({"points": 50}, "points must be at least 80"),
        ({"subsets": (16, 64)}, "at most a quarter of the 128 points, found 64"),
        ({"examples": (16, 8)}, "examples must be two sizes or more, ascending"),
    ],
)
def test_bad_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TINY, **change)


@pytest.mark.slow
def test_experiment_repeats_itself(tmp_path):
    """Oracle: the same settings again, bit for bit; shapes and signs."""
    pytest.importorskip("jax", reason="the extra ntk")
    one, two = (run_experiment(TINY, lambda _, items: items) for _ in range(2))
    for name in ("eigenvalues", "beta", "predicted", "actual", "best", "last"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
        assert np.all(getattr(one, name) > 0)
    assert one.eigenvalues.shape == (1, 2, 3, 64)
    assert one.actual.shape == (1, 2, 3, 2, 2)
    assert one.provenance["versions"]["jax"]
    # Seeds differ, and the trained kernel is another than that at the start.
    assert not np.allclose(one.best[0, 0], one.best[0, 1])
    assert not np.allclose(one.eigenvalues[0, 0, 1], one.eigenvalues[0, 0, 2])
