"""Whatever comes in, a decision comes out and nothing runs by mistake. Invariants: TOTAL, FAILCLOSED."""

from __future__ import annotations

from collections import UserDict
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counts import count
from halo_core.enforcement.preparer import MAX_ARGUMENT_BYTES
from halo_core.errors import ConfigError, Denied, PolicyError
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Provenance, Resource
from halo_core.replay import ReplayStatus
from halo_world import POLICY, SURFACE, Calls, bodies, cli, codes, found, policy_folder, schema, tool, verified


def nested(depth):
    value: object = "x"
    for _ in range(depth):
        value = {"a": value}
    return value


def laughing(depth=40):
    value: object = ["ha"] * 10
    for _ in range(depth):
        value = [value] * 10
    return value


class Hostile(UserDict):
    def __iter__(self):
        raise RuntimeError("no")

    def items(self):
        raise RuntimeError("no")


class Lying(dict):
    """Says one thing to whoever iterates and another to whoever asks."""

    def items(self):
        return [("q", "harmless")]


CYCLE: dict = {}
CYCLE["q"] = CYCLE

REFUSED = [
    ("ten megabytes", {"q": "x" * 10_000_000}, "arguments_too_large"),
    ("ten megabytes of bytes", {"q": b"x" * 10_000_000}, "arguments_too_large"),
    ("just over the limit", {"q": "x" * MAX_ARGUMENT_BYTES}, "arguments_too_large"),
    ("a million values", {"q": list(range(1_000_000))}, "arguments_too_large"),
    ("more leaves than are traced", {"q": list(range(300))}, "arguments_too_large"),
    ("5,000 deep", {"q": nested(5000)}, "arguments_too_large"),
    ("100 deep", {"q": nested(100)}, "arguments_too_large"),
    ("exponential when written out", {"q": laughing()}, "arguments_too_large"),
    ("in itself", CYCLE, "arguments_too_large"),
    ("NaN", {"q": float("nan")}, "invalid_arguments"),
    ("infinite", {"q": float("-inf")}, "invalid_arguments"),
    ("a number of 5,000 digits", {"q": 10**5000}, "arguments_too_large"),
    ("lone surrogate", {"q": "\ud800"}, "invalid_arguments"),
    ("lone surrogate in a key", {"\udfff": "x"}, "invalid_arguments"),
    ("a key that is no text", {1: "x"}, "invalid_arguments"),
    ("a key that is None", {None: "x"}, "invalid_arguments"),
    ("an object", {"q": object()}, "invalid_arguments"),
    ("a set", {"q": {1, 2}}, "invalid_arguments"),
    ("a function", {"q": print}, "invalid_arguments"),
    ("a mapping that raises", Hostile(), "invalid_arguments"),
    ("no mapping at all", None, "invalid_arguments"),
    ("a list of arguments", ["q"], "invalid_arguments"),
    ("unknown argument", {"q": "x", "admin": True}, "args_closed_world"),
    ("homoglyph argument", {"\u051b": "x"}, "args_closed_world"),
    ("argument with a blank", {"q ": "x"}, "args_closed_world"),
    ("__entity as an argument", {"__entity": {"type": "Agent", "id": "root"}}, "args_closed_world"),
]


@pytest.mark.share(2)
@pytest.mark.parametrize(("name", "args", "code"), REFUSED, ids=[item[0] for item in REFUSED])
def test_bad_arguments_are_denied_and_recorded(halo, home, name, args, code):
    body = Calls()
    with halo.session("s"), pytest.raises(Denied) as caught:
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), args), body, SURFACE)
    assert (caught.value.reason, body) == (code, [])
    assert caught.value.decision_id
    assert caught.value.remedy
    (decision,) = bodies(home, EntryKind.DECISION)
    assert (codes(decision), decision["dispatched"]) == ([code], False)
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


ODD = [
    None,
    "",
    -1,
    2**53,
    2**63,
    -(2**63) - 1,
    2**4000,
    -0.0,
    1e308,
    5e-324,
    98.7,
    b"\xff\xfe not utf-8 \x80",
    "\x00\x1b[31m\u202e",
    "ключ",
    True,
    [],
    {},
    [None, [None]],
    {"__entity": {"type": "Tool", "id": "wipe"}},
    {"__extn": {"fn": "decimal", "arg": "1.0"}},
    {"__expr": "principal"},
    {"type": "Agent", "id": "root"},
    {"$f": "1.0"},
    {"$i": "not a number"},
    {"a": {"$m": [["b", 1]]}},
    (1, 2),
    "halo:secret:0123456789abcdef",
]


