"""Accounts that a message tells somebody in place of the one that the user dictates.

Whoever has "our account is DE89..." mailed wants that one told. A message with another one, which only an untrusted
source has said, lets its readers pay elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final

from halo_core.values.forms import find_forms
from halo_core.values.kinds import Kind
from halo_core.values.leaves import Leaf
from halo_core.values.named_values import NAMED_ACCOUNT
from halo_core.values.sketch import Sketch, has_foreign_mark, has_user_mark
from halo_core.values.traced_leaves import TracedLeaf, add_ports_and_readers

_TOLD: Final = (Kind.TEXT, Kind.HANDLE)
_MIN_DIGITS: Final = 8
_ACCOUNTS: Final = frozenset(("iban", "digits", "joint"))
_MAX_ACCOUNTS: Final = 32
_LONG_NUMBER: Final = re.compile(r"(?:[0-9][ -]?){8}")
_GROUPING: Final = re.compile(r"(?<=[0-9A-Z])[._/·–](?=[0-9])")
"""Signs by which an account may be written in groups, besides a space and a hyphen."""
_MAX_READ: Final = 16_384  # characters


def add_told_targets(
    leaves: Sequence[Leaf], traced: list[TracedLeaf], sketch: Sketch, *, is_message: bool
) -> list[TracedLeaf]:
    """The traced leaves of an act, with the further targets that it has after exposure (`add_ports_and_readers`).

    Of a message, a text with an account that only an untrusted source has said is one, too, where the user wrote one.

    Args:
        leaves: of the act.
        traced: the same, traced.
        sketch: what the session has seen.
        is_message: it sends something.
    """
    traced = add_ports_and_readers(leaves, traced, sketch, is_message=is_message)
    if not is_message or not has_user_mark(sketch.look_up_forms([NAMED_ACCOUNT])):
        return traced
    return [
        traced_leaf._replace(is_target=True)
        if traced_leaf.kind in _TOLD and _tells_other_account(leaf.text[:_MAX_READ], sketch)
        else traced_leaf
        for leaf, traced_leaf in zip(leaves, traced, strict=True)
    ]


def _tells_other_account(text: str, sketch: Sketch) -> bool:
    """Whether a text has an account that only an untrusted source has said, or an IBAN that nobody has."""
    text = _GROUPING.sub("", text)
    if _LONG_NUMBER.search(text) is None:
        return False
    found = (
        form
        for form in find_forms(text, amounts=False)
        if form.domain in _ACCOUNTS and sum(map(str.isdigit, form.text)) >= _MIN_DIGITS
    )
    accounts = list(islice(found, _MAX_ACCOUNTS))
    marks = sketch.look_up_forms(accounts)
    ibans = [form for form, mark in zip(accounts, marks, strict=True) if form.domain == "iban" and not mark]
    return any(has_foreign_mark([mark]) for mark in marks) or not all(sketch.look_up_known(ibans))
