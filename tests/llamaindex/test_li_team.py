"""Several agents: every entry is a hand-off, whatever wrote it; links narrow; nothing leaks between runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from li_functions import EVENTS, be_another, forget_who, go_over, send, take_session
from li_world import Member, Shelf, hands, run, told, trusted
from llama_index.core.agent.workflow import AgentSetup, AgentWorkflow, CodeActAgent, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.objects import ObjectRetriever
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context, StartEvent, StopEvent, Workflow, step

from halo_core.errors import ConfigError
from halo_core.model import Constraint, ConstraintKind, EntryKind
from halo_llamaindex import Denied, HandOff
from halo_llamaindex.testing import ScriptedLLM, call

ANY = Constraint(ConstraintKind.WILDCARD)
NO_BOB = """
@id("t.base") permit (principal, action, resource);
@id("t.no-bob") forbid (principal, action == Action::"bob", resource);
"""


def look(q: str) -> str:
    """Look."""
    return f"seen {q}"


LOOK = call("looking", ("look", {"q": "x"}), id="l1")


def team(halo: Any, said: dict[str, list[Any]], tools: dict[str, list[Any]] | None = None, **more: Any) -> Any:
    """Agents by name, the first begins; what each was asked is in `team.asked`."""
    asked: list[str] = []
    members = [
        FunctionAgent(
            name=name,
            description=f"{name} knows",
            tools=(tools or {}).get(name, []),
            llm=Member(script=script, speaker=name, asked=asked),
            can_handoff_to=more.get("can", {}).get(name),
        )
        for name, script in said.items()
    ]
    made = halo.guard(AgentWorkflow(agents=members, root_agent=next(iter(said))), give=more.get("give"))
    return made, asked


def subjects(world: Any, resource: str) -> list[list[str]]:
    return [list(e.body["request"]["subject"]["chain"]) for e in world.decisions(resource)]


def test_a_hand_off_is_one_decision_and_is_handed_back_at_the_end(world):
    tool = world.halo.guard(look, resource=trusted())
    made, asked = team(world.halo, {"alice": [hands("bob")], "bob": [LOOK, "bob is done"]}, {"bob": [tool]})
    assert str(run(made)) == "bob is done"
    assert asked == ["alice", "bob", "bob"]
    assert [name for name, _ in world.kinds()] == ["alice", "scripted", "bob", "scripted", "look", "scripted"]
    assert subjects(world, "look") == [["desk", "alice", "bob"]]
    assert len(world.entries(EntryKind.HANDBACK)) == 1


def test_handing_back_to_the_giver_is_a_way_back_and_not_one_further_down(world):
    tool = world.halo.guard(look, resource=trusted())
    said = {"alice": [hands("bob"), LOOK, "alice is done"], "bob": [hands("alice", "h2")]}
    made, asked = team(world.halo, said, {"alice": [tool]})
    assert str(run(made)) == "alice is done"
    assert asked == ["alice", "bob", "alice", "alice"]
    assert subjects(world, "look") == [["desk", "alice"]]


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_a_tool_that_writes_where_to_go_next_enters_nobody_undecided(make_world, mode):
    """`ctx.store.set("next_agent", ...)` walks around the hand-off tool and `can_handoff_to`: the entry is decided."""
    world = make_world(policy=NO_BOB, mode=mode)
    tool = world.halo.guard(go_over, resource=trusted())
    said = {"alice": [call("hm", ("go_over", {"to": "bob"}), id="g1"), "alice goes on"], "bob": ["bob was here"]}
    made, asked = team(world.halo, said, {"alice": [tool]}, can={"alice": []})
    assert str(run(made)) == ("alice goes on" if mode == "enforce" else "bob was here")
    assert ("bob" in asked) is (mode == "observe")
    assert world.effects("bob") == ["deny"]


def test_a_tool_that_writes_where_to_go_next_hands_on_no_more_than_the_giver_has(make_world):
    grants = {"go_over": {"to": ANY}, "alice": {"task": ANY}, "bob": {"task": ANY}}
    world = make_world(grants=grants)
    going, looking = world.halo.guard([go_over, look], resource=trusted())
    said = {"alice": [call("hm", ("go_over", {"to": "bob"}), id="g1")], "bob": [LOOK, "bob is done"]}
    made, _ = team(world.halo, said, {"alice": [going], "bob": [looking]})
    assert str(run(made)) == "bob is done"
    assert subjects(world, "look") == [["desk", "alice", "bob"]]
    assert world.reasons("look") == [["tool_not_granted"]]


def test_a_tool_that_writes_who_is_at_work_changes_nothing(world):
    being, looking = world.halo.guard([be_another, look], resource=trusted())
    both = call("both", ("be_another", {"name": "bob"}), id="b1")
    said = {"alice": [both, call("look", ("look", {"q": "x"}), id="l2"), "alice is done"], "bob": ["bob was here"]}
    made, asked = team(world.halo, said, {"alice": [being], "bob": [looking]})
    texts, words = told(made)
    # Written while nobody was handed to: bob's turn begins with a decision, as alice's hand-off.
    assert "bob" in [name for name, _ in world.kinds()]
    assert subjects(world, "bob") == [["desk", "alice"]]
    assert words == "bob was here"
    assert texts == ["was"]
    assert asked == ["alice", "bob"]


def test_without_what_says_who_acts_nothing_more_runs(world):
    forgetting = world.halo.guard(forget_who, resource=trusted())
    made, _ = team(
        world.halo, {"alice": [call("hm", ("forget_who", {}), id="f1"), "on"], "bob": []}, {"alice": [forgetting]}
    )
    with pytest.raises(Denied) as denied:
        run(made)
    assert denied.value.reason == "handed_back"


def test_an_event_that_names_an_agent_enters_nobody(world):
    """A tool can send events of the workflow's own."""
    EVENTS["setup"] = lambda: AgentSetup(input=[ChatMessage("go")], current_agent_name="bob")
    sending = world.halo.guard(send, resource=trusted())
    said = {"alice": [call("hm", ("send", {"event": "setup"}), id="s1"), "on"], "bob": ["bob was here"]}
    made, asked = team(world.halo, said, {"alice": [sending]})
    with pytest.raises(Denied) as denied:
        run(made)
    # Whichever of the two steps side by side hears of it first: nothing runs on.
    assert denied.value.reason in ("handoff_not_allowed", "handed_back")
    assert world.reasons("bob") == [["handoff_not_allowed"]]
    assert "bob" not in asked


