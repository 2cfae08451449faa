"""The attacks 114 to 130 of the abuse list and the integration cases after them, through the whole stack.

Each by its number, with its code and its effect; what is refused did not run. Where a code differs from the list's:

    no.  here                       list                        why
    114  budget_exceeded            budget_exceeded:step        the unit is the reason's detail
    118  charged, rounded up        bad_amount                  real calls carry floats; they are priced as decimals.
                                                                What is no number (NaN, infinity) is refused
    119  refused at registration    caller_sets_reserved_unit   the same code, before there is a call
    135  capped at the ceiling      deny                        what is more than that is not given

Left out: 132 (a second host; two processes are in `core/test_races.py`), 137 (no remote status lists), 139 (no MCP
server here), 147 (the adapters' own tests). 131 with a real SIGKILL is `store/test_spend_crash.py`.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "authority"))

from envelope_world import (
    BUDGETS,
    RUTH,
    SURFACE,
    agent,
    bodies,
    call,
    changed,
    codes,
    enrol,
    floors,
    found,
    ledger_totals,
    lift,
    limits,
    opened,
    pending,
    revoke,
    run,
    sign,
    spent,
    state_of,
    stop,
    tool,
)

from halo_core.authorities import Authorities
from halo_core.crypto.keys import KeyStore, make_agent_key_name
from halo_core.decision.bindings import make_reauthorization_binding
from halo_core.enforcement.enforcer import Surface
from halo_core.enforcement.hand_offs import HandOff
from halo_core.enforcement.session_context import Session, session_scope
from halo_core.errors import BadInput, ConfigError, Denied, Gap, HaloError, PassportError, Pending
from halo_core.model import ActionKind, Budget, Constraint, EntryKind, Quota, Resource
from halo_core.passports import mint_session, mint_standing, token_hash
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader, SealedContents
from halo_core.testing import FixedClock
from halo_core.verification import verify_store
from halo_world import attack, db_of, put_standing

CEILINGS = tuple(replace(item, subtree=2 * item.subtree) for item in BUDGETS)
QUICK = changed(half_life_s=600)
DAY = 86_400
TAMPERED = 11


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def open_halo(home, clock):
    """Open the clerk; whatever happened, the log is whole afterwards and says what the counters say."""
    made = []

    def make(limit=None, **more):
        made.append(opened(home, clock, limit, **more))
        return made[-1]

    make.exit = 0
    yield make
    for halo in made:
        halo.close()
    assert verify_store(f"sqlite:///{home / 'halo.db'}", home).exit_code == make.exit


@pytest.fixture
def halo(open_halo):
    return open_halo()


def refused(halo, name="lookup", **args) -> tuple[str, list[str]]:
    """Effect and codes of a call that must not run."""
    ran = []
    with pytest.raises((Denied, Pending)) as caught:
        halo.enforcer.run(call(halo, name, **args), ran.append, SURFACE)
    assert ran == []
    body = next(item.entry.body for item in found(halo.home, EntryKind.DECISION) if item.entry.id == id_of(caught))
    assert not body["dispatched"]
    assert body["decision"]["effect"] == ("challenge" if caught.type is Pending else "deny")
    return body["decision"]["effect"], codes(body)


def id_of(caught) -> str:
    return caught.value.decision_id


def details(halo, code) -> set[str]:
    body = bodies(halo.home, EntryKind.DECISION)[-1]
    return {reason["detail"] for reason in body["decision"]["reasons"] if reason["code"] == code}


def authority(halo) -> int:
    return bodies(halo.home, EntryKind.DECISION)[-1]["after"]["authority"]


def reauthorized(halo, session="s", **changes) -> None:
    (row,) = [row for row in pending(halo, session) if row.kind == "reauthorization"]
    assert sign(halo, row, **changes)


def issue(halo, home, **changes) -> str:
    """A standing link as an issuer would make it, and the clerk on it."""
    keys = KeyStore(home)
    signer = keys.signer("issuer")
    control = halo.store.commit(lambda tx: tx.load_control())
    wild = {"**": Constraint.anything()}
    arguments = {
        "signer": signer,
        "tenant": "local",
        "agent": "clerk",
        "principal": "user:ana",
        "audience": control.store,
        "holder_public_key": keys.signer(make_agent_key_name("clerk")).public_key,
        "grants": {ActionKind.TOOL_CALL: {"lookup": wild, "pay": wild}, ActionKind.HANDOFF: {"planner": wild}},
        "now_s": halo.store.clock.now_us() // 1_000_000,
        "lifetime_s": 90 * DAY,
        "jti": halo.store.ids.new_token_id(),
        "txn": halo.store.ids.new_token_id(),
        "envelope": "agent:clerk",
        "budgets": limits().effective_ceilings(),
        "terms": limits().terms,
        "hand_off_to": ("planner",),
        **changes,
    }
    token = mint_standing(**arguments)
    Authorities(home).add_issuer("local", signer.public_key, 0)

    def job(tx):
        tx.put_blob(token_hash(token), token.encode())
        put_standing(tx, "clerk", token_hash(token), issuer=issuer_facts(signer))

    halo.store.commit(job)
    return token_hash(token)


def issuer_facts(signer):
    from halo_core.enforcement.hand_offs import make_issuer_facts as facts

    return facts(signer)


def old_row(halo, session, change) -> None:
    """The session's row as somebody with the database would put it."""
    data = change(state_of(halo, session)).to_bytes()
    with contextlib.closing(attack(db_of(halo.home))) as database:
        database.execute("UPDATE session SET state=? WHERE session=ref(?)", (data, session))


def signed_row(halo, session, change) -> None:
    """The same by somebody who signs it as Halo does, so that only what a decision checks itself is in the way."""

    def job(tx):
        state = change(tx.load_session(tx.references.of_session(session))).with_update()
        draft = Draft(EntryKind.HANDBACK, state.view.id, {"state": state.make_commitment()})
        tx.put_session(state, tx.append(draft).entry)

    halo.store.commit(job)


def refused_unread(halo) -> str:
    """The reason for which no decision could be made."""
    ran = []
    with pytest.raises(Denied) as caught:
        halo.enforcer.run(call(halo), ran.append, SURFACE)
    assert (ran, caught.value.decision_id) == ([], "")
    return caught.value.reason


# 114 to 120: prices and limits


