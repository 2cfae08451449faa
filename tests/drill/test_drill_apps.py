"""Applications of odd shapes in a drill: agents in tools, code beside tools, bodies that are no functions, cycles."""

from __future__ import annotations

import threading

import pytest
from drill_world import GOES_ON, PLAIN, SEEN, play

from halo_core.drill import AttackClass, FunctionStubs, ModeChange
from halo_core.drill.diagnosis import HoleCode
from halo_core.errors import ConfigError

RESPELL = (AttackClass.RESPELL,)
SUB_AGENT = (AttackClass.SUB_AGENT,)


def found(result):
    return {(str(hole.code), hole.tool) for hole in result.holes}


# agents in the bodies of tools

LANGCHAIN_INNER = '''
from langchain.agents import create_agent
from langchain_core.tools import tool
from halo_langchain import Halo, Resource
from halo_langchain.testing import ScriptedModel

halo = Halo.local("desk", mode="enforce", quiet=True)


@tool
def read_mail(n: int) -> str:
    """Read a mail."""
    raise AssertionError("real")


@tool
def wire_money(account: str, amount: float) -> str:
    """Pay an amount to an account."""
    raise AssertionError("real")


PAYS = Resource(impact="payment", targets=("account",), amount="amount")
inner = create_agent(ScriptedModel(script=["never"]), [INNER])


def delegate(task: str) -> str:
    """Hand a task to a specialist."""
    return str(inner.invoke({"messages": [("user", task)]}))


agent = GUARD(
    create_agent(
        halo.guard(ScriptedModel(script=["never"])),
        [
            halo.guard(read_mail, resource=Resource(impact="read", source_trust=100)),
            halo.guard(delegate, resource=Resource(impact="read", source_trust=900)),
        ],
        middleware=[halo.middleware()],
    )
)
'''
OPENAI_INNER = '''
from agents import Agent, Runner, function_tool
from halo_openai_agents import Halo, Resource
from halo_openai_agents.testing import ScriptedModel

halo = Halo.local("desk", mode="enforce", quiet=True)


def read_mail(n: int) -> str:
    """Read a mail."""
    raise AssertionError("real")


@function_tool
def wire_money(account: str, amount: float) -> str:
    """Pay an amount to an account."""
    raise AssertionError("real")


PAYS = Resource(impact="payment", targets=("account",), amount="amount")
inner = Agent(name="specialist", model=ScriptedModel(["never"]), tools=[INNER])


async def delegate(task: str) -> str:
    """Hand a task to a specialist."""
    return str((await Runner.run(inner, task)).final_output)


agent = halo.guard(
    Agent(
        name="desk",
        model=ScriptedModel(["never"]),
        tools=[
            halo.guard(read_mail, resource=Resource(impact="read", source_trust=100)),
            halo.guard(delegate, resource=Resource(impact="read", source_trust=900)),
        ],
    )
)
'''
LLAMAINDEX_INNER = '''
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.tools import FunctionTool
from halo_llamaindex import Halo, Resource
from halo_llamaindex.testing import ScriptedLLM

halo = Halo.local("desk", mode="enforce", quiet=True)


def read_mail(n: int) -> str:
    """Read a mail."""
    raise AssertionError("real")


def pay(account: str, amount: float) -> str:
    """Pay an amount to an account."""
    raise AssertionError("real")


wire_money = FunctionTool.from_defaults(pay, name="wire_money")
PAYS = Resource(impact="payment", targets=("account",), amount="amount")
inner = FunctionAgent(name="specialist", llm=ScriptedLLM(script=["never"]), tools=[INNER], streaming=False)


async def delegate(task: str) -> str:
    """Hand a task to a specialist."""
    return str(await inner.run(user_msg=task))


agent = halo.guard(
    FunctionAgent(
        name="desk",
        llm=ScriptedLLM(script=["never"]),
        streaming=False,
        tools=[
            *halo.guard([read_mail], resource=Resource(impact="read", source_trust=100)),
            *halo.guard([delegate], resource=Resource(impact="read", source_trust=900)),
        ],
    )
)
'''
INNER = {"langchain": LANGCHAIN_INNER, "openai": OPENAI_INNER, "llamaindex": LLAMAINDEX_INNER}


