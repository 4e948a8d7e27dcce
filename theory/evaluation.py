"""Numbers for SymPy expressions that still contain integrals, sums, derivatives and limits.

Summary
    ``numerical(expr)`` turns an expression into a function of its variables that computes at
    mpmath's current working precision; nothing is evaluated symbolically, so the value is an
    independent witness of what SymPy would derive.

Main results
    Integral over the real line : trapezoidal rule, exponentially convergent for analytic
        integrands.
    Integral over other ranges : tanh-sinh quadrature (``mpmath.quad``); nested in 2-D.
    Sum, Product : term by term when finite, ``mpmath.nsum`` and ``nprod`` when infinite.
    Derivative, Limit : ``mpmath.diff`` and ``mpmath.limit``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import mpmath as mp
import sympy as sp
from sympy.core.function import AppliedUndef

__all__ = ["numerical", "rational_points", "unevaluated", "variables", "written_out"]

Point = Mapping[sp.Basic, Any]
Evaluator = Callable[[Point], Any]


def unevaluated(expr: sp.Basic) -> list[sp.Basic]:
    """The outermost integrals, sums, products, derivatives, limits and Subs in `expr`."""
    if isinstance(expr, tuple(_OPERATIONS)):
        return [expr]
    return [node for argument in expr.args for node in unevaluated(argument)]


def variables(*expressions: sp.Basic) -> list[sp.Basic]:
    """Free symbols and indexed symbols of `expressions`, sorted by name.

    The label of an indexed symbol (Q of Q[1, 1]) is not a variable.
    """
    found: set[sp.Basic] = set()
    for expr in expressions:
        slots = {node: sp.Dummy() for node in sorted(expr.atoms(sp.Indexed), key=str)}
        # A base that stays bare would be reported as a symbol of its own.
        left = expr.xreplace(slots).free_symbols
        free = {node for node, slot in slots.items() if slot in left}
        found |= free | (left - set(slots.values()))
    return sorted(found, key=str)


def numerical(expr: sp.Expr) -> Evaluator:
    """Compile a scalar expression to a function of ``{variable: mpf}``.

    Parameters
    ----------
    expr : sympy.Expr
        May contain Integral, Sum, Product, Derivative, Limit and Subs, nested at will.

    Returns
    -------
    callable
        ``point -> mpf or mpc`` at mpmath's current working precision.

    Raises
    ------
    ValueError
        If `expr` contains undefined functions or matrices, which have no numerical value, or an
        indefinite integral.
    """
    undefined = sorted(expr.atoms(AppliedUndef, sp.MatrixSymbol), key=str)
    if undefined:
        raise ValueError(
            f"no numerical value for {', '.join(map(str, undefined))}: "
            "add what it means to the definitions of the check"
        )
    return _compile(written_out(expr))


def _compile(expr: sp.Expr) -> Evaluator:
    slots = {node: sp.Dummy(f"part{n}") for n, node in enumerate(unevaluated(expr))}
    flat = expr.xreplace(slots)
    names = {v: sp.Dummy(f"v{n}") for n, v in enumerate(variables(flat)) if v not in slots.values()}
    flat = flat.xreplace(names)
    function = sp.lambdify(
        [*names.values(), *slots.values()], flat, modules=[_EXTRA, "mpmath"], cse=True
    )
    parts = [_OPERATIONS[type(node)](node) for node in slots]

    def value(point: Point) -> Any:
        return mp.mpmathify(function(*(point[v] for v in names), *(part(point) for part in parts)))

    return value


def written_out(expr: sp.Basic) -> sp.Basic:
    """Write out finite sums and products over indexed symbols, so that every Q[i, j] appears."""

    def applies(node: sp.Basic) -> bool:
        listed = isinstance(node, (sp.Sum, sp.Product)) and node.has(sp.Indexed)
        return bool(listed and all(bound.is_Integer for bound in node.limits[-1][1:]))

    def terms(node: Any) -> sp.Expr:
        # The last limit is the outermost; inner bounds may depend on its index.
        *inner, (index, low, high) = node.limits
        body = node.func(node.function, *inner) if inner else node.function
        joined = sp.Add if isinstance(node, sp.Sum) else sp.Mul
        return joined(
            *(written_out(body.xreplace({index: sp.Integer(m)})) for m in range(low, high + 1))
        )

    return expr.replace(applies, terms)


def _bounded(node: sp.Basic) -> Evaluator:
    """Nest one-dimensional rules; SymPy's first limit is the innermost."""
    rule = _RULES[type(node)]
    evaluator = _compile(node.function)
    for limit in node.limits:
        if len(limit) != 3:
            raise ValueError(f"{node} has no bounds for {limit[0]}: give both")
        evaluator = _one_dimension(rule, evaluator, *limit)
    return evaluator


