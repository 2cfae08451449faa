"""The pages of commands and reason codes list what the code has: every option of `--help` has its line."""

from __future__ import annotations

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
