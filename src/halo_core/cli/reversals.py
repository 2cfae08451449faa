"""`halo reverse`, `override`, `overrides`, `reversals` and `contest`: taking effects back, and overriding decisions.

An order to reverse is carried out by a process that has the tool: with `--app` by this one, at once; otherwise by the
application, at its next start, its next session after that, or `halo.release()`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated, Any, Final

from typer import Argument, Option

from halo_core.cli.context import ApproverKeyHomeOption, AsOption, StoreContext, store_verb
from halo_core.cli.doctor import load_app
from halo_core.cli.evidence import FromOption, ToOption, answer_question, read_period
from halo_core.cli.rendering import Exit, safe_text, say, say_plainly
from halo_core.clock import SystemClock, format_iso
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.guards import get_guard
from halo_core.errors import ConfigError, Denied
from halo_core.evidence.reversals import answer_reversals
from halo_core.facade import HaloBase
from halo_core.oversight.override_list import Override, list_overrides
from halo_core.oversight.overrides import DEFAULT_REVIEW_DAYS, VERDICTS, grant_override, review_override
from halo_core.oversight.reversal_orders import confirm_reversal, order_reversal
from halo_core.passports.standing_answer import MAX_ORDER_S
from halo_core.views.entries import find_decision

_DECISION_HELP: Final = "A decision: its index (#), its id, or the first characters of the id."
DecisionArgument = Annotated[str, Argument(metavar="ID", help=_DECISION_HELP)]
RequiredWhyOption = Annotated[str, Option("--why", help="The reason; it is recorded in the ledger.")]
_FINDINGS: Final = ("done", "not-done")


@store_verb()
def reverse(
    id: DecisionArgument,  # noqa: A002  the word users expect
    *,
    why: RequiredWhyOption,
    name: AsOption = "",
    key_home: ApproverKeyHomeOption = None,
    app: Annotated[
        str, Option("--app", metavar="MODULE:OBJECT", help="Carry it out now, with this application's tool.")
    ] = "",
    minutes: Annotated[
        int, Option("--minutes", help="How long the order waits to be carried out (default: 7 days).")
    ] = MAX_ORDER_S // 60,
    confirm: Annotated[
        str, Option("--confirm", help="Of a reversal that stayed unknown: `done` or `not-done`, as you found it.")
    ] = "",
    store: StoreContext,
) -> int:
    """Take the effect of a decision back, once: run what its tool declared as `undo` or `compensate`.

    Somebody enrolled and outside the chain signs the order. What cannot be taken back is refused, with the reason.

    Exit 0: ordered, or carried out. 1: its callable failed. 10: refused. 64: there is no such decision.
    """
    with store.open_log() as (reader, tenant):
        decision = find_decision(reader, tenant, id, "id").entry.id
    keys = KeyStore(key_home or store.home)
    if confirm:
        _confirm(store, keys, decision, tenant, name=name, finding=confirm, why=why)
        return Exit.OK
    with store.open_store(tenant) as opened:
        order = order_reversal(
            *(opened, keys, store.home),
            decision=decision,
            approver=name,
            why=why,
            lifetime_s=minutes * 60,
            reuse=bool(app),
        )
    if app:
        return _carry_out(store, app, decision, order)
    if not store.print_json({"decision": decision, "order": order, "status": "ordered"}):
        say_plainly(f"ordered: the effect of {decision} is taken back by the next process that has its tool")
        say_plainly("  at its first session after it guarded the tool, or when it calls halo.release()")
        say_plainly(f"  now: halo reverse {decision} --as NAME --why WHY --app MODULE:OBJECT")
        say_plainly(f"  give the order up: halo approvals revoke {order}; what came of it: halo reversals")
    return Exit.OK


def _confirm(
    store: StoreContext, keys: KeyStore, decision: str, tenant: str, *, name: str, finding: str, why: str
) -> None:
    if finding not in _FINDINGS:
        problem, remedy = f"`{finding[:32]}` is no finding", f"use {' or '.join(_FINDINGS)}"
        raise ConfigError("bad_finding", problem, field="confirm", remedy=remedy)
    with store.open_store(tenant) as opened:
        done = finding == "done"
        confirm_reversal(opened, keys, store.home, decision=decision, approver=name, done=done, why=why)
    if not store.print_json({"decision": decision, "finding": finding}):
        more = "" if finding == "done" else "; it may be ordered again"
        say_plainly(f"recorded: the reversal of {decision} is {finding}{more}")


def _carry_out(store: StoreContext, target: str, decision: str, order: str) -> int:
    loaded, _ = load_app(target.replace(".py:", ":"))
    problem: Denied | None = None
    for halo in _find_facades(loaded, target):
        try:
            result = halo.reverse(decision)
        except Denied as exc:
            problem = exc
            if exc.reason != "no_reverser":
                break
        except Exception as exc:  # noqa: BLE001  the application's own
            text = f"{type(exc).__name__}: {exc}"
            if not store.print_json({"decision": decision, "order": order, "status": "failed", "detail": text}):
                say("[bold red]failed[/]: ", safe_text(text))
                say_plainly("look in the system that it reached, then say what you found:")
                say_plainly(f"  halo reverse {decision} --confirm not-done --why TEXT --as NAME   (or done)")
            return Exit.FAILED
        else:
            if not store.print_json(
                {"decision": decision, "order": order, "status": "reversed", "result": str(result)}
            ):
                say("[bold green]reversed[/] ", safe_text(decision), ": ", safe_text(str(result)))
            return Exit.OK
    if problem is None:
        message, remedy = f"`{target[:200]}` holds no `Halo`", "name the Halo, or a tool that it guards"
        raise ConfigError("no_facade", message, field="app", remedy=remedy)
    if problem.reason == "stopped":
        problem.remedy = (
            "leave the stop, and give `--app` another `Halo` that guards the tool, of an agent that is not stopped; "
            "the order waits (docs/oversight.md)"
        )
    store.record_refusal(problem, {"decision": decision})
    raise problem


def _find_facades(loaded: Any, target: str) -> Iterator[HaloBase]:
    """The `Halo` that an object of an application is or is guarded by; otherwise every `Halo` of its module."""
    for item in loaded if isinstance(loaded, list | tuple) else (loaded,):
        if isinstance(item, HaloBase):
            yield item
            return
        guard = get_guard(item)
        if guard is not None and isinstance(guard.halo, HaloBase):
            yield guard.halo
            return
    module = sys.modules.get(target.partition(":")[0].removesuffix(".py"))
    yield from (item for item in vars(module or object).values() if isinstance(item, HaloBase))


@store_verb()
def override(
    id: Annotated[str, Argument(metavar="ID", help="A decision or its question; with --review, an override.")],  # noqa: A002
    *,
    why: RequiredWhyOption,
    name: AsOption = "",
    allow: Annotated[bool, Option("--allow", help="Let exactly this refused or asked call run, once.")] = False,
    deny: Annotated[bool, Option("--deny", help="Forbid this call, or its target, to every agent.")] = False,
    review: Annotated[str, Option("--review", help="Review an override: `upheld` or `withdrawn`.")] = "",
    minutes: Annotated[int, Option("--minutes", help="For how long, 1 to 1440.")] = 60,
    review_days: Annotated[
        int, Option("--review-days", help="Until when a second person has to review it.")
    ] = DEFAULT_REVIEW_DAYS,
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> None:
    """Override a decision for some minutes: let exactly this call run, or forbid the call or its target.

    Signed by an enrolled approver outside the chain; by two where money may move or nothing can be undone. It never
    passes a stop, a revocation, a grant, a floor, a budget or a person's no. A second person has to review it.
    """
    if [allow, deny, bool(review)].count(True) != 1:
        remedy = "give one of `--allow`, `--deny`, `--review upheld`, `--review withdrawn`"
        problem = "several actions are chosen" if allow or deny or review else "no action is chosen"
        raise ConfigError("usage", problem, field="allow", remedy=remedy)
    keys, tenant = KeyStore(key_home or store.home), store.resolve_tenant()
    with store.open_store(tenant) as opened:
        if review:
            target = _find_override(store, tenant, id)
            review_override(opened, keys, store.home, override=target, reviewer=name, verdict=review, why=why)
            done: dict[str, Any] = {"override": target, "review": review}
            lines = [f"{target}: {review}"]
        else:
            granted = grant_override(
                opened,
                keys,
                store.home,
                decision=id,
                approver=name,
                allow=allow,
                why=why,
                lifetime_s=minutes * 60,
                review_days=review_days,
            )
            done = {"covers": granted.covers, "expires_us": granted.expires_us, "override": granted.id}
            done |= {"review_by_us": granted.review_by_us, "status": granted.status}
            until, due = format_iso(granted.expires_us), format_iso(granted.review_by_us)
            effect_text = (
                "this call may run once, when it is tried again" if allow else f"this {granted.covers} is forbidden"
            )
            lines = [f"override {granted.id}: {effect_text}, until {until}"]
            if granted.status == "waiting":
                lines.append("  it waits: a second person has to sign the same (money, or nothing can be undone)")
            lines.append(f"  review until {due}: {_describe_review(granted.id, granted.people)}")
    if not store.print_json(done):
        for line in lines:
            say_plainly(line)


def _describe_review(override: str, people: int) -> str:
    """The command with which somebody who has not signed an override reviews it."""
    reviewer, why = ("THIRD", "; neither of the two who sign it can review it") if people > 1 else ("SECOND", "")
    return f"halo override {override} --review upheld --as {reviewer} --why WHY{why}"


def _find_override(store: StoreContext, tenant: str, name: str) -> str:
    with store.open_log() as (reader, _):
        opener = store.open_contents(reader, is_shown=False).open
        overrides = list_overrides(reader, store.home, tenant, opener=opener, now_us=SystemClock().now_us())
        ids = [item.id for item in overrides if name and item.id.startswith(name)]
    return ids[0] if len(ids) == 1 else name


@store_verb()
def overrides(
    *,
    everything: Annotated[bool, Option("--all", help="Include those that are over and reviewed.")] = False,
    store: StoreContext,
) -> None:
    """List overrides that hold or wait for their review: of what, by whom, until when."""
    with store.open_log() as (reader, tenant):
        opener = store.open_contents(reader).open
        items = list(list_overrides(reader, store.home, tenant, opener=opener, now_us=SystemClock().now_us()))
    listed_items = [item for item in items if everything or is_open(item)]
    if store.print_json([item.to_plain() for item in listed_items]):
        return
    for item in listed_items:
        for line in describe_override(item):
            say(safe_text(line))
    if not listed_items:
        say("no override holds or waits for a review")


def is_open(item: Override) -> bool:
    """Whether an override holds, waits, or has not been reviewed."""
    return item.status in ("active", "waiting") or item.review not in VERDICTS


def describe_override(item: Override) -> Iterator[str]:
    """The lines of an override in a list."""
    yield f"{item.id}  {item.status}, until {format_iso(item.expires_us)}, by {item.by}"
    effect_text = "let run" if item.direction == "allow" else f"{item.covers} forbidden"
    effect_text += f", one of {item.people} signatures" if item.people > 1 else ""
    yield f"  {effect_text}: `{item.resource}`, decision {item.decision}: {item.why}"
    if item.review in VERDICTS:
        yield f"  review: {item.review} by {item.reviewer}"
    else:
        due = f"{'OVERDUE since' if item.review == 'overdue' else 'open until'} {format_iso(item.review_by_us)}"
        yield f"  review: {due}: {_describe_review(item.id, item.people)}"


@store_verb()
def reversals(*, from_: FromOption = "", to: ToOption = "", store: StoreContext) -> int:
    """List which decisions were reversed or overridden, and which could not be reversed.

    Exit 0: what came of each is known. 1: of one that was begun it is not, or a review is overdue. 2: there was none.
    """
    return answer_question(store, "reversals", read_period(from_, to), answer_reversals)


@store_verb()
def contest(
    id: DecisionArgument = "",  # noqa: A002
    *,
    store: StoreContext,
) -> int:
    """Contest a decision: not built yet. What led to it is in `halo show`; a person overrides or reverses it."""
    note = "contesting a decision comes in a later version; see `halo show ID`, `halo override ID`, `halo reverse ID`"
    if not store.print_json({"decision": id, "note": note, "status": "not_built"}):
        say_plainly(note)
    return Exit.CANNOT_TELL
