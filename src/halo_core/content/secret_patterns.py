"""Well-known secrets inside texts (`find_secret_spans`), and the data labels of a text (`find_labels`).

The time is linear in the input, because RE2 never backtracks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import re2

from halo_core.content.personal_data import (
    find_personal_labels,
)

SHORTEST_SECRET: Final = 7
"""Characters; no pattern below matches a shorter text."""


def _compile(pattern: bytes) -> Any:
    options = re2.Options()
    # Bytes one by one, so that text which is no UTF-8 cannot slip past or raise.
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return re2.compile(pattern, options)


# By itself and first, since it contains blanks at which a pattern below would stop halfway.
_PEM: Final = _compile(
    rb"(?s)(-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----.*?"
    rb"(?:-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----|\z))"
)
# Names that nothing but a credential has, and those that other things have too; the latter want a value like a key.
_ASSIGNED: Final = (
    rb"(?:password|passwd|pwd|passphrase|passcode|api[_-]?key|client[_-]?secret|(?:access|auth|refresh)[_-]?token"
    rb"|secret[_-]?access[_-]?key|private[_-]?key|secret[_-]?key)"
)
_AMBIGUOUS: Final = rb"(?:\b|_|-)(?:token|secret|access[_-]?key)"
_BLANK: Final = rb"(?:[ \t]|\xc2\xa0)*"
_ASSIGNMENT: Final = _BLANK + rb"(?::=|=>|[:=])" + _BLANK


def _make_mixed_value_pattern(least: int) -> bytes:
    """Pattern of a value of `least` bytes or more with a digit or a sign in it, that is no placeholder or URL."""
    sign, first, rest = rb"[0-9@#!^~]", rb"[^\s&;,\"'`<>\\:${%\[]", rb"[^\s&;,\"'`<>\\:]"
    forms = [sign + rest + rb"{%d,}" % (least - 1)]
    forms += [
        first + rest + rb"{%d}" % (position - 1) + sign + rest + rb"{%d,}" % (least - 1 - position)
        for position in range(1, least - 1)
    ]
    forms.append(first + rest + rb"{%d,}" % (least - 2) + sign + rest + rb"*")
    return rb"(?:" + rb"|".join(forms) + rb")"


TOKEN_FORMS: Final = (
    rb"((?:AKIA|ASIA)[A-Z0-9]{16})",  # AWS access key id
    rb"(gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{22,255})",
    rb"(glpat-[A-Za-z0-9_-]{20,})",
    rb"\b(sk-[A-Za-z0-9_-]{16,})",  # OpenAI, Anthropic and others
    rb"([sr]k_(?:live|test)_[A-Za-z0-9]{10,})",  # Stripe
    rb"(xox[abeoprs]-[A-Za-z0-9-]{8,})",  # Slack
    rb"(AIza[A-Za-z0-9_-]{35})",  # Google
    rb"(eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*)",  # JWT
    rb"(?i:\bbearer[ \t]+)([A-Za-z0-9._~+/-]{8,}=*)",
    rb"(?i:\bauthorization[ \t]*[:=][ \t]*basic[ \t]+)([A-Za-z0-9+/]{4,}=*)",
    rb"[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*:([^\s/@]+)@",  # password in a URL
    rb"(\bhf_[A-Za-z0-9]{20,})",  # Hugging Face
    rb"(\bnpm_[A-Za-z0-9]{30,})",
    rb"(\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})",  # SendGrid
    rb"(?i:" + _ASSIGNED + rb"=)([^\s&;,\"'`<>]{4,})",
    # JSON as text, also with escapes, and the texts of other languages' maps.
    rb"(?i:(?:" + _ASSIGNED + rb"|" + _AMBIGUOUS + rb")\\*[\"']?" + _ASSIGNMENT + rb"\\*\")([^\"\\]{2,})",
    rb"(?i:(?:" + _ASSIGNED + rb"|" + _AMBIGUOUS + rb")\\*[\"']?" + _ASSIGNMENT + rb"\\*')([^'\\\n]{2,})",
    rb"(?i:" + _ASSIGNED + rb"\\*[\"']?" + _ASSIGNMENT + rb")(" + _make_mixed_value_pattern(6) + rb")",
    rb"(?i:" + _AMBIGUOUS + rb"\\*[\"']?" + _ASSIGNMENT + rb")(" + _make_mixed_value_pattern(8) + rb")",
)
"""Patterns of well-known secrets; the first group is what has to be hidden."""
_TOKENS: Final = _compile(rb"|".join(TOKEN_FORMS))
_SIGNS: Final = (
    *("akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "k_live_"),
    *("k_test_", "xox", "aiza", "eyj", "bearer", "authorization", "://", "hf_", "npm_", "sg.", "pass"),
    *("pwd", "key", "secret", "token", "-----begin"),
)
"""In lower case, what one of each form has in it. Most texts have none, and RE2 would let other threads run first."""


def find_secret_spans(text: bytes) -> Iterator[tuple[int, int]]:
    """Byte spans of well-known secrets in UTF-8 text, in order, not overlapping.

    One pass: what is left after the spans are replaced may hold another, so the caller repeats until nothing changes.
    """
    if b"-----BEGIN" in text:
        spans = [match.span(1) for match in _PEM.finditer(text)]
        if spans:
            yield from spans
            return
    for match in _TOKENS.finditer(text):
        yield next(match.span(group) for group in range(1, _TOKENS.groups + 1) if match.span(group) != (-1, -1))


def find_labels(text: str) -> frozenset[str]:
    """Data labels of a text by its content.

    `chd` for a card number, `pii` for an IBAN, an e-mail address or a telephone number, `secret` for a credential.
    """
    labels = find_personal_labels(text)
    secret = next(find_secret_spans(text.encode("utf-8", "surrogatepass")), None) is not None
    return labels | {"secret"} if secret else labels


def holds_no_secret(data: bytes) -> bool:
    """Whether a text holds neither a well-known secret nor the mark of one, by one search."""
    # As a text: `in` takes bytes for a number first, and an exception is made and dropped each time.
    lowered = data.lower().decode("latin-1")
    if not any(map(lowered.__contains__, _SIGNS)):
        return True
    return b"halo:secret:" not in data and b"-----BEGIN" not in data and _TOKENS.search(data) is None
