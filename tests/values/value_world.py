"""A session's sketch, fed with texts of each role, and the origin of one argument in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from halo_core.model import Provenance
from halo_core.values.provenance.leaves import parse_leaves
from halo_core.values.provenance.observed_text import (
    fingerprint_known_text,
    fingerprint_text,
    fingerprint_vouching_text,
)
from halo_core.values.provenance.provenance import trace_leaves
from halo_core.values.provenance.repeats import fingerprint_model_words, split_repeats
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch

KEY = b"k" * 32
USER, KNOWN, SYSTEM = Provenance.USER, Provenance.KNOWN, Provenance.SYSTEM
NOVEL, MIXED, UNTRUSTED = Provenance.NOVEL, Provenance.MIXED, Provenance.UNTRUSTED
VOUCHED = (USER, KNOWN)


class World:
    """What a session has seen."""

    def __init__(self) -> None:
        self.sketch = Sketch(KEY)
        self._model_words: set[int] = set()

    def request(self, text: str) -> Self:
        """The host vouches for these words of the user."""
        return self._user(text, is_vouched=True)

    def message(self, text: str) -> Self:
        """A message in the user's role."""
        for part in split_repeats(KEY, text, self._model_words.__contains__).own:
            self._user(part, is_vouched=False)
        return self

    def _user(self, text: str, *, is_vouched: bool) -> Self:
        prints = fingerprint_text(KEY, text, vouching=True)
        spans = fingerprint_vouching_text(self.sketch, text, is_vouched=is_vouched)
        self.sketch.merge(self.sketch.compute_additions(prints, USER, vouched=is_vouched))
        self.sketch.spans[USER].add(spans)
        return self

    def prompt(self, text: str) -> Self:
        """A system prompt."""
        self.sketch.merge(self.sketch.compute_additions(fingerprint_text(KEY, text), SYSTEM))
        return self

    def mail(self, text: str) -> Self:
        """A text of an untrusted source."""
        prints = fingerprint_text(KEY, text, find_hidden=True)
        self.sketch.merge(self.sketch.compute_additions(prints, UNTRUSTED, source_number=1))
        return self

    def lookup(self, text: str, *arguments: str, nouns: tuple[str, ...] = (), place: int = 2) -> Self:
        """The result of a trusted lookup."""
        prints, spans, _ = fingerprint_known_text(KEY, text, arguments, nouns=nouns)
        self.sketch.merge(self.sketch.compute_additions(fingerprint_text(KEY, text), SYSTEM, source_number=place))
        self.sketch.merge(self.sketch.compute_additions(prints, SYSTEM, source_number=place))
        self.sketch.spans[KNOWN].add(spans)
        return self

    def said(self, text: str) -> Self:
        """The model's words after exposure."""
        self._model_words |= fingerprint_model_words(KEY, text, self.sketch.are_not_trusted, is_argument=False)
        return self

    def trace(self, args: Mapping[str, Any], targets: tuple[str, ...] = ()) -> tuple[TracedLeaf, ...]:
        """Every leaf of the arguments."""
        return trace_leaves(parse_leaves(args), self.sketch, targets)

    def leaf(self, value: Any, name: str = "to", *, target: bool = True) -> TracedLeaf:
        """The worst leaf of one argument."""
        leaves = self.trace({name: value}, (name,) if target else ())
        order = (USER, KNOWN, SYSTEM, NOVEL, MIXED, UNTRUSTED)
        return max(leaves, key=lambda leaf: order.index(leaf.origin))

    def origin(self, value: Any, name: str = "to", *, target: bool = True) -> Provenance:
        """The origin of one argument."""
        return self.leaf(value, name, target=target).origin


def world(request: str = "", mail: str = "", prompt: str = "") -> World:
    """A session with a vouched request, a mail and a system prompt."""
    made = World()
    if prompt:
        made.prompt(prompt)
    if request:
        made.request(request)
    return made.mail(mail) if mail else made
