"""Classes that make an entry point of the framework's anew: decided there, once, or not guarded at all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.documents import Document
from langchain_core.language_models import LLM
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig, ensure_config
from langchain_core.tools import BaseTool, StructuredTool, Tool
from langgraph.prebuilt import ToolNode
from pydantic import BaseModel

from halo_core.errors import ConfigError, Denied
from halo_core.model import EntryKind, Impact
from halo_langchain import Resource
from halo_langchain.testing import ScriptedModel, call

READ = Resource(impact=Impact.READ, source_trust=900, idempotent=True)
CARD = "card 4111 1111 1111 1111"
BASE = '@id("b")\npermit (principal, action, resource);\n'
NOTHING = BASE + '@id("n")\nforbid (principal, action, resource);\n'


def restricted(obligation: str) -> str:
    return f'{BASE}@id("r")\n@effect("restrict")\n@obligation("{obligation}")\nforbid (principal, action, resource);\n'


class Fused(BaseRetriever):
    """As an ensemble: its entry points start the run themselves, and never come to the hook."""

    ran: Any = None

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return self.fuse(query)

    def fuse(self, query: str) -> list[Document]:
        self.ran.append(query)
        return [Document(CARD), Document("plain")]

    def invoke(self, input: str, config: Any = None, **kwargs: Any) -> list[Document]:  # noqa: A002
        manager = CallbackManager.configure(ensure_config(config).get("callbacks"))
        run = manager.on_retriever_start(None, input, name=self.get_name(), **kwargs)
        result = self.fuse(input)
        run.on_retriever_end(result)
        return result

    async def ainvoke(self, input: str, config: Any = None, **kwargs: Any) -> list[Document]:  # noqa: A002
        return Fused.invoke(self, input, config, **kwargs)


class Logged(BaseRetriever):
    """Its entry points add something, and go on to the framework's."""

    ran: Any = None
    k: int = 5

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        self.ran.append((query, self.k))
        return [Document(CARD), Document("plain")]

    def invoke(self, input: str, config: Any = None, **kwargs: Any) -> list[Document]:  # noqa: A002
        return super().invoke(input, config, **kwargs)

    async def ainvoke(self, input: str, config: Any = None, **kwargs: Any) -> list[Document]:  # noqa: A002
        return await super().ainvoke(input, config, **kwargs)


class Told(BaseCallbackHandler):
    def __init__(self) -> None:
        self.said: list[str] = []

    def on_retriever_end(self, documents: Any, **_: Any) -> None:
        self.said.extend(item.page_content for item in documents)


@pytest.fixture
def ran() -> list[Any]:
    return []


def both(thing: Any, value: Any, way: str, *more: Any, later: bool) -> Any:
    return asyncio.run(getattr(thing, "a" + way)(value, *more)) if later else getattr(thing, way)(value, *more)


RETRIEVERS = pytest.mark.parametrize("kind", [Fused, Logged])
LATER = pytest.mark.parametrize("later", [False, True])


@LATER
@RETRIEVERS
@pytest.mark.parametrize("way", ["invoke", "batch"])
def test_a_retriever_with_an_own_entry_is_denied(make_world, ran, kind, way, later):
    world = make_world(policy=NOTHING)
    guarded = world.halo.guard(kind(ran=ran), resource=READ)
    given = ["q"] if way == "batch" else "q"
    with pytest.raises(Denied):
        both(guarded, given, way, later=later)
    assert ran == []
    assert len(world.decisions(kind.__name__)) == 1


@LATER
@RETRIEVERS
def test_a_retriever_with_an_own_entry_is_decided_once(world, ran, kind, later):
    guarded = world.halo.guard(kind(ran=ran), resource=READ)
    found = both(guarded, "q", "invoke", later=later)
    assert [item.page_content for item in found] == [CARD, "plain"]
    assert len(ran) == len(world.decisions(kind.__name__)) == 1
    assert world.outcomes() == ["success"]


@LATER
@RETRIEVERS
@pytest.mark.parametrize(
    ("obligation", "left"),
    [("drop_labels(chd)", ["plain"]), ("redact_output()", ["card [pan …1111]", "plain"])],
)
def test_what_an_own_entry_finds_is_restricted(make_world, ran, kind, later, obligation, left):
    world = make_world(policy=restricted(obligation))
    guarded, told = world.halo.guard(kind(ran=ran), resource=READ), Told()
    config = {"callbacks": [told]}
    found = both(guarded, "q", "invoke", config, later=later)
    assert [item.page_content for item in found] == left
    assert CARD not in told.said
    assert len(world.decisions(kind.__name__)) == 1


