"""Spectra: normalised, exact; oracles are the defining sums and mpmath's zeta function."""

import mpmath as mp
import pytest
import sympy as sp

from theory import Discrete, Isotropic, PowerLaw, TeacherStudent, order_parameter_odes
from theory.spectra import Quadrature

SPECTRA = [
    Isotropic(),
    PowerLaw(beta=1, L=7),
    PowerLaw(beta="3/10", L=12),
    Discrete([3, 2, 1]),
    Discrete(["1/3", sp.sqrt(2), 5], weights=[1, 5, 2]),
    Quadrature(["1/3", sp.sqrt(2), 5], masses=[1, 5, 2]),
]


@pytest.mark.parametrize("spectrum", SPECTRA, ids=str)
def test_normalisation_is_exact(spectrum):
    """Oracle: sum w = 1, and sum w lam = 1 at 200 digits (nothing in it is rounded)."""
    assert sum(spectrum.weights) == 1 or isinstance(spectrum, Quadrature)
    pairs = zip(spectrum.weights, spectrum.eigenvalues, strict=True)
    assert abs(sum((w * e).evalf(200) for w, e in pairs) - 1) < sp.Rational(1, 10**198)


@pytest.mark.parametrize("spectrum", SPECTRA, ids=str)
@pytest.mark.parametrize("order", [0, 1, 2, 5, -1])
def test_moment_is_its_sum(spectrum, order):
    """Oracle: sum_k w_k lam_k^l evaluated at 40 digits from the listed eigenvalues."""
    pairs = zip(spectrum.weights, spectrum.eigenvalues, strict=True)
    direct = sum((w * e**order).evalf(40) for w, e in pairs)
    assert abs(spectrum.moment(order).evalf(40) - direct) < 1e-35 * abs(direct)


@pytest.mark.parametrize("spectrum", SPECTRA, ids=str)
def test_values_are_the_eigenvalues_to_the_digits_asked(spectrum):
    """Oracle: SymPy's evaluation of the exact eigenvalues and weights at 60 digits."""
    values, weights = spectrum.values(50)
    with mp.workdps(60):
        for found, exact in [
            *zip(values, spectrum.eigenvalues, strict=True),
            *zip(weights, spectrum.weights, strict=True),
        ]:
            assert abs(found - mp.mpf(sp.N(exact, 60))) <= mp.mpf(10) ** -50 * found


def test_power_law_against_zeta():
    """Oracle: lam_k = L k^-(1+beta)/H_L, with H_L(2) = zeta(2) - zeta(2, L+1) from mpmath."""
    values, _ = PowerLaw(beta=1, L=1000).values(30)
    with mp.workdps(35):
        harmonic = mp.zeta(2) - mp.zeta(2, 1001)
        for k in (1, 10, 1000):
            assert abs(values[k - 1] * harmonic * k**2 / 1000 - 1) < mp.mpf(10) ** -29


def test_symbolic_size_has_moments_in_closed_form():
    """Oracle: the same moment with L = 6 inserted, summed."""
    L, beta = sp.Symbol("L", integer=True, positive=True), sp.Symbol("beta", positive=True)
    closed = PowerLaw(beta, L).moment(2).subs({L: 6, beta: 2})
    assert sp.simplify(closed.doit() - PowerLaw(2, 6).moment(2)) == 0
    assert PowerLaw(beta, 3).largest.subs(beta, 1) == sp.Rational(108, 49)


def test_isotropic_is_the_power_law_of_one_mode():
    """Oracle: L = 1 leaves one eigenvalue, 1, whatever beta is."""
    single = PowerLaw(beta=2, L=1)
    assert single.eigenvalues == Isotropic().eigenvalues == (1,)
    assert single.weights == Isotropic().weights == (1,)


@pytest.mark.parametrize("beta", [1, "3/10"])
@pytest.mark.parametrize("order", [1, 2, "5/2"])
def test_moments_of_a_long_spectrum_are_those_of_zeta(beta, order):
    """Oracle: H_L(s) = zeta(s) - zeta(s, L+1), mpmath at 40 digits, L = 10^6."""
    spectrum, order = PowerLaw(beta, 10**6), sp.Rational(order)
    with mp.workdps(40):
        s = 1 + mp.mpf(spectrum.beta.p) / spectrum.beta.q
        x = mp.mpf(order.p) / order.q
        H = [mp.zeta(p) - mp.zeta(p, 10**6 + 1) for p in (s * x, s)]
        exact = mp.mpf(10) ** (6 * (x - 1)) * H[0] / H[1] ** x
        assert abs(spectrum.moment(order).evalf(25) / exact - 1) < mp.mpf(10) ** -22


def test_endless_power_law_is_the_limit():
    """Oracle: lam_+ scaled out, moments for L = 10^7 tend to those of L = oo like L^-beta."""
    endless = PowerLaw(1, sp.oo)
    assert endless == PowerLaw("1", "oo")
    assert endless.moment(1) == endless.largest == 1
    assert endless.moment(0) == PowerLaw(1, "oo").moment(sp.Rational(1, 2)) == sp.oo
    for order in (2, 3):
        long = PowerLaw(1, 10**7)
        scaled = long.moment(order) / long.largest ** (order - 1)
        assert abs(scaled.evalf(20) / endless.moment(order).evalf(20) - 1) < 1e-7
    beta = sp.Symbol("beta", positive=True)
    assert PowerLaw(beta, sp.oo).moment(2) == sp.zeta(2 * beta + 2) / sp.zeta(beta + 1)


