"""The code in README.md, so that what is tested is what is printed there.

    python .ci/readme.py NAME             print the shell commands marked <!-- ci: NAME -->
    python .ci/readme.py script           run the Python script; its output must be the one shown
    python .ci/readme.py script FIGURE    the same, and save its figure as FIGURE (png)
    python .ci/readme.py claims           judge all claims, and write their tables: all of them into
                                          docs/claims.md, `HEADLINES` into README.md

Numbers in the output are compared by their place only: the last digits depend on the processor.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

README = Path(__file__).resolve().parent.parent / "README.md"
CLAIMS = README.parent / "docs" / "claims.md"

HEADLINES = (
    "WR24 order parameters",
    "WR24 linear time exponent",
    "WR24 feature exponent",
    "WR24 compute error",
    "WR24 plateau overlaps",
    "WR24 escape rate",
    "WR24 escape time",
    "WR24 plateau disappears",
    "WR24 erf time exponent",
    "WR24 crossover",
    "here whitening",
    "here preconditioned plateau",
    "BC25 redundancy law",
    "BC25 maps keep law",
    "BC25 transformers linearised",
    "PXZ26 exponent inherited",
    "PXZ26 logarithms",
    "PXZ26 other activations",
)
"""Claims that README.md shows."""

_BLOCK = re.compile(r"<!-- ci: (\w+) -->\n```\w+\n(.*?)```", re.DOTALL)
_CLAIMS = re.compile(r"(?<=<!-- claims -->\n).*?(?=<!-- /claims -->)", re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?")


def blocks() -> dict[str, str]:
    """The marked blocks of README.md by name."""
    return dict(_BLOCK.findall(README.read_text(encoding="utf-8")))


def shape(text: str) -> list[str]:
    """The words of `text`, every number replaced by #."""
    return _NUMBER.sub("#", text).split()


def run_script(figure: Path | None = None) -> str:
    """Run the script in a temporary folder; return what it prints.

    Raises
    ------
    SystemExit
        If the output differs from the one shown by more than its numbers.
    """
    listed, namespace, stream = blocks(), dict[str, Any](), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        with contextlib.redirect_stdout(stream):
            exec(compile(listed["script"], "README.md", "exec"), namespace)
        if not os.path.getsize("learning_curve.pdf"):
            raise SystemExit("the script of README.md wrote no figure")
    if figure is not None:
        namespace["path"].plot(namespace["runs"]).savefig(figure, dpi=130)
    printed = stream.getvalue()
    if shape(printed) != shape(listed["output"]):
        raise SystemExit(f"README.md shows another output than its script prints:\n{printed}")
    return printed


def claims_shown(page: Path = CLAIMS) -> str:
    """The table of claims of a page."""
    return _CLAIMS.findall(page.read_text(encoding="utf-8"))[0]


def claims_now() -> dict[Path, str]:
    """The tables of both pages, judged now on the cases of ``specscale claims``."""
    from derivations.claims import CLAIMS as REGISTRY
    from derivations.claims.judging import judge_claims
    from derivations.claims.table import markdown
    from derivations.stages import Stages

    with Stages() as stages:
        judged = judge_claims(REGISTRY, False, stages.over)
    chosen = [each for each in judged if each.claim.name in HEADLINES]
    return {CLAIMS: markdown(judged) + "\n", README: markdown(chosen) + "\n"}


def write_claims() -> None:
    """Judge the claims and put their tables into the pages."""
    for page, table in claims_now().items():
        text = page.read_text(encoding="utf-8")
        page.write_text(_CLAIMS.sub(lambda _, new=table: new, text, count=1), encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Carry out the command line described above."""
    if arguments[:1] == ["script"]:
        print(run_script(Path(arguments[1]).resolve() if arguments[1:] else None), end="")
    elif arguments == ["claims"]:
        write_claims()
    elif len(arguments) == 1 and arguments[0] in blocks():
        print(blocks()[arguments[0]], end="")
    else:
        raise SystemExit(f"usage: readme.py NAME, one of claims, {', '.join(blocks())}")


if __name__ == "__main__":
    main(sys.argv[1:])
