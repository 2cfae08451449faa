"""A process that decides until it is told what to probe: `python foreign_worker.py HOME` (`test_foreign_writes.py`).

It reads one command in a line of stdin and answers in a line of stdout:

    session NAME hot|calm   work in this session: make one decision, and if hot go on until the next command
    probe TOOL              call it; the answer is `ran` or the reason code of the denial
"""

from __future__ import annotations

import select
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from halo_core.enforcement.agent_credentials import DEFAULT_TERMS, Limits
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Budget, Impact, Resource, Reversal, SessionTerms
from halo_world import SURFACE, policy_folder

AGENT = "clerk"
SESSION_CENTS = 200_00
"""What a session may pay in all."""

_SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}, "amount": {"type": "integer"}}}
_TOOLS = {
    "lookup": Resource(impact=Impact.READ, source_trust=900, reversal=Reversal.NONE_NEEDED),
    "wipe": Resource(impact=Impact.WRITE, source_trust=900),
    "pay": Resource(impact=Impact.PAYMENT, amount="amount", unit="USD", source_trust=900),
}


def open_halo(home: Path) -> HaloBase:
    """The clerk, in the mode that is stored."""
    budgets = (Budget("USD", 100_00, SESSION_CENTS, 2), Budget("risk", 10**6, 10**9), Budget("step", 1, 10**9))
    # This agent does strange things on purpose: what of its authority that leaves is not what is tested.
    decay = replace(DEFAULT_TERMS.decay, floors=tuple((impact, 0) for impact, _ in DEFAULT_TERMS.decay.floors))
    limits = Limits(SessionTerms(budgets, replace(decay, reauthorize_below=0), DEFAULT_TERMS.lifetime_s))
    halo = HaloBase.local(AGENT, home=home, policy=policy_folder(home), limits=limits, quiet=True, deadline_s=60.0)
    for name, resource in _TOOLS.items():
        halo.register(ActionKind.TOOL_CALL, name, resource=resource, schema=_SCHEMA)
    return halo


def attempt(halo: HaloBase, tool: str, **args: object) -> str:
    """Make a call in the current session: `ran`, or the reason code of what was denied or must be asked."""
    resource = halo.find_registered(tool)
    assert resource is not None
    try:
        halo.enforcer.run(halo.build_call(resource, args), lambda _: "x", SURFACE)
    except (Denied, Pending) as exc:
        return exc.reason
    return "ran"


def main() -> None:
    is_hot = False
    with open_halo(Path(sys.argv[1])) as halo, ExitStack() as sessions:
        print("ready", flush=True)  # noqa: T201  read by the test
        while True:
            while is_hot and not select.select([sys.stdin], [], [], 0)[0]:
                attempt(halo, "lookup", q="x")
                time.sleep(0.001)
            words = sys.stdin.readline().split()
            if not words:
                return
            if words[0] == "session":
                sessions.close()
                sessions.enter_context(halo.session(words[1]))
                is_hot = words[2] == "hot"
                answer = attempt(halo, "lookup", q="x")
            else:
                args = {"amount": 1} if words[1] == "pay" else {"q": "x"}
                answer = attempt(halo, words[1], **args)
            print(answer, flush=True)  # noqa: T201  read by the test


if __name__ == "__main__":
    main()
