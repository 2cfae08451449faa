"""An application that changes its working folder, as coding agents do with a checked-out repository.

Invariants: REV, FLOOR.
"""

from __future__ import annotations

import json
import os
import shutil

import pytest

from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_world import SURFACE, Calls, found, tool, verified

TRUSTED = ("authorities.json", "trust.json")


@pytest.fixture(params=[None, "sqlite:///own/../own/halo.db"], ids=["default", "db"])
def opened(tmp_path, monkeypatch, request):
    """A home that is named by a path below the working folder."""
    monkeypatch.chdir(tmp_path)
    with HaloBase.local("coder", mode="enforce", home="own", db=request.param, quiet=True) as halo:
        lookup = tool(halo, "lookup")
        (tmp_path / "repository" / "own").mkdir(parents=True, mode=0o700)

        def run(body: Calls) -> None:
            with halo.session("s"):
                halo.enforcer.run(halo.build_call(lookup, {"q": "x"}), body, SURFACE)

        run(Calls())
        for name in TRUSTED:
            shutil.copy(f"own/{name}", f"repository/own/{name}")
        os.chdir("repository")
        yield run


def test_a_stop_counts_in_another_folder(opened, tmp_path):
    (tmp_path / "own" / "stops").mkdir()
    (tmp_path / "own" / "stops" / "now").touch()
    body = Calls()
    with pytest.raises(Denied) as caught:
        opened(body)
    assert (caught.value.reason, len(body)) == ("stopped", 0)


def test_another_folder_gives_no_authority(opened, tmp_path):
    for name in TRUSTED:
        (tmp_path / "repository" / "own" / name).write_text(json.dumps({}))
    body = Calls()
    opened(body)
    assert len(body) == 1


def test_a_child_in_another_folder_writes_to_the_same_log(opened, tmp_path):
    child = os.fork()
    if not child:
        status = 1
        try:
            opened(Calls())
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sorted(path.name for path in (tmp_path / "repository" / "own").iterdir()) == sorted(TRUSTED)
    opened(Calls())
    assert len(found(tmp_path / "own", EntryKind.DECISION)) == 3
    assert verified(tmp_path / "own") == 0
