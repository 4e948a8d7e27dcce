"""Isotropic inputs reproduce Saad & Solla (1995): eta = 1, c = 1, to alpha = 1000.

The published equations are typed in once more in `systems.SaadSolla` and solved by other means:
SciPy where doubles suffice, extrapolation on flint balls or heyoka's long floats where eps_g is a
difference too small for doubles.
"""

import flint
import heyoka as hy
import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from systems import SaadSolla, extrapolate, flint_saad_solla, heyoka_saad_solla

from numerics import InitialCondition, integrate
from theory import TeacherStudent, order_parameter_odes

DIGITS = 12
"""eps_g > 1e-10 to 1e-8 relative takes 18 decimals of the order parameters; GUARD_DIGITS add 15."""


def random_start(K, M, N=40, size=0.08):
    """Overlaps of a random student of M orthonormal teachers in R^N."""
    rng = np.random.default_rng(0)
    students = size * rng.normal(size=(K, N))
    teachers = np.linalg.qr(rng.normal(size=(N, M)))[0].T
    return InitialCondition(q=[students @ students.T], r=[students @ teachers.T])


def covariance(start):
    """C, (K+M, K+M)."""
    return np.block([[start.q[0], start.r[0]], [start.r[0].T, start.t[0]]]).astype(float)


def ours(start, alpha, digits=None, at=None):
    K, M = start.r.shape[1:]
    model = TeacherStudent(K, M, eta=1, scale="unit")
    return integrate(order_parameter_odes(model), start, alpha, digits=digits, at=at)


def by_scipy(start, times):
    """eps_g at `times`, float64."""
    C = covariance(start)
    system = SaadSolla(start.r.shape[1], 1.0)
    solved = solve_ivp(
        lambda _, y: system.rates(y.reshape(C.shape)).ravel(),
        (0, times[-1]),
        C.ravel(),
        method="DOP853",
        rtol=1e-12,
        atol=1e-14,
        t_eval=times,
    )
    return np.array([float(system.error(y.reshape(C.shape))) for y in solved.y.T])


def relative_difference(found, expected):
    """Largest |found/expected - 1| in the precision of the numbers."""
    with mp.workdps(30):
        return max(abs(a / b - 1) for a, b in zip(found, expected, strict=True))


def test_two_units_in_double_precision():
    """Oracle: SS95 as published by SciPy; plateau, escape and descent to eps_g = 4e-4."""
    start = random_start(2, 2)
    path = ours(start, 120)
    assert path.generalization_error[-1] < 1e-3
    expected = by_scipy(start, path.alpha)
    np.testing.assert_allclose(path.generalization_error, expected, rtol=1e-8)


@pytest.mark.slow
def test_two_units_to_1e_10():
    """Oracle: SS95 as published by extrapolation on flint balls (another integrator, 27 digits)."""
    start = random_start(2, 2)
    path = ours(start, 1000, DIGITS, at=[1, 50, 100, 150, 190, 230, 280, 600, 1000])
    wanted = [n for n, e in enumerate(path.generalization_error) if e > 1e-10]
    assert path.generalization_error[wanted[-1]] < 1e-8
    assert path.generalization_error[-1] < 1e-25
    with flint.ctx.workprec(90):
        system = flint_saad_solla(2, 1)
        C = np.frompyfunc(flint.arb, 1, 1)(covariance(start))
        states = extrapolate(system.rates, C, path.alpha[wanted].tolist(), tolerance=1e-20)
        expected = [_number(system.error(C)) for C in states]
    assert relative_difference(path.generalization_error[wanted], expected) < 1e-8


def _number(ball):
    with mp.workdps(30):
        return mp.mpf(ball.mid().str(30, radius=False))


@pytest.mark.slow
def test_four_units_to_1e_10():
    """Oracle: SS95 as published, traced and integrated in 90-bit numbers."""
    start = random_start(4, 4)
    path = ours(start, 1000, DIGITS, at=[10, 100, 200, 300, 400, 440, 1000])
    wanted = [n for n, e in enumerate(path.generalization_error) if e > 1e-10]
    assert path.generalization_error[wanted[-1]] < 1e-9
    assert path.generalization_error[-1] < 1e-10
    expected = by_heyoka(start, path.alpha[wanted], bits=90)
    assert relative_difference(path.generalization_error[wanted], expected) < 1e-8


def by_heyoka(start, times, bits):
    """eps_g at `times`; the equations are independent, the stepper is not."""
    K, C = start.r.shape[1], covariance(start).astype(object)
    entries = [(i, f) for i in range(K) for f in range(i, len(C))]
    variables = [hy.make_vars(f"C_{i}_{f}") for i, f in entries]
    first = [hy.real(float(C[e]), bits) for e in entries]
    for (i, f), variable in zip(entries, variables, strict=True):
        C[i, f] = C[f, i] = variable
    rates = heyoka_saad_solla(K, 1.0).rates(C)
    stepper = hy.taylor_adaptive(
        [(v, rates[e]) for v, e in zip(variables, entries, strict=True)],
        first,
        fp_type=hy.real,
        prec=bits,
        compact_mode=True,
    )
    grid = [hy.real(0, bits), *(hy.real(float(t), bits) for t in times)]
    states = stepper.propagate_grid(np.array(grid))[5][1:]
    with flint.ctx.workprec(bits):
        system, found = flint_saad_solla(K, 1), []
        for state in states:
            C = np.frompyfunc(flint.arb, 1, 1)(covariance(start))
            for (i, f), value in zip(entries, state, strict=True):
                C[i, f] = C[f, i] = flint.arb(str(value))
            found.append(_number(system.error(C)))
    return found


@pytest.mark.slow
def test_eight_units_learn_four():
    """Oracle: SS95 as published by SciPy; K = 8, M = 4 runs through the explicit path."""
    start = random_start(8, 4)
    path = ours(start, 1000)
    assert path.provenance["method"].startswith("Runge-Kutta")
    assert path.generalization_error.min() > 1e-10
    expected = by_scipy(start, path.alpha)
    np.testing.assert_allclose(path.generalization_error, expected, rtol=1e-8)
