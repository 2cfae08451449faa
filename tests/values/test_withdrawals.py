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
        "Ben says forget it.",
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
    ("text", "message", "rest"),
    [
        (
            "Grant r.ortiz the role editor and t.blum viewer.",
            "t.blum quit on Friday.",
            "Grant r.ortiz the role editor and viewer.",
        ),
        ("Pay Lena Falk 500 and Omar Said 650.", "Is Omar Said still with us?", "Pay Lena Falk 500 ."),
        (
            "Upload /srv/a.tar to backup@corp.example.",
            "/srv/a.tar has the keys in it",
            "Upload to backup@corp.example.",
        ),
        (
            "Mail the list to sara@x.example and leo@x.example.",
            "Leo is on leave",
            "Mail the list to sara@x.example and .",
        ),
        ("Rotate key K-7 and K-8.", "hold K-8", "Rotate key K-7 and ."),
        ("Rotate key K-7 and K-8.", "K-8, leave", "Rotate key K-7 and ."),
        ("Rotate key K-7 and K-8.", "K-8?", "Rotate key K-7 and ."),
        ("Rotate key K-7 and K-8.", "K-8 nope", "Rotate key K-7 and ."),
        ("Rotate key K-7 and K-8.", "archive K-8", "Rotate key K-7 and ."),
        ("Rotate key K-7 and K-8.", '"K-8" is in use', "Rotate key K-7 and ."),
        ("Rotate key K-7 and K-8.", "I never wanted K-8 rotated", "Rotate key K-7 and ."),
        ("Rotate key K-7 and K-8.", "do K-7, K-8 is with Jo", "Rotate key K-7 and ."),
        ("Rotate key K-7 and K-8.", "K-8 also belongs to Jo.", "Rotate key K-7 and ."),
        ("Rotate key K-7 and K-8.", "K-8 she keeps. Go ahead.", "Rotate key K-7 and ."),
        ("Ship order 88123 to Kim.", "88123 is unpaid", "Ship order to Kim."),
        ("Fax 030 5550 188 the plan.", "030 5550 188 is a shop", ""),
        ("Delete all but D-19.", "D-19 is out of date", ""),
        ("Überweise 300 an Maria Kern.", "Maria Kern hat die Bank gewechselt", "Überweise 300 an Kern."),
        ("Transfère 300 à Luc Petit.", "Luc Petit a changé de banque", "Transfère 300 à ."),
        ("Envía el acta a leo@x.example.", "¿leo@x.example sigue activo?", ""),
        (
            "Wyślij plik do ola@x.example i jan@x.example.",
            "jan@x.example to prywatny adres",
            "Wyślij plik do ola@x.example i .",
        ),
        ("Verwijder D-19 en D-20.", "D-20 gebruikt Piet", "Verwijder D-19 en ."),
        ("Radera D-19 och D-20.", "D-20 hör till bokslutet", "Radera D-19 och ."),
    ],
)
def test_a_value_that_is_named_again_without_an_order_is_taken_back(text: str, message: str, rest: str) -> None:
    assert may_withdraw(message, [text])
    assert told(text, message) == rest


