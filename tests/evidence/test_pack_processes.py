"""Signatures of a large pack, which further processes verify ahead: the findings are those of one process."""

from __future__ import annotations

import base64
import json
import multiprocessing.spawn
import sys
from itertools import islice
from multiprocessing import resource_tracker

import pytest
from pack_world import dump, inspect, load_base, load_key, put_lines, put_tree, read_lines, read_members, seal, vkey_of

from halo_core.crypto.keys import Ed25519Signer
from halo_core.evidence import halo_verify
from halo_core.ledger import format_vkey, make_vkey

LOG = load_key("approvals")
MEMBERS = read_members(load_base("approvals"))
AT = 7  # an entry with one signature


def vkey(name, signer):
    return format_vkey(make_vkey(name, signer.public_key))


def sign_longer(line):
    """What the writer signed is some bytes and the entry: they stand at the end of the signature."""
    signer, more = Ed25519Signer.generate(), b"more"
    listed = vkey(f"halo/local/w/{line['w']}", signer)
    blob = halo_verify.Key.read(listed, "").hash + signer.sign(more + dump(line["entry"]) + b"\n") + more
    line["signatures"] = [base64.b64encode(blob).decode()]
    return {line["w"]: listed}


def flip(at):
    """Change a byte of the signature with the hash of its key."""

    def change(line):
        blob = bytearray(base64.b64decode(line["signatures"][0]))
        blob[at] ^= 1
        line["signatures"] = [base64.b64encode(blob).decode()]

    return change


SPOILED = {
    "nothing": lambda _: None,
    "the signature": flip(30),
    "the hash of the key": flip(0),
    "the text": lambda line: line["entry"].update(ts_us=line["entry"]["ts_us"] + 1),
    "a second signature": lambda line: line["signatures"].append(line["signatures"][0]),
    "no signature": lambda line: line["signatures"].clear(),
    "no text": lambda line: line.update(signatures=["?"]),
    "an unknown writer": lambda line: line.update(w="nobody"),
    "a longer signature": sign_longer,
}


def spoil(place, name):
    """A pack with one entry changed, sealed by the log's key; its path, and what one process finds."""
    lines = read_lines(MEMBERS, "entries")
    assert len(lines[AT]["signatures"]) == 1
    keys = SPOILED[name](lines[AT]) or {}
    listed = json.loads(MEMBERS["keys.json"])["writers"]
    listed = [item | {"vkey": keys.get(item["w"], item["vkey"])} for item in listed]
    data = seal(put_tree(put_lines(MEMBERS, "entries", lines), "keys.json", writers=listed), LOG)
    (place / "a.zip").write_bytes(data)
    return place / "a.zip", inspect(data, vkey_of(LOG))


def check(path, read_by_others=None):
    """Codes of what is found, and of each entry whether its signature was verified ahead."""
    with path.open("rb") as file:
        archive = halo_verify.Archive(file)
        pack = halo_verify.Pack(archive, halo_verify.Key.read(vkey_of(LOG), ""))
        archive.path = str(read_by_others or path)
        ahead = [key is not None for key in islice(halo_verify.Checker(pack)._find_signers("entries"), pack.end)]
        checker = halo_verify.Checker(pack)
        try:
            list(checker.run())
        except halo_verify.Wrong as problem:
            checker.report(problem)
    return [item.code for item in checker.findings], ahead


@pytest.mark.spread
@pytest.mark.parametrize("name", SPOILED)
def test_further_processes_find_what_one_finds(tmp_path, monkeypatch, name):
    path, expected = spoil(tmp_path, name)
    assert bool(expected) == (name != "nothing")
    monkeypatch.setattr(halo_verify, "MIN_SHARED", 0)
    found, ahead = check(path)
    assert found == expected
    assert not ahead[AT] or name == "nothing"
    if name == "nothing":
        single = [len(line["signatures"]) == 1 for line in read_lines(MEMBERS, "entries")]
        assert ahead == single


def test_a_small_pack_needs_no_further_process(tmp_path):
    path, expected = spoil(tmp_path, "nothing")
    found, ahead = check(path)
    assert (found, any(ahead)) == (expected, False)


def test_where_no_process_can_be_had_everything_is_verified_in_one(tmp_path, monkeypatch):
    monkeypatch.setattr(halo_verify, "MIN_SHARED", 0)
    resource_tracker.ensure_running()  # it is a process of the same program, and has to be there to release semaphores
    multiprocessing.spawn.set_executable(str(tmp_path / "missing"))
    try:
        for name in ("nothing", "the signature"):
            path, expected = spoil(tmp_path, name)
            found, ahead = check(path)
            assert (found, any(ahead)) == (expected, False)
    finally:
        multiprocessing.spawn.set_executable(sys.executable)


def test_what_others_read_counts_only_if_it_is_what_the_manifest_names(tmp_path, monkeypatch):
    monkeypatch.setattr(halo_verify, "MIN_SHARED", 0)
    (tmp_path / "good").mkdir()
    good, _ = spoil(tmp_path / "good", "nothing")
    path, expected = spoil(tmp_path, "the signature")
    found, ahead = check(path, read_by_others=good)
    assert "bad_signature" in expected
    assert (found, any(ahead)) == (expected, False)
