"""Tools of MCP servers: those in a server's first listing are granted; those that come later wait for a person.

    problems = await halo.mcp_listings.aadmit("tickets", [ListedTool("read_ticket", "Read a ticket.", schema)])

The first listing of a server is accepted as a whole. After that, a tool that is new, or that has another description or
schema, has the problem `mcp_tool_not_accepted` until somebody accepts it (`halo mcp accept`). What was accepted is
recorded in signed entries, which identify a tool by a keyed digest of its server, name, description and schema.

Descriptions, parameter texts and enums are the server's words: an account or an address that only they name is of
untrusted origin. What a server says of its tools never makes a guess of their impact milder.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import partial
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.enforcement.guards import GuardMetadata
from halo_core.enforcement.guess_names import is_milder
from halo_core.enforcement.guesses import NO_HINTS, ServerHints, guess_tool
from halo_core.enforcement.steps import Steps, TwoWayStep, adrive, drive
from halo_core.errors import HaloError
from halo_core.model import Actor, EntryKind, Mode, Provenance
from halo_core.os_user import describe_os_user
from halo_core.quick_dataclass import dataclass
from halo_core.store.drafts import Draft
from halo_core.store.known_values import KnownTable, digest_known_value
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction
from halo_core.values.facts.answer_scope import list_declarable
from halo_core.values.provenance.result_origins import TRUST_FLOOR

SERVER_KIND: Final = "mcp_server"
TOOL_KIND: Final = "mcp_tool"
"""Kinds of the known values that say what was accepted."""
SUBJECT: Final = "mcp-tools"
NOT_ACCEPTED: Final = "mcp_tool_not_accepted"
TOO_LARGE: Final = "mcp_listing_too_large"
MAX_TOOLS: Final = 1_000
"""Tools of one listing; a longer one is refused as a whole."""
MAX_LISTING: Final = 1_000_000
"""Characters of one listing, descriptions and schemas together."""
_FIRST_LISTING: Final = "first listing"
_MAX_SERVERS: Final = 1_000
_MAX_PROPOSALS: Final = 1_000  # of one process
_MAX_SHOWN: Final = 4_096  # characters of a tool's listing that are kept for whoever accepts it
_MAX_DEPTH: Final = 64
_MAX_NODES: Final = 50_000  # of one schema
_MAX_VALUE_TEXT: Final = 16_384  # characters of one tool's texts in which values are looked for
_BATCH: Final = 250
_DOMAIN: Final = "halo/mcp-tool/v1"

RecordShadow = Callable[..., None]
"""`HaloBase.record_shadow`."""


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as an MCP server lists it.

    Args:
        name: its name at the server.
        description: what the server says of it.
        schema: JSON schema of its arguments.
        title: its title for people; empty for none.
        hints: what the server says that the tool does; they can only raise a guess, so they are not compared.
    """

    name: str
    description: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    hints: ServerHints = NO_HINTS

    def to_text(self) -> str:
        """Everything that is compared, as JSON text with sorted keys.

        Raises:
            ValueError: the schema is nested too deeply, holds itself, or has too many members.
        """
        _check_size(self.schema)
        tree = {"description": self.description, "name": self.name, "schema": self.schema, "title": self.title}
        return json.dumps(tree, sort_keys=True, default=str)


def _check_size(tree: Any) -> None:
    """Refuse a tree that is nested too deeply, contains itself, or has too many members.

    Raises:
        ValueError: it does.
    """
    remaining, count = [(tree, 0)], 0
    while remaining:
        value, depth = remaining.pop()
        members = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
        count += 1 + len(members)
        if depth > _MAX_DEPTH or count > _MAX_NODES:
            raise ValueError("the schema is too large")
        remaining += [(item, depth + 1) for item in members]


def make_tool_form(server: str, name: str, text: str) -> str:
    """The form that identifies a listed tool: its server, its name and a digest of its listing."""
    return json.dumps([server, name, canonical.digest(_DOMAIN, text.encode())])


def find_foreign_text(tool: ListedTool) -> str:
    """A server's description of a tool, if it names an account, an address or a host; else empty.

    A description that names nothing of the kind brings no value into a session that it could be misled to.
    """
    texts = _iterate_texts([tool.title, tool.description, tool.schema], _MAX_DEPTH)
    text = "\n".join(texts)[:_MAX_VALUE_TEXT]
    return text if _names_value(text) else ""


_TOKEN: Final = re.compile(r"[^\s,;()\[\]{}<>\"'`|]+")
_DIGITS: Final = re.compile(r"(?:\d[ ./-]{0,2}){6,}")  # of which an account could be made
_DATE: Final = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_VALUE_KINDS: Final = frozenset(("account", "email", "host"))


