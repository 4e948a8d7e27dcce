"""Kinds of number that generated code runs on: float64, flint balls, heyoka expressions.

Summary
    A `Target` makes numbers and arrays, and supplies the functions the source text calls. float64
    code is compiled by numba and cached on disk; flint gives any precision with a rigorous radius;
    heyoka expressions record the graph of a Taylor integrator.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import flint
import heyoka as hy
import mpmath as mp
import numpy as np
import sympy as sp

from .codegen import FUNCTIONS

__all__ = ["FlintTarget", "HeyokaTarget", "NumbaTarget", "PreciseTarget", "Target", "midpoint"]

BITS_PER_DIGIT = 3.3219280948873626
NAMES = ("sqrt", *FUNCTIONS.values())


class Target:
    """A kind of number: how to make one, and the functions the source text may call."""

    name = ""

    def number(self, value: Any) -> Any:
        """A number of this kind from an int, a float, an mpf or an exact SymPy number."""
        raise NotImplementedError

    def array(self, values: Any) -> np.ndarray[Any, Any]:
        """An array of such numbers from nested numbers."""
        given = np.asarray(values, dtype=object)
        result = np.empty(given.shape, dtype=object)
        for position in np.ndindex(given.shape):
            result[position] = self.number(given[position])
        return result

    def zeros(self, *shape: int) -> np.ndarray[Any, Any]:
        """An array of zeros."""
        return self.array(np.zeros(shape))

    def product(self, a: Any, b: Any) -> Any:
        """Matrix product of two arrays of such numbers."""
        return a @ b

    def namespace(self) -> dict[str, Any]:
        """The names the source text uses."""
        raise NotImplementedError

    def load(self, text: str) -> dict[str, Callable[..., Any]]:
        """Make the functions defined by `text` available for this kind of number."""
        names = self.namespace()
        exec(compile(text, f"<specscale {self.name}>", "exec"), names)
        return names


class NumbaTarget(Target):
    """float64, compiled by numba and cached on disk between runs."""

    name = "float64"
    _HEADER = (
        f"from math import {', '.join(NAMES)}, pi\n\nfrom numba import njit\n"
        "from numpy import empty\n\nzero = 0.0\nscratch = empty\n\n\n"
        "@njit(cache=True, inline='always')\ndef power(x, n):\n    return x**n\n\n\n"
    )

    def number(self, value: Any) -> float:
        return float(value)

    def array(self, values: Any) -> np.ndarray[Any, Any]:
        given = np.asarray(values, dtype=object)
        return np.array([float(v) for v in given.ravel()]).reshape(given.shape)

    def zeros(self, *shape: int) -> np.ndarray[Any, Any]:
        return np.zeros(shape)

    def load(self, text: str) -> dict[str, Callable[..., Any]]:
        # Python divides integers of any size with correct rounding; machine integers would not.
        literal = re.sub(
            r"rational\((-?\d+), (\d+)\)", lambda m: f"({int(m[1]) / int(m[2])!r})", text
        )
        decorated = literal.replace("def ", "@njit(cache=True, error_model='numpy')\ndef ")
        return vars(_cached_module(self._HEADER + decorated))


class PreciseTarget(Target):
    """Numbers of any precision, made and used inside ``with target.precision():``."""

    def precision(self) -> Any:
        """Context manager that sets, and restores, the working precision."""
        raise NotImplementedError

    def centres(self, values: Any) -> Any:
        """The same array without error bounds, which would grow from step to step."""
        raise NotImplementedError

    def precise(self, values: Any) -> Any:
        """The array as mpf (in a sufficient working precision of mpmath)."""
        raise NotImplementedError


class FlintTarget(PreciseTarget):
    """Real balls of python-flint: any precision, with a rigorous radius.

    The working precision is flint's global one; use inside ``with target.precision():``.
    """

    name = "flint"

    def __init__(self, digits: int) -> None:
        self.bits = int(digits * BITS_PER_DIGIT) + 1

    def precision(self) -> Any:
        return flint.ctx.workprec(self.bits)

    def number(self, value: Any) -> flint.arb:
        return _arb(value)

    def product(self, a: Any, b: Any) -> Any:
        left = flint.arb_mat(*a.shape, a.ravel().tolist())
        right = flint.arb_mat(*b.shape, b.ravel().tolist())
        return np.array((left * right).entries(), dtype=object).reshape(len(a), -1)

    def centres(self, values: Any) -> Any:
        return np.vectorize(flint.arb.mid, otypes=[object])(values)

    def precise(self, values: Any) -> Any:
        return np.vectorize(midpoint, otypes=[object])(values)

    def namespace(self) -> dict[str, Any]:
        def method(name: str) -> Callable[[flint.arb], flint.arb]:
            return lambda x: getattr(flint.arb(x), name)()

        names = {n: method(n) for n in NAMES}
        return {
            **names,
            "pi": flint.arb.pi(),
            "zero": flint.arb(0),
            "rational": lambda p, q: flint.arb(flint.fmpq(p, q)),
            "power": _integer_power,
            "scratch": _scratch,
        }


class HeyokaTarget(Target):
    """heyoka expressions: running the loops records the graph of a Taylor integrator."""

    name = "heyoka"

    def __init__(self, digits: int | None) -> None:
        self.bits = None if digits is None else int(digits * BITS_PER_DIGIT) + 1

    def constant(self, value: Any) -> Any:
        """The number itself in the integrator's precision: float, or heyoka.real."""
        return float(value) if self.bits is None else hy.real(_decimal(value, self.bits), self.bits)

    def number(self, value: Any) -> hy.expression:
        return value if isinstance(value, hy.expression) else hy.expression(self.constant(value))

    def namespace(self) -> dict[str, Any]:
        def function(name: str) -> Callable[[Any], hy.expression]:
            return lambda x: getattr(hy, name)(self.number(x))

        names = {n: function(n) for n in NAMES}
        return {
            **names,
            "pi": hy.pi,
            "zero": self.number(0),
            "rational": lambda p, q: self.number(sp.Rational(p, q)),
            "power": lambda x, n: x**n,
            "scratch": _scratch,
        }


