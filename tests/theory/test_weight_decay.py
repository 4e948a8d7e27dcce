"""Weight decay: the floor that it leaves, and the plateau that it lengthens."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from numerics import InitialCondition, integrate
from numerics.testing import assert_asymptotic
from theory import PowerLaw, TeacherStudent, linear_solution, order_parameter_odes, plateau
from theory.weight_decay import decay, decay_floor, decayed_escape_rate


def test_floor_is_the_sum_over_modes():
    """Oracle: sum_k w_k lam_k (d/(lam_k + d))^2/2, summed for L = 20000."""
    model = TeacherStudent(1, 1, "linear", PowerLaw(2, 20_000), 1)
    law = decay_floor(model)
    powers = [mp.mpf(k) ** -3 for k in range(1, 20_001)]
    norm = mp.fsum(powers)
    largest = 20_000 / norm

    def exact(d):
        return mp.fsum(x / norm * (d / (largest * x + d)) ** 2 for x in powers)

    values = [sp.Rational(int(largest), n) for n in (16, 32, 64, 128, 256, 512)]
    assert_asymptotic(exact, law, values, epsilon_0=1)
    assert law.exponent == sp.Rational(2, 3)


def test_floor_is_that_of_the_exact_solution():
    """Oracle: `linear_solution`, K = 2, at a small learning rate."""
    model = TeacherStudent(2, 3, "linear", PowerLaw(1, 200), "1/100000")
    law, d = decay_floor(model), sp.Integer(2)
    solved = linear_solution(model.replace(weight_decay=d)).start(
        [[[0, 0], [0, 0]]] * 200, [[[0] * 3] * 2] * 200, digits=15
    )
    remainder = float(law(d, epsilon_0="1/2") / solved.limit - 1)
    assert 0.03 < remainder < 1.5 * float(law.claimed_error(d, epsilon_0="1/2"))


@pytest.mark.slow
@pytest.mark.parametrize(("M", "L", "scale"), [(2, 4, "sqrt"), (3, 1, "unit")])
def test_escape_under_decay_to_first_order(M, L, scale):
    """Oracle: the slope of log(R_11 - R_12), integrated at two decays; the rest is quadratic."""
    model = TeacherStudent(M, M, "erf", PowerLaw(1, L), 1, scale)
    rate, law = float(plateau(model).escape_rate), decayed_escape_rate(model)
    missing = []
    for share in ("1/100", "1/50"):
        d = sp.Rational(share) * sp.Rational(rate)
        measured = _measured(model.replace(weight_decay=d), float(plateau(model).R), 8 / rate)
        missing.append(measured / float(law.subs(decay, d)) - 1)
    assert abs(missing[0]) < 3e-4
    assert missing[1] / missing[0] == pytest.approx(4, rel=0.3)


def _measured(model, r, end):
    M, L = int(model.M), int(model.spectrum.L)
    given = r + 1e-9 * (np.eye(M) - 1 / M)
    start = InitialCondition(given @ given.T + np.zeros((L, 1, 1)), given + np.zeros((L, 1, 1)))
    flow, times = order_parameter_odes(model, gradient_flow=True), np.linspace(0, end, 101)
    path = integrate(flow, start, end, at=times, rtol=1e-10)
    logarithm = np.log(path.R[:, 0, 0] - path.R[:, 0, 1])
    return np.polyfit(times[50:], logarithm[50:], 1)[0]


@pytest.mark.slow
def test_escape_under_decay_in_closed_form():
    """Oracle: -1/(2M - 1) and -2(M - 1)/((2M - 1)^2 (2M + 1)), found once and typed in."""
    M = sp.Symbol("M", integer=True, positive=True)
    L = sp.Symbol("L", integer=True, positive=True)
    model = TeacherStudent(M, M, "erf", PowerLaw(1, L), 1)
    T2, T3 = (model.spectrum.moment(n) for n in (2, 3))
    lost = 1 + T3 / T2 / (2 * M - 1) + 2 * (M - 1) * T2 / ((2 * M - 1) ** 2 * (2 * M + 1))
    found = plateau(model).escape_rate - decayed_escape_rate(model)
    assert sp.simplify(found / decay - lost) == 0
