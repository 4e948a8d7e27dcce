"""The length of the plateau in simulated SGD, next to integration from the same starts.

Summary
    Students drawn at random in N dimensions are split by S_0 ~ sigma_J/sqrt(N), and so the plateau
    lasts tau_esc log(sqrt(N)/sigma_J), give or take an escape time from draw to draw. Lengths at
    two sizes sigma_J or N are compared draw by draw: the same normal numbers, scaled, start both.

Mathematics
    r_k entries are N(0, sigma_J^2/n_k), teachers are orthonormal in every eigenspace. A simulated
    run is on the plateau from the first time at which eps_g is below (1 + WIDTH) eps* to the last
    at which it is above eps*/(1 + WIDTH), eps* to first order in eta; eps_g is the closed form at
    the overlaps of the run. A start from which the integrated equations have no plateau is given
    no length in simulation either. At finite N a run stays longer than the equations by a part of
    tau_esc that falls with N: at eta = 1/2, M = 3 about 0.2 at N = 128, below 0.1 at N = 1024.

References
    [SS95] Saad & Solla; [BS95] Biehl & Schwarze; [WR24] Worschech & Rosenow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.exact import positive
from theory.models import TeacherStudent
from theory.online import order_parameter_odes
from theory.plateau_length import plateau_length

from .compile import CompiledODE, compile_ode
from .initial import InitialCondition, initial, whole_number
from .plateau_length import WIDTH, PlateauPoint, find_pause
from .simulate import simulate
from .state import joint
from .storage import Array
from .targets import NumbaTarget
from .trajectory import Trajectory

__all__ = ["PlateauRuns", "plateau_growth", "simulate_plateau"]

ESCAPES = 6.0
"""Escape times that a run lasts beyond tau_esc log(1/S_0), S_0 its root mean square."""
SAMPLES = 10
"""Output times per escape time."""
TEST_FIELDS = 1
"""eps_g is computed from the overlaps, not sampled."""


@dataclass(frozen=True)
class PlateauRuns:
    """Plateaus of simulated runs, and of the integrated equations from the starts of the runs.

    Attributes
    ----------
    model : TeacherStudent
    sigma_J : float
    N : int
    seed : int
        Run i starts from draw seed + i.
    simulated, integrated : tuple of float or None, one per run
        Lengths; None in both where the equations have no plateau.
    escape_time : float
        tau_esc for eta -> 0.
    """

    model: TeacherStudent
    sigma_J: float
    N: int
    seed: int
    simulated: tuple[float | None, ...]
    integrated: tuple[float | None, ...]
    escape_time: float

    @property
    def logarithm(self) -> float:
        """log(sqrt(N)/sigma_J)."""
        return math.log(math.sqrt(self.N) / self.sigma_J)

    def __str__(self) -> str:
        lines = [
            f"plateau of {self.model}, tau_esc = {self.escape_time:.6g}, sigma_J = "
            f"{self.sigma_J:g}, N = {self.N}"
        ]
        for n, (run, path) in enumerate(zip(self.simulated, self.integrated, strict=True)):
            text = (
                f"no plateau: eps_g does not pause within {WIDTH:.0%} of the plateau's"
                if run is None or path is None
                else f"simulated {run:.5g}, integrated {path:.5g}"
            )
            lines.append(f"  draw {self.seed + n:<4} {text}")
        return "\n".join(lines)


def simulate_plateau(
    model: TeacherStudent, sigma_J: Any, N: int, runs: int, seed: int
) -> PlateauRuns:
    """Simulate `runs` runs from random starts and measure their plateaus.

    Parameters
    ----------
    model : TeacherStudent
        As for `theory.plateau.plateau`, with numbers for all parameters.
    sigma_J : positive number
    N : int
        With n_k = N w_k >= 2M in every eigenspace: the chain (`numerics.simulate`).
    runs, seed : int
        Run i starts from draw seed + i of `numerics.initial` and has that seed.

    Raises
    ------
    NotImplementedError, ValueError
        If there is no formula for tau_esc, N does not suit the model, or a run is still on the
        plateau `ESCAPES` escape times after the formula lets it leave.

    Examples
    --------
    >>> from theory import TeacherStudent
    >>> model = TeacherStudent(K=2, M=2, eta=1)
    >>> found = simulate_plateau(model, sigma_J="1/100", N=64, runs=2, seed=0)
    >>> [round(length / found.escape_time) for length in found.simulated]
    [6, 5]
    """
    runs = whole_number(runs, "simulate_plateau: runs", 1)
    point = PlateauPoint.of(model, gradient_flow=False)
    width = float(positive(sigma_J, "sigma_J"))
    split = float(plateau_length(model).asymmetry(width, N))
    end = point.escape_time * (ESCAPES - math.log(split))
    ode = order_parameter_odes(model)
    compiled = compile_ode(ode.modes(), NumbaTarget())
    simulated, integrated = [], []
    for draw in range(seed, seed + runs):
        start = _orthonormal(initial(model, width, N, draw))
        pause, settled = find_pause(ode, start, end, point.error)
        known = pause if settled else None
        integrated.append(known)
        simulated.append(
            None if known is None else _simulated(model, compiled, start, (end, N, draw), point)
        )
    return PlateauRuns(
        model, width, N, seed, tuple(simulated), tuple(integrated), point.escape_time
    )


def _orthonormal(start: InitialCondition) -> InitialCondition:
    """The same students seen from orthonormal teachers: r_k and q_k keep their laws."""
    factor = np.linalg.cholesky(start.t)
    return InitialCondition(
        start.q, np.swapaxes(np.linalg.solve(factor, np.swapaxes(start.r, 1, 2)), 1, 2)
    )


def _simulated(
    model: TeacherStudent,
    compiled: CompiledODE,
    start: InitialCondition,
    how: tuple[float, int, int],
    point: PlateauPoint,
) -> float:
    end, N, seed = how
    times = np.linspace(0, end, math.ceil(SAMPLES * end / point.escape_time) + 1)
    path = simulate(
        model, start, end, N, runs=1, seed=seed, at=times, threads=1, test_fields=TEST_FIELDS
    )
    log_error = np.log(_errors(compiled, path))
    high, low = (math.log(point.error) + sign * math.log1p(WIDTH) for sign in (1, -1))
    above = np.flatnonzero(log_error > low)
    last = int(above[-1])
    if last == len(times) - 1:
        raise ValueError(
            f"simulate_plateau: draw {seed} is still on the plateau at alpha = {end:.6g}, which "
            "is rare for a random start: use another seed"
        )
    first = int(np.argmax(log_error < high))
    entered = 0.0 if first == 0 else _crossing(times, log_error, first - 1, high)
    return _crossing(times, log_error, last, low) - entered


def _errors(compiled: CompiledODE, path: Trajectory) -> Array:
    """eps_g at the overlaps of the only run, (T,)."""
    q, r = path.q[0], path.r[0]
    t = np.broadcast_to(path.t, (len(q), *path.t.shape))
    return np.asarray(compiled.errors(joint(q, r, t)))


def _crossing(times: Array, values: Array, index: int, level: float) -> float:
    """Where the line from values[index] to the next passes through `level`."""
    part = (level - values[index]) / (values[index + 1] - values[index])
    return float(times[index] + part * (times[index + 1] - times[index]))


def plateau_growth(one: PlateauRuns, other: PlateauRuns) -> tuple[float, float]:
    """Growth of the simulated length with log(sqrt(N)/sigma_J), and its standard error.

    In units of tau_esc, draw by draw; `one` and `other` differ in sigma_J or in N.

    Raises
    ------
    ValueError
        If they are of different models or draws, a run has no plateau, or there is only one.
    """
    if (one.model, one.seed, len(one.simulated)) != (other.model, other.seed, len(other.simulated)):
        raise ValueError(
            "plateau_growth compares runs of the same model from the same draws (seed, runs)"
        )
    pairs = zip(one.simulated, other.simulated, strict=True)
    changes = [b - a for a, b in pairs if a is not None and b is not None]
    if len(changes) < max(2, len(one.simulated)):
        raise ValueError(
            f"plateau_growth needs two runs or more, all with a plateau, found {len(changes)} of "
            f"{len(one.simulated)}:\n{one}\n{other}"
        )
    scale = one.escape_time * (other.logarithm - one.logarithm)
    found = np.array(changes) / scale
    return float(found.mean()), float(found.std(ddof=1) / math.sqrt(len(found)))
