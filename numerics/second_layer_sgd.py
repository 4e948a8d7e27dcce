"""Simulation of SGD on both layers in R^N: the witness against `numerics.second_layer`.

Mathematics
    J_i <- (1 - eta gamma/N) J_i + (eta/sqrt(N)) v_i g'(x_i) e xi,  v_i <- v_i + (eta_v/N) g(x_i) e,
    e = c_T sum_n g(y_n) + noise - sum_j v_j g(x_j), all at the old weights.

References
    [GA19] Goldt et al., arXiv:1906.08632.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from numba import njit

from theory.exact import positive
from theory.models import TeacherStudent

from .initial import InitialCondition, gram_factor, multiplicities, whole_number
from .second_layer_path import SecondLayerPath, output_weights
from .sgd import compile_activation, sampled_error
from .simulate import embedded
from .storage import Array
from .trajectory import Trajectory, check_times

__all__ = ["simulate_second_layer"]


class _Rule(NamedTuple):
    """eta/N, eta_v/N, gamma, c_T, standard deviation of the label noise, M."""

    rate: float
    second: float
    decay: float
    teacher_scale: float
    noise: float
    teachers: int


def simulate_second_layer(
    model: TeacherStudent,
    eta_v: Any,
    start: InitialCondition,
    alpha: Any,
    N: int,
    runs: int,
    seed: int,
    weights: Any = None,
    at: Any = None,
    test_fields: int = 4096,
) -> SecondLayerPath:
    """Simulate one-pass SGD on both layers.

    A time alpha is observed after floor(alpha N) steps. Streams of random numbers, test fields and
    other arguments are as in `numerics.simulate`, the rest as in `integrate_second_layer`.

    Raises
    ------
    ValueError, TypeError
        If the overlaps do not fit in R^N or a parameter is out of its range.
    FloatingPointError
        If a run diverges.
    """
    times, counts = check_times(at, alpha), multiplicities(model, N)
    runs, seed = whole_number(runs, "runs", 1), whole_number(seed, "seed", 0)
    rule, start = _rule(model, positive(eta_v, "eta_v"), N), start.expanded(len(counts))
    lam = np.array([float(x) for x in model.spectrum.values()[0]])
    one = partial(
        _run,
        compile_activation(model.activation),
        embedded(gram_factor(start.gram) * np.sqrt(counts / N)[:, None, None], counts),
        output_weights(model, weights),
        np.repeat(np.sqrt(lam), counts),
        rule,
        [int(time * N) for time in times],
        test_fields,
    )
    sequences = [np.random.SeedSequence(seed, spawn_key=(run,)) for run in range(runs)]
    with ThreadPoolExecutor() as pool:
        vectors, v, errors = (np.stack(x) for x in zip(*pool.map(one, sequences), strict=True))
    first, M = np.cumsum(counts) - counts, rule.teachers
    products = np.add.reduceat(vectors[..., :, None, :] * vectors[..., None, :, :], first, axis=-1)
    gram = np.moveaxis(products, -1, -3) * (N / counts)[:, None, None]
    provenance = {
        "origin": "simulation",
        "method": "direct, both layers",
        "model": str(model),
        "eta_v": str(eta_v),
        "N": int(N),
        "runs": runs,
        "seed": seed,
        "start": start.provenance,
    }
    overlaps = Trajectory(
        times, gram[..., M:, M:], gram[..., M:, :M], start.t, errors, lam, counts / N, provenance
    )
    return SecondLayerPath(overlaps, v)


def _rule(model: TeacherStudent, eta_v: sp.Expr, N: int) -> _Rule:
    model.require_plain("simulate_second_layer")
    numbers = {"eta": model.eta, "eta_v": eta_v, "label_noise": model.label_noise}
    numbers |= {"weight_decay": model.weight_decay, "K": model.K, "M": model.M}
    symbolic = [f"{name} = {value}" for name, value in numbers.items() if not value.is_number]
    if symbolic:
        raise ValueError(
            f"simulate_second_layer: there is no number for {', '.join(symbolic)}: use "
            "model.replace(...); learning rates are constant here"
        )
    return _Rule(
        float(model.eta) / N,
        float(eta_v) / N,
        float(model.weight_decay),
        float(model.teacher_scale),
        math.sqrt(float(model.label_noise)),
        int(model.M),
    )


def _run(
    functions: tuple[Any, Any],
    vectors: Array,
    v: Array,
    root: Array,
    rule: _Rule,
    stops: list[int],
    test_fields: int,
    sequence: np.random.SeedSequence,
) -> tuple[Array, Array, Array]:
    """Vectors (T, M+K, N), v (T, K) and eps_g (T,) of one run."""
    (child,) = sequence.spawn(1)
    rng, test = (np.random.Generator(np.random.Philox(s)) for s in (sequence, child))
    J, v, done, found = vectors.copy(), v.copy(), 0, []
    for stop in stops:
        if _advance(*functions, rng, J, v, root, stop - done, rule) < stop - done:
            raise FloatingPointError(
                f"simulate_second_layer: diverges before alpha = {stop / len(root):g}: use smaller "
                "learning rates"
            )
        done = stop
        weights = np.append(np.full(rule.teachers, rule.teacher_scale), -v)
        error = sampled_error(functions[0], test, J * root, weights, test_fields)
        found.append((J.copy(), v.copy(), error))
    every, moved, errors = zip(*found, strict=True)
    return np.stack(every), np.stack(moved), np.array(errors)


@njit(nogil=True, cache=True)
def _advance(
    g: Any, slope: Any, rng: Any, vectors: Array, v: Array, root: Array, steps: int, rule: _Rule
) -> int:
    D, N = vectors.shape
    M = rule.teachers
    xi, x = np.empty(N), np.empty(D)
    keep = 1.0 - rule.rate * rule.decay
    for step in range(steps):
        x[:] = 0.0
        for a in range(N):
            xi[a] = root[a] * rng.standard_normal()
            for f in range(D):
                x[f] += vectors[f, a] * xi[a]
        error = rule.noise * rng.standard_normal() if rule.noise > 0.0 else 0.0
        for f in range(D):
            error += rule.teacher_scale * g(x[f]) if f < M else -v[f - M] * g(x[f])
        if not math.isfinite(error):
            return step
        for i in range(D - M):
            push = rule.rate * v[i] * slope(x[M + i]) * error
            v[i] += rule.second * g(x[M + i]) * error
            for a in range(N):
                vectors[M + i, a] = keep * vectors[M + i, a] + push * xi[a]
    return steps
