"""The history of control acts in a log (`ControlHistory`): enrolled people, the mode, and restrictions.

`add` takes the entries of a log one after another. Decisions (`halo_core.store.control_state`), `halo verify` and `halo
status` all use it. An entry that breaks the rules below has no effect, and stays in the history with its problem.

- `enforce` is the floor from the first entry that sets it. It is lowered only by a waiver: an entry to `observe` with
  an end, signed by an enrolled person.
- A signature is valid for one act, once.
- Where two people are enrolled, enrolling, lifting a stop and waiving the floor need the signatures of two.
- A person is proven if the key was not on this machine when it was enrolled, and the enrolment was the first such one
  or signed by a proven person. Where there is a proven person, one of them has to sign.
- A stop is in force until a lift that has an effect; a revocation is permanent.
- A lift of the scope `override` ends an override that forbids. It is signed as other lifts are, by one person at least.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from halo_core.durations import SECOND_US
from halo_core.model import Mode
from halo_core.passports.control_act import MAX_WAIVER_S, collect_signatures
from halo_core.quick_dataclass import dataclass

PEOPLE_ROLES: Final = ("approver", "operator")
HISTORY_KINDS: Final = ("authority", "lift", "mode", "revocation", "stop")
"""Kinds of entries from which the mode, the stops and the revocations in force follow."""

RESTRICTION_KINDS: Final[Mapping[str, str]] = {"lift": "stop", "revocation": "revocation", "stop": "stop"}
"""Kind of an entry → kind of the restriction that it is about."""

DENIAL_SCOPE: Final = "override"
"""Scope of a lift whose target is an override that forbids."""

RestrictionKey = tuple[str, str, str]
"""Kind (`stop` or `revocation`), scope and target."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was enrolled.

    Args:
        key_id: thumbprint of the key.
        public_key: 32 bytes.
        role: `approver` or `operator`.
        name: reference of the name.
        since_us: time of enrolment, microseconds since the epoch.
        until_us: time of withdrawal, microseconds since the epoch; None while enrolled.
        is_here: whether the private key was on this machine when it was enrolled.
        is_proven: whether the person is proven, by the rules in the module's docstring.
        counts: whether the person counts when the enrolled people are counted to see if two must sign. A proven person
            whom nobody proven has withdrawn still counts, until a proven person signs a second withdrawal.
    """

    key_id: str
    public_key: bytes
    role: str
    name: str
    since_us: int
    until_us: int | None = None
    is_here: bool = True
    is_proven: bool = False
    counts: bool = True


@dataclass(frozen=True, slots=True)
class ControlChange:
    """One control act of the log, and whether it took effect.

    Args:
        act: `enforce`, `waive`, `enrol`, `withdraw` or `lift`.
        entry: id of its entry.
        at_us: time of its entry, microseconds since the epoch.
        until_us: end of a waiver, microseconds since the epoch; 0 for other acts.
        why: the reason given.
        actor: reference of whoever did it, empty if unknown.
        authn: how the actor was authenticated.
        signers: thumbprints of the keys of the people who signed it, sorted.
        is_proven: whether it has an effect and a proven person is among the signers.
        problem: code of why it has no effect; empty if it has one.
    """

    act: str
    entry: str
    at_us: int
    until_us: int = 0
    why: str = ""
    actor: str = ""
    authn: str = ""
    signers: tuple[str, ...] = ()
    is_proven: bool = False
    problem: str = ""


class ControlHistory:
    """People, floor and waivers of one tenant after the entries added so far.

    Attributes:
        store: id of the store to which signed acts are bound.
        floor: `enforce` once an entry has raised it.
        raised: the change that raised it last; None if nothing has.
        waiver: the waiver that was made last, whether or not it has ended; None if the floor was raised since.
        changes: every act, oldest first.
        restrictions: the stops and revocations in force → since when, microseconds since the epoch.
        lifts: stop → the entries that lifted it, oldest first.
        ends: stop → when it was lifted last, or its beginning where that is later, microseconds since the epoch.
    """

    def __init__(self, tenant: str, store: str = "") -> None:
        self.store = store
        self.floor = Mode.OBSERVE
        self.raised: ControlChange | None = None
        self.waiver: ControlChange | None = None
        self.changes: list[ControlChange] = []
        self.restrictions: dict[RestrictionKey, int] = {}
        self.lifts: dict[RestrictionKey, tuple[str, ...]] = {}
        self.ends: dict[RestrictionKey, int] = {}
        self._tenant = tenant
        self._people: dict[str, Person] = {}
        self._used: set[str] = set()

    def copy(self) -> ControlHistory:
        """Make a copy to which entries can be added while others still read this one."""
        history = ControlHistory(self._tenant, self.store)
        history.floor, history.raised, history.waiver = self.floor, self.raised, self.waiver
        history.changes = self.changes.copy()
        history.restrictions, history.lifts, history.ends = (
            self.restrictions.copy(),
            self.lifts.copy(),
            self.ends.copy(),
        )
        history._people, history._used = self._people.copy(), self._used.copy()
        return history

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody ever enrolled, in the order of enrolment."""
        return tuple(self._people.values())

    def list_live(self) -> list[Person]:
        """The people currently enrolled."""
        return [item for item in self._people.values() if item.until_us is None]

    def map_approvers(self) -> dict[str, str]:
        """Thumbprint → reference of the name, of each approver currently enrolled."""
        return {item.key_id: item.name for item in self.list_live() if item.role == "approver"}

    def list_unconfirmed(self) -> list[Person]:
        """People withdrawn by nobody proven, who therefore still count."""
        return [item for item in self._people.values() if item.until_us is not None and item.counts]

    def count_needed(self, act: str) -> int:
        """How many people must sign an act.

        Enrolling, lifting a stop and waiving the floor: two where two are enrolled, else one for a waiver and none for
        the others. Erasing: one where anybody is enrolled. Other acts: none.
        """
        counted = sum(item.counts for item in self._people.values())
        if act == "erase":
            return min(counted, 1)
        if act not in ("enrol", "lift", "waive"):
            return 0
        return 2 if counted > 1 else int(act == "waive")

    def find_signers(self, act: str, terms: Mapping[str, str | int], tokens: object, at_us: int) -> frozenset[str]:
        """Thumbprints of enrolled people with a valid, unused signature of exactly this act in `tokens`."""
        signatures = self._find_signatures(act, terms, tokens, at_us)
        return frozenset(kid for kid, signature in signatures if signature not in self._used)

    def _find_signatures(
        self, act: str, terms: Mapping[str, str | int], tokens: object, at_us: int
    ) -> frozenset[tuple[str, str]]:
        keys = {item.key_id: item.public_key for item in self.list_live()}
        return collect_signatures(
            tokens if isinstance(tokens, list | tuple) else (),
            keys,
            act=act,
            terms=terms,
            store=self.store,
            tenant=self._tenant,
            at_s=at_us // SECOND_US,
        )

    def find_problem(self, act: str, signers: frozenset[str], scope: object = "") -> str:
        """Why an act with these signers has no effect: `not_signed`, `second_signature`, `not_proven`; else empty.

        Args:
            act: the act.
            signers: thumbprints of those who signed it.
            scope: scope of a lift.
        """
        needed = max(self.count_needed(act), int(act == "lift" and scope == DENIAL_SCOPE))
        if len(signers) < needed:
            return "second_signature" if signers else "not_signed"
        must_prove = needed and any(item.counts and item.is_proven for item in self._people.values())
        return "not_proven" if must_prove and not self._are_proven(signers) else ""

    def _are_proven(self, signers: frozenset[str]) -> bool:
        return any(self._people[kid].is_proven for kid in signers)

    def add(self, kind: str, body: Mapping[str, Any], *, at_us: int, entry: str) -> ControlChange | None:
        """Apply the next entry of the log.

        Returns:
            The control act that it holds; None for stops, revocations and other entries.
        """
        if kind == "mode":
            change = self._add_mode(body, at_us, entry)
        elif kind == "lift":
            change = self._add_lift(body, at_us, entry)
        elif kind == "authority" and body.get("role") in PEOPLE_ROLES:
            change = self._add_authority(body, at_us, entry)
        else:
            if kind in ("revocation", "stop"):
                since_us = body.get("since_us")
                key = (kind, str(body.get("scope", "")), str(body.get("target", "")))
                self.restrictions.setdefault(key, since_us if type(since_us) is int else at_us)
            return None
        self.changes.append(change)
        return change

    def _add_lift(self, body: Mapping[str, Any], at_us: int, entry: str) -> ControlChange:
        change = self._make_change("lift", make_lift_terms(body), body, at_us, entry)
        # INVARIANT: REV - a lift without the signatures that it needs ends no stop, and nothing that a person forbade.
        if not change.problem:
            key = ("stop", str(body.get("scope", "")), str(body.get("target", "")))
            self.ends[key] = max(at_us, self.restrictions.pop(key, at_us))
            self.lifts[key] = (*self.lifts.get(key, ()), entry)
        return change

    def is_denial_ended(self, override: str) -> bool:
        """Whether a signed lift has ended an override that forbids."""
        return ("stop", DENIAL_SCOPE, override) in self.lifts

    def mark_erasure_used(self, terms: Mapping[str, str | int], body: Mapping[str, Any], at_us: int) -> None:
        """Mark the signatures of an erasure, which is not kept here, as used, so that no other act can use them."""
        signatures = self._find_signatures("erase", terms, body.get("signed"), at_us)
        self._used.update(signature for _, signature in signatures)

    def _make_change(
        self, act: str, terms: Mapping[str, str | int], body: Mapping[str, Any], at_us: int, entry: str
    ) -> ControlChange:
        signatures = self._find_signatures(act, terms, body.get("signed"), at_us)
        signers = frozenset(kid for kid, signature in signatures if signature not in self._used)
        problem = self.find_problem(act, signers, terms.get("scope"))
        # A signature is valid for one entry: whoever reads it in the log cannot use it to repeat the act.
        self._used.update(signature for _, signature in signatures)
        return ControlChange(
            act=act,
            entry=entry,
            at_us=at_us,
            why=str(body.get("why", "")),
            actor=str(body.get("actor", "")),
            authn=str(body.get("authn", "")),
            signers=tuple(sorted(signers)),
            is_proven=not problem and self._are_proven(signers),
            problem=problem,
        )

    def _add_mode(self, body: Mapping[str, Any], at_us: int, entry: str) -> ControlChange:
        if body.get("to") != Mode.OBSERVE.value:
            change = self._make_change("enforce", make_enforce_terms(body), body, at_us, entry)
            self.floor, self.raised, self.waiver = Mode.ENFORCE, change, None
            return change
        change = self._make_change("waive", make_waive_terms(body), body, at_us, entry)
        until_us = body.get("until_us")
        is_timed = type(until_us) is int and at_us < until_us <= at_us + (MAX_WAIVER_S + 60) * SECOND_US
        change = replace(change, until_us=until_us if type(until_us) is int else 0)
        if not is_timed:
            change = replace(change, problem=change.problem or "bad_end", is_proven=False)
        # INVARIANT: FLOOR - a waiver without the signature of an enrolled person, or without end, has no effect.
        if not change.problem:
            self.waiver = change
        return change

    def _add_authority(self, body: Mapping[str, Any], at_us: int, entry: str) -> ControlChange:
        kid = str(body.get("kid", ""))
        if body.get("act") != "enrol":
            return self._withdraw(kid, body, at_us, entry)
        change = self._make_change("enrol", make_enrol_terms(body), body, at_us, entry)
        if kid in self._people:
            return replace(change, problem="")  # enrolled already: it changes nothing
        public_key = _decode_key(body.get("key"))
        if not change.problem and public_key is not None:
            is_here = body.get("here") is not False
            is_first = not any(not item.is_here for item in self._people.values())
            self._people[kid] = Person(
                key_id=kid,
                public_key=public_key,
                role=str(body["role"]),
                name=str(body.get("name", "")),
                since_us=at_us,
                is_here=is_here,
                is_proven=not is_here and (is_first or change.is_proven),
            )
        return change

    def _withdraw(self, kid: str, body: Mapping[str, Any], at_us: int, entry: str) -> ControlChange:
        change = self._make_change("withdraw", make_withdraw_terms(body), body, at_us, entry)
        person = self._people.get(kid)
        if person is not None and person.until_us is None:
            # A proven person whom nobody proven has withdrawn can no longer sign, but still counts as one of two.
            counts = person.is_proven and not change.is_proven
            self._people[kid] = replace(person, until_us=at_us, counts=counts)
        elif person is not None and change.is_proven:
            self._people[kid] = replace(person, counts=False)
        return change


def make_enrol_terms(body: Mapping[str, Any]) -> dict[str, str | int]:
    """The terms to sign for an enrolment, from the body of its entry."""
    return {name: str(body.get(name, "")) for name in ("role", "key")}


def make_withdraw_terms(body: Mapping[str, Any]) -> dict[str, str | int]:
    """The terms to sign for a withdrawal, from the body of its entry."""
    return {"kid": str(body.get("kid", ""))}


def make_lift_terms(body: Mapping[str, Any]) -> dict[str, str | int]:
    """The terms to sign for a lift, from the body of its entry."""
    return {"scope": str(body.get("scope", "")), "target": str(body.get("target", ""))}


def make_waive_terms(body: Mapping[str, Any]) -> dict[str, str | int]:
    """The terms to sign for a waiver, from the body of its entry."""
    until_us = body.get("until_us")
    return {"until_s": until_us // SECOND_US if type(until_us) is int else 0, "why": str(body.get("why", ""))}


def make_enforce_terms(_body: Mapping[str, Any]) -> dict[str, str | int]:
    """The terms to sign for raising the floor."""
    return {"mode": Mode.ENFORCE.value}


def _decode_key(text: object) -> bytes | None:
    try:
        key = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == 32 else None
