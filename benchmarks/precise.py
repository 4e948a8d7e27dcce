"""``python -m benchmarks.precise SOLVER L ALPHA DIGITS``: seconds of a high-precision run.

``structured`` and ``heyoka`` through `integrate`; ``odefun`` is mpmath's Taylor method, given our
equations in mpmath numbers.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import mpmath as mp
import numpy as np

from numerics import initial, integrate
from numerics.compile import compile_ode
from numerics.state import State
from numerics.targets import FlintTarget, midpoint
from theory import PowerLaw, TeacherStudent, order_parameter_odes

from .measure import report

METHODS = {"structured": "structured", "heyoka": "taylor"}


def _odefun(form: Any, start: Any, alpha: float, digits: int) -> None:
    _, K, M = start.r.shape
    state, target = State(K, M, len(start.r)), FlintTarget(digits)
    q, r, t = start.precise(digits)
    like = np.block([[q, r], [np.swapaxes(r, 1, 2), t]])
    with target.precision(), mp.workdps(digits):
        compiled = compile_ode(form, target, digits)

        def rates(_: Any, y: Any) -> Any:
            found = compiled.rates(target.array(state.unpack(y, like)))
            return [midpoint(v) for v in state.pack(found)]

        mp.odefun(rates, 0, list(state.pack(like)))(alpha)


def main(solver: str, L: str, alpha: str, digits: str) -> None:
    """One run; compilation is a small part of it."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, int(L)), eta="1/10")
    start = initial(model, sigma_J=0.1, N=100 * int(L), seed=0)
    ode, end, precision = order_parameter_odes(model), float(alpha), int(digits)
    begin = time.perf_counter()
    if solver == "odefun":
        _odefun(ode.modes(), start, end, precision)
    else:
        integrate(ode, start, end, precision, at=[end], method=METHODS[solver])
    report(time.perf_counter() - begin)


if __name__ == "__main__":
    main(*sys.argv[1:])
