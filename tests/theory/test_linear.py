"""The linear network in closed form; tests/validation/test_linear.py integrates it."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from systems import linear_overlaps

from theory import (
    Discrete,
    Isotropic,
    PowerLaw,
    TeacherStudent,
    linear_solution,
    order_parameter_odes,
)
from theory.secular import secular_roots

SPECTRUM = Discrete(["3", "1", "1/5", "1/50"], [1, 2, 3, 1])


def network(K=1, M=1, spectrum=SPECTRUM, eta="1/2", **others):
    return TeacherStudent(K, M, "linear", spectrum, eta, **others)


def relaxation(model):
    """d/dalpha of (e_1, ..., e_L) for K = M = 1, float64: diagonal plus rank one."""
    lam, w = (np.array(v, dtype=float) for v in model.spectrum.values())
    kappa = float(model.eta)
    return np.diag(-2 * kappa * lam) + kappa**2 * np.outer(lam, w * lam)


def test_roots_of_the_secular_equation():
    """Oracle: mpmath's eigenvalues of the full matrix in 50 digits, poles nearly equal included."""
    poles = [mp.mpf(-5), mp.mpf(-1), -1 - mp.mpf(10) ** -12, mp.mpf(2)]
    with mp.workdps(50):
        strengths = [mp.mpf(s) for s in ("1/3", "2", "1e-9", "7")]
        matrix = mp.diag(poles) + mp.matrix([[s] * 4 for s in strengths])
        found = secular_roots(poles, strengths)
        expected = sorted(map(mp.re, mp.eig(matrix, right=False)), reverse=True)
        assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) < mp.mpf(10) ** -40
        order = sorted(poles, reverse=True)
        assert all(root > pole for root, pole in zip(found, order, strict=True))


def test_equal_poles_share_a_root():
    """Oracle: one pole of joint strength, whose root is the pole plus the strength."""
    assert secular_roots([mp.mpf(-1)] * 2, [mp.mpf(1), mp.mpf(2)]) == (mp.mpf(2),)


@pytest.mark.parametrize("eta", ["1/10", "19/10", "21/10"])
def test_eigenvalues_are_those_of_the_matrix(eta):
    """Oracle: numpy's eigenvalues; the sign of the largest changes at eta_c = 2."""
    model = network(eta=eta)
    solution = linear_solution(model)
    found = np.array(solution.eigenvalues(), dtype=float)
    expected = np.sort(np.linalg.eigvals(relaxation(model)).real)[::-1]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert (found[0] > 0) == (sp.Rational(eta) > solution.critical_learning_rate)
    assert abs(float(solution.secular(found[0])) - 1) < 1e-10


def test_the_kernel_is_the_memory_of_the_error():
    """Oracle: e_k' = ... integrated by hand: eps_g - F is the convolution of the kernel."""
    model = network(label_noise="1/3")
    solution, t = linear_solution(model), sp.Symbol("t", positive=True)
    path = solution.start(q=[[["1/4"]]] * 4, r=[[[0]]] * 4, digits=20)
    kernel = sp.lambdify(t, solution.kernel(t), "mpmath")
    free = mp.fsum(
        w * e * mp.mpf(5) / 4 * mp.exp(-2 * e * mp.mpf(3) / 2) / 2
        for e, w in zip(*model.spectrum.values(20), strict=True)
    )
    memory = mp.quad(
        lambda s: kernel(3 - s) * (path.generalization_error(s) + mp.mpf(1) / 6), [0, 3]
    )
    assert abs(path.generalization_error(3) - free - memory) < 1e-14


@pytest.mark.parametrize("noise", [0, "1/3"])
@pytest.mark.parametrize("decay", [0, "1/7"])
def test_overlaps_are_those_of_a_matrix_exponential(noise, decay):
    """Oracle: exp of the affine system of (r, q), K = M = 1, in 40 digits."""
    model = network(eta="3/2", label_noise=noise, weight_decay=decay)
    q, r = ["1/2", "1/3", "3/4", "2"], ["1/2", "-1/5", "0", "1"]
    path = linear_solution(model).start([[[v]] for v in q], [[[v]] for v in r])
    with mp.workdps(45):
        lam, w = model.spectrum.values(45)
        numbers = [[mp.mpf(sp.Rational(v).p) / sp.Rational(v).q for v in x] for x in (q, r)]
        eta, *others = (mp.mpf(sp.Rational(v).p) / sp.Rational(v).q for v in ("3/2", noise, decay))
        expected = linear_overlaps(lam, w, *numbers, eta, 4, *others, digits=45)
        for found, values in zip((path.q(4), path.r(4)), expected, strict=True):
            for mode, value in zip(found, values, strict=True):
                assert abs(mode[0][0] - value) < mp.mpf(10) ** -28


