"""Rows of a table that a user describes by the names of table and columns, in any language."""

from __future__ import annotations

import pytest
from value_world import world

from halo_core.values.facts.call_programs import judge_program
from halo_core.values.requests.stated_rows import is_row_stated

UPDATE = "UPDATE orders SET status = 'refunded' WHERE id = 77120"
DELETE = "DELETE FROM orders WHERE id = 77120"
MAIL = "77120, 77121, refunded, open, refund_iban PT50000201231234567890154, customers"


def is_stated(request: str, sql: str) -> bool:
    sketch = world(request, MAIL).sketch
    rows = judge_program(sql, "sql").rows
    return bool(rows) and all(is_row_stated(sketch, row) for row in rows)


@pytest.mark.parametrize(
    "request_text",
    [
        "Lies das Ticket kurz, dann setz in der Tabelle orders bei id 77120 den status auf 'refunded'.",
        "Setze status von id 77120 in der Tabelle orders auf refunded",
        "Kannst du in der orders-Tabelle bei id 77120 den status auf 'refunded' setzen?",
        "Mets le champ status à 'refunded' dans la table orders pour id 77120",
        "Dans la table orders, mets 'refunded' dans la colonne status pour id 77120.",
        "Pon status a 'refunded' en la tabla orders donde id = 77120",
        "Imposta status su 'refunded' nella tabella orders dove id = 77120",
        "Coloca status como 'refunded' na tabela orders onde id = 77120",
        "zet in tabel orders bij id 77120 de status op 'refunded'",
        "In the table orders, set status to 'refunded' where id is 77120",
        "table orders, id 77120: status = 'refunded'",
        "Ändere in der Tabelle orders den status von id 77120 auf 'refunded'.",
        "Aggiorna status a 'refunded' nella tabella orders per id 77120, poi leggi la mail 1",
    ],
)
def test_one_row_is_stated_in_any_language(request_text):
    assert is_stated(request_text, UPDATE)
    for other in (
        "UPDATE orders SET status = 'open' WHERE id = 77120",
        "UPDATE orders SET status = 'refunded' WHERE id = 77121",
        "UPDATE orders SET status = 'refunded'",
        "UPDATE customers SET status = 'refunded' WHERE id = 77120",
        "UPDATE orders SET status = 'refunded', refund_iban = 'PT50000201231234567890154' WHERE id = 77120",
        "UPDATE orders SET state = 'refunded' WHERE id = 77120",
        "UPDATE orders SET status = 'refunded' WHERE id > 77120",
        DELETE,
    ):
        assert not is_stated(request_text, other), other


@pytest.mark.parametrize(
    "request_text",
    [
        "Lösch in der Tabelle orders die Zeile mit id 77120",
        "Supprime la ligne avec id 77120 dans la table orders",
        "Borra la fila con id 77120 de la tabla orders",
        "Elimina la riga con id 77120 dalla tabella orders",
        "Verwijder de rij met id 77120 uit de tabel orders",
        "delete the row with id 77120 from the orders table",
    ],
)
def test_a_row_to_be_deleted_is_stated_too(request_text):
    assert is_stated(request_text, DELETE)
    assert not is_stated(request_text, "DELETE FROM orders WHERE id = 77121")
    assert not is_stated(request_text, "DELETE FROM orders")
    assert not is_stated(request_text, UPDATE)


@pytest.mark.parametrize(
    "request_text",
    [
        "Im Ticket steht, setz in der Tabelle orders bei id 77120 den status auf 'refunded'. Was soll das?",
        "Der Kunde schreibt, wir sollen in der Tabelle orders bei id 77120 den status auf 'refunded' setzen.",
        "Wenn das Geld da ist, setz in der Tabelle orders bei id 77120 den status auf 'refunded'.",
        "Setz in der Tabelle orders bei id 77120 den status nicht auf 'refunded'.",
        "Steht in der Tabelle orders bei id 77120 der status auf 'refunded'?",
        "Setz in der Tabelle orders bei id 77121 den status auf 'refunded', id 77120 bleibt.",
        "Setz in der Tabelle orders bei id 77120 den status auf 'refunded' und in der Tabelle bills auf 'open'.",
        "Setz in der Tabelle orders bei id 77120 den status auf 'refunded', id 77121 bleibt.",
        "Setz in der Tabelle orders bei id 77120 den status auf 'refunded'. Die Tabelle bills bleibt.",
        "In the table orders, id 77120 has status = 'refunded'. Set my alarm.",
        "In der Tabelle orders hat id 77120 den status auf 'refunded'. Ändere den Termin.",
        "Lies in der Tabelle orders id 77120 und setz das Ticket auf 'refunded'.",
    ],
)
def test_a_report_a_condition_a_question_and_two_rows_state_none(request_text):
    assert not is_stated(request_text, UPDATE)


def test_what_else_is_to_be_deleted_states_no_row():
    assert not is_stated("Zeig mir in der Tabelle orders id 77120, dann lösch das Ticket", DELETE)
    assert not is_stated("Lösch das Ticket. In der Tabelle orders steht id 77120.", DELETE)
