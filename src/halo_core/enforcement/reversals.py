"""Reversals: taking the effect of an earlier decision back, at most once, with the recorded arguments and output.

    declare    `guard(..., undo=callable)` or `compensate=callable`, beside the tool (`Reverser`)
    order      somebody outside the chain signs an order for the effect of one decision (`halo_core.oversight`)
    carry out  a decision of its own, linked to the first one, under the order; then the callable runs (`held_acts`)

`load_effect` reads what a reversal needs from the ledger. In the transaction of the reversal's own decision,
`refuse_impossible_reversal` reads it again, and `record_reversal` appends an entry that says that the attempt began.

INVARIANT: REVERSE - an effect is taken back at most once. That entry has a key made of the decision and the number of
the attempt, and the ledger accepts each key once. If no outcome says whether an attempt succeeded, another one is
refused until a person has looked and confirmed that nothing was done.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final, TypedDict

from halo_core.content.redaction import SEAL_PREFIX
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester, encode_base64
from halo_core.decision.answers import REVERSES, find_reversed_decision
from halo_core.enforcement.call import ABILITIES, MAX_KEPT_CHARS, Call
from halo_core.enforcement.obligations import apply_argument_obligations
from halo_core.errors import ConfigError, Denied, Gap, PassportError, Tampered
from halo_core.model import (
    ActionKind,
    EntryKind,
    LedgerEntry,
    Mode,
    Obligation,
    Resource,
    Reversal,
    make_finding_key,
    make_reversal_key,
)
from halo_core.passports.control_act import read_act
from halo_core.quick_dataclass import dataclass
from halo_core.reasons import get_reason_text
from halo_core.store.answer_rows import StandingAnswerTable
from halo_core.store.content_keys import open_content
from halo_core.store.drafts import Draft
from halo_core.store.entry_lookup import make_kind_error
from halo_core.store.proven_entries import ProvenEntry, read_outcome
from halo_core.store.transaction import Transaction

if TYPE_CHECKING:
    from halo_core.enforcement.decision_context import DecisionContext

_ENTRY_OF_KEY: Final = "SELECT w, ws FROM entry WHERE tenant=? AND session=? AND once=?"
_MAX_ATTEMPTS: Final = 16
"""Attempts to reverse one effect, after which only a person can say what became of it."""
_REVERSAL_ABILITIES: Final = tuple(name for name in ABILITIES if name != "pause")
"""What the host of a reversal can do: it cannot pause, because the order already is a person's answer."""


@dataclass(frozen=True, slots=True)
class PastAct:
    """A recorded act of a tool; passed to the callable that reverses it.

    Args:
        decision: id of the decision that let it run; good as an idempotency key.
        tool: id of the tool.
        args: the arguments with which it ran.
        output: what it returned, as text; empty if it returned nothing.
        is_output_whole: False if `output` was cut, or secrets in it were replaced, before it was recorded.
        agent: who acted.
        user: the user for whom it was done; empty if unknown.
        at_us: when it was decided, microseconds since the epoch.
    """

    decision: str
    tool: str
    args: Mapping[str, Any] = field(repr=False)
    output: str = field(repr=False)
    is_output_whole: bool
    agent: str
    user: str
    at_us: int


class ReversalOptions(TypedDict, total=False):
    """How the effects of a tool are reversed: at most one of these.

    Args:
        undo: takes an effect back as if it had not been.
        compensate: makes up for an effect that stays visible, by a refund for example.
        irreversible: True says that nothing takes it back.
    """

    undo: Callable[[PastAct], Any]
    compensate: Callable[[PastAct], Any]
    irreversible: bool


