r"""Late times of a student that has specialised, smooth activations, power-law spectrum.

Summary
    Modes with eta lam_k alpha << 1 have not moved and are as wrong as at the start; they are few
    in Q and R, so that A and V are small and the equations linear. The fast modes follow the slow
    ones adiabatically, which costs nothing at leading order: V is a sum over modes that relax by
    themselves, at twice the two rates of the Hessian, and noise of SGD amplifies it by a matrix.

Main results (x_c = 2 h_c eta lam_+ alpha, p = 1 + beta, s = beta/p, y_c = x_c L^-p)
    window, 1 << x_v, x_u << L^p:
        eps_g = (1/2) sum_c m_c h_c ((1 - eta P)^-1 d Phi)_c,  Phi_c = Gamma(s) x_c^-s/(p H_L(p)),
        P the matrix `persistence`; a second term x^-2s for eta -> 0 (from the feedback on A and V);
    finite size: Gamma(s) becomes Gamma(s, y_c) - Gamma(s, x_c);
    end, x_v >> L^(p+1): the slowest mode alone, exp(-y_v).
    With label noise the same holds for eps_g minus its stationary value, with d_c minus V_c there.

Notation
    c = u, v: components common to all units and apart (`theory.perfect_student`), h_u > h_v;
    d_c, a_c: components of the overlaps of J - B with itself and with B at alpha = 0, the same in
    every eigenspace: d = 1 + sigma_J^2 and a = -1 for students that start small, N -> infinity.
    The leading term is linear in d and treats units alike: for any d, d_u = sum_ij d_ij/M and
    d_v = (tr d - d_u)/(M - 1).

References
    [WR24] Worschech & Rosenow (exponent, crossover to an exponential).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from .asymptotics import AsymptoticLaw, Regime
from .models import TeacherStudent
from .perfect_student import PerfectStudent, perfect_student
from .power_law import PowerLawScaling, eps_g
from .symbols import alpha

__all__ = ["Relaxation", "eps_infty", "smooth_late_time_law"]

STARTS = sp.symbols("d_u d_v", positive=True)
OVERLAPS = sp.symbols("a_u a_v", real=True)
eps_infty = sp.Symbol("epsilon_infty", positive=True)
"""eps_g of the stationary point under label noise, `theory.noise_floor`."""


@dataclass(frozen=True)
class Relaxation(PowerLawScaling):
    """What the laws of a specialised student with a power-law spectrum are made of."""

    instead = "numerics.linearised, which takes any"

    @cached_property
    def point(self) -> PerfectStudent:
        """The linearised equations."""
        return perfect_student(self.model)

    @property
    def z(self) -> sp.Expr:
        """Scaled time eta lam_+ alpha; for L = oo the time alpha is in units of 1/lam_+."""
        return self.model.eta * alpha * self.largest

    @cached_property
    def x(self) -> tuple[sp.Expr, ...]:
        """x_c = 2 h_c eta lam_+ alpha."""
        return tuple(2 * h * self.z for h in self.point.rates)

    def y(self, component: int) -> sp.Expr:
        """y_c = x_c L^-p, the last mode's own."""
        return self.x[component] * self.L**-self.p

    @cached_property
    def start(self) -> tuple[sp.Expr, ...]:
        """d_c minus its stationary value."""
        starts = STARTS[: len(self.point.rates)]
        noise = sp.S.Zero if self.gradient_flow else self.model.label_noise
        if noise == 0:
            return starts
        rest = self.point.amplified((self.model.eta * noise / 2,) * len(starts))
        return tuple(d - V for d, V in zip(starts, rest, strict=True))

    def error(self, relaxed: tuple[sp.Expr, ...]) -> sp.Expr:
        """(1/2) sum_c m_c h_c V_c, V what noise makes of d_c Phi_c; `relaxed` holds the Phi_c."""
        slow = tuple(d * phi for d, phi in zip(self.start, relaxed, strict=True))
        V = slow if self.gradient_flow else self.point.amplified(slow)
        weighted = zip(self.point.multiplicities, self.point.rates, V, strict=True)
        return sp.Add(*(m * h * v for m, h, v in weighted)) / 2

    def law(
        self, expr: sp.Expr, exponent: sp.Expr | None, error: sp.Expr, regime: Regime
    ) -> AsymptoticLaw:
        """`expr` as a law for eps_g, or for eps_g minus what label noise leaves of it."""
        noisy = not self.gradient_flow and self.model.label_noise != 0
        error += self.model.label_noise if noisy else 0
        return AsymptoticLaw(
            expr=expr,
            variable=alpha,
            regime=regime,
            exponent=exponent,
            error=error,
            quantity=eps_g - eps_infty if noisy else eps_g,
        )


