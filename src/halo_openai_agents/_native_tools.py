"""Tools that the SDK runs in this process without a function tool: shells, patches, computers, custom tools.

A guarded copy decides right before the host's own code runs: an executor of commands, an editor of files, a computer.
Commands and inputs of custom tools are programs (`Resource.programs`). Each file operation and each action of a
computer is a resource of its own (`apply_patch/delete_file`, `computer/click`). A refusal is returned to the model,
except by a computer, which can return nothing but a screenshot: there it ends the run.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from agents import (
    ApplyPatchTool,
    AsyncComputer,
    Computer,
    ComputerProvider,
    ComputerTool,
    CustomTool,
    LocalShellTool,
    ShellTool,
)
from agents.editor import ApplyPatchResult

from halo_core.enforcement.arguments import BoundArguments, copy_arguments
from halo_core.enforcement.call import ABILITIES, Call
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.flow import GovernedAction, arun
from halo_core.enforcement.guarded_calls import build_guarded_call
from halo_core.enforcement.guards import (
    TOOL_KINDS,
    GuardMetadata,
    UnregisteredGuard,
    clean_name,
    make_named_subclass,
    make_unregistered_resource,
)
from halo_core.enforcement.session_context import IN_BODY, ContextVarScope
from halo_core.errors import ConfigError, Denied
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_openai_agents._results import TOOL_RESULT_SURFACE
from halo_openai_agents._runs import step_scope
from halo_openai_agents._translate import GUARD_ATTRIBUTE, find_guard, get_display_name

if TYPE_CHECKING:
    from halo_openai_agents import Halo

_NATIVE_ABILITIES: Final = tuple(name for name in ABILITIES if name not in {"clamp", "redact"})
"""What is decided runs as the SDK made it, or not at all."""
_PROGRAM: Final = Resource(impact=Impact.EXECUTE, reversal=Reversal.IRREVERSIBLE, classified="guessed")
_COMMANDS: Final = "commands"
_SHELLS: Final = frozenset(("sh", "bash", "dash", "zsh", "/bin/sh", "/bin/bash", "/usr/bin/bash"))
_SCRIPT_FLAGS: Final = frozenset(("-c", "-lc", "-cl"))
_SHELL_LENGTH: Final = 3  # words of `bash -lc SCRIPT`


@dataclass(frozen=True, slots=True)
class _NativeKind:
    """One resource of a tool.

    Args:
        resource: what it is where nobody declared it.
        arguments: names of its arguments, each with its JSON type.
    """

    resource: Resource
    arguments: Mapping[str, str]

    def make_schema(self) -> dict[str, Any]:
        """JSON schema of the decided arguments."""
        return {"type": "object", "properties": {name: {"type": kind} for name, kind in self.arguments.items()}}


_SHELL: Final = _NativeKind(
    replace(_PROGRAM, programs=((_COMMANDS, "shell"),)), {_COMMANDS: "string", "working_directory": "string"}
)
_CUSTOM: Final = _NativeKind(replace(_PROGRAM, programs=(("input", "custom"),)), {"input": "string"})
_FILE: Final = Resource(impact=Impact.WRITE, reversal=Reversal.UNDO, targets=("path",), classified="guessed")
_EDITS: Final[Mapping[str, _NativeKind]] = {
    "create_file": _NativeKind(_FILE, {"path": "string", "diff": "string"}),
    "update_file": _NativeKind(
        replace(_FILE, targets=("move_to", "path")), {"path": "string", "diff": "string", "move_to": "string"}
    ),
    "delete_file": _NativeKind(
        replace(_FILE, impact=Impact.DELETE, reversal=Reversal.IRREVERSIBLE), {"path": "string"}
    ),
}
_SEEN: Final = Resource(impact=Impact.READ, reversal=Reversal.NONE_NEEDED, classified="guessed", idempotent=True)
_DONE: Final = Resource(impact=Impact.UNKNOWN, reversal=Reversal.IRREVERSIBLE, classified="unknown")
_POINT: Final[Mapping[str, str]] = {"x": "integer", "y": "integer"}
_GESTURES: Final[Mapping[str, _NativeKind]] = {
    "screenshot": _NativeKind(_SEEN, {}),
    "wait": _NativeKind(_SEEN, {}),
    "move": _NativeKind(_SEEN, {**_POINT, "keys": "array"}),
    "scroll": _NativeKind(_SEEN, {**_POINT, "scroll_x": "integer", "scroll_y": "integer", "keys": "array"}),
    "click": _NativeKind(_DONE, {**_POINT, "button": "string", "keys": "array"}),
    "double_click": _NativeKind(_DONE, {**_POINT, "keys": "array"}),
    "type": _NativeKind(_DONE, {"text": "string"}),
    "keypress": _NativeKind(_DONE, {"keys": "array"}),
    "drag": _NativeKind(_DONE, {"path": "array", "keys": "array"}),
}
COMPUTER_NAME: Final = "computer"


class NativeCall(GovernedAction[Any]):
    """One call of the host's code behind a native tool.

    Args:
        guard: guard of the resource.
        arguments: what is decided, by name; nobody else holds them.
        function: runs what was decided.
        call_id: the SDK's id of the call; empty if it tells none.
    """

    def __init__(
        self, guard: GuardMetadata, arguments: Mapping[str, Any], function: Callable[[], Any], call_id: str = ""
    ) -> None:
        super().__init__(guard.halo.enforcer, None, guard.surface)
        self.guard = guard
        self.arguments = BoundArguments(*copy_arguments(arguments))
        self.function = function
        self.call_id = call_id

    def build_call(self) -> Call:
        call = build_guarded_call(self.guard, self.arguments, self.call_id)
        return replace(call, abilities=_NATIVE_ABILITIES)

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:  # noqa: ARG002  the same for each
        return ContextVarScope((IN_BODY, True))

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  what runs is what was decided
        return self.function()


async def _run_call(call: NativeCall, render: Callable[[str], Any] | None = str) -> Any:
    """Decide and run a call; `render` turns a denial into a result, without it the denial is raised."""
    try:
        with step_scope(call.guard.halo):
            return await arun(call)
    except Denied as denied:
        if render is None:
            raise
        return render(str(denied))


def guard_native_tool(halo: Halo, tool: Any, resource: Resource | None, *, grants: bool = True) -> Any:
    """Register a tool and return its guarded copy.

    Args:
        halo: who decides.
        tool: the original.
        resource: what it is, of each of its resources; None leaves that to the manifest, or to a guess.
        grants: whether it is registered, and so granted.

    Raises:
        ConfigError: nothing of it runs in this process, or its name belongs to another tool.
    """
    guard = find_guard(tool)
    if guard is not None and guard.halo is halo:
        if resource is None:
            return tool
        tool = guard.original
    registering = _Registering(halo, tool, resource, grants)
    if isinstance(tool, ComputerTool):
        return _guard_computer_tool(tool, registering)
    if isinstance(tool, ApplyPatchTool):
        return dataclasses.replace(tool, editor=_GuardedEditor(tool.editor, registering))
    if isinstance(tool, CustomTool):
        return _copy_custom(tool, _guard_custom(tool, registering))
    if isinstance(tool, LocalShellTool) or (isinstance(tool, ShellTool) and tool.executor is not None):
        return dataclasses.replace(tool, executor=_guard_shell(tool, registering))
    remedy = "write it as a function tool"
    raise ConfigError("not_guardable", f"`{get_display_name(tool)}` cannot be guarded", field="x", remedy=remedy)


def _copy_custom(tool: CustomTool, on_invoke_tool: Any) -> CustomTool:
    """A copy with another function; subclasses of the SDK's classes may have other constructor arguments."""
    copied = copy.copy(tool)
    copied.on_invoke_tool = on_invoke_tool
    return copied


