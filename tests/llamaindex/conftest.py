"""Fixtures of the tests of the LlamaIndex adapter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from li_world import World
from llama_index.core.utils import get_tokenizer

from framework_world import POLICY
from halo_world import unblocking


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Any]:
    made: list[World] = []

    def make(mode: str = "enforce", policy: str = POLICY, **kwargs: Any) -> World:
        made.append(World(tmp_path / f"w{len(made)}", mode, policy, **kwargs))
        return made[-1]

    yield make
    for item in made:
        item.halo.close()


@pytest.fixture
def world(make_world: Any) -> World:
    return make_world()


@pytest.fixture
def unblocked() -> Iterator[None]:
    """Whatever of ours blocks a running event loop raises."""
    get_tokenizer()  # the framework reads it from the disk on its first use
    with unblocking("halo_core", "halo_llamaindex"):
        yield
