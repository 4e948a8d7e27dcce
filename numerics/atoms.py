"""A spectrum of any length as a few hundred atoms, and Gauss rules of discrete measures.

Summary
    The measure sum_k v_k delta(lam - lam_k), v_k = w_k lam_k, with overlaps c_k, is cut into blocks
    in which the variable y = log(1 + lam/lam_c) varies by no more than log 2; each is replaced by a
    Gauss rule of its own. The blocks of a power law whose eigenspaces start alike need no list of
    eigenvalues: k runs over consecutive integers, and their Gauss rule is known (Gram polynomials).

Method
    Lanczos with full reorthogonalisation on diag(y) from sqrt(v): a rule of n nodes is exact for
    polynomials of degree below 2 n in y, and projects the c_k onto those of degree below n.

References
    W. Gautschi, Orthogonal Polynomials: Computation and Approximation (2004), 1.5 (discrete
    Chebyshev polynomials) and 3.1 (Lanczos); Golub & Welsch, Math. Comp. 23, 221 (1969).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from scipy.linalg import eigh_tridiagonal

from theory.models import TeacherStudent
from theory.spectra import PowerLaw

from .initial import InitialCondition
from .measure import eigenvalues_and_weights, inverse_powers, power_sum
from .state import joint
from .storage import Array

__all__ = ["Atoms", "GaussRule", "consecutive", "gauss_rule", "projected", "spectral_atoms"]

RESOLVED = 4.0
"""lam_c = RESOLVED/(eta alpha): modes far below do not relax before the end."""
FROZEN = 1e-8
"""Modes below FROZEN lam_c are one atom: they move by 1e-8 at most, and linearly to 1e-16."""
WIDTH, BLOCK = math.log(2), 16
"""Blocks of y and their number of nodes, exact to degree 31: exp(-rate lam alpha) to rounding."""
FINE_WIDTH, FINE_BLOCK = WIDTH / 64, 6
"""Long lists are thinned in short blocks first, as accurately at a tenth of the cost."""

LIGHTEST = 1e-28
"""Nodes that carry less of the measure than this are left out."""


class GaussRule(NamedTuple):
    """Nodes of a discrete measure; ``projection @ c`` are the values there of the projected c."""

    nodes: Array
    masses: Array
    projection: Array


def gauss_rule(y: Array, mass: Array, n: int) -> GaussRule:
    """Gauss rule of sum_k mass_k delta(y - y_k), by Lanczos with full reorthogonalisation.

    Parameters
    ----------
    y, mass : (N,)
        Points and positive masses, n < N.
    n : int
        Number of nodes; fewer are returned if fewer carry the measure to rounding.

    Returns
    -------
    GaussRule
        nodes (n,) decreasing, masses (n,), projection (n, N).
    """
    basis, diagonal, side = np.empty((n, y.size)), np.empty(n), np.empty(n)
    root = np.sqrt(mass / mass.sum())
    vector, used = root, n
    for j in range(n):
        basis[j] = vector
        image = y * vector
        diagonal[j] = image @ vector
        for _ in range(2):
            image -= (basis[: j + 1] @ image) @ basis[: j + 1]
        side[j] = np.linalg.norm(image)
        if side[j] <= 1e-15 * y.max():
            used = j + 1
            break
        vector = image / side[j]
    nodes, vectors = eigh_tridiagonal(diagonal[:used], side[: used - 1])
    order = np.argsort(-nodes)
    # Below, rounding is all there is in a node, and the measure does not miss it.
    order = order[vectors[0, order] ** 2 > LIGHTEST]
    nodes, first, vectors = nodes[order], vectors[0, order], vectors[:, order]
    projection = (vectors / first).T @ (basis[:used] * root)
    return GaussRule(nodes, first**2 * mass.sum(), projection)


def consecutive(m: int, n: int) -> tuple[Array, Array]:
    """Gauss rule of n nodes for sum_{t=0}^{m-1} f(t), n <= m: nodes and masses (Gram polynomials).

    Recurrence: a = (m - 1)/2, b_j^2 = j^2 (m^2 - j^2)/(4 (4 j^2 - 1)).
    """
    if m == n:
        return np.arange(float(n)), np.ones(n)
    j = np.arange(1.0, n)
    side = j / 2 * np.sqrt((m - j) * (m + j) / (4 * j**2 - 1))
    nodes, vectors = eigh_tridiagonal(np.full(n, (m - 1) / 2), side)
    return nodes, m * vectors[0] ** 2


@dataclass(frozen=True, eq=False)
class Atoms:
    """A measure of atoms in place of the spectrum of a model, and the overlaps on them.

    Attributes
    ----------
    model : TeacherStudent
    lam, mass : (n,)
        Decreasing eigenvalues and their v = w lam.
    overlaps : (n, K+M, K+M) or (1, K+M, K+M)
        c_k; a single entry holds for all.
    cut : float
        lam_c.
    time_scale : float
        The equations with these eigenvalues run to time_scale times the alpha asked for.
    provenance : dict
        Of the start.
    """

    model: TeacherStudent
    lam: Array
    mass: Array
    overlaps: Array
    cut: float
    time_scale: float
    provenance: dict[str, Any]

    def variable(self, lam: Array) -> Array:
        """The variable y = log(1 + lam/lam_c)."""
        return _variable(lam, self.cut)

    def eigenvalue(self, y: Array) -> Array:
        """The eigenvalue at y, inside the atoms: rounding may put a node at their end outside."""
        return _eigenvalue(y, self.cut, self.lam)


def _variable(lam: Array, cut: float) -> Array:
    return np.log1p(lam / cut)


def _eigenvalue(y: Array, cut: float, inside: Array) -> Array:
    """The inverse, within the range of the decreasing eigenvalues `inside`."""
    return np.clip(cut * np.expm1(y), inside[-1], inside[0])


def spectral_atoms(model: TeacherStudent, start: InitialCondition, alpha: float) -> Atoms:
    """Return a few hundred atoms on which the equations run like on the whole spectrum up to alpha.

    Parameters
    ----------
    model : TeacherStudent
    start : InitialCondition
        One entry for each eigenspace, or a single one that holds for all.
    alpha : float
        Final time; for L = oo in units of 1/(eta lam_+).

    Raises
    ------
    ValueError
        If the model contains symbols or the start does not fit it.
    """
    _check(model, start)
    spectrum, eta = model.spectrum, float(model.eta)
    endless = spectrum.L is sp.oo
    time_scale = 1 / eta if endless else 1.0
    cut = RESOLVED / (eta * time_scale * alpha)
    if isinstance(spectrum, PowerLaw) and len(start.r) == 1:
        lam, mass = _power_law_atoms(spectrum, cut)
        overlaps = joint(start.q, start.r, start.t)
    else:
        lam, w = eigenvalues_and_weights(spectrum)
        given = start if len(start.r) == 1 else start.expanded(lam.size)
        overlaps = joint(given.q, given.r, given.t)
        order = np.argsort(-lam, kind="stable")
        if np.any(np.diff(order) != 1):
            lam, w = lam[order], w[order]
            overlaps = overlaps[order] if len(overlaps) > 1 else overlaps
        mass = w * lam
        for width, nodes in ((FINE_WIDTH, FINE_BLOCK), (WIDTH, BLOCK)):
            lam, mass, overlaps = _compressed(lam, mass, overlaps, cut, width, nodes)
    return Atoms(model, lam, mass, overlaps, cut, time_scale, start.provenance)


def _check(model: TeacherStudent, start: InitialCondition) -> None:
    model.require_plain("the reduction of modes")
    L, K, M = start.r.shape
    given = model.K, model.M, model.eta
    unknown = {x for e in given for x in e.free_symbols} | model.spectrum.free_symbols
    if unknown:
        raise ValueError(
            f"the model still contains the symbols {sorted(map(str, unknown))}: give them values "
            "with model.replace(...) before its modes are reduced"
        )
    if (model.K, model.M) != (K, M):
        raise ValueError(
            f"the start has overlaps r of shape {start.r.shape}, but the model has K = {model.K} "
            f"and M = {model.M}"
        )
    if model.spectrum.L is sp.oo and L != 1:
        raise ValueError(
            f"the start has overlaps of {L} eigenspaces, the model has infinitely many: give a "
            "single entry, which holds for all"
        )


def _power_law_atoms(spectrum: PowerLaw, cut: float) -> tuple[Array, Array]:
    """Atoms of k = 1..L without a list of them: blocks of k, and one atom for the frozen tail."""
    exponent, L = 1 + spectrum.beta, spectrum.L
    total = power_sum(exponent, 1, L)
    largest = 1.0 if L is sp.oo else float(L / total)
    last = math.inf if L is sp.oo else int(L)
    growth = 2.0 ** (1 / float(exponent)) - 1
    slowest = (largest / (FROZEN * cut)) ** (1 / float(exponent))
    points, counts, k = [], [], 1
    while k <= min(last, slowest):
        m = int(min(max(BLOCK, int(k * growth)), last - k + 1))
        offsets, count = consecutive(m, min(m, BLOCK))
        points.append(k + offsets)
        counts.append(count)
        k += m
    powers = inverse_powers(np.concatenate(points), exponent)
    lam, mass = largest * powers, np.concatenate(counts) * powers / float(total)
    if k <= last:
        tail, square = power_sum(exponent, k, L), power_sum(2 * exponent, k, L)
        lam = np.append(lam, largest * float(square / tail))
        mass = np.append(mass, float(tail / total))
    return lam, mass


def _compressed(
    lam: Array, mass: Array, overlaps: Array, cut: float, width: float, nodes: int
) -> tuple[Array, Array, Array]:
    """Gauss rules of `nodes` nodes in place of blocks of decreasing lam, overlaps projected."""
    y = _variable(lam, cut)
    edges = np.flatnonzero(np.diff(np.floor(y / width))) + 1
    found: list[tuple[Array, Array, Array]] = []
    for block in map(slice, [0, *edges], [*edges, lam.size]):
        part = overlaps if len(overlaps) == 1 else overlaps[block]
        if block.stop - block.start <= nodes:
            found.append((lam[block], mass[block], part))
            continue
        rule = gauss_rule(y[block], mass[block], nodes)
        points = _eigenvalue(rule.nodes, cut, lam[block])
        found.append((points, rule.masses, projected(rule, part)))
    places, masses, parts = zip(*found, strict=True)
    together = overlaps if len(overlaps) == 1 else np.concatenate(parts)
    return np.concatenate(places), np.concatenate(masses), together


def projected(rule: GaussRule, overlaps: Array) -> Array:
    """Overlaps (N, F, F) projected onto the nodes of a rule; a single entry holds there too."""
    if len(overlaps) == 1:
        return overlaps
    values = (rule.projection @ overlaps.reshape(len(overlaps), -1)).reshape(
        -1, *overlaps.shape[1:]
    )
    # Symmetric to the last bit, whatever the matrix product did.
    return (values + np.swapaxes(values, -1, -2)) / 2
