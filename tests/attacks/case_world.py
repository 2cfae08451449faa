"""Run variants of attacks and their honest twins, and say which tools ran.

A case is one or more conversations of a scripted agent with real tools of a real framework, in a fresh home with the
starter policy in enforce mode. Each tool only writes down that it ran, and answers with a text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from halo_core.model import Resource
from halo_world import cli

__all__ = ["FRAMEWORKS", "Case", "Outcome", "Talk", "World", "run_case"]

Calls = tuple[tuple[str, Mapping[str, Any]], ...]


def _pays(*targets: str) -> Resource:
    return Resource(impact="payment", targets=targets, amount="amount", reversal="compensate")


def _sends(*targets: str) -> Resource:
    return Resource(impact="send", targets=targets)


READ = Resource(impact="read", source_trust=900, idempotent=True)
FOREIGN = Resource(impact="read", source_trust=100)
WRITE = Resource(impact="write", source_trust=900, reversal="undo")
PII = Resource(impact="read", source_trust=900, idempotent=True, labels=("pii",))
CRM_WRITE = Resource(impact="write", source_trust=900, reversal="undo", system="crm")
CRM_READ = Resource(impact="read", source_trust=900, idempotent=True, system="crm")

TOOLS: dict[str, tuple[str, str, Resource | None]] = {
    # sources
    "read_mail": ("n: int", "Read a mail.", FOREIGN),
    "browse": ("url: str", "Open a web page.", Resource(impact="read", source_trust=100, targets=("url",))),
    "look_up": ("vendor: str", "Look a vendor's bank details up in our directory.", READ),
    "find_contact": ("name: str", "Find a contact in our address book.", READ),
    "search_notes": ("q: str", "Search our own notes.", READ),
    "list_files": ("folder: str", "List the files of a folder.", READ),
    "read_file": ("path: str", "Read a file.", READ),
    "read_customer": ("customer: str", "Read a customer's record.", PII),
    "get_balance": ("account: str", "Balance of an account.", READ),
    "get_calendar": ("day: str", "Read the calendar of a day.", READ),
    # payments
    "pay": ("account: str, amount: float", "Pay an amount to an account.", _pays("account")),
    "pay_person": ("recipient: str, amount: float", "Pay a person.", _pays("recipient")),
    "transfer": (
        "sort_code: str, account_number: str, amount: float",
        "Transfer an amount.",
        _pays("sort_code", "account_number"),
    ),
    "pay_invoice": (
        "iban: str, amount: float, reference: str, due: str",
        "Pay an invoice.",
        _pays("iban"),
    ),
    "pay_many": ("payments: list[dict[str, str]], amount: float", "Pay several.", _pays("payments")),
    "wire": ("order: dict[str, str], amount: float", "Wire by an order.", _pays("order")),
    "submit_order": ("order_json: str, amount: float", "Submit a payment order.", _pays("order_json")),
    "pay_number": ("account: int, amount: float", "Pay an amount to an account.", _pays("account")),
    "refund_card": ("card: str, amount: float", "Refund to a card.", _pays("card")),
    "send_coins": ("address: str, amount: float", "Send coins to an address.", _pays("address")),
    # messages
    "send_email": ("to: str, subject: str, body: str", "Send an e-mail.", _sends("to")),
    "send_emails": ("to: list[str], subject: str, body: str", "Send an e-mail to several.", _sends("to")),
    "send_copy": ("to: str, bcc: str, subject: str, body: str", "Send an e-mail.", _sends("to")),
    "reply_to": ("to: str, reply_to: str, body: str", "Send an e-mail.", _sends("to")),
    "send_sms": ("number: str, text: str", "Send a text message.", _sends("number")),
    "post_message": ("channel: str, text: str", "Post to a channel.", _sends("channel")),
    "http_post": ("url: str, data: str", "Send a POST request.", _sends("url")),
    "fetch_page": ("url: str", "Fetch a web page.", Resource(impact="read", source_trust=100, targets=("url",))),
    "add_event": (
        "title: str, start: str, attendees: list[str]",
        "Put an event into the calendar and invite.",
        _sends("attendees"),
    ),
    # rights and deletion
    "invite_user": (
        "email: str, workspace: str",
        "Invite a user.",
        Resource(impact="admin", targets=("email",), reversal="undo"),
    ),
    "add_collaborator": (
        "repo: str, username: str",
        "Add a collaborator.",
        Resource(impact="admin", targets=("repo", "username"), reversal="undo"),
    ),
    "delete_file": ("path: str", "Delete a file.", Resource(impact="delete", targets=("path",))),
    "delete_record": ("record_id: str", "Delete a record.", Resource(impact="delete", targets=("record_id",))),
    # programs
    "run_shell": ("command: str", "Run a shell command.", Resource(impact="execute", targets=("command",))),
    "run_python": ("code: str", "Run Python.", Resource(impact="execute", targets=("code",))),
    "run_sql": ("sql: str", "Run SQL.", Resource(impact="execute", targets=("sql",))),
    "run_in_sandbox": (
        "code: str",
        "Run Python in a sandbox.",
        Resource(impact="execute", targets=("code",), contained=True),
    ),
    "sandbox": ("code: str", "Run Python in a sandbox.", Resource(impact="execute", targets=("code",), contained=True)),
    # stores
    "remember": ("note: str", "Write a note to memory.", WRITE),
    "recall": ("q: str", "Read memory.", READ),
    "write_file": ("path: str, text: str", "Write a file.", WRITE),
    "append_file": ("path: str, text: str", "Append to a file.", WRITE),
    "copy_file": ("source: str, target: str", "Copy a file.", WRITE),
    "move_file": ("source: str, target: str", "Move a file.", WRITE),
    "rename_file": ("old: str, new: str", "Rename a file.", WRITE),
    "link_file": ("src: str, dst: str", "Make a link.", WRITE),
    "export_table": ("table: str, path: str", "Export a table to a file.", WRITE),
    "import_file": ("path: str, table: str", "Import a file into a table.", WRITE),
    "put_value": ("key: str, value: str", "Keep a value.", WRITE),
    "get_value": ("key: str", "Get a kept value.", READ),
    "copy_value": ("from_key: str, to_key: str", "Copy a kept value.", WRITE),
    "add_note": ("text: str", "Add a note; gives its number.", WRITE),
    "read_note": ("number: int", "Read a note by its number.", READ),
    "merge_files": ("sources: list[str], target: str", "Merge files.", WRITE),
    "save_memo": ("text: str", "Save a memo.", None),
    "load_memos": ("q: str", "Load memos.", None),
    "insert_row": ("table: str, name: str, value: str", "Insert a row.", CRM_WRITE),
    "select_rows": ("table: str", "Read rows.", CRM_READ),
    "crm_report": ("name: str", "Report from the CRM.", CRM_READ),
    "index_text": ("text: str", "Put a text into the vector store.", WRITE),
    "search_index": ("q: str", "Search the vector store.", READ),
    "enqueue": ("task: str", "Queue a job.", WRITE),
    "next_job": ("queue: str", "Take the next job.", READ),
    # helpers
    "decode": ("text: str", "Decode a text.", READ),
    "translate": ("text: str, language: str", "Translate a text.", READ),
    "calculate": ("expression: str", "Compute.", READ),
    "render": ("template: str, values: dict[str, str]", "Fill a template.", READ),
    "summarize": ("text: str", "Summarize a text.", READ),
    "extract": ("text: str, pattern: str", "Extract by a pattern.", READ),
    # grants
    "save_contact": ("name: str, email: str", "Save a contact.", WRITE),
    "save_payee": ("name: str, iban: str", "Save a payee.", WRITE),
    "set_forwarding": ("address: str", "Forward all mail.", WRITE),
    "add_ssh_key": ("title: str, key: str", "Add an SSH key.", WRITE),
    "create_webhook": ("url: str, event: str", "Create a webhook.", WRITE),
    "schedule_job": ("cron: str, command: str", "Schedule a job.", WRITE),
    "update_settings": ("settings: dict[str, str]", "Update settings.", WRITE),
    "add_filter": ("match: str, action: str", "Add a mail filter.", WRITE),
    "update_row": ("table: str, key: str, values: dict[str, str]", "Update a row.", CRM_WRITE),
    # undeclared
    "query_database": ("sql: str", "Query the database.", None),
    "check_out": ("account: str, amount: float", "Check out and pay the account.", None),
    "get_paid": ("payee: str, amount: float", "Settle what is open.", None),
    "view_and_share": ("document: str, email: str", "View a document and share it.", None),
    "list_cleanup": ("path: str", "List and clean up a folder.", None),
    "read_or_run": ("command: str", "Read or run.", None),
    "open_link": ("url: str", "Open a link.", None),
    "lookup_host": ("host: str", "Resolve a host name.", None),
    "search_web": ("q: str", "Search the web.", None),
    "load_image": ("src: str", "Load an image.", None),
    "get_report": ("path: str, upload_to: str", "Get a report.", None),
    "process": ("payload: str", "Process.", None),
    "find_and_replace": ("path: str, old: str, new: str", "Replace text in a file.", None),
    "notify": ("who: str, text: str", "Notify somebody.", None),
    "check_access": ("username: str, role: str", "Check and grant access.", None),
    "fetch_remote": ("repository: str", "Clone a repository.", None),
    "get_weather": ("city: str", "Weather of a city.", None),
    "convert_currency": ("amount: float, source: str, target: str", "Convert an amount.", None),
    "list_folder": ("path: str", "List a folder.", None),
    "get_document": ("path: str", "Read a document.", None),
    "search_docs": ("q: str, limit: int", "Search our documents.", None),
    "draft_reply": ("text: str", "Keep a draft.", None),
    "count_words": ("text: str", "Count words.", None),
    "make_title": ("text: str", "Make a title.", None),
    "get_time": ("zone: str", "Time in a zone.", None),
}
"""Name -> parameters, description, declaration (None: undeclared)."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One run of the agent.

    Args:
        told: the user's message.
        calls: the tool calls of the model, one a step.
        reply: its last words.
        request: what the host vouches for; None: nothing.
        history: (role, text) before the user's message.
        goes_on: the conversation of the run before is continued.
        inserted: a user message that a part of the application writes after the first tool call.
        agent: who runs; another name is another Halo over the same home.
        system: the system prompt.
        user: whom the host asserts.
    """

    told: str
    calls: Calls
    reply: str = "done"
    request: str | None = None
    history: tuple[tuple[str, str], ...] = ()
    goes_on: bool = False
    inserted: str = ""
    agent: str = "desk"
    system: str = ""
    user: str = "ana@corp.example"


@dataclass(frozen=True, slots=True)
class Case:
    """Runs, what the tools answer, and what must not run, or else must.

    Args:
        name: of the variant.
        talks: the runs in order.
        answers: tool -> its text, or a function of its arguments.
        forbidden: the tool whose body must not run; empty for honest work, of which everything runs.
        matching: which calls of the forbidden tool count.
        at_most: how many such calls may run.
        stores: tools that must have run before a reading tool of `answers` gives its text; else it gives nothing.
        known: kind and value of what the operator declared as known.
    """

    name: str
    talks: tuple[Talk, ...]
    answers: Mapping[str, Any] = field(default_factory=dict)
    forbidden: str = ""
    matching: Callable[[Mapping[str, Any]], bool] = lambda _args: True
    stores: tuple[str, ...] = ()
    at_most: int = 0
    known: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What ran, what was called and did not run, and why."""

    ran: tuple[tuple[str, Mapping[str, Any]], ...]
    missing: tuple[str, ...]
    why: tuple[str, ...]
    held: bool


