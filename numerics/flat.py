"""A system with closed averages as dy/dalpha = rates(alpha, y), y its independent entries, flat.

The generated functions and what packs their arguments are one compiled module, and one call an
evaluation: temporary arrays would cost more than the averages of a small system.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theory.forms import MomentForm

from .compile import Form, average_source, compile_ode, linear_source
from .state import State
from .targets import NumbaTarget

__all__ = ["flat_rates"]

Array = np.ndarray[Any, Any]

_SOURCE = """
def flat(
    K, M, L, eta, weight_decay, label_noise, s, lam, w, S, nu, rows, columns, c, u, C, D, G, dc, y
):
    count = len(rows)
    for k in range(L):
        for n in range(count):
            c[k, rows[n], columns[n]] = y[k * count + n]
            c[k, columns[n], rows[n]] = y[k * count + n]
    fields(K, M, L, lam, w, S, nu, c, u, C)
    coefficients(K, M, label_noise, s, C, D, G)
    rates(K, M, L, eta, weight_decay, lam, w, S, nu, c, u, D, G, dc)
    dy = y.copy()
    for k in range(L):
        for n in range(count):
            dy[k * count + n] = dc[k, rows[n], columns[n]]
    return dy
"""


def flat_rates(
    form: Form, like: Array, schedule: Callable[[Array], Array] | None = None
) -> Callable[[float, Array], Array]:
    """dy/dalpha of the entries that `State` packs, compiled to float64.

    Parameters
    ----------
    form : ModeForm or MomentForm
        Of a model whose parameters are all numbers.
    like : array (L, K+M, K+M)
        Overlaps whose teacher block is that of all states.
    schedule : callable (T,) -> (T,), optional
        eta at given times, in place of that of the model.

    Raises
    ------
    ValueError, NoClosedForm, UnsupportedFunction
        As `compile_ode`.
    """
    compiled, ode = compile_ode(form, NumbaTarget(), averages=False), form.ode
    linear = linear_source(isinstance(form, MomentForm), ode.gradient_flow)
    averages = average_source(ode.model.activation, ode.gradient_flow)
    flat = NumbaTarget().load("\n\n".join([averages, linear, _SOURCE]))["flat"]
    K, M, L = compiled.sizes
    names = ("weight_decay", "label_noise", "s", "lam", "w", "S", "nu")
    constants = [compiled.constants[name] for name in names]
    shapes = ((L, K + M, K + M), (K + M, K + M), (K, K + M), (K, K), (L, K, K + M))
    work = [np.array(like, dtype=float), *map(np.zeros, shapes)]
    eta, entries = compiled.constants["eta"], State(K, M, L).entries

    def rates(alpha: float, y: Array) -> Array:
        now = eta if schedule is None else float(schedule(np.array([alpha]))[0])
        return flat(K, M, L, now, *constants, *entries, *work, y)

    return rates
