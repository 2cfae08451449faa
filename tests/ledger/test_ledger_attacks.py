"""Every column of every row altered, every row deleted, and the classic attacks on a log: 11 or 13, and where."""

from __future__ import annotations

import pytest
from ledger_world import COLUMNS, Impostor, World, build, key, log_key, resign

from halo_core.ledger.checkpoints import sign_checkpoint
from halo_core.ledger.notes import format_vkey, log_origin, make_vkey, sign_note, writer_name
from halo_core.ledger.reader import Stream
from halo_core.ledger.tree import CompactRange, leaf_hash
from halo_core.ledger.verify import verify
from halo_core.model.ledger_entry import EntryKind

BASE = build()


def check(world: World, **options: bool):
    return verify(world, world.trust(), **options)


def wheres(report) -> list[str]:
    return [finding.where for finding in report.findings]


def codes(report) -> set[str]:
    return {finding.code for finding in report.findings}


def altered(value):
    """The smallest change of each kind of value."""
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"
    return value + 1


COVERED = [("entry", name) for name in COLUMNS["entry"]]
COVERED += [(table, name) for table in ("position", "checkpoint", "content") for name in COLUMNS[table]]


@pytest.mark.parametrize(("table", "column"), COVERED)
def test_any_altered_column_is_tampering_and_named(table: str, column: str):
    for i in range(len(BASE.tables[table])):
        world = BASE.copy()
        row = world.tables[table][i]
        row[column] = altered(row[column])
        report = check(world)
        assert report.exit_code == 11, (i, row)
        named = [w for w in wheres(report) if w.startswith(table)]
        assert any(column in w for w in named) or (table == "position" and named), (i, wheres(report))


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("vault", "dek_wrapped"),
        ("session", "session"),
        ("session", "tenant"),
        ("session", "head_w"),
        ("dispatch", "request_id"),
        ("dispatch", "w"),
        ("dispatch", "tenant"),
        ("writer", "w"),
        ("writer", "tenant"),
        ("writer", "vkey"),
        ("blob", "hash"),
        ("blob", "bytes"),
    ],
)
def test_altered_projections_are_tampering(table: str, column: str):
    for i in range(len(BASE.tables[table])):
        world = BASE.copy()
        row = world.tables[table][i]
        row[column] = altered(row[column])
        report = check(world)
        assert report.exit_code == 11, (i, row)
        assert any(w.startswith(table) for w in wheres(report))


def test_every_byte_class_of_a_note_is_tampering():
    for name, ws in (("3f2a", 0), ("3f2a", 3), ("3f2a", 12)):
        size = len(BASE.find("entry", tenant="local", w=name, ws=ws)["body"])
        for at in [*range(0, size, 11), *range(size - 100, size)]:
            world = BASE.copy()
            row = world.find("entry", tenant="local", w=name, ws=ws)
            row["body"] = row["body"][:at] + bytes([row["body"][at] ^ 0x04]) + row["body"][at + 1 :]
            assert check(world).exit_code == 11, at
            row["leaf"] = leaf_hash(row["body"])
            assert check(world).exit_code == 11, at


@pytest.mark.parametrize("table", ["checkpoint", "content"])
def test_every_byte_of_a_row_is_covered(table: str):
    for column in COLUMNS[table]:
        if not isinstance(BASE.tables[table][1][column], bytes):
            continue
        for at in range(0, len(BASE.tables[table][1][column]), 3):
            world = BASE.copy()
            row = world.tables[table][1]
            row[column] = row[column][:at] + bytes([row[column][at] ^ 0x80]) + row[column][at + 1 :]
            assert check(world).exit_code == 11, (column, at)


