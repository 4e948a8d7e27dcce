"""The right-hand side on a flat vector is that of the compiled system."""

import numpy as np
import pytest

from numerics.compile import compile_ode
from numerics.flat import flat_rates
from numerics.state import State
from numerics.targets import NumbaTarget
from theory import Discrete, TeacherStudent, order_parameter_odes

MODEL = TeacherStudent(
    3,
    2,
    spectrum=Discrete([1, 3, 2], weights=[1, 1, 2]),
    eta="3/10",
    label_noise="1/5",
    weight_decay="1/50",
)


@pytest.mark.parametrize("moments", [False, True])
@pytest.mark.parametrize("gradient_flow", [False, True])
def test_flat_rates_are_the_compiled_ones(moments, gradient_flow):
    """Oracle: `CompiledODE.rates`, at two states in turn (nothing is left over from the first)."""
    ode = order_parameter_odes(MODEL, gradient_flow)
    form = ode.moments() if moments else ode.modes()
    compiled, state = compile_ode(form, NumbaTarget()), State(3, 2, 3)
    fields = np.random.default_rng(0).normal(size=(3, 5, 20))
    c = np.einsum("kfa,kha->kfh", fields, fields) / 20
    rates = flat_rates(form, c)
    for scale in (1.0, 0.5):
        y = state.pack(c) * scale
        expected = state.pack(compiled.rates(state.unpack(y, c)))
        np.testing.assert_allclose(rates(0.0, y), expected, rtol=1e-14, atol=1e-16)
