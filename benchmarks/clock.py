"""Time taken, the best of several, and the budget beyond which nobody waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

REPEAT_BELOW = 2.0
"""Runs shorter than so many seconds are repeated, and the best one counts."""

REPEATS = 3


class OutOfTime(Exception):
    """A run went over its budget."""


class Timed(NamedTuple):
    """What a run gave, and the seconds it took; nothing and the budget if it went over."""

    value: Any
    seconds: float

    @property
    def shown(self) -> float | str:
        """For a table."""
        return f"> {self.seconds:.0f}" if self.value is None else self.seconds


class Budget:
    """Seconds that every run of a function may take; `spend` is called within it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = float("inf")

    def spend(self) -> None:
        """Stop the run if its time is up.

        Raises
        ------
        OutOfTime
        """
        if time.perf_counter() > self._end:
            raise OutOfTime

    def run(self, function: Callable[[], Any]) -> Timed:
        """Time `function`: the best of a few runs if it is short."""
        best = None
        for _ in range(REPEATS):
            began = time.perf_counter()
            self._end = began + self.seconds
            try:
                value = function()
            except OutOfTime:
                return Timed(None, self.seconds)
            taken = Timed(value, time.perf_counter() - began)
            best = taken if best is None or taken.seconds < best.seconds else best
            if taken.seconds > REPEAT_BELOW:
                break
        assert best is not None
        return best