@pytest.mark.parametrize("table", list(COLUMNS))
def test_wrong_types_are_tampering(table: str):
    for column in COLUMNS[table]:
        if (table, column) in {("vault", "tenant"), ("vault", "subject"), ("vault", "erased_at_us")}:
            continue
        world = BASE.copy()
        row = world.tables[table][-1]
        value = row[column]
        if isinstance(value, bytes):
            # A key column must stay sortable for the reader of these tests.
            row[column] = None if column != "commitment" else b""
        elif column in {"kind", "session", "vkey", "request_id"} and table != "session":
            row[column] = 5
        else:
            continue
        assert check(world).exit_code == 11, column


def test_position_moved_far_away_is_tampering():
    world = BASE.copy()
    world.find("position", tenant="local", idx=5)["idx"] = 1000
    report = check(world)
    assert report.exit_code == 11
    assert "position local/1000 column idx" in wheres(report)


def test_deleted_entry_is_a_gap_named_by_its_position_and_chain():
    for i, row in enumerate(BASE.tables["entry"]):
        world = BASE.copy()
        world.delete("entry", world.tables["entry"][i])
        report = check(world)
        name = f"entry {row['tenant']}/{row['w']}/{row['ws']}"
        assert report.exit_code == 13, (i, report.findings)
        assert any(name in f.where or name in f.what for f in report.findings), name


def test_deleted_entry_and_position_is_a_gap():
    for i in range(len(BASE.tables["entry"])):
        world = BASE.copy()
        world.delete("entry", world.tables["entry"][i])
        world.delete("position", world.tables["position"][i])
        report = check(world)
        # The newest entry of a writer is known only by what still names it: here a session head or the writer's row.
        assert report.exit_code == 13, (i, report.findings)


@pytest.mark.parametrize("table", ["position", "content", "dispatch", "writer", "vault"])
def test_deleted_row_is_a_gap(table: str):
    for i in range(len(BASE.tables[table])):
        world = BASE.copy()
        world.delete(table, world.tables[table][i])
        report = check(world)
        assert report.exit_code == 13, (i, report.findings)


def test_deleted_checkpoint_that_the_anchor_remembers_is_a_gap():
    world = BASE.copy()
    world.delete("checkpoint", world.find("checkpoint", tenant="local", size=24))
    report = check(world)
    assert (report.exit_code, codes(report)) == (13, {"checkpoint_missing"})


def test_deletion_does_not_hide_tampering_behind_it():
    world = BASE.copy()
    world.delete("entry", world.find("entry", tenant="local", w="3f2a", ws=2))
    resign(world, world.find("entry", tenant="local", w="b77e", ws=9), key("mallory"))
    report = check(world)
    assert report.exit_code == 11
    assert any(w.startswith("entry local/b77e/9") for w in wheres(report))


def test_tail_cut_behind_the_checkpoint_is_a_gap():
    world = cut(BASE.copy(), "acme", 10)
    report = check(world)
    assert report.exit_code == 13
    assert "entry_missing" in codes(report)


def test_tail_cut_below_the_checkpoint_is_a_gap_seen_by_checkpoint_and_anchor():
    world = cut(BASE.copy(), "acme", 5)
    report = check(world)
    assert report.exit_code == 13
    assert {"tree_cut", "ledger_behind_anchor"} <= codes(report)


def cut(world: World, tenant: str, size: int) -> World:
    gone = {(r["w"], r["ws"]) for r in world.tables["position"] if r["tenant"] == tenant and r["idx"] >= size}
    for table in ("entry", "position"):
        world.tables[table] = [r for r in world.tables[table] if r["tenant"] != tenant or (r["w"], r["ws"]) not in gone]
    return world


def test_the_very_last_entry_leaves_no_trace_when_all_that_names_it_goes():
    world = BASE.copy()
    world.delete("entry", world.find("entry", tenant="acme", w="c001", ws=12))
    world.delete("position", world.find("position", tenant="acme", w="c001", ws=12))
    assert check(world).exit_code == 13
    world.find("session", tenant="acme", head_ws=12)["head_ws"] = 11
    assert check(world).exit_code == 0


