"""Names of people and agents: how they are compared, and which invisible characters they may contain."""

from __future__ import annotations

import unicodedata
from typing import Final

_IGNORABLE_RANGES: Final = (
    "AD 34F 61C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164 FE00-FE0F FEFF FFA0 FFF0-FFF8 "
    "1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
)
_IGNORABLE: Final = frozenset(
    chr(code)
    for first, _, last in (item.partition("-") for item in _IGNORABLE_RANGES.split())
    for code in range(int(first, 16), int(last or first, 16) + 1)
)
"""Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties.txt), which no font draws."""


_LOOKALIKES: Final = str.maketrans("аеорсхуіјѕӏһԁмтвнкıɩαοερνικτυ", "aeopcxyijslhdmtbhkiiaoepviktu")
"""Small letters of Cyrillic, Greek and Turkish that look like Latin ones."""


def same_person(one_name: str, other_name: str) -> bool:
    """Whether two names may mean the same person or agent, however spelt: `User:Ana ` is `ana`.

    So may those that a reader or a mail server cannot tell apart: `ana+x@bank` and `ana@bank.` are `ana@bank`.
    """
    return _fold_spelling(one_name) == _fold_spelling(other_name)


def _fold_spelling(name: str) -> str:
    """A name without what a reader or a mail server does not tell apart."""
    plain = "".join(normalize_name(name).translate(_LOOKALIKES).split())
    local, at, domain = plain.partition("@")
    return f"{local.partition('+')[0] or local}{at}{domain.rstrip('.')}"


def normalize_name(name: str) -> str:
    """A name in the form for comparison: folded by NFKC_Casefold (Unicode, 3.13), without a leading `user:`."""
    folded = unicodedata.normalize("NFKC", "".join(c for c in name if c not in _IGNORABLE)).casefold()
    normalized = "".join(c for c in unicodedata.normalize("NFKC", folded) if c not in _IGNORABLE).strip()
    while normalized.startswith("user:"):
        normalized = normalized.removeprefix("user:").strip()
    return normalized


def has_invisible_characters(name: str) -> bool:
    """Whether a name contains control characters or code points that no font draws."""
    return any(c in _IGNORABLE or not c.isprintable() for c in name)
