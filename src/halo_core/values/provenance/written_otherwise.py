"""Values that the user wrote in another form than the call has, or in parts.

"3 Dec 2025" for `2025-12-03`, "hd8301" for `HD-8301`, "draft.docx in /srv/offers" for `/srv/offers/draft.docx`
"""

from __future__ import annotations

from collections.abc import Iterable

from halo_core.values.kinds.kinds import Kind
from halo_core.values.programs.dictated_commands import are_commands_dictated
from halo_core.values.provenance.argument_forms import ArgumentValue
from halo_core.values.requests.composed_paths import is_path_composed
from halo_core.values.requests.spelt_ids import is_spelt_otherwise
from halo_core.values.requests.spoken_days import is_users_day
from halo_core.values.sketches.sketch import Sketch


def is_written_otherwise(
    sketch: Sketch, value: ArgumentValue, marks: Iterable[int], *, is_target: bool, names_thing: bool
) -> bool:
    """Whether the user wrote a value in another form: a day, a time, an id, a path or a program.

    Args:
        sketch: what the session has seen.
        value: for which nobody vouches as it is.
        marks: of its forms.
        is_target: it is a declared target.
        names_thing: by its name the argument holds neither a person nor an address, and nothing is paid.
    """
    text = value.text.strip()
    if value.kind is Kind.PROGRAM:
        return are_commands_dictated(sketch, text)
    if value.kind is Kind.PATH and is_path_composed(sketch, text):
        return True
    if (is_target or value.kind is Kind.DATE) and is_users_day(sketch, text, marks, is_target=is_target):
        return True
    return names_thing and is_spelt_otherwise(sketch, text)
