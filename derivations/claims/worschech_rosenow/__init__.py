"""What Worschech & Rosenow state (arXiv:2410.09005), in the order of their paper."""

from ..claim import Claim
from .equations import CLAIMS as EQUATIONS
from .features import CLAIMS as FEATURES
from .late_times import CLAIMS as LATE_TIMES
from .linear import CLAIMS as LINEAR
from .plateau import CLAIMS as PLATEAU
from .plateau_length import CLAIMS as PLATEAU_LENGTH

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *EQUATIONS,
    *LINEAR,
    *FEATURES,
    *PLATEAU,
    *PLATEAU_LENGTH,
    *LATE_TIMES,
)
