"""One row of a table that the user describes with the names of table and columns, in any language.

    find_stated_rows("setz in der Tabelle orders bei id 77120 den status auf 'refunded'")
    # the form "stated_row" of three lines: "orders", "id 77120", "status refunded"

    is_row_stated(sketch, rows)
    # true for the rows of "UPDATE orders SET status = 'refunded' WHERE id = 77120"

Only the names and the values are read, and the signs and small words between them; of the verb, only whether the row is
to be deleted. A statement of SQL has to name the same table, key and values, and no others: an untrusted source can
then neither leave one out nor exchange two. Here a key is a column and its value that say which row is meant, and a
cell is a column and the value that it gets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.foreign_words import find_foreign_acts
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.programs.languages import Rows
from halo_core.values.requests.asked_acts import find_asked_stems
from halo_core.values.sketches.sketch import Sketch, has_user_mark
from halo_core.values.sketches.written_words import is_written

_MAX_CHARS: Final = 2_048  # of a text
_MAX_FOUND: Final = 8  # tables, keys or cells of a text
_TABLE_NOUN: Final = r"(?:table|tabelle|tabla|tabella|tabela|tabel|tabell|tabellen|taulu|tablosu|таблиц\w)"
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]{1,62}"
"""The name of a table or a column."""
_QUOTE: Final = r"[\"'`“”„‚‘’«»]"
_SENTENCE: Final = compile_later(r"(?<=[.!?;])\s+|\n+")
_CLAUSE: Final = compile_later(
    r"[,:]\s|\s(?:and|then|und|dann|et|puis|y|luego|e|poi|depois|en|dan|daarna)\s", re.IGNORECASE
)
"""Separates the clauses of a sentence."""
_BEFORE: Final = (
    r"(?:\b(?:in|of|at|for|from|with|where|von|aus|bei|für|mit|wo|dans|de|pour|avec|où|en|para|con|donde|per"
    r"|nella|dalla"
    r"|dove|na|no|da|com|onde|bij|van|voor|met|uit|waar)\s+)?(?:(?:the|der|die|dem|das|la|le|el|il|o|a|het)\s+)?"
)
"""A preposition and an article in front of a name. They are removed with it."""
_NO_TABLE: Final = "the|this|that|in|der|das|die|dem|la|le|el|una|nella|dalla|na|da|diese|cette|esta|questa|deze|de"
"""Words in front of the noun that are no name of a table: "in this table"."""
_TABLE: Final = compile_later(
    rf"{_BEFORE}\b(?:{_TABLE_NOUN} {_QUOTE}?({_NAME})"
    rf"|((?!(?:{_NO_TABLE}) ){_NAME}){_QUOTE}?[ -]{_TABLE_NOUN})\b{_QUOTE}?",
    re.IGNORECASE,
)
"""A table; one of the two groups is its name: "in der Tabelle orders", "in the orders table"."""
_KEY: Final = compile_later(
    rf"{_BEFORE}(?<![\w.-])((?:{_NAME}_)?(?:id|no|nr|num|number|key|uid|uuid|ref|code)){_QUOTE}?\s*"
    rf"(?:=|:|#|\b(?:is|ist|est|es|gleich|equals)\b)?\s*{_QUOTE}?(?=[\w-]*[0-9])([A-Za-z0-9][\w-]{{0,63}}){_QUOTE}?",
    re.IGNORECASE,
)
"""Key; the groups are its column and its value: "bei id 77120", "order_id = A-77"."""
_TO: Final = (
    r"(?:=|:|->|→|=>|(?:to|as|auf|als|zu|à|en|sur|a|como|su|come|para|op|naar|till|til)"
    r"(?: (?:the value|den wert|la valeur|el valor|o valor|il valore|de waarde))?)"
)
"""What stands between a column and its value."""
_VALUE: Final = rf"(?:{_QUOTE}([^\"'`“”„‚‘’«»\n]{{1,64}}){_QUOTE}|([A-Za-z0-9][\w.-]{{0,63}}))"
_SET: Final = compile_later(rf"(?<![\w.-])({_NAME}){_QUOTE}?\s*(?:=|(?:\s|:){_TO})\s*{_VALUE}", re.IGNORECASE)
"""Cell; the groups are its column, and its value with or without quotation marks: "status auf 'refunded'"."""
_PUT: Final = compile_later(
    rf"{_QUOTE}([^\"'`“”„‚‘’«»\n]{{1,64}}){_QUOTE} (?:in|into|dans|en|nel|nella|em|no|na)"
    rf" (?:(?:field|column|feld|spalte|champ|colonne|campo|columna|colonna|coluna|veld|kolom|the|das|die|le|la|el|il|o"
    rf"|het|de) ){{0,2}}({_NAME})\b",
    re.IGNORECASE,
)
"""Cell; the groups are its value and its column: "mets 'refunded' dans le champ status"."""
_NO_COLUMN: Final = frozenset(
    "set change update setz setze stell stelle mets passe pon cambia imposta metti zet put it them this that".split()
)
"""Words in front of a value that are no name of a column: "set to 'refunded'"."""
_HELD: Final = CaselessPattern(
    r"\b(?:if|unless|once|when|wenn|falls|sobald|sofern|si|sauf|quand|dès|cuando|se|quando|caso|als er|indien|zodra"
    r"|not|nicht|kein\w*|pas|niet|geen|não|non|never|nie|jamais|nunca|mai|nooit"
    r"|says?|said|asks?|wants?|wrote|writes|sagt|steht|schreibt|schrieb|meint|will|möchte|verlangt|fordert"
    r"|bittet|sollen|laut"
    r"|dit|demande|écrit|veut|selon|dice|pide|quiere|según|scrive|chiede|vuole|secondo|diz|pede|quer|segundo"
    r"|zegt|vraagt|schrijft|wil|volgens|should|soll"
    r"|(?<!ich )hätten?|würden?|wünscht|begs?|hopes?|wishes|expects?|prefers?|demands?|requests?|why|who|what"
    r"|how|warum|wieso"
    r"|pourquoi|por qué|perché|porque|waarom|voudrait|souhaite|quisiera|vorrebbe|gostaria|graag"
    r"|prosi\w*|chce|chciał\w*|pyta|mówi|pisze|jeśli|jeżeli|nie|dlaczego|istiyor|diyor|eğer|neden|haluaa"
    r"|pyytää|sanoo|jos|miksi"
    r"|ber|vill|säger|skriver|varför|beder|ønsker|siger|просит|хочет|говорит|пишет|если|не|почему"
    r"|is|was|has|had|have|shows?|stands|ist|war|hat|zeigt|est|était|affiche|tiene|está|era|ha|aveva|tem|tinha"
    r"|heeft|staat)\b"
)
"""Words by which a sentence is a condition, a prohibition, a report or a statement of what is."""
_POLITE: Final = CaselessPattern(
    r"\W*(?:(?:please|bitte|hi|hallo|ok) )?(?:can|could|would|will|kannst|könntest|würdest|peux|pourrais|pouvez|puedes"
    r"|podrías|puoi|potresti|podes|pode|poderia|kun|kan|zou)\b"
)
"""The beginning of a question that is an order: "can you set ...?"."""
_DELETING: Final = stem_all("delete remove erase") | {"delete"}


def find_stated_rows(text: str) -> Iterator[Form]:
    """Find the row that a text of the user wants changed or deleted, if it describes exactly one.

    Args:
        text: of the user, without what it forbids.
    """
    if len(text) > _MAX_CHARS or _TABLE.search(text) is None:
        return
    tables = _list_tables(text)
    keys = _list_keys(text)
    if len(tables) != 1 or len(keys) != 1:
        return
    for sentence in _SENTENCE.split(text):
        is_question = sentence.rstrip().endswith("?") and not _POLITE.match(sentence)
        if is_question or _HELD.search(_drop_names(sentence)) is not None:
            continue
        if not _list_tables(sentence) or not _list_keys(sentence):
            continue
        cells = _list_cells(sentence)
        if cells:
            yield _make_row(tables[0], keys[0], cells)
        elif any(_deletes(clause) for clause in _CLAUSE.split(sentence)):
            yield _make_row(tables[0], keys[0], ())


def is_row_stated(sketch: Sketch, rows: Rows) -> bool:
    """Whether the user described exactly the row that a statement of SQL changes or deletes, and all that is set in it.

    Args:
        sketch: what the session has seen.
        rows: that the statement changes or deletes.
    """
    if rows.is_open or rows.whole_table_verbs or rows.conditions or len(rows.keys) != 1:
        return False
    # ("", "now") is the time of the change, which the database writes itself.
    cells = [(column.casefold(), value) for column, value in rows.settings if (column, value) != ("", "now")]
    if not all(column and value for column, value in cells):
        return False
    (column, value), table = rows.keys[0], rows.table.casefold()
    form = _make_row(table, (column.casefold(), value), cells)
    if not has_user_mark(sketch.look_up_forms([form])):
        return False
    # INVARIANT: VOUCH - each name and value in the user's own words, and not in those of a text that was pasted.
    return all(is_written(sketch, text) for text in (column, value, *(text for cell in cells for text in cell)))


def _make_row(table: str, key: tuple[str, str], cells: Iterable[tuple[str, str]]) -> Form:
    """Return the form of a row: its table, its key and its cells, each in a line. A row to be deleted has no cells."""
    lines = [table, " ".join(key), *sorted(" ".join(cell) for cell in cells)]
    return make_form(("stated_row", "\n".join(lines)))


def _list_tables(text: str) -> list[str]:
    """List the names of the tables that a text names, in small letters."""
    names = ((match[1] or match[2]).casefold() for match in islice(_TABLE.finditer(text), _MAX_FOUND))
    return list(dict.fromkeys(names))


def _list_keys(text: str) -> list[tuple[str, str]]:
    """List (column, value) of the keys that a text names."""
    return list(dict.fromkeys((match[1].casefold(), match[2]) for match in islice(_KEY.finditer(text), _MAX_FOUND)))


def _drop_names(sentence: str) -> str:
    """Remove the names of tables and the keys from a sentence."""
    return _TABLE.sub("", _KEY.sub("", sentence))


def _list_cells(sentence: str) -> list[tuple[str, str]]:
    """List (column, value) of the cells that a sentence sets."""
    rest = _drop_names(sentence)
    found: dict[tuple[str, str], None] = {}
    for match in islice(_SET.finditer(rest), _MAX_FOUND):
        column, value = match[1].casefold(), match[2] or match[3].rstrip(".")
        if column not in _NO_COLUMN:
            found[column, value] = None
    for match in islice(_PUT.finditer(rest), _MAX_FOUND):
        found[match[2].casefold(), match[1]] = None
    return list(found)


def _deletes(clause: str) -> bool:
    """Whether a clause with a table and a key wants something deleted."""
    if not _list_tables(clause) or not _list_keys(clause):
        return False
    return not _DELETING.isdisjoint(find_asked_stems(clause) | find_foreign_acts(clause))
