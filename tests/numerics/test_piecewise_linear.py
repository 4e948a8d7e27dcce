"""Averages of ReLU and its kin against Price's other path in 30 digits, polar angles, closed forms.

The oracle for G is E[sign a sign b |c| |d|] along another path (all correlations between {a, b} and
{c, d} scaled together), with conditional covariances instead of angles, in 30 digits.
"""

from __future__ import annotations

from itertools import product

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.averages import IndefiniteCovariance
from numerics.kinked import KinkedQuadrature
from numerics.piecewise_linear import PiecewiseLinear
from theory.activations import Activation
from theory.gaussian import I2_kernel, price, stein

x = sp.Symbol("x", real=True)
SCALE = 0.7
ACTIVATIONS = ["relu", sp.Max(x, x / 10), sp.Abs(x)]
SLOPES = [(1, 0), (1, 0.1), (1, -1)]


def rule(activation="relu", K=2, **options):
    return PiecewiseLinear(Activation(activation), K, SCALE, **options)


def gram(vectors):
    """Covariance of fields with these vectors."""
    vectors = np.asarray(vectors, dtype=float)
    return vectors @ vectors.T


def sign_sign_modulus(S):
    """E[sign x sign y |d|] at the covariance S of (x, y, d), by Stein's lemma for d."""

    def asin_given(p, q, g):
        cov, var, other = (
            S[a, b] - S[a, g] * S[b, g] / S[g, g] for a, b in ((p, q), (p, p), (q, q))
        )
        size = mp.sqrt(var * other)
        return mp.asin(cov / size) if size else mp.mpf(0)

    edges = S[0, 2] / mp.sqrt(S[0, 0]) * asin_given(1, 2, 0)
    edges += S[1, 2] / mp.sqrt(S[1, 1]) * asin_given(0, 2, 1)
    return (2 / mp.pi) ** mp.mpf("1.5") * (edges + mp.sqrt(S[2, 2]) * asin_given(0, 1, 2))


def pair_of_signs(C, a, b):
    return 2 / mp.pi * mp.asin(C[a, b] / mp.sqrt(C[a, a] * C[b, b]))


def pair_of_moduli(C, a, b):
    if a == b:
        return C[a, a]
    root = mp.sqrt(C[a, a] * C[b, b] - C[a, b] ** 2)
    return 2 / mp.pi * root + C[a, b] * pair_of_signs(C, a, b)


def four_moduli(C):
    """E[sign a sign b |c| |d|] for four different fields, by Price's theorem (module docstring)."""

    def rate(t):
        scaled = mp.matrix(4, 4)
        for p, s in product(range(4), repeat=2):
            scaled[p, s] = C[p, s] * (t if (p < 2) != (s < 2) else 1)
        total = mp.mpf(0)
        for p, s in product((0, 1), (2, 3)):
            fields = (1 - p, s, 5 - s)
            given = mp.matrix(3, 3)
            for m, n in product(range(3), repeat=2):
                through = scaled[fields[m], p] * scaled[fields[n], p] / C[p, p]
                given[m, n] = scaled[fields[m], fields[n]] - through
            total += C[p, s] * mp.sqrt(2 / (mp.pi * C[p, p])) * sign_sign_modulus(given)
        return total

    start = pair_of_signs(C, 0, 1) * pair_of_moduli(C, 2, 3)
    return start + mp.quad(rate, [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1])


def found_four_moduli(C):
    """The same from G: three students and a teacher of |x|, whose e = 0 leaves only this average.

    G_12 is quadratic in the scales of the fields behind s_f: the mixed difference in the scales of
    c and d is twice the average wanted.
    """

    def G(c, d):
        vectors = np.linalg.cholesky(C) * np.array([1, 1, c, d])[:, None]
        return rule(sp.Abs(x), K=2).averages(gram(vectors)).noise[0, 1]

    mixed = G(2, 2) - G(2, 1) - G(1, 2) + G(1, 1)
    return mixed / (2 * SCALE**4)


GENERAL = np.random.default_rng(1).normal(size=(4, 4))
NEAR = [(0, 2), (0, 1), (2, 3), (1, 3)]


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_four_different_fields(seed):
    """Oracle: Price's other path in 30 digits; general covariances of all scales."""
    C = gram(np.random.default_rng(seed).normal(size=(4, 4)) * [[0.1], [3], [1], [1]])
    with mp.workdps(30):
        expected = float(four_moduli(mp.matrix(C.tolist())))
    assert found_four_moduli(C) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("pair", NEAR, ids=str)
