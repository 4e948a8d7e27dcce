"""Other people's integrators, all given the same compiled right-hand side.

Each is a function (rates, start, times, rtol, atol) -> states (T, n).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import odeint, solve_ivp

Rates = Callable[[float, Any], Any]


def lsoda(rates: Rates, start: Any, times: Any, rtol: float, atol: float) -> Any:
    """LSODA through odeint, whose loop over steps is compiled."""
    return odeint(rates, start, times, tfirst=True, rtol=rtol, atol=atol, mxstep=10**6)


def _scipy(method: str) -> Callable[..., Any]:
    def solve(rates: Rates, start: Any, times: Any, rtol: float, atol: float) -> Any:
        span = (0.0, times[-1])
        found = solve_ivp(rates, span, start, method, t_eval=times, rtol=rtol, atol=atol)
        if not found.success:
            raise ArithmeticError(f"{method} failed: {found.message}")
        return found.y.T

    return solve


def cvode(rates: Rates, start: Any, times: Any, rtol: float, atol: float) -> Any:
    """SUNDIALS CVODE, BDF with GMRES.

    Raises
    ------
    ImportError
        If scikit-sundae is not installed.
    """
    try:
        from sksundae.cvode import CVODE
    except ImportError:
        raise ImportError('CVODE needs scikit-sundae: pip install -e ".[benchmarks]"') from None

    def right_hand_side(time: float, y: Any, dy: Any) -> None:
        dy[:] = rates(time, y)

    solver = CVODE(
        right_hand_side, method="BDF", linsolver="gmres", krylov_dim=30,
        rtol=rtol, atol=atol, max_num_steps=10**7,
    )  # fmt: skip
    found = solver.solve(np.asarray(times), np.asarray(start))
    if not found.success:
        raise ArithmeticError(f"CVODE failed: {found.message}")
    return found.y


SOLVERS: dict[str, Callable[..., Any]] = {
    "LSODA": lsoda,
    "CVODE, BDF + GMRES": cvode,
    "BDF": _scipy("BDF"),
    "Radau": _scipy("Radau"),
    "DOP853": _scipy("DOP853"),
}
