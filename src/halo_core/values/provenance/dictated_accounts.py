"""Accounts and addresses in a message that differ from the account which the user dictates for it.

The user writes "mail the club that our account is DE89 ...". If only an untrusted source contained the account in the
message, the readers of the message would pay somebody else. So its text becomes a target, and a person is asked. The
same holds for a link, an address or a wallet, and for a text that begins like the dictated one and adds such a place.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import Final

from halo_core.model import Provenance
from halo_core.values.kinds.kinds import Kind
from halo_core.values.language.patterns import compile_later
from halo_core.values.provenance.forms import find_forms
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.sent_objects import add_sent_objects
from halo_core.values.provenance.traced_leaves import TracedLeaf, add_ports_and_readers
from halo_core.values.requests.named_values import DICTATED, NAMED_ACCOUNT
from halo_core.values.sketches.sketch import Sketch, has_only_untrusted_mark, has_user_mark
from halo_core.values.sketches.spans import fingerprint_tokens_in_order, tokenize

_TEXT_KINDS: Final = (Kind.TEXT, Kind.HANDLE)
_MIN_DIGITS: Final = 8
_ACCOUNTS: Final = frozenset(("iban", "digits", "joint"))
_MAX_ACCOUNTS: Final = 32
_LONG_NUMBER: Final = compile_later(r"(?:[0-9][ -]?){8}")
_GROUPING: Final = compile_later(r"(?<=[0-9A-Z])[._/·–](?=[0-9])")
"""Signs by which an account may be written in groups, besides a space and a hyphen."""
_PLACES: Final = frozenset(("url", "host", "email"))
_WALLET: Final = compile_later(r"(?<![\w.@/-])(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{24,96}(?![\w@-])")
_MAX_READ: Final = 16_384  # characters
_MAX_BEGINNING: Final = 3  # tokens by which a dictated text is known


def add_targets_after_exposure(
    leaves: Sequence[Leaf],
    traced: list[TracedLeaf],
    targets: Collection[str],
    sketch: Sketch,
    *,
    is_message: bool,
    tool: str = "",
) -> list[TracedLeaf]:
    """Mark the further targets that an act has after exposure; see `add_ports_and_readers` and `add_sent_objects`.

    In a message, these are also a text that says where to pay, if the user dictates that and only an untrusted source
    contained this place, and a text that adds a place to the dictated one.

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
    names_place = (
        _names_untrusted_place if has_user_mark(sketch.look_up_forms([NAMED_ACCOUNT])) else extends_dictated_text
    )
    return [
        traced_leaf._replace(is_target=True)
        if traced_leaf.kind in _TEXT_KINDS and names_place(leaf.text[:_MAX_READ], sketch)
        else traced_leaf
        for leaf, traced_leaf in zip(leaves, traced, strict=True)
    ]


def extends_dictated_text(text: str, sketch: Sketch) -> bool:
    """Whether a text begins like one that the user dictates, and adds a place that only untrusted content contained."""
    if not has_user_mark(sketch.look_up_forms([DICTATED])):
        return False
    beginning = tokenize(text, _MAX_BEGINNING)
    if len(beginning) < _MAX_BEGINNING:
        return False
    is_dictated = sketch.spans[Provenance.USER].find(fingerprint_tokens_in_order(beginning, sketch.key)) > 0
    return is_dictated and _names_untrusted_place(text, sketch)


def _names_untrusted_place(text: str, sketch: Sketch) -> bool:
    """Whether a text says where to pay by what only untrusted content contained, or by an IBAN of unknown origin."""
    return _names_untrusted_account(_GROUPING.sub("", text), sketch) or _names_untrusted_address(text, sketch)


def _names_untrusted_account(text: str, sketch: Sketch) -> bool:
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
    return any(has_only_untrusted_mark([mark]) for mark in marks) or not all(sketch.look_up_known(ibans))


def _names_untrusted_address(text: str, sketch: Sketch) -> bool:
    if "." in text:
        places = islice((form for form in find_forms(text, amounts=False) if form.domain in _PLACES), _MAX_ACCOUNTS)
        if has_only_untrusted_mark(sketch.look_up_forms(places)):
            return True
    wallets = [match[0].casefold() for match in islice(_WALLET.finditer(text), _MAX_ACCOUNTS)]
    return has_only_untrusted_mark(sketch.look_up_marks(wallets))