class World:
    """Tools of one home that write down what ran, and Halos over it."""

    def __init__(self, facade: Any, home: Path, case: Case) -> None:
        self.facade, self.home, self.answers, self.stores = facade, home, case.answers, case.stores
        self.known = case.known
        self.ran: list[tuple[str, Mapping[str, Any]]] = []
        self._halos: dict[str, Any] = {}

    def function(self, name: str) -> Callable[..., str]:
        """A tool's body, with the signature of the table."""
        parameters, words, _ = TOOLS[name]
        names = [part.split(":")[0].strip() for part in _split(parameters) if part]
        made: dict[str, Any] = {"_record": self._record}
        given = ", ".join(f"{item!r}: {item}" for item in names)
        source = f'def {name}({parameters}) -> str:\n    """{words}"""\n    return _record({name!r}, {{{given}}})\n'
        exec(source, made)
        return made[name]

    def _record(self, name: str, args: Mapping[str, Any]) -> str:
        self.ran.append((name, args))
        stored = {called for called, _ in self.ran}
        if self.stores and name in self.answers and name != "read_mail" and not stored.issuperset(self.stores):
            return "nothing"
        answer = self.answers.get(name, "ok")
        return str(answer(args)) if callable(answer) else str(answer)

    def halo(self, agent: str) -> Any:
        if agent not in self._halos:
            self._halos[agent] = self.facade.local(agent, home=self.home, mode="enforce", quiet=True)
            self._declare_known()
        return self._halos[agent]

    def _declare_known(self) -> None:
        known, self.known = self.known, ()
        for kind, value in known:
            code, _, problem = cli("known", "add", kind, value, home=self.home)
            assert not code, problem

    def close(self) -> None:
        for halo in self._halos.values():
            halo.close()


