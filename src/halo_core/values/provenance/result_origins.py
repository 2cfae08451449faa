"""The origin of a result, by the source that returned it and by the arguments of its call.

origin_of_result(resource, [Provenance.USER], exposed=True)        # known, for a trusted lookup
origin_of_result(resource, [Provenance.UNTRUSTED], exposed=True)   # untrusted
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from halo_core.model import ActionKind, Impact, Provenance, Resource
from halo_core.values.kinds.argument_names import name_of_argument, split_argument_name
from halo_core.values.kinds.dates import drop_dates, is_date
from halo_core.values.kinds.kinds import TARGET_KINDS, Kind
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.patterns import compile_later
from halo_core.values.provenance.argument_forms import ArgumentValue, parse_argument
from halo_core.values.provenance.leaves import Leaf

TRUST_FLOOR: Final = 500
"""Source trust (0..1000) from which content counts as the system's own; below it, it taints the session."""

VOUCHED_ORIGINS: Final = (Provenance.USER, Provenance.KNOWN)
"""Origins of values that are vouched for."""
TRUST_ORDER: Final = {
    Provenance.USER: 0,
    Provenance.KNOWN: 1,
    Provenance.SYSTEM: 2,
    Provenance.NOVEL: 3,
    Provenance.MIXED: 4,
    Provenance.UNTRUSTED: 5,
}
"""Origins from the most to the least trusted."""


def is_lookup(resource: Resource) -> bool:
    """Whether an action looks something up in a declared source, so that the origins of its arguments matter."""
    return resource.classified == "declared" and (
        resource.kind is ActionKind.RETRIEVAL or resource.impact is Impact.READ
    )


def is_trusted_lookup(resource: Resource) -> bool:
    """Whether an action is a declared read of a source at or above the trust floor."""
    return (resource.source_trust or 0) >= TRUST_FLOOR and is_lookup(resource)


def origin_of_result(  # noqa: PLR0911  one return for each rule
    resource: Resource,
    arguments: Collection[Provenance] | None = None,
    *,
    exposed: bool = False,
    is_key: bool = True,
    is_own: bool = False,
) -> Provenance:
    """Find the origin of a result, by the resource's declaration and the arguments, never by the content.

    INVARIANT: VOUCH - a result inherits the worst origin of its source and its arguments. So a trusted tool that
    decodes, repeats or looks up untrusted text returns untrusted text.

    Args:
        resource: as registered.
        arguments: origins of the leaves of the arguments; None asks for the origin of the source alone.
        exposed: the session had seen untrusted content when the arguments were made.
        is_key: the arguments are keys of a lookup (`is_lookup_key`), not text that the result could be made from.
        is_own: it reads nothing but places that the operator owns (`reads_own_place`).

    Returns:
        `untrusted`; `known` for a lookup in a declared source with arguments that the user or another lookup named, or
        that were made before anything untrusted was seen; else `system`, or `novel` for a model's words and for what
        was made from arguments of no origin after exposure. A model is no source: what it repeats was marked when it
        was shown it.
    """
    if resource.kind is ActionKind.INFERENCE:
        return Provenance.NOVEL
    if (resource.source_trust or 0) < TRUST_FLOOR and not is_own:
        return Provenance.UNTRUSTED
    if arguments is None:
        return Provenance.SYSTEM
    worst = max(arguments, key=TRUST_ORDER.__getitem__, default=Provenance.USER)
    if exposed and worst in (Provenance.UNTRUSTED, Provenance.MIXED):
        return Provenance.UNTRUSTED
    if exposed and worst is Provenance.NOVEL:
        return Provenance.NOVEL
    if is_key and is_lookup(resource) and (worst in VOUCHED_ORIGINS or not exposed):
        return Provenance.KNOWN
    return Provenance.SYSTEM


_PLAIN_PATH: Final = compile_later(r"~?(?:/[\w .@+=,()-]+)+/?")
# Characters by which a tool could be led out of a folder: links upwards, escapes, patterns, variables.
_LEADING_AWAY: Final = compile_later(r"\.\.|[%\\*?~$`{}\[\]|<>;&]|\s/")
_TWO_PATHS: Final = compile_later(r"\s/")
_PLACE_WORDS: Final = frozenset(
    "base root folder directory dir cwd file filename document attachment mailbox inbox bucket drive volume share host "
    "server site proxy source origin ref rev revision commit version tag fork remote snapshot tenant org owner "
    "workspace space container repo repository branch account profile user path url "
    "uri".split()
)
"""Words of arguments for the place where a read looks, whatever their values look like."""
_UNSET: Final = frozenset(("", "null", "true", "false"))


