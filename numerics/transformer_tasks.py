r"""Sequences with a power-law covariance, and targets with a power law in its eigenbasis.

Summary
    Gaussian inputs of tokens x features entries in a random orthonormal basis; a linear target. For
    regression with the linear kernel x.x' this is the redundancy law's own setting with the given
    beta and s (up to the cut at tokens x features modes): what a network makes of it is to be
    found.

Main results (D = tokens features, e_j the basis, z ~ N(0, 1))
    x = sum_j sqrt(lam_j) z_j e_j, lam_j ~ j^-beta, sum_j lam_j = D;
    f = sum_j theta_j z_j, theta_j^2 ~ j^-(2 s beta + 1), sum_j theta_j^2 = 1;  y = f + sigma z'.

References
    [BC25] Bi & Calhoun, arXiv:2509.20721 (source condition).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator, Philox, SeedSequence

from .initial import whole_number
from .modes import positive_float
from .storage import Array
from .transformers import Encoder

__all__ = ["Sample", "SequenceTask"]

BASIS = 0
"""Spawn key of the basis and the target's signs; samples have others."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Independent inputs with their targets.

    Attributes
    ----------
    inputs : (n, tokens, features)
    targets, labels : (n,)
        f, and y = f + noise.
    """

    inputs: Array
    targets: Array
    labels: Array


@dataclass(frozen=True)
class SequenceTask:
    """A distribution of inputs and labels.

    Parameters
    ----------
    beta, s : positive number
    noise : number >= 0
        sigma^2.
    seed : int
        Of the basis, the signs of theta and all samples.

    Raises
    ------
    ValueError, TypeError
        If a number is out of its range.
    """

    beta: Any
    s: Any
    noise: Any
    seed: int

    def __post_init__(self) -> None:
        positive_float(self.beta, "beta")
        positive_float(self.s, "s")
        positive_float(self.noise, "noise", zero=True)
        whole_number(self.seed, "seed", 0)

    def eigenvalues(self, size: int) -> Array:
        """lam_j of `size` modes."""
        lam = np.arange(1.0, size + 1) ** -float(self.beta)
        return np.asarray(lam * (size / lam.sum()))

    def draw(self, encoder: Encoder, n: int, stream: int) -> Sample:
        """N samples for the encoder's shape of inputs; each stream >= 1 is independent.

        Raises
        ------
        ValueError, TypeError
            If n or the stream is not a positive integer.
        """
        size, modes = whole_number(n, "n", 1), encoder.inputs
        basis, theta = self._target(modes)
        random = self._random(whole_number(stream, "stream", 1))
        z = random.standard_normal((size, modes))
        x = (z * np.sqrt(self.eigenvalues(modes))) @ basis.T
        f = z @ theta
        y = f + np.sqrt(positive_float(self.noise, "noise", zero=True)) * random.standard_normal(
            size
        )
        return Sample(x.reshape(size, encoder.tokens, encoder.features), f, y)

    def _target(self, modes: int) -> tuple[Array, Array]:
        """The basis e_j in columns, uniformly random, and theta_j."""
        random = self._random(BASIS)
        basis, upper = np.linalg.qr(random.standard_normal((modes, modes)))
        j = np.arange(1.0, modes + 1)
        theta = random.choice([-1.0, 1.0], modes) * j ** -(float(self.s) * float(self.beta) + 0.5)
        return basis * np.sign(np.diag(upper)), theta / np.linalg.norm(theta)

    def _random(self, stream: int) -> Generator:
        return Generator(Philox(SeedSequence(self.seed, spawn_key=(stream,))))