def _split(parameters: str) -> list[str]:
    parts, depth = [""], 0
    for sign in parameters:
        depth += (sign == "[") - (sign == "]")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


class LangChain:
    """Runs a talk in LangChain."""

    def __init__(self) -> None:
        from halo_langchain import Halo

        self.facade = Halo

    def talk(self, halo: Any, tools: Mapping[str, tuple[Any, Resource | None]], talk: Talk, place: Any) -> Any:
        from langchain.agents import create_agent
        from langchain.agents.middleware import AgentMiddleware
        from langchain_core.messages import AIMessage, HumanMessage
        from langgraph.checkpoint.memory import InMemorySaver

        from halo_langchain.testing import ScriptedModel, call

        class Inserts(AgentMiddleware):  # type: ignore[type-arg]
            def before_model(self, state: Any, runtime: Any) -> Any:
                there = any(str(m.text) == talk.inserted for m in state["messages"])
                return (
                    None
                    if there or state["messages"][-1].type != "tool"
                    else {"messages": [HumanMessage(talk.inserted)]}
                )

        saver, thread, spoken = place or (InMemorySaver(), f"t-{id(talk)}", 0)
        before = spoken + sum(role == "assistant" for role, _ in talk.history)
        number = before
        script: list[Any] = ["before"] * before
        for item in talk.calls:
            script.append(call("step", item, id=f"m{id(talk)}-{number}"))
            number += 1
        script.append(AIMessage(talk.reply))
        own = [Inserts()] if talk.inserted else []
        built = create_agent(
            ScriptedModel(script=script),
            [halo.guard(f, resource=r) for f, r in tools.values()],
            middleware=[*own, halo.middleware()],
            checkpointer=saver,
            system_prompt=talk.system or None,
        )
        config: Any = {"configurable": {"thread_id": thread}}
        state = built.invoke({"messages": [*talk.history, ("user", talk.told)]}, config)
        spoken = sum(isinstance(m, AIMessage) for m in state["messages"])
        return saver, thread, spoken


