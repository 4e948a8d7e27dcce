"""Which rule gives the averages of a model, and whether its error can be lived with.

Summary
    Piecewise linear activations have one rule, good to 1e-10. Others have quadratures of rising
    order: integration takes the first whose error at the start is small, and starts again with the
    next one as soon as it is not small any more; the cost rises so fast with the order that the
    last run dominates.
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
from .piecewise_linear import PiecewiseLinear
from .quadrature import Quadrature

__all__ = [
    "WANTED",
    "TooCoarse",
    "judge_error",
    "rates_and_error",
    "refuse_cusps",
    "rules",
    "worst_error",
]

ORDERS = (24, 36, 54, 80)
"""Of quadrature; an average at the next takes 5 times longer."""

WANTED = 100
"""Relative error of the averages that is sought, in units of rtol: the default asks for 1e-6."""

CHECKED = 60
"""Evaluations between two estimates of the error, five steps."""

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
    g, K = model.activation, int(model.K)
    c, label_noise = float(model.student_scale), float(model.label_noise)
    wanted, refused = WANTED * rtol, max(WANTED * rtol, REFUSED)
    if PiecewiseLinear.recognises(g):
        yield PiecewiseLinear(g, K, c, label_noise), refused
        return
    *orders, last = ORDERS
    for order in orders:
        rule = Quadrature(g, K, c, label_noise, order)
        if rule.error(start, noise) <= wanted:
            yield rule, wanted
    yield Quadrature(g, K, c, label_noise, last), refused


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


def rates_and_error(
    linear: CompiledODE, rule: Averaging, noise: bool, limit: float
) -> tuple[Callable[[Any], Any], Callable[[Any], float]]:
    """dc/dalpha and eps_g as functions of the overlaps c, with the averages by `rule`.

    dc/dalpha raises `TooCoarse` if an estimate, made now and then, is above `limit`; it is not a
    number where no averages exist, at which a solver shortens its trial step.
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

    def error(c: Any) -> float:
        return rule.averages(linear.fields(c), noise=False).generalization_error

    return rates, error


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
