"""Near the perfect student: the same equations in deviations J - B, in double precision.

Summary
    When the student has found the teacher, eps_g is a difference of order parameters of order one,
    and in double precision its digits are gone at 1e-16. The overlaps of J - B,

        a_k = r_k - t_k,   d_k = q_k - r_k - r_k^T + t_k,

    obey equations of the same form (`theory.deviations`) in which nothing of order one cancels: a
    run goes on in them from the time at which the student is near.

Notation
    V = sum_k w_k lam_k d_k, the covariance of the fields of J - B; students are numbered like the
    teachers they have found.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from theory.forms import ModeForm

from .compile import CompiledODE, compile_ode
from .flow import Flow, Solution, Stretch
from .methods import Problem
from .structured import solve_structured, structured_system
from .targets import NumbaTarget

__all__ = ["deviating_stretch"]

NEAR = 0.05
"""max_i V_ii/T_ii below which the student is near: the formulas in deviations are sharp there."""

RESOLVED = 1e-6
"""The same, down to which double precision resolves the deviations in ordinary variables."""

ROUNDING = 1e-14
"""Of eps_g in ordinary variables, ten times what is seen."""

SAMPLES = 40


def deviating_stretch(problem: Problem, ordinary: Stretch) -> Stretch | None:
    """The end of a run in deviations, from the entry into the neighbourhood on.

    None if rounding leaves eps_g as accurate as asked for, if the last state is not near a perfect
    student, if the student cannot become perfect (K != M, label noise, weight decay), or if eta
    depends on alpha.
    """
    if problem.schedule is not None:
        return None
    if np.min(ordinary.errors) * problem.rtol > ROUNDING:
        return None
    model = problem.ode.model
    if model.K != model.M or model.label_noise != 0 or model.weight_decay != 0:
        return None
    if not isinstance(problem.form, ModeForm) or not problem.closed:
        return None
    view = _View.of(problem, ordinary.states[-1])
    sizes = view.sizes(ordinary.states)
    if sizes[-1] > NEAR:
        return None
    # From here on the student stays near.
    first = int(np.max(np.flatnonzero(sizes > NEAR), initial=-1)) + 1
    begin, state = _entry(view, ordinary, sizes, first)
    times = ordinary.times[ordinary.times >= begin]
    return Stretch.run(_flow(problem, view), begin, view.deviations(state), times)


class _View:
    """Overlaps as deviations, students in the order of the teachers they have found."""

    def __init__(self, compiled: CompiledODE, order: Any) -> None:
        self.compiled = compiled
        self._K = len(order)
        self._order = np.concatenate([order, self._K + np.arange(self._K)])

    @classmethod
    def of(cls, problem: Problem, last: Any) -> _View:
        """Matched at the last state: largest total correlation of students and teachers."""
        compiled = compile_ode(problem.ode.modes(), NumbaTarget(), deviations=True)
        K = compiled.sizes[0]
        covariance = compiled.fields(last)
        variance = covariance.diagonal()
        correlation = covariance[:K, K:] / np.sqrt(np.outer(variance[:K], variance[K:]))
        _, students = linear_sum_assignment(-correlation.T)
        return cls(compiled, students)

    def deviations(self, overlaps: Any) -> Any:
        """[[d, a], [a^T, t]] from [[q, r], [r^T, t]], shape (..., L, 2K, 2K)."""
        return self._shift(overlaps[..., self._order[:, None], self._order], -1)

    def overlaps(self, deviations: Any) -> Any:
        """The inverse of `deviations`."""
        back = np.argsort(self._order)
        return self._shift(deviations, 1)[..., back[:, None], back]

    def _shift(self, c: Any, sign: int) -> Any:
        """J -> J + sign B."""
        K, shifted = self._K, np.array(c)
        r, t = c[..., :K, K:], c[..., K:, K:]
        transposed = np.swapaxes(r, -1, -2)
        shifted[..., :K, K:] = r + sign * t
        shifted[..., K:, :K] = transposed + sign * t
        shifted[..., :K, :K] = c[..., :K, :K] + sign * (r + transposed) + t
        return shifted

    def sizes(self, states: Any) -> Any:
        """max_i V_ii/T_ii at each of the states."""
        K = self._K
        found = [self.compiled.fields(self.deviations(c)).diagonal() for c in states]
        return np.array([np.max(d[:K] / d[K:]) for d in found])


def _flow(problem: Problem, view: _View) -> Flow:
    def solve(deviations: Any, times: Any) -> Solution:
        system = structured_system(view.compiled, deviations)
        path = solve_structured(system, times, problem.step_tolerance, relative=True)
        return Solution(path.values, f"in deviations from the teacher: {path}")

    return Flow(solve, view.compiled.errors, "near the perfect student", view.overlaps)


def _entry(view: _View, ordinary: Stretch, sizes: Any, first: int) -> tuple[float, Any]:
    """A time and a state near the perfect student that ordinary variables still resolve."""
    times, states = ordinary.times, ordinary.states
    if first == 0 or sizes[first] > RESOLVED:
        return float(times[first]), states[first]
    begin, state = float(times[first - 1]), states[first - 1]
    span = float(times[first]) - begin
    while True:
        # Output times are far apart: look between them, closer and closer to the entry.
        between = np.concatenate([[0.0], np.geomspace(1e-3 * span, span, SAMPLES)])
        found = ordinary.flow.solve(state, between).values
        near = view.sizes(found)
        inside = int(np.argmax(near <= NEAR))
        if near[inside] > RESOLVED:
            return begin + float(between[inside]), found[inside]
        begin += float(between[inside - 1])
        state, span = found[inside - 1], float(between[inside] - between[inside - 1])
