"""What is true: models, Gaussian averages, order-parameter equations, as SymPy expressions."""

from . import _siblings
from .asymptotics import AsymptoticLaw
from .chaos_spectrum import ChaosEigenvalue, chaos_eigenvalues
from .derivation import Assumed, Derivation, DerivationError, Numeric, Step, Symbolic
from .features import compute_optimum, feature_law, joint_law, stationary_error
from .gaussian import I2, I3, I4, NoClosedForm
from .hermite import hermite_coefficient, hermite_series, parseval
from .laws import late_time_law
from .linear import LinearSolution, linear_solution
from .models import Activation, Discrete, Isotropic, PowerLaw, Spectrum, TeacherStudent
from .noise_floor import NoiseFloor, noise_floor
from .online import OrderParameterODE, order_parameter_odes
from .perfect_student import PerfectStudent, perfect_student
from .plateau import Plateau, plateau
from .plateau_correction import PlateauCorrection, plateau_correction
from .plateau_length import PlateauLength, plateau_length
from .preconditioned_laws import preconditioned_law
from .product_counts import counting_law
from .random_features import random_feature_covariance
from .redundancy import KernelRegression
from .second_layer import second_layer
from .spectral_filters import SpectralFilter
from .spectral_law import eigenvalue_law, finite_features_law, spectral_count_law
from .symmetric_point import SymmetricPoint, symmetric_point

__all__ = [
    "TeacherStudent",
    "Spectrum",
    "Isotropic",
    "PowerLaw",
    "Discrete",
    "Activation",
    "I2",
    "I3",
    "I4",
    "NoClosedForm",
    "hermite_coefficient",
    "hermite_series",
    "parseval",
    "OrderParameterODE",
    "order_parameter_odes",
    "Plateau",
    "plateau",
    "PlateauCorrection",
    "plateau_correction",
    "PlateauLength",
    "plateau_length",
    "SymmetricPoint",
    "symmetric_point",
    "PerfectStudent",
    "perfect_student",
    "NoiseFloor",
    "noise_floor",
    "LinearSolution",
    "linear_solution",
    "late_time_law",
    "preconditioned_law",
    "second_layer",
    "feature_law",
    "stationary_error",
    "joint_law",
    "compute_optimum",
    "random_feature_covariance",
    "chaos_eigenvalues",
    "ChaosEigenvalue",
    "counting_law",
    "eigenvalue_law",
    "spectral_count_law",
    "finite_features_law",
    "KernelRegression",
    "SpectralFilter",
    "AsymptoticLaw",
    "Derivation",
    "DerivationError",
    "Step",
    "Symbolic",
    "Numeric",
    "Assumed",
]

_siblings.check(__name__, __file__)
