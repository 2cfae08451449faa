"""What the tests of reversals and overrides share: a desk whose tools say how they are undone, and people."""

from __future__ import annotations

from pathlib import Path

from oversight_world import at, enrolled, people

from halo_core.enforcement.reversals import Reverser
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_core.oversight.overrides import grant_override, review_override
from halo_core.oversight.reversal_orders import confirm_reversal, order_reversal
from halo_world import SURFACE, Calls, policy_folder

POLICY = """
@id("base") permit (principal, action, resource);
@id("ask") @effect("challenge") @reason("untrusted_target") forbid (principal, action, resource == Tool::"send");
@id("never") @reason("grave_impact") forbid (principal, action, resource == Tool::"wipe");
@id("money") @reason("grave_impact") forbid (principal, action, resource == Tool::"pay")
when { context.args has to && context.args.to == "acct-blocked" };
@id("clamped") @effect("restrict") @obligation("clamp(amount, 50)") @reason("clamped")
forbid (principal, action, resource == Tool::"book") when { context.args has amount && context.args.amount > 50 };
"""
PROPERTIES = {
    "book": {"amount": {"type": "integer"}, "to": {"type": "string"}},
    "look": {"q": {"type": "string"}},
    "pay": {"amount": {"type": "integer"}, "to": {"type": "string"}},
    "send": {"text": {"type": "string"}, "to": {"type": "string"}},
    "wipe": {"path": {"type": "string"}},
}
DECLARED = {
    "book": {"impact": Impact.WRITE},
    "look": {"impact": Impact.READ, "reversal": Reversal.NONE_NEEDED},
    "pay": {"impact": Impact.PAYMENT, "targets": ("to",), "amount": "amount"},
    "send": {"impact": Impact.SEND, "targets": ("to",)},
    "wipe": {"impact": Impact.DELETE, "targets": ("path",), "reversal": Reversal.UNDO},
}


def opened(home: Path, *, agent: str = "clerk", policy: str = POLICY, mode: str = "enforce", **more) -> HaloBase:
    more.setdefault("user", "user:ana")
    return HaloBase.local(agent, home=home, mode=mode, policy=policy_folder(home, policy), quiet=True, **more)


def tool(halo: HaloBase, name: str, undo=None, method: Reversal = Reversal.UNDO) -> Resource:
    """A registered tool, with what takes its effects back."""
    declared = Resource(source_trust=600, **DECLARED[name])
    schema = {"type": "object", "properties": PROPERTIES[name]}
    reverser = Reverser(method, undo) if undo is not None else None
    return halo.register(ActionKind.TOOL_CALL, name, resource=declared, schema=schema, reverser=reverser)


def run(halo: HaloBase, resource: Resource, session: str = "s", body=None, **args) -> str:
    """Run a call; the id of its decision."""
    with halo.session(session):
        ticket = halo.enforcer.begin(halo.build_call(resource, args))
        ticket.succeed((Calls("ref-7") if body is None else body)(dict(ticket.args)), SURFACE)
    return ticket.context.entry_id


def order(home: Path, decision: str, name: str = "mia", **more) -> str:
    with at(home) as store:
        return order_reversal(store, people(home), home, decision=decision, approver=name, why="wrong account", **more)


def confirm(home: Path, decision: str, name: str = "mia", *, done: bool) -> None:
    with at(home) as store:
        confirm_reversal(store, people(home), home, decision=decision, approver=name, done=done, why="looked it up")


def override(home: Path, decision: str, name: str = "mia", *, allow: bool, **more):
    with at(home) as store:
        return grant_override(
            store, people(home), home, decision=decision, approver=name, allow=allow, why="checked by phone", **more
        )


def review(home: Path, which: str, name: str = "noa", verdict: str = "upheld") -> None:
    with at(home) as store:
        review_override(store, people(home), home, override=which, reviewer=name, verdict=verdict, why="right")


__all__ = ["confirm", "enrolled", "opened", "order", "override", "review", "run", "tool"]