def _names_value(text: str) -> bool:
    if _DIGITS.search(_DATE.sub(" ", text)):
        return True
    tokens = (token.strip(".:!?") for token in _TOKEN.findall(text))
    return any(
        kind in _VALUE_KINDS for token in tokens if "@" in token or "." in token for kind, _ in list_declarable(token)
    )


_BOUNDS: Final = frozenset((2**31 - 1, 2**32 - 1, 2**53 - 1, 2**63 - 1, 2**64 - 1))
"""Limits of number types, which generated schemas state; nobody's account."""
_DIALECT: Final = "json-schema.org/"


def _iterate_texts(value: Any, depth: int) -> Iterator[str]:
    """All texts, numbers and keys of a JSON tree: a model reads them all."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "$schema" and isinstance(item, str) and item.partition("://")[2].startswith(_DIALECT):
                continue
            yield str(key)
            if depth:
                yield from _iterate_texts(item, depth - 1)
    elif isinstance(value, list | tuple):
        for item in value if depth else ():
            yield from _iterate_texts(item, depth - 1)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) not in _BOUNDS:
        yield str(value)


@dataclass(frozen=True, slots=True, eq=False)
class ListedToolGuard(GuardMetadata):
    """The guard of a tool run by an MCP server.

    Args:
        server: name of its server, as `McpListings` knows it; empty if nobody guarded the server.
        listed_name: the tool's name at the server.
        foreign_text: what `find_foreign_text` returns for a tool that nobody guarded.
    """

    server: str = ""
    listed_name: str = ""
    foreign_text: str = ""

    def find_problem(self) -> str:
        """Reason code why the tool, as its server lists it now, is not accepted."""
        return str(self.halo.mcp_listings.find_problem(self.server, self.listed_name)) if self.server else ""

    def read_foreign_text(self) -> str:
        """The server's description of the tool, if it names a value; empty for a trusted server."""
        if self.resource.trust >= TRUST_FLOOR:
            return ""
        return (
            str(self.halo.mcp_listings.find_text(self.server, self.listed_name)) if self.server else self.foreign_text
        )


def list_foreign_texts(guards: Iterable[GuardMetadata | None]) -> Iterator[tuple[str, Provenance]]:
    """Servers' descriptions of tools given to a model, with their origin, for the call that shows them to it."""
    for guard in guards:
        if isinstance(guard, ListedToolGuard) and (text := guard.read_foreign_text()):
            yield text, Provenance.UNTRUSTED


def describe_for_guess(tool: ListedTool) -> str:
    """The part of a server's description from which a tool's class may be guessed: only what makes it graver."""
    described = guess_tool(tool.name, tool.description, tool.schema)
    is_raised = is_milder(guess_tool(tool.name, "", tool.schema).impact, described.impact)
    return tool.description if is_raised else ""


@dataclass(slots=True)
class _Listing:
    """The newest listing of one server.

    Args:
        problems: reason code of each tool that may not run, by its name.
        texts: what `find_foreign_text` gives, by the tool's name.
        hints: what the server says that a tool does, by its name, where it says anything.
        forms: name and form of each tool by its text, so that what has not changed is read once.
        refused: reason code of every tool, where the listing itself is refused.
        is_withheld: whether no model is to be shown any of it.
    """

    problems: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    hints: dict[str, ServerHints] = field(default_factory=dict)
    forms: dict[str, tuple[str, str]] = field(default_factory=dict)
    refused: str = ""
    is_withheld: bool = False