OPEN = {
    "langchain": (
        ('halo.guard(delegate, resource=Resource(impact="read", source_trust=900))', "delegate"),
        ("[halo.middleware()]", "[]"),
    ),
    "openai": (
        ('halo.guard(delegate, resource=Resource(impact="read", source_trust=900))', "function_tool(delegate)"),
        ("agent = halo.guard(", "agent = ("),
    ),
    "llamaindex": (
        ('*halo.guard([delegate], resource=Resource(impact="read", source_trust=900))', "delegate"),
        ("agent = halo.guard(", "agent = ("),
    ),
}
"""For each framework, words that leave neither the tool with the agent in it nor the outer agent a guard."""


@pytest.mark.share(3)
@pytest.mark.slow
@pytest.mark.parametrize("framework", INNER)
def test_an_undecided_agent_in_the_body_of_an_unguarded_tool_is_found(framework, tmp_path, monkeypatch):
    source = INNER[framework].replace("[INNER]", "[wire_money]").replace("GUARD(", "(")
    for old, new in OPEN[framework]:
        assert old in source
        source = source.replace(old, new)
    result = play(framework, tmp_path, monkeypatch, source=source, classes=SUB_AGENT)
    assert dict(result.not_run) == {}
    assert found(result) == {(str(HoleCode.NOT_GUARDED), "wire_money")}
    assert "in the body of `delegate`" in result.holes[0].fix


@pytest.mark.share(3)
@pytest.mark.slow
@pytest.mark.parametrize("framework", INNER)
def test_a_guarded_tool_decides_the_agent_in_its_body(framework, tmp_path, monkeypatch):
    source = INNER[framework].replace("[INNER]", "[wire_money]").replace("GUARD(", "(")
    result = play(framework, tmp_path, monkeypatch, source=source, classes=SUB_AGENT)
    assert (found(result), result.held.hits, result.honest.hits) == (set(), 1, 1), result


@pytest.mark.share(3)
@pytest.mark.slow
@pytest.mark.parametrize("framework", INNER)
def test_an_inner_tool_with_a_guard_holds_and_honest_work_runs(framework, tmp_path, monkeypatch):
    guarded = "[halo.guard(wire_money, resource=PAYS)]"
    source = INNER[framework].replace("[INNER]", guarded).replace("GUARD(", "(")
    result = play(framework, tmp_path, monkeypatch, source=source, classes=SUB_AGENT)
    assert (found(result), result.held.hits, result.honest.hits) == (set(), 1, 1), result


@pytest.mark.slow
def test_a_guarded_graph_closes_the_agents_in_the_bodies_of_its_tools(tmp_path, monkeypatch):
    source = LANGCHAIN_INNER.replace("[INNER]", "[wire_money]").replace("GUARD(", "halo.guard(")
    result = play("langchain", tmp_path, monkeypatch, source=source, classes=SUB_AGENT)
    assert (found(result), result.held.hits) == (set(), 1)


# what depends on the floor and on the allow-list of model requests


@pytest.mark.share(3)
@pytest.mark.slow
@pytest.mark.parametrize("framework", INNER)
def test_no_model_request_bears_tools_of_the_provider(framework, tmp_path, monkeypatch):
    result = play(framework, tmp_path, monkeypatch, classes=(AttackClass.PROVIDER,))
    assert result.honest.hits == 1
    assert (found(result), result.held.hits) == (set(), 3)


@pytest.mark.slow
def test_honest_settings_of_a_model_request_go_out(tmp_path, monkeypatch):
    result = play("openai", tmp_path, monkeypatch, classes=(AttackClass.PROVIDER,))
    assert (result.honest.hits, result.honest.total) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["langchain", "openai"])
