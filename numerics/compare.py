"""Comparison of trajectories: digits agreed and z-scores.

Summary
    Every trajectory is held against one reference, the deterministic one of the highest precision
    (the first ensemble if there is none). A deterministic one agrees to so many digits; an ensemble
    deviates by so many standard errors.

Mathematics
    digits(t) = -log10( max|a - b| / max(|a|, |b|) ), maxima over the entries at time t.
    z = (mean - reference)/(standard error); for n runs rms z -> sqrt((n-1)/(n-3)) if the means
    agree. At finite N they differ by O(1/N), which enough runs resolve: `numerics.finite_size`
    tests that order instead of a tolerance. z-scores at neighbouring times are correlated.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import mpmath as mp
import numpy as np

from .storage import Array
from .trajectory import Trajectory

__all__ = ["Agreement", "Comparison", "Deviation", "compare"]

SHORT = {"generalization_error": "eps_g"}
LABEL, COLUMN = 30, 10
DOUBLE_DIGITS = 53 * math.log10(2)
SAME = 1e-9
"""Relative difference up to which overlaps shared by all runs count as the reference's."""


@dataclass(frozen=True)
class Agreement:
    """How many digits one observable of two deterministic trajectories shares.

    Attributes
    ----------
    digits : float
        Minimum over the times; equal numbers agree to all digits that both carry.
    alpha : float
        Where it is attained.
    """

    digits: float
    alpha: float


@dataclass(frozen=True)
class Deviation:
    """How far one observable of an ensemble is from the reference, in standard errors.

    Attributes
    ----------
    rms, largest : float
        Root mean square and largest |z| over entries and times.
    alpha : float
        Where the largest is.
    count : int
        Number of z-scores; entries in which all runs coincide (the start) have none.
    """

    rms: float
    largest: float
    alpha: float
    count: int


@dataclass(frozen=True)
class Comparison:
    """What `compare` found; print it.

    Attributes
    ----------
    reference : str
        Label of the trajectory that the others are compared with.
    span : str
        The common times.
    agreements : tuple of (label, {observable: Agreement})
    deviations : tuple of (label, {observable: Deviation})
    """

    reference: str
    span: str
    agreements: tuple[tuple[str, dict[str, Agreement]], ...]
    deviations: tuple[tuple[str, dict[str, Deviation]], ...]

    def __str__(self) -> str:
        lines = [f"compared with {self.reference} at {self.span}"]
        if self.agreements:
            lines += ["", _row("digits agreed, worst time", self.agreements[0][1])]
            for label, found in self.agreements:
                lines.append(_row("  " + label, [f"{a.digits:.1f}" for a in found.values()]))
                lines.append(_row("    at alpha", [f"{a.alpha:.4g}" for a in found.values()]))
        if self.deviations:
            lines += ["", _row("z, in standard errors", self.deviations[0][1])]
            for label, scores in self.deviations:
                lines.append("  " + label)
                lines.append(_row("    rms z", [f"{d.rms:.2f}" for d in scores.values()]))
                lines.append(_row("    max |z|", [f"{d.largest:.2f}" for d in scores.values()]))
                lines.append(_row("    at alpha", [f"{d.alpha:.4g}" for d in scores.values()]))
                lines.append(_row("    number of z", [str(d.count) for d in scores.values()]))
        return "\n".join(lines)


def _row(label: str, cells: Iterable[str]) -> str:
    return f"{label:<{LABEL}}" + "".join(f"{cell:>{COLUMN}}" for cell in cells)


def compare(*trajectories: Trajectory) -> Comparison:
    """Compare trajectories of the same system on the same times.

    Deterministic against deterministic: digits agreed in q, r (where the modes are the same), Q, R
    and eps_g, mpf at full precision. Ensemble against reference: z-scores of Q, R and eps_g; two
    ensembles combine their standard errors.

    Raises
    ------
    ValueError
        If there are fewer than two, they differ in K, M or in their times, an ensemble has fewer
        than two runs, or an ensemble started elsewhere.
    TypeError
        If an argument is not a Trajectory.
    """
    check_comparable(trajectories)
    reference = _reference(trajectories)
    alpha = reference.alpha
    others = [path for path in trajectories if path is not reference]
    return Comparison(
        reference=reference.label,
        span=f"{len(alpha)} times, alpha {alpha[0]:g} .. {alpha[-1]:g}",
        agreements=tuple((p.label, _agreements(reference, p)) for p in others if p.runs is None),
        deviations=tuple((p.label, _deviations(reference, p)) for p in others if p.runs),
    )


