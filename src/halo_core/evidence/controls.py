"""The control map: the requirements of frameworks, how far the log shows that each is met, and the checks for it.

    for framework in load_frameworks():
        for control in framework.controls: ...

The map is package data, one file for each framework in `controls/`, in our own words. A report does not print the
coverage that the map claims, but that of `Control.limit_coverage`: `full` and `partial` need a check that a test has
seen fail on a ledger with a planted gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, Final

import yaml

from halo_core.errors import ConfigError
from halo_core.quick_dataclass import dataclass

FRAMEWORKS: Final = (
    "pci-dss-4.0.1",
    "eu-ai-act",
    "nist-800-53-r5",
    "nist-ai-rmf-1.0",
    "soc2-tsc-2017",
    "owasp-llm-2025",
    "owasp-llm-2026",
    "owasp-agentic-2026",
    "nist-800-207",
    "fs-ai-rmf-1.0",
    "cisa-agentic-2026",
)
"""Ids of the frameworks, in the order in which they are shown."""

_FRAMEWORK_FIELDS: Final = frozenset({"about", "id", "name", "publisher", "rows", "scope", "sources", "titles"})
_CONTROL_FIELDS: Final = frozenset({"asks", "checks", "coverage", "id", "remains", "shows", "title"})
_OPTIONAL_FIELDS: Final = frozenset({"keeps_days", "source"})
AS_SCHEDULED: Final = -1
"""Value of `Control.keeps_days`: as long as the longest schedule that `halo retention set` put in force."""


class Coverage(StrEnum):
    """How far the log alone shows what a control asks for, of actions that pass through Halo."""

    FULL = "full"
    PARTIAL = "partial"
    SUPPORTS = "supports"
    NONE = "none"


COVERAGE_WORDS: Final[Mapping[Coverage, str]] = {
    Coverage.FULL: "the log alone shows it, for actions that pass through Halo",
    Coverage.PARTIAL: "the log shows the part that is named",
    Coverage.SUPPORTS: "the log is useful input; the control itself is elsewhere",
    Coverage.NONE: "the log shows nothing of it; it is listed so that nobody claims it",
}


@dataclass(frozen=True, slots=True)
class Control:
    """One row of a framework.

    Args:
        id: as the framework writes it; of the OWASP lists with the year.
        title: the framework's, or our words where its titles are copyrighted or missing (see `Framework.titles`).
        asks: what the control asks for.
        coverage: what the map claims.
        checks: ids of the checks that are run for it.
        shows: what the evidence shows.
        remains: what the evidence does not show.
        source: where id and title were read.
        verified: how well that source is known: `publisher`, `catalogue`, `transcription` or `secondary`.
        keeps_days: for how many days the control asks to keep records, which a younger log cannot show;
            `AS_SCHEDULED` for as long as the schedules in the log say, 0 where it asks for no time.
    """

    id: str
    title: str
    asks: str
    coverage: Coverage
    checks: tuple[str, ...]
    shows: str
    remains: str
    source: str
    verified: str
    keeps_days: int = 0

    def limit_coverage(self, tested: frozenset[str]) -> Coverage:
        """The coverage that a report prints: at most `supports`, unless one of the control's checks is tested.

        Args:
            tested: checks that a test has seen fail on a ledger with a planted gap.
        """
        if self.coverage in (Coverage.FULL, Coverage.PARTIAL) and tested.isdisjoint(self.checks):
            return Coverage.SUPPORTS
        return self.coverage


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework with its controls, in the framework's order.

    Args:
        id: one of `FRAMEWORKS`.
        name: name with its version.
        publisher: who publishes it.
        scope: which part of it the map covers.
        titles: `official`, or `ours` where titles are copyrighted or missing.
        about: what a reader must know before using the map.
        controls: its rows.
    """

    id: str
    name: str
    publisher: str
    scope: str
    titles: str
    about: str
    controls: tuple[Control, ...]

    def find(self, control: str) -> Control | None:
        """The control of an id."""
        return next((item for item in self.controls if item.id == control), None)


@cache
def load_frameworks() -> tuple[Framework, ...]:
    """Every framework of the map, in the order of `FRAMEWORKS`."""
    return tuple(map(load_framework, FRAMEWORKS))