class McpListings:
    """The listings of MCP servers, and which tools were accepted. One for each facade; thread-safe like the store.

    Args:
        store: store of the listings.
        digester: keyed digests of the home.
        mode: the mode that the facade was opened with; the floor counts where that is higher.
        record_shadow: notes a tool that nobody accepted.
    """

    def __init__(self, store: Store, digester: Digester, mode: Mode | None, record_shadow: RecordShadow) -> None:
        self._store = store
        self._digester = digester
        self._mode = mode
        self._record_shadow = record_shadow
        self._listings: dict[str, _Listing] = {}
        # Where nobody sees a server's listing as a whole: what was guarded of it, and whether that is still the first.
        self._guarded: dict[str, dict[str, ListedTool]] = {}
        self._growing: set[str] = set()
        self._proposed: set[str] = set()

    def admit(self, server: str, tools: Sequence[ListedTool]) -> Mapping[str, str]:
        """Compare a listing with what was accepted; a server's first listing is accepted as it is.

        Args:
            server: the name under which people know it, the same in each process.
            tools: all that it lists.

        Returns:
            Reason code of each tool that may not run, by its name; nothing for one that may.
        """
        problems: Mapping[str, str] = drive(self._admit(server, tools))
        return problems

    async def aadmit(self, server: str, tools: Sequence[ListedTool]) -> Mapping[str, str]:
        """Like `admit`, without blocking the event loop."""
        problems: Mapping[str, str] = await adrive(self._admit(server, tools))
        return problems

    def admit_guarded(self, server: str, tools: Sequence[ListedTool]) -> None:
        """Like `admit`, for some tools of a server whose whole listing nobody sees.

        All that was guarded of it so far counts as its listing. The first one may grow by tools of other names until
        this process first asks about one of its tools for a call, or for what a model is shown.
        """
        drive(self._admit_guarded(server, tools))

    async def aadmit_guarded(self, server: str, tools: Sequence[ListedTool]) -> None:
        """Like `admit_guarded`, without blocking the event loop."""
        await adrive(self._admit_guarded(server, tools))

    def _admit_guarded(self, server: str, tools: Sequence[ListedTool]) -> Steps[None]:
        guarded = self._guarded.setdefault(server, {})
        listing = self._listings.get(server)
        given = {tool.name: tool for tool in tools}
        is_known = all(guarded.get(name) == tool for name, tool in given.items()) and len(given) == len(tools)
        if is_known and listing is not None and not listing.refused and not given.keys() & listing.problems.keys():
            return
        addable = frozenset(given.keys() - guarded.keys()) if server in self._growing else frozenset()
        guarded.update(given)
        others_of_a_name = [tool for tool in tools if given[tool.name] != tool]
        yield from self._admit(server, [*guarded.values(), *others_of_a_name], addable, grows=True)

    def has_met(self, server: str) -> bool:
        """Whether this process has compared anything of a server."""
        return server in self._listings

    def find_problem(self, server: str, name: str) -> str:
        """Reason code why a tool may not run, by its server's newest listing; empty if nothing is wrong."""
        self._growing.discard(server)
        listing = self._listings.get(server)
        return "" if listing is None else listing.refused or listing.problems.get(name, "")

    def is_withheld(self, server: str) -> bool:
        """Whether a server's newest listing is refused as a whole, so that no model may be shown any of it."""
        listing = self._listings.get(server)
        return listing is not None and listing.is_withheld

    def find_text(self, server: str, name: str) -> str:
        """The server's description of the tool, if it names a value; see `find_foreign_text`."""
        self._growing.discard(server)
        listing = self._listings.get(server)
        return "" if listing is None else listing.texts.get(name, "")

    def find_hints(self, server: str, name: str) -> ServerHints:
        """The hints in a server's newest listing about what a tool does."""
        listing = self._listings.get(server)
        return NO_HINTS if listing is None else listing.hints.get(name, NO_HINTS)

    def is_refused(self, server: str, name: str) -> bool:
        """Whether a tool has a problem when it is registered; see `admit_guarded`."""
        listing = self._listings.get(server)
        return listing is not None and bool(listing.refused or name in listing.problems)

    def _admit(
        self,
        server: str,
        tools: Sequence[ListedTool],
        addable: frozenset[str] = frozenset(),
        *,
        grows: bool = False,
    ) -> Steps[Mapping[str, str]]:
        previous = self._listings.get(server, _Listing())
        try:
            listing = _read_listing(server, tools, previous)
        except ValueError:
            is_enforced = yield from self._read_is_enforced()
            self._keep(server, _Listing(refused=TOO_LARGE, is_withheld=is_enforced))
            where = f"lists more than {MAX_TOOLS} tools, or {MAX_LISTING} characters"
            self._record_shadow("mcp_server", server, where, refused=is_enforced)
            return dict.fromkeys({tool.name for tool in tools[: MAX_TOOLS + 1]}, TOO_LARGE)
        forms = {name: (form, text) for text, (name, form) in listing.forms.items()}
        try:
            job = _AdmitJob(server, forms, self._digester, self._mode, self._proposed, addable)
            refused, is_enforced, is_first = yield TwoWayStep(self._store.commit, self._store.acommit, job)
        except HaloError:  # INVARIANT: FAILCLOSED - what cannot be compared was not accepted
            refused, is_enforced, is_first = set(forms), True, False
        if is_first and grows:
            self._growing.add(server)
        # Two tools of one name: nobody could say which of them was accepted.
        ambiguous = (name for name, count in Counter(tool.name for tool in tools).items() if count > 1)
        if server not in self._listings and len(self._listings) >= _MAX_SERVERS:
            refused = set(forms)
        listing.problems = dict.fromkeys(sorted({*refused, *ambiguous}), NOT_ACCEPTED)
        self._keep(server, listing)
        for name in listing.problems:
            where = f"MCP server `{server}` lists it anew or changed"
            self._record_shadow("mcp_tool", f"{server}/{name}", where, refused=is_enforced)
        return listing.problems

    def _read_is_enforced(self) -> Steps[bool]:
        try:
            read = partial(_read_mode, option=self._mode)
            mode = yield TwoWayStep(self._store.commit, self._store.acommit, read)
        except HaloError:
            return True
        return mode is Mode.ENFORCE

    def _keep(self, server: str, listing: _Listing) -> None:
        # Of a server beyond these nothing is registered, so that nothing of it is granted.
        if server in self._listings or len(self._listings) < _MAX_SERVERS:
            self._listings[server] = listing


