"""Both layers integrated: overlaps and output weights along alpha, by explicit steps in float64.

Summary
    The state is v and the overlaps of all modes; the generated functions are those of
    `numerics.compile` with s_i = -v_i, and one more for v. D^x is not symmetric for unequal v, so
    that the structured method does not apply: cost O(L) a step, but steps as short as the fastest
    mode.

References
    [GA19] Goldt et al., arXiv:1906.08632.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from theory.models import Activation, TeacherStudent
from theory.online import order_parameter_odes
from theory.second_layer import SecondLayer
from theory.symbols import i

from .codegen import assignment
from .compile import CompiledODE, average_source, compile_ode, linear_source
from .errors import IntegrationError, Stopped
from .explicit import integrate_explicit
from .initial import InitialCondition
from .measure import eigenvalues_and_weights
from .second_layer_path import SecondLayerPath, output_weights
from .state import State, joint
from .storage import Array
from .targets import NumbaTarget
from .trajectory import Trajectory, check_times

__all__ = ["integrate_second_layer"]

_SOURCE = """
def both(
    K, M, L, eta, eta_v, weight_decay, label_noise, s, lam, w, S, nu, rows, columns,
    c, u, C, D, G, dc, y
):
    count = len(rows)
    for i in range(K):
        s[i] = -y[i]
    for k in range(L):
        for n in range(count):
            c[k, rows[n], columns[n]] = y[K + k * count + n]
            c[k, columns[n], rows[n]] = y[K + k * count + n]
    fields(K, M, L, lam, w, S, nu, c, u, C)
    coefficients(K, M, label_noise, s, C, D, G)
    rates(K, M, L, eta, weight_decay, lam, w, S, nu, c, u, D, G, dc)
    dy = y.copy()
    second(K, M, eta_v, s, C, dy)
    for k in range(L):
        for n in range(count):
            dy[K + k * count + n] = dc[k, rows[n], columns[n]]
    return dy
"""


@functools.cache
def _weight_source(activation: Activation) -> str:
    """Text of ``second``, which fills dv_i/dalpha, for any K and M."""
    K, M = (sp.Symbol(name, integer=True, positive=True) for name in ("K", "M"))
    equations = SecondLayer(TeacherStudent(K, M, activation), sp.Symbol("eta_v", positive=True))
    body = assignment(sp.IndexedBase("dv")[i], equations.indexed_rate, [("i", "K")])
    return "def second(K, M, eta_v, s, C, dv):\n" + "".join(f"    {line}\n" for line in body)


def integrate_second_layer(
    equations: SecondLayer,
    start: InitialCondition,
    alpha: Any,
    weights: Any = None,
    at: Any = None,
    rtol: float = 1e-8,
) -> SecondLayerPath:
    """Solve the equations of both layers from `start` to time `alpha`.

    Parameters
    ----------
    equations : SecondLayer
        From `theory.second_layer.second_layer`, numbers for all parameters; constant eta.
    start : InitialCondition
        Overlaps at alpha = 0, one entry for each eigenspace or one that holds for all.
    alpha : number
    weights : (K,), optional
        v at alpha = 0; default c_S.
    at : array (T,), optional
        Output times; default `default_times(alpha)`.
    rtol : float

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or the model contains symbols.
    NoClosedForm, UnsupportedFunction
        If the activation has no closed-form averages.
    IntegrationError
        If the solution diverges.
    """
    if not isinstance(equations, SecondLayer):
        raise TypeError(
            f"integrate_second_layer needs second_layer(model, eta_v), found {equations!r}"
        )
    times, model = check_times(at, alpha), equations.model
    if not equations.eta_v.is_number:
        raise ValueError(f"eta_v = {equations.eta_v} must be a number: give it a value")
    ode = order_parameter_odes(model, equations.gradient_flow)
    compiled = compile_ode(ode.modes(), NumbaTarget())
    given = start.expanded(int(model.spectrum.L))
    like = joint(given.q, given.r, given.t)
    state, v = State(*compiled.sizes), output_weights(model, weights)
    rates = _rates(equations, compiled, like)
    first = np.concatenate([v, state.pack(like)])
    try:
        # Sharper than asked for: the escape from a plateau magnifies errors ten thousand times.
        rows, how = integrate_explicit(rates, first, times, rtol * 1e-4, rtol * 1e-5)
    except Stopped as stop:
        raise IntegrationError(str(stop)) from None
    overlaps = np.array([state.unpack(row[len(v) :], like) for row in rows])
    return _path(equations, compiled, given, times, overlaps, rows[:, : len(v)], how)


def _rates(
    equations: SecondLayer, compiled: CompiledODE, like: Array
) -> Callable[[float, Array], Array]:
    """d(v, overlaps)/dalpha, compiled to float64."""
    K, M, L = compiled.sizes
    activation, flow = equations.model.activation, equations.gradient_flow
    parts = average_source(activation, flow), linear_source(False, flow), _weight_source(activation)
    both = NumbaTarget().load("\n\n".join([*parts, _SOURCE]))["both"]
    numbers = compiled.constants
    rates = [numbers["eta"], float(equations.eta_v), numbers["weight_decay"]]
    arrays = [numbers[name] for name in ("lam", "w", "S", "nu")]
    constants = [*rates, numbers["label_noise"], numbers["s"].copy(), *arrays]
    shapes = ((L, K + M, K + M), (K + M, K + M), (K, K + M), (K, K), (L, K, K + M))
    work = [np.array(like, dtype=float), *map(np.zeros, shapes)]
    entries = State(K, M, L).entries
    return lambda _, y: both(K, M, L, *constants, *entries, *work, y)


def _path(
    equations: SecondLayer,
    compiled: CompiledODE,
    start: InitialCondition,
    times: Array,
    overlaps: Array,
    weights: Array,
    how: str,
) -> SecondLayerPath:
    K, M, _ = compiled.sizes
    error = compiled.functions["generalization_error"]
    teachers = compiled.constants["s"][K:]
    errors = [
        error(K, M, np.concatenate([-v, teachers]), compiled.fields(c))
        for v, c in zip(weights, overlaps, strict=True)
    ]
    eigenvalues, shares = eigenvalues_and_weights(equations.model.spectrum)
    provenance = {
        "origin": "ode",
        "method": how,
        "chosen": "both layers",
        "model": str(equations.model),
        "eta_v": str(equations.eta_v),
        "gradient_flow": equations.gradient_flow,
        "start": start.provenance,
    }
    trajectory = Trajectory(
        times,
        overlaps[:, :, :K, :K],
        overlaps[:, :, :K, K:],
        start.t,
        np.array(errors),
        eigenvalues,
        shares,
        provenance,
    )
    return SecondLayerPath(trajectory, weights)
