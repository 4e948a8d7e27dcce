"""The order-parameter equations of activations without closed forms against SGD at two sizes."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from numerics import initial, integrate, simulate
from theory import TeacherStudent, order_parameter_odes

x = sp.Symbol("x", real=True)
ACTIVATIONS = {
    "tanh": sp.tanh(x),
    "GELU": x * (1 + sp.erf(x / sp.sqrt(2))) / 2,
    "ReLU": "relu",
}


@pytest.mark.montecarlo
@pytest.mark.parametrize("N", [1000, 4000])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_against_simulation(name, N):
    """Oracle: 64 runs of SGD in standard errors, K = M = 2; the O(1/N) bias is far below them."""
    model = TeacherStudent(2, 2, ACTIVATIONS[name], eta=1)
    start = initial(model, sigma_J=0.5, N=N, seed=0)
    times = [1, 2, 4]
    path = integrate(order_parameter_odes(model), start, 4, at=times)
    runs = simulate(model, start, 4, N=N, runs=64, seed=1, at=times)
    for quantity in ("q", "r", "generalization_error"):
        error = getattr(runs.standard_error, quantity)
        z = (getattr(runs.mean, quantity) - getattr(path, quantity)) / error
        assert np.max(np.abs(z)) < 4.5, quantity
        assert np.sqrt(np.mean(z**2)) < 1.6, quantity
