"""How exposure follows a conversation and a store, whatever the framework."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.enforcement.exposure import digest_store
from halo_core.enforcement.marked_history import HistoryMarker
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, HistoryItem, HistoryRole, Impact, Provenance, Resource
from halo_core.store.cached_rows import MAX_REPEATS, RepeatIndex
from halo_core.store.marks import LIFETIME_US, Exposure, MarkTable
from halo_core.testing import FixedClock
from halo_core.values.provenance.conversation import ConversationDigest, normalize_result
from halo_core.values.provenance.observed_text import fingerprint_text
from halo_core.values.provenance.repeats import fingerprint_model_words, repeats_as_whole, split_repeats
from halo_core.values.provenance.stored_objects import StoreMarks, find_place
from halo_core.values.sketches.sketch import Sketch, extract_tokens, find_token_places

KEY = b"k" * 32
DAY_US = 86_400_000_000
WORDS = st.text(alphabet="abcdefgh 0123456789@.-", max_size=60)


def item(role, text="", **more):
    return HistoryItem(HistoryRole(role), text, **more)


def marks_of(*items, key=KEY, user=""):
    return [marked.marks for marked in HistoryMarker().mark(ConversationDigest(key, user), items)[1]]


@pytest.fixture
def desk(home):
    with HaloBase.local("desk", home=home, mode="enforce", quiet=True, clock=FixedClock()) as opened:
        yield opened


def in_table(desk, act):
    return desk.store.commit(lambda tx: act(MarkTable(tx), tx))


# marks


def test_a_reply_is_known_at_its_place_and_by_its_words():
    first = marks_of(item("user", "a"), item("reply", "b"))[1]
    assert first == marks_of(item("user", " a\n"), item("result", "x", id="c"), item("reply", "b "))[2]
    elsewhere = marks_of(item("user", "z"), item("reply", "b"))[1]
    assert first[0] != elsewhere[0]
    assert first[1] == elsewhere[1]


@given(WORDS, WORDS)
def test_another_text_has_another_mark(one, other):
    if one.split() != other.split():
        assert not set(marks_of(item("reply", one))[0]) & set(marks_of(item("reply", other))[0])


def test_a_mark_is_of_a_key_a_user_and_a_call():
    assert marks_of(item("reply", "b")) != marks_of(item("reply", "b"), key=b"j" * 32)
    assert marks_of(item("reply", "b"))[0][1] != marks_of(item("reply", "b"), user="bo")[0][1]
    assert marks_of(item("result", "b", id="c1")) != marks_of(item("result", "b", id="c2"))


@pytest.mark.parametrize("form", ['{"to": "ACC-1", "ok": true}', "{'to': 'ACC-1', 'ok': True}", "to\nACC-1\nok"])
def test_a_result_is_known_in_any_form(form):
    assert normalize_result(form) == normalize_result('{"ok": true, "to": "ACC-1"}')


def test_exposure_is_never_taken_back(desk):
    def act(table, tx):
        now = tx.clock.now_us()
        for exposed in (False, True, False):
            table.put_item(b"m" * 16, "s1", now, exposed=exposed)
        return table.find_exposure((b"m" * 16,), "s2", now), table.find_exposure((b"m" * 16,), "s1", now)

    assert in_table(desk, act) == (Exposure.EXPOSED, Exposure.CLEAN)  # of the second its own session says so


def test_a_mark_expires(desk):
    def act(table, tx):
        now = tx.clock.now_us()
        table.put_item(b"m" * 16, "s1", now, exposed=False)
        return [table.find_exposure((b"m" * 16,), "s2", now + after) for after in (0, LIFETIME_US)]

    assert in_table(desk, act) == [Exposure.CLEAN, Exposure.UNKNOWN]


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE mark SET state = CAST(X'02' || substr(state, 2) AS BLOB)",
        "UPDATE mark SET expires_us = expires_us + 1",
        "UPDATE mark SET state = X''",
        "UPDATE mark SET mark = CAST('i' || 'nnnnnnnnnnnnnnnn' AS BLOB)",
        "DELETE FROM mark",
    ],
)
def test_a_row_that_is_forged_moved_or_gone_is_unknown(desk, forgery):
    def act(table, tx):
        now = tx.clock.now_us()
        table.put_item(b"m" * 16, "s1", now, exposed=True)
        tx.cursor.execute(forgery)
        tx.image.expire()
        return [table.find_exposure((mark * 16,), "s2", now) for mark in (b"m", b"n")]

    assert in_table(desk, act) == [Exposure.UNKNOWN, Exposure.UNKNOWN]


def test_a_row_of_another_tenant_is_unknown(home):
    for tenant in ("one", "two"):
        with HaloBase.local("desk", home=home, tenant=tenant, mode="enforce", quiet=True) as desk:

            def act(table, tx, tenant=tenant):
                if tenant == "one":
                    table.put_item(b"m" * 16, "s1", tx.clock.now_us(), exposed=False)
                else:
                    tx.cursor.execute("UPDATE mark SET tenant='two'")
                return table.find_exposure((b"m" * 16,), "s2", tx.clock.now_us())

            found = in_table(desk, act)
    assert found is Exposure.UNKNOWN


# words of exposed models


def repeats_of(text, *, is_argument=True):
    return fingerprint_model_words(KEY, text, lambda values: [True] * len(values), is_argument=is_argument)


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("pay 9 to eve", "pay 9 to eve"),
        ("pay 9 to eve", "Please pay 9 to eve today"),
        ("eve", "transfer 90 to eve"),
        ("55500011", "pay 55500011"),
        ("5550001119", "pay 5 5 5 0 0 0 1 1 1 9"),
    ],
)
def test_what_a_model_wrote_is_found_in_a_message(said, sent):
    known = repeats_of(said)
    assert said.split()[-1][-4:] in split_repeats(KEY, sent, known.__contains__).repeated


@pytest.mark.parametrize(
    ("said", "sent", "expected"),
    [
        ("pay 9 to mallory_77", "Pay  9 to mallory_77", True),
        ("pay 9 to mallory_77", "Please pay 9 to mallory_77", False),
        ("mallory_77", "mallory_77", False),  # one word is no order
    ],
)
def test_a_request_is_a_models_where_it_is_word_for_word(said, sent, expected):
    assert repeats_as_whole(KEY, sent, repeats_of(said).__contains__) is expected


def test_what_stands_around_a_models_words_stays_in_its_own_parts():
    split = split_repeats(KEY, "Pay 5 to mallory_77 (today), 6 to Ana Smith", repeats_of("mallory_77").__contains__)
    assert split.own == ("Pay 5 to ", " (today), 6 to Ana Smith")
    assert split.repeated == "mallory_77"


@pytest.mark.parametrize(
    ("said", "sent", "own"),
    [
        (
            "DE89370400440532013000",
            "use de89 3704 0044 0532 0130 00 and ana@bank.example",
            ("use ", " and ana@bank.example"),
        ),
        ("123-456-789", "pay 5 to 123 456 789", ("pay 5 to ",)),
        ("eve@evil.example", "write to Eve <EVE@evil.example> now", ("write to Eve <", "> now")),
        ("https://evil.example/x?y=z", "open evil.example/x?y=z, please", ("open ", ", please")),
        ("https://xn--bcher-kva.example/", "open bücher.example now", ()),
    ],
)
def test_a_value_that_a_model_wrote_is_found_in_another_spelling(said, sent, own):
    split = split_repeats(KEY, sent, repeats_of(said).__contains__)
    assert split.own == own
    assert split.repeated


def test_a_value_that_the_user_gave_in_another_spelling_is_not_the_models():
    sketch = Sketch(KEY)
    given = fingerprint_text(KEY, "Pay DE89 3704 0044 0532 0130 00", vouching=True)
    sketch.merge(sketch.compute_additions(given, Provenance.USER))
    known = fingerprint_model_words(KEY, "DE89370400440532013000", sketch.are_not_trusted, is_argument=True)
    assert known == frozenset()


@given(st.text(max_size=200))
def test_tokens_stand_where_they_are_found(text):
    assert len(list(find_token_places(text))) == len(list(extract_tokens(text)))


@pytest.mark.parametrize("sent", ["pay 9 to bo", "pay the invoice please", "", "thank you"])
def test_a_users_own_words_repeat_nobody(sent):
    known = repeats_of("pay 9 to eve") | repeats_of("thank you for your mail, it is done", is_argument=False)
    assert split_repeats(KEY, sent, known.__contains__).repeated == ""


def test_words_that_the_user_knows_are_not_kept():
    assert (
        fingerprint_model_words(KEY, "pay 9 to ACC-1", lambda values: [False] * len(values), is_argument=True)
        == frozenset()
    )


def test_a_broken_or_full_index_says_so():
    index = RepeatIndex()
    assert not index
    index.mark_broken(1)
    assert index
    assert index.is_full
    full = RepeatIndex()
    full.add(1, range(MAX_REPEATS + 1))
    assert full.is_full


# places


def place(tool, system="", /, *, vouched=(), impact=Impact.UNKNOWN, **args):
    return find_place(Resource(id=tool, kind=ActionKind.TOOL_CALL, system=system, impact=impact), args, vouched)


def read(tool, system="", /, **args):
    return place(tool, system, impact=Impact.READ, **args)


@pytest.mark.parametrize(
    ("writes", "reads", "tainted"),
    [
        (place("remember", note="x"), place("recall", q="y"), True),
        (place("remember", note="x"), place("look_up_vendor", name="ACME"), False),
        # A lookup without a noun of its own is about what it looks up.
        (place("remember", note="x"), read("look_up", vendor="ACME"), False),
        (place("remember", note="x"), read("look_up", q="ACME"), True),
        (place("remember", note="x"), read("find", person="Ana"), True),
        (place("remember", note="x"), read("recall", vendor="ACME"), True),
        (place("save", vendor="ACME", iban="x"), read("look_up", vendor="ACME"), True),
        (place("save_vendor", name="ACME"), read("look_up", vendor="ACME"), True),
        (place("save", vendor="ACME", iban="x"), read("recall", q="ACME"), True),
        (place("save", "crm", vendor="ACME"), read("look_up", vendor="ACME"), True),
        (place("add_note", title="a"), place("get_note", id="1"), True),
        (place("write_file", path="a/b.txt"), place("read_file", path="A/./b.txt"), True),
        (place("write_file", path="a/b.txt"), place("read_file", path="a/c.txt"), False),
        (place("put_key", key="acme1", value="5"), place("get_key", key="acme"), True),  # listed by a beginning
        (place("put_key", key="acme:bank:2", value="5"), place("get_key", key="acme:bank"), True),
        (place("put_key", key="acme1", value="5"), place("get_key", key="ac"), False),
        (place("put_key", key="acme", value="5"), place("get_key", key="acme1"), False),
        (place("put_key", key="acme1", value="5"), read("get_key", key="ac*"), True),
        (place("put_key", key="acme1", value="5"), read("get_key", key="globex"), False),
        (place("write_file", path="a/b.txt"), place("list_files", folder="a"), True),
        (place("put", namespace="a", key="k"), place("get", namespace="b", key="k"), False),
        (place("put", "notes", key="k"), place("get", "crm", key="k"), False),
        (place("put", "notes", key="k"), place("recall", q="x"), True),
        (place("remember", note="x"), place("recall", "memory", q="x"), True),
        # An identifier that somebody vouched for is an object, whatever the argument is called.
        (
            place("set_status", "loans", vouched=["case"], case="LN-1", to="x"),
            read("get_case", "loans", case="LN-2"),
            False,
        ),
        (
            place("set_status", "loans", vouched=["case"], case="LN-1", to="x"),
            read("get_case", "loans", case="LN-1"),
            True,
        ),
        (place("set_status", "loans", vouched=["case"], case="LN-1", to="x"), read("find", "loans", case="LN-2"), True),
        (
            place("set_status", "loans", vouched=["case"], case="LN-1", to="x"),
            read("get_case", "loans", q="LN-2"),
            True,
        ),
        (place("set_status", "loans", case="LN-1", to="x"), read("get_case", "loans", case="LN-2"), True),
        (
            place("set_status", "loans", vouched=["case"], case="LN-1", to="x"),
            read("get_case", "loans", vouched=["officer"], case="LN-1", officer="EM-7"),
            True,
        ),
        (place("save_rule", "loans", rule="AB12345678"), read("get_rule", "loans", rule="R-1"), True),
        (
            place("add_note", "loans", vouched=["to"], to="the team", text="x"),
            read("get_case", "loans", case="LN-2"),
            True,
        ),
        (place("pay", "loans", vouched=["amount"], amount=500, text="x"), read("get_case", "loans", case="LN-2"), True),
    ],
)
def test_what_one_writes_another_reads(writes, reads, tainted):
    marks = StoreMarks(KEY, 100)
    written = marks.list_written(writes, {})
    assert marks.is_tainted(reads, {}, written.__contains__) is tainted


def test_a_place_is_clean_again_in_time_and_when_somebody_clears_it():
    note = place("remember", note="x")
    written = StoreMarks(KEY, 100).list_written(note, {})
    reads = place("recall", q="x")
    found = [StoreMarks(KEY, period).is_tainted(reads, {}, written.__contains__) for period in (100, 103, 104)]
    assert found == [True, True, False]
    cleared = dict.fromkeys(reads.sources, 1)
    assert not StoreMarks(KEY, 100).is_tainted(reads, cleared, written.__contains__)
    # INVARIANT: what is written afterwards is found whether or not somebody takes the clearance away.
    later = StoreMarks(KEY, 100).list_written(note, dict.fromkeys(note.stores, 1))
    assert StoreMarks(KEY, 100).is_tainted(reads, cleared, later.__contains__)
    assert StoreMarks(KEY, 100).is_tainted(reads, {}, later.__contains__)


def test_a_forged_clearance_clears_nothing(desk):
    def act(table, tx):
        name = digest_store(tx, "noun:*")
        assert table.clear(name) == 1
        tx.cursor.execute("UPDATE mark SET state = CAST(X'00000009' || substr(state, 5) AS BLOB)")
        tx.image.expire()
        return table.get_generation(name)

    assert in_table(desk, act) == 0
