"""Bad input: each error names what is wrong and what to do about it, and an old file survives a failed write."""

from __future__ import annotations

import ast
import resource
import shutil
from pathlib import Path

import pytest

from halo_core.cli.context import parse_duration, write_file
from halo_core.cli.rendering import fail
from halo_core.errors import CannotDecide, CanonicalError, ConfigError, PassportError, Tampered
from halo_core.facade import HaloBase
from halo_core.ledger.checkpoints import read_anchors
from halo_core.reasons import get_reason_text
from halo_core.views.wording import format_count
from halo_world import cli, policy_folder, tool

SOURCES = sorted((Path(__file__).parents[2] / "src").rglob("*.py"))
NEED_REMEDY = {"BadInput", "CannotDecide", "ConfigError", "PolicyError"}
COMPLETED_BY = "_locate_error"
"""Function of `identities/event_file.py` that gives every error of a line its remedy."""


def list_errors_without_remedy(path):
    """Line and text of each error made without one; one with default or with a reason's remedy is not listed."""
    text = path.read_text(encoding="utf-8")
    if not any(name in text for name in NEED_REMEDY):
        return
    nodes = ast.walk(ast.parse(text))
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    completed = {id(inner) for call in calls if call.func.id == COMPLETED_BY for inner in call.args}
    for call in calls:
        if call.func.id not in NEED_REMEDY:
            continue
        names = {item.arg for item in call.keywords}
        if not names & {"remedy", None} and id(call) not in completed:
            yield f"{path.name}:{call.lineno} {ast.unparse(call)[:120]}"


def test_every_error_about_input_has_a_remedy():
    assert [line for path in SOURCES for line in list_errors_without_remedy(path)] == []


def test_an_error_about_the_ledger_says_how_to_find_out_more():
    assert "halo verify" in Tampered("malformed_entry", "it cannot be read").remedy
    assert Tampered("unreadable", "it cannot be read", remedy="restore a copy").remedy == "restore a copy"
    assert "below 2**53" in CanonicalError("not_canonical", "no").remedy


def test_an_error_that_names_another_does_not_give_its_remedy(tmp_path):
    (tmp_path / "anchor.json").write_bytes(b'{"v":1')
    with pytest.raises(Tampered) as raised:
        read_anchors(tmp_path / "anchor.json")
    assert "not JSON" in raised.value.message
    assert CanonicalError.default_remedy not in str(raised.value)
    assert "restore it from a copy" in raised.value.remedy


def test_an_error_without_a_remedy_prints_that_of_its_code(capsys):
    assert fail(PassportError("expired", "it has expired"), 1) == 1
    remedy = get_reason_text("expired").remedy
    assert remedy
    assert f"try: {remedy}" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "1", "1x", "-5m", "1.5h", "5 m", "12345678s", "36501d", "9999999d", "٣d"])
def test_what_is_no_duration_is_refused_by_the_options_name(text):
    with pytest.raises(ConfigError) as raised:
        parse_duration(text, "for")
    assert (raised.value.code, raised.value.field, bool(raised.value.remedy)) == ("bad_duration", "for", True)


def test_a_duration_has_seconds():
    assert [parse_duration(text, "for") for text in ("90s", "30m", "1h", "36500d")] == [90, 1800, 3600, 3_153_600_000]


@pytest.fixture(scope="module")
def small_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("bad") / "home"
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        tool(halo, "lookup")
    assert cli("enforce", "--yes", home=home)[0] == 0
    return home


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (("observe", "--for", "9999999d", "--why", "x"), "for"),
        (("review", "open", "--reviewer", "ana", "--due", "9999999d"), "due"),
        (("review", "remind", "--within", "9999999d"), "within"),
        (("keys", "rotate", "issuer", "--overlap", "9999999d"), "overlap"),
        (("stop", "--all", "--drill", "--watch", "9999999d"), "watch"),
        (("alerts", "sla", "--within", "9999999d"), "within"),
        (("log", "--since", "9999999d"), "since"),
    ],
    ids=lambda item: item[-1] if isinstance(item, tuple) else item,
)
def test_a_time_that_no_date_can_have_is_refused_before_anything_happens(small_home, line, field):
    code, out, err = cli(*line, home=small_home)
    assert (code, out) == (64, "")
    assert f"error {field}: `9999999d`" in err
    assert "[bad_duration]" in err
    assert "try: " in err


def test_a_position_past_the_end_is_told_with_the_newest(small_home):
    code, _, err = cli("show", "99999", home=small_home)
    assert code == 64
    assert "no entry at position 99999" in err
    assert "the newest is " in err


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "report.html"
    path.write_bytes(b"the old report")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(ConfigError) as raised:
            write_file(path, b"x" * 10_000, "output")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (raised.value.code, raised.value.field, bool(raised.value.remedy)) == ("no_file", "output", True)
    assert path.read_bytes() == b"the old report"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("old", "mode", "new"), [(0o600, 0o666, 0o600), (0o644, 0o600, 0o600), (0o640, 0o666, 0o640)])
def test_a_file_that_is_replaced_is_no_more_readable_than_it_was(tmp_path, old, mode, new):
    path = tmp_path / "report.html"
    path.touch()
    path.chmod(old)
    write_file(path, b"x", "output", mode=mode)
    assert (path.stat().st_mode & 0o777, path.read_bytes()) == (new, b"x")


def test_a_file_is_written_through_a_link_and_to_a_device(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("real")
    write_file(link, b"new", "output")
    assert link.is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    write_file(Path("/dev/null"), b"new", "output")
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("place", ["missing/report.html", "", "file/report.html"])
def test_a_place_that_cannot_be_written_is_named(tmp_path, place):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError) as raised:
        write_file(tmp_path / place, b"x", "output")
    assert (raised.value.code, raised.value.field) == ("no_file", "output")
    assert str(tmp_path) in raised.value.message


@pytest.mark.parametrize("content", [b"this is no database\n" * 400, b"SQLite format 3\0" + b"\xff" * 8192])
def test_a_damaged_database_is_told_from_a_full_disk(small_home, tmp_path, content):
    home = tmp_path / "home"
    shutil.copytree(small_home, home)
    for path in home.glob("halo.db*"):
        path.unlink()
    (home / "halo.db").write_bytes(content)
    with pytest.raises(CannotDecide) as raised:
        HaloBase.local("clerk", home=home, quiet=True)
    assert raised.value.code == "ledger_unwritable"
    assert "restore a copy" in raised.value.remedy
    assert (home / "halo.db").read_bytes() == content


def test_one_of_something_is_no_plural(small_home):
    assert [format_count(n, "entry", "entries") for n in (0, 1, 2000)] == ["0 entries", "1 entry", "2,000 entries"]
    code, out, _ = cli("status", home=small_home)
    assert code == 0
    assert "in 0 sessions" in out
