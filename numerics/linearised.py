"""The equations linearised about the perfect student, solved for any spectrum: eps_g and rates.

Summary
    To first order in the overlaps of J - B, eps_g is V weighted by the Hessian, and the d_k obey
    linear equations whose matrix is symmetric in the right variables: one eigen-decomposition gives
    eps_g at all times, exponentially small values included. Its largest eigenvalue follows from the
    secular equation at a cost O(L).

Mathematics (components c = u, v of `theory.perfect_student`; z_kc = sqrt(w_k m_c) d_kc)
    dz/dalpha = S z,  S = -2 eta lam_k h_c delta + eta^2 sqrt(w_k) lam_k g~_ce lam_l sqrt(w_l)
    with g~_ce = sqrt(m_c/m_e) g_ce, symmetric;  eps_g = (1/2) sum_kc sqrt(w_k m_c) lam_k h_c z_kc.
    mu is an eigenvalue if det(1 - eta^2 F(mu) g) = 0,  F_c(mu) = sum_k w_k lam_k^2/(mu + 2 eta
    lam_k h_c); with label noise d_k minus its stationary value obeys the same.

References
    [WR24] Worschech & Rosenow; [SS95] Saad & Solla (isotropic inputs).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from scipy.optimize import brentq

from theory.models import TeacherStudent
from theory.perfect_student import perfect_student

from .atoms import spectral_atoms
from .initial import InitialCondition
from .measure import eigenvalues_and_weights
from .storage import Array

__all__ = ["Linearised", "growth_rate", "linearise"]

DIGITS = 30
DENSE = 400
"""Up to this many eigenvalues are decomposed as they are; more as atoms that stand for them."""


@dataclass(frozen=True, eq=False)
class Linearised:
    """The linear equations of d_k, decomposed.

    Attributes
    ----------
    model : TeacherStudent
    lam, weights : (n,)
        Eigenvalues and w_k, or atoms that stand for them up to the time asked for.
    rates : (C,)
        h_c, C = 2 components (1 for M = 1).
    multiplicities : (C,)
        m_c.
    kick : (C, C)
        g; zero in gradient flow.
    stationary : (C,)
        d_c that label noise leaves, to first order in it.
    time_scale : float
        Time of the equations per time asked for: 1, but 1/eta for L = oo.
    """

    model: TeacherStudent
    lam: Array
    weights: Array
    rates: Array
    multiplicities: Array
    kick: Array
    stationary: Array
    time_scale: float

    @cached_property
    def _decomposition(self) -> tuple[Array, Array]:
        """Eigenvalues (nC,) and eigenvectors of S."""
        eta, m = float(self.model.eta), np.sqrt(self.multiplicities)
        weight = np.sqrt(self.weights) * self.lam
        coupled = eta**2 * m[:, None] / m[None, :] * self.kick
        matrix = np.einsum("k,ce,l->kcle", weight, coupled, weight)
        size = len(self.lam) * len(m)
        damping = 2 * eta * np.outer(self.lam, self.rates).ravel()
        values, vectors = np.linalg.eigh(matrix.reshape(size, size) - np.diag(damping))
        return values, vectors

    @property
    def eigenvalues(self) -> Array:
        """Rates of change of d, ascending, (nC,); of the atoms where they stand for a spectrum."""
        return self._decomposition[0]

    def error(self, alpha: Any, d: Any = 1.0) -> Array:
        """eps_g at times `alpha` without the noise of the labels themselves, (T,).

        Parameters
        ----------
        alpha : (T,)
            Not beyond the time the equations were linearised for.
        d : float, (C,) or (n, C)
            Components of d_k at alpha = 0: 1 + sigma_J^2 for students that start at random.
        """
        modes, decays = self._relaxing(alpha, d)
        return decays @ modes + self.multiplicities * self.rates @ self.stationary / 2

    def slope(self, alpha: Any, d: Any = 1.0) -> Array:
        """Local exponent d log eps_g/d log alpha, (T,); arguments as for `error`."""
        modes, decays = self._relaxing(alpha, d)
        slope = decays @ (self.eigenvalues * self.time_scale * modes)
        return np.asarray(alpha, dtype=float) * slope / self.error(alpha, d)

    def _relaxing(self, alpha: Any, d: Any) -> tuple[Array, Array]:
        """Amplitudes of the eigenvectors in eps_g (nC,), and their decay (T, nC)."""
        values, vectors = self._decomposition
        m = np.sqrt(self.multiplicities)
        start = np.broadcast_to(d, (len(self.lam), len(m))) - self.stationary
        z = np.sqrt(self.weights)[:, None] * m * start
        weight = (np.sqrt(self.weights) * self.lam)[:, None] * m * self.rates
        modes = (vectors.T @ weight.ravel()) * (vectors.T @ z.ravel()) / 2
        times = np.asarray(alpha, dtype=float) * self.time_scale
        return modes, np.exp(np.outer(times, values))


def linearise(model: TeacherStudent, alpha: Any, gradient_flow: bool = False) -> Linearised:
    """Linearise about the perfect student, for times up to `alpha`.

    Parameters
    ----------
    model : TeacherStudent
        As for `theory.perfect_student.perfect_student`, numbers for all parameters; for L = oo
        alpha is eta lam_+ alpha.
    alpha : number
        Final time.
    gradient_flow : bool
        Drop the eta^2 term.

    Raises
    ------
    ValueError, NoClosedForm
        If a parameter is a symbol, or the model has no linearisation; with label noise, if eta is
        not below eta_max.
    """
    point = perfect_student(model)
    _require_numbers(model)
    lam, weights, time_scale = _modes(model, float(alpha))
    noise = sp.S.Zero if gradient_flow else model.label_noise
    C = len(point.rates)
    rest = point.amplified((model.eta * noise / 2,) * C) if noise != 0 else (sp.S.Zero,) * C
    return Linearised(
        model=model,
        lam=lam,
        weights=weights,
        rates=_vector(point.rates),
        multiplicities=_vector(point.multiplicities),
        kick=np.zeros((C, C)) if gradient_flow else _matrix(point.kick),
        stationary=_vector(rest),
        time_scale=time_scale,
    )


def _modes(model: TeacherStudent, alpha: float) -> tuple[Array, Array, float]:
    """Eigenvalues and weights to decompose, and the scale of time."""
    if model.spectrum.L is not sp.oo and model.spectrum.L <= DENSE:
        return *eigenvalues_and_weights(model.spectrum), 1.0
    one = np.eye(int(model.M))[None]
    atoms = spectral_atoms(model, InitialCondition(one, one), alpha)
    return atoms.lam, atoms.mass / atoms.lam, atoms.time_scale


def growth_rate(model: TeacherStudent) -> float:
    """Largest rate of change of d_k: negative for eta < eta_max, positive beyond; cost O(L).

    The largest zero mu of det(1 - eta^2 F(mu) g) above the pole at -2 eta min(lam) min(h).

    Raises
    ------
    ValueError, NoClosedForm
        If a parameter is a symbol, or the model has no linearisation.
    """
    point = perfect_student(model)
    _require_numbers(model)
    lam, w = eigenvalues_and_weights(model.spectrum)
    rates, kick, eta = _vector(point.rates), _matrix(point.kick), float(model.eta)
    root = np.sqrt(_vector(point.multiplicities))
    symmetric = root[:, None] / root[None, :] * kick
    poles = 2 * eta * np.outer(lam, rates)

    def secular(mu: float) -> float:
        # 1 minus the largest eigenvalue of eta^2 F g: increasing in mu above every pole.
        F = np.sqrt((w * lam**2) @ (1 / (mu + poles)))
        return 1 - eta**2 * float(np.linalg.eigvalsh(F[:, None] * symmetric * F)[-1])

    lowest = -float(poles.min()) * (1 - 1e-15)
    if secular(lowest) >= 0:
        return lowest  # no further from the pole than rounding
    highest = eta**2 * float(w @ lam**2) * float(np.linalg.eigvalsh(symmetric)[-1])
    return float(brentq(secular, lowest, highest, xtol=1e-300, rtol=1e-14))


def _require_numbers(model: TeacherStudent) -> None:
    given = model.M, model.eta, model.label_noise
    unknown = {x for e in given for x in e.free_symbols} | model.spectrum.free_symbols
    if unknown:
        raise ValueError(
            f"linearise: the model still contains the symbols {sorted(map(str, unknown))}: give "
            "them values with model.replace(...)"
        )


def _vector(values: Any) -> Array:
    return np.array([float(sp.N(x, DIGITS)) for x in values])


def _matrix(values: sp.MatrixBase) -> Array:
    return np.array([[float(sp.N(x, DIGITS)) for x in row] for row in values.tolist()])
