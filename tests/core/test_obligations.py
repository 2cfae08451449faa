"""Restricted arguments and results: pure, total, idempotent, fail-closed."""

from __future__ import annotations

import copy
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from halo_core.content.redaction import Redactor
from halo_core.content.secret_patterns import find_labels, find_secret_spans
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.call import ABILITIES
from halo_core.enforcement.enforcer import Surface
from halo_core.enforcement.obligations import (
    WITHHELD_ERROR,
    WITHHELD_NOTICE,
    apply_argument_obligations,
    clamp_arguments,
    redact_arguments,
    restrict_result,
)
from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import OUTPUT_OBLIGATIONS, ActionKind, EntryKind, Impact, Obligation, Resource
from halo_core.store.reader import Reader, SealedContents
from halo_world import Calls, found, policy_folder, schema, url_of

PAN = "4111111111111111"
IBAN = "DE89 3704 0044 0532 0130 00"
SECRETS = (
    PAN,
    "4111 1111 1111 1111",
    IBAN,
    "ana@bank.example",
    "+49 170 1234567",
    "sk-abcdefghijklmnop",
    "AKIA" + "A" * 16,
)
REDACT = (Obligation("redact", "body"),)
READ = Resource("kb", ActionKind.RETRIEVAL, Impact.READ, source_trust=900)

words = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from((*SECRETS, " ", "-", "x", "@", "password=", '"password": "', "12", "+", "\n")), max_size=8
    ).map("".join),
    st.text(alphabet="0123456789 -", max_size=60),
)
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


def luhn(digits):
    total = 0
    for i, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + i % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0 and set(digits) != {"0"}


def card_numbers(text):
    """Numbers of Visa cards that pass the check, in whole groups between single blanks or dashes."""
    for run in re.findall(r"[0-9]+(?:[ -][0-9]+)*", text):
        groups = re.split("[ -]", run)
        for i in range(len(groups)):
            for j in range(i + 1, len(groups) + 1):
                digits = "".join(groups[i:j])
                # A year may make a date of some groups.
                plain = j == i + 1 or not re.search("19|20", digits)
                if digits[0] == "4" and len(digits) in (13, 16, 19) and plain and luhn(digits):
                    yield digits


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)


def shape(value):
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list | tuple) else None


# arguments


@given(trees)
def test_redaction_is_total_and_leaves_no_card_number_and_no_new_secret(tree):
    before = copy.deepcopy(tree)
    hidden = redact_arguments({"body": tree, "other": PAN}, REDACT)
    assert repr(tree) == repr(before)
    assert hidden["other"] == PAN
    assert shape(hidden["body"]) == shape(tree)
    for text in texts(hidden["body"]):
        assert not list(card_numbers(text))
        spans = find_secret_spans(text.encode("utf-8", "surrogatepass"))
        # What stands where a secret may stand is the mark of one.
        assert all(b"[secret]" in text.encode("utf-8", "surrogatepass")[a:b] for a, b in spans)


@given(trees)
@example([f"{PAN * 2}password={PAN * 2}", 0])
@example({"name": "key sk-abcdefghijklmnop", "value": 0})
@example("password=411 1111 1111 1111 11")
def test_redacting_again_changes_nothing(tree):
    once = redact_arguments({"body": tree}, REDACT)
    assert redact_arguments(once, REDACT) is once or repr(redact_arguments(once, REDACT)) == repr(once)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", [lambda s: s, lambda s: [{"a": (s, 1)}], lambda s: {"k": {"k": [s]}}, str.encode])
def test_every_secret_goes_at_any_depth(secret, place):
    hidden = redact_arguments({"body": place(f"see {secret} there")}, REDACT)
    assert secret not in repr(hidden)
    assert "there" in repr(hidden)


def test_keys_stay_and_types_of_containers_stay():
    hidden = redact_arguments({"body": {PAN: (PAN, [PAN])}}, REDACT)
    assert list(hidden["body"]) == [PAN]
    assert hidden["body"][PAN] == ("[pan …1111]", ["[pan …1111]"])


