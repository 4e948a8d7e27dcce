"""Named arrays on disk, float64 or mpf, with a JSON header: no pickle, written all or nothing.

mpf are stored as decimal strings with enough digits to read back to the same binary number.
"""

from __future__ import annotations

import json
import math
import os
import uuid
import zipfile
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

__all__ = ["plain_json", "read_arrays", "write_arrays"]

Array = NDArray[Any]


def plain_json(notes: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a copy of `notes` as it will be read back from disk.

    Raises
    ------
    TypeError
        If it is not a dict of plain JSON values.
    """
    if not isinstance(notes, dict):
        raise TypeError(f"{name}: the provenance must be a dict, found {notes!r}")
    try:
        return dict(json.loads(json.dumps(notes, allow_nan=False)))
    except (TypeError, ValueError) as problem:
        raise TypeError(f"{name}: the provenance must hold plain JSON values: {problem}") from None


def write_arrays(
    path: str | os.PathLike[str], kind: str, arrays: dict[str, Array], header: dict[str, Any]
) -> Path:
    """Write an .npz file of the given kind; return its path.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot save {path.name}: there is no folder {path.parent}")
    plain, bits = _without_objects(arrays)
    head = json.dumps({"kind": kind, "bits": bits, **header}, allow_nan=False)
    contents: dict[str, Any] = {"header": np.array(head), **plain}
    # In the same folder, so that the rename is atomic: a reader never sees half a file.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as stream:
            np.savez_compressed(stream, **contents)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def read_arrays(
    path: str | os.PathLike[str], kind: str, names: tuple[str, ...]
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read the arrays `names` and the header of a file written by `write_arrays`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file was not written as this kind.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path} to load a {kind} from")
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as data:
            header = json.loads(str(data["header"]))
            found = header.pop("kind")
            bits = header.pop("bits")
            arrays = {name: data[name] for name in names}
    except (
        KeyError,
        TypeError,
        ValueError,
        EOFError,
        AttributeError,
        zipfile.BadZipFile,
    ) as problem:
        raise ValueError(
            f"{path} is not a saved {kind} ({type(problem).__name__}): "
            "read it with the program that wrote it"
        ) from None
    if found != kind:
        raise ValueError(f"{path} holds a {found}, not a {kind}")
    if bits is not None:
        with mp.workprec(bits):
            arrays = {n: _to_mpf(a) if a.dtype.kind == "U" else a for n, a in arrays.items()}
    return arrays, header


def _to_mpf(text: Array) -> Array:
    return np.asarray(np.frompyfunc(mp.mpf, 1, 1)(text.astype(object)), dtype=object)


def _without_objects(arrays: dict[str, Array]) -> tuple[dict[str, Array], int | None]:
    """Arrays with mpf as text, and the precision in bits that reads the text back exactly."""
    numbers = [x for a in arrays.values() if a.dtype == object for x in a.flat]
    if not numbers:
        return arrays, None
    bits = max(int(x.man).bit_length() for x in numbers) + 1
    digits = math.ceil(bits * math.log10(2)) + 2
    to_text = np.frompyfunc(lambda x: mp.nstr(x, digits), 1, 1)
    return {n: to_text(a).astype(str) if a.dtype == object else a for n, a in arrays.items()}, bits
