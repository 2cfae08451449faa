"""Applications of the OpenAI Agents SDK whose tools are no functions: shells, patches, computers, servers.

Each is run without Halo, and then as observed and enforced: it does the same, and what ran by its own counters is what
the log says was decided.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from agents import (
    Agent,
    ApplyPatchTool,
    AsyncComputer,
    ComputerProvider,
    ComputerTool,
    CustomTool,
    FunctionTool,
    GuardrailFunctionOutput,
    LocalShellTool,
    RunConfig,
    Runner,
    ShellCommandOutput,
    ShellResult,
    ShellTool,
    SQLiteSession,
    WebSearchTool,
    input_guardrail,
)
from agents.editor import ApplyPatchResult
from agents.mcp import MCPServer
from counting import Actions, assert_all_decided, count_decided, count_questions, declare, list_refusals, list_undecided
from mcp.types import CallToolResult, TextContent, Tool
from oa_app_parts import LOOKS, CountingModel, ask, looks_once, make_agent, make_look, open_halo, require_whole, run
from openai.types.responses import (
    ResponseApplyPatchToolCall,
    ResponseComputerToolCall,
    ResponseCustomToolCall,
    ResponseFunctionShellToolCall,
)
from openai.types.responses.response_output_item import LocalShellCall
from pydantic import TypeAdapter

from halo_openai_agents.testing import call

Built = tuple[Agent[Any], dict[str, Any]]
CALLS: Any = TypeAdapter(
    ResponseFunctionShellToolCall
    | LocalShellCall
    | ResponseApplyPatchToolCall
    | ResponseComputerToolCall
    | ResponseCustomToolCall
)


class NativeModel(CountingModel):
    """Also asks for calls that are no function calls: `calls` of the n-th message."""

    def __init__(self, actions: Actions, name: str, *calls: dict[str, Any] | tuple[dict[str, Any], ...]) -> None:
        super().__init__(actions, [call("next", id=f"{name}-{n}") for n in range(len(calls))], name)
        self.calls = [item if isinstance(item, tuple) else (item,) for item in calls]

    def say(self, model_input: Any) -> Any:
        response = super().say(model_input)
        name, _, place = response.response_id.rpartition("-")
        if name == self.model:
            for n, item in enumerate(self.calls[int(place)]):
                ids = {"id": f"{name}-{place}-{n}", "call_id": f"{name}-{place}-{n}", "status": "completed"}
                response.output.append(CALLS.validate_python({**ids, **item}))
        return response


def shell(*commands: str) -> dict[str, Any]:
    return {"type": "shell_call", "action": {"commands": list(commands)}}


def local_shell(*words: str) -> dict[str, Any]:
    return {"type": "local_shell_call", "action": {"type": "exec", "command": list(words), "env": {}}}


def patch(kind: str, path: str) -> dict[str, Any]:
    more = {} if kind == "delete_file" else {"diff": "+rain\n"}
    return {"type": "apply_patch_call", "operation": {"type": kind, "path": path, **more}}


def click(x: int, y: int) -> dict[str, Any]:
    return computer({"type": "click", "x": x, "y": y, "button": "left"})


def computer(action: dict[str, Any]) -> dict[str, Any]:
    return {"type": "computer_call", "pending_safety_checks": [], "action": action}


def custom(name: str, text: str) -> dict[str, Any]:
    return {"type": "custom_tool_call", "name": name, "input": text}


def make_shell(actions: Actions, **more: Any) -> ShellTool:
    async def execute(request: Any) -> ShellResult:
        actions.note("tool_call", "shell")
        return ShellResult(output=[ShellCommandOutput(stdout=f"ran {item}") for item in request.data.action.commands])

    return ShellTool(execute, **more)


class Editor:
    """Notes each file operation."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions

    def create_file(self, operation: Any) -> ApplyPatchResult:
        self.actions.note("tool_call", "apply_patch/create_file")
        return ApplyPatchResult(status="completed", output=f"made {operation.path}")

    async def update_file(self, operation: Any) -> str:
        self.actions.note("tool_call", "apply_patch/update_file")
        return f"changed {operation.path}"

    def delete_file(self, operation: Any) -> None:
        self.actions.note("tool_call", "apply_patch/delete_file")


