"""Keys: files, signers, libsodium's rules against published vectors."""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import pickle
import shlex
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.crypto.keys import (
    Digester,
    Ed25519Signer,
    KeyStore,
    compute_key_thumbprint,
    make_agent_key_name,
    require_strong_key,
    verify_signature,
)
from halo_core.errors import BadInput, ConfigError

DATA = Path(os.environ.get("HALO_DATA", Path(__file__).parents[3] / "shared" / "data")) / "vectors"


def vectors(name: str):
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"set HALO_DATA to the folder that holds vectors/{name}")
    return json.loads(path.read_text())


def test_wycheproof_every_verdict():
    tests = [(g["publicKey"]["pk"], t) for g in vectors("wycheproof_ed25519.json")["testGroups"] for t in g["tests"]]
    assert len(tests) > 100
    wrong = [
        t["tcId"]
        for pk, t in tests
        if verify_signature(bytes.fromhex(pk), bytes.fromhex(t["msg"]), bytes.fromhex(t["sig"]))
        is not (t["result"] == "valid")
    ]
    assert wrong == []


def strong(key: bytes) -> bool:
    try:
        require_strong_key(key)
    except BadInput:
        return False
    return True


def test_no_ambiguous_signature_under_a_strong_key():
    """libsodium alone takes some under keys of mixed order, which is why `require_strong` refuses those too."""
    cases = vectors("cctv_ed25519.json")
    assert len(cases) > 900
    taken = [c for c in cases if verify_signature(bytes.fromhex(c["key"]), c["msg"].encode(), bytes.fromhex(c["sig"]))]
    assert [c["flags"] for c in taken if strong(bytes.fromhex(c["key"]))] == [None]
    assert not any(
        {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R"} & set(c["flags"] or ()) for c in taken
    )


def test_low_order_and_non_canonical_keys_are_weak():
    cases = vectors("cctv_ed25519.json")
    weak = {
        c["key"] for c in cases if {"low_order_A", "low_order_component_A", "non_canonical_A"} & set(c["flags"] or ())
    }
    assert len(weak) > 20
    for key in weak:
        with pytest.raises(BadInput) as caught:
            require_strong_key(bytes.fromhex(key))
        assert caught.value.code == "weak_key"


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33), bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_malformed_keys_are_weak(key):
    with pytest.raises(BadInput):
        require_strong_key(key)


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=70))
def test_verify_never_raises(key, message, signature):
    assert verify_signature(key, message, signature) is False


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_sign_then_verify_and_no_other_bit(seed, message, bit):
    signer = Ed25519Signer(seed)
    signature = signer.sign(message)
    require_strong_key(signer.public_key)
    assert verify_signature(signer.public_key, message, signature)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not verify_signature(signer.public_key, message, bytes(flipped))
    assert not verify_signature(signer.public_key, message + b"x", signature)


def test_rfc_8032_vector_1():
    signer = Ed25519Signer(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert signer.public_key.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert (
        signer.sign(b"")
        .hex()
        .startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a3")
    )


def test_thumbprint_of_rfc_8037_appendix_a3():
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert compute_key_thumbprint(public) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_secrets_stay_out_of_repr_and_pickle():
    seed = bytes(range(32))
    for holder in (Ed25519Signer(seed), Digester(seed)):
        assert seed.hex() not in repr(holder)
        assert repr(seed)[2:-1] not in repr(holder)
        for clone in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="secret"):
                clone(holder)


@pytest.mark.parametrize("maker", [Ed25519Signer, Digester])
def test_a_seed_of_another_length_is_refused(maker):
    with pytest.raises(BadInput) as caught:
        maker(bytes(31))
    assert caught.value.code == "bad_key"


def test_digests_are_keyed_and_domain_separated():
    one, other = Digester(bytes(32)), Digester(b"\1" * 32)
    digest = one.digest("halo.a", b"1234")
    assert digest.startswith("blake2b-256:")
    assert len(digest) == 76
    assert digest == one.digest("halo.a", b"1234")
    assert len({digest, one.digest("halo.b", b"1234"), other.digest("halo.a", b"1234")}) == 3
    assert one.digest("halo.a", b"bc") != one.digest("halo.ab", b"c")
    for domain in ("a\0b", "ä"):
        with pytest.raises(BadInput) as caught:
            one.digest(domain, b"")
        assert caught.value.code == "bad_domain"


def test_a_key_is_made_once_and_private(tmp_path):
    store = KeyStore(tmp_path / "home")
    made = store.signer("log")
    path = tmp_path / "home" / "log.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert KeyStore(tmp_path / "home").signer("log").public_key == made.public_key
    assert store.signer("issuer").public_key != made.public_key
    assert store.secret("digest") == store.secret("digest")
    assert len(store.secret("digest")) == 32
    assert store.names() == ("digest", "issuer", "log")
    assert all(map(store.has, store.names()))
    assert not any(map(store.has, ("content", "digest.key", "../log", "")))
    assert sorted(p.name for p in path.parent.iterdir()) == ["digest.key", "issuer.key", "log.key"]
    assert path.read_text().startswith("halo-key-v1 ed25519 ")


def test_the_umask_cannot_open_a_key(tmp_path):
    before = os.umask(0)
    try:
        KeyStore(tmp_path / "home").signer("log")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "home" / "log.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o777])