@pytest.mark.parametrize(
    ("given_", "left"),
    [
        ({"password": "hunter2", "user": "ana"}, {"password": "[secret]", "user": "ana"}),
        ({"api_key": ["a", 7, None, ""]}, {"api_key": ["[secret]", "[secret]", None, ""]}),
        ([{"name": "password", "value": "hunter2"}], [{"name": "password", "value": "[secret]"}]),
        ([["Authorization", "Basic xyz"]], [["Authorization", "[secret]"]]),
        (int(PAN), "[pan …1111]"),
        (float(PAN), "[pan …1111]"),
        (1700000000000, 1700000000000),
        (True, True),
    ],
)
def test_what_a_name_says_is_a_credential_goes_whole_and_a_number_that_is_a_card(given_, left):
    assert redact_arguments({"body": given_}, REDACT) == {"body": left}


def test_an_argument_that_is_called_like_a_credential_goes_whole():
    assert redact_arguments({"token": "abc"}, [Obligation("redact", "token")]) == {"token": "[secret]"}


def test_what_runs_holds_no_digest():
    hidden = redact_arguments({"body": "password=hunter2 and halo:secret:0123456789abcdef"}, REDACT)
    assert hidden == {"body": "password=[secret] and [secret]"}


def test_nothing_to_hide_is_the_same_object():
    args = {"body": {"a": ["b", 1]}, "c": 1.5}
    assert redact_arguments(args, REDACT) is args
    assert apply_argument_obligations(args, [*REDACT, Obligation("clamp", "c", 9)]) is args
    assert redact_arguments(args, [Obligation("redact", "absent")]) is args


def test_both_obligations_of_arguments_at_once():
    args = {"body": PAN, "limit": 90}
    obligations = [*REDACT, Obligation("clamp", "limit", 50)]
    assert apply_argument_obligations(args, obligations) == {"body": "[pan …1111]", "limit": 50}
    assert clamp_arguments(args, obligations) == {"body": PAN, "limit": 50}
    assert args == {"body": PAN, "limit": 90}


# labels


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("nothing", set()),
        (f"card {PAN}", {"chd"}),
        (IBAN, {"pii"}),
        ("ana@bank.example", {"pii"}),
        ("+49 170 1234567", {"pii"}),
        ("key sk-abcdefghijklmnop", {"secret"}),
        (f"{PAN} of ana@bank.example, password=hunter2", {"chd", "pii", "secret"}),
        ("4111111111111112", set()),
        ("\ud800", set()),
    ],
)
def test_a_text_earns_its_labels(text, labels):
    assert find_labels(text) == labels


# results


def kept(documents, keep):
    left = [item for item in documents if keep(item, ("told",) if "told" in item else (), "")]
    return left, len(documents) - len(left)


LIST = Surface(
    text="\n".join,
    filter=kept,
    redact=lambda items, mask: [mask(item) for item in items] if list(map(mask, items)) != items else items,
    withhold=lambda _items, notice: [notice],
)


@pytest.mark.parametrize(
    ("obligations", "left", "done"),
    [
        ([], ["a", f"b {PAN}", "told"], ""),
        ([Obligation("drop_documents", "", 900)], ["a", f"b {PAN}", "told"], ""),
        ([Obligation("drop_documents", "", 901)], [], "dropped 3"),
        ([Obligation("drop_labels", "chd")], ["a", "told"], "dropped 1"),
        ([Obligation("drop_labels", "told")], ["a", f"b {PAN}"], "dropped 1"),
        ([Obligation("drop_labels", "own")], [], "dropped 3"),
        ([Obligation("drop_labels", "pii")], ["a", f"b {PAN}", "told"], "dropped 0"),
        ([Obligation("redact_output")], ["a", "b [pan …1111]", "told"], "redacted"),
        ([Obligation("hold_output")], [WITHHELD_NOTICE], "withheld"),
        (
            [Obligation("drop_labels", "told"), Obligation("redact_output")],
            ["a", "b [pan …1111]"],
            "dropped 1, redacted",
        ),
        (
            [Obligation("hold_output"), Obligation("drop_labels", "chd"), Obligation("redact_output")],
            [WITHHELD_NOTICE],
            "dropped 1, withheld",
        ),
    ],
)
def test_documents_go_first_then_texts_then_all_of_it(obligations, left, done):
    resource = Resource("kb", ActionKind.RETRIEVAL, Impact.READ, source_trust=900, labels=("own",))
    result = ["a", f"b {PAN}", "told"]
    assert restrict_result(result, LIST, obligations, resource) == (left, done)
    assert result == ["a", f"b {PAN}", "told"]


