"""Activities: whose session a call belongs to that nobody named; which repeated message is a new one."""

from __future__ import annotations

import asyncio
import gc
from contextlib import nullcontext, suppress
from contextvars import Context, copy_context

import pytest

from halo_core.enforcement.activities import (
    begin_run_activity,
    current_run_activity,
    end_run_activity,
    note_answer,
    run_activity_scope,
)
from halo_core.enforcement.session_context import TriggeringMessage, triggering_message_scope
from halo_core.errors import CannotDecide, Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_world import SURFACE, Calls, bodies, cli, policy_folder, tool, verified


@pytest.fixture
def halo(home):
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as opened:
        yield opened


def session_in(halo, context=None):
    return (Context() if context is None else context).run(lambda: halo.find_session().id)


# whose session


def test_one_context_is_one_session_and_two_copies_are_two(halo):
    mine = Context()
    assert session_in(halo, mine) == session_in(halo, mine)
    assert session_in(halo) != session_in(halo)


def test_two_halos_share_none(halo, tmp_path):
    with HaloBase.local("other", home=tmp_path / "other", quiet=True) as other:
        assert copy_context().run(lambda: halo.find_session().id == other.find_session().id) is False


def test_a_task_is_one_with_what_it_starts_and_none_with_its_siblings(halo):
    def own_id():
        return halo.find_session().id

    async def look():
        return own_id()

    async def request():
        own = own_id()
        inside = await asyncio.gather(look(), asyncio.create_task(look()), asyncio.to_thread(own_id))
        assert {own} == set(inside)
        return own

    async def server():
        return await asyncio.gather(request(), request(), look())

    assert len(set(asyncio.run(server()))) == 3


def test_what_a_server_did_before_it_serves_is_no_part_of_a_request(halo):
    async def request():
        return halo.find_session().id

    def serve():
        warm_up = halo.find_session().id
        return warm_up, asyncio.run(request()), asyncio.run(request())

    assert len(set(copy_context().run(serve))) == 3


def test_a_task_that_outlives_its_request_joins_nobody(halo):
    async def late():
        await asyncio.sleep(0.01)
        gc.collect()
        return halo.find_session().id

    async def request(later):
        later.append(asyncio.create_task(late()))
        return halo.find_session().id

    async def server():
        later = []
        requests = [await asyncio.create_task(request(later)) for _ in range(2)]
        return [*requests, *await asyncio.gather(*later)]

    assert len(set(asyncio.run(server()))) == 4


def test_a_run_of_a_framework_is_one_and_ends(halo):
    def serve():
        begin_run_activity("a", 1)
        first = halo.find_session()
        begin_run_activity("b", 2)  # another framework's, inside of it
        assert halo.find_session() == first
        end_run_activity(2)
        assert halo.find_session() == first
        end_run_activity(1)
        assert current_run_activity() is None
        begin_run_activity("a", 3)
        begin_run_activity("a", 4)  # the one before was abandoned
        return first, halo.find_session()

    first, second = copy_context().run(serve)
    assert first.source == second.source == "run"
    assert first.id != second.id


def test_an_agent_that_was_handed_to_stays_in_its_session(halo):
    lookup = tool(halo, "lookup")

    def serve():
        outside = halo.find_session().id
        with halo.hand_off("helper"), run_activity_scope("a"):
            assert halo.find_session().id == outside
            return halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), Calls(), SURFACE)

    assert copy_context().run(serve) == "done"


# repeated messages


def drive(halo, resource, body, *, given, resumed=False, times=1, **args):
    """A run in which a model gave message m1, or that only drives it, and which makes its call so often."""

    def run():
        with halo.session("thread:t"), run_activity_scope("a", is_resumed=resumed):
            if given:
                note_answer("m1")
            with triggering_message_scope(TriggeringMessage("m1", "c1", "message")):
                for _ in range(times):
                    halo.enforcer.run(halo.build_call(resource, args or {"q": "a"}), body, SURFACE)

    copy_context().run(run)


def test_what_a_model_gives_again_in_another_run_runs_again(halo, home):
    lookup, body = tool(halo, "lookup", impact="write"), Calls()
    for _ in range(3):
        drive(halo, lookup, body, given=True)
    assert len(body) == 3
    requests = [item["request"]["request_id"] for item in bodies(home, EntryKind.DECISION)]
    assert len(set(requests)) == 3
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


