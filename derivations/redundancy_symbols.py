"""Symbols shared by the parts of the derivation of the redundancy laws, and its integrals."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory.redundancy import kappa, samples
from theory.redundancy_crossover import share

__all__ = ["B", "N1", "V", "beta", "i", "integral", "kappa", "n", "noise", "points", "q", "ridge"]
__all__ += ["s", "t"]

n, t = samples, share
N1, B, V, ridge, noise = sp.symbols("N_1 B V lambda sigma^2", positive=True)
beta, s, i = sp.symbols("beta s i", positive=True)
q = sp.Symbol("q", integer=True, positive=True)
_LOG = sp.Symbol("u", real=True)


def integral(summand: sp.Expr) -> sp.Integral:
    """Over i from 0 to infinity, in log i."""
    return sp.Integral((summand * i).subs(i, sp.exp(_LOG)), (_LOG, -sp.oo, sp.oo))


def points(**more: tuple[Any, Any, Any]) -> list[dict[sp.Basic, Any]]:
    """Three values of beta, s < 1/2, kappa and of the symbols named."""
    names = {"beta": beta, "s": s, "kappa": kappa, "q": q, "n": n, "sigma^2": noise, "B": B, "V": V}
    values = {
        "beta": (2, 3, 4),
        "s": tuple(sp.Rational(*pair) for pair in ((1, 3), (2, 5), (1, 5))),
        "kappa": tuple(sp.Rational(m, 7) for m in (3, 5, 9)),
        **more,
    }
    symbols = {name: names.get(name, sp.Symbol(name, positive=True)) for name in values}
    return [{symbols[name]: given[p] for name, given in values.items()} for p in range(3)]