def test_enforcement_cannot_be_switched_off_from_below(framework, tmp_path, monkeypatch, capfd):
    from halo_core.crypto.keys import KeyStore
    from halo_core.store.config import StoreConfig
    from halo_core.store.store import Store
    from halo_world import cli

    home = tmp_path / ".halo"
    with_store = Store(StoreConfig(f"sqlite:///{home / 'halo.db'}", home, "local", "dev", 5.0), KeyStore(home))
    with_store.open()
    with_store.close()
    assert cli("enforce", home=home)[0] == 0
    result = play(framework, tmp_path, monkeypatch, ('mode="enforce", ', ""), classes=(AttackClass.MODE,))
    assert (found(result), result.held.hits) == (set(), len(ModeChange))
    assert "but the entries say" not in capfd.readouterr().err  # of a planted copy, and not of the operator's home


@pytest.mark.slow
def test_an_application_that_names_its_mode_does_not_follow_the_database(tmp_path, monkeypatch):
    result = play("openai", tmp_path, monkeypatch, classes=(AttackClass.MODE,))
    assert str(ModeChange.DATABASE) not in " ".join(hole.fix for hole in result.holes)


# what a drill refuses

NODES = '''
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from halo_langchain import Halo, Resource

halo = Halo.local("desk", mode="enforce", quiet=True)


def pay(account: str, amount: float) -> str:
    """Pay."""
    raise AssertionError("real")


def think(state: MessagesState):
    open(PATH, "w").write("an effect of the application's own code")
    return {"messages": [AIMessage("done")]}


builder = StateGraph(MessagesState)
builder.add_node("think", think)
builder.add_node("tools", ToolNode([halo.guard(pay, resource=Resource(impact="payment", targets=("account",)))]))
builder.add_edge(START, "think")
agent = builder.compile()
'''


def test_code_of_the_application_does_not_run_unasked(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="node `think`"):
        play("langchain", tmp_path, monkeypatch, source=NODES, classes=RESPELL)


def test_code_that_is_let_run_has_no_effects(tmp_path, monkeypatch):
    path = tmp_path / "written"
    source = NODES.replace("PATH", repr(str(path)))
    result = play("langchain", tmp_path, monkeypatch, source=source, classes=RESPELL, runs_code=True)
    assert not path.exists()
    assert any(str(path) in line for line in result.blocked)


OPAQUE = """
from langchain.agents import create_agent
from langchain_core.tools import StructuredTool
from pydantic import BaseModel
from halo_langchain import Halo, Resource
from halo_langchain.testing import ScriptedModel


class Names(BaseModel):
    account: str
    amount: float


halo = Halo.local("desk", mode="enforce", quiet=True)
opaque = StructuredTool(name="pay", description="Pay.", args_schema=Names, func=Names)
agent = create_agent(ScriptedModel(script=["never"]), [opaque])
"""


def test_a_tool_whose_body_is_no_function_is_refused_by_name(tmp_path, monkeypatch):
    result = play("langchain", tmp_path, monkeypatch, source=OPAQUE, classes=RESPELL)
    assert dict(result.refused) == {"pay": "its body is not a Python function"}
    assert (result.held.total, result.is_complete) == (0, False)


@pytest.mark.parametrize(
    ("framework", "source"),
    [
        ("langchain", "agent = [1, 2]"),
        ("openai", "from agents import Agent\nagent = Agent(name='x')"),
        ("llamaindex", "agent = object()"),
    ],
)
def test_what_is_no_agent_with_tools_is_refused(framework, source, tmp_path, monkeypatch):
    with pytest.raises(ConfigError) as refused:
        play(framework, tmp_path, monkeypatch, source=source)
    assert refused.value.code == "no_drill"


# bad input

