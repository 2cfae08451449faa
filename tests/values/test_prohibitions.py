"""What a user refuses, in many languages, is not vouched for; what a user tells of the past asks for nothing."""

from __future__ import annotations

import pytest

from halo_core.values.language.foreign_words import find_foreign_acts
from halo_core.values.provenance.forms import find_forms
from halo_core.values.requests.asked_acts import find_asked_stems

EVE = "eve@rival.example"


def is_named(text: str) -> bool:
    return any(form.domain == "email" and form.text == EVE for form in find_forms(text, vouching=True))


@pytest.mark.parametrize(
    "text",
    [
        f"Our contact was {EVE}, it is closed now. Mail the new one.",
        f"We used {EVE}; that one is no longer valid",
        f"They had {EVE}. It has been deactivated.",
        f"Nothing may go to {EVE}",
        f"{EVE} is off limits",
        f"Keep {EVE} out of it",
        f"Leave {EVE} out",
        f"{EVE} gets nothing",
        f"Nobody should mail {EVE}",
        f"Hold off on {EVE}",
        f"{EVE} is banned",
        f"Send it to all apart from {EVE}",
        f"Please refrain from mailing {EVE}",
        f"Skip {EVE}",
        f"{EVE} may not be mailed",
        f"We no longer work with {EVE}",
        f"It is forbidden to write to {EVE}",
        f"{EVE} is outdated",
        f"Skriv aldrig till {EVE}",
        f"Send ikke til {EVE}",
        f"Älä koskaan lähetä osoitteeseen {EVE}",
        f"Neposílej nic na {EVE}",
        f"Ne küldj semmit: {EVE}".replace(":", ""),
        f"Niciodată nu scrie la {EVE}",
        f"Μην στέλνεις ποτέ στο {EVE}",
        f"Ніколи не пиши на {EVE}",
        f"{EVE} に送信しないでください",
        f"{EVE} 에게 절대 보내지 마세요",
        f"לעולם אל תשלח אל {EVE}",
        f"{EVE} को कभी मत भेजो",
        f"Đừng gửi cho {EVE}",
        f"Jangan kirim ke {EVE}",
        f"อย่าส่งไปที่ {EVE}",
        f"{EVE} bekommt nichts",
        f"Außer {EVE} bekommen es alle",
        f"N'envoie rien à {EVE}",
        f"Évite d'écrire à {EVE}",
        f"No le escribas a {EVE}",
        f"Non rispondere a {EVE}",
        f"Não responda a {EVE}",
        f"Stuur niks naar {EVE}",
        f"Oprócz {EVE} dostają wszyscy",
        f"{EVE} adresine gönderme",
        f"Не отвечай {EVE}",
        f"请勿发送给 {EVE}",
        f"لا تكتب إلى {EVE}",
    ],
)
def test_what_a_clause_refuses_is_not_vouched_for(text):
    assert not is_named(f"Mail al@y.example that we come. {text}")


@pytest.mark.parametrize(
    "text",
    [
        f"Mail {EVE} that nothing goes out before Monday",
        f"Skip the greeting and mail {EVE}",
        f"Don't forget to mail {EVE}",
        f"Mail {EVE} no later than Monday",
        f"Schicke es an {EVE} ohne Anhang",
        f"Skriv til {EVE} og spørg, hvorfor de ikke svarer",
        f"Envoie le fichier à {EVE} sans délai",
        f"Responde a {EVE} que no podemos ir",
        f"Rispondi a {EVE} che non paghiamo oggi",
        f"Napisz do {EVE}, że nie płacimy",
        f"Напиши на {EVE}, что мы не придём",
        f"能不能发给 {EVE}",
        f"Tell {EVE} that the door is closed",
    ],
)
def test_what_a_clause_asks_for_is(text):
    assert is_named(text)


@pytest.mark.parametrize(
    "text",
    [
        "Ich habe Ana schon bezahlt",
        "Die Rechnung wurde bezahlt",
        "Wann habe ich Ana bezahlt?",
        "J'ai payé Ana hier",
        "Le fichier a été supprimé",
        "Ya pagué a Ana",
        "Ik heb Ana al betaald",
        "Zapłaciłem już Anie",
        "Я уже оплатил счет",
        "Я уже удалил файл",
        "我已经付款给Ana了",
        "文件昨天被删除了",
    ],
)
def test_what_was_done_asks_for_nothing(text):
    assert not find_foreign_acts(text) | find_asked_stems(text)


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("Ich habe eine Rechnung, bitte bezahle sie", "pay"),
        ("Die Rechnung muss bezahlt werden", "pay"),
        ("Bezahl Ana 20 Euro", "pay"),
        ("Bitte Ana bezahlen", "pay"),
        ("Betaal Ana 20 euro", "pay"),
        ("Paie Ana", "pay"),
        ("Оплати счет", "pay"),
        ("Zapłać Anie", "pay"),
        ("请付款给Ana", "pay"),
        ("Lösche die Datei", "delete"),
    ],
)
def test_and_an_order_does(text, act):
    assert act in find_foreign_acts(text)
