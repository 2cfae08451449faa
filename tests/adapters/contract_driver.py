"""What an adapter's tests give to the contract: a `Driver` of the framework, and a `Desk` that shows what ran.

Nothing here knows a framework: an adapter writes one `Driver` (see `test_contract_langchain.py`), puts it on a subclass
of `contract.AdapterContract`, and every case runs in every call shape that the driver names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from halo_core.crypto.keys import KeyStore
from halo_core.facade import HaloBase
from halo_core.model import EntryKind, Resource
from halo_core.store.entry_lookup import find_entry
from halo_core.store.reader import Reader, SealedContents
from halo_core.views.model_calls import load_prompt
from halo_world import LogTail, cli, policy_folder

__all__ = ["BASE", "RULES", "Desk", "Driver", "Say", "Turn", "rule", "trusted"]

BASE = '@id("t.base") permit (principal, action, resource);\n'


def rule(name: str, *, label: str = "", action: str = "", effect: str = "", obligation: str = "") -> str:
    """A rule on what carries a label, on an action, or on both; a plain forbid without an effect."""
    scope = f"action in Action::{action!r}".replace("'", '"') if action else "action"
    when = f' when {{ resource.labels.contains("{label}") }}' if label else ""
    marks = "".join(f'@{key}("{value}") ' for key, value in (("effect", effect), ("obligation", obligation)) if value)
    return f'@id("t.{name}") {marks}forbid (principal, {scope}, resource){when};\n'


RULES = (
    BASE
    + rule("forbidden", label="forbidden")
    + rule("asked", label="asked", effect="challenge")
    + rule("clamped", label="clamped", effect="restrict", obligation="clamp(k, 2)")
    + rule("dropped", label="dropped", effect="restrict", obligation="drop_documents(300)")
)


@dataclass(frozen=True, slots=True)
class Say:
    """One message of a scripted model.

    Args:
        words: its text.
        calls: tool calls in it, each (name, arguments); call i has the id `<id>-call-<i>`.
        id: of the message.
    """

    words: str
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    id: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of one run of an agent.

    Args:
        told: texts of the tool results as the model was told them, in the order of the calls.
        said: the last words of the run.
        error: what ended the run, None where it went to its end. A denial MUST be the `Denied` itself.
        pending: ids of the challenges that wait for an answer.
        waiting: what the framework shows to whoever answers, one for each pause.
    """

    told: tuple[str, ...] = ()
    said: str = ""
    error: BaseException | None = None
    pending: tuple[str, ...] = ()
    waiting: tuple[Any, ...] = ()


class Driver(Protocol):
    """One framework, as the contract uses it. Every method is synchronous: an async shape runs in a loop of its own.

    Attributes:
        framework: its name.
        facade: the adapter's `Halo`.
        shapes: ways to run an agent: sync, async, streamed, batched, whatever there is.
        async_shapes: those of them in which a tool may be a coroutine function.
        tool_shapes: ways to call a tool by itself.
        retriever_shapes: ways to retrieve.
        model_shapes: ways to ask a model.
        stream_shapes: those of `model_shapes` that give chunks.
        default_shapes: those that a case with more than three shapes runs in by default: a synchronous one, an
            asynchronous one and a streamed one; the others are marked `thorough`.
    """

    framework: str
    facade: type[HaloBase]
    shapes: tuple[str, ...]
    async_shapes: tuple[str, ...]
    tool_shapes: tuple[str, ...]
    retriever_shapes: tuple[str, ...]
    model_shapes: tuple[str, ...]
    stream_shapes: tuple[str, ...]
    default_shapes: frozenset[str]

    def tool(self, halo: HaloBase | None, function: Callable[..., Any], resource: Resource | None = None) -> Any:
        """A guarded tool of a function, sync or async; without a Halo the framework's plain one."""

    def retriever(self, halo: HaloBase, name: str, texts: Sequence[str], resource: Resource, read: list[str]) -> Any:
        """A guarded retriever over texts; it appends to `read` each query that really reached it."""

    def model(self, halo: HaloBase | None, script: Sequence[Say], heard: list[str]) -> Any:
        """A guarded model (a plain one without a Halo), which streams word by word.

        It appends `asked` to `heard` each time it is really asked, and each word as it leaves it in a stream.
        """

    def hosted(self, name: str) -> Any:
        """A tool that the model's provider runs, as this framework writes it."""

    def handing(self, to: str) -> tuple[str, Mapping[str, Any]]:
        """The tool call by which a member of a `team` hands off to another."""

    def call(self, tool: Any, args: Mapping[str, Any], shape: str) -> str:
        """Call a tool; its result as text. What the tool or the guard raises comes out."""

    def by_position(self, tool: Any, *args: Any) -> str:
        """Call the innermost callable of a tool that anybody can reach, with positional arguments."""

    def retrieve(self, retriever: Any, query: str, shape: str) -> list[str]:
        """Texts of the documents found."""

    def ask(self, model: Any, text: str, shape: str) -> str:
        """Words of the answer."""

    def stream(self, model: Any, text: str, shape: str, each: Callable[[str], None]) -> None:
        """Ask in one of `stream_shapes`; `each` is called with every chunk as it arrives."""

    def agent(
        self,
        halo: HaloBase | None,
        tools: Sequence[Any],
        script: Sequence[Say],
        *,
        heard: list[str] | None = None,
        durable: bool = False,
        everything: bool = False,
        jumps_back: bool = False,
    ) -> Any:
        """An agent with these (guarded) tools.

        Args:
            halo: who governs it; None makes the framework's plain agent.
            tools: its tools.
            script: what its model says; past the end it says `done`.
            heard: as in `model`.
            durable: keep what the framework keeps of a run, so that it can be paused and resumed.
            everything: install every hook of the adapter at once.
            jumps_back: another component makes the run do the last tool calls once more, after the model was told.
        """

    def team(
        self,
        halo: HaloBase,
        said: Mapping[str, Sequence[Say]],
        tools: Mapping[str, Sequence[Any]],
        heard: list[str],
    ) -> Any:
        """Agents by name, the first begins, each may hand off to each; a model appends its agent's name to `heard`."""

    def run(self, agent: Any, shape: str, *, thread: str = "") -> Turn:
        """Run an agent (or team) once; `thread` names a durable run."""

    async def arun(self, agent: Any) -> None:
        """Run an agent in the caller's loop, so that it can be cancelled."""

    def resume(self, agent: Any, shape: str, *, thread: str) -> Turn:
        """Go on with what waits, saying nothing but `look again`."""

    def persisted(self, agent: Any) -> str:
        """Everything the framework has kept of a durable agent's runs, as text."""

    def elsewhere(self) -> Path:
        """A script for another process: `start HOME` or `resume HOME`.

        It opens Halo in HOME/halo with the policy in HOME/halo-policy, runs an agent whose model calls the tool
        `pay(to="bo", amount=5)`, labelled `asked`, appends a line to HOME/ran when the tool runs, keeps the framework's
        state in HOME, and prints one line of JSON: {"pending": [...], "told": [...]}.
        """


