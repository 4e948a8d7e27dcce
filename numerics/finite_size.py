"""The O(1/N) trend: ensemble means must approach the theory at the rate it promises.

Summary
    The equations of motion are the N -> infinity limit; at finite N the means over runs are off by
    a(alpha)/N. Measured at two sizes N, the bias must scale as that, whatever its constant: a
    sharper test than any tolerance at one N.

Mathematics
    Deming regression b_small = rho b_large over entries, weights W = 1/s_large^2, with the error
    ratio kappa^2 = mean(W s_small^2): S_yy, S_xx, S_xy the weighted sums of b_small^2, b_large^2
    and b_small b_large,
    rho = (S_yy - kappa^2 S_xx + sqrt((S_yy - kappa^2 S_xx)^2 + 4 kappa^2 S_xy^2))/(2 S_xy).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .compare import check_comparable, compare, independent_entries
from .storage import Array
from .trajectory import Trajectory

__all__ = ["FiniteSizeTrend", "finite_size_trend"]


@dataclass(frozen=True)
class FiniteSizeTrend:
    """Whether ensemble means approach the theory as 1/N; print it.

    Attributes
    ----------
    ratio, ratio_error : float
        Bias at the small N over bias at the large N, and its jackknife standard error.
    expected : float
        N_large/N_small, the ratio of an O(1/N) bias.
    exponent, exponent_error : float
        p of a bias N^-p.
    chi2_per_entry : float
        Of the model bias = a(alpha)/N with a free a for every entry and time; 1 if it holds.
    significance : float
        rms of bias/(standard error) at the small N: above 1, the bias is resolved.
    count : int
        Entries of Q and R, times included.
    """

    ratio: float
    ratio_error: float
    expected: float
    exponent: float
    exponent_error: float
    chi2_per_entry: float
    significance: float
    count: int

    def __str__(self) -> str:
        return "\n".join(
            [
                f"finite-size bias in {self.count} entries of Q and R",
                f"  ratio of biases        {self.ratio:.3g} +- {self.ratio_error:.2g}"
                f"   (O(1/N): {self.expected:g})",
                f"  exponent of 1/N        {self.exponent:.3g} +- {self.exponent_error:.2g}"
                "   (O(1/N): 1)",
                f"  chi^2 of a(alpha)/N    {self.chi2_per_entry:.3g} per entry",
                f"  bias at the small N    {self.significance:.3g} standard errors rms",
            ]
        )


def finite_size_trend(theory: Trajectory, small: Trajectory, large: Trajectory) -> FiniteSizeTrend:
    """Fit the bias of ensemble means at two sizes N to the O(1/N) trend.

    Over the entries of Q and R at all times, b_small = rho b_large is fitted by least squares with
    errors in both (Deming, weights 1/s_large^2), which does not attenuate rho as a plain quotient
    would. Its standard error is a jackknife over runs, so correlations in time are accounted for.

    Raises
    ------
    ValueError
        If the trajectories do not compare, N_small >= N_large, or the biases are not resolved.
    """
    check_comparable((theory, small, large))
    sizes = [_size(path) for path in (small, large)]
    if theory.runs is not None or sizes[0] >= sizes[1]:
        raise ValueError(
            f"finite_size_trend takes a deterministic theory, then ensembles of increasing N; "
            f"found {theory!r}, N = {sizes[0]} and N = {sizes[1]}"
        )
    compare(theory, small, large)
    samples = _biases(theory, small, large)
    bias = [s.mean(axis=0) for s in samples]
    error = [s.std(axis=0, ddof=1) / math.sqrt(len(s)) for s in samples]
    ratio = float(_deming(bias[0], bias[1], error))
    variance = 0.0
    for which, s in enumerate(samples):
        left_out = list(bias)
        left_out[which] = (len(s) * bias[which] - s) / (len(s) - 1)
        variance += (len(s) - 1) * float(np.var(_deming(left_out[0], left_out[1], error)))
    expected = sizes[1] / sizes[0]
    misfit = (bias[0] - expected * bias[1]) ** 2 / (error[0] ** 2 + (expected * error[1]) ** 2)
    return FiniteSizeTrend(
        ratio=ratio,
        ratio_error=math.sqrt(variance),
        expected=expected,
        exponent=math.log(ratio) / math.log(expected),
        exponent_error=math.sqrt(variance) / (ratio * math.log(expected)),
        chi2_per_entry=float(np.mean(misfit)),
        significance=float(np.sqrt(np.mean((bias[0] / error[0]) ** 2))),
        count=len(bias[0]),
    )


def _size(path: Trajectory) -> int:
    if "N" not in path.provenance:
        raise ValueError(f"finite_size_trend: {path!r} does not say its N: use a simulation")
    return int(path.provenance["N"])


def _biases(theory: Trajectory, *ensembles: Trajectory) -> list[Array]:
    """Deviations from the theory, (runs, entries) for each ensemble, of entries that scatter."""
    samples = []
    for path in ensembles:
        parts = []
        for name in ("Q", "R"):
            deviation = getattr(path, name) - getattr(theory, name).astype(float)
            parts.append(independent_entries(deviation, name).reshape(len(path.q), -1))
        samples.append(np.concatenate(parts, axis=1))
    scatter = np.min([s.std(axis=0) for s in samples], axis=0)
    # Below rounding there is no scatter to weigh by: the common start.
    keep = scatter > 1e-12 * np.max(scatter)
    return [s[:, keep] for s in samples]


def _deming(small: Array, large: Array, error: list[Array]) -> Array:
    """Slope of small against large (..., entries), errors in both."""
    weight = 1 / error[1] ** 2
    noise = np.mean(weight * error[0] ** 2)
    squares = np.sum(weight * small**2, axis=-1) - noise * np.sum(weight * large**2, axis=-1)
    product = np.sum(weight * small * large, axis=-1)
    if np.any(product <= 0):
        raise ValueError(
            "finite_size_trend: the biases at the two sizes are not resolved (no correlation): use "
            "more runs, or smaller N"
        )
    return np.asarray((squares + np.sqrt(squares**2 + 4 * noise * product**2)) / (2 * product))
