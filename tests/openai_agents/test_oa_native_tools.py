"""Shells, patches, computers and custom tools: decided right before the host's own code runs, with what it runs."""

from __future__ import annotations

from typing import Any

import pytest
from agents import (
    Agent,
    ApplyPatchTool,
    AsyncComputer,
    Computer,
    ComputerProvider,
    ComputerTool,
    CustomTool,
    LocalShellTool,
    ModelResponse,
    Runner,
    ShellCommandOutput,
    ShellResult,
    ShellTool,
)
from agents.usage import Usage
from oa_world import RAN, streamed
from openai.types.responses import (
    ResponseApplyPatchToolCall,
    ResponseComputerToolCall,
    ResponseCustomToolCall,
    ResponseFunctionShellToolCall,
)
from openai.types.responses.response_output_item import LocalShellCall
from pydantic import TypeAdapter

from halo_core.errors import Denied
from halo_openai_agents import Halo, Resource, doctor
from halo_openai_agents._results import to_input_items
from halo_openai_agents.testing import ScriptedModel

BASE = '@id("t.base") permit (principal, action, resource);\n'
CALL_TYPES: Any = TypeAdapter(
    ResponseFunctionShellToolCall
    | LocalShellCall
    | ResponseApplyPatchToolCall
    | ResponseComputerToolCall
    | ResponseCustomToolCall
)


@pytest.fixture(autouse=True)
def _ran():
    RAN.clear()


class Calling(ScriptedModel):
    """Asks for one call, then says what it was told."""

    def __init__(self, call: dict[str, Any]) -> None:
        super().__init__([])
        self.call = CALL_TYPES.validate_python({"id": "i1", "call_id": "c1", "status": "completed", **call})

    def say(self, model_input: Any) -> ModelResponse:
        told = [item for item in to_input_items(model_input) if str(item.get("type", "")).endswith("_output")]
        if not told:
            return ModelResponse(output=[self.call], usage=Usage(), response_id="r1")
        self.script = [f"told {told[-1].get('output')}"]
        return super().say("")


def forbid(name: str) -> str:
    return BASE + f'@id("t.no") forbid (principal, action == Action::"{name}", resource);'


def run_shell(request: Any) -> Any:
    RAN.append(list(request.data.action.commands))
    return ShellResult(output=[ShellCommandOutput(stdout="listed")])


async def run_local(request: Any) -> str:
    RAN.append(list(request.data.action.command))
    return "listed"


class Editor:
    def create_file(self, operation: Any) -> str:
        RAN.append(("create", operation.path, operation.diff))
        return "created"

    async def update_file(self, operation: Any) -> None:
        RAN.append(("update", operation.path, operation.diff))

    def delete_file(self, operation: Any) -> str:
        RAN.append(("delete", operation.path))
        return "deleted"


def run_custom(_context: Any, text: str) -> str:
    RAN.append(text)
    return "computed"


def make_computer(base: type[Any]) -> Any:
    is_async = base is AsyncComputer

    def method(name: str) -> Any:
        def run(self: Any, *args: Any) -> Any:
            RAN.append((name, *args))
            return "cGl4ZWxz" if name == "screenshot" else None

        async def arun(self: Any, *args: Any) -> Any:
            return run(self, *args)

        return arun if is_async else run

    names = "screenshot click double_click scroll type wait move keypress drag".split()
    return type("Screen", (base,), {name: method(name) for name in names})()


def shell_call(*commands: str) -> dict[str, Any]:
    return {"type": "shell_call", "action": {"commands": list(commands)}}


def local_call(*words: str, **more: Any) -> dict[str, Any]:
    return {"type": "local_shell_call", "action": {"type": "exec", "command": list(words), "env": {}, **more}}


def patch_call(kind: str, **fields: Any) -> dict[str, Any]:
    operation = {"type": kind, "path": "a.txt", **({} if kind == "delete_file" else {"diff": "+x"}), **fields}
    return {"type": "apply_patch_call", "operation": operation}


def computer_call(**action: Any) -> dict[str, Any]:
    return {"type": "computer_call", "pending_safety_checks": [], "action": action}


