"""A thread without a copied context has no session, so its actions belong to no request."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.reasons import REASONS
from halo_world import SURFACE, Calls, bodies, codes, policy_folder, tool


def in_raw_thread(work):
    """Run without any context, as `threading.Thread` does; what it returned or raised."""
    box = []

    def run():
        try:
            box.append(work())
        except Exception as exc:  # noqa: BLE001  handed to the test
            box.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return box[0]


def ask(halo):
    body = Calls()
    halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), body, SURFACE)
    return len(body)


def test_a_raw_thread_is_refused(halo, home):
    refused = in_raw_thread(lambda: ask(halo))
    assert isinstance(refused, Denied)
    assert refused.reason == "session_missing"
    assert "copy_context().run" in refused.remedy
    (body,) = bodies(home, EntryKind.DECISION)
    assert codes(body) == ["session_missing"]
    assert "halo.session" in REASONS["session_missing"].remedy


def test_a_session_opened_in_the_thread_is_enough(halo):
    def work():
        with halo.session("s"):
            return ask(halo)

    assert in_raw_thread(work) == 1


def test_and_ends_with_its_block(halo):
    def work():
        with halo.session("s"):
            pass
        return ask(halo)

    assert in_raw_thread(work).reason == "session_missing"


def test_a_copied_context_is_enough(home):
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        mine = contextvars.copy_context()
        assert in_raw_thread(lambda: mine.run(ask, halo)) == 1
        with halo.session("s"):
            inside = contextvars.copy_context()
        assert in_raw_thread(lambda: inside.run(lambda: halo.find_session().id)) == "s"


def test_the_main_thread_has_a_session_in_any_context(halo):
    assert contextvars.Context().run(ask, halo) == 1
    assert contextvars.Context().run(lambda: halo.find_session().source) == "call"


def test_who_opens_halo_in_a_thread_may_use_it_there(home):
    def work():
        with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
            return ask(halo)

    assert in_raw_thread(work) == 1


def test_pools_without_contexts_are_raw(halo):
    with ThreadPoolExecutor(1) as pool, pytest.raises(Denied):
        pool.submit(ask, halo).result()


async def test_to_thread_carries_the_session(halo):
    with halo.session("s"):
        assert await asyncio.to_thread(lambda: halo.find_session().id) == "s"


def test_observe_mode_lets_it_run_and_says_so(home, capsys):
    with HaloBase.local("clerk", home=home, mode="observe", policy=policy_folder(home)) as halo:
        assert in_raw_thread(lambda: ask(halo)) == 1
    assert codes(bodies(home, EntryKind.DECISION)[0]) == ["session_missing"]
    assert "a thread that you start yourself" in capsys.readouterr().err
