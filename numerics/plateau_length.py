"""The length of the plateau, measured on integrated trajectories that start less and less split.

Summary
    Students start alike, small, and split by S_0 in the direction in which each finds a teacher.
    Where there is a plateau its length grows by the escape time whenever S_0 falls by a factor e;
    where there is none, no length is given and printing the result says why.

Mathematics
    r_k = S_0 E, q_k = sigma_J^2 1 + r_k r_k^T in every mode, E the K x M matrix with ones on its
    diagonal, centred in rows and columns, of norm one. A pause of eps_g is the time between
    `PlateauEntered` and `PlateauLeft` (`numerics.events`). It is the plateau only if eps_g is then
    within WIDTH of that of the symmetric point: with many modes eps_g pauses above it, where the
    fast ones are alike, and specialise, while the slow ones still rest.

References
    [SS95] Saad & Solla; [BS95] Biehl & Schwarze; [WR24] Worschech & Rosenow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from theory.exact import positive, sequence
from theory.models import TeacherStudent
from theory.online import OrderParameterODE, order_parameter_odes
from theory.plateau import plateau
from theory.plateau_correction import plateau_correction
from theory.symmetric_point import symmetric_point

from .events import ErrorBelow, PlateauEntered, PlateauLeft
from .initial import InitialCondition
from .integrate import integrate
from .storage import Array

__all__ = ["PlateauLengths", "PlateauPoint", "find_pause", "measure_plateau"]

ESCAPES = 25.0
"""Escape times that a run lasts beyond tau_esc log(1/S_0), so that it sees the escape's end."""
WIDTH = 0.1
"""Relative distance of eps_g from its value on the plateau within which it is on the plateau."""


@dataclass(frozen=True)
class PlateauPoint:
    """Where the symmetric plateau is, in doubles.

    Attributes
    ----------
    error : float
        eps_g: to first order in eta with the noise of SGD, else for eta -> 0.
    escape_time : float
        tau_esc, for eta -> 0.
    """

    error: float
    escape_time: float

    @classmethod
    def of(cls, model: TeacherStudent, gradient_flow: bool) -> PlateauPoint:
        """From the closed forms where there are any, else from `theory.symmetric_point`.

        Raises
        ------
        NotImplementedError, ValueError
            If neither exists, a parameter is a symbol, the plateau is stable, or the noise of SGD
            is wanted without a closed form.
        """
        try:
            point: Any = plateau(model)
        except NotImplementedError:
            if not gradient_flow:
                raise NotImplementedError(
                    f"the plateau of {model} is known for eta -> 0 only: use gradient_flow=True"
                ) from None
            point = symmetric_point(model)
        rate = sp.sympify(point.escape_rate)
        if not rate.is_number:
            raise ValueError(
                f"measure_plateau: the escape rate {rate} still contains symbols: use "
                "model.replace(...)"
            )
        if rate <= 0:
            raise ValueError(
                f"measure_plateau: the symmetric plateau of {model} is stable (rate {rate}): it is "
                "never left"
            )
        shift = 0 if gradient_flow else model.eta * plateau_correction(model).error
        return cls(float(point.error + shift), float(1 / rate))


