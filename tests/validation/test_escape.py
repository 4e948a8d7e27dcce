"""The escape from the symmetric plateau grows at the rate that `plateau` derives."""

import numpy as np
import pytest

from numerics import InitialCondition, integrate
from theory import PowerLaw, TeacherStudent, order_parameter_odes, plateau

SIZE = 1e-6


def at_the_plateau(model, size=SIZE):
    """Overlaps of the fixed point, specialised by `size`: r_in += size lam_k (delta_in - 1/M).

    The growing direction is proportional to lam_k. Students are split by as much as a Gram matrix
    needs to stay positive: q_ij moves in second order only.
    """
    M, point = int(model.M), plateau(model)
    lam = np.array([float(v) for v in model.spectrum.values()[0]])[:, None, None]
    apart = np.eye(M) - 1 / M
    r = float(point.R) + size * lam * apart
    q = float(point.Q) + (size * lam) ** 2 * apart + 0 * r
    return InitialCondition(q, r)


def specialisation(path):
    """Mean R_ii minus mean R_in, (T,)."""
    M = path.M
    trace = np.trace(path.R, axis1=1, axis2=2)
    return trace / M - (path.R.sum(axis=(1, 2)) - trace) / (M * (M - 1))


FAST = [(2, 1), (2, 7), (3, 7)]
CASES = [
    pytest.param(M, L, marks=() if (M, L) in FAST else pytest.mark.slow)
    for M in (2, 3, 5)
    for L in (1, 7, 32)
]


@pytest.mark.parametrize("beta", ["3/10", "1"])
@pytest.mark.parametrize(("M", "L"), CASES)
def test_growth_rate_is_the_escape_rate(M, L, beta):
    """Oracle: exp(gamma alpha), measured over two e-foldings of the integrated equations."""
    model = TeacherStudent(M, M, spectrum=PowerLaw(beta, L), eta="1/10")
    found = plateau(model)
    rate, time = float(found.escape_rate), float(found.escape_time)
    ode = order_parameter_odes(model, gradient_flow=True)
    path = integrate(ode, at_the_plateau(model), 3 * time, at=[time, 3 * time])
    first, last = specialisation(path)
    assert last < 1e-3
    assert np.log(last / first) / (2 * time) == pytest.approx(rate, rel=1e-3)


@pytest.mark.parametrize("M", [2, 3])
def test_the_plateau_stays_where_it_is(M):
    """Oracle: the unperturbed fixed point does not move, its error is the derived one."""
    model = TeacherStudent(M, M, spectrum=PowerLaw(1, 7), eta="1/10")
    found = plateau(model)
    ode = order_parameter_odes(model, gradient_flow=True)
    path = integrate(ode, at_the_plateau(model, size=0), float(found.escape_time) / 4)
    np.testing.assert_allclose(path.Q, float(found.Q), rtol=1e-9)
    np.testing.assert_allclose(path.R, float(found.R), rtol=1e-9)
    np.testing.assert_allclose(path.generalization_error, float(found.error), rtol=1e-12)
