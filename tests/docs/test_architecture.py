"""docs/ARCHITECTURE.md against the code: each room is in the table, and what the page names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#([^)\s]*))?\)")


def rooms(package: str) -> set[str]:
    """Modules and packages directly under a package."""
    folder = ROOT / "src" / package
    files = {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}
    return files | {path.parent.name for path in folder.glob("*/__init__.py")}


def named(package: str) -> list[str]:
    """Names in the first column of a package's table."""
    section = PAGE.split(f"### {package}\n", 1)[1].split("\n#", 1)[0]
    return re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)


@pytest.mark.parametrize("package", ["halo_core", "halo_langchain", "halo_llamaindex", "halo_openai_agents"])
def test_every_room_is_in_the_table_once_and_every_name_is_a_room(package):
    assert sorted(named(package)) == sorted(rooms(package))


def test_every_package_has_a_table():
    packages = {path.parent.name for path in (ROOT / "src").glob("*/__init__.py")}
    assert packages == set(re.findall(r"^### (\w+)$", PAGE, re.MULTILINE))


def test_the_order_of_the_table_is_that_of_the_imports():
    text = (ROOT / ".importlinter").read_text(encoding="utf-8")
    layers = text.split("exhaustive = true\nlayers =\n", 1)[1].split("\n\n", 1)[0].splitlines()
    level = {room.strip(): depth for depth, layer in enumerate(layers) for room in layer.split("|")}
    depths = [level[room] for room in named("halo_core")]
    assert depths == sorted(depths)


def pages():
    return [ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
        (ROOT / "docs").rglob("*.md")
    )


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        path = (page.parent / target).resolve()
        assert path.exists(), target
        if anchor and path.suffix == ".py":
            found = re.search(rf"^(async )?def {re.escape(anchor)}\(", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert found, f"{target}#{anchor}"


def test_the_six_steps_stand_at_the_code():
    code = (ROOT / "src" / "halo_core" / "enforcement" / "enforcer.py").read_text(encoding="utf-8")
    steps = re.findall(r"^(\d)\. \*\*", PAGE, re.MULTILINE)
    assert steps == ["1", "2", "3", "4", "5", "6"]
    assert all(f"({step})" in code for step in steps)


def test_paths_in_the_page_are_there():
    for name in re.findall(r"`((?:src|tests|policy|pep|store|model|cli)/[\w/.]+)`", PAGE):
        base = ROOT if name.startswith(("src/", "tests/")) else ROOT / "src" / "halo_core"
        assert (base / name).exists(), name
