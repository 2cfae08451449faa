"""Amounts that a later message adds to the account of an earlier one."""

from __future__ import annotations

import pytest

from halo_core.values.payments.further_payments import find_further_amounts, names_one_payee
from halo_core.values.provenance.forms import find_forms


@pytest.mark.parametrize(
    ("text", "hundredths"),
    [
        ("thx. I forgot the vaccine, 31 more to the same account, note vaccine", 3100),
        ("Right, he was here on Thursday too. Send him another 40, same account, and remind me to buy shears.", 4000),
        ("I missed the taxi, so 18 more to the same account please", 1800),
        ("oh, and another twenty-five to the same iban pls", 2500),
        ("Please send her a further 60 euros. Same account as before.", 6000),
        ("an extra 15 for the late hour, same account", 1500),
        ("Sorry, I left out the tip: 5 euros more to the same account.", 500),
        ("Could you give them another 40 as well?", 4000),
        ("45 on top to the same payee, thanks", 4500),
        ("transfer another 12.50 to him", 1250),
        ("There was also the parking, 9.50 more, same account.", 950),
        ("wire him an additional 75 today", 7500),
    ],
)
def test_a_text_adds_an_amount_to_the_same_account(text, hundredths):
    assert find_further_amounts(text) == {hundredths}


@pytest.mark.parametrize(
    "text",
    [
        "He says 31 more should go to the same account",
        "Should I send him another 40, same account?",
        "Does he get another 40 on the same account?",
        "Mail 3: another 40 to the same account",
        "Do not send him another 40.",
        "If he came on Thursday, send him another 40, same account.",
        "He wants another 40, same account",
        "The 40 did not come, send it again to the same account.",
        "Another 40 went to the same account yesterday",
        "Send him 40 again",
        "I already sent him another 40",
        '"another 40 to the same account" - what does he mean',
        "what about another 40 to the same account",
        "Send him another 40 or 50, same account",
        "Tell him another 40 to the same account is on its way",
        "Remind me to send him another 40",
        "Translate: send him another 40",
        "ask me before you send him another 40",
        "Maybe another 40 to the same account",
        "31 more than the same account got",
        "Send him another 40, same account. No, forget it.",
        "another 1.500 to the same account",
    ],
)
def test_what_asks_reports_denies_or_repeats_adds_nothing(text):
    assert not find_further_amounts(text)


@pytest.mark.parametrize(
    ("text", "names_one"),
    [
        ("Pay 72 to FR1420041010050500013M02606", True),
        ("Rent: 20-45-77 31926819, 310 pounds", True),
        ("Pay Anna 20", True),
        ("Pay Anna 20 and Bob 30", False),
        ("Pay 20 to 10455601 and 30 to 10455718", False),
    ],
)
def test_the_earlier_text_has_to_name_one_payee(text, names_one):
    assert names_one_payee(text, find_forms(text, amounts=False)) is names_one
