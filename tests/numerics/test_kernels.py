"""Deterministic equivalents of kernel ridge regression, against sums, solves and simulations."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from numerics.kernels import effective_exponent, optimal_risk, ridge_risk
from numerics.modes import power_law_modes
from numerics.ridge_runs import simulate_ridge
from theory.redundancy import KernelRegression, bias_law, risk_law
from theory.redundancy_crossover import crossover_risk_law, noiseless_risk_law, ridgeless_risk_law

DIGITS = 40
CASES = [(2, "1/4"), (2, "1/2"), ("3/2", "1/2"), (2, "3/4"), (3, 1), ("5/4", "5/3")]


def power(beta, s, size):
    i, beta, s = np.arange(1, size + 1), float(Fraction(beta)), float(Fraction(s))
    return i**-beta, i ** -(2 * s * beta + 1)


def precise_risk(eigenvalues, target, n, ridge, noise):
    """kappa by bisection and the sums, all in 40 digits: shares nothing with the code."""
    with mp.workdps(DIGITS):
        lam, theta = ([mp.mpf(float(x)) for x in v] for v in (eigenvalues, target))
        n, ridge, noise = mp.mpf(n), mp.mpf(ridge), mp.mpf(noise)
        low, high = ridge, ridge + mp.fsum(lam) / n
        for _ in range(140):
            k = (low + high) / 2
            rest = mp.fsum(x / (x + k) for x in lam) + n * ridge / k - n
            low, high = (k, high) if rest > 0 else (low, k)
        df2 = mp.fsum((x / (x + k)) ** 2 for x in lam)
        bias = k**2 * mp.fsum(y / (x + k) ** 2 for x, y in zip(lam, theta, strict=True))
        return k, (bias + noise * df2 / n) / (1 - df2 / n)


@pytest.mark.parametrize(("n", "ridge", "noise"), [(20, 1e-2, 1), (50, 1e-9, 0.1), (400, 1, 0)])
def test_finite_spectrum_is_solved(n, ridge, noise):
    """Oracle: bisection and sums in 40 digits."""
    lam, theta = power(2, "1/2", 60)
    kappa, risk = precise_risk(lam, theta, n, ridge, noise)
    found = ridge_risk(lam, theta, n, ridge, noise)
    assert found.kappa == pytest.approx(float(kappa), rel=1e-12)
    assert found.risk == pytest.approx(float(risk), rel=1e-10)


@pytest.mark.parametrize("n", [10, 1e6, 1e12])
def test_infinite_spectrum_is_solved(n):
    """Oracle: closed forms at beta = 2, s = 1/2 with x = pi/sqrt(kappa): N_1 = (x coth x - 1)/2,
    N_2 from its derivative, bias by the trigamma function; kappa by bisection; 40 digits."""
    found = optimal_risk(2, "1/2", n, "1/3")
    with mp.workdps(DIGITS):

        def share(kappa, m):
            x = mp.pi / mp.sqrt(kappa)
            first = (x * mp.coth(x) - 1) / 2
            # kappa dN_1/dkappa = N_2 - N_1, and kappa dx/dkappa = -x/2.
            return first if m == 1 else first - x / 4 * (mp.coth(x) - x / mp.sinh(x) ** 2)

        def gap(u):
            return share(mp.exp(u), 1) / n + mp.mpf(found.ridge) / mp.exp(u) - 1

        start = mp.log(found.kappa)
        kappa = mp.exp(mp.findroot(gap, (start - 1, start + 1), solver="anderson", tol=1e-60))
        width = 1 / mp.sqrt(kappa)
        bias = -mp.im(mp.psi(1, 1 + 1j * width)) / (2 * width)
        loss = share(kappa, 2) / n
        risk = (bias + loss / 3) / (1 - loss)
    assert found.kappa == pytest.approx(float(kappa), rel=1e-11)
    assert found.risk == pytest.approx(float(risk), rel=1e-10)


def test_isotropic_without_ridge():
    """Oracle: P modes alike, n > P: sigma^2 P/(n - P); n < P: the closed form in c = P/n."""
    ones, theta = np.ones(30), np.full(30, 1 / 30)
    assert ridge_risk(ones, theta, 40, 0, 2).risk == pytest.approx(2 * 30 / 10, rel=1e-12)
    over = ridge_risk(ones, theta, 20, 0, 2).risk
    assert over == pytest.approx((1 - 20 / 30) + 2 * 20 / 10, rel=1e-10)


@pytest.mark.parametrize(("beta", "s"), CASES)
@pytest.mark.parametrize("reach", [1, 1e4, 1e12])
def test_infinite_spectrum_is_summed(beta, s, reach):
    """Oracle: Mellin's expansion of sum 1/(1 + kappa i^beta)^m and of the bias, in 40 digits."""
    problem = KernelRegression(beta, s)
    kappa = 1e-3 * reach ** -float(problem.beta)
    found = power_law_modes(problem, kappa ** -float(problem.a))
    with mp.workdps(DIGITS):
        b, k = mp.mpf(str(float(problem.beta))), mp.mpf(kappa)
        for m in (1, 2):
            leading = mp.gamma(1 / b) * mp.gamma(m - 1 / b) / (b * mp.gamma(m)) * k ** (-1 / b)
            rest = mp.fsum(
                (-1) ** j * mp.binomial(m + j - 1, j) * mp.zeta(-j * b) * k**j for j in range(4)
            )
            assert found.dimension(kappa, m) == pytest.approx(float(leading + rest), rel=1e-11)
        bias = found.target @ (kappa / (found.eigenvalues + kappa)) ** 2
        z = 1 + 2 * b * (mp.mpf(problem.s.p) / problem.s.q - 1)
        # At s = 1 the first pole is double, and belongs to the law.
        first = int(problem.s == 1)
        expected = mp.fsum(
            (-1) ** j * (j + 1) * mp.zeta(z - j * b) * k ** (2 + j) for j in range(first, 4)
        )
        if problem.s <= 1:
            expected += bias_law(problem)(kappa, 30)
        else:
            p = 2 * mp.mpf(problem.s.p) / problem.s.q
            expected += mp.gamma(p) * mp.gamma(2 - p) / b * k**p
    assert bias == pytest.approx(float(expected), rel=1e-10)


