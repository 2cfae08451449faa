"""Hooks of the documentation site (mkdocs.yml).

They make the start page from README.md, turn links to files outside of `docs/` into links to the repository, and fill
in the values of enumerations.
"""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"
_LINK: Final = re.compile(r"(?P<open>\]\()(?P<target>[^)#\s:]+)(?P<anchor>#[^)\s]*)?(?P<close>\))")
_VALUES: Final = re.compile(r"<!-- values of (?P<module>[\w.]+)\.(?P<name>\w+) -->")
_FENCE: Final = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the start page."""
    files.append(File.generated(config, "index.md", content=(ROOT / "README.md").read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001  mkdocs calls by name
    """Rewrite the links of a page, and fill in what is generated."""
    source = page.file.src_uri
    markdown = _VALUES.sub(_values, markdown)
    folder = ROOT if source == "index.md" else (DOCS / source).parent
    here = (DOCS / source).parent

    def rewrite(link: re.Match[str]) -> str:
        target, anchor = link["target"], link["anchor"] or ""
        path = (folder / target).resolve()
        if path.is_relative_to(DOCS) and path.is_file():
            return f"{link['open']}{os.path.relpath(path, here)}{anchor}{link['close']}"
        return f"{link['open']}{_in_repository(path, anchor, config)}{link['close']}"

    # Code blocks stay as they are.
    parts = _FENCE.split(markdown)
    return "".join(part if part.startswith("```") else _LINK.sub(rewrite, part) for part in parts)


def _in_repository(path: Path, anchor: str, config: MkDocsConfig) -> str:
    """The address of a file or folder in the repository, at the line of a test that the anchor names."""
    kind = "tree" if path.is_dir() else "blob"
    if path.suffix == ".py" and anchor:
        lines = path.read_text(encoding="utf-8").splitlines()
        named = re.compile(rf"(async )?def {re.escape(anchor[1:])}\(")
        anchor = next((f"#L{number}" for number, line in enumerate(lines, 1) if named.match(line)), "")
    return f"{config.extra['repository']}/{kind}/main/{path.relative_to(ROOT).as_posix()}{anchor}"


def _values(found: re.Match[str]) -> str:
    """The values of an enumeration, where a page asks for them."""
    members = getattr(importlib.import_module(found["module"]), found["name"])
    return "Values: " + ", ".join(f"`{member.name}` (`{member.value!r}`)" for member in members) + "."
