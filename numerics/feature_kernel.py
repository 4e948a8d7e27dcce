"""E[f(a) f(b)] for all pairs of many centred Gaussian fields, in place of their covariances.

Summary
    `pair_kernel` finds the way for an activation: the closed form of `theory.random_features`,
    compiled (polynomials, erf, ReLU, sign, sin, exp, ...), or its Hermite series (tanh, GELU, ...).
    Either turns a block of a Gram matrix into the same block of the features' covariance.

Accuracy
    Closed forms are good to rounding. Fields that coincide up to it (rho = +-1) have a limit of
    their own: there sqrt(1 - rho^2) and asin(rho) would lose half of the digits.

References
    [PXZ26] Paquette, Xiao & Zhu, arXiv:2603.14578; Cho & Saul, NeurIPS 2009 (arc-cosine kernels).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import sympy as sp

from theory.activations import Activation
from theory.gaussian import NoClosedForm
from theory.random_features import A, B, C, random_feature_covariance

from .codegen import kernel_function
from .feature_series import FeatureSeries, feature_series
from .storage import Array
from .targets import NumbaTarget

__all__ = ["PairKernel", "pair_kernel"]

_LOOPS = """
def transform(block, row, column):
    for i in range(block.shape[0]):
        for j in range(block.shape[1]):
            largest = sqrt(row[i] * column[j])
            if block[i, j] >= coincident * largest:
                block[i, j] = parallel(row[i], column[j])
            elif block[i, j] <= -coincident * largest:
                block[i, j] = opposite(row[i], column[j])
            else:
                block[i, j] = kernel(row[i], column[j], block[i, j])
"""

_COINCIDENT = "coincident = 0.999999999999999\n\n\n"
"""Fields with a larger correlation are the same up to rounding."""


class PairKernel(Protocol):
    """Turns covariances of the fields into covariances of the features."""

    def apply(self, block: Array, rows: slice, columns: slice) -> None:
        """Replace C_ab by E[f(a) f(b)], a in `rows`, b in `columns`; block is C-contiguous."""
        ...


@dataclass(frozen=True, eq=False)
class ClosedKernel:
    """A closed form, compiled.

    Attributes
    ----------
    variances : (d,)
    transform : callable
        (block, row variances, column variances), in place.
    """

    variances: Array
    transform: Callable[[Array, Array, Array], None]

    def apply(self, block: Array, rows: slice, columns: slice) -> None:
        """Replace C_ab by E[f(a) f(b)]."""
        self.transform(block, self.variances[rows], self.variances[columns])


def pair_kernel(activation: Activation, variances: Array) -> ClosedKernel | FeatureSeries:
    """The kernel of fields with these variances, shape (d,), positive.

    Raises
    ------
    ValueError, ArithmeticError
        If the activation has neither a closed form nor a Hermite series that converges.
    """
    try:
        transform = _compiled(activation)
    except NoClosedForm:
        return feature_series(activation, variances)
    return ClosedKernel(variances, transform)


@cache
def _compiled(activation: Activation) -> Any:
    covariance = random_feature_covariance(activation)
    text = _COINCIDENT + kernel_function("kernel", sp.Lambda((A, B, C), covariance)) + "\n\n"
    for name, sign in (("parallel", 1), ("opposite", -1)):
        limit = covariance.subs(C, sign * sp.sqrt(A) * sp.sqrt(B))
        text += kernel_function(name, sp.Lambda((A, B), sp.simplify(limit))) + "\n\n"
    return NumbaTarget().load(text + _LOOPS.lstrip())["transform"]