@pytest.mark.parametrize(
    ("beta", "s", "tolerance"),
    [
        (2, "1/4", 1e-3),
        ("3/2", "1/2", 1e-3),
        (2, "1/2", 1e-3),
        (2, "3/4", 5e-3),
        (2, 1, 2.5e-2),
        (2, "3/2", 5e-3),
        (2, 2, 5e-3),
    ],
)
def test_exponent_of_the_law(beta, s, tolerance):
    """Oracle: BC25's exponent, with s = 1 where the filter saturates."""
    n = [1e7, 1e8]
    found = effective_exponent(n, [optimal_risk(beta, s, x, 1).risk for x in n])[0]
    assert found == pytest.approx(-float(KernelRegression(beta, s).exponent), abs=tolerance)


def test_logarithm_at_saturation():
    """Oracle: the law with Lambert's W; the bare power is seven times farther off."""
    n = [1e10, 1e11]
    found = effective_exponent(n, [optimal_risk(2, 1, x, 1).risk for x in n])[0]
    law = risk_law(KernelRegression(2, 1))
    assert found == pytest.approx(float(law.local_exponent(10**10.5)), abs=1e-3)
    assert abs(found + 0.8) > 7e-3


@pytest.mark.parametrize(("beta", "s"), [(2, "1/4"), (2, "1/2"), (2, 1), ("3/2", 2)])
def test_constant_of_the_law(beta, s):
    """Oracle: `risk_law` at n = 1e12."""
    law = risk_law(KernelRegression(beta, s, "1/4"))
    found = optimal_risk(beta, s, 10**12, "1/4")
    assert found.risk == pytest.approx(float(law(10**12)), rel=3e-3)