CYCLE = '''
from agents import Agent
from halo_openai_agents import Halo, Resource
from halo_openai_agents.testing import ScriptedModel

halo = Halo.local("desk", mode="enforce", quiet=True)
held = {}


def refund(account: str, amount: float) -> str:
    """Refund an amount to an account."""
    return str(held["agent"])


def read_mail(n: int) -> str:
    """Read a mail."""
    return str(held["agent"])


inner = Agent(
    name="desk",
    model=ScriptedModel(["never"]),
    tools=[
        halo.guard(read_mail, resource=Resource(impact="read", source_trust=100)),
        halo.guard(refund, resource=Resource(impact="payment", targets=("account",), amount="amount")),
    ],
)
inner.handoffs.append(inner)
agent = halo.guard(inner)
held["agent"] = agent
'''


@pytest.mark.slow
def test_an_agent_that_holds_itself_is_drilled_in_bounded_time(tmp_path, monkeypatch):
    result = play("openai", tmp_path, monkeypatch, source=CYCLE, classes=RESPELL)
    assert (result.held.hits, result.holes) == (result.held.total, ())
    assert result.held.total


ENDLESS = '''
from drill_world import GOES_ON, SEEN
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from halo_langchain import Halo, Resource
from halo_langchain.testing import ScriptedModel


class Waits(AgentMiddleware):
    def before_model(self, state, runtime):
        GOES_ON.wait(3600)
        for effect in (lambda: open(PATH, "w"), lambda: pay("DE1", 1.0)):
            try:
                effect()
                SEEN.append("no effect")
            except BaseException as exc:
                SEEN.append(type(exc).__name__)


halo = Halo.local("desk", mode="enforce", quiet=True)


def pay(account: str, amount: float) -> str:
    """Pay."""
    raise AssertionError("real")


agent = create_agent(
    ScriptedModel(script=["never"]),
    [halo.guard(pay, resource=Resource(impact="payment", targets=("account",)))],
    middleware=[Waits(), halo.middleware()],
)
'''


@pytest.fixture
def kept_stubs(monkeypatch):
    """Puts back afterwards, for the other tests of this process, what a drill leaves replaced."""
    kept, keep = [], FunctionStubs.keep
    monkeypatch.setattr(FunctionStubs, "keep", lambda stubs: (keep(stubs), kept.append(stubs)))
    yield kept
    for stubs in kept:
        stubs._is_kept = False
        stubs.restore()


def test_a_run_that_does_not_end_ends_the_drill(tmp_path, monkeypatch, kept_stubs):
    monkeypatch.setattr("halo_core.drill.running._TURN_S", 1.0)
    path = tmp_path / "written"
    source = ENDLESS.replace("PATH", repr(str(path)))
    result = play("langchain", tmp_path, monkeypatch, source=source, classes=PLAIN, runs_code=True)
    assert not result.is_complete
    assert any("did not end" in why for why in result.not_run)
    assert (result.held.total, result.passed) == (0, False)
    # What goes on of it has no effects, and calls no real tool.
    (left,) = [item for item in threading.enumerate() if item.name == "halo-drill"]
    GOES_ON.set()
    left.join(60)
    assert SEEN == ["EffectBlocked", "no effect"]
    assert kept_stubs
    assert not path.exists()


# bodies of every kind

