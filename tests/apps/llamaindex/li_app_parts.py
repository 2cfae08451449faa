"""What the LlamaIndex applications share: models, retrievers and databases that count what they do."""

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from counting import Actions, assert_all_decided, count_questions, declare, list_refusals, list_undecided
from llama_index.core import SQLDatabase
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.types import ChatMessage, TextBlock
from llama_index.core.graph_stores import SimplePropertyGraphStore
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

from halo_llamaindex import Halo
from halo_llamaindex.testing import ScriptedLLM


class CountedLLM(ScriptedLLM):
    """A scripted model; each call is noted under its name."""

    actions: Any

    def next_message(self, messages: Any) -> ChatMessage:
        self.actions.note("inference", self.model)
        return super().next_message(messages)


class AnsweringLLM(CountedLLM):
    """Answers by what a prompt holds: the first of its keys that is in it."""

    answers: dict[str, str]

    def next_message(self, messages: Any) -> ChatMessage:
        prompt = "\n".join(str(message.content) for message in messages)
        said = next((said for key, said in self.answers.items() if key in prompt), "It is thirty days.")
        return super().next_message([]).model_copy(update={"blocks": [TextBlock(text=said)]})

    def _completion_chunks(self) -> Any:
        raise NotImplementedError

    def complete(self, prompt: str, *_args: Any, **_kwargs: Any) -> Any:
        from llama_index.core.base.llms.types import CompletionResponse

        return CompletionResponse(text=self.next_message([ChatMessage(prompt)]).content or "")

    async def acomplete(self, prompt: str, *_args: Any, **_kwargs: Any) -> Any:
        return self.complete(prompt)


def scripted(actions: Actions, *script: Any, name: str) -> CountedLLM:
    """A model that says this, message by message."""
    return CountedLLM(script=list(script), actions=actions, model=name)


def answering(actions: Actions, answers: dict[str, str] | None = None, name: str = "answering") -> AnsweringLLM:
    """A model that answers each prompt by what is in it."""
    return AnsweringLLM(script=["x"], actions=actions, model=name, answers=answers or {})


class CountedShelf(BaseRetriever):
    """A few documents."""

    def __init__(self, actions: Actions, *texts: str, name: str) -> None:
        super().__init__()
        self._actions, self._texts, self._name = actions, texts, name

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        self._actions.note("retrieval", self._name)
        return [NodeWithScore(node=TextNode(text=item), score=1.0) for item in self._texts]


class CountedDatabase(SQLDatabase):
    """A database of orders."""

    def __init__(self, actions: Actions) -> None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        with engine.begin() as made:
            made.execute(text("create table orders(id int, product text)"))
            made.execute(text("insert into orders values (1, 'lamp'), (2, 'chair')"))
        super().__init__(engine)
        self.actions = actions

    def run_sql(self, command: str) -> Any:
        self.actions.note("tool_call", "orders.run_sql")
        return super().run_sql(command)

    def count_rows(self) -> int:
        """How many orders there are."""
        with self._engine.begin() as connection:
            return int(connection.execute(text("select count(*) from orders")).scalar() or 0)


class CountedGraph(SimplePropertyGraphStore):
    """A graph of products."""

    supports_structured_queries: bool = True

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.actions = actions

    def get_schema(self, refresh: bool = False) -> str:  # noqa: FBT001, FBT002  the base class's signature
        return "(:Product {name})"

    def get_schema_str(self, refresh: bool = False) -> str:  # noqa: FBT001, FBT002  as above
        return "(:Product {name})"

    def structured_query(self, query: str, param_map: Any = None) -> Any:
        self.actions.note("tool_call", "products.structured_query")
        return [{"n": 2}]


def open_halo(home: Path, mode: str, **options: Any) -> Halo:
    """The Halo of an application."""
    return Halo.local("desk", mode=mode, home=home, quiet=True, **options)


def require_whole(home: Path, actions: Actions, *, questions: int = 0, kinds: tuple[str, ...] = ()) -> None:
    """What ran is what was decided, so many questions were asked, and nothing was seen undecided."""
    assert_all_decided(home, actions, kinds=kinds)
    assert (count_questions(home), list_undecided(home)) == (questions, [])


def run(workflow: Any, words: str, **options: Any) -> Any:
    """Run a workflow to its end, at most for a minute."""

    async def go() -> Any:
        return await asyncio.wait_for(_run(), 60)

    async def _run() -> Any:
        return await workflow.run(user_msg=words, **options)

    return asyncio.run(go())


Guard = Callable[..., Any]
Run = Callable[[], Any]


def check_as_ungoverned(home: Path, build: Callable[[Guard, Actions], Run], mode: str, reads: tuple[str, ...]) -> None:
    """Require that an application does under Halo what it does without, and that the log says so.

    Args:
        home: of the Halo.
        build: makes the application with a guard, and what runs it; without Halo the guard gives back what it is given.
        mode: of the Halo.
        reads: tools that are declared as reads.
    """
    actions, free = Actions(), Actions()
    expected = _strip(_finish(build(lambda given, **_options: given, free)()))
    declare(home, *(f"{name}: {{impact: read, source_trust: 900}}" for name in reads))
    with open_halo(home, mode) as halo:
        found = _strip(_finish(build(halo.guard, actions)()))
    assert actions.count("inference")
    require_whole(home, actions)
    assert list_refusals(home) == []
    assert actions.count() == free.count()
    assert found == expected


def _finish(said: Any) -> Any:
    return asyncio.run(asyncio.wait_for(said, 60)) if inspect.isawaitable(said) else said


def _strip(found: Any) -> Any:
    """What came out, as words."""
    return [_strip(item) for item in found] if isinstance(found, (list, tuple)) else str(found)
