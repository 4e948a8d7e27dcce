"""Learning rates that depend on alpha, as numbers.

References
    `theory.schedules`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy as sp

from theory.schedules import alpha

from .storage import Array

__all__ = ["compile_schedule"]


def compile_schedule(eta: sp.Expr) -> Callable[[Array], Array]:
    """Eta as a function of times (T,), float64.

    The function raises ValueError where eta is not positive and finite; it names the time.
    """
    function = sp.lambdify(alpha, eta, ["scipy", "numpy"])

    def rate(times: Array) -> Array:
        # A constant is broadcast.
        values = np.broadcast_to(np.asarray(function(times), dtype=float), times.shape)
        bad = np.flatnonzero(~((values > 0) & np.isfinite(values)))
        if bad.size:
            raise ValueError(
                f"the learning rate {eta} must be positive and finite, found {values[bad[0]]} at "
                f"alpha = {times[bad[0]]:g}"
            )
        return values

    return rate
