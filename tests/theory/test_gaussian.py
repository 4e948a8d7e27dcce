"""Closed Gaussian averages against quadratures that share nothing with them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache

import mpmath as mp
import pytest
import sympy as sp

from theory import Activation
from theory.gaussian import I2, I3, I4, I2_kernel, I4_kernel, NoClosedForm, price, stein

DIGITS = 30
x = sp.Symbol("x", real=True)

# name -> g, g' for mpmath, and the lattice step at which the trapezoidal rule has 30 digits:
# its error is exp(-2 pi^2/(step^2 s)), s the growth of the integrand in the imaginary direction.
ENTIRE: dict[str, tuple[Callable, Callable, sp.Rational]] = {
    "erf": (
        lambda t: mp.erf(t / mp.sqrt(2)),
        lambda t: mp.sqrt(2 / mp.pi) * mp.exp(-t * t / 2),
        sp.Rational(1, 3),
    ),
    "linear": (lambda t: t, lambda t: mp.mpf(1), sp.Rational(2, 5)),
    "x^2": (lambda t: t**2, lambda t: 2 * t, sp.Rational(2, 5)),
    "He_3": (lambda t: t**3 - 3 * t, lambda t: 3 * t**2 - 3, sp.Rational(2, 5)),
    "sin": (mp.sin, mp.cos, sp.Rational(2, 5)),
    "exp": (mp.exp, mp.exp, sp.Rational(2, 5)),
}


def lattice_average(functions: Sequence[Callable], factor: Sequence[Sequence[int]], step):
    """E[prod_f functions[f](x_f)], x = (factor/4) z, z ~ N(0, 1)^n, by the trapezoidal rule.

    `factor` is lower triangular with integer entries, so that every argument is a multiple of
    step/4: function values and inner sums are computed once per lattice point.
    """
    h = mp.mpf(step.p) / step.q
    reach = int(14 / h)
    weights = [
        (k, h * mp.exp(-((h * k) ** 2) / 2) / mp.sqrt(2 * mp.pi)) for k in range(-reach, reach + 1)
    ]
    values = [cache(lambda key, g=g: g(h * key / 4)) for g in functions]

    @cache
    def inner(level: int, partial: tuple[int, ...]):
        """The average over z_level, z_level+1, ... given the sums over the earlier z."""
        if level == len(functions):
            return mp.mpf(1)
        column = [row[level] for row in factor[level:]]
        if not any(column):
            return values[level](partial[0]) * inner(level + 1, partial[1:])
        terms = []
        for k, weight in weights:
            at = [p + c * k for p, c in zip(partial, column, strict=True)]
            terms.append((weight * values[level](at[0]), inner(level + 1, tuple(at[1:]))))
        return mp.fdot(terms)

    return inner(0, (0,) * len(functions))


def covariance(factor: Sequence[Sequence[int]]) -> sp.Matrix:
    matrix = sp.Matrix(factor) / 4
    return matrix * matrix.T


def random_factor(n: int, rank: int, seed: int) -> list[list[int]]:
    generator = random.Random(seed)
    return [
        [
            generator.choice([1, 2, 3])
            if i == j
            else (generator.choice([-2, -1, 1, 2]) if j < i else 0)
            for j in range(min(i + 1, rank))
        ]
        + [0] * (n - min(i + 1, rank))
        for i in range(n)
    ]


def assert_digits(found: sp.Expr, expected, digits: int = DIGITS) -> None:
    with mp.workdps(digits + 10):
        value = mp.mpf(sp.N(found, digits + 10))
        assert abs(value - expected) < mp.mpf(10) ** -digits * max(1, abs(expected)), (
            f"{mp.nstr(value, digits)} != {mp.nstr(expected, digits)}"
        )


@pytest.mark.parametrize("name", ENTIRE)
@pytest.mark.parametrize("seed", [1, 2])
def test_I2_by_lattice(name, seed):
    """Oracle: trapezoidal rule in two dimensions, 30 digits; a = b included."""
    g, _, step = ENTIRE[name]
    for factor in (random_factor(2, 2, seed), [[seed, 0], [seed, 0]]):
        C = covariance(factor)
        with mp.workdps(DIGITS + 8):
            expected = lattice_average([g, g], factor, step)
        assert_digits(I2(name, C[0, 0], C[1, 1], C[0, 1]), expected)


@pytest.mark.parametrize("name", ENTIRE)
def test_I3_by_lattice(name):
    """Oracle: trapezoidal rule in three dimensions, 30 digits; a = b and a = c included."""
    g, slope, step = ENTIRE[name]
    for factor in (
        random_factor(3, 3, 3),
        [[2, 0, 0], [2, 0, 0], [1, 2, 0]],
        [[1, 0, 0], [-1, 2, 0], [1, 0, 0]],
    ):
        with mp.workdps(DIGITS + 8):
            expected = lattice_average([slope, lambda t: t, g], factor, step)
        assert_digits(I3(name, covariance(factor)), expected)


@pytest.mark.parametrize("name", ENTIRE)
@pytest.mark.parametrize(
    "factor",
    [
        random_factor(4, 2, 5),
        [[2, 0, 0, 0], [2, 0, 0, 0], [1, 2, 0, 0], [1, 2, 0, 0]],
        [[2, 0, 0, 0], [1, 2, 0, 0], [2, 0, 0, 0], [2, 0, 0, 0]],
    ],
    ids=["rank 2", "a=b, c=d", "a=c=d"],
)
def test_I4_by_lattice_degenerate(name, factor):
    """Oracle: trapezoidal rule on covariances of rank two, 30 digits."""
    g, slope, step = ENTIRE[name]
    with mp.workdps(DIGITS + 8):
        expected = lattice_average([slope, slope, g, g], factor, step)
    assert_digits(I4(name, covariance(factor)), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ENTIRE)
@pytest.mark.parametrize("seed", [7, 8])
def test_I4_by_lattice_full_rank(name, seed):
    """Oracle: trapezoidal rule in four dimensions, 30 digits."""
    g, slope, step = ENTIRE[name]
    factor = random_factor(4, 4, seed)
    with mp.workdps(DIGITS + 8):
        expected = lattice_average([slope, slope, g, g], factor, step)
    assert_digits(I4(name, covariance(factor)), expected)


# Other members of the families: g, g', step.
OTHERS: dict[str, tuple[sp.Expr, sp.Rational]] = {
    "offset and slope of erf": (1 - 2 * sp.erf(x / 2) / 3, sp.Rational(1, 3)),
    "erfc": (sp.erfc(-x / sp.sqrt(2)) / 2, sp.Rational(1, 3)),
    "cos": (sp.cos(x), sp.Rational(2, 5)),
    "x sin x": (x * sp.sin(x), sp.Rational(2, 5)),
    "complex exponent": (sp.exp(x / 2) * sp.cos(x), sp.Rational(2, 5)),
    "mixed": (x**2 + sp.sinh(x) - sp.Rational(1, 3), sp.Rational(2, 5)),
    "x^5": (x**5, sp.Rational(2, 5)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_members_by_lattice(name):
    """Oracle: trapezoidal rule; the factor makes I4 a two-dimensional integral."""
    g, step = OTHERS[name]
    functions = [sp.lambdify(x, f, "mpmath") for f in (g.diff(x), g.diff(x), g, g)]
    factor = random_factor(4, 2, 11)
    C = covariance(factor)
    with mp.workdps(DIGITS + 8):
        average = lattice_average(functions, factor, step)
        pair = lattice_average(functions[2:], factor[:2], step)
        slope_times_field = lattice_average(
            [functions[0], lambda t: t, functions[2]], factor[:3], step
        )
    assert_digits(I4(g, C), average)
    assert_digits(I2(g, C[0, 0], C[1, 1], C[0, 1]), pair)
    assert_digits(I3(g, C[:3, :3]), slope_times_field)


PIECEWISE: dict[str, tuple[Callable, Callable, int]] = {
    "relu": (lambda t: max(t, 0), lambda t: mp.mpf(t > 0), 1),
    "leaky": (lambda t: max(t, t / 10), lambda t: mp.mpf(1 if t > 0 else "0.1"), 1),
    "|x|": (abs, mp.sign, 1),
    "x|x|": (lambda t: t * abs(t), lambda t: 2 * abs(t), 2),
}
EXPRESSIONS = {
    "relu": "relu",
    "leaky": sp.Max(x, x / 10),
    "|x|": sp.Abs(x),
    "x|x|": x * sp.Abs(x),
}


def polar_average(angular: Callable, degree: int, vectors: Sequence[tuple]):
    """E[F(z)], z ~ N(0, 1)^2, for F of homogeneous degree, smooth where no vectors[i].z changes."""
    radial = mp.quad(lambda r: r ** (degree + 1) * mp.exp(-r * r / 2), [0, 2, 5, 10, 20])
    kinks = {mp.mpf(0), 2 * mp.pi}
    for u, v in vectors:
        kinks |= {(mp.atan2(v, u) + s * mp.pi / 2) % (2 * mp.pi) for s in (1, -1)}
    return radial * mp.quad(angular, sorted(kinks)) / (2 * mp.pi)


@pytest.mark.parametrize("name", PIECEWISE)
@pytest.mark.parametrize("c", [("-3/4", "1/2"), ("1/3", "1/5"), ("1", "0"), ("-3/2", "0")])
def test_piecewise_in_polar_coordinates(name, c):
    """Oracle: radial times angular quadrature split at the kinks, 30 digits.

    a = 5/4 z_1, c = c_1 z_1 + c_2 z_2, b = 1/2 z_1 - 2/3 z_2 + z_3: c = a and c = -a in shape are
    the degenerate cases, z_3 averages to zero.
    """
    g, slope, degree = PIECEWISE[name]
    rows = sp.Matrix([[sp.Rational(5, 4), 0, 0], ["1/2", "-2/3", 1], [*c, 0]])
    C = rows * rows.T
    with mp.workdps(DIGITS + 8):
        (a1, _, _), (b1, b2, _), (c1, c2, _) = (
            [mp.mpf(e.p) / e.q for e in rows.row(i)] for i in range(3)
        )

        def along(u, v):
            return lambda t: u * mp.cos(t) + v * mp.sin(t)

        a, b, third = along(a1, 0), along(b1, b2), along(c1, c2)
        kinks = [(a1, mp.mpf(0)), (c1, c2)]
        pair = polar_average(lambda t: g(a(t)) * g(third(t)), 2 * degree, kinks)
        triple = polar_average(lambda t: slope(a(t)) * b(t) * g(third(t)), 2 * degree, kinks)
    activation = EXPRESSIONS[name]
    assert_digits(I2(activation, C[0, 0], C[2, 2], C[0, 2]), pair)
    assert_digits(I3(activation, C), triple)


def test_sign_is_the_orthant_probability():
    """Oracle: Sheppard, E[sign a sign b] = 4 P(a > 0, b > 0) - 1, P by quadrature in one angle."""
    rho = sp.Rational(3, 5)
    # b > 0 and a > 0 in the plane: the angle between the half planes
    expected = 4 * (mp.pi / 2 + mp.asin(mp.mpf(3) / 5)) / (2 * mp.pi) - 1
    assert_digits(I2("sign", 1, 1, rho), expected, 14)


def test_hermite_polynomials_are_orthogonal():
    """Oracle: E[He_n(a) He_n(b)] = n! rho^n at unit variance (Mehler)."""
    rho = sp.Symbol("rho")
    for n in range(1, 7):
        assert sp.expand(I2(f"He_{n}", 1, 1, rho) - sp.factorial(n) * rho**n) == 0


ALL = ["erf", "linear", "x^4", "He_3", "sin", "cos", "exp", "relu", "sign", 1 + sp.erf(x / 3)]


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_price_and_stein_are_derivatives_of_I2(activation):
    """Oracle: SymPy's derivatives of I2 (theory of distributions: Price), 40 digits."""
    kernel = I2_kernel(activation)
    Caa, Cbb, Cab = kernel.variables
    at = {Caa: sp.Rational(3, 2), Cbb: sp.Rational(4, 5), Cab: sp.Rational(-2, 5)}
    for derivative, variable in ((price, Cab), (stein, Caa)):
        expected = kernel.expr.diff(variable).subs(at)
        found = derivative(activation).expr.subs(at)
        assert abs(sp.N(found - expected, 40, maxn=200)) < sp.Float("1e-40")


