"""JAX, when it is needed: an extra of the package, imported nowhere else, in double precision.

Summary
    JAX computes in single precision unless a global switch says otherwise. `double_precision` sets
    that switch for a block, so that nobody else's JAX changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["double_precision", "load_jax"]


def load_jax() -> Any:
    """The module `jax`.

    Raises
    ------
    ImportError
        If it is not installed; the message says how to install it.
    """
    try:
        import jax
    except ImportError as problem:
        raise ImportError(
            "networks and their tangent kernels need JAX, which is not installed: "
            'pip install "specscale[ntk]"'
        ) from problem
    return jax


@contextmanager
def double_precision() -> Iterator[Any]:
    """`jax`, in float64 within the block.

    Raises
    ------
    ImportError
        If JAX is not installed.
    """
    jax = load_jax()
    with jax.enable_x64(True):
        yield jax
