"""The conformance set: good packs, and spoiled ones with the exit code and the finding of each."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

from pack_world import (
    SEALS,
    Members,
    dump,
    list_members,
    load_base,
    load_key,
    put_lines,
    put_tree,
    raw_archive,
    read_lines,
    read_members,
    seal,
    sign_again,
    store,
    vkey_of,
)

from halo_core.crypto.keys import Ed25519Signer
from halo_core.ledger import format_vkey, make_vkey
from halo_core.ledger.checkpoints import sign_checkpoint

BASES: dict[str, tuple[tuple[int, int], tuple[int, ...]]] = {
    "approvals": ((0, 2**53 - 1), (46,)),
    "handoffs": ((1_767_690_064_500_000, 1_767_690_767_600_000), ()),
}
"""Golden ledger → period of its pack, and positions of entries that it reveals."""


class Case(NamedTuple):
    """A pack, and what a verifier says of it: exit code, and the code of a finding (empty for none)."""

    name: str
    base: str
    exit_code: int
    code: str
    build: Callable[[], bytes]


CASES: list[Case] = []


def good(base: str) -> None:
    CASES.append(Case(f"good_{base}", base, 0, "", lambda: load_base(base)))


def spoiled(code: str, base: str = "approvals", *, exit_code: int = 1, by: str = "log") -> Callable[[Any], Any]:
    """Add a case. `by` says who spoils: `log` signs the manifest again, `all` every entry too, `nobody` nothing."""

    def add(change: Callable[..., Any]) -> Any:
        def build() -> bytes:
            data, signer = load_base(base), load_key(base)
            if by == "bytes":
                return change(data)
            members = read_members(data)
            if by == "all":
                return seal(sign_again(members, signer, change), signer)
            members = change(members)
            return seal(members, signer) if by == "log" else store(members)

        CASES.append(Case(change.__name__, base, exit_code, code, build))
        return change

    return add


good("approvals")
good("handoffs")


def edit_lines(members: Members, folder: str, change: Callable[[list[Any]], Any]) -> Members:
    lines = read_lines(members, folder)
    change(lines)
    return put_lines(members, folder, lines)


def find(lines: list[Any], kind: str, number: int = 0) -> int:
    """Place of an entry of a kind."""
    return [at for at, line in enumerate(lines) if line["entry"]["kind"] == kind][number]


@spoiled("bad_signature")
def a_reason_is_rewritten(members):
    def change(lines):
        lines[find(lines, "decision")]["entry"]["body"]["decision"]["reasons"][0]["code"] = "granted"

    return edit_lines(members, "entries", change)


@spoiled("bad_signature", "handoffs")
def an_entry_from_before_is_rewritten(members):
    def change(lines):
        lines[-1]["entry"]["ts_us"] += 1

    return edit_lines(members, "context", change)


@spoiled("root_mismatch", "handoffs")
def a_subtree_is_another(members):
    def change(lines):
        lines[0]["node"] = base64.b64encode(hashlib.sha256(b"other").digest()).decode()

    return edit_lines(members, "gaps", change)


@spoiled("bad_proof", "handoffs")
def a_subtree_is_missing(members):
    return edit_lines(members, "gaps", lambda lines: lines.pop())


@spoiled("position_missing")
def an_entry_is_removed(members):
    return edit_lines(members, "entries", lambda lines: lines.pop(20))


@spoiled("position_missing")
def an_entry_is_repeated(members):
    return edit_lines(members, "entries", lambda lines: lines.insert(20, lines[20]))


@spoiled("position_missing")
def two_entries_are_swapped(members):
    def change(lines):
        lines[20], lines[21] = lines[21], lines[20]

    return edit_lines(members, "entries", change)


@spoiled("chain_broken")
def two_entries_are_swapped_and_numbered(members):
    def change(lines):
        lines[5], lines[6] = lines[6] | {"index": 5}, lines[5] | {"index": 6}

    return edit_lines(members, "entries", change)


@spoiled("period_cut")
def the_end_is_cut_off(members):
    members = edit_lines(members, "entries", lambda lines: lines.pop())
    return put_tree(members, "pack.json", end=json.loads(members["pack.json"])["end"] - 1)


@spoiled("bad_signature")
def a_signature_is_of_another_entry(members):
    def change(lines):
        lines[5]["signatures"] = lines[6]["signatures"]

    return edit_lines(members, "entries", change)


@spoiled("bad_signature")
def a_certificate_is_missing(members):
    def change(lines):
        lines[0]["signatures"].pop()

    return edit_lines(members, "entries", change)


@spoiled("writer_missing")
def an_entry_belongs_to_another_writer(members):
    def change(lines):
        lines[5]["w"] = lines[-1]["w"]

    return edit_lines(members, "entries", change)


@spoiled("bad_checkpoint")
def a_checkpoint_is_missing(members):
    return edit_lines(members, "checkpoints", lambda lines: lines.pop())


@spoiled("bad_signature")
def a_checkpoint_has_another_root(members):
    def change(lines):
        origin, size, root, *rest = lines[2]["note"].split("\n")
        lines[2]["note"] = "\n".join([origin, size, root[::-1].strip("=") + "=", *rest])

    return edit_lines(members, "checkpoints", change)


@spoiled("content_altered")
def sealed_content_is_altered(members):
    def change(lines):
        data = bytearray(base64.b64decode(lines[3]["sealed"]))
        data[-1] ^= 1
        lines[3]["sealed"] = base64.b64encode(data).decode()

    return edit_lines(members, "sealed", change)


@spoiled("content_missing")
def sealed_content_is_missing(members):
    return edit_lines(members, "sealed", lambda lines: lines.pop(3))


@spoiled("stray_content")
def sealed_content_is_of_no_entry(members):
    return edit_lines(members, "sealed", lambda lines: lines.append(lines[-1] | {"index": 10**6}))


@spoiled("content_altered")
def a_commitment_is_another(members):
    def change(lines):
        lines[0]["commitment"], lines[1]["commitment"] = lines[1]["commitment"], lines[0]["commitment"]

    return edit_lines(members, "subjects", change)


@spoiled("content_altered")
def revealed_content_is_rewritten(members):
    def change(lines):
        lines[0]["fields"]["output"] = "something else"

    return edit_lines(members, "revealed", change)


@spoiled("malformed_entry")
def a_revealing_key_is_another(members):
    def change(lines):
        lines[0]["keys"] = [base64.b64encode(bytes(32)).decode()]

    return edit_lines(members, "revealed", change)


@spoiled("stray_content")
def revealed_content_is_of_no_entry(members):
    return edit_lines(members, "revealed", lambda lines: lines.append(lines[0] | {"index": 10**6}))


@spoiled("part_altered")
def a_policy_is_rewritten(members):
    def change(lines):
        at = next(i for i, line in enumerate(lines) if line["domain"] == "halo/policy/v1")
        lines[at]["text"] = lines[at]["text"].replace("forbid", "permit")

    return edit_lines(members, "parts", change)


@spoiled("part_missing")
def a_passport_is_missing(members):
    def change(lines):
        lines[:] = [line for line in lines if line["domain"] != "halo/passport/v1"]

    return edit_lines(members, "parts", change)


@spoiled("bad_writer_key")
def a_listed_key_is_another(members):
    writers = json.loads(members["keys.json"])["writers"]
    return put_tree(members, "keys.json", writers=writers[1:])


@spoiled("bad_key")
def a_listed_key_is_weak(members):
    point = bytes((1, *bytes(31)))  # of order 1: anything verifies under it
    writers = json.loads(members["keys.json"])["writers"]
    name = f"halo/local/w/{writers[0]['w']}"
    writers[0]["vkey"] = format_vkey(make_vkey(name, point))
    return put_tree(members, "keys.json", writers=writers)


def drop_parts(members: Members, is_dropped: Callable[[dict[str, str]], bool]) -> Members:
    def change(lines):
        lines[:] = [line for line in lines if not is_dropped(line)]

    return edit_lines(members, "parts", change)


@spoiled("part_missing")
def a_registration_is_missing(members):
    return drop_parts(members, lambda line: line["domain"] == "halo/registration/v1")


@spoiled("part_missing")
def a_frame_is_missing(members):
    return drop_parts(members, lambda line: line["text"].startswith('{"agent"'))


@spoiled("part_missing", by="bytes")
def a_passport_that_only_a_frame_names_is_missing(data):
    def change(lines):
        for line in lines:
            if line["entry"]["kind"] == "passport":
                del line["entry"]["body"]["hash"]

    signer = load_key("approvals")
    members = drop_parts(read_members(data), lambda line: line["domain"] == "halo/passport/v1")
    return seal(sign_again(members, signer, change), signer)


@spoiled("position_missing")
def the_last_entry_is_removed(members):
    return edit_lines(members, "entries", lambda lines: lines.pop())


@spoiled("malformed_entry")
def a_line_has_another_member(members):
    return edit_lines(members, "entries", lambda lines: lines[20].update(x=1))


@spoiled("malformed_entry")
def an_entry_has_three_signatures(members):
    return edit_lines(members, "entries", lambda lines: lines[0]["signatures"].append(lines[0]["signatures"][0]))


@spoiled("bad_checkpoint")
def a_checkpoint_has_another_size_in_its_line(members):
    return edit_lines(members, "checkpoints", lambda lines: lines[1].update(size=9))


@spoiled("bad_checkpoint")
def a_checkpoint_covers_more_than_the_pack(members):
    note = sign_checkpoint("local", 10**6, bytes(32), load_key("approvals")).decode()
    return edit_lines(members, "checkpoints", lambda lines: lines.append({"note": note, "size": 10**6}))


@spoiled("bad_checkpoint")
def the_scope_has_another_root(members):
    return put_tree(members, "pack.json", root=base64.b64encode(bytes(32)).decode())


@spoiled("bad_checkpoint", "handoffs")
def a_subtree_is_left_over(members):
    return edit_lines(members, "gaps", lambda lines: lines.append(lines[0]))


@spoiled("malformed_entry", by="all")
def an_entry_has_another_member(lines):
    lines[20]["entry"]["x"] = 1


@spoiled("malformed_entry", by="all")
def the_kind_of_an_entry_is_a_number(lines):
    lines[20]["entry"]["kind"] = 7


@spoiled("unknown_version", by="all")
def an_entry_is_of_a_later_format(lines):
    lines[20]["entry"]["v"] = 4


@spoiled("bad_writer_key", by="all")
def a_writer_opens_with_the_key_of_another_name(lines):
    public = Ed25519Signer(hashlib.sha256(lines[0]["w"].encode()).digest()).public_key
    lines[0]["vkey"] = format_vkey(make_vkey("halo/other/w/1", public))


@spoiled("bad_archive")
def a_name_that_is_signed_leads_out_of_the_folder(members):
    return {**members, "../VERIFY.md": b"x"}


@spoiled("bad_archive")
def the_files_of_a_folder_are_not_numbered_from_0(members):
    return {name.replace("parts/00000", "parts/00001"): data for name, data in members.items()}


@spoiled("bad_archive", by="bytes")
def a_checksum_is_another(data):
    return raw_archive(
        *((name, part, {"crc": 1} if name == "VERIFY.md" else {}) for name, part in read_members(data).items())
    )


@spoiled("not_canonical")
def a_line_has_a_blank(members):
    name = "entries/00000.jsonl"
    return {**members, name: members[name].replace(b'"kind":', b'"kind": ', 1)}


@spoiled("not_canonical")
def a_member_occurs_twice(members):
    name = "entries/00000.jsonl"
    return {**members, name: members[name].replace(b'"v":3,', b'"v":3,"v":3,', 1)}


@spoiled("malformed_entry")
def a_position_begins_with_a_zero(members):
    name = "entries/00000.jsonl"
    return {**members, name: members[name].replace(b',"index":20,', b',"index":020,', 1)}


@spoiled("malformed_entry")
def a_signature_is_not_base64_of_the_standard_alphabet(members):
    def change(lines):
        lines[20]["signatures"][0] = lines[20]["signatures"][0][:-5] + "_" + lines[20]["signatures"][0][-4:]

    return edit_lines(members, "entries", change)


@spoiled("malformed_entry")
def the_members_of_a_line_are_in_another_order(members):
    name = "entries/00000.jsonl"
    lines = members[name].split(b"\n")
    lines[20] = b'{"w":"' + lines[20].rpartition(b'"w":"')[2][:-1] + b"," + lines[20][1:].rpartition(b',"w"')[0] + b"}"
    assert json.loads(lines[20]) == json.loads(members[name].split(b"\n")[20])
    return {**members, name: b"\n".join(lines)}


@spoiled("not_canonical")
def a_line_of_sealed_content_has_a_blank(members):
    name = "sealed/00000.jsonl"
    return {**members, name: members[name].replace(b'{"index":', b'{ "index":', 1)}


@spoiled("malformed_entry")
def sealed_content_has_another_spelling(members):
    def change(lines):
        at = next(i for i, line in enumerate(lines) if line.get("sealed", "").endswith("="))
        text = lines[at]["sealed"]
        last = text.rstrip("=")[-1]  # of its bits the lowest ones mean nothing, and have to be 0
        other = chr(ord(last) + 1)
        lines[at]["sealed"] = text.rstrip("=")[:-1] + other + "=" * text.count("=")
        assert base64.b64decode(lines[at]["sealed"]) == base64.b64decode(text)

    return edit_lines(members, "sealed", change)


@spoiled("unknown_version", exit_code=2)
def the_entries_are_of_a_later_format(members):
    return put_tree(members, "pack.json", format=4)


@spoiled("unknown_version", exit_code=2, by="nobody")
def the_pack_is_of_a_later_version(members):
    return put_tree(members, "MANIFEST.json", v=2)


@spoiled("outcome_unmatched", by="all")
def an_outcome_occurs_twice(lines):
    at = find(lines, "outcome")
    again = copy.deepcopy(lines[at])
    lines.insert(at + 1, again)
    again["entry"].pop("attached", None)


@spoiled("outcome_unmatched", by="all")
def an_outcome_has_no_decision(lines):
    body = lines[find(lines, "outcome")]["entry"]["body"]
    body["decision"] = 0


@spoiled("dispatched_twice", by="all")
def a_request_runs_twice(lines):
    outcome = lines[find(lines, "outcome")]
    at = next(
        i
        for i, line in enumerate(lines)
        if line["w"] == outcome["w"] and line["entry"]["ws"] == outcome["entry"]["body"]["decision"]
    )
    # At the end of another writer, so that no sequence changes that an outcome names.
    last = max(i for i, line in enumerate(lines) if line["w"] != outcome["w"])
    while lines[last]["entry"]["kind"] == "writer_close":
        del lines[last]
        last = max(i for i, line in enumerate(lines) if line["w"] == lines[last - 1]["w"])
    lines.insert(last + 1, copy.deepcopy(lines[at]) | {"w": lines[last]["w"]})


@spoiled("chain_broken", by="all")
def a_writer_goes_on_after_it_closed(lines):
    at = find(lines, "writer_close")
    lines.insert(at + 1, copy.deepcopy(lines[at - 1]) | {"w": lines[at]["w"]})


@spoiled("member_altered", by="nobody")
def a_member_is_rewritten(members):
    return {**members, "VERIFY.md": members["VERIFY.md"].replace(b"PyNaCl", b"nothing")}


@spoiled("bad_manifest", by="nobody")
def a_member_is_rewritten_and_the_manifest_too(members):
    members["VERIFY.md"] = members["VERIFY.md"].replace(b"PyNaCl", b"nothing")
    content = {name: data for name, data in members.items() if name not in SEALS}
    return {**content, SEALS[0]: list_members(content), SEALS[1]: members[SEALS[1]]}


@spoiled("bad_signature", by="nobody")
def the_statement_is_not_signed(members):
    envelope = json.loads(members[SEALS[1]])
    envelope["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
    return {**members, SEALS[1]: dump(envelope) + b"\n"}


@spoiled("other_key", by="bytes")
def somebody_else_signed_everything(data):
    other = Ed25519Signer(hashlib.sha256(b"somebody else").digest())
    members = sign_again(put_tree(read_members(data), "pack.json", key=vkey_of(other)), other, lambda _: None)
    return seal(members, other)


@spoiled("bad_archive", by="nobody")
def a_member_is_added(members):
    return {"extra.txt": b"beside", **members}


@spoiled("bad_archive", by="nobody")
def a_member_is_left_out(members):
    return {name: data for name, data in members.items() if name != "VERIFY.md"}


@spoiled("bad_archive", by="nobody")
def members_are_in_another_order(members):
    return dict(reversed(members.items()))


@spoiled("bad_archive", by="bytes")
def a_name_leads_out_of_the_folder(data):
    return raw_archive(
        ("../../etc/cron.d/halo", b"x", {}), *((name, part, {}) for name, part in read_members(data).items())
    )


@spoiled("bad_archive", by="bytes")
def a_name_occurs_twice(data):
    return raw_archive(*((name, part, {}) for name, part in [*read_members(data).items(), ("VERIFY.md", b"another")]))


@spoiled("bad_archive", by="bytes")
def a_member_is_a_link(data):
    members = read_members(data)
    return raw_archive(
        *((name, part, {"mode": 0o120777} if name == "VERIFY.md" else {}) for name, part in members.items())
    )


@spoiled("bad_archive", by="bytes")
def a_member_is_compressed_a_thousandfold(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(64 << 20)) + packer.flush()
    more = {"method": 8, "size": 64 << 20, "crc": zlib.crc32(bytes(64 << 20))}
    return raw_archive(*((name, part, {}) for name, part in read_members(data).items()), ("bomb.bin", bomb, more))


@spoiled("bad_archive", by="nobody")
def the_manifest_is_enormous(members):
    return {**members, SEALS[0]: b"[" + b"0," * (9 << 20) + b"0]\n"}


@spoiled("bad_archive", by="bytes")
def a_comment_follows_the_archive(data):
    return data[:-2] + b"\x04\x00" + b"text"


@spoiled("bad_archive", by="bytes")
def something_precedes_the_archive(data):
    return b"#!/bin/sh\n" + data


@spoiled("bad_archive", by="bytes")
def the_file_is_cut_off(data):
    return data[: len(data) // 2]


@spoiled("bad_pack", by="bytes")
def the_file_is_empty(_data):
    return b""


@spoiled("period_cut", "handoffs")
def the_period_is_cut_at_its_end(members):
    scope = json.loads(members["pack.json"])
    last = read_lines(members, "entries")[-1]["entry"]["ts_us"]
    return put_tree(members, "pack.json", period=scope["period"] | {"to_us": last + 1})


@spoiled("member_missing", by="bytes")
def the_file_is_an_empty_archive(_data):
    return raw_archive()
