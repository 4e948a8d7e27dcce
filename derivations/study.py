"""The main study: two-layer networks on power-law data, theory against simulation.

Summary
    K = M = 2, erf, beta = 1, eta = 1/10, at several numbers L of eigenvalues: the order-parameter
    equations integrated in double and in high precision, SGD simulated from the same start, modes
    held against moments, and the escape from the plateau measured.

References
    [WR24] Worschech & Rosenow, arXiv:2410.09005; [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from numerics import Comparison, InitialCondition, Trajectory, compare, integrate, simulate
from numerics.escape import Escape, measure_escape
from theory import Plateau, PowerLaw, TeacherStudent, order_parameter_odes, plateau

__all__ = ["FULL", "QUICK", "Curve", "Settings", "Study", "perform"]

Progress = Callable[[str, Iterable[Any]], Iterable[Any]]
"""``progress(stage, items)`` iterates over items and shows how far it is."""


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes
    ----------
    horizons : tuple of (L, alpha)
        Comparisons run to this alpha, past the escape; every N / L is at least K + M.
    end : int
        The theory is drawn up to this alpha.
    N, runs, seed : int
        Of the simulations.
    digits : int
        Of the high-precision runs.
    units : tuple of int
        K = M of the escape measurements.
    moments : (L, alpha)
        Where the moment form is integrated too.
    full_claims : bool
        Whether published claims are judged on their larger cases.
    """

    horizons: tuple[tuple[int, int], ...] = ((1, 2000), (4, 1000), (16, 500), (64, 200))
    end: int = 3000
    N: int = 512
    runs: int = 16
    seed: int = 1
    digits: int = 30
    units: tuple[int, ...] = (2, 3, 5)
    moments: tuple[int, int] = (4, 100)
    full_claims: bool = True

    @property
    def sizes(self) -> tuple[int, ...]:
        """The numbers of eigenvalues."""
        return tuple(L for L, _ in self.horizons)


FULL = Settings()
QUICK = Settings(
    horizons=((1, 1500), (4, 800)),
    N=128,
    runs=8,
    digits=20,
    units=(2,),
    moments=(4, 10),
    full_claims=False,
)
"""The same path through the house on smaller cases."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One spectrum: what theory and simulation say.

    Attributes
    ----------
    line : Trajectory
        Double precision, up to `Settings.end`, for the figure.
    path, sharp, runs : Trajectory
        Double, high precision, ensemble, at the same times.
    """

    model: TeacherStudent
    line: Trajectory
    path: Trajectory
    sharp: Trajectory
    runs: Trajectory

    @property
    def L(self) -> int:
        """Number of eigenvalues."""
        return int(self.model.spectrum.L)

    @property
    def plateau(self) -> Plateau:
        """The symmetric plateau of the model."""
        return plateau(self.model)

    @property
    def comparison(self) -> Comparison:
        """Double precision and simulation against high precision."""
        return compare(self.sharp, self.path, self.runs)

    @property
    def specialised(self) -> float:
        """The alpha at which R_11 - R_12 first reaches 1/2, linear between output times.

        Raises
        ------
        ValueError
            If the theory line does not get there.
        """
        S = self.line.R[:, 0, 0] - self.line.R[:, 0, 1]
        later = np.flatnonzero(S >= 0.5)
        if not later.size:
            raise ValueError(f"L = {self.L}: still on the plateau at alpha = {self.line.alpha[-1]}")
        n = int(later[0])
        return float(np.interp(0.5, S[n - 1 : n + 1], self.line.alpha[n - 1 : n + 1]))


@dataclass(frozen=True, eq=False)
class Study:
    """Everything that was computed.

    Attributes
    ----------
    settings : Settings
    curves : tuple of Curve
    forms : Comparison
        Modes against moments, both in high precision.
    escapes : tuple of Escape
    """

    settings: Settings
    curves: tuple[Curve, ...]
    forms: Comparison
    escapes: tuple[Escape, ...]


def perform(settings: Settings, progress: Progress) -> Study:
    """Compute everything; `progress` wraps the loop of each stage."""
    cases = [(L, alpha, network(2, L), start(L)) for L, alpha in settings.horizons]
    lines, paths, sharp, runs = [], [], [], []
    for _, alpha, model, begin in progress("integrating in double precision", cases):
        ode = order_parameter_odes(model)
        lines.append(integrate(ode, begin, settings.end))
        paths.append(integrate(ode, begin, alpha))
    for _, alpha, model, begin in progress(f"integrating in {settings.digits} digits", cases):
        ode = order_parameter_odes(model)
        sharp.append(integrate(ode, begin, alpha, digits=settings.digits))
    for _, alpha, model, begin in progress(f"simulating {settings.runs} runs", cases):
        runs.append(simulate(model, begin, alpha, settings.N, settings.runs, settings.seed))
    (forms,) = [_compare_forms(settings) for _ in progress("modes against moments", [None])]
    grid = [(M, L) for M in settings.units for L in settings.sizes]
    escapes = [measure_escape(network(M, L)) for M, L in progress("measuring escapes", grid)]
    models = [model for _, _, model, _ in cases]
    curves = map(Curve, models, lines, paths, sharp, runs)
    return Study(settings, tuple(curves), forms, tuple(escapes))


def network(M: int, L: int) -> TeacherStudent:
    """K = M erf units, lam_k ~ k^-2, eta = 1/10."""
    return TeacherStudent(K=M, M=M, spectrum=PowerLaw(beta=1, L=L), eta="1/10")


def start(L: int) -> InitialCondition:
    """q_k = 1/16 and r_k = 1/16 times the identity: each student leans towards its own teacher.

    The lean is large against the noise of SGD at the N used, so that the theory and each run leave
    the plateau in the same direction, and small against one, so that there is a plateau.
    """
    both = np.broadcast_to(np.eye(2) / 16, (L, 2, 2))
    return InitialCondition(q=both, r=both)


def _compare_forms(settings: Settings) -> Comparison:
    L, alpha = settings.moments
    ode = order_parameter_odes(network(2, L))
    modes, moments = (
        integrate(form, start(L), alpha, digits=settings.digits)
        for form in (ode.modes(), ode.moments())
    )
    return compare(modes, moments)
