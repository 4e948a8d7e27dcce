"""The code in README.md, so that what is tested is what is printed there.

    python .ci/readme.py NAME             print the shell commands marked <!-- ci: NAME -->
    python .ci/readme.py script           run the Python script; its output must be the one shown
    python .ci/readme.py script FIGURE    the same, and save its figure as FIGURE (png)
    python .ci/readme.py claims           judge all claims, and write their table into README.md

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


def claims_shown() -> str:
    """The table of claims as README.md shows it."""
    return _CLAIMS.findall(README.read_text(encoding="utf-8"))[0]


def claims_now() -> str:
    """The same table, judged now on the cases of ``specscale claims``."""
    from derivations.claims import CLAIMS
    from derivations.claims.judging import judge_claims
    from derivations.claims.table import markdown
    from derivations.stages import Stages

    with Stages() as stages:
        return markdown(judge_claims(CLAIMS, False, stages.over)) + "\n"


def write_claims() -> None:
    """Judge the claims and put their table into README.md."""
    table = claims_now()
    text = README.read_text(encoding="utf-8")
    README.write_text(_CLAIMS.sub(lambda _: table, text, count=1), encoding="utf-8")


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
