"""Newton corrections of collocation in modes, in double precision, at a cost linear in L.

Summary
    The stage equations linearised at every stage, (A^-1 - h J_i) d = defect, are solved by
    iterative refinement: the solver behind it keeps one D for all stages, which makes it a small
    triangular system per mode and eigenvalue of D^x, and has the coupling of the modes through Q
    and R exactly, as a dense system of p s unknowns (Sherman-Morrison-Woodbury).

Notation
    p rows, L modes, s stages; J_i v = eta lam_k B_i v_k - decay v + eta lam_k B'_i(C(v)) x_i,
    B the generator of `numerics.mode_equations`, B' its derivative in the p entries of C.

References
    Hairer & Wanner, Solving Ordinary Differential Equations II (1996), IV.8; Golub & Van Loan,
    Matrix Computations, 2.1.4, 3.5.3 (Sherman-Morrison-Woodbury, iterative refinement).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product as pairs_of
from typing import Any

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from .mode_equations import ModeEquations

__all__ = ["Linearisation", "NewtonSolver", "linearise"]

SLOWEST = 0.7
"""Contraction above which a smaller step is cheaper than more refinements."""


@dataclass(frozen=True, eq=False)
class Linearisation:
    """Jacobians at s states, in double precision.

    Attributes
    ----------
    equations : ModeEquations
    generators : (s, p, P)
    derivatives : (s, p, p, P)
        Of the generators in the p entries of C.
    points : (s, P, L)
        The states, extended.
    """

    equations: ModeEquations
    generators: Any
    derivatives: Any
    points: Any

    def apply(self, v: Any) -> Any:
        """J_i v_i at all stages, v (s, p, L)."""
        eq, p = self.equations, v.shape[1]
        coupling = np.einsum("sa,sapr->spr", v @ eq.wl, self.derivatives)
        moved = self.generators[:, :, :p] @ v + coupling @ self.points
        return moved * eq.el - eq.decay * v


def linearise(equations: ModeEquations, x: Any) -> Linearisation:
    """Jacobians at the states x (s, p, L); B is differentiated by differences of order four."""
    C = equations.covariances(x)
    derivatives = []
    for i, f in equations.pairs:
        step = 1e-3 * np.maximum(C[:, i, i], 1e-3)
        move = np.zeros_like(C)
        move[:, i, f] = move[:, f, i] = step
        near = equations.generators(C + move) - equations.generators(C - move)
        far = equations.generators(C + 2 * move) - equations.generators(C - 2 * move)
        derivatives.append((8 * near - far) / (12 * step[:, None, None]))
    return Linearisation(
        equations, equations.generators(C), np.stack(derivatives, axis=1), equations.extended(x)
    )


@dataclass(frozen=True, eq=False)
class NewtonSolver:
    """Solver of (A^-1 - h J) d = defect, preconditioned with D averaged over the stages.

    Parameters
    ----------
    at : Linearisation
    inverse : (s, s)
        A^-1.
    h : float
    """

    at: Linearisation
    inverse: Any
    h: float

    @cached_property
    def _rotations(self) -> tuple[Any, Any]:
        """V^T r, V^T q V on the rows, and back; V diagonalises the mean D^x."""
        K, M, _ = self.at.equations.compiled.sizes
        # Rows r_i1 of the generator's columns r_j1 hold D_ij.
        drift = self.at.generators[:, : K * M : M, : K * M : M].mean(axis=0)
        V = np.linalg.eigh(drift)[1]
        return self._on_rows(V.T), self._on_rows(V)

    def _on_rows(self, W: Any) -> Any:
        """Matrix on the p rows of r -> W r, q -> W q W^T."""
        K, M, _ = self.at.equations.compiled.sizes
        teachers, pairs = K * M, self.at.equations.pairs
        matrix = np.zeros((len(pairs), len(pairs)))
        matrix[:teachers, :teachers] = np.kron(W, np.eye(M))
        for a, (i, j) in enumerate(pairs[teachers:], teachers):
            for b, (l, m) in enumerate(pairs[teachers:], teachers):
                matrix[a, b] = W[i, l] * W[j, m] + (W[i, m] * W[j, l] if l != m else 0)
        return matrix

    @cached_property
    def _mean(self) -> Any:
        """The mean generator on the rows, rotated: diagonal, and q driven by r."""
        there, back = self._rotations
        return there @ self.at.generators[:, :, : len(there)].mean(axis=0) @ back

    @cached_property
    def _blocks(self) -> Any:
        """(A^-1 - h (eta lam_k d - decay))^-1 for every row and mode, (p, L, s, s)."""
        eq = self.at.equations
        rates = self.h * (np.diag(self._mean)[:, None] * eq.el - eq.decay)
        return np.linalg.inv(self.inverse - rates[..., None, None] * np.eye(len(self.inverse)))

    def _solve_blocks(self, v: Any) -> Any:
        """The modes alone, in rotated rows, without their coupling; v (s, p, L)."""
        eq = self.at.equations
        teachers = eq.compiled.sizes[0] * eq.compiled.sizes[1]
        moved = np.ascontiguousarray(np.moveaxis(v, 0, -1))[..., None]
        moved[:teachers] = self._blocks[:teachers] @ moved[:teachers]
        pull = np.tensordot(self._mean[teachers:, :teachers], moved[:teachers], 1)
        moved[teachers:] += self.h * eq.el[:, None, None] * pull
        moved[teachers:] = self._blocks[teachers:] @ moved[teachers:]
        return np.moveaxis(moved[..., 0], -1, 0)

    @cached_property
    def _coupling(self) -> Any:
        """Factors of 1 - (response of C at stage i to C at stage j), p s unknowns."""
        eq, (there, back), stages = self.at.equations, self._rotations, len(self.inverse)
        p, teachers = len(there), eq.compiled.sizes[0] * eq.compiled.sizes[1]
        force = self.h * eq.el * (there @ self.at.derivatives @ self.at.points[:, None])
        force = np.ascontiguousarray(np.moveaxis(force, (0, 2), (1, 0)))  # (row, j, b, L)
        response = np.zeros((p, stages, stages, p))
        for c in range(p):
            kernel = eq.wl[:, None, None] * self._blocks[c]
            response[c] += np.einsum("kij,jbk->ijb", kernel, force[c], optimize=True)
        for c, a in pairs_of(range(teachers, p), range(teachers)):
            if self._mean[c, a] != 0:
                weight = (self.h * self._mean[c, a] * eq.el * eq.wl)[:, None, None]
                kernel = weight * (self._blocks[c] @ self._blocks[a])
                response[c] += np.einsum("kij,jbk->ijb", kernel, force[a], optimize=True)
        matrix = np.tensordot(back, response, 1).transpose(1, 0, 2, 3).reshape(stages * p, -1)
        return lu_factor(np.eye(stages * p) - matrix, check_finite=False)

    def precondition(self, defect: Any) -> Any:
        """The correction with the mean drift, defect (s, p, L)."""
        eq, (there, back) = self.at.equations, self._rotations
        turned = there @ defect
        alone = self._solve_blocks(turned)
        overlaps = (back @ alone) @ eq.wl
        response = lu_solve(self._coupling, overlaps.ravel(), check_finite=False)
        coupling = np.einsum("sa,sapr->spr", response.reshape(overlaps.shape), self.at.derivatives)
        force = self.h * eq.el * (there @ (coupling @ self.at.points))
        return back @ self._solve_blocks(turned + force)

    def solve(self, at: Linearisation, defect: Any, accuracy: float) -> Any:
        """The correction for the Jacobians `at`, defect (s, p, L); None if refinement diverges.

        Parameters
        ----------
        at : Linearisation
            At the stages now; near the one the solver was made from.
        defect : (s, p, L)
        accuracy : float
            Of the result, relative to its largest entry.
        """
        total = self.precondition(defect)
        before = np.max(np.abs(total))
        while True:
            left = defect - np.tensordot(self.inverse, total, 1) + self.h * at.apply(total)
            change = self.precondition(left)
            total += change
            size = np.max(np.abs(change))
            if size <= accuracy * np.max(np.abs(total)):
                return total
            # Written so that a value that is not a number ends the iteration.
            if not size < SLOWEST * before:
                return None
            before = size
