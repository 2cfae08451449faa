"""List the upstream tests that cannot pass under Halo, with the reason of each.

A rule names the switches, the tests and words of the failure, so that another failure of the same test is a difference.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

__all__ = ["BY_NATURE", "known"]

_ON_THE_LOOP: Final = (
    "BlockingError",
    "it calls the agent synchronously on a running event loop, where blockbuster forbids I/O; that decision is durable",
)
_BARE: Final = (
    "this call is not guarded by Halo",
    "it makes a tool or a model inside the run and runs it bare: a tripwire is there to refuse that",
)
_COPY: Final = ("", "it reads what a call left on the very model object; what runs is a guarded copy")
_INSIDE: Final = ("no attribute 'func'", "it looks into a node's function, where a guard stands")
_NAMED: Final = (
    "needs_guard",
    "it runs a bare tool under the name of one that was guarded: a grant is of the guarded one alone",
)
_BROUGHT: Final = ("does not grant this", "it brings a tool along inside the run, which nobody guarded or granted")
_AGENTS: Final = r"tests\.unit_tests\.agents\."
_HOOKS: Final = _AGENTS + r"middleware\.core\.test_framework\.TestAgent(Middleware)?Hooks(Combined)?::\w+"
_IMPLEMENTED: Final = _AGENTS + r"middleware\.implementations\."
_OVERRIDE: Final = r"tests\.test_tool_node_interceptor_unregistered::test_a?wrap_tool_call_override_unregistered_tool"
_DYNAMIC: Final = r"tests\.test_tool_node::test_tool_node_inject_runtime_dynamic_tool_via_wrap_tool_call(_async)?"

_PUT: Final = ("agents", "tools")  # switches of the OpenAI Agents SDK's suite
_HOSTED: Final = (
    "the provider runs this tool",
    "the provider runs this tool: nothing here can decide it, so the request is refused",
)
_STORED: Final = (
    ".prompt (request)",
    "its request names a prompt that the provider keeps, which may bring tools: a person is asked about it once",
)
_KEPT: Final = ("halo:waiting", "it reads the approvals of a context, among which the session of a paused run is kept")
_NATIVE: Final = ("", "it has a tool that the SDK runs past every function tool: the request is refused")
# Only where the assertion begins with the agent: others that name one on the way may say that a result is wrong.
_WHICH: Final = (
    "assert Agent(name=",
    "it asks whether an agent is the very object it made; what runs is a guarded copy",
)
_APPROVED: Final = (
    "assert None is True + where None = get_approval_status(",
    "it asks what was approved of the very agent it made; that was approved of the guarded copy",
)
_SAME: Final = (
    "At index 0 diff: FunctionTool(name=",
    "it compares the tools of a run with those it made; what runs are guarded copies",
)
_TOLD: Final = ("", "a call that reaches no tool is refused and recorded, so the model reads Halo's reason")
_FITS: Final = (
    "the arguments do not match",
    "arguments that do not fit are refused and recorded: so says Halo's reason",
)
_ADDED: Final = ("", "it adds a tool to the agent that was guarded, in mid-run; what runs is the copy")
_FUNCTION: Final = (" is <", "it asks whether the function behind a tool is the one it gave; that one is decided too")
_THREAD: Final = ("", "it counts calls of `asyncio.to_thread`; a decision is written to disk in a thread as well")
_READS: Final = ("docstring should not be read", "a guard of a function bears its docstring, and so reads it")
_GOES_ON: Final = (
    "DID NOT RAISE",
    "`halo.run_options()` tells the model of a call that reaches no tool: the run goes on",
)
_CHANGED: Final = (
    "",
    "it changes its agent in mid-run, by a hook or between the halves of a paused run; what runs is a guarded copy",
)
_GONE: Final = ("not found in agent", _CHANGED[1])
_PAUSED: Final = (
    "assert None == '",
    "it changes its agent while a run is paused: the guarded copy is made anew, and the run waits for approval again",
)
_ONE_NAME: Final = ("", "it has two MCP servers of one name: a call names neither for certain, so nothing is granted")
_TURNS: Final = (
    "",
    "it cancels after a counted turn of the event loop, or a hundredth of a second; a decision takes longer",
)
_OPENAI: Final = r"tests(\.\w+)*\."
_MCP: Final = r"tests\.mcp\.test_mcp_resume_binding::"
_COLLIDING: Final = (
    "test_(missing_interrupted_agent_tool_preserves_nested_state_for_retry"
    "|nested_rebind_is_not_committed_before_later_strict_missing_error"
    "|resume_rejects_legacy_approval_name_change_before_side_effects)"
)

_WAITING: Final = (
    "test_resume_(preserves_model_order_for_function_outcomes|rebinds_queued_handoff_to_current_warn_winner"
    r"|treats_apply_patch_prefixed_queued_function_as_function\[.+\])"
)

BY_NATURE: Final[tuple[tuple[tuple[str, ...], str, tuple[str, str]], ...]] = (
    (("graph", "middleware", "models"), _HOOKS + r"\[(\w+-)?False\]", _ON_THE_LOOP),
    (("graph", "middleware", "models"), _IMPLEMENTED + r"test_model_refusal::\w+\[(\w+-)?False\]", _ON_THE_LOOP),
    (
        ("models",),
        _IMPLEMENTED + r"test_model_retry::test_model_retry_(reraises|retries|succeeds)_\w+(\[\w+\])?",
        _COPY,
    ),
    (("models",), _IMPLEMENTED + r"test_structured_output_retry::\w+", _COPY),
    (("models",), _AGENTS + r"test_invalid_tool_calls::\w+(\[.*\])?", _COPY),
    (("graph",), _AGENTS + r"middleware\.core\.test_dynamic_tools::\w+\[.*\]", _BROUGHT),
    (("graph",), r"tests\.test_react_agent::test_inspect_react", _INSIDE),
    (("graph",), r"tests\.test_tool_node::test_tool_node_in_graph_run_by_send_gets_that_graphs_state", _NAMED),
    (("tripwire",), r"tests\.test_(react_agent|tool_node)::test_tool_node_messages_key", _BARE),
    (("tripwire",), _DYNAMIC, _BARE),
    (("tripwire",), _AGENTS + r".+", _BARE),  # models of other middleware, and tools invoked by the test itself
    (("tripwire",), _OVERRIDE + "_with_custom_impl", _BARE),
    (_PUT, _OPENAI + ".+", _HOSTED),
    (_PUT, _OPENAI + ".+", _STORED),
    (_PUT, _OPENAI + "test_run_state::test_resume_nested_agent_as_tool_with_context_override", _KEPT),
    (
        _PUT,
        _OPENAI + r"test_tool_approval_call_id_reuse::test_(pending|rejected)_custom_tool_resume_\w+(\[.+\])?",
        _GONE,
    ),
    (_PUT, _OPENAI + ".+", ("something that only a guarded tool", _NATIVE[1])),
    (_PUT, _OPENAI + r"test_cancel_streaming::\w+(\[\w+\])?", _NATIVE),
    (_PUT, _OPENAI + r"test_run_state_pending_input::test_server_\w+(\[\w+\])?", _NATIVE),
    (_PUT, _OPENAI + ".+", _WHICH),
    (_PUT, _OPENAI + ".+", _SAME),
    (_PUT, _OPENAI + r"test_agent_runner(_streamed)?::test_(streamed_)?tool_not_found_behavior_\w+", _TOLD),
    (_PUT, _OPENAI + r"test_agent_runner(_streamed)?::test_dynamic_tool_addition_run(_streamed)?", _ADDED),
    (_PUT, _OPENAI + ".+", _FITS),
    (
        _PUT,
        _OPENAI + r"test_tool_approval_call_id_reuse::test_failed_approved_agent_tool_start_\w+",
        ("UnexpectedModelCall", _SAME[1]),  # its hook fails where it meets the very tool, so here the run goes on
    ),
    (_PUT, _OPENAI + r"test_run_state\.\w+::test_multiple_nested_agent_tool_hitl_resumes_\w+", ("", _WHICH[1])),
    (_PUT, _OPENAI + r"test_tool_failure_boundaries::\w+\[\w+-\w+\]", ("TimeoutError", _HOSTED[1])),
    (_PUT, _OPENAI + r"test_start_hook_tools::test_start_hooks_update_model_tools_and_dispatch\[.+\]", _CHANGED),
    (_PUT, _MCP + r"test_(mcp_approval_cannot_authorize_handoff|rejected_mcp_call_does_not_\w+)\[.+\]", _CHANGED),
    (_PUT, _MCP + r"test_serialized_mcp_approval_preserves_recipient\[none-\w+\]", _ONE_NAME),
    (_PUT, _MCP + r"test_cancelled_rejection_preserves_recipient_for_later_approval\[\w+\]", _TURNS),
    (_PUT, _OPENAI + r"test_scripted_model::test_scripted_model_timeout_records_\w+\[\w+\]", _TURNS),
    (_PUT, _OPENAI + r"test_tool_name_collision_policy::" + _COLLIDING, _CHANGED),
    (_PUT, _OPENAI + r"test_tool_name_collision_policy::" + _WAITING, _PAUSED),
    (_PUT, _OPENAI + r"test_tool_approval_call_id_reuse::test_approved_custom_tool_resume_rebinds_\w+", _PAUSED),
    (_PUT, _MCP + r"test_removed_local_override_preserves_original_mcp_recipient\[.+\]", _PAUSED),
    (_PUT, _OPENAI + r"(test_agent_scoped_approvals|test_run_state\.\w+)::.+", _APPROVED),
    (
        _PUT,
        _OPENAI + r"\w+\.TestRunState::test_from_json_restores_falsy_current_agent_via_identity_map",
        ("assert TestRunState", _WHICH[1]),
    ),
    (_PUT, _OPENAI + r"test_function_tool_approval_arguments::.+", ("", _FITS[1])),
    (("options",), _OPENAI + r"test_invalid_final_output_handler::\w+", ("UnexpectedModelCall", _GOES_ON[1])),
    (("options",), r"tests\.mcp\.test_runner_calls_mcp::test_runner_asserts_when_mcp_tool_not_found\[\w+\]", _GOES_ON),
    (("tools",), _OPENAI + r"test_function_tool_decorator::.+", _FUNCTION),
    (("tools",), _OPENAI + r"test_function_tool_decorator::test_callable_docstring_opt_out_\w+", _READS),
    (("tools",), _OPENAI + r"test_function_tool::test_sync_function_runs_via_to_thread", _THREAD),
    (("tools",), _OPENAI + r"test_function_tool_decorator::test_error_on_invalid_json", _FITS),
)
"""Tests that cannot pass with something put in: the switches, a pattern of the whole name, what they say, and why."""


def known(switches: Collection[str], name: str, said: str) -> str:
    """Why a test must end otherwise; empty where that is not known."""
    found = (
        why
        for puts, pattern, (words, why) in BY_NATURE
        if not set(puts).isdisjoint(switches) and words in said and re.fullmatch(pattern, name)
    )
    return next(found, "")
