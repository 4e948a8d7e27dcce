"""D, G and eps_g of tanh and GELU against quadrature in 30 digits that shares nothing with ours.

The oracle turns the axes so that every average is a sum over two variables of products of tables:
the second teacher is uncorrelated with the students, and the first given the students depends on
one combination z_1 of theirs. No series, no lattice in the fields, mpmath throughout. (ReLU:
tests/numerics/test_piecewise_linear.py.)
"""

from __future__ import annotations

from itertools import product

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.quadrature import Quadrature
from theory.activations import Activation

x = sp.Symbol("x", real=True)
SCALE = 0.7

# Students a and b in the plane of z_1, z_2; y along z_1 and w; the second teacher along w and v.
A, B = ("0.7", "0.3"), ("-0.2", "0.9")
Y, SECOND = ("0.5", "0.8"), ("0.6", "0.7")


def tanh(t):
    """g, g', g''."""
    g = mp.tanh(t)
    return g, 1 - g**2, -2 * g * (1 - g**2)


def gelu(t):
    """g, g', g''."""
    below, density = mp.ncdf(t), mp.npdf(t)
    return t * below, below + t * density, (2 - t**2) * density


def line(step, reach):
    """Equal steps in z ~ N(0, 1) with their weights."""
    n = int(reach / step)
    nodes = [k * step for k in range(-n, n + 1)]
    return nodes, [step * mp.npdf(z) for z in nodes]


def pair(g, C, e, f, rule):
    """E[g(e) g(f)], E[g'(e) g'(f)], E[g''(e) g(f)]: e alone, then f given e."""
    nodes, weights = rule
    total = [mp.mpf(0)] * 3
    along = C[e, f] / mp.sqrt(C[e, e])
    rest = mp.sqrt(mp.mpf(max(0, C[f, f] - along**2))) if e != f else mp.mpf(0)
    inner = list(zip(nodes, weights, strict=True)) if rest else [(mp.mpf(0), mp.mpf(1))]
    for z, weight in zip(nodes, weights, strict=True):
        ge = g(mp.sqrt(C[e, e]) * z)
        values = [(w, g(along * z + rest * u)) for u, w in inner]
        mean, slope = (mp.fsum(w * v[k] for w, v in values) for k in (0, 1))
        for k, term in enumerate((ge[0] * mean, ge[1] * slope, ge[2] * mean)):
            total[k] += weight * term
    return total


def square(g, rule, first, second):
    """E[g'(first) g'(second) (g(a) + g(b) - g(y) - g(y'))^2] for fields (z_1, z_2)."""
    nodes, weights = rule
    every = range(len(nodes))
    y1, y2, v1, v2 = (mp.mpf(t) for t in (*Y, *SECOND))
    # E[g(y')^k | w] and the averages of y, y' given z_1
    at = [[g(v1 * w + v2 * v)[0] for v in nodes] for w in nodes]
    given_w = [[mp.fsum(weights[n] * row[n] ** k for n in every) for k in (1, 2)] for row in at]
    total = mp.mpf(0)
    for n, z in enumerate(nodes):
        y = [g(y1 * z + y2 * w)[0] for w in nodes]
        mean = mp.fsum(weights[m] * (y[m] + given_w[m][0]) for m in every)
        terms = (weights[m] * (y[m] ** 2 + 2 * y[m] * given_w[m][0] + given_w[m][1]) for m in every)
        squared, across = mp.fsum(terms), mp.mpf(0)
        for m, u in enumerate(nodes):
            values = [g(mp.mpf(f[0]) * z + mp.mpf(f[1]) * u) for f in (A, B)]
            own = values[0][0] + values[1][0]
            slopes = values[first][1] * values[second][1]
            across += weights[m] * slopes * (own**2 - 2 * own * mean + squared)
        total += weights[n] * across
    return total


def covariance():
    """Of (a, b, y, y') in the independent variables z_1, z_2, w, v."""
    rows = [[*A, "0", "0"], [*B, "0", "0"], [Y[0], "0", Y[1], "0"], ["0", "0", *SECOND]]
    factor = mp.matrix([[mp.mpf(t) for t in row] for row in rows])
    return factor * factor.T


def exact(g, width):
    """D, G (first row) and eps_g to 25 digits, and the covariance."""
    with mp.workdps(30):
        # the error is exp(-2 pi width/step) and the density beyond the reach
        rule = line(2 * mp.pi * width / 65, mp.mpf(11))
        C = covariance()
        signs = [-SCALE, -SCALE, SCALE, SCALE]
        pairs = {(e, f): pair(g, C, e, f, rule) for e, f in product(range(2), range(4))}
        for e, f in ((2, 2), (2, 3), (3, 3)):
            pairs[e, f] = pair(g, C, e, f, rule)
        drift = [[SCALE * signs[f] * pairs[e, f][1] for f in range(4)] for e in range(2)]
        for e in range(2):
            drift[e][e] += SCALE * mp.fsum(signs[f] * pairs[e, f][2] for f in range(4))
        error = mp.fsum(
            signs[e] * signs[f] * pairs[min(e, f), max(e, f)][0]
            for e, f in product(range(4), repeat=2)
        )
        noise = [mp.mpf(SCALE) ** 4 * square(g, rule, 0, f) for f in range(2)]
        found = np.array(drift, dtype=float), np.array(noise, dtype=float), float(error / 2)
        return *found, np.array(C.tolist(), dtype=float)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "g", "width"),
    [(sp.tanh(x), tanh, 1.57), (x * (1 + sp.erf(x / sp.sqrt(2))) / 2, gelu, 3.0)],
    ids=["tanh", "GELU"],
)
def test_against_thirty_digits(activation, g, width):
    """Oracle: the module's docstring; the accuracy asked for and the estimate cover the error."""
    drift, noise, error, C = exact(g, width)
    for accuracy in (1e-6, 1e-8, 1e-10, 1e-12):
        rule = Quadrature(Activation(activation), 2, SCALE, accuracy=accuracy, width=1.4)
        found = rule.averages(C)
        largest = max(np.max(np.abs(a)) for a in (found.drift, found.noise))
        bound = largest * min(accuracy, rule.error(C)) + 1e-14
        assert np.max(np.abs(found.drift - drift)) <= bound
        assert np.max(np.abs(found.noise[0] - noise)) <= bound
        assert abs(found.generalization_error - error) <= bound
