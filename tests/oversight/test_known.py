"""What the operator declares as known: added, imported, listed, revoked, proven."""

from __future__ import annotations

import json

import pytest
from oversight_world import at

from halo_core.crypto.keys import Digester, KeyStore
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.store.known_values import KnownValues
from halo_core.values.kinds.addresses import find_own_domain
from halo_world import attack, bodies, cli, db_of, verified


@pytest.fixture
def desk(home):
    with HaloBase.local("clerk", home=home, quiet=True):
        pass
    return home


def knows(home, kind, form):
    digester = Digester(KeyStore(home).secret("digest"))
    with at(home) as store:
        return store.commit(lambda tx: KnownValues(tx, digester).contains(kind, form))


def test_a_file_is_imported_listed_and_revoked(desk, tmp_path):
    file = tmp_path / "payees.csv"
    file.write_text(
        "kind,value,name\nemail,Ana@Corp.Example,Ana\naccount,DE89 3704 0044 0532 0130 00,ACME\n"
        "domain,corp.example,\nemail,ana@corp.example,again\n"
    )
    code, out, err = cli("known", "import", str(file), "--why", "master data", home=desk)
    assert (code, "3 of 4 values are new" in out) == (0, True), (out, err)
    assert knows(desk, "email", "ana@corp.example")
    assert knows(desk, "account", "DE89370400440532013000")
    assert not knows(desk, "email", "eve@corp.example")
    assert not knows(desk, "domain", "evil.example")
    listed = json.loads(cli("known", "list", "--json", home=desk)[1])
    assert [(item["kind"], item["value"]) for item in listed][2] == ("domain", "corp.example")
    assert cli("known", "revoke", "email", "ANA@corp.example", home=desk)[0] == 0
    assert not knows(desk, "email", "ana@corp.example")
    assert len(json.loads(cli("known", "list", "--json", home=desk)[1])) == 2
    assert "corp.example" not in json.dumps(bodies(desk, EntryKind.KNOWN))  # sealed, and named by digest
    assert verified(desk, signatures=True) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "value\nx\n",
        "kind,value\nemail,no address\n",
        "kind,value\nemail,ana@corp.example\nplanet,mars\n",
        "kind,value\naccount,\n",
        "kind,value\ndomain,gmail.com\n",
        "kind,value\nemail,a\x00b@corp.example\n",
        "kind,value\nhandle," + "x" * 300 + "\n",
    ],
)
def test_a_file_with_a_mistake_changes_nothing(desk, tmp_path, text):
    file = tmp_path / "bad.csv"
    file.write_text(text)
    assert cli("known", "import", str(file), home=desk)[0] != 0
    assert json.loads(cli("known", "list", "--json", home=desk)[1]) == []
    assert bodies(desk, EntryKind.KNOWN) == []


def test_payees_and_contacts_are_of_the_kinds_that_their_values_show(desk, tmp_path):
    file = tmp_path / "payees.csv"
    file.write_text(
        "kind,value,name\npayee,DE89 3704 0044 0532 0130 00,ACME\npayee,4711-22,Bo\n"
        "contact,Ana@Corp.Example,Ana\ncontact,#sales,\n"
    )
    code, out, err = cli("known", "import", str(file), home=desk)
    assert (code, "4 of 4 values are new" in out) == (0, True), (out, err)
    listed = json.loads(cli("known", "list", "--json", home=desk)[1])
    assert [item["kind"] for item in listed] == ["account", "account", "email", "handle"]
    assert knows(desk, "account", "DE89370400440532013000")
    code, out, _ = cli("known", "revoke", "contact", "ana@corp.example", home=desk)
    assert (code, out.strip()) == (0, "revoked email")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("payee", "ana@corp.example"),
        ("payee", "pay.corp.example"),
        ("contact", "+49 170 1234567"),
        ("contact", "corp.example"),
        ("contact", "Ana"),
        ("contact", ""),
    ],
)
def test_a_payee_or_contact_of_several_kinds_is_refused_with_the_kinds(desk, kind, value):
    code, _, err = cli("known", "add", kind, value or " ", home=desk)
    assert (code, "account, domain, email" in err) == (64, True), err
    assert bodies(desk, EntryKind.KNOWN) == []


def test_a_missing_file_and_a_missing_value_are_refused(desk, tmp_path):
    assert cli("known", "import", str(tmp_path / "none.csv"), home=desk)[0] != 0
    assert cli("known", "add", home=desk)[0] != 0
    assert cli("known", "add", "email", home=desk)[0] != 0


def test_another_process_knows_at_its_next_decision(desk):
    digester = Digester(KeyStore(desk).secret("digest"))
    with at(desk) as store:
        assert not store.commit(lambda tx: KnownValues(tx, digester).contains("handle", "@eve"))
        assert cli("known", "add", "handle", "@eve", home=desk)[0] == 0
        assert store.commit(lambda tx: KnownValues(tx, digester).contains("handle", "@eve"))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO known_value SELECT tenant, kind, 'blake2b-256:00' FROM known_value LIMIT 1",
        "DELETE FROM known_value",
        "UPDATE known_value SET kind='domain'",
    ],
)
def test_a_changed_row_is_tampering(desk, statement):
    assert cli("known", "add", "email", "ana@corp.example", home=desk)[0] == 0
    assert verified(desk) == 0
    attack(db_of(desk)).execute(statement)
    assert verified(desk) == 11


@pytest.mark.parametrize(
    ("user", "domain"),
    [
        ("ana@Corp.example", "corp.example"),
        ("user:ana@corp.example", "corp.example"),
        ("ana@gmail.com", ""),
        ("ana", ""),
        ("ana@localhost", ""),
        ("@corp.example", ""),
        ("ana@corp.example`; rm", ""),
    ],
)
def test_the_domain_of_a_user_is_proposed_and_never_a_public_one(user, domain):
    assert find_own_domain(user) == domain


def test_nobody_is_asked_about_a_domain_that_was_declared(desk, capsys):
    def ask(user):
        with HaloBase.local("clerk", home=desk) as halo, halo.session(user=user):
            return "halo known add domain" in capsys.readouterr().err

    assert ask("ana@corp.example")
    assert cli("known", "add", "domain", "Corp.Example", home=desk)[0] == 0
    assert not ask("ana@corp.example")
    assert ask("ana@other.example")
    assert cli("known", "revoke", "domain", "corp.example", home=desk)[0] == 0
    assert ask("ana@corp.example")
