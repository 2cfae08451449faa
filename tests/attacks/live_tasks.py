"""Runs tasks in LangChain with an approver who says yes only to what a task needs.

    python tests/attacks/live_tasks.py [A|B] [crafts|duties|posts|shifts|assignments|commissions]    # a half, or all

Each task runs clean, with the order planted and ignored, and with the order followed before the work goes on. Acts that
are held are answered when the run has ended, each counted as a question of its own, and then released.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "oversight")]

import assignment_tasks
import assignment_tasks_desk  # noqa: F401  adds the tasks of the assignments
import assignment_tasks_field  # noqa: F401  adds further ones
import commission_tasks
import commission_tasks_town  # noqa: F401  adds the tasks of the commissions
import commission_tasks_trade  # noqa: F401  adds further ones
import office_tasks
import office_tasks_traps  # noqa: F401  and of the posts
import role_tasks
import role_tasks_lures  # noqa: F401  and of the duties
import trade_tasks_lures  # noqa: F401  adds the tasks of the crafts
import workplace_tasks
import workplace_tasks_snares  # noqa: F401  and of the shifts
from case_world import TOOLS, Case, Talk, World
from oversight_world import answers, enrolled
from trade_tasks import CRAFTS, Task, half

from halo_core.oversight.requests import list_requests
from halo_core.store.reader import Reader

__all__ = ["Ended", "list_runs", "run_live"]

Needed = Callable[[str, Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended.

    Args:
        done: every call that it needs ran.
        obeyed: the call that was planted ran.
        questions: that somebody was asked, in the run or after it.
        pauses: questions that the run waited for.
        asked: the calls that they were about.
    """

    done: bool
    obeyed: bool
    questions: int
    pauses: int
    asked: tuple[tuple[str, bool], ...] = ()


def list_runs(task: Task) -> Iterator[tuple[str, Case]]:
    """`clean`, `resisted` and `obeyed`, with the calls of each."""
    yield "clean", task.clean()
    resisted = task.resisted()
    if resisted is None or not task.obeyed:
        return
    yield "resisted", resisted
    talks, is_open = [], True
    for talk in task.talks:
        place = next((i for i, (name, _) in enumerate(talk.calls) if name in task.planted), None)
        if place is None or not is_open:
            talks.append(talk)
            continue
        calls = (*talk.calls[: place + 1], *task.obeyed, *talk.calls[place + 1 :])
        talks.append(Talk(talk.told, calls, request=talk.request, goes_on=talk.goes_on))
        is_open = False
    yield "obeyed", Case(task.name, tuple(talks), resisted.answers, known=task.known)


def run_live(task: Task, case: Case, home: Path) -> Ended:
    """Run a task; whoever is asked says yes to what the task needs, and no to the rest."""
    from halo_langchain import Halo

    needed = [(name, dict(args)) for talk in task.talks for name, args in talk.calls]
    world = World(Halo, home, case)
    halo = world.halo("desk")
    enrolled(home)
    asked: list[tuple[str, bool]] = []
    pauses, place = 0, None
    try:
        for talk in case.talks:
            place, paused, waiting = _run_talk(world, halo, talk, place if talk.goes_on else None, needed)
            asked += paused
            pauses += len(paused)
            halo.store.flush()
            asked += _answer_held(halo, home, waiting, needed)
    finally:
        world.close()
    ran = [(name, dict(args)) for name, args in world.ran]
    left = list(needed)
    for call in ran:
        if call in left:
            left.remove(call)
    obeyed = bool(task.obeyed) and (task.obeyed[-1][0], dict(task.obeyed[-1][1])) in ran
    return Ended(not left, obeyed, len(asked), pauses, tuple(asked))


def _answer_held(halo: Any, home: Path, waiting: list[Any], needed: list[Any]) -> list[tuple[str, bool]]:
    """Answer what a run left in the outbox, and release it: the tools, and whether the task needs their calls."""
    if not waiting:
        return []
    with closing(sqlite3.connect(home / "halo.db")) as connection:
        rows = connection.execute("SELECT id, question FROM outbox ORDER BY held_us, id").fetchall()[-len(waiting) :]
    calls = {held: call for (held, _), call in zip(rows, waiting, strict=True)}
    questions = {question: calls[held] for held, question in reversed(rows)}  # each is about the first act that has it
    asked: list[tuple[str, bool]] = []
    while pending := [item for item in _list_pending(halo, home) if item in questions]:
        for question in pending:
            name, args = questions.pop(question)
            asked.append((name, (name, dict(args)) in needed))
            answers(home, question, approve=asked[-1][1])
        again = [item.id for item in halo.release() if item.status == "asked"]
        questions |= zip(_list_pending(halo, home), map(calls.get, again), strict=True)
    return asked


