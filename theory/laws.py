"""Laws by activation: the one place that knows who derives what.

References
    [WR24] Worschech & Rosenow, arXiv:2410.09005.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .asymptotics import AsymptoticLaw
from .late_times import smooth_late_time_law
from .linear_laws import linear_late_time_law
from .models import Activation, TeacherStudent

__all__ = ["late_time_law"]

REGIMES = ("window", "finite size", "end")

LATE_TIMES: dict[Activation, Callable[..., AsymptoticLaw]] = {
    Activation("linear"): linear_late_time_law,
}
"""Who derives ``(model, regime, terms, gradient_flow) -> AsymptoticLaw``, by activation; other
smooth activations have `smooth_late_time_law`."""


def late_time_law(
    model: TeacherStudent,
    regime: str = "window",
    terms: int = 1,
    gradient_flow: bool = False,
) -> AsymptoticLaw:
    """How eps_g(alpha) decays at late times for a power-law spectrum (WR24).

    Parameters
    ----------
    model : TeacherStudent
        With a PowerLaw spectrum; eta, beta and L may be symbols.
    regime : {"window", "finite size", "end"}
        The power law alpha^(-beta/(1+beta)) in the window that a large L leaves; the form that
        includes its end; the exponential at last.
    terms : int
        Number of terms of the expansion: further powers in the window, boundary terms of the
        Euler-Maclaurin formula for finite size.
    gradient_flow : bool
        Drop the eta^2 term (the small learning rate limit).

    Returns
    -------
    AsymptoticLaw
        In alpha, for students that start with the same overlaps in every eigenspace. How wrong they
        start is a parameter: ``epsilon_0``, their error, for linear activation; the components
        ``d_u``, ``d_v`` of the overlaps of J - B with itself otherwise (`theory.late_times`).

    Raises
    ------
    TypeError
        If `model` is not a TeacherStudent.
    ValueError
        If the regime is unknown, or there is none of that kind or number of terms.
    NotImplementedError
        If no law is known for the activation, the spectrum or weight decay.

    Examples
    --------
    >>> from theory import PowerLaw, TeacherStudent
    >>> model = TeacherStudent(1, 1, "linear", PowerLaw(beta=1, L=4096), eta="1/100")
    >>> law = late_time_law(model)
    >>> law.exponent
    -1/2
    >>> round(float(law(100, epsilon_0="1/2")), 12)
    0.003836673764
    """
    if not isinstance(model, TeacherStudent):
        raise TypeError(f"late_time_law needs a TeacherStudent, found {model!r}")
    if regime not in REGIMES:
        raise ValueError(f"late_time_law: regime must be one of {REGIMES}, found {regime!r}")
    _check_terms(terms)
    derive = LATE_TIMES.get(model.activation, smooth_late_time_law)
    return derive(model, regime, terms, gradient_flow)


def _check_terms(terms: Any) -> None:
    if isinstance(terms, bool) or not isinstance(terms, int) or terms < 1:
        raise ValueError(f"late_time_law: terms must be a positive integer, found {terms!r}")
