"""Numbers kept exact: what a user may type, as SymPy expressions, validated.

int, Fraction, strings, SymPy and mpmath numbers keep their exact value; a float means the double it
is. Nothing is rounded, clipped or defaulted.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from fractions import Fraction
from typing import Any

import mpmath as mp
import sympy as sp

__all__ = ["count", "exact", "fraction", "is_inexact", "non_negative", "positive", "sequence"]


def exact(value: Any, name: str) -> sp.Expr:
    """Return `value` as an exact SymPy expression.

    int, Fraction, SymPy numbers and expressions, strings such as ``"1/10"`` and mpmath numbers keep
    their exact value; a float means the double it is (0.1 becomes 3602879701896397/2**55). NumPy
    numbers of any width count as ints and floats, and so do arrays without axes.

    Parameters
    ----------
    value : int, Fraction, str, float, mpmath.mpf or sympy.Expr
    name : str
        What the number is, for the error message.

    Raises
    ------
    TypeError
        If `value` is not one number or SymPy expression.
    ValueError
        If it is not finite, not real, or a string that is not a number.
    """
    value = _unwrapped(value)
    if isinstance(value, bool):
        raise TypeError(f"{name} must be a number, found {value!r}")
    if isinstance(value, str):
        result = _parse_number(value, name)
    elif isinstance(value, mp.mpf):
        if not mp.isfinite(value):
            raise ValueError(f"{name} must be finite, found {value}")
        result = _binary_fraction(value)
    elif isinstance(value, sp.Expr):
        result = value.replace(lambda e: e.is_Float, _float_to_rational)
    elif isinstance(value, Fraction):
        result = sp.Rational(value.numerator, value.denominator)
    elif _is_float(value):
        result = _float_ratio(value, name)
    else:
        result = _integer(value, name)
    if result.is_finite is False or result.has(sp.nan):
        raise ValueError(f"{name} must be finite, found {value}")
    if result.is_real is False:
        raise ValueError(f"{name} must be real, found {value}")
    return result


def _unwrapped(value: Any) -> Any:
    """The number in a NumPy scalar or in an array without axes; anything else as it is."""
    return value.item() if getattr(value, "shape", None) == () else value


def _is_float(value: Any) -> bool:
    """Whether `value` is a machine float of any width."""
    return isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational | mp.mpf)


def _float_ratio(value: Any, name: str) -> sp.Rational:
    try:
        return sp.Rational(*value.as_integer_ratio())
    except (OverflowError, ValueError):
        raise ValueError(f"{name} must be finite, found {value}") from None


def _integer(value: Any, name: str) -> sp.Integer:
    try:
        return sp.Integer(operator.index(value))
    except TypeError:
        raise TypeError(
            f"{name} must be a number (int, Fraction, string, float, mpf) or a SymPy expression, "
            f"found {value!r} of type {type(value).__name__}"
        ) from None


def _parse_number(text: str, name: str) -> sp.Expr:
    try:
        return sp.Rational(Fraction(text.strip()))
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f'{name} must be a number such as "1/10" or "0.1", found {text!r}'
        ) from None


def _binary_fraction(value: mp.mpf) -> sp.Rational:
    sign, mantissa, exponent, _ = value._mpf_
    return sp.Rational((-1) ** sign * int(mantissa)) * sp.Integer(2) ** int(exponent)


def _float_to_rational(value: sp.Float) -> sp.Expr:
    if not value.is_finite:
        return value
    sign, mantissa, exponent, _ = value._mpf_
    return sp.Rational((-1) ** sign * int(mantissa)) * sp.Integer(2) ** int(exponent)


def is_inexact(value: Any) -> bool:
    """Whether `value` is, or contains, a floating-point number."""
    if isinstance(value, sp.Basic):
        return value.has(sp.Float)
    return _is_float(_unwrapped(value))


def positive(value: Any, name: str) -> sp.Expr:
    """`exact`, refusing what is known not to be positive (symbols pass)."""
    number = exact(value, name)
    if number.is_positive is False or (number.is_number and not number > 0):
        raise ValueError(f"{name} must be positive, found {value}")
    return number


def non_negative(value: Any, name: str) -> sp.Expr:
    """`exact`, refusing what is known to be negative (symbols pass)."""
    number = exact(value, name)
    if number.is_negative is True or (number.is_number and not number >= 0):
        raise ValueError(f"{name} must not be negative, found {value}")
    return number


def fraction(value: Any, name: str) -> sp.Expr:
    """A number from 0 to 1, refusing what is known not to be one (symbols pass)."""
    number = non_negative(value, name)
    if number.is_number and number > 1:
        raise ValueError(f"{name} must lie between 0 and 1, found {value}")
    return number


def count(value: Any, name: str) -> sp.Expr:
    """A positive integer, or a symbol that stands for one."""
    number = exact(value, name)
    if number.is_number and not (number.is_Integer and number > 0):
        raise ValueError(f"{name} must be a positive integer or a symbol, found {value}")
    if number.is_integer is False or number.is_positive is False:
        raise ValueError(f"{name} must stand for a positive integer, found {value}")
    return number


def sequence(values: Any, name: str) -> list[Any]:
    """The entries of a list, an array or any other iterable that has an order.

    Raises
    ------
    TypeError
        If `values` is none: a number, a string, a set or a mapping.
    """
    if not isinstance(values, str | bytes | Mapping | AbstractSet):
        try:
            return list(values)
        except TypeError:
            pass
    raise TypeError(f"{name} must be a sequence such as a list, found {values!r}")
