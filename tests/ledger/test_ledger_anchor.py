"""The anchor file: moving forward, forks and damage."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
from ledger_world import key, pseudo

from halo_core.errors import Tampered
from halo_core.ledger.checkpoints import advance_anchor, read_anchors, read_checkpoint, sign_checkpoint

pytestmark = pytest.mark.disk

SIGNER = key("log")


def checkpoint(size: int, fork: str = "") -> bytes:
    return sign_checkpoint("local", size, pseudo(f"root {size}{fork}", 32), SIGNER)


def test_anchor_moves_forward_only(tmp_path: Path):
    path = tmp_path / "anchor.json"
    assert read_anchors(path) == {}
    assert advance_anchor(path, "local", "store-1", checkpoint(8))
    assert advance_anchor(path, "local", "store-1", checkpoint(16))
    assert not advance_anchor(path, "local", "store-1", checkpoint(8))
    assert not advance_anchor(path, "local", "store-1", checkpoint(16))
    assert advance_anchor(path, "local", "store-2", checkpoint(1))
    assert read_anchors(path) == {"store-1": {"local": checkpoint(16)}, "store-2": {"local": checkpoint(1)}}
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(item.name for item in tmp_path.iterdir()) == ["anchor.json", "anchor.json.lock"]


def test_another_root_at_the_same_size_is_a_fork(tmp_path: Path):
    path = tmp_path / "anchor.json"
    advance_anchor(path, "local", "s", checkpoint(8))
    before = path.read_bytes()
    with pytest.raises(Tampered) as caught:
        advance_anchor(path, "local", "s", checkpoint(8, "fork"))
    assert caught.value.code == "anchor_fork"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "data", [b"", b"{}\n", b"[]", b'{"stores":{},"v":2}', b'{"stores":{"s":{"local":"x"}},"v":1}', b"\xff"]
)
def test_damaged_anchor_is_tampering_and_is_not_overwritten(tmp_path: Path, data: bytes):
    path = tmp_path / "anchor.json"
    path.write_bytes(data)
    for call in (lambda: read_anchors(path), lambda: advance_anchor(path, "local", "s", checkpoint(8))):
        with pytest.raises(Tampered) as caught:
            call()
        assert caught.value.code == "bad_anchor"
    assert path.read_bytes() == data


def test_checkpoint_of_another_tenant_is_refused(tmp_path: Path):
    with pytest.raises(Tampered) as caught:
        advance_anchor(tmp_path / "anchor.json", "acme", "s", checkpoint(8))
    assert caught.value.code == "bad_checkpoint"


def test_failed_write_leaves_the_old_anchor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "anchor.json"
    advance_anchor(path, "local", "s", checkpoint(8))

    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        advance_anchor(path, "local", "s", checkpoint(16))
    monkeypatch.undo()
    assert read_checkpoint(read_anchors(path)["s"]["local"], "local").size == 8
    assert sorted(item.name for item in tmp_path.iterdir()) == ["anchor.json", "anchor.json.lock"]


def work(path: Path, tenant: str, first: int) -> None:
    for size in range(first, 40, 2):
        advance_anchor(path, tenant, "s", sign_checkpoint(tenant, size, pseudo(f"root {size}", 32), SIGNER))


def test_processes_do_not_lose_each_others_anchors(tmp_path: Path):
    path = tmp_path / "anchor.json"
    context = multiprocessing.get_context("fork")
    jobs = [context.Process(target=work, args=(path, t, f)) for t, f in (("a", 1), ("a", 2), ("b", 1), ("b", 2))]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(60)
        assert job.exitcode == 0
    sizes = {t: read_checkpoint(note, t).size for t, note in read_anchors(path)["s"].items()}
    assert sizes == {"a": 39, "b": 39}
