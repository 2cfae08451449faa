"""Marks of a conversation are the same whether they are computed or remembered."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from counts import count
from halo_core.enforcement.marked_history import HistoryMarker
from halo_core.model import HistoryItem, HistoryRole
from halo_core.values.provenance.conversation import ConversationDigest, MarkedItem

KEY = b"k" * 32
TEXTS = st.sampled_from(["", "a", "b", "pay 90", '{"x": true}'])
ITEMS = st.builds(
    HistoryItem,
    st.sampled_from(HistoryRole),
    TEXTS,
    TEXTS,
    st.sampled_from(["", "c-1", "c-2"]),
    is_given=st.booleans(),
    is_opening=st.booleans(),
)


def follow(start: ConversationDigest, items: list[HistoryItem]) -> tuple[ConversationDigest, list[MarkedItem]]:
    """Each item by itself, nothing remembered."""
    marked = []
    for item in items:
        start, found = start.follow(item)
        marked.append(found)
    return start, marked


@settings(max_examples=count(400))
@given(st.lists(st.tuples(st.sampled_from(["ana", "bo"]), st.lists(ITEMS, max_size=8)), max_size=8))
def test_it_marks_as_if_it_remembered_nothing(conversations):
    marker = HistoryMarker()
    for user, items in conversations:
        start = ConversationDigest(KEY, user)
        assert marker.mark(start, items) == follow(start, items)


def test_it_remembers_what_it_marked():
    marker, start = HistoryMarker(), ConversationDigest(KEY)
    items = [HistoryItem(HistoryRole.USER, "a"), HistoryItem(HistoryRole.REPLY, "b")]
    again = [HistoryItem(HistoryRole.USER, "a"), HistoryItem(HistoryRole.REPLY, "b")]
    first, second = marker.mark(start, items)[1], marker.mark(start, again)[1]
    assert all(one is other for one, other in zip(first, second, strict=True))
