"""A person at a terminal errs: another folder, no rights, a misspelt name. Each error says what, and what to do."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys

import pytest

from halo_core.facade import HaloBase
from halo_world import SURFACE, Calls, cli, db_of, policy_folder, tool

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2


@pytest.fixture(scope="module")
def worked_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("mistakes") / "home"
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo, halo.session("one"):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), Calls(), SURFACE)
    return home


def test_a_stop_in_a_folder_that_no_application_uses_says_that_nothing_stopped(tmp_path):
    """At night, in the wrong folder: the file of the stop is written, and no application reads it."""
    home = tmp_path / "elsewhere" / ".halo"
    code, out, err = cli("stop", "--agent", "clerk", home=home)
    assert code == 2
    assert f"`{home}`" in err
    assert "no application has used this home" in err
    assert "HALO_HOME" in err
    assert "is in force" not in out + err
    code, out, _ = cli("stop", "--all", "--json", home=home)
    told = json.loads(out)
    assert (code, told["file"], told["used"]) == (2, True, False)


def test_a_stop_of_a_home_whose_database_is_elsewhere_holds(worked_home, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(worked_home, home)
    db_of(home).unlink()
    code, _, err = cli("stop", "--agent", "clerk", home=home)
    assert (code, "the stop is in force through its file" in err) == (0, True)


_VERBS = """
import json, sys
from halo_world import cli
print(json.dumps([cli(*line.split()) for line in sys.argv[1:]]))
"""


def run_without_rights_of_root(home, *lines):
    """What each line gives to a user who has the rights that files and folders say, and no others."""

    def drop() -> None:
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)

    command = [sys.executable, "-c", _VERBS, *lines]
    env = {**os.environ, "HALO_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, preexec_fn=drop, env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture
def copied_home(worked_home, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(worked_home, home)
    yield home
    home.chmod(0o700)


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
def test_a_home_without_rights_is_an_error_with_its_path(copied_home):
    copied_home.chmod(0)
    lines = ("log", "status", "show 1", "doctor", "ready", "agents", "stop --all")
    for line, (code, out, err) in zip(lines, run_without_rights_of_root(copied_home, *lines), strict=True):
        assert (line, code, out) == (line, 64, "")
        assert err.startswith("error "), line
        assert f"{copied_home}/" in err, line
        assert "Permission denied" in err, line
        assert "try: " in err, line


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
def test_a_folder_that_cannot_be_written_can_be_read_and_verified(copied_home):
    """An auditor's copy. SQLite answers with another code than on a medium that is mounted read-only."""
    copied_home.chmod(0o500)
    read, whole, unlisted = run_without_rights_of_root(copied_home, "log", "verify", "known list")
    assert (read[0], "lookup" in read[1], read[2]) == (0, True, "")
    assert (whole[0], "whole: nothing was changed" in whole[1]) == (0, True)
    # What shows content has to be recorded, and cannot be.
    assert unlisted[0] in (0, 2)


def test_a_path_that_no_file_system_takes_is_an_error_too(tmp_path):
    for verb in ("log", "status", "doctor", "ready"):
        code, out, err = cli(verb, home=tmp_path / ("a" * 300))
        assert (code, out) == (64, ""), verb
        assert "File name too long" in err
        assert "try: " in err


def test_a_misspelt_agent_in_the_log_names_the_similar_ones(worked_home):
    assert cli("log", "--agent", "clark", home=worked_home)[1].strip() == "no entry matches; similar names: clerk"
    assert cli("log", "--agent", "clerk", "--tool", "nothing", home=worked_home)[1].strip() == "no entry matches"


def test_a_file_of_known_values_is_refused_by_its_line(worked_home, tmp_path):
    path = tmp_path / "payees.csv"
    path.write_text("kind,value,name\naccount,DE89370400440532013000,Ana\niban,1,Bo\n")
    code, _, err = cli("known", "import", str(path), home=worked_home)
    assert (code, "error line 3: `iban` is not a kind of known value" in err) == (64, True)
    assert cli("known", "add", "iban", "1", home=worked_home)[2].startswith("error kind: ")


def test_a_waiver_that_is_too_long_is_refused_by_the_name_of_its_option(worked_home):
    line = ("waive", "pci-dss-4.0.1", "10.3.3", "--owner", "olga", "--until", "800d", "--why", "w")
    code, _, err = cli(*line, home=worked_home)
    assert (code, err.startswith("error until: ")) == (64, True)


def test_a_hold_of_a_misspelt_session_is_refused_by_what_was_written(worked_home):
    code, _, err = cli("hold", "set", "--session", "on", "--why", "case", home=worked_home)
    assert (code, "there is no session named `on` here, known here: one" in err) == (64, True)


def test_a_person_of_whom_nothing_is_known_is_told_how_to_name_one(worked_home):
    """Answers hold references and no names, so similar names cannot be listed."""
    code, out, _ = cli("reach", "--user", "an@bank.example", home=worked_home)
    assert (code, "write the name as the application gives it" in " ".join(out.split())) == (2, True)


@pytest.mark.parametrize(
    ("line", "message", "list_verb"),
    [
        (("lift", "--agent", "clerck"), "there was no stop of agent clerck", "halo status"),
        (("known", "revoke", "email", "ana@bank.example"), "this email was not known", "halo known list"),
        (("hold", "lift", "--agent", "clerk"), "there was no legal hold of agent clerk", "halo hold list"),
    ],
)
def test_ending_what_is_not_there_changes_nothing_and_says_so(worked_home, line, message, list_verb):
    code, out, err = cli(*line, home=worked_home)
    words = " ".join(out.split())
    assert (code, message in words, f"`{list_verb}`" in words, err) == (2, True, True, "")
    assert cli(*line, "--json", home=worked_home)[0] == 2


def test_a_retention_schedule_that_nobody_signed_is_refused_by_its_name(copied_home, tmp_path):
    people = tmp_path / "people"
    assert cli("approver", "enrol", "mia", "--key-home", str(people), home=copied_home)[0] == 0
    line = ("retention", "set", "decisions", "--keep", "400d")
    code, _, err = cli(*line, home=copied_home)
    words = " ".join(err.split())
    assert (code, "the retention schedule of decisions: 1 enrolled person has to sign it" in words) == (10, True), err
    assert "with the key at hand add `--as NAME --key-home FOLDER`" in words
    assert cli(*line, "--as", "mia", "--key-home", str(people), home=copied_home)[0] == 0


def test_alerts_are_listed_by_the_name_of_other_lists(worked_home):
    for options in ((), ("--json",), ("--open",)):
        assert cli("alerts", "list", *options, home=worked_home) == cli("alerts", *options, home=worked_home)
