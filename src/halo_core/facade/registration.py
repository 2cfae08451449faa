"""Registers what is guarded, and builds the calls that are decided about it.

A list is guarded as a whole or not at all. What cannot be guarded is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final

from halo_core.enforcement.activities import current_run_activity, find_began_us
from halo_core.enforcement.agent_credentials import AgentCredentials
from halo_core.enforcement.call import ABILITIES, Call
from halo_core.enforcement.guards import MODEL_RESOURCE, MODEL_SCHEMA, TOOL_KINDS, choose_resource_id, clean_name
from halo_core.enforcement.guesses import NO_HINTS, ServerHints, guess_tool
from halo_core.enforcement.model_inputs import ModelInput
from halo_core.enforcement.registry import RegisteredResource, Registry, complete_resource
from halo_core.enforcement.reversals import Reverser
from halo_core.enforcement.session_context import TriggeringMessage, current_delegation, current_triggering_message
from halo_core.errors import ConfigError, HaloError
from halo_core.facade.sessions import SessionMixin
from halo_core.model import ActionKind, HistoryItem, Resource

_NO_MESSAGE: Final = TriggeringMessage()


class RegistrationMixin(SessionMixin):
    """The methods of `HaloBase` that register resources and build calls."""

    _agent_credentials: AgentCredentials
    _registry: Registry

    def register(
        self,
        kind: ActionKind,
        name: str,
        *,
        resource: Resource | None = None,
        description: str = "",
        schema: Mapping[str, Any] | None = None,
        hints: ServerHints = NO_HINTS,
        replaces: bool = False,
        reverser: Reverser | None = None,
    ) -> Resource:
        """Register a tool, retriever, model or agent; undeclared properties are guessed, with a notice.

        Args:
            kind: the action kind that reaches it.
            name: its id where the declaration has none.
            resource: its declaration; None takes the manifest's, or guesses.
            description: description of the tool, as the model reads it.
            schema: JSON schema of its arguments.
            hints: what its server says of it; they can only raise a guess.
            replaces: whether it takes the place of what was registered under its id when that was only seen to run.
            reverser: how its effects are taken back, where that was declared.

        Raises:
            ConfigError: the id is taken by another kind; `reversal_conflict`, the manifest says otherwise of how its
                effects are taken back.
        """
        if resource is None:
            resource = self.find_declared(name, kind)
            _check_reversal(name, resource, reverser)
        argument_schema = dict(schema or {})
        _check_arguments(name, resource, argument_schema)
        guess = guess_tool(name, description, argument_schema, hints)
        arguments = sorted(argument_schema.get("properties", {}))
        completed = complete_resource(resource, guess, kind=kind, name=name, arguments=arguments)
        completed = completed if reverser is None else reverser.apply_to(completed)
        why = ""
        if completed.classified != "declared" and kind is ActionKind.TOOL_CALL:
            why = guess.why
            self.notify_once(
                f"`{completed.id}` {_describe_class(completed)}: {why}; "
                "`halo enforce` asks you about it, or declare it with resource=Resource(impact=..., targets=...)"
            )
        registered = self._registry.add(
            RegisteredResource(completed, argument_schema, why, description), replaces=replaces
        )
        if kind is ActionKind.TOOL_CALL:
            self.register_reverser(registered, reverser)
        return registered

    def register_tool(
        self,
        name: str,
        resource: Resource | None,
        description: str,
        schema: Mapping[str, Any],
        hints: ServerHints = NO_HINTS,
        *,
        replaces: bool = False,
        reverser: Reverser | None = None,
    ) -> Resource:
        """Register a tool as a tool call or a retrieval, as declared; arguments like `register`.

        Raises:
            ConfigError: its name can name no resource, or belongs to one of another kind.
        """
        resource_id = choose_resource_id(resource, name)
        if resource is None:
            resource = self.find_declared(resource_id, *TOOL_KINDS)
            _check_reversal(resource_id, resource, reverser)
        kind = resource.kind if resource is not None and resource.kind in TOOL_KINDS else ActionKind.TOOL_CALL
        return self.register(
            kind,
            resource_id,
            resource=resource,
            description=description,
            schema=schema,
            hints=hints,
            replaces=replaces,
            reverser=reverser,
        )

    def register_model(self, name: str, resource: Resource | None) -> Resource:
        """Register a model; raises like `register_tool`."""
        resource_id = choose_resource_id(resource, name)
        declared = resource or self.find_declared(resource_id, ActionKind.INFERENCE) or MODEL_RESOURCE
        return self.register(ActionKind.INFERENCE, resource_id, resource=declared, schema=MODEL_SCHEMA)

    def register_seen_model(self, name: str) -> Resource:
        """Register a model that nobody guarded when it is first called.

        INVARIANT: a grant is of one thing: where an agent or a tool has the name, the model is `model.` and its name.

        Raises:
            ConfigError: that belongs to something else too.
        """
        for resource_id in (name, clean_name(f"model.{name}")):
            registered = self.find_registered(resource_id)
            if registered is None:
                return self.register_model(resource_id, None)
            if registered.kind is ActionKind.INFERENCE:
                return registered
        return self.register_model(name, None)

    def find_declared(self, name: str, *kinds: ActionKind) -> Resource | None:
        """The manifest's declaration of a name, under the first of these kinds that it has.

        That is the manifest which the agent's passport was issued from; `agents.yaml` in the home until one was.
        """
        manifest = self._declarations.current()
        if manifest is None:
            return None
        return next((resource for kind in kinds if (resource := manifest.find_resource(name, kind)) is not None), None)

    def _find_known_resource(self, name: str) -> Resource | None:
        """The resource of a tool, as registered or declared; does not register a declared one."""
        registered = self.find_registered(name)
        if registered is not None:
            return registered
        with suppress(HaloError):  # two patterns of the manifest apply equally
            declared = self.find_declared(name, ActionKind.TOOL_CALL)
            return None if declared is None else replace(declared, id=name, source_trust=declared.trust)
        return None

    def find_registered(self, name: str) -> Resource | None:
        """The registration of a resource id."""
        registered = self._registry.get(name)
        return registered.resource if registered else None

    def list_registered(self) -> list[RegisteredResource]:
        """All that is registered, by id."""
        return list(self._registry.items())

    def get_argument_names(self, name: str) -> list[str] | None:
        """Names of the arguments that a registered resource takes; None for one that is not registered."""
        registered = self._registry.get(name)
        return registered.argument_names() if registered else None

    def get_argument_defaults(self, name: str) -> dict[str, Any]:
        """Defaults of a registered resource's arguments, by its schema."""
        registered = self._registry.get(name)
        properties = registered.schema.get("properties", {}) if registered else {}
        return {key: spec["default"] for key, spec in properties.items() if "default" in spec}

    def may_restrict_output(self, kind: ActionKind) -> bool:
        """Whether a policy could restrict what actions of a kind return; True if unsure.

        Of the policy as it was last read, by the heads of its rules alone: whether one does, only a decision says
        (`Ticket.holds_output`).
        """
        return self._agent_credentials.may_restrict_output(kind, self._registry)

    def build_call(
        self,
        resource: Resource,
        args: Mapping[str, Any],
        *,
        call_id: str = "",
        problem: str = "",
        abilities: tuple[str, ...] = ABILITIES,
        shown_texts: tuple[tuple[str, Any], ...] = (),
        history: tuple[HistoryItem, ...] = (),
        model: ModelInput | None = None,
        message: TriggeringMessage | None = None,
    ) -> Call:
        """A call in this context: session, and a message that is not given, come from context variables."""
        session = self.find_session()
        message = message or current_triggering_message() or _NO_MESSAGE
        delegation = current_delegation(self.agent, session.id)
        run = current_run_activity() if message.turn else None
        can_hold = resource.can_wait and self._can_hold(resource, args, abilities)
        return Call(
            resource=resource,
            args=args,
            session=session.id,
            session_source=session.source,
            user=session.user,
            turn=message.turn,
            call_id=call_id or message.call_id,
            trigger=message.kind,
            trigger_text=message.text,
            request=session.request,
            earlier_requests=session.earlier_requests,
            orders=session.orders,
            shown_texts=shown_texts,
            history=history,
            vouches_history=session.vouches_history,
            problem=problem,
            abilities=(*abilities, "hold") if can_hold else abilities,
            acting_handle=delegation.handle if delegation is not None else "",
            agents=delegation.agents if delegation is not None else (),
            trace_id=self.find_trace_id(),
            answer_requests=run.find_answer_requests(message.turn) if run is not None else None,
            model=model,
            network=session.network,
            began_us=find_began_us(self.store.clock),
        )

    def _can_hold(self, resource: Resource, args: Mapping[str, Any], abilities: tuple[str, ...]) -> bool:
        if "pause" not in abilities:
            return False
        runner = self._runners.get(resource.id)
        return runner is not None and runner.accepts(args)


