"""Parses policies from Cedar texts: `parse_policies` returns the grade, line, obligation and read attributes of each.

Annotations (all values are strings):

    @id("pay.large")                 mandatory, unique in the bundle, [a-z0-9._-]
    @reason("large_amount")          reason code of a forbid
    @effect("challenge")             makes a forbid *graded*: challenge, restrict or monitor, instead of deny
    @obligation("clamp(limit, 50)")  what `restrict` asks of the enforcement point; see `OBLIGATION_FORMS`
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from halo_core.model import Effect, Obligation
from halo_core.policy.attribute_refs import AttributeRefs, find_attribute_refs
from halo_core.quick_dataclass import dataclass

GRADES: Final = {effect.value: effect for effect in (Effect.MONITOR, Effect.RESTRICT, Effect.CHALLENGE)}
MAX_SOURCE_BYTES: Final = 1_000_000

_ID: Final = re.compile(r"[a-z0-9._-]+")
_REASON_CODE: Final = re.compile(r"[a-z0-9_]+")
_ANNOTATIONS: Final = frozenset({"id", "effect", "reason", "obligation"})
_TOO_DEEP: Final = "it is nested too deeply"
_MAX_NESTING: Final = 300
"""Brackets within one another; Cedar's parser overflows its stack some way above, which nothing catches."""
_MAX_JSON_NESTING: Final = 100
"""Up to here Cedar reads its own JSON for sure."""
# A comment ends at either line terminator, as in Cedar's own lexer.
_TOKEN: Final = re.compile(r'//[^\n\r]*|"(?:\\.|[^"\\])*"|;|[^\s;/"]+|[/"]', re.DOTALL)
OBLIGATION_FORMS: Final = (
    "clamp(argument, integer)",
    "redact(argument)",
    "drop_documents(0..1000)",
    "drop_labels(label)",
    "redact_output()",
    "hold_output()",
)
"""Obligations, as they are written."""
_CLAMP_FORM: Final = re.compile(r"clamp\(\s*([^\s,()]+)\s*,\s*(-?[0-9]{1,15})\s*\)")
_DROP_FORM: Final = re.compile(r"drop_documents\(\s*([0-9]{1,4})\s*\)")
_FORM_WITH_NAME: Final = re.compile(r"(drop_labels|redact)\(\s*([^\s,()]+)\s*\)")
_FORM_WITHOUT_ARGUMENT: Final = re.compile(r"(hold_output|redact_output)\(\s*\)")
_MAX_TRUST: Final = 1000


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One problem of a policy.

    Args:
        source: name of the file.
        line: line of the file, from 1.
        policy: id of the policy; empty if it has none.
        message: what is wrong.
        hint: what to do about it.
    """

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
        source: name of the file.
        line: line on which it starts, from 1.
        text: its Cedar text.
        cedar_json: Cedar's JSON form.
        grade: effect of a graded policy, None for a hard one.
        reason: reason code, empty if it names none.
        obligation: what a `restrict` asks of the enforcement point, else None.
        refs: attributes that it mentions.
    """

    id: str
    source: str
    line: int
    text: str
    cedar_json: dict[str, Any]
    grade: Effect | None
    reason: str
    obligation: Obligation | None
    refs: AttributeRefs


def parse_policies(source: str, text: str) -> tuple[list[Policy], list[Finding]]:
    """Parse one file; each statement yields a policy or a finding."""
    if len(text) > MAX_SOURCE_BYTES:
        return [], [Finding(source, 1, "", f"the file is larger than {MAX_SOURCE_BYTES} characters", "split it")]
    items: list[Policy | Finding] = []
    statements = list(_split_statements(text))
    for line, statement in statements:
        try:
            cedar_json = _to_cedar_json(statement)
        except ValueError as exc:
            hint = "split it into several policies" if str(exc) == _TOO_DEEP else "see docs.cedarpolicy.com"
            items.append(Finding(source, line, "", f"does not parse: {exc}", hint))
            continue
        items += _read_statement(source, line, statement, cedar_json)
    findings = [item for item in items if isinstance(item, Finding)]
    # INVARIANT: Cedar and this splitter see the same statements, so none is lost between them.
    if not findings and _count_policies(text) != len(statements):
        findings.append(Finding(source, 1, "", "the file cannot be split into policies", "end each with `;`"))
    return [item for item in items if isinstance(item, Policy)], findings


