"""Which result a value came from is on the record, and rules can read it."""

from __future__ import annotations

import pytest

from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource
from halo_core.store.session_state import SessionState
from halo_core.values.sketches.sketch import MAX_SOURCE_INDEX, Sketch
from halo_world import SURFACE, Calls, bodies, cli, codes, policy_folder, schema, verified

ONLY_FROM_THE_BANK = """
@id("base") permit (principal, action, resource);
@id("bank-only") @reason("foreign_account")
forbid (principal, action == Action::"pay", resource)
unless { ["accounts", "request"].containsAll(context.target_sources) };
"""


def tool(halo, name, *arguments, **declared):
    properties = {argument: {"type": "string"} for argument in arguments}
    resource = Resource(**{"source_trust": 900, "impact": Impact.READ, **declared})
    return halo.register(ActionKind.TOOL_CALL, name, resource=resource, schema=schema(properties))


def run(halo, resource, args, result="done"):
    return halo.enforcer.run(halo.build_call(resource, args), Calls(result), SURFACE)


@pytest.fixture
def desk(home):
    folder = policy_folder(home, ONLY_FROM_THE_BANK)
    with HaloBase.local("desk", home=home, mode="enforce", policy=folder, quiet=True) as opened:
        yield opened


def pay(halo, to, note="x"):
    run(halo, tool(halo, "pay", "to", "note", impact=Impact.WRITE, targets=("to",)), {"to": to, "note": note})


def test_a_rule_says_which_results_a_target_may_come_from(desk, home):
    accounts, wiki = tool(desk, "accounts", "q"), tool(desk, "wiki", "q")
    with desk.session(request="pay the surveyor; mine is ACC-USER-1"):
        run(desk, accounts, {"q": "surveyor"}, "ACC-BANK-7")
        run(desk, wiki, {"q": "surveyor"}, "ACC-WIKI-9 surveyor")
        pay(desk, "ACC-BANK-7", note="ACC-WIKI-9")
        pay(desk, "ACC-USER-1")
        with pytest.raises(Denied) as denied:
            pay(desk, "ACC-WIKI-9")
    assert denied.value.reason == "foreign_account"
    pays = [body for body in bodies(home, EntryKind.DECISION) if body["request"]["resource"]["id"] == "pay"]
    assert pays[0]["snapshot"]["sources"] == [["/note", ["wiki"]], ["/to", ["accounts"]]]
    assert pays[1]["snapshot"]["sources"] == []
    assert codes(pays[2]) == ["foreign_account"]
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0
    assert "/to known (from accounts)" in cli("show", str(found_index(home)), home=home)[1]


def found_index(home):
    from halo_world import found

    return next(
        item.index for item in found(home, EntryKind.DECISION) if item.entry.body["request"]["resource"]["id"] == "pay"
    )


def test_the_first_to_say_a_word_is_its_source_whoever_repeats_it(desk, home):
    one, two = tool(desk, "one", "q"), tool(desk, "two", "q")
    with desk.session():
        run(desk, one, {"q": "x"}, "ACC-1")
        run(desk, two, {"q": "x"}, "ACC-1")
        with pytest.raises(Denied):
            pay(desk, "ACC-1")
    assert bodies(home, EntryKind.DECISION)[-1]["snapshot"]["sources"] == [["/to", ["one"]]]


def test_sources_survive_a_restart(home):
    folder = policy_folder(home, ONLY_FROM_THE_BANK)
    for i in range(2):
        with HaloBase.local("desk", home=home, mode="enforce", policy=folder, quiet=True) as halo, halo.session("s"):
            if not i:
                run(halo, tool(halo, "accounts", "q"), {"q": "surveyor"}, "ACC-BANK-7")
            else:
                pay(halo, "ACC-BANK-7")
    assert bodies(home, EntryKind.DECISION)[-1]["snapshot"]["sources"] == [["/to", ["accounts"]]]


def test_past_the_last_place_sources_share_it():
    state = SessionState.create("s", 0)
    for i in range(MAX_SOURCE_INDEX + 5):
        state, place = state.with_source(f"tool{i}")
        assert place == min(i + 1, MAX_SOURCE_INDEX)
    assert len(state.sources) == MAX_SOURCE_INDEX
    assert state.with_source("tool3") == (state, 4)
    assert SessionState.from_bytes(state.to_bytes()).sources == state.sources


def test_a_place_is_no_origin():
    sketch = Sketch(b"k" * 32)
    from halo_core.model import Provenance

    sketch.merge(sketch.compute_additions({1}, Provenance.UNTRUSTED, source_number=31))
    assert sketch.compute_additions({1}, Provenance.SYSTEM, source_number=2) == {}
    sketch.merge(sketch.compute_additions({1}, Provenance.USER, vouched=True))
    assert sketch.marks[1] == 31 << 3 | 4 | 1