@dataclass(frozen=True, slots=True)
class _Registering:
    """Registers the resources of one tool, and creates their guards."""

    halo: Halo
    tool: Any
    resource: Resource | None
    grants: bool

    def make_guard(self, name: str, kind: _NativeKind, *, is_only: bool = True) -> GuardMetadata:
        """The guard of one resource; `is_only` if the tool has no other."""
        name, halo = clean_name(name), self.halo
        if not self.grants:
            unregistered = make_unregistered_resource(name, ActionKind.TOOL_CALL)
            return UnregisteredGuard(halo, self.tool, name, unregistered, TOOL_RESULT_SURFACE)
        declared = self.resource or halo.find_declared(name, *TOOL_KINDS) or kind.resource
        known = kind.arguments
        declared = replace(
            declared,
            id=declared.id if is_only and declared.id else name,
            # INVARIANT: FAILCLOSED - what a shell is told is a program, whatever it was declared as.
            programs=(declared.programs if kind is _CUSTOM else declared.list_programs()) or kind.resource.programs,
            targets=tuple(item for item in declared.targets if item in known) or kind.resource.targets,
            amount=declared.amount if declared.amount in known else "",
        )
        registered = halo.register_tool(name, declared, "", kind.make_schema())
        return GuardMetadata(halo, self.tool, name, registered, TOOL_RESULT_SURFACE)


