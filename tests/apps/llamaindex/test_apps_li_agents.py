"""Public patterns of LlamaIndex's agents: agents as tools, hand-offs, approvals, plans.

Each runs as its authors wrote it, with the lines for Halo marked `# halo`, once as observed and once enforced after
what a first day of observing would declare. What ran by its own counters is what the log says was decided.
"""

import asyncio
from typing import Any

import pytest
from counting import (
    Actions,
    assert_all_decided,
    count_actors,
    count_added_lines,
    count_questions,
    declare,
    list_refusals,
    list_undecided,
)
from li_app_parts import CountedShelf, open_halo, require_whole, run, scripted
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.workflow import (
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
    step,
)

from halo_llamaindex import Halo, HaloChallenge, Pending
from halo_llamaindex.testing import call

MODES = pytest.mark.parametrize("mode", ["observe", "enforce"])
CONTEXTS = pytest.mark.parametrize("with_context", [False, pytest.param(True, marks=pytest.mark.thorough)])


# agents as tools


def build_report_team(halo: Halo, actions: Actions, *, hostile: bool = False) -> Any:
    @actions.tool
    async def search_web(query: str) -> str:
        """Search the web."""
        return "The web is from 1989."

    @actions.tool
    def delete_report(report: str) -> str:
        """Delete a report."""
        return "deleted"

    wrongs = [call("wipe", ("delete_report", {"report": "all"}), id="v0")] if hostile else []
    research = FunctionAgent(
        name="ResearchAgent",
        description="Researches.",
        tools=[search_web],
        llm=scripted(
            actions, call("s", ("search_web", {"query": "history"}), id="r1"), "From 1989.", name="research-model"
        ),
    )
    write = FunctionAgent(
        name="WriteAgent", description="Writes.", tools=[], llm=scripted(actions, "A report.", name="write-model")
    )
    review = FunctionAgent(
        name="ReviewAgent",
        description="Reviews.",
        tools=[delete_report],
        llm=scripted(actions, *wrongs, "It is good.", name="review-model"),
    )

    @actions.tool
    async def call_research_agent(ctx: Context, prompt: str) -> str:
        """Have something researched."""
        result = await research.run(user_msg=prompt)
        async with ctx.store.edit_state() as state:
            state.setdefault("notes", []).append(str(result))
        return str(result)

    @actions.tool
    async def call_write_agent(ctx: Context) -> str:
        """Have the report written."""
        notes = await ctx.store.get("notes", default=[])
        return str(await write.run(user_msg=f"Write from {notes}"))

    @actions.tool
    async def call_review_agent(ctx: Context) -> str:
        """Have the report reviewed."""
        return str(await review.run(user_msg="Review the report."))

    tools = [call_research_agent, call_write_agent, call_review_agent]
    tools = halo.guard(tools)  # halo
    agent = FunctionAgent(
        tools=tools,
        llm=scripted(
            actions,
            call("research", ("call_research_agent", {"prompt": "history of the web"}), id="m1"),
            call("write", ("call_write_agent", {}), id="m2"),
            call("review", ("call_review_agent", {}), id="m3"),
            "Here is the report.",
            name="lead-model",
        ),
        initial_state={"notes": []},
    )
    return halo.guard(agent)  # halo


REPORT = (
    "call_research_agent: {impact: read}",
    "call_write_agent: {impact: read}",
    "call_review_agent: {impact: read}",
    "search_web: {impact: read, source_trust: 900}",
)


@MODES
@CONTEXTS
def test_agents_as_tools_are_decided_with_what_they_do(tmp_path, mode, with_context):
    home, actions = tmp_path / "home", Actions()
    declare(home, *REPORT)
    with open_halo(home, mode) as halo:
        team = build_report_team(halo, actions)

        async def go() -> Any:
            more = {"ctx": Context(team)} if with_context else {}
            return await asyncio.wait_for(team.run(user_msg="A report on the web.", **more), 60)

        assert str(asyncio.run(go())) == "Here is the report."
    assert actions.names() == ["call_research_agent", "search_web", "call_write_agent", "call_review_agent"]
    require_whole(home, actions)
    assert count_actors(home, "search_web") == {"ResearchAgent": 1}
    assert count_actors(home, "research-model") == {"ResearchAgent": 2}
    assert count_actors(home, "review-model") == {"ReviewAgent": 1}
    assert count_actors(home, "lead-model") == {"desk": 4}
    assert count_added_lines(build_report_team) == 2


