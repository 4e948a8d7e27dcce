"""What a study found, each with the bound it was held to."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numerics.compare import Agreement
from theory.derivation import Report

from .study import Study

__all__ = ["CheckFailed", "Finding", "findings", "require"]

DOUBLE_DIGITS = 10
"""Of order parameters and eps_g in double precision, where eps_g > 1e-6 of its initial size."""
LOST_DIGITS = 3
RMS_Z = 2.0
"""Neighbouring times are correlated, so rms z scatters about one more than a chi^2 would."""
RATE = 1e-3
REST = 1e-8


class CheckFailed(RuntimeError):
    """Something that was checked does not hold; the message lists it."""


@dataclass(frozen=True)
class Finding:
    """One line of the table of everything that was checked."""

    what: str
    found: str
    required: str
    passed: bool


def require(found: tuple[Finding, ...]) -> None:
    """Raise `CheckFailed`, naming them, if some findings did not pass."""
    failed = [f"{f.what}: found {f.found}, required {f.required}" for f in found if not f.passed]
    if failed:
        raise CheckFailed(
            "nothing is written, because these checks fail:\n  " + "\n  ".join(failed)
        )


def findings(reports: tuple[Report, ...], study: Study) -> tuple[Finding, ...]:
    """Everything that was checked, in the order in which it was done."""
    return (
        *map(_derivation, reports),
        *_precision(study),
        *_simulation(study),
        _forms(study),
        *_escape(study),
        _shortening(study),
    )


def _derivation(report: Report) -> Finding:
    kinds = ", ".join(f"{n} {kind}" for kind, n in report.counts.items())
    passed = all(result.passed for result in report.results)
    what = f"derivation {report.name.replace('_', ' ')}"
    return Finding(what, f"{len(report.results)} steps: {kinds}", "every step holds", passed)


def _worst(agreements: dict[str, Agreement]) -> tuple[float, str]:
    """Fewest digits agreed, and the observable."""
    name = min(agreements, key=lambda key: agreements[key].digits)
    return agreements[name].digits, name


def _precision(study: Study) -> list[Finding]:
    result = []
    for curve in study.curves:
        digits, name = _worst(curve.comparison.agreements[0][1])
        result.append(
            Finding(
                f"L = {curve.L}: double precision against {study.settings.digits} digits",
                f"{digits:.1f} digits agree (fewest, in {name})",
                f"at least {DOUBLE_DIGITS}",
                digits >= DOUBLE_DIGITS,
            )
        )
    return result


def _simulation(study: Study) -> list[Finding]:
    expected = math.sqrt((study.settings.runs - 1) / (study.settings.runs - 3))
    result = []
    for curve in study.curves:
        scores = curve.comparison.deviations[0][1]
        values = ", ".join(f"{score.rms:.2f} ({name})" for name, score in scores.items())
        result.append(
            Finding(
                f"L = {curve.L}: simulation against theory, rms z-scores",
                values,
                f"below {RMS_Z:g} ({expected:.2f} if the means agree)",
                all(score.rms < RMS_Z for score in scores.values()),
            )
        )
    return result


def _forms(study: Study) -> Finding:
    digits, name = _worst(study.forms.agreements[0][1])
    least = study.settings.digits - LOST_DIGITS
    return Finding(
        f"L = {study.settings.moments[0]}: moment form against mode form",
        f"{digits:.1f} digits agree (fewest, in {name})",
        f"at least {least}",
        digits >= least,
    )


def _escape(study: Study) -> list[Finding]:
    rate = max(abs(e.difference) for e in study.escapes)
    drift = max(e.drift for e in study.escapes)
    cases = f"{len(study.escapes)} cases (M, L)"
    return [
        Finding(
            f"escape rate on trajectories against its formula, {cases}",
            f"largest relative difference {rate:.1e}",
            f"below {RATE:g}",
            rate < RATE,
        ),
        Finding(
            f"the symmetric fixed point Q*, R* rests, {cases}",
            f"largest drift {drift:.1e}",
            f"below {REST:g}",
            drift < REST,
        ),
    ]


def _shortening(study: Study) -> Finding:
    times = [curve.specialised for curve in study.curves]
    return Finding(
        "the plateau shortens with L: time until R_11 - R_12 = 1/2",
        ", ".join(f"{t:.0f} (L = {c.L})" for t, c in zip(times, study.curves, strict=True)),
        "decreasing",
        times == sorted(set(times), reverse=True),
    )
