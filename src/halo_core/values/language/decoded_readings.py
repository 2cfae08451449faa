"""Other readings of a text: decoded, with digits in words, reversed. They only make a value suspicious.

list(generate_hidden_texts("YW5hQHguZXhhbXBsZQ=="))   # ["ana@x.example"]
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from halo_core.values.language.normalization import make_skeleton, normalize_bounded
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import generate_spellings

MAX_HIDDEN: Final = 128
"""Most spellings of a text that are generated."""
_MAX_INPUT: Final = 65_536  # characters
_MIN_CODE: Final = 12  # letters of a word that could be encoded
_MAX_ARGUMENT: Final = 4_096  # characters of an argument
_MIN_VALUE: Final = 5  # characters of what was hidden
_MAX_PLAIN_WORD: Final = 16  # letters of a word that is remembered

_DIGIT_WORDS: Final = {
    word: digit
    for digit, words in enumerate("zero oh nought null|one|two|three|four|five|six|seven|eight|nine".split("|"))
    for word in words.split()
}
_DIGIT_WORD: Final = r"(?:zero|oh|nought|null|one|two|three|four|five|six|seven|eight|nine)"
_SPOKEN_DIGITS: Final = compile_later(
    rf"\b(?:(?:double |triple )?(?:{_DIGIT_WORD}|[0-9])\b[ ,.-]{{0,2}}){{5,40}}", re.IGNORECASE
)
_SPOKEN_DIGIT: Final = compile_later(rf"(?P<times>double |triple )?(?P<digit>{_DIGIT_WORD}|[0-9])", re.IGNORECASE)
_MIN_SPOKEN: Final = 3  # digits in words
_TIMES: Final = {"double ": 2, "triple ": 3}
_BASE32: Final = compile_later(
    r"(?<![A-Za-z0-9])(?:[A-Z2-7]{8}|[a-z2-7]{8}){1,64}(?:[A-Z2-7]{2,7}|[a-z2-7]{2,7})?={0,6}(?![A-Za-z0-9=])"
)
_SHORT_CODE: Final = compile_later(r"[A-Za-z0-9+/_=-]{6,512}")
_MIN_CODED_WORD: Final = 6  # letters that both patterns of an encoded word need
_MIN_SPOKEN_TEXT: Final = 9  # characters: five digits, three of them words of two letters and more, each beside a sign
_HEX_CODE: Final = compile_later(r"[0-9A-Fa-f]+")
_BASE32_CODE: Final = compile_later(r"[A-Za-z2-7]+=*$")
_NO_BASE32_LENGTHS: Final = (1, 3, 6)  # modulo 8 (RFC 4648, section 6)
_BASE85_CHARACTERS: Final = compile_later(r"[!-~]{6,512}")


def generate_hidden_texts(text: str) -> Iterator[str]:
    """Generate other spellings of a text, at most `MAX_HIDDEN`: of `generate_spellings`, base32, spoken digits."""
    yield from islice(_generate(text[:_MAX_INPUT]), MAX_HIDDEN)


def _generate(text: str) -> Iterator[str]:
    yield from generate_spellings(text)
    yield from _join_spoken_digits(text)
    for match in _BASE32.finditer(text):
        decoded = _read(_decode_base32, match[0])
        if decoded:
            yield decoded


def _join_spoken_digits(text: str) -> Iterator[str]:
    lowered = text.lower()
    if sum(map(lowered.count, _DIGIT_WORDS)) < _MIN_SPOKEN:
        return
    for match in _SPOKEN_DIGITS.finditer(text):
        digits = [
            str(_DIGIT_WORDS.get(part["digit"].lower(), part["digit"])) * _TIMES.get((part["times"] or "").lower(), 1)
            for part in _SPOKEN_DIGIT.finditer(match[0])
        ]
        yield "".join(digits)


def generate_argument_readings(text: str, *, is_value: bool) -> Iterator[str]:
    """Generate the readings of an argument: hidden texts, and for a value also reversed, ROT13 and without its signs.

    Args:
        text: of the argument.
        is_value: it names something. Prose is only searched for hidden texts.
    """
    text = text[:_MAX_ARGUMENT]
    if len(text) > _MIN_VALUE and not (text.isascii() and text.isalpha() and len(text) < _MIN_CODE):
        yield from generate_hidden_texts(text)
    if not is_value:
        return
    yield text[::-1]
    yield codecs.encode(text, "rot13")
    if not text.isascii():
        yield normalize_bounded(text, _MAX_ARGUMENT)
        yield make_skeleton(text)
    bare = "".join(filter(str.isalnum, text))
    if bare != text and len(bare) <= 64:
        yield bare
        yield bare[::-1]


def _decode_base32(text: str) -> bytes:
    bare = text.rstrip("=").upper()
    return base64.b32decode(bare + "=" * (-len(bare) % 8))


def _decode_base64(text: str) -> bytes:
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    return binascii.a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True)


def _read(decode: Callable[[str], bytes], text: str) -> str:
    """Decode a text; empty if the result is not readable."""
    try:
        decoded = decode(text).decode("utf-8")
    except ValueError:
        return ""
    return decoded if len(decoded) >= _MIN_VALUE and decoded.isprintable() else ""


_CAPITALIZED: Final = compile_later(r"[A-Z][a-z]{2,11}")
"""A name such as `Inkwell`. Base64 of more than three digits in a row has more capitals."""


def holds_code(text: str) -> bool:
    """Whether a word of a short text decodes to readable text: base16, base32, base64, base85 or percent signs."""
    if "%" in text and re.search(r"%[0-9A-Fa-f]{2}", text):
        return True
    for word in text.split():
        if len(word) < _MIN_CODED_WORD or _CAPITALIZED.fullmatch(word) is not None:
            continue
        # Words of the language come again and again; names, numbers and whatever could be a secret are not remembered.
        is_plain = len(word) <= _MAX_PLAIN_WORD and word.isascii() and word.isalpha() and word.islower()
        if _is_plain_code(word) if is_plain else _is_code(word):
            return True
    return len(text) >= _MIN_SPOKEN_TEXT and next(_join_spoken_digits(text), None) is not None


def _is_code(word: str) -> bool:
    """Whether a word decodes to readable text."""
    if _SHORT_CODE.fullmatch(word) is not None:
        if _HEX_CODE.fullmatch(word) is not None and _read(bytes.fromhex, word):
            return True
        # The lengths that no group of bytes is encoded in are most words of a language.
        length = len(word.rstrip("="))
        if length % 8 not in _NO_BASE32_LENGTHS and _BASE32_CODE.match(word) and _read(_decode_base32, word):
            return True
        if length % 4 != 1 and _read(_decode_base64, word):
            return True
    return not word.isalnum() and _BASE85_CHARACTERS.fullmatch(word) is not None and bool(_read(_decode_base85, word))


_is_plain_code: Final = lru_cache(maxsize=8_192)(_is_code)
"""Like `_is_code`, cached; only for plain words."""


def _decode_base85(text: str) -> bytes:
    return base64.b85decode(text)
