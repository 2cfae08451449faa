"""Every `halo` command that a page, a docstring or a message shows exists, with the options that it is shown with."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*"), *ROOT.glob("src/**/*.py")]
SHOWN = re.compile(r"`((?:\$ )?halo [^`\n]+)`|^(?:\$ |#? ?)(halo (?!=)[a-z-]+\b[^\n]*)$", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
WORD = re.compile(r"[a-z][a-z-]*")
CUT = re.compile(r"[|;&><#(]|\.\.\.| \$|, ")
ROOT_COMMAND: Any = typer.main.get_command(importlib.import_module("halo_core.cli.main").app)
PLANNED = {"halo serve"}
"""Named as what is not there yet."""
EVERYWHERE = {"--help", "--home", "--db", "--tenant", "--json", "--version"}


def list_shown() -> Iterator[tuple[str, str]]:
    """Each command that a file shows, with the file's name."""
    for path in PAGES:
        if path.suffix in (".md", ".py", ".sh"):
            for in_line, in_block in SHOWN.findall(path.read_text(encoding="utf-8")):
                yield path.name, (in_line or in_block).removeprefix("$ ")


def find_problem(shown: str) -> str:
    """What is wrong with a command; empty if nothing is."""
    command, words = ROOT_COMMAND, re.split(r"\s+", CUT.split(shown)[0].strip())[1:]
    while words and hasattr(command, "commands"):
        if words[0].startswith("-"):
            words = words[2:] if words[0] in EVERYWHERE - {"--help", "--version"} else words[1:]
            continue
        name = words.pop(0)
        if WORD.fullmatch(name) is None or name not in command.commands:
            return f"there is no `{name}` in `{command.name}`" if WORD.fullmatch(name) else ""
        command = command.get_command(None, name)
    taken = EVERYWHERE | {name for item in command.params for name in (*item.opts, *item.secondary_opts)}
    unknown = [name for name in OPTION.findall(" ".join(words)) if name not in taken]
    return f"`{command.name}` has no {', '.join(unknown)}" if unknown else ""


def test_what_is_shown_exists():
    shown = {item for item in list_shown() if item[1] not in PLANNED}
    assert len(shown) > 300
    assert [(*item, problem) for item in sorted(shown) if (problem := find_problem(item[1]))] == []


def test_what_does_not_exist_is_found():
    assert find_problem("halo --home x approvals approve ID --as mia --once") == ""
    assert "--sinse" in find_problem("halo log --sinse 2h")
    assert "--once" in find_problem("halo approvals deny ID --once")
    assert "aprove" in find_problem("halo approvals aprove ID")
    assert all(find_problem(item) for item in PLANNED)
