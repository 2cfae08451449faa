"""A fit sees of an action in the log what a decision saw of it: else a baseline is of another agent."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_world import act, in_force, opened, tool

from halo_core.baselines import collect_sessions
from halo_core.crypto import canonical
from halo_core.crypto.keys import KeyStore
from halo_core.errors import Pending
from halo_core.model import ActionKind, EntryKind, Impact, Snapshot
from halo_core.policy.attribute_refs import AttributeRefs
from halo_core.policy.cedar_context import build_context
from halo_core.risk.observation import observe_action
from halo_core.risk.profile import Profile, ProposedAction
from halo_core.store.reader import Reader, SealedContents
from halo_core.values.kinds.argument_values import MAX_VALUES, extract_values
from halo_world import SURFACE, Calls, bodies, cli, url_of

KEY = b"k" * 32
LEAVES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(("ana@bank.example", "https://bank.example/x", "/etc/passwd", "a@b.example, c@d.example", "42")),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.binary(max_size=8),
)
NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=6).filter(
    lambda s: not s.startswith("$")
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


def look(args):
    profile = Profile(KEY)
    profile.add_request_text("send it to ana@bank.example")
    profile.observe_result("inbox", "write to bob@bank.example about 42", named_by_request=False)
    return observe_action(profile, ProposedAction("mail", ActionKind.TOOL_CALL, Impact.SEND, args))


@given(st.dictionaries(NAMES, TREES, max_size=5), st.randoms(use_true_random=False))
def test_arguments_look_alike_in_any_order_and_out_of_the_log(args, rng):
    names = list(args)
    rng.shuffle(names)
    asked = look(args)
    assert look({name: args[name] for name in names}) == asked
    assert look(canonical.from_plain(canonical.loads(canonical.encode(args)))) == asked


@pytest.mark.parametrize("names", [("file", "to"), ("to", "file")])
def test_the_same_action_again_is_known_whatever_its_parameters_are_called(tmp_path, names):
    home = tmp_path / "home"
    with opened(home) as halo:
        for i in range(12):
            with halo.session(f"old-{i}", request=f"please do what is due, number {i}"):
                act(halo, "mail", **{names[0]: "report.pdf", names[1]: "ana@bank.example"})
    in_force(home)
    with opened(home) as halo, halo.session("new", request="please do what is due, number 99"):
        act(halo, "mail", **{names[0]: "report.pdf", names[1]: "ana@bank.example"})
    keys = KeyStore(home)
    key = keys.secret("sketch")
    with Reader(url_of(home)) as reader:
        sessions = collect_sessions(
            reader, SealedContents.with_home_key(reader, keys), "local", ["desk"], key, note=lambda: None
        )
    assert {look.action_fingerprint for item in sessions for look in item.observations} == {
        sessions[-1].observations[0].action_fingerprint
    }
    new = bodies(home, EntryKind.DECISION)[-1]["snapshot"]
    assert (new["risk"], new["features"][64]) == (0, 0)


@given(
    st.sampled_from(["attachments", "zeta", "to"]),
    st.integers(0, 400),
    st.booleans(),
    st.sampled_from(["to", "iban", "recipients"]),
)
def test_a_long_list_hides_nothing_that_stands_beside_it(name, length, nested, target):
    crowd = [f"file-{i}.pdf" for i in range(length)]
    beside = {f"{name}_list": crowd, target: ["eve@elsewhere.example"] if target == "recipients" else "DE12"}
    values, cut = extract_values({"message": beside} if nested else beside)
    assert any(target in value.place for value in values)
    assert cut is (length > MAX_VALUES - 1)
    assert len(values) <= MAX_VALUES


def test_of_a_call_that_is_cut_policies_are_told_no_risk(copy):
    request = "share report 1 with ana@bank.example"
    with opened(copy) as halo, halo.session("new", request=request):
        for files in (["report-1.pdf"], [f"report-{i}.pdf" for i in range(200)]):
            args = {"file": files, "to": "ana@bank.example"}
            with suppress(Pending):
                halo.enforcer.run(halo.build_call(tool(halo, "share", *args), args), Calls(), SURFACE)
    snapshots = [
        Snapshot.from_plain(body["snapshot"], chain=(), policy=None) for body in bodies(copy, EntryKind.DECISION)[-2:]
    ]
    assert [item.partial for item in snapshots] == [False, True]
    assert all(item.risk is not None for item in snapshots)
    told = [build_context(None, item, AttributeRefs(frozenset({"risk"}), frozenset()), {})[0] for item in snapshots]
    assert ["risk" in context for context in told] == [True, False]
    assert cli("replay", "--all", home=copy)[0] == 0


def test_texts_full_of_addresses_hide_nothing_that_stands_beside_them():
    crowd = " ".join(f"see https://h{i}.example/x" for i in range(60))
    values, cut = extract_values({"a": crowd, "b": crowd, "c": crowd, "to": "eve@elsewhere.example"})
    assert (cut, len(values) <= MAX_VALUES) == (True, True)
    assert any(value.place == "to" for value in values)