def test_a_session_that_a_tool_makes_up_is_nobodys(world):
    taking, looking = world.halo.guard([take_session, look], resource=trusted())
    script = [call("hm", ("take_session", {"id": "another"}), id="t1"), LOOK]
    agent = world.halo.guard(FunctionAgent(tools=[taking, looking], llm=ScriptedLLM(script=script)))
    with pytest.raises(Denied) as denied:
        run(agent)
    assert denied.value.reason == "session_missing"
    assert world.effects("look") == []


def test_a_turn_that_begins_with_the_last_agent_enters_it(world):
    """A second run of the same context begins where the first ended: nobody handed to that agent in it."""
    made, asked = team(world.halo, {"alice": [hands("bob")], "bob": ["one", "two"]})

    async def twice() -> None:
        ctx, memory = Context(made), ChatMemoryBuffer.from_defaults()  # a context alone loses its memory
        assert str(await made.run(user_msg="a", ctx=ctx, memory=memory)) == "one"
        assert str(await made.run(user_msg="b", ctx=ctx, memory=memory)) == "two"

    asyncio.run(twice())
    assert asked == ["alice", "bob", "bob"]
    assert [name for name, _ in world.kinds() if name in ("alice", "bob")] == ["alice", "bob", "bob"]
    assert subjects(world, "bob") == [["desk", "alice"], ["desk"]]
    assert len({e.session for e in world.decisions()}) == 1  # one context, one session


def test_terms_narrow_and_are_for_agents_that_are_there(world):
    tool = world.halo.guard(look, resource=trusted())
    said = {"alice": [hands("bob")], "bob": [LOOK, "bob is done"]}
    made, _ = team(world.halo, said, {"bob": [tool]}, give={"bob": HandOff(grants={})})
    with pytest.raises(Denied):
        run(made)  # not even a model is left to bob
    with pytest.raises(ConfigError, match="not an agent of this workflow"):
        team(world.halo, said, give={"mallory": HandOff()})