# shells


def _guard_shell(tool: ShellTool | LocalShellTool, registering: _Registering) -> Callable[[Any], Awaitable[Any]]:
    guard, original = registering.make_guard(tool.name, _SHELL), tool.executor
    is_local = isinstance(tool, LocalShellTool)

    async def executor(request: Any) -> Any:
        request = dataclasses.replace(request, data=copy.deepcopy(request.data))  # nobody changes it meanwhile
        arguments = _read_local_command(request.data) if is_local else _read_commands(request.data)
        call_id = str(getattr(request.data, "call_id", "") or "")
        return await _run_call(NativeCall(guard, arguments, lambda: original(request), call_id))  # type: ignore[misc]

    setattr(executor, GUARD_ATTRIBUTE, guard)
    return executor


def _read_commands(data: Any) -> dict[str, Any]:
    """Commands of the shell tool, one on each line: the host runs them in order."""
    return {_COMMANDS: "\n".join(map(str, data.action.commands))}


def _read_local_command(data: Any) -> dict[str, Any]:
    """The command of the local shell tool as shell text, with its environment."""
    action = data.action
    words: Sequence[str] = list(map(str, action.command))
    is_script = len(words) == _SHELL_LENGTH and words[0] in _SHELLS and words[1] in _SCRIPT_FLAGS
    text = words[2] if is_script else shlex.join(words)
    variables = "".join(f"{name}={shlex.quote(str(value))} " for name, value in (action.env or {}).items())
    folder, user = action.working_directory, getattr(action, "user", None)
    text = f"{variables}{text}" if user is None else f"sudo -u {shlex.quote(str(user))} {variables}{text}"
    return {_COMMANDS: text, **({"working_directory": str(folder)} if folder else {})}


# patches


class _GuardedEditor:
    """An editor whose operations are decided; everything else comes from the host's."""

    def __init__(self, editor: Any, registering: _Registering) -> None:
        self._editor = editor
        self._guards = {
            name: registering.make_guard(f"{registering.tool.name}/{name}", kind, is_only=False)
            for name, kind in _EDITS.items()
        }
        setattr(self, GUARD_ATTRIBUTE, next(iter(self._guards.values())))

    def __getattr__(self, name: str) -> Any:
        """Return other attributes of the editor."""
        if name in {"_editor", "_guards"}:
            raise AttributeError(name)
        return getattr(self._editor, name)

    async def create_file(self, operation: Any) -> Any:
        """Create a file."""
        return await self._edit("create_file", operation)

    async def update_file(self, operation: Any) -> Any:
        """Change a file, and perhaps move it."""
        return await self._edit("update_file", operation)

    async def delete_file(self, operation: Any) -> Any:
        """Delete a file."""
        return await self._edit("delete_file", operation)

    async def _edit(self, name: str, operation: Any) -> Any:
        operation = dataclasses.replace(operation)
        values = {key: getattr(operation, key, None) for key in _EDITS[name].arguments}
        arguments = {key: value for key, value in values.items() if value is not None}
        method = getattr(self._editor, name)
        call = NativeCall(self._guards[name], arguments, lambda: method(operation))
        return await _run_call(call, lambda text: ApplyPatchResult(status="failed", output=text))