@dataclass(frozen=True, slots=True)
class Reverser:
    """The declared way to reverse the effects of a tool.

    Args:
        method: `undo`, `compensate` or `irreversible`.
        function: is called with the `PastAct`; None if the tool is irreversible.
    """

    method: Reversal
    function: Callable[[PastAct], Any] | None = None

    @classmethod
    def from_options(cls, options: ReversalOptions) -> Reverser | None:
        """The way that the options of `guard` declare; None if there are none.

        Raises:
            ConfigError: `bad_reversal`, more than one of them, or what cannot be called.
        """
        given = {name: value for name, value in options.items() if value is not None and value is not False}
        if not given:
            return None
        name, value = next(iter(given.items()))
        if len(given) > 1 or name not in ("undo", "compensate", "irreversible"):
            problem, remedy = f"`{', '.join(sorted(given))}` cannot be given together", "give one of them"
            raise ConfigError("bad_reversal", problem, field=name, remedy=remedy)
        if name == "irreversible":
            return cls(Reversal.IRREVERSIBLE)
        if not callable(value) or not _takes_one_argument(value):
            remedy = "pass a function of one argument, the `PastAct`"
            raise ConfigError("bad_reversal", f"`{name}` cannot be called with one argument", field=name, remedy=remedy)
        return cls(Reversal(name), value)

    def apply_to(self, resource: Resource) -> Resource:
        """The resource to register, with the reversal method."""
        return replace(resource, reversal=self.method, can_reverse=self.function is not None)


def _takes_one_argument(function: Callable[..., Any]) -> bool:
    """Whether it can be called with one `PastAct`; checked early, since a failed call uses up its order."""
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:  # a builtin does not say
        return True
    return True


def refuse_reversal_options(reverser: Reverser | None) -> None:
    """Refuse reversal options on anything but one tool, such as an agent or a list of tools.

    Args:
        reverser: what was declared; None for nothing.

    Raises:
        ConfigError: `bad_reversal`.
    """
    if reverser is not None:
        message, remedy = "only a tool can be undone or compensated", "guard each tool by itself, or omit it"
        raise ConfigError("bad_reversal", message, field=reverser.method.value, remedy=remedy)


@dataclass(frozen=True, slots=True)
class ReversibleEffect:
    """An effect that can be reversed now, read from the ledger and proven.

    Args:
        act: what was done; the reverser is called with it.
        entry: the decision that let it run.
        place: writer, sequence and leaf hash of that entry, as other entries refer to it.
        resource: the tool, as it was decided.
        attempt: number of the next attempt to reverse it, from 0.
    """

    act: PastAct
    entry: LedgerEntry
    place: Mapping[str, Any]
    resource: Resource
    attempt: int

    @property
    def reversal_resource(self) -> Resource:
        """The resource of the reversal, such as `pay.undo` for `pay`: the same impact, no cost."""
        resource = self.resource
        return replace(
            resource,
            id=f"{resource.id}.{resource.reversal.value}",
            reversal=Reversal.IRREVERSIBLE,
            idempotent=False,
            unit="",
            costs=(),
            can_wait=False,
            can_reverse=False,
        )

    def make_call(self) -> Call:
        """The call that reverses the effect, in a session of its own."""
        return Call(
            resource=self.reversal_resource,
            args=self.act.args,
            session=f"reversal of {self.act.decision}",
            session_source="host",
            user=self.act.user,
            call_id=f"reversal-{self.attempt}",
            trigger="operator",
            abilities=_REVERSAL_ABILITIES,
            links=((REVERSES, self.act.decision),),
        )


def make_refusal(code: str, detail: str = "") -> Denied:
    """The refusal of a reversal, worded by its reason code."""
    text = get_reason_text(code)
    return Denied(code, f"{text.title}{f': {detail}' if detail else ''}", remedy=text.remedy)


