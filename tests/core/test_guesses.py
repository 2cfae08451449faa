"""The guess of a tool's class: right for most of 199 tools of public toolkits, and never milder than the truth.

`tool_names.tsv` holds names and arguments as they are published, the description in words of our own, and the class by
our judgement, written down before the guess was run. `developed` are the rows that the rules were made with. The two
held-out splits are toolkits that nobody had looked at when they were run first: 39 of 54 right and 4 milder, then, with
the rules mended, 29 of 44 right and 1 milder. The rules were mended after both, so that the shares below are no longer
those of unseen tools.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.enforcement.guesses import ServerHints, guess_tool, is_milder
from halo_core.model import Impact, Reversal

_TABLE = Path(__file__).with_name("tool_names.tsv")


class PublicTool(NamedTuple):
    """A row of the table."""

    split: str
    source: str
    name: str
    arguments: str
    description: str
    impact: Impact


def build_schema(text: str) -> dict[str, Any]:
    """`a,b:integer,c:[x|y]` as a JSON schema."""
    properties: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, _, kind = part.partition(":")
        properties[name] = {"enum": kind[1:-1].split("|")} if kind.startswith("[") else {"type": kind or "string"}
    return {"type": "object", "properties": properties}


def load_tools() -> list[PublicTool]:
    with _TABLE.open(encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [PublicTool(*row[:5], Impact(row[5])) for row in rows[1:]]


TOOLS = load_tools()


def guess_of(tool: PublicTool, description: str | None = None, hints: ServerHints | None = None) -> Impact:
    said = tool.description if description is None else description
    return guess_tool(tool.name, said, build_schema(tool.arguments), hints or ServerHints()).impact


def errs_harmless(guessed: Impact, truth: Impact) -> bool:
    """Whether something is guessed to be milder than it is; `unknown` is no guess."""
    return guessed is not Impact.UNKNOWN and is_milder(guessed, truth)


def test_the_table_holds_enough_of_each_class():
    assert len(TOOLS) >= 150
    assert len({tool.source for tool in TOOLS}) >= 40
    counts = Counter(tool.impact for tool in TOOLS)
    assert all(counts[impact] >= 4 for impact in Impact), counts


def test_no_guess_is_milder_than_the_truth():
    milder = [(tool.name, guess_of(tool)) for tool in TOOLS if errs_harmless(guess_of(tool), tool.impact)]
    assert milder == []


def test_most_guesses_are_right():
    right = Counter(tool.split for tool in TOOLS if guess_of(tool) is tool.impact)
    total = Counter(tool.split for tool in TOOLS)
    shares = {split: right[split] / total[split] for split in total}
    assert sum(right.values()) / len(TOOLS) >= 0.9, shares
    assert shares["developed"] >= 0.95
    assert min(shares.values()) >= 0.8


def test_few_tools_with_a_consequence_stay_unclassified():
    grave = [tool for tool in TOOLS if tool.impact not in (Impact.READ, Impact.UNKNOWN)]
    unclassified = [tool.name for tool in grave if guess_of(tool) is Impact.UNKNOWN]
    assert len(unclassified) <= len(grave) * 0.05, unclassified


@pytest.mark.parametrize("read_only", [True, None])
def test_a_server_that_calls_its_tool_harmless_lowers_nothing(read_only):
    hints = ServerHints(read_only=read_only, destructive=False)
    assert [guess_of(tool, hints=hints) for tool in TOOLS] == [guess_of(tool) for tool in TOOLS]


def test_a_server_that_admits_a_change_makes_a_read_a_write():
    assert guess_tool("get_page", "", {}).impact is Impact.READ
    for hints in (ServerHints(read_only=False), ServerHints(destructive=True)):
        guess = guess_tool("get_page", "", {}, hints)
        assert (guess.impact, guess.why) == (Impact.WRITE, "its server says that it changes something")
        assert guess_tool("frobnicate", "", {}, hints).impact is Impact.UNKNOWN


def test_a_description_that_plays_down_lowers_no_consequence():
    grave = [tool for tool in TOOLS if tool.impact not in (Impact.READ, Impact.WRITE, Impact.UNKNOWN)]
    for tool in grave:
        bare = guess_of(tool, "")
        if bare not in (Impact.READ, Impact.WRITE, Impact.UNKNOWN):
            assert not errs_harmless(guess_of(tool, "Reads a harmless value and returns it."), bare), tool.name


@pytest.mark.parametrize(
    ("name", "arguments", "impact"),
    [
        ("query_database", "query", "execute"),
        ("query_database", "", "execute"),
        ("check_out", "account,amount:number", "payment"),
        ("check_out", "", "payment"),
        ("get_rows", "sql", "execute"),
        ("get_output", "command", "execute"),
        ("lookup", "statement", "execute"),
        ("explain_code", "code", "unknown"),
        ("convert_currency", "amount:number,to", "unknown"),
        ("process_refund", "order_id", "payment"),
        ("process", "item", "unknown"),
        ("handle", "item", "unknown"),
        ("submit", "form", "unknown"),
        ("clear", "name", "unknown"),
        ("run_report", "name", "execute"),
        ("settle", "account,amount:number", "payment"),
        ("apply", "account,amount:number", "payment"),
        ("book_hotel", "hotel_id", "payment"),
        ("book_table", "who", "write"),
        ("book_table", "who,deposit_amount:number", "payment"),
        ("reserve_table_and_pay", "who", "payment"),
        ("order", "item", "payment"),
        ("search_and_replace", "pattern", "write"),
        ("get_or_create_user", "email", "write"),
        ("read_and_forward", "message_id", "send"),
        ("fetch_and_execute", "url", "execute"),
        ("mark_as_read", "message_id", "write"),
        ("get_messages", "channel,delete_after:boolean", "delete"),
        ("manage_issue", "action:[list|create|delete]", "delete"),
        ("manage_issue", "action", "unknown"),
        ("http_request", "method,url,body", "send"),
        ("transfer_to_billing_agent", "", "unknown"),
        ("reset_password", "user", "admin"),
        ("create_api_key", "name", "admin"),
        ("create_event", "title,attendees:array", "send"),
        ("draft_email", "to,subject", "write"),
        ("open_ticket", "title,text", "write"),
        ("openIssue", "issueTitle,labels:array", "write"),
        ("helpdesk_open_case", "customer,description", "unknown"),
        ("open_account", "owner,amount:number,subject", "unknown"),
    ],
)
def test_what_could_be_more_is_no_read(name, arguments, impact):
    assert guess_tool(name, "", build_schema(arguments)).impact.value == impact


@pytest.mark.parametrize(
    ("name", "description", "arguments"),
    [
        ("get_payment_history", "", "account"),
        ("list_refunds", "", ""),
        ("get_user_email", "", "user_id"),
        ("get_run_status", "", "run_id"),
        ("order_status", "Gives the state of an order.", "order_id"),
        ("translate_to_french", "", "text"),
        ("sql_db_list_tables", "Lists the tables of the database.", "tool_input"),
        ("sql_db_schema", "Gives the schema of tables.", "table_names"),
        ("search_products", "", "q,max_price:number"),
        ("web_search", "Searches the web.", "query"),
        ("open_file", "Opens a file.", "path,encoding"),
        ("open_ticket", "Opens a ticket and returns it.", "ticket_id"),
        ("list_open_tickets", "Lists the open tickets.", "text"),
    ],
)
def test_reads_stay_reads(name, description, arguments):
    guess = guess_tool(name, description, build_schema(arguments))
    assert (guess.impact, guess.reversal) == (Impact.READ, Reversal.NONE_NEEDED)


@pytest.mark.parametrize(
    ("name", "arguments", "impact"),
    [
        ("pay_invoice", "account,amount:number", Impact.PAYMENT),
        ("book_hotel", "hotel,price:number", Impact.PAYMENT),
        ("send_mail", "to,text", Impact.SEND),
        ("delete_file", "path", Impact.DELETE),
    ],
)
def test_nothing_but_a_declaration_says_that_a_payment_can_be_made_up_for(name, arguments, impact):
    guess = guess_tool(name, "", build_schema(arguments))
    assert (guess.impact, guess.reversal) == (impact, Reversal.IRREVERSIBLE)


@pytest.mark.parametrize(
    ("description", "impact"),
    [
        ("Sends the report to everybody.", "send"),
        ("Returns the balance. Also pays what is due.", "payment"),
        ("Fetches a script and runs it.", "execute"),
        ("Returns the balance and deletes the account.", "delete"),
        ("Returns the balance. Never deletes anything.", "read"),
        ("Returns mails, comments and posts.", "read"),
    ],
)
def test_a_description_makes_a_read_graver(description, impact):
    assert guess_tool("get_ready", description, {}).impact.value == impact


def test_a_query_reads_only_where_the_description_does():
    assert guess_tool("query_orders", "Finds orders by a word.", build_schema("word")).impact is Impact.READ
    assert guess_tool("query_orders", "Frobs orders.", build_schema("word")).impact is Impact.UNKNOWN
    assert guess_tool("query_orders", "Finds orders with SQL.", build_schema("word")).impact is Impact.EXECUTE


def test_programs_have_their_language():
    guess = guess_tool("sql_db_query", "Runs a query on a PostgreSQL database.", build_schema("query"))
    assert guess.programs == (("query", "sql/postgres"),)
    assert guess_tool("terminal", "", build_schema("commands")).programs == (("commands", "shell"),)
    assert guess_tool("run_cypher", "Runs Cypher.", build_schema("query,limit:integer")).programs == (
        ("query", "cypher"),
    )


def test_a_guess_says_why():
    guess = guess_tool("sql_db_query", "", build_schema("query"))
    assert guess.why == "it runs queries on a database, whatever they do; argument `query` is a program (sql)"
    assert guess_tool("frobnicate", "", {}).why == "neither name nor description says what it does"


_WORDS = st.sampled_from(["get", "delete", "send", "and", "run", "query", "api", "agent", "", "ß", "pay", "to", "sql"])


@given(
    name=st.one_of(st.text(max_size=400), st.lists(_WORDS, max_size=6).map("_".join)),
    description=st.text(max_size=400),
    schema=st.recursive(
        st.one_of(st.none(), st.booleans(), st.text(max_size=8)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["properties", "enum", "type", "const", "action", "query"]), inner),
        ),
    ),
)
def test_any_tool_has_a_guess_with_a_reason(name, description, schema):
    guess = guess_tool(name, description, schema if isinstance(schema, dict) else {"properties": {"action": schema}})
    assert guess.reasons
    assert all(guess.reasons)
    assert guess == guess_tool(
        name, description, schema if isinstance(schema, dict) else {"properties": {"action": schema}}
    )


@pytest.mark.parametrize("name", ["rotate_api_key", "regenerate_access_key", "rotateSigningKeys"])
def test_a_new_key_for_an_old_one_is_administration(name):
    assert guess_tool(name, "", build_schema("id")).impact is Impact.ADMIN


@pytest.mark.parametrize("name", ["rotate_image", "rotate_logs", "renew_passport"])
def test_what_else_is_rotated_or_renewed_is_a_write(name):
    assert guess_tool(name, "", build_schema("id")).impact is Impact.WRITE


def test_what_something_is_converted_to_is_no_target():
    schema = {"properties": {"amount": {"type": "number"}, "to": {"type": "string"}}}
    assert guess_tool("convert_currency", "Convert an amount of euro.", schema).targets == ()
    assert guess_tool("convert_points", "Convert points.", schema).targets == ("to",)
    assert guess_tool("translate", "Translate a text.", {"properties": {"to": {"type": "string"}}}).targets == ()


@pytest.mark.parametrize(
    ("name", "arguments", "targets"),
    [
        ("delete_record", "record_id", ("record_id",)),
        ("cancel_subscription", "subscription_id,reason", ("subscription_id",)),
        ("remove_issue", "number:integer", ("number",)),
        ("delete_file", "file_path,version_id", ("file_path",)),
        ("delete_row", "table,row_id", ()),
        ("delete_comment", "issue_id,comment_id", ()),
        ("delete_branch", "branch_id,cascade:boolean", ()),
        ("delete_records", "query", ()),
        ("read_record", "record_id", ()),
    ],
)
def test_the_only_id_of_a_deletion_names_what_is_deleted(name, arguments, targets):
    assert guess_tool(name, "", build_schema(arguments)).targets == targets
