"""Preconditioned SGD integrated as plain SGD: the overlaps change variables, there and back.

Mathematics
    c'_k = m lam_k^theta c_k, m = sum_k w_k lam_k^(1-theta): in these variables the equations of
    motion are those of plain SGD with eigenvalues lam'_k = lam_k^(1-theta)/m
    (`theory.preconditioning`), while Q, R and eps_g stay what they are.

References
    [WR24] Worschech & Rosenow (plain SGD).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from theory.models import TeacherStudent
from theory.preconditioning import plain_model

from .basis import GUARD_DIGITS
from .compile import Form
from .errors import IntegrationError
from .initial import InitialCondition
from .measure import eigenvalues_and_weights
from .storage import Array
from .trajectory import Trajectory

__all__ = ["gains", "in_plain_variables", "plain_start"]

SURPLUS = 6
"""Digits of a start per digit of the result: working digits are added while eps_g falls."""


def gains(model: TeacherStudent) -> Array:
    """p_k = lam_k^-theta/m, by which the preconditioner multiplies the gradient, (L,)."""
    lam, w = eigenvalues_and_weights(model.spectrum)
    theta = float(model.preconditioner)
    return lam**-theta / float(w @ lam ** (1 - theta))


def in_plain_variables(
    form: Form,
    start: InitialCondition,
    times: Array,
    modes: str,
    digits: int | None,
    solve: Callable[..., Trajectory],
) -> Trajectory:
    """Integrate preconditioned SGD as the plain SGD that it is in other variables.

    Parameters
    ----------
    form : ModeForm
    solve : callable (equations, start, alpha, at=times, modes=modes) -> Trajectory
        In `digits` digits.

    Raises
    ------
    ValueError
        If there are infinitely many eigenvalues, or the start does not fit.
    IntegrationError
        As `solve`, what was reached in the variables of the model.
    """
    model = form.ode.model
    if model.spectrum.L is sp.oo:
        raise ValueError(
            f"a preconditioner needs a finite number of eigenvalues, found {model.spectrum}: Tr P "
            "Sigma = N has no limit L -> oo; give L a value"
        )
    start = start.expanded(int(model.spectrum.L))
    equations = replace(form.ode, model=plain_model(model))
    if model.preconditioner == 1 and modes == "auto":
        modes = "all"  # equal rates, which no nodes tell apart
    moved = plain_start(model, start, digits)
    try:
        path = solve(equations, moved, times[-1], at=times, modes=modes)
    except IntegrationError as stop:
        part = stop.trajectory
        reached = None if part is None else _restored(model, start, part)
        raise IntegrationError(str(stop), reached) from None
    return _restored(model, start, path)


def plain_start(
    model: TeacherStudent, start: InitialCondition, digits: int | None = None
) -> InitialCondition:
    """c'_k of a start with an entry for each eigenspace.

    Parameters
    ----------
    digits : int, optional
        Digits of a result for which doubles are not enough.
    """
    stretch = (1 / gains(model))[:, None, None]
    q, r, t = (c * stretch for c in (start.q, start.r, start.t))
    exact: tuple[Any, ...] = (None, None, None)
    if digits is not None:
        working = SURPLUS * digits + GUARD_DIGITS
        with mp.workdps(working):
            factors = _stretches(model, working)[:, None, None]
            exact = tuple(c * factors for c in start.precise(working))
    return InitialCondition.unchecked(q, r, t, start.provenance, exact)


def _restored(model: TeacherStudent, start: InitialCondition, path: Trajectory) -> Trajectory:
    """A path in plain variables, whose modes may be Gauss nodes, in those of the model."""
    digits = path.digits
    if path.eigenvalues.size != model.spectrum.L:
        return _restored_nodes(model, path)
    if digits is None:
        lam, w = eigenvalues_and_weights(model.spectrum)
        return _with(path, model, lam, w, gains(model), start.t)
    with mp.workdps(digits + GUARD_DIGITS):
        lam, w = (np.array(v, dtype=object) for v in model.spectrum.values(mp.mp.dps))
        shrink = 1 / _stretches(model, mp.mp.dps)
        return _with(path, model, lam, w, shrink, start.precise(mp.mp.dps)[2])


def _restored_nodes(model: TeacherStudent, path: Trajectory) -> Trajectory:
    """Eigenvalues lam and overlaps c at the Gauss nodes lam' of a reduced run."""
    lam, w = eigenvalues_and_weights(model.spectrum)
    theta = float(model.preconditioner)
    scale = float(w @ lam ** (1 - theta))
    nodes = (scale * path.eigenvalues) ** (1 / (1 - theta))
    shrink = nodes**-theta / scale
    return _with(path, model, nodes, path.weights, shrink, path.t * shrink[:, None, None])


def _with(
    path: Trajectory, model: TeacherStudent, lam: Array, w: Array, shrink: Array, t: Array
) -> Trajectory:
    q, r = (c * shrink[:, None, None] for c in (path.q, path.r))
    provenance = {**path.provenance, "model": str(model), "integrated as": path.provenance["model"]}
    return replace(path, q=q, r=r, t=t, eigenvalues=lam, weights=w, provenance=provenance)


def _stretches(model: TeacherStudent, digits: int) -> Array:
    """The factors m lam_k^theta as mpf at the working precision, (L,)."""
    lam, w = model.spectrum.values(digits)
    theta = mp.mpf(sp.N(model.preconditioner, digits))
    scale = mp.fsum(weight * e ** (1 - theta) for weight, e in zip(w, lam, strict=True))
    return np.array([scale * e**theta for e in lam], dtype=object)
