"""The code in README.md, so that what is tested is what is printed there.

    python .ci/readme.py NAME             print the shell commands marked <!-- ci: NAME -->
    python .ci/readme.py script           run the Python script; its output must be the one shown
    python .ci/readme.py script FIGURE    the same, and save its figure as FIGURE (png)

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


def main(arguments: list[str]) -> None:
    """Carry out the command line described above."""
    if arguments[:1] == ["script"]:
        print(run_script(Path(arguments[1]).resolve() if arguments[1:] else None), end="")
    elif len(arguments) == 1 and arguments[0] in blocks():
        print(blocks()[arguments[0]], end="")
    else:
        raise SystemExit(f"usage: readme.py NAME, one of {', '.join(blocks())}")


if __name__ == "__main__":
    main(sys.argv[1:])
