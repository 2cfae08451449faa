"""Filters that leave nothing out: with an empty filter, everything is deleted or sent.

unvouch_targets_of_open_filters(traced, leaves, ("table", "filter"), sketch)
# with `filter=""`, the table is not vouched for any more
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.kinds.argument_names import name_of_argument, split_argument_name
from halo_core.values.kinds.kinds import Kind
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch, has_user_mark
from halo_core.values.sketches.written_words import is_written

FILTER_NAMES: Final = frozenset(
    "filter filters query where condition conditions pattern selector criteria glob search match matching "
    "expression".split()
)
"""Words of arguments that say which of many are meant."""
_EVERYTHING: Final = frozenset(("", "*", "**", "%", ".*", "all", "any", "true", "1=1", "1 = 1", "null", "none"))
_QUANTIFIERS: Final = ("all", "everything", "every", "whole", "entire", "alle", "alles", "tout", "todo", "tutto")

_CONSEQUENCES: Final = (Impact.SEND, Impact.DELETE, Impact.EXECUTE, Impact.ADMIN)
_PASSING_ON: Final = (
    "forward",
    "forwards",
    "forwarding",
    "forwarding of",
    "forwarding for",
    "redirect",
    "redirects",
    "relay",
    "send",
    "sends",
    "pass on",
    "passes on",
)
_ALL_PASSED_ON: Final = ("all", "everything", "every", "any")


def leaves_nothing_out(text: str) -> bool:
    """Whether everything matches a filter, a sender or the like: it is empty, or a star."""
    return text.strip().casefold() in _EVERYTHING or (bool(text.strip()) and not any(map(str.isalnum, text)))


def wants_all(sketch: Sketch) -> bool:
    """Whether the user wrote "all" or the like."""
    return has_user_mark(sketch.look_up_marks(_QUANTIFIERS))


def wants_all_passed_on(sketch: Sketch) -> bool:
    """Whether the user wrote "forward all" or the like, and not only "all my mail" about something else."""
    return any(is_written(sketch, f"{verb} {quantifier}") for verb in _PASSING_ON for quantifier in _ALL_PASSED_ON)


def list_open_scopes(resource: Resource, args: Mapping[str, Any], sketch: Sketch) -> list[TracedLeaf]:
    """List the empty arguments of a consequential act that make it apply to everything, as targets that nobody named.

    That is an empty filter, and for a deletion each empty declared target. For an execution or an act of
    administration, the declared targets if all of them are empty. None if the user wrote "all".

    Args:
        resource: what is acted on, in a session that was exposed.
        args: the real arguments.
        sketch: what the session has seen.
    """
    empty = [name for name, value in args.items() if type(value) is str and not value.strip()]
    if not empty or resource.impact not in _CONSEQUENCES or wants_all(sketch):
        return []
    scopes = {name for name in empty if not FILTER_NAMES.isdisjoint(split_argument_name(name))}
    targets = [name for name in resource.targets if name in empty]
    is_all_empty = len(targets) == len([name for name in resource.targets if name in args])
    if resource.impact is Impact.DELETE or (resource.impact is not Impact.SEND and is_all_empty):
        scopes.update(targets)
    return [
        TracedLeaf(f"/{name}", Provenance.NOVEL, (), Kind.HANDLE, (), is_target=True)  # as an empty value of a name
        for name in sorted(scopes)
    ]


def unvouch_targets_of_open_filters(
    traced: tuple[TracedLeaf, ...], leaves: Iterable[Leaf], targets: Collection[str], sketch: Sketch
) -> tuple[TracedLeaf, ...]:
    """Give the targets of a deletion the origin `novel` if a declared filter leaves nothing out.

    Not if the user wrote "all".

    Args:
        traced: as `trace_leaves` gives them.
        leaves: of the same arguments.
        targets: names of the declared targets.
        sketch: what the session has seen.
    """
    filters = {name for name in targets if not FILTER_NAMES.isdisjoint(split_argument_name(name))}
    if not filters or len(filters) == len(targets):
        return traced
    given = {name_of_argument(leaf.pointer) for leaf in leaves if leaf.text.strip().casefold() not in _EVERYTHING}
    if filters <= given or wants_all(sketch):
        return traced
    return tuple(
        leaf._replace(origin=Provenance.NOVEL) if leaf.is_target and leaf.origin is Provenance.USER else leaf
        for leaf in traced
    )
