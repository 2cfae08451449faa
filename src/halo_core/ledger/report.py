"""The result of a verification: `Collector` gathers findings and counts, `Report` holds them with the exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Final, Literal

from halo_core.quick_dataclass import dataclass

if TYPE_CHECKING:
    from halo_core.ledger.control_history import ControlChange

MAX_FINDINGS: Final = 200

CHECKS: Final[dict[int, str]] = {
    1: "there is a ledger and a trusted key",
    2: "entries match their signed notes",
    3: "writer chains have no gaps",
    4: "positions have no gaps",
    5: "checkpoints are signed by the log, roots match",
    6: "anchors match the tree",
    7: "writers are certified, signatures are valid",
    8: "sealed content matches its entries",
    9: "sessions, runs, blobs, holds, approvals and control",
}

LIMITS: Final = (
    (
        "removal of a writer's newest entries after the last checkpoint, together with every row that refers to them: "
        "no checkpoint, anchor or later entry covers them"
    ),
    "a changed order of entries of different writers after the last checkpoint, until a checkpoint covers them",
    "a rewritten history, if its author has the log key, the database and the anchor; a copy on another host shows it",
    "wrapped data keys, unless the content key is available",
    "up to 64 uses of a resource that a killed process, or one that still runs, has counted and not written",
)
"""What verification cannot see; a command that prints a report prints this too."""

EXIT_OK: Final = 0
EXIT_CANNOT_TELL: Final = 2
EXIT_TAMPERED: Final = 11
EXIT_GAP: Final = 13

Kind = Literal["tampered", "gap"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem found by verification.

    Args:
        kind: `tampered` (what is there was changed) or `gap` (something is missing).
        check: number of the check.
        where: table, key and column, such as `entry local/3f2a/17 column session`.
        what: a sentence.
        code: its stable code.
        entry: id of the entry, where known.
    """

    kind: Kind
    check: int
    where: str
    what: str
    code: str
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Outcome of one numbered check: how many items passed, failed, and could not be checked."""

    number: int
    title: str
    passed: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Head:
    """A tenant's tree: size, root, and how many leading entries a correct checkpoint covers."""

    size: int
    root: bytes
    covered: int


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How many answers to questions one key signed, including remembered answers.

    Args:
        key_id: thumbprint of the key.
        is_proven: whether its person is proven (`halo_core.ledger.control_history`).
        count: number of answers.
    """

    key_id: str
    is_proven: bool
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """Result of a verification.

    Args:
        findings: the first `MAX_FINDINGS`, in the order of discovery.
        total: number of findings, including those not listed.
        checks: the nine checks.
        heads: tenant → head of its tree.
        warnings: irregularities that prove nothing (a clock that ran back).
        undetermined: reasons why something could not be verified.
        full: False when only hashes, tree and checkpoints were to be verified.
        tampered: number of findings of that kind.
        acts: tenant → control acts, oldest first.
        answers: tenant → how many answers each key signed, by its thumbprint, and whether its person is proven.
    """

    findings: tuple[Finding, ...]
    total: int
    checks: tuple[Check, ...]
    heads: Mapping[str, Head]
    warnings: tuple[str, ...]
    undetermined: tuple[str, ...]
    full: bool
    tampered: int
    acts: Mapping[str, tuple[ControlChange, ...]] = field(default_factory=dict)
    answers: Mapping[str, tuple[AnswerCount, ...]] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 no problem, 11 tampered, 13 only gaps, 2 cannot tell."""
        if self.tampered:
            return EXIT_TAMPERED
        if self.total:
            return EXIT_GAP
        return EXIT_CANNOT_TELL if self.undetermined else EXIT_OK


def format_entry_name(key: tuple[object, object, object]) -> str:
    """Name of an entry in a report, from (tenant, writer, sequence)."""
    return f"entry {key[0]}/{key[1]}/{key[2]}"


class Collector:
    """Gathers findings and counts while the passes run; memory is bounded.

    `incomplete` holds the tenants one of whose rows names a missing entry, `with_missing_entries` those with an entry
    missing in a writer's chain.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.total = 0
        self.tampered_total = 0
        self.warnings: list[str] = []
        self.undetermined: list[str] = []
        self.incomplete: set[str] = set()
        self.with_missing_entries: set[str] = set()
        self.acts: dict[str, tuple[ControlChange, ...]] = {}
        self.answers: dict[str, tuple[AnswerCount, ...]] = {}
        self.passed = dict.fromkeys(CHECKS, 0)
        self.failed = dict.fromkeys(CHECKS, 0)
        self.skipped = dict.fromkeys(CHECKS, 0)

    def add_tampered(self, check: int, where: str, message: str, code: str, entry: str = "") -> None:
        """Report a change."""
        self.tampered_total += 1
        self._add(Finding("tampered", check, where, message, code, entry))

    def add_gap(self, check: int, where: str, message: str, code: str, entry: str = "") -> None:
        """Report a gap."""
        self._add(Finding("gap", check, where, message, code, entry))

    def add_unexplained(
        self, check: int, tenant: str, where: str, message: str, code: str, *, columns: str = "", entry: str = ""
    ) -> None:
        """Report what no entry explains: a gap if an entry of the tenant is known to be missing, else tampering."""
        if tenant in self.incomplete:
            self.add_gap(
                check, where, f"{message}; the entry may be one of the missing entries", "entry_missing", entry
            )
        else:
            self.add_tampered(check, f"{where}{columns}", message, code, entry)

    def warn(self, text: str) -> None:
        """Report an irregularity that proves nothing."""
        if len(self.warnings) < MAX_FINDINGS:
            self.warnings.append(text)

    def _add(self, finding: Finding) -> None:
        self.total += 1
        self.failed[finding.check] += 1
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding)
        elif finding.kind == "tampered" and self.findings[-1].kind == "gap":
            # A flood of gaps must not hide the first signs of tampering.
            last = max(i for i, item in enumerate(self.findings) if item.kind == "gap")
            self.findings[last] = finding

    def add_unexplained_by_log(
        self, tenant: str, where: str, message: str, code: str, *, columns: str = "", entry: str = ""
    ) -> None:
        """(9) Like `add_unexplained`, but also a gap if only a writer's chain shows that an entry is missing."""
        if tenant in self.with_missing_entries and tenant not in self.incomplete:
            text = f"{message}; the entry may be one of the missing entries"
            self.add_gap(9, where, text, "entry_missing", entry)
        else:
            self.add_unexplained(9, tenant, where, message, code, columns=columns, entry=entry)

    def build_report(self, heads: Mapping[str, Head], *, full: bool) -> Report:
        """The report over everything that was recorded."""
        checks = tuple(
            Check(number, title, self.passed[number], self.failed[number], self.skipped[number])
            for number, title in CHECKS.items()
        )
        return Report(
            tuple(self.findings),
            self.total,
            checks,
            heads,
            tuple(self.warnings),
            tuple(self.undetermined),
            full,
            self.tampered_total,
            dict(self.acts),
            dict(self.answers),
        )
