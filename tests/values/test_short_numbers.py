"""Short numbers and telephone numbers as people write them: vouched for beside their noun, and as one number."""

from __future__ import annotations

import pytest
from value_world import world

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.facts.answer_scope import find_distinguishing_values
from halo_core.values.provenance.leaves import parse_leaves
from halo_core.values.provenance.provenance import ToolTraits, trace_leaves


def origin(request: str, tool: str, argument: str, value: object) -> Provenance:
    made = world(request)
    return trace_leaves(parse_leaves({argument: value}), made.sketch, (argument,), ToolTraits(tool))[0].origin


@pytest.mark.parametrize(
    ("request_text", "tool", "argument", "number"),
    [
        ("Close ticket 17", "close_ticket", "id", 17),
        ("Close ticket 17", "closeTicket", "number", "17"),
        ("Close ticket #17, please", "close_ticket_by_id", "id", "17"),
        ("Merge pull request 17", "merge_pull_request", "number", 17),
        ("Merge pull request #17", "merge_pull_request", "pull_number", 17),
        ("Refund order 1234", "refund_order", "id", "1234"),
        ("Delete the email with id 12", "delete_email", "email_id", "12"),
        ("Delete the file with the ID '13'.", "delete_file", "file_id", "13"),
        ("Delete the file whose id is 13", "delete_file", "file_id", "13"),
        ('Delete the file "13"', "delete_file", "file_id", "13"),
        ("Answer issue 318 of atlas/parser", "forge_comment", "number", 318),
        ("Label ticket #41", "add_label", "id", 41),
        ("Merge PR 77", "repo_merge", "number", 77),
        ("Merge MR #77", "repo_merge", "number", 77),
        ("Read application 331", "schedule_interview", "applicant_no", 331),
        ("Cancel booking 55", "cancel_reservation", "reservation_id", "55"),
        ("Decline invitation 12", "decline_event", "event_id", "12"),
        ("Withdraw invitation 12", "withdraw_invitation", "invitation", "12"),
        ("Update ticket 4711", "case_answer", "case_no", 4711),
    ],
)
def test_a_number_beside_its_noun_is_the_users(request_text, tool, argument, number):
    assert origin(request_text, tool, argument, number) is Provenance.USER


@pytest.mark.parametrize(
    ("request_text", "tool", "argument", "number"),
    [
        ("Close ticket 17", "close_ticket", "id", 18),
        ("Close ticket 17", "delete_user", "id", 17),
        ("Close ticket 17", "delete_ticket_comment", "id", 17),
        ("Close ticket 17", "edit_comment", "id", 17),
        ("Look at branch 17", "repo_merge", "number", 17),
        ("Look at PR 17", "forge_comment", "user_id", 17),
        ("Close ticket 17", "close_ticket", "customer_id", 17),
        ("Close ticket 17", "move_ticket", "to", 17),
        ("Close ticket 17", "close", "id", 17),
        ("Close 17", "close", "id", 17),
        ("Delete event 12", "withdraw_invitation", "invitation", 12),
        ("Close ticket 1734", "close_ticket", "id", 17),
        ("Close the ticket, then wait 17 minutes", "close_ticket", "id", 17),
        ("Read the email with 3 parts and 12 links", "delete_email", "email_id", "12"),
        ("Delete the email and look for id 12", "delete_email", "email_id", "12"),
        ("Delete the email with the report. The id 12 is wrong", "delete_email", "email_id", "12"),
        ("Send the file to the customer with id 13", "delete_file", "file_id", "13"),
    ],
)
def test_the_same_number_of_something_else_is_not(request_text, tool, argument, number):
    assert origin(request_text, tool, argument, number) is not Provenance.USER


@pytest.mark.parametrize(
    ("request_text", "number"),
    [
        ("Text Ben at 0170 1234567", "0170 1234567"),
        ("Text Ben at 0170 1234567.", "01701234567"),
        ("Text 030 12345678 by noon", "(030) 12345678"),
        ("Text 0170/1234567 or 0171 7654321", "0171-7654321"),
        ("Text 020 7946 0958", "02079460958"),
    ],
)
def test_a_telephone_number_with_its_area_code_is_one_number(request_text, number):
    assert origin(request_text, "send_sms", "number", number) is Provenance.USER


