"""docs/ARCHITECTURE.md against the code: each package and module is in a table, and what the page names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#([^)\s]*))?\)")


ADAPTERS = {"halo_langchain": "LangChain", "halo_llamaindex": "LlamaIndex", "halo_openai_agents": "OpenAI Agents"}


def modules(package: str) -> set[str]:
    """Modules and packages directly under a package."""
    folder = ROOT / "src" / package
    files = {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}
    return files | {path.parent.name for path in folder.glob("*/__init__.py")}


def rows(section: str) -> list[list[str]]:
    """Cells of the rows of a section's table whose first cell is a name."""
    table = PAGE.split(f"### {section}\n", 1)[1].split("\n#", 1)[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| `")
    ]


def named(section: str) -> list[str]:
    """Names in the first column of a section's table."""
    return [cells[0].strip("`") for cells in rows(section)]


def test_every_package_of_the_core_is_in_the_table_once():
    assert sorted(named("halo_core")) == sorted(modules("halo_core"))


@pytest.mark.parametrize("package", ADAPTERS)
def test_every_module_of_an_adapter_is_in_the_table(package):
    listed = {cells[0].strip("`") for cells in rows("Adapters") if cells[2] == "all" or ADAPTERS[package] in cells[2]}
    assert listed == modules(package)


def test_every_package_is_in_the_page():
    packages = {path.parent.name for path in (ROOT / "src").glob("*/__init__.py")}
    assert packages == {"halo_core", *ADAPTERS}


def test_the_order_of_the_table_is_that_of_the_imports():
    text = (ROOT / ".importlinter").read_text(encoding="utf-8")
    layers = text.split("exhaustive = true\nlayers =\n", 1)[1].split("\n\n", 1)[0].splitlines()
    level = {name.strip(): depth for depth, layer in enumerate(layers) for name in layer.split("|")}
    depths = [level[name] for name in named("halo_core")]
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
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/halo_core/enforcement").glob("*.py"))
    steps = re.findall(r"^(\d)\. \*\*", PAGE, re.MULTILINE)
    assert steps == ["1", "2", "3", "4", "5", "6"]
    assert all(f"({step})" in code for step in steps)


def test_paths_in_the_page_are_there():
    for name in re.findall(r"`((?:src|tests|[a-z_]+)/[\w/.]+)`", PAGE):
        base = ROOT if name.startswith(("src/", "tests/", "docs/")) else ROOT / "src" / "halo_core"
        assert (base / name).exists(), name


def test_modules_to_read_first_are_there():
    table = PAGE.split("## Read first\n", 1)[1].split("\n## ", 1)[0]
    rows_by_question = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|([^|]*)\|$", table, re.MULTILINE)
    assert len(rows_by_question) > 5
    for package, *cells in rows_by_question:
        for name in re.findall(r"`(\w+)`", " ".join(cells)):
            assert (ROOT / "src" / "halo_core" / package / f"{name}.py").exists(), (package, name)
