"""One solver on the stiff case: K = M = 2, erf, beta = 1, eta = 1/10, to alpha = 1/(eta lam_L).

``python -m benchmarks.stiff SOLVER L TOLERANCE`` prints seconds, after compilation, and the largest
error of any overlap at 21 output times. Competitors get our compiled right-hand side.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from numerics import initial
from numerics.compile import compile_ode
from numerics.state import State
from numerics.structured import solve_structured, structured_system
from numerics.targets import NumbaTarget
from numerics.taylor import TaylorIntegrator
from theory import PowerLaw, TeacherStudent, order_parameter_odes

from .measure import report

SHARP = 1e-13
"""Tolerance of the reference, the structured method."""


class Case:
    """The equations as each solver wants them."""

    def __init__(self, L: int) -> None:
        model = TeacherStudent(2, 2, spectrum=PowerLaw(1, L), eta="1/10")
        start = initial(model, sigma_J=0.1, N=100 * L, seed=0)
        self.form = order_parameter_odes(model).modes()
        self.compiled = compile_ode(self.form, NumbaTarget())
        self.overlaps = np.block([[start.q, start.r], [np.swapaxes(start.r, 1, 2), start.t]])
        self.end = 1 / (0.1 * float(self.compiled.constants["lam"][-1]))
        self.times = np.concatenate([[0.0], np.geomspace(1e-2, self.end, 20)])
        self.state = State(2, 2, L)
        self.y = self.state.pack(self.overlaps)

    def rates(self, _: float, y: Any) -> Any:
        """dy/dalpha of the packed state."""
        return self.state.pack(self.compiled.rates(self.state.unpack(y, self.overlaps)))

    def structured(self, tolerance: float) -> Any:
        """Packed states at the output times by the structured method."""
        system = structured_system(self.compiled, self.overlaps)
        path = solve_structured(system, self.times, tolerance)
        return np.array([self.state.pack(c) for c in path.values])


def _scipy(method: str) -> Callable[[Case, float], Any]:
    def solve(case: Case, tolerance: float) -> Any:
        found = solve_ivp(
            case.rates, (0, case.end), case.y, method, case.times, rtol=tolerance, atol=tolerance
        )
        if not found.success:
            raise RuntimeError(f"{method}: {found.message}")
        return found.y.T

    return solve


def _cvode(case: Case, tolerance: float) -> Any:
    try:
        from sksundae.cvode import CVODE
    except ImportError:
        raise SystemExit('CVODE needs scikit-sundae: pip install ".[benchmarks]"') from None

    def rates(t: float, y: Any, out: Any) -> None:
        out[:] = case.rates(t, y)

    options = {"linsolver": "gmres", "max_num_steps": 10**6, "krylov_dim": 20}
    solver = CVODE(rates, rtol=tolerance, atol=tolerance, **options)
    return solver.solve(case.times, case.y).y


def _taylor(case: Case, tolerance: float) -> Any:
    stepper = TaylorIntegrator(case.form, case.overlaps, None, tolerance)
    states, _ = stepper.solve(case.overlaps, case.times)
    return np.array([case.state.pack(c) for c in states])


SOLVERS: dict[str, Callable[[Case, float], Any]] = {
    "structured": Case.structured,
    **{name: _scipy(name) for name in ("LSODA", "BDF", "Radau", "DOP853")},
    "CVODE": _cvode,
    "heyoka": _taylor,
}


def main(name: str, L: str, tolerance: str) -> None:
    """Compile on a short piece, then measure the whole."""
    case, solve = Case(int(L)), SOLVERS[name]
    exact = case.structured(SHARP)
    whole = case.times, case.end
    case.times, case.end = np.array([0.0, 1e-3]), 1e-3
    solve(case, float(tolerance))
    case.times, case.end = whole
    seconds = []
    while len(seconds) < 3 and sum(seconds) < 1:
        begin = time.perf_counter()
        found = solve(case, float(tolerance))
        seconds.append(time.perf_counter() - begin)
    report(min(seconds), float(np.max(np.abs(found - exact))))


if __name__ == "__main__":
    main(*sys.argv[1:])