def _scratch(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.empty(shape, dtype=object)


def _decimal(value: Any, bits: int) -> str:
    """Decimal text that rounds to the nearest number of `bits` bits."""
    digits = int(bits / BITS_PER_DIGIT) + 10
    if isinstance(value, (mp.mpf, int, float)):
        with mp.workdps(digits):
            return str(mp.nstr(mp.mpf(value), digits))
    return str(sp.N(value, digits))


def _integer_power(x: flint.arb, n: int) -> flint.arb:
    """x^n by squaring: flint's own power of a ball that contains zero is not a number."""
    if n == 1:
        return x
    half = _integer_power(x * x, n // 2)
    return half * x if n % 2 else half


def _arb(value: Any) -> flint.arb:
    if isinstance(value, flint.arb):
        return value
    if isinstance(value, (int, float)):
        return flint.arb(value)
    if isinstance(value, mp.mpf):
        sign, mantissa, exponent, _ = value._mpf_
        return flint.arb((-1) ** sign * int(mantissa)) * flint.arb(2) ** int(exponent)
    if value.is_Rational:
        return flint.arb(flint.fmpq(int(value.p), int(value.q)))
    return flint.arb(_decimal(value, flint.ctx.prec))


def _cached_module(text: str) -> ModuleType:
    """Import `text` from a file of the user's cache, so that numba caches the machine code too."""
    name = "specscale_" + hashlib.sha256(text.encode()).hexdigest()[:20]
    if name in sys.modules:
        return sys.modules[name]
    path = _cache_folder() / f"{name}.py"
    if not path.exists():
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".py")
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.replace(temporary, path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import the generated module {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _cache_folder() -> Path:
    """$SPECSCALE_CACHE, else $XDG_CACHE_HOME/specscale or ~/.cache/specscale; else temporary."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    wanted = Path(os.environ.get("SPECSCALE_CACHE") or Path(base) / "specscale")
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        if os.access(wanted, os.W_OK):
            return wanted
    except OSError:
        pass
    # A read-only home costs a recompilation a session, not the result.
    folder = Path(tempfile.gettempdir()) / f"specscale-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def midpoint(ball: flint.arb) -> mp.mpf:
    """The centre of a ball, as an mpmath number (use inside a sufficient working precision)."""
    mantissa, exponent = ball.mid().man_exp()
    return mp.ldexp(mp.mpf(int(mantissa)), int(exponent))
