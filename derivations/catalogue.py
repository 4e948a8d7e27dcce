"""The derivations by name, imported when asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from theory.derivation import Derivation

__all__ = ["NAMES", "load"]

NAMES = (
    "gaussian_averages",
    "order_parameters",
    "symmetric_plateau",
    "plateau_length",
    "deviations",
    "linear_student",
    "late_times",
    "what_helps",
    "redundancy",
    "random_features",
)
"""In the order of reading; each is a module of this package with ``build() -> Derivation``."""


def load(name: str) -> Derivation:
    """Build the derivation `name`.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    if name not in NAMES:
        raise ValueError(f"there is no derivation {name!r}: use one of {', '.join(NAMES)}")
    derivation: Derivation = import_module(f".{name}", __package__).build()
    return derivation
