"""Policy bundle: Cedar files and argument types, which a decision names by hash; parsing of its policies.

Parsing gives grade, line, obligation and which attributes each policy reads. The engine encodes only attributes that
are read, so an omission here would be a hole: a `forbid` that reads a missing attribute is skipped by Cedar. Every use
that is not a plain `context.a`, `context has a`, `context.args.a` or `context.args has a` counts as a use of the whole.

Annotations (all values are strings):

    @id("pay.large")                 mandatory, unique in the bundle, [a-z0-9._-]
    @reason("large_amount")          reason code of a forbid
    @effect("challenge")             makes a forbid *graded*: challenge, restrict or monitor, instead of deny
    @obligation("clamp(limit, 50)")  what `restrict` asks of the enforcement point; see `OBLIGATION_FORMS`

Rules that ask or refuse because of where a target came from, or because an effect is grave, apply often in work where
targets are read from files. `apply_risk_threshold` makes them apply only from a risk on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import cedarpy

from halo_core.crypto import canonical
from halo_core.errors import BadInput, PolicyError
from halo_core.model import Effect, Obligation

if TYPE_CHECKING:
    from halo_core.policy.schema import ArgTypes

ALL: Final = "*"
"""Member of a set that stands for everything; it is one more attribute name, so no attribute can hide behind it."""

_NESTED: Final = frozenset({"args", "provenance"})


@dataclass(frozen=True, slots=True)
class AttributeRefs:
    """Attributes read, per place: `context`, `args`, `provenance`, `resource`, `principal`."""

    context: frozenset[str] = frozenset()
    args: frozenset[str] = frozenset()
    provenance: frozenset[str] = frozenset()
    resource: frozenset[str] = frozenset()
    principal: frozenset[str] = frozenset()

    def references(self, name: str) -> bool:
        """Whether attribute `name` of the context is read."""
        return name in self.context or ALL in self.context


def merge_refs(many: Iterable[AttributeRefs]) -> AttributeRefs:
    """Union of the attributes that these read."""
    items = list(many)
    return AttributeRefs(
        *(frozenset().union(*(getattr(item, place) for item in items)) for place in AttributeRefs.__slots__)
    )


def find_attribute_refs(policy: dict[str, Any]) -> AttributeRefs:
    """Attributes that the conditions of a policy read."""
    refs: dict[str, set[str]] = {name: set() for name in AttributeRefs.__slots__}
    pending: list[Any] = [clause["body"] for clause in policy.get("conditions", ())]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            for operator, body in node.items():
                if operator in {".", "has"} and _note_access(operator, body, refs):
                    continue
                if operator == "Var":
                    _note_whole_context(body, refs)
                elif operator == "Record":
                    # Its keys are attribute names, not operators: one may be called `Value` or `Var`.
                    pending.extend(body.values())
                elif operator != "Value":
                    pending.append(body)
    return AttributeRefs(**{name: frozenset(names) for name, names in refs.items()})


def _note_access(operator: str, body: dict[str, Any], refs: dict[str, set[str]]) -> bool:
    """Note a plain attribute access; False when its left side must be walked."""
    operand, attr = body["left"], body["attr"]
    variable = operand.get("Var")
    if variable in refs:
        refs[variable].add(attr)
        if variable == "context" and operator == "." and attr in _NESTED:
            # `context.args` with nothing after it: compared, passed or searched as a whole.
            refs[attr].add(ALL)
        return True
    inner = operand.get(".")
    if inner is not None and inner["left"].get("Var") == "context" and inner["attr"] in _NESTED:
        refs["context"].add(inner["attr"])
        refs[inner["attr"]].add(attr)
        return True
    return False


def _note_whole_context(variable: str, refs: dict[str, set[str]]) -> None:
    if variable == "context":
        for place in ("context", *_NESTED):
            refs[place].add(ALL)


def find_entity_literals(policy: dict[str, Any]) -> list[tuple[str, str]]:
    """Every entity that the policy names, as (type, id), in its scope or its conditions."""
    entities: list[tuple[str, str]] = []
    pending: list[Any] = [part for name, part in policy.items() if name != "annotations"]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            entity = node.get("__entity", node)
            if set(entity) == {"type", "id"} and all(isinstance(part, str) for part in entity.values()):
                entities.append((entity["type"], entity["id"]))
            else:
                pending.extend(node.values())
    return sorted(entities)


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
        line: line on which it starts, from 1.
        cedar_json: Cedar's JSON form.
        grade: effect of a graded policy, None for a hard one.
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
    """Parse one file; every statement is a policy or has a finding, never neither."""
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
            cedarpy.PolicySet.from_json_str(cedar_text)
    except (RecursionError, ValueError):
        raise too_deep from None
    return cedar_json


@lru_cache(maxsize=256)  # a drill parses the same rules for each of its cases
def _parse_cedar(text: str) -> str:
    cedar_json: str = cedarpy.policies_to_json_str(text)
    return cedar_json


def _count_policies(text: str) -> int:
    try:
        cedar_json = json.loads(_parse_cedar(text))
    except ValueError:
        return -1
    return len(cedar_json["staticPolicies"]) + len(cedar_json["templates"])


def _split_statements(text: str) -> Iterator[tuple[int, str]]:
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
    if match := _CLAMP_FORM.fullmatch(text):
        return Obligation("clamp", match[1], int(match[2]))
    if (match := _DROP_FORM.fullmatch(text)) and int(match[1]) <= _MAX_TRUST:
        return Obligation("drop_documents", "", int(match[1]))
    if match := _FORM_WITH_NAME.fullmatch(text):
        return Obligation(match[1], match[2])
    if match := _FORM_WITHOUT_ARGUMENT.fullmatch(text):
        return Obligation(match[1])
    return None


THRESHOLD_RULES: Final = frozenset(
    {
        "halo.grave.irreversible",
        "halo.grave.untraced-target",
        "halo.grave.untrusted-target",
        "halo.payment.untraced-target",
        "halo.payment.unknown-target",
        "halo.payment.untrusted-target",
        "halo.send.unknown-target",
        "halo.send.untraced-target",
        "halo.send.untrusted-target",
    }
)
"""Ids of the rules that a risk threshold may limit; amounts, unknown tools and the risk rules are never limited."""
_MAX_RISK: Final = 1000
_RULE_START: Final = re.compile(r'^@id\("([^"]*)"\)', re.MULTILINE)
_RULE_END: Final = "};"


def apply_risk_threshold(text: str, risk: int) -> str:
    """Make the `THRESHOLD_RULES` of a Cedar text apply only from this risk on, or where an action has no risk.

    Args:
        text: of one file of the starter policy.
        risk: 1..1000; below it they do not apply.

    Raises:
        BadInput: `risk` is out of range.
    """
    if not 1 <= risk <= _MAX_RISK:
        raise BadInput("bad_risk", f"`{risk}` is not a risk", field="lean", remedy="use 1..1000, 200 for example")
    starts = [match.start() for match in _RULE_START.finditer(text)]
    parts = [text[start:end] for start, end in zip([0, *starts], [*starts, len(text)], strict=True)]
    return "".join(_add_threshold(part, risk) for part in parts)


def _add_threshold(part: str, risk: int) -> str:
    name = _RULE_START.match(part)
    if name is None or name[1] not in THRESHOLD_RULES:
        return part
    rule, _, rest = part.rpartition(_RULE_END)  # what follows is the comment of the next one
    return f"{rule}}}\nunless {{ context has risk && context.risk < {risk} {_RULE_END}{rest}"


_DOMAIN: Final = "halo/policy/v1"
_RULES_DOMAIN: Final = "halo/policy/rules/v1"
_SUFFIX: Final = ".cedar"


@dataclass(frozen=True, slots=True)
class PolicyBundle:
    """Policies and the argument types they were written for; equal bundles have equal bytes and one hash.

    Args:
        sources: file name → Cedar text.
        types: argument types of the registered tools, which direct how arguments are encoded.
    """

    sources: Mapping[str, str]
    types: ArgTypes = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take read-only copies: a bundle never changes under its hash."""
        types = {name: MappingProxyType(dict(args)) for name, args in self.types.items()}
        object.__setattr__(self, "sources", MappingProxyType(dict(self.sources)))
        object.__setattr__(self, "types", MappingProxyType(types))

    @property
    def hash(self) -> str:
        """`sha256:` over the canonical bytes."""
        return canonical.digest(_DOMAIN, self.to_bytes())

    @property
    def rules(self) -> str:
        """`sha256:` over the texts alone: the same rules, whatever tools a process has registered so far."""
        return canonical.digest(_RULES_DOMAIN, canonical.encode(self.sources))

    def to_bytes(self) -> bytes:
        """Canonical bytes, as the store keeps them."""
        return canonical.encode({"sources": self.sources, "types": self.types})

    @classmethod
    def from_bytes(cls, data: bytes) -> PolicyBundle:
        """Inverse of `to_bytes`; the policies themselves are parsed by `parse`.

        Raises:
            PolicyError: these are not the bytes of a bundle.
        """
        try:
            members = canonical.from_plain(canonical.loads(data))
            sources, types = members["sources"], members["types"]
            texts = [*sources.values(), *(text for args in types.values() for text in args.values())]
        except (BadInput, AttributeError, KeyError, TypeError) as exc:
            raise _bundle_error() from exc
        if set(members) != {"sources", "types"} or not all(isinstance(text, str) for text in texts):
            raise _bundle_error()
        return cls(sources, types)

    @classmethod
    def load(cls, paths: Iterable[Path], types: ArgTypes | None = None) -> PolicyBundle:
        """Read `.cedar` files, and those directly inside the directories given.

        Raises:
            PolicyError: a path is missing, unreadable, not UTF-8, or two files share a name.
        """
        sources: dict[str, str] = {}
        for path in paths:
            files = sorted(path.glob("*" + _SUFFIX)) if path.is_dir() else [path]
            if not files:
                message = "there is no `.cedar` file here"
                raise PolicyError("policy_missing", message, field=str(path), remedy="give a file or a directory")
            for file in files:
                if file.name in sources:
                    raise PolicyError("policy_invalid", "two files share a name", field=str(file), remedy="rename one")
                sources[file.name] = _read_file(file)
        return cls(sources, types or {})

    @classmethod
    def load_starter(cls, types: ArgTypes | None = None) -> PolicyBundle:
        """Return the starter policy that ships in the package."""
        folder = resources.files("halo_core.policy") / "starter"
        files = sorted((file for file in folder.iterdir() if file.name.endswith(_SUFFIX)), key=lambda file: file.name)
        return cls({file.name: file.read_text(encoding="utf-8") for file in files}, types or {})

    def parse(self) -> tuple[Policy, ...]:
        """Parse, sorted by id.

        Raises:
            PolicyError: with the file and line of the first finding.
        """
        parsed, findings = parse_bundle(self)
        if findings:
            first = findings[0]
            name = f"policy `{first.policy}`: " if first.policy else ""
            raise PolicyError("policy_invalid", name + first.message, field=first.where, remedy=first.hint)
        return parsed


def parse_bundle(bundle: PolicyBundle) -> tuple[tuple[Policy, ...], list[Finding]]:
    """Parse every source: the policies that are well formed, sorted by id, and every finding, sorted by place."""
    policies: dict[str, Policy] = {}
    findings: list[Finding] = []
    for source, text in sorted(bundle.sources.items()):
        parsed, problems = parse_policies(source, text)
        findings += problems
        for policy in parsed:
            if first := policies.get(policy.id):
                where = f"{first.source}:{first.line}"
                findings.append(
                    Finding(
                        policy.source, policy.line, policy.id, f"the `@id` is already used by {where}", "choose another"
                    )
                )
            policies.setdefault(policy.id, policy)
    return tuple(policies[name] for name in sorted(policies)), sorted(findings)


def _read_file(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as exc:
        raise PolicyError(
            "policy_missing", "no such file", field=str(path), remedy="run your app once, or give a folder"
        ) from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise PolicyError(
            "policy_unreadable", "the file cannot be read as UTF-8 text", field=str(path), remedy="correct the file"
        ) from exc


def _bundle_error() -> PolicyError:
    return PolicyError("policy_invalid", "not the bytes of a policy bundle", remedy="restore the store from a backup")
