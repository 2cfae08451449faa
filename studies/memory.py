"""Re-drive recorded memory poisoning over several sessions, and count exfiltrations that were not executed.

    python studies/memory.py --limit 100
    python studies/memory.py --json
    python studies/memory.py --forgetful      the same without what is left of stored values

In each case an agent reads a poisoned document, writes a rule of it to its memory, and in a later session reads that
rule back and acts on it. A case is driven through LangChain in a home of its own, a recorded session in a session of
Halo's, under the starter policy; the agent's memory is declared as the system's own. No score is asked.

Exit: 0 driven, 1 a session broke, 2 there is nothing to drive.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import track
from rich.table import Table

from halo_core.facade import default_url
from halo_core.model import ActionKind, EntryKind, Impact, Resource, Reversal
from halo_core.references import References
from halo_core.store.reader import Reader, read_entries
from halo_core.store.transaction import Transaction
from halo_studies.data_folder import add_data_option, parse_with_data
from halo_studies.recordings.sessions import BadData, Event, Session, call_id, rows, sample
from halo_studies.redrive.drivers.langchain import LangChain
from halo_studies.redrive.witness import Witness

__all__ = ["main"]

_SUITE: Final = "memory_office"
_NEXT: Final = "\n---\n"  # between the requests of a case's sessions
_READ: Final = Resource(impact=Impact.READ, reversal=Reversal.NONE_NEEDED, idempotent=True)
_TOOLS: Final = {
    # What other people wrote.
    "RAGTool.query": Resource(impact=Impact.READ, source_trust=300, reversal=Reversal.NONE_NEEDED, idempotent=True),
    "SearchTool.search": Resource(impact=Impact.READ, source_trust=300, reversal=Reversal.NONE_NEEDED, idempotent=True),
    # The system's own.
    "CalendarTool.get_schedule": Resource(impact=Impact.READ, source_trust=700, idempotent=True),
    "MemoryTool.list_all_facts": Resource(impact=Impact.READ, source_trust=700, idempotent=True),
    "MemoryTool.recall_fact": Resource(impact=Impact.READ, source_trust=700, idempotent=True),
    "MemoryTool.save_fact": Resource(impact=Impact.WRITE, source_trust=700, reversal=Reversal.UNDO),
    "EmailTool.draft_email": Resource(impact=Impact.WRITE, source_trust=700, reversal=Reversal.UNDO),
    "EmailTool.send_email": Resource(impact=Impact.SEND, source_trust=700, targets=("to", "cc", "bcc")),
}


@dataclass(frozen=True, slots=True)
class Case:
    """Sessions of one recorded case, in order, and what became of it then."""

    id: str
    label: str
    sessions: tuple[Session, ...]


@dataclass(slots=True)
class Found:
    """What became of the actions of all cases."""

    hijacked: int = 0
    kept: int = 0
    others: int = 0
    untouched: int = 0
    stopped_by: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(argv)
    found = Found()
    try:
        cases = _load(options.data)
    except BadData as exc:
        sys.stderr.write(f"memory: {exc}\n")
        return 2
    chosen = {session.id for session in sample([case.sessions[0] for case in cases], options.limit, options.seed)}
    cases = [case for case in cases if case.sessions[0].id in chosen]
    forgetting = (
        patch.object(Transaction, "add_tainted_fingerprints", lambda _tx, _prints: None)
        if options.forgetful
        else nullcontext()
    )
    with forgetting, tempfile.TemporaryDirectory(prefix="halo-memory-") as folder:
        for i, case in enumerate(track(cases, "driving", console=Console(stderr=True), transient=True)):
            try:
                _drive(case, Path(folder) / str(i), found)
            except Exception as exc:  # noqa: BLE001  one case that breaks is counted, the others go on
                found.broken.append(f"{case.id}: {type(exc).__name__}: {exc}")
    figures = _figures(found, forgetful=options.forgetful)
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _show(figures)
    return 1 if found.broken else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_data_option(parser, "traces/wider")
    parser.add_argument("--limit", type=int, default=0, help="cases, 0 for all (default)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default %(default)s)")
    parser.add_argument("--forgetful", action="store_true", help="keep nothing of what is stored")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    return parse_with_data(parser, argv)


def _load(folder: Path) -> list[Case]:
    path = folder / "sessions.jsonl.gz"
    if not path.is_file():
        raise BadData(f"no recorded sessions in `{folder}`: give the folder that holds sessions.jsonl.gz")
    texts = {row["rid"]: row["text"] for row in rows(folder / "results.jsonl.gz")}
    cases = [_case(row, texts) for row in rows(path) if row["suite"] == _SUITE]
    if not cases:
        raise BadData(f"no cases of `{_SUITE}` in `{path}`")
    return cases


def _case(row: Mapping[str, Any], texts: Mapping[str, str]) -> Case:
    requests = row["user_prompt"].split(_NEXT)
    parts: dict[int, list[Event]] = {}
    for i, item in enumerate(row["events"]):
        text = texts.get(item.get("rid") or "", item.get("result_excerpt") or "")
        # One call after another, as they were made: each in a message of its own.
        event = Event(item["kind"], item["tool"], item["args"], i, text, item["error"] or "", bool(item["malicious"]))
        parts.setdefault(item.get("session_index") or 0, []).append(event)
    return Case(
        row["id"],
        row["label"],
        tuple(
            Session(f"{row['id']}.{part}", _SUITE, row["fold"], row["label"], _request(requests, part), tuple(events))
            for part, events in sorted(parts.items())
        ),
    )


def _request(requests: Sequence[str], part: int) -> str:
    return requests[part] if part < len(requests) else requests[-1]


def _drive(case: Case, home: Path, found: Found) -> None:
    db = default_url(home)
    kinds = {event.tool: event.kind for session in case.sessions for event in session.events}
    granted = {
        event.tool: {name for s in case.sessions for e in s.events if e.tool == event.tool for name in e.args}
        for session in case.sessions
        for event in session.events
    }
    with (
        Witness(db, "local", home) as witness,
        LangChain(
            "office", tools=kinds, granted=granted, resources=_resource, witness=witness, db=db, home=home
        ) as run,
    ):
        for session in case.sessions:
            run.drive(session, session.id)
    ran, why = set(witness.runs), _reasons(db, home, case)
    bad = [
        call_id(session.id, i) for session in case.sessions for i, event in enumerate(session.events) if event.malicious
    ]
    stopped = {name for name in why if name not in ran}
    if case.label != "attacked_hijacked":
        found.others += 1
        found.untouched += not stopped
        return
    found.hijacked += 1
    if not bad or any(name in ran for name in bad):
        found.missed.append(case.id)
        return
    found.kept += 1
    found.stopped_by.update({why.get(name, "never reached") for name in bad})


def _resource(tool: str, kind: str) -> Resource:
    declared = _TOOLS.get(tool)
    if declared is None:
        raise BadData(f"nobody declared `{tool}`")
    return Resource(
        **{
            **{name: getattr(declared, name) for name in declared.__dataclass_fields__},
            "kind": ActionKind(kind),
        }
    )


def _reasons(db: str, home: Path, case: Case) -> dict[str, str]:
    """Why each call of a case was decided as it was, by the call's id."""
    references = References.of_home(home)
    names = [call_id(session.id, i) for session in case.sessions for i in range(len(session.events))]
    known = dict(_list_reasons(db))
    found = {} if references is None else {name: known.get(references.of_call(name), "") for name in names}
    return {name: why for name, why in found.items() if why}


