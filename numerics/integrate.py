"""Integrate the order-parameter equations: ``integrate(ode, start, alpha) -> Trajectory``.

Which method
    Closed-form averages and a system small enough to trace: Taylor series (`numerics.taylor`), in
    double or any precision. Many eigenvalues in double precision (stiff: rates spread over
    L^(1+beta)): structured Radau IIA (`numerics.structured`). Other large systems: explicit
    Runge-Kutta of order 8 (`numerics.explicit`) on numba loops. No closed-form averages, or ones
    with cusps where fields coincide (ReLU): the same, with the averages by quadrature
    (`numerics.averaging`) and its estimated error in the provenance.

References
    [WR24] Worschech & Rosenow; [SS95] Saad & Solla.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import mpmath as mp
import numpy as np

from theory.exact import exact
from theory.forms import ModeForm, MomentForm
from theory.gaussian import NoClosedForm
from theory.online import OrderParameterODE

from .averaging import (
    WANTED,
    TooCoarse,
    judge_error,
    rates_and_error,
    refuse_cusps,
    rules,
    worst_error,
)
from .codegen import UnsupportedFunction
from .compile import Form, average_source, compile_ode, require_numbers
from .errors import IntegrationError
from .explicit import integrate_explicit
from .initial import InitialCondition
from .state import State
from .structured import integrate_structured
from .targets import FlintTarget, NumbaTarget, midpoint
from .taylor import integrate_taylor
from .trajectory import Trajectory, check_times

__all__ = ["integrate"]

GUARD_DIGITS = 15
"""Extra working digits of a high-precision run: growth of errors at the plateau, small eps_g."""

TRACED_OPERATIONS = 40_000
"""Systems with more elementary operations than this compile faster as loops than as a graph."""

STRUCTURED_SIZE = 128
"""From this many eigenvalues on the implicit method is faster, L = 256 to 1/lam_L fifty times."""


def integrate(
    ode: OrderParameterODE | Form,
    start: InitialCondition,
    alpha: Any,
    digits: int | None = None,
    rtol: float = 1e-8,
    at: Any = None,
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
        Relative accuracy asked for in double precision. Steps are sharper (a million times with
        Taylor series, a thousand times with Runge-Kutta, not beyond machine precision), so that
        eps_g, a small difference of order parameters, keeps it while it is small. Below about 1e-8
        rounding alone costs more than that: ask for digits.
    at : array (T,), optional
        Output times; default `default_times(alpha)`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range or does not fit the model; the message names it.
    NoClosedForm
        If `digits` is asked for and the activation has no closed-form averages, or has a kink.
    IntegrationError
        If the solution diverges, or averages by quadrature have an error above 1e-3.

    Warns
    -----
    UserWarning
        If `digits` is asked for and a parameter of the model was given as a float, or averages by
        quadrature have an error above 100 rtol.
    """
    form = _form(ode)
    times = check_times(at, alpha)
    _check_arguments(form, start, digits)
    rtol = _tolerance(rtol)
    digits = None if digits is None else int(digits)
    basis = _Basis(form, digits or 16)
    if digits is None:
        basis.require_doubles()
    overlaps = _full(start)
    if not _has_closed_averages(form.ode, digits):
        return _by_quadrature(basis, start, overlaps, times, rtol)
    if digits is None and isinstance(form, ModeForm) and len(start.q) >= STRUCTURED_SIZE:
        return _by_structure(form, start, overlaps, times, rtol)
    if digits is not None or _operations(form) <= TRACED_OPERATIONS:
        return _by_taylor(basis, start, overlaps, times, digits, rtol)
    compiled = compile_ode(form, NumbaTarget())
    return _explicit(basis, start, overlaps, times, rtol, compiled.rates, compiled.error)


def _form(ode: OrderParameterODE | Form) -> Form:
    if isinstance(ode, OrderParameterODE):
        return ode.modes()
    if isinstance(ode, (ModeForm, MomentForm)):
        return ode
    raise TypeError(f"integrate needs order_parameter_odes(model) or a form of it, found {ode!r}")