@pytest.mark.parametrize("activation", ["erf", "He_3", "sin", x * sp.sin(x)], ids=str)
def test_I4_is_symmetric(activation):
    """Oracle: the average does not change under a <-> b and c <-> d."""
    C = covariance(random_factor(4, 4, 13))
    expected = sp.N(I4(activation, C), 30)
    for order in ([1, 0, 2, 3], [0, 1, 3, 2]):
        assert abs(sp.N(I4(activation, C.extract(order, order)), 30) - expected) < 1e-28


TINY = sp.Rational(1, 10**20)
NO_COVARIANCES = {
    "scales differ": [[10**13, 10**7], [10**7, 1]],
    "scales differ, floats": [[1e13, 1e7], [1e7, 1.0]],
    "rational": [[1, 1 + TINY], [1 + TINY, 1]],
    "irrational": [[sp.sqrt(2), sp.sqrt(2) + TINY], [sp.sqrt(2) + TINY, sp.sqrt(2)]],
    "no variance": [[0, TINY], [TINY, 1]],
}


@pytest.mark.parametrize("C", NO_COVARIANCES.values(), ids=NO_COVARIANCES)
def test_no_covariance_is_refused_at_any_scale(C):
    """Oracle: Cauchy-Schwarz, C_ab^2 <= C_aa C_bb, exact for exact numbers."""
    (Caa, Cab), (_, Cbb) = C
    with pytest.raises(ValueError, match="must be positive semi-definite"):
        I2("linear", Caa, Cbb, Cab)


