"""Write what the reference pages take from the code: options of all commands, and reason codes.

    python docs/reference_pages.py

It rewrites the part of `reference/cli.md` and `reference/reasons.md` below their mark. A test compares both pages with
the code, so an option without a line there fails it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import typer

MARK: Final = "<!-- Below: written by docs/reference_pages.py -->\n"
_COMMON: Final = ("--home", "--db", "--tenant", "--json")  # told once, above the mark
_FOLDER: Final = Path(__file__).parent / "reference"


def main() -> None:
    """Write each page again."""
    for page, write in PAGES.items():
        path = _FOLDER / page
        path.write_text(render(path.read_text(encoding="utf-8"), write), encoding="utf-8")


def render(page: str, write: Callable[[], Iterator[str]]) -> str:
    """A page with its generated part as the code has it now."""
    return page.partition(MARK)[0] + MARK + "\n" + "\n".join(write()).rstrip("\n") + "\n"


def list_commands() -> Iterator[tuple[str, Any]]:
    """Each command with its whole name, and each group before its commands."""
    yield from _list_commands(typer.main.get_command(importlib.import_module("halo_core.cli.main").app), "halo")


def _list_commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name in sorted(group.commands):
        command = group.get_command(None, name)
        yield f"{path} {name}", command
        if hasattr(command, "commands"):
            yield from _list_commands(command, f"{path} {name}")


def write_commands() -> Iterator[str]:
    """A section for each command, from the parser itself."""
    for path, command in list_commands():
        yield f"{'##' if path.count(' ') == 1 else '###'} `{path}`\n\n{_prose(command.help)}\n"
        if not hasattr(command, "commands"):
            yield from _parameters(command, path)


def _parameters(command: Any, path: str) -> Iterator[str]:
    shown = [item for item in command.params if item.name != "help" and not getattr(item, "hidden", False)]
    arguments = [item for item in shown if not item.opts[0].startswith("-")]
    words = [_placeholder(item) if item.required else f"[{_placeholder(item)}]" for item in arguments]
    yield f"```text\n{' '.join([path, *words, '[OPTIONS]'])}\n```\n"
    yield "| argument or option | |\n|---|---|"
    for item in (item for item in shown if item.opts[0] not in _COMMON):
        names = [name for name in (*item.opts, *item.secondary_opts) if name.startswith("-")]
        value = "" if getattr(item, "is_flag", False) else f" {_placeholder(item)}"
        options = ", ".join(f"`{name}{value}`" for name in names) or f"`{_placeholder(item)}`"
        yield f"| {options} | {_cell(item.help)} |"
    taken = {name for item in shown for name in item.opts}
    if common := ", ".join(f"`{name}`" for name in _COMMON if name in taken):
        yield f"| {common} | As [in all commands](#options-of-many-commands). |"
    yield ""


def _placeholder(item: Any) -> str:
    return str(item.metavar or item.name).upper()


def write_reasons() -> Iterator[str]:
    """The table of reason codes."""
    yield "| code | meaning | what to do |\n|---|---|---|"
    for code, (title, remedy, _) in sorted(importlib.import_module("halo_core.reasons").REASONS.items()):
        yield f"| `{code}` | {_cell(title)} | {_cell(remedy)} |"


def _prose(text: str | None) -> str:
    return " ".join((text or "").replace("<", "&lt;").split())


def _cell(text: str | None) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", _prose(text))


PAGES: Final = {"cli.md": write_commands, "reasons.md": write_reasons}


if __name__ == "__main__":
    main()
