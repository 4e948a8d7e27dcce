"""Few modes for many: Gauss nodes of the spectrum, with the overlaps projected onto them.

Summary
    Q and R see the spectrum only through the measure sum_k v_k delta(lam - lam_k), v_k = w_k lam_k,
    and through v_k c_k at alpha = 0. The n Gauss nodes of that measure, with the overlaps projected
    onto polynomials of degree below n and read off at the nodes, obey the same equations: a model
    of n modes, exact for every polynomial moment it can hold.

Method
    Polynomials in y = log(1 + lam/lam_c): the modes relax like exp(-rate lam alpha), at equal steps
    in log lam, but those with lam << lam_c = 4/(eta alpha) do not move until the end and need no
    nodes. First every eigenvalue goes into a block where y varies by log 2 and a block into a few
    Gauss nodes of its own (`numerics.atoms`), some hundred atoms for any L; the nodes follow
    from these by Lanczos steps. How many nodes suffice is found by comparing two sizes (`refine`).

Notation
    c_k = [[q_k, r_k], [r_k^T, t_k]], the overlaps in eigenspace k.

References
    [YO19] Yoshida & Okada, NeurIPS 2019 (the modes are linear given Q and R); [WR24] Worschech &
    Rosenow, arXiv:2410.09005; W. Gautschi, Orthogonal Polynomials: Computation and Approximation
    (2004), 2.2 and 3.1 (discrete measures, Lanczos, Gauss nodes).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from theory.models import TeacherStudent
from theory.spectra import Quadrature

from .atoms import Atoms, gauss_rule, projected, spectral_atoms
from .errors import IntegrationError
from .initial import InitialCondition
from .storage import Array

__all__ = ["Reduction", "difference", "reduce_modes", "refine"]

ALIKE, PROJECTED = 6.5, 4.5
"""Measured: n nodes over a range Y of y err by less than exp(-ALIKE n/Y), relative to eps_g; with
overlaps that differ from mode to mode at random, by less than exp(-PROJECTED n/Y)."""
GROWTH = 1.5
"""Ratio of two sizes that are compared."""
LARGEST = 400
"""The most nodes tried: what does not agree by then is not limited by the nodes."""


@dataclass(frozen=True, eq=False)
class Reduction:
    """A model of few modes that moves Q and R like a model of many.

    Attributes
    ----------
    model : TeacherStudent
        The same with the nodes as spectrum, a `Quadrature`.
    start : InitialCondition
        The overlaps projected onto the nodes. Mode by mode they need belong to no vectors.
    time_scale : float
        The reduced model is to run to time_scale times the alpha asked for: 1, but 1/eta for L = oo
        where time is eta lam_+ alpha.
    """

    model: TeacherStudent
    start: InitialCondition
    time_scale: float

    @property
    def nodes(self) -> int:
        """Number of modes."""
        return int(self.model.spectrum.L)


def reduce_modes(
    model: TeacherStudent, start: InitialCondition, nodes: int, alpha: Any
) -> Reduction:
    """A model of `nodes` modes for times up to `alpha`.

    Parameters
    ----------
    model : TeacherStudent
        With numbers for all parameters; L may be ``sympy.oo``, and alpha is eta lam_+ alpha then.
    start : InitialCondition
        One entry for each of the L eigenspaces, or a single one that holds for all.
    nodes : int
        Number of Gauss nodes; the spectrum itself if it has no more eigenvalues than that.
    alpha : number
        Final time.

    Raises
    ------
    ValueError
        If the model contains symbols or the start does not fit it.
    """
    return _reduced(spectral_atoms(model, start, float(alpha)), nodes)


def _reduced(atoms: Atoms, nodes: int) -> Reduction:
    lam, mass, overlaps = atoms.lam, atoms.mass, atoms.overlaps
    if nodes < lam.size:
        rule = gauss_rule(atoms.variable(lam), mass, nodes)
        lam, mass = atoms.eigenvalue(rule.nodes), rule.masses
        overlaps = projected(rule, overlaps)
    overlaps = np.broadcast_to(overlaps, (lam.size, *overlaps.shape[1:]))
    K = int(atoms.model.K)
    arrays = overlaps[:, :K, :K], overlaps[:, :K, K:], overlaps[:, K:, K:]
    return Reduction(
        atoms.model.replace(spectrum=Quadrature(lam.tolist(), mass.tolist())),
        InitialCondition.unchecked(*arrays, provenance=atoms.provenance, exact=(None, None, None)),
        atoms.time_scale,
    )


class Observed(Protocol):
    """Order parameters at some times; a `Trajectory`, say."""

    @property
    def Q(self) -> Array: ...
    @property
    def R(self) -> Array: ...
    @property
    def generalization_error(self) -> Array: ...


Solved = TypeVar("Solved", bound=Observed)


def refine(
    model: TeacherStudent,
    start: InitialCondition,
    alpha: Any,
    solve: Callable[[Reduction], Solved],
    tolerance: float,
    smallest: float = 1e-6,
) -> tuple[Solved, Reduction, float]:
    """Solve with more and more nodes until two sizes agree; return the larger.

    Parameters
    ----------
    model, start, alpha
        As in `reduce_modes`.
    solve : callable
        Integrates a reduction; its own error must stay below the tolerance.
    tolerance : float
        Largest `difference` between two sizes, the second half as large again. It is the error of
        the smaller one; that of the larger one, which is returned, is smaller by orders.
    smallest : float
        As in `difference`.

    Returns
    -------
    solution, reduction, difference
        Of the larger size.

    Raises
    ------
    IntegrationError
        If no two sizes agree: nothing is returned that was not confirmed.
    ValueError
        As in `reduce_modes`.
    """
    atoms = spectral_atoms(model, start, float(alpha))
    tried: list[str] = []
    before: Solved | None = None
    for size in _sizes(atoms, tolerance):
        reduction = _reduced(atoms, size)
        found = solve(reduction)
        if before is not None:
            apart = difference(before, found, smallest)
            if apart <= tolerance:
                return found, reduction, apart
            tried.append(f"{apart:.1e} with {size} nodes")
        before = found
    raise IntegrationError(
        f"no reduction of {model.spectrum} is confirmed to {tolerance:.1e}: two sizes differ by "
        f"{', '.join(tried)}; integrate in all modes, or ask for less accuracy"
    )


def _sizes(atoms: Atoms, tolerance: float) -> Iterator[int]:
    """Numbers of nodes to try: the first should do, the second confirms it."""
    rate = ALIKE if len(atoms.overlaps) == 1 else PROJECTED
    extent = float(np.ptp(atoms.variable(atoms.lam)))
    size = max(8, math.ceil(extent * math.log(1 / tolerance) / rate))
    yield size
    while size < min(LARGEST, atoms.lam.size):
        size = math.ceil(GROWTH * size)
        yield size


def difference(first: Observed, second: Observed, smallest: float = 1e-6) -> float:
    """Largest difference of Q, of R, and of eps_g relative to itself, over the times of both.

    Where eps_g is below `smallest` its difference counts relative to that: a small difference of
    order parameters has no more digits in double precision.
    """
    overlaps = [np.max(np.abs(getattr(first, n) - getattr(second, n))) for n in ("Q", "R")]
    one, other = first.generalization_error, second.generalization_error
    relative = np.abs(one - other) / np.maximum(np.abs(other), smallest)
    return float(max(*overlaps, np.max(relative)))
