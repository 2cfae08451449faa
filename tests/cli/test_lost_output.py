"""A verb that changes something makes the change, whatever becomes of what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Resource
from halo_core.store.reader import Reader
from halo_world import SURFACE, Calls, cli, schema, url_of
from preloaded_python import find_python

_RUN = "from halo_core.cli import main; main()"


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    with HaloBase.local("desk", home=folder, quiet=True) as halo, halo.session("one", request="read order 7"):
        for name, resource in (("send_report", None), ("lookup", Resource(impact="read"))):
            tool = halo.register(ActionKind.TOOL_CALL, name, resource=resource, schema=schema({"q": {}}))
            halo.enforcer.run(halo.build_call(tool, {"q": "7"}), Calls("done"), SURFACE)
    return folder


def run(*argv: str, home: Path, stdout: int, stderr: int = subprocess.PIPE, stdin: int = subprocess.DEVNULL):
    """Run `halo` as a process; exit code and what stood on standard error."""
    command = [*find_python(), "-c", _RUN, *argv, "--home", str(home)]
    done = subprocess.run(command, stdout=stdout, stderr=stderr, stdin=stdin, timeout=60, check=False)
    return done.returncode, (done.stderr or b"").decode()


@pytest.fixture
def broken():
    """A pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def mode_of(home):
    return json.loads(cli("status", "--json", home=home)[1])["local"]["mode"]


def test_enforce_switches_although_nobody_reads_what_it_prints(home, broken):
    code, err = run("enforce", "--yes", home=home, stdout=broken)
    assert (code, mode_of(home)) == (0, "enforce"), err
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert "send_report" in (home / "agents.yaml").read_text()


def test_enforce_switches_although_nobody_reads_standard_error_either(home, broken):
    assert run("enforce", "--yes", home=home, stdout=broken, stderr=broken)[0] == 0
    assert mode_of(home) == "enforce"


def test_a_reader_that_stops_after_a_line_stops_nothing(home):
    command = [*find_python(), "-c", _RUN, "enforce", "--yes", "--grants", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline()
        process.stdout.close()
        process.stderr.read()
        assert process.wait(60) == 0
    assert mode_of(home) == "enforce"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_stops_nothing_and_is_an_error(home):
    with Path("/dev/full").open("wb") as full:
        code, err = run("enforce", "--yes", home=home, stdout=full.fileno())
    assert (code, mode_of(home)) == (1, "enforce")
    assert "part of the output is missing (No space left on device); the command itself" in " ".join(err.split())


@pytest.mark.parametrize("closed", [(1,), (1, 2)])
def test_a_closed_stream_stops_nothing(home, closed):
    command = [sys.executable, "-c", _RUN, "enforce", "--yes", "--home", str(home)]
    close = f"import os; [os.close(n) for n in {closed!r}]; os.execv({command[0]!r}, {command!r})"
    assert subprocess.run([sys.executable, "-c", close], timeout=60, check=False).returncode == 0
    assert mode_of(home) == "enforce"


def test_the_exit_code_is_that_of_the_verb(home, broken):
    assert run("lift", "--tool", "lookup", home=home, stdout=broken)[0] == 2  # there was no such stop
    assert run("show", "no-such-entry", home=home, stdout=broken)[0] == 64


def count_entries(home):
    with Reader(url_of(home)) as reader:
        return reader.next_index("local")


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("stop", "--tool", "lookup"), 0),
        (("stop", "--tool", "lookup", "--drill", "--watch", "1s", "--lift"), 2),  # nothing ran that it could stop
        (("revoke", "--session", "one", "--why", "over"), 0),
        (("known", "add", "email", "ana@bank.example"), 0),
        (("approver", "enrol", "mia@bank.example"), 0),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_other_acts_are_recorded_too(home, broken, argv, expected):
    before = count_entries(home)
    code, err = run(*argv, home=home, stdout=broken)
    assert code == expected, err
    assert count_entries(home) > before
    if "--lift" in argv:
        assert cli("lift", "--tool", "lookup", home=home)[0] == 2  # it is lifted already


def test_a_question_that_could_not_be_shown_is_not_answered(home, broken):
    reading, writing = os.pipe()
    os.write(writing, b"y\n")
    os.close(writing)
    code, err = run("enforce", "--grants", home=home, stdout=broken, stdin=reading)
    os.close(reading)
    assert (code, mode_of(home)) == (64, "observe")
    assert "nothing was changed [not_shown]" in " ".join(err.split())


def test_a_log_that_is_followed_ends_when_nobody_reads_it(home):
    command = [*find_python(), "-c", _RUN, "log", "--follow", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert b"lookup" in process.stdout.readline() + process.stdout.readline() + process.stdout.readline()
        process.stdout.close()
        with HaloBase.local("desk", home=home, quiet=True) as halo, halo.session("two", request="read order 8"):
            tool = halo.register(ActionKind.TOOL_CALL, "lookup", resource=Resource(impact="read"), schema=schema({}))
            halo.enforcer.run(halo.build_call(tool, {}), Calls("done"), SURFACE)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        assert process.poll() == 0
