"""Room: policy parsing. Takes: Cedar text. Gives: policies with their grade, line and reads, or findings. Never: I/O.

Annotations (all values are strings):

    @id("pay.large")                 mandatory, unique in the bundle, [a-z0-9._-]
    @reason("large_amount")          reason code of a forbid
    @effect("challenge")             makes a forbid *graded*: challenge, restrict or monitor, instead of deny
    @obligation("clamp(limit, 50)")  what `restrict` asks of the enforcement point; `FORMS` lists the others
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import cedarpy

from halo_core.model import Effect, Obligation
from halo_core.policy.mentions import Mentions, mentions

__all__ = ["FORMS", "GRADES", "Finding", "Policy", "parse"]

GRADES: Final = {effect.value: effect for effect in (Effect.MONITOR, Effect.RESTRICT, Effect.CHALLENGE)}
MAX_SOURCE_BYTES: Final = 1_000_000

_ID: Final = re.compile(r"[a-z0-9._-]+")
_CODE: Final = re.compile(r"[a-z0-9_]+")
_ANNOTATIONS: Final = frozenset({"id", "effect", "reason", "obligation"})
# A comment ends at either line terminator, as in Cedar's own lexer.
_TOKEN: Final = re.compile(r'//[^\n\r]*|"(?:\\.|[^"\\])*"|;|[^\s;/"]+|[/"]', re.DOTALL)
FORMS: Final = (
    "clamp(argument, integer)",
    "redact(argument)",
    "drop_documents(0..1000)",
    "drop_labels(label)",
    "redact_output()",
    "hold_output()",
)
"""Obligations, as they are written."""
_CLAMP: Final = re.compile(r"clamp\(\s*([^\s,()]+)\s*,\s*(-?[0-9]{1,15})\s*\)")
_DROP: Final = re.compile(r"drop_documents\(\s*([0-9]{1,4})\s*\)")
_NAMED: Final = re.compile(r"(drop_labels|redact)\(\s*([^\s,()]+)\s*\)")
_BARE: Final = re.compile(r"(hold_output|redact_output)\(\s*\)")
_MAX_TRUST: Final = 1000


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing wrong with a policy: where, what, and what to do."""

    source: str
    line: int
    policy: str
    message: str
    hint: str = ""

    @property
    def where(self) -> str:
        """`file:line`."""
        return f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True)
class Policy:
    """One parsed policy.

    Args:
        id: its `@id`.
        source: file name.
        line: line on which it starts, from 1.
        text: its Cedar text.
        plain: Cedar's JSON form.
        grade: effect of a graded policy, None for a hard one.
        reason: its `@reason`, empty if none.
        obligation: its `@obligation`.
        reads: attributes that it mentions.
    """

    id: str
    source: str
    line: int
    text: str
    plain: dict[str, Any]
    grade: Effect | None
    reason: str
    obligation: Obligation | None
    reads: Mentions


def parse(source: str, text: str) -> tuple[list[Policy], list[Finding]]:
    """Parse one file; every statement is a policy or has a finding, never neither."""
    if len(text) > MAX_SOURCE_BYTES:
        return [], [Finding(source, 1, "", f"the file is larger than {MAX_SOURCE_BYTES} characters", "split it")]
    policies: list[Policy] = []
    findings: list[Finding] = []
    statements = list(_statements(text))
    for line, statement in statements:
        try:
            found = json.loads(cedarpy.policies_to_json_str(statement))
        except ValueError as exc:
            findings.append(Finding(source, line, "", f"does not parse: {exc}", "see docs.cedarpolicy.com"))
            continue
        _sort(_Place(source, line, statement), found, policies, findings)
    # INVARIANT: Cedar and this splitter see the same statements, so none is lost between them.
    if not findings and _count(text) != len(statements):
        findings.append(Finding(source, 1, "", "the file does not split into its policies", "end each with `;`"))
    return policies, findings


def _count(text: str) -> int:
    try:
        whole = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError:
        return -1
    return len(whole["staticPolicies"]) + len(whole["templates"])


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of each statement, a trailing piece without `;` included."""
    start = -1
    for token in _TOKEN.finditer(text):
        piece = token.group()
        if piece.startswith("//"):
            continue
        if start < 0:
            start = token.start()
        if piece == ";":
            yield text.count("\n", 0, start) + 1, text[start : token.end()]
            start = -1
    if start >= 0:
        yield text.count("\n", 0, start) + 1, text[start:]


@dataclass(frozen=True, slots=True)
class _Place:
    source: str
    line: int
    text: str


def _sort(place: _Place, found: dict[str, Any], policies: list[Policy], findings: list[Finding]) -> None:
    """Turn Cedar's JSON of one statement into a policy or findings."""
    if found["templates"]:
        message, hint = "templates are not supported", "write the principal or resource out"
        findings.append(Finding(place.source, place.line, "", message, hint))
    for plain in found["staticPolicies"].values():
        annotations = {name: value or "" for name, value in plain.get("annotations", {}).items()}
        policy_id = annotations.get("id", "")
        problems = list(_problems(plain, annotations))
        findings += [Finding(place.source, place.line, policy_id, message, hint) for message, hint in problems]
        if not problems:
            policies.append(
                Policy(
                    id=policy_id,
                    source=place.source,
                    line=place.line,
                    text=place.text,
                    plain=plain,
                    grade=GRADES.get(annotations.get("effect", "")),
                    reason=annotations.get("reason", ""),
                    obligation=_obligation(annotations.get("obligation", "")),
                    reads=mentions(plain),
                )
            )


def _problems(plain: dict[str, Any], annotations: dict[str, str]) -> Iterator[tuple[str, str]]:
    if not _ID.fullmatch(annotations.get("id", "")):
        yield "the policy has no usable `@id`", 'give it one, for example @id("payments.large") of a-z 0-9 . _ -'
    for name in sorted(set(annotations) - _ANNOTATIONS):
        yield f"unknown annotation `@{name}`", f"use {_listed(_ANNOTATIONS)}; a note belongs into a comment"
    effect = annotations.get("effect")
    if effect is not None and effect not in GRADES:
        yield f"unknown effect `{effect}`", f"use one of {_listed(GRADES)}; a plain `forbid` denies"
    if plain["effect"] != "forbid" and ("effect" in annotations or "reason" in annotations):
        yield "only a `forbid` has an `@effect` or a `@reason`", "write the condition as a `forbid`"
    if "reason" in annotations and not _CODE.fullmatch(annotations["reason"]):
        yield f"`{annotations['reason']}` is no reason code", "use a-z 0-9 _"
    obligation = annotations.get("obligation")
    if effect == Effect.RESTRICT.value and obligation is None:
        yield "a `restrict` needs an `@obligation`", 'for example @obligation("clamp(limit, 50)")'
    if obligation is not None and effect != Effect.RESTRICT.value:
        yield "an `@obligation` belongs to a `restrict`", 'add @effect("restrict")'
    if obligation is not None and _obligation(obligation) is None:
        yield f"unknown obligation `{obligation}`", f"use {', '.join(FORMS[:-1])} or {FORMS[-1]}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _obligation(text: str) -> Obligation | None:
    if match := _CLAMP.fullmatch(text):
        return Obligation("clamp", match[1], int(match[2]))
    if (match := _DROP.fullmatch(text)) and int(match[1]) <= _MAX_TRUST:
        return Obligation("drop_documents", "", int(match[1]))
    if match := _NAMED.fullmatch(text):
        return Obligation(match[1], match[2])
    if match := _BARE.fullmatch(text):
        return Obligation(match[1])
    return None