def test_closed_writer_whose_closing_entry_is_gone_is_a_gap_and_the_reverse_is_tampering():
    world = BASE.copy()
    world.delete("entry", world.find("entry", tenant="local", w="b77e", ws=13))
    world.delete("position", world.find("position", tenant="local", w="b77e", ws=13))
    assert "writer local/b77e" in wheres(check(world))
    world = BASE.copy()
    world.find("writer", w="b77e")["closed_us"] = None
    assert "writer local/b77e column closed_us" in wheres(check(world))


def test_rollback_to_an_earlier_copy_is_a_gap():
    for rounds in (1, 2, 3):
        world = build(rounds=rounds)
        world.anchors = dict(BASE.anchors)
        report = check(world)
        assert report.exit_code == 13
        assert "ledger_behind_anchor" in codes(report)


def test_empty_database_with_an_anchor_is_a_gap():
    world = World()
    world.anchors = dict(BASE.anchors)
    report = check(world)
    assert report.exit_code == 13
    assert "anchor local" in wheres(report)


def test_fork_from_the_anchor_is_tampering():
    world = BASE.copy()
    tree = CompactRange()
    tree.extend([leaf_hash(bytes([i])) for i in range(24)])
    world.anchors["local"] = sign_checkpoint("local", 24, tree.root(), log_key("local"))
    report = check(world)
    assert report.exit_code == 11
    assert "anchor local" in wheres(report)


def test_anchor_signed_by_another_key_is_tampering():
    world = BASE.copy()
    world.anchors["local"] = sign_checkpoint("local", 1, bytes(32), key("mallory"))
    assert "bad_signature" in codes(check(world))


def test_swapped_positions_under_a_checkpoint_are_tampering():
    world = BASE.copy()
    one, two = world.find("position", tenant="local", idx=3), world.find("position", tenant="local", idx=9)
    one["idx"], two["idx"] = 9, 3
    report = check(world)
    assert report.exit_code == 11
    assert "checkpoint local/8" in wheres(report)


def test_swapped_positions_of_one_writer_behind_the_checkpoint_are_tampering():
    world = BASE.copy()
    one, two = world.find("position", tenant="acme", idx=9), world.find("position", tenant="acme", idx=10)
    one["idx"], two["idx"] = 10, 9
    report = check(world)
    assert (report.exit_code, codes(report)) == (11, {"position_order"})


def test_swapped_bodies_are_tampering():
    world = BASE.copy()
    one, two = (world.find("entry", tenant="acme", w="c001", ws=ws) for ws in (9, 10))
    for column in ("leaf", "body"):
        one[column], two[column] = two[column], one[column]
    assert check(world).exit_code == 11


def test_swapped_tenants_are_tampering():
    world = BASE.copy()
    other = {"acme": "local", "local": "acme"}
    for rows in world.tables.values():
        for row in rows:
            row["tenant"] = other[row["tenant"]]
    report = check(world)
    assert report.exit_code == 11
    assert any("column tenant" in w for w in wheres(report))


@pytest.mark.parametrize("ws", [3, 12])
def test_resigned_by_another_key_is_tampering(ws: int):
    world = BASE.copy()
    resign(world, world.find("entry", tenant="local", w="3f2a", ws=ws), key("mallory"))
    assert check(world).exit_code == 11


def test_forged_last_entry_is_caught_by_its_signature_alone():
    world = BASE.copy()
    row = world.find("entry", tenant="acme", w="c001", ws=12)
    resign(world, row, key("mallory"), (b"done", b"dune"))
    report = check(world)
    assert [(f.check, f.where, f.code) for f in report.findings] == [
        (7, "entry acme/c001/12 column body", "bad_signature")
    ]
    assert report.findings[0].entry.startswith("00000000-")


@pytest.mark.parametrize("ws", [0, 3, 12])
def test_stripped_signature_is_tampering(ws: int):
    world = BASE.copy()
    row = world.find("entry", tenant="local", w="3f2a", ws=ws)
    row["body"] = row["body"].partition(b"\n\n")[0] + b"\n\n"
    row["leaf"] = leaf_hash(row["body"])
    assert check(world).exit_code == 11


