"""Room: rows that name entries: session heads, dispatches; blobs. Takes: a reader. Gives: findings. Never: I/O."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from typing import Any

from halo_core import canonical
from halo_core.ledger.reader import Follower, LedgerReader, Row, Trust, keyed
from halo_core.ledger.report import Collector, name_of

__all__ = ["Projections", "check_blobs"]

Key = tuple[str, str, int]
_KEY = (str, str, int)
_PAUSED = 2  # in the column `outcome`


class Projections:
    """(9) Each session head exists; each dispatch row names a dispatched decision, and each such decision has one.

    No request id that must run once is dispatched twice (INVARIANT: ONCE), and the column that makes the table refuse
    it says what the decision says. A request that paused may come back, once for each time.

    `named` holds, for each writer, the largest sequence of an entry that a row names and that is not there.
    """

    def __init__(self, reader: LedgerReader, out: Collector, writers: set[tuple[str, str]]) -> None:
        self._out = out
        self._writers = writers
        self.named: dict[tuple[str, str], int] = {}
        # Entries that bring a text into the store by its hash are few, so their names are kept.
        self.blobs: dict[tuple[str, str], str] = {}
        # 8 bytes of each request id; keyed, so that nobody can choose two ids that look the same here.
        self._once: set[bytes] = set()
        self._salt = secrets.token_bytes(16)
        # Of what paused, which is little: dispatches that ran once, and those that came after. What the rows say of it
        # and what the outcomes say.
        self._repeated: list[tuple[Key, bytes, str, str]] = []
        self._marked: dict[Key, tuple[bytes | None, str]] = {}
        self._paused: dict[Key, tuple[str, str]] = {}
        self._sessions = Follower(keyed(reader.sessions(), _KEY, self._complain_session))
        self._dispatches = Follower(keyed(reader.dispatches(), _KEY, self._complain_dispatch))

    def _complain_session(self, row: Row, what: str) -> None:
        self._out.tampered(9, f"session {row[0]}/{row[3]}", what, "row_malformed")

    def _complain_dispatch(self, row: Row, what: str) -> None:
        self._out.tampered(9, f"dispatch {row[0]}/{row[3]}", what, "row_malformed")

    def follow(self, key: Key, plain: dict[str, Any] | None) -> None:
        """Move both tables up to this entry; None for an entry that cannot be read or has a foreign key."""
        before, at = self._sessions.upto(key)
        for row in before:
            self._names_nothing("session", row)
        if plain is not None:
            for row in at:
                self._session(row, plain)
        before, at = self._dispatches.upto(key)
        for row in before:
            self._names_nothing("dispatch", row)
        if plain is not None:
            self._dispatch(key, at, plain)
            self._outcome(key, plain)
            body = plain.get("body")
            if isinstance(body, dict) and type(body.get("hash")) is str:
                self.blobs[key[0], body["hash"]] = name_of(key)

    def finish(self) -> None:
        """What names an entry behind the last one names nothing."""
        for row in self._sessions.rest():
            self._names_nothing("session", row)
        for row in self._dispatches.rest():
            self._names_nothing("dispatch", row)
        self._pauses()

    def _names_nothing(self, table: str, row: Row) -> None:
        where = f"{table} {row[0]}/{row[3]}"
        what = f"entry {row[0]}/{row[1]}/{row[2]}, which it names, is missing"
        if row[:2] in self._writers:
            self._out.incomplete.add(row[0])
            self.named[row[0], row[1]] = max(row[2], self.named.get((row[0], row[1]), -1))
            self._out.gap(9, where, what, "entry_missing")
        else:
            self._out.tampered(9, where, f"{what}, and no such writer is known", "row_stray")

    def _session(self, row: Row, plain: dict[str, Any]) -> None:
        body = plain.get("body")
        state = body.get("state") if isinstance(body, dict) else None
        version = state.get("version") if isinstance(state, dict) else None
        if row[3] != plain.get("session") or version != row[4]:
            what = f"its head is an entry of session `{plain.get('session')}` that left version {version} behind"
            self._out.tampered(9, f"session {row[0]}/{row[3]}", what, "row_stray", str(plain.get("id", "")))
        else:
            self._out.passed[9] += 1

    def _dispatch(self, key: Key, rows: list[Row], plain: dict[str, Any]) -> None:
        body = plain.get("body")
        body = body if isinstance(body, dict) else {}
        entry = str(plain.get("id", ""))
        dispatched = plain.get("kind") == "decision" and body.get("dispatched") is True
        once = _once(body) if dispatched else None
        if once is not None:
            self._run_once(key, once, entry)
        if dispatched and not rows:
            self._out.gap(9, name_of(key), "the dispatch row of this decision is missing", "dispatch_missing", entry)
        for i, row in enumerate(rows):
            where = f"dispatch {row[0]}/{row[3]}"
            if not dispatched or i:
                what = "it names an entry that dispatched nothing, or that has its row"
                self._out.tampered(9, where, what, "row_stray", entry)
            elif _request_id(body) not in (None, row[3]):
                what = "the decision it names has another request id"
                self._out.tampered(9, f"{where} column request_id", what, "column_altered", entry)
            elif row[4] not in (0, 1, _PAUSED):
                self._out.tampered(9, f"{where} column outcome", "it is none of 0, 1 and 2", "column_altered", entry)
            elif row[5] != (None if row[4] == _PAUSED else once):
                what = f"it is `{row[5]}` where the decision needs `{once}`, or nothing if it paused"
                self._out.tampered(9, f"{where} column once", what, "column_altered", entry)
            else:
                self._out.passed[9] += 1
            if dispatched and row[4] == _PAUSED:
                self._marked[key] = (None if once is None else self._digest(key, once), entry)

    def _digest(self, key: Key, request_id: str) -> bytes:
        name = f"{key[0]}\0{request_id}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(name, digest_size=8, key=self._salt).digest()

    def _run_once(self, key: Key, request_id: str, entry: str) -> None:
        digest = self._digest(key, request_id)
        if digest in self._once:
            self._repeated.append((key, digest, request_id, entry))
        self._once.add(digest)

    def _outcome(self, key: Key, plain: dict[str, Any]) -> None:
        body = plain.get("body")
        if plain.get("kind") != "outcome" or not isinstance(body, dict) or body.get("status") != "paused":
            return
        named = body.get("decision")
        w, ws = (named.get("w"), named.get("ws")) if isinstance(named, dict) else (None, None)
        if type(w) is str and type(ws) is int:
            self._paused[key[0], w, ws] = (name_of(key), str(plain.get("id", "")))

    def _pauses(self) -> None:
        """A row says paused where an outcome does; a request came back at most once for each time it paused."""
        for key, (_, entry) in self._marked.items():
            if key in self._paused:
                continue
            where, what = f"dispatch of {name_of(key)} column outcome", "it says that it paused, and no outcome does"
            if key[0] in self._out.incomplete:
                self._out.gap(9, where, what, "entry_missing", entry)
            else:
                self._out.tampered(9, where, what, "column_altered", entry)
        for key, (outcome, entry) in self._paused.items():
            if key not in self._marked and key[0] not in self._out.incomplete:
                what = f"the dispatch of {name_of(key)} does not say that it paused"
                self._out.tampered(9, outcome, what, "column_altered", entry)
        left = Counter(digest for key, (digest, _) in self._marked.items() if key in self._paused)
        for key, digest, request_id, entry in self._repeated:
            left[digest] -= 1
            if left[digest] < 0:
                what = f"request `{request_id}`, which may run once, was dispatched before"
                self._out.tampered(9, name_of(key), what, "dispatched_twice", entry)


def _once(body: dict[str, Any]) -> str | None:
    """The request id of a decision whose action may run once: in enforce mode, and not idempotent."""
    try:
        request = body["request"]
        bound = body["snapshot"]["mode"] == "enforce" and not request["resource"]["idempotent"]
        return str(request["request_id"]) if bound else None
    except (KeyError, TypeError):
        return None


def _request_id(body: dict[str, Any]) -> Any:
    request = body.get("request")
    return request.get("request_id") if isinstance(request, dict) else None


def check_blobs(reader: LedgerReader, trust: Trust, out: Collector, named: dict[tuple[str, str], str]) -> None:
    """(9) Each blob has the hash it is stored under, in one of the known domains, and an entry that names it."""
    left = dict(named)
    for tenant, name, data in reader.blobs():
        left.pop((tenant, name), None)
        where = f"blob {tenant}/{name}"
        if type(data) is not bytes:
            out.tampered(9, f"{where} column bytes", "the blob is not bytes", "row_malformed")
        elif name not in {canonical.digest(domain, data) for domain in trust.blob_domains}:
            out.tampered(9, f"{where} columns hash, bytes", "the blob does not have this hash", "blob_altered")
        elif (tenant, name) in named:
            out.passed[9] += 1
        elif tenant in out.incomplete:
            out.gap(9, where, "the entry that names it is among the missing", "entry_missing")
        else:
            out.tampered(9, f"{where} column tenant", "no entry of this tenant names it", "row_stray")
    for (tenant, name), entry in left.items():
        out.gap(9, f"blob {tenant}/{name}", f"{entry} names it, and it is missing", "blob_missing")
