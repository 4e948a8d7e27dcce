"""How fast a trajectory leaves the symmetric plateau: measured, to be held against the formula.

Summary
    The drift alone (eta -> 0) is integrated from the symmetric fixed point with a small step
    towards specialisation: the step grows, everything symmetric must rest.

Mathematics
    r_in = R* + d (delta_in - 1/M) and q = r r^T in every mode: students inside the span of the
    teachers. S = R_11 - R_12 grows as S(0) exp(gamma alpha) [1 + O(S)]; the means over all entries
    of Q and of R do not contain S to first order and stay at Q* and R*.

References
    [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995); [BS95] Biehl & Schwarze, J. Phys. A 28, 643;
    [WR24] Worschech & Rosenow, arXiv:2410.09005.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.models import TeacherStudent
from theory.online import order_parameter_odes
from theory.plateau import Plateau, plateau

from .initial import InitialCondition
from .integrate import integrate
from .trajectory import Trajectory

__all__ = ["Escape", "measure_escape"]

STEP = 1e-6
"""d, so small that S stays below 1e-4, so large that the rounding of R is below 1e-9 of it."""
EFOLDS = 3
POINTS = 31


@dataclass(frozen=True)
class Escape:
    """The escape from the symmetric plateau, measured on integrated trajectories.

    Attributes
    ----------
    model : TeacherStudent
    rate : float
        gamma measured: slope of log S against alpha, by least squares.
    formula : float
        gamma of `theory.plateau`.
    drift : float
        Largest distance from Q* and R* of the means over the entries of Q and R.
    """

    model: TeacherStudent
    rate: float
    formula: float
    drift: float

    @property
    def difference(self) -> float:
        """Relative difference of the measured rate from the formula."""
        return self.rate / self.formula - 1


def measure_escape(model: TeacherStudent) -> Escape:
    """Measure the escape rate and the rest at the fixed point, eta^2 terms dropped.

    Parameters
    ----------
    model : TeacherStudent
        erf, K = M >= 2, with numbers for M, L and eta.

    Raises
    ------
    NotImplementedError, ValueError
        If the plateau has no closed form, or a parameter of the model is a symbol.
    """
    point = plateau(model)
    if not point.escape_rate.is_number:
        raise ValueError(
            f"measure_escape: the rate {point.escape_rate} still contains symbols: "
            "use model.replace(...)"
        )
    formula = float(point.escape_rate)
    path = _path(point, EFOLDS / formula)
    specialisation = path.R[:, 0, 0] - path.R[:, 0, 1]
    rate, _ = np.polyfit(path.alpha, np.log(specialisation), 1)
    away = (path.Q.mean(axis=(1, 2)) - float(point.Q), path.R.mean(axis=(1, 2)) - float(point.R))
    return Escape(model, float(rate), formula, float(np.max(np.abs(away))))


def _path(point: Plateau, alpha: float) -> Trajectory:
    """Gradient flow from the fixed point, moved by STEP towards specialisation."""
    M, L = int(point.model.M), int(point.model.spectrum.L)
    r = float(point.R) + STEP * (np.eye(M) - 1 / M)
    start = InitialCondition(np.broadcast_to(r @ r.T, (L, M, M)), np.broadcast_to(r, (L, M, M)))
    ode = order_parameter_odes(point.model, gradient_flow=True)
    return integrate(ode, start, alpha, at=np.linspace(0, alpha, POINTS))
