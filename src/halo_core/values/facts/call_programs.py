"""What the programs among the arguments of a call do, and whether the user asked for it and named what they act on.

    judge_program("rm /tmp/a", "shell")                  # acts, names the path /tmp/a, asks for `delete`
    judge_program("SELECT * FROM users", "sql/sqlite")   # reads, names the table users

Each language has its own reader: `sql_programs`, `cypher_programs`, `shell_programs`, `python_programs`. INVARIANT:
FAILCLOSED - a program that cannot be parsed, or has anything that no list contains, is opaque: it may do anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Final

from halo_core.model import Impact, ProgramClass, Provenance
from halo_core.values.facts.call_view import CallView, words_of
from halo_core.values.kinds.argument_names import name_of_argument, names_field, split_argument_name
from halo_core.values.kinds.argument_values import MAX_PROGRAM, SHELL_NAMES
from halo_core.values.kinds.kinds import Kind
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.programs.cypher_programs import reads_only, reads_only_in_sql
from halo_core.values.programs.dictated_commands import are_commands_dictated
from halo_core.values.programs.languages import OPAQUE, READS, Language, Program, ProgramEffect, Rows, split_language
from halo_core.values.programs.python_programs import only_computes
from halo_core.values.programs.shell_programs import judge_shell
from halo_core.values.programs.sql_programs import judge_sql
from halo_core.values.programs.statement_rows import are_rows_asked, is_record_named
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.provenance import trace_leaves
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.requests.asked_objects import is_asked_for_others
from halo_core.values.requests.stated_rows import is_row_stated

_PYTHON_WORDS: Final = frozenset("python py notebook ipython code sandbox".split())
# Languages whose programs are not read.
_OTHER_LANGUAGES: Final = frozenset(
    "ruby rb javascript js node nodejs deno typescript ts java kotlin groovy scala clojure perl php lua rust golang r "
    "julia jl swift dart haskell elixir erlang matlab octave csharp dotnet cpp gcc vba applescript osascript awk tcl "
    "lisp scheme prolog solidity wasm".split()
)
_UNNAMED_LANGUAGE: Final = "code"  # as a guess of programs has it
_INTERPOLATED: Final = compile_later(r"#\{|\$\{|`|\$\(|<%|@\{")
_SHELL_WORDS: Final = frozenset("shell bash sh zsh terminal console command cmd powershell exec".split())
_OF_ANY_LANGUAGE: Final = frozenset("console command exec".split())
"""Those of these words that do not name a language."""
_WORDS: Final = frozenset({Kind.HANDLE, Kind.TEXT})
_NUMBERS: Final = frozenset({Kind.AMOUNT, Kind.DATE})
_WITH_DIRECTION: Final = stem_all("copy move alter grant")
"""Verbs whose objects have different roles (from one place to another), or that change the structure of a table."""
_WORST: Final = (ProgramClass.NONE, ProgramClass.READS, ProgramClass.VOUCHED, ProgramClass.ACTS)


_SETTING_NAMES: Final = frozenset(
    "state mode status level method strategy priority direction speed unit format reason".split()
)
"""Words of arguments that say how something is done, in the singular."""


def judge_call_programs(call: CallView) -> ProgramClass:
    """Return the class of the most dangerous program among the arguments.

    If the resource declares which arguments are programs, its other arguments are none, unless they look like one.
    """
    worst = ProgramClass.NONE
    for leaf, language in _iterate_programs(call):
        worst = max(worst, _judge_program(call, leaf, language), key=_WORST.index)
    return worst


def _iterate_programs(call: CallView) -> Iterator[tuple[TracedLeaf, str]]:
    """Iterate over the arguments that are programs, with their languages; empty for an unknown language.

    INVARIANT: FAILCLOSED - what was declared as text is a program if the tool executes, or if its shape says so.
    """
    declared = dict(call.resource.list_programs())
    runs = call.resource.impact is Impact.EXECUTE and not declared
    for leaf in call.traced:
        language = declared.get(name_of_argument(leaf.pointer)) if declared else None
        is_named = leaf.is_target and leaf.kind not in _WORDS  # the rules of targets see to it
        if language is not None:
            yield leaf, _guess_language(call, leaf) if language == _UNNAMED_LANGUAGE else language
        elif leaf.kind is Kind.PROGRAM or (
            runs and not is_named and leaf.kind not in _NUMBERS and not _is_setting(call, leaf)
        ):
            yield leaf, _guess_language(call, leaf)


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
    """Guess the language of a leaf; empty if it is not certain, since one text can mean different things."""
    name = name_of_argument(leaf.pointer)
    words = words_of(call.resource.id) | words_of(name)
    if not SHELL_NAMES.isdisjoint(map(singularize, split_argument_name(name))):
        return "" if not words.isdisjoint(_PYTHON_WORDS) else Language.SHELL
    # INVARIANT: FAILCLOSED - a program in a language without a reader may do more than compute.
    shells = words & _SHELL_WORDS if "sql" in words else frozenset()
    if shells and shells <= _OF_ANY_LANGUAGE and leaf.kind is Kind.PROGRAM and words.isdisjoint(_OTHER_LANGUAGES):
        return Language.SQL  # `sql_console`
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
    if call.sketch.has_untrusted and not all(are_rows_asked(call.sketch, rows) for rows in program.rows):
        return False
    stems = frozenset[str]().union(*program.verbs)
    is_named = {rows: _is_record_named(call, rows) or is_row_stated(call.sketch, rows) for rows in program.rows}
    by_record = {rows.table for rows in program.rows if is_named[rows]}
    by_record -= {rows.table for rows in program.rows if not is_named[rows]}
    named = [text for text in program.named if text not in by_record]
    leaves = [Leaf(f"/target/{i}", text, [text.casefold()], False, False) for i, text in enumerate(named)]
    if not all(leaf.origin in VOUCHED_ORIGINS for leaf in trace_leaves(leaves, call.sketch, ("target",))):
        return False
    # After exposure, verb and object have to belong together.
    objects = [*named, *(value for rows in program.rows if rows.table in by_record for _, value in rows.keys)]
    return not (call.sketch.has_untrusted and any(is_asked_for_others(call.sketch, stems, text) for text in objects))


def _is_record_named(call: CallView, rows: Rows) -> bool:
    """Whether the user wrote the number of each record in a table with its noun: "order 5512"."""
    return bool(rows.keys) and all(is_record_named(call.sketch, rows, *key) for key in rows.keys)


def asks_for_programs(call: CallView) -> bool:
    """Whether the user asked for each thing that the programs of a call do, and named what they act on."""
    programs = [
        judge_program(text, language) if language and (text := call.texts.get(leaf.pointer, "")) else OPAQUE
        for leaf, language in _iterate_programs(call)
    ]
    return bool(programs) and all(_may_ask_for(program) and _is_program_vouched(call, program) for program in programs)


def are_programs_listed(call: CallView, listed: Collection[str]) -> bool:
    """Whether a listed order of the user gives each program of a call.

    Args:
        call: the call.
        listed: pointers of the leaves that the order gives.
    """
    return all(leaf.pointer in listed for leaf, _ in _iterate_programs(call))


def are_programs_dictated(call: CallView) -> bool:
    """Whether the user dictated all commands that a call runs, and wrote its other targets."""
    programs = {leaf.pointer for leaf, _ in _iterate_programs(call)}
    return bool(programs) and all(
        are_commands_dictated(call.sketch, call.texts.get(leaf.pointer, ""))
        if leaf.pointer in programs
        else leaf.origin in VOUCHED_ORIGINS
        for leaf in call.traced
        if leaf.is_target or leaf.pointer in programs
    )


def _may_ask_for(program: Program) -> bool:
    """Whether words can ask for a program at all: for rows of a table, or for an act on exactly one place."""
    if program.rows:
        return len(program.rows) == len(program.verbs)
    return len(program.verbs) == 1 and program.verbs[0].isdisjoint(_WITH_DIRECTION)


__all__ = ["OPAQUE", "Program", "ProgramEffect", "judge_program"]

_CACHE_SIZE: Final = 256
_MAX_CACHED_LENGTH: Final = 2_048


def judge_program(text: str, language: str) -> Program:
    """Find out what a program does; total, and in bounded time.

    Args:
        text: the program.
        language: what runs it, as `Resource.programs` names it: `sql`, `sql/sqlite`, `cypher`, `shell`, `python`.
    """
    if len(text) > MAX_PROGRAM:
        return OPAQUE
    if len(text) > _MAX_CACHED_LENGTH:
        return _judge(text, language)
    return _judge_cached(text, language)


@lru_cache(maxsize=_CACHE_SIZE)
def _judge_cached(text: str, language: str) -> Program:
    return _judge(text, language)


def _judge(text: str, language: str) -> Program:
    family, dialect = split_language(language)
    try:
        if family == Language.SQL:
            return judge_sql(text, dialect)
        if dialect:
            is_read = family == Language.CYPHER and dialect == "age" and reads_only_in_sql(text)
            return READS if is_read else OPAQUE
        if family == Language.SHELL:
            return judge_shell(text)
        if family == Language.PYTHON:
            return READS if only_computes(text) else OPAQUE
        return READS if family == Language.CYPHER and reads_only(text) else OPAQUE
    except Exception:  # noqa: BLE001  INVARIANT: TOTAL - what a parser cannot read may do anything
        return OPAQUE