@pytest.mark.parametrize(
    ("request_text", "is_users"),
    [
        ("Refund 12 to the card on file 5108 7520 3391 0046", True),
        ("Refund 12 to the card on file (5108 7520 3391 0046)", True),
        ("Refund 12 for file 5108 7520 3391 0046", False),
        ("Refund 12 on order 5108 7520 3391 0046", False),
    ],
)
def test_a_card_on_file_is_no_number_of_a_file(request_text, is_users):
    assert (origin(request_text, "refund_card", "card", "5108752033910046") is Provenance.USER) is is_users


@pytest.mark.parametrize("number", ["1234567", "170 1234567", "+170 1234567", "0170 123456", "0170 12345678"])
def test_and_no_part_of_it_is_a_number(number):
    assert origin("Text Ben at 0170 1234567", "send_sms", "number", number) is not Provenance.USER


@pytest.mark.parametrize(
    ("request_text", "number", "is_users"),
    [
        ("Look at 471122: is anything missing?", 471122, True),
        ("Pay 471122: 18.20, 550031: 7.40", 550031, True),
        ("Look at it at 10:30", 10, False),
        ("Use port 471122:8", 471122, False),
    ],
)
def test_a_number_before_a_colon_and_a_blank_is_one(request_text, number, is_users):
    leaves = parse_leaves({"record": number})
    assert (trace_leaves(leaves, world(request_text).sketch)[0].origin is Provenance.USER) is is_users


def test_names_of_fields_beside_a_target_are_no_targets():
    payee = {"iban": "DE91100000000123456789", "holder": "Ana Lima", "contact_person": "Ana Lima"}
    made = world("Pay Ana Lima, DE91100000000123456789")
    found = trace_leaves(parse_leaves({"payee": payee}), made.sketch, ("payee",), ToolTraits("reimburse"))
    assert all(leaf.origin is Provenance.USER for leaf in found if leaf.is_target)
    (mallory,) = trace_leaves(parse_leaves({"payee": {"mallory": 100}}), made.sketch, ("payee",), ToolTraits("pay"))[:1]
    assert mallory.is_target


@pytest.mark.parametrize(
    ("request_text", "number"),
    [
        ("Write to citizen 19801112-7", "19801112-7"),
        ("Move 200 points to member 88-4410-7", "88-4410-7"),
        ("Move 200 points to member 88-4410-7.", "8844107"),
    ],
)
def test_digits_between_hyphens_are_one_number(request_text, number):
    assert origin(request_text, "send_letter", "member_no", number) is Provenance.USER


@pytest.mark.parametrize("number", ["19801112", "1980-1112-7", "198011127x", "980-11127"])
def test_and_no_group_of_them_is_one(number):
    if number == "1980-1112-7":
        assert origin("Write to citizen 19801112-7", "send_letter", "person_no", number) is Provenance.USER
        return  # grouped in another way, it is the same number
    assert origin("Write to citizen 19801112-7", "send_letter", "person_no", number) is not Provenance.USER


@pytest.mark.parametrize(
    ("request_text", "argument", "value", "is_users"),
    [
        ("Write to the parents of class 4b", "class_name", "4b", True),
        ("Clean room B2, please", "room", "B2", True),
        ("Issue the parking permit to Jonas Vik", "permit", "parking", True),
        ("Write to the parents of class 4b", "class_name", "4c", False),
        ("Write to the parents of class 4b", "room", "4b", False),
        ("Buy 4b pencils for the class", "class_name", "4b", False),
        ("Issue the permit and mind the parking", "permit", "parking", False),
        ("Clean room b2, please", "room", "B2", False),
    ],
)
def test_a_word_or_short_id_beside_the_noun_of_its_argument_is_the_users(request_text, argument, value, is_users):
    assert (origin(request_text, "handle", argument, value) is Provenance.USER) is is_users


LISTED = "general\nrandom\nbuilds\n71 Sorel 21-23 Dec\n74 Lind"


def listed(value: object, argument: str = "channel", text: str = LISTED, mail: str = "", **more: object) -> Provenance:
    made = world("Do what is to be done", mail).lookup(text, **more)
    return made.origin(value, argument)


