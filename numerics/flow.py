"""A method bound to a system, and what it found: the parts that `integrate` puts together.

Notation
    c = [[q, r], [r^T, t]], overlaps per eigenspace, shape (L, K+M, K+M); T output times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from .errors import Stopped

__all__ = ["Flow", "Halted", "Solution", "Stretch"]


class Solution(NamedTuple):
    """Overlaps (T, L, K+M, K+M) at the output times, and how they were obtained."""

    values: Any
    how: str
    notes: dict[str, Any] = {}  # noqa: RUF012 (never changed)


@dataclass(frozen=True)
class Flow:
    """One method bound to one system.

    Attributes
    ----------
    solve : callable (overlaps (L, K+M, K+M), times (T,)) -> Solution
        From overlaps at alpha = 0; raises `Stopped` with what was reached.
    errors : callable (overlaps (T, L, K+M, K+M)) -> (T,)
        eps_g.
    why : str
        Why this method.
    overlaps : callable
        Overlaps from what `solve` returns, if it works in other variables.
    """

    solve: Callable[[Any, Any], Solution]
    errors: Callable[[Any], Any]
    why: str
    overlaps: Callable[[Any], Any] = lambda values: values


@dataclass(frozen=True)
class Stretch:
    """Part of a run: times (T,), states (T, ...) and eps_g (T,) by one flow."""

    flow: Flow
    times: Any
    states: Any
    errors: Any
    how: str
    notes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def run(cls, flow: Flow, begin: float, state: Any, times: Any) -> Stretch:
        """From `state` at `begin` through `times`.

        Raises
        ------
        Halted
            If the method stops; with what was reached.
        """
        try:
            found = flow.solve(state, times - begin)
        except Stopped as stop:
            count = len(stop.values)
            part = cls(flow, times[:count], stop.values, flow.errors(stop.values), str(stop))
            raise Halted(str(stop), part) from None
        return cls(flow, times, found.values, flow.errors(found.values), found.how, found.notes)

    def until(self, end: float) -> Stretch:
        """The part before `end`."""
        return self.at(self.times[self.times < end])

    def at(self, times: Any) -> Stretch:
        """Only those of its times that are among `times`."""
        kept = np.isin(self.times, times)
        if kept.all():
            return self
        return replace(
            self, times=self.times[kept], states=self.states[kept], errors=self.errors[kept]
        )


class Halted(ArithmeticError):
    """A stretch ended early; `stretch` is the part that was reached."""

    def __init__(self, message: str, stretch: Stretch) -> None:
        super().__init__(message)
        self.stretch = stretch
