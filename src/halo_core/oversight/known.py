"""Values that the operator declares as known (payees, contacts, own domains): adding, importing, listing, revoking.

Each change is a signed entry. It names the values by keyed digest; the values themselves are sealed beside it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from halo_core.content.redaction import mask_reason
from halo_core.crypto.keys import Digester
from halo_core.enforcement.exposure import digest_store, digest_tool, find_cleared_row
from halo_core.errors import ConfigError, make_read_error
from halo_core.model import Actor, EntryKind, Resource
from halo_core.oversight.signed_entries import Opener, decode_signed_entry
from halo_core.quick_dataclass import dataclass
from halo_core.store.drafts import Draft
from halo_core.store.known_values import MAX_KNOWN, KnownTable, digest_known_value
from halo_core.store.marks import MarkTable
from halo_core.store.reader import Reader
from halo_core.store.transaction import Transaction
from halo_core.values.facts.answer_scope import KNOWN_KINDS, to_canonical_form
from halo_core.values.kinds.addresses import (
    PUBLIC_MAIL_HOSTS,
    canonicalize_email,
    canonicalize_host,
    is_shared_host,
)
from halo_core.values.provenance.stored_objects import find_place
from halo_core.values.sketches.sketch import iter_text_fingerprints

_BATCH: Final = 500
_MAX_CHARS: Final = 256
_MAX_FILE_BYTES: Final = 32 * 1024 * 1024
_OTHER_NAMES: Final = ("payee", "contact")
"""What people call values whose kind follows from their form: an account, or an address or a handle."""
_SUBJECT: Final = "known-values"


@dataclass(frozen=True, slots=True)
class KnownValue:
    """A value that is known.

    Args:
        kind: one of `halo_core.values.facts.answer_scope.KNOWN_KINDS`.
        form: its canonical form.
        name: owner of the value, for display; may be empty.
    """

    kind: str
    form: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredValue:
    """A known value as the log holds it.

    Args:
        value: the value; its form is empty if the content was erased.
        by: who declared it; the reference where the name cannot be opened.
        why: the reason.
        since_us: when, microseconds since the epoch.
    """

    value: KnownValue
    by: str
    why: str
    since_us: int


def make_known_value(kind: str, text: str, name: str = "", *, field: str = "value") -> KnownValue:
    """Validate a value to be declared as known, and convert it to canonical form.

    Args:
        kind: one of `KNOWN_KINDS`, or `payee` or `contact` where the value shows which of them is meant.
        text: the value as a person wrote it.
        name: for people, whose it is.
        field: what an error names: an option, or the line of a file.

    Raises:
        ConfigError: `bad_known`, the kind is none of `KNOWN_KINDS` or the text is no value of this kind;
            `public_mail_host`, a domain at which anybody can have an address; `shared_host`, a host at which anybody
            can have a page.
    """
    kind = _resolve_kind(kind, text)
    if kind not in KNOWN_KINDS:
        meant = f" of `{text[:64]}`: a {kind} may be of several kinds" if kind in _OTHER_NAMES else ""
        problem = f"`{kind[:32]}` is not a kind of known value{meant}"
        place = "kind" if field == "value" else field
        raise ConfigError("bad_known", problem, field=place, remedy=f"use one of {', '.join(KNOWN_KINDS)}")
    form = to_canonical_form(kind, text)
    is_address = form.count("@") == 1 and not form.startswith("@") and "." in form.rpartition("@")[2]
    is_host = "." in form and "/" not in form and "@" not in form
    fits = {"email": is_address, "domain": is_host, "host": is_host}.get(kind, True)
    if not form or len(form) > _MAX_CHARS or not form.isprintable() or not fits:
        raise ConfigError("bad_known", f"`{text[:64]}` is not a valid {kind}", field=field, remedy="correct it")
    if kind == "domain" and form in PUBLIC_MAIL_HOSTS:
        problem = f"anybody can have an address at `{form}`"
        raise ConfigError("public_mail_host", problem, field=field, remedy="add the addresses one by one, as `email`")
    if kind in ("domain", "host") and is_shared_host(form):
        problem = f"many tenants share `{form}`: whoever has a page there would be known"
        raise ConfigError("shared_host", problem, field=field, remedy="let the request name the whole address")
    return KnownValue(kind, form, " ".join(name.split())[:_MAX_CHARS])


def _resolve_kind(kind: str, text: str) -> str:
    """The kind that `payee` and `contact` mean for a value; the word itself where that is not plain."""
    if kind not in _OTHER_NAMES:
        return kind
    is_email = canonicalize_email(text.strip()) is not None
    if kind == "contact":
        is_handle = text.strip()[:1] in ("@", "#")
        return "email" if is_email else "handle" if is_handle else kind
    is_host = "." in text and canonicalize_host(text.strip()) is not None
    return kind if is_email or is_host else "account"


def read_known_file(path: Path) -> list[KnownValue]:
    """The values of a CSV file with the columns `kind`, `value` and perhaps `name`.

    Raises:
        ConfigError: `no_file`; `bad_known`, naming the line; nothing for a file with a mistake is used.
    """
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise ConfigError("no_file", f"`{path}` is larger than 32 MB", field="file", remedy="split it")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as exc:
        raise make_read_error(path, exc, field="file") from exc
    reader = csv.DictReader(text.splitlines())
    if not {"kind", "value"} <= set(reader.fieldnames or ()):
        problem = f"`{path}` does not begin with the columns `kind,value`"
        raise ConfigError("bad_known", problem, field="file", remedy="write `kind,value,name` on the first line")
    values = []
    try:
        for row in reader:
            field = f"line {reader.line_num}"
            values.append(make_known_value(row["kind"] or "", row["value"] or "", row.get("name") or "", field=field))
    except csv.Error as exc:
        remedy = "save it as CSV with one value on each line"
        raise ConfigError("bad_known", f"line {reader.line_num}: {exc}", field="file", remedy=remedy) from exc
    if len(values) > MAX_KNOWN:
        raise ConfigError("bad_known", f"more than {MAX_KNOWN} values", field="file", remedy="import fewer")
    return values


def add_known(tx: Transaction, digester: Digester, values: Sequence[KnownValue], *, by: Actor | str, why: str) -> int:
    """Declare values as known, from the next decision on; returns how many were not known before.

    Raises:
        ConfigError: `too_many_known`.
    """
    table, count = KnownTable(tx), 0
    room = MAX_KNOWN - table.count()
    for batch in _split(values):
        digests = [(value, digest_known_value(digester, value.kind, value.form)) for value in batch]
        # Each value once: `add` finds a row only with its entry, which is appended below, and would insert it again.
        distinct: dict[tuple[str, str], KnownValue] = {}
        for value, digest in digests:
            distinct.setdefault((value.kind, digest), value)
        new = [(value, digest) for (kind, digest), value in distinct.items() if table.add(kind, digest)]
        count += len(new)
        if count > room:
            problem = f"a tenant can have {MAX_KNOWN} known values"
            raise ConfigError("too_many_known", problem, field="value", remedy="revoke some")
        _record(tx, "add", new, by=by, why=why)
    return count


def revoke_known(
    tx: Transaction, digester: Digester, values: Sequence[KnownValue], *, by: Actor | str, why: str
) -> int:
    """Withdraw values, from the next decision on; returns how many were known."""
    table, count = KnownTable(tx), 0
    for batch in _split(values):
        digests = [(value, digest_known_value(digester, value.kind, value.form)) for value in batch]
        removed = [(value, digest) for value, digest in digests if table.remove(value.kind, digest)]
        count += len(removed)
        _record(tx, "revoke", removed, by=by, why=why)
    return count


def clear_stores(tx: Transaction, resource: Resource, *, by: Actor | str, why: str) -> tuple[str, ...]:
    """Trust the current contents of a resource's stores again, although exposed sessions wrote to them.

    A person must have checked their contents. What this resource reads from them may then repeat what exposed sessions
    wrote anywhere up to now. What an exposed session stores from now on is untrusted again.

    Returns:
        Names of the stores.
    """
    place = find_place(resource, {})
    names = tuple(sorted({*place.stores, *place.sources}))
    table, newest = MarkTable(tx), tx.load_taint_index().seq
    digests = [(name, digest_store(tx, name)) for name in names]
    digests.append((f"tool:{resource.id}", digest_tool(tx, resource.id)))
    for _, digest in digests:
        table.clear(digest, taint_seq=newest)
    values = [(KnownValue("store", name, resource.id), digest.hex()) for name, digest in digests]
    _record(tx, "clear", values, by=by, why=why)
    return names


def find_stored(tx: Transaction, values: Iterable[tuple[Resource, str]]) -> frozenset[tuple[str, str]]:
    """The values that an exposed session has stored, so that they come back untrusted until a person clears the tool.

    Args:
        tx: the transaction.
        values: a tool or retriever, and a text that it returned.

    Returns:
        (id of the resource, text) of each such value.
    """
    index, key = tx.load_taint_index(), tx.image.sketch_key
    return frozenset(
        (resource.id, text)
        for resource, text in (values if index else ())
        if index.contains_any(iter_text_fingerprints(key, text), after=find_cleared_row(tx, resource))
    )


def _split(values: Sequence[KnownValue]) -> Iterator[list[KnownValue]]:
    """The distinct values in batches, an entry each."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), _BATCH):
        yield distinct[start : start + _BATCH]