def test_endless_power_law_prints_with_its_equations():
    """Oracle: the sum over eigenspaces runs to infinity; the unit of the eigenvalues is said."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, sp.oo), eta="1/10")
    assert r"\sum_{k=1}^{\infty}" in order_parameter_odes(model).modes().latex()
    assert r"\lambda_k / \lambda_+ = k^{-2},\ L = \infty" in model.latex()


def test_quadrature_keeps_its_nodes():
    """Oracle: v = (1/4, 3/4) by hand, w = v/lam."""
    spectrum = Quadrature([2, "1/2"], [1, 3])
    assert spectrum.eigenvalues == (2, sp.Rational(1, 2))
    assert spectrum.weights == (sp.Rational(1, 8), sp.Rational(3, 2))
    assert spectrum.inexact == ()
    assert Quadrature([0.5], [1]).inexact == ("nodes",)
    assert spectrum.latex() == r"\lambda = (2, \frac{1}{2}),\ w\lambda = (1, 3)"


def test_inexact_parameters_are_on_record():
    """Oracle: which parameters were typed as floats."""
    assert PowerLaw(beta=0.3, L=2).inexact == ("beta",)
    assert PowerLaw(beta="0.3", L=2).inexact == ()
    assert Discrete([1, 2], weights=[1, 0.5]).inexact == ("eigenvalues",)
    assert Discrete([1, 2]).inexact == ()


def test_text_identifies_the_spectrum():
    """Oracle: what was given, in full; saved results name their model by this text."""
    assert repr(Discrete([1, 2], [1, 5])) == "Discrete([1, 2], weights=[1, 5])"
    assert repr(Discrete([1, "1/2"])) == "Discrete([1, 1/2])"
    assert repr(Discrete(range(1, 9))) == "Discrete([1, 2, 3, 4, 5, 6, 7, 8])"


def test_latex_of_a_measured_spectrum():
    """Oracle: lam = (6/11, 12/11) for weights 1/6, 5/6 by hand; beyond six comes an ellipsis."""
    text = Discrete([1, 2], [1, 5]).latex()
    assert text == r"\lambda = (\frac{6}{11}, \frac{12}{11}),\ w = (\frac{1}{6}, \frac{5}{6})"
    assert Discrete([1] * 7).latex() == r"\lambda = (1, 1, 1, 1, 1, 1, \ldots)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Discrete(3), "Discrete: eigenvalues must be a sequence such as a list, found 3"),
        (lambda: Discrete("12"), "Discrete: eigenvalues must be a sequence .*found '12'"),
        (lambda: Discrete([1, 2], "15"), "Discrete: weights must be a sequence .*found '15'"),
        (lambda: Discrete([[1, 2]]), r"Discrete: eigenvalue 1 must be a number .*found \[1, 2\]"),
    ],
)
def test_what_is_no_list_is_refused(make, message):
    """Oracle: the message names the argument and what was found."""
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PowerLaw(beta=0, L=4), "PowerLaw: beta must be positive, found 0"),
        (lambda: PowerLaw(beta=-1, L=4), "PowerLaw: beta must be positive"),
        (lambda: PowerLaw(beta=float("nan"), L=4), "PowerLaw: beta must be finite"),
        (lambda: PowerLaw(beta=1, L=0), "PowerLaw: L must be a positive integer"),
        (lambda: PowerLaw(beta=1, L=2.5), "PowerLaw: L must be a positive integer"),
        (lambda: Discrete([]), "Discrete: the list of eigenvalues is empty"),
        (lambda: Discrete([1, 0]), "Discrete: eigenvalue 2 must be positive, found 0"),
        (lambda: Discrete([-1]), "Discrete: eigenvalue 1 must be positive"),
        (lambda: Discrete([1, float("inf")]), "Discrete: eigenvalue 2 must be finite"),
        (lambda: Discrete([1, 2], weights=[1]), "2 eigenvalues but 1 weights"),
        (lambda: Discrete([1, 2], weights=[1, 0]), "Discrete: weight 2 must be positive"),
        (lambda: PowerLaw(1, sp.Symbol("L")).eigenvalues, "symbolic L"),
        (lambda: PowerLaw(1, sp.oo).eigenvalues, "infinitely many eigenvalues"),
        (lambda: PowerLaw(1, sp.oo).weights, "infinitely many eigenvalues"),
        (lambda: PowerLaw(1, sp.oo).values(), r"moment\(order\), or give L an integer"),
        (lambda: PowerLaw(1, float("inf")), "PowerLaw: L must be finite, found inf"),
        (lambda: PowerLaw(1, sp.Symbol("L")).values(), r"symbols \['L'\]: give them values"),
        (lambda: Quadrature([], []), "found 0 nodes and 0 masses"),
        (lambda: Quadrature([1, 2], [1]), "found 2 nodes and 1 masses"),
        (lambda: Quadrature([1, 0], [1, 1]), "Quadrature: node 2 must be positive"),
        (lambda: Quadrature([1, 2], [1, -1]), "Quadrature: mass 2 must be positive"),
        (lambda: Discrete([1, 2], weights=[1, sp.Symbol("p")]).values(), r"symbols \['p'\]"),
        (lambda: PowerLaw(sp.Symbol("beta"), 3).values(), r"still contains the symbols \['beta'\]"),
    ],
)
def test_bad_spectrum_is_refused(make, message):
    """Oracle: the message names the spectrum, what was found and what to do."""
    with pytest.raises(ValueError, match=message):
        make()
