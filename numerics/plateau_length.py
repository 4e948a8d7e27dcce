"""The length of the plateau, measured on integrated trajectories that start less and less split.

Summary
    Students start alike, small, and split by S_0 in the direction in which each finds a teacher.
    Where there is a plateau its length grows by the escape time whenever S_0 falls by a factor e;
    where there is none, no length is given.

Mathematics
    r_k = S_0 (1 - ones/M)/sqrt(M - 1), q_k = sigma_J^2 1 + r_k r_k^T in every mode; the length is
    the time between `PlateauEntered` and `PlateauLeft` (`numerics.events`).

References
    [SS95] Saad & Solla; [BS95] Biehl & Schwarze; [WR24] Worschech & Rosenow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.exact import positive, sequence
from theory.models import TeacherStudent
from theory.online import order_parameter_odes
from theory.plateau import plateau

from .events import PlateauEntered, PlateauLeft
from .initial import InitialCondition
from .integrate import integrate

__all__ = ["PlateauLengths", "measure_plateau"]

ESCAPES = 25.0
"""Escape times that a run lasts beyond tau_esc log(1/S_0), so that it sees the escape's end."""


@dataclass(frozen=True)
class PlateauLengths:
    """Plateaus of one model from several starts.

    Attributes
    ----------
    model : TeacherStudent
    asymmetries : tuple of float
        S_0.
    lengths : tuple of float or None
        None where the trajectory has no plateau.
    escape_time : float
        tau_esc of `theory.plateau`.
    """

    model: TeacherStudent
    asymmetries: tuple[float, ...]
    lengths: tuple[float | None, ...]
    escape_time: float

    @property
    def slope(self) -> float:
        """Growth of the length with log(1/S_0) in units of tau_esc, by least squares.

        Raises
        ------
        ValueError
            If fewer than two starts lead to a plateau.
        """
        pairs = zip(self.asymmetries, self.lengths, strict=True)
        found = [(-math.log(s), length) for s, length in pairs if length is not None]
        if len(found) < 2:
            raise ValueError(
                f"a slope needs two plateaus, found {len(found)} for S_0 = {self.asymmetries}: "
                "start with less asymmetry, or fewer modes"
            )
        logarithms, lengths = np.array(found).T
        slope, _ = np.polyfit(logarithms, lengths, 1)
        return float(slope) / self.escape_time


def measure_plateau(
    model: TeacherStudent,
    asymmetries: Sequence[Any],
    sigma_J: Any = "1/100",
    gradient_flow: bool = True,
) -> PlateauLengths:
    """Integrate from starts of given asymmetry and measure the plateaus.

    Parameters
    ----------
    model : TeacherStudent
        As for `theory.plateau.plateau`, with numbers for M, eta and the spectrum.
    asymmetries : sequence of positive numbers below 1
        S_0, the norm of R centred in rows and columns.
    sigma_J : positive number
        Standard deviation of the students' components outside of the teachers' span.
    gradient_flow : bool
        Drop the eta^2 term, as the formula for tau_esc does.

    Raises
    ------
    NotImplementedError, ValueError
        If there is no formula for tau_esc, a parameter is a symbol, or S_0 is not below 1.
    """
    rate = plateau(model).escape_rate
    if not rate.is_number:
        raise ValueError(
            f"measure_plateau: the escape rate {rate} still contains symbols: use "
            "model.replace(...)"
        )
    given = sequence(asymmetries, "measure_plateau: asymmetries")
    sizes = tuple(float(positive(s, "measure_plateau: S_0")) for s in given)
    if not all(s < 1 for s in sizes):
        raise ValueError(f"measure_plateau: S_0 must be below 1, found {max(sizes)}")
    sigma, time = float(positive(sigma_J, "sigma_J")), 1 / float(rate)
    ode = order_parameter_odes(model, gradient_flow=gradient_flow)
    lengths = []
    for size in sizes:
        end = time * (ESCAPES - math.log(size))
        events = PlateauEntered(), PlateauLeft()
        path = integrate(ode, _start(int(model.M), sigma, size), end, at=[end], events=events)
        entered, left = (path.events[str(event)] for event in events)
        lengths.append(None if entered is None or left is None else left - entered)
    return PlateauLengths(model, sizes, tuple(lengths), time)


def _start(M: int, sigma: float, size: float) -> InitialCondition:
    r = size * (np.eye(M) - 1 / M) / math.sqrt(M - 1)
    return InitialCondition((sigma**2 * np.eye(M) + r @ r.T)[None], r[None])