@pytest.mark.parametrize("error", [None, asyncio.CancelledError()])
def test_what_ran_in_observe_mode_and_was_not_cut_off_runs_again_in_enforce_mode(home, error):
    body = Calls()

    def end(*args, **kwargs):
        body(*args, **kwargs)
        if error is not None:
            raise error

    def run_in(mode, function):
        with HaloBase.local("clerk", home=home, mode=mode, policy=policy_folder(home), quiet=True) as halo:
            drive(halo, tool(halo, "lookup", impact="write"), function, given=True)

    for _ in range(2):
        with suppress(asyncio.CancelledError):
            run_in("observe", end)
    with pytest.raises(Denied) if error is not None else nullcontext():
        run_in("enforce", body)
    assert len(body) == (2 if error is not None else 3)
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


@pytest.mark.parametrize(
    "again",
    [
        {"given": False},  # a checkpoint, a retried step
        {"given": True, "resumed": True},  # the node that asked is run again after a pause
    ],
)
def test_what_is_driven_again_does_not(halo, again):
    lookup, body = tool(halo, "lookup", impact="write"), Calls()
    drive(halo, lookup, body, given=True)
    with pytest.raises(Denied) as caught:
        drive(halo, lookup, body, **again)
    assert caught.value.reason == "already_dispatched"
    assert len(body) == 1


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt()])
def test_what_was_cut_off_is_not_asked_for_anew(halo, error):
    lookup, body = tool(halo, "lookup", impact="write"), Calls()

    def cut_off(*_args, **_kwargs):
        body(*_args, **_kwargs)
        raise error

    with pytest.raises(type(error)):
        drive(halo, lookup, cut_off, given=True)
    for _ in range(2):
        with pytest.raises(Denied) as caught:
            drive(halo, lookup, body, given=True)
        assert caught.value.reason == "already_dispatched"
    assert len(body) == 1


def test_nor_is_what_still_runs(halo):
    lookup, body, refused = tool(halo, "lookup", impact="write"), Calls(), []

    def ask_meanwhile(*args, **kwargs):
        with pytest.raises(Denied) as caught:
            Context().run(drive, halo, lookup, body, given=True)
        refused.append(caught.value.reason)
        return body(*args, **kwargs)

    drive(halo, lookup, ask_meanwhile, given=True)
    assert refused == ["already_dispatched"]
    assert len(body) == 1


def test_nor_what_a_process_left_running_when_it_closed(home):
    body = Calls()

    def leave(*args, **kwargs):
        halo.close()
        return body(*args, **kwargs)

    halo = HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True)
    with halo, suppress(CannotDecide):
        drive(halo, tool(halo, "lookup", impact="write"), leave, given=True)
    again = HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True)
    with again, pytest.raises(Denied) as caught:
        drive(again, tool(again, "lookup", impact="write"), body, given=True)
    assert caught.value.reason == "already_dispatched"
    assert len(body) == 1


def test_what_ended_with_an_error_is(halo):
    lookup, body = tool(halo, "lookup", impact="write"), Calls()

    def fail(*_args, **_kwargs):
        raise ValueError

    with pytest.raises(ValueError):
        drive(halo, lookup, fail, given=True)
    drive(halo, lookup, body, given=True)
    assert len(body) == 1


@pytest.mark.parametrize("earlier", [0, 1, 2])
def test_nor_does_anything_run_twice_within_a_run(halo, earlier):
    lookup, body = tool(halo, "lookup", impact="write"), Calls()
    for _ in range(earlier):
        drive(halo, lookup, body, given=True)
    with pytest.raises(Denied) as caught:
        drive(halo, lookup, body, given=True, times=2)
    assert caught.value.reason == "already_dispatched"
    assert len(body) == earlier + 1


def test_nor_after_a_restart(home):
    body = Calls()
    for given in (True, False):
        opened = HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True)
        with opened as halo, nullcontext() if given else pytest.raises(Denied):
            drive(halo, tool(halo, "lookup", impact="write"), body, given=given)
    assert len(body) == 1


def test_a_question_about_a_recorded_call_is_the_same_question(halo):
    pay, asked = tool(halo, "pay"), []
    for _ in range(2):
        with pytest.raises(Pending) as caught:
            drive(halo, pay, Calls(), given=True, amount=500, to="b")
        asked.append(caught.value.pending_id)
    assert asked[0] == asked[1]
