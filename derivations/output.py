"""Output folders that receive all of their files, or none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["whole_folder"]


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A hidden working folder whose files move into `out` when the block ends without an error.

    Existing files of other names in `out` stay; `out` is made, with its parents, at the end.

    Raises
    ------
    NotADirectoryError, PermissionError
        At once, before any work, if `out` cannot be written.
    """
    home = _existing(out)
    try:
        work = Path(tempfile.mkdtemp(prefix=".specscale-", dir=home))
    except OSError as problem:
        raise PermissionError(
            f"cannot write to {out}: {problem.strerror} in {home}; choose another folder"
        ) from None
    try:
        yield work
        out.mkdir(parents=True, exist_ok=True)
        for path in sorted(work.iterdir()):
            os.replace(path, out / path.name)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _existing(out: Path) -> Path:
    """`out`, or its nearest parent that exists: on the same file system as the result."""
    for folder in (out, *out.absolute().parents):
        if folder.is_dir():
            return folder
        if folder.exists() or folder.is_symlink():
            raise NotADirectoryError(f"cannot write to {out}: {folder} is not a folder")
    raise NotADirectoryError(f"cannot write to {out}: it has no existing parent folder")
