"""What a program in an argument does: whether it only reads, and the hosts, paths and tables that it names.

    judge_program("rm /tmp/a", "shell")                  # acts, names the path /tmp/a, asks for `delete`
    judge_program("SELECT * FROM users", "sql/sqlite")   # reads, names the table users

Each language has a reader of its own: `sql_programs`, `cypher_programs`, `shell_programs`, `python_programs`.
INVARIANT: FAILCLOSED - whatever no list knows, or cannot be parsed, makes a program opaque: it may do anything.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from halo_core.values.argument_values import MAX_PROGRAM
from halo_core.values.cypher_programs import reads_only, reads_only_in_sql
from halo_core.values.languages import Language, split_language
from halo_core.values.program_effects import OPAQUE, READS, Program, ProgramEffect
from halo_core.values.python_programs import only_computes
from halo_core.values.shell_programs import judge_shell
from halo_core.values.sql_programs import judge_sql

__all__ = ["OPAQUE", "Program", "ProgramEffect", "judge_program"]

_CACHE_SIZE: Final = 256
_MAX_CACHED_LENGTH: Final = 2_048


def judge_program(text: str, language: str) -> Program:
    """What a program does; total, and in bounded time.

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
