"""How the cost grows: with the number of modes, all kept, and with the number of units."""

from __future__ import annotations

import re

import numpy as np
from sympy import Rational

from numerics import InitialCondition, integrate
from numerics.trajectory import Trajectory
from theory import PowerLaw, TeacherStudent, order_parameter_odes

from .clock import Budget
from .table import Table

MODES = {True: (16, 256, 4096), False: (16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 10**6)}
UNITS = {True: (1, 2, 4), False: (1, 2, 4, 8, 16)}
ALPHA = 10.0


def measure_modes(quick: bool) -> Table:
    """The structured method, K = M = 2, to alpha = 10."""
    columns = ("L", "seconds", "steps", "ns a step and mode")
    rows = []
    for L in MODES[quick]:
        seconds, steps = _timed(2, L)
        rows.append((L, seconds, steps, 1e9 * seconds / steps / L))
    return Table("Cost in L, all modes kept: K = M = 2, beta = 1, to alpha = 10", columns, rows)


def measure_units(quick: bool) -> Table:
    """The structured method, L = 64, to alpha = 10."""
    columns = ("K = M", "seconds", "steps", "ms a step")
    rows = []
    for K in UNITS[quick]:
        seconds, steps = _timed(K, 64)
        rows.append((K, seconds, steps, 1e3 * seconds / steps))
    return Table("Cost in K: K = M, L = 64, beta = 1, to alpha = 10", columns, rows)


def _timed(K: int, L: int) -> tuple[float, int]:
    model = TeacherStudent(K, K, spectrum=PowerLaw(beta=1, L=L), eta=Rational(1, 10))
    ode, start = order_parameter_odes(model), _start(K)

    def run() -> Trajectory:
        return integrate(ode, start, ALPHA, rtol=1e-6, at=[ALPHA], method="structured", modes="all")

    if L <= 1024:
        run()  # compiled before it is timed
    found = Budget(float("inf")).run(run)
    steps = re.search(r"(\d+) steps", found.value.provenance["method"])
    assert steps is not None
    return found.seconds, int(steps[1])


def _start(K: int) -> InitialCondition:
    """The same overlaps in every eigenspace, given once."""
    random = np.random.default_rng(0).normal(size=(2 * K, 400)) / 20
    random[:K] *= 0.5
    gram = random @ random.T
    return InitialCondition(gram[None, :K, :K], gram[None, :K, K:], gram[None, K:, K:])
