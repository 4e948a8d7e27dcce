"""What is true: models, Gaussian averages, order-parameter equations, as SymPy expressions."""

from .models import Activation, Discrete, Isotropic, PowerLaw, Spectrum, TeacherStudent

__all__ = [
    "Activation",
    "Discrete",
    "Isotropic",
    "PowerLaw",
    "Spectrum",
    "TeacherStudent",
]
