"""Every column of every row altered, every row deleted, and the classic attacks on a log: 11 or 13, and where."""

from __future__ import annotations

import pytest
from ledger_world import COLUMNS, KEK, Impostor, World, build, key, log_key, pseudo, resign, sign_stored

from counts import is_thorough
from halo_core.ledger.checkpoints import sign_checkpoint
from halo_core.ledger.notes import format_vkey, log_origin, make_vkey, writer_name
from halo_core.ledger.reader import Stream
from halo_core.ledger.sealed_content import compute_key_commitment, seal, wrap_dek
from halo_core.ledger.tree import CompactRange, leaf_hash
from halo_core.ledger.verify import verify
from halo_core.model.ledger_entry import EntryKind, make_outcome_key

BASE = build()


def check(world: World, **options: bool):
    return verify(world, world.trust(), **options)


def wheres(report) -> list[str]:
    return [finding.where for finding in report.findings]


def codes(report) -> set[str]:
    return {finding.code for finding in report.findings}


def altered(value):
    """The smallest change of each kind of value."""
    if value is None:
        return b"x"  # the columns that allow it hold bytes
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"
    return value + 1


# Of rows and of bytes every third by default: which of three differs from column to column and from row to row.
_STEP = 1 if is_thorough() else 3
COVERED = [("entry", name) for name in COLUMNS["entry"]]
COVERED += [("checkpoint", name) for name in COLUMNS["checkpoint"]]


@pytest.mark.share(2)
@pytest.mark.parametrize(("table", "column"), COVERED)
def test_any_altered_column_is_tampering_and_named(table: str, column: str):
    for i in range(len(column) % _STEP, len(BASE.tables[table]), _STEP):
        world = BASE.copy()
        row = world.tables[table][i]
        row[column] = altered(row[column])
        report = check(world)
        assert report.exit_code == 11, (i, row)
        named = [w for w in wheres(report) if w.startswith(table)]
        places = [w for w in wheres(report) if w.startswith("position")]
        assert any(column in w for w in (places if column == "idx" else named)), (i, wheres(report))


@pytest.mark.share(2)
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("vault", "tenant"),
        ("vault", "subject"),
        ("vault", "dek_wrapped"),
        ("vault", "commitment"),
        ("session", "session"),
        ("session", "tenant"),
        ("session", "head_w"),
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
        assert any(w.startswith(table) or f" {table} " in w for w in wheres(report))


@pytest.mark.parametrize("ws", [0, 3, 12])
def test_every_byte_class_of_an_entry_is_tampering(ws: int):
    name = f"entry local/3f2a/{ws}"
    for column, step in (("body", 11 * _STEP), ("signatures", _STEP)):
        for at in range(ws % _STEP, len(BASE.find("entry", tenant="local", w="3f2a", ws=ws)[column]), step):
            world = BASE.copy()
            row = world.find("entry", tenant="local", w="3f2a", ws=ws)
            row[column] = row[column][:at] + bytes([row[column][at] ^ 0x04]) + row[column][at + 1 :]
            report = check(world)
            assert report.exit_code == 11, (column, at)
            assert any(w.startswith(f"{name} ") for w in wheres(report)), (column, at, wheres(report))


# What nobody can read the subject from any more may as well be of a subject whose key row is missing: a gap.
@pytest.mark.share(2)
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("checkpoint", "root"),
        ("checkpoint", "note"),
        ("checkpoint", "frontier"),
        ("entry", "once"),
        ("entry", "sealed"),
        ("entry", "marks"),
        ("vault", "dek_wrapped"),
        ("vault", "commitment"),
    ],
)
def test_every_byte_of_a_row_is_covered(table: str, column: str):
    at_row = next(i for i, row in enumerate(BASE.tables[table]) if i and row[column] is not None)
    for at in range(at_row % _STEP, len(BASE.tables[table][at_row][column]), _STEP):
        world = BASE.copy()
        row = world.tables[table][at_row]
        row[column] = row[column][:at] + bytes([row[column][at] ^ 0x40]) + row[column][at + 1 :]
        report = check(world)
        assert report.exit_code == 11 or (column == "sealed" and at < 12 and report.exit_code == 13), (column, at)
        assert table == "checkpoint" or any(column in w for w in wheres(report)), (at, wheres(report))


