"""Which method integrates a system, and why: decided here, printed in every result.

    a learning rate that depends on alpha            Runge-Kutta
    averages without closed form (tanh), or with     Runge-Kutta, averages by quadrature
        cusps where fields coincide (ReLU)
    moments                                          Taylor series
    modes, not stiff, small enough to trace          Taylor series
    modes, not stiff, larger                         Runge-Kutta on compiled loops
    modes, stiff                                     structured Radau IIA (double precision), or
                                                     the same in the digits asked for

Stiff means that explicit steps would be limited by the fastest mode long after it has relaxed:
rates spread over lam_1/lam_L = L^(1+beta), and alpha is many relaxation times of the fastest.

References
    [WR24] Worschech & Rosenow; [YO19] Yoshida & Okada (modes are linear given Q and R).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np

from theory.forms import ModeForm
from theory.gaussian import NoClosedForm
from theory.online import OrderParameterODE

from .averaging import (
    WANTED,
    TooCoarse,
    averaged_rates,
    judge_error,
    refuse_cusps,
    rules,
    worst_error,
)
from .basis import Basis
from .codegen import UnsupportedFunction
from .compile import Form, average_source, compile_ode
from .errors import Stopped
from .explicit import integrate_explicit
from .flat import flat_rates
from .flow import Flow, Solution
from .measure import eigenvalues_and_weights
from .state import State
from .structured import solve_structured, structured_system
from .structured_precise import integrate_structured_precise
from .targets import FlintTarget, NumbaTarget, midpoint
from .taylor import TaylorIntegrator

__all__ = ["METHODS", "Problem", "choose"]

METHODS = ("auto", "structured", "taylor", "runge-kutta")

TRACED_OPERATIONS = 40_000
"""Systems with more elementary operations than this compile faster as loops than as a graph."""

STIFF_TIMES = 2_000
"""From so many relaxation times of the fastest mode on implicit steps are cheaper."""

STIFF_SIZE = 24
"""From so many eigenvalues on they are cheaper even if the run is short."""


@dataclass(frozen=True)
class Problem:
    """A system of equations, and how sharply it is to be solved.

    Attributes
    ----------
    form : ModeForm or MomentForm
    alpha : float
        Final time.
    rtol : float
        Relative accuracy in double precision.
    digits : int or None
        Working digits of a high-precision run.
    schedule : callable or None
        eta at times (T,), where it depends on them; the form then has eta = 1.
    """

    form: Form
    alpha: float
    rtol: float
    digits: int | None = None
    schedule: Callable[[Any], Any] | None = None

    @property
    def ode(self) -> OrderParameterODE:
        """The equations."""
        return self.form.ode

    @property
    def sizes(self) -> tuple[int, int, int]:
        """K, M, L."""
        model = self.ode.model
        return int(model.K), int(model.M), int(model.spectrum.L)

    @property
    def operations(self) -> int:
        """Rough size of the graph: the four-point averages of G, and the linear modes."""
        K, M, L = self.sizes
        spectral = L if isinstance(self.form, ModeForm) else L**2
        averages = 0 if self.ode.gradient_flow else K * (K + 1) // 2 * (K + M) ** 2 * 30
        return averages + spectral * K * (K + M) ** 2 * 2

    @property
    def stiffness(self) -> float:
        """Relaxation times of the fastest mode that the run lasts, eta lam_1 alpha."""
        model = self.ode.model
        return (
            self.alpha
            * float(model.eta)
            * float(np.max(eigenvalues_and_weights(model.spectrum)[0]))
        )

    @property
    def step_tolerance(self) -> float:
        """Of the structured method; the escape from a plateau magnifies errors a few times."""
        return max(self.rtol * 0.1, 1e-13)

    @functools.cached_property
    def closed(self) -> bool:
        """Whether all averages have closed forms that are smooth.

        Raises
        ------
        NoClosedForm, UnsupportedFunction
            If not, and digits are asked for: quadrature is in double precision only.
        """
        try:
            refuse_cusps(self.ode.model.activation)
            average_source(self.ode.model.activation, self.ode.gradient_flow)
        except (NoClosedForm, UnsupportedFunction):
            if self.digits is not None:
                raise
            return False
        return True


def choose(problem: Problem, start: Any, method: str = "auto") -> Flow:
    """The method for a problem, bound to it.

    Parameters
    ----------
    start : array (L, K+M, K+M)
        Overlaps at the start: the teacher block is that of all states.
    method : one of `METHODS`

    Raises
    ------
    ValueError
        If the method asked for cannot solve this problem.
    """
    closed = problem.closed
    name, why = _automatic(problem, closed) if method == "auto" else (method, "as asked for")
    _check(problem, name, closed)
    if not closed:
        return _quadrature(problem, why)
    bind = {"structured": _structured, "taylor": _taylor, "runge-kutta": _runge_kutta}[name]
    return bind(problem, start, why)


def _automatic(problem: Problem, closed: bool) -> tuple[str, str]:
    if problem.schedule is not None:
        return "runge-kutta", "eta depends on alpha"
    if not closed:
        return "runge-kutta", f"no smooth closed averages of {problem.ode.model.activation}"
    if not isinstance(problem.form, ModeForm):
        return "taylor", "moments"
    L = problem.sizes[2]
    if L >= STIFF_SIZE:
        return "structured", f"{L} eigenvalues"
    if problem.stiffness > STIFF_TIMES and L > 1:
        return "structured", f"stiff, eta lam_1 alpha = {problem.stiffness:.1e}"
    if problem.digits is not None or problem.operations <= TRACED_OPERATIONS:
        return "taylor", "small and not stiff"
    return "runge-kutta", "large and not stiff"


def _check(problem: Problem, name: str, closed: bool) -> None:
    model = problem.ode.model
    if problem.schedule is not None and (name != "runge-kutta" or not closed):
        raise ValueError(
            f"method {name!r} takes a constant learning rate, or one that depends on alpha without "
            'the noise of SGD (gradient_flow=True): use method "runge-kutta" and an activation '
            "with smooth closed averages"
        )
    if name != "runge-kutta" and not closed:
        raise ValueError(
            f"method {name!r} needs smooth closed averages, which {model.activation} has not: "
            'use method "runge-kutta" or leave it out'
        )
    if name == "structured" and not isinstance(problem.form, ModeForm):
        raise ValueError('method "structured" integrates modes: pass ode.modes(), or leave it out')
    if name == "runge-kutta" and problem.digits is not None:
        raise ValueError(
            'method "runge-kutta" is double precision: leave digits out, or use "taylor"'
        )


def _taylor(problem: Problem, start: Any, why: str) -> Flow:
    basis = Basis(problem.form, problem.digits or 16)
    stepper = TaylorIntegrator(
        problem.form, basis.to_form(start), problem.digits, max(problem.rtol * 1e-6, 2.3e-16)
    )

    def solve(overlaps: Any, times: Any) -> Solution:
        values, how = stepper.solve(basis.to_form(overlaps), times)
        return Solution(basis.to_modes(values), how)

    return Flow(solve, _errors(problem), why)


def _structured(problem: Problem, start: Any, why: str) -> Flow:
    form, digits = problem.form, problem.digits
    assert isinstance(form, ModeForm)
    compiled = compile_ode(form, NumbaTarget())

    def solve(overlaps: Any, times: Any) -> Solution:
        path = solve_structured(
            structured_system(compiled, overlaps), times, problem.step_tolerance
        )
        return Solution(path.values, str(path))

    def precise(overlaps: Any, times: Any) -> Solution:
        return Solution(*integrate_structured_precise(form, overlaps, times, digits or 16))

    if digits is None:
        return Flow(solve, compiled.errors, why)
    return Flow(precise, _errors(problem), why)


def _runge_kutta(problem: Problem, start: Any, why: str) -> Flow:
    like = Basis(problem.form).to_form(start).astype(float)
    rates = flat_rates(problem.form, like, problem.schedule)
    solve = functools.partial(_explicit, problem, rates, problem.rtol)
    return Flow(solve, _errors(problem), why)


def _explicit(
    problem: Problem, rates: Callable[[float, Any], Any], rtol: float, overlaps: Any, times: Any
) -> Solution:
    basis, state = Basis(problem.form), State(*problem.sizes)
    like = basis.to_form(overlaps).astype(float)

    def modes(rows: Any) -> Any:
        return basis.to_modes(np.array([state.unpack(row, like) for row in rows]))

    try:
        # Sharper than asked for: the escape from a plateau magnifies errors ten thousand times.
        rows, how = integrate_explicit(rates, state.pack(like), times, rtol * 1e-4, rtol * 1e-5)
    except Stopped as stop:
        raise Stopped(str(stop), modes(stop.values)) from None
    return Solution(modes(rows), how)


def _errors(problem: Problem) -> Callable[[Any], Any]:
    """eps_g of overlaps per eigenspace, in the precision of the problem."""
    form, digits = problem.ode.modes(), problem.digits
    if digits is None:
        return compile_ode(form, NumbaTarget()).errors

    def precise(values: Any) -> Any:
        target = FlintTarget(digits)
        with target.precision(), mp.workdps(digits):
            compiled = compile_ode(form, target, digits)
            found = [midpoint(compiled.error(target.array(c))) for c in values]
            return np.array(found, dtype=object)

    return precise


def _packed(
    problem: Problem, rates: Callable[[Any], Any], overlaps: Any
) -> Callable[[float, Any], Any]:
    """Rates of the overlaps, on the flat vector of their independent entries."""
    state, like = State(*problem.sizes), Basis(problem.form).to_form(overlaps).astype(float)
    return lambda _, y: state.pack(rates(state.unpack(y, like)))


def _quadrature(problem: Problem, why: str) -> Flow:
    """D, G and eps_g by the first rule whose error at output times is small (`WANTED`)."""
    ode, rtol = problem.ode, problem.rtol
    linear = compile_ode(problem.form, NumbaTarget(), averages=False)
    modes = compile_ode(ode.modes(), NumbaTarget(), averages=False)
    noise = not ode.gradient_flow
    best: list[Any] = []

    def solve(overlaps: Any, times: Any) -> Solution:
        covariance = modes.fields(overlaps.astype(float))
        for rule, limit in rules(ode.model, covariance, noise, rtol):
            best[:] = [rule]
            error = rule.error(covariance, noise)
            # Whatever is asked for, steps must end in covariances.
            sharp = min(rtol, 1e-6)
            rates = averaged_rates(linear, rule, noise, limit)
            try:
                path = _explicit(problem, _packed(problem, rates, overlaps), sharp, overlaps, times)
                error = max(error, worst_error(rule, [modes.fields(c) for c in path.values], noise))
            except TooCoarse as found:
                error = found.error
            if error <= WANTED * rtol:
                break
        judge_error(ode.model, rule, error, rtol)
        how = f"{path.how}, averages: {rule}, error <= {error:.1e}"
        return Solution(path.values, how, {"quadrature_error": error})

    def errors(values: Any) -> Any:
        rule = best[0]
        return np.array(
            [rule.averages(modes.fields(c), False).generalization_error for c in values]
        )

    return Flow(solve, errors, why)
