"""A problem to be integrated: start, output times, right-hand side, and a sharp solution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from numerics import initial, integrate
from numerics.flat import flat_rates
from numerics.state import State, joint
from numerics.trajectory import Trajectory, default_times
from theory import TeacherStudent, order_parameter_odes
from theory.online import OrderParameterODE

from .clock import Budget


@dataclass(frozen=True)
class Case:
    """A model from random overlaps (seed 0) to time `alpha`, all modes kept.

    Attributes
    ----------
    rtol : float
        Of the sharp solution.
    """

    model: TeacherStudent
    sigma_J: Any
    N: int
    alpha: float
    rtol: float = 1e-11

    @cached_property
    def ode(self) -> OrderParameterODE:
        return order_parameter_odes(self.model)

    @cached_property
    def start(self) -> Any:
        return initial(self.model, sigma_J=self.sigma_J, N=self.N, seed=0)

    @property
    def times(self) -> Any:
        return default_times(self.alpha)

    @cached_property
    def sharp(self) -> Trajectory:
        """Structured collocation at the sharpest tolerance that doubles bear."""
        return self.integrate(method="structured", rtol=self.rtol)

    def integrate(self, **options: Any) -> Trajectory:
        """Our own solution, all modes."""
        return integrate(self.ode, self.start, self.alpha, modes="all", **options)

    @property
    def state(self) -> State:
        """The order of the entries of a flat state."""
        model = self.model
        return State(int(model.K), int(model.M), int(model.spectrum.L))

    def rates(self, budget: Budget) -> Any:
        """Our compiled right-hand side on the flat state, for others to integrate."""
        compiled = flat_rates(self.ode.modes(), self.overlaps)

        def rates(time: float, y: Any) -> Any:
            budget.spend()
            return compiled(time, np.ascontiguousarray(y))

        return rates

    @property
    def overlaps(self) -> Any:
        """c = [[q, r], [r^T, t]] at the start, (L, K+M, K+M)."""
        return joint(self.start.q, self.start.r, self.start.t)

    def flat(self, path: Trajectory) -> Any:
        """The moving entries of a trajectory, (T, n)."""
        teacher = np.broadcast_to(path.t, (len(path.q), *path.t.shape))
        rows = joint(path.q, path.r, teacher).astype(float)
        return np.array([self.state.pack(row) for row in rows])

    def error(self, states: Any) -> float:
        """Largest error of an order parameter of any mode at any output time."""
        return float(np.abs(states - self.flat(self.sharp)).max())
