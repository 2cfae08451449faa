"""Recognition and redaction of secrets; nothing changes its argument.

A secret is recognised by the name of its argument, or by a pattern in a text. `seal` is for what is decided upon and
stored: each secret becomes `halo:secret:` and 16 hex digits of its keyed digest, so that equal secrets stay equal and
nothing else is learnt. `mask` is for what people look at, `hide` for what a policy wants redacted before it runs or is
passed on.

Everything is linear in its input: RE2, or expressions of the standard library that cannot backtrack.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import re2

from halo_core.content.personal_data import (
    find_personal_labels,
    list_card_digits,
    looks_like_pan,
    mask_pan,
    mask_personal_data,
)
from halo_core.crypto.canonical import MAX_DEPTH, MAX_NODES
from halo_core.errors import CanonicalError

if TYPE_CHECKING:
    from halo_core.crypto.keys import Digester

# names of credentials

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


def _mark_secrets(value: Any, mask: Callable[[str], str] | None = None) -> Iterator[tuple[Any, Any, bool]]:
    """Key or index of each member of a mapping or list, the member, and whether a name says that it is a credential."""
    if isinstance(value, Mapping):
        is_credential_pair = "value" in value and is_credential_member(value, mask)
        for key, item in value.items():
            yield key, item, (isinstance(key, str) and is_credential(key)) or (is_credential_pair and key == "value")
    else:
        is_header_pair = is_credential_header(value, mask)
        yield from ((i, item, is_header_pair and i == 1) for i, item in enumerate(value))


# secrets inside text

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
    *(b"akia", b"asia", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_", b"glpat-", b"sk-", b"k_live_"),
    *(b"k_test_", b"xox", b"aiza", b"eyj", b"bearer", b"authorization", b"://", b"hf_", b"npm_", b"sg.", b"pass"),
    *(b"pwd", b"key", b"secret", b"token", b"-----begin"),
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


# redaction

SEAL_PREFIX: Final = "halo:secret:"
"""How a sealed secret begins."""
_SEAL: Final = re.compile(r"halo:secret:[0-9a-f]{16}")
_SEAL_BYTES: Final = re.compile(rb"(halo:secret:[0-9a-f]{16})")
_DOMAIN: Final = "halo.secret"
# Each round replaces at least one span; a text that is still changing after this many was built to be.
_MAX_ROUNDS: Final = 4
_PLACEHOLDER: Final = "[secret]"
_LEAF_TYPES: Final = (str, int, float, bytes, type(None))
# Names of arguments are shorter than the tokens that could hide in one.
_MIN_SEALED_KEY: Final = 16


def _holds_no_secret(data: bytes) -> bool:
    """Whether a text holds neither a well-known secret nor the mark of one, by one search."""
    lowered = data.lower()
    for sign in _SIGNS:
        if sign in lowered:
            return b"halo:secret:" not in data and b"-----BEGIN" not in data and _TOKENS.search(data) is None
    return True


class Redactor:
    """Replaces secrets in arguments and masks personal data in views.

    Deterministic, idempotent and bounded: at most `canonical.MAX_DEPTH` deep and `canonical.MAX_NODES` values.

    Args:
        digester: keyed digests, so that a short secret cannot be guessed from its mark.
    """

    __slots__ = ("_digester",)

    def __init__(self, digester: Digester) -> None:
        self._digester = digester

    @classmethod
    def for_views(cls) -> Redactor:
        """A redactor that only masks; masks contain no digest, so it needs no secret."""
        from halo_core.crypto.keys import Digester  # noqa: PLC0415  only views need one made here

        return cls(Digester(bytes(32)))

    def holds_no_secret(self, texts: Iterable[str]) -> bool:
        """Whether no text holds a well-known secret, by one search over all of them together.

        Where it says no, a text may still hold none: each has to be searched then.
        """
        # A line break ends no word that a pattern begins at, so what matches in one text matches in all together.
        return _holds_no_secret("\n".join(texts).encode("utf-8", "surrogatepass"))

    def seal(self, args: Mapping[str, Any], *, texts_searched: bool = False) -> dict[str, Any]:
        """Deep copy of arguments with every secret replaced; lists and tuples become lists.

        A leaf below a name that says it is a credential is replaced whole, inside any other text only the secret is.
        None and the empty text are left. With `texts_searched` the caller knows from `holds_no_secret` that no text in
        it, names included, holds a secret.

        Raises:
            CanonicalError: `too_deep` or `too_large`.
        """
        copy: dict[str, Any] = _SealingCopy(self, texts_searched=texts_searched).copy_value(args, secret=False, depth=0)
        return copy

    def seal_text(self, text: str) -> str:
        """Text with well-known secrets replaced (keys of providers, tokens, private keys, passwords in URLs)."""
        if len(text) < SHORTEST_SECRET:
            return text
        data = text.encode("utf-8", "surrogatepass")
        if _holds_no_secret(data):  # as nearly all do: no round is needed for these
            return data.decode("utf-8", "surrogatepass")
        for _ in range(_MAX_ROUNDS):
            sealed = self._seal_once(data)
            # INVARIANT: idempotent, since what is returned is a fixed point of the pass.
            if sealed is data or sealed == data:
                return data.decode("utf-8", "surrogatepass")
            data = sealed
        return self._make_seal(b"s" + data)

    def _seal_once(self, data: bytes) -> bytes:
        if b"halo:secret:" not in data:
            return self._seal_segment(data)
        # Marks are never looked into: a pattern that swallowed one would hash a hash.
        parts = _SEAL_BYTES.split(data)
        # Searched together, as in `holds_no_secret`, since most have none left.
        if _holds_no_secret(b"\n".join(parts[::2])):
            return data
        return b"".join(part if i % 2 else self._seal_segment(part) for i, part in enumerate(parts))

    def _seal_segment(self, data: bytes) -> bytes:
        parts: list[bytes] = []
        done = 0
        for start, end in find_secret_spans(data):
            parts += data[done:start], self._make_seal(b"s" + data[start:end]).encode("ascii")
            done = end
        return b"".join((*parts, data[done:])) if parts else data

    def _make_seal(self, data: bytes) -> str:
        return f"{SEAL_PREFIX}{self._digester.digest(_DOMAIN, data).rpartition(':')[2][:16]}"

    def _seal_leaf(self, value: object) -> object:
        if value is None or (isinstance(value, str | bytes) and not value):
            return value
        if isinstance(value, str):
            text = str.__str__(value)
            return text if _SEAL.fullmatch(text) else self._make_seal(b"s" + text.encode("utf-8", "surrogatepass"))
        if isinstance(value, bytes):
            return self._make_seal(b"b" + value)
        if isinstance(value, int):  # hex, because decimal text of a huge integer is refused by Python
            return self._make_seal(b"i" + f"{type(value) is bool:d}{int(value):x}".encode("ascii"))
        if isinstance(value, float):
            return self._make_seal(b"f" + float.__repr__(value).encode("ascii"))
        # Of an unknown object nothing but its type is certain to be the same in the next process.
        return self._make_seal(b"o" + type(value).__qualname__.encode("utf-8", "surrogatepass"))

    def mask(self, text: str) -> str:
        """Mask secrets, IBANs, card numbers, e-mail addresses and phone numbers in a text for people."""
        return mask_personal_data(_SEAL.sub(_PLACEHOLDER, self.seal_text(text)))

    def hide(self, text: str) -> str:
        """As `mask`, repeated until nothing changes; returns the same object if nothing does."""
        hidden = text
        for _ in range(_MAX_ROUNDS):
            before, hidden = hidden, self.mask(hidden)
            if hidden == before:
                return text if hidden == text else hidden
        return _PLACEHOLDER

    def hide_value(self, value: Any, *, secret: bool = False) -> Any:
        """Copy a JSON value with every text hidden; container types and keys stay.

        What stands below a name that says it is a credential (or all of it when `secret`) is hidden whole. A number is
        hidden where it reads as a card number; it becomes text then.
        """
        if not isinstance(value, Mapping | list | tuple):
            return self._hide_leaf(value, secret=secret)
        hidden = {
            key: self.hide_value(item, secret=secret or is_marked)
            for key, item, is_marked in _mark_secrets(value, self.hide)
        }
        if isinstance(value, Mapping):
            return hidden
        return list(hidden.values()) if isinstance(value, list) else tuple(hidden.values())

    def _hide_leaf(self, value: Any, *, secret: bool) -> Any:
        if value is None or isinstance(value, bool) or (isinstance(value, str | bytes) and not value):
            return value
        if isinstance(value, bytes):
            text = value.decode("utf-8", "surrogateescape")
            hidden = _PLACEHOLDER if secret else self.hide(text)
            return value if hidden is text else hidden.encode("utf-8", "surrogateescape")
        if secret:
            return _PLACEHOLDER
        if isinstance(value, int | float):
            digits = list_card_digits(value)
            return mask_pan(digits) if looks_like_pan(digits) else value
        return self.hide(str.__str__(value)) if isinstance(value, str) else value


_MAX_REASON: Final = 500  # characters


def mask_reason(text: str) -> str:
    """A person's reason as entries may hold it: with secrets and personal data masked, and shortened."""
    masked = Redactor.for_views().mask(text)
    return masked if len(masked) <= _MAX_REASON else masked[: _MAX_REASON - 1] + "…"