def test_added_signature_behind_the_checkpoint_is_tampering():
    world = BASE.copy()
    row = world.find("entry", tenant="acme", w="c001", ws=12)
    text = row["body"].partition(b"\n\n")[0] + b"\n"
    extra = sign_note(text, [("other", key("mallory"))]).partition(b"\n\n")[2]
    row["body"] += extra
    row["leaf"] = leaf_hash(row["body"])
    assert "bad_signature" in codes(check(world))


def test_writer_that_the_log_did_not_certify_is_tampering():
    world = BASE.copy()
    vkey = format_vkey(make_vkey(writer_name("acme", "evil"), key("acme evil").public_key))
    world.put("writer", "acme", "evil", vkey, None)
    # Signed by itself twice, never by the log.
    entry = world.append("acme", "evil", EntryKind.WRITER_OPEN, vkey=vkey)
    row = world.find("entry", tenant="acme", w="evil", ws=entry.seq)
    text = row["body"].partition(b"\n\n")[0] + b"\n"
    row["body"] = sign_note(
        text, [(writer_name("acme", "evil"), key("acme evil")), (log_origin("acme"), key("acme evil"))]
    )
    row["leaf"] = leaf_hash(row["body"])
    report = check(world)
    assert report.exit_code == 11
    assert "entry acme/evil/0 column body" in wheres(report)


def test_writer_without_opening_entry_is_tampering():
    world = BASE.copy()
    world.put("writer", "acme", "evil", "", None)
    world.append("acme", "evil", EntryKind.MODE, mode="observe")
    report = check(world)
    assert report.exit_code == 11
    assert "chain_broken" in codes(report)


def test_entry_after_writer_close_is_tampering():
    world = BASE.copy()
    world.append("local", "b77e", EntryKind.MODE, mode="observe")
    assert "chain_broken" in codes(check(world))


def test_history_rewritten_with_another_log_key_is_tampering():
    world = build()
    for row in world.tables["checkpoint"]:
        row["note"] = sign_checkpoint(row["tenant"], row["size"], row["root"], key("mallory"))
    world.anchors.clear()
    report = check(world)
    assert report.exit_code == 11
    assert "bad_signature" in codes(report)


def test_checkpoint_of_another_tenant_is_tampering():
    world = BASE.copy()
    row = dict(world.find("checkpoint", tenant="local", size=8), tenant="acme")
    world.tables["checkpoint"] = [r for r in world.tables["checkpoint"] if (r["tenant"], r["size"]) != ("acme", 8)]
    world.tables["checkpoint"].append(row)
    assert check(world).exit_code == 11


@pytest.mark.parametrize("table", ["position", "content", "dispatch", "session"])
def test_stray_row_is_tampering(table: str):
    world = BASE.copy()
    row = dict(world.tables[table][0])
    strange = {
        "position": {"idx": 27},
        "content": {"commitment": bytes(32)},
        "dispatch": {"request_id": "again"},
        "session": {"session": "other"},
    }
    row.update(strange[table])
    world.tables[table].append(row)
    report = check(world)
    assert report.exit_code == 11
    assert any(w.startswith(table) for w in wheres(report))


def test_copied_entry_under_another_key_is_tampering():
    world = BASE.copy()
    row = dict(world.find("entry", tenant="local", w="3f2a", ws=12), ws=13)
    world.tables["entry"].append(row)
    world.put("position", "local", 27, "3f2a", 13)
    report = check(world)
    assert report.exit_code == 11
    assert "entry local/3f2a/13 column ws" in wheres(report)
    # A row under a foreign key is not taken for a link of that chain.
    assert codes(report) == {"column_altered"}


