"""Room: what two runs of one suite say. Takes: JUnit reports. Gives: counts, differences, a table.

Never: runs tests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree import ElementTree as ET

from rich.table import Table

__all__ = ["BY_NATURE", "OUTCOMES", "Difference", "Result", "Run", "compare", "parse_junit", "table", "to_plain"]

_TAGS: Final = {"failure": "failed", "error": "error", "skipped": "skipped"}
_RANK: Final = ("failed", "error", "passed", "skipped")
_MAX_WORDS: Final = 200
OUTCOMES: Final = ("passed", "failed", "error", "skipped")

_ON_THE_LOOP: Final = (
    "BlockingError",
    "it calls the agent synchronously on a running event loop, where blockbuster forbids I/O; that decision is durable",
)
_BARE: Final = (
    "nothing of Halo decides this call",
    "it makes a tool or a model inside the run and runs it bare: a tripwire is there to refuse that",
)
_COPY: Final = ("", "it reads what a call left on the very model object; what runs is a guarded copy")
_INSIDE: Final = ("no attribute 'func'", "it looks into a node's function, where a guard stands")
_LATE: Final = (
    "tool_not_granted",
    "it guards a tool inside an agent's turn, when the agent's link has been made: what is new was not handed on",
)
_BROUGHT: Final = ("does not grant this", "it brings a tool along inside the run, which nobody guarded or granted")
_AGENTS: Final = r"tests\.unit_tests\.agents\."
_HOOKS: Final = _AGENTS + r"middleware\.core\.test_framework\.TestAgent(Middleware)?Hooks(Combined)?::\w+"
_IMPLEMENTED: Final = _AGENTS + r"middleware\.implementations\."
_OVERRIDE: Final = r"tests\.test_tool_node_interceptor_unregistered::test_a?wrap_tool_call_override_unregistered_tool"
_DYNAMIC: Final = r"tests\.test_tool_node::test_tool_node_inject_runtime_dynamic_tool_via_wrap_tool_call(_async)?"

_PUT: Final = ("agents", "tools")  # switches of the OpenAI Agents SDK's suite
_HOSTED: Final = ("hosted_tool", "the provider runs this tool: nothing here can decide it, so the request is refused")
_NATIVE: Final = ("", "it has a tool that the SDK runs past every function tool: the request is refused")
_WHICH: Final = ("Agent(name=", "it asks whether an agent is the very object it made; what runs is a guarded copy")
_SAME: Final = ("FunctionTool(name=", "it compares the tools of a run with those it made; what runs are guarded copies")
_TOLD: Final = ("", "a call that reaches no tool is refused and recorded, so the model reads Halo's reason")
_FITS: Final = ("the arguments do not fit", "arguments that do not fit are refused and recorded: so says Halo's reason")
_ADDED: Final = ("", "it adds a tool to the agent that was guarded, in mid-run; what runs is the copy")
_FUNCTION: Final = (" is <", "it asks whether the function behind a tool is the one it gave; that one is decided too")
_THREAD: Final = ("", "it counts calls of `asyncio.to_thread`; a decision is written to disk in a thread as well")
_READS: Final = ("docstring should not be read", "a guard of a function bears its docstring, and so reads it")
_GOES_ON: Final = (
    "DID NOT RAISE",
    "`halo.run_options()` tells the model of a call that reaches no tool: the run goes on",
)
_OPENAI: Final = r"tests(\.\w+)*\."

BY_NATURE: Final[tuple[tuple[tuple[str, ...], str, tuple[str, str]], ...]] = (
    (("middleware", "models"), _HOOKS + r"\[(\w+-)?False\]", _ON_THE_LOOP),
    (("middleware", "models"), _IMPLEMENTED + r"test_model_refusal::\w+\[(\w+-)?False\]", _ON_THE_LOOP),
    (
        ("models",),
        _IMPLEMENTED + r"test_model_retry::test_model_retry_(reraises|retries|succeeds)_\w+(\[\w+\])?",
        _COPY,
    ),
    (("models",), _IMPLEMENTED + r"test_structured_output_retry::\w+", _COPY),
    (("models",), _AGENTS + r"test_invalid_tool_calls::\w+(\[.*\])?", _COPY),
    (("graph",), _AGENTS + r"middleware\.core\.test_dynamic_tools::\w+\[.*\]", _BROUGHT),
    (("graph",), r"tests\.test_react_agent::test_inspect_react", _INSIDE),
    (("graph",), r"tests\.test_tool_node::test_tool_node_in_graph_run_by_send_gets_that_graphs_state", _LATE),
    (("tripwire",), r"tests\.test_(react_agent|tool_node)::test_tool_node_messages_key", _BARE),
    (("tripwire",), _DYNAMIC, _BARE),
    (("tripwire",), _AGENTS + r".+", _BARE),  # models of other middleware, and tools invoked by the test itself
    (("tripwire",), _OVERRIDE + "_with_custom_impl", _BARE),
    (_PUT, _OPENAI + ".+", _HOSTED),
    (_PUT, _OPENAI + ".+", ("only a guarded object can carry out", _NATIVE[1])),
    (_PUT, _OPENAI + r"test_cancel_streaming::\w+(\[\w+\])?", _NATIVE),
    (_PUT, _OPENAI + r"test_run_state_pending_input::test_server_\w+(\[\w+\])?", _NATIVE),
    (_PUT, _OPENAI + ".+", _WHICH),
    (_PUT, _OPENAI + ".+", _SAME),
    (_PUT, _OPENAI + r"test_agent_runner(_streamed)?::test_(streamed_)?tool_not_found_behavior_\w+", _TOLD),
    (_PUT, _OPENAI + r"test_agent_runner(_streamed)?::test_dynamic_tool_addition_run(_streamed)?", _ADDED),
    (_PUT, _OPENAI + ".+", _FITS),
    (_PUT, _OPENAI + r"test_tool_approval_call_id_reuse::test_failed_approved_agent_tool_start_\w+", ("", _WHICH[1])),
    (_PUT, _OPENAI + r"test_run_state\.\w+::test_multiple_nested_agent_tool_hitl_resumes_\w+", ("", _WHICH[1])),
    (("options",), r"tests\.mcp\.test_runner_calls_mcp::test_runner_asserts_when_mcp_tool_not_found\[\w+\]", _GOES_ON),
    (("tools",), _OPENAI + r"test_function_tool_decorator::.+", _FUNCTION),
    (("tools",), _OPENAI + r"test_function_tool_decorator::test_callable_docstring_opt_out_\w+", _READS),
    (("tools",), _OPENAI + r"test_function_tool::test_sync_function_runs_via_to_thread", _THREAD),
    (("tools",), _OPENAI + r"test_function_tool_decorator::test_error_on_invalid_json", _FITS),
)
"""Tests that cannot pass with something put in: the switches, a pattern of the whole name, what they say, and why."""
_EMPTY: Final = "a middleware that does nothing changes it as well"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one suite.

    Args:
        outcomes: test → one of `OUTCOMES`.
        effects: decisions by effect; empty for a plain run.
        seconds: wall time.
        problem: why it says nothing, where it did not run.
        said: test → first words of its failure.
    """

    outcomes: Mapping[str, str]
    effects: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    problem: str = ""
    said: Mapping[str, str] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many of each outcome."""
        found = Counter(self.outcomes.values())
        return {name: found[name] for name in OUTCOMES}

    @property
    def decisions(self) -> int:
        """How many decisions were recorded."""
        return sum(self.effects.values())


@dataclass(frozen=True, slots=True)
class Difference:
    """A test that ended otherwise; `why` says why it must, where that is known, `said` what the failing side said."""

    test: str
    plain: str
    injected: str
    why: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A suite, plain and with one switch (or all of them)."""

    suite: str
    switch: str
    plain: Run
    injected: Run
    differences: tuple[Difference, ...]

    @property
    def held(self) -> bool:
        """Whether Halo was there, and nobody noticed who should not have."""
        return not self.injected.problem and not self.plain.problem and all(item.why for item in self.differences)