def _note_gesture(name: str) -> Callable[..., Any]:
    async def gesture(self: Any, *_args: Any, **_kwargs: Any) -> str | None:
        self.actions.note("tool_call", f"computer/{name}")
        return "cGl4ZWxz" if name == "screenshot" else None

    return gesture


GESTURES = "screenshot click double_click scroll type wait move keypress drag".split()
Screen: Any = type("Screen", (AsyncComputer,), {name: _note_gesture(name) for name in GESTURES})


def make_screen(actions: Actions) -> Any:
    screen = Screen()
    screen.actions = actions
    return screen


# applications


def a_coder_with_a_shell_and_patches(actions: Actions) -> Built:
    calls = (
        shell("ls"),
        (patch("create_file", "a.txt"), patch("update_file", "b.txt")),
        shell("cat a.txt", "wc -l a.txt"),
    )
    tools = [make_shell(actions), ApplyPatchTool(Editor(actions)), make_look(actions)]
    return Agent(name="coder", model=NativeModel(actions, "coder-model", *calls), tools=tools), {}


def a_coder_that_is_a_tool(actions: Actions) -> Built:
    coder, _ = a_coder_with_a_shell_and_patches(actions)
    actions.note("tool_call", "ask_coder")
    actions.note("handoff", "coder")
    script = [call("code", ("ask_coder", {"input": "list files"}), id="b1"), "coded"]
    told: list[Any] = []
    tool = coder.as_tool("ask_coder", "Ask the coder.", on_stream=told.append)
    return make_agent(actions, "boss", script, is_named=False, tools=[tool]), {}


def a_coder_that_is_handed_to(actions: Actions) -> Built:
    coder, _ = a_coder_with_a_shell_and_patches(actions)
    actions.note("handoff", "coder")
    script = [call("over", ("transfer_to_coder", {}), id="b1")]
    return make_agent(actions, "boss", script, handoffs=[coder]), {}


def an_older_shell(actions: Actions) -> Built:
    def execute(request: Any) -> str:
        actions.note("tool_call", "local_shell")
        return " ".join(request.data.action.command)

    model = NativeModel(actions, "coder-model", local_shell("ls", "-l"), local_shell("bash", "-lc", "ls | head"))
    return Agent(name="coder", model=model, tools=[LocalShellTool(execute)]), {}


def a_browser(actions: Actions) -> Built:
    actions_of_screen = (
        computer({"type": "screenshot"}),
        click(3, 4),
        computer({"type": "type", "text": "rain"}),
        computer({"type": "scroll", "x": 1, "y": 1, "scroll_x": 0, "scroll_y": 9}),
    )
    model = NativeModel(actions, "browser-model", *actions_of_screen)
    return Agent(name="browser", model=model, tools=[ComputerTool(make_screen(actions))]), {}


def a_browser_that_is_made_for_each_run(actions: Actions) -> Built:
    async def create(*, run_context: Any) -> Any:
        return make_screen(actions)

    async def dispose(*, run_context: Any, computer: Any) -> None:
        actions.note("other", "dispose")

    tool = ComputerTool(ComputerProvider(create=create, dispose=dispose))
    model = NativeModel(actions, "browser-model", click(3, 4), computer({"type": "keypress", "keys": ["ENTER"]}))
    return Agent(name="browser", model=model, tools=[tool]), {}


def a_tool_with_a_language_of_its_own(actions: Actions) -> Built:
    async def compute(_context: Any, text: str) -> str:
        actions.note("tool_call", "compute")
        return str(len(text))

    model = NativeModel(actions, "math-model", custom("compute", "1 + 1"), custom("compute", "2 + 2"))
    return Agent(name="math", model=model, tools=[CustomTool("compute", "Compute.", compute)]), {}


