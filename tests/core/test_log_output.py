"""What the library logs: for people on stderr by default, for hosts through `logging`."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from halo_core.enforcement.call import Call
from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.log_output import DefaultHandler
from halo_core.model import Resource


class Records(logging.Handler):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(params=["", "halo", "halo.facade"])
def host(request) -> Iterator[Records]:
    """A handler of the host's, on the root logger or on one of Halo's."""
    handler, logger = Records(), logging.getLogger(request.param)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def open_one(home, *, quiet: bool = False) -> HaloBase:
    return HaloBase.local("clerk", home=home, mode="observe", quiet=quiet)


def start_line(home) -> str:
    return f"observe mode: actions RUN whatever the decision; assurance dev: keys in {home}, generated on this machine"


def test_without_logging_of_the_hosts_a_person_reads_it_on_stderr(tmp_path, capsys):
    with open_one(tmp_path):
        assert capsys.readouterr().err == f"halo: {start_line(tmp_path)}\n"


def test_a_host_that_has_configured_logging_gets_the_record_and_stderr_stays_empty(tmp_path, capsys, host):
    with open_one(tmp_path):
        assert capsys.readouterr().err == ""
    record = host.records[0]
    assert (record.name, record.levelname, record.getMessage()) == ("halo.facade", "WARNING", start_line(tmp_path))
    assert (record.halo_event, record.halo_agent, record.halo_tenant) == ("notice", "clerk", "local")


def test_quiet_logs_no_notices_to_anybody(tmp_path, capsys, host):
    with open_one(tmp_path, quiet=True):
        pass
    assert (host.records, capsys.readouterr().err) == ([], "")


def test_a_null_handler_of_the_hosts_changes_nothing(tmp_path, capsys):
    silent = logging.NullHandler()
    logging.getLogger().addHandler(silent)
    try:
        with open_one(tmp_path):
            assert start_line(tmp_path) in capsys.readouterr().err
    finally:
        logging.getLogger().removeHandler(silent)


def test_a_logger_that_does_not_propagate_hides_the_root_from_halo(tmp_path, capsys):
    root, halo = Records(), logging.getLogger("halo")
    logging.getLogger().addHandler(root)
    halo.propagate = False
    try:
        with open_one(tmp_path):
            assert start_line(tmp_path) in capsys.readouterr().err
        assert root.records == []
    finally:
        halo.propagate = True
        logging.getLogger().removeHandler(root)


def test_a_decision_that_could_not_be_made_is_an_error_with_its_reason(tmp_path, capsys):
    halo = open_one(tmp_path, quiet=True)
    halo.close()
    handler = Records()
    with pytest.raises(Denied):
        _begin_enforced(halo)
    assert "halo: no decision for `lookup`: " in capsys.readouterr().err
    logging.getLogger("halo").addHandler(handler)
    try:
        with pytest.raises(Denied):
            _begin_enforced(halo)
    finally:
        logging.getLogger("halo").removeHandler(handler)
    (record,) = handler.records
    assert (record.name, record.levelname, record.halo_event) == ("halo.enforcement", "ERROR", "undecided")
    assert (record.halo_resource, record.halo_reason) == ("lookup", "ledger_closed")


def _begin_enforced(halo: HaloBase) -> None:
    halo.enforcer._last_mode = type(halo.enforcer._last_mode).ENFORCE
    halo.enforcer.begin(Call(Resource(id="lookup"), {}, session="s"))


def test_one_default_handler_however_many_stores_are_opened(tmp_path):
    for name in ("one", "two"):
        with open_one(tmp_path / name, quiet=True):
            pass
    assert sum(isinstance(item, DefaultHandler) for item in logging.getLogger("halo").handlers) == 1


def test_importing_adds_no_handler_but_the_null_one():
    code = (
        "import logging, halo_core.facade; print(*map(type, logging.getLogger('halo').handlers), logging.root.handlers)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "<class 'logging.NullHandler'> []\n"


def test_output_that_cannot_be_written_stops_nothing(tmp_path, monkeypatch):
    class Closed:
        def write(self, _text: str) -> int:
            raise ValueError("I/O operation on closed file")

    monkeypatch.setattr(sys, "stderr", Closed())
    monkeypatch.setattr(logging, "raiseExceptions", False)
    with open_one(tmp_path) as halo:
        assert halo.agent == "clerk"
