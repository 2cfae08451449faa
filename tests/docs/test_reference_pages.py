"""The pages of commands and reason codes list what the code has: every option of `--help` has its line."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import reference_pages  # noqa: E402  beside the pages

OPTION = re.compile(r"--[a-z][a-z-]*")


@pytest.mark.parametrize("name", sorted(reference_pages.PAGES))
def test_a_page_is_as_the_code_has_it(name):
    page = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    again = reference_pages.render(page, reference_pages.PAGES[name])
    assert page == again, "run `python docs/reference_pages.py`"


def test_every_option_of_help_is_in_the_section_of_its_command(capsys):
    """Read from what `--help` prints, not from what the writer of the page reads."""
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^#{2,3} `(halo [^`]+)`\n(.*?)(?=^#{2,3} |\Z)", page, re.MULTILINE | re.DOTALL))
    common = set(OPTION.findall(page.partition("## Options of many")[2].partition(reference_pages.MARK)[0]))
    for path, command in reference_pages.list_commands():
        command.get_help(command.make_context(path, [], resilient_parsing=True))
        listed = capsys.readouterr().out.partition("Options")[2]
        options = set(re.findall(r"^│ \*? *(--[a-z-]+)", listed, re.MULTILINE)) - {"--help"}
        assert options or hasattr(command, "commands") or "--" not in listed.replace("--help", ""), path
        if not hasattr(command, "commands"):
            assert options <= common | set(OPTION.findall(sections[path])), path


def test_a_command_without_its_line_is_noticed():
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    spoiled = re.sub(r"^\| `--reveal-session.*\n", "", page, flags=re.MULTILINE)
    assert spoiled != page
    assert reference_pages.render(spoiled, reference_pages.write_commands) == page


REFERENCE = ROOT / "docs" / "reference"
PAGES_OF_CODE = sorted(path.name for path in REFERENCE.glob("*.md") if "::: " in path.read_text(encoding="utf-8"))


def find_object(name: str):
    """What a `:::` line names."""
    module, _, rest = name.rpartition(".")
    return getattr(importlib.import_module(module), rest)


@pytest.mark.parametrize("page", PAGES_OF_CODE)
def test_what_the_reference_names_is_there(page):
    """A name of which nothing is left would be an empty entry of the site."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    for name, options in re.findall(r"^::: (\S+)\n((?:    .*\n)*)", text, re.MULTILINE):
        members = re.search(r"members: \[([^]]*)\]", options)
        for member in members[1].replace("\n", " ").split(",") if members else ():
            assert hasattr(find_object(name), member.strip()), f"{name}.{member.strip()}"


def test_what_documents_and_examples_import_and_call_is_in_the_reference():
    pages = "\n".join((REFERENCE / page).read_text(encoding="utf-8") for page in PAGES_OF_CODE)
    objects = [find_object(name) for name in re.findall(r"^::: (\S+)", pages, re.MULTILINE)]
    listed = {name.strip() for members in re.findall(r"members: \[([^]]*)\]", pages) for name in members.split(",")}
    sources = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", *(ROOT / "examples").glob("*.py")]
    for path in sources:
        text = path.read_text(encoding="utf-8")
        for module, names in re.findall(r"^from (halo_[\w.]+) import ([\w, ]+)$", text, re.MULTILINE):
            for name in names.split(","):
                found = getattr(importlib.import_module(module), name.strip())
                assert any(found is item for item in objects), f"{path.name}: {module}.{name}"
        if path.suffix == ".md":
            called = set(re.findall(r"\bhalo\.([a-z_]+)\(", text)) - {"text", "decide"}
            assert called <= listed, f"{path.name}: {called - listed}"