class LlamaIndex:
    """Runs a talk in LlamaIndex."""

    def __init__(self) -> None:
        from halo_llamaindex import Halo

        self.facade = Halo

    def talk(self, halo: Any, tools: Mapping[str, tuple[Any, Resource | None]], talk: Talk, place: Any) -> Any:
        from llama_index.core.agent.workflow import FunctionAgent
        from llama_index.core.base.llms.types import ChatMessage
        from llama_index.core.workflow import Context, InputRequiredEvent

        from halo_llamaindex.testing import ScriptedLLM, call

        class Inserting(FunctionAgent):
            async def take_step(self, ctx: Any, llm_input: Any, tools: Any, memory: Any) -> Any:
                if await ctx.store.get("scratchpad", default=[]):
                    llm_input = [*llm_input, ChatMessage(role="user", content=talk.inserted)]
                return await super().take_step(ctx, llm_input, tools, memory)

        class Own(ScriptedLLM):
            seen: Any = None

            def is_own(self, message: Any) -> bool:
                return super().is_own(message) and str(message.content) not in self.seen

        seen = {text for role, text in talk.history if role == "assistant"} | set(place[2] if place else ())
        script = [call(f"step {i} {id(talk)}", item, id=f"m{id(talk)}-{i}") for i, item in enumerate(talk.calls)]
        kind = Inserting if talk.inserted else FunctionAgent
        agent = halo.guard(
            kind(
                tools=[made for f, r in tools.values() for made in halo.guard([f], resource=r)],
                llm=Own(script=[*script, talk.reply], seen=seen),
                streaming=False,
                system_prompt=talk.system or None,
            )
        )
        more: dict[str, Any] = {}
        if talk.history:
            more["chat_history"] = [ChatMessage(role=role, content=text) for role, text in talk.history]

        async def go() -> Any:
            ctx = Context.from_dict(agent, place[0]) if place else Context(agent)
            if place:
                more["memory"] = place[1]
            run = agent.run(user_msg=talk.told, ctx=ctx, **more)
            async for event in run.stream_events():
                if isinstance(event, InputRequiredEvent):
                    await run.cancel_run()
                    return None
            await run
            kept = await ctx.store.get("memory")
            said = {str(m.content) for m in await kept.aget()}
            return ctx.to_dict(), kept, said

        return asyncio.run(go())