def load_effect(tx: Transaction, decision: str, digester: Digester) -> ReversibleEffect:
    """Read the effect of a decision; raises unless it can be reversed now.

    Args:
        tx: the transaction; it sees entries of its own tenant alone.
        decision: id of the decision.
        digester: keyed digests.

    Raises:
        ConfigError: `no_such_entry`, `not_a_decision`.
        Denied: `effect_not_run`, `effect_unknown`, `nothing_to_reverse`, `irreversible`, `already_reversed`,
            `reversal_unknown`, `reversal_incomplete` (its content was erased, or a secret in it was never kept).
        Gap, Tampered: what was recorded is missing or was changed.
    """
    proven = read_decision(tx, decision)
    entry, body = proven.entry, proven.entry.body
    if not body["dispatched"]:
        raise make_refusal("effect_not_run", _describe_refusal(body))
    resource = Resource.from_plain(body["request"]["resource"])
    _require_reversible(resource, body)
    outcome = read_outcome(tx, proven)
    status = outcome.body["status"] if outcome is not None else "unknown"
    if status == "not_run":
        raise make_refusal("effect_not_run", "whoever asked for it was gone before it began")
    if outcome is None or status != "success":
        raise make_refusal("effect_unknown", f"its outcome is `{status}`")
    place = {"leaf": encode_base64(proven.leaf), "w": entry.writer, "ws": entry.seq}
    attempt = _find_next_attempt(tx, entry)
    act = PastAct(
        decision=entry.id,
        tool=resource.id,
        args=_load_args(tx, entry, digester),
        **_load_output(tx, outcome, digester),
        agent=body["request"]["subject"]["agent"],
        user=(open_content(tx, entry, "user") or b"").decode(),
        at_us=entry.ts_us,
    )
    return ReversibleEffect(act, entry, place, resource, attempt)


def read_decision(tx: Transaction, decision: str) -> ProvenEntry:
    """The proven decision with this id.

    Raises:
        ConfigError: `no_such_entry`, `not_a_decision`.
        Denied: `effect_not_run`, it is a held act.
        Tampered: it was changed.
    """
    writer, _, seq = decision.rpartition("-")
    try:
        proven = ProvenEntry.read(tx, writer, int(seq))
    except (Gap, ValueError) as exc:
        problem, remedy = f"there is no entry `{decision[:64]}`", "see `halo log`"
        raise ConfigError("no_such_entry", problem, field="id", remedy=remedy) from exc
    if proven.entry.kind is EntryKind.HELD:
        raise make_refusal("effect_not_run", "the act is held; what released it is a decision of its own")
    if proven.entry.kind is not EntryKind.DECISION:
        raise make_kind_error(decision, proven.entry, "id")
    return proven


def _describe_refusal(body: Mapping[str, Any]) -> str:
    """Why the action of a decision did not run, in words."""
    effect = body["decision"]["effect"]
    was_held = any(item["kind"] == "hold" for item in body["decision"]["obligations"])
    if was_held:
        return "it was held; what released it, if anything did, is a decision of its own"
    return {"challenge": "it was asked about, and did not run", "deny": "it was denied"}.get(effect, "it did not run")


def _require_reversible(resource: Resource, body: Mapping[str, Any]) -> None:
    """Require a tool that has effects, is not declared irreversible, and is not itself a reversal.

    Raises:
        Denied: `nothing_to_reverse`, `irreversible`.
    """
    is_reversal = any(relation == REVERSES for relation, _ in body["request"]["context"]["links"])
    if resource.kind is not ActionKind.TOOL_CALL or resource.reversal is Reversal.NONE_NEEDED:
        raise make_refusal("nothing_to_reverse", f"`{resource.id}` leaves nothing behind")
    if is_reversal or resource.reversal is Reversal.IRREVERSIBLE:
        raise make_refusal("irreversible", "it is a reversal" if is_reversal else f"`{resource.id}` was declared so")


def count_attempts(tx: Transaction, entry: LedgerEntry) -> int:
    """How many attempts to reverse a decision have begun."""
    attempt = 0
    while read_keyed_entry(tx, entry, make_reversal_key(entry.writer, entry.seq, attempt)) is not None:
        attempt += 1
    return attempt


