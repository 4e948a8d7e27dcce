"""One run from the command line: integrate, simulate, compare, plot, save."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from numerics import Trajectory, compare, initial, integrate, simulate
from numerics.initial import whole_number
from numerics.trajectory import check_times
from theory import order_parameter_odes
from theory.exact import exact

from .config import RunConfig
from .output import whole_folder

__all__ = ["run"]


def run(config: RunConfig, out: Path, say: Callable[[str], None]) -> None:
    """Carry out `config` and write everything into `out`: data, figure, comparison, configuration.

    Parameters
    ----------
    say : callable
        Takes the lines that tell what is going on.

    Raises
    ------
    ValueError, TypeError, OSError, ArithmeticError, NotImplementedError
        If something is out of its range or does not work; nothing is then written.
    """
    with whole_folder(out) as folder:
        paths = _trajectories(config, say)
        text = "\n\n".join(f"{path!r}\n{path.table()}" for path in paths.values())
        if len(paths) > 1:
            text += f"\n\n{compare(*paths.values())}"
        for name, path in paths.items():
            path.save(folder / f"{name}.npz")
        figure = next(iter(paths.values())).plot(*list(paths.values())[1:])
        figure.savefig(folder / "learning_curve.pdf")
        figure.savefig(folder / "learning_curve.png", dpi=160)
        (folder / "comparison.txt").write_text(text + "\n", encoding="utf-8")
        (folder / "run.toml").write_text(config.toml(), encoding="utf-8")
    say(f"\n{text}\n\nwritten to {out}")


def _trajectories(config: RunConfig, say: Callable[[str], None]) -> dict[str, Trajectory]:
    """What was asked for, by file name: double precision, then high precision, then simulation."""
    model, alpha = config.model(), float(exact(config.alpha, "alpha"))
    _check(config, alpha)
    ode = order_parameter_odes(model)
    start = initial(model, config.sigma_J, config.N, config.seed)
    say(f"integrating K = {model.K}, M = {model.M}, L = {model.spectrum.L} to alpha = {alpha:g}")
    paths = {"ode": integrate(ode, start, alpha)}
    if config.digits is not None:
        say(f"integrating in {config.digits} digits")
        name = f"ode_{config.digits}_digits"
        paths[name] = integrate(ode, start, alpha, digits=config.digits)
    if config.runs:
        say(f"simulating {config.runs} runs at N = {config.N}")
        seed = config.seed + 1
        paths["simulation"] = simulate(model, start, alpha, config.N, config.runs, seed)
    return paths


def _check(config: RunConfig, alpha: float) -> None:
    """Refuse now what would be refused after the first integration."""
    check_times(None, alpha)
    if config.digits is not None:
        whole_number(config.digits, "digits", 1)
    if whole_number(config.runs, "runs", 0) == 1:
        raise ValueError("runs must be at least 2, for error bars, or 0 for no simulation; found 1")