def _to_cedar_json(statement: str) -> dict[str, Any]:
    """Cedar's JSON of one statement.

    Raises:
        ValueError: it does not parse, or is nested deeper than Cedar can take.
    """
    too_deep = ValueError(_TOO_DEEP)
    depth = 0
    for character in "".join(piece for piece in _TOKEN.findall(statement) if not piece.startswith(("//", '"'))):
        depth += (character in "([{") - (character in ")]}")
        if depth > _MAX_NESTING:
            raise too_deep
    cedar_text = _parse_cedar(statement)
    try:
        cedar_json: dict[str, Any] = json.loads(cedar_text)
        if cedar_text.count("{") + cedar_text.count("[") > _MAX_JSON_NESTING:  # a long chain of `&&` is nested, too
            import cedarpy  # noqa: PLC0415  as in `_parse_cedar`

            cedarpy.PolicySet.from_json_str(cedar_text)
    except (RecursionError, ValueError):
        raise too_deep from None
    return cedar_json


@lru_cache(maxsize=256)  # a drill parses the same rules for each of its cases
def _parse_cedar(text: str) -> str:
    import cedarpy  # noqa: PLC0415  its classes take 25 ms to make, and what only reads policies needs none

    cedar_json: str = cedarpy.policies_to_json_str(text)
    return cedar_json


def _count_policies(text: str) -> int:
    try:
        cedar_json = json.loads(_parse_cedar(text))
    except ValueError:
        return -1
    return len(cedar_json["staticPolicies"]) + len(cedar_json["templates"])


def _split_statements(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of each statement, including a trailing piece without `;`."""
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


def _read_statement(source: str, line: int, text: str, cedar_json: dict[str, Any]) -> Iterator[Policy | Finding]:
    """Policies or findings of one statement, from Cedar's JSON of it."""
    if cedar_json["templates"]:
        yield Finding(source, line, "", "templates are not supported", "write the principal or resource explicitly")
    for policy_json in cedar_json["staticPolicies"].values():
        annotations = {name: value or "" for name, value in policy_json.get("annotations", {}).items()}
        policy_id = annotations.get("id", "")
        problems = list(_find_problems(policy_json, annotations))
        yield from (Finding(source, line, policy_id, message, hint) for message, hint in problems)
        if not problems:
            yield Policy(
                id=policy_id,
                source=source,
                line=line,
                text=text,
                cedar_json=policy_json,
                grade=GRADES.get(annotations.get("effect", "")),
                reason=annotations.get("reason", ""),
                obligation=_parse_obligation(annotations.get("obligation", "")),
                refs=find_attribute_refs(policy_json),
            )


def _find_problems(policy_json: dict[str, Any], annotations: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Message and hint for each problem of a policy's annotations."""
    if not _ID.fullmatch(annotations.get("id", "")):
        yield "the policy has no valid `@id`", 'give it one, for example @id("payments.large") of a-z 0-9 . _ -'
    for name in sorted(set(annotations) - _ANNOTATIONS):
        yield f"unknown annotation `@{name}`", f"use {_quote_names(_ANNOTATIONS)}; write notes as comments"
    effect = annotations.get("effect")
    if effect is not None and effect not in GRADES:
        yield f"unknown effect `{effect}`", f"use one of {_quote_names(GRADES)}; a plain `forbid` denies"
    if policy_json["effect"] != "forbid" and ("effect" in annotations or "reason" in annotations):
        yield "only a `forbid` can have an `@effect` or a `@reason`", "write the condition as a `forbid`"
    if "reason" in annotations and not _REASON_CODE.fullmatch(annotations["reason"]):
        yield f"`{annotations['reason']}` is not a reason code", "use a-z 0-9 _"
    obligation = annotations.get("obligation")
    if effect == Effect.RESTRICT.value and obligation is None:
        yield "a `restrict` needs an `@obligation`", 'for example @obligation("clamp(limit, 50)")'
    if obligation is not None and effect != Effect.RESTRICT.value:
        yield "only a `restrict` can have an `@obligation`", 'add @effect("restrict")'
    if obligation is not None and _parse_obligation(obligation) is None:
        yield f"unknown obligation `{obligation}`", f"use {', '.join(OBLIGATION_FORMS[:-1])} or {OBLIGATION_FORMS[-1]}"


def _quote_names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _parse_obligation(text: str) -> Obligation | None:
    """The obligation written in an annotation; None if it has none of `OBLIGATION_FORMS`."""
    if match := _CLAMP_FORM.fullmatch(text):
        return Obligation("clamp", match[1], int(match[2]))
    if (match := _DROP_FORM.fullmatch(text)) and int(match[1]) <= _MAX_TRUST:
        return Obligation("drop_documents", "", int(match[1]))
    if match := _FORM_WITH_NAME.fullmatch(text):
        return Obligation(match[1], match[2])
    if match := _FORM_WITHOUT_ARGUMENT.fullmatch(text):
        return Obligation(match[1])
    return None