@pytest.mark.parametrize("n", [30, 1e3, 1e5, 1e9])
def test_crossover_is_one_law(n):
    """Oracle: the law in t, whose error falls as 1/n at little noise."""
    problem = KernelRegression(2, "1/2", "1/1000000")
    found = optimal_risk(2, "1/2", n, problem.noise)
    law = crossover_risk_law(problem) if n > 1200 else ridgeless_risk_law(problem)
    assert found.risk == pytest.approx(float(law(n)), rel=max(2 / n, 1e-4))
    assert (found.ridge == 0) == (n < 1200)


def test_ridge_helps_without_noise():
    """Oracle: `noiseless_risk_law` at s < (1 - 1/beta)/2, where the best t is below one."""
    found = optimal_risk(3, "1/4", 1e6, 0)
    law = noiseless_risk_law(KernelRegression(3, "1/4"))
    assert found.ridge > 0
    assert found.risk == pytest.approx(float(law(10**6)), rel=1e-5)
    assert optimal_risk(3, "1/2", 1e6, 0).ridge == 0


@pytest.mark.parametrize("e", ["1/4", "1/2"])
def test_a_smoother_source_is_a_larger_s(e):
    """Oracle: g_i = i^(-1/2-e) has s + e/beta."""
    problem = KernelRegression.of_target(2, 2 + 2 * Fraction(e), 1)
    n = [1e9, 1e10]
    found = effective_exponent(n, [optimal_risk(2, problem.s, x, 1).risk for x in n])[0]
    # The exponent is x = 2s/(2s + 1/2).
    s_eff = -found / (4 * (1 + found))
    assert s_eff == pytest.approx(0.25 + Fraction(e) / 2, abs=1e-2)


@pytest.mark.parametrize("beta", ["3/2", 2, 3, 4])
def test_a_fixed_target_does_not_feel_the_spectrum(beta):
    """Oracle: theta_i^2 = i^-2 learns as n^(-1/2), whatever beta."""
    n = [1e7, 1e8]
    problem = KernelRegression.of_target(beta, 2)
    found = effective_exponent(n, [optimal_risk(beta, problem.s, x, 1).risk for x in n])[0]
    assert found == pytest.approx(-0.5, abs=5e-3)


@pytest.mark.montecarlo
@pytest.mark.parametrize("n", [50, 200])
@pytest.mark.parametrize(("beta", "s"), CASES)
def test_simulations_agree(beta, s, n):
    """Oracle: 200 exact fits in the eigenbasis, 800 modes, within 4 standard errors."""
    lam, theta = power(beta, s, 800)
    best = optimal_risk(beta, s, n, "1/4")
    theory = ridge_risk(lam, theta, n, best.ridge, "1/4").risk
    runs = simulate_ridge(lam, theta, n, best.ridge, 0.25, runs=200, seed=7)
    assert abs(runs.z_score(theory)) < 4
    assert runs.standard_error < 0.08 * theory


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 0.5], [1], 5, 1, 1), "lists of the same length"),
        (([1, -0.5], [1, 1], 5, 1, 1), "eigenvalues must be finite and not negative, found -0.5"),
        (([1, 0.5], [1, float("nan")], 5, 1, 1), "target_squared must be finite"),
        (([0, 0], [1, 1], 5, 1, 1), "must not all be zero"),
        (([1, 0.5], [1, 1], 0, 1, 1), "n must be positive"),
        (([1, 0.5], [1, 1], 5, -1, 1), "ridge must not be negative"),
        (([1, 0.5], [1, 1], 5, 1, -1), "noise must not be negative"),
        (([1, 0.5], [1, 1], 2, 0, 1), "the risk is infinite; give a ridge"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ridge_risk(*arguments)


def test_bad_laws_are_named():
    with pytest.raises(ValueError, match="beta must be greater than 1"):
        optimal_risk(1, 1, 10, 1)
    with pytest.raises(ValueError, match="n must be positive"):
        optimal_risk(2, 1, -1, 1)
    with pytest.raises(ValueError, match="as many risks as n"):
        effective_exponent([1], [1])