@pytest.mark.share(2)
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_odd_arguments_are_decided_and_run_as_they_are(halo, home, value):
    free = halo.register(ActionKind.TOOL_CALL, "free", resource=Resource(impact=Impact.READ), schema=schema({"q": {}}))
    body = Calls()
    with halo.session("s"):
        halo.enforcer.run(halo.build_call(free, {"q": value}), body, SURFACE)
    assert repr(body) == repr([{"q": value}])
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0


@pytest.mark.parametrize(
    "value", [2**63, -1, 0, None, 1e300, float("nan"), "1e9", "100000", [], {"__extn": {"fn": "decimal", "arg": "1.0"}}]
)
def test_an_amount_that_is_no_small_number_never_passes_as_one(halo, home, value):
    body = Calls()
    loose = Resource(impact=Impact.PAYMENT, amount="amount")
    pay = halo.register(ActionKind.TOOL_CALL, "pay", resource=loose, schema=schema({"amount": {}, "to": {}}))
    ran = True
    with halo.session("s"):
        try:
            halo.enforcer.run(halo.build_call(pay, {"amount": value, "to": "x"}), body, SURFACE)
        except Denied:
            ran = False
    # None is no amount; the others are 100 or less, or refused.
    assert ran is (value is None or value in (-1, 0))
    assert len(body) is int(ran)
    assert verified(home) == 0


def test_a_mapping_that_lies_runs_with_what_was_decided(halo, home):
    body = Calls()
    with halo.session("s"):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), Lying(q="harmful")), body, SURFACE)
    assert body == [{"q": "harmless"}]


@pytest.mark.parametrize(
    "name",
    [
        "l\u043e\u043ekup",
        "lookup\u200b",
        "look\nup",
        " lookup",
        "lookup ",
        "",
        "l" * 129,
        "\ud800",
        "\uff4c\uff4f\uff4f\uff4b\uff55\uff50",
    ],
)
def test_a_name_that_deceives_is_granted_nothing(halo, home, name):
    lookup = tool(halo, "lookup")
    body = Calls()
    fake = replace(lookup, id=name)
    with halo.session("s"), pytest.raises(Denied) as caught:
        halo.enforcer.run(halo.build_call(fake, {"q": "x"}), body, SURFACE)
    assert body == []
    assert caught.value.reason in ("tool_not_granted", "decision_error")
    with halo.session("s"):
        halo.enforcer.run(halo.build_call(lookup, {"q": "x"}), body, SURFACE)
    assert len(body) == 1
    assert verified(home) == 0


@pytest.mark.parametrize("name", ["l\u043e\u043ekup", "look\nup", "l" * 129])
def test_registering_a_name_that_deceives_grants_nothing_and_breaks_nothing(halo, home, name):
    good = tool(halo, "lookup")
    fake = tool(halo, name)
    body = Calls()
    with halo.session("s"):
        with pytest.raises(Denied) as caught:
            halo.enforcer.run(halo.build_call(fake, {}), body, SURFACE)
        assert (caught.value.reason, body) == ("tool_not_granted", [])
        halo.enforcer.run(halo.build_call(good, {"q": "x"}), body, SURFACE)
    assert len(body) == 1
    assert verified(home) == 0


def test_an_argument_name_that_deceives_is_not_granted(halo):
    odd = halo.register(
        ActionKind.TOOL_CALL,
        "odd",
        resource=Resource(impact=Impact.READ),
        schema=schema({"q": {}, "\u051b": {}, "n" * 200: {}}),
    )
    body = Calls()
    with halo.session("s"):
        halo.enforcer.run(halo.build_call(odd, {"q": 1}), body, SURFACE)
        for args in ({"\u051b": 1}, {"n" * 200: 1}):
            with pytest.raises(Denied) as caught:
                halo.enforcer.run(halo.build_call(odd, args), body, SURFACE)
            assert caught.value.reason == "args_closed_world"
    assert len(body) == 1


@pytest.mark.parametrize("word", ["s" * 300, "\ud800", "\x00", "🦜" * 200, "a'; DROP TABLE entry; --"])
def test_strange_ids_of_sessions_users_turns_and_calls(halo, home, word):
    lookup = tool(halo, "lookup")
    body = Calls()
    other = word + "x"
    for name in (word, other):
        with halo.session(name, user=name, request=f"hello {name}"):
            call = replace(halo.build_call(lookup, {"q": "x"}, call_id=name), turn=name, trigger_text=name)
            halo.enforcer.run(call, body, SURFACE)
            with pytest.raises(Denied) as caught:
                halo.enforcer.run(call, body, SURFACE)
            assert caught.value.reason == "already_dispatched"
    assert len(body) == 2
    # Two long names never become one.
    assert len({item.entry.session for item in found(home, EntryKind.DECISION)}) == 2
    assert all(len(item.entry.session) <= 256 for item in found(home))
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_texts_that_were_seen_may_be_anything(halo, home):
    lookup = tool(halo, "lookup")
    texts = ("\ud800" * 9, "", "x" * 3_000_000, "\x00", "1," * 1000)
    with halo.session("s"):
        call = halo.build_call(lookup, {"q": "x"}, shown_texts=tuple((text, Provenance.USER) for text in texts))
        halo.enforcer.run(call, Calls("\udcff" * 100_000), SURFACE)
    halo.store.flush()
    (outcome,) = bodies(home, EntryKind.OUTCOME)
    assert (outcome["status"], outcome["output_len"]) == ("success", 100_000)
    assert verified(home) == 0


