"""Control acts: raising the floor, waiving it for a time, and the signatures that these and other acts need.

An act is signed with the key of an enrolled person, on this host or another one (`SignedAct.sign`). The signed act is
carried out here (`raise_floor`, `waive_floor`). Lifts are in `restrictions` and `legal_holds`, enrolments in `keys`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from halo_core.authorities import TrustedKeys, make_person_key_name
from halo_core.clock import format_iso
from halo_core.crypto.keys import Ed25519Signer, IdSource, KeyStore
from halo_core.durations import DAY_S, SECOND_US
from halo_core.errors import BadInput, ConfigError, Denied, PassportError
from halo_core.ledger.control_history import ControlHistory, make_enforce_terms, make_waive_terms, make_withdraw_terms
from halo_core.model import Actor, EntryKind, Mode
from halo_core.passports.control_act import MAX_ACT_LIFETIME_S, MAX_WAIVER_S, ControlAct, peek_act, sign_act
from halo_core.quick_dataclass import dataclass
from halo_core.store.control_state import load_history
from halo_core.store.drafts import Draft
from halo_core.store.transaction import Transaction

_MAX_FILE: Final = 65_536
SIGNATURE_LIFETIME_S: Final = DAY_S
"""How long a signed act waits to be used, seconds."""

Terms = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class SignedAct:
    """An act with its signatures; a file carries it from one host to another.

    Args:
        act: one of `halo_core.passports.control_act.ACTS`.
        terms: what exactly is done, such as scope and target of a lift.
        store: id of the store.
        tenant: tenant of the log.
        tokens: the signed tokens, one of each person.
    """

    act: str
    terms: Terms
    store: str
    tenant: str
    tokens: tuple[str, ...] = ()

    def to_text(self) -> str:
        """The text of its file."""
        tree = {"act": self.act, "store": self.store, "tenant": self.tenant, "terms": dict(self.terms)}
        return json.dumps({**tree, "tokens": list(self.tokens)}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_text(cls, text: str) -> SignedAct:
        """Inverse of `to_text`; act and terms are read from the signed tokens, not from the file's other members.

        Raises:
            BadInput: `bad_signed_act`, the text is no signed act, or its signatures are of different acts.
        """
        try:
            tokens = tuple(json.loads(text[:_MAX_FILE])["tokens"])
            acts = [peek_act(token) for token in tokens]
            first = acts[0]
        except (IndexError, KeyError, PassportError, TypeError, ValueError) as exc:
            raise _make_file_error("the file contains no signed act") from exc
        signed = cls(first.act, dict(first.terms), first.store, first.tenant, tokens)
        for item in acts:
            if (item.act, dict(item.terms), item.store, item.tenant) != (
                signed.act,
                signed.terms,
                signed.store,
                signed.tenant,
            ):
                raise _make_file_error("the file contains signatures of different acts")
        return signed

    def sign(self, signer: Ed25519Signer, ids: IdSource, now_s: int) -> SignedAct:
        """The act with one more signature.

        Raises:
            PassportError: the act is not valid.
        """
        lifetime_s = min(SIGNATURE_LIFETIME_S, MAX_ACT_LIFETIME_S)
        act = ControlAct(self.act, self.terms, self.store, self.tenant, now_s, now_s + lifetime_s, ids.new_token_id())
        return replace(self, tokens=(*self.tokens, sign_act(act, signer)))


def _make_file_error(problem: str) -> BadInput:
    return BadInput("bad_signed_act", problem, remedy="make one with `halo operator sign`")


def load_person_signer(folders: Sequence[KeyStore], trusted: TrustedKeys, name: str, now_us: int) -> Ed25519Signer:
    """The key of an enrolled operator or approver, from the first key folder that has it.

    Raises:
        ConfigError: `no_operator_key`.
        Denied: `not_enrolled`.
    """
    enrolled = {kid: item for kid, item in trusted.list_people(now_us).items() if item.name == name}
    if not enrolled:
        raise Denied("not_enrolled", f"`{name[:64]}` is not enrolled", remedy="run `halo operator enrol`")
    for keys in folders:
        for file_name in (make_person_key_name(role, name) for role in ("operator", "approver")):
            if file_name in keys.names() and keys.signer(file_name).key_id in enrolled:
                return keys.signer(file_name)
    message = f"`{folders[0].home}` has no key of `{name[:64]}`"
    raise ConfigError(
        "no_operator_key", message, field="key-home", remedy="give the folder of the key with `--key-home`"
    )


def list_key_holders(keys: KeyStore, trusted: TrustedKeys, now_us: int) -> list[str]:
    """Names of the enrolled people whose key is in a key folder."""
    files = keys.names()
    people = {item.name for item in trusted.list_people(now_us).values()}
    return sorted(
        name for name in people if any(make_person_key_name(role, name) in files for role in ("operator", "approver"))
    )


def require_signatures(tx: Transaction, act: str, terms: Terms, tokens: Sequence[str]) -> None:
    """Refuse an act that was not signed by as many enrolled people as it takes.

    Raises:
        Denied: `signatures_needed`.
    """
    require_signatures_of(load_history(tx, tx.load_store_id()), tx, act, terms, tokens)


def require_signatures_of(
    history: ControlHistory, tx: Transaction, act: str, terms: Terms, tokens: Sequence[str]
) -> None:
    """Like `require_signatures`, where the people who may sign are those of a history that was read already.

    Raises:
        Denied: `signatures_needed`.
    """
    signers = history.find_signers(act, terms, list(tokens), tx.clock.now_us())
    problem = history.find_problem(act, signers, terms.get("scope"))
    if not problem:
        return
    needed = max(history.count_needed(act), 1)
    why = (
        "nobody who signed it is proven"
        if problem == "not_proven"
        else f"{needed} enrolled {'people have' if needed > 1 else 'person has'} to sign it, and {len(signers)} did"
    )
    raise Denied(
        "signatures_needed",
        f"{_describe_act(act, terms)}: {why}",
        remedy=describe_signing(act, terms, history.store, tx.tenant, tx.clock.now_us()),
    )


_ACTS: Final = {
    "enforce": "the switch to enforce mode",
    "enrol": "the enrolment",
    "erase": "the erasure",
    "lift": "the lift",
    "waive": "the waiver of the floor",
    "withdraw": "the withdrawal",
}


def _describe_act(act: str, terms: Terms) -> str:
    """What is to be signed, in words; a retention schedule is signed as the erasure that it allows."""
    kind, _, record_class = str(terms.get("scope", "")).partition(":")
    if act == "erase" and kind == "retention":
        return f"the retention schedule of {record_class}"
    return _ACTS.get(act, f"`{act}`")


def describe_unconfirmed(tx: Transaction, kids: Sequence[str]) -> list[str]:
    """The commands that sign unconfirmed withdrawals; none if no enrolled person is proven.

    Args:
        tx: the transaction.
        kids: thumbprints of the withdrawn keys.
    """
    history = tx.load_history()
    if not any(item.is_proven for item in history.list_live()):
        return []
    terms = [make_withdraw_terms({"kid": item.key_id}) for item in history.list_unconfirmed() if item.key_id in kids]
    return [describe_signing("withdraw", item, history.store, tx.tenant) for item in terms]


def describe_signing(act: str, terms: Terms, store: str, tenant: str, now_us: int = 0) -> str:
    """The commands that collect the signatures of an act, quoted so that a shell takes them as they are.

    Args:
        act: name of the act.
        terms: what is signed.
        store: id of the store.
        tenant: owner of the log.
        now_us: the present, from which a waiver's duration follows; 0 where it is not known.
    """
    quoted = {name: shlex.quote(str(value)) for name, value in terms.items()}
    why = quoted["why"] if terms.get("why") else "'...'"
    options = {
        "enforce": "",
        "enrol": f" --role {quoted.get('role')} --public-key {quoted.get('key')}",
        "erase": f" --scope {quoted.get('scope')} --target {quoted.get('target')}",
        "lift": f" --scope {quoted.get('scope')}" + (f" --target {quoted['target']}" if terms.get("target") else ""),
        "waive": f" --for {_describe_duration(terms, now_us)} --why {why}",
        "withdraw": f" --key {quoted.get('kid')}",
    }[act]
    at_hand = "" if act == "withdraw" else "with the key at hand add `--as NAME --key-home FOLDER`; else "
    sign = f"`halo operator sign {act}{options} --store {store} --tenant {tenant} --as NAME --key-home FOLDER "
    countersign = "`halo operator countersign act.json --as NAME --key-home FOLDER`"
    return (
        f"{at_hand}sign it: {sign}--out act.json`; a second person adds {countersign}; then repeat the command with "
        "`--signed act.json`"
    )


def _describe_duration(terms: Terms, now_us: int) -> str:
    """How long a waiver lasts, in whole minutes or hours."""
    left_us = int(terms.get("until_s") or 0) * SECOND_US - now_us
    minutes = -(-left_us // (60 * SECOND_US)) if now_us and left_us > 0 else 60
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def raise_floor(tx: Transaction, by: Actor | str, tokens: Sequence[str] = ()) -> bool:
    """Put a tenant in enforce mode, which ends a waiver; False if it is in enforce mode without a waiver already."""
    control = tx.load_control()
    history = load_history(tx, control.store)
    if history.waiver is None and history.floor is Mode.ENFORCE:
        return False
    body = {"from": control.recorded.value, "to": Mode.ENFORCE.value, **signed_member(tokens)}
    _append_mode(tx, body, by)
    return True


def waive_floor(tx: Transaction, until_us: int, why: str, by: Actor | str, tokens: Sequence[str]) -> None:
    """Lower the floor to `observe` until a time.

    Args:
        tx: the transaction.
        until_us: end of the waiver, microseconds since the epoch, a whole number of seconds.
        why: the reason, masked.
        by: who does it.
        tokens: signatures of the act `waive`.

    Raises:
        ConfigError: `bad_waiver`, the end has passed or is more than `MAX_WAIVER_S` away; `floor_unknown`, no entry of
            the log raised the floor.
        Denied: `signatures_needed`.
    """
    now_us = tx.clock.now_us()
    if not now_us < until_us <= now_us + MAX_WAIVER_S * SECOND_US:
        message = f"a waiver until {format_iso(until_us)} is over, or lasts for more than {MAX_WAIVER_S // DAY_S} days"
        raise ConfigError("bad_waiver", message, field="for", remedy="use at most 7d")
    if load_history(tx, tx.load_store_id()).floor is not Mode.ENFORCE:
        problem = "the home was raised to `enforce`, and no entry of this log says so"
        raise ConfigError("floor_unknown", problem, field="home", remedy="run `halo enforce`, which records it")
    body: dict[str, Any] = {"from": Mode.ENFORCE.value, "to": Mode.OBSERVE.value, "until_us": until_us, "why": why}
    require_signatures(tx, "waive", make_waive_terms(body), tokens)
    _append_mode(tx, {**body, **signed_member(tokens)}, by)


def make_waiver(store: str, tenant: str, until_us: int, why: str) -> SignedAct:
    """A waiver without signatures."""
    return SignedAct("waive", make_waive_terms({"until_us": until_us, "why": why}), store, tenant)


def make_raise(store: str, tenant: str) -> SignedAct:
    """The act of raising the floor, without signatures."""
    return SignedAct("enforce", make_enforce_terms({}), store, tenant)


POLICY_ROLE: Final = "policy"
"""Act and role of the `authority` entry by which a person approves the rules of a policy."""


def make_policy_approval(tx: Transaction, rules: str, author: str) -> SignedAct:
    """The approval of a policy, without signatures.

    Args:
        tx: the transaction.
        rules: digest of the rules (`PolicyBundle.rules`).
        author: name of who wrote them, empty if that is not said.
    """
    return SignedAct(POLICY_ROLE, _policy_terms(tx, rules, author), tx.load_store_id(), tx.tenant)


def record_policy_approval(tx: Transaction, rules: str, author: str, approver: str, tokens: Sequence[str]) -> None:
    """Record that an enrolled person approved the rules of a policy.

    Raises:
        Denied: `signatures_needed`, no key of this person has signed it.
    """
    terms = _policy_terms(tx, rules, author)
    history = tx.load_history()
    signers = history.find_signers(POLICY_ROLE, terms, list(tokens), tx.clock.now_us())
    names = {item.key_id: item.name for item in history.people}
    reference = tx.references.of_person(approver)
    if reference not in {names[kid] for kid in signers}:
        message = f"the approval is not signed with the enrolled key of `{approver[:64]}`"
        raise Denied("signatures_needed", message, remedy="give the folder of the key with `--key-home`")
    body: dict[str, Any] = {
        "act": POLICY_ROLE,
        "approver": reference,
        "policy": rules,
        "role": POLICY_ROLE,
        **signed_member(tokens),
    }
    body |= {"author": terms["author"]} if author else {}
    named = ((str(terms["author"]), {"author": author.encode()}),) if author else ()
    actor = Actor(approver, "approver-key")
    tx.append(Draft(EntryKind.AUTHORITY, "", body, others=named, actor=actor))


def _policy_terms(tx: Transaction, rules: str, author: str) -> dict[str, str | int]:
    return {"author": tx.references.of_person(author), "policy": rules}


def _append_mode(tx: Transaction, body: dict[str, Any], by: Actor | str) -> None:
    control = tx.load_control()
    # INVARIANT: FLOOR - the row holds the floor; a waiver lowers what is in force, and not the floor.
    tx.put_control(replace(control, version=control.version + 1, recorded=Mode.ENFORCE))
    tx.append(Draft(EntryKind.MODE, "", body, actor=Actor.of(by)))


def signed_member(tokens: Sequence[str]) -> dict[str, list[str]]:
    """The member `signed` of an entry's body; nothing if nobody signed."""
    return {"signed": list(tokens)} if tokens else {}
