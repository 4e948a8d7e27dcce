"""What can go wrong while computing numbers, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .trajectory import Trajectory

__all__ = ["IntegrationError", "Stopped"]


class IntegrationError(ArithmeticError):
    """An integration stopped before its end; the message says where, what diverged and why.

    Attributes
    ----------
    trajectory : Trajectory or None
        The part that was reached, at the output times before the stop; None if there is none.
    """

    def __init__(self, message: str, trajectory: Trajectory | None = None) -> None:
        super().__init__(message)
        self.trajectory = trajectory


class Stopped(ArithmeticError):
    """A method could not go on: what it says to `integrate`, which keeps what was reached.

    Attributes
    ----------
    values : array (T', ...)
        States at the first T' output times, those that were reached.
    """

    def __init__(self, message: str, values: Any) -> None:
        super().__init__(message)
        self.values = values
