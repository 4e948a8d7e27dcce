"""Published statements, one entry each: computed now, judged by their numbers.

Main results
    CLAIMS : every claim, by source, in the order of reading. A module with ``CLAIMS`` of its own is
    joined here.
"""

from .claim import Claim, ClaimError, Evidence, Judgement, Number, Verdict
from .random_features import CLAIMS as RANDOM_FEATURES
from .redundancy import CLAIMS as REDUNDANCY
from .redundancy_transformers import CLAIMS as REDUNDANCY_TRANSFORMERS
from .what_helps import CLAIMS as WHAT_HELPS
from .worschech_rosenow import CLAIMS as WORSCHECH_ROSENOW

__all__ = ["CLAIMS", "Claim", "ClaimError", "Evidence", "Judgement", "Number", "Verdict"]

CLAIMS: tuple[Claim, ...] = (
    *WORSCHECH_ROSENOW,
    *WHAT_HELPS,
    *REDUNDANCY,
    *REDUNDANCY_TRANSFORMERS,
    *RANDOM_FEATURES,
)
