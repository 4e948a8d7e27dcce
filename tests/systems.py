"""Systems solved by other means: oracles that share no code with the packages under test.

Summary
    `SaadSolla`: the isotropic equations as published, typed in with their closed averages;
    `by_modes`: the same averages in structured data; `linear_overlaps`: the linear student by one
    matrix exponential; `extrapolate`: an integrator for any kind of number; `random_covariance`: of
    Gaussian fields.

References
    [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995), eqs. (6)-(8) and the appendix.
    [YO19] Yoshida & Okada, NeurIPS 2019.
    Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I (1993), II.9 (GBS).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flint
import heyoka as hy
import mpmath as mp
import numpy as np


@dataclass(frozen=True)
class SaadSolla:
    """dR_in/dalpha and dQ_ik/dalpha of SS95 for erf, c = 1, on arrays of any kind of number."""

    K: int
    eta: Any
    pi: Any = np.pi
    sqrt: Callable[[Any], Any] = np.sqrt
    asin: Callable[[Any], Any] = np.arcsin

    def I2(self, C):
        """<g(u) g(v)> for all pairs of fields, (F, F)."""
        size = 1 + np.diagonal(C)
        return 2 / self.pi * self.asin(C / (self.sqrt(size)[:, None] * self.sqrt(size)[None, :]))

    def I3(self, C):
        """<g'(u) v g(w)> for all triples of fields, (F, F, F)."""
        d = np.diagonal(C)
        c11, c33 = d[:, None, None], d[None, None, :]
        c12, c13, c23 = C[:, :, None], C[:, None, :], C[None, :, :]
        lambda3 = (1 + c11) * (1 + c33) - c13**2
        return 2 / self.pi / self.sqrt(lambda3) * (c23 * (1 + c11) - c12 * c13) / (1 + c11)

    def I4(self, C):
        """<g'(u) g'(v) g(w) g(z)> for all students u, v and fields w, z, (K, K, F, F)."""
        S, d = C[: self.K], np.diagonal(C)
        c11, c22 = d[: self.K, None, None, None], d[None, : self.K, None, None]
        c33, c44 = d[None, None, :, None], d[None, None, None, :]
        c12, c34 = S[:, : self.K, None, None], C[None, None, :, :]
        c13, c14 = S[:, None, :, None], S[:, None, None, :]
        c23, c24 = S[None, :, :, None], S[None, :, None, :]
        lambda4 = (1 + c11) * (1 + c22) - c12**2
        lambda0 = (
            lambda4 * c34
            - c23 * c24 * (1 + c11)
            - c13 * c14 * (1 + c22)
            + c12 * c13 * c24
            + c12 * c14 * c23
        )
        lambda1 = (
            lambda4 * (1 + c33) - c23**2 * (1 + c11) - c13**2 * (1 + c22) + 2 * c12 * c13 * c23
        )
        lambda2 = (
            lambda4 * (1 + c44) - c24**2 * (1 + c11) - c14**2 * (1 + c22) + 2 * c12 * c14 * c24
        )
        angle = self.asin(lambda0 / (self.sqrt(lambda1) * self.sqrt(lambda2)))
        return 4 / self.pi**2 / self.sqrt(lambda4) * angle

    def signs(self, C):
        """-1 for students, +1 for teachers."""
        return np.array([-1] * self.K + [1] * (len(C) - self.K), dtype=object)

    def error(self, C):
        """eps_g = (1/2) <(zeta - sigma)^2>."""
        s = self.signs(C)
        return (s[:, None] * s[None, :] * self.I2(C)).sum() / 2

    def pull(self, C):
        """<delta_i field_f> = sum_m I3(i, f, m) - sum_j I3(i, f, j), (K, F)."""
        return (self.I3(C)[: self.K] * self.signs(C)).sum(axis=2)

    def shake(self, C):
        """<delta_i delta_k> = sum I4(i,k,n,m) - 2 sum I4(i,k,j,n) + sum I4(i,k,j,l), (K, K)."""
        s = self.signs(C)
        return (self.I4(C) * s[:, None] * s[None, :]).sum(axis=(2, 3))

    def rates(self, C):
        """dC/dalpha, (F, F); the teacher does not move."""
        K, pull = self.K, self.pull(C)
        dC = 0 * C
        dC[:K, K:] = self.eta * pull[:, K:]
        dC[K:, :K] = dC[:K, K:].T
        dC[:K, :K] = self.eta * (pull[:, :K] + pull[:, :K].T) + self.eta**2 * self.shake(C)
        return dC

    def drift(self, C):
        """<d delta_i / d field_f>, (K, F), float64: Stein's lemma says pull = drift C."""
        return np.linalg.solve(C, self.pull(C).astype(float).T).T


def flint_saad_solla(K, eta):
    """`SaadSolla` on object arrays of flint balls, in the precision of the moment."""
    return SaadSolla(
        K,
        flint.arb(eta),
        flint.arb.pi(),
        np.frompyfunc(lambda x: flint.arb(x).sqrt(), 1, 1),
        np.frompyfunc(lambda x: flint.arb(x).asin(), 1, 1),
    )


