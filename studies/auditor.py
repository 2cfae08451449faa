"""Ask an auditor's questions of a ledger, and compare each answer with an independent reading of the raw rows.

    python studies/redrive.py --limit 1000 --db sqlite:///DIR/halo.db --home DIR
    python studies/auditor.py --home DIR
    python studies/auditor.py --home DIR --only denials --json

A copy of the home is asked, so that questions leave no entry in the ledger itself. The independent reading is SQL, JSON
and base64 alone, after docs/ledger-format.md: nothing of `halo_core.evidence` is imported, and each question is asked
by its command. A ledger of re-driven sessions has no revocation, reversal, review or answer of a person; of these it is
compared that the command says so, with the exit code of docs/questions.md.

Exit: 0 every answer agrees, 1 one does not, 2 there is no ledger.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import io
import json
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from halo_core.cli.main import run

__all__ = ["main"]

_SEED: Final = "a seed of the auditor"
_RUNS: Final = ("allow", "monitor", "restrict")
_REFUSED: Final = ("challenge", "deny")
_FAILED: Final = frozenset(
    ("decision_error", "ledger_busy", "ledger_unwritable", "obligation_unknown", "policy_error", "score_unavailable")
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure of an answer beside the independent one."""

    question: str
    figure: str
    said: Any
    counted: Any

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return bool(self.said == self.counted)


@dataclass
class RawLedger:
    """A tenant's entries as they lie in the rows, read without Halo.

    Args:
        path: of the SQLite file.
    """

    path: Path
    blobs: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            self.blobs = dict(connection.execute("SELECT hash, bytes FROM blob"))

    @cached_property
    def entries(self) -> list[dict[str, Any]]:
        """Entries in log order: the signed text, with position (`index`), `id` and writer (`w`)."""
        with closing(sqlite3.connect(self.path)) as connection:
            rows = connection.execute("SELECT idx, w, ws, body FROM entry ORDER BY idx").fetchall()
        return [{**json.loads(text), "index": index, "id": f"{w}-{ws}", "w": w} for index, w, ws, text in rows]

    def of_kind(self, *kinds: str) -> list[dict[str, Any]]:
        """Entries of some kinds."""
        return [item for item in self.entries if item["kind"] in kinds]

    def read_part(self, name: str) -> dict[str, Any]:
        """A part that an entry names by the base64 of its digest."""
        tree: dict[str, Any] = json.loads(self.blobs["sha256:" + base64.b64decode(name).hex()])
        return tree

    @cached_property
    def statuses(self) -> dict[str, str]:
        """Decision → status of its outcome."""
        found = {}
        for item in self.of_kind("outcome"):
            place = item["body"]["decision"]
            name = f"{item['w']}-{place}" if isinstance(place, int) else f"{place['w']}-{place['ws']}"
            found[name] = item["body"].get("status", "success")
        return found

    @cached_property
    def decisions(self) -> list[dict[str, Any]]:
        """Decisions with what their parts say."""
        return list(self._read_decisions())

    def _read_decisions(self) -> Iterator[dict[str, Any]]:
        for item in self.of_kind("decision"):
            body = item["body"]
            frame, resource = self.read_part(body["frame"]), self.read_part(body["resource"])
            verdict = body.get("decision", {})
            effect = verdict.get("effect", "allow")
            yield {
                "agent": frame["agent"],
                "codes": [reason["code"] for reason in verdict.get("reasons", ())],
                "effect": effect,
                "id": item["id"],
                "kind": resource["kind"],
                "labels": resource["labels"],
                "mode": self.read_part(frame["host"])["mode"],
                "policy": self.read_part(frame["host"])["policy"],
                "resource": resource["id"],
                "runs": body.get("dispatched", effect in _RUNS),
                "session": item.get("session", ""),
                "status": self.statuses.get(item["id"]),
                "system": resource.get("system", ""),
                "ts_us": item["ts_us"],
                "user": frame.get("user", ""),
            }

    @cached_property
    def passports(self) -> dict[str, dict[str, Any]]:
        """Agent → payload of its newest standing passport, a JSON web token."""
        found = {}
        for item in self.of_kind("passport"):
            if item["body"].get("kind", "standing") == "standing":
                payload = self.blobs[item["body"]["hash"]].split(b".")[1]
                found[item["body"]["agent"]] = json.loads(
                    base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4))
                )
        return found


