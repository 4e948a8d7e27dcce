"""Random features at large d: how near the limit d = infinity is, and what a spectrum costs."""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np
from scipy.linalg import eigvalsh

from numerics import feature_covariance, feature_spectra
from numerics.spectral_statistics import count_slope, rank_windows

from .table import Table

A = 2
"""Where finite d is felt least: the correction of first order vanishes for p = 1."""

RUNS = {True: {250: 4}, False: {1000: 32, 2000: 16, 4000: 8}}
FIRST, SHARES = 10, {1: 4, 2: 4, 3: 13}
"""Windows of ranks go from FIRST to d over the degree's share."""

TOP = {True: (9000, 50, 10), False: (50_000, 1000, 100)}
"""d, v and the number of eigenvalues without the matrix."""


def measure(quick: bool) -> Table:
    """Ensembles at v = 2 d against the exact spectrum of d = infinity at the same v."""
    columns = ("p", "d", "runs", "worst %", "+- %", "at rank", "slope of y", "d = oo", "seconds")
    rows = [_row(p, d, runs) for p in SHARES for d, runs in RUNS[quick].items()]
    title = (
        "Random features y^p, a = 2, v = 2 d, ranks 10 to d/4 (p = 3: d/13) in 15 % windows: "
        "largest deviation from d = infinity; seconds of one run"
    )
    return Table(title, columns, rows)


def _row(p: int, d: int, runs: int) -> tuple[Any, ...]:
    v, last = 2 * d, d // SHARES[p]
    began = time.perf_counter()
    spectra = feature_spectra(A, p, v, d, runs)
    seconds = (time.perf_counter() - began) / runs
    windows = rank_windows(FIRST, last)
    ratios, limit = spectra.log_ratios(windows), spectra.limit(last)
    assert limit is not None
    mean, error = np.expm1(ratios.mean(axis=0)), ratios.std(axis=0, ddof=1) / np.sqrt(runs)
    k = int(np.argmax(abs(mean)))
    slopes = (count_slope(s, A, p, windows).mean() for s in (spectra.eigenvalues, limit))
    shown = (f"{100 * mean[k]:+.1f}", f"{100 * error[k]:.1f}", f"{windows.ranks[k]:.0f}")
    return (p, d, runs, *shown, *(f"{slope:.3f}" for slope in slopes), seconds)


def measure_cost(quick: bool) -> Table:
    """All eigenvalues beside the solver alone; the largest ones without the matrix."""
    columns = ("d", "v", "eigenvalues", "seconds", "times solver", "GB")
    rows = []
    _timed(9, 9, None)  # compiled before anything is timed
    for d in RUNS[quick]:
        seconds = _timed(d, d, None)
        W = np.random.default_rng(0).standard_normal((d, d))
        covariance = feature_covariance(np.arange(1, d + 1) ** -float(A), W, 2)
        began = time.process_time()
        eigvalsh(covariance)
        rows.append((d, d, d, seconds, seconds / (time.process_time() - began), _gigabytes()))
    d, v, top = TOP[quick]
    rows.append((d, v, top, _timed(v, d, top), None, _gigabytes()))
    return Table("Cost of one spectrum of y^2, a = 2: processor seconds", columns, rows)


def _timed(v: int, d: int, top: int | None) -> float:
    began = time.process_time()
    feature_spectra(A, 2, v, d, runs=1, top=top)
    return time.process_time() - began


def _gigabytes() -> float:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
