"""Recorded hand-offs of a team, driven through Halo.

An agent hands on to another and gets the result back. Only explicit hand-offs with a return are driven; where only the
speaker changes, or people chat, there is nothing to decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage

from halo_core.errors import Denied
from halo_core.model import EntryKind
from halo_core.store.reader import Reader, read_entries
from halo_langchain import Halo
from halo_langchain.testing import ScriptedModel
from halo_studies.recordings.sessions import BadData, rows
from halo_studies.redrive.ledger import read
from halo_studies.redrive.limits import authority
from halo_studies.redrive.passports import Passports

__all__ = ["hand_offs", "refuse"]

AGENTS: Final = ("Orchestrator", "WebSurfer", "FileSurfer", "Assistant", "ComputerTerminal")
_SUITE: Final = "magentic_one"


def refuse(folder: Path | None) -> None:
    """Say that a team was asked for and nobody issues its passports.

    Raises:
        BadData: it was.
    """
    if folder is not None:
        raise BadData("--handoffs needs passports: give a --manifest that names the team")


def load_team(folder: Path) -> Sequence[Mapping[str, Any]]:
    """Sessions of the team, as they were recorded.

    Raises:
        BadData: there are none.
    """
    path = folder / "sessions.jsonl.gz"
    found = [row for row in rows(path) if row["suite"] == _SUITE] if path.is_file() else []
    if not found:
        raise BadData(f"no recorded hand-offs in `{folder}`: give the folder that holds sessions.jsonl.gz")
    return found


def hand_offs(folder: Path, passports: Passports, *, home: Path, db: str, tenant: str, prefix: str) -> dict[str, Any]:
    """Issue the team's passports, drive its sessions; what was handed on, what was refused, authority at the end.

    Raises:
        BadData: there are no sessions, or the manifest lacks an agent of the team.
    """
    sessions = load_team(folder)
    passports.issue(AGENTS, home=home, db=db)
    counts = Team(db, home).drive(sessions, prefix)
    with Reader(db) as reader:
        reader.use_names(home)
        found = read(reader, tenant, prefix)
        back = sum(
            item.entry.session.startswith(prefix) for item in read_entries(reader, tenant, (EntryKind.HANDBACK,))
        )
    return {
        "sessions": len(sessions),
        **counts,
        "handed_back": back,
        "reauthorize": len(found.again),
        "authority": authority(("at the end", end) for end in found.ends.values()),
    }


@dataclass(slots=True)
class Team:
    """Drives sessions; counts what it met.

    Args:
        db: URL of the store.
        home: its keys.
    """

    db: str
    home: Path
    counts: Counter[str] = field(default_factory=Counter)

    def drive(self, sessions: Sequence[Mapping[str, Any]], prefix: str) -> dict[str, int]:
        """Run them all; how many hand-offs and messages there were, ran, and were refused with which code."""
        with Halo.local(agent=AGENTS[0], mode="enforce", db=self.db, home=self.home, quiet=True) as halo:
            model = ScriptedModel(script=[])
            graph: Any = create_agent(model, tools=[], middleware=[halo.middleware()])
            for session in sessions:
                with halo.session(f"{prefix}{session['id']}", request=session["user_prompt"]):
                    self._session(halo, model, graph, iter(session["events"]), session["user_prompt"])
        return dict(sorted(self.counts.items()))

    def _session(self, halo: Halo, model: ScriptedModel, graph: Any, events: Iterator[Any], asked: str) -> None:
        """One session. A hand-off begins when the receiver first speaks: the giver may say more after announcing it."""
        holder, announced, given = AGENTS[0], None, ExitStack()
        with given:
            for event in events:
                how = event.get("how")
                if how == "explicit":
                    announced = event
                elif how == "return":
                    holder = AGENTS[0]
                    given.close()
                elif event["kind"] == "message":
                    if announced is not None and event["agent"] == announced["to"]:
                        holder = self._hand_on(halo, given, announced)
                        announced = None
                    if event["agent"] != holder:
                        self.counts["messages of somebody else"] += 1
                        continue
                    model.script = [AIMessage(event["text"])]
                    self._went("messages", partial(graph.invoke, {"messages": [HumanMessage(asked)]}))

    def _hand_on(self, halo: Halo, given: ExitStack, announced: Mapping[str, Any]) -> str:
        given.close()  # from the one before, who never gave it back
        handing = halo.hand_off(announced["to"], task=announced["text"])
        went = self._went("hand_offs", partial(given.enter_context, handing))
        return announced["to"] if went else AGENTS[0]

    def _went(self, what: str, act: Callable[[], object]) -> bool:
        self.counts[what] += 1
        try:
            act()
        except Denied as denied:
            self.counts[f"{what} refused: {denied.reason}"] += 1
            return False
        return True
