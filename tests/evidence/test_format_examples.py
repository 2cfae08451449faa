"""The worked example of docs/ledger-format.md, computed with nothing but what that page says."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from nacl.signing import VerifyKey
from pack_world import load_base, read_lines, read_members

from halo_core.evidence import halo_verify

PAGE = (Path(__file__).parents[2] / "docs" / "ledger-format.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```text (\w+)\n(.*?)```\n", PAGE, re.DOTALL))


def key_of(text):
    name, hexed, encoded = text.strip().split("+", 2)
    raw = base64.b64decode(encoded)
    assert hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() == hexed
    assert (raw[0], len(raw)) == (1, 33)
    return name, raw[1:]


def check_signatures(note, *keys):
    text, block = note.split("\n\n")
    rows = block.splitlines()
    assert len(rows) == len(keys)
    for row, (name, public) in zip(rows, keys, strict=True):
        dash, named, encoded = row.split(" ")
        blob = base64.b64decode(encoded)
        assert (dash, named, len(blob)) == ("\u2014", name, 68)
        assert blob[:4] == hashlib.sha256(f"{name}\n".encode() + b"\x01" + public).digest()[:4]
        VerifyKey(public).verify(f"{text}\n".encode(), blob[4:])
    return text


def test_the_note_is_signed_by_its_writer_and_certified_by_the_log():
    log = key_of(BLOCKS["vkey"])
    writer = key_of(json.loads(BLOCKS["note"].split("\n")[0])["body"]["vkey"])
    text = check_signatures(BLOCKS["note"], writer, log)
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text
    assert f"a note of {len(BLOCKS['note'].encode())} bytes" in PAGE


def test_the_leaves_lead_to_the_signed_root():
    leaves = [bytes.fromhex(row) for row in BLOCKS["leaves"].split()]
    assert hashlib.sha256(b"\x00" + BLOCKS["note"].encode()).digest() == leaves[0]
    nodes, row = [], leaves
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=True)
        row = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
        nodes += [node.hex() for node in row]
    assert nodes == BLOCKS["nodes"].split()
    origin, size, root = check_signatures(BLOCKS["checkpoint"], key_of(BLOCKS["vkey"])).split("\n")
    assert (origin, size, base64.b64decode(root)) == ("halo/local/log", "8", row[0])
    last = json.loads(BLOCKS["entry"])
    assert base64.b64decode(last["prev"]) == leaves[6]


def test_the_example_is_the_beginning_of_a_log_of_the_conformance_set():
    lines = read_lines(read_members(load_base("approvals")), "entries")
    dumped = [halo_verify.to_json(line["entry"]).decode() for line in lines]
    assert (dumped[0], dumped[7]) == (BLOCKS["note"].split("\n")[0], BLOCKS["entry"].strip())


def test_the_page_names_every_member_of_a_pack():
    members = {name for base in ("approvals", "handoffs") for name in read_members(load_base(base))}
    for name in members:
        assert f"`{name}`" in PAGE, name
    for member in json.loads(read_members(load_base("approvals"))["pack.json"]):
        assert f"`{member}`" in PAGE, member


@pytest.mark.parametrize(
    "text",
    [
        r'{"a":"\b\t\n\f\r\u0000\u001f\"\\"}',
        '{"a":"\x7f\u2028é\U0001f600/"}',
        '{"a":9007199254740991,"b":-9007199254740991,"c":[true,false,null]}',
        "[" * 240 + "]" * 240,
    ],
)
def test_what_the_page_calls_canonical_is(text):
    from halo_core.crypto import canonical

    assert halo_verify.to_json(halo_verify.read_json(text.encode(), "")) == text.encode()
    assert canonical.dumps(canonical.loads(text.encode())) == text.encode()


@pytest.mark.parametrize(
    "text",
    [
        '{"b":1,"a":1}',
        '{"a":1,"a":1}',
        '{"a": 1}',
        ' {"a":1}',
        '{"a":1}\n',
        '\ufeff{"a":1}',
        '{"a":-0}',
        '{"a":01}',
        '{"a":1.0}',
        '{"a":1e3}',
        '{"a":9007199254740992}',
        '{"a":NaN}',
        '{"é":1}',
        r'{"a":"\u00e9"}',
        r'{"a":"\u001F"}',
        r'{"a":"\u0009"}',
        r'{"a":"\/"}',
        r'{"a":"\ud800"}',
        '{"a":"\t"}',
        "[" * 250 + "]" * 250,
        "[" * 100_000,
        "",
    ],
)
def test_what_the_page_refuses_is_refused_by_both(text):
    from halo_core.crypto import canonical
    from halo_core.errors import CanonicalError

    with pytest.raises(halo_verify.Wrong, match="not_canonical"):
        halo_verify.read_json(text.encode("utf-8", "surrogatepass"), "")
    with pytest.raises((CanonicalError, RecursionError)):
        canonical.loads(text.encode("utf-8", "surrogatepass"))
