"""The structured method against Taylor series, at two tolerances, and where it must stop."""

import numpy as np
import pytest

from numerics import IntegrationError, initial, integrate
from theory import Discrete, PowerLaw, TeacherStudent, order_parameter_odes

pytestmark = pytest.mark.slow  # compiling the loops takes most of a minute, once


@pytest.fixture
def both():
    """Integrate with the structured method, and with Taylor series, whatever the size."""

    def run(model, alpha, rtol=1e-8, at=None, gradient_flow=False):
        ode = order_parameter_odes(model, gradient_flow)
        start = initial(model, 0.3, 9600, 1)
        paths = []
        for method in ("structured", "taylor"):
            paths.append(integrate(ode, start, alpha, rtol=rtol, at=at, method=method))
        assert "structured" in paths[0].provenance["method"]
        assert "Taylor" in paths[1].provenance["method"]
        return paths

    return run


MODELS = {
    "erf": TeacherStudent(2, 2, spectrum=PowerLaw(1, 16), eta="1/5"),
    "noise and decay": TeacherStudent(
        2, 3, spectrum=PowerLaw("1/2", 6), eta="1/4", label_noise="1/10", weight_decay="1/50"
    ),
    "more students": TeacherStudent(3, 1, spectrum=Discrete([1, 3], [3, 1]), eta="1/5"),
    "sin": TeacherStudent(2, 1, "sin", PowerLaw(2, 12), eta="1/3"),
    "linear": TeacherStudent(1, 1, "linear", PowerLaw(1, 30), eta="1/2"),
}


@pytest.mark.parametrize("gradient_flow", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_agrees_with_taylor_series_at_all_times(both, name, gradient_flow):
    """Oracle: Taylor series at machine precision; tolerance 1e-10 a step."""
    ours, taylor = both(MODELS[name], 50, gradient_flow=gradient_flow)
    for overlap in ("q", "r"):
        np.testing.assert_allclose(
            getattr(ours, overlap), getattr(taylor, overlap), rtol=0, atol=3e-9
        )
    np.testing.assert_allclose(
        ours.generalization_error, taylor.generalization_error, rtol=0, atol=1e-9
    )


def test_error_follows_the_tolerance(both):
    """Oracle: Taylor series; a hundredfold tolerance costs about a hundredfold error."""
    errors = []
    for rtol in (1e-4, 1e-6, 1e-8):
        ours, taylor = both(MODELS["erf"], 100, rtol=rtol)
        errors.append(np.max(np.abs(ours.q - taylor.q)))
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert errors[2] < 1e-9


def test_output_times_do_not_change_the_steps(both):
    """Oracle: the same run with other output times; the values are of one polynomial."""
    few, _ = both(MODELS["erf"], 30, at=[0.0, 3.3, 30.0])
    many, _ = both(MODELS["erf"], 30, at=[0.0, 1.0, 2.0, 3.3, 17.0, 30.0])
    np.testing.assert_array_equal(few.q, many.q[[0, 3, 5]])


def test_stiff_to_the_slowest_mode():
    """Oracle: half the tolerance. 256 modes over rates of 1 : 65536."""
    model = TeacherStudent(2, 2, spectrum=PowerLaw(1, 256), eta="1/10")
    start = initial(model, 0.01, 25600, 0)
    end = 10 / float(model.spectrum.values()[0][-1])
    ode = order_parameter_odes(model)
    path, sharper = (integrate(ode, start, end, rtol=rtol) for rtol in (1e-8, 1e-10))
    assert "structured" in path.provenance["method"]
    assert np.max(np.abs(path.q - sharper.q)) < 1e-9
    assert np.all(path.generalization_error > 0)


def test_divergence_is_reported_with_its_time():
    """Oracle: eta_c = 2 for the linear student."""
    model = TeacherStudent(1, 1, "linear", PowerLaw(1, 4), eta=6)
    with pytest.raises(IntegrationError, match=r"stopped at alpha = .* smaller one"):
        integrate(
            order_parameter_odes(model), initial(model, 0.3, 400, 0), 500, method="structured"
        )
