"""`.ci/install.py`, as far as it can be tested without an index: which settings of pip's it passes on to uv."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALL = runpy.run_path(str(ROOT / ".ci" / "install.py"))
REQUIRED = "uv==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nuv-build==2.0 \\\n    --hash=sha256:cc\n"


def translated(*lines: str) -> dict[str, str] | None:
    variables = INSTALL["translate"](lines, REQUIRED)
    return variables and {name: value for name, value in variables.items() if name != "UV_INDEX_STRATEGY"}


@pytest.mark.parametrize(
    ("line", "variables"),
    [
        ("global.index-url='https://a.example/simple'", {"UV_DEFAULT_INDEX": "https://a.example/simple"}),
        (":env:.index-url='https://a.example/simple'", {"UV_DEFAULT_INDEX": "https://a.example/simple"}),
        (
            "install.extra-index-url='\\nhttps://a.example\\nhttps://b.example'",
            {"UV_INDEX": "https://a.example https://b.example"},
        ),
        ("global.find-links='/wheels /more'", {"UV_FIND_LINKS": "/wheels,/more"}),
        ("global.cert='/etc/ca.pem'", {"SSL_CERT_FILE": "/etc/ca.pem"}),
        (":env:.timeout='180'", {}),
        (":env:.config-file='/etc/other.conf'", {}),
        ("list.format='json'", {}),
    ],
)
def test_a_setting_of_pip_is_passed_on(line, variables):
    assert translated(line) == variables


def test_what_a_variable_says_overrides_a_file():
    lines = ("global.index-url='https://a.example'", ":env:.index-url='https://b.example'")
    assert translated(*lines) == {"UV_DEFAULT_INDEX": "https://b.example"}


@pytest.mark.parametrize("line", ["global.no-binary=':all:'", "install.keyring-provider='import'", "what is this"])
def test_under_a_setting_that_uv_cannot_have_pip_installs(line):
    assert translated(line) is None


def test_constraints_on_what_is_installed_are_left_to_pip(tmp_path):
    constraints = tmp_path / "constraints.txt"
    setting = f"global.constraint='{constraints}'"
    assert translated(setting) is None  # it cannot be read
    constraints.write_text("# of this machine\ntorch<=2 ; python_version == '3.11'\n")
    assert translated(setting) == {}
    constraints.write_text("torch<=2\nUV_Build<3\n")
    assert translated(setting) is None
    constraints.write_text("-r others.txt\n")
    assert translated(setting) is None


def test_a_package_is_pinned_with_all_its_hashes_and_nothing_else():
    assert INSTALL["pinned"](REQUIRED, "uv") == REQUIRED[: REQUIRED.index("uv-build")]
    assert INSTALL["pinned"](REQUIRED, "absent") == ""


@pytest.mark.parametrize("file", ["requirements-dev.txt", ".ci/requirements-lowest.txt"])
def test_every_requirement_has_a_hash(file):
    text = (ROOT / file).read_text()
    names = [line.partition("==")[0] for line in text.splitlines() if "==" in line and not line.startswith(" ")]
    assert names
    assert all("--hash=sha256:" in INSTALL["pinned"](text, name) for name in names)


def test_no_page_and_no_message_installs_halo_from_an_index():
    """Halo is on none, so anybody could put something there under its name."""
    folders = ("docs", "examples", "src", "studies")
    paths = [*ROOT.glob("*.md"), *(path for name in folders for path in (ROOT / name).rglob("*") if path.is_file())]
    texts = {path: path.read_text(encoding="utf-8") for path in paths if path.suffix in (".md", ".py")}
    assert [path.name for path, text in texts.items() if "halo-agents[" in text or "install halo-agents" in text] == []