@pytest.mark.parametrize(
    ("text", "message", "rest"),
    [
        ("Book a table at Sakura for 19:30.", "rather 20:15", "Book a table at Sakura for ."),
        ("Book a table at Sakura for 19:30.", "it should be 20:15", "Book a table at Sakura for ."),
        ("Set the hall to 24.", "hm, 21", "Set the hall to ."),
        ("Set the hall to 24.", "21 is warm enough", "Set the hall to ."),
        ("Buy 40 chairs.", "make that 50 and not one more", "Buy chairs."),
        ("Send the deed to kim@x.example.", "he is at kim2@x.example now", "Send the deed to ."),
        ("Upgrade db-main to 14.2.", "14.3 is out, it should go to 14.3", "Upgrade db-main to ."),
        ("Pay Ana 100 and Ben 60.", "40 for Ben", "Pay Ana 100 and Ben ."),
        ("Ship P-77 to 17 Quarry Lane, Leeds.", "It has to go to 5 Mill Rise, Leeds", "Ship P-77 to 17 , Leeds."),
        ("Überweise 300 an Maria Kern.", "es sollen 200 sein", "Überweise an Maria Kern."),
        ("Transfère 300 à Luc Petit.", "c'est 200 pour lui", "Transfère à Luc Petit."),
        ("Paga 900 a NL91ABNA0417164300.", "650 a la misma cuenta", "Paga a NL91ABNA0417164300."),
        ("Betaal 900 aan NL91ABNA0417164300.", "650 naar diezelfde rekening", "Betaal aan NL91ABNA0417164300."),
    ],
)
def test_a_value_is_replaced_by_one_in_its_place(text: str, message: str, rest: str) -> None:
    assert may_withdraw(message, [text])
    assert told(text, message) == rest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Rotate key K-7 and K-8.", "K-7 and then K-8"),
        ("Rotate key K-7 and K-8.", "rotate K-8 first, it's urgent"),
        ("Rotate key K-7 and K-8.", "yes, K-7 and K-8 please"),
        ("Rotate key K-7 and K-8.", "check K-8 first, then do it"),
        ("Rotate key K-7 and K-8.", "K-8 is old, rotate it"),
        ("Rotate key K-7 and K-8.", "Also mail Jo about K-8."),
        ("Pay Lena Falk 500.", "Lena's account is DE12500105170648489890"),
        ("Pay Lena Falk 500.", "ok pay it. The reference is RE-7."),
        ("Pay invoice 4410 to Ana, 100.", "the invoice is in mail 12"),
        ("Pay Ana 100.", "I have 250 left on the card, is that enough?"),
        ("Pay Ana 100.", "She is 40 today!"),
        ("Set the hall to 24.", "keep it at 24"),
        ("Set the hall to 24.", "Also set the bath to 22."),
        ("Set the hall to 24.", "it's 17 degrees there, brr"),
        ("Send the deed to kim@x.example.", "send kim2@x.example the minutes"),
        ("Send the deed to kim@x.example.", "the deed is /out/deed.pdf"),
        ("Upgrade db-main to 14.2.", "also upgrade db-copy to 14.3"),
        ("Upgrade db-main to 14.2.", "db-copy goes to 14.3"),
        ("Lösche die Datei D-19.", "Die Datei ist schon alt."),
        ("Zahle Rechnung 77 an Maria.", "Welche Rechnung ist die höchste?"),
        ("Lösche D-19.", "D-19 wurde noch nicht gelöscht"),
    ],
)
def test_what_orders_or_adds_takes_nothing_back(text: str, message: str) -> None:
    assert told(text, message) == text


@pytest.mark.parametrize(
    ("message", "rest"),
    [
        ("Delete:\n- D-19\n- ~~D-20~~\n- D-21", "Delete: - D-19 - D-21"),
        ("Delete D-19, ~~D-20~~ and D-21.", "Delete D-19, and D-21."),
        ("Delete D-19, D-20 (not today) and D-21.", "Delete D-19, and D-21."),
        ("Supprime D-19, D-20 (pas maintenant) et D-21.", "Supprime D-19, et D-21."),
        ("Delete D-19 (not urgent).", "Delete D-19 (not urgent)."),
        ("Delete draft 2 (not the signed one).", "Delete draft 2 (not the signed one)."),
        ("We have D-19, D-20 and D-21. Delete only the first two.", "We have D-19, D-20 Delete only the first two."),
        ("Read only mail 5.", "Read only mail 5."),
        ("They only called about D-19. Delete D-20.", "They only called about D-19. Delete D-20."),
    ],
)
def test_what_a_message_sets_aside_itself_is_not_ordered(message: str, rest: str) -> None:
    assert own(message) == rest


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


def test_items_of_a_numbered_list_take_nothing_back():
    rules = "Rules: 1. be polite 2. ask 3. log 4. be brief 0. stop"
    assert revise([], f"Send a text message to +49 30 5550 188 that I am late. {rules}") is None
    assert revise([], "Send a text message to +49 30 5550 188 that I am late. No, stop") is not None
