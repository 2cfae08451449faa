"""The worker of `peers.py` with Microsoft's agent-governance-toolkit: `python _peers_toolkit.py FOLDER RULES`.

It runs in the toolkit's environment and imports nothing of Halo. `govern()` gets the same rules in the toolkit's YAML,
and its own file sink, which signs each record with HMAC-SHA-256 and chains it. The sink itself only closes the file;
`fsync` is added here, so that a record is as durable as one of Halo's. The toolkit records no outcome.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from agentmesh.governance import govern
from agentmesh.governance.audit import AuditLog
from agentmesh.governance.audit_backends import FileAuditSink

from _decision_calls import MIXES, RESULT, Rule, build_args, generate_rules, name_parties
from _peers_turns import serve

_PER_SESSION = 20


class DurableSink(FileAuditSink):
    """The toolkit's file sink, with the file synchronised after each record."""

    def _append_line(self, signed: Any) -> None:
        super()._append_line(signed)
        file = os.open(self._path, os.O_WRONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def write_policy(rules: int) -> str:
    """The rules in the toolkit's language."""
    lines = ['version: "1.0"', "name: office", 'agents: ["*"]', "default_action: allow", "rules:"]
    for rule in generate_rules(rules):
        action = {"never": "deny", "domain": "deny", "steps": "warn"}.get(rule.shape, "require_approval")
        lines += [f"  - name: {rule.name}", f'    condition: "{_write_condition(rule)}"', f"    action: {action}"]
    return "\n".join(lines)


def _write_condition(rule: Rule) -> str:
    base = f"action.type == '{rule.tool}'"
    match rule.shape:
        case "never":
            return base
        case "limit":
            return f"{base} and {rule.number}.value > {rule.value}"
        case "domain":  # its language has no pattern
            return f"{base} and {rule.place}.value == 'somebody@blocked-{rule.value}.example'"
        case "steps":
            return f"{base} and session.steps > {rule.value}"
        case "traced":
            return f"{base} and session.tainted and provenance.{rule.place} == 'untrusted'"
        case _:
            return f"{base} and session.pending > {rule.value}"


def main() -> None:
    folder, rules = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    sink = DurableSink(folder / "audit.jsonl", os.urandom(32))
    done = calls = 0

    def tool(**_: Any) -> str:
        nonlocal done
        done += 1
        return RESULT.format(calls % 90 + 10, calls % 9 + 1)

    governed = govern(tool, policy=write_policy(rules), agent_id="office")
    governed._audit = AuditLog(sink=sink)  # noqa: SLF001  5.0.0 has no parameter for the sink
    names = MIXES["allowed"]

    def call() -> None:
        nonlocal calls
        session, place = divmod(calls, _PER_SESSION)
        calls += 1
        name = names[place % len(names)]
        governed(action=name, **build_args(name, calls, *name_parties(session * _PER_SESSION)))

    def finish() -> dict[str, Any]:
        assert done == calls, (done, calls)
        assert len(governed.engine.list_policies()) == 1
        good, errors = sink.verify_integrity()
        assert good, errors
        return {"calls": calls, "records": len(sink.read_entries()), "records_verify": good}

    serve(call, finish)


if __name__ == "__main__":
    main()
