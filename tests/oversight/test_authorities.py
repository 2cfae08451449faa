"""authorities.json: who may issue and who may answer is known from a file that others cannot write."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.authorities import Authorities, TrustedKeys, make_approver_key_name, parse_public_key
from halo_core.crypto.keys import Ed25519Signer, KeyStore
from halo_core.errors import BadInput, ConfigError
from halo_core.model import normalize_name, same_person
from preloaded_python import find_python

LOW_ORDER = bytes([1] + [0] * 31)


def fresh():
    return Ed25519Signer.generate()


def code_of(step, *args, **options):
    with pytest.raises(BadInput) as caught:
        step(*args, **options)
    return caught.value.code


def test_a_home_without_the_file_trusts_nobody(home):
    assert Authorities(home).load("local") == TrustedKeys()
    assert Authorities(home).tenants() == []


def test_what_is_added_is_trusted_from_then_until_its_end(home):
    known, issuer, mia = Authorities(home), fresh(), fresh()
    kid = known.add_issuer("local", issuer.public_key, 100)
    assert known.add_issuer("local", issuer.public_key, 900) == kid == issuer.key_id
    known.add_person("local", "mia", mia.public_key, 200, role="approver")
    loaded = known.load("local")
    assert loaded.issuers == {kid: (issuer.public_key, 100, None, "")}
    assert loaded.approvers == {mia.key_id: (mia.public_key, 200, None, "mia")}
    assert (loaded.issuer_keys(99), loaded.issuer_keys(100)) == ({}, {kid: issuer.public_key})
    assert known.retire_issuer("local", kid, 500) == 500
    assert known.withdraw_person("local", "mia", 600, role="approver") == [mia.key_id]
    later = known.load("local")
    assert (later.issuer_keys(499), later.issuer_keys(500)) == ({kid: issuer.public_key}, {})
    assert (later.approver_keys(599), later.approver_keys(600)) == ({mia.key_id: ("mia", mia.public_key)}, {})
    assert later.version != loaded.version
    assert known.load("acme") == TrustedKeys()
    assert known.tenants() == ["local"]


def test_an_end_is_never_moved_back(home):
    known, issuer = Authorities(home), fresh()
    kid = known.add_issuer("local", issuer.public_key, 0)
    known.retire_issuer("local", kid, 500)
    assert known.retire_issuer("local", kid, 900) == 500
    assert known.retire_issuer("local", kid, 300) == 300


def test_a_retired_key_never_comes_back(home):
    known, issuer, mia = Authorities(home), fresh(), fresh()
    known.retire_issuer("local", known.add_issuer("local", issuer.public_key, 0), 5)
    known.add_person("local", "mia", mia.public_key, 0, role="approver")
    known.withdraw_person("local", "mia", 5, role="approver")
    assert code_of(known.add_issuer, "local", issuer.public_key, 9) == "key_retired"
    assert code_of(known.add_person, "local", "mia", mia.public_key, 9, role="approver") == "key_retired"
    known.add_person("local", "mia", fresh().public_key, 9, role="approver")


@pytest.mark.parametrize("key", [LOW_ORDER, b"\xff" * 32, b"short"])
def test_a_weak_key_is_never_trusted(home, key):
    known = Authorities(home)
    assert code_of(known.add_issuer, "local", key, 0) == "weak_key"
    assert code_of(known.add_person, "local", "mia", key, 0, role="approver") == "weak_key"
    assert not (home / "authorities.json").exists()


def test_one_key_has_one_part(home):
    known, issuer, mia = Authorities(home), fresh(), fresh()
    known.add_issuer("local", issuer.public_key, 0)
    known.add_person("local", "mia", mia.public_key, 0, role="approver")
    assert code_of(known.add_person, "local", "bob", issuer.public_key, 0, role="approver") == "key_taken"
    assert code_of(known.add_issuer, "local", mia.public_key, 0) == "key_taken"
    assert code_of(known.add_person, "local", "bob", mia.public_key, 0, role="approver") == "key_taken"


def test_one_name_has_one_key_however_it_is_spelt(home):
    known = Authorities(home)
    known.add_person("local", "Mia", fresh().public_key, 0, role="approver")
    for name in ("Mia", "mia", "user:MIA"):
        assert code_of(known.add_person, "local", name, fresh().public_key, 0, role="approver") == "approver_exists"


@pytest.mark.parametrize("name", ["", " mia", "a\nb", "x" * 65, "user:", "a\u200bb"])
def test_a_name_that_nobody_can_read_is_no_approver(home, name):
    assert (
        code_of(Authorities(home).add_person, "local", name, fresh().public_key, 0, role="approver") == "bad_approver"
    )


def test_unknown_ones_cannot_be_retired(home):
    assert code_of(Authorities(home).retire_issuer, "local", "none", 0) == "unknown_key"
    assert code_of(Authorities(home).withdraw_person, "local", "none", 0, role="approver") == "unknown_approver"
    assert not (home / "authorities.json").exists()


def spoilt(home):
    known, mia, issuer = Authorities(home), fresh(), fresh()
    known.add_person("local", "mia", mia.public_key, 0, role="approver")
    known.add_issuer("local", issuer.public_key, 0)
    return json.loads((home / "authorities.json").read_text()), mia.key_id, issuer.key_id


@pytest.mark.parametrize(
    "change",
    [
        lambda plain, mia, issuer: "nonsense",
        lambda plain, mia, issuer: [],
        lambda plain, mia, issuer: {"local": {}},
        lambda plain, mia, issuer: plain["local"].update(more={}) or plain,
        lambda plain, mia, issuer: plain["local"]["approvers"][mia].pop("name") and plain,
        lambda plain, mia, issuer: plain["local"]["approvers"][mia].update(more=1) or plain,
        lambda plain, mia, issuer: plain["local"]["approvers"][mia].update(since_us=True) or plain,
        lambda plain, mia, issuer: plain["local"]["approvers"][mia].update(name=7) or plain,
        lambda plain, mia, issuer: plain["local"]["approvers"][mia].update(key="AQ==") or plain,
        lambda plain, mia, issuer: plain["local"]["approvers"].update({"x": plain["local"]["approvers"][mia]}) or plain,
        lambda plain, mia, issuer: (
            plain["local"]["approvers"].update({issuer: {**plain["local"]["issuers"][issuer], "name": "eve"}}) or plain
        ),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused_whole(home, change):
    plain = change(*spoilt(home))
    (home / "authorities.json").write_text(plain if isinstance(plain, str) else json.dumps(plain))
    known = Authorities(home)
    assert code_of(known.load, "local") == "bad_authorities"
    assert code_of(known.add_issuer, "local", fresh().public_key, 0) == "bad_authorities"


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_is_refused(home, mode):
    spoilt(home)
    (home / "authorities.json").chmod(mode)
    assert code_of(Authorities(home).load, "local") == "key_permissions"


def test_a_file_in_a_folder_that_others_may_write_is_refused(home):
    spoilt(home)
    home.chmod(0o770)
    assert code_of(Authorities(home).load, "local") == "key_permissions"


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_is_no_file_is_refused_and_never_waited_for(home, kind):
    spoilt(home)
    path = home / "authorities.json"
    path.rename(home / "elsewhere")
    if kind == "link":
        path.symlink_to(home / "elsewhere")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert code_of(Authorities(home).load, "local") == "bad_authorities"


def test_the_file_is_the_owners_alone(home):
    spoilt(home)
    assert (home / "authorities.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.glob(".*")] == []


def test_another_process_sees_a_change_at_once(home):
    reading, issuer = Authorities(home), fresh()
    kid = reading.add_issuer("local", issuer.public_key, 0)
    assert reading.load("local").issuer_keys(5) == {kid: issuer.public_key}
    Authorities(home).retire_issuer("local", kid, 5)
    assert reading.load("local").issuer_keys(5) == {}
    assert reading.load("local") is reading.load("local")


def test_processes_that_write_at_once_lose_nothing(home):
    home.mkdir(mode=0o700)
    code = (
        "import sys; from pathlib import Path; from halo_core.authorities import Authorities; "
        "from halo_core.crypto.keys import Ed25519Signer\n"
        "for _ in range(8): Authorities(Path(sys.argv[1])).add_issuer('local', Ed25519Signer.generate().public_key, 0)"
    )
    running = [subprocess.Popen([*find_python(), "-c", code, str(home)]) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(Authorities(home).load("local").issuers) == 24


def test_public_keys_are_read_in_either_alphabet():
    key = fresh().public_key
    import base64

    for text in (
        base64.b64encode(key).decode(),
        base64.urlsafe_b64encode(key).decode().rstrip("="),
        f" {base64.b64encode(key).decode()}\n",
    ):
        assert parse_public_key(text) == key
    with pytest.raises(ConfigError):
        parse_public_key("not base64!")
    with pytest.raises(BadInput):
        parse_public_key("AAAA")


@given(st.text(min_size=1, max_size=64))
def test_any_name_maps_to_a_name_of_a_key_file(tmp_path_factory, name):
    mapped = make_approver_key_name(name)
    assert mapped.startswith("approver-")
    KeyStore(tmp_path_factory.getbasetemp() / "mapped").signer(mapped)


@pytest.mark.parametrize(
    "spelt", ["user:Ana@Bank ", " User: user:ana@bank", "user: \tUSER:ANA@BANK", "ana\u034f@bank", "\uff41\uff4ea@bank"]
)
def test_names_compare_without_prefix_case_and_what_nobody_sees(spelt):
    assert same_person(spelt, "ana@bank")
    assert not same_person(spelt, "anb@bank")


@pytest.mark.parametrize(
    "spelt", ["ana+x@bank.example", "\u0430na@bank.example", "ana @bank.example", "ana@bank.example."]
)
def test_names_that_reach_or_look_like_one_person_are_one(spelt):
    assert same_person(spelt, "ana@bank.example")
    assert not same_person(spelt, "anna@bank.example")


@given(st.text(max_size=20))
def test_a_compared_name_is_compared_as_it_is(name):
    assert normalize_name(normalize_name(name)) == normalize_name(name)
    assert same_person("user: " + name, name)


@pytest.mark.parametrize("odd", list("\ufe0f\u034f\u3164\u200b\u200d\u202e\u2066\u00ad\x07"))
def test_a_name_with_what_nobody_sees_is_not_enrolled(home, odd):
    assert (
        code_of(Authorities(home).add_person, "local", f"mi{odd}a", fresh().public_key, 0, role="approver")
        == "bad_approver"
    )
    assert Authorities(home).load("local") == TrustedKeys()