@pytest.mark.parametrize(
    ("value", "argument", "text"),
    [
        ("builds", "channel", LISTED),
        ("builds", "channel", '{"channels": ["builds", "random"]}'),
        (71, "request_no", LISTED),
        ("24", "event_id", '[{"id": 24, "title": "Budget"}]'),
        ("24", "event_id", "Budget, id: 24, 9:00"),
        (24, "event_id", "event_no=24 Budget"),
    ],
)
def test_an_item_of_a_trusted_list_is_known(value, argument, text):
    assert listed(value, argument, text) is Provenance.KNOWN


@pytest.mark.parametrize(
    ("value", "argument", "text"),
    [
        ("builds", "channel", "talk about the builds today"),
        ("builds", "channel", '{"builds": "x"}'),
        (12, "event_id", '[{"id": 24, "seats": 12}]'),
        (12, "event_id", "there are 12 events"),
        (2, "event_id", "24 Budget\n2.5 hours"),
        (4, "event_id", "24 Budget"),
    ],
)
def test_what_is_no_item_of_it_is_not(value, argument, text):
    assert listed(value, argument, text) is not Provenance.KNOWN


def test_a_listed_number_that_an_untrusted_source_said_needs_its_noun():
    assert listed(71, "request_no", mail="approve 71") is not Provenance.KNOWN
    assert listed(71, "request_no", mail="approve 71", nouns=("request",)) is Provenance.KNOWN
    assert listed(71, "user_id", mail="approve 71", nouns=("request",)) is not Provenance.KNOWN


def test_payments_with_nested_targets_share_no_names_of_fields():
    resource = Resource(impact=Impact.PAYMENT, targets=("payee",), amount="amount")
    one, other = (
        find_distinguishing_values(resource, {"payee": {"iban": iban, "holder": holder}, "amount": 10})
        for iban, holder in (("DE91100000000123456789", "Ana Lima"), ("DE02120300000000202051", "Ben Roth"))
    )
    assert one.targets
    assert not set(one.targets) & set(other.targets)
    assert find_distinguishing_values(resource, {"payee": {"mallory": 10}}).targets == ("text:10", "text:mallory")


@pytest.mark.parametrize("text", ['{"id": 71, "who": "Sorel"}', "71 Sorel", "request 71 of Sorel"])
def test_a_number_that_chose_what_a_lookup_brought_is_not_known_by_it(text):
    made = world("Do what is to be done", "approve request 71").lookup(text, "71", nouns=("request",))
    assert made.origin(71, "request_no") is not Provenance.KNOWN


def test_a_word_behind_a_key_is_an_item_of_what_the_key_names():
    assert listed("builds", "channel", '{"channel": "builds"}') is Provenance.KNOWN
    assert listed("builds", "channel", '{"name": "builds"}') is Provenance.KNOWN
    assert listed("builds", "channel", '{"topic": "builds"}') is not Provenance.KNOWN


@pytest.mark.parametrize(
    ("text", "number", "is_known"),
    [
        ("12 Main Street 5\n13 Elm Road", 12, False),
        ("12 Hill Lane", 12, False),
        ("3 x bolts\n4 x nuts", 3, False),
        ("12 December\n14 December", 12, False),
        ("12 Ana Lima", 12, False),
        ("12 | Ana Lima", 12, True),
        ("12 Ana Lima\n13 Bo Lund", 12, True),
        ("12 Ana Lima; 13 Bo Lund", 13, True),
        ("12 Ana Lima\n12 Bo Lund", 12, False),
    ],
)
def test_a_number_in_front_of_a_row_is_known_where_it_tells_rows_apart(text, number, is_known):
    assert (listed(number, "order_no", text) is Provenance.KNOWN) is is_known


@pytest.mark.parametrize("argument", ["role", "access_level", "permission"])
def test_a_list_of_rights_gives_nobody_one(argument):
    text = '{"roles": ["viewer", "owner"]}\nrole owner\nowner'
    assert listed("owner", argument, text) is not Provenance.KNOWN
    assert listed("viewer", argument, text) is Provenance.KNOWN


@pytest.mark.parametrize(
    ("value", "arguments", "is_known"),
    [
        ("Kwame Osei", ("Osei",), True),
        ("Kwame Osei", ("Kwame", "Osei"), False),
        ("Osei Room", ("Osei",), False),
        ("Mensah Osei", ("Osei",), False),
    ],
)
def test_a_name_that_a_lookup_completes_is_known(value, arguments, is_known):
    made = world("Make a key for Mr. Osei").lookup('{"guest": "Kwame Osei", "room": 412}', *arguments)
    assert (made.origin(value, "guest") is Provenance.KNOWN) is is_known


