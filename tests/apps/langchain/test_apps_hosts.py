"""Where applications run: behind a server with several workers, in a notebook, in a run of pytest; and RAG chains."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from app_models import Answers, model
from counting import Actions, assert_all_decided, count_added_lines, count_questions, declare, list_refusals
from langchain.agents import create_agent
from langchain_classic.retrievers import ContextualCompressionRetriever, EnsembleRetriever, MultiQueryRetriever
from langchain_classic.retrievers.document_compressors import LLMChainExtractor
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from counts import is_thorough
from halo_langchain import Halo, Resource
from halo_langchain.testing import call
from halo_world import verified

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
HERE = Path(__file__).parent
_LONGEST_S = 600  # a machine under load takes minutes to import the frameworks


# retrievers that hold models and retrievers


class Shelf(BaseRetriever):
    """Gives one document."""

    actions: Any

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        self.actions.note("retrieval", "docs/Shelf")
        return [Document(f"about {query}")]


def make_retriever(kind: str, actions: Actions) -> Any:
    shelf, asks = Shelf(actions=actions), Answers(actions=actions, answers=["what is rain?\nwhat is wind?"])
    if kind == "multi query":
        return MultiQueryRetriever.from_llm(shelf, asks)
    if kind == "compression":
        return ContextualCompressionRetriever(base_compressor=LLMChainExtractor.from_llm(asks), base_retriever=shelf)
    return EnsembleRetriever(retrievers=[shelf, Shelf(actions=actions)], weights=[0.5, 0.5])


def build_rag(halo: Halo, kind: str, actions: Actions) -> Any:
    retriever = make_retriever(kind, actions)
    return halo.guard(retriever, resource=Resource(id="docs", impact="read", source_trust=900))  # halo


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("kind", ["multi query", "compression", "ensemble"])
def test_what_a_retriever_asks_is_decided(tmp_path, kind, awaited, mode):
    home, actions = tmp_path / "home", Actions()
    with Halo.local("desk", mode=mode, home=home, quiet=True) as halo, halo.session(user="ana", request="rain"):
        docs = build_rag(halo, kind, actions)
        found = asyncio.run(docs.ainvoke("rain")) if awaited else docs.invoke("rain")
    assert found
    actions.note("retrieval", "docs")  # the guarded one, whose body is the framework's
    assert_all_decided(home, actions)
    assert (count_questions(home), list_refusals(home)) == (0, [])
    assert count_added_lines(build_rag) == 1


# a server


@contextmanager
def _serving(home: Path, ran: Path, mode: str, workers: int) -> Iterator[str]:
    folders = (HERE, HERE.parent, HERE.parent.parent, *sys.path)
    env = {**os.environ, "APP_HOME": str(home), "APP_RAN": str(ran), "APP_MODE": mode}
    env["PYTHONPATH"] = os.pathsep.join(str(folder) for folder in folders if folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:  # requests wait in it until a worker runs
        line = [sys.executable, "-m", "uvicorn", "fastapi_app:app", "--fd", str(listener.fileno())]
        line += ["--workers", str(workers), "--log-level", "error"]
        server = subprocess.Popen(line, env=env, pass_fds=[listener.fileno()])
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            assert httpx.get(f"{url}/openapi.json", timeout=_LONGEST_S).status_code == 200
            yield url
        finally:
            server.terminate()
            server.wait(_LONGEST_S)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["enforce", pytest.param("observe", marks=pytest.mark.thorough)])
def test_workers_log_what_they_ran(tmp_path, mode):
    home, ran, requests = tmp_path / "home", tmp_path / "ran", 100 if is_thorough() else 12
    actions = Actions(ran)
    declare(home, "look_up: {impact: read, source_trust: 900}")

    async def ask_all(url: str) -> list[Any]:
        async with httpx.AsyncClient(timeout=_LONGEST_S, limits=httpx.Limits(max_keepalive_connections=0)) as client:
            asked = (client.get(f"{url}/ask", params={"user": f"user-{i % 5}"}) for i in range(requests))
            return [(await answer).json() for answer in asyncio.as_completed(list(asked))]

    with _serving(home, ran, mode, 4 if is_thorough() else 2) as url:
        answers = asyncio.run(ask_all(url))
    assert {answer["answer"] for answer in answers} == {"wet"}
    assert actions.count() == {("inference", "scripted"): 2 * requests, ("tool_call", "look_up"): requests}
    assert_all_decided(home, actions)
    assert verified(home) == 0


# a notebook, a run of pytest

NOTEBOOK = """
from langchain.agents import create_agent
from app_models import model
from counting import Actions
from halo_langchain import Halo
from halo_langchain.testing import call
actions = Actions()
# In [2]
halo = Halo.local("desk", mode=MODE, home=HOME, quiet=True)
# In [3]
@actions.tool
def look_up(q: str) -> str:
    '''Look something up.'''
    return f"about {q}"
