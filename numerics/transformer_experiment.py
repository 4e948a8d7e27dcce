r"""The experiment on Transformers: kernels and trained networks on the same data, many seeds.

Summary
    For every input exponent and seed a fresh task and network. Three kernels are measured on the
    same points: the linear kernel x.x' (a control: there the redundancy law is known), the
    network's tangent kernel at the start, and after training on the largest number of examples.
    Ridge regression with each and training of the network learn the same noisy targets and are
    tested on the targets without noise.

References
    [BC25] Bi & Calhoun, arXiv:2509.20721 (Transformers, linearised and learning features).
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from .empirical_ntk import empirical_ntk
from .initial import whole_number
from .jax_backend import load_jax
from .measured_kernel import actual_curve, measure_kernel
from .storage import Array, plain_json, read_arrays, write_arrays
from .transformer_tasks import Sample, SequenceTask
from .transformer_training import Adam, Training, train
from .transformers import Encoder

__all__ = ["FULL", "KERNELS", "QUICK", "Experiment", "Settings", "run_experiment"]

KIND = "specscale transformers 1"
KERNELS = ("linear", "initial", "trained")
"""x.x', and the tangent kernels of the network at the start and after training."""
POPULATION, POOL = 1, 2
"""Streams of a task: points that are measured and tested on, examples to train on."""


@dataclass(frozen=True)
class Settings:
    """Everything that decides the numbers.

    Parameters
    ----------
    betas : tuple of float
        Exponents of the input's covariance.
    s, noise : float
        Of the task.
    seeds : int
        Seeds 0, 1, ... of task, network and minibatches together.
    points : int
        N, measured and tested on.
    subsets : tuple of int
        n of the regressions, at most a quarter of the points.
    runs : int
        Random subsets for each n.
    examples : tuple of int
        n of the trainings, ascending.
    encoder : Encoder
    adam : Adam

    Raises
    ------
    ValueError, TypeError
        If there are fewer than two seeds (no error bars), or the sizes do not ascend or do not fit.
    """

    betas: tuple[float, ...] = (1.5, 2.5)
    s: float = 0.5
    noise: float = 0.05
    seeds: int = 4
    points: int = 1024
    subsets: tuple[int, ...] = (16, 32, 64, 128, 256)
    runs: int = 16
    examples: tuple[int, ...] = (32, 64, 128, 256, 512)
    encoder: Encoder = field(default_factory=Encoder)
    adam: Adam = field(default_factory=Adam)

    def __post_init__(self) -> None:
        whole_number(self.seeds, "seeds", 2)
        whole_number(self.points, "points", 80)
        for name in ("subsets", "examples"):
            sizes = getattr(self, name)
            if len(sizes) < 2 or list(sizes) != sorted(set(sizes)):
                raise ValueError(f"{name} must be two sizes or more, ascending, found {sizes}")
        if 4 * self.subsets[-1] > self.points:
            raise ValueError(
                f"subsets must be at most a quarter of the {self.points} points, found "
                f"{self.subsets[-1]}"
            )

    def window(self, kernel: str) -> tuple[int, int]:
        """Modes whose power laws are fitted: the linear kernel ends at the input's dimension."""
        last = self.encoder.inputs // 2 if kernel == "linear" else self.points // 4
        return (4 if kernel == "linear" else 10), last


FULL = Settings()
QUICK = Settings(
    betas=(1.5,),
    seeds=2,
    points=256,
    subsets=(16, 32, 64),
    runs=8,
    examples=(32, 64, 128),
    encoder=Encoder(layers=1),
    adam=Adam(steps=300),
)

_ARRAYS = (
    "noise_free",
    "eigenvalues",
    "beta",
    "s",
    "predicted",
    "actual",
    "best",
    "last",
    "losses",
    "best_steps",
)