def _read_mode(tx: Transaction, option: Mode | None) -> Mode:
    tx.load_control()
    return tx.image.find_mode(option, tx.clock.now_us(), tx.clock.mono_us())


def _read_listing(server: str, tools: Sequence[ListedTool], previous: _Listing) -> _Listing:
    """Parse a server's listing.

    Raises:
        ValueError: it is too large.
    """
    if len(tools) > MAX_TOOLS:
        raise ValueError("too many tools")
    listing, size = _Listing(), 0
    for tool in tools:
        text = tool.to_text()
        size += len(text)
        if size > MAX_LISTING:
            raise ValueError("too much text")
        known = previous.forms.get(text)
        listing.forms[text] = known or (tool.name, make_tool_form(server, tool.name, text))
        if tool.hints != NO_HINTS:
            listing.hints[tool.name] = tool.hints
        listing.texts[tool.name] = previous.texts[tool.name] if known is not None else find_foreign_text(tool)
    return listing


@dataclass(frozen=True, slots=True)
class _AdmitJob:
    """Compares a listing with what was accepted, inside a transaction.

    Args:
        server: its name.
        forms: forms of its tools, by name, each with its text.
        digester: keyed digests.
        mode: see `McpListings`.
        proposed: digests that this process has proposed already.
        addable: names of tools that belong to the first listing although it was accepted already.
    """

    server: str
    forms: Mapping[str, tuple[str, str]]
    digester: Digester
    mode: Mode | None
    proposed: set[str]
    addable: frozenset[str] = frozenset()

    def __call__(self, tx: Transaction) -> tuple[set[str], bool, bool]:
        """Return the names of tools not accepted, whether they are refused, and whether the server is new."""
        table = KnownTable(tx)
        is_enforced = _read_mode(tx, self.mode) is Mode.ENFORCE
        server = digest_known_value(self.digester, SERVER_KIND, self.server)
        digests = {name: digest_known_value(self.digester, TOOL_KIND, form) for name, (form, _) in self.forms.items()}
        if not table.contains(SERVER_KIND, server):
            table.add(SERVER_KIND, server)
            for digest in digests.values():
                table.add(TOOL_KIND, digest)
            rows = [(SERVER_KIND, server, self.server, ""), *self._list_rows(digests)]
            record_tools(tx, "add", rows, actor=describe_os_user(), why=_FIRST_LISTING)
            return set(), is_enforced, True
        refused = {name for name, digest in digests.items() if not table.contains(TOOL_KIND, digest)}
        if added := {name: digests[name] for name in refused & self.addable}:
            for digest in added.values():
                table.add(TOOL_KIND, digest)
            record_tools(tx, "add", self._list_rows(added), actor=describe_os_user(), why=_FIRST_LISTING)
            refused -= added.keys()
        new = {name: digests[name] for name in refused if digests[name] not in self.proposed}
        if new and len(self.proposed) < _MAX_PROPOSALS:
            self.proposed.update(new.values())
            record_tools(tx, "propose", self._list_rows(new), actor=describe_os_user())
        return refused, is_enforced, False

    def _list_rows(self, digests: Mapping[str, str]) -> list[_Row]:
        return [(TOOL_KIND, digest, *self.forms[name]) for name, digest in digests.items()]


_Row = tuple[str, str, str, str]
"""Kind, keyed digest, form and text of a server or a tool."""


def record_tools(tx: Transaction, op: str, rows: Iterable[_Row], *, actor: Actor, why: str = "") -> None:
    """Append the entries of tools that were accepted (`add`) or only seen (`propose`)."""
    remaining = list(rows)
    while remaining:
        batch, remaining = remaining[:_BATCH], remaining[_BATCH:]
        body = {"op": op, "values": [[kind, digest] for kind, digest, *_ in batch], "why": why}
        shown_tools = [[form, text[:_MAX_SHOWN]] for _, _, form, text in batch]
        content = {"values": json.dumps(shown_tools, ensure_ascii=False).encode()}
        tx.append(Draft(EntryKind.KNOWN, "", body, content, SUBJECT, actor=actor))