@cache
def load_framework(name: str) -> Framework:
    """One framework.

    Raises:
        ConfigError: `no_such_framework`.
    """
    if name not in FRAMEWORKS:
        similar = [item for item in FRAMEWORKS if _fold(name) and _fold(item).startswith(_fold(name))]
        meant = f"did you mean {' or '.join(f'`{item}`' for item in similar)}? " if similar else ""
        remedy = f"{meant}choose one of {', '.join(FRAMEWORKS)}"
        raise ConfigError("no_such_framework", f"there is no framework `{name[:64]}`", field="framework", remedy=remedy)
    file = resources.files("halo_core.evidence") / "controls" / f"{name}.yaml"
    return read_framework(yaml.safe_load(file.read_text(encoding="utf-8")))


def _fold(name: str) -> str:
    """A name without signs and case, so that `soc-2` begins `soc2-tsc-2017`."""
    return "".join(filter(str.isalnum, name.casefold()))


def find_control(name: str) -> tuple[Framework, Control]:
    """The framework and the control of a name such as `pci-dss-4.0.1 10.2.2`.

    Raises:
        ConfigError: `no_such_framework`, `no_such_control`.
    """
    framework_id, _, control_id = name.strip().partition(" ")
    framework = load_framework(framework_id)
    control = framework.find(control_id.strip())
    if control is None:
        problem = f"`{framework_id}` has no control `{control_id[:64]}` in this map"
        raise ConfigError("no_such_control", problem, field="control", remedy="see `halo report --list`")
    return framework, control


def read_framework(tree: Any) -> Framework:
    """A framework from the tree of its file.

    Raises:
        ValueError: the tree has another form.
    """
    _require_fields(tree, _FRAMEWORK_FIELDS, frozenset(), "framework")
    if tree["titles"] not in ("official", "ours"):
        raise ValueError(f"`titles` of {tree['id']} is neither `official` nor `ours`")
    controls = tuple(_read_control(row, tree["sources"]) for row in tree["rows"])
    if len({item.id for item in controls}) != len(controls):
        raise ValueError(f"{tree['id']} names a control twice")
    return Framework(
        id=_read_text(tree, "id"),
        name=_read_text(tree, "name"),
        publisher=_read_text(tree, "publisher"),
        scope=_read_text(tree, "scope"),
        titles=_read_text(tree, "titles"),
        about=_read_text(tree, "about"),
        controls=controls,
    )


def _read_control(row: Any, sources: Mapping[str, str]) -> Control:
    _require_fields(row, _CONTROL_FIELDS, _OPTIONAL_FIELDS, "control")
    verified = row.get("source", next(iter(sources)))
    if verified not in sources:
        raise ValueError(f"{row['id']} names the source `{verified}`, which its framework does not have")
    checks = row["checks"]
    if not isinstance(checks, list) or len(set(checks)) != len(checks):
        raise ValueError(f"{row['id']} has no list of different checks")
    keeps_days = row.get("keeps_days", 0)
    keeps_days = AS_SCHEDULED if keeps_days == "scheduled" else keeps_days
    if type(keeps_days) is not int or (keeps_days and "retention" not in checks):
        raise ValueError(f"`keeps_days` of {row['id']} is no number of days, or the check `retention` is missing")
    coverage = Coverage(row["coverage"])
    if coverage in (Coverage.FULL, Coverage.PARTIAL) and not checks:
        raise ValueError(f"{row['id']} is `{coverage}` without a check")
    return Control(
        id=_read_text(row, "id"),
        title=_read_text(row, "title"),
        asks=_read_text(row, "asks"),
        coverage=coverage,
        checks=tuple(checks),
        shows=_read_text(row, "shows"),
        remains=_read_text(row, "remains"),
        source=sources[verified],
        verified=verified,
        keeps_days=keeps_days,
    )


def _require_fields(tree: Any, needed: frozenset[str], optional: frozenset[str], subject: str) -> None:
    if not isinstance(tree, Mapping) or not needed <= tree.keys() <= needed | optional:
        names = sorted(needed ^ set(tree)) if isinstance(tree, Mapping) else []
        raise ValueError(f"a {subject} has other fields: {', '.join(map(str, names))}")


def _read_text(tree: Mapping[str, Any], name: str) -> str:
    text = tree[name]
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"`{name}` of `{tree.get('id')}` is no text")
    return " ".join(text.split())
