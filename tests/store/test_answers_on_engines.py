"""An answer that signed entries ended, or used up, serves no call, whatever its rows say; on both engines."""

from __future__ import annotations

import os

import pytest

from halo_core.authorities import Authorities, make_approver_key_name
from halo_core.clock import SystemClock
from halo_core.crypto.keys import KeyStore
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource, Reversal
from halo_core.oversight.approvals import answer
from halo_core.oversight.keys import enrol_approver
from halo_core.oversight.remembered import RememberTerms, revoke_remembered
from halo_core.store.answer_entries import ANSWER_ENTRIES, USE_ENTRIES
from halo_core.store.engine import ADDED_INDEXES
from halo_core.store.postgres_statements import translate
from halo_world import SURFACE, Calls, policy_folder

pytestmark = pytest.mark.disk

POLICY = """
@id("base") permit (principal, action, resource);
@id("target") @effect("challenge") @reason("untrusted_target") forbid (principal, action, resource);
"""


def opened(place):
    policy = policy_folder(place.home, POLICY)
    return HaloBase.local("clerk", home=place.home, db=place.url, mode="enforce", policy=policy, quiet=True)


def send(halo) -> Calls:
    declared = Resource(impact=Impact.SEND, targets=("to",), source_trust=600, reversal=Reversal.COMPENSATE)
    properties = {"type": "object", "properties": {"to": {"type": "string"}}}
    resource = halo.register(ActionKind.TOOL_CALL, "send", resource=declared, schema=properties)
    body = Calls()
    with halo.session(f"s-{os.urandom(4).hex()}"):
        halo.enforcer.run(halo.build_call(resource, {"to": "eve@evil.example"}), body, SURFACE)
    return body


def sends(halo) -> bool:
    try:
        return bool(send(halo))
    except (Denied, Pending):
        return False


def remember(place, halo, uses: int) -> str:
    with pytest.raises(Pending) as caught:
        send(halo)
    keys, now_us = KeyStore(place.home.parent / "people"), SystemClock().now_us()
    public = keys.signer(make_approver_key_name("mia")).public_key
    enrol_approver(halo.store, Authorities(place.home), name="mia", public_key=public, by="admin", now_us=now_us)
    return answer(
        halo.store,
        keys,
        place.home,
        request_id=caught.value.pending_id,
        approver="mia",
        approve=True,
        terms=RememberTerms(max_uses=uses),
        now_us=halo.store.clock.now_us(),
    ).remembered


@pytest.mark.parametrize("is_asked_between", [False, True])
def test_a_revoked_answer_that_is_set_active_serves_no_call(place, is_asked_between):
    with opened(place) as halo, place.attack() as rows:
        kept = remember(place, halo, 9)
        assert sends(halo)
        with opened(place) as other:
            assert sends(other)
        assert sends(halo)  # the honest twin: uses of several processes follow from each other
        halo.store.commit(lambda tx: revoke_remembered(tx, kept, by="mia", why="left"))
        assert not (is_asked_between and sends(halo))
        rows.run("UPDATE standing_answer SET status='active'")
        assert not sends(halo)
        with opened(place) as later:
            assert not sends(later)
        assert rows.run("SELECT status FROM standing_answer") == [("revoked",)]
    assert {body["column"] for body in place.bodies(EntryKind.CONTROL)} == {"standing_answer"}
    assert place.verified() == 0


@pytest.mark.parametrize("state", [None, b'{"spent":0,"uses":0}', b'{"spent":0,"uses":1}', b"none"])
def test_an_answer_that_was_used_up_serves_no_call_whatever_its_row_counts(place, state):
    with opened(place) as halo, place.attack() as rows:
        remember(place, halo, 2)
        assert sends(halo)
        assert sends(halo)
        assert not sends(halo)
        if state is None:
            rows.run("DELETE FROM quota WHERE substr(account, 1, 7)='answer:'")
        else:
            rows.run("UPDATE quota SET state=? WHERE substr(account, 1, 7)='answer:'", state)
        assert not sends(halo)
        with opened(place) as later:
            assert not sends(later)


def test_a_store_from_before_the_indexes_gets_them_and_uses_them(place):
    added = ADDED_INDEXES
    with opened(place) as halo, place.attack() as rows:
        remember(place, halo, 3)
        assert sends(halo)
        for name in added:
            rows.run(f"DROP INDEX {name}")
    with opened(place) as halo, place.attack() as rows:
        assert sends(halo)  # on SQLite, INDEXED BY fails without the index
        if place.url.startswith("postgres"):
            rows.run("SET enable_seqscan=off")
            for query, index in ((ANSWER_ENTRIES, "entry_answer"), (USE_ENTRIES, "entry_answer_use")):
                plan = rows.run("EXPLAIN " + translate(query.newest).replace("%s", "'local'"))
                assert f"using {index} " in str(plan)
