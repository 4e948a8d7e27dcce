"""The linear network solved: any spectrum, any learning rate, any K and M.

Summary
    All students move by the same increments, so that only the difference between the teachers' and
    the students' sums of vectors is learned, at the effective rate kappa = eta K c^2. Its squared
    projections e_k obey linear equations with a diagonal-plus-rank-one matrix.

Main results
    de_k/dalpha = -2 kappa lam_k e_k + kappa^2 lam_k (2 eps_g + sigma^2), eps_g = sum w lam e / 2;
    Volterra form: eps_g(alpha) = F(alpha) + int_0^alpha K(alpha - s) (eps_g(s) + sigma^2/2) ds,
        K(s) = kappa^2 sum_k w_k lam_k^2 exp(-2 a_k s), F the error without noise of SGD;
    secular equation for the rates mu of relaxation: 1 = kappa^2 sum_k w_k lam_k^2/(mu + 2 a_k);
    stable below eta_c = 2/(K c^2); floor sigma^2 kappa/(2 (2 - kappa)).

Notation
    S = sum_i J_i, V = sum_n B_n; e_k = c^2 |P_k (V - S)|^2/n_k; sigma^2 = label noise; d = weight
    decay; a_k = kappa lam_k + eta d. Weight decay pulls the mean of S to (kappa lam_k/a_k) V
    instead of V and adds the rates -a_k and 0.

References
    [WR24] Worschech & Rosenow, section on linear activation (K = M = 1, eta -> 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath as mp
import sympy as sp

from .linear_path import GUARD_DIGITS, LinearNumbers, LinearPath, read_overlaps
from .models import Activation, TeacherStudent

__all__ = ["LinearSolution", "linear_solution"]


@dataclass(frozen=True)
class LinearSolution:
    """What the model alone decides; `start` adds the initial overlaps.

    Attributes
    ----------
    model : TeacherStudent
        With linear activation.
    """

    model: TeacherStudent

    @property
    def effective_rate(self) -> sp.Expr:
        """Learning rate kappa = eta K c^2 of the sum of the students."""
        return self.model.eta * self.model.K * self.model.student_scale**2

    @cached_property
    def critical_learning_rate(self) -> sp.Expr:
        """eta_c, exact: above it noise of SGD feeds on itself and eps_g diverges.

        K(0) integrated equals one: 2/(K c^2 sum_k w_k lam_k^2/(lam_k + d/(K c^2))).
        """
        units = self.model.K * self.model.student_scale**2
        decay = self.model.weight_decay / units
        if decay == 0:
            return 2 / units
        spectrum = self.model.spectrum
        modes = zip(spectrum.weights, spectrum.eigenvalues, strict=True)
        return 2 / (units * sp.Add(*(w * e**2 / (e + decay) for w, e in modes)))

    @property
    def floor(self) -> sp.Expr:
        """eps_g at late times without weight decay, sigma^2 kappa/(2 (2 - kappa)), kappa < 2.

        Raises
        ------
        ValueError
            With weight decay, where it depends on the teacher (see ``start(...).limit``), and above
            eta_c, where there is none.
        """
        kappa = self.effective_rate
        if self.model.weight_decay != 0:
            raise ValueError(
                "floor: with weight decay it depends on the teacher's overlaps; use "
                "linear_solution(model).start(q, r, t).limit"
            )
        if kappa.is_number and kappa >= 2:
            raise ValueError(
                f"floor: there is none at eta = {self.model.eta}, since eps_g diverges from "
                f"eta_c = {self.critical_learning_rate} on; lower eta"
            )
        return self.model.label_noise * kappa / (2 * (2 - kappa))

    def kernel(self, time: Any) -> sp.Expr:
        """K(time) of the Volterra form, exact."""
        return sp.Add(*(c * sp.exp(-pole * time) for c, pole in self._poles))

    def secular(self, mu: Any) -> sp.Expr:
        """kappa^2 sum_k w_k lam_k^2/(mu + 2 a_k), exact; equal to one at the eigenvalues."""
        return sp.Add(*(c / (mu + pole) for c, pole in self._poles))

    @cached_property
    def _poles(self) -> list[tuple[sp.Expr, sp.Expr]]:
        """(kappa^2 w_k lam_k^2, 2 a_k)."""
        spectrum, kappa = self.model.spectrum, self.effective_rate
        decay = self.model.eta * self.model.weight_decay
        return [
            (kappa**2 * w * e**2, 2 * (kappa * e + decay))
            for w, e in zip(spectrum.weights, spectrum.eigenvalues, strict=True)
        ]

    def eigenvalues(self, digits: int = 15) -> tuple[mp.mpf, ...]:
        """Rates mu of eps_g, the slowest (largest) first; positive if the model is unstable.

        Equal eigenvalues of the data covariance share one.
        """
        with mp.workdps(digits + GUARD_DIGITS):
            roots = self._numbers().eigenvalues
        with mp.workdps(digits):
            return tuple(+root for root in roots)

    def _numbers(self) -> LinearNumbers:
        return LinearNumbers.of(self.model, self.effective_rate)

    def start(self, q: Any, r: Any, t: Any = None, digits: int = 30) -> LinearPath:
        """The solution from given overlaps.

        Parameters
        ----------
        q, r, t : (L, K, K), (L, K, M), (L, M, M), exact numbers
            Initial overlaps per eigenspace; t defaults to the identity. What
            ``InitialCondition.precise(digits)`` gives fits.
        digits : int
            Of every number that the path gives.

        Raises
        ------
        ValueError, TypeError
            If the model has symbols left, a shape is wrong, or the model is so close to eta_c (with
            a floor to reach) that its response exceeds 1e20.
        """
        K, M = int(self.model.K), int(self.model.M)
        with mp.workdps(digits + GUARD_DIGITS):
            numbers = self._numbers()
            L = len(numbers.lam)
            identity = [[[int(n == m) for n in range(M)] for m in range(M)]] * L
            overlaps = tuple(
                read_overlaps(given, name, shape)
                for given, name, shape in (
                    (q, "q", (L, K, K)),
                    (r, "r", (L, K, M)),
                    (identity if t is None else t, "t", (L, M, M)),
                )
            )
            return LinearPath(digits, numbers, *overlaps)


def linear_solution(model: TeacherStudent) -> LinearSolution:
    """Exact solution of a network with linear activation, for any spectrum, eta, K and M.

    Parameters
    ----------
    model : TeacherStudent
        With activation "linear".

    Raises
    ------
    TypeError
        If `model` is not a TeacherStudent.
    ValueError
        If its activation is another.

    Examples
    --------
    >>> model = TeacherStudent(K=1, M=1, activation="linear", eta="1/2", label_noise="1/10")
    >>> solution = linear_solution(model)
    >>> solution.critical_learning_rate, solution.floor
    (2, 1/60)
    >>> path = solution.start(q=[[["1/4"]]], r=[[[0]]])
    >>> mp.nstr(path.generalization_error(3), 20)
    '0.08078452827513413821'
    """
    if not isinstance(model, TeacherStudent):
        raise TypeError(f"linear_solution needs a TeacherStudent, found {model!r}")
    if model.activation != Activation("linear"):
        raise ValueError(
            f"linear_solution is for linear activation, found {model.activation.name}; integrate "
            "the order-parameter equations instead"
        )
    model.require_plain("linear_solution")
    return LinearSolution(model)
