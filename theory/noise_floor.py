"""The stationary point under label noise, self-consistent: the error that SGD is left with.

Summary
    At rest every eigenspace obeys the same equations, since its eigenvalue is a common factor. The
    overlaps then do not depend on the mode, and the noise floor of any spectrum is the isotropic
    one: two or four equations in as many unknowns, solved to any number of digits.

Main results (components c = u, v of `theory.perfect_student`; x_k = X in every mode)
    0 = D_c A_c + E_c,   D_c = -(2/m_c) d eps_g/dV_c,   E_c = -(1/m_c) d eps_g/dA_c
    0 = 2 (D_c V_c + E_c A_c) + eta G_c(A, V)
    eps_g = `PerfectStudent.noise_floor` + O(sigma^4)

References
    [SS95] Saad & Solla, [BS95] Biehl & Schwarze (isotropic inputs, label noise).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import mpmath as mp
import sympy as sp

from .models import TeacherStudent
from .online import order_parameter_odes
from .perfect_student import PerfectStudent, perfect_student

__all__ = ["NoiseFloor", "noise_floor"]

GUARD_DIGITS = 15
STEPS = 20
ETA, NOISE = sp.symbols("eta label_noise", positive=True)


@dataclass(frozen=True)
class NoiseFloor:
    """The stationary point near the perfect student (SS95, BS95).

    Attributes
    ----------
    model : TeacherStudent
    deviations : tuple of mpf
        (A_u, A_v, V_u, V_v), or (A_u, V_u) for M = 1, the same in every mode.
    error : mpf
        eps_g, the noise of the labels not included.
    """

    model: TeacherStudent
    deviations: tuple[mp.mpf, ...]
    error: mp.mpf

    @property
    def Q(self) -> mp.matrix:
        """Student-student overlaps, K x K."""
        n = len(self.deviations) // 2
        pairs = zip(self.deviations[:n], self.deviations[n:], strict=True)
        return self._matrix([1 + 2 * a + v for a, v in pairs])

    @property
    def R(self) -> mp.matrix:
        """Student-teacher overlaps, K x M."""
        return self._matrix([1 + a for a in self.deviations[: len(self.deviations) // 2]])

    def _matrix(self, components: list[mp.mpf]) -> mp.matrix:
        M, apart = int(self.model.M), components[-1]
        common = (components[0] - apart) / M
        return apart * mp.eye(M) + common * mp.ones(M)


def noise_floor(model: TeacherStudent, digits: int = 15) -> NoiseFloor:
    """Solve for the stationary point near the perfect student, to `digits` digits.

    Valid for every spectrum, teachers orthonormal in every eigenspace.

    Parameters
    ----------
    model : TeacherStudent
        K = M integers, numbers for eta and label_noise.
    digits : int

    Raises
    ------
    ValueError
        If a parameter is a symbol, eta >= eta_max, or no stationary point is found near the
        perfect student (too much noise).
    """
    point = perfect_student(model)
    unknown = sorted(map(str, model.M.free_symbols | model.eta.free_symbols))
    unknown += sorted(map(str, model.label_noise.free_symbols))
    if unknown:
        raise ValueError(f"noise_floor needs numbers for {unknown}: use model.replace(...)")
    if model.label_noise == 0:
        return NoiseFloor(model, (mp.mpf(0),) * len(point.deviations), mp.mpf(0))
    n = len(point.multiplicities)
    V = [model.eta * model.label_noise / 2 * x for x in point.amplified((sp.S.One,) * n)]
    # eps_g is a difference of averages of order one.
    lost = max(0, math.ceil(-float(sp.log(sp.N(point.noise_floor), 10))))
    with mp.workdps(digits + GUARD_DIGITS + lost):
        numbers = [mp.mpf(sp.N(x, mp.mp.dps)) for x in (*_response(point, V), *V)]
        given = [mp.mpf(sp.N(x, mp.mp.dps)) for x in (model.eta, model.label_noise)]
        equations, error = _equations(model.replace(eta=ETA, label_noise=NOISE))
        found = _solved(model, lambda *x: equations(*x, *given), numbers)
        return NoiseFloor(model, tuple(found), mp.mpf(error(*found)))


def _response(point: PerfectStudent, V: list[sp.Expr]) -> list[sp.Expr]:
    """A at rest to first order: E_c = h_c A_c."""
    n = len(V)
    hessian = sp.Matrix(point.hessian)
    weights = zip(point.multiplicities, point.rates, strict=True)
    matrix = sp.diag(*(m * h for m, h in weights)) + hessian[:n, :n]
    return list(-matrix.LUsolve(hessian[:n, n:] * sp.Matrix(V)))


@lru_cache(maxsize=32)
def _equations(model: TeacherStudent) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The stationarity conditions (of deviations, eta, noise) and eps_g (of deviations)."""
    point = PerfectStudent(model)
    x, m = point.deviations, point.multiplicities
    n = len(m)
    A, V = x[:n], x[n:]
    drift = [-2 * point.error.diff(v) / k for v, k in zip(V, m, strict=True)]
    pull = [-point.error.diff(a) / k for a, k in zip(A, m, strict=True)]
    noise = _noise(point)
    rows = [drift[c] * A[c] + pull[c] for c in range(n)]
    rows += [2 * (drift[c] * V[c] + pull[c] * A[c]) + ETA * noise[c] for c in range(n)]
    return (
        sp.lambdify((*x, ETA, NOISE), rows, "mpmath", cse=True),
        sp.lambdify(x, point.error, "mpmath", cse=True),
    )


