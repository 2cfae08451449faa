"""Erasure, retention and legal holds on both engines. Invariants: ERASE, HOLD, AUDIT, TENANT.

What is erased is looked for in every byte of every file of the home and the store, and in copies of the database that
were made before.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_world import HERE, Place, once
from postgres_server import OwnServer, start_server

from counts import is_thorough
from halo_core.clock import SystemClock
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.errors import ConfigError, Denied, Tampered
from halo_core.facade import HaloBase
from halo_core.failpoints import ERASURE_POINTS
from halo_core.ledger import unwrap_dek, unwrap_key, wrap_box_keys
from halo_core.ledger.sealed_content import unwrap_box_keys
from halo_core.model import EntryKind
from halo_core.os_user import describe_os_user
from halo_core.oversight.erasure import erase as erase_planned
from halo_core.oversight.erasure import finish_erasure
from halo_core.oversight.erasure_plan import ErasurePlan, ErasureRequest, plan_erasure
from halo_core.oversight.sealed_boxes import NameFinder
from halo_core.references import References
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader, SealedContents
from halo_core.store.sealed_contents import load_home_content_key
from halo_core.store.store import Store
from halo_core.testing import FixedClock
from halo_world import SURFACE, tool
from preloaded_python import find_python

pytestmark = pytest.mark.disk

GRETE = "Grete Quastenflosser"
CUSTOMER = "C-9481-XQ"
DAY_US = 86_400_000_000


@pytest.fixture
def file_place(tmp_path) -> Place:
    return Place.make("sqlite", tmp_path / "home")


def ask(halo: HaloBase, session: str, user: str, *texts: str) -> None:
    """Calls of a tool that answers with what it was asked."""
    with halo.session(session, user=user):
        lookup = tool(halo, "lookup")
        for number, text in enumerate(texts):
            call = halo.build_call(lookup, {"q": text}, call_id=f"{session}-{number}")
            halo.enforcer.run(call, lambda _args, text=text: f"answer about {text}", SURFACE)


def seed(place: Place, **options: Any) -> None:
    with place.open(**options) as halo:
        ask(halo, "s-grete", GRETE, "balance of my account", "the weather")
        ask(halo, "s-ben", "ben", f"limit of {CUSTOMER}", "nothing of note", f"call {GRETE} back")
        ask(halo, "s-carl", "carl", "lunch", "opening hours")


def erase(place: Place, *argv: str, code: int = 0) -> dict:
    found, out, err = place.cli("erase", "--json", *argv)
    assert found == code, (out, err)
    return json.loads(out) if out else {"error": err}


def texts_of(place: Place, tenant: str = "local") -> list[str]:
    """Every sealed field that the home can open."""
    with Reader(place.url) as reader:
        contents = SealedContents.with_home_key(reader, KeyStore(place.home))
        return [
            data.decode("utf-8", "replace")
            for item in place.found(tenant=tenant)
            for data in contents.open_all(item.entry).values()
        ]


def roots(place: Place) -> list[tuple]:
    """Every note and every tree head."""
    with Reader(place.url) as reader:
        return [tuple(map(bytes, row)) for row in reader.stream("SELECT root, note FROM checkpoint ORDER BY size")]


def forms_of(text: str) -> Iterator[bytes]:
    """A text as files may have it."""
    for variant in {text, text.lower(), text.upper(), text.casefold()}:
        yield variant.encode()
        yield variant.encode("utf-16-le")
        yield variant.encode("utf-16-be")
        yield variant.encode().hex().encode()
        yield urllib.parse.quote(variant).encode()
        for cut in range(3):  # in base64 at any offset
            for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
                whole = alphabet(b"\0" * cut + variant.encode())
                yield whole[4 if cut else 0 : -4]


def files_of(place: Place) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(place.home.rglob("*")) if path.is_file()}


def find_bytes(files: dict[str, bytes], needles: Iterator[bytes] | list[bytes]) -> list[tuple[str, bytes]]:
    wanted = [item for item in needles if len(item) >= 8]
    return [(name, item) for name, data in files.items() for item in wanted if item in data]


def keys_of(place: Place) -> dict[str, tuple[bytes, bytes]]:
    """Subject → data key and wrapped key, as the home opens them now."""
    with Reader(place.url) as reader:
        kek = load_home_content_key(reader, KeyStore(place.home))
        rows = reader.stream("SELECT subject, dek_wrapped, commitment FROM vault WHERE tenant='local'")
        found = {}
        for subject, wrapped, commitment in rows:
            key = unwrap_key(kek, bytes(wrapped), bytes(commitment), "local", subject)[0]
            if isinstance(key, bytes):
                found[subject] = key, bytes(wrapped)
        return found


def person(place: Place, name: str) -> str:
    return References(Digester(KeyStore(place.home).secret("digest"))).of_person(name)


def test_an_erased_person_is_gone_and_every_proof_is_as_before(place):
    seed(place)
    assert place.verified() == 0
    before, heads = [item.note for item in place.found()], roots(place)
    assert any(GRETE in text for text in texts_of(place))
    done = erase(place, "--subject", GRETE, "--why", "request 17")
    assert (done["keys"], done["content_key"], done["subject"]) == (1, "replaced", person(place, GRETE))
    assert place.verified() == 0
    assert [item.note for item in place.found()][: len(before)] == before
    assert roots(place)[: len(heads)] == heads
    left = texts_of(place)
    assert not any("Quastenflosser" in text or "balance of my account" in text for text in left)
    assert any("opening hours" in text for text in left)
    assert any("nothing of note" in text for text in left)
    (body,) = place.bodies(EntryKind.ERASURE)
    assert body["subject"] == person(place, GRETE)
    assert body["authn"] == "os-user"
    assert body["why"] == "request 17"
    assert body["destroyed"]["boxes"] == done["boxes"] > 0


def test_nothing_of_an_erased_person_is_in_any_file(file_place):
    place = file_place
    seed(place)
    dek, wrapped = keys_of(place)[person(place, GRETE)]
    kek = KeyStore(place.home).secret("content")
    with place.open() as running:  # a process that runs on, with its own connections
        once(running, session="other")
        erase(place, "--subject", GRETE)
        once(running, session="other", call_id="2")
        needles = [*forms_of(GRETE), *forms_of("balance of my account"), dek, wrapped, kek]
        needles += [base64.b64encode(kek), dek.hex().encode(), wrapped[24:]]
        assert find_bytes(files_of(place), needles) == []
    assert find_bytes(files_of(place), needles) == []


def test_nothing_of_an_erased_person_is_in_the_files_of_a_server(tmp_path):
    server = start_server()
    if not isinstance(server, OwnServer):
        pytest.skip("the files of this server are not at hand")
    place = Place.make("postgresql", tmp_path / "home")
    seed(place)
    dek, wrapped = keys_of(place)[person(place, GRETE)]
    kek = KeyStore(place.home).secret("content")
    done = erase(place, "--subject", GRETE)
    assert "write-ahead log" in done["left"]
    server.run("CHECKPOINT")
    folder = Path(server.run("SHOW data_directory")[0][0])
    name = place.url.partition("?")[0].rpartition("/")[2]
    number = server.run("SELECT oid FROM pg_database WHERE datname=%s", name)[0][0]
    others = {path for path in (folder / "base").iterdir() if path.name != str(number)}
    paths = [path for path in folder.rglob("*") if path.is_file() and others.isdisjoint(path.parents)]
    files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    assert any(b"halo-store:" in data for data in files.values())
    assert find_bytes(files, [*forms_of(GRETE), *forms_of("balance of my account"), dek, kek]) == []
    # The wrapped key may be in the write-ahead log, and its key is nowhere.
    assert {name.split("/")[0] for name, _ in find_bytes(files, [wrapped[24:]])} <= {"pg_wal"}
    assert find_bytes(files_of(place), [kek, base64.b64encode(kek)]) == []


def test_replay_says_that_content_is_missing_and_not_that_a_decision_differs(either):
    place = either
    seed(place)
    assert place.cli("replay", "--all")[0] == 0
    erase(place, "--subject", GRETE)
    code, out, err = place.cli("replay", "--all", "--json")
    assert code == 2, (out, err)
    assert "erased" in out + err or "redacted" in (out + err).lower()


def test_a_customer_who_is_named_in_boxes_of_others_is_erased_with_these_boxes_alone(either):
    place = either
    seed(place)
    plan = erase(place, "--subject", CUSTOMER, "--dry-run")
    assert (plan["keys"], plan["boxes"], plan["subjects_partly"]) == (0, 2, 1)  # arguments and output of one call
    assert not place.bodies(EntryKind.ERASURE)
    done = erase(place, "--subject", CUSTOMER)
    assert done["boxes"] == 2
    assert place.verified() == 0
    left = texts_of(place)
    assert not any(CUSTOMER in text for text in left)
    assert any("nothing of note" in text for text in left)  # of the same user
    again = erase(place, "--subject", CUSTOMER, code=1)
    assert again == {"record": False}  # nothing names the customer any more


def test_an_old_copy_of_the_database_brings_nothing_back(file_place, tmp_path):
    place = file_place
    seed(place)
    old = tmp_path / "old"
    shutil.copytree(place.home, old)
    rows = _vault_of(old)
    erase(place, "--subject", GRETE)
    erase(place, "--subject", CUSTOMER)
    new_kek = KeyStore(place.home).secret("content")
    for subject, wrapped, _ in rows:  # the old rows under the home's key
        with pytest.raises(Tampered):
            unwrap_dek(new_kek, wrapped, "local", subject)
    # Neither does a key that lives on: of the user whose boxes named the customer the data key is gone, too.
    assert {person(place, GRETE), person(place, "ben")}.isdisjoint(keys_of(place))
    assert person(place, "carl") in keys_of(place)
    # Put back in its place, it is refused.
    for name in ("halo.db", "halo.db-wal", "halo.db-shm"):
        (place.home / name).unlink(missing_ok=True)
        if (old / name).exists():
            shutil.copy(old / name, place.home / name)
    with pytest.raises(ConfigError) as caught, place.open() as halo:
        once(halo)
    assert caught.value.code == "content_key_changed"
    # The whole old home still opens it: destroying that is for people.
    assert any(GRETE in text for text in texts_of(Place(old, f"sqlite:///{old / 'halo.db'}")))


def _vault_of(home: Path) -> list[tuple[str, bytes, bytes]]:
    with Reader(f"sqlite:///{home / 'halo.db'}") as reader:
        query = "SELECT subject, dek_wrapped, commitment FROM vault WHERE tenant='local'"
        return [(name, bytes(wrapped), bytes(commitment)) for name, wrapped, commitment in reader.stream(query)]


def test_a_running_process_forgets_the_key_and_makes_no_new_one_for_old_content(place):
    seed(place)
    with place.open() as running:
        ask(running, "s-live", GRETE, "before the erasure")
        image, reference = running.store._image, person(place, GRETE)
        old = image.keys[reference].dek
        old_kek = image.kek
        erase(place, "--subject", GRETE)
        ask(running, "s-live2", GRETE, "after the erasure")
        assert image.kek != old_kek
        assert image.keys[reference].dek != old
        assert image.keys[reference].subject == f"{reference}#1"
        assert old not in {key.dek for key in image.keys.values()}
    assert place.verified() == 0
    left = texts_of(place)
    assert any("after the erasure" in text for text in left)
    assert not any("before the erasure" in text for text in left)


@pytest.mark.parametrize(
    "point",
    [
        "keys_destroyed",
        "erasure_committed",
        *(
            pytest.param(name, marks=pytest.mark.thorough)
            for name in (*ERASURE_POINTS, "before_commit", "after_commit")
            if name not in ("keys_destroyed", "erasure_committed")
        ),
    ],
)
def test_an_erasure_that_is_killed_is_done_or_can_be_repeated(file_place, point):
    place = file_place
    seed(place)
    before = len(texts_of(place))
    path = os.pathsep.join([str(HERE.parent), str(HERE), *sys.path])
    command = [*find_python(), str(HERE / "erasure_worker.py"), str(place.home), place.url, GRETE, point]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    assert place.verified() == 0
    is_durable = bool(place.bodies(EntryKind.ERASURE))
    assert is_durable == (point not in ("erasure_appended", "keys_destroyed", "before_commit"))
    left = texts_of(place)
    assert any(GRETE in text for text in left) != is_durable
    assert is_durable or len(left) == before
    with place.open() as halo:
        ask(halo, "s-carl2", "carl", "later")  # the next process goes on, and takes the new key over
    erase(place, "--subject", GRETE)
    assert place.verified() == 0
    assert not any(GRETE in text for text in texts_of(place))
    assert any("opening hours" in text for text in texts_of(place))
    assert not list(place.home.glob(".content.key.*"))


def test_a_legal_hold_stops_an_erasure_and_lets_honest_ones_run(either):
    place = either
    seed(place)
    assert place.cli("hold", "set", "--subject", GRETE, "--why", "case 4")[0] == 0
    code, _, err = place.cli("erase", "--subject", GRETE)
    assert code != 0
    assert "legal_hold" in err
    assert "so it would be refused (`legal_hold`)" in place.cli("erase", "--subject", GRETE, "--dry-run")[1]
    assert any(GRETE in text for text in texts_of(place))
    # What names the held subject is held in boxes of others, too.
    refused = place.cli("erase", "--subject", "ben")
    assert "legal_hold" in refused[2]
    assert "would be refused" not in place.cli("erase", "--subject", "carl", "--dry-run")[1]
    erase(place, "--subject", "carl")  # the honest twin
    assert "case 4" in place.cli("hold", "list")[1]
    assert place.cli("hold", "lift", "--subject", GRETE)[0] == 0
    erase(place, "--subject", GRETE)
    assert not any(GRETE in text for text in texts_of(place))
    assert place.verified() == 0


def test_holds_of_a_session_an_agent_and_everything(file_place):
    place = file_place
    seed(place)
    for option in (("--session", "s-grete"), ("--agent", "clerk"), ("--all",)):
        assert place.cli("hold", "set", *option, "--why", "case 5")[0] == 0
        assert "legal_hold" in place.cli("erase", "--subject", GRETE)[2]
        other = "carl" if option[0] == "--session" else ""
        if other:
            erase(place, "--subject", other)  # the honest twin
        else:
            assert "legal_hold" in place.cli("erase", "--subject", "ben")[2]
        assert place.cli("hold", "lift", *option)[0] == 0
    erase(place, "--subject", GRETE)
    assert place.verified() == 0


def test_a_hold_on_a_misspelt_name_is_refused_since_it_would_keep_nothing(file_place):
    place = file_place
    seed(place)
    for option, name in (("--agent", "clrek"), ("--session", "s-greet")):
        code, out, err = place.cli("hold", "set", option, name, "--why", "case 5")
        assert (code, out, "no_such_target" in err) == (64, "", True), err
    assert place.cli("hold", "list")[1].strip() == "no legal hold is in force"
    assert place.cli("hold", "set", "--agent", "comes-later", "--unknown", "--why", "case 5")[0] == 0


def test_a_hold_whose_entry_was_changed_stops_everything(file_place):
    place = file_place
    seed(place)
    place.cli("hold", "set", "--subject", GRETE, "--why", "case 6")
    place.cli("hold", "lift", "--subject", GRETE)
    with place.attack() as attacker:
        attacker.run("UPDATE entry SET body=CAST(replace(body, 'lift', 'left') AS BLOB) WHERE kind='legal_hold'")
    code, _, err = place.cli("erase", "--subject", "carl")
    assert code != 0
    assert "ledger_unwritable" in err


def test_two_enrolled_people_sign_the_lift_of_a_hold_and_one_an_erasure(file_place):
    place = file_place
    seed(place)
    for name in ("ora", "oto"):
        first = place.cli("operator", "enrol", name, "--key-home", str(place.home.parent / name), "--as", "ora")
        if first[0] != 0:
            first = place.cli("operator", "enrol", name, "--key-home", str(place.home.parent / name))
        assert first[0] == 0, first
    place.cli("hold", "set", "--subject", GRETE, "--why", "case 7")
    code, _, err = place.cli("hold", "lift", "--subject", GRETE)
    assert code != 0
    assert "signatures_needed" in err
    # An agent's process has the home, and no operator's key.
    code, _, err = place.cli("erase", "--subject", "carl")
    assert code != 0
    assert "signatures_needed" in err
    assert any("opening hours" in text for text in texts_of(place))
    ora = ("--as", "ora", "--key-home", str(place.home.parent / "ora"))
    assert "signatures_needed" in place.cli("hold", "lift", "--subject", GRETE, *ora)[2]
    erase(place, "--subject", "carl", *ora)
    assert place.verified() == 0


def test_a_lift_that_nobody_signed_ends_no_hold(file_place):
    place = file_place
    seed(place)
    assert place.cli("operator", "enrol", "ora", "--key-home", str(place.home.parent / "ora"))[0] == 0
    ora = ("--as", "ora", "--key-home", str(place.home.parent / "ora"))
    assert place.cli("operator", "enrol", "oto", "--key-home", str(place.home.parent / "oto"), *ora)[0] == 0
    place.cli("hold", "set", "--subject", GRETE, "--why", "case 9")
    body = {"op": "lift", "scope": "subject", "target": person(place, GRETE), "why": ""}
    with place.open() as halo:  # as the agent's user can write it
        halo.store.commit(lambda tx: tx.append(Draft(EntryKind.LEGAL_HOLD, "", body, actor=describe_os_user())))
    assert "legal_hold" in place.cli("erase", "--subject", GRETE, *ora)[2]
    assert "case 9" in place.cli("hold", "list")[1]


def planned(place: Place, subject: str, store: Store) -> ErasurePlan:
    with Reader(place.url) as reader:
        return plan_erasure(reader, store, ErasureRequest(subject))


def test_what_comes_while_the_log_is_read_is_erased_as_well(place):
    seed(place)
    with place.open() as halo:
        plan = planned(place, CUSTOMER, halo.store)
        ask(halo, "s-ben2", "ben", f"again {CUSTOMER}", "ben stays")
        ask(halo, "s-carl2", "carl", f"now {CUSTOMER} here", "carl stays")
        halo.store.commit(lambda tx: erase_planned(tx, plan, describe_os_user()))
        finish_erasure(halo.store)
    left = texts_of(place)
    assert not any(CUSTOMER in text for text in left)
    assert {"ben stays", "carl stays"} <= {
        word for text in left for word in ("ben stays", "carl stays") if word in text
    }
    assert any("opening hours" in text for text in left)
    assert place.verified() == 0


def test_who_decides_meanwhile_loses_nothing_but_what_names_the_subject(place):
    seed(place)
    ended = threading.Event()
    asked: list[str] = []

    def work() -> None:
        with place.open() as halo:
            while not ended.is_set() and len(asked) < (400 if is_thorough() else 100):
                text = f"work number {len(asked)} of ben"
                ask(halo, f"s-{len(asked)}", "ben", text)
                asked.append(text)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(2):
            while len(asked) < 5 and worker.is_alive():
                time.sleep(0.01)
            place.cli("erase", "--subject", CUSTOMER)
            ask_again = place.cli("erase", "--subject", GRETE)
            assert ask_again[0] == 0, ask_again
    finally:
        ended.set()
        worker.join()
    left = "\n".join(texts_of(place))
    assert [text for text in asked if f'"{text}"' not in left] == []
    assert CUSTOMER not in left
    assert "Quastenflosser" not in left
    assert place.verified() == 0


def test_a_hold_that_comes_while_the_log_is_read_counts(file_place):
    place = file_place
    seed(place)
    with place.open() as halo:
        plan = planned(place, GRETE, halo.store)
        assert place.cli("hold", "set", "--session", "s-grete", "--why", "case 10")[0] == 0
        with pytest.raises(Denied) as caught:
            halo.store.commit(lambda tx: erase_planned(tx, plan, describe_os_user()))
    assert caught.value.reason == "legal_hold"
    assert any(GRETE in text for text in texts_of(place))


def test_a_content_key_that_another_store_of_the_home_needs_is_kept(file_place):
    place = file_place
    seed(place)
    other = Place(place.home, f"sqlite:///{place.home / 'other.db'}")
    seed(other)
    assert "content_key_shared" in place.cli("erase", "--subject", GRETE)[2]
    kek = KeyStore(place.home).secret("content")
    done = erase(place, "--subject", GRETE, "--keep-content-key")
    assert (done["content_key"], KeyStore(place.home).secret("content")) == ("kept", kek)
    assert not any(GRETE in text for text in texts_of(place))
    assert any(GRETE in text for text in texts_of(other))
    assert (place.verified(), other.verified()) == (0, 0)


def test_an_unknown_subject_has_no_record_and_no_similar_names(either):
    place = either
    seed(place)
    code, out, err = place.cli("erase", "--subject", "Grete Quastenfloser")
    assert (code, out, err) == (1, "there is no record of this subject\n", "")
    assert not place.bodies(EntryKind.ERASURE)


def test_erasing_twice(either):
    place = either
    seed(place)
    erase(place, "--subject", GRETE)
    assert erase(place, "--subject", GRETE)["boxes"] == 0
    assert len(place.bodies(EntryKind.ERASURE)) == 1
    assert place.verified() == 0


HOSTILE = (
    "'; DROP TABLE vault; --",
    "%",
    "\x1b[31mred\x1b[0m",
    "../../content",
    "a" * 5000,
    "=cmd()",
    "#1",
    "\u202eevil",
)


def test_hostile_names_erase_nothing_and_print_nothing_hostile(file_place):
    place = file_place
    seed(place)
    before = sorted(texts_of(place))
    for name in HOSTILE:
        code, out, err = place.cli("erase", "--subject", name)
        assert code in (1, 64), (name, out, err)
        assert "\x1b[31m" not in out + err
        assert "\u202e" not in out + err
    assert sorted(texts_of(place)) == before
    assert place.verified() == 0


def test_a_hostile_name_that_is_somebodys_is_erased(file_place):
    place, name = file_place, "O'Hara; DROP%_[x](y){z}"
    with place.open() as halo:
        ask(halo, "s", name, "a question")
        ask(halo, "t", "ben", f'{{"to": "{name}"}}', "else")
    erase(place, "--subject", name)
    assert not any("Hara" in text or "a question" in text for text in texts_of(place))
    assert any("else" in text for text in texts_of(place))
    assert place.verified() == 0


def test_a_ledger_of_nothing(file_place):
    with file_place.open():
        pass
    assert erase(file_place, "--subject", GRETE, code=1) == {"record": False}
    assert file_place.cli("retention", "status")[0] == 0
    assert file_place.cli("retention", "apply")[0] == 0
    assert file_place.verified() == 0


def test_another_tenant_is_untouched_and_its_processes_go_on(place):
    seed(place)
    with place.open(tenant="acme") as acme:
        ask(acme, "s", GRETE, "my other bank")
        erase(place, "--subject", GRETE, "--tenant", "local")
        ask(acme, "s2", GRETE, "still here")
    left = texts_of(place, "acme")
    assert any("my other bank" in text for text in left)
    assert any("still here" in text for text in left)
    assert place.verified() == 0


def test_a_reason_that_names_the_subject_is_refused(file_place):
    seed(file_place)
    code, _, err = file_place.cli("erase", "--subject", GRETE, "--why", "wish of grete  quastenflosser")
    assert code != 0
    assert "reason_names_subject" in err


def test_a_key_that_was_destroyed_without_an_entry_is_found(file_place):
    place = file_place
    seed(place)
    with place.attack() as attacker:
        attacker.run("UPDATE vault SET dek_wrapped=x'', erased_at_us=1 WHERE subject=?", person(place, GRETE))
    assert place.verified() == 11


def test_a_kept_box_key_that_was_taken_out_is_found(file_place):
    """By somebody who has the content key, and writes a list with one box less."""
    place = file_place
    seed(place)
    erase(place, "--subject", CUSTOMER)
    ben, kek = person(place, "ben"), KeyStore(place.home).secret("content")
    with place.attack() as attacker:
        ((wrapped,),) = attacker.run("SELECT dek_wrapped FROM vault WHERE subject=?", ben)
        box_keys = dict(unwrap_box_keys(kek, wrapped, "local", ben))
        assert len(box_keys) > 2
        box_keys.popitem()
        fewer = wrap_box_keys(kek, box_keys, "local", ben, os.urandom)
        attacker.run("UPDATE vault SET dek_wrapped=? WHERE subject=?", fewer, ben)
    assert place.verified() == 11
    with place.attack() as attacker:
        attacker.run("UPDATE vault SET dek_wrapped=? WHERE subject=?", wrapped, ben)
    assert place.verified() == 0


def test_the_home_of_another_host_follows(tmp_path):
    place = Place.make("postgresql", tmp_path / "home")
    seed(place)
    other = Place(tmp_path / "other", place.url)
    shutil.copytree(place.home, other.home)
    with other.open() as running:
        ask(running, "s-o", "ben", "from the other host")
        erase(place, "--subject", GRETE)
        ask(running, "s-o2", "dora", "a new subject there")
    assert KeyStore(other.home).secret("content") == KeyStore(place.home).secret("content")
    assert any("a new subject there" in text for text in texts_of(place))
    assert place.verified() == 0


def test_retention_erases_what_is_due_and_keeps_what_is_held(either):
    place = either
    seed(place, clock=FixedClock(SystemClock().now_us() - 500 * DAY_US))
    with place.open() as halo:
        ask(halo, "s-grete2", GRETE, "a question of today")
    before = len(place.found())
    code, out, err = place.cli("retention", "apply", "--json")
    assert (code, json.loads(out)["boxes"]) == (0, 0), err
    assert place.cli("retention", "set", "decisions", "--keep", "400d")[0] == 0
    assert place.cli("hold", "set", "--session", "s-ben", "--why", "case 8")[0] == 0
    status = json.loads(place.cli("retention", "status", "--json")[1])
    assert status["classes"]["decisions"]["keep_days"] == 400
    assert (status["due"]["boxes"], status["due"]["held"]) == (8, 6)
    code, out, err = place.cli("retention", "apply", "--json")
    assert code == 0, err
    assert (json.loads(out)["boxes"], json.loads(out)["held"]) == (8, 6)
    left = texts_of(place)
    assert not any("balance" in text or "opening hours" in text for text in left)
    assert any("a question of today" in text for text in left)
    assert any("nothing of note" in text for text in left)  # held
    assert len(place.found()) > before
    assert place.verified() == 0
    with place.open() as halo:
        ask(halo, "s-carl3", "carl", "carl goes on")  # nobody was erased as a person
    assert any("carl goes on" in text for text in texts_of(place))
    assert json.loads(place.cli("retention", "apply", "--json")[1])["boxes"] == 0
    assert place.cli("hold", "lift", "--session", "s-ben")[0] == 0
    assert json.loads(place.cli("retention", "apply", "--json")[1])["boxes"] == 6
    assert place.verified() == 0


def test_bad_schedules_and_holds_are_refused(file_place):
    place = file_place
    seed(place)
    for argv in (
        ("retention", "set", "secrets", "--keep", "400d"),
        ("retention", "set", "decisions", "--keep", "4h"),
        ("retention", "set", "decisions", "--keep", "99999d"),
        ("hold", "set", "--subject", "x"),
        ("hold", "set", "--why", "y"),
        ("hold", "set", "--subject", "x", "--all", "--why", "y"),
    ):
        assert place.cli(*argv)[0] != 0, argv
    assert not place.bodies(EntryKind.RETENTION, EntryKind.LEGAL_HOLD)


@pytest.mark.parametrize(
    ("name", "text", "is_named"),
    [
        ("Ann", "Ann paid", True),
        ("ANN", "ask ann.", True),
        ("Ann", "Annual report", False),
        ("Ann", "Joanne", False),
        ("C-1001", "id=C-1001;", True),
        ("C-1001", "C-10011", False),
        ("Müller", "MU\u0308LLER", True),
        ("Jörg", '{"to": "J\\u00f6rg"}', True),
        ("Jörg", json.dumps({"a": json.dumps({"to": "Jörg"})}), True),
        ("李明", "客户李明的账户", True),
        ("Jo Hn", "jo\n  hn", True),
        ("ana", "a\u200bna was here", True),
        ("x@bank.example", "to:x@bank.example", True),
        ("Jörg", 'the tool said: {"to": "J\\u00f6rg"}', True),
        ("Jörg", 'twice: "{\\\\u0022to: J\\\\u00f6rg"', True),
        ("Jo Hn", 'he wrote "Jo\\nHn" and left', True),
        ("x@bank.example", "GET /of?mail=x%40bank.example&page=2", True),
        ("Jörg Ast", "q=J%C3%B6rg+Ast", True),
        ("Jörg", "<b>J&ouml;rg</b> and J&#246;rg", True),
        ("😀ana", '"\\ud83d\\ude00ana"', True),
        ("Ann", "path C:\\\\Annual \\nAnnex 100%Annual &Annual;", False),
    ],
)
def test_names_are_found_as_whole_words(name, text, is_named):
    assert NameFinder([name]).matches(text.encode()) is is_named
