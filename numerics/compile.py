"""SymPy order-parameter equations to callables: float64 (numba), any precision (flint), Taylor.

Summary
    One source text per activation and form, generated from the index notation that is printed in
    the documents, is run on three kinds of number: float64 through numba (cached on disk),
    arbitrary-precision balls through python-flint, and heyoka expressions, which turns the same
    loops into the graph of a Taylor integrator.

Notation
    c[k,f,h] overlaps per eigenspace (or moment), u = "lam c", C their sum, D and G the drift and
    noise; s signed output weights; see `theory.symbols`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from theory.deviations import Deviations
from theory.forms import ModeForm, MomentForm
from theory.models import Activation, PowerLaw, TeacherStudent
from theory.online import OrderParameterODE
from theory.spectra import Spectrum
from theory.symbols import C, D, G, f, h, i, j, n, u

from .codegen import assignment, kernel_function, reduction, triangular
from .gauss import gauss_source
from .measure import eigenvalues_and_weights
from .targets import HeyokaTarget, NumbaTarget, Target

__all__ = [
    "CompiledODE",
    "Form",
    "average_source",
    "compile_ode",
    "deviation_source",
    "linear_source",
    "require_numbers",
]

Form = ModeForm | MomentForm

_SIZES = {name: sp.Symbol(name, integer=True, positive=True) for name in ("K", "M", "L")}
_NUMBERS = {name: sp.Symbol(name, positive=True) for name in ("eta", "label_noise", "weight_decay")}


def _generic(activation: Activation, gradient_flow: bool) -> OrderParameterODE:
    """The equations with every size and number a symbol: one text serves all models."""
    spectrum = PowerLaw(beta=sp.Symbol("beta", positive=True), L=_SIZES["L"])
    return OrderParameterODE(
        TeacherStudent(
            K=_SIZES["K"], M=_SIZES["M"], activation=activation, spectrum=spectrum, **_NUMBERS
        ),
        gradient_flow,
    )


@functools.cache
def average_source(activation: Activation, gradient_flow: bool) -> str:
    """Text of ``coefficients`` (D and G from C) and ``generalization_error``, for any K and M.

    Raises
    ------
    NoClosedForm, UnsupportedFunction
        If a Gaussian average has no closed form, or one that cannot be translated.
    """
    ode = _generic(activation, gradient_flow)
    parts = [kernel_function(function.__name__, kernel) for function, kernel in ode.kernels.items()]
    error, noise = (triangular(e, ode.kernels, C) for e in (ode.indexed_error, ode.indexed_noise))
    parts.append(_function("generalization_error", "K, M, s, C", reduction(error)))
    parts.append(
        _function(
            "coefficients",
            "K, M, label_noise, s, C, D, G",
            assignment(D[i, f], ode.indexed_drift, [("i", "K"), ("f", "K + M")])
            + (
                []
                if gradient_flow
                else assignment(G[i, j], noise, [("i", "K"), ("j", "i, K")], True, ode.kernels)
            ),
        )
    )
    return "\n\n".join(parts)


@functools.cache
def deviation_source(activation: Activation, gradient_flow: bool, digits: int) -> str:
    """The same functions near the perfect student, for any K = M (`theory.deviations`).

    C = [[V, A], [A^T, T]] is then the covariance of the deviations and of the teachers' fields, and
    D = [D^x | D^x + D^y]. The integrals along the way are computed to `digits` - 2 digits of eps_g
    (`numerics.gauss`).

    Raises
    ------
    NoClosedForm, UnsupportedFunction
        If a Gaussian average has no closed form, or one that cannot be translated.
    """
    K, number = _SIZES["K"], _NUMBERS["label_noise"]
    equations = Deviations(TeacherStudent(K, K, activation, label_noise=number), gradient_flow)
    parts = [gauss_source(digits)]
    parts += [kernel_function(kernel.__name__, e) for kernel, e in equations.kernels.items()]
    error, drift, excess, noise = (
        equations.compiled(e)
        for e in (
            equations.indexed_error,
            equations.indexed_drift,
            equations.indexed_excess,
            equations.indexed_noise,
        )
    )
    nodes = ["first, last = gauss_nodes(K, s, C)"]
    body = assignment(D[i, j], drift, [("i", "K"), ("j", "K")])
    body += assignment(D[i, K + n], excess, [("i", "K"), ("n", "K")])
    if not gradient_flow:
        body += assignment(G[i, j], noise, [("i", "K"), ("j", "i, K")], symmetric=True)
    settled = [*nodes, "return error_between(K, s, C, first, last)"]
    parts.append(_function("error_between", "K, s, C, first, last", reduction(error)))
    parts.append(_function("generalization_error", "K, M, s, C", settled))
    parts.append(_function("coefficients", "K, M, label_noise, s, C, D, G", nodes + body))
    return "\n\n".join(parts)


@functools.cache
def linear_source(moments: bool, gradient_flow: bool) -> str:
    """Text of ``fields`` (C from c) and ``rates`` (dc/dalpha given D and G), for any K, M, L."""
    ode = _generic(Activation("linear"), gradient_flow)
    form = ode.moments() if moments else ode.modes()
    a, arrays = form.index, "lam, w, S, nu"
    dc = sp.IndexedBase("dc")
    return "\n\n".join(
        [
            _function(
                "fields",
                f"K, M, L, {arrays}, c, u, C",
                assignment(u[a, f, h], form.shift, [(str(a), "L"), ("f", "K + M"), ("h", "K + M")])
                + assignment(C[f, h], form.closure, [("f", "K + M"), ("h", "K + M")]),
            ),
            _function(
                "rates",
                f"K, M, L, eta, weight_decay, {arrays}, c, u, D, G, dc",
                assignment(
                    dc[a, i, h],
                    form.student_teacher,
                    [(str(a), "L"), ("i", "K"), ("h", "K, K + M")],
                )
                + assignment(
                    dc[a, i, j],
                    form.student_student,
                    [(str(a), "L"), ("i", "K"), ("j", "i, K")],
                    symmetric=True,
                ),
            ),
        ]
    )


def _function(name: str, arguments: str, body: list[str]) -> str:
    return f"def {name}({arguments}):\n" + "".join(f"    {line}\n" for line in body)


@dataclass(frozen=True, eq=False)
class CompiledODE:
    """The right-hand side of one model for one kind of number.

    ``rates(c)`` maps overlaps c (L, K+M, K+M) to dc/dalpha of the student entries (L, K, K+M);
    ``error(c)`` gives eps_g; ``fields(c)`` the covariance C.
    """

    form: Form
    target: Target
    functions: dict[str, Callable[..., Any]]
    constants: dict[str, Any]

    @property
    def sizes(self) -> tuple[int, int, int]:
        """K, M, L."""
        model = self.form.ode.model
        return int(model.K), int(model.M), int(model.spectrum.L)

    def shifted(self, overlaps: Any) -> tuple[Any, Any]:
        """Return u, "lam times c", and the covariance C of the fields."""
        K, M, L = self.sizes
        k = self.constants
        u, covariance = self.target.zeros(L, K + M, K + M), self.target.zeros(K + M, K + M)
        self.functions["fields"](
            K, M, L, k["lam"], k["w"], k["S"], k["nu"], overlaps, u, covariance
        )
        return u, covariance

    def fields(self, overlaps: Any) -> Any:
        """C = [[Q, R], [R^T, T]] from the overlaps."""
        return self.shifted(overlaps)[1]

    def coefficients(self, covariance: Any) -> tuple[Any, Any]:
        """D (K, K+M) and G (K, K) at a covariance of the fields."""
        K, M, _ = self.sizes
        drift, noise = self.target.zeros(K, K + M), self.target.zeros(K, K)
        self.functions["coefficients"](
            K, M, self.constants["label_noise"], self.constants["s"], covariance, drift, noise
        )
        return drift, noise

    def rates(self, overlaps: Any) -> Any:
        """dc/dalpha of the student entries, shape (L, K, K+M)."""
        u, covariance = self.shifted(overlaps)
        drift, noise = self.coefficients(covariance)
        return self.combine(overlaps, u, drift, noise)

    def combine(self, overlaps: Any, u: Any, drift: Any, noise: Any) -> Any:
        """dc/dalpha given D and G (which may come from quadrature)."""
        K, M, L = self.sizes
        k = self.constants
        result = self.target.zeros(L, K, K + M)
        self.functions["rates"](
            K,
            M,
            L,
            k["eta"],
            k["weight_decay"],
            k["lam"],
            k["w"],
            k["S"],
            k["nu"],
            overlaps,
            u,
            drift,
            noise,
            result,
        )
        return result

    def error(self, overlaps: Any) -> Any:
        """eps_g from the overlaps."""
        K, M, _ = self.sizes
        covariance = self.fields(overlaps)
        return self.functions["generalization_error"](K, M, self.constants["s"], covariance)

    def errors(self, states: Any) -> Any:
        """eps_g (T,) of many states (T, L, K+M, K+M)."""
        return np.array([self.error(c) for c in states])


def compile_ode(
    form: Form,
    target: Target,
    digits: int = 17,
    averages: bool = True,
    deviations: bool = False,
) -> CompiledODE:
    """Compile a form of the equations for one kind of number.

    Parameters
    ----------
    form : ModeForm or MomentForm
        Of a model whose parameters are all numbers.
    target : Target
    digits : int
        Digits to which irrational constants (eigenvalues, output weights) are evaluated first.
    averages : bool
        Whether D, G and eps_g are compiled too; without, only what is linear in the overlaps.
    deviations : bool
        Whether the overlaps are those of J - B and B, [[d, a], [a^T, t]] with a = r - t and
        d = q - r - r^T + t, K = M: near the perfect student the rates and eps_g then have `digits`
        digits relative to themselves (`theory.deviations`).

    Raises
    ------
    ValueError
        If the model contains symbols, or has no deviations (K != M, weight decay).
    TypeError
        If deviations are to be traced by heyoka.
    NoClosedForm, UnsupportedFunction
        If the activation's Gaussian averages have no closed form or no translation.
    """
    require_numbers(form.ode.model)
    form.ode.model.require_plain("compile_ode")
    flow, activation = form.ode.gradient_flow, form.ode.model.activation
    functions = dict(target.load(linear_source(isinstance(form, MomentForm), flow)))
    if deviations:
        form.ode.deviations()  # refuses models without
        if isinstance(target, HeyokaTarget):
            raise TypeError(
                "deviations choose their quadrature by their size, which a traced expression does "
                "not have: use NumbaTarget or FlintTarget"
            )
        functions |= target.load(deviation_source(activation, flow, digits))
    elif averages:
        functions |= target.load(average_source(activation, flow))
    return CompiledODE(form, target, functions, _constants(form, target, digits))


def require_numbers(model: TeacherStudent) -> None:
    """Check that no parameter of the model is a symbol.

    Raises
    ------
    ValueError
        If one is; the message lists the symbols.
    """
    given = [model.K, model.M, model.eta, model.label_noise, model.weight_decay]
    given += [model.preconditioner, model.spectrum]
    unknown = sorted({str(symbol) for e in given for symbol in e.free_symbols})
    if unknown:
        raise ValueError(
            f"the model still contains the symbols {unknown}: give them values with "
            "model.replace(...) before integrating"
        )


def _constants(form: Form, target: Target, digits: int) -> dict[str, Any]:
    model = form.ode.model
    values, weights = _spectrum(model.spectrum, target, digits)
    constants = {
        "eta": target.number(model.eta),
        "label_noise": target.number(model.label_noise),
        "weight_decay": target.number(model.weight_decay),
        "s": target.array(form.ode.signed_weights()),
        "lam": values,
        "w": weights,
        "S": target.zeros(1, 1),
        "nu": values,
    }
    if isinstance(form, MomentForm):
        numbers = form.numbers(digits + 5)
        constants["S"] = target.array(numbers.companion)
        constants["nu"] = target.array(numbers.noise_weights)
    return constants


def _spectrum(spectrum: Spectrum, target: Target, digits: int) -> tuple[Any, Any]:
    if isinstance(target, NumbaTarget):
        # Copies: compiled loops see read-only arrays as another type.
        lam, w = eigenvalues_and_weights(spectrum)
        return lam.copy(), w.copy()
    values, weights = spectrum.values(digits + 5)
    return target.array(values), target.array(weights)
