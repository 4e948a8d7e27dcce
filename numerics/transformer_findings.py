r"""What the experiment on Transformers found: exponents with their errors, for each input.

Summary
    Every exponent is computed for each seed and averaged over seeds. Its error joins the standard
    error over seeds with the error of a fit, which more seeds do not reduce.

    A spectrum of N points is not that of the kernel: near mode N/4 its exponent is off by a tenth.
    Tails are therefore held against power laws that are sampled on N points too.

    So is a learning curve of a few hundred examples: the law's own kernel has not reached its
    exponent there. `shortfall` is what it lacks.

Main results
    local exponent of a spectrum : minus the slope of log lam_i against log i in a window of modes;
    exponent of a learning curve : minus the slope of log(excess) against log n, all n together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator, Philox, SeedSequence
from scipy.special import zeta

from .kernels import optimal_risk
from .measured_kernel import PowerFit, noisy_exponent, propagated
from .storage import Array
from .transformer_experiment import KERNELS, Experiment

__all__ = [
    "InputFindings",
    "KernelFindings",
    "analyse",
    "law_exponent",
    "network_over_ridge",
    "over_seeds",
    "sampled_tail",
    "shortfall",
    "tail_exponents",
    "tail_window",
]

FIRST = 4
"""Where the first window of modes begins."""


@dataclass(frozen=True)
class KernelFindings:
    """One of the `KERNELS` on data of one input exponent.

    Attributes
    ----------
    name : str
    beta, s : PowerFit
    local : tuple of PowerFit
        Local exponents of the spectrum in the windows.
    exponent : PowerFit
        Of the learning curve of ridge regression.
    mismatch : PowerFit
        predicted/actual - 1 of that curve, of the n where its mean over seeds is largest.
    """

    name: str
    beta: PowerFit
    s: PowerFit
    local: tuple[PowerFit, ...]
    exponent: PowerFit
    mismatch: PowerFit


@dataclass(frozen=True)
class InputFindings:
    """Everything on data of one input exponent.

    Attributes
    ----------
    beta : float
        The exponent of the input's covariance.
    windows : tuple of (first, last)
    kernels : tuple of KernelFindings
        In the order of `KERNELS`.
    trained, final : PowerFit
        Exponents of the trained network's errors, at their smallest and at the end of training.
    """

    beta: float
    windows: tuple[tuple[int, int], ...]
    kernels: tuple[KernelFindings, ...]
    trained: PowerFit
    final: PowerFit

    def kernel(self, name: str) -> KernelFindings:
        """The findings of one of the `KERNELS`."""
        return self.kernels[KERNELS.index(name)]


def analyse(experiment: Experiment) -> tuple[InputFindings, ...]:
    """The findings for every input exponent, in the order of the settings."""
    settings = experiment.settings
    windows = _windows(experiment.eigenvalues.shape[-1])
    found = []
    for b, beta in enumerate(settings["betas"]):
        kernels = tuple(_kernel(experiment, b, k, windows) for k in range(len(KERNELS)))
        trained, final = (
            over_seeds(_exponents(settings["examples"], errors[b]))
            for errors in (experiment.best, experiment.last)
        )
        found.append(InputFindings(beta, windows, kernels, trained, final))
    return tuple(found)


def law_exponent(
    experiment: Experiment, index: int, kernel: str, law: Callable[[float, float], float]
) -> PowerFit:
    """law(beta, s) at the exponents of a kernel, for the input exponent with this index."""
    at = index, slice(None), KERNELS.index(kernel)
    found = [
        propagated(law, PowerFit(*map(float, beta)), PowerFit(*map(float, s)))
        for beta, s in zip(experiment.beta[at], experiment.s[at], strict=True)
    ]
    return over_seeds([fit.value for fit in found], [fit.error for fit in found])


def shortfall(
    experiment: Experiment, sizes: Sequence[int], index: int, kernel: str | None = None
) -> float:
    """Exponent of the law's own learning curve at the sizes, minus that for n -> oo.

    Its own curve is the deterministic equivalent of lam_i = i^-beta, theta_i^2 ~ i^-(2 s beta + 1),
    sum_i theta_i^2 = 1, at the noise of the task and the best ridge; beta and s are those of a
    kernel, a mean over seeds, or of the inputs if there is none.
    """
    settings = experiment.settings
    if kernel is None:
        pairs = [(settings["betas"][index], settings["s"])]
    else:
        at = index, slice(None), KERNELS.index(kernel), 0
        pairs = list(zip(experiment.beta[at], experiment.s[at], strict=True))
    return float(
        np.mean([_shortfall(float(b), float(s), settings["noise"], sizes) for b, s in pairs])
    )


def _shortfall(beta: float, s: float, noise: float, sizes: Sequence[int]) -> float:
    total = float(zeta(2 * s * beta + 1))
    risks = np.array([optimal_risk(beta, s, n, noise * total).risk for n in sizes])
    return float(_exponents(sizes, risks[None])[0]) - noisy_exponent(beta, s)


def network_over_ridge(experiment: Experiment, index: int) -> tuple[int, PowerFit]:
    """The largest n that both learnt, and there the network's error over that of ridge regression.

    With the tangent kernel at the start; the network at its smallest test error.
    """
    settings = experiment.settings
    n = max(set(settings["subsets"]) & set(settings["examples"]))
    network = experiment.best[index, :, settings["examples"].index(n)]
    at = index, slice(None), KERNELS.index("initial"), settings["subsets"].index(n), 0
    return n, over_seeds(network / experiment.actual[at])


def tail_window(experiment: Experiment) -> tuple[int, int]:
    """The modes that are called the tail, N/32 to N/4."""
    points = experiment.settings["points"]
    return points // 32, points // 4


def tail_exponents(experiment: Experiment, index: int, kernel: str) -> Array:
    """Exponent of a kernel's tail for each seed, (S,)."""
    low, high = tail_window(experiment)
    spectra = experiment.eigenvalues[index, :, KERNELS.index(kernel), low - 1 : high]
    return _exponents(range(low, high + 1), spectra)