class _SealingCopy:
    """Makes one deep copy, counting values so that the time is bounded."""

    __slots__ = ("_nodes", "_redactor", "_texts_searched")

    def __init__(self, redactor: Redactor, *, texts_searched: bool) -> None:
        self._nodes = 0
        self._redactor = redactor
        self._texts_searched = texts_searched

    def copy_value(self, value: Any, *, secret: bool, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise CanonicalError("too_large", f"more than {MAX_NODES} values", remedy="pass large data by reference")
        if depth > MAX_DEPTH:
            raise CanonicalError("too_deep", f"nested deeper than {MAX_DEPTH}", remedy="send a less nested value")
        if isinstance(value, _LEAF_TYPES):
            return self._copy_leaf(value, secret=secret)
        if not isinstance(value, Mapping | list | tuple):
            return self._copy_leaf(value, secret=secret)
        copy: dict[Any, Any] = {}
        for key, item, is_marked in _mark_secrets(value):
            is_sealed = isinstance(key, str) and len(key) >= _MIN_SEALED_KEY and not self._texts_searched
            name = self._redactor.seal_text(key) if is_sealed else key
            copy[name] = self.copy_value(item, secret=secret or is_marked, depth=depth + 1)
        return copy if isinstance(value, Mapping) else list(copy.values())

    def _copy_leaf(self, value: Any, *, secret: bool) -> Any:
        if secret:
            return self._redactor._seal_leaf(value)  # noqa: SLF001 - the walk is a part of its Redactor
        if not isinstance(value, str):
            return value
        text = str.__str__(value)
        return text if self._texts_searched else self._redactor.seal_text(text)
