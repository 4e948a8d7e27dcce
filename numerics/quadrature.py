"""Gaussian averages by quadrature, for activations without closed forms (tanh, GELU, sigmoid).

Method
    Fields are built one after the other from independent normal variables, x_f = mean + spread z,
    with the mean given by the earlier ones.

    * two points: a, then b given a;
    * E[g''(a) g(b)] = (E[a g'(a) g(b)] - C_ab E[g'(a) g'(b)])/C_aa (Stein): no second derivative;
    * four points: given (x_i, x_j), all other pairs (f, h) at once by Mehler's formula

          E[g(x_f) g(x_h) | x_i, x_j] = sum_{k < p} c_k(f) c_k(h) rho_fh^k,

      c_k the Hermite coefficients at the conditional means and spreads. With Gauss-Hermite of p
      nodes this is exact at rho = +-1 too (discrete orthogonality); with a kink it converges like
      |rho|^p, except that f = h is taken directly.

Rules
    The variables conditioned on: equal steps, whose error exp(-2 pi a/step) for an activation with
    its poles at a distance a (tanh: pi/2) beats Gauss-Hermite's exp(-2 a sqrt(p)); the reach grows
    with the order, so that two orders differ if it is too short. For an activation with a kink at
    zero: Gauss-Legendre on both sides of the z at which x_f = 0, so that the order of convergence
    survives the kink.

    Cost at order p: O((K + M)^2 p^2) for D and eps_g, O(K^2 (K + M) p^4) for G.

References
    [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995), for the averages;
    Golub & Welsch, Math. Comp. 23, 221 (1969); Trefethen & Weideman, SIAM Rev. 56, 385 (2014).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, ClassVar

import numpy as np
import sympy as sp
from scipy.special import roots_hermitenorm

from theory.activations import Activation, X

from .averages import Array, Averages, checked_covariance

__all__ = ["Quadrature"]

_PIECEWISE = (sp.Heaviside, sp.sign, sp.Abs, sp.Max, sp.Min, sp.Piecewise)
_REACH = 9.0
"""The normal density is left out beyond 9 standard deviations (its mass there is 2e-19)."""
_ROUNDING = 1e-12
"""A conditional variance below this part of the variance is rounding: the field is determined."""


@dataclass(frozen=True)
class _Compiled:
    """g and g' on arrays, and whether g has a kink at zero."""

    g: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    kink: bool


@cache
def _compiled(activation: Activation) -> _Compiled:
    expr = activation.expr
    if not expr.has(*_PIECEWISE):
        return _Compiled(_function(expr, X), _function(expr.diff(X), X), kink=False)
    p = sp.Dummy("p", positive=True)
    right, left = (sp.simplify(expr.subs(X, side)) for side in (p, -p))
    if right.has(*_PIECEWISE) or left.has(*_PIECEWISE):
        raise ValueError(
            f"{activation} has a kink elsewhere than at zero: its averages are not implemented; "
            "use a smooth activation, or one with its kink at zero"
        )
    if sp.limit(right, p, 0) != sp.limit(left, p, 0):
        raise ValueError(
            f"{activation} jumps at zero: SGD sees no gradient there; use a continuous activation"
        )
    return _Compiled(
        _two_sided(_function(right, p), _function(left, p)),
        _two_sided(_function(right.diff(p), p), _function(-left.diff(p), p)),
        kink=True,
    )


def _function(expr: sp.Expr, argument: sp.Symbol) -> Callable[[Array], Array]:
    compiled = sp.lambdify(argument, expr, modules=["scipy", "numpy"])
    return lambda x: np.broadcast_to(compiled(x), x.shape)  # constants come out as numbers


def _two_sided(
    right: Callable[[Array], Array], left: Callable[[Array], Array]
) -> Callable[[Array], Array]:
    def function(x: Array) -> Array:
        size = np.abs(x)
        return np.where(
            x > 0, right(size), np.where(x < 0, left(size), (right(size) + left(size)) / 2)
        )

    return function


