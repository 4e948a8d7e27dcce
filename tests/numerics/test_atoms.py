"""Gauss rules of discrete measures; atoms of long spectra against sums over all eigenvalues."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics.atoms import consecutive, gauss_rule, spectral_atoms
from numerics.initial import InitialCondition, initial
from numerics.measure import eigenvalues_and_weights
from theory import Discrete, PowerLaw, TeacherStudent

MODEL = TeacherStudent(2, 2, spectrum=PowerLaw(1, 100), eta="1/10")
ALIKE = InitialCondition([[[0.2, 0], [0, 0.1]]], [[[0.1, 0.01], [0, 0.1]]])


def relaxed(lam, mass, overlaps, rate):
    """sum_k v_k exp(-rate lam_k) c_k."""
    overlaps = np.broadcast_to(overlaps, (len(lam), *overlaps.shape[1:]))
    return np.einsum("k,kfh->fh", mass * np.exp(-rate * lam), overlaps)


def joint(start):
    return np.block([[start.q, start.r], [start.r.swapaxes(1, 2), start.t]])


@pytest.mark.parametrize(("m", "n"), [(5, 5), (17, 16), (1000, 6), (10**15, 16)])
def test_gauss_rule_of_consecutive_integers(m, n):
    """Oracle: sum_{t<m} (t/m)^p from Faulhaber's formula, exact for p < 2 n."""
    nodes, masses = consecutive(m, n)
    t = sp.Symbol("t", integer=True)
    for p in range(2 * n if n < m else n):
        exact = sp.summation(t**p, (t, 0, m - 1)) / sp.Integer(m) ** p
        assert abs(np.sum(masses * (nodes / m) ** p) / float(exact) - 1) < 3e-14


def test_gauss_rule_of_a_few_points():
    """Oracle: moments of the measure up to degree 2 n - 1; the projection of polynomials."""
    rng = np.random.default_rng(0)
    y, mass = rng.uniform(0, 3, 40), rng.uniform(0.1, 1, 40)
    rule = gauss_rule(y, mass, 7)
    for p in range(14):
        assert abs(np.sum(rule.masses * rule.nodes**p) / np.sum(mass * y**p) - 1) < 1e-13
    assert np.all(np.diff(rule.nodes) < 0)
    cubic = y**3 - 2 * y
    np.testing.assert_allclose(
        rule.projection @ cubic, rule.nodes**3 - 2 * rule.nodes, rtol=0, atol=1e-12
    )


def test_projection_keeps_the_moments_of_what_it_projects():
    """Oracle: sum_k v_k c_k y_k^p of random c_k, p < n."""
    rng = np.random.default_rng(1)
    y, mass, c = rng.uniform(0, 3, 40), rng.uniform(0.1, 1, 40), rng.standard_normal(40)
    rule = gauss_rule(y, mass, 6)
    for p in range(6):
        found = np.sum(rule.masses * rule.nodes**p * (rule.projection @ c))
        assert abs(found - np.sum(mass * c * y**p)) < 1e-11


def test_gauss_rule_stops_at_the_distinct_points():
    """Oracle: 3 points, each four times, are 3 nodes with the sums of their masses."""
    y, mass = np.repeat([2.0, 1.0, 0.5], 4), np.arange(1.0, 13)
    rule = gauss_rule(y, mass, 8)
    np.testing.assert_allclose(rule.nodes, [2, 1, 0.5], rtol=1e-14)
    np.testing.assert_allclose(rule.masses, [10, 26, 42], rtol=1e-13)


@pytest.mark.parametrize("beta", [1, 2, "3/10", 7])
@pytest.mark.parametrize("L", [30, 3000, 10**5])
def test_power_laws_need_no_list(beta, L):
    """Oracle: sum_k v_k exp(-s lam_k) over all eigenvalues, relative, at all times to the end."""
    model = MODEL.replace(spectrum=PowerLaw(beta, L))
    lam, w = eigenvalues_and_weights(model.spectrum)
    for alpha in (10 / lam[-1], 100.0):
        atoms = spectral_atoms(model, ALIKE, alpha)
        assert atoms.lam.size <= min(L, 1800)
        for s in np.geomspace(0.1 / lam[0], 0.1 * alpha, 9):
            exact = np.sum(w * lam * np.exp(-s * lam))
            assert abs(np.sum(atoms.mass * np.exp(-s * atoms.lam)) / exact - 1) < 3e-15


