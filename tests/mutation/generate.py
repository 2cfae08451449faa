"""Generates mutants: copies of a module that differ from it in one small place, such as a check that is left out.

    for mutant in generate(text):
        path.write_text(apply(text, mutant))

Most operators leave something out, since that is how a check fails to be made: a condition that never holds, an operand
of `and`, an entry of a table of checks, a statement that records or raises. The others shift a boundary by one, swap an
operator, or let a function answer what it answers when nothing is wrong.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

_COMPARISONS: Final = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: Final = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_CALLS: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_NOT_RUN: Final = ("annotation", "returns", "decorator_list")
_LONGEST_LABEL: Final = 160


@dataclass(frozen=True)
class Mutant:
    """One small change of a module: the function it is in and what is replaced, told without line numbers."""

    function: str
    change: str
    number: int


@dataclass(frozen=True)
class _Place:
    """Where a tree holds a node that runs, and what the function around it returns."""

    parent: ast.AST
    field: str
    index: int | None
    function: str
    returns: str

    def get(self) -> Any:
        value = getattr(self.parent, self.field)
        return value if self.index is None else value[self.index]

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def generate(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module, in the order of its text."""
    seen: Counter[tuple[str, str]] = Counter()
    for number, (place, replacement) in enumerate(_changes(ast.parse(source))):
        change = f"{_label(place.get())} -> {_label(replacement)}"
        seen[place.function, change] += 1
        times = seen[place.function, change]
        yield Mutant(place.function, change if times == 1 else f"{change} (place {times})", number)


def apply(source: str, mutant: Mutant) -> str:
    """Return the text of the module with this change made."""
    module = ast.parse(source)
    place, replacement = next(islice(_changes(module), mutant.number, None))
    place.put(replacement)
    return ast.unparse(ast.fix_missing_locations(module))


def _changes(module: ast.Module) -> Iterator[tuple[_Place, ast.AST]]:
    for place in _places(module, "", ""):
        for replacement in _replacements(place):
            yield place, replacement


def _places(node: ast.AST, function: str, returns: str) -> Iterator[_Place]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        function = f"{function}.{node.name}".lstrip(".")
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        returns = _label(node.returns) if node.returns else ""
    if isinstance(node, ast.Assign) and _label(node.targets[0]) == "__all__":
        return
    for field, value in ast.iter_fields(node):
        if field in _NOT_RUN:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield _Place(node, field, index, function, returns)
                yield from _places(child, function, returns)


def _replacements(place: _Place) -> Iterator[ast.AST]:  # noqa: C901  one case an operator
    node, parent, field = place.get(), place.parent, place.field
    if field in ("test", "ifs") and not _label(node).startswith("TYPE_CHECKING"):
        yield ast.Constant(False)
        if not isinstance(parent, ast.While):
            yield ast.Constant(True)
    if isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension) and field == "iter":
        yield ast.Tuple([], ast.Load())
    match node:
        case ast.BoolOp(op, values):
            for index in range(len(values)):
                rest = values[:index] + values[index + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.Compare(left, ops, values):
            for index, op in enumerate(ops):
                yield ast.Compare(left, [*ops[:index], _COMPARISONS[type(op)](), *ops[index + 1 :]], values)
            if len(ops) > 1:
                yield ast.Compare(left, ops[:-1], values[:-1])
                yield ast.Compare(values[0], ops[1:], values[1:])
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.BinOp(left, op, right) if type(op) in _ARITHMETIC:
            yield ast.BinOp(left, _ARITHMETIC[type(op)](), right)
        case ast.Call(ast.Name(name), arguments, keywords) if name in _CALLS:
            yield ast.Call(ast.Name(_CALLS[name], ast.Load()), arguments, keywords)
            if len(arguments) > 1:
                yield from arguments
        case ast.Dict(keys, values) if len(keys) > 1:
            for index in range(len(keys)):
                yield ast.Dict(keys[:index] + keys[index + 1 :], values[:index] + values[index + 1 :])
        case ast.Tuple(items, ast.Load()) | ast.List(items, ast.Load()) if len(items) > 1:
            for index in range(len(items)):
                yield type(node)(items[:index] + items[index + 1 :], ast.Load())
        case ast.Set(items) if len(items) > 1:
            for index in range(len(items)):
                yield ast.Set(items[:index] + items[index + 1 :])
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield ast.Constant(value + 1)
        case ast.Expr(ast.Call() | ast.Await()) | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
            yield ast.Pass()
        case ast.Return(value) if value is not None:
            yield from _answers_without_finding(place.returns, value)


def _answers_without_finding(returns: str, value: ast.expr) -> Iterator[ast.Return]:
    """Yield what a function answers when nothing is wrong or nothing was found, by its annotation."""
    answers: list[ast.expr] = []
    if returns == "bool":
        answers = [ast.Constant(False), ast.Constant(True)]
    elif returns.endswith("| None"):
        answers = [ast.Constant(None)]
    elif returns.startswith(("tuple[", "Sequence[")):
        answers = [ast.Tuple([], ast.Load())]
    elif returns.startswith("list["):
        answers = [ast.List([], ast.Load())]
    yield from (ast.Return(answer) for answer in answers if ast.dump(answer) != ast.dump(value))


def _label(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _LONGEST_LABEL else f"{text[:_LONGEST_LABEL]}..."