def _check_arguments(form: Form, start: InitialCondition, digits: Any) -> None:
    model = form.ode.model
    if not isinstance(start, InitialCondition):
        raise TypeError(
            f"start must be an InitialCondition (see numerics.initial); found {start!r}"
        )
    require_numbers(model)
    expected = (int(model.spectrum.L), int(model.K), int(model.M))
    if start.r.shape != expected:
        raise ValueError(
            f"start has overlaps r of shape {start.r.shape}, but the model has "
            f"(L, K, M) = {expected}"
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


def _has_closed_averages(ode: OrderParameterODE, digits: int | None) -> bool:
    try:
        refuse_cusps(ode.model.activation)
        average_source(ode.model.activation, ode.gradient_flow)
    except (NoClosedForm, UnsupportedFunction):
        if digits is not None:
            raise
        return False
    return True


def _tolerance(rtol: Any) -> float:
    try:
        number = float(exact(rtol, "rtol"))
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < 1:
        raise ValueError(f"rtol must lie between 0 and 1, found {rtol!r}")
    return number


def _full(start: InitialCondition, digits: int | None = None) -> Any:
    """C = [[q, r], [r^T, t]] per mode, shape (L, K+M, K+M): float64, or mpf of so many digits."""
    q, r, t = (start.q, start.r, start.t) if digits is None else start.precise(digits)
    return np.block([[q, r], [np.swapaxes(r, 1, 2), t]])


def _as_mpf(values: Any, digits: int) -> Any:
    with mp.workdps(digits):
        return np.vectorize(mp.mpf, otypes=[object])(values)


def _operations(form: Form) -> int:
    """Rough number of nodes of the graph: the four-point averages of G, and the linear modes."""
    model = form.ode.model
    K, fields, L = int(model.K), int(form.ode.fields), int(model.spectrum.L)
    spectral = L if isinstance(form, ModeForm) else L**2
    averages = 0 if form.ode.gradient_flow else K * (K + 1) // 2 * fields**2 * 30
    return averages + spectral * K * fields**2 * 2


@dataclass(frozen=True)
class _Basis:
    """Change of variables between the overlaps per eigenspace and the variables of a form."""

    form: Form
    digits: int

    @cached_property
    def lost_digits(self) -> float:
        """Decimal digits that the change of variables costs (none for modes)."""
        if isinstance(self.form, ModeForm):
            return 0.0
        numbers = self.form.numbers(20)
        there, back = mp.matrix(numbers.vandermonde), mp.matrix(numbers.inverse_vandermonde)
        return float(mp.log10(mp.mnorm(there, 1) * mp.mnorm(back, 1)))

    def require_doubles(self) -> None:
        """Check that double precision survives the change of variables."""
        if self.lost_digits > 6:
            raise ValueError(
                f"the moment form of {self.form.ode.model.spectrum} loses {self.lost_digits:.0f} "
                "digits in its change of variables: integrate in modes, or ask for digits= (the "
                "lost digits are then added)"
            )

    def to_form(self, overlaps: Any) -> Any:
        """Variables of the form from overlaps (L, F, F)."""
        if isinstance(self.form, ModeForm):
            return overlaps
        return self._apply(self.form.numbers(self._working).vandermonde, overlaps)

    def to_modes(self, values: Any) -> Any:
        """Overlaps (..., L, F, F) from variables of the form."""
        if isinstance(self.form, ModeForm):
            return values
        return self._apply(self.form.numbers(self._working).inverse_vandermonde, values)

    @property
    def _working(self) -> int:
        # The matrices carry guard digits: it is the state that has lost them.
        return self.digits + int(self.lost_digits) + GUARD_DIGITS

    def _apply(self, matrix: list[list[Any]], values: Any) -> Any:
        with mp.workdps(self._working):
            rows = np.array(matrix, dtype=object)
            result = np.einsum("lk,...kfh->...lfh", rows, _as_mpf(values, self._working))
        return result if np.asarray(values).dtype == object else result.astype(float)


def _by_taylor(
    basis: _Basis,
    start: InitialCondition,
    overlaps: Any,
    times: Any,
    digits: int | None,
    rtol: float,
) -> Trajectory:
    form = basis.form
    if digits is not None:
        return _by_precise_taylor(basis, start, times, digits)
    tolerance = max(rtol * 1e-6, 2.3e-16)
    values, how = integrate_taylor(form, basis.to_form(overlaps), times, None, tolerance)
    modes = basis.to_modes(values)
    return _trajectory(form, start, times, modes, _errors(form.ode, modes), {"method": how})


def _by_structure(
    form: ModeForm, start: InitialCondition, overlaps: Any, times: Any, rtol: float
) -> Trajectory:
    # The tolerance is that of every entry of a step; its floor is where rounding takes over.
    modes, how = integrate_structured(form, overlaps, times, max(rtol * 1e-2, 1e-13))
    return _trajectory(form, start, times, modes, _errors(form.ode, modes), {"method": how})


def _by_precise_taylor(
    basis: _Basis, start: InitialCondition, times: Any, digits: int
) -> Trajectory:
    """Repeat with more working digits until eps_g, a small difference, keeps `digits` of its own.

    Raises
    ------
    IntegrationError
        If eps_g falls so low that this takes more than five times the digits asked for.
    """
    form, spare = basis.form, GUARD_DIGITS + math.ceil(basis.lost_digits)
    working = digits + spare
    while True:
        here = replace(basis, digits=working)
        overlaps = here.to_form(_full(start, working))
        values, how = integrate_taylor(form, overlaps, times, working, 0.0)
        modes = here.to_modes(values)
        errors = _precise_errors(form.ode, modes, working)
        smallest = min((abs(e) for e in errors if e != 0), default=mp.mpf(1))
        below = max(0, math.ceil(-mp.log10(smallest)))
        if below + digits + spare - 10 <= working:
            return _trajectory(form, start, times, modes, errors, {"method": how, "digits": digits})
        if working > 5 * digits + 100:
            raise IntegrationError(
                f"eps_g falls to about 1e-{below} and {working} working digits do not resolve "
                f"{digits} digits of it: integrate to a shorter alpha than {times[-1]:g}"
            )
        working = digits + spare + below


def _errors(ode: OrderParameterODE, modes: Any) -> Any:
    compiled = compile_ode(ode.modes(), NumbaTarget())
    return np.array([compiled.error(c) for c in modes])


def _precise_errors(ode: OrderParameterODE, modes: Any, digits: int) -> Any:
    target = FlintTarget(digits)
    with target.precision(), mp.workdps(digits):
        compiled = compile_ode(ode.modes(), target, digits)
        return np.array([midpoint(compiled.error(target.array(c))) for c in modes], dtype=object)


def _by_quadrature(
    basis: _Basis, start: InitialCondition, overlaps: Any, times: Any, rtol: float
) -> Trajectory:
    """D, G and eps_g by the first rule whose error at output times is small (`WANTED`)."""
    ode = basis.form.ode
    linear = compile_ode(basis.form, NumbaTarget(), averages=False)
    noise = not ode.gradient_flow
    covariance = linear.fields(basis.to_form(overlaps).astype(float))
    for rule, limit in rules(ode.model, covariance, noise, rtol):
        error = rule.error(covariance, noise)
        # Steps need not be sharper than the averages.
        sharp = max(rtol, min(error, WANTED * rtol))
        functions = rates_and_error(linear, rule, noise, limit)
        try:
            path = _explicit(basis, start, overlaps, times, sharp, *functions, dense=rule.costly)
            error = max(error, worst_error(rule, path, noise))
        except TooCoarse as found:
            error = found.error
        if error <= WANTED * rtol:
            break
    judge_error(ode.model, rule, error, rtol)
    how = f"quadrature, error <= {error:.1e}: {rule}; {path.provenance['method']}"
    notes = {"method": how, "quadrature_error": error}
    return replace(path, provenance={**path.provenance, **notes})


def _explicit(
    basis: _Basis,
    start: InitialCondition,
    overlaps: Any,
    times: Any,
    rtol: float,
    rates: Callable[[Any], Any],
    error: Callable[[Any], float],
    dense: bool = False,
) -> Trajectory:
    L, K, M = start.r.shape
    state = State(K, M, L)
    like = basis.to_form(overlaps).astype(float)
    rows, how = integrate_explicit(
        lambda _, y: state.pack(rates(state.unpack(y, like))),
        state.pack(like),
        times,
        rtol=rtol * 1e-3,
        atol=rtol * 1e-5,
        dense=dense,
    )
    values = np.array([state.unpack(row, like) for row in rows])
    errors = np.array([error(c) for c in values])
    return _trajectory(basis.form, start, times, basis.to_modes(values), errors, {"method": how})


def _trajectory(
    form: Form, start: InitialCondition, times: Any, modes: Any, errors: Any, notes: dict[str, Any]
) -> Trajectory:
    model = form.ode.model
    K, digits = int(model.K), int(notes.get("digits", 16))
    eigenvalues, weights = model.spectrum.values(digits + GUARD_DIGITS)
    high = "digits" in notes
    kind: Any = object if high else float
    provenance = {
        "origin": "ode",
        **notes,
        "form": type(form).__name__,
        "model": str(model),
        "gradient_flow": form.ode.gradient_flow,
        "start": start.provenance,
    }
    if model.inexact:
        provenance["floats"] = [f"{name} is the double it was given as" for name in model.inexact]
    return Trajectory(
        alpha=times,
        q=modes[:, :, :K, :K],
        r=modes[:, :, :K, K:],
        t=start.precise(digits + GUARD_DIGITS)[2] if high else start.t,
        generalization_error=errors,
        eigenvalues=np.array(eigenvalues, dtype=kind),
        weights=np.array(weights, dtype=kind),
        provenance=provenance,
    )
