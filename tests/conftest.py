"""What every test may rely on: no display, no precision left over from another test."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")

import flint
import mpmath as mp
import pytest

DIGITS, BITS = 15, 53


@pytest.fixture(autouse=True)
def precision():
    """Precision is an argument, not global state: a test that leaks it fails alone."""
    mp.mp.dps, flint.ctx.prec = DIGITS, BITS
    yield
    left = mp.mp.dps, flint.ctx.prec
    mp.mp.dps, flint.ctx.prec = DIGITS, BITS
    assert left == (DIGITS, BITS), f"mpmath digits and flint bits leaked: {left}"
