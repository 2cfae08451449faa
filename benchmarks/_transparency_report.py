"""Compare the JUnit reports of two runs of one suite: counts, differences, a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from xml.etree import ElementTree as ET

from rich.table import Table

from _transparency_known import known

__all__ = [
    "OUTCOMES",
    "Difference",
    "Result",
    "Run",
    "accept_second_tries",
    "compare",
    "merge_runs",
    "parse_junit",
    "reasons_table",
    "table",
    "to_plain",
]

_TAGS: Final = {"failure": "failed", "error": "error", "skipped": "skipped"}
_RANK: Final = ("failed", "error", "passed", "skipped")
_MAX_WORDS: Final = 200
OUTCOMES: Final = ("passed", "failed", "error", "skipped")

_AGAIN: Final = "it ended as without Halo when its file was run again: it waits for so long and no longer"
_EMPTY: Final = "a middleware that does nothing changes it as well"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one suite.

    Args:
        outcomes: test → one of `OUTCOMES`.
        effects: decisions by effect; empty for a plain run.
        seconds: wall time.
        problem: why it says nothing, where it did not run.
        said: test → first words of its failure.
        unfinished: beginnings of the names of tests that did not run.
    """

    outcomes: Mapping[str, str]
    effects: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    problem: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    unfinished: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many of each outcome."""
        found = Counter(self.outcomes.values())
        return {name: found[name] for name in OUTCOMES}

    @property
    def decisions(self) -> int:
        """How many decisions were recorded."""
        return sum(self.effects.values())


@dataclass(frozen=True, slots=True)
class Difference:
    """A test that ended otherwise; `why` says why it must, where that is known, `said` what the failing side said."""

    test: str
    plain: str
    injected: str
    why: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A suite, plain and with one switch (or all of them)."""

    suite: str
    switch: str
    plain: Run
    injected: Run
    differences: tuple[Difference, ...]

    @property
    def held(self) -> bool:
        """Whether Halo was there, and nobody noticed who should not have."""
        return not self.injected.problem and not self.plain.problem and all(item.why for item in self.differences)


def merge_runs(parts: Sequence[Run]) -> Run:
    """The parts of a suite as one run."""
    outcomes: dict[str, str] = {}
    said: dict[str, str] = {}
    effects: Counter[str] = Counter()
    for part in parts:
        outcomes.update(part.outcomes)
        said.update(part.said)
        effects.update(part.effects)
    problem = "; ".join(part.problem for part in parts if part.problem)
    unfinished = tuple(name for part in parts for name in part.unfinished)
    return Run(outcomes, dict(effects), sum(part.seconds for part in parts), problem, said, unfinished)


def parse_junit(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Outcomes and first words of failures, by test, of a JUnit report.

    A test that both fails and has an error in its teardown counts as failed.

    Raises:
        ValueError: it is no JUnit report.
    """
    try:
        root = ET.fromstring(text)  # noqa: S314  pytest wrote it, here
    except ET.ParseError as exc:
        raise ValueError(f"not a JUnit report: {exc}") from exc
    outcomes: dict[str, str] = {}
    said: dict[str, str] = {}
    for case in root.iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        found = {_TAGS[child.tag]: child.get("message", "") for child in case if child.tag in _TAGS}
        outcome = (
            min([*found, "passed", outcomes.get(name, "skipped")], key=_RANK.index)
            if "skipped" not in found
            else "skipped"
        )
        outcomes[name] = outcome
        if outcome in found:
            said.setdefault(name, " ".join(found[outcome].split())[:_MAX_WORDS])
    return outcomes, said


def compare(switches: Collection[str], plain: Run, injected: Run, control: Run | None = None) -> tuple[Difference, ...]:
    """Tests whose outcome differs, by name; one that only ran on one side counts as `missing` on the other.

    Args:
        switches: what was put in.
        plain: without Halo.
        injected: with it.
        control: with a middleware that does nothing, where one of ours was put in.
    """
    unfinished = (*plain.unfinished, *injected.unfinished)
    names = sorted(name for name in plain.outcomes.keys() | injected.outcomes.keys() if not name.startswith(unfinished))
    pairs = [(n, plain.outcomes.get(n, "missing"), injected.outcomes.get(n, "missing")) for n in names]
    said = {**plain.said, **injected.said}
    differing = [(n, a, b, said.get(n, "")) for n, a, b in pairs if a != b]
    return tuple(
        Difference(n, a, b, _EMPTY if _also(control, n, b) else known(switches, n, words), words)
        for n, a, b, words in differing
    )


def accept_second_tries(differences: Sequence[Difference], again: Run) -> tuple[Difference, ...]:
    """The differences, where those that nothing explains ended as without Halo when their files were run again."""
    return tuple(
        replace(item, why=_AGAIN) if not item.why and again.outcomes.get(item.test) == item.plain else item
        for item in differences
    )


def _also(control: Run | None, name: str, ended: str) -> bool:
    return control is not None and control.outcomes.get(name) == ended


def table(results: Sequence[Result]) -> Table:
    """A row for each suite and switch; differences are named below it."""
    shown = Table("suite", "Halo in", title="upstream tests, plain and with Halo and everything allowed")
    for title in ("plain", "with Halo", "differ", "decisions", "seconds"):
        shown.add_column(title, justify="right")
    for item in results:
        problem = item.plain.problem or item.injected.problem
        seconds = f"{item.plain.seconds:.0f} / {item.injected.seconds:.0f}"
        counts = [_counts(item.plain), _counts(item.injected), _differing(item)]
        if problem:
            counts[0] = f"{counts[0]}: {problem}"
        shown.add_row(item.suite, item.switch, *counts, str(item.injected.decisions), seconds)
    return shown


def reasons_table(results: Sequence[Result]) -> Table:
    """A row for each reason why tests must end otherwise, and one for those without."""
    shown = Table("suite", "Halo in", "differ", "why", title="why tests end otherwise")
    for result in results:
        found = Counter(item.why for item in result.differences)
        for why, count in sorted(found.items(), key=lambda pair: (pair[0] != "", -pair[1])):
            shown.add_row(result.suite, result.switch, str(count), why or "nothing explains it: see below")
    return shown


def _counts(run: Run) -> str:
    counts = run.counts()
    return "/".join(str(counts[name]) for name in ("passed", "failed", "error"))


def _differing(item: Result) -> str:
    known = sum(1 for difference in item.differences if difference.why)
    more = len(item.differences) - known
    return f"{more} (+{known} known)" if known else str(more)


def to_plain(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The same for `--json`."""
    return [
        {
            "suite": item.suite,
            "switch": item.switch,
            "held": item.held,
            "problem": item.plain.problem or item.injected.problem,
            "plain": item.plain.counts(),
            "injected": item.injected.counts(),
            "differences": [
                {"test": d.test, "plain": d.plain, "injected": d.injected, "why": d.why, "said": d.said}
                for d in item.differences
            ],
            "decisions": dict(item.injected.effects),
            "seconds": {"plain": round(item.plain.seconds, 1), "injected": round(item.injected.seconds, 1)},
        }
        for item in results
    ]
