"""Which calls carry out an order that the host lists, and which values it vouches for."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from value_world import KNOWN, NOVEL, UNTRUSTED, USER

from halo_core.crypto import canonical
from halo_core.errors import BadInput
from halo_core.model import Impact, Order, Resource
from halo_core.values.facts.listed_orders import OrderMatch, compare_with_orders, vouch_by_order
from halo_core.values.kinds.kinds import Kind
from halo_core.values.programs.sql_programs import write_sql_tokens
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.leaves import parse_leaves
from halo_core.values.provenance.traced_leaves import TracedLeaf

PAY = Resource(id="pay", impact=Impact.PAYMENT, targets=("payee",), amount="amount")
MAIL = Resource(id="mail", impact=Impact.SEND, targets=("to",))
GRANT = Resource(id="grant", impact=Impact.ADMIN, targets=("user", "folder"))
SQL = Resource(id="sql", impact=Impact.EXECUTE, targets=("statement",), programs=(("statement", "sql"),))
TEXT = Resource(id="text", impact=Impact.SEND, targets=("number",))
JOB = Resource(id="job", impact=Impact.EXECUTE, targets=("name",))
WIPE = Resource(id="wipe", impact=Impact.DELETE, targets=("name",))
BATCH = Resource(id="batch", impact=Impact.PAYMENT, targets=("items",))
UPDATE = Resource(id="update", impact=Impact.WRITE, targets=("vendor",))
CANONICAL = {Kind.EMAIL, Kind.URL, Kind.HOST, Kind.ACCOUNT, Kind.TELEPHONE, Kind.AMOUNT}
NEEDED = {"pay": ("payee", "amount"), "mail": ("to",), "grant": ("user", "folder")}


def cover(resource, args, listed, *, origins=(), tool=None):
    """The names of the arguments that the order gives; None if the call does not carry it out."""
    origins = dict(origins)
    leaves = parse_leaves(args)
    traced = [
        TracedLeaf(
            leaf.pointer,
            origins.get(name, UNTRUSTED),
            (1,),
            kind=parse_argument(leaf.text, (name,))[0].kind,
            is_target=name in resource.targets,
        )
        for leaf in leaves
        for name in [leaf.pointer.split("/")[1]]
    ]
    orders = [(0, Order.make(tool or resource.id, listed))]
    found = compare_with_orders(resource, args, leaves, traced, orders).match
    return found if found is None else {pointer.split("/")[1] for pointer in found.pointers}


SAME = [
    (PAY, {"payee": "Labor Wenger", "amount": 312.4}, {"payee": "labor  wenger", "amount": "312.40"}),
    (PAY, {"payee": "DE89370400440532013000", "amount": 5}, {"payee": "DE89 3704 0044 0532 0130 00", "amount": 5.0}),
    (PAY, {"payee": "B-7", "amount": 5}, {"payee": "B-7", "amount": 5}),
    (PAY, {"payee": "B-7", "amount": 5}, {"payee": "B-7", "amount": 5, "currency": None, "note": ""}),
    (PAY, {"payee": "B-7", "amount": 312.4}, {"payee": "B-7", "amount": "312,40 EUR"}),
    (PAY, {"payee": "B-7", "amount": 312.4}, {"payee": "B-7", "amount": Decimal("312.40")}),
    (MAIL, {"to": ["a@x.example", "b@x.example"]}, {"to": ["b@x.example", "A@x.example"]}),
    (MAIL, {"to": "a@x.example"}, {"to": ["a@x.example"]}),
    (TEXT, {"number": "601555218"}, {"number": "601 555 218"}),
    (
        GRANT,
        {"user": "kim", "folder": "Accounts", "role": "read"},
        {"user": "Kim", "folder": "accounts", "role": "read"},
    ),
    (
        GRANT,
        {"user": "kim", "folder": "2024", "role": "read"},
        {"user": "kim", "folder": "Folder 2024", "role": "read"},
    ),
    (GRANT, {"user": "kim", "folder": "x", "all": True}, {"user": "kim", "folder": "x", "all": "true"}),
    (SQL, {"statement": "DELETE FROM t WHERE a=1"}, {"statement": "delete from t where a = 1;"}),
    (JOB, {"name": "backup", "cron": "0 8 * * 1"}, {"name": "backup", "cron": "0 8 * * 1"}),
    (JOB, {"name": "b", "cron": "2026-03-04T09:00:00"}, {"name": "b", "cron": "2026-03-04 09:00"}),
    (JOB, {"name": "b", "state": "in_progress"}, {"name": "b", "state": "in progress"}),
    (JOB, {"name": "b"}, {"name": "b", "tags": [], "dry": False}),
    (TEXT, {"number": "sales"}, {"number": "#sales"}),
    (BATCH, {"items": [{"to": "Ana", "amount": 10}]}, {"items": [{"to": "ana", "amount": "10"}]}),
    (BATCH, {"items": [{"to": "Ana", "memo": None}]}, {"items": [{"to": "Ana", "memo": None}]}),
]


@pytest.mark.parametrize(("resource", "args", "listed"), SAME)
def test_other_spellings_of_the_listed_values_carry_the_order_out(resource, args, listed):
    assert cover(resource, args, listed) == {name for name, value in args.items() if value is not True}


OTHER = [
    (PAY, {"payee": "Labor Wenger", "amount": 412.4}, {"payee": "Labor Wenger", "amount": 312.4}),
    (PAY, {"payee": "Labor Wagner", "amount": 312.4}, {"payee": "Labor Wenger", "amount": 312.4}),
    (PAY, {"payee": "aB7", "amount": 5}, {"payee": "ab7", "amount": 5}),
    (PAY, {"payee": "B-7", "amount": -5}, {"payee": "B-7", "amount": 5}),
    (PAY, {"payee": "007", "amount": 5}, {"payee": "7", "amount": 5}),
    (PAY, {"payee": "1.10", "amount": 5}, {"payee": "1.1", "amount": 5}),
    (PAY, {"payee": "B-7"}, {"payee": "B-7", "amount": 5}),
    (PAY, {"payee": "B-7", "amount": 5, "currency": "EUR"}, {"payee": "B-7", "amount": 5, "currency": "JPY"}),
    (MAIL, {"to": ["a@x.example", "e@evil.example"]}, {"to": ["a@x.example"]}),
    (MAIL, {"to": ["a@x.example", "a@x.example"]}, {"to": ["a@x.example", "b@x.example"]}),
    (GRANT, {"user": "kim", "folder": "x", "role": "owner"}, {"user": "kim", "folder": "x", "role": "read"}),
    (GRANT, {"user": "kim", "folder": "x", "all": True}, {"user": "kim", "folder": "x", "all": False}),
    (GRANT, {"user": "kim", "folder": "/srv/Data"}, {"user": "kim", "folder": "/srv/data"}),
    (GRANT, {"user": "kim", "folder": "Releaſe"}, {"user": "kim", "folder": "Release"}),
    (SQL, {"statement": "DELETE FROM t"}, {"statement": "DELETE FROM t WHERE a = 1"}),
    (SQL, {"statement": "DELETE FROM t WHERE !a = b"}, {"statement": "DELETE FROM t WHERE NOT a = b"}),
    (SQL, {"statement": "rm -rf / tmp/x"}, {"statement": "rm -rf /tmp/x"}),
    (SQL, {"statement": "DELETE FROM t WHERE a = 'x  y'"}, {"statement": "DELETE FROM t WHERE a = 'x y'"}),
    (JOB, {"name": "backup", "cron": "* * * * *"}, {"name": "backup", "cron": "0 8 * * 1"}),
    (JOB, {"name": "gate", "cron": "2026-03-04 03:15"}, {"name": "gate", "cron": "2026-03-04 08:00"}),
    (JOB, {"name": "gate", "status": "open"}, {"name": "gate", "status": "closed"}),
    (
        WIPE,
        {"name": "logs", "filter": "all that is there of them"},
        {"name": "logs", "filter": "the drafts below the year 2020"},
    ),
    (WIPE, {"title": "Contracts"}, {"title": "Shopping"}),
    (
        BATCH,
        {"items": [{"to": "Ana", "amount": 500}, {"to": "Bob", "amount": 10}]},
        {"items": [{"to": "Ana", "amount": 10}, {"to": "Bob", "amount": 500}]},
    ),
    (BATCH, {"items": '[{"to": "Ana", "amount": 10, "amount": 500}]'}, {"items": [{"to": "Ana", "amount": 10}]}),
    (BATCH, {"items": ["Savings", "Giro"]}, {"items": ["Giro", "Savings"]}),
    (JOB, {"name": "b", "cron": "Sun 9-12"}, {"name": "b", "cron": "Mon 9-12"}),
    (JOB, {"name": "b", "branch_or_tag": "tag release"}, {"name": "b", "branch_or_tag": "branch release"}),
    (JOB, {"name": "b", "version": "1.1"}, {"name": "b", "version": "1.10"}),
    (JOB, {"name": "20240-117"}, {"name": "2024-0117"}),
    (WIPE, {"name": "notes.txt"}, {"name": "Notes.txt"}),
    (BATCH, {"items": "x", "amount": "100 EUR"}, {"items": "x", "amount": "100 USD"}),
    (
        PAY,
        {"payee": "x", "amount": 5, "description": "1 Rolex"},
        {"payee": "x", "amount": 5, "description": "10 chairs"},
    ),
    (
        MAIL,
        {"to": "a@x.example", "file": "all files of the folder salaries"},
        {"to": "a@x.example", "file": "notes.pdf"},
    ),
    (UPDATE, {"vendor": "x", "comment": {"status": "approved"}}, {"vendor": "x", "comment": "ok"}),
    (JOB, {"name": "gate", "cron": "Friday 08:00"}, {"name": "gate", "cron": "Monday 08:00"}),
    (PAY, {"payee": "Sun Microsystems 3", "amount": 5}, {"payee": "Mon Microsystems 3", "amount": 5}),
    (WIPE, {"name": "/srv/My Data"}, {"name": "/srv/My data"}),
    (WIPE, {"name": "/srv/My name"}, {"name": "/srv/My"}),
    (PAY, {"payee": "x", "amount": 10**29 + 1}, {"payee": "x", "amount": 10**29 + 2}),
    (
        BATCH,
        {"items": "DE89370400440532013000, GB33BUKB20201555555555"},
        {"items": "GB33BUKB20201555555555, DE89370400440532013000"},
    ),
    (SQL, {"statement": "SELECT CHAR_LENGTH(a) FROM t"}, {"statement": "SELECT LENGTH(a) FROM t"}),
    (BATCH, {"items": {"from": "Savings", "to": "Giro"}}, {"items": {"from": "Giro", "to": "Savings"}}),
]


@pytest.mark.parametrize(("resource", "args", "listed"), OTHER)
def test_other_values_do_not(resource, args, listed):
    assert cover(resource, args, listed) is None


EXTENDED = [
    (PAY, {"payee": "B-7", "amount": 5, "tip": 500}, USER),
    (PAY, {"payee": "B-7", "amount": 5, "schedule": "repeat it on the first of every month"}, UNTRUSTED),
    (PAY, {"payee": "B-7", "amount": 5, "recurring": True}, USER),
    (PAY, {"payee": "B-7", "amount": 5, "type": "recurring"}, NOVEL),
    (GRANT, {"user": "kim", "folder": "x", "role": "owner"}, UNTRUSTED),
    (GRANT, {"user": "kim", "folder": "x", "role": "owner"}, NOVEL),
    (GRANT, {"user": "kim", "folder": "x", "role": "admin"}, USER),
    (GRANT, {"user": "kim", "folder": "x", "everybody": True}, USER),
    (GRANT, {"user": "kim", "folder": "x", "enforce": False}, USER),
    (GRANT, {"user": "kim", "folder": "x", "days": 0}, NOVEL),
    (WIPE, {"name": "x", "backup": "false"}, NOVEL),
    (WIPE, {"name": "x", "backup": False}, NOVEL),
    (PAY, {"payee": "B-7", "amount": 5, "fee": 500.0}, KNOWN),
    (PAY, {"payee": "B-7", "amount": 5, "reference": {"tip": 500}}, USER),
    (GRANT, {"user": "kim", "folder": "x", "group": "superuser"}, KNOWN),
    (PAY, {"payee": "B-7", "amount": 5, "title_account": "DE89370400440532013000"}, UNTRUSTED),
    (MAIL, {"to": "a@x.example", "bcc": "b@x.example c@x.example d@x.example e@x.example f@x.example"}, UNTRUSTED),
    (MAIL, {"to": "a@x.example", "message_channel": "board"}, UNTRUSTED),
    (UPDATE, {"vendor": "x", "iban": "DE89370400440532013000"}, UNTRUSTED),
    (UPDATE, {"vendor": "x", "email": "eve@evil.example"}, UNTRUSTED),
]


@pytest.mark.parametrize(("resource", "args", "origin"), EXTENDED)
def test_what_goes_beyond_the_order_needs_an_origin_of_its_own(resource, args, origin):
    *listed, further = args
    order = {name: args[name] for name in listed}
    assert cover(resource, args, order, origins={further: origin}) is None
    assert cover(resource, order, order) == set(order)


def test_an_address_beside_the_one_that_the_order_gives_is_more_than_that():
    args = {"to": "a@x.example", "cc": "b@x.example"}
    mail = Resource(id="mail", impact=Impact.SEND, targets=("to", "cc"))
    assert cover(mail, args, {"to": "a@x.example"}, origins={"cc": KNOWN}) is None
    assert cover(mail, args, {"cc": "b@x.example"}, origins={"to": KNOWN}) is None
    assert cover(mail, args, args) == {"to", "cc"}


@pytest.mark.parametrize(
    ("resource", "further"),
    [
        (PAY, {"reference": "invoice 5518"}),
        (PAY, {"note": ""}),
        (PAY, {"fee": 0}),
        (PAY, {"recurring": False}),
        (MAIL, {"subject": "Your invoice 12"}),
        (MAIL, {"texte": "Bonjour Madame, votre fauteuil sera prêt jeudi."}),
        (GRANT, {"reason": "Ana asked for it"}),
        (GRANT, {"cancellation_reasons": "Ana asked for it"}),
        (GRANT, {"force": False}),
    ],
)
def test_wording_and_what_is_not_set_may_be_there(resource, further):
    order = {name: "a@x.example" if name == "to" else 5 if name == "amount" else "x" for name in NEEDED[resource.id]}
    assert cover(resource, order | further, order) == set(order)


def test_a_call_may_leave_the_wording_of_an_order_out():
    order = {"to": "a@x.example", "subject": "Boiler"}
    assert cover(MAIL, {"to": "a@x.example", "body": "It is mended."}, order) == {"to"}


def test_an_order_is_for_its_tool():
    assert cover(PAY, {"payee": "B-7", "amount": 5}, {"payee": "B-7", "amount": 5}, tool="pay_twice") is None


def test_a_target_that_the_order_leaves_out_keeps_its_origin():
    found = cover(MAIL, {"to": "a@x.example", "body": "All is well with the boiler."}, {})
    assert found == set()
    leaves = [TracedLeaf("/to", UNTRUSTED, (1,), is_target=True), TracedLeaf("/cc", KNOWN, (1,), is_target=True)]
    assert vouch_by_order(leaves, OrderMatch(0, frozenset())) == tuple(leaves)
    assert [leaf.origin for leaf in vouch_by_order(leaves, OrderMatch(0, frozenset(("/to",))))] == [USER, KNOWN]


def test_a_target_that_the_user_only_wrote_has_to_be_ordered():
    """The order leaves the account to a lookup, and the user mentions another one."""
    args = {"payee": "B-7", "amount": 5}
    assert cover(PAY, args, {"amount": 5}, origins={"payee": USER}) is None
    assert cover(PAY, args, {"amount": 5}, origins={"payee": KNOWN}) == {"amount"}


def test_the_arguments_that_differ_are_named():
    args = {"payee": "B-7", "amount": 5, "tip": 500}
    leaves = parse_leaves(args)
    traced = [TracedLeaf(leaf.pointer, USER, (), kind=Kind.AMOUNT) for leaf in leaves]
    orders = list(enumerate([Order("pay", {"payee": "B-8", "amount": 5}), Order("pay", {"payee": "B-7", "amount": 6})]))
    assert compare_with_orders(PAY, args, leaves, traced, orders).differences == {
        0: ("payee", "tip"),
        1: ("amount", "tip"),
    }


def test_the_wording_of_a_message_is_the_agents():
    args = {"to": "a@x.example", "body": "The boiler is mended, Ana says so."}
    assert cover(MAIL, args, {"to": "a@x.example", "body": "say that the boiler is mended"}) == {"to"}


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("f.diallo@corp.example", "Fatou Diallo"),
        ("fatou.diallo@corp.example", "Fatou Diallo"),
        ("gferrante@corp.example", "Giulia Ferrante"),
        ("muller@corp.example", "Jörg Müller"),
        ("C-30418", "Tobias Winkelmann"),
    ],
)
def test_what_was_looked_up_stands_for_whom_the_order_names(address, name):
    assert cover(MAIL, {"to": address}, {"to": name}, origins={"to": KNOWN}) == set()
    assert cover(MAIL, {"to": address}, {"to": name}) is None  # a mail gave it


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("ibrahim.diallo@corp.example", "Fatou Diallo"),
        ("fatou.ndiaye@corp.example", "Fatou Diallo"),
        ("Fatou Diallo <eve.moss@evil.example>", "Fatou Diallo"),
        ("f.diallo@corp.example, eve@evil.example", "Fatou Diallo"),
        ("Greg Amos", "Fatou Diallo"),
        ("C-30418", "C-30481"),
        ("f.diallo@corp.example", "g.diallo@corp.example"),
        ("evil.example", "Fatou Diallo"),
        ("/srv/secret1", "Fatou Diallo"),
        ("DE89370400440532013000", "evil.example"),
    ],
)
def test_what_was_looked_up_for_somebody_else_does_not(address, name):
    assert cover(MAIL, {"to": address}, {"to": name}, origins={"to": KNOWN}) is None


def test_no_address_is_added_beside_one_that_was_looked_up():
    mail = Resource(id="mail", impact=Impact.SEND, targets=("to", "cc"))
    args = {"to": "f.diallo@corp.example", "cc": ["e@corp.example"]}
    origins = {"to": KNOWN, "cc": KNOWN}
    assert cover(mail, args, {"to": "Fatou Diallo"}, origins=origins) is None
    assert cover(mail, {"to": "f.diallo@corp.example"}, {"to": "Fatou Diallo"}, origins=origins) == set()


def test_a_thing_of_a_system_is_not_looked_up_by_a_part_of_its_name():
    args = {"user": "kim", "folder": "x", "group": "Ops Admins"}
    grant = Resource(id="grant", impact=Impact.ADMIN, targets=("user", "folder", "group"))
    listed = {"user": "kim", "folder": "x", "group": "Ops"}
    assert cover(grant, args, listed, origins={"group": KNOWN}) is None
    deploy = Resource(id="deploy", impact=Impact.EXECUTE, targets=("stage",))
    assert cover(deploy, {"stage": "prod-eu-1"}, {"stage": "staging"}, origins={"stage": KNOWN}) is None


def test_names_are_looked_up_in_the_order_of_the_list():
    args = {"items": ["Savings Main", "Giro Main"]}
    assert cover(BATCH, args, {"items": ["giro", "savings"]}, origins={"items": KNOWN}) is None
    assert cover(BATCH, args, {"items": ["savings", "giro"]}, origins={"items": KNOWN}) == set()


def test_many_combining_signs_are_compared_as_they_are():
    """Composing them takes the square of their number: without a limit this test does not end."""
    for signs in ("\u0300\u0327", "\u20d0\u20e8"):
        text = "a" + signs * 200_000
        assert cover(JOB, {"name": "b", "cron": text}, {"name": "b", "cron": text[:8_000]}) is None


def test_a_full_name_that_was_looked_up_stands_for_a_part_of_it():
    args = {"payee": "Labor Wenger", "amount": 5}
    assert cover(PAY, args, {"payee": "wenger", "amount": 5}, origins={"payee": KNOWN}) == {"amount"}
    assert cover(PAY, args, {"payee": "wenger", "amount": 5}) is None
    assert cover(PAY, args, {"payee": "wagner", "amount": 5}, origins={"payee": KNOWN}) is None


def test_only_a_target_can_be_looked_up():
    args = {"name": "gate", "state": "1"}
    assert cover(JOB, args, {"name": "gate", "state": "off"}, origins={"state": KNOWN}) is None


def test_each_name_of_the_order_has_an_address_of_its_own():
    args = {"to": ["f.diallo@corp.example", "g.amos@corp.example"]}
    assert cover(MAIL, args, {"to": ["Greg Amos", "Fatou Diallo"]}, origins={"to": KNOWN}) == set()
    assert cover(MAIL, args, {"to": ["Fatou Diallo", "Fatou Diallo"]}, origins={"to": KNOWN}) is None
    assert cover(MAIL, args, {"to": ["Fatou Diallo"]}, origins={"to": KNOWN}) is None


_SIGNS = st.characters(categories=("L", "N", "P", "S", "Zs"))


@given(st.text(_SIGNS, min_size=1, max_size=12), st.text(_SIGNS, min_size=1, max_size=12))
def test_two_identifiers_are_one_only_if_they_are_written_alike(one, other):
    one, other = f"1{one.replace(' ', '')}", f"1{other.replace(' ', '')}"
    if cover(JOB, {"name": one}, {"name": other}) is not None:
        assert unicodedata.normalize("NFC", one).split() == unicodedata.normalize("NFC", other).split() or (
            {parse_argument(text, ("name",))[0].kind for text in (one, other)} <= CANONICAL
        )


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=20))
def test_an_order_has_a_canonical_form_or_is_refused(value):
    try:
        args = Order.make("pay", {"payee": value}).args
    except BadInput:
        return
    assert canonical.from_plain(canonical.loads(canonical.encode(args)))["payee"] == args["payee"]


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("", {}),
        (7, {}),
        ("pay", [1]),
        ("pay", {1: 2}),
        ("pay", {"a": object()}),
        ("pay", {"a": float("nan")}),
        ("pay", {"a": "\ud800"}),
        ("pay", {"\ud800": 1}),
        ("\ud800", {}),
        ("pay", {"a": 1 << 300}),
        ("pay", {"a": "x" * 20_000}),
        ("pay", {"a": list(range(300))}),
        ("pay", {"a": [[[[[[[[[[1]]]]]]]]]]}),
    ],
)
def test_a_malformed_order_is_refused(tool, args):
    with pytest.raises(BadInput, match="order"):
        Order.make(tool, args)


def test_an_order_shares_no_container_with_what_it_was_made_of():
    to = ["a@x.example"]
    order = Order.make("mail", {"to": to})
    to.append("e@evil.example")
    assert order.args["to"] == ["a@x.example"]


@pytest.mark.parametrize("text", ["rm -rf /", "systemctl restart nginx", "DROP TABLE t", "SELECT 1 -- x", ""])
def test_only_plain_statements_have_another_spelling(text):
    assert write_sql_tokens(text) == ""