@dataclass(frozen=True, eq=False)
class Experiment:
    """What was found, for B input exponents, S seeds and the three `KERNELS`.

    Attributes
    ----------
    settings : dict
        Of `Settings`, as plain values.
    provenance : dict
        Versions, machine and cost.
    noise_free : (B, S)
        Mean of f^2 over the points: the error of the answer zero.
    eigenvalues : (B, S, 3, N/2)
        The largest of K/N, descending.
    beta, s : (B, S, 3, 2)
        Exponents of kernel and target, and how far they may be off (`measure_kernel`).
    predicted : (B, S, 3, R)
        Excess risk of ridge regression on R sizes of subsets, deterministic equivalent.
    actual : (B, S, 3, R, 2)
        The same as it is, mean over the runs and its standard error.
    best, last, losses, best_steps : (B, S, T)
        Trainings on T numbers of examples: the smallest test error on the way, that at the end, the
        loss at the end, and the step of the smallest test error.
    """

    settings: dict[str, Any]
    provenance: dict[str, Any]
    noise_free: Array
    eigenvalues: Array
    beta: Array
    s: Array
    predicted: Array
    actual: Array
    best: Array
    last: Array
    losses: Array
    best_steps: Array

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything into an .npz file; return its path."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        header = {"settings": self.settings, "provenance": self.provenance}
        return write_arrays(path, KIND, arrays, header)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Experiment:
        """Read what `save` wrote.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such file, or it holds something else.
        """
        arrays, header = read_arrays(path, KIND, _ARRAYS)
        return cls(header["settings"], header["provenance"], **arrays)


def run_experiment(
    settings: Settings, progress: Callable[[str, Iterable[Any]], Iterable[Any]]
) -> Experiment:
    """Do everything; `progress` wraps the loop over tasks.

    Raises
    ------
    ImportError
        If JAX is not installed; at once.
    ArithmeticError
        If a training diverges.
    """
    load_jax()
    began = time.perf_counter(), time.process_time()
    cases = list(product(settings.betas, range(settings.seeds)))
    found = [_case(settings, *case) for case in progress("training Transformers", cases)]
    shape = len(settings.betas), settings.seeds
    arrays = {
        name: np.array([case[name] for case in found]).reshape(*shape, *found[0][name].shape)
        for name in found[0]
    }
    spent = time.perf_counter() - began[0], time.process_time() - began[1]
    plain = plain_json(asdict(settings), "settings")
    return Experiment(plain, _provenance(*spent), **arrays)


def _provenance(seconds: float, processor: float) -> dict[str, Any]:
    names = ("specscale", "jax", "numpy", "scipy")
    return {
        "versions": {name: version(name) for name in names},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "seconds": round(seconds, 1),
        "processor seconds": round(processor, 1),
    }


def _case(settings: Settings, beta: float, seed: int) -> dict[str, Array]:
    """All numbers of one task and network."""
    task = SequenceTask(beta, settings.s, settings.noise, seed)
    encoder = settings.encoder
    points = task.draw(encoder, settings.points, POPULATION)
    pool = task.draw(encoder, settings.examples[-1], POOL)
    weights = encoder.weights(seed)
    trained = [
        train(encoder.output, weights, _first(pool, n), points, settings.adam, seed)
        for n in settings.examples
    ]
    flat = points.inputs.reshape(settings.points, -1)
    kernels = (
        flat @ flat.T,
        empirical_ntk(encoder.output, weights, points.inputs),
        empirical_ntk(encoder.output, trained[-1].weights, points.inputs),
    )
    measured = [
        _measured(settings, name, kernel, points.targets, seed)
        for name, kernel in zip(KERNELS, kernels, strict=True)
    ]
    return {
        "noise_free": np.mean(points.targets**2),
        **{name: np.array([each[name] for each in measured]) for name in measured[0]},
        **_trainings(trained),
    }


def _first(pool: Sample, n: int) -> Sample:
    return Sample(pool.inputs[:n], pool.targets[:n], pool.labels[:n])


def _measured(
    settings: Settings, name: str, kernel: Array, targets: Array, seed: int
) -> dict[str, Array]:
    """Spectrum, exponents and learning curve of ridge regression with one kernel."""
    found = measure_kernel(kernel, targets, settings.window(name))
    curve = actual_curve(found, settings.subsets, settings.runs, seed, settings.noise)
    return {
        "eigenvalues": found.spectrum.eigenvalues[: settings.points // 2],
        "beta": np.array([found.beta.value, found.beta.error]),
        "s": np.array([found.s.value, found.s.error]),
        "predicted": np.array([point.predicted for point in curve]),
        "actual": np.array([(point.actual, point.standard_error) for point in curve]),
    }


def _trainings(trained: list[Training]) -> dict[str, Array]:
    return {
        "best": np.array([each.errors[each.best] for each in trained]),
        "last": np.array([each.errors[-1] for each in trained]),
        "losses": np.array([each.losses[-1] for each in trained]),
        "best_steps": np.array([each.steps[each.best] for each in trained]),
    }
