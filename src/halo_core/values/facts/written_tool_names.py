"""Whether the user wrote the words of a tool's name, any of which may be its verb.

The name of a system in front, which other tools share (`crm_`), need not be written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from halo_core.model import Provenance
from halo_core.values.facts.call_view import CallView
from halo_core.values.language.inflections import list_inflected
from halo_core.values.language.lexicon import STOP_WORDS, stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.programs.ordered_programs import make_program_form
from halo_core.values.requests.asked_objects import is_other_act_ordered
from halo_core.values.requests.unlisted_orders import UNLISTED_VERB
from halo_core.values.sketches.sketch import USER_BIT, Sketch
from halo_core.values.sketches.spans import fingerprint_tokens_in_order, tokenize

_NAME_WORD: Final = compile_later(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MIN_NAME_WORDS: Final = 2  # words of a tool's name
_RUNNERS: Final = stem_all("bash shell sh zsh powershell terminal console cli cmd exec repl sql python interpreter")
"""Words of tools that are named after what runs the program that they are given."""
_RUNNING_STEMS: Final = stem_all("run execute start launch")
_MAX_PROGRAM: Final = 256  # tokens
_MIN_VERB: Final = 4  # letters of a word of a tool's name that may be its verb
_NO_ACTS: Final = frozenset(
    "mail email message text note file report list order show view read find search check look open copy".split()
)
"""Words that begin names of tools as nouns, or by which people order acts of many other tools."""


def are_name_words_written(view: CallView, names: Iterable[str], *, is_exposed: bool) -> bool:
    """Whether the user wrote each word of the tool's name, since any of them may be its verb.

    Args:
        view: the call.
        names: of the sources that the session has read.
        is_exposed: the session may have read an untrusted source.
    """
    resource, sketch = view.resource, view.sketch
    words = [word for word in map(str.lower, _NAME_WORD.findall(resource.id)) if word not in STOP_WORDS]
    if max(map(len, words), default=0) < _MIN_VERB or (
        is_exposed and is_other_act_ordered(sketch, resource.id, resource.impact)
    ):
        return False
    return _is_whole_name_written(view, names) or all(map(USER_BIT.__and__, sketch.look_up_marks(words)))


def is_unlisted_verb_in_name(view: CallView, names: Iterable[str]) -> bool:
    """Whether the user orders by a verb that is in the tool's name and in no list, and wrote its other words.

    "Free her bed" orders `beds_free`.
    """
    words = _list_name_words(view.resource.id, names)
    if not view.sketch.was_asked(frozenset(UNLISTED_VERB + stem for word in words for stem in split_name(word))):
        return False
    return all(_is_noun_written(view.sketch, word) for word in words if word not in STOP_WORDS)


def find_ordered_verb_of_name(view: CallView, names: Iterable[str]) -> frozenset[str]:
    """Find the stems of the first word of the tool's name, if the user orders by this very verb, in a list or not.

    "Dispute it" orders `dispute_booking`, and "rotate it" `rotate_secret`: the targets say what it is done to.
    """
    word = next(iter(_list_name_words(view.resource.id, names)), "")
    if len(word) < _MIN_VERB or word in STOP_WORDS or word in _NO_ACTS:
        return frozenset()
    stems = frozenset(split_name(word))
    return stems if view.sketch.was_asked(stems | {UNLISTED_VERB + stem for stem in stems}) else frozenset()


def _is_noun_written(sketch: Sketch, word: str) -> bool:
    """Whether the user wrote a word of the tool's name in any of its forms: "bed" for `beds_free`."""
    return any(map(USER_BIT.__and__, sketch.look_up_marks([word, *list_inflected(word)])))


def _list_name_words(tool: str, names: Iterable[str]) -> list[str]:
    """List the words of the tool's name in small letters, without the name of a system that other tools share."""
    words = list(map(str.lower, _NAME_WORD.findall(tool)))
    system = f"{words[0]}_" if len(words) > 1 else ""
    has_system = system and any(name.lower().startswith(system) for name in names)
    return words[1:] if has_system else words


def _is_whole_name_written(view: CallView, names: Iterable[str]) -> bool:
    """Whether the user wrote the words of the tool's name in order, without the name of a system."""
    phrase = _list_name_words(view.resource.id, names)
    if len(phrase) < _MIN_NAME_WORDS:
        return False
    return view.sketch.spans[Provenance.USER].find(fingerprint_tokens_in_order(phrase, view.sketch.key)) > 0


def runs_ordered_program(view: CallView) -> bool:
    """Whether a tool that is named after what runs programs (`bash`) runs one that the user orders as a whole.

    "Run make docs" orders `make docs`; "say what make docs does, and run the tests" does not.
    """
    if not view.resource.targets or _RUNNERS.isdisjoint(split_name(view.resource.id)):
        return False
    if not view.sketch.was_asked(_RUNNING_STEMS) or any(leaf.origin is not Provenance.USER for leaf in view.traced):
        return False
    return all(_is_ordered(view.sketch, view.texts.get(leaf.pointer, "")) for leaf in view.traced if leaf.is_target)


def _is_ordered(sketch: Sketch, program: str) -> bool:
    """Whether a sentence of the user orders exactly this program."""
    form = make_program_form(program)
    return 0 < len(tokenize(program, _MAX_PROGRAM + 1)) <= _MAX_PROGRAM and bool(
        sketch.look_up_forms([form])[0] & USER_BIT
    )
