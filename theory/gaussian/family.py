"""What a family of activations must know for its Gaussian averages to be closed forms."""

from __future__ import annotations

from abc import ABC, abstractmethod

import sympy as sp

from theory.activations import Activation

__all__ = ["Family", "NoClosedForm"]


class NoClosedForm(NotImplementedError):
    """A Gaussian average that has no closed form here; quadrature gives its value."""


class Family(ABC):
    """Activations whose averages over centred Gaussian fields share one method.

    The arguments C_ef are expressions; results are valid for every covariance, degenerate ones
    included, unless the average itself diverges there.
    """

    @classmethod
    @abstractmethod
    def recognise(cls, activation: Activation) -> Family | None:
        """The member of this family that `activation` is, or None."""

    @abstractmethod
    def I2(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
        """E[g(a) g(b)]."""

    @abstractmethod
    def price(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
        """E[g'(a) g'(b)] = dI2/dC_ab."""

    @abstractmethod
    def stein(self, Caa: sp.Expr, Cbb: sp.Expr, Cab: sp.Expr) -> sp.Expr:
        """E[g''(a) g(b)]/2 = dI2/dC_aa."""

    @abstractmethod
    def I4(self, C: sp.Matrix) -> sp.Expr | None:
        """E[g'(a) g'(b) g(c) g(d)], C the 4 x 4 covariance of (a, b, c, d).

        None if the family has closed two-point averages only.
        """

    @abstractmethod
    def derivative_mean(self, n: sp.Expr, variance: sp.Expr) -> sp.Expr:
        """E[g^(n)(x)], x ~ N(0, variance); n >= 0 an integer or a symbol that stands for one."""
