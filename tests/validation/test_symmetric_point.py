"""Escape from the plateau for K > M and for other activations, against integration."""

import numpy as np
import pytest

from numerics import InitialCondition, integrate
from theory import PowerLaw, TeacherStudent, order_parameter_odes
from theory.symmetric_point import symmetric_point


@pytest.mark.parametrize(
    ("K", "M", "activation"), [(3, 2, "erf"), (2, 3, "erf"), (2, 2, "sin"), (3, 2, "sin")]
)
def test_specialisation_grows_at_the_rate(K, M, activation):
    """Oracle: integrated equations, from the point split by 1e-7, over two e-foldings."""
    model = TeacherStudent(K, M, activation, spectrum=PowerLaw(1, 3), eta=1)
    point = symmetric_point(model)
    lam = np.array(model.spectrum.values()[0], dtype=float)
    rate, a = float(point.escape_rate), float(point.damping)
    # The growing direction is lam_k/(mu - eta lam_k a); rows and columns of `apart` sum to zero.
    apart = np.zeros((K, M))
    apart[:2, :2] = [[1, -1], [-1, 1]]
    shape = lam / (rate - lam * a)
    r = float(point.R) + 1e-7 * (shape / shape.max())[:, None, None] * apart
    path = integrate(
        order_parameter_odes(model, gradient_flow=True),
        InitialCondition(r @ np.swapaxes(r, 1, 2), r),
        2 / rate,
        at=[0, 2 / rate],
    )
    split = path.R[:, 0, 0] - path.R[:, 0, 1]
    assert np.log(split[1] / split[0]) / 2 == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(path.generalization_error, float(point.error), rtol=1e-9)