def heyoka_saad_solla(K, eta):
    """`SaadSolla` on object arrays of heyoka expressions."""
    expression = np.frompyfunc(
        lambda x: x if isinstance(x, hy.expression) else hy.expression(x), 1, 1
    )
    return SaadSolla(
        K,
        eta,
        hy.pi,
        lambda x: np.frompyfunc(hy.sqrt, 1, 1)(expression(x)),
        lambda x: np.frompyfunc(hy.asin, 1, 1)(expression(x)),
    )


def by_modes(lam, w, c, K, eta, scale=1.0, label_noise=0.0, weight_decay=0.0):
    """dc_k/dalpha of the student entries, (L, K, F), erf, float64 (YO19).

    r_k and q_k move along D c_k with D and G from the SS95 averages of C = sum_k w_k lam_k c_k.
    """
    system = SaadSolla(K, eta)
    C = np.einsum("k,kfh->fh", w * lam, c)
    D = scale**2 * system.drift(C)
    size = 1 + np.diagonal(C)[:K]
    slopes = 2 / np.pi / np.sqrt(size[:, None] * size[None, :] - C[:K, :K] ** 2)
    G = scale**4 * system.shake(C).astype(float) + scale**2 * label_noise * slopes
    dc = np.einsum("k,if,kfh->kih", eta * lam, D, c) - eta * weight_decay * c[:, :K]
    q = dc[:, :, :K]
    dc[:, :, :K] = q + np.swapaxes(q, 1, 2) + (eta**2 * lam)[:, None, None] * G
    return dc


def linear_overlaps(lam, w, q, r, eta, alpha, label_noise=0, weight_decay=0, digits=40):
    """Overlaps (q, r) at time alpha of a linear student, K = M = 1, t = 1: exact, mpf.

    dr_k = eta [lam_k (1 - r_k) - decay r_k],
    dq_k = 2 eta [lam_k (r_k - q_k) - decay q_k] + eta^2 lam_k [sum_l w_l lam_l e_l + noise],
    e_l = 1 - 2 r_l + q_l: affine, so one matrix exponential of (r, q, 1).
    """
    L = len(lam)
    with mp.workdps(digits):
        A = mp.zeros(2 * L + 1)
        for k in range(L):
            A[k, k], A[k, 2 * L] = -eta * (lam[k] + weight_decay), eta * lam[k]
            A[L + k, k] = 2 * eta * lam[k]
            A[L + k, L + k] = -2 * eta * (lam[k] + weight_decay)
            A[L + k, 2 * L] = eta**2 * lam[k] * label_noise
            for m in range(L):
                kick = eta**2 * lam[k] * w[m] * lam[m]
                A[L + k, m] -= 2 * kick
                A[L + k, L + m] += kick
                A[L + k, 2 * L] += kick
        values = mp.expm(A * alpha) * mp.matrix([*r, *q, 1])
        return [values[L + k] for k in range(L)], [values[k] for k in range(L)]


def extrapolate(rates, state, times, tolerance, columns=12):
    """States at `times` by Gragg-Bulirsch-Stoer extrapolation, on arrays of flint balls.

    Midpoint rules of 2, 4, ..., 2 columns substeps, extrapolated to order 2 columns; the last
    correction is held below `tolerance`. Radii are dropped after each step.
    """
    now, step, found = flint.arb(0), flint.arb("0.5"), []
    for time in map(flint.arb, times):
        while now < time:
            cut = time - now < step
            h = time - now if cut else step
            new, change = _extrapolated_step(rates, state, h, columns)
            size = float(max(abs(x) for x in change.ravel()))
            factor = min(
                2.0, max(0.2, 0.8 * (tolerance / max(size, 1e-300)) ** (1 / (2 * columns)))
            )
            if size <= tolerance:
                state, now = _middle(new), time if cut else (now + h).mid()
            if not cut or factor < 1:
                step = (h * flint.arb(factor)).mid()
        found.append(state)
    return found


_middle = np.frompyfunc(lambda x: flint.arb(x).mid(), 1, 1)


def _extrapolated_step(rates, state, H, columns):
    """The step and its last correction."""
    first, table = rates(state), []
    for j in range(1, columns + 1):
        n = 2 * j
        h = H / n
        old, new = state, state + h * first
        for _ in range(n - 1):
            old, new = new, _middle(old + 2 * h * rates(new))
        row = [(old + new + h * rates(new)) / 2]
        for m, left in enumerate(table):
            ratio = flint.arb(j) / (j - m - 1)
            row.append(row[-1] + (row[-1] - left) / (ratio**2 - 1))
        table = row
    return table[-1], table[-1] - table[-2]


def random_covariance(fields: int, rank: int, seed: int) -> np.ndarray:
    """Variances one, of the given rank."""
    factor = np.random.default_rng(seed).normal(size=(fields, rank))
    factor /= np.linalg.norm(factor, axis=1)[:, None]
    C = factor @ factor.T
    np.fill_diagonal(C, 1.0)
    return C
