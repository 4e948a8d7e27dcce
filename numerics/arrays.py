"""Arrays of real numbers: as a user gives them, exact where they are, and as results hold them."""

from __future__ import annotations

import math
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp
from numpy.typing import ArrayLike

from theory.exact import exact

from .storage import Array

__all__ = ["exact_array", "is_finite", "real_array", "to_precision"]

WHOLE_DOUBLES = 2**53
"""Every integer up to this size is a double."""


def exact_array(value: Any, name: str) -> tuple[Array, Array | None]:
    """Return what a user gave as float64 and, where doubles cannot hold it, exactly.

    Parameters
    ----------
    value : array or nested lists
        Entries as `theory.exact.exact` takes them: floats are the doubles they are; int, Fraction,
        SymPy numbers, mpf and strings such as ``"1/3"`` keep their value. Kinds may be mixed.

    Returns
    -------
    doubles : float64, read-only
        The nearest doubles.
    numbers : object array of sympy.Expr, or None
        The exact values; None if the doubles are exact already.

    Raises
    ------
    TypeError, ValueError
        If the nested lists differ in length or an entry is no real number; names the entry.
    """
    array = _rectangular(value, name)
    if all(_is_double(x) for x in array.flat):
        return _frozen(array.astype(float)), None
    # Broadcast arrays hold the same few objects many times: each is converted once.
    known: dict[int, tuple[sp.Expr, float]] = {}
    numbers, doubles = np.empty_like(array), np.empty(array.shape)
    for index in np.ndindex(array.shape):
        x = array[index]
        if id(x) not in known:
            number = _exact_entry(x, name, index)
            known[id(x)] = number, float(number)
        numbers[index], doubles[index] = known[id(x)]
    if all(math.isfinite(d) and exact(d, name) == number for number, d in known.values()):
        return _frozen(doubles), None
    return _frozen(doubles), _frozen(numbers)


def to_precision(array: Array, digits: int) -> Array:
    """Entries of a float64 array or of `exact_array`'s exact numbers as mpf of `digits` digits."""
    with mp.workdps(digits):
        return np.asarray(np.frompyfunc(_to_mpf, 1, 1)(array), dtype=object)


def _to_mpf(x: Any) -> mp.mpf:
    irrational = isinstance(x, sp.Expr) and not x.is_Rational
    return mp.mpf(sp.N(x, mp.mp.dps + 5) if irrational else x)


def real_array(value: ArrayLike, name: str) -> Array:
    """Return a read-only copy: mpmath numbers as an object array of mpf, all else as float64.

    Raises
    ------
    TypeError
        If it holds something that is not a real number.
    ValueError
        If nested lists differ in length.
    """
    array = np.array(value) if isinstance(value, np.ndarray) else _rectangular(value, name)
    if array.dtype == object and any(isinstance(x, mp.mpf) for x in array.flat):
        for x in array.flat:
            if not isinstance(x, mp.mpf):
                raise TypeError(
                    f"{name} mixes mpmath numbers with {x!r}: make every entry an mpf, or none"
                )
        return _frozen(array)
    try:
        return _frozen(
            array.astype(
                float, casting="unsafe" if array.dtype == object else "same_kind", copy=False
            )
        )
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be an array of real numbers, found {array.dtype}") from None


def is_finite(array: Array) -> Array:
    """Entrywise finiteness of a float64 or mpf array."""
    if array.dtype == object:
        return np.frompyfunc(mp.isfinite, 1, 1)(array).astype(bool)
    return np.isfinite(array)


def _rectangular(value: Any, name: str) -> Array:
    """`value` as an object array, its entries as they are."""
    try:
        array = np.array(value, dtype=object)
    except ValueError:
        array = np.array([None], dtype=object)
        array[0] = value
    if any(isinstance(x, (list, tuple, np.ndarray)) for x in array.flat):
        raise ValueError(
            f"{name} must be a rectangular array, found nested lists of different lengths"
        )
    return array


def _is_double(x: Any) -> bool:
    return isinstance(x, float) or (type(x) is int and abs(x) <= WHOLE_DOUBLES)


def _exact_entry(x: Any, name: str, index: tuple[int, ...]) -> sp.Expr:
    entry = f"the entry {list(index)}" if index else "the value"
    try:
        number = exact(x, entry)
    except (TypeError, ValueError) as problem:
        raise type(problem)(f"{name} must be an array of real numbers: {problem}") from None
    if not number.is_number:
        raise ValueError(
            f"{name} must be an array of real numbers: {entry} is {number}, give its symbols values"
        )
    return number


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array