@pytest.mark.parametrize("gap", [1e-2, pytest.param(1e-3, marks=pytest.mark.slow)])
def test_nearly_aligned_fields(pair, gap):
    """Oracle: Price's other path in 30 digits; its singularity is at a distance gap^2."""
    vectors = GENERAL.copy()
    vectors[pair[1]] = -vectors[pair[0]] + gap * vectors[pair[1]]
    C = gram(vectors)
    with mp.workdps(30):
        expected = float(four_moduli(mp.matrix(C.tolist())))
    # rounding of C, 1e-16 of the scales, over the gap
    assert found_four_moduli(C) == pytest.approx(expected, abs=1e-14 / gap)


def test_four_signs_at_correlation_one_half():
    """Oracle: four fields with rho = 1/2 are all positive with probability 1/5 (order statistics).

    Then E[sign a sign b sign c sign d] = 16/5 - 1 - 6/3 = 1/5, which by Stein's lemma fixes
    E[sign a sign b |c| |d|].
    """
    C = np.full((4, 4), 0.5) + np.eye(4) / 2
    given = mp.matrix([[0.75, 0.25, 0.25], [0.25, 0.75, 0.25], [0.25, 0.25, 0.75]])
    conditional = mp.sqrt(2 / mp.pi) * sign_sign_modulus(given)
    expected = float(2 * conditional / 2 + conditional + mp.mpf(1) / 10)
    assert found_four_moduli(C) == pytest.approx(expected, rel=1e-13)


def closed_pairs(activation, C, K):
    """D and eps_g from the closed forms of theory.gaussian, 30 digits."""
    kernels = (I2_kernel(activation), price(activation), stein(activation))
    I2, I2ab, I2a = (sp.lambdify(k.variables, k.expr, "mpmath") for k in kernels)
    n, s = len(C), [-SCALE] * K + [SCALE] * (len(C) - K)
    with mp.workdps(30):
        entries = mp.matrix(C.tolist())

        def at(kernel, a, b):
            # rounding may carry a correlation of one beyond it
            return mp.re(kernel(entries[a, a], entries[b, b], entries[a, b]))

        drift = np.array(
            [[SCALE * s[f] * float(at(I2ab, i, f)) for f in range(n)] for i in range(K)]
        )
        for i in range(K):
            drift[i, i] += SCALE * sum(s[f] * 2 * float(at(I2a, i, f)) for f in range(n))
        pairs = product(range(n), repeat=2)
        return drift, sum(s[f] * s[h] * float(at(I2, f, h)) for f, h in pairs) / 2


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
@pytest.mark.parametrize(("K", "M"), [(1, 1), (2, 3), (3, 1)])
def test_drift_and_error(activation, K, M):
    """Oracle: the arc-cosine closed forms, 30 digits."""
    C = gram(np.random.default_rng(K).normal(size=(K + M, K + M)))
    found = rule(activation, K).averages(C, noise=False)
    drift, error = closed_pairs(activation, C, K)
    np.testing.assert_allclose(found.drift, drift, rtol=0, atol=2e-14)
    assert found.generalization_error == pytest.approx(error, abs=1e-13)
    assert found.noise is None


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
@pytest.mark.parametrize(("K", "M"), [(2, 2), (3, 1), (1, 2)])
def test_noise_by_quadrature_in_the_fields(activation, K, M):
    """Oracle: numerics.kinked, which conditions on fields and knows no angles."""
    C = gram(np.random.default_rng(M).normal(size=(K + M, 8)) / 4)
    found = rule(activation, K, label_noise=0.3).averages(C)
    kinked = KinkedQuadrature(Activation(activation), K, SCALE, label_noise=0.3, order=60)
    other = kinked.averages(C)
    np.testing.assert_allclose(found.noise, other.noise, rtol=0, atol=1e-7)


def angular_average(slopes, vectors, integrand):
    """E[integrand(g', g)] of degree two in two Gaussian variables: one angle, split at kinks."""
    right, left = slopes
    kinks = sorted({float(mp.fmod(mp.atan2(-v[0], v[1]) + 2 * mp.pi, mp.pi)) for v in vectors})
    breaks = [0.0, *kinks, *(k + float(mp.pi) for k in kinks), 2 * float(mp.pi)]

    def on_circle(angle):
        fields = [v[0] * mp.cos(angle) + v[1] * mp.sin(angle) for v in vectors]
        factors = [right if f > 0 else left for f in fields]
        return integrand(factors, [m * f for m, f in zip(factors, fields, strict=True)])

    # the radial integral of r^3 exp(-r^2/2) is 2
    return mp.quad(on_circle, sorted(set(breaks))) * 2 / (2 * mp.pi)


