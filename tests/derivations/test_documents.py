"""The derivations hold, and hold only as printed."""

from importlib import import_module

import pytest
from mutate import mutations

from derivations.catalogue import NAMES
from theory.derivation import Derivation


@pytest.fixture(scope="module", params=NAMES)
def derivation(request: pytest.FixtureRequest) -> Derivation:
    return import_module(f"derivations.{request.param}").build()


def test_every_step_holds(derivation: Derivation) -> None:
    """Oracle: the check of each step (integrals, finite sums, Jacobians, SymPy)."""
    report = derivation.check()
    assert len(report.results) == len(derivation.steps)
    assert report.counts["assumed"] <= 1


@pytest.mark.slow
def test_every_changed_coefficient_is_caught(derivation: Derivation) -> None:
    """Oracle: a document with one coefficient changed anywhere must not build."""
    mutants = [
        (number, mutant)
        for number, step in enumerate(derivation.steps, 1)
        for mutant in mutations(step)
    ]
    assert len(mutants) > 100
    assert [(n, m.equations) for n, m in mutants if m.verify().passed] == []
