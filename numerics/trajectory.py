"""One result type for every origin: order parameters and eps_g along alpha, with provenance.

Summary
    A `Trajectory` is what integrating the equations of motion gives, and what simulating SGD gives
    (then with a leading run axis): the same names, shapes and normalisation, so that they compare.

Notation (normalisation of WR24)
    q_k = J P_k J^T / n_k, r_k = J P_k B^T / n_k, t_k = B P_k B^T / n_k in eigenspace k,
    Q = sum_k w_k lam_k q_k, R = sum_k w_k lam_k r_k, T = sum_k w_k lam_k t_k,
    alpha = (number of SGD steps) / N.

References
    [WR24] Worschech & Rosenow, arXiv:2410.09005.
"""

from __future__ import annotations

import math
import os
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mpmath as mp
import numpy as np

from theory.exact import positive

from .arrays import exact_array, is_finite, real_array
from .storage import Array, plain_json, read_arrays, write_arrays

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Observables", "Trajectory", "check_times", "default_times"]

KIND = "specscale trajectory 1"
POINTS = 100


def default_times(alpha: float) -> Array:
    """0 and 100 geometric points up to `alpha`, the grid shared by theory and simulation.

    The first positive time is ``min(alpha/1000, 1/100)``: before the fastest rates of a learning
    rate of order one, whatever `alpha` is.
    """
    return np.concatenate([[0.0], np.geomspace(min(alpha / 1000, 0.01), alpha, POINTS)])


def check_times(at: Any, alpha: Any) -> Array:
    """Return the output times, validated; `at` None means `default_times(alpha)`.

    Parameters
    ----------
    at : array (T,) or None
        Strictly increasing times in [0, alpha].
    alpha : number
        End of the run, positive and finite: a float, or exact (``"1/2"``), like each time.

    Raises
    ------
    ValueError, TypeError
        If `alpha` or `at` is not as above; the message names the first offender.
    """
    number = positive(alpha, "alpha")
    if not number.is_number:
        raise ValueError(f"alpha must be a number, found {alpha}: give its symbols values")
    end = float(number)
    if not 0 < end < math.inf:
        raise ValueError(f"alpha must be within the range of doubles, found {alpha}")
    if at is None:
        return default_times(end)
    times, _ = exact_array(at, "at")
    if times.ndim != 1 or times.size == 0:
        raise ValueError(f"at must be a list of times, found an array of shape {times.shape}")
    _check_increasing(times, "at")
    if times[-1] > end:
        raise ValueError(f"at goes to {times[-1]} beyond alpha = {end}: raise alpha, or shorten at")
    return times


def _check_increasing(times: Array, name: str) -> None:
    bad = np.flatnonzero(~np.isfinite(times))
    if bad.size:
        raise ValueError(f"{name} must be finite, found {times[bad[0]]} at position {bad[0]}")
    if times[0] < 0:
        raise ValueError(f"{name} must not be negative, found {times[0]}")
    bad = np.flatnonzero(np.diff(times) <= 0)
    if bad.size:
        pair = times[bad[0]], times[bad[0] + 1]
        raise ValueError(f"{name} must increase, found {pair[0]} followed by {pair[1]}")


