"""Whether a text of the user names a file or an account, so that he asked for no message with another one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from halo_core.values.kinds import Form

NAMED_FILE: Final = Form("named_file", "")
"""Says that the user names a file."""
NAMED_ACCOUNT: Final = Form("named_account", "")
"""Says that the user names an account."""
_FILE: Final = re.compile(
    r"(?<![\w@/])[\w-]{1,64}\.(?:pdf|docx?|xlsx?|csv|txt|md|pptx?|zip|png|jpe?g|odt|ods|json|xml)\b"
    r"|\b(?i:documents?|docs?|files?|reports?|contracts?|photos?|pictures?)\s[\"'“„«]?(?:[A-Z][\w-]*[0-9-]|[A-Za-z]+[-_]?[0-9])"
)
_ACCOUNT: Final = re.compile(
    r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3}"
    r"|\b(?i:accounts?|iban|konto|bank(?: details)?|compte|cuenta|conto)\b[^.!?\n0-9]{0,40}"
    r"[0-9](?:[ -]?[0-9]){7}"
)


def find_named_values(text: str) -> Iterator[Form]:
    """`NAMED_FILE` where a text names a file (`r.pdf`, "the document Plan-7"), `NAMED_ACCOUNT` where an account."""
    if _FILE.search(text) is not None:
        yield NAMED_FILE
    if _ACCOUNT.search(text) is not None:
        yield NAMED_ACCOUNT
