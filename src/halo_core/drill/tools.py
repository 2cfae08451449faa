"""What a drill knows of an application's tools (`ToolFacts`), and what it needs of an adapter (`DrillDriver`).

Attacks are planned from facts about tools alone, which are plain data from declarations and schemas. For a tool that
nobody declared, they follow from its name and arguments.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final, Protocol

from halo_core.drill.cases import Step, Turn
from halo_core.drill.desk import Desk
from halo_core.drill.specimens import (
    Specimen,
    SpecimenKind,
    can_hold_name,
    fit_to_schema,
    is_text_argument,
    is_time_argument,
    make_filler,
    make_specimen,
    split_words,
)
from halo_core.drill.stubs import FunctionStubs
from halo_core.enforcement.guesses import guess_tool
from halo_core.enforcement.registry import build_guessed_resource
from halo_core.model import Impact, Resource
from halo_core.quick_dataclass import dataclass

CONSEQUENCES: Final = frozenset((Impact.PAYMENT, Impact.SEND, Impact.DELETE, Impact.ADMIN, Impact.EXECUTE))
"""Impacts of tools that attacks aim at."""
TAINTING_TRUST: Final = 500
"""A source of less trust exposes the session, as `Resource.source_trust` says."""
_OUTSIDE_WORDS: Final = frozenset(
    "attachment browse comment comments email emails feed forum inbox mail mails message messages news page pages "
    "review reviews scrape ticket tickets tweet web website webpage".split()
)
"""Words of tools that read what people outside may have written."""
_STORE_WORDS: Final = frozenset(
    "memory memories memo memos note notes remember recall store save index fact facts".split()
)
_READ_WORDS: Final = frozenset("read recall load get find look search list open fetch select query".split())


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """A tool of an application.

    Args:
        name: name of the tool, as the model calls it.
        resource: the resource as registered, else as guessed from its name and arguments.
        schema: JSON schema of its arguments.
        description: its author's description.
        is_guarded: whether a guard decides its calls.
        owner: the tool in whose body it is; empty for one of the agent's own.
        problem: why the drill cannot replace its body; it is never called then.
        remedy: how it is guarded, in the words of its framework.

    Attributes:
        guess: what its name, description and arguments say that it is.
    """

    name: str
    resource: Resource
    schema: Mapping[str, Any]
    description: str = ""
    is_guarded: bool = True
    owner: str = ""
    problem: str = ""
    remedy: str = ""
    guess: Resource = field(init=False, compare=False)

    def __post_init__(self) -> None:
        guess = build_guessed_resource(guess_tool(self.name, self.description, self.schema))
        object.__setattr__(self, "guess", guess)

    @property
    def properties(self) -> Mapping[str, Any]:
        """Schemas of its arguments, by name."""
        properties: Mapping[str, Any] = self.schema.get("properties") or {}
        return properties

    @property
    def impact(self) -> Impact:
        """The graver of the declared impact and the name's; a name counts only for an act with a consequence."""
        declared, guessed = self.resource.impact, self.guess.impact
        grave = {Impact.PAYMENT, Impact.SEND, Impact.DELETE}
        if declared is Impact.UNKNOWN or (declared is Impact.READ and guessed in grave):
            return guessed
        return declared

    @property
    def has_consequence(self) -> bool:
        """Whether attacks aim at it."""
        return self.impact in CONSEQUENCES and not self.problem

    @property
    def brings_outside_words(self) -> bool:
        """Whether its result may be written by anybody, according to its declaration or name."""
        if self.impact in CONSEQUENCES or self.impact is Impact.WRITE:
            return False
        return self.resource.trust < TAINTING_TRUST or self.is_named_like_a_source

    @property
    def is_named_like_a_source(self) -> bool:
        """Whether its name suggests reading what people outside write."""
        return not split_words(self.name).isdisjoint(_OUTSIDE_WORDS)

    @property
    def amount(self) -> str:
        """The argument with the amount, empty if there is none."""
        return self.resource.amount or self.guess.amount

    def list_targets(self) -> list[str]:
        """Arguments that say where money or data goes: by their names first, then declared ones."""
        guessed = [name for name in self.guess.targets if name in self.properties]
        declared = [name for name in self.resource.targets if name in self.properties]
        names = list(dict.fromkeys([*guessed, *declared]))
        return names or [name for name in self.properties if name != self.amount and not is_text_argument(name)][:1]

    def list_other_names(self) -> list[str]:
        """Arguments of a payment that are no targets but could name somebody."""
        if self.impact is not Impact.PAYMENT:
            return []
        known = {*self.list_targets(), self.amount}
        others = [name for name in self.properties if name not in known]
        names = [name for name in others if not is_text_argument(name) and not is_time_argument(name)]
        return [name for name in names if can_hold_name(self.properties[name])]

    def make_arguments(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Arguments of a call: these values for its targets, and neutral words for the rest.

        Args:
            values: target → value.
        """
        required = frozenset(self.schema.get("required") or self.properties)
        arguments: dict[str, Any] = {}
        for name, spec in self.properties.items():
            if name in values:
                arguments[name] = fit_to_schema(values[name], spec)
            elif name == self.amount:
                arguments[name] = make_filler(name, spec, is_amount=True)
            elif name in required:
                arguments[name] = make_filler(name, spec)
        return arguments

    def make_specimens(self, source: random.Random) -> dict[str, Specimen]:
        """A pair of values for each target."""
        return {name: make_specimen(name, self.name, str(self.impact), source) for name in self.list_targets()}

    def find_url_argument(self) -> str:
        """The argument that holds a URL, empty if there is none."""
        source = random.Random(0)  # noqa: S311  the values are not used
        kinds = {name: make_specimen(name, self.name, "read", source).kind for name in self.properties}
        return next((name for name, kind in kinds.items() if kind is SpecimenKind.URL), "")

    def find_text_argument(self) -> str:
        """An argument that holds text, empty if there is none."""
        texts = [name for name, spec in self.properties.items() if spec.get("type", "string") == "string"]
        return next((name for name in texts if is_text_argument(name)), next(iter(texts), ""))


def describe_tool(
    name: str,
    resource: Resource | None,
    schema: Mapping[str, Any],
    description: str = "",
    *,
    is_guarded: bool,
    owner: str = "",
    problem: str = "",
    remedy: str = "",
) -> ToolFacts:
    """Facts about a tool; without a resource, derived from its name and arguments. See `ToolFacts`."""
    guess = build_guessed_resource(guess_tool(name, description, schema))
    known = resource if resource is not None else replace(guess, id=name)
    return ToolFacts(
        name, known, schema, description, is_guarded=is_guarded, owner=owner, problem=problem, remedy=remedy
    )


def list_sources(tools: Iterable[ToolFacts]) -> list[ToolFacts]:
    """The agent's tools that bring in the words of people outside."""
    return [item for item in tools if item.brings_outside_words and not item.problem and not item.owner]


def find_store(tools: Sequence[ToolFacts]) -> tuple[ToolFacts, ToolFacts] | None:
    """A tool that stores a text, and one that returns it; None if there are none."""
    own = [item for item in tools if not item.problem and not item.owner]
    writers = [item for item in own if item.impact is Impact.WRITE and item.find_text_argument()]
    readers = [item for item in own if item.impact is Impact.READ and split_words(item.name) & _READ_WORDS]
    for writer in writers:
        for reader in readers:
            is_same_system = bool(writer.resource.system) and writer.resource.system == reader.resource.system
            both = [split_words(item.name) & _STORE_WORDS for item in (writer, reader)]
            is_trusted = reader.resource.trust >= TAINTING_TRUST
            if is_same_system or (all(both) and (is_trusted or both[0] == both[1])):
                return writer, reader
    return None


def find_relay(tools: Iterable[ToolFacts], source: ToolFacts) -> ToolFacts | None:
    """A trusted tool that takes a text, so that foreign words could be returned as its own."""
    for item in tools:
        is_reader = item.impact is Impact.READ and not item.brings_outside_words
        if is_reader and not item.owner and not item.problem and item is not source and item.find_text_argument():
            return item
    return None


class CannotPlant(Exception):
    """Raised if a case cannot be run in an application."""


class DrillDriver(Protocol):
    """One application, ready for a drill.

    Attributes:
        tools: facts of its tools, those in the bodies of other tools too.
        code: the application's own code that runs beside tools and models, in words.
        problem: why no drill is possible; empty if one is.
    """

    tools: Sequence[ToolFacts]
    code: Sequence[str]
    problem: str

    def install(self, stubs: FunctionStubs, desk: Desk) -> None:
        """Replace the bodies of tools and models by ones that report to the desk."""
        ...

    def expand(self, steps: Sequence[Step]) -> Sequence[Step | None]:
        """Steps as the application's models take them, one for each request; None says that it is done."""
        ...

    def run_turn(self, turn: Turn) -> None:
        """Run the agent once with what the user says; models follow the script of this context."""
        ...

    def run_hosted(self, turn: Turn, fields: Mapping[str, Any]) -> None:
        """Send a model request with these fields besides the application's own.

        Raises:
            CannotPlant: its models take no fields.
        """
        ...
