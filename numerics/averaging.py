"""Which rule gives the averages of a model, and whether its error can be lived with.

Summary
    Piecewise linear activations have one rule, good to 1e-10. Others have a family of quadratures:
    analytic ones by the width of the strip in which they count as analytic, from wide to narrow
    (the number of nodes then follows the size of the fields, up and down), those with a kink by
    their order. Integration takes the first whose error is small, and starts again with the next
    one as soon as it is not small any more.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from theory.gaussian import NoClosedForm
from theory.gaussian.homogeneous import Homogeneous
from theory.models import Activation, TeacherStudent

from .averages import Array, Averaging, IndefiniteCovariance
from .compile import CompiledODE
from .errors import IntegrationError
from .kinked import KinkedQuadrature
from .piecewise_linear import PiecewiseLinear
from .pointwise import pointwise
from .quadrature import Quadrature

__all__ = [
    "WANTED",
    "TooCoarse",
    "averaged_rates",
    "judge_error",
    "refuse_cusps",
    "rules",
    "worst_error",
]

WIDTHS = (4.0, 2.8, 2.0, 1.4, 1.0, 0.7, 0.5, 0.35, 0.25)
"""Of the strip, for analytic activations; an average at the next takes twice as long at most."""

ORDERS = (24, 36, 54)
"""For activations with a kink; an average at the next takes 5 times longer."""

WANTED = 1
"""Relative error of the averages that is sought, in units of rtol."""

ATTAINABLE = 1e-13
"""No rule is asked for more."""

CHECKED = 60
"""Evaluations between two estimates of the error, each of which costs some three of them."""

REFUSED = 1e-3
"""Averages with a larger relative error are no result, unless `rtol` asks for no more."""


def refuse_cusps(activation: Activation) -> None:
    """Check that no average of the activation has a cusp where two fields coincide.

    Raises
    ------
    NoClosedForm
        If one has: its closed form has no Taylor series there, and digits would be lost.
    """
    if Homogeneous.recognise(activation) is not None:
        raise NoClosedForm(
            f"the averages of {activation} have square-root cusps where two fields coincide, so "
            "that they are computed in double precision only: leave digits out"
        )


def rules(
    model: TeacherStudent, start: Array, noise: bool, rtol: float
) -> Iterator[tuple[Averaging, float]]:
    """Rules for the averages, sharper and sharper, from the first that is good at the start on.

    Parameters
    ----------
    start : array (K + M, K + M)
        Covariance of the fields at the start.
    noise : bool
        Whether G is needed.
    rtol : float
        Of the integration.

    Yields
    ------
    (Averaging, float)
        With the error up to which it is worth going on with it.
    """
    wanted, refused = WANTED * rtol, max(WANTED * rtol, REFUSED)
    *family, last = _family(model, max(wanted / 3, ATTAINABLE))
    for rule in family:
        if max(rule.error(C, noise) for C in (start, _grown(start, rule.K))) <= wanted:
            yield rule, wanted
    yield last, refused


def _family(model: TeacherStudent, accuracy: float) -> list[Averaging]:
    """The rules for an activation, each sharper than the one before."""
    g, K = model.activation, int(model.K)
    c, label_noise = float(model.student_scale), float(model.label_noise)
    if PiecewiseLinear.recognises(g):
        return [PiecewiseLinear(g, K, c, label_noise)]
    if pointwise(g).kink:
        return [KinkedQuadrature(g, K, c, label_noise, order) for order in ORDERS]
    return [Quadrature(g, K, c, label_noise, accuracy, width) for width in WIDTHS]


def _grown(C: Array, K: int) -> Array:
    """C with the students as large as the largest field: they start small, but grow."""
    sigma = np.sqrt(C.diagonal())
    scale = np.where(np.arange(len(C)) < K, sigma.max() / sigma, 1.0)
    return C * np.outer(scale, scale)


class TooCoarse(Exception):
    """A rule was found too coarse on the way.

    Attributes
    ----------
    error : float
        Its estimated error.
    """

    def __init__(self, error: float) -> None:
        super().__init__(error)
        self.error = error


def averaged_rates(
    linear: CompiledODE, rule: Averaging, noise: bool, limit: float
) -> Callable[[Any], Any]:
    """dc/dalpha as a function of the overlaps c, with the averages by `rule`.

    It raises `TooCoarse` if an estimate, made now and then, is above `limit`; it is not a number
    where no averages exist, at which a solver shortens its trial step.
    """
    K, count = linear.sizes[0], itertools.count(1)

    def rates(c: Any) -> Any:
        u, covariance = linear.shifted(c)
        if not np.all(np.isfinite(covariance)):
            return np.full((len(c), K, c.shape[1]), np.nan)
        try:
            found = rule.averages(covariance, noise)
            error = 0.0 if next(count) % CHECKED else rule.error(covariance, noise)
        except (IndefiniteCovariance, FloatingPointError):
            return np.full((len(c), K, c.shape[1]), np.nan)
        if error > limit:
            raise TooCoarse(error)
        G = np.zeros((K, K)) if found.noise is None else found.noise
        return linear.combine(c, u, found.drift, G)

    return rates


def worst_error(rule: Averaging, fields: Sequence[Array], noise: bool) -> float:
    """Largest error of the averages at every fourth of these covariances and at the last."""
    return max(rule.error(C, noise) for C in [*fields[::4], fields[-1]])


def judge_error(model: TeacherStudent, rule: Averaging, error: float, rtol: float) -> None:
    """Warn of averages with an error above `WANTED` rtol; refuse those that are no result.

    Raises
    ------
    IntegrationError
        If the error is above `REFUSED` (and above what is wanted).
    """
    found = (
        f"{rule} gives the Gaussian averages of {model.activation} with an estimated relative "
        f"error of {error:.1e}"
    )
    if error > max(WANTED * rtol, REFUSED):
        raise IntegrationError(
            f"{found}: the activation is too steep for the size of the fields; use a smoother "
            "one or smaller weights, or accept the error with a larger rtol"
        )
    if error > WANTED * rtol:
        warnings.warn(f"{found}: the result is no better", UserWarning, stacklevel=4)