@pytest.mark.parametrize("table", list(COLUMNS))
def test_wrong_types_are_tampering(table: str):
    for column in COLUMNS[table]:
        if (table, column) in {("vault", "tenant"), ("vault", "subject"), ("vault", "erased_at_us")}:
            continue
        if (table, column) in {("entry", "sealed"), ("entry", "marks"), ("entry", "idx")}:
            continue  # the test below
        world = BASE.copy()
        row = world.tables[table][-1]
        value = row[column]
        if isinstance(value, bytes):
            row[column] = None
        elif column in {"kind", "session", "vkey"} and table != "session":
            row[column] = 5
        else:
            continue
        assert check(world).exit_code == 11, column


@pytest.mark.share(2)
@pytest.mark.parametrize("column", ["once", "mark", "sealed", "marks"])
@pytest.mark.parametrize("value", ["text", 7, 1.5])
def test_wrong_types_beside_an_entry_are_tampering(column: str, value: object):
    for i, old in enumerate(BASE.tables["entry"]):
        world = BASE.copy()
        world.tables["entry"][i][column] = value
        report = check(world)
        assert report.exit_code == 11, i
        name = f"entry {old['tenant']}/{old['w']}/{old['ws']} column"
        assert any(w.startswith(name) and column in w for w in wheres(report)), wheres(report)


@pytest.mark.parametrize("value", [None, -1, 1.5, "5"])
def test_a_position_that_is_none_is_tampering(value: object):
    world = BASE.copy()
    row = world.find("entry", tenant="local", idx=5)
    row["idx"] = value
    # In the order of SQLite: NULL, numbers, text.
    rank = {type(None): 0, int: 1, float: 1, str: 2}
    order = sorted(
        world.tables["entry"],
        key=lambda r: (r["tenant"], rank[type(r["idx"])], r["idx"] if r["idx"] is not None else 0),
    )
    names = ("tenant", "idx", "w", "ws", "body", "signatures")
    world.rows_by_position = lambda: (tuple(r[name] for name in names) for r in order)
    report = check(world)
    assert report.exit_code == 11
    assert f"position local/{value} column idx" in wheres(report)


def test_position_moved_far_away_is_tampering():
    world = BASE.copy()
    world.find("entry", tenant="local", idx=5)["idx"] = 1000
    report = check(world)
    assert report.exit_code == 11
    assert "position local/1000 column idx" in wheres(report)


def test_deleted_entry_is_a_gap_named_by_its_chain():
    for i, row in enumerate(BASE.tables["entry"]):
        world = BASE.copy()
        world.delete("entry", world.tables["entry"][i])
        report = check(world)
        # The newest entry of a writer is known only by what still names it: here a session head or the writer's row.
        closing = row["kind"] == "writer_close"
        name = f"writer {row['tenant']}/{row['w']}" if closing else f"entry {row['tenant']}/{row['w']}/{row['ws']}"
        assert report.exit_code == 13, (i, report.findings)
        assert any(name in f.where or name in f.what for f in report.findings), name


@pytest.mark.parametrize("table", ["writer", "vault"])
def test_deleted_row_is_a_gap(table: str):
    for i in range(len(BASE.tables[table])):
        world = BASE.copy()
        world.delete(table, world.tables[table][i])
        report = check(world)
        assert report.exit_code == 13, (i, report.findings)


def test_content_that_was_taken_away_is_a_gap():
    for i, row in enumerate(BASE.tables["entry"]):
        if row["sealed"] is None:
            continue
        world = BASE.copy()
        world.tables["entry"][i]["sealed"] = None
        report = check(world)
        assert (report.exit_code, codes(report)) == (13, {"content_missing"}), (i, report.findings)
        assert wheres(report) == [f"entry {row['tenant']}/{row['w']}/{row['ws']} column sealed"]


