"""The contract can fail: adapters with one thing missing, and the cases that find it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from contract import AdapterContract
from contract_driver import RULES, Desk
from langchain.agents import create_agent
from langchain_core.tools import StructuredTool
from langchain_core.tools import tool as make_tool
from langchain_driver import LangChainDriver, Speaker, said

pytestmark = pytest.mark.smoke

FOUND = (AssertionError, pytest.fail.Exception, ValueError, IndexError, KeyError)


class Unguarded(LangChainDriver):
    """Registers tools, and lets them run; has no middleware."""

    def tool(self, halo: Any, function: Any, resource: Any = None) -> Any:
        if halo is not None:
            halo.guard(function, resource=resource)
        return make_tool(function)

    def agent(self, halo: Any, tools: Any, script: Any, **more: Any) -> Any:
        return super().agent(None, tools, script, **{**more, "everything": False})

    def retriever(self, halo: Any, name: str, texts: Any, resource: Any, read: list[str]) -> Any:
        found = super().retriever(halo, name, texts, resource, read)
        return found.__dict__["_halo_guard"].original

    def model(self, halo: Any, script: Any, heard: list[str]) -> Any:
        return super().model(None, script, heard)


class SyncOnly(LangChainDriver):
    """Guards the function of a tool, and forgets that there is a coroutine."""

    def tool(self, halo: Any, function: Any, resource: Any = None) -> Any:
        guarded = super().tool(halo, function, resource)
        if halo is None or inspect.iscoroutinefunction(function):
            return guarded

        async def around(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return StructuredTool(
            name=guarded.name,
            description=guarded.description,
            args_schema=guarded.args_schema,
            func=guarded.func,
            coroutine=around,
        )

    def agent(self, halo: Any, tools: Any, script: Any, **_more: Any) -> Any:
        return create_agent(Speaker(script=said(script), heard=[]), list(tools))


class Twice(LangChainDriver):
    """Guards a tool behind a guarded tool."""

    def tool(self, halo: Any, function: Any, resource: Any = None) -> Any:
        guarded = super().tool(halo, function, resource)
        return guarded if halo is None else halo.guard(make_tool(guarded.func), resource=resource)


class Deaf(LangChainDriver):
    """Collects every stream before it hands anything on."""

    def stream(self, model: Any, text: str, shape: str, each: Any) -> None:
        chunks: list[str] = []
        super().stream(model, text, shape, chunks.append)
        for chunk in chunks:
            each(chunk)


class Forgetful(LangChainDriver):
    """Takes a pause for an error of the tool, and so never goes on."""

    def resume(self, agent: Any, shape: str, *, thread: str) -> Any:
        return super().run(agent, shape, thread=f"{thread}-again")


BITES: list[tuple[type[LangChainDriver], str, str]] = [
    *(
        (Unguarded, case, "invoke")
        for case in (
            "test_a_denied_tool_does_not_run",
            "test_a_denied_tool_does_not_run_when_it_is_called_by_itself",
            "test_a_denied_retrieval_reads_nothing",
            "test_a_denied_model_is_not_asked",
            "test_a_denied_model_call_ends_the_run",
            "test_a_failing_policy_blocks",
            "test_a_closed_ledger_blocks",
            "test_a_ledger_that_fails_to_write_blocks",
            "test_an_unknown_tool_is_denied_and_recorded",
            "test_arguments_that_do_not_fit_are_denied_and_recorded",
            "test_a_tool_without_a_guard_is_granted_by_nobody",
            "test_parallel_calls_are_judged_singly",
            "test_nothing_is_decided_twice",
            "test_arguments_changed_after_the_decision_do_not_run",
            "test_positional_arguments_are_bound_by_signature",
            "test_restrict_clamps_an_argument",
            "test_restrict_drops_documents",
            "test_restrict_redacts_an_argument",
            "test_restrict_redacts_an_output",
            "test_restrict_holds_an_output_back",
            "test_a_challenge_pauses_and_nothing_ran",
            "test_an_approved_call_runs_once_with_exactly_its_arguments",
            "test_an_approval_serves_no_other_arguments",
            "test_a_rejected_call_that_is_driven_again_stays_blocked",
            "test_a_passport_that_expires_during_a_run_blocks",
            "test_a_cancelled_tool_is_recorded_and_does_not_run_twice",
            "test_a_thread_without_a_session_is_denied",
            "test_a_hosted_tool_is_refused_by_name",
            "test_an_error_in_a_body_is_the_frameworks_own",
            "test_a_stream_is_held_back_while_a_policy_may_restrict_it",
            "test_observe_mode_runs_everything_and_records",
        )
    ),
    (SyncOnly, "test_a_denied_tool_does_not_run", "ainvoke"),
    (Unguarded, "test_a_denied_coroutine_does_not_run", "ainvoke"),
    (Unguarded, "test_a_coroutine_runs_narrowed_and_is_decided_once", "ainvoke"),
    (SyncOnly, "test_every_shape_decides_alike", ""),
    (Twice, "test_nothing_is_decided_twice", "invoke"),
    (Deaf, "test_a_stream_passes_through_untouched", "stream"),
    (Forgetful, "test_an_approved_call_runs_once_with_exactly_its_arguments", "invoke"),
]


@pytest.mark.parametrize(
    ("driver", "case", "shape"), BITES, ids=[f"{driver.__name__}-{case[5:]}" for driver, case, _ in BITES]
)
def test_a_broken_adapter_is_found_by(driver, case, shape, tmp_path, monkeypatch):
    given = {"monkeypatch": monkeypatch, "tmp_path": tmp_path, "ran": []}
    opened: list[Desk] = []

    def make(policy: str = RULES, mode: str = "enforce", **more: Any) -> Desk:
        opened.append(Desk(suite.driver, Path(tmp_path) / f"broken{len(opened)}", policy, mode, more))
        return opened[-1]

    suite: Any = type("Broken", (AdapterContract,), {"driver": driver()})()
    method = getattr(suite, case)
    wanted = inspect.signature(method).parameters
    shapes = {name: shape for name in wanted if name.endswith("shape")}
    desk = {"desk": make()} if "desk" in wanted else {}
    values = {**given, "open_desk": make, **shapes, **desk}
    try:
        with pytest.raises(FOUND):
            method(**{name: values[name] for name in wanted})
    finally:
        for item in opened:
            item.close()
