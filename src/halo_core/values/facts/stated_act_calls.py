"""Calls that remove, set or send exactly what the user states (`stated_acts`), whatever verb their tools have.

drop_draft(draft="D-19")                                    # for "kill draft D-19 (still has the placeholder in)"
point_record(name="a.example", address="192.0.2.1")         # for "a.example should point to 192.0.2.1"
send_email(to="arne.solheim@corp.example", body="...")      # for "dates and pick-up place to Arne Solheim by mail"
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

from halo_core.model import Impact, Provenance
from halo_core.values.facts.call_view import CallView
from halo_core.values.kinds.argument_names import name_of_argument, names_note, names_remark, split_argument_name
from halo_core.values.kinds.kinds import SUSPICIOUS, Form, Kind
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.lexicon import ALL_VERBS, stem_all
from halo_core.values.language.opposite_acts import TAKING_STEMS
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.orders.stated_acts import KEPT, REMOVED, SET, TOLD, TOLD_BOTH
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch, has_user_mark

_UNTRUSTED: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_MIN_NAME: Final = 4  # letters of a family name behind initials, as in `mlindqvist`
_LETTERS: Final = compile_later(r"[^\W\d_]+")
_FIRST_OF_YEAR: Final = compile_later(r"(20[0-9]{2})-01-01(?:T00:00(?::00)?Z?)?")
"""The first day of a year, which is what "before 2023" means in a call: `2023-01-01`."""
_SENDING: Final = stem_all(
    "send mail email message sms text dm chat write post forward notify notification notice remind reminder invite"
    " invitation letter note tell"
)
"""Stems of words in the names of tools that send a message."""
_NOT_SENDING: Final = stem_all(
    "cancel delete unsend recall remove revoke block unsubscribe pay payment money fund request invoice call everyone"
    " everybody broadcast all share grant export public publish campaign segment newsletter"
)
"""Stems of words in the names of tools that do something else with a message or a person."""
_SETTING: Final = stem_all("set change update switch point redirect route edit modify")
"""Stems of verbs in the names of tools that set a value."""
_OTHER_ACTS: Final = (ALL_VERBS | TAKING_STEMS) - _SETTING
_TARGETS_OF_SETTING: Final = 2  # what is set, and its value
_TEXTS: Final = frozenset("text body subject message content title summary html markdown note".split())
"""Words in the names of arguments that hold the text of a message."""


def is_stated_act(view: CallView, targets: Sequence[TracedLeaf]) -> bool:
    """Whether the user states that exactly the targets of a call are removed, set, or get a message.

    INVARIANT: VOUCH - one statement names each target. No other value that says what is done is of an untrusted source.

    Args:
        view: the call.
        targets: the leaves of its arguments that say what it acts on, or who gets the message.
    """
    if not targets or view.sketch.saturated or any(SUSPICIOUS in leaf.flags for leaf in targets):
        return False
    if view.resource.impact is Impact.DELETE:
        return _is_removal_stated(view, targets)
    if view.resource.impact is Impact.ADMIN:
        return _is_setting_stated(view, targets)
    return view.resource.impact is Impact.SEND and _is_message_stated(view, targets)


def _read_value(view: CallView, leaf: TracedLeaf) -> str:
    """Return the text of a value as the forms of `stated_acts` have it."""
    return view.texts.get(leaf.pointer, "").strip().casefold()


def _is_removal_stated(view: CallView, targets: Sequence[TracedLeaf]) -> bool:
    """Whether the user wants each target removed, and says of none that it stays.

    "The T-40 reminder can go" fits `drop_reminder(id="T-40")`: the noun is in the name of the tool or of an argument.
    """
    sketch = view.sketch
    names = [view.resource.id, *(name_of_argument(leaf.pointer) for leaf in view.traced)]
    nouns = sorted({singularize(word) for name in names for word in split_argument_name(name)})
    for leaf in targets:
        item = _read_value(view, leaf)
        ways = [Form(REMOVED, item), *(Form(REMOVED, f"{noun} {item}") for noun in nouns)]
        if leaf.origin is not Provenance.USER or not has_user_mark(sketch.look_up_forms(ways)):
            return False
        if has_user_mark(sketch.look_up_forms([Form(KEPT, item)])):
            return False
    return all(leaf in targets or _is_users_or_remark(view, leaf) for leaf in view.traced)


def _is_users_or_remark(view: CallView, leaf: TracedLeaf) -> bool:
    """Whether a value that is no target is the user's, the first day of a year that he wrote, or a remark."""
    if leaf.origin is Provenance.USER:
        return True
    year = _FIRST_OF_YEAR.fullmatch(view.texts.get(leaf.pointer, "").strip())
    if year is not None:
        return has_user_mark(view.sketch.look_up_marks([year[1]]))
    is_remark = names_note(leaf.pointer) or names_remark(name_of_argument(leaf.pointer))
    return leaf.origin not in _UNTRUSTED and leaf.kind not in (Kind.AMOUNT, Kind.DATE) and is_remark


