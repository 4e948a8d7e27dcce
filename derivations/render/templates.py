"""The templates: text with ``@{name}`` to fill in, and files taken as they are."""

from __future__ import annotations

import string
from importlib import resources

__all__ = ["CHECKED_BY", "fill", "read"]

CHECKED_BY = {
    "symbolic": "the difference of both sides simplifies to zero",
    "numeric": "both sides agree to the stated digits at fixed rational points",
    "assumed": "cited, not checked here",
}
"""What each kind of check means, as documents say it."""


class _Template(string.Template):
    # A dollar sign is mathematics in LaTeX.
    delimiter = "@"


def read(name: str) -> str:
    """The template file `name`."""
    return (resources.files("derivations") / "templates" / name).read_text(encoding="utf-8")


def fill(name: str, **values: str) -> str:
    """The template `name` with every ``@{key}`` replaced by its value; ``@@`` is an at sign."""
    return _Template(read(name)).substitute(values)