def test_three_fields_need_more_than_their_pairs():
    """Oracle: correlations -1/2 - e of three fields give E[(a + b + c)^2] < 0."""
    for correlation, allowed in ((sp.Rational(-1, 2), True), (sp.Rational(-1, 2) - TINY, False)):
        C = sp.ones(3) * correlation + sp.eye(3) * (1 - correlation)
        units = sp.diag(1, 10**9, sp.Rational(1, 10**9))
        scaled = units * C * units
        if allowed:
            assert I3("linear", scaled) == scaled[1, 2]
            continue
        with pytest.raises(ValueError, match="the variance of c given a, b is -"):
            I3("linear", scaled)


def test_degenerate_covariances_pass():
    """Oracle: b = a/3 as doubles, where C_ab^2 > C_aa C_bb by rounding; b = sqrt(k) a exactly."""
    assert sp.Rational(0.1) ** 2 > sp.Rational(0.3) * sp.Rational(0.1 / 3)
    assert float(I2("linear", 0.3, 0.1 / 3, 0.1)) == 0.1
    for k in (2, 3, 5, 6, 7):  # sqrt(k) to some digits lies above sqrt(k) for some k
        assert I2("linear", 1, k, sp.sqrt(k)) == sp.sqrt(k)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [("relu", 0), ("sign", 0), ("erf", 0), ("x^2", 0), ("exp", sp.E), (2 + sp.sign(x), 4)],
    ids=str,
)
def test_a_field_of_variance_zero_is_the_number_zero(activation, expected):
    """Oracle: E[g(0) g(b)] = g(0) E[g(b)], at Var b = 2, by hand."""
    assert I2(activation, 0, 2, 0) == I2(activation, 2, 0, 0) == expected
    assert I2(activation, 0, 0, 0) == Activation(activation)(0) ** 2


