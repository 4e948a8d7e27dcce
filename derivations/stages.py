"""The stages of a long job: a progress bar for each, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from tqdm import tqdm

__all__ = ["Stages"]

_BAR = "{desc}{bar:20} {n_fmt}/{total_fmt} {elapsed}"


class Stages:
    """Progress bars on standard error, and the seconds that each stage took.

    A context manager: on the way out an unfinished bar ends its line.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._bar = tqdm([], disable=True)

    def over(self, stage: str, items: Iterable[Any]) -> Iterator[Any]:
        """Iterate over `items` as the stage of this name."""
        began = time.perf_counter()
        self._bar = tqdm(list(items), desc=f"{stage:<34}", bar_format=_BAR)
        yield from self._bar
        self.seconds[stage] = time.perf_counter() - began

    def __enter__(self) -> Stages:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