def _describe_class(resource: Resource) -> str:
    """The class of an undeclared resource, with the arguments that are its targets and its amount."""
    arguments = [f"target `{name}`" for name in resource.targets]
    arguments += [f"amount in `{resource.amount}`"] if resource.amount else []
    if resource.classified == "unknown":
        return f"is not classified ({', '.join(arguments)})" if arguments else "is not classified"
    return f"classified as {resource.impact.value} ({', '.join([resource.classified, *arguments])})"


def _check_reversal(name: str, declared: Resource | None, reverser: Reverser | None) -> None:
    """Refuse a reversal method that the application declares otherwise than the manifest."""
    if declared is None or reverser is None or declared.reversal is reverser.method:
        return
    declared_word, word = declared.reversal.value, reverser.method.value
    message = f"the manifest says `reversal: {declared_word}` of `{name}`, and the application declares `{word}`"
    remedy = f"write `reversal: {word}` under `{name}` in agents.yaml and issue the passport again, or omit `{word}=`"
    raise ConfigError("reversal_conflict", message, field=word, remedy=remedy)


_MAX_NAMED: Final = 20


def _list_arguments(arguments: Iterable[str]) -> str:
    """Names of arguments for a message: only the first ones, each shortened."""
    names = sorted(arguments)
    more = f", and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(name[:64] for name in names[:_MAX_NAMED]) + more


