"""``python -m benchmarks.chain METHOD L N``: seconds per SGD step of one run, K = M = 2, erf."""

from __future__ import annotations

import sys
import time

from numerics import initial, simulate
from theory import Isotropic, PowerLaw, TeacherStudent

from .measure import report

LEAST = 1.0
"""Seconds that a measurement lasts."""


def main(method: str, L: str, N: str) -> None:
    """Raise the number of steps until the run is long enough to be timed."""
    spectrum = Isotropic() if L == "1" else PowerLaw(1, int(L))
    model = TeacherStudent(2, 2, spectrum=spectrum, eta="1/10")
    size = int(N)
    start = initial(model, sigma_J=0.1, N=size, seed=0)
    steps, seconds = 100, 0.0
    while seconds < LEAST:
        alpha = steps / size
        begin = time.perf_counter()
        simulate(model, start, alpha, N=size, runs=1, seed=0, method=method, at=[alpha])
        seconds = time.perf_counter() - begin
        rate = seconds / steps
        steps *= 4
    report(rate)


if __name__ == "__main__":
    main(*sys.argv[1:])