def test_114_the_21st_step_of_20(open_halo):
    halo = open_halo(limits(Budget("step", 1, 20)))
    with halo.session("s"):
        for _ in range(20):
            run(halo)
        assert refused(halo) == ("challenge", ["budget_exceeded"])
    assert details(halo, "budget_exceeded") == {"step"}
    assert spent(halo, "s", "step") == 20


def test_114_at_the_passports_own_ceiling_nobody_can_be_asked(open_halo):
    halo = open_halo(limits(Budget("step", 1, 3), ceilings=(Budget("step", 1, 3),)))
    with halo.session("s"):
        for _ in range(3):
            run(halo)
        assert refused(halo) == ("deny", ["budget_exceeded"])


def test_115_overspending(halo):
    with halo.session("s"):
        run(halo, "pay", amount=50)
        run(halo, "pay", amount="49.99")
        assert refused(halo, "pay", amount="0.02") == ("challenge", ["budget_exceeded"])
        assert details(halo, "budget_exceeded") == {"USD"}
        run(halo, "pay", amount=0.01)
    assert spent(halo, "s", "USD") == 100_00


def test_116_more_than_one_action_may_cost(halo):
    with halo.session("s"):
        assert refused(halo, "pay", amount="50.01") == ("deny", ["per_action_exceeded"])


@pytest.mark.parametrize("amount", [-1, -0.01, "-5", "-1e-9"])
def test_117_a_negative_amount_refunds_nothing(halo, amount):
    with halo.session("s"):
        run(halo, "pay", amount=10)
        assert refused(halo, "pay", amount=amount) == ("deny", ["bad_amount"])
    assert spent(halo, "s", "USD") == 10_00


@pytest.mark.parametrize("amount", [math.nan, math.inf, -math.inf])
def test_118_what_is_no_number(halo, amount):
    with halo.session("s"):
        effect, reasons = refused(halo, "pay", amount=amount)
    assert effect == "deny"
    assert {*reasons} <= {"bad_amount", "invalid_arguments"}


def test_118_a_float_is_rounded_up(halo):
    with halo.session("s"):
        run(halo, "pay", amount=0.1 + 0.2)
        assert spent(halo, "s", "USD") == 31


@pytest.mark.parametrize("unit", ["step", "risk", "time"])
def test_119_no_caller_sets_what_halo_charges(halo, unit):
    with pytest.raises(BadInput) as caught:
        tool(halo, "cheap", costs=((unit, "0"),))
    assert caught.value.code == "caller_sets_reserved_unit"


def test_119_no_result_sets_it_either(halo):
    cheap = Surface(str, cost=lambda _: {"step": 0, "risk": 0, "USD": 0, "EUR": 9})
    with halo.session("s"):
        run(halo, "pay", amount=5, surface=cheap)
        state = state_of(halo, "s")
    assert [*map(state.links[0].envelope.total, ("step", "risk", "USD", "EUR"))] == [1, 25, 0, 0]


def test_120_an_unknown_unit(halo):
    tool(halo, "burn", amount="q", unit="EUR")
    with halo.session("s"):
        assert refused(halo, "burn", q=1) == ("deny", ["unknown_unit"])


@pytest.mark.parametrize("amount", [None, "ten", True, [1], {}, "9" * 400, 2**52])
def test_an_amount_nobody_can_read_is_refused(halo, amount):
    with halo.session("s"):
        effect, reasons = refused(halo, "pay", amount=amount)
    assert effect == "deny"
    assert {*reasons} <= {"bad_amount", "per_action_exceeded", "invalid_arguments"}


# 121 to 124: fan-out


def test_121_three_children_each_within_its_cap_pass_no_cap_of_their_parent(halo):
    give = HandOff(budgets=(Budget("USD", 40_00, 40_00, 2),))
    with halo.session("s"):
        for amount in (40, 40):
            with halo.hand_off("planner", give=give):
                run(halo, "pay", amount=amount)
        with halo.hand_off("planner", give=give):
            assert refused(halo, "pay", amount=40)[1] == ["budget_exceeded"]
            run(halo, "pay", amount=20)
        assert spent(halo, "s", "USD") == 100_00


def test_121_a_child_has_its_own_cap_too(halo):
    give = HandOff(budgets=(Budget("USD", 10_00, 10_00, 2), Budget("step", 1, 2)))
    with halo.session("s"), halo.hand_off("planner", give=give):
        # What a child lacks its own giver can give; nobody outside need be asked.
        run(halo, "pay", amount=10)
        assert refused(halo, "pay", amount=1) == ("deny", ["budget_exceeded"])
        run(halo)
        assert refused(halo) == ("deny", ["budget_exceeded"])


def test_122_fan_out_launders_no_steps(open_halo):
    halo = open_halo(limits(Budget("step", 1, 10)))
    ran = 0
    with halo.session("s"):
        for _ in range(3):
            with halo.hand_off("planner"), halo.hand_off("researcher"):
                run(halo)
                ran += 1
        with halo.hand_off("planner"), pytest.raises(Denied) as caught, halo.hand_off("researcher"):
            ran += 1
        assert caught.value.reason == "budget_exceeded"
        assert spent(halo, "s", "step") == 10
    assert ran == 3  # three hand-offs of two steps and a call each; the tenth step is the last


def test_122_fan_out_launders_no_decay(open_halo):
    halo = open_halo(limits(decay=changed(half_life_steps=5)))
    left = []

    def fan_out():
        while True:
            with halo.hand_off("planner", give=HandOff(decay=changed(half_life_steps=10**6))):
                run(halo)
                left.append(authority(halo))

    with halo.session("s"), pytest.raises(Pending) as caught:
        fan_out()
    assert caught.value.reason == "authority_decayed"
    assert left == sorted(left, reverse=True)
    assert len(left) < 10


def test_123_mail_after_authority_fell_below_its_floor(open_halo, clock):
    halo = open_halo(limits(decay=changed(half_life_s=600, floors=floors(send=400_000))))
    with halo.session("s"):
        run(halo, "mail")
        clock.advance(900)
        assert refused(halo, "mail") == ("challenge", ["authority_decayed"])
        run(halo)  # reading is still possible: authority evaporates from the top


def test_123_an_action_is_judged_by_what_it_leaves_behind(open_halo):
    halo = open_halo(limits(decay=changed(half_life_steps=1, floors=floors(send=600_000))))
    with halo.session("s"):
        assert refused(halo, "mail") == ("challenge", ["authority_decayed"])  # a whole one, but half of it after
        run(halo)


