"""The form of an answer to an auditor's question: claim, verdict, period, population, query and tool.

An answer says what was counted (`Population`: the positions in the log, and the checkpoint that covers them), so that
its completeness can be checked. The verdict determines the exit code of the command.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import halo_core
from halo_core.quick_dataclass import dataclass

_DISTRIBUTION: Final = "halo-agents"
END_US: Final = 2**62
"""A time after every other one, microseconds since 1970."""
_LAST_US: Final = 253_402_300_799_999_999
"""The end of the year 9999, after which no date is written."""


MAX_LISTED: Final = 50_000
"""Rows of an answer; a longer list needs a shorter period."""


class Verdict(StrEnum):
    """Whether a claim holds; its `exit_code` is that of the command."""

    HOLDS = "holds"
    FAILS = "fails"
    CANNOT_TELL = "cannot_tell"

    @property
    def exit_code(self) -> int:
        """0, 1 or 2."""
        return tuple(Verdict).index(self)


@dataclass(frozen=True, slots=True)
class Period:
    """A period of time: from a moment to just before another one, microseconds since 1970 (UTC).

    A period that begins at 0 begins with the log; no date is written for it.
    """

    from_us: int
    to_us: int

    def contains(self, ts_us: int) -> bool:
        """Whether a moment is in it."""
        return self.from_us <= ts_us < self.to_us

    def describe(self) -> str:
        """The period in words, for the head of an answer."""
        first = format_moment(self.from_us) if self.from_us else "the beginning of the log"
        last = format_moment(self.to_us) or "-"
        return f"{first or '-'} to {'its end' if self.to_us == END_US else f'{last} (UTC, end excluded)'}"

    def to_json(self) -> dict[str, Any]:
        """For programs; the beginning of the log is None, and so is an end that no date has."""
        return {
            "from": format_moment(self.from_us) if self.from_us else None,
            "from_us": self.from_us,
            "to": format_moment(self.to_us),
            "to_us": self.to_us,
        }


@dataclass(frozen=True, slots=True)
class Population:
    """What an answer is based on.

    Args:
        counted: number of items counted.
        what: what was counted, in words, such as `decisions`.
        first_index: position of the first entry of the period in the tenant's log; -1 where it has none.
        last_index: position of the last one; -1 where it has none.
        tree_size: size of the newest checkpoint, under which the answer was made; 0 where there is none.
        root: its root, base64.
        uncovered: entries of the period that this checkpoint does not cover yet.
    """

    counted: int
    what: str
    first_index: int
    last_index: int
    tree_size: int
    root: str
    uncovered: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question.

    Args:
        query: the whole command, options sorted and times in ISO UTC; people and sessions are references.
        tenant: owner of the log.
        period: period of the question.
        population: what was counted.
        claim: one sentence that holds or does not.
        verdict: whether it does.
        findings: each exception in a plain sentence; empty if the claim holds.
        columns: keys of the rows, in order.
        rows: rows of JSON values.
        notes: limits of the answer.
        tool: name, version and digest of the program that answered.
    """

    query: str
    tenant: str
    period: Period
    population: Population
    claim: str
    verdict: Verdict
    findings: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    tool: str

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        population = self.population
        return {
            "claim": self.claim,
            "columns": list(self.columns),
            "exit_code": self.verdict.exit_code,
            "findings": list(self.findings),
            "notes": list(self.notes),
            "period": self.period.to_json(),
            "population": {name: getattr(population, name) for name in population.__slots__},
            "query": self.query,
            "rows": [dict(row) for row in self.rows],
            "tenant": self.tenant,
            "tool": self.tool,
            "verdict": self.verdict.value,
        }


def format_moment(ts_us: int) -> str | None:
    """A moment as ISO 8601 in UTC, with microseconds where it has some; None if no date can be written."""
    if not 0 <= ts_us <= _LAST_US:
        return None
    text = datetime.fromtimestamp(ts_us // 1_000_000, tz=UTC).replace(tzinfo=None).isoformat()
    fraction = f".{ts_us % 1_000_000:06d}" if ts_us % 1_000_000 else ""
    return f"{text}{fraction}Z"


def format_query(verb: str, period: Period | None = None, **options: str | int | bool) -> str:
    """A command in canonical form: `halo VERB`, then its options sorted by name, those that were not given left out.

    Args:
        verb: the verb with its arguments, such as `alerts sla`.
        period: given as `--from` and `--to`; the beginning of the log is left out.
        options: name → value, with `_` for `-`; True for an option without a value, False, 0 and "" for none.
    """
    parameters: dict[str, str | int | bool] = {
        name.replace("_", "-"): value for name, value in options.items() if value
    }
    if period is not None:
        moments = {"from": format_moment(period.from_us) if period.from_us else None, "to": format_moment(period.to_us)}
        parameters |= {name: text for name, text in moments.items() if text is not None}
    words = [verb]
    for name, value in sorted(parameters.items()):
        words.append(f"--{name}" if value is True else f"--{name} {shlex.quote(str(value))}")
    return " ".join(["halo", *words])


_SINGULAR: Final = {"accesses": "access", "entries": "entry", "policies": "policy", "processes": "process"}
_HEAD_WORDS: Final = re.compile(r"[^ ,]+(?:,? (?:and )?(?!(?:added|after|in|of|on|that|to|with)\b)[^ ,]+)*")


def count_population(number: int, noun: str) -> str:
    """A number with the plural words of a population, put in the singular for 1: `1 action that was tried`."""
    if number != 1:
        return f"{number:,} {noun}"
    head = _HEAD_WORDS.match(noun)
    words = noun[: head.end() if head else 0].replace(" and ", " or ")
    single = re.sub(r"\b\w+s\b", lambda word: _SINGULAR.get(word[0], word[0].removesuffix("s")), words)
    tail = noun[head.end() if head else 0 :]
    return f"1 {single}{tail.replace(' were ', ' was ').replace('that name ', 'that names ')}"


def check_listed(counted: int) -> list[str]:
    """A finding if a list has more rows than an answer holds; else none."""
    if counted <= MAX_LISTED:
        return []
    return [f"only the first {MAX_LISTED} of {counted} are listed: ask for a shorter period"]


@cache
def describe_tool() -> str:
    """Name and version of this program, and SHA-256 over its source files: the `tool` of an answer."""
    try:
        version = metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        version = "unknown"
    return f"{_DISTRIBUTION} {version} sha256:{_digest_sources(Path(halo_core.__file__).parent)}"


def _digest_sources(folder: Path) -> str:
    """SHA-256 over path, length and bytes of each source file in a folder, in the order of the paths."""
    digest = hashlib.sha256()
    for name in sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py")):
        data = (folder / name).read_bytes()
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()
