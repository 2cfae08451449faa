"""Whether a Python program only computes: it reads no file, opens no connection and runs nothing else.

The grammar is Python's own (`ast`). INVARIANT: FAILCLOSED - only what stands in the lists below is taken to compute.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from itertools import islice
from types import ModuleType
from typing import Final

from halo_core.values.language.patterns import compile_later

_MAX_NODES: Final = 2_000
_MAX_EXPONENT: Final = 10_000
_MODULES: Final = frozenset(
    "math cmath statistics decimal fractions datetime calendar collections itertools random re json textwrap bisect "
    "heapq".split()
)
_FUNCTIONS: Final = frozenset(
    "abs all any bool bytes chr complex dict divmod enumerate filter float frozenset hex int isinstance len list map "
    "max min oct ord pow print range repr reversed round set slice sorted str sum tuple zip".split()
)
_METHODS: Final = frozenset(
    "add append capitalize casefold copy count difference discard endswith extend find get index insert intersection "
    "isalpha isdigit items join keys lower lstrip partition pop remove replace reverse rstrip setdefault sort split "
    "splitlines startswith strip title union update upper values "
    # of dates, times and bytes
    "combine date decode encode fromisoformat fromtimestamp hex isocalendar isoformat isoweekday now strftime strptime "
    "time timestamp today total_seconds utcnow weekday".split()
)
_DATA_ATTRIBUTES: Final = frozenset(
    "day days denominator hour imag microsecond microseconds minute month numerator real second seconds year".split()
)
_EXCEPTIONS: Final = frozenset(
    "ArithmeticError AssertionError AttributeError Exception IndexError KeyError LookupError NameError OverflowError "
    "TypeError ValueError ZeroDivisionError".split()
)
_FENCE: Final = compile_later(r"^(?:\s|`)*(?i:python)?\s*|(?:\s|`)*$")
_MAX_CLEANINGS: Final = 8
_NODES: Final = (
    ast.Module,
    ast.Expr,
    ast.Expression,
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.For,
    ast.While,
    ast.Try,
    ast.ExceptHandler,
    ast.If,
    ast.IfExp,
    ast.Break,
    ast.Continue,
    ast.Pass,
    ast.Assert,
    ast.BoolOp,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.Constant,
    ast.List,
    ast.Tuple,
    ast.Set,
    ast.Dict,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.comprehension,
    ast.Subscript,
    ast.Slice,
    ast.Starred,
    ast.alias,
    ast.keyword,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.FunctionDef,
    ast.Lambda,
    ast.arguments,
    ast.arg,
    ast.Return,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
)


class _Names:
    """The names of a program: what it imports, defines, stores and reads."""

    def __init__(self) -> None:
        self.modules: dict[str, str] = {}
        self.functions: set[str] = set()
        self.stored: set[str] = set()
        self.loaded: set[str] = set()
        self.methods: set[int] = set()
        """Identities of the nodes that name a known method where it is called."""

    def note(self, node: ast.AST) -> bool:
        """Note the names of a node; returns whether it may be there."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            return self._note_import(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            self.methods.add(id(node.func))
        if isinstance(node, ast.FunctionDef):
            self.functions.add(node.name)
            return not node.decorator_list
        if isinstance(node, ast.Name):
            (self.loaded if isinstance(node.ctx, ast.Load) else self.stored).add(node.id)
        elif isinstance(node, ast.arg):
            self.stored.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            self.stored.add(node.name)
        return True

    def _note_import(self, node: ast.Import | ast.ImportFrom) -> bool:
        if isinstance(node, ast.Import):
            self.modules.update({alias.asname or alias.name: alias.name for alias in node.names})
            return all(alias.name in _MODULES for alias in node.names)
        self.functions.update(alias.asname or alias.name for alias in node.names)
        is_known = not node.level and node.module in _MODULES
        return is_known and all(alias.name in _list_public(node.module or "") for alias in node.names)

    @property
    def are_clear(self) -> bool:
        """Whether each name is known, and none that is called has two meanings."""
        called = self.functions | self.modules.keys() | _FUNCTIONS | _EXCEPTIONS
        return self.loaded <= called | self.stored and self.stored.isdisjoint(called)


def only_computes(text: str) -> bool:
    """Whether a program computes and prints, and does nothing else.

    Tools take a fence or the word `python` off the front before they run a program, some of them twice. So it has to
    hold of what is left, too.

    Args:
        text: the program.

    Raises:
        SyntaxError, ValueError, RecursionError: it cannot be parsed.
    """
    if "```" in text:
        return False  # some tools run what stands between fences, and nothing else
    for _ in range(_MAX_CLEANINGS):
        if not _computes_as_it_stands(text):
            return False
        cleaned = _FENCE.sub("", text)
        if cleaned == text:
            return True
        text = cleaned
    return False


def _computes_as_it_stands(text: str) -> bool:
    nodes = list(islice(ast.walk(ast.parse(text)), _MAX_NODES + 1))
    names = _Names()
    return (
        len(nodes) <= _MAX_NODES
        and all(list(map(names.note, nodes)))
        and names.are_clear
        # A single word can be the name of a script.
        and any(isinstance(node, ast.Call | ast.BinOp | ast.Compare) for node in nodes)
        and all(_computes(node, names) for node in nodes)
    )


@cache
def _list_public(module: str) -> frozenset[str]:
    """List what a module offers by its documentation, without the modules that it uses itself."""
    found = import_module(module)
    names = getattr(found, "__all__", None) or [name for name in vars(found) if not name.startswith("_")]
    return frozenset(name for name in names if not isinstance(getattr(found, name), ModuleType))


def _computes(node: ast.AST, names: _Names) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Name):
        return not node.id.startswith("_")
    if isinstance(node, ast.Attribute):
        # A method that is not called could be called by somebody else.
        is_read = isinstance(node.ctx, ast.Load) and (id(node) in names.methods or node.attr in _DATA_ATTRIBUTES)
        return _is_of_module(node, names) or is_read
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        value = node.right.value if isinstance(node.right, ast.Constant) else None
        return isinstance(value, int | float) and abs(value) <= _MAX_EXPONENT
    if isinstance(node, ast.Call):
        return _is_known_call(node.func, names)
    return isinstance(node, _NODES)


def _is_of_module(node: ast.Attribute, names: _Names) -> bool:
    owner = node.value.id if isinstance(node.value, ast.Name) else ""
    return owner in names.modules and node.attr in _list_public(names.modules[owner])


def _is_known_call(function: ast.expr, names: _Names) -> bool:
    if isinstance(function, ast.Name):
        return function.id in _FUNCTIONS or function.id in names.functions
    return isinstance(function, ast.Attribute) and (_is_of_module(function, names) or function.attr in _METHODS)
