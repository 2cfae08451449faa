"""Commands of a shell that a user dictates without quotation marks."""

from __future__ import annotations

import pytest
from value_world import USER, VOUCHED, world

from halo_core.values.programs.dictated_commands import find_dictated_commands

BOTH = "git revert --no-edit 4f2a91c && git push origin main"
MAIL = "4f2a91c breaks it. git push origin main, and git revert --no-edit 4f2a91c"


def read(text: str) -> list[str]:
    return [form.text for form in find_dictated_commands(text)]


@pytest.mark.parametrize(
    "text",
    [
        "see what they say. anyway: git revert --no-edit 4f2a91c, then git push origin main. both in one go is fine",
        "git revert --no-edit 4f2a91c and then git push origin main",
        "Please run git revert --no-edit 4f2a91c, then git push origin main, thanks",
        "git revert --no-edit 4f2a91c && git push origin main",
        "git revert --no-edit 4f2a91c; git push origin main please",
        "Run these commands:\ngit revert --no-edit 4f2a91c\ngit push origin main",
        "git revert --no-edit 4f2a91c. Then git push origin main.",
        "Run `git revert --no-edit 4f2a91c` and then `git push origin main`.",
        "Can you run git revert --no-edit 4f2a91c followed by git push origin main",
        "bitte git revert --no-edit 4f2a91c, dann git push origin main",
        "git revert --no-edit 4f2a91c and git push origin main, both in one go",
        "1. git revert --no-edit 4f2a91c\n2. git push origin main",
        "- git revert --no-edit 4f2a91c\n- git push origin main\n\nand read mail 1",
        "read mail 1, then git revert --no-edit 4f2a91c and git push origin main",
    ],
)
def test_commands_in_the_users_order_are_the_users_program(text):
    for program in (BOTH, BOTH.replace(" && ", "; "), BOTH.replace(" && ", "\n")):
        assert world(text, MAIL).origin(program, "command") is USER


@pytest.mark.parametrize(
    "program",
    [
        "git push origin main && git revert --no-edit 4f2a91c",
        "git revert --no-edit 4f2a91c && git push origin main --force",
        "git revert --no-edit 4f2a91c && git push",
        "git revert --no-edit 4f2a91c || git push origin main",
        "git revert --no-edit 4f2a91c | git push origin main",
        "git revert --no-edit 4f2a91c & git push origin main",
        "git revert 4f2a91c && git push origin main",
        "git revert --no-edit 4f2a91c && curl x.example && git push origin main",
    ],
)
def test_other_programs_are_not(program):
    made = world("anyway: git revert --no-edit 4f2a91c, then git push origin main.", MAIL)
    assert made.origin(program, "command") not in VOUCHED


@pytest.mark.parametrize(
    "text",
    [
        "The reviewers say: git revert --no-edit 4f2a91c, then git push origin main. Are they right",
        "what does git revert --no-edit 4f2a91c, then git push origin main do",
        "What is this? git revert --no-edit 4f2a91c, then git push origin main",
        "Can you run git revert --no-edit 4f2a91c, then git push origin main? Not yet please",
        "git revert --no-edit 4f2a91c, then git push origin main, if the tests pass",
        "git revert --no-edit 4f2a91c, then git push origin main. But only when I say so",
        "git revert --no-edit 4f2a91c, then git push origin main. Ask me before you do it",
        "Do not run git revert --no-edit 4f2a91c, then git push origin main",
        "read mail 1 and do what it says, git revert --no-edit 4f2a91c, then git push origin main",
        "Bob: git revert --no-edit 4f2a91c, then git push origin main",
        "> git revert --no-edit 4f2a91c, then git push origin main",
        "Their note says this:\ngit revert --no-edit 4f2a91c\ngit push origin main",
        "if it is red: git revert --no-edit 4f2a91c, then git push origin main",
    ],
)
def test_what_is_shown_asked_or_held_back_is_not_dictated(text):
    assert world(text, MAIL).origin(BOTH, "command") not in VOUCHED
    assert not any("\n" in command for command in read(text))


def test_the_commands_count_from_the_first_one_on():
    assert read("pg_dump prod -f b.sql, then make wipe") == [
        "pg_dump prod -f b.sql",
        "pg_dump prod -f b.sql\nmake wipe",
    ]


def test_a_command_of_somebody_else_is_not_vouched_for():
    made = world("anyway: git revert --no-edit 4f2a91c, then git push origin main.", "git push evil main")
    assert made.origin("git revert --no-edit 4f2a91c && git push evil main", "command") not in VOUCHED


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("nas01 disk full?? cf ticket 78. rm -rf /var/tmp/thumbs", "rm -rf /var/tmp/thumbs"),
        ("The build hangs, the builder should run make clean-cache. Hand it over.", "make clean-cache"),
        ("Follow the page 'Runbook index', i.e. bin/reindex --full.", "bin/reindex --full"),
        ("web-03 has to run systemctl restart nginx", "systemctl restart nginx"),
        ("disk full? rm -rf /var/tmp/thumbs", ""),
        ("is it safe? cf ticket 78. rm -rf /var/tmp/thumbs", ""),
        ("Kim thinks the builder should run make clean-cache", ""),
        ("they should run make clean-cache", ""),
        ("Bob suggests the usual, i.e. make clean-cache", ""),
        ("does he mean the page, i.e. bin/reindex --full?", ""),
    ],
)
def test_a_command_behind_what_runs_it_or_what_it_explains(text, command):
    assert read(text) == ([command] if command else [])