def check_comparable(trajectories: tuple[Trajectory, ...]) -> None:
    for path in trajectories:
        if not isinstance(path, Trajectory):
            raise TypeError(f"compare takes trajectories, found {path!r}")
    if len(trajectories) < 2:
        raise ValueError(f"compare needs two trajectories or more, found {len(trajectories)}")
    first = trajectories[0]
    for path in trajectories[1:]:
        if (path.K, path.M) != (first.K, first.M):
            raise ValueError(f"compare: {path!r} and {first!r} differ in K, M")
        if not np.array_equal(path.alpha, first.alpha):
            raise ValueError(
                f"compare: {path!r} and {first!r} have different times: pass the same at= to "
                "integrate and simulate"
            )


def _reference(trajectories: tuple[Trajectory, ...]) -> Trajectory:
    fixed = [path for path in trajectories if path.runs is None]
    return max(fixed or trajectories[:1], key=lambda path: path.digits or 0)


def _agreements(a: Trajectory, b: Trajectory) -> dict[str, Agreement]:
    """Digits agreed per observable, the worst time of each."""
    names = ["Q", "R", "generalization_error"]
    if a.q.shape == b.q.shape:
        names = ["q", "r", *names]
    carried = min(path.digits or DOUBLE_DIGITS for path in (a, b))
    result = {}
    for name in names:
        rows = zip(getattr(a, name), getattr(b, name), strict=True)
        digits = [_digits(np.ravel(x), np.ravel(y), carried) for x, y in rows]
        worst = int(np.argmin(digits))
        result[SHORT.get(name, name)] = Agreement(digits[worst], float(a.alpha[worst]))
    return result


def _digits(x: Array, y: Array, carried: float) -> float:
    # mpmath rounds a difference once, after taking it exactly: no precision to set.
    difference, size = np.max(np.abs(x - y)), max(np.max(np.abs(x)), np.max(np.abs(y)))
    if difference == 0:
        return carried
    return min(carried, -float(mp.log10(mp.mpf(difference) / mp.mpf(size))))


def _deviations(reference: Trajectory, ensemble: Trajectory) -> dict[str, Deviation]:
    """z-scores per observable, summarised."""
    result = {}
    for name in ("Q", "R", "generalization_error"):
        value, error = _with_errors(reference, name)
        mean, scatter = _with_errors(ensemble, name)
        error = np.hypot(error, scatter)
        random = _random_entries(value, mean, error, f"{name} of {ensemble!r}")
        z = np.abs(np.divide(mean - value, error, out=np.zeros_like(mean), where=random))
        time = int(np.argmax(z.max(axis=1)))
        count = int(np.count_nonzero(random))
        if count == 0:
            raise ValueError(f"compare: {name} of {ensemble!r} is the same in all runs: no z-score")
        rms = math.sqrt(float(np.sum(z**2)) / count)
        result[SHORT.get(name, name)] = Deviation(
            rms, float(z.max()), float(reference.alpha[time]), count
        )
    return result


def _with_errors(path: Trajectory, name: str) -> tuple[Array, Array]:
    """Independent entries (T, entries) as float64, and their standard errors or 0."""
    if path.runs is None:
        value = independent_entries(getattr(path, name).astype(float), name)
        return value, np.zeros_like(value)
    return (
        independent_entries(getattr(path.mean, name), name),
        independent_entries(getattr(path.standard_error, name), name),
    )


def independent_entries(array: Array, name: str) -> Array:
    """Entries on the last axis; of the symmetric Q only those with i <= j."""
    if name == "Q":
        upper = np.triu_indices(array.shape[-1])
        return np.asarray(array[..., upper[0], upper[1]])
    if name == "R":
        return np.asarray(array.reshape(*array.shape[:-2], -1))
    return array[..., None]


def _random_entries(value: Array, mean: Array, error: Array, what: str) -> Array:
    """Mask of entries that scatter; the others must equal the reference (a common start)."""
    scale = float(np.max(np.abs(value)))
    random = error > 1e-12 * scale
    apart = np.abs(mean - value)
    if np.any(apart[~random] > SAME * scale):
        worst = float(np.max(apart[~random]))
        raise ValueError(
            f"compare: {what} does not scatter but is {worst:.2g} away from the reference: "
            "start both from the same InitialCondition"
        )
    return np.asarray(random)
