"""Paths that a user writes in two parts: the folder, and the name of the file in it.

    find_composed_paths("In /srv/offers there is a file draft.docx")    # ("composed_path", "/srv/offers/draft.docx")
    find_composed_paths("Delete draft.docx, it is in /srv/offers")      # the same

INVARIANT: VOUCH - an untrusted source must not choose which parts belong together. So a text composes paths only if it
names one folder and one file (or one list of files), and if what stands between them says that the files are there.

The text is first rewritten with one sign for the folder and one for the files: "Delete N, it is in F". The patterns
of sentences then only have to tell how F and N stand together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from halo_core.values.kinds.addresses import canonicalize_path, has_file_ending, has_public_suffix
from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later
from halo_core.values.sketches.sketch import Sketch, has_user_mark
from halo_core.values.sketches.written_words import is_written

_MAX_CHARS: Final = 2_048  # of a text; a longer one is a document
_MAX_FILES: Final = 8
_MAX_BESIDE: Final = 24  # characters in front of a word and behind it, where the noun "folder" is looked for
_WORD: Final = compile_later(r"[^\s,;!?()\[\]{}<>\"'`“”„«»|]+")
"""A word, with the dots, slashes and colons in it."""
_FOLDER: Final = compile_later(r"(?:~|\.)?/?[\w.@+-]+(?:/[\w.@+-]+)*/?")
"""What may be a folder: "/srv/offers", "offers/"."""
_FILE: Final = compile_later(r"(?:[\w.@+-]+/){0,4}[\w@+-][\w.@+-]+\.[A-Za-z][A-Za-z0-9]{1,4}")
"""What may be a file, with its ending: "draft.docx", "2024/draft.docx"."""
_SENTENCE: Final = compile_later(r"(?<=[.!?;])\s+|\n+")
"""Separates sentences."""

_F, _N = "\x01", "\x02"
"""Signs that stand for the folder, and for a file or the list of files, in a text."""
_LIST: Final = compile_later(rf"{_N}(?:(?:,? (?:and|und|et|y|e|en|&) |, ){_N})*")
"""A list of files: "draft.docx, final.docx and notes.txt"."""
_FOLDER_NOUN: Final = (
    r"(?:folder|directory|dir|ordner|verzeichnis|dossier|répertoire|carpeta|directorio|pasta|cartella|map)"
)
_FILE_NOUN: Final = r"(?:file ?name|file|name|document|datei|dateiname|fichier|archivo|arquivo|bestand)"
_IN: Final = (
    r"(?:in|inside|under|within|from|out of|im|in der|in dem|unter|aus|dans|sous|en|em|na|no|da|nella|nel|dalla|uit"
    r"|onder)"
)
_THE: Final = r"(?:the |our |my |le |la |el |o |a |il |de |het |dem |der )?"
_PLACE: Final = rf"\b{_IN} {_THE}(?:{_FOLDER_NOUN} )?{_F}(?: {_FOLDER_NOUN}\b)?"
"""The folder, said to be where something is: "in the folder /srv/offers"."""
_OTHERWISE: Final = (
    r"(?!(?:no|and|or|but|to|into|onto|on|at|from|in|under|by|for|with|about|like|than|after|before|when|while"
    r"|if|unless"
    r"|because|as|without|of|against|except|instead|mention\w*|says?|said|und|oder|aber|auf|nach|zu|von|über|mit|bei"
    r"|et|ou|mais|à|sur|de|avec|y|o|pero|con|sobre|e|ma|su|per|en|of|naar|op|over|met)\b)"
)
"""No word behind which another place, another thing or a condition may stand."""
_BETWEEN: Final = rf"(?:{_OTHERWISE}[\w’'-]+ |get rid of ){{0,8}}"
"""Up to eight words between the folder and the files: "(in /srv/offers) there is a file (draft.docx)"."""
_LINK: Final = (
    r"(?:(?:that|which|it|it['’]?s|they|is|are|was|lies?|lives?|sits?|stored|kept|saved|located|found|still"
    r"|right|the|a|an"
    r"|old|file|document|draft|one|das|die|der|liegt|liegen|steht|ist|sind|gespeichert|qui|est|sont|se|trouve|que|está"
    r"|guardado|che|si|trova|è|é|fica|dat|staat|ligt) ){0,5}"
)
"""Up to five words between the files and the folder: "(draft.docx,) it is stored (in /srv/offers)"."""
_ELSEWHERE: Final = (
    r"(?! (?:on|in|at|from|under|inside|auf|aus|dans|sur|en|op|uit) (?!(?:it|there|that|this)\b))"
    rf"(?![^{_N}]*{_F})"
)
"""Behind the files no other place is named, as in "draft.docx on the desktop"."""
_GOING: Final = rf"\b(?:go|cd|change|switch|navigate|head)(?: (?:in)?to)? {_THE}(?:{_FOLDER_NOUN} )?{_F}"
"""The folder, said to be gone to: "go to /srv/offers and delete draft.docx"."""
_HOLDS: Final = "(?:contains?|has|holds?|enthält|contient|contiene|bevat|contém)"
"""Verbs of a folder: "/srv/offers contains draft.docx"."""
_THERE: Final = rf"(?:in|from|inside|out of) (?:there|it|(?:that|this|the same) {_FOLDER_NOUN})\b"
"""The folder that the sentence before names: "delete draft.docx from there"."""
_TOGETHER: Final = CaselessPattern(
    "|".join(
        (
            rf"{_PLACE}[),:]? {_BETWEEN}\(?{_N}{_ELSEWHERE}",
            rf"{_F}(?: {_FOLDER_NOUN})? (?:still |also |noch )?{_HOLDS} {_BETWEEN}{_N}{_ELSEWHERE}",
            rf"{_GOING}(?:,? (?:and|then|and then))? {_BETWEEN}{_N}{_ELSEWHERE}",
            rf"{_N}[),]?,? \(?{_LINK}{_PLACE}(?! (?:is|are|was|were|stays?|remains?|must stay)\b)",
            rf"\b{_FOLDER_NOUN}:? {_F}[,;/]? (?:and )?{_THE}{_FILE_NOUN}:? {_N}",
            rf"\b{_FILE_NOUN}:? {_N}[,;/]? (?:and )?{_THE}{_FOLDER_NOUN}:? {_F}",
        )
    )
)
"""The files are said to be in the folder, in one sentence."""
_PLACED_NEXT: Final = CaselessPattern(
    rf"^(?:(?:it|this|that|they|both|(?:the|that|this) (?:{_FILE_NOUN}|draft))(?:['’]?s| is| are| lies?| sits?)"
    rf"(?: (?:stored|kept|saved|located|still|right))? {_PLACE}"
    rf"|(?:the )?(?:{_FOLDER_NOUN}|path|location)(?: is|:) {_F})\W*$"
)
"""A sentence behind that of the files says where they are."""
_SEVERAL: Final = CaselessPattern(
    r"\b(?:here|local(?:ly)?|desktop|laptop|elsewhere|another|newer|cop(?:y|ies)|duplicates?|master|originals?"
    r"|also saved"
    r"|(?:good|bad|right|wrong|second) (?:one|file|version))\b"
)
"""There is a second file of the same name, and it is open which one is meant."""
_REPORTED: Final = CaselessPattern(
    r"(?<!\bi )(?<!\bwe )\b(?:wants?|asks?|asked|wishes|begs?|insists?|proposes?|suggests?|recommends?"
    r"|demands?|told|tells"
    r"|would like) (?:\w+ )?(?:to|that)\b|(?<!\bi )(?<!\bwe )\b(?:wants?|would like)\b[^.!?\n]*\b(?:gone"
    r"|deleted|removed|away)\b"
    r"|\b(?:says?|said|claims?|claimed|wrote|writes)\b"
)
"""Somebody else wants it."""
_DENIED: Final = CaselessPattern(
    r"\b(?:not|never|nothing|no longer|none|nor|neither|nicht|nie|kein\w*|pas|jamais|non|nunca|niet|geen|não|sin|sans"
    r"|ohne|zonder)\b|n['’]t\b"
)
"""Words of a sentence that denies something, in several languages."""
_WITHOUT_QUOTES: Final = str.maketrans("", "", "\"'`“”„«»*")
"""Removes quotation marks and asterisks around names."""
_NOUN_BEFORE: Final = compile_later(rf"\b{_FOLDER_NOUN} [\"'`“„«]?$", re.IGNORECASE)
_NOUN_BEHIND: Final = compile_later(rf"[\"'`”“»]? {_FOLDER_NOUN}\b", re.IGNORECASE)
"""The noun in front of a folder or behind it: "the folder offers-2024", "the offers-2024 folder"."""
_SIGN_OF_NAME: Final = compile_later(r"[/_0-9-]")
"""What the name of a folder has that no adjective has: "the old folder"."""


class _Named(NamedTuple):
    """The folder and the files that a text names.

    Args:
        text: with `_F` in the place of the folder, and one `_N` in that of the files.
        folder: the only one that is named.
        files: the only one, or those of the only list.
    """

    text: str
    folder: str
    files: tuple[str, ...]


def find_composed_paths(text: str) -> Iterator[Form]:
    """Find the paths that a text of the user composes of a folder and of the names of files, as forms `composed_path`.

    Args:
        text: of the user, without what it forbids.
    """
    if len(text) > _MAX_CHARS or "/" not in text or "." not in text:
        return
    named = _find_named(text)
    if (
        named is None
        or _SEVERAL.search(named.text) is not None
        or not _are_together([part.strip() for part in _SENTENCE.split(named.text)])
    ):
        return
    for file in named.files:
        path = canonicalize_path(f"{named.folder}/{file}")
        if path is not None:
            yield make_form(("composed_path", path))


def is_path_composed(sketch: Sketch, text: str) -> bool:
    """Whether the user wrote a path in two parts, each of them in his own words.

    Args:
        sketch: what the session has seen.
        text: the path in a call: "/srv/offers/draft.docx".
    """
    path = canonicalize_path(text)
    if path is None or not has_user_mark(sketch.look_up_forms([Form("composed_path", path)])):
        return False
    # Each slash but the first of an absolute path may be where the user's two parts meet.
    ends = [match.start() for match in re.finditer("/", path)][1 if path.startswith("/") else 0 :]
    return any(
        is_written(sketch, path[end + 1 :]) and any(is_written(sketch, path[:end] + slash) for slash in ("", "/"))
        for end in ends
    )


def _are_together(sentences: list[str]) -> bool:
    """Whether a sentence, or two in a row, say that the files are in the folder."""
    for place, sentence in enumerate(sentences):
        if any(pattern.search(sentence) is not None for pattern in (_DENIED, _REPORTED)):
            continue
        if _TOGETHER.search(sentence) is not None:
            return True
        if not place or _DENIED.search(sentences[place - 1]) is not None:
            continue
        before = sentences[place - 1]
        if _N in before and _PLACED_NEXT.search(sentence) is not None:
            return True
        if _F in before and re.search(rf"{_N} {_THERE}", sentence, re.IGNORECASE) is not None:
            return True
    return False


def _find_named(text: str) -> _Named | None:
    """Find the folder and the files that a text names; None if it names several folders, or files in two places."""
    folders: dict[str, None] = {}
    files: dict[str, None] = {}
    pieces: list[str] = []
    end = 0
    for match in _WORD.finditer(text):
        word = match[0].rstrip(".:")
        start, behind = match.start(), match.start() + len(word)
        sign = _classify(word, text[max(start - _MAX_BESIDE, 0) : start], text[behind : behind + _MAX_BESIDE])
        if sign:
            pieces += (text[end:start], sign)
            end = behind
            (folders if sign == _F else files)[word] = None
    signed = "".join((*pieces, text[end:])).translate(_WITHOUT_QUOTES)
    signed = _LIST.sub(_N, signed)
    is_clear = len(folders) == 1 and 0 < len(files) <= _MAX_FILES and signed.count(_N) == 1
    if not is_clear or any(_is_whole_path(file) for file in files):
        return None
    return _Named(signed, next(iter(folders)), tuple(files))


def _classify(word: str, before: str, behind: str) -> str:
    """Return `_F` for a folder, `_N` for a file, and an empty text for any other word.

    Args:
        word: of the text: "draft.docx", "/srv/offers", "offers-2024".
        before: the characters in front of it. The noun "folder" there makes a word a folder.
        behind: the characters behind it, likewise.
    """
    if "://" in word or "@" in word or "*" in word:
        return ""
    if _FILE.fullmatch(word) is not None or (_is_whole_path(word) and has_file_ending(word)):
        is_host = "/" not in word and not has_file_ending(word) and has_public_suffix(word.lower())
        return "" if is_host else _N
    if _FOLDER.fullmatch(word) is None or len(word) < 2:
        return ""
    if word.startswith(("/", "~/")) or word.endswith("/"):
        return _F
    has_sign = _SIGN_OF_NAME.search(word) is not None
    if _NOUN_BEFORE.search(before) is not None:
        return _F if has_sign or word[0].isupper() else ""
    return _F if has_sign and _NOUN_BEHIND.match(behind) is not None else ""


def _is_whole_path(word: str) -> bool:
    return word.startswith(("/", "~"))
