"""What a message of the user takes back of earlier texts, and what it leaves as it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import count
from halo_core.values.withdrawals.ordinals import find_ordinals
from halo_core.values.withdrawals.withdrawals import may_withdraw, revise


def told(text: str, message: str) -> str:
    """What stands of a text behind a message, in one line."""
    revision = revise([text], message)
    return " ".join((revision.told[0] if revision else text).split())


def own(message: str) -> str:
    """What stands of a message itself, in one line."""
    revision = revise([], message)
    return " ".join((revision.message if revision else message).split())


BARE = [
    "Forget it.",
    "Actually, don't.",
    "scratch that",
    "I changed my mind, keep it",
    "Cancel that.",
    "oh no, stop!!",
    "wait",
    "Could you stop?",
    "If it's not too late, don't do it.",
    "Kim found it. So never mind then, thanks!",
    "Nein, doch nicht.",
    "Vergiss es bitte.",
    "Ach, lass gut sein.",
    "Laisse tomber.",
    "Non, ne fais rien.",
    "Olvídalo.",
    "He cambiado de opinión.",
    "Lascia stare.",
    "Non importa, ho cambiato idea.",
    "Laat maar.",
    "Doe het toch maar niet.",
    "Deixa pra lá.",
    "Glöm det.",
    "Glem det.",
    "Sittenkään ei.",
    "Nieważne, zostaw.",
    "Zapomeň na to.",
    "Boş ver.",
    "Не надо, передумал.",
    "やっぱりやめて。",
    "算了。",
]


@pytest.mark.parametrize("message", BARE)
def test_all_is_taken_back(message: str) -> None:
    assert may_withdraw(message)
    assert not told("Delete D-19 and mail Kim.", message)


@pytest.mark.parametrize(
    ("text", "message", "rest"),
    [
        ("Delete D-19, D-20 and D-21.", "never mind the second one", "Delete D-19 and D-21."),
        ("Delete D-19, D-20 and D-21.", "only the first two", "Delete D-19, D-20"),
        ("Delete D-19, D-20 and D-21.", "not the last one", "Delete D-19, D-20"),
        ("Delete D-19, D-20 and D-21.", "all except D-20", "Delete D-19 and D-21."),
        ("Delete D-19, D-20 and D-21.", "just D-20", "Delete , D-20"),
        ("Delete D-19 and mail Kim.", "don't delete D-19", "and mail Kim."),
        ("Delete D-19 and mail Kim.", "just mail Kim", "and mail Kim."),
        ("Delete D-19 and mail Kim.", "forget the deletion", "and mail Kim."),
        ("1. Delete D-19\n2. Reboot mx3\n3. Mail Kim", "skip number 2", "1. Delete D-19 3. Mail Kim"),
        ("Pay Ana 50, Ben 60 and Kim 70.", "Leave Ben out", "Pay Ana 50 and Kim 70."),
        ("Pay Ana 100.", "make it 80 instead", "Pay Ana ."),
        ("Pay invoice 4410, 100 euros.", "make it 80", "Pay invoice 4410, euros."),
        ("Pay Ana 100.", "No, 80.", "Pay Ana ."),
        ("Pay Ana 50 and Ben 60.", "Ben only gets 40", "Pay Ana 50 and Ben ."),
        ("pay ana 50 and ben 60", "don't pay ben", "pay ana 50"),
        ("Send the report to Ben.", "to Anna, not Ben", "Send the report to ."),
        ("Send the report to Ben.", "send it to Anna rather than Ben", "Send the report to ."),
        ("Book room 4 for Friday.", "Cancel it.", "room 4 for Friday."),
        ("Delete all but D-19.", "not D-19", ""),
    ],
)
def test_a_part_is_taken_back(text: str, message: str, rest: str) -> None:
    assert told(text, message) == rest


@pytest.mark.parametrize(
    "message",
    [
        "Ana gets 40",
        "don't forget to send the report",
        "stop the server",
        "cancel order 4411",
        "never mind the typos",
        "no worries",
        "no, thanks, that is all",
        "leave the door unlocked",
        "Tell Kim to forget it.",
        "Write to Kim: forget it, we are late.",
        'Kim says "forget it".',
        "Kim says forget it.",
        "Should I forget it?",
        "If Kim complains, forget it.",
        "You haven't deleted D-19 yet.",
        "Don't delete anything else.",
        "Their mail (no. 6) is wrong.",
        "the invoice is in their mail, no 2",
        "not only that, also read mail 5",
        "keep me posted",
        "Ich weiß es nicht.",
        "No lo sé.",
        "Non lo so.",
        "Je ne sais pas.",
    ],
)
def test_nothing_is_taken_back(message: str) -> None:
    text = "Delete D-19 and mail Kim."
    assert told(text, message) == text


@pytest.mark.parametrize(
    ("message", "rest"),
    [
        ("Delete D-19... no wait, don't.", ".. no wait, ."),
        ("Send the report to Kim. Delete D-19... no wait, don't.", "Send the report to Kim. .. no wait, ."),
        ("Mail tilda@x.example (rolf@x.example knows, dont write to him)", "Mail tilda@x.example )"),
        ("The fine was our own mistake. Please strike it.", "The fine was our own mistake. Please strike it."),
        ("Book me in - I'll do the rest myself.", "Book me in - I'll do the rest myself."),
    ],
)
def test_a_message_takes_back_its_own_order(message: str, rest: str) -> None:
    assert own(message) == rest


def test_older_orders_about_the_same_id_are_taken_back() -> None:
    revision = revise(["Delete D-19. Mail Kim.", "Did you see D-19? Hurry with D-19, please."], "Forget it.")
    assert revision is not None
    assert "D-19" not in "".join(revision.told)
    assert "Mail Kim" in revision.told[0]


def test_a_second_withdrawal_goes_no_further_back() -> None:
    texts = ["Mail the report to Kim.", ""]
    revision = revise(texts, "Forget it.", follows_withdrawal=True, follows_bare=True)
    assert revision is not None
    assert revision.told == tuple(texts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Stop the server mx3.", "don't start it again"),
        ("Stop the server mx3.", "leave mx4 running"),
        ("Mail Kim the plan.", "I'd rather not call her"),
        ("Set heating in room 2 to 20 degrees.", "keep it at 20 until noon"),
        ("Pay invoice 4410 to Ana, 100.", "only after you have checked mail 5"),
        ("Pay Ana 100.", "don't pay more than 100"),
        ("Book yoga for 14:00.", "no yoga today"),
        ("Pay Ana 100.", "Oh wait, mail 3 is from the shop, see if they have stock."),
        ("Invite jo to blue-room as viewer.", "not as an editor"),
        ("Schick Kim den Bericht.", "nicht vergessen bitte"),
        ("Schick Kim den Bericht.", "mach dir keine Sorgen"),
        ("Manda el informe a Kim.", "no pasa nada"),
        ("", "Cancel the booking 40718, he won't need it. Don't charge him."),
    ],
)
def test_an_order_that_is_only_spoken_of_stands(text: str, message: str) -> None:
    revision = revise([text], message)
    assert revision is None or (revision.told == (text,) and revision.message == message)


@pytest.mark.parametrize(
    ("message", "follows", "renews"),
    [
        ("ok, delete it after all", False, True),
        ("Mach es doch.", False, True),
        ("Fais-le quand même.", False, True),
        ("Yes, do it.", True, True),
        ("Yes, do it.", False, False),
        ("Should we do it after all?", True, False),
        ("Kim wants it done after all.", True, False),
        ("Don't do it after all.", True, False),
        ("It stays after all.", True, False),
        ("Ben gets nothing after all.", True, False),
    ],
)
def test_an_order_is_given_again(message: str, follows: int, renews: int) -> None:
    revision = revise([""], message, follows_withdrawal=bool(follows))
    assert (revision is not None and revision.renews) is bool(renews)


@pytest.mark.parametrize(
    ("phrase", "places"),
    [
        ("the second one", (1,)),
        ("the first two", (0, 1)),
        ("the last two", (3, 4)),
        ("die ersten beiden", (0, 1)),
        ("le deuxième", (1,)),
        ("number 3", (2,)),
        ("#4", (3,)),
        ("the latter", (4,)),
    ],
)
def test_ordinals(phrase: str, places: tuple[int, ...]) -> None:
    ordinals = find_ordinals(phrase)
    assert ordinals is not None
    assert tuple(ordinals.select(5)) == places
    assert find_ordinals("D-19") is None


_WORDS = (
    "no wait don't not only keep leave it that D-19 D-20 after all instead make 80 rather than stop nein doch nicht"
    " lass es ne le pas no lo non never mind cancel the deletion of ok yes do Delete Pay Ana 100 Send report second"
    ' first last 1. 2. , . ! ? - ( ) : " … \n İ'
).split(" ")


@settings(max_examples=count(400))
@given(
    st.lists(st.lists(st.sampled_from(_WORDS), max_size=20).map(" ".join), max_size=3),
    st.lists(st.sampled_from(_WORDS), max_size=30).map(" ".join) | st.text(max_size=60),
)
def test_any_texts_are_read(texts: list[str], message: str) -> None:
    revision = revise(texts, message)
    if revision is not None:
        assert len(revision.told) == len(texts)
        for before, after in zip([*texts, message], [*revision.told, revision.message], strict=True):
            assert len(after.replace("\n", "")) <= len(before), "nothing is added"
