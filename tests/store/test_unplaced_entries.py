"""Entries of a server that no sequencer has placed yet: verbs place them first, or say so, and call nothing altered."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_world import Place, once

from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError, Pending
from halo_core.facade import HaloBase
from halo_core.model import EntryKind, Impact
from halo_core.oversight.approvals import answer
from halo_core.store.entry_lookup import find_entry
from halo_core.store.reader import Reader
from halo_core.store.sequencer import place_waiting_entries
from halo_world import SURFACE, Calls, tool

pytestmark = pytest.mark.disk


def make_place(home: Path) -> Place:
    """A home and its database, in which mia may answer."""
    made = Place.make("postgresql", home)
    made.open().close()
    assert made.cli("approver", "enrol", "mia@bank.example")[0] == 0
    return made


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    return make_place(tmp_path_factory.mktemp("unplaced") / "home")


@pytest.fixture
def halo(place, monkeypatch) -> Iterator[HaloBase]:
    """An application of which no entry gets a position, as if another host held the lease."""
    with place.open() as opened:
        monkeypatch.setattr(opened.store, "checkpoint_if_due", lambda: None)
        monkeypatch.setattr(opened.store._checkpoints, "sign", lambda *_args, **_options: None)
        yield opened
        monkeypatch.undo()


def pay(halo: HaloBase) -> Calls:
    """The payment of this application, which a person has to allow; what its tool was run with."""
    body = Calls()
    resource = tool(halo, "pay", impact=Impact.PAYMENT, targets=("to",))
    with halo.session(f"s{id(halo)}"):
        call = halo.build_call(resource, {"to": "AT611904300234573201", "amount": 900}, call_id="the one")
        halo.enforcer.run(call, body, SURFACE)
    return body


def ask(halo: HaloBase) -> Pending:
    """The question that the payment becomes; nobody has placed it."""
    with pytest.raises(Pending) as caught:
        pay(halo)
    return caught.value


def count_unplaced(place: Place) -> int:
    with Reader(place.url) as reader:
        return reader.count_unplaced("local")


@pytest.mark.parametrize(
    "words",
    [
        ("approvals", "approve", "PENDING", "--as", "mia@bank.example", "--once", "--why", "seen"),
        ("approvals", "deny", "PENDING", "--as", "mia@bank.example", "--why", "not ours"),
        ("approvals", "show", "PENDING"),
        ("show", "DECISION"),
        ("show", "PENDING"),
        ("override", "DECISION", "--as", "mia@bank.example", "--why", "seen", "--allow"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_verb_places_what_waits_for_a_position(place, halo, words):
    asked = ask(halo)
    assert count_unplaced(place) > 0
    named = {"PENDING": asked.pending_id, "DECISION": asked.decision_id}
    code, out, err = place.cli(*(named.get(word, word) for word in words))
    assert (code, "altered" in out + err) == (0, False), out + err


def test_lists_show_what_waited_for_a_position(place, halo):
    asked = ask(halo)
    code, out, _ = place.cli("approvals", "list", "--json")
    assert (code, asked.pending_id in out, "clerk" in out) == (0, True, True)
    once(halo, Calls("all of it"), name="lookup", call_id="later")
    halo.store.flush()
    code, out, _ = place.cli("log", "--json")
    assert (code, out.count('"lookup"') > 0, asked.decision_id in out) == (0, True, True)


def test_an_answer_by_the_library_finds_its_question(place, halo):
    asked = ask(halo)
    with place.open() as other:
        given = answer(
            other.store,
            KeyStore(place.home),
            place.home,
            request_id=asked.pending_id,
            approver="mia@bank.example",
            approve=True,
            why="seen",
            now_us=other.store.clock.now_us(),
        )
    assert given.token
    assert len(pay(halo)) == 1


def test_a_home_that_can_place_nothing_says_so(place, halo, tmp_path):
    asked = ask(halo)
    copy = tmp_path / "auditor"
    copy.mkdir()
    shutil.copy(place.home / "trust.json", copy)
    shutil.copy(place.home / "authorities.json", copy)
    auditor = Place(copy, place.url)
    for words in (("show", asked.decision_id), ("approvals", "show", asked.pending_id)):
        code, out, err = auditor.cli(*words)
        assert code == 64
        assert "has no position in the log yet" in out + err
        assert "log.key" in out + err
    assert count_unplaced(place) > 0
    assert place.cli("show", asked.decision_id)[0] == 0
    assert auditor.cli("show", asked.decision_id)[0] == 0
    with Reader(place.url) as reader:
        assert find_entry(reader, "local", asked.pending_id).entry.kind is EntryKind.APPROVAL_REQUEST


def test_the_key_of_another_home_places_nothing(tmp_path):
    place, other = make_place(tmp_path / "home"), tmp_path / "other"
    KeyStore(other).signer("log")
    shutil.copy(place.home / "trust.json", other)
    with place.attack() as attacker:  # nobody has signed a checkpoint that another key would have to fit
        for table in ("checkpoint", "position", "sequenced"):
            attacker.run(f"DELETE FROM {table}")
        waiting = count_unplaced(place)
        assert waiting > 0
        place_waiting_entries(place.url, other)
        assert (count_unplaced(place), attacker.run("SELECT count(*) FROM checkpoint")) == (waiting, [(0,)])
    place_waiting_entries(place.url, place.home)
    assert count_unplaced(place) == 0


def test_a_question_whose_entry_was_removed_is_still_altered(tmp_path):
    place = make_place(tmp_path / "home")
    with place.open() as halo:
        asked = ask(halo)
    writer, _, seq = asked.pending_id.rpartition("-")
    with place.attack() as attacker:
        assert attacker.run("DELETE FROM entry WHERE w=? AND ws=?", writer, int(seq))
    code, out, err = place.cli("approvals", "show", asked.pending_id)
    assert (code != 0, "has no entry" in out + err) == (True, True)


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    place = Place.make("postgresql", tmp_path / "home")
    KeyStore(place.home).signer("log")
    with pytest.raises(ConfigError) as caught:
        place_waiting_entries(place.url, place.home)
    assert caught.value.code == "no_store"
