"""``specscale redundancy``: a learning curve from exponents, or from a measured kernel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from numerics.initial import whole_number
from numerics.learning_curves import (
    DRAWN,
    LearningCurve,
    SimulatedRisk,
    learning_curve,
    simulate_risk,
)
from numerics.measured_kernel import CurvePoint, MeasuredKernel, actual_curve, measure_kernel
from numerics.modes import positive_float
from numerics.redundancy_figures import curve_figure, measured_figure
from numerics.storage import write_arrays
from theory.redundancy import KernelRegression
from theory.redundancy_crossover import crossover_samples
from theory.redundancy_universality import floor_law
from theory.spectral_filters import FLOW, RIDGE, spectral_filter

from .output import whole_folder

__all__ = ["Options", "run_measured", "run_theory"]

SIMULATED = (50, 100, 200)
"""Numbers of samples that are simulated, where they lie in the range."""
PER_DECADE = 4


@dataclass(frozen=True)
class Options:
    """What ``specscale redundancy`` was asked for; numbers as text, so that they stay exact."""

    beta: Any
    s: Any
    noise: Any = "1"
    n: str = "10:1e8"
    filter: str = "ridge"
    width: Any = None
    runs: int = 200
    seed: int = 0


def run_theory(options: Options, out: Path) -> str:
    """Learning curve, law and simulation; write table, figure and data into `out`.

    Raises
    ------
    ValueError, TypeError, OSError
        If something is out of its range; nothing is then written.
    """
    runs = whole_number(options.runs, "runs", 0)
    if runs == 1:
        raise ValueError("runs must be at least 2, for error bars, or 0 for none; found 1")
    filter = spectral_filter(options.filter)
    problem = KernelRegression(options.beta, options.s, options.noise, filter)
    low, high = _range(options.n)
    sizes = np.geomspace(low, high, max(2, round(PER_DECADE * np.log10(high / low)) + 1))
    with whole_folder(out) as folder:
        curve = learning_curve(problem, sizes, options.width)
        simulated = _simulated(problem, (low, high), options) if runs else []
        text = f"{_header(curve)}\n\n{_table(curve)}\n{_simulations(simulated)}"
        _write(folder, text, curve_figure(curve, simulated), _columns(curve), {
            "beta": str(problem.beta), "s": str(problem.s), "noise": str(problem.noise),
            "filter": options.filter, "width": str(options.width), "seed": options.seed,
        })  # fmt: skip
    return f"{text}\nwritten to {out}"


def _range(text: str) -> tuple[float, float]:
    low, colon, high = text.partition(":")
    if not colon:
        raise ValueError(f"n must be a range LOW:HIGH such as 10:1e8, found {text!r}")
    ends = positive_float(low, "n"), positive_float(high, "n")
    if ends[1] <= ends[0]:
        raise ValueError(f"n must be a range LOW:HIGH with LOW < HIGH, found {text!r}")
    return ends


def _simulated(
    problem: KernelRegression, ends: tuple[float, float], options: Options
) -> list[SimulatedRisk]:
    if problem.filter not in (RIDGE, FLOW):
        return []
    width = None if options.width is None else int(positive_float(options.width, "width"))
    inside = [n for n in SIMULATED if ends[0] <= n <= ends[1]]
    return [simulate_risk(problem, n, options.runs, options.seed, width) for n in inside]


def _header(curve: LearningCurve) -> str:
    problem = curve.problem
    lines = [
        f"{problem.filter.name}, beta = {problem.beta}, s = {problem.s}, noise = {problem.noise}",
        f"law: excess ~ n^-{curve.claimed_exponent:.4g}"
        + (" with a logarithm" if curve.law.exponent is None else ""),
    ]
    if problem.saturated:
        order = problem.filter.order
        lines.append(f"the filter is saturated: smoothness beyond s = {order} is not used")
    if problem.filter == RIDGE and problem.noise != 0 and problem.s != 1:
        lines.append(
            f"noise counts from n = {float(crossover_samples(problem)):.3g} on; below, "
            f"excess ~ n^-{float(problem.bias_exponent * problem.beta):.4g}"
        )
    if not np.isinf(curve.width):
        floor = floor_law(problem)(curve.width)
        lines.append(f"width {curve.width:g}: the excess ends at about {float(floor):.4g}")
    return "\n".join(lines)


def _table(curve: LearningCurve) -> str:
    rows = ["           n        kappa       excess          law   local exponent"]
    slopes = ["", *(f"{x:.4f}" for x in curve.exponents)]
    for n, kappa, risk, slope in zip(curve.n, curve.kappa, curve.risk, slopes, strict=True):
        value = curve.law_at(float(n))
        law = "-" if value is None else f"{value:.5g}"
        rows.append(f"{n:12.4g} {kappa:12.5g} {risk:12.5g} {law:>12} {slope:>16}")
    return "\n".join(rows)


def _simulations(simulated: Sequence[SimulatedRisk]) -> str:
    return "".join(
        f"\nsimulated on {DRAWN} modes, n = {p.n}, {p.runs} runs: {p.mean:.5g} +- "
        f"{p.standard_error:.2g}, theory of these modes {p.theory:.5g}, z = {p.z_score:.2f}"
        for p in simulated
    )


def _columns(curve: LearningCurve) -> dict[str, np.ndarray]:
    return {"n": curve.n, "kappa": curve.kappa, "excess": curve.risk}


def _write(
    folder: Path, text: str, figure: Figure, columns: dict[str, np.ndarray], notes: dict[str, Any]
) -> None:
    (folder / "redundancy.txt").write_text(text + "\n", encoding="utf-8")
    for form in ("pdf", "png"):
        figure.savefig(folder / f"redundancy.{form}", dpi=160)
    write_arrays(folder / "redundancy.npz", "specscale learning curve 1", columns, notes)


def run_measured(
    kernel: Path, targets: Path, sizes: Iterable[int] | None, runs: int, seed: int, out: Path
) -> str:
    """Exponents of a measured kernel and its learning curve, predicted and actual.

    Parameters
    ----------
    sizes : iterable of int, optional
        Training points; by default powers of two up to a third of the points.

    Raises
    ------
    ValueError, TypeError, OSError
        If the files do not hold such arrays or something is out of its range.
    """
    with whole_folder(out) as folder:
        measured = measure_kernel(_loaded(kernel, "kernel"), _loaded(targets, "targets"))
        points = actual_curve(measured, sizes or _sizes(len(measured.targets)), runs, seed)
        text = _measured_text(measured, points, runs)
        columns = {
            name: np.array([getattr(p, name) for p in points])
            for name in ("n", "ridge", "predicted", "actual", "standard_error")
        }
        notes = {"kernel": kernel.name, "targets": targets.name, "runs": runs, "seed": seed}
        _write(folder, text, measured_figure(measured, points), columns, notes)
    return f"{text}\nwritten to {out}"


def _loaded(path: Path, name: str) -> np.ndarray:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path} to load the {name} from")
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (ValueError, EOFError) as problem:
        raise ValueError(f"{path} is no .npy file of numbers: {problem}") from None


def _sizes(points: int) -> list[int]:
    found = [2**k for k in range(4, 40) if 3 * 2**k <= points]
    return found or [points // 3]


def _measured_text(measured: MeasuredKernel, points: Sequence[CurvePoint], runs: int) -> str:
    low, high = measured.window
    fits = {
        "beta": measured.beta,
        "s": measured.s,
        "exponent with noise, 2s/(2s + 1/beta)": measured.exponent,
        "exponent without noise, 2 s beta": measured.noiseless_exponent,
    }
    lines = [f"{len(measured.targets)} points, modes {low} to {high} fitted"]
    lines += [f"{name}: {fit.value:.3f} +- {fit.error:.3f}" for name, fit in fits.items()]
    size = float(np.mean(measured.targets**2))
    lines += [
        f"variance of the noise: {measured.noise:.2g}, mean square of the targets: {size:.3g}"
    ]
    if len(points) > 1:
        ends = np.log([p.n for p in points]), np.log([p.actual for p in points])
        lines.append(f"exponent of the actual curve: {-np.polyfit(*ends, 1)[0]:.3f}")
    lines += ["", f"     n     predicted        actual ({runs} subsets)   predicted/actual - 1"]
    lines += [
        f"{p.n:6d} {p.predicted:13.5g} {p.actual:13.5g} +- {p.standard_error:.2g} "
        f"{p.difference:18.3f}"
        for p in points
    ]
    return "\n".join(lines)
