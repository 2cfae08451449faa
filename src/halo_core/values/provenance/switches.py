"""Switches that are declared targets: `enabled=True`, for which the user's words for on and off vouch.

A boolean stands in no text, so no text could vouch for it by its form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from halo_core.model import Provenance, Resource
from halo_core.values.kinds.argument_names import split_argument_name
from halo_core.values.kinds.kinds import Kind
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch, has_user_mark

_ON: Final = frozenset("enable activate allow unlock unpause unmute true".split())
_OFF: Final = frozenset("off disable deactivate stop block forbid false lock pause mute".split())
"""Words of orders. A word for a state may stand in a question: "is sharing enabled?"."""
_TURNING: Final = frozenset("turn switch put set flip toggle".split())
_DENYING: Final = frozenset(
    "no not never none neither without dont whether if unless instead rather "
    "they he she who says say said wants tells told asks asked according "
    "don doesn isn aren won shouldn mustn didn don’t doesn’t isn’t aren’t won’t shouldn’t mustn’t didn’t".split()
)
"""Words of a denial, a condition or a report. A token ends at a straight apostrophe: `don` of "don't"."""
_NARROWED_BY: Final = {"public": "private", "is_public": "private"}
"""Name of a switch that lets others see something → the user's word for turning it off."""
_PLAIN_NAMES: Final = frozenset("enabled enable active activated on is flag state status value".split())
"""Words of names whose switch is on when it is true. `disabled` and `locked` are others."""


def vouch_for_switches(resource: Resource, args: Mapping[str, Any], sketch: Sketch) -> list[TracedLeaf]:
    """List the switches among the declared targets as targets of the user, if he wrote which way they go.

    INVARIANT: VOUCH - a switch that grants a right, a request with words for both ways, a denial or a report, and a
    name that turns the meaning around vouch for nothing.

    Args:
        resource: what is acted on.
        args: the real arguments.
        sketch: what the session has seen.
    """
    switches = [
        name
        for name in resource.targets
        if isinstance(args.get(name), bool) and _PLAIN_NAMES.issuperset(split_argument_name(name))
    ]
    narrowed = [name for name in resource.targets if args.get(name) is False and name in _NARROWED_BY]
    if not (switches or narrowed) or _has_word(sketch, _DENYING):
        return []
    hidden = [name for name in narrowed if _has_word(sketch, frozenset((_NARROWED_BY[name],)))]
    if hidden and not _has_word(sketch, frozenset(("public",))):
        return [_make_leaf(name) for name in hidden]
    is_off = _has_word(sketch, _OFF)
    is_on = _has_word(sketch, _ON) or (_has_word(sketch, _TURNING) and _has_word(sketch, frozenset(("on",))))
    if is_on is is_off:
        return []
    return [_make_leaf(name) for name in switches if args[name] is is_on]


def _make_leaf(name: str) -> TracedLeaf:
    return TracedLeaf(f"/{name}", Provenance.USER, (), Kind.HANDLE, (), is_target=True)


def _has_word(sketch: Sketch, words: frozenset[str]) -> bool:
    return has_user_mark(sketch.look_up_marks(sorted(words)))