def test_plain_symbols_are_accepted():
    """Oracle: the literature, I2 of erf (SS95)."""
    Q, R, T = sp.symbols("Caa Cab Cbb")
    expected = 2 / sp.pi * sp.asin(R / (sp.sqrt(1 + Q) * sp.sqrt(1 + T)))
    assert I2("erf", Q, T, R) == expected
    assert I2("relu", Q, Q, Q) == Q / 2


def test_kernels_are_compact():
    """Oracle: counted by hand, erf's tilted I4 has under 100 operations, 60 of them distinct."""
    kernel = I4_kernel("erf").expr
    replaced, (last,) = sp.cse(kernel)
    assert kernel.count_ops() < 100
    assert sum(e.count_ops() for _, e in replaced) + last.count_ops() < 60


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: I2("erf", 1, 1, 2), ValueError, "the variance of b given a is -3"),
        (
            lambda: I3("erf", 3),
            TypeError,
            r"covariance of \(a, b, c\) must be a sequence .*found 3",
        ),
        (lambda: I3("erf", ["100", "010", "001"]), TypeError, "row 1 must be .*found '100'"),
        (lambda: I2("erf", -1, sp.Symbol("q"), 0), ValueError, "variance C_aa must be >= 0"),
        (lambda: I3("erf", [[1, 0], [0, 1]]), ValueError, "must be 3 x 3, found 2 rows"),
        (lambda: I4("erf", sp.eye(4)[:, :3]), ValueError, "must be 4 x 4"),
        (
            lambda: I3("erf", [[1, 0, 0], ["1/2", 1, 0], [0, 0, 1]]),
            ValueError,
            "symmetric, found C_ba = 1/2 but C_ab = 0",
        ),
        (lambda: I3("sign", sp.ones(3)), ValueError, "two fields coincide"),
        (lambda: I3("sign", [[0, 0, 0], [0, 2, 1], [0, 1, 1]]), ValueError, "variance zero"),
        (lambda: I2(sp.tanh(x), 1, 1, 0), NoClosedForm, r"tanh\(x\) have no closed form"),
        (lambda: I2(sp.erf(x + 1), 1, 1, 0), NoClosedForm, "quadrature"),
        (lambda: I4("relu", sp.eye(4)), NoClosedForm, r"g\(c\) g\(d\)\] of relu"),
    ],
)
def test_errors_say_what_is_wrong(call, error, message):
    """Oracle: the rule of the house on error messages."""
    with pytest.raises(error, match=message):
        call()