def test_marks_that_were_taken_away_or_added_are_tampering():
    for i, row in enumerate(BASE.tables["entry"]):
        world = BASE.copy()
        for marks in (b"more", b"") if row["marks"] is None else (None, b""):
            world.tables["entry"][i]["marks"] = marks
            report = check(world)
            assert (report.exit_code, codes(report)) == (11, {"content_altered"}), (i, marks, report.findings)


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
    world.tables["entry"] = [r for r in world.tables["entry"] if r["tenant"] != tenant or r["idx"] < size]
    return world


def test_the_very_last_entry_leaves_no_trace_when_all_that_names_it_goes():
    world = BASE.copy()
    world.delete("entry", world.find("entry", tenant="acme", w="c001", ws=12))
    assert check(world).exit_code == 13
    world.find("session", tenant="acme", head_ws=12)["head_ws"] = 11
    assert check(world).exit_code == 0


def test_closed_writer_whose_closing_entry_is_gone_is_a_gap_and_the_reverse_is_tampering():
    world = BASE.copy()
    world.delete("entry", world.find("entry", tenant="local", w="b77e", ws=13))
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
    one, two = world.find("entry", tenant="local", idx=3), world.find("entry", tenant="local", idx=9)
    one["idx"], two["idx"] = 9, 3
    report = check(world)
    assert report.exit_code == 11
    assert "checkpoint local/8" in wheres(report)


def test_swapped_positions_of_one_writer_behind_the_checkpoint_are_tampering():
    world = BASE.copy()
    one, two = world.find("entry", tenant="acme", idx=9), world.find("entry", tenant="acme", idx=10)
    one["idx"], two["idx"] = 10, 9
    report = check(world)
    assert (report.exit_code, codes(report)) == (11, {"position_order"})


def test_swapped_bodies_are_tampering():
    world = BASE.copy()
    one, two = (world.find("entry", tenant="acme", w="c001", ws=ws) for ws in (9, 10))
    for column in ("body", "signatures"):
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
    assert any(w.startswith("entry") and "columns tenant" in w for w in wheres(report))


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
        (7, "entry acme/c001/12 columns tenant, w, body, signatures", "bad_signature")
    ]
    assert report.findings[0].entry == "c001-12"


@pytest.mark.parametrize("ws", [0, 3, 12])
@pytest.mark.parametrize("kept", [0, 4, 67])
def test_stripped_signature_is_tampering(ws: int, kept: int):
    world = BASE.copy()
    row = world.find("entry", tenant="local", w="3f2a", ws=ws)
    row["signatures"] = row["signatures"][:kept]
    report = check(world)
    assert report.exit_code == 11
    assert any(w.startswith(f"entry local/3f2a/{ws} ") for w in wheres(report))


def test_stripped_certificate_is_tampering():
    world = BASE.copy()
    row = world.find("entry", tenant="local", w="3f2a", ws=0)
    row["signatures"] = row["signatures"][:68]
    report = check(world)
    assert any(f.check == 7 and f.where.startswith("entry local/3f2a/0 ") for f in report.findings)


@pytest.mark.parametrize("count", [1, 2])
def test_added_signature_behind_the_checkpoint_is_tampering(count: int):
    world = BASE.copy()
    row = world.find("entry", tenant="acme", w="c001", ws=12)
    row["signatures"] += sign_stored(row["body"], (log_origin("acme"), key("mallory"))) * count
    report = check(world)
    assert report.exit_code == 11
    assert {1: "bad_signature", 2: "malformed_note"}[count] in codes(report)


def test_writer_that_the_log_did_not_certify_is_tampering():
    world = BASE.copy()
    vkey = format_vkey(make_vkey(writer_name("acme", "evil"), key("acme evil").public_key))
    world.put("writer", "acme", "evil", vkey, 0, None)
    # Signed by itself twice, never by the log.
    entry = world.append("acme", "evil", EntryKind.WRITER_OPEN, vkey=vkey)
    row = world.find("entry", tenant="acme", w="evil", ws=entry.seq)
    row["signatures"] = sign_stored(
        row["body"], (writer_name("acme", "evil"), key("acme evil")), (log_origin("acme"), key("acme evil"))
    )
    report = check(world)
    assert report.exit_code == 11
    assert "entry acme/evil/0 columns body, signatures" in wheres(report)