def _record(tx: Transaction, op: str, values: Sequence[tuple[KnownValue, str]], *, by: Actor | str, why: str) -> None:
    if not values:
        return
    body = {
        "op": op,
        "values": [[value.kind, digest] for value, digest in values],
        "why": mask_reason(why),
    }
    forms = [[value.form, value.name] for value, _ in values]
    content = {"values": json.dumps(forms, ensure_ascii=False).encode()}
    tx.append(Draft(EntryKind.KNOWN, "", body, content, _SUBJECT, actor=Actor.of(by)))


def list_known(reader: Reader, home: Path, tenant: str, *, opener: Opener) -> Iterator[DeclaredValue]:
    """The values that are known now, from verified entries, in the order in which they were declared.

    Raises:
        Tampered: an entry was changed.
    """
    declared: dict[tuple[str, str], DeclaredValue] = {}
    for _, note in reader.notes(tenant, (EntryKind.KNOWN.value,)):
        entry = decode_signed_entry(reader, home, tenant, note)
        body = entry.body
        data, name = opener(entry, "values"), opener(entry, "actor")
        by = body.get("actor", "") if name is None else name.decode()
        forms = json.loads(data) if data is not None else [["", ""]] * len(body["values"])
        for (kind, digest), (form, label) in zip(body["values"], forms, strict=True):
            if body["op"] in ("clear", "propose") or kind not in KNOWN_KINDS:
                continue
            if body["op"] == "add":
                value = KnownValue(kind, form, label)
                declared[kind, digest] = DeclaredValue(value, by, body["why"], entry.ts_us)
            else:
                declared.pop((kind, digest), None)
    yield from declared.values()
