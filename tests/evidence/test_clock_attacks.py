"""A clock that somebody set wrong: what it dated out of a period is missed by no answer that says it is complete."""

from __future__ import annotations

import json
import time
from unittest.mock import patch

import pytest
from pack_world import run_verifier

from halo_core.clock import SystemClock
from halo_core.facade import HaloBase
from halo_world import SURFACE, Calls, cli, policy_folder, tool

_DAY_US = 86_400_000_000


def act(home, off_us: int) -> None:
    """Read labelled data as a process whose clock is off."""
    with (
        patch.object(SystemClock, "now_us", lambda _: time.time_ns() // 1000 + off_us),
        HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo,
    ):
        lookup = tool(halo, "lookup", labels=("chd",))
        with halo.session(f"s{off_us}", user="ana"):
            halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), Calls(), SURFACE)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    home = tmp_path_factory.mktemp("clock") / "home"
    act(home, 0)
    return home


def ask(home, *words: str) -> tuple[int, dict]:
    code, said, _ = cli(*words, "--from", "1d", "--json", home=home)
    return code, json.loads(said)


def test_with_right_clocks_the_list_is_proven(honest):
    code, answer = ask(honest, "who-touched", "--label", "chd", "--prove")
    assert (code, answer["population"]["counted"]) == (0, 1)
    assert ask(honest, "report", "--check", "time")[0] == 0


@pytest.mark.parametrize("is_last", [False, True], ids=["between", "at the end"])
def test_entries_that_a_wrong_clock_dated_out_of_the_period_are_reported(tmp_path, is_last):
    home = tmp_path / "home"
    act(home, 0)
    act(home, 2 * _DAY_US)
    if not is_last:
        act(home, 0)
    code, answer = ask(home, "who-touched", "--label", "chd", "--prove")
    assert (code, answer["verdict"]) == (2, "cannot_tell")
    assert "clocks were wrong" in "".join(answer["findings"])
    assert ask(home, "report", "--check", "time")[0] == 1
    # A question that claims no completeness says it in a note.
    code, answer = ask(home, "denials")
    assert "clocks were wrong" in "".join(answer["notes"])


def test_a_pack_of_an_older_log_says_where_it_ends(honest, tmp_path):
    """As if somebody packed a copy of the log from before what they want to hide."""
    later = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 30 * 86_400))
    code, _, err = cli("pack", "make", "--output", str(tmp_path / "a.zip"), "--from", "1d", "--to", later, home=honest)
    assert code == 0, err
    key = json.loads((honest / "trust.json").read_text())["local"]
    code, out = run_verifier(tmp_path / "a.zip", "--key", key, "denials")
    assert (code, "ends before its period does" in out) == (0, True)
    assert '"dated in the period":' in out
