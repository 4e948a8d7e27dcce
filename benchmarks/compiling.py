"""``python -m benchmarks.compiling K``: from the model to a first right-hand side, K = M.

With an empty cache this is the cold time, with a filled one the cached time; imports not included.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from numerics import initial
from numerics.compile import compile_ode
from numerics.targets import NumbaTarget
from theory import PowerLaw, TeacherStudent, order_parameter_odes

from .measure import report


def main(K: str) -> None:
    """Derive, compile, evaluate once."""
    begin = time.perf_counter()
    model = TeacherStudent(int(K), int(K), spectrum=PowerLaw(1, 16), eta="1/10")
    compiled = compile_ode(order_parameter_odes(model).modes(), NumbaTarget())
    start = initial(model, sigma_J=0.1, N=1600, seed=0)
    compiled.rates(np.block([[start.q, start.r], [np.swapaxes(start.r, 1, 2), start.t]]))
    report(time.perf_counter() - begin)


if __name__ == "__main__":
    main(*sys.argv[1:])
