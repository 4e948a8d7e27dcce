"""Refuse to run beside a foreign package called theory, numerics or derivations.

The import packages have generic names: a file of the same name earlier on sys.path would shadow
one of them and fail later in a confusing way, or worse, not fail.
"""

from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("theory", "numerics", "derivations")


def check(package: str, file: str) -> None:
    """Check that the sibling packages are the ones installed beside `package`.

    Raises
    ------
    ImportError
        If a sibling is found elsewhere; the message names the file.
    """
    home = Path(file).resolve().parent.parent
    for name in PACKAGES:
        spec = None if name == package else find_spec(name)
        if spec is None:
            continue
        found = Path(spec.origin or next(iter(spec.submodule_search_locations or [""]))).resolve()
        if found.parent not in (home / name, home):
            raise ImportError(
                f"the package {package!r} of specscale in {home} needs its sibling {name!r} from "
                f"the same folder, but Python finds a foreign one: {found}. Rename that file or "
                "folder, or take its folder off sys.path (the current folder is often on it)"
            )
