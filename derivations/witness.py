"""Independent numerical values of Gaussian averages: the integral itself, to any precision.

Summary
    Fields that are linear in two independent standard Gaussians are averaged by the trapezoidal
    rule in ball arithmetic, which converges geometrically for analytic integrands; no identity of
    the theory is used.

References
    Trefethen & Weideman, SIAM Review 56, 385 (2014).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import flint
import mpmath as mp
import sympy as sp

from numerics.codegen import kernel_function
from numerics.targets import FlintTarget, midpoint

__all__ = ["Witness", "gaussian_average"]

Witness = Callable[[dict[sp.Basic, Any]], Any]


def gaussian_average(body: sp.Expr, fields: Mapping[sp.Symbol, tuple[sp.Expr, sp.Expr]]) -> Witness:
    """E[body] as a function of a point, to mpmath's current precision.

    Parameters
    ----------
    body : sympy.Expr
        The integrand; symbols that are not fields are parameters, found in the point.
    fields : mapping of symbol to (A_1, A_2)
        field = A_1 z_1 + A_2 z_2 with z_1, z_2 independent and standard Gaussian; the coefficients
        may contain parameters.

    Raises
    ------
    ArithmeticError
        If the rule does not settle, as for an integrand that is not analytic.
    """
    names = sorted(body.free_symbols - set(fields), key=str)
    text = kernel_function("body", sp.Lambda((*fields, *names), body))

    def average(point: dict[sp.Basic, Any]) -> Any:
        target = FlintTarget(mp.mp.dps)
        with target.precision():
            integrand = target.load(text)["body"]
            parameters = [target.number(point[name]) for name in names]
            rows = [[target.number(mp.mpf(sp.N(a.subs(point), mp.mp.dps))) for a in pair]
                    for pair in fields.values()]  # fmt: skip
            return midpoint(_settled(lambda *values: integrand(*values, *parameters), rows))

    return average


def _settled(integrand: Callable[..., flint.arb], rows: list[list[flint.arb]]) -> flint.arb:
    """Refine until the change is below half the digits: two thirds of a step square the error."""
    tolerance = flint.arb(10) ** -(mp.mp.dps // 2 + 2)
    step, previous = flint.arb(1) / 2, None
    for _ in range(6):
        value = _trapezoid(integrand, rows, step)
        if previous is not None and abs(value - previous) < tolerance:
            return value
        step, previous = step * 2 / 3, value
    raise ArithmeticError("the trapezoidal rule did not settle: the integrand is not analytic")


def _trapezoid(
    integrand: Callable[..., flint.arb], rows: list[list[flint.arb]], step: flint.arb
) -> flint.arb:
    """Sum over the grid points inside the circle where the Gaussian weight is not negligible."""
    radius = float((2 * (mp.mp.dps + 5) * mp.log(10)) ** 0.5) / float(step)
    reach = int(radius) + 1
    weights = [(-((n * step) ** 2) / 2).exp().mid() for n in range(reach + 1)]
    total = flint.arb(0)
    for n in range(-reach, reach + 1):
        first = [row[0] * (n * step) for row in rows]
        width = int(max(radius**2 - n**2, 0.0) ** 0.5)
        line = flint.arb(0)
        for m in range(-width, width + 1):
            at = [x + row[1] * (m * step) for x, row in zip(first, rows, strict=True)]
            line += weights[abs(m)] * integrand(*at).mid()
        total += weights[abs(n)] * line
    return total * step**2 / (2 * flint.arb.pi())
