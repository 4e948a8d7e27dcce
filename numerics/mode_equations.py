"""The order-parameter equations in modes, linear given D and G, for any kind of number.

Notation
    x : state, p = K M + K (K + 1)/2 rows (r_in, then q_ij with i <= j) and L columns; in front of
    it any number of points at once. Extended by the rows t_mn and a row of ones, it is moved by a
    small matrix B(D, G): dx_k/dalpha = eta lam_k B (x_k, t_k, 1) - decay x_k.

References
    [YO19] Yoshida & Okada (the modes are linear given Q and R); [WR24] Worschech & Rosenow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .compile import CompiledODE
from .state import State

__all__ = ["ModeEquations"]


@dataclass(frozen=True, eq=False)
class ModeEquations:
    """Right-hand side at many points, by products of small matrices.

    Parameters
    ----------
    compiled : CompiledODE
        Of a ModeForm, for the kind of number wanted.
    teacher : (L, M, M)
        t_k, in such numbers.
    """

    compiled: CompiledODE
    teacher: Any

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Fields (i, f) of each row of the state."""
        K, M, _ = self.compiled.sizes
        teachers = [(i, K + n) for i in range(K) for n in range(M)]
        return teachers + [(i, j) for i in range(K) for j in range(i, K)]

    @cached_property
    def el(self) -> Any:
        """Eta lam_k, (L,)."""
        return self.compiled.constants["eta"] * self.compiled.constants["lam"]

    @cached_property
    def wl(self) -> Any:
        """w_k lam_k, (L,)."""
        return self.compiled.constants["w"] * self.compiled.constants["lam"]

    @cached_property
    def decay(self) -> Any:
        """Rates at which weight decay alone shrinks the rows, (p, 1): eta times it, or twice."""
        K = self.compiled.sizes[0]
        rate = self.compiled.constants["eta"] * self.compiled.constants["weight_decay"]
        return np.array([[rate if f >= K else 2 * rate] for _, f in self.pairs])

    @cached_property
    def _fixed(self) -> tuple[Any, Any]:
        """Rows of an extended state that do not move, and the teacher block of C."""
        L, M, _ = self.teacher.shape
        ones = self.compiled.target.array(np.ones((1, L)))
        rows = np.moveaxis(self.teacher, 0, -1).reshape(M * M, L)
        block = self.compiled.target.product(rows, self.wl[:, None]).reshape(M, M)
        return np.concatenate([rows, ones]), block

    def rows(self, overlaps: Any) -> Any:
        """State (p, L) of overlaps (L, K+M, K+M)."""
        return State(*self.compiled.sizes).pack(overlaps).reshape(len(overlaps), -1).T.copy()

    def overlaps(self, x: Any, like: Any) -> Any:
        """Overlaps of a state, teacher block taken from `like`."""
        return State(*self.compiled.sizes).unpack(x.T.ravel(), like)

    def extended(self, x: Any) -> Any:
        """States (n, p, L) with the rows that do not move."""
        fixed = np.broadcast_to(self._fixed[0], (len(x), *self._fixed[0].shape))
        return np.concatenate([x, fixed], axis=1)

    def covariances(self, x: Any) -> Any:
        """C = [[Q, R], [R^T, T]] of each of the states (n, p, L)."""
        K, M, _ = self.compiled.sizes
        entries = self.compiled.target.product(
            x.reshape(-1, x.shape[-1]), self.wl[:, None]
        ).reshape(len(x), -1)
        C = np.empty((len(x), K + M, K + M), dtype=entries.dtype)
        C[:, K:, K:] = self._fixed[1]
        for a, (i, f) in enumerate(self.pairs):
            C[:, i, f] = C[:, f, i] = entries[:, a]
        return C

    def generators(self, C: Any) -> Any:
        """B (n, p, P) at covariances C (n, K+M, K+M), P rows of an extended state."""
        K, M, _ = self.compiled.sizes
        target, constants = self.compiled.target, self.compiled.constants
        D = np.repeat(target.zeros(1, K, K + M), len(C), axis=0)
        G = np.repeat(target.zeros(1, K, K), len(C), axis=0)
        for c, drift, noise in zip(C, D, G, strict=True):
            self.compiled.functions["coefficients"](
                K, M, constants["label_noise"], constants["s"], c, drift, noise
            )
        return self._assemble(D, constants["eta"] * G)

    def _assemble(self, D: Any, noise: Any) -> Any:
        """B of drift D and eta G: r_in has D_if c_fn; q_ij has D_if c_fj + D_jf c_fi + eta G_ij."""
        K, M, _ = self.compiled.sizes
        B = np.repeat(
            self.compiled.target.zeros(1, len(self.pairs), len(self.pairs) + M * M + 1), len(D), 0
        )
        position = {pair: row for row, pair in enumerate(self.pairs)}
        position |= {
            (K + m, K + n): len(self.pairs) + m * M + n for m in range(M) for n in range(M)
        }
        position |= {(f, i): row for (i, f), row in position.items() if i < K}
        for row, (i, h) in enumerate(self.pairs):
            for f in range(K + M):
                B[:, row, position[f, h]] += D[:, i, f]
                if h < K:
                    B[:, row, position[f, i]] += D[:, h, f]
            if h < K:
                B[:, row, -1] = noise[:, i, h]
        return B

    def rates(self, x: Any) -> Any:
        """dx/dalpha at each of the states (n, p, L)."""
        B, extended = self.generators(self.covariances(x)), self.extended(x)
        moved = np.array(
            [self.compiled.target.product(b, point) for b, point in zip(B, extended, strict=True)]
        )
        return moved * self.el - self.decay * x