def parse_junit(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Outcomes and first words of failures, by test, of a JUnit report.

    A test that both fails and has an error in its teardown counts as failed.

    Raises:
        ValueError: it is no JUnit report.
    """
    try:
        root = ET.fromstring(text)  # noqa: S314  pytest wrote it, here
    except ET.ParseError as exc:
        raise ValueError(f"not a JUnit report: {exc}") from exc
    outcomes: dict[str, str] = {}
    said: dict[str, str] = {}
    for case in root.iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        found = {_TAGS[child.tag]: child.get("message", "") for child in case if child.tag in _TAGS}
        outcome = (
            min([*found, "passed", outcomes.get(name, "skipped")], key=_RANK.index)
            if "skipped" not in found
            else "skipped"
        )
        outcomes[name] = outcome
        if outcome in found:
            said.setdefault(name, " ".join(found[outcome].split())[:_MAX_WORDS])
    return outcomes, said


def compare(switches: Collection[str], plain: Run, injected: Run, control: Run | None = None) -> tuple[Difference, ...]:
    """Tests whose outcome differs, by name; one that only ran on one side counts as `missing` on the other.

    Args:
        switches: what was put in.
        plain: without Halo.
        injected: with it.
        control: with a middleware that does nothing, where one of ours was put in.
    """
    names = sorted(plain.outcomes.keys() | injected.outcomes.keys())
    pairs = [(n, plain.outcomes.get(n, "missing"), injected.outcomes.get(n, "missing")) for n in names]
    said = {**plain.said, **injected.said}
    differing = [(n, a, b, said.get(n, "")) for n, a, b in pairs if a != b]
    return tuple(
        Difference(n, a, b, _EMPTY if _also(control, n, b) else _why(switches, n, words), words)
        for n, a, b, words in differing
    )


def _also(control: Run | None, name: str, ended: str) -> bool:
    return control is not None and control.outcomes.get(name) == ended


def _why(switches: Collection[str], name: str, said: str) -> str:
    known = (
        why
        for puts, pattern, (words, why) in BY_NATURE
        if not set(puts).isdisjoint(switches) and words in said and re.fullmatch(pattern, name)
    )
    return next(known, "")


def table(results: Sequence[Result]) -> Table:
    """A row for each suite and switch; differences are named below it."""
    shown = Table("suite", "Halo in", title="upstream tests, plain and with Halo and everything allowed")
    for title in ("plain", "with Halo", "differ", "decisions", "seconds"):
        shown.add_column(title, justify="right")
    for item in results:
        problem = item.plain.problem or item.injected.problem
        seconds = f"{item.plain.seconds:.0f} / {item.injected.seconds:.0f}"
        counts = [problem, "", ""] if problem else [_counts(item.plain), _counts(item.injected), _differing(item)]
        shown.add_row(item.suite, item.switch, *counts, str(item.injected.decisions), seconds)
    return shown


def _counts(run: Run) -> str:
    counts = run.counts()
    return "/".join(str(counts[name]) for name in ("passed", "failed", "error"))


def _differing(item: Result) -> str:
    known = sum(1 for difference in item.differences if difference.why)
    more = len(item.differences) - known
    return f"{more} (+{known} known)" if known else str(more)


def to_plain(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The same for `--json`."""
    return [
        {
            "suite": item.suite,
            "switch": item.switch,
            "held": item.held,
            "problem": item.plain.problem or item.injected.problem,
            "plain": item.plain.counts(),
            "injected": item.injected.counts(),
            "differences": [
                {"test": d.test, "plain": d.plain, "injected": d.injected, "why": d.why, "said": d.said}
                for d in item.differences
            ],
            "decisions": dict(item.injected.effects),
            "seconds": {"plain": round(item.plain.seconds, 1), "injected": round(item.injected.seconds, 1)},
        }
        for item in results
    ]