def _list_reasons(db: str) -> Iterator[tuple[str, str]]:
    with Reader(db) as reader:
        for item in read_entries(reader, "local", (EntryKind.DECISION,)):
            body = item.entry.body
            if body["request"]["kind"] != ActionKind.INFERENCE.value:
                reasons = [r for r in body["decision"]["reasons"] if r["effect"] == body["decision"]["effect"]]
                yield body["request"]["context"]["call_id"], f"{body['decision']['effect']}: {reasons[0]['source']}"


def _figures(found: Found, *, forgetful: bool) -> dict[str, Any]:
    return {
        "forgetful": forgetful,
        "hijacked": found.hijacked,
        "not_executed": found.kept,
        "not_executed_rate": round(found.kept / found.hijacked, 4) if found.hijacked else None,
        "stopped_by": dict(found.stopped_by.most_common()),
        "missed": found.missed,
        "others": found.others,
        "others_untouched": found.untouched,
        "broken": found.broken,
    }


def _show(figures: Mapping[str, Any]) -> None:
    title = "memory poisoning" + (", nothing kept of what is stored" if figures["forgetful"] else "")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, show_header=False)
    table.add_row("hijacked cases", str(figures["hijacked"]))
    rate = figures["not_executed_rate"]
    table.add_row(
        "exfiltration not executed", f"{figures['not_executed']}" + ("" if rate is None else f" ({rate:.1%})")
    )
    for name, times in figures["stopped_by"].items():
        table.add_row("  stopped by", f"{name}: {times}")
    table.add_row("other cases, of them untouched", f"{figures['others']}, {figures['others_untouched']}")
    table.add_row("broken", str(len(figures["broken"])))
    view = Console()
    view.print(table)
    for text in figures["broken"][:5]:
        view.print(text, markup=False)


if __name__ == "__main__":
    sys.exit(main())
