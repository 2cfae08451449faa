"""Recognises the names of credentials, among arguments, members and headers."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

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


def mark_secrets(value: Any, mask: Callable[[str], str] | None = None) -> Iterator[tuple[Any, Any, bool]]:
    """Key or index of each member of a mapping or list, the member, and whether a name says that it is a credential."""
    if isinstance(value, Mapping):
        is_credential_pair = "value" in value and is_credential_member(value, mask)
        for key, item in value.items():
            yield key, item, (isinstance(key, str) and is_credential(key)) or (is_credential_pair and key == "value")
    else:
        is_header_pair = is_credential_header(value, mask)
        yield from ((i, item, is_header_pair and i == 1) for i, item in enumerate(value))
