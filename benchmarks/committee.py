"""``python -m benchmarks.committee``: isotropic, erf, eta = 1, K = 8, M = 4, to alpha = 1000.

Prints seconds of `integrate` after compilation, and the largest error of Q and R at 101 times.
"""

from __future__ import annotations

import numpy as np

from numerics import initial, integrate
from theory import Isotropic, TeacherStudent, order_parameter_odes

from .measure import best, report


def main() -> None:
    """Against a run at a thousandth of the tolerance."""
    model = TeacherStudent(8, 4, spectrum=Isotropic(), eta=1)
    ode, start = order_parameter_odes(model), initial(model, sigma_J=0.1, N=1000, seed=0)
    path, sharp = (integrate(ode, start, 1000, rtol=rtol) for rtol in (1e-8, 1e-11))
    errors = [np.max(np.abs(getattr(path, n) - getattr(sharp, n))) for n in ("Q", "R")]
    report(best(lambda: integrate(ode, start, 1000), 5), float(max(errors)))


if __name__ == "__main__":
    main()