def _one_dimension(
    rule: Callable[..., Any], body: Evaluator, symbol: sp.Symbol, lower: sp.Expr, upper: sp.Expr
) -> Evaluator:
    low, high = _compile(lower), _compile(upper)

    def value(point: Point) -> Any:
        return rule(lambda x: body({**point, symbol: x}), low(point), high(point))

    return value


def _integrate(f: Callable[[Any], Any], low: Any, high: Any) -> Any:
    if (low, high) == (-mp.inf, mp.inf):
        return _real_line(f)
    return mp.quad(f, [low, high])


def _real_line(f: Callable[[Any], Any]) -> Any:
    """Int f(x) dx by the trapezoidal rule, in x for Gaussian decay, else in t with x = sinh(t).

    With error e(h) at step h, e(h/2) is e(h)^4 for Gaussian decay and e(h)^2 in t: the step is
    halved until two results agree to a quarter, or half, of the digits.
    """
    far = mp.mpf(30)
    if max(abs(f(far)), abs(f(-far))) <= mp.eps**2:
        return _trapezoid(f, mp.mpf(3) / 4, mp.power(10, -mp.mpf(mp.mp.dps) / 4))
    return _trapezoid(
        lambda t: f(mp.sinh(t)) * mp.cosh(t), mp.mpf(1) / 4, mp.power(10, -mp.mpf(mp.mp.dps) / 2)
    )


def _trapezoid(f: Callable[[Any], Any], step: Any, settled: Any) -> Any:
    middle = f(mp.mpf(0))
    total, size = _scan(f, step, step)
    total, size = total + middle, size + abs(middle)
    for _ in range(9):
        # Halving the step adds the odd multiples of its half.
        added, added_size = _scan(f, step / 2, step)
        change = abs(total - added)
        total, size, step = total + added, size + added_size, step / 2
        if change <= settled * size:
            return total * step
    raise ValueError(
        "the trapezoidal rule on the real line did not settle: split the integral where the "
        "integrand is not smooth"
    )


def _scan(f: Callable[[Any], Any], first: Any, step: Any) -> tuple[Any, Any]:
    """Sums of f(t) and |f(t)| over t = +-first, +-(first + step), ...

    Stops after 4 negligible terms in a row beyond |t| = 4, so that structure near the origin is
    not missed.
    """
    total = size = mp.mpf(0)
    for sign in (1, -1):
        t, small = first, 0
        while small < 4:
            term = f(sign * t)
            total, size = total + term, size + abs(term)
            small = small + 1 if t > 4 and abs(term) <= mp.eps * size else 0
            t += step
            if t > 1000:
                raise ValueError("an integrand does not decay on the real line")
    return total, size


def _add_up(f: Callable[[Any], Any], low: Any, high: Any) -> Any:
    if mp.isinf(low) or mp.isinf(high):
        return mp.nsum(f, [low, high])
    return mp.fsum(f(mp.mpf(k)) for k in _whole(low, high))


def _multiply(f: Callable[[Any], Any], low: Any, high: Any) -> Any:
    if mp.isinf(low) or mp.isinf(high):
        return mp.nprod(f, [low, high])
    return mp.fprod(f(mp.mpf(k)) for k in _whole(low, high))


