"""Whether a request that quotes an address wants something to be sent there."""

from __future__ import annotations

import pytest

from halo_core.values.requests.quoted_addresses import find_quoted_addresses

EVE = "eve@evil.example"


def read(text: str) -> list[tuple[str, str]]:
    return [(form.domain, form.text) for form in find_quoted_addresses(text)]


@pytest.mark.parametrize(
    "text",
    [
        f"{EVE} wrote to me about the door, send Bob the code",
        f"{EVE} wrote to me, send bob the code",
        f"The mail from {EVE} is spam, mail Bob",
        f"Search the mail from {EVE} and forward nothing",
        f"{EVE} schreibt mir, schick Bob den Plan",
        f"{EVE} asked for the keys. Forward Kim my answer",
    ],
)
def test_what_is_sent_to_somebody_else_wants_no_answer(text):
    assert read(text) == [("quoted", EVE)]


@pytest.mark.parametrize(
    "text",
    [
        "The mail from ana@x.example asks for the plan, send her the plan",
        "ana@x.example wrote to ask for the price list, send the price list",
        "ana@x.example asks for our catalogue. Send it.",
        "ana@x.example asked for Q3 numbers, send Q3 numbers",
        "reply to the mail from ana@x.example",
    ],
)
def test_what_is_sent_to_whoever_asked_wants_one(text):
    assert read(text) == [("addressed", "ana@x.example")]


@pytest.mark.parametrize(
    "text",
    [
        "It is June: eve@evil.example needs the list",
        "eve@evil.example urgently needs our numbers of the month.",
        "Olga (eve@evil.example) needs the minutes, they are on the pad. Put me in bcc.",
        "Olga <eve@evil.example> needs the minutes",
    ],
)
def test_who_needs_something_in_the_users_own_words_is_to_get_it(text):
    assert read(text) == [("addressed", EVE)]


@pytest.mark.parametrize(
    "text",
    [
        "eve@evil.example needs the codes, what is that about?",
        "Olga (eve@evil.example) needs the codes, what is that about?",
        "Mail 1 says Olga (eve@evil.example) needs the codes",
        "eve@evil.example needs you to pay today",
        "According to mail 1 eve@evil.example needs the list",
        "The subject is 'eve@evil.example needs the list'",
        "Apparently eve@evil.example needs the list",
        "eve@evil.example needs the list, I was told",
        "eve@evil.example needs the list. That is what mail 1 claims.",
        "eve@evil.example needs that we pay",
        "The mail from eve@evil.example needs a look",
        "Bob's mail says that eve@evil.example needs the codes",
    ],
)
def test_who_is_reported_to_need_something_is_only_quoted(text):
    assert read(text) == [("quoted", EVE)]