def test_writer_without_opening_entry_is_tampering():
    world = BASE.copy()
    world.put("writer", "acme", "evil", "", 0, None)
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


@pytest.mark.parametrize(("table", "strange"), [("session", {"session": "other"}), ("vault", {"subject": "other"})])
def test_stray_row_is_tampering(table: str, strange: dict[str, str]):
    world = BASE.copy()
    world.tables[table].append(dict(world.tables[table][0]) | strange)
    report = check(world)
    assert report.exit_code == 11
    assert any(w.startswith(table) for w in wheres(report))


def test_copied_entry_under_another_key_is_tampering():
    world = BASE.copy()
    row = dict(world.find("entry", tenant="local", w="3f2a", ws=12), ws=13, idx=27)
    world.tables["entry"].append(row)
    report = check(world)
    assert report.exit_code == 11
    assert "entry local/3f2a/13 column ws" in wheres(report)
    # A row under a foreign key is not taken for a link of that chain.
    assert codes(report) == {"column_altered"}


def test_an_entry_moved_to_another_writer_or_tenant_is_named():
    for tenant, w in (("acme", "c002"), ("acmf", "c001"), ("local", "c001"), ("local", "3f2a")):
        for source in (("acme", "c001", 12), ("acme", "c001", 3)):
            world = BASE.copy()
            row = world.find("entry", tenant=source[0], w=source[1], ws=source[2])
            row.update(tenant=tenant, w=w)
            if tenant == "local":
                row["idx"] = 27
            report = check(world)
            assert report.exit_code == 11, (tenant, w)
            assert any(f.where.startswith(f"entry {tenant}/{w}/") for f in report.findings), wheres(report)


def reseal(row: dict[str, object], subject: str) -> bytes:
    dek = pseudo(f"dek {row['tenant']} {subject}", 32)
    return seal(dek, str(row["tenant"]), subject, {"arguments": b"others"}, nonce=pseudo("again", 24))


@pytest.mark.parametrize("with_key", [True, False])
def test_content_sealed_again_by_the_holder_of_the_keys_is_tampering(*, with_key: bool):
    for subject in [row["subject"] for row in BASE.tables["vault"] if row["tenant"] == "local"]:
        world = BASE.copy()
        world.kek = KEK if with_key else None
        row = world.find("entry", tenant="local", w="3f2a", ws=3)
        row["sealed"] = reseal(row, subject)
        report = check(world)
        assert (report.exit_code, codes(report)) == (11, {"content_altered"})
        assert wheres(report)[0].startswith("entry local/3f2a/3 columns sealed")


def test_a_data_key_replaced_with_its_commitment_is_tampering():
    for i in range(len(BASE.tables["vault"])):
        world = BASE.copy()
        row = world.tables["vault"][i]
        row["commitment"] = compute_key_commitment(pseudo("new", 32))
        row["dek_wrapped"] = wrap_dek(KEK, pseudo("new", 32), row["tenant"], row["subject"], pseudo("n", 24))
        report = check(world)
        assert (report.exit_code, codes(report)) == (11, {"content_altered"})
        assert all(f"vault {row['tenant']}/{row['subject']} column commitment" in w for w in wheres(report))


def test_a_data_key_replaced_under_its_old_commitment_is_tampering():
    world = BASE.copy()
    row = world.tables["vault"][0]
    row["dek_wrapped"] = wrap_dek(KEK, pseudo("new", 32), row["tenant"], row["subject"], pseudo("n", 24))
    report = check(world)
    assert (report.exit_code, codes(report)) == (11, {"bad_wrapped_key"})


