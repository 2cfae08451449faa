"""Known tools of public toolkits: by the class or module of a tool, its impact and the argument that holds a program.

This is better than a guess from names, but still a guess: a declaration of the operator takes precedence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from halo_core.enforcement import find_sql_language
from halo_core.model import Impact, Resource, Reversal

_UNDECLARED_TRUST: Final = 300
_READ: Final = Resource(
    impact=Impact.READ, reversal=Reversal.NONE_NEEDED, source_trust=_UNDECLARED_TRUST, classified="guessed"
)
_FRAMEWORKS: Final = ("langchain_community.", "langchain_experimental.", "langchain.", "langchain_classic.")


def make_program_resource(argument: str, language: str) -> Resource:
    """The resource of a tool that runs a program from one of its arguments."""
    return Resource(
        impact=Impact.EXECUTE,
        reversal=Reversal.IRREVERSIBLE,
        source_trust=_UNDECLARED_TRUST,
        programs=((argument, language),),
        classified="guessed",
    )


def _make_write(*targets: str, impact: Impact = Impact.WRITE, reversal: Reversal = Reversal.UNDO) -> Resource:
    return Resource(
        impact=impact, reversal=reversal, source_trust=_UNDECLARED_TRUST, targets=targets, classified="guessed"
    )


def find_database_language(database: Any) -> str:
    """The language of a SQL database's statements, by its dialect."""
    dialect = getattr(database, "dialect", "")
    return find_sql_language(dialect if isinstance(dialect, str) else getattr(dialect, "name", ""))


def _describe_query_tool(tool: Any) -> Resource:
    return make_program_resource("query", find_database_language(getattr(tool, "db", None)))


_DELETE: Final = _make_write("file_path", impact=Impact.DELETE, reversal=Reversal.IRREVERSIBLE)
_BY_CLASS: Final[Mapping[str, Resource | Callable[[Any], Resource]]] = {
    "QuerySQLDatabaseTool": _describe_query_tool,
    "QuerySQLDataBaseTool": _describe_query_tool,
    "QuerySparkSQLTool": make_program_resource("query", "sql/spark"),
    "InfoSQLDatabaseTool": _READ,
    "ListSQLDatabaseTool": _READ,
    "QuerySQLCheckerTool": _READ,
    "InfoSparkSQLTool": _READ,
    "ListSparkSQLTool": _READ,
    "QueryCheckerTool": _READ,
    "PythonREPLTool": make_program_resource("query", "python"),
    "PythonAstREPLTool": make_program_resource("query", "python"),
    "ShellTool": make_program_resource("commands", "shell"),
    "ReadFileTool": _READ,
    "ListDirectoryTool": _READ,
    "FileSearchTool": _READ,
    "WriteFileTool": _make_write("file_path"),
    "CopyFileTool": _make_write("destination_path"),
    "MoveFileTool": _make_write("source_path", "destination_path"),
    "DeleteFileTool": _DELETE,
}
"""Classes of `langchain_community` and `langchain_experimental`."""
_BY_FUNCTION: Final[Mapping[tuple[str, str], Resource]] = {
    ("deepagents.middleware.filesystem", "ls"): _READ,
    ("deepagents.middleware.filesystem", "read_file"): _READ,
    ("deepagents.middleware.filesystem", "glob"): _READ,
    ("deepagents.middleware.filesystem", "grep"): _READ,
    ("deepagents.middleware.filesystem", "write_file"): _make_write("file_path"),
    ("deepagents.middleware.filesystem", "edit_file"): _make_write("file_path"),
    ("deepagents.middleware.filesystem", "delete"): _DELETE,
    ("deepagents.middleware.filesystem", "execute"): make_program_resource("command", "shell"),
    ("deepagents.middleware.subagents", "task"): _READ,
    ("langchain.agents.middleware.todo", "write_todos"): _READ,
    ("langchain.agents.middleware.shell_tool", "shell"): make_program_resource("command", "shell"),
}
"""Tools that middleware brings, by the module of their function and their name: they are functions of no class."""


def describe_known_tool(tool: Any) -> Resource | None:
    """The known properties of a tool from a public toolkit; None for any other."""
    for kind in type(tool).__mro__:
        known = _BY_CLASS.get(kind.__name__)
        if known is not None and kind.__module__.startswith(_FRAMEWORKS):
            return known if isinstance(known, Resource) else known(tool)
    function = getattr(tool, "func", None) or getattr(tool, "coroutine", None)
    module = getattr(inspect.unwrap(function), "__module__", "") if function is not None else ""
    return _BY_FUNCTION.get((module, tool.name))
