"""Recognition of secrets: by the names of arguments, and by patterns in text.

Everything is linear in its input: RE2, or expressions of the standard library that cannot backtrack.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import re2

from halo_core.content.personal_data import find_personal_labels

# -- names of credentials ---------------------------------------------------------------------------------------------

_MAX_NAME_TAIL: Final = 128  # the end of a name decides; bounds the work on a hostile one
_NAME_MEMBERS: Final = ("name", "key", "field", "header")
_LONGEST_HEADER: Final = 64
# Where something was hidden; `[secret]` would read as the name of one when it is hidden again.
_MASKED: Final = re.compile(r"\[(?:secret\]|(?:pan|phone|e-mail) …|iban [A-Z]{2}…)")
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# Words that may follow: `new_password_confirm`, `api_key_value`, `password2`.
_FILLER: Final = frozenset("value raw text string plain plaintext confirm confirmation again repeat b64 base64".split())
# fmt: off
_CREDENTIAL_WORDS: Final = frozenset({
    "password", "passwords", "passwd", "passphrase", "pwd", "passcode", "secret", "secrets", "token", "apikey",
    "apikeys", "authorization", "auth", "bearer", "jwt", "credential", "credentials", "creds", "cookie", "cookies",
    "cvv", "cvc", "csc", "pin", "otp", "totp", "mnemonic",
})
_KEY_OF: Final = ("api", "access", "secret", "private", "signing", "encryption", "ssh", "master", "account")
_CREDENTIAL_PAIRS: Final = frozenset(f"{first} {second}" for first in _KEY_OF for second in ("key", "keys")) | {
    "pin code", "pin number", "security code", "card code", "otp code", "recovery code", "recovery codes",
    "backup codes", "seed phrase", "access tokens", "refresh tokens", "auth tokens", "api tokens", "user pass",
    "db pass", "smtp pass",
}
_RUN_TOGETHER: Final = (
    "password", "passwd", "passphrase", "apikey", "secretkey", "privatekey", "accesskey", "clientsecret",
    "accesstoken", "refreshtoken", "authtoken", "bearertoken", "sessiontoken", "idtoken",
)
# fmt: on
def is_credential(name: str) -> bool:
    """Whether an argument or member of this name holds a credential, judged by whole words.

    `userPassword`, `api_key`, `X-Auth-Token` and `pin` do; `pinned`, `token_count`, `max_tokens` and `author` do not.
    """
    return _is_credential(name[-_MAX_NAME_TAIL:])


@functools.lru_cache(maxsize=4096)
def _is_credential(name: str) -> bool:
    words = [word.lower() for word in _WORD.findall(name)]
    while words and (words[-1] in _FILLER or words[-1].isdigit()):
        words.pop()
    if not words:
        return False
    return (
        words[-1] in _CREDENTIAL_WORDS or " ".join(words[-2:]) in _CREDENTIAL_PAIRS or words[-1].endswith(_RUN_TOGETHER)
    )


def is_credential_member(value: Mapping[Any, Any], mask: Callable[[str], str] | None = None) -> bool:
    """Whether `value["value"]` is what a credential holds: `{"name": "password", "value": ...}`, as forms spell it.

    A name in which `mask` hides something is none.
    """
    names = (value.get(name) for name in _NAME_MEMBERS)
    return any(isinstance(name, str) and is_credential(name) and not _is_masked(name, mask) for name in names)


def _is_masked(name: str, mask: Callable[[str], str] | None) -> bool:
    return mask is not None and _MASKED.search(mask(name)) is not None


def is_credential_header(value: Sequence[Any], mask: Callable[[str], str] | None = None) -> bool:
    """Whether its second item is what a credential holds: `["Authorization", "Basic ..."]`, as HTTP libraries do.

    A name in which `mask` hides something is none.
    """
    if len(value) != 2 or not isinstance(value[0], str) or len(value[0]) > _LONGEST_HEADER:
        return False
    return is_credential(value[0]) and not _is_masked(value[0], mask)


# -- secrets inside text ----------------------------------------------------------------------------------------------

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


_TOKENS: Final = _compile(
    rb"|".join(
        (
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
    )
)


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


# -- labels ------------------------------------------------------------------------------------------------------------


def find_labels(text: str) -> frozenset[str]:
    """Data labels of a text by its content.

    `chd` for a card number, `pii` for an IBAN, an e-mail address or a telephone number, `secret` for a credential.
    """
    labels = find_personal_labels(text)
    secret = next(find_secret_spans(text.encode("utf-8", "surrogatepass")), None) is not None
    return labels | {"secret"} if secret else labels
