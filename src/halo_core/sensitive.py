"""Room: recognition of secrets and personal data in text. Takes: text. Gives: spans and masks. Never: keys, I/O.

Everything here is linear in its input: RE2, or expressions of the standard library that cannot backtrack.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import re2

from halo_core.checkdigits import IBAN_SHORTEST, PAN_LONGEST, PAN_SHORTEST, iban_ends, luhn, pan_ends

__all__ = [
    "SHORTEST_SECRET",
    "is_credential",
    "is_header",
    "labels_of",
    "looks_like_pan",
    "mask_numbers_and_names",
    "names_secret",
    "pan_mask",
    "secret_spans",
]

# -- names of credentials ---------------------------------------------------------------------------------------------

_TAIL: Final = 128  # the end of a name decides; bounds the work on a hostile one
_NAMED_BY: Final = ("name", "key", "field", "header")
_LONGEST_HEADER: Final = 64
# Where something was hidden; `[secret]` would read as the name of one when it is hidden again.
_HIDES: Final = re.compile(r"\[(?:secret\]|(?:pan|phone|e-mail) …|iban [A-Z]{2}…)")
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# Words that may follow: `new_password_confirm`, `api_key_value`, `password2`.
_FILLER: Final = frozenset(
    {
        "value",
        "raw",
        "text",
        "string",
        "plain",
        "plaintext",
        "confirm",
        "confirmation",
        "again",
        "repeat",
        "b64",
        "base64",
    }
)
# fmt: off
_ONE: Final = frozenset({
    "password", "passwords", "passwd", "passphrase", "pwd", "passcode", "secret", "secrets", "token", "apikey",
    "apikeys", "authorization", "auth", "bearer", "jwt", "credential", "credentials", "creds", "cookie", "cookies",
    "cvv", "cvc", "csc", "pin", "otp", "totp", "mnemonic",
})
_KEY_OF: Final = ("api", "access", "secret", "private", "signing", "encryption", "ssh", "master", "account")
_TWO: Final = frozenset(f"{first} {second}" for first in _KEY_OF for second in ("key", "keys")) | {
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
    return _is_credential(name[-_TAIL:])


@functools.lru_cache(maxsize=4096)
def _is_credential(name: str) -> bool:
    words = [word.lower() for word in _WORD.findall(name)]
    while words and (words[-1] in _FILLER or words[-1].isdigit()):
        words.pop()
    if not words:
        return False
    return words[-1] in _ONE or " ".join(words[-2:]) in _TWO or words[-1].endswith(_RUN_TOGETHER)


def names_secret(value: Mapping[Any, Any], mask: Callable[[str], str] | None = None) -> bool:
    """Whether `value["value"]` is what a credential holds: `{"name": "password", "value": ...}`, as forms spell it.

    A name in which `mask` hides something is none.
    """
    names = (value.get(name) for name in _NAMED_BY)
    return any(isinstance(name, str) and is_credential(name) and not _hides(name, mask) for name in names)


def _hides(name: str, mask: Callable[[str], str] | None) -> bool:
    return mask is not None and _HIDES.search(mask(name)) is not None


def is_header(value: Sequence[Any], mask: Callable[[str], str] | None = None) -> bool:
    """Whether its second item is what a credential holds: `["Authorization", "Basic ..."]`, as HTTP libraries do.

    A name in which `mask` hides something is none.
    """
    if len(value) != 2 or not isinstance(value[0], str) or len(value[0]) > _LONGEST_HEADER:
        return False
    return is_credential(value[0]) and not _hides(value[0], mask)


# -- secrets inside text ----------------------------------------------------------------------------------------------

SHORTEST_SECRET: Final = 7
"""Characters; no pattern below matches a shorter text."""


def _program(pattern: bytes) -> Any:
    options = re2.Options()
    # Bytes one by one, so that text which is no UTF-8 cannot slip past or raise.
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return re2.compile(pattern, options)


# By itself and first, since it contains blanks at which a pattern below would stop halfway.
_PEM: Final = _program(
    rb"(?s)(-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----.*?"
    rb"(?:-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----|\z))"
)
_ASSIGNED: Final = rb"(?:password|passwd|pwd|api_?key|client_?secret|access_?token|secret_?access_?key|private_?key)"
_TOKENS: Final = _program(
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
            rb"(?i:" + _ASSIGNED + rb"=)([^\s&;,\"'`<>]{4,})",
            rb"(?i:\"" + _ASSIGNED + rb"\"[ \t]*:[ \t]*\")([^\"\\]{4,})",  # JSON as text
        )
    )
)


def secret_spans(text: bytes) -> Iterator[tuple[int, int]]:
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


# -- masks for what people see ----------------------------------------------------------------------------------------

_DIGIT_RUN: Final = re.compile(r"[0-9]+(?:[ -][0-9]+)*")
_IBAN_RUN: Final = re.compile(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*")
_GROUP: Final = re.compile(r"[A-Za-z0-9]+")
# Possessive: what follows a part is never one of its own characters, so giving some back could not help.
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}+@([A-Za-z0-9-]{1,63}+(?:\.[A-Za-z0-9-]{1,63}+){1,8}+)")
_PHONE: Final = re.compile(r"\+[0-9](?:[ ().-]{0,2}+[0-9]){7,14}")


def mask_numbers_and_names(text: str) -> str:
    """Mask IBANs, card numbers, e-mail addresses and international phone numbers, keeping what tells them apart."""
    text = _mask_pans(_mask_ibans(text))
    if "@" in text:
        text = _EMAIL.sub(lambda match: f"[e-mail …@{match[1]}]", text)
    return _PHONE.sub(lambda match: f"[phone …{match[0][-2:]}]", text) if "+" in text else text


def labels_of(text: str) -> frozenset[str]:
    """Data labels that a text earns by what stands in it.

    `chd` for a card number, `pii` for an IBAN, an e-mail address or a phone number, `secret` for a credential.
    """
    found = set()
    if next(secret_spans(text.encode("utf-8", "surrogatepass")), None) is not None:
        found.add("secret")
    no_ibans = _mask_ibans(text)
    bare = _mask_pans(no_ibans)
    if bare != no_ibans:
        found.add("chd")
    if no_ibans != text or _EMAIL.search(bare) or _PHONE.search(bare):
        found.add("pii")
    return frozenset(found)


def _mask_ibans(text: str) -> str:
    return _IBAN_RUN.sub(lambda run: _mask_run(run[0], IBAN_SHORTEST, iban_ends, _iban_mask), text)


def _mask_pans(text: str) -> str:
    return _DIGIT_RUN.sub(lambda run: _mask_run(run[0], PAN_SHORTEST, pan_ends, pan_mask), text)


def _mask_run(
    run: str, shortest: int, ends: Callable[[list[str]], Callable[[int], int]], mask: Callable[[str], str]
) -> str:
    """Mask within groups of characters separated by single blanks or dashes; a number spans whole groups."""
    if len(run) < shortest:
        return run
    groups = list(_GROUP.finditer(run))
    texts = [group[0] for group in groups]
    end_of = ends(texts)
    parts: list[str] = []
    done = i = 0
    while i < len(groups):
        end = end_of(i)
        if end == i:
            i += 1
            continue
        parts += run[done : groups[i].start()], mask("".join(texts[i:end]))
        done, i = groups[end - 1].end(), end
    if not parts:
        return run
    parts.append(run[done:])
    return "".join(parts)


def pan_mask(digits: str) -> str:
    """Last four only (PCI DSS 3.4.1)."""
    return f"[pan …{digits[-4:]}]"


def looks_like_pan(digits: str) -> bool:
    """Whether a bare number reads as a card number: length, Luhn, and an issuer range of payment cards."""
    return PAN_SHORTEST <= len(digits) <= PAN_LONGEST and digits[0] in "23456" and luhn(digits)


def _iban_mask(text: str) -> str:
    return f"[iban {text[:2].upper()}…{text[-4:]}]"
