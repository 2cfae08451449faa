"""Verification of a ledger: whole, tampered and cut."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ledger_world import COLUMNS, KEK, World, build, request_of

from halo_core.errors import Gap, NotVerified, Tampered
from halo_core.ledger import verify_signatures
from halo_core.ledger.reader import Stream, Trust
from halo_core.ledger.report import CHECKS, LIMITS, MAX_FINDINGS, Collector, Report
from halo_core.ledger.verify import verify
from halo_core.ledger.verify_writers import WriterChain
from halo_core.model.ledger_entry import EntryKind


def test_whole_ledger_passes_every_check():
    world = build()
    report = verify(world, world.trust(), signatures=True)
    assert report.findings == ()
    assert (report.exit_code, report.full, report.warnings) == (0, True, ())
    assert all(check.passed > 0 and check.failed == 0 and check.skipped == 0 for check in report.checks)
    assert [check.number for check in report.checks] == list(CHECKS)
    assert report.heads["local"].size == 27
    assert report.heads["local"].covered == 24
    counted = {check.number: check.passed for check in report.checks}
    assert counted[2] == counted[3] == counted[4] == len(world.tables["entry"])
    attached = sum(row["sealed"] is not None or row["marks"] is not None for row in world.tables["entry"])
    assert counted[8] == attached


@pytest.mark.parametrize("threads", [1, 2])
def test_only_the_uncovered_tail_is_signature_checked_by_default(threads: int):
    world = build()
    counts = [
        {c.number: c.passed for c in verify(world, world.trust(), signatures=s, threads=threads).checks}[7]
        for s in (False, True)
    ]
    writers = len(world.tables["writer"])
    uncovered = (27 - 24) + (13 - 8)
    assert counts == [uncovered + writers, len(world.tables["entry"]) + writers]


def test_processes_find_the_wrong_signatures_that_threads_find(monkeypatch):
    world = build()
    for index in (3, 11, 19):
        row = world.tables["entry"][index]
        row["signatures"] = row["signatures"][:-1] + bytes([row["signatures"][-1] ^ 1])
    alone = verify(world, world.trust(), signatures=True)
    monkeypatch.setattr(verify_signatures, "_MIN_SHARED", 4)
    monkeypatch.setattr(verify_signatures, "_BATCH", 5)
    shared = verify(world, world.trust(), signatures=True, processes=2)
    assert set(shared.findings) == set(alone.findings)
    assert shared.checks == alone.checks
    assert [f.code for f in alone.findings].count("bad_signature") == 3


def test_where_a_process_that_verifies_ends_no_signature_counts_as_verified():
    workers = verify_signatures._Processes(1)
    job = (bytes(32), b"text", bytes(64))
    workers.submit([job, job])
    assert workers.collect() == [0, 1]
    workers._started[0][0].kill()
    workers._started[0][0].join()
    with pytest.raises(BrokenPipeError):
        workers.submit([job])
    with pytest.raises(ChildProcessError, match="has ended"):
        workers.collect()
    workers.close()


def test_fast_checks_the_tree_and_says_it_is_not_full():
    world = build()
    report = verify(world, world.trust(), fast=True)
    assert (report.exit_code, report.full) == (0, False)
    row = world.tables["entry"][5]
    row["body"] = row["body"][:-5] + b"A" + row["body"][-4:]
    report = verify(world, world.trust(), fast=True)
    assert (report.exit_code, {f.code for f in report.findings}) == (11, {"root_mismatch"})
    row["signatures"] = b"short"
    report = verify(world, world.trust(), fast=True)
    assert report.exit_code == 11
    assert any(f.where.endswith("columns w, body, signatures") for f in report.findings)


def test_without_key_and_without_rows_nothing_can_be_told():
    world = build()
    assert verify(world, Trust({})).exit_code == 2
    empty = World()
    report = verify(empty, Trust(world.logs))
    assert report.exit_code == 2
    assert "nothing to verify" in report.undetermined[-1]


def test_one_tenant_without_trusted_key_leaves_the_verdict_open():
    world = build()
    del world.logs["acme"]
    del world.anchors["acme"]
    report = verify(world, world.trust())
    assert (report.exit_code, report.total) == (2, 0)
    assert "acme" in report.undetermined[0]


def test_without_an_anchor_nothing_can_be_told():
    world = build()
    del world.anchors["acme"]
    report = verify(world, world.trust())
    assert (report.exit_code, report.total) == (2, 0)
    (why,) = report.undetermined
    assert "`acme` has no anchor" in why
    assert "rollback" in why


def test_a_trusted_tenant_with_nothing_here_leaves_the_verdict_open():
    world = build()
    world.logs["zeta"] = world.logs["acme"]
    report = verify(world, world.trust())
    assert report.exit_code == 2
    assert "`zeta` is trusted" in report.undetermined[0]
    report = verify(world, replace(world.trust(), elsewhere=frozenset({"zeta"})))
    assert report.exit_code == 0
    assert any("`zeta` has no data here" in text for text in report.warnings)


def test_a_strange_trigger_is_tampering_and_a_missing_one_of_ours_is_not():
    world = build()
    world.strange = [("missing", "entry_append_only")]
    report = verify(world, world.trust())
    assert report.exit_code == 0
    assert any("entry_append_only" in text for text in report.warnings)
    for kind in ("trigger", "view"):
        world.strange = [(kind, "x")]
        for fast in (False, True):
            report = verify(world, world.trust(), fast=fast)
            assert report.exit_code == 11
            assert [(f.where, f.code) for f in report.findings] == [(f"{kind} x", "foreign_trigger")]


def again(world: World, *, mode: str = "enforce", idempotent: bool = False, tenant: str = "local") -> Report:
    """The call of the first decision of local/3f2a once more."""
    w = {"local": "3f2a", "acme": "c001"}[tenant]
    number = int(tenant == "local")
    world.decide(tenant, w, "call 0", session="s-3f2a-0", mode=mode, idempotent=idempotent, number=number)
    return verify(world, world.trust())


def test_a_request_that_may_run_once_and_ran_twice_is_tampering():
    report = again(build())
    assert report.exit_code == 11
    assert {f.code for f in report.findings} == {"dispatched_twice"}
    assert request_of("s-3f2a-0", "call 0") in report.findings[0].what


def test_what_may_run_again_and_another_tenants_request_are_no_second_run():
    assert again(build(), idempotent=True).exit_code == 0
    assert again(build(), mode="observe").exit_code == 0
    assert again(build(), tenant="acme").exit_code == 0


@pytest.mark.parametrize("ws", [1, 2, 3, 9])
@pytest.mark.parametrize("column", ["once", "mark"])
def test_the_columns_of_a_run_say_what_the_entry_says(ws: int, column: str):
    """A run of its own, an outcome, a run that may be repeated, one in observe mode."""
    world = build()
    for value in {"once": (None, b"", b"other", "other"), "mark": (0, 3, None, "1")}[column]:
        world.find("entry", tenant="local", w="3f2a", ws=ws)[column] = value
        report = verify(world, world.trust())
        assert report.exit_code == 11
        assert [(f.where, f.code) for f in report.findings] == [
            (f"entry local/3f2a/{ws} column {column}", "column_altered")
        ]


def test_what_may_run_once_and_what_may_run_again_have_keys_of_another_form():
    """A run that may be repeated under the key of one that may not would block it, and the other way round free it."""
    world = build()
    once, again_ = (world.find("entry", tenant="local", w="3f2a", ws=ws) for ws in (1, 3))
    once["once"], again_["once"] = once["once"][:32] + again_["once"][32:], again_["once"][:32] + b"\0"
    report = verify(world, world.trust())
    assert [f.where for f in report.findings] == [f"entry local/3f2a/{ws} column once" for ws in (1, 3)]


def test_clock_running_back_is_a_warning_only():
    world = World()
    world.open_writer("local", "3f2a")
    world._count -= 6_000_000
    world.append("local", "3f2a", EntryKind.MODE, to="enforce")
    world.find("control", tenant="local")["mode"] = "enforce"
    world.checkpoint("local")
    del world.logs["acme"]
    report = verify(world, world.trust())
    assert report.exit_code == 0
    assert any("the clock went back by" in text for text in report.warnings)


def test_content_stays_verifiable_without_key_and_a_key_gone_without_an_entry_is_found():
    world = build()
    world.kek = None
    assert verify(world, world.trust()).exit_code == 0
    world.kek = KEK
    for row in world.tables["vault"]:
        row["dek_wrapped"], row["erased_at_us"] = None, 1
    report = verify(world, world.trust())
    assert {item.code for item in report.findings} == {"erasure_unexplained"}
    row = world.find("entry", tenant="local", w="3f2a", ws=1)
    row["sealed"] = row["sealed"][:-1] + bytes([row["sealed"][-1] ^ 1])
    report = verify(world, world.trust())
    assert {item.code for item in report.findings} == {"content_altered", "erasure_unexplained"}


@pytest.mark.parametrize(
    ("stream", "check"),
    [
        (None, 4),
        (Stream.ENTRIES, 2),
        (Stream.VAULTS, 2),  # read before the entries are
        (Stream.CHECKPOINTS, 4),  # read while the tree is built
        (Stream.BLOBS, 9),
        (Stream.WRITERS, 7),
    ],
)
@pytest.mark.parametrize(("error", "code"), [(Tampered, 11), (NotVerified, 11), (Gap, 13)])
def test_an_unreadable_table_is_a_finding(stream: Stream | None, check: int, error: type[NotVerified], code: int):
    world = build()

    def broken():
        yield from ()
        raise error("unreadable", "database disk image is malformed")

    whole = world.rows
    if stream is None:
        world.rows_by_position = broken
    else:
        world.rows = lambda wanted: broken() if wanted is stream else whole(wanted)
    report = verify(world, world.trust())
    assert report.total > 0
    assert report.exit_code == code or report.exit_code == 11
    assert {f.check for f in report.findings if f.code == "unreadable"} == {check}


def test_an_entry_after_one_that_was_not_read_is_not_blamed_for_it():
    for is_read, findings in ((False, 0), (True, 1)):
        chain, out = WriterChain(), Collector()
        if is_read:
            chain.check_link(("local", "3f2a", 0), b"leaf", {"kind": "writer_open", "prev": "", "body": {}}, out)
        else:
            chain.skip(("local", "3f2a", 0))
        chain.check_link(("local", "3f2a", 1), b"next", {"kind": "mode", "prev": "another", "body": {}}, out)
        assert [finding.where.rpartition("/")[2] for finding in out.findings] == ["1"] * findings


def test_findings_are_bounded_and_tampering_is_not_hidden_by_gaps():
    world = build(rounds=120)
    rows = world.tables["entry"]
    world.tables["entry"] = [row for row in rows if row["ws"] % 2 == 0 or row["w"] == "b77e"]
    last = world.find("entry", tenant="local", w="b77e", ws=240)
    last["session"] = "forged"
    report = verify(world, world.trust())
    assert report.total > MAX_FINDINGS
    assert len(report.findings) == MAX_FINDINGS
    assert report.exit_code == 11
    assert any(f.where.endswith("column session") for f in report.findings)


def test_progress_is_told():
    stages = []
    world = build(rounds=700)
    assert verify(world, world.trust(), progress=lambda stage, done: stages.append((stage, done))).exit_code == 0
    assert {stage for stage, _ in stages} == {"tree", "entries"}


def test_limits_are_said():
    assert any("newest entries" in text for text in LIMITS)
    assert set(COLUMNS) >= {"entry", "checkpoint", "vault"}
