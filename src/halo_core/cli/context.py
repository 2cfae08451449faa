"""Room: what the verbs share: options, exit codes, printing. Takes: values. Gives: text. Never: reads a store."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from enum import IntEnum
from pathlib import Path
from typing import IO, Annotated, Any, Final, cast

import typer
from rich.console import Console
from rich.text import Text

from halo_core.errors import HaloError
from halo_core.home import default_home, default_url
from halo_core.model import Effect

__all__ = [
    "EFFECT_STYLE",
    "DbOption",
    "Exit",
    "HomeOption",
    "JsonOption",
    "TenantOption",
    "console",
    "fail",
    "print_json",
    "resolve_store",
]


class Exit(IntEnum):
    """Exit codes of `halo`."""

    OK = 0
    FAILED = 1
    CANNOT_TELL = 2
    DENIED = 10
    TAMPERED = 11
    REPLAY_DIFFERS = 12
    GAP = 13
    USAGE = 64


DbOption = Annotated[str, typer.Option("--db", metavar="URL", help="SQLAlchemy URL of the store.", show_default=False)]
HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder with keys, trusted keys and anchor (default: HALO_HOME, else .halo)."),
]
TenantOption = Annotated[
    str | None, typer.Option("--tenant", help="Tenant of the log; required if the store has several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_PIPED_WIDTH: Final = 200
_MIN_WIDTH: Final = 20
_BLANKS: Final = re.compile(r"[ \t]+(?=\n)")

EFFECT_STYLE = {
    Effect.ALLOW.value: "green",
    Effect.MONITOR.value: "cyan",
    Effect.RESTRICT.value: "yellow",
    Effect.CHALLENGE.value: "magenta",
    Effect.DENY.value: "bold red",
}


# Control characters and those that reorder text; tab and newline stay.
_VISIBLE_ESCAPES: Final = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


class _Console(Console):
    """Shows what would act on the terminal instead of printing it: the words are often somebody else's."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(text.translate(_VISIBLE_ESCAPES), **options)


class _TrailingBlankStripper:
    """A stream that ends no line in blanks: tables fill their cells, and whoever pipes them reads lines."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write it without the blanks before each line's end."""
        self._stream.write(_BLANKS.sub("", text))
        return len(text)


def console(*, stderr: bool = False) -> Console:
    """A console; colours only on a terminal. What is piped is folded only where `COLUMNS` says how wide."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What is printed may hold bytes that somebody put into a database: shown, never raised over.
            stream.reconfigure(errors="backslashreplace")
    stream = sys.stderr if stderr else sys.stdout
    if stream.isatty():
        return _Console(stderr=stderr, highlight=False)
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isascii() and columns.isdigit() and int(columns) >= _MIN_WIDTH else 0
    file = cast("IO[str]", _TrailingBlankStripper(stream))
    return _Console(file=file, highlight=False, soft_wrap=not width, width=width or _PIPED_WIDTH)


def resolve_store(home: Path | None, db: str) -> tuple[Path, str]:
    """Home and URL with their defaults."""
    folder = home if home is not None else default_home()
    return folder, db or default_url(folder)


def print_json(value: Any) -> None:
    """One JSON document on stdout, untouched by colours or folding; ASCII, so that no byte in it can break it."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True) + "\n")
    sys.stdout.flush()


def fail(error: HaloError, code: int) -> int:
    """Say what went wrong and what to do, on stderr."""
    out = console(stderr=True)
    field = getattr(error, "field", "")
    out.print(f"[bold red]error[/] {f'{field}: ' if field else ''}", end="")
    out.print(error.message, markup=False, end="")
    out.print(f" \\[{error.code}]")
    if error.remedy:
        out.print("  try: ", end="")
        out.print(error.remedy, markup=False)
    return code