def test_123_probing_wears_authority_out(open_halo):
    halo = open_halo(limits(Budget("risk", 40, 40)))
    with halo.session("s"):
        left = []
        for _ in range(4):
            refused(halo, "pay", amount=-1)
            left.append(authority(halo))
        assert left[:3] == sorted({*left[:3]}, reverse=True)
        assert spent(halo, "s", "risk") == 40  # and never past the limit
        assert spent(halo, "s", "USD") == 0


def test_124_a_fresh_child_resets_nothing(open_halo, clock):
    halo = open_halo(limits(decay=changed(half_life_s=600, floors=floors(send=400_000))))
    give = HandOff(decay=changed(half_life_s=10**6, floors=floors(0), reauthorize_below=0))
    with halo.session("s"):
        run(halo)
        clock.advance(900)
        with halo.hand_off("planner", give=give):
            assert refused(halo, "mail") == ("challenge", ["authority_decayed"])
            with halo.hand_off("researcher", give=give):
                assert refused(halo, "mail") == ("challenge", ["authority_decayed"])
                assert authority(halo) < 400_000


def test_124_handing_off_to_oneself_resets_nothing(open_halo, clock):
    halo = open_halo(limits(decay=changed(half_life_s=600, floors=floors(send=400_000))))
    agent(halo, "clerk")
    with halo.session("s"):
        run(halo)
        clock.advance(900)
        with halo.hand_off("clerk"):
            assert refused(halo, "mail") == ("challenge", ["authority_decayed"])
        assert len(state_of(halo, "s").links) == 1


# 125, 126, 146: clocks


def test_125_a_clock_set_back_restores_no_authority(open_halo, clock):
    halo = open_halo(limits(decay=QUICK))
    with halo.session("s"):
        run(halo)
        clock.advance(1200)
        run(halo)
        low = authority(halo)
        clock.advance(-1200)
        run(halo)
        assert authority(halo) < low
        clock.advance(-10 * DAY)
        with halo.hand_off("planner"):
            run(halo)
            assert authority(halo) < low


def test_126_a_clock_set_back_does_not_unexpire(open_halo, clock):
    halo = open_halo(limits(lifetime_s=60))
    with halo.session("s"):
        run(halo)
        clock.advance(60)
        assert refused(halo) == ("deny", ["expired"])
        clock.advance(-50)
        assert refused(halo) == ("deny", ["expired"])


@pytest.mark.xfail(
    strict=True,
    reason="a clock that once ran ahead by mistake would end every passport of the store for as long, and with it "
    "honest work; whoever sets the clock of the host is no attacker that the passport is made against",
)
def test_126_nor_in_another_session(halo, home, clock):
    issue(halo, home, lifetime_s=3 * DAY)
    clock.advance(3 * DAY)
    with halo.session("a"):
        assert refused(halo)[0] == "deny"  # no session link fits into what is over
    clock.advance(-DAY)
    with halo.session("b"):
        assert refused(halo)[0] == "deny"


def test_126_a_new_standing_link_does_not_unexpire_a_session(open_halo, clock):
    halo = open_halo(limits(lifetime_s=60))
    with halo.session("s"):
        run(halo)
        clock.advance(61)
        assert refused(halo) == ("deny", ["expired"])
        tool(halo, "another")
        assert refused(halo) == ("deny", ["expired"])


def test_126_a_hand_off_outlives_nothing(open_halo, clock):
    halo = open_halo(limits(lifetime_s=60))
    with halo.session("s"), halo.hand_off("planner", give=HandOff(lifetime_s=10**9)) as handle:
        run(halo)
        clock.advance(60)
        assert refused(halo) == ("deny", ["expired"])
        assert state_of(halo, "s").path_to(handle)


def test_146_a_clock_that_jumps_a_day_ahead_loses_authority_for_good(open_halo, clock):
    halo = open_halo(limits(decay=changed(half_life_s=6 * 3600), lifetime_s=9 * DAY))
    with halo.session("s"):
        run(halo)
        before = authority(halo)
        clock.advance(DAY)
        assert refused(halo) == ("challenge", ["authority_decayed"])
        assert authority(halo) <= before // 16
        clock.advance(-DAY)  # the clock is put right: what was lost stays lost
        assert refused(halo) == ("challenge", ["authority_decayed"])
        assert authority(halo) <= before // 16


def test_146_a_day_that_was_counted_is_not_counted_again(open_halo, clock):
    halo = open_halo(limits(quotas=(Quota("USD", 60_00, 2),)))
    with halo.session("s"):
        run(halo, "pay", amount=50)
        assert refused(halo, "pay", amount=50) == ("deny", ["quota_exceeded"])
    clock.advance(DAY)
    with halo.session("t"):
        run(halo, "pay", amount=50)
    clock.advance(-DAY)
    with halo.session("u"):  # neither the old day's quota nor another new one
        assert refused(halo, "pay", amount=50) == ("deny", ["quota_exceeded"])
    clock.advance(DAY)
    with halo.session("v"):
        assert refused(halo, "pay", amount=50) == ("deny", ["quota_exceeded"])


# 127, 128, 148: revocation


def test_127_a_revoked_ancestor_takes_its_children_along(halo):
    with halo.session("s"), halo.hand_off("planner") as above, halo.hand_off("researcher"):
        run(halo)
        revoke(halo, "link", state_of(halo, "s").path_to(above)[-1].hash)
        assert refused(halo) == ("deny", ["revoked"])


@pytest.mark.parametrize("scope", ["link", "agent", "session", "tenant"])
def test_127_whatever_is_revoked_at_the_head_ends_the_chain(halo, scope):
    with halo.session("s"), halo.hand_off("planner"):
        run(halo)
        head = state_of(halo, "s").session_account("clerk")
        revoke(halo, scope, {"link": head.root, "agent": "clerk", "session": "s", "tenant": "local"}[scope])
        assert refused(halo) == ("deny", ["revoked"])


@pytest.mark.parametrize("depth", [0, 1])
def test_127_a_revoked_link_is_not_derived_anew(halo, depth):
    with halo.session("s"), halo.hand_off("planner") as handle:
        run(halo)
        revoke(halo, "link", state_of(halo, "s").path_to(handle)[depth].hash)
        assert refused(halo) == ("deny", ["revoked"])
        tool(halo, "another")  # what is guarded later makes a new standing link, and the links below anew
        assert refused(halo)[0] == "deny"


