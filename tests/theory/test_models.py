"""TeacherStudent: frozen, exact, validated; oracles are its documented ranges and conventions."""

from dataclasses import FrozenInstanceError
from fractions import Fraction

import pytest
import sympy as sp

from theory import Activation, Discrete, Isotropic, PowerLaw, TeacherStudent


def test_defaults_are_saad_sollas_activation_and_inputs():
    """Oracle: the documented defaults."""
    model = TeacherStudent(K=2, M=3)
    assert model.activation == Activation("erf")
    assert model.spectrum == Isotropic()
    assert model.eta == sp.Symbol("eta")
    assert (model.label_noise, model.weight_decay) == (0, 0)
    assert model.is_explicit


def test_scale_sets_both_output_weights():
    """Oracle: c = 1/sqrt(M) (WR24) and c = 1 (SS95)."""
    assert TeacherStudent(2, 3).student_scale == TeacherStudent(2, 3).teacher_scale
    assert TeacherStudent(2, 3).teacher_scale == 1 / sp.sqrt(3)
    assert TeacherStudent(2, 3, scale="unit").student_scale == 1


def test_models_compare_and_hash_by_value():
    """Oracle: the same system written twice is one key of a cache."""
    one = TeacherStudent(2, 2, eta="1/10", spectrum=PowerLaw(1, 4))
    two = TeacherStudent(2, 2, eta=Fraction(1, 10), spectrum=PowerLaw(1, 4))
    assert one == two
    assert hash(one) == hash(two)
    assert one != one.replace(eta="1/5")


def test_replace_changes_only_what_it_names():
    """Oracle: the remaining parameters are equal; the original is untouched."""
    model = TeacherStudent(2, 2, eta=sp.Symbol("eta"), spectrum=Discrete([2, 1]))
    changed = model.replace(eta="1/3")
    assert changed == TeacherStudent(2, 2, eta=sp.Rational(1, 3), spectrum=Discrete([2, 1]))
    assert model.eta == sp.Symbol("eta")
    with pytest.raises(TypeError, match=r"no parameter \['learning_rate'\]; it has .*'eta'"):
        model.replace(learning_rate=1)
    with pytest.raises(FrozenInstanceError):
        model.eta = 1


def test_floats_are_on_record():
    """Oracle: the parameters typed as floats, by name, spectra included."""
    model = TeacherStudent(1, 1, eta=0.1, weight_decay=0.5, spectrum=PowerLaw(0.3, 2))
    assert model.inexact == ("eta", "weight_decay", "spectrum.beta")
    assert TeacherStudent(1, 1, eta="0.1").inexact == ()
    assert TeacherStudent(1, 1, 0.1 * sp.Symbol("x") ** 2).inexact == ("activation",)


def test_replacing_another_parameter_keeps_the_record_of_floats():
    """Oracle: a float does not become exact by changing K."""
    model = TeacherStudent(1, 1, eta=0.1).replace(K=2)
    assert model.inexact == ("eta",)
    assert model.replace(eta="0.1").inexact == ()
    scaled = TeacherStudent(1, 1, Activation(0.1 * sp.Symbol("x") ** 2)).replace(K=2)
    assert scaled.inexact == ("activation",)
    assert scaled.replace(activation="erf").inexact == ()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"K": 0}, ValueError, "K must be a positive integer or a symbol, found 0"),
        ({"M": -1}, ValueError, "M must be a positive integer"),
        ({"K": 1.5}, ValueError, "K must be a positive integer"),
        ({"M": True}, TypeError, "M must be a number, found True"),
        ({"K": None}, TypeError, "K must be a number"),
        ({"eta": 0}, ValueError, "eta must be positive, found 0"),
        ({"eta": "-1/10"}, ValueError, "eta must be positive, found -1/10"),
        ({"eta": float("nan")}, ValueError, "eta must be finite, found nan"),
        ({"eta": [1]}, TypeError, "eta must be a number"),
        ({"label_noise": -1}, ValueError, "label_noise must not be negative"),
        ({"weight_decay": -1}, ValueError, "weight_decay must not be negative"),
        ({"scale": "big"}, ValueError, 'scale must be "sqrt" .* or "unit" .*found \'big\''),
        ({"spectrum": [1, 2]}, TypeError, r"spectrum must be PowerLaw, .*found \[1, 2\]"),
        ({"activation": "swish"}, ValueError, "unknown activation 'swish'"),
        ({"activation": 3}, TypeError, "activation must be a name"),
    ],
)
def test_bad_parameter_is_refused_by_name(change, error, message):
    """Oracle: the message names the parameter and what was found."""
    with pytest.raises(error, match=message):
        TeacherStudent(**{"K": 2, "M": 2, **change})


def test_latex_shows_every_parameter_that_is_set():
    """Oracle: the model as one writes it down."""
    assert TeacherStudent(2, 3, eta="1/10").latex() == (
        r"K = 2,\quad M = 3,\quad g(x) = \operatorname{erf}{\left(\frac{\sqrt{2} x}{2} \right)}"
        r",\quad \lambda = 1,\quad \eta = \frac{1}{10},\quad c = \frac{\sqrt{3}}{3}"
    )
    noisy = TeacherStudent(2, 3, label_noise=1, weight_decay="1/2").latex()
    assert noisy.endswith(r"\text{label noise} = 1,\quad \text{weight decay} = \frac{1}{2}")