@dataclass(frozen=True)
class PlateauLengths:
    """Plateaus of one model from several starts; prints them, and where there is none.

    Attributes
    ----------
    model : TeacherStudent
    asymmetries : tuple of float
        S_0.
    pauses : tuple of float or None
        How long eps_g pauses, at whatever value; None where it does not.
    settled : tuple of bool
        Whether the pause is that of the symmetric plateau.
    escape_time : float
        tau_esc for eta -> 0.
    """

    model: TeacherStudent
    asymmetries: tuple[float, ...]
    pauses: tuple[float | None, ...]
    settled: tuple[bool, ...]
    escape_time: float

    @property
    def lengths(self) -> tuple[float | None, ...]:
        """Of the plateaus; None where the trajectory has none."""
        pairs = zip(self.pauses, self.settled, strict=True)
        return tuple(pause if settled else None for pause, settled in pairs)

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

    def __str__(self) -> str:
        lines = [f"plateau of {self.model}, tau_esc = {self.escape_time:.6g}"]
        for size, pause, settled in zip(self.asymmetries, self.pauses, self.settled, strict=True):
            lines.append(f"  S_0 = {size:<8g} {self._words(pause, settled)}")
        return "\n".join(lines)

    def _words(self, pause: float | None, settled: bool) -> str:
        if pause is None:
            return "no plateau: eps_g does not pause"
        long = f"{pause:.6g} = {pause / self.escape_time:.4g} tau_esc"
        if settled:
            return f"length {long}"
        return f"no plateau: eps_g pauses for {long}, but not within {WIDTH:.0%} of the plateau's"


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
        As for `theory.plateau` or, in gradient flow, `theory.symmetric_point` (any K and M, other
        activations), with numbers for all parameters.
    asymmetries : sequence of positive numbers below 1
        S_0, the norm of R centred in rows and columns.
    sigma_J : positive number
        Standard deviation of the students' components outside of the teachers' span.
    gradient_flow : bool
        Drop the eta^2 term, as the formula for tau_esc does.

    Raises
    ------
    NotImplementedError, ValueError
        If no tau_esc is known, a parameter is a symbol, or S_0 is not below 1.

    Examples
    --------
    A hundred times less asymmetry makes the plateau longer by log(100) = 4.605 escape times; a
    hundred eigenvalues leave no plateau at all:

    >>> from theory import PowerLaw, TeacherStudent
    >>> model = TeacherStudent(K=2, M=2, spectrum=PowerLaw(beta=1, L=2), eta="1/10")
    >>> short, long = measure_plateau(model, ["1/1000", "1/100000"]).lengths
    >>> round((long - short) / float(plateau(model).escape_time), 3)
    4.606
    >>> measure_plateau(model.replace(spectrum=PowerLaw(1, 100)), ["1/1000"]).lengths
    (None,)
    """
    point = PlateauPoint.of(model, gradient_flow)
    given = sequence(asymmetries, "measure_plateau: asymmetries")
    sizes = tuple(float(positive(s, "measure_plateau: S_0")) for s in given)
    if not all(s < 1 for s in sizes):
        raise ValueError(f"measure_plateau: S_0 must be below 1, found {max(sizes)}")
    sigma = float(positive(sigma_J, "sigma_J"))
    ode = order_parameter_odes(model, gradient_flow=gradient_flow)
    shape = int(model.K), int(model.M)
    found = []
    for size in sizes:
        end = point.escape_time * (ESCAPES - math.log(size))
        found.append(find_pause(ode, _start(shape, sigma, size), end, point.error))
    pauses, settled = zip(*found, strict=True)
    return PlateauLengths(model, sizes, pauses, settled, point.escape_time)


def find_pause(
    ode: OrderParameterODE, start: InitialCondition, end: float, error: float
) -> tuple[float | None, bool]:
    """How long eps_g pauses, if it does, and whether that is the plateau, of height `error`."""
    events = PlateauEntered(WIDTH), PlateauLeft(WIDTH)
    # The pause is left at eps_p/(1 + WIDTH), eps_p being eps_g in it.
    bounds = ErrorBelow(error), ErrorBelow(error / (1 + WIDTH) ** 2)
    path = integrate(ode, start, end, at=[end], events=(*events, *bounds))
    entered, left = (path.events[str(event)] for event in events)
    if entered is None or left is None:
        return None, False
    high, low = (path.events[str(event)] for event in bounds)
    return left - entered, high is not None and high <= left and (low is None or left <= low)


def _start(shape: tuple[int, int], sigma: float, size: float) -> InitialCondition:
    r = size * _direction(*shape)
    return InitialCondition((sigma**2 * np.eye(shape[0]) + r @ r.T)[None], r[None])


def _direction(K: int, M: int) -> Array:
    """E: ones on the diagonal, centred in rows and columns, of norm one."""
    centred = (np.eye(K) - 1 / K) @ np.eye(K, M) @ (np.eye(M) - 1 / M)
    return np.asarray(centred / np.linalg.norm(centred))