COINCIDENT = {
    "a = c": [[1, 0], [0.6, 0.8], [1, 0], [0.3, -0.9]],
    "a = -c, b = d": [[1, 0.2], [0.6, 0.8], [-1, -0.2], [0.6, 0.8]],
    "c = d": [[1, 0], [0.6, 0.8], [-0.5, 0.5], [-0.5, 0.5]],
    "a = b": [[0.6, 0.8], [0.6, 0.8], [2, 0], [1, 1]],
    "all the same": [[0.6, 0.8], [0.6, 0.8], [1.2, 1.6], [-0.6, -0.8]],
    "in a plane": [[1, 0], [0, 1], [1, 1], [-0.5, 1.5]],
}


@pytest.mark.parametrize(
    ("activation", "slopes"), [*zip(ACTIVATIONS, SLOPES, strict=True)], ids=str
)
@pytest.mark.parametrize("name", COINCIDENT)
def test_coincident_fields(activation, slopes, name):
    """Oracle: fields in a plane, where every average is an integral over one angle, split at kinks.

    Square-root cusps turn the rounding of C where fields coincide into 1e-8.
    """
    vectors = COINCIDENT[name]
    found = rule(activation).averages(gram(vectors))
    s = [-SCALE, -SCALE, SCALE, SCALE]

    def delta(values):
        return sum(weight * value for weight, value in zip(s, values, strict=True))

    with mp.workdps(20):
        for i, j in ((0, 0), (0, 1), (1, 1)):
            average = angular_average(
                slopes, vectors, lambda d, g, i=i, j=j: d[i] * d[j] * delta(g) ** 2
            )
            assert found.noise[i, j] == pytest.approx(SCALE**2 * float(average), abs=3e-8)
        error = angular_average(slopes, vectors, lambda _, g: delta(g) ** 2) / 2
    assert found.generalization_error == pytest.approx(float(error), abs=1e-12)


def test_a_perfect_student_has_neither_error_nor_noise():
    """Oracle: zeta = sigma, so that eps_g, G and the gradient vanish."""
    vectors = np.random.default_rng(7).normal(size=(3, 5))
    found = rule(K=3).averages(gram([*vectors, *vectors]))
    assert abs(found.generalization_error) < 1e-14
    assert np.max(np.abs(found.noise)) < 1e-7
    # D acts on (student, teacher) overlaps, which are the same: the two halves cancel
    assert np.max(np.abs(found.drift[:, :3] + found.drift[:, 3:])) < 1e-7


def test_coincident_fields_of_any_length_are_finite():
    """Oracle: E[g(v)^2] = |v|^2/2 of ReLU; rounding carries |rho| above one for a fifth of them."""
    for v in np.random.default_rng(0).normal(size=(200, 3)):
        found = rule(K=1).averages(gram([v, v]))
        assert abs(found.generalization_error) < 1e-14 * (v @ v)
        assert np.all(np.isfinite(found.drift))
        assert np.all(np.isfinite(found.noise))


@pytest.mark.parametrize("gap", [1.0, 1e-3, 1e-6])
def test_the_error_estimate(gap):
    """Oracle: it stays below 1e-10, also where two pairs are nearly aligned; rounding is there."""
    vectors = GENERAL.copy()
    vectors[2:] = vectors[:2] + gap * vectors[2:]
    assert 1e-15 <= rule().error(gram(vectors)) < 1e-10


def test_rounding_below_zero_is_zero_and_more_is_refused():
    """Oracle: the limit stated, eigenvalues of the correlations from -1e-9 on."""
    C = np.array([[1.0, 1 + 1e-10], [1 + 1e-10, 1.0]])
    assert rule(K=1).averages(C).drift[0, 1] == pytest.approx(SCALE**2 / 2)
    with pytest.raises(IndefiniteCovariance, match=r"eigenvalue -1\.01e-08"):
        rule(K=1).averages(C + 1e-8 * np.eye(2)[::-1])


@pytest.mark.parametrize("activation", ["erf", "linear", "sign", sp.Max(x - 1, 0), x * sp.Abs(x)])
def test_other_activations_are_refused(activation):
    """Oracle: the rule of the house on error messages."""
    assert not PiecewiseLinear.recognises(Activation(activation))
    with pytest.raises(ValueError, match="is not piecewise linear with its kink at zero"):
        rule(activation)
