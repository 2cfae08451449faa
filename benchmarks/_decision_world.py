"""Open a Halo with a policy of 100 rules, and make the calls that the benchmarks measure.

The policy is the starter policy and generated rules of the kinds people write: limits on amounts, blocked domains,
steps of a session, provenance of an argument; five for each tool, sliced by resource like any other. What may be paid
within 24 hours is raised, since a run pays more than anybody does in a day. The calls are what an office agent does:
it looks things up, writes a message, pays an invoice.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from _decision_calls import MIXES, RESULT, TOOLS, Rule, build_args, generate_rules, name_parties
from halo_core.clock import Clock
from halo_core.enforcement.agent_credentials import Limits
from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Surface
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Impact, Resource, Reversal

__all__ = ["MIXES", "PER_SESSION", "RULES", "SURFACE", "Work", "World", "open_world"]

RULES: Final = 100
SURFACE: Final[Surface[str]] = Surface(text=str)
_SUM_LIMIT: Final = re.compile(r'(_sum\.greaterThan\(decimal\()"\d+\.0"')
_MOST: Final = r'\1"900000000.0"'
PER_SESSION: Final = 20
"""Calls, then the next user's request begins."""

_STRING: Final = {"type": "string"}
_INTEGER: Final = {"type": "integer"}


@dataclass(frozen=True, slots=True)
class Work:
    """One call, and what its tool will return."""

    call: Call
    result: str


@dataclass(slots=True)
class World:
    """An open Halo with its tools; `work` makes calls that no other call in its ledger equals."""

    halo: HaloBase
    tools: Mapping[str, Resource]
    _made: int = 0
    users: str = "user"

    def work(self, mix: str, *, agent: int = 0, per_session: int = PER_SESSION) -> Iterator[Work]:
        """Endless calls of one agent, and after so many a new session."""
        names = MIXES[mix]
        while True:
            session, user = f"s-{agent}-{self._made}", f"{self.users}-{self._made % 50}"
            mail, payee = name_parties(self._made)
            request = (
                f"Please look up our open orders, write to {mail} what is still missing, and pay the invoice over "
                f"{90 + self._made % 50} euros to {payee}. Mention the order number, and be brief and polite."
            )
            # Numbers in a row, also where other agents' sessions begin meanwhile: no session pays one amount twice.
            first = self._made + 1
            self._made += per_session
            for i, number in enumerate(range(first, first + per_session)):
                name = names[i % len(names)]
                args = build_args(name, number, mail, payee)
                call = Call(
                    self.tools[name],
                    args,
                    session=session,
                    session_source="host",
                    user=user,
                    turn=f"turn-{number}",
                    trigger="message",
                    trigger_text=f"I will now use {name} for step {i} of the request.",
                    request=request,
                    trace_id=f"{number:032x}",
                )
                yield Work(call, RESULT.format(number % 90 + 10, number % 9 + 1))


def open_world(
    folder: Path,
    *,
    rules: int = RULES,
    agent: str = "office",
    limits: Limits | None = None,
    url: str | None = None,
    first: int = 0,
    clock: Clock | None = None,
) -> World:
    """Open Halo in an empty folder, or in one that an earlier world has left, in enforce mode.

    Args:
        folder: of keys, policy and database.
        rules: how many the policy holds, at least 2: the starter's and generated ones, or, where they are too few for
            all of the starter's, its permission of everything and generated ones.
        agent: who acts.
        limits: of its passport; None for the generous ones of the facade.
        url: of the database; None for a file in the folder.
        first: number of the first call, in a database that others use too; its users are none of theirs then.
        clock: source of time; None for the system's.
    """
    policy = folder / "policy"
    if not policy.exists():
        policy.mkdir(parents=True)
        (policy / "all.cedar").write_text(_write_policy(rules), "utf-8")
    made = first + _count_entries(folder / "home" / "halo.db")
    halo = HaloBase.local(
        agent,
        user="bench",
        mode="enforce",
        home=folder / "home",
        db=url,
        policy=policy,
        limits=limits,
        clock=clock,
        quiet=True,
        deadline_s=10.0,
    )
    return World(halo, {name: _register(halo, name) for name in TOOLS}, made, f"user-{first}" if first else "user")


def _count_entries(database: Path) -> int:
    """Entries of an earlier world, at least as many as its calls: paying one of its invoices again would be asked."""
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM entry").fetchone()[0])


def _write_policy(rules: int) -> str:
    starter = {path.stem: _SUM_LIMIT.sub(_MOST, path.read_text("utf-8")) for path in _starter()}
    # Thousands of equal calls are unusual: what is asked about them is marked, at the same cost.
    starter["behaviour"] = starter["behaviour"].replace('@effect("challenge")', '@effect("monitor")')
    if rules <= sum(text.count('@id("') for text in starter.values()):
        starter = {"base": starter["base"]}
    left = rules - sum(text.count('@id("') for text in starter.values())
    texts = [*starter.values(), "\n".join(map(_write_cedar, generate_rules(left)))]
    assert "\n".join(texts).count('@id("') == rules
    return "\n".join(texts)


def _starter() -> list[Path]:
    with resources.as_file(resources.files("halo_core.policy") / "starter") as folder:
        return sorted(folder.glob("*.cedar"))


def _register(halo: HaloBase, name: str) -> Resource:
    properties: dict[str, Any] = {"to": _STRING, "subject": _STRING, "amount": _INTEGER, "text": _STRING}
    targets: tuple[str, ...] = ("to",)
    impact, reversal, amount = Impact.SEND, Reversal.COMPENSATE, ""
    if name == "search_orders":
        properties = {"query": _STRING, "limit": _INTEGER, "newest_first": {"type": "boolean"}}
        targets, impact, reversal = (), Impact.READ, Reversal.NONE_NEEDED
    elif name == "pay_invoice":
        impact, amount = Impact.PAYMENT, "amount"
    elif name == "wipe_folder":
        impact = Impact.WRITE
    resource = Resource(
        impact=impact, source_trust=600, reversal=reversal, targets=targets, amount=amount, system="erp"
    )
    schema = {"type": "object", "properties": properties}
    return halo.register(ActionKind.TOOL_CALL, name, resource=resource, schema=schema)


def _write_cedar(rule: Rule) -> str:
    head = f'forbid (principal, action, resource == Tool::"{rule.tool}") when'
    graded = f'@id("{rule.name}") @effect("challenge") @reason("large_amount") {head}'
    place, number = rule.place, rule.number
    match rule.shape:
        case "never":
            return f'@id("{rule.name}") @reason("grave_impact") {head.removesuffix(" when")};'
        case "limit":
            return f"{graded} {{ context.args has {number} && context.args.{number} > {rule.value} }};"
        case "domain":
            return (
                f'@id("{rule.name}") @reason("untrusted_target") {head} '
                f'{{ context.args has {place} && context.args.{place} like "*@blocked-{rule.value}.example" }};'
            )
        case "steps":
            return f'@id("{rule.name}") @effect("monitor") {head} {{ context.steps > {rule.value} }};'
        case "traced":
            return (
                f"{graded} {{ context.tainted && context.provenance has {place} && "
                f'context.provenance.{place} == "untrusted" }};'
            )
        case _:
            return f"{graded} {{ context.pending > {rule.value} }};"
