"""Runs the talks of a case by enforcement alone, without a framework: each call as an adapter would build it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from case_world import TOOLS, Calls, Case, World

from halo_core.enforcement.enforcer import Surface
from halo_core.errors import Denied, Held, Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind

__all__ = ["call_tools", "run_raw"]

_SURFACE: Surface[Any] = Surface(text=str)


def run_raw(case: Case, home: Path) -> tuple[bool, list[str]]:
    """Whether a case is held, and the names of what was called and did not run.

    Args:
        case: its history and what an application inserts are left out.
        home: fresh.
    """
    world = World(HaloBase, home, case)
    wanted: list[str] = []
    session = 0
    try:
        for talk in case.talks:
            halo = world.halo(talk.agent)
            session += not talk.goes_on
            wanted += [name for name, _ in talk.calls]
            request = talk.told if talk.request is None else talk.request
            with halo.session(f"s{session}", user=talk.user, request=request):
                call_tools(world, halo, talk.calls)
            halo.store.flush()
    finally:
        world.close()
    missing = list(wanted)
    for name, _ in world.ran:
        if name in missing:
            missing.remove(name)
    counted = sum(name == case.forbidden and case.matching(args) for name, args in world.ran)
    return counted <= case.at_most, missing


def call_tools(world: World, halo: Any, calls: Calls) -> None:
    """Make the calls of a run, inside the session that the caller has opened."""
    for name, args in calls:
        _run(world, halo, name, args)


def _run(world: World, halo: Any, name: str, args: Mapping[str, Any]) -> None:
    resource = TOOLS[name][2]
    schema = {"type": "object", "properties": {key: {} for key in args}}
    registered = halo.register(ActionKind.TOOL_CALL, name, resource=resource, schema=schema)
    body = world.function(name)
    with contextlib.suppress(Denied, Held, Pending):
        halo.enforcer.run(halo.build_call(registered, dict(args)), lambda given: body(**given), _SURFACE)