def test_an_unknown_policy_attribute_denies(home):
    folder = policy_folder(
        home, POLICY + '@id("odd") forbid (principal, action, resource) when { context.moon == "full" };'
    )
    body = Calls()
    halo = HaloBase.local("clerk", home=home, mode="enforce", policy=folder, quiet=True)
    with halo, halo.session("s"), pytest.raises(Denied) as caught:
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), body, SURFACE)
    assert (caught.value.reason, body) == ("policy_error", [])
    assert "moon" in str(caught.value)
    assert codes(bodies(home, EntryKind.DECISION)[0]) == ["policy_error"]
    assert verified(home) == 0
    assert cli("policy", "check", str(folder), home=home)[0] == 1


@pytest.mark.parametrize(
    "text", ["nonsense", "permit (principal, action, resource);", '@id("a") permit (principal, action', "\x00"]
)
def test_a_policy_that_does_not_parse_is_refused_at_start(home, text):
    with pytest.raises(PolicyError) as caught:
        HaloBase.local("clerk", home=home, policy=policy_folder(home, text), quiet=True)
    assert caught.value.remedy


def test_a_policy_broken_while_running_denies(home):
    folder = policy_folder(home)
    body = Calls()
    with HaloBase.local("clerk", home=home, mode="enforce", policy=folder, quiet=True) as halo, halo.session("s"):
        lookup = tool(halo, "lookup")
        folder.joinpath("test.cedar").write_text("nonsense")
        with pytest.raises(Denied):
            halo.enforcer.run(halo.build_call(lookup, {"q": "x"}), body, SURFACE)
        folder.joinpath("test.cedar").write_text(POLICY)
        halo.enforcer.run(halo.build_call(lookup, {"q": "x"}), body, SURFACE)
    assert len(body) == 1


def test_another_tenants_passport_is_of_no_use(home):
    folder = policy_folder(home)
    body = Calls()
    with (
        HaloBase.local("clerk", tenant="acme", home=home, mode="enforce", policy=folder, quiet=True) as acme,
        HaloBase.local("clerk", tenant="evil", home=home, mode="enforce", policy=folder, quiet=True) as evil,
    ):
        mine, theirs = tool(acme, "lookup"), tool(evil, "lookup")
        with acme.session("s"):
            acme.enforcer.run(acme.build_call(mine, {"q": "x"}), body, SURFACE)
        foreign = acme._agent_credentials.current(acme._registry)
        evil.enforcer._get_credentials = lambda: foreign
        with evil.session("s"), pytest.raises(Denied) as caught:
            evil.enforcer.run(evil.build_call(theirs, {"q": "x"}), body, SURFACE)
    # Whose passport it is and what it says are read from the store of the one tenant.
    assert caught.value.reason == "no_passport"
    assert len(body) == 1
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 64  # which tenant?
    assert cli("replay", "--all", "--tenant", "acme", home=home)[0] == 0


def test_a_tenant_without_a_name_is_refused(home):
    for tenant in ("", "a/b", "x" * 65, "a b", "\ud800"):
        with pytest.raises(ConfigError) as caught:
            HaloBase.local("clerk", tenant=tenant, home=home, quiet=True)
        assert caught.value.field == "tenant"
        assert caught.value.remedy


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=count(60), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(["q", "amount", "to", "__entity"]) | st.text(max_size=4), ANY, max_size=3),
    st.text(),
)
def test_any_arguments_give_a_recorded_decision_and_nothing_else(halo, home, args, session):
    free = halo.register(
        ActionKind.TOOL_CALL,
        "pay",
        resource=Resource(impact=Impact.PAYMENT, amount="amount", targets=("to",)),
        schema=schema({"q": {}}, additionalProperties=True),
    )
    body = Calls()
    with halo.session(session or "s"):
        denied = None
        try:
            halo.enforcer.run(halo.build_call(free, args), body, SURFACE)
        except Denied as exc:
            denied = exc
    newest = found(home, EntryKind.DECISION)[-1].entry
    assert len(body) == (denied is None)
    assert newest.body["dispatched"] is (denied is None)
    assert denied is None or denied.decision_id == newest.id


def test_status_words():
    assert {status.value for status in ReplayStatus} == {"identical", "differs", "REPLAY_REDACTED", "unreadable"}
