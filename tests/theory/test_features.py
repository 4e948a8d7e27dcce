"""Learned features: stationary states, the law in N_l, the best use of compute."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics import InitialCondition, integrate
from numerics.testing import assert_asymptotic
from theory import Discrete, PowerLaw, TeacherStudent, feature_law, order_parameter_odes
from theory.features import compute_optimum, joint_law, stationary_error
from theory.linear_laws import eps_0

SPECTRUM = Discrete([5, 3, 2, 1, "1/2", "1/10"], [1, 2, 1, 3, 1, 4])
HALF = {"epsilon_0": "1/2"}


def network(spectrum=SPECTRUM, eta="3/2", **others):
    return TeacherStudent(1, 1, "linear", spectrum, eta, **others)


def relax(model, learned, time):
    """eps_g after training the first `learned` eigenspaces from zero, by a matrix exponential."""
    lam, w = (np.array(v, dtype=float) for v in model.spectrum.values())
    eta, noise, L = float(model.eta), float(model.label_noise), len(lam)
    trained = (np.arange(L) < learned).astype(float)
    A = np.zeros((L + 1, L + 1))
    A[:L, :L] = np.diag(-2 * eta * lam) + eta**2 * np.outer(lam, w * lam)
    A[:L, L] = eta**2 * lam * noise
    A[:L] *= trained[:, None]
    values, vectors = np.linalg.eig(A)
    start = np.linalg.solve(vectors, np.ones(L + 1, dtype=complex))
    e = ((vectors * np.exp(values * time)) @ start).real[:L]
    return float((w * lam * e).sum() / 2)


@pytest.mark.parametrize("learned", [1, 3, 5, 6])
@pytest.mark.parametrize("noise", [0, "1/3"])
def test_stationary_error_at_any_eta(learned, noise):
    """Oracle: the matrix exponential at late times, eta = 3/4 eta_c, to 1e-10."""
    model = network(label_noise=noise)
    found = float(stationary_error(model, learned).subs(eps_0, sp.S.Half))
    assert found == pytest.approx(relax(model, learned, 1e4), rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("learned", [2, 4])
def test_stationary_error_of_the_integrated_equations(learned):
    """Oracle: `integrate`, to stationarity, of the trained eigenspaces alone.

    The others act like label noise. In N' = W N dimensions, W the trained fraction and V its share
    of the variance, the rest is a model with eta' = eta V, e' = V e and time alpha/W.
    """
    model = network(label_noise="1/5")
    lam, w = model.spectrum.eigenvalues[:learned], model.spectrum.weights[:learned]
    V = sum(a * b for a, b in zip(lam, w, strict=True))
    frozen = 1 - V
    alone = network(Discrete(lam, w), eta=model.eta * V, label_noise=model.label_noise + frozen)
    start = InitialCondition([[[0]]] * learned, [[[0]]] * learned, [[[V]]] * learned)
    path = integrate(order_parameter_odes(alone), start, alpha=400, digits=20, at=[400])
    found = path.generalization_error[-1] + mp.mpf(sp.N(frozen, 25)) / 2
    expected = stationary_error(model, learned).subs(eps_0, sp.S.Half)
    assert abs(found / mp.mpf(sp.N(expected, 25)) - 1) < 1e-15


def test_untrained_eigenspaces_may_start_anywhere():
    """Oracle: equal starts in the general formula; only the frozen ones matter."""
    model = network(label_noise="1/3")
    uniform = stationary_error(model, 4)
    assert sp.simplify(stationary_error(model, 4, [2 * eps_0] * 6) - uniform) == 0
    moved = stationary_error(model, 4, [7, 5, 3, 1, 2, 2])
    assert moved == stationary_error(model, 4, [0, 0, 0, 0, 2, 2]) == uniform.subs(eps_0, 1)


@pytest.mark.parametrize("beta", ["1/2", 1, 2])
@pytest.mark.parametrize("eta", ["1/1000000", 1])
def test_law_in_the_number_of_features(beta, eta):
    """Oracle: the exact stationary error of an endless spectrum."""
    model = network(PowerLaw(beta, "oo"), eta)

    def exact(number):
        value = stationary_error(model, int(number)).subs(eps_0, sp.S.Half)
        return mp.mpf(sp.N(value, 40))

    along = [10**4, 10**5, 10**6] if beta == "1/2" else [100, 1000, 10000]
    assert_asymptotic(exact, feature_law(model), along=along, **HALF)


def test_one_hundred_features_of_many():
    """Oracle: the exact stationary error for L = 1e5, eta -> 0.

    beta = 1: within 1 % of N_l^-beta/(2 beta zeta(1+beta)) at N_l = 100. beta = 1/4: truncation
    takes (N_l/L)^beta = 18 % off, and the norm H_L differs from zeta by 5 % the other way.
    """
    found = {}
    for beta in ("1/4", 1):
        model = network(PowerLaw(beta, 10**5), "1/10000000000")
        exact = float(sp.N(stationary_error(model, 100).subs(eps_0, sp.S.Half), 20))
        b = sp.Rational(beta)
        found[beta] = exact * float(100**b * 2 * b * sp.zeta(1 + b))
    assert found[1] == pytest.approx(1, abs=0.01)
    assert found["1/4"] == pytest.approx((1 - 1000**-0.25) * 1.0513, abs=0.005)


def sums(beta, x, number):
    """eps_g at small eta and L = oo after a time x with `number` directions, eps_0 = 1/2."""
    p = 1 + float(sp.Rational(beta))
    k = np.arange(1, number + 1.0) ** -p
    return ((k * np.exp(-x * k)).sum() + float(mp.zeta(p, number + 1))) / (2 * float(mp.zeta(p)))


@pytest.mark.parametrize("beta", ["1/4", 1, 2])
@pytest.mark.parametrize("y", [0.01, 0.5, 20])
def test_joint_law(beta, y):
    """Oracle: the sums over trained and untrained directions; remainder O(1/N_l)."""
    model = network(PowerLaw(beta, "oo"), "1/1000000000000")
    p = 1 + sp.Rational(beta)
    law = joint_law(model)
    for number in (300, 3000):
        x = y * number ** float(p)
        alpha = x / 2e-12
        off = sums(beta, x, number) / float(law(number, alpha=alpha, **HALF)) - 1
        assert abs(off) < 1.5 * float(law.claimed_error(number, alpha=alpha, **HALF))


@pytest.mark.parametrize("beta", ["1/2", 1, 2])
def test_best_split_of_compute(beta):
    """Oracle: brute force over every N_l at fixed C = alpha N_l, four compute budgets."""
    model = network(PowerLaw(beta, "oo"), "1/1000000000000")
    optimum, b = compute_optimum(model), sp.Rational(beta)
    assert optimum.features.exponent == 1 / (2 + b)
    assert optimum.error.exponent == -b / (2 + b)
    budgets = [10**3, 10**5, 10**7] if b < 2 else [10**5, 10**7, 10**9]
    best = {}
    for budget in budgets:
        middle = float(optimum.features(budget * 5 * 10**11))
        sizes = range(max(1, int(middle / 2)), int(2 * middle) + 2)
        errors = [sums(beta, budget / size, size) for size in sizes]
        place = int(np.argmin(errors))
        assert 0 < place < len(errors) - 1
        best[budget] = sizes[place], errors[place]
        # A whole number of directions, at the bottom of a shallow valley.
        assert abs(sizes[place] - middle) < 1.5
    assert_asymptotic(
        lambda C: best[round(C / (5 * 10**11))][1],
        optimum.error,
        along=[budget * 5 * 10**11 for budget in budgets],
        digits=15,
        **HALF,
    )


def test_bad_requests_are_named():
    """Oracle: the messages."""
    with pytest.raises(ValueError, match="learned = 7 exceeds L = 6"):
        stationary_error(network(), 7)
    with pytest.raises(ValueError, match="learned must be a positive integer"):
        stationary_error(network(), 0)
    with pytest.raises(ValueError, match="one e_k for each of the 6 eigenspaces"):
        stationary_error(network(), 2, [1, 2])
    with pytest.raises(ValueError, match=r"training 6 eigenspaces diverges; give eta below 2\.0"):
        stationary_error(network(eta=3), 6)
    with pytest.raises(NotImplementedError, match="weight decay"):
        stationary_error(network(weight_decay=1), 2)
    with pytest.raises(NotImplementedError, match="scaling form"):
        feature_law(network())
