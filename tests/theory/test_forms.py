"""Modes and moments: two closed forms of one system, related by a Vandermonde matrix."""

import pytest
import sympy as sp

from theory import Discrete, Isotropic, PowerLaw, TeacherStudent, order_parameter_odes


def forms(spectrum):
    ode = order_parameter_odes(TeacherStudent(2, 2, spectrum=spectrum, eta="1/10"))
    return ode.modes(), ode.moments()


SPECTRA = [Isotropic(), PowerLaw(1, 4), Discrete([1, 5, "1/3"], weights=[2, 1, 4])]


@pytest.mark.parametrize("spectrum", SPECTRA, ids=str)
def test_cayley_hamilton(spectrum):
    """Oracle: sum_l a_l lam^l = 0 at every eigenvalue; the companion matrix has them."""
    _, moments = forms(spectrum)
    x = sp.Symbol("x")
    characteristic = sp.Poly(moments.companion.charpoly(x).as_expr(), x)
    wanted = sp.Poly(sp.prod([x - e for e in spectrum.eigenvalues]), x)
    assert characteristic == wanted
    assert moments.coefficients == tuple(reversed(wanted.all_coeffs()))


@pytest.mark.parametrize("spectrum", SPECTRA, ids=str)
def test_change_of_variables(spectrum):
    """Oracle: V^-1 V = 1 and V diag(lam) = S V, exactly: both forms are one linear system."""
    _, moments = forms(spectrum)
    V, inverse = moments.vandermonde, moments.inverse_vandermonde
    assert inverse * V == sp.eye(len(spectrum.eigenvalues))
    assert sp.expand(V * sp.diag(*spectrum.eigenvalues) - moments.companion * V) == 0 * V
    assert list(moments.noise_weights) == list(V * sp.Matrix(spectrum.eigenvalues))


def test_equations_of_both_forms_have_the_same_right_hand_side():
    """Oracle: renaming the index of the modes to that of the moments turns one into the other."""
    modes, moments = forms(PowerLaw(1, 3))
    rename = {modes.index: moments.index}
    assert modes.student_teacher.xreplace(rename) == moments.student_teacher
    assert modes.student_student.xreplace(rename) == moments.student_student
    assert modes.shift.xreplace(rename) != moments.shift
    assert len(modes.equations) == len(moments.equations) == 4
    assert r"\lambda" in modes.latex()
    assert r"\lambda" not in moments.latex()


def test_weight_decay_shrinks_every_overlap():
    """Oracle: the extra terms -eta d r and -2 eta d q, by hand."""
    decay = sp.Symbol("d", positive=True)
    model = TeacherStudent(1, 1, eta="1/10")
    plain = order_parameter_odes(model).modes()
    decayed = order_parameter_odes(model.replace(weight_decay=decay)).modes()
    for name, power in (("student_teacher", 1), ("student_student", 2)):
        change = sp.expand(getattr(decayed, name) - getattr(plain, name))
        (overlap,) = change.atoms(sp.Indexed)
        assert change == -power * decay * overlap / 10


def test_equal_eigenvalues_have_no_way_back():
    """Oracle: the Vandermonde determinant vanishes."""
    _, moments = forms(Discrete([1, 1, 2]))
    assert moments.vandermonde.det() == 0
    with pytest.raises(ValueError, match=r"equal eigenvalues: .*merge equal eigenvalues"):
        _ = moments.inverse_vandermonde
