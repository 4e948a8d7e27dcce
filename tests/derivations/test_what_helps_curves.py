"""The figure on what helps."""

import numpy as np
import pytest

from derivations.what_helps_curves import PANELS
from numerics.what_helps_figures import Panel, PanelCurve, panels_figure


def test_a_panel_for_each_remedy():
    """Oracle: the curves given."""
    x = np.array([1.0, 10.0])
    curves = PanelCurve("untreated", x, 1 / x, plain=True), PanelCurve("treated", x, x**-2)
    figure = panels_figure([Panel(f"panel {n}", curves) for n in range(3)])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["panel 0", "panel 1", "panel 2"]
    for axes in figure.axes:
        assert [line.get_label() for line in axes.lines] == ["untreated", "treated"]
        assert axes.lines[0].get_color() == "0.45"


@pytest.mark.slow
def test_what_the_titles_say():
    """Oracle: the curves: final errors in the order that theory predicts."""
    preconditioner, decay, schedule, layers = (
        {curve.label: curve for curve in compute().curves} for compute in PANELS
    )
    late = [float(np.interp(3e3, c.alpha, np.log(c.error))) for c in preconditioner.values()]
    early = [float(np.interp(2e2, c.alpha, np.log(c.error))) for c in preconditioner.values()]
    assert late[:-1] == sorted(late[:-1], reverse=True)
    assert late[-1] < late[0] - 5
    assert early[-1] == max(early[1:])
    floors = [c.error[-1] for c in decay.values()]
    assert floors == sorted(floors)
    final = {label: curve.error[-1] for label, curve in schedule.items()}
    assert min(final, key=final.get) == r"$\eta = (1 + \alpha)^{-1/3}/2$"
    first, both = (layers[f"$K = 4$, {part}"].error[-1] for part in ("first layer", "both layers"))
    assert both < layers["$K = 2$, both layers"].error[-1] < first