@CONTEXTS
def test_what_an_agent_in_a_tool_may_not_do_does_not_run(tmp_path, with_context):
    home, actions = tmp_path / "home", Actions()
    declare(home, *REPORT)
    with open_halo(home, "enforce", answer_wait_s=2.0) as halo:
        team = build_report_team(halo, actions, hostile=True)

        async def go() -> Any:
            more = {"ctx": Context(team)} if with_context else {}
            return await asyncio.wait_for(team.run(user_msg="A report on the web.", **more), 60)

        asyncio.run(go())
    assert "delete_report" not in actions.names()
    assert [name for _, name, _ in list_refusals(home)] == ["delete_report"]
    assert count_actors(home, "delete_report") == {"ReviewAgent": 1}
    assert_all_decided(home, actions)


def test_a_run_that_waits_where_nobody_reads_its_events_ends_and_says_what_to_do(tmp_path):
    home, actions = tmp_path / "home", Actions()
    declare(home, *REPORT[:2], "call_review_agent: {impact: admin}", REPORT[3])
    with open_halo(home, "enforce", answer_wait_s=0.2) as halo:
        team = build_report_team(halo, actions)

        async def go() -> Any:
            return await asyncio.wait_for(team.run(user_msg="A report on the web.", ctx=Context(team)), 60)

        with pytest.raises(Pending, match="halo approvals approve") as waited:
            asyncio.run(go())
    assert waited.value.reason == "answer_not_awaited"
    assert "stream_events" in str(waited.value) or "events of the run" in str(waited.value)
    assert "call_review_agent" not in actions.names()
    assert count_questions(home) == 1
    assert_all_decided(home, actions)


# customer service with hand-offs


def build_bank(halo: Halo, actions: Actions) -> Any:
    @actions.tool
    def look_up_price(stock: str) -> str:
        """Look up the price of a stock."""
        return "12.30"

    @actions.tool
    def get_balance(account: str) -> str:
        """Get the balance of an account."""
        return "900.00"

    @actions.tool
    def transfer_money(to_account: str, amount: float) -> str:
        """Transfer money to an account."""
        return "transferred"

    look_up_price, get_balance, transfer_money = halo.guard([look_up_price, get_balance, transfer_money])  # halo

    def agent(name: str, tools: list[Any], peers: list[str], *script: Any) -> FunctionAgent:
        return FunctionAgent(
            name=name,
            description=f"{name}.",
            tools=tools,
            can_handoff_to=peers,
            llm=_Member(script=list(script), actions=actions, model=f"{name}-model", speaker=name),
        )

    over = {"reason": "it is theirs"}
    front = agent(
        "concierge",
        [],
        ["stocks", "accounts"],
        call("to accounts", ("handoff", {"to_agent": "accounts", **over}), id="c1"),
    )
    stocks = agent("stocks", [look_up_price], ["concierge"], "12.30")
    accounts = agent(
        "accounts",
        [get_balance, transfer_money],
        ["concierge"],
        call("balance", ("get_balance", {"account": "ACC-1"}), id="a1"),
        call("pay", ("transfer_money", {"to_account": "ACC-9", "amount": 90.0}), id="a2"),
        "It is done.",
    )
    return halo.guard(AgentWorkflow(agents=[front, stocks, accounts], root_agent="concierge"))  # halo


from li_app_parts import CountedLLM  # noqa: E402  beside the class that is derived from it


class _Member(CountedLLM):
    """A model that knows its own messages in a conversation of several."""

    speaker: str = ""

    def next_message(self, messages: Any) -> Any:
        said = super().next_message(messages)
        said.additional_kwargs["speaker"] = self.speaker
        return said

    def is_own(self, message: Any) -> bool:
        return super().is_own(message) and message.additional_kwargs.get("speaker", "") == self.speaker


BANK = (
    "look_up_price: {impact: read, source_trust: 900}",
    "get_balance: {impact: read, source_trust: 900}",
    "transfer_money: {impact: payment, targets: [to_account], amount: amount}",
)


@MODES
def test_customer_service_with_hand_offs(tmp_path, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, *BANK)
    with open_halo(home, mode) as halo:
        answer = run(build_bank(halo, actions), "Pay 90 to ACC-9 and tell me what is left on ACC-1.")
    assert str(answer) == "It is done."
    assert actions.names() == ["get_balance", "transfer_money"]
    require_whole(home, actions)
    assert count_actors(home, "transfer_money") == count_actors(home, "get_balance") == {"accounts": 1}
    assert count_actors(home, "concierge-model") == {"concierge": 1}
    assert count_added_lines(build_bank) == 2


# human in the loop


