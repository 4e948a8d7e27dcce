"""The curves of the figure on what helps: integrated, a panel for each remedy.

Summary
    K = M = 2 erf units on lam_k ~ k^-2 with preconditioners and weight decays; a linear student
    with label noise under learning rates that fall; erf units that train one layer or both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from numerics import initial, integrate, integrate_second_layer
from numerics.trajectory import default_times
from numerics.what_helps_figures import Panel, PanelCurve
from theory import Isotropic, PowerLaw, TeacherStudent, order_parameter_odes, second_layer
from theory.schedules import best_power, decaying

from .study import start

__all__ = ["PANELS"]

MODES = 32
FLOOR = 1e-12
"""Below, curves end."""


def _network(**others: Any) -> TeacherStudent:
    return TeacherStudent(2, 2, "erf", PowerLaw(1, MODES), "1/10", **others)


def _curve(label: str, path: Any, plain: bool = False) -> PanelCurve:
    shown = (path.alpha > 0) & (path.generalization_error > FLOOR)
    return PanelCurve(label, path.alpha[shown], path.generalization_error[shown], plain)


def _preconditioner() -> Panel:
    curves = []
    for theta in ("0", "1/4", "1/2", "3/4", "1"):
        ode = order_parameter_odes(_network(preconditioner=theta))
        label = rf"$\theta = {theta}$"
        curves.append(_curve(label, integrate(ode, start(MODES), 3e4), plain=theta == "0"))
    title = r"Preconditioner $\Sigma^{-\theta}$: steeper, after a longer plateau"
    return Panel(title, tuple(curves))


def _weight_decay() -> Panel:
    curves = []
    for d in ("0", "1/10000", "1/1000", "1/100", "1/10"):
        ode = order_parameter_odes(_network(weight_decay=d))
        label = f"$d = {d}$"
        curves.append(_curve(label, integrate(ode, start(MODES), 3e4), plain=d == "0"))
    return Panel("Weight decay: a floor, and a longer plateau", tuple(curves))


def _schedule() -> Panel:
    """Linear students, label noise of variance 1/10; beta = 1, for which p = 1/3 is best."""
    spectrum, end = PowerLaw(1, 128), 1e3
    rates = {r"$\eta = 1/2$": sp.S.Half, r"$\eta = 1/20$": sp.Rational(1, 20)}
    for power in (sp.Rational(1, 6), best_power(1), sp.Rational(2, 3)):
        rates[rf"$\eta = (1 + \alpha)^{{-{power}}}/2$"] = decaying("1/2", 1, power)
    curves = []
    for label, eta in rates.items():
        model = TeacherStudent(1, 1, "linear", spectrum, eta, label_noise="1/10")
        path = integrate(order_parameter_odes(model), initial(model, "1/100", None), end)
        curves.append(_curve(label, path, plain=eta == sp.S.Half))
    return Panel(r"Learning rate that falls, with label noise ($K = M = 1$, linear)", tuple(curves))


def _both_layers() -> Panel:
    curves, times = [], default_times(1e5)
    for units in (2, 4):
        model = TeacherStudent(units, 2, "erf", Isotropic(), "1/5", "unit", label_noise="1/100")
        begin = initial(model, "1/2", N=1000, seed=3)
        ode = order_parameter_odes(model)
        single = integrate(ode, begin, times[-1], at=times, rtol=1e-6, method="runge-kutta")
        both = integrate_second_layer(
            second_layer(model, "1/5"), begin, times[-1], at=times, rtol=1e-6
        )
        curves.append(_curve(f"$K = {units}$, first layer", single, plain=units == 2))
        curves.append(_curve(f"$K = {units}$, both layers", both))
    return Panel(r"Both layers, with label noise ($M = 2$, $L = 1$)", tuple(curves))


PANELS: tuple[Callable[[], Panel], ...] = (_preconditioner, _weight_decay, _schedule, _both_layers)
"""What computes each panel."""
