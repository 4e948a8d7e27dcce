"""Gaussian averages of g(x) = u x (x > 0), v x (x < 0): ReLU, leaky ReLU, |x|.

Method
    With e = (u + v)/2 and o = (u - v)/2, g(x) = e x + o |x| and g'(x) = e + o sign x. Fields are
    unit vectors v_f times their standard deviations, C_fh = sigma_f sigma_h v_f.v_h, so every
    average is an angle or a length, and coincident fields are not special:

    * two points (arc-cosine kernels): E[sign a sign b] = (2/pi) asin(rho),
      E[|a| |b|] = (2/pi) sigma_a sigma_b (sin(theta) + rho asin(rho)), rho = cos(theta);
    * y = sum_f s_f x_f is Gaussian itself, so that only E[sign a sign b |c| |d|] is left of G;
    * Stein's lemma for c leaves three conditional averages in closed form and one of four signs,

          E[sign a sign b |c| |d|]/(sigma_c sigma_d)
              = (4/pi^2) sum_{p=a,b,c} rho_cp tau_p + rho_cd P4,
          tau_p = (pi/2)^(3/2) E[sign x sign y |d| given p = 0],  {p, x, y} = {a, b, c};

    * P4 = E[sign a sign b sign c sign d] (Plackett 1954; Price 1958): scale the correlations of d
      by t; P4(0) = 0 and

          dP4/dt = (4/pi^2) sum_{p=a,b,c} rho_pd asin(rho_xy given p, d)/sqrt(1 - t^2 rho_pd^2),

      even in t and singular only at real |t| >= 1: tanh-sinh quadrature, nodes t > 0 only.

Accuracy
    The result belongs to a covariance that differs from C by rounding. Where two fields coincide
    the averages have square-root cusps, so rounding of 1e-16 in C is 1e-8 in D and G there.

References
    Plackett, Biometrika 41, 351 (1954); Price, IRE Trans. Inf. Theory 4, 69 (1958);
    Cho & Saul, NeurIPS 2009 (arc-cosine kernels); [SS95] for the equations that need them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import atan2, pi, sqrt
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from theory.activations import Activation
from theory.gaussian.homogeneous import Homogeneous

from .averages import Array, Averages, checked_covariance

__all__ = ["PiecewiseLinear"]

_ALIGNED = 1e-12
"""Unit vectors whose angle has a smaller sine are the same field, up to its sign."""
_ROUNDING = 1e-15
"""A conditional variance below n times this part of the variance is rounding."""
_STEP, _LAST = 1 / 32, 4.0
"""Step and end of the trapezoidal rule in u, t = tanh((pi/2) sinh u): 1 - t is 1e-37 at the end."""


def _tanh_sinh() -> tuple[Array, Array, Array]:
    """Nodes t, 1 - t^2 (not by subtraction) and weights of an even integrand on [0, 1]."""
    u = np.arange(0.0, _LAST + _STEP, _STEP)
    complement = 1 / np.cosh(np.pi / 2 * np.sinh(u)) ** 2
    weights = _STEP * np.pi / 2 * np.cosh(u) * complement
    weights[0] /= 2
    return np.tanh(np.pi / 2 * np.sinh(u)), complement, weights


_NODES, _COMPLEMENTS, _WEIGHTS = _tanh_sinh()


@cache
def _parts(activation: Activation) -> tuple[float, float] | None:
    """(e, o) of g(x) = e x + o |x|, or None if g is not of this form."""
    member = Homogeneous.recognise(activation)
    if member is None or member.degree != 1:
        return None
    return float(member.even), float(member.odd)


@dataclass(frozen=True)
class PiecewiseLinear:
    """The averages of ReLU, leaky ReLU or |x|, D and eps_g in closed form.

    Parameters
    ----------
    activation : Activation
    K : int
        Number of students.
    c : float
        Output weight of student and teacher.
    label_noise : float
        Variance of the teacher's noise; it is not part of eps_g.

    Raises
    ------
    ValueError
        If the activation is another one.
    """

    activation: Activation
    K: int
    c: float
    label_noise: float = 0.0

    def __post_init__(self) -> None:
        if not self.recognises(self.activation):
            raise ValueError(
                f"{self.activation} is not piecewise linear with its kink at zero: use "
                "numerics.quadrature"
            )

    @staticmethod
    def recognises(activation: Activation) -> bool:
        """Whether g(x) = u x_+ - v (-x)_+ with u != v."""
        return _parts(activation) is not None

    def __str__(self) -> str:
        return "one-dimensional quadrature"

    def averages(self, C: Any, noise: bool = True) -> Averages:
        """D, G (if `noise`) and eps_g at the covariance C (K + M, K + M), students first.

        Raises
        ------
        ValueError
            If C is not a covariance or a field has variance zero.
        """
        return self._averages(C, noise, coarse=False)

    def error(self, C: Any, noise: bool = True) -> float:
        """Difference to the same at twice the step, in units of the largest average.

        An estimate far on the safe side: the error is about its square.
        """
        coarse, fine = (self._averages(C, noise, coarse) for coarse in (True, False))
        return coarse.difference(fine)

    def _averages(self, C: Any, noise: bool, coarse: bool) -> Averages:
        C = checked_covariance(C, self.K)
        (e, o), K, c = _parts(self.activation), self.K, self.c  # type: ignore[misc]
        sigma = np.sqrt(C.diagonal())
        fields = _Fields.of(C / np.outer(sigma, sigma))
        weights = np.where(np.arange(len(C)) < K, -c, c)
        scaled = weights * sigma
        signs = 2 / np.pi * fields.angle
        drift = c * weights * (e**2 + o**2 * signs[:K])
        # E[g''(x_i) g(x_f)] = (2/pi) o^2 (sigma_f/sigma_i) sin(theta_if)
        curvature = 2 / np.pi * o**2 * (fields.sine[:K] @ scaled) / sigma[:K]
        drift[:, :K] += c * np.diag(curvature)
        moduli = 2 / np.pi * scaled @ (fields.sine + fields.cosine * fields.angle) @ scaled
        y = scaled @ fields.vectors
        error = float(e**2 * y @ y + o**2 * moduli) / 2
        if not noise:
            return Averages(drift, None, error)
        G = _square(fields, scaled, K, (e, o), float(moduli), coarse)
        G += self.label_noise * (e**2 + o**2 * signs[:K, :K])
        return Averages(drift, c**2 * G, error)


class _Fields(NamedTuple):
    """Unit vectors v_f (n, n), and rho = cos(theta), sin(theta), asin(rho) of every two."""

    vectors: Array
    cosine: Array
    sine: Array
    angle: Array

    @classmethod
    def of(cls, correlations: Array) -> _Fields:
        vectors = _unit_vectors(correlations)
        return cls(vectors, *_angles(vectors))


def _square(
    fields: _Fields, scaled: Array, K: int, parts: tuple[float, float], moduli: float, coarse: bool
) -> Array:
    """E[g'(x_i) g'(x_j) (e y + o Y)^2], y = sum_f s_f x_f, Y = sum_f s_f |x_f|, E[Y^2] = moduli.

    Terms odd in the fields vanish: left are E[y^2], E[Y^2], E[sign x_i y Y] and, with
    sign x_i sign x_j, E[.. y^2] and E[.. Y^2].
    """
    e, o = parts
    y = scaled @ fields.vectors
    along = fields.vectors @ y
    sine, angle = fields.sine[:K], fields.angle[:K]
    mixed = 2 / np.pi * (along[:K] * (sine @ scaled) + (angle * along) @ scaled)
    with_y, with_moduli = _four_points(*fields, y, scaled, K, moduli, coarse)
    constant = e**4 * (y @ y) + (e * o) ** 2 * moduli
    G = constant + 2 * (e * o) ** 2 * np.add.outer(mixed, mixed)
    return np.asarray(G + (e * o) ** 2 * with_y + o**4 * with_moduli)


@njit(cache=True)
def _unit_vectors(R: Array) -> Array:
    """Unit vectors (n, n) with the correlations R, by pivoted Cholesky."""
    n = len(R)
    vectors, left = np.zeros((n, n)), np.ones(n)
    for k in range(n):
        pivot = np.argmax(left)
        if left[pivot] <= _ROUNDING * n:
            break
        length = sqrt(left[pivot])
        for f in range(n):
            if left[f] > 0:
                overlap = _dot(vectors[f, :k], vectors[pivot, :k])
                vectors[f, k] = (R[f, pivot] - overlap) / length
        vectors[pivot, k] = length
        left -= vectors[:, k] ** 2
        left[pivot] = 0.0
    for f in range(n):
        vectors[f] /= sqrt(_dot(vectors[f], vectors[f]))
    return vectors


@njit(cache=True)
def _dot(x: Array, y: Array) -> float:
    total = 0.0
    for k in range(len(x)):
        total += x[k] * y[k]
    return total


@njit(cache=True)
def _across(x: Array, p: Array) -> tuple[Array, float]:
    """Direction and length of the part of x across p, both of length one."""
    across = x - _dot(x, p) * p
    length = sqrt(_dot(across, across))
    return (across / length if length > 0 else across), length


@njit(cache=True)
def _angles(v: Array) -> tuple[Array, Array, Array]:
    """Return rho = cos(theta), sin(theta) and asin(rho) of every two fields."""
    n = len(v)
    cosine, sine, angle = np.eye(n), np.zeros((n, n)), np.eye(n) * (pi / 2)
    for a in range(n):
        for b in range(a):
            cosine[a, b] = cosine[b, a] = _dot(v[a], v[b])
            sine[a, b] = sine[b, a] = _across(v[b], v[a])[1]
            angle[a, b] = angle[b, a] = atan2(cosine[a, b], sine[a, b])
    return cosine, sine, angle


@njit(cache=True)
def _frame(x: Array, y: Array, d: Array, p: Array) -> tuple[float, float, float, float, float]:
    """Given p = 0: (cos, sin) of x and y, and d in the orthonormal frame (x, y across x, rest).

    Nearly coincident x, y or d stay consistent, as all angles are taken in this one frame.
    """
    first, _ = _across(x, p)
    other, _ = _across(y, p)
    direction, length = _across(d, p)
    d_rest = length * direction
    second, sine = _across(other, first)
    d1, d2 = _dot(d_rest, first), 0.0
    d_rest = d_rest - d1 * first
    if sine > _ALIGNED:
        d2 = _dot(d_rest, second)
        d_rest = d_rest - d2 * second
    else:
        sine = 0.0
    return _dot(first, other), sine, d1, d2, sqrt(_dot(d_rest, d_rest))


@njit(cache=True)
def _asin_given(cosine: float, sine: float, d1: float, d2: float, d3: float) -> float:
    """Return asin of the correlation of x and y given d = 0, in the frame of `_frame`."""
    length = sqrt(d1 * d1 + d2 * d2 + d3 * d3)
    return atan2(cosine * d3 * d3 + d2 * (cosine * d2 - sine * d1), length * sine * d3)


@njit(cache=True)
def _conditional_modulus(v: Array, sine: Array, x: int, y: int, d: int, p: int) -> float:
    """tau_p = (pi/2)^(3/2) E[sign x sign y |d| given p = 0], d of variance one."""
    if min(sine[x, p], sine[y, p], sine[d, p]) <= _ALIGNED:
        return 0.0  # the sign or the size of a field that is zero
    c, s, d1, d2, d3 = _frame(v[x], v[y], v[d], v[p])
    length = sqrt(d1 * d1 + d2 * d2 + d3 * d3)
    if s == 0:
        return length * pi / 2 if c > 0 else -length * pi / 2
    along, across = d1 * c + d2 * s, d2 * c - d1 * s
    edges = d1 * atan2(d2, d3) - along * atan2(across, d3)
    return edges + length * _asin_given(c, s, d1, d2, d3)


@njit(cache=True)
def _four_signs(
    v: Array, cosine: Array, sine: Array, angle: Array, q: tuple[int, int, int, int], every: int
) -> float:
    """P4 = E[sign a sign b sign c sign d], q = (a, b, c, d), with every (first, second) node."""
    a, b, c, d = q
    for p, m, x, y in ((a, b, c, d), (a, c, b, d), (a, d, b, c)):
        if min(sine[p, m], sine[x, y]) <= _ALIGNED:
            return 4 / pi**2 * angle[p, m] * angle[x, y]  # asin is +-pi/2 for an aligned pair
    total = 0.0
    for p, x, y in ((a, b, c), (b, a, c), (c, a, b)):
        cos, sin, d1, d2, d3 = _frame(v[x], v[y], v[d], v[p])
        for k in range(0, len(_NODES), every):
            t, w = _NODES[k], _COMPLEMENTS[k]
            given = _asin_given(cos, sin, t * d1, t * d2, sqrt(t * t * d3 * d3 + w))
            spread = sqrt(t * t * sine[p, d] ** 2 + w)
            total += _WEIGHTS[k] * cosine[p, d] * given / spread
    return 4 / pi**2 * every * total


@njit(cache=True)
def _sign_sign_square(v: Array, y: Array, angle: float, a: int, b: int) -> float:
    """E[sign a sign b y^2] by Stein's lemma, in the frame (a, b across a)."""
    across, sine = _across(v[b], v[a])
    cos, along, beside = _dot(v[a], v[b]), _dot(y, v[a]), _dot(y, across)
    turned = 2 * sine**2 * along * beside + sine * cos * (along**2 - beside**2)
    return 2 / pi * (_dot(y, y) * angle + turned)


