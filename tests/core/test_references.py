"""No name of a session or a person stands in clear in a store, and whoever has the keys still sees the names."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from halo_core.crypto.keys import Digester, KeyStore
from halo_core.decision.record_parts import MESSAGES_PER_PART
from halo_core.enforcement.model_inputs import Message, ModelInput
from halo_core.enforcement.session_context import TriggeringMessage, triggering_message_scope
from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import Actor, EntryKind, Stop
from halo_core.oversight import restrictions
from halo_core.references import References, clip_name, is_reference
from halo_core.replay import Replayer, ReplayStatus
from halo_core.stop_files import StopFiles
from halo_core.store.reader import Reader, SealedContents
from halo_world import (
    SURFACE,
    Calls,
    attack,
    cli,
    db_of,
    found,
    person_ref,
    policy_folder,
    session_ref,
    tool,
    url_of,
    verified,
)

USER, SESSION, ACTOR = "annemarie.k", "checkout-of-annemarie", "oskar.the.operator"
CALL, TURN = "refund-for-ilse.brandt", "mail-of-joao.pereira"
NAMES = (USER, SESSION, ACTOR, CALL, TURN)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def work(home: Path) -> None:
    """A run that a message asked for, a stop by somebody, and a refused run; all ids have names in."""
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        lookup = tool(halo, "lookup")
        with halo.session(SESSION, user=USER, request="look it up"):
            with triggering_message_scope(TriggeringMessage(TURN, CALL, "message", "I look it up")):
                halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), Calls(), SURFACE)
            stop = Stop("session", SESSION, 5)
            halo.store.commit(lambda tx: restrictions.stop(tx, stop, Actor(ACTOR, "os-user"), "a test"))
            with pytest.raises(Denied):
                halo.enforcer.run(halo.build_call(lookup, {"q": "b"}), Calls(), SURFACE)


def test_no_name_stands_in_any_file_of_the_database(home):
    work(home)
    data = b"".join(path.read_bytes() for path in home.glob("halo.db*"))
    assert session_ref(home, SESSION).encode() in data
    assert [name for name in NAMES if name.encode() in data] == []
    assert verified(home, signatures=True) == 0


def test_verification_needs_no_content_key_and_no_digest_key(home):
    work(home)
    for name in ("content", "digest"):
        (home / f"{name}.key").unlink()
    assert verified(home, signatures=True) == 0


def test_whoever_has_the_keys_sees_names_and_asks_by_name_or_reference(home):
    work(home)
    decision, refused = found(home, EntryKind.DECISION)
    assert (decision.entry.session, decision.entry.body["request"]["subject"]["user"]) == (SESSION, USER)
    assert decision.entry.body["request"]["subject"]["chain"] == [USER, "clerk"]
    assert refused.entry.body["decision"]["reasons"][0]["code"] == "stopped"
    (stop,) = found(home, EntryKind.STOP)
    assert (stop.entry.body["actor"], stop.entry.body["authn"], stop.entry.body["target"]) == (
        ACTOR,
        "os-user",
        SESSION,
    )
    for asked in (SESSION, session_ref(home, SESSION)):
        code, out, _ = cli("log", "--session", asked, "--json", home=home)
        assert (code, len(orjson.loads(out))) == (0, 2)
    assert SESSION in cli("log", home=home)[1]


def test_without_the_content_key_references_are_shown(home):
    work(home)
    (home / "content.key").unlink()
    decision = found(home, EntryKind.DECISION)[0].entry
    assert (decision.session, decision.body["request"]["subject"]["user"]) == (
        session_ref(home, SESSION),
        person_ref(home, USER),
    )


def test_erasing_a_person_erases_the_name_and_leaves_everything_provable(home):
    work(home)
    assert cli("erase", "--subject", USER, home=home)[0] == 0
    assert verified(home, signatures=True) == 0
    decision = found(home, EntryKind.DECISION)[0].entry
    assert decision.session == session_ref(home, SESSION)
    with Reader(url_of(home)) as reader:
        replayer = Replayer(reader, SealedContents.with_home_key(reader, KeyStore(home)), "local")
        assert {item.status for item in replayer.replay_all()} == {ReplayStatus.REDACTED}


def test_an_erased_person_can_still_stop(home):
    work(home)
    assert cli("erase", "--subject", ACTOR, home=home)[0] == 0
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        assert halo.store.commit(lambda tx: restrictions.stop(tx, Stop("all", "", 6), ACTOR, "again"))
    assert found(home, EntryKind.STOP)[-1].entry.body["actor"] == person_ref(home, ACTOR)
    assert verified(home) == 0


def test_a_stop_file_with_a_sessions_name_stops_it(home):
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        lookup = tool(halo, "lookup")
        StopFiles(home).set(Stop("session", SESSION, 5), "mia", "")
        with halo.session(SESSION), pytest.raises(Denied, match="stopped"):
            halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), Calls(), SURFACE)
        with halo.session("another"):
            halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), Calls(), SURFACE)


def test_references_are_stable_keyed_and_apart():
    references, others = (References(Digester(bytes([n]) * 32)) for n in (1, 2))
    made = [
        references.of_session("ana"),
        references.of_person("ana"),
        references.of_message("ana"),
        others.of_person("ana"),
    ]
    assert len(set(made)) == 4
    assert all(map(is_reference, made))
    assert references.of_person("User:Ana ") == references.of_person("ana")
    assert references.of_session("Ana") != references.of_session("ana")
    assert (references.of_session(""), references.of_person("")) == ("", "")
    long = "x" * 300
    assert references.of_session(long) != references.of_session(long + "x")
    assert clip_name(long) != long


def test_a_model_call_is_recorded_with_every_message_and_its_texts_once(home):
    messages = [f"message {n}" for n in range(MESSAGES_PER_PART + 3)]
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        lookup = tool(halo, "lookup")
        with halo.session("s"):
            for end in (MESSAGES_PER_PART + 1, MESSAGES_PER_PART + 3):
                model = ModelInput(
                    [Message("user", text) for text in messages[:end]],
                    "be brief",
                    ['{"name": "lookup"}'],
                    "openai",
                    "m-1",
                    {"temperature": 0.5},
                )
                call = halo.build_call(lookup, {"q": str(end)})
                call = replace(call, model=model, trace_id="ab" * 16, network="192.0.2.7")
                halo.enforcer.run(call, Calls(), SURFACE)
        references = halo.store.references
    first, second = (item.entry.body["request"] for item in found(home, EntryKind.DECISION))
    assert second["model"]["messages"] == [references.of_message(f"user\0{text}") for text in messages]
    assert first["model"]["messages"] == second["model"]["messages"][:-2]
    assert (first["model"]["system"], first["model"]["tools"]) == (second["model"]["system"], second["model"]["tools"])
    assert (second["model"]["provider"], second["model"]["version"]) == ("openai", "m-1")
    assert second["context"]["trace_id"] == "ab" * 16
    assert b"192.0.2.7" not in db_of(home).read_bytes()
    assert verified(home) == 0
    with contextlib.closing(attack(db_of(home))) as database:
        name = second["model"]["system"]
        assert b"be brief" in database.execute("SELECT bytes FROM blob WHERE hash=?", (name,)).fetchone()[0]
        database.execute("DELETE FROM blob WHERE hash=?", (name,))
    assert verified(home) == 13
