"""A server with one agent, for several workers; `APP_HOME` and `APP_RAN` name its home and the file of its counters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from app_models import model
from counting import Actions
from fastapi import FastAPI
from langchain.agents import create_agent

from halo_langchain import Halo
from halo_langchain.testing import call

actions = Actions(Path(os.environ["APP_RAN"]))
halo = Halo.local("desk", mode=os.environ["APP_MODE"], home=os.environ["APP_HOME"], quiet=True)  # halo


@actions.tool
def look_up(q: str) -> str:
    """Look something up."""
    return f"about {q}"


script = [call("look", ("look_up", {"q": "rain"}), id="m1"), "wet"]
agent = halo.guard(create_agent(model(actions, *script), [look_up]))  # halo
app = FastAPI()


@app.get("/ask")
async def ask(user: str) -> dict[str, Any]:
    """Answer a user."""
    with halo.session(user=user, request="What is rain?"):  # halo
        answer = await agent.ainvoke({"messages": [("user", "What is rain?")]})
    return {"answer": answer["messages"][-1].text, "pid": os.getpid()}
