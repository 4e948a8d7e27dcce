"""From nothing to the first trajectory: fresh processes, with an empty cache and a full one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .table import Table

COLUMNS = ("K = M", "import", "derive", "first run, cold", "first run, cached", "second run")
SIZES = (2, 4, 8)

_SCRIPT = """
import json, sys, time
clock = [time.perf_counter()]
def lap(): clock.append(time.perf_counter())
from numerics import initial, integrate
from theory import PowerLaw, TeacherStudent, order_parameter_odes
lap()
K = int(sys.argv[1])
model = TeacherStudent(K, K, spectrum=PowerLaw(beta=1, L=64), eta="1/10")
ode = order_parameter_odes(model)
ode.kernels, ode.indexed_drift, ode.indexed_noise
lap()
start = initial(model, sigma_J="1/10", N=64 * 2 * K, seed=0)
integrate(ode, start, 1.0)
lap()
integrate(ode, start, 1.0)
lap()
print(json.dumps([b - a for a, b in zip(clock, clock[1:])]))
"""


def measure(quick: bool) -> Table:
    """Seconds, for a power law of 64 modes."""
    rows = [_row(K) for K in SIZES[: 1 if quick else None]]
    return Table("Seconds to the first result, erf, L = 64 (a fresh process)", COLUMNS, rows)


def _row(K: int) -> tuple[Any, ...]:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SPECSCALE_CACHE": folder, "NUMBA_CACHE_DIR": folder}
        cold, cached = (_laps(K, environment) for _ in range(2))
    return K, cached[0], cached[1], cold[2], cached[2], cached[3]


def _laps(K: int, environment: dict[str, str]) -> list[float]:
    command = [sys.executable, "-W", "ignore", "-c", _SCRIPT, str(K)]
    root = Path(__file__).parents[1]
    done = subprocess.run(
        command, env=environment, cwd=root, capture_output=True, text=True, check=True
    )
    laps: list[float] = json.loads(done.stdout)
    return laps
