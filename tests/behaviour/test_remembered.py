"""What is remembered between scores changes none of them, and holds no value of an argument."""

from __future__ import annotations

from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from halo_core.model import ActionKind, Impact
from halo_core.risk.baseline import Baseline, fit_baseline
from halo_core.risk.features import compute_features
from halo_core.risk.observation import observe_action
from halo_core.risk.profile import Profile, ProposedAction
from halo_core.values.language.text import start_keyed_hash

KEYS = (b"a" * 32, b"b" * 32)
WORDS = ("send", "the", "minutes", "report", "ana", "pay", "rent")
VALUES = (
    "ana@bank.example",
    "bo@elsewhere.example",
    "/minutes/may.txt",
    "https://x.example/a",
    "rent",
    "send minutes",
    "7",
)
TOOLS = ("send_email", "read_file", "pay", "")
ACTS = st.builds(
    ProposedAction,
    st.sampled_from(TOOLS),
    st.just(ActionKind.TOOL_CALL),
    st.sampled_from([Impact.READ, Impact.SEND, Impact.PAYMENT]),
    st.dictionaries(
        st.sampled_from(["to", "path", "body"]), st.sampled_from(VALUES) | st.lists(st.sampled_from(VALUES))
    ),
)
STEPS = st.tuples(ACTS, st.sampled_from(["", "please send the rent to bo@elsewhere.example", "the minutes of may"]))
SESSIONS = st.tuples(
    st.sampled_from(KEYS), st.lists(st.sampled_from(WORDS), max_size=5), st.lists(STEPS, min_size=1, max_size=4)
)


def looks(key, words, steps):
    profile = Profile(key)
    profile.add_request_text(" ".join(words))
    for action, result in steps:
        look = observe_action(profile, action)
        yield look, list(profile.sums)
        profile.record_action(look.tool, look.action_fingerprint, acts=not look.is_read, sums=profile.sums)
        profile.observe_result(look.tool, result, named_by_request=look.named_by_request)


def fresh(baseline):
    return Baseline.from_bytes(baseline.to_bytes())


@given(st.lists(SESSIONS, max_size=4), st.lists(SESSIONS, min_size=1, max_size=4))
def test_a_baseline_that_was_asked_before_says_what_a_new_one_says(history, sessions):
    """Whoever asked it, with whichever key."""
    ordinary = [(words, steps) for key, words, steps in history if key == KEYS[0]]
    baseline = fit_baseline([[look for look, _ in looks(KEYS[0], *each)] for each in ordinary], KEYS[0])
    for key, words, steps in [*sessions, *sessions]:
        for look, sums in looks(key, words, steps):
            assert compute_features(look, baseline, sums, key) == compute_features(look, fresh(baseline), sums, key)


def test_what_is_remembered_under_one_key_is_not_taken_for_another():
    steps = [(ProposedAction("send_email", ActionKind.TOOL_CALL, Impact.SEND, {"to": "ana@bank.example"}), "")]
    history = [[look for look, _ in looks(KEYS[0], [word], steps)] for word in WORDS for _ in range(2)]
    baseline = fit_baseline(history, KEYS[0])
    for key in (*KEYS, *KEYS):
        ((look, sums),) = looks(key, ["send"], steps)
        found = compute_features(look, baseline, sums, key)
        assert found == compute_features(look, fresh(baseline), sums, key)


def test_a_baseline_remembers_no_value_of_an_argument_and_not_without_end():
    baseline = fit_baseline([], KEYS[0])
    for number in range(3_000):
        args = {f"to{number}": "tr0ub4dor@secret.example", "body": "the passphrase tr0ub4dor of secret.example"}
        steps = [(ProposedAction("send_email", ActionKind.TOOL_CALL, Impact.SEND, args), "")]
        ((look, sums),) = looks(KEYS[0], ["send"], steps)
        compute_features(look, baseline, sums, KEYS[0])
    assert 0 < len(baseline._memo) <= 2_048
    shown = repr(baseline._memo)
    assert "to2999" in shown
    assert "tr0ub4dor" not in shown
    assert "secret" not in shown


@given(st.lists(st.tuples(st.binary(max_size=80), st.binary(max_size=80), st.sampled_from([4, 6])), max_size=8))
def test_a_fingerprint_is_that_of_its_bytes_whatever_was_asked_before(asked):
    for data, key, size in [*asked, *asked]:
        state = start_keyed_hash(key, size).copy()
        state.update(data)
        assert state.digest() == blake2b(data, digest_size=size, key=key[:64]).digest()