class Auditor:
    """Asks a home's questions by their commands, and compares."""

    def __init__(self, home: Path, raw: RawLedger) -> None:
        self.home, self.raw = home, raw
        self.found: list[Comparison] = []

    def ask(self, *words: str) -> tuple[int, Any]:
        """Exit code of a command, and what it printed as JSON."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            code = run([*words, "--json", "--home", str(self.home)])
        text = out.getvalue()
        return int(code), json.loads(text) if text.strip() else {}

    def compare(self, question: str, figure: str, said: Any, counted: Any) -> None:
        """Note a figure of an answer and the independent one."""
        self.found.append(Comparison(question, figure, said, counted))

    def count(self, question: str, words: Sequence[str], counted: int, code: int | None = 0) -> Mapping[str, Any]:
        """Ask, and compare the population and the exit code."""
        given, answer = self.ask(*words)
        self.compare(question, "population", answer["population"]["counted"], counted)
        if code is not None:
            self.compare(question, "exit code", given, code)
        return dict(answer)


def check_access(auditor: Auditor) -> None:
    """Who touched what, and what agents and people reached."""
    raw = auditor.raw
    labels = sorted({label for item in raw.decisions for label in item["labels"]})
    for label in labels:
        wanted = [item for item in raw.decisions if label in item["labels"]]
        question = f"who-touched --label {label}"
        answer = auditor.count(question, ("who-touched", "--label", label), len(wanted))
        rows = Counter((item["agent"], item["resource"], item["effect"]) for item in wanted)
        said: Counter[tuple[str, str, str]] = Counter()
        for row in answer["rows"]:
            said[row["agent"], row["resource"], row["effect"]] += row["decisions"]
        auditor.compare(question, "rows", said, rows)
    code, answer = auditor.ask("who-touched", "--label", "no such label")
    auditor.compare("who-touched, an unknown label", "exit code", code, 2)
    auditor.count("who-touched --prove", ("who-touched", "--tool", "*", "--prove"), len(raw.decisions), None)
    for agent in sorted({item["agent"] for item in raw.decisions}):
        wanted = [item for item in raw.decisions if item["agent"] == agent]
        answer = auditor.count(f"reach --agent {agent}", ("reach", "--agent", agent), len(wanted), None)
        used = {item["resource"] for item in wanted if item["runs"]}
        said_used = {row["resource"] for row in answer["rows"] if row.get("ran")}
        auditor.compare(f"reach --agent {agent}", "resources that ran", said_used, used)
    for user in sorted({item["user"] for item in raw.decisions} - {""})[:3]:
        wanted = [item for item in raw.decisions if item["user"] == user]
        auditor.count("reach --user", ("reach", "--user", user), len(wanted), None)
        auditor.count("explain --subject PERSON", ("explain", "--subject", user), len(wanted), None)


def check_sample(auditor: Auditor) -> None:
    """A sample drawn twice, and one decision shown and replayed."""
    raw = auditor.raw
    prefix = f"halo/sample/v1\0{_SEED}\0"
    drawn = sorted(raw.decisions, key=lambda item: hashlib.sha256((prefix + item["id"]).encode()).digest())[:25]
    answer = auditor.count("sample", ("sample", "--n", "25", "--seed", _SEED), len(raw.decisions))
    auditor.compare("sample", "ids", sorted(row["id"] for row in answer["rows"]), sorted(item["id"] for item in drawn))
    for item in drawn[:5]:
        code, parts = auditor.ask("show", item["id"])
        said = parts[0]["entry"]["body"]
        auditor.compare("show", "exit code", code, 0)
        auditor.compare(
            "show",
            "agent, resource, effect, ran",
            (
                said["request"]["subject"]["agent"],
                said["request"]["resource"]["id"],
                said["decision"]["effect"],
                said["dispatched"],
            ),
            (item["agent"], item["resource"], item["effect"], item["runs"]),
        )
        code, told = auditor.ask("replay", item["id"])
        auditor.compare("replay", "identical", (code, told["counts"]), (0, {"identical": 1}))


def check_record(auditor: Auditor) -> None:
    """Whether the log was cut, who read it, what failed, which keys there are."""
    raw = auditor.raw
    code, answer = auditor.ask("verify", "--since", str(auditor.home / "kept.json"))
    auditor.compare("verify --since", "exit code", code, 0)
    accesses = _count_accesses(auditor.home)
    answer = auditor.count("access-log", ("access-log",), accesses, None)
    auditor.compare("access-log", "rows", len(answer["rows"]), accesses)
    failed = Counter(code for item in raw.decisions for code in _FAILED.intersection(item["codes"]))
    observed = sum(item["mode"] != "enforce" for item in raw.decisions)
    answer = auditor.count("failures", ("failures",), len(raw.decisions), int(bool(failed or observed)))
    said: Counter[str] = Counter()
    for row in answer["rows"]:
        if "`" in row["what"]:
            said[row["what"].split("`")[1]] += row["decisions"]
    auditor.compare("failures", "decisions by reason", {name: n for name, n in said.items() if name in _FAILED}, failed)
    code, told = auditor.ask("keys", "report")
    names = {path.stem for path in auditor.home.glob("*.key")}
    auditor.compare("keys report", "key files", {item["name"] for item in told["keys"]}, names)


def _count_accesses(home: Path) -> int:
    with closing(sqlite3.connect(home / "halo.db")) as connection:
        (number,) = connection.execute("SELECT count(*) FROM entry WHERE kind='access'").fetchone()
        return int(number)


def check_people(auditor: Auditor) -> None:
    """Refusals, questions, alerts and figures of the period."""
    raw = auditor.raw
    refused = [item for item in raw.decisions if item["effect"] in _REFUSED]
    answer = auditor.count("denials", ("denials", "--with-disposition"), len(refused))
    said = Counter((row["agent"], row["effect"]) for row in answer["rows"])
    auditor.compare(
        "denials", "by agent and effect", said, Counter((item["agent"], item["effect"]) for item in refused)
    )
    asked = {
        f"{item['body']['decision']['w']}-{item['body']['decision']['ws']}" for item in raw.of_kind("approval_request")
    }
    followed = {row["id"] for row in answer["rows"] if any("was asked" in text for text in row["followed"])}
    auditor.compare(
        "denials --with-disposition", "a person was asked", followed, asked.intersection(item["id"] for item in refused)
    )
    questions, answers = raw.of_kind("approval_request"), raw.of_kind("approval")
    auditor.count("approvals stats", ("approvals", "stats"), len(questions), None)
    alerts = raw.of_kind("alert")
    settled = {item["body"]["alert"] for item in raw.of_kind("acknowledgement", "feedback")}
    late = sum(item["id"] not in settled for item in alerts)
    auditor.count("alerts sla", ("alerts", "sla"), len(alerts), 2 if not alerts else int(bool(late)))
    answer = auditor.count("metrics", ("metrics",), len(raw.decisions))
    values = {row["metric"]: row["value"] for row in answer["rows"]}
    wanted = {f"decisions: {name}": n for name, n in Counter(item["effect"] for item in raw.decisions).items()}
    wanted |= {"alerts": len(alerts), "decisions: let run": sum(item["runs"] for item in raw.decisions)}
    wanted |= {"questions asked": len(questions), "questions: without an answer": len(questions) - len(answers)}
    auditor.compare("metrics", "values", {name: values.get(name) for name in wanted}, wanted)


def check_rights(auditor: Auditor) -> None:
    """Passports, policies, inventory, reviews, unused grants, reversals and drills."""
    raw = auditor.raw
    standing = [item for item in raw.of_kind("passport") if item["body"].get("kind", "standing") == "standing"]
    first = {item["body"]["agent"]: item["id"] for item in reversed(standing)}
    _, answer = auditor.ask("passport", "history", "--raises")
    said = {row["entry"] for row in answer["rows"] if row["what"] == "first passport"}
    auditor.compare("passport history --raises", "first passports", said, set(first.values()))
    agent = max(first, default="")
    code, _ = auditor.ask("passport", "history", agent, "--after-revocation")
    auditor.compare(
        "passport history --after-revocation", "exit code", code, 2 if not raw.of_kind("revocation") else code
    )
    stored = [json.loads(raw.blobs[item["body"]["hash"]]) for item in raw.of_kind("policy")]
    versions = {json.dumps(tree["sources"]) for tree in stored}  # the types of tools are no part of a version
    answer = auditor.count("policy history --separation", ("policy", "history", "--separation"), len(versions), None)
    auditor.compare("policy history", "decisions", sum(row["decisions"] for row in answer["rows"]), len(raw.decisions))
    _check_inventory(auditor)
    _, told = auditor.ask("grants", "unused", "--days", "90")
    granted = {
        name: sum(
            len(names)
            for detail in token["authorization_details"]
            for kind, names in detail.get("actions", {}).items()
            if kind != "handoff"
        )
        for name, token in raw.passports.items()
    }
    auditor.compare("grants unused", "grants", {item["agent"]: item["grants"] for item in told["agents"]}, granted)
    reviews = {item["body"]["id"] for item in raw.of_kind("review") if item["body"]["op"] == "open"}
    auditor.count("review status", ("review", "status"), len(reviews), None if reviews else 2)
    undone = raw.of_kind("reversal", "override")
    auditor.count("reversals", ("reversals",), len(undone), None if undone else 2)
    session = Counter(item["session"] for item in raw.entries if item.get("session")).most_common(1)[0][0]
    file = auditor.home / "disclosed.json"
    auditor.ask("disclose", session, "--output", str(file))
    disclosed = {item["index"] for item in json.loads(file.read_text())["entries"]}
    of_session = {item["index"] for item in raw.entries if item.get("session") == session}
    auditor.compare("disclose", "positions of the session", disclosed >= of_session, True)
    code, answer = auditor.ask("stop", "--agent", agent, "--drill", "--watch", "0s")
    auditor.compare("stop --drill", "exit code of a drill without an attempt", code, 2)


def _check_inventory(auditor: Auditor) -> None:
    raw = auditor.raw
    _, answer = auditor.ask("inventory", "show")
    for agent in sorted({item["agent"] for item in raw.decisions}):
        own = [item for item in raw.decisions if item["agent"] == agent]
        used = [item for item in own if item["kind"] != "inference"]
        (row,) = [row for row in answer["rows"] if row["agent"] == agent]
        labels = sorted({label for item in used for label in item["labels"]})
        systems = sorted({item["system"] for item in used} - {""})
        owner = raw.passports[agent]["halo"].get("own", "")
        auditor.compare(
            "inventory show",
            agent,
            (row["decisions"], row["tools"], row["labels"], row["systems"], row["owner"]),
            (len(own), len({item["resource"] for item in used}), labels, systems, owner),
        )


def check_reports(auditor: Auditor) -> None:
    """The checks of reports that can be counted in rows alone."""
    raw = auditor.raw
    ran = [item for item in raw.decisions if item["runs"]]
    settled = sum(item["status"] is not None for item in ran)
    checks = {
        "components": sum(item["kind"] == "inference" for item in ran),
        "failures": len(raw.decisions),
        "least_privilege": len(ran),
        "mode_floor": len(ran),
        "pairs": len(raw.decisions),
        "refusals": len(raw.decisions),
    }
    for name, counted in checks.items():
        auditor.count(f"report --check {name}", ("report", "--check", name), counted, None)
    code, _ = auditor.ask("report", "--check", "pairs")
    auditor.compare("report --check pairs", "each action has an outcome", code, int(settled != len(ran)))


CHECKS: Final = {
    "access": check_access,
    "sample": check_sample,
    "record": check_record,
    "people": check_people,
    "reports": check_reports,
    "rights": check_rights,  # the last one, since a drill stops an agent
}


def audit(home: Path, only: str = "") -> list[Comparison]:
    """Compare the answers about a copy of a home with its raw rows.

    Args:
        home: with its SQLite file and the keys.
        only: of the questions, those whose name holds this.
    """
    with tempfile.TemporaryDirectory(prefix="halo-auditor-") as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy)
        (copy / "kept.json").write_bytes((copy / "anchor.json").read_bytes())
        auditor = Auditor(copy, RawLedger(home / "halo.db"))
        for check in CHECKS.values():
            check(auditor)
    return [item for item in auditor.found if only in item.question]


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--home", type=Path, required=True, help="folder with keys, anchor and halo.db")
    parser.add_argument("--only", default="", help="only questions whose name holds this")
    parser.add_argument("--json", action="store_true", help="comparisons as JSON on stdout")
    options = parser.parse_args(argv)
    if not (options.home / "halo.db").is_file():
        sys.stderr.write(f"auditor: there is no ledger in {options.home}\n")
        return 2
    found = audit(options.home, options.only)
    if options.json:
        rows = [{"agrees": item.agrees, "figure": item.figure, "question": item.question} for item in found]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        table = Table("question", "figure", "agrees")
        for item in found:
            table.add_row(item.question, item.figure, "yes" if item.agrees else f"no: {item.said} and {item.counted}")
        Console().print(table)
        Console().print(f"{sum(item.agrees for item in found)} of {len(found)} agree")
    return 0 if all(item.agrees for item in found) else 1


if __name__ == "__main__":
    sys.exit(main())
