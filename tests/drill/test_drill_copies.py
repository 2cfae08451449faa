"""Copies of homes: what an application opens in a drill is a copy, each case has a fresh one, the original stays."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from halo_core.drill import HomeCopies
from halo_core.facade import HaloBase
from halo_core.home import find_relocation, relocated_homes
from halo_core.model import ActionKind, EntryKind, Mode, Resource
from halo_core.store.reader import Reader, read_entries

READS = Resource(impact="read", source_trust=900, targets=("vendor",))
SCHEMA = {"properties": {"vendor": {"type": "string"}}, "type": "object"}


def decisions(home: Path) -> int:
    with Reader(f"sqlite:///{home / 'halo.db'}") as reader:
        return sum(1 for _ in read_entries(reader, "local", (EntryKind.DECISION,)))


def act(halo: HaloBase, session: str) -> None:
    resource = halo.register(ActionKind.TOOL_CALL, "look_up", resource=READS, schema=SCHEMA)
    with halo.session(session, request="Look up ACME"):
        halo.enforcer.begin(halo.build_call(resource, {"vendor": "ACME"}))
    halo.store.flush()


@pytest.fixture
def copies(tmp_path: Path) -> HomeCopies:
    folder = tmp_path / "copies"
    folder.mkdir(mode=0o700)
    return HomeCopies(folder)


def test_a_home_in_use_is_copied_and_never_written_to(tmp_path, copies):
    home = tmp_path / "home"
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as original:
        act(original, "s-1")
        with relocated_homes(copies):
            drilled = HaloBase.local("clerk", home=home, mode="enforce", quiet=True)
        act(drilled, "s-2")
        assert (decisions(home), decisions(drilled.home)) == (1, 2)
        assert drilled.home != home
        assert copies.list_origins() == [(home, f"sqlite:///{home / 'halo.db'}")]
        act(original, "s-3")
        copies.close()
    assert decisions(home) == 2


def test_each_case_has_a_fresh_copy_and_keeps_what_is_registered(tmp_path, copies):
    home = tmp_path / "home"
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as original:
        act(original, "s-1")
    with relocated_homes(copies):
        drilled = HaloBase.local("clerk", home=home, mode="enforce", quiet=True)
    act(drilled, "s-2")
    copies.renew()
    assert decisions(drilled.home) == 1
    assert drilled.find_registered("look_up") is not None
    first = drilled.home
    copies.renew(mode=Mode.OBSERVE)
    assert (drilled.mode, first.exists()) == (Mode.OBSERVE, False)
    copies.renew()
    assert drilled.mode is Mode.ENFORCE
    copies.close()


def test_two_facades_over_one_home_share_its_copy(tmp_path, copies):
    with relocated_homes(copies):
        first = HaloBase.local("clerk", home=tmp_path / "home", quiet=True)
        second = HaloBase.local("payer", home=tmp_path / "home", quiet=True)
    copies.renew()
    assert (first.home, copies.list_homes()) == (second.home, [(first.home, "local")])
    copies.close()
    assert not (tmp_path / "home").exists()


def test_keys_in_a_copy_are_as_private_as_the_originals(tmp_path, copies):
    HaloBase.local("clerk", home=tmp_path / "home", quiet=True).close()
    with relocated_homes(copies):
        drilled = HaloBase.local("clerk", home=tmp_path / "home", quiet=True)
    keys = list(drilled.home.glob("*.key"))
    assert keys
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in (*keys, drilled.home / "halo.db"))
    copies.close()


def test_relocation_ends_with_its_block(tmp_path, copies):
    with pytest.raises(RuntimeError, match="stop"), relocated_homes(copies):
        raise RuntimeError("stop")
    assert find_relocation() is None