# custom tools


def _guard_custom(tool: CustomTool, registering: _Registering) -> Callable[[Any, str], Awaitable[Any]]:
    guard, original = registering.make_guard(tool.name, _CUSTOM), tool.on_invoke_tool

    async def on_invoke_tool(context: Any, text: str) -> Any:
        call_id = str(getattr(context, "tool_call_id", "") or "")
        return await _run_call(NativeCall(guard, {"input": text}, lambda: original(context, text), call_id))

    setattr(on_invoke_tool, GUARD_ATTRIBUTE, guard)
    return on_invoke_tool


# computers


def _guard_computer_tool(tool: ComputerTool[Any], registering: _Registering) -> ComputerTool[Any]:
    guards = {
        name: registering.make_guard(f"{COMPUTER_NAME}/{name}", kind, is_only=False) for name, kind in _GESTURES.items()
    }
    computer = tool.computer
    if isinstance(computer, Computer | AsyncComputer):
        return dataclasses.replace(tool, computer=_copy_computer(computer, guards))
    create = computer.create if isinstance(computer, ComputerProvider) else computer

    async def create_guarded(*, run_context: Any) -> Any:
        computer = create(run_context=run_context)
        return _copy_computer(await computer if inspect.isawaitable(computer) else computer, guards)

    setattr(create_guarded, GUARD_ATTRIBUTE, guards["screenshot"])
    if isinstance(computer, ComputerProvider):
        provider = dataclasses.replace(computer, create=create_guarded)
        setattr(provider, GUARD_ATTRIBUTE, guards["screenshot"])
        return dataclasses.replace(tool, computer=provider)
    return dataclasses.replace(tool, computer=create_guarded)


def _copy_computer(computer: Any, guards: Mapping[str, GuardMetadata]) -> Any:
    """Copy a computer that shares its original's state; each of its actions is decided.

    Raises:
        ConfigError: it cannot be copied.
    """
    kind = type(computer)
    try:
        guarded = object.__new__(_make_computer_class(kind, guards))
        guarded.__dict__ = computer.__dict__
    except (AttributeError, TypeError):
        remedy = "derive it from Computer or AsyncComputer"
        raise ConfigError("not_guardable", f"`{kind.__name__}` cannot be guarded", field="x", remedy=remedy) from None
    return guarded


def _make_computer_class(kind: type[Any], guards: Mapping[str, GuardMetadata]) -> type[Any]:
    methods = {
        name: _make_gesture(getattr(kind, name), guard, tuple(_GESTURES[name].arguments))
        for name, guard in guards.items()
    }
    return make_named_subclass(kind, {**methods, GUARD_ATTRIBUTE: guards["screenshot"]})


def _make_gesture(method: Callable[..., Any], guard: GuardMetadata, names: Sequence[str]) -> Callable[..., Any]:
    """Make a method decided under the SDK's argument names, whatever names the host's method uses."""

    @functools.wraps(method)
    async def gesture(self: Any, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = copy.deepcopy(args), copy.deepcopy(kwargs)
        extra_names = [f"argument_{place}" for place in range(len(names), len(args))]
        values = {**dict(zip((*names, *extra_names), args, strict=False)), **kwargs}
        arguments = {name: value for name, value in values.items() if value is not None}
        return await _run_call(NativeCall(guard, arguments, lambda: method(self, *args, **kwargs)), None)

    return gesture
