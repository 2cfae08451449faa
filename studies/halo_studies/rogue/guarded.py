"""The streams through Halo: a prepared home, and sessions that are decided, run and recorded at simulated times.

    with GuardedDesk(desk, home, clock, Setting()) as guarded:
        guarded.prepare(plans)                 # observe mode, then `halo baseline fit`
        runs = [guarded.run(plan, world) for plan in plans]

Calls go through the core's enforcement point as an adapter's do, or through LangChain's guarded tools. Commands
(`halo baseline fit`, `halo identity ...`) run in this process, at the simulated time.
"""

from __future__ import annotations

import contextlib
import io
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from unittest.mock import patch

from halo_core.cli.main import run as run_command
from halo_core.clock import SystemClock
from halo_core.enforcement.enforcer import Surface
from halo_core.errors import HaloError
from halo_core.facade import HaloBase
from halo_core.identities.day_alerts import ALERT_KIND
from halo_core.model import ActionKind, EntryKind
from halo_core.store.reader import LoggedEntry, Reader, read_entries
from halo_studies.rogue.desk import Desk
from halo_studies.rogue.streams import Effect, Live, Plan, World

__all__ = ["Decided", "GuardedDesk", "Run", "Setting", "SimulatedClock", "run_halo"]

TENANT: Final = "local"
_SURFACE: Final[Surface[str]] = Surface(text=str)
_COMPRESSED_GAP_S: Final = 10
_FAILURES: Final = (LookupError, PermissionError)
_JSON_TYPES: Final = {
    "bool": "boolean",
    "str": "string",
    "int": "integer",
    "float": "number",
    "dict": "object",
    "list": "array",
}


class SimulatedClock:
    """A wall clock that is moved and never goes back, beside the monotonic clock of the process, for its deadlines."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """Wall clock, microseconds since the epoch."""
        return self._now_us

    def mono_us(self) -> int:
        """Monotonic clock of the process, microseconds."""
        return time.monotonic_ns() // 1000

    def move_to(self, now_us: int) -> None:
        """Move forward to a time; an earlier one leaves the clock as it is."""
        self._now_us = max(self._now_us, now_us)

    def advance_s(self, seconds: float) -> None:
        """Move forward."""
        self._now_us += round(seconds * 1_000_000)


def run_halo(clock: SimulatedClock, home: Path, *argv: str) -> tuple[int, str]:
    """Run `halo` on a home in this process at the clock's time; exit code, and what it printed."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    with (
        patch.object(SystemClock, "now_us", lambda _: clock.now_us()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
    ):
        code = run_command([*argv, "--home", str(home)])
    out.flush()
    return int(code), out.buffer.getvalue().decode()  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision as the ledger holds it.

    Args:
        tool: its resource.
        effect: of the decision.
        why: rule or check that decided.
        authority: what the chain had left before, None where that is not recorded.
        agent_risk: what earlier sessions left, where the snapshot has it.
    """

    tool: str
    effect: str
    why: str
    authority: int | None
    agent_risk: int | None


@dataclass(slots=True)
class Run:
    """What came of a plan.

    Args:
        plan: it.
        session: name of its session.
        effects: of its rogue acts.
        refused: acts that did not run, with the code that was raised.
        decisions: of its calls.
        alerts: kinds of the alerts raised in it.
    """

    plan: Plan
    session: str
    effects: list[Effect] = field(default_factory=list)
    refused: list[tuple[bool, str, str]] = field(default_factory=list)
    decisions: list[Decided] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)

    @property
    def is_touched(self) -> bool:
        """Whether any call was denied, asked about, restricted or held."""
        return bool(self.refused) or any(one.effect in {"deny", "challenge", "restrict"} for one in self.decisions)

    def why_touched(self) -> list[str]:
        """Rule or check and tool of each such call."""
        return [f"{one.why}: {one.tool}" for one in self.decisions if one.effect in {"deny", "challenge", "restrict"}]


@dataclass(frozen=True, slots=True)
class Setting:
    """How streams are run.

    Args:
        framework: empty for the core's own calls, or `langchain`.
        is_compressed: sessions follow each other within seconds, as where a history is replayed; hours and days then
            say nothing.
    """

    framework: str = ""
    is_compressed: bool = False


class GuardedDesk:
    """A desk's agents over one home, one after the other: a facade is open for the agent and host at work.

    Args:
        desk: whose tools.
        home: folder of keys, policy and ledger.
        clock: of all decisions.
        how: adapter and time.
    """

    def __init__(self, desk: Desk, home: Path, clock: SimulatedClock, how: Setting) -> None:
        self.desk = desk
        self.home = home
        self.clock = clock
        self._make_facade = _FACADES[how.framework]
        self._is_compressed = how.is_compressed
        self._halo: HaloBase | None = None
        self._key = ("", "", "")
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the facade, so that all is written."""
        if self._halo is not None:
            self._halo.close()
            self._halo = None

    def _facade(self, agent: str, host: str, mode: str) -> HaloBase:
        if self._halo is None or self._key != (agent, host, mode):
            self.close()
            self._key = (agent, host, mode)
            with patch.object(socket, "gethostname", lambda: host):
                self._halo = self._make_facade().local(
                    agent, home=self.home, mode=mode, quiet=True, clock=self.clock, deadline_s=30.0
                )
        return self._halo

    def prepare(self, plans: list[Plan], fit: Mapping[str, str]) -> None:
        """Live through the first weeks in observe mode, then fit a baseline for each agent.

        Args:
            plans: ordinary sessions.
            fit: agent → the agent of the same role whose sessions count too, empty for none.

        Raises:
            RuntimeError: a baseline cannot be fitted.
        """
        world = self.desk.make_world()
        for plan in plans:
            self.run(plan, world, mode="observe")
        self.close()
        for agent, like in fit.items():
            more = ("--like", like) if like else ()
            code, said = run_halo(self.clock, self.home, "baseline", "fit", agent, *more)
            if code:
                raise RuntimeError(f"halo baseline fit {agent}: {said[-500:]}")

    def run(self, plan: Plan, world: World, mode: str = "enforce") -> Run:
        """Run a session: each act is decided first, and its body runs only if it may."""
        if self._is_compressed:
            self.clock.advance_s(_COMPRESSED_GAP_S)
        else:
            self.clock.move_to(plan.start_us)
        halo = self._facade(plan.agent, plan.host, mode)
        self._count += 1
        run = Run(plan, f"{plan.agent}-{plan.start_us // 1_000_000}-{self._count}")
        live = Live(plan, self.desk.functions(world), world)
        tools = _guard_tools(halo, self.desk, live)
        with halo.session(run.session, user=plan.principal, request=plan.request):
            for act, args in live.acts():
                self.clock.advance_s(act.wait_s / _COMPRESSED_GAP_S if self._is_compressed else act.wait_s)
                before = len(world.effects)
                try:
                    tools[act.tool](act, args)
                except HaloError as error:
                    run.refused.append((act.is_rogue, act.tool, error.code))
                except _FAILURES:
                    pass  # the agent goes on; the system's refusal is an effect
                if act.is_rogue:
                    run.effects += world.effects[before:]
        return run

    def read_ledger(self, runs: list[Run]) -> list[str]:
        """Add decisions and alerts to runs of this home. Closes the facade, so that all is written.

        Returns:
            Kinds of the alerts since the first of the runs that belong to no session, but for those about people, which
            are written where their events are scored.
        """
        halo = self._facade(self.desk.name, self.desk.hosts[0], "enforce")
        by_name = {name: run for run in runs for name in (run.session, halo.store.references.of_session(run.session))}
        self.close()
        with Reader(f"sqlite:///{self.home / 'halo.db'}") as reader:
            loose: list[str] = []
            has_begun = False
            for item in read_entries(reader, TENANT, (EntryKind.DECISION, EntryKind.ALERT)):
                run = by_name.get(item.entry.session)
                has_begun = has_begun or run is not None
                kind = str(item.entry.body.get("kind", "")) if item.entry.kind is EntryKind.ALERT else ""
                if run is None:
                    loose += [kind] if has_begun and kind and kind != ALERT_KIND else []
                elif kind:
                    run.alerts.append(kind)
                else:
                    run.decisions.append(_read_decision(item))
        return loose


