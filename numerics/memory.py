"""Whether an array fits into the machine, asked before it is made."""

from __future__ import annotations

import os

__all__ = ["require_memory"]


def require_memory(needed: int, what: str, remedy: str) -> None:
    """Refuse what needs more bytes than the machine has.

    An operating system grants almost any array, and stops the program when it is filled.

    Raises
    ------
    MemoryError
        Names what needs how much, how much there is, and the remedy.
    """
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise MemoryError(
            f"{what} needs {needed / 1e9:.3g} GB of memory, and the machine has "
            f"{there / 1e9:.3g} GB: {remedy}"
        )