@pytest.mark.parametrize("beta", [1, "3/10"])
def test_endless_power_law(beta):
    """Oracle: sum_k k^-s exp(-t k^-s) = sum_j (-t)^j zeta(s (j+1))/j!, from mpmath."""
    model = MODEL.replace(spectrum=PowerLaw(beta, sp.oo))
    atoms = spectral_atoms(model, ALIKE, 5.0)
    assert atoms.time_scale == 10
    assert abs(atoms.mass.sum() - 1) < 1e-15
    with mp.workdps(40):
        s = 1 + mp.mpf(model.spectrum.beta.p) / model.spectrum.beta.q
        for t in (1e-3, 0.3, 5.0):
            series = [(-mp.mpf(t)) ** j * mp.zeta(s * (j + 1)) / mp.factorial(j) for j in range(60)]
            exact = 1 - mp.fsum(series) / mp.zeta(s)
            found = np.sum(atoms.mass * -np.expm1(-t * atoms.lam))
            assert abs(found / exact - 1) < 1e-14


def test_a_long_power_law_approaches_the_endless_one():
    """Oracle: the difference of the sums is that of the tails, L^-beta."""
    endless = spectral_atoms(MODEL.replace(spectrum=PowerLaw(1, sp.oo)), ALIKE, 1e4)
    long = MODEL.replace(spectrum=PowerLaw(1, 10**12))
    largest = float(long.spectrum.L / (sp.pi**2 / 6))
    finite = spectral_atoms(long, ALIKE, 1e4 / largest / 0.1)
    for s in (1.0, 1e4):
        sums = [
            np.sum(a.mass * np.exp(-s * a.lam / unit))
            for a, unit in ((endless, 1), (finite, largest))
        ]
        assert abs(sums[0] - sums[1]) < 1e-11


@pytest.mark.parametrize("shuffled", [False, True])
def test_listed_overlaps_are_projected(shuffled):
    """Oracle: sum_k v_k exp(-s lam_k) c_k over all modes, overlaps drawn at random."""
    model = MODEL.replace(spectrum=PowerLaw(1, 1000))
    start, order = initial(model, 0.5, 4000, 0), np.arange(1000)
    if shuffled:
        order = np.random.default_rng(2).permutation(1000)
        values = model.spectrum.values(20)[0]
        model = model.replace(spectrum=Discrete([values[k] for k in order]))
        start = InitialCondition(start.q[order], start.r[order], start.t[order])
    lam, w = eigenvalues_and_weights(model.spectrum)
    atoms = spectral_atoms(model, start, 10 / lam.min())
    assert atoms.lam.size < 300
    assert np.all(np.diff(atoms.lam) < 0)
    np.testing.assert_array_equal(atoms.overlaps, atoms.overlaps.swapaxes(1, 2))
    for s in np.geomspace(0.1 / lam.max(), 1 / lam.min(), 20):
        exact = relaxed(lam, w * lam, joint(start), s)
        found = relaxed(atoms.lam, atoms.mass, atoms.overlaps, s)
        np.testing.assert_allclose(found, exact, rtol=0, atol=3e-13 * np.max(np.abs(exact)))


def test_few_eigenvalues_are_their_own_atoms():
    """Oracle: the eigenvalues, decreasing."""
    model = MODEL.replace(spectrum=Discrete([1, 3, 2], [1, 2, 1]))
    atoms = spectral_atoms(model, ALIKE, 10)
    lam, w = eigenvalues_and_weights(model.spectrum)
    np.testing.assert_array_equal(atoms.lam, lam[[1, 2, 0]])
    np.testing.assert_array_equal(atoms.mass, (w * lam)[[1, 2, 0]])


@pytest.mark.parametrize(
    ("model", "start", "message"),
    [
        (MODEL.replace(eta=sp.Symbol("x", positive=True)), ALIKE, r"symbols \['x'\]"),
        (
            MODEL.replace(spectrum=PowerLaw(sp.Symbol("b", positive=True), sp.oo)),
            ALIKE,
            r"symbols \['b'\]: give them values with model\.replace",
        ),
        (MODEL.replace(K=3), ALIKE, r"shape \(1, 2, 2\), but the model has K = 3"),
        (MODEL, ALIKE.expanded(99), "99 eigenspaces, the model has L = 100"),
        (
            MODEL.replace(spectrum=PowerLaw(1, sp.oo)),
            ALIKE.expanded(5),
            "5 eigenspaces, the model has infinitely many: give a single entry",
        ),
    ],
)
def test_what_does_not_fit_is_refused(model, start, message):
    """Oracle: the message a user needs."""
    with pytest.raises(ValueError, match=message):
        spectral_atoms(model, start, 10)
