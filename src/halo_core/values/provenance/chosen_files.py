"""Files among those of a trusted listing that an untrusted source chose to be deleted.

A listing names all files of a folder, and says of none that it is meant. "Delete the log files" means `old.log`, and
not the `budget.xlsx` that a mail wants deleted.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from itertools import islice
from typing import Final

from halo_core.model import Provenance
from halo_core.values.kinds.kinds import Form
from halo_core.values.sketches.sketch import ORIGIN_BITS, Sketch, extract_tokens, has_user_mark
from halo_core.values.sketches.spans import fingerprint_tokens_in_order

_MAX_NAME: Final = 256  # characters
_MAX_WORDS: Final = 8
_ALL_FILES: Final = tuple(
    map(str.split, ("everything", "all files", "all of", "all the", "all documents", "whole folder"))
)
"""Words by which the user means each file of a listing."""


def is_file_chosen(path: str, forms: Sequence[Form], sketch: Sketch) -> bool:
    """Whether an untrusted source chose a file.

    It names the file, or a word of its name, and the user wrote neither that name nor that he means all. If he wrote
    the suffix, as in "the log files", a word alone is not enough.

    Args:
        path: of the file.
        forms: of the path.
        sketch: what the session has seen.
    """

    def wrote(words: Sequence[str]) -> bool:
        return all(has_user_mark([mark]) for mark in sketch.look_up_marks(words))

    base = posixpath.basename(path.strip().replace("\\", "/").rstrip("/"))[:_MAX_NAME].casefold()
    name, _, suffix = base.rpartition(".")
    tokens = list(islice(extract_tokens((name or suffix).replace("_", " ").replace("-", " ")), _MAX_WORDS))
    words = [word for word in tokens if not word.isdigit()] or tokens
    if not words or wrote(words) or _means_all_files(sketch):
        return False
    is_path_named = any(map(ORIGIN_BITS[Provenance.UNTRUSTED].__and__, sketch.look_up_forms(forms)))
    if is_path_named or sketch.was_in_untrusted_text(base):
        return True
    is_sort_named = bool(name) and wrote([suffix])
    return not is_sort_named and any(sketch.was_in_untrusted_text(word) and not wrote([word]) for word in words)


def _means_all_files(sketch: Sketch) -> bool:
    find = sketch.spans[Provenance.USER].find
    return any(find(fingerprint_tokens_in_order(words, sketch.key)) for words in _ALL_FILES)