def _is_setting_stated(view: CallView, targets: Sequence[TracedLeaf]) -> bool:
    """Whether the user sets the first target of a call to the second, and the tool does nothing else by its name."""
    words = frozenset(split_name(view.resource.id))
    if len(targets) != len(view.resource.targets) or len(targets) != _TARGETS_OF_SETTING:
        return False
    if not words.isdisjoint(_OTHER_ACTS):
        return False
    if any(leaf.origin is not Provenance.USER for leaf in targets):
        return False
    # In the order in which the tool names its targets: what is set, then its value.
    order = {name: place for place, name in enumerate(view.resource.targets)}
    what, value = sorted(targets, key=lambda leaf: order.get(name_of_argument(leaf.pointer), len(order)))
    form = Form(SET, f"{_read_value(view, what)} to {_read_value(view, value)}")
    is_stated = has_user_mark(view.sketch.look_up_forms([form]))
    return is_stated and all(leaf in targets or _is_users_or_remark(view, leaf) for leaf in view.traced)


def _is_message_stated(view: CallView, targets: Sequence[TracedLeaf]) -> bool:
    """Whether the tool sends a message by its name, and the user states that each target gets one.

    Only the text of the message may come from an untrusted source.
    """
    stems = frozenset(split_name(view.resource.id))
    if stems.isdisjoint(_SENDING) or not stems.isdisjoint(_NOT_SENDING):
        return False
    if any(leaf.origin not in VOUCHED_ORIGINS for leaf in targets):
        return False
    if any(leaf.origin in _UNTRUSTED and not _is_text(leaf) for leaf in view.traced):
        return False
    return all(_is_told(view.sketch, _read_value(view, leaf), leaf) for leaf in targets)


def _is_text(leaf: TracedLeaf) -> bool:
    return not _TEXTS.isdisjoint(split_argument_name(name_of_argument(leaf.pointer)))


def _is_told(sketch: Sketch, address: str, leaf: TracedLeaf) -> bool:
    """Whether a statement names a recipient: by the address, or by each name in it (`arne.solheim@corp.example`).

    Args:
        sketch: what the session has seen.
        address: of the recipient, in small letters.
        leaf: that holds it.
    """
    if leaf.origin is Provenance.USER and _is_named(sketch, [address.strip("@#")]):
        return True
    local, sign, _ = address.partition("@")
    names = [name for name in _LETTERS.findall(local) if len(name) > 1]
    if leaf.kind is not Kind.EMAIL or not sign or not names:
        return False
    if len(names) == 1:  # `mlindqvist` for "Lindqvist"
        ends = [names[0][place:] for place in range(len(names[0]) - _MIN_NAME + 1)]
        return any(_is_named(sketch, [end]) for end in ends)
    return _is_named(sketch, names)


def _is_named(sketch: Sketch, names: Sequence[str]) -> bool:
    """Whether the user states a message to somebody with all of these names, each two of them in one statement."""
    pairs = [Form(TOLD_BOTH, f"{a} {b}") for a, b in combinations(sorted(set(names)), 2)]
    marks = sketch.look_up_forms([*(Form(TOLD, name) for name in names), *pairs])
    return all(has_user_mark([mark]) for mark in marks)