def custom_call(text: str) -> dict[str, Any]:
    return {"type": "custom_tool_call", "name": "compute", "input": text}


def patches() -> ApplyPatchTool:
    return ApplyPatchTool(Editor())


CLICK = {"type": "click", "x": 1, "y": 2, "button": "left"}
EACH = [
    ("shell", lambda: ShellTool(run_shell), shell_call("ls"), [["ls"]]),
    ("local_shell", lambda: LocalShellTool(run_local), local_call("ls"), [["ls"]]),
    (
        "apply_patch/create_file",
        lambda: ApplyPatchTool(Editor()),
        patch_call("create_file"),
        [("create", "a.txt", "+x")],
    ),
    (
        "apply_patch/update_file",
        lambda: ApplyPatchTool(Editor()),
        patch_call("update_file"),
        [("update", "a.txt", "+x")],
    ),
    ("apply_patch/delete_file", lambda: ApplyPatchTool(Editor()), patch_call("delete_file"), [("delete", "a.txt")]),
    ("compute", lambda: CustomTool("compute", "Compute.", run_custom), custom_call("1 + 1"), ["1 + 1"]),
]
IDS = [name for name, *_ in EACH]


@pytest.mark.parametrize("run", [Runner.run, streamed])
@pytest.mark.parametrize(("name", "make", "asked", "ran"), EACH, ids=IDS)
async def test_it_is_decided_and_runs_as_decided(make_world, run, name, make, asked, ran):
    world = make_world(policy=BASE)
    guarded = world.halo.guard(Agent(name="worker", model=Calling(asked), tools=[make()]))
    await run(guarded, "go", **world.halo.run_options())
    assert ran == RAN
    assert world.effects(name) == ["allow"]
    assert world.order() == ["scripted", name, "scripted"]
    assert world.shadows() == []


@pytest.mark.parametrize("mode", ["enforce", "observe"])
@pytest.mark.parametrize(("name", "make", "asked", "ran"), EACH, ids=IDS)
async def test_refused_it_runs_in_observe_mode_only_and_the_model_is_told(make_world, mode, name, make, asked, ran):
    world = make_world(mode=mode, policy=forbid(name))
    guarded = world.halo.guard(Agent(name="worker", model=Calling(asked), tools=[make()]))
    result = await Runner.run(guarded, "go", **world.halo.run_options())
    assert ([] if mode == "enforce" else ran) == RAN
    assert world.effects(name) == ["deny"]
    assert ("policy_denied" in result.final_output) == (mode == "enforce")


class Scratchpad(CustomTool):
    """Made from other arguments than the SDK's own, as the patch tool of a sandbox is."""

    def __init__(self, *, folder: str) -> None:
        self.folder = folder
        super().__init__("compute", "Compute.", run_custom)


async def test_a_custom_tool_of_a_class_of_its_own_is_decided(make_world):
    world, tool = make_world(policy=BASE), Scratchpad(folder="tmp")
    guarded = world.halo.guard(Agent(name="worker", model=Calling(custom_call("1 + 1")), tools=[tool]))
    await Runner.run(guarded, "go", **world.halo.run_options())
    assert (RAN, world.effects("compute")) == (["1 + 1"], ["allow"])
    assert (guarded.tools[0].folder, tool.on_invoke_tool) == ("tmp", run_custom)


@pytest.mark.parametrize("base", [Computer, AsyncComputer])
@pytest.mark.parametrize("way", ["object", "factory", "provider"])
async def test_each_action_at_a_computer_is_decided(make_world, base, way):
    world = make_world(policy=BASE)
    computer = make_computer(base)
    given = {
        "object": computer,
        "factory": lambda run_context: computer,
        "provider": ComputerProvider(create=lambda run_context: computer),
    }[way]
    tool = ComputerTool(given)
    await Runner.run(world.halo.guard(Agent(name="w", model=Calling(computer_call(**CLICK)), tools=[tool])), "go")
    assert RAN == [("click", 1, 2, "left"), ("screenshot",)]
    assert world.order() == ["scripted", "computer/click", "computer/screenshot", "scripted"]
    assert tool.computer is given


