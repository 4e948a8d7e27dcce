r"""How long the symmetric plateau lasts, and when the slow modes leave no room for it.

Summary
    Specialisation grows from what the start holds of it, by a factor e per escape time: the plateau
    lasts tau_esc times the logarithm of the initial asymmetry. It is flat only if every mode has
    relaxed before; the ratio of the two rates at the plateau is a whole number, 4 M^2 - 1.

Main results (erf, K = M, eta -> 0; T_2 = sum_k w_k lam_k^2)
    S(alpha) = S_0 exp(alpha/tau_esc),  S_0 = |R centred in rows and columns|,
    E[S_0^2] = (M - 1)^2 sigma_J^2 T_2/N for students that start at random;
    length = tau_esc (log(1/S_0) + O(1)) = tau_esc (log(sqrt(N)/sigma_J) + O(1)), all parameters in
    one law: tau_esc holds M, eta, beta and L, the noise of SGD is among what is O(1);
    mode k relaxes at the rate eta lam_k h, h = (4 M^2 - 1) gamma_1, so that a plateau needs
    (4 M^2 - 1) log(1/S_0) min(lam) > T_2; for a power law and many modes
    L < ((4 M^2 - 1) log(1/S_0) zeta(1+beta)/zeta(2+2beta))^(1/(1+beta)).

Notation
    S_0 : Frobenius norm of R_in minus the means of its row and column (plus the mean of all).

References
    [SS95] Saad & Solla, [BS95] Biehl & Schwarze (logarithm of the start); [WR24] Worschech &
    Rosenow (the plateau shortens and disappears with L).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy as sp

from .asymptotics import AsymptoticLaw, Regime
from .exact import positive
from .models import TeacherStudent
from .online import order_parameter_odes
from .plateau import UNITS, P, Plateau, Q, R, SymmetricSector, plateau
from .spectra import PowerLaw

__all__ = ["PlateauLength", "plateau_length", "relaxation_ratio"]

S_0, length = sp.symbols("S_0 length", positive=True)
N, SIGMA = sp.symbols("N sigma_J", positive=True)


@dataclass(frozen=True)
class PlateauLength:
    """What decides how long the plateau of a model lasts (SS95, BS95, WR24).

    Attributes
    ----------
    point : Plateau
    """

    point: Plateau

    @property
    def model(self) -> TeacherStudent:
        """The model of the plateau."""
        return self.point.model

    def asymmetry(self, sigma_J: Any, N: Any) -> sp.Expr:
        """Root mean square of S_0 for N inputs and students from N(0, sigma_J^2)."""
        sigma, size = positive(sigma_J, "sigma_J"), positive(N, "N")
        return (self.model.M - 1) * sigma * sp.sqrt(self.model.spectrum.moment(2) / size)

    @property
    def law(self) -> AsymptoticLaw:
        """Length tau_esc log(1/S_0), relative error 1/log(1/S_0), as S_0 goes to zero."""
        return self._law(S_0, S_0)

    @property
    def random_start_law(self) -> AsymptoticLaw:
        """The same in N, for students drawn from N(0, sigma_J^2): S_0 its root mean square.

        The parameter ``sigma_J``, and M, eta, beta and L where the model has symbols for them.
        Draws differ by a time O(tau_esc), and so does what the noise of SGD adds: alike students
        are kicked alike, so that it splits them by sigma_J sqrt(eta/N), in proportion to S_0.
        """
        return self._law(N, self.asymmetry(SIGMA, N))

    def _law(self, variable: sp.Symbol, size: sp.Expr) -> AsymptoticLaw:
        logarithm = sp.log(1 / size)
        return AsymptoticLaw(
            expr=self.point.escape_time * logarithm,
            variable=variable,
            regime=Regime(
                r"$S_0 \ll 1$, $(4M^2 - 1)\log(1/S_0)\min\lambda \gg T_2$",
                (size < 1, self._room * logarithm > 1),
            ),
            exponent=None,
            error=1 / logarithm,
            quantity=length,
        )

    @property
    def _room(self) -> sp.Expr:
        """Rate at which the slowest mode relaxes, in units of the escape rate."""
        return relaxation_ratio(self.model.M) * self._slowest / self.model.spectrum.moment(2)

    @property
    def _slowest(self) -> sp.Expr:
        spectrum = self.model.spectrum
        if isinstance(spectrum, PowerLaw):
            # lam_L = lam_+ L^-p, listed for no L
            return spectrum.largest * spectrum.L ** -(1 + spectrum.beta)
        return sp.Min(*spectrum.eigenvalues)

    @property
    def largest_L(self) -> sp.Expr:
        """L, as a function of S_0, beyond which slow modes keep a power law from being flat.

        ((4 M^2 - 1) log(1/S_0) zeta(1 + beta)/zeta(2 + 2 beta))^(1/(1 + beta)), for many modes: an
        order of magnitude. `numerics.measure_plateau` finds the last plateau at 0.8 to 1.9 times it
        (M = 2, 3, 4, beta = 1/2 and 1, S_0 = 1e-3 and 1e-5).

        Raises
        ------
        NotImplementedError
            If the spectrum is not a power law.
        """
        spectrum = self.model.spectrum
        if not isinstance(spectrum, PowerLaw):
            raise NotImplementedError(
                f"largest_L is for PowerLaw(beta, L), found {spectrum}: use the regime of the law"
            )
        p = 1 + spectrum.beta
        room = relaxation_ratio(self.model.M) * sp.log(1 / S_0)
        return (room * sp.zeta(p) / sp.zeta(2 * p)) ** (1 / p)


def plateau_length(model: TeacherStudent) -> PlateauLength:
    """What decides how long the plateau of `model` lasts.

    Valid for eta -> 0 and small students (Q of the plateau is that of collapsed students).

    Parameters
    ----------
    model : TeacherStudent
        As for `theory.plateau.plateau`.

    Raises
    ------
    NotImplementedError, TypeError, ValueError
        As `theory.plateau.plateau`.

    Examples
    --------
    >>> from theory import PowerLaw, TeacherStudent
    >>> model = TeacherStudent(K=2, M=2, spectrum=PowerLaw(beta=1, L=4), eta="1/10")
    >>> law = plateau_length(model).random_start_law
    >>> round(float(law(1024, sigma_J="1/100")), 1)
    1099.1
    >>> law.holds(1024, sigma_J="1/100")
    True
    """
    return PlateauLength(plateau(model))


def relaxation_ratio(M: sp.Expr) -> sp.Expr:
    """Relaxation rate per eta lam over escape rate per eta T_2: (2M - 1)(2M + 1)."""
    return _relaxation_ratio().subs(UNITS, M)


@cache
def _relaxation_ratio() -> sp.Expr:
    """Damping -(A + (M-1) a) of all overlaps together over the feedback of specialisation."""
    model = TeacherStudent(UNITS, UNITS)
    sector = SymmetricSector(order_parameter_odes(model, gradient_flow=True))
    point = plateau(model)
    diagonal, off, _ = sector.drift
    ratio = -(diagonal + (UNITS - 1) * off) / sector.coupling
    # SymPy takes roots of 2M - 1 apart once it knows that they are real.
    half = sp.Symbol("m", positive=True)
    at_point = ratio.subs({P: point.Q, Q: point.Q, R: point.R}).subs(UNITS, half + sp.S.Half)
    return sp.factor(sp.simplify(at_point).subs(half, UNITS - sp.S.Half))
