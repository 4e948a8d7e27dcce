"""The escape from the plateau, measured: `numerics.escape`."""

import pytest

from numerics.escape import measure_escape
from theory import PowerLaw, TeacherStudent


@pytest.mark.parametrize("scale", ["sqrt", "unit"])
def test_measured_rate_is_the_formula(scale):
    """Oracle: the closed form of the escape rate; the trajectory does not know it."""
    model = TeacherStudent(K=2, M=2, spectrum=PowerLaw(beta=1, L=3), eta="1/10", scale=scale)
    escape = measure_escape(model)
    assert abs(escape.difference) < 1e-7
    assert escape.drift < 1e-8
    assert escape.rate == pytest.approx(escape.formula * (1 + escape.difference))


def test_rate_follows_the_learning_rate():
    """Oracle: time enters gradient flow as eta alpha only."""
    slow, fast = (measure_escape(TeacherStudent(K=2, M=2, eta=eta)).rate for eta in ("1/10", 1))
    assert fast == pytest.approx(10 * slow, rel=1e-7)


def test_symbols_are_refused():
    with pytest.raises(ValueError, match=r"measure_escape: the rate .* contains symbols"):
        measure_escape(TeacherStudent(K=2, M=2))
