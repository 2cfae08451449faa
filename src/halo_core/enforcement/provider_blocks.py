"""What a provider's tool put into a model's answer, recorded as calls of that tool that are decided like any other.

The tool ran before it could be decided, so a refusal is recorded as such and stops nothing (`Call.has_run`). Its texts
always expose the session, whatever the tool is declared as.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from halo_core.enforcement.call import Call
from halo_core.enforcement.obligations import Surface
from halo_core.model import ActionKind, HistoryItem, HistoryRole, Impact, Resource
from halo_core.model.resource import HOSTED_PREFIX
from halo_core.model_requests import ProviderBlock
from halo_core.quick_dataclass import dataclass

FindResource = Callable[[str], Resource | None]
_MAX_TOOLS: Final = 16
"""Different tools of one answer that are recorded by name; the others together, as `hosted:others`."""
_OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """The calls of one provider's tool for one answer.

    Args:
        call: the call to decide and record.
        text: what it was asked and what it found.
        surface: how that is read.
    """

    call: Call
    text: str
    surface: Surface[str]


def list_provider_calls(
    find_blocks: Callable[[Any], Iterable[ProviderBlock]],
    call: Call,
    get_answer: Callable[[], Any],
    find_resource: FindResource,
) -> list[ProviderCall]:
    """The calls of providers' tools in a model's answer, one for each tool.

    Args:
        find_blocks: returns what of an answer such a tool made.
        call: the call of the model, as it was decided.
        get_answer: returns the answer.
        find_resource: the resource of an id, None if nobody registered or declared it.
    """
    try:
        blocks = find_blocks(get_answer())
    except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - what cannot be read may be a tool's word
        blocks = (ProviderBlock("unreadable", "unreadable"),)
    if blocks == ():  # as of most answers
        return []
    texts: dict[str, list[str]] = {}
    for block in blocks:
        name = _match_offered(block.name, call.args)
        if name not in texts and len(texts) >= _MAX_TOOLS:
            name = _OTHERS
        texts.setdefault(name, []).extend(block.texts)
    return [
        _make_provider_call(call, name, "\n".join(block_texts), find_resource) for name, block_texts in texts.items()
    ]


def _match_offered(name: str, args: Mapping[str, Any]) -> str:
    """The name under which the request offered a tool; for a server, an answer only gives its label."""
    offered = args.get("hosted_tools", ())
    return next((item for item in offered if isinstance(item, str) and item.startswith(f"{name}@")), name)


def _make_provider_call(call: Call, name: str, text: str, find_resource: FindResource) -> ProviderCall:
    resource_id = f"{HOSTED_PREFIX}{name}"
    resource = find_resource(resource_id)
    if resource is None or resource.kind is not ActionKind.TOOL_CALL:
        resource = Resource(resource_id, ActionKind.TOOL_CALL, Impact.UNKNOWN, source_trust=0, classified="unknown")
    provider_call = replace(
        call,
        resource=resource,
        args={},
        call_id="",
        shown_texts=(),
        history=(),
        problem="",
        hand_off=None,
        on_link_made=None,
        withdrawn_question="",
        model=None,
        held_id="",
        has_run=True,
    )
    return ProviderCall(provider_call, text, Surface(str, history_items=_read_history_items))


def _read_history_items(text: str) -> tuple[HistoryItem, ...]:
    # INVARIANT: what a provider's tool brought was decided by nobody here, whatever its source is declared as.
    return (HistoryItem(HistoryRole.PROVIDER_RESULT, text),) if text else ()