@dataclass(slots=True)
class Desk:
    """A Halo over a store of its own, its ledger, and an approver outside of its chain."""

    driver: Driver
    home: Path
    halo: HaloBase = field(init=False)
    policy: str = RULES
    mode: str = "enforce"
    more: Mapping[str, Any] = field(default_factory=dict)
    _log: LogTail = field(init=False)

    def __post_init__(self) -> None:
        self._log = LogTail(self.home, names=False)
        folder = policy_folder(self.home, self.policy)
        self.halo = self.driver.facade.local(
            "desk", home=self.home, mode=self.mode, policy=folder, quiet=True, **self.more
        )

    def tool(self, function: Callable[..., Any], *labels: str, **declared: Any) -> Any:
        """A guarded tool, declared as a trusted read unless something else is said."""
        return self.driver.tool(self.halo, function, trusted(*labels, **declared))

    def entries(self, kind: EntryKind) -> list[Any]:
        """Entries of a kind, in order."""
        self.halo.store.flush()
        return self._log.entries(kind)

    def decisions(self, resource: str = "") -> list[Mapping[str, Any]]:
        """Bodies of decisions, of one resource or all."""
        found = [entry.body for entry in self.entries(EntryKind.DECISION)]
        return [body for body in found if not resource or body["request"]["resource"]["id"] == resource]

    def effects(self, resource: str) -> list[str]:
        """Effects of the decisions about a resource."""
        return [body["decision"]["effect"] for body in self.decisions(resource)]

    def reasons(self, resource: str) -> list[str]:
        """All reason codes of the decisions about a resource."""
        return [reason["code"] for body in self.decisions(resource) for reason in body["decision"]["reasons"]]

    def outcomes(self) -> list[str]:
        """Statuses of what ran."""
        return [entry.body["status"] for entry in self.entries(EntryKind.OUTCOME)]

    def essence(self, entry: Any) -> tuple[str, ...]:
        """What of a decision must not depend on the shape of its call, the arguments as sealed included."""
        request, decision = entry.body["request"], entry.body["decision"]
        with Reader(f"sqlite:///{self.home / 'halo.db'}") as reader:
            args = SealedContents.with_home_key(reader, KeyStore(self.home)).open(entry, "args")
        codes = [reason["code"] for reason in decision["reasons"]]
        named = [request["kind"], request["resource"]["id"], decision["effect"]]
        # A model call counts its messages, whichever ids they have; the digests are keyed by each home.
        return (*named, *codes, (args or b"").decode())

    def open(self, entry: Any, name: str) -> bytes | None:
        """A sealed field of an entry."""
        with Reader(f"sqlite:///{self.home / 'halo.db'}") as reader:
            return SealedContents.with_home_key(reader, KeyStore(self.home)).open(entry, name)

    def sealed_messages(self, entry: Any) -> list[str]:
        """References of the messages that a decision has sealed."""
        return [name for name, _, _ in json.loads(self.open(entry, "messages") or b"[]")]

    def prompt(self, entry: Any) -> list[tuple[str, str]]:
        """Role and text of what a model was given."""
        with Reader(f"sqlite:///{self.home / 'halo.db'}") as reader:
            contents = SealedContents.with_home_key(reader, KeyStore(self.home))
            record = find_entry(reader, entry.tenant, f"{entry.writer}-{entry.seq}")
            return [(item.role, item.text or "") for item in load_prompt(reader, contents, record, reveal=True)]

    def answer(self, verb: str, pending: str) -> None:
        """Approve or deny a challenge, from outside of the chain."""
        why = ("--why", "no") if verb == "deny" else ()
        cli("approver", "enrol", "mia@bank", home=self.home)
        code, out, err = cli("approvals", verb, pending, "--as", "mia@bank", *why, home=self.home)
        assert code == 0, (out, err)

    def act(self, verb: str, decision: str, *options: str) -> None:
        """Order a reversal or override a decision, from outside of the chain."""
        cli("approver", "enrol", "mia@bank", home=self.home)
        code, out, err = cli(verb, decision, *options, "--as", "mia@bank", "--why", "checked", home=self.home)
        assert code == 0, (out, err)

    def close(self) -> None:
        """Close the Halo; closing twice does no harm."""
        self.halo.close()


def trusted(*labels: str, **declared: Any) -> Resource:
    """A resource that nothing but a label speaks against."""
    return Resource(**{"impact": "read", "source_trust": 900, "labels": labels, **declared})
