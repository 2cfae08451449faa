"""On PostgreSQL too, a subject is found in sealed contents, and a session is disclosed."""

from __future__ import annotations

import json

import pytest
from postgres_server import start_server

from halo_core.evidence.disclosure import check_disclosure
from halo_core.facade import HaloBase
from halo_world import SURFACE, Calls, cli, policy_folder, tool


@pytest.mark.disk
def test_on_postgresql_a_subject_and_a_session_are_found(tmp_path):
    """A desk of one call, since a month takes long there."""
    url = start_server().make_database()
    account = "DE89370400440532013000"
    with HaloBase.local(
        "clerk", home=tmp_path / "home", db=url, mode="enforce", policy=policy_folder(tmp_path / "home"), quiet=True
    ) as halo:
        paying = tool(halo, "pay")
        with halo.session("one", user="ana@bank.example"):
            halo.enforcer.run(halo.build_call(paying, {"amount": 5, "to": account}), Calls(account), SURFACE)
            halo.enforcer.run(halo.build_call(paying, {"amount": 6, "to": "somebody else"}), Calls(), SURFACE)
        halo.store.checkpoint()
    code, said, err = cli(
        "explain", "--subject", "de89 3704 0044 0532 0130 00", "--db", url, "--json", home=tmp_path / "home"
    )
    assert code == 0, err
    (row,) = json.loads(said)["rows"]
    assert row["named_in"] == ["args /to", "output"]
    path = tmp_path / "one.json"
    code, _, err = cli("disclose", "one", "--output", str(path), "--db", url, home=tmp_path / "home")
    assert code == 0, err
    tree = json.loads(path.read_text())
    checked = check_disclosure(tree, tree["log_key"])
    assert checked.problems == ()
    assert account in json.dumps([item.to_json()["content"] for item in checked.entries])
