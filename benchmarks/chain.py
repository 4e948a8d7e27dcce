"""The exact chain against SGD in R^N: microseconds a step, one core, K = M = 2."""

from __future__ import annotations

from typing import Any

from numerics import initial, simulate
from theory import Isotropic, PowerLaw, TeacherStudent

from .clock import Budget
from .table import Table

COLUMNS = ("N", "L", "chain, us a step", "direct, us a step", "direct/chain")
SIZES = (1_000, 10_000, 100_000)
CHAIN_STEPS, DIRECT_COORDINATES = 4_000_000, 40_000_000
"""Work of a timed run: long enough for its start not to matter."""


def measure(quick: bool) -> Table:
    """Both methods have the same law, which the tests hold in means and variances."""
    share = 4 if quick else 1
    rows = [_row(N, L, share) for L in (1, 10) for N in SIZES]
    return Table("SGD: exact chain of the overlaps against the weights themselves", COLUMNS, rows)


def _row(N: int, L: int, share: int) -> tuple[Any, ...]:
    spectrum = Isotropic() if L == 1 else PowerLaw(beta=1, L=L)
    model = TeacherStudent(2, 2, spectrum=spectrum, eta=1)
    start = initial(model, sigma_J="1/2", N=N, seed=0)

    def seconds(method: str, steps: int) -> float:
        alpha = steps / N

        def run() -> Any:
            return simulate(
                model, start, alpha, N, runs=1, seed=0, method=method, at=[alpha], threads=1,
                test_fields=1,
            )  # fmt: skip

        run()
        return Budget(float("inf")).run(run).seconds / steps

    chain = seconds("chain", CHAIN_STEPS // L // share) * 1e6
    direct = seconds("direct", DIRECT_COORDINATES // N // share) * 1e6
    return N, L, chain, direct, direct / chain
