"""Times at which something happens along a trajectory: eps_g falls below a value, a plateau.

Summary
    An event is found on the grid of a run, then refined: the method of the run is restarted at the
    left end of the bracket and log eps_g is interpolated at Chebyshev points, on shorter and
    shorter brackets, until it is resolved to rounding. Times are good to about 1e-8.

The plateau
    Its place is a minimum of the rate -d log eps_g/d alpha between two maxima, the initial decay
    and the escape, both at least twice as fast; eps_p is eps_g there. It is entered when eps_g
    falls below (1 + width) eps_p and left when eps_g falls below eps_p/(1 + width). Where the rate
    has no such minimum there is no plateau, hence no time.

References
    [SS95] Saad & Solla (symmetric plateau); Trefethen, Approximation Theory and Approximation
    Practice (2013), ch. 8 and 18 (Chebyshev interpolants and their roots).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath as mp
import numpy as np
from numpy.polynomial import Chebyshev

from .errors import IntegrationError
from .flow import Stretch

__all__ = ["Curve", "ErrorBelow", "Event", "PlateauEntered", "PlateauLeft"]

DEGREE = 20
RESOLVED = 1e-12
"""Last Chebyshev coefficients of log eps_g, in units of its size, at which a piece is resolved."""
HALVINGS = 40
CONTRAST = 2.0


class Curve:
    """log eps_g along a run, at any time between its output times.

    Parameters
    ----------
    stretches : sequence of Stretch
        One after the other.
    """

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._stretches = [part for part in stretches if len(part.times)]
        times = np.concatenate([part.times for part in self._stretches])
        errors = np.concatenate([part.errors for part in self._stretches])
        # Where rounding has eaten eps_g it may come out as zero or negative.
        resolved = int(np.argmax(errors <= 0)) if np.any(errors <= 0) else len(errors)
        self.complete = resolved == len(errors)
        self.times = times[:resolved]
        self.log_error = _log(errors[:resolved])

        self._known: dict[int, list[Chebyshev]] = {}

    def pieces(self, index: int) -> list[Chebyshev]:
        """Interpolants of log eps_g that together cover times[index] to times[index + 1]."""
        if index not in self._known:
            part, own = self._part(index)
            begin, end = float(self.times[index]), float(self.times[index + 1])
            self._known[index] = _resolve(part, begin, part.states[own], end, HALVINGS)
        return self._known[index]

    def _part(self, index: int) -> tuple[Stretch, int]:
        """The stretch of times[index], and its index there."""
        for part in self._stretches:
            if index < len(part.times):
                return part, index
            index -= len(part.times)
        raise IndexError(f"a run of {len(self.times)} times has no time number {index}")

    @cached_property
    def plateau(self) -> tuple[int, float] | None:
        """Index of the interval where the plateau decays slowest, and log eps_g there."""
        return _plateau(self)


def _log(errors: Any) -> Any:
    return np.array([float(mp.log(e)) for e in errors])


def _resolve(part: Stretch, begin: float, state: Any, end: float, halvings: int) -> list[Chebyshev]:
    """Interpolate on [begin, end], in halves where one polynomial is not enough."""
    nodes = (1 - np.cos(np.pi * (np.arange(DEGREE) + 0.5) / DEGREE)) / 2
    middle = (begin + end) / 2
    offsets = np.sort(np.append(nodes, 0.5)) * (end - begin)
    states = part.flow.solve(state, offsets).values
    values = _log(part.flow.errors(states))
    half = int(np.searchsorted(offsets, 0.5 * (end - begin)))
    at_nodes = np.delete(values, half)
    # Discrete cosine transform at the nodes: exact interpolation.
    found = Chebyshev.fit(2 * nodes - 1, at_nodes, DEGREE - 1, domain=[-1, 1], window=[-1, 1])
    piece = Chebyshev(found.coef, domain=[begin, end])
    tail = np.max(np.abs(piece.coef[-3:]))
    if tail <= RESOLVED * max(1.0, np.max(np.abs(at_nodes))) or halvings == 0:
        return [piece]
    return [
        *_resolve(part, begin, state, middle, halvings - 1),
        *_resolve(part, middle, states[half], end, halvings - 1),
    ]


class Event(ABC):
    """Something that happens once, at a time that `locate` finds; its text is its name."""

    @abstractmethod
    def locate(self, curve: Curve) -> float | None:
        """The time, or None if it does not happen.

        Raises
        ------
        IntegrationError
            If rounding hides it.
        """


@dataclass(frozen=True)
class ErrorBelow(Event):
    """eps_g falls below `value` for the first time.

    Raises
    ------
    ValueError
        If the value is not positive.
    """

    value: float

    def __post_init__(self) -> None:
        if not 0 < self.value < np.inf:
            raise ValueError(f"ErrorBelow needs a positive value of eps_g, found {self.value}")

    def __str__(self) -> str:
        return f"eps_g below {self.value:g}"

    def locate(self, curve: Curve) -> float | None:
        found = _falls_below(curve, float(np.log(self.value)), 0, len(curve.times) - 1)
        if found is None and not curve.complete:
            raise IntegrationError(
                f"the time of {self} is not resolved: from alpha = {curve.times[-1]:.6g} on "
                "rounding is larger than eps_g; ask for digits"
            )
        return found


@dataclass(frozen=True)
class _PlateauEnd(Event):
    width: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.width < np.inf:
            raise ValueError(f"the width of a plateau must be positive, found {self.width}")


@dataclass(frozen=True)
class PlateauEntered(_PlateauEnd):
    """eps_g falls below (1 + width) eps_p; 0 if the run starts below."""

    def __str__(self) -> str:
        return "plateau entered"

    def locate(self, curve: Curve) -> float | None:
        found = curve.plateau
        if found is None:
            return None
        index, log_error = found
        level = log_error + float(np.log1p(self.width))
        above = np.flatnonzero(curve.log_error[: index + 1] >= level)
        return _falls_below(curve, level, int(above[-1]), index + 1) if len(above) else 0.0


@dataclass(frozen=True)
class PlateauLeft(_PlateauEnd):
    """eps_g falls below eps_p/(1 + width)."""

    def __str__(self) -> str:
        return "plateau left"

    def locate(self, curve: Curve) -> float | None:
        found = curve.plateau
        if found is None:
            return None
        index, log_error = found
        level = log_error - float(np.log1p(self.width))
        return _falls_below(curve, level, index, len(curve.times) - 1)


def _falls_below(curve: Curve, level: float, begin: int, end: int) -> float | None:
    """First time in times[begin] .. times[end] at which log eps_g falls below `level`."""
    for index in range(begin, end):
        if curve.log_error[index] >= level > curve.log_error[index + 1]:
            for piece in curve.pieces(index):
                low, high = piece.domain
                roots = (piece - level).roots()
                real = roots.real[np.abs(roots.imag) <= 1e-9 * (high - low)]
                inside = real[(real >= low) & (real <= high)]
                if len(inside):
                    return float(np.min(inside))
            return float(curve.times[index + 1])
    return None


def _plateau(curve: Curve) -> tuple[int, float] | None:
    """Index of the interval of the plateau's slowest decay, and log eps_g there."""
    rates = -np.diff(curve.log_error) / np.diff(curve.times)
    best, index = CONTRAST, None
    for middle in range(1, len(rates) - 1):
        slowest = max(rates[middle], 1e-300)
        contrast = min(np.max(rates[:middle]), np.max(rates[middle + 1 :])) / slowest
        if contrast > best:
            best, index = contrast, middle
    if index is None:
        return None
    candidates = []
    for near in range(index - 1, index + 2):
        for piece in curve.pieces(near):
            slope = piece.deriv()
            candidates += [
                (slope(time), piece(time), near)
                for time in (piece.deriv(2).roots().real)
                if piece.domain[0] <= time <= piece.domain[1]
            ]
    # The slowest decay is where the (negative) slope is largest.
    _, log_error, near = max(candidates, default=(0.0, curve.log_error[index], index))
    return near, float(log_error)
