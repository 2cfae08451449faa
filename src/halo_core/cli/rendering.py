"""How verbs print: exit codes, consoles, JSON, errors, tables.

A verb prints through `console()`, which colours only on a terminal and escapes control characters. Text that Halo did
not write, such as that of models and documents, goes through `safe_text`, so that none of it is markup.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import IO, Any, Final, cast

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from halo_core.errors import HaloError
from halo_core.reasons import get_reason_text
from halo_core.views import to_json
from halo_core.views.wording import escape_unprintable

_PIPED_WIDTH: Final = 200
_MIN_WIDTH: Final = 20
_BLANKS: Final = re.compile(r"[ \t]+(?=\n)")


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


EFFECT_STYLE: Final = {
    "allow": "green",
    "monitor": "cyan",
    "restrict": "yellow",
    "challenge": "magenta",
    "deny": "bold red",
}
CHANGE_STYLE: Final = {"+": "green", "-": "red", "~": "yellow"}
RISK_BANDS: Final = ("ordinary", "[yellow]elevated[/]", "[bold red]high[/]")
PASSED_MARKS: Final = {True: "[green]✓[/]", False: "[bold red]✗[/]", None: "[dim]-[/]"}

# Control characters and those that reorder text; tab and newline stay.
_VISIBLE_ESCAPES: Final = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


class _Console(Console):
    """Escapes control characters in markup, which often contains text that Halo did not write."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(text.translate(_VISIBLE_ESCAPES), **options)


class _TrailingBlankStripper:
    """A stream that removes blanks at line ends, with which tables fill their cells; for output that is piped."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text without blanks at line ends; returns the length of the text."""
        self._stream.write(_BLANKS.sub("", text))
        return len(text)


def console(*, stderr: bool = False) -> Console:
    """A console that colours only on a terminal. Piped output is folded only if `COLUMNS` gives a width."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Text from a database may contain what the stream cannot encode, which must not raise.
            stream.reconfigure(errors="backslashreplace")
    stream = sys.stderr if stderr else sys.stdout
    if stream.isatty():
        return _Console(stderr=stderr, highlight=False)
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isascii() and columns.isdigit() and int(columns) >= _MIN_WIDTH else 0
    file = cast("IO[str]", _TrailingBlankStripper(stream))
    return _Console(file=file, highlight=False, soft_wrap=not width, width=width or _PIPED_WIDTH)


def _show_escapes(text: str) -> Text:
    """A text without markup, whose lines stay lines; other control characters are escaped."""
    return Text(text.translate(_VISIBLE_ESCAPES))


def safe_text(text: str, style: str = "") -> Text:
    """A text that Halo did not write, for a terminal: without markup, with control characters escaped."""
    return Text(escape_unprintable(text), style=style)


def build_table(
    titles: Sequence[str], *, right: Iterable[str] = (), no_wrap: Iterable[str] = (), gap: int = 1
) -> Table:
    """A table without lines, whose cells fold unless their column is in `no_wrap`.

    Args:
        titles: titles of the columns.
        right: titles of the columns that are aligned to the right.
        no_wrap: titles of the columns whose cells stay on one line.
        gap: blanks between columns.
    """
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0) if gap > 1 else (0, 1))
    for title in titles:
        justify = "right" if title in right else "left"
        table.add_column(title, overflow="fold", no_wrap=title in no_wrap, justify=justify)  # type: ignore[arg-type]
    return table


def say(*parts: RenderableType) -> None:
    """Print a line on stdout, one part after the other. A string is markup; use `safe_text` for other text.

    The parts are wrapped for the terminal together, so print a whole line with one call.
    """
    console().print(*parts, sep="")


def say_with_path(text: str, style: str = "") -> None:
    """Print a text with a path on stdout, wrapped only between words, so that the path can be copied whole."""
    out = console()
    for line in [escape_unprintable(text)] if out.soft_wrap else _wrap_words(escape_unprintable(text), out.width):
        out.print(Text(line, style), soft_wrap=True)


def wrap_question(text: str, answer: str) -> str:
    """A question wrapped for the terminal, with room after it for its usual answer in brackets."""
    room = "\xa0" * len(f" [{answer}]: ")  # no place to break at
    return "\n".join(_wrap_words(escape_unprintable(text) + room, console().width)).rstrip("\xa0")


def _wrap_words(text: str, width: int) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip(" ")))
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def say_plainly(text: str) -> None:
    """Print a text on stdout in which nothing is markup."""
    console().print(text, markup=False)


def build_field_table(rows: Iterable[Sequence[RenderableType]], *columns: dict[str, Any]) -> Table:
    """A table of names and values that fold, a line each.

    Args:
        rows: name, a cell for each of `columns`, and value.
        columns: options (of `Table.add_column`) of columns between names and values.
    """
    table = Table(show_header=False, box=None, pad_edge=False)
    for options in ({"style": "dim", "no_wrap": True}, *columns, {"overflow": "fold"}):
        table.add_column(**options)
    for row in rows:
        table.add_row(*row)
    return table


def print_json(value: Any, *, compact: bool = False) -> None:
    """Print a value on stdout as one JSON document in ASCII, without colours or folding.

    Args:
        value: what is printed.
        compact: whether it is printed on one line.
    """
    sys.stdout.write(json.dumps(to_json(value), indent=None if compact else 2, sort_keys=True) + "\n")
    sys.stdout.flush()


def print_note(text: str) -> None:
    """A note on stderr."""
    console(stderr=True).print("[yellow]note[/]: ", safe_text(text), sep="")


def fail(error: HaloError, code: int) -> int:
    """Print an error and its remedy on stderr; returns the exit code `code`, or USAGE for a faulty manifest."""
    out = console(stderr=True)
    findings = getattr(error, "findings", None)
    if findings is not None:  # everything that is wrong with a manifest
        for finding in findings:
            out.print("[bold red]error[/] ", safe_text(finding.text(error.source)), sep="")  # type: ignore[attr-defined]
            if finding.remedy:
                out.print("  try: ", safe_text(finding.remedy), sep="")
        return Exit.USAGE
    field = getattr(error, "field", "")
    place = f"{field}: " if field else ""
    out.print("[bold red]error[/] ", place, _show_escapes(error.message), f" \\[{error.code}]", sep="")
    remedy = error.remedy or get_reason_text(error.code).remedy
    if remedy:
        out.print("  try: ", _show_escapes(remedy), sep="")
    return code
