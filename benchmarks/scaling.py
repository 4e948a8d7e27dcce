"""``python -m benchmarks.scaling L K MODES``: one run to 1/(eta lam_L), all modes or reduced.

Prints seconds of the whole call of `integrate` after compilation, set-up included; for all modes
the note says how many steps were made.
"""

from __future__ import annotations

import re
import sys
import time

import numpy as np

from numerics import InitialCondition, integrate
from theory import PowerLaw, TeacherStudent, order_parameter_odes

from .measure import report


def main(L: str, K: str, modes: str) -> None:
    """Compile with a small case, then measure."""
    seconds = 0.0
    units = int(K)
    start = InitialCondition(0.01 * np.eye(units)[None], 1e-3 * np.eye(units)[None])
    for size in (max(32, units), int(L)):
        model = TeacherStudent(units, units, spectrum=PowerLaw(1, size), eta="1/10")
        end = size * float(sum(1 / k**2 for k in range(1, size + 1))) * 10
        ode = order_parameter_odes(model)
        how = modes if size == int(L) else "all"
        begin = time.perf_counter()
        path = integrate(ode, start, end, at=[end / 100, end], modes=how, method="structured")
        seconds = time.perf_counter() - begin
        steps = re.search(r"(\d+) steps", path.provenance["method"])
    report(seconds, None, f"{steps[1] if steps else '?'} steps")


if __name__ == "__main__":
    main(*sys.argv[1:])