def build_careful(halo: Halo, actions: Actions) -> Any:
    @actions.tool
    async def dangerous_task(ctx: Context) -> str:
        """Do something that needs a person's word."""
        response = await ctx.wait_for_event(
            HumanResponseEvent,
            waiter_id="Proceed?",
            waiter_event=InputRequiredEvent(prefix="Proceed?", user_name="ana"),
            requirements={"user_name": "ana"},
        )
        return "done" if response.response == "yes" else "not done"

    tools = halo.guard([dangerous_task])  # halo
    llm = scripted(actions, call("d", ("dangerous_task", {}), id="m1"), "All done.", name="careful-model")
    return halo.guard(FunctionAgent(tools=tools, llm=llm))  # halo


@MODES
def test_an_approval_of_the_applications_own(tmp_path, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, "dangerous_task: {impact: write, reversal: undo}")
    with open_halo(home, mode) as halo:
        agent = build_careful(halo, actions)

        async def go() -> str:
            handler = agent.run(user_msg="Go on.", ctx=Context(agent))
            async for event in handler.stream_events():
                if isinstance(event, InputRequiredEvent):
                    handler.ctx.send_event(HumanResponseEvent(response="yes", user_name="ana"))
            return str(await handler)

        assert asyncio.run(asyncio.wait_for(go(), 60)) == "All done."
    # The framework runs a step that has waited from its beginning; that is the same call, decided as paused.
    assert actions.names() == ["dangerous_task", "dangerous_task"]
    assert actions.count("inference") == {("inference", "careful-model"): 2}
    assert (count_questions(home), list_undecided(home)) == (0, [])
    assert count_added_lines(build_careful) == 2


def test_an_approval_of_halos_in_the_same_loop(tmp_path):
    home, actions = tmp_path / "home", Actions()
    declare(home, "dangerous_task: {impact: admin}")
    with open_halo(home, "enforce") as halo:
        agent = build_careful(halo, actions)

        async def go() -> list[str]:
            handler = agent.run(user_msg="Go on.", ctx=Context(agent))
            asked: list[str] = []
            async for event in handler.stream_events():
                if isinstance(event, HaloChallenge):
                    asked.append(event.resource)
                    handler.ctx.send_event(HumanResponseEvent(pending_id=event.pending_id, response="reject"))
            await handler
            return asked

        assert asyncio.run(asyncio.wait_for(go(), 60)) == ["dangerous_task"]
    assert actions.names() == []
    assert count_questions(home) == 1


# plan and execute


class PlanMade(Event):
    steps: list[str]
    done: list[str]


class PlanAndExecute(Workflow):
    """Asks for a plan, has each step carried out by an agent, and sums up."""

    def __init__(self, llm: Any, worker: Any, shelf: Any, **options: Any) -> None:
        super().__init__(**options)
        self.llm, self.worker, self.shelf = llm, worker, shelf

    @step
    async def plan(self, ctx: Context, ev: StartEvent) -> PlanMade:
        known = await self.shelf.aretrieve(ev.user_msg)
        said = await self.llm.acomplete(f"Plan: {ev.user_msg} knowing {known[0].text}")
        return PlanMade(steps=str(said).split(";"), done=[])

    @step
    async def carry_out(self, ctx: Context, ev: PlanMade) -> PlanMade | StopEvent:
        if not ev.steps:
            return StopEvent(result="; ".join(ev.done))
        result = await self.worker.run(user_msg=ev.steps[0])
        return PlanMade(steps=ev.steps[1:], done=[*ev.done, str(result)])


def build_planner(halo: Halo, actions: Actions) -> Any:
    @actions.tool
    def book_room(city: str) -> str:
        """Book a room."""
        return f"booked in {city}"

    worker = FunctionAgent(
        name="worker",
        description="Works.",
        tools=[book_room],
        llm=scripted(
            actions, call("b", ("book_room", {"city": "Rome"}), id="w1"), "A room in Rome.", name="worker-model"
        ),
    )
    flow = PlanAndExecute(
        scripted(actions, "book a room", name="planner-model"),
        worker,
        CountedShelf(actions, "Rome is in Italy.", name="CountedShelf"),
        timeout=30,
    )
    return halo.guard(flow)  # halo


@MODES
def test_a_plan_and_what_carries_it_out(tmp_path, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, "book_room: {impact: write, reversal: undo}")
    with open_halo(home, mode) as halo:
        assert run(build_planner(halo, actions), "a trip to Rome") == "A room in Rome."
    assert actions.names() == ["book_room"]
    require_whole(home, actions)
    assert count_actors(home, "book_room") == {"worker": 1}
    assert count_actors(home, "planner-model") == {"desk": 1}
    assert count_added_lines(build_planner) == 1