def test_a_key_others_can_read_is_refused(tmp_path, mode):
    KeyStore(tmp_path).signer("log")
    (tmp_path / "log.key").chmod(mode)
    with pytest.raises(ConfigError) as caught:
        KeyStore(tmp_path).signer("log")
    assert caught.value.code == "key_permissions"
    assert "chmod 600" in caught.value.remedy


def test_one_command_mends_all_loose_keys(tmp_path):
    names = ("content", "digest", "log")
    for name in names:
        KeyStore(tmp_path).signer(name)
        (tmp_path / f"{name}.key").chmod(0o644)
    with pytest.raises(ConfigError) as caught:
        KeyStore(tmp_path).signer("log")
    command = caught.value.remedy.removeprefix("run `").removesuffix("`")
    subprocess.run(shlex.split(command), check=True)
    assert all(KeyStore(tmp_path).signer(name) for name in names)


def test_a_directory_others_can_write_is_refused(tmp_path):
    tmp_path.chmod(0o770)
    with pytest.raises(ConfigError) as caught:
        KeyStore(tmp_path)
    assert caught.value.code == "key_permissions"


def test_a_home_that_cannot_be_made_says_where_else_it_may_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as caught:
        KeyStore(tmp_path / "file" / "home")
    assert caught.value.code == "key_home"
    assert "HALO_HOME" in caught.value.remedy


def test_a_home_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(ConfigError) as caught:
        KeyStore(tmp_path / "home")
    assert caught.value.code == "key_home"


GOOD = b"halo-key-v1 ed25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        GOOD[:30],
        GOOD[:-1],
        GOOD + b"\n",
        GOOD.replace(b"v1", b"v2"),
        GOOD.replace(b"ed25519", b"secret"),
        GOOD.replace(b"AAA=", b"AAB="),
        GOOD.replace(b"AAAA=", b"AAA="),
        b" " + GOOD,
        GOOD * 100,
        b"\xff" * 70,
    ],
)
def test_a_malformed_key_file_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "log.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        KeyStore(tmp_path).signer("log")
    assert caught.value.code == "key_malformed"
    assert path.read_bytes() == content


def test_the_strict_parser_accepts_the_good_file(tmp_path):
    path = tmp_path / "log.key"
    path.write_bytes(GOOD)
    path.chmod(0o600)
    assert KeyStore(tmp_path).signer("log").public_key == Ed25519Signer(bytes(32)).public_key


def test_a_symlink_or_a_fifo_is_no_key(tmp_path):
    store = KeyStore(tmp_path / "home")
    store.signer("log")
    (tmp_path / "home" / "issuer.key").symlink_to("log.key")
    os.mkfifo(tmp_path / "home" / "digest.key", 0o600)
    for name in ("issuer", "digest"):
        with pytest.raises(ConfigError) as caught:
            store.signer(name)
        assert caught.value.code == "key_malformed"


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "-x", "a/b", "../log", "Log", "ключ", "a b", "a\n", "a\0", "x" * 97]
)
def test_names_that_are_no_file_names_are_refused(tmp_path, name):
    with pytest.raises(ConfigError) as caught:
        KeyStore(tmp_path).signer(name)
    assert caught.value.code == "key_name"
    assert list(tmp_path.iterdir()) == []


@given(st.text(max_size=120))
def test_every_agent_has_a_key_name_of_its_own(agent):
    name = make_agent_key_name(agent)
    assert name.isascii()
    assert name == name.lower()
    assert "/" not in name
    assert len(name) <= 96
    assert name == make_agent_key_name(agent)
    if name != f"agent-{agent}":
        # An agent that calls itself by the mapped name does not get the other's key.
        assert make_agent_key_name(name.removeprefix("agent-")) != name


@pytest.mark.parametrize("agent", ["loan-desk", "a.b_c"])
def test_plain_agent_names_stay_readable(agent):
    assert make_agent_key_name(agent) == f"agent-{agent}"


def _public_key(home: Path, barrier, results) -> None:
    barrier.wait()
    results.put(KeyStore(home).signer("log").public_key)


def test_racing_processes_get_one_key(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(4), context.Queue()
    workers = [context.Process(target=_public_key, args=(tmp_path / "home", barrier, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    found = {results.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(found) == 1
    assert [p.name for p in (tmp_path / "home").iterdir()] == ["log.key"]


def test_the_loser_of_a_race_takes_the_winners_key(tmp_path, monkeypatch):
    store = KeyStore(tmp_path)
    link = Path.hardlink_to

    def late(self, target):
        monkeypatch.setattr(Path, "hardlink_to", link)
        KeyStore(tmp_path).signer("log")
        link(self, target)

    monkeypatch.setattr(Path, "hardlink_to", late)
    assert store.signer("log").public_key == KeyStore(tmp_path).signer("log").public_key
    assert [p.name for p in tmp_path.iterdir()] == ["log.key"]


def test_an_unwritable_home_says_so(tmp_path, monkeypatch):
    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", full)
    with pytest.raises(ConfigError) as caught:
        KeyStore(tmp_path).signer("log")
    assert caught.value.code == "key_unwritable"
    assert list(tmp_path.iterdir()) == []
