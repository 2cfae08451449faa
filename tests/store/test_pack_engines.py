"""Evidence packs of a store on PostgreSQL, whose entries get their positions from a sequencer."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from engine_world import Place

from halo_core.evidence import halo_verify
from halo_core.model import EntryKind
from halo_world import SURFACE, Calls, tool


@pytest.fixture
def place(tmp_path):
    place = Place.make("postgresql", tmp_path / "home")
    for session in ("one", "two"):
        with place.open() as halo:
            look = tool(halo, "lookup", labels=("pii",))
            with halo.session(session, user="ana"):
                for number in range(4):
                    halo.enforcer.run(halo.build_call(look, {"q": f"{session}{number}"}), Calls("fine"), SURFACE)
    return place


def verify(place, path, *question):
    out = io.StringIO()
    key = json.loads((place.home / "trust.json").read_text())["local"]
    return halo_verify.main([str(path), "--key", key, *question], out), out.getvalue()


def test_a_pack_of_a_store_on_postgresql_verifies(place, tmp_path):
    decisions = place.found(EntryKind.DECISION)
    wanted = decisions[3].entry.id
    path = tmp_path / "a.zip"
    code, _, err = place.cli("pack", "make", "--output", str(path), "--reveal", wanted)
    assert code == 0, err
    code, text = verify(place, path, "who-touched", "--label", "pii")
    assert (code, text.count("\tclerk\t")) == (0, len(decisions)), text
    middle = tmp_path / "b.zip"
    times = [item.entry.ts_us for item in place.found()]
    from_, to = (
        halo_verify.Entry(0, "", {"ts_us": us, "ws": 0}, b"", {}, is_inside=True).row()["time"] for us in times[9:19:9]
    )
    code, _, err = place.cli("pack", "make", "--output", str(middle), "--from", from_, "--to", to)
    assert code == 0, err
    assert verify(place, middle)[0] == 0
    with zipfile.ZipFile(middle) as archive:
        scope = json.loads(archive.read("pack.json"))
    assert 0 < scope["first"] < scope["end"] <= scope["size"] < len(place.found())
    code, _, err = place.cli("pack", "receipt", wanted, "--output", str(tmp_path / "r.cbor"))
    assert code == 0, err
    assert place.verified() == 0
