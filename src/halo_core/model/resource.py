"""What agents act on: `Resource`, a tool, retriever, model or agent as it was registered, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from halo_core.errors import BadInput
from halo_core.quick_dataclass import dataclass

_TRUST_MAX: Final = 1000
UNIT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
"""Names of budget units."""
HOSTED_PREFIX: Final = "hosted:"
"""Resource ids of tools that a model's provider runs begin with this."""
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
_OWN_PLACE: Final = re.compile(r"(?:~|https://[^/\s%\\*?#@]+)?(?:/[^/\s%\\*?#]+)*/?")


class ActionKind(StrEnum):
    """The kind of action. Memory reads are retrievals, memory writes tool calls."""

    INFERENCE = "inference"
    RETRIEVAL = "retrieval"
    TOOL_CALL = "tool_call"
    HANDOFF = "handoff"


class Impact(StrEnum):
    """Impact class of a resource, from harmless to grave; `unknown` is treated like the grave ones."""

    READ = "read"
    WRITE = "write"
    SEND = "send"
    PAYMENT = "payment"
    DELETE = "delete"
    EXECUTE = "execute"
    ADMIN = "admin"
    UNKNOWN = "unknown"


class Reversal(StrEnum):
    """How an effect can be reversed."""

    NONE_NEEDED = "none_needed"
    UNDO = "undo"
    COMPENSATE = "compensate"
    IRREVERSIBLE = "irreversible"


@dataclass(frozen=True, slots=True)
class Resource:
    """A registered tool, retriever, model or agent.

    Args:
        id: exact id, unique in the tenant; filled in by `guard`.
        kind: the kind of action that uses it.
        impact: impact class.
        labels: labels of the data in it (`chd`, `pii`, ...), sorted.
        system: the downstream system that it reaches.
        source_trust: 0..1000, trust in the content that it returns. Below 500, content taints the session; below the
            policy's floor (300 in the starter policy), documents are dropped. It is a property of the registration,
            never of a document's own metadata. None before registration means undeclared: 300 for reads.
        reversal: how an effect can be taken back.
        idempotent: whether running it twice does no harm; only then may it be run again after a crash.
        targets: names of the arguments that say where money or data goes.
        amount: name of the argument with the amount at stake; empty if there is none.
        classified: `declared`, `guessed` (from name and description) or `unknown`.
        unit: the budget unit that `amount` spends, `USD` for example; empty if it spends none.
        costs: (unit, decimal number as text) that every call spends besides: `(("USD", "0.02"),)`.
        can_wait: True when nothing needs the result at once, so that a question about a call need not pause its
            caller: the call is held until it is answered.
        contained: True when what it runs reaches nothing but a disposable place: no network, no files of others.
        can_reverse: True when the process that guards it has a callable that undoes or compensates a call; `guard` sets
            it, where it is given one.
        programs: (argument, language) of each argument that is a program, and what runs it: `sql`, `sql/` and a
            dialect of sqlglot (`sql/sqlite`, `sql/postgres`), `cypher`, `shell` or `python`. A program in any other
            language may do anything. `text` says that an argument is none. Undeclared, language and argument are
            guessed from names.
        own_places: folders (`/srv/hr`) and pages (`https://wiki.corp.example/hr`) to which only the operator's own
            systems and people write. A call that reads only below them counts as a source at the trust floor, whatever
            `source_trust` says.
    """

    id: str = ""
    kind: ActionKind = ActionKind.TOOL_CALL
    impact: Impact = Impact.UNKNOWN
    labels: tuple[str, ...] = ()
    system: str = ""
    source_trust: int | None = None
    reversal: Reversal = Reversal.IRREVERSIBLE
    idempotent: bool = False
    targets: tuple[str, ...] = ()
    amount: str = ""
    classified: str = "declared"
    unit: str = ""
    costs: tuple[tuple[str, str], ...] = ()
    can_wait: bool = False
    contained: bool = False
    programs: tuple[tuple[str, str], ...] = ()
    can_reverse: bool = False
    own_places: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Convert words to their types, and validate them.

        Raises:
            BadInput: a word or a number that means nothing; `field` names it.
        """
        _coerce_enum(self, "impact", Impact)
        _coerce_enum(self, "kind", ActionKind)
        _coerce_enum(self, "reversal", Reversal)
        for name in ("labels", "targets"):
            words = getattr(self, name)
            if isinstance(words, str) or not all(isinstance(word, str) for word in words):
                raise BadInput(
                    "bad_resource", "expected a sequence of words", field=name, remedy='for example ("pii",)'
                )
            object.__setattr__(self, name, tuple(words))
        _normalize_programs(self)
        _normalize_own_places(self)
        _normalize_costs(self)
        trust = self.source_trust
        if trust is not None and (type(trust) is not int or not 0 <= trust <= _TRUST_MAX):
            raise BadInput(
                "bad_resource", f"`{trust}` is not a trust value", field="source_trust", remedy="use 0..1000"
            )

    @property
    def trust(self) -> int:
        """`source_trust`, or 0 if undeclared."""
        return self.source_trust or 0

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree; fields added later appear only if set, so that older digests stay valid."""
        tree = {
            "amount": self.amount,
            "classified": self.classified,
            "costs": [list(item) for item in self.costs],
            "id": self.id,
            "idempotent": self.idempotent,
            "impact": self.impact.value,
            "kind": self.kind.value,
            "labels": list(self.labels),
            "reversal": self.reversal.value,
            "source_trust": self.trust,
            "system": self.system,
            "targets": list(self.targets),
            "unit": self.unit,
        }
        tree |= {"can_reverse": True} if self.can_reverse else {}
        tree |= {"can_wait": True} if self.can_wait else {}
        tree |= {"contained": True} if self.contained else {}
        tree |= {"own_places": list(self.own_places)} if self.own_places else {}
        return tree | {"programs": [list(item) for item in self.programs]} if self.programs else tree

    def list_programs(self) -> tuple[tuple[str, str], ...]:
        """`programs` without the arguments that were declared as plain text."""
        return tuple([item for item in self.programs if item[1] != _PLAIN_TEXT]) if self.programs else ()

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> Resource:
        """Inverse of `to_plain`."""
        return cls(
            **{
                **tree,
                "costs": tuple((unit, amount) for unit, amount in tree["costs"]),
                "impact": Impact(tree["impact"]),
                "kind": ActionKind(tree["kind"]),
                "labels": tuple(tree["labels"]),
                "own_places": tuple(tree.get("own_places", ())),
                "programs": tuple((argument, language) for argument, language in tree.get("programs", ())),
                "reversal": Reversal(tree["reversal"]),
                "targets": tuple(tree["targets"]),
            }
        )


