r"""The neural tangent kernel of a given network on given inputs, in double precision.

Summary
    Jacobians of the output with respect to all weights, a block of inputs at a time, and their
    products: exact up to rounding, symmetric and positive semi-definite by construction.

Main results
    K(x, x') = sum_w df(x)/dw df(x')/dw.

References
    A. Jacot, F. Gabriel & C. Hongler, NeurIPS 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from .arrays import real_array
from .initial import whole_number
from .jax_backend import double_precision, load_jax
from .storage import Array

__all__ = ["empirical_ntk", "weight_jacobian"]


def weight_jacobian(
    output: Callable[[Any, Any], Any], weights: Any, inputs: Any, block: int = 64
) -> Array:
    """Derivatives of output(weights, x) with respect to every weight.

    Parameters
    ----------
    output : callable
        ``output(weights, x)``, one number, made of JAX functions.
    weights : arrays, or dicts and lists of them
    inputs : (N, ...)
    block : int
        Inputs at a time: what JAX holds in memory besides the result.

    Returns
    -------
    (N, P)
        Weights in the order of `jax.tree.leaves`.

    Raises
    ------
    ValueError, TypeError
        If the inputs are no finite numbers, or the output of one is not one finite number.
    ImportError
        If JAX is not installed.
    """
    x = real_array(inputs, "inputs").astype(float)
    size = whole_number(block, "block", 1)
    if x.ndim == 0 or len(x) == 0 or not np.all(np.isfinite(x)):
        raise ValueError(f"inputs must be finite numbers, one or more, found the shape {x.shape}")
    with double_precision() as jax:
        held = jax.tree.map(lambda w: jax.numpy.asarray(w, dtype=float), weights)
        shape = jax.eval_shape(output, held, x[0]).shape
        if shape != ():
            raise ValueError(f"output must be one number for each input, found the shape {shape}")
        gradients = _gradients(output)
        rows = []
        for first in range(0, len(x), size):
            some = x[first : first + size]
            # Blocks of one shape: JAX compiles once.
            filled = np.concatenate([some, np.repeat(some[:1], size - len(some), axis=0)])
            leaves = jax.tree.leaves(gradients(held, filled))
            flat = [np.asarray(leaf)[: len(some)].reshape(len(some), -1) for leaf in leaves]
            rows.append(np.concatenate(flat, axis=1))
    jacobian = np.concatenate(rows)
    if not np.all(np.isfinite(jacobian)):
        where = int(np.flatnonzero(~np.isfinite(jacobian).all(axis=1))[0])
        raise ValueError(f"the derivatives of the output are not finite at input {where}")
    return jacobian


@lru_cache(maxsize=8)
def _gradients(output: Callable[[Any, Any], Any]) -> Any:
    """Compiled: weights and a block of inputs to the derivatives."""
    jax = load_jax()
    return jax.jit(jax.vmap(jax.grad(output), in_axes=(None, 0)))


def empirical_ntk(
    output: Callable[[Any, Any], Any], weights: Any, inputs: Any, block: int = 64
) -> Array:
    """The kernel matrix (N, N), J J^T of `weight_jacobian`; same parameters and errors."""
    jacobian = weight_jacobian(output, weights, inputs, block)
    kernel = jacobian @ jacobian.T
    return np.asarray((kernel + kernel.T) / 2)
