"""One link of a passport, parsed and verified.

Only `halo_core.passports` makes a `Link` from bytes (claims of RFC 7519, `cnf` of RFC 7800, `authorization_details` of
RFC 9396).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any, Final

from halo_core.model.resource import ActionKind
from halo_core.quick_dataclass import dataclass

AUTHORITY_ONE: Final = 1_000_000
"""Full authority; also one half-life of age."""
MAX_BANDS: Final = 64
"""Most bands that a decay may have."""
ANY_OTHER = "**"
"""Argument name that stands for every argument not named; absent, the argument map is closed."""


class ConstraintKind(StrEnum):
    """Constraint types of the attenuating agent token draft, without those that cannot be narrowed safely."""

    EXACT = "exact"
    ONE_OF = "one_of"
    NOT_ONE_OF = "not_one_of"
    RANGE = "range"
    PREFIX = "prefix"
    PATTERN = "pattern"
    WILDCARD = "wildcard"


@dataclass(frozen=True, slots=True)
class Constraint:
    """One closed-world constraint on one argument.

    Args:
        kind: which.
        values: for `exact` one scalar, for `one_of` and `not_one_of` several (str, int, bool; types are compared).
        low: for `range`, inclusive lower bound (integer) or None.
        high: for `range`, inclusive upper bound (integer) or None.
        text: for `prefix` the prefix, for `pattern` an RE2 expression matched against the whole value.
    """

    kind: ConstraintKind
    values: tuple[str | int | bool, ...] = ()
    low: int | None = None
    high: int | None = None
    text: str = ""

    @classmethod
    def anything(cls) -> Constraint:
        """Any value, or none."""
        return cls(ConstraintKind.WILDCARD)

    @classmethod
    def exactly(cls, value: str | int | bool) -> Constraint:  # noqa: FBT001  a value to compare with
        """This value."""
        return cls(ConstraintKind.EXACT, (value,))

    @classmethod
    def one_of(cls, *values: str | int | bool) -> Constraint:
        """One of these values."""
        return cls(ConstraintKind.ONE_OF, values)

    @classmethod
    def none_of(cls, *values: str | int | bool) -> Constraint:
        """Any value of the same type except these."""
        return cls(ConstraintKind.NOT_ONE_OF, values)

    @classmethod
    def between(cls, low: int | None = None, high: int | None = None) -> Constraint:
        """A number within inclusive bounds."""
        return cls(ConstraintKind.RANGE, low=low, high=high)

    @classmethod
    def starts_with(cls, text: str) -> Constraint:
        """A text with this prefix; a path that climbs out of it is refused."""
        return cls(ConstraintKind.PREFIX, text=text)

    @classmethod
    def matches(cls, text: str) -> Constraint:
        """A text that fully matches an RE2 expression."""
        return cls(ConstraintKind.PATTERN, text=text)


Grants = Mapping[ActionKind, Mapping[str, Mapping[str, Constraint]]]
"""Action kind → exact resource id → argument name (or `ANY_OTHER`) → constraint."""
GrantName = tuple[str, str]
"""Kind of action and id of the resource."""


class LinkKind(StrEnum):
    """The three kinds of links; only session and hand-off links decay."""

    STANDING = "standing"
    SESSION = "session"
    HANDOFF = "handoff"


RESERVED_UNITS = ("risk", "step", "time")
"""Units that Halo charges by itself; no caller may set them. `time` is the session's age in seconds."""


@dataclass(frozen=True, slots=True)
class Budget:
    """One unit's limits: `per_action` and `subtree`, integers in units of 10**-decimals."""

    unit: str
    per_action: int
    subtree: int
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Quota:
    """Limit on one unit for all sessions of a standing link in a UTC day, in units of 10**-decimals."""

    unit: str
    per_day: int
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Decay:
    """How the authority of a link decreases. Authority is an integer 0..1_000_000.

    Args:
        authority: authority at the start.
        half_life_s: seconds in which it halves.
        half_life_steps: actions in which it halves.
        half_life_risk: risk points in which it halves.
        reauthorize_below: under this, nothing runs before somebody else re-authorizes.
        floors: for each impact class, sorted by name, the authority that an action of it needs.
        bands: (risk points, ceiling), both in order: from so many points on, authority is at most the ceiling.
    """

    authority: int
    half_life_s: int
    half_life_steps: int
    half_life_risk: int
    reauthorize_below: int
    floors: tuple[tuple[str, int], ...] = ()
    bands: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """The terms of each new session under a standing link: budgets, decay and maximum lifetime in seconds."""

    budgets: tuple[Budget, ...]
    decay: Decay
    lifetime_s: int


@dataclass(frozen=True, slots=True)
class Link:
    """A verified link. Times are seconds since the epoch (RFC 7519 NumericDate).

    Args:
        hash: names the token in the store (`canonical.digest` under the passport domain).
        principal: the accountable user or organisation (`sub`), the same along the chain.
        agent: who holds it (`client_id`).
        txn: for a session link and below, the session it is valid for; for a standing link, its own id.
        envelope: account of the quotas, which outlives the standing link: a new one does not reset them.
        owner: who answers for the agent; never its approver. Empty if nobody was named.
        budgets: for a standing link, the ceilings of sessions' re-authorizations; else the limits.
        quotas: quotas per day, for a standing link.
        terms: terms of sessions, for a standing link.
        reauthorization: for a session link with `epoch` > 1, the approver's token that allows it.
    """

    hash: str
    kind: LinkKind
    issuer: str
    key_id: str
    jti: str
    principal: str
    agent: str
    tenant: str
    audience: tuple[str, ...]
    issued_at_s: int
    not_before_s: int
    expires_at_s: int
    txn: str
    holder_key: bytes
    depth: int
    max_depth: int
    epoch: int
    grants: Grants
    labels: tuple[str, ...] | None = None
    hand_off_to: tuple[str, ...] = ()
    budgets: tuple[Budget, ...] = ()
    decay: Decay | None = None
    policy: str = ""
    parent: str = ""
    envelope: str = ""
    owner: str = ""
    quotas: tuple[Quota, ...] = ()
    terms: SessionTerms | None = None
    reauthorization: str = field(default="", repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