@pytest.mark.parametrize(
    ("text", "mail", "is_known"),
    [
        ('[{"id": "e7", "title": "Standup"}]', "", True),
        ('[{"id": "e7", "title": "Standup"}]', "take e7", False),
        ('[{"seat": "e7", "title": "Standup"}]', "", False),
        ('[{"id": "e71", "title": "Standup"}]', "", False),
        ("e7 | Standup\ne8 | Lunch", "", True),
        ("e7 | Standup\ne8 | Lunch", "take e7", False),
        ("Standup | e7\nLunch | e8", "", False),
        ("e7 | Standup\ne7 | Lunch", "", False),
    ],
)
def test_an_id_of_two_signs_is_known_behind_id(text, mail, is_known):
    assert (listed("e7", "event_id", text, mail) is Provenance.KNOWN) is is_known


@pytest.mark.parametrize(
    ("request_text", "value", "mail", "is_users"),
    [
        ("send one of our plumbers", "plumber", "", True),
        ("send one of our plumbers", "plumber", "a plumber, please", True),
        ("list the companies", "company", "", True),
        ("list the plumbers", "plumb", "", False),
        ("Lue Petra Novakin viesti", "Petra Novak", "", True),
        ("Lue Petra Novakin viesti", "Petra Novak", "look Petra Novak up", False),
        ("Podnieś czynsz Piotra Zielaka", "Piotr Zielak", "", True),
        ("Podnieś czynsz Piotra Zielaka", "Piotr Zielinski", "", False),
        ("Zadzwoń do Piotra w sprawie Zielaka", "Piotr Zielak", "", False),
        ("Hotel Atlas'ı ayırt", "Hotel Atlas", "", True),
        ("Porto'da otel bul", "Porto", "", True),
        ("don't", "don", "", False),
    ],
)
def test_a_lookup_may_be_given_a_word_of_the_user_without_its_ending(request_text, value, mail, is_users):
    made = world(request_text)
    made = made.mail(mail) if mail else made
    assert (made.leaf(value, "name", target=False).origin is Provenance.USER) is is_users


@pytest.mark.parametrize("name", ["Petra", "Piotr"])
def test_but_a_target_may_not(name):
    assert world("Skriv till Petran och Piotra").origin(name, "to") is not Provenance.USER


@pytest.mark.parametrize(
    ("mail", "is_grave", "is_known"),
    [("", True, True), ("delete release-2", False, True), ("delete release-2", True, False), ("delete it", True, True)],
)
def test_an_id_that_others_name_is_their_choice_in_a_grave_act(mail, is_grave, is_known):
    made = world("Delete the old branches").lookup("main\ntmp-logo\nrelease-2")
    made = made.mail(mail) if mail else made
    made.sketch.has_untrusted = bool(mail)
    leaves = parse_leaves({"branch": "release-2"})
    traced = trace_leaves(leaves, made.sketch, ("branch",), ToolTraits(is_grave=is_grave))
    assert (traced[0].origin is Provenance.KNOWN) is is_known


@pytest.mark.parametrize(
    ("path", "is_known"),
    [
        ("/tmp/build/a.o", True),
        ("/tmp/build/c.o", False),
        ("/srv/a.o", False),
        ("/tmp/build/../a.o", False),
        ("/tmp/a.o", False),
    ],
)
def test_a_file_that_a_lookup_lists_lies_in_the_folder_that_was_listed(path, is_known):
    made = world("Delete the old files in /tmp/build, not those in /srv").lookup(
        "a.o 2026\nb.tar.gz 2026", "/tmp/build"
    )
    assert (made.origin(path, "path") is Provenance.KNOWN) is is_known


@pytest.mark.parametrize(("text", "is_target"), [("2026-11", False), ("2026-13", True), ("3026-11", True)])
def test_a_month_is_no_account(text, is_target):
    (leaf,) = trace_leaves(parse_leaves({"month": text}), world("Pay the rent").sketch)
    assert leaf.is_target is is_target
