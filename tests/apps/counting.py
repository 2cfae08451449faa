"""What the applications under `tests/apps` share: what really ran, what was decided, and what is left of the two.

An application counts its own actions in its bodies, independently of Halo:

    actions = Actions()

    @actions.tool
    def pay(account: str) -> str: ...

    actions.note("inference", "gpt")  # in the body of a model, a hand-off, an executor

and a test compares them with the log:

    assert_all_decided(home, actions)          # each action that ran has a decision that let it run, and the reverse
    assert count_questions(home) == 2
    assert count_added_lines(build_app) == 5   # lines that end with `# halo`
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from halo_core.model import EntryKind
from halo_world import bodies

Action = tuple[str, str]
"""Kind (`tool_call`, `retrieval`, `inference`, `handoff`) and name of an action."""
MARKER = "# halo"
"""Ends each line that an application has for Halo alone."""


class Actions:
    """What really ran in an application, in order; with a file, in all of its processes."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._ran: list[Action] = []
        self._lock = threading.Lock()

    def note(self, kind: str, name: str) -> None:
        """Note that something runs; called in its body."""
        with self._lock:
            self._ran.append((kind, name))
            if self._file is not None:
                with self._file.open("a") as file:  # one short write, which is never torn
                    file.write(f"{kind}\t{name}\n")

    def tool(self, function: Callable[..., Any], kind: str = "tool_call") -> Callable[..., Any]:
        """The function, noted each time it runs; its signature and docstring stay."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def counted_async(*args: Any, **kwargs: Any) -> Any:
                self.note(kind, function.__name__)
                return await function(*args, **kwargs)

            return counted_async

        @functools.wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.note(kind, function.__name__)
            return function(*args, **kwargs)

        return counted

    def count(self, *kinds: str) -> Counter[Action]:
        """How often each action ran; of these kinds only, where any are named."""
        with self._lock:
            ran = list(self._ran)
        if self._file is not None:
            lines = self._file.read_text().splitlines() if self._file.exists() else []
            ran = [(kind, name) for kind, _, name in (line.partition("\t") for line in lines)]
        return Counter(action for action in ran if not kinds or action[0] in kinds)

    def names(self, kind: str = "tool_call") -> list[str]:
        """Names of what ran of a kind, in order (of this process)."""
        with self._lock:
            return [name for ran_kind, name in self._ran if ran_kind == kind]

    def clear(self) -> None:
        """Forget what ran."""
        with self._lock:
            self._ran.clear()
        if self._file is not None:
            self._file.write_text("")


def count_decided(home: Path, *kinds: str) -> Counter[Action]:
    """How often each action was decided and let run, by the log."""
    decided = (read_action(body) for body in bodies(home, EntryKind.DECISION) if body["dispatched"])
    return Counter(action for action in decided if not kinds or action[0] in kinds)


def read_action(body: Mapping[str, Any]) -> Action:
    """Kind and name of the action of a decision's entry."""
    return body["request"]["kind"], body["request"]["resource"]["id"]


def count_actors(home: Path, name: str) -> Counter[str]:
    """Under which agents an action of this name was decided, by the log."""
    decisions = bodies(home, EntryKind.DECISION)
    return Counter(find_actor(body) for body in decisions if body["request"]["resource"]["id"] == name)


def find_actor(body: Mapping[str, Any]) -> str:
    """The agent that acted, by a decision's entry: the facade's own, or the receiver of a hand-off."""
    return str(body["request"]["subject"]["agent"])


def count_effects(home: Path) -> Counter[str]:
    """How many decisions had each effect (`allow`, `monitor`, `restrict`, `challenge`, `deny`)."""
    return Counter(body["decision"]["effect"] for body in bodies(home, EntryKind.DECISION))


def count_questions(home: Path) -> int:
    """How many questions a person was asked."""
    return len(bodies(home, EntryKind.APPROVAL_REQUEST))


def list_refusals(home: Path) -> list[tuple[str, str, list[str]]]:
    """Kind, name and reason codes of what was denied or asked about."""
    return [
        (*read_action(body), [reason["code"] for reason in body["decision"]["reasons"]])
        for body in bodies(home, EntryKind.DECISION)
        if body["decision"]["effect"] in ("challenge", "deny")
    ]


def list_undecided(home: Path) -> list[tuple[str, str, bool]]:
    """Kind, name and whether it was refused, of what was seen without a decision (shadow entries)."""
    return [(body["kind"], body["name"], body["refused"]) for body in bodies(home, EntryKind.SHADOW)]


def assert_all_decided(home: Path, actions: Actions, *, kinds: Collection[str] = ()) -> None:
    """Require that what ran and what the log says was let run are the same, by name and count.

    Hand-offs that a framework makes without any code of the application's are counted only where `kinds` names them.
    """
    kinds = kinds or ("inference", "retrieval", "tool_call")
    ran, decided = actions.count(*kinds), count_decided(home, *kinds)
    assert ran == decided, f"ran undecided: {ran - decided}; decided but not seen to run: {decided - ran}"


def count_added_lines(*functions: Any) -> int:
    """How many lines these functions, classes or modules have for Halo: those that end with `# halo`."""
    return sum(line.rstrip().endswith(MARKER) for item in functions for line in inspect.getsource(item).splitlines())


def declare(home: Path, *tools: str, section: str = "tools") -> None:
    """Declare tools as the operator does after the first day: lines below `tools:` of the home's `agents.yaml`.

    An agent that was never issued a passport keeps what it is granted by being guarded.

    Example:
        declare(home, "book_flight: {impact: write, reversal: compensate}")
    """
    home.mkdir(parents=True, exist_ok=True)
    declared = "".join(f"  {line}\n" for line in tools)
    agents = "agents:\n  nobody: {owner: ana@bank.example}\n"
    (home / "agents.yaml").write_text(f"version: 1\n{section}:\n{declared}{agents}")