@dataclass(frozen=True, eq=False)
class Observables:
    """The mean, or the standard error of the mean, over the runs of an ensemble.

    Attributes
    ----------
    alpha : (T,)
    q, r : (T, L, K, K), (T, L, K, M)
    Q, R : (T, K, K), (T, K, M)
    generalization_error : (T,)
    """

    alpha: Array
    q: Array
    r: Array
    Q: Array
    R: Array
    generalization_error: Array


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """Order parameters and generalisation error at the times alpha.

    Parameters
    ----------
    alpha : (T,) float64
    q : (..., T, L, K, K)
        q_k = J P_k J^T / n_k. The leading axis, if any, counts runs.
    r : (..., T, L, K, M)
        r_k = J P_k B^T / n_k.
    t : (L, M, M)
        t_k = B P_k B^T / n_k; the teacher does not move.
    generalization_error : (..., T)
        eps_g = E[(zeta - sigma)^2]/2, without label noise.
    eigenvalues, weights : (L,)
        lam_k and w_k.
    provenance : dict of plain JSON values
        ``origin`` ("ode", "simulation") and ``method``, always; ``digits`` when the arrays are mpf;
        ``N``, ``runs``, ``seed`` of a simulation; whatever else the maker has to say.

    Raises
    ------
    ValueError
        If shapes disagree, times do not increase, a value is not finite (the message says where),
        or the provenance is incomplete.
    TypeError
        If an array is not real, float64 and mpf are mixed, or the provenance is not plain JSON.
    """

    alpha: Array
    q: Array
    r: Array
    t: Array
    generalization_error: Array
    eigenvalues: Array
    weights: Array
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            object.__setattr__(self, name, real_array(getattr(self, name), f"Trajectory: {name}"))
        object.__setattr__(self, "provenance", _complete(self.provenance))
        _check_precision(self)
        _check_shapes(self)
        _check_increasing(self.alpha, "Trajectory: alpha")
        for name in ("t", "eigenvalues", "weights", "q", "r", "generalization_error"):
            _check_finite(self, name)

    @property
    def runs(self) -> int | None:
        """Number of runs of an ensemble; None for a single, deterministic trajectory."""
        return int(self.q.shape[0]) if self.q.ndim == 5 else None

    @property
    def digits(self) -> int | None:
        """Decimal digits of a high-precision trajectory; None for float64."""
        return self.provenance["digits"] if self.q.dtype == object else None

    @property
    def events(self) -> dict[str, float | None]:
        """Times of the events asked for, by name; None where one did not happen."""
        return dict(self.provenance.get("events", {}))

    @property
    def K(self) -> int:
        """Hidden units of the student."""
        return int(self.r.shape[-2])

    @property
    def M(self) -> int:
        """Hidden units of the teacher."""
        return int(self.r.shape[-1])

    @property
    def Q(self) -> Array:
        """Q = sum_k w_k lam_k q_k, shape (..., T, K, K)."""
        return self._macroscopic(self.q)

    @property
    def R(self) -> Array:
        """R = sum_k w_k lam_k r_k, shape (..., T, K, M)."""
        return self._macroscopic(self.r)

    @property
    def T(self) -> Array:
        """T = sum_k w_k lam_k t_k, shape (M, M)."""
        return self._macroscopic(self.t)

    def _macroscopic(self, modes: Array) -> Array:
        with mp.workdps(self.digits + 5) if self.digits else nullcontext():
            measure = (self.weights * self.eigenvalues)[:, None, None]
            return np.sum(measure * modes, axis=-3)

    @property
    def mean(self) -> Observables:
        """Mean over the runs.

        Raises
        ------
        ValueError
            If there are fewer than two runs (also for `standard_error`).
        """
        return self._over_runs(lambda a: np.mean(a, axis=0))

    @property
    def standard_error(self) -> Observables:
        """Standard error of the mean over the runs, std(ddof=1)/sqrt(runs)."""
        return self._over_runs(_standard_error)

    def _over_runs(self, statistic: Any) -> Observables:
        if self.runs is None:
            raise ValueError(
                f"{self!r} has no run axis, hence no ensemble statistics: use its arrays directly"
            )
        if self.runs < 2:
            raise ValueError(f"{self!r} has one run: statistics need two, pass runs=2 or more")
        names = ("q", "r", "Q", "R", "generalization_error")
        return Observables(self.alpha, **{n: statistic(getattr(self, n)) for n in names})

    def estimate(self, name: str) -> tuple[Array, Array | None]:
        """The observable `name` as one curve, and its standard error if that is known.

        The mean and standard error of an ensemble; a single run and a deterministic trajectory
        as they are, with None.
        """
        array = getattr(self, name)
        if self.runs is None:
            return array, None
        if self.runs == 1:
            return array[0], None
        return np.mean(array, axis=0), _standard_error(array)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write an .npz file without pickle, all of it or nothing; return its path.

        Raises
        ------
        FileNotFoundError
            If the folder does not exist.
        """
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return write_arrays(path, KIND, arrays, {"provenance": self.provenance})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trajectory:
        """Read what `save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is not a saved trajectory.
        """
        arrays, header = read_arrays(path, KIND, _ARRAYS)
        return cls(**arrays, provenance=header["provenance"])

    def table(self, rows: int = 12) -> str:
        """Text table of eps_g and the first overlaps at about `rows` of the times.

        An ensemble shows its mean; eps_g then comes with one standard error. A single run shows
        itself.
        """
        eps, error = self.estimate("generalization_error")
        columns = {"alpha": self.alpha, "eps_g": eps}
        if error is not None:
            columns["+-"] = error
        for name in ("Q", "R"):
            matrix, _ = self.estimate(name)
            for j in range(min(2, matrix.shape[-1])):
                columns[f"{name}1{j + 1}"] = matrix[:, 0, j]
        picked = np.unique(np.linspace(0, len(self.alpha) - 1, max(rows, 2)).round().astype(int))
        lines = ["".join(f"{title:>13}" for title in columns)]
        for i in picked:
            lines.append("".join(f"{float(c[i]):>13.6g}" for c in columns.values()))
        return "\n".join(lines)

    def plot(self, *others: Trajectory) -> Figure:
        """eps_g and the overlaps against alpha: theory as lines, ensembles as mean +- 2 s.e."""
        from .figures import learning_curve

        return learning_curve(self, *others)

    @property
    def label(self) -> str:
        """What this is, in a few words: ``ODE, 30 digits`` or ``chain, N = 1024, 32 runs``."""
        if self.provenance["origin"] == "ode":
            kind = f"{self.digits} digits" if self.digits else "float64"
            error = self.provenance.get("quadrature_error")
            return f"ODE, {kind}" + ("" if error is None else f", quadrature to {error:.0e}")
        parts = [str(self.provenance["method"])]
        if "N" in self.provenance:
            parts.append(f"N = {self.provenance['N']}")
        if self.runs is not None:
            parts.append(f"{self.runs} run{'s' if self.runs > 1 else ''}")
        return ", ".join(parts)

    def __repr__(self) -> str:
        ends, _ = self.estimate("generalization_error")
        return (
            f"Trajectory({self.label}; K={self.K}, M={self.M}, L={len(self.weights)}; "
            f"{len(self.alpha)} times, alpha {self.alpha[0]:g} .. {self.alpha[-1]:g}; "
            f"eps_g {float(ends[0]):.4g} -> {float(ends[-1]):.4g})"
        )

    def __str__(self) -> str:
        why = f", chosen: {p['chosen']}" if "chosen" in (p := self.provenance) else ""
        return f"{self!r}\nby {p['method']}{why}"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}\n\n{escape(self.table())}</pre>"


def _standard_error(array: Array) -> Array:
    return np.asarray(np.std(array, axis=0, ddof=1) / math.sqrt(len(array)))


_ARRAYS = tuple(f.name for f in fields(Trajectory) if f.name != "provenance")


def _complete(provenance: dict[str, Any]) -> dict[str, Any]:
    """Return a copy, checked to be plain JSON and to say where the trajectory comes from."""
    copy = plain_json(provenance, "Trajectory")
    for key in ("origin", "method"):
        if key not in copy:
            raise ValueError(
                f"Trajectory: the provenance must say its {key!r}, found {sorted(copy)}"
            )
    return copy


def _check_precision(path: Trajectory) -> None:
    """All arrays but alpha are float64, or all are mpf with the digits on record."""
    if path.alpha.dtype == object:
        raise TypeError("Trajectory: alpha must be float64 (a double is an exact time)")
    high = {name for name in _ARRAYS if getattr(path, name).dtype == object}
    low = set(_ARRAYS) - high - {"alpha"}
    if high and low:
        raise TypeError(f"Trajectory: {sorted(high)} are mpf but {sorted(low)} are float64")
    if high and not isinstance(path.provenance.get("digits"), int):
        raise ValueError('Trajectory: mpf arrays need provenance["digits"], a whole number')


def _check_shapes(path: Trajectory) -> None:
    if path.r.ndim not in (4, 5) or path.alpha.ndim != 1 or path.alpha.size == 0:
        raise ValueError(
            "Trajectory: alpha must have shape (T,) and r shape (T, L, K, M) or (runs, T, L, K, M),"
            f" found {path.alpha.shape} and {path.r.shape}"
        )
    *lead, T, L, K, M = path.r.shape
    expected: dict[str, tuple[int, ...]] = {
        "alpha": (T,),
        "q": (*lead, T, L, K, K),
        "t": (L, M, M),
        "generalization_error": (*lead, T),
        "eigenvalues": (L,),
        "weights": (L,),
    }
    for name, shape in expected.items():
        found = getattr(path, name).shape
        if found != shape:
            raise ValueError(
                f"Trajectory: {name} must have shape {shape} to go with r {path.r.shape}, "
                f"found {found}"
            )


def _check_finite(path: Trajectory, name: str) -> None:
    array = getattr(path, name)
    if array.dtype != object and np.isfinite(np.sum(array)):  # one pass, without temporary arrays
        return
    bad = np.argwhere(~is_finite(array))
    if not len(bad):
        return
    index = list(map(int, bad[0]))
    where = [f"found {array[tuple(index)]}"]
    if name in ("q", "r", "generalization_error"):
        if path.runs is not None:
            where.append(f"run {index.pop(0)}")
        where.append(f"alpha = {path.alpha[index.pop(0)]:g}")
    if index:
        where.append(f"mode {index.pop(0) + 1}")
    if index:
        where.append(f"entry ({index[0] + 1}, {index[1] + 1})")
    raise ValueError(f"Trajectory: {name} is not finite: {', '.join(where)}")