def _whole(low: Any, high: Any) -> range:
    if not (mp.isint(low) and mp.isint(high)):
        raise ValueError(f"a sum runs over integers, found the bounds {low} and {high}")
    return range(int(low), int(high) + 1)


def _derivative(node: sp.Derivative) -> Evaluator:
    body = _compile(node.expr)
    symbols = tuple(symbol for symbol, _ in node.variable_count)
    orders = tuple(int(order) for _, order in node.variable_count)

    def value(point: Point) -> Any:
        def shifted(*at: Any) -> Any:
            return body({**point, **dict(zip(symbols, at, strict=True))})

        return mp.diff(shifted, tuple(point[s] for s in symbols), orders)

    return value


def _limit(node: sp.Limit) -> Evaluator:
    expr, symbol, target, direction = node.args
    body, at = _compile(expr), _compile(target)
    side = -1 if str(direction) == "-" else 1
    return lambda point: mp.limit(lambda x: body({**point, symbol: x}), at(point), direction=side)


def _substituted(node: sp.Subs) -> Evaluator:
    body = _compile(node.expr)
    values = {symbol: _compile(at) for symbol, at in zip(node.variables, node.point, strict=True)}
    return lambda point: body({**point, **{s: at(point) for s, at in values.items()}})


def _harmonic(n: Any, order: Any = 1) -> Any:
    return mp.harmonic(n) if order == 1 else mp.zeta(order) - mp.zeta(order, n + 1)


_RULES: dict[type, Callable[..., Any]] = {
    sp.Integral: _integrate,
    sp.Sum: _add_up,
    sp.Product: _multiply,
}

_OPERATIONS: dict[type, Callable[[Any], Evaluator]] = {
    sp.Integral: _bounded,
    sp.Sum: _bounded,
    sp.Product: _bounded,
    sp.Derivative: _derivative,
    sp.Limit: _limit,
    sp.Subs: _substituted,
}

# SymPy functions that mpmath lacks or names with fewer arguments.
_EXTRA: dict[str, Callable[..., Any]] = {
    "harmonic": _harmonic,
    "Heaviside": lambda x, at_zero: at_zero if x == 0 else mp.mpf(x > 0),
    "KroneckerDelta": lambda i, j: mp.mpf(i == j),
}

_ASSUMPTIONS = (
    "positive",
    "negative",
    "nonnegative",
    "nonpositive",
    "nonzero",
    "integer",
    "even",
    "odd",
    "real",
)


def rational_points(symbols: Iterable[sp.Basic], count: int) -> list[dict[sp.Basic, sp.Rational]]:
    """Deterministic points at which every symbol has a rational value allowed by its assumptions.

    Positive or unspecified symbols lie in (0, 1), real ones alternate in sign, integers are small.

    Raises
    ------
    ValueError
        If no candidate satisfies the assumptions of a symbol.
    """
    names = list(symbols)
    return [
        {s: _candidate(s, 1 + n + i * len(names), (n + i) % 2 == 1) for n, s in enumerate(names)}
        for i in range(count)
    ]


def _candidate(symbol: sp.Basic, index: int, below_zero: bool) -> sp.Rational:
    # 37 generates distinct residues modulo the prime 97: no two variables get the same value.
    fraction = sp.Rational(37 * index % 97, 97)
    whole = sp.Integer(1 + index % 5)
    numbers = [fraction, -fraction, whole, 2 * whole, 2 * whole + 1, -whole, -2 * whole]
    if symbol.is_real and symbol.is_positive is None and below_zero:
        numbers[:2] = [-fraction, fraction]
    for number in numbers:
        known = [(getattr(symbol, f"is_{a}"), getattr(number, f"is_{a}")) for a in _ASSUMPTIONS]
        if all(wanted in (None, found) for wanted, found in known):
            return number
    raise ValueError(f"no rational test value for {symbol}: give points for it")
