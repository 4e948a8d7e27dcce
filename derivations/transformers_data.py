"""The recorded experiment on Transformers, as it is packaged: `specscale transformers` made it."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import as_file, files

from numerics.transformer_experiment import Experiment

__all__ = ["recorded"]


@lru_cache(maxsize=1)
def recorded() -> Experiment:
    """The full experiment, with its settings and provenance."""
    with as_file(files("derivations") / "data" / "transformers.npz") as path:
        return Experiment.load(path)