def smooth_late_time_law(
    model: TeacherStudent, regime: str, terms: int, gradient_flow: bool
) -> AsymptoticLaw:
    """`theory.laws.late_time_law` for smooth activations, K = M; arguments are described there.

    Parameters of the law are d_u, d_v (and a_u, a_v in the second term).

    Raises
    ------
    ValueError
        If K != M, eta >= eta_max, the perfect student is not isolated, or there are not so many
        terms.
    NotImplementedError
        If the activation or the spectrum has no law (`NoClosedForm` is one).
    """
    parts = Relaxation(model, gradient_flow)
    if any(h == 0 for h in parts.point.rates):
        raise ValueError(
            f"late_time_law: the perfect student of {model} is not isolated (rates "
            f"{parts.point.rates}): deviations without error never relax"
        )
    if terms > (2 if gradient_flow and regime == "window" else 1):
        raise ValueError(
            "late_time_law: for smooth activations a second term is known in the window of "
            f'gradient flow only, found regime = "{regime}", terms = {terms}, '
            f"gradient_flow = {gradient_flow}"
        )
    if regime == "window":
        return _window(parts, terms)
    if parts.L is sp.oo:
        raise ValueError(f'late_time_law: with L = oo there is no {regime} regime, only "window"')
    return _finite_size(parts) if regime == "finite size" else _end(parts)


def _window(parts: Relaxation, terms: int) -> AsymptoticLaw:
    """Sum over k as an integral from 0 to infinity, whose Mellin transform is Gamma(s)."""
    s, L, first, last = parts.s, parts.L, parts.x[0], parts.x[-1]
    amplitude = sp.gamma(s) / (parts.p * parts.norm)
    expr = parts.error(tuple(amplitude * x**-s for x in parts.x))
    error = last**-s
    if terms == 2:
        expr += _feedback(parts, amplitude) * parts.z ** (-2 * s)
        # What came before the linear regime shifts the origin of time.
        error = last ** (-2 * s) + 1 / last
    conditions = [last > 1]
    text = (
        r"1 \ll 2 h_v\eta\lambda_+\alpha" if len(parts.x) > 1 else r"1 \ll 2 h\eta\lambda_+\alpha"
    )
    if L is not sp.oo:
        error += first**s * L**-parts.beta
        text += r",\ 2 h_u\eta\lambda_+\alpha \ll L^{1+\beta}"
        conditions.append(first < L**parts.p)
    regime = Regime(f"${text}$", tuple(conditions))
    return parts.law(expr, -s if terms == 1 else None, error, regime)


def _feedback(parts: Relaxation, amplitude: sp.Expr) -> sp.Expr:
    """Coefficient of z^-2s in eps_g for eta -> 0, z = eta lam_+ alpha.

    With V = v z^-s and A = a z^-s at leading order, D = -h + delta z^-s and E = e z^-s: V changes
    by the changed damping of the slow modes, by the pull of E on them, and by E^2/h^2 in all the
    fast ones, which follow it.
    """
    point, s = parts.point, parts.s
    m, h = point.multiplicities, point.rates
    n = len(m)
    hessian, weight = sp.Matrix(point.hessian), sp.diag(*m)
    damping = weight * sp.diag(*h)
    d, a = STARTS[:n], OVERLAPS[:n]
    V = sp.Matrix([d[c] * amplitude * (2 * h[c]) ** -s for c in range(n)])
    unlearned = sp.Matrix([a[c] * amplitude * h[c] ** -s for c in range(n)])
    A = (damping + hessian[:n, :n]).LUsolve(damping * unlearned - hessian[:n, n:] * V)
    both = sp.Matrix.vstack(A, V)
    pull = -weight.inv() * hessian[:n, :] * both
    change = -2 * weight.inv() * hessian[n:, :] * both
    # int_0^1 t^-s (2 - t)^(-s-1) dt
    memory = 2 ** (-2 * s) * sp.hyper([1 - 2 * s, 1 - s], [2 - s], -1) / (1 - s)
    second = [
        2 * d[c] * change[c] / (1 - s) * s * amplitude * (2 * h[c]) ** (-s - 1)
        + 2 * a[c] * pull[c] * s * amplitude * h[c] ** (-s - 1) * memory
        + pull[c] ** 2 / h[c] ** 2
        for c in range(n)
    ]
    linear = sp.Add(*(damping[c, c] * second[c] for c in range(n)))
    return (linear + (both.T * hessian * both)[0]) / 2


def _finite_size(parts: Relaxation) -> AsymptoticLaw:
    """The integral over 1 <= k <= L."""
    s, p, L = parts.s, parts.p, parts.L
    relaxed = tuple(
        x**-s / (p * parts.norm) * (sp.uppergamma(s, parts.y(c)) - sp.uppergamma(s, x))
        for c, x in enumerate(parts.x)
    )
    first, last = parts.x[0], parts.x[-1]
    error = last**-s + L**-parts.beta + parts.y(0) / L
    return parts.law(
        parts.error(relaxed),
        None,
        error,
        Regime(
            r"$1 \ll 2 h_v\eta\lambda_+\alpha,\ 2 h_u\eta\lambda_+\alpha \ll L^{2+\beta}$",
            (last > 1, first < L ** (p + 1)),
        ),
    )


def _end(parts: Relaxation) -> AsymptoticLaw:
    """The slowest component of the last eigenspace alone."""
    p, L, n = parts.p, parts.L, len(parts.x)
    y = parts.y(n - 1)
    only = (sp.S.Zero,) * (n - 1) + (L**-p * sp.exp(-y) / parts.norm,)
    error = L**-parts.beta + sp.exp(-p * y / L) + y * L**-p
    if n == 2:
        error += sp.exp(y - parts.y(0))
    return parts.law(
        parts.error(only),
        None,
        error,
        Regime(r"$2 h_v\eta\lambda_+\alpha \gg L^{2+\beta}$", (y > L, y < L**p)),
    )
