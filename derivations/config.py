"""What ``specscale run`` computes: a configuration from options and TOML, kept exact.

Summary
    Numbers stay the text they were written as ("1/10", 0.1 in a TOML file) until SymPy reads them,
    so that nothing is rounded on the way. The keys of the file are the names of the options.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theory import Spectrum, TeacherStudent

__all__ = ["RunConfig", "configure", "read_toml"]


@dataclass(frozen=True)
class RunConfig:
    """One run: a model, its start, how far, how precisely, and the simulation beside it.

    Attributes
    ----------
    K, M, eta, activation, scale, label_noise, weight_decay, preconditioner
        As in `theory.TeacherStudent`.
    spectrum : {"isotropic", "power-law", "discrete"}
        "power-law" needs `beta` and `L`, "discrete" needs `eigenvalues` (and takes `weights`).
    alpha : number
        Final time.
    N, sigma_J, seed : int, number, int
        The start is one random draw at input dimension N with this seed.
    digits : int or None
        Integrate in so many digits too.
    runs : int
        Runs of the simulation, from the seed that follows; 0 for none.
    """

    K: Any
    M: Any
    eta: Any
    alpha: Any
    N: int
    activation: str = "erf"
    spectrum: str = "isotropic"
    beta: Any = None
    L: Any = None
    eigenvalues: tuple[Any, ...] | None = None
    weights: tuple[Any, ...] | None = None
    scale: str = "sqrt"
    label_noise: Any = 0
    weight_decay: Any = 0
    preconditioner: Any = 0
    sigma_J: Any = "1/100"
    seed: int = 0
    digits: int | None = None
    runs: int = 16

    def model(self) -> TeacherStudent:
        """The model.

        Raises
        ------
        ValueError, TypeError
            If a parameter is missing, superfluous or out of its range; the message names it.
        """
        from theory import Activation, TeacherStudent

        return TeacherStudent(
            K=self.K,
            M=self.M,
            activation=Activation(self.activation),
            spectrum=self._spectrum(),
            eta=self.eta,
            scale=self.scale,
            label_noise=self.label_noise,
            weight_decay=self.weight_decay,
            preconditioner=self.preconditioner,
        )

    def _spectrum(self) -> Spectrum:
        from theory import Discrete, Isotropic, PowerLaw

        takes = {
            "isotropic": ((), ()),
            "power-law": (("beta", "L"), ()),
            "discrete": (("eigenvalues",), ("weights",)),
        }
        if self.spectrum not in takes:
            raise ValueError(f"unknown spectrum {self.spectrum!r}: use one of {', '.join(takes)}")
        needed, optional = takes[self.spectrum]
        for name in needed:
            if getattr(self, name) is None:
                raise ValueError(f"spectrum {self.spectrum} needs {name}: give it")
        for name in ("beta", "L", "eigenvalues", "weights"):
            if name not in (*needed, *optional) and getattr(self, name) is not None:
                raise ValueError(
                    f"spectrum {self.spectrum} does not take {name}: leave it out, or choose the "
                    f"spectrum (one of {', '.join(takes)}) that does"
                )
        if self.spectrum == "power-law":
            return PowerLaw(self.beta, self.L)
        if self.spectrum == "discrete":
            return Discrete(self.eigenvalues or (), self.weights)
        return Isotropic()

    def toml(self) -> str:
        """The configuration as a TOML file that `read_toml` reads back."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return "".join(
            f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
            for name, value in values.items()
            if value is not None
        )


def configure(values: Mapping[str, Any]) -> RunConfig:
    """A configuration from the values given.

    Raises
    ------
    ValueError
        If something required is missing.
    """
    missing = [f.name for f in fields(RunConfig) if f.default is MISSING and f.name not in values]
    if missing:
        options = " ".join(f"--{name}" for name in missing)
        raise ValueError(
            f"not given: {', '.join(missing)}; use {options}, or the same keys in a TOML file"
        )
    return RunConfig(**values)


def read_toml(path: Path) -> dict[str, Any]:
    """The values in a TOML file; decimals stay text, lists become tuples.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not TOML, or has a key that `RunConfig` does not know.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except ValueError as problem:
        raise ValueError(f"{path} is not valid TOML: {problem}") from None
    known = [f.name for f in fields(RunConfig)]
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"{path} has the unknown key {key!r}{hint}; known: {', '.join(known)}")
        if isinstance(value, dict):
            raise ValueError(f"{path}: {key} must be a value, found a table")
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
