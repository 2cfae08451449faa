"""What the worst of the programs among the arguments of a call does, and whether the user named what it acts on."""

from __future__ import annotations

import re
from typing import Final

from halo_core.model import Impact, ProgramClass, Provenance
from halo_core.values.argument_names import name_of_argument, names_field, split_argument_name
from halo_core.values.argument_values import SHELL_NAMES
from halo_core.values.call_view import CallView, words_of
from halo_core.values.kinds import Kind
from halo_core.values.languages import Language
from halo_core.values.leaves import Leaf
from halo_core.values.numbered import singularize
from halo_core.values.programs import OPAQUE, Program, ProgramEffect, judge_program
from halo_core.values.provenance import TracedLeaf, trace_leaves
from halo_core.values.result_origins import VOUCHED_ORIGINS

_PYTHON_WORDS: Final = frozenset("python py notebook ipython code sandbox".split())
# Languages whose programs are not read.
_OTHER_LANGUAGES: Final = frozenset(
    "ruby rb javascript js node nodejs deno typescript ts java kotlin groovy scala clojure perl php lua rust golang r "
    "julia jl swift dart haskell elixir erlang matlab octave csharp dotnet cpp gcc vba applescript osascript awk tcl "
    "lisp scheme prolog solidity wasm".split()
)
_UNNAMED_LANGUAGE: Final = "code"  # as a guess of programs has it
_INTERPOLATED: Final = re.compile(r"#\{|\$\{|`|\$\(|<%|@\{")
_SHELL_WORDS: Final = frozenset("shell bash sh zsh terminal console command cmd powershell exec".split())
_WORDS: Final = frozenset({Kind.HANDLE, Kind.TEXT})
_NUMBERS: Final = frozenset({Kind.AMOUNT, Kind.DATE})
_WORST: Final = (ProgramClass.NONE, ProgramClass.READS, ProgramClass.VOUCHED, ProgramClass.ACTS)


_SETTING_NAMES: Final = frozenset(
    "state mode status level method strategy priority direction speed unit format reason".split()
)
"""Words of arguments that say how something is done, in the singular."""


def judge_call_programs(call: CallView) -> ProgramClass:
    """The worst of the programs among the arguments.

    Where the resource says which arguments are programs, its other arguments are none, unless they look like one.
    """
    worst, declared = ProgramClass.NONE, dict(call.resource.programs)
    runs = call.resource.impact is Impact.EXECUTE and not declared
    for leaf in call.traced:
        language = declared.get(name_of_argument(leaf.pointer)) if declared else None
        is_named = leaf.is_target and leaf.kind not in _WORDS  # the rules of targets see to it
        if language is not None:
            is_unnamed = language == _UNNAMED_LANGUAGE
            judged = _judge_program(call, leaf, _guess_language(call, leaf) if is_unnamed else language)
        elif leaf.kind is Kind.PROGRAM or (
            runs and not is_named and leaf.kind not in _NUMBERS and not _is_setting(call, leaf)
        ):
            judged = _judge_program(call, leaf, _guess_language(call, leaf))
        else:
            continue
        worst = max(worst, judged, key=_WORST.index)
    return worst


def _is_setting(call: CallView, leaf: TracedLeaf) -> bool:
    """Whether a word of the model only says how a declared target is run (`state="off"`), or names a field of it."""
    text = call.texts.get(leaf.pointer, "")
    if leaf.origin is not Provenance.NOVEL or not call.resource.targets or not text.isalpha():
        return False
    name = name_of_argument(leaf.pointer)
    if name in call.resource.targets:
        return not leaf.is_target and names_field(text)
    return not _SETTING_NAMES.isdisjoint(words_of(name))


def _judge_program(call: CallView, leaf: TracedLeaf, language: str) -> ProgramClass:
    text = call.texts.get(leaf.pointer, "")
    program = judge_program(text, language) if text and language else OPAQUE
    if program.effect is ProgramEffect.READS:
        return ProgramClass.READS
    if leaf.origin in VOUCHED_ORIGINS or _is_program_vouched(call, program):
        return ProgramClass.VOUCHED
    return ProgramClass.ACTS


def _guess_language(call: CallView, leaf: TracedLeaf) -> str:
    """What runs a leaf; empty where that is not certain, since one text can mean different things."""
    name = name_of_argument(leaf.pointer)
    words = words_of(call.resource.id) | words_of(name)
    if not SHELL_NAMES.isdisjoint(map(singularize, split_argument_name(name))):
        return "" if not words.isdisjoint(_PYTHON_WORDS) else Language.SHELL
    # INVARIANT: FAILCLOSED - a program in a language that nobody reads is none that only computes.
    if not words.isdisjoint(_SHELL_WORDS | _OTHER_LANGUAGES):
        return ""
    if not words.isdisjoint(_PYTHON_WORDS):
        # Text in quotes is run by other languages that such a tool may have.
        return "" if _INTERPOLATED.search(call.texts.get(leaf.pointer, "")) is not None else Language.PYTHON
    return Language.SQL if leaf.kind is Kind.PROGRAM else ""


def _is_program_vouched(call: CallView, program: Program) -> bool:
    """Whether the user named everything that a program acts on, and asked for each thing that it does."""
    if program.effect is not ProgramEffect.ACTS or not program.named:
        return False
    if not all(map(call.sketch.was_asked, program.verbs)):
        return False
    leaves = [Leaf(f"/target/{i}", text, [text.casefold()], False, False) for i, text in enumerate(program.named)]
    return all(leaf.origin in VOUCHED_ORIGINS for leaf in trace_leaves(leaves, call.sketch, ("target",)))