def _check_arguments(name: str, resource: Resource | None, schema: Mapping[str, Any]) -> None:
    """Refuse a target, an amount or a program that names no argument of the tool."""
    arguments = schema.get("properties")
    if resource is None or not arguments or schema.get("additionalProperties"):
        return
    references = [("targets", argument) for argument in resource.targets]
    references += [("amount", resource.amount)] if resource.amount else []
    references += [("programs", argument) for argument, _ in resource.programs]
    for field, argument in references:
        if argument not in arguments:
            similar = get_close_matches(argument, arguments, 1)
            hint = f"did you mean `{similar[0]}`" if similar else f"its arguments are {_list_arguments(arguments)}"
            raise ConfigError("no_such_argument", f"`{name}` has no argument `{argument}`", field=field, remedy=hint)


class HostedTool(ConfigError):
    """A tool run by the model's provider: this process cannot decide its calls, so it is refused by name."""


def make_hosted_tool_error(name: str) -> HostedTool:
    """The refusal of a tool run by the model's provider."""
    message = f"`{name}` is run by the model's provider, so Halo cannot control it"
    return HostedTool("hosted_tool", message, field="x", remedy="use a tool that runs in this process")


def make_schema_error(hosted_names: Sequence[str]) -> ConfigError:
    """The refusal of a dict in place of a tool; `hosted_names` are the tools in it that the model's provider runs."""
    if hosted_names:
        return make_hosted_tool_error(hosted_names[0])
    message, remedy = "a schema without a function cannot be guarded", "guard the tool or function that runs"
    return ConfigError("nothing_to_guard", message, field="x", remedy=remedy)


def guard_all(
    guard: Callable[..., Any],
    items: Sequence[Any],
    resource: Resource | None,
    find_refusal: Callable[[Any], ConfigError | None],
) -> list[Any]:
    """Guard each item of a list: all or none.

    Args:
        guard: the adapter's `Halo.guard`.
        items: what to guard.
        resource: what each of them is.
        find_refusal: why an item of the framework cannot be guarded; asked before the first is registered.

    Raises:
        ConfigError: one of them cannot be guarded, or they would share an id.
    """
    if resource is not None and resource.id and len(items) > 1:
        message = f"`{resource.id}` cannot be the id of {len(items)} objects"
        remedy = "omit `id`, or guard them one by one"
        raise ConfigError("resource_id_taken", message, field="resource", remedy=remedy)
    for item in items:
        refusal = find_refusal(item)
        if refusal is not None:
            raise refusal
    return [guard(item, resource=resource) for item in items]
