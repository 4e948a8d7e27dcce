"""Integrate the order-parameter equations: ``integrate(ode, start, alpha) -> Trajectory``.

Summary
    Arguments are checked, a method is chosen (`numerics.methods`), and what it finds becomes a
    `Trajectory` with its provenance. Near the perfect student double precision goes on in
    deviations (`numerics.perfect_student`); in high precision working digits are added until eps_g
    has the digits asked for; many eigenvalues are reduced first (`numerics.reduction`). Events are
    located afterwards (`numerics.events`).

References
    [WR24] Worschech & Rosenow; [SS95] Saad & Solla.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from theory.exact import exact
from theory.forms import ModeForm, MomentForm
from theory.online import OrderParameterODE
from theory.schedules import alpha as ALPHA

from .basis import GUARD_DIGITS, Basis
from .compile import Form, require_numbers
from .elapsed import constant_rate, in_elapsed_time
from .errors import IntegrationError
from .events import Curve, Event
from .flow import Halted, Stretch
from .initial import InitialCondition
from .measure import eigenvalues_and_weights
from .methods import METHODS, Problem, choose
from .perfect_student import deviating_stretch
from .preconditioning import in_plain_variables
from .reduction import Reduction, refine
from .schedule import compile_schedule
from .state import joint
from .trajectory import Trajectory, check_times, default_times

__all__ = ["integrate"]

SCALED_TIME = "eta lam_+ alpha"
"""What alpha means for infinitely many eigenvalues."""

REDUCED_SIZE = 4096
"""From so many eigenvalues on Gauss nodes take their place: measured, they are faster by far."""


def integrate(
    ode: OrderParameterODE | Form,
    start: InitialCondition,
    alpha: Any,
    digits: int | None = None,
    rtol: float = 1e-8,
    at: Any = None,
    method: str = "auto",
    events: Sequence[Event] = (),
    check: bool = False,
    modes: str = "auto",
) -> Trajectory:
    """Solve the order-parameter equations from `start` to time `alpha`.

    Parameters
    ----------
    ode : OrderParameterODE, ModeForm or MomentForm
        From `theory.order_parameter_odes`; an OrderParameterODE is integrated in modes.
    start : InitialCondition
        Overlaps at alpha = 0, shapes (L, K, K), (L, K, M), (L, M, M).
    alpha : number
        Final time, (number of SGD steps)/N.
    digits : int, optional
        Number of digits of the result, eps_g included; None is double precision.
    rtol : float
        Relative accuracy asked for in double precision, of eps_g too.
    at : array (T,), optional
        Output times; default `default_times(alpha)`.
    method : {"auto", "structured", "taylor", "runge-kutta"}
        `numerics.methods` says what "auto" chooses; the result says what was chosen and why.
    events : sequence of Event
        `ErrorBelow(value)`, `PlateauEntered()`, `PlateauLeft()`: their times, good to about 1e-8,
        are the `events` of the result.
    check : bool
        Integrate a second time, with 10 more digits or a hundredth of `rtol`: the largest relative
        difference of eps_g is then the `checked_error` of the provenance.
    modes : {"auto", "all", "reduced"}
        "reduced" replaces the eigenvalues by as many Gauss nodes as two sizes need to agree to
        `rtol` (`numerics.reduction`); "auto" does so from `REDUCED_SIZE` eigenvalues on, and for
        L = oo, where `alpha` is the scaled time eta lam_+ alpha.

    A learning rate that depends on alpha (`theory.schedules`) is followed by explicit steps in
    double precision, or in any way in gradient flow, which knows its integral only.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range or does not fit the model; the message names it.
    NoClosedForm
        If `digits` is asked for and the activation has no closed-form averages, or has a kink.
    IntegrationError
        If the solution diverges, or averages by quadrature have an error above 1e-3; the part that
        was reached is its `trajectory`. If the check finds an error above 10^-digits or rtol.

    Warns
    -----
    UserWarning
        If `digits` is asked for and a parameter of the model was given as a float, or averages by
        quadrature have an error above rtol.
    """
    form, tolerance = _form(ode), _tolerance(rtol)
    times = check_times(at, alpha)
    _check_arguments(form, start, digits, method)
    _check_events(events)
    again = partial(integrate, digits=digits, rtol=rtol, method=method, events=events, check=check)
    if form.ode.model.preconditioner != 0:
        return in_plain_variables(form, start, times, modes, digits, again)
    if form.ode.model.eta.has(ALPHA):
        _check_schedule(form, digits, events)
        if form.ode.gradient_flow:
            return in_elapsed_time(form, start, times, partial(again, modes=modes))
    if _reduces(form, digits, modes):
        return _by_reduction(form, start, times, tolerance, method, events, check)
    start = start.expanded(int(form.ode.model.spectrum.L))
    problem = _problem(form, float(times[-1]), tolerance, digits)
    notes: dict[str, Any] = {"model": str(form.ode.model)}
    run = _in_doubles if digits is None else _in_digits
    # The start is needed to enter the neighbourhood of the perfect student between output times.
    grid = np.union1d(times, default_times(float(times[-1])) if events else [0.0])
    try:
        stretches = run(problem, start, grid, method)
    except Halted as stop:
        part = stop.stretch.at(times)
        reached = _trajectory(problem, start, [part], notes) if len(part.times) else None
        raise IntegrationError(str(stop), reached) from None
    if events:
        curve = Curve(stretches)
        notes["events"] = {str(event): event.locate(curve) for event in events}
    kept = [part.at(times) for part in stretches]
    if check:
        notes["checked_error"] = _checked_error(problem, start, kept, method)
    return _trajectory(problem, start, kept, notes)


def _problem(form: Form, end: float, rtol: float, digits: int | None) -> Problem:
    """The system, its learning rate apart if that depends on alpha."""
    eta = form.ode.model.eta
    if not eta.has(ALPHA):
        return Problem(form, end, rtol, digits)
    return Problem(constant_rate(form), end, rtol, digits, compile_schedule(eta))


def _check_schedule(form: Form, digits: int | None, events: Sequence[Event]) -> None:
    """Refuse what takes a constant learning rate."""
    model = form.ode.model
    if digits is not None or events or sp.oo == model.spectrum.L:
        raise ValueError(
            f"eta = {model.eta} depends on alpha: leave digits and events out, and give L a finite "
            "value"
        )


def _form(ode: OrderParameterODE | Form) -> Form:
    if isinstance(ode, OrderParameterODE):
        return ode.modes()
    if isinstance(ode, (ModeForm, MomentForm)):
        return ode
    raise TypeError(f"integrate needs order_parameter_odes(model) or a form of it, found {ode!r}")


def _check_arguments(form: Form, start: InitialCondition, digits: Any, method: Any) -> None:
    model = form.ode.model
    if not isinstance(start, InitialCondition):
        raise TypeError(
            f"start must be an InitialCondition (see numerics.initial); found {start!r}"
        )
    require_numbers(model.replace(eta=1) if model.eta.free_symbols == {ALPHA} else model)
    L, K, M = model.spectrum.L, int(model.K), int(model.M)
    if start.r.shape not in ((L, K, M), (1, K, M)):
        raise ValueError(
            f"start has overlaps r of shape {start.r.shape}, but the model has "
            f"(L, K, M) = {(L, K, M)}"
        )
    if digits is not None and (
        isinstance(digits, bool) or not hasattr(digits, "__index__") or not 1 <= digits <= 1000
    ):
        raise ValueError(
            f"digits must be an integer from 1 to 1000, or None for double precision, "
            f"found {digits!r}"
        )
    if digits is not None and model.inexact:
        warnings.warn(
            f"{', '.join(model.inexact)} was given as a float: in a run with {digits} "
            'digits it is the double it stands for; write it as a fraction, e.g. "1/10"',
            UserWarning,
            stacklevel=3,
        )
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, found {method!r}")


def _check_events(events: Any) -> None:
    for event in events:
        if not isinstance(event, Event):
            raise TypeError(
                f"events must be of ErrorBelow, PlateauEntered, PlateauLeft; found {event!r}"
            )


def _tolerance(rtol: Any) -> float:
    try:
        number = float(exact(rtol, "rtol"))
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < 1:
        raise ValueError(f"rtol must lie between 0 and 1, found {rtol!r}")
    return number


def _reduces(form: Form, digits: int | None, modes: Any) -> bool:
    """Whether the eigenvalues are to be replaced by Gauss nodes."""
    L = form.ode.model.spectrum.L
    if modes not in ("auto", "all", "reduced"):
        raise ValueError(f'modes must be "auto", "all" or "reduced", found {modes!r}')
    possible = digits is None and isinstance(form, ModeForm)
    if modes == "all" or (modes == "auto" and sp.oo != L and (L < REDUCED_SIZE or not possible)):
        if sp.oo == L:
            raise ValueError(f"{form.ode.model.spectrum} cannot be listed: leave modes out")
        return False
    if not possible:
        raise ValueError(
            f"{form.ode.model.spectrum} is reduced to Gauss nodes in double precision and in modes "
            "only: leave digits out and pass the equations, or give L a smaller value"
        )
    return True


def _by_reduction(
    form: Form,
    start: InitialCondition,
    times: Any,
    rtol: float,
    method: str,
    events: Sequence[Event],
    check: bool,
) -> Trajectory:
    """Integrate a model of few Gauss nodes, as many as two sizes need to agree to `rtol`."""
    model = form.ode.model

    def solve(reduction: Reduction) -> Trajectory:
        equations = replace(form.ode, model=reduction.model)
        scale = reduction.time_scale
        inner = times * scale
        try:
            return integrate(
                equations, reduction.start, inner[-1], None, rtol, inner, method, events, check,
                "all",
            )  # fmt: skip
        except IntegrationError as stop:
            raise stop if scale == 1 else _in_callers_time(stop, scale) from None

    path, reduction, apart = refine(model, start, times[-1], solve, rtol)
    notes = {
        "method": f"{reduction.nodes} Gauss nodes for L = {model.spectrum.L} eigenvalues (two "
        f"sizes differ by {apart:.1e}): {path.provenance['method']}",
        "model": str(model),
        "nodes": reduction.nodes,
    }
    if events:
        scale = reduction.time_scale
        notes["events"] = {k: None if t is None else t / scale for k, t in path.events.items()}
    if sp.oo == model.spectrum.L:
        notes["time"] = SCALED_TIME
    return replace(path, alpha=times, provenance={**path.provenance, **notes})


def _in_callers_time(stop: IntegrationError, scale: float) -> IntegrationError:
    """The same for one who counts time in eta lam_+ alpha, `scale` times shorter."""
    part = stop.trajectory
    if part is not None:
        notes = {**part.provenance, "time": SCALED_TIME}
        part = replace(part, alpha=part.alpha / scale, provenance=notes)
    return IntegrationError(f"{stop}; here alpha = {scale:g} {SCALED_TIME}", part)


def _overlaps(start: InitialCondition, digits: int | None = None) -> Any:
    """C = [[q, r], [r^T, t]] per mode, shape (L, K+M, K+M): float64, or mpf of so many digits."""
    return joint(*((start.q, start.r, start.t) if digits is None else start.precise(digits)))


def _in_doubles(
    problem: Problem, start: InitialCondition, times: Any, method: str
) -> list[Stretch]:
    Basis(problem.form).require_doubles()
    overlaps = _overlaps(start)
    ordinary = Stretch.run(choose(problem, overlaps, method), 0.0, overlaps, times)
    deviating = deviating_stretch(problem, ordinary)
    return [ordinary] if deviating is None else [ordinary.until(deviating.times[0]), deviating]


def _in_digits(problem: Problem, start: InitialCondition, times: Any, method: str) -> list[Stretch]:
    """Repeat with more working digits until eps_g, a small difference, keeps `digits` of its own.

    Raises
    ------
    IntegrationError
        If eps_g falls so low that this takes more than five times the digits asked for.
    """
    digits = int(problem.digits or 0)
    spare = GUARD_DIGITS + math.ceil(Basis(problem.form).lost_digits)
    working = digits + spare
    while True:
        overlaps = _overlaps(start, working)
        flow = choose(replace(problem, digits=working), overlaps, method)
        found = Stretch.run(flow, 0.0, overlaps, times)
        smallest = min((abs(e) for e in found.errors if e != 0), default=mp.mpf(1))
        below = max(0, math.ceil(-mp.log10(smallest)))
        if below + digits + spare - 10 <= working:
            return [found]
        if working > 5 * digits + 100:
            raise IntegrationError(
                f"eps_g falls to about 1e-{below} and {working} working digits do not resolve "
                f"{digits} digits of it: integrate to a shorter alpha than {times[-1]:g}"
            )
        working = digits + spare + below


def _checked_error(
    problem: Problem, start: InitialCondition, stretches: Sequence[Stretch], method: str
) -> float:
    """Largest relative difference of eps_g to a sharper run.

    Raises
    ------
    IntegrationError
        If it is larger than what was asked for.
    """
    digits = problem.digits
    if digits is None:
        sharper, allowed = replace(problem, rtol=problem.rtol / 100), mp.mpf(problem.rtol)
    else:
        sharper, allowed = replace(problem, digits=digits + 10), mp.mpf(10) ** -digits
    run = _in_doubles if digits is None else _in_digits
    again = run(sharper, start, np.concatenate([part.times for part in stretches]), method)
    with mp.workdps((digits or 16) + 30):
        ours, theirs = (
            np.concatenate([part.errors for part in parts]) for parts in (stretches, again)
        )
        pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if b != 0]
        error = max((abs(mp.mpf(a) / mp.mpf(b) - 1) for a, b in pairs), default=mp.mpf(0))
        if error > allowed:
            asked = f"rtol {sharper.rtol:g}" if digits is None else f"{sharper.digits} digits"
            raise IntegrationError(
                f"a run with {asked} differs by {mp.nstr(error, 3)} in eps_g, more than "
                f"{mp.nstr(allowed, 3)}: ask for digits, or for more of them"
            )
    return float(error)


def _trajectory(
    problem: Problem, start: InitialCondition, stretches: Sequence[Stretch], notes: dict[str, Any]
) -> Trajectory:
    model, digits = problem.ode.model, problem.digits
    K = int(model.K)
    parts = [part for part in stretches if len(part.times)]
    found = [part.flow.overlaps(part.states) for part in parts]
    overlaps = np.concatenate(found) if len(found) > 1 else found[0]
    eigenvalues, weights = (
        eigenvalues_and_weights(model.spectrum)
        if digits is None
        else (np.array(e, dtype=object) for e in model.spectrum.values(digits + GUARD_DIGITS))
    )
    provenance = {
        "origin": "ode",
        "method": "; then ".join(part.how for part in parts),
        "chosen": "; then ".join(part.flow.why for part in parts),
        **notes,
        **({} if digits is None else {"digits": digits}),
        "form": type(problem.form).__name__,
        "gradient_flow": problem.ode.gradient_flow,
        "start": start.provenance,
    }
    for part in parts:
        provenance |= part.notes
    if model.inexact:
        provenance["floats"] = [f"{name} is the double it was given as" for name in model.inexact]
    return Trajectory(
        alpha=np.concatenate([part.times for part in parts]),
        q=overlaps[:, :, :K, :K],
        r=overlaps[:, :, :K, K:],
        t=start.t if digits is None else start.precise(digits + GUARD_DIGITS)[2],
        generalization_error=np.concatenate([part.errors for part in parts]),
        eigenvalues=eigenvalues,
        weights=weights,
        provenance=provenance,
    )
