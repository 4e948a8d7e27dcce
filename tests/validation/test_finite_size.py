"""Simulated SGD approaches the equations of motion as 1/N: from N = 500 to 2000 the bias quarters.

Learning rates are high and labels noisy so that the bias stands out of the scatter of the runs.
"""

import pytest

from numerics import finite_size_trend, initial, integrate, simulate
from theory import PowerLaw, TeacherStudent, order_parameter_odes

COMMITTEE = TeacherStudent(2, 2, spectrum=PowerLaw(1, 2), eta=8, label_noise=4)
NEARLY_UNSTABLE = TeacherStudent(1, 1, activation="linear", eta="19/10")


@pytest.mark.montecarlo
@pytest.mark.parametrize(
    ("model", "sigma_J", "alpha", "runs"),
    [(COMMITTEE, 0.5, 1, (4000, 8000)), (NEARLY_UNSTABLE, 2, 5, (500, 1500))],
    ids=["committee", "linear"],
)
def test_bias_of_the_simulation_halves_and_halves_again(model, sigma_J, alpha, runs):
    """Oracle: the O(1/N) trend of the means of Q and R at two sizes, in standard errors."""
    start = initial(model, sigma_J=sigma_J, N=None, seed=0)
    times = [alpha / 4, alpha / 2, alpha]
    theory = integrate(order_parameter_odes(model), start, alpha, at=times)
    small, large = (
        simulate(model, start, alpha, N=N, runs=n, seed=N, at=times, test_fields=16)
        for N, n in zip((500, 2000), runs, strict=True)
    )
    trend = finite_size_trend(theory, small, large)
    assert trend.significance > 5, str(trend)
    assert trend.ratio_error < 0.5, str(trend)
    assert abs(trend.ratio - 4) < 3 * trend.ratio_error, str(trend)
    assert trend.chi2_per_entry < 1.5, str(trend)