def test_an_agent_that_is_made_up_is_denied_and_recorded(world):
    made, asked = team(world.halo, {"alice": [hands("mallory"), "alice goes on"], "bob": []})
    texts, words = told(made)
    assert "handoff_not_allowed" in texts[0]
    assert words == "alice goes on"
    assert world.effects("mallory") == ["deny"]
    assert asked == ["alice", "alice"]


def test_a_hand_off_without_a_name_is_refused(world):
    made, _ = team(world.halo, {"alice": [call("x", ("handoff", {"to_agent": 7}), id="h"), "on"], "bob": []})
    texts, _ = told(made)
    assert "invalid_arguments" in texts[0]


def test_a_denied_first_agent_ends_the_run(make_world):
    world = make_world(policy=NO_BOB)
    made, asked = team(world.halo, {"bob": ["hi"], "alice": ["hi"]})
    with pytest.raises(Denied):
        run(made)
    assert asked == []


def test_side_by_side_runs_have_sessions_and_links_of_their_own(world):
    tool = world.halo.guard(look, resource=trusted())
    made, _ = team(world.halo, {"alice": [hands("bob")], "bob": [LOOK, "bob is done"]}, {"bob": [tool]})

    async def several() -> list[str]:
        return [str(item) for item in await asyncio.gather(*(made.run(user_msg=f"q{i}") for i in range(5)))]

    assert asyncio.run(several()) == ["bob is done"] * 5
    assert len({e.session for e in world.decisions("look")}) == 5


def test_side_by_side_runs_of_one_session_do_not_take_each_others_links(world):
    tool = world.halo.guard(look, resource=trusted())
    made, _ = team(world.halo, {"alice": [hands("bob")], "bob": [LOOK, "bob is done"]}, {"bob": [tool]})

    async def several() -> list[str]:
        return [str(item) for item in await asyncio.gather(*(made.run(user_msg=f"q{i}") for i in range(4)))]

    with world.halo.session("one"):
        assert asyncio.run(several()) == ["bob is done"] * 4
    assert {e.session for e in world.decisions()} == {"one"}
    # The script gives every run's call the same id, so it runs once; nothing else is refused.
    refused = [codes for name, _ in set(world.kinds()) for codes in world.reasons(name) if "granted" not in codes]
    assert {code for codes in refused for code in codes} <= {"already_dispatched"}
    assert len(world.entries(EntryKind.HANDBACK)) == 4


def test_a_workflow_as_an_agent_of_its_own_is_entered_by_a_hand_off(world):
    tool = world.halo.guard(look, resource=trusted())
    agent = world.halo.guard(
        FunctionAgent(name="research", tools=[tool], llm=ScriptedLLM(script=[LOOK])),
        agent="research",
        give={"research": HandOff()},
    )
    run(agent, "who owns it?")
    assert subjects(world, "look") == [["desk", "research"]]
    made, _ = team(world.halo, {"alice": [LOOK], "bob": []}, {"alice": [tool]})
    whole = world.halo.guard(made, agent="office")
    run(whole)
    assert subjects(world, "look")[-1] == ["desk", "office", "alice"]


# agents that are no function agents


def test_a_react_agent_is_decided_like_any_other(world):
    tools = [world.halo.guard(look, resource=trusted("forbidden"))]
    script = ['Thought: I look.\nAction: look\nAction Input: {"q": "x"}', "Thought: I can answer.\nAnswer: no luck"]
    agent = world.halo.guard(ReActAgent(tools=tools, llm=ScriptedLLM(script=script, calls_functions=False)))
    assert str(run(agent)) == "no luck"
    assert world.effects("look") == ["deny"]
    assert world.effects("scripted") == ["allow", "allow"]


def test_a_code_act_agent_runs_code_only_where_that_is_granted(world):
    ran: list[str] = []

    def execute(code: str) -> str:
        """Execute."""
        ran.append(code)
        return "4"

    script = ["<execute>2 + 2</execute>", "it is 4"]

    def agent() -> Any:
        made = CodeActAgent(code_execute_fn=execute, llm=ScriptedLLM(script=script, calls_functions=False))
        return world.halo.guard(made)

    assert str(run(agent())) == "it is 4"
    assert ran == []
    assert world.effects("execute") == ["deny"]
    world.halo.guard(execute, resource=trusted(impact="read"))
    run(agent())
    assert ran == ["2 + 2"]
    assert world.effects("execute") == ["deny", "allow"]


