"""What it is worth: numbers, with their errors."""

try:
    from theory import _siblings
except ImportError as problem:
    import theory

    raise ImportError(
        f"specscale's package 'numerics' ({__file__}) needs specscale's 'theory', but Python finds "
        f"a foreign one: {theory.__file__}. Rename that file or folder, or take its folder off "
        "sys.path (the current folder is often on it)"
    ) from problem

_siblings.check(__name__, __file__)

from .compare import Comparison, compare  # noqa: E402
from .errors import IntegrationError  # noqa: E402
from .escape import measure_escape  # noqa: E402
from .events import ErrorBelow, PlateauEntered, PlateauLeft  # noqa: E402
from .feature_covariance import feature_covariance  # noqa: E402
from .finite_size import finite_size_trend  # noqa: E402
from .initial import InitialCondition, initial  # noqa: E402
from .integrate import integrate  # noqa: E402
from .kernels import optimal_risk, ridge_risk  # noqa: E402
from .linearised import linearise  # noqa: E402
from .plateau_length import measure_plateau  # noqa: E402
from .plateau_runs import plateau_growth, simulate_plateau  # noqa: E402
from .product_counts import count_products  # noqa: E402
from .second_layer import integrate_second_layer  # noqa: E402
from .second_layer_sgd import simulate_second_layer  # noqa: E402
from .simulate import simulate  # noqa: E402
from .spectra import FeatureSpectra, feature_eigenvalues, feature_spectra  # noqa: E402
from .trajectory import Trajectory, default_times  # noqa: E402

__all__ = [
    "InitialCondition",
    "initial",
    "integrate",
    "IntegrationError",
    "ErrorBelow",
    "PlateauEntered",
    "PlateauLeft",
    "simulate",
    "integrate_second_layer",
    "simulate_second_layer",
    "measure_escape",
    "measure_plateau",
    "simulate_plateau",
    "plateau_growth",
    "linearise",
    "Trajectory",
    "default_times",
    "compare",
    "Comparison",
    "finite_size_trend",
    "ridge_risk",
    "optimal_risk",
    "count_products",
    "feature_covariance",
    "feature_eigenvalues",
    "feature_spectra",
    "FeatureSpectra",
]
