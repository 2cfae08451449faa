"""People who answer, and people whose events are followed, erased: rows beside the log, and what stays to be seen."""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "identities"))

import acts_world
from alert_world import ABROAD, ANA, NEXT, event, lived_in
from oversight_world import answers, ask, enrolled, opened, pay

from halo_core.crypto.keys import Digester, KeyStore
from halo_core.errors import Denied
from halo_core.model import NO_PRINCIPAL_RISK, EntryKind
from halo_core.store.config import StoreConfig
from halo_core.store.identity_rows import IdentityTable
from halo_core.store.store import Store
from halo_world import attack, bodies, cli, db_of, person_ref, verified

MIA = "mia.zwetschgenbaum"


def clear_texts(home: Path) -> str:
    """All files of a home but its keys, with the payloads of tokens decoded."""
    parts = []
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.suffix != ".key":
            data = path.read_bytes()
            parts.append(data)
            words = re.findall(rb"[A-Za-z0-9_-]{24,}", data)
            parts += [base64.urlsafe_b64decode(text[: len(text) // 4 * 4]) for text in words]
    return b"\0".join(parts).decode("latin-1")


def withdraw_signed(home: Path) -> None:
    """Mia signs her own withdrawal, so that nobody who is gone has to sign from then on."""
    (person,) = json.loads(cli("approver", "list", "--json", home=home)[1])
    store_id = json.loads(cli("status", "--json", home=home)[1])["local"]["store_id"]
    act = home.parent / "act.json"
    options = ("--key", person["kid"], "--store", store_id, "--as", MIA, "--key-home", str(home.parent / "people"))
    assert cli("operator", "sign", "withdraw", *options, "--out", str(act))[0] == 0
    assert cli("approver", "withdraw", MIA, "--signed", str(act), home=home)[0] == 0


def test_answers_of_an_erased_approver_lose_the_name_and_decisions_stay_proven(home):
    enrolled(home, MIA)
    request = ask(home)
    answers(home, request, MIA)
    with opened(home) as halo:
        assert len(pay(halo)) == 1
    assert MIA in clear_texts(home)
    code, _, err = cli("erase", "--subject", MIA, home=home)
    assert code != 0
    assert "subject_in_use" in err
    withdraw_signed(home)
    code, out, err = cli("erase", "--subject", MIA, "--json", home=home)
    assert code == 0, err
    done = json.loads(out)
    assert done["rows"] == 1
    assert done["clear"] == {"authorities.json": 1}
    assert verified(home, signatures=True) == 0
    (home / "authorities.json").unlink()  # who could sign when: kept in clear, and said
    assert MIA not in clear_texts(home)


def test_remembered_answers_of_an_erased_approver_lose_the_name(home):
    """An override is a token of the table of answers: it is revoked first, and the name in it goes."""
    with acts_world.opened(home) as halo:
        refused = acts_world.tool(halo, "wipe")
        with pytest.raises(Denied) as caught:
            acts_world.run(halo, refused, path="/tmp/report")
    enrolled(home, MIA)
    override = acts_world.override(home, caught.value.decision_id, MIA, allow=False)
    withdraw_signed(home)
    code, _, err = cli("erase", "--subject", MIA, home=home)
    assert code != 0
    assert "subject_in_use" in err
    assert cli("approvals", "revoke", override.id, home=home)[0] == 0
    code, out, err = cli("erase", "--subject", MIA, "--json", home=home)
    assert code == 0, err
    assert json.loads(out)["rows"] == 1
    assert verified(home, signatures=True) == 0
    (home / "authorities.json").unlink()
    assert MIA not in clear_texts(home)
    assert cli("overrides", "--all", home=home)[0] == 0


def test_an_emptied_answer_of_somebody_who_was_not_erased_is_tampering(home):
    enrolled(home, MIA)
    answers(home, ask(home), MIA)
    cli("erase", "--subject", "user:ana", home=home)
    assert verified(home) == 0
    database = attack(db_of(home))
    database.execute("UPDATE approval SET answer=''")
    database.close()
    assert verified(home) == 11


@pytest.mark.disk
def test_what_is_usual_for_a_person_goes_with_the_person(tmp_path):
    home = lived_in(tmp_path)
    with opened(home) as halo:
        halo.identity_events([event(NEXT, 3, **ABROAD)])
    reference = person_ref(home, ANA)
    database = attack(db_of(home))
    count = "SELECT count(*) FROM identity WHERE subject=?"
    assert database.execute(count, (reference,)).fetchone() == (1,)
    code, out, err = cli("erase", "--subject", ANA, "--json", home=home)
    assert code == 0, err
    assert json.loads(out)["rows"] == 1
    assert database.execute(count, (reference,)).fetchone() == (0,)
    database.close()
    assert verified(home, signatures=True) == 0


@pytest.mark.disk
def test_a_person_at_risk_who_was_erased_counts_as_unknown_and_not_as_deleted(tmp_path):
    home = lived_in(tmp_path)
    with opened(home) as halo:
        for day in range(3):
            halo.identity_events([event(NEXT, 3 + day, **ABROAD)])
    reference = person_ref(home, ANA)
    changes = [
        item for body in bodies(home, EntryKind.IDENTITY) for item in body["changes"] if item["subject"] == reference
    ]
    assert changes
    assert changes[-1]["band"] > 0
    assert cli("erase", "--subject", ANA, "--json", home=home)[0] == 0
    newest = [item for body in bodies(home, EntryKind.IDENTITY) for item in body["changes"]][-1]
    assert (newest["subject"], newest["band"], newest["risk"]) == (reference, 0, 0)
    store = Store(StoreConfig(f"sqlite:///{db_of(home)}", home, "local"), KeyStore(home))
    digester = Digester(KeyStore(home).secret("digest"))
    found = store.commit(lambda tx: IdentityTable(tx, digester).read_risk(reference, store.clock.now_us()))
    store.close()
    assert found == NO_PRINCIPAL_RISK
    assert verified(home, signatures=True) == 0
