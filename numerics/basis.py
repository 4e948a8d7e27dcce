"""The change of variables between the overlaps per eigenspace and the variables of a form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath as mp
import numpy as np

from theory.forms import ModeForm

from .compile import Form

__all__ = ["GUARD_DIGITS", "Basis"]

GUARD_DIGITS = 15
"""Extra working digits of a high-precision run: growth of errors at the plateau, small eps_g."""


@dataclass(frozen=True)
class Basis:
    """Overlaps per eigenspace to the variables of a form (modes: themselves), and back.

    Parameters
    ----------
    form : ModeForm or MomentForm
    digits : int
        Digits that the result is to keep.
    """

    form: Form
    digits: int = 16

    @cached_property
    def lost_digits(self) -> float:
        """Decimal digits that the change of variables costs (none for modes)."""
        if isinstance(self.form, ModeForm):
            return 0.0
        numbers = self.form.numbers(20)
        there, back = mp.matrix(numbers.vandermonde), mp.matrix(numbers.inverse_vandermonde)
        return float(mp.log10(mp.mnorm(there, 1) * mp.mnorm(back, 1)))

    def require_doubles(self) -> None:
        """Check that double precision survives the change of variables.

        Raises
        ------
        ValueError
        """
        if self.lost_digits > 6:
            raise ValueError(
                f"the moment form of {self.form.ode.model.spectrum} loses {self.lost_digits:.0f} "
                "digits in its change of variables: integrate in modes, or ask for digits= (the "
                "lost digits are then added)"
            )

    def to_form(self, overlaps: Any) -> Any:
        """Variables of the form from overlaps (L, F, F)."""
        if isinstance(self.form, ModeForm):
            return overlaps
        return self._apply(self.form.numbers(self._working).vandermonde, overlaps)

    def to_modes(self, values: Any) -> Any:
        """Overlaps (..., L, F, F) from variables of the form."""
        if isinstance(self.form, ModeForm):
            return values
        return self._apply(self.form.numbers(self._working).inverse_vandermonde, values)

    @property
    def _working(self) -> int:
        # The matrices carry guard digits: it is the state that has lost them.
        return self.digits + int(self.lost_digits) + GUARD_DIGITS

    def _apply(self, matrix: list[list[Any]], values: Any) -> Any:
        with mp.workdps(self._working):
            rows = np.array(matrix, dtype=object)
            result = np.einsum("lk,...kfh->...lfh", rows, _as_mpf(values, self._working))
        return result if np.asarray(values).dtype == object else result.astype(float)


def _as_mpf(values: Any, digits: int) -> Any:
    with mp.workdps(digits):
        return np.vectorize(mp.mpf, otypes=[object])(values)
