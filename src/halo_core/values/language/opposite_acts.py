"""Words that ask for no act of a tool because the tool does the opposite, or much more.

drop_opposites(("giv", "access"), {"giv", "block", "access"}, Impact.ADMIN)   # without "block"
drop_opposites(("penalti",), {"pay", "charg"}, Impact.PAYMENT)                # without "pay"
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from halo_core.model import Impact
from halo_core.values.language.lexicon import REQUEST_WORDS_BY_IMPACT, stem_all

_GIVING_STEMS: Final = stem_all(
    "invite add grant allow permit authorize authorise give promote let share enable unlock unblock unfreeze activate "
    "reactivate upgrade appoint delegate onboard provision unban pardon reinstate enroll enrol assign join approve "
    "merge"
)
TAKING_STEMS: Final = stem_all(
    "disable revoke remove lock suspend block freeze deactivate demote downgrade offboard ban expel evict close "
    "archive drop delete kick exclude unassign unshare unenroll unenrol strip erase discard"
)
"""Stems of verbs that take a right or a thing away."""
_PAYING_STEMS: Final = REQUEST_WORDS_BY_IMPACT["payment"] | stem_all(
    "refund compensate contribute credit donate pledge sponsor tip remit"
)
_TELLING_STEMS: Final = stem_all(
    "mail email message text dm reply contact tell notify inform write greet answer comment"
)
_READING_STEMS: Final = stem_all(
    "read look see show view check examine review analyze analyse summarize summarise find search describe explain"
)
_OWNING_STEMS: Final = stem_all("owner ownership")
_ASKING_TO_OWN: Final = stem_all("owner ownership own transfer hand reassign pass give make")
_OFF: Final = frozenset(("turn", "switch", "off"))


_TAKING_MONEY: Final = stem_all(
    "clawback confiscate debit deduct deduction fine garnish levy penalty penalise penalize recoup surcharge withdraw"
    " withdrawal"
)
"""Stems in names of tools that take money from the person they name."""
_GIVING_BACK: Final = stem_all("refund reimburse")
"""Stems in names of tools that give back what was taken: `refund_fine`."""
_GIVING_MONEY: Final = stem_all(
    "advance allowance bonus compensate credit deposit discount donate goodwill grant payout pledge premium refund"
    " reimburse repay reward sponsor tip"
)
_ASKING_TO_GIVE: Final = _GIVING_MONEY | stem_all("pay give contribute remit disburse top recharge")
_ASKING_TO_TAKE: Final = _TAKING_MONEY | stem_all("bill charge")


def takes_money(tool_words: Collection[str]) -> bool:
    """Whether one of the stems of a tool's name says that it takes money from the person it names."""
    return not _TAKING_MONEY.isdisjoint(tool_words) and _GIVING_BACK.isdisjoint(tool_words)


def drop_opposites(tool_words: Collection[str], stems: frozenset[str], impact: Impact) -> frozenset[str]:
    """Of the stems by which people ask for a class of acts, keep those that can ask for one of this tool.

    For payments: "pay her a bonus" asks for no deduction, and "charge her" for no refund.

    Args:
        tool_words: stems of the words of its name.
        stems: by its verb and by its class.
        impact: its class of acts.
    """
    words = frozenset(tool_words)
    if impact is Impact.ADMIN:
        return _drop_opposite_rights(words, stems)
    if impact is not Impact.PAYMENT:
        return stems
    takes, gives = not words.isdisjoint(_TAKING_MONEY), not words.isdisjoint(_GIVING_MONEY)
    if takes and not gives:
        return stems - _ASKING_TO_GIVE
    return stems - _ASKING_TO_TAKE if gives and not takes else stems


def _drop_opposite_rights(words: frozenset[str], stems: frozenset[str]) -> frozenset[str]:
    """Like `drop_opposites`, for acts of administration.

    "Block her" does not ask for a tool that gives access. "Share it" does not ask for one that changes the owner.
    Only words of removing or turning off ask for a tool that does so. Words of paying, telling and reading ask for no
    right.
    """
    allowed_stems = REQUEST_WORDS_BY_IMPACT["admin"] | words
    stems = (
        stems - ((_PAYING_STEMS | _TELLING_STEMS) - allowed_stems) - (_READING_STEMS - REQUEST_WORDS_BY_IMPACT["admin"])
    )
    if not words.isdisjoint(_OWNING_STEMS) or words >= {"hand", "over"}:
        return stems & _ASKING_TO_OWN or stems
    takes = not words.isdisjoint(TAKING_STEMS) or ("off" in words and not words.isdisjoint(_OFF - {"off"}))
    gives = not words.isdisjoint(_GIVING_STEMS)
    if takes and not gives:
        return stems - _GIVING_STEMS
    return stems - TAKING_STEMS if gives and not takes else stems