def reads_own_place(resource: Resource, leaves: Iterable[Leaf]) -> bool:
    """Whether a declared read names only places that the operator owns (`Resource.own_places`).

    A place is compared in its canonical form. What has none, or could be read as another place, is outside.

    Args:
        resource: as registered.
        leaves: of the arguments.
    """
    if not resource.own_places or resource.impact is not Impact.READ or resource.classified != "declared":
        return False
    names_place = False
    for leaf in leaves:
        words = split_argument_name(name_of_argument(leaf.pointer))
        values = parse_argument(leaf.text, words)
        if any(value.kind in TARGET_KINDS for value in values):
            if not all(_is_below(value, resource.own_places) for value in values):
                return False
            names_place = True
        elif leaf.is_cut or _LEADING_AWAY.search(leaf.text) is not None or _chooses_place(leaf.text, words):
            return False
    return names_place


def _chooses_place(text: str, name: Iterable[str]) -> bool:
    return text not in _UNSET and not _PLACE_WORDS.isdisjoint(map(singularize, name))


def _is_below(value: ArgumentValue, places: Collection[str]) -> bool:
    if value.flags or not value.forms:
        return False
    text = value.forms[0].text
    if _TWO_PATHS.search(text) is not None:
        return False  # two paths, where a tool splits them
    if value.kind is Kind.PATH:
        is_plain = _PLAIN_PATH.fullmatch(text) is not None
    elif value.kind in (Kind.URL, Kind.HOST):
        text = text if value.kind is Kind.URL else f"https://{text}"
        is_plain = _PLAIN_PATH.fullmatch(text.removeprefix("https:/")) is not None
    else:
        return False
    return is_plain and any(text == place or text.startswith(f"{place}/") for place in places)


_MIN_COMPUTED: Final = 6  # digits of which an account could be made
_MAX_SMALL: Final = 4  # digits
_READ_LENGTH: Final = 256  # characters


_CHOOSING: Final = frozenset(
    "all any none open closed pending approved rejected active inactive unread read new old recent latest last asc "
    "desc inbox sent draft drafts true false yes no own ours our mine my me us self main default json csv".split()
)
"""Words that select a part of a source's content. A record may be called the same."""
_DAYS: Final = frozenset("today tomorrow yesterday daily weekly monthly".split())
"""Words that select by time, and never a single record."""


def _count_digits(text: str) -> int:
    """Count the digits of a text; none if all of them belong to dates, as in `expires<2027-01-01`."""
    if len(text) > _READ_LENGTH:
        return _READ_LENGTH
    return sum(map(str.isdigit, text)) if any(map(str.isdigit, drop_dates(text))) else 0


def judge_arguments(leaves: Iterable[Leaf], origins: Mapping[str, Provenance]) -> tuple[list[Provenance], bool]:
    """List the origins that a result inherits, and whether it could be computed from numbers of no origin.

    Counts, limits, other small amounts, days that no untrusted source named, and words such as `unread` only select
    what is returned; no account can be made of them.

    Args:
        leaves: of the arguments.
        origins: pointer of a leaf → its origin.
    """
    judged, novel_digits, novel = [], 0, Provenance.NOVEL  # looking a member up takes as long as ten other steps
    for leaf in leaves:
        origin, digits = origins.get(leaf.pointer, novel), 0
        if leaf.is_amount or origin is novel:  # those of other leaves are not needed
            digits = _count_digits(leaf.text)
        if leaf.is_amount and digits <= _MAX_SMALL:
            continue
        word = leaf.text.strip().casefold()
        # A word that an untrusted source says, too, may be its choice: a supplier may be called `default`.
        if word in _DAYS or (origin is novel and (is_date(leaf.text) or word in _CHOOSING)):
            continue
        judged.append(origin)
        novel_digits += digits if origin is novel else 0
    return judged, novel_digits >= _MIN_COMPUTED
