"""Gaussian averages by quadrature, for activations without closed forms (tanh, GELU, ReLU's G).

Method
    Fields are built one after the other from independent normal variables, x_f = mean + spread z,
    with the mean given by the earlier ones, and every z has its own rule: Gauss-Hermite for a
    smooth activation; for one with a kink at zero, Gauss-Legendre on both sides of the z at which
    x_f = 0, so that the order of convergence survives the kink.

    * two points: a, then b given a;
    * E[g''(a) g(b)] = (E[a g'(a) g(b)] - C_ab E[g'(a) g'(b)])/C_aa (Stein): no second derivative;
    * four points: given (x_i, x_j), all other pairs (f, h) at once by Mehler's formula

          E[g(x_f) g(x_h) | x_i, x_j] = sum_{k < p} c_k(f) c_k(h) rho_fh^k,

      c_k the Hermite coefficients at the conditional means and spreads. With Gauss-Hermite of p
      nodes this is exact at rho = +-1 too (discrete orthogonality); with a kink it converges like
      |rho|^p, except that f = h is taken directly.

    Cost at order p: O((K + M)^2 p^2) for D and eps_g, O(K^2 (K + M) p^4) for G.

References
    [SS95] Saad & Solla, Phys. Rev. E 52, 4225 (1995), for the averages;
    Golub & Welsch, Math. Comp. 23, 221 (1969), for the rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy.special import roots_hermitenorm

from theory.activations import Activation, X

__all__ = ["Averages", "averages"]

Array = NDArray[np.float64]

_PIECEWISE = (sp.Heaviside, sp.sign, sp.Abs, sp.Max, sp.Min, sp.Piecewise)
_REACH = 9.0
"""The normal density is left out beyond 9 standard deviations (its mass there is 2e-19)."""
_ROUNDING = 1e-12
"""A conditional variance below this part of the variance is rounding: the field is determined."""


@dataclass(frozen=True)
class Averages:
    """The Gaussian averages of the order-parameter equations at one covariance.

    Attributes
    ----------
    drift : array, shape (K, K + M)
        D_if = E[d delta_i / d field_f].
    noise : array, shape (K, K)
        G_ij = E[delta_i delta_j].
    generalization_error : float
        eps_g = E[(zeta - sigma)^2]/2.
    error : float
        Largest difference, over all these entries, to the same at two thirds of the order: an
        estimate of the error at the lower order, hence on the safe side.
    """

    drift: Array
    noise: Array
    generalization_error: float
    error: float


def averages(
    activation: Any, C: Any, K: int, c: float, label_noise: float = 0.0, order: int = 40
) -> Averages:
    """D, G and eps_g at the covariance C of the fields, students first, by quadrature.

    With s_f = -c for students and +c for teachers, zeta - sigma = sum_f s_f g(x_f),

        D_if = c s_f E[g'(x_i) g'(x_f)] + delta_if c E[g''(x_i) (zeta - sigma)]
        G_ij = c^2 E[g'(x_i) g'(x_j) ((zeta - sigma)^2 + label_noise)]

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        Smooth, or continuous with its only kink at zero.
    C : array, shape (K + M, K + M)
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
        If C is not a covariance, a field has variance zero, or the activation jumps or has a kink
        elsewhere than at zero.
    FloatingPointError
        If an average is not finite.
    """
    compiled = _compiled(Activation(activation))
    covariance = _checked(C, K)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
        fine, coarse = (
            _Quadrature(compiled, n).averages(covariance, K, c, label_noise)
            for n in (order, 2 * order // 3)
        )
    error = max(float(np.max(np.abs(a - b))) for a, b in zip(fine, coarse, strict=True))
    if not np.isfinite(error):
        raise FloatingPointError(
            f"an average of {Activation(activation)} is not finite at the covariance "
            f"{covariance.tolist()}: the activation grows too fast for it"
        )
    return Averages(fine[0], fine[1], float(fine[2]), error)


def _checked(C: Any, K: int) -> Array:
    covariance = np.array(C, dtype=float)
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1]:
        raise ValueError(f"C must be a square matrix, found shape {covariance.shape}")
    if not 1 <= K <= len(covariance):
        raise ValueError(f"K must be between 1 and {len(covariance)}, the size of C, found {K}")
    if not np.all(np.isfinite(covariance)):
        raise ValueError(f"C must be finite, found {covariance.tolist()}")
    scale = np.trace(covariance)
    if np.max(np.abs(covariance - covariance.T)) > _ROUNDING * abs(scale):
        raise ValueError(f"C must be symmetric, found {covariance.tolist()}")
    if np.min(covariance.diagonal()) <= 0:
        raise ValueError(f"every field needs a positive variance, found {covariance.diagonal()}")
    smallest = np.linalg.eigvalsh(covariance)[0]
    if smallest < -1e-9 * scale:
        raise ValueError(f"C must be positive semi-definite, found the eigenvalue {smallest:.3g}")
    return covariance


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
class _Quadrature:
    """The averages of one activation with `order` nodes in each variable."""

    compiled: _Compiled
    order: int

    @cached_property
    def _hermite(self) -> tuple[Array, Array]:
        nodes, weights = roots_hermitenorm(self.order)
        return nodes[None, :], weights[None, :] / np.sqrt(2 * np.pi)

    @cached_property
    def _legendre(self) -> tuple[Array, Array]:
        nodes, weights = np.polynomial.legendre.leggauss(self.order // 2)
        return nodes, weights

    def _rule(self, mean: Array, spread: float) -> tuple[Array, Array]:
        """Nodes z and weights for z ~ N(0, 1), fit for functions of mean + spread z.

        `mean` has shape (n,); the results (n, order), or (1, order) if they are the same for all.
        """
        if not self.compiled.kink:
            return self._hermite
        # a kink beyond the reach leaves one side empty
        kink = np.clip(-mean / spread, -_REACH, _REACH)[:, None]
        nodes, weights = self._legendre
        below, above = (kink + _REACH) / 2, (_REACH - kink) / 2
        z = np.hstack([kink + below * (nodes - 1), kink + above * (nodes + 1)])
        w = np.hstack([below * weights, above * weights])
        return z, w * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)

    def averages(
        self, C: Array, K: int, c: float, label_noise: float
    ) -> tuple[Array, Array, Array]:
        """D, G and eps_g."""
        n = len(C)
        values, slopes, curvatures = (np.zeros((n, n)) for _ in range(3))
        for a in range(n):
            for b in range(a, n):
                self._pair(C, a, b, values, slopes, curvatures)
        signs = np.where(np.arange(n) < K, -c, c)
        drift = c * slopes[:K] * signs
        drift[:, :K] += c * np.diag(curvatures[:K] @ signs)
        noise = label_noise * slopes[:K, :K]
        for i in range(K):
            for j in range(i + 1):
                noise[i, j] += self._square(C, i, j, signs)
                noise[j, i] = noise[i, j]
        return drift, c**2 * noise, np.asarray(signs @ values @ signs / 2)

    def _pair(
        self, C: Array, a: int, b: int, values: Array, slopes: Array, curvatures: Array
    ) -> None:
        """Fill in E[g(a) g(b)], E[g'(a) g'(b)] and E[g''(a) g(b)], E[g''(b) g(a)]."""
        fields, weights, _ = self._given(C[np.ix_([a, b], [a, b])], (0, 1))
        g, slope = self.compiled.g(fields), self.compiled.slope(fields)
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
            z, w = self._rule(means[:, p], spread)
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
        slopes = self.compiled.slope(means[:, [i, j]])
        return float(weights @ (slopes[:, 0] * slopes[:, 1] * square))

    def _series(self, mean: Array, spread: float) -> tuple[Array, Array]:
        """Hermite coefficients c_k of g at (mean, spread), shape (n, terms), and E[g^2], (n,)."""
        if spread == 0:
            value = self.compiled.g(mean)
            return value[:, None], value**2
        z, weights = self._rule(mean, spread)
        value = self.compiled.g(mean[:, None] + spread * z)
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
