"""How numbers become a verdict.

Summary
    A claim is compared with what is found, case by case, as relative deviations. An exact claim
    must stand in every case; one that is meant in a limit may be off before it, and then holds when
    a case is deep enough.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from .claim import Verdict

__all__ = ["Case", "always", "below", "in_the_limit", "percent", "shared", "worst"]

Case = tuple[str, float]
"""(where, relative deviation of the claim from what is found there, or a size)."""


def always(cases: Sequence[Case], tolerance: float) -> tuple[Verdict, str]:
    """HOLDS if every deviation is within the tolerance, otherwise FAILS; and by how much."""
    where, worst = max(_finite(cases), key=lambda case: abs(case[1]))
    if abs(worst) <= tolerance:
        return Verdict.HOLDS, ""
    return Verdict.FAILS, f"{percent(worst)} off at {where}"


def below(cases: Sequence[Case], bound: float) -> tuple[Verdict, str]:
    """HOLDS if every size is at most the bound, otherwise FAILS."""
    where, largest = max(_finite(cases), key=lambda case: abs(case[1]))
    if abs(largest) <= bound:
        return Verdict.HOLDS, ""
    return Verdict.FAILS, f"{largest:.3g} at {where}, {bound:.3g} allowed"


def in_the_limit(cases: Sequence[Case], tolerance: float) -> tuple[Verdict, str]:
    """For cases that go deeper into the limit in which a claim is meant.

    HOLDS if all are within the tolerance, CONDITIONAL if they are from some case on, and FAILS if
    the deepest is not; with the condition.
    """
    cases = _finite(cases)
    inside = [abs(deviation) <= tolerance for _, deviation in cases]
    if all(inside):
        return Verdict.HOLDS, ""
    where, deviation = cases[-1]
    if not inside[-1]:
        return Verdict.FAILS, f"still {percent(deviation)} off at {where}"
    first = len(inside) - inside[::-1].index(False)
    outside, off = max(cases[:first], key=lambda case: abs(case[1]))
    limits = f"to {percent(tolerance)}; {percent(off)} off at {outside}"
    return Verdict.CONDITIONAL, f"{cases[first][0]} or beyond ({limits})"


def shared(found: Sequence[tuple[str, tuple[Verdict, str]]]) -> tuple[Verdict, str]:
    """One verdict for several: the same if all agree, CONDITIONAL if some hold and some fail."""
    verdicts = [verdict for _, (verdict, _) in found]
    # What holds first, so that the text reads on after "holds when".
    ordered = sorted(found, key=lambda case: case[1][0] is Verdict.FAILS)
    text = "; ".join(_told(where, *outcome) for where, outcome in ordered)
    if all(verdict is Verdict.HOLDS for verdict in verdicts):
        return Verdict.HOLDS, ""
    if all(verdict is Verdict.FAILS for verdict in verdicts):
        return Verdict.FAILS, text
    return Verdict.CONDITIONAL, text


def worst(labels: Sequence[str], deviations: Iterable[Iterable[float]]) -> list[Case]:
    """For each label the largest deviation among several series along the labels."""
    columns = zip(*deviations, strict=True)
    largest = [max(map(float, column), key=abs) for column in columns]
    return list(zip(labels, largest, strict=True))


def percent(fraction: float) -> str:
    """Two digits of it in per cent, without a sign."""
    number = 100 * abs(fraction)
    return f"{number:.2g} %" if number < 99.5 else f"{number:.0f} %"


def _finite(cases: Sequence[Case]) -> Sequence[Case]:
    bad = [where for where, deviation in cases if not math.isfinite(deviation)]
    if bad or not cases:
        raise ValueError(f"a deviation is not finite at {bad[0]}" if bad else "there are no cases")
    return cases


def _told(where: str, verdict: Verdict, condition: str) -> str:
    """What is found in one of several cases, to be read after "holds when"."""
    if verdict is Verdict.FAILS:
        return f"not at {where} ({condition})"
    return f"{where}: {condition}" if condition else where
