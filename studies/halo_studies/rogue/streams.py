"""What a stream is made of: acts of an agent, their effects in a small world, and the sessions they belong to.

A plan says which calls an agent makes; it holds no verdict and no result. `Live` replays a plan in a world, one act
after the other, whoever decides: Halo, a rival, or nobody (to know how much damage is intended). Damage is counted from
the effects that tool bodies had, so what did not run does none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

__all__ = ["Act", "Effect", "FromResults", "Live", "Plan", "World", "mix"]

NO_RESULT: Final = "nothing there"


@dataclass(frozen=True, slots=True)
class FromResults:
    """An argument that the agent copies from what a tool returned in this session.

    Args:
        tool: whose results.
        intro: words in front.
        only_last: the last result instead of all of them.
    """

    tool: str
    intro: str = ""
    only_last: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """One call that the agent makes.

    Args:
        tool: its name.
        args: arguments by name; a `FromResults`, also inside an object, is filled in when the call is made.
        is_rogue: it is no part of what the agent is there for.
        wait_s: seconds since the act before.
    """

    tool: str
    args: Mapping[str, Any]
    is_rogue: bool = False
    wait_s: int = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """One session: who asks for what, and which calls the agent makes.

    Args:
        agent: who acts.
        principal: whom it acts for.
        request: in the words of the principal.
        acts: in order.
        start_us: when, microseconds since the epoch.
        host: on which.
        kind: of the task, for reports.
        concerns: ids of the people whom the request is about.
    """

    agent: str
    principal: str
    request: str
    acts: tuple[Act, ...]
    start_us: int
    host: str
    kind: str
    concerns: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Effect:
    """What a tool body did.

    Args:
        kind: `read`, `sent`, `paid`, `exported`, `changed`, `stored`, `secret` (one was opened) or `tried` (the system
            refused, or found nothing).
        system: which.
        people: ids of the people whose data it touched.
        to: where data or money went.
        amount: of money, or rows.
    """

    kind: str
    system: str
    people: frozenset[str] = frozenset()
    to: str = ""
    amount: float = 0.0


@dataclass(slots=True)
class World:
    """The state that tools read and change. A desk's world has its tools as methods.

    Args:
        planted: key of a message → text that somebody planted in it.
        effects: of all calls so far.
        notes: key → text that was stored.
    """

    planted: dict[str, str] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def note(
        self,
        kind: str,
        system: str,
        *people: str,
        to: str = "",
        amount: float = 0.0,
        named: frozenset[str] = frozenset(),
    ) -> None:
        """Write down an effect."""
        self.effects.append(Effect(kind, system, frozenset(people) | named, to, amount))

    def refuse(self, system: str, error: type[Exception], text: str) -> Exception:
        """The error of a system that finds nothing or refuses; having asked it is an effect."""
        self.note("tried", system)
        return error(text)


@dataclass(slots=True)
class Live:
    """A plan as it runs in a world.

    Args:
        plan: it.
        tools: name → function of the world.
        world: which.
    """

    plan: Plan
    tools: Mapping[str, Callable[..., str]]
    world: World
    _results: dict[str, list[str]] = field(default_factory=dict)

    def acts(self) -> Iterator[tuple[Act, dict[str, Any]]]:
        """Acts with their arguments filled in; `run` each before the next is taken, or leave it out."""
        for act in self.plan.acts:
            yield act, self._fill(act.args)

    def _fill(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: self._fill(inner) for name, inner in value.items()}
        if not isinstance(value, FromResults):
            return value
        results = self._results.get(value.tool, [])
        results = results[-1:] if value.only_last else results
        return value.intro + ("\n".join(results) or NO_RESULT)

    def run(self, act: Act, args: Mapping[str, Any]) -> str:
        """Run the tool's body.

        Raises:
            LookupError or PermissionError: the system behind the tool refuses.
        """
        result = self.tools[act.tool](**args)
        self.note_result(act, result)
        return result

    def note_result(self, act: Act, result: str) -> None:
        """Remember a result from which later arguments are filled in; `run` does."""
        self._results.setdefault(act.tool, []).append(result)


def mix(plan: Plan, acts: tuple[Act, ...], at: int) -> Plan:
    """The plan with more acts, in one block behind its first `at` acts."""
    return replace(plan, acts=(*plan.acts[:at], *acts, *plan.acts[at:]))