agent = halo.guard(create_agent(model(actions, call("l", ("look_up", {"q": "rain"}), id="m1"), "wet"), [look_up]))
# In [4]
answer = await agent.ainvoke({"messages": [("user", "What is rain?")]})
# In [5]
again = await agent.ainvoke({"messages": [("user", "What is rain?")]})
# In [6]
agent = halo.guard(create_agent(model(actions, "dry"), [look_up]))
last = agent.invoke({"messages": [("user", "What is wind?")]})
"""


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_cells_of_a_notebook_run_one_by_one(tmp_path, mode):
    """As IPython does it: each cell is compiled by itself, with `await` at its top, in one running loop."""
    import ast
    import inspect

    home = tmp_path / "home"
    declare(home, "look_up: {impact: read, source_trust: 900}")
    names: dict[str, Any] = {"HOME": home, "MODE": mode}

    async def run_cells() -> None:
        for number, cell in enumerate(NOTEBOOK.split("# In [")):
            source = cell if number == 0 else cell.split("\n", 1)[1]
            code = compile(source, f"cell {number}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, names)
            if inspect.isawaitable(result):
                await result

    asyncio.run(run_cells())
    names["halo"].close()
    texts = [names[name]["messages"][-1].text for name in ("answer", "again", "last")]
    assert texts == ["wet", "wet", "dry"]
    assert_all_decided(home, names["actions"])
    assert count_questions(home) == 0


PYTEST_APP = """
import pytest
from langchain.agents import create_agent
from app_models import model
from counting import Actions, assert_all_decided
from halo_langchain import Halo
from halo_langchain.testing import call

@pytest.fixture
def actions(tmp_path):
    actions = Actions()
    yield actions
    assert_all_decided(tmp_path / "home", actions)

@pytest.fixture
def agent(tmp_path, actions):
    @actions.tool
    def look_up(q: str) -> str:
        '''Look something up.'''
        return f"about {q}"
    script = [call("l", ("look_up", {"q": "rain"}), id="m1"), "wet"]
    with Halo.local("desk", mode=MODE, home=tmp_path / "home", quiet=True) as halo:
        yield halo.guard(create_agent(model(actions, *script), [look_up]))

@pytest.mark.parametrize("turn", range(3))
def test_it_answers(agent, actions, turn):
    assert agent.invoke({"messages": [("user", "What is rain?")]})["messages"][-1].text == "wet"
    assert actions.names() == ["look_up"]
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["enforce", pytest.param("observe", marks=pytest.mark.thorough)])
def test_an_application_is_tested_with_pytest(tmp_path, mode):
    """Each test has a Halo of its own; the same messages come again in each."""
    (tmp_path / "test_app.py").write_text(textwrap.dedent(f"MODE = {mode!r}\n{PYTEST_APP}"))
    folders = (HERE, HERE.parent, HERE.parent.parent, *sys.path)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(str(folder) for folder in folders if folder)}
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "test_app.py"]
    done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    assert not (tmp_path / ".halo").exists()


def test_a_model_that_a_cached_agent_asks_twice_is_decided_twice(tmp_path):
    home, actions = tmp_path / "home", Actions()
    with Halo.local("desk", mode="enforce", home=home, quiet=True) as halo:
        agent = create_agent(model(actions, call("l", ("nothing", {}), id="m1"), "wet"), [])
        for _ in range(2):
            with suppress(Exception):
                halo.guard(agent).invoke({"messages": [("user", "What is rain?")]})
    assert_all_decided(home, actions, kinds=("inference",))