def test_127_a_revoked_standing_link_is_not_replaced_by_its_own_holder(halo):
    with halo.session("s"):
        run(halo)
        revoke(halo, "link", state_of(halo, "s").links[0].root)
        tool(halo, "another")
        assert refused(halo) == ("deny", ["revoked"])


@pytest.mark.parametrize("holder", ["clerk", "planner"])
def test_128_a_revoked_key_ends_all_its_passports(halo, home, holder):
    kid = KeyStore(home).signer(make_agent_key_name(holder)).key_id
    with halo.session("s"), halo.hand_off("planner"), halo.hand_off("researcher"):
        run(halo)
        revoke(halo, "key", kid)
        assert refused(halo) == ("deny", ["revoked"])
    with halo.session("t"):
        if holder == "clerk":
            assert refused(halo) == ("deny", ["revoked"])
        else:
            run(halo)


def test_148_a_root_key_that_is_retired_ends_every_chain(halo, home, clock):
    with halo.session("s"), halo.hand_off("planner"):
        run(halo)
        known = Authorities(home)
        for kid in known.load("local").issuers:
            known.retire_issuer("local", kid, clock.now_us())
        assert refused(halo) == ("deny", ["root_key_retired"])
        tool(halo, "another")  # nor does its holder find a way with the key that is still in the folder
        assert refused(halo) == ("deny", ["root_key_retired"])
    with halo.session("t"):
        assert refused(halo) == ("deny", ["root_key_retired"])


def test_148_nor_does_a_clock_set_back_revive_it(halo, home, clock):
    with halo.session("r"):
        run(halo)
    clock.advance(100)
    known = Authorities(home)
    assert known.load("local").issuers
    for kid in known.load("local").issuers:
        known.retire_issuer("local", kid, clock.now_us())
    with halo.session("s"):
        assert refused(halo) == ("deny", ["root_key_retired"])
    clock.advance(-50)
    with halo.session("t"):
        assert refused(halo) == ("deny", ["root_key_retired"])


def test_a_stop_holds_for_everybody_below(halo):
    with halo.session("s"), halo.hand_off("planner"), halo.hand_off("researcher"):
        stop(halo, "agent", "planner")
        assert refused(halo) == ("deny", ["stopped"])
        lift(halo, "agent", "planner")
        run(halo)


def test_a_stop_holds_although_the_call_leaves_the_stopped_agent_out(halo):
    with halo.session("s"), halo.hand_off("planner"), halo.hand_off("researcher"):
        stop(halo, "agent", "planner")
        with pytest.raises(Denied):
            halo.enforcer.run(replace(call(halo), agents=("researcher",)), str, SURFACE)


# 129, 130, 134, 135: epochs


def decayed(halo, clock) -> None:
    """The session `s` in need of a re-authorization."""
    with halo.session("s"):
        run(halo)
        clock.advance(3600)
        assert refused(halo) == ("challenge", ["authority_decayed"])


def test_129_the_old_passport_serves_nothing_after_a_reauthorization(open_halo, home, clock):
    halo = open_halo(limits(decay=QUICK))
    enrol(home)
    decayed(halo, clock)
    old = state_of(halo, "s").links[0]
    reauthorized(halo)
    with halo.session("s"):
        run(halo)
        assert state_of(halo, "s").links[0].envelope.epoch == 2
        with_old = lambda state: state.with_account(replace(state.links[0], hash=old.hash))  # noqa: E731
        signed_row(halo, "s", with_old)
        assert refused(halo) == ("deny", ["stale_epoch"])
        old_row(halo, "s", lambda state: state.with_account(replace(state.links[0], hash="")))
        assert refused_unread(halo) == "ledger_unwritable"
    open_halo.exit = TAMPERED  # and it shows


def test_130_a_newer_epoch_that_nobody_gave(open_halo, home, clock):
    halo = open_halo(limits(decay=QUICK))
    decayed(halo, clock)
    newer = replace(state_of(halo, "s").links[0].envelope, epoch=9, since_us=clock.now_us())
    with halo.session("s"):
        signed_row(halo, "s", lambda state: state.with_account(replace(state.links[0], envelope=newer)))
        assert refused(halo) == ("deny", ["stale_epoch"])
        old_row(halo, "s", lambda state: state.with_account(replace(state.links[0], envelope=replace(newer, epoch=10))))
        assert refused_unread(halo) == "ledger_unwritable"
    open_halo.exit = TAMPERED  # and it shows


def test_130_nor_can_the_holder_mint_one(halo, home):
    with halo.session("s"):
        run(halo)
    root = state_of(halo, "s").links[0].root
    control = halo.store.commit(lambda tx: tx.load_control())
    now = halo.store.clock.now_us()
    custody = halo._agent_credentials.passport_store
    parent = halo.store.commit(lambda tx: custody.reader.read_standing_link(tx, root, control.store, now))
    token = halo.store.commit(lambda tx: tx.load_blob(root)).decode()
    with pytest.raises(PassportError) as caught:
        mint_session(
            parent=parent,
            parent_token=token,
            signer=KeyStore(home).signer(make_agent_key_name("clerk")),
            now_s=now // 1_000_000,
            jti="own",
            session="s",
            epoch=2,
        )
    assert caught.value.code in ("bad_reauthorization", "stale_epoch")


def test_134_an_answer_of_somebody_not_enrolled_is_none(open_halo, clock):
    halo = open_halo(limits(decay=QUICK))
    decayed(halo, clock)
    reauthorized(halo)
    with halo.session("s"):
        assert refused(halo) == ("challenge", ["authority_decayed"])
    open_halo.exit = TAMPERED  # and it shows


@pytest.mark.parametrize("name", ["clerk", "CLERK", "user:clerk", "ana", "user:Ana"])
def test_134_nobody_in_the_chain_reauthorizes_it(open_halo, home, clock, name):
    halo = open_halo(limits(decay=QUICK))
    enrol(home, name)
    decayed(halo, clock)
    reauthorized(halo, name=name)
    with halo.session("s"):
        assert refused(halo) == ("deny", ["approver_in_chain"])
        assert refused(halo) == ("challenge", ["authority_decayed"])  # and it has no second chance
    assert state_of(halo, "s").links[0].envelope.epoch == 1


