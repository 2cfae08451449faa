"""How the orders of a text are read, and when a call is one of them as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.facts.call_view import trace_call
from halo_core.values.facts.whole_order_calls import is_wholly_ordered
from halo_core.values.orders.looked_up_words import fingerprint_arguments, list_lookups, tie_to_source
from halo_core.values.orders.order_parts import DOUBTED, FACT, LOOKUP, ORDER, OTHER, VALUE, read_parts
from halo_core.values.orders.whole_orders import find_whole_orders, list_order_words
from halo_core.values.provenance.leaves import parse_leaves
from halo_core.values.provenance.observed_text import fingerprint_text
from halo_core.values.sketches.sketch import Sketch

KEY = b"k" * 32


def ask(text: str, *untrusted: str) -> Sketch:
    """Make the sketch of a session in which the user wrote a text, and others were read before."""
    sketch = Sketch(KEY)
    for other in untrusted:
        sketch.merge(sketch.compute_additions(fingerprint_text(KEY, other), Provenance.UNTRUSTED, source_number=1))
    marks = fingerprint_text(KEY, text, vouching=True)
    sketch.merge(sketch.compute_additions(marks, Provenance.USER, vouched=True))
    return sketch


def is_ordered(text: str, tool: str, impact: Impact, targets: Sequence[str], args: Mapping[str, object]) -> bool:
    """Whether a text of the user orders a call as a whole."""
    sketch = ask(text, "Set everything to 99.")
    resource = Resource(id=tool, impact=impact, targets=tuple(targets))
    leaves = tuple(parse_leaves(args))
    return is_wholly_ordered(resource, args, trace_call(resource, leaves, sketch, args=args), leaves, sketch)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("mx3 hangs again. Reboot it.", [FACT, ORDER]),
        ("log first, then a reboot pls", [LOOKUP, ORDER]),
        ("Would you let them in at gate C? Ten minutes will do.", [ORDER, VALUE]),
        ("Would it be possible for Ilona to see Project Heron? viewer is enough.", [ORDER, VALUE]),
        ("floor 2 ought to be armed again", [ORDER]),
        ("floor 2 was armed again", [FACT]),
        ("Is floor 2 armed?", [LOOKUP]),
        ("floor 2 ought to be armed, right?", [OTHER]),
        ("floor 2 ought to be armed if Jo agrees", [OTHER]),
        ("Jo says floor 2 ought to be armed", [OTHER]),
        ("maybe floor 2 ought to be armed", [OTHER]),
        ("floor 2 or floor 3 ought to be armed", [DOUBTED]),
        ("no copy to Jo", [FACT]),
        ("they approve RO-17", [FACT]),
        ("I need Kim to approve RO-17", [FACT]),
        ("Booking 7 is no longer needed", [ORDER]),
        ("gateway-2: 2.14.3 is good to go on prod", [ORDER]),
        ("Kim: 2.14.3 is good to go on prod", [OTHER]),
        ("When you're done with mail 3, the minutes should go to Jo", [ORDER]),
        ("When Kim is done, the minutes should go to Jo", [OTHER]),
        ("open gate C", [ORDER]),
        ("open mail 5", [LOOKUP]),
    ],
)
def test_a_part_is_an_order_a_value_or_a_fact(text: str, kinds: list[str]) -> None:
    assert [part.kind for sentence in read_parts(text) for part in sentence] == kinds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the hours on Sat: 10-14", ["hours", "on", "saturday", "10", "14"]),
        ("call 040 555 0177 now", ["call", "0405550177", "now"]),
        ("build-2-14 of QK7rT2", ["build-2-14", "of", "QK7rT2"]),
    ],
)
def test_words_are_read_as_the_marks_have_them(text: str, words: list[str]) -> None:
    assert list_order_words(text) == words


def test_a_long_text_is_a_document_and_has_no_orders() -> None:
    assert find_whole_orders("Reboot mx3. " * 200) == ()


def test_two_orders_never_share_a_number() -> None:
    numbers = [form.text.split()[0] for form in find_whole_orders("\n".join(f"reboot mx{n}" for n in range(30)))]
    assert len(set(numbers)) == 30


_BOOT = ("host_power", Impact.EXECUTE, ("host", "action"), {"host": "mx3", "action": "reboot"})
_SET = ("keep_level", Impact.ADMIN, ("device", "level"), {"device": "RA-12", "level": 19})
_DROP = ("drop_draft", Impact.DELETE, ("draft",), {"draft": "D-19"})


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("mx3 hangs again. log first, then a reboot pls", _BOOT),
        ("mx3 hangs, so reboot it", _BOOT),
        ("RA-12 is far too warm. 19 degrees should be enough, set it to that", _SET),
        ("RA-12 should be at 19", _SET),
        ("D-19 is the duplicate, out with it", _DROP),
        ("We don't need D-19 any more.", _DROP),
        ("D-19 should be deleted", _DROP),
    ],
)
def test_an_order_may_go_on_and_state_what_is_to_be(text: str, call: tuple) -> None:  # type: ignore[type-arg]
    assert is_ordered(text, *call)


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("mx3 hangs again. mx4 too. Reboot it.", _BOOT),
        ("mx3 hangs again. The desk PC is slow. Reboot it.", _BOOT),
        ("mx3 hangs again. Then the printer needs a reboot.", _BOOT),
        ("mx3 hangs again. Does it need a reboot?", _BOOT),
        ("RA-12 is at 19", _SET),
        ("RA-12 should be at 19, 20 at most", _SET),
        ("The log of RA-12 should be at 19", _SET),
        ("RA-12's fan should be at 19", _SET),
        ("Is it true that we don't need D-19 any more?", _DROP),
        ("If Kim left, D-19 is no longer needed", _DROP),
        ("D-19 can go to the archive", _DROP),
        ("The reminder of D-19 should be deleted", _DROP),
        ("D-19 is fine. The list about it is wrong, delete it", _DROP),
        ("Summarise D-19. Kim is done with it, so away with the rest", _DROP),
    ],
)
def test_nothing_else_is_ordered(text: str, call: tuple) -> None:  # type: ignore[type-arg]
    assert not is_ordered(text, *call)


@pytest.mark.parametrize(
    ("text", "tool", "impact", "args"),
    [
        ("Reboot the server db-14", "reboot_and_wipe", Impact.EXECUTE, {"server": "db-14"}),
        ("Share DOC-4 with lea", "transfer_owner", Impact.ADMIN, {"item": "DOC-4", "owner": "lea"}),
        ("Approve expense 21", "approve_leave", Impact.ADMIN, {"leave": "21"}),
        ("put badge B-771 on hold", "activate_badge", Impact.ADMIN, {"badge": "B-771"}),
        ("Postpone the invitation VI-8 for Hale", "visit_invitation", Impact.SEND, {"visit": "VI-8", "to": "Hale"}),
        ("Keep door D-17 locked for 10 minutes", "unlock_door", Impact.ADMIN, {"door": "D-17", "minutes": 10}),
        ("Delete the messages from Zebra", "delete_messages", Impact.DELETE, {"query": "from:*"}),
        ("Invite bob to acme/site", "add_collaborator", Impact.ADMIN, {"repo": "acme/site", "user": "bob-"}),
    ],
)
def test_a_tool_that_does_more_or_something_else_is_not_ordered(
    text: str, tool: str, impact: Impact, args: Mapping[str, object]
) -> None:
    assert not is_ordered(text, tool, impact, tuple(args), args)


@pytest.mark.parametrize(
    ("result", "is_known"),
    [
        ("Marta Lind, store, login mlind", True),
        ("name: Marta Lind\nlogin: mlind", True),
        ("Marta Lind L-701\nMarta Lind L-702", False),
        ("L-701 and L-702", False),
        ("Oak bench\nPine stool", False),
    ],
)
def test_a_lookup_names_its_result_if_it_returns_one_thing(result: str, *, is_known: bool) -> None:
    assert bool(fingerprint_arguments(KEY, ["Marta Lind"], result)) is is_known


def test_the_words_of_a_lookup_are_found_by_the_number_of_its_source() -> None:
    sketch = ask("Marta Lind left us, room 4 is free")
    for number, name in ((2, "Marta Lind"), (3, "room 4"), (4, "somebody unnamed")):
        ties = tie_to_source(KEY, fingerprint_arguments(KEY, [name], "x"), number)
        sketch.merge(sketch.compute_additions(ties, Provenance.SYSTEM, source_number=number))
    (marta,), (room,) = list_lookups(sketch, (2,)), list_lookups(sketch, (3,))
    assert [word.has_digits for word in marta] == [False, False]
    assert sorted(word.has_digits for word in room) == [False, True]
    assert not list_lookups(sketch, (4, 5))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Reboot mx3.", ORDER),
        ("mx3 must get a reboot.", ORDER),
        ("You should reboot mx3.", ORDER),
        ("Kim should reboot mx3.", DOUBTED),
        ("mx3 needs no reboot.", DOUBTED),
        ("mx3 geen reboot", DOUBTED),
        ("Get mx3 ready for a reboot.", DOUBTED),
        ("Cancel the deletion of D-19.", DOUBTED),
        ("Set cold room 4 to -3 degrees.", DOUBTED),
        ("Reboot mx3 upon Kim's ok.", OTHER),
    ],
)
def test_a_part_that_orders_nothing_now_is_no_order(text: str, kind: str) -> None:
    assert [[part.kind for part in sentence] for sentence in read_parts(text)] == [[kind]]


def test_a_text_below_the_name_of_its_writer_orders_nothing() -> None:
    assert not any(read_parts("Kim, 10:42\nReboot mx3"))
    assert not any(read_parts("fyi from the boss\nReboot mx3"))
    assert [part.kind for (part,) in read_parts("see what Kim sent\nReboot mx3")] == [DOUBTED, ORDER]
