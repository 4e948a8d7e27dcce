"""What Bi & Calhoun state (arXiv:2509.20721) of Transformers, linearised and learning features.

Judged on a recorded experiment (`specscale transformers`): small encoders on inputs of known
exponents. At some hundred examples the law's own kernel has not reached its exponent; what it lacks
is added to the law, so that it is not blamed for that. The errors of exponents say how far they may
be off: a statement fails where it is off by more than that and the tolerance, and where the error
alone is larger than the tolerance it holds to the error only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import sympy as sp

from numerics.measured_kernel import PowerFit
from numerics.transformer_experiment import Experiment
from numerics.transformer_findings import (
    InputFindings,
    analyse,
    law_exponent,
    network_over_ridge,
    over_seeds,
    sampled_tail,
    shortfall,
    tail_exponents,
    tail_window,
)
from theory.redundancy import samples

from ..transformers_data import recorded
from .claim import Claim, Evidence, Number, Verdict
from .criteria import percent, shared
from .formulas import exponent
from .redundancy import LAW, beta, c, s

__all__ = ["CLAIMS", "transformer_claims"]

TOLERANCE = 0.1

mode, eigenvalue = sp.symbols("i lambda_i", positive=True)
TAIL = sp.Eq(eigenvalue, c * mode**-beta, evaluate=False)
before, after = sp.symbols(r"\beta_{\mathrm{start}} \beta_{\mathrm{trained}}", positive=True)
KEPT = sp.Eq(after, before, evaluate=False)


def _outcome(found: PowerFit, claimed: PowerFit) -> tuple[Verdict, str]:
    """Whether they agree, in view of both errors."""
    off = found.value / claimed.value - 1
    error = math.hypot(found.error, claimed.error) / abs(claimed.value)
    told = f"{percent(off)} off, error {percent(error)}"
    if abs(off) > TOLERANCE + error:
        return Verdict.FAILS, told
    if error > TOLERANCE:
        return Verdict.CONDITIONAL, f"to its error ({told})"
    return Verdict.HOLDS, ""


def _evidence(
    found: Sequence[tuple[str, tuple[Verdict, str]]], numbers: Sequence[Number]
) -> Evidence:
    verdict, condition = shared(found)
    return Evidence(verdict, tuple(numbers), condition)


def _number(what: str, fit: PowerFit) -> Number:
    return Number(what, fit.value, fit.error)


def _spectrum(formula: sp.Eq, experiment: Experiment) -> Evidence:
    """The tail of the tangent kernel at the start, against i^-beta on as many points."""
    tails, local = [], []
    low, high = tail_window(experiment)
    for index, each in enumerate(analyse(experiment)):
        power = -exponent(formula, mode).subs(beta, sp.Float(each.beta))
        claimed = sampled_tail(experiment, float(power))
        tail = over_seeds(tail_exponents(experiment, index, "initial"))
        where = f"inputs with β = {each.beta:g}"
        tails.append((where, tail, claimed))
        local += [
            _number(f"exponent, modes {first} to {last}, {where}", fit)
            for (first, last), fit in zip(each.windows, each.kernel("initial").local, strict=True)
        ]
    # That one of them agrees may be an accident: the next input tells.
    tails += [
        (f"the change to {there}", _difference(end, start), _difference(wanted, expected))
        for (_, start, expected), (there, end, wanted) in pairwise(tails)
    ]
    found = [(where, _outcome(tail, claimed)) for where, tail, claimed in tails]
    named = f"exponent, modes {low} to {high}"
    numbers = [
        _number(f"{named}, {where} (i^-β on as many points: {claimed.value:.3f})", tail)
        for where, tail, claimed in tails
    ]
    return _evidence(found, [*numbers, *local])


def _difference(one: PowerFit, other: PowerFit) -> PowerFit:
    return PowerFit(one.value - other.value, math.hypot(one.error, other.error))


def _claimed(
    formula: sp.Eq, experiment: Experiment, sizes: Sequence[int], index: int, kernel: str | None
) -> PowerFit:
    """The printed exponent at beta and s of a kernel, or of the inputs, as the sizes show it."""
    law = sp.lambdify((beta, s), -exponent(formula, samples))
    if kernel is None:
        settings = experiment.settings
        limit = PowerFit(law(settings["betas"][index], settings["s"]), 0.0)
    else:
        limit = law_exponent(experiment, index, kernel, law)
    return PowerFit(limit.value + shortfall(experiment, sizes, index, kernel), limit.error)


def _linearised(formula: sp.Eq, experiment: Experiment) -> Evidence:
    """Ridge regression with the tangent kernel at the start."""
    sizes = experiment.settings["subsets"]
    found, numbers, control = [], [], []
    for index, each in enumerate(analyse(experiment)):
        kernel, where = each.kernel("initial"), f"inputs with β = {each.beta:g}"
        for name, of in (("the kernel's own β and s", "initial"), ("β and s of the inputs", None)):
            law = _claimed(formula, experiment, sizes, index, of)
            found.append((f"{where}, {name}", _outcome(kernel.exponent, law)))
            what = f"exponent, n = {sizes[0]} to {sizes[-1]}, {where}, by {name} {_beside(law)}"
            numbers.append(_number(what, kernel.exponent))
        law = _claimed(formula, experiment, sizes, index, "linear")
        control += [
            _number(
                f"control: exponent with the linear kernel, {where} {_beside(law)}",
                each.kernel("linear").exponent,
            ),
            _number(f"risk predicted without exponents / found − 1, {where}", kernel.mismatch),
        ]
    return _evidence(found, [*numbers, *control])


def _learning(formula: sp.Eq, experiment: Experiment) -> Evidence:
    """The learning curve of the trained network, against the law of its trained kernel."""
    sizes = experiment.settings["examples"]
    found, numbers, others = [], [], []
    for index, each in enumerate(analyse(experiment)):
        where = f"inputs with β = {each.beta:g}"
        law = _claimed(formula, experiment, sizes, index, "trained")
        for when, fit in (("stopped at its best", each.trained), ("trained on", each.final)):
            found.append((f"{where}, {when}", _outcome(fit, law)))
            what = f"exponent, n = {sizes[0]} to {sizes[-1]}, {where}, {when} {_beside(law)}"
            numbers.append(_number(what, fit))
        n, ratio = network_over_ridge(experiment, index)
        others += [
            _number(
                f"error / that of regression with the kernel at the start, n = {n}, {where}", ratio
            ),
            _regression_after(formula, experiment, index, each),
        ]
    return _evidence(found, [*numbers, *others])


def _regression_after(
    formula: sp.Eq, experiment: Experiment, index: int, each: InputFindings
) -> Number:
    """Ridge regression with the trained kernel, as a number beside."""
    law = _claimed(formula, experiment, experiment.settings["subsets"], index, "trained")
    what = f"exponent of regression with the kernel after training, inputs with β = {each.beta:g}"
    return _number(f"{what} {_beside(law)}", each.kernel("trained").exponent)


def _beside(law: PowerFit) -> str:
    return f"(law: {Number('law', law.value, law.error).text})"


def _kept(formula: sp.Eq, experiment: Experiment) -> Evidence:
    """The tail's exponent of the kernel after training over that at the start, seed by seed."""
    found, numbers, tails = [], [], []
    claimed = PowerFit(float(formula.rhs / before), 0.0)
    for index, each in enumerate(analyse(experiment)):
        where = f"inputs with β = {each.beta:g}"
        start, end = (tail_exponents(experiment, index, k) for k in ("initial", "trained"))
        ratio = over_seeds(end / start)
        found.append((where, _outcome(ratio, claimed)))
        numbers.append(_number(f"exponent after / before training, {where}", ratio))
        tails += [
            _number(f"exponent {name}, {where}", over_seeds(tail))
            for name, tail in (("before training", start), ("after training", end))
        ]
    return _evidence(found, [*numbers, *tails])


