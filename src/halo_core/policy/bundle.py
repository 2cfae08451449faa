"""Policy bundle: Cedar files and argument types, which a decision names by hash; and the risk threshold of its rules.

Rules that ask or refuse because of where a target came from, or because an effect is grave, apply often in work where
targets are read from files. `apply_risk_threshold` makes them apply only from a risk on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from halo_core.crypto import canonical
from halo_core.errors import BadInput, PolicyError
from halo_core.policy.parser import Finding, Policy, parse_policies

if TYPE_CHECKING:
    from halo_core.policy.schema import ArgTypes

__all__ = [
    "THRESHOLD_RULES",
    "PolicyBundle",
    "apply_risk_threshold",
    "parse_bundle",
]


THRESHOLD_RULES: Final = frozenset(
    {
        "halo.grave.irreversible",
        "halo.grave.tainted-target",
        "halo.grave.untrusted-target",
        "halo.payment.tainted-target",
        "halo.payment.unknown-target",
        "halo.payment.untrusted-target",
        "halo.send.unknown-target",
        "halo.send.untrusted-target",
    }
)
"""Ids of the rules that a risk threshold may limit; amounts, unknown tools and the risk rules are never limited."""
_MAX_RISK: Final = 1000
_RULE_START: Final = re.compile(r'^@id\("([^"]*)"\)', re.MULTILINE)
_RULE_END: Final = "};"


def apply_risk_threshold(text: str, risk: int) -> str:
    """The Cedar text, whose `THRESHOLD_RULES` apply from this risk on, and where an action has no risk.

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
        """Inverse of `to_bytes`; the policies themselves are parsed by `policies`.

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
                raise PolicyError(
                    "policy_missing",
                    "there is no `.cedar` file here",
                    field=str(path),
                    remedy="give a file or a directory",
                )
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