def test_rates_of_mean_and_fluctuation_may_coincide():
    """Oracle: the matrix exponential, with 2 a_1 = a_2 exactly: lam = 1/2, 3/2, decay 1/2."""
    model = network(spectrum=Discrete([1, 3]), weight_decay="1/2")
    path = linear_solution(model).start([[["1/4"]]] * 2, [[["1/4"]]] * 2)
    quarter, half = mp.mpf(1) / 4, mp.mpf(1) / 2
    values = [half, 3 * half], [half, half], [quarter] * 2, [quarter] * 2
    q, r = linear_overlaps(*values, half, 4, weight_decay=half)
    assert max(abs(a[0][0] - b) for a, b in zip(path.q(4), q, strict=True)) < 1e-28
    assert max(abs(a[0][0] - b) for a, b in zip(path.r(4), r, strict=True)) < 1e-28


@pytest.mark.parametrize(("K", "M", "scale"), [(1, 1, "sqrt"), (2, 5, "sqrt"), (3, 2, "unit")])
@pytest.mark.parametrize("decay", [0, "1/3"])
def test_critical_rate_for_any_number_of_units(K, M, scale, decay):
    """Oracle: the largest eigenvalue crosses zero there, and the floor diverges."""
    model = network(K, M, scale=scale, weight_decay=decay)
    critical = linear_solution(model).critical_learning_rate
    largest = [
        linear_solution(model.replace(eta=critical * f)).eigenvalues()[0]
        for f in (sp.Rational(999, 1000), sp.Rational(1001, 1000))
    ]
    assert largest[0] < 0 < largest[1]
    assert critical == 2 / (K * model.student_scale**2) or decay != 0


def test_critical_rate_needs_no_numbers():
    """Oracle: 2/(K c^2), with symbols and for a power law without end."""
    K, M = sp.symbols("K M", integer=True, positive=True)
    model = TeacherStudent(K, M, "linear", PowerLaw(sp.Symbol("beta", positive=True), sp.oo))
    assert sp.simplify(linear_solution(model).critical_learning_rate - 2 * M / K) == 0


def test_floor_is_the_limit():
    """Oracle: eps_g at late times; without noise there is no floor."""
    solution = linear_solution(network(label_noise="1/3"))
    path = solution.start([[["1/4"]]] * 4, [[[0]]] * 4)
    assert abs(path.limit / sp.Rational(1, 18) - 1) < 1e-29
    assert solution.floor == sp.Rational(1, 18)
    assert abs(path.generalization_error(10**5) - path.limit) < 1e-25
    assert linear_solution(network()).floor == 0


def test_weight_decay_biases_the_limit():
    """Oracle: eps_g at late times from the matrix exponential's stationary state."""
    path = linear_solution(network(weight_decay="1/7")).start([[["1/4"]]] * 4, [[[0]]] * 4)
    assert path.limit > 0
    assert abs(path.generalization_error(10**4) - path.limit) < 1e-25
    assert list(path.rates) == sorted(path.rates, reverse=True)
    total = path.limit + mp.fsum(path.amplitudes)
    assert abs(total - path.generalization_error(0)) < 1e-28


def test_isotropic_data_are_one_exponential():
    """Oracle: eps_g = eps_0 exp(-(2 eta - eta^2) alpha)."""
    path = linear_solution(network(spectrum=Isotropic())).start([[[0]]], [[[0]]])
    with mp.workdps(30):
        expected = mp.exp(-mp.mpf(3) / 4 * 5) / 2
        assert abs(path.generalization_error(5) / expected - 1) < mp.mpf(10) ** -28
    assert len(path.rates) == 1


def test_repeated_eigenvalues_relax_as_one():
    """Oracle: the same spectrum with the multiplicities as weights."""
    joined = linear_solution(network(spectrum=Discrete([2, 1], [2, 1])))
    apart = linear_solution(network(spectrum=Discrete([2, 2, 1])))
    assert joined.eigenvalues() == apart.eigenvalues()
    one, three = (s.start([[[0]]] * n, [[["1/3"]]] * n) for s, n in ((joined, 2), (apart, 3)))
    assert abs(one.generalization_error(7) - three.generalization_error(7)) < 1e-29


def test_what_cannot_be_solved_is_named():
    """Oracle: the messages."""
    with pytest.raises(TypeError, match="needs a TeacherStudent"):
        linear_solution(order_parameter_odes(network()))
    with pytest.raises(ValueError, match="is for linear activation, found erf"):
        linear_solution(TeacherStudent(1, 1))
    with pytest.raises(ValueError, match="there is none at eta = 3"):
        _ = linear_solution(network(eta=3)).floor
    with pytest.raises(ValueError, match="depends on the teacher's overlaps"):
        _ = linear_solution(network(weight_decay=1)).floor
    with pytest.raises(ValueError, match=r"eta must be numbers here.*model.replace\(eta="):
        linear_solution(network(eta=sp.Symbol("eta"))).eigenvalues()
    with pytest.raises(ValueError, match=r"q must have shape \(4, 1, 1\), found 3 modes"):
        linear_solution(network()).start([[[0]]] * 3, [[[0]]] * 4)
    critical = linear_solution(network(eta=2, label_noise=1)).start([[[0]]] * 4, [[[0]]] * 4)
    with pytest.raises(ValueError, match="resonance"):
        critical.generalization_error(1)
