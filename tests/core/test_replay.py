"""REPLAY: a recorded decision re-executes to the same bytes, anywhere, later."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess

import pytest

import halo_core.enforcement.jobs as jobs_module
import halo_core.replay as replay_module
from halo_core.crypto.keys import KeyStore
from halo_core.decision.record import iter_part_names, unpack_digest
from halo_core.errors import Denied, Tampered
from halo_core.facade import HaloBase
from halo_core.ledger import decode_entry
from halo_core.model import (
    ActionKind,
    Constraint,
    ConstraintKind,
    Decision,
    Effect,
    EntryKind,
    Impact,
    Reason,
    Resource,
)
from halo_core.replay import Replayer, ReplayStatus, find_first_difference, replay_log
from halo_core.store.reader import Reader, SealedContents
from halo_world import (
    SURFACE,
    Calls,
    attack,
    cli,
    db_of,
    found,
    person_ref,
    policy_folder,
    python,
    schema,
    tool,
    url_of,
)

ODD = {"f": -0.0, "big": 2**80, "b": b"\x00", "n": None, "ключ": [1, 2.5, {"$f": "1"}], "t": (1, True)}


def mixed_run(home, *, mode="enforce"):
    """Every effect, odd values, several sessions, a changed policy and a second passport."""
    folder = policy_folder(home)
    grants = {
        name: {"**": Constraint(ConstraintKind.WILDCARD)}
        for name in ("lookup", "watched", "query", "pay", "wipe", "odd")
    }
    for turn in range(2):
        if turn:
            with folder.joinpath("test.cedar").open("a") as file:
                file.write(
                    '@id("more") @effect("monitor") forbid (principal, action, resource) when { context.uses > 1 };\n'
                )
        with HaloBase.local("clerk", home=home, mode=mode, policy=folder, quiet=True, grants=grants) as halo:
            odd = halo.register(ActionKind.TOOL_CALL, "odd", resource=Resource(impact=Impact.READ), schema=schema({}))
            for session in ("a", "b"):
                with halo.session(session, user=f"ana-{session}", request="look up x for 98.70"):
                    for resource, args in (
                        (tool(halo, "lookup"), {"q": "x", "token": "sk-abcdefghijklmnopqrstuvwxyz"}),
                        (tool(halo, "watched"), {"q": 98.7}),
                        (tool(halo, "query"), {"limit": 10**6}),
                        (tool(halo, "pay", impact=Impact.PAYMENT), {"amount": 5000, "to": "x"}),
                        (tool(halo, "wipe"), {"path": "/"}),
                        (tool(halo, "ungranted"), {}),
                        (odd, ODD),
                        (odd, {"nan": float("nan")}),
                    ):
                        with contextlib.suppress(Denied):
                            halo.enforcer.run(halo.build_call(resource, args), Calls("some result"), SURFACE)


def replayed(home, tenant="local"):
    with Reader(url_of(home)) as reader:
        return list(Replayer(reader, SealedContents.with_home_key(reader, KeyStore(home)), tenant).replay_all())


def test_processes_that_share_the_work_give_the_same_results_in_order(home, monkeypatch):
    mixed_run(home)
    monkeypatch.setattr(replay_module, "_SPAN", 7)
    monkeypatch.setattr(replay_module, "_MIN_SHARED", 1)
    results = list(replay_log(url_of(home), home, "local", processes=2))
    assert len(results) > 20
    assert results == replayed(home) == list(replay_log(url_of(home), home, "local"))


def test_an_error_comes_from_another_process_as_it_was(home, monkeypatch):
    mixed_run(home)
    monkeypatch.setattr(replay_module, "_SPAN", 7)
    monkeypatch.setattr(replay_module, "_MIN_SHARED", 1)
    with attack(db_of(home)) as db:
        db.execute("UPDATE entry SET body=x'7b7d' WHERE kind='decision' AND idx>20")
    with pytest.raises(Tampered) as alone:
        replayed(home)
    with pytest.raises(Tampered) as shared:
        list(replay_log(url_of(home), home, "local", processes=2))
    assert (vars(shared.value), str(shared.value)) == (vars(alone.value), str(alone.value))


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_a_mixed_run_replays_to_the_same_bytes(home, mode):
    mixed_run(home, mode=mode)
    results = replayed(home)
    assert len(results) == 32
    assert {item.status for item in results} == {ReplayStatus.IDENTICAL}
    effects = {item.entry.body["decision"]["effect"] for item in found(home, EntryKind.DECISION)}
    assert effects == {"allow", "monitor", "restrict", "challenge", "deny"}
    assert cli("replay", "--all", home=home)[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "zone"),
    [
        ("1", "Asia/Kathmandu"),
        *(pytest.param(*pair, marks=pytest.mark.thorough) for pair in (("0", "UTC"), ("4242", "America/St_Johns"))),
    ],
)
def test_another_process_hash_seed_and_zone(home, seed, zone):
    mixed_run(home)
    done = subprocess.run(
        python("-c", "from halo_core.cli import main; main()", "replay", "--all", "--json", "--home", str(home)),
        env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["counts"] == {"identical": 32}


def test_an_interpreter_of_another_version(home):
    other = "/usr/bin/python3.13"
    probe = ["sh", "-c", f"{other} -c 'import nacl, orjson, cedarpy, sqlalchemy, typer, re2'"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no second interpreter with the dependencies")
    mixed_run(home)
    line = [other, "-c", "from halo_core.cli import main; main()", "replay", "--all", "--home", str(home)]
    assert subprocess.run(line, capture_output=True, check=False).returncode == 0


def test_an_erased_subject_is_said_to_be_redacted(home):
    mixed_run(home)
    database = attack(db_of(home))
    subject = person_ref(home, "ana-a")
    assert (
        database.execute("UPDATE vault SET dek_wrapped=x'', erased_at_us=1 WHERE subject=?", (subject,)).rowcount == 1
    )
    database.close()
    results = replayed(home)
    assert [item.status for item in results].count(ReplayStatus.REDACTED) == 16
    assert [item.status for item in results].count(ReplayStatus.IDENTICAL) == 16
    code, out, _ = cli("replay", "--all", home=home)
    assert code == 2
    assert "REPLAY_REDACTED" in out
    erased = next(item.id for item in results if item.status is ReplayStatus.REDACTED)
    kept = next(item.id for item in results if item.status is ReplayStatus.IDENTICAL)
    assert cli("replay", erased, home=home)[0] == 2
    assert cli("replay", kept, home=home)[0] == 0


def test_without_the_content_key_nothing_can_be_said(home):
    mixed_run(home)
    (home / "content.key").unlink()
    assert {item.status for item in replayed(home)} == {ReplayStatus.REDACTED}
    assert not (home / "content.key").exists()
    assert cli("replay", "--all", home=home)[0] == 2


RISK = (("risk", 15),)
"""What a refused attempt costs."""


@pytest.mark.parametrize(
    ("forged", "where"),
    [
        (Decision(Effect.ALLOW, (Reason("granted", "jti", effect="allow"),), (), RISK), "/decision/effect"),
        (Decision(Effect.DENY, (Reason("grave_impact", "nobody"),), (), RISK), "/decision/reasons/0/source"),
        (Decision(Effect.DENY, (Reason("grave_impact", "never"), Reason("zzz")), (), RISK), "/decision/reasons"),
        (Decision(Effect.DENY, (Reason("grave_impact", "never"),)), "/decision/charges"),
    ],
)
def test_a_decision_that_is_not_the_policys_is_named_by_its_first_field(home, monkeypatch, forged, where):
    with (
        HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo,
        halo.session("s"),
    ):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), Calls(), SURFACE)
        monkeypatch.setattr(jobs_module, "decide", lambda request, snapshot: forged)
        with contextlib.suppress(Denied):
            halo.enforcer.run(halo.build_call(tool(halo, "wipe"), {"path": "/"}), Calls(), SURFACE)
    good, bad = replayed(home)
    assert good.status is ReplayStatus.IDENTICAL
    assert (bad.status, bad.where) == (ReplayStatus.DIFFERS, where)
    code, out, _ = cli("replay", "--all", home=home)
    assert code == 12
    assert where in out
    assert cli("replay", bad.id, home=home)[0] == 12
    assert cli("replay", good.id, home=home)[0] == 0


def test_a_missing_policy_or_passport_is_unreadable(home):
    mixed_run(home)
    with Reader(url_of(home)) as reader:
        notes = [note for _, note in reader.notes("local", ("decision",))]
        parts = reader.part_reader("local")
        names = {unpack_digest(name) for note in notes for name in iter_part_names(decode_entry(note).body, parts)}
    database = attack(db_of(home))
    database.execute(f"DELETE FROM blob WHERE hash NOT IN ({','.join('?' * len(names))})", [*names])
    database.close()
    results = replayed(home)
    assert {item.status for item in results} == {ReplayStatus.UNREADABLE}
    assert "missing" in results[0].computed
    assert cli("replay", "--all", home=home)[0] == 2


def test_a_forged_passport_is_not_believed(home):
    mixed_run(home)
    database = attack(db_of(home))
    name, token = database.execute(
        "SELECT hash, bytes FROM blob WHERE substr(bytes, 1, 2)=CAST('ey' AS BLOB) LIMIT 1"
    ).fetchone()
    head, body, signature = token.split(b".")
    signature = bytes([signature[0] ^ 1]) + signature[1:] if signature[:1] not in b"_-" else b"A" + signature[1:]
    database.execute("UPDATE blob SET bytes=? WHERE hash=?", (b".".join((head, body, signature)), name))
    database.close()
    assert ReplayStatus.UNREADABLE in {item.status for item in replayed(home)}


def test_usage_and_empty_logs(home):
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True):
        pass
    assert cli("replay", home=home)[0] == 64
    assert cli("replay", "0", "--all", home=home)[0] == 64
    assert cli("replay", "--all", home=home)[0] == 2
    assert cli("replay", "ffff", home=home)[0] == 64
    assert cli("replay", "--all", home=home / "nowhere")[0] == 64


def test_first_difference():
    assert find_first_difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}) == ("/a/1/b", 2, 3)
    assert find_first_difference({"a": 1}, {"b": 1}) == ("/a", 1, None)
    assert find_first_difference([1], [1, 2], "/x") == ("/x", [1], [1, 2])
    assert find_first_difference(1, 2) == ("", 1, 2)