def sampled_tail(experiment: Experiment, beta: float) -> PowerFit:
    """The tail's exponent of lam_i = i^-beta, Gaussian eigenfunctions, on as many points and seeds.

    The modes beyond 4 N are replaced by their trace times the identity.
    """
    points, runs = experiment.settings["points"], experiment.settings["seeds"]
    low, high = tail_window(experiment)
    i = np.arange(1.0, 4 * points + 1)
    beyond = (i[-1] + 0.5) ** (1 - beta) / (beta - 1)
    spectra = []
    for run in range(runs):
        random = Generator(Philox(SeedSequence(0, spawn_key=(run,))))
        z = random.standard_normal((points, len(i)))
        values = np.linalg.eigvalsh((z * i**-beta) @ z.T + beyond * np.eye(points))
        spectra.append(values[::-1][low - 1 : high])
    return over_seeds(_exponents(range(low, high + 1), np.array(spectra)))


def _kernel(
    experiment: Experiment, b: int, k: int, windows: tuple[tuple[int, int], ...]
) -> KernelFindings:
    at = b, slice(None), k
    spectra, actual = experiment.eigenvalues[at], experiment.actual[at]
    local = tuple(
        over_seeds(_exponents(range(low, high + 1), spectra[:, low - 1 : high]))
        for low, high in windows
        # The linear kernel has no more modes than the input has entries.
        if np.all(spectra[:, high - 1] > 1e-12 * spectra[:, 0])
    )
    beta, s = (over_seeds(*value[at].T) for value in (experiment.beta, experiment.s))
    exponent = over_seeds(_exponents(experiment.settings["subsets"], actual[..., 0]))
    ratios = experiment.predicted[at] / actual[..., 0] - 1
    mismatch = max((over_seeds(column) for column in ratios.T), key=lambda fit: abs(fit.value))
    return KernelFindings(KERNELS[k], beta, s, local, exponent, mismatch)


def _windows(modes: int) -> tuple[tuple[int, int], ...]:
    """Windows of a factor two, up to half of the modes."""
    edges = [FIRST * 2**k for k in range(int(math.log2(modes / FIRST)))]
    return tuple((edge, 2 * edge) for edge in edges if 4 * edge <= modes)


def _exponents(x: object, y: Array) -> Array:
    """Minus the slope of every row of log y against log x, (S, T) -> (S,)."""
    slopes = np.polyfit(np.log(np.array(x, dtype=float)), np.log(y).T, 1)[0]
    return np.asarray(-slopes)


def over_seeds(values: object, errors: object = 0.0) -> PowerFit:
    """Mean over seeds; its error joins the standard error and the mean error of a fit."""
    array = np.asarray(values, dtype=float)
    scatter = float(np.std(array, ddof=1)) / math.sqrt(len(array))
    return PowerFit(float(np.mean(array)), math.hypot(scatter, float(np.mean(np.asarray(errors)))))