LANGCHAIN_BODIES = '''
from langchain.agents import create_agent
from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel
from halo_langchain import Halo, Resource
from halo_langchain.testing import ScriptedModel

halo = Halo.local("desk", mode="enforce", quiet=True)


class Names(BaseModel):
    account: str
    amount: float


class PayClass(BaseTool):
    name: str = "pay_class"
    description: str = "Pay an amount to an account."
    args_schema: type[BaseModel] = Names

    def _run(self, account: str, amount: float, run_manager=None) -> str:
        raise AssertionError("real")

    async def _arun(self, account: str, amount: float, run_manager=None) -> str:
        raise AssertionError("real")


class Desk:
    def pay(self, account: str, amount: float) -> str:
        """Pay an amount to an account."""
        raise AssertionError("real")


def pay_pair(account: str, amount: float):
    """Pay an amount to an account."""
    raise AssertionError("real")


TOOLS = [
    PayClass(),
    StructuredTool.from_function(Desk().pay, name="pay_method"),
    StructuredTool.from_function(pay_pair, response_format="content_and_artifact"),
]
PAYS = Resource(impact="payment", targets=("account",), amount="amount")
agent = create_agent(
    halo.guard(ScriptedModel(script=["never"])),
    [halo.guard(item, resource=PAYS) for item in TOOLS],
    middleware=[halo.middleware()],
)
'''
OPENAI_BODIES = '''
import json
from agents import Agent, FunctionTool, function_tool
from halo_openai_agents import Halo, Resource
from halo_openai_agents.testing import ScriptedModel

halo = Halo.local("desk", mode="enforce", quiet=True)
SCHEMA = {
    "type": "object",
    "properties": {"account": {"type": "string"}, "amount": {"type": "number"}},
    "required": ["account", "amount"],
    "additionalProperties": False,
}


async def invoke(context, text):
    raise AssertionError("real")


class Desk:
    async def pay_method(self, account: str, amount: float) -> str:
        """Pay an amount to an account."""
        raise AssertionError("real")


@function_tool
def pay_function(account: str, amount: float) -> str:
    """Pay an amount to an account."""
    raise AssertionError("real")


TOOLS = [
    FunctionTool(name="pay_invoker", description="Pay.", params_json_schema=SCHEMA, on_invoke_tool=invoke),
    function_tool(Desk().pay_method),
    pay_function,
]
PAYS = Resource(impact="payment", targets=("account",), amount="amount")
agent = halo.guard(
    Agent(
        name="desk",
        model=ScriptedModel(["never"]),
        tools=[halo.guard(item, resource=PAYS) for item in TOOLS],
    )
)
'''


@pytest.mark.slow
@pytest.mark.parametrize(
    ("framework", "source", "names"),
    [
        ("langchain", LANGCHAIN_BODIES, {"pay_class", "pay_method", "pay_pair"}),
        ("openai", OPENAI_BODIES, {"pay_invoker", "pay_method", "pay_function"}),
    ],
)
def test_bodies_of_every_kind_are_replaced(framework, source, names, tmp_path, monkeypatch):
    result = play(framework, tmp_path, monkeypatch, source=source, classes=(AttackClass.REDIRECT,))
    assert (dict(result.refused), dict(result.not_run), result.holes) == ({}, {}, ())
    assert (result.held.hits, result.honest.hits) == (len(names), len(names))


AWAITED = '''
from langchain.agents import create_agent
from langchain_core.tools import tool
from halo_langchain import Halo, Resource
from halo_langchain.testing import ScriptedModel

halo = Halo.local("desk", mode="enforce", quiet=True)


@tool
async def read_mail(n: int) -> str:
    """Read a mail."""
    raise AssertionError("real")


@tool
async def wire_money(account: str, amount: float) -> str:
    """Pay an amount to an account."""
    raise AssertionError("real")


async def delegate(task: str) -> str:
    """Hand a task to a specialist."""
    return str(await wire_money.ainvoke({"account": task, "amount": 1.0}))


PAYS = Resource(impact="payment", targets=("account",), amount="amount")
agent = create_agent(
    halo.guard(ScriptedModel(script=["never"])),
    [
        halo.guard(read_mail, resource=Resource(impact="read", source_trust=100)),
        halo.guard(wire_money, resource=PAYS),
        halo.guard(delegate, resource=Resource(impact="read", source_trust=900)),
    ],
    middleware=[halo.middleware()],
)
'''


def test_tools_that_are_only_awaited_are_drilled(tmp_path, monkeypatch):
    """As those of MCP servers; also in the body of another tool."""
    result = play("langchain", tmp_path, monkeypatch, source=AWAITED, classes=(*RESPELL, *SUB_AGENT))
    assert (dict(result.not_run), result.holes) == ({}, ())
    assert {str(item.attack_class) for item in result.scores if item.held.total} == {*RESPELL, *SUB_AGENT}