def _find_next_attempt(tx: Transaction, entry: LedgerEntry) -> int:
    """The number of the next attempt to reverse a decision; requires that no earlier attempt had an effect.

    Raises:
        Denied: `already_reversed`; `reversal_unknown`, nobody can say what came of the last one.
    """
    attempt = count_attempts(tx, entry)
    status = find_attempt_status(tx, entry, attempt - 1) if attempt else "not_done"
    if status == "reversed":
        raise make_refusal("already_reversed")
    if status != "not_done" or attempt >= _MAX_ATTEMPTS:
        raise make_refusal("reversal_unknown", f"the reversal that was begun is `{status}`")
    return attempt


def find_attempt_status(tx: Transaction, entry: LedgerEntry, attempt: int) -> str:
    """The status of an attempt to reverse a decision.

    Returns:
        `reversed`; `not_done` where it did not run, or where a person looked and found so; else the status of its
        outcome, such as `error`. `unknown` where there is no outcome, empty if there was no such attempt.
    """
    begin = read_keyed_entry(tx, entry, make_reversal_key(entry.writer, entry.seq, attempt))
    if begin is None:
        return ""
    finding = read_keyed_entry(tx, entry, make_finding_key(entry.writer, entry.seq, attempt))
    people = {} if finding is None else {item.key_id: item.public_key for item in tx.load_history().people}
    if finding is not None and is_finding_signed(
        finding.entry.body, entry.id, people, tx.load_control().store, tx.tenant
    ):
        return "reversed" if finding.entry.body["finding"] == "done" else "not_done"
    place = begin.entry.body["decision"]
    outcome = read_outcome(tx, ProvenEntry.read(tx, place["w"], place["ws"]))
    status = str(outcome.body["status"]) if outcome is not None else "unknown"
    # `not_run`: its caller was gone before it began.
    return {"success": "reversed", "not_run": "not_done"}.get(status, status)


def is_finding_signed(
    body: Mapping[str, Any], decision: str, people: Mapping[str, bytes], store: str, tenant: str
) -> bool:
    """Whether an entry's finding about a reversal is signed by a person.

    INVARIANT: REVERSE - what no person has signed makes no room for another attempt, and settles none.

    Args:
        body: body of the entry.
        decision: id of the decision whose effect was to be taken back.
        people: thumbprint of each key that was ever enrolled → public key.
        store: id of the store.
        tenant: whose log.
    """
    wanted = {"attempt": body.get("attempt"), "decision": decision, "finding": body.get("finding")}
    for token in body.get("signed", ()):
        with suppress(PassportError):
            act = read_act(str(token), people)
            if (act.act, dict(act.terms), act.store, act.tenant) == ("confirm_reversal", wanted, store, tenant):
                return True
    return False


def read_keyed_entry(tx: Transaction, entry: LedgerEntry, key: bytes) -> ProvenEntry | None:
    """The proven entry of kind `reversal` with a key; None if there is none.

    Args:
        tx: the transaction.
        entry: the decision; such entries are in its session.
        key: key from `make_reversal_key` or `make_finding_key`.

    Raises:
        Tampered: the entry with this key is about another decision.
    """
    row = tx.cursor.execute(_ENTRY_OF_KEY, (tx.tenant, entry.session, key)).fetchone()
    if row is None:
        return None
    proven = ProvenEntry.read(tx, *row)
    reverses = proven.entry.body.get("reverses") or {}
    named = (proven.entry.kind, reverses.get("w"), reverses.get("ws"))
    if named != (EntryKind.REVERSAL, entry.writer, entry.seq):
        raise Tampered("column_altered", "the reversal is one of another effect", remedy="run `halo verify`")
    return proven


