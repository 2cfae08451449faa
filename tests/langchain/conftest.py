"""Fixtures of the tests of the LangChain adapter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blockbuster import BlockBuster

from framework_world import POLICY, FrameworkWorld
from halo_langchain import Halo
from halo_world import unblocking


class World(FrameworkWorld):
    def __init__(self, home: Path, guard: BlockBuster, mode: str, policy: str, **kwargs: Any) -> None:
        super().__init__(Halo, home, mode, policy, guard, **kwargs)


@pytest.fixture
def make_world(tmp_path: Path, unblocked: BlockBuster) -> Iterator[Any]:
    made: list[World] = []

    def make(mode: str = "enforce", policy: str = POLICY, **kwargs: Any) -> World:
        made.append(World(tmp_path / f"w{len(made)}", unblocked, mode, policy, **kwargs))
        return made[-1]

    yield make
    for item in made:
        item.halo.close()


@pytest.fixture
def world(make_world: Any) -> World:
    return make_world()


@pytest.fixture(autouse=True)
def unblocked() -> Iterator[BlockBuster]:
    """Whatever blocks a running event loop raises."""
    with unblocking() as guard:
        yield guard