def test_content_moved_to_another_subject_is_tampering_without_key():
    world = BASE.copy()
    world.kek = None
    world.tables["content"][0]["subject"] = "subject-2"
    world.tables["content"][3]["subject"] = "subject-1"
    report = check(world)
    assert report.exit_code == 11
    assert all(f.code == "content_altered" for f in report.findings)


@pytest.mark.parametrize("with_key", [True, False])
def test_content_of_a_deleted_entry_is_part_of_the_gap_but_a_renamed_row_is_not(*, with_key: bool):
    world = BASE.copy()
    world.kek = world.kek if with_key else None
    world.delete("entry", world.find("entry", tenant="local", w="3f2a", ws=3))
    assert check(world).exit_code == 13
    world.tables["content"][0]["commitment"] = bytes(32)
    assert "content_stray" in codes(check(world))


def test_content_alone_betrays_a_cut_tail():
    world = build(rounds=1)
    for table in ("entry", "position"):
        world.tables[table] = [
            r for r in world.tables[table] if (r["tenant"] == "acme" and r["ws"] < 1) or r["tenant"] == "local"
        ]
    for table in ("session", "dispatch"):
        world.tables[table] = [r for r in world.tables[table] if r["tenant"] == "local"]
    report = check(world)
    assert [(f.kind, f.check, f.code) for f in report.findings] == [("gap", 8, "entry_missing")]
    world.kek = None
    assert check(world).exit_code == 11


def test_erasure_that_kept_the_key_and_key_lost_without_erasure_are_tampering():
    world = BASE.copy()
    world.tables["vault"][0]["erased_at_us"] = 1
    assert check(world).exit_code == 11
    world = BASE.copy()
    world.tables["vault"][0]["dek_wrapped"] = b""
    assert check(world).exit_code == 11


def test_swapped_content_is_tampering():
    world = BASE.copy()
    one, two = world.tables["content"][0], world.tables["content"][2]
    for column in ("subject", "nonce", "ciphertext"):
        one[column], two[column] = two[column], one[column]
    assert check(world).exit_code == 11


def forged(label: str) -> Impostor:
    return Impostor(key(label), key("mallory"))


def test_forged_signature_under_the_right_key_hash_is_tampering():
    world = BASE.copy()
    resign(world, world.find("entry", tenant="acme", w="c001", ws=12), forged("acme c001"), (b"done", b"dune"))
    report = check(world)
    assert [(f.check, f.code) for f in report.findings] == [(7, "bad_signature")]
    world = BASE.copy()
    resign(world, world.find("entry", tenant="acme", w="c001", ws=3), forged("acme c001"))
    assert {f.check for f in check(world, signatures=True).findings} == {3, 5, 7}


def test_forged_certificate_under_the_right_key_hash_is_tampering():
    world = BASE.copy()
    row = world.find("entry", tenant="acme", w="c001", ws=0)
    text = row["body"].partition(b"\n\n")[0] + b"\n"
    log = Impostor(log_key("acme"), key("mallory"))
    row["body"] = sign_note(text, [(writer_name("acme", "c001"), key("acme c001")), (log_origin("acme"), log)])
    row["leaf"] = leaf_hash(row["body"])
    assert any(f.check == 7 and f.where == "entry acme/c001/0 column body" for f in check(world).findings)


def test_opening_entry_that_names_the_key_of_another_writer_is_tampering():
    world = BASE.copy()
    vkey = format_vkey(make_vkey(writer_name("acme", "c001"), key("acme new").public_key))
    world.put("writer", "acme", "new", vkey, None)
    world.append("acme", "new", EntryKind.WRITER_OPEN, vkey=vkey)
    assert "bad_writer_key" in codes(check(world))


def test_broken_link_signed_by_the_writer_itself_is_tampering():
    world = BASE.copy()
    row = world.find("entry", tenant="acme", w="c001", ws=12)
    prev = row["body"].partition(b'"prev":"')[2][:44]
    resign(world, row, key("acme c001"), (prev, b"A" * 43 + b"="))
    report = check(world)
    assert [(f.where, f.code) for f in report.findings] == [("entry acme/c001/12", "chain_broken")]