def _load_args(tx: Transaction, entry: LedgerEntry, digester: Digester) -> Mapping[str, Any]:
    """The arguments a decision's action ran with: as recorded, after the decision's obligations.

    Raises:
        Denied: `reversal_incomplete`.
        Tampered: they are not those that ran.
    """
    data = open_content(tx, entry, "args")
    if data is None:
        raise make_refusal("reversal_incomplete", "its arguments were erased")
    if SEAL_PREFIX.encode() in data:
        raise make_refusal("reversal_incomplete", "a secret in its arguments was never kept")
    args: Mapping[str, Any] = canonical.from_plain(canonical.loads(data))
    body = entry.body
    if body["snapshot"]["mode"] == Mode.ENFORCE.value:
        obligations = [Obligation(**item) for item in body["decision"]["obligations"]]
        args = apply_argument_obligations(args, obligations)
    # INVARIANT: SAME - what is reversed is what was executed.
    if digester.digest("halo/args", canonical.encode(args)) != body["executed_digest"]:
        raise Tampered("content_altered", "the arguments are not those that ran", remedy="run `halo verify`")
    return args


def _load_output(tx: Transaction, outcome: LedgerEntry, digester: Digester) -> dict[str, Any]:
    """The members `output` and `is_output_whole` of a `PastAct`.

    Raises:
        Denied: `reversal_incomplete`, it was erased.
    """
    body = outcome.body
    data = open_content(tx, outcome, "output") if "output" in outcome.content else b""
    if data is None:
        raise make_refusal("reversal_incomplete", "its output was erased")
    text = data.decode()
    is_whole = body["output_len"] <= MAX_KEPT_CHARS and SEAL_PREFIX not in text and body["detail"] != "withheld"
    if is_whole and text and digester.digest("halo/text", data) != body["output_digest"]:
        is_whole = False
    return {"output": text, "is_output_whole": is_whole}


def refuse_impossible_reversal(tx: Transaction, context: DecisionContext, digester: Digester) -> None:
    """Refuse a reversing call if the reversal is no longer possible or the call was altered.

    Other calls are left alone.

    Args:
        tx: the transaction in which the call is decided.
        context: context of the call; the refusal goes in here.
        digester: keyed digests.
    """
    decision = find_reversed_decision(context.request)
    if not decision:
        return
    try:
        effect = load_effect(tx, decision, digester)
    except Denied as exc:
        context.refuse(exc.reason)
        return
    except (ConfigError, Gap, Tampered):
        context.refuse("reversal_altered")
        return
    expected, call = effect.make_call(), context.call
    is_same = (expected.resource, expected.session, expected.call_id) == (call.resource, call.session, call.call_id)
    if not is_same or digester.digest("halo/args", canonical.encode(effect.act.args)) != context.args_digest:
        context.refuse("reversal_altered")


def record_reversal(tx: Transaction, context: DecisionContext) -> None:
    """Record, with its decision, that an attempt to reverse begins, and use up its order.

    Args:
        tx: the transaction.
        context: context of the decision; nothing is recorded where it is no reversal, or does not run.

    Raises:
        Tampered: `reversal_altered`, the order was used before.
    """
    decision = find_reversed_decision(context.request)
    if not decision or not context.runs:
        return
    order = next(item.detail for item in context.decision.reasons if item.code == "reversal_ordered")
    writer, _, seq = decision.rpartition("-")
    entry = ProvenEntry.read(tx, writer, int(seq)).entry
    attempt = int(context.call.call_id.rpartition("-")[2])
    body = {
        "answer": order,
        "attempt": attempt,
        "decision": context.entry_reference,
        "links": [[REVERSES, decision]],
        "method": context.resource.id.rpartition(".")[2],
        "op": "begin",
        "reverses": {"w": entry.writer, "ws": entry.seq},
    }
    # INVARIANT: REVERSE - the table refuses a second entry with this key, in whichever process.
    key = make_reversal_key(entry.writer, entry.seq, attempt)
    tx.append(Draft(EntryKind.REVERSAL, entry.session, body, key=key))
    if not StandingAnswerTable(tx).revoke(order):
        raise Tampered("reversal_altered", "the order was used before", remedy="run `halo verify`")
