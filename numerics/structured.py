"""Many modes: variable-order Radau IIA, stiff, adaptive, at a cost per step linear in L.

Summary
    The rates of the modes spread over lam_1/lam_L = L^(1+beta), so explicit steps are limited by
    the fastest mode long after it has relaxed. A high-order implicit method is not, and its stage
    equations are solved at the price of a few right-hand sides (`numerics.structured_linear`).
    The collocation polynomial gives values at any time, as accurate as the steps.

Main entries
    `structured_system` from compiled equations and a start; `solve_structured` to output times.

References
    Hairer & Wanner, Solving Ordinary Differential Equations II (1996), IV.8 (RADAU5 and its
    variable-order successors).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import cfunc

from .compile import CompiledODE
from .errors import Stopped
from .radau import radau
from .structured_blocks import Modes, write_overlaps
from .structured_linear import Coupling, Poles
from .structured_newton import Work
from .structured_steps import MOST, Accuracy, Output, run

__all__ = [
    "StructuredPath",
    "StructuredSystem",
    "solve_structured",
    "structured_system",
]

COEFFICIENTS = f"void(int64, int64, float64, float64[::1], {', '.join(3 * ['float64[:, ::1]'])})"
ERROR = "float64(int64, int64, float64[::1], float64[:, ::1])"

ORDERS = (5, 9, 13)
BLOCK = 128
"""Modes that are worked on together: their stages fit the cache."""


@dataclass(frozen=True, eq=False)
class StructuredSystem:
    """Equations and initial overlaps, as the compiled loops want them.

    Attributes
    ----------
    modes : Modes
    start : array (L, K+M, K+M)
        Overlaps at alpha = 0.
    coefficients, error : compiled functions
        D and G, and eps_g, from C: one type for all activations, so that the loops are compiled
        once and are read from numba's cache in later runs.
    """

    modes: Modes
    start: Any
    coefficients: Any
    error: Any

    @functools.cached_property
    def _upper(self) -> Any:
        return np.triu_indices(self.modes.K)

    def rows(self) -> Any:
        """The start in blocks of rows, shape (n, p B)."""
        K, M, (n, B) = self.modes.K, self.modes.M, self.modes.el.shape
        upper = self._upper
        r = self.start[:, :K, K:].reshape(-1, K * M)
        q = self.start[:, :K, :K][:, upper[0], upper[1]]
        return _blocks(np.concatenate([r, q], axis=1).T, n, B).reshape(n, -1)

    def overlaps(self, rows: Any) -> Any:
        """Overlaps (L, K+M, K+M) of a state (n, p B) in blocks of rows."""
        full = np.empty_like(self.start)
        for block, row in enumerate(rows):
            write_overlaps(self.modes, block, row, full)
        return full


@dataclass(frozen=True, eq=False)
class StructuredPath:
    """What a run gave.

    Attributes
    ----------
    times : array (T,)
    covariances : array (T, K+M, K+M)
        C = [[Q, R], [R^T, T]] at all times.
    values : array (T', L, K+M, K+M)
        Overlaps at the times that were kept.
    tolerance : float
    steps, rejected, evaluations, factorisations : int
        Accepted and rejected steps; evaluations of D and G; factorisations.
    steps_per_order : dict
    step_sizes : (float, float)
        Smallest and largest.
    """

    times: Any
    covariances: Any
    values: Any
    tolerance: float
    steps: int
    rejected: int
    evaluations: int
    factorisations: int
    steps_per_order: dict[int, int]
    step_sizes: tuple[float, float]

    def __str__(self) -> str:
        orders = ", ".join(f"{n} of order {order}" for order, n in self.steps_per_order.items())
        small, large = self.step_sizes
        return (
            f"Radau IIA, structured, tolerance {self.tolerance:.1e}, {self.steps} steps ({orders}; "
            f"{self.rejected} rejected) from {small:.1e} to {large:.1e}, "
            f"{self.evaluations} evaluations, {self.factorisations} factorisations"
        )


def structured_system(compiled: CompiledODE, start: Any) -> StructuredSystem:
    """Lay out compiled equations and their start for `solve_structured`.

    Parameters
    ----------
    compiled : CompiledODE
        A mode form compiled for double precision, in overlaps or in deviations.
    start : array (L, K+M, K+M)
        Overlaps (or deviations) at alpha = 0, the teacher's in the last rows and columns.
    """
    (K, M, _), numbers = compiled.sizes, compiled.constants
    start = np.ascontiguousarray(start, dtype=float)
    L = len(start)
    n = -(-L // BLOCK)
    B = -(-L // (8 * n)) * 8
    wl = numbers["w"] * numbers["lam"]
    teacher = start[:, K:, K:].reshape(L, -1).T
    modes = Modes(
        K, M, numbers["s"], numbers["label_noise"], numbers["eta"],
        numbers["eta"] * numbers["weight_decay"],
        _blocks((numbers["eta"] * numbers["lam"])[None], n, B)[:, 0].copy(),
        _blocks(wl[None], n, B)[:, 0].copy(),
        _blocks(teacher, n, B).reshape(n, M, M * B), np.einsum("k,kmn->mn", wl, start[:, K:, K:]),
    )  # fmt: skip
    functions = compiled.functions
    return StructuredSystem(
        modes,
        start,
        _pointer(functions["coefficients"], COEFFICIENTS),
        _pointer(functions["generalization_error"], ERROR),
    )


@functools.cache
def _pointer(function: Any, signature: str) -> Any:
    return cfunc(signature, error_model="numpy", cache=True)(function.py_func)


def _blocks(rows: Any, n: int, B: int) -> Any:
    """Rows (p, L) as blocks (n, p, B), padded with zeros."""
    padded = np.zeros((len(rows), n * B))
    padded[:, : rows.shape[1]] = rows
    return np.ascontiguousarray(np.moveaxis(padded.reshape(len(rows), n, B), 0, 1))


def solve_structured(
    system: StructuredSystem,
    times: Any,
    tolerance: float,
    relative: bool = False,
    orders: Sequence[int] = ORDERS,
    keep: Any = None,
    step: float | None = None,
) -> StructuredPath:
    """Integrate from alpha = 0 to the last of `times`.

    Parameters
    ----------
    system : StructuredSystem
    times : array (T,)
        Output times, increasing, from 0 on.
    tolerance : float
        Local error of a step, relative to the largest entry of the state once that exceeds one,
        to the macroscopic overlaps, and to eps_g (down to rounding).
    relative : bool
        Relative to the largest entry of r and of q at any size: for deviation variables.
    orders : sequence of int
        Orders that may be used, next to each other among 5, 9, 13.
    keep : array of int, optional
        Positions in `times` at which the modes are kept, e.g. [-1]; default all.
    step : float, optional
        Size of all steps, whatever their error: to measure the order of convergence.

    Raises
    ------
    ValueError
        If `orders` are not known or leave one out between them.
    Stopped
        If the solution leaves the finite numbers, the step size underflows, or steps become too
        many; the message says when and why, `values` are the states that were kept before.
    """
    times = np.asarray(times, dtype=float)
    slots = np.full(len(times), -1)
    kept = np.arange(len(times)) if keep is None else np.unique(np.arange(len(times))[keep])
    slots[kept] = np.arange(len(kept))
    low, high = _range(orders)
    accuracy = Accuracy(float(tolerance), 0.0 if relative else 1.0, low, high, float(step or 0))
    methods = tuple(radau((order + 1) // 2) for order in ORDERS)
    x = system.rows()
    fields = len(system.start[0])
    out = Output(
        times, slots, np.empty((len(times), fields, fields)),
        np.empty((len(kept), *system.start.shape)),
        np.zeros(4, dtype=np.int64), np.zeros(len(ORDERS), dtype=np.int64),
        np.array([np.inf, 0.0]),
    )  # fmt: skip
    jac, poles, work = _workspace(system.modes, (ORDERS[high] + 1) // 2)
    reached, done = run(
        system.coefficients, system.error, system.modes, methods, accuracy, jac, poles, work, x,
        out,
    )  # fmt: skip
    values = out.states[: np.sum(slots[:done] >= 0)]
    if done < len(times):
        raise Stopped(_reason(system, reached, times[-1], x, out), values)
    steps, rejected, evaluations, factorisations = (int(n) for n in out.counters)
    return StructuredPath(
        times=times,
        covariances=out.covariances,
        values=values,
        tolerance=accuracy.tolerance,
        steps=steps,
        rejected=rejected,
        evaluations=evaluations,
        factorisations=factorisations,
        steps_per_order={o: int(n) for o, n in zip(ORDERS, out.steps, strict=True) if n},
        step_sizes=(float(out.sizes[0]), float(out.sizes[1])),
    )


def _range(orders: Sequence[int]) -> tuple[int, int]:
    for low in range(len(ORDERS)):
        for high in range(low, len(ORDERS)):
            if sorted(orders) == list(ORDERS[low : high + 1]):
                return low, high
    raise ValueError(f"orders must be some of {ORDERS}, next to each other; found {tuple(orders)}")


def _reason(system: StructuredSystem, reached: float, end: float, x: Any, out: Output) -> str:
    """When it stopped, what had grown, and why."""
    K = system.modes.K
    before, after = (np.abs(system.overlaps(rows)) for rows in (system.rows(), x))
    weights = system.modes.wl.reshape(-1)[: len(before), None, None]
    start, now = (np.sum(weights * c, axis=0)[:K] for c in (before, after))
    i, f = np.unravel_index(np.argmax(now), now.shape)
    name = f"Q_{i + 1},{f + 1}" if f < K else f"R_{i + 1},{f - K + 1}"
    where = f"the integration stopped at alpha = {reached:.6g} of {end:.6g}"
    growth = (
        f"the largest order parameter, {name}, has gone from {start[i, f]:.3g} to {now[i, f]:.3g}"
    )
    if not now[i, f] < 1e6 * max(1.0, np.max(start)):
        return f"{where}: {growth}, eta is above stability, try a smaller one"
    tried = int(np.sum(out.counters[:2]))
    failing = (
        f"{tried} steps do not reach the end at" if tried >= MOST else "no step however small meets"
    )
    return f"{where}: {failing} the tolerance ({growth}), ask for a larger one"


def _workspace(modes: Modes, stages: int) -> tuple[Coupling, Poles, Work]:
    K, M, (n, B) = modes.K, modes.M, modes.el.shape
    F, p, S = K + M, K * M + K * (K + 1) // 2, stages
    P, inverted, zeros = 1 + S // 2, K + K * (K + 1) // 2, np.zeros
    jac = Coupling(
        zeros((K, F)), zeros((K, K)), zeros(K), zeros((K, K)), zeros((K, K)), zeros((K, M)),
        zeros((p, K, F)), zeros((p, K, K)), zeros((p, K, F)), zeros((p, K, K)), zeros(p),
    )  # fmt: skip
    poles = Poles(
        zeros((n, P, inverted * B)), zeros((n, P, inverted * B)), zeros((P, p, p), complex),
        zeros((P, K, F * M), complex), zeros((P, K, K, F), complex), zeros((P, K, K), complex),
        zeros((K * F, B)), zeros((4, B)),
    )  # fmt: skip
    work = Work(
        zeros((n, p * B)), zeros((n, p * B)), zeros((n, S, p * B)), zeros((n, S, p * B)),
        zeros((n, S, p * B)),
        zeros(p), zeros((S, p)), zeros((S, p)), zeros((S, K, F)), zeros((S, K, K)), zeros(5),
        zeros((max(S, 2), 2), dtype=np.int64), zeros((K, K)), zeros(p * B), zeros((S, p * B)),
        zeros(K * K * B),
    )  # fmt: skip
    return jac, poles, work
