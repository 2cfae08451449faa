"""Agents that act in a scope: links are found, made, kept and never shared; a receiver's own passport limits it."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from halo_core.authorities import Authorities
from halo_core.crypto.keys import KeyStore, make_agent_key_name
from halo_core.enforcement.agent_credentials import Limits
from halo_core.enforcement.hand_offs import HandOff, make_issuer_facts
from halo_core.enforcement.session_context import current_delegation
from halo_core.enforcement.steps import adrive, drive
from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.manifest import DEFAULT_TERMS
from halo_core.model import ActionKind, Budget, Constraint, EntryKind, Impact, Resource, Reversal
from halo_core.oversight.restrictions import revoke
from halo_core.passports import mint_standing, token_hash
from halo_core.testing import FixedClock
from halo_world import (
    SURFACE,
    Calls,
    bodies,
    call_ref,
    codes,
    policy_folder,
    put_standing,
    session_ref,
    tool,
    verified,
)

WILD = {"**": Constraint.anything()}
AGENTS = ("planner", "researcher", "writer")


def opened(home, mode="enforce", **more):
    halo = HaloBase.local("clerk", home=home, mode=mode, policy=policy_folder(home), quiet=True, **more)
    tool(halo, "lookup")
    tool(halo, "query")
    for name in AGENTS:
        halo.register_agent(name)
    return halo


@pytest.fixture
def desk(home):
    with opened(home) as halo:
        yield halo


def links(halo, session="s"):
    state = halo.store.commit(lambda tx: tx.load_session(tx.references.of_session(session)))
    return [(account.agent, account.handle) for account in state.links[1:]]


def agents(halo, session="s"):
    return [agent for agent, _ in links(halo, session)]


def look(halo, name="lookup", call_id=""):
    body = Calls()
    halo.enforcer.run(halo.build_call(tool(halo, name), {"q": "x"}, call_id=call_id), body, SURFACE)
    return body


def own(halo, session="s"):
    return (
        halo.store.commit(lambda tx: tx.load_session(tx.references.of_session(session))).session_account("clerk").handle
    )


def revoked(halo, scope, target):
    halo.store.commit(lambda tx: revoke(tx, scope, target, "ops", "test"))


def who(home):
    return [body["request"]["subject"]["agent"] for body in bodies(home, EntryKind.DECISION)]


def refused_of(halo, name) -> str:
    with pytest.raises(Denied) as caught:
        look(halo, name)
    return caught.value.reason


def refused(enter) -> str:
    with pytest.raises(Denied) as caught, enter:
        pass
    return caught.value.reason


def pause(halo):
    with halo.agent_scope("planner") as entry:
        entry.keep_link()
        raise KeyError


def handed(halo, agent, **more):
    """As a hand-off tool does it: the link stays live."""
    ticket = halo.enforcer.begin(
        replace(halo._build_delegation_call(agent, "", more.get("give"), ""), on_link_made=None)
    )
    ticket.succeed("handed on", SURFACE)
    return ticket.context.handle


# entering


def test_an_agent_without_a_link_gets_one_for_the_block(desk, home):
    with desk.session("s"):
        with desk.agent_scope("planner", task="plan") as entry:
            assert entry.is_new_link
            assert links(desk) == [("planner", entry.handle)]
            look(desk)
        assert links(desk) == []
        look(desk)
    assert who(home) == ["clerk", "planner", "clerk"]
    assert verified(home) == 0


def test_a_kept_link_is_found_again_also_by_another_process(home):
    with opened(home) as one, one.session("s"), one.agent_scope("planner") as entry:
        entry.keep_link()
    with opened(home) as two, two.session("s"):
        with two.agent_scope("planner") as again:
            assert (again.handle, again.is_new_link) == (entry.handle, False)
            look(two)
        assert links(two) == [("planner", entry.handle)]
        with two.agent_scope("planner") as again:
            again.hand_back()
        assert links(two) == []
    assert who(home) == ["clerk", "planner", "planner", "planner"]
    assert verified(home, signatures=True) == 0


def test_what_broke_in_the_block_hands_back_and_what_paused_does_not(desk, home):
    with desk.session("s"):
        with pytest.raises(KeyError), desk.agent_scope("planner"):
            raise KeyError
        assert links(desk) == []
        with pytest.raises(KeyError):
            pause(desk)
        assert agents(desk) == ["planner"]
    assert [body["status"] for body in bodies(home, EntryKind.OUTCOME)] == ["error", "paused"]


def test_entering_again_inside_goes_on_under_the_same_link(desk):
    with desk.session("s"), desk.agent_scope("planner") as outer:
        with desk.agent_scope("planner") as inner:
            assert (inner.handle, inner.is_new_link) == (outer.handle, False)
        assert agents(desk) == ["planner"]
        look(desk)


def test_whoever_is_entered_takes_back_what_is_below(desk):
    with desk.session("s"), desk.agent_scope("planner"):
        with desk.agent_scope("researcher") as entry:
            look(desk)
            handed(desk, "writer")
            entry.keep_link()
        assert agents(desk) == ["planner", "researcher", "writer"]
        with desk.agent_scope("planner"):
            assert agents(desk) == ["planner"]


def test_but_not_what_was_handed_on_and_has_not_begun(desk, home):
    reads = HandOff(grants={ActionKind.TOOL_CALL: {"lookup": WILD}, ActionKind.HANDOFF: {"writer": WILD}})
    with desk.session("s"):
        with desk.agent_scope("planner", give=reads) as entry:
            handle = handed(desk, "writer")
            entry.keep_link()
        with desk.agent_scope("planner", give=reads):  # asked once more, before the writer's turn
            pass
        with desk.agent_scope("writer") as now:
            assert now.handle == handle
            assert refused_of(desk, "query") == "tool_not_granted"
        with desk.agent_scope("planner"):
            handed(desk, "clerk")  # back up the chain: that takes everything back
    assert links(desk) == []
    assert verified(home) == 0


def test_the_facades_own_agent_is_always_live(desk, home):
    with desk.session("s"), desk.agent_scope("clerk") as entry:
        assert (entry.handle, entry.is_new_link) == ("", False)
        look(desk)
    assert who(home) == ["clerk", "clerk"]


# names of agents up the chain

READS = HandOff(grants={ActionKind.TOOL_CALL: {"lookup": WILD}}, to=())


@pytest.mark.parametrize("name", ["planner", "clerk"])
@pytest.mark.parametrize("enter", ["agent_scope", "hand_off"])
def test_what_bears_the_name_of_somebody_above_is_whoever_acts(desk, home, name, enter):
    with desk.session("s"), desk.agent_scope("planner"), desk.agent_scope("researcher", give=READS) as entry:
        with getattr(desk, enter)(name, call_id="c") as inner:
            assert getattr(inner, "handle", inner) == entry.handle
            assert current_delegation("clerk", "s").agents == ("planner", "researcher")
            look(desk, "lookup")
            assert refused_of(desk, "query") == "tool_not_granted"
            assert refused(desk.agent_scope("writer")) == "handoff_not_allowed"
        look(desk, "lookup")  # nobody was handed back to
        assert refused_of(desk, "query") == "tool_not_granted"
    told = [body["request"] for body in bodies(home, EntryKind.DECISION)]
    assert (told[2]["resource"]["id"], told[2]["context"]["call_id"]) == ("researcher", call_ref(home, f"c>{name}"))
    assert [item["subject"]["chain"] for item in told[2:]] == [["clerk", "planner", "researcher"]] * 6
    assert verified(home) == 0


@pytest.mark.parametrize("name", ["planner", "clerk"])
async def test_nor_does_a_coroutine_act_for_somebody_above(desk, name):
    with desk.session("s"):
        async with desk.agent_scope("planner"), desk.agent_scope("researcher", give=READS) as entry:
            async with desk.agent_scope(name) as inner:
                assert inner.handle == entry.handle
                assert refused_of(desk, "query") == "tool_not_granted"
            assert refused_of(desk, "query") == "tool_not_granted"


def test_such_a_name_is_given_no_less_than_the_actor_has(desk, home):
    with desk.session("s"), desk.agent_scope("planner"), desk.agent_scope("researcher"):
        assert refused(desk.agent_scope("planner", give=READS)) == "agent_name_taken"
        assert refused(desk.hand_off("clerk", give=READS)) == "agent_name_taken"
        with desk.agent_scope("planner", give=HandOff()):
            look(desk, "query")
    assert verified(home) == 0


@pytest.mark.parametrize("name", ["planner", "clerk"])
def test_who_handed_back_acts_no_more_under_any_name(desk, name):
    with desk.session("s"), desk.agent_scope("planner") as outer:
        outer.keep_link()
        with desk.agent_scope("researcher") as entry:
            handed(desk, name)
            assert refused(desk.agent_scope(name)) == "handed_back"
            assert refused(desk.agent_scope("researcher")) == "handed_back"
            assert refused(desk.hand_off(name)) == "handed_back"
            assert refused_of(desk, "lookup") == "handed_back"
            entry.keep_link()
    with desk.session("s"), desk.agent_scope(name):  # from where both were entered
        look(desk, "query")


# links from several givers


def givers(halo, *gives):
    """Each giver in turn hands on to the writer; returns the links that the writer has."""
    made = []
    for name, give in zip(("planner", "researcher"), gives, strict=True):
        with halo.agent_scope(name, give=give) as entry:
            made.append(handed(halo, "writer"))
            entry.keep_link()
    return made


BOTH = HandOff(grants={ActionKind.TOOL_CALL: {"lookup": WILD}, ActionKind.HANDOFF: {"writer": WILD}})
OTHER = HandOff(grants={ActionKind.TOOL_CALL: {"query": WILD}, ActionKind.HANDOFF: {"writer": WILD}})


@pytest.mark.parametrize("order", [(None, BOTH), (BOTH, None)])
def test_of_links_from_several_givers_the_narrowest_serves(desk, home, order):
    with desk.session("s"):
        narrow = givers(desk, *order)[order.index(BOTH)]
        with desk.agent_scope("writer") as one:
            assert one.handle == narrow
            look(desk, "lookup")
            assert refused_of(desk, "query") == "tool_not_granted"
        with desk.agent_scope("writer") as again:
            assert again.handle == narrow
    assert verified(home) == 0


@pytest.mark.parametrize("order", [(None, BOTH), (BOTH, None)])
async def test_also_where_somebody_acts_under_it_already(desk, order):
    inside, everybody = [], asyncio.Event()

    async def work():
        async with desk.agent_scope("writer") as entry:
            inside.append(entry.handle)
            if len(inside) == 3:
                everybody.set()
            await everybody.wait()
            return refused_of(desk, "query")

    with desk.session("s"):
        givers(desk, *order)
        told = await asyncio.gather(*(work() for _ in range(3)))
    assert told == ["tool_not_granted"] * 3
    assert len(set(inside)) == 3


def test_where_none_is_the_narrowest_nobody_acts(desk, home):
    with desk.session("s"):
        made = givers(desk, BOTH, OTHER)
        assert refused(desk.agent_scope("writer")) == "ambiguous_hand_off"
        drive(desk.enforcer.hand_back(session_ref(home, "s"), made[0]))
        with desk.agent_scope("writer") as entry:
            assert entry.handle == made[1]
    assert verified(home) == 0


async def test_nor_does_a_coroutine(desk):
    with desk.session("s"):
        givers(desk, BOTH, OTHER)
        with pytest.raises(Denied) as caught:
            async with desk.agent_scope("writer"):
                pass
    assert caught.value.reason == "ambiguous_hand_off"


@pytest.mark.parametrize(
    "less",
    [
        {"to": ("writer",)},
        {"labels": ("pii",)},
        {"lifetime_s": 60},
        {"budgets": (Budget("step", 5, 5),)},
        {"decay": replace(DEFAULT_TERMS.decay, half_life_s=60)},
    ],
)
def test_less_of_anything_is_narrower(desk, less):
    with desk.session("s"):
        narrow, _ = givers(desk, HandOff(**less), None)
        with desk.agent_scope("writer") as entry:
            assert entry.handle == narrow


def test_a_link_that_cannot_be_read_may_be_the_narrowest(desk):
    with desk.session("s"):
        made = givers(desk, None, None)
        with desk.agent_scope("writer") as entry:
            assert entry.handle == made[1]
        (first, *_) = [
            item
            for item in desk.store.commit(lambda tx: tx.load_session(tx.references.of_session("s"))).links
            if item.handle == made[0]
        ]
        desk.enforcer._get_credentials().passport_store.reader._tokens[first.hash] = "none"
        desk.enforcer._get_credentials().passport_store.reader._chains.clear()
        assert refused(desk.agent_scope("writer")) == "ambiguous_hand_off"


def test_the_next_agent_of_a_swarm_goes_on_under_the_link_it_was_handed(desk, home):
    with desk.session("s"):
        with desk.agent_scope("planner") as entry:
            handle = handed(desk, "researcher", call_id="t1")
            entry.keep_link()
        with desk.agent_scope("researcher") as now:
            assert (now.handle, now.is_new_link) == (handle, False)
            look(desk)
            assert handed(desk, "planner", call_id="t2") == entry.handle  # up the chain: handed back
        assert agents(desk) == ["planner"]
    chains = [body["request"]["subject"]["chain"] for body in bodies(home, EntryKind.DECISION)]
    assert chains[3] == ["clerk", "planner", "researcher"]
    assert verified(home) == 0


def test_nobody_reaches_a_link_that_hangs_elsewhere(desk):
    with desk.session("s"):
        with desk.agent_scope("planner") as entry:
            handle = handed(desk, "writer")
            entry.keep_link()
        with desk.agent_scope("researcher", give=HandOff(to=())):  # it may hand off to nobody
            assert refused(desk.agent_scope("writer")) == "handoff_not_allowed"
        with desk.agent_scope("researcher"), desk.agent_scope("writer") as other:
            assert other.is_new_link
            assert other.handle != handle


def test_another_session_is_another_chain(desk):
    with desk.session("s"), desk.agent_scope("planner") as entry:
        entry.keep_link()
    with desk.session("t"), desk.agent_scope("planner") as other:
        assert other.is_new_link
        assert other.handle != entry.handle


def test_a_very_long_session_name_works(desk):
    with desk.session("n" * 5_000), desk.agent_scope("planner") as entry:
        entry.keep_link()
    with desk.session("n" * 5_000), desk.agent_scope("planner") as again:
        assert again.handle == entry.handle
        again.hand_back()
    with desk.session("n" * 5_000), desk.agent_scope("planner") as third:
        assert third.is_new_link


def test_blocks_side_by_side_share_no_link(desk):
    gate, handles = threading.Barrier(6), []

    def work():
        with desk.session("s"), desk.agent_scope("planner") as entry:
            gate.wait()
            handles.append(entry.handle)
            look(desk)
            gate.wait()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(handles)) == 6
    assert links(desk) == []
    assert desk._claimed_links == {}


def test_of_blocks_side_by_side_one_goes_on_under_a_kept_link(desk):
    with desk.session("s"), desk.agent_scope("planner") as kept:
        kept.keep_link()
    with desk.session("s"), desk.agent_scope("planner") as one, desk.session("s"):
        pass
    gate, handles = threading.Barrier(4), []

    def work():
        with desk.session("s"), desk.agent_scope("planner") as entry:
            gate.wait()
            handles.append(entry.handle)
            look(desk)
            gate.wait()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(handles)) == 4
    assert one.handle == kept.handle in handles
    assert agents(desk) == ["planner"]


async def test_async_is_the_same_and_never_blocks(desk, no_blocking):
    with desk.session("s"):
        async with desk.agent_scope("planner") as entry:
            assert entry.is_new_link
            async with desk.agent_scope("researcher") as below:
                below.keep_link()
            async with desk.agent_scope("researcher") as again:
                assert (again.handle, again.is_new_link) == (below.handle, False)
            async with desk.agent_scope("clerk") as inner:
                assert inner.handle == entry.handle
        async with desk.agent_scope("clerk") as first:
            assert first.handle == ""


async def test_tasks_side_by_side_share_no_link(desk):
    async def work():
        async with desk.agent_scope("planner") as entry:
            await asyncio.sleep(0)
            return entry.handle

    with desk.session("s"):
        handles = await asyncio.gather(*(work() for _ in range(6)))
    assert len(set(handles)) == 6
    assert links(desk) == []
    assert desk._claimed_links == {}


async def test_a_task_that_was_cancelled_leaves_no_link(desk):
    started = asyncio.Event()

    async def work():
        async with desk.agent_scope("planner"):
            started.set()
            await asyncio.sleep(60)

    with desk.session("s"):
        task = asyncio.create_task(work())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert links(desk) == []


async def test_nor_does_one_that_was_cancelled_while_it_was_decided(desk, home, monkeypatch):
    real = desk.enforcer.abegin

    async def abegin(call):
        asyncio.get_running_loop().call_soon(task.cancel)
        return await real(call)

    async def work():
        async with desk.agent_scope("planner"):
            raise AssertionError("it was cancelled")

    with desk.session("s"):
        look(desk)
        monkeypatch.setattr(desk.enforcer, "abegin", abegin)
        task = asyncio.create_task(work())
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(100):
            await asyncio.sleep(0.01)
            desk.store.flush()
            if not links(desk) and len(bodies(home, EntryKind.HANDBACK)) == 1:
                break
    assert links(desk) == []
    assert len(bodies(home, EntryKind.HANDBACK)) == 1  # it was made, and is closed


def test_a_revoked_link_does_not_serve_again(desk, home):
    with desk.session("s"), desk.agent_scope("planner") as entry:
        entry.keep_link()
        revoked(desk, "agent", "planner")
    with desk.session("s"):
        assert refused(desk.agent_scope("planner")) == "revoked"


def test_an_expired_link_does_not_serve_again(home):
    clock = FixedClock(1_800_000_000_000_000)
    with opened(home, clock=clock) as halo, halo.session("s"):
        with halo.agent_scope("planner", give=HandOff(lifetime_s=60)) as entry:
            entry.keep_link()
        clock.advance(61)
        assert refused(halo.agent_scope("planner")) == "expired"


def test_a_link_handed_back_between_look_and_leap_is_looked_for_again(desk, home, monkeypatch):
    with desk.session("s"):
        with desk.agent_scope("planner") as entry:
            entry.keep_link()
        stale = drive(desk.enforcer.find_link("s", "planner"))
        drive(desk.enforcer.hand_back(session_ref(home, "s"), entry.handle))
        answers = [stale]
        real = desk.enforcer.find_link

        def find_link(*args):
            return answers.pop() if answers else (yield from real(*args))

        monkeypatch.setattr(desk.enforcer, "find_link", find_link)
        with desk.agent_scope("planner") as again:
            assert again.is_new_link
            assert again.handle != entry.handle
    told = [codes(body) for body in bodies(home, EntryKind.DECISION)]
    assert told == [["granted"], ["handed_back"], ["granted"]]


def test_an_agent_nobody_may_enter_is_refused(desk):
    with desk.session("s"), desk.agent_scope("planner", give=HandOff(to=())):
        assert refused(desk.agent_scope("writer")) == "handoff_not_allowed"


def test_a_raw_thread_enters_nothing(desk):
    found = []

    def work():
        found.append(refused(desk.agent_scope("planner")))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == ["session_missing"]


def test_observe_mode_stands_in_nobodys_way(home):
    with opened(home, "observe") as halo, halo.session("s"):
        with halo.agent_scope("planner", give=HandOff(to=())), halo.agent_scope("writer") as entry:
            assert entry.handle == ""
            entry.keep_link()
            entry.hand_back()
        assert links(halo) == []


# handing on


def test_the_same_hand_off_again_makes_no_second_link(desk, home):
    with desk.session("s"):
        first = handed(desk, "planner", call_id="one")
        assert handed(desk, "planner", call_id="one") == first  # a node that is run again
        assert handed(desk, "planner", call_id="two") == first
        assert links(desk) == [("planner", first)]
    assert verified(home) == 0


def test_other_terms_make_a_link_of_their_own(desk):
    tight = HandOff(grants={ActionKind.TOOL_CALL: {"lookup": WILD}})
    with desk.session("s"):
        first = handed(desk, "planner")
        second = handed(desk, "planner", give=tight)
        assert second != first
        assert handed(desk, "planner", give=tight) == second
        assert handed(desk, "planner") == first
        assert handed(desk, "planner", give=HandOff(lifetime_s=60)) not in (first, second)


def test_a_revoked_or_shorter_link_is_not_given_again(home):
    clock = FixedClock(1_800_000_000_000_000)
    with opened(home, clock=clock) as halo, halo.session("s"):
        short = handed(halo, "planner", give=HandOff(lifetime_s=60))
        assert handed(halo, "planner") != short


def test_a_revoked_link_is_not_given_again(desk):
    with desk.session("s"):
        first = handed(desk, "planner")
        (account,) = desk.store.commit(lambda tx: tx.load_session(tx.references.of_session("s"))).descendants(own(desk))
        revoked(desk, "link", account.hash)
        assert handed(desk, "planner") != first


def test_of_several_links_the_newest_serves(desk):
    with desk.session("s"):
        handed(desk, "planner")
        second = handed(desk, "planner", give=HandOff(to=()))
        with desk.agent_scope("planner") as entry:
            assert entry.handle == second


def test_the_block_of_a_hand_off_has_its_own_link(desk):
    with desk.session("s"):
        first = handed(desk, "planner")
        with desk.hand_off("planner") as second:
            assert second != first
        assert links(desk) == [("planner", first)]


def test_names_nobody_registered_end(desk):
    with desk.session("s"):
        for i in range(16):
            with desk.agent_scope(f"agent-{i}"):
                pass
        assert refused(desk.agent_scope("agent-16")) == "handoff_not_allowed"
        with desk.agent_scope("planner"):
            pass


def test_a_resource_with_other_arguments_is_handed_to_without_a_task(desk):
    kind = ActionKind.HANDOFF
    resource = Resource(kind=kind, impact=Impact.READ, reversal=Reversal.NONE_NEEDED, source_trust=500)
    desk.register(kind, "router", resource=resource, schema={"type": "object", "properties": {}})
    with desk.session("s"), desk.agent_scope("router", task="go") as entry:
        assert entry.is_new_link


# receivers with a passport of their own (ADR 15)


def issued(halo, home, agent="planner", **changes) -> str:
    keys = KeyStore(home)
    signer = keys.signer("issuer")
    control = halo.store.commit(lambda tx: tx.load_control())
    arguments = {
        "signer": signer,
        "tenant": "local",
        "agent": agent,
        "principal": "user:ana",
        "audience": control.store,
        "holder_public_key": keys.signer(make_agent_key_name(agent)).public_key,
        "grants": {ActionKind.TOOL_CALL: {"lookup": WILD}, ActionKind.HANDOFF: {"researcher": WILD}},
        "now_s": halo.store.clock.now_us() // 1_000_000,
        "lifetime_s": 600,
        "jti": halo.store.ids.new_token_id(),
        "txn": halo.store.ids.new_token_id(),
        "terms": DEFAULT_TERMS,
        "budgets": Limits().effective_ceilings(),
        "hand_off_to": ("researcher",),
        **changes,
    }
    token = mint_standing(**arguments)
    Authorities(home).add_issuer("local", signer.public_key, 0)

    def job(tx):
        tx.put_blob(token_hash(token), token.encode())
        put_standing(tx, agent, token_hash(token), issuer=make_issuer_facts(signer))

    halo.store.commit(job)
    return token_hash(token)


def test_a_receiver_gets_no_more_than_it_was_issued(desk, home):
    issued(desk, home)
    with desk.session("s"):
        look(desk, "query")
        with desk.agent_scope("planner"):
            look(desk, "lookup")
            with pytest.raises(Denied) as caught:
                look(desk, "query")
            assert caught.value.reason == "tool_not_granted"
            with desk.agent_scope("researcher"):
                look(desk, "lookup")
            assert refused(desk.agent_scope("writer")) == "handoff_not_allowed"
    assert verified(home) == 0


def test_nor_data_that_it_was_not_issued_for(desk, home):
    issued(desk, home, labels=("pii",), grants={ActionKind.TOOL_CALL: {"cards": WILD, "people": WILD}})
    cards = tool(desk, "cards", labels=("chd",))
    people = tool(desk, "people", labels=("pii",))
    with desk.session("s"), desk.agent_scope("planner"):
        desk.enforcer.run(desk.build_call(people, {}), Calls(), SURFACE)
        with pytest.raises(Denied) as caught:
            desk.enforcer.begin(desk.build_call(cards, {}))
        assert caught.value.reason == "class_ceiling"


def test_nor_more_than_its_giver_has(desk, home):
    wide = {ActionKind.TOOL_CALL: {"lookup": WILD, "query": WILD, "wipe": WILD}}
    issued(desk, home, grants=wide)
    with desk.session("s"), desk.agent_scope("planner", give=HandOff(grants={ActionKind.TOOL_CALL: {"query": WILD}})):
        look(desk, "query")
        with pytest.raises(Denied):
            look(desk, "lookup")


def test_what_was_derived_narrows_nothing(home):
    with opened(home) as halo, HaloBase.local("planner", home=home, policy=policy_folder(home), quiet=True) as other:
        tool(other, "lookup")
        other.enforcer.run(other.build_call(tool(other, "lookup"), {"q": "x"}), Calls(), SURFACE)
        with halo.session("s"), halo.agent_scope("planner"):
            look(halo, "query")


@pytest.mark.parametrize("scope", ["agent", "link"])
def test_nothing_is_handed_to_an_agent_whose_passport_was_revoked(desk, home, scope):
    name = issued(desk, home)
    revoked(desk, scope, "planner" if scope == "agent" else name)
    with desk.session("s"):
        assert refused(desk.agent_scope("planner")) == "revoked"
        assert refused(desk.hand_off("planner")) == "revoked"
    told = [codes(body) for body in bodies(home, EntryKind.DECISION)]
    assert told == [["revoked"], ["revoked"]]
    assert verified(home) == 0


def test_nor_one_whose_passport_expired(home):
    clock = FixedClock(1_800_000_000_000_000)
    with opened(home, clock=clock) as halo:
        issued(halo, home)
        with halo.session("s"):
            with halo.agent_scope("planner"):
                pass
            clock.advance(601)
            assert refused(halo.agent_scope("planner")) == "expired"


def test_a_passport_that_does_not_verify_is_none(desk, home):
    issued(desk, home)
    desk.store.commit(lambda tx: put_standing(tx, "planner", "sha256:" + "0" * 64))
    with desk.session("s"):
        assert refused(desk.agent_scope("planner")) == "bad_passport"


def test_a_revoked_agent_up_the_chain_is_refused_by_its_own_link(desk, home):
    issued(desk, home)
    with desk.session("s"), desk.agent_scope("planner"), desk.agent_scope("researcher"):
        revoked(desk, "agent", "planner")
        with pytest.raises(Denied) as caught:
            handed(desk, "planner")
        assert caught.value.reason == "revoked"


# a stay, where no block can stand around it


async def test_a_stay_acts_under_a_link_of_its_own_until_it_ends(desk, home):
    with desk.session("s"):
        stay = await adrive(desk.begin_agent("planner"))
        assert stay.delegation is not None
        assert (stay.delegation.agents, current_delegation("clerk", "s")) == (("planner",), None)
        beside = await adrive(desk.begin_agent("planner"))
        assert beside.agent.handle != stay.agent.handle  # another run's, side by side
        stay.close()
        desk.store.flush()
        assert links(desk) == [("planner", beside.agent.handle)]
        beside.close(ZeroDivisionError())
        desk.store.flush()
        assert agents(desk) == []
    assert [body["status"] for body in bodies(home, EntryKind.OUTCOME)] == ["success", "error"]


async def test_a_stay_that_is_kept_is_found_again(desk):
    with desk.session("s"):
        first = await adrive(desk.begin_agent("planner"))
        first.agent.keep_link()
        first.close()
        again = await adrive(desk.begin_agent("planner"))
        again.close()
        desk.store.flush()
        assert again.agent.handle == first.agent.handle
        assert agents(desk) == ["planner"]
        last = await adrive(desk.begin_agent("planner"))
        assert (first.owns_link, again.owns_link, last.owns_link) == (True, True, True)
        last.agent.hand_back()
        last.close()
        desk.store.flush()
    assert agents(desk) == []


async def test_a_stay_under_the_actors_own_name_is_not_its_to_hand_back(desk):
    with desk.session("s"), desk.agent_scope("planner"):
        inner = await adrive(desk.begin_agent("planner"))
        assert not inner.owns_link
        inner.close()
        desk.store.flush()
        assert agents(desk) == ["planner"]


async def test_a_stay_that_is_refused_claims_nothing(home):
    with opened(home, grants={"lookup": WILD}) as halo, halo.session("s"):
        with pytest.raises(Denied):
            await adrive(halo.begin_agent("planner"))
        assert halo._claimed_links == {}
