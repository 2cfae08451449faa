"""Standard output and standard error that may end before a verb does.

A verb of `halo` that changes something prints while it works. `keep_going` makes it go on where nobody reads what it
prints (`halo enforce --yes | head -1`), the disk is full, or the stream is closed: the change does not depend on it.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import typer

from halo_core.errors import ConfigError

_GONE: Final = (errno.EPIPE, errno.EIO)
"""Nobody reads any longer: a pipe was closed, or a terminal hung up."""
_YES_OR_NO: Final = {"y": True, "yes": True, "n": False, "no": False}


class _SteadyFile(io.FileIO):
    """A file that drops what it cannot write, after the first error.

    Args:
        descriptor: the descriptor of the stream; it stays open.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.problem: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write bytes, or drop them; returns how many."""
        if self.problem is None:
            try:
                return super().write(data)
            except OSError as exc:
                self.problem = exc
        return memoryview(data).nbytes


_files: Final[dict[str, _SteadyFile]] = {}
"""By the name of the stream in `sys`."""


def keep_going() -> None:
    """Replace both streams of the process by ones whose errors do not end a verb."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it was closed before the process began
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  open to the end
            continue
        binary = getattr(stream, "buffer", None)
        if name in _files or not isinstance(getattr(binary, "raw", binary), io.FileIO):
            continue  # a console of Windows, or a stream of a program that runs verbs itself
        stream.flush()
        file = _files[name] = _SteadyFile(stream.fileno())
        steady = io.TextIOWrapper(
            io.BufferedWriter(file),
            encoding=stream.encoding,
            errors="backslashreplace",  # text from a database may contain what the stream cannot encode
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        setattr(sys, name, steady)


def is_lost() -> bool:
    """Whether standard output takes nothing any longer, so that a verb that only prints may end."""
    return "stdout" in _files and _files["stdout"].problem is not None


def find_problem() -> str:
    """Why output is incomplete although somebody may be waiting for it, such as a full disk; empty for no problem."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    problem = _files["stdout"].problem if "stdout" in _files else None
    if problem is None or problem.errno in _GONE:
        return ""
    return problem.strerror or str(problem)


def confirm(question: str, *, default: bool = False) -> bool:
    """Ask a question with yes or no; `default` is the usual answer. Returns whether it was confirmed.

    Raises:
        ConfigError: `not_shown`, the question could not be shown, so that no answer counts.
    """
    answer = not is_lost() and _ask_yes_or_no(question, default=default)
    if is_lost():
        problem = "the question could not be shown, since standard output takes nothing; nothing was changed"
        raise ConfigError(
            "not_shown", problem, field="output", remedy="run it on a terminal, or see its option `--yes`"
        )
    return answer


def _ask_yes_or_no(question: str, *, default: bool) -> bool:
    words = f"{question} [{'Y/n' if default else 'y/N'}]"
    while True:
        text: str = typer.prompt(words, default="", show_default=False)
        answer = _YES_OR_NO.get(text.strip().lower(), default if not text.strip() else None)
        if answer is not None or is_lost():
            return bool(answer)
        typer.echo(f"please answer with y for yes or n for no; Enter alone is {'yes' if default else 'no'}")