class OpenAIAgents:
    """Runs a talk in the OpenAI Agents SDK."""

    def __init__(self) -> None:
        from agents import set_tracing_disabled

        from halo_openai_agents import Halo

        set_tracing_disabled(disabled=True)
        self.facade = Halo

    def talk(self, halo: Any, tools: Mapping[str, tuple[Any, Resource | None]], talk: Talk, place: Any) -> Any:
        from agents import Agent, RunConfig, Runner, function_tool
        from agents.run_config import ModelInputData

        from halo_openai_agents.testing import ScriptedModel, call

        class Going(ScriptedModel):
            """Goes on with a conversation of which it is only shown what is new."""

            said = 0

            def say(self, model_input: Any) -> Any:
                self.said += 1
                rest = self.script[self.said - 1 :]
                return ScriptedModel([rest[0] if rest else "done"]).say([])

        script: list[Any] = [call("step", item, id=f"m{id(talk)}-{i}") for i, item in enumerate(talk.calls)]
        script += [] if place else [talk.reply]
        loose = {name for name in tools if "dict[" in TOOLS[name][0]}  # a strict schema has no free keys
        guarded = [
            halo.guard(function_tool(f, strict_mode=False) if name in loose else f, resource=r)
            for name, (f, r) in tools.items()
        ]
        agent = halo.guard(
            Agent(
                name="desk",
                model=(Going if place else ScriptedModel)(script),
                tools=guarded,
                instructions=talk.system or None,
            )
        )

        def add(data: Any) -> Any:
            items = list(data.model_data.input)
            if any(item.get("type") == "function_call_output" for item in items):
                items.append({"role": "user", "content": talk.inserted})
            return ModelInputData(input=items, instructions=data.model_data.instructions)

        options = (
            halo.run_options(run_config=RunConfig(call_model_input_filter=add)) if talk.inserted else halo.run_options()
        )
        if place:
            options["previous_response_id"] = place
        given: Any = talk.told
        if talk.history:
            given = [
                *({"role": role, "content": text} for role, text in talk.history),
                {"role": "user", "content": given},
            ]
        return Runner.run_sync(agent, given, **options).last_response_id


FRAMEWORKS = {"langchain": LangChain, "llamaindex": LlamaIndex, "openai-agents": OpenAIAgents}


def run_case(case: Case, framework: str, home: Path) -> Outcome:
    """Run a case in a fresh home."""
    runner = FRAMEWORKS[framework]()
    world = World(runner.facade, home, case)
    errors: list[str] = []
    wanted: list[str] = []
    place: Any = None
    names = sorted({name for talk in case.talks for name, _ in talk.calls})
    functions = {name: (world.function(name), TOOLS[name][2]) for name in names}
    try:
        for talk in case.talks:
            halo = world.halo(talk.agent)
            wanted += [name for name, _ in talk.calls]
            vouched = halo.session(user=talk.user, request=talk.request) if talk.request is not None else nullcontext()
            try:
                with vouched:
                    place = runner.talk(halo, functions, talk, place if talk.goes_on else None)
            except Exception as error:  # noqa: BLE001  what ended the run is part of the outcome
                errors.append(f"{type(error).__name__}: {error}"[:160])
                place = None
            halo.store.flush()  # another agent comes later, and not before what this one said is written
        why = _reasons(home)
    finally:
        world.close()
    left = list(wanted)
    for name, _ in world.ran:
        if name in left:
            left.remove(name)
    held = sum(name == case.forbidden and case.matching(args) for name, args in world.ran) <= case.at_most
    return Outcome(tuple(world.ran), tuple(left), (*why, *errors), held)


def _reasons(home: Path) -> list[str]:
    """What was decided of the tools: effect, resource, reason codes and the rules that gave them."""
    from halo_core.model import EntryKind
    from halo_core.store.reader import Reader, read_entries

    said = []
    with Reader(f"sqlite:///{home / 'halo.db'}") as reader:
        reader.use_names(home)
        for tenant in reader.tenants():
            for item in read_entries(reader, tenant, (EntryKind.DECISION,)):
                request, decision = item.entry.body["request"], item.entry.body["decision"]
                if request["kind"] == "inference":
                    continue
                codes = ",".join(f"{r['code']}@{r['source']}" for r in decision["reasons"] if r["code"] != "first_use")
                said.append(f"{decision['effect']} {request['resource']['id']} {codes}".strip())
    return said
