"""Simulation of one-pass SGD: an ensemble of runs at finite N, the witness against the theory.

Summary
    `simulate` runs SGD from given overlaps, by one of two methods that agree in law:
    ``"chain"``, the exact Markov chain of the Gram matrices at a cost independent of N, and
    ``"direct"``, the weights themselves in R^N. A preconditioner multiplies the steps as written,
    and each step has the learning rate of its own time. Nothing here knows the equations of motion:
    eps_g is a sample mean over fresh test fields.

Notation (WR24)
    alpha = (number of steps)/N; J_i <- J_i + (eta/sqrt(N)) delta_i xi.

References
    [WR24] Worschech & Rosenow, arXiv:2410.09005.
    [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995).
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.models import TeacherStudent
from theory.schedules import alpha as ALPHA

from .initial import InitialCondition, check_model, gram_factor, multiplicities, whole_number
from .schedule import compile_schedule
from .sgd import Rule, compile_activation, sampled_error, step_chain, step_direct
from .storage import Array
from .trajectory import Trajectory, check_times

__all__ = ["embedded", "simulate"]

METHODS = ("auto", "chain", "direct")
BLOCK = 65536
"""Steps whose learning rates are listed at once."""


def simulate(
    model: TeacherStudent,
    start: InitialCondition,
    alpha: Any,
    N: int,
    runs: int,
    seed: int,
    method: str = "auto",
    at: ArrayLike | None = None,
    threads: int | None = None,
    test_fields: int = 4096,
) -> Trajectory:
    """Simulate one-pass SGD at finite N: `runs` independent runs from the same overlaps.

    Between the steps floor(alpha N) and floor(alpha N) + 1 the overlaps are linear in alpha. eps_g
    is the mean of (zeta - sigma)^2/2, without label noise, over fresh Gaussian fields of the
    covariance (Q, R, T) of that moment: unbiased, with relative error about sqrt(2/test_fields) in
    each run. Run i draws from Philox(SeedSequence(seed, spawn_key=(i,))) and its test fields from a
    child of it, so a run depends neither on the number of threads nor on when it is observed.

    Parameters
    ----------
    model : TeacherStudent
        With numbers for K, M, L and eta.
    start : InitialCondition
        Overlaps at alpha = 0, shared by all runs.
    alpha : number
        End of the run in units of N steps.
    N : int
        Input dimension; every n_k = N w_k must be whole.
    runs, seed : int
    method : {"auto", "chain", "direct"}
        ``"chain"``: exact in law, O(L (K+M)^2) a step, needs n_k >= K + M. ``"direct"``: SGD in
        R^N, needs n_k >= the rank of the overlaps. ``"auto"``: chain where possible, else direct
        with a warning.
    at : array (T,), optional
        Output times; default `default_times(alpha)`.
    threads : int, optional
        Default: one per processor. The numbers do not depend on it.
    test_fields : int
        Fresh test examples for each value of eps_g.

    Returns
    -------
    Trajectory
        With a leading run axis; ``provenance["note"]`` says why, when auto chose direct.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of range, symbolic, or the overlaps do not fit in R^N.
    FloatingPointError
        If a run diverges; names the run, the time and eta.
    """
    _check_system(model, start)
    times = check_times(at, alpha)
    runs = whole_number(runs, "simulate: runs", 1)
    seed = whole_number(seed, "simulate: seed", 0)
    test_fields = whole_number(test_fields, "simulate: test_fields", 1)
    if threads is None:
        threads = os.cpu_count() or 1
    threads = whole_number(threads, "simulate: threads", 1)
    counts = multiplicities(model, N)
    method, note = _choose(method, counts, start)
    job = _Job.build(model, start, counts, method, times, (seed, test_fields))
    with ThreadPoolExecutor(min(threads, runs)) as pool:
        results = list(pool.map(job.run, range(runs)))
    q, r, eps = (np.stack(part) for part in zip(*results, strict=True))
    provenance = {
        "origin": "simulation",
        "method": method,
        "model": str(model),
        "eta": str(model.eta),
        "N": int(N),
        "runs": runs,
        "seed": seed,
        "test_fields": test_fields,
        "start": start.provenance,
        **({"note": note} if note else {}),
    }
    return Trajectory(times, q, r, start.t, eps, job.eigenvalues, counts / int(N), provenance)


def _check_system(model: Any, start: Any) -> None:
    check_model(model, "simulate")
    if not isinstance(start, InitialCondition):
        raise TypeError(
            f"simulate: start must be an InitialCondition (see numerics.initial), found {start!r}"
        )
    numbers = {"K": model.K, "M": model.M, "L": model.spectrum.L, "eta": model.eta}
    numbers |= {"label_noise": model.label_noise, "weight_decay": model.weight_decay}
    numbers["preconditioner"] = model.preconditioner
    symbolic = [
        f"{name} = {value}" for name, value in numbers.items() if value.free_symbols - {ALPHA}
    ]
    if symbolic:
        raise ValueError(
            f"simulate: the model has no number for {', '.join(symbolic)}: use model.replace(...)"
        )
    expected = int(model.spectrum.L), int(model.K), int(model.M)
    if start.r.shape != expected:
        raise ValueError(
            f"simulate: the start has (L, K, M) = {start.r.shape}, the model {expected}: "
            "make the start for this model"
        )


def _choose(method: str, counts: Array, start: InitialCondition) -> tuple[str, str]:
    """Return the method to use, and a note when it is not the one expected."""
    if method not in METHODS:
        raise ValueError(f"simulate: method must be one of {METHODS}, found {method!r}")
    size = start.r.shape[1] + start.r.shape[2]
    k = int(np.argmin(counts))
    if counts[k] >= size or method == "direct":
        return ("chain" if method == "auto" else method), ""
    note = f"the chain needs n_k >= K + M = {size}, found n_{k + 1} = {counts[k]}"
    if method == "chain":
        raise ValueError(f'simulate: {note}: use method="direct" or a larger N')
    warnings.warn(f"simulate: {note}; using the direct method", UserWarning, stacklevel=3)
    return "direct", note + "; the direct method was used"


@dataclass(frozen=True, eq=False)
class _Job:
    """Everything the runs share: the compiled rule, the embedded start, the output times.

    Both methods hold vectors (M+K, P), teacher first, in coordinates grouped by eigenspace: the
    chain (M+K) coordinates each, stored as (L, M+K, M+K); the direct method n_k each.
    """

    g: Any
    slope: Any
    rule: Rule
    method: str
    start: Array
    rate: Callable[[Array], Array]
    gain: Array
    eigenvalues: Array
    counts: Array
    times: Array
    seed: int
    test_fields: int

    @classmethod
    def build(
        cls,
        model: TeacherStudent,
        start: InitialCondition,
        counts: Array,
        method: str,
        times: Array,
        sampling: tuple[int, int],
    ) -> _Job:
        g, slope = compile_activation(model.activation)
        N = int(counts.sum())
        rule = Rule(
            decay=float(model.weight_decay),
            student_scale=float(model.student_scale),
            teacher_scale=float(model.teacher_scale),
            noise=math.sqrt(float(model.label_noise)),
            teachers=int(model.M),
        )
        eigenvalues = np.array([float(x) for x in model.spectrum.values()[0]])
        factor = gram_factor(start.gram) * np.sqrt(counts / N)[:, None, None]
        vectors = _triangular(factor) if method == "chain" else embedded(factor, counts)
        theta = float(model.preconditioner)
        gain = eigenvalues**-theta / float(counts / N @ eigenvalues ** (1 - theta))
        rate = compile_schedule(model.eta)
        return cls(
            g, slope, rule, method, vectors, rate, gain, eigenvalues, counts, times, *sampling
        )

    def run(self, index: int) -> tuple[Array, Array, Array]:
        """One run: q (T, L, K, K), r (T, L, K, M) and eps_g (T,)."""
        sequence = np.random.SeedSequence(self.seed, spawn_key=(index,))
        (child,) = sequence.spawn(1)
        rng, test = (np.random.Generator(np.random.Philox(s)) for s in (sequence, child))
        N, M = int(self.counts.sum()), self.rule.teachers
        # `now` at step n and `after` at step n + 1: the ends of the interval that holds alpha N.
        n, now, after = 0, self.start, self.start.copy()
        self._advance(rng, after, index, 0, 1)
        grams, errors = [], []
        for alpha in self.times:
            target = int(alpha * N)
            if target > n:
                self._advance(rng, after, index, n + 1, target)
                now = after.copy()
                self._advance(rng, after, index, target, target + 1)
                n = target
            gram, error = self._observe(now, after, alpha * N - n, test)
            grams.append(gram)
            errors.append(error)
        gram = np.stack(grams) * (N / self.counts)[:, None, None]
        return gram[..., M:, M:], gram[..., M:, :M], np.array(errors)

    def _advance(
        self, rng: np.random.Generator, vectors: Array, index: int, first: int, last: int
    ) -> None:
        """Bring run `index` from step `first` to step `last`, in place."""
        root, N = np.sqrt(self.eigenvalues), int(self.counts.sum())
        if self.method == "chain":
            freedom = (self.counts - vectors.shape[1]).astype(float)
            step: Any = step_chain
            where: tuple[Array, ...] = (vectors, root, self.gain, freedom)
        else:
            step = step_direct
            where = (vectors, *(np.repeat(x, self.counts) for x in (root, self.gain)))
        for begin in range(first, last, BLOCK):
            eta = self.rate(np.arange(begin, min(begin + BLOCK, last)) / N)
            done = step(self.g, self.slope, rng, *where, eta / N, self.rule)
            if done < len(eta):
                raise FloatingPointError(
                    f"simulate: run {index} diverges at alpha = {(begin + done) / N:g} with "
                    f"eta = {eta[done]:g}: use a smaller learning rate"
                )

    def _observe(
        self, now: Array, after: Array, part: float, test: np.random.Generator
    ) -> tuple[Array, float]:
        """Gram matrices g_k (L, M+K, M+K) and eps_g at a fraction `part` of a step."""
        size = np.full(len(self.counts), now.shape[1]) if self.method == "chain" else self.counts
        first = np.cumsum(size) - size
        ends = [
            math.sqrt(share) * (v.transpose(1, 0, 2).reshape(v.shape[1], -1) if v.ndim == 3 else v)
            for share, v in ((1 - part, now), (part, after))
        ]
        product = sum(v[:, None, :] * v[None, :, :] for v in ends)
        gram = np.moveaxis(np.add.reduceat(product, first, axis=-1), -1, 0)
        root = np.repeat(np.sqrt(self.eigenvalues), size)
        rows = np.concatenate([root * v for v in ends], axis=1)
        weights = np.full(len(rows), -self.rule.student_scale)
        weights[: self.rule.teachers] = self.rule.teacher_scale
        return gram, float(sampled_error(self.g, test, rows, weights, self.test_fields))


def _triangular(factor: Array) -> Array:
    """The same Gram matrices from lower-triangular factors (L, D, D)."""
    upper = np.linalg.qr(np.swapaxes(factor, -1, -2), mode="r")
    return np.ascontiguousarray(np.swapaxes(upper, -1, -2))


def embedded(factor: Array, counts: Array) -> Array:
    """The same Gram matrices from vectors (D, N) with n_k coordinates in eigenspace k."""
    blocks = []
    for k, (matrix, n) in enumerate(zip(factor, counts, strict=True)):
        rank = int(np.count_nonzero(np.any(matrix != 0, axis=0)))
        if rank > n:
            raise ValueError(
                f"simulate: the overlaps of mode {k + 1} have rank {rank} but only n_{k + 1} = {n} "
                "dimensions to live in: draw the start at this N with initial(model, sigma_J, N, "
                "seed), or use a larger N"
            )
        columns = min(len(matrix), int(n))
        blocks.append(np.pad(matrix[:, :columns], ((0, 0), (0, int(n) - columns))))
    return np.concatenate(blocks, axis=1)
