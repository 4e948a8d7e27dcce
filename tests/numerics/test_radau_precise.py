"""The collocation method to any precision: its defining conditions, and the one in doubles."""

import mpmath as mp
import numpy as np
import pytest

from numerics.radau import radau
from numerics.radau_precise import collocation


@pytest.mark.parametrize(("stages", "digits"), [(2, 30), (7, 40), (45, 70)])
def test_conditions_of_collocation_and_order(stages, digits):
    """Oracle: sum_j a_ij c_j^(k-1) = c_i^k / k to k = s, the last row to 2s - 1."""
    method = collocation(stages, digits)
    with mp.workdps(digits):
        for k in range(1, 2 * stages):
            rows = slice(None) if k <= stages else slice(-1, None)
            found = method.coefficients[rows] @ method.nodes ** (k - 1)
            exact = method.nodes[rows] ** k / k
            assert max(abs(found - exact)) < mp.mpf(10) ** -digits
        beyond = method.coefficients[-1] @ method.nodes ** (2 * stages - 1)
        assert abs(beyond - mp.mpf(1) / (2 * stages)) > mp.mpf(10) ** -digits


def test_it_is_the_method_of_the_double_precision_integrator():
    """Oracle: nodes of `numerics.radau`, found by bracketing."""
    nodes = collocation(7, 30).nodes.astype(float)
    np.testing.assert_allclose(nodes, radau(7).nodes, rtol=1e-15)


def test_weights_interpolate_and_read_the_leading_coefficient():
    """Oracle: the polynomial x^9 - 3 x^2, zero at 0, of degree s = 9."""
    method = collocation(9, 40)

    def polynomial(x):
        return x**9 - 3 * x**2

    with mp.workdps(40):
        values = polynomial(method.nodes)
        for at in (mp.mpf(0), mp.mpf(1) / 3, method.nodes[4], mp.mpf(1), mp.mpf(3) / 2):
            assert abs(mp.fdot(method.weights(at), values) - polynomial(at)) < mp.mpf(10) ** -36
        assert abs(method.barycentric @ values - 1) < mp.mpf(10) ** -33


def test_one_stage_is_refused():
    """Oracle: the message."""
    with pytest.raises(ValueError, match="at least 2, found 1"):
        collocation(1, 20)
