"""What changes exponents and plateaus: Goldt et al. on the second layer, and what is found here."""

from ..claim import Claim
from .first_layer import CLAIMS as FIRST_LAYER
from .second_layer import CLAIMS as SECOND_LAYER

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (*FIRST_LAYER, *SECOND_LAYER)