_PLAIN_TEXT: Final = "text"  # as the language of an argument


def _coerce_enum(resource: object, name: str, enum_type: type[StrEnum]) -> None:
    """Convert the word in a field to a member of its enumeration."""
    value = getattr(resource, name)
    try:
        object.__setattr__(resource, name, enum_type(value))
    except ValueError as exc:
        raise BadInput(
            "bad_resource",
            f"`{value}` is not a valid value here",
            field=name,
            remedy=f"use one of {', '.join(enum_type)}",
        ) from exc


def _normalize_costs(resource: Resource) -> None:
    """Check the costs and units of a resource, and make the costs a tuple of pairs."""
    units = [resource.unit] if resource.unit else []
    try:
        costs = tuple((unit, text) for unit, text in resource.costs)
        units += [unit for unit, _ in costs]
        is_good = all(map(UNIT_NAME.fullmatch, units)) and all(_AMOUNT.fullmatch(text) for _, text in costs)
    except (TypeError, ValueError):
        is_good, costs = False, ()
    if not is_good or (resource.unit and not resource.amount):
        raise BadInput(
            "bad_resource",
            "a cost must be a unit and a decimal number as text; `unit` needs the argument `amount`",
            field="costs",
            remedy='for example unit="USD", amount="amount", costs=(("USD", "0.02"),)',
        )
    reserved = sorted(set(units) & {"risk", "step", "time"})
    if reserved:
        # INVARIANT: no caller says what an action costs in the units that Halo itself charges.
        raise BadInput(
            "caller_sets_reserved_unit", f"`{reserved[0]}` is reserved for Halo", field="costs", remedy="remove it"
        )
    object.__setattr__(resource, "costs", costs)


def _normalize_programs(resource: Resource) -> None:
    """Check the programs of a resource, and make them a sorted tuple of pairs."""
    given: Any = resource.programs
    try:
        programs = tuple(sorted((argument, language) for argument, language in given))
        words = [word for pair in programs for word in pair]
        is_good = all(isinstance(word, str) and word for word in words) and len(dict(programs)) == len(programs)
    except (TypeError, ValueError):
        is_good, programs = False, ()
    if not is_good:
        raise BadInput(
            "bad_resource",
            "expected pairs of an argument and the language that it is written in, each argument once",
            field="programs",
            remedy='for example (("query", "sql/sqlite"),)',
        )
    object.__setattr__(resource, "programs", programs)


def _normalize_own_places(resource: Resource) -> None:
    """Check the operator's own places, and make them a sorted tuple without slashes at the end."""
    places: Any = resource.own_places
    is_sequence = not isinstance(places, str) and all(isinstance(place, str) for place in places)
    if not is_sequence or not all(
        place.strip("/~") and ".." not in place and _OWN_PLACE.fullmatch(place) for place in places
    ):
        raise BadInput(
            "bad_resource",
            "expected folders that begin with `/` or `~/`, or pages that begin with `https://`",
            field="own_places",
            remedy='for example ("/srv/hr", "https://wiki.corp.example/hr")',
        )
    object.__setattr__(resource, "own_places", tuple(sorted({place.rstrip("/") for place in places})))