def broken(*_):
    raise ValueError("no")


@pytest.mark.parametrize("kind", sorted(OUTPUT_OBLIGATIONS))
@pytest.mark.parametrize("change", [None, broken])
def test_what_a_surface_cannot_do_holds_back_everything(kind, change):
    obligations = [Obligation(kind, "chd" if kind == "drop_labels" else "", 1000)]
    less = Surface("\n".join, filter=change, redact=change, withhold=LIST.withhold)
    assert restrict_result(["a"], less, obligations, READ) == ([WITHHELD_NOTICE], "withheld")
    with pytest.raises(Denied) as denied:
        restrict_result(["a"], Surface("\n".join, filter=change, redact=change, withhold=change), obligations, READ)
    assert denied.value.reason == "needs_guard"


def test_every_obligation_that_changes_a_result_is_an_ability():
    assert set(ABILITIES) == OUTPUT_OBLIGATIONS | {"clamp", "pause", "redact"}
    assert list(ABILITIES) == sorted(ABILITIES)


# through the enforcement point

RULES = """@id("base") permit (principal, action, resource);
@id("r") @effect("restrict") @obligation("{}") forbid (principal, action, resource);"""


@pytest.fixture
def opened(home):
    made = []

    def open_(obligation, mode="enforce"):
        folder = policy_folder(home, RULES.format(obligation))
        made.append(HaloBase.local("clerk", home=home, mode=mode, policy=folder, quiet=True))
        return made[-1]

    yield open_
    for halo in made:
        halo.close()


def lookup(halo):
    declared = Resource(impact=Impact.READ, source_trust=600)
    return halo.register(
        ActionKind.TOOL_CALL, "lookup", resource=declared, schema=schema({"q": {"type": "string"}, "deep": {}})
    )


def go(halo, args, body, surface=LIST):
    with halo.session("s"):
        return halo.enforcer.run(halo.build_call(lookup(halo), args), body, surface)


def outcome_of(halo, home):
    """The one outcome, and what the log keeps of the result, opened."""
    halo.store.flush()
    (item,) = found(home, EntryKind.OUTCOME)
    kept = SealedContents.with_home_key(Reader(url_of(home)), KeyStore(home)).open(item.entry, "output")
    return item.entry.body, (kept or b"").decode()


def test_a_redacted_argument_is_what_runs(opened):
    body = Calls(["done"])
    halo = opened("redact(deep)")
    go(halo, {"q": PAN, "deep": {"a": [PAN]}}, body)
    assert body == [{"q": PAN, "deep": {"a": ["[pan …1111]"]}}]


def test_observe_mode_takes_nothing_away(opened):
    for obligation in ("redact(q)", "redact_output()", "hold_output()", "drop_labels(chd)"):
        halo = opened(obligation, mode="observe")
        body = Calls([PAN])
        assert go(halo, {"q": PAN}, body) == [PAN]
        assert body == [{"q": PAN}]
        halo.close()


@pytest.mark.parametrize(
    ("obligation", "left", "detail"),
    [
        ("redact_output()", ["see [pan …1111]", "b"], "redacted"),
        ("hold_output()", [WITHHELD_NOTICE], "withheld"),
        ("drop_labels(chd)", ["b"], "dropped 1"),
        ("drop_labels(secret)", [f"see {PAN}", "b"], "dropped 0"),
        ("drop_documents(601)", [], "dropped 2"),
    ],
)
def test_the_outcome_is_of_what_may_be_used(opened, home, obligation, left, detail):
    halo = opened(obligation)
    assert go(halo, {"q": "a"}, Calls([f"see {PAN}", "b"])) == left
    outcome, kept_text = outcome_of(halo, home)
    assert (outcome["status"], outcome["detail"]) == ("success", detail)
    assert outcome["output_len"] == len("\n".join(left))
    assert kept_text == "\n".join(left)