def a_tool_that_reads_its_own_arguments(actions: Actions) -> Built:
    """As the SDK's page shows it: a schema and a function that is handed JSON; an agent inside asks for it too."""

    async def invoke(_context: Any, text: str) -> str:
        actions.note("tool_call", "process_user")
        return text

    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    tool = FunctionTool("process_user", "Process a user.", schema, invoke)
    calls = (("process_user", {"name": "ana"}), ("ask_inner", {"input": "bo"}))
    actions.note("tool_call", "ask_inner")
    inner = looks_once(actions, "inner", ("process_user", {"name": "bo"}), tools=[tool])
    tools = [tool, inner.as_tool("ask_inner", "Ask.")]
    return looks_once(actions, "outer", *calls, is_named=False, tools=tools), {}


def a_coder_whose_guardrail_asks_and_who_remembers(actions: Actions) -> Built:
    @input_guardrail
    async def check(*_args: Any) -> GuardrailFunctionOutput:
        said = await ask(actions, "checker")
        return GuardrailFunctionOutput(said.final_output, tripwire_triggered=False)

    model = NativeModel(actions, "coder-model", shell("ls"), patch("update_file", "a.txt"))
    tools = [make_shell(actions), ApplyPatchTool(Editor(actions))]
    agent = Agent(name="coder", model=model, tools=tools, input_guardrails=[check])
    return agent, {"session": SQLiteSession("ana"), "run_config": RunConfig(workflow_name="coding")}


class Library(MCPServer):
    """A server in this process."""

    def __init__(self, actions: Actions, name: str, *names: str) -> None:
        super().__init__()
        self.actions, self._name, self._names = actions, name, names

    @property
    def name(self) -> str:
        return self._name

    async def connect(self) -> None:
        """Nothing to connect."""

    async def cleanup(self) -> None:
        """Nothing to clean."""

    async def list_tools(self, run_context: Any = None, agent: Any = None) -> Any:
        schema = {"type": "object", "properties": {"q": {"type": "string"}}}
        return [Tool(name=name, description="Look.", inputSchema=schema) for name in self._names]

    async def call_tool(self, tool_name: str, arguments: Any, meta: Any = None) -> Any:
        self.actions.note("tool_call", tool_name)
        return CallToolResult(content=[TextContent(type="text", text=f"{tool_name} {arguments}")])

    async def list_prompts(self) -> Any:
        raise NotImplementedError

    async def get_prompt(self, name: str, arguments: Any = None) -> Any:
        raise NotImplementedError


def servers_of_two_agents(actions: Actions) -> Built:
    books, shelves = Library(actions, "books", "find_book"), Library(actions, "shelves", "find_shelf")
    second = make_agent(
        actions,
        "second",
        [call("find", ("find_shelf", {"q": "b"}), ("find_book", {"q": "c"}), id="s1"), "found"],
        mcp_servers=[shelves, books],
    )
    script = [call("find", ("find_book", {"q": "a"}), id="f1"), call("over", ("transfer_to_second", {}), id="f2")]
    return make_agent(actions, "first", script, mcp_servers=[books], handoffs=[second]), {}


def a_server_beside_a_function_and_an_agent_as_a_tool(actions: Actions) -> Built:
    books = Library(actions, "books", "find_book")
    inner = make_agent(
        actions, "inner", [call("find", ("find_book", {"q": "a"}), id="i1"), "found"], mcp_servers=[books]
    )
    actions.note("tool_call", "ask_inner")
    calls = (LOOKS, ("find_book", {"q": "b"}), ("ask_inner", {"input": "c"}))
    tools = [make_look(actions), inner.as_tool("ask_inner", "Ask.")]
    return looks_once(actions, "outer", *calls, is_named=False, tools=tools, mcp_servers=[books]), {}