def test_noncanonical_note_signed_by_the_writer_itself_is_tampering():
    for change in ((b'{"assurance"', b'{ "assurance"'), (b'"ws":12', b'"ws":1.2e1'), (b'"v":1', b'"v":1,"v":1')):
        world = BASE.copy()
        row = world.find("entry", tenant="acme", w="c001", ws=12)
        resign(world, row, key("acme c001"), change)
        assert "malformed_entry" in codes(check(world)), change


def test_entry_of_an_unknown_version_is_not_passed_over():
    world = BASE.copy()
    resign(world, world.find("entry", tenant="acme", w="c001", ws=12), key("acme c001"), (b'"v":1', b'"v":2'))
    report = check(world)
    assert (report.exit_code, codes(report)) == (13, {"unknown_version"})


def test_without_its_opening_entry_a_writer_is_still_held_to_the_key_of_its_row():
    world = BASE.copy()
    world.delete("entry", world.find("entry", tenant="acme", w="c001", ws=0))
    assert check(world).exit_code == 13
    resign(world, world.find("entry", tenant="acme", w="c001", ws=12), forged("acme c001"), (b"done", b"dune"))
    assert check(world).exit_code == 11


def test_altered_leaf_of_an_entry_without_position_is_tampering():
    world = BASE.copy()
    world.delete("position", world.find("position", tenant="acme", w="c001", ws=12))
    world.find("entry", tenant="acme", w="c001", ws=12)["leaf"] = bytes(32)
    assert "entry acme/c001/12 column leaf" in wheres(check(world))


@pytest.mark.parametrize("table", ["position", "dispatch", "session"])
def test_doubled_row_is_tampering(table: str):
    world = BASE.copy()
    row = world.tables[table][-1]
    world.tables[table].append(dict(row))
    report = check(world)
    if table == "session":
        # The same row twice says nothing new.
        assert report.exit_code == 0
    else:
        assert report.exit_code == 11


def test_taken_position_is_named():
    world = BASE.copy()
    world.find("position", tenant="acme", idx=11)["idx"] = 12
    assert "position acme/12 column idx" in wheres(check(world))


@pytest.mark.parametrize(
    "stream",
    [
        Stream.ENTRIES,
        Stream.POSITIONS,
        Stream.CONTENTS,
        Stream.CHECKPOINTS,
        Stream.SESSION_HEADS,
        Stream.DISPATCHES,
    ],
)
def test_rows_out_of_order_are_tampering(stream: Stream):
    world = BASE.copy()
    whole = world.rows
    rows = list(whole(stream))
    assert rows[1][:3] < rows[2][:3]
    rows[1], rows[2] = rows[2], rows[1]
    world.rows = lambda wanted: iter(rows) if wanted is stream else whole(wanted)
    assert "row_malformed" in codes(check(world))


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, c in COVERED if isinstance(BASE.tables[t][0][c], str)])
@pytest.mark.parametrize("byte", [chr(0xDC80), chr(0xD800), "\0", "\n"])
def test_text_that_is_no_text_is_tampering(table: str, column: str, byte: str):
    # A reader that decodes with surrogateescape hands such values on.
    world = BASE.copy()
    row = world.tables[table][0]
    row[column] = row[column][:-1] + byte
    assert check(world).exit_code == 11


def test_subject_that_is_no_text_in_vault_and_content_is_tampering():
    world = BASE.copy()
    old = world.tables["content"][0]["subject"]
    for table in ("vault", "content"):
        for row in world.tables[table]:
            row["subject"] = row["subject"].replace(old, "\udcff")
    world.tables["content"][0]["commitment"] = bytes(32)
    report = check(world)
    assert {"content_altered", "content_stray", "bad_wrapped_key"} <= codes(report)