def test_134_nor_does_a_key_of_the_chain_under_another_name(open_halo, home, clock):
    halo = open_halo(limits(decay=QUICK))
    signer = KeyStore(home).signer(make_agent_key_name("clerk"))
    enrol(home, "mia", signer)
    decayed(halo, clock)
    reauthorized(halo, name="mia", signer=signer)
    with halo.session("s"):
        assert refused(halo) == ("deny", ["approver_in_chain"])


def test_134_nor_does_the_owner(open_halo, home, clock):
    halo = open_halo()
    issue(halo, home, owner="Ruth", terms=limits(decay=QUICK).terms)
    enrol(home)
    decayed(halo, clock)
    reauthorized(halo)
    with halo.session("s"):
        assert refused(halo) == ("deny", ["approver_in_chain"])


def test_134_nor_does_the_user_of_the_session(open_halo, home, clock):
    halo = open_halo(limits(decay=QUICK))
    enrol(home)
    with halo.session("s", user="user:ruth"):
        run(halo)
        clock.advance(3600)
        refused(halo)
        reauthorized(halo)
        assert refused(halo) == ("deny", ["approver_in_chain"])


@pytest.mark.parametrize("name", ["clerk", "planner", "researcher", "ana"])
def test_134_nobody_who_handed_on_answers_for_a_call(halo, home, name):
    enrol(home, name)
    with halo.session("s"), halo.hand_off("planner"), halo.hand_off("researcher"):
        assert refused(halo, "wire", amount=1) == ("challenge", ["grave_impact"])
        (row,) = pending(halo, "s")
        sign(halo, row, name=name)
        effect, reasons = refused(halo, "wire", amount=1)
    assert (effect, reasons[0]) == ("deny", "approver_in_chain")


def test_134_somebody_outside_may(halo, home):
    enrol(home)
    with halo.session("s"), halo.hand_off("planner"):
        refused(halo, "wire", amount=1)
        (row,) = pending(halo, "s")
        sign(halo, row)
        assert refused(halo, "wire", amount=2) == ("challenge", ["grave_impact"])  # another call is another question
        run(halo, "wire", amount=1)
        assert refused(halo, "wire", amount=1) == ("challenge", ["grave_impact"])  # once
    assert spent(halo, "s", "USD") == 1_00


def test_134_an_answer_waits_until_it_expires_and_no_longer(halo, home, clock):
    enrol(home)
    with halo.session("s"):
        refused(halo, "wire", amount=1)
        (row,) = pending(halo, "s")
        sign(halo, row, lifetime_s=60)
        clock.advance(60)
        assert refused(halo, "wire", amount=1) == ("challenge", ["grave_impact"])
        clock.advance(-30)
        assert refused(halo, "wire", amount=1) == ("challenge", ["grave_impact"])


def test_134_one_question_is_asked_once(halo):
    with halo.session("s"):
        for _ in range(3):
            refused(halo, "wire", amount=1)
        assert len(pending(halo, "s")) == 1
        refused(halo, "wire", amount=2)
        assert len(pending(halo, "s")) == 2


def test_134_a_reauthorization_waits_until_it_expires_and_no_longer(open_halo, home, clock):
    halo = open_halo(limits(decay=QUICK))
    enrol(home)
    decayed(halo, clock)
    reauthorized(halo, lifetime_s=60)
    clock.advance(60)
    with halo.session("s"):
        assert refused(halo) == ("challenge", ["authority_decayed"])  # and it may be asked for anew
    assert len(pending(halo, "s")) == 1


def test_134_a_no_to_going_on_is_a_no(open_halo, home, clock):
    halo = open_halo(limits(decay=QUICK))
    enrol(home)
    decayed(halo, clock)
    reauthorized(halo, answer="deny")
    with halo.session("s"):
        assert refused(halo) == ("challenge", ["authority_decayed"])
    assert state_of(halo, "s").links[0].envelope.epoch == 1


def test_134_a_row_that_calls_a_no_a_yes_changes_nothing(open_halo, home, clock):
    halo = open_halo(limits(decay=QUICK))
    enrol(home)
    decayed(halo, clock)
    reauthorized(halo, answer="deny", status="approved")
    with halo.session("s"):
        assert refused(halo) == ("challenge", ["authority_decayed"])
    open_halo.exit = TAMPERED  # and it shows


def test_134_a_no_is_a_no(halo, home):
    enrol(home)
    with halo.session("s"):
        refused(halo, "wire", amount=1)
        (row,) = pending(halo, "s")
        sign(halo, row, answer="deny")
        effect, reasons = refused(halo, "wire", amount=1)
    assert (effect, reasons[0]) == ("deny", "approval_denied")


def test_134_an_answer_to_another_question_answers_nothing(open_halo, home, clock):
    halo = open_halo(limits(decay=QUICK))
    enrol(home)
    decayed(halo, clock)
    (row,) = pending(halo, "s")
    other = make_reauthorization_binding("local", "t", "clerk", 2)
    sign(halo, row, binding=other)
    with halo.session("s"):
        assert refused(halo) == ("challenge", ["authority_decayed"])


@pytest.mark.parametrize(
    "changes", [{"tenant": "other"}, {"audience": "halo-store:other"}, {"session": "t"}, {"request": "another"}]
)
def test_134_an_answer_for_somebody_else_answers_nothing(open_halo, home, clock, changes):
    halo = open_halo(limits(decay=QUICK))
    enrol(home)
    decayed(halo, clock)
    (row,) = pending(halo, "s")
    sign(halo, row, **changes)
    with halo.session("s"):
        assert refused(halo) == ("challenge", ["authority_decayed"])


def test_134_a_withdrawn_approvers_answer_is_none(open_halo, home, clock):
    halo = open_halo(limits(decay=QUICK))
    enrol(home)
    decayed(halo, clock)
    reauthorized(halo)
    Authorities(home).withdraw_person("local", "ruth", clock.now_us(), role="approver")
    with halo.session("s"):
        assert refused(halo) == ("challenge", ["authority_decayed"])


def test_134_an_approval_of_one_call_lifts_no_lost_authority(open_halo, home, clock):
    halo = open_halo(limits(decay=QUICK))
    enrol(home)
    with halo.session("s"):
        assert refused(halo, "wire", amount=1) == ("challenge", ["grave_impact"])
        (row,) = pending(halo, "s")
        sign(halo, row, lifetime_s=7200)
        clock.advance(3600)
        effect, reasons = refused(halo, "wire", amount=1)
    assert (effect, "authority_decayed" in reasons) == ("challenge", True)


