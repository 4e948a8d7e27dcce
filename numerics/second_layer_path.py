"""What runs on both layers give, integrated or simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.models import TeacherStudent

from .storage import Array
from .trajectory import Trajectory

__all__ = ["SecondLayerPath", "output_weights"]


@dataclass(frozen=True, eq=False)
class SecondLayerPath:
    """Overlaps and eps_g, and the output weights beside them.

    Attributes
    ----------
    overlaps : Trajectory
        With a leading run axis if simulated.
    weights : (..., T, K)
        v_i.
    """

    overlaps: Trajectory
    weights: Array

    @property
    def alpha(self) -> Array:
        """Times (T,)."""
        return self.overlaps.alpha

    @property
    def generalization_error(self) -> Array:
        """eps_g (..., T)."""
        return self.overlaps.generalization_error


def output_weights(model: TeacherStudent, weights: Any) -> Array:
    """V (K,) as given, c_S for None.

    Raises
    ------
    ValueError
        If there are not K finite numbers.
    """
    K = int(model.K)
    if weights is None:
        return np.full(K, float(model.student_scale))
    given = np.array(weights, dtype=float)
    if given.shape != (K,) or not np.all(np.isfinite(given)):
        raise ValueError(f"weights must be K = {K} finite numbers, found {weights!r}")
    return given
