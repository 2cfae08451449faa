"""`halo doctor`: what it loads, what it says, how it exits."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from halo_core.crypto.keys import KeyStore
from halo_world import cli

APP = '''
import os
from langchain_core.tools import tool
from halo_langchain import Halo
from halo_langchain.testing import ScriptedModel

print("this goes to stderr")
halo = Halo.local("desk", home=os.environ["TEST_HOME"], quiet=True)


@tool
def lookup(q: str) -> str:
    """Look it up."""
    return q


guarded = halo.guard([lookup])
mixed = [*guarded, ScriptedModel(script=[])]
nested = type("Space", (), {"inner": guarded})
nothing = {"a": 1}


def build(size: int = 1):
    return guarded * size


def needs(size):
    return size


async def later():
    return guarded


def fails():
    raise LookupError("no such [red]table[/]")


class Crew:
    __module__ = "crewai.crew"


other = Crew()
'''


@pytest.fixture
def app(tmp_path: Path, monkeypatch: Any) -> Any:
    """An app in the working directory; gives its module's name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HALO_HOME", raising=False)
    before = set(sys.modules)
    path = list(sys.path)
    (tmp_path / "deskapp.py").write_text(APP)
    (tmp_path / "broken.py").write_text("import deskap_missing\n")
    (tmp_path / "quits.py").write_text("raise SystemExit(3)\n")
    yield "deskapp"
    halo = getattr(sys.modules.get("deskapp"), "halo", None)
    if halo is not None:
        halo.close()
    for name in {"broken", "deskapp", "quits"} - before:
        sys.modules.pop(name, None)
    assert sys.path == path


def test_nothing_open_exits_0(app):
    code, out, err = cli("doctor", f"{app}:guarded")
    assert code == 0
    assert "closed: decided before it runs" in out
    assert "1 closed, 0 open, 1 noted" in out
    assert "this goes to stderr" in err
    assert "this goes to stderr" not in out


def test_anything_open_exits_1_and_comes_first(app):
    code, out, _ = cli("doctor", f"{app}:mixed")
    assert code == 1
    assert out.index("open: can run without a decision") < out.index("closed: ") < out.index("noted: ")
    assert "use `halo.guard(model)` in its place" in out
    assert "1 closed, 1 open, 1 noted" in out


def test_json_is_one_document(app):
    code, out, _ = cli("doctor", f"{app}:mixed", "--json")
    found = json.loads(out)
    assert (code, found["exit_code"]) == (1, 1)
    assert found["counts"] == {"closed": 1, "noted": 1, "open": 1}
    assert set(found["findings"][0]) == {"kind", "name", "where", "point", "status", "remedy"}
    assert found["findings"][0]["status"] == "open"


def test_an_attribute_path_and_a_function_that_makes_the_app(app):
    assert cli("doctor", f"{app}:nested.inner")[0] == 0
    code, out, _ = cli("doctor", f"{app}:build")
    assert code == 0
    assert "`build` was called" in out
    assert "was called" in json.loads(cli("doctor", f"{app}:build", "--json")[1])["note"]


def test_nothing_governable_exits_2(app):
    for name in ("nothing", "needs"):
        code, out, _ = cli("doctor", f"{app}:{name}")
        assert code == 2
        assert "cannot tell" in out


def test_a_function_that_needs_arguments_is_not_called_and_says_what_to_name(app):
    says = "`needs` was not called because it needs arguments (`size`); name a function without arguments"
    assert says in cli("doctor", f"{app}:needs")[1].replace("\n", " ")
    assert json.loads(cli("doctor", f"{app}:needs", "--json")[1])["note"] == says


@pytest.mark.parametrize(
    ("target", "says", "remedy"),
    [
        ("deskap:guarded", "there is no module `deskap`", "did you mean `deskapp`"),
        ("deskapp:guardet", "`deskapp` has no `guardet`", "did you mean `guarded`"),
        ("deskapp:nested.iner", "`deskapp` has no `nested.iner`", "did you mean `inner`"),
        ("deskapp.py:guarded", "does not name an object", "write `deskapp:guarded`"),
        ("deskapp", "does not name an object", "MODULE:OBJECT"),
        ("deskapp:", "does not name an object", "MODULE:OBJECT"),
        (":x", "does not name an object", "MODULE:OBJECT"),
        ("a b:c", "does not name an object", "MODULE:OBJECT"),
        ("broken:x", "importing `broken` raised ModuleNotFoundError", "deskap_missing"),
        ("quits:x", "importing `quits` raised SystemExit: 3 (quits.py, line 1)", "importable"),
        ("deskapp:fails", "raised LookupError: no such [red]table[/]", "importable"),
        ("deskapp:later", "coroutine function", "asyncio.run(later())"),
        ("deskapp:other", "belongs to `crewai`", "halo_langchain"),
        ("deskapp.inner:x", "there is no module `deskapp.inner`", "did you mean `deskapp`"),
    ],
)
def test_what_cannot_be_loaded_is_said_and_exits_64(app, target, says, remedy):
    code, out, err = cli("doctor", target)
    assert code == 64
    assert says in err
    assert remedy in err
    assert out == ""


def test_keys_that_this_user_can_read_are_noted_in_one_row(app, tmp_path):
    store = KeyStore(tmp_path / "home")
    for name in ("agent-desk", "issuer", "approver-ana"):
        store.signer(name)
    code, out, _ = cli("doctor", f"{app}:guarded", "--json", home=tmp_path / "home")
    keys = [item for item in json.loads(out)["findings"] if item["kind"] == "key"]
    assert code == 0
    (row,) = keys
    assert row["status"] == "noted"
    assert set(row["name"].split(", ")) == {"agent-desk", "approver-ana", "issuer", "log"}
    assert "checkpoints" in row["remedy"]


def test_a_home_that_is_not_there_is_said(app, tmp_path):
    code, _, err = cli("doctor", f"{app}:guarded", home=tmp_path / "nowhere")
    assert code == 64
    assert "there is no folder" in err
    assert not (tmp_path / "nowhere").exists()


def test_a_narrow_terminal_shows_every_word(app, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    _, out, _ = cli("doctor", f"{app}:mixed")
    assert max(map(len, out.splitlines())) <= 100
    assert "halo.guard(model)" in out