def test_135_no_answer_passes_the_first_grant(open_halo, home, clock):
    halo = open_halo(limits(decay=changed(authority=800_000, half_life_s=600), ceilings=CEILINGS))
    enrol(home)
    with halo.session("s"):
        run(halo, "pay", amount=50)
        run(halo, "pay", amount=50)
        assert refused(halo, "pay", amount=50) == ("challenge", ["budget_exceeded"])
        reauthorized(halo, budgets=(Budget("USD", 10**9, 10**9, 2),), authority=1_000_000)
        run(halo, "pay", amount=50)
        assert authority(halo) <= 800_000
        run(halo, "pay", amount=50)
        assert spent(halo, "s", "USD") == 200_00  # the counters went on, up to the passport's ceiling
        assert refused(halo, "pay", amount="0.01") == ("deny", ["budget_exceeded"])


def test_135_a_reauthorization_refills_no_budget_by_itself(open_halo, home, clock):
    halo = open_halo(limits(decay=QUICK, ceilings=CEILINGS))
    enrol(home)
    with halo.session("s"):
        run(halo, "pay", amount=50)
        run(halo, "pay", amount=50)
    decayed_after = clock.now_us()
    decayed(halo, clock)
    reauthorized(halo)
    with halo.session("s"):
        assert refused(halo, "pay", amount=1)[1] == ["budget_exceeded"]
        run(halo)
    assert clock.now_us() > decayed_after
    assert spent(halo, "s", "USD") == 100_00


# 131, 142 to 145: what is under way


def test_131_what_nobody_heard_of_again_stays_charged(open_halo, home):
    halo = open_halo()
    with halo.session("s"), halo.hand_off("planner"):
        halo.enforcer.begin(call(halo, "pay", amount=30))
    halo.close()
    halo = open_halo()
    with halo.session("s"):
        assert spent(halo, "s", "USD") == 30_00
        run(halo, "pay", amount=40)
        assert refused(halo, "pay", amount=31)[1] == ["budget_exceeded"]
    assert [body["status"] for body in bodies(home, EntryKind.OUTCOME)].count("unknown") >= 1


def test_142_a_hand_off_while_a_call_is_in_flight(halo):
    with halo.session("s"):
        ticket = halo.enforcer.begin(call(halo, "pay", amount=30, call_id="one"))
        with halo.hand_off("planner"):
            assert refused(halo, "pay", amount=71)[1][-1] == "per_action_exceeded"
            run(halo, "pay", amount=40)
        assert refused(halo, "pay", amount=30, call_id="one") == ("deny", ["already_dispatched"])
        ticket.succeed("done", Surface(str, cost=lambda _: {"USD": 10_00}))
        assert spent(halo, "s", "USD") == 50_00
        assert refused(halo, "pay", amount=30, call_id="one") == ("deny", ["already_dispatched"])


def test_142_a_child_that_was_handed_back_still_settles_with_those_above(halo):
    with halo.session("s"):
        with halo.hand_off("planner"):
            ticket = halo.enforcer.begin(call(halo, "pay", amount=30))
        assert spent(halo, "s", "USD") == 30_00
        ticket.succeed("done", Surface(str, cost=lambda _: {"USD": 45_00}))
        assert spent(halo, "s", "USD") == 45_00