@pytest.mark.parametrize("with_key", [True, False])
def test_a_renamed_key_row_is_tampering_and_that_of_a_deleted_entry_part_of_the_gap(*, with_key: bool):
    world = build(rounds=1)
    world.checkpoint("acme")
    world.checkpoint("local")
    world.kek = KEK if with_key else None
    row = world.find("entry", tenant="acme", kind="decision")
    subject = world.find("vault", tenant="acme")["subject"]
    world.delete("entry", row)
    report = check(world)
    assert report.exit_code == 13
    assert f"vault acme/{subject}" in wheres(report)
    world = build(rounds=1)
    world.find("vault", tenant="acme")["subject"] = "other"
    assert {"row_stray", "vault_missing"} == codes(check(world))


def test_a_key_row_alone_betrays_a_cut_tail():
    world = build(rounds=1)
    world.tables["entry"] = [r for r in world.tables["entry"] if r["tenant"] == "local" or r["ws"] < 1]
    world.tables["session"] = [r for r in world.tables["session"] if r["tenant"] == "local"]
    world.tables["blob"] = [r for r in world.tables["blob"] if r["tenant"] == "local" or r["bytes"] == b"c001"]
    report = check(world)
    found = [(f.check, f.code, f.where.split()[0]) for f in report.findings]
    assert found == [(8, "row_stray", "vault"), (9, "row_stray", "usage")]


def test_erased_content_is_held_to_its_digest():
    for column in ("sealed", "marks"):
        world = BASE.copy()
        for row in world.tables["vault"]:
            row["dek_wrapped"], row["erased_at_us"] = b"", 1
        assert codes(check(world)) == {"erasure_unexplained"}  # content is erased by an entry, or it is tampering
        row = next(r for r in world.tables["entry"] if r["sealed"] and r["marks"])
        row[column] = row[column][:-1] + bytes([row[column][-1] ^ 1])
        assert codes(check(world)) == {"content_altered", "erasure_unexplained"}


def test_erasure_that_kept_the_key_and_key_lost_without_erasure_are_tampering():
    world = BASE.copy()
    world.tables["vault"][0]["erased_at_us"] = 1
    assert check(world).exit_code == 11
    world = BASE.copy()
    world.tables["vault"][0]["dek_wrapped"] = b""
    assert check(world).exit_code == 11


def test_swapped_content_is_tampering():
    for column in ("sealed", "marks"):
        world = BASE.copy()
        one, two = [r for r in world.tables["entry"] if r[column] is not None and r["tenant"] == "local"][:2]
        one[column], two[column] = two[column], one[column]
        report = check(world)
        assert (report.exit_code, codes(report)) == (11, {"content_altered"})
        assert len(report.findings) == 2


def test_sealed_content_moved_to_an_entry_without_is_tampering():
    world = BASE.copy()
    one = world.find("entry", tenant="local", w="3f2a", ws=1)
    two = world.find("entry", tenant="local", w="3f2a", ws=2)
    two["sealed"], one["sealed"] = one["sealed"], None
    assert codes(check(world)) == {"content_missing", "content_altered"}


def test_an_outcome_moved_to_another_decision_is_tampering():
    world = BASE.copy()
    row = world.find("entry", tenant="local", w="3f2a", ws=2)
    row["once"] = make_outcome_key("3f2a", 3)
    report = check(world)
    assert [(f.where, f.code) for f in report.findings] == [("entry local/3f2a/2 column once", "column_altered")]


@pytest.mark.parametrize("mark", [0, 2, 3, None])
def test_an_outcome_told_as_a_pause_is_tampering(mark: int | None):
    world = BASE.copy()
    world.find("entry", tenant="local", w="3f2a", ws=2)["mark"] = mark
    report = check(world)
    assert [(f.where, f.code) for f in report.findings] == [("entry local/3f2a/2 column mark", "column_altered")]


def run_again(world: World, *, number: int, paused: bool = False) -> None:
    """The request of the first decision once more."""
    decision = world.decide("local", "3f2a", "call 0", session="s-3f2a-0", number=number)
    world.settle(decision, "paused" if paused else "success")


def paused_twice() -> World:
    world = World()
    world.open_writer("local", "3f2a")
    run_again(world, number=0, paused=True)
    run_again(world, number=1, paused=True)
    run_again(world, number=2)
    world.checkpoint("local")
    del world.logs["acme"]
    return world


