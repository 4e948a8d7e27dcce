"""The overlaps as one array, and its independent entries as a flat vector.

The state of a mode is r (K M entries) and the upper triangle of q (K (K+1)/2 entries); the teacher
block t does not move and q is symmetric.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

__all__ = ["State", "joint"]


def joint(q: Any, r: Any, t: Any) -> Any:
    """Join q (..., K, K), r (..., K, M) and t (..., M, M) to c = [[q, r], [r^T, t]]."""
    return np.block([[q, r], [np.swapaxes(r, -1, -2), t]])


@dataclass(frozen=True)
class State:
    """Packing of overlaps c (L, K+M, K+M) into a vector of L K M + L K (K+1)/2 entries."""

    K: int
    M: int
    L: int

    @cached_property
    def entries(self) -> tuple[Any, Any]:
        """Row and column, in c, of the independent entries of one mode."""
        K, M = self.K, self.M
        pairs = [(i, K + n) for i in range(K) for n in range(M)]
        pairs += [(i, j) for i in range(K) for j in range(i, K)]
        rows, columns = zip(*pairs, strict=True)
        return np.array(rows), np.array(columns)

    @property
    def names(self) -> list[str]:
        """A name for each entry of the vector: c_k_i_f."""
        return [f"c_{k}_{i}_{f}" for k in range(self.L) for i, f in zip(*self.entries, strict=True)]

    def pack(self, overlaps: Any) -> Any:
        """The vector of overlaps c (L, K+M, K+M), or of their rates (L, K, K+M)."""
        rows, columns = self.entries
        return np.asarray(overlaps)[:, rows, columns].ravel()

    def unpack(self, vector: Any, like: Any) -> Any:
        """The full array c whose moving entries are `vector`, teacher block taken from `like`."""
        rows, columns = self.entries
        overlaps = np.array(like)
        values = np.asarray(vector, dtype=overlaps.dtype).reshape(self.L, -1)
        overlaps[:, rows, columns] = values
        overlaps[:, columns, rows] = values
        return overlaps
