"""Accounts and addresses that a message tells somebody in place of the account that the user dictates.

Whoever has "our account is DE89..." mailed wants that one told. A message with another one, with a link, an address or
a wallet, which only an untrusted source has said, lets its readers pay elsewhere. So does a text that begins as the one
that the user dictates and goes on with such a place.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import islice
from typing import Final

from halo_core.model import Provenance
from halo_core.values.forms import find_forms
from halo_core.values.kinds import Kind
from halo_core.values.leaves import Leaf
from halo_core.values.named_values import DICTATED, NAMED_ACCOUNT
from halo_core.values.sent_objects import add_sent_objects
from halo_core.values.sketch import Sketch, has_foreign_mark, has_user_mark
from halo_core.values.spans import fingerprint_tokens_in_order, tokenize
from halo_core.values.traced_leaves import TracedLeaf, add_ports_and_readers

_TOLD: Final = (Kind.TEXT, Kind.HANDLE)
_MIN_DIGITS: Final = 8
_ACCOUNTS: Final = frozenset(("iban", "digits", "joint"))
_MAX_ACCOUNTS: Final = 32
_LONG_NUMBER: Final = re.compile(r"(?:[0-9][ -]?){8}")
_GROUPING: Final = re.compile(r"(?<=[0-9A-Z])[._/·–](?=[0-9])")
"""Signs by which an account may be written in groups, besides a space and a hyphen."""
_PLACES: Final = frozenset(("url", "host", "email"))
_WALLET: Final = re.compile(r"(?<![\w.@/-])(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{24,96}(?![\w@-])")
_MAX_READ: Final = 16_384  # characters
_MAX_BEGINNING: Final = 3  # tokens by which a dictated text is known


def add_told_targets(
    leaves: Sequence[Leaf],
    traced: list[TracedLeaf],
    targets: Collection[str],
    sketch: Sketch,
    *,
    is_message: bool,
    tool: str = "",
) -> list[TracedLeaf]:
    """The traced leaves of an act, with the further targets that it has after exposure.

    See `add_ports_and_readers` and `add_sent_objects`. Of a message, a text that says where to pay is one, too, where
    the user dictates that and only an untrusted source has said it so, and one that adds a place to what he dictates.

    Args:
        leaves: of the act.
        traced: the same, traced.
        targets: names of the declared targets.
        sketch: what the session has seen.
        is_message: it sends something.
        tool: name of what acts.
    """
    traced = add_ports_and_readers(leaves, traced, sketch, is_message=is_message)
    if is_message:
        traced = add_sent_objects(leaves, traced, targets, sketch, tool)
    if not is_message or not has_user_mark(sketch.look_up_forms([NAMED_ACCOUNT, DICTATED])):
        return traced
    tells = _tells_other_place if has_user_mark(sketch.look_up_forms([NAMED_ACCOUNT])) else adds_to_dictated
    return [
        traced_leaf._replace(is_target=True)
        if traced_leaf.kind in _TOLD and tells(leaf.text[:_MAX_READ], sketch)
        else traced_leaf
        for leaf, traced_leaf in zip(leaves, traced, strict=True)
    ]


def adds_to_dictated(text: str, sketch: Sketch) -> bool:
    """Whether a text begins as one that the user dictates, and tells a place that only an untrusted source has said."""
    if not has_user_mark(sketch.look_up_forms([DICTATED])):
        return False
    beginning = tokenize(text, _MAX_BEGINNING)
    if len(beginning) < _MAX_BEGINNING:
        return False
    is_dictated = sketch.spans[Provenance.USER].find(fingerprint_tokens_in_order(beginning, sketch.key)) > 0
    return is_dictated and _tells_other_place(text, sketch)


def _tells_other_place(text: str, sketch: Sketch) -> bool:
    """Whether a text says where to pay by what only an untrusted source has said, or by an IBAN that nobody has."""
    return _tells_other_account(_GROUPING.sub("", text), sketch) or _tells_other_address(text, sketch)


def _tells_other_account(text: str, sketch: Sketch) -> bool:
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


def _tells_other_address(text: str, sketch: Sketch) -> bool:
    if "." in text:
        places = islice((form for form in find_forms(text, amounts=False) if form.domain in _PLACES), _MAX_ACCOUNTS)
        if has_foreign_mark(sketch.look_up_forms(places)):
            return True
    wallets = [match[0].casefold() for match in islice(_WALLET.finditer(text), _MAX_ACCOUNTS)]
    return has_foreign_mark(sketch.look_up_marks(wallets))
