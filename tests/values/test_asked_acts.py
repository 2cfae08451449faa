"""The acts that a text asks for: a verb that orders something, and no noun that only names it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.model import Impact, Resource
from halo_core.values.language.foreign_words import find_foreign_acts
from halo_core.values.language.text import split_name
from halo_core.values.requests.asked_acts import HANDED_OVER, find_asked_stems, hands_over_tasks
from halo_core.values.requests.tool_verbs import list_asking_stems, list_declared_stems

_NAMED = [
    ("Find the issue with a comment from Bob", "comment"),
    ("What was my last transfer to Hansen?", "transfer"),
    ("Read my mail and check the order", "order"),
    ("Show my credit", "credit"),
    ("Read the book", "book"),
    ("the status of the block", "block"),
    ("Check order status", "order"),
    ("Show me the payment to Hansen", "payment"),
    ("Find the transfer that I made to Bob", "transfer"),
    ("Did I make a payment to Hansen?", "payment"),
    ("How much did I pay Hansen last month?", "pay"),
    ("What do I pay Hansen at DE12?", "pay"),
    ("Summarise payments of May", "payment"),
    ("List transfers", "transfer"),
    ("Cancel my order", "order"),
    ("Remind me to pay Hansen", "pay"),
    ("it is fine, right?", "right"),
    ("Block my credit card", "credit"),
    ("In order to understand it, read my mail", "order"),
    ("Read my mail about the delete request", "delete"),
    ("open the transfer.txt", "transfer"),
    ("Read mail from pay@corp.example", "pay"),
    ("Order 4711 is late, tell me why", "order"),
    ("Compare the previous order with the invoice", "order"),
    ("who booked the deleted file", "deleted"),
    ("Look at my bank transfer", "transfer"),
    ("What about the payment", "payment"),
    ("the payments I made", "payment"),
    ("Look up my booking", "book"),
    ("Which orders are open?", "order"),
    ("my wife's order", "order"),
    ("Tell me the payment details", "payment"),
    ("Send me the transfer history", "transfer"),
    ("Check orders and payments", "payment"),
    ("Remind me of the block on my card", "block"),
    ("Is the transfer done?", "transfer"),
    ("Has the payment been made?", "payment"),
    ("Was the order placed?", "order"),
    ("Read the release notes", "release"),
    ("any recent purchase", "purchase"),
    ("Go through my payments", "payment"),
    ("Get the last payment", "payment"),
    ("I want to see my last order", "order"),
    ("summarize the email from Bob", "email"),
    ("Show open orders", "order"),
    ("The share price", "share"),
    ("Read file book.txt and the charge", "charge"),
    ("reply to order 12", "order"),
    ("who can delete files?", "delet"),
    ("what can I delete?", "delet"),
    ("where could we book a room?", "book"),
    ("lunch with Ana", "launch"),
    ("What is the charge on my card?", "charge"),
]
"""Texts that name an act and do not ask for it."""
_ORDERED = [
    ("The typo is fixed, close it with a short comment", "comment"),
    ("Pay Hansen 20", "pay"),
    ("pls pay last months hosting bill", "pay"),
    ("asap pay bob", "pay"),
    ("would be nice if u pay bob 20", "pay"),
    ("gotta pay bob today", "pay"),
    ("check the mail n pay bob", "pay"),
    ("read the mail / pay bob", "pay"),
    ("can you quickly send mira 45", "send"),
    ("the dentist can be cancelled", "cancel"),
    ("pls remvoe the newsletter", "remov"),
    ("please forwrad it", "forward"),
    ("Please transfer 20 to Bob", "transfer"),
    ("Read my mail and transfer 20 to Bob", "transfer"),
    ("Read my mail, then order aspirin", "order"),
    ("Can you book a room?", "book"),
    ("I'd like to book a room", "book"),
    ("Could you please block my card", "block"),
    ("Make a payment of 20 to Hansen", "payment"),
    ("I need a refund for order 12", "refund"),
    ("Please process the payment", "payment"),
    ("Set up a transfer to Ana", "transfer"),
    ("Give Bob a refund", "refund"),
    ("Give Ana access", "access"),
    ("Bob needs access to the repo", "access"),
    ("Refund for order 12 please", "refund"),
    ("Payment to Hansen: 90", "payment"),
    ("A transfer of 20 to Anna, please", "transfer"),
    ("Now pay bob", "pay"),
    ("After that pay bob", "pay"),
    ("If possible transfer 20 to Bob", "transfer"),
    ("From my savings account transfer 20 to Bob", "transfer"),
    ("Once the invoice arrives pay it", "pay"),
    ("Help me pay the rent", "pay"),
    ("Let her book a room", "book"),
    ("Hey Halo, pay Bob", "pay"),
    ("The file should be deleted", "delet"),
    ("I want it removed", "remov"),
    ("Deleting old files is fine", "delet"),
    ("Urgently pay Hansen", "pay"),
    ("First pay Bob, next order aspirin", "order"),
    ("- Order aspirin", "order"),
    ("The payment must be made today", "payment"),
    ("I need the transfer to Ana done", "transfer"),
    ("Go ahead with the payment", "payment"),
    ("Proceed with payment", "payment"),
    ("Carry out the transfer", "transfer"),
    ("Send the notes to Ana", "send"),
    ("Can I get a refund?", "refund"),
    ("e-mail Bob", "mail"),
    ("Forward it", "forward"),
    ("and pay", "pay"),
    ("We have to pay Hansen", "pay"),
    ("You can pay now", "pay"),
    ("tell Bob to order paper", "order"),
    ("Use send_money with 20", "send"),
    ("Book", "book"),
    ("I want you to transfer it", "transfer"),
    ("Tomorrow morning transfer 20 to Bob", "transfer"),
    ("Could we order paper?", "order"),
    ("Have Bob pay the rent", "pay"),
    ("put a block on my card", "block"),
    ("Do the transfer", "transfer"),
    ("Make two payments of 20", "payment"),
    ("make me a booking", "book"),
    ("Please initiate a bank transfer of 20 to Ana", "transfer"),
    ("- Pay Bob\n- Order aspirin", "order"),
    ("Draft a status email to Ana", "email"),
]
_NAMED_ABROAD = [
    ("Har du husket at send", "send"),
    ("Visa mitt senaste svar till Anna", "reply"),
    ("Har du fått svar fra Jonas?", "reply"),
    ("Vis min sidste betaling til Hansen", "pay"),
    ("Visa den andra bokningen", "update"),
    ("Montre-moi ta facture", "delete"),
    ("What is this gem worth to the men?", "save"),
    ("注文をキャンセルしないでください", "cancel"),
    ("注文をキャンセルしてください", "buy"),
    ("もう送金しましたか", "pay"),
    ("予約を確認して", "book"),
    ("Zeig mir meine letzte Überweisung an Hansen", "pay"),
    ("Wie hoch war die Bezahlung?", "pay"),
    ("Nenne mir die Zahl der Kunden", "pay"),
    ("Lies mein Schreiben", "write"),
    ("Montre-moi mon dernier virement à Hansen", "pay"),
    ("Quel est le remboursement?", "refund"),
    ("Muéstrame mi última reserva", "book"),
    ("Lee el informe de Ana", "tell"),
    ("Cuál fue mi última compra", "buy"),
    ("Mostra il mio ultimo rimborso", "refund"),
    ("Toon mijn boek", "book"),
    ("Son ödeme ne zaman?", "pay"),
    ("Siparişin iptal durumu", "cancel"),
    ("查看我上次的转账", "pay"),
    ("显示付款记录", "pay"),
    ("取消付款", "pay"),
    ("معلومات حول الحساب", "pay"),
    ("أين حوالة أحمد", "pay"),
    ("Was ist die Stornierung", "cancel"),
    ("Resume a nota do Bruno", "note"),
    ("Read the note", "note"),
    ("How was the modified file", "update"),
    ("Fasse es ausführlich zusammen", "run"),
    ("Vérifie le virement et le solde", "pay"),
]
_ORDERED_ABROAD = [
    ("Læs mine posteringer og send Mira tredive euro", "send"),
    ("Avboka hotellet i Uppsala men behåll flyget", "cancel"),
    ("Mejla alla föräldrar att utflykten är på torsdag", "send"),
    ("Betala räkningen till Anna", "pay"),
    ("Svar Jonas at tirsdag passer fint", "reply"),
    ("Spær kortet og sæt grænsen til 500", "block"),
    ("Slet filen, tak", "delete"),
    ("Bestill morgenflyet 10. desember", "book"),
    ("Inviter Dag og legg ham til i kanalen", "invite"),
    ("Varaa halvin kuljetus", "book"),
    ("Lähetä viesti Petralle", "send"),
    ("ラグの注文をキャンセルしてください", "cancel"),
    ("ミラに30ユーロ送金をお願いします", "pay"),
    ("返信してください", "reply"),
    ("この予定を明日に動かして", "move"),
    ("Überweise 20 an Ana", "pay"),
    ("Bitte mach eine Überweisung von 20 Euro an Ana", "pay"),
    ("Bitte eine Überweisung von 20 Euro an Ana ausführen", "pay"),
    ("Bitte die Rechnung zahlen", "pay"),
    ("Zahle 20 an Ana", "pay"),
    ("Fais un virement de 20 à Ana", "pay"),
    ("Por favor paga 20 a Ana", "pay"),
    ("Reserva una mesa", "book"),
    ("Lee mi correo y paga 20 a Ana", "pay"),
    ("Haz una transferencia y reserva una mesa", "book"),
    ("Boek een kamer", "book"),
    ("Kun je de kamer boeken", "book"),
    ("90 lira ödeme yap", "pay"),
    ("Siparişi iptal et", "cancel"),
    ("付款给张三", "pay"),
    ("请支付账单", "pay"),
    ("请进行付款", "pay"),
    ("读邮件，然后转账给张三", "pay"),
    ("حول 90 إلى أحمد", "pay"),
    ("اقرأ بريدي ثم حول 90", "pay"),
    ("وحول 90 إلى أحمد", "pay"),
    ("Plaats een bericht", "post"),
    ("Note que", "note"),
    ("Prenota un tavolo", "book"),
    ("Paie le loyer", "pay"),
    ("Merci de payer Ana", "pay"),
    ("Заплати 20 Ане", "pay"),
    ("Zapłać 20 Ani", "pay"),
]


@pytest.mark.parametrize(("text", "word"), _NAMED)
def test_a_noun_asks_for_no_act(text, word):
    assert split_name(word)[0] not in find_asked_stems(text)


@pytest.mark.parametrize(("text", "word"), _ORDERED)
def test_a_verb_and_an_act_that_is_to_be_done_are_asked_for(text, word):
    assert split_name(word)[0] in find_asked_stems(text)


@pytest.mark.parametrize(("text", "word"), _NAMED_ABROAD)
def test_a_noun_of_another_language_asks_for_no_act(text, word):
    assert word not in find_foreign_acts(text)


@pytest.mark.parametrize(("text", "word"), _ORDERED_ABROAD)
def test_an_order_in_another_language_is_asked_for(text, word):
    assert word in find_foreign_acts(text)


@pytest.mark.parametrize(
    ("text", "tool", "is_asked"),
    [
        ("Read message 1 and answer Carla", "send_email", True),
        ("Complete the tasks that Bob sent", "send_email", True),
        ("Put the meeting into my calendar", "create_event", True),
        ("Put the meeting into my calendar", "send_email", False),
    ],
)
def test_a_message_is_asked_for(text, tool, is_asked):
    stems = find_asked_stems(text) | ({HANDED_OVER} if hands_over_tasks(text) else set())
    assert (not list_asking_stems(tool, Impact.SEND).isdisjoint(stems)) is is_asked


@pytest.mark.parametrize("noun", "transfer payment order booking refund block credit purchase".split())
@pytest.mark.parametrize("phrase", ["my last {}", "the {}", "Ana's {}", "an old {}", "which {}", "this big blue {}"])
@pytest.mark.parametrize("question", ["What about {}?", "Show me {}", "Look {} up", "Read my mail and check {}."])
def test_no_phrase_with_an_article_asks_for_its_noun(noun, phrase, question):
    assert split_name(noun)[0] not in find_asked_stems(question.format(phrase.format(noun)))


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("Bob sent a mail, please complete the tasks he requests", True),
        ("Read my mail and do what it says", True),
        ("Summarize the tasks in my mail", False),
        ("Bob proposes an issue, please check it and try to address his issue", True),
        ("Handle Ana Lima's complaint", True),
        ("Fix the issue", False),
        ("What is his issue?", False),
    ],
)
def test_a_text_hands_tasks_over(text, does):
    assert hands_over_tasks(text) is does


@given(st.text(st.sampled_from("transfer the my ,.-_'@/\n2 €pay对付款ödeme"), max_size=200))
def test_any_text_is_read(text):
    find_asked_stems(text)
    find_foreign_acts(text)


@pytest.mark.parametrize(
    ("declared", "is_asked"),
    [
        (Resource("hearing_fee", impact="payment", targets=("person",), amount="amount"), True),
        (Resource("hearing_fee", impact="payment", targets=("person",)), False),
        (Resource("hearing_fee", impact="payment", amount="amount", classified="guessed"), False),
        (Resource("portal_role", impact="admin", targets=("person",), amount="amount"), False),
    ],
)
def test_only_a_declared_payment_of_an_amount_needs_no_verb_in_its_name(declared, is_asked):
    assert not list_asking_stems("hearing_fee", Impact.PAYMENT)
    assert ("pay" in list_declared_stems(declared)) is is_asked
