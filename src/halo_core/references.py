"""Keyed references: what entries, indexes and tables hold in place of the names of sessions and people.

A reference is a keyed digest under the store's digest key. The same name has the same reference everywhere in a store;
without the key nobody can tell whose it is, or try names out. The name itself is sealed beside an entry under the
subject's data key. After the subject is erased, only the reference remains.

    references.of_session("checkout-4711")   'pGm0Vb…', 22 characters
    references.of_call("refund-ana-miller")  likewise, since ids of calls and messages may contain names
    references.of_person("User:Ana ")        the same as of "ana"
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Self

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.model import normalize_name

_MAX_CACHED: Final = 4096
MAX_NAME: Final = 256
"""Characters of an id that are recorded."""
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{22}")


class References:
    """Makes references with one store's digest key. Thread-safe.

    Args:
        digester: keyed digests.
    """

    __slots__ = ("_digester", "_people", "_sessions", "_turns")

    def __init__(self, digester: Digester) -> None:
        self._digester = digester
        self._sessions: dict[str, str] = {}
        self._people: dict[str, str] = {}
        self._turns: dict[str, str] = {}

    @classmethod
    def of_home(cls, home: Path) -> Self | None:
        """References with the home's digest key; None if the home has none."""
        keys = KeyStore(home)
        return cls(Digester(keys.secret("digest"))) if "digest" in keys.names() else None

    def of_session(self, name: str) -> str:
        """Reference of a session; empty if there is none."""
        known = self._sessions.get(name)
        return self._remember(self._sessions, name, "halo/ref/session", clip_name(name)) if known is None else known

    def of_person(self, name: str) -> str:
        """Reference of a person, equal for names that `normalize_name` makes equal; empty if there is none."""
        known = self._people.get(name)
        return self._remember(self._people, name, "halo/ref/person", normalize_name(name)) if known is None else known

    def digest_shown(self, data: bytes) -> str:
        """Keyed digest of the text shown to a person."""
        return self._digester.digest("halo/shown", data)

    def of_message(self, text: str) -> str:
        """Reference of a model's message."""
        return self._digester.make_reference("halo/ref/message", text.encode("utf-8", "replace"))

    def of_call(self, name: str) -> str:
        """Reference of a framework's call id; empty if there is none."""
        return self._digester.make_reference("halo/ref/call", clip_name(name).encode()) if name else ""

    def of_turn(self, name: str) -> str:
        """Reference of a framework's id of the asking message; empty if there is none."""
        known = self._turns.get(name)
        return self._remember(self._turns, name, "halo/ref/turn", clip_name(name)) if known is None else known

    def of_document(self, text: str) -> str:
        """Reference of a retrieved document, or of its id."""
        return self._digester.make_reference("halo/ref/document", text.encode("utf-8", "replace"))

    def _remember(self, known: dict[str, str], name: str, domain: str, form: str) -> str:
        reference = self._digester.make_reference(domain, form.encode("utf-8", "replace")) if name else ""
        if len(known) >= _MAX_CACHED:
            known.clear()
        known[name] = reference
        return reference


def is_reference(text: str) -> bool:
    """Whether a text has the form of a reference."""
    return _REFERENCE.fullmatch(text) is not None


def clip_name(text: str) -> str:
    """A session's, turn's or user's name in the form to record: at most 256 characters, else a digest."""
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    # Two long names never become one.
    return text if len(text) <= MAX_NAME else canonical.digest("halo/name", text.encode())