_ENTRIES = (
    (
        "tangent_kernel_spectrum",
        "Linearised, a Transformer keeps the exponent β of its inputs: its tangent kernel has it.",
        TAIL,
        _spectrum,
    ),
    (
        "transformers_linearised",
        "Linearised, a Transformer obeys the redundancy law: regression with its tangent kernel.",
        LAW,
        _linearised,
    ),
    (
        "transformers_learning_features",
        "A Transformer that learns features obeys the redundancy law of its tangent kernel.",
        LAW,
        _learning,
    ),
    (
        "trained_kernel_spectrum",
        "Learning features keeps the exponent of the tangent kernel's spectrum.",
        KEPT,
        _kept,
    ),
)


def transformer_claims(source: Callable[[], Experiment]) -> tuple[Claim, ...]:
    """The claims, judged on the experiment that `source` gives when it is asked."""

    def judged(judge: Callable[[Any, Experiment], Evidence]) -> Callable[[Any, bool], Evidence]:
        # One experiment, whether larger cases are asked for or not.
        return lambda formula, _: judge(formula, source())

    return tuple(
        Claim.of_formula(key, "BC25", statement, formula, judged(judge))
        for key, statement, formula, judge in _ENTRIES
    )


CLAIMS: tuple[Claim, ...] = transformer_claims(recorded)
