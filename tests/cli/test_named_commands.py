"""Every command and option that a message or a page names is one of `halo`."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
import typer

from halo_core.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMED = re.compile(r"`halo ([a-z][^`]*)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
EVERYWHERE = {"--help", "--home", "--db", "--json", "--tenant", "--by"}
NOT_THERE_YET = {"serve"}


def is_group(command):
    return hasattr(command, "list_commands")


def list_commands(command, path=()):
    """(words, command) of a command and of those below it."""
    yield path, command
    if is_group(command):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from list_commands(command.get_command(context, name), (*path, name))


@pytest.fixture(scope="module")
def commands():
    return dict(list_commands(typer.main.get_command(app)))


def find_problems(text, commands):
    """What of the commands that a text names is not there."""
    for line in NAMED.findall(" ".join(text.split())):
        words = line.split()
        path = tuple(words[:2]) if tuple(words[:2]) in commands else tuple(words[:1])
        if path not in commands:
            if words[0] not in NOT_THERE_YET:
                yield f"halo {line}"
            continue
        if len(path) < len(words) and re.fullmatch(r"[a-z][a-z-]*", words[len(path)]) and is_group(commands[path]):
            yield f"halo {line}"
            continue
        below = [command for key, command in commands.items() if key[: len(path)] == path]
        options = {name for command in below for item in command.params for name in (*item.opts, *item.secondary_opts)}
        yield from (f"halo {line}: {name}" for name in OPTION.findall(line) if name not in options | EVERYWHERE)


def test_messages_and_pages_name_commands_and_options_that_exist(commands):
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.cedar"), *PAGES]
    problems = {
        path.name: found
        for path in sources
        if (found := list(find_problems(path.read_text(encoding="utf-8"), commands)))
    }
    assert problems == {}


def test_a_wrong_command_or_option_is_found(commands):
    text = "run `halo lok`, `halo log --lst 3`, `halo approvals\n list`, `halo review lst`, `halo log --last 3`"
    assert list(find_problems(text, commands)) == ["halo lok", "halo log --lst 3: --lst", "halo review lst"]