def test_a_result_that_cannot_be_held_back_is_recorded_and_refused(opened, home):
    halo = opened("hold_output()")
    with pytest.raises(Denied) as denied:
        go(halo, {"q": "a"}, Calls([PAN]), Surface("\n".join))
    assert denied.value.reason == "needs_guard"
    outcome, kept_text = outcome_of(halo, home)
    assert (outcome["status"], outcome["detail"], kept_text) == ("success", "withheld", "")


@pytest.mark.parametrize(
    ("obligation", "told", "shown"),
    [
        ("redact_output()", "see [pan …1111]", "see [pan …1111]"),
        ("hold_output()", "", WITHHELD_ERROR),
        ("drop_labels(secret)", "", WITHHELD_ERROR),
        ("drop_documents(601)", "", WITHHELD_ERROR),
        ("drop_documents(600)", f"see {PAN}", f"see {PAN}"),
    ],
)
def test_the_words_of_an_error_are_raised_and_recorded_as_a_result_would_be(opened, home, obligation, told, shown):
    def fail(_args):
        raise ValueError(f"see {PAN}")

    halo = opened(obligation)
    with pytest.raises(ValueError, match=r".") as failed:
        go(halo, {"q": "a"}, fail)
    assert str(failed.value) == shown
    outcome, kept_text = outcome_of(halo, home)
    assert (outcome["status"], outcome["detail"]) == ("error", "ValueError")
    assert Redactor.for_views().hide(kept_text) == Redactor.for_views().hide(told)


@pytest.mark.parametrize(
    ("obligation", "held"),
    [("redact(q)", False), ("clamp(deep, 1)", False), ("redact_output()", True), ("hold_output()", True)],
)
@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_a_ticket_says_whether_its_result_may_change(opened, obligation, held, mode):
    halo = opened(obligation, mode)
    with halo.session("s"):
        ticket = halo.enforcer.begin(halo.build_call(lookup(halo), {"q": "a"}))
        assert ticket.holds_output is (held and mode == "enforce")
        ticket.succeed(["x"], LIST)


@pytest.mark.parametrize("missing", ["redact", "redact_output", "hold_output", "drop_labels"])
def test_what_the_enforcement_point_cannot_do_is_denied(opened, missing):
    text = {"redact": "redact(q)", "drop_labels": "drop_labels(chd)"}.get(missing, f"{missing}()")
    halo = opened(text)
    body = Calls(["x"])
    left = tuple(item for item in ABILITIES if item != missing)
    with halo.session("s"), pytest.raises(Denied) as denied:
        halo.enforcer.run(halo.build_call(lookup(halo), {"q": "a"}, abilities=left), body, LIST)
    assert denied.value.reason == "needs_guard"
    assert not body


# what a policy could ask for


@pytest.mark.parametrize(
    ("head", "could"),
    [
        ("action, resource", {"tool_call", "retrieval", "inference", "handoff"}),
        ('action in Action::"inference", resource', {"inference"}),
        ('action in [Action::"inference", Action::"tool_call"], resource', {"inference", "tool_call"}),
        ('action == Action::"lookup", resource', {"tool_call"}),
        ('action == Action::"nobody-knows", resource', {"tool_call", "retrieval", "inference", "handoff"}),
        ('action, resource == Model::"m"', {"inference"}),
        ("action, resource is Retriever", {"retrieval"}),
    ],
)
@pytest.mark.parametrize("obligation", ["hold_output()", "redact(q)"])
def test_which_kinds_a_policy_could_hold_back(home, head, could, obligation):
    text = RULES.format(obligation).replace("forbid (principal, action, resource)", f"forbid (principal, {head})")
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home, text), quiet=True) as halo:
        lookup(halo)
        kinds = {kind.value for kind in ActionKind if halo.may_restrict_output(kind)}
    assert kinds == (could if obligation == "hold_output()" else set())