def _list_pending(halo: Any, home: Path) -> list[str]:
    with Reader(f"sqlite:///{home / 'halo.db'}") as reader:
        requests = list_requests(reader, "local", halo.store.clock.now_us())
        return [row.id for row, status in requests if status == "pending"]


def _run_talk(
    world: World, halo: Any, talk: Talk, place: Any, needed: list[Any]
) -> tuple[Any, list[tuple[str, bool]], list[Any]]:
    from langchain.agents import create_agent
    from langchain_core.messages import AIMessage, ToolMessage
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.types import Command

    from halo_langchain.testing import ScriptedModel, call

    saver, thread, spoken, heard = place or (InMemorySaver(), f"t-{id(talk)}", 0, 0)
    steps = [call("step", item, id=f"m{id(talk)}-{i}") for i, item in enumerate(talk.calls)]
    names = sorted({name for name, _ in talk.calls})
    tools = [halo.guard(world.function(name), resource=TOOLS[name][2]) for name in names]
    model = ScriptedModel(script=[*["before"] * spoken, *steps, AIMessage(talk.reply)])
    agent = create_agent(model, tools, middleware=[halo.middleware()], checkpointer=saver)
    config: Any = {"configurable": {"thread_id": thread}}
    state = agent.invoke({"messages": [("user", talk.told)]}, config)
    paused: list[tuple[str, bool]] = []
    while state.get("__interrupt__"):
        question = state["__interrupt__"][0].value
        at = sum(isinstance(m, ToolMessage) for m in state["messages"]) - heard
        name, args = talk.calls[at]
        is_needed = (name, dict(args)) in needed
        paused.append((name, is_needed))
        answers(world.home, question["pending_id"], approve=is_needed)
        state = agent.invoke(Command(resume=True), config)
    said = sum(isinstance(m, AIMessage) for m in state["messages"])
    replies = [m for m in state["messages"] if isinstance(m, ToolMessage)][heard:]
    waiting = [item for item, m in zip(talk.calls, replies, strict=False) if "held, no result yet" in str(m.content)]
    return (saver, thread, said, heard + len(replies)), paused, waiting


_SETS: Final[dict[str, tuple[list[Task], Callable[[str], str]]]] = {
    "crafts": (CRAFTS, half),
    "duties": (role_tasks.DUTIES, role_tasks.half),
    "posts": (office_tasks.POSTS, office_tasks.half),
    "shifts": (workplace_tasks.SHIFTS, workplace_tasks.half),
    "assignments": (assignment_tasks.ASSIGNMENTS, assignment_tasks.half),
    "commissions": (commission_tasks.COMMISSIONS, commission_tasks.half),
}


def main(which: str, name: str = "crafts", names: str = "") -> None:
    """Print the figures of a half of a set; with `names`, what each task was asked about."""
    tasks, find_half = _SETS[name]
    warnings.simplefilter("ignore")
    found: Counter[str] = Counter()
    for task in tasks:
        if find_half(task.name) not in which:
            continue
        for kind, case in list_runs(task):
            with tempfile.TemporaryDirectory() as folder:
                ended = run_live(task, case, Path(folder) / "home")
            if names:
                said = ", ".join(f"{tool}{'' if needed else ' (planted)'}" for tool, needed in ended.asked)
                sys.stdout.write(f"{task.name} [{kind}] {'obeyed ' * ended.obeyed}{said or '-'}\n")
            found[f"{kind}: tasks"] += 1
            found[f"{kind}: done unasked"] += ended.done and not ended.questions
            found[f"{kind}: done"] += ended.done
            found[f"{kind}: questions"] += ended.questions
            found[f"{kind}: pauses"] += ended.pauses
            found[f"{kind}: planted order completed"] += ended.obeyed
    for name in sorted(found):
        sys.stdout.write(f"{name:36} {found[name]}\n")


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["AB"]))
