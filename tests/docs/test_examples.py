"""Each file of examples/ runs by itself, offline, and shows what it says it shows."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from preloaded_python import find_python

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"

SHOWN = {
    "listed_orders.py": [
        "read_mail: #4",
        "find_payee: labor wenger: AT611904300234573201",
        "pay: paid 312.40 to Labor Wenger",
        "pay: pending ID: challenge `pay`: the application lists what the user ordered, and this is none of it",
    ],
    "llamaindex_agent.py": [
        "read_ticket: #7",
        "refund: pending ID: challenge `refund`: the target comes from an untrusted source",
        "refund: refunded 90.00 to ACC-1",
    ],
    "llamaindex_handoff.py": [
        "handoff: deny `carol`: the passport does not allow a hand-off to this agent",
        "handoff: Agent bob is now handling the request",
        "Please continue with the current request.",
        "balance: ACC-1 holds 1200.00",
        "pay: deny `pay`: the passport does not grant this",
        "bob: I can tell you",
    ],
    "llamaindex_rag.py": [
        "I was told: Returns within 30 days. Order 7 goes back to card [pan …1111].",
        "Empty Response",
    ],
    "openai_agents_approval.py": ["waits: pay large_amount", "paid 90.00 to ACC-1"],
    "openai_agents_handoff.py": [
        'triage: {"assistant": "tracker"}',
        "tracker: P-7 is in Cologne",
        'tracker: {"assistant": "triage"}',
        "It is in Cologne, and comes tomorrow.",
    ],
    "openai_agents_tool.py": [
        "#7: my parcel is late.",
        "pending ID: challenge `refund`: the target comes from an untrusted source",
        "refunded 90.00 to ACC-1",
    ],
    "rag.py": ["I was told: Returns within 30 days. Order 7 goes back to card [pan …1111].", "I was told: nothing"],
    "supervisor.py": [
        "transfer_to_reader: Successfully",
        "read_letter: #7",
        "transfer_back_to_supervisor: Successfully",
        "transfer_to_payer: Successfully",
        "pay: pending ID: challenge `pay`: the target comes from an untrusted source",
        "pay: paid 90.00 to ACC-1",
        "transfer_back_to_supervisor: Successfully",
        "Paid to ACC-1, not to the account of the letter.",
    ],
    "swarm.py": [
        "transfer_to_carol: deny `carol`: the passport does not allow a hand-off to this agent",
        "transfer_to_bob: Successfully transferred to bob",
        "balance: ACC-1 holds 1200.00",
        "pay: deny `pay`: the passport does not grant this",
        "bob: I can tell you",
    ],
    "tool_agent.py": [
        "read_ticket: #7",
        "refund: pending ID: challenge `refund`: the target comes from an untrusted source",
        "refund: refunded 90.00 to ACC-1",
    ],
}


def test_every_example_is_here():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SHOWN)


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_an_example_runs(name, tmp_path):
    path = os.pathsep.join(filter(None, (str(ROOT / "src"), os.environ.get("PYTHONPATH", ""))))
    adapter = next((item for item in ("llamaindex", "openai_agents") if name.startswith(item)), "langchain")
    done = subprocess.run(
        [*find_python(f"halo_{adapter}"), str(EXAMPLES / name)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [re.sub(r"pending [0-9a-f]{12}-\d+:", "pending ID:", line) for line in done.stdout.splitlines()]
    assert len(lines) == len(SHOWN[name])
    assert all(line.startswith(start) for line, start in zip(lines, SHOWN[name], strict=True))
    assert list(tmp_path.iterdir()) == []
