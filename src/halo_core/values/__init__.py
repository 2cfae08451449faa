"""Values of actions: how they are spelled and compared, where they came from, which untrusted ones were stored.

Pure functions of texts, arguments and keys; integers only. `argument_values` splits arguments into values, `text`
folds and fingerprints texts, `sketch` remembers which source said which word, `provenance` says of each argument how
far its source is trusted, `lexicon` holds the words that requests and tools use.
"""

from halo_core.values.answer_scope import (
    KNOWN_KINDS,
    AnswerScope,
    find_answer_scope,
    find_kind,
    find_values,
    names_value,
    to_canonical_form,
)
from halo_core.values.argument_values import Value, ValueKind, classify_value, extract_values
from halo_core.values.provenance import (
    MAX_LEAVES,
    TRUST_FLOOR,
    extract_leaves,
    extract_texts,
    origin_of_result,
    trace_arguments,
    trace_leaves,
)
from halo_core.values.sketch import (
    MAX_SOURCE_INDEX,
    MAX_TAINTED_FINGERPRINTS,
    MAX_TEXT,
    Marks,
    Sketch,
    extract_tokens,
    fingerprint_stored_values,
    fingerprint_tokens,
    iter_text_fingerprints,
)
from halo_core.values.text import fingerprint_strings, generate_spellings, split_name

__all__ = [
    "KNOWN_KINDS",
    "MAX_LEAVES",
    "MAX_SOURCE_INDEX",
    "MAX_TAINTED_FINGERPRINTS",
    "MAX_TEXT",
    "TRUST_FLOOR",
    "AnswerScope",
    "Marks",
    "Sketch",
    "Value",
    "ValueKind",
    "classify_value",
    "extract_leaves",
    "extract_texts",
    "extract_tokens",
    "extract_values",
    "find_answer_scope",
    "find_kind",
    "find_values",
    "fingerprint_stored_values",
    "fingerprint_strings",
    "fingerprint_tokens",
    "generate_spellings",
    "iter_text_fingerprints",
    "names_value",
    "origin_of_result",
    "split_name",
    "to_canonical_form",
    "trace_arguments",
    "trace_leaves",
]
