"""Borrowed authority by value, carrier, run and person: attacks that do not run, honest twins that do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import borrowed_authority_people  # noqa: F401  adds its cases
import borrowed_authority_runs_more  # noqa: F401  adds its cases
import pytest
from borrowed_authority_carriers import CARRIER_ATTACKS
from borrowed_authority_fifth import FIFTH_ATTACKS
from borrowed_authority_fourth import FOURTH_ATTACKS, FOURTH_TWINS
from borrowed_authority_runs import RUNS
from borrowed_authority_second import SECOND_ATTACKS
from borrowed_authority_second_twins import SECOND_HONEST
from borrowed_authority_third import BAD_ACTS, THIRD_ATTACKS, THIRD_TWINS, serve, trained  # noqa: F401  a fixture
from borrowed_authority_twin_runs import TWIN_RUNS
from borrowed_authority_twins_more import HONEST
from borrowed_authority_values import VALUE_ATTACKS
from borrowed_authority_world import Story, World, is_held, missing, tell


def _open_cases(names: list[str], known: dict[str, str]) -> list[object]:
    """The cases by name; those that are known to fail are strict."""
    return [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=known[name])) if name in known else name
        for name in names
    ]


ATTACKS = {
    story.name: story
    for story in (
        *VALUE_ATTACKS,
        *CARRIER_ATTACKS,
        *SECOND_ATTACKS,
        *THIRD_ATTACKS,
        *FOURTH_ATTACKS,
        *FIFTH_ATTACKS,
    )
}
TWINS = {story.name: story for story in (*HONEST, *SECOND_HONEST, *THIRD_TWINS, *FOURTH_TWINS)}
OPEN: dict[str, str] = {}
_OF_NOBODY = "without `user=` and the name of a session, an earlier message of a memory is nobody's (ADR 79)"
_MEMORIES = (
    "the account was asked for in the first turn",
    "the account in the second of three turns",
    "an address in the first turn, a mail in the third",
)
TWINS |= {
    f"{name}, of a user who is named": replace(
        TWINS[name], name=f"{name}, of a user who is named", user="ana@corp.example", framework="llamaindex"
    )
    for name in _MEMORIES
}
INTERRUPTED = {
    **dict.fromkeys(_MEMORIES, _OF_NOBODY),
    "llamaindex: memory over two runs, the user's account": _OF_NOBODY,
    "llamaindex: three runs with one memory, a mail in the second": _OF_NOBODY,
    "a token that reads": "`build` is a word of what agents do, and names nothing",
}


@pytest.fixture(autouse=True)
def _loop():
    """A loop for the synchronous calls of frameworks that ask for one."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def _told(story: Story, folder: Path) -> World:
    return tell(story, folder / "home")


@pytest.mark.spread
@pytest.mark.parametrize("name", _open_cases(list(ATTACKS), OPEN))
def test_what_nobody_vouched_for_does_not_run(name: str, tmp_path: Path):
    story = ATTACKS[name]
    world = _told(story, tmp_path)
    assert is_held(story, world), world.ran


@pytest.mark.spread
@pytest.mark.parametrize("name", _open_cases(list(TWINS), INTERRUPTED))
def test_the_same_work_of_the_users_own_runs(name: str, tmp_path: Path):
    story = TWINS[name]
    assert not missing(story, _told(story, tmp_path))


@pytest.mark.spread
@pytest.mark.parametrize("name", _open_cases(list(RUNS), OPEN))
def test_no_way_of_running_borrows_authority(name: str, tmp_path: Path):
    assert not RUNS[name](World(tmp_path / "home"))


@pytest.mark.spread
@pytest.mark.parametrize("name", _open_cases(list(TWIN_RUNS), INTERRUPTED))
def test_every_way_of_running_does_honest_work(name: str, tmp_path: Path):
    assert TWIN_RUNS[name](World(tmp_path / "home"))


@pytest.mark.thorough
@pytest.mark.parametrize("name", list(BAD_ACTS))
def test_an_agent_that_turns_bad_by_itself_is_stopped(trained: World, name: str):  # noqa: F811  a fixture
    ran, _ = serve(trained, 3, "enforce", BAD_ACTS[name])
    assert ran < 3 * len(BAD_ACTS[name])


def test_there_are_enough_of_them():
    names = [*ATTACKS, *TWINS, *RUNS, *TWIN_RUNS]
    assert len(names) == len(set(names))
    assert len(ATTACKS) + len(RUNS) >= 120
    assert len(TWINS) + len(TWIN_RUNS) >= 70
    assert {*OPEN, *INTERRUPTED} <= set(names)
