"""Values of actions: how they are spelled and compared, where they came from, which untrusted ones were stored.

Pure functions of texts, arguments and keys; integers only. `argument_values` splits arguments into values, `text`
folds and fingerprints texts, `sketch` remembers which source said which word, `provenance` says of each argument how
far its source is trusted, `lexicon` holds the words that requests and tools use.
"""

from halo_core.values.argument_values import Value, ValueKind, classify_value, extract_values
from halo_core.values.conversation import ConversationDigest, MarkedItem, describe_calls, mark_items
from halo_core.values.provenance import (
    MAX_LEAVES,
    TRUST_FLOOR,
    extract_leaves,
    extract_texts,
    origin_of_result,
    trace_arguments,
    trace_leaves,
)
from halo_core.values.repeats import REPEAT_BYTES, SplitText, fingerprint_model_words, split_repeats
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
from halo_core.values.stored_objects import StoreMarks, StorePlace, find_place, may_store, period_of
from halo_core.values.text import fingerprint_strings, generate_spellings, split_name

__all__ = [
    "MAX_LEAVES",
    "MAX_SOURCE_INDEX",
    "MAX_TAINTED_FINGERPRINTS",
    "MAX_TEXT",
    "REPEAT_BYTES",
    "TRUST_FLOOR",
    "ConversationDigest",
    "MarkedItem",
    "Marks",
    "Sketch",
    "SplitText",
    "StoreMarks",
    "StorePlace",
    "Value",
    "ValueKind",
    "classify_value",
    "describe_calls",
    "extract_leaves",
    "extract_texts",
    "extract_tokens",
    "extract_values",
    "find_place",
    "fingerprint_model_words",
    "fingerprint_stored_values",
    "fingerprint_strings",
    "fingerprint_tokens",
    "generate_spellings",
    "iter_text_fingerprints",
    "mark_items",
    "may_store",
    "origin_of_result",
    "period_of",
    "split_name",
    "split_repeats",
    "trace_arguments",
    "trace_leaves",
]