@dataclass(frozen=True)
class Quadrature:
    """The averages of one activation with `order` nodes in each variable.

    Parameters
    ----------
    activation : Activation
        Smooth, or continuous with its only kink at zero.
    K : int
        Number of students.
    c : float
        Output weight of student and teacher.
    label_noise : float
        Variance of the teacher's noise; it is not part of eps_g.
    order : int
        Nodes in each variable, half of them on each side of a kink.

    Raises
    ------
    ValueError
        If the activation jumps or has a kink elsewhere than at zero.
    """

    costly: ClassVar[bool] = True

    activation: Activation
    K: int
    c: float
    label_noise: float = 0.0
    order: int = 54

    def __post_init__(self) -> None:
        _compiled(self.activation)

    def __str__(self) -> str:
        return f"quadrature of order {self.order}"

    def averages(self, C: Any, noise: bool = True) -> Averages:
        """D, G (if `noise`) and eps_g at the covariance C (K + M, K + M), students first.

        Raises
        ------
        ValueError
            If C is not a covariance or a field has variance zero.
        FloatingPointError
            If an average is not finite.
        """
        C = checked_covariance(C, self.K)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
            found = self._averages(C, noise)
        G = 0.0 if found.noise is None else found.noise
        if not np.isfinite(np.sum(found.drift) + np.sum(G) + found.generalization_error):
            raise FloatingPointError(
                f"an average of {self.activation} is not finite at the covariance {C.tolist()}: "
                "the activation grows too fast for it"
            )
        return found

    def error(self, C: Any, noise: bool = True) -> float:
        """Difference to the same at 3/2 of the order, in units of the largest average."""
        sharper = replace(self, order=3 * self.order // 2)
        return self.averages(C, noise).difference(sharper.averages(C, noise))

    @cached_property
    def _compiled(self) -> _Compiled:
        return _compiled(self.activation)

    @cached_property
    def _hermite(self) -> tuple[Array, Array]:
        nodes, weights = roots_hermitenorm(self.order)
        return nodes[None, :], weights[None, :] / np.sqrt(2 * np.pi)

    @cached_property
    def _equal_steps(self) -> tuple[Array, Array]:
        nodes, step = np.linspace(-1, 1, self.order, retstep=True)
        reach = 8 + self.order / 20
        nodes, step = reach * nodes[None, :], reach * step
        return nodes, step * np.exp(-(nodes**2) / 2) / np.sqrt(2 * np.pi)

    @cached_property
    def _legendre(self) -> tuple[Array, Array]:
        nodes, weights = np.polynomial.legendre.leggauss(self.order // 2)
        return nodes, weights

    def _two_sided(self, mean: Array, spread: float) -> tuple[Array, Array]:
        """Nodes z and weights for z ~ N(0, 1) on both sides of the kink of mean + spread z = 0.

        Shapes: `mean` (n,), the results (n, order).
        """
        # a kink beyond the reach leaves one side empty
        kink = np.clip(-mean / spread, -_REACH, _REACH)[:, None]
        nodes, weights = self._legendre
        below, above = (kink + _REACH) / 2, (_REACH - kink) / 2
        z = np.hstack([kink + below * (nodes - 1), kink + above * (nodes + 1)])
        w = np.hstack([below * weights, above * weights])
        return z, w * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)

    def _averages(self, C: Array, noise: bool) -> Averages:
        n, K, c = len(C), self.K, self.c
        values, slopes, curvatures = (np.zeros((n, n)) for _ in range(3))
        for a in range(n):
            for b in range(a, n):
                self._pair(C, a, b, values, slopes, curvatures)
        signs = np.where(np.arange(n) < K, -c, c)
        drift = c * slopes[:K] * signs
        drift[:, :K] += c * np.diag(curvatures[:K] @ signs)
        G = c**2 * (self.label_noise * slopes[:K, :K] + self._squares(C, signs)) if noise else None
        return Averages(drift, G, float(signs @ values @ signs / 2))

    def _squares(self, C: Array, signs: Array) -> Array:
        """E[g'(x_i) g'(x_j) (sum_f s_f g(x_f))^2], shape (K, K)."""
        result = np.empty((self.K, self.K))
        for i in range(self.K):
            for j in range(i + 1):
                result[i, j] = result[j, i] = self._square(C, i, j, signs)
        return result

    def _pair(
        self, C: Array, a: int, b: int, values: Array, slopes: Array, curvatures: Array
    ) -> None:
        """Fill in E[g(a) g(b)], E[g'(a) g'(b)] and E[g''(a) g(b)], E[g''(b) g(a)]."""
        fields, weights, _ = self._given(C[np.ix_([a, b], [a, b])], (0, 1))
        g, slope = self._compiled.g(fields), self._compiled.slope(fields)
        values[a, b] = values[b, a] = weights @ (g[:, 0] * g[:, 1])
        slopes[a, b] = slopes[b, a] = weights @ (slope[:, 0] * slope[:, 1])
        tilted = weights @ (fields * slope * g[:, ::-1]) - C[a, b] * slopes[a, b]
        curvatures[a, b] = tilted[0] / C[a, a]
        curvatures[b, a] = tilted[1] / C[b, b]

    def _given(self, C: Array, pivots: tuple[int, ...]) -> tuple[Array, Array, Array]:
        """Condition on the fields `pivots`, one after the other (pivoted Cholesky).

        Returns
        -------
        means : array, shape (nodes, n)
            Of all fields; those of the pivots are their values.
        weights : array, shape (nodes,)
        residual : array, shape (n, n)
            The conditional covariance.
        """
        means, weights, residual = np.zeros((1, len(C))), np.ones(1), C
        for p in pivots:
            if residual[p, p] <= _ROUNDING * C[p, p]:
                continue  # determined by the pivots before
            spread = np.sqrt(residual[p, p])
            direction = residual[:, p] / spread
            kink = self._compiled.kink
            z, w = self._two_sided(means[:, p], spread) if kink else self._equal_steps
            means = (means[:, None, :] + z[..., None] * direction).reshape(-1, len(C))
            weights = (weights[:, None] * w).ravel()
            residual = residual - np.outer(direction, direction)
        return means, weights, residual

    def _square(self, C: Array, i: int, j: int, signs: Array) -> float:
        """E[g'(x_i) g'(x_j) (sum_f s_f g(x_f))^2]."""
        means, weights, residual = self._given(C, (i, j))
        variance = residual.diagonal()
        spread = np.sqrt(np.where(variance > _ROUNDING * C.diagonal(), variance, 0.0))
        square = np.zeros(len(weights))
        series: list[Array] = []
        for f, sign in enumerate(signs):
            coefficients, second_moment = self._series(means[:, f], spread[f])
            square += sign**2 * second_moment
            for h, others in enumerate(series):
                terms = min(coefficients.shape[1], others.shape[1])
                rho = residual[f, h] / (spread[f] * spread[h]) if terms > 1 else 0.0
                powers = 2 * sign * signs[h] * rho ** np.arange(terms)
                square += (coefficients[:, :terms] * others[:, :terms]) @ powers
            series.append(coefficients)
        slopes = self._compiled.slope(means[:, [i, j]])
        return float(weights @ (slopes[:, 0] * slopes[:, 1] * square))

    def _series(self, mean: Array, spread: float) -> tuple[Array, Array]:
        """Hermite coefficients c_k of g at (mean, spread), shape (n, terms), and E[g^2], (n,)."""
        if spread == 0:
            value = self._compiled.g(mean)
            return value[:, None], value**2
        kink = self._compiled.kink
        z, weights = self._two_sided(mean, spread) if kink else self._hermite
        value = self._compiled.g(mean[:, None] + spread * z)
        coefficients = (weights * value)[:, None, :] @ _hermite_basis(z, self.order)
        return coefficients[:, 0, :], np.sum(weights * value**2, axis=1)


def _hermite_basis(z: Array, terms: int) -> Array:
    """He_k(z)/sqrt(k!), k < terms, on a new last axis."""
    basis = np.empty((*z.shape, terms))
    basis[..., 0] = 1.0
    basis[..., 1] = z
    for k in range(1, terms - 1):
        basis[..., k + 1] = (z * basis[..., k] - np.sqrt(k) * basis[..., k - 1]) / np.sqrt(k + 1)
    return basis
