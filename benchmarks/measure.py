"""Time a piece of work in a process of its own, with a limit, and say on which machine.

A process of its own keeps one measurement from warming or disturbing the next; the limit makes a
slow competitor a result (``> 60 s``) instead of a wait.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
SLACK = 120
"""Seconds that a process may take beyond its limit: imports, compilation, the reference."""


@dataclass(frozen=True)
class Measurement:
    """Seconds, and the error reached where there is one; ``None`` seconds: over the limit."""

    seconds: float | None
    error: float | None = None
    note: str = ""

    def time(self, limit: float) -> str:
        """Seconds as text."""
        return f"> {limit:g} s" if self.seconds is None else duration(self.seconds)


def duration(seconds: float) -> str:
    """Seconds with two digits, in the unit that suits them."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.2g} {unit}" if seconds < 100 * size else f"{seconds:.0f} s"
    return f"{seconds / 1e-6:.2g} µs"


def best(work: Callable[[], Any], repeats: int = 3, enough: float = 1.0) -> float:
    """Shortest of some runs; one is enough if it takes long."""
    times: list[float] = []
    while len(times) < repeats and sum(times) < enough:
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def apart(module: str, *arguments: Any, limit: float, **environment: str) -> Measurement:
    """Run ``python -m benchmarks.<module> arguments`` and read the measurement it prints.

    Raises
    ------
    RuntimeError
        If the process fails; with what it wrote.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    single = dict.fromkeys(THREADS, "1")
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=limit + SLACK,
            env={**os.environ, **single, **environment},
        )
    except subprocess.TimeoutExpired:
        return Measurement(None)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    found = Measurement(**json.loads(done.stdout.splitlines()[-1]))
    return found if found.seconds is None or found.seconds <= limit else Measurement(None)


def report(seconds: float | None, error: float | None = None, note: str = "") -> None:
    """Print a measurement for `apart` to read."""
    print(json.dumps({"seconds": seconds, "error": error, "note": note}))


def machine() -> str:
    """Processor, cores and versions, in a line."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            model = next(line.split(":")[1].strip() for line in info if "model name" in line)
    except (OSError, StopIteration):
        pass
    names = ("numpy", "scipy", "numba", "heyoka", "python-flint", "scikit-sundae")
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    return (
        f"{model}, {os.cpu_count()} cores, one thread each; "
        f"Python {platform.python_version()}, {', '.join(versions)}"
    )
