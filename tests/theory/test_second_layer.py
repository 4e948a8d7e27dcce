"""The equations of both layers."""

import pytest
import sympy as sp

from theory import PowerLaw, TeacherStudent, order_parameter_odes
from theory.second_layer import second_layer


@pytest.mark.parametrize(("K", "M", "activation"), [(2, 3, "erf"), (3, 1, "relu")])
def test_output_weights_follow_the_gradient(K, M, activation):
    """Oracle: -eta_v d eps_g/dv_i, differentiated in v."""
    equations = second_layer(TeacherStudent(K, M, activation), "1/3", gradient_flow=True)
    error = equations.overlaps.generalization_error
    for v, rate in zip(equations.weights, equations.rates, strict=True):
        assert sp.simplify(rate + error.diff(v) / 3) == 0


def test_drift_is_weighted():
    """Oracle: the equations with fixed output weights, at v_i = c_S; what v multiplies."""
    model = TeacherStudent(2, 2, "erf")
    equations, fixed = second_layer(model, 1), order_parameter_odes(model)
    v_1, v_2 = equations.weights
    same = {v_1: model.student_scale, v_2: model.student_scale}
    for name in ("drift", "noise"):
        difference = getattr(equations.overlaps, name).subs(same) - getattr(fixed, name)
        assert difference.applyfunc(sp.simplify) == 0 * difference
    (own, _), (_, pulled) = (equations.overlaps.drift[:, n] for n in (2, 3))
    assert sp.simplify(own.diff(v_2).subs(v_1, 0)) == 0
    assert pulled.subs(v_2, 0) == 0


def test_any_size_in_index_notation():
    """Oracle: the printed equation of Goldt et al., in words of LaTeX."""
    K, M = sp.symbols("K M", integer=True, positive=True)
    text = second_layer(TeacherStudent(K, M, "erf", PowerLaw(1, 4)), "1/2").latex()
    assert "{v}_{i}" in text
    assert "I_2" in text
    assert text.startswith("\\begin{aligned}")
    assert text.count("\\begin{aligned}") == 1


def test_refused():
    """Oracle: the messages."""
    with pytest.raises(ValueError, match="eta_v must be positive, found 0"):
        second_layer(TeacherStudent(1, 1), 0)
    with pytest.raises(NotImplementedError, match="second_layer is for plain SGD"):
        second_layer(TeacherStudent(1, 1, preconditioner=1), 1)