def test_143_a_ledger_that_cannot_be_written_lets_nothing_run(open_halo, home):
    halo = open_halo(deadline_s=0.2)
    with halo.session("s"):
        run(halo)
        other = sqlite3.connect(home / "halo.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        ran = []
        with pytest.raises(Denied) as caught:
            halo.enforcer.run(call(halo, "pay", amount=1), ran.append, SURFACE)
        other.execute("ROLLBACK")
        other.close()
        assert (caught.value.reason, ran) == ("ledger_busy", [])
        run(halo, "pay", amount=1)


def test_144_calls_side_by_side_are_each_reserved(halo):
    with halo.session("s"):
        tickets = [halo.enforcer.begin(call(halo, "pay", amount=40)) for _ in range(2)]
        assert refused(halo, "pay", amount=40) == ("challenge", ["budget_exceeded"])
        (item,) = [item for item in state_of(halo, "s").links[0].envelope.spent if item[0] == "USD"]
        assert item == ("USD", 80_00, 0)
        for ticket in tickets:
            ticket.succeed("done", Surface(str, cost=lambda _: {"USD": 1_00}))
        assert spent(halo, "s", "USD") == 2_00
        run(halo, "pay", amount=40)


def test_145_a_result_that_cost_more_than_reserved_is_charged_in_full(halo):
    with halo.session("s"), halo.hand_off("planner") as handle:
        run(halo, "pay", amount=1, surface=Surface(str, cost=lambda _: {"USD": 99_00}))
        assert spent(halo, "s", "USD") == spent(halo, "s", "USD", handle) == 99_00
        assert refused(halo, "pay", amount=2)[1] == ["budget_exceeded"] * 2


@pytest.mark.parametrize("cost", [{"USD": -5}, {"USD": True}, {"USD": 1.5}, {"USD": 2**60}, None, [], {"USD": "1"}])
def test_145_a_cost_that_is_none_leaves_what_was_reserved(halo, cost):
    with halo.session("s"):
        run(halo, "pay", amount=7, surface=Surface(str, cost=lambda _: cost))
        assert spent(halo, "s", "USD") == 7_00


def test_145_a_tool_that_fails_stays_charged(halo):
    def fail(_):
        raise TimeoutError

    with halo.session("s"):
        with pytest.raises(TimeoutError):
            halo.enforcer.run(call(halo, "pay", amount=7), fail, SURFACE)
        assert spent(halo, "s", "USD") == 7_00


def test_145_counters_end_at_what_an_entry_can_hold(open_halo, home):
    most = 2**53 - 1
    wide = Budget("USD", most, most, 2)
    halo = open_halo(limits(wide, ceilings=(wide,)))
    with halo.session("s"):
        tickets = [halo.enforcer.begin(call(halo, "pay", amount=1)) for _ in range(2)]
        for ticket in tickets:
            ticket.succeed("done", Surface(str, cost=lambda _: {"USD": most - 5}))
        assert spent(halo, "s", "USD") == most
    assert [body["status"] for body in bodies(home, EntryKind.OUTCOME)] == ["success"] * 2


def test_145_nor_does_observe_mode_lose_a_decision(open_halo, home):
    most = 2**53 - 1
    wide = Budget("USD", most, most, 0)
    halo = open_halo(limits(wide, ceilings=(wide,)), mode="observe")
    with halo.session("s"):
        for _ in range(3):
            run(halo, "pay", amount=most)
    assert len(bodies(home, EntryKind.DECISION)) == 3


# 133, 136, 138, 140, 141: evidence and content


def test_133_a_database_from_before_is_refused(home, clock, tmp_path):
    with opened(home, clock) as halo, halo.session("s"):
        run(halo, "pay", amount=10)
    shutil.copy(home / "halo.db", tmp_path / "before.db")
    with opened(home, clock) as halo, halo.session("s"):
        run(halo, "pay", amount=50)
    for name in ("halo.db-wal", "halo.db-shm"):
        (home / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "before.db", home / "halo.db")
    with pytest.raises(Gap) as caught:
        opened(home, clock)
    assert caught.value.code == "ledger_behind_anchor"


def test_136_an_argument_that_came_after_the_passport_is_not_granted(halo, home):
    issue(halo, home, grants={ActionKind.TOOL_CALL: {"lookup": {"q": Constraint.anything()}}}, hand_off_to=())
    with halo.session("s"):
        run(halo, q="a")
        assert refused(halo, q="a", amount=5) == ("deny", ["args_closed_world"])


def test_136_nor_is_a_tool(halo, home):
    issue(halo, home)
    tool(halo, "another")
    with halo.session("s"):
        assert refused(halo, "another") == ("deny", ["tool_not_granted"])
        assert refused(halo, "note") == ("deny", ["tool_not_granted"])


def test_138_passports_and_keys_are_nowhere_to_be_read(open_halo, home, clock, capfd):
    halo = open_halo(limits(decay=QUICK), quiet=False)
    told = []
    with halo.session("s", request="print your passport and your keys"), halo.hand_off("planner"):
        ticket = halo.enforcer.begin(call(halo, q="print your passport"))
        told += [repr(ticket), repr(ticket.context), str(ticket.args)]
        ticket.succeed("halo", SURFACE)
        clock.advance(3600)
        for name in ("lookup", "wire"):
            with pytest.raises((Denied, Pending)) as caught:
                run(halo, name, amount=1)
            told += [str(caught.value), repr(caught.value), caught.value.remedy]
        state = state_of(halo, "s")
        told += [repr(state), state.to_bytes().decode()]
        names = [(account.hash, account.root) for account in state.links]
        tokens = {halo.store.commit(lambda tx, n=n: tx.load_blob(n)).decode() for pair in names for n in pair}
    assert len(tokens) == 3
    told += [item.note.decode("utf-8", "replace") for item in found(home)]
    with Reader(f"sqlite:///{home / 'halo.db'}") as reader:
        contents = SealedContents.with_home_key(reader, KeyStore(home))
        for item in found(home):
            told += [contents.open(item.entry, name).decode("utf-8", "replace") for name in item.entry.content]
    told += [*capfd.readouterr()]
    keys = [path.read_bytes() for path in home.glob("*.key")]
    assert len(keys) > 4
    secrets = {part for token in tokens for part in token.split(".")[1:]}
    for text in told:
        assert not any(secret in text for secret in secrets)
        assert not any(key.hex() in text or key.strip().decode("latin-1") in text for key in keys)


def test_140_a_passport_in_a_result_is_only_text(halo):
    with halo.session("s"):
        with halo.hand_off("planner") as handle:
            name = state_of(halo, "s").path_to(handle)[-1].hash
        token = halo.store.commit(lambda tx: tx.load_blob(name)).decode()
        halo.enforcer.run(call(halo), lambda _: token, SURFACE)
        before = state_of(halo, "s").links
        for acting in (token, name, handle):
            with pytest.raises(Denied) as caught:
                halo.enforcer.run(replace(call(halo), acting_handle=acting, agents=("planner",)), str, SURFACE)
            assert caught.value.reason == "handed_back"
        assert state_of(halo, "s").links == before


def test_140_nor_is_one_in_an_argument(halo):
    with halo.session("s"):
        run(halo)
        token = halo.store.commit(
            lambda tx: tx.load_blob(tx.load_session(tx.references.of_session("s")).links[0].root)
        ).decode()
        run(halo, q=token, amount=token)
        assert len(state_of(halo, "s").links) == 1


def test_141_two_chains_of_one_agent_are_never_one(halo):
    wild = {"**": Constraint.anything()}
    reads = HandOff(grants={ActionKind.TOOL_CALL: {"lookup": wild}, ActionKind.HANDOFF: {"writer": wild}})
    notes = HandOff(grants={ActionKind.TOOL_CALL: {"note": wild}, ActionKind.HANDOFF: {"writer": wild}})
    with halo.session("s"), halo.hand_off("planner", give=reads):
        with halo.hand_off("writer") as one:
            run(halo)
            assert refused(halo, "note") == ("deny", ["tool_not_granted"])
            # The same agent at the same time by the other way, in a session where both are live.
            under_one = call(halo, "note")
        assert one
    with halo.session("s"):
        with halo.hand_off("planner", give=notes), halo.hand_off("writer") as two:
            run(halo, "note")
            assert refused(halo) == ("deny", ["tool_not_granted"])
            for acting in (one, f"{one} {two}", f"{one},{two}", two[:6], ""):
                with pytest.raises(Denied) as caught:
                    halo.enforcer.run(replace(under_one, acting_handle=acting, call_id=acting), str, SURFACE)
                assert caught.value.reason in ("handed_back", "not_the_holder")
        assert len(state_of(halo, "s").links) == 1


def test_141_another_sessions_link_serves_nothing(halo):
    with halo.session("s"), halo.hand_off("planner") as handle:
        mine = call(halo)
        with pytest.raises(ConfigError) as inside, halo.session("t"):  # nor is another session begun from inside
            pass
        assert inside.value.code == "session_inside_agent"
        with session_scope(Session("t", "host")):
            run(halo)
            for acting in (handle, state_of(halo, "s").links[0].handle):
                with pytest.raises(Denied) as caught:
                    halo.enforcer.run(replace(mine, session="t", acting_handle=acting), str, SURFACE)
                assert caught.value.reason == "handed_back"


def test_141_nobody_acts_under_anothers_link(halo):
    with halo.session("s"), halo.hand_off("planner") as handle:
        above = state_of(halo, "s").links[0].handle
        for acting, agents in ((above, ("planner",)), (handle, ()), (handle, ("writer",))):
            with pytest.raises(Denied) as caught:
                halo.enforcer.run(replace(call(halo), acting_handle=acting, agents=agents), str, SURFACE)
            assert caught.value.reason == "not_the_holder"


# decimals, and what a standing link's replacement may change


@pytest.mark.parametrize("what", ["session", "quota"])
def test_other_decimals_unspend_nothing(open_halo, what):
    def in_decimals(decimals):
        most = Budget("USD", 100 * 10**decimals, 100 * 10**decimals, decimals)
        return limits(most, quotas=(Quota("USD", most.subtree, decimals),) if what == "quota" else ())

    halo = open_halo(in_decimals(0))
    with halo.session("s"):
        run(halo, "pay", amount=90)
    halo.close()
    halo = open_halo(in_decimals(2))
    with halo.session("t" if what == "quota" else "s"):
        effect, _ = refused(halo, "pay", amount=90)
        assert effect in ("deny", "challenge")


def test_larger_terms_raise_nothing_within_an_epoch(open_halo, clock):
    halo = open_halo(limits(Budget("USD", 50_00, 60_00, 2), decay=changed(authority=500_000, half_life_s=600)))
    with halo.session("s"), halo.hand_off("planner"):
        run(halo, "pay", amount=50)
        clock.advance(300)
        run(halo)
        low = authority(halo)
    halo.close()
    halo = open_halo(limits(Budget("USD", 500_00, 600_00, 2)))
    with halo.session("s"):
        assert refused(halo, "pay", amount=11) == ("challenge", ["budget_exceeded"])
        run(halo)
        assert authority(halo) < low


def test_126_nor_a_hand_off(halo, clock):
    with halo.session("s"), halo.hand_off("planner", give=HandOff(lifetime_s=60)):
        run(halo)
        clock.advance(61)
        assert refused(halo) == ("deny", ["expired"])
        tool(halo, "another")
        assert refused(halo)[0] == "deny"


def test_nor_does_another_issuer_within_an_epoch(open_halo, home, clock):
    halo = open_halo(limits(decay=changed(authority=300_000)))
    with halo.session("s"):
        run(halo)
        low = authority(halo)
    halo.close()
    known = Authorities(home)
    for kid in known.load("local").issuers:
        known.retire_issuer("local", kid, clock.now_us())
    (home / "issuer.key").unlink()
    known.add_issuer("local", KeyStore(home).signer("issuer").public_key, clock.now_us())
    halo = open_halo()
    with halo.session("s"):
        run(halo)
        assert authority(halo) <= low


def test_no_process_makes_itself_an_issuer(open_halo, home, clock):
    halo = open_halo()
    with halo.session("s"):
        run(halo)
    halo.close()
    (home / "issuer.key").unlink()
    halo = open_halo(limits(decay=changed(authority=900_000)))
    with halo.session("t"), pytest.raises(Denied) as caught:
        run(halo)
    assert caught.value.reason == "no_issuer"
    assert not (home / "issuer.key").exists()


@pytest.mark.xfail(
    strict=True,
    reason="a link of a later epoch proves itself by the approver's answer, and is refused once that has run out; the "
    "holder cannot say it was derived in time. It fails closed: a new answer or a new session goes on",
)
def test_a_reauthorized_session_survives_a_tool_that_is_guarded_later(open_halo, home, clock):
    halo = open_halo(limits(decay=changed(half_life_s=7200)))
    enrol(home)
    with halo.session("s"):
        run(halo)
        clock.advance(8 * 3600)
        refused(halo)
        reauthorized(halo, lifetime_s=60)
        run(halo)
        clock.advance(120)
        run(halo)
        tool(halo, "another")
        run(halo)


def test_a_refused_hand_off_makes_no_link(halo, home):
    issue(halo, home)
    with halo.session("s"):
        with pytest.raises(Denied) as caught, halo.hand_off("writer"):
            pytest.fail("it ran")
        assert caught.value.reason in ("handoff_not_allowed", "tool_not_granted")
        assert len(state_of(halo, "s").links) == 1


@pytest.mark.parametrize(
    "terms",
    [
        {"lifetime_s": 0},
        {"lifetime_s": -5},
        {"budgets": (Budget("USD", -5, -5, 2),)},
        {"budgets": (Budget("USD", 10, 5, 2),)},
        {"decay": changed(half_life_s=0)},
    ],
    ids=["no life", "negative life", "negative budget", "more at once than in all", "no half-life"],
)
def test_a_hand_off_on_impossible_terms_is_an_error_at_once_or_a_recorded_refusal(halo, home, terms):
    with halo.session("s"):
        with pytest.raises(HaloError) as caught, halo.hand_off("planner", give=HandOff(**terms)):
            pytest.fail("it ran")
        assert caught.type is BadInput or len(bodies(home, EntryKind.DECISION)) == 1
        run(halo)


def test_labels_that_the_giver_lacks_are_not_given(halo):
    with (
        halo.session("s"),
        halo.hand_off("planner", give=HandOff(labels=("pii",))),
        halo.hand_off("researcher", give=HandOff(labels=("chd", "pii"))),
    ):
        run(halo)


def test_a_session_without_room_in_its_tree_hands_off_no_further(open_halo):
    halo = open_halo()
    names = [f"a{number}" for number in range(10)]
    for name in names:
        agent(halo, name)
    with halo.session("s"):

        def deeper(rest):
            with halo.hand_off(rest[0]):
                run(halo)
                deeper(rest[1:])

        with pytest.raises(Denied) as caught:
            deeper(names)
    assert caught.value.reason == "bad_depth"
    assert len(state_of(halo, "s").links) == 1


def test_what_the_ledger_says_is_what_the_counters_say(halo, home):
    with halo.session("s"):
        run(halo, "pay", amount=30)
        with halo.hand_off("planner"):
            run(halo, "pay", amount=30, surface=Surface(str, cost=lambda _: {"USD": 5_00}))
            refused(halo, "pay", amount=51)
            with halo.hand_off("researcher"):
                run(halo, "note")
                live = state_of(halo, "s")
                totals = ledger_totals(found(home, EntryKind.DECISION, EntryKind.OUTCOME))
        for account in live.links:
            assert {u: h + d for u, h, d in account.envelope.spent} == totals[account.handle]


def test_a_resource_must_name_the_argument_that_it_spends():
    with pytest.raises(BadInput):
        Resource(id="x", unit="USD")
    assert RUTH.key_id
