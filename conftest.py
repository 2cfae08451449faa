"""Runs the examples of README.md and docs/*.md as tests, in order, each document in a folder of its own.

    ```python   first line `# name.py`: the file is written; otherwise the block is executed
    ```cedar    first line `// path`: the file is written
    ```toml     first line `# path`: the file is written; ```yaml likewise, if it names one
    ```console  each `$ command` is run; what follows is what it prints, `...` standing for anything

Times, ids, hashes, counts of checks and the spacing of columns differ from run to run, and are not compared. A block
marked `sh` is for a machine that has nothing yet (git, make, pip) and is not run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

ROOT: Final = Path(__file__).parent
_NAMED: Final = re.compile(r"(?:#|//) (?P<path>[\w./-]+\.(?:py|cedar|toml|yaml))\n")
_TIMEOUT_S: Final = 120
_MOVING: Final = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "HEX"),
    (re.compile(r"\b\d+ right"), "N right"),
    (re.compile(r"[ \t]+"), " "),
)
_FOLDER: Final = "_folder"
_DONE: Final = "_done"


def _open(namespace: dict[str, Any]) -> None:
    namespace[_FOLDER] = (Path(tempfile.mkdtemp(prefix="halo-docs-")), Path.cwd())
    namespace[_DONE] = set()
    folder = namespace[_FOLDER][0] / "work"
    folder.mkdir()
    _commands(namespace[_FOLDER][0])
    os.chdir(folder)


def _close(namespace: dict[str, Any]) -> None:
    folder, before = namespace[_FOLDER]
    os.chdir(before)
    shutil.rmtree(folder, ignore_errors=True)
    namespace.clear()


def _commands(folder: Path) -> None:
    """`halo` and `python` as a reader's shell would find them, whether or not the package is installed."""
    halo = 'import sys; sys.argv[0] = "halo"; from halo_core.cli import main; main()'
    for name, code in (("python", ""), ("halo", f"-c '{halo}'")):
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {code} "$@"\n', encoding="utf-8")
        path.chmod(0o755)


def _in_order(evaluate: Callable[[Example], None]) -> Callable[[Example], None]:
    """Run what stands before an example first: a test runner may pick any, or share them out among processes."""

    def run(example: Example) -> None:
        done = example.namespace[_DONE]
        for earlier in example.document.examples():
            if earlier.start < example.start and earlier.start not in done:
                earlier.evaluate()
        if example.start not in done:
            done.add(example.start)
            evaluate(example)

    return run


def _write(example: Example) -> bool:
    named = _NAMED.match(example.parsed)
    if named is None:
        return False
    path = Path(named["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(example.parsed, encoding="utf-8")
    return True


def _python(example: Example) -> None:
    if not _write(example):
        PythonEvaluator()(example)


def _file(example: Example) -> None:
    if not _write(example):
        raise AssertionError("the first line must be a comment that names the file")


def _console(example: Example) -> None:
    for command, expected in _transcript(example.parsed):
        printed = _shell(command, example.namespace[_FOLDER][0])
        if not _alike(expected, printed):
            raise AssertionError(f"$ {command}\n--- the document says\n{expected}\n--- it prints\n{printed}")


def _transcript(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        end = next((i for i, line in enumerate(lines) if not line.endswith("\\")), len(lines) - 1)
        yield "\n".join(lines[: end + 1]), "\n".join(lines[end + 1 :])


def _shell(command: str, folder: Path) -> str:
    path = os.pathsep.join((str(folder), os.environ.get("PATH", os.defpath)))
    found = os.pathsep.join(filter(None, (str(ROOT / "src"), os.environ.get("PYTHONPATH", ""))))
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("HALO_", "COV_"))},
        "PATH": path,
        "PYTHONPATH": found,
        "PYTHONUNBUFFERED": "1",
    }
    done = subprocess.run(  # noqa: S603  the commands are those of our own documents
        ["/bin/sh", "-c", f"exec 2>&1\n{command}"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    return done.stdout


def _alike(expected: str, printed: str) -> bool:
    pattern = re.escape(_still(expected)).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, _still(printed), re.DOTALL) is not None


def _still(text: str) -> str:
    for moving, word in _MOVING:
        text = moving.sub(word, text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


pytest_collect_file = Sybil(
    parsers=[
        CodeBlockParser("python", _in_order(_python)),
        CodeBlockParser("console", _in_order(_console)),
        CodeBlockParser("cedar", _in_order(_file)),
        CodeBlockParser("toml", _in_order(_file)),
        CodeBlockParser("yaml", _in_order(lambda example: _write(example) and None)),
    ],
    patterns=["README.md", "docs/*.md"],
    setup=_open,
    teardown=_close,
).pytest()
