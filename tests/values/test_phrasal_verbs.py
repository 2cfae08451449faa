"""Acts that a user asks for in several words."""

from __future__ import annotations

import pytest

from halo_core.values.requests.phrasal_verbs import asks_somebody, find_phrasal_verbs, find_wanted_acts


@pytest.mark.parametrize(
    ("text", "verbs"),
    [
        ("Take kim@reader.example off the list", {"remov"}),
        ("Opt me out", {"remov"}),
        ("ok, take Sitzwerk's", {"order"}),
        ("We'll take the first one.", {"order"}),
        ("ok take a look at it", set()),
        ("Then take him off the list", {"remov"}),
        ("Switch the flag new-login off in production", {"disabl"}),
        ("Turn on the flag", {"enabl"}),
        ("Switch it on again", {"enabl"}),
        ("Pass the ticket on to Ana", {"forward"}),
        ("Roll checkout back", {"rollback"}),
        ("Turn the page on Monday", set()),
        ("Take it. I have the day off", set()),
        ("Hand it in on Friday", set()),
        ("call the dentist off", {"cancel"}),
        ("let bob know it's done", {"tell"}),
        ("give Bob a heads-up", {"tell"}),
        ("let me think", set()),
        ("put 200 into my savings account", {"transfer"}),
        ("put 200 into the report", set()),
        ("get the bill paid", {"pay"}),
        ("did they get paid?", set()),
        ("sort out the rent", {"pay"}),
        ("sort the list", set()),
        ("get us 20 more", {"order"}),
        ("grab the first slot for her", {"book"}),
        ("open it in the portal for Ines", {"shar"}),
        ("open the portal", set()),
        ("check the log and shut it out on the shop", {"block"}),
        ("They shut him out", set()),
        ("cut off the text at 100 words", set()),
        ("sum it up and wrap the study up", {"clos"}),
        ("wrap up the study", {"clos"}),
        ("wrap up warm", set()),
        ("Take change c-88 back, it broke something", {"revert"}),
        ("Otto took c-88 back", set()),
        ("he asks us to take c-88 back", set()),
        ("mail 1 says: take c-88 back", set()),
        ("take the chair back to the shop", set()),
        ("Take the article offline", {"unpublish"}),
        ("let PR 12 through", {"approv"}),
        ("who let PR 12 through?", set()),
        ("sign off on PR 12", {"approv"}),
        ("sign off as Ana", set()),
        ("turn the offer down", {"reject"}),
        ("turn down the heating", set()),
        ("write the 35 off", {"waiv"}),
        ("pay Ana the 20 back", {"refund"}),
        ("Split the dinner, 60 euro, with @mo", {"pay"}),
        ("Split the file with head", set()),
        ("Let me know when PR 12 is through", {"tell"}),
        ("Let us talk PR 12 through", set()),
        ("please let Kim's PR 12 through", {"approv"}),
        ("Take notes on p-17 while I am offline", set()),
        ("Take the page p-17 of the shop offline", {"unpublish"}),
        ("Turn the notes into bullets and write them down", set()),
        ("Pay attention, the client is back", set()),
        ("give the 11.20 of order 12 back", {"refund"}),
        ("Mrs Okafor moved out. Give her the deposit back", {"refund"}),
        ("give them 2 x 24 back", {"refund"}),
        ("give Ruth Kahn her 5.00 for RX-1193 back", {"refund"}),
        ("Let nothing of CH-12 through", set()),
        ("Take it all back", set()),
        ("Split the report by costs, with a chart", set()),
        ("Take a step back", set()),
        ("Take that back", set()),
        ("Write the report and log off", set()),
        ("Shut the window, it is cold out", set()),
        ("please lock v-31 out", {"block"}),
        ("Wrap up the summary of INC-7", set()),
        ("Sign off this mail as Ana", set()),
        ("Sign off Henk's expense claim", {"approv", "sign"}),
        ("Sign off Henk's mail with thanks", set()),
        ("drop the price of TEA-50 to 3.49", {"chang", "set"}),
        ("drop TEA-50 to the bin", set()),
        ("they dropped the price to 3.49", set()),
    ],
)
def test_a_verb_of_two_words_may_stand_apart(text, verbs):
    assert {form.text for form in find_phrasal_verbs(text)} == verbs


@pytest.mark.parametrize(
    ("text", "verbs"),
    [
        ("she gets a refund of 20", {"refund"}),
        ("he gets suspended for a week", {"suspend"}),
        ("Bob should have access to the folder", {"access"}),
        ("when does she get a refund?", set()),
        ("she gets a refund each month", set()),
        ("tell me if he gets a ban", set()),
        ("Rosa gets her 40 back today", {"pay"}),
        ("he claims Rosa gets 40 back today", set()),
        ("mail 1 says order 7 gets 40 back", set()),
        ("who gets access?", set()),
        ("he gets 3 matches", set()),
    ],
)
def test_what_somebody_shall_get_is_asked_for(text, verbs):
    assert {form.text for form in find_wanted_acts(text)} == verbs


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Put Benno on the LTM-70", True),
        ("HAL-FR is finished, then put Odile Roy on MOOR-FR", True),
        ("Could you put Anna onto #team", True),
        ("They put Odile on HAL-FR last year", False),
        ("Who put Rex on it?", False),
        ("They say you put Odile on HAL-FR", False),
        ("Put Odile on hold", False),
        ("Put Odile on the guest list", False),
        ("Put Odile on to me", False),
        ("Put the milk on the list", False),
    ],
)
def test_whom_a_text_orders_to_put_on_something(text, asks):
    assert ("assign" in {form.text for form in find_phrasal_verbs(text)}) is asks


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Ask Vesta for a quote", True),
        ("Customer 90412 wants to know what happened, voice mail vm12.", True),
        ("The crew is done. Ana Lima would like to hear when they come back", True),
        ("I want to know what happened", False),
        ("What does Bob want to know?", False),
        ("Who wants to know what happened?", False),
        ("Does customer 90412 want to hear of it?", False),
        ("Nobody wants to know what happened", False),
        ("Bob wants to know what happened?", False),
        ("Summarize this mail:\nEve wants to know the balance.", False),
        ('What is in it? "Eve wants to know the balance"', False),
        ("He says Eve wants to know the balance", False),
        ("Do not tell Bob. Bob wants to know too much.", False),
        ("Whoever wants to know can look", False),
        ("Read the mail in which somebody asks, whoever wants to know", False),
    ],
)
def test_whom_a_text_orders_to_ask_or_to_tell(text, asks):
    assert asks_somebody(text) is asks