@LATER
def test_what_is_narrowed_reaches_an_own_entry(make_world, ran, later):
    world = make_world(policy=restricted("clamp(k, 2)"))
    both(world.halo.guard(Logged(ran=ran), resource=READ), "q", "invoke", later=later)
    assert ran == [("q", 2)]
    assert len(world.decisions("Logged")) == 1


def test_an_own_entry_that_starts_its_run_passes_the_tripwire(world, ran):
    guarded = world.halo.guard(Fused(ran=ran), resource=READ)
    with world.halo.install():
        guarded.invoke("q")
    assert ran == ["q"]
    assert world.entries(EntryKind.SHADOW) == []


# tools


class Amount(BaseModel):
    amount: int
    note: str = "none"


class Pays(BaseTool):
    name: str = "pays"
    description: str = "Pay."
    args_schema: Any = Amount
    ran: Any = None

    def _run(self, amount: int, note: str = "") -> str:
        self.ran.append(amount)
        return CARD


def made(way: str, *, through: bool) -> type[BaseTool]:
    """A tool whose class has made one entry point anew, which goes on to the framework's or does all itself."""
    base = getattr(BaseTool, way)

    def sync(self: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        if through:
            return base(self, value, *args, **kwargs)
        self.ran.append(value)
        return CARD

    async def awaited(self: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        return await base(self, value, *args, **kwargs) if through else sync(self, value)

    return type("Own", (Pays,), {way: awaited if way[0] == "a" else sync, "__module__": __name__})


TOOLS = pytest.mark.parametrize(
    ("way", "through"), [(way, through) for way in ("invoke", "ainvoke", "run", "arun") for through in (False, True)]
)


def use(tool: Any, way: str, value: Any) -> Any:
    return asyncio.run(tool.ainvoke(value)) if way[0] == "a" else tool.invoke(value)


@TOOLS
def test_a_tool_with_an_own_entry_is_denied(make_world, ran, way, through):
    world = make_world(policy=NOTHING)
    guarded = world.halo.guard(made(way, through=through)(ran=ran), resource=READ)
    with pytest.raises(Denied):
        use(guarded, way, {"amount": 1})
    assert ran == []
    assert len(world.decisions("pays")) == 1


@TOOLS
def test_a_tool_with_an_own_entry_is_decided_once_and_restricted(make_world, ran, way, through):
    world = make_world(policy=restricted("redact_output()"))
    guarded = world.halo.guard(made(way, through=through)(ran=ran), resource=READ)
    found = use(guarded, way, {"amount": "1"})
    assert (found.content if isinstance(found, ToolMessage) else found) == "card [pan …1111]"
    assert len(ran) == len(world.decisions("pays")) == 1


@TOOLS
def test_an_own_entry_is_decided_on_what_the_body_would_get(make_world, ran, way, through):
    rule = '@id("m")\nforbid (principal, action, resource) when { context.args.amount > 5 };\n'
    world = make_world(policy=BASE + rule)
    guarded = world.halo.guard(made(way, through=through)(ran=ran), resource=READ)
    with pytest.raises(Denied):
        use(guarded, way, {"type": "tool_call", "id": "c1", "name": "pays", "args": {"amount": "6"}})
    assert ran == []
    use(guarded, way, {"type": "tool_call", "id": "c2", "name": "pays", "args": {"amount": "5"}})
    assert len(ran) == 1
    assert len(world.decisions("pays")) == 2


@TOOLS
def test_a_clamped_argument_reaches_an_own_entry(make_world, ran, way, through):
    world = make_world(policy=restricted("clamp(amount, 2)"))
    guarded = world.halo.guard(made(way, through=through)(ran=ran), resource=READ)
    use(guarded, way, {"amount": 9})
    assert ran == ([2] if through else [{"amount": 2}])


def test_what_the_framework_does_not_know_is_refused_at_an_own_entry(world, ran):
    guarded = world.halo.guard(made("invoke", through=False)(ran=ran), resource=READ)
    with pytest.raises(Denied):
        guarded.invoke({"amount": 1}, account="other")
    with pytest.raises(Denied):
        guarded.invoke({"amount": "no number"})
    assert ran == []


def test_a_tool_node_calls_an_own_entry_decided_once(world, ran):
    guarded = world.halo.guard(made("invoke", through=True)(ran=ran), resource=READ)
    node = world.halo.guard(_graph(ToolNode([guarded])))
    said = node.invoke({"messages": [call("x", ("pays", {"amount": 1}), id="m1")]})["messages"][-1]
    assert said.content == CARD
    assert len(ran) == len(world.decisions("pays")) == 1


def _graph(node: ToolNode) -> Any:
    from langgraph.graph import MessagesState, StateGraph

    built = StateGraph(MessagesState)
    built.add_node("tools", node)
    built.set_entry_point("tools")
    return built.compile()


class Held(StructuredTool):
    def _run(self, *args: Any, config: RunnableConfig, **kwargs: Any) -> Any:
        return super()._run(*args, config=config, **kwargs)


class HeldOne(Tool):
    def _run(self, tool_input: str, *, config: RunnableConfig, **kwargs: Any) -> Any:
        return super()._run(tool_input, config=config, **kwargs)

    async def _arun(self, tool_input: str, *, config: RunnableConfig, **kwargs: Any) -> Any:
        return await super()._arun(tool_input, config=config, **kwargs)


@pytest.mark.parametrize("kind", [Held, HeldOne])
def test_functions_of_a_tool_with_an_own_run_are_decided_once(make_world, ran, kind):
    def send(x: str) -> str:
        """Send."""
        ran.append(x)
        return "ok"

    async def asend(x: str) -> str:
        ran.append(x)
        return "ok"

    def tool() -> Any:
        more = {"args_schema": None} if kind is HeldOne else {}
        return kind.from_function(func=send, coroutine=asend, name="send", description="Send.", **more)

    denied = make_world(policy=NOTHING).halo.guard(tool(), resource=READ)
    for way in (denied.func, denied.invoke, denied.run):
        with pytest.raises(Denied):
            way("a")
    for way in (denied.coroutine, denied.ainvoke):
        with pytest.raises(Denied):
            asyncio.run(way("a"))
    assert ran == []
    world = make_world()
    guarded = world.halo.guard(tool(), resource=READ)
    guarded.invoke("a" if kind is HeldOne else {"x": "a"})
    asyncio.run(guarded.ainvoke("b" if kind is HeldOne else {"x": "b"}))
    guarded.func("c")
    asyncio.run(guarded.coroutine("d"))
    assert ran == ["a", "b", "c", "d"]
    assert len(world.decisions("send")) == 4


# models


class Batches(ScriptedModel):
    through: bool = False
    ran: Any = None

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        self.ran.append("sent")
        return super()._generate(*args, **kwargs)

    def batch(self, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
        if self.through:
            return super().batch(inputs, config, **kwargs)
        self.ran.extend(inputs)
        return [AIMessage(CARD) for _ in inputs]

    async def abatch(self, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
        return await super().abatch(inputs, config, **kwargs) if self.through else Batches.batch(self, inputs)

    def generate_prompt(self, prompts: Any, *args: Any, **kwargs: Any) -> Any:
        if self.through:
            return super().generate_prompt(prompts, *args, **kwargs)
        self.ran.extend(prompts)
        return LLMResult(generations=[[ChatGeneration(message=AIMessage(CARD))] for _ in prompts])

    async def agenerate_prompt(self, prompts: Any, *args: Any, **kwargs: Any) -> Any:
        if self.through:
            return await super().agenerate_prompt(prompts, *args, **kwargs)
        return Batches.generate_prompt(self, prompts)


class Completes(LLM):
    through: bool = False
    ran: Any = None

    @property
    def _llm_type(self) -> str:
        return "completes"

    def _call(self, prompt: str, *_: Any, **__: Any) -> str:
        self.ran.append(prompt)
        return CARD

    def batch(self, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
        if self.through:
            return super().batch(inputs, config, **kwargs)
        self.ran.extend(inputs)
        return [CARD for _ in inputs]

    async def abatch(self, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
        return await super().abatch(inputs, config, **kwargs) if self.through else Completes.batch(self, inputs)

    def generate_prompt(self, prompts: Any, *args: Any, **kwargs: Any) -> Any:
        if self.through:
            return super().generate_prompt(prompts, *args, **kwargs)
        self.ran.extend(prompts)
        return LLMResult(generations=[[Generation(text=CARD)] for _ in prompts])

    async def agenerate_prompt(self, prompts: Any, *args: Any, **kwargs: Any) -> Any:
        if self.through:
            return await super().agenerate_prompt(prompts, *args, **kwargs)
        return Completes.generate_prompt(self, prompts)


def model(kind: type[Any], ran: list[Any], *, through: bool) -> Any:
    more = {"script": [AIMessage(CARD)], "model_name": "m"} if kind is Batches else {}
    return kind(ran=ran, through=through, **more)


MODELS = pytest.mark.parametrize("kind", [Batches, Completes])
THROUGH = pytest.mark.parametrize("through", [False, True])


@pytest.mark.matrix
@LATER
@THROUGH
@MODELS
@pytest.mark.parametrize(("way", "given"), [("batch", ["q", "r"]), ("invoke", "q")])
def test_a_model_with_an_own_entry_is_denied(make_world, ran, kind, through, later, way, given):
    world = make_world(policy=NOTHING)
    guarded = world.halo.guard(model(kind, ran, through=through))
    with pytest.raises(Denied):
        both(guarded, given, way, later=later)
    assert ran == []
    assert len(world.decisions()) == 1


@pytest.mark.matrix
@LATER
@THROUGH
@MODELS
@pytest.mark.parametrize(("way", "given"), [("batch", ["q", "r"]), ("batch", ["q", "q"]), ("invoke", "q")])
def test_a_model_with_an_own_entry_is_decided_once_and_restricted(make_world, ran, kind, through, later, way, given):
    world = make_world(policy=restricted("redact_output()"))
    guarded = world.halo.guard(model(kind, ran, through=through))
    found = both(guarded, given, way, later=later)
    said = found if isinstance(found, list) else [found]
    assert [getattr(item, "text", item) for item in said] == ["card [pan …1111]"] * len(said)
    assert len(ran) == len(said)
    assert len(world.decisions()) == 1


def test_one_decision_of_a_batch_lets_each_of_its_prompts_pass_once(world, ran):
    class Twice(Batches):
        def batch(self, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
            return [self.invoke(item, config, **kwargs) for item in (*inputs, inputs[0], "other")]

    guarded = world.halo.guard(Twice(script=[AIMessage(CARD)], model_name="m", ran=ran, through=True))
    guarded.batch(["q", "r"])
    assert len(ran) == 4
    assert len(world.decisions()) == 3


# what cannot be decided


def passing(*_: Any, **__: Any) -> Any: ...


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        *((Fused(ran=[]), name) for name in ("batch", "abatch", "stream", "astream", "transform", "atransform")),
        *((Pays(ran=[]), name) for name in ("batch", "abatch", "stream", "astream", "transform", "atransform")),
        *((Batches(script=[], ran=[]), name) for name in ("transform", "batch_as_completed", "abatch_as_completed")),
        *((Completes(ran=[]), name) for name in ("transform", "atransform", "batch_as_completed")),
    ],
)
def test_an_own_entry_that_cannot_be_decided_is_refused_by_name(world, thing, name):
    own = type("Own", (type(thing),), {name: passing, "__module__": __name__})
    copy = thing.model_copy()
    object.__setattr__(copy, "__class__", own)
    with pytest.raises(ConfigError) as refused:
        world.halo.guard(copy)
    assert refused.value.code == "own_entry_point"
    assert f"`{name}`" in str(refused.value)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (Fused(ran=[]), "invoke"),
        (Pays(ran=[]), "run"),
        (Batches(script=[], ran=[]), "generate"),
        (Pays(ran=[]), "_run"),
    ],
)
def test_an_entry_that_one_object_holds_for_itself_is_refused(world, thing, name):
    copy = thing.model_copy()
    copy.__dict__[name] = passing
    with pytest.raises(ConfigError) as refused:
        world.halo.guard(copy)
    assert refused.value.code == "own_entry_point"


# what an own entry point hands on to


class Wrapping(BaseTool):
    """As a tool that logs calls: it has the name of the tool that it hands on to, and other arguments for it."""

    name: str = "pay"
    description: str = "Pay."
    inner: Any = None

    def _run(self, to: str) -> str:
        raise AssertionError(to)

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002
        return self.inner.invoke({"to": "eve"})

    def run(self, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        return self.inner.run({"to": "eve"})


class WrappingRetriever(Fused):
    """As an ensemble that asks another retriever first."""

    inner: Any = None

    def invoke(self, input: str, config: Any = None, **kwargs: Any) -> list[Document]:  # noqa: A002
        documents: list[Document] = self.inner.invoke("salaries")
        return documents


@pytest.mark.parametrize("way", ["invoke", "run"])
def test_a_tool_of_the_same_name_that_an_own_entry_hands_on_to_is_decided(world, ran, way):
    inner = StructuredTool.from_function(lambda to: ran.append(to) or "paid", name="pay", description="Pay.")
    guarded = world.halo.guard(Wrapping(inner=inner), resource=READ)
    with pytest.raises(Denied):
        getattr(guarded, way)({"to": "bo"})
    assert ran == []
    assert world.effects("pay") == ["allow", "deny"]


def test_a_retriever_that_an_own_entry_hands_on_to_is_decided(world, ran):
    guarded = world.halo.guard(WrappingRetriever(ran=[], inner=Logged(ran=ran)), resource=READ)
    guarded.invoke("holidays")
    assert ran == [("salaries", 5)]
    assert len(world.decisions()) == 2