@njit(cache=True)
def _four_points(
    v: Array,
    cosine: Array,
    sine: Array,
    angle: Array,
    y: Array,
    scaled: Array,
    K: int,
    moduli: float,
    coarse: bool,
) -> tuple[Array, Array]:
    """E[sign x_i sign x_j y^2] and E[sign x_i sign x_j (sum_f s_f |x_f|)^2], shapes (K, K)."""
    with_y, with_moduli = np.eye(K) * _dot(y, y), np.eye(K) * moduli
    every = 2 if coarse else 1
    for i in range(K):
        for j in range(i):
            with_y[i, j] = with_y[j, i] = _sign_sign_square(v, y, angle[i, j], i, j)
            for f in range(len(v)):
                for h in range(f + 1):
                    given = cosine[f, i] * _conditional_modulus(v, sine, j, f, h, i)
                    given += cosine[f, j] * _conditional_modulus(v, sine, i, f, h, j)
                    given += _conditional_modulus(v, sine, i, j, h, f)
                    signs = _four_signs(v, cosine, sine, angle, (i, j, f, h), every)
                    average = 4 / pi**2 * given + cosine[f, h] * signs
                    with_moduli[i, j] += (1 if f == h else 2) * scaled[f] * scaled[h] * average
            with_moduli[j, i] = with_moduli[i, j]
    return with_y, with_moduli