def _noise(point: PerfectStudent) -> list[sp.Expr]:
    """Components of G(A, V), by the closed kernels of the order-parameter equations."""
    ode, M = order_parameter_odes(point.model), int(point.model.M)
    n = len(point.multiplicities)
    a, v = (_entries(part, M) for part in (point.deviations[:n], point.deviations[n:]))
    values = {}
    for row in range(M):
        for column in range(M):
            off = int(row != column)
            same = sp.Integer(1 - off)
            values[ode.Q[row, column]] = same + 2 * a[off] + v[off]
            values[ode.R[row, column]] = same + a[off]
            values[ode.T[row, column]] = same

    def entry(j: int) -> sp.Expr:
        # Equal kernels are merged before they are written out.
        total = ode.explicit(ode.indexed_noise, evaluate=False, i=1, j=j).xreplace(values)
        for kernel, closed in ode.kernels.items():
            total = total.replace(kernel, closed)
        return total

    diagonal = entry(1)
    if n == 1:
        return [diagonal]
    off_diagonal = entry(2)
    return [diagonal + (M - 1) * off_diagonal, diagonal - off_diagonal]


def _entries(components: tuple[sp.Expr, ...], M: int) -> tuple[sp.Expr, sp.Expr]:
    """Diagonal and off-diagonal entries of the M x M matrix with these components."""
    u, v = components[0], components[-1]
    return (u + (M - 1) * v) / M, (u - v) / M


def _solved(model: TeacherStudent, equations: Callable[..., Any], start: list[Any]) -> list[Any]:
    try:
        root = mp.findroot(equations, start, tol=mp.eps**1.5, maxsteps=STEPS)
    except (ValueError, ZeroDivisionError) as problem:
        raise ValueError(
            f"no stationary point near the perfect student was found at eta = {model.eta}, "
            f"label_noise = {model.label_noise}: less of either is needed"
        ) from problem
    found = list(root)
    n = len(found) // 2
    if any(mp.im(x) != 0 for x in found) or any(x <= 0 for x in found[n:]):
        raise ValueError(
            f"no stationary point near the perfect student was found at eta = {model.eta}, "
            f"label_noise = {model.label_noise} (V = {found[n:]}): less of either is needed"
        )
    return found
