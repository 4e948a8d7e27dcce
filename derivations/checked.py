"""Derivations that are checked once, however many documents they go into."""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property

from theory.derivation import Derivation, Report

__all__ = ["Checked"]


class Checked(Derivation):
    """A derivation that remembers the outcome of its check: it is frozen, so the outcome is too."""

    @classmethod
    def of(cls, derivation: Derivation) -> Checked:
        """The same derivation, checked when first asked."""
        return cls(**{f.name: getattr(derivation, f.name) for f in fields(derivation)})

    def check(self) -> Report:
        return self._report

    @cached_property
    def _report(self) -> Report:
        return super().check()
