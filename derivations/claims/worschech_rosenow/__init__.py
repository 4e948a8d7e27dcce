"""What Worschech & Rosenow state (arXiv:2410.09005), in the order of their paper."""

from ..claim import Claim
from .linear import CLAIMS as LINEAR
from .plateau import CLAIMS as PLATEAU

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (*LINEAR, *PLATEAU)