def test_code_is_not_granted_by_something_else_that_is_called_execute(world):
    ran: list[str] = []

    def execute(code: str) -> str:
        """Only read."""
        return code

    def shell(code: str) -> str:
        """Execute."""
        ran.append(code)
        return "4"

    world.halo.guard(execute, resource=trusted(impact="read"))
    script = ["<execute>2 + 2</execute>", "it is 4"]
    run(world.halo.guard(CodeActAgent(code_execute_fn=shell, llm=ScriptedLLM(script=script, calls_functions=False))))
    assert ran == []
    assert world.effects("execute") == ["deny"]


class Found(ObjectRetriever):
    """Stands for an index over tools."""

    def __init__(self, tools: list[Any]) -> None:
        self._tools = tools

    def retrieve(self, _query: Any) -> list[Any]:
        return self._tools

    async def aretrieve(self, _query: Any) -> list[Any]:
        return self._tools


def test_tools_that_a_retriever_finds_are_decided(world):
    guarded, plain = world.halo.guard(look, resource=trusted()), FunctionTool.from_defaults(look, name="spy")
    script = [call("both", ("look", {"q": "x"}), ("spy", {"q": "y"}), id="m1")]
    agent = world.halo.guard(FunctionAgent(tool_retriever=Found([guarded, plain]), llm=ScriptedLLM(script=script)))
    texts, _ = told(agent)
    assert "seen x" in texts  # they answer in the order in which they end
    assert sum("tool_not_granted" in text for text in texts) == 1


def test_a_run_cannot_go_past_an_agents_own_class(world):
    """A class of the app's that overrides the tool call is asked by ours."""

    class Own(FunctionAgent):
        async def _call_tool(self, ctx: Any, tool: Any, tool_input: Any) -> Any:
            return await tool.acall(**tool_input)

    plain = FunctionTool.from_defaults(look)
    agent = world.halo.guard(Own(tools=[plain], llm=ScriptedLLM(script=[LOOK])))
    with pytest.raises(Denied):
        run(agent)  # it catches nothing, so the denial ends the run; the tool did not run
    assert world.reasons("look") == [["tool_not_granted"]]


def test_an_instances_own_step_is_refused(world):
    agent = AgentWorkflow(agents=[FunctionAgent(llm=ScriptedLLM())])
    agent._call_tool = lambda *_: None
    with pytest.raises(ConfigError, match="`_call_tool`"):
        world.halo.guard(agent)


class Flow(Workflow):
    """A workflow of an app's own, with a step that is no coroutine."""

    shelf: Any = None

    @step
    def begin(self, ev: StartEvent) -> StopEvent:
        found = self.shelf.retrieve("q")
        return StopEvent(result=found[0].get_content())


def test_a_workflow_of_an_apps_own_has_a_session_for_each_run(world):
    flow = Flow()
    flow.shelf = world.halo.guard(Shelf("thirty days"), resource=trusted(id="handbook"))
    guarded = world.halo.guard(flow)

    async def go() -> str:
        return str(await guarded.run())

    assert asyncio.run(go()) == "thirty days"
    assert asyncio.run(go()) == "thirty days"
    assert len({e.session for e in world.decisions("handbook")}) == 2


def test_the_original_of_a_guarded_team_is_what_it_was(world):
    agent = FunctionAgent(name="alice", llm=ScriptedLLM(script=["hi"]))
    original = AgentWorkflow(agents=[agent])
    guarded = world.halo.guard(original)
    assert str(run(original)) == "hi"
    assert world.kinds() == []
    assert str(run(guarded)) == "hi"
    assert world.kinds() == [("scripted", "allow")]
    assert type(guarded).__name__ == "AgentWorkflow"
    assert original.agents["alice"] is agent


def test_a_tool_that_is_called_like_a_guarded_one_takes_nothing_of_its(world):
    ran = []

    def other(q: str) -> str:
        """Do something else."""
        ran.append(q)
        return "done"

    world.halo.guard(look, resource=trusted())
    stranger = FunctionTool.from_defaults(other, name="look")
    agent = FunctionAgent(name="bob", tools=[stranger], llm=ScriptedLLM(script=[LOOK, "so"]))
    said, _ = told(world.halo.guard(agent))
    assert "needs_guard" in said[0]
    assert ran == []