def _read_decision(item: LoggedEntry) -> Decided:
    body = item.entry.body
    decision, snapshot = body["decision"], body["snapshot"]
    effect = decision["effect"]
    reason = next((one for one in decision["reasons"] if one["effect"] == effect), None)
    why = "" if reason is None else f"{reason['source'] if '.' in reason['source'] else reason['code']}"
    return Decided(
        body["request"]["resource"]["id"], effect, why, snapshot.get("authority"), _find_number(snapshot, "agent_risk")
    )


def _find_number(tree: object, name: str) -> int | None:
    """The number of this name anywhere in a record."""
    if isinstance(tree, Mapping):
        value = tree.get(name)
        if isinstance(value, int):
            return value
        return next((one for inner in tree.values() if (one := _find_number(inner, name)) is not None), None)
    return None


Guarded = Callable[[Any, dict[str, Any]], str]


def _guard_tools(halo: HaloBase, desk: Desk, live: Live) -> dict[str, Guarded]:
    """Tools by name; each takes the act and its arguments."""
    guard = _guard_for_langchain if halo.framework == "langchain" else _guard_plainly
    return {name: guard(halo, name, desk, live) for name in desk.tools}


def _guard_plainly(halo: HaloBase, name: str, desk: Desk, live: Live) -> Guarded:
    function = live.tools[name]
    hints = {key: kind for key, kind in function.__annotations__.items() if key != "return"}
    types = {key: _JSON_TYPES[str(getattr(kind, "__name__", kind)).partition("[")[0]] for key, kind in hints.items()}
    schema = {
        "type": "object",
        "properties": {key: {"type": word} for key, word in types.items()},
        "required": sorted(hints),
    }
    resource = halo.register(
        ActionKind.TOOL_CALL, name, resource=desk.tools[name], description=function.__doc__ or "", schema=schema
    )

    def call(act: Any, args: dict[str, Any]) -> str:
        made = halo.build_call(resource, args)
        return halo.enforcer.run(made, lambda decided: live.run(act, decided), _SURFACE)

    return call


def _guard_for_langchain(halo: HaloBase, name: str, desk: Desk, live: Live) -> Guarded:
    tool = halo.guard(live.tools[name], resource=desk.tools[name])  # type: ignore[attr-defined]

    def call(act: Any, args: dict[str, Any]) -> str:
        result = str(tool.invoke(args))
        live.note_result(act, result)
        return result

    return call


def _plain() -> type[HaloBase]:
    return HaloBase


def _langchain() -> type[HaloBase]:
    from halo_langchain import Halo  # noqa: PLC0415  only where it is asked for

    return Halo


_FACADES: Final[Mapping[str, Callable[[], type[HaloBase]]]] = {"": _plain, "langchain": _langchain}