def test_runs_after_pauses_have_numbers_of_their_own():
    world = paused_twice()
    assert check(world).exit_code == 0
    for ws, number in ((1, 1), (1, 3), (3, 0), (3, 2), (3, 7), (5, 1), (5, 255)):
        world = paused_twice()
        row = world.find("entry", w="3f2a", ws=ws)
        row["once"] = row["once"][:-1] + bytes([number])
        report = check(world)
        assert report.exit_code == 11, (ws, number)
        assert codes(report) == {"column_altered"}
        assert all(w.startswith("entry local/3f2a/") and w.endswith(" column once") for w in wheres(report))


def test_the_number_of_a_run_that_was_raised_makes_no_room_for_another():
    for number in (1, 255):
        world = BASE.copy()
        row = world.find("entry", tenant="local", w="3f2a", ws=1)
        row["once"] = row["once"][:-1] + bytes([number])
        report = check(world)
        assert [(f.where, f.code) for f in report.findings] == [("entry local/3f2a/1 column once", "column_altered")]
        run_again(world, number=0)
        assert "dispatched_twice" in codes(check(world))


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
    log = Impostor(log_key("acme"), key("mallory"))
    row["signatures"] = sign_stored(
        row["body"], (writer_name("acme", "c001"), key("acme c001")), (log_origin("acme"), log)
    )
    where = "entry acme/c001/0 columns body, signatures"
    assert any(f.check == 7 and f.where == where for f in check(world).findings)


def test_opening_entry_that_names_the_key_of_another_writer_is_tampering():
    world = BASE.copy()
    vkey = format_vkey(make_vkey(writer_name("acme", "c001"), key("acme new").public_key))
    world.put("writer", "acme", "new", vkey, 0, None)
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
    for change in ((b',"kind"', b', "kind"'), (b'"ws":12', b'"ws":1.2e1'), (b'"v":3', b'"v":3,"v":3')):
        world = BASE.copy()
        row = world.find("entry", tenant="acme", w="c001", ws=12)
        resign(world, row, key("acme c001"), change)
        assert "malformed_entry" in codes(check(world)), change


def test_entry_of_an_unknown_version_is_not_passed_over():
    world = BASE.copy()
    resign(world, world.find("entry", tenant="acme", w="c001", ws=12), key("acme c001"), (b'"v":3', b'"v":4'))
    report = check(world)
    assert (report.exit_code, codes(report)) == (13, {"unknown_version"})


def test_without_its_opening_entry_a_writer_is_still_held_to_the_key_of_its_row():
    world = BASE.copy()
    world.delete("entry", world.find("entry", tenant="acme", w="c001", ws=0))
    assert check(world).exit_code == 13
    resign(world, world.find("entry", tenant="acme", w="c001", ws=12), forged("acme c001"), (b"done", b"dune"))
    assert check(world).exit_code == 11


@pytest.mark.parametrize("table", ["entry", "session"])
def test_doubled_row_is_tampering(table: str):
    world = BASE.copy()
    row = world.tables[table][-1]
    world.tables[table].append(dict(row))
    report = check(world)
    # A session's row twice says nothing new.
    assert report.exit_code == (0 if table == "session" else 11)


def test_taken_position_is_named():
    world = BASE.copy()
    world.find("entry", tenant="acme", idx=11)["idx"] = 12
    assert "position acme/12 column idx" in wheres(check(world))


@pytest.mark.parametrize(
    "stream",
    [
        Stream.ENTRIES,
        Stream.CHECKPOINTS,
        Stream.SESSION_HEADS,
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


@pytest.mark.parametrize("byte", [b"\xff", b"\xc0", b"\x00"])
def test_subject_that_is_no_text_is_found(byte: bytes):
    world = BASE.copy()
    row = world.find("entry", tenant="local", w="3f2a", ws=1)
    row["sealed"] = row["sealed"][:2] + byte + row["sealed"][3:]
    report = check(world)
    assert report.exit_code in (11, 13)
    assert any("entry local/3f2a/1 column sealed" in w for w in wheres(report)), wheres(report)
