"""The command line, ``specscale``: one function a command.

Everything heavy is imported inside the commands, so that ``specscale --help`` answers at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from .catalogue import NAMES

__all__ = ["main"]

_FOLDER = click.Path(path_type=Path)
_EXPECTED = (
    ArithmeticError,
    ImportError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def _examples(*lines: str) -> str:
    """The examples at the end of a help text, kept as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


@contextmanager
def _plain_messages() -> Iterator[None]:
    """Errors and warnings of the library as one plain message each, without a traceback."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = lambda message, *_, **__: click.echo(f"Warning: {message}", err=True)
        try:
            yield
        except Exception as problem:
            # By its name: to import the class may be what has just failed.
            if not isinstance(problem, _EXPECTED) and type(problem).__name__ != "DerivationError":
                raise
            raise click.ClickException(str(problem)) from None


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_examples(
        "specscale report --out report",
        "specscale derive --all --format html --out documents",
        "specscale run --K 2 --M 2 --eta 1/10 --alpha 100 --N 256 --out run",
    ),
)
@click.version_option(package_name="specscale", prog_name="specscale")
def main() -> None:
    """How data spectra set neural scaling laws: derived, integrated, simulated, checked."""


@main.command(
    epilog=_examples(
        "specscale report --out report",
        "specscale report --quick --out /tmp/quick",
    )
)
@click.option("--out", type=_FOLDER, default="report", show_default=True, help="Output folder.")
@click.option("--quick", is_flag=True, help="Fewer and smaller cases, about a minute.")
def report(out: Path, quick: bool) -> None:
    """Derive, check, integrate, simulate, compare, judge claims; write DIR/report.html.

    Two-layer networks (K = M = 2, erf) on power-law data at four numbers of eigenvalues: takes
    about three minutes. Fails, and writes nothing, if any check fails.
    """
    with _plain_messages():
        from .report import write_report
        from .study import FULL, QUICK

        click.echo(write_report(out, QUICK if quick else FULL))


@main.command(
    epilog=_examples(
        "specscale derive symmetric_plateau --format html --out documents",
        "specscale derive --all --format tex --out documents",
    )
)
@click.argument("name", metavar="[NAME]", required=False, type=click.Choice(NAMES))
@click.option("--all", "everything", is_flag=True, help="Every derivation.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["tex", "html", "pdf"]),
    default="html",
    show_default=True,
    help="pdf needs latexmk.",
)
@click.option("--out", type=_FOLDER, default="documents", show_default=True, help="Output folder.")
def derive(name: str | None, everything: bool, form: str, out: Path) -> None:
    """Check every step of a derivation and write it as a document."""
    if (name is not None) == everything:
        raise click.UsageError(f"give one NAME ({', '.join(NAMES)}), or --all")
    with _plain_messages():
        from .catalogue import load
        from .output import whole_folder
        from .render import render

        with whole_folder(out) as folder:
            written = []
            for each in [name] if name else NAMES:
                derivation = load(each)
                written.append((render(derivation, form, folder), derivation.check()))
        for path, outcome in written:
            click.echo(f"{out / path.name}  ({outcome})")


@main.command(
    epilog=_examples(
        "specscale claims",
        "specscale claims --full --html --out claims",
    )
)
@click.option("--html", is_flag=True, help="Write DIR/claims.html too.")
@click.option(
    "--quick/--full", default=True, show_default=True, help="Under a minute, or larger cases."
)
@click.option("--out", type=_FOLDER, help="Output folder of --html. [claims]")
def claims(html: bool, quick: bool, out: Path | None) -> None:
    """Judge published statements by numbers computed now.

    Each holds, holds when some condition is met, or fails; none of this is an error. A statement
    that cannot be judged is one, and nothing is then written.
    """
    if out is not None and not html:
        raise click.UsageError("--out is the folder of the page: give --html too")
    with _plain_messages():
        from .claims import CLAIMS
        from .claims.judging import write_claims

        folder = (out or Path("claims")) if html else None
        click.echo(write_claims(CLAIMS, not quick, folder))


@main.command(
    epilog=_examples(
        "specscale redundancy --beta 2 --s 1/2 --n 10:1e8 --out redundancy",
        "specscale redundancy --beta 2 --s 3/2 --filter flow --noise 1/10",
        "specscale redundancy --kernel kernel.npy --targets targets.npy --out measured",
    )
)
@click.option("--beta", metavar="NUMBER", help="Decay of the kernel's eigenvalues, i^-beta.")
@click.option("--s", metavar="NUMBER", help="Smoothness: theta_i^2 = i^-(2 s beta + 1).")
@click.option("--noise", metavar="NUMBER", help="Variance of the noise. [1]")
@click.option("--n", metavar="LOW:HIGH", help="Numbers of samples. [10:1e8]")
@click.option("--filter", metavar="NAME", help="ridge, flow or iterated:q. [ridge]")
@click.option("--width", metavar="NUMBER", help="Random features in place of the kernel.")
@click.option("--kernel", type=click.Path(path_type=Path), help="A measured kernel, N x N (.npy).")
@click.option("--targets", type=click.Path(path_type=Path), help="Its N targets (.npy).")
@click.option(
    "--runs", type=int, default=200, show_default=True, help="Of each simulation; 0 for none."
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--out", type=_FOLDER, default="redundancy", show_default=True, help="Output folder.")
def redundancy(
    kernel: Path | None, targets: Path | None, runs: int, seed: int, out: Path, **options: Any
) -> None:
    """The learning curve of kernel regression, from exponents or from a measured kernel.

    From --beta and --s: the excess risk at the best regularisation, beside the law and simulations.
    From --kernel and --targets: beta and s with uncertainties, the predicted learning curve and the
    actual one, on random subsets of the points.
    """
    given = {name: value for name, value in options.items() if value is not None}
    measured = kernel is not None or targets is not None
    if measured and (kernel is None or targets is None or given):
        raise click.UsageError(
            "a measured kernel needs --kernel and --targets; it takes --runs, --seed and --out only"
        )
    if not measured and not {"beta", "s"} <= set(given):
        raise click.UsageError("give --beta and --s, or --kernel and --targets")
    with _plain_messages():
        from .redundancy_run import Options, run_measured, run_theory

        if kernel is not None and targets is not None:
            click.echo(run_measured(kernel, targets, None, runs, seed, out))
        else:
            click.echo(run_theory(Options(**given, runs=runs, seed=seed), out))


def _listed(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(","))


@main.command(
    epilog=_examples(
        "specscale run --K 2 --M 2 --activation erf --spectrum power-law --beta 1 --L 8 \\",
        "    --eta 1/10 --alpha 1000 --digits 30 --N 1024 --runs 16 --out run",
        "specscale run model.toml --eta 1/20 --out slower",
    )
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--K", "K", metavar="INT", help="Hidden units of the student.")
@click.option("--M", "M", metavar="INT", help="Hidden units of the teacher.")
@click.option("--activation", metavar="NAME", help="erf, linear, relu, sin, x^3, He_2, ... [erf]")
@click.option("--spectrum", metavar="KIND", help="isotropic, power-law or discrete. [isotropic]")
@click.option("--beta", metavar="NUMBER", help="Power law: lam_k ~ k^-(1+beta).")
@click.option("--L", "L", metavar="INT", help="Power law: number of eigenvalues.")
@click.option(
    "--eigenvalues", metavar="LIST", callback=_listed, help="Discrete: such as 1,1/2,1/4."
)
@click.option("--weights", metavar="LIST", callback=_listed, help="Discrete: one per eigenvalue.")
@click.option("--eta", metavar="NUMBER", help="Learning rate.")
@click.option(
    "--scale", metavar="KIND", help="Output weights: sqrt (1/sqrt(M)) or unit (1). [sqrt]"
)
@click.option("--label-noise", metavar="NUMBER", help="Variance of the label noise. [0]")
@click.option("--weight-decay", metavar="NUMBER", help="[0]")
@click.option("--preconditioner", metavar="NUMBER", help="Sigma^-theta: theta, 0 .. 1. [0]")
@click.option("--sigma-J", "sigma_J", metavar="NUMBER", help="Initial weights' deviation. [1/100]")
@click.option("--alpha", metavar="NUMBER", help="Final time: SGD steps / N.")
@click.option("--digits", type=int, help="Integrate in so many digits too.")
@click.option("--N", "N", type=int, help="Input dimension, of the start and of the simulation.")
@click.option("--runs", type=int, help="Runs of the simulation, 0 for none. [16]")
@click.option("--seed", type=int, help="Seed of the start; the simulation uses the next. [0]")
@click.option("--out", type=_FOLDER, default="run", show_default=True, help="Output folder.")
def run(file: Path | None, out: Path, **options: Any) -> None:
    """Integrate and simulate one model; compare, plot and save.

    FILE is a TOML file whose keys are the names of the options (label_noise, weight_decay and
    sigma_J with an underscore); options override it. Numbers stay exact: 1/10 and 0.1 are both one
    tenth.
    """
    with _plain_messages():
        from .config import configure, read_toml

        given = {name: value for name, value in options.items() if value is not None}
        config = configure({**(read_toml(file) if file else {}), **given})

        from .run import run as carry_out

        carry_out(config, out, click.echo)


@main.command(
    epilog=_examples(
        "specscale spectrum --a 2 --activation 1,2,3 --v 4000 --d 2000 --out spectrum",
        "specscale spectrum --a 3/2 --activation erf --v 1000 --d 1000 --runs 4",
    )
)
@click.option("--a", "a", metavar="NUMBER", required=True, help="Inputs: lam_j(H) = j^-a, a > 1.")
@click.option(
    "--activation",
    "names",
    metavar="LIST",
    required=True,
    callback=_listed,
    help="Of degrees p (for y^p) and names: such as 1,2,3 or erf,tanh,relu.",
)
@click.option("--v", "v", type=int, required=True, help="Dimension of the inputs.")
@click.option("--d", "d", type=int, required=True, help="Number of features.")
@click.option("--runs", type=int, default=8, show_default=True, help="Draws of the weights.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--top", type=int, help="Only so many of the largest: no matrix beyond d = 8000.")
@click.option("--out", type=_FOLDER, default="spectrum", show_default=True, help="Output folder.")
def spectrum(names: tuple[str, ...], out: Path, **options: Any) -> None:
    """Eigenvalues of the covariance of random features f(W x), x ~ N(0, H).

    In windows of ranks: mean over the draws, local exponent and, for y^p with p up to 3, the limit
    d = infinity at the same v. A straight line through a log-log plot misleads; the figure shows
    why.
    """
    with _plain_messages():
        from .spectrum import spectrum as carry_out

        carry_out(names, options, out, click.echo)


@main.command(
    epilog=_examples(
        "specscale transformers --recorded --out transformers",
        "specscale transformers --quick --out quick",
    )
)
@click.option("--quick", is_flag=True, help="One small case, in less than half a minute.")
@click.option("--recorded", is_flag=True, help="Nothing new: from the data of this version.")
@click.option(
    "--out", type=_FOLDER, default="transformers", show_default=True, help="Output folder."
)
def transformers(quick: bool, recorded: bool, out: Path) -> None:
    """The redundancy law and small Transformers: tangent kernels, and networks that are trained.

    Trains many networks (about ten minutes), measures their tangent kernels, and writes data,
    table, figure and page. Needs JAX, pip install "specscale[ntk]"; --recorded does not.
    """
    if quick and recorded:
        raise click.UsageError("--quick computes and --recorded does not: give one of them")
    with _plain_messages():
        from numerics.transformer_experiment import FULL, QUICK

        from .transformers_run import run_transformers

        settings = None if recorded else (QUICK if quick else FULL)
        click.echo(run_transformers(settings, out))


if __name__ == "__main__":
    main()