def a_tool_that_calls_a_server_by_itself(actions: Actions) -> Built:
    books = Library(actions, "books", "find_book")

    async def invoke(_context: Any, text: str) -> str:
        actions.note("tool_call", "search_all")
        found = [await books.call_tool("find_book", {"q": word}) for word in ("a", "b")]
        return " ".join(item.content[0].text for item in found)

    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    tool = FunctionTool("search_all", "Search all.", schema, invoke)
    return looks_once(actions, "outer", ("search_all", {}), is_named=False, tools=[tool]), {}


APPS: list[Callable[[Actions], Built]] = [
    a_coder_with_a_shell_and_patches,
    a_coder_that_is_a_tool,
    a_coder_that_is_handed_to,
    an_older_shell,
    a_browser,
    a_browser_that_is_made_for_each_run,
    a_tool_that_reads_its_own_arguments,
    a_coder_whose_guardrail_asks_and_who_remembers,
    servers_of_two_agents,
    a_server_beside_a_function_and_an_agent_as_a_tool,
    a_tool_that_calls_a_server_by_itself,
]
READS = ("look", "find_book", "find_shelf", "search_all", "process_user", "ask_inner", "ask_coder")
DECLARED = (
    *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in READS),
    "shell: {impact: read, source_trust: 900, idempotent: true}",
    "local_shell: {impact: read, source_trust: 900, idempotent: true}",
    "compute: {impact: read, source_trust: 900, idempotent: true}",
    *(f'"apply_patch/{name}": {{impact: write, reversal: undo}}' for name in ("create_file", "update_file")),
    *(f'"computer/{name}": {{impact: read, source_trust: 900, idempotent: true}}' for name in GESTURES),
)


async def _talk(agent: Any, given: dict[str, Any], *, streamed: bool) -> list[Any]:
    said = []
    for text in ("What is rain?", "And wind?")[: 2 if "session" in given else 1]:
        result = await run(agent, text, streamed=streamed, **given)
        outputs = [str(item.output) for item in result.new_items if item.type == "tool_call_output_item"]
        said.append((result.final_output, result.last_agent.name, outputs))
    return said


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("with_options", [True, False])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("build", APPS)
async def test_each_application_runs_as_without_halo(tmp_path, build, streamed, with_options, mode):
    home, actions, free = tmp_path / "home", Actions(), Actions()
    agent, given = build(free)
    expected = await _talk(agent, given, streamed=streamed)
    declare(home, *DECLARED)
    with open_halo(home, mode) as halo, halo.session(user="ana", request="Make a.txt and b.txt about rain."):
        agent, given = build(actions)
        guarded = halo.guard(agent)
        if with_options:
            given |= halo.run_options(run_config=given.get("run_config"), hooks=given.get("hooks"))
        found = await _talk(guarded, given, streamed=streamed)
    assert list_refusals(home) == []
    require_whole(home, actions)
    assert actions.count() == free.count()
    assert found == expected


# what is refused


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_what_a_coder_may_not_does_not_run(tmp_path, streamed, mode):
    """Under the starter policy, with nothing declared: the model asks for a deletion and for a command that removes."""
    home, actions = tmp_path / "home", Actions()
    model = NativeModel(actions, "coder-model", patch("delete_file", "a.txt"), shell("rm -rf /srv/data"))
    tools = [make_shell(actions), ApplyPatchTool(Editor(actions))]
    with open_halo(home, mode) as halo, halo.session(user="ana", request="What is in a.txt?"):
        agent = halo.guard(Agent(name="coder", model=model, tools=tools))
        result = await run(agent, "What is in a.txt?", streamed=streamed, **halo.run_options())
    assert result.final_output == "done"
    ran = ["apply_patch/delete_file", "shell"]
    assert actions.names() == (ran if mode == "observe" else [])
    assert_all_decided(home, actions)
    assert [name for _, name, _ in list_refusals(home)] == ran


