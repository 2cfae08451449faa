"""The conformance set, and mutations of packs: a verifier accepts the good ones and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import zlib

import pack_world
import pytest
from pack_cases import CASES
from pack_world import (
    SEALS,
    inspect,
    list_members,
    load_base,
    load_key,
    put_tree,
    raw_archive,
    read_lines,
    read_members,
    run_verifier,
    seal,
    sign_again,
    store,
    vkey_of,
)

from halo_core.crypto.keys import Ed25519Signer
from halo_world import cli

NAMES = [case.name for case in CASES]
FEW, MANY = 300, 10_000


def test_each_case_has_a_name_of_its_own():
    assert len(set(NAMES)) == len(NAMES) > 45


@pytest.mark.share(2)
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_verifier_and_halo_say_the_same_of_a_case(case, tmp_path):
    path, key = tmp_path / "case.zip", vkey_of(load_key(case.base))
    path.write_bytes(case.build())
    code, out = run_verifier(path, "--key", key)
    told, text, _ = cli("pack", "check", str(path), "--key", key, "--json", home=tmp_path / "home")
    assert (code, told) == (case.exit_code, case.exit_code), out
    findings = json.loads(text)["findings"]
    if case.code:
        assert f"({case.code})" in out
        assert any(f"({case.code})" in finding for finding in findings)
    else:
        assert findings == []


def test_a_log_signed_again_without_a_change_verifies():
    """What `by="all"` cases start from: so what is found in them is what was changed."""
    log = load_key("approvals")
    data = seal(sign_again(read_members(load_base("approvals")), log, lambda _: None), log)
    assert inspect(data, vkey_of(log)) == []


def test_a_log_signed_again_in_the_name_of_another_tenant_is_refused(monkeypatch):
    """As somebody with the key of one tenant's log, who tells its reader that the entries are another tenant's."""
    log, named = load_key("approvals"), pack_world.writer_name
    monkeypatch.setattr(pack_world, "writer_name", lambda _, writer: named("other", writer))
    members = sign_again(read_members(load_base("approvals")), log, lambda _: None)
    assert inspect(seal(put_tree(members, "pack.json", tenant="other"), log), vkey_of(log)) == ["other_key"]


def flip_bits(data, rng):
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 16))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 7, 4096, len(data))) :]


def insert(data, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.choice((1, 22, 300))) + data[at:]


def repeat(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + data[start : start + rng.choice((1, 46, 5000))] * 2 + data[start:]


def change_header(data, rng):
    """A field of a local header, of the central directory or of the end, where ZIP programs do not look."""
    places = [i for i in range(len(data) - 46) if data[i : i + 4] in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06")]
    at = rng.choice(places) + rng.randrange(4, 30)
    return data[:at] + bytes((data[at] ^ rng.randrange(1, 256),)) + data[at + 1 :]


def change_members(data, rng):
    """Members swapped, left out, repeated under another name, renamed, or put into another order."""
    members = list(read_members(data).items())
    i, j = rng.sample(range(len(members)), 2)
    kind = rng.randrange(5)
    if kind == 0:
        members[i], members[j] = (members[i][0], members[j][1]), (members[j][0], members[i][1])
    elif kind == 1:
        del members[i]
    elif kind == 2:
        members.insert(j, (f"x{rng.randrange(99)}.jsonl", members[i][1]))
    elif kind == 3:
        members[i] = members[i][0].replace("0", "1").replace("json", "jsom") + "x", members[i][1]
    else:
        members[i], members[j] = members[j], members[i]
    return store(dict(members))


def repack(data, rng):
    """The same members as an ordinary ZIP program writes them: packed, dated, with another mode."""
    members = list(read_members(data).items())
    at = rng.randrange(len(members))
    name, plain = members[at]
    more = {"mode": rng.choice((0o100600, 0o120777, 0o40755))}
    if rng.random() < 0.5:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        more = {"method": 8, "size": len(plain), "crc": zlib.crc32(plain)}
        plain = packer.compress(plain) + packer.flush()
    rows = [(key, value, {}) for key, value in members]
    rows[at] = (name, plain, more)
    return raw_archive(*rows)


def edit_json(tree, rng):
    """Change one value somewhere in a tree."""
    while True:
        keys = list(tree) if isinstance(tree, dict) else range(len(tree))
        if not keys:
            return False
        key = rng.choice(list(keys))
        value = tree[key]
        if isinstance(value, dict | list) and value and rng.random() < 0.8:
            tree = value
            continue
        if isinstance(value, bool):
            tree[key] = not value
        elif isinstance(value, int):
            tree[key] = value + rng.choice((-1, 1, 1000))
        elif isinstance(value, str) and value:
            at = rng.randrange(len(value))
            tree[key] = value[:at] + ("B" if value[at] == "A" else "A") + value[at + 1 :]
        elif isinstance(tree, dict) and rng.random() < 0.5:
            del tree[key]
        else:
            tree[key] = "x"
        return True


def dump(tree):
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def edit_member(members, rng):
    """A value in a line of a member, or a line left out, repeated or swapped; None where nothing changed."""
    name = rng.choice([name for name in members if name.endswith((".json", ".jsonl")) and name not in SEALS])
    lines = members[name].splitlines()
    at = rng.randrange(len(lines))
    kind = rng.randrange(6) if len(lines) > 1 else 5
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, lines[at])
    elif kind == 2:
        other = rng.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    else:
        tree = json.loads(lines[at])
        if not edit_json(tree, rng):
            return None
        lines[at] = dump(tree)
    return {**members, name: b"".join(line + b"\n" for line in lines)}


def edit_and_leave_the_manifest(data, rng):
    members = edit_member(read_members(data), rng)
    return None if members is None else store(members)


def edit_and_recompute_digests(data, rng):
    """As an attacker without the key: the manifest is right, and the statement is the old one or about the new one."""
    members = edit_member(read_members(data), rng)
    if members is None:
        return None
    content = {name: part for name, part in members.items() if name not in SEALS}
    manifest, envelope = list_members(content), json.loads(members[SEALS[1]])
    if rng.random() < 0.7:
        statement = json.loads(base64.b64decode(envelope["payload"]))
        statement["subject"][0]["digest"]["sha256"] = hashlib.sha256(manifest).hexdigest()
        statement["predicate"] = json.loads(content["pack.json"])
        envelope["payload"] = base64.b64encode(dump(statement)).decode()
    return store({**content, SEALS[0]: manifest, SEALS[1]: dump(envelope) + b"\n"})


def sign_with_another_key(data, rng):
    """As somebody with a key of their own: everything is signed, also with the claimed key left in place."""
    other = Ed25519Signer(rng.randbytes(32))
    members = read_members(data)
    if rng.random() < 0.5:
        members["pack.json"] = members["pack.json"].replace(
            json.loads(members["pack.json"])["key"].encode(), vkey_of(other).encode()
        )
    return seal(members, other)


def swap_signatures(data, rng):
    """Signatures of two entries swapped, by somebody who can sign the manifest again."""
    members = read_members(data)
    lines = read_lines(members, "entries")
    i, j = rng.sample(range(len(lines)), 2)
    lines[i]["signatures"], lines[j]["signatures"] = lines[j]["signatures"], lines[i]["signatures"]
    members["entries/00000.jsonl"] = b"".join(dump(line) + b"\n" for line in lines)
    return seal(members, load_key("approvals" if len(lines) > 60 else "handoffs"))


MUTATIONS = (
    flip_bits,
    flip_bits,
    cut,
    insert,
    repeat,
    change_header,
    change_members,
    repack,
    edit_and_leave_the_manifest,
    edit_and_recompute_digests,
    edit_and_recompute_digests,
    sign_with_another_key,
    swap_signatures,
)


@pytest.mark.parametrize(
    "count", [pytest.param(FEW, id="few"), pytest.param(MANY, id="many", marks=pytest.mark.thorough)]
)
def test_no_mutation_of_a_pack_verifies(count):
    rng = random.Random(int(os.environ.get("HALO_PACK_SEED", "19")))
    bases = {name: (load_base(name), vkey_of(load_key(name))) for name in ("approvals", "handoffs")}
    accepted, done = [], 0
    while done < count:
        name = rng.choice(list(bases))
        data, key = bases[name]
        mutation = MUTATIONS[done % len(MUTATIONS)]
        changed = mutation(data, rng)
        if changed is None or changed == data:
            continue
        if not inspect(changed, key):
            accepted.append((mutation.__name__, name, done))
        done += 1
    assert accepted == []
    for data, key in bases.values():
        assert inspect(data, key) == []
