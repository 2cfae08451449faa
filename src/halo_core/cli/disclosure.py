"""`halo explain`: what led to decisions about a customer or an account; `halo disclose`: one session for a reader."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
from typer import Argument, Option

from halo_core.cli.context import StoreContext, store_verb, write_file
from halo_core.cli.evidence import FromOption, ToOption, answer_question, read_period
from halo_core.cli.rendering import Exit, print_json, safe_text, say, say_plainly, say_with_path
from halo_core.clock import format_iso
from halo_core.errors import BadInput, ConfigError, HaloError
from halo_core.evidence.answers import Answer, Period
from halo_core.evidence.audit_log import AuditLog
from halo_core.evidence.disclosure import MAX_FILE_BYTES, Disclosure, check_disclosure, make_disclosure
from halo_core.evidence.exports import encode_ascii_json
from halo_core.evidence.subjects import answer_explain_subject, refer_subject
from halo_core.ledger.notes import parse_vkey
from halo_core.views.wording import format_entries


@store_verb()
def explain(
    *,
    subject: Annotated[
        str, Option("--subject", help="A customer, an account, an address: any value; or a person's name or reference.")
    ],
    named: Annotated[
        list[str] | None,
        Option("--named", help="Another name of the subject: account, number, address; may be repeated."),
    ] = None,
    from_: FromOption = "",
    to: ToOption = "",
    store: StoreContext,
) -> int:
    """Explain every decision that named a customer, an account or a person: why, from what, and how it ended."""

    def question(log: AuditLog, period: Period) -> Answer:
        contents = store.open_contents(log.reader, is_shown=False)
        return answer_explain_subject(log, period, subject=subject, contents=contents, named=tuple(named or ()))

    # INVARIANT: the answer and its access entry name the subject by a keyed reference, never by its value.
    with store.open_log() as (reader, tenant):
        references = [refer_subject(reader, tenant, name) or "unnamed" for name in (subject, *(named or ()))]
    options = {"subject": references[0], "named": ",".join(references[1:])}
    return answer_question(store, "explain", read_period(from_, to), question, **options)


@store_verb()
def disclose(
    session: Annotated[str, Argument(metavar="[SESSION]", help="The session: its name or its reference.")] = "",
    *,
    output: Annotated[Path | None, Option("--output", help="File to write; only you can read it.")] = None,
    subject: Annotated[
        list[str] | None, Option("--subject", help="Also open what belongs to this person: name or reference.")
    ] = None,
    everybody: Annotated[bool, Option("--everybody", help="Open what belongs to anybody in the session.")] = False,
    check: Annotated[
        Path | None, Option("--check", metavar="FILE", help="Check such a file and show it; no home is needed.")
    ] = None,
    key: Annotated[str, Option("--key", help="With --check: the key of the log that you trust.")] = "",
    store: StoreContext,
) -> int:
    """Write one session into a file for a reader without your keys: entries, proofs, and keys of its content alone."""
    if check is not None:
        if session or output is not None or subject or everybody:
            problem, remedy = "a file is checked, or one is written", "give `--check FILE` and `--key` alone"
            raise ConfigError("usage", problem, field="check", remedy=remedy)
        return _check_file(store, check, key)
    if key:
        raise ConfigError("usage", "a key is for `--check` alone", field="key", remedy="add `--check FILE`")
    if not session or output is None:
        problem, remedy = "a session and a file are needed", "for example `halo disclose SESSION --output FILE`"
        raise ConfigError("usage", problem, field="SESSION", remedy=remedy)
    with store.open_log() as (reader, tenant):
        contents = store.open_contents(reader, is_shown=False)
        references = [refer_subject(reader, tenant, item) for item in subject or ()]
        tree = make_disclosure(reader, tenant, store.home, contents, session, subjects=references, everybody=everybody)
    # INVARIANT: AUDIT - first the record, then the file.
    access: dict[str, str | int] = {"entries": len(tree["entries"]), "session": str(tree["session"])}
    if everybody or references:
        access["subjects"] = "everybody" if everybody else ",".join(references)
    store.record_access("export", access, tenant)
    write_file(output, encode_ascii_json(tree), "output", mode=0o600)
    if not store.print_json({**access, "output": str(output)}):
        say_plainly(f"{output}: {format_entries(len(tree['entries']))} of the session")
        say_plainly("  a reader checks it with your key of the log:")
        say_with_path(f"  halo disclose --check {output} --key {tree['log_key']}")
    return Exit.OK


def _check_file(store: StoreContext, path: Path, key: str) -> int:
    """Check a disclosed session and print it.

    Returns:
        Exit code: 0 it is what the trusted log holds, 1 it is not, 2 no key to trust was given.
    """
    if key:
        _require_key(key)
    remedy = "give a file that `halo disclose` wrote"
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        tree = orjson.loads(data) if len(data) <= MAX_FILE_BYTES else None
    except OSError as exc:
        problem = f"cannot read `{path}`: {exc.strerror}"
        raise BadInput("bad_disclosure", problem, field="check", remedy=remedy) from exc
    except ValueError as exc:
        raise BadInput("bad_disclosure", f"`{path}` is no JSON", field="check", remedy=remedy) from exc
    checked = check_disclosure(tree, key)
    verdict = Exit.FAILED if checked.problems else Exit.OK if key else Exit.CANNOT_TELL
    if store.json:
        print_json(
            {
                "entries": [item.to_json() for item in checked.entries],
                "log_key": checked.log_key,
                "problems": list(checked.problems),
                "session": checked.session,
                "tenant": checked.tenant,
                "tree_size": checked.tree_size,
                "trusted": bool(key),
            }
        )
    else:
        _print_disclosure(checked, trusted=bool(key))
    return verdict


def _require_key(key: str) -> None:
    try:
        parse_vkey(key)
    except HaloError as exc:  # nothing is said of the file
        remedy = "copy all of it, as the operator gave it to you"
        raise ConfigError("bad_vkey", "it is no verifier key", field="key", remedy=remedy) from exc


def _print_disclosure(checked: Disclosure, *, trusted: bool) -> None:
    for item in checked.entries:
        entry = item.entry
        say(safe_text(f"{item.index} {format_iso(entry.ts_us)} {entry.kind.value}", style="bold"))
        if "snapshot" in entry.body:
            resource, effect = entry.body["request"]["resource"]["id"], entry.body["decision"]["effect"]
            say("  ", safe_text(f"{resource}: {effect}; {entry.body['justification']}"))
        for name, text in sorted(item.content.items()):
            say("  ", safe_text(f"{name}: {text}"))
        if item.closed:
            say("  ", safe_text(f"{item.closed} sealed for others"))
    for problem in checked.problems:
        say("[bold red]problem[/] ", safe_text(problem))
    count = f"{format_entries(len(checked.entries))} of session {checked.session}, tenant {checked.tenant}"
    say(safe_text(f"{count}, under a checkpoint of {checked.tree_size} entries"))
    if not trusted:
        say("[bold yellow]cannot tell[/] whose log it is: give the key that you trust with `--key`; the file names")
        say_plainly(f"  {checked.log_key}")
    say_plainly(
        "note: other entries of the session may exist that the file leaves out; the log's owner can show that not"
    )