@pytest.mark.parametrize("mode", ["observe", "enforce"])
async def test_a_tool_of_the_provider_is_refused_by_name_beside_others(tmp_path, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, *DECLARED)
    agent = looks_once(actions, "outer", is_named=False, tools=[make_look(actions), WebSearchTool()])
    with open_halo(home, mode) as halo:
        guarded = halo.guard(agent)
        if mode == "observe":
            await run(guarded, "hi", **halo.run_options())
        else:
            with pytest.raises(PermissionError, match="web_search"):
                await run(guarded, "hi", **halo.run_options())
    assert actions.names() == (["look"] if mode == "observe" else [])
    assert_all_decided(home, actions)


@pytest.mark.parametrize("mode", ["observe", "enforce"])
async def test_each_program_of_a_tool_with_a_language_of_its_own_is_asked_about(tmp_path, mode):
    """Nobody knows what its language can do, whatever the manifest says of the tool."""
    home, actions = tmp_path / "home", Actions()
    declare(home, *DECLARED)
    agent, given = a_tool_with_a_language_of_its_own(actions)
    with open_halo(home, mode) as halo, halo.session(user="ana", request="What is 1 + 1?"):
        result = await run(halo.guard(agent), "What is 1 + 1?", **given, **halo.run_options())
    assert result.final_output == "done"
    assert actions.names() == (["compute"] * 2 if mode == "observe" else [])
    assert_all_decided(home, actions)
    assert [name for _, name, _ in list_refusals(home)] == ["compute"] * 2
    assert count_questions(home) == (2 if mode == "enforce" else 0)


@pytest.mark.parametrize(("impact", "asked"), [("read", 0), ("execute", 2)])
async def test_an_input_that_is_declared_as_text_is_no_program(tmp_path, impact, asked):
    """Whatever a tool is given that executes stays one."""
    home, actions = tmp_path / "home", Actions()
    declare(home, f"compute: {{impact: {impact}, source_trust: 900, programs: {{input: text}}}}")
    agent, given = a_tool_with_a_language_of_its_own(actions)
    with open_halo(home, "enforce") as halo, halo.session(user="ana", request="What is 1 + 1?"):
        await run(halo.guard(agent), "What is 1 + 1?", **given, **halo.run_options())
    assert actions.names() == ([] if asked else ["compute"] * 2)
    assert_all_decided(home, actions)
    assert (len(list_refusals(home)), count_questions(home)) == (asked, asked)


async def test_a_shell_cannot_be_declared_to_run_text(tmp_path):
    home, actions = tmp_path / "home", Actions()
    declare(home, "shell: {impact: read, source_trust: 900, programs: {commands: text}}")
    model = NativeModel(actions, "coder-model", shell("deploy now"))
    with open_halo(home, "enforce") as halo:
        agent = halo.guard(Agent(name="coder", model=model, tools=[make_shell(actions)]))
        await run(agent, "What is there?", **halo.run_options())
    assert actions.names() == []
    assert [name for _, name, _ in list_refusals(home)] == ["shell"]


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("how", ["immediate", "left"])
async def test_a_stream_of_commands_that_is_cut_ran_what_the_log_says(tmp_path, how, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, *DECLARED)
    model = NativeModel(actions, "coder-model", *(shell(f"ls {n}") for n in range(4)))
    with open_halo(home, mode) as halo:
        agent = halo.guard(Agent(name="coder", model=model, tools=[make_shell(actions)]))
        result = Runner.run_streamed(agent, "go", **halo.run_options())
        async for event in result.stream_events():
            if event.type == "run_item_stream_event" and event.name == "tool_output":
                if how == "left":
                    break
                result.cancel(mode="immediate")
        result.cancel()
    assert 0 < len(actions.names()) < 4
    assert not actions.count("inference", "tool_call") - count_decided(home, "inference", "tool_call")
    assert (count_questions(home), list_undecided(home)) == (0, [])