async def test_a_refused_action_at_a_computer_ends_the_run(make_world):
    world = make_world(policy=forbid("computer/click"))
    made = Agent(name="w", model=Calling(computer_call(**CLICK)), tools=[ComputerTool(make_computer(AsyncComputer))])
    with pytest.raises(Denied):
        await Runner.run(world.halo.guard(made), "go", **world.halo.run_options())
    assert RAN == []


async def test_the_host_may_declare_them_and_grant_none(make_world):
    world = make_world(policy=BASE)
    tool = world.halo.guard(ShellTool(run_shell), resource=Resource(impact="read", source_trust=900, labels=("x",)))
    registered = world.halo.find_registered("shell")
    assert (registered.impact, registered.programs, registered.labels) == ("read", (("commands", "shell"),), ("x",))
    assert world.halo.guard(tool) is tool
    ungranted = world.halo.guard(
        Agent(name="w", model=Calling(local_call("ls")), tools=[LocalShellTool(run_local)]), grants=False
    )
    result = await Runner.run(ungranted, "go", **world.halo.run_options())
    assert RAN == []
    assert "tool_not_granted" in result.final_output


async def test_one_that_was_put_back_into_a_guarded_agent_is_refused(make_world):
    world = make_world(policy=BASE)
    guarded = world.halo.guard(Agent(name="w", model=Calling(shell_call("ls")), tools=[ShellTool(run_shell)]))
    guarded.tools[0].executor = run_shell
    with pytest.raises(Denied) as denied:
        await Runner.run(guarded, "go", **world.halo.run_options())
    assert denied.value.reason == "needs_guard"
    assert RAN == []


def test_the_doctor_says_that_they_are_closed(halo):
    tools = [make() for _, make, *_ in EACH] + [ComputerTool(make_computer(Computer))]
    guarded = halo.guard(Agent(name="w", model=ScriptedModel([]), tools=tools))
    assert {row.status.value for row in doctor(guarded) if row.kind.value == "tool" and row.point != "none"} == {
        "closed"
    }


# under the starter policy


@pytest.mark.parametrize(
    ("asked", "runs"),
    [
        (shell_call("ls -la", "cat notes.txt"), True),
        (shell_call("rm -rf /srv"), False),
        (shell_call("ls", "rm -rf /srv"), False),
        (local_call("ls", "-la"), True),
        (local_call("bash", "-lc", "ls -la"), True),
        (local_call("bash", "-lc", "rm -rf /srv"), False),
        (local_call("rm", "-rf", "/srv"), False),
        (local_call("ls", env={"LD_PRELOAD": "/tmp/x.so"}), False),
        (local_call("ls", user="root"), False),
        (custom_call("import os; os.remove('x')"), False),
        (patch_call("create_file", path="../.ssh/authorized_keys"), False),
        (patch_call("delete_file", path="/srv/data"), False),
    ],
    ids=lambda item: (
        str(item.get("action") or item.get("operation") or item.get("input")) if isinstance(item, dict) else ""
    ),
)
def test_under_the_starter_policy_what_reads_runs_and_what_acts_is_asked_about(tmp_path, asked, runs):
    tools = [
        ShellTool(run_shell),
        LocalShellTool(run_local),
        ApplyPatchTool(Editor()),
        CustomTool("compute", "Compute.", run_custom),
    ]
    with Halo.local("desk", mode="enforce", home=tmp_path / "halo", quiet=True) as halo:
        guarded = halo.guard(Agent(name="w", model=Calling(asked), tools=tools))
        result = Runner.run_sync(guarded, "have a look around", **halo.run_options())
    assert bool(RAN) == runs
    assert ("pending" in result.final_output) != runs


def test_what_the_user_asks_for_is_patched(tmp_path):
    request = "Create the file notes/todo.txt with a line x"
    with (
        Halo.local("desk", mode="enforce", home=tmp_path / "halo", quiet=True) as halo,
        halo.session(user="ana", request=request),
    ):
        asked = patch_call("create_file", path="notes/todo.txt")
        guarded = halo.guard(Agent(name="w", model=Calling(asked), tools=[ApplyPatchTool(Editor())]))
        Runner.run_sync(guarded, request, **halo.run_options())
    assert RAN == [("create", "notes/todo.txt", "+x")]
